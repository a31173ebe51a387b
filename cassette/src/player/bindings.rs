//! Which live value a recorded value stands for. The first value that a program sends where the recording has a volatile value is
//! bound to it, and from then on the recorded value means that one: in every parameter, every SQL text and every result.
//!
//! A value is found again in an exact list of spellings: see [`spellings`]. A value that is not on the list stays as it was
//! recorded.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use csv::ByteRecord;
use parking_lot::RwLock;

use super::volatile::{self, Volatile};
use crate::cell::{self, Cell};
use crate::redaction::secrets;
use crate::volatile_rules::{Kind, VolatileRules};
use crate::{Entry, Key, Method, Value};

/// A text that is marked by hand is bound from this length on: a shorter one may stand anywhere for something else.
const SHORTEST: usize = 6;

/// The live values that recorded ones stand for, and the rules by which values are volatile.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    rules: VolatileRules,
    table: RwLock<Table>,
    /// Something is bound.
    any: AtomicBool,
}

impl Bindings {
    pub(super) fn new(rules: VolatileRules) -> Bindings {
        Bindings { rules, ..Bindings::default() }
    }

    /// Whether an entry without marks is compared as it stands.
    pub(super) fn are_idle(&self) -> bool {
        self.rules.is_empty() && !self.are_any()
    }

    /// Whether any value is bound.
    pub(super) fn are_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// What the recorded entry says in this run. An error is a value that cannot stand for the recorded one.
    pub(super) fn expected<'r>(&self, recorded: &'r Entry, asked: &Entry) -> Result<Cow<'r, Entry>, Refused> {
        let table = self.table.read();
        let mut words = Words::new(&table, &self.rules);
        let expected = words.entry(recorded, asked);
        match words.refused {
            Some(refused) => Err(refused),
            None => Ok(expected),
        }
    }

    /// Binds what an entry that is played leaves open. `place` says where it stands.
    pub(super) fn bind(&self, recorded: &Entry, asked: &Entry, place: impl FnOnce() -> String) {
        let new = |table: &Table| {
            let mut words = Words::new(table, &self.rules);
            words.entry(recorded, asked);
            words.new
        };
        if new(&self.table.read()).values.is_empty() {
            return;
        }
        // another player of the cassette may have bound one of them by now
        let table = &mut *self.table.write();
        let new = new(table);
        table.adopt(new, &place());
        self.any.store(true, Ordering::Release);
    }

    /// What there is to say of the bound values of an entry that is not what is asked.
    pub(super) fn notes(&self, recorded: &Entry, asked: &Entry) -> Vec<String> {
        let table = self.table.read();
        let mut words = Words::new(&table, &self.rules);
        words.entry(recorded, asked);
        let mut notes: Vec<String> = Vec::new();
        for note in words.notes {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// A replied entry as it is in this run.
    pub(super) fn replied(&self, mut entry: Entry) -> Entry {
        if self.are_any() {
            let table = self.table.read();
            let words = Words::new(&table, &self.rules);
            for (key, value) in entry.fields.iter_mut().filter(|(key, _)| key.is_reply()) {
                if *key != Key::Return {
                    words.reply(value);
                }
            }
        }
        entry
    }

    /// Puts the live values into a recorded row.
    pub(super) fn row(&self, record: &mut ByteRecord) {
        let table = self.table.read();
        let words = Words::new(&table, &self.rules);
        let mut scratch = Vec::new();
        if record.iter().any(|field| words.field(field, &mut scratch).is_some()) {
            let fields = record.iter().map(|field| match words.field(field, &mut scratch) {
                Some(live) => Cow::Owned(live),
                None => Cow::Borrowed(field),
            });
            *record = fields.collect();
        }
    }
}

/// A value that cannot stand for the recorded one.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) place: String,
    pub(super) recorded: String,
    pub(super) asked: String,
}

/// One spelling of a recorded value.
#[derive(Clone, Debug)]
struct Form {
    /// `None`: several recorded values are spelled so, and their live values are not.
    live: Option<String>,
    rank: Rank,
}

/// How sure it is that a spelling is that of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A part of it is cut off.
    Cut,
    /// It says all of the value.
    Whole,
    /// As the program wrote it.
    Written,
}

/// A recorded value and what it stands for.
#[derive(Clone, Debug)]
struct Bound {
    recorded: String,
    live: String,
    live_canonical: String,
    place: String,
}

