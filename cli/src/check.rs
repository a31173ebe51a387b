//! Checking a cassette: everything in it is read, and what is wrong is told with file and line.

use serde::Serialize;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use super8_cassette::{Cassette, CassetteError, Entry, Value, Volatile, cell};

/// Cassettes that are larger are a burden for a repository.
const LARGE: u64 = 1 << 20;

/// Keywords whose values are secrets, in lower case.
const SECRET_KEYWORDS: &[&str] =
    &["pwd", "password", "passphrase", "token", "accesstoken", "secret", "apikey", "privatekey"];

/// How texts begin that are secrets wherever they stand.
const SECRET_TEXTS: &[&str] = &["-----BEGIN ", "AKIA", "ghp_", "github_pat_", "xoxb-", "eyJhbGciOi"];

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It cannot be read, or not be played.
    Unreadable,
    /// A part that an entry names is not there.
    Missing,
    /// A file that no entry names.
    Orphan,
    /// Looks like a secret.
    Secret,
    /// `volatile` has an item that means nothing, or names nothing.
    Volatile,
    /// Larger than is good for a repository.
    Large,
}

impl Kind {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Unreadable => "unreadable",
            Kind::Missing => "missing",
            Kind::Orphan => "orphan",
            Kind::Secret => "secret",
            Kind::Volatile => "volatile",
            Kind::Large => "large",
        }
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub file: PathBuf,
    /// On which line, from 1.
    pub line: Option<u64>,
    /// What kind of thing.
    pub kind: Kind,
    /// What, and what to do about it.
    pub message: String,
}

/// What is wrong with a cassette.
pub fn check(path: &Path) -> Vec<Finding> {
    let mut check = Check { path, findings: Vec::new(), parts: BTreeSet::new(), connections: HashSet::new() };
    match crate::cassette::open(path) {
        Err(failure) => check.find(path, None, Kind::Unreadable, failure.to_string()),
        Ok(opened) => {
            if !opened.metadata.complete {
                let message = "the recording did not end cleanly: record again, or `super8 recover`";
                check.find(path, None, Kind::Unreadable, message);
            }
            check.entries(&*opened.storage);
            check.files();
        }
    }
    check.findings
}

struct Check<'p> {
    path: &'p Path,
    findings: Vec<Finding>,
    /// The parts that were named.
    parts: BTreeSet<String>,
    connections: HashSet<super8_cassette::ConnectionId>,
}

