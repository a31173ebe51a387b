//! `metadata.yml`: which version wrote the cassette, when, from what, and whether the recording ended cleanly.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use regex::Regex;

use crate::text::shell;
use crate::volatile_rules::VolatileRules;
use crate::{CassetteError, Entry, Key, Method, Value};

/// The version of the cassette format that this crate writes and reads.
pub const SCHEMA_VERSION: i64 = 4;

/// The keys that this version knows, including those that are written only where they say something.
const KNOWN: [&str; 13] = [
    "schema_version",
    "made",
    "recorded_with",
    "recorded_on",
    "complete",
    "recovered",
    "test",
    "order",
    "redaction",
    "answers",
    "volatile",
    "driver",
    "manager",
];

/// The value of `made` in a cassette written by hand.
pub const BY_HAND: &str = "by hand";

/// The key that names the super8 gem's schema from which a cassette was migrated.
pub const MIGRATED_FROM: &str = "migrated_from";

/// The order in which replay wants the commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As recorded, over all connections together.
    #[default]
    Global,
    /// As recorded within each connection; connections do not depend on each other.
    Connection,
    /// Executions and transactions in any order, on any connection with the same connect arguments.
    Any,
}

impl Order {
    /// All orders, the strictest first.
    pub const ALL: [Order; 3] = [Order::Global, Order::Connection, Order::Any];

    /// Returns the name that `metadata.yml` and `SUPER8_ORDER` use.
    pub const fn name(self) -> &'static str {
        match self {
            Order::Global => "global",
            Order::Connection => "connection",
            Order::Any => "any",
        }
    }

    /// Returns the order with this name.
    pub fn from_name(name: &str) -> Option<Order> {
        Order::ALL.into_iter().find(|order| order.name() == name)
    }
}

/// The driver with which a cassette was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverFacts {
    /// The name of the library.
    pub library: String,
    /// `ansi` or `unicode`.
    pub kind: String,
}

/// The content of `metadata.yml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The version of the format: [`SCHEMA_VERSION`] for what is recorded now.
    pub schema_version: i64,
    /// Whether a person wrote the cassette. Nothing is recorded over it.
    pub made_by_hand: bool,
    /// The program that recorded it, with its version.
    pub recorded_with: String,
    /// When it was recorded, in UTC: `2026-11-21T05:51:00Z`. This is the only part of a cassette that depends on the
    /// clock. Empty if unknown.
    pub recorded_on: String,
    /// Whether the recording ended cleanly.
    pub complete: bool,
    /// Whether it was made from an interrupted recording, so that it ends where its process did.
    pub recovered: bool,
    /// The runner's id of the test in which it was recorded, if the test named it.
    pub test: Option<String>,
    /// Distinguishes the rules by which values were replaced, if any were.
    pub redaction: Option<String>,
    /// Regular expressions for the SQL of the reads that are answers with rows.
    pub answers: Vec<String>,
    /// The rules for values that change from run to run, as they were written.
    pub volatile: Vec<Value>,
    /// The order that replay uses unless it is told otherwise.
    pub order: Order,
    /// The real driver, if it is known.
    pub driver: Option<DriverFacts>,
    /// The driver manager, if it is known.
    pub manager: Option<String>,
    /// Keys that this version does not know, in written order. They are kept.
    pub more: Vec<(String, Value)>,
}

