//! What is played: a cassette, or the parts of a cassette of several processes, each with its index.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::ByteRecord;

use crate::compare::comparison::{Comparison, difference};
use crate::log::connection_info::InfoFiles;
use crate::log::cursor::Cursor;
use crate::log::index::{Index, ResultAnswer};
use crate::log::rows::is_end;
use crate::log::script::Script;
use super8_cassette::process::Processes;
use super8_cassette::schema::Class;
use super8_cassette::store::Store;
use super8_cassette::{AnswerRules, CassetteError, ConnectionId, Entry, Key, Method, Value, sets};

/// One part, or the cassette of a single process.
pub(crate) struct Source {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) index: Arc<Index>,
    answered_functions: HashSet<String>,
    /// Which info files have the answers about its connections.
    pub(crate) info_files: Arc<InfoFiles>,
    pub(crate) result_answers: Vec<Arc<ResultAnswer>>,
    /// The statements that have a place in the order, in a cassette written by hand.
    pub(crate) statements: HashMap<(ConnectionId, u32), Arc<ResultAnswer>>,
    /// The drivers of connections whose connect names one that differs from the cassette's.
    drivers: HashMap<ConnectionId, String>,
}

/// What can be played, and which part is current.
pub(crate) struct Sources {
    pub(crate) all: Vec<Source>,
    pub(crate) current: AtomicUsize,
}

impl Sources {
    pub(crate) fn read(stores: Vec<Box<dyn Store>>) -> Result<Arc<Sources>, CassetteError> {
        let mut all = Vec::with_capacity(stores.len());
        let is_part = stores.len() > 1;
        for store in stores {
            let metadata = store.metadata()?;
            let rules = AnswerRules::new(metadata.answers.iter().map(String::as_str)).unwrap_or_default();
            let (mut index, result_answers, statements) = match metadata.made_by_hand {
                true => {
                    let Script { index, answers, statements } = Script::read(&*store)?;
                    (index, answers, statements)
                }
                false => {
                    let (index, answers) = Index::build(&*store, &rules)?;
                    (index, answers, HashMap::new())
                }
            };
            if is_part {
                // what a process does tells which part it plays, and a connect may be all it does
                index.require_all();
            }
            let info_files = InfoFiles::read(&index, &*store)?;
            let answered_functions = info_files.functions(&index, &*store)?;
            let mut drivers = HashMap::new();
            if !result_answers.is_empty() {
                for position in index.connects() {
                    let entry = store.checked_entry(index.slot(*position).place())?;
                    let library = entry.get(Key::Library).and_then(Value::as_text).map(str::to_owned);
                    drivers.extend(library.map(|library| (entry.connection, library)));
                }
            }
            let index = Arc::new(index);
            all.push(Source {
                store: store.into(),
                index,
                answered_functions,
                info_files: Arc::new(info_files),
                result_answers,
                statements,
                drivers,
            });
        }
        Ok(Sources::of(all))
    }

    fn of(all: Vec<Source>) -> Arc<Sources> {
        Arc::new(Sources { all, current: AtomicUsize::new(0) })
    }

    /// Makes sources of a single source.
    pub(crate) fn one(source: Source) -> Arc<Sources> {
        Sources::of(vec![source])
    }

    #[inline(always)]
    pub(crate) fn current(&self) -> &Source {
        &self.all[self.current.load(Ordering::Acquire)]
    }

    pub(crate) fn source(&self, part: usize) -> &Source {
        &self.all[part]
    }

