//! Decides which recorded connection a live one is.
//!
//! A live connection takes the first free recorded one that agrees with its connect. As long as several agree, that is
//! a guess; `rematch` corrects it when a command tells them apart.
//!
//! What a live connection plays is a *session*: a recorded connection, or the rest of one. They differ because of pools
//! in the driver manager: a driver's connection that is used again plays the session of another recorded connection,
//! and one that is opened anew goes on where another was closed.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::compare::comparison::difference;
use crate::log::index::{Index, is_of_spare};
use super8_cassette::store::Store;
use super8_cassette::{CassetteError, ConnectionId, Detail, Entry, Key, Method, Value, yaml};

/// What one live connection plays of one recorded connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The recorded connection.
    pub(crate) connection: ConnectionId,
    /// How many of its commands were played before.
    pub(crate) begin: usize,
    /// How many of its statements were used before.
    pub(crate) statements: u32,
}

impl Session {
    /// Makes the session of a whole recorded connection whose connect is played.
    pub(crate) fn fresh(connection: ConnectionId) -> Session {
        Session { connection, begin: 1, statements: 0 }
    }
}

/// A connection of the program. What only its own calls change needs no lock.
#[derive(Debug)]
pub(crate) struct LiveConnection {
    /// The groups of connects it agrees with.
    groups: Vec<Group>,
    /// The group of the connect whose reply it was given.
    group: Group,
    /// Sessions that it played to their end, each with the number of statements it had used before.
    before: Vec<(u32, Session)>,
    pub(crate) session: Session,
    /// The number of statements it had used before this session.
    first: u32,
    /// The number of statements it has used.
    used: AtomicU32,
    /// The recorded numbers of its statements, where several threads of the recorded connection used them in any order.
    numbers: HashMap<u32, u32>,
    /// Which recorded thread each of the program's threads goes on with.
    threads: HashMap<u32, u16>,
    /// Whether anything was done since the connect or the last end of a transaction.
    is_done: AtomicBool,
    /// What was set on it while it was taken for a spare, which is asked nothing.
    pub(crate) set: Vec<Entry>,
    /// Whether no statement is open and the driver manager has checked whether the connection can be used again.
    idle: AtomicBool,
    /// Whether the program closed it.
    pub(crate) ended: bool,
}

impl LiveConnection {
    fn new(groups: Vec<Group>, group: Group, session: Session) -> LiveConnection {
        LiveConnection {
            groups,
            group,
            before: Vec::new(),
            session,
            first: 0,
            used: AtomicU32::new(0),
            numbers: HashMap::new(),
            threads: HashMap::new(),
            is_done: AtomicBool::new(false),
            set: Vec::new(),
            idle: AtomicBool::new(false),
            ended: false,
        }
    }

    /// Returns the groups it agrees with, if it has played a single recorded connection from its beginning.
    pub(crate) fn groups_of_one(&self) -> Option<&[Group]> {
        (self.before.is_empty() && self.session.begin == 1).then_some(&self.groups[..])
    }

    /// Returns the recorded connection, and the recorded statement if one is given, behind a live one.
    pub(crate) fn recorded(&self, statement: Option<u32>) -> (ConnectionId, Option<u32>) {
        let Some(statement) = statement else { return (self.session.connection, None) };
        if let Some(recorded) = self.numbers.get(&statement) {
            return (self.session.connection, Some(*recorded));
        }
        let earlier = self.before.iter().rev().find(|(first, _)| statement > *first);
        let (first, session) = match earlier {
            Some(earlier) if statement <= self.first => *earlier,
            _ => (self.first, self.session),
        };
        (session.connection, Some(under(first, session, statement)))
    }

    /// Returns the same as if it played this session.
    pub(crate) fn recorded_under(&self, session: Session, statement: Option<u32>) -> (ConnectionId, Option<u32>) {
        (session.connection, statement.map(|statement| under(self.first, session, statement)))
    }

    /// Returns the same as if it went on with this session after all that it has played.
    pub(crate) fn recorded_next(&self, session: Session, statement: Option<u32>) -> (ConnectionId, Option<u32>) {
        (session.connection, statement.map(|statement| under(self.used(), session, statement)))
    }

    /// Returns the recorded thread that the current thread of the program goes on with, and those that other threads go on with.
    pub(crate) fn threads(&self) -> (Option<u16>, Vec<u16>) {
        let this = super8_cassette::process::thread();
        let others = self.threads.iter().filter(|(thread, _)| **thread != this).map(|(_, recorded)| *recorded);
        (self.threads.get(&this).copied(), others.collect())
    }

