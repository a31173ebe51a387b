//! The way in: guard against panics, find the handle, and go straight to the driver or through a mode.
#![allow(unsafe_code)]

use super::Handle;
use super::ask_again::{self, ask_again};
use super::mode_cache;
use crate::args::{Binding, Place, Reply};
use crate::call::{Call, DriverCall, Question};
use crate::descriptor::DescriptorRole;
use crate::diagnostics::{Diagnostic, Diagnostics, Outcome, answered, missing, rc};
use crate::handles::{CONNECTIONS, DESCRIPTORS, DescriptorOwner, HandleCore, STATEMENTS, Token};
use crate::real::{Driver, Width};
use crate::table::Function;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// SQL_HANDLE_ENV, DBC, STMT, DESC.
pub const ENV: i16 = odbc_sys::HandleType::Env as i16;
pub const DBC: i16 = odbc_sys::HandleType::Dbc as i16;
pub const STMT: i16 = odbc_sys::HandleType::Stmt as i16;
pub const DESC: i16 = odbc_sys::HandleType::Desc as i16;

/// Runs `body`; a panic becomes SQL_ERROR with HY000 on the handle, never an unwinding into C.
#[inline]
pub fn guard(diagnostics: &Diagnostics, body: impl FnOnce() -> i16) -> i16 {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| panicked(diagnostics))
}

#[cold]
fn panicked(diagnostics: &Diagnostics) -> i16 {
    diagnostics.post(Outcome::error("HY000", "internal error: please report it with the lines super8 wrote to stderr"))
}

/// A call on a statement.
#[inline]
pub fn stmt<'a>(
    function: Function,
    handle: Handle,
    call: impl FnOnce() -> Call<'a>,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16>,
) -> i16 {
    let Some(statement) = STATEMENTS.get(Token::from_handle(handle)) else { return rc::INVALID_HANDLE };
    through(function, STMT, &statement.core, driver_call, |real| {
        mode_cache::with(Token::from_handle(handle), statement, |mode| {
            let call = ManuallyDrop::new(call());
            if let Call::GetData { column, binding } = &*call {
                // called for every cell, and nothing of it is to be dropped
                return mode.get_data(*column, binding, real);
            }
            mode.serve(function, &ManuallyDrop::into_inner(call), real)
        })
    })
}

/// A call on a connection.
#[inline]
pub fn dbc<'a>(
    function: Function,
    handle: Handle,
    call: impl FnOnce() -> Call<'a>,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16>,
) -> i16 {
    let Some(connection) = CONNECTIONS.get(Token::from_handle(handle)) else { return rc::INVALID_HANDLE };
    through(function, DBC, &connection.core, driver_call, |real| {
        let mode = connection.mode.lock().clone()?;
        Some(mode.serve(function, &call(), real))
    })
}

/// A call on a descriptor, the statement's own or one the application allocated.
#[inline]
pub fn desc<'a>(
    function: Function,
    handle: Handle,
    call: impl FnOnce() -> Call<'a>,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16>,
) -> i16 {
    let Some(descriptor) = DESCRIPTORS.get(Token::from_handle(handle)) else { return rc::INVALID_HANDLE };
    through(function, DESC, &descriptor.core, driver_call, |real| {
        let owner = *descriptor.owner.lock();
        match owner? {
            DescriptorOwner::Statement(statement, role) => {
                let mode = STATEMENTS.get(statement)?.mode.lock().clone()?;
                Some(mode.serve_descriptor(role, function, &call(), real))
            }
            DescriptorOwner::Connection(_) => {
                let mode = descriptor.mode.lock().clone()?;
                Some(mode.serve(function, &call(), real))
            }
        }
    })
}

