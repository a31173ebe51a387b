//! The registry of cassettes, which is the only place that opens them. A process has one recorder or player for each
//! cassette, whether that is a directory or a trace.
//!
//! Driver managers unload and reload drivers and pool connections, so nothing here depends on a closing call. What is
//! still open when the process ends is published then, or reported as unplayed.

mod action;
mod eject;
mod ending;
mod hidden;
mod location;
mod parts;
mod registry;
mod started;

pub use action::Action;
pub use eject::{Ejected, discard, eject, unplayed};
pub use ending::{published, unwritable, warn_at_end};
pub use hidden::{look_for_secrets, secrets, warn_of_short_password};
pub use registry::{has_player, has_recorder};

use crate::config::settings::{CassetteName, Comments, Mode, Settings};
use crate::config::variables::variable;
use crate::driver::{Kind, Library};
use crate::inserted;
use crate::per_process::PerProcess;
use crate::report::say;
use crate::run::PlayingProcesses;
use crate::verdict::{self, Delivery};
use location::{CassetteLocation, file_name};
use registry::{Open, PLAYERS, RECORDERS};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use super8_cassette::{CassetteError, DriverFacts, Entry, ErrorKind, KnownAnswers, Metadata, Recorder, Traceparent};
use super8_matching::{FaultNews, PlayOptions, Player};

/// The answers that this process has asked for, shared by all of its recordings.
static KNOWN: PerProcess<Arc<KnownAnswers>> = PerProcess::new();

/// Why nothing is replayed to a process that cannot write its verdict: a mismatch would pass for a success.
const UNWATCHED: &str = "the file that SUPER8_VERDICT names cannot be written by this process, so that nobody would learn of a \
                         mismatch; leave the descriptor of SUPER8_VERDICT_FD open, or let this process write the file";

/// Why there is no cassette for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCassette(String);

impl fmt::Display for NoCassette {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Returns what these settings lead to.
///
/// # Errors
/// The mode is `once`, and the cassette is neither absent nor complete, or it is absent where nothing may be recorded.
pub fn action(settings: &Settings) -> Result<Action, NoCassette> {
    match settings.mode {
        Mode::Off => Ok(Action::Forward),
        Mode::Record => Ok(Action::Record),
        Mode::Replay if action::is_recorded(&location::absolute(settings)) => Ok(Action::Record),
        Mode::Replay => Ok(Action::Replay),
        Mode::Once => {
            let path = CassetteLocation::to_replay(settings, &variable)
                .map_err(|error| NoCassette(format!("once: {error}")))?
                .path();
            // The process goes on with what it began: its own recording is complete after each disconnect.
            if RECORDERS.get().lock().contains_key(&path) {
                return Ok(Action::Record);
            }
            if PLAYERS.get().lock().contains_key(&path) {
                return Ok(Action::Replay);
            }
            let attempt = settings.test().map_or(1, |test| test.attempt);
            // What an earlier attempt at the test recorded is no cassette to replay.
            if parts::was_recorded_before(&location::absolute(settings), attempt) {
                return Ok(Action::Record);
            }
            let shown = settings.cassette.as_ref().map_or(path.as_path(), |name| &name.path);
            let chosen = action::action(&path, shown, &variable);
            chosen.map_err(|error| unplayable(&path, format!("once: {error}")))
        }
    }
}

/// Checks the cassette that these settings name before anybody connects. It is fine if the cassette does not exist,
/// because a test may use no database; if it does use one, its connect fails.
///
/// # Errors
/// The cassette cannot be replayed.
pub fn examine(settings: &Settings) -> Result<(), NoCassette> {
    if settings.mode == Mode::Off || settings.mode == Mode::Record {
        return Ok(());
    }
    let location =
        CassetteLocation::to_replay(settings, &variable).map_err(|error| NoCassette(format!("replay: {error}")))?;
    let path = location.path();
    let is_absent = matches!(super8_cassette::state(&path), Ok(super8_cassette::State::Absent))
        && super8_cassette::parts_of(super8_cassette::directory_of(&path)).is_empty();
    if is_absent || action(settings)? != Action::Replay {
        return Ok(());
    }
    let player = open_player(&location, settings, false);
    player.map(drop).map_err(|error| unplayable(&path, format!("replay: {error}")))
}

/// Returns the directory or file of the cassette that these settings name; `None` if they name none.
pub fn path(settings: &Settings, action: Action) -> Option<PathBuf> {
    let location = match action {
        Action::Forward => return None,
        Action::Record => CassetteLocation::to_record(settings, &variable),
        Action::Replay => CassetteLocation::to_replay(settings, &variable),
    };
    location.ok().map(|location| location.path())
}

/// Returns the directory that these settings name, by a path that does not depend on the working directory.
pub fn directory(settings: &Settings) -> PathBuf {
    location::absolute(settings)
}

/// How a connection came to its cassette. It leads to another cassette if the connection's first statement names a
/// trace, and to the part of a forked child that goes on with the connection.
#[derive(Clone)]
pub struct Origin {
    settings: Settings,
    /// The real driver's library, while recording.
    library: Option<&'static Library>,
    /// Whether nobody named the trace.
    unnamed: bool,
    action: Action,
}

/// Returns the origin of a connection with these settings.
pub fn origin(settings: &Settings, action: Action, library: Option<&'static Library>) -> Origin {
    // A child may have changed its working directory.
    let cassette = settings.cassette.clone().unwrap_or_default();
    let cassette = Some(CassetteName { path: location::absolute(settings), ..cassette });
    let settings = Settings { cassette, ..settings.clone() };
    let location = match action {
        Action::Record => CassetteLocation::to_record(&settings, &variable),
        Action::Forward | Action::Replay => CassetteLocation::to_replay(&settings, &variable),
    };
    let unnamed = action != Action::Forward && location.is_ok_and(|location| !location.is_named());
    Origin { settings, library, unnamed, action }
}

impl Origin {
    /// Returns whether the connection's first statement may name the trace that it belongs to.
    pub fn is_open(&self) -> bool {
        self.unnamed
    }