#[derive(Debug, Default)]
struct Table {
    values: HashMap<String, Bound>,
    /// The recorded value that a live one stands for.
    standing: HashMap<String, String>,
    forms: HashMap<String, Form>,
    bytes: HashMap<Vec<u8>, Vec<u8>>,
    /// Parts of SQL texts that are named by hand: they may stand anywhere in a text.
    parts: Vec<(String, String)>,
    kinds: [bool; Kind::ALL.len()],
    /// A text that is of no kind is bound.
    has_texts: bool,
}

impl Table {
    fn adopt(&mut self, new: Table, place: &str) {
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

    fn add(&mut self, kind: Option<Kind>, recorded: &str, live: &str, place: &str) {
        let (was, is) = (canonical(kind, recorded), canonical(kind, live));
        for (spelled, live, rank) in spellings(kind, recorded, live) {
            self.form(spelled, Form { live: Some(live), rank });
        }
        match kind {
            Some(kind) => self.kinds[kind as usize] = true,
            None => self.has_texts = true,
        }
        if let (Some(Kind::Uuid), Some(was), Some(is)) = (kind, uuid_bytes(recorded), uuid_bytes(live)) {
            self.bytes.insert(was.to_vec(), is.to_vec());
            self.bytes.insert(mixed_endian(was).to_vec(), mixed_endian(is).to_vec());
        }
        self.standing.insert(is.clone(), was.clone());
        let (recorded, live, place) = (recorded.to_owned(), live.to_owned(), place.to_owned());
        self.values.insert(was, Bound { recorded, live, live_canonical: is, place });
    }
}

/// The table, and what one entry adds to it.
struct Words<'t> {
    base: &'t Table,
    new: Table,
    rules: &'t VolatileRules,
    refused: Option<Refused>,
    notes: Vec<String>,
}

/// A part of a text that is, or may be, a value of its own.
struct Token {
    range: Range<usize>,
    kind: Option<Kind>,
    is_volatile: bool,
}

