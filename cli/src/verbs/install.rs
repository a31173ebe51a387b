//! `super8 install` and `uninstall`: put super8 in the place of a driver in odbcinst.ini, under the driver's name, and
//! put the driver back.

use crate::edit::{IniText, replace};
use crate::exit::{Exit, Failure, Outcome};
use crate::libraries::Libraries;
use crate::libraries::{self, Binary};
use crate::{output, temporary_odbcinst};
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use super8_shim::config::ini::to_path;
use super8_shim::config::ini::{self, Section};
use super8_shim::driver::Site;
use super8_shim::driver::find::REAL_DRIVER;
use super8_shim::platform::is_library_name;

/// `super8 install DRIVER...`
#[derive(Args)]
#[command(after_help = "\
Shows what it would change. With --apply it changes the file, and keeps a copy of the old one beside it.

Examples:
  super8 install SQLite3
  sudo super8 install --apply 'ODBC Driver 18 for SQL Server'")]
pub struct Install {
    #[command(flatten)]
    what: What,
}

/// `super8 uninstall DRIVER...`
#[derive(Args)]
#[command(after_help = "\
Shows what it would change. With --apply it changes the file, and keeps a copy of the old one beside it.

Examples:
  super8 uninstall SQLite3
  sudo super8 uninstall --apply --all")]
pub struct Uninstall {
    #[command(flatten)]
    what: What,
}

#[derive(Args)]
struct What {
    /// Names of drivers: sections of odbcinst.ini
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "DRIVER")]
    drivers: Vec<String>,
    /// All drivers
    #[arg(long)]
    all: bool,
    /// The file to change, instead of the driver manager's own
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Change the file
    #[arg(long)]
    apply: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// The change of one section.
#[derive(Serialize)]
struct Change {
    driver: String,
    /// The library it had.
    from: String,
    /// The library it gets.
    to: String,
}

#[derive(Serialize)]
struct Report {
    file: PathBuf,
    changes: Vec<Change>,
    applied: bool,
    backup: Option<PathBuf>,
}

impl Install {
    /// Shows or does it.
    pub fn run(self) -> Outcome {
        let libraries = Libraries::find().map_err(|failure| failure.with(Exit::Failed))?;
        let site = Site::of(&|name| std::env::var_os(name));
        self.what.run("installed", &|text, section| put(text, section, &libraries, &site))
    }
}

impl Uninstall {
    /// Shows or does it.
    pub fn run(self) -> Outcome {
        self.what.run("uninstalled", &|text, section| take(text, section))
    }
}

/// Changes the text for a section. Returns `None` if the section is already as it should be.
type Edit<'a> = &'a dyn Fn(&mut IniText, &Section) -> Result<Option<Change>, String>;

impl What {
    fn run(self, done: &str, edit: Edit<'_>) -> Outcome {
        let file = match &self.file {
            Some(file) => file.clone(),
            None => default_file(&self.drivers),
        };
        let before = std::fs::read(&file)
            .map_err(|error| Failure::new(format_args!("cannot read {}: {error}", file.display())))?;
        let sections = ini::parse(&before, &file);
        let named = |name: &[u8]| sections.iter().find(|section| section.name.eq_ignore_ascii_case(name));
        let mut chosen = Vec::new();
        for name in &self.drivers {
            chosen.push(named(name.as_bytes()).ok_or_else(|| unknown(name, &file, &sections))?);
        }
        if self.all {
            chosen.extend(sections.iter().filter(|section| !section.name.eq_ignore_ascii_case(b"ODBC")));
        }
        let mut text = IniText::new(&before);
        let mut changes = Vec::new();
        for section in chosen {
            match edit(&mut text, section) {
                Ok(Some(change)) => changes.push(change),
                Ok(None) => {}
                // `--all` means all drivers for which it is possible.
                Err(_) if self.all => {}
                Err(why) => return Err(Failure::new(format_args!("{}: {why}", section.title()))),
            }
        }
        let after = text.bytes();
        let backup = if self.apply && !changes.is_empty() { Some(replace(&file, &after)?) } else { None };
        let report = Report { file, changes, applied: backup.is_some(), backup };
        if self.json {
            output::json(&report)?;
            return Ok(Exit::Done);
        }
        show(&report, &before, &after, done)
    }
}

