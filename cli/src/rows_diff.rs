//! Compares the rows of two results, or the sets of two arrays of parameters, and says which row and column differ,
//! with the old and the new value. [`rows`] is the entry point.
//!
//! Both are read as streams, side by side; only a window of each is held.

use crate::alignment::{self, Side, align};
use indicatif::ProgressBar;
use std::collections::VecDeque;
use super8_cassette::summary::{contrast, show};
use super8_cassette::{CassetteError, Store, Value};

/// How many differing rows of a result, and cells of a row, are shown.
pub(crate) const SHOWN: usize = 5;

/// How many bytes of a value are shown.
const WIDTH: usize = 60;

/// Gives the next row with its cells joined; `None` at the end.
pub(crate) type Rows<'i> = Box<dyn FnMut() -> Result<Option<String>, CassetteError> + 'i>;

/// Separates the cells of a joined row. No field has this character, so different rows are never joined to the same
/// text.
const BETWEEN: &str = "\u{1f}";

/// Joins the cells of a row to one text.
pub(crate) fn joined(row: &csv::ByteRecord) -> String {
    row.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(BETWEEN)
}

/// Reads the rows of a rows file.
pub(crate) fn of_file<'i>(store: &'i dyn Store, member: &str) -> Result<Rows<'i>, CassetteError> {
    let (mut rows, mut row) = (store.rows(member)?, csv::ByteRecord::new());
    Ok(Box::new(move || {
        let joined = rows.next(&mut row)?.then(|| joined(&row));
        // a row of many megabytes is held once, not twice
        if row.as_slice().len() > 1 << 20 {
            row = csv::ByteRecord::new();
        }
        Ok(joined)
    }))
}

/// Returns the parameters of an entry, one row for each set, written as in a file of parameters.
pub(crate) fn of_params(params: &Value) -> Rows<'_> {
    let values = params.as_list().unwrap_or(std::slice::from_ref(params));
    let set = |set: &[Value]| set.iter().map(written).collect::<Vec<_>>().join(BETWEEN);
    match values.iter().any(|value| value.as_list().is_some()) {
        true => {
            let mut sets = values.iter();
            Box::new(move || Ok(sets.next().map(|value| set(value.as_list().unwrap_or(std::slice::from_ref(value))))))
        }
        false => {
            let mut one = Some(values);
            Box::new(move || Ok(one.take().map(set)))
        }
    }
}

/// Writes a parameter as a cell of a file.
fn written(value: &Value) -> String {
    match value {
        Value::Null => "\\N".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Map(pairs) => match &pairs[..] {
            [(_, Value::Text(text))] => text.clone(),
            _ => show(value, 200),
        },
        other => show(other, 200),
    }
}

/// What rows and their cells are called.
#[derive(Clone, Copy)]
pub(crate) struct Words<'w> {
    /// `row` or `set`; empty if there is only one.
    pub(crate) row: &'w str,
    /// `column` or `parameter`.
    pub(crate) cell: &'w str,
    /// Returns the name of a cell, counted from 0, if it is known. Called only for cells that are shown.
    pub(crate) name: &'w dyn Fn(usize) -> Option<String>,
}

/// A row with its cells joined.
struct Row {
    number: u64,
    cells: String,
}

impl Row {
    fn split(&self) -> impl Iterator<Item = &str> {
        self.cells.split(BETWEEN)
    }
}

/// Whether `new` may be a changed `old`: both have a single cell, or they have the same number of cells and share one.
fn succeeds(old: &Row, new: &Row) -> bool {
    let width = old.split().count();
    width == new.split().count() && (width == 1 || old.split().zip(new.split()).any(|(was, is)| was == is))
}

impl alignment::Item for Row {
    fn key(&self) -> &str {
        &self.cells
    }

    fn bytes(&self) -> usize {
        self.cells.len() + size_of::<Row>()
    }
}

/// The differences, for people.
struct RowChanges<'w> {
    words: Words<'w>,
    lines: Vec<String>,
    /// The number of rows that have lines.
    rows: usize,
    /// The number of rows that have no line, because there are too many.
    more: u64,
    /// Rows of the first result that the second does not have, since the last row that both have.
    removed: VecDeque<Row>,
    /// The number of further such rows, which are not held.
    more_removed: u64,
}

