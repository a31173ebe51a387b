//! Secrets that became known while the process ran, such as passwords of its connections. They are hidden by value in
//! everything that is recorded, and in the same way in what a replayed program asks.
//!
//! A value is looked for in every form in which programs, drivers and the cassette itself write it: with doubled
//! quotes, percent-encoded, in hex. Finding nothing, which is the rule, costs one pass over the bytes.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aho_corasick::{AhoCorasick, MatchKind};
use parking_lot::RwLock;

use crate::cell::{self, Cell, CutCell};
use crate::text::{hex, percent_encoded};
use crate::words;
use crate::{Entry, Fields, Key, Method, Value};

/// The mark that replaces a secret.
pub const MARK: &str = "***";
/// The length below which a value is not hidden by value. It would stand in too many places by chance, and data would be lost.
pub const SHORTEST: usize = 6;
/// From this length on, a value is hidden inside a word too. A shorter one is hidden only as a word of its own, so that
/// the password `orange` does not spoil `oranges`.
const LONG: usize = 16;

/// The secrets that a process knows. Neither `Debug` nor `Display` shows them.
#[derive(Default)]
pub struct Secrets {
    /// Whether there are any. Most processes have none, and then need no lock.
    any: AtomicBool,
    known: RwLock<Arc<Known>>,
}

#[derive(Default)]
struct Known {
    values: Vec<String>,
    forms: Vec<Form>,
    search: Option<AhoCorasick>,
    /// Finds the forms as a rows file has them, which may be CSV or JSON.
    encoded: Option<AhoCorasick>,
}

/// One way to write a secret.
#[derive(Clone, PartialEq, Eq)]
struct Form {
    text: String,
    /// What is written in its place.
    mark: &'static str,
    /// Whether it counts only if no word continues across its ends.
    word: bool,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Secrets({})", self.known.read().values.len())
    }
}

impl Secrets {
    /// Hides this value from now on. Returns false if it is [too short](SHORTEST) and stays in the clear.
    pub fn learn(&self, value: &str) -> bool {
        if value.chars().count() < SHORTEST {
            return false;
        }
        let mut known = self.known.write();
        if known.values.iter().any(|other| other == value) {
            return true;
        }
        let mut values = known.values.clone();
        values.push(value.to_owned());
        let mut forms: Vec<Form> = values.iter().flat_map(|value| forms(value)).collect();
        forms.sort_by(|one, other| one.text.cmp(&other.text));
        forms.dedup_by(|one, other| one.text == other.text);
        let texts = forms.iter().map(|form| form.text.as_bytes());
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts).ok();
        let mut encoded: Vec<String> = forms.iter().flat_map(|form| encodings(&form.text)).collect();
        encoded.sort_unstable();
        encoded.dedup();
        let encoded = AhoCorasick::new(encoded).ok();
        *known = Arc::new(Known { values, forms, search, encoded });
        self.any.store(true, Ordering::Release);
        true
    }

    /// Returns how many are known. The number only grows.
    pub fn count(&self) -> usize {
        if self.any.load(Ordering::Acquire) { self.known.read().values.len() } else { 0 }
    }

    /// Returns the secrets that are known now; `None` if there are none.
    pub(crate) fn now(&self) -> Option<Hiding> {
        self.any.load(Ordering::Acquire).then(|| Hiding(Arc::clone(&self.known.read())))
    }

    /// Returns a text with [`MARK`] in place of each secret.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.now().and_then(|hiding| hiding.text(text)).map_or(Cow::Borrowed(text), Cow::Owned)
    }
}

/// The secrets that were known at one moment.
#[derive(Clone)]
pub(crate) struct Hiding(Arc<Known>);

impl std::fmt::Debug for Hiding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Hiding({})", self.0.values.len())
    }
}

impl Hiding {
    /// Says whether a secret may stand in these bytes, which may be JSON. If so, [`Hiding::text`] of a part tells where.
    pub(crate) fn may_be_in(&self, bytes: &[u8]) -> bool {
        self.0.encoded.as_ref().is_some_and(|search| search.is_match(bytes))
    }

