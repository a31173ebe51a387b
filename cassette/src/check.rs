//! Checks that an entry, an answer or a column file says only what replay understands.
//!
//! Replay reads every entry through here, and so does `super8 check`. An unknown word is refused with its place and the
//! nearest right one, and so is an entry with more rows than the program asked for.

use std::path::Path;

use crate::cell::{self, Cell};
use crate::details::{Detail, Map};
use crate::entry::Fields;
use crate::faults;
use crate::inline::from_inline;
use crate::row::Row;
use crate::schema::{BY_HAND, Shape};
use crate::words::{C_TYPES, COLUMN_FIELDS, DESCRIBED, FUNCTIONS, RETURNS, TEXT_FIELDS};
use crate::{CassetteError, Entry, Key, Method, Value};

/// What is wrong with an entry, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The key of the entry.
    pub key: String,
    /// The place below it, such as `[1].return`.
    pub rest: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub advice: String,
}

impl Wrong {
    /// Makes a problem with the value of a key.
    pub fn new(key: &str, problem: impl Into<String>) -> Wrong {
        Wrong { key: key.to_owned(), rest: String::new(), problem: problem.into(), advice: CORRECT.to_owned() }
    }

    fn unknown<'w>(key: &str, word: &str, what: &str, known: impl Iterator<Item = &'w str>) -> Wrong {
        let known: Vec<&str> = known.collect();
        let near = similar::get_close_matches(word, &known, 1, 0.5);
        let advice = match near.first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", known.join(", ")),
        };
        Wrong { advice, ..Wrong::new(key, format!("`{word}` is not a known {what}")) }
    }

    /// Replaces what to do about it.
    #[must_use]
    pub fn advise(self, advice: impl Into<String>) -> Wrong {
        Wrong { advice: advice.into(), ..self }
    }

    /// Makes the problem with a count for which the program's arrays have no room.
    pub fn too_many(key: &str, count: i64, room: usize) -> Wrong {
        Wrong::new(key, format!("says {count}, and the program asked for {room}"))
    }

    /// Makes the error for it on a line of a file.
    pub fn error(self, file: &Path, line: u32) -> CassetteError {
        let path = format!("{}{}", self.key, self.rest);
        CassetteError::new(file, self.problem).at_line(line.into()).at_path(path).advice(self.advice)
    }

    /// Adapts the advice to a cassette that was never recorded.
    fn by_hand(self) -> Wrong {
        if self.advice == CORRECT { self.advise("correct it") } else { self }
    }

    fn inside(mut self, key: &str, place: impl std::fmt::Display) -> Wrong {
        let within = if self.key.is_empty() { String::new() } else { format!(".{}", self.key) };
        self.rest = format!("{place}{within}{}", self.rest);
        self.key = key.to_owned();
        self
    }
}

const CORRECT: &str = "correct it, or record again";

/// Converts pairs to fields by their names, which must be keys. `method` and `by_hand` say which keys the advice names.
///
/// # Errors
/// A name is no key.
pub(crate) fn keyed(method: Method, pairs: Vec<(String, Value)>, by_hand: bool) -> Result<Fields, Wrong> {
    let keyed = |(name, value): (String, Value)| match Key::from_name(&name) {
        Some(key) => Ok((key, value)),
        None => Err(unknown_key(method, &name, by_hand)),
    };
    pairs.into_iter().map(keyed).collect()
}

fn unknown_key(method: Method, name: &str, by_hand: bool) -> Wrong {
    let what = match method {
        Method::Answer => "key of an answer".to_owned(),
        method => format!("key of {}", method.name()),
    };
    let own = BY_HAND.into_iter().filter(|key| by_hand && method.takes_by_hand(*key)).map(Key::name);
    Wrong::unknown(name, name, &what, method.keys().chain(own))
}

/// Checks that an entry says only what replay understands.
///
/// # Errors
/// The first thing that replay does not understand.
pub fn check(entry: &Entry) -> Result<(), Wrong> {
    fields(entry.method, &entry.fields)?;
    rowset(entry)
}

