//! The common way into super8: guards against panics, finds the handle, and goes straight to the driver or through a
//! mode.
//!
//! It keeps the mode of the statement that a thread called last in a thread-local. Every cell is read by a call of its
//! own, and taking a lock and a reference count for each of them is a good part of what it costs to record or replay a cell.
#![allow(unsafe_code)]

use crate::call::Call;
use crate::diagnostics::{Diagnostics, Outcome, answered, missing, rc};
use crate::handles::{CONNECTIONS, DESCRIPTORS, DescriptorOwner, HandleCore, STATEMENTS, Statement, Token};
use crate::mode::StatementMode;
use crate::real::{Driver, Handle};
use crate::table::Function;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// SQL_HANDLE_ENV, DBC, STMT and DESC.
pub const ENV: i16 = odbc_sys::HandleType::Env as i16;
pub const DBC: i16 = odbc_sys::HandleType::Dbc as i16;
pub const STMT: i16 = odbc_sys::HandleType::Stmt as i16;
pub const DESC: i16 = odbc_sys::HandleType::Desc as i16;

/// Runs `body` and turns a panic into SQL_ERROR with HY000 on the handle, so that nothing unwinds into C.
#[inline]
pub fn guard(diagnostics: &Diagnostics, body: impl FnOnce() -> i16) -> i16 {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| panicked(diagnostics))
}

#[cold]
fn panicked(diagnostics: &Diagnostics) -> i16 {
    diagnostics.post(Outcome::error("HY000", "internal error: please report it with the lines super8 wrote to stderr"))
}

/// Serves a call on a statement.
#[inline]
pub fn stmt<'a>(
    function: Function,
    handle: Handle,
    call: impl FnOnce() -> Call<'a>,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16> + Copy,
) -> i16 {
    let Some(statement) = STATEMENTS.get(Token::from_handle(handle)) else { return rc::INVALID_HANDLE };
    through(function, STMT, &statement.core, driver_call, |real| {
        with_mode(Token::from_handle(handle), statement, |mode| {
            let call = ManuallyDrop::new(call());
            if let Call::GetData { column, binding } = &*call {
                // SQLGetData is called for every cell, and there is nothing in its call to drop.
                return mode.get_data(*column, binding, real);
            }
            mode.serve(function, &ManuallyDrop::into_inner(call), real)
        })
    })
}

/// Serves a call on a connection.
#[inline]
pub fn dbc<'a>(
    function: Function,
    handle: Handle,
    call: impl FnOnce() -> Call<'a>,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16> + Copy,
) -> i16 {
    let Some(connection) = CONNECTIONS.get(Token::from_handle(handle)) else { return rc::INVALID_HANDLE };
    through(function, DBC, &connection.core, driver_call, |real| {
        let mode = connection.mode.lock().clone()?;
        Some(mode.serve(function, &call(), real))
    })
}

/// Serves a call on a descriptor: a statement's own, or one that the application allocated.
#[inline]
pub fn desc<'a>(
    function: Function,
    handle: Handle,
    call: impl FnOnce() -> Call<'a>,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16> + Copy,
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

/// Goes straight to the driver, or, under the guard, through the handle's mode, and posts its outcome.
#[inline]
fn through(
    function: Function,
    kind: i16,
    core: &HandleCore,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16> + Copy,
    serve: impl FnOnce(&RealCall<'_>) -> Option<Outcome>,
) -> i16 {
    if !core.intercepted() {
        // This copy can stay in registers, because nothing takes its address.
        return forward(core, driver_call);
    }
    let lent = driver_call;
    guard(&core.diagnostics, || match serve(&RealCall { kind, core, driver_call: &lent }) {
        Some(Outcome { rc: rc::SUCCESS, .. }) if function.cancels() => rc::SUCCESS,
        Some(outcome) => core.diagnostics.post(outcome),
        None => rc::INVALID_HANDLE,
    })
}

/// Makes the driver call with mode off, and does nothing else that could panic.
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
        // The driver says that it has this descriptor, but gives no handle for it.
        true => missing(),
        false => Outcome::error("08003", "the connection is not open"),
    })
}

