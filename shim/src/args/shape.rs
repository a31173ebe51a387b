//! What a pointer argument points at, by attribute, field or information type: a text, a number or an address.
//!
//! Sources: the reference pages of SQLGetInfo, SQLSetConnectAttr, SQLSetStmtAttr, SQLSetEnvAttr, SQLColAttribute,
//! SQLSetDescField and SQLGetDiagField.

/// What is behind a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text whose length counts bytes.
    Text,
    /// An integer of this many bytes.
    Number(u8),
    /// An address, handle or bound pointer of this process.
    Address,
}

/// Returns the shape of an information type of SQLGetInfo.
pub fn info(kind: u16) -> Shape {
    match kind {
        // Names, versions, terms, separators, keyword lists and the "Y"/"N" answers.
        2
        | 6
        | 7
        | 10
        | 11
        | 13
        | 14
        | 16..=21
        | 25
        | 27
        | 29
        | 36..=42
        | 45
        | 47
        | 73
        | 77
        | 87
        | 89
        | 90
        | 94
        | 103
        | 111
        | 113
        | 171
        | 10000
        | 10002..=10004 => Shape::Text,
        0
        | 1
        | 9
        | 12
        | 15
        | 22..=24
        | 28
        | 30..=35
        | 46
        | 74
        | 75
        | 84
        | 85
        | 88
        | 93
        | 97..=101
        | 106
        | 107
        | 114
        | 116
        | 10005 => Shape::Number(2),
        // SQL_DRIVER_HDBC, HENV, HSTMT, HLIB, HDESC
        3..=5 | 76 | 135 => Shape::Address,
        _ => Shape::Number(4),
    }
}

/// Returns the shape of a connection attribute: SQLSetConnectAttr, SQLGetConnectAttr.
pub fn connection(attribute: i32) -> Shape {
    match attribute {
        // SQL_ATTR_TRACEFILE, TRANSLATE_LIB, CURRENT_CATALOG, and the schema attribute of IBM's drivers
        105 | 106 | 109 | 10004 => Shape::Text,
        // SQL_ATTR_QUIET_MODE, DBC_INFO_TOKEN, ENLIST_IN_DTC, ASYNC_DBC_EVENT, msodbcsql's access token
        111 | 118 | 119 | 1207 | 1256 => Shape::Address,
        // SQL_ATTR_ASYNC_ENABLE, the only SQLULEN
        4 => Shape::Number(8),
        _ => Shape::Number(4),
    }
}

/// Returns the shape of a statement attribute: SQLSetStmtAttr, SQLGetStmtAttr.
pub fn statement(attribute: i32) -> Shape {
    match attribute {
        16 | 17 | 19..=21 | 23..=26 | 29 | 10010..=10013 => Shape::Address,
        _ => Shape::Number(8),
    }
}

/// Returns whether a field of SQLColAttribute and SQLColAttributes is text; every other field is the numeric value.
pub fn column(field: u16) -> Shape {
    match field {
        // NAME (2 and 3), TYPE_NAME, TABLE_NAME, SCHEMA_NAME, CATALOG_NAME, LABEL, BASE_COLUMN_NAME, BASE_TABLE_NAME,
        // LITERAL_PREFIX, LITERAL_SUFFIX, LOCAL_TYPE_NAME
        1 | 14..=18 | 22 | 23 | 27..=29 | 1011 => Shape::Text,
        _ => Shape::Address,
    }
}

/// Returns the shape of a field of SQLSetDescField and SQLGetDescField.
pub fn descriptor(field: i16) -> Shape {
    match field {
        14..=18 | 22 | 23 | 27..=29 | 1011 => Shape::Text,
        // ARRAY_STATUS_PTR, BIND_OFFSET_PTR, ROWS_PROCESSED_PTR, OCTET_LENGTH_PTR, INDICATOR_PTR, DATA_PTR
        21 | 24 | 34 | 1004 | 1009 | 1010 => Shape::Address,
        // ARRAY_SIZE, LENGTH, OCTET_LENGTH, DISPLAY_SIZE
        20 | 1003 | 1013 | 6 => Shape::Number(8),
        // AUTO_UNIQUE_VALUE, BIND_TYPE, CASE_SENSITIVE, DATETIME_INTERVAL_PRECISION, NUM_PREC_RADIX
        11 | 25 | 12 | 26 | 32 => Shape::Number(4),
        _ => Shape::Number(2),
    }
}

/// Returns the shape of a field of SQLGetDiagField. For a field of the driver's own, the application says it by the
/// size of its buffer: SQL_IS_SMALLINT and so on (ODBC's page of the function), unless it is one of Microsoft's.
pub fn diagnostic(field: i16, size: i16) -> Shape {
    match field {
        // SQLSTATE, MESSAGE_TEXT, DYNAMIC_FUNCTION, CLASS_ORIGIN, SUBCLASS_ORIGIN, CONNECTION_NAME, SERVER_NAME
        4 | 6..=11 => Shape::Text,
        // RETURNCODE
        1 => Shape::Number(2),
        // ROW_COUNT, CURSOR_ROW_COUNT, ROW_NUMBER
        3 | -1249 | -1248 => Shape::Number(8),
        // SQL_DIAG_SS_SRVNAME, SQL_DIAG_SS_PROCNAME; SQL_DIAG_SS_LINE
        -1153 | -1152 => Shape::Text,
        -1154 => Shape::Number(2),
        _ if !is_drivers_own(field) => Shape::Number(4),
        _ => match size {
            1.. => Shape::Text,
            // SQL_IS_SMALLINT, SQL_IS_USMALLINT
            -8 | -7 => Shape::Number(2),
            _ => Shape::Number(4),
        },
    }
}

/// Returns whether a field of SQLGetDiagField is not one of ODBC's.
pub fn is_drivers_own(field: i16) -> bool {
    !matches!(field, 0..=12 | -1249..=-1247)
}
