//! Compiles the C and C++ programs and libraries of the tests, each once per test process. They are linked with the
//! driver manager if they call it.

use crate::{packages, products};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Returns the executable of `programs/c/{source}`. Panics with the compiler's output if it does not compile.
pub fn compiled(source: &'static str) -> PathBuf {
    let name = source.trim_end_matches(".c");
    build(name, &[program(source)], &["-Wl,--as-needed", "-lodbc", "-ldl", "-lpthread"])
}

/// Returns the executable of `programs/cpp/{source}`, a program on Qt 5.
pub fn compiled_with_qt(source: &'static str) -> PathBuf {
    let include = format!("/usr/include/{}-linux-gnu/qt5", std::env::consts::ARCH);
    if !Path::new(&include).is_dir() {
        packages::missing(&include, "qtbase5-dev");
    }
    let file = products::repository().join("tests/programs/cpp").join(source);
    build_with(
        Command::new(packages::program("g++", "g++")).args(["-std=c++17", "-fPIC", "-isystem", &include]),
        source.trim_end_matches(".cpp"),
        &[file],
        &["-lQt5Sql", "-lQt5Core"],
    )
}

/// Returns the executable of `programs/cpp/{source}`, a program on SOCI.
pub fn compiled_with_soci(source: &'static str) -> PathBuf {
    let include = Path::new("/usr/include/soci");
    if !include.join("odbc/soci-odbc.h").is_file() {
        packages::missing(&include.display().to_string(), "libsoci-dev");
    }
    let file = products::repository().join("tests/programs/cpp").join(source);
    build_with(
        // SOCI's headers use what C++17 removed
        Command::new(packages::program("g++", "g++")).args(["-std=c++14", "-isystem"]).arg(include),
        source.trim_end_matches(".cpp"),
        &[file],
        &["-lsoci_odbc", "-lsoci_core"],
    )
}

/// Returns `programs/c/{source}` as a shared library of that name.
pub fn compiled_library(source: &'static str, name: &str) -> PathBuf {
    build(name, &[program(source)], &["-shared", "-fPIC"])
}

/// Returns the driver of `programs/test_driver` as a shared library of that name, built with further `options`.
pub fn test_driver(name: &str, options: &[&str]) -> PathBuf {
    let directory = products::repository().join("tests/programs/test_driver");
    let files = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let sources = files.flatten().map(|file| file.path()).filter(|path| path.extension().is_some_and(|end| end == "c"));
    let mut sources: Vec<PathBuf> = sources.collect();
    sources.sort();
    build(name, &sources, &[&["-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-Bsymbolic"], options].concat())
}

/// Returns the test driver's Unicode build without the functions that a linker's version script of
/// `programs/test_driver` hides.
pub fn test_driver_without(name: &str, script: &str) -> PathBuf {
    let script = products::repository().join("tests/programs/test_driver").join(script);
    test_driver(name, &["-DUNICODE_BUILD", &format!("-Wl,--version-script={}", script.display())])
}

fn program(source: &str) -> PathBuf {
    products::repository().join("tests/programs/c").join(source)
}

fn build(name: &str, sources: &[PathBuf], options: &[&str]) -> PathBuf {
    build_with(Command::new(packages::program("cc", "gcc")).arg("-std=gnu11"), name, sources, options)
}

fn build_with(compiler: &mut Command, name: &str, sources: &[PathBuf], options: &[&str]) -> PathBuf {
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
    compiler.args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&fresh);
    compiler.args(sources).args(options);
    let output = compiler.output().unwrap_or_else(|error| panic!("cannot run the compiler: {error}"));
    assert!(output.status.success(), "{name} does not compile:\n{}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(&fresh, &path).unwrap_or_else(|error| panic!("cannot put {} in place: {error}", path.display()));
    built.insert(name.to_owned(), path.clone());
    path
}