impl RowChanges<'_> {
    fn removed(&mut self, row: Row) {
        match self.removed.len() < SHOWN {
            true => self.removed.push_back(row),
            false => self.more_removed += 1,
        }
    }

    /// Handles a row of the second result that the first does not have. Pairs it with the first removed row that may
    /// have been changed into it ([`succeeds`]).
    fn added(&mut self, row: &Row) {
        match self.removed.iter().position(|old| succeeds(old, row)) {
            Some(at) => {
                for old in self.removed.drain(..at).collect::<Vec<_>>() {
                    self.push_line('-', &old);
                }
                if let Some(old) = self.removed.pop_front() {
                    self.changed(&old, row);
                }
            }
            None if self.removed.is_empty() && self.more_removed > 0 => {
                self.more_removed -= 1;
                self.more += 1;
            }
            None => {
                if let Some(old) = self.removed.pop_front() {
                    self.push_line('-', &old);
                }
                self.push_line('+', row);
            }
        }
    }

    /// Reports the removed rows that were paired with no row.
    fn report_gone(&mut self) {
        while let Some(row) = self.removed.pop_front() {
            self.push_line('-', &row);
        }
        self.more += std::mem::take(&mut self.more_removed);
    }

    /// Counts a row, and says whether it is shown.
    fn has_room(&mut self) -> bool {
        let room = self.rows < SHOWN;
        match room {
            true => self.rows += 1,
            false => self.more += 1,
        }
        room
    }

    fn push_line(&mut self, sign: char, row: &Row) {
        if self.has_room() {
            let place = self.place(row.number, "");
            let cells = row.cells.replace(BETWEEN, " | ");
            self.lines.push(if place.is_empty() {
                format!("{sign} {cells}")
            } else {
                format!("{place} {sign} {cells}")
            });
        }
    }

    /// Returns `row 2` and then `then`; empty if there is only one row.
    fn place(&self, number: u64, then: &str) -> String {
        match self.words.row {
            "" => String::new(),
            word => format!("{word} {number}{then}"),
        }
    }

    fn changed(&mut self, old: &Row, new: &Row) {
        if !self.has_room() {
            return;
        }
        let (was, is): (Vec<&str>, Vec<&str>) = (old.split().collect(), new.split().collect());
        let differing: Vec<usize> = (0..was.len()).filter(|at| was[*at] != is[*at]).collect();
        let moved = if old.number == new.number { String::new() } else { format!(" (was {})", old.number) };
        let place = self.place(new.number, &format!("{moved}, "));
        for at in differing.iter().take(SHOWN) {
            let name = (self.words.name)(*at).map_or_else(String::new, |name| format!(" ({name})"));
            let difference = contrasted(&cell(was[*at]), &cell(is[*at]));
            self.lines.push(format!("{place}{} {}{name}: {difference}", self.words.cell, at + 1));
        }
        if differing.len() > SHOWN {
            self.lines.push(format!("{place}and {} more", differing.len() - SHOWN));
        }
    }
}

/// Returns a cell for people: numbers, NULL and the like as they are, texts in quotation marks.
fn cell(text: &str) -> Shown<'_> {
    match text.parse::<f64>().is_ok() || text.starts_with('\\') {
        true => Shown::Plain(text),
        false => Shown::Text(text),
    }
}

/// How a value is shown.
pub(crate) enum Shown<'v> {
    /// As it is.
    Plain(&'v str),
    /// In quotation marks, cut around the difference.
    Text(&'v str),
}

/// Returns the old and the new value; of long texts only what is around the first difference.
pub(crate) fn contrasted(was: &Shown<'_>, is: &Shown<'_>) -> String {
    let (Shown::Plain(old) | Shown::Text(old), Shown::Plain(new) | Shown::Text(new)) = (was, is);
    if old.len().max(new.len()) > WIDTH {
        let (at, old, new) = contrast(old, new, WIDTH);
        return format!("at character {at}: was {old}, is {new}");
    }
    let shown = |value: &Shown<'_>| match value {
        Shown::Plain(text) => (*text).to_owned(),
        Shown::Text(text) => contrast(text, text, 8 * WIDTH).1,
    };
    format!("was {}, is {}", shown(was), shown(is))
}

