//! Reads the sections of ini files as the driver manager does, and writes them in a form that it understands.

use std::path::PathBuf;
use super8_shim::config::ini::{self, Section};
use super8_shim::config::keywords::is_secret;
use super8_shim::config::redact::has_assigned_secret;

/// The name of the driver manager's own section in odbcinst.ini, which is no driver.
pub const MANAGER: &[u8] = b"ODBC";

/// Reads all sections of some files, with or without keys that may be secrets. If several sections have the same name,
/// only the first of all files counts.
pub fn read(files: &[PathBuf], secrets: bool) -> Vec<Section> {
    let mut all: Vec<Section> = Vec::new();
    for file in files {
        // A missing or unreadable file counts as empty, as for the driver manager.
        for mut section in ini::parse(&std::fs::read(file).unwrap_or_default(), file) {
            if !secrets {
                section.retain(|key, value| !is_secret(key) && !has_assigned_secret(&String::from_utf8_lossy(value)));
            }
            if !section.name.is_empty() && !all.iter().any(|known| known.name.eq_ignore_ascii_case(&section.name)) {
                all.push(section);
            }
        }
    }
    all
}

/// Notes on the configuration, to be shown if nothing connects through super8.
#[derive(Debug, Default)]
pub struct Notes(pub Vec<String>);

impl Notes {
    pub fn add(&mut self, note: String) {
        self.0.push(note);
    }
}

/// An ini file being written.
#[derive(Debug, Default)]
pub struct Text {
    bytes: Vec<u8>,
    names: Vec<Vec<u8>>,
}

impl Text {
    /// Adds a section, unless there is one with this name. Returns false if the name cannot be written to an ini file.
    pub fn section<'a>(&mut self, name: &[u8], keys: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> bool {
        if name.is_empty() || name.len() > 500 || name.iter().any(|byte| matches!(byte, b']' | b'\0'..=b'\x1f')) {
            return false;
        }
        if self.has(name) {
            return true;
        }
        self.names.push(name.to_vec());
        self.bytes.extend([b"[", name, b"]\n"].concat());
        for (key, value) in keys {
            self.bytes.extend([key, b" = ", value, b"\n"].concat());
        }
        self.bytes.push(b'\n');
        true
    }

    /// Whether there is a section with this name.
    pub fn has(&self, name: &[u8]) -> bool {
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Returns the text to be written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns the keys of a section except some; names of keys compare without case.
pub fn keys_without<'a>(section: &'a Section, dropped: &'a [&str]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let dropped = |key: &[u8]| dropped.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(key));
    section.pairs().filter(move |(key, _)| !dropped(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("odbcinst.ini");
        let mut text = Text::default();
        assert!(text.section(b"a b", [(&b"Driver"[..], &b"lib;x.so # kept"[..]), (b"Empty", b"")]));
        assert!(text.section(b"A B", [(&b"Driver"[..], &b"second"[..])]), "the first counts");
        assert!(!text.section(b"x]\n[evil", []) && !text.section(b"", []));
        std::fs::write(&file, text.bytes()).unwrap();
        let sections = read(&[directory.path().join("none"), file], true);
        assert_eq!(sections.len(), 1);
        assert_eq!(sections[0].value("driver"), Some(&b"lib;x.so # kept"[..]));
        assert_eq!(keys_without(&sections[0], &["DRIVER"]).count(), 1);
    }

    #[test]
    fn secrets_are_left_out_where_nobody_needs_them() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("odbc.ini");
        std::fs::write(&file, "[shop]\nServer=a\nPWD=x\nPassword=y\npqopt=password=z\nUID=ada\nMine=1\n").unwrap();
        let keys = |secrets| {
            let sections = read(std::slice::from_ref(&file), secrets);
            sections[0].pairs().map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(keys(true).len(), 6);
        assert_eq!(keys(false), ["Server", "UID", "Mine"]);
    }
}
