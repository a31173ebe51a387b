//! A cassette of several processes at replay. A process does not know which part is its own: parts of equal processes begin
//! alike, and the processes may start in any order. So it plays a part whose commands agree so far, and where the parts go
//! on differently it takes one that goes on with what is asked.
//!
//! Each part is played once, whatever process takes it. That is counted in groups: wherever parts go on differently, those
//! that go on alike are a group, and no more processes may enter it than it has parts ([`Tickets`]). The groups lie within
//! each other, so that a process inside one always finds a part in the end, and none has to give way to another.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::answers::Answers;
use super::columns::Columns;
use super::connects::Connects;
use super::cursor::Next;
use super::facts::Facts;
use super::log_player::LogPlayer;
use super::mismatch::Scene;
use super::sources::{Choosing, Source, Step};
use super::state::State;
use crate::metadata::Order;
use crate::store::Store;
use crate::{CassetteError, Entry, Method};

impl LogPlayer {
    /// Before a step: takes a part that goes on with what is asked, where the parts that may be this process's differ.
    pub(super) fn choose(&self, state: &mut State, asked: &Entry) -> Result<Option<Step>, Scene> {
        let Some(mut choosing) = state.choosing.take() else { return Ok(None) };
        let chosen = self.choose_among(&mut choosing, state, asked);
        state.choosing = Some(choosing);
        chosen
    }

    fn choose_among(&self, choosing: &mut Choosing, state: &mut State, asked: &Entry) -> Result<Option<Step>, Scene> {
        let sources = &*self.storage.0;
        if !choosing.entered {
            if !choosing.tickets.take(&self.group(&choosing.left), choosing.left.len()) {
                let parts = match choosing.left.len() {
                    0 => "the cassette has no part for it".to_owned(),
                    count => format!("the {count} parts of the cassette are taken by others"),
                };
                let process = crate::process::id();
                let error =
                    CassetteError::new(self.storage.name(), format!("process {process} is one too many: {parts}"));
                return Err(error.advice("run the command as it was recorded, or record again").into());
            }
            choosing.entered = true;
        }
        if choosing.left.len() < 2 {
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
                && choosing.tickets.take(&self.group(&group), group.len())
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

    /// After a step that was played though no part had it next: what differs from the part that had it is no choice any more.
    pub(super) fn chosen(&self, state: &mut State, step: Option<Step>) -> Result<(), CassetteError> {
        let (Some(step), Some(choosing)) = (step, state.choosing.as_mut()) else { return Ok(()) };
        let sources = &*self.storage.0;
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

    /// The names of the parts; none for the cassette of a single process.
    pub(super) fn parts(&self) -> Vec<PathBuf> {
        if self.state.lock().choosing.is_none() {
            return Vec::new();
        }
        self.storage.0.all.iter().map(Source::name).collect()
    }

    fn group(&self, parts: &[usize]) -> String {
        let sources = &*self.storage.0;
        let names = parts.iter().map(|part| sources.all[*part].storage.name().display().to_string());
        let mut names: Vec<String> = names.collect();
        // whatever comes first for a process
        names.sort();
        names.join("\n")
    }

    /// The step that is next for what is asked, in the part that is played.
    fn step_of(&self, state: &mut State, asked: &Entry) -> Result<Option<Step>, CassetteError> {
        let of = match (self.order, asked.method) {
            (Order::Global, _) => None,
            (Order::Connection | Order::Any, Method::Connect) => match state.sessions.free().next() {
                Some(connect) => Some(connect.connection),
                None => return Ok(None),
            },
            (Order::Connection | Order::Any, _) => Some(asked.connection),
        };
        let cursor = match of {
            None => &mut state.whole,
            Some(connection) => state.cursor(self.order, &self.index, connection),
        };
        let commands = self.storage.0.current().commands(of);
        let number = match cursor.next(&self.index, &*self.storage)? {
            Next::Command { position, .. } | Next::Rows { position, .. } => {
                commands.partition_point(|command| *command < position)
            }
            Next::End => commands.len(),
        };
        Ok(Some(Step { of, number }))
    }

    /// Goes on with another part, which is the same so far.
    fn turn_to(&self, state: &mut State, part: usize) -> Result<(), CassetteError> {
        let sources = &*self.storage.0;
        let (from, to) = (sources.current(), &sources.all[part]);
        state.whole = from.moved(to, &state.whole, None);
        state.cursors = state.cursors.iter().map(|(of, cursor)| (*of, from.moved(to, cursor, Some(*of)))).collect();
        state.sessions.turn_to(Connects::read(&to.index, &*to.storage)?);
        (state.answers, state.columns) = (Answers::default(), Columns::default());
        state.facts = Facts::default();
        sources.current.store(part, Ordering::Release);
        Ok(())
    }

    /// Which part this process was, for good: see [`super::Player::settle`].
    pub(super) fn settle(&self) -> Result<Option<&dyn Store>, CassetteError> {
        let state = &mut *self.state.lock();
        let Some(choosing) = state.choosing.take() else { return Ok(None) };
        if !choosing.entered {
            state.choosing = Some(choosing);
            return Ok(None);
        }
        let sources = &*self.storage.0;
        let mut left = Vec::new();
        for part in &choosing.left {
            if *part != sources.current.load(Ordering::Acquire) {
                self.turn_to(state, *part)?;
            }
            left.push((!self.left_unplayed(state)?.is_empty(), *part));
        }
        left.sort();
        let free = |(_, part): &&(bool, usize)| {
            let name = format!("{}\nfor good", self.group(&[*part]));
            choosing.tickets.take(&name, 1)
        };
        let (_, part) = left.iter().find(free).or(left.first()).copied().unwrap_or_default();
        if part != sources.current.load(Ordering::Acquire) {
            self.turn_to(state, part)?;
        }
        state.choosing = Some(Choosing { left: vec![part], ..choosing });
        Ok(Some(&*self.storage))
    }
}
