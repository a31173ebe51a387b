//! Rules for values that change from run to run, for all entries of a cassette: `volatile` in `super8.yml` and in `metadata.yml`.

use regex::Regex;

use crate::Value;

/// A kind of value that is recognized by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A GUID, as text.
    Uuid,
    /// A date and a time, with a blank or `T` between them.
    Timestamp,
    /// A date that no time follows.
    Date,
    /// A time.
    Time,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 4] = [Kind::Uuid, Kind::Timestamp, Kind::Date, Kind::Time];

    /// The name in rules.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Uuid => "uuid",
            Kind::Timestamp => "timestamp",
            Kind::Date => "date",
            Kind::Time => "time",
        }
    }
}

/// The rules of a file.
#[derive(Clone, Debug, Default)]
pub struct VolatileRules {
    kinds: [bool; Kind::ALL.len()],
    patterns: Vec<Regex>,
    /// As they were written.
    written: Vec<Value>,
}

impl VolatileRules {
    /// Reads a list of rules.
    ///
    /// # Errors
    /// The path of what is no rule, such as `[0].type`, and what is wrong with it.
    pub fn new(items: &[Value]) -> Result<VolatileRules, (String, String)> {
        let mut rules = VolatileRules { written: items.to_vec(), ..VolatileRules::default() };
        for (at, item) in items.iter().enumerate() {
            let wrong = |key: &str, problem: String| (format!("[{at}]{key}"), problem);
            let Value::Map(pairs) = item else {
                return Err(wrong("", "is not a map such as `type: uuid`".to_owned()));
            };
            let [(key, value)] = &pairs[..] else {
                return Err(wrong("", "is not one of `type: uuid` and `pattern: ...`".to_owned()));
            };
            match (key.as_str(), value) {
                ("type", value) => {
                    let kind = Kind::ALL.into_iter().find(|kind| value.as_text() == Some(kind.name()));
                    let known = || wrong(".type", "is not uuid, timestamp, date or time".to_owned());
                    rules.kinds[kind.ok_or_else(known)? as usize] = true;
                }
                ("pattern", Value::Text(text)) => {
                    let pattern = Regex::new(text);
                    let pattern =
                        pattern.map_err(|error| wrong(".pattern", format!("is not a regular expression: {error}")))?;
                    rules.patterns.push(pattern);
                }
                ("pattern", _) => return Err(wrong(".pattern", "is not text".to_owned())),
                (key, _) => {
                    return Err(wrong(&format!(".{key}"), "is not known; there are type, pattern".to_owned()));
                }
            }
        }
        Ok(rules)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The rules, as they were written.
    pub fn written(&self) -> &[Value] {
        &self.written
    }

    pub(crate) fn names(&self, kind: Kind) -> bool {
        self.kinds[kind as usize]
    }

    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Regex> {
        self.patterns.iter()
    }
}
