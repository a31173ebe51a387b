//! Descriptors as handles: a statement's own four, and those that an application allocates, attaches, copies and frees.
#![allow(unsafe_code)]

use crate::args::{In, Out, Place};
use crate::call::{Call, Question};
use crate::descriptor::DescriptorRole;
use crate::descriptor::{Content, SharedDescriptor};
use crate::diagnostics::{Outcome, rc};
use crate::entry::dispatch;
use crate::entry::dispatch::{DBC, DESC, RealCall, STMT, forward, give, guard, nowhere};
use crate::handles::{CONNECTIONS, DESCRIPTORS, Descriptor, DescriptorOwner, STATEMENTS, Token};
use crate::real::{Driver, Handle, Width};
use crate::table::Function;
use std::cell::Cell;
use std::sync::Arc;
use super8_cassette::Key;

/// Serves SQLAllocHandle for a descriptor.
pub(super) unsafe fn allocate_descriptor(dbc: Handle, out: *mut Handle) -> i16 {
    let owner = Token::from_handle(dbc);
    let Some(connection) = CONNECTIONS.get(owner) else { return rc::INVALID_HANDLE };
    let core = &connection.core;
    guard(&core.diagnostics, || {
        core.diagnostics.clear();
        if out.is_null() {
            return core.diagnostics.post(nowhere());
        }
        let mode = connection.mode.lock().clone();
        if mode.is_none() && core.real().is_none() {
            return core.diagnostics.post(Outcome::error("08003", "the connection is not open"));
        }
        let made = Cell::new(std::ptr::null_mut());
        let driver_call = |driver: &'static Driver, parent| {
            let mut real: Handle = std::ptr::null_mut();
            // SAFETY: the driver's function with its own connection and a live out-pointer.
            let code = unsafe { (driver.ansi.SQLAllocHandle?)(DESC, parent, &mut real) };
            made.set(real);
            Some(code)
        };
        let outcome = match &mode {
            Some(mode) => mode.serve(
                Function::SQLAllocHandle,
                &Call::Allocate { kind: DESC },
                &RealCall { kind: DBC, core, driver_call: &driver_call },
            ),
            None => Outcome::of(dispatch::forward(core, driver_call)),
        };
        if !rc::succeeded(outcome.rc) {
            return if outcome.diagnostics.is_empty() { outcome.rc } else { core.diagnostics.post(outcome) };
        }
        let Some((token, descriptor)) = DESCRIPTORS.allocate() else {
            return core.diagnostics.post(Outcome::error("HY014", "no more descriptor handles"));
        };
        descriptor.core.set_real(core.real().map(|(driver, _)| (driver, made.get())));
        descriptor.core.set_reads_by_error(core.reads_by_error());
        *descriptor.owner.lock() = Some(DescriptorOwner::Connection(owner));
        if let Some(mode) = mode {
            *descriptor.mode.lock() = Some(mode.descriptor());
            descriptor.core.set_intercepted(true);
        }
        connection.state.lock().descriptors.insert(token);
        // SAFETY: the application's out-pointer.
        match unsafe { give(out, token) } {
            rc::SUCCESS => core.diagnostics.post(outcome),
            failure => failure,
        }
    })
}