    /// Returns the text with marks for the secrets in it; `None` if there are none.
    pub(crate) fn text(&self, text: &str) -> Option<String> {
        let search = self.0.search.as_ref()?;
        let (mut hidden, mut kept, mut from) = (None, 0, 0);
        while let Some(found) = search.find(&text.as_bytes()[from..]) {
            let (start, end) = (from + found.start(), from + found.end());
            let form = &self.0.forms[found.pattern().as_usize()];
            if form.word && inside_word(text, start, end) {
                from = start + text[start..].chars().next().map_or(1, char::len_utf8);
                continue;
            }
            let result: &mut String = hidden.get_or_insert_default();
            result.push_str(&text[kept..start]);
            result.push_str(form.mark);
            (kept, from) = (end, end);
        }
        hidden.map(|mut result| {
            result.push_str(&text[kept..]);
            result
        })
    }

    /// Returns the value with marks for the secrets in its texts; `None` if there are none.
    pub(crate) fn value(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Text(text) => self.text(text).map(Value::Text),
            Value::List(items) => {
                let hidden: Vec<_> = items.iter().map(|item| self.value(item)).collect();
                hidden.iter().any(Option::is_some).then(|| {
                    let pairs = hidden.into_iter().zip(items);
                    Value::List(pairs.map(|(hidden, item)| hidden.unwrap_or_else(|| item.clone())).collect())
                })
            }
            Value::Map(pairs) => self.pairs(pairs, |_| false).map(Value::Map),
            _ => None,
        }
    }

    /// Does the same for pairs of key and value, except those that `left` selects.
    fn pairs<K: Clone>(&self, pairs: &[(K, Value)], left: fn(&K) -> bool) -> Option<Vec<(K, Value)>> {
        let hidden: Vec<_> =
            pairs.iter().map(|(key, value)| if left(key) { None } else { self.value(value) }).collect();
        hidden.iter().any(Option::is_some).then(|| {
            let all = hidden.into_iter().zip(pairs);
            all.map(|(hidden, (key, value))| (key.clone(), hidden.unwrap_or_else(|| value.clone()))).collect()
        })
    }

    /// Returns an entry without secrets, with a note if they stood in what was asked; `None` if there are none.
    pub(crate) fn entry(&self, entry: &Entry) -> Option<Entry> {
        let fields = self.fields(&entry.fields)?;
        let asks = |(new, old): (&(Key, Value), &(Key, Value))| new.0.is_input() && new.1 != old.1;
        let noted = entry.method != Method::Connect && fields.iter().zip(&entry.fields).any(asks);
        let mut hidden = Entry { fields, ..entry.clone() };
        if noted {
            hidden.fields.add(Key::Secrets, words::HIDDEN);
        }
        Some(hidden)
    }

    /// Returns fields without secrets; `None` if there are none.
    pub(crate) fn fields(&self, fields: &Fields) -> Option<Fields> {
        self.pairs(fields, |key| key.is_name()).map(Fields::from)
    }

    /// Hides secrets in a field of a rows file before CSV or JSON quotes it; `None` if it may stay. Undoes escapes
    /// first, because the `n` of a line break is no letter of the word behind it.
    pub(crate) fn field(&self, c_type: &str, field: &[u8]) -> Option<String> {
        // a number, a date and the like cannot hold a mark, and is no password
        if !matches!(c_type, "CHAR" | "WCHAR" | "BINARY" | "") || !self.may_be_in(field) {
            return None;
        }
        let mut scratch = Vec::new();
        let (mut hidden, text) = (Vec::new(), |text| self.text(std::str::from_utf8(text).ok()?));
        match cell::decode(field, &mut scratch) {
            Ok(Cell::Text(decoded)) => cell::encode(Cell::Text(text(decoded)?.as_bytes()), &mut hidden),
            Ok(Cell::Cut { total, cell: CutCell::Text(decoded) }) => {
                let cell = CutCell::Text(&text(decoded)?.into_bytes());
                cell::encode(Cell::Cut { total, cell }, &mut hidden);
            }
            _ => return text(field),
        }
        String::from_utf8(hidden).ok()
    }
}

