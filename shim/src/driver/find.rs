//! Chooses the real driver.
//!
//! The real driver is a setting like others ([`crate::config::sources`]). The last place that may give it is the
//! section of odbcinst.ini that names the shim. That section is the one that the application chose (`DRIVER=`, or the
//! data source's `Driver=`). If the application chose a library instead of a section, all sections for the shim's
//! library are asked and must agree.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::{DriverError, DriverErrorKind};
use super::search::{FileId, is_path};
use super::site::Site;
use crate::config::connection_string::{Choice, ConnectionString};
use crate::config::given::Given;
use crate::config::ini::{Ini, Section, to_path};
use crate::platform::is_library_name;

/// The keyword and key that names the real driver.
pub const REAL_DRIVER: &str = "RealDriver";

/// What the application asked to be connected to.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// The string of SQLDriverConnect or SQLBrowseConnect.
    String(&'a ConnectionString),
    /// The data source name of SQLConnect. An unknown name means `DEFAULT`, as it does to unixODBC.
    Dsn(&'a [u8]),
}

/// A real driver that was found. [`super::load`] finds out whether it can be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealDriver {
    /// The name of its section in odbcinst.ini, by which the driver knows itself in `DRIVER=`.
    pub name: Option<Vec<u8>>,
    /// Its library: a path, or a bare name that only the dynamic linker can find.
    pub library: PathBuf,
    /// The shim's own section that led here, which `DRIVER=` has to say to the application.
    pub shim_section: Option<Vec<u8>>,
    /// Where the real driver was named, for messages.
    pub source: String,
}

/// Finds the real driver of a connection. `named` is the setting, wherever it was given.
///
/// # Errors
/// Nothing names a real driver, or the named driver does not exist or is the shim itself.
pub fn at_connect(site: &Site, named: Option<&Given>, way: &Way<'_>) -> Result<RealDriver, DriverError> {
    match (named, way.section) {
        (Some(named), section) => {
            let real = resolve(site, named.value.as_bytes(), named.place.clone())?;
            Ok(RealDriver { shim_section: section.map(|section| section.name.clone()), ..real })
        }
        (None, Some(section)) => Err(not_named(site, Some(section))),
        (None, None) => agreed(site)?.ok_or_else(|| not_named(site, None)),
    }
}

/// Finds the real driver before any connection string is known, for the calls that come first: the driver named for the
/// whole process, else the one on which all sections for the shim's library agree. A connection may turn out to want
/// another driver.
pub fn early(site: &Site, named: Option<&Given>) -> Option<RealDriver> {
    match named {
        Some(named) => resolve(site, named.value.as_bytes(), named.place.clone()).ok(),
        None => agreed(site).ok().flatten(),
    }
}

/// How the driver manager came to the shim.
#[derive(Debug)]
pub struct Way<'a> {
    /// The data source, if there is one.
    pub dsn: Option<Vec<u8>>,
    /// The shim's own section of odbcinst.ini, if it is known.
    pub section: Option<&'a Section>,
}

impl<'a> Way<'a> {
    /// Returns how the driver manager came to `site`'s shim for what the application asked.
    pub fn of(site: &'a Site, asked: Asked<'_>) -> Way<'a> {
        let choice = match asked {
            Asked::String(string) => string.choice(),
            Asked::Dsn(name) => Choice::Dsn(name.to_vec()),
        };
        let ini = &site.ini;
        let (dsn, driver) = match choice {
            Choice::Driver(name) => (None, Some(name)),
            Choice::Dsn(name) => {
                let known = ini.dsn_value(&name, "Driver").is_some();
                let name = if known || !matches!(asked, Asked::Dsn(_)) { name } else { b"DEFAULT".to_vec() };
                let driver = ini.dsn_value(&name, "Driver").map(|(_, value)| value.to_vec());
                (Some(name), driver)
            }
        };
        let section = driver.and_then(|name| ini.driver_section(&name));
        // A section with another library did not lead here. The application may have loaded the shim by itself.
        let section = section.filter(|section| site.own.is_none() || site.names_own(section) || unknown(site, section));
        Way { dsn, section }
    }
}

/// Returns whether a section's library cannot be identified. Then the section is taken for the one that led here.
fn unknown(site: &Site, section: &Section) -> bool {
    section.library().is_none_or(|library| site.search.identity(&to_path(library)).is_none())
}

