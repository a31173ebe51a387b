//! Examines a machine for `super8 doctor`: [`examine`] returns what it finds, with advice.

use crate::exit::Failure;
use crate::libraries::{self, Binary};
use crate::libraries::{Libraries, VARIABLE};
use crate::temporary_odbcinst::locate;
use serde::Serialize;
use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_cassette::{Format, State, state};
use super8_shim::cassettes::{self, Action};
use super8_shim::config::ini::Section;
use super8_shim::config::ini::to_path;
use super8_shim::config::running_test::RunningTest;
use super8_shim::config::settings::{CassetteFormat, Given, Mode, Placeholder, Setting, Settings};
use super8_shim::config::sources::Sources;
use super8_shim::config::variables::Variables;
use super8_shim::driver::find::{self, REAL_DRIVER, Way};
use super8_shim::driver::{Asked, Kind, Site};
use super8_shim::platform::MANAGERS;

/// How good a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Something will not work.
    Bad,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How good it is.
    pub tone: Severity,
    /// What was found.
    pub text: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// Findings about one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingGroup {
    /// The subject.
    pub title: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl FindingGroup {
    fn new(title: impl Into<String>) -> FindingGroup {
        FindingGroup { title: title.into(), findings: Vec::new() }
    }

    fn good(&mut self, text: impl Into<String>) {
        self.findings.push(Finding { tone: Severity::Good, text: text.into(), advice: None });
    }

    fn note(&mut self, text: impl Into<String>) {
        self.findings.push(Finding { tone: Severity::Note, text: text.into(), advice: None });
    }

    fn bad(&mut self, text: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding { tone: Severity::Bad, text: text.into(), advice: Some(advice.into()) });
    }
}

/// Examines everything, and one data source if it is named.
pub fn examine(dsn: Option<&str>) -> Vec<FindingGroup> {
    let site = Site::of(&|name| std::env::var_os(name));
    let libraries = Libraries::find();
    let mut chapters = vec![super8(libraries.as_ref()), settings(), managers(&site), files(&site), drivers(&site)];
    chapters.extend(dsn.map(|dsn| source(&site, dsn)));
    chapters
}

/// Looks at super8's two libraries.
fn super8(libraries: Result<&Libraries, &Failure>) -> FindingGroup {
    let mut chapter = FindingGroup::new(format!("super8 {}", env!("CARGO_PKG_VERSION")));
    let libraries = match libraries {
        Ok(libraries) => libraries,
        Err(failure) => {
            let advice = format!("put libsuper8.so and libsuper8a.so beside the command, or set {VARIABLE}");
            chapter.bad(failure.to_string(), advice);
            return chapter;
        }
    };
    for kind in [Kind::Unicode, Kind::Ansi] {
        let path = libraries.of(kind);
        let shown = path.display();
        match libraries::read(&path) {
            Ok(Binary::Super8(found)) if found == kind => chapter.good(format!("{shown}: for {kind} drivers")),
            Ok(Binary::Foreign) => {
                chapter.bad(format!("{shown} is for another processor"), "install the build for this machine");
            }
            Ok(_) => chapter.bad(format!("{shown} is not the {kind} build"), "install super8 again"),
            Err(error) => chapter.bad(format!("{shown}: {error}"), "install super8 again"),
        }
    }
    chapter
}

