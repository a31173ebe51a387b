//! Environment, connection and statement attributes, and the ODBC 2 functions for options.
#![allow(unsafe_code)]

use super::descriptors;
use crate::args::shape::{self, Shape};
use crate::args::{Buffer, Character, In, LengthOut, Out, Place, SizedOut, TextIn, encode_bytes};
use crate::call::{AttributeIn, Call, Question};
use crate::descriptor::DescriptorRole;
use crate::diagnostics::{NO_SUCH_OPTION, missing};
use crate::diagnostics::{Outcome, rc};
use crate::entry::dispatch;
use crate::entry::dispatch::{forward, guard};
use crate::entry::other_width::{converted, give_text};
use crate::handles::{CONNECTIONS, Connection, ENVIRONMENTS, PendingAttribute, PendingValue, Token};
use crate::mode::ANSI_APP;
use crate::real::{Driver, Handle, Pointer, Width};
use crate::table::Function;
use std::ops::RangeInclusive;
use super8_cassette::Key;

/// SQL_ATTR_ODBC_VERSION.
pub const ODBC_VERSION: i32 = odbc_sys::EnvironmentAttribute::OdbcVersion as i32;
/// iODBC's offer to use UTF-32 or UTF-8. super8 refuses it.
const APP_WCHAR_TYPE: i32 = 1061;

pub unsafe fn SQLSetEnvAttr(env: Handle, attribute: i32, value: Pointer, length: i32) -> i16 {
    let Some(environment) = ENVIRONMENTS.get(Token::from_handle(env)) else { return rc::INVALID_HANDLE };
    guard(&environment.diagnostics, || {
        environment.diagnostics.clear();
        let mut state = environment.state.lock();
        let mut outcome =
            match crate::connecting::replayed_environment("SQLSetEnvAttr", attribute, Some(value as usize)) {
                Some(recorded) => recorded.rc,
                None => rc::SUCCESS,
            };
        for (driver, real) in &state.real {
            let Some(set) = driver.ansi.SQLSetEnvAttr else {
                return environment.diagnostics.post(missing());
            };
            // SAFETY: the application's arguments on the driver's own environment.
            outcome = unsafe { set(real.0 as Handle, attribute, value, length) };
        }
        if state.real.is_empty() && !(200..=203).contains(&attribute) && attribute != 10001 {
            return environment
                .diagnostics
                .post(Outcome::error("HY092", format!("environment attribute {attribute} is not known")));
        }
        state.attributes.retain(|(known, _)| *known != attribute);
        state.attributes.push((attribute, value as usize));
        state.note(("SQLSetEnvAttr", attribute, Some(value as usize), outcome, None));
        outcome
    })
}

pub unsafe fn SQLGetEnvAttr(env: Handle, attribute: i32, value: Pointer, cap: i32, length: *mut i32) -> i16 {
    let Some(environment) = ENVIRONMENTS.get(Token::from_handle(env)) else { return rc::INVALID_HANDLE };
    guard(&environment.diagnostics, || {
        environment.diagnostics.clear();
        // SAFETY: every environment attribute is a 32-bit integer.
        let out = unsafe { Out::number(value.cast::<i32>()) };
        let real = environment.state.lock().real.first().copied();
        if let Some((driver, real)) = real {
            let Some(get) = driver.ansi.SQLGetEnvAttr else {
                return environment.diagnostics.post(missing());
            };
            let watched = out.watch();
            // SAFETY: the application's arguments on the driver's own environment.
            let outcome = unsafe { get(real.0 as Handle, attribute, value, cap, length) };
            let reply = match watched.reply() {
                crate::args::Reply::Number(number) => Some(number),
                _ => None,
            };
            environment.state.lock().note(("SQLGetEnvAttr", attribute, None, outcome, reply));
            return outcome;
        }
        let recorded = crate::connecting::replayed_environment("SQLGetEnvAttr", attribute, None);
        let kept = || {
            let state = environment.state.lock();
            state.attributes.iter().find(|(known, _)| *known == attribute).map(|(_, value)| *value as i64)
        };
        let (outcome, reply) = match recorded {
            Some(recorded) => (recorded.rc, recorded.reply),
            None => (rc::SUCCESS, kept()),
        };
        match (reply, out) {
            (Some(reply), Out::Number(number)) => number.write(reply),
            _ if outcome == rc::SUCCESS => {
                return environment
                    .diagnostics
                    .post(Outcome::error("HY092", format!("environment attribute {attribute} is not known")));
            }
            _ => {}
        }
        outcome
    })
}