/// Returns a text as it may stand in a rows file: as it is or with escapes, and each in CSV and in JSON.
fn encodings(text: &str) -> [String; 6] {
    let escaped = cell::escaped(text);
    let csv = |text: &str| text.replace('"', "\"\"");
    let json = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    [csv(text), csv(&escaped), json(text), json(&escaped), text.to_owned(), escaped]
}

/// Returns every way to write a value.
fn forms(value: &str) -> Vec<Form> {
    let word = value.chars().count() < LONG;
    let encoded = |upper, blank, kept| percent_encoded(value.as_bytes(), upper, blank, kept);
    let texts = [
        value.to_owned(),
        value.replace('}', "}}"),
        value.replace('\'', "''"),
        value.replace('"', "\"\""),
        value.replace('\\', "\\\\"),
        value.replace('\\', "\\\\").replace('"', "\\\""),
        value.replace('\\', "\\\\").replace('\'', "\\'"),
        encoded(true, "%20", b"-_.~" as &[u8]),
        encoded(false, "%20", b"-_.~"),
        // psqlodbc encodes everything but letters and digits, and a blank as a plus sign
        encoded(true, "+", b""),
        encoded(false, "+", b""),
    ];
    let of_hex = |bytes: &[u8], marks: [&'static str; 2]| {
        let digits = hex(bytes);
        [(digits.to_uppercase(), marks[0]), (digits, marks[1])].map(|(text, mark)| Form { text, mark, word: false })
    };
    let wide: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let texts = texts.into_iter().map(|text| Form { text, mark: MARK, word });
    let narrow = of_hex(value.as_bytes(), ["2A2A2A", "2a2a2a"]);
    texts.chain(narrow).chain(of_hex(&wide, ["2A002A002A00", "2a002a002a00"])).collect()
}

/// Says whether a word continues across either end of `text[start..end]`.
fn inside_word(text: &str, start: usize, end: usize) -> bool {
    let word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let inner = &text[start..end];
    (word(text[..start].chars().next_back()) && word(inner.chars().next()))
        || (word(inner.chars().next_back()) && word(text[end..].chars().next()))
}

/// Returns what is asked as it is compared with a recorded entry in which secrets are hidden. It has the recorded text wherever
/// that is the asked one with a mark for the secret, because a process that replays without a password may not know the secret.
pub fn accepted<'e>(recorded: &Entry, asked: &'e Entry) -> Cow<'e, Entry> {
    if recorded.get(Key::Secrets).is_none() {
        return Cow::Borrowed(asked);
    }
    let settled = |(key, is): &(Key, Value)| {
        let value = match recorded.get(*key) {
            Some(was) if key.is_input() => as_recorded(was, is),
            _ => is.clone(),
        };
        (*key, value)
    };
    let fields = asked.fields.iter().filter(|(key, _)| *key != Key::Secrets).map(settled).collect();
    Cow::Owned(Entry { fields, ..asked.clone() })
}

fn as_recorded(was: &Value, is: &Value) -> Value {
    match (was, is) {
        (Value::Text(was), Value::Text(is)) if stands_for(was, is) => Value::Text(was.clone()),
        (Value::List(was), Value::List(is)) if was.len() == is.len() => {
            Value::List(was.iter().zip(is).map(|(was, is)| as_recorded(was, is)).collect())
        }
        (Value::Map(was), Value::Map(is)) => {
            let of = |(key, is): &(String, Value)| {
                let was = was.iter().find(|(known, _)| known == key);
                (key.clone(), was.map_or_else(|| is.clone(), |(_, was)| as_recorded(was, is)))
            };
            Value::Map(is.iter().map(of).collect())
        }
        _ => is.clone(),
    }
}

