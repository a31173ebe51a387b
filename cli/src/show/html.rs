//! Writes the timeline as one HTML page. Styles, data and script are in the page, and it loads nothing. Everything that
//! comes from a cassette is shown as text; a content security policy allows only the page's own script, in case an
//! escape is ever forgotten.
//!
//! To write a page, write [`head`], then each entry through [`Data`], then [`foot`].

use super::timeline::{self, Counts, Mark, Rows, Shown, Step, Timeline};
use crate::exit::Failure;
use crate::lru_map::LruMap;
use base64::Engine;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use super8_cassette::schema::Class;
use super8_cassette::summary::{asked, show};
use super8_cassette::{ConnectionId, Detail, Entry, Key, Metadata, Method, Value};

pub(super) const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
/// The number of colours for connections.
const COLOURS: u32 = 8;
/// How many connections get a button of their own.
const CHIPS: usize = 40;

/// Writes the page up to its data.
///
/// # Errors
/// The file cannot be written.
pub fn head(
    out: &mut impl Write,
    name: &str,
    metadata: &Metadata,
    overview: &Overview,
    found: Option<&[Swept]>,
) -> io::Result<()> {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    let title = Escaped(name.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or(name));
    let counts = overview.counts;
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" \
         content=\"light dark\">\n<title>{title} \u{b7} super8</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body style=\"--lanes:{}\">\n<header>\n<div class=\"reel\" aria-hidden=\"true\"></div>\n<div>\n<h1>{title}</h1>\n",
        overview.width
    )?;
    let driver = metadata.driver.as_ref().map(|driver| format!(" \u{b7} {} ({})", driver.library, driver.kind));
    let manager = metadata.manager.as_ref().map(|manager| format!(" \u{b7} {manager}"));
    let complete = if metadata.complete { "" } else { " \u{b7} <strong class=\"bad\">not complete</strong>" };
    write!(
        out,
        "<p>recorded <time>{}</time> with {}{}{} \u{b7} order: {}{complete}</p>\n</div>\n<dl>\n",
        Escaped(&metadata.recorded_on),
        Escaped(&metadata.recorded_with),
        Escaped(&driver.unwrap_or_default()),
        Escaped(&manager.unwrap_or_default()),
        metadata.order.name(),
    )?;
    let all = [
        ("commands", counts.commands),
        ("connections", counts.connections),
        ("statements", counts.statements),
        ("entries", counts.entries),
    ];
    for (what, count) in all {
        writeln!(out, "<div><dd>{count}</dd><dt>{what}</dt></div>")?;
    }
    out.write_all(b"</dl>\n</header>\n")?;
    overview.draw(out)?;
    found.map(|found| swept(out, found)).transpose()?;
    toolbar(out, &overview.connections)?;
    out.write_all(
        b"<main id=\"log\"></main>\n<p id=\"nothing\" hidden>Nothing matches.</p>\n<noscript>A script draws the entries; it is in \
          this page.</noscript>\n",
    )
}

fn toolbar(out: &mut impl Write, connections: &[ConnectionId]) -> io::Result<()> {
    out.write_all(
        b"<nav>\n<input id=\"search\" type=\"search\" placeholder=\"Search SQL, rows, messages\" aria-label=\"Search\" \
          autocomplete=\"off\">\n<span class=\"chips\">\n",
    )?;
    for connection in connections.iter().take(CHIPS) {
        writeln!(
            out,
            "<button class=\"chip c{}\" data-connection=\"{connection}\" aria-pressed=\"true\">{connection}</button>",
            connection.0 % COLOURS,
        )?;
    }
    out.write_all(
        b"</span>\n<label><input type=\"checkbox\" id=\"answers\"> answers</label>\n\
          <label><input type=\"checkbox\" id=\"closing\"> closing</label>\n\
          <label><input type=\"checkbox\" id=\"troubles\"> only errors and warnings</label>\n\
          <span class=\"right\"><output id=\"count\"></output>\n<button id=\"expand\">open all</button>\n\
          <button id=\"collapse\">close all</button>\n\
          <button id=\"theme\" title=\"light or dark\" aria-label=\"light or dark\">\xe2\x97\x90</button></span>\n</nav>\n",
    )
}

/// Writes what comes after the data.
///
/// # Errors
/// The file cannot be written.
pub fn foot(out: &mut impl Write) -> io::Result<()> {
    write!(out, "<footer>super8 {}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n", env!("CARGO_PKG_VERSION"))
}

