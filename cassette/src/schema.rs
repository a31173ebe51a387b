//! What an entry may say: the keys of each method, and the words that stand for ODBC's numbers.
//!
//! Replay reads every entry through here, and so does `super8 check`: a word that nobody knows is refused with its place and the
//! nearest right one, and so is an entry that says more rows than the program asked for.

use std::path::Path;

use crate::cell::{self, Cell};
use crate::entry::THREAD;
use crate::inline::from_inline;
use crate::redaction::secrets;
use crate::row::Row;
use crate::{CassetteError, Entry, Method, Value};

/// Return codes by their names in a cassette. Another code is written as its number.
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

/// C types by their names in a cassette. A type of a driver's own is written as its number.
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

/// What SQLDescribeCol tells of a column, by its names in a columns file.
pub const DESCRIBED: [&str; 5] = ["name", "type", "length", "scale", "nullable"];

/// The fields of SQLColAttribute by their names in a columns file (the reference page of SQLColAttribute; ODBC 2's
/// SQLColAttributes shares the numbers below 20). Another field is written as its number.
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

/// What an answer may be about that is not a question of the program's.
const ABOUT: [&str; 15] = [
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
    "number_beside_text",
    "length_beside_number",
];
/// What identifies an answer: the arguments of the functions, and what tells one call from another.
const QUESTION: [&str; 38] = [
    "function",
    "about",
    "connection_id",
    "statement_id",
    "id",
    "info",
    "attribute",
    "value",
    "column",
    "parameter",
    "record",
    "field",
    "descriptor",
    "sql",
    "type",
    "kind",
    "io",
    "c_type",
    "sql_type",
    "name",
    "concurrency",
    "keyset",
    "rowset",
    "rows",
    "option",
    "source",
    "attempt",
    "call",
    "execution",
    "executing",
    "step",
    "sqlstate",
    "set",
    "buffer",
    "length",
    "after",
    "result",
    "param_status",
];

/// Orientations of a scroll by their names.
const ORIENTATIONS: [&str; 6] = ["first", "last", "prior", "absolute", "relative", "bookmark"];
/// What SQLSetPos and SQLBulkOperations do, by its names.
const OPERATIONS: [&str; 8] =
    ["position", "refresh", "update", "delete", "add", "update_by_bookmark", "delete_by_bookmark", "fetch_by_bookmark"];
/// What becomes of locks.
const LOCKS: [&str; 2] = ["exclusive", "unlock"];
/// Attributes of a connection that the database sees.
const CONNECT_ATTRIBUTES: [&str; 5] =
    ["access_mode", "autocommit", "txn_isolation", "current_catalog", "current_schema"];