/// Serves SQLFreeHandle for a descriptor that the application allocated. Statements that it is attached to go back to
/// their own.
pub(super) fn free_descriptor(token: Token) -> i16 {
    let Some(descriptor) = DESCRIPTORS.get(token) else { return rc::INVALID_HANDLE };
    let core = &descriptor.core;
    guard(&core.diagnostics, || {
        let Some(DescriptorOwner::Connection(owner)) = *descriptor.owner.lock() else {
            return core.diagnostics.post(Outcome::error("HY017", "a statement's own descriptor cannot be freed"));
        };
        // SAFETY: a descriptor this driver allocated.
        let driver_call = |driver: &'static Driver, real| unsafe { Some((driver.ansi.SQLFreeHandle?)(DESC, real)) };
        let mode = descriptor.mode.lock().clone();
        let outcome = match &mode {
            Some(mode) => mode.serve(
                Function::SQLFreeHandle,
                &Call::FreeDescriptor,
                &RealCall { kind: DESC, core, driver_call: &driver_call },
            ),
            None => Outcome::of(dispatch::forward(core, driver_call)),
        };
        if !rc::succeeded(outcome.rc) {
            return if outcome.diagnostics.is_empty() { outcome.rc } else { core.diagnostics.post(outcome) };
        }
        if let Some(mode) = mode {
            mode.shared().free();
        }
        if let Some(connection) = CONNECTIONS.get(owner) {
            connection.state.lock().descriptors.remove(&token);
        }
        release(token);
        outcome.rc
    })
}

/// Ends a descriptor's life on the shim's side. Its mode goes at once, because it holds the connection's cassette.
pub(super) fn release(token: Token) {
    if let Some(descriptor) = DESCRIPTORS.get(token) {
        descriptor.mode.lock().take();
    }
    DESCRIPTORS.release(token);
}

/// Serves SQLSetStmtAttr for one of the four descriptor attributes. The application's token stands for the driver's own
/// handle. Null, or the statement's own descriptor, detaches what was attached.
pub(super) fn attach<C: Width>(stmt: Handle, role: DescriptorRole, given: Token, length: i32) -> i16 {
    let Some(statement) = STATEMENTS.get(Token::from_handle(stmt)) else { return rc::INVALID_HANDLE };
    let descriptor = DESCRIPTORS.get(given);
    if descriptor.is_none() && given != Token::NULL {
        return statement.core.diagnostics.post(Outcome::error("HY024", "that is not a descriptor handle"));
    }
    let real = descriptor.and_then(|descriptor| descriptor.core.real()).map_or(std::ptr::null_mut(), |(_, real)| real);
    let allocated = descriptor.filter(|descriptor| {
        descriptor.owner.lock().is_some_and(|owner| matches!(owner, DescriptorOwner::Connection(_)))
    });
    let code = dispatch::stmt(
        Function::SQLSetStmtAttr,
        stmt,
        || Call::Attach { role, descriptor: allocated.and_then(shared) },
        // SAFETY: the driver's own handle where the application's arguments have a token.
        |driver, statement| unsafe {
            let set = C::symbols(driver).SQLSetStmtAttr.or(C::Other::symbols(driver).SQLSetStmtAttr)?;
            Some(set(statement, role.attribute(), real, length))
        },
    );
    if rc::succeeded(code)
        && let Some(place) = statement.attached.lock().get_mut(role as usize)
    {
        *place = allocated.map(|_| given);
    }
    code
}

fn shared(descriptor: &Descriptor) -> Option<Arc<SharedDescriptor>> {
    descriptor.mode.lock().as_ref().map(|mode| mode.shared())
}