    /// Says whether anything in them is volatile: a rule of a cassette, or a mark of an entry. May say yes where the word is only a value.
    pub(crate) fn may_be_volatile(&self) -> Result<bool, CassetteError> {
        for source in &self.all {
            let metadata = source.store.metadata()?;
            if !metadata.volatile.is_empty() || metadata.made_by_hand {
                return Ok(true);
            }
            if source.index.len() > 0
                && source.store.log_mentions(source.index.slot(0).place(), Key::Volatile.name())?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Iterates over the sources, the current one first.
    pub(crate) fn current_first(&self) -> impl Iterator<Item = &Source> {
        let current = self.current.load(Ordering::Acquire);
        let others = self.all.iter().enumerate().filter(move |(part, _)| *part != current);
        std::iter::once(&self.all[current]).chain(others.map(|(_, source)| source))
    }
}

/// The store of the current part.
pub(crate) struct PlayedStore(pub(crate) Arc<Sources>);

impl Deref for PlayedStore {
    type Target = dyn Store;

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &*self.0.current().store
    }
}

/// The index of the current part.
pub(crate) struct PlayedIndex(pub(crate) Arc<Sources>);

impl Deref for PlayedIndex {
    type Target = Index;

    #[inline(always)]
    fn deref(&self) -> &Index {
        &self.0.current().index
    }
}

/// The functions for which the current part has anything recorded about connections.
pub(crate) struct PlayedFunctions(pub(crate) Arc<Sources>);

impl Deref for PlayedFunctions {
    type Target = HashSet<String>;

    #[inline(always)]
    fn deref(&self) -> &HashSet<String> {
        &self.0.current().answered_functions
    }
}

/// Which parts this process may still be playing.
pub(crate) struct PartChoice {
    pub(crate) left: Vec<usize>,
    pub(crate) entered: bool,
    pub(crate) processes: Arc<dyn Processes>,
}

/// A step of a process: the n-th command of the whole log, or of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) of: Option<ConnectionId>,
    pub(crate) number: usize,
}

impl PartChoice {
    pub(crate) fn new(parts: usize, processes: Arc<dyn Processes>) -> PartChoice {
        PartChoice { left: (0..parts).collect(), entered: false, processes }
    }

    /// Returns the parts that this process may be playing; `None` before its first step.
    pub(crate) fn candidates(&self) -> Option<&[usize]> {
        self.entered.then_some(&self.left)
    }

    /// Says whether several parts are left.
    pub(crate) fn is_open(&self) -> bool {
        self.entered && self.left.len() > 1
    }
}

impl Source {
    /// Makes a source with the entries of this index only.
    pub(crate) fn of_statement(of: &Source, index: Arc<Index>) -> Source {
        let (answered_functions, result_answers, drivers) = (HashSet::new(), Vec::new(), HashMap::new());
        let (statements, info_files) = (HashMap::new(), Arc::clone(&of.info_files));
        Source {
            store: Arc::clone(&of.store),
            index,
            answered_functions,
            info_files,
            result_answers,
            statements,
            drivers,
        }
    }

    /// Returns the driver of a recorded connection, if it differs from the cassette's.
    pub(crate) fn driver(&self, connection: ConnectionId) -> Option<&str> {
        self.drivers.get(&connection).map(String::as_str)
    }

    /// Returns its name: a directory, or the file of a trace.
    pub(crate) fn name(&self) -> PathBuf {
        self.store.name().to_owned()
    }

    /// Moves a cursor of this part to another part, which is the same so far.
    pub(crate) fn moved(&self, to: &Source, cursor: &Cursor, of: Option<ConnectionId>) -> Cursor {
        if std::ptr::eq(self, to) {
            return cursor.clone();
        }
        let (mine, theirs) = (self.commands(of), to.commands(of));
        let end = to.index.len();
        cursor.moved(&self.index, &to.index, of, &|position| {
            theirs.get(mine.partition_point(|command| *command < position)).copied().unwrap_or(end)
        })
    }

    fn entries(&self, of: Option<ConnectionId>) -> Vec<u32> {
        match of {
            Some(connection) => self.index.connection(connection).to_vec(),
            None => (0..self.index.len()).collect(),
        }
    }

    pub(crate) fn commands(&self, of: Option<ConnectionId>) -> Vec<u32> {
        self.entries(of).into_iter().filter(|position| self.index.is_command(*position)).collect()
    }

