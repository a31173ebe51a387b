//! Allocates and frees handles: environments, connections, statements, descriptors.
#![allow(unsafe_code)]

use super::{attributes, descriptors};
use crate::call::Call;
use crate::diagnostics::missing;
use crate::diagnostics::{Outcome, rc};
use crate::driver::Kind;
use crate::entry::dispatch;
use crate::entry::dispatch::{DBC, DESC, ENV, RealCall, STMT, give, guard, nowhere};
use crate::handles::{
    CONNECTIONS, Connection, DESCRIPTORS, ENVIRONMENTS, Environment, EnvironmentState, RealHandle, STATEMENTS, Token,
};
use crate::real::{Driver, Handle};
use crate::report;
use crate::table::Function;
use std::cell::Cell;

pub unsafe fn SQLAllocEnv(out: *mut Handle) -> i16 {
    // Only an ODBC 2 application calls this, and no SQLSetEnvAttr will set the version.
    // SAFETY: the application's out-pointer.
    unsafe { allocate_environment(out, Some(2), Kind::Unicode) }
}

pub unsafe fn SQLAllocConnect(env: Handle, out: *mut Handle) -> i16 {
    // SAFETY: the application's out-pointer.
    unsafe { allocate_connection(env, out) }
}

pub unsafe fn SQLAllocStmt(dbc: Handle, out: *mut Handle) -> i16 {
    // SAFETY: the application's out-pointer.
    unsafe { allocate_statement(dbc, out) }
}

pub unsafe fn SQLAllocHandleStd(kind: i16, input: Handle, out: *mut Handle) -> i16 {
    // SAFETY: the same arguments.
    unsafe { SQLAllocHandle(kind, input, out) }
}

pub unsafe fn SQLAllocHandle(kind: i16, input: Handle, out: *mut Handle) -> i16 {
    // SAFETY: the application's out-pointer.
    unsafe {
        match kind {
            ENV => allocate_environment(out, None, Kind::Unicode),
            DBC => allocate_connection(input, out),
            STMT => allocate_statement(input, out),
            DESC => descriptors::allocate_descriptor(input, out),
            _ => rc::ERROR,
        }
    }
}

/// Serves SQLAllocHandle of libsuper8a.so. An environment that a driver manager allocates there is for ANSI drivers.
pub unsafe fn ansi_alloc_handle(kind: i16, input: Handle, out: *mut Handle) -> i16 {
    // SAFETY: the application's out-pointer.
    unsafe {
        match kind {
            ENV => allocate_environment(out, None, Kind::Ansi),
            _ => SQLAllocHandle(kind, input, out),
        }
    }
}

/// Serves SQLAllocEnv of libsuper8a.so.
pub unsafe fn ansi_alloc_env(out: *mut Handle) -> i16 {
    // SAFETY: the application's out-pointer.
    unsafe { allocate_environment(out, Some(2), Kind::Ansi) }
}

/// Allocates an environment for drivers of this kind. `version` is the ODBC version, if the function that the
/// application calls implies one.
unsafe fn allocate_environment(out: *mut Handle, version: Option<usize>, kind: Kind) -> i16 {
    crate::exit::watch_forks();
    crate::verdict::counts_handles(crate::handles::alive);
    if kind == Kind::Unicode && crate::driver::process::facts().iodbc {
        // iODBC would read a diagnostic with characters of 4 bytes too, so none could say this.
        report::say(
            None,
            format_args!(
                "[super8] libsuper8.so does not work under iODBC, whose characters have 4 bytes where drivers for unixODBC have 2: \
                 run the program with unixODBC, or record an ANSI driver with libsuper8a.so"
            ),
        );
        return rc::ERROR;
    }
    // There is no handle that could say why.
    if out.is_null() {
        return rc::ERROR;
    }
    let Some((token, environment)) = ENVIRONMENTS.allocate() else { return rc::ERROR };
    guard(&environment.diagnostics, || {
        let mut state = environment.state.lock();
        state.kind = kind;
        if let Some(version) = version {
            state.attributes.push((attributes::ODBC_VERSION, version));
        }
        // If the driver is known before any connection string arrives, it negotiates its version itself.
        if let Some(driver) = crate::connecting::early_driver(kind) {
            // A driver that cannot even allocate an environment reports that at connect, where there is a message.
            let _ = real_environment(&mut state, driver);
        }
        drop(state);
        // SAFETY: the application's out-pointer.
        unsafe { give(out, token) }
    })
}

