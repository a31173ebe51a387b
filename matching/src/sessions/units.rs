//! Units: what `order: any` plays in any order, on any connection with the same connect arguments. A unit is the
//! execution of a statement with its rows, or a transaction, inside which the order counts.
//!
//! Each unit becomes a recorded connection of its own, in a log of its own: a connect, the prepare of each statement
//! that it executes, and its commands. So a player that takes connections in any order also takes units in any order.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::compare::comparison::Comparison;
use crate::compare::transactions::{AUTOCOMMIT, Transactions, as_attribute};
use crate::log::index::{Index, Origins, Slot};
use crate::sessions::matcher::SessionMatcher;
use crate::sessions::matcher::{Connects, Group};
use super8_cassette::comments;
use super8_cassette::redaction::Redactor;
use super8_cassette::schema::{Class, Role};
use super8_cassette::store::Store;
use super8_cassette::{CassetteError, ConnectionId, Entry, Key, Method, Value, sets};

/// The attributes that were set on a connection and differ from ODBC's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Context(BTreeMap<String, String>);

impl Context {
    /// Notes that an attribute of the connection is set.
    pub(crate) fn set(&mut self, entry: &Entry) {
        let Some(attribute) = entry.get(Key::Attribute) else { return };
        let name = attribute.as_text().map_or_else(|| format!("{attribute:?}"), str::to_owned);
        match entry.get(Key::Value) {
            Some(Value::Int(1)) if name == AUTOCOMMIT => _ = self.0.remove(&name),
            value => _ = self.0.insert(name, format!("{value:?}")),
        }
    }
}

/// How a unit begins. Units with equal beginnings differ at most in their values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Beginning {
    group: Group,
    context: Context,
    /// Run, execute or catalog.
    method: Method,
    /// The statement's text, or the name of the catalog function.
    text: String,
}

/// The units with the same beginning.
struct Alike {
    /// The group of their connects in the log of the units.
    group: Group,
    /// The position of their text, if it has marks, volatile parts or hidden secrets, so that a different text may match it.
    marked: Option<u32>,
    /// In recorded order.
    units: Vec<Unit>,
    by_inputs: HashMap<u64, Equal>,
}

#[derive(Clone, Copy)]
struct Unit {
    id: ConnectionId,
    /// The position in the cassette's own index of the first execution; `prepare` is that of the prepare before it.
    first: u32,
    prepare: Option<u32>,
}

/// The units whose first execution has the same values.
#[derive(Default)]
struct Equal {
    units: Vec<ConnectionId>,
    /// All units before this one are played.
    played: AtomicUsize,
}

/// What was recorded of a prepared statement before it was executed.
struct Prepared {
    index: Arc<Index>,
    connection: ConnectionId,
    statement: u32,
}

/// The units of a cassette.
pub(crate) struct Units {
    alike: HashMap<Beginning, Alike>,
    /// Whether any unit has a text with marks.
    has_marks: bool,
    prepared: HashMap<(Group, String), Prepared>,
    /// Commands outside of transactions: attributes that are set, and ends of transactions in which nothing was done.
    apart: Vec<(Group, Entry)>,
    comparison: Comparison,
}

/// What a program asks first of a unit.
pub(crate) struct First<'e> {
    /// The groups of the live connection's connect.
    pub(crate) groups: &'e [Group],
    pub(crate) context: &'e Context,
    /// The execution with the redaction rules applied; `asked` is the same as it was asked.
    pub(crate) execution: &'e Entry,
    pub(crate) asked: &'e Entry,
    /// `None` if there are no redaction rules.
    pub(crate) redactor: Option<&'e Redactor>,
    /// The statement's prepare, if it was prepared.
    pub(crate) prepare: Option<&'e Entry>,
}

impl First<'_> {
    /// Returns the entry that has the text.
    fn text(&self) -> &Entry {
        self.prepare.unwrap_or(self.execution)
    }

    /// Says whether this is the given recorded execution.
    fn is(&self, recorded: &Entry, comparison: &Comparison) -> bool {
        let comparable = |redactor: &Redactor| redactor.comparable(recorded, self.asked, self.execution.clone());
        comparison.difference(recorded, self.execution).is_none()
            // a value that the program read in redacted form stands for the original one
            || self.redactor.is_some_and(|redactor| comparison.difference(recorded, &comparable(redactor)).is_none())
    }
}

