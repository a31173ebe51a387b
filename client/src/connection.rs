//! A connection, opened with a connection string. Dropping it rolls back and closes it.
#![allow(unsafe_code)]

use crate::manager::{DBC, ENV, Handle, Manager, STMT};
use crate::{Failure, Statement};

const ODBC_VERSION: i32 = odbc_sys::EnvironmentAttribute::OdbcVersion as i32;
const AUTOCOMMIT: i32 = odbc_sys::ConnectionAttribute::AUTOCOMMIT.0;
const CURRENT_CATALOG: i32 = odbc_sys::ConnectionAttribute::CURRENT_CATALOG.0;
const COMMIT: i16 = odbc_sys::CompletionType::Commit as i16;
const ROLLBACK: i16 = odbc_sys::CompletionType::Rollback as i16;

/// An open connection, with its own environment.
pub struct Connection<'m> {
    manager: &'m Manager,
    environment: Handle,
    handle: Handle,
    open: bool,
}

impl<'m> Connection<'m> {
    /// Connects with SQLDriverConnect and this string, without a prompt, as a program of this version of ODBC (2, 3 or 380).
    ///
    /// # Errors
    /// The driver manager's or the driver's error.
    pub fn open(manager: &'m Manager, string: &str, version: i32) -> Result<Connection<'m>, Failure> {
        let functions = &manager.functions;
        let null = std::ptr::null_mut();
        let mut connection = Connection { manager, environment: null, handle: null, open: false };
        // SAFETY: out-pointers to live handles; the version travels in the pointer argument.
        unsafe {
            let code = (functions.SQLAllocHandle)(ENV, null, &mut connection.environment);
            manager.check(code, ENV, connection.environment, "SQLAllocHandle")?;
            let code = (functions.SQLSetEnvAttr)(connection.environment, ODBC_VERSION, version as Handle, 0);
            manager.check(code, ENV, connection.environment, "SQLSetEnvAttr")?;
            let code = (functions.SQLAllocHandle)(DBC, connection.environment, &mut connection.handle);
            manager.check(code, ENV, connection.environment, "SQLAllocHandle")?;
        }
        let text = manager.text(string);
        let length = i16::try_from(text.length()).map_err(|_| Failure::new("the connection string is too long"))?;
        let mut completed = 0;
        // SAFETY: a live handle and text; no buffer for the completed string.
        let code = unsafe {
            (functions.SQLDriverConnect)(connection.handle, null, text.pointer(), length, null, 0, &mut completed, 0)
        };
        manager.check(code, DBC, connection.handle, "SQLDriverConnect")?;
        connection.open = true;
        Ok(connection)
    }

    /// Switches autocommit on or off.
    ///
    /// # Errors
    /// The driver refuses.
    pub fn set_autocommit(&self, on: bool) -> Result<(), Failure> {
        let value = usize::from(on) as Handle;
        // SAFETY: a live handle; the number travels in the pointer argument.
        let code = unsafe { (self.manager.functions.SQLSetConnectAttr)(self.handle, AUTOCOMMIT, value, 0) };
        self.manager.check(code, DBC, self.handle, "SQLSetConnectAttr")
    }

    /// Sets SQL_ATTR_CURRENT_CATALOG.
    ///
    /// # Errors
    /// The driver refuses.
    pub fn set_catalog(&self, catalog: &str) -> Result<(), Failure> {
        let text = self.manager.text(catalog);
        const TERMINATED: i32 = odbc_sys::NTS as i32;
        // SAFETY: a live handle and a terminated text.
        let code = unsafe {
            (self.manager.functions.SQLSetConnectAttr)(self.handle, CURRENT_CATALOG, text.pointer(), TERMINATED)
        };
        self.manager.check(code, DBC, self.handle, "SQLSetConnectAttr")
    }

    /// Commits or rolls back the transaction.
    ///
    /// # Errors
    /// The driver's error.
    pub fn end(&self, commit: bool) -> Result<(), Failure> {
        // SAFETY: a live handle.
        let code =
            unsafe { (self.manager.functions.SQLEndTran)(DBC, self.handle, if commit { COMMIT } else { ROLLBACK }) };
        self.manager.check(code, DBC, self.handle, "SQLEndTran")
    }

    /// Allocates a statement.
    ///
    /// # Errors
    /// The driver cannot allocate one.
    pub fn statement(&self) -> Result<Statement<'_>, Failure> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: a live connection and out-pointer.
        let code = unsafe { (self.manager.functions.SQLAllocHandle)(STMT, self.handle, &mut handle) };
        self.manager.check(code, DBC, self.handle, "SQLAllocHandle")?;
        Ok(Statement::new(self.manager, handle))
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        let functions = &self.manager.functions;
        // SAFETY: handles this value allocated, innermost first; its statements borrow it and are gone.
        unsafe {
            if self.open {
                (functions.SQLEndTran)(DBC, self.handle, ROLLBACK);
                (functions.SQLDisconnect)(self.handle);
            }
            if !self.handle.is_null() {
                (functions.SQLFreeHandle)(DBC, self.handle);
            }
            if !self.environment.is_null() {
                (functions.SQLFreeHandle)(ENV, self.environment);
            }
        }
    }
}
