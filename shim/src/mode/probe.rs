//! The query with which a driver manager probes its pooled connections (`CPProbe` in the driver's section of
//! odbcinst.ini).
//!
//! unixODBC runs it on a connection from its pool if the driver cannot answer SQL_ATTR_CONNECTION_DEAD and the
//! application's handle was connected before (its `search_for_pool` takes the text from that handle). The clock decides
//! how often that happens and the program does not know of it, so the probe is neither recorded nor played.

use super::outcome::write_result;
use crate::call::Call;
use crate::diagnostics::{Outcome, rc};
use crate::table::Function;
use std::sync::atomic::{AtomicBool, Ordering};
use super8_cassette::Value;

/// SQL_ATTR_CONNECTION_DEAD: a driver manager asks for it when it takes a connection from its pool.
pub const CONNECTION_DEAD: i64 = 1209;

/// The probe of a connection.
#[derive(Debug, Default)]
pub struct Probe {
    sql: Option<String>,
    /// Whether the driver was just asked if the connection is dead and could not say.
    due: AtomicBool,
}

impl Probe {
    /// Returns the probe with this text, if there is one.
    pub fn new(sql: Option<String>) -> Probe {
        Probe { sql: sql.filter(|sql| !sql.is_empty()), due: AtomicBool::new(false) }
    }

    /// Notes the answer to SQL_ATTR_CONNECTION_DEAD.
    pub(super) fn asked(&self, answer: &Outcome) {
        self.due.store(self.sql.is_some() && !rc::succeeded(answer.rc), Ordering::Relaxed);
    }

    /// Notes that the connection is used without having been probed.
    pub(super) fn passes(&self) {
        self.due.store(false, Ordering::Relaxed);
    }

    /// Returns whether a call belongs to the probe; `probes` is its statement's mark. The first call on the first
    /// statement decides.
    pub(super) fn begins(&self, call: &Call<'_>, probes: &AtomicBool) -> bool {
        if self.due.load(Ordering::Relaxed) {
            let text = match call {
                Call::Run { sql } => sql.read(),
                _ => None,
            };
            probes.store(self.is(text), Ordering::Relaxed);
        }
        probes.load(Ordering::Relaxed)
    }

    /// Returns whether this text is the probe that is due. After that none is due.
    fn is(&self, text: Option<String>) -> bool {
        self.due.swap(false, Ordering::Relaxed) && text == self.sql
    }
}

/// Returns what a replayed connection answers to its probe: it is alive, and the query has no result.
pub(super) fn passed(function: Function, call: &Call<'_>) -> Outcome {
    match call {
        Call::Ask(question) if function == Function::SQLNumResultCols => {
            write_result(question, &Value::Int(0));
            Outcome::SUCCESS
        }
        _ => Outcome::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_after_a_question_without_an_answer_is_a_probe() {
        let (probe, silent) = (Probe::new(Some("select 1".to_owned())), Outcome::error("HY092", ""));
        let is = |text: &str| probe.is(Some(text.to_owned()));
        assert!(!is("select 1"), "nothing was asked");
        probe.asked(&silent);
        assert!(is("select 1") && !is("select 1"), "it is due once");
        probe.asked(&silent);
        assert!(!is("select 2") && !is("select 1"));
        probe.asked(&silent);
        assert!(!probe.is(None) && !is("select 1"), "another call came first");
        probe.asked(&silent);
        probe.passes();
        assert!(!is("select 1"));
        probe.asked(&Outcome::SUCCESS);
        assert!(!is("select 1"));
        let none = Probe::new(Some(String::new()));
        none.asked(&silent);
        assert!(!none.is(Some(String::new())) && !none.is(None));
    }
}
