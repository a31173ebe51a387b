//! Keeps which cassettes the last runs opened, in the user's cache directory and not in a checkout. `super8 record`,
//! `replay` and `once` keep a file for each cassette's name; `super8 run` keeps one for each program and directory of
//! cassettes, also for the packages for Python, Ruby, Node.js and Rust. `super8 unused` and the page of a folder read
//! these files. They can also be read from a JSON report or a verdict file ([`Run::read`]).

use crate::events::{self, Event, Selected};
use crate::exit::Failure;
use crate::output::many;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use super8_cassette::text::hex;

/// A process that writes holds the lock of this file.
const LOCK: &str = ".lock";
/// How many files are kept; the oldest are removed first.
const KEPT: usize = 200;

/// A run, with the keys of a JSON report that matter here.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// The verb of the wrapper; empty if there was no wrapper.
    #[serde(default)]
    pub verb: String,
    /// The cassette's name, with its placeholders.
    #[serde(default)]
    pub cassette: String,
    /// The command.
    #[serde(default)]
    pub command: Vec<String>,
    /// The verdict in a word; empty if it is not known.
    #[serde(default)]
    pub verdict: String,
    /// The wrapper's exit code.
    #[serde(default)]
    pub exit_code: Option<u8>,
    /// The part of the cassette's path before its first placeholder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Which tests pytest ran.
    #[serde(default)]
    pub selected: Selected,
    /// The cassettes that it opened.
    #[serde(default)]
    pub cassettes: Vec<Opened>,
    /// Under `super8 run`, the process whose run it is. Several `super8 run` may contribute to it, one for each file of
    /// tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// When it ended.
    #[serde(skip)]
    pub ended: Option<SystemTime>,
}

/// A process that runs tests, perhaps in further processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id. Ids are reused, so `started` is compared as well.
    pub process: u32,
    /// When it was started, in clock ticks since boot.
    pub started: u64,
    /// The name of its program, as `%c` has it.
    pub name: String,
}