pub unsafe fn SQLSetConnectAttr<C: Width>(dbc: Handle, attribute: i32, value: Pointer, length: i32) -> i16 {
    // SAFETY: the application's arguments.
    let driver_call =
        |driver: &'static Driver, real| unsafe { set_attribute::<C>(driver, real, attribute, value, length) };
    // SAFETY: a text attribute's value is a text of `length` bytes or terminated.
    let pending = || unsafe { pending::<C>(attribute, value, length) };
    // SAFETY: as above.
    set_connect(
        Function::SQLSetConnectAttr,
        dbc,
        attribute,
        unsafe { attribute_in::<C>(attribute, value, length) },
        pending,
        driver_call,
    )
}

pub unsafe fn SQLSetConnectOption<C: Width>(dbc: Handle, option: u16, value: usize) -> i16 {
    let (attribute, pointer, length) = (i32::from(option), value as Pointer, odbc_sys::NTS as i32);
    // SAFETY: the application's arguments.
    let driver_call = |driver: &'static Driver, real| unsafe {
        let symbols = C::symbols(driver);
        let length = if shape::connection(attribute) == Shape::Text { length } else { 0 };
        match (symbols.SQLSetConnectOption, symbols.SQLSetConnectAttr) {
            (Some(set), _) => Some(set(real, option, value)),
            (None, Some(set)) => Some(set(real, attribute, pointer, length)),
            // unixODBC does not convert texts for the Unicode function.
            (None, None) if C::WIDE || !driver.converts::<C>() => None,
            (None, None) => set_option::<C>(driver, real, attribute, pointer)
                .or_else(|| converted!(C, driver, SQLSetConnectAttr, real, (attribute, pointer, length))),
        }
    };
    // SAFETY: a text option's value is a terminated text.
    let pending = || unsafe { pending::<C>(attribute, pointer, length) };
    // SAFETY: as above.
    set_connect(
        Function::SQLSetConnectOption,
        dbc,
        attribute,
        unsafe { attribute_in::<C>(attribute, pointer, length) },
        pending,
        driver_call,
    )
}

fn set_connect(
    function: Function,
    dbc: Handle,
    attribute: i32,
    value: AttributeIn<'_>,
    pending: impl FnOnce() -> PendingAttribute,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16> + Copy,
) -> i16 {
    let Some(connection) = CONNECTIONS.get(Token::from_handle(dbc)) else { return rc::INVALID_HANDLE };
    if connection.state.lock().connected {
        return dispatch::dbc(function, dbc, || Call::SetConnectAttr { attribute, value }, driver_call);
    }
    guard(&connection.core.diagnostics, || {
        if attribute == APP_WCHAR_TYPE {
            return connection.core.diagnostics.post(Outcome::error("HYC00", "Unicode functions take UTF-16 only"));
        }
        let mut state = connection.state.lock();
        state.pending.retain(|known| known.attribute != attribute);
        state.pending.push(pending());
        drop(state);
        if connection.core.real().is_some() {
            return forward(&connection.core, driver_call);
        }
        connection.core.diagnostics.clear();
        rc::SUCCESS
    })
}