/// Says whether a recorded text is the asked one with a mark for something in it.
fn stands_for(was: &str, is: &str) -> bool {
    [MARK, "2A2A2A", "2a2a2a", "2A002A002A00", "2a002a002a00"].iter().any(|mark| {
        let mut pieces = was.split(mark);
        let Some(mut rest) = pieces.next().and_then(|first| is.strip_prefix(first)) else { return false };
        let mut pieces = pieces.peekable();
        if pieces.peek().is_none() {
            return false;
        }
        while let Some(piece) = pieces.next() {
            // a secret has at least one character
            let Some(after) = rest.chars().next().map(char::len_utf8) else { return false };
            let found = match pieces.peek() {
                None => rest[after..].ends_with(piece).then(|| rest.len() - piece.len()),
                Some(_) => rest[after..].find(piece).map(|at| after + at),
            };
            let Some(at) = found else { return false };
            rest = &rest[at + piece.len()..];
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(values: &[&str]) -> Secrets {
        let secrets = Secrets::default();
        values.iter().for_each(|value| assert!(secrets.learn(value), "{value}"));
        secrets
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secrets = known(&["a;b}c d's \"x\" \\y"]);
        for form in [
            "a;b}c d's \"x\" \\y",
            "a;b}}c d's \"x\" \\y",
            "a;b}c d''s \"x\" \\y",
            "a;b}c d's \"\"x\"\" \\y",
            "a;b}c d's \\\"x\\\" \\\\y",
            "a%3Bb%7Dc%20d%27s%20%22x%22%20%5Cy",
            "a%3bb%7dc+d%27s+%22x%22+%5cy",
        ] {
            assert_eq!(secrets.text(&format!("<{form}>")), "<***>", "{form}");
        }
        let secrets = known(&["Geheim"]);
        for (form, hidden) in [
            ("select '\\x47656865696d'", "select '\\x2a2a2a'"),
            ("\\x00470065006800650069006D0000", "\\x002A002A002A0000"),
            ("X'47656865696D'", "X'2A2A2A'"),
        ] {
            assert_eq!(secrets.text(form), hidden);
        }
    }

    #[test]
    fn short_values_stay_and_words_stay_whole() {
        let secrets = Secrets::default();
        for short in ["", "a", "1", "tiger"] {
            assert!(!secrets.learn(short), "{short}");
        }
        assert_eq!(secrets.text("a 1 tiger"), "a 1 tiger");
        let secrets = known(&["orange", "a-rather-long-secret"]);
        assert_eq!(secrets.text("oranges 'orange' an_orange orange"), "oranges '***' an_orange ***");
        assert_eq!(secrets.text("xa-rather-long-secretx"), "x***x");
        assert!(matches!(secrets.text("nothing"), Cow::Borrowed("nothing")));
        let both = known(&["secret", "secret-extended"]);
        assert_eq!(both.text("secret-extended secret"), "*** ***");
    }

    #[test]
    fn cells_that_are_no_text_stay() {
        let secrets = known(&["123456"]);
        let hiding = secrets.now().unwrap();
        assert_eq!(hiding.field("SLONG", b"123456"), None);
        assert_eq!(hiding.field("CHAR", b"123456").as_deref(), Some("***"));
        assert_eq!(hiding.field("CHAR", b"1234567"), None);
    }

    #[test]
    fn a_mark_stands_for_a_secret_that_is_not_known_here() {
        for (was, is, same) in [
            ("identified by '***'", "identified by 'other'", true),
            ("a *** b *** c", "a 1 b 2 c", true),
            ("***", "x", true),
            ("a *** b", "a  b", false),
            ("a ***", "b x", false),
            ("*** b", "x c", false),
            ("plain", "plain", false),
            ("\\x2a2a2a", "\\x474747", true),
        ] {
            assert_eq!(stands_for(was, is), same, "{was} {is}");
        }
    }

    #[test]
    fn only_what_is_asked_is_noted() {
        let secrets = known(&["OwnPassword"]);
        let hiding = secrets.now().unwrap();
        let entry = Entry::new(Method::Run, crate::ConnectionId(0), Some(1)).with(Key::Sql, "select 'OwnPassword'");
        let hidden = hiding.entry(&entry).unwrap();
        assert_eq!(hidden.get(Key::Sql).and_then(Value::as_text), Some("select '***'"));
        assert!(hidden.get(Key::Secrets).is_some());
        let told = Entry::new(Method::Fetch, crate::ConnectionId(0), Some(1)).with(Key::Result, "OwnPassword");
        assert!(hiding.entry(&told).unwrap().get(Key::Secrets).is_none());
        assert!(hiding.entry(&Entry::new(Method::Fetch, crate::ConnectionId(0), None)).is_none());
    }
}
