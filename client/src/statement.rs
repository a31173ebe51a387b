//! A statement. It executes a text or a catalog function, describes the result, and reads rows cell by cell.
#![allow(unsafe_code)]

use crate::manager::{Handle, Manager, STMT, Units};
use crate::parameter::Bound;
use crate::{Failure, Parameter};
use super8_cassette::Row;
use super8_shim::convert::{self, CType, Length, Pieces};

/// The bytes of one piece of a long value.
const PIECE: usize = 64 * 1024;
const NO_DATA: i16 = odbc_sys::SqlReturn::NO_DATA.0;
const INPUT: i16 = odbc_sys::ParamType::Input as i16;

/// A statement. Dropping it frees the handle.
pub struct Statement<'c> {
    manager: &'c Manager,
    handle: Handle,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    /// The bound parameters, which the driver reads during an execution.
    bound: Vec<Bound>,
    /// Whether SQL_ATTR_PARAMSET_SIZE was set.
    arrays: bool,
}

/// What SQLDescribeCol says of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: String,
    /// `type`, `length`, `scale`, `nullable`, as a columns file has them.
    pub attributes: [(&'static str, i64); 4],
}

/// An argument of a catalog function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A text; `None` for a null pointer.
    Text(Option<String>),
    /// A number.
    Number(i64),
}

impl<'c> Statement<'c> {
    pub(crate) fn new(manager: &'c Manager, handle: Handle) -> Self {
        Statement { manager, handle, buffer: vec![0; PIECE], scratch: Vec::new(), bound: Vec::new(), arrays: false }
    }

    fn check(&self, code: i16, what: &str) -> Result<(), Failure> {
        self.manager.check(code, STMT, self.handle, what)
    }

    /// Sets an attribute that is a number.
    ///
    /// # Errors
    /// The driver refuses.
    pub fn set_attribute(&self, attribute: i32, value: usize) -> Result<(), Failure> {
        // SAFETY: a live handle; the number travels in the pointer argument.
        let code = unsafe { (self.manager.functions.SQLSetStmtAttr)(self.handle, attribute, value as Handle, 0) };
        self.check(code, "SQLSetStmtAttr")
    }

    /// Executes a text with these sets of parameters, bound by column: with SQLExecDirect, or with SQLPrepare and
    /// SQLExecute. No sets mean one execution without parameters. SQL_NO_DATA counts as success: there was nothing to
    /// change.
    ///
    /// # Errors
    /// The driver's error, or the sets are not alike.
    pub fn execute(&mut self, sql: &str, sets: &[Vec<Parameter>], prepare: bool) -> Result<(), Failure> {
        const RESET_PARAMS: u16 = odbc_sys::FreeStmtOption::ResetParams as u16;
        const PARAMSET_SIZE: i32 = odbc_sys::StatementAttribute::ParamsetSize as i32;
        // SAFETY: a live handle. After this call the driver does not read the old bound buffers.
        let code = unsafe { (self.manager.functions.SQLFreeStmt)(self.handle, RESET_PARAMS) };
        self.check(code, "SQLFreeStmt")?;
        let text = self.manager.text(sql);
        let length = i32::try_from(text.length()).map_err(|_| Failure::new("the text is too long"))?;
        if prepare {
            // SAFETY: a live handle and text.
            let code = unsafe { (self.manager.functions.SQLPrepare)(self.handle, text.pointer(), length) };
            self.check(code, "SQLPrepare")?;
        }
        if sets.len() > 1 || self.arrays {
            self.set_attribute(PARAMSET_SIZE, sets.len().max(1))?;
            self.arrays = sets.len() > 1;
        }
        self.bound = Bound::columns(sets).map_err(Failure::new)?;
        for (number, bound) in (1u16..).zip(&self.bound) {
            // SAFETY: the buffers of all sets and their lengths stay in `bound`, which does not change before the next
            // execution.
            let code = unsafe {
                (self.manager.functions.SQLBindParameter)(
                    self.handle,
                    number,
                    INPUT,
                    bound.c_type,
                    bound.sql_type,
                    bound.size,
                    bound.digits,
                    bound.bytes.as_ptr().cast(),
                    bound.stride as isize,
                    bound.lengths.as_ptr(),
                )
            };
            self.check(code, "SQLBindParameter")?;
        }
        let (function, code) = match prepare {
            // SAFETY: a live handle.
            true => ("SQLExecute", unsafe { (self.manager.functions.SQLExecute)(self.handle) }),
            // SAFETY: a live handle and text.
            false => ("SQLExecDirect", unsafe {
                (self.manager.functions.SQLExecDirect)(self.handle, text.pointer(), length)
            }),
        };
        if code == NO_DATA { Ok(()) } else { self.check(code, function) }
    }

