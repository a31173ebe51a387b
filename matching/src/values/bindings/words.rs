//! Compares one entry, value by value, with what is asked: which bound values it has, and which live values are new.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::{Bound, Range};
use std::time::{SystemTime, UNIX_EPOCH};

use super::table::{BoundValue, Name, Table};
use crate::values::spellings::{
    SHORTEST, bytes_of, canonical, field_of, kind_of, may_be_digest, mixed_endian, next_token, same_but_for_zeros,
    unbraced, uuid_text,
};
use super8_cassette::cell::{self, Cell, CutCell};
use super8_cassette::redaction::secrets;
use super8_cassette::volatile::{self, Volatile};
use super8_cassette::volatile_rules::{Kind, VolatileRules};
use super8_cassette::{Entry, Key, Method, Value};

/// The rules that say which values are volatile, and the times that some of them compare with.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub(super) rules: VolatileRules,
    /// When the cassette was recorded, in seconds since 1970.
    pub(super) recorded_on: Option<u64>,
    /// When the other side was recorded, in seconds since 1970. `None`: it runs now.
    pub(super) asked_on: Option<u64>,
}

/// A live value that cannot stand for the recorded one.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) place: String,
    pub(crate) recorded: String,
    pub(crate) asked: String,
}

/// The table of bound values, and what one entry adds to it.
pub(super) struct Words<'t> {
    base: &'t Table,
    pub(super) new: Table,
    reading: &'t Reading,
    /// Whether anybody asks which bound values were found.
    notes_uses: bool,
    pub(super) refused: Option<Refused>,
    pub(super) notes: Vec<String>,
    /// The bound values that were found.
    pub(super) used: RefCell<Vec<Name>>,
}

/// A piece of a text that is, or may be, a value of its own.
struct Token {
    range: Range<usize>,
    kind: Option<Kind>,
    is_volatile: bool,
    /// The rule `same` that names it.
    same: Option<usize>,
}

