//! The project's chores, `cargo xtask test` and others. Each does its own set-up on a bare Debian.

mod command;
mod demo;
mod manual;
mod package;
mod setup;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use command::{Done, cargo, run, shown};

const USAGE: &str = "\
usage: cargo xtask WORD

  test    install what is missing, check format and lints, run every test
  suites  run psqlodbc's, pyodbc's, odbc-api's and DBD::ODBC's own tests four ways (--help tells more)
  fuzz    replay cassettes damaged at random (--seconds N for each format, --seed S to begin with)
  demo    record a Python program on SQLite, take driver and database away, replay it
  bench   measure super8 against the bare driver (words after it go to the bench)
  docs    write the generated pages of docs/ anew (--check: only compare)
  package make the Python wheel, the Ruby gem, the npm package, the Debian package and the archive in target/packages
  setup   install what the others need: packages of Debian, cargo-nextest, a Python environment, packages of npm
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let word = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let done = match word.as_str() {
        "test" => test(&rest),
        "demo" => demo::demo(),
        "bench" => bench(&rest),
        "docs" => docs(&rest),
        "suites" => suites(&rest),
        "fuzz" => fuzz(&rest),
        "package" => package::package(&rest),
        "setup" => setup::setup(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\ncargo xtask {word}: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything that a change must pass: sets up, checks format, lints and generated pages, builds, runs every test, and
/// makes the packages.
fn test(words: &[String]) -> Done {
    setup::for_demo()?;
    // What is fetched for the tests waits for registries while the compiler works.
    std::thread::scope(|scope| {
        let fetched = scope.spawn(setup::for_tests);
        run(cargo(&["fmt", "--all", "--check"]))?;
        run(cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
        docs(&["--check".to_owned()])?;
        fetched.join().unwrap_or_else(|_| Err("the set-up panicked".into()))
    })?;
    let mut tests = cargo(&["test", "--workspace"]);
    tests.env("SUPER8_TEST_PRODUCTS", debug_directory()).env("RUST_TEST_THREADS", test_threads()).args(words);
    run(tests)?;
    // If words select some tests, the suites, the instruction counts and the packages are left out.
    if !words.is_empty() {
        return Ok(());
    }
    // The packages are made as they are shipped, because their size is limited. Their build serves the gate, too.
    package::package(&[])?;
    gate()?;
    suites(&["--representative".to_owned()])
}

/// Returns how many tests run at once, unless the user says: two for each core, because most tests wait half of their time for
/// servers and other programs.
fn test_threads() -> String {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::env::var("RUST_TEST_THREADS").unwrap_or_else(|_| (cores * 2).to_string())
}

/// Replays randomly damaged cassettes for longer than the tests do. The same seed gives the same damage.
fn fuzz(words: &[String]) -> Done {
    let mut test = cargo(&["test", "-p", "super8-tests", "damage_of_any_kind_does_no_harm", "--", "--nocapture"]);
    test.env("SUPER8_FUZZ_SECONDS", "600");
    for pair in words.chunks(2) {
        match pair {
            [word, number] if word == "--seconds" && number.parse::<u64>().is_ok() => {
                test.env("SUPER8_FUZZ_SECONDS", number);
            }
            [word, number] if word == "--seed" && number.parse::<u64>().is_ok() => {
                test.env("SUPER8_FUZZ_SEED", number);
            }
            _ => return Err("fuzz takes --seconds N and --seed S".into()),
        }
    }
    run(cargo(&["build", "--workspace", "--quiet"]))?;
    run(test)
}

/// Sets up and runs the harness of third-party test suites (docs/suites.md), with these words.
fn suites(words: &[String]) -> Done {
    setup::setup()?;
    let mut harness = built("super8-suites")?;
    harness.args(words);
    if words.iter().any(|word| word.starts_with("--time")) {
        // times the release build
        run(cargo(&["build", "--release", "--quiet", "-p", "super8", "-p", "super8a"]))?;
        harness.env("SUPER8_TEST_PRODUCTS", super8_tests::products::target_directory().join("release"));
    }
    run(harness)
}

/// Returns the directory of what is built for development.
fn debug_directory() -> PathBuf {
    super8_tests::products::target_directory().join("debug")
}

/// Builds everything: a command for some packages only would compile what they share once more, with other features.
fn build_for_development() -> Command {
    cargo(&["build", "--workspace", "--all-targets", "--quiet"])
}

/// Returns a program of the workspace, built for development, that finds the products of the same build.
fn built(name: &str) -> Result<Command, String> {
    run(build_for_development())?;
    let mut program = Command::new(debug_directory().join(name));
    program.env("SUPER8_TEST_PRODUCTS", debug_directory());
    Ok(program)
}

/// Compares what the libraries of a release build execute with the numbers in the repository. The measuring program
/// itself does not count, so a debug build of it will do.
fn gate() -> Done {
    let mut bench = built("super8-bench")?;
    bench.arg("--gate");
    run(bench)
}

/// Builds both libraries and the bench in release mode, and measures.
fn bench(words: &[String]) -> Done {
    run(cargo(&["build", "--release", "--quiet", "-p", "super8", "-p", "super8a"]))?;
    let mut bench = cargo(&["run", "--release", "--quiet", "-p", "super8-bench", "--"]);
    bench.args(words);
    run(bench)
}

/// Every generated page: its path in the repository, and the example that prints it.
const PAGES: [(&str, &str); 4] = [
    ("docs/functions.md", "functions"),
    ("docs/cassette-fields.md", "fields"),
    ("docs/plain-driver.md", "plain"),
    ("docs/commands.schema.json", "json_schema"),
];

/// Writes the generated pages. With `--check`, only checks that they are up to date.
fn docs(words: &[String]) -> Done {
    let check = words.iter().any(|word| word == "--check");
    run(build_for_development())?;
    for (page, example) in PAGES {
        let text = generated(example)?;
        let path = super8_tests::products::repository().join(page);
        if check {
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            if there != text {
                return Err(format!("{page} is out of date; write it: cargo xtask docs"));
            }
        } else {
            write(&path, &text)?;
            println!("wrote {page}");
        }
    }
    Ok(())
}

/// Runs an example and returns what it prints.
fn generated(example: &str) -> Result<String, String> {
    let mut program = Command::new(debug_directory().join("examples").join(example));
    let output = program.output().map_err(|error| format!("cannot run {}: {error}", shown(&program)))?;
    if !output.status.success() {
        return Err(format!("the example `{example}` failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("the example `{example}` printed no text: {error}"))
}

fn write(path: &Path, text: &str) -> Done {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
