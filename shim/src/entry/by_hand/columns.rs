//! SQLColAttribute and ODBC 2's SQLColAttributes: one function id, so a driver that has one of them serves both. And
//! SQLExtendedFetch, whose counter of rows is an argument.
#![allow(unsafe_code)]

use crate::args::shape::{self, Shape};
use crate::args::{Buffer, In, LengthOut, Out, Place};
use crate::call::{Call, Question};
use crate::entry::{Handle, Pointer, enter};
use crate::handles::{STATEMENTS, Token};
use crate::real::{Driver, Width};
use crate::table::Function;

/// Fields whose numbers differ: ODBC 2's and ODBC 3's count, name and nullability.
const RENUMBERED: [(u16, u16); 3] = [(0, 1001), (1, 1011), (7, 1008)];

macro_rules! column_attribute {
    ($name:ident, $other:ident, $renumber:expr) => {
        pub unsafe fn $name<C: Width>(
            stmt: Handle,
            column: u16,
            field: u16,
            text: Pointer,
            cap: i16,
            length: *mut i16,
            value: *mut isize,
        ) -> i16 {
            let deed = |driver: &'static Driver, real| {
                let symbols = C::symbols(driver);
                // SAFETY: the application's arguments; the other function differs in three numbers only.
                unsafe {
                    match (symbols.$name, symbols.$other) {
                        (Some(get), _) => Some(get(real, column, field, text, cap, length, value)),
                        (None, get) => Some(get?(real, column, $renumber(field), text, cap, length, value)),
                    }
                }
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
                let inputs = vec![("column", In::Int(i64::from(column))), ("field", In::Int(i64::from(field)))];
                Call::Ask(Question { inputs, outputs })
            };
            enter::stmt(Function::$name, stmt, call, deed)
        }
    };
}

column_attribute!(SQLColAttribute, SQLColAttributes, |field| RENUMBERED
    .iter()
    .find(|(_, new)| *new == field)
    .map_or(field, |(old, _)| *old));
column_attribute!(SQLColAttributes, SQLColAttribute, |field| RENUMBERED
    .iter()
    .find(|(old, _)| *old == field)
    .map_or(field, |(_, new)| *new));

/// A recording has to know how many rows there are: the driver is lent a counter where the application gives none.
pub unsafe fn SQLExtendedFetch(
    stmt: Handle,
    orientation: u16,
    offset: isize,
    rows: *mut usize,
    status: *mut u16,
) -> i16 {
    let front = STATEMENTS.get(Token::from_handle(stmt)).map(|statement| &statement.front);
    let counter = match front {
        Some(front) if rows.is_null() && front.moded() => front.row_counter.as_ptr(),
        _ => rows,
    };
    enter::stmt(
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
