//! SQLError, SQLGetDiagRec, SQLGetDiagField: the shim's own records first, else the real driver's.
#![allow(unsafe_code)]

use crate::args::{
    Buffer, In, LengthOut, NumberOut, Out, Unit, decode_bytes, decode_wide, encode_bytes, encode_wide, has_stray_bytes,
    shape,
};
use crate::call::{Call, Question};
use crate::diagnostics::{Diagnostic, Diagnostics, Origin, Outcome, rc};
use crate::entry::dispatch::{DBC, DESC, ENV, RealCall, STMT, guard};
use crate::entry::{Handle, Pointer};
use crate::handles::{CONNECTIONS, DESCRIPTORS, ENVIRONMENTS, HandleCore, STATEMENTS, Token};
use crate::real::{Driver, Width};
use crate::real::{from_codeset, to_codeset};
use crate::table::Function;
use odbc_sys::HeaderDiagnosticIdentifier as Id;
use super8_cassette::Key;

/// More records than any driver keeps; a driver that never says SQL_NO_DATA must not hang the application.
const MOST: i16 = 100;

/// The diagnostic side of a handle: the shim's own area, and the real handle if the driver may be asked.
struct Side {
    diagnostics: &'static Diagnostics,
    real: Option<(&'static Driver, Handle)>,
    intercepted: bool,
}

impl Side {
    /// Takes the driver's records over: the driver manager asks this way because the shim exports the function, and the driver
    /// only knows another way.
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

/// Hands one record out.
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
        // ANSI text of a driver that has no Unicode function for it.
        true => out.fill(&decode_wide(&from_codeset(&encode_bytes(&record.message)))),
        false => out.fill(&record.message),
    };
    let told = match (text.is_null(), cap) {
        (true, _) => record.in_pieces && !record.message.is_empty(),
        (false, 0) => cut && !record.silent_without_room,
        _ => cut,
    };
    if told { rc::SUCCESS_WITH_INFO } else { rc::SUCCESS }
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
    let driver_call = |driver: &'static Driver, real| {
        // SAFETY: the application's arguments, its handle translated.
        unsafe { Some((C::symbols(driver).SQLGetDiagField?)(kind, real, record, field, value, cap, length)) }
    };
    let buffer = Buffer {
        pointer: value,
        capacity: cap as isize,
        length: LengthOut::from(length),
        wide: C::WIDE,
        sizes_numbers: false,
    };
    // SAFETY: the buffer holds what the field's entry on the reference page says.
    let out = unsafe { Out::shaped(shape::diagnostic(field), buffer) };
    if let (STMT, true, Some(statement)) = (kind, side.intercepted && is_about_execution(field), STATEMENTS.get(token))
    {
        // What only the driver knows of the execution is a question like others; it does not clear the records.
        let Some(mode) = statement.mode.lock().clone() else { return rc::INVALID_HANDLE };
        let inputs = vec![(Key::Record, In::Int(i64::from(record))), (Key::Field, In::Int(i64::from(field)))];
        let question = Call::Ask(Question { inputs, outputs: vec![("value", out)] });
        let real = RealCall { kind, core: &statement.core, driver_call: &driver_call };
        return guard(side.diagnostics, || mode.serve(Function::SQLGetDiagField, &question, &real).rc);
    }
    if let Some((driver, real)) = side.real
        && !side.intercepted
        && !side.diagnostics.posted()
    {
        if let Some(code) = driver_call(driver, real) {
            return code;
        }
        side.take(kind, driver, real);
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
        Ok(Field::Message { text, in_pieces: true }) if C::WIDE && out.length_of(&text) >= i64::from(cap) => {
            if let Out::Text(out) = out {
                out.write_unterminated(&text);
                out.write_length(2 * C::units(&text).len() as i64);
            }
            rc::SUCCESS_WITH_INFO
        }
        Ok(Field::Text(words) | Field::Message { text: words, .. }) => match out.fill(&words) {
            true => rc::SUCCESS_WITH_INFO,
            false => rc::SUCCESS,
        },
        Err(code) => code,
    }
}