/// Returns the environment's counterpart in `driver`. Makes it and sets its attributes on first use.
pub fn real_environment(state: &mut EnvironmentState, driver: &'static Driver) -> Result<Handle, Outcome> {
    if let Some((_, real)) = state.real.iter().find(|(known, _)| known.number() == driver.number()) {
        return Ok(real.0 as Handle);
    }
    let mut real: Handle = std::ptr::null_mut();
    // SAFETY: the driver's allocation functions with a live out-pointer.
    let outcome = unsafe {
        match (driver.ansi.SQLAllocHandle, driver.ansi.SQLAllocEnv) {
            (Some(allocate), _) => allocate(ENV, std::ptr::null_mut(), &mut real),
            (None, Some(allocate)) => allocate(&mut real),
            (None, None) => return Err(missing()),
        }
    };
    if !rc::succeeded(outcome) || real.is_null() {
        return Err(Outcome::error(
            "IM004",
            format!("the driver {} failed to allocate an environment", driver.library.path().display()),
        ));
    }
    if let Some(set) = driver.ansi.SQLSetEnvAttr {
        for (attribute, value) in &state.attributes {
            // SAFETY: integer attributes travel in the pointer argument. A refusal shows as it would without the shim:
            // SQLGetEnvAttr answers what the driver kept.
            unsafe { set(real, *attribute, *value as Handle, 0) };
        }
    }
    state.real.push((driver, RealHandle(real as usize)));
    Ok(real)
}

unsafe fn allocate_connection(env: Handle, out: *mut Handle) -> i16 {
    let owner = Token::from_handle(env);
    let Some(environment) = ENVIRONMENTS.get(owner) else { return rc::INVALID_HANDLE };
    guard(&environment.diagnostics, || {
        environment.diagnostics.clear();
        if out.is_null() {
            return environment.diagnostics.post(nowhere());
        }
        let Some((token, connection)) = CONNECTIONS.allocate() else {
            return environment.diagnostics.post(Outcome::error("HY014", "no more connection handles"));
        };
        connection.state.lock().environment = Some(owner);
        let early = {
            let mut state = environment.state.lock();
            // Insert it first, so that the environment counts as in use and is not freed meanwhile.
            state.connections.insert(token);
            match state.real[..] {
                [(driver, _)] => Some(driver),
                _ => None,
            }
        };
        if let Some(driver) = early
            && let Err(outcome) = real_connection(environment, connection, driver)
        {
            environment.state.lock().connections.remove(&token);
            CONNECTIONS.release(token);
            return environment.diagnostics.post(outcome);
        }
        // SAFETY: the application's out-pointer.
        unsafe { give(out, token) }
    })
}

/// Gives `connection` a counterpart in `driver`, and frees one in another driver first. Returns false if it had the
/// right one already.
pub fn real_connection(
    environment: &Environment,
    connection: &Connection,
    driver: &'static Driver,
) -> Result<bool, Outcome> {
    match connection.core.real() {
        Some((current, _)) if current.number() == driver.number() => return Ok(false),
        Some(_) => free_real(DBC, connection),
        None => {}
    }
    let environment = real_environment(&mut environment.state.lock(), driver)?;
    let mut real: Handle = std::ptr::null_mut();
    // SAFETY: the driver's allocation functions with its own environment and a live out-pointer.
    let outcome = unsafe {
        match (driver.ansi.SQLAllocHandle, driver.ansi.SQLAllocConnect) {
            (Some(allocate), _) => allocate(DBC, environment, &mut real),
            (None, Some(allocate)) => allocate(environment, &mut real),
            (None, None) => return Err(missing()),
        }
    };
    if !rc::succeeded(outcome) || real.is_null() {
        return Err(Outcome::error(
            "IM005",
            format!("the driver {} failed to allocate a connection", driver.library.path().display()),
        ));
    }
    connection.core.set_real(Some((driver, real)));
    Ok(true)
}

fn free_real(kind: i16, connection: &Connection) {
    if let Some((driver, real)) = connection.core.real() {
        // SAFETY: a handle this driver allocated and nobody else holds.
        unsafe {
            match (driver.ansi.SQLFreeHandle, driver.ansi.SQLFreeConnect) {
                (Some(free), _) => free(kind, real),
                (None, Some(free)) => free(real),
                (None, None) => rc::ERROR,
            };
        }
        connection.core.set_real(None);
    }
}

