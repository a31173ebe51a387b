//! The index of a log: where each entry stands and what it is, in 24 bytes per entry. It is built once, when the cassette is opened.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::log::rows;
use super8_cassette::entry::Head;
use super8_cassette::schema::Class;
use super8_cassette::sets;
use super8_cassette::store::{EntryRef, Store};
use super8_cassette::{AnswerRules, CassetteError, ConnectionId, Entry, Key, Method};

/// The statement number of entries that concern the connection itself.
const NONE: u32 = u32::MAX;

/// An entry without its content. There is one for every entry of the log, so it is kept small; its offset has 40 bits,
/// enough for a terabyte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    offset_low: u32,
    len: u32,
    line: u32,
    connection: u32,
    statement: u32,
    offset_high: u8,
    pub(crate) method: Method,
    /// The thread of the connection that made the call. All entries of a statement have the thread of its first entry.
    pub(crate) thread: u16,
}

impl Slot {
    #[inline(always)]
    pub(crate) fn place(&self) -> EntryRef {
        let offset = u64::from(self.offset_high) << 32 | u64::from(self.offset_low);
        EntryRef { offset, len: self.len, line: self.line }
    }

    #[inline(always)]
    pub(crate) fn connection(&self) -> ConnectionId {
        ConnectionId(self.connection)
    }

    #[inline(always)]
    pub(crate) fn statement(&self) -> Option<u32> {
        (self.statement != NONE).then_some(self.statement)
    }

    /// Returns the same entry on another connection and statement, with the default thread.
    pub(crate) fn moved(&self, connection: ConnectionId, statement: Option<u32>) -> Slot {
        Slot { connection: connection.0, statement: statement.unwrap_or(NONE), thread: 1, ..*self }
    }

    fn key(&self) -> (u32, u32) {
        (self.connection, self.statement)
    }
}

/// The function that a walk over a log calls with each entry.
type Visit<'v> = dyn FnMut(EntryRef, Head) -> Result<(), CassetteError> + 'v;

/// The entries of a log, by position.
#[derive(Debug, Default)]
pub(crate) struct Index {
    slots: Vec<Slot>,
    /// Positions ordered by connection.
    by_connection: Vec<u32>,
    /// Positions ordered by connection and statement.
    by_statement: Vec<u32>,
    /// Positions of the connects.
    connects: Vec<u32>,
    /// Positions, in order, of the commands that need not be played: all those of connections that are asked nothing (spares of a
    /// pool), and the ends of transactions in which nothing was done, which client libraries send when they close a connection.
    skippable: Vec<u32>,
    /// The connections about which an answer changed, ordered by id.
    with_answers: Vec<u32>,
    /// The methods that occur, one bit each.
    methods: u64,
    /// The threads of each connection that several threads used, in the order in which they came.
    threads: HashMap<u32, Vec<u16>>,
    /// The statements that are kept out of the order.
    aside: Aside,
    /// Where the entries of units stand in the cassette.
    origins: Option<Arc<Origins>>,
    /// The groups whose commands may come in any order, in a cassette written by hand.
    groups: Option<Vec<Range<u32>>>,
}

/// Where entries that were moved to other connections and statements stand in the cassette.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    /// The offsets of the cassette's commands, in order.
    pub(crate) commands: Vec<u64>,
    /// The connection of each unit, and the ids of its statements, which are numbered from 1.
    pub(crate) units: Vec<(ConnectionId, Vec<u32>)>,
}

/// The statements of the log that are answers with rows. They have no place in the order and are left out when
/// statements are numbered.
#[derive(Debug, Default)]
struct Aside {
    /// Their ids on each connection, in order.
    statements: HashMap<u32, Vec<u32>>,
    /// The offsets of their commands, in order.
    commands: Vec<u64>,
    /// On connections with gaps among their statement ids: the ids of the other statements, in the order in which they
    /// come. There are gaps where a person took a statement out, or put one in with an id of their own choice.
    others: HashMap<u32, Vec<u32>>,
}

