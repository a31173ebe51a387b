//! Reads exactly the YAML that `emit` writes, an order of magnitude faster than a general reader.
//!
//! Every function returns `None` for any other YAML; the caller then asks `fallback`. A function must never return
//! anything that a general reader would read differently; the property tests of `read` check that.

use std::borrow::Cow;
use std::sync::Arc;

use csv::ByteRecord;
use memchr::{memchr, memchr3};

use super::emit::emit_fields;
use super::fallback::MAX_DEPTH;
use super::scalar::{is_plain_word, printable};
use crate::entry::Head;
use crate::inline::{InlineRow, LastTypes};
use crate::{ConnectionId, Entry, Fields, Key, Method, Value, cell, check, scan};

/// Reads a whole small file.
pub(super) fn document(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader::new(bytes)?;
    let value = match bytes {
        [b'-', b' ', ..] => Value::List(reader.list(0, 0)?),
        [b'[' | b'{', ..] => reader.line_value(0)?,
        _ => Value::Map(reader.map(0, 0, any)?),
    };
    reader.finished().then_some(value)
}

/// Reads one item of a list.
pub(super) fn item(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader::new(bytes)?;
    reader.eat(b"- ")?;
    let value = reader.element(2, 1)?;
    reader.finished().then_some(value)
}

/// Reads the leading keys of an entry, and returns what follows them.
pub(super) fn head(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let (method, rest) = line(bytes, b"- method: ")?;
    let method = Method::from_bytes(method)?;
    let (letters, rest) = line(rest, b"  connection_id: ")?;
    let bare = match letters {
        [b'"', quoted @ .., b'"'] => quoted,
        // `y` and `n` without quotes may be something other than text
        [] | [b'y' | b'n'] => return None,
        plain => plain,
    };
    let connection = ConnectionId::from_letters(bare)?;
    let (statement, rest) = match line(rest, b"  statement_id: ") {
        None => (None, rest),
        Some((digits, rest)) => (Some(number(digits)?), rest),
    };
    // The thread is a field of the entry like others, except that it comes first.
    let thread = line(rest, b"  thread: ").and_then(|(digits, _)| number(digits)?.try_into().ok()).unwrap_or(1);
    Some((Head { method, connection, statement, thread }, rest))
}

/// Returns what stands on a line behind its key, and what follows the line.
#[inline(always)]
fn line<'a, const N: usize>(bytes: &'a [u8], key: &[u8; N]) -> Option<(&'a [u8], &'a [u8])> {
    let (begin, value) = bytes.split_first_chunk::<N>()?;
    if begin != key {
        return None;
    }
    let (value, rest) = value.split_at_checked(scan::line_end(value)?)?;
    Some((value, rest.get(1..)?))
}

/// Reads a number from 1 as it is written: without a sign and without leading zeros.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.first() == Some(&b'0') {
        return None;
    }
    if digits.len() > 10 {
        return None;
    }
    let mut number = 0;
    for digit in digits {
        match digit {
            b'0'..=b'9' => number = 10 * number + u64::from(digit - b'0'),
            _ => return None,
        }
    }
    u32::try_from(number).ok().filter(|number| *number > 0)
}

/// Reads one item of the log.
pub(super) fn entry(bytes: &[u8]) -> Option<Entry> {
    let (head, behind) = head(bytes)?;
    let fields = rest(behind)?;
    Some(Entry { method: head.method, connection: head.connection, statement: head.statement, fields })
}

/// Reads what an item of the log says beyond these fields, if they come first in it, as `emit` writes them.
pub(super) fn reply(bytes: &[u8], asked: &Fields) -> Option<Fields> {
    let (_, behind) = head(bytes)?;
    let mut written = Vec::with_capacity(256);
    emit_fields(asked, &mut written);
    rest(behind.strip_prefix(&written[..])?)
}

