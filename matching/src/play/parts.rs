//! Replay of a cassette of several processes. A process does not know which part is its own: parts of equal processes
//! begin alike, and the processes may start in any order. So a process plays a part whose commands agree so far. Where
//! the parts differ, it takes one that goes on with what is asked.
//!
//! Each part is played once, by whichever process takes it. This is counted in groups: wherever parts go on differently,
//! those that go on alike form a group, and no more processes may enter a group than it has parts
//! ([`Processes`](super8_cassette::process::Processes)). The groups are nested, so a process inside one always finds a part in the end,
//! and none has to give way to another.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};

use crate::compare::mismatch::{Mismatch, Scene};
use crate::log::answers::Answers;
use crate::log::connection_info::ConnectionInfo;
use crate::log::cursor::Next;
use crate::log::rows::PlayedRun;
use crate::play::any_order::AnyOrder;
use crate::play::log_player::{Fetched, LogPlayer};
use crate::play::scroll::Scrolled;
use crate::sessions::matcher::Connects;
use crate::sessions::sources::{PartChoice, Source, Step};
use crate::sessions::state::State;
use super8_cassette::metadata::Order;
use super8_cassette::store::Store;
use super8_cassette::text::hex;
use super8_cassette::{CassetteError, ConnectionId, Entry, Method};

impl LogPlayer {
    /// Runs before a step. Where the parts that may be this process's differ, takes one that goes on with what is asked.
    pub(crate) fn narrow_parts(&self, state: &mut State, asked: &Entry) -> Result<Option<Step>, Scene> {
        let Some(mut choosing) = state.choosing.take() else { return Ok(None) };
        let chosen = self.narrow_among(&mut choosing, state, asked);
        state.choosing = Some(choosing);
        chosen
    }