/// Checks that an answer about a connection says only what replay understands.
///
/// # Errors
/// As for [`check`].
pub fn check_answer(answer: &Fields) -> Result<(), Wrong> {
    fields(Method::Answer, answer)?;
    counter(answer)
}

/// Checks that what is said of a driver's row counter can be a number of rows. With rows, it is recorded only if the driver
/// wrote another number than it fetched. That can be one row at most, because for a larger rowset the counter itself says
/// how many rows there are. At the end of data it may be any number up to the rowset, which is recorded with it.
fn counter(answer: &Fields) -> Result<(), Wrong> {
    let most = match answer.get(Key::About).and_then(Value::as_text) {
        Some("rows_fetched_with_rows") => 1,
        Some("rows_fetched_at_end") => answer.get(Key::Rowset).and_then(Value::as_int).unwrap_or(1),
        _ => return Ok(()),
    };
    match answer.get(Key::Result).and_then(Value::as_int) {
        Some(count) if !(0..=most).contains(&count) => {
            Err(Wrong::new("result", format!("says {count} rows, which no row counter says there")))
        }
        _ => Ok(()),
    }
}

fn fields(method: Method, fields: &Fields) -> Result<(), Wrong> {
    fields.iter().try_for_each(|(key, value)| match method.shape(*key) {
        Some(shape) => shaped(shape, key.name(), value),
        None => Err(unknown_key(method, key.name(), false)),
    })
}

/// Checks that the fields of an entry of a cassette written by hand have values of their form. What is particular to
/// such a cassette is checked where it is expanded.
///
/// # Errors
/// As for [`check`].
pub(crate) fn check_by_hand(method: Method, fields: &Fields) -> Result<(), Wrong> {
    let wrong = fields.iter().try_for_each(|(key, value)| match method.shape(*key) {
        _ if *key == Key::Match && method.takes_by_hand(*key) => shaped(Shape::Matching, key.name(), value),
        _ if *key == Key::Fault && method.takes_by_hand(*key) => {
            let kind = faults::written(value).map_err(|error| Wrong::new(key.name(), &error))?;
            // rows are written with the command that fetches them
            kind.unfit(method).map_or(Ok(()), |unfit| Err(Wrong::new(key.name(), unfit)))
        }
        _ if method.takes_by_hand(*key) => Ok(()),
        Some(shape) => shaped(shape, key.name(), value),
        None => Err(unknown_key(method, key.name(), true)),
    });
    wrong.map_err(Wrong::by_hand)
}

/// Checks that a column file says only what replay understands. The key of what is wrong is the number of the column, from 0.
///
/// # Errors
/// As for [`check`].
pub fn check_columns(columns: &Value) -> Result<(), Wrong> {
    let known = |key: &str| {
        DESCRIBED.contains(&key) || COLUMN_FIELDS.iter().any(|(_, name)| *name == key) || key.parse::<u16>().is_ok()
    };
    let Value::List(columns) = columns else { return Err(Wrong::new("", "is not a list of columns")) };
    columns.iter().enumerate().try_for_each(|(at, column)| {
        let Value::Map(pairs) = column else { return Err(Wrong::new(&at.to_string(), "is not a map")) };
        let wrong = |(key, value): &(String, Value)| match value {
            _ if !known(key) => {
                let names = DESCRIBED.into_iter().chain(COLUMN_FIELDS.iter().map(|(_, name)| *name));
                Some(Wrong::unknown(key, key, "field of a column", names))
            }
            Value::Int(number) if i64::try_from(*number).is_err() => Some(Wrong::new(key, "is not a 64-bit number")),
            Value::Int(_) if TEXT_FIELDS.contains(&key.as_str()) => {
                Some(Wrong::new(key, "is a number in place of text"))
            }
            Value::Text(_) if !TEXT_FIELDS.contains(&key.as_str()) && key.parse::<u16>().is_err() => {
                Some(Wrong::new(key, "is text in place of a number"))
            }
            Value::Int(_) | Value::Text(_) | Value::Null => None,
            _ => Some(Wrong::new(key, "is neither a number nor text")),
        };
        pairs.iter().find_map(wrong).map_or(Ok(()), |wrong| Err(wrong.inside(&at.to_string(), "")))
    })
}