/// A finding of a sweep, with its place in the timeline.
pub struct Swept {
    /// The command's line in the log.
    pub line: u32,
    /// The fault.
    pub fault: String,
    /// What the program did about it.
    pub verdict: &'static str,
    /// The reason for the verdict, and the command that repeats the run.
    pub why: String,
    /// Whether the program did wrong and nobody allowed it.
    pub is_found: bool,
}

/// Writes what a sweep found, with links to the commands.
fn swept(out: &mut impl Write, swept: &[Swept]) -> io::Result<()> {
    let found = swept.iter().filter(|swept| swept.is_found).count();
    write!(out, "<details class=\"sweep\"{}>\n<summary>", if found > 0 { " open" } else { "" })?;
    write!(out, "sweep: {} runs, {found} found</summary>\n<ul>\n", swept.len())?;
    for Swept { line, fault, verdict, why, is_found } in swept {
        let verdict =
            if *is_found { format!("<strong class=\"bad\">{verdict}</strong>") } else { (*verdict).to_owned() };
        writeln!(out, "<li>{verdict} <a href=\"#l{line}\">{}</a> {}</li>", Escaped(fault), Escaped(why))?;
    }
    out.write_all(b"</ul>\n</details>\n")
}

/// The most characters of one cell.
const CELL: usize = 2000;
/// The most bytes of one value that is no text.
const WHOLE_VALUE: usize = 64 * 1024;

/// The most entries in one element of the page, and their most bytes.
const TOGETHER: (usize, usize) = (1000, 1 << 20);
/// How many texts are remembered, so that they need not be written again, and the most bytes of one.
const TEXTS: (usize, usize) = (10_000, 4096);

/// Writes the entries, up to a thousand to an element, each element with the texts that are new in it. Entries refer to
/// texts by number, and a text is written once, as long as it is remembered.
pub struct Data {
    numbers: LruMap<String, usize>,
    last_number: usize,
    /// The element that is not written yet: its entries as JSON, their number, and its texts.
    entries: String,
    count: usize,
    texts: String,
    log: String,
    /// The findings of a sweep, by line.
    swept: HashMap<u32, Vec<Swept>>,
}

impl Default for Data {
    fn default() -> Self {
        Data::with(Vec::new())
    }
}

impl Data {
    /// Makes the data of a page that also shows the findings of a sweep.
    pub fn with(all: Vec<Swept>) -> Data {
        let mut swept: HashMap<u32, Vec<Swept>> = HashMap::new();
        all.into_iter().for_each(|one| swept.entry(one.line).or_default().push(one));
        let (entries, texts, log) = (String::new(), String::new(), String::new());
        Data { numbers: LruMap::with_limit(TEXTS.0), last_number: 0, entries, count: 0, texts, log, swept }
    }

