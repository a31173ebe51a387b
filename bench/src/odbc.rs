//! The driver manager's C functions behind owned handles. Each call is checked, and an error has the diagnostics.
#![allow(unsafe_code)]

use std::{cell::RefCell, marker::PhantomData, ptr::null_mut, rc::Rc};

use odbc_sys::*;

use crate::area::RowSet;

type Result<T> = std::result::Result<T, String>;

/// An ODBC 3 environment.
pub struct Environment(HEnv);

/// An open connection. Dropping it closes and frees it.
pub struct Connection<'e> {
    handle: HDbc,
    environment: PhantomData<&'e Environment>,
}

/// A statement. Dropping it frees it. It keeps the memory that is bound to it alive.
pub struct Statement<'c> {
    handle: HStmt,
    bound: RefCell<Vec<Rc<RowSet>>>,
    connection: PhantomData<&'c HDbc>,
}

// SAFETY: ODBC 3 requires drivers and driver managers to accept calls from any thread; a connection is moved whole.
unsafe impl Send for Connection<'_> {}
// SAFETY: the environment is only used to allocate connections, which a driver manager serializes itself.
unsafe impl Sync for Environment {}

fn allocate(kind: HandleType, parent: Handle, what: &str) -> Result<Handle> {
    let mut handle = Handle::null();
    // SAFETY: the parent is a live handle (or none, for an environment) and `handle` is writable.
    let code = unsafe { SQLAllocHandle(kind, parent, &mut handle) };
    if code == SqlReturn::SUCCESS { Ok(handle) } else { Err(format!("SQLAllocHandle for {what} returned {}", code.0)) }
}

fn diagnostics(kind: HandleType, handle: Handle) -> String {
    let mut text = String::new();
    for record in 1..=4 {
        let (mut state, mut message) = ([0u8; 6], [0u8; 600]);
        let (mut native, mut length) = (0, 0);
        // SAFETY: every out-pointer is to a live local of the size given.
        let code = unsafe {
            SQLGetDiagRec(kind, handle, record, state.as_mut_ptr(), &mut native, message.as_mut_ptr(), 600, &mut length)
        };
        if code != SqlReturn::SUCCESS && code != SqlReturn::SUCCESS_WITH_INFO {
            break;
        }
        let end = message.iter().position(|byte| *byte == 0).unwrap_or(message.len());
        text.push_str(&format!(
            " [{} {native}] {}",
            String::from_utf8_lossy(&state[..5]),
            String::from_utf8_lossy(&message[..end])
        ));
    }
    text
}

fn check(code: SqlReturn, what: &str, kind: HandleType, handle: Handle) -> Result<()> {
    if code == SqlReturn::SUCCESS || code == SqlReturn::SUCCESS_WITH_INFO {
        return Ok(());
    }
    Err(format!("{what} returned {}:{}", code.0, diagnostics(kind, handle)))
}

impl Environment {
    /// Allocates the environment and asks for ODBC 3.
    pub fn new() -> Result<Self> {
        let environment = Environment(allocate(HandleType::Env, Handle::null(), "an environment")?.as_henv());
        let version = AttrOdbcVersion::Odbc3 as i32 as usize as Pointer;
        // SAFETY: the handle is live; the attribute takes an integer in place of a pointer.
        let code = unsafe { SQLSetEnvAttr(environment.0, EnvironmentAttribute::OdbcVersion, version, 0) };
        check(code, "SQLSetEnvAttr", HandleType::Env, environment.0.as_handle())?;
        Ok(environment)
    }

    /// Connects with SQLDriverConnect and this connection string, without a prompt.
    pub fn connect(&self, connection_string: &str) -> Result<Connection<'_>> {
        let handle = allocate(HandleType::Dbc, self.0.as_handle(), "a connection")?.as_hdbc();
        let length =
            i16::try_from(connection_string.len()).map_err(|_| "the connection string is too long".to_owned())?;
        // SAFETY: the text is valid for its length; no out string is asked for.
        let code = unsafe {
            SQLDriverConnect(
                handle,
                null_mut(),
                connection_string.as_ptr(),
                length,
                null_mut(),
                0,
                null_mut(),
                DriverConnectOption::NoPrompt,
            )
        };
        let outcome = check(code, "SQLDriverConnect", HandleType::Dbc, handle.as_handle());
        if let Err(error) = outcome {
            // SAFETY: the handle was allocated above and is not connected.
            let _ = unsafe { SQLFreeHandle(HandleType::Dbc, handle.as_handle()) };
            return Err(error);
        }
        Ok(Connection { handle, environment: PhantomData })
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // SAFETY: connections borrow the environment, so none is left.
        let _ = unsafe { SQLFreeHandle(HandleType::Env, self.0.as_handle()) };
    }
}

