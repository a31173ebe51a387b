//! SQLConnect, SQLDriverConnect, SQLBrowseConnect, SQLDisconnect.
#![allow(unsafe_code)]

use super::attributes::apply_pending;
use super::handles::{end_connection, real_connection};
use crate::args::{LengthOut, Out, TextIn, Unit, encode_bytes};
use crate::call::Call;
use crate::config::connection_string::ConnectionString;
use crate::connecting::{self, Plan, Request};
use crate::diagnostics::answered;
use crate::diagnostics::{Outcome, rc};
use crate::entry::dispatch::{DBC, RealCall, forward, guard};
use crate::entry::driver_records::drain;
use crate::entry::other_width::in_width;
use crate::handles::{CONNECTIONS, Connection, ENVIRONMENTS, Token};
use crate::real::{Driver, Handle, Width};
use crate::table::Function;

pub unsafe fn SQLConnect<C: Width>(
    dbc: Handle,
    dsn: *const C,
    dsn_len: i16,
    user: *const C,
    user_len: i16,
    password: *const C,
    password_len: i16,
) -> i16 {
    // SAFETY: the application's three texts.
    let read = |pointer, length: i16| unsafe { TextIn::new::<C>(pointer, length as isize) }.read();
    let request = Request::Dsn {
        dsn: read(dsn, dsn_len).unwrap_or_default(),
        user: read(user, user_len),
        password: read(password, password_len),
    };
    connect::<C>(Function::SQLConnect, dbc, &request, |driver, real, _| {
        // SAFETY: the application's arguments.
        unsafe { in_width!(C, driver, SQLConnect, real, (dsn, dsn_len, user, user_len, password, password_len)) }
    })
}

pub unsafe fn SQLDriverConnect<C: Width>(
    dbc: Handle,
    window: Handle,
    text: *const C,
    text_len: i16,
    out: *mut C,
    out_cap: i16,
    out_len: *mut i16,
    completion: u16,
) -> i16 {
    // SAFETY: the application's text.
    let string = unsafe { TextIn::new(text, text_len as isize) }.read().unwrap_or_default();
    // SAFETY: the application's buffer.
    let completed = unsafe { Out::text(out, out_cap as isize, LengthOut::from(out_len), Unit::Characters) };
    let request = Request::String { given: ConnectionString::parse(&encode_bytes(&string)), completed };
    connect::<C>(Function::SQLDriverConnect, dbc, &request, |driver, real, plan| {
        // SAFETY: the application's arguments, or the edited string and a buffer of our own.
        let call = |text: *const C, text_len: i16, out: *mut C, out_cap: i16, out_len: *mut i16| unsafe {
            in_width!(C, driver, SQLDriverConnect, real, (window, text, text_len, out, out_cap, out_len, completion))
        };
        through_names(plan, &request, text, text_len, out, out_cap, out_len, call)
    })
}

pub unsafe fn SQLBrowseConnect<C: Width>(
    dbc: Handle,
    text: *const C,
    text_len: i16,
    out: *mut C,
    out_cap: i16,
    out_len: *mut i16,
) -> i16 {
    // SAFETY: the application's text.
    let string = unsafe { TextIn::new(text, text_len as isize) }.read().unwrap_or_default();
    // SAFETY: the application's buffer.
    let completed = unsafe { Out::text(out, out_cap as isize, LengthOut::from(out_len), Unit::Characters) };
    let Some(connection) = CONNECTIONS.get(Token::from_handle(dbc)) else { return rc::INVALID_HANDLE };
    let string = encode_bytes(&string);
    let browsing = connection.state.lock().browsing.take();
    let (begun, browsing) = (browsing.is_some(), browsing.unwrap_or_default());
    let request = Request::step(&browsing, &string, completed);
    let outcome = connect::<C>(Function::SQLBrowseConnect, dbc, &request, |driver, real, plan| {
        // SAFETY: the application's arguments, or the edited string and a buffer of our own.
        let call = |text: *const C, text_len: i16, out: *mut C, out_cap: i16, out_len: *mut i16| unsafe {
            in_width!(C, driver, SQLBrowseConnect, real, (text, text_len, out, out_cap, out_len))
        };
        through_names(plan, &request, text, text_len, out, out_cap, out_len, call)
    });
    // A driver manager lets the application go on after a failed step, unless it is the first.
    if outcome == rc::NEED_DATA || (begun && !rc::succeeded(outcome)) {
        connection.state.lock().browsing = Some(browsing.after(&string, outcome == rc::NEED_DATA));
    }
    outcome
}

