//! Reads the real driver's diagnostic records the way the driver manager would.
#![allow(unsafe_code)]

use super::dispatch::{DBC, DESC, STMT};
use crate::args::{decode_bytes, encode_wide};
use crate::diagnostics::{Diagnostic, Origin, rc};
use crate::driver::process::facts;
use crate::handles::HandleCore;
use crate::real::{Driver, Handle, Pointer, Width, to_codeset};
use odbc_sys::HeaderDiagnosticIdentifier as Id;

/// The limit on records, more than any driver keeps. A driver that never returns SQL_NO_DATA must not hang the
/// application.
pub const MOST: i16 = 100;
/// The fields of a record that say where it comes from, in the order in which [`Origin`] keeps them.
pub const ORIGINS: [Id; 4] = [Id::ClassOrigin, Id::SubclassOrigin, Id::ConnectionName, Id::ServerName];
/// SQL_NO_ROW_NUMBER and SQL_NO_COLUMN_NUMBER.
pub const NO_NUMBER: i64 = -1;

/// Reads all of the driver's records for a handle at once, because a driver forgets them at the next call. Some drivers
/// forget records as they are read, and word them differently through SQLError, so they are read the way the driver
/// manager would.
pub fn drain(kind: i16, core: &HandleCore) -> Vec<Diagnostic> {
    let Some((driver, real)) = core.real() else { return Vec::new() };
    drain_handle(kind, driver, real, core.reads_by_error())
}

/// Reads all records for one of the driver's handles.
pub fn drain_handle(kind: i16, driver: &Driver, real: Handle, by_error_first: bool) -> Vec<Diagnostic> {
    let by_record = || (1..=MOST).map_while(|number| by_number(driver, kind, real, number)).collect::<Vec<_>>();
    let by_error = || (0..MOST).map_while(|_| by_pop(driver, kind, real)).collect::<Vec<_>>();
    // iODBC uses SQLGetDiagRec wherever a driver has it.
    let by_error_first = !facts().iodbc && (by_error_first || (reads_errors_wide(driver) && kind != DESC));
    let records = if by_error_first { by_error() } else { by_record() };
    let mut records = match records.is_empty() {
        true if by_error_first => by_record(),
        true => by_error(),
        false => records,
    };
    if driver.converted {
        // The application reads the message as the driver manager converts it to the codeset.
        for record in &mut records {
            record.message = decode_bytes(&to_codeset(&encode_wide(&record.message), usize::MAX));
        }
    }
    records
}

/// Returns whether unixODBC reads records through SQLErrorW. It uses SQLGetDiagRecW only together with
/// SQLGetDiagFieldW, and prefers either to any ANSI function.
pub fn reads_errors_wide(driver: &Driver) -> bool {
    let wide = &driver.wide;
    wide.SQLError.is_some() && !(wide.SQLGetDiagRec.is_some() && wide.SQLGetDiagField.is_some())
}

/// Room for a message. Driver managers read 512 characters, but some drivers write far more.
const MESSAGE: i16 = 8192;

fn by_number(driver: &Driver, kind: i16, real: Handle, number: i16) -> Option<Diagnostic> {
    // Read the fields first, because some drivers forget a record once it is read.
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

/// Returns whether the driver splits a statement's message into as many records as the size of the first buffer calls
/// for. Such a driver gives one character into a buffer for one, and says that this is all. Asked once, with a message
/// of more characters.
fn gives_pieces(driver: &Driver, statement: Handle, whole: &Read) -> bool {
    whole.length > 1
        && driver.in_pieces.get().copied().unwrap_or_else(|| {
            let first = record(driver, STMT, statement, 1, 2);
            let pieces = first.is_some_and(|first| first.code == rc::SUCCESS && first.length == 1);
            // Another thread may have found out the same meanwhile.
            let _ = driver.in_pieces.set(pieces);
            pieces
        })
}

/// Returns whether the driver says SQL_SUCCESS if there is no buffer for the message. Asked once, with a message.
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

/// Returns SQLError's three handles: the one that it is about, and null for the others.
pub fn by_kind(kind: i16, real: Handle) -> (Handle, Handle, Handle) {
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

/// Reads one record through a function that fills a state, a native code, a message of `room` characters and a length.
/// Without room it passes no buffer at all, because Microsoft's driver for SQL Server writes a terminator before the
/// first character of a buffer without room.
fn read<C: Width>(room: i16, ask: impl FnOnce(*mut C, *mut i32, *mut C, *mut i16) -> i16) -> Read {
    let (mut state, mut text, mut native, mut length) = ([C::ZERO; 6], vec![C::ZERO; room as usize], 0i32, 0i16);
    let message = if room > 0 { text.as_mut_ptr() } else { std::ptr::null_mut() };
    let code = ask(state.as_mut_ptr(), &mut native, message, &mut length);
    let record = Diagnostic { sqlstate: C::text(&state), native, message: C::text(&text), ..Diagnostic::new("", "") };
    Read { code, length, record }
}

/// Returns SQL_DIAG_ROW_NUMBER and SQL_DIAG_COLUMN_NUMBER, unless the driver says that there are none.
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

/// Returns SQL_DIAG_CLASS_ORIGIN, SUBCLASS_ORIGIN, CONNECTION_NAME and SERVER_NAME as the driver gives them.
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

/// Returns a field that is text, or the return code of asking for it.
fn field_text<C: Width>(ask: impl FnOnce(Pointer, i16, *mut i16) -> i16) -> Result<String, i16> {
    const ROOM: usize = 256;
    let (mut buffer, mut length) = ([C::ZERO; ROOM], 0i16);
    let code = ask(buffer.as_mut_ptr().cast(), size_of_val(&buffer) as i16, &mut length);
    if rc::succeeded(code) { Ok(C::text(&buffer)) } else { Err(code) }
}

pub fn id(field: Id) -> i16 {
    field as i32 as i16
}