/// Serves SQLGetStmtAttr for one of the four descriptor attributes, with a token of super8's for the driver's handle.
pub(super) unsafe fn descriptor_of<C: Width>(
    stmt: Handle,
    role: DescriptorRole,
    out: *mut Handle,
    length: *mut i32,
) -> i16 {
    let token = Token::from_handle(stmt);
    let Some(statement) = STATEMENTS.get(token) else { return rc::INVALID_HANDLE };
    let core = &statement.core;
    guard(&core.diagnostics, || {
        core.diagnostics.clear();
        let made: Cell<Handle> = Cell::new(std::ptr::null_mut());
        let driver_call = |driver: &'static Driver, handle| {
            let get = C::symbols(driver).SQLGetStmtAttr.or(C::Other::symbols(driver).SQLGetStmtAttr)?;
            // SAFETY: the driver's statement and a live out-variable for a handle.
            Some(unsafe { get(handle, role.attribute(), made.as_ptr().cast(), odbc_sys::IS_POINTER, length) })
        };
        let mode = statement.mode.lock().clone();
        let outcome = match mode {
            Some(mode) => {
                mode.is_applications();
                let inputs = vec![(Key::Attribute, In::Int(i64::from(role.attribute())))];
                let question = Call::Ask(Question { inputs, outputs: vec![("value", Out::Address(Place::NULL))] });
                mode.serve(
                    Function::SQLGetStmtAttr,
                    &question,
                    &RealCall { kind: STMT, core, driver_call: &driver_call },
                )
            }
            None => Outcome::of(forward(core, driver_call)),
        };
        if !rc::succeeded(outcome.rc) {
            return if outcome.diagnostics.is_empty() { outcome.rc } else { core.diagnostics.post(outcome) };
        }
        let real = core.real().map(|(driver, _)| (driver, made.get()));
        // A descriptor that was attached and freed since then is attached no more: its token is dead.
        let attached = statement.attached.lock().get(role as usize).copied().flatten();
        let attached = attached.filter(|token| DESCRIPTORS.get(*token).is_some());
        let Some(descriptor) = attached.or_else(|| own_descriptor(token, role, real)) else {
            return core.diagnostics.post(Outcome::error("HY014", "no more descriptor handles"));
        };
        if !out.is_null() {
            // SAFETY: not null; the application's out-pointer.
            unsafe { out.write_unaligned(descriptor.handle()) };
        }
        rc::SUCCESS
    })
}

fn own_descriptor(
    statement_token: Token,
    role: DescriptorRole,
    real: Option<(&'static Driver, Handle)>,
) -> Option<Token> {
    let statement = STATEMENTS.get(statement_token)?;
    let mut tokens = statement.descriptors.lock();
    if let Some(token) = tokens[role as usize] {
        return Some(token);
    }
    let (token, descriptor) = DESCRIPTORS.allocate()?;
    descriptor.core.set_real(real);
    descriptor.core.set_intercepted(statement.core.intercepted());
    descriptor.core.set_reads_by_error(statement.core.reads_by_error());
    *descriptor.owner.lock() = Some(DescriptorOwner::Statement(statement_token, role));
    tokens[role as usize] = Some(token);
    Some(token)
}

/// Returns a recorded or replayed descriptor's name in the cassette, and what it holds.
fn content(descriptor: &Descriptor) -> Option<(i64, Content)> {
    let owner = *descriptor.owner.lock();
    match owner? {
        DescriptorOwner::Statement(statement, role) => {
            let mode = STATEMENTS.get(statement)?.mode.lock().clone()?;
            Some((i64::from(role.attribute()), mode.content(role)))
        }
        DescriptorOwner::Connection(_) => {
            let shared = shared(descriptor)?;
            Some((i64::from(shared.number), Content::Application(shared.content())))
        }
    }
}

pub unsafe fn SQLCopyDesc(source: Handle, target: Handle) -> i16 {
    let Some(from) = DESCRIPTORS.get(Token::from_handle(source)) else { return rc::INVALID_HANDLE };
    let Some(to) = DESCRIPTORS.get(Token::from_handle(target)) else { return rc::INVALID_HANDLE };
    let refused = |what| to.core.diagnostics.post(Outcome::error("HYC00", what));
    let other = from.core.real();
    if let (Some((one, _)), Some((other, _))) = (to.core.real(), other)
        && one.number() != other.number()
    {
        return refused("descriptors of two different drivers cannot be copied");
    }
    let copied = if to.core.intercepted() { content(from) } else { None };
    if to.core.intercepted() && copied.is_none() {
        return refused("a descriptor of a connection that is not recorded cannot be copied to one that is");
    }
    let (source, content) = copied.unwrap_or((0, Content::Columns));
    dispatch::desc(
        Function::SQLCopyDesc,
        target,
        || Call::CopyDescriptor { source, content },
        // SAFETY: two descriptors of this driver.
        |driver, to| unsafe { Some((driver.ansi.SQLCopyDesc?)(other?.1, to)) },
    )
}
