//! Builds what the tests run: super8's two libraries, the command, and the Rust program among the applications.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::server::must;

/// One of the two builds of super8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Library {
    /// libsuper8.so: ANSI and Unicode entry points.
    Unicode,
    /// libsuper8a.so: ANSI entry points only.
    Ansi,
}

impl Library {
    /// Returns the file's name.
    pub fn file_name(self) -> &'static str {
        match self {
            Library::Unicode => "libsuper8.so",
            Library::Ansi => "libsuper8a.so",
        }
    }

    /// Returns the built file; builds it first.
    pub fn path(self) -> PathBuf {
        file(self.file_name())
    }
}

/// Returns `super8`, the command.
pub fn super8() -> PathBuf {
    file("super8")
}

/// Returns the Rust application, built on odbc-api.
pub fn odbc_api_program() -> PathBuf {
    file("super8-program-odbc-api")
}

/// Returns the Rust application with a newer driver manager built into it: see its Cargo.toml.
pub fn newer_manager_program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let directory = target_directory().join("newer-manager");
        let mut cargo = cargo();
        cargo.args(["build", "--quiet", "--locked", "--manifest-path", "tests/programs/newer_manager/Cargo.toml"]);
        must(cargo.arg("--target-dir").arg(&directory));
        directory.join("debug/super8-program-newer-manager")
    };
    BUILT.get_or_init(build).clone()
}

/// What is needed to run the tests of the Rust application under cargo nextest without cargo.
#[derive(Clone, Debug)]
pub struct Nextest {
    /// The program.
    pub nextest: PathBuf,
    /// The file with cargo's metadata of the workspace.
    pub metadata: PathBuf,
    /// The built tests.
    pub binaries: PathBuf,
}

/// Returns the tests of the Rust application, built.
pub fn nextest() -> Nextest {
    static BUILT: OnceLock<Nextest> = OnceLock::new();
    let build = || {
        // installed by xtask's set-up
        let nextest = crate::packages::cargo_nextest().unwrap_or_else(|| {
            panic!("cargo-nextest is not on this machine; install it: cargo install --locked cargo-nextest")
        });
        let directory = target_directory().join("nextest-of-tests");
        let write = |name: &str, command: &mut Command| {
            let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
            assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
            let file = directory.join(name);
            std::fs::create_dir_all(&directory)
                .and_then(|()| std::fs::write(&file, &output.stdout))
                .unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
            file
        };
        let mut list = cargo();
        list.args(["nextest", "list", "--workspace", "--test", "till"]);
        list.args(["--list-type", "binaries-only", "--message-format", "json", "--target-dir"]).arg(target_directory());
        let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let mut metadata = cargo();
        metadata.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", &platform]);
        Nextest {
            nextest,
            binaries: write("binaries.json", &mut list),
            metadata: write("metadata.json", &mut metadata),
        }
    };
    BUILT.get_or_init(build).clone()
}

/// Returns cargo's target directory: `target`, or `CARGO_TARGET_DIR`.
pub fn target_directory() -> PathBuf {
    // A test runs as target/debug/deps/main-..., xtask as target/debug/xtask.
    let executable = std::env::current_exe().unwrap_or_else(|error| panic!("who am I? {error}"));
    let profile = profile_directory(&executable);
    profile.parent().map_or_else(|| profile.to_path_buf(), Path::to_path_buf)
}

/// Returns the repository's top directory.
pub fn repository() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

fn profile_directory(executable: &Path) -> &Path {
    let directory = executable.parent().unwrap_or(executable);
    if directory.ends_with("deps") { directory.parent().unwrap_or(directory) } else { directory }
}

fn file(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let directory = BUILT.get_or_init(build);
    let path = directory.join(name);
    assert!(path.is_file(), "{} is not there; build it: cargo build --workspace", path.display());
    path
}

/// Builds the products with the profile of this executable, so that no test uses an old library. `SUPER8_TEST_PRODUCTS`
/// names a directory that has them already.
fn build() -> PathBuf {
    if let Some(directory) = std::env::var_os("SUPER8_TEST_PRODUCTS") {
        return PathBuf::from(directory);
    }
    let executable = std::env::current_exe().unwrap_or_else(|error| panic!("who am I? {error}"));
    let directory = profile_directory(&executable);
    let mut cargo = cargo();
    // of all packages: if cargo builds some of them, their dependencies may have other features, and are compiled again
    cargo.args(["build", "--quiet", "--workspace"]);
    cargo.args(directory.ends_with("release").then_some("--release"));
    must(cargo.arg("--target-dir").arg(target_directory()));
    directory.to_path_buf()
}

/// Returns the directory with the programs behind `cargo xtask bench` and `cargo xtask suites`; builds them first.
pub fn chores() -> PathBuf {
    let bench = file("super8-bench");
    bench.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository());
    cargo
}