/// Compares rows and adds the differences to `details`: the first ones, and how many more there are.
pub(crate) fn rows(
    mut old: Rows<'_>,
    mut new: Rows<'_>,
    words: Words<'_>,
    bar: &ProgressBar,
    details: &mut Vec<String>,
) -> Result<(), CassetteError> {
    let (mut olds, mut news) = (0, 0);
    let (lines, removed) = (Vec::new(), VecDeque::new());
    let mut changes = RowChanges { words, lines, rows: 0, more: 0, removed, more_removed: 0 };
    let next = |rows: &mut Rows<'_>, count: &mut u64| -> Result<Option<Row>, CassetteError> {
        let Some(cells) = rows()? else { return Ok(None) };
        bar.inc(cells.len() as u64 + 1);
        *count += 1;
        Ok(Some(Row { number: *count, cells }))
    };
    align(&mut || next(&mut old, &mut olds), &mut || next(&mut new, &mut news), &mut |side| {
        match side {
            Side::Both(..) => changes.report_gone(),
            Side::Old(row) => changes.removed(row),
            Side::New(row) => changes.added(&row),
        }
        Ok::<(), CassetteError>(())
    })?;
    changes.report_gone();
    if olds != news {
        details.push(format!("{}s: were {olds}, are {news}", if words.row.is_empty() { "set" } else { words.row }));
    }
    details.append(&mut changes.lines);
    if changes.more > 0 {
        details.push(format!("and {} more", changes.more));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words<'static> = Words { row: "row", cell: "column", name: &|_| None };

    fn of(rows: &[&str]) -> Rows<'static> {
        let mut rows: VecDeque<String> = rows.iter().map(|row| row.replace(',', BETWEEN)).collect();
        Box::new(move || Ok(rows.pop_front()))
    }

    fn difference(old: &[&str], new: &[&str], words: Words<'_>) -> Vec<String> {
        let mut details = Vec::new();
        rows(of(old), of(new), words, &ProgressBar::hidden(), &mut details).unwrap();
        details
    }

    #[test]
    fn a_changed_cell_is_named() {
        let words = Words { name: &|at| ["id", "name"].get(at).map(|name| (*name).to_owned()), ..WORDS };
        assert_eq!(
            difference(&["1,x", "2,y"], &["1,x", "2,\\N"], words),
            ["row 2, column 2 (name): was \"y\", is \\N"]
        );
        assert_eq!(difference(&["1,x"], &["1,x "], WORDS), ["row 1, column 2: was \"x\", is \"x \""]);
        let sets = Words { row: "set", cell: "parameter", name: &|_| None };
        assert_eq!(difference(&["1,1.5"], &["1,2"], sets), ["set 1, parameter 2: was 1.5, is 2"]);
        // of a long text, what differs
        let long = "x".repeat(300);
        let lines = difference(&[&long], &[&(long.clone() + "y")], WORDS);
        assert!(lines[0].starts_with("row 1, column 1: at character 301: was \"...xx"), "{lines:?}");
        assert!(lines[0].ends_with("y\""), "{lines:?}");
    }

    #[test]
    fn rows_that_came_and_went() {
        let lines = difference(&["1,a", "2,b", "3,c"], &["0,z", "1,a", "3,d"], WORDS);
        // the second row is removed, and the third has another value
        assert_eq!(lines, ["row 1 + 0 | z", "row 2 - 2 | b", "row 3, column 2: was \"c\", is \"d\""]);
        let lines = difference(&["1,a", "2,b"], &["2,b"], WORDS);
        assert_eq!(lines, ["rows: were 2, are 1", "row 1 - 1 | a"]);
        let lines = difference(&["0,q", "1,a"], &["1,b"], WORDS);
        assert_eq!(lines, ["rows: were 2, are 1", "row 1 - 0 | q", "row 1 (was 2), column 2: was \"a\", is \"b\""]);
        assert_eq!(difference(&["0,q"], &["1,b"], WORDS), ["row 1 - 0 | q", "row 1 + 1 | b"]);
    }

    #[test]
    fn no_more_lines_than_are_shown() {
        let rows = |value: &str| (0..20).map(|row| format!("{row},{value}")).collect::<Vec<_>>();
        let (old, new) = (rows("a"), rows("b"));
        let (old, new): (Vec<&str>, Vec<&str>) =
            (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
        let lines = difference(&old, &new, WORDS);
        assert_eq!(lines.len(), SHOWN + 1, "{lines:?}");
        assert_eq!(lines[0], "row 1, column 2: was \"a\", is \"b\"");
        assert_eq!(lines[SHOWN], "and 15 more");
        let wide = |value: &str| [value; 12].join(",") + ",same";
        let lines = difference(&[&wide("a")], &[&wide("b")], WORDS);
        assert_eq!((lines.len(), lines[SHOWN].as_str()), (SHOWN + 1, "row 1, and 7 more"));
    }

    #[test]
    fn parameters_are_rows() {
        let all = |value: &Value| {
            let (mut rows, mut all) = (of_params(value), Vec::new());
            while let Some(row) = rows().unwrap() {
                all.push(row.replace(BETWEEN, "|"));
            }
            all
        };
        let one = Value::from(vec![Value::Int(1), Value::Null, Value::from("x")]);
        assert_eq!(all(&one), ["1|\\N|x"]);
        let sets = Value::from(vec![one.clone(), one]);
        assert_eq!(all(&sets), ["1|\\N|x", "1|\\N|x"]);
    }
}
