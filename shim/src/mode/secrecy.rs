//! What must not reach the cassette, removed from every text on its way there, and what can be put back at replay.

use crate::config::redact::MARK;
use crate::config::secrets::Secrets;
use crate::diagnostics::Outcome;
use super8_cassette::{Fields, Value};

/// What stands for the user's name: replay knows it again from the program or its data source.
const USER: &str = "<given UID>";

/// The secrets of one connection.
#[derive(Clone, Default)]
pub struct Secrecy {
    secrets: Secrets,
    user: Option<String>,
}

impl Secrecy {
    /// Keeps these secrets; `user` is the one that the program gives, or else its data source.
    pub fn new(secrets: Secrets, user: Option<String>) -> Self {
        Secrecy { secrets, user }
    }

    /// A message or reply without secrets and without the user's name.
    pub fn message(&self, text: &str) -> String {
        match &self.user {
            Some(user) if user == text => USER.to_owned(),
            Some(user) => self.secrets.scrub_message(text, user, USER).into_owned(),
            None => self.secrets.scrub_text(text).into_owned(),
        }
    }

    /// A recorded outcome with the user's name in its messages again.
    #[inline]
    pub fn restored(&self, outcome: Outcome) -> Outcome {
        if outcome.diagnostics.is_empty() { outcome } else { self.with_user(outcome) }
    }

    #[cold]
    fn with_user(&self, mut outcome: Outcome) -> Outcome {
        for record in &mut outcome.diagnostics {
            if let Some(message) = self.restore(&record.message) {
                record.message = message;
            }
        }
        outcome
    }

    /// A recorded answer with the user's name in it again.
    pub fn restored_fields(&self, answer: Fields) -> Fields {
        answer.into_iter().map(|(key, value)| (key, self.restored_value(value))).collect()
    }

    fn restored_value(&self, value: Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.restore(&text).unwrap_or(text)),
            Value::Map(pairs) => {
                Value::Map(pairs.into_iter().map(|(key, value)| (key, self.restored_value(value))).collect())
            }
            other => other,
        }
    }

    fn restore(&self, text: &str) -> Option<String> {
        let user = self.user.as_deref().unwrap_or(MARK);
        text.contains(USER).then(|| text.replace(USER, user))
    }
}
