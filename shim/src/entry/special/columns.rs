//! SQLColAttribute and ODBC 2's SQLColAttributes, which share a function id, so that a driver with one of them serves
//! both. Also SQLExtendedFetch, whose row counter is an argument.
#![allow(unsafe_code)]

use crate::args::shape::{self, Shape};
use crate::args::{Buffer, In, LengthOut, Out, Place};
use crate::call::{Call, Question};
use crate::entry::dispatch;
use crate::entry::other_width::converted;
use crate::handles::{STATEMENTS, Token};
use crate::real::{Driver, Handle, Pointer, Width};
use crate::table::Function;
use super8_cassette::Key;

/// Fields that have another number in ODBC 3 than in ODBC 2: count, name, nullability.
const RENUMBERED: [(u16, u16); 3] = [(0, 1001), (1, 1011), (7, 1008)];
/// ODBC 3 fields that resemble an ODBC 2 field but are not the same: type, length, precision, scale.
const ALIKE: [(u16, u16); 4] = [(2, 1002), (3, 1003), (4, 1005), (5, 1006)];

macro_rules! on_driver {
    ($C:ty, $driver:ident, $real:ident, $name:ident, $other:ident, $renumbered:expr, ($column:expr, $field:expr, $($rest:expr),*)) => {
        match (<$C>::symbols($driver).$name, <$C>::symbols($driver).$other) {
            (Some(get), _) => Some(get($real, $column, $field, $($rest),*)),
            (None, Some(get)) => Some(get($real, $column, $renumbered, $($rest),*)),
            (None, None) if !$driver.converts::<$C>() => None,
            (None, None) => converted!($C, $driver, $name, $real, ($column, $field, $($rest),*))
                .or_else(|| converted!($C, $driver, $other, $real, ($column, $renumbered, $($rest),*))),
        }
    };
}

/// Calls SQLColAttribute or SQLColAttributes on the driver, or the other of the two, in which some fields have other
/// numbers.
pub(in crate::entry) unsafe fn column_attribute<C: Width>(
    function: Function,
    driver: &'static Driver,
    real: Handle,
    (column, field): (u16, u16),
    (text, cap, length, value): (Pointer, i16, *mut i16, *mut isize),
) -> Option<i16> {
    let to_odbc2 = || RENUMBERED.iter().chain(&ALIKE).find(|(_, new)| *new == field).map_or(field, |(old, _)| *old);
    let to_odbc3 = || RENUMBERED.iter().find(|(old, _)| *old == field).map_or(field, |(_, new)| *new);
    // SAFETY: the application's arguments.
    unsafe {
        match function {
            Function::SQLColAttribute => {
                on_driver!(
                    C,
                    driver,
                    real,
                    SQLColAttribute,
                    SQLColAttributes,
                    to_odbc2(),
                    (column, field, text, cap, length, value)
                )
            }
            _ => {
                on_driver!(
                    C,
                    driver,
                    real,
                    SQLColAttributes,
                    SQLColAttribute,
                    to_odbc3(),
                    (column, field, text, cap, length, value)
                )
            }
        }
    }
}

macro_rules! column_attribute {
    ($name:ident) => {
        pub unsafe fn $name<C: Width>(
            stmt: Handle,
            column: u16,
            field: u16,
            text: Pointer,
            cap: i16,
            length: *mut i16,
            value: *mut isize,
        ) -> i16 {
            // SAFETY: the application's arguments.
            let driver_call = |driver: &'static Driver, real| unsafe {
                column_attribute::<C>(Function::$name, driver, real, (column, field), (text, cap, length, value))
            };
            let call = || {
                let buffer = Buffer {
                    pointer: text,
                    capacity: cap as isize,
                    length: LengthOut::from(length),
                    wide: C::WIDE,
                    sizes_numbers: false,
                };
                // SAFETY: what the field's entry on the reference page says is behind the pointers. A driver may fill the
                // output that does not apply as well.
                let outputs = unsafe {
                    let beside = match shape::column(field) {
                        Shape::Text => ("text", Out::shaped(Shape::Text, buffer)),
                        _ => ("length", Out::number(length)),
                    };
                    vec![beside, ("value", Out::number(value))]
                };
                let inputs = vec![(Key::Column, In::Int(i64::from(column))), (Key::Field, In::Int(i64::from(field)))];
                Call::Ask(Question { inputs, outputs })
            };
            dispatch::stmt(Function::$name, stmt, call, driver_call)
        }
    };
}
column_attribute!(SQLColAttribute);
column_attribute!(SQLColAttributes);

/// Serves SQLExtendedFetch. A recording has to know how many rows there are, so the driver is lent a counter if the
/// application gives none.
pub unsafe fn SQLExtendedFetch(
    stmt: Handle,
    orientation: u16,
    offset: isize,
    rows: *mut usize,
    status: *mut u16,
) -> i16 {
    let core = STATEMENTS.get(Token::from_handle(stmt)).map(|statement| &statement.core);
    let counter = match core {
        Some(core) if rows.is_null() && core.intercepted() => core.row_counter.as_ptr(),
        _ => rows,
    };
    dispatch::stmt(
        Function::SQLExtendedFetch,
        stmt,
        // SAFETY: the application's arguments.
        || unsafe {
            Call::ExtendedFetch {
                orientation,
                offset,
                rows: Place::new(rows.cast()),
                status: Place::new(status.cast()),
            }
        },
        // SAFETY: the same, and a counter in a slot that is never freed.
        |driver, real| unsafe { Some((driver.ansi.SQLExtendedFetch?)(real, orientation, offset, counter, status)) },
    )
}
