//! Which commands will fail, the news about faults for whoever judges the program, and what is known once a fault has struck.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::compare::mismatch::Armed;
use crate::compare::transactions::{Boundary, writes};
use crate::log::index::Index;
use crate::log::rows;
use crate::sessions::matcher::Session;
use super8_cassette::faults::{self, Fault, FaultRow, Place};
use super8_cassette::metadata::Order;
use super8_cassette::store::Store;
use super8_cassette::summary::summary;
use super8_cassette::text::{cut, one_line};
use super8_cassette::{CassetteError, ConnectionId, Entry, Key, Method, Value};

/// Something that happened with a fault, for whoever judges the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultNews {
    /// What happened.
    pub what: FaultEvent,
    /// The number of the command concerned.
    pub command: Option<usize>,
    /// The fault, as it was written.
    pub fault: String,
    /// The command, or what was asked, for people.
    pub text: String,
}

/// What happened with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultEvent {
    /// The command failed.
    Struck,
    /// The program asked for the failed command again and got it.
    Repeated,
    /// The program committed without repeating everything that the failure undid.
    PartialCommit,
    /// The program used a lost connection.
    UsedLost,
    /// The program asked for something that was not recorded.
    Astray,
}

impl FaultEvent {
    /// Returns the name that a verdict file uses.
    pub const fn name(self) -> &'static str {
        match self {
            FaultEvent::Struck => "struck",
            FaultEvent::Repeated => "repeated",
            FaultEvent::PartialCommit => "partial_commit",
            FaultEvent::UsedLost => "used_lost",
            FaultEvent::Astray => "astray",
        }
    }
}

/// The function that is told what happens with faults.
pub type TellFault = fn(&Path, &FaultNews);

/// The faults with which a cassette is played.
#[derive(Default)]
pub(crate) struct Faults {
    to_strike: Mutex<ToStrike>,
    /// Whether there may be any.
    are_any: bool,
    pub(crate) struck: AtomicBool,
    /// Whether a connection is lost.
    pub(crate) lost: AtomicBool,
    pub(crate) tell: Option<TellFault>,
}

#[derive(Default)]
struct ToStrike {
    armed: Vec<Armed>,
    /// The entries whose own fault has struck.
    spent: BTreeSet<u32>,
    done: Option<Done>,
}

/// What was written on a connection before a position is done for good and is not done again.
#[derive(Clone, Copy)]
pub(crate) struct Done {
    /// The live connection that did it, or one that goes on with its work. `None` if it is lost and nobody goes on yet.
    pub(crate) live: Option<ConnectionId>,
    pub(crate) connection: ConnectionId,
    pub(crate) before: u32,
}

/// What is known once a fault has struck.
#[derive(Default)]
pub(crate) struct AfterFault {
    /// The fault that struck last.
    pub(crate) fault: Option<Armed>,
    /// The session in which it struck.
    pub(crate) session: Option<Session>,
    /// How far each recorded connection was played before its cursor was moved back.
    pub(crate) reached: BTreeMap<ConnectionId, usize>,
    /// Live connections that are lost, and whether the driver reports that when it is asked.
    pub(crate) lost: BTreeMap<ConnectionId, bool>,
    /// Sessions for the next connects to go on with, and the live connections that had them.
    pub(crate) to_resume: Vec<(ConnectionId, Session)>,
    /// Live statements whose last command failed.
    pub(crate) failed: BTreeSet<(ConnectionId, u32)>,
    /// Live statements whose rows ended early.
    pub(crate) ended: BTreeSet<(ConnectionId, u32)>,
    /// Transactions in which a fault struck and that are not committed.
    pub(crate) transactions: Vec<FailedTransaction>,
    /// The places that cannot be told from the one at which the last fault struck.
    pub(crate) alike: BTreeSet<u32>,
    /// Whether all that cannot be told from the place at which the last fault struck were asked for.
    pub(crate) are_all_behind: bool,
    /// The numbers of the commands that a live connection has played of its session, if it has left out any or gone back.
    pub(crate) seen: BTreeMap<ConnectionId, BTreeSet<usize>>,
    /// The live connections at which faults struck.
    pub(crate) struck: BTreeSet<ConnectionId>,
    /// The live statement at whose row a fault struck.
    pub(crate) at_row: Option<(ConnectionId, u32)>,
    pub(crate) told: BTreeMap<FaultEvent, u32>,
}