/// Finds the connections with gaps among their statement ids, and returns the ids that they have in the order in which they come.
fn uncounted(slots: &[Slot], aside: &Aside) -> HashMap<u32, Vec<u32>> {
    let mut seen: FxHashMap<u32, Vec<bool>> = FxHashMap::default();
    for slot in slots.iter().filter(|slot| slot.statement != NONE) {
        let seen = seen.entry(slot.connection).or_default();
        // an id larger than the number of entries must have a gap before it
        let number = (aside.number(slot.connection, slot.statement) as usize).min(slots.len() + 1);
        if seen.len() < number {
            seen.resize(number, false);
        }
        if let Some(seen) = number.checked_sub(1).and_then(|at| seen.get_mut(at)) {
            *seen = true;
        }
    }
    let gaps = seen.into_iter().filter(|(_, seen)| seen.iter().any(|seen| !seen));
    let mut others: HashMap<u32, Vec<u32>> = gaps.map(|(connection, _)| (connection, Vec::new())).collect();
    if !others.is_empty() {
        let mut known = HashSet::new();
        for slot in slots.iter().filter(|slot| slot.statement != NONE) {
            if let Some(ids) = others.get_mut(&slot.connection)
                && known.insert(slot.key())
            {
                ids.push(slot.statement);
            }
        }
    }
    others
}

impl Aside {
    /// Replaces the ids of the statements that have a place in the order by numbers without gaps.
    fn counts(&mut self, slots: &mut [Slot], store: &dyn Store) -> Result<(), CassetteError> {
        self.others = uncounted(slots, self);
        if !self.others.is_empty() {
            // a forked child counts on from its parent's statements and uses those as well, so its gaps are none
            for connect in slots.iter().filter(|slot| slot.method == Method::Connect) {
                if self.others.contains_key(&connect.connection)
                    && store.checked_entry(connect.place())?.get(Key::Parent).is_some()
                {
                    self.others.remove(&connect.connection);
                }
            }
        }
        if self.statements.is_empty() && self.others.is_empty() {
            return Ok(());
        }
        // the lookup searches a list of ids, so do it once for each statement
        let mut numbers: HashMap<(u32, u32), u32> = HashMap::new();
        for slot in slots.iter_mut().filter(|slot| slot.statement != NONE) {
            let number = || self.number(slot.connection, slot.statement);
            slot.statement = *numbers.entry(slot.key()).or_insert_with(number);
        }
        Ok(())
    }

    /// Returns the number of a statement among those that are played in order.
    fn number(&self, connection: u32, id: u32) -> u32 {
        if let Some(ids) = self.others.get(&connection) {
            return ids.iter().position(|other| *other == id).map_or(id, |at| at as u32 + 1);
        }
        let before = self.statements.get(&connection).map_or(0, |ids| ids.partition_point(|aside| *aside < id));
        id - before as u32
    }

    /// Returns the id that the cassette has for the statement with this number.
    fn id(&self, connection: u32, number: u32) -> u32 {
        if let Some(ids) = self.others.get(&connection) {
            return ids.get((number as usize).wrapping_sub(1)).copied().unwrap_or(number);
        }
        let ids = self.statements.get(&connection).map_or(&[][..], Vec::as_slice);
        ids.iter().fold(number, |id, aside| if *aside <= id { id.saturating_add(1) } else { id })
    }
}

/// A recorded statement that is an answer with rows.
pub(crate) struct ResultAnswer {
    pub(crate) connection: ConnectionId,
    /// The statement's id in the cassette.
    pub(crate) statement: u32,
    /// The entry that asked for the result.
    pub(crate) asked: Entry,
    /// The execution, if the text was prepared. Each execution is an answer of its own.
    pub(crate) executed: Option<Entry>,
    /// How far it was read. An answer that was read to its end also serves programs that read less.
    pub(crate) read: Read,
    /// An index of this statement's entries only; of an execution, without the other executions.
    pub(crate) index: Arc<Index>,
}

/// Splits the entries of a statement by its executions. Each gets its own commands and everything recorded about the
/// statement before it.
fn executions(slots: Vec<Slot>) -> Vec<Vec<Slot>> {
    let executes: Vec<usize> = (0..slots.len()).filter(|at| slots[*at].method == Method::Execute).collect();
    let Some(first) = executes.first().copied().filter(|_| executes.len() > 1) else { return vec![slots] };
    let ends = executes.iter().skip(1).copied().chain([slots.len()]);
    let is_about = |slot: &&Slot| !matches!(slot.method.class(), Class::Command | Class::Housekeeping);
    let of = |(begin, end): (&usize, usize)| {
        let before = slots[..first].iter().chain(slots[first..*begin].iter().filter(is_about));
        before.chain(&slots[*begin..end]).copied().collect()
    };
    executes.iter().zip(ends).map(of).collect()
}