/// Attributes of a statement that change results.
const STATEMENT_ATTRIBUTES: [&str; 12] = [
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

/// What is said of an entry as a whole: what may differ, and that a secret is hidden in what was asked.
const MARKS: [&str; 3] = ["volatile", secrets::KEY, THREAD];
const OUTCOME: [&str; 2] = ["return", "diagnostics"];
const DIAGNOSTIC: [&str; 11] = [
    "sqlstate",
    "native",
    "message",
    "row",
    "column",
    "in_pieces",
    "silent_without_room",
    "class_origin",
    "subclass_origin",
    "connection_name",
    "server_name",
];
const ROW_OUTCOME: [&str; 8] =
    ["row", "return", "diagnostics", "status", "c_types", "lengths", "unterminated", "get_data"];
const GET_DATA_CALL: [&str; 10] =
    ["column", "parameter", "c_type", "buffer", "length", "return", "diagnostics", "value", "half", "terminated"];

/// The keys of a method beside `method`, `connection_id`, `statement_id`, `return`, `diagnostics` and [`MARKS`].
const fn keys(method: Method) -> &'static [&'static str] {
    match method {
        Method::Connect => &[
            "dsn",
            "driver",
            "connection_string",
            "dsn_section",
            "attributes",
            "library",
            "kind",
            "result",
            "completed",
            "continued",
            "parent",
        ],
        Method::Run => &[
            "sql",
            "params",
            "params_file",
            "types",
            "attributes",
            "params_processed",
            "param_status",
            "result",
            "c_types",
        ],
        Method::Prepare => &["sql", "attributes", "result"],
        Method::Execute => {
            &["params", "params_file", "types", "attributes", "params_processed", "param_status", "result", "c_types"]
        }
        Method::Catalog => &["function", "arguments", "attributes", "result"],
        Method::Fetch => {
            &["rowset", "result", "c_types", "bookmarks", "outcomes", "rows_fetched", "row_status", "written"]
        }
        Method::FetchAll | Method::FetchMany => &["n", "rows_file", "rows", "c_types", "bookmarks", "outcomes"],
        Method::FetchScroll => &[
            "orientation",
            "offset",
            "bookmark",
            "rowset",
            "result",
            "rows",
            "n",
            "rows_file",
            "c_types",
            "bookmarks",
            "outcomes",
            "rows_fetched",
            "row_status",
            "written",
        ],
        Method::SetPos | Method::BulkOperations => &[
            "operation",
            "row",
            "lock",
            "rowset",
            "ignored",
            "bookmarks",
            "values",
            "rows",
            "c_types",
            "rows_fetched",
            "row_status",
            "extended_status",
            "result",
        ],
        Method::MoreResults => &["result", "output", "c_types"],
        Method::ParamData => &["parameter", "set", "params_processed", "result"],
        Method::SetConnectAttr => &["attribute", "value", "result"],
        Method::Commit | Method::Rollback => &["result"],
        Method::Columns => &["columns_file"],
        Method::GetData => &["column", "parameter", "rowset", "c_type", "result", "calls"],
        Method::Answer => &QUESTION,
        Method::RowCount | Method::NumParams => &["after", "result"],
        Method::DescribeParam => &["parameter", "after", "result"],
        Method::NativeSql => &["sql", "buffer", "length", "after", "result"],
        Method::CursorName => &["set", "buffer", "length", "after", "result"],
        Method::Cancel | Method::Close | Method::Drop | Method::Disconnect => &["result"],
    }
}

/// What is wrong with an entry, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The key of the entry.
    pub key: String,
    /// The place behind it, such as `[1].return`.
    pub rest: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub advice: String,
}

impl Wrong {
    fn new(key: &str, problem: impl Into<String>) -> Wrong {
        Wrong { key: key.to_owned(), rest: String::new(), problem: problem.into(), advice: CORRECT.to_owned() }
    }

    fn unknown<'w>(key: &str, word: &str, what: &str, known: impl Iterator<Item = &'w str>) -> Wrong {
        let known: Vec<&str> = known.collect();
        let near = similar::get_close_matches(word, &known, 1, 0.5);
        let advice = match near.first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", known.join(", ")),
        };
        Wrong { advice, ..Wrong::new(key, format!("`{word}` is no {what}")) }
    }

    /// A count that no arrays of the program's have room for.
    pub fn too_many(key: &str, count: i64, room: usize) -> Wrong {
        Wrong::new(key, format!("says {count}, and the program asked for {room}"))
    }

    /// The error for it on a line of a file.
    pub(crate) fn error(self, file: &Path, line: u32) -> CassetteError {
        let path = format!("{}{}", self.key, self.rest);
        CassetteError::new(file, self.problem).at_line(line.into()).at_path(path).advice(self.advice)
    }

    fn inside(mut self, key: &str, place: impl std::fmt::Display) -> Wrong {
        let within = if self.key.is_empty() { String::new() } else { format!(".{}", self.key) };
        self.rest = format!("{place}{within}{}", self.rest);
        self.key = key.to_owned();
        self
    }
}

const CORRECT: &str = "correct it, or record again";

/// Whether an entry says nothing but what replay understands.
///
/// # Errors
/// The first thing that it does not.
pub fn check(entry: &Entry) -> Result<(), Wrong> {
    let known = keys(entry.method);
    for (key, value) in &entry.fields {
        if !(known.contains(&key.as_str()) || OUTCOME.contains(&key.as_str()) || MARKS.contains(&key.as_str())) {
            let names = known.iter().chain(&OUTCOME).copied();
            return Err(Wrong::unknown(key, key, &format!("key of {}", entry.method.name()), names));
        }
        field(entry.method, key, value)?;
    }
    rowset(entry)
}