impl Check<'_> {
    fn find(&mut self, file: &Path, line: Option<u64>, kind: Kind, message: impl Into<String>) {
        self.findings.push(Finding { file: file.to_owned(), line, kind, message: message.into() });
    }

    fn unreadable(&mut self, error: &CassetteError) {
        let (file, line) = (error.file().to_owned(), error.line());
        self.find(&file, line, Kind::Unreadable, error.to_string());
    }

    fn entries(&mut self, storage: &dyn Cassette) {
        let mut places = Vec::new();
        let scanned = storage.scan(&mut |place, head| {
            places.push((place, head.connection));
            Ok(())
        });
        if let Err(error) = scanned {
            self.unreadable(&error);
        }
        for (place, connection) in places {
            if self.connections.insert(connection) {
                match storage.info(connection) {
                    Ok(answers) => {
                        let file = self.path.join(format!("{connection}_info.yml"));
                        answers.iter().for_each(|answer| self.secrets(answer, &file, None));
                    }
                    Err(error) => self.unreadable(&error),
                }
            }
            let (file, line) = storage.locate(place);
            match storage.entry(place) {
                Ok(entry) => self.entry(storage, &entry, &file, line.into()),
                Err(error) => self.unreadable(&error),
            }
        }
    }

    fn entry(&mut self, storage: &dyn Cassette, entry: &Entry, file: &Path, line: u64) {
        for (key, value) in &entry.fields {
            self.secrets(value, file, Some(line));
            match (key.as_str(), value) {
                ("columns_file", Value::Text(part)) => self.document(storage, part, file, line),
                ("rows_file" | "params_file", Value::Text(part)) => self.rows(storage, part, file, line),
                ("volatile", items) => self.volatile(entry, items, file, line),
                _ => {}
            }
        }
    }

    fn document(&mut self, storage: &dyn Cassette, part: &str, file: &Path, line: u64) {
        if self.parts.insert(part.to_owned()) {
            match storage.document(part) {
                Ok(_) => {}
                Err(error) => self.part(part, &error, file, line),
            }
        }
    }

    fn rows(&mut self, storage: &dyn Cassette, part: &str, file: &Path, line: u64) {
        if !self.parts.insert(part.to_owned()) {
            return;
        }
        let mut rows = match storage.rows(part) {
            Ok(rows) => rows,
            Err(error) => return self.part(part, &error, file, line),
        };
        let (mut row, mut scratch, mut number) = (csv::ByteRecord::new(), Vec::new(), 0);
        loop {
            match rows.next(&mut row) {
                Ok(false) => return,
                Err(error) => return self.unreadable(&error),
                Ok(true) => number += 1,
            }
            for (column, field) in row.iter().enumerate() {
                if let Err(error) = cell::decode(field, &mut scratch) {
                    let message = format!("column {}: {error}", column + 1);
                    self.find(&self.path.join(part), Some(number), Kind::Unreadable, message);
                }
                if let Some(begin) = secret(&String::from_utf8_lossy(field)) {
                    let message = format!("column {} begins like a secret ({begin}...)", column + 1);
                    self.find(&self.path.join(part), Some(number), Kind::Secret, message);
                }
            }
        }
    }

    fn part(&mut self, part: &str, error: &CassetteError, file: &Path, line: u64) {
        match self.path.is_dir() && !self.path.join(part).exists() {
            true => self.find(file, Some(line), Kind::Missing, format!("{part} is not there; record again")),
            false => self.unreadable(error),
        }
    }

    fn volatile(&mut self, entry: &Entry, items: &Value, file: &Path, line: u64) {
        for item in items.as_list().unwrap_or(std::slice::from_ref(items)) {
            let wrong = match item.as_text().map(|text| (text, Volatile::parse(text))) {
                None | Some((_, None)) => Some("is no item: see docs/cassette-format.md, volatile values".to_owned()),
                Some((_, Some(Volatile::Sql(part)))) => {
                    let sql = entry.get("sql").and_then(Value::as_text).unwrap_or_default();
                    (!sql.contains(part)).then(|| "does not stand in the statement".to_owned())
                }
                Some((_, Some(Volatile::Parameter(number)))) => {
                    let width = entry.get("params").and_then(Value::as_list).map_or(usize::MAX, |params| {
                        params.first().and_then(Value::as_list).map_or(params.len(), <[Value]>::len)
                    });
                    (number > width).then(|| format!("there are only {width} parameters"))
                }
                Some(_) => None,
            };
            if let Some(wrong) = wrong {
                self.find(file, Some(line), Kind::Volatile, format!("{item:?}: {wrong}"));
            }
        }
    }

    fn secrets(&mut self, value: &Value, file: &Path, line: Option<u64>) {
        match value {
            Value::Text(text) => {
                if let Some(what) = keyword(text).or_else(|| secret(text).map(str::to_owned)) {
                    let message = format!("looks like a secret ({what}...); remove it, and what it opens");
                    self.find(file, line, Kind::Secret, message);
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.secrets(item, file, line)),
            Value::Map(pairs) => pairs.iter().for_each(|(_, item)| self.secrets(item, file, line)),
            _ => {}
        }
    }

    fn files(&mut self) {
        let Ok(entries) = std::fs::read_dir(self.path) else { return };
        let mut bytes = 0;
        let mut names: Vec<String> = Vec::new();
        for entry in entries.flatten() {
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        for name in names {
            let info = name.strip_suffix("_info.yml").and_then(|id| id.parse().ok());
            let known = matches!(name.as_str(), "metadata.yml" | "commands.yml")
                || self.parts.contains(&name)
                || info.is_some_and(|id| self.connections.contains(&id));
            if !known {
                self.find(&self.path.join(&name), None, Kind::Orphan, "nothing in commands.yml names it; remove it");
            }
        }
        if bytes > LARGE {
            let message = format!("{bytes} bytes: more than 1 MiB is a burden for a repository; read fewer rows");
            self.find(self.path, None, Kind::Large, message);
        }
    }
}

/// The keyword of a connection string whose value is a secret and stands there.
fn keyword(text: &str) -> Option<String> {
    text.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let word: String = key.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let hidden = value.trim().is_empty() || value.trim().trim_matches(['{', '}']) == "***";
        let short = key.len() < 40 && !hidden && SECRET_KEYWORDS.contains(&word.as_str());
        short.then(|| format!("{}=", key.trim()))
    })
}