fn show(report: &Report, before: &[u8], after: &[u8], done: &str) -> Outcome {
    let mut out = output::text();
    let file = report.file.display();
    if report.changes.is_empty() {
        writeln!(out, "{file}: nothing to change")?;
        return output::finish(out).map(|()| Exit::Done);
    }
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let difference = similar::TextDiff::from_lines(&before, &after);
    let (red, green) = (anstyle::AnsiColor::Red.on_default(), anstyle::AnsiColor::Green.on_default());
    writeln!(out, "{file}:")?;
    for group in difference.grouped_ops(2) {
        for change in group.iter().flat_map(|op| difference.iter_changes(op)) {
            let line = change.value().trim_end();
            match change.tag() {
                similar::ChangeTag::Delete => writeln!(out, "{red}- {line}{red:#}")?,
                similar::ChangeTag::Insert => writeln!(out, "{green}+ {line}{green:#}")?,
                similar::ChangeTag::Equal => writeln!(out, "  {line}")?,
            }
        }
        writeln!(out)?;
    }
    let names: Vec<&str> = report.changes.iter().map(|change| change.driver.as_str()).collect();
    match &report.backup {
        Some(backup) => writeln!(out, "{done}: {}. The file as it was: {}", names.join(", "), backup.display())?,
        None => writeln!(out, "Nothing was changed. Give --apply to change it.")?,
    }
    output::finish(out).map(|()| Exit::Done)
}

/// Returns the first of the driver manager's files that has all sections, or else its first file.
fn default_file(drivers: &[String]) -> PathBuf {
    let site = Site::of(&|name| std::env::var_os(name));
    let files: Vec<PathBuf> = site.ini.driver_files.iter().map(|(path, _)| path.clone()).collect();
    let has_all = |file: &&PathBuf| {
        let sections = ini::parse(&std::fs::read(file).unwrap_or_default(), file);
        let has = |name: &String| sections.iter().any(|section| section.name.eq_ignore_ascii_case(name.as_bytes()));
        drivers.iter().all(has)
    };
    let found = files.iter().find(has_all).or(files.first());
    found.cloned().unwrap_or_else(|| PathBuf::from("/etc/odbcinst.ini"))
}

fn unknown(name: &str, file: &Path, sections: &[Section]) -> Failure {
    let names: Vec<_> = sections.iter().map(|section| String::from_utf8_lossy(&section.name)).collect();
    Failure::new(format_args!("{} has no section [{name}]; it has: {}", file.display(), names.join(", ")))
}

/// Returns the key from which the driver manager takes the library.
fn library_key(section: &Section) -> &'static str {
    let wide = cfg!(target_pointer_width = "64") && section.value("Driver64").is_some();
    if wide { "Driver64" } else { "Driver" }
}

fn put(text: &mut IniText, section: &Section, libraries: &Libraries, site: &Site) -> Result<Option<Change>, String> {
    let library = section.library().ok_or("it has no Driver, so it is not a driver's section")?;
    let path = to_path(library);
    let file = temporary_odbcinst::locate(&path, &site.search);
    let file = file.ok_or_else(|| format!("there is no library {}; is the driver installed?", path.display()))?;
    let kind = match libraries::read(&file) {
        Ok(Binary::Driver(kind)) => kind,
        Ok(Binary::Super8(_)) => return Ok(None),
        Ok(_) => return Err(format!("{} is not an ODBC driver for this machine", file.display())),
        Err(error) => return Err(format!("{}: {error}", file.display())),
    };
    let shim = libraries.of(kind);
    let key = library_key(section);
    let real = library.to_vec();
    let done = text.set(&section.name, key, shim.as_os_str().as_bytes())
        && (text.set(&section.name, REAL_DRIVER, &real) || text.insert_after(&section.name, key, REAL_DRIVER, &real));
    if !done {
        return Err(format!("its {key} cannot be found in the text"));
    }
    Ok(Some(change(section, &real, shim.as_os_str().as_bytes())))
}

fn take(text: &mut IniText, section: &Section) -> Result<Option<Change>, String> {
    let library = section.library().map(<[u8]>::to_vec).unwrap_or_default();
    if !libraries::is_super8(&to_path(&library)) {
        return Ok(None);
    }
    let real = section.value(REAL_DRIVER).map(<[u8]>::to_vec);
    let real = real.ok_or("its Driver is super8 and it has no RealDriver: it was not made by `super8 install`")?;
    let library_like = real.contains(&b'/') || is_library_name(to_path(&real).as_os_str());
    if !library_like {
        let name = String::from_utf8_lossy(&real);
        return Err(format!(
            "its RealDriver is the section [{name}]: it was not made by `super8 install`; delete it by hand"
        ));
    }
    let key = library_key(section);
    if !(text.set(&section.name, key, &real) && text.remove(&section.name, REAL_DRIVER)) {
        return Err(format!("its {key} cannot be found in the text"));
    }
    Ok(Some(change(section, &library, &real)))
}

fn change(section: &Section, from: &[u8], to: &[u8]) -> Change {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Change { driver: text(&section.name), from: text(from), to: text(to) }
}
