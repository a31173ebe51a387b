//! SQLGetFunctions' three forms as a list of functions, and back.

use crate::args::Place;
use crate::table::Function;
use super8_cassette::Value;

/// SQL_API_ALL_FUNCTIONS: an array of 100 flags.
const ALL: u16 = 0;
/// SQL_API_ODBC3_ALL_FUNCTIONS: a bitmap of 4,000 bits.
const ODBC3_ALL: u16 = 999;

/// What a driver answered: a list of functions, or a flag for a single one.
pub fn to_value(asked: u16, supported: Place) -> Value {
    match asked {
        ALL => names((0..100).filter(|api| supported.u16_at(usize::from(*api)) == Some(1))),
        ODBC3_ALL => names(
            (0..4000)
                .filter(|api| supported.u16_at(usize::from(api >> 4)).is_some_and(|word| word >> (api & 15) & 1 == 1)),
        ),
        _ => Value::Int(i128::from(supported.u16_at(0).unwrap_or(0))),
    }
}

fn names(ids: impl Iterator<Item = u16>) -> Value {
    Value::List(ids.map(|api| name(api).map_or(Value::from(api), Value::from)).collect())
}

fn name(api: u16) -> Option<&'static str> {
    Function::ROWS.iter().find(|row| row.api == api).map(|row| row.name)
}

fn id(value: &Value) -> Option<u16> {
    match value {
        Value::Text(name) => Function::ROWS.iter().find(|row| row.name == name).map(|row| row.api),
        number => number.as_int().and_then(|id| u16::try_from(id).ok()),
    }
}

/// The ids a recorded list names.
pub fn ids(value: &Value) -> Vec<u16> {
    value.as_list().unwrap_or_default().iter().filter_map(id).collect()
}

/// Writes a list of functions in the form that was asked for.
pub fn write(asked: u16, ids: &[u16], supported: Place) {
    match asked {
        ALL => (0..100).for_each(|api| supported.set_u16_at(usize::from(api), u16::from(ids.contains(&api)))),
        ODBC3_ALL => {
            let mut words = [0u16; 250];
            for id in ids {
                if let Some(word) = words.get_mut(usize::from(id >> 4)) {
                    *word |= 1 << (id & 15);
                }
            }
            words.iter().enumerate().for_each(|(at, word)| supported.set_u16_at(at, *word));
        }
        api => supported.set_u16_at(0, u16::from(ids.contains(&api))),
    }
}
