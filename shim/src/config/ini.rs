//! Reads odbc.ini and odbcinst.ini as unixODBC reads them.
//!
//! These are the rules, from unixODBC's `ini/` and `odbcinst/`. `#` and `;` start a comment only at the beginning of a
//! line. A name ends at `]`. Everything after the first `=` is the value, neither unquoted nor expanded nor cut at a
//! comment. White space around names and values is dropped. Names compare without case. Of two sections with one name
//! only the first counts, and so of two keys. A line is read in pieces of 999 bytes. A later file adds sections but
//! never keys to an existing section, except that a data source's `Driver` is looked for in both files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::locations::Locations;

/// unixODBC reads lines with `fgets` into a buffer of 1000 bytes.
const LINE: usize = 999;

/// One section of an ini file. Names and values are bytes, because ini files have no declared encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The name between the brackets.
    pub name: Vec<u8>,
    /// The file that the section is in.
    pub file: PathBuf,
    keys: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Section {
    /// Returns the value of a key, or `None` if it is absent or empty (unixODBC does not tell the two apart).
    pub fn value(&self, key: &str) -> Option<&[u8]> {
        let (_, value) = self.keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key.as_bytes()))?;
        Some(value.as_slice()).filter(|value| !value.is_empty())
    }

    /// Returns all keys with their values, in the file's order, including duplicates.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.keys.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// Keeps only these keys.
    pub fn retain(&mut self, keep: impl Fn(&[u8], &[u8]) -> bool) {
        self.keys.retain(|(name, value)| keep(name, value));
    }

    /// Returns the library that a driver section names: `Driver64` before `Driver`, as unixODBC looks on a 64-bit
    /// machine.
    pub fn library(&self) -> Option<&[u8]> {
        let wide = if cfg!(target_pointer_width = "64") { self.value("Driver64") } else { None };
        wide.or_else(|| self.value("Driver"))
    }

    /// Returns the name for an error message.
    pub fn title(&self) -> String {
        format!("[{}] of {}", String::from_utf8_lossy(&self.name), self.file.display())
    }
}

/// The ini files of this machine and user, as they are now.
#[derive(Clone, Debug, Default)]
pub struct Ini {
    drivers: Vec<Section>,
    sources: Vec<Vec<Section>>,
    /// The odbcinst.ini files that were looked for, in order, and whether each could be read.
    pub driver_files: Vec<(PathBuf, bool)>,
    /// The odbc.ini files that were looked for, in order, and whether each could be read.
    pub source_files: Vec<(PathBuf, bool)>,
}

impl Ini {
    /// Reads all files. An absent or unreadable file counts as empty, as it does for the driver manager.
    pub fn read(locations: &Locations) -> Ini {
        let mut ini = Ini::default();
        for path in &locations.drivers {
            let sections = read(path);
            ini.driver_files.push((path.clone(), sections.is_some()));
            for section in sections.unwrap_or_default() {
                if named(&ini.drivers, &section.name).is_none() {
                    ini.drivers.push(section);
                }
            }
        }
        for path in &locations.sources {
            let sections = read(path);
            ini.source_files.push((path.clone(), sections.is_some()));
            ini.sources.extend(sections);
        }
        ini
    }

    /// Returns the section of odbcinst.ini with this name.
    pub fn driver_section(&self, name: &[u8]) -> Option<&Section> {
        named(&self.drivers, name).filter(|section| !section.name.eq_ignore_ascii_case(b"ODBC"))
    }

    /// Returns all sections of odbcinst.ini that describe drivers: all but `[ODBC]`.
    pub fn driver_sections(&self) -> impl Iterator<Item = &Section> + Clone {
        self.drivers.iter().filter(|section| !section.name.eq_ignore_ascii_case(b"ODBC"))
    }

    /// Returns the section of a data source, the user's before the system's. A driver reads its own keys from it.
    pub fn dsn_section(&self, name: &[u8]) -> Option<&Section> {
        self.sources.iter().find_map(|sections| named(sections, name))
    }

    /// Returns whether any section, of a driver or a data source, has this key.
    pub fn mentions(&self, key: &str) -> bool {
        self.drivers.iter().chain(self.sources.iter().flatten()).any(|section| section.value(key).is_some())
    }

    /// Returns a key of a data source from the first file that gives it, which is how the driver manager looks for
    /// `Driver`.
    pub fn dsn_value(&self, name: &[u8], key: &str) -> Option<(&Section, &[u8])> {
        self.sources.iter().find_map(|sections| {
            let section = named(sections, name)?;
            Some((section, section.value(key)?))
        })
    }
}

fn named<'a>(sections: &'a [Section], name: &[u8]) -> Option<&'a Section> {
    sections.iter().find(|section| !name.is_empty() && section.name.eq_ignore_ascii_case(name))
}

fn read(path: &Path) -> Option<Vec<Section>> {
    Some(parse(&std::fs::read(path).ok()?, path))
}

