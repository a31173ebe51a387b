//! Prepares what a measurement needs: the driver, super8's library, the driver manager's files, the filled table.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use crate::{
    case::{Format, Way},
    fact::Database,
    launch::{Job, Launcher},
    options::Options,
    postgres::Server,
};

/// Incremented when the table's contents change, so that an older file is not used.
const TABLE_VERSION: u32 = 1;

/// Everything that a measurement needs. Dropping it stops the PostgreSQL server, if one was started.
pub struct Setup {
    /// How clients are started.
    pub launcher: Launcher,
    /// The library that is measured.
    shim: PathBuf,
    /// Whether dropping it removes the directory.
    temporary: bool,
    /// Kept running until the end.
    _server: Option<Server>,
}

impl Setup {
    /// Builds super8's libraries (unless one was given or none is needed), writes the driver manager's files, starts a
    /// server for PostgreSQL, and fills the table.
    pub fn new(options: &Options) -> Result<Setup, String> {
        let executable = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
        let profile = executable.parent().ok_or("this program has no directory")?;
        let directory = match options.gate {
            true => of_fixed_length()?,
            false => profile.parent().unwrap_or(profile).join("bench"),
        };
        let database = if options.postgres { Database::Postgres } else { Database::Sqlite };
        let odbc = directory.join(format!("odbc-{database}"));
        for part in [&odbc, &directory.join("data"), &directory.join("cassettes")] {
            make_directory(part)?;
        }
        let shim = match &options.shim {
            Some(shim) => PathBuf::from(shim),
            None if options.ways() == [Way::Bare] => PathBuf::from("not-built"),
            None => build_shim(profile, database)?,
        };
        let shim = if options.gate { copied(&shim, &directory)? } else { shim };
        let driver = find_driver(database)?;
        write_driver_list(&odbc, &driver, &shim, "")?;
        let server = if options.postgres { Some(Server::start()?) } else { None };
        let launcher = Launcher {
            executable,
            driver,
            database,
            port: server.as_ref().map_or(0, Server::port),
            table_file: directory.join("data").join(format!("rows-v{TABLE_VERSION}-{}.db", options.rows)),
            directory,
            odbc,
            keywords: "",
            bare_environment: options.gate,
            show: options.show,
        };
        let setup = Setup { launcher, shim, temporary: options.gate, _server: server };
        setup.fill(options.rows)?;
        Ok(setup)
    }

    /// Returns the same set-up with another launcher.
    pub fn with(&self, launcher: Launcher) -> Setup {
        Setup { launcher, shim: self.shim.clone(), temporary: false, _server: None }
    }

    /// Returns a launcher with another super8, or with other settings of the driver manager and the driver.
    pub fn variant(
        &self,
        name: &str,
        shim: Option<&Path>,
        settings: &str,
        keywords: &'static str,
    ) -> Result<Launcher, String> {
        let mut launcher = self.launcher.clone();
        launcher.odbc = launcher.odbc.with_file_name(format!("odbc-{}-{name}", launcher.database));
        launcher.keywords = keywords;
        make_directory(&launcher.odbc)?;
        write_driver_list(&launcher.odbc, &launcher.driver, shim.unwrap_or(&self.shim), settings)?;
        Ok(launcher)
    }

    fn fill(&self, rows: u64) -> Result<(), String> {
        let launcher = &self.launcher;
        let file = &launcher.table_file;
        if launcher.database == Database::Sqlite && file.exists() {
            return Ok(());
        }
        eprintln!("filling a table of {rows} rows ...");
        let mut unfinished = file.clone();
        unfinished.set_extension("unfinished");
        let _ = fs::remove_file(&unfinished);
        launcher.load(rows, &unfinished)?;
        if launcher.database == Database::Sqlite {
            fs::rename(&unfinished, file).map_err(|e| format!("cannot rename {}: {e}", unfinished.display()))?;
        }
        Ok(())
    }

    /// Returns an empty place for the cassettes of this name, a directory for each format. Removes what was there.
    pub fn cassette(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.launcher.directory.join("cassettes").join(name.replace('/', "-"));
        remove_directory(&path)?;
        Ok(path)
    }

    /// Removes a cassette, unless `--show` was given.
    pub fn discard(&self, cassette: &Path) -> Result<(), String> {
        if self.launcher.show { Ok(()) } else { remove_directory(cassette) }
    }

