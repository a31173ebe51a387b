//! Which statements are answers with rows: their result does not change during a recording, so they have no place in the order
//! of commands, and replay serves them as often as they are asked.

use regex::Regex;

use crate::{Entry, Key, Method, Value};

/// SQLGetTypeInfo, whose result depends on the driver alone, and the reads that a user names.
#[derive(Clone, Debug, Default)]
pub struct AnswerRules(Vec<Regex>);

impl AnswerRules {
    /// The rules that name reads by regular expressions for their SQL text.
    ///
    /// # Errors
    /// The place of an expression that is none, from 0, and what is wrong with it.
    pub fn new<'t>(patterns: impl IntoIterator<Item = &'t str>) -> Result<AnswerRules, (usize, String)> {
        let compiled = patterns.into_iter().enumerate().map(|(at, text)| match Regex::new(text) {
            Ok(pattern) => Ok(pattern),
            Err(error) => Err((at, format!("is not a regular expression: {error}"))),
        });
        compiled.collect::<Result<_, _>>().map(AnswerRules)
    }

    /// The expressions, as they were given.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Regex::as_str)
    }

    /// Whether only SQLGetTypeInfo is one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a method may ask for one: an entry of another one need not be looked at.
    pub(crate) fn may_name(&self, method: Method) -> bool {
        match method {
            Method::Catalog => true,
            Method::Run | Method::Prepare => !self.is_empty(),
            _ => false,
        }
    }

    /// Whether an entry asks for an answer with rows.
    pub(crate) fn name(&self, entry: &Entry) -> bool {
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
