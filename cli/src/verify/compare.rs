//! A recorded result against a live one: columns by what SQLDescribeCol says, rows cell by cell.

use super::plan::Execution;
use super::report::Kind;
use super8_cassette::inline::from_inline;
use super8_cassette::{Cassette, CassetteError, Cell, CutCell, Entry, Row, Value, cell};
use super8_client::{Column, Failure, Statement};
use super8_shim::convert::CType;

/// One difference.
pub struct Difference {
    /// What kind.
    pub kind: Kind,
    /// What is different.
    pub what: String,
    /// As recorded.
    pub recorded: String,
    /// As it is now.
    pub now: String,
}

impl Difference {
    fn new(kind: Kind, what: String, recorded: impl ToString, now: impl ToString) -> Difference {
        Difference { kind, what, recorded: recorded.to_string(), now: now.to_string() }
    }
}

/// Why a comparison stopped.
pub enum Trouble {
    /// The cassette cannot be read.
    Cassette(CassetteError),
    /// The driver failed, which it did not when it was recorded.
    Driver(Failure),
}

impl From<CassetteError> for Trouble {
    fn from(error: CassetteError) -> Trouble {
        Trouble::Cassette(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Driver(failure)
    }
}

/// The differences between a recorded columns file and the columns there are.
pub fn columns(recorded: &Value, now: &[Column]) -> Vec<Difference> {
    let recorded = recorded.as_list().unwrap_or_default();
    if recorded.len() != now.len() {
        return vec![Difference::new(Kind::Shape, "number of columns".to_owned(), recorded.len(), now.len())];
    }
    let mut found = Vec::new();
    for (number, (was, is)) in (1..).zip(recorded.iter().zip(now)) {
        let named = was.get("name").and_then(Value::as_text).filter(|name| *name != is.name);
        found.extend(named.map(|name| Difference::new(Kind::Shape, format!("column {number}: name"), name, &is.name)));
        for (attribute, now) in is.attributes {
            let before = was.get(attribute).and_then(Value::as_int).filter(|before| *before != now);
            let what = || format!("column {number} ({}): {attribute}", is.name);
            found.extend(before.map(|before| Difference::new(Kind::Shape, what(), before, now)));
        }
    }
    found
}

/// The first difference between the recorded rows and those there are now, if any; it says how many rows differ. Without
/// `values` only their number counts.
///
/// # Errors
/// See [`Trouble`].
pub fn rows(
    storage: &dyn Cassette,
    execution: &Execution,
    statement: &mut Statement<'_>,
    values: bool,
) -> Result<Option<Difference>, Trouble> {
    let (mut count, mut differing) = (0u64, 0u64);
    let mut first: Option<Difference> = None;
    for place in &execution.rows {
        let entry = storage.entry(*place)?;
        let types = Types::of(&entry);
        let mut within = 0;
        let one = |fields: &mut Fields<'_>| -> Result<bool, Trouble> {
            (count, within) = (count + 1, within + 1);
            if !statement.fetch()? {
                return Ok(false);
            }
            if values && let Some((column, recorded, now)) = row(fields, &types, within, statement)? {
                differing += 1;
                let what = || format!("row {count}, column {column}");
                first.get_or_insert_with(|| Difference::new(Kind::Data, what(), recorded, now));
            }
            Ok(true)
        };
        if !each_row(storage, &entry, one)? {
            let less = Difference::new(Kind::Data, "number of rows".to_owned(), format!("at least {count}"), count - 1);
            return Ok(Some(first.unwrap_or(less)));
        }
    }
    if execution.ended && statement.fetch()? {
        let more = Difference::new(Kind::Data, "number of rows".to_owned(), count, format!("at least {}", count + 1));
        return Ok(Some(first.unwrap_or(more)));
    }
    Ok(first.map(|first| match differing {
        1 => first,
        _ => Difference { what: format!("{} ({differing} rows differ)", first.what), ..first },
    }))
}

/// The encoded cells of a row.
type Fields<'a> = dyn Iterator<Item = &'a [u8]> + 'a;