    /// Notes that the current thread of the program goes on with a recorded thread.
    pub(crate) fn goes_on_as(&mut self, recorded: u16) {
        self.threads.insert(super8_cassette::process::thread(), recorded);
    }

    /// Notes which recorded statement of its session a statement is.
    pub(crate) fn is(&mut self, statement: u32, recorded: u32) {
        self.numbers.insert(statement, recorded);
    }

    /// Notes that a command is played.
    pub(crate) fn plays(&self, method: Method) {
        let is_done = self.is_done.load(Ordering::Relaxed);
        let now = !method.ends_transaction() && (is_done || !is_of_spare(method));
        if now != is_done {
            self.is_done.store(now, Ordering::Relaxed);
        }
    }

    /// Says whether a command ends a transaction in which nothing was done.
    pub(crate) fn ends_nothing(&self, method: Method) -> bool {
        method.ends_transaction() && !self.is_done.load(Ordering::Relaxed)
    }

    fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Notes that a statement is used.
    pub(crate) fn uses(&self, statement: Option<u32>) {
        self.used.fetch_max(statement.unwrap_or(0), Ordering::Relaxed);
        self.set_idle(false);
    }

    /// Sets whether the connection is idle: yes when the driver manager has checked whether it can be used again, no when it is used.
    pub(crate) fn set_idle(&self, idle: bool) {
        self.idle.store(idle, Ordering::Relaxed);
    }

    /// Says whether no statement is open and the driver manager has checked whether the connection can be used again.
    pub(crate) fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Relaxed)
    }

    /// Returns what is left of its session after `played` commands.
    fn remainder(&self, played: usize) -> Session {
        let Session { connection, begin, statements } = self.session;
        Session { connection, begin: begin + played, statements: statements + (self.used() - self.first) }
    }

    /// Goes on with another session, as a connection from a pool does.
    fn go_on(&mut self, session: Session) {
        self.before.push((self.first, self.session));
        self.numbers.clear();
        self.threads.clear();
        (self.session, self.first) = (session, self.used());
        self.set_idle(false);
    }
}

/// Returns the recorded number of a live connection's n-th statement.
fn under(first: u32, session: Session, statement: u32) -> u32 {
    session.statements.saturating_add(statement.saturating_sub(first))
}

/// Who has a recorded connection.
#[derive(Clone, Copy, Debug)]
enum Holder {
    Live(ConnectionId),
    /// Nobody any more. Its remainder may be a session.
    Past,
}

/// The live connections and the recorded ones they have.
#[derive(Debug, Default)]
pub(crate) struct SessionMatcher {
    pub(crate) connects: Connects,
    lives: BTreeMap<ConnectionId, LiveConnection>,
    /// The connects whose reply additional live connections got. These were not recorded, and have ids that no recorded
    /// connection has.
    additional: HashMap<ConnectionId, Connect>,
    holders: BTreeMap<ConnectionId, Holder>,
    /// Remainders of recorded connections that were closed before their end.
    remainders: Vec<Session>,
    /// All connects of the log before this one are taken.
    first_free: usize,
    /// The number of live connections so far.
    count: u32,
}

/// A session that a live connection may play, and who has it.
pub(crate) struct Choice {
    pub(crate) session: Session,
    pub(crate) holder: Option<ConnectionId>,
}

impl SessionMatcher {
    pub(crate) fn new(connects: Connects) -> SessionMatcher {
        SessionMatcher { connects, ..SessionMatcher::default() }
    }

    /// Opens a live connection on a recorded one, after this many of its statements. It never matches another one.
    pub(crate) fn open_at(&mut self, id: ConnectionId, connection: ConnectionId, statements: u32) {
        let session = Session { connection, begin: 0, statements };
        self.lives.insert(id, LiveConnection::new(Vec::new(), 0, session));
        self.count = id.0 + 1;
    }

    /// Switches to the connects of another part, which is the same so far.
    pub(crate) fn turn_to(&mut self, connects: Connects) {
        for live in self.lives.values_mut() {
            if let Some(connect) = connects.of(live.session.connection) {
                (live.group, live.groups) = (connect.group, vec![connect.group]);
            }
        }
        (self.connects, self.first_free) = (connects, 0);
        self.advance();
    }

    pub(crate) fn live(&self, id: ConnectionId) -> Option<&LiveConnection> {
        self.lives.get(&id)
    }

    pub(crate) fn live_mut(&mut self, id: ConnectionId) -> Option<&mut LiveConnection> {
        self.lives.get_mut(&id)
    }

    /// Returns the session of each live connection.
    pub(crate) fn held(&self) -> Vec<(ConnectionId, Session)> {
        self.lives.iter().map(|(id, live)| (*id, live.session)).collect()
    }