/// How many characters of a message a driver that gives it out in pieces takes for the size of a field's buffer. psqlodbc counts one
/// and a half for each byte of a wide one, and writes no terminator where the piece is longer.
fn room(diagnostics: &Diagnostics, cap: i16, wide: bool) -> usize {
    let bytes = cap.max(0) as usize;
    match wide && diagnostics.record(1, 0).is_some_and(|first| first.in_pieces) {
        true => bytes * 3 / 2 + 1,
        false => bytes,
    }
}

/// Header fields that tell of the statement's execution, not of its records.
fn is_about_execution(field: i16) -> bool {
    [Id::RowCount, Id::CursorRowCount, Id::DynamicFunction, Id::DynamicFunctionCode]
        .iter()
        .any(|known| id(*known) == field)
}

fn id(field: Id) -> i16 {
    field as i32 as i16
}

/// The fields of a record that say where it comes from, in the order [`Origin`] keeps them.
const ORIGINS: [Id; 4] = [Id::ClassOrigin, Id::SubclassOrigin, Id::ConnectionName, Id::ServerName];

/// SQL_NO_ROW_NUMBER and SQL_NO_COLUMN_NUMBER.
const NO_NUMBER: i64 = -1;

/// A field of the shim's own records.
enum Field {
    Number(i64),
    Text(String),
    /// The message, and whether it is one of those that come in pieces.
    Message {
        text: String,
        in_pieces: bool,
    },
}

/// The field of a record (or of the header) that the shim keeps; the return code where there is none. A message in pieces is cut for
/// so many characters.
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
        return Ok(Field::Text(String::new()));
    }
    let number = usize::try_from(record).ok().filter(|number| *number > 0).ok_or(rc::ERROR)?;
    let found = diagnostics.record(number, if header(Id::MessageText) { room } else { 0 }).ok_or(rc::NO_DATA)?;
    if let Some(index) = ORIGINS.iter().position(|known| header(*known)) {
        return found.origin.fields[index]
            .clone()
            .unwrap_or_else(|| Ok(found.usual_origin(index).to_owned()))
            .map(Field::Text);
    }
    let fields: [(Id, Field); 5] = [
        (Id::SqlState, Field::Text(found.sqlstate)),
        (Id::MessageText, Field::Message { text: found.message, in_pieces: found.in_pieces }),
        (Id::Native, Field::Number(i64::from(found.native))),
        (Id::RowNumber, Field::Number(found.row.unwrap_or(NO_NUMBER))),
        (Id::ColumnNumber, Field::Number(found.column.map_or(NO_NUMBER, i64::from))),
    ];
    fields.into_iter().find(|(known, _)| header(*known)).map(|(_, field)| field).ok_or(rc::ERROR)
}

/// All of the driver's records for a handle, read at once: a driver forgets them at the next call. Some drivers forget
/// them as they are read and word them differently through SQLError, so they are read the way the driver manager would.
pub fn drain(kind: i16, core: &HandleCore) -> Vec<Diagnostic> {
    let Some((driver, real)) = core.real() else { return Vec::new() };
    drain_handle(kind, driver, real, core.reads_by_error())
}

fn drain_handle(kind: i16, driver: &Driver, real: Handle, by_error_first: bool) -> Vec<Diagnostic> {
    let by_record = || (1..=MOST).map_while(|number| by_number(driver, kind, real, number)).collect::<Vec<_>>();
    let by_error = || (0..MOST).map_while(|_| by_pop(driver, kind, real)).collect::<Vec<_>>();
    let by_error_first = by_error_first || (reads_errors_wide(driver) && kind != DESC);
    let records = if by_error_first { by_error() } else { by_record() };
    let mut records = match records.is_empty() {
        true if by_error_first => by_record(),
        true => by_error(),
        false => records,
    };
    if driver.converted {
        // The application reads what the driver manager makes of it in the codeset.
        for record in &mut records {
            record.message = decode_bytes(&to_codeset(&encode_wide(&record.message), usize::MAX));
        }
    }
    records
}