impl<'t> Words<'t> {
    pub(super) fn new(base: &'t Table, reading: &'t Reading, notes_uses: bool) -> Words<'t> {
        let (new, used) = (Table::default(), RefCell::default());
        Words { base, new, reading, notes_uses, refused: None, notes: Vec::new(), used }
    }

    fn known(&self, spelled: &str) -> Option<&str> {
        self.known_by(None, spelled)
    }

    /// Returns the live value of a spelling, within the places of a rule `same`, or outside of all such rules.
    pub(super) fn known_by(&self, rule: Option<usize>, spelled: &str) -> Option<&str> {
        let form = [&self.new, self.base].into_iter().find_map(|table| table.of(rule)?.forms.get(spelled))?;
        let live = form.live.as_deref()?;
        self.uses(rule, || form.of.clone());
        Some(live)
    }

    /// Notes that a bound value is used.
    fn uses(&self, rule: Option<usize>, recorded: impl FnOnce() -> String) {
        if self.notes_uses {
            self.used.borrow_mut().push((rule, recorded()));
        }
    }

    fn known_bytes(&self, bytes: &[u8]) -> Option<&[u8]> {
        let live = self.new.bytes.get(bytes).or_else(|| self.base.bytes.get(bytes))?;
        let names = [uuid_text(bytes).unwrap_or_default(), mixed_text(bytes), canonical(None, &field_of(bytes))];
        if let Some(name) = names.into_iter().find(|name| self.bound(None, name).is_some()) {
            self.uses(None, || name);
        }
        Some(live)
    }

    fn bound(&self, rule: Option<usize>, canonical: &str) -> Option<&BoundValue> {
        [&self.new, self.base].into_iter().find_map(|table| table.of(rule)?.values.get(canonical))
    }

    fn has_texts(&self) -> bool {
        self.new.has_texts || self.base.has_texts
    }

    /// Binds a live value to a recorded one. Returns false, and keeps the reason, if that is not possible.
    fn bind(&mut self, kind: Option<Kind>, recorded: &str, live: &str, place: &str) -> bool {
        self.bind_by(None, kind, recorded, live, place)
    }

    /// Does the same within the places of a rule `same`, or outside of all such rules.
    fn bind_by(&mut self, rule: Option<usize>, kind: Option<Kind>, recorded: &str, live: &str, place: &str) -> bool {
        let (was, is) = (canonical(kind, recorded), canonical(kind, live));
        if let Some(bound) = self.bound(rule, &was) {
            if bound.live_canonical == is {
                self.uses(rule, || was);
                return true;
            }
            let note = bound.means();
            self.refuse(place, recorded, live, note);
            return false;
        }
        let standing = [&self.new, self.base].into_iter().find_map(|table| table.of(rule)?.standing.get(&is));
        if let Some(other) = standing.and_then(|other| self.bound(rule, other)) {
            let note = format!(
                "{live:?} stands for {:?} of the recording already, since {}: two recorded values that differ stay different",
                other.recorded, other.place
            );
            self.refuse(place, recorded, live, note);
            return false;
        }
        self.new.of_mut(rule).add(kind, recorded, live, place);
        true
    }

    fn refuse(&mut self, place: &str, recorded: &str, live: &str, note: String) {
        if !note.is_empty() {
            self.notes.push(note);
        }
        let (place, recorded, asked) = (place.to_owned(), recorded.to_owned(), live.to_owned());
        self.refused.get_or_insert(Refused { place, recorded, asked });
    }

    /// Returns the recorded entry with its inputs as they are in this run. Leaves connects alone, which have rules of their own.
    pub(super) fn entry<'r>(&mut self, recorded: &'r Entry, asked: &Entry) -> Cow<'r, Entry> {
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
        let marked: Vec<Volatile<'_>> = volatile::items(recorded).collect();
        self.set(was, is, &marked)
    }

    fn set(&mut self, was: &[Value], is: &[Value], marked: &[Volatile<'_>]) -> Value {
        let expected = was.iter().enumerate().map(|(at, was)| match (was, is.get(at)) {
            (Value::List(was), Some(Value::List(is))) => self.set(was, is, marked),
            (was, Some(is)) => {
                let place = format!("parameter {}", at + 1);
                let rule = marked.iter().find_map(|item| match item {
                    Volatile::Same(rule, number) if *number == at + 1 => Some(*rule),
                    _ => None,
                });
                match rule {
                    Some(rule) => self.same_value(rule, was, is, &place),
                    None => self.value(was, is, &place, &|_| false, marked.contains(&Volatile::Parameter(at + 1))),
                }
            }
            (was, None) => was.clone(),
        });
        Value::List(expected.collect())
    }

    /// Compares and binds a value in a place that a rule `same` names. NULL is never bound.
    fn same_value(&mut self, rule: usize, was: &Value, is: &Value, place: &str) -> Value {
        if let (Value::Map(was), Value::Map(_)) = (was, is) {
            let expected = was.iter().map(|(name, was)| {
                let found = is.get(name).map_or_else(|| was.clone(), |is| self.same_value(rule, was, is, place));
                (name.clone(), found)
            });
            return Value::Map(expected.collect());
        }
        match (same_text(was), same_text(is)) {
            (Some(recorded), Some(live)) if std::mem::discriminant(was) == std::mem::discriminant(is) => {
                // report the difference to what the recorded value means in this run
                let means = self.known_by(Some(rule), &recorded).map(str::to_owned);
                if let Some(means) = means.filter(|means| *means != live) {
                    self.tell_by(Some(rule), &recorded);
                    self.refuse(place, &means, &live, String::new());
                    return was.clone();
                }
                let fits = self.bind_by(Some(rule), None, &recorded, &live, place);
                if fits { is.clone() } else { was.clone() }
            }
            _ => was.clone(),
        }
    }

    /// Returns a recorded value as it is in this run. `whole` says that the value itself is marked as volatile.
    fn value(&mut self, was: &Value, is: &Value, place: &str, marked: &dyn Fn(&str) -> bool, whole: bool) -> Value {
        match (was, is) {
            (Value::Text(was), Value::Text(is)) => Value::Text(self.text(was, is, false, whole, place)),
            (Value::Int(was), Value::Int(is)) => Value::Int(self.number(*was, *is, whole, place)),
            (Value::Float(was), Value::Float(_)) => {
                let live = self.known(&format!("{was:?}")).and_then(|live| live.parse().ok());
                Value::Float(live.unwrap_or(*was))
            }
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

    fn number(&mut self, was: i128, is: i128, whole: bool, place: &str) -> i128 {
        let (recorded, asked) = (was.to_string(), is.to_string());
        if kind_of(&recorded) != Some(Kind::Number) {
            return was;
        }
        if let Some(live) = self.known(&recorded).and_then(|live| live.parse().ok()) {
            if live != is {
                self.tell(&recorded);
                if whole {
                    self.refuse(place, &i128::to_string(&live), &asked, String::new());
                }
            }
            return live;
        }
        if whole && self.bind(Some(Kind::Number), &recorded, &asked, place) { is } else { was }
    }

    /// Does the same for bytes, as the log writes them.
    fn binary(&mut self, was: &str, is: &str, whole: bool, place: &str) -> String {
        let (Some(old), Some(new)) = (bytes_of(was), bytes_of(is)) else { return was.to_owned() };
        if let Some(live) = self.known_bytes(&old) {
            let live = field_of(live);
            if live != is {
                let names = [uuid_text(&old).unwrap_or_default(), canonical(None, was)];
                let note = names.iter().find_map(|name| self.bound(None, name)).map(BoundValue::means);
                self.notes.extend(note);
                if whole {
                    self.refuse(place, &live, is, String::new());
                }
            }
            return live;
        }
        if !whole {
            return was.to_owned();
        }
        let fits = match (uuid_text(&old), uuid_text(&new)) {
            (Some(old), Some(new)) => self.bind(Some(Kind::Uuid), &old, &new, place),
            _ => old.len() < SHORTEST || new.is_empty() || self.bind(None, was, is, place),
        };
        if fits { is.to_owned() } else { was.to_owned() }
    }

    /// Returns the recorded text as it is in this run. Its unbound volatile values are bound to what stands in their
    /// place in the text that is asked.
    fn text(&mut self, was: &str, is: &str, sql: bool, whole: bool, place: &str) -> String {
        if !sql {
            let core = was.trim_end_matches(' ');
            if let Some(live) = self.known(core) {
                let live = padded(live, was, core);
                let kind = kind_of(core);
                if live != is {
                    if same_but_for_zeros(kind, &live, is) {
                        return is.to_owned();
                    }
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
        let tokens = self.tokens(was, self.reading.recorded_on);
        if tokens.is_empty() {
            return self.between(was, sql).into_owned();
        }
        let open = |words: &Words<'_>, token: &Token| {
            token.is_volatile && words.known_by(token.same, &was[token.range.clone()]).is_none()
        };
        let has_zeros = |token: &Token| matches!(token.kind, Some(Kind::Timestamp | Kind::Time));
        let others = if tokens.iter().any(|token| open(self, token) || has_zeros(token)) {
            self.tokens(is, self.reading.asked_on.or_else(now))
        } else {
            Vec::new()
        };
        let pairs = tokens.len() == others.len();
        let (mut expected, mut end) = (String::with_capacity(was.len()), 0);
        for (at, token) in tokens.iter().enumerate() {
            expected.push_str(&self.between(&was[end..token.range.start], sql));
            end = token.range.end;
            let recorded = &was[token.range.clone()];
            let other = others.get(at).filter(|other| pairs && (other.kind, other.same) == (token.kind, token.same));
            match (self.known_by(token.same, recorded), other) {
                (Some(live), Some(other)) if same_but_for_zeros(token.kind, live, &is[other.range.clone()]) => {
                    expected.push_str(&is[other.range.clone()]);
                }
                (Some(live), _) => {
                    let live = live.to_owned();
                    if !is.contains(&live) {
                        self.tell_by(token.same, recorded);
                    }
                    expected.push_str(&live);
                }
                (None, Some(other)) if token.is_volatile && other.is_volatile => {
                    let live = &is[other.range.clone()];
                    let fits = self.bind_by(token.same, token.kind, recorded, live, place);
                    expected.push_str(if fits { live } else { recorded });
                }
                _ => expected.push_str(recorded),
            }
        }
        expected.push_str(&self.between(&was[end..], sql));
        expected
    }

    /// Adds a note that says what a bound value means.
    fn tell(&mut self, spelled: &str) {
        self.tell_by(None, spelled);
    }

    fn tell_by(&mut self, rule: Option<usize>, spelled: &str) {
        let bound = [kind_of(spelled), None].into_iter().find_map(|kind| self.bound(rule, &canonical(kind, spelled)));
        let note = bound.map(BoundValue::means);
        self.notes.extend(note);
    }

    /// Returns the text between tokens with live values put in: SQL literals, and text parts that are marked by hand.
    fn between<'p>(&self, text: &'p str, sql: bool) -> Cow<'p, str> {
        let mut text = Cow::Borrowed(text);
        for (part, live) in self.base.parts.iter().chain(&self.new.parts) {
            if let Some(replaced) = with_part(&text, part, live) {
                self.uses(None, || canonical(None, part));
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

    /// Replaces bound values in SQL literals, in which quotes are doubled. `None` if nothing changes.
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

    /// Finds the values in a text. Rules that want a time near the clock compare with `clock`.
    fn tokens(&self, text: &str, clock: Option<u64>) -> Vec<Token> {
        let rules = &self.reading.rules;
        let named = rules.patterns().flat_map(|pattern| pattern.find_iter(text)).map(|found| (None, found.range()));
        let mut tokens: Vec<Token> = named
            .chain(rules.same_in(text).map(|(rule, range)| (Some(rule), range)))
            .filter(|(_, range)| !range.is_empty())
            .map(|(same, range)| Token { range, kind: None, is_volatile: true, same })
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
            rules.names(kind) || self.base.kinds[at] || self.new.kinds[at]
        };
        if Kind::ALL.into_iter().chain([Kind::Number]).any(active) {
            let mut at = 0;
            while let Some((range, kind)) = next_token(text, at) {
                at = range.end;
                let apart = tokens.iter().all(|token| token.range.end <= range.start || token.range.start >= range.end);
                if active(kind) && apart {
                    let is_volatile = rules.names(kind)
                        && !may_be_digest(&text[range.clone()])
                        && rules.is_near(kind, &text[range.clone()], clock);
                    tokens.push(Token { range, kind: Some(kind), is_volatile, same: None });
                }
            }
            tokens.sort_by_key(|token| token.range.start);
        }
        tokens
    }

    /// Returns a recorded text as it is in this run. `None` if nothing changes.
    fn live(&self, was: &str) -> Option<String> {
        let core = was.trim_end_matches(' ');
        if let Some(live) = self.known(core) {
            return Some(padded(live, was, core));
        }
        let (mut out, mut end) = (None, 0);
        for token in self.tokens(was, None) {
            if let Some(live) = self.known_by(token.same, &was[token.range.clone()]) {
                let out: &mut String = out.get_or_insert_default();
                out.push_str(&self.between(&was[end..token.range.start], false));
                out.push_str(live);
                end = token.range.end;
            }
        }
        match (out, self.between(&was[end..], false)) {
            (None, Cow::Borrowed(_)) => None,
            (out, rest) => Some(out.unwrap_or_default() + &rest),
        }
    }

    pub(super) fn reply(&self, value: &mut Value) {
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
            Value::Int(number) => {
                if let Some(live) = self.known(&number.to_string()).and_then(|live| live.parse().ok()) {
                    *number = live;
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.reply(item)),
            Value::Map(pairs) => pairs.iter_mut().for_each(|(_, value)| self.reply(value)),
            _ => {}
        }
    }

    /// Returns the live value for a text of which only `part` was read. If the part fits several values, the total
    /// length must single one out.
    fn cut(&self, part: &str, total: i64) -> Option<String> {
        if part.len() < SHORTEST {
            return None;
        }
        let found = [&self.base.forms, &self.new.forms].into_iter().flat_map(|forms| {
            let from = forms.range::<str, _>((Bound::Included(part), Bound::Unbounded));
            from.take_while(|(spelled, _)| spelled.starts_with(part))
        });
        let mut forms = found.filter(|(spelled, _)| fits_total(spelled, total)).map(|(_, form)| form);
        let form = forms.next()?;
        let live = form.live.as_deref()?;
        if !forms.all(|other| other.live.as_deref() == Some(live)) {
            return None;
        }
        self.uses(None, || form.of.clone());
        Some(live.to_owned())
    }

    /// Returns the live field for a cell in a column that a rule `same` names, if the rule has bound its value.
    pub(super) fn same_field(&self, rule: usize, field: &[u8], scratch: &mut Vec<u8>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match cell::decode(field, scratch).ok()? {
            Cell::Text(text) | Cell::Plain(text) => {
                let was = std::str::from_utf8(text).ok()?;
                let core = was.trim_end_matches(' ');
                let live = padded(self.known_by(Some(rule), core)?, was, core);
                cell::encode(Cell::Text(live.as_bytes()), &mut out);
            }
            _ => return None,
        }
        Some(out)
    }

    /// Returns the live field for a recorded cell. `None` if nothing changes.
    pub(super) fn field(&self, field: &[u8], scratch: &mut Vec<u8>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        // an unreadable cell is reported when it is read
        match cell::decode(field, scratch).ok()? {
            Cell::Text(text) | Cell::Plain(text) => {
                let live = self.live(std::str::from_utf8(text).ok()?)?;
                cell::encode(Cell::Text(live.as_bytes()), &mut out);
            }
            Cell::Bytes(bytes) => cell::encode(Cell::Bytes(self.known_bytes(bytes)?), &mut out),
            Cell::Cut { total, cell: CutCell::Text(part) } => {
                let live = self.cut(std::str::from_utf8(part).ok()?, total)?;
                match live.get(..part.len()).filter(|_| live.is_ascii() && fits_total(&live, total)) {
                    Some(part) => cell::encode(Cell::Cut { total, cell: CutCell::Text(part.as_bytes()) }, &mut out),
                    // the length differs: the program's buffer decides how much of it fits
                    None => cell::encode(Cell::Text(live.as_bytes()), &mut out),
                }
            }
            Cell::Unread | Cell::Null | Cell::Cut { .. } => return None,
        }
        (out != field).then_some(out)
    }
}

/// Returns a value as a rule `same` compares it: a whole number by its digits, a text without trailing blanks.
pub(super) fn same_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.trim_end_matches(' ').to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => {
            let text = format!("{number:?}");
            Some(text.strip_suffix(".0").map(str::to_owned).unwrap_or(text))
        }
        _ => None,
    }
}

/// Returns the GUID that some databases write as these bytes.
fn mixed_text(bytes: &[u8]) -> String {
    bytes.try_into().ok().and_then(|bytes| uuid_text(&mixed_endian(bytes))).unwrap_or_default()
}

/// Says whether a text has this length in bytes, as narrow or as wide text.
fn fits_total(text: &str, total: i64) -> bool {
    let is = |length: usize| i64::try_from(length).is_ok_and(|length| length == total);
    is(text.len()) || is(2 * text.encode_utf16().count())
}

/// Pads the live value with blanks, as a CHAR column did with the recorded one. `core` is the recorded text without the padding.
pub(super) fn padded(live: &str, was: &str, core: &str) -> String {
    let width = if was == core { 0 } else { was.chars().count() };
    format!("{live:width$}")
}

/// Replaces a part of a text wherever it stands as a word of its own. `None` if it does not.
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

/// Returns the seconds since 1970.
pub(super) fn now() -> Option<u64> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}