/// Looks at the settings in the environment.
fn settings() -> FindingGroup {
    let mut chapter = FindingGroup::new("Settings of this environment");
    let mut given: Vec<(String, String)> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with("SUPER8_"))
        .collect();
    given.sort();
    for (name, value) in given {
        chapter.note(format!("{name}={value}"));
    }
    let environment = |name: &str| std::env::var_os(name);
    let sources = Sources { environment: Some(&environment), ..Sources::default() };
    for error in Variables::now().misspelt(&|name| sources.mentions(name)) {
        chapter.bad(error.to_string(), "correct the environment: every connect fails with this message");
    }
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            match of_a_test() {
                true => chapter.note(format!("a cassette for each test; outside of one: {error}")),
                false => {
                    chapter.bad(error.to_string(), "correct the environment: every connect fails with this message")
                }
            }
            return chapter;
        }
    };
    one_file_twice(&settings, &mut chapter);
    match settings.mode {
        Mode::Off => {
            chapter.note("mode off: a connect through super8 goes on to the real driver, and nothing is recorded")
        }
        mode => chapter.note(format!("mode {}", format!("{mode:?}").to_lowercase())),
    }
    let Some(cassette) = settings.cassette.as_ref().filter(|_| settings.mode != Mode::Off) else { return chapter };
    let action = if settings.mode == Mode::Record { Action::Record } else { Action::Replay };
    let named = cassettes::path(&settings, action).unwrap_or_else(|| cassette.path.clone());
    if !named.exists() && Format::of(&cassette.path) == Some(Format::Ndjson) {
        let (directory, trace) = (cassette.path.display(), named.file_stem().unwrap_or_default().display());
        chapter
            .note(format!("{directory} has traces, none named {trace}: SUPER8_TRACE_ID or a statement names another"));
        return chapter;
    }
    let cassette = named;
    let shown = cassette.display();
    match (state(&cassette), settings.mode) {
        (Ok(State::Complete), _) => chapter.good(format!("{shown} is a complete cassette")),
        (Ok(State::Absent), Mode::Replay) => {
            chapter.bad(format!("{shown} is not there"), format!("record it: super8 record {shown} -- COMMAND"));
        }
        (Ok(State::Absent), _) => match unwritable(&cassette) {
            None => chapter.note(format!("{shown} is not there yet")),
            Some(why) => {
                chapter.bad(format!("{shown} cannot be recorded: {why}"), "name another directory, or make it writable")
            }
        },
        (Ok(State::Incomplete { directory, .. }), _) => chapter.bad(
            format!("{shown} is incomplete: its recording did not end cleanly ({})", directory.display()),
            format!("record it again, or keep what there is: super8 recover {shown}"),
        ),
        (Err(error), _) => chapter.bad(error.to_string(), "correct SUPER8_CASSETTE"),
    }
    chapter
}

/// Finds variables that name the same file, or a file inside the cassette: what is written to one would be lost or
/// damage the other.
fn one_file_twice(settings: &Settings, chapter: &mut FindingGroup) {
    let cassette = settings.cassette.as_ref().map(|cassette| &cassette.path);
    let named = [
        (Setting::Cassette, cassette),
        (Setting::Log, settings.log.as_ref()),
        (Setting::Verdict, settings.verdict.as_ref()),
        (Setting::Config, settings.config.as_ref()),
    ];
    let named = named.map(|(setting, path)| (setting.row().variable, path.map(|path| real(path))));
    for (at, (first, one)) in named.iter().enumerate() {
        for (second, other) in &named[at + 1..] {
            let (Some(one), Some(other)) = (one, other) else { continue };
            // a cassette's directory is replaced as a whole; a directory of traces may have other files
            let is_whole = at == 0 && settings.format != Some(CassetteFormat::Ndjson);
            if one == other {
                chapter.bad(
                    format!("{first} and {second} both name {}", one.display()),
                    format!("name another file in {second}"),
                );
            } else if is_whole && other.starts_with(one) {
                chapter.bad(
                    format!("{second} names {}, which is inside the cassette that {first} names", other.display()),
                    format!("name a file outside of the cassette in {second}"),
                );
            }
        }
    }
}

/// Resolves the symbolic links in that part of a path that exists.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    there.map_or_else(
        || path.clone(),
        |(ancestor, real)| match path.strip_prefix(ancestor) {
            Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
            _ => real,
        },
    )
}

/// Whether the environment names a cassette for each test (`%t`) and no test is running.
fn of_a_test() -> bool {
    let environment = |name: &str| std::env::var_os(name);
    let has_test = Cell::new(false);
    let fill = |placeholder: Placeholder<'_>| {
        has_test.set(has_test.get() || placeholder == Placeholder::Test);
        Ok(Vec::new())
    };
    let cassette = Setting::Cassette.given_in(&environment);
    let understood = cassette.is_some_and(|cassette| cassette.filled(&fill).is_ok());
    understood && has_test.get() && RunningTest::of(&environment).is_err()
}

