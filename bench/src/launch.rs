//! Starts a client process in the environment of a way, and reads what it used.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{callgrind::Counts, case::Case, case::Way, client::Sample, fact::Database};

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// What the client does.
    pub case: Case,
    /// How often.
    pub count: u64,
    /// Whether the driver's own streaming is switched on, so that it does not hold the whole result (for memory
    /// figures).
    pub streaming: bool,
}

/// Starts clients.
#[derive(Clone)]
pub struct Launcher {
    /// This program.
    pub executable: PathBuf,
    /// The real driver.
    pub driver: PathBuf,
    /// The database behind it.
    pub database: Database,
    /// The PostgreSQL server's port.
    pub port: u16,
    /// The SQLite file that holds the filled table.
    pub table_file: PathBuf,
    /// The directory for everything that the bench makes.
    pub directory: PathBuf,
    /// The directory of the driver manager's files for this database.
    pub odbc: PathBuf,
    /// Added to each connection string.
    pub keywords: &'static str,
    /// Whether clients get only PATH of this program's environment. super8 reads all variables, and that would be
    /// counted.
    pub bare_environment: bool,
    /// Print each command line.
    pub show: bool,
}

impl Launcher {
    /// The driver manager's name for the real driver.
    pub const BARE: &'static str = "BenchBare";
    /// Its name for super8.
    pub const SHIM: &'static str = "BenchSuper8";

    /// Runs the job once this way. Records into, or replays from, the subdirectory of `cassette` for the format.
    pub fn run(&self, job: Job, way: Way, cassette: &Path) -> Result<Sample, String> {
        let output = self.finish(self.client(Command::new(&self.executable), job, way, cassette)?)?;
        Sample::parse(&output).ok_or_else(|| format!("a client's output makes no sense: {output:?}"))
    }

    /// Runs the job under callgrind, and returns the user-space instructions of the whole process by library.
    pub fn callgrind(&self, job: Job, way: Way, cassette: &Path) -> Result<(Counts, Sample), String> {
        let counts = self.directory.join("callgrind.out");
        let _ = std::fs::remove_file(&counts);
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--quiet"]);
        valgrind.arg(format!("--callgrind-out-file={}", counts.display())).arg(&self.executable);
        let output = self.finish(self.client(valgrind, job, way, cassette)?)?;
        let sample = Sample::parse(&output).ok_or_else(|| format!("a client's output makes no sense: {output:?}"))?;
        let text = std::fs::read(&counts).map_err(|e| format!("cannot read {}: {e}", counts.display()))?;
        Ok((Counts::parse(&String::from_utf8_lossy(&text))?, sample))
    }

    /// Fills the table through the bare driver; for SQLite, in this file.
    pub fn load(&self, rows: u64, file: &Path) -> Result<(), String> {
        let mut command = Command::new(&self.executable);
        let string = self.connection_string(Way::Bare, file, false);
        command.args(["load", &self.database.to_string(), &rows.to_string(), &string]);
        self.set_environment(&mut command, Way::Bare, Path::new(""), false);
        self.finish(command).map(drop)
    }

    fn client(&self, mut command: Command, job: Job, way: Way, cassette: &Path) -> Result<Command, String> {
        let file = match job.case {
            Case::Insert { .. } => self.fresh_file()?,
            _ => self.table_file.clone(),
        };
        let string = self.connection_string(way, &file, job.streaming);
        command.args(["client", &self.database.to_string(), &job.case.to_string(), &job.count.to_string(), &string]);
        self.set_environment(&mut command, way, cassette, job.case == Case::Threads);
        Ok(command)
    }

    fn fresh_file(&self) -> Result<PathBuf, String> {
        let file = self.directory.join("data").join("insert.db");
        match std::fs::remove_file(&file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("cannot remove {}: {e}", file.display())),
            _ => Ok(file),
        }
    }

    fn connection_string(&self, way: Way, file: &Path, streaming: bool) -> String {
        let keywords = self.keywords;
        let driver = if way == Way::Bare { Self::BARE } else { Self::SHIM };
        match self.database {
            Database::Sqlite => {
                let step = u8::from(streaming);
                format!("DRIVER={{{driver}}};Database={};SyncPragma=OFF;StepAPI={step}{keywords}", file.display())
            }
            Database::Postgres => {
                let streaming = if streaming { ";UseDeclareFetch=1;Fetch=1000" } else { "" };
                let port = self.port;
                format!(
                    "DRIVER={{{driver}}};Server=127.0.0.1;Port={port};Database=postgres;Uid=postgres{streaming}{keywords}"
                )
            }
        }
    }

    fn set_environment(&self, command: &mut Command, way: Way, cassette: &Path, any_order: bool) {
        let passed = |name: &str| match self.bare_environment {
            true => name == "PATH",
            false => !name.starts_with("SUPER8_"),
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| !passed(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command.current_dir(&self.directory);
        command.env("ODBCSYSINI", &self.odbc).env("ODBCINSTINI", "odbcinst.ini");
        command.env("ODBCINI", self.odbc.join("odbc.ini"));
        if way == Way::Bare {
            return;
        }
        command.env("SUPER8_MODE", way.mode());
        if matches!(way, Way::Replay(_)) {
            command.env("SUPER8_DRIVER", "/nonexistent/driver.so");
        } else {
            command.env("SUPER8_DRIVER", &self.driver);
        }
        if let Some(format) = way.format() {
            command.env("SUPER8_CASSETTE", cassette.join(format.name())).env("SUPER8_FORMAT", format.name());
        }
        // Threads interleave differently in every run, so only the order inside each connection can be as recorded.
        if any_order {
            command.env("SUPER8_ORDER", "connection");
        }
    }

    fn finish(&self, mut command: Command) -> Result<String, String> {
        if self.show {
            let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
            let set: Vec<_> = set.map(|(name, value)| format!("{}={}", name.display(), value.display())).collect();
            eprintln!("{} {command:?}", set.join(" "));
        }
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command.output().map_err(|e| format!("cannot run {program}: {e}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().collect();
        let shown = said[said.len().saturating_sub(12)..].join("\n    ");
        Err(format!("a client ended with {}:\n    {shown}", output.status))
    }
}