/// Returns the text of an entry by which units are found.
pub(crate) fn text_of(entry: &Entry, comments: bool) -> String {
    let key = if entry.method == Method::Catalog { Key::Function } else { Key::Sql };
    let text = entry.get(key).and_then(Value::as_text).unwrap_or_default();
    if comments { text.to_owned() } else { comments::without(text) }
}

/// Hashes the input values of an execution, without its text.
fn inputs_of(entry: &Entry) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (key, value) in entry.fields.iter() {
        if matches!(key.role(), Role::Input | Role::Question) && *key != Key::Sql {
            format!("{key:?}{value:?}").hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// A connection of the cassette, while its units are read.
struct Recorded {
    group: Group,
    connect: u32,
    transactions: Transactions,
    context: Context,
    open: Option<usize>,
    statements: HashMap<u32, Statement>,
}

/// A statement of a [`Recorded`] connection.
#[derive(Default)]
struct Statement {
    text: String,
    /// The positions of the prepare and of the questions before the first execution.
    prepare: Vec<u32>,
    /// The positions of the answers after its executions, by question. Each holds until the same question gets another answer.
    answers: HashMap<String, u32>,
    unit: Option<usize>,
}

/// A unit, while it is read.
struct Draft {
    connection: ConnectionId,
    beginning: Beginning,
    first: u32,
    prepare: Option<u32>,
    /// The ids of its statements, in the order in which they come.
    statements: Vec<u32>,
    slots: Vec<Slot>,
}

impl Draft {
    fn number(&mut self, statement: u32) -> u32 {
        let known = self.statements.iter().position(|known| *known == statement);
        let at = known.unwrap_or_else(|| {
            self.statements.push(statement);
            self.statements.len() - 1
        });
        at as u32 + 1
    }

    fn add(&mut self, id: usize, slot: &Slot) {
        let number = slot.statement().map(|statement| self.number(statement));
        self.slots.push(slot.moved(ConnectionId(id as u32), number));
    }
}

/// What was read of a log: its units, and how its connections stand at the end.
pub(crate) struct Drafts {
    connections: HashMap<ConnectionId, Recorded>,
    units: Vec<Draft>,
    /// Commands outside of transactions.
    apart: Vec<(Group, Entry)>,
}

impl Drafts {
    /// Reads the entries at these positions.
    pub(crate) fn read(
        (index, store): (&Index, &dyn Store),
        connects: &Connects,
        comments: bool,
        positions: impl Iterator<Item = u32>,
    ) -> Result<Drafts, CassetteError> {
        let mut connections: HashMap<ConnectionId, Recorded> = HashMap::new();
        let mut drafts: Vec<Draft> = Vec::new();
        let mut apart: Vec<(Group, Entry)> = Vec::new();
        for position in positions {
            let slot = index.slot(position);
            if slot.method == Method::Connect {
                let entry = store.checked_entry(slot.place())?;
                if let Some(connect) = connects.of(slot.connection()).filter(|connect| connect.succeeded) {
                    let recorded = Recorded {
                        group: connect.group,
                        connect: position,
                        transactions: Transactions::of_connect(&entry),
                        context: Context::default(),
                        open: None,
                        statements: HashMap::new(),
                    };
                    connections.insert(slot.connection(), recorded);
                }
                continue;
            }
            let Some(of) = connections.get_mut(&slot.connection()) else { continue };
            match (slot.method, slot.statement()) {
                (Method::SetConnectAttr | Method::Commit | Method::Rollback, _) => {
                    let entry = sets::entry(store, slot.place())?;
                    if let Some(open) = of.open {
                        drafts[open].add(open, slot);
                    }
                    if entry.succeeded() {
                        if slot.method == Method::SetConnectAttr {
                            of.transactions.set(&entry);
                            of.context.set(&entry);
                        }
                        if Transactions::end_with(&entry, "") {
                            of.open = None;
                        }
                    }
                    let known = |(group, known): &(Group, Entry)| {
                        (*group, known.method, &known.fields) == (of.group, entry.method, &entry.fields)
                    };
                    if !apart.iter().any(known) {
                        apart.push((of.group, entry));
                    }
                }
                (Method::Prepare, Some(statement)) => {
                    let text = text_of(&store.checked_entry(slot.place())?, comments);
                    let prepare = vec![position];
                    of.statements.insert(statement, Statement { text, prepare, ..Statement::default() });
                }
                (Method::Run | Method::Catalog | Method::Execute, Some(statement)) => {
                    let entry = store.checked_entry(slot.place())?;
                    let is_new = slot.method != Method::Execute;
                    if is_new {
                        let text = text_of(&entry, comments);
                        of.statements.insert(statement, Statement { text, ..Statement::default() });
                    }
                    let asked = of.statements.entry(statement).or_default();
                    let unit = match of.open {
                        Some(open) => open,
                        None => {
                            let beginning = Beginning {
                                group: of.group,
                                context: of.context.clone(),
                                method: slot.method,
                                text: asked.text.clone(),
                            };
                            let connect = index.slot(of.connect).moved(ConnectionId(drafts.len() as u32), None);
                            drafts.push(Draft {
                                connection: slot.connection(),
                                beginning,
                                first: position,
                                prepare: asked.prepare.first().copied(),
                                statements: Vec::new(),
                                slots: vec![connect],
                            });
                            if of.transactions.begin_with(&asked.text)
                                && (of.transactions.are_manual() || entry.succeeded())
                            {
                                of.open = Some(drafts.len() - 1);
                            }
                            drafts.len() - 1
                        }
                    };
                    if asked.unit != Some(unit) {
                        let mut answers: Vec<u32> = asked.answers.values().copied().collect();
                        answers.sort_unstable();
                        let before = asked.prepare.iter().chain(&answers);
                        before.for_each(|before| drafts[unit].add(unit, index.slot(*before)));
                        asked.unit = Some(unit);
                    }
                    drafts[unit].add(unit, slot);
                    if entry.succeeded() {
                        if let Some(set) = as_attribute(slot.connection(), &asked.text) {
                            of.transactions.set(&set);
                            of.context.set(&set);
                        }
                        if Transactions::end_with(&entry, &asked.text) {
                            of.open = None;
                        }
                    }
                }
                (method, Some(statement)) => match of.statements.get_mut(&statement) {
                    Some(Statement { unit: Some(unit), answers, prepare, .. }) => {
                        drafts[*unit].add(*unit, slot);
                        if method.class() == Class::Answer && !prepare.is_empty() {
                            let entry = store.checked_entry(slot.place())?;
                            let question = entry.fields.iter().filter(|(key, _)| !key.is_reply());
                            answers.insert(format!("{method:?}{:?}", question.collect::<Vec<_>>()), position);
                        }
                    }
                    Some(asked) if method.class() == Class::Answer => asked.prepare.push(position),
                    _ => {}
                },
                (_, None) => {}
            }
        }
        Ok(Drafts { connections, units: drafts, apart })
    }

    /// Returns the attributes that are set on a connection, if it is in no transaction.
    pub(crate) fn context(&self, connection: ConnectionId) -> Option<&Context> {
        self.connections.get(&connection).filter(|of| of.open.is_none()).map(|of| &of.context)
    }

    /// Returns the position of the prepare of a statement.
    pub(crate) fn prepare(&self, connection: ConnectionId, statement: u32) -> Option<u32> {
        self.connections.get(&connection)?.statements.get(&statement)?.prepare.first().copied()
    }
}

impl Units {
    /// Reads the units of a log. The returned index and connects are those of the units' own log, which is the one that is played.
    pub(crate) fn read(
        index: &Index,
        store: &dyn Store,
        connects: &Connects,
        comparison: &Comparison,
    ) -> Result<(Units, Index, Connects), CassetteError> {
        let read = Drafts::read((index, store), connects, comparison.comments, 0..index.len())?;
        let Drafts { connections, units: drafts, apart } = read;
        let mut prepared: HashMap<(Group, String), (ConnectionId, u32, Vec<u32>)> = HashMap::new();
        for (connection, of) in connections {
            for (statement, asked) in of.statements.into_iter().filter(|(_, asked)| !asked.prepare.is_empty()) {
                // if there are several, keep the one of which most is known
                let known = prepared.entry((of.group, asked.text)).or_insert((connection, statement, Vec::new()));
                if known.2.len() < asked.prepare.len() {
                    *known = (connection, statement, asked.prepare);
                }
            }
        }
        let mut origins = Origins { commands: index.command_offsets(), units: Vec::new() };
        let mut alike: HashMap<Beginning, Alike> = HashMap::new();
        let (mut slots, mut connects, mut has_marks) = (Vec::new(), Vec::new(), false);
        for (number, draft) in drafts.into_iter().enumerate() {
            let id = ConnectionId(number as u32);
            let next = alike.len() as Group;
            let alike = alike.entry(draft.beginning).or_insert_with(|| Alike {
                group: next,
                marked: None,
                units: Vec::new(),
                by_inputs: HashMap::new(),
            });
            let entry = sets::entry(store, index.slot(draft.first).place())?;
            if alike.marked.is_none() {
                let is_known = |unit: &Unit| unit.prepare == draft.prepare;
                let has_mark = match draft.prepare {
                    Some(_) if alike.units.last().is_some_and(is_known) => false,
                    Some(prepare) => is_marked(&store.checked_entry(index.slot(prepare).place())?),
                    None => is_marked(&entry),
                };
                alike.marked = has_mark.then(|| draft.prepare.unwrap_or(draft.first));
                has_marks |= has_mark;
            }
            alike.units.push(Unit { id, first: draft.first, prepare: draft.prepare });
            if !is_marked(&entry) {
                alike.by_inputs.entry(inputs_of(&entry)).or_default().units.push(id);
            }
            connects.push((slots.len() as u32, alike.group));
            slots.extend(draft.slots);
            let ids = draft.statements.iter().map(|statement| index.ids(draft.connection, Some(*statement)).1);
            origins.units.push((draft.connection, ids.map(Option::unwrap_or_default).collect()));
        }
        let origins = Arc::new(origins);
        let prepared = prepared.into_iter().map(|(key, (connection, statement, positions))| {
            let slots = positions.iter().map(|position| *index.slot(*position)).collect();
            (key, Prepared { index: Arc::new(Index::of_statement(slots)), connection, statement })
        });
        let units = Units { alike, has_marks, prepared: prepared.collect(), apart, comparison: comparison.clone() };
        Ok((units, Index::of_units(slots, origins), Connects::of_units(connects)))
    }

    /// Finds the recorded command for one that is asked outside of a transaction and is no execution.
    pub(crate) fn apart(&self, groups: &[Group], asked: &Entry) -> Option<&Entry> {
        let same = |(group, entry): &&(Group, Entry)| {
            groups.contains(group) && entry.method == asked.method && self.comparison.difference(entry, asked).is_none()
        };
        self.apart.iter().find(same).map(|(_, entry)| entry)
    }

    /// Finds a prepare and everything that was asked about its statement before the first execution: as an index of the
    /// cassette, with the connection and statement that the cassette has for it.
    pub(crate) fn prepared(
        &self,
        index: &Index,
        store: &dyn Store,
        groups: &[Group],
        asked: &Entry,
    ) -> Result<Option<(Arc<Index>, ConnectionId, u32)>, CassetteError> {
        let text = text_of(asked, self.comparison.comments);
        let found = |prepared: &Prepared| (Arc::clone(&prepared.index), prepared.connection, prepared.statement);
        if let Some(known) = groups.iter().find_map(|group| self.prepared.get(&(*group, text.clone()))) {
            return Ok(Some(found(known)));
        }
        for ((group, _), prepared) in &self.prepared {
            let first = index.statement(prepared.connection, Some(prepared.statement)).first();
            if let Some(first) = first.filter(|_| groups.contains(group)) {
                let entry = store.checked_entry(index.slot(*first).place())?;
                if self.comparison.difference(&entry, asked).is_none() {
                    return Ok(Some(found(prepared)));
                }
            }
        }
        Ok(None)
    }

    /// Finds a unit that nobody has and that begins with what is asked. Also returns the groups of all units with such a beginning.
    pub(crate) fn find(
        &self,
        (index, store): (&Index, &dyn Store),
        sessions: &SessionMatcher,
        first: &First<'_>,
    ) -> Result<Option<(ConnectionId, Vec<Group>)>, CassetteError> {
        let alike = self.alike(index, store, first)?;
        let groups: Vec<Group> = alike.iter().map(|alike| alike.group).collect();
        let inputs = inputs_of(first.execution);
        // once values are bound, a value may stand for another one, so equal hashes do not tell
        let idle = self.comparison.bindings.are_idle();
        let equal = alike.iter().filter_map(|alike| alike.by_inputs.get(&inputs).filter(|_| idle));
        let free = |unit: &ConnectionId| !sessions.is_taken(*unit);
        let free_equal = equal.filter_map(|equal| {
            let from = equal.played.load(Ordering::Relaxed);
            let played = equal.units[from..].iter().take_while(|unit| sessions.is_past(**unit)).count();
            equal.played.store(from + played, Ordering::Relaxed);
            equal.units[from + played..].iter().copied().find(free)
        });
        let mut found = free_equal.min();
        if found.is_none() {
            let mut others: Vec<&Unit> = alike.iter().flat_map(|alike| &alike.units).collect();
            others.sort_by_key(|unit| unit.id);
            for unit in others.into_iter().filter(|unit| free(&unit.id)) {
                let entry = sets::entry(store, index.slot(unit.first).place())?;
                let entry = self.comparison.marked(index, store, unit.first, entry)?;
                if first.is(&entry, &self.comparison) {
                    found = Some(unit.id);
                    break;
                }
            }
        }
        Ok(found.map(|found| (found, groups)))
    }

    /// Returns the units whose first execution is at a played position.
    pub(crate) fn begun(&self, is_played: impl Fn(u32) -> bool) -> Vec<ConnectionId> {
        let units = self.alike.values().flat_map(|alike| &alike.units);
        units.filter(|unit| is_played(unit.first)).map(|unit| unit.id).collect()
    }

    /// Returns the units whose text is that of what is asked.
    fn alike(&self, index: &Index, store: &dyn Store, first: &First<'_>) -> Result<Vec<&Alike>, CassetteError> {
        let text = text_of(first.text(), self.comparison.comments);
        let exact = first.groups.iter().filter_map(|group| {
            let (context, method, text) = (first.context.clone(), first.execution.method, text.clone());
            self.alike.get(&Beginning { group: *group, context, method, text })
        });
        let mut alike: Vec<&Alike> = exact.collect();
        let all = !self.comparison.bindings.are_idle();
        if !all && !self.has_marks {
            return Ok(alike);
        }
        let asked_text = text_alone(first.text());
        let same_kind = self.alike.iter().filter(|(beginning, other)| {
            (all || other.marked.is_some())
                && first.groups.contains(&beginning.group)
                && (&beginning.context, beginning.method) == (first.context, first.execution.method)
                && beginning.text != text
        });
        for (_, other) in same_kind {
            let first = || other.units.first().map(|unit| unit.prepare.unwrap_or(unit.first));
            let Some(text) = other.marked.or_else(first) else { continue };
            let recorded = store.checked_entry(index.slot(text).place())?;
            if self.comparison.difference(&text_alone(&recorded), &asked_text).is_none() {
                alike.push(other);
            }
        }
        Ok(alike)
    }

    /// Returns the position in the cassette of what is most like what is asked and not played: the first execution of a
    /// unit with the same text, if there is one.
    pub(crate) fn nearest(
        &self,
        (index, store): (&Index, &dyn Store),
        sessions: &SessionMatcher,
        first: &First<'_>,
    ) -> Result<Option<u32>, CassetteError> {
        let alike = self.alike(index, store, first)?;
        let units = alike.iter().flat_map(|alike| &alike.units);
        Ok(units.filter(|unit| !sessions.is_taken(unit.id)).map(|unit| unit.first).min())
    }
}

/// Says whether an entry matches others than equal ones.
fn is_marked(entry: &Entry) -> bool {
    entry.get(Key::Volatile).is_some() || entry.get(Key::Secrets).is_some()
}

/// Returns an entry with its text and marks only, without its values.
fn text_alone(entry: &Entry) -> Entry {
    let kept = |key: &Key| matches!(key, Key::Sql | Key::Function | Key::Volatile | Key::Secrets);
    Entry { fields: entry.fields.iter().filter(|(key, _)| kept(key)).cloned().collect(), ..entry.clone() }
}