/// Returns why nothing can be written at a path; `None` if something can.
fn unwritable(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    // Missing directories would be created.
    let there = path.ancestors().skip(1).find(|ancestor| ancestor.exists())?;
    if !there.is_dir() {
        return Some(format!("{} is not a directory", there.display()));
    }
    let refused = rustix::fs::access(there, rustix::fs::Access::WRITE_OK).err()?;
    Some(format!("{}: {refused}", there.display()))
}

/// Looks for the installed driver managers.
fn managers(site: &Site) -> FindingGroup {
    let mut chapter = FindingGroup::new("Driver managers");
    for (name, library) in MANAGERS {
        let Some(file) = locate(Path::new(library), &site.search) else { continue };
        let file = file.canonicalize().unwrap_or(file);
        let only = if *name == "iODBC" { " (ANSI drivers only, by libsuper8a.so)" } else { "" };
        chapter.good(format!("{name}: {}{only}", file.display()));
    }
    if chapter.findings.is_empty() {
        chapter.bad(
            "no driver manager found; programs may bring their own",
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
fn where_it_reads(site: &Site, chapter: &mut FindingGroup) {
    let Some(output) = said_by("odbcinst", "-j") else { return };
    let named = |start: &str| {
        let line = output.lines().find(|line| line.starts_with(start))?;
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

/// Runs a program with one option and returns what it prints; `None` if there is no such program or it fails.
fn said_by(program: &str, option: &str) -> Option<String> {
    let output = Command::new(program).arg(option).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Looks at the ini files: which exist, and whether they can be read.
fn files(site: &Site) -> FindingGroup {
    let mut chapter = FindingGroup::new("Files");
    for name in ["ODBCSYSINI", "ODBCINSTINI", "ODBCINI"] {
        if let Some(value) = std::env::var_os(name) {
            chapter.note(format!("{name}={}", value.to_string_lossy()));
        }
    }
    let kinds = [("drivers", &site.ini.driver_files), ("data sources", &site.ini.source_files)];
    for (what, files) in kinds {
        let mut seen = Vec::new();
        for (path, _) in files {
            let shown = path.display();
            if seen.contains(&path) {
                chapter.note(format!("{shown}: {what}; it is named twice, for the user and for the system"));
                continue;
            }
            seen.push(path);
            match fs::File::open(path) {
                Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => {
                    chapter.good(format!("{shown}: {what}"));
                }
                Ok(_) => {
                    chapter.bad(format!("{shown} is not a file"), "name a file in ODBCINI, a directory in ODBCSYSINI")
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

/// Looks at all sections of odbcinst.ini.
fn drivers(site: &Site) -> FindingGroup {
    let mut chapter = FindingGroup::new("Drivers");
    for section in site.ini.driver_sections() {
        driver(site, section, &mut chapter);
    }
    chapter
}

fn driver(site: &Site, section: &Section, chapter: &mut FindingGroup) {
    let name = String::from_utf8_lossy(&section.name);
    let title = section.title();
    let Some(library) = section.library().map(to_path) else {
        chapter.bad(format!("{title} has no Driver"), format!("{title}: add Driver = with the driver's library"));
        return;
    };
    let Some(file) = locate(&library, &site.search) else {
        let advice = format!("install the driver of [{name}], give its full path in Driver =, or delete the section");
        chapter.bad(format!("[{name}]: there is no library {}", library.display()), advice);
        return;
    };
    let shown = file.display();
    match libraries::read(&file) {
        Ok(Binary::Driver(kind)) => chapter.good(format!("[{name}]: {shown}, {kind}")),
        Ok(Binary::Super8(shim)) => through_super8(site, section, &file, shim, chapter),
        Ok(Binary::DriverManager) => {
            chapter
                .bad(format!("[{name}]: {shown} is a driver manager"), format!("[{name}]: name a driver in Driver ="));
        }
        Ok(Binary::Other) => chapter.bad(
            format!("[{name}]: {shown} is not an ODBC driver"),
            format!("[{name}]: name the driver's own library in Driver =, not its set-up library"),
        ),
        Ok(Binary::Foreign) => chapter.bad(
            format!("[{name}]: {shown} is for another processor"),
            format!("[{name}]: install the driver's build for this machine"),
        ),
        Err(error) => {
            chapter.bad(format!("[{name}]: {shown}: {error}"), format!("install the driver of [{name}] again"))
        }
    }
}

/// Looks at a section whose driver is super8: whether it names a real driver, and one of the right kind.
fn through_super8(site: &Site, section: &Section, file: &Path, shim: Kind, chapter: &mut FindingGroup) {
    let name = String::from_utf8_lossy(&section.name).into_owned();
    if lacks_libsuper8(file, shim) {
        let why = format!("[{name}]: {} needs libsuper8.so beside it: every connect fails", file.display());
        return chapter.bad(why, format!("[{name}]: {ONE_DIRECTORY}"));
    }
    let Some(real) = section.value(REAL_DRIVER) else {
        chapter.note(format!(
            "[{name}]: super8 ({shim}), no RealDriver: good for replay, and where SUPER8_DRIVER names one"
        ));
        return;
    };
    match behind(site, section, file, real) {
        Err(error) => {
            chapter.bad(format!("[{name}]: super8 ({shim}), but {error}"), format!("[{name}]: correct RealDriver ="))
        }
        Ok((real, Some(kind))) if kind != shim => chapter.bad(
            format!("[{name}]: super8's {shim} build stands in for {real}, which is {kind}: every connect fails"),
            format!("[{name}]: Driver = {}", file.with_file_name(kind.shim_library()).display()),
        ),
        Ok((real, _)) => chapter.good(format!("[{name}]: super8 ({shim}) for {real}")),
    }
}

/// The advice if one of the two libraries is without the other.
const ONE_DIRECTORY: &str = "put libsuper8.so and libsuper8a.so of one version into one directory";

/// Whether this is a libsuper8a.so without the libsuper8.so that it calls.
fn lacks_libsuper8(library: &Path, kind: Kind) -> bool {
    let has = |path: &Path| path.with_file_name(Kind::Unicode.shim_library()).is_file();
    kind == Kind::Ansi && !has(library) && !library.canonicalize().is_ok_and(|real| has(&real))
}

/// Returns the real driver that super8 would load for this value of `RealDriver`, and its kind.
fn behind(site: &Site, section: &Section, shim: &Path, real: &[u8]) -> Result<(String, Option<Kind>), String> {
    let place = format!("{REAL_DRIVER} in {}", section.title());
    let named = Given { value: OsStr::from_bytes(real).to_owned(), place };
    let site = Site::new(site.ini.clone(), site.search.clone(), Some(shim.to_owned()));
    let way = Way { dsn: None, section: Some(section) };
    let found = find::at_connect(&site, Some(&named), &way).map_err(|error| error.to_string())?;
    kind_of(&site, &found.library)
}

/// Returns the file of a real driver, and its kind.
fn kind_of(site: &Site, library: &Path) -> Result<(String, Option<Kind>), String> {
    let file = locate(library, &site.search).ok_or_else(|| format!("there is no library {}", library.display()))?;
    let shown = file.display();
    match libraries::read(&file) {
        Ok(Binary::Driver(kind)) => Ok((shown.to_string(), Some(kind))),
        Ok(Binary::Super8(_)) => Err(format!("the real driver {shown} is super8 itself")),
        Ok(_) => Err(format!("the real driver {shown} is not an ODBC driver for this machine")),
        Err(error) => Err(format!("the real driver {shown}: {error}")),
    }
}

/// Follows a data source through the files to the library that would be loaded.
fn source(site: &Site, dsn: &str) -> FindingGroup {
    let mut chapter = FindingGroup::new(format!("Connecting to {dsn}"));
    let Some((section, driver)) = site.ini.dsn_value(dsn.as_bytes(), "Driver") else {
        let known = site.ini.dsn_section(dsn.as_bytes());
        match known {
            Some(section) => chapter.bad(
                format!("{} has no Driver: the driver manager fails with IM002", section.title()),
                format!("{}: add Driver = with the name of a section of odbcinst.ini", section.title()),
            ),
            None => chapter.bad(
                format!("no file has a section [{dsn}]: the driver manager fails with IM002, or takes [DEFAULT]"),
                format!("add [{dsn}] to odbc.ini; the files that are read are listed above"),
            ),
        }
        return chapter;
    };
    let shown = String::from_utf8_lossy(driver).into_owned();
    chapter.good(format!("{}: Driver = {shown}", section.title()));
    let library = match site.ini.driver_section(driver) {
        Some(section) => {
            chapter.good(section.title());
            section.library().map(to_path)
        }
        None => Some(to_path(driver)),
    };
    let Some(library) = library else { return chapter };
    let Some(file) = locate(&library, &site.search) else {
        chapter.bad(
            format!("there is no library {}: the driver manager fails with 01000 Can't open lib", library.display()),
            format!("install the driver, or correct Driver = of {shown}"),
        );
        return chapter;
    };
    match libraries::read(&file) {
        Ok(Binary::Super8(shim)) => source_through_super8(site, dsn, &file, shim, &mut chapter),
        Ok(Binary::Driver(kind)) => chapter.note(format!(
            "{} ({kind}) is loaded without super8: `super8 record CASSETTE -- COMMAND` puts super8 in its place for \
             one command, `super8 install` for all",
            file.display()
        )),
        Ok(_) => chapter.bad(format!("{} is not an ODBC driver for this machine", file.display()), "correct Driver ="),
        Err(error) => chapter.bad(format!("{}: {error}", file.display()), "correct Driver ="),
    }
    chapter
}

fn source_through_super8(site: &Site, dsn: &str, shim: &Path, kind: Kind, chapter: &mut FindingGroup) {
    if lacks_libsuper8(shim, kind) {
        let why = format!("{} needs libsuper8.so beside it: the connect fails with IM003", shim.display());
        return chapter.bad(why, ONE_DIRECTORY);
    }
    chapter.good(format!("{}: super8 ({kind})", shim.display()));
    let site = Site::new(site.ini.clone(), site.search.clone(), Some(shim.to_owned()));
    let way = Way::of(&site, Asked::Dsn(dsn.as_bytes()));
    let environment = |name: &str| std::env::var_os(name);
    let source = Some((&site.ini, dsn.as_bytes()));
    let sources = Sources { environment: Some(&environment), source, driver: way.section, ..Sources::default() };
    let settings = match sources.settings() {
        Ok(settings) => settings,
        Err(error) => return chapter.bad(format!("the connect fails with HY000: {error}"), "correct that setting"),
    };
    if settings.mode == Mode::Replay {
        let cassette = settings.cassette.unwrap_or_default();
        chapter.good(format!("replay from {}; no driver is loaded", cassette.path.display()));
        return;
    }
    let found = find::at_connect(&site, settings.driver.as_ref(), &way);
    let found = found.map_err(|error| error.to_string());
    let real = found.and_then(|real| kind_of(&site, &real.library).map(|(file, kind)| (real.source, file, kind)));
    match real {
        Err(error) => {
            chapter.bad(format!("the connect fails with IM003: {error}"), "name the real driver: RealDriver =")
        }
        Ok((_, file, Some(found))) if found != kind => chapter.bad(
            format!("{file} is {found}, super8's library is the {kind} build: the connect fails with IM003"),
            format!("put {} into Driver =", found.shim_library()),
        ),
        Ok((source, file, _)) => {
            chapter.good(format!("{file}, named by {source}"));
            match (settings.mode, settings.cassette) {
                (Mode::Off, _) | (_, None) => chapter.note("mode off: nothing is recorded"),
                (_, Some(cassette)) => chapter.good(format!("recorded to {}", cassette.path.display())),
            }
        }
    }
}