impl<'t> Words<'t> {
    fn new(base: &'t Table, rules: &'t VolatileRules) -> Words<'t> {
        Words { base, new: Table::default(), rules, refused: None, notes: Vec::new() }
    }

    fn known(&self, spelled: &str) -> Option<&str> {
        let form = self.new.forms.get(spelled).or_else(|| self.base.forms.get(spelled))?;
        form.live.as_deref()
    }

    fn known_bytes(&self, bytes: &[u8]) -> Option<&[u8]> {
        self.new.bytes.get(bytes).or_else(|| self.base.bytes.get(bytes)).map(Vec::as_slice)
    }

    fn bound(&self, canonical: &str) -> Option<&Bound> {
        self.new.values.get(canonical).or_else(|| self.base.values.get(canonical))
    }

    fn has_texts(&self) -> bool {
        self.new.has_texts || self.base.has_texts
    }

    /// Binds a recorded value, or says why not.
    fn bind(&mut self, kind: Option<Kind>, recorded: &str, live: &str, place: &str) -> bool {
        let (was, is) = (canonical(kind, recorded), canonical(kind, live));
        if let Some(bound) = self.bound(&was) {
            if bound.live_canonical == is {
                return true;
            }
            let note = means(bound);
            self.refuse(place, recorded, live, note);
            return false;
        }
        let standing = self.new.standing.get(&is).or_else(|| self.base.standing.get(&is));
        if let Some(other) = standing.and_then(|other| self.bound(other)) {
            let note = format!(
                "{live:?} stands for {:?} of the recording already, since {}: two recorded values that differ stay different",
                other.recorded, other.place
            );
            self.refuse(place, recorded, live, note);
            return false;
        }
        self.new.add(kind, recorded, live, place);
        true
    }

    fn refuse(&mut self, place: &str, recorded: &str, live: &str, note: String) {
        self.notes.push(note);
        let (place, recorded, asked) = (place.to_owned(), recorded.to_owned(), live.to_owned());
        self.refused.get_or_insert(Refused { place, recorded, asked });
    }

    /// The inputs of the recorded entry as they are in this run. Connects are compared by their own rules.
    fn entry<'r>(&mut self, recorded: &'r Entry, asked: &Entry) -> Cow<'r, Entry> {
        let mut expected = Cow::Borrowed(recorded);
        if recorded.method == Method::Connect {
            return expected;
        }
        let asked = secrets::accepted(recorded, asked);
        for at in 0..recorded.fields.len() {
            let (key, was) = &recorded.fields[at];
            let (Key::Sql | Key::Params | Key::Values | Key::Arguments, Some(is)) = (*key, asked.get(*key)) else {
                continue;
            };
            let found = match (key, was, is) {
                (Key::Sql, Value::Text(was), Value::Text(is)) => Value::Text(self.sql(recorded, was, is)),
                (Key::Params, Value::List(was), Value::List(is)) => self.parameters(recorded, was, is),
                _ => {
                    let marked = |name: &str| {
                        volatile::items(recorded).any(
                            |item| matches!(item, Volatile::Argument(named) if *key == Key::Arguments && named == name),
                        )
                    };
                    self.value(was, is, key.name(), &marked, false)
                }
            };
            if found != *was {
                expected.to_mut().fields[at].1 = found;
            }
        }
        expected
    }

    fn sql(&mut self, recorded: &Entry, was: &str, is: &str) -> String {
        let expected = self.text(was, is, true, false, "sql");
        let parts = volatile::parts(recorded);
        if expected == is || parts.is_empty() {
            return expected;
        }
        let Some(pairs) = volatile::replaced(&expected, is, &parts) else { return expected };
        let mut fits = true;
        for (part, live) in pairs {
            if part.len() >= SHORTEST {
                let kind = kind_of(part).filter(|kind| kind_of(live) == Some(*kind));
                fits &= self.bind(kind, part, live, "sql");
                if kind.is_none() && fits && part != live {
                    self.new.parts.push((part.to_owned(), live.to_owned()));
                }
            }
        }
        if fits { is.to_owned() } else { expected }
    }

    fn parameters(&mut self, recorded: &Entry, was: &[Value], is: &[Value]) -> Value {
        let marked: Vec<usize> = volatile::items(recorded)
            .filter_map(|item| if let Volatile::Parameter(number) = item { Some(number) } else { None })
            .collect();
        self.set(was, is, &marked)
    }

    fn set(&mut self, was: &[Value], is: &[Value], marked: &[usize]) -> Value {
        let expected = was.iter().enumerate().map(|(at, was)| match (was, is.get(at)) {
            (Value::List(was), Some(Value::List(is))) => self.set(was, is, marked),
            (was, Some(is)) => {
                let place = format!("parameter {}", at + 1);
                self.value(was, is, &place, &|_| false, marked.contains(&(at + 1)))
            }
            (was, None) => was.clone(),
        });
        Value::List(expected.collect())
    }

    /// `whole`: the value is marked by hand.
    fn value(&mut self, was: &Value, is: &Value, place: &str, marked: &dyn Fn(&str) -> bool, whole: bool) -> Value {
        match (was, is) {
            (Value::Text(was), Value::Text(is)) => Value::Text(self.text(was, is, false, whole, place)),
            (Value::List(was), Value::List(list)) => {
                let expected = was.iter().enumerate().map(|(at, was)| match list.get(at) {
                    Some(is) => self.value(was, is, place, marked, whole),
                    None => was.clone(),
                });
                Value::List(expected.collect())
            }
            (Value::Map(was), Value::Map(_)) => {
                let expected = was.iter().map(|(name, was)| {
                    let found = match (was, is.get(name)) {
                        (Value::Text(bytes), Some(Value::Text(other))) if bytes.starts_with("\\x") => {
                            Value::Text(self.binary(bytes, other, whole, place))
                        }
                        (was, Some(is)) => self.value(was, is, place, marked, whole || marked(name)),
                        (was, None) => was.clone(),
                    };
                    (name.clone(), found)
                });
                Value::Map(expected.collect())
            }
            (was, _) => was.clone(),
        }
    }

    /// Bytes as the log writes them.
    fn binary(&mut self, was: &str, is: &str, whole: bool, place: &str) -> String {
        let (Some(old), Some(new)) = (bytes_of(was), bytes_of(is)) else { return was.to_owned() };
        if let Some(live) = self.known_bytes(&old) {
            let live = field_of(live);
            if live != is {
                let note = self.bound(&uuid_text(&old).unwrap_or_default()).map(means);
                self.notes.extend(note);
                if whole {
                    self.refuse(place, &live, is, "the value is bound already".to_owned());
                }
            }
            return live;
        }
        if !whole {
            return was.to_owned();
        }
        if let (Some(old), Some(new)) = (uuid_text(&old), uuid_text(&new))
            && !self.bind(Some(Kind::Uuid), &old, &new, place)
        {
            return was.to_owned();
        }
        is.to_owned()
    }

    /// The recorded text as it is in this run; what is open in it is bound to what stands there in the text that is asked.
    fn text(&mut self, was: &str, is: &str, sql: bool, whole: bool, place: &str) -> String {
        if !sql {
            let core = was.trim_end_matches(' ');
            if let Some(live) = self.known(core) {
                let live = padded(live, was, core);
                if live != is {
                    self.tell(core);
                    if whole {
                        self.refuse(place, &live, is, String::new());
                    }
                }
                return live;
            }
            if whole {
                let other = is.trim_end_matches(' ');
                let kind = kind_of(core).filter(|kind| kind_of(other) == Some(*kind));
                let fits = kind.is_none() && core.len() < SHORTEST || other.is_empty() || {
                    let (core, other) = (unbraced(core, kind), unbraced(other, kind));
                    self.bind(kind, core, other, place)
                };
                return if fits { is.to_owned() } else { was.to_owned() };
            }
        }
        let tokens = self.tokens(was);
        if tokens.is_empty() {
            return self.between(was, sql).into_owned();
        }
        let open =
            |words: &Words<'_>, token: &Token| token.is_volatile && words.known(&was[token.range.clone()]).is_none();
        let others = if tokens.iter().any(|token| open(self, token)) { self.tokens(is) } else { Vec::new() };
        let pairs = tokens.len() == others.len();
        let (mut expected, mut end) = (String::with_capacity(was.len()), 0);
        for (at, token) in tokens.iter().enumerate() {
            expected.push_str(&self.between(&was[end..token.range.start], sql));
            end = token.range.end;
            let recorded = &was[token.range.clone()];
            let other = others.get(at).filter(|other| pairs && other.kind == token.kind);
            match (self.known(recorded), other) {
                (Some(live), _) => {
                    let live = live.to_owned();
                    if !is.contains(&live) {
                        self.tell(recorded);
                    }
                    expected.push_str(&live);
                }
                (None, Some(other)) if token.is_volatile => {
                    let live = &is[other.range.clone()];
                    let fits = self.bind(token.kind, recorded, live, place);
                    expected.push_str(if fits { live } else { recorded });
                }
                _ => expected.push_str(recorded),
            }
        }
        expected.push_str(&self.between(&was[end..], sql));
        expected
    }

    /// Notes what a bound value means.
    fn tell(&mut self, spelled: &str) {
        let bound = [kind_of(spelled), None].into_iter().find_map(|kind| self.bound(&canonical(kind, spelled)));
        let note = bound.map(means);
        self.notes.extend(note);
    }

    /// A part of a text that is of no kind: literals of SQL, and parts that are named by hand.
    fn between<'p>(&self, text: &'p str, sql: bool) -> Cow<'p, str> {
        let mut text = Cow::Borrowed(text);
        for (part, live) in self.base.parts.iter().chain(&self.new.parts) {
            if let Some(replaced) = with_part(&text, part, live) {
                text = Cow::Owned(replaced);
            }
        }
        if sql
            && self.has_texts()
            && text.contains('\'')
            && let Some(replaced) = self.literals(&text)
        {
            text = Cow::Owned(replaced);
        }
        text
    }

    /// The text with the bound values that stand in it as literals: a quote in them is doubled.
    fn literals(&self, text: &str) -> Option<String> {
        let (mut out, mut rest, mut changed) = (String::new(), text, false);
        while let Some(begin) = rest.find('\'') {
            let (head, literal) = rest.split_at(begin + 1);
            out.push_str(head);
            let mut end = 0;
            loop {
                match literal[end..].find('\'') {
                    None => {
                        out.push_str(literal);
                        return changed.then_some(out);
                    }
                    Some(at) if literal[end + at + 1..].starts_with('\'') => end += at + 2,
                    Some(at) => {
                        end += at;
                        break;
                    }
                }
            }
            match self.known(&literal[..end].replace("''", "'")) {
                Some(live) => {
                    out.push_str(&live.replace('\'', "''"));
                    changed = true;
                }
                None => out.push_str(&literal[..end]),
            }
            out.push('\'');
            rest = &literal[end + 1..];
        }
        out.push_str(rest);
        changed.then_some(out)
    }

    /// The values that stand in a text by themselves.
    fn tokens(&self, text: &str) -> Vec<Token> {
        let mut tokens: Vec<Token> = self
            .rules
            .patterns()
            .flat_map(|pattern| pattern.find_iter(text))
            .filter(|found| !found.is_empty())
            .map(|found| Token { range: found.range(), kind: None, is_volatile: true })
            .collect();
        tokens.sort_by_key(|token| (token.range.start, usize::MAX - token.range.end));
        let mut end = 0;
        tokens.retain(|token| {
            let apart = token.range.start >= end;
            if apart {
                end = token.range.end;
            }
            apart
        });
        let active = |kind: Kind| {
            let at = kind as usize;
            self.rules.names(kind) || self.base.kinds[at] || self.new.kinds[at]
        };
        if Kind::ALL.into_iter().any(active) {
            let mut at = 0;
            while let Some((range, kind)) = next_token(text, at) {
                at = range.end;
                let apart = tokens.iter().all(|token| token.range.end <= range.start || token.range.start >= range.end);
                if active(kind) && apart {
                    let is_volatile = self.rules.names(kind) && !may_be_digest(&text[range.clone()]);
                    tokens.push(Token { range, kind: Some(kind), is_volatile });
                }
            }
            tokens.sort_by_key(|token| token.range.start);
        }
        tokens
    }

    /// A recorded text as it is in this run.
    fn live(&self, was: &str) -> Option<String> {
        let core = was.trim_end_matches(' ');
        if let Some(live) = self.known(core) {
            return Some(padded(live, was, core));
        }
        let (mut out, mut end) = (String::new(), 0);
        for token in self.tokens(was) {
            if let Some(live) = self.known(&was[token.range.clone()]) {
                out.push_str(&self.between(&was[end..token.range.start], false));
                out.push_str(live);
                end = token.range.end;
            }
        }
        out.push_str(&self.between(&was[end..], false));
        (out != was).then_some(out)
    }

    fn reply(&self, value: &mut Value) {
        match value {
            Value::Text(text) => {
                let live = match bytes_of(text) {
                    Some(bytes) => self.known_bytes(&bytes).map(field_of),
                    None => self.live(text),
                };
                if let Some(live) = live {
                    *text = live;
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.reply(item)),
            Value::Map(pairs) => pairs.iter_mut().for_each(|(_, value)| self.reply(value)),
            _ => {}
        }
    }

    /// A recorded cell as it is in this run.
    fn field(&self, field: &[u8], scratch: &mut Vec<u8>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        // what cannot be read is told when it is read
        match cell::decode(field, scratch).ok()? {
            Cell::Text(text) | Cell::Plain(text) => {
                let live = self.live(std::str::from_utf8(text).ok()?)?;
                cell::encode(Cell::Text(live.as_bytes()), &mut out);
            }
            Cell::Bytes(bytes) => _ = cell::encode(Cell::Bytes(self.known_bytes(bytes)?), &mut out),
            Cell::Unread | Cell::Null | Cell::Cut { .. } => return None,
        }
        Some(out)
    }
}