impl Connection<'_> {
    /// Allocates a statement.
    pub fn statement(&self) -> Result<Statement<'_>> {
        let handle = allocate(HandleType::Stmt, self.handle.as_handle(), "a statement")?.as_hstmt();
        Ok(Statement { handle, bound: RefCell::default(), connection: PhantomData })
    }

    /// Switches autocommit off: a transaction begins with the next statement.
    pub fn begin(&self) -> Result<()> {
        // SAFETY: the attribute takes an integer (SQL_AUTOCOMMIT_OFF, 0) in place of a pointer.
        let code = unsafe { SQLSetConnectAttr(self.handle, ConnectionAttribute::AUTOCOMMIT, null_mut(), IS_UINTEGER) };
        check(code, "SQLSetConnectAttr", HandleType::Dbc, self.handle.as_handle())
    }

    /// Commits the transaction.
    pub fn commit(&self) -> Result<()> {
        // SAFETY: the handle is a live connection.
        let code = unsafe { SQLEndTran(HandleType::Dbc, self.handle.as_handle(), CompletionType::Commit) };
        check(code, "SQLEndTran", HandleType::Dbc, self.handle.as_handle())
    }

    /// Disconnects, and reports a failure, which dropping the connection would not.
    pub fn close(self) -> Result<()> {
        // SAFETY: the handle is live; statements borrow the connection, so none is left.
        let code = unsafe { SQLDisconnect(self.handle) };
        check(code, "SQLDisconnect", HandleType::Dbc, self.handle.as_handle())
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is live; a second SQLDisconnect is refused by the driver manager without harm.
        unsafe {
            let _ = SQLDisconnect(self.handle);
            let _ = SQLFreeHandle(HandleType::Dbc, self.handle.as_handle());
        }
    }
}