/// The real driver's side of a call, for any kind of handle.
type RealFunction<'a> = &'a dyn Fn(&'static Driver, Handle) -> Option<i16>;

/// The real driver's side of one call.
pub struct RealCall<'a> {
    /// `SQL_HANDLE_...`
    pub kind: i16,
    /// The handle that the call is on.
    pub core: &'a HandleCore,
    /// Calls the function with the application's arguments.
    pub driver_call: RealFunction<'a>,
}

/// Refuses to allocate a handle that the application gives no place for. This comes before the driver allocates its own handle,
/// which nobody could free.
pub fn nowhere() -> Outcome {
    Outcome::error("HY009", "there is no place for the new handle: OutputHandlePtr is a null pointer")
}

/// Writes a new handle's token to the application's out-pointer. Whoever allocates has refused a null pointer before.
pub unsafe fn give(out: *mut Handle, token: Token) -> i16 {
    if out.is_null() {
        return rc::ERROR;
    }
    // SAFETY: not null; the application's out-pointer.
    unsafe { out.write_unaligned(token.handle()) };
    rc::SUCCESS
}

type Kept = (Token, Arc<dyn StatementMode>);

thread_local! {
    /// Cannot be out of date, because a token is never given out again and its statement keeps one mode for life. The
    /// reference keeps the mode alive if another thread frees the statement during the call.
    static LATEST: Cell<Option<Kept>> = const { Cell::new(None) };
}

/// Runs `action` with the mode of a live statement. Returns `None` if the statement has no mode, or none any more.
#[inline]
pub fn with_mode<R>(token: Token, statement: &Statement, action: impl FnOnce(&dyn StatementMode) -> R) -> Option<R> {
    // A thread that is ending has no cache any more, and a call made from within this call finds it empty.
    let kept = LATEST.try_with(Cell::take).ok().flatten().filter(|(of, _)| *of == token);
    let kept = match kept {
        Some(kept) => kept,
        None => (token, statement.mode.lock().clone()?),
    };
    let result = action(&*kept.1);
    let _ = LATEST.try_with(|latest| latest.set(Some(kept)));
    Some(result)
}

/// Drops what this thread has cached of a statement that is gone.
pub fn forget_mode(token: Token) {
    let _ = LATEST.try_with(|latest| latest.set(latest.take().filter(|(of, _)| *of != token)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Binding;
    use crate::call::Call;
    use crate::call::DriverCall;
    use crate::descriptor::DescriptorRole;
    use crate::diagnostics::Outcome;
    use crate::handles::STATEMENTS;
    use crate::table::Function;

    struct Mode;

    impl StatementMode for Mode {
        fn serve(&self, _: Function, _: &Call<'_>, _: &dyn DriverCall) -> Outcome {
            Outcome::SUCCESS
        }

        fn get_data(&self, _: u16, _: &Binding, _: &dyn DriverCall) -> Outcome {
            Outcome::SUCCESS
        }

        fn serve_descriptor(&self, _: DescriptorRole, _: Function, _: &Call<'_>, _: &dyn DriverCall) -> Outcome {
            Outcome::SUCCESS
        }

        fn content(&self, _: DescriptorRole) -> crate::descriptor::Content {
            crate::descriptor::Content::Columns
        }

        fn is_applications(&self) {}

        fn dropped(&self) {}
    }

    #[test]
    fn a_statement_freed_during_a_call_lives_until_the_call_returns() {
        let (token, statement) = STATEMENTS.allocate().unwrap();
        assert!(with_mode(token, statement, |_| ()).is_none(), "no mode yet");
        let mode: Arc<dyn StatementMode> = Arc::new(Mode);
        let watched = Arc::downgrade(&mode);
        *statement.mode.lock() = Some(mode);
        assert!(with_mode(token, statement, |_| ()).is_some());
        assert_eq!(watched.strong_count(), 2, "the statement's and this thread's");
        with_mode(token, statement, |_| {
            // As another thread would do.
            *statement.mode.lock() = None;
            STATEMENTS.release(token);
            assert_eq!(watched.strong_count(), 1, "the call's own");
        });
        forget_mode(token);
        assert_eq!(watched.strong_count(), 0);
        let (next, statement) = STATEMENTS.allocate().unwrap();
        assert!(next != token && with_mode(next, statement, |_| ()).is_none());
        STATEMENTS.release(next);
    }
}
