//! What recording and replaying can do with each function of the table. docs/functions.md is made from it.
//!
//! With `SUPER8_MODE=off` every function is forwarded whole, so this is about the other two modes. The match is
//! exhaustive, so that a new row of the table needs a line here. shim/tests/support.rs compares it with what `mode`
//! does.

use crate::table::Function;

/// How far a function is recorded and replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Everything that the function can do.
    Full,
    /// Everything except what the text says.
    Partly(&'static str),
}

/// For the diagnostic functions, whose records the shim keeps.
const OWN_RECORDS: &str = "records are served from the shim's own queue by ODBC's rules: a driver whose records are gone once they were read, or that words them otherwise through SQLError, is not imitated";
/// For SQLDataSources and SQLDrivers.
const MANAGERS: &str = "the driver manager answers it; what a driver answers itself is forwarded and not recorded";

/// Returns how far `function` is recorded and replayed.
pub fn support(function: Function) -> Support {
    use Function::*;
    use Support::{Full, Partly};
    match function {
        SQLAllocConnect | SQLAllocEnv | SQLAllocStmt => Full,
        SQLAllocHandle | SQLAllocHandleStd => Full,
        SQLFreeConnect | SQLFreeEnv | SQLFreeHandle | SQLFreeStmt => Full,

        SQLConnect | SQLDriverConnect | SQLBrowseConnect | SQLDisconnect => Full,
        SQLDataSources | SQLDrivers => Partly(MANAGERS),
        SQLSetEnvAttr | SQLGetEnvAttr => Full,
        SQLSetConnectAttr | SQLSetConnectOption => Partly("a value that is an address is forwarded and not recorded"),
        SQLGetConnectAttr | SQLGetConnectOption | SQLGetFunctions => Full,
        SQLEndTran | SQLTransact => Full,
        SQLCancelHandle => Full,

        SQLError | SQLGetDiagRec | SQLGetDiagField => Partly(OWN_RECORDS),

        SQLGetInfo => Partly("the handles of a driver (`SQL_DRIVER_HDBC` and the like) are not written at replay"),
        SQLNativeSql => Full,

        SQLExecDirect | SQLExecute => Full,
        SQLPrepare | SQLMoreResults | SQLParamData | SQLPutData | SQLCloseCursor | SQLCancel => Full,

        SQLGetTypeInfo | SQLTables | SQLColumns | SQLColumnPrivileges | SQLTablePrivileges | SQLSpecialColumns
        | SQLStatistics | SQLPrimaryKeys | SQLForeignKeys | SQLProcedures | SQLProcedureColumns => Full,

        SQLFetch | SQLFetchScroll | SQLExtendedFetch | SQLGetData => Full,
        SQLSetPos | SQLBulkOperations => Full,

        SQLNumResultCols | SQLDescribeCol | SQLColAttribute | SQLColAttributes | SQLRowCount | SQLNumParams
        | SQLDescribeParam | SQLGetCursorName => Full,

        SQLBindCol => Full,
        SQLBindParameter | SQLBindParam | SQLSetParam | SQLParamOptions | SQLSetCursorName | SQLSetScrollOptions => {
            Full
        }
        SQLSetStmtAttr | SQLSetStmtOption => Full,
        SQLGetStmtAttr | SQLGetStmtOption => Full,

        SQLSetDescField | SQLSetDescRec | SQLGetDescField | SQLGetDescRec | SQLCopyDesc => Full,
    }
}
