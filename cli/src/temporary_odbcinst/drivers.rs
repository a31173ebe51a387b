//! Writes an odbcinst.ini with super8 in place of every driver.
//!
//! A driver's section keeps its name and its keys (driver managers and drivers read theirs there) and gets super8's
//! library. The real section follows at the end of the file under a name that no program looks for: one that takes "the
//! last driver with `SQL Server` in its name" must not find it. A library's path also becomes a section, because the
//! driver manager looks for a section of that name before it opens the path.

use super::recorded::{Name, Recorded};
use super::sections::{self, Notes, Text, keys_without};
use crate::libraries::Libraries;
use crate::libraries::{self, Binary};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use super8_shim::config::ini::Section;
use super8_shim::config::ini::to_path;
use super8_shim::driver::Kind;
use super8_shim::driver::find::REAL_DRIVER;
use super8_shim::driver::search::Search;
use super8_shim::platform;

/// How the sections of drivers are changed.
pub struct Drivers<'a> {
    /// super8's libraries.
    pub libraries: &'a Libraries,
    /// The places in which to look for bare library names.
    pub search: &'a Search,
    /// Whether real drivers will be called. False at replay.
    pub real: bool,
    /// The drivers and data sources that the cassette names.
    pub recorded: &'a Recorded,
}

/// The beginning of the name of a real driver's section; a number follows.
const REAL: &[u8] = b"super8 real driver ";

/// A driver that super8 is put in front of.
struct Swapped {
    kind: Kind,
    /// Every path of its library that somebody may use.
    paths: Vec<PathBuf>,
}

impl Drivers<'_> {
    /// Returns the text of odbcinst.ini for these sections.
    pub fn text(&self, drivers: &[Section], notes: &mut Notes) -> Text {
        let mut text = Text::default();
        let mut hidden = Vec::new();
        let mut by_path: Vec<(PathBuf, Kind, Vec<u8>)> = Vec::new();
        // Sections of an outer run, in which this one is started: super8 is already in front of their drivers.
        let of_outer_run = |section: &&Section| section.name.starts_with(REAL);
        let outer = drivers.iter().filter(of_outer_run).count();
        for section in drivers.iter().filter(|section| self.real || !of_outer_run(section)) {
            if of_outer_run(&section) {
                text.section(&section.name, section.pairs());
                continue;
            }
            let wanted = self.recorded.drivers.kind(&section.name);
            let swapped =
                if section.name.eq_ignore_ascii_case(sections::MANAGER) { None } else { self.swapped(section, notes) };
            let Some(Swapped { kind, paths }) = swapped else {
                // A section that names super8 already has its real driver.
                match wanted.filter(|_| !self.real || !self.is_super8(section)) {
                    Some(kind) => _ = self.declare(&mut text, &section.name, kind),
                    None => _ = text.section(&section.name, section.pairs()),
                }
                continue;
            };
            let kind = wanted.unwrap_or(kind);
            let number = outer + hidden.len() + 1;
            let real = [REAL, number.to_string().as_bytes()].concat();
            let library = self.libraries.of(kind);
            let mut keys = vec![(&b"Driver"[..], library.as_os_str().as_bytes())];
            if self.real {
                keys.push((REAL_DRIVER.as_bytes(), &real));
            }
            keys.extend(keys_without(section, &["Driver", "Driver64", REAL_DRIVER]));
            text.section(&section.name, keys);
            by_path.extend(paths.into_iter().map(|path| (path, kind, real.clone())));
            hidden.push((real, section));
        }
        for Name { name, kind, .. } in self.recorded.drivers.iter() {
            if !self.declare(&mut text, name, *kind) {
                notes.add(format!("the recorded driver {:?} cannot be declared", String::from_utf8_lossy(name)));
            }
        }
        for (path, kind, real) in by_path {
            let library = self.libraries.of(kind);
            let mut keys = vec![(&b"Driver"[..], library.as_os_str().as_bytes())];
            if self.real {
                keys.push((REAL_DRIVER.as_bytes(), &real));
            }
            text.section(path.as_os_str().as_bytes(), keys);
        }
        if self.real {
            for (name, section) in hidden {
                text.section(&name, section.pairs());
            }
        }
        text
    }

    /// Adds a section for a driver that only the cassette names.
    fn declare(&self, text: &mut Text, name: &[u8], kind: Kind) -> bool {
        text.section(name, [(&b"Driver"[..], self.libraries.of(kind).as_os_str().as_bytes())])
    }

    fn swapped(&self, section: &Section, notes: &mut Notes) -> Option<Swapped> {
        let spelled = to_path(section.library()?);
        let (file, kind) = match self.look(&spelled) {
            FoundLibrary::Driver(file, kind) => (file, kind),
            FoundLibrary::Super8 => return None,
            // At replay no driver needs to be installed, and the program may not even use this one.
            FoundLibrary::Absent(_) if !self.real => {
                let kind = self.recorded.kind?;
                return Some(Swapped { kind, paths: Vec::new() });
            }
            FoundLibrary::Absent(why) => {
                notes.add(format!("{} is left as it is: {why}", section.title()));
                return None;
            }
        };
        let mut paths = vec![file.clone()];
        paths.extend(file.canonicalize());
        paths.push(spelled);
        paths.dedup();
        Some(Swapped { kind, paths })
    }

    fn is_super8(&self, section: &Section) -> bool {
        section.library().is_some_and(|library| matches!(self.look(&to_path(library)), FoundLibrary::Super8))
    }

    /// Finds out what is behind a library's name.
    pub fn look(&self, library: &Path) -> FoundLibrary {
        let Some(file) = locate(library, self.search) else {
            return FoundLibrary::Absent(format!("there is no library {}", library.display()));
        };
        match libraries::read(&file) {
            Ok(Binary::Driver(kind)) => FoundLibrary::Driver(file, kind),
            Ok(Binary::Super8(_)) => FoundLibrary::Super8,
            Ok(Binary::DriverManager) => FoundLibrary::Absent(format!("{} is a driver manager", file.display())),
            Ok(Binary::Other) => FoundLibrary::Absent(format!("{} is not an ODBC driver", file.display())),
            Ok(Binary::Foreign) => FoundLibrary::Absent(format!("{} is for another processor", file.display())),
            Err(error) => FoundLibrary::Absent(format!("{}: {error}", file.display())),
        }
    }
}

/// What is behind a library's name.
pub enum FoundLibrary {
    /// A driver, with its file and kind.
    Driver(PathBuf, Kind),
    /// super8 itself: the section is configured already.
    Super8,
    /// No driver, and why not.
    Absent(String),
}

/// Finds the file of a library, as super8 does, or in the dynamic linker's usual places.
pub fn locate(library: &Path, search: &Search) -> Option<PathBuf> {
    let listed = std::env::var_os("LD_LIBRARY_PATH").map(|path| super8_shim::driver::search::split(&path));
    let linker = listed.unwrap_or_default().into_iter().chain(platform::linker_directories()).collect();
    let linker = Search { first: linker, last: Vec::new() };
    search.in_first(library).or_else(|| linker.in_first(library)).or_else(|| search.in_last(library))
}

/// Whether a data source's `Driver` names one of these sections.
pub fn is_name(drivers: &[Section], driver: &[u8]) -> bool {
    drivers.iter().any(|section| section.name.eq_ignore_ascii_case(driver) && section.name != sections::MANAGER)
}