    /// Iterates over the open connections.
    pub(crate) fn open(&self) -> impl Iterator<Item = ConnectionId> {
        self.lives.iter().filter(|(_, live)| !live.ended).map(|(id, _)| *id)
    }

    /// Iterates over the free connects in recorded order.
    pub(crate) fn free(&self) -> impl Iterator<Item = &Connect> {
        let free = |connect: &&Connect| !self.holders.contains_key(&connect.connection);
        self.connects.from(self.first_free).iter().filter(free)
    }

    /// Says whether somebody has or had a recorded connection.
    pub(crate) fn is_taken(&self, connection: ConnectionId) -> bool {
        self.holders.contains_key(&connection)
    }

    /// Returns the live connection that is taken for a recorded one.
    pub(crate) fn holder(&self, connection: ConnectionId) -> Option<ConnectionId> {
        match self.holders.get(&connection)? {
            Holder::Live(live) => Some(*live),
            Holder::Past => None,
        }
    }

    /// Says whether a recorded connection is over.
    pub(crate) fn is_past(&self, connection: ConnectionId) -> bool {
        matches!(self.holders.get(&connection), Some(Holder::Past))
    }

    /// Iterates over the remainders that agree with one of these groups.
    pub(crate) fn remainders(&self, groups: &[Group]) -> impl Iterator<Item = Session> {
        self.remainders.iter().copied().filter(|remainder| self.agrees(groups, remainder.connection))
    }

    /// Says whether there are remainders of closed connections.
    pub(crate) fn has_remainders(&self) -> bool {
        !self.remainders.is_empty()
    }

    fn agrees(&self, groups: &[Group], connection: ConnectionId) -> bool {
        self.connects.of(connection).is_some_and(|connect| groups.contains(&connect.group))
    }

    /// Opens a live connection with this session and returns its id.
    pub(crate) fn opened(&mut self, groups: Vec<Group>, session: Session) -> ConnectionId {
        let id = ConnectionId(self.count);
        self.count += 1;
        let connect = self.connect_of(session.connection);
        let (group, succeeded) = connect.map_or((0, false), |connect| (connect.group, connect.succeeded));
        if !succeeded {
            self.holders.insert(session.connection, Holder::Past);
            self.advance();
            return id;
        }
        self.lives.insert(id, LiveConnection::new(groups, group, session));
        self.hold(session, id);
        id
    }

    /// Opens a live connection that was not recorded, like a recorded one that agrees with these groups. It counts as a
    /// spare, which is asked nothing. Returns its id and the connect whose reply it gets.
    pub(crate) fn opened_in_addition(&mut self, groups: &[Group]) -> Option<(ConnectionId, Connect)> {
        let like = self.connects.from(0).iter().find(|connect| connect.succeeded && groups.contains(&connect.group));
        let like = *like?;
        let last = self.connects.from(0).iter().map(|connect| connect.connection.0).max().unwrap_or_default();
        let own = ConnectionId(last + 1 + self.additional.len() as u32);
        self.additional.insert(own, like);
        let id = self.opened(groups.to_vec(), Session::fresh(own));
        Some((id, like))
    }

    /// Returns the recorded connection whose answers a connection has: for an additional one, the one whose connect it got.
    pub(crate) fn like(&self, connection: ConnectionId) -> ConnectionId {
        self.additional.get(&connection).map_or(connection, |like| like.connection)
    }

    /// Says whether the session is that of a spare, which is asked nothing.
    pub(crate) fn is_spare(&self, index: &Index, session: Session) -> bool {
        match self.connects.of(session.connection) {
            Some(connect) => index.is_skippable(connect.position),
            None => self.additional.contains_key(&session.connection),
        }
    }

    /// Returns the connect that opened a connection.
    fn connect_of(&self, connection: ConnectionId) -> Option<&Connect> {
        self.connects.of(connection).or_else(|| self.additional.get(&connection))
    }

    /// Forgets a live connection that the program closed. What it played stays taken.
    pub(crate) fn forget(&mut self, id: ConnectionId) {
        self.lives.remove(&id);
    }

    /// Closes a live connection that may still turn out to have another session.
    pub(crate) fn keep_ended(&mut self, id: ConnectionId) {
        if let Some(live) = self.lives.get_mut(&id) {
            live.ended = true;
        }
    }