impl Metadata {
    /// Makes the metadata of a recording that begins now.
    pub fn now(driver: Option<DriverFacts>, manager: Option<String>) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Metadata {
            schema_version: SCHEMA_VERSION,
            made_by_hand: false,
            recorded_with: concat!("super8 ", env!("CARGO_PKG_VERSION")).to_owned(),
            recorded_on: utc(since),
            complete: false,
            recovered: false,
            test: None,
            redaction: None,
            answers: Vec::new(),
            volatile: Vec::new(),
            order: Order::default(),
            driver,
            manager,
            more: Vec::new(),
        }
    }

    /// Makes the metadata of a cassette written by hand without a `metadata.yml`.
    pub fn by_hand() -> Self {
        Metadata {
            made_by_hand: true,
            recorded_with: String::new(),
            recorded_on: String::new(),
            complete: true,
            ..Metadata::now(None, None)
        }
    }

    /// Returns the same metadata without a time.
    #[must_use]
    pub fn timeless(self) -> Self {
        Metadata { recorded_on: String::new(), ..self }
    }

    /// Returns the keys that are neither this version's nor the migration's. They are the user's own, and are kept when
    /// recording again.
    pub fn own_keys(&self) -> Vec<(String, Value)> {
        self.more.iter().filter(|(key, _)| key != MIGRATED_FROM).cloned().collect()
    }

    /// Converts the metadata to a document.
    pub fn to_value(&self) -> Value {
        let mut pairs = vec![("schema_version", Value::from(self.schema_version))];
        pairs.extend(self.made_by_hand.then(|| ("made", Value::from(BY_HAND))));
        if !self.made_by_hand || !self.recorded_with.is_empty() {
            pairs.push(("recorded_with", Value::from(self.recorded_with.as_str())));
        }
        if !self.recorded_on.is_empty() {
            pairs.push(("recorded_on", Value::from(self.recorded_on.as_str())));
        }
        pairs.push(("complete", Value::from(self.complete)));
        if self.recovered {
            pairs.push(("recovered", Value::from(true)));
        }
        pairs.extend(self.test.as_deref().map(|test| ("test", Value::from(test))));
        pairs.push(("order", Value::from(self.order.name())));
        if let Some(rules) = &self.redaction {
            pairs.push(("redaction", Value::from(rules.as_str())));
        }
        if !self.answers.is_empty() {
            pairs.push(("answers", self.answers.clone().into()));
        }
        if !self.volatile.is_empty() {
            pairs.push(("volatile", Value::List(self.volatile.clone())));
        }
        if let Some(DriverFacts { library, kind }) = &self.driver {
            let facts = [("library", library), ("kind", kind)];
            pairs.push(("driver", map(facts.map(|(key, text)| (key, Value::from(text.as_str()))))));
        }
        if let Some(manager) = &self.manager {
            pairs.push(("manager", Value::from(manager.as_str())));
        }
        pairs.extend(self.more.iter().map(|(key, value)| (key.as_str(), value.clone())));
        map(pairs)
    }

    /// Reads the metadata from a document. `file` is named in errors. Unknown keys are kept in `more`.
    ///
    /// # Errors
    /// The schema has another version, or a key has a value of the wrong kind.
    pub fn from_value(value: &Value, file: &Path) -> Result<Self, CassetteError> {
        let wrong = |key: &str, want: &str| {
            CassetteError::new(file, format!("is not {want}")).at_path(key).advice("correct it, or record again")
        };
        let made_by_hand = match value.get("made") {
            None | Some(Value::Null) => false,
            Some(made) if made.as_text() == Some(BY_HAND) => true,
            Some(_) => return Err(wrong("made", "`by hand`")),
        };
        let schema_version = match value.get("schema_version") {
            None if made_by_hand => Some(SCHEMA_VERSION),
            version => version.and_then(Value::as_int),
        };
        let schema_version = schema_version.ok_or_else(|| wrong("schema_version", "a number"))?;
        if schema_version > SCHEMA_VERSION {
            return Err(newer(schema_version, file));
        }
        if schema_version < SCHEMA_VERSION {
            let problem =
                format!("the cassette has the old schema {schema_version}, this super8 reads {SCHEMA_VERSION}");
            return Err(CassetteError::new(file, problem).advice(migrate(file.parent().unwrap_or(file))));
        }
        let text = |key: &str| match value.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong(key, "text")),
        };
        let complete = match value.get("complete") {
            Some(Value::Bool(complete)) => *complete,
            None if made_by_hand => true,
            _ => return Err(wrong("complete", "true or false")),
        };
        let order = match text("order")? {
            None => Order::default(),
            Some(name) => Order::from_name(&name).ok_or_else(|| wrong("order", "global, connection or any"))?,
        };
        if let (true, Some(Value::Text(name))) = (made_by_hand, value.get("driver")) {
            let advice = format!("write it into the connect of commands.yml: `driver: {name}`");
            let problem = "a connection says itself whose answers it has";
            return Err(CassetteError::new(file, problem).at_path("driver").advice(advice));
        }
        let driver = value.get("driver").map(|driver| {
            let text = |key: &str| driver.get(key).and_then(Value::as_text).unwrap_or_default().to_owned();
            DriverFacts { library: text("library"), kind: text("kind") }
        });
        let recovered = match value.get("recovered") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(recovered)) => *recovered,
            Some(_) => return Err(wrong("recovered", "true or false")),
        };
        let answers = match value.get("answers") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => {
                let texts = items.iter().map(|item| item.as_text().map(str::to_owned));
                texts.collect::<Option<_>>().ok_or_else(|| wrong("answers", "a list of regular expressions"))?
            }
            Some(_) => return Err(wrong("answers", "a list of regular expressions")),
        };
        AnswerRules::new(answers.iter().map(String::as_str)).map_err(|(at, problem)| {
            let path = format!("answers[{at}]");
            CassetteError::new(file, problem).at_path(path).advice("correct it, or record again")
        })?;
        let volatile = match value.get("volatile") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => items.clone(),
            Some(_) => return Err(wrong("volatile", "a list of rules")),
        };
        VolatileRules::new(&volatile).map_err(|(path, problem)| {
            let path = format!("volatile{path}");
            CassetteError::new(file, problem).at_path(path).advice("correct it, or record again")
        })?;
        let mut metadata = Metadata {
            schema_version,
            made_by_hand,
            recorded_with: text("recorded_with")?.unwrap_or_default(),
            recorded_on: text("recorded_on")?.unwrap_or_default(),
            complete,
            redaction: text("redaction")?,
            answers,
            volatile,
            recovered,
            test: text("test")?,
            order,
            driver,
            manager: text("manager")?,
            more: Vec::new(),
        };
        if let Value::Map(pairs) = value {
            metadata.more = pairs.iter().filter(|(key, _)| !KNOWN.contains(&key.as_str())).cloned().collect();
        }
        Ok(metadata)
    }
}

