//! Asks the driver the same question with room of super8's own. A question with too small a buffer or none has a whole
//! answer, and the recording needs it.
#![allow(unsafe_code)]

use super::other_width::in_width;
use super::special::{column_attribute, get_attribute};
use crate::args::{Buffer, LengthOut, Out, Reply, Unit, WatchedOut, shape};
use crate::call::Question;
use crate::real::{Driver, Handle, Width};
use crate::table::Function;
use std::ffi::c_void;
use super8_cassette::Key;

/// The room for a text, in bytes and in characters. Drivers multiply an SQLSMALLINT length by up to three, in an
/// SQLSMALLINT.
const BYTES: usize = 10_920;
const CHARACTERS: usize = 4_095;

/// Room for every output of a question.
struct Room {
    text: Vec<u16>,
    short: i16,
    long: i32,
    value: isize,
    size: usize,
    shorts: [i16; 5],
}

/// Returns what the driver says when there is room for everything. `text` is the question's text as the application
/// gave it. `None` if the driver has no such function, or this function is not asked again.
pub(super) fn ask_again(
    driver: &'static Driver,
    real: Handle,
    function: Function,
    question: &Question<'_>,
    text: Option<&str>,
) -> Option<(i16, Vec<Reply>)> {
    let wide = question.outputs.iter().find_map(|(_, out)| match out {
        Out::Text(text) => Some(text.is_wide()),
        _ => None,
    });
    match wide {
        Some(true) => ask::<u16>(driver, real, function, question, text),
        Some(false) => ask::<u8>(driver, real, function, question, text),
        None => ask::<u8>(driver, real, function, question, text)
            .or_else(|| ask::<u16>(driver, real, function, question, text)),
    }
}

fn ask<C: Width>(
    driver: &'static Driver,
    real: Handle,
    function: Function,
    question: &Question<'_>,
    given: Option<&str>,
) -> Option<(i16, Vec<Reply>)> {
    let mut given: Vec<C> = given.map(|text| C::units(text).into_iter().chain([C::ZERO]).collect()).unwrap_or_default();
    let given_length = given.len().checked_sub(1);
    // The answer is about as long as the question.
    let bytes = BYTES + 4 * given.len();
    if given_length.is_some() {
        // The driver may write to what was given: SQLite's cuts it where the room for the answer ends.
        given.resize(bytes / size_of::<C>(), C::ZERO);
    }
    let mut room = Room { text: vec![0; bytes / 2], short: 0, long: 0, value: 0, size: 0, shorts: [0; 5] };
    let outputs = outputs::<C>(function, question, &mut room, bytes)?;
    let watched: Vec<_> = outputs.iter().map(Out::watch).collect();
    let int = |name| question.int(name).unwrap_or_default();
    let text: *mut c_void = room.text.as_mut_ptr().cast();
    let (characters, bytes) = (bytes / size_of::<C>(), bytes);
    let (short, long, value, size) = (&raw mut room.short, &raw mut room.long, &raw mut room.value, &raw mut room.size);
    let [a, b, c, d, e] = room.shorts.each_mut().map(|short| short as *mut i16);
    // SAFETY: the driver's function with live buffers of our own and their true capacities.
    let code = unsafe {
        match function {
            Function::SQLGetInfo => {
                in_width!(C, driver, SQLGetInfo, real, (int(Key::Info) as u16, text, BYTES as i16, short))
            }
            Function::SQLGetConnectAttr => {
                get_attribute::<C>(driver, real, int(Key::Attribute) as i32, text, bytes as i32, long)
            }
            Function::SQLNativeSql => {
                let (sql, length) = (given.as_mut_ptr().cast_const(), given_length? as i32);
                let out: *mut C = text.cast();
                in_width!(C, driver, SQLNativeSql, real, (sql, length, out, characters as i32, long))
            }
            Function::SQLDescribeCol => {
                let (column, name, room) = (int(Key::Column) as u16, text.cast::<C>(), CHARACTERS as i16);
                in_width!(C, driver, SQLDescribeCol, real, (column, name, room, short, a, size, b, c))
            }
            Function::SQLColAttribute | Function::SQLColAttributes => {
                let asked = (int(Key::Column) as u16, int(Key::Field) as u16);
                column_attribute::<C>(function, driver, real, asked, (text, BYTES as i16, short, value))
            }
            Function::SQLGetCursorName => {
                in_width!(C, driver, SQLGetCursorName, real, (text.cast::<C>(), CHARACTERS as i16, short))
            }
            Function::SQLGetDescField => {
                let (record, field) = (int(Key::Record) as i16, int(Key::Field) as i16);
                in_width!(C, driver, SQLGetDescField, real, (record, field, text, bytes as i32, long))
            }
            Function::SQLGetDescRec => {
                let (record, name, room) = (int(Key::Record) as i16, text.cast::<C>(), CHARACTERS as i16);
                in_width!(C, driver, SQLGetDescRec, real, (record, name, room, short, a, b, value, c, d, e))
            }
            _ => None,
        }?
    };
    Some((code, watched.into_iter().map(WatchedOut::reply).collect()))
}

