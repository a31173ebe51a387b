//! Node.js with the package `odbc`. The tests install it once, built against the system's driver manager.

use crate::packages;
use crate::products::target_directory;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The package that the tests are written for.
pub const ODBC: &str = "odbc@2.6.0";

/// Returns the directory in which the package is installed; installs it first, which needs npm's registry once.
pub fn packages_directory() -> PathBuf {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let place = target_directory().join(format!("node-{}", ODBC.replace('@', "-")));
    let complete = place.join(".complete");
    if complete.is_file() {
        return place;
    }
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    let run = |command: &mut Command| {
        let output = command.output().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    };
    let mut npm = Command::new(packages::program("npm", "npm"));
    npm.args(["install", "--no-audit", "--no-fund", "--build-from-source", "--prefix"]).arg(&place).arg(ODBC);
    if Path::new("/usr/include/node").is_dir() {
        // the headers of the system's Node.js, instead of those that node-gyp would fetch
        npm.env("npm_config_nodedir", "/usr");
    }
    run(&mut npm);
    let built = place.join("node_modules/odbc/lib/bindings/napi-v8/odbc.node");
    assert!(built.is_file(), "npm did not build {}", built.display());
    std::fs::write(&complete, ODBC).unwrap_or_else(|error| panic!("{}: {error}", complete.display()));
    place
}