/// Makes the call so that the driver sees its own name in the connection string, and the application sees the shim's in
/// what comes back. If no name has to change, the application's own buffers go through untouched.
#[allow(clippy::too_many_arguments)] // a C function's arguments
fn through_names<C: Width>(
    plan: &Plan,
    request: &Request,
    text: *const C,
    text_len: i16,
    out: *mut C,
    out_cap: i16,
    out_len: *mut i16,
    call: impl Fn(*const C, i16, *mut C, i16, *mut i16) -> Option<i16>,
) -> Option<i16> {
    let Some(forwarded) = plan.forwarded(request) else { return call(text, text_len, out, out_cap, out_len) };
    let units: Vec<C> = C::units(&forwarded).into_iter().chain([C::ZERO]).collect();
    // A longer string than the length can express is passed as terminated.
    let length = i16::try_from(units.len() - 1).unwrap_or(odbc_sys::NTS as i16);
    if !plan.renames() {
        return call(units.as_ptr(), length, out, out_cap, out_len);
    }
    // If the driver's name is the longer one, the driver needs more room than the application gave.
    let room = if out.is_null() { 0 } else { (out_cap as isize).max(0) };
    let capacity = if room > 0 { (room + plan.growth().max(0)).min(i16::MAX as isize) } else { 0 };
    let mut buffer = vec![C::ZERO; capacity as usize + 1];
    let mut reported: i16 = i16::MIN;
    let pointer = if out.is_null() { std::ptr::null_mut() } else { buffer.as_mut_ptr() };
    let outcome = call(units.as_ptr(), length, pointer, capacity as i16, &mut reported)?;
    let has_length = reported != i16::MIN;
    if has_length || buffer[0] != C::ZERO {
        let written = C::text(&buffer);
        let completed = plan.returned(request, &written);
        let count = |text: &str| C::units(text).len() as i64;
        let (before, after) = (count(&written), count(&completed));
        let length = match i64::from(reported) {
            // The driver reports the length that it wrote, cut or not; report what the application gets.
            reported if reported == before && room > 0 => after.min(room as i64 - 1),
            // The driver cut the string silently and reports the room it had; do the same with the application's room.
            reported if outcome == rc::SUCCESS && reported == capacity as i64 && reported == before + 1 => room as i64,
            reported if reported > before => reported - plan.growth() as i64,
            reported => reported + after - before,
        };
        let place = if has_length { LengthOut::from(out_len) } else { LengthOut::None };
        // SAFETY: the application's buffer, its capacity in characters, its length.
        if let Out::Text(text) = unsafe { Out::text(out, out_cap as isize, place, Unit::Characters) } {
            text.write(&completed, Some(length));
        }
    }
    Some(outcome)
}

