//! The answers of a plain ODBC 3.8 driver. With a cassette written by hand they serve everything that a driver manager
//! or a client library asks beside its statements. docs/plain-driver.md is made from these tables.

use super::types::{Column, SqlType, TYPES};
use crate::words::FUNCTIONS;
use crate::{Fields, Key, Value};

/// The answer to an information type.
#[derive(Clone, Copy, Debug)]
pub enum Plain {
    /// Text.
    Text(&'static str),
    /// A number.
    Number(i64),
}

use Plain::{Number as N, Text as T};

/// The information types of SQLGetInfo, by number and name.
pub const INFO: [(u16, &str, Plain); 179] = [
    (0, "SQL_MAX_DRIVER_CONNECTIONS", N(0)),
    (1, "SQL_MAX_CONCURRENT_ACTIVITIES", N(0)),
    (2, "SQL_DATA_SOURCE_NAME", T("")),
    (6, "SQL_DRIVER_NAME", T("libsuper8.so")),
    (7, "SQL_DRIVER_VER", T("03.80.0000")),
    (8, "SQL_FETCH_DIRECTION", N(1)),
    (9, "SQL_ODBC_API_CONFORMANCE", N(1)),
    (10, "SQL_ODBC_VER", T("03.80")),
    (11, "SQL_ROW_UPDATES", T("N")),
    (12, "SQL_ODBC_SAG_CLI_CONFORMANCE", N(1)),
    (13, "SQL_SERVER_NAME", T("")),
    (14, "SQL_SEARCH_PATTERN_ESCAPE", T("\\")),
    (15, "SQL_ODBC_SQL_CONFORMANCE", N(1)),
    (16, "SQL_DATABASE_NAME", T("")),
    (17, "SQL_DBMS_NAME", T("super8")),
    (18, "SQL_DBMS_VER", T("01.00.0000")),
    (19, "SQL_ACCESSIBLE_TABLES", T("Y")),
    (20, "SQL_ACCESSIBLE_PROCEDURES", T("Y")),
    (21, "SQL_PROCEDURES", T("N")),
    (22, "SQL_CONCAT_NULL_BEHAVIOR", N(0)),
    (23, "SQL_CURSOR_COMMIT_BEHAVIOR", N(2)),
    (24, "SQL_CURSOR_ROLLBACK_BEHAVIOR", N(2)),
    (25, "SQL_DATA_SOURCE_READ_ONLY", T("N")),
    (26, "SQL_DEFAULT_TXN_ISOLATION", N(2)),
    (27, "SQL_EXPRESSIONS_IN_ORDERBY", T("Y")),
    (28, "SQL_IDENTIFIER_CASE", N(4)),
    (29, "SQL_IDENTIFIER_QUOTE_CHAR", T("\"")),
    (30, "SQL_MAX_COLUMN_NAME_LEN", N(128)),
    (31, "SQL_MAX_CURSOR_NAME_LEN", N(128)),
    (32, "SQL_MAX_SCHEMA_NAME_LEN", N(128)),
    (33, "SQL_MAX_PROCEDURE_NAME_LEN", N(128)),
    (34, "SQL_MAX_CATALOG_NAME_LEN", N(0)),
    (35, "SQL_MAX_TABLE_NAME_LEN", N(128)),
    (36, "SQL_MULT_RESULT_SETS", T("Y")),
    (37, "SQL_MULTIPLE_ACTIVE_TXN", T("Y")),
    (38, "SQL_OUTER_JOINS", T("Y")),
    (39, "SQL_SCHEMA_TERM", T("schema")),
    (40, "SQL_PROCEDURE_TERM", T("procedure")),
    (41, "SQL_CATALOG_NAME_SEPARATOR", T("")),
    (42, "SQL_CATALOG_TERM", T("")),
    (43, "SQL_SCROLL_CONCURRENCY", N(1)),
    (44, "SQL_SCROLL_OPTIONS", N(1)),
    (45, "SQL_TABLE_TERM", T("table")),
    (46, "SQL_TXN_CAPABLE", N(2)),
    (47, "SQL_USER_NAME", T("")),
    (48, "SQL_CONVERT_FUNCTIONS", N(0)),
    (49, "SQL_NUMERIC_FUNCTIONS", N(0)),
    (50, "SQL_STRING_FUNCTIONS", N(0)),
    (51, "SQL_SYSTEM_FUNCTIONS", N(0)),
    (52, "SQL_TIMEDATE_FUNCTIONS", N(0)),
    (53, "SQL_CONVERT_BIGINT", N(0)),
    (54, "SQL_CONVERT_BINARY", N(0)),
    (55, "SQL_CONVERT_BIT", N(0)),
    (56, "SQL_CONVERT_CHAR", N(0)),
    (57, "SQL_CONVERT_DATE", N(0)),
    (58, "SQL_CONVERT_DECIMAL", N(0)),
    (59, "SQL_CONVERT_DOUBLE", N(0)),
    (60, "SQL_CONVERT_FLOAT", N(0)),
    (61, "SQL_CONVERT_INTEGER", N(0)),
    (62, "SQL_CONVERT_LONGVARCHAR", N(0)),
    (63, "SQL_CONVERT_NUMERIC", N(0)),
    (64, "SQL_CONVERT_REAL", N(0)),
    (65, "SQL_CONVERT_SMALLINT", N(0)),
    (66, "SQL_CONVERT_TIME", N(0)),
    (67, "SQL_CONVERT_TIMESTAMP", N(0)),
    (68, "SQL_CONVERT_TINYINT", N(0)),
    (69, "SQL_CONVERT_VARBINARY", N(0)),
    (70, "SQL_CONVERT_VARCHAR", N(0)),
    (71, "SQL_CONVERT_LONGVARBINARY", N(0)),
    (72, "SQL_TXN_ISOLATION_OPTION", N(15)),
    (73, "SQL_INTEGRITY", T("N")),
    (74, "SQL_CORRELATION_NAME", N(2)),
    (75, "SQL_NON_NULLABLE_COLUMNS", N(1)),
    (77, "SQL_DRIVER_ODBC_VER", T("03.80")),
    (78, "SQL_LOCK_TYPES", N(0)),
    (79, "SQL_POS_OPERATIONS", N(0)),
    (80, "SQL_POSITIONED_STATEMENTS", N(0)),
    (81, "SQL_GETDATA_EXTENSIONS", N(15)),
    (82, "SQL_BOOKMARK_PERSISTENCE", N(0)),
    (83, "SQL_STATIC_SENSITIVITY", N(0)),
    (84, "SQL_FILE_USAGE", N(0)),
    (85, "SQL_NULL_COLLATION", N(1)),
    (86, "SQL_ALTER_TABLE", N(0)),
    (87, "SQL_COLUMN_ALIAS", T("Y")),
    (88, "SQL_GROUP_BY", N(2)),
    (89, "SQL_KEYWORDS", T("")),
    (90, "SQL_ORDER_BY_COLUMNS_IN_SELECT", T("N")),
    (91, "SQL_SCHEMA_USAGE", N(31)),
    (92, "SQL_CATALOG_USAGE", N(0)),
    (93, "SQL_QUOTED_IDENTIFIER_CASE", N(3)),
    (94, "SQL_SPECIAL_CHARACTERS", T("")),
    (95, "SQL_SUBQUERIES", N(31)),
    (96, "SQL_UNION", N(3)),
    (97, "SQL_MAX_COLUMNS_IN_GROUP_BY", N(0)),
    (98, "SQL_MAX_COLUMNS_IN_INDEX", N(0)),
    (99, "SQL_MAX_COLUMNS_IN_ORDER_BY", N(0)),
    (100, "SQL_MAX_COLUMNS_IN_SELECT", N(0)),
    (101, "SQL_MAX_COLUMNS_IN_TABLE", N(0)),
    (102, "SQL_MAX_INDEX_SIZE", N(0)),
    (103, "SQL_MAX_ROW_SIZE_INCLUDES_LONG", T("Y")),
    (104, "SQL_MAX_ROW_SIZE", N(0)),
    (105, "SQL_MAX_STATEMENT_LEN", N(0)),
    (106, "SQL_MAX_TABLES_IN_SELECT", N(0)),
    (107, "SQL_MAX_USER_NAME_LEN", N(0)),
    (108, "SQL_MAX_CHAR_LITERAL_LEN", N(0)),
    (109, "SQL_TIMEDATE_ADD_INTERVALS", N(0)),
    (110, "SQL_TIMEDATE_DIFF_INTERVALS", N(0)),
    (111, "SQL_NEED_LONG_DATA_LEN", T("N")),
    (112, "SQL_MAX_BINARY_LITERAL_LEN", N(0)),
    (113, "SQL_LIKE_ESCAPE_CLAUSE", T("Y")),
    (114, "SQL_CATALOG_LOCATION", N(0)),
    (115, "SQL_OJ_CAPABILITIES", N(127)),
    (116, "SQL_ACTIVE_ENVIRONMENTS", N(0)),
    (117, "SQL_ALTER_DOMAIN", N(0)),
    (118, "SQL_SQL_CONFORMANCE", N(1)),
    (119, "SQL_DATETIME_LITERALS", N(0)),
    (120, "SQL_BATCH_ROW_COUNT", N(0)),
    (121, "SQL_BATCH_SUPPORT", N(0)),
    (122, "SQL_CONVERT_WCHAR", N(0)),
    (123, "SQL_CONVERT_INTERVAL_DAY_TIME", N(0)),
    (124, "SQL_CONVERT_INTERVAL_YEAR_MONTH", N(0)),
    (125, "SQL_CONVERT_WLONGVARCHAR", N(0)),
    (126, "SQL_CONVERT_WVARCHAR", N(0)),
    (127, "SQL_CREATE_ASSERTION", N(0)),
    (128, "SQL_CREATE_CHARACTER_SET", N(0)),
    (129, "SQL_CREATE_COLLATION", N(0)),
    (130, "SQL_CREATE_DOMAIN", N(0)),
    (131, "SQL_CREATE_SCHEMA", N(0)),
    (132, "SQL_CREATE_TABLE", N(1)),
    (133, "SQL_CREATE_TRANSLATION", N(0)),
    (134, "SQL_CREATE_VIEW", N(1)),
    (136, "SQL_DROP_ASSERTION", N(0)),
    (137, "SQL_DROP_CHARACTER_SET", N(0)),
    (138, "SQL_DROP_COLLATION", N(0)),
    (139, "SQL_DROP_DOMAIN", N(0)),
    (140, "SQL_DROP_SCHEMA", N(0)),
    (141, "SQL_DROP_TABLE", N(1)),
    (142, "SQL_DROP_TRANSLATION", N(0)),
    (143, "SQL_DROP_VIEW", N(1)),
    (144, "SQL_DYNAMIC_CURSOR_ATTRIBUTES1", N(0)),
    (145, "SQL_DYNAMIC_CURSOR_ATTRIBUTES2", N(0)),
    (146, "SQL_FORWARD_ONLY_CURSOR_ATTRIBUTES1", N(1)),
    (147, "SQL_FORWARD_ONLY_CURSOR_ATTRIBUTES2", N(1)),
    (148, "SQL_INDEX_KEYWORDS", N(0)),
    (149, "SQL_INFO_SCHEMA_VIEWS", N(0)),
    (150, "SQL_KEYSET_CURSOR_ATTRIBUTES1", N(0)),
    (151, "SQL_KEYSET_CURSOR_ATTRIBUTES2", N(0)),
    (152, "SQL_ODBC_INTERFACE_CONFORMANCE", N(1)),
    (153, "SQL_PARAM_ARRAY_ROW_COUNTS", N(2)),
    (154, "SQL_PARAM_ARRAY_SELECTS", N(3)),
    (155, "SQL_SQL92_DATETIME_FUNCTIONS", N(0)),
    (156, "SQL_SQL92_FOREIGN_KEY_DELETE_RULE", N(0)),
    (157, "SQL_SQL92_FOREIGN_KEY_UPDATE_RULE", N(0)),
    (158, "SQL_SQL92_GRANT", N(0)),
    (159, "SQL_SQL92_NUMERIC_VALUE_FUNCTIONS", N(0)),
    (160, "SQL_SQL92_PREDICATES", N(0)),
    (161, "SQL_SQL92_RELATIONAL_JOIN_OPERATORS", N(0)),
    (162, "SQL_SQL92_REVOKE", N(0)),
    (163, "SQL_SQL92_ROW_VALUE_CONSTRUCTOR", N(0)),
    (164, "SQL_SQL92_STRING_FUNCTIONS", N(0)),
    (165, "SQL_SQL92_VALUE_EXPRESSIONS", N(0)),
    (166, "SQL_STANDARD_CLI_CONFORMANCE", N(3)),
    // SQL_CA1_NEXT and SQL_CA1_ABSOLUTE. Without them unixODBC puts its cursor library in front of the driver if a
    // program asks for it where needed, as PDO does, and that library crashes.
    (167, "SQL_STATIC_CURSOR_ATTRIBUTES1", N(3)),
    (168, "SQL_STATIC_CURSOR_ATTRIBUTES2", N(0)),
    (169, "SQL_AGGREGATE_FUNCTIONS", N(127)),
    (170, "SQL_DDL_INDEX", N(0)),
    (172, "SQL_INSERT_STATEMENT", N(7)),
    (173, "SQL_CONVERT_GUID", N(0)),
    (10000, "SQL_XOPEN_CLI_YEAR", T("1995")),
    (10001, "SQL_CURSOR_SENSITIVITY", N(0)),
    (10002, "SQL_DESCRIBE_PARAMETER", T("Y")),
    (10003, "SQL_CATALOG_NAME", T("N")),
    (10004, "SQL_COLLATION_SEQ", T("")),
    (10005, "SQL_MAX_IDENTIFIER_LEN", N(128)),
    (10021, "SQL_ASYNC_MODE", N(0)),
    (10022, "SQL_MAX_ASYNC_CONCURRENT_STATEMENTS", N(0)),
    (10023, "SQL_ASYNC_DBC_FUNCTIONS", N(0)),
    (10024, "SQL_DRIVER_AWARE_POOLING_SUPPORTED", N(0)),
    (10025, "SQL_ASYNC_NOTIFICATION", N(0)),
];

/// Attributes of a connection that nobody has set.
pub const ATTRIBUTES: [(i32, &str, Plain); 5] = [
    (108, "SQL_ATTR_TXN_ISOLATION", N(2)),
    (109, "SQL_ATTR_CURRENT_CATALOG", T("")),
    (112, "SQL_ATTR_PACKET_SIZE", N(0)),
    (117, "SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE", N(0)),
    (10001, "SQL_ATTR_AUTO_IPD", N(0)),
];

/// The functions that the plain driver does not have.
pub const MISSING: [&str; 4] = ["SQLAllocHandleStd", "SQLBrowseConnect", "SQLBulkOperations", "SQLSetPos"];

impl From<Plain> for Value {
    fn from(plain: Plain) -> Value {
        match plain {
            Plain::Text(text) => text.into(),
            Plain::Number(number) => number.into(),
        }
    }
}

/// Returns the answers about a connection, as an info file has them.
pub(crate) fn answers() -> Vec<Fields> {
    let functions = FUNCTIONS.into_iter().filter(|function| !MISSING.contains(function)).map(Value::from);
    let functions = Fields::from([
        (Key::Function, "SQLGetFunctions".into()),
        (Key::Id, 999.into()),
        (Key::Result, Value::List(functions.collect())),
    ]);
    let info = INFO.iter().map(|(number, _, plain)| {
        Fields::from([
            (Key::Function, "SQLGetInfo".into()),
            (Key::Info, (*number).into()),
            (Key::Result, (*plain).into()),
        ])
    });
    let attributes = ATTRIBUTES.iter().map(|(number, _, plain)| {
        Fields::from([
            (Key::Function, "SQLGetConnectAttr".into()),
            (Key::Attribute, (*number).into()),
            (Key::Result, (*plain).into()),
        ])
    });
    std::iter::once(functions).chain(info).chain(attributes).collect()
}

/// Returns those answers that belong to a session, whatever the driver: the names of data source, server, database and user.
pub(crate) fn of_session() -> impl Iterator<Item = Fields> {
    const SESSION: [(Key, i64); 5] =
        [(Key::Info, 2), (Key::Info, 13), (Key::Info, 16), (Key::Info, 47), (Key::Attribute, 109)];
    let is_of_session =
        |answer: &Fields| SESSION.iter().any(|(key, number)| answer.get(*key).and_then(Value::as_int) == Some(*number));
    answers().into_iter().filter(is_of_session)
}

/// The columns of SQLGetTypeInfo's result, with their types.
const TYPE_INFO: [(&str, &str); 19] = [
    ("TYPE_NAME", "VARCHAR"),
    ("DATA_TYPE", "SMALLINT"),
    ("COLUMN_SIZE", "INTEGER"),
    ("LITERAL_PREFIX", "VARCHAR"),
    ("LITERAL_SUFFIX", "VARCHAR"),
    ("CREATE_PARAMS", "VARCHAR"),
    ("NULLABLE", "SMALLINT"),
    ("CASE_SENSITIVE", "SMALLINT"),
    ("SEARCHABLE", "SMALLINT"),
    ("UNSIGNED_ATTRIBUTE", "SMALLINT"),
    ("FIXED_PREC_SCALE", "SMALLINT"),
    ("AUTO_UNIQUE_VALUE", "SMALLINT"),
    ("LOCAL_TYPE_NAME", "VARCHAR"),
    ("MINIMUM_SCALE", "SMALLINT"),
    ("MAXIMUM_SCALE", "SMALLINT"),
    ("SQL_DATA_TYPE", "SMALLINT"),
    ("SQL_DATETIME_SUB", "SMALLINT"),
    ("NUM_PREC_RADIX", "INTEGER"),
    ("INTERVAL_PRECISION", "SMALLINT"),
];

/// Returns the columns of SQLGetTypeInfo's result.
pub(crate) fn type_info_columns() -> Vec<Column> {
    let column = |(name, type_name): &(&str, &str)| Some(Column::of(name, SqlType::named(type_name)?));
    TYPE_INFO.iter().filter_map(column).collect()
}

/// Returns the names of SQLGetTypeInfo's columns, and its rows.
pub fn type_info_page() -> (Vec<&'static str>, Vec<Vec<Value>>) {
    let rows = types().into_iter().map(|of| type_info(of).as_list().unwrap_or_default().to_vec());
    (TYPE_INFO.iter().map(|(name, _)| *name).collect(), rows.collect())
}

/// Returns the types in the order that SQLGetTypeInfo has.
pub(crate) fn types() -> Vec<&'static SqlType> {
    let mut types: Vec<&SqlType> = TYPES.iter().collect();
    types.sort_by_key(|sql_type| sql_type.code);
    types
}