    /// Adds an entry, a list of: line, class, trouble, connection, statement, method, lane, whether the lane begins or
    /// ends here, input, outcome, fields, diagnostics, rows, sets of parameters, findings of a sweep. Zero stands for
    /// an empty item.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn step(&mut self, out: &mut impl Write, step: &Step) -> io::Result<()> {
        let entry = &step.entry;
        let kind = match entry.method.class() {
            Class::Command => 0,
            Class::Answer => 1,
            // the end of a lane
            Class::Housekeeping if entry.method == Method::Disconnect => 3,
            Class::Housekeeping => 2,
        };
        let is_found = self.swept.get(&step.line).is_some_and(|here| here.iter().any(|swept| swept.is_found));
        let trouble = match (entry.failed() || is_found, timeline::trouble(entry)) {
            (true, _) => 2,
            (false, Some(_)) => 1,
            (false, None) => 0,
        };
        let place = step.marks.iter().enumerate().find_map(|(place, mark)| match mark {
            Mark::Here { first, last, .. } => Some((place, u8::from(*first) + 2 * u8::from(*last))),
            _ => None,
        });
        let (lane, edge) = place.unwrap_or_default();
        // The row of a fetch is its outcome.
        let outcome = match (entry.method, &step.rows) {
            (Method::Fetch, Some(_)) if trouble == 0 => String::new(),
            _ => timeline::outcome(step),
        };
        let (connection, statement) = (entry.connection.0, entry.statement.unwrap_or(0));
        let method = self.number(entry.method.name());
        let asked = self.number(&asked(entry, WHOLE_VALUE));
        let outcome = self.number(&outcome);
        let mut all = json!([step.line, kind, trouble, connection, statement, method, lane, edge, asked, outcome]);
        let rest = [
            self.fields(step),
            self.diagnostics(entry),
            step.rows.as_ref().map_or(json!(0), |rows| self.rows(rows)),
            step.sets.as_ref().map_or(json!(0), |sets| self.rows(sets)),
            self.notes(step.line),
        ];
        if let Json::Array(all) = &mut all {
            all.extend(rest);
            while all.last().is_some_and(|last| *last == 0) {
                all.pop();
            }
        }
        self.log.clone_from(&step.log);
        append(&mut self.entries, ",\n", &all);
        self.count += 1;
        let full = self.count >= TOGETHER.0 || self.entries.len() + self.texts.len() >= TOGETHER.1;
        if full { self.element(out) } else { Ok(()) }
    }

    /// Writes the last element.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.count == 0 { Ok(()) } else { self.element(out) }
    }

    fn element(&mut self, out: &mut impl Write) -> io::Result<()> {
        let (entries, texts) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.texts));
        self.count = 0;
        writeln!(
            out,
            "<script type=\"application/json\" class=\"data\">\n{{\"log\":{},\"texts\":[{texts}],\"entries\":[\n{entries}]}}\n</script>",
            script_data(&json!(self.log))
        )
    }

    /// Returns the number of a text, from 1, or 0 if it is empty. Adds the text to the element if it is new.
    fn number(&mut self, text: &str) -> usize {
        if text.is_empty() {
            return 0;
        }
        let text = text.to_owned();
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        self.last_number += 1;
        append(&mut self.texts, ",", &json!(text));
        if text.len() <= TEXTS.1 {
            self.numbers.insert(text, self.last_number);
        }
        self.last_number
    }

    /// Returns names and values by turns. A value that is no text is in a list, in the form in which it is shown.
    fn fields(&mut self, step: &Step) -> Json {
        // Rows are shown by themselves, not among the fields.
        let whole = step.rows.as_ref().is_some_and(|rows| rows.file.is_none() && rows.count == rows.first.len() as u64);
        let mut all = Vec::new();
        for (key, value) in &step.entry.fields {
            if matches!(key, Key::Return | Key::Diagnostics) || whole && matches!(key, Key::Result | Key::Rows) {
                continue;
            }
            all.push(json!(self.number(key.name())));
            all.push(match value {
                Value::Text(text) => json!(self.number(text)),
                Value::Map(pairs) if *key == Key::Result => {
                    let pairs = pairs.iter().flat_map(|(key, value)| [key.clone(), show(value, WHOLE_VALUE)]);
                    let pairs: Vec<String> = pairs.collect();
                    json!({"facts": pairs.iter().map(|text| self.number(text)).collect::<Vec<_>>()})
                }
                other => json!([self.number(&show(other, WHOLE_VALUE))]),
            });
        }
        if all.is_empty() { json!(0) } else { Json::Array(all) }
    }

    /// Returns the findings of a sweep at a line: faults and what the program did about them, by turns.
    fn notes(&mut self, line: u32) -> Json {
        let here = self.swept.get(&line).into_iter().flatten();
        let notes: Vec<String> =
            here.flat_map(|swept| [swept.fault.clone(), format!("{}: {}", swept.verdict, swept.why)]).collect();
        if notes.is_empty() { json!(0) } else { notes.iter().map(|text| json!(self.number(text))).collect() }
    }

    /// Returns the return code, then SQLSTATE, native code and message of each record.
    fn diagnostics(&mut self, entry: &Entry) -> Json {
        let Some(code) = entry.get(Key::Return).and_then(Value::as_text) else { return json!(0) };
        let mut all = vec![json!(self.number(code))];
        for record in entry.get(Key::Diagnostics).and_then(Value::as_list).unwrap_or_default() {
            let text = |detail| record.detail(detail).and_then(Value::as_text).unwrap_or_default();
            let native = record.detail(Detail::Native).map(|native| show(native, 40)).unwrap_or_default();
            all.push(json!([
                self.number(text(Detail::Sqlstate)),
                self.number(&native),
                self.number(text(Detail::Message))
            ]));
        }
        Json::Array(all)
    }

    /// Returns the columns' names (one text, a line each), the rows, their number in all, and their file. A cell is its
    /// text; null for NULL; 0 if it was not read; text and length if it was cut off.
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

/// Writes JSON in such a way that nothing in it can end the element that it stands in.
fn script_data(json: &Json) -> String {
    json.to_string().replace('<', "\\u003c")
}