/// What a bound value means.
fn means(bound: &Bound) -> String {
    format!("{:?} of the recording is {:?} in this run, since {}", bound.recorded, bound.live, bound.place)
}

/// The live value, filled up with blanks as a CHAR column did with the recorded one, whose own text is `core`.
fn padded(live: &str, was: &str, core: &str) -> String {
    let width = if was == core { 0 } else { was.chars().count() };
    format!("{live:width$}")
}

/// The text with a part replaced where it stands as a word.
fn with_part(text: &str, part: &str, live: &str) -> Option<String> {
    let is_word =
        |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric() || character == '_');
    let (mut out, mut end) = (String::new(), 0);
    for (at, _) in text.match_indices(part) {
        let behind = at + part.len();
        if !is_word(text[..at].chars().next_back()) && !is_word(text[behind..].chars().next()) {
            out.push_str(&text[end..at]);
            out.push_str(live);
            end = behind;
        }
    }
    (end > 0).then(|| out + &text[end..])
}

/// The kind of a whole text, which may be in braces.
fn kind_of(text: &str) -> Option<Kind> {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let (range, kind) = next_token(bare, 0)?;
    (range == (0..bare.len()) && (bare.len() == text.len() || kind == Kind::Uuid)).then_some(kind)
}

fn unbraced(text: &str, kind: Option<Kind>) -> &str {
    match kind {
        Some(Kind::Uuid) => text.trim_start_matches('{').trim_end_matches('}'),
        _ => text,
    }
}