/// How a text begins, if that is how secrets begin.
fn secret(text: &str) -> Option<&'static str> {
    SECRET_TEXTS.iter().copied().find(|begin| text.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cassette(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let metadata = "schema_version: 4\nrecorded_with: \"super8 0.1.0\"\nrecorded_on: \"2026-11-21T05:51:00Z\"\n\
                        complete: true\norder: global\n";
        std::fs::write(directory.path().join("metadata.yml"), metadata).unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    const RUN: &str = "- method: connect\n  connection_id: a\n  dsn: shop\n- method: run\n  connection_id: a\n  \
                       statement_id: 1\n  sql: \"SELECT 1\"\n- method: fetch_all\n  connection_id: a\n  statement_id: 1\n  \
                       rows_file: a_1_fetch_all.csv\n  c_types: [CHAR]\n";

    fn kinds(files: &[(&str, &str)]) -> Vec<(Kind, Option<u64>)> {
        let directory = cassette(files);
        check(directory.path()).into_iter().map(|finding| (finding.kind, finding.line)).collect()
    }

    #[test]
    fn a_good_cassette_has_nothing() {
        assert_eq!(kinds(&[("commands.yml", RUN), ("a_1_fetch_all.csv", "1\n2\n"), ("a_info.yml", "[]\n")]), []);
    }

    #[test]
    fn what_is_wrong_is_found_where_it_is() {
        assert_eq!(kinds(&[("commands.yml", RUN)]), [(Kind::Missing, Some(8))]);
        let rows = ("a_1_fetch_all.csv", "1\n\\q\n");
        assert_eq!(kinds(&[("commands.yml", RUN), rows]), [(Kind::Unreadable, Some(2))]);
        let rows = ("a_1_fetch_all.csv", "1\n");
        assert_eq!(kinds(&[("commands.yml", RUN), rows, ("b_1_fetch_all.csv", "1\n")]), [(Kind::Orphan, None)]);
        let secret = RUN.replace("dsn: shop", "dsn: shop\n  connection_string: \"DSN=shop;Pwd=tiger\"");
        assert_eq!(kinds(&[("commands.yml", &secret), rows]), [(Kind::Secret, Some(1))]);
        let volatile = RUN.replace("\"SELECT 1\"\n", "\"SELECT 1\"\n  volatile: [\"sql 2\", \"sql 1\", \"param 1\"]\n");
        let twice = [(Kind::Volatile, Some(4)), (Kind::Volatile, Some(4))];
        assert_eq!(kinds(&[("commands.yml", &volatile), rows]), twice);
        let wide = format!("{}\n", "x".repeat(2 << 20));
        assert_eq!(kinds(&[("commands.yml", RUN), ("a_1_fetch_all.csv", &wide)]), [(Kind::Large, None)]);
        assert_eq!(check(Path::new("/nonexistent/cassette"))[0].kind, Kind::Unreadable);
    }
}