fn append(list: &mut String, between: &str, json: &Json) {
    if !list.is_empty() {
        list.push_str(between);
    }
    list.push_str(&script_data(json));
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(CELL) {
        Some((end, _)) => format!("{}\u{2026} ({} characters)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}

/// The width of the drawing, in its own units.
const WIDTH: f64 = 1000.0;
/// The least distance of two ticks. Closer ones would overlap.
const CLOSEST: f64 = 0.7;
/// How many connections have a line of their own; nobody could read a drawing with more.
const LINES: usize = 60;

struct Line {
    first: f64,
    last: f64,
    ticks: Vec<(f64, u32)>,
}

/// The overview of all entries in the head of a page.
pub struct Overview {
    counts: Counts,
    width: usize,
    /// The connections that come first, in their order.
    connections: Vec<ConnectionId>,
    lines: BTreeMap<ConnectionId, Line>,
}

impl Overview {
    /// Goes through all entries.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn of(timeline: &Timeline<'_>) -> Result<Overview, Failure> {
        let counts = timeline.counts();
        let mut overview =
            Overview { counts, width: timeline.width(), connections: Vec::new(), lines: BTreeMap::new() };
        let (scale, mut position) = (overview.scale(), 0);
        timeline.heads(&mut |line, head| {
            let x = (position as f64 + 0.5) * scale;
            position += 1;
            if !overview.lines.contains_key(&head.connection) {
                if overview.lines.len() >= LINES {
                    return;
                }
                overview.connections.push(head.connection);
            }
            let drawn = overview.lines.entry(head.connection).or_insert(Line { first: x, last: x, ticks: Vec::new() });
            drawn.last = x;
            let free = drawn.ticks.last().is_none_or(|(before, _)| x - before >= CLOSEST);
            if head.method.class() == Class::Command && free {
                drawn.ticks.push((x, line));
            }
        })?;
        Ok(overview)
    }

    /// Returns the width of an entry.
    fn scale(&self) -> f64 {
        WIDTH / self.counts.entries.max(1) as f64
    }

    fn draw(&self, out: &mut impl Write) -> io::Result<()> {
        draw(out, &self.lines, self.scale())
    }
}

/// Writes the drawing.
fn draw(out: &mut impl Write, lines: &BTreeMap<ConnectionId, Line>, scale: f64) -> io::Result<()> {
    let (step, tick) = if lines.len() > 12 { (9.0, 6.0) } else { (20.0, 13.0) };
    let height = lines.len() as f64 * step + 6.0;
    writeln!(
        out,
        "<section class=\"overview\">\n<svg viewBox=\"0 0 {WIDTH} {height}\" style=\"--h:{height}\" preserveAspectRatio=\"none\" \
         role=\"img\" aria-label=\"which connection did something when\">"
    )?;
    // A tick is as wide as its command: few commands become blocks, many a texture.
    let wide = scale.clamp(1.2, 9.0) * 0.8;
    for (index, (connection, line)) in lines.iter().enumerate() {
        let y = 3.0 + step * (index as f64 + 0.5);
        writeln!(
            out,
            "<g class=\"c{}\" data-connection=\"{connection}\"><title>{connection}</title><line x1=\"{:.2}\" y1=\"{y:.1}\" \
             x2=\"{:.2}\" y2=\"{y:.1}\"/>",
            connection.0 % COLOURS,
            line.first,
            line.last
        )?;
        for (x, number) in &line.ticks {
            let (left, top) = (x - wide / 2.0, y - tick / 2.0);
            writeln!(
                out,
                "<rect x=\"{left:.2}\" y=\"{top:.1}\" width=\"{wide:.2}\" height=\"{tick}\" data-line=\"{number}\"/>"
            )?;
        }
        out.write_all(b"</g>\n")?;
    }
    out.write_all(b"</svg>\n</section>\n")
}

/// Displays a text, escaped for HTML. Control characters, and those that change the direction of the text, are shown by
/// their number.
pub(super) struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                '\n' | '\t' => fmt::Write::write_char(out, character)?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => write!(out, "\\u{{{:x}}}", character as u32)?,
                control if control.is_control() => write!(out, "\\x{:02x}", control as u32)?,
                other => fmt::Write::write_char(out, other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn nothing_is_left_that_means_something() {
        let hostile = "</script><img src=x onerror='alert(1)'>&amp;\"\u{0}\u{202e}\r\n";
        let expected =
            "&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;amp;&quot;\\x00\\u{202e}\\x0d\n";
        assert_eq!(Escaped(hostile).to_string(), expected);
    }
}
