//! Writes the page of a folder: a row for each cassette, with a link to its page and how the cassette was last used.

use super::html::{Escaped, STYLE};
use std::fmt;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use super8_cassette::text::percent_encoded;

/// A cassette, or a part of one.
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its page, or the reason why it has none.
    pub page: Result<Page, String>,
    /// The last run on this machine that opened it, if one is known.
    pub last: Option<LastUse>,
}

/// The page of a cassette.
pub struct Page {
    /// Its file.
    pub file: PathBuf,
    /// How many commands the cassette has.
    pub commands: usize,
    /// When it was recorded; empty if that is not known.
    pub recorded_on: String,
}

/// How a cassette was used.
pub struct LastUse {
    /// When the run ended.
    pub when: String,
    /// The verb and the command of the run.
    pub run: String,
    /// What became of the cassette, in one word.
    pub verdict: String,
    /// The reason for that, in a line.
    pub why: String,
    /// Whether nothing was wrong with it in that run.
    pub is_well: bool,
}

/// Writes the page; `file` is where it will be.
///
/// # Errors
/// The file cannot be written.
pub fn write(out: &mut impl Write, title: &str, file: &Path, rows: &[Row]) -> io::Result<()> {
    let title = Escaped(title);
    let commands: usize = rows.iter().filter_map(|row| row.page.as_ref().ok()).map(|page| page.commands).sum();
    let is_wrong = |row: &&Row| row.page.is_err() || row.last.as_ref().is_some_and(|last| !last.is_well);
    let counts = [
        ("cassettes", rows.len()),
        ("commands", commands),
        ("not used", rows.iter().filter(|row| row.last.is_none()).count()),
        ("with trouble", rows.iter().filter(is_wrong).count()),
    ];
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title} \u{b7} super8</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <div class=\"reel\" aria-hidden=\"true\"></div>\n<div>\n<h1>{title}</h1>\n\
         <p>Last use and verdict are those of the last run on this machine, under <code>super8 record</code>, <code>replay</code> \
         or <code>once</code>, or with a package for Python, Ruby, Node.js or Rust.</p>\n</div>\n<dl>\n"
    )?;
    for (what, count) in counts {
        writeln!(out, "<div><dd>{count}</dd><dt>{what}</dt></div>")?;
    }
    out.write_all(
        b"</dl>\n</header>\n<div class=\"rows\"><table class=\"index\">\n<thead><tr><th>cassette</th><th>commands</th>\
          <th>recorded</th><th>last used</th><th>verdict</th></tr></thead>\n<tbody>\n",
    )?;
    rows.iter().try_for_each(|row| row.write(out, file.parent().unwrap_or(Path::new(""))))?;
    write!(out, "</tbody>\n</table></div>\n<footer>super8 {}</footer>\n</body>\n</html>\n", env!("CARGO_PKG_VERSION"))
}

impl Row {
    fn write(&self, out: &mut impl Write, beside: &Path) -> io::Result<()> {
        let name = Escaped(&self.name);
        match &self.page {
            Ok(Page { file, commands, recorded_on }) => {
                let address = Address(file.strip_prefix(beside).unwrap_or(file));
                write!(out, "<tr><td><a href=\"{address}\">{name}</a></td><td>{commands}</td>")?;
                write!(out, "<td>{}</td>", Time(recorded_on))?;
            }
            Err(why) => {
                let why = Escaped(why);
                write!(
                    out,
                    "<tr><td>{name}</td><td colspan=\"2\"><strong class=\"bad\">not shown</strong> {why}</td>"
                )?;
            }
        }
        let Some(LastUse { when, run, verdict, why, is_well }) = &self.last else {
            return out.write_all(b"<td class=\"null\">not known</td><td></td></tr>\n");
        };
        let kind = if *is_well { "" } else { " class=\"bad\"" };
        writeln!(
            out,
            "<td>{} <span class=\"null\">{}</span></td><td><strong{kind}>{}</strong> {}</td></tr>",
            Time(when),
            Escaped(run),
            Escaped(verdict),
            Escaped(why)
        )
    }
}

/// Displays a time in UTC, to the minute; nothing if it is not known.
struct Time<'a>(&'a str);

impl fmt::Display for Time<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let minute = self.0.get(..16).unwrap_or(self.0).replace('T', " ");
        write!(out, "<time datetime=\"{}\">{}</time>", Escaped(self.0), Escaped(&minute))
    }
}

/// Displays a relative path as a URL in a page. Bytes with a meaning in URLs are percent-encoded.
struct Address<'a>(&'a Path);

impl fmt::Display for Address<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&percent_encoded(self.0.as_os_str().as_bytes(), true, "%20", b"-._~/"))
    }
}
