//! The table of bound values: recorded values, their live values, and every spelling in which they are found.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::values::spellings::{Rank, bytes_of, canonical, mixed_endian, spellings, uuid_bytes};
use super8_cassette::volatile_rules::Kind;

/// One spelling of a recorded value.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// The live value in this spelling. `None` if several recorded values have this spelling but their live values do not.
    pub(super) live: Option<String>,
    pub(super) rank: Rank,
    /// The recorded value in its canonical spelling.
    pub(super) of: String,
}

/// A recorded value and what it stands for.
#[derive(Clone, Debug)]
pub(super) struct BoundValue {
    pub(super) kind: Option<Kind>,
    pub(super) recorded: String,
    pub(super) live: String,
    pub(super) live_canonical: String,
    pub(super) place: String,
}

impl BoundValue {
    /// Says in a sentence what it means.
    pub(super) fn means(&self) -> String {
        let BoundValue { recorded, live, place, .. } = self;
        format!("{recorded:?} of the recording is {live:?} in this run, since {place}")
    }
}

/// The rule `same` that has bound a recorded value, and the value in its canonical spelling.
pub(super) type Name = (Option<usize>, String);

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) values: HashMap<String, BoundValue>,
    /// The recorded value for each live one.
    pub(super) standing: HashMap<String, String>,
    /// Ordered, so that a text of which only the beginning was read can be found.
    pub(super) forms: BTreeMap<String, Form>,
    pub(super) bytes: HashMap<Vec<u8>, Vec<u8>>,
    /// Parts of SQL texts that are marked by hand and may stand anywhere in a text.
    pub(super) parts: Vec<(String, String)>,
    pub(super) kinds: [bool; Kind::COUNT],
    /// Whether any text of no kind is bound.
    pub(super) has_texts: bool,
    /// What each rule `same` has bound. It holds only in the rule's places.
    pub(super) same: Vec<Table>,
}

impl Table {
    /// Returns the table of a rule `same`, or without a rule this table.
    pub(super) fn of(&self, rule: Option<usize>) -> Option<&Table> {
        rule.map_or(Some(self), |rule| self.same.get(rule))
    }

    pub(super) fn of_mut(&mut self, rule: Option<usize>) -> &mut Table {
        let Some(rule) = rule else { return self };
        if self.same.len() <= rule {
            self.same.resize_with(rule + 1, Table::default);
        }
        &mut self.same[rule]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.same.iter().all(Table::is_empty)
    }

    /// Returns the names of all values that are bound, with the rules that have bound them.
    pub(super) fn names(&self) -> Vec<Name> {
        let same = self.same.iter().enumerate();
        let same = same.flat_map(|(rule, table)| table.values.keys().map(move |name| (Some(rule), name.clone())));
        self.values.keys().map(|name| (None, name.clone())).chain(same).collect()
    }

    pub(super) fn adopt(&mut self, new: Table, place: &str) {
        for (recorded, mut bound) in new.values {
            bound.place = format!("{} of {place}", bound.place);
            self.standing.insert(bound.live_canonical.clone(), recorded.clone());
            self.values.insert(recorded, bound);
        }
        for (spelled, form) in new.forms {
            self.form(spelled, form);
        }
        self.bytes.extend(new.bytes);
        self.parts.extend(new.parts);
        self.kinds.iter_mut().zip(new.kinds).for_each(|(known, new)| *known |= new);
        self.has_texts |= new.has_texts;
        for (rule, new) in new.same.into_iter().enumerate() {
            self.of_mut(Some(rule)).adopt(new, place);
        }
    }

    /// Returns the table for other recorded values. Each of `moved` binds the new recorded values to those that they were taken for.
    pub(super) fn renamed(&self, moved: &[&Table]) -> Table {
        let names: HashMap<&str, (&str, &str)> = moved
            .iter()
            .flat_map(|moved| &moved.values)
            .map(|(new, bound)| (bound.live_canonical.as_str(), (new.as_str(), bound.recorded.as_str())))
            .collect();
        let taken: HashSet<&str> = names.values().map(|(new, _)| *new).collect();
        let mut table = Table::default();
        for (was, bound) in &self.values {
            let name = match names.get(was.as_str()) {
                Some((_, name)) => name,
                None if taken.contains(was.as_str()) => continue,
                None => bound.recorded.as_str(),
            };
            table.add(bound.kind, name, &bound.live, &bound.place);
            if self.parts.iter().any(|(part, _)| *part == bound.recorded) {
                table.parts.push((name.to_owned(), bound.live.clone()));
            }
        }
        let rules = self.same.iter().enumerate();
        table.same = rules
            .map(|(rule, own)| own.renamed(&moved.iter().filter_map(|moved| moved.same.get(rule)).collect::<Vec<_>>()))
            .collect();
        table
    }

    /// Returns what a name is bound to.
    pub(super) fn bound(&self, (rule, name): &Name) -> Option<&BoundValue> {
        self.of(*rule)?.values.get(name)
    }

    /// Of a table that binds the recorded values of a session to those that they were taken for: returns for each of the latter the one
    /// that it really is, in canonical spellings.
    pub(super) fn renames(&self) -> BTreeMap<Name, String> {
        let of = |rule: Option<usize>, table: &Table| -> Vec<(Name, String)> {
            table.values.iter().map(|(new, old)| ((rule, old.live_canonical.clone()), new.clone())).collect()
        };
        let same = self.same.iter().enumerate().flat_map(|(rule, table)| of(Some(rule), table));
        of(None, self).into_iter().chain(same).collect()
    }

    fn form(&mut self, spelled: String, new: Form) {
        match self.forms.get_mut(&spelled) {
            Some(known) if known.rank > new.rank => {}
            Some(known) if known.rank == new.rank => {
                if known.live != new.live {
                    known.live = None;
                }
            }
            _ => _ = self.forms.insert(spelled, new),
        }
    }

    pub(super) fn add(&mut self, kind: Option<Kind>, recorded: &str, live: &str, place: &str) {
        let (was, is) = (canonical(kind, recorded), canonical(kind, live));
        for (spelled, live, rank) in spellings(kind, recorded, live) {
            self.form(spelled, Form { live: Some(live), rank, of: was.clone() });
        }
        match kind {
            Some(kind) => self.kinds[kind as usize] = true,
            None => self.has_texts = true,
        }
        if let (Some(Kind::Uuid), Some(was), Some(is)) = (kind, uuid_bytes(recorded), uuid_bytes(live)) {
            self.bytes.insert(was.to_vec(), is.to_vec());
            self.bytes.insert(mixed_endian(was).to_vec(), mixed_endian(is).to_vec());
        }
        if let (None, Some(was), Some(is)) = (kind, bytes_of(recorded), bytes_of(live)) {
            self.bytes.insert(was, is);
        }
        self.standing.insert(is.clone(), was.clone());
        let (recorded, live, place) = (recorded.to_owned(), live.to_owned(), place.to_owned());
        self.values.insert(was, BoundValue { kind, recorded, live, live_canonical: is, place });
    }
}