/// How far a recorded result was read. The one that was read further is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    to_its_end: bool,
    rows: u64,
}

impl Read {
    /// Adds what a fetch read.
    pub(crate) fn add(&mut self, entry: &Entry) {
        self.to_its_end |= entry.method == Method::FetchAll || rows::is_end(entry);
        self.rows += rows::count(entry).unwrap_or(u64::from(entry.method != Method::Fetch));
    }
}

/// Finds the commands that need not be played. Of a connection that connected and only set attributes and ended transactions,
/// without errors, these are all commands. Of any other connection they are the ends of transactions in which nothing was done.
fn skippable(
    slots: &[Slot],
    by_connection: &[u32],
    connects: &[u32],
    store: &dyn Store,
) -> Result<Vec<u32>, CassetteError> {
    let slot = |position: &u32| &slots[*position as usize];
    let read = |position: &u32| store.checked_entry(slot(position).place());
    let mut skippable = Vec::new();
    for own in by_connection.chunk_by(|one, other| slot(one).connection == slot(other).connection) {
        let commands = || own.iter().filter(|position| slot(position).method.class() == Class::Command);
        let does_something = |position: &u32| !is_of_spare(slot(position).method);
        // the program may ask for what was set, and that answer depends on what is played
        let is_asked = || own.iter().any(|position| slot(position).method == Method::Answer);
        if commands().next().is_some_and(|first| connects.binary_search(first).is_ok())
            && !commands().skip(1).any(does_something)
            && (commands().nth(1).is_none() || !is_asked())
        {
            let mut all = Vec::new();
            for position in commands() {
                let entry = read(position)?;
                let is_plain = entry.succeeded() && (entry.method == Method::Connect || !entry.has_outcome());
                all.extend(is_plain.then_some(*position));
            }
            // a failed connect or a failed end of a transaction has to be played
            if all.len() == commands().count() {
                skippable.append(&mut all);
            }
            continue;
        }
        let mut is_done = false;
        for position in commands() {
            let ends = slot(position).method.ends_transaction();
            if ends && !is_done && !read(position)?.has_outcome() {
                skippable.push(*position);
            }
            is_done = !ends && (is_done || does_something(position));
        }
    }
    skippable.sort_unstable();
    Ok(skippable)
}

/// Says whether a command does nothing in the database as long as no other command follows it.
pub(crate) fn is_of_spare(method: Method) -> bool {
    matches!(method, Method::Connect | Method::SetConnectAttr) || method.ends_transaction()
}

/// Gives all entries of a statement the thread of its first one. Returns the connections that several threads used,
/// with their threads.
fn threads_of(slots: &mut [Slot]) -> HashMap<u32, Vec<u16>> {
    let mut threads: HashMap<u32, Vec<u16>> = HashMap::new();
    for slot in slots.iter().filter(|slot| slot.thread != 1) {
        threads.entry(slot.connection).or_default();
    }
    if threads.is_empty() {
        return threads;
    }
    let mut texts: HashMap<(u32, u32), u16> = HashMap::new();
    for slot in slots {
        let Some(known) = threads.get_mut(&slot.connection) else { continue };
        if slot.statement != NONE {
            slot.thread = *texts.entry((slot.connection, slot.statement)).or_insert(slot.thread);
        }
        if slot.method.class() == Class::Command && slot.method != Method::Connect && !known.contains(&slot.thread) {
            known.push(slot.thread);
        }
    }
    threads
}