/// Reads the row of an entry that says nothing but its cells and their C types, as most fetches do. Cells are texts without
/// escapes, whole numbers and nulls; an entry with any other cell is left to [`entry`].
pub(super) fn row(bytes: &[u8], last: &mut LastTypes) -> Option<InlineRow> {
    let (_, behind) = head(bytes)?;
    let text = printable(behind)?.as_bytes();
    let mut rest = text.strip_prefix(b"  result: [")?;
    let mut fields = ByteRecord::with_capacity(text.len(), 8);
    loop {
        let (field, behind) = match rest {
            [b'"', cell @ ..] => {
                let end = memchr3(b'"', b'\\', b'\n', cell).filter(|end| cell[*end] == b'"')?;
                (&cell[..end], &cell[end + 1..])
            }
            [b'n', b'u', b'l', b'l', behind @ ..] => (cell::NULL, behind),
            _ => {
                let end = rest.iter().position(|byte| matches!(byte, b',' | b']'))?;
                let (token, behind) = rest.split_at(end);
                let is_cell = is_whole_number(token) || std::str::from_utf8(token).is_ok_and(is_plain_word);
                (token, is_cell.then_some(behind)?)
            }
        };
        fields.push_field(field);
        match behind {
            [b',', b' ', next @ ..] => rest = next,
            [b']', b'\n', after @ ..] => {
                let types = after.strip_prefix(b"  c_types: [")?.strip_suffix(b"]\n")?;
                return Some(InlineRow { fields, c_types: last.names(types, types_of)? });
            }
            _ => return None,
        }
    }
}

