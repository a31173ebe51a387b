//! Takes connections, statements and commands out of a recording. What is left keeps its ids, its comments and its layout.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::entry::{ConnectIdentity, Head, connect_identity};
use crate::schema::Class;
use crate::store::directory::COMMANDS;
use crate::store::{EntryRef, Member, Store, cassette_of_part, info_member, open, with_parts};
use crate::yaml::{Items, blocks};
use crate::{AnswerRules, CassetteError, ConnectionId, Fields, Key, Method, Value};

/// What to keep or to take out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `a`: a connection.
    Connection(ConnectionId),
    /// `a/3`: a statement.
    Statement(ConnectionId, u32),
    /// `7`: a command by its number, as reports count.
    Command(usize),
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Selector, String> {
        let wrong =
            || format!("`{text}` is not a connection (`a`), a statement (`a/3`) or the number of a command (`7`)");
        if let Ok(number) = text.parse() {
            return Ok(Selector::Command(number));
        }
        match text.split_once('/') {
            None => text.parse().map(Selector::Connection).map_err(|_| wrong()),
            Some((connection, statement)) => {
                let connection = connection.parse().map_err(|_| wrong())?;
                Ok(Selector::Statement(connection, statement.parse().map_err(|_| wrong())?))
            }
        }
    }
}

/// What a cassette is without what is taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// The cassette: a directory, or a trace's file.
    pub name: PathBuf,
    /// How many entries are taken out.
    pub taken: usize,
    /// How many entries are left.
    pub left: usize,
    /// The members that go with them.
    pub members: Vec<String>,
    /// Connections that are taken out, each with the one that gets its answers: another one with the same data source,
    /// which would lack them otherwise.
    pub moved: Vec<(ConnectionId, ConnectionId)>,
    /// The files that change, with their new content. `None`: the file is removed.
    pub files: Vec<(PathBuf, Option<Vec<u8>>)>,
}

/// Returns what a cassette is if only `keep` is kept (everything, if nothing is named) and `drop` is taken out. Writes nothing.
///
/// # Errors
/// The cassette cannot be read, was not finished or is written by hand; something that is named is not in it; or
/// nothing would be left.
pub fn trim(path: &Path, keep: &[Selector], drop: &[Selector]) -> Result<Trimmed, CassetteError> {
    let store = open(path)?;
    let metadata = store.metadata()?;
    let refused = |problem: &str| CassetteError::new(store.name(), problem);
    if metadata.made_by_hand {
        return Err(refused("is written by hand: take the entries out of commands.yml with an editor"));
    }
    if !metadata.complete {
        return Err(refused("the recording did not end cleanly").advice("record again, or `super8 recover` it"));
    }
    let mut entries = Vec::new();
    store.scan(&mut |place, head| {
        entries.push((place, head));
        Ok(())
    })?;
    let rules = AnswerRules::new(metadata.answers.iter().map(String::as_str)).unwrap_or_default();
    let mut answers = BTreeSet::new();
    for (place, head) in entries.iter().filter(|(_, head)| rules.may_name(head.method)) {
        if let Some(statement) = head.statement.filter(|_| store.entry(*place).is_ok_and(|entry| rules.name(&entry))) {
            answers.insert((head.connection, statement));
        }
    }
    let log = Log { store: &*store, answers, entries };
    let mut taken = vec![false; log.entries.len()];
    if !keep.is_empty() {
        taken.fill(true);
        for selector in keep {
            log.kept(*selector)?.into_iter().for_each(|at| taken[at] = false);
        }
    }
    for selector in drop {
        log.named(*selector)?.into_iter().for_each(|at| taken[at] = true);
    }
    if taken.iter().all(|taken| *taken) {
        return Err(refused("nothing would be left").advice("remove the cassette instead"));
    }
    log.trimmed(taken, path)
}

