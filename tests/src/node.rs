//! What npm has and the tests use, each installed once below cargo's target directory.

use crate::packages;
use crate::products::target_directory;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The package the tests are written for, built against the system's driver manager.
pub const ODBC: &str = "odbc@2.6.0";
/// The test runner that super8's package has hooks for, and what it loads tests with, in versions that run on Node.js 20.
pub const VITEST: [&str; 2] = ["vitest@3.2.7", "vite@7.3.8"];

/// The directory in which the package odbc is installed; installs it first, which needs npm's registry once.
pub fn packages_directory() -> PathBuf {
    once(install_odbc)
}

/// The same for vitest.
pub fn vitest_directory() -> PathBuf {
    once(install_vitest)
}

/// Installs what is not installed; says what went wrong otherwise.
pub fn install() -> Result<(), String> {
    install_odbc()?;
    install_vitest().map(drop)
}

fn once(install: fn() -> Result<PathBuf, String>) -> PathBuf {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    install().unwrap_or_else(|reason| panic!("cannot install what the tests need of npm: {reason}"))
}

fn install_odbc() -> Result<PathBuf, String> {
    let built = "node_modules/odbc/lib/bindings/napi-v8/odbc.node";
    make("odbc", &["--build-from-source"], &[ODBC], built)
}

fn install_vitest() -> Result<PathBuf, String> {
    make("vitest", &[], &VITEST, "node_modules/.bin/vitest")
}

/// Makes a directory with these packages, unless it has them; `proof` is a file that it has then.
fn make(name: &str, options: &[&str], wanted: &[&str], proof: &str) -> Result<PathBuf, String> {
    let place = target_directory().join(format!("node-{name}"));
    let (complete, wanted_now) = (place.join(".complete"), wanted.join(" "));
    if std::fs::read_to_string(&complete).is_ok_and(|found| found == wanted_now) {
        return Ok(place);
    }
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).map_err(|error| told(&place, error))?;
    let mut npm = Command::new(packages::program("npm", "npm"));
    npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&place).args(options).args(wanted);
    if Path::new("/usr/include/node").is_dir() {
        // the headers of the system's Node.js, instead of those that node-gyp would fetch
        npm.env("npm_config_nodedir", "/usr");
    }
    let output = npm.output().map_err(|error| format!("npm: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        return Err(format!("{npm:?}: {}\n{said}", output.status));
    }
    if !place.join(proof).is_file() {
        return Err(format!("npm did not make {}", place.join(proof).display()));
    }
    std::fs::write(&complete, wanted_now).map_err(|error| told(&complete, error))?;
    Ok(place)
}