    /// Calls a catalog function by its name.
    ///
    /// # Errors
    /// The driver's error, or there is no such function with these arguments.
    pub fn catalog(&mut self, function: &str, arguments: &[Argument]) -> Result<(), Failure> {
        let texts: Vec<Option<Units>> = arguments
            .iter()
            .filter_map(|argument| match argument {
                Argument::Text(text) => Some(text.as_ref().map(|text| self.manager.text(text))),
                Argument::Number(_) => None,
            })
            .collect();
        let numbers: Vec<u16> = arguments
            .iter()
            .filter_map(|argument| match argument {
                Argument::Number(number) => Some(*number as u16),
                Argument::Text(_) => None,
            })
            .collect();
        let text = |index: usize| {
            texts[index].as_ref().map_or((std::ptr::null(), 0), |text: &Units| (text.pointer(), text.length() as i16))
        };
        let all = &self.manager.functions;
        let on = self.handle;
        // SAFETY: a live handle and texts that live until the call returns.
        let code = unsafe {
            match (function, texts.len(), &numbers[..]) {
                ("SQLTables" | "SQLColumns" | "SQLProcedureColumns" | "SQLColumnPrivileges", 4, []) => {
                    let call = match function {
                        "SQLTables" => all.SQLTables,
                        "SQLColumns" => all.SQLColumns,
                        "SQLProcedureColumns" => all.SQLProcedureColumns,
                        _ => all.SQLColumnPrivileges,
                    };
                    let [a, b, c, d] = [0, 1, 2, 3].map(text);
                    call(on, a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1)
                }
                ("SQLPrimaryKeys" | "SQLProcedures" | "SQLTablePrivileges", 3, []) => {
                    let call = match function {
                        "SQLPrimaryKeys" => all.SQLPrimaryKeys,
                        "SQLProcedures" => all.SQLProcedures,
                        _ => all.SQLTablePrivileges,
                    };
                    let [a, b, c] = [0, 1, 2].map(text);
                    call(on, a.0, a.1, b.0, b.1, c.0, c.1)
                }
                ("SQLForeignKeys", 6, []) => {
                    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(text);
                    (all.SQLForeignKeys)(on, a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1, e.0, e.1, f.0, f.1)
                }
                ("SQLStatistics", 3, [unique, accuracy]) => {
                    let [a, b, c] = [0, 1, 2].map(text);
                    (all.SQLStatistics)(on, a.0, a.1, b.0, b.1, c.0, c.1, *unique, *accuracy)
                }
                ("SQLSpecialColumns", 3, [kind, scope, nullable]) => {
                    let [a, b, c] = [0, 1, 2].map(text);
                    (all.SQLSpecialColumns)(on, *kind, a.0, a.1, b.0, b.1, c.0, c.1, *scope, *nullable)
                }
                ("SQLGetTypeInfo", 0, [kind]) => (all.SQLGetTypeInfo)(on, *kind as i16),
                _ => {
                    return Err(Failure::new(format_args!(
                        "{function} with these arguments is not a catalog function"
                    )));
                }
            }
        };
        self.check(code, function)
    }

    /// Returns the columns of the result; empty if there is no result.
    ///
    /// # Errors
    /// The driver's error.
    pub fn columns(&self) -> Result<Vec<Column>, Failure> {
        let mut count = 0;
        // SAFETY: a live handle and out-pointer.
        let code = unsafe { (self.manager.functions.SQLNumResultCols)(self.handle, &mut count) };
        self.check(code, "SQLNumResultCols")?;
        (1..=count.unsigned_abs()).map(|column| self.column(column)).collect()
    }

    fn column(&self, column: u16) -> Result<Column, Failure> {
        const ROOM: usize = 511;
        let mut name = self.manager.room(ROOM);
        let (mut named, mut kind, mut length, mut scale, mut nullable) = (0, 0, 0, 0, 0);
        // SAFETY: a live handle, a buffer with its capacity in characters, live out-pointers.
        let code = unsafe {
            (self.manager.functions.SQLDescribeCol)(
                self.handle,
                column,
                name.as_mut_ptr().cast(),
                ROOM as i16,
                &mut named,
                &mut kind,
                &mut length,
                &mut scale,
                &mut nullable,
            )
        };
        self.check(code, "SQLDescribeCol")?;
        let attributes = [
            ("type", i64::from(kind)),
            ("length", length as i64),
            ("scale", i64::from(scale)),
            ("nullable", i64::from(nullable)),
        ];
        Ok(Column { name: self.manager.read(&name), attributes })
    }

    /// Fetches the next row. Returns false at the end.
    ///
    /// # Errors
    /// The driver's error.
    pub fn fetch(&mut self) -> Result<bool, Failure> {
        // SAFETY: a live handle.
        match unsafe { (self.manager.functions.SQLFetch)(self.handle) } {
            NO_DATA => Ok(false),
            code => self.check(code, "SQLFetch").map(|()| true),
        }
    }

    /// Reads a column (from 1) of the current row to its end, in the form of a recording, into the cell of `row` with
    /// the index `column - 1`.
    ///
    /// # Errors
    /// The driver's error.
    pub fn cell(&mut self, column: u16, c_type: CType, row: &mut Row) -> Result<(), Failure> {
        let index = usize::from(column).saturating_sub(1);
        let mut pieces = Pieces::new();
        loop {
            let (place, capacity) = (self.buffer.as_mut_ptr(), PIECE as isize);
            let mut length = 0isize;
            // SAFETY: a buffer with its capacity, which no fixed type exceeds, and a live out-pointer.
            let code = unsafe {
                (self.manager.functions.SQLGetData)(
                    self.handle,
                    column,
                    c_type.code(),
                    place.cast(),
                    capacity,
                    &mut length,
                )
            };
            if code == NO_DATA {
                break;
            }
            self.check(code, "SQLGetData")?;
            let length = Length::of(Some(length), code == 1);
            if c_type.is_variable() {
                // SAFETY: the driver filled the buffer of this capacity.
                unsafe { pieces.push(c_type, place, capacity, length) };
                if code == 0 {
                    break;
                }
            } else {
                // SAFETY: as above.
                unsafe { convert::read(c_type, place, capacity, length, row, index, &mut self.scratch) };
                return Ok(());
            }
        }
        pieces.finish(row, index, &mut self.scratch);
        Ok(())
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: a handle this value owns.
        unsafe { (self.manager.functions.SQLFreeHandle)(STMT, self.handle) };
    }
}