/// The log of a cassette.
struct Log<'s> {
    store: &'s dyn Store,
    /// The statements whose rows are answers, which are served to any connection in any order.
    answers: BTreeSet<(ConnectionId, u32)>,
    entries: Vec<(EntryRef, Head)>,
}

impl Log<'_> {
    fn refused(&self, problem: impl Into<String>) -> CassetteError {
        CassetteError::new(self.store.name(), problem)
    }

    fn all(&self, is: impl Fn(&Head) -> bool) -> Vec<usize> {
        (0..self.entries.len()).filter(|at| is(&self.entries[*at].1)).collect()
    }

    /// Iterates over the commands, which are numbered from 1.
    fn commands(&self) -> impl Iterator<Item = usize> {
        (0..self.entries.len()).filter(|at| self.entries[*at].1.method.class() == Class::Command)
    }

    /// Returns the entries that are kept for a selector. A statement also keeps its connection's entries that concern
    /// no statement, and its connection's answers with rows.
    fn kept(&self, selector: Selector) -> Result<Vec<usize>, CassetteError> {
        match selector {
            Selector::Command(number) => Err(self
                .refused(format!("a command cannot be kept by itself: {number}"))
                .advice("name its connection or its statement")),
            Selector::Connection(_) => self.named(selector),
            Selector::Statement(connection, _) => {
                let mut kept = self.named(selector)?;
                let is_shared = |statement| self.answers.contains(&(connection, statement));
                kept.extend(self.all(|head| head.connection == connection && head.statement.is_none_or(is_shared)));
                Ok(kept)
            }
        }
    }

    /// Returns the entries that a selector names.
    fn named(&self, selector: Selector) -> Result<Vec<usize>, CassetteError> {
        let (found, what) = match selector {
            Selector::Connection(id) => (self.all(|head| head.connection == id), format!("connection {id}")),
            Selector::Statement(id, statement) => {
                let own = self.all(|head| head.connection == id && head.statement == Some(statement));
                (own, format!("statement {id}/{statement}"))
            }
            Selector::Command(number) => (self.command(number)?, format!("command {number}")),
        };
        match found.is_empty() {
            false => Ok(found),
            true => Err(self.refused(match selector {
                Selector::Command(number) if (1..=self.commands().count()).contains(&number) => {
                    format!("{number} is an answer, and not a command")
                }
                _ => format!("there is no {what} in it"),
            })),
        }
    }

    /// Returns a command with what depends on it: an execution with its rows and results, a text with its executions. A
    /// statement that would be left without a text goes as a whole.
    fn command(&self, number: usize) -> Result<Vec<usize>, CassetteError> {
        let Some(at) = number.checked_sub(1).and_then(|number| self.commands().nth(number)) else {
            return Ok(Vec::new());
        };
        let Head { method, connection, statement, .. } = self.entries[at].1;
        if statement.is_some_and(|statement| self.answers.contains(&(connection, statement))) {
            return Ok(Vec::new());
        }
        if method == Method::Connect {
            return Err(self
                .refused(format!("command {number} connects {connection}, and what was asked on it would be left"))
                .advice(format!("take the connection out: --drop {connection}")));
        }
        let Some(statement) = statement else { return Ok(vec![at]) };
        let own = self.all(|head| head.connection == connection && head.statement == Some(statement));
        let of = |at: usize| self.entries[at].1.method;
        let gives_result = |method: Method| method.gives_new_text() || method == Method::Execute;
        let ends: &dyn Fn(Method) -> bool = match method {
            method if method.gives_new_text() => &|method: Method| method.gives_new_text(),
            Method::Execute => &gives_result,
            Method::MoreResults => &|method| gives_result(method) || method == Method::MoreResults,
            _ => return Ok(vec![at]),
        };
        // what is known of columns and parameters holds for the other executions too
        let is_shared = |other: usize| {
            method == Method::Execute
                && matches!(of(other), Method::Columns | Method::NumParams | Method::DescribeParam)
        };
        let behind = own.iter().copied().filter(|other| *other > at).take_while(|other| !ends(of(*other)));
        let mut taken: Vec<usize> = std::iter::once(at).chain(behind.filter(|other| !is_shared(*other))).collect();
        let is_left = |asks: &dyn Fn(Method) -> bool| own.iter().any(|at| !taken.contains(at) && asks(of(*at)));
        if !is_left(&gives_result) {
            taken = own;
        }
        Ok(taken)
    }

    fn trimmed(&self, mut taken: Vec<bool>, path: &Path) -> Result<Trimmed, CassetteError> {
        let left: HashSet<ConnectionId> = self.pick(&taken, false).map(|(_, head)| head.connection).collect();
        let gone: BTreeSet<ConnectionId> =
            self.pick(&taken, true).map(|(_, head)| head.connection).filter(|id| !left.contains(id)).collect();
        self.look_for_children(&gone, path)?;
        let heirs = self.heirs(&gone, &left)?;
        let adopted = self.adopt(&heirs, &mut taken);
        let (kept_members, taken_members) = (self.members_of(&taken, false)?, self.members_of(&taken, true)?);
        let infos: HashSet<String> = gone.iter().map(|id| info_member(*id)).collect();
        let members = self.store.members()?;
        let is_gone = |member: &&Member| {
            (infos.contains(&member.name) || taken_members.contains(&member.name))
                && !kept_members.contains(&member.name)
        };
        let gone_members: Vec<&Member> = members.iter().filter(is_gone).collect();
        // a file that others name stays
        let unnamed = heirs.iter().filter(|(from, _)| !kept_members.contains(&info_member(**from)));
        let moves = self.moves(unnamed.map(|(from, (to, _))| (*from, *to)))?;
        let left_something = |from: &ConnectionId| {
            moves.iter().any(|moved| moved.from == *from) || adopted.values().any(|(of, ..)| of == from)
        };
        let mut trimmed = Trimmed {
            name: self.store.name().to_owned(),
            taken: taken.iter().filter(|taken| **taken).count(),
            left: taken.iter().filter(|taken| !**taken).count(),
            members: gone_members.iter().map(|member| member.name.clone()).collect(),
            moved: heirs.iter().filter(|(from, _)| left_something(from)).map(|(from, (to, _))| (*from, *to)).collect(),
            files: Vec::new(),
        };
        match self.store.name().is_dir() {
            true => self.trim_directory((&taken, &adopted), &gone_members, &moves, &mut trimmed)?,
            false => self.trim_trace((&taken, &adopted), (&gone_members, &members), &moves, &mut trimmed)?,
        }
        Ok(trimmed)
    }

    fn pick<'l>(&'l self, taken: &'l [bool], is: bool) -> impl Iterator<Item = &'l (EntryRef, Head)> {
        self.entries.iter().zip(taken).filter(move |(_, taken)| **taken == is).map(|(entry, _)| entry)
    }

    /// Returns the members that these entries name.
    fn members_of(&self, taken: &[bool], is: bool) -> Result<HashSet<String>, CassetteError> {
        let mut members = HashSet::new();
        for (place, _) in self.pick(taken, is) {
            let entry = self.store.entry(*place)?;
            members.extend(entry.files().map(|(_, member)| member.to_owned()));
        }
        Ok(members)
    }

    /// Refuses to take out a connection that a forked child's part goes on with.
    fn look_for_children(&self, gone: &BTreeSet<ConnectionId>, path: &Path) -> Result<(), CassetteError> {
        let root = cassette_of_part(path).unwrap_or_else(|| path.to_owned());
        for part in with_parts(&root).into_iter().filter(|part| part != path && !gone.is_empty()) {
            let store = open(&part)?;
            let mut connects = Vec::new();
            store.scan(&mut |place, head| {
                connects.extend((head.method == Method::Connect).then_some(place));
                Ok(())
            })?;
            for place in connects {
                let parent =
                    store.entry(place)?.get(Key::Parent).and_then(Value::as_text).and_then(|id| id.parse().ok());
                if let Some(parent) = parent.filter(|parent| gone.contains(parent)) {
                    let (file, line) = store.locate(place);
                    let problem = format!("connection {parent} cannot go: a child process goes on with it");
                    return Err(self.refused(problem).advice(format!("see {}:{line}", file.display())));
                }
            }
        }
        Ok(())
    }

    /// Finds heirs. What a connection is told also holds for others with the same identity, and is not written again
    /// there. So each connection that goes has an heir: the first connection left with its identity, with the first
    /// free number for a statement.
    fn heirs(
        &self,
        gone: &BTreeSet<ConnectionId>,
        left: &HashSet<ConnectionId>,
    ) -> Result<BTreeMap<ConnectionId, (ConnectionId, u32)>, CassetteError> {
        let mut identities: Vec<(ConnectionId, ConnectIdentity)> = Vec::new();
        for (place, head) in self.entries.iter().filter(|(_, head)| head.method == Method::Connect) {
            identities.push((head.connection, connect_identity(&self.store.entry(*place)?)));
        }
        let of = |id: ConnectionId| identities.iter().find(|(known, _)| *known == id).map(|(_, own)| own);
        let heir = |from: ConnectionId| {
            let identity = of(from)?;
            let (to, _) = identities.iter().find(|(id, own)| left.contains(id) && own == identity)?;
            let statements = self.entries.iter().filter(|(_, head)| head.connection == *to);
            let free = statements.filter_map(|(_, head)| head.statement).max().unwrap_or(0) + 1;
            Some((from, (*to, free)))
        };
        Ok(gone.iter().filter_map(|from| heir(*from)).collect())
    }

    /// Gives the heirs the statements whose rows are answers.
    fn adopt(&self, heirs: &BTreeMap<ConnectionId, (ConnectionId, u32)>, taken: &mut [bool]) -> Adopted {
        let (mut adopted, mut numbers) = (Adopted::new(), BTreeMap::new());
        let mut next: HashMap<ConnectionId, u32> = HashMap::new();
        for (connection, statement) in &self.answers {
            if let Some((to, free)) = heirs.get(connection) {
                let next = next.entry(*to).or_insert(*free);
                numbers.insert((*connection, *statement), (*to, *next));
                *next += 1;
            }
        }
        for (at, (_, head)) in self.entries.iter().enumerate() {
            if let Some(statement) = head.statement
                && let Some(new) = numbers.get(&(head.connection, statement))
            {
                taken[at] = false;
                adopted.insert(at, (head.connection, statement, *new));
            }
        }
        adopted
    }

    /// Returns what the connections that go were told and their heirs need.
    fn moves(&self, heirs: impl Iterator<Item = (ConnectionId, ConnectionId)>) -> Result<Vec<Moved>, CassetteError> {
        let question = |answer: &Fields| -> Vec<(Key, Value)> {
            answer.iter().filter(|(key, _)| !key.is_reply()).cloned().collect()
        };
        let (mut moves, mut known) = (Vec::new(), HashMap::<ConnectionId, Vec<Vec<(Key, Value)>>>::new());
        for (from, to) in heirs {
            let answered = match known.entry(to) {
                std::collections::hash_map::Entry::Occupied(answered) => answered.into_mut(),
                std::collections::hash_map::Entry::Vacant(answered) => {
                    answered.insert(self.store.info(to)?.iter().map(question).collect())
                }
            };
            let mut items = Vec::new();
            for (at, answer) in self.store.info(from)?.iter().enumerate() {
                let asked = question(answer);
                let is_own = [Key::ConnectionId, Key::StatementId].iter().any(|key| answer.get(*key).is_some());
                if !is_own && !answered.contains(&asked) {
                    items.push(at);
                }
            }
            // an answer that changed has several items
            let moved = self.store.info(from)?;
            answered.extend(items.iter().map(|at| question(&moved[*at])));
            if !items.is_empty() {
                moves.push(Moved { from, to, items });
            }
        }
        Ok(moves)
    }

    /// Returns the text of an entry with the ids that it has on its connection's heir.
    fn renamed(&self, adopted: &Adopted, at: usize, block: Vec<u8>) -> Result<Vec<u8>, CassetteError> {
        let Some((connection, statement, (to, number))) = adopted.get(&at) else { return Ok(block) };
        let text = String::from_utf8_lossy(&block).into_owned();
        let put = |text: String, key: &str, was: String, is: String| {
            let forms = [format!("{key}: {was}"), format!("\"{key}\":{was}")];
            let found = forms.iter().find_map(|form| Some((text.find(form.as_str())? + form.len(), form)));
            found
                .filter(|(end, _)| !text[*end..].starts_with(|next: char| next.is_ascii_alphanumeric()))
                .map(|(end, _)| format!("{}{is}{}", &text[..end - was.len()], &text[end..]))
        };
        let ids = |id: &ConnectionId| if self.store.name().is_dir() { id.to_string() } else { format!("\"{id}\"") };
        put(text, Key::ConnectionId.name(), ids(connection), ids(to))
            .and_then(|text| put(text, Key::StatementId.name(), statement.to_string(), number.to_string()))
            .map(String::into_bytes)
            .ok_or_else(|| {
                let problem = format!("the ids of {connection}/{statement} are not written as super8 writes them");
                self.store.refuse(self.entries[at].0, Key::StatementId.name(), &problem)
            })
    }

    fn trim_directory(
        &self,
        (taken, adopted): (&[bool], &Adopted),
        gone: &[&Member],
        moves: &[Moved],
        trimmed: &mut Trimmed,
    ) -> Result<(), CassetteError> {
        let root = self.store.name();
        let read = |file: &Path| fs::read(file).map_err(|error| CassetteError::io(file, "read", &error));
        let log = root.join(COMMANDS);
        let rename = |at: usize, block: Vec<u8>| self.renamed(adopted, at, block);
        let starts: Vec<usize> = self.entries.iter().map(|(place, _)| place.line as usize - 1).collect();
        trimmed.files.push((log.clone(), Some(without(&read(&log)?, &starts, taken, &rename)?)));
        let mut infos: Vec<(PathBuf, Vec<u8>)> = Vec::new();
        for Moved { from, to, items } in moves {
            let (own, other) = (root.join(info_member(*from)), root.join(info_member(*to)));
            if !infos.iter().any(|(file, _)| *file == other) {
                let before = if other.exists() { read(&other)? } else { Vec::new() };
                infos.push((other.clone(), before));
            }
            let text = read(&own)?;
            let (mut all, mut item, mut at) = (Items::new(&text[..], &own), Vec::new(), 0);
            while all.next(&mut item)?.is_some() {
                let into = infos.iter_mut().find(|(file, _)| *file == other).filter(|_| items.contains(&at));
                if let Some((_, into)) = into {
                    into.extend_from_slice(&item);
                    if !into.ends_with(b"\n") {
                        into.push(b'\n');
                    }
                }
                at += 1;
            }
        }
        trimmed.files.extend(infos.into_iter().map(|(file, text)| (file, Some(text))));
        trimmed.files.extend(gone.iter().map(|member| (member.file.clone(), None)));
        Ok(())
    }

    fn trim_trace(
        &self,
        (taken, adopted): (&[bool], &Adopted),
        (gone, members): (&[&Member], &[Member]),
        moves: &[Moved],
        trimmed: &mut Trimmed,
    ) -> Result<(), CassetteError> {
        let file = self.store.name();
        let mut lines: HashSet<u32> = self.pick(taken, true).map(|(place, _)| place.line).collect();
        lines.extend(gone.iter().flat_map(|member| &member.lines));
        let mut renamed: HashMap<u32, (String, String)> = HashMap::new();
        for Moved { from, to, items } in moves {
            let member = members.iter().find(|member| member.name == info_member(*from));
            for line in items.iter().filter_map(|at| member?.lines.get(*at)) {
                lines.remove(line);
                renamed.insert(*line, (format!("\"{}\"", info_member(*from)), format!("\"{}\"", info_member(*to))));
            }
        }
        let text = fs::read_to_string(file).map_err(|error| CassetteError::io(file, "read", &error))?;
        let mut out = String::with_capacity(text.len());
        let numbers: HashMap<u32, usize> = adopted.keys().map(|at| (self.entries[*at].0.line, *at)).collect();
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            if let Some(at) = numbers.get(&number) {
                let line = self.renamed(adopted, *at, line.as_bytes().to_vec())?;
                out.push_str(&String::from_utf8_lossy(&line));
                continue;
            }
            match renamed.get(&number) {
                Some((was, is)) => out.push_str(&line.replacen(was, is, 1)),
                None if lines.contains(&number) => {}
                None => out.push_str(line),
            }
        }
        trimmed.files.push((file.to_owned(), Some(out.into_bytes())));
        Ok(())
    }
}