    /// Records the job into this cassette, so that it can be replayed.
    pub fn record(&self, job: Job, format: Format, cassette: &Path) -> Result<(), String> {
        self.launcher.run(job, Way::Record(format), cassette).map(drop)
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        if self.temporary && !self.launcher.show {
            let _ = remove_directory(&self.launcher.directory);
        }
    }
}

/// Makes a directory whose path has the same length on every machine, because super8's work on paths is counted.
fn of_fixed_length() -> Result<PathBuf, String> {
    let directory = PathBuf::from(format!("/tmp/super8-gate-{:010}", std::process::id()));
    remove_directory(&directory)?;
    fs::create_dir(&directory).map_err(|e| format!("cannot make the directory {}: {e}", directory.display()))?;
    Ok(directory)
}

/// Copies both libraries into a directory, and returns the new path of `shim`.
pub fn copied(shim: &Path, directory: &Path) -> Result<PathBuf, String> {
    for library in ["libsuper8.so", "libsuper8a.so"] {
        let from = shim.with_file_name(library);
        fs::copy(&from, directory.join(library)).map_err(|e| format!("cannot copy {}: {e}", from.display()))?;
    }
    Ok(directory.join(shim.file_name().unwrap_or_default()))
}

/// Makes a directory and its parents.
pub fn make_directory(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|e| format!("cannot make the directory {}: {e}", path.display()))
}

fn remove_directory(path: &Path) -> Result<(), String> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("cannot remove {}: {e}", path.display())),
        _ => Ok(()),
    }
}

/// Returns the library of the real driver's kind: SQLite's is ANSI, PostgreSQL's Unicode.
pub fn library(database: Database) -> &'static str {
    match database {
        Database::Sqlite => "libsuper8a.so",
        Database::Postgres => "libsuper8.so",
    }
}

/// Builds both libraries, because libsuper8a.so needs the other.
fn build_shim(profile: &Path, database: Database) -> Result<PathBuf, String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let target = profile.parent().unwrap_or(profile);
    build(&manifest, target).map_err(|reason| format!("{reason}; `--ways bare` works without the shim"))?;
    let library = target.join("release").join(library(database));
    if library.exists() { Ok(library) } else { Err(format!("cargo built no {}", library.display())) }
}

/// Builds both libraries of a checkout as they are shipped.
pub fn build(manifest: &Path, target: &Path) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--release", "-p", "super8", "-p", "super8a", "--manifest-path"]);
    build.arg(manifest).arg("--target-dir").arg(target);
    let status = build.status().map_err(|e| format!("cannot run cargo: {e}"))?;
    if status.success() { Ok(()) } else { Err("`cargo build --release -p super8 -p super8a` failed".to_owned()) }
}

fn find_driver(database: Database) -> Result<PathBuf, String> {
    let (library, package) = match database {
        Database::Sqlite => ("libsqlite3odbc.so", "libsqliteodbc"),
        Database::Postgres => ("psqlodbcw.so", "odbc-postgresql"),
    };
    let architecture = std::env::consts::ARCH;
    [format!("/usr/lib/{architecture}-linux-gnu/odbc"), "/usr/lib/odbc".to_owned(), "/usr/lib64".to_owned()]
        .iter()
        .map(|directory| Path::new(directory).join(library))
        .find(|path| path.exists())
        .ok_or_else(|| format!("{library} was not found; on Debian: apt-get install {package}"))
}

fn write_driver_list(directory: &Path, driver: &Path, shim: &Path, settings: &str) -> Result<(), String> {
    let drivers = format!(
        "[{}]\nDriver = {}\n\n[{}]\nDriver = {}\n{settings}",
        Launcher::BARE,
        driver.display(),
        Launcher::SHIM,
        shim.display()
    );
    for (name, text) in [("odbcinst.ini", drivers.as_str()), ("odbc.ini", "")] {
        let path = directory.join(name);
        // dated back, because super8 reads a file again that has changed only just now, which is rare in practice
        let before = SystemTime::now() - Duration::from_secs(3600);
        fs::write(&path, text)
            .and_then(|()| fs::File::options().write(true).open(&path)?.set_modified(before))
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}
