//! Compares a recorded result with a live one: columns by what SQLDescribeCol says, rows cell by cell.

use super::plan::Execution;
use super::report::Kind;
use crate::cassette;
use super8_cassette::{CassetteError, Cell, CutCell, Row, Store, Value, cell};
use super8_client::{Column, Failure, Statement};
use super8_matching::PlayedRun;
use super8_shim::convert::CType;

/// One difference.
pub struct Difference {
    /// Its kind.
    pub kind: Kind,
    /// What is different.
    pub what: String,
    /// The recorded value.
    pub recorded: String,
    /// The live value.
    pub now: String,
}

impl Difference {
    fn new(kind: Kind, what: String, recorded: impl ToString, now: impl ToString) -> Difference {
        Difference { kind, what, recorded: recorded.to_string(), now: now.to_string() }
    }
}

/// Why a comparison stopped.
pub enum ComparisonError {
    /// The cassette cannot be read.
    Cassette(CassetteError),
    /// The driver failed now, but not when it was recorded.
    Driver(Failure),
}

impl From<CassetteError> for ComparisonError {
    fn from(error: CassetteError) -> ComparisonError {
        ComparisonError::Cassette(error)
    }
}

impl From<Failure> for ComparisonError {
    fn from(failure: Failure) -> ComparisonError {
        ComparisonError::Driver(failure)
    }
}

/// Returns the differences between a recorded columns file and the live columns.
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

/// Returns the first difference between the recorded and the live rows, if there is one, and says in it how many rows
/// differ. Without `values`, compares only the number of rows.
///
/// # Errors
/// See [`ComparisonError`].
pub fn rows(
    store: &dyn Store,
    execution: &Execution,
    statement: &mut Statement<'_>,
    values: bool,
) -> Result<Option<Difference>, ComparisonError> {
    let (mut count, mut differing) = (0u64, 0u64);
    let mut first: Option<Difference> = None;
    for place in &execution.rows {
        let Some(mut run) = cassette::rows(store, *place, store.entry(*place)?)? else { continue };
        while run.next()?.is_some() {
            count += 1;
            if !statement.fetch()? {
                let less =
                    || Difference::new(Kind::Data, "number of rows".to_owned(), format!("at least {count}"), count - 1);
                return Ok(Some(first.unwrap_or_else(less)));
            }
            if values && let Some((column, recorded, now)) = row(&run, statement)? {
                differing += 1;
                let what = || format!("row {count}, column {column}");
                first.get_or_insert_with(|| Difference::new(Kind::Data, what(), recorded, now));
            }
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

/// Returns the first column of the current row that differs, with both values. Skips the bookmark, which has no meaning
/// in another session.
fn row(run: &PlayedRun, statement: &mut Statement<'_>) -> Result<Option<(u16, String, String)>, ComparisonError> {
    let (mut live, mut found) = (Row::new(), None);
    let cells = run.current().into_iter().flatten().enumerate().skip(usize::from(run.bookmarks()));
    for (column, (at, recorded)) in (1u16..).zip(cells) {
        let read = recorded != cell::UNREAD;
        let Some(c_type) = run.c_type(at).and_then(CType::from_name).filter(|_| read) else { continue };
        // The program chose precision and scale of a structure itself, so only the number is compared.
        let number = c_type == CType::NUMERIC;
        statement.cell(column, if number { CType::CHAR } else { c_type }, &mut live)?;
        let now = &live.field(usize::from(column) - 1);
        let equal = if number { same_number(recorded, now) } else { same(recorded, now, c_type) };
        if found.is_none() && !equal {
            let shown = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
            found = Some((column, shown(recorded), shown(now)));
        }
    }
    Ok(found)
}

/// Whether two decimal texts are the same number, whatever zeros they have. The recorded one may have precision and
/// scale behind it.
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

/// Whether a live cell equals the recorded one. Of a recorded value that was cut off, only the beginning is compared.
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
