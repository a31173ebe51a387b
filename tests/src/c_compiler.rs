//! C programs of the tests, each compiled once per test process; against the driver manager if they call it.

use crate::{packages, products};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The executable of `programs/c/{source}`; panics with the compiler's words when it does not compile.
pub fn compiled(source: &'static str) -> PathBuf {
    build(source, source.trim_end_matches(".c"), &["-Wl,--as-needed", "-lodbc", "-ldl", "-lpthread"])
}

/// `programs/c/{source}` as a shared library of that name, for tests that need a driver nobody ships.
pub fn compiled_library(source: &'static str, name: &str) -> PathBuf {
    build(source, name, &["-shared", "-fPIC"])
}

fn build(source: &str, name: &str, options: &[&str]) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_with(HashMap::new);
    if let Some(path) = built.get(name) {
        return path.clone();
    }
    let directory = products::target_directory().join("test-programs");
    let path = directory.join(name);
    std::fs::create_dir_all(&directory)
        .unwrap_or_else(|error| panic!("cannot create {}: {error}", directory.display()));
    if !Path::new("/usr/include/sqlext.h").is_file() {
        packages::missing("sqlext.h", "unixodbc-dev");
    }
    // Another test process may be running the old one: write beside it, then replace.
    let fresh = directory.join(format!("{name}.{}", std::process::id()));
    let mut compiler = Command::new(packages::program("cc", "gcc"));
    compiler.args(["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&fresh);
    compiler.arg(products::repository().join("tests/programs/c").join(source)).args(options);
    let output = compiler.output().unwrap_or_else(|error| panic!("cannot run cc: {error}"));
    assert!(output.status.success(), "{source} does not compile:\n{}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(&fresh, &path).unwrap_or_else(|error| panic!("cannot put {} in place: {error}", path.display()));
    built.insert(name.to_owned(), path.clone());
    path
}