impl Index {
    /// Collects the entries that a walk over a cassette finds.
    pub(crate) fn slots_of(
        store: &dyn Store,
        walk: impl FnOnce(&mut Visit<'_>) -> Result<(), CassetteError>,
    ) -> Result<Vec<Slot>, CassetteError> {
        let mut slots: Vec<Slot> = Vec::new();
        walk(&mut |place: EntryRef, head: Head| {
            let refuse = |problem: &str| {
                let (file, line) = store.locate(place);
                CassetteError::new(&file, problem).at_line(line.into()).advice("record again")
            };
            if slots.len() >= NONE as usize {
                return Err(refuse("the log has more entries than can be played"));
            }
            if head.statement == Some(NONE) {
                return Err(refuse("the statement id is too large"));
            }
            let Ok(offset_high) = u8::try_from(place.offset >> 32) else {
                return Err(refuse("the log is longer than a terabyte"));
            };
            slots.push(Slot {
                offset_low: place.offset as u32,
                offset_high,
                len: place.len,
                line: place.line,
                connection: head.connection.0,
                statement: head.statement.unwrap_or(NONE),
                method: head.method,
                thread: head.thread,
            });
            Ok(())
        })?;
        Ok(slots)
    }

    /// Reads the log of a cassette. Returns the index of what is played in order, and the answers with rows.
    pub(crate) fn build(
        store: &dyn Store,
        rules: &AnswerRules,
    ) -> Result<(Index, Vec<Arc<ResultAnswer>>), CassetteError> {
        let mut slots = Index::slots_of(store, |visit| store.scan(visit))?;
        slots.shrink_to_fit();
        let mut answers: Vec<(Slot, Entry, Vec<Slot>)> = Vec::new();
        for slot in slots.iter().filter(|slot| rules.may_name(slot.method)) {
            let entry = sets::entry(store, slot.place())?;
            if rules.name(&entry) {
                answers.push((*slot, entry, Vec::new()));
            }
        }
        let mut aside = Aside::default();
        if answers.is_empty() {
            aside.counts(&mut slots, store)?;
            return Ok((Index::of(slots, aside).with_skippable(store)?, Vec::new()));
        }
        let mut at: HashMap<(u32, u32), usize> = HashMap::new();
        for (number, (slot, ..)) in answers.iter().enumerate() {
            let (connection, statement) = slot.key();
            if at.insert((connection, statement), number).is_some() {
                let (file, line) = store.locate(slot.place());
                let error = CassetteError::new(&file, format!("statement {statement} has a second answer with rows"));
                let error = error.at_line(line.into());
                return Err(error.advice("give each of them a statement_id of its own, or record again"));
            }
            aside.statements.entry(connection).or_default().push(statement);
        }
        aside.statements.values_mut().for_each(|ids| ids.sort_unstable());
        slots.retain(|slot| match at.get(&slot.key()) {
            Some(number) => {
                if slot.method.class() == Class::Command {
                    aside.commands.push(slot.place().offset);
                }
                answers[*number].2.push(*slot);
                false
            }
            None => true,
        });
        aside.counts(&mut slots, store)?;
        let executed = answers.into_iter().flat_map(|(slot, asked, slots)| {
            executions(slots).into_iter().map(move |slots| (slot.key(), asked.clone(), slots))
        });
        let answers = executed.map(|((connection, statement), asked, slots)| {
            let mut read = Read::default();
            for slot in slots.iter().filter(|slot| slot.method.is_rows()) {
                read.add(&store.checked_entry(slot.place())?);
            }
            let execute = slots.iter().find(|slot| slot.method == Method::Execute);
            let executed = execute.map(|slot| sets::entry(store, slot.place())).transpose()?;
            let (connection, index) = (ConnectionId(connection), Arc::new(Index::of_statement(slots)));
            Ok(Arc::new(ResultAnswer { connection, statement, asked, executed, read, index }))
        });
        let answers = answers.collect::<Result<_, CassetteError>>()?;
        Ok((Index::of(slots, aside).with_skippable(store)?, answers))
    }

    fn of(mut slots: Vec<Slot>, aside: Aside) -> Index {
        let threads = threads_of(&mut slots);
        let all = 0..slots.len() as u32;
        let of_statement = |position: &u32| slots[*position as usize].statement != NONE;
        let (mut by_connection, mut by_statement): (Vec<u32>, Vec<u32>) =
            (all.clone().collect(), Vec::with_capacity(slots.len()));
        // this is already the right order if there is one connection and its statements follow one another
        by_statement.extend(all.clone().filter(of_statement));
        by_statement.extend(all.clone().filter(|position| !of_statement(position)));
        // with the position in the key an unstable sort keeps the order, and it sorts in place without extra memory
        by_connection.sort_unstable_by_key(|position| (slots[*position as usize].connection, *position));
        by_statement.sort_unstable_by_key(|position| (slots[*position as usize].key(), *position));
        let connects: Vec<u32> = all.filter(|position| slots[*position as usize].method == Method::Connect).collect();
        let changed = |slot: &&Slot| slot.method == Method::Answer && slot.statement == NONE;
        let mut with_answers: Vec<u32> = slots.iter().filter(changed).map(|slot| slot.connection).collect();
        with_answers.sort_unstable();
        with_answers.dedup();
        let methods = slots.iter().fold(0, |methods, slot| methods | 1 << slot.method as u64);
        let skippable = Vec::new();
        Index {
            slots,
            by_connection,
            by_statement,
            connects,
            skippable,
            with_answers,
            methods,
            threads,
            aside,
            origins: None,
            groups: None,
        }
    }

    /// Builds the index of entries that were moved to connections of their own.
    pub(crate) fn of_units(slots: Vec<Slot>, origins: Arc<Origins>) -> Index {
        Index { origins: Some(origins), ..Index::of(slots, Aside::default()) }
    }

    /// Builds the index of the commands of a cassette written by hand.
    pub(crate) fn of_script(slots: Vec<Slot>, groups: Vec<Range<u32>>) -> Index {
        Index { groups: Some(groups), ..Index::of(slots, Aside::default()) }
    }

    /// Returns the groups whose commands may come in any order. A recording has none.
    pub(crate) fn groups(&self) -> Option<&[Range<u32>]> {
        self.groups.as_deref()
    }

    /// Builds the index of one statement's entries.
    pub(crate) fn of_statement(slots: Vec<Slot>) -> Index {
        Index::of(slots, Aside::default())
    }

    /// Returns the offsets of all commands in order, including those of answers with rows.
    pub(crate) fn command_offsets(&self) -> Vec<u64> {
        let commands = self.slots.iter().filter(|slot| slot.method.class() == Class::Command);
        let mut offsets: Vec<u64> = commands.map(|slot| slot.place().offset).collect();
        offsets.extend(&self.aside.commands);
        offsets.sort_unstable();
        offsets
    }

    /// Says whether each connection of this index is a unit.
    pub(crate) fn is_of_units(&self) -> bool {
        self.origins.is_some()
    }

    /// Returns the ids that the cassette has for a connection and a statement.
    pub(crate) fn ids(&self, connection: ConnectionId, statement: Option<u32>) -> (ConnectionId, Option<u32>) {
        let unit = self.origins.as_ref().and_then(|origins| origins.units.get(connection.0 as usize));
        match (unit, statement) {
            (Some((connection, ids)), Some(number)) => {
                (*connection, ids.get((number as usize).wrapping_sub(1)).copied().or(Some(number)))
            }
            (Some((connection, _)), None) => (*connection, None),
            (None, Some(statement)) => (connection, Some(self.aside.id(connection.0, statement))),
            (None, None) => (connection, None),
        }
    }

    fn with_skippable(self, store: &dyn Store) -> Result<Index, CassetteError> {
        let skippable = skippable(&self.slots, &self.by_connection, &self.connects, store)?;
        Ok(Index { skippable, ..self })
    }

    /// Returns the threads of a connection in the order in which they came, if there were several.
    pub(crate) fn threads(&self, connection: ConnectionId) -> Option<&[u16]> {
        self.threads.get(&connection.0).map(Vec::as_slice)
    }

    /// Returns the thread of a recorded statement.
    pub(crate) fn thread(&self, connection: ConnectionId, statement: u32) -> Option<u16> {
        self.statement(connection, Some(statement)).first().map(|position| self.slot(*position).thread)
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Returns the entry at a position, which must come from this index.
    #[inline(always)]
    pub(crate) fn slot(&self, position: u32) -> &Slot {
        &self.slots[position as usize]
    }

    /// Returns the range of places that belongs to a connection, for [`Index::position`].
    pub(crate) fn connection_range(&self, connection: ConnectionId) -> Range<usize> {
        self.range(&self.by_connection, |slot| slot.connection.cmp(&connection.0))
    }

    /// Returns the position at a place: in the whole log, or in the range of it that belongs to a connection.
    #[inline(always)]
    pub(crate) fn position(&self, range: Option<&Range<usize>>, place: usize) -> Option<u32> {
        match range {
            None => (place < self.slots.len()).then_some(place as u32),
            Some(range) => self.by_connection[range.clone()].get(place).copied(),
        }
    }

    /// Iterates over the connections, the last one first.
    pub(crate) fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        let mut end = self.by_connection.len();
        std::iter::from_fn(move || {
            let connection = self.slot(self.by_connection[end.checked_sub(1)?]).connection();
            end = self.connection_range(connection).start;
            Some(connection)
        })
    }

    /// Says whether the log has any entry of this method.
    pub(crate) fn has(&self, method: Method) -> bool {
        self.methods & 1 << method as u64 != 0
    }

    /// Iterates over the positions of the answers about connections.
    pub(crate) fn connection_answers(&self) -> impl Iterator<Item = u32> {
        let own = self.with_answers.iter().flat_map(|connection| self.statement(ConnectionId(*connection), None));
        own.copied().filter(|position| self.slot(*position).method == Method::Answer)
    }

    /// Says whether the log has answers about the connection itself.
    pub(crate) fn has_answers_about(&self, connection: ConnectionId) -> bool {
        self.with_answers.binary_search(&connection.0).is_ok()
    }

    /// Returns the positions of a connection's entries.
    pub(crate) fn connection(&self, connection: ConnectionId) -> &[u32] {
        &self.by_connection[self.connection_range(connection)]
    }

    /// Says whether a command need not be played: the program may leave it out or do it at any time. A connect like
    /// that belongs to a spare.
    #[inline(always)]
    pub(crate) fn is_skippable(&self, position: u32) -> bool {
        !self.skippable.is_empty() && self.skippable.binary_search(&position).is_ok()
    }

    /// Makes every command due, so that each has to be played in its turn.
    pub(crate) fn require_all(&mut self) {
        self.skippable.clear();
    }

    /// Says whether the entry at a position is a command that has to be played in its turn.
    #[inline(always)]
    pub(crate) fn is_due(&self, position: u32) -> bool {
        self.is_command(position) && !self.is_skippable(position)
    }

    /// Says whether the entry at a position is a command.
    #[inline(always)]
    pub(crate) fn is_command(&self, position: u32) -> bool {
        self.slot(position).method.class() == Class::Command
    }

    /// Says whether no command that has to be played stands between two positions.
    pub(crate) fn none_between(&self, one: u32, other: u32) -> bool {
        one < other && (one + 1..other).all(|position| !self.is_due(position))
    }

    /// Returns how many of a connection's entries stand before a position.
    pub(crate) fn places_before(&self, connection: ConnectionId, position: usize) -> usize {
        self.connection(connection).partition_point(|at| (*at as usize) < position)
    }

    /// Iterates over the positions of a connection's commands.
    pub(crate) fn commands_of(&self, connection: ConnectionId) -> impl Iterator<Item = u32> + Clone + use<'_> {
        self.connection(connection)
            .iter()
            .copied()
            .filter(|position| self.slot(*position).method.class() == Class::Command)
    }