/// The first value of a kind at or behind a place, that is no part of a longer word.
fn next_token(text: &str, from: usize) -> Option<(Range<usize>, Kind)> {
    let bytes = text.as_bytes();
    let is_word =
        |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80);
    let mut at = from;
    while at < bytes.len() {
        let after_x = at > 0 && bytes[at - 1].eq_ignore_ascii_case(&b'x');
        if bytes[at].is_ascii_hexdigit() && (at == 0 || !is_word(at - 1) || after_x) {
            let found = token_at(&bytes[at..]).filter(|(length, kind)| {
                let end = at + length;
                let zone = *kind == Kind::Timestamp && bytes.get(end) == Some(&b'Z') && !is_word(end + 1);
                (!is_word(end) || zone) && (!after_x || (*length, *kind) == (32, Kind::Uuid))
            });
            if let Some((length, kind)) = found {
                return Some((at..at + length, kind));
            }
        }
        at += 1;
    }
    None
}

/// The length of the value that a text begins with, and its kind.
fn token_at(bytes: &[u8]) -> Option<(usize, Kind)> {
    let shaped = |bytes: &[u8], shape: &str| {
        bytes.len() >= shape.len()
            && shape.bytes().zip(bytes).all(|(shape, byte)| match shape {
                b'h' => byte.is_ascii_hexdigit(),
                b'd' => byte.is_ascii_digit(),
                other => other == *byte,
            })
    };
    let fraction = |bytes: &[u8]| match bytes {
        [b'.', digits @ ..] => match digits.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            count @ 1..=9 => count + 1,
            _ => 0,
        },
        _ => 0,
    };
    if shaped(bytes, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh") {
        return Some((36, Kind::Uuid));
    }
    if bytes.len() >= 32 && bytes[..32].iter().all(u8::is_ascii_hexdigit) {
        return Some((32, Kind::Uuid));
    }
    if shaped(bytes, "dddd-dd-dd") {
        let time = bytes.get(11..).filter(|time| matches!(bytes[10], b' ' | b'T') && shaped(time, "dd:dd:dd"));
        return Some(match time {
            Some(time) => (19 + fraction(&time[8..]), Kind::Timestamp),
            None => (10, Kind::Date),
        });
    }
    shaped(bytes, "dd:dd:dd").then(|| (8 + fraction(&bytes[8..]), Kind::Time))
}