/// Returns how many bytes the driver writes of a number. Finds it out with a buffer that is filled with one byte value
/// and then with another.
pub(super) fn number_width(
    driver: &'static Driver,
    real: Handle,
    function: Function,
    question: &Question<'_>,
) -> Option<u8> {
    let int = |name| question.int(name).unwrap_or_default();
    let (ansi, wide) = (&driver.ansi, &driver.wide);
    let (mut short, mut long) = (0i16, 0i32);
    let mut last = |fill: u8| {
        let mut room = vec![fill; BYTES];
        let place: *mut c_void = room.as_mut_ptr().cast();
        // SAFETY: the driver's function with a live buffer of our own and its true capacity.
        unsafe {
            match function {
                Function::SQLGetInfo => {
                    (ansi.SQLGetInfo.or(wide.SQLGetInfo)?)(real, int(Key::Info) as u16, place, BYTES as i16, &mut short)
                }
                Function::SQLGetConnectAttr => {
                    let get = ansi.SQLGetConnectAttr.or(wide.SQLGetConnectAttr)?;
                    get(real, int(Key::Attribute) as i32, place, BYTES as i32, &mut long)
                }
                Function::SQLGetDescField => {
                    let get = ansi.SQLGetDescField.or(wide.SQLGetDescField)?;
                    get(real, int(Key::Record) as i16, int(Key::Field) as i16, place, BYTES as i32, &mut long)
                }
                _ => return None,
            }
        };
        room.iter().rposition(|byte| *byte != fill)
    };
    let width = last(0xA5).max(last(0x5A))? + 1;
    u8::try_from(width).ok()
}

/// Returns the question's outputs, with places in `room`.
fn outputs<C: Width>(function: Function, question: &Question<'_>, room: &mut Room, bytes: usize) -> Option<Vec<Out>> {
    let text = room.text.as_mut_ptr();
    let buffer = |length| Buffer {
        pointer: text.cast(),
        capacity: bytes.min(BYTES) as isize,
        length,
        wide: C::WIDE,
        sizes_numbers: function == Function::SQLGetInfo,
    };
    let (short, long) = (&raw mut room.short, &raw mut room.long);
    let [a, b, c, d, e] = room.shorts.each_mut().map(|short| short as *mut i16);
    let in_characters = |capacity: usize, length| {
        // SAFETY: the room's own text.
        unsafe { Out::text(text.cast::<C>(), capacity as isize, length, Unit::Characters) }
    };
    let shape = match question.outputs.first()? {
        (_, Out::Text(_)) => shape::Shape::Text,
        (_, Out::Address(_)) => return None,
        (_, out) => shape::Shape::Number(out.size()?),
    };
    // SAFETY: the places are the room's own, of the types the function writes.
    Some(unsafe {
        match function {
            Function::SQLGetInfo => vec![Out::shaped(shape, buffer(LengthOut::from(short)))],
            Function::SQLGetConnectAttr | Function::SQLGetDescField => {
                vec![Out::shaped(shape, buffer(LengthOut::from(long)))]
            }
            Function::SQLNativeSql => vec![in_characters(bytes / size_of::<C>(), LengthOut::from(long))],
            Function::SQLGetCursorName => vec![in_characters(CHARACTERS, LengthOut::from(short))],
            Function::SQLDescribeCol => vec![
                in_characters(CHARACTERS, LengthOut::from(short)),
                Out::number(a),
                Out::number(&raw mut room.size),
                Out::number(b),
                Out::number(c),
            ],
            Function::SQLColAttribute | Function::SQLColAttributes => vec![
                match shape {
                    shape::Shape::Text => Out::shaped(shape, buffer(LengthOut::from(short))),
                    _ => Out::number(short),
                },
                Out::number(&raw mut room.value),
            ],
            Function::SQLGetDescRec => vec![
                in_characters(CHARACTERS, LengthOut::from(short)),
                Out::number(a),
                Out::number(b),
                Out::number(&raw mut room.value),
                Out::number(c),
                Out::number(d),
                Out::number(e),
            ],
            _ => return None,
        }
    })
}