/// Whether an answer about a connection says nothing but what replay understands.
///
/// # Errors
/// As [`check`].
pub fn check_answer(answer: &Value) -> Result<(), Wrong> {
    let known: Vec<&str> = QUESTION.iter().chain(&OUTCOME).chain(&MARKS).copied().collect();
    map(answer, "an answer", &known)?.iter().try_for_each(|(key, value)| field(Method::Answer, key, value))
}

/// Whether a columns file says nothing but what replay understands. The key of what is wrong is the number of the column, from 0.
///
/// # Errors
/// As [`check`].
pub fn check_columns(columns: &Value) -> Result<(), Wrong> {
    let known = |key: &str| {
        DESCRIBED.contains(&key) || COLUMN_FIELDS.iter().any(|(_, name)| *name == key) || key.parse::<u16>().is_ok()
    };
    let Value::List(columns) = columns else { return Err(Wrong::new("", "is not a list of columns")) };
    columns.iter().enumerate().try_for_each(|(at, column)| {
        let Value::Map(pairs) = column else { return Err(Wrong::new(&at.to_string(), "is not a map")) };
        let wrong = |(key, value): &(String, Value)| match value {
            _ if !known(key) => {
                let names = DESCRIBED.into_iter().chain(COLUMN_FIELDS.iter().map(|(_, name)| *name));
                Some(Wrong::unknown(key, key, "field of a column", names))
            }
            Value::Int(number) if i64::try_from(*number).is_err() => Some(Wrong::new(key, "is no number of 64 bits")),
            Value::Int(_) | Value::Text(_) | Value::Null => None,
            _ => Some(Wrong::new(key, "is neither a number nor text")),
        };
        pairs.iter().find_map(wrong).map_or(Ok(()), |wrong| Err(wrong.inside(&at.to_string(), "")))
    })
}

