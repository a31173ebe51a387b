//! ODBC connection strings, which are read and edited by span, so that what is not edited keeps its bytes.
//!
//! The grammar is that of SQLDriverConnect's reference page as unixODBC reads it: `key=value` pairs between `;`; a
//! value in `{...}` may hold anything, with `}}` for a brace; keys compare without case; the last of several equal keys
//! counts. It is more liberal than unixODBC in two points, because drivers are: white space around keys, and around
//! values outside braces, is not part of them, and a word without `=` ends at its `;`.
//!
//! Strings are bytes. Callers with UTF-16 convert it to UTF-8 (or WTF-8) and back; there, no byte of the grammar occurs
//! inside a longer character.

use std::borrow::Cow;
use std::ops::Range;

use super::ini::trim;

/// A connection string and where its parts are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionString {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

/// One `key=value`, without the `;` that ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    whole: Range<usize>,
    key: Range<usize>,
    /// What is between `=` and `;`, without the white space around it; `None` for a word without `=`.
    value: Option<Range<usize>>,
    /// What is inside the braces, if the value is in braces.
    braced: Option<Range<usize>>,
}

/// One `key=value` of a connection string.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    string: &'a ConnectionString,
    span: &'a Span,
}

/// How a connection string chooses a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// `DRIVER=`: the name of an odbcinst.ini section or a library.
    Driver(Vec<u8>),
    /// `DSN=`, or `DEFAULT` if there is neither.
    Dsn(Vec<u8>),
}

impl ConnectionString {
    /// Reads a connection string. Every byte sequence is valid. A NUL ends it, in case the length included it.
    pub fn parse(bytes: &[u8]) -> ConnectionString {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let bytes = bytes[..end].to_vec();
        let mut spans = Vec::new();
        let mut start = 0;
        while start < bytes.len() {
            let span = read_item(&bytes, start);
            start = span.whole.end + 1;
            if !trim(&bytes[span.whole.clone()]).is_empty() {
                spans.push(span);
            }
        }
        ConnectionString { bytes, spans }
    }

    /// Returns the string as it was given.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns all items that are not blank, in order.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = Item<'_>> {
        self.spans.iter().map(|span| Item { string: self, span })
    }

    /// Returns the item that counts for a key: the last one.
    pub fn item(&self, key: &str) -> Option<Item<'_>> {
        self.items().rev().find(|item| item.is(key))
    }

    /// Returns the value of a key, without its braces.
    pub fn get(&self, key: &str) -> Option<Cow<'_, [u8]>> {
        self.item(key).map(|item| item.value())
    }

    /// Returns what chooses the driver: `DSN` or `DRIVER`, whichever comes first. (The driver manager has read
    /// `FILEDSN` before a driver sees the string.)
    pub fn choice(&self) -> Choice {
        let first = self.items().find(|item| item.is("DSN") || item.is("DRIVER"));
        match first {
            Some(item) if item.is("DRIVER") => Choice::Driver(self.get("DRIVER").unwrap_or_default().into_owned()),
            Some(_) => Choice::Dsn(self.get("DSN").unwrap_or_default().into_owned()),
            None => Choice::Dsn(b"DEFAULT".to_vec()),
        }
    }

    /// Returns the string without the items whose key is unwanted. Each item takes the `;` after it along, the last one
    /// the `;` before it.
    pub fn without(&self, unwanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let mut kept = Vec::with_capacity(self.bytes.len());
        let mut from = 0;
        for item in self.items().filter(|item| item.has_value() && unwanted(item.key())) {
            let Range { start, end } = item.span.whole.clone();
            kept.extend_from_slice(&self.bytes[from..start]);
            if end < self.bytes.len() {
                from = end + 1;
            } else {
                from = end;
                if kept.last() == Some(&b';') {
                    kept.pop();
                }
            }
        }
        kept.extend_from_slice(&self.bytes[from..]);
        kept
    }

    /// Returns the string with new values where `edit` returns one: what to write between `=` and `;`, including braces
    /// (see [`quote`]), or in place of a word without `=`. Keys are neither added nor removed.
    pub fn edit(&self, mut edit: impl FnMut(Item<'_>) -> Option<Vec<u8>>) -> Vec<u8> {
        let mut edited = Vec::with_capacity(self.bytes.len());
        let mut from = 0;
        for item in self.items() {
            let Some(new) = edit(item) else { continue };
            let value = item.span.value.clone().unwrap_or_else(|| item.span.key.clone());
            edited.extend_from_slice(&self.bytes[from..value.start]);
            edited.extend_from_slice(&new);
            from = value.end;
        }
        edited.extend_from_slice(&self.bytes[from..]);
        edited
    }

    /// Returns the string with this value for every item of this key. Braces stay where they are and are added where
    /// needed.
    pub fn with_value(&self, key: &str, value: &[u8]) -> Vec<u8> {
        self.edit(|item| item.is(key).then(|| quote(value, item.is_braced())))
    }
}

