//! A cassette written by hand, ready to be played: what has a place in the order, and what each statement gives.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::log::index::{Index, Read, ResultAnswer, Slot};
use super8_cassette::store::Store;
use super8_cassette::{CassetteError, ConnectionId, Entry, Key, Method, Value, sets};

/// A statement's ids in the cassette.
pub(crate) type Statement = (ConnectionId, u32);

/// A cassette written by hand, ready to be played.
pub(crate) struct Script {
    pub(crate) index: Index,
    /// The statements that are served whenever they are asked for.
    pub(crate) answers: Vec<Arc<ResultAnswer>>,
    /// The statements that have a place in the order.
    pub(crate) statements: HashMap<Statement, Arc<ResultAnswer>>,
}

/// Says whether an entry has a place in the order or is served whenever it is asked for. All other entries belong to a statement.
fn is_step(method: Method) -> bool {
    use Method::{Catalog, Commit, Connect, Execute, Prepare, Rollback, Run, SetConnectAttr};
    matches!(method, Connect | Run | Prepare | Execute | Catalog | Commit | Rollback | SetConnectAttr)
}

impl Script {
    /// Reads the cassette.
    pub(crate) fn read(store: &dyn Store) -> Result<Script, CassetteError> {
        let mut entries: HashMap<Statement, Vec<Slot>> = HashMap::new();
        let mut steps: Vec<(Slot, Entry)> = Vec::new();
        let (mut slots, mut groups): (Vec<Slot>, Vec<(i64, Range<u32>)>) = Default::default();
        let written = Index::slots_of(store, |visit| store.scan(visit))?;
        let plain = Index::slots_of(store, |visit| store.scan_plain(visit))?;
        for slot in written.into_iter().chain(plain) {
            if let Some(statement) = slot.statement() {
                entries.entry((slot.connection(), statement)).or_default().push(slot);
            }
            if !is_step(slot.method) {
                continue;
            }
            let entry = sets::entry(store, slot.place())?;
            let position = slots.len() as u32;
            if let Some(number) = entry.get(Key::Unordered).and_then(Value::as_int) {
                match groups.last_mut().filter(|(last, _)| *last == number) {
                    Some((_, group)) => group.end = position + 1,
                    None => groups.push((number, position..position + 1)),
                }
            }
            if !is_served(&entry) {
                slots.push(slot);
            }
            steps.push((slot, entry));
        }
        let (mut answers, mut statements) = (Vec::new(), HashMap::new());
        for (slot, asked) in steps {
            let Some(statement) = slot.statement() else { continue };
            let (served, connection) = (is_served(&asked), slot.connection());
            let Some(slots) = entries.remove(&(connection, statement)) else { continue };
            let mut read = Read::default();
            for slot in slots.iter().filter(|slot| slot.method.is_rows()) {
                read.add(&store.checked_entry(slot.place())?);
            }
            let index = Arc::new(Index::of_statement(slots));
            let answer = Arc::new(ResultAnswer { connection, statement, asked, executed: None, read, index });
            match served {
                true => answers.push(answer),
                false => _ = statements.insert((connection, statement), answer),
            }
        }
        let groups = groups.into_iter().map(|(_, group)| group).collect();
        Ok(Script { index: Index::of_script(slots, groups), answers, statements })
    }
}

/// Says whether an entry has no place in the order.
fn is_served(entry: &Entry) -> bool {
    entry.get(Key::Times).is_some() || entry.get(Key::Function).and_then(Value::as_text) == Some("SQLGetTypeInfo")
}
