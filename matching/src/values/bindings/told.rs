//! What the processes of a run tell each other of bound values: a value means the same in all parts of a cassette.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::table::{BoundValue, Name, Table};
use crate::values::spellings::canonical;
use super8_cassette::process::Processes;
use super8_cassette::volatile_rules::Kind;

/// How the processes of a run share what they bind.
#[derive(Debug)]
pub(super) struct Shared {
    processes: Arc<dyn Processes>,
    /// Tells the cassettes of a run apart.
    cassette: String,
    /// Tells the players of a process apart.
    number: u32,
    /// How many bytes of what the processes tell are known.
    known: Mutex<u64>,
}

impl Shared {
    pub(super) fn new(processes: Arc<dyn Processes>, cassette: &Path, number: u32) -> Shared {
        Shared { processes, cassette: cassette.display().to_string(), number, known: Mutex::default() }
    }

    /// Tells the processes and players of the run apart.
    fn id(&self) -> String {
        format!("{}.{}", super8_cassette::process::id(), self.number)
    }

    /// Tells the other processes.
    pub(super) fn tell(&self, told: &Told) {
        // a value that cannot be written is not shared
        serde_json::to_string(told).iter().for_each(|line| self.processes.tell(line));
    }

    /// Returns what other processes have told since the last time.
    pub(super) fn heard(&self) -> Vec<Told> {
        let mut known = self.known.lock();
        let (lines, now) = self.processes.told(*known);
        *known = now;
        let own = self.id();
        let heard = lines.iter().filter_map(|line| serde_json::from_str::<Told>(line).ok());
        heard.filter(|told| told.cassette == self.cassette && told.process != own).collect()
    }
}

/// What a process of a run tells the others of a bound value.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum What {
    /// It has bound it.
    Binds,
    /// It has used it, and another process has bound it.
    Uses,
    /// It had bound it for a connection that turns out to have another recorded value there.
    Withdraws,
}

/// A bound value as one process of a run tells it to the others.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Told {
    pub(super) what: What,
    /// Tells the processes apart.
    pub(super) process: String,
    pub(super) cassette: String,
    /// The rule `same` that bound it.
    rule: Option<usize>,
    /// The name of its kind.
    pub(super) kind: Option<String>,
    recorded: String,
    live: String,
    /// The recorded value that has the live one instead, if it is withdrawn.
    instead: String,
    place: String,
    /// Whether it is a part of an SQL text that is marked by hand.
    is_part: bool,
}

impl Told {
    /// Returns what is told of a value that a rule, or none, has bound.
    pub(super) fn of(what: What, (rule, bound): (Option<usize>, &BoundValue), shared: &Shared, instead: &str) -> Told {
        Told {
            what,
            process: shared.id(),
            cassette: shared.cassette.clone(),
            rule,
            kind: bound.kind.map(|kind| kind.name().to_owned()),
            recorded: bound.recorded.clone(),
            live: bound.live.clone(),
            instead: instead.to_owned(),
            place: bound.place.clone(),
            is_part: false,
        }
    }

    /// Returns all values that a table has, which were bound at `place`.
    pub(super) fn all(table: &Table, shared: &Shared, place: &str) -> Vec<Told> {
        let own = |rule: Option<usize>, table: &Table| -> Vec<Told> {
            let told = |bound: &BoundValue| Told {
                place: format!("{} of {place}", bound.place),
                is_part: table.parts.iter().any(|(part, _)| *part == bound.recorded),
                ..Told::of(What::Binds, (rule, bound), shared, "")
            };
            table.values.values().map(told).collect()
        };
        let same = table.same.iter().enumerate().flat_map(|(rule, table)| own(Some(rule), table));
        own(None, table).into_iter().chain(same).collect()
    }

    fn kind(&self) -> Option<Kind> {
        let all = [&Kind::ALL[..], &[Kind::Number]].concat();
        all.into_iter().find(|kind| Some(kind.name()) == self.kind.as_deref())
    }

    /// Returns the rule that bound it and the recorded value in its canonical spelling.
    pub(super) fn name(&self) -> Name {
        (self.rule, canonical(self.kind(), &self.recorded))
    }

    pub(super) fn live_canonical(&self) -> String {
        canonical(self.kind(), &self.live)
    }

    /// Says whether a table has it.
    pub(super) fn is_bound_in(&self, table: &Table) -> bool {
        table.bound(&self.name()).is_some_and(|bound| bound.live_canonical == self.live_canonical())
    }

    /// Binds it, unless the recorded value is bound already or another one has this live value. Says whether the table has it then.
    pub(super) fn adopt(self, table: &mut Table) -> bool {
        let (kind, (_, name), is) = (self.kind(), self.name(), self.live_canonical());
        let table = table.of_mut(self.rule);
        if let Some(bound) = table.values.get(&name) {
            return bound.live_canonical == is;
        }
        if table.standing.contains_key(&is) {
            return false;
        }
        table.add(kind, &self.recorded, &self.live, &self.place);
        if self.is_part {
            table.parts.push((self.recorded, self.live));
        }
        true
    }

    /// Returns the value that is bound instead of a withdrawn one.
    pub(super) fn into_bound(self) -> Told {
        Told { what: What::Binds, recorded: self.instead, instead: String::new(), ..self }
    }

    /// Binds the recorded value that has the live one instead to the one that is withdrawn.
    pub(super) fn rename_in(&self, moved: &mut Table) {
        moved.of_mut(self.rule).add(self.kind(), &self.instead, &self.recorded, &self.place);
    }

    /// Says in a sentence that it is withdrawn. `but` says who has used it.
    pub(super) fn text(&self, but: &str) -> String {
        let Told { recorded, live, instead, place, .. } = self;
        let instead = match self.what {
            What::Withdraws => format!("{instead:?}"),
            What::Binds | What::Uses => "another value".to_owned(),
        };
        format!(
            "{recorded:?} of the recording was {live:?} in this run, since {place}, and {but}; the connection that sent it turns out to have {instead} there"
        )
    }
}