/// Whether a text of 32 hexadecimal digits does not have the version and the variant of a GUID.
fn may_be_digest(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 32
        && !(matches!(bytes[12], b'1'..=b'8') && matches!(bytes[16], b'8' | b'9' | b'a' | b'b' | b'A' | b'B'))
}

/// The one text for all spellings of a value.
fn canonical(kind: Option<Kind>, text: &str) -> String {
    match kind {
        Some(Kind::Uuid) => uuid_bytes(text).and_then(|bytes| uuid_text(&bytes)).unwrap_or_else(|| text.to_owned()),
        Some(Kind::Timestamp | Kind::Time) => {
            let text = text.replace('T', " ");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        Some(Kind::Date) => text.to_owned(),
        None => format!("={text}"),
    }
}

/// Every spelling in which a recorded value is found, with the live value in the same spelling.
///
/// - a GUID in lower and in upper case, with and without hyphens;
/// - a timestamp with a blank or `T`, and a time, with 0 to 9 digits of its fraction;
/// - any other text as it is, in lower and in upper case.
fn spellings(kind: Option<Kind>, recorded: &str, live: &str) -> Vec<(String, String, Rank)> {
    let mut all = vec![(recorded.to_owned(), live.to_owned(), Rank::Written)];
    let (was, is) = (canonical(kind, recorded), canonical(kind, live));
    match kind {
        Some(Kind::Uuid) => {
            let plain = |text: &str| text.replace('-', "");
            for (was, is) in [(was.clone(), is.clone()), (plain(&was), plain(&is))] {
                all.push((was.to_uppercase(), is.to_uppercase(), Rank::Whole));
                all.push((was, is, Rank::Whole));
            }
        }
        Some(Kind::Timestamp | Kind::Time) => {
            let split = |text: &str| match text.split_once('.') {
                Some((head, fraction)) => (head.to_owned(), format!("{fraction:0<9}")),
                None => (text.to_owned(), "0".repeat(9)),
            };
            let bare = is.clone();
            let ((was, old), (is, new)) = (split(&was), split(&is));
            let significant = old.trim_end_matches('0').len();
            for digits in 0..=9 {
                let spelled = |head: &str, fraction: &str| match digits {
                    0 => head.to_owned(),
                    _ => format!("{head}.{}", &fraction[..digits]),
                };
                let rank = if digits < significant { Rank::Cut } else { Rank::Whole };
                // a fraction that says all of the value may be without the zeros at its end: then so is the live one
                let live = match digits == significant {
                    true if recorded.len() == spelled(&was, &old).len() => live.replace('T', " "),
                    true => bare.clone(),
                    false => spelled(&is, &new),
                };
                let (was, is) = (spelled(&was, &old), live);
                if kind == Some(Kind::Timestamp) {
                    all.push((was.replace(' ', "T"), is.replace(' ', "T"), rank));
                }
                all.push((was, is, rank));
            }
        }
        Some(Kind::Date) => {}
        None => {
            all.push((recorded.to_lowercase(), live.to_lowercase(), Rank::Cut));
            all.push((recorded.to_uppercase(), live.to_uppercase(), Rank::Cut));
        }
    }
    // of two ways to the same spelling the surer one counts
    all.sort_by(|(was, _, rank), (other, _, than)| was.cmp(other).then(than.cmp(rank)));
    all.dedup_by(|(was, ..), (before, ..)| was == before);
    all
}

fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    bytes_of(&format!("\\x{digits}"))?.try_into().ok()
}