/// Whether unixODBC reads records through SQLErrorW: it takes SQLGetDiagRecW only together with SQLGetDiagFieldW, and either
/// before any ANSI function.
pub(super) fn reads_errors_wide(driver: &Driver) -> bool {
    let wide = &driver.wide;
    wide.SQLError.is_some() && !(wide.SQLGetDiagRec.is_some() && wide.SQLGetDiagField.is_some())
}

/// Room for a message: driver managers read 512 characters, some drivers write far more.
const MESSAGE: i16 = 8192;

fn by_number(driver: &Driver, kind: i16, real: Handle, number: i16) -> Option<Diagnostic> {
    // The fields first: some drivers forget a record once it is read.
    let (row, column) = place(driver, kind, real, number);
    let origin = origin(driver, kind, real, number);
    let known = driver.in_pieces.get().copied();
    let room = if known == Some(true) { i16::MAX } else { MESSAGE };
    let mut read = record(driver, kind, real, number, room).filter(Read::succeeded)?;
    let in_pieces = kind == STMT && number == 1 && known.unwrap_or_else(|| gives_pieces(driver, real, &read));
    let silent_without_room = number == 1 && is_silent(driver, kind, real, &read);
    if room < i16::MAX
        && (in_pieces || read.length >= room - 1)
        && let Some(whole) = record(driver, kind, real, number, i16::MAX).filter(Read::succeeded)
    {
        read = whole;
    }
    let record = read.record;
    let origin = origin.differing_from(&record);
    Some(Diagnostic { row, column, in_pieces, silent_without_room, origin, ..record })
}

/// Whether the driver makes as many records of a statement's message as the first buffer's size asks for: into a buffer for
/// one character it gives the first, and says that this is all. Asked once, of a message with more.
fn gives_pieces(driver: &Driver, statement: Handle, whole: &Read) -> bool {
    whole.length > 1
        && driver.in_pieces.get().copied().unwrap_or_else(|| {
            let first = record(driver, STMT, statement, 1, 2);
            let pieces = first.is_some_and(|first| first.code == rc::SUCCESS && first.length == 1);
            // Another thread may have found the same meanwhile.
            let _ = driver.in_pieces.set(pieces);
            pieces
        })
}

/// Whether the driver says SQL_SUCCESS to a buffer for no character at all. Asked once, of a message.
fn is_silent(driver: &Driver, kind: i16, real: Handle, whole: &Read) -> bool {
    whole.length > 1
        && *driver.silent_without_room.get_or_init(|| {
            record(driver, kind, real, 1, 0).is_some_and(|read| read.code == rc::SUCCESS && read.length == whole.length)
        })
}

fn record(driver: &Driver, kind: i16, real: Handle, number: i16, room: i16) -> Option<Read> {
    // SAFETY: `read` gives live buffers and their capacity in characters.
    unsafe {
        match (driver.wide.SQLGetDiagRec, driver.ansi.SQLGetDiagRec) {
            (Some(get), _) => Some(read(room, |state, native, text, length| {
                get(kind, real, number, state, native, text, room, length)
            })),
            (None, get) => {
                let get = get?;
                Some(read(room, |state, native, text, length| {
                    get(kind, real, number, state, native, text, room, length)
                }))
            }
        }
    }
}

fn by_pop(driver: &Driver, kind: i16, real: Handle) -> Option<Diagnostic> {
    let (env, dbc, stmt) = by_kind(kind, real);
    // SAFETY: as above.
    let read = unsafe {
        match (driver.wide.SQLError, driver.ansi.SQLError) {
            (Some(pop), _) => {
                read(MESSAGE, |state, native, text, length| pop(env, dbc, stmt, state, native, text, MESSAGE, length))
            }
            (None, pop) => {
                let pop = pop?;
                read(MESSAGE, |state, native, text, length| pop(env, dbc, stmt, state, native, text, MESSAGE, length))
            }
        }
    };
    read.succeeded().then_some(read.record)
}