    /// A connection is given up. What it played is free again, with its connect.
    pub(crate) fn give_up(&mut self, id: ConnectionId) {
        let Some(live) = self.lives.remove(&id) else { return };
        let of = live.session.connection;
        if matches!(self.holders.get(&of), Some(Holder::Live(holder)) if *holder == id) {
            self.holders.remove(&of);
            let number = self.connects.number(of).unwrap_or(self.first_free);
            self.first_free = self.first_free.min(number);
        }
    }

    /// Closes a live connection. If its session is not played to the end, the rest is kept for another connection.
    pub(crate) fn ended(&mut self, id: ConnectionId, complete: bool, played: Option<usize>, pooled: bool) {
        let Some(live) = self.lives.get_mut(&id) else { return };
        live.ended = true;
        match played {
            Some(played) if pooled && !complete => self.remainders.push(live.remainder(played)),
            // another live connection may turn out to be this one
            _ if !complete => return,
            _ => {}
        }
        self.holders.insert(live.session.connection, Holder::Past);
        self.lives.remove(&id);
    }

    /// Lets a live connection go on with another session.
    pub(crate) fn goes_on(&mut self, id: ConnectionId, session: Session) {
        let Some(live) = self.lives.get_mut(&id) else { return };
        self.holders.insert(live.session.connection, Holder::Past);
        live.go_on(session);
        self.hold(session, id);
    }

    /// Gives a live connection another session than assumed. The session it had becomes free, unless somebody has taken it.
    pub(crate) fn moves(&mut self, id: ConnectionId, session: Session) -> Option<Session> {
        let live = self.lives.get_mut(&id)?;
        let left = std::mem::replace(&mut live.session, session);
        let vacant = matches!(self.holders.get(&left.connection), Some(Holder::Live(holder)) if *holder == id);
        if vacant && left.begin == 1 {
            self.holders.remove(&left.connection);
            let number = self.connects.number(left.connection).unwrap_or(self.first_free);
            self.first_free = self.first_free.min(number);
        } else if vacant {
            self.holders.insert(left.connection, Holder::Past);
            self.remainders.push(left);
        }
        self.hold(session, id);
        vacant.then_some(left)
    }

    fn hold(&mut self, session: Session, id: ConnectionId) {
        self.remainders.retain(|remainder| *remainder != session);
        self.holders.insert(session.connection, Holder::Live(id));
        self.advance();
    }

    fn advance(&mut self) {
        let taken = |connect: &Connect| self.holders.contains_key(&connect.connection);
        self.first_free += self.connects.from(self.first_free).iter().take_while(|connect| taken(connect)).count();
    }

    /// Says whether a live connection may have this session, judging by its connect.
    pub(crate) fn may_be(&self, id: ConnectionId, session: Session) -> bool {
        let Some(live) = self.lives.get(&id) else { return false };
        let connect = self.connect_of(session.connection).filter(|connect| connect.succeeded);
        let replies = |connect: &Connect| session.begin > 1 || self.connects.same_reply(live.group, connect.group);
        connect.is_some_and(|connect| live.groups.contains(&connect.group) && replies(connect))
    }

    /// Returns the sessions that a live connection may play instead of its own: first those that nobody has, then the
    /// others, each in recorded order.
    pub(crate) fn choices(&self, id: ConnectionId) -> Vec<Choice> {
        let fresh = self.free().map(|connect| Session::fresh(connect.connection));
        let free = fresh.chain(self.remainders.iter().copied()).map(|session| Choice { session, holder: None });
        let others = self.lives.iter().filter(|(other, _)| **other != id);
        let mut held: Vec<Choice> =
            others.map(|(other, live)| Choice { session: live.session, holder: Some(*other) }).collect();
        held.sort_by_key(|choice| choice.session.connection);
        free.chain(held).filter(|choice| self.may_be(id, choice.session)).collect()
    }
}

/// The number of a group of connects with the same content.
pub(crate) type Group = u32;

/// The connects of a cassette.
#[derive(Debug, Default)]
pub(crate) struct Connects {
    /// All connects in recorded order.
    all: Vec<Connect>,
    /// One entry for each group.
    groups: Vec<Entry>,
    by_connection: HashMap<ConnectionId, u32>,
    /// Whether any completed connection string did not fit its buffer.
    cut: bool,
}

/// Returns the buffer that was given for a completed connection string, if the entry records it to tell replies apart.
fn buffer(entry: &Entry) -> Option<&Value> {
    entry.get(Key::Completed).and_then(|completed| completed.detail(Detail::Buffer))
}

/// A recorded connect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connect {
    pub(crate) position: u32,
    pub(crate) connection: ConnectionId,
    pub(crate) group: Group,
    pub(crate) succeeded: bool,
}