/// Checks that a cell is a value of the C type with this name.
pub type Fits = fn(&Cell<'_>, &str) -> Result<(), String>;

/// Checks that those cells of an entry that are not rows of a result are values of their C types: output parameters,
/// what an operation on rows wrote, and what SQLGetData read apart from a row.
///
/// # Errors
/// The first cell that is not.
pub fn check_cells(entry: &Entry, fits: Fits) -> Result<(), Wrong> {
    let types = entry.get(Key::CTypes).and_then(Value::as_list).unwrap_or_default();
    let list = |key: Key| entry.get(key).and_then(Value::as_list);
    let several = |key: Key| list(key).is_some_and(|items| matches!(items.first(), Some(Value::List(_))));
    let rows = |key: Key, several: bool| match entry.get(key) {
        Some(rows @ Value::List(_)) if several => each(key.name(), rows, |row| row_fits(row, types, fits)),
        Some(row @ Value::List(_)) => row_fits(row, types, fits).map_err(|wrong| wrong.inside(key.name(), "")),
        _ => Ok(()),
    };
    match entry.method {
        Method::Run | Method::Execute => rows(Key::Result, several(Key::Result)),
        Method::MoreResults => rows(Key::Output, several(Key::Output)),
        Method::SetPos | Method::BulkOperations => rows(Key::Rows, true),
        Method::GetData => {
            let own = entry.get(Key::CType).map(std::slice::from_ref).unwrap_or_default();
            if let Some(value) = entry.get(Key::Result) {
                let row = Value::List(vec![value.clone()]);
                row_fits(&row, own, fits)
                    .map_err(|wrong| Wrong { rest: String::new(), ..wrong.inside("result", "") })?;
            }
            calls_fit("calls", entry.get(Key::Calls), fits)
        }
        method if method.is_rows() => {
            rows(Key::Written, true)?;
            let Some(outcomes) = entry.get(Key::Outcomes) else { return Ok(()) };
            each("outcomes", outcomes, |outcome| {
                calls_fit(Detail::GetData.name(), outcome.detail(Detail::GetData), fits)
            })
        }
        _ => Ok(()),
    }
}

fn row_fits(value: &Value, types: &[Value], fits: Fits) -> Result<(), Wrong> {
    let (mut row, mut scratch) = (Row::new(), Vec::new());
    from_inline(value, &mut row).map_err(|error| Wrong::new("", error.to_string()))?;
    row.fields().enumerate().try_for_each(|(column, field)| {
        let refused = |problem: String| Wrong { rest: format!("[{column}]"), ..Wrong::new("", problem) };
        let cell = cell::decode(&field, &mut scratch).map_err(|error| refused(error.to_string()))?;
        match types.get(column).and_then(Value::as_text) {
            Some(c_type) => fits(&cell, c_type).map_err(refused),
            None => Ok(()),
        }
    })
}

fn calls_fit(key: &str, calls: Option<&Value>, fits: Fits) -> Result<(), Wrong> {
    let Some(calls) = calls else { return Ok(()) };
    each(key, calls, |call| {
        let Some(value) = call.detail(Detail::Value) else { return Ok(()) };
        let c_type = call.detail(Detail::CType).map(std::slice::from_ref).unwrap_or_default();
        let fitted = row_fits(&Value::List(vec![value.clone()]), c_type, fits);
        fitted.map_err(|wrong| Wrong { rest: String::new(), ..wrong.inside(Detail::Value.name(), "") })
    })
}

/// Checks that a value has the form of its field.
fn shaped(shape: Shape, key: &str, value: &Value) -> Result<(), Wrong> {
    match shape {
        Shape::Any => Ok(()),
        Shape::Text if value.as_text().is_some() => Ok(()),
        Shape::Text => Err(Wrong { advice: "put it in quotes".to_owned(), ..Wrong::new(key, "is not text") }),
        Shape::Flag if matches!(value, Value::Bool(_)) => Ok(()),
        Shape::Flag => Err(Wrong::new(key, "is neither true nor false")),
        Shape::Count if matches!(value, Value::Int(0..=0xffff_ffff)) => Ok(()),
        Shape::Count => Err(Wrong::new(key, "is not a count")),
        Shape::Rows if matches!(value.as_int(), Some(0..)) => Ok(()),
        Shape::Rows => Err(Wrong::new(key, "is not a number of rows")),
        Shape::File if value.as_text().is_some() => Ok(()),
        Shape::File => Err(Wrong::new(key, "is not a file's name")),
        Shape::Return => code(key, value),
        Shape::Diagnostics => diagnostics(key, value),
        Shape::CType => c_type(key, value),
        Shape::CTypes => c_types(key, value),
        Shape::Types => each(key, value, |kind| match kind.as_text() {
            Some("integer" | "float" | "text") => Ok(()),
            _ => c_type("", kind),
        }),
        Shape::Function => word(key, value, "ODBC function", &FUNCTIONS),
        Shape::About => word(key, value, "subject of an answer", shape.words()),
        Shape::Reply => result(key, value),
        Shape::Cells => each(key, value, cells),
        Shape::Outcomes => each(key, value, row_outcome),
        Shape::Calls => each(key, value, get_data),
        Shape::Orientation => word(key, value, "orientation", shape.words()),
        Shape::Operation => word(key, value, "operation", shape.words()),
        Shape::Lock => word(key, value, "lock", shape.words()),
        Shape::ConnectAttribute => word(key, value, "attribute", shape.words()),
        Shape::ConnectAttributes | Shape::StatementAttributes => names(key, value, "attribute", shape.words()),
        Shape::Hidden => word(key, value, "word for secrets", shape.words()),
        Shape::Matching => word(key, value, "way to compare a text", shape.words()),
        Shape::Delay => {
            let time = match value {
                Value::Int(number) => faults::delay(&number.to_string()),
                Value::Float(number) => faults::delay(&number.to_string()),
                value => faults::delay(value.as_text().unwrap_or_default()),
            };
            time.map(drop).map_err(|error| Wrong::new(key, &error))
        }
        Shape::Fault => faults::written(value).map(drop).map_err(|error| Wrong::new(key, &error)),
    }
}

/// Checks a reply: a number of 64 bits, a text, or a map of these by the names of the outputs. SQLGetFunctions has a
/// list of functions.
fn result(key: &str, value: &Value) -> Result<(), Wrong> {
    match value {
        Value::Int(number) if i64::try_from(*number).is_err() => Err(Wrong::new(key, "is not a 64-bit number")),
        Value::List(_) => each(key, value, |function| match function {
            Value::Int(0..=0xffff) => Ok(()),
            Value::Text(_) => word("", function, "ODBC function", &FUNCTIONS),
            _ => Err(Wrong::new("", "is neither an ODBC function nor its number")),
        }),
        Value::Map(pairs) => {
            pairs.iter().try_for_each(|(name, value)| result(name, value).map_err(|wrong| wrong.inside(key, "")))
        }
        Value::Float(_) => Err(Wrong::new(key, "is neither a whole number nor text")),
        _ => Ok(()),
    }
}

/// Checks that a program's arrays, which have room for the rows it asked for, have room for what an entry says.
///
/// # Errors
/// There are more rows, more states or a larger count.
pub(crate) fn rowset(entry: &Entry) -> Result<(), Wrong> {
    let number = |key: Key| entry.get(key).and_then(Value::as_int);
    let room = match entry.method {
        Method::Fetch => match number(Key::Rowset) {
            Some(rows) => rows,
            // an older recording does not say what was asked for
            None => return Ok(()),
        },
        Method::FetchScroll | Method::BulkOperations => number(Key::Rowset).unwrap_or(1),
        Method::SetPos => number(Key::Rowset).unwrap_or(1).max(number(Key::Row).unwrap_or(1)),
        Method::Run | Method::Execute => match entry.get(Key::Params).and_then(Value::as_list) {
            Some(sets) if sets.iter().any(is_set) => sets.len() as i64,
            Some(_) => 1,
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    within(usize::try_from(room).unwrap_or_default(), |key| entry.get(key))
}

/// Says whether a value is a set of an array of parameters, or stands for one that is left out.
fn is_set(value: &Value) -> bool {
    matches!(value, Value::List(_)) || value.get("PARAM_IGNORE").is_some()
}

/// Checks that arrays with room for this many rows, or sets of parameters, have room for what a cassette says.
///
/// # Errors
/// There are more rows, more states or a larger count.
pub fn within<'e>(room: usize, get: impl Fn(Key) -> Option<&'e Value>) -> Result<(), Wrong> {
    for (key, rows) in [(Key::RowsFetched, "rows"), (Key::ParamsProcessed, "sets")] {
        if let Some(Value::Int(count)) = get(key)
            && !usize::try_from(*count).is_ok_and(|count| count <= room)
        {
            return Err(Wrong::new(key.name(), format!("says {count} {rows}, and the program asked for {room}")));
        }
    }
    for key in [Key::RowStatus, Key::ExtendedStatus, Key::ParamStatus, Key::Rows, Key::Written] {
        let rows = if key == Key::ParamStatus { "sets" } else { "rows" };
        if let Some(Value::List(items)) = get(key)
            && items.len() > room
        {
            let length = items.len();
            return Err(Wrong::new(key.name(), format!("is of {length} {rows}, and the program asked for {room}")));
        }
    }
    Ok(())
}

fn word(key: &str, value: &Value, what: &str, known: &[&str]) -> Result<(), Wrong> {
    match value {
        Value::Text(word) if !known.contains(&word.as_str()) => {
            Err(Wrong::unknown(key, word, what, known.iter().copied()))
        }
        Value::Text(_) | Value::Int(_) => Ok(()),
        _ => Err(Wrong::new(key, format!("is not a known {what}"))),
    }
}

fn names(key: &str, value: &Value, what: &str, known: &[&str]) -> Result<(), Wrong> {
    let Value::Map(pairs) = value else { return Err(Wrong::new(key, "is not a map")) };
    match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(Wrong::unknown(key, name, what, known.iter().copied())),
        None => Ok(()),
    }
}

fn code(key: &str, value: &Value) -> Result<(), Wrong> {
    match value {
        Value::Int(number) if i16::try_from(*number).is_ok() => Ok(()),
        Value::Text(name) if RETURNS.iter().any(|(_, known)| known == name) => Ok(()),
        Value::Text(name) => Err(Wrong::unknown(key, name, "return code", RETURNS.iter().map(|(_, name)| *name))),
        _ => Err(Wrong::new(key, "is not a return code")),
    }
}

fn c_type(key: &str, value: &Value) -> Result<(), Wrong> {
    match value {
        Value::Int(number) if i16::try_from(*number).is_ok() => Ok(()),
        Value::Text(name) if C_TYPES.contains(&name.as_str()) || name.parse::<i16>().is_ok() => Ok(()),
        Value::Text(name) => Err(Wrong::unknown(key, name, "C type", C_TYPES.iter().copied())),
        _ => Err(Wrong::new(key, "is not a C type")),
    }
}

fn c_types(key: &str, value: &Value) -> Result<(), Wrong> {
    let Value::List(items) = value else { return Err(Wrong::new(key, "is not a list of C types")) };
    let mut items = items.iter().enumerate().filter(|(_, item)| **item != Value::Null);
    items.try_for_each(|(at, item)| c_type("", item).map_err(|wrong| wrong.inside(key, format_args!("[{at}]"))))
}

/// Checks each item of a list.
fn each(key: &str, value: &Value, look: impl Fn(&Value) -> Result<(), Wrong>) -> Result<(), Wrong> {
    let Value::List(items) = value else { return Err(Wrong::new(key, "is not a list")) };
    let mut items = items.iter().enumerate();
    items.try_for_each(|(at, item)| look(item).map_err(|wrong| wrong.inside(key, format_args!("[{at}]"))))
}

/// Returns the pairs of a map that may have only its keys.
fn map(value: &Value, map: Map) -> Result<impl Iterator<Item = (Detail, &str, &Value)>, Wrong> {
    let Value::Map(pairs) = value else { return Err(Wrong::new("", "is not a map")) };
    let known = move |key: &str| Detail::from_name(key).filter(|detail| map.details().contains(detail));
    let unknown = |key: &str| {
        let names = map.details().iter().map(|detail| detail.name());
        Wrong::unknown(key, key, &format!("key of {}", map.doc().trim()), names)
    };
    pairs.iter().try_for_each(|(key, _)| known(key).map(drop).ok_or_else(|| unknown(key)))?;
    Ok(pairs.iter().filter_map(move |(key, value)| Some((known(key)?, key.as_str(), value))))
}

fn diagnostics(key: &str, value: &Value) -> Result<(), Wrong> {
    each(key, value, |record| {
        map(record, Map::Diagnostic)?.try_for_each(|(detail, key, value)| match detail {
            Detail::Sqlstate => match value.as_text() {
                // Allow five blanks: IBM's driver gives them if its message has no SQLSTATE.
                Some(state) if state.chars().count() <= 5 => Ok(()),
                _ => Err(Wrong::new(key, "is not an SQLSTATE: five characters, in quotes")),
            },
            Detail::Native => match value.as_int().map(i32::try_from) {
                Some(Ok(_)) => Ok(()),
                _ => Err(Wrong::new(key, "is not a 32-bit number")),
            },
            Detail::Message if value.as_text().is_none() => Err(Wrong::new(key, "is not text")),
            Detail::Row | Detail::Column if value.as_int().is_none() => Err(Wrong::new(key, "is not a number")),
            _ => Ok(()),
        })
    })
}

fn row_outcome(value: &Value) -> Result<(), Wrong> {
    let mut pairs = map(value, Map::Outcome)?;
    if !matches!(value.detail(Detail::Row), Some(Value::Int(1..))) {
        return Err(Wrong::new("", "has no `row`, the number of a row from 1"));
    }
    pairs.try_for_each(|(detail, key, value)| match (detail, value) {
        (Detail::Return, _) => code(key, value),
        (Detail::Diagnostics, _) => diagnostics(key, value),
        (Detail::Status, Value::Int(0..=0xffff)) => Ok(()),
        (Detail::Status, _) => Err(Wrong::new(key, "is not a row status")),
        (Detail::CTypes, Value::Map(types)) => {
            types.iter().try_for_each(|(column, name)| c_type(column, name).map_err(|wrong| wrong.inside(key, "")))
        }
        (Detail::CTypes, _) => Err(Wrong::new(key, "is not a map of C types by column")),
        (Detail::Lengths, Value::Map(lengths)) => match lengths.iter().find(|(_, length)| length.as_int().is_none()) {
            Some((column, _)) => Err(Wrong::new(column, "is not a length").inside(key, "")),
            None => Ok(()),
        },
        (Detail::Lengths, _) => Err(Wrong::new(key, "is not a map of lengths by column")),
        (Detail::GetData, _) => each(key, value, get_data),
        _ => Ok(()),
    })
}

fn get_data(call: &Value) -> Result<(), Wrong> {
    map(call, Map::GetDataCall)?.try_for_each(|(detail, key, value)| match detail {
        Detail::Return => code(key, value),
        Detail::Diagnostics => diagnostics(key, value),
        Detail::CType => c_type(key, value),
        _ => Ok(()),
    })
}

fn cells(value: &Value) -> Result<(), Wrong> {
    from_inline(value, &mut Row::new()).map_err(|error| Wrong::new("", error.to_string()))
}

#[cfg(test)]
mod tests;