/// Says whether a cell is a value of the C type of this name.
pub type Fits = fn(&Cell<'_>, &str) -> Result<(), String>;

/// Whether the cells of an entry that are not rows of a result are values of their C types: output parameters, what an operation
/// on rows wrote, and what SQLGetData read apart from a row.
///
/// # Errors
/// The first cell that is not.
pub fn check_cells(entry: &Entry, fits: Fits) -> Result<(), Wrong> {
    let types = entry.get("c_types").and_then(Value::as_list).unwrap_or_default();
    let list = |key: &str| entry.get(key).and_then(Value::as_list);
    let several = |key: &str| list(key).is_some_and(|items| matches!(items.first(), Some(Value::List(_))));
    let rows = |key: &str, several: bool| match entry.get(key) {
        Some(rows @ Value::List(_)) if several => each(key, rows, |row| row_fits(row, types, fits)),
        Some(row @ Value::List(_)) => row_fits(row, types, fits).map_err(|wrong| wrong.inside(key, "")),
        _ => Ok(()),
    };
    match entry.method {
        Method::Run | Method::Execute => rows("result", several("result")),
        Method::MoreResults => rows("output", several("output")),
        Method::SetPos | Method::BulkOperations => rows("rows", true),
        Method::GetData => {
            let own = entry.get("c_type").map(std::slice::from_ref).unwrap_or_default();
            if let Some(value) = entry.get("result") {
                let row = Value::List(vec![value.clone()]);
                row_fits(&row, own, fits)
                    .map_err(|wrong| Wrong { rest: String::new(), ..wrong.inside("result", "") })?;
            }
            calls_fit("calls", entry.get("calls"), fits)
        }
        method if method.is_rows() => {
            rows("written", true)?;
            let Some(outcomes) = entry.get("outcomes") else { return Ok(()) };
            each("outcomes", outcomes, |outcome| calls_fit("get_data", outcome.get("get_data"), fits))
        }
        _ => Ok(()),
    }
}

fn row_fits(value: &Value, types: &[Value], fits: Fits) -> Result<(), Wrong> {
    let (mut row, mut scratch) = (Row::new(), Vec::new());
    from_inline(value, &mut row).map_err(|error| Wrong::new("", error.to_string()))?;
    row.fields().enumerate().try_for_each(|(column, field)| {
        let refused = |problem: String| Wrong { rest: format!("[{column}]"), ..Wrong::new("", problem) };
        let cell = cell::decode(field, &mut scratch).map_err(|error| refused(error.to_string()))?;
        match types.get(column).and_then(Value::as_text) {
            Some(c_type) => fits(&cell, c_type).map_err(refused),
            None => Ok(()),
        }
    })
}

fn calls_fit(key: &str, calls: Option<&Value>, fits: Fits) -> Result<(), Wrong> {
    let Some(calls) = calls else { return Ok(()) };
    each(key, calls, |call| {
        let Some(value) = call.get("value") else { return Ok(()) };
        let c_type = call.get("c_type").map(std::slice::from_ref).unwrap_or_default();
        let fitted = row_fits(&Value::List(vec![value.clone()]), c_type, fits);
        fitted.map_err(|wrong| Wrong { rest: String::new(), ..wrong.inside("value", "") })
    })
}

fn field(method: Method, key: &str, value: &Value) -> Result<(), Wrong> {
    use Method::{
        Answer, BulkOperations, Catalog, Connect, Execute, FetchScroll, GetData, Run, SetConnectAttr, SetPos,
    };
    match (key, method) {
        ("return", _) => code(key, value),
        ("diagnostics", _) => diagnostics(key, value),
        (secrets::KEY, _) => word(key, value, "word for secrets", &[secrets::HIDDEN]),
        ("c_types", _) => c_types(key, value),
        ("c_type", GetData | Answer) => c_type(key, value),
        ("function" | "executing", Answer | Catalog) => word(key, value, "ODBC function", &FUNCTIONS),
        ("about", Answer) => word(key, value, "thing an answer is about", &ABOUT),
        ("result", Answer) => result(key, value),
        ("params_processed" | "after", _) if !matches!(value, Value::Int(0..=0xffff_ffff)) => {
            Err(Wrong::new(key, "is no count"))
        }
        ("types", Run | Execute) => each(key, value, |kind| match kind.as_text() {
            Some("integer" | "float" | "text") => Ok(()),
            _ => c_type("", kind),
        }),
        ("calls", GetData) => each(key, value, get_data),
        ("outcomes", _) => each(key, value, row_outcome),
        ("orientation", FetchScroll) => word(key, value, "orientation", &ORIENTATIONS),
        ("operation", SetPos | BulkOperations) => word(key, value, "operation", &OPERATIONS),
        ("lock", SetPos) => word(key, value, "lock", &LOCKS),
        ("attribute", SetConnectAttr) => word(key, value, "attribute", &CONNECT_ATTRIBUTES),
        ("attributes", Run | Execute | Catalog) => names(key, value, "attribute", &STATEMENT_ATTRIBUTES),
        ("attributes", Connect) => names(key, value, "attribute", &CONNECT_ATTRIBUTES),
        ("n" | "rowset", _) => match value.as_int() {
            Some(0..) => Ok(()),
            _ => Err(Wrong::new(key, "is no number of rows")),
        },
        ("bookmarks", _) if !matches!(value, Value::Bool(_)) => Err(Wrong::new(key, "is neither true nor false")),
        ("rows_file" | "columns_file" | "params_file", _) if value.as_text().is_none() => {
            Err(Wrong::new(key, "is not a file's name"))
        }
        ("written", _) => each(key, value, cells),
        ("rows", SetPos | BulkOperations) => each(key, value, cells),
        _ => Ok(()),
    }
}

/// Replies are numbers of 64 bits, texts, or maps of them by the names of the outputs; SQLGetFunctions lists functions.
fn result(key: &str, value: &Value) -> Result<(), Wrong> {
    match value {
        Value::Int(number) if i64::try_from(*number).is_err() => Err(Wrong::new(key, "is no number of 64 bits")),
        Value::List(_) => each(key, value, |function| match function {
            Value::Int(0..=0xffff) => Ok(()),
            Value::Text(_) => word("", function, "ODBC function", &FUNCTIONS),
            _ => Err(Wrong::new("", "is neither an ODBC function nor its number")),
        }),
        Value::Map(pairs) => {
            pairs.iter().try_for_each(|(name, value)| result(name, value).map_err(|wrong| wrong.inside(key, "")))
        }
        Value::Float(_) => Err(Wrong::new(key, "is neither a whole number nor text")),
        _ => Ok(()),
    }
}

/// A program's arrays have room for the rows it asked for, and no more.
///
/// # Errors
/// More rows, more states or a larger count.
pub(crate) fn rowset(entry: &Entry) -> Result<(), Wrong> {
    let number = |key: &str| entry.get(key).and_then(Value::as_int);
    let room = match entry.method {
        Method::Fetch => match number("rowset") {
            Some(rows) => rows,
            // an older recording does not say what was asked for
            None => return Ok(()),
        },
        Method::FetchScroll | Method::BulkOperations => number("rowset").unwrap_or(1),
        Method::SetPos => number("rowset").unwrap_or(1).max(number("row").unwrap_or(1)),
        Method::Run | Method::Execute => match entry.get("params").and_then(Value::as_list) {
            Some(sets) if sets.iter().any(is_set) => sets.len() as i64,
            Some(_) => 1,
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    within(usize::try_from(room).unwrap_or_default(), |key| entry.get(key))
}

/// A set of an array of parameters, or what stands for one that is left out.
fn is_set(value: &Value) -> bool {
    matches!(value, Value::List(_)) || value.get("PARAM_IGNORE").is_some()
}

/// Whether arrays of so many rows, or sets of parameters, have room for what a cassette says of them.
///
/// # Errors
/// More rows, more states or a larger count.
pub fn within<'e>(room: usize, get: impl Fn(&str) -> Option<&'e Value>) -> Result<(), Wrong> {
    for (key, rows) in [("rows_fetched", "rows"), ("params_processed", "sets")] {
        if let Some(Value::Int(count)) = get(key)
            && !usize::try_from(*count).is_ok_and(|count| count <= room)
        {
            return Err(Wrong::new(key, format!("says {count} {rows}, and the program asked for {room}")));
        }
    }
    for key in ["row_status", "extended_status", "param_status", "rows", "written"] {
        let rows = if key == "param_status" { "sets" } else { "rows" };
        if let Some(Value::List(items)) = get(key)
            && items.len() > room
        {
            let length = items.len();
            return Err(Wrong::new(key, format!("is of {length} {rows}, and the program asked for {room}")));
        }
    }
    Ok(())
}

fn word(key: &str, value: &Value, what: &str, known: &[&str]) -> Result<(), Wrong> {
    match value {
        Value::Text(word) if !known.contains(&word.as_str()) => {
            Err(Wrong::unknown(key, word, what, known.iter().copied()))
        }
        Value::Text(_) | Value::Int(_) => Ok(()),
        _ => Err(Wrong::new(key, format!("is no {what}"))),
    }
}

fn names(key: &str, value: &Value, what: &str, known: &[&str]) -> Result<(), Wrong> {
    let Value::Map(pairs) = value else { return Err(Wrong::new(key, "is not a map")) };
    match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(Wrong::unknown(key, name, what, known.iter().copied())),
        None => Ok(()),
    }
}

fn code(key: &str, value: &Value) -> Result<(), Wrong> {
    match value {
        Value::Int(number) if i16::try_from(*number).is_ok() => Ok(()),
        Value::Text(name) if RETURNS.iter().any(|(_, known)| known == name) => Ok(()),
        Value::Text(name) => Err(Wrong::unknown(key, name, "return code", RETURNS.iter().map(|(_, name)| *name))),
        _ => Err(Wrong::new(key, "is no return code")),
    }
}

fn c_type(key: &str, value: &Value) -> Result<(), Wrong> {
    match value {
        Value::Int(number) if i16::try_from(*number).is_ok() => Ok(()),
        Value::Text(name) if C_TYPES.contains(&name.as_str()) || name.parse::<i16>().is_ok() => Ok(()),
        Value::Text(name) => Err(Wrong::unknown(key, name, "C type", C_TYPES.iter().copied())),
        _ => Err(Wrong::new(key, "is no C type")),
    }
}

fn c_types(key: &str, value: &Value) -> Result<(), Wrong> {
    let Value::List(items) = value else { return Err(Wrong::new(key, "is not a list of C types")) };
    let mut items = items.iter().enumerate().filter(|(_, item)| **item != Value::Null);
    items.try_for_each(|(at, item)| c_type("", item).map_err(|wrong| wrong.inside(key, format_args!("[{at}]"))))
}

/// A list, each item of which is looked at.
fn each(key: &str, value: &Value, look: impl Fn(&Value) -> Result<(), Wrong>) -> Result<(), Wrong> {
    let Value::List(items) = value else { return Err(Wrong::new(key, "is not a list")) };
    let mut items = items.iter().enumerate();
    items.try_for_each(|(at, item)| look(item).map_err(|wrong| wrong.inside(key, format_args!("[{at}]"))))
}

/// The pairs of a map with no other keys than these.
fn map<'v>(value: &'v Value, what: &str, known: &[&str]) -> Result<&'v [(String, Value)], Wrong> {
    let Value::Map(pairs) = value else { return Err(Wrong::new("", "is not a map")) };
    match pairs.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        Some((key, _)) => Err(Wrong::unknown(key, key, &format!("key of {what}"), known.iter().copied())),
        None => Ok(pairs),
    }
}