    /// Returns the positions of a statement's entries, or of those that concern the connection itself.
    pub(crate) fn statement(&self, connection: ConnectionId, statement: Option<u32>) -> &[u32] {
        let key = (connection.0, statement.unwrap_or(NONE));
        &self.by_statement[self.range(&self.by_statement, |slot| slot.key().cmp(&key))]
    }

    /// Returns the positions of the connects.
    pub(crate) fn connects(&self) -> &[u32] {
        &self.connects
    }

    /// Returns the number of a command, counting only commands and from 1, as people count.
    pub(crate) fn ordinal(&self, position: u32) -> usize {
        if let Some(origins) = &self.origins {
            let offset = self.slots.get(position as usize).map_or(u64::MAX, |slot| slot.place().offset);
            return origins.commands.partition_point(|command| *command < offset) + 1;
        }
        self.commands(0, position) + 1
    }

    /// Returns the number of commands.
    pub(crate) fn total(&self) -> usize {
        match &self.origins {
            Some(origins) => origins.commands.len(),
            None => self.commands(0, self.len()),
        }
    }

    /// Counts the commands from one position up to, and without, another. Answers with rows count where they stand.
    pub(crate) fn commands(&self, from: u32, to: u32) -> usize {
        if self.origins.is_some() {
            return self.ordinal(to) - self.ordinal(from);
        }
        let slots = &self.slots[from as usize..to as usize];
        let aside = |position: u32| match position {
            0 => 0,
            position => {
                let end = self.slots.get(position as usize).map_or(u64::MAX, |slot| slot.place().offset);
                self.aside.commands.partition_point(|command| *command < end)
            }
        };
        slots.iter().filter(|slot| slot.method.class() == Class::Command).count() + aside(to) - aside(from)
    }

