//! The words of a cassette that stand for ODBC's numbers and names.

use crate::Value;

/// SQL_SUCCESS.
pub const SUCCESS: i16 = 0;
/// SQL_SUCCESS_WITH_INFO.
pub const SUCCESS_WITH_INFO: i16 = 1;
/// SQL_NO_DATA.
pub const NO_DATA: i16 = 100;
/// SQL_ERROR.
pub const ERROR: i16 = -1;
/// SQL_INVALID_HANDLE.
pub const INVALID_HANDLE: i16 = -2;

/// Return codes by their names in a cassette. Any other code is written as its number.
pub const RETURNS: [(i16, &str); 8] = [
    (0, "SQL_SUCCESS"),
    (1, "SQL_SUCCESS_WITH_INFO"),
    (2, "SQL_STILL_EXECUTING"),
    (-1, "SQL_ERROR"),
    (-2, "SQL_INVALID_HANDLE"),
    (99, "SQL_NEED_DATA"),
    (100, "SQL_NO_DATA"),
    (101, "SQL_PARAM_DATA_AVAILABLE"),
];

/// Returns a return code as a cassette has it: its name, or its number if ODBC has no name for it.
pub fn return_value(code: i16) -> Value {
    RETURNS.iter().find(|(known, _)| *known == code).map_or(Value::from(code), |(_, name)| Value::from(*name))
}

/// Returns the return code that a cassette's value stands for, which is SQL_SUCCESS for a missing value. `None` if it
/// stands for none.
pub fn return_code(value: Option<&Value>) -> Option<i16> {
    match value {
        None | Some(Value::Null) => Some(SUCCESS),
        Some(Value::Text(name)) => RETURNS.iter().find(|(_, known)| known == name).map(|(code, _)| *code),
        Some(Value::Int(code)) => i16::try_from(*code).ok(),
        Some(_) => None,
    }
}

/// The value of an entry's `secrets`: what the entry asks has a hidden secret.
pub(crate) const HIDDEN: &str = "hidden";

/// How the text of a statement is compared in a cassette written by hand: to the letter, without regard to blanks, or with holes.
pub(crate) const MATCHING: [&str; 3] = ["exact", "spaces", "pattern"];

/// C types by their names in a cassette. A driver-specific type is written as its number.
pub const C_TYPES: [&str; 41] = [
    "CHAR",
    "WCHAR",
    "BINARY",
    "BIT",
    "STINYINT",
    "UTINYINT",
    "TINYINT",
    "SSHORT",
    "USHORT",
    "SHORT",
    "SLONG",
    "ULONG",
    "LONG",
    "SBIGINT",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
    "NUMERIC",
    "GUID",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TYPE_DATE",
    "TYPE_TIME",
    "TYPE_TIMESTAMP",
    "INTERVAL_YEAR",
    "INTERVAL_MONTH",
    "INTERVAL_DAY",
    "INTERVAL_HOUR",
    "INTERVAL_MINUTE",
    "INTERVAL_SECOND",
    "INTERVAL_YEAR_TO_MONTH",
    "INTERVAL_DAY_TO_HOUR",
    "INTERVAL_DAY_TO_MINUTE",
    "INTERVAL_DAY_TO_SECOND",
    "INTERVAL_HOUR_TO_MINUTE",
    "INTERVAL_HOUR_TO_SECOND",
    "INTERVAL_MINUTE_TO_SECOND",
    "DEFAULT",
    "BOOKMARK",
    "VARBOOKMARK",
];

/// ODBC's functions by their names.
pub const FUNCTIONS: [&str; 79] = [
    "SQLAllocConnect",
    "SQLAllocEnv",
    "SQLAllocStmt",
    "SQLAllocHandle",
    "SQLAllocHandleStd",
    "SQLFreeConnect",
    "SQLFreeEnv",
    "SQLFreeHandle",
    "SQLFreeStmt",
    "SQLConnect",
    "SQLDriverConnect",
    "SQLBrowseConnect",
    "SQLDisconnect",
    "SQLDataSources",
    "SQLDrivers",
    "SQLSetEnvAttr",
    "SQLGetEnvAttr",
    "SQLSetConnectAttr",
    "SQLSetConnectOption",
    "SQLGetConnectAttr",
    "SQLGetConnectOption",
    "SQLGetFunctions",
    "SQLEndTran",
    "SQLTransact",
    "SQLCancelHandle",
    "SQLError",
    "SQLGetDiagRec",
    "SQLGetDiagField",
    "SQLGetInfo",
    "SQLNativeSql",
    "SQLExecDirect",
    "SQLPrepare",
    "SQLExecute",
    "SQLMoreResults",
    "SQLParamData",
    "SQLPutData",
    "SQLCloseCursor",
    "SQLCancel",
    "SQLGetTypeInfo",
    "SQLTables",
    "SQLColumns",
    "SQLColumnPrivileges",
    "SQLTablePrivileges",
    "SQLSpecialColumns",
    "SQLStatistics",
    "SQLPrimaryKeys",
    "SQLForeignKeys",
    "SQLProcedures",
    "SQLProcedureColumns",
    "SQLFetch",
    "SQLFetchScroll",
    "SQLExtendedFetch",
    "SQLGetData",
    "SQLSetPos",
    "SQLBulkOperations",
    "SQLNumResultCols",
    "SQLDescribeCol",
    "SQLColAttribute",
    "SQLColAttributes",
    "SQLRowCount",
    "SQLNumParams",
    "SQLDescribeParam",
    "SQLGetCursorName",
    "SQLBindCol",
    "SQLBindParameter",
    "SQLBindParam",
    "SQLSetParam",
    "SQLParamOptions",
    "SQLSetScrollOptions",
    "SQLSetCursorName",
    "SQLSetStmtAttr",
    "SQLSetStmtOption",
    "SQLGetStmtAttr",
    "SQLGetStmtOption",
    "SQLSetDescField",
    "SQLSetDescRec",
    "SQLGetDescField",
    "SQLGetDescRec",
    "SQLCopyDesc",
];