/// A transaction in which a fault struck.
#[derive(Default)]
pub(crate) struct FailedTransaction {
    /// The live connections that work on it: the one that failed, and those that go on with its session.
    pub(crate) live: BTreeSet<ConnectionId>,
    /// What the failure undid and the program has not repeated.
    pub(crate) undone: BTreeSet<u32>,
    /// What has to be repeated together.
    pub(crate) transaction: BTreeSet<u32>,
    /// Whether it was a rollback that failed.
    pub(crate) rolls_back: bool,
}

impl AfterFault {
    /// Returns the failed transaction of a live connection, adding one if there is none.
    pub(crate) fn failed_on(&mut self, live: ConnectionId) -> &mut FailedTransaction {
        let known = self.transactions.iter().position(|failed| failed.live.contains(&live));
        let at = known.unwrap_or_else(|| {
            self.transactions.push(FailedTransaction { live: BTreeSet::from([live]), ..FailedTransaction::default() });
            self.transactions.len() - 1
        });
        &mut self.transactions[at]
    }
}

impl Faults {
    /// Finds the places of the faults in the cassette.
    pub(crate) fn new(
        wanted: &[Fault],
        tell: Option<TellFault>,
        index: &Index,
        store: &dyn Store,
    ) -> Result<Faults, CassetteError> {
        let armed = wanted.iter().map(|fault| armed(fault, index, store)).collect::<Result<Vec<_>, _>>()?;
        let to_strike = Mutex::new(ToStrike { armed, ..ToStrike::default() });
        Ok(Faults { to_strike, are_any: true, tell, ..Faults::default() })
    }

    /// Says whether any fault has struck.
    #[inline]
    pub(crate) fn have_struck(&self) -> bool {
        self.struck.load(Ordering::Relaxed)
    }

    /// Says whether there may be any faults.
    pub(crate) fn are_any(&self) -> bool {
        self.are_any
    }

    /// Takes the fault that strikes at this command, before its first row if it has any.
    pub(crate) fn at(&self, position: u32, entry: &Entry, rowless: bool) -> Option<Armed> {
        if !self.are_any {
            return None;
        }
        let ToStrike { armed, spent, .. } = &mut *self.to_strike.lock();
        if let Some(at) = armed.iter().position(|armed| armed.position == position && (armed.row == 1 || rowless)) {
            return Some(armed.remove(at));
        }
        // `super8 check` reports a fault that cannot be parsed
        let kind = faults::written(entry.get(Key::Fault)?).ok()?;
        let text = kind.name().to_owned();
        spent.insert(position).then_some(Armed { position, row: 1, kind, text })
    }

    /// Where faults are still to strike.
    pub(crate) fn to_come(&self) -> Vec<u32> {
        match self.are_any {
            true => self.to_strike.lock().armed.iter().map(|armed| armed.position).collect(),
            false => Vec::new(),
        }
    }

    /// Returns the row of a run at which a fault strikes.
    pub(crate) fn row_of(&self, position: u32) -> Option<u64> {
        if !self.are_any {
            return None;
        }
        let to_strike = self.to_strike.lock();
        to_strike.armed.iter().filter(|armed| armed.position == position).map(|armed| armed.row).min()
    }

    /// Notes what is done for good.
    pub(crate) fn note_done(&self, done: Done) {
        self.to_strike.lock().done = Some(done);
    }

    /// Returns what is done for good.
    pub(crate) fn done(&self) -> Option<Done> {
        self.to_strike.lock().done
    }

