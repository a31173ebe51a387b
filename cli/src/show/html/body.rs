//! What an entry shows when it is opened: SQL, inputs, rows, diagnostics, and the entry as it stands in the log.

use super::escape::Escaped;
use crate::show::timeline::{Rows, Shown, Step};
use crate::show::words::is_outcome;
use std::io::{self, Write};
use super8_cassette::entry::Class;
use super8_cassette::summary::show;
use super8_cassette::{Value, yaml};

/// Characters of one cell.
const CELL: usize = 2000;
/// Bytes of one value in the list of inputs.
const VALUE: usize = 4000;

/// Writes it.
///
/// # Errors
/// The file cannot be written.
pub fn write(out: &mut impl Write, step: &Step) -> io::Result<()> {
    let entry = &step.entry;
    out.write_all(b"<div class=\"body\">\n")?;
    if let Some(sql) = entry.get("sql").and_then(Value::as_text) {
        writeln!(out, "<pre class=\"sql\">{}</pre>", Escaped(sql))?;
    }
    let inputs: Vec<_> = entry.fields.iter().filter(|(key, _)| key != "sql" && !is_outcome(key)).collect();
    let facts = entry.get("result").filter(|result| matches!(result, Value::Map(_)));
    if !inputs.is_empty() || facts.is_some() {
        out.write_all(b"<dl class=\"inputs\">\n")?;
        for (key, value) in inputs {
            writeln!(out, "<dt>{}</dt><dd>{}</dd>", Escaped(key), Escaped(&show(value, VALUE)))?;
        }
        if let Some(Value::Map(facts)) = facts {
            for (key, value) in facts {
                writeln!(out, "<dt class=\"fact\">{}</dt><dd>{}</dd>", Escaped(key), Escaped(&show(value, VALUE)))?;
            }
        }
        out.write_all(b"</dl>\n")?;
    }
    diagnostics(out, entry.get("return"), entry.get("diagnostics"))?;
    if let Some(rows) = &step.rows {
        table(out, rows)?;
    }
    if entry.method.class() == Class::Housekeeping && entry.fields.len() <= 1 {
        return out.write_all(b"</div>\n");
    }
    let mut text = Vec::new();
    yaml::emit_entry(entry, &mut text);
    writeln!(
        out,
        "<details class=\"raw\"><summary>{}:{}</summary><pre>{}</pre></details>\n</div>",
        Escaped(&step.log),
        step.line,
        Escaped(&String::from_utf8_lossy(&text))
    )
}

fn diagnostics(out: &mut impl Write, code: Option<&Value>, diagnostics: Option<&Value>) -> io::Result<()> {
    let Some(code) = code.and_then(Value::as_text) else { return Ok(()) };
    writeln!(out, "<ul class=\"diagnostics\"><li><code>{}</code></li>", Escaped(code))?;
    for diagnostic in diagnostics.and_then(Value::as_list).unwrap_or_default() {
        let text = |key: &str| diagnostic.get(key).and_then(Value::as_text).unwrap_or_default();
        let native = diagnostic.get("native").map(|native| show(native, 40)).unwrap_or_default();
        let (state, message) = (Escaped(text("sqlstate")), Escaped(text("message")));
        writeln!(out, "<li><code>{state}</code> <span class=\"native\">{}</span> {message}</li>", Escaped(&native))?;
    }
    out.write_all(b"</ul>\n")
}

fn table(out: &mut impl Write, rows: &Rows) -> io::Result<()> {
    out.write_all(b"<div class=\"rows\"><table>\n")?;
    if !rows.columns.is_empty() {
        out.write_all(b"<thead><tr><th></th>")?;
        for name in &rows.columns {
            write!(out, "<th>{}</th>", Escaped(name))?;
        }
        out.write_all(b"</tr></thead>\n")?;
    }
    out.write_all(b"<tbody>\n")?;
    for (number, row) in rows.first.iter().enumerate() {
        write!(out, "<tr><th>{}</th>", number + 1)?;
        for cell in row {
            match cell {
                Shown::Null => out.write_all(b"<td class=\"null\">NULL</td>")?,
                Shown::Unread => out.write_all(b"<td class=\"null\">not read</td>")?,
                Shown::Value(text) => write!(out, "<td>{}</td>", Escaped(&shortened(text)))?,
                Shown::Cut(text, total) => {
                    write!(
                        out,
                        "<td>{} <span class=\"null\">cut off; {total} bytes</span></td>",
                        Escaped(&shortened(text))
                    )?;
                }
            }
        }
        out.write_all(b"</tr>\n")?;
    }
    out.write_all(b"</tbody></table>")?;
    let more = rows.count - rows.first.len() as u64;
    match (&rows.file, more) {
        (Some(file), 0) => write!(out, "<p>{}</p>", Escaped(file))?,
        (Some(file), more) => write!(out, "<p>{more} more in {}</p>", Escaped(file))?,
        (None, 0) => {}
        (None, more) => write!(out, "<p>{more} more</p>")?,
    }
    out.write_all(b"</div>\n")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(CELL) {
        Some((end, _)) => format!("{}\u{2026} ({} characters)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}