/// What SQLDescribeCol says about a column, by its names in a column file.
pub const DESCRIBED: [&str; 5] = ["name", "type", "length", "scale", "nullable"];

/// The fields of SQLColAttribute by their names in a column file (from the reference page of SQLColAttribute; ODBC 2's
/// SQLColAttributes shares the numbers below 20). Any other field is written as its number.
pub const COLUMN_FIELDS: [(u16, &str); 35] = [
    (0, "count"),
    (1, "column_name"),
    (2, "concise_type"),
    (3, "column_length"),
    (4, "column_precision"),
    (5, "column_scale"),
    (6, "display_size"),
    (7, "column_nullable"),
    (8, "unsigned"),
    (9, "fixed_prec_scale"),
    (10, "updatable"),
    (11, "auto_unique_value"),
    (12, "case_sensitive"),
    (13, "searchable"),
    (14, "type_name"),
    (15, "table_name"),
    (16, "schema_name"),
    (17, "catalog_name"),
    (18, "label"),
    (22, "base_column_name"),
    (23, "base_table_name"),
    (27, "literal_prefix"),
    (28, "literal_suffix"),
    (29, "local_type_name"),
    (32, "num_prec_radix"),
    (1001, "desc_count"),
    (1002, "desc_type"),
    (1003, "desc_length"),
    (1005, "precision"),
    (1006, "desc_scale"),
    (1007, "datetime_interval_code"),
    (1008, "desc_nullable"),
    (1011, "desc_name"),
    (1012, "unnamed"),
    (1013, "octet_length"),
];

/// The fields of a column that are text.
pub(crate) const TEXT_FIELDS: [&str; 13] = [
    "name",
    "column_name",
    "type_name",
    "table_name",
    "schema_name",
    "catalog_name",
    "label",
    "base_column_name",
    "base_table_name",
    "literal_prefix",
    "literal_suffix",
    "local_type_name",
    "desc_name",
];

/// Names the facts that an answer may state although the program did not ask for them.
pub(crate) const ABOUT: [&str; 18] = [
    "still_executing",
    "meanwhile",
    "data_not_asked_for",
    "params_processed",
    "token_as_bound",
    "keeps_buffer",
    "rows_fetched_at_end",
    "row_status_at_end",
    "rows_fetched_with_rows",
    "row_status_with_rows",
    "bound_beyond",
    "length_at_binding",
    "null_is_zero",
    "days_left_out",
    "precision_left_out",
    "number_beside_text",
    "length_beside_number",
    "rowset_size_is_shared",
];
/// The orientations of a scroll, by name.
pub(crate) const ORIENTATIONS: [&str; 6] = ["first", "last", "prior", "absolute", "relative", "bookmark"];
/// What SQLSetPos and SQLBulkOperations do, by name.
pub(crate) const OPERATIONS: [&str; 8] =
    ["position", "refresh", "update", "delete", "add", "update_by_bookmark", "delete_by_bookmark", "fetch_by_bookmark"];
/// What happens to locks.
pub(crate) const LOCKS: [&str; 2] = ["exclusive", "unlock"];
/// Attributes of a connection that the database sees.
pub(crate) const CONNECT_ATTRIBUTES: [&str; 5] =
    ["access_mode", "autocommit", "txn_isolation", "current_catalog", "current_schema"];
/// Attributes of a statement that change results.
pub(crate) const STATEMENT_ATTRIBUTES: [&str; 12] = [
    "cursor_sensitivity",
    "cursor_scrollable",
    "query_timeout",
    "max_rows",
    "noscan",
    "max_length",
    "cursor_type",
    "concurrency",
    "keyset_size",
    "retrieve_data",
    "use_bookmarks",
    "metadata_id",
];