    /// Returns whether cassettes that are inserted from now on change the name of the cassette.
    pub fn follows_inserted(&self) -> bool {
        self.settings.cassette.as_ref().is_some_and(|name| !name.by_connection)
    }

    /// Returns whether the name may change by itself, with the running test or with a variable.
    pub fn changes_by_itself(&self) -> bool {
        self.settings.cassette.as_ref().is_some_and(|name| name.again.is_some())
    }

    /// Returns where the connection would go now, if that is a cassette other than this one and the action is the same
    /// there.
    pub fn elsewhere(&self) -> Option<Origin> {
        let own = self.settings.cassette.as_ref()?;
        let inserted = if own.by_connection { None } else { inserted::settings() };
        let settings = match inserted {
            Some(top) => {
                let name = top.cassette?;
                let again = own.again.clone();
                Settings {
                    mode: top.mode,
                    hold: false,
                    cassette: Some(CassetteName { again, ..name }),
                    ..self.settings.clone()
                }
            }
            // A name that cannot be filled in now stays as it is.
            None => {
                let name = own.again.as_ref()?.cassette().ok()??;
                let name = CassetteName { by_connection: own.by_connection, ..name };
                Settings { cassette: Some(name), ..self.settings.clone() }
            }
        };
        let is_same = location::absolute(&settings) == own.path && settings.test() == self.settings.test();
        let next = action(&settings).ok().filter(|_| !is_same)?;
        match (self.action, next) {
            (Action::Record, Action::Replay) => action::share_a_connection(&location::absolute(&settings)),
            (Action::Replay, Action::Record) => action::share_a_connection(&own.path),
            _ => {}
        }
        (next == self.action).then(|| origin(&settings, self.action, self.library))
    }

    /// Returns whether there is a cassette in which a connect like this was recorded.
    pub fn has_connect(&self, connect: &Entry) -> bool {
        let Ok(location) = CassetteLocation::to_replay(&self.settings, &variable) else { return true };
        // Trouble with the cassette is reported when the connection goes on there.
        location.directory().exists()
            && open_player(&location, &self.settings, false).map_or(true, |player| player.knows_connect(connect))
    }