    fn range(&self, positions: &[u32], order: impl Fn(&Slot) -> Ordering) -> Range<usize> {
        let at =
            |wanted: fn(Ordering) -> bool| positions.partition_point(|position| wanted(order(self.slot(*position))));
        at(Ordering::is_lt)..at(Ordering::is_le)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use super8_cassette::Key;
    use super8_cassette::{Directory, Entry, Metadata, WriteAppend};

    /// Records a cassette of connections that run `statements` queries each.
    fn recorded(directory: &Path, connections: u32, statements: u32) -> Index {
        let append: super8_cassette::MakeAppend = std::sync::Arc::new(|file| Ok(Box::new(WriteAppend::new(file))));
        let store = Directory::record(directory, Metadata::now(None, None), append).unwrap();
        let mut log = Vec::new();
        for connection in (0..connections).map(ConnectionId) {
            store.encode(&Entry::new(Method::Connect, connection, None).with(Key::Dsn, "shop"), &mut log);
            for statement in 1..=statements {
                for method in [Method::Run, Method::Fetch, Method::Fetch, Method::Drop] {
                    store.encode(&Entry::new(method, connection, Some(statement)).with(Key::Sql, "SELECT 1"), &mut log);
                }
            }
        }
        store.append(&log).unwrap();
        Index::build(&store, &AnswerRules::default()).unwrap().0
    }

    #[test]
    fn finds_what_belongs_together() {
        let parent = tempfile::tempdir().unwrap();
        let index = recorded(&parent.path().join("x"), 3, 2);
        let b = ConnectionId(1);
        assert_eq!(index.len(), 27);
        assert_eq!(index.connects(), [0, 9, 18]);
        assert!(index.has(Method::Drop) && !index.has(Method::Answer) && index.connection_answers().next().is_none());
        assert_eq!(index.connections().map(|connection| connection.to_string()).collect::<String>(), "cba");
        assert_eq!(index.connection_range(b), 9..18);
        assert_eq!(index.statement(b, None), [9]);
        assert_eq!(index.statement(b, Some(2)), [14, 15, 16, 17]);
        assert_eq!(index.statement(b, Some(3)), [0; 0]);
        assert_eq!(index.connection_range(ConnectionId(9)), 27..27);
        assert_eq!((index.ordinal(0), index.ordinal(9), index.ordinal(14)), (1, 8, 12));
        assert_eq!(index.position(Some(&(9..18)), 8), Some(17));
        assert_eq!((index.position(Some(&(9..18)), 9), index.position(None, 27)), (None, None));
        assert_eq!((index.slot(14).connection(), index.slot(14).statement()), (b, Some(2)));
    }

    #[test]
    fn a_statement_with_two_answers_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let append: super8_cassette::MakeAppend = std::sync::Arc::new(|file| Ok(Box::new(WriteAppend::new(file))));
        let store = Directory::record(&parent.path().join("x"), Metadata::now(None, None), append).unwrap();
        let mut log = Vec::new();
        store.encode(&Entry::new(Method::Connect, ConnectionId(0), None).with(Key::Dsn, "shop"), &mut log);
        for (statement, sql) in [(1, "SELECT 1"), (1, "SELECT 1"), (2, "SELECT 2")] {
            store.encode(&Entry::new(Method::Run, ConnectionId(0), Some(statement)).with(Key::Sql, sql), &mut log);
        }
        store.append(&log).unwrap();
        let rules = AnswerRules::new(["^SELECT 1$"]).unwrap();
        let error = Index::build(&store, &rules).map(drop).unwrap_err().to_string();
        assert!(error.contains("commands.yml:8: statement 1 has a second answer with rows"), "{error}");
        assert_eq!(Index::build(&store, &AnswerRules::default()).unwrap().0.len(), 4);
    }

    #[test]
    fn a_hundred_thousand_commands_cost_a_few_megabytes() {
        let parent = tempfile::tempdir().unwrap();
        let index = recorded(&parent.path().join("x"), 1, 33_333);
        let commands = index.commands(0, index.len());
        let positions = index.by_connection.capacity() + index.by_statement.capacity() + index.connects.capacity();
        let bytes = index.slots.capacity() * size_of::<Slot>() + positions * size_of::<u32>();
        assert_eq!((commands, size_of::<Slot>()), (100_000, 24));
        assert!(bytes < 4_500_000, "{bytes}");
    }
}