unsafe fn text_of<'a, C: Width>(value: Pointer, bytes: i32) -> TextIn<'a> {
    let length = if bytes < 0 { bytes as isize } else { bytes as isize / size_of::<C>() as isize };
    // SAFETY: passed on from the caller.
    unsafe { TextIn::new(value.cast::<C>(), length) }
}

unsafe fn attribute_in<'a, C: Width>(attribute: i32, value: Pointer, length: i32) -> AttributeIn<'a> {
    match shape::connection(attribute) {
        // SAFETY: passed on from the caller.
        Shape::Text => AttributeIn::Text(unsafe { text_of::<C>(value, length) }),
        Shape::Number(_) => AttributeIn::Number(value as isize as i64),
        Shape::Address => AttributeIn::Address,
    }
}

unsafe fn pending<C: Width>(attribute: i32, value: Pointer, length: i32) -> PendingAttribute {
    let value = match shape::connection(attribute) {
        Shape::Text => {
            // SAFETY: passed on from the caller.
            let text = unsafe { text_of::<C>(value, length) }.read().unwrap_or_default();
            match C::WIDE {
                true => PendingValue::Text(text.encode_utf16().chain([0]).collect()),
                false => PendingValue::Bytes(encode_bytes(&text).into_iter().chain([0]).collect()),
            }
        }
        _ => PendingValue::Word(value as usize),
    };
    PendingAttribute { attribute, value, length, wide: C::WIDE }
}

/// Sets on the real connection, now that there is one, the attributes that were set before connecting. Refusals are not
/// reported, because driver managers ignore them too.
pub fn apply_pending(connection: &Connection) {
    let Some((driver, real)) = connection.core.real() else { return };
    let all = connection.state.lock().pending.clone();
    for pending in &all {
        let (pointer, length) = match &pending.value {
            PendingValue::Word(word) => (*word as Pointer, pending.length),
            PendingValue::Text(units) => (units.as_ptr() as Pointer, odbc_sys::NTS as i32),
            PendingValue::Bytes(bytes) => (bytes.as_ptr() as Pointer, odbc_sys::NTS as i32),
        };
        if pending.attribute == ANSI_APP && driver.ansi.SQLSetConnectAttr.is_none() {
            // A driver manager sets it through this function or not at all.
            continue;
        }
        // SAFETY: the attribute's own kind of value, alive during the call.
        unsafe {
            match pending.wide {
                true => set_attribute::<u16>(driver, real, pending.attribute, pointer, length),
                false => set_attribute::<u8>(driver, real, pending.attribute, pointer, length),
            };
        }
    }
}

/// Calls the driver's SQLSetConnectAttr, or ODBC 2's SQLSetConnectOption if the driver has no SQLSetConnectAttr.
unsafe fn set_attribute<C: Width>(
    driver: &'static Driver,
    real: Handle,
    attribute: i32,
    value: Pointer,
    length: i32,
) -> Option<i16> {
    let symbols = C::symbols(driver);
    // SAFETY: the application's arguments.
    unsafe {
        match (symbols.SQLSetConnectAttr, symbols.SQLSetConnectOption) {
            (Some(set), _) => Some(set(real, attribute, value, length)),
            (None, _) if driver.converts::<C>() => {
                converted!(C, driver, SQLSetConnectAttr, real, (attribute, value, length))
                    .or_else(|| set_option::<C>(driver, real, attribute, value))
            }
            (None, set) => set.map(|set| CONNECTION.option(attribute, |option| set(real, option, value as usize))),
        }
    }
}

/// Returns whether the driver manager uses the driver's function of the other width.
fn claims<C: Width>(driver: &Driver, function: Function) -> bool {
    !C::WIDE || driver.claims(function)
}