fn uuid_text(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let hex = field_of(&bytes);
    let hex = hex.strip_prefix("\\x")?;
    Some([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// A GUID's bytes as Microsoft keeps them: the first three groups with their last byte first.
fn mixed_endian(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

/// The bytes of a field that has bytes.
fn bytes_of(field: &str) -> Option<Vec<u8>> {
    let hex = field.strip_prefix("\\x")?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = hex.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => Some((digit(high)? << 4 | digit(low)?) as u8),
        _ => None,
    });
    pairs.collect()
}

fn field_of(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    cell::encode(Cell::Bytes(bytes), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::compare::Comparison;
    use super::*;
    use crate::ConnectionId;

    fn bindings(rules: &[(&str, &str)]) -> Arc<Bindings> {
        let rules = rules.iter().map(|(key, value)| Value::Map(vec![((*key).to_owned(), (*value).into())]));
        Arc::new(Bindings::new(VolatileRules::new(&rules.collect::<Vec<_>>()).unwrap()))
    }

    fn run(sql: &str, params: &[&str]) -> Entry {
        let params: Vec<Value> = params.iter().map(|text| Value::from(*text)).collect();
        Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, sql).with(Key::Params, Value::List(params))
    }

    /// Plays an entry if it is what is asked.
    fn play(bindings: &Arc<Bindings>, recorded: &Entry, asked: &Entry) -> bool {
        let comparison = Comparison { comments: true, bindings: Arc::clone(bindings) };
        let same = comparison.difference(recorded, asked).is_none();
        if same {
            comparison.bind(recorded, asked, || "commands.yml:7".to_owned());
        }
        same
    }

    fn cell(bindings: &Bindings, field: &str) -> String {
        let mut record = ByteRecord::from(vec![field.as_bytes().to_vec()]);
        bindings.row(&mut record);
        String::from_utf8(record[0].to_vec()).unwrap()
    }

    fn guid(number: u128) -> String {
        uuid_text(&number.to_be_bytes()).unwrap()
    }

    proptest! {
        #[test]
        fn a_guid_is_found_in_every_spelling(recorded: u128, live: u128, other: u128) {
            prop_assume!(recorded != live && live != other && recorded != other);
            let (was, is, other) = (guid(recorded), guid(live), guid(other));
            let bindings = bindings(&[("type", "uuid")]);
            prop_assert!(play(&bindings, &run("s", &[&was]), &run("s", &[&is])));
            let spelled = |text: &str| {
                let plain = text.replace('-', "");
                let bytes = uuid_bytes(text).unwrap();
                [
                    text.to_owned(),
                    text.to_uppercase(),
                    format!("{{{}}}", text.to_uppercase()),
                    plain.to_uppercase(),
                    format!("{text}    "),
                    format!("duplicate key (id)=({text})"),
                    field_of(&bytes),
                    field_of(&mixed_endian(bytes)),
                    plain,
                ]
            };
            for (was, is) in spelled(&was).into_iter().zip(spelled(&is)) {
                prop_assert_eq!(cell(&bindings, &was), is);
            }
            let sql = |id: &str| format!("select * from t where id = '{id}' or b = x'{}'", id.replace('-', ""));
            prop_assert!(play(&bindings, &run(&sql(&was), &[]), &run(&sql(&is), &[])));
            prop_assert!(!play(&bindings, &run(&sql(&was), &[]), &run(&sql(&other), &[])), "a second value");
            prop_assert!(!play(&bindings, &run("s", &[&was]), &run("s", &[&was])), "the recorded value");
            prop_assert!(!play(&bindings, &run("s", &[&other]), &run("s", &[&is])), "two become one");
            prop_assert_eq!(cell(&bindings, &other), other);
        }

        #[test]
        fn fractions_are_cut(micros in 0u32..1_000_000, live in 0u32..1_000_000) {
            let bindings = bindings(&[("type", "timestamp")]);
            let (was, is) = (format!("2026-11-29 12:00:00.{micros:06}"), format!("2027-01-02 03:04:05.{live:06}"));
            prop_assert!(play(&bindings, &run("s", &[&was]), &run("s", &[&is])));
            prop_assert_eq!(cell(&bindings, &was), is.clone());
            prop_assert_eq!(cell(&bindings, &was.replace(' ', "T")), is.replace(' ', "T"));
            let significant = format!("{micros:06}").trim_end_matches('0').len();
            for digits in (1..6).filter(|digits| *digits != significant) {
                prop_assert_eq!(cell(&bindings, &was[..20 + digits]), is[..20 + digits].to_owned());
            }
            if significant > 0 {
                prop_assert_eq!(cell(&bindings, &was[..19]), is[..19].to_owned());
            }
            if (1..6).contains(&significant) {
                let bare = if live == 0 { &is[..19] } else { is.trim_end_matches('0') };
                prop_assert_eq!(cell(&bindings, was.trim_end_matches('0')), bare.to_owned());
            }
        }
    }

    #[test]
    fn a_spelling_of_two_values_is_none() {
        let bindings = bindings(&[("type", "timestamp")]);
        let at = |time: &str| format!("2026-11-29 {time}");
        for (was, is) in [("12:00:00.25", "13:00:00.25"), ("12:00:00.75", "13:00:01.75")] {
            assert!(play(&bindings, &run("s", &[&at(was)]), &run("s", &[&at(is)])));
            assert_eq!(cell(&bindings, &at(was)), at(is));
        }
        assert_eq!(cell(&bindings, &at("12:00:00")), at("12:00:00"), "it is the beginning of both");
    }

    #[test]
    fn a_pattern_binds_a_part() {
        let bindings = bindings(&[("pattern", "tmp_[0-9a-f]{8}")]);
        let sql = |name: &str| format!("insert into {name} select * from {name}_old");
        assert!(play(&bindings, &run(&sql("tmp_0123abcd"), &[]), &run(&sql("tmp_99999999"), &[])));
        assert!(!play(&bindings, &run("drop table tmp_0123abcd", &[]), &run("drop table tmp_88888888", &[])));
        assert!(!play(&bindings, &run("drop table tmp_0123abcd", &[]), &run("drop view tmp_99999999", &[])));
        assert_eq!(cell(&bindings, "no such table: tmp_0123abcd"), "no such table: tmp_99999999");
    }

    #[test]
    fn marks_bind_texts_that_are_long_enough() {
        let bindings = bindings(&[]);
        let marked = |entry: Entry, mark: &str| entry.with(Key::Volatile, mark);
        let recorded = |text: &str| marked(run("s", &[text]), "params 1");
        assert!(play(&bindings, &recorded("it's 4711"), &run("s", &["it's Tuesday"])));
        assert_eq!(cell(&bindings, "it's 4711"), "it's Tuesday");
        assert_eq!(cell(&bindings, "it's 4711   "), "it's Tuesday");
        assert!(play(&bindings, &run("select 'it''s 4711', 1", &[]), &run("select 'it''s Tuesday', 1", &[])));
        assert!(!play(&bindings, &recorded("it's 4711"), &run("s", &["it's Friday"])));
        assert!(play(&bindings, &recorded("one"), &run("s", &["three"])), "too short to be bound");
        assert_eq!(cell(&bindings, "one"), "one");
        let dropped = marked(run("drop table tmp_81", &[]), "sql tmp_81");
        assert!(play(&bindings, &dropped, &run("drop table tmp_20177", &[])));
        assert!(play(&bindings, &run("select * from tmp_81", &[]), &run("select * from tmp_20177", &[])));
        assert!(!play(&bindings, &run("select * from tmp_81", &[]), &run("select * from tmp_81", &[])));
        assert_eq!(cell(&bindings, "tmp_811"), "tmp_811", "another word");
    }

    #[test]
    fn digests_are_no_guids() {
        let bindings = bindings(&[("type", "uuid")]);
        let digest = "d41d8cd98f00b204e9800998ecf8427e";
        assert!(!play(&bindings, &run("s", &[digest]), &run("s", &["00000000000000000000000000000000"])));
        let long = "0123456789ab4def8123456789abcdef0";
        assert!(!play(&bindings, &run("s", &[long]), &run("s", &["1123456789ab4def8123456789abcdef0"])));
    }
}
