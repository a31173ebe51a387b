//! Runs the programs: bare, off and recorded while there are servers and drivers, replayed when there are none.

use crate::server::Server;
use crate::suite::{Case, Suite};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::trap::Trap;
use super8_tests::ways::Way;

/// A program of a suite.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    /// Its suite.
    pub suite: &'a dyn Suite,
    /// Its name in the suite.
    pub name: &'a str,
}

/// The result of running a program one way.
#[derive(Clone, Default)]
pub struct Ran {
    /// The results of its tests.
    pub cases: Vec<Case>,
    /// The text of super8's log.
    pub log: String,
    /// How long each run took, from starting the program to its end.
    pub seconds: Vec<f64>,
}

/// The results by suite and program, and by way.
pub type Results = BTreeMap<(String, String), BTreeMap<&'static str, Ran>>;

/// Returns the name of a way on the command line and in the tables.
pub fn word(way: Way) -> &'static str {
    match way {
        Way::Bare => "bare",
        Way::Off => "off",
        Way::Record => "record",
        Way::Replay => "replay",
    }
}

/// The state that the workers share.
pub struct Runs {
    directory: PathBuf,
    ways: Vec<Way>,
    /// How often a program runs each way. The last run is compared.
    rounds: usize,
    results: Mutex<Results>,
}

impl Runs {
    /// Makes runs that leave their files in `directory`.
    pub fn new(directory: PathBuf, ways: Vec<Way>, rounds: usize) -> Runs {
        Runs { directory, ways, rounds, results: Mutex::default() }
    }

    /// Returns the directory in which a program runs and leaves its output and cassette.
    pub fn place(&self, suite: &str, program: &str) -> PathBuf {
        self.directory.join(suite).join(program)
    }

    /// Runs every program every way on `workers` threads. Replay begins when the last server has stopped.
    pub fn all(self, programs: &[Program<'_>], workers: usize) -> Results {
        let ports: Mutex<BTreeMap<(&str, &str), u16>> = Mutex::default();
        let mut traps = Vec::new();
        let live: Vec<Way> = self.ways.iter().copied().filter(|way| *way != Way::Replay).collect();
        let queue = Queue::new(programs);
        std::thread::scope(|scope| {
            let worker = || {
                let mut server = Server::default();
                while let Some(program) = queue.next("run") {
                    let port = (program.suite.driver() != Driver::Sqlite).then(|| server.port());
                    if let Some(port) = port {
                        locked(&ports).insert((program.suite.name(), program.name), port);
                    }
                    self.start(program);
                    // runs the ways by turns, because the machine may be slower at times
                    for way in (0..self.rounds).flat_map(|_| &live) {
                        self.one(program, *way, port, Some(&mut server));
                    }
                }
                server.stop()
            };
            let started: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
            traps.extend(started.into_iter().filter_map(|worker| worker.join().unwrap_or_else(|_| failed())));
        });
        if self.ways.contains(&Way::Replay) {
            let queue = Queue::new(programs);
            std::thread::scope(|scope| {
                let worker = || {
                    while let Some(program) = queue.next("replay") {
                        let port = locked(&ports).get(&(program.suite.name(), program.name)).copied();
                        (0..self.rounds).for_each(|_| self.one(program, Way::Replay, port, None));
                    }
                };
                let started: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
                started.into_iter().for_each(|worker| worker.join().unwrap_or_else(|_| failed()));
            });
        }
        assert!(!traps.iter().any(Trap::sprung), "a replay called the database server");
        self.results.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes what an earlier run of the harness left of a program.
    fn start(&self, program: Program<'_>) {
        let place = self.place(program.suite.name(), program.name);
        let _ = std::fs::remove_dir_all(&place);
        std::fs::create_dir_all(&place).unwrap_or_else(|error| panic!("cannot create {}: {error}", place.display()));
    }

    fn one(&self, program: Program<'_>, way: Way, port: Option<u16>, server: Option<&mut Server>) {
        let Program { suite, name } = program;
        let place = self.place(suite.name(), name);
        let (work, log) = (place.join("work"), place.join(format!("{}.log", word(way))));
        // A fresh directory, so that SQLite's file is gone, too.
        let _ = std::fs::remove_dir_all(&work);
        std::fs::create_dir_all(&work).unwrap_or_else(|error| panic!("cannot create {}: {error}", work.display()));
        suite.furnish(&work).unwrap_or_else(|reason| panic!("{}: {reason}", suite.name()));

        let connection = suite.connection(name);
        if let (Some(server), Some(_)) = (server, port) {
            server.fresh(suite, connection.database);
        }
        let configuration = connection.configure(suite.driver(), way, port, &place.join("odbc"));
        let mut command = suite.command(name, &work);
        let own: Vec<_> =
            command.get_envs().map(|(key, value)| (key.to_owned(), value.map(ToOwned::to_owned))).collect();
        configuration.apply(&mut command);
        command.envs(own.into_iter().filter_map(|(key, value)| Some((key, value?))));
        command.current_dir(&work);
        if way != Way::Bare {
            command.env("SUPER8_MODE", word(way)).env("SUPER8_LOG", &log);
        }
        if matches!(way, Way::Record | Way::Replay) {
            command.env("SUPER8_CASSETTE", place.join("cassette"));
        }
        let begun = Instant::now();
        let ran = Outcome::of(&command, b"");
        let seconds = begun.elapsed().as_secs_f64();
        keep(&place, way, &ran);
        let cases = suite.cases(name, &ran, &work);
        let log = std::fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let key = (suite.name().to_owned(), name.to_owned());
        let mut results = locked(&self.results);
        let ran = results.entry(key).or_default().entry(word(way)).or_default();
        (ran.cases, ran.log) = (cases, log);
        ran.seconds.push(seconds);
    }
}

/// Keeps a run's output in a file.
fn keep(place: &Path, way: Way, ran: &Outcome) {
    let path = place.join(format!("{}.out", word(way)));
    std::fs::write(&path, ran.all()).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// The programs that are still to be run. It prints the progress to standard error.
struct Queue<'a> {
    left: Mutex<VecDeque<Program<'a>>>,
    all: usize,
}

impl<'a> Queue<'a> {
    fn new(programs: &[Program<'a>]) -> Queue<'a> {
        Queue { left: Mutex::new(programs.iter().copied().collect()), all: programs.len() }
    }

    fn next(&self, what: &str) -> Option<Program<'a>> {
        let mut left = locked(&self.left);
        let program = left.pop_front()?;
        eprintln!("{what} {}/{}: {} {}", self.all - left.len(), self.all, program.suite.name(), program.name);
        Some(program)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed() -> ! {
    panic!("a worker of the harness failed; its reason stands above")
}