impl Statement<'_> {
    fn check(&self, code: SqlReturn, what: &str) -> Result<()> {
        check(code, what, HandleType::Stmt, self.handle.as_handle())
    }

    /// Calls SQLExecDirect.
    pub fn execute_direct(&self, sql: &str) -> Result<()> {
        // SAFETY: the text is valid for its length.
        let code = unsafe { SQLExecDirect(self.handle, sql.as_ptr(), sql.len() as i32) };
        if code == SqlReturn::NO_DATA { Ok(()) } else { self.check(code, "SQLExecDirect") }
    }

    /// Calls SQLPrepare.
    pub fn prepare(&self, sql: &str) -> Result<()> {
        // SAFETY: the text is valid for its length.
        self.check(unsafe { SQLPrepare(self.handle, sql.as_ptr(), sql.len() as i32) }, "SQLPrepare")
    }

    /// Calls SQLExecute.
    pub fn execute(&self) -> Result<()> {
        // SAFETY: bound parameters point into a RowSet kept in `bound`.
        self.check(unsafe { SQLExecute(self.handle) }, "SQLExecute")
    }

    /// Calls SQLFetch. Returns false at the end of the data. A warning (a cut value) is an error here, because buffers
    /// are large enough.
    pub fn fetch(&self) -> Result<bool> {
        // SAFETY: bound columns point into a RowSet kept in `bound`.
        let code = unsafe { SQLFetch(self.handle) };
        match code {
            SqlReturn::SUCCESS => Ok(true),
            SqlReturn::NO_DATA => Ok(false),
            SqlReturn::SUCCESS_WITH_INFO => {
                Err(format!("SQLFetch warned:{}", diagnostics(HandleType::Stmt, self.handle.as_handle())))
            }
            _ => self.check(code, "SQLFetch").map(|()| false),
        }
    }

    /// Calls SQLGetData for one column (0-based) into the first row of `rows`. A cut value is an error.
    pub fn get_data(&self, rows: &RowSet, column: usize) -> Result<()> {
        match self.get_data_again(rows, column) {
            SqlReturn::SUCCESS => Ok(()),
            SqlReturn::SUCCESS_WITH_INFO => Err(format!(
                "SQLGetData of column {} warned:{}",
                column + 1,
                diagnostics(HandleType::Stmt, self.handle.as_handle())
            )),
            code => self.check(code, "SQLGetData"),
        }
    }

    /// Calls SQLGetData and returns its return code, which is `SQL_NO_DATA` if the value was read before.
    pub fn get_data_again(&self, rows: &RowSet, column: usize) -> SqlReturn {
        let spec = rows.spec(column);
        // SAFETY: value and indicator lie in `rows`, which outlives the call; the width is the buffer's.
        unsafe {
            SQLGetData(
                self.handle,
                column as u16 + 1,
                spec.c_type,
                rows.data(column),
                spec.width as Len,
                rows.indicator(column),
            )
        }
    }

    /// Calls SQLNumResultCols.
    pub fn columns(&self) -> Result<i16> {
        let mut count = 0;
        // SAFETY: `count` is writable.
        self.check(unsafe { SQLNumResultCols(self.handle, &mut count) }, "SQLNumResultCols")?;
        Ok(count)
    }

    /// Calls SQLFreeStmt with SQL_CLOSE.
    pub fn close(&self) -> Result<()> {
        // SAFETY: the handle is live.
        self.check(unsafe { SQLFreeStmt(self.handle, FreeStmtOption::Close) }, "SQLFreeStmt")
    }

    /// Binds all columns of `rows` and, for more than one row, announces the row set's size, layout and counters.
    pub fn bind_columns(&self, rows: &Rc<RowSet>) -> Result<()> {
        self.bound.borrow_mut().push(Rc::clone(rows));
        if rows.rows() > 1 {
            self.set(StatementAttribute::RowBindType, rows.row_size().unwrap_or(0) as Pointer)?;
            self.set(StatementAttribute::RowArraySize, rows.rows() as Pointer)?;
            self.set(StatementAttribute::RowsFetchedPtr, rows.counter().cast())?;
            self.set(StatementAttribute::RowStatusPtr, rows.statuses().cast())?;
        }
        for column in 0..rows.columns() {
            let spec = rows.spec(column);
            // SAFETY: buffers lie in `rows`, which `bound` keeps until the handle is freed.
            let code = unsafe {
                SQLBindCol(
                    self.handle,
                    column as u16 + 1,
                    spec.c_type,
                    rows.data(column),
                    spec.width as Len,
                    rows.indicator(column),
                )
            };
            self.check(code, "SQLBindCol")?;
        }
        Ok(())
    }

    /// Binds the columns of `rows` as input parameters of these SQL types and sizes, as an array for more than one row.
    pub fn bind_parameters(&self, rows: &Rc<RowSet>, types: &[(SqlDataType, usize)]) -> Result<()> {
        self.bound.borrow_mut().push(Rc::clone(rows));
        if rows.rows() > 1 {
            self.set(StatementAttribute::ParamBindType, rows.row_size().unwrap_or(0) as Pointer)?;
            self.set(StatementAttribute::ParamsetSize, rows.rows() as Pointer)?;
            self.set(StatementAttribute::ParamsProcessedPtr, rows.counter().cast())?;
            self.set(StatementAttribute::ParamStatusPtr, rows.statuses().cast())?;
        }
        for (column, (sql_type, size)) in types.iter().enumerate() {
            let spec = rows.spec(column);
            // SAFETY: as for SQLBindCol.
            let code = unsafe {
                SQLBindParameter(
                    self.handle,
                    column as u16 + 1,
                    ParamType::Input,
                    spec.c_type,
                    *sql_type,
                    *size,
                    0,
                    rows.data(column),
                    spec.width as Len,
                    rows.indicator(column),
                )
            };
            self.check(code, "SQLBindParameter")?;
        }
        Ok(())
    }

    fn set(&self, attribute: StatementAttribute, value: Pointer) -> Result<()> {
        // SAFETY: integer attributes take the number in place of a pointer; pointer ones point into a live RowSet.
        let code = unsafe { SQLSetStmtAttr(self.handle, attribute, value, 0) };
        self.check(code, "SQLSetStmtAttr")
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is live and used by nobody else.
        let _ = unsafe { SQLFreeHandle(HandleType::Stmt, self.handle.as_handle()) };
    }
}