/// Returns the command that brings a cassette of an earlier schema up to date.
pub(crate) fn migrate(directory: &Path) -> String {
    format!("bring it up with `super8 migrate --apply {}`", shell(&directory.to_string_lossy()))
}

/// Makes the error that refuses a cassette of a newer, unknown schema.
pub fn newer(schema: i64, file: &Path) -> CassetteError {
    let problem = format!("the cassette has schema {schema}, this super8 reads up to {SCHEMA_VERSION}");
    CassetteError::new(file, problem).advice("upgrade super8")
}

fn map<'k>(pairs: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    Value::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Formats a time in UTC, given in seconds since 1970.
pub fn utc(seconds: u64) -> String {
    let (mut year, mut day, second) = (1970, seconds / 86_400, seconds % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{:02}Z", day + 1, second % 60)
}

/// Says which statements are answers with rows. Their result does not change during a recording, so they have no place
/// in the order of commands, and replay serves them as often as they are asked. They are SQLGetTypeInfo, whose result
/// depends on the driver alone, and the reads that a user names.
#[derive(Clone, Debug, Default)]
pub struct AnswerRules(Vec<Regex>);

impl AnswerRules {
    /// Makes the rules that name reads by regular expressions for their SQL text.
    ///
    /// # Errors
    /// The index, from 0, of a text that is not a regular expression, and what is wrong with it.
    pub fn new<'t>(patterns: impl IntoIterator<Item = &'t str>) -> Result<AnswerRules, (usize, String)> {
        let compiled = patterns.into_iter().enumerate().map(|(at, text)| match Regex::new(text) {
            Ok(pattern) => Ok(pattern),
            Err(error) => Err((at, format!("is not a regular expression: {error}"))),
        });
        compiled.collect::<Result<_, _>>().map(AnswerRules)
    }

    /// Iterates over the expressions as they were given.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Regex::as_str)
    }

    /// Says whether only SQLGetTypeInfo is an answer with rows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says whether an entry of this method may ask for an answer with rows. Entries of other methods need not be checked.
    pub fn may_name(&self, method: Method) -> bool {
        match method {
            Method::Catalog => true,
            Method::Run | Method::Prepare => !self.is_empty(),
            _ => false,
        }
    }

    /// Says whether an entry asks for an answer with rows.
    pub fn name(&self, entry: &Entry) -> bool {
        match entry.method {
            Method::Catalog => entry.get(Key::Function).and_then(Value::as_text) == Some("SQLGetTypeInfo"),
            Method::Run | Method::Prepare if !self.is_empty() => {
                let sql = entry.get(Key::Sql).and_then(Value::as_text).unwrap_or_default();
                self.0.iter().any(|pattern| pattern.is_match(sql))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_time() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(951_868_800), "2000-03-01T00:00:00Z");
        assert_eq!(utc(1_795_240_260), "2026-11-21T05:51:00Z");
        assert_eq!(utc(4_107_542_400), "2100-03-01T00:00:00Z");
        assert_eq!(utc(1_798_761_599), "2026-12-31T23:59:59Z");
    }

    #[test]
    fn comes_back_as_it_was() {
        let driver = DriverFacts { library: "libsqlite3odbc.so".to_owned(), kind: "ansi".to_owned() };
        let mut metadata = Metadata::now(Some(driver), Some("unixODBC 2.3.11".to_owned()));
        metadata.order = Order::Connection;
        metadata.redaction = Some("3f2a".to_owned());
        metadata.answers = vec!["^select 1$".to_owned()];
        metadata.volatile = vec![map([("type", Value::from("uuid"))])];
        metadata.test = Some("t.py::test_total[1]".to_owned());
        metadata.more = vec![("reviewed_by".to_owned(), "Ada".into())];
        let read = Metadata::from_value(&metadata.to_value(), Path::new("metadata.yml"));
        assert_eq!(read, Ok(metadata));
    }

    #[test]
    fn tells_newer_older_and_damaged_apart() {
        let with = |key: &str, value: Value| {
            let Value::Map(mut pairs) = Metadata::now(None, None).to_value() else { unreachable!() };
            pairs.iter_mut().filter(|(name, _)| name == key).for_each(|pair| pair.1 = value.clone());
            Metadata::from_value(&Value::Map(pairs), Path::new("my x/m")).map_err(|error| error.to_string())
        };
        let newer = with("schema_version", Value::Int(5)).unwrap_err();
        assert!(newer.contains("schema 5") && newer.ends_with("upgrade super8"), "{newer}");
        let older = with("schema_version", Value::Int(3)).unwrap_err();
        assert!(older.contains("old schema 3") && older.ends_with("`super8 migrate --apply 'my x'`"), "{older}");
        assert!(
            with("complete", Value::from("yes")).unwrap_err().starts_with("my x/m: complete: is not true or false")
        );
        assert!(
            with("order", Value::from("some"))
                .unwrap_err()
                .starts_with("my x/m: order: is not global, connection or any")
        );
        assert!(with("order", Value::from("global")).is_ok());
    }

    #[test]
    fn a_known_key_without_a_say_is_not_written_a_second_time() {
        let with = |value: Value| {
            let Value::Map(mut pairs) = Metadata::now(None, None).to_value() else { unreachable!() };
            pairs.push(("recovered".to_owned(), value));
            Metadata::from_value(&Value::Map(pairs), Path::new("m"))
        };
        let read = with(Value::Bool(false)).unwrap();
        assert_eq!((read.recovered, &read.more[..]), (false, &[][..]));
        let wrong = with(Value::from("no")).unwrap_err().to_string();
        assert!(wrong.starts_with("m: recovered: is not true or false"), "{wrong}");
    }
}