/// Calls SQLSetConnectOption of the other width.
unsafe fn set_option<C: Width>(driver: &'static Driver, real: Handle, attribute: i32, value: Pointer) -> Option<i16> {
    let set =
        C::Other::symbols(driver).SQLSetConnectOption.filter(|_| claims::<C>(driver, Function::SQLSetConnectOption))?;
    let text = match shape::connection(attribute) {
        // SAFETY: a text option's value is a terminated text, or null.
        Shape::Text => unsafe { text_of::<C>(value, odbc_sys::NTS as i32) }.read(),
        _ => None,
    };
    let text = text.map(|text| {
        let mut units = C::convert(&C::units(&text), usize::MAX);
        units.push(C::Other::ZERO);
        units
    });
    let value = text.as_ref().map_or(value as usize, |text| text.as_ptr() as usize);
    // SAFETY: the application's number, or a live terminated text.
    Some(CONNECTION.option(attribute, |option| unsafe { set(real, option, value) }))
}

/// The attributes that a driver manager passes on to an ODBC 2 driver as options. The driver's own are passed on as
/// well.
struct Options(RangeInclusive<i32>);
const CONNECTION: Options = Options(101..=112);
const STATEMENT: Options = Options(0..=14);
const DRIVERS_OWN: i32 = 20000;

impl Options {
    fn option(&self, attribute: i32, call: impl FnOnce(u16) -> i16) -> i16 {
        match attribute >= DRIVERS_OWN || self.0.contains(&attribute) {
            true => call(attribute as u16),
            false => NO_SUCH_OPTION,
        }
    }
}

/// SQL_MAX_OPTION_STRING_LENGTH: what an ODBC 2 application reserves for a text option, in characters.
const OPTION_TEXT: usize = 256;

/// Calls the driver's SQLGetConnectAttr, or ODBC 2's SQLGetConnectOption if the driver has no SQLGetConnectAttr.
pub(in crate::entry) unsafe fn get_attribute<C: Width>(
    driver: &'static Driver,
    real: Handle,
    attribute: i32,
    value: Pointer,
    cap: i32,
    length: *mut i32,
) -> Option<i16> {
    let symbols = C::symbols(driver);
    // SAFETY: the application's arguments.
    unsafe {
        match (symbols.SQLGetConnectAttr, symbols.SQLGetConnectOption) {
            (Some(get), _) => Some(get(real, attribute, value, cap, length)),
            (None, Some(get)) if C::WIDE || !driver.converts::<C>() => {
                Some(CONNECTION.option(attribute, |option| get(real, option, value)))
            }
            (None, _) if driver.converts::<C>() => {
                let room = usize::try_from(cap).unwrap_or(0) / size_of::<C>();
                converted!(C, driver, SQLGetConnectAttr, real, (attribute, value, cap, length))
                    .or_else(|| get_option::<C>(driver, real, attribute, value, room))
            }
            (None, _) => None,
        }
    }
}

/// Calls SQLGetConnectOption of the other width. `room` is the application's, in characters.
unsafe fn get_option<C: Width>(
    driver: &'static Driver,
    real: Handle,
    attribute: i32,
    value: Pointer,
    room: usize,
) -> Option<i16> {
    /// The size of unixODBC's own buffer.
    const RESERVED: usize = 1024;
    let get =
        C::Other::symbols(driver).SQLGetConnectOption.filter(|_| claims::<C>(driver, Function::SQLGetConnectOption))?;
    let is_text = shape::connection(attribute) == Shape::Text && !value.is_null() && room > 0;
    let mut text = [C::Other::ZERO; RESERVED];
    let target = if is_text { text.as_mut_ptr().cast() } else { value };
    // SAFETY: the application's buffer for a number, or one of our own.
    let code = CONNECTION.option(attribute, |option| unsafe { get(real, option, target) });
    if is_text && rc::succeeded(code) {
        // SAFETY: the application's buffer and its capacity.
        unsafe { give_text::<C>(&text, value.cast(), room) };
    }
    Some(code)
}

