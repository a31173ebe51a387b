//! SQLError, SQLGetDiagRec and SQLGetDiagField: the shim's own records first, else the real driver's.
#![allow(unsafe_code)]

use crate::args::{
    Buffer, Character, In, LengthOut, NumberOut, Out, Unit, decode_wide, encode_bytes, has_stray_bytes, shape,
};
use crate::call::{Call, Question};
use crate::diagnostics::{Diagnostic, Diagnostics, Outcome, rc};
use crate::entry::dispatch::{DBC, DESC, ENV, RealCall, STMT, guard};
use crate::entry::driver_records::{NO_NUMBER, ORIGINS, by_kind, drain_handle, id};
use crate::entry::other_width::give_text;
use crate::handles::{CONNECTIONS, DESCRIPTORS, ENVIRONMENTS, HandleCore, STATEMENTS, Token};
use crate::real::{Driver, Handle, Pointer, Width, from_codeset};
use crate::table::Function;
use odbc_sys::HeaderDiagnosticIdentifier as Id;
use super8_cassette::Key;

/// The diagnostics of a handle: the shim's own area, and the real handle if the driver may be asked.
struct Side {
    diagnostics: &'static Diagnostics,
    real: Option<(&'static Driver, Handle)>,
    intercepted: bool,
}

impl Side {
    /// Takes over the driver's records. The driver manager asks through a function that the shim exports but the driver
    /// does not have.
    fn take(&self, kind: i16, driver: &Driver, real: Handle) {
        let records = drain_handle(kind, driver, real, false);
        self.diagnostics.post(Outcome { rc: self.diagnostics.return_code(), diagnostics: records });
    }
}

fn side(kind: i16, token: Token) -> Option<Side> {
    let of = |core: &'static HandleCore| Side {
        diagnostics: &core.diagnostics,
        real: core.real(),
        intercepted: core.intercepted(),
    };
    match kind {
        ENV => ENVIRONMENTS.get(token).map(|environment| Side {
            diagnostics: &environment.diagnostics,
            real: environment.state.lock().real.first().map(|(driver, real)| (*driver, real.0 as Handle)),
            intercepted: false,
        }),
        DBC => CONNECTIONS.get(token).map(|connection| of(&connection.core)),
        STMT => STATEMENTS.get(token).map(|statement| of(&statement.core)),
        DESC => DESCRIPTORS.get(token).map(|descriptor| of(&descriptor.core)),
        _ => None,
    }
}

pub unsafe fn SQLError<C: Width>(
    env: Handle,
    dbc: Handle,
    stmt: Handle,
    state: *mut C,
    native: *mut i32,
    text: *mut C,
    cap: i16,
    length: *mut i16,
) -> i16 {
    let (kind, handle) = match (stmt.is_null(), dbc.is_null()) {
        (false, _) => (STMT, stmt),
        (true, false) => (DBC, dbc),
        (true, true) => (ENV, env),
    };
    let Some(side) = side(kind, Token::from_handle(handle)) else { return rc::INVALID_HANDLE };
    if let Some((driver, real)) = side.real
        && !side.intercepted
        && !side.diagnostics.posted()
    {
        let (env, dbc, stmt) = by_kind(kind, real);
        if let Some(error) = C::symbols(driver).SQLError {
            // SAFETY: the application's arguments, its handle translated.
            return unsafe { error(env, dbc, stmt, state, native, text, cap, length) };
        }
        side.take(kind, driver, real);
    }
    match side.diagnostics.pop(cap.max(0) as usize) {
        // SAFETY: the application's out-pointers.
        Some(record) => unsafe { give(&record, state, native, text, cap, length) },
        None => rc::NO_DATA,
    }
}

pub unsafe fn SQLGetDiagRec<C: Width>(
    kind: i16,
    handle: Handle,
    record: i16,
    state: *mut C,
    native: *mut i32,
    text: *mut C,
    cap: i16,
    length: *mut i16,
) -> i16 {
    let Some(side) = side(kind, Token::from_handle(handle)) else { return rc::INVALID_HANDLE };
    if let Some((driver, real)) = side.real
        && !side.intercepted
        && !side.diagnostics.posted()
    {
        if let Some(get) = C::symbols(driver).SQLGetDiagRec {
            // SAFETY: the application's arguments, its handle translated.
            return unsafe { get(kind, real, record, state, native, text, cap, length) };
        }
        side.take(kind, driver, real);
    }
    if record < 1 || cap < 0 {
        return rc::ERROR;
    }
    match side.diagnostics.record(record as usize, cap as usize) {
        // SAFETY: the application's out-pointers.
        Some(record) => unsafe { give(&record, state, native, text, cap, length) },
        None => rc::NO_DATA,
    }
}