impl<'a> Item<'a> {
    /// Returns the key as written, without the white space around it. For a word without `=`, that is the word.
    pub fn key(&self) -> &'a [u8] {
        &self.string.bytes[self.span.key.clone()]
    }

    /// Returns whether the key is this one, in any case.
    pub fn is(&self, key: &str) -> bool {
        self.key().eq_ignore_ascii_case(key.as_bytes()) && self.has_value()
    }

    /// Returns whether there is a `=`.
    pub fn has_value(&self) -> bool {
        self.span.value.is_some()
    }

    /// Returns the value as written, including braces, without the white space around it.
    pub fn raw(&self) -> &'a [u8] {
        self.span.value.clone().map_or(&[], |range| &self.string.bytes[range])
    }

    /// Returns whether the value is in braces.
    pub fn is_braced(&self) -> bool {
        self.span.braced.is_some()
    }

    /// Returns the value from inside its braces, with `}}` as `}`.
    pub fn value(&self) -> Cow<'a, [u8]> {
        let Some(range) = self.span.braced.clone() else { return Cow::Borrowed(self.raw()) };
        let inside = &self.string.bytes[range];
        if !inside.contains(&b'}') {
            return Cow::Borrowed(inside);
        }
        let mut value = Vec::with_capacity(inside.len());
        let mut bytes = inside.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            value.push(byte);
            if byte == b'}' && bytes.peek() == Some(&b'}') {
                bytes.next();
            }
        }
        Cow::Owned(value)
    }
}

/// Returns a value as it is written in a connection string: in braces if asked for or needed.
pub fn quote(value: &[u8], braces: bool) -> Vec<u8> {
    let needs = value.iter().any(|byte| b"[]{}(),;?*=!@".contains(byte)) || trim(value).len() != value.len();
    if !braces && !needs {
        return value.to_vec();
    }
    let mut quoted = Vec::with_capacity(value.len() + 2);
    quoted.push(b'{');
    for byte in value {
        quoted.push(*byte);
        if *byte == b'}' {
            quoted.push(b'}');
        }
    }
    quoted.push(b'}');
    quoted
}

fn read_item(bytes: &[u8], start: usize) -> Span {
    let find = |from: usize, wanted: &[u8]| {
        bytes[from..].iter().position(|byte| wanted.contains(byte)).map_or(bytes.len(), |at| from + at)
    };
    let stop = find(start, b"=;");
    let key = trimmed(bytes, start..stop);
    if bytes.get(stop) != Some(&b'=') {
        return Span { whole: start..stop, key, value: None, braced: None };
    }
    let after = stop + 1;
    let open = after + bytes[after..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let mut braced = None;
    let mut end = find(after, b";");
    if bytes.get(open) == Some(&b'{') {
        match closing_brace(bytes, open + 1) {
            Some(close) => {
                braced = Some(open + 1..close);
                end = find(close, b";");
            }
            // An unclosed brace takes the rest of the string, as unixODBC reads it, if the brace comes first.
            None if open == after => {
                braced = Some(open + 1..bytes.len());
                end = bytes.len();
            }
            None => {}
        }
    }
    Span { whole: start..end, key, value: Some(trimmed(bytes, after..end)), braced }
}

/// Returns the first `}` from here on that is not doubled.
fn closing_brace(bytes: &[u8], mut at: usize) -> Option<usize> {
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'}', Some(b'}')) => at += 2,
            (b'}', _) => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let text = &bytes[range.clone()];
    let kept = trim(text);
    let start = range.start + text.len() - trim_start(text).len();
    start..start + kept.len()
}

fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.len() - text.iter().skip_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ConnectionString {
        ConnectionString::parse(text.as_bytes())
    }

    fn get(text: &str, key: &str) -> Option<String> {
        parse(text).get(key).map(|value| String::from_utf8(value.into_owned()).unwrap())
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn values_are_found_whatever_their_spelling() {
        for (string, value) in [
            ("PWD=abc", "abc"),
            ("DSN=x;pwd=abc;", "abc"),
            (" Pwd = abc ; DSN=x", "abc"),
            ("PWD={abc}", "abc"),
            ("PWD={a;b=c}", "a;b=c"),
            ("PWD={a}}b}};c}", "a}b};c"),
            ("PWD= {a;b} ;X=1", "a;b"),
            ("PWD={ a }", " a "),
            ("PWD={unclosed;DSN=x", "unclosed;DSN=x"),
            ("PWD=a{b;c}", "a{b"),
            ("PWD=a=b", "a=b"),
            ("PWD=one;PWD=two", "two"),
            ("word;PWD=abc", "abc"),
            ("PWD=abc\0;PWD=x", "abc"),
            ("PWD=", ""),
        ] {
            assert_eq!(get(string, "PWD").as_deref(), Some(value), "{string}");
        }
        for string in ["", ";", ";;", "PWD", "XPWD=a", "PWD;DSN=a"] {
            assert_eq!(get(string, "PWD"), None, "{string}");
        }
    }

    #[test]
    fn dsn_or_driver_whichever_comes_first_and_the_last_of_its_kind() {
        let driver = |name: &str| Choice::Driver(name.as_bytes().to_vec());
        let dsn = |name: &str| Choice::Dsn(name.as_bytes().to_vec());
        assert_eq!(parse("DRIVER={a};DSN=b").choice(), driver("a"));
        assert_eq!(parse("dsn=b;driver=a").choice(), dsn("b"));
        assert_eq!(parse("DRIVER=a;DSN=b;Driver={c}").choice(), driver("c"));
        assert_eq!(parse("UID=x").choice(), dsn("DEFAULT"));
    }

    #[test]
    fn removing_a_key_keeps_every_other_byte() {
        for (string, without) in [
            ("RealDriver=x", ""),
            ("RealDriver=x;", ""),
            ("DSN=a;RealDriver=x", "DSN=a"),
            ("DSN=a;RealDriver=x;", "DSN=a;"),
            ("DSN=a; realdriver = {x;y} ; PWD={a}}b};", "DSN=a; PWD={a}}b};"),
            ("RealDriver=x;;DSN = a ;", ";DSN = a ;"),
            ("RealDriver=x;DSN=a;REALDRIVER=y", "DSN=a"),
            ("DSN=a;X={RealDriver=1;}", "DSN=a;X={RealDriver=1;}"),
        ] {
            assert_eq!(text(parse(string).without(|key| key.eq_ignore_ascii_case(b"RealDriver"))), without, "{string}");
        }
    }

    #[test]
    fn replacing_a_value_keeps_every_other_byte() {
        for (string, value, expected) in [
            ("DRIVER={super8};DSN=a", "SQLite3", "DRIVER={SQLite3};DSN=a"),
            ("Driver = super8 ;X= 1", "SQLite3", "Driver = SQLite3 ;X= 1"),
            ("driver=super8", "My}; Driver", "driver={My}}; Driver}"),
            ("driver=super8", "PostgreSQL Unicode", "driver=PostgreSQL Unicode"),
            ("DSN=a;UID=DRIVER", "SQLite3", "DSN=a;UID=DRIVER"),
            ("DRIVER=a;X=1;DRIVER={b}", "c", "DRIVER=c;X=1;DRIVER={c}"),
            ("DRIVER=", "c", "DRIVER=c"),
        ] {
            assert_eq!(text(parse(string).with_value("DRIVER", value.as_bytes())), expected, "{string}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_survive() {
        let string = ConnectionString::parse(b"UID=\xe9;DRIVER=a;PWD={\xff;}");
        assert_eq!(string.get("UID").as_deref(), Some(&b"\xe9"[..]));
        assert_eq!(string.with_value("DRIVER", b"b"), b"UID=\xe9;DRIVER=b;PWD={\xff;}");
    }

    #[test]
    fn quoting_and_reading_are_inverse() {
        for value in ["", "a", "a b", " a", "a;b", "{a}", "}", "a}}b", "p=q", "\u{e9}\u{1f600}"] {
            for braces in [false, true] {
                let string = [b"K=".as_slice(), &quote(value.as_bytes(), braces), b";X=1"].concat();
                let string = ConnectionString::parse(&string);
                assert_eq!(string.get("K").as_deref(), Some(value.as_bytes()));
                assert_eq!(string.get("X").as_deref(), Some(&b"1"[..]));
            }
        }
    }
}