/// SQLError's three handles: the one it is about, the others null.
fn by_kind(kind: i16, real: Handle) -> (Handle, Handle, Handle) {
    let null: Handle = std::ptr::null_mut();
    match kind {
        STMT => (null, null, real),
        DBC => (null, real, null),
        _ => (real, null, null),
    }
}

/// A record as a driver gave it.
struct Read {
    code: i16,
    length: i16,
    record: Diagnostic,
}

impl Read {
    fn succeeded(&self) -> bool {
        rc::succeeded(self.code)
    }
}

/// Reads one record through a function that fills a state, a native code, a message of `room` characters, a length.
fn read<C: Width>(room: i16, ask: impl FnOnce(*mut C, *mut i32, *mut C, *mut i16) -> i16) -> Read {
    let (mut state, mut text, mut native, mut length) = ([C::ZERO; 6], vec![C::ZERO; room as usize], 0i32, 0i16);
    let code = ask(state.as_mut_ptr(), &mut native, text.as_mut_ptr(), &mut length);
    let record = Diagnostic { sqlstate: C::text(&state), native, message: C::text(&text), ..Diagnostic::new("", "") };
    Read { code, length, record }
}

/// SQL_DIAG_ROW_NUMBER and SQL_DIAG_COLUMN_NUMBER, where the driver says something else than that there is none.
fn place(driver: &Driver, kind: i16, real: Handle, number: i16) -> (Option<i64>, Option<i32>) {
    use odbc_sys::HeaderDiagnosticIdentifier::{ColumnNumber, RowNumber};
    let (mut row, mut column, mut length) = (NO_NUMBER as isize, NO_NUMBER as i32, 0i16);
    // SAFETY: live variables of the types these two fields have.
    unsafe {
        if let Some(get) = driver.wide.SQLGetDiagField {
            get(kind, real, number, RowNumber as i32 as i16, (&raw mut row).cast(), 0, &mut length);
            get(kind, real, number, ColumnNumber as i32 as i16, (&raw mut column).cast(), 0, &mut length);
        } else if let Some(get) = driver.ansi.SQLGetDiagField {
            get(kind, real, number, RowNumber as i32 as i16, (&raw mut row).cast(), 0, &mut length);
            get(kind, real, number, ColumnNumber as i32 as i16, (&raw mut column).cast(), 0, &mut length);
        }
    }
    ((row != NO_NUMBER as isize).then_some(row as i64), (column != NO_NUMBER as i32).then_some(column))
}

/// SQL_DIAG_CLASS_ORIGIN, SUBCLASS_ORIGIN, CONNECTION_NAME and SERVER_NAME as the driver gives them.
fn origin(driver: &Driver, kind: i16, real: Handle, number: i16) -> Origin {
    // SAFETY: `field_text` gives a live buffer and its capacity in bytes.
    let ask = |field: i16| unsafe {
        match (driver.wide.SQLGetDiagField, driver.ansi.SQLGetDiagField) {
            (Some(get), _) => {
                Some(field_text::<u16>(|value, cap, length| get(kind, real, number, field, value, cap, length)))
            }
            (None, Some(get)) => {
                Some(field_text::<u8>(|value, cap, length| get(kind, real, number, field, value, cap, length)))
            }
            (None, None) => None,
        }
    };
    Origin { fields: ORIGINS.map(|field| ask(id(field))) }
}

/// A field that is text, or the return code of asking for it.
fn field_text<C: Width>(ask: impl FnOnce(Pointer, i16, *mut i16) -> i16) -> Result<String, i16> {
    const ROOM: usize = 256;
    let (mut buffer, mut length) = ([C::ZERO; ROOM], 0i16);
    let code = ask(buffer.as_mut_ptr().cast(), size_of_val(&buffer) as i16, &mut length);
    if rc::succeeded(code) { Ok(C::text(&buffer)) } else { Err(code) }
}