    fn narrow_among(&self, choosing: &mut PartChoice, state: &mut State, asked: &Entry) -> Result<Option<Step>, Scene> {
        let sources = &*self.store.0;
        if !choosing.entered {
            if !choosing.processes.take(&self.group(&choosing.left), choosing.left.len()) {
                let parts = match choosing.left.len() {
                    0 => "the cassette has no part for it".to_owned(),
                    count => format!("the {count} parts of the cassette are taken by others"),
                };
                let process = super8_cassette::process::id();
                let error =
                    CassetteError::new(self.store.name(), format!("process {process} is one too many: {parts}"));
                return Err(error.advice("run the command as it was recorded, or record again").into());
            }
            choosing.entered = true;
        }
        if choosing.left.len() < 2 {
            return Ok(None);
        }
        if self.order == Order::Any {
            let mut offers = Vec::new();
            for part in &choosing.left {
                let source = &sources.all[*part];
                let connects = Connects::read(&source.index, &*source.store)?;
                let groups = connects.agreeing(asked);
                let first = connects.from(0).iter().find(|connect| groups.contains(&connect.group));
                let entry = first.map(|first| source.store.checked_entry(source.index.slot(first.position).place()));
                offers.extend(entry.transpose()?.map(|entry| (*part, vec![entry])));
            }
            self.go_on_with(choosing, state, offers)?;
            return Ok(None);
        }
        let (connection, statement) = state.recorded(asked.connection, asked.statement);
        let asked = &Entry { connection, statement, ..asked.clone() };
        let Some(step) = self.step_of(state, asked)? else { return Ok(None) };
        let mut groups: Vec<Vec<usize>> = Vec::new();
        'parts: for part in &choosing.left {
            for group in &mut groups {
                if sources.all[group[0]].is_like(&sources.all[*part], step)? {
                    group.push(*part);
                    continue 'parts;
                }
            }
            groups.push(vec![*part]);
        }
        if groups.len() == 1 {
            return Ok(None);
        }
        for group in groups {
            if sources.all[group[0]].agrees(step, asked, &self.comparison)?
                && choosing.processes.take(&self.group(&group), group.len())
            {
                if !group.contains(&sources.current.load(Ordering::Acquire)) {
                    self.turn_to(state, group[0])?;
                }
                choosing.left = group;
                return Ok(None);
            }
        }
        Ok(Some(step))
    }

    /// Goes on with the parts that serve the same for what is asked. If there are several such groups, takes the first
    /// that has room. If none has, changes nothing, and the current part reports what is wrong.
    fn go_on_with(
        &self,
        choosing: &mut PartChoice,
        state: &mut State,
        offers: Vec<(usize, Vec<Entry>)>,
    ) -> Result<(), CassetteError> {
        let sources = &*self.store.0;
        let mut groups: Vec<(Vec<usize>, Vec<Entry>)> = Vec::new();
        'offers: for (part, mut offer) in offers {
            // the inputs are known to agree
            offer.iter_mut().for_each(|entry| entry.fields.retain(|(key, _)| key.is_reply()));
            for (group, known) in &mut groups {
                if sources.all[group[0]].serves_like(known, &sources.all[part], &offer)? {
                    group.push(part);
                    continue 'offers;
                }
            }
            groups.push((vec![part], offer));
        }
        for (group, _) in groups {
            if group.len() == choosing.left.len() {
                return Ok(());
            }
            if choosing.processes.take(&self.group(&group), group.len()) {
                if !group.contains(&sources.current.load(Ordering::Acquire)) {
                    self.turn_to(state, group[0])?;
                }
                choosing.left = group;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Runs after a step that was played although no part had it next. Drops the parts that differ in this step from the part
    /// that played it. If the same step is still next, no part has served anything that the others would not, and all stay.
    pub(crate) fn chosen(&self, state: &mut State, step: Option<Step>) -> Result<(), CassetteError> {
        let Some(step) = step else { return Ok(()) };
        if self.number(state, step.of)? == step.number {
            return Ok(());
        }
        let Some(choosing) = state.choosing.as_mut() else { return Ok(()) };
        let sources = &*self.store.0;
        let current = sources.current();
        let mut left = Vec::new();
        for part in &choosing.left {
            if current.is_like(&sources.all[*part], step)? {
                left.push(*part);
            }
        }
        choosing.left = left;
        Ok(())
    }

    /// Returns the names of the parts. The cassette of a single process has none.
    pub(crate) fn parts(&self) -> Vec<PathBuf> {
        if self.state.read().choosing.is_none() {
            return Vec::new();
        }
        self.store.0.all.iter().map(Source::name).collect()
    }

    /// Returns a name for these parts: a digest, because every process of a run reads the names that all of them asked for.
    fn group(&self, parts: &[usize]) -> String {
        let sources = &*self.store.0;
        let names = parts.iter().map(|part| sources.all[*part].store.name().display().to_string());
        let mut names: Vec<String> = names.collect();
        // the name must not depend on which part a process met first
        names.sort();
        hex(&Sha256::digest(names.join("\n")))
    }

    /// Returns the step that comes next for what is asked, in the current part.
    fn step_of(&self, state: &mut State, asked: &Entry) -> Result<Option<Step>, CassetteError> {
        let of = match (self.order, asked.method) {
            (Order::Global, _) => None,
            (Order::Connection | Order::Any, Method::Connect) => match state.sessions.free().next() {
                Some(connect) => Some(connect.connection),
                None => return Ok(None),
            },
            (Order::Connection | Order::Any, _) => Some(asked.connection),
        };
        Ok(Some(Step { of, number: self.number(state, of)? }))
    }

    /// Returns the number of the command that comes next in the current part.
    fn number(&self, state: &mut State, of: Option<ConnectionId>) -> Result<usize, CassetteError> {
        let cursor = match of {
            None => &mut state.whole,
            Some(connection) => state.cursor(self.order, &self.index, connection),
        };
        let commands = self.store.0.current().commands(of);
        Ok(match cursor.next(&self.index, &*self.store)? {
            Next::Command { position, .. } | Next::Rows { position, .. } => {
                commands.partition_point(|command| *command < position)
            }
            Next::End => commands.len(),
        })
    }

    /// Switches to another part, which is the same so far.
    fn turn_to(&self, state: &mut State, part: usize) -> Result<(), CassetteError> {
        let sources = &*self.store.0;
        let (from, to) = (sources.current(), &sources.all[part]);
        state.whole = from.moved(to, &state.whole, None);
        for (of, lane) in state.lanes_mut() {
            lane.cursor = from.moved(to, &lane.cursor, Some(of));
            lane.answers = Answers::default();
        }
        state.sessions.turn_to(Connects::read(&to.index, &*to.store)?);
        self.columns.forget();
        state.connection_info = ConnectionInfo::default();
        sources.current.store(part, Ordering::Release);
        Ok(())
    }

    /// Decides for good which part this process played: see [`crate::Player::decide_part`]. `unplayed` says whether anything
    /// of the current part is left.
    pub(crate) fn decide_part(
        &self,
        unplayed: impl Fn(&mut State) -> Result<bool, CassetteError>,
    ) -> Result<Option<&dyn Store>, CassetteError> {
        let state = &mut *self.state.write();
        let Some(choosing) = state.choosing.take() else { return Ok(None) };
        if !choosing.entered {
            state.choosing = Some(choosing);
            return Ok(None);
        }
        let sources = &*self.store.0;
        let mut left = Vec::new();
        for part in &choosing.left {
            if *part != sources.current.load(Ordering::Acquire) {
                self.turn_to(state, *part)?;
            }
            left.push((unplayed(state)?, *part));
        }
        left.sort();
        let free = |(_, part): &&(bool, usize)| {
            let name = format!("{}\nfor good", self.group(&[*part]));
            choosing.processes.take(&name, 1)
        };
        let (_, part) = left.iter().find(free).or(left.first()).copied().unwrap_or_default();
        if part != sources.current.load(Ordering::Acquire) {
            self.turn_to(state, part)?;
        }
        state.choosing = Some(PartChoice { left: vec![part], ..choosing });
        Ok(Some(&*self.store))
    }
}

/// The units of each part of a cassette, under `order: any`. Every part that may be this process's plays along with
/// what the process asks. The process gets only what all of them serve.
pub(crate) struct UnitsOfParts {
    parts: Vec<AnyOrder>,
    /// Whether a single part is left.
    is_decided: AtomicBool,
    /// While several parts are left, only one thread at a time plays, so that the parts stay alike.
    one: Mutex<()>,
}

/// The units that play a request: those of the current part, and those of the other parts that may be this process's.
struct Chosen<'p> {
    current: &'p AnyOrder,
    others: Vec<&'p AnyOrder>,
    _one: Option<MutexGuard<'p, ()>>,
}