pub unsafe fn SQLGetConnectAttr<C: Width>(
    dbc: Handle,
    attribute: i32,
    value: Pointer,
    cap: i32,
    length: *mut i32,
) -> i16 {
    let buffer = Buffer {
        pointer: value,
        capacity: cap as isize,
        length: LengthOut::from(length),
        wide: C::WIDE,
        sizes_numbers: false,
    };
    get_connect(Function::SQLGetConnectAttr, dbc, attribute, buffer, |driver, real| {
        // SAFETY: the application's arguments.
        unsafe { get_attribute::<C>(driver, real, attribute, value, cap, length) }
    })
}

pub unsafe fn SQLGetConnectOption<C: Width>(dbc: Handle, option: u16, value: Pointer) -> i16 {
    let attribute = i32::from(option);
    let buffer = Buffer {
        pointer: value,
        capacity: (OPTION_TEXT * size_of::<C>()) as isize,
        length: LengthOut::None,
        wide: C::WIDE,
        sizes_numbers: false,
    };
    get_connect(Function::SQLGetConnectOption, dbc, attribute, buffer, |driver, real| {
        let symbols = C::symbols(driver);
        let room = match shape::connection(attribute) {
            Shape::Text => OPTION_TEXT * size_of::<C>(),
            _ => size_of::<i32>(),
        } as i32;
        let length = &mut 0i32 as *mut i32;
        // SAFETY: the application's arguments, and a live variable.
        unsafe {
            match (symbols.SQLGetConnectOption, symbols.SQLGetConnectAttr) {
                (Some(get), _) => Some(get(real, option, value)),
                (None, Some(get)) => Some(get(real, attribute, value, room, length)),
                (None, None) if driver.converts::<C>() => get_option::<C>(driver, real, attribute, value, OPTION_TEXT)
                    .or_else(|| converted!(C, driver, SQLGetConnectAttr, real, (attribute, value, room, length))),
                (None, None) => None,
            }
        }
    })
}

/// SQL_ATTR_CONNECTION_DEAD.
const CONNECTION_DEAD: i32 = 1209;

fn get_connect(
    function: Function,
    dbc: Handle,
    attribute: i32,
    buffer: Buffer,
    driver_call: impl Fn(&'static Driver, Handle) -> Option<i16> + Copy,
) -> i16 {
    // SAFETY: the buffer holds what the attribute's page says.
    let out = unsafe { Out::shaped(shape::connection(attribute), buffer) };
    let Some(connection) = CONNECTIONS.get(Token::from_handle(dbc)) else { return rc::INVALID_HANDLE };
    if attribute == CONNECTION_DEAD && connection.state.lock().is_stale() {
        // A driver manager that is about to take it from its pool opens another connection instead.
        return guard(&connection.core.diagnostics, || {
            if let Out::Number(number) | Out::Sized(SizedOut { number, .. }) = out {
                number.write(1);
            }
            connection.core.diagnostics.clear();
            rc::SUCCESS
        });
    }
    if connection.state.lock().connected || connection.core.real().is_some() {
        return dispatch::dbc(function, dbc, || question(Key::Attribute, attribute, out), driver_call);
    }
    guard(&connection.core.diagnostics, || {
        let kept =
            connection.state.lock().pending.iter().find(|known| known.attribute == attribute).and_then(|known| {
                match known.value {
                    PendingValue::Word(word) => Some(word as i64),
                    _ => None,
                }
            });
        match (kept, out) {
            (Some(kept), Out::Number(number) | Out::Sized(SizedOut { number, .. })) => {
                number.write(kept);
                connection.core.diagnostics.clear();
                rc::SUCCESS
            }
            _ => connection.core.diagnostics.post(Outcome::error("08003", "the connection is not open")),
        }
    })
}

fn question(name: Key, attribute: i32, out: Out) -> Call<'static> {
    Call::Ask(Question { inputs: vec![(name, In::Int(i64::from(attribute)))], outputs: vec![("value", out)] })
}