/// Gives one record to the application.
unsafe fn give<C: Width>(
    record: &Diagnostic,
    state: *mut C,
    native: *mut i32,
    text: *mut C,
    cap: i16,
    length: *mut i16,
) -> i16 {
    // SAFETY: a state buffer holds six characters (the reference page of SQLGetDiagRec).
    unsafe { Out::text(state, 6, LengthOut::None, Unit::Characters) }.fill(&record.sqlstate);
    NumberOut::from(native).write(i64::from(record.native));
    // SAFETY: the application's buffer and its capacity.
    let out = unsafe { Out::text(text, cap as isize, LengthOut::from(length), Unit::Characters) };
    let cut = match C::WIDE && has_stray_bytes(&record.message) {
        // The text is ANSI text, from a driver that has no Unicode function for it.
        true => out.fill(&decode_wide(&from_codeset(&encode_bytes(&record.message)))),
        false => out.fill(&record.message),
    };
    let is_cut = match (text.is_null(), cap) {
        (true, _) => record.in_pieces && !record.message.is_empty(),
        (false, 0) => cut && !record.silent_without_room,
        _ => cut,
    };
    if is_cut { rc::SUCCESS_WITH_INFO } else { rc::SUCCESS }
}

pub unsafe fn SQLGetDiagField<C: Width>(
    kind: i16,
    handle: Handle,
    record: i16,
    field: i16,
    value: Pointer,
    cap: i16,
    length: *mut i16,
) -> i16 {
    let token = Token::from_handle(handle);
    let Some(side) = side(kind, token) else { return rc::INVALID_HANDLE };
    let is_drivers = shape::is_drivers_own(field);
    let driver_call = |driver: &'static Driver, real| {
        // SAFETY: the application's arguments, its handle translated.
        unsafe {
            match C::symbols(driver).SQLGetDiagField {
                Some(get) => Some(get(kind, real, record, field, value, cap, length)),
                None if is_drivers && driver.converts::<C>() => {
                    converted_field::<C>(driver, (kind, real), (record, field), (value, cap, length))
                }
                None => None,
            }
        }
    };
    let buffer = Buffer {
        pointer: value,
        capacity: cap as isize,
        length: LengthOut::from(length),
        wide: C::WIDE,
        sizes_numbers: false,
    };
    // SAFETY: the buffer holds what the field's entry on the reference page says.
    let out = unsafe { Out::shaped(shape::diagnostic(field, cap), buffer) };
    if side.intercepted && (is_drivers || kind == STMT && is_about_execution(field)) {
        // A field that only the driver knows is a question like others. It does not clear the records.
        let inputs = vec![(Key::Record, In::Int(i64::from(record))), (Key::Field, In::Int(i64::from(field)))];
        let question = Call::Ask(Question { inputs, outputs: vec![("value", out)] });
        let served = |core, serve: &dyn Fn(&RealCall<'_>) -> Outcome| {
            guard(side.diagnostics, || serve(&RealCall { kind, core, driver_call: &driver_call }).rc)
        };
        const ASKED: Function = Function::SQLGetDiagField;
        match kind {
            STMT => {
                let Some(statement) = STATEMENTS.get(token) else { return rc::INVALID_HANDLE };
                let Some(mode) = statement.mode.lock().clone() else { return rc::INVALID_HANDLE };
                return served(&statement.core, &|real| mode.serve(ASKED, &question, real));
            }
            DBC => {
                let Some(connection) = CONNECTIONS.get(token) else { return rc::INVALID_HANDLE };
                let Some(mode) = connection.mode.lock().clone() else { return rc::ERROR };
                return served(&connection.core, &|real| mode.serve(ASKED, &question, real));
            }
            _ => {}
        }
    }
    if let Some((driver, real)) = side.real
        && !side.intercepted
        && (is_drivers || !side.diagnostics.posted())
    {
        if let Some(code) = driver_call(driver, real) {
            return code;
        }
        if !is_drivers {
            side.take(kind, driver, real);
        }
    }
    match own_field(side.diagnostics, record, field, room(side.diagnostics, cap, C::WIDE)) {
        Ok(Field::Number(number)) => {
            match out {
                Out::Number(out) => out.write(number),
                Out::Sized(out) => out.write(number),
                _ => {}
            }
            rc::SUCCESS
        }
        Ok(Field::Text { text, in_pieces, message }) => {
            let fills = in_pieces && out.length_of(&text) >= i64::from(cap);
            if fills
                && message
                && C::WIDE
                && let Out::Text(out) = &out
            {
                out.write_unterminated(&text);
                out.write_length(2 * C::units(&text).len() as i64);
                return rc::SUCCESS_WITH_INFO;
            }
            // With such a driver, a text as long as the buffer counts as cut off, and so does any text if there is no
            // buffer.
            match out.fill(&text) || fills {
                true => rc::SUCCESS_WITH_INFO,
                false => rc::SUCCESS,
            }
        }
        Err(code) => code,
    }
}

