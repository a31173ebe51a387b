//! The entries as data for the page's script, which draws them: one JSON object. A text that several entries have stands
//! once, in a list at the end, and they name it by its number; most of a long cassette is the same few statements.

use crate::show::lanes::Mark;
use crate::show::timeline::{Rows, Shown, Step};
use crate::show::words;
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::io::{self, Write};
use super8_cassette::entry::Class;
use super8_cassette::summary::show;
use super8_cassette::{Entry, Method, Value};

/// Characters of one cell.
const CELL: usize = 2000;
/// Bytes of one value that is no text.
const VALUE: usize = 64 * 1024;

/// What is written so far.
#[derive(Default)]
pub struct Data {
    numbers: HashMap<String, usize>,
    texts: Vec<String>,
    log: String,
    begun: bool,
}

impl Data {
    /// Writes an entry: line, class, trouble, connection, statement, method, lane, whether the lane begins or ends here,
    /// what was asked, what came of it, fields, diagnostics, rows. Zero is nothing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn step(&mut self, out: &mut impl Write, step: &Step) -> io::Result<()> {
        let entry = &step.entry;
        let kind = match entry.method.class() {
            Class::Command => 0,
            Class::Answer => 1,
            // Where a lane ends.
            Class::Housekeeping if entry.method == Method::Disconnect => 3,
            Class::Housekeeping => 2,
        };
        let trouble = match (words::failed(entry), words::trouble(entry)) {
            (true, _) => 2,
            (false, Some(_)) => 1,
            (false, None) => 0,
        };
        let place = step.marks.iter().enumerate().find_map(|(place, mark)| match mark {
            Mark::Here { first, last, .. } => Some((place, u8::from(*first) + 2 * u8::from(*last))),
            _ => None,
        });
        let (lane, edge) = place.unwrap_or_default();
        // The row of a fetch says itself what came of it.
        let outcome = match (entry.method, &step.rows) {
            (Method::Fetch, Some(_)) if trouble == 0 => String::new(),
            _ => words::outcome(step),
        };
        let (connection, statement) = (entry.connection.0, entry.statement.unwrap_or(0));
        let method = self.number(entry.method.name());
        let asked = self.number(&words::asked_apart(entry).0);
        let outcome = self.number(&outcome);
        let mut all = json!([step.line, kind, trouble, connection, statement, method, lane, edge, asked, outcome]);
        let rest =
            [self.fields(step), self.diagnostics(entry), step.rows.as_ref().map_or(json!(0), |rows| self.rows(rows))];
        if let Json::Array(all) = &mut all {
            all.extend(rest);
            while all.last().is_some_and(|last| *last == 0) {
                all.pop();
            }
        }
        self.log.clone_from(&step.log);
        out.write_all(if std::mem::replace(&mut self.begun, true) { b",\n" } else { b"{\"entries\":[\n" })?;
        write(out, &all)
    }

    /// Writes the texts, and the end.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(if self.begun { b"],\n" } else { b"{\"entries\":[],\n" })?;
        out.write_all(b"\"log\":")?;
        write(out, &json!(self.log))?;
        out.write_all(b",\n\"texts\":")?;
        write(out, &json!(self.texts))?;
        out.write_all(b"}\n")
    }

    /// The number of a text, from 1; 0 if it is empty.
    fn number(&mut self, text: &str) -> usize {
        if text.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), self.texts.len());
        self.texts.len()
    }

    /// Names and values by turns; a value that is no text stands in a list, as it is shown.
    fn fields(&mut self, step: &Step) -> Json {
        // Rows stand by themselves.
        let whole = step.rows.as_ref().is_some_and(|rows| rows.file.is_none() && rows.count == rows.first.len() as u64);
        let mut all = Vec::new();
        for (key, value) in &step.entry.fields {
            if matches!(key.as_str(), "return" | "diagnostics") || whole && matches!(key.as_str(), "result" | "rows") {
                continue;
            }
            all.push(json!(self.number(key)));
            all.push(match value {
                Value::Text(text) => json!(self.number(text)),
                Value::Map(pairs) if key == "result" => {
                    let pairs = pairs.iter().flat_map(|(key, value)| [key.clone(), show(value, VALUE)]);
                    let pairs: Vec<String> = pairs.collect();
                    json!({"facts": pairs.iter().map(|text| self.number(text)).collect::<Vec<_>>()})
                }
                other => json!([self.number(&show(other, VALUE))]),
            });
        }
        if all.is_empty() { json!(0) } else { Json::Array(all) }
    }

    /// The return code, then SQLSTATE, native code and message of each record.
    fn diagnostics(&mut self, entry: &Entry) -> Json {
        let Some(code) = entry.get("return").and_then(Value::as_text) else { return json!(0) };
        let mut all = vec![json!(self.number(code))];
        for record in entry.get("diagnostics").and_then(Value::as_list).unwrap_or_default() {
            let text = |key: &str| record.get(key).and_then(Value::as_text).unwrap_or_default();
            let native = record.get("native").map(|native| show(native, 40)).unwrap_or_default();
            all.push(json!([self.number(text("sqlstate")), self.number(&native), self.number(text("message"))]));
        }
        Json::Array(all)
    }

    /// The columns' names (as one text, a line each), the rows, how many there are in all, the file they are in. A cell is
    /// its text, null for NULL, 0 for one that was not read, text and length of one that was cut off.
    fn rows(&mut self, rows: &Rows) -> Json {
        let one_line = |name: &String| name.replace('\n', " ");
        let names = self.number(&rows.columns.iter().map(one_line).collect::<Vec<_>>().join("\n"));
        let cell = |cell: &Shown| match cell {
            Shown::Null => Json::Null,
            Shown::Unread => json!(0),
            Shown::Value(text) => json!(shortened(text)),
            Shown::Cut(text, total) => json!([shortened(text), total]),
        };
        let first: Vec<Vec<Json>> = rows.first.iter().map(|row| row.iter().map(cell).collect()).collect();
        json!([names, first, rows.count, self.number(rows.file.as_deref().unwrap_or_default())])
    }
}

/// JSON in which nothing can end the element it stands in.
fn write(out: &mut impl Write, json: &Json) -> io::Result<()> {
    out.write_all(json.to_string().replace('<', "\\u003c").as_bytes())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(CELL) {
        Some((end, _)) => format!("{}\u{2026} ({} characters)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}
