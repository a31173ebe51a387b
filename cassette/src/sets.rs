//! Parameter arrays: up to 16 sets stand in the log. Larger arrays go to a rows member of their own, `a_1_execute.csv`.
//!
//! In the log `params_file` and `types` then replace `params`. `types` has one type for each column: `integer`,
//! `float`, `text` or the C type of a typed value. Arrays with a column of mixed types stay in the log.

use csv::ByteRecord;

use crate::cell::{self, Cell};
use crate::row::Row;
use crate::store::{EntryRef, RowBlock, Store};
use crate::value::float_text;
use crate::{CassetteError, Entry, Fields, Key, Value, check};

/// The most sets that an array in the log may have.
pub const INLINE_SETS: usize = 16;

/// An array on its way to a member of its own.
pub(crate) struct Sets {
    types: Vec<String>,
    /// The encoded rows.
    pub(crate) rows: RowBlock,
}

impl Sets {
    /// Returns the parameters of an entry, if they are an array that goes to a member.
    pub(crate) fn of(entry: &Entry, encode: impl Fn(&Row, &mut RowBlock)) -> Option<Sets> {
        let sets = entry.get(Key::Params)?.as_list().filter(|sets| sets.len() > INLINE_SETS)?;
        let width = sets.first()?.as_list()?.len();
        let mut types: Vec<Option<&str>> = vec![None; width];
        let mut row = Row::new();
        let mut rows = RowBlock::default();
        for set in sets {
            let values = set.as_list().filter(|values| values.len() == width)?;
            row.clear();
            for (column, value) in values.iter().enumerate() {
                let kind = kind(value)?;
                match (types[column], kind) {
                    (_, None) => {}
                    (None, kind) => types[column] = kind,
                    (known, kind) if known == kind => {}
                    _ => return None,
                }
                set_cell(&mut row, column, value);
            }
            encode(&row, &mut rows);
        }
        Some(Sets { types: types.into_iter().map(|kind| kind.unwrap_or("text").to_owned()).collect(), rows })
    }

    /// Returns the entry with the member's name in place of the parameters.
    pub(crate) fn named(&self, entry: &Entry, member: &str) -> Entry {
        let mut fields = Fields::new();
        for (key, value) in &entry.fields {
            if *key == Key::Params {
                fields.add(Key::ParamsFile, member);
                fields.add(Key::Types, self.types.clone());
            } else {
                fields.push((*key, value.clone()));
            }
        }
        Entry { fields, ..*entry }
    }
}

/// Says whether a field stands in the log as it is, because it is not an array that goes to a member.
pub fn stays_in_log(key: Key, value: &Value) -> bool {
    key != Key::Params || value.as_list().is_none_or(|sets| sets.len() <= INLINE_SETS)
}

/// Returns the type of a value's column. `Some(None)` for NULL, which fits any type; `None` for what a cell cannot hold.
fn kind(value: &Value) -> Option<Option<&str>> {
    match value {
        Value::Null => Some(None),
        Value::Int(_) => Some(Some("integer")),
        Value::Float(_) => Some(Some("float")),
        Value::Text(_) => Some(Some("text")),
        Value::Map(pairs) => match &pairs[..] {
            [(name, Value::Text(_))] if name != "sha256" => Some(Some(name)),
            _ => None,
        },
        _ => None,
    }
}

fn set_cell(row: &mut Row, column: usize, value: &Value) {
    match value {
        Value::Int(number) => row.set(column, Cell::Plain(itoa::Buffer::new().format(*number).as_bytes())),
        Value::Float(number) => row.set(column, Cell::Plain(float_text(*number).as_bytes())),
        Value::Text(text) => row.set(column, Cell::Text(text.as_bytes())),
        Value::Map(pairs) => match pairs.first() {
            Some((_, Value::Text(text))) => row.set(column, Cell::Text(text.as_bytes())),
            _ => row.set(column, Cell::Null),
        },
        _ => row.set(column, Cell::Null),
    }
}