pub unsafe fn SQLSetStmtAttr<C: Width>(stmt: Handle, attribute: i32, value: Pointer, length: i32) -> i16 {
    if let Some(role) = DescriptorRole::of_attribute(attribute) {
        return descriptors::attach::<C>(stmt, role, Token::from_handle(value), length);
    }
    dispatch::stmt(
        Function::SQLSetStmtAttr,
        stmt,
        // SAFETY: a number, or an address the application keeps valid as the attribute's page says.
        || Call::SetStmtAttr { attribute, value: unsafe { Place::new(value) } },
        // SAFETY: the application's arguments.
        |driver, real| unsafe {
            let own = C::symbols(driver).SQLSetStmtAttr;
            // No statement attribute is a text, so there is nothing to convert. For the ANSI function, a driver manager
            // uses whichever the driver has.
            let other = C::Other::symbols(driver).SQLSetStmtAttr.filter(|_| !C::WIDE || driver.converts::<C>());
            match (own.or(other), driver.ansi.SQLSetStmtOption) {
                (Some(set), _) => Some(set(real, attribute, value, length)),
                (None, Some(set)) if !C::WIDE => {
                    Some(STATEMENT.option(attribute, |option| set(real, option, value as usize)))
                }
                (None, _) => None,
            }
        },
    )
}

pub unsafe fn SQLSetStmtOption(stmt: Handle, option: u16, value: usize) -> i16 {
    dispatch::stmt(
        Function::SQLSetStmtOption,
        stmt,
        // SAFETY: a number; no statement option is an address.
        || Call::SetStmtAttr { attribute: i32::from(option), value: unsafe { Place::new(value as Pointer) } },
        // SAFETY: the application's arguments.
        |driver, real| unsafe { Some((driver.ansi.SQLSetStmtOption?)(real, option, value)) },
    )
}

pub unsafe fn SQLGetStmtAttr<C: Width>(
    stmt: Handle,
    attribute: i32,
    value: Pointer,
    cap: i32,
    length: *mut i32,
) -> i16 {
    if let Some(role) = DescriptorRole::of_attribute(attribute) {
        // SAFETY: the application's out-pointer for a handle.
        return unsafe { descriptors::descriptor_of::<C>(stmt, role, value.cast(), length) };
    }
    let buffer = Buffer {
        pointer: value,
        capacity: cap as isize,
        length: LengthOut::from(length),
        wide: C::WIDE,
        sizes_numbers: false,
    };
    // SAFETY: the buffer holds what the attribute's page says.
    let out = unsafe { Out::shaped(shape::statement(attribute), buffer) };
    dispatch::stmt(
        Function::SQLGetStmtAttr,
        stmt,
        || question(Key::Attribute, attribute, out),
        |driver, real| {
            let own = C::symbols(driver).SQLGetStmtAttr;
            let other = C::Other::symbols(driver).SQLGetStmtAttr.filter(|_| driver.converts::<C>());
            // SAFETY: the application's arguments.
            unsafe {
                match (own.or(other), driver.ansi.SQLGetStmtOption) {
                    (Some(get), _) => Some(get(real, attribute, value, cap, length)),
                    (None, Some(get)) if !C::WIDE => {
                        Some(STATEMENT.option(attribute, |option| get(real, option, value)))
                    }
                    (None, _) => None,
                }
            }
        },
    )
}

pub unsafe fn SQLGetStmtOption(stmt: Handle, option: u16, value: Pointer) -> i16 {
    let buffer = Buffer { pointer: value, capacity: 0, length: LengthOut::None, wide: false, sizes_numbers: false };
    // SAFETY: every statement option is a number.
    let out = unsafe { Out::shaped(shape::statement(i32::from(option)), buffer) };
    dispatch::stmt(
        Function::SQLGetStmtOption,
        stmt,
        || question(Key::Attribute, i32::from(option), out),
        |driver, real| {
            // SAFETY: the application's arguments.
            unsafe { Some((driver.ansi.SQLGetStmtOption?)(real, option, value)) }
        },
    )
}