/// Says whether a text is a whole number as it is written: without leading zeros, and of at most 18 bytes.
fn is_whole_number(text: &[u8]) -> bool {
    match text.strip_prefix(b"-").unwrap_or(text) {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', digits @ ..] => text.len() <= 18 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Reads C types that are written with a comma and a blank between two. `None` if one is no plain word, or is unknown.
fn types_of(written: &[u8]) -> Option<Arc<[String]>> {
    let names: Vec<&str> = std::str::from_utf8(written).ok()?.split(", ").collect();
    let types = Value::List(names.iter().map(|name| Value::from(*name)).collect());
    let entry = Entry::new(Method::Fetch, ConnectionId(0), None).with(Key::CTypes, types);
    let are_known = names.iter().all(|name| is_plain_word(name)) && check::check(&entry).is_ok();
    are_known.then(|| names.into_iter().map(str::to_owned).collect())
}

/// Reads the fields from here on, if nothing follows them. A line that is indented further belongs to what stands before it.
fn rest(bytes: &[u8]) -> Option<Fields> {
    if bytes.is_empty() {
        return Some(Fields::new());
    }
    let mut reader = Reader::new(bytes)?;
    reader.eat(b"  ")?;
    let known =
        |key: Cow<'_, str>| Key::from_name(&key).filter(|key| !matches!(key, Key::ConnectionId | Key::StatementId));
    let fields = reader.map(2, 1, known)?;
    reader.finished().then_some(fields.into())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        Some(Reader { text: printable(bytes)?, at: 0 })
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn finished(&self) -> bool {
        self.at == self.text.len()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, expected: &[u8]) -> Option<()> {
        self.rest().starts_with(expected).then(|| self.at += expected.len())
    }

    /// Returns the number of spaces at the beginning of a line.
    fn indentation(&self) -> usize {
        self.rest().iter().take_while(|&&byte| byte == b' ').count()
    }

    /// Moves on after a pair or an element to the next one at the same indentation. Returns `false` if there is none.
    fn move_on(&mut self, indent: usize) -> Option<bool> {
        let found = self.indentation();
        if self.finished() || found < indent {
            return Some(false);
        }
        self.at += found;
        (found == indent).then_some(true)
    }

    /// Reads the pairs of a map whose keys stand at `indent`. The first key comes next.
    fn map<K: PartialEq>(
        &mut self,
        indent: usize,
        depth: usize,
        known: fn(Cow<'_, str>) -> Option<K>,
    ) -> Option<Vec<(K, Value)>> {
        let mut pairs: Vec<(K, Value)> = Vec::with_capacity(4);
        if depth >= MAX_DEPTH {
            return None;
        }
        loop {
            let key = known(self.word()?)?;
            self.eat(b":")?;
            // a long map is rare, and the general reader does not compare each key with every other
            if pairs.len() > 100 || pairs.iter().any(|(known, _)| *known == key) {
                return None;
            }
            let value = match self.peek()? {
                b'\n' => {
                    self.at += 1;
                    if self.indentation() != indent + 2 {
                        return None;
                    }
                    self.at += indent + 2;
                    match self.rest() {
                        [b'-', b' ', ..] => Value::List(self.list(indent + 2, depth + 1)?),
                        _ => Value::Map(self.map(indent + 2, depth + 1, any)?),
                    }
                }
                b' ' => {
                    self.at += 1;
                    self.line_or_block(indent + 2, depth + 1)?
                }
                _ => return None,
            };
            pairs.push((key, value));
            if !self.move_on(indent)? {
                return Some(pairs);
            }
        }
    }

    /// Reads the elements of a list whose dashes stand at `indent`. The first dash comes next.
    fn list(&mut self, indent: usize, depth: usize) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        if depth >= MAX_DEPTH {
            return None;
        }
        loop {
            self.eat(b"- ")?;
            items.push(self.element(indent + 2, depth + 1)?);
            if !self.move_on(indent)? {
                return Some(items);
            }
        }
    }

    /// Reads what follows a dash, at the column `indent`.
    fn element(&mut self, indent: usize, depth: usize) -> Option<Value> {
        let start = self.at;
        match self.rest() {
            [b'-', b' ', ..] => return self.list(indent, depth).map(Value::List),
            [b'"' | b'a'..=b'z' | b'A'..=b'Z', ..] => {
                let is_key = self.word().and_then(any).is_some() && matches!(self.rest(), [b':', b' ' | b'\n', ..]);
                self.at = start;
                if is_key {
                    return self.map(indent, depth, any).map(Value::Map);
                }
            }
            _ => {}
        }
        self.line_or_block(indent, depth)
    }

    fn line_or_block(&mut self, indent: usize, depth: usize) -> Option<Value> {
        if self.peek()? == b'|' { self.literal(indent).map(Value::Text) } else { self.line_value(depth) }
    }

    /// Reads a value on one line, and the end of the line.
    fn line_value(&mut self, depth: usize) -> Option<Value> {
        let value = self.flow(depth, b"\n")?;
        self.eat(b"\n")?;
        Some(value)
    }

    /// Reads a value on one line. A bare one ends before one of the `ends`.
    fn flow(&mut self, depth: usize, ends: &[u8]) -> Option<Value> {
        if depth >= MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'"' => self.quoted().map(Value::Text),
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while self.eat(b"]").is_none() {
                    if !items.is_empty() {
                        self.eat(b", ")?;
                    }
                    items.push(self.flow(depth + 1, b",]\n")?);
                }
                Some(Value::List(items))
            }
            b'{' => {
                self.at += 1;
                let mut pairs: Vec<(String, Value)> = Vec::new();
                while self.eat(b"}").is_none() {
                    if !pairs.is_empty() {
                        self.eat(b", ")?;
                    }
                    let key = any(self.word()?)?;
                    self.eat(b": ")?;
                    if pairs.len() > 100 || pairs.iter().any(|(known, _)| *known == key) {
                        return None;
                    }
                    let value = self.flow(depth + 1, b",}\n")?;
                    pairs.push((key, value));
                }
                Some(Value::Map(pairs))
            }
            _ => {
                let end = self.rest().iter().position(|byte| ends.contains(byte))?;
                let token = self.text.get(self.at..self.at + end)?;
                self.at += end;
                plain(token)
            }
        }
    }

    /// Reads what stands before the next colon, which is [a key](any) unless something else follows it.
    fn word(&mut self) -> Option<Cow<'a, str>> {
        if self.peek()? == b'"' {
            return self.quoted().map(Cow::Owned);
        }
        let end = memchr(b':', &self.rest()[..self.rest().len().min(200)])?;
        let word = self.text.get(self.at..self.at + end)?;
        self.at += end;
        Some(Cow::Borrowed(word))
    }

    /// Reads a text in double quotes that stands on one line.
    fn quoted(&mut self) -> Option<String> {
        self.eat(b"\"")?;
        let mut text = String::new();
        loop {
            let end = self.at + memchr3(b'"', b'\\', b'\n', self.rest())?;
            let part = self.text.get(self.at..end)?;
            self.at = end + 1;
            match self.text.as_bytes()[end] {
                b'"' if text.is_empty() => return Some(part.to_owned()),
                b'"' => {
                    text.push_str(part);
                    return Some(text);
                }
                b'\\' => {
                    text.push_str(part);
                    text.push(self.escape()?);
                }
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        let digits = match letter {
            b'n' => return Some('\n'),
            b'r' => return Some('\r'),
            b't' => return Some('\t'),
            b'"' => return Some('"'),
            b'\\' => return Some('\\'),
            b'x' => 2,
            b'u' => 4,
            _ => return None,
        };
        let number = self.text.get(self.at..self.at + digits)?;
        self.at += digits;
        if !number.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(number, 16).ok().and_then(char::from_u32)
    }

    /// Reads a literal block whose lines stand at `indent`.
    fn literal(&mut self, indent: usize) -> Option<String> {
        self.eat(b"|")?;
        let has_width = self.eat(b"2").is_some();
        let (strip, keep) = (self.eat(b"-").is_some(), self.eat(b"+").is_some());
        self.eat(b"\n")?;
        let (mut text, mut first) = (String::new(), true);
        while !self.finished() {
            if self.eat(b"\n").is_some() {
                text.push('\n');
                continue;
            }
            let Some((spaces, line)) = self.rest().split_at_checked(indent) else { break };
            if spaces.iter().any(|&byte| byte != b' ') {
                break;
            }
            let end = memchr(b'\n', line)?;
            let blank = |at: usize| matches!(line[at], b' ' | b'\t');
            if end == 0 || blank(end - 1) || (first && !has_width && blank(0)) {
                return None;
            }
            let start = self.at + indent;
            text.push_str(self.text.get(start..=start + end)?);
            (self.at, first) = (start + end + 1, false);
        }
        let end = text.trim_end_matches('\n').len();
        match (strip, keep) {
            _ if first => return None,
            (true, true) => return None,
            (true, false) => text.truncate(end),
            (false, false) => text.truncate(end + 1),
            (false, true) => {}
        }
        Some(text)
    }
}

/// Accepts any key of a map: in quotes, or a plain word.
fn any(word: Cow<'_, str>) -> Option<String> {
    match word {
        Cow::Borrowed(bare) => is_plain_word(bare).then(|| bare.to_owned()),
        Cow::Owned(quoted) => Some(quoted),
    }
}

/// Reads a scalar without quotes.
fn plain(token: &str) -> Option<Value> {
    match token {
        "null" => return Some(Value::Null),
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        ".inf" => return Some(Value::Float(f64::INFINITY)),
        "-.inf" => return Some(Value::Float(f64::NEG_INFINITY)),
        ".nan" => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    let digits = token.strip_prefix('-').unwrap_or(token);
    match digits.as_bytes() {
        [b'0'] if digits.len() == token.len() => Some(Value::Int(0)),
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
            if token.len() <= 18 {
                token.parse::<i64>().ok().map(Value::from)
            } else {
                token.parse().ok().map(Value::Int)
            }
        }
        [b'0'..=b'9', ..] => float(token, digits),
        _ => is_plain_word(token).then(|| Value::Text(token.to_owned())),
    }
}

fn float(token: &str, digits: &str) -> Option<Value> {
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((digits, "+0"));
    let (whole, fraction) = mantissa.split_once('.')?;
    let power = exponent.strip_prefix(['+', '-'])?;
    let number: f64 = token.parse().ok()?;
    (all_digits(whole) && all_digits(fraction) && all_digits(power) && number.is_finite())
        .then_some(Value::Float(number))
}