/// A cassette of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Opened {
    /// Its path.
    pub cassette: PathBuf,
    /// The processes that opened it.
    #[serde(default)]
    pub processes: BTreeSet<u32>,
    /// What became of it, in one word; empty if it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub verdict: String,
    /// The reason for that, in a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Run {
    /// Keeps this run as the last one of its cassette's name. Does nothing if the cache directory cannot be written.
    pub fn keep(&self) {
        let Some(directory) = directory() else { return };
        let program = self.session.as_ref().map_or("", |session| session.name.as_str());
        let file = directory.join(format!("{}.json", file_name(&[&self.cassette, program].join("\0"))));
        let written = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).and_then(|()| {
            // processes that contribute to the same run may end at the same time
            let lock = fs::File::create(directory.join(LOCK))?;
            flock(&lock, FlockOperation::LockExclusive)?;
            let before =
                Run::read(&file).ok().filter(|before| self.session.is_some() && before.session == self.session);
            let whole = self.clone().after(before.unwrap_or_default());
            // a command line may have secrets, so only the owner may read the file
            let mut fresh = tempfile::NamedTempFile::new_in(&directory)?;
            serde_json::to_writer(&mut fresh, &whole)?;
            fresh.flush()?;
            Ok(fresh.persist(&file)?)
        });
        if written.is_ok() {
            prune(&directory);
        }
    }

    /// Adds an earlier contribution to the same run.
    fn after(mut self, before: Run) -> Run {
        let is_new = |opened: &Opened| !self.cassettes.iter().any(|known| known.cassette == opened.cassette);
        let earlier: Vec<Opened> = before.cassettes.into_iter().filter(is_new).collect();
        self.cassettes.extend(earlier);
        self.selected.given.extend(before.selected.given);
        self.selected.deselected += before.selected.deselected;
        if before.exit_code.is_some_and(|code| code != 0) {
            (self.verdict, self.exit_code) = (before.verdict, before.exit_code);
        }
        self
    }

    /// Returns the runs that are kept.
    pub fn kept() -> Vec<Run> {
        let files = directory().and_then(|directory| fs::read_dir(directory).ok());
        let mut paths: Vec<PathBuf> = files.into_iter().flatten().flatten().map(|file| file.path()).collect();
        paths.sort();
        paths
            .iter()
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .filter_map(|path| Run::read(path).ok())
            .collect()
    }

    /// Reads a run from a JSON report or a verdict file.
    ///
    /// # Errors
    /// The file cannot be read, or is neither.
    pub fn read(file: &Path) -> Result<Run, Failure> {
        let shown = file.display();
        let cannot = |error: std::io::Error| Failure::new(format_args!("{shown}: cannot read this file: {error}"));
        let text = fs::read(file).map_err(cannot)?;
        let ended = fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
        if let Ok(run) = serde_json::from_slice::<Run>(&text)
            && !run.verb.is_empty()
        {
            return Ok(Run { ended, ..run });
        }
        let events = events::read(&text);
        if events.is_empty() {
            return Err(Failure::new(format_args!(
                "{shown}: neither a report of super8 (--report json) nor a verdict file (SUPER8_VERDICT)"
            )));
        }
        Ok(Run { cassettes: opened(&events), selected: Selected::of(&events), ended, ..Run::default() })
    }

    /// Whether the run opened this cassette, or a part of it.
    pub fn opened(&self, pieces: &[PathBuf]) -> bool {
        let pieces: Vec<PathBuf> = pieces.iter().map(|piece| real(piece)).collect();
        self.opened_paths().any(|opened| pieces.iter().any(|piece| opened.starts_with(piece)))
    }

    /// Whether it could have opened cassettes of a folder: it opened one, or its cassette's name lies in the folder.
    pub fn concerns(&self, folder: &Path) -> bool {
        let folder = real(folder);
        let named = self.directory.as_ref().map(|directory| real(directory)).is_some_and(|directory| {
            directory.starts_with(&folder) || (directory.parent().is_some() && folder.starts_with(&directory))
        });
        named || self.opened_paths().any(|opened| opened.starts_with(&folder))
    }

    /// Returns the last of these runs that opened a cassette, and what became of the cassette in it.
    pub fn last_use<'a>(runs: &'a [Run], pieces: &[PathBuf]) -> Option<(&'a Run, &'a Opened)> {
        let pieces: Vec<PathBuf> = pieces.iter().map(|piece| real(piece)).collect();
        let is_it = |opened: &&Opened| {
            let cassette = real(&opened.cassette);
            !opened.processes.is_empty() && pieces.iter().any(|piece| cassette.starts_with(piece))
        };
        let uses = runs.iter().filter_map(|run| Some((run, run.cassettes.iter().find(is_it)?)));
        uses.max_by_key(|(run, _)| run.ended)
    }

    fn opened_paths(&self) -> impl Iterator<Item = PathBuf> {
        self.cassettes.iter().filter(|cassette| !cassette.processes.is_empty()).map(|cassette| real(&cassette.cassette))
    }

    /// Returns why the run may not have run every test to its end; `None` if there is no such reason. pytest reports
    /// which tests it selected.
    pub fn not_whole(&self) -> Option<String> {
        let Selected { given, deselected } = &self.selected;
        let mut reasons = Vec::new();
        if !given.is_empty() {
            reasons.push(format!("pytest was given {}", given.join(", ")));
        }
        if *deselected > 0 {
            reasons.push(format!("pytest left out {}", many(*deselected, "test")));
        }
        match (self.verdict.as_str(), self.exit_code) {
            ("passed" | "leaked" | "unplayed", _) => {}
            ("", _) => reasons.push("how its command ended is not known".to_owned()),
            ("command_failed", Some(code)) => reasons.push(format!("the command ended with exit code {code}")),
            (verdict, _) => reasons.push(format!("the verdict was {}", verdict.replace('_', " "))),
        }
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// Returns the cassettes that processes opened, by their events.
fn opened(events: &[Event]) -> Vec<Opened> {
    let of = |event: &Event| match event {
        Event::Opened { pid, cassette, .. } | Event::Took { pid, part: cassette, .. } => {
            let processes = BTreeSet::from([*pid]);
            Some(Opened { cassette: PathBuf::from(cassette), processes, ..Opened::default() })
        }
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// Resolves the symbolic links of a path, if it exists; otherwise makes it absolute.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Returns `$XDG_CACHE_HOME/super8/runs`, or the same below `$HOME/.cache`.
fn directory() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("super8").join("runs"))
}

fn file_name(cassette: &str) -> String {
    hex(&Sha256::digest(cassette)[..12])
}

/// Removes the oldest files if there are more than `KEPT`.
fn prune(directory: &Path) {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    let files = files.filter(|file| file.file_name() != LOCK);
    let mut all: Vec<(i64, PathBuf)> =
        files.filter_map(|file| Some((file.metadata().ok()?.mtime(), file.path()))).collect();
    all.sort();
    let many = all.len().saturating_sub(KEPT);
    // another run may remove the same file, so errors are ignored
    all.into_iter().take(many).for_each(|(_, file)| drop(fs::remove_file(file)));
}