/// Straight to the driver, or, under the guard, through the mode of the handle, whose outcome is posted.
#[inline]
fn through(
    function: Function,
    kind: i16,
    core: &HandleCore,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16>,
    serve: impl FnOnce(&RealCall<'_>) -> Option<Outcome>,
) -> i16 {
    if !core.intercepted() {
        return forward(core, driver_call);
    }
    guard(&core.diagnostics, || match serve(&RealCall { kind, core, driver_call: &driver_call }) {
        Some(Outcome { rc: rc::SUCCESS, .. }) if function.cancels() => rc::SUCCESS,
        Some(outcome) => core.diagnostics.post(outcome),
        None => rc::INVALID_HANDLE,
    })
}

/// Mode off: the driver call, and nothing else that could panic.
#[inline]
pub fn forward(core: &HandleCore, driver_call: impl Fn(&'static Driver, Handle) -> Option<i16>) -> i16 {
    if core.diagnostics.posted() {
        core.diagnostics.clear();
    }
    let Some((driver, real)) = core.real() else { return without_handle(core) };
    answered(driver_call(driver, real)).unwrap_or_else(|outcome| core.diagnostics.post(outcome))
}

#[cold]
fn without_handle(core: &HandleCore) -> i16 {
    core.diagnostics.post(match core.has_driver() {
        // A descriptor that the driver says it has, and gives no handle for.
        true => missing(),
        false => Outcome::error("08003", "the connection is not open"),
    })
}

/// The name of a result column; empty where the driver does not say.
fn column_name(driver: &Driver, real: Handle, column: u16) -> String {
    let name = described::<u8>(driver, real, column).or_else(|| described::<u16>(driver, real, column));
    name.unwrap_or_default()
}

/// The name as the driver's SQLDescribeCol of one width says it; none if it has no such function.
fn described<C: Width>(driver: &Driver, real: Handle, column: u16) -> Option<String> {
    let ask = C::symbols(driver).SQLDescribeCol?;
    let mut name = [C::ZERO; 512];
    let (text, room) = (name.as_mut_ptr(), name.len() as i16);
    let none = std::ptr::null_mut::<c_void>();
    // SAFETY: a live buffer and its capacity in characters; the rest may be null.
    settled(|| unsafe {
        ask(real, column, text, room, none.cast(), none.cast(), none.cast(), none.cast(), none.cast())
    });
    Some(C::text(&name))
}

/// Asks the driver until it says something else than that it is still executing, where statements are asynchronous.
fn settled(mut ask: impl FnMut() -> i16) -> i16 {
    loop {
        match ask() {
            rc::STILL_EXECUTING => std::thread::yield_now(),
            outcome => return outcome,
        }
    }
}

/// The real side of a call, whichever handle it is on.
type RealFunction<'a> = &'a dyn Fn(&'static Driver, Handle) -> Option<i16>;

/// The real driver's side of one call.
pub struct RealCall<'a> {
    /// `SQL_HANDLE_...`
    pub kind: i16,
    /// The handle.
    pub core: &'a HandleCore,
    /// The function with the application's arguments.
    pub driver_call: RealFunction<'a>,
}

impl DriverCall for RealCall<'_> {
    fn invoke(&self) -> Option<i16> {
        let (driver, real) = self.core.real()?;
        (self.driver_call)(driver, real)
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        super::special::drain(self.kind, self.core)
    }

    fn column_count(&self) -> Option<u16> {
        let (driver, real) = self.core.real()?;
        let mut count = 0i16;
        // SAFETY: a live variable.
        let code = driver.ansi.SQLNumResultCols.map(|ask| settled(|| unsafe { ask(real, &raw mut count) }))?;
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
                (Some(ask), _) => settled(|| {
                    ask(real, column, none.cast(), 0, none.cast(), kind, none.cast(), none.cast(), none.cast())
                }),
                (None, ask) => {
                    let ask = ask?;
                    settled(|| {
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
                (_, Some(get)) => settled(|| get(real, record, field, place, odbc_sys::IS_POINTER, length)),
                (get, None) => {
                    let get = get?;
                    settled(|| get(real, record, field, place, odbc_sys::IS_POINTER, length))
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
        // SQLBindCol would make one of length and indicator, and forget precision and scale.
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

    fn zeroes_null(&self, column: u16, c_type: i16, size: usize) -> Option<bool> {
        const MARK: u8 = 0xA5;
        let (driver, real) = self.core.real()?;
        let (mut buffer, mut length) = ([MARK; 64], 0isize);
        let get = driver.ansi.SQLGetData?;
        let (room, place) = (buffer.len() as isize, buffer.as_mut_ptr().cast());
        // SAFETY: a live buffer with its length, longer than any type of a fixed size, and a live variable.
        let code = settled(|| unsafe { get(real, column, c_type, place, room, &raw mut length) });
        (code == rc::SUCCESS && length == odbc_sys::NULL_DATA).then(|| buffer.iter().take(size).all(|byte| *byte == 0))
    }

    fn lend_row_counter(&self, set: bool) -> Option<Place> {
        const ROWS_FETCHED_PTR: i32 = odbc_sys::StatementAttribute::RowsFetchedPtr as i32;
        let (driver, real) = self.core.real()?;
        let counter = self.core.row_counter.as_ptr();
        if set {
            let set = driver.ansi.SQLSetStmtAttr.or(driver.wide.SQLSetStmtAttr)?;
            // SAFETY: the counter is in the handle's slot, which is never freed (docs/safety.md, "handles and tokens").
            let outcome = settled(|| unsafe { set(real, ROWS_FETCHED_PTR, counter.cast(), odbc_sys::IS_POINTER) });
            if !rc::succeeded(outcome) {
                return None;
            }
        }
        // SAFETY: as above.
        Some(unsafe { Place::new(counter.cast()) })
    }
}
