//! What the tests need from Debian. If a file is missing, the test fails and names the package that has it; no test is
//! skipped.

use std::path::PathBuf;

/// Every Debian package that the tests and the demo use, in the order of installation.
pub const DEBIAN: &[&str] = &[
    "unixodbc",
    "unixodbc-dev",
    "libiodbc2",
    "libsqliteodbc",
    "odbc-postgresql",
    "odbc-mariadb",
    "odbc-mdbtools",
    "tdsodbc",
    "postgresql",
    "mariadb-server",
    "gcc",
    "g++",
    "python3",
    "python3-venv",
    "python3-dev",
    "git",
    "sqlite3",
    "chromium",
    "perl",
    "ruby",
    "ruby-odbc",
    "ruby-rspec",
    "ruby-rspec-retry",
    "ruby-parallel-tests",
    "nodejs",
    "dpkg-dev",
    "xz-utils",
    "libdbd-odbc-perl",
    "php-cli",
    "php-odbc",
    "tcl8.6",
    "tcl8.6-tdbc-odbc",
    "r-cran-rodbc",
    "swi-prolog-odbc",
    "qtbase5-dev",
    "libqt5sql5-odbc",
    "libsoci-dev",
    "libboost-dev",
    "erlang-base",
    "erlang-odbc",
    "libxml2-utils",
    "valgrind",
    "time",
    "zsh",
    "fish",
    "pdns-server",
    "pdns-backend-odbc",
    "proftpd-core",
    "proftpd-mod-odbc",
    "kamailio",
    "kamailio-unixodbc-modules",
    "freeradius",
    "freeradius-iodbc",
    "gdal-bin",
    "bats",
    "debootstrap",
    "buildah",
];

/// Returns a program found on PATH or in the directories Debian keeps servers in; panics naming its `package` if absent.
pub fn program(name: &str, package: &str) -> PathBuf {
    found(name).unwrap_or_else(|| missing(name, package))
}

/// Returns such a program; `None` if it is not there.
pub fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let places = path.split(':').chain(["/usr/bin", "/bin", "/usr/sbin", "/sbin"]);
    places.map(|place| PathBuf::from(place).join(name)).find(|candidate| candidate.is_file())
}

/// Returns cargo-nextest, which Debian does not package; `None` if it is not there.
pub fn cargo_nextest() -> Option<PathBuf> {
    let in_home = || PathBuf::from(std::env::var("HOME").unwrap_or_default()).join(".cargo/bin/cargo-nextest");
    found("cargo-nextest").or_else(|| Some(in_home()).filter(|candidate| candidate.is_file()))
}

/// Returns a driver library in Debian's directory for ODBC drivers; panics naming its `package` if absent.
pub fn driver_library(name: &str, package: &str) -> PathBuf {
    let candidate = driver_directory().join(name);
    if candidate.is_file() { candidate } else { missing(&candidate.display().to_string(), package) }
}

/// Returns the directory in which Debian's driver manager looks for a driver named without a directory.
pub fn driver_directory() -> PathBuf {
    PathBuf::from(format!("/usr/lib/{}-linux-gnu/odbc", std::env::consts::ARCH))
}

/// Panics with a message that says what to install.
pub fn missing(what: &str, package: &str) -> ! {
    panic!(
        "{what} is not on this machine. Install Debian's package: apt-get install {package} (or all of them: cargo xtask setup)"
    )
}