    /// Says whether playing a command again would do its work twice, because it was committed before the fault. A prepare does no work.
    pub(crate) fn is_done(&self, index: &Index, store: &dyn Store, position: u32) -> bool {
        self.done().is_some_and(|done| {
            index.slot(position).connection() == done.connection
                && position < done.before
                && index.slot(position).method != Method::Prepare
                && writes_at(index, store, position)
        })
    }

    pub(crate) fn take_at(&self, position: u32, row: u64) -> Option<Armed> {
        let armed = &mut self.to_strike.lock().armed;
        let at = armed.iter().position(|armed| armed.position == position && armed.row == row)?;
        Some(armed.remove(at))
    }
}

/// Checks that commands can be made to fail in a cassette that is played in this order, by one process or by several.
///
/// # Errors
/// They cannot.
pub fn takes_faults(name: &Path, order: Order, several: bool) -> Result<(), CassetteError> {
    let refuse = |what: &str, advice: &str| {
        Err(CassetteError::new(name, format!("a fault cannot strike in {what}")).advice(advice))
    };
    match order {
        _ if several => refuse(
            "the cassette of several processes",
            "record the process that is to be tested into a cassette of its own",
        ),
        Order::Any => refuse(
            "the order any",
            "give the replay the order connection (--order connection, or SUPER8_ORDER=connection in the environment)",
        ),
        Order::Global | Order::Connection => Ok(()),
    }
}

/// Finds a fault's place in the cassette.
fn armed(fault: &Fault, index: &Index, store: &dyn Store) -> Result<Armed, CassetteError> {
    let refuse = |problem: String| {
        Err(CassetteError::new(store.name(), format!("the fault `{fault}`: {problem}"))
            .advice("`super8 show --numbers` lists the commands"))
    };
    let Some(position) = find(fault, index, store)? else {
        let Place::Number(number) = fault.place else { return refuse("the cassette has no such command".to_owned()) };
        return refuse(match number <= index.total() {
            true => format!("{number} is an answer, which cannot fail"),
            false => "the cassette has no such command".to_owned(),
        });
    };
    let slot = index.slot(position);
    let entry = store.checked_entry(slot.place())?;
    if let Some(unfit) = fault.kind.unfit(slot.method) {
        return refuse(format!("the command is {}, and {unfit}", summary(&entry, 80)));
    }
    if !slot.method.is_rows() && fault.row != FaultRow::Number(1) {
        return refuse("the command has no rows".to_owned());
    }
    let count = if slot.method.is_rows() { rows::count(&entry) } else { Some(1) };
    let row = match (fault.row, count) {
        (FaultRow::Last, Some(count)) => count.max(1),
        (FaultRow::Number(row), Some(count)) if row > count.max(1) => {
            return refuse(format!("the command has {count} rows"));
        }
        (FaultRow::Number(row), _) => row,
        (FaultRow::Last, None) => return refuse("the cassette does not say how many rows there are".to_owned()),
    };
    Ok(Armed { position, row, kind: fault.kind.clone(), text: fault.text.clone() })
}

/// Returns the position of the command that a fault is for.
fn find(fault: &Fault, index: &Index, store: &dyn Store) -> Result<Option<u32>, CassetteError> {
    let mut commands = (0..index.len()).filter(|position| index.is_command(*position));
    Ok(match &fault.place {
        Place::Number(number) => commands.find(|position| index.ordinal(*position) == *number),
        Place::Connect(count) => index.connects().get(count - 1).copied(),
        Place::Of { connection, statement, count } => {
            let is_its = |position: &u32| {
                let slot = index.slot(*position);
                let ids = index.ids(slot.connection(), slot.statement());
                ids.0 == *connection && statement.is_none_or(|statement| ids.1 == Some(statement))
            };
            commands.filter(is_its).nth(count - 1)
        }
        Place::Sql(pattern) => {
            let mut prepared: BTreeMap<(ConnectionId, Option<u32>), u32> = BTreeMap::new();
            for position in commands {
                let slot = index.slot(position);
                let owner = (slot.connection(), slot.statement());
                let matches = match slot.method {
                    Method::Run | Method::Prepare => {
                        let entry = store.checked_entry(slot.place())?;
                        entry.get(Key::Sql).and_then(Value::as_text).is_some_and(|sql| pattern.is_match(sql))
                    }
                    _ => false,
                };
                match slot.method {
                    Method::Run if matches => return Ok(Some(position)),
                    Method::Prepare if matches => _ = prepared.entry(owner).or_insert(position),
                    Method::Execute if prepared.contains_key(&owner) => return Ok(Some(position)),
                    _ => {}
                }
            }
            // prepared and never executed
            prepared.into_values().min()
        }
    })
}