unsafe fn allocate_statement(dbc: Handle, out: *mut Handle) -> i16 {
    let owner = Token::from_handle(dbc);
    let Some(connection) = CONNECTIONS.get(owner) else { return rc::INVALID_HANDLE };
    let diagnostics = &connection.core.diagnostics;
    guard(diagnostics, || {
        diagnostics.clear();
        if out.is_null() {
            return diagnostics.post(nowhere());
        }
        if !connection.state.lock().connected {
            return diagnostics.post(Outcome::error("08003", "the connection is not open"));
        }
        let mode = connection.mode.lock().clone();
        let made = Cell::new(std::ptr::null_mut());
        let driver_call = |driver: &'static Driver, parent| {
            let mut handle: Handle = std::ptr::null_mut();
            // SAFETY: the driver's allocation functions with its own connection and a live out-pointer.
            let code = unsafe {
                match (driver.ansi.SQLAllocHandle, driver.ansi.SQLAllocStmt) {
                    (Some(allocate), _) => allocate(STMT, parent, &mut handle),
                    (None, allocate) => allocate?(parent, &mut handle),
                }
            };
            made.set(handle);
            Some(code)
        };
        let core = &connection.core;
        let outcome = match &mode {
            Some(mode) => mode.serve(
                Function::SQLAllocHandle,
                &Call::Allocate { kind: STMT },
                &RealCall { kind: DBC, core, driver_call: &driver_call },
            ),
            None => Outcome::of(dispatch::forward(core, driver_call)),
        };
        if !rc::succeeded(outcome.rc) {
            return if outcome.diagnostics.is_empty() { outcome.rc } else { diagnostics.post(outcome) };
        }
        let real = core.real().map(|(driver, _)| (driver, made.get()));
        let Some((token, statement)) = STATEMENTS.allocate() else {
            return diagnostics.post(Outcome::error("HY014", "no more statement handles"));
        };
        statement.core.set_real(real);
        statement.core.set_reads_by_error(connection.core.reads_by_error());
        statement.set_connection(owner);
        if let Some(mode) = mode {
            *statement.mode.lock() = Some(mode.statement());
            statement.core.set_intercepted(true);
        }
        connection.state.lock().statements.insert(token);
        // SAFETY: the application's out-pointer.
        unsafe { give(out, token) }
    })
}

pub unsafe fn SQLFreeEnv(env: Handle) -> i16 {
    // SAFETY: the same argument.
    unsafe { SQLFreeHandle(ENV, env) }
}

pub unsafe fn SQLFreeConnect(dbc: Handle) -> i16 {
    // SAFETY: the same argument.
    unsafe { SQLFreeHandle(DBC, dbc) }
}

pub unsafe fn SQLFreeHandle(kind: i16, handle: Handle) -> i16 {
    let token = Token::from_handle(handle);
    match kind {
        ENV => free_environment(token),
        DBC => free_connection(token),
        STMT => free_statement(token, |driver, real| {
            // SAFETY: the driver's own statement.
            unsafe {
                match (driver.ansi.SQLFreeHandle, driver.ansi.SQLFreeStmt) {
                    (Some(free), _) => Some(free(STMT, real)),
                    (None, free) => Some(free?(real, 1)),
                }
            }
        }),
        DESC => descriptors::free_descriptor(token),
        _ => rc::INVALID_HANDLE,
    }
}

/// Serves SQLFreeStmt. With SQL_DROP it frees the statement; otherwise it is a call like others.
pub unsafe fn SQLFreeStmt(stmt: Handle, option: u16) -> i16 {
    const DROP: u16 = 1;
    // SAFETY: the driver's own statement.
    let driver_call = |driver: &'static Driver, real| unsafe { Some((driver.ansi.SQLFreeStmt?)(real, option)) };
    if option == DROP {
        return free_statement(Token::from_handle(stmt), driver_call);
    }
    dispatch::stmt(Function::SQLFreeStmt, stmt, || Call::FreeStmt { option }, driver_call)
}