/// Entries that move to another connection: the connection and statement they had, and those they get.
type Adopted = BTreeMap<usize, (ConnectionId, u32, (ConnectionId, u32))>;

/// Answers about a connection that another one gets, by their places.
struct Moved {
    from: ConnectionId,
    to: ConnectionId,
    items: Vec<usize>,
}

/// Returns the log without the entries that are taken out. `starts` are the lines on which entries begin. A comment
/// right before an entry goes with it, except that of the first entry, which may belong to the file.
fn without(
    text: &[u8],
    starts: &[usize],
    taken: &[bool],
    rename: &dyn Fn(usize, Vec<u8>) -> Result<Vec<u8>, CassetteError>,
) -> Result<Vec<u8>, CassetteError> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let is_comment = |line: &[u8]| line.starts_with(b"#");
    let is_apart = |line: &[u8]| is_comment(line) || line.trim_ascii().is_empty();
    let blocks = blocks(&lines, starts, false);
    let mut out: Vec<u8> = lines[..blocks.first().map_or(0, |first| first.start)].concat();
    for (at, taken) in taken.iter().enumerate() {
        let block = &lines[blocks[at].clone()];
        if !taken {
            out.extend(rename(at, block.concat())?);
            continue;
        }
        // a comment that stands apart does not belong to the entry
        let tail = block.iter().rposition(|line| !is_apart(line)).map_or(block.len(), |last| last + 1);
        if block[tail..].iter().any(|line| is_comment(line)) {
            out.extend(block[tail..].concat());
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_selected() {
        let a = ConnectionId(0);
        assert_eq!("a".parse(), Ok(Selector::Connection(a)));
        assert_eq!("a/3".parse(), Ok(Selector::Statement(a, 3)));
        assert_eq!("7".parse(), Ok(Selector::Command(7)));
        for wrong in ["", "A", "a/", "a/x", "-1", "/3"] {
            assert!(wrong.parse::<Selector>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn comments_stay_where_they_belong() {
        let text = "# the file's\n- one\n  # inside\n\n# a section\n\n# of two\n- two\n  x: |\n    # text\n# of three\n- three\n";
        let starts = [1, 7, 11];
        let left = |taken: [bool; 3]| {
            String::from_utf8(without(text.as_bytes(), &starts, &taken, &|_, block| Ok(block)).unwrap()).unwrap()
        };
        assert_eq!(left([false; 3]), text);
        assert_eq!(
            left([false, true, false]),
            "# the file's\n- one\n  # inside\n\n# a section\n\n# of three\n- three\n"
        );
        assert_eq!(
            left([true, false, false]),
            "# the file's\n\n# a section\n\n# of two\n- two\n  x: |\n    # text\n# of three\n- three\n"
        );
        assert!(left([true, true, false]).ends_with("# a section\n\n# of three\n- three\n"));
    }
}