/// A command that can fail.
#[derive(Clone, Debug)]
pub struct FaultPlace {
    /// Its place by connection and count, like `a#5`. Unlike the number, it does not depend on threads.
    pub key: String,
    /// Its number among all commands, from 1.
    pub number: usize,
    /// Its line in the log.
    pub line: u32,
    /// Its method.
    pub method: Method,
    /// How many rows it fetches, if it is a fetch and the log says so.
    pub rows: Option<u64>,
    /// Whether it failed during recording.
    pub failed: bool,
    /// One line for people. For an execute it includes the text.
    pub text: String,
}

/// Lists the commands that can fail, in recorded order. Leaves out ends of data, which no program has to ask for.
pub(crate) fn list(index: &Index, store: &dyn Store) -> Result<Vec<FaultPlace>, CassetteError> {
    let (mut counts, mut all) = (BTreeMap::new(), Vec::new());
    for position in (0..index.len()).filter(|position| index.is_command(*position)) {
        let slot = index.slot(position);
        let (connection, _) = index.ids(slot.connection(), slot.statement());
        let count = counts.entry(connection).or_insert(0usize);
        *count += 1;
        let entry = store.checked_entry(slot.place())?;
        if rows::is_end(&entry) {
            continue;
        }
        let executed = sql_at(index, store, position).filter(|_| slot.method == Method::Execute);
        let text = match executed {
            Some(sql) => format!("{} of \"{}\"", summary(&entry, 60), one_line(&cut(&sql, 100))),
            None => summary(&entry, 160),
        };
        let rows = if slot.method.is_rows() { rows::count(&entry) } else { None };
        let (number, line) = (index.ordinal(position), slot.place().line);
        let failed = !entry.succeeded() && entry.return_code() != super8_cassette::words::NO_DATA;
        let key = format!("{connection}#{count}");
        all.push(FaultPlace { key, number, line, method: slot.method, rows, failed, text });
    }
    Ok(all)
}

/// Returns the text that a command executes or prepares.
pub(crate) fn sql_at(index: &Index, store: &dyn Store, position: u32) -> Option<String> {
    let slot = index.slot(position);
    let of_text = |position: u32| {
        let entry = store.checked_entry(index.slot(position).place()).ok()?;
        Some(entry.get(Key::Sql)?.as_text()?.to_owned())
    };
    match slot.method {
        Method::Run | Method::Prepare => of_text(position),
        Method::Execute => {
            let its = index.statement(slot.connection(), slot.statement());
            its.iter().find(|at| index.slot(**at).method == Method::Prepare).and_then(|at| of_text(*at))
        }
        _ => None,
    }
}

/// Says whether the text that a command executes or prepares may change something.
pub(crate) fn writes_at(index: &Index, store: &dyn Store, position: u32) -> bool {
    sql_at(index, store, position).is_some_and(|sql| writes(&sql))
}

/// Returns how the command at a position begins or ends a transaction.
pub(crate) fn boundary_at(index: &Index, store: &dyn Store, position: u32) -> Option<Boundary> {
    let entry = store.checked_entry(index.slot(position).place()).ok()?;
    Boundary::of(&entry, sql_at(index, store, position).as_deref())
}