fn free_environment(token: Token) -> i16 {
    let Some(environment) = ENVIRONMENTS.get(token) else { return rc::INVALID_HANDLE };
    guard(&environment.diagnostics, || {
        let mut state = environment.state.lock();
        if !state.connections.is_empty() {
            return environment.diagnostics.post(Outcome::error("HY010", "the environment still has connections"));
        }
        let mut worst = rc::SUCCESS;
        state.real.retain(|(driver, real)| {
            // SAFETY: an environment this driver allocated.
            let outcome = unsafe {
                match (driver.ansi.SQLFreeHandle, driver.ansi.SQLFreeEnv) {
                    (Some(free), _) => free(ENV, real.0 as Handle),
                    (None, Some(free)) => free(real.0 as Handle),
                    (None, None) => rc::SUCCESS,
                }
            };
            worst = if rc::succeeded(outcome) { worst } else { outcome };
            !rc::succeeded(outcome)
        });
        drop(state);
        if rc::succeeded(worst) {
            ENVIRONMENTS.release(token);
        }
        worst
    })
}

fn free_connection(token: Token) -> i16 {
    let Some(connection) = CONNECTIONS.get(token) else { return rc::INVALID_HANDLE };
    let core = &connection.core;
    guard(&core.diagnostics, || {
        if let Some((driver, real)) = core.real() {
            // SAFETY: a connection this driver allocated.
            let outcome = unsafe {
                match (driver.ansi.SQLFreeHandle, driver.ansi.SQLFreeConnect) {
                    (Some(free), _) => free(DBC, real),
                    (None, Some(free)) => free(real),
                    (None, None) => rc::SUCCESS,
                }
            };
            if !rc::succeeded(outcome) {
                return outcome;
            }
        }
        end_connection(connection);
        let environment = connection.state.lock().environment.and_then(|token| ENVIRONMENTS.get(token));
        if let Some(environment) = environment {
            environment.state.lock().connections.remove(&token);
        }
        CONNECTIONS.release(token);
        rc::SUCCESS
    })
}

fn free_statement(token: Token, driver_call: impl Fn(&'static Driver, Handle) -> Option<i16>) -> i16 {
    let Some(statement) = STATEMENTS.get(token) else { return rc::INVALID_HANDLE };
    let core = &statement.core;
    guard(&core.diagnostics, || {
        let driver_call =
            |driver: &'static Driver, real: Handle| Some(driver_call(driver, real).unwrap_or(rc::SUCCESS));
        if core.intercepted() {
            const DROP: u16 = 1;
            let real = RealCall { kind: STMT, core, driver_call: &driver_call };
            let freeing = Call::FreeStmt { option: DROP };
            let outcome =
                dispatch::with_mode(token, statement, |mode| mode.serve(Function::SQLFreeHandle, &freeing, &real));
            if let Some(refused) = outcome.filter(|outcome| !rc::succeeded(outcome.rc)) {
                return core.diagnostics.post(refused);
            }
        } else if let Some(outcome) = core.real().and_then(|(driver, real)| driver_call(driver, real))
            && !rc::succeeded(outcome)
        {
            return outcome;
        }
        if let Some(connection) = CONNECTIONS.get(statement.connection()) {
            connection.state.lock().statements.remove(&token);
        }
        release_statement(token);
        rc::SUCCESS
    })
}

/// Ends a statement's life on the shim's side: releases its descriptors' tokens, its part of the recording, and its own
/// token.
pub fn release_statement(token: Token) {
    let Some(statement) = STATEMENTS.get(token) else { return };
    for descriptor in statement.descriptors.lock().iter_mut().filter_map(Option::take) {
        DESCRIPTORS.release(descriptor);
    }
    let mode = statement.mode.lock().take();
    if let Some(mode) = mode {
        mode.dropped();
    }
    dispatch::forget_mode(token);
    STATEMENTS.release(token);
}

/// Ends a connection. Frees all of its statements and descriptors, because disconnecting does so without a call for
/// each.
pub fn end_connection(connection: &Connection) {
    let (statements, descriptors) = {
        let mut state = connection.state.lock();
        state.connected = false;
        state.browsing = None;
        (std::mem::take(&mut state.statements), std::mem::take(&mut state.descriptors))
    };
    let mut statements: Vec<Token> = statements.into_iter().collect();
    // Release them in the order of allocation, so that a recording notes them in the same order every time.
    statements.sort_by_key(|token| token.0);
    statements.into_iter().for_each(release_statement);
    descriptors.into_iter().for_each(descriptors::release);
    let mode = connection.mode.lock().take();
    connection.core.set_intercepted(false);
    if let Some(mode) = mode {
        mode.disconnected();
    }
}