/// Returns the one real driver that the sections for the shim's own library name, if any does.
fn agreed(site: &Site) -> Result<Option<RealDriver>, DriverError> {
    let own = site.ini.driver_sections().filter(|section| site.names_own(section));
    let mut found: Vec<(&Section, RealDriver)> = Vec::new();
    for section in own {
        let Some(value) = section.value(REAL_DRIVER) else { continue };
        let real = resolve(site, value, format!("{REAL_DRIVER} in {}", section.title()))?;
        found.push((section, real));
    }
    let Some((first, real)) = found.first() else { return Ok(None) };
    let same = |other: &RealDriver| {
        let identity = site.search.identity(&other.library);
        other.library == real.library || (identity.is_some() && identity == site.search.identity(&real.library))
    };
    if let Some((other, _)) = found.iter().find(|(_, other)| !same(other)) {
        return Err(DriverError::new(
            DriverErrorKind::Ambiguous,
            format!(
                "{} and {} name different real drivers and the application chose neither section: connect with DRIVER= \
                 or a data source whose Driver= is one of these sections, or set SUPER8_DRIVER",
                first.title(),
                other.title()
            ),
        ));
    }
    let shim_section = if found.len() == 1 { Some(first.name.clone()) } else { None };
    Ok(Some(RealDriver { shim_section, ..real.clone() }))
}

/// Returns the driver that a value names: a path, a section of odbcinst.ini, or a bare library name.
fn resolve(site: &Site, value: &[u8], source: String) -> Result<RealDriver, DriverError> {
    let shown = String::from_utf8_lossy(value).into_owned();
    let named = to_path(value);
    let section = if is_path(&named) { None } else { site.ini.driver_section(value) };
    let library = match section {
        Some(section) => to_path(section.library().ok_or_else(|| {
            let key = "add Driver= with the path of the real driver's library";
            DriverError::new(
                DriverErrorKind::NoLibrary,
                format!("{source} names {}, which has no Driver: {key}", section.title()),
            )
        })?),
        None => named,
    };
    let (file, id) = match site.search.file(&library) {
        Some((_, id)) if site.is_own_file(Some(id)) => return Err(itself(&source, &shown)),
        Some((file, id)) => (file, Some(id)),
        // Only the dynamic linker knows, and `load` asks it.
        None if !is_path(&library) && (section.is_some() || is_library_name(library.as_os_str())) => (library, None),
        None => return Err(not_found(site, &source, &shown, &library, section)),
    };
    let name = section.or_else(|| section_of(site, &file, id?)).map(|section| section.name.clone());
    Ok(RealDriver { name, library: file, shim_section: None, source })
}

/// Returns the section whose driver is this file, preferably by this name.
fn section_of<'a>(site: &'a Site, file: &Path, id: FileId) -> Option<&'a Section> {
    let library = |section: &Section| section.library().map(to_path);
    let mut sections = site.ini.driver_sections();
    sections.clone().find(|section| library(section).as_deref() == Some(file)).or_else(|| {
        sections.find(|section| library(section).and_then(|library| site.search.identity(&library)) == Some(id))
    })
}

fn itself(source: &str, shown: &str) -> DriverError {
    DriverError::new(
        DriverErrorKind::Itself,
        format!("{source} is \"{shown}\", which is super8 itself: name the driver that super8 is to call"),
    )
}

fn not_found(site: &Site, source: &str, shown: &str, library: &Path, section: Option<&Section>) -> DriverError {
    let message = match section {
        Some(section) => {
            format!("{source} names {}, whose library {} does not exist", section.title(), library.display())
        }
        None if is_path(library) => format!("{source} is \"{shown}\", and there is no such library"),
        None => format!(
            "{source} is \"{shown}\": there is no such section in {} and no such library; \
             odbcinst -q -d lists the sections",
            files(&site.ini)
        ),
    };
    DriverError::new(DriverErrorKind::NotFound, message)
}

fn not_named(site: &Site, section: Option<&Section>) -> DriverError {
    let place = match section {
        Some(section) => format!("the section {}", section.title()),
        None => format!("super8's section of {}", files(&site.ini)),
    };
    DriverError::new(
        DriverErrorKind::NotNamed,
        format!(
            "no real driver is named: add {REAL_DRIVER}=NAME to {place} (NAME is another section there, or a library), \
             to the data source's section of odbc.ini or to the connection string, or set SUPER8_DRIVER"
        ),
    )
}

/// Returns the odbcinst.ini files that were read, or else those that were looked for.
fn files(ini: &Ini) -> String {
    let read = |wanted: bool| {
        let paths = ini.driver_files.iter().filter(move |(_, read)| *read || !wanted);
        paths.map(|(path, _)| path.display().to_string()).collect::<Vec<_>>().join(" or ")
    };
    match (read(true), read(false)) {
        (found, _) if !found.is_empty() => found,
        (_, looked) if !looked.is_empty() => format!("{looked} (which cannot be read)"),
        _ => "odbcinst.ini".to_owned(),
    }
}

#[cfg(test)]
#[path = "find_tests.rs"]
pub(in crate::driver) mod tests;
