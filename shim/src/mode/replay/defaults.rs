//! Answers for usual questions that were not asked when the cassette was recorded: driver managers of other versions
//! ask other questions. What is not here is an error that names the question.

use crate::table::Function;
use super8_cassette::Value;

/// Information types and connection attributes with a harmless general answer.
pub fn connection(function: Function, asked: i64) -> Option<Value> {
    match (function, asked) {
        // SQL_CURSOR_COMMIT_BEHAVIOR and SQL_CURSOR_ROLLBACK_BEHAVIOR: SQL_CB_PRESERVE; the driver manager then forbids nothing.
        (Function::SQLGetInfo, 23 | 24) => Some(Value::Int(2)),
        // SQL_DRIVER_ODBC_VER
        (Function::SQLGetInfo, 77) => Some(Value::from("03.80")),
        // SQL_GETDATA_EXTENSIONS: any column, any order, block, bound
        (Function::SQLGetInfo, 81) => Some(Value::Int(0xF)),
        // SQL_XOPEN_CLI_YEAR
        (Function::SQLGetInfo, 10000) => Some(Value::from("1995")),
        (Function::SQLGetConnectAttr | Function::SQLGetConnectOption, attribute) => match attribute {
            // SQL_ATTR_AUTOCOMMIT is on by default.
            102 => Some(Value::Int(1)),
            // SQL_ATTR_ACCESS_MODE, LOGIN_TIMEOUT, TRACE, ASYNC_ENABLE, CONNECTION_TIMEOUT, METADATA_ID
            101 | 103 | 104 | 4 | 113 | 10014 => Some(Value::Int(0)),
            // SQL_ATTR_CONNECTION_DEAD: SQL_CD_FALSE
            1209 => Some(Value::Int(0)),
            _ => None,
        },
        _ => None,
    }
}

/// Statement attributes by their defaults (the reference page of SQLSetStmtAttr).
pub fn statement(attribute: i64) -> Option<Value> {
    match attribute {
        // CONCURRENCY, SQL_ROWSET_SIZE, RETRIEVE_DATA, PARAMSET_SIZE, ROW_ARRAY_SIZE
        7 | 9 | 11 | 22 | 27 => Some(Value::Int(1)),
        // CURSOR_SENSITIVITY .. KEYSET_SIZE, SIMULATE_CURSOR, USE_BOOKMARKS, ROW_NUMBER, ENABLE_AUTO_IPD, PARAM_BIND_TYPE, METADATA_ID
        -2..=6 | 8 | 10 | 12 | 14 | 15 | 18 | 10014 => Some(Value::Int(0)),
        _ => None,
    }
}

/// What SQLColAttribute and SQLDescribeCol call differently: a field answered by another one that was recorded.
pub fn same_field(field: i64) -> Option<&'static str> {
    match field {
        // SQL_COLUMN_NAME, SQL_DESC_LABEL, SQL_DESC_NAME
        1 | 18 | 1011 => Some("name"),
        // SQL_DESC_CONCISE_TYPE
        2 => Some("type"),
        // SQL_COLUMN_NULLABLE, SQL_DESC_NULLABLE
        7 | 1008 => Some("nullable"),
        // SQL_COLUMN_SCALE, SQL_DESC_SCALE
        5 | 1006 => Some("scale"),
        _ => None,
    }
}