/// Reads an entry with its parameters, which may be in a member of their own, as if they stood in it.
///
/// # Errors
/// The entry or the member cannot be read, with file and line.
pub fn entry(store: &dyn Store, place: EntryRef) -> Result<Entry, CassetteError> {
    let mut entry = store.checked_entry(place)?;
    let Some(at) = entry.fields.iter().position(|(key, _)| *key == Key::ParamsFile) else { return Ok(entry) };
    let (file, line) = store.locate(place);
    let wrong = |key: Key, problem: &str| {
        CassetteError::new(&file, problem)
            .at_line(line.into())
            .at_path(key.name())
            .advice("correct it, or record again")
    };
    let member =
        entry.fields[at].1.as_text().ok_or_else(|| wrong(Key::ParamsFile, "is not the name of a file"))?.to_owned();
    let types = entry.get(Key::Types).and_then(Value::as_list).unwrap_or_default();
    let types: Option<Vec<String>> = types.iter().map(|kind| kind.as_text().map(str::to_owned)).collect();
    let types = types.ok_or_else(|| wrong(Key::Types, "is not a list of types"))?;
    let mut rows =
        store.rows(&member).map_err(|error| store.refuse_member(place, Key::ParamsFile.name(), &member, &error))?;
    let (mut record, mut scratch, mut sets) = (ByteRecord::new(), Vec::new(), Vec::new());
    while rows.next(&mut record)? {
        let mut values = Vec::with_capacity(types.len());
        let misfit = |column: usize, problem: String| {
            let error = CassetteError::new(rows.file(), problem).at_line(rows.line());
            error.at_path(format!("field {}", column + 1)).advice("correct it, or record again")
        };
        for (column, kind) in types.iter().enumerate() {
            let value = record.get(column).and_then(|field| value(kind, field, &mut scratch));
            values.push(value.ok_or_else(|| misfit(column, format!("there is no value of type {kind}")))?);
        }
        if record.len() > types.len() {
            return Err(misfit(types.len(), format!("`types` has only {} types", types.len())));
        }
        sets.push(Value::List(values));
    }
    entry.fields[at] = (Key::Params, Value::List(sets));
    entry.fields.retain(|(key, _)| *key != Key::Types);
    match check::rowset(&entry) {
        Ok(()) => Ok(entry),
        Err(wrong) => Err(store.refuse_entry(place, wrong)),
    }
}

fn value(kind: &str, field: &[u8], scratch: &mut Vec<u8>) -> Option<Value> {
    scratch.clear();
    let text = match cell::decode(field, scratch).ok()? {
        Cell::Null => return Some(Value::Null),
        Cell::Text(text) | Cell::Plain(text) => std::str::from_utf8(text).ok()?,
        _ => return None,
    };
    Some(match kind {
        "integer" => Value::Int(text.parse().ok()?),
        "float" => Value::Float(match text {
            ".inf" => f64::INFINITY,
            "-.inf" => f64::NEG_INFINITY,
            ".nan" => f64::NAN,
            number => number.parse().ok()?,
        }),
        "text" => Value::from(text),
        name => Value::Map(vec![(name.to_owned(), Value::from(text))]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionId, Directory, Method};

    fn sets_of(entry: &Entry) -> Option<Sets> {
        let store = Directory::read(std::path::Path::new("x")).unwrap();
        Sets::of(entry, |row, block| store.encode_row(row, block))
    }

    fn array(sets: usize) -> Entry {
        let set = |number: usize| {
            Value::List(vec![
                Value::from(number),
                Value::Float(number as f64 / 3.0),
                Value::from(format!("line {number}\n, \"quoted\" \\N").as_str()),
                if number.is_multiple_of(2) {
                    Value::Null
                } else {
                    Value::Map(vec![("TYPE_DATE".into(), "2001-01-31".into())])
                },
            ])
        };
        Entry::new(Method::Execute, ConnectionId(0), Some(1))
            .with(Key::Params, Value::List((0..sets).map(set).collect()))
    }

    #[test]
    fn only_long_arrays_of_one_type_a_column_leave_the_log() {
        assert!(sets_of(&array(16)).is_none());
        let sets = sets_of(&array(17)).unwrap();
        assert_eq!(sets.types, ["integer", "float", "text", "TYPE_DATE"]);
        assert_eq!(sets.rows.bytes().iter().filter(|byte| **byte == b'\n').count(), 17, "a line a set");
        let mut mixed = array(17);
        if let Value::List(sets) = &mut mixed.fields[0].1 {
            sets[3] = Value::List(vec![Value::from("x"), Value::Null, Value::Null, Value::Null]);
        }
        assert!(sets_of(&mixed).is_none(), "a text among integers");
    }

    #[test]
    fn every_value_comes_back() {
        let given = array(20);
        let sets = sets_of(&given).unwrap();
        let mut reader = crate::RowsReader::new(sets.rows.bytes(), std::path::Path::new("rows.csv"));
        let (mut record, mut scratch) = (ByteRecord::new(), Vec::new());
        let mut number = 0;
        while reader.next(&mut record).unwrap() {
            let expected = given.get(Key::Params).unwrap().as_list().unwrap()[number].as_list().unwrap();
            for (column, kind) in sets.types.iter().enumerate() {
                assert_eq!(value(kind, &record[column], &mut scratch).as_ref(), Some(&expected[column]));
            }
            number += 1;
        }
        assert_eq!(number, 20);
    }
}