fn connect<C: Width>(
    function: Function,
    dbc: Handle,
    request: &Request,
    driver_call: impl Fn(&'static Driver, Handle, &Plan) -> Option<i16>,
) -> i16 {
    let token = Token::from_handle(dbc);
    let Some(connection) = CONNECTIONS.get(token) else { return rc::INVALID_HANDLE };
    let diagnostics = &connection.core.diagnostics;
    guard(diagnostics, || {
        diagnostics.clear();
        if connection.state.lock().connected {
            return diagnostics.post(Outcome::error("08002", "the connection is already open"));
        }
        let environment = connection.state.lock().environment.and_then(|environment| ENVIRONMENTS.get(environment));
        let kind = environment.map(|environment| environment.state.lock().kind).unwrap_or_default();
        let mut plan = match connecting::plan(request, kind) {
            Ok(plan) => plan,
            Err(outcome) => return diagnostics.post(outcome),
        };
        connection.state.lock().pooled = plan.pooled.take();
        let Some(driver) = plan.driver() else { return replay(connection, request, &plan) };
        // The driver manager decides it the same way, by the width of the function that connects.
        let Some(driver) = driver.connected::<C>(function) else { return rc::ERROR };
        if let Err(outcome) = prepare(connection, driver).and_then(|()| plan.prepare(request)) {
            return diagnostics.post(outcome);
        }
        let Some((driver, real)) = connection.core.real() else { return rc::ERROR };
        let watched = request.completed().map(|completed| completed.watch());
        let code = answered(driver_call(driver, real, &plan));
        let completed = watched.map(|completed| completed.reply());
        let code = match code {
            Ok(code) => code,
            Err(outcome) => return diagnostics.post(outcome),
        };
        if plan.records() {
            // Driver managers read through SQLError why a connect failed, except after SQLBrowseConnect.
            let fails_by_error = !rc::succeeded(code) && function != Function::SQLBrowseConnect;
            connection.core.set_reads_by_error(fails_by_error && crate::driver::process::facts().manager.is_some());
            let records = if code == rc::SUCCESS { Vec::new() } else { drain(DBC, &connection.core) };
            let outcome = Outcome { rc: code, diagnostics: records };
            let environment = environment_notes(connection);
            let recorded = connecting::record(request, &plan, connection, completed, environment, &outcome);
            // Drop what the driver said about the facts it was asked for: that is not for the application.
            drain(DBC, &connection.core);
            match recorded {
                Ok(mode) if rc::succeeded(code) => {
                    *connection.mode.lock() = Some(mode);
                    connection.core.set_intercepted(true);
                }
                Ok(_) => {}
                Err(failure) => {
                    undo(driver, real, code);
                    return diagnostics.post(failure);
                }
            }
            diagnostics.post(outcome);
        }
        let mut state = connection.state.lock();
        state.connected = rc::succeeded(code);
        code
    })
}

fn environment_notes(connection: &Connection) -> Vec<(crate::handles::EnvironmentNote, u32)> {
    let environment = connection.state.lock().environment.and_then(|token| ENVIRONMENTS.get(token));
    environment.map(|environment| environment.state.lock().notes.clone()).unwrap_or_default()
}

/// Disconnects again if the recording cannot be written, so that no connection stays that the application does not know
/// of.
fn undo(driver: &Driver, real: Handle, code: i16) {
    if rc::succeeded(code)
        && let Some(disconnect) = driver.ansi.SQLDisconnect
    {
        // SAFETY: the connection that was just made.
        unsafe { disconnect(real) };
    }
}

/// Allocates the real connection in the driver that the plan names, and applies what was set before.
fn prepare(connection: &Connection, driver: &'static Driver) -> Result<(), Outcome> {
    let environment = connection.state.lock().environment.and_then(|token| ENVIRONMENTS.get(token));
    let Some(environment) = environment else {
        return Err(Outcome::error("HY000", "the connection has no environment"));
    };
    let made = real_connection(environment, connection, driver)?;
    connection.core.set_real(connection.core.real().map(|(_, real)| (driver, real)));
    if made {
        apply_pending(connection);
    }
    Ok(())
}

fn replay(connection: &Connection, request: &Request, plan: &Plan) -> i16 {
    let (mode, outcome) = connecting::replay(request, plan, connection);
    let connected = mode.is_some() && rc::succeeded(outcome.rc);
    if connected {
        *connection.mode.lock() = mode;
        connection.core.set_intercepted(true);
    }
    connection.state.lock().connected = connected;
    connection.core.diagnostics.post(outcome)
}

pub unsafe fn SQLDisconnect(dbc: Handle) -> i16 {
    let token = Token::from_handle(dbc);
    let Some(connection) = CONNECTIONS.get(token) else { return rc::INVALID_HANDLE };
    let core = &connection.core;
    guard(&core.diagnostics, || {
        core.diagnostics.clear();
        // SAFETY: the driver's own connection.
        let driver_call = |driver: &'static Driver, real| unsafe { Some((driver.ansi.SQLDisconnect?)(real)) };
        let mode = connection.mode.lock().clone();
        let outcome = match mode {
            Some(mode) => mode.serve(
                Function::SQLDisconnect,
                &Call::Disconnect,
                &RealCall { kind: DBC, core, driver_call: &driver_call },
            ),
            // The application gives up a replayed SQLBrowseConnect.
            None if core.real().is_none() && connection.state.lock().browsing.is_some() => Outcome::SUCCESS,
            None => Outcome::of(forward(core, driver_call)),
        };
        if !rc::succeeded(outcome.rc) {
            // With mode off, the diagnostics are the driver's or posted already.
            return if outcome.diagnostics.is_empty() { outcome.rc } else { core.diagnostics.post(outcome) };
        }
        end_connection(connection);
        core.diagnostics.post(outcome)
    })
}