impl Connects {
    /// Reads the connects of a log.
    pub(crate) fn read(index: &Index, store: &dyn Store) -> Result<Connects, CassetteError> {
        let mut connects = Connects::default();
        let mut known: HashMap<Vec<u8>, Group> = HashMap::new();
        for position in index.connects() {
            let entry = store.checked_entry(index.slot(*position).place())?;
            let (connection, succeeded) = (entry.connection, entry.succeeded());
            connects.cut |= buffer(&entry).is_some();
            let mut content = Vec::new();
            yaml::emit_answer(&entry.fields, &mut content);
            let group = *known.entry(content).or_insert_with(|| {
                connects.groups.push(entry);
                connects.groups.len() as Group - 1
            });
            connects.by_connection.entry(connection).or_insert(connects.all.len() as u32);
            connects.all.push(Connect { position: *position, connection, group, succeeded });
        }
        Ok(connects)
    }

    /// Makes the connects of units, each with its position and group.
    pub(crate) fn of_units(units: Vec<(u32, Group)>) -> Connects {
        let connect = |(number, (position, group)): (usize, (u32, Group))| {
            let connection = ConnectionId(number as u32);
            Connect { position, connection, group, succeeded: true }
        };
        let all: Vec<Connect> = units.into_iter().enumerate().map(connect).collect();
        let by_connection = all.iter().map(|connect| (connect.connection, connect.connection.0)).collect();
        Connects { all, by_connection, ..Connects::default() }
    }

    /// Returns the connects from the n-th on, in recorded order.
    pub(crate) fn from(&self, first: usize) -> &[Connect] {
        self.all.get(first..).unwrap_or_default()
    }

    /// Returns the connect that opened a connection.
    pub(crate) fn of(&self, connection: ConnectionId) -> Option<&Connect> {
        self.number(connection).and_then(|number| self.all.get(number))
    }

    /// Returns the number of a connection's connect, from 0.
    pub(crate) fn number(&self, connection: ConnectionId) -> Option<usize> {
        self.by_connection.get(&connection).map(|number| *number as usize)
    }

    /// Returns the groups that agree with what is asked.
    pub(crate) fn agreeing(&self, asked: &Entry) -> Vec<Group> {
        let agrees = |(_, recorded): &(usize, &Entry)| difference(recorded, asked).is_none();
        self.groups.iter().enumerate().filter(agrees).map(|(group, _)| group as Group).collect()
    }

    /// Returns the first of these connects. If connection strings were cut, prefers one that gave the program as much
    /// as it asks for now.
    pub(crate) fn best<'c>(&self, mut free: impl Iterator<Item = &'c Connect>, asked: &Entry) -> Option<&'c Connect> {
        let Some(room) = buffer(asked).filter(|_| self.cut) else { return free.next() };
        free.min_by_key(|connect| {
            let recorded = self.groups.get(connect.group as usize);
            let rank = match recorded.and_then(buffer) {
                Some(buffer) if buffer == room => 0,
                None if recorded.is_some_and(|entry| entry.get(Key::Completed).is_some()) => 1,
                _ => 2,
            };
            (rank, connect.position)
        })
    }

    /// Says whether the connects of two groups told the program the same.
    pub(crate) fn same_reply(&self, one: Group, other: Group) -> bool {
        // `result` is for people and later questions, and the info file for later questions; the program sees only the rest
        let replies = |group: Group| {
            let entry = self.groups.get(group as usize);
            let replies = Key::ALL.iter().filter(|key| key.is_reply() && !matches!(key, Key::Result | Key::InfoFile));
            replies.map(move |key| entry.and_then(|entry| entry.get(*key)))
        };
        one == other || replies(one).eq(replies(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(session: Session) -> LiveConnection {
        LiveConnection::new(vec![0], 0, session)
    }

    #[test]
    fn statements_follow_the_session() {
        let (a, b) = (ConnectionId(0), ConnectionId(1));
        let mut one = live(Session::fresh(a));
        assert_eq!(one.recorded(Some(1)), (a, Some(1)));
        one.uses(Some(1));
        one.uses(Some(3));
        one.go_on(Session::fresh(b));
        assert_eq!(one.recorded(Some(4)), (b, Some(1)));
        assert_eq!(one.recorded(Some(2)), (a, Some(2)), "an earlier one stays what it was");
        assert_eq!(one.recorded(None), (b, None));
        one.uses(Some(5));
        // the rest of `b` after three of its commands and two statements, held by another connection
        let remainder = one.remainder(3);
        assert_eq!(remainder, Session { connection: b, begin: 4, statements: 2 });
        assert_eq!(live(remainder).recorded(Some(1)), (b, Some(3)));
    }
}