/// Returns the sections of an ini file's text. Lines before the first section belong to none and are skipped.
pub fn parse(text: &[u8], file: &Path) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.split(|byte| *byte == b'\n').flat_map(|line| line.chunks(LINE)) {
        let line = trim(line);
        match line.first() {
            None | Some(b'#' | b';') => {}
            Some(b'[') => {
                let end = line.iter().position(|byte| *byte == b']').unwrap_or(line.len());
                let name = trim(&line[1..end]).to_vec();
                sections.push(Section { name, file: file.to_owned(), keys: Vec::new() });
            }
            Some(_) => {
                if let Some(section) = sections.last_mut() {
                    let equals = line.iter().position(|byte| *byte == b'=');
                    let name = trim(&line[..equals.unwrap_or(line.len())]).to_vec();
                    let value = equals.map_or(Vec::new(), |at| trim(&line[at + 1..]).to_vec());
                    section.keys.push((name, value));
                }
            }
        }
    }
    sections
}

/// Returns the text without white space at either end, as C's `isspace` sees it.
pub fn trim(text: &[u8]) -> &[u8] {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// Returns a value of an ini file or connection string as a path.
pub fn to_path(value: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<Section> {
        parse(text.as_bytes(), Path::new("odbcinst.ini"))
    }

    #[test]
    fn sections_keys_and_comments() {
        let sections = parsed(
            "stray = 1\n# no\n; no\n[ SQLite 3 ] tail\n  Driver = lib;x.so # kept \r\nEmpty=\nFlag\n[b]\nDriver=\"q\"\n",
        );
        assert_eq!(sections.len(), 2);
        assert_eq!(sections[0].name, b"SQLite 3");
        assert_eq!(sections[0].value("driver"), Some(&b"lib;x.so # kept"[..]));
        assert_eq!((sections[0].value("Empty"), sections[0].value("Flag")), (None, None));
        assert_eq!(sections[1].value("DRIVER"), Some(&b"\"q\""[..]));
    }

    #[test]
    fn the_first_of_two_keys_counts_even_if_empty() {
        let sections = parsed("[a]\nDriver=one\nDRIVER=two\nSetup=\nSetup=three\n");
        assert_eq!((sections[0].value("Driver"), sections[0].value("Setup")), (Some(&b"one"[..]), None));
    }

    #[test]
    fn a_value_keeps_its_equals_signs_and_a_long_line_breaks_as_in_unixodbc() {
        let long = format!("[a]\nopt=k=v\nDriver={}\n", "x".repeat(2000));
        let sections = parsed(&long);
        assert_eq!(sections[0].value("opt"), Some(&b"k=v"[..]));
        assert_eq!(sections[0].value("Driver").map(<[u8]>::len), Some(LINE - "Driver=".len()));
    }

    #[test]
    fn an_unclosed_bracket_and_an_empty_file_do_no_harm() {
        assert_eq!(parsed("[open\nDriver=x\n")[0].name, b"open");
        assert!(parsed("").is_empty());
        assert!(parsed("[]\nDriver=x\n")[0].name.is_empty());
    }

    fn ini(directory: &Path, drivers: &[&str], sources: &[&str]) -> Ini {
        let write = |kind: &str, texts: &[&str]| {
            let write_one = |(number, text): (usize, &&str)| {
                let path = directory.join(format!("{kind}{number}.ini"));
                std::fs::write(&path, text).unwrap();
                path
            };
            texts.iter().enumerate().map(write_one).collect::<Vec<_>>()
        };
        Ini::read(&Locations { drivers: write("odbcinst", drivers), sources: write("odbc", sources) })
    }

    #[test]
    fn a_later_file_adds_sections_but_no_keys() {
        let directory = crate::config::locations::tests::directory("later_file");
        let ini = ini(&directory, &["[a]\nDriver=one\n[ODBC]\nTrace=1\n", "[A]\nSetup=no\n[b]\nDriver=two\n"], &[]);
        assert_eq!(ini.driver_section(b"A").and_then(|section| section.value("Setup")), None);
        let names: Vec<_> = ini.driver_sections().map(|section| section.name.as_slice()).collect();
        assert_eq!(names, [b"a", b"b"]);
        assert!(ini.driver_section(b"odbc").is_none() && ini.driver_section(b"").is_none());
    }

    #[test]
    fn a_data_source_key_comes_from_the_first_file_that_has_it() {
        let directory = crate::config::locations::tests::directory("source_key");
        let ini = ini(&directory, &[], &["[dsn]\nPort=1\n", "[DSN]\nPort=2\nDriver=super8\n"]);
        assert_eq!(ini.dsn_value(b"dsn", "Driver").map(|(_, value)| value), Some(&b"super8"[..]));
        assert_eq!(ini.dsn_value(b"dsn", "port").map(|(_, value)| value), Some(&b"1"[..]));
        assert_eq!(ini.dsn_section(b"dsn").and_then(|section| section.value("Driver")), None);
    }

    #[test]
    fn driver64_goes_before_driver() {
        let sections = parsed("[a]\nDriver=thirtytwo.so\nDriver64=sixtyfour.so\n[b]\nDriver64=\nDriver=only.so\n");
        let expected: &[u8] = if cfg!(target_pointer_width = "64") { b"sixtyfour.so" } else { b"thirtytwo.so" };
        assert_eq!(sections[0].library(), Some(expected));
        assert_eq!(sections[1].library(), Some(&b"only.so"[..]));
    }
}
