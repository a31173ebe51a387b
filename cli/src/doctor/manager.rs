//! Driver managers, and the ini files they read.

use super::Chapter;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_shim::driver::Site;

/// The libraries of driver managers, by their names on this system.
const LIBRARIES: [(&str, &str); 4] = [
    ("unixODBC", "libodbc.so.2"),
    ("iODBC", "libiodbc.so.2"),
    ("unixODBC", "libodbc.2.dylib"),
    ("iODBC", "libiodbc.2.dylib"),
];

/// The driver managers that are installed.
pub fn managers(site: &Site) -> Chapter {
    let mut chapter = Chapter::new("Driver managers");
    for (name, library) in LIBRARIES {
        let Some(file) = crate::stand_in::locate(Path::new(library), &site.search) else { continue };
        let file = file.canonicalize().unwrap_or(file);
        chapter.good(format!("{name}: {}", file.display()));
    }
    if chapter.findings.is_empty() {
        chapter.bad(
            "no driver manager is found; programs may bring their own",
            "install one: apt-get install unixodbc, dnf install unixODBC",
        );
    }
    if let Some(version) = said_by("odbcinst", "--version") {
        chapter.good(version.trim().to_owned());
    }
    where_it_reads(site, &mut chapter);
    chapter
}

/// Compares what the driver manager says it reads with what super8 reads.
fn where_it_reads(site: &Site, chapter: &mut Chapter) {
    let Some(told) = said_by("odbcinst", "-j") else { return };
    let named = |start: &str| {
        let line = told.lines().find(|line| line.starts_with(start))?;
        line.split_once(": ").map(|(_, path)| PathBuf::from(path.trim()))
    };
    let ours = [
        ("DRIVERS", site.ini.driver_files.first()),
        ("SYSTEM DATA SOURCES", site.ini.source_files.last()),
        ("USER DATA SOURCES", site.ini.source_files.first()),
    ];
    for (start, ours) in ours {
        let (Some(theirs), Some((ours, _))) = (named(start), ours) else { continue };
        if theirs.components().ne(ours.components()) {
            chapter.bad(
                format!("the driver manager reads {}, super8 reads {}", theirs.display(), ours.display()),
                "set ODBCSYSINI (and ODBCINI) so that both read the same files",
            );
        }
    }
}

/// What a program prints for one option; `None` if there is no such program.
fn said_by(program: &str, option: &str) -> Option<String> {
    let output = Command::new(program).arg(option).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The ini files: which there are, and whether they can be read.
pub fn files(site: &Site) -> Chapter {
    let mut chapter = Chapter::new("Files");
    for name in ["ODBCSYSINI", "ODBCINSTINI", "ODBCINI"] {
        if let Some(value) = std::env::var_os(name) {
            chapter.note(format!("{name}={}", value.to_string_lossy()));
        }
    }
    let kinds = [("drivers", &site.ini.driver_files), ("data sources", &site.ini.source_files)];
    for (what, files) in kinds {
        for (path, _) in files {
            let shown = path.display();
            match fs::File::open(path) {
                Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => {
                    chapter.good(format!("{shown}: {what}"));
                }
                Ok(_) => {
                    chapter.bad(format!("{shown} is no file"), "name a file in ODBCINI, a directory in ODBCSYSINI")
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    chapter.note(format!("{shown}: {what}; there is none"));
                }
                Err(error) => chapter.bad(format!("{shown}: {error}"), format!("make it readable: chmod a+r {shown}")),
            }
        }
    }
    if site.ini.driver_sections().next().is_none() {
        chapter.bad("no drivers are declared in these files", "install a driver, or set ODBCSYSINI to its directory");
    }
    chapter
}