/// Returns SQLGetTypeInfo's row for a type.
pub(crate) fn type_info(of: &SqlType) -> Value {
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let (literal, scales) = (of.literal(), of.scales());
    let (verbose, subcode) = of.verbose();
    let number = of.is_signed();
    Value::List(vec![
        of.name.into(),
        of.code.into(),
        of.size.into(),
        text(literal.map(|(before, _)| before)),
        text(literal.map(|(_, after)| after)),
        text(of.parameters()),
        1.into(),
        i64::from(of.has_case()).into(),
        (if of.has_case() { 3 } else { 2 }).into(),
        number.map_or(Value::Null, |signed| i64::from(!signed).into()),
        0.into(),
        number.map_or(Value::Null, |_| 0.into()),
        of.name.into(),
        scales.map_or(Value::Null, |(least, _)| least.into()),
        scales.map_or(Value::Null, |(_, most)| most.into()),
        verbose.into(),
        if subcode == 0 { Value::Null } else { subcode.into() },
        number.map_or(Value::Null, |_| 10.into()),
        Value::Null,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_type_info_fits_its_columns() {
        let columns = type_info_columns();
        assert_eq!(columns.len(), TYPE_INFO.len());
        for of in types() {
            let row = type_info(of);
            for (column, value) in columns.iter().zip(row.as_list().unwrap()) {
                column.cell(value).unwrap_or_else(|problem| panic!("{} {}: {problem}", of.name, column.name));
            }
        }
    }

    #[test]
    fn no_information_type_stands_twice() {
        assert!(INFO.is_sorted_by_key(|(number, ..)| *number));
        assert!(INFO.windows(2).all(|two| two[0].0 < two[1].0));
        assert!(MISSING.iter().all(|name| FUNCTIONS.contains(name)));
    }
}
