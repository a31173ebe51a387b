//! Applications: what to run, what to feed it, and how to tell that it did its work at all.

use crate::outcome::Outcome;
use crate::products;
use crate::ways::{SOURCE, Target};
use crate::{c_compiler, node, packages, python};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that calls ODBC, in a process of its own.
pub struct Program {
    name: String,
    input: Vec<u8>,
    /// A text that its output must contain, so that four equal failures are no success.
    proof: String,
    command: Box<dyn Fn(&Target) -> Command + Send + Sync>,
}

/// The last line of every C, Python and Rust program.
pub const DONE: &str = "done: everything was asked";

impl Program {
    /// Runs isql (an ODBC 2 ANSI application) in batch mode with `options`, fed with a script of `programs/isql`.
    pub fn isql(script: &str, options: &'static [&'static str], proof: &str) -> Program {
        Program::isql_of("isql", script, options, proof)
    }

    /// Runs iusql, which is isql as a Unicode application.
    pub fn iusql(script: &str, options: &'static [&'static str], proof: &str) -> Program {
        Program::isql_of("iusql", script, options, proof)
    }

    /// Runs isql or iusql. iusql makes a connection string of its argument and quotes neither user nor password, so it
    /// gets the rest of a connection string.
    fn isql_of(program: &'static str, script: &str, options: &'static [&'static str], proof: &str) -> Program {
        let file = products::repository().join("tests/programs/isql").join(script);
        let input = std::fs::read(&file).unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        let command = move |target: &Target| {
            let mut command = Command::new(packages::program(program, "unixodbc"));
            if program == "iusql" {
                command.arg(target.connection_string.trim_start_matches("DSN="));
            } else {
                command.arg(SOURCE);
                if !target.user.is_empty() {
                    command.args([&target.user, &target.password]);
                }
            }
            command.arg("-b").args(options);
            command
        };
        let name = format!("{program}-{}", stem(script));
        Program { name, input, proof: proof.into(), command: Box::new(command) }
    }

    /// Runs a script of `programs/python` with the pinned pyodbc; its arguments are the connection string and the
    /// dialect.
    pub fn python(script: &str) -> Program {
        let file = products::repository().join("tests/programs/python").join(script);
        let command = move |target: &Target| {
            let mut command = Command::new(python::interpreter());
            command.arg(&file).args([&target.connection_string, target.dialect, &target.driver_string]);
            command.envs([("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUNBUFFERED", "1")]);
            command
        };
        Program { name: stem(script), input: Vec::new(), proof: DONE.into(), command: Box::new(command) }
    }

    /// Runs `programs/python/columns.py` with a library that reads columns.
    pub fn columns(library: &'static str) -> Program {
        let Program { input, proof, command: before, .. } = Program::python("columns.py");
        let command = move |target: &Target| {
            let plain = before(target);
            let mut command = Command::new(python::with_columns());
            command.args(plain.get_args()).arg(library);
            command.envs([("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUNBUFFERED", "1")]);
            command
        };
        Program { name: format!("columns-{library}"), input, proof, command: Box::new(command) }
    }

    /// Runs a script of `programs/ruby`; its arguments are the connection string and the dialect.
    pub fn ruby(script: &str) -> Program {
        let file = products::repository().join("tests/programs/ruby").join(script);
        let command = move |target: &Target| {
            let mut command = Command::new(packages::program("ruby", "ruby"));
            command.arg(&file).args([&target.connection_string, target.dialect]);
            command
        };
        Program { name: stem(script), input: Vec::new(), proof: DONE.into(), command: Box::new(command) }
    }

    /// Runs a script of `programs/ruby` with ruby-odbc; its arguments are the connection string and the dialect.
    pub fn ruby_odbc(script: &'static str) -> Program {
        let command = move |target: &Target| {
            let mut command = ruby_odbc(script);
            command.args([&target.connection_string, target.dialect]);
            command
        };
        Program { name: stem(script), input: Vec::new(), proof: DONE.into(), command: Box::new(command) }
    }

    /// Runs a script of another language, from the directory of `programs` that its ending names; `interpreter` is in
    /// Debian's `package`. Its arguments are the connection string, the dialect, the data source, user and password.
    pub fn script(interpreter: &'static str, package: &'static str, script: &str) -> Program {
        let (_, ending) = script.rsplit_once('.').unwrap_or_default();
        let language = match ending {
            "pl" => "perl",
            "escript" => "erlang",
            other => other,
        };
        let file = products::repository().join("tests/programs").join(language).join(script);
        let command = move |target: &Target| {
            let mut command = Command::new(packages::program(interpreter, package));
            command.arg(&file).args([
                &target.connection_string,
                target.dialect,
                SOURCE,
                &target.user,
                &target.password,
            ]);
            command
        };
        let name = format!("{language}-{}", stem(script));
        Program { name, input: Vec::new(), proof: DONE.into(), command: Box::new(command) }
    }

    /// Runs a script of `programs/node` with the package odbc; its argument is the connection string.
    pub fn node(script: &str) -> Program {
        let file = products::repository().join("tests/programs/node").join(script);
        let command = move |target: &Target| {
            let mut command = Command::new(packages::program("node", "nodejs"));
            command.arg(&file).arg(&target.connection_string);
            // as many threads as a pool has connections
            command.envs([("UV_THREADPOOL_SIZE", "8")]).env("ODBC_PACKAGE", node::packages_directory());
            command
        };
        Program { name: stem(script), input: Vec::new(), proof: DONE.into(), command: Box::new(command) }
    }

    /// Runs these test files of `programs/perl/prove`, two at a time.
    pub fn prove(files: &'static [&'static str]) -> Program {
        let directory = products::repository().join("tests/programs/perl/prove");
        let command = move |target: &Target| {
            let mut command = Command::new(packages::program("prove", "perl"));
            command.arg("-j2").args(files.iter().map(|file| directory.join(file)));
            command.args(["::", &target.connection_string]);
            command
        };
        let proof = "All tests successful".into();
        Program { name: "prove".into(), input: Vec::new(), proof, command: Box::new(command) }
    }

    /// Runs the test files of `programs/python/workers` with pytest and two workers.
    pub fn xdist() -> Program {
        let directory = products::repository().join("tests/programs/python/workers");
        let command = move |target: &Target| {
            let mut command = Command::new(python::interpreter());
            command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-n2", "--dist=loadfile"]).arg(&directory);
            command.envs([("PYTHONDONTWRITEBYTECODE", "1"), ("CONNECTION", &target.connection_string)]);
            command
        };
        Program { name: "xdist".into(), input: Vec::new(), proof: "4 passed".into(), command: Box::new(command) }
    }

    /// Runs pytest in a directory; `CONNECTION` is the connection string.
    pub fn pytest(directory: &Path, arguments: &[&str]) -> Program {
        let (directory, arguments) = (directory.to_owned(), owned(arguments));
        let command = move |target: &Target| {
            let mut command = Command::new(python::interpreter());
            command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir"]).arg(&directory);
            let files = arguments.iter().map(|word| match word.starts_with('-') {
                true => word.clone(),
                false => directory.join(word).display().to_string(),
            });
            command.args(files);
            if !arguments.iter().any(|word| !word.starts_with('-')) {
                command.arg(&directory);
            }
            command.envs([("PYTHONDONTWRITEBYTECODE", "1"), ("CONNECTION", &target.connection_string)]);
            command
        };
        Program { name: "pytest".into(), input: Vec::new(), proof: "passed".into(), command: Box::new(command) }
    }

    /// Runs RSpec with ruby-odbc, in a directory that has a directory `spec`; `CONNECTION` is the connection string.
    pub fn rspec(directory: &Path, arguments: &[&str]) -> Program {
        let (directory, arguments) = (directory.to_owned(), owned(arguments));
        let command = move |target: &Target| {
            let mut command = with_ruby_odbc("rspec", "ruby-rspec");
            command.arg("--default-path").arg(directory.join("spec")).args(&arguments).arg(directory.join("spec"));
            command.env("CONNECTION", &target.connection_string);
            command
        };
        Program { name: "rspec".into(), input: Vec::new(), proof: "0 failures".into(), command: Box::new(command) }
    }

    /// Runs RSpec in several processes, which share the files among them.
    pub fn parallel_rspec(directory: &Path, processes: usize) -> Program {
        let directory = directory.to_owned();
        let command = move |target: &Target| {
            let mut command = with_ruby_odbc("parallel_rspec", "ruby-parallel-tests");
            command.args(["-n", &processes.to_string()]).arg(directory.join("spec"));
            command.env("CONNECTION", &target.connection_string);
            command
        };
        Program { name: "rspec".into(), input: Vec::new(), proof: "0 failures".into(), command: Box::new(command) }
    }

    /// Runs cargo nextest on the tests of `programs/odbc_api`; `CONNECTION` is the connection string.
    pub fn nextest(arguments: &[&str]) -> Program {
        let arguments = owned(arguments);
        let command = move |target: &Target| {
            let tests = products::nextest();
            let mut command = Command::new(&tests.nextest);
            command.args(["nextest", "run", "--cargo-metadata"]).arg(&tests.metadata);
            command.arg("--binaries-metadata").arg(&tests.binaries).args(&arguments);
            command.env("CONNECTION", &target.connection_string);
            command
        };
        Program { name: "nextest".into(), input: Vec::new(), proof: String::new(), command: Box::new(command) }
    }

    /// Runs a program of `programs/c`; its arguments are the fields of [`Target`].
    pub fn c(source: &'static str) -> Program {
        let command = move |target: &Target| {
            let mut command = Command::new(c_compiler::compiled(source));
            command.args([&target.connection_string, target.dialect, &target.driver_string]);
            command.args([SOURCE, &target.user, &target.password]).arg(&target.library);
            command
        };
        Program { name: stem(source), input: Vec::new(), proof: DONE.into(), command: Box::new(command) }
    }

    /// Runs a C++ program of `programs/cpp` on Qt; its arguments begin as those of a C program.
    pub fn qt(source: &'static str) -> Program {
        Program::cpp(source, c_compiler::compiled_with_qt)
    }

    /// Runs a C++ program of `programs/cpp` on SOCI; its arguments begin as those of a C program.
    pub fn soci(source: &'static str) -> Program {
        Program::cpp(source, c_compiler::compiled_with_soci)
    }

    fn cpp(source: &'static str, compiled: fn(&'static str) -> PathBuf) -> Program {
        let command = move |target: &Target| {
            let mut command = Command::new(compiled(source));
            command.args([&target.connection_string, target.dialect, &target.driver_string]);
            command
        };
        Program { name: stem(source), input: Vec::new(), proof: DONE.into(), command: Box::new(command) }
    }

    /// Runs the Rust program on odbc-api.
    pub fn odbc_api() -> Program {
        Program::rust("odbc-api", products::odbc_api_program)
    }

    /// Runs the Rust program with a newer driver manager built in.
    pub fn newer_manager() -> Program {
        Program::rust("newer-manager", products::newer_manager_program)
    }

    fn rust(name: &str, executable: fn() -> PathBuf) -> Program {
        let command = move |target: &Target| {
            let mut command = Command::new(executable());
            command.args([&target.connection_string, target.dialect]);
            command
        };
        Program { name: name.into(), input: Vec::new(), proof: DONE.into(), command: Box::new(command) }
    }

    /// Adds an argument at the end. Tests use it to make a replayed program differ.
    pub fn with_argument(self, argument: impl Into<String>) -> Program {
        let argument = argument.into();
        let Program { name, input, proof, command: before } = self;
        let command = move |target: &Target| {
            let mut command = before(target);
            command.arg(&argument);
            command
        };
        Program { name, input, proof, command: Box::new(command) }
    }

    /// Changes the program's command.
    pub(crate) fn changed(self, change: impl Fn(Command) -> Command + Send + Sync + 'static) -> Program {
        let Program { name, input, proof, command: before } = self;
        Program { name, input, proof, command: Box::new(move |target| change(before(target))) }
    }

    /// Returns a short name for directories and databases.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what it reads on standard input.
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// Returns the command that starts it.
    pub fn command(&self, target: &Target) -> Command {
        (self.command)(target)
    }

    /// Panics unless `outcome` shows that the program ran to its end.
    pub fn check(&self, what: &str, outcome: &Outcome) {
        let complete = outcome.succeeded() && outcome.text().contains(&self.proof);
        assert!(complete, "{what} did not do its work:\n{}", String::from_utf8_lossy(&outcome.all()));
    }
}

/// Returns the command for a script of `programs/ruby` with Debian's ruby-odbc.
pub fn ruby_odbc(script: &str) -> Command {
    let mut command = with_ruby_odbc("ruby", "ruby");
    command.arg(products::repository().join("tests/programs/ruby").join(script));
    command
}

/// Returns the command for a program of Debian's `package` with Debian's ruby-odbc, which is not linked with the driver
/// manager that it calls.
fn with_ruby_odbc(program: &str, package: &str) -> Command {
    let installed =
        Command::new(packages::program("ruby", "ruby")).args(["-e", "Gem.find_files('odbc.so')[0] or exit 1"]).status();
    if !installed.is_ok_and(|status| status.success()) {
        packages::missing("odbc.so", "ruby-odbc");
    }
    let mut command = Command::new(packages::program("env", "coreutils"));
    command.arg("LD_PRELOAD=libodbc.so.2").arg(packages::program(program, package));
    command
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn stem(file: &str) -> String {
    Path::new(file).file_stem().map_or_else(|| file.into(), |stem| stem.to_string_lossy().into_owned())
}