/// Asks for a field of the driver's own through its function of the other width, as unixODBC does. A field with room
/// for bytes is a text.
unsafe fn converted_field<C: Width>(
    driver: &Driver,
    (kind, real): (i16, Handle),
    (record, field): (i16, i16),
    (value, cap, length): (Pointer, i16, *mut i16),
) -> Option<i16> {
    let get = C::Other::symbols(driver).SQLGetDiagField?;
    let room = usize::try_from(cap).unwrap_or(0) / size_of::<C>();
    if value.is_null() || room == 0 {
        // SAFETY: the application's buffer for a number.
        return Some(unsafe { get(kind, real, record, field, value, cap, length) });
    }
    let mut text = vec![C::Other::ZERO; room + 1];
    let (bytes, mut length_written) = (size_of_val(&text[..]).min(i16::MAX as usize) as i16, i16::MIN);
    // SAFETY: a live buffer and its size, and a live variable.
    let code = unsafe { get(kind, real, record, field, text.as_mut_ptr().cast(), bytes, &mut length_written) };
    if rc::succeeded(code) {
        // SAFETY: the application's buffer and its capacity.
        unsafe { give_text::<C>(&text, value.cast(), room) };
        if length_written != i16::MIN {
            let length_written = i64::from(length_written) * size_of::<C>() as i64 / size_of::<C::Other>() as i64;
            NumberOut::from(length).write(length_written);
        }
    }
    Some(code)
}

/// Returns how many characters of a message fit into a field's buffer for a driver that gives messages in pieces.
/// psqlodbc counts one and a half characters for each byte of a wide buffer, and writes no terminator if the piece is
/// longer.
fn room(diagnostics: &Diagnostics, cap: i16, wide: bool) -> usize {
    let bytes = cap.max(0) as usize;
    match wide && diagnostics.record(1, 0).is_some_and(|first| first.in_pieces) {
        true => bytes * 3 / 2 + 1,
        false => bytes,
    }
}

/// Returns whether a header field tells of the statement's execution, not of its records.
fn is_about_execution(field: i16) -> bool {
    [Id::RowCount, Id::CursorRowCount, Id::DynamicFunction, Id::DynamicFunctionCode]
        .iter()
        .any(|known| id(*known) == field)
}

/// A field of the shim's own records.
enum Field {
    Number(i64),
    /// A text, whether it is the message, and whether the driver gives messages in pieces.
    Text {
        text: String,
        message: bool,
        in_pieces: bool,
    },
}

/// Returns the field of a record (or of the header) that the shim keeps, or the return code if there is none. A message
/// in pieces is cut to `room` characters.
fn own_field(diagnostics: &Diagnostics, record: i16, field: i16, room: usize) -> Result<Field, i16> {
    let header = |known: Id| id(known) == field;
    if header(Id::Number) {
        return Ok(Field::Number(diagnostics.count() as i64));
    }
    if header(Id::ReturnCode) {
        return Ok(Field::Number(i64::from(diagnostics.return_code())));
    }
    if header(Id::RowCount) || header(Id::CursorRowCount) || header(Id::DynamicFunctionCode) {
        return Ok(Field::Number(0));
    }
    if header(Id::DynamicFunction) {
        return Ok(Field::Text { text: String::new(), message: false, in_pieces: false });
    }
    let number = usize::try_from(record).ok().filter(|number| *number > 0).ok_or(rc::ERROR)?;
    let found = diagnostics.record(number, if header(Id::MessageText) { room } else { 0 }).ok_or(rc::NO_DATA)?;
    if let Some(index) = ORIGINS.iter().position(|known| header(*known)) {
        return found.origin.fields[index]
            .clone()
            .unwrap_or_else(|| Ok(found.usual_origin(index).to_owned()))
            .map(|text| Field::Text { text, message: false, in_pieces: found.in_pieces });
    }
    let fields: [(Id, Field); 5] = [
        (Id::SqlState, Field::Text { text: found.sqlstate, message: false, in_pieces: found.in_pieces }),
        (Id::MessageText, Field::Text { text: found.message, message: true, in_pieces: found.in_pieces }),
        (Id::Native, Field::Number(i64::from(found.native))),
        (Id::RowNumber, Field::Number(found.row.unwrap_or(NO_NUMBER))),
        (Id::ColumnNumber, Field::Number(found.column.map_or(NO_NUMBER, i64::from))),
    ];
    fields.into_iter().find(|(known, _)| header(*known)).map(|(_, field)| field).ok_or(rc::ERROR)
}