    /// Returns the cassette or its test, for people.
    pub fn shown(&self) -> String {
        let name = self.settings.cassette.clone().unwrap_or_default();
        name.test.map_or_else(|| name.path.display().to_string(), |test| test.id)
    }

    /// Returns where the cassette's warnings go.
    pub fn log(&self) -> Option<&Path> {
        self.settings.log.as_deref()
    }

    /// Returns the recorder of this process, in the trace that a statement named.
    ///
    /// # Errors
    /// As [`recorder`].
    pub fn recorder(&self, trace: Option<&Traceparent>) -> Result<Arc<Recorder>, NoCassette> {
        verdict::goes_to(self.settings.verdict.as_deref());
        let library = self.library.ok_or_else(|| NoCassette("record: no driver is loaded".to_owned()))?;
        let location = CassetteLocation::to_record(&self.settings, &variable)
            .map_err(|error| NoCassette(format!("record: {error}")))?;
        recorder_of(&location.in_trace(trace), &self.settings, library).map(|(recorder, _)| recorder)
    }

    /// Returns the player of this process, of the trace that a statement named.
    ///
    /// # Errors
    /// As [`player`].
    pub fn player(&self, trace: Option<&Traceparent>) -> Result<Arc<Player>, NoCassette> {
        verdict::goes_to(self.settings.verdict.as_deref());
        let location = CassetteLocation::to_replay(&self.settings, &variable)
            .map_err(|error| NoCassette(format!("replay: {error}")))?;
        inserted::connects(&location::absolute(&self.settings));
        player_of(&location.in_trace(trace), &self.settings)
    }
}

/// A recorder, and the driver's facts if `metadata.yml` names another driver.
type Recording = (Arc<Recorder>, Option<DriverFacts>);

/// Returns the recorder of the cassette that these settings name, and the driver's facts if `metadata.yml` names
/// another driver.
///
/// # Errors
/// The directory is not a cassette, is being recorded by another process, or cannot be written.
pub fn recorder(settings: &Settings, library: &Library) -> Result<Recording, NoCassette> {
    let location =
        CassetteLocation::to_record(settings, &variable).map_err(|error| NoCassette(format!("record: {error}")))?;
    recorder_of(&location, settings, library)
}

fn recorder_of(location: &CassetteLocation, settings: &Settings, library: &Library) -> Result<Recording, NoCassette> {
    ending::at_exit();
    let (path, test) = (location.path(), settings.test().cloned());
    eject::begin_attempt(&path, test.as_ref());
    if !RECORDERS.get().lock().contains_key(&path) {
        eject::end_others(test.as_ref());
    }
    let facts = DriverFacts {
        library: file_name(library.path()),
        kind: if library.kind() == Kind::Unicode { "unicode" } else { "ansi" }.to_owned(),
    };
    let mut recorders = RECORDERS.get().lock();
    if let Some(open) = recorders.get(&path) {
        if let (Some(recorded), Some(test)) = (&open.test, &test)
            && recorded.id != test.id
        {
            let recorded = Metadata { test: Some(recorded.id.clone()), ..Metadata::now(None, None) };
            eject::check(&path, &recorded, Some(test)).map_err(|error| NoCassette(format!("record: {error}")))?;
        }
        let other = (open.driver.as_ref() != Some(&facts)).then_some(facts);
        return Ok((Arc::clone(&open.cassette), other));
    }
    let rules = hidden::rules(settings).map_err(|error| NoCassette(format!("record: {error}")))?;
    let redaction = rules.as_ref().filter(|rules| rules.redacts()).map(|rules| rules.fingerprint().to_owned());
    let answers: Vec<String> = rules.iter().flat_map(|rules| rules.answers().patterns()).map(str::to_owned).collect();
    let volatile = rules.iter().flat_map(|rules| rules.volatile().written()).cloned().collect();
    let manager = crate::driver::process::facts().manager.as_deref().map(file_name);
    // What somebody set in the previous cassette holds until a setting says otherwise.
    let previous = match location.read().and_then(|store| Ok((store.metadata()?, store))) {
        Ok(previous) => Some(previous),
        Err(error) if has_own_keys(&error) => {
            verdict::unwritable(&path, &error.to_string());
            return Err(NoCassette(format!(
                "record: {error}; recording again would lose what you set in this file: correct it, or remove it"
            )));
        }
        Err(_) => None,
    };
    let kept = previous.as_ref().map(|(metadata, _)| metadata);
    if let Some(Err(error)) = kept.map(|kept| eject::check(&path, kept, test.as_ref())) {
        verdict::unwritable(&path, &error);
        return Err(NoCassette(format!("record: {error}")));
    }
    let order = settings.order.or(kept.map(|kept| kept.order)).unwrap_or_default();
    let more = kept.map(Metadata::own_keys).unwrap_or_default();
    let named = test.as_ref().map(|test| test.id.clone());
    let metadata = Metadata {
        order,
        redaction,
        answers,
        volatile,
        more,
        test: named,
        ..Metadata::now(Some(facts.clone()), manager)
    };
    let store = location.record(metadata, crate::append::in_memory_map()).map_err(|error| {
        verdict::unwritable(&path, &error.to_string());
        NoCassette(format!("record: {error}"))
    })?;
    let recorder = Recorder::with_store(store, order, settings.inline_rows);
    recorder.hide(Arc::clone(secrets()));
    recorder.share(Arc::clone(KNOWN.get_or_init(|_| Arc::default())));
    let inserted = inserted::connects(&location::absolute(settings));
    if settings.hold || inserted {
        recorder.hold();
    }
    if ending::is_ending() {
        recorder.publish_at_end().map_err(|error| NoCassette(format!("record: {error}")))?;
    }
    if let Some(rules) = rules {
        recorder.answers(rules.answers().clone());
        if rules.redacts() {
            recorder.redact(rules);
        }
    }
    if let Some(Err(error)) = previous.map(|(_, store)| recorder.keep(&*store)) {
        let lost = "what was named volatile in the cassette before cannot be read, and is gone when it is replaced";
        say(settings.log.as_deref(), format_args!("super8: record: {lost}: {error}"));
    }
    let attempt = test.map_or(1, |test| test.attempt);
    let _ = verdict::opened("record", &path, location.format().name(), attempt);
    recorders.insert(path, Open { driver: Some(facts), inserted, ..Open::now(&recorder, settings) });
    Ok((recorder, None))
}

/// Returns whether an error is about metadata that somebody may have edited: the file exists but cannot be understood.
fn has_own_keys(error: &CassetteError) -> bool {
    let is_metadata = error.file().file_name().is_some_and(|name| name == "metadata.yml");
    let unreadable = !matches!(error.kind(), ErrorKind::Io(std::io::ErrorKind::NotFound));
    is_metadata && unreadable && std::fs::metadata(error.file()).is_ok_and(|file| file.len() > 0)
}

/// Returns the player of the cassette that these settings name.
///
/// # Errors
/// There is no such cassette, or it is incomplete, newer than this version, or unreadable.
pub fn player(settings: &Settings) -> Result<Arc<Player>, NoCassette> {
    let location =
        CassetteLocation::to_replay(settings, &variable).map_err(|error| NoCassette(format!("replay: {error}")))?;
    player_of(&location, settings)
}

/// Returns that player before anybody connects, to be asked about the environment. Connections may lead elsewhere.
pub fn player_of_environment(settings: &Settings) -> Option<Arc<Player>> {
    open_player(&CassetteLocation::to_replay(settings, &variable).ok()?, settings, false).ok()
}

fn player_of(location: &CassetteLocation, settings: &Settings) -> Result<Arc<Player>, NoCassette> {
    open_player(location, settings, true).map_err(|error| {
        let path = location.path();
        let is_absent = matches!(super8_cassette::state(&path), Ok(super8_cassette::State::Absent));
        let advice = if is_absent { started::advice_to_record(settings) } else { String::new() };
        unplayable(&path, format!("replay: {error}{advice}"))
    })
}

fn open_player(location: &CassetteLocation, settings: &Settings, meant: bool) -> Result<Arc<Player>, String> {
    ending::at_exit();
    let (path, test) = (location.path(), settings.test().cloned());
    eject::begin_attempt(&path, test.as_ref());
    if !PLAYERS.get().lock().contains_key(&path) {
        eject::end_others(test.as_ref());
    }
    let mut players = PLAYERS.get().lock();
    if !players.contains_key(&path) {
        let usual = PlayOptions::default();
        let options = PlayOptions {
            order: settings.order,
            report: settings.log.as_ref().map(|log| log.display().to_string()),
            wait: settings.wait.unwrap_or(usual.wait),
            comments: settings.comments == Comments::Keep,
            started: Some(started::ADVICE),
            fits: Some(crate::convert::fits_named),
            faults: settings.faults.clone(),
            tell_fault: Some(tell_fault),
        };
        let parts = parts::to_replay(location.directory()).into_iter().map(|part| CassetteLocation::at(part, settings));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let read = |location: &CassetteLocation| location.read().map_err(|error| error.to_string());
        let player = match parts.as_slice() {
            [] => Player::open(read(location)?, options),
            parts => {
                let stores = parts.iter().map(read).collect::<Result<Vec<_>, _>>()?;
                let attempt = test.as_ref().map_or(1, |test| test.attempt);
                Player::with_parts(stores, Arc::new(PlayingProcesses { attempt }), options)
            }
        };
        let player = player.map_err(|error| error.to_string())?;
        eject::check(&path, player.metadata(), test.as_ref())?;
        player.hide(Arc::clone(secrets()));
        if let Some(recorded) = &player.metadata().redaction {
            player.redact(hidden::rules_like(settings, recorded)?);
        }
        players.insert(path.clone(), Open::now(&player, settings));
    }
    let open = players.get_mut(&path).ok_or("the cassette is gone")?;
    if meant && !open.meant {
        if verdict::opened("replay", &path, location.format().name(), 1) == Delivery::Failed {
            return Err(UNWATCHED.to_owned());
        }
        open.meant = true;
        let parts = open.cassette.parts();
        if !parts.is_empty() {
            verdict::parts(&path, &parts);
        }
    }
    Ok(Arc::clone(&open.cassette))
}

/// Notes in the verdict what happens with a fault, or writes it to the log if nobody watches.
fn tell_fault(cassette: &Path, news: &FaultNews) {
    let FaultNews { what, fault, text, .. } = news;
    if verdict::fault(cassette, news) != Delivery::Written {
        say(None, format_args!("super8: replay: fault {fault}: {}: {text}", what.name().replace('_', " ")));
    }
}

/// Notes in the verdict that a connect fails because there is nothing to replay.
fn unplayable(directory: &Path, message: String) -> NoCassette {
    let _ = verdict::mismatch(directory, &message, &message, None);
    NoCassette(message)
}

/// Notes the first mismatch of a replayed cassette. Returns where its report goes, if not to standard error.
pub fn mismatched(cassette: &Path, report: &str) -> Option<PathBuf> {
    let mut players = PLAYERS.get().lock();
    let of =
        |(path, open): &(&PathBuf, &mut Open<Player>)| path.as_path() == cassette || open.cassette.name() == cassette;
    let (_, open) = players.iter_mut().find(of)?;
    open.report = Some(report.to_owned());
    open.log.clone()
}

/// Notes in the verdict that every command of a replayed cassette, or of each of these parts, is played.
pub fn finished(player: &Arc<Player>, parts: &[PathBuf]) {
    let cassette =
        PLAYERS.get().lock().iter().find(|(_, open)| Arc::ptr_eq(&open.cassette, player)).map(|(path, _)| path.clone());
    // A cassette that was ejected was judged then.
    if let Some(cassette) = cassette {
        verdict::finished(&cassette, parts);
    }
}
