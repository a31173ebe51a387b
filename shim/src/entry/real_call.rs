//! What a mode asks of the real driver, besides the call itself.
#![allow(unsafe_code)]

use super::ask_again::{self, ask_again};
use super::dispatch::RealCall;
use super::driver_records;
use crate::args::{Binding, Place, Reply};
use crate::call::{DriverCall, Question};
use crate::descriptor::DescriptorRole;
use crate::diagnostics::{Diagnostic, rc};
use crate::real::{Driver, Handle, Width};
use crate::table::Function;
use std::ffi::c_void;

impl DriverCall for RealCall<'_> {
    fn invoke(&self) -> Option<i16> {
        let (driver, real) = self.core.real()?;
        (self.driver_call)(driver, real)
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        driver_records::drain(self.kind, self.core)
    }

    fn column_count(&self) -> Option<u16> {
        let (driver, real) = self.core.real()?;
        let mut count = 0i16;
        // SAFETY: a live variable.
        let code = driver.ansi.SQLNumResultCols.map(|ask| until_executed(|| unsafe { ask(real, &raw mut count) }))?;
        rc::succeeded(code).then_some(count.max(0) as u16)
    }

    fn column_names(&self) -> Vec<String> {
        let Some((driver, real)) = self.core.real() else { return Vec::new() };
        (1..=self.column_count().unwrap_or_default()).map(|column| column_name(driver, real, column)).collect()
    }

    fn column_type(&self, column: u16) -> Option<i16> {
        let (driver, real) = self.core.real()?;
        let mut sql_type = 0i16;
        let none = std::ptr::null_mut::<c_void>();
        let kind = &raw mut sql_type;
        // SAFETY: SQLDescribeCol with no name buffer; the type is a live variable, the rest may be null.
        let outcome = unsafe {
            match (driver.ansi.SQLDescribeCol, driver.wide.SQLDescribeCol) {
                (Some(ask), _) => until_executed(|| {
                    ask(real, column, none.cast(), 0, none.cast(), kind, none.cast(), none.cast(), none.cast())
                }),
                (None, ask) => {
                    let ask = ask?;
                    until_executed(|| {
                        ask(real, column, none.cast(), 0, none.cast(), kind, none.cast(), none.cast(), none.cast())
                    })
                }
            }
        };
        rc::succeeded(outcome).then_some(sql_type)
    }

    fn field_address(&self, record: i16, field: i16) -> Option<Place> {
        let (driver, real) = self.core.real()?;
        let mut address = std::ptr::null_mut::<c_void>();
        let mut length = 0i32;
        let (place, length) = ((&raw mut address).cast::<c_void>(), &raw mut length);
        // SAFETY: SQLGetDescField of a field that is an address, with a live variable for it.
        let outcome = unsafe {
            match (driver.ansi.SQLGetDescField, driver.wide.SQLGetDescField) {
                (_, Some(get)) => until_executed(|| get(real, record, field, place, odbc_sys::IS_POINTER, length)),
                (get, None) => {
                    let get = get?;
                    until_executed(|| get(real, record, field, place, odbc_sys::IS_POINTER, length))
                }
            }
        };
        // SAFETY: only looked at.
        rc::succeeded(outcome).then(|| unsafe { Place::new(address) })
    }

    fn ask_again(&self, function: Function, question: &Question<'_>, text: Option<&str>) -> Option<(i16, Vec<Reply>)> {
        let (driver, real) = self.core.real()?;
        ask_again(driver, real, function, question, text)
    }

    fn number_width(&self, function: Function, question: &Question<'_>) -> Option<u8> {
        let (driver, real) = self.core.real()?;
        ask_again::number_width(driver, real, function, question)
    }

    fn bind_column(&self, column: u16, binding: &Binding) -> bool {
        use odbc_sys::Desc;
        let Some((driver, real)) = self.core.real() else { return false };
        let Binding { c_type, target, capacity, length, indicator, numeric } = *binding;
        if length == indicator && numeric.is_none() {
            let Some(bind) = driver.ansi.SQLBindCol else { return false };
            // SAFETY: the application's buffer, as it bound it; the length is its own or super8's, which lives as long.
            let bound = unsafe { bind(real, column, c_type, target.address(), capacity, length.address().cast()) };
            return rc::succeeded(bound);
        }
        // SQLBindCol would merge length and indicator, and lose precision and scale.
        let attribute = DescriptorRole::ApplicationRow.attribute();
        let mut row: Handle = std::ptr::null_mut();
        let (ask, set) = (driver.ansi.SQLGetStmtAttr.or(driver.wide.SQLGetStmtAttr), driver.ansi.SQLSetDescField);
        let (Some(ask), Some(set)) = (ask, set.or(driver.wide.SQLSetDescField)) else { return false };
        let place = (&raw mut row).cast();
        // SAFETY: a live variable for the handle.
        let asked = unsafe { ask(real, attribute, place, odbc_sys::IS_POINTER, std::ptr::null_mut()) };
        let fields = [(Desc::OctetLengthPtr, length), (Desc::IndicatorPtr, indicator)];
        let set = |(field, place): (Desc, Place)| {
            // SAFETY: a field of the driver's own descriptor that is an address; as above.
            rc::succeeded(unsafe { set(row, column as i16, field as i16, place.address(), odbc_sys::IS_POINTER) })
        };
        rc::succeeded(asked) && fields.into_iter().all(set)
    }

    fn number(&self, attribute: i32) -> Option<usize> {
        let (driver, real) = self.core.real()?;
        let ask = driver.ansi.SQLGetStmtAttr.or(driver.wide.SQLGetStmtAttr)?;
        let mut number = 0usize;
        let place = (&raw mut number).cast();
        // SAFETY: a live variable of the size of SQLULEN.
        let asked = unsafe { ask(real, attribute, place, odbc_sys::IS_UINTEGER, std::ptr::null_mut()) };
        rc::succeeded(asked).then_some(number)
    }

    fn library(&self) -> String {
        self.core.real().map(|(driver, _)| driver.library.file_name()).unwrap_or_default()
    }

    fn zeroes_null(&self, column: u16, c_type: i16, size: usize) -> Option<bool> {
        const MARK: u8 = 0xA5;
        let (driver, real) = self.core.real()?;
        let (mut buffer, mut length) = ([MARK; 64], 0isize);
        let get = driver.ansi.SQLGetData?;
        let (room, place) = (buffer.len() as isize, buffer.as_mut_ptr().cast());
        // SAFETY: a live buffer with its length, longer than any type of a fixed size, and a live variable.
        let code = until_executed(|| unsafe { get(real, column, c_type, place, room, &raw mut length) });
        (code == rc::SUCCESS && length == odbc_sys::NULL_DATA).then(|| buffer.iter().take(size).all(|byte| *byte == 0))
    }

    fn lend_row_counter(&self, set: bool) -> Option<Place> {
        const ROWS_FETCHED_PTR: i32 = odbc_sys::StatementAttribute::RowsFetchedPtr as i32;
        let (driver, real) = self.core.real()?;
        let counter = self.core.row_counter.as_ptr();
        if set {
            let set = driver.ansi.SQLSetStmtAttr.or(driver.wide.SQLSetStmtAttr)?;
            // SAFETY: the counter is in the handle's slot, which is never freed (docs/safety.md, "handles and tokens").
            let outcome =
                until_executed(|| unsafe { set(real, ROWS_FETCHED_PTR, counter.cast(), odbc_sys::IS_POINTER) });
            if !rc::succeeded(outcome) {
                return None;
            }
        }
        // SAFETY: as above.
        Some(unsafe { Place::new(counter.cast()) })
    }
}

/// Returns the name of a result column; empty if the driver does not say.
fn column_name(driver: &Driver, real: Handle, column: u16) -> String {
    let name = described::<u8>(driver, real, column).or_else(|| described::<u16>(driver, real, column));
    name.unwrap_or_default()
}

/// Returns the name that the driver's SQLDescribeCol of one width gives; `None` if the driver has no such function.
fn described<C: Width>(driver: &Driver, real: Handle, column: u16) -> Option<String> {
    let ask = C::symbols(driver).SQLDescribeCol?;
    let mut name = [C::ZERO; 512];
    let (text, room) = (name.as_mut_ptr(), name.len() as i16);
    let none = std::ptr::null_mut::<c_void>();
    // SAFETY: a live buffer and its capacity in characters; the rest may be null.
    until_executed(|| unsafe {
        ask(real, column, text, room, none.cast(), none.cast(), none.cast(), none.cast(), none.cast())
    });
    Some(C::text(&name))
}

/// Repeats a question until the driver no longer says that it is still executing, for asynchronous statements.
fn until_executed(mut ask: impl FnMut() -> i16) -> i16 {
    loop {
        match ask() {
            rc::STILL_EXECUTING => std::thread::yield_now(),
            outcome => return outcome,
        }
    }
}