    fn entry(&self, position: u32) -> Result<Entry, CassetteError> {
        sets::entry(&*self.store, self.index.slot(position).place())
    }

    /// Returns what a step plays and serves: its command, the answers after it, and the ends of data that need not be asked for.
    pub(crate) fn served(&self, step: Step) -> Result<Vec<Entry>, CassetteError> {
        let Some(first) = self.commands(step.of).get(step.number).copied() else { return Ok(Vec::new()) };
        let mut served = Vec::new();
        for position in self.entries(step.of).into_iter().filter(|position| *position >= first) {
            match self.index.slot(position).method.class() {
                Class::Command => {
                    let entry = self.entry(position)?;
                    if position > first && !is_end(&entry) {
                        break;
                    }
                    served.push(entry);
                }
                Class::Answer => served.push(self.entry(position)?),
                _ => {}
            }
        }
        Ok(served)
    }

    pub(crate) fn is_like(&self, other: &Source, step: Step) -> Result<bool, CassetteError> {
        let (mine, theirs) = (self.served(step)?, other.served(step)?);
        let ids = |entry: &Entry| (entry.connection, entry.statement);
        Ok(mine.iter().map(ids).eq(theirs.iter().map(ids)) && self.serves_like(&mine, other, &theirs)?)
    }

    /// Says whether what this part serves is what another part serves, regardless of ids.
    pub(crate) fn serves_like(&self, mine: &[Entry], other: &Source, theirs: &[Entry]) -> Result<bool, CassetteError> {
        if mine.len() != theirs.len() {
            return Ok(false);
        }
        for (mine, theirs) in mine.iter().zip(theirs) {
            if mine.method != theirs.method || mine.fields.len() != theirs.fields.len() {
                return Ok(false);
            }
            for ((key, value), (their_key, their_value)) in mine.fields.iter().zip(&theirs.fields) {
                let same = key == their_key
                    && match (key, value, their_value) {
                        (Key::RowsFile, Value::Text(mine), Value::Text(theirs)) => {
                            self.same_rows(mine, other, theirs)?
                        }
                        // facts come in whatever order the process asked for them
                        (Key::InfoFile, ..) => true,
                        (Key::ColumnsFile, Value::Text(mine), Value::Text(theirs)) => {
                            self.store.document(mine)? == other.store.document(theirs)?
                        }
                        _ => value == their_value,
                    };
                if !same {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn same_rows(&self, member: &str, other: &Source, theirs: &str) -> Result<bool, CassetteError> {
        let (mut mine, mut theirs) = (self.store.rows(member)?, other.store.rows(theirs)?);
        let (mut row, mut their_row) = (ByteRecord::new(), ByteRecord::new());
        loop {
            let more = mine.next(&mut row)?;
            if theirs.next(&mut their_row)? != more || (more && row != their_row) {
                return Ok(false);
            }
            if !more {
                return Ok(true);
            }
        }
    }

    /// Says whether a step is what is asked. `asked` has recorded ids.
    pub(crate) fn agrees(&self, step: Step, asked: &Entry, comparison: &Comparison) -> Result<bool, CassetteError> {
        let Some(position) = self.commands(step.of).get(step.number).copied() else { return Ok(false) };
        let slot = self.index.slot(position);
        let same_place = (slot.connection(), slot.statement()) == (asked.connection, asked.statement);
        if asked.method == Method::Connect {
            return Ok(slot.method == Method::Connect && difference(&self.entry(position)?, asked).is_none());
        }
        if slot.method.is_rows() && asked.method.is_rows() {
            let scrolls = [slot.method, asked.method].contains(&Method::FetchScroll);
            return Ok(same_place
                && (!scrolls
                    || slot.method == asked.method && comparison.difference(&self.entry(position)?, asked).is_none()));
        }
        Ok(same_place && slot.method == asked.method && comparison.difference(&self.entry(position)?, asked).is_none())
    }
}