fn diagnostics(key: &str, value: &Value) -> Result<(), Wrong> {
    each(key, value, |record| {
        map(record, "a diagnostic record", &DIAGNOSTIC)?.iter().try_for_each(|(key, value)| match key.as_str() {
            "sqlstate" => match value.as_text() {
                Some(state) if state.len() <= 5 && state.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Ok(()),
                _ => Err(Wrong::new(key, "is no SQLSTATE: five letters and digits, in quotes")),
            },
            "native" => match value.as_int().map(i32::try_from) {
                Some(Ok(_)) => Ok(()),
                _ => Err(Wrong::new(key, "is no number of 32 bits")),
            },
            "message" if value.as_text().is_none() => Err(Wrong::new(key, "is not text")),
            "row" | "column" if value.as_int().is_none() => Err(Wrong::new(key, "is not a number")),
            _ => Ok(()),
        })
    })
}

fn row_outcome(value: &Value) -> Result<(), Wrong> {
    let pairs = map(value, "an outcome", &ROW_OUTCOME)?;
    if !pairs.iter().any(|(key, row)| key == "row" && matches!(row, Value::Int(1..))) {
        return Err(Wrong::new("", "has no `row`, the number of a row from 1"));
    }
    pairs.iter().try_for_each(|(key, value)| match (key.as_str(), value) {
        ("return", _) => code(key, value),
        ("diagnostics", _) => diagnostics(key, value),
        ("status", Value::Int(0..=0xffff)) => Ok(()),
        ("status", _) => Err(Wrong::new(key, "is no row status")),
        ("c_types", Value::Map(types)) => {
            types.iter().try_for_each(|(column, name)| c_type(column, name).map_err(|wrong| wrong.inside(key, "")))
        }
        ("c_types", _) => Err(Wrong::new(key, "is not a map of C types by column")),
        ("lengths", Value::Map(lengths)) => match lengths.iter().find(|(_, length)| length.as_int().is_none()) {
            Some((column, _)) => Err(Wrong::new(column, "is no length").inside(key, "")),
            None => Ok(()),
        },
        ("lengths", _) => Err(Wrong::new(key, "is not a map of lengths by column")),
        ("get_data", _) => each(key, value, get_data),
        _ => Ok(()),
    })
}

fn get_data(call: &Value) -> Result<(), Wrong> {
    map(call, "a call of SQLGetData", &GET_DATA_CALL)?.iter().try_for_each(|(key, value)| match key.as_str() {
        "return" => code(key, value),
        "diagnostics" => diagnostics(key, value),
        "c_type" => c_type(key, value),
        _ => Ok(()),
    })
}

fn cells(value: &Value) -> Result<(), Wrong> {
    from_inline(value, &mut Row::new()).map_err(|error| Wrong::new("", error.to_string()))
}

#[cfg(test)]
mod tests;
