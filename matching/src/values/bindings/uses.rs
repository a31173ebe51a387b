//! Who has used what recorded values stand for. Which recorded connection a live one is, is first a guess, and so is what its values
//! stand for. A value that nobody else has used follows the guess. Once another connection or another process has used it, it keeps
//! its meaning: what super8 has told a program it cannot take back.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{BoundValue, Name, Table};
use super::told::{Shared, Told, What};
use super8_cassette::ConnectionId;

/// A live connection that turns out to have another session, and for each value that it was taken to have the one that it has.
pub(super) type Renamed = (ConnectionId, BTreeMap<Name, String>);

/// Who has used a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum User {
    /// A live connection of this process.
    Live(ConnectionId),
    /// Another process of the run.
    Process,
}

/// Who has used each bound value, and which values this process has told the others to read otherwise.
#[derive(Debug, Default)]
pub(super) struct Uses {
    users: BTreeMap<Name, BTreeSet<User>>,
    /// Recorded values and the live values that they no longer stand for.
    withdrawn: BTreeSet<(Name, String)>,
    /// Values of other processes whose use was told.
    told: BTreeSet<Name>,
}

/// A value that somebody has used and that would get another meaning.
#[derive(Debug)]
pub(crate) struct Contradiction {
    pub(crate) user: User,
    /// The recorded value in its canonical spelling, and that for which it was taken.
    name: Name,
    instead: Option<String>,
    pub(crate) text: String,
}

impl Contradiction {
    /// Says whether another session of its user has the value that is there instead.
    pub(super) fn agrees_with(&self, renames: &BTreeMap<Name, String>) -> bool {
        self.instead.is_some() && renames.get(&self.name) == self.instead.as_ref()
    }
}

impl Uses {
    /// Notes that a live connection has used values. Tells the other processes if one of them has bound it.
    pub(super) fn note(
        &mut self,
        table: &Table,
        user: ConnectionId,
        used: impl IntoIterator<Item = Name>,
        shared: Option<&Shared>,
    ) {
        for name in used {
            let users = self.users.entry(name.clone()).or_default();
            users.insert(User::Live(user));
            if let (true, Some(shared), Some(bound)) = (users.contains(&User::Process), shared, table.bound(&name))
                && self.told.insert(name.clone())
            {
                shared.tell(&Told::of(What::Uses, (name.0, bound), shared, ""));
            }
        }
    }

    /// Returns what would be contradicted if live connections were other recorded ones.
    pub(super) fn contradictions(&self, table: &Table, moved: &[Renamed]) -> Vec<Contradiction> {
        let (mut all, mut taken): (BTreeMap<&Name, BTreeSet<&String>>, BTreeSet<Name>) = Default::default();
        for (name, new) in moved.iter().flat_map(|(_, names)| names) {
            all.entry(name).or_default().insert(new);
            if *new != name.1 {
                taken.insert((name.0, new.clone()));
            }
        }
        let mut found = Vec::new();
        for (name, users) in &self.users {
            let Some(bound) = table.bound(name) else { continue };
            let news = all.get(name);
            let stays = news.map_or(!taken.contains(name), |news| news.iter().all(|new| **new == name.1));
            if stays {
                continue;
            }
            let instead = news.and_then(|news| news.iter().find(|new| ***new != name.1)).map(|new| (*new).clone());
            for user in users {
                let is_its = |(live, names): &Renamed| {
                    *user == User::Live(*live) && instead.is_some() && names.get(name) == instead.as_ref()
                };
                if !(news.is_some_and(|news| news.len() == 1) && moved.iter().any(is_its)) {
                    let text = text(bound, user, instead.as_deref());
                    found.push(Contradiction {
                        user: user.clone(),
                        name: name.clone(),
                        instead: instead.clone(),
                        text,
                    });
                }
            }
        }
        found
    }

    /// Renames bound values, and tells the other processes.
    pub(super) fn rename(&mut self, table: &mut Table, moved: &[&Table], shared: Option<&Shared>) {
        if let Some(shared) = shared {
            self.withdraw(table, moved, shared);
        }
        self.rename_in(table, moved);
    }

    /// Tells the other processes of the run which values have another meaning than they were told.
    fn withdraw(&mut self, table: &Table, moved: &[&Table], shared: &Shared) {
        for (name, new) in moved.iter().flat_map(|moved| moved.renames()) {
            let Some(bound) = table.bound(&name).filter(|_| new != name.1) else { continue };
            let real: Name = (name.0, new);
            let spelled = moved.iter().find_map(|moved| moved.bound(&real));
            let instead = spelled.map_or(real.1.as_str(), |spelled| &spelled.recorded);
            shared.tell(&Told::of(What::Withdraws, (name.0, bound), shared, instead));
            self.withdrawn.insert((name, bound.live_canonical.clone()));
        }
    }

    fn rename_in(&mut self, table: &mut Table, moved: &[&Table]) {
        *table = table.renamed(moved);
        let names: BTreeMap<Name, String> = moved.iter().flat_map(|moved| moved.renames()).collect();
        for (name, users) in std::mem::take(&mut self.users) {
            let new = names.get(&name).cloned().unwrap_or_else(|| name.1.clone());
            self.users.entry((name.0, new)).or_default().extend(users);
        }
    }

    /// Takes over what other processes have told. Returns what contradicts that which was used.
    pub(super) fn learn(&mut self, table: &mut Table, heard: Vec<Told>) -> Option<String> {
        let (mut wrong, mut heard) = (None, heard.into_iter().peekable());
        while let Some(told) = heard.next() {
            match told.what {
                What::Binds => self.adopt(table, told),
                What::Uses if told.is_bound_in(table) => {
                    self.users.entry(told.name()).or_default().insert(User::Process);
                }
                What::Uses => {
                    if self.withdrawn.contains(&(told.name(), told.live_canonical())) {
                        wrong.get_or_insert_with(|| told.text("another process has used it meanwhile"));
                    }
                }
                What::Withdraws => {
                    // values may change places
                    let mut all = vec![told];
                    while let Some(more) = heard.next_if(|more| more.what == What::Withdraws) {
                        all.push(more);
                    }
                    let is_used = |told: &&Told| {
                        let mut users = self.users.get(&told.name()).into_iter().flatten();
                        told.is_bound_in(table) && users.any(|user| *user != User::Process)
                    };
                    if let Some(told) = all.iter().find(is_used) {
                        wrong.get_or_insert_with(|| told.text("this process has used it meanwhile"));
                    }
                    let (here, elsewhere): (Vec<Told>, Vec<Told>) =
                        all.into_iter().partition(|told| told.is_bound_in(table));
                    let mut moved = Table::default();
                    here.iter().for_each(|told| told.rename_in(&mut moved));
                    self.rename_in(table, &[&moved]);
                    elsewhere.into_iter().for_each(|told| self.adopt(table, told.into_bound()));
                }
            }
        }
        wrong
    }

    fn adopt(&mut self, table: &mut Table, told: Told) {
        let name = told.name();
        if told.adopt(table) {
            self.users.entry(name).or_default().insert(User::Process);
        }
    }
}

fn text(bound: &BoundValue, user: &User, instead: Option<&str>) -> String {
    let who = match user {
        User::Live(_) => "another connection",
        User::Process => "another process",
    };
    let means = match instead {
        Some(instead) => format!("the connection that sent it turns out to have {instead:?} there"),
        None => "another connection turns out to have sent another value for it".to_owned(),
    };
    format!("{}, and {who} has used it; {means}", bound.means())
}