impl UnitsOfParts {
    /// Reads the units of all parts.
    pub(crate) fn read(log: &LogPlayer) -> Result<UnitsOfParts, CassetteError> {
        let parts = 0..log.store.0.all.len();
        let parts = parts.map(|part| AnyOrder::read(log, part)).collect::<Result<_, _>>()?;
        Ok(UnitsOfParts { parts, is_decided: AtomicBool::new(false), one: Mutex::new(()) })
    }

    /// Returns the units of all parts.
    pub(crate) fn all(&self) -> &[AnyOrder] {
        &self.parts
    }

    /// Returns the units of the current part.
    pub(crate) fn current(&self, log: &LogPlayer) -> &AnyOrder {
        &self.parts[log.store.0.current.load(Ordering::Acquire)]
    }

    /// Chooses the units that play what is asked.
    fn part_for(&self, log: &LogPlayer, asked: &Entry) -> Result<Chosen<'_>, Mismatch> {
        let decided = || Chosen { current: self.current(log), others: Vec::new(), _one: None };
        if self.parts.len() == 1 || self.is_decided.load(Ordering::Acquire) {
            return Ok(decided());
        }
        let one = self.one.lock();
        let left = log.state.read().choosing.as_ref().map(|choosing| choosing.left.clone()).unwrap_or_default();
        if left.len() < 2 {
            self.is_decided.store(left.len() == 1, Ordering::Release);
            return Ok(decided());
        }
        let offers = left.iter().map(|part| Ok((*part, self.parts[*part].offer(log, asked)?)));
        let offers: Result<Vec<_>, CassetteError> = offers.collect();
        let state = &mut *log.state.write();
        let Some(mut choosing) = state.choosing.take() else { return Ok(decided()) };
        let chosen = offers.and_then(|offers| {
            let offers = offers.into_iter().filter_map(|(part, offer)| Some((part, offer?))).collect();
            log.go_on_with(&mut choosing, state, offers)
        });
        let current = log.store.0.current.load(Ordering::Acquire);
        let others = choosing.left.iter().filter(|part| **part != current).map(|part| &self.parts[*part]).collect();
        state.choosing = Some(choosing);
        match chosen {
            Ok(()) => Ok(Chosen { current: &self.parts[current], others, _one: Some(one) }),
            Err(error) => Err(log.stuck(state, asked, error.into())),
        }
    }

    /// Plays a command under `order: any`.
    pub(crate) fn command(&self, log: &LogPlayer, asked: &Entry) -> Result<Entry, Mismatch> {
        let chosen = self.part_for(log, asked)?;
        let entry = chosen.current.command(log, asked)?;
        for other in &chosen.others {
            other.command(log, asked)?;
        }
        Ok(entry)
    }

    /// Plays a fetch; `None` if the statement is not in a unit.
    pub(crate) fn fetch(&self, log: &LogPlayer, asked: &Entry) -> Option<Result<Fetched, Mismatch>> {
        let fetched = |Chosen { current, others, _one }: Chosen<'_>| {
            let (player, connection, statement) = current.place(asked.connection, asked.statement?)?;
            Some(log.adopt(player.fetch(connection, statement)).and_then(|fetched| {
                let progress = if let Fetched::Rows(run) = &fetched { Some(run.progress()) } else { None };
                others.iter().try_for_each(|other| other.follow(log, asked, progress.as_ref()))?;
                Ok(fetched)
            }))
        };
        match self.part_for(log, asked) {
            Ok(chosen) => fetched(chosen),
            Err(mismatch) => Some(Err(mismatch)),
        }
    }

    /// Plays a scroll; `None` if the statement is not in a unit.
    pub(crate) fn scroll(&self, log: &LogPlayer, asked: &Entry) -> Option<Result<Scrolled, Mismatch>> {
        let scrolled = |Chosen { current, others, _one }: Chosen<'_>| {
            let (player, connection, statement) = current.place(asked.connection, asked.statement?)?;
            let own = Entry { connection, statement: Some(statement), ..asked.clone() };
            Some(log.adopt(player.scroll(&own)).and_then(|scrolled| {
                let progress = scrolled.rows.as_ref().map(PlayedRun::progress);
                others.iter().try_for_each(|other| other.follow(log, asked, progress.as_ref()))?;
                Ok(scrolled)
            }))
        };
        match self.part_for(log, asked) {
            Ok(chosen) => scrolled(chosen),
            Err(mismatch) => Some(Err(mismatch)),
        }
    }

    /// Says whether the last command of a part may have been played.
    pub(crate) fn are_near_the_end(&self) -> bool {
        self.parts.iter().any(|units| units.player.is_near_end())
    }

    /// Says whether nothing of a part is left.
    pub(crate) fn is_all_played(&self, log: &LogPlayer, state: &mut State, part: usize) -> Result<bool, CassetteError> {
        let is_current = part == log.store.0.current.load(Ordering::Acquire);
        Ok(match is_current {
            true => self.parts[part].unplayed(log, state)?.is_empty(),
            false => self.parts[part].units_left()?.is_empty(),
        })
    }
}