/// Calls `one` with the fields of each row of an entry until it says false.
fn each_row<F>(storage: &dyn Cassette, entry: &Entry, mut one: F) -> Result<bool, Trouble>
where
    F: FnMut(&mut Fields<'_>) -> Result<bool, Trouble>,
{
    if let Some(file) = entry.get("rows_file").and_then(Value::as_text) {
        let (mut source, mut record) = (storage.rows(file)?, csv::ByteRecord::new());
        while source.next(&mut record)? {
            if !one(&mut record.iter())? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let single = entry.get("result").into_iter();
    let several = entry.get("rows").and_then(Value::as_list).unwrap_or_default();
    let mut row = Row::new();
    for recorded in single.chain(several) {
        let wrong = |error| CassetteError::new(storage.name(), format!("a row cannot be read: {error}"));
        from_inline(recorded, &mut row).map_err(wrong)?;
        if !one(&mut row.fields())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first column of a row that differs, with both values.
fn row(
    fields: &mut Fields<'_>,
    types: &Types,
    number: i64,
    statement: &mut Statement<'_>,
) -> Result<Option<(u16, String, String)>, Trouble> {
    let mut live = Row::new();
    let mut found = None;
    for (column, recorded) in (1u16..).zip(fields) {
        let unread = recorded == b"\\-";
        let Some(c_type) = types.of_cell(number, column).filter(|_| !unread) else { continue };
        // Precision and scale of a structure are the program's own choice: the number is what counts.
        let number = c_type == CType::NUMERIC;
        statement.cell(column, if number { CType::CHAR } else { c_type }, &mut live)?;
        let now = live.field(usize::from(column) - 1);
        let equal = if number { same_number(recorded, now) } else { same(recorded, now, c_type) };
        if found.is_none() && !equal {
            let shown = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
            found = Some((column, shown(recorded), shown(now)));
        }
    }
    Ok(found)
}

/// Whether two decimal texts are one number, whatever zeros they have; the recorded one may name precision and scale.
fn same_number(recorded: &[u8], now: &[u8]) -> bool {
    let plain = |field: &[u8]| {
        let text = String::from_utf8_lossy(field);
        let number = text.split(" (").next().unwrap_or_default().trim();
        let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
        let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
        format!("{sign}{}", digits.trim_start_matches('0'))
    };
    recorded == now || plain(recorded) == plain(now)
}

/// Whether a live cell is what was recorded, as far as that was: of a value that was cut off only the beginning is known.
fn same(recorded: &[u8], now: &[u8], c_type: CType) -> bool {
    if recorded == now {
        return true;
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (Ok(Cell::Cut { total, cell }), Ok(now)) = (cell::decode(recorded, &mut ours), cell::decode(now, &mut theirs))
    else {
        return false;
    };
    let (CutCell::Text(part) | CutCell::Bytes(part)) = cell;
    let (Cell::Text(whole) | Cell::Plain(whole) | Cell::Bytes(whole)) = now else { return false };
    let length = match c_type {
        CType::WCHAR => String::from_utf8_lossy(whole).encode_utf16().count() * 2,
        _ => whole.len(),
    };
    whole.starts_with(part) && (total < 0 || usize::try_from(total) == Ok(length))
}

/// The C types of an entry's cells.
struct Types {
    columns: Vec<Option<CType>>,
    /// Row, column and type where a row has another.
    odd: Vec<(i64, u16, CType)>,
}

impl Types {
    fn of(entry: &Entry) -> Types {
        let named = |value: &Value| value.as_text().and_then(CType::from_name);
        let columns = entry.get("c_types").and_then(Value::as_list).unwrap_or_default().iter().map(named).collect();
        let mut odd = Vec::new();
        for outcome in entry.get("outcomes").and_then(Value::as_list).unwrap_or_default() {
            if let (Some(row), Some(Value::Map(types))) =
                (outcome.get("row").and_then(Value::as_int), outcome.get("c_types"))
            {
                odd.extend(types.iter().filter_map(|(column, name)| Some((row, column.parse().ok()?, named(name)?))));
            }
        }
        Types { columns, odd }
    }

    fn of_cell(&self, row: i64, column: u16) -> Option<CType> {
        let odd = self.odd.iter().find(|(of, its, _)| (*of, *its) == (row, column)).map(|(_, _, c_type)| *c_type);
        odd.or_else(|| self.columns.get(usize::from(column) - 1).copied().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_value_is_compared() {
        assert!(same(b"a", b"a", CType::CHAR) && !same(b"a", b"b", CType::CHAR));
        assert!(same(b"\\>5:hel", b"hello", CType::CHAR) && !same(b"\\>5:hel", b"help", CType::CHAR));
        assert!(same(b"\\>-4:hel", b"help", CType::CHAR) && !same(b"\\>-4:hel", b"shell", CType::CHAR));
        assert!(same(b"\\>10:h", b"hello", CType::WCHAR));
        assert!(!same(b"\\N", b"", CType::CHAR));
    }

    #[test]
    fn numbers_are_compared_as_such() {
        for (recorded, now) in
            [("0.0000 (18,4)", "0"), ("1.50 (18,2)", "1.5"), ("-0.5", "-.5"), ("100", "100"), ("\\N", "\\N")]
        {
            assert!(same_number(recorded.as_bytes(), now.as_bytes()), "{recorded} {now}");
        }
        for (recorded, now) in [("1.5 (18,1)", "1"), ("100", "1"), ("0 (1,0)", "\\N"), ("-1", "1")] {
            assert!(!same_number(recorded.as_bytes(), now.as_bytes()), "{recorded} {now}");
        }
    }

    #[test]
    fn a_widened_column_is_named() {
        let column = |length| Column {
            name: "name".to_owned(),
            attributes: [("type", 12), ("length", length), ("scale", 0), ("nullable", 1)],
        };
        let pairs = [("name", Value::from("name")), ("type", Value::Int(12)), ("length", Value::Int(40))];
        let recorded = Value::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
        let recorded = Value::List(vec![recorded]);
        assert!(columns(&recorded, &[column(40)]).is_empty());
        let found = columns(&recorded, &[column(80)]);
        let [one] = &found[..] else { panic!("{} differences", found.len()) };
        assert_eq!(
            (one.what.as_str(), one.recorded.as_str(), one.now.as_str()),
            ("column 1 (name): length", "40", "80")
        );
        assert_eq!(columns(&recorded, &[])[0].what, "number of columns");
    }
}
