//! The headline of a mismatch: one line that fits the buffers of every language binding.

use crate::compare::alike::Alike;
use crate::compare::mismatch::{Difference, HEADLINE, MismatchKind};
use crate::report::explain::Case;
use super8_cassette::metadata::Order;
use super8_cassette::summary::{contrast, show, summary};
use super8_cassette::text::{cut, floor, one_line};
use super8_cassette::{Entry, Method, Value};

/// Writes the connection of an entry, and its statement if it has one: `a/1`.
pub(crate) fn ids(entry: &Entry) -> String {
    match entry.statement {
        Some(statement) => format!("{}/{statement}", entry.connection),
        None => entry.connection.to_string(),
    }
}

/// Writes a difference in words. Texts are cut around it to `max` bytes each.
pub(crate) fn in_words(difference: &Difference, max: usize) -> String {
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), |value| show(value, max));
    let Difference { place, recorded, asked } = difference;
    let place = cut(&one_line(place), 60);
    match (recorded, asked) {
        (Some(Value::Text(recorded)), Some(Value::Text(asked))) => {
            let (at, recorded, asked) = contrast(recorded, asked, max);
            format!("{place} differs at character {at}: recorded {recorded}, asked {asked}")
        }
        _ => format!("{place} differs: recorded {}, asked {}", shown(recorded), shown(asked)),
    }
}

impl Case<'_> {
    /// Returns the headline.
    pub(crate) fn headline(&self) -> String {
        let tail = format!("; see {}", cut(&one_line(&self.player.report), 80));
        let name = self.player.store.name().display().to_string();
        // the end of a path says more than its beginning
        let name = match name.len() {
            0..=100 => name,
            len => format!("...{}", &name[ceil(&name, len - 97)..]),
        };
        let head = match &self.expected {
            Some((position, entry)) => {
                let number = self.player.index.ordinal(*position);
                format!("[super8] replay: command {number} of {} ({}): ", one_line(&name), ids(entry))
            }
            None if self.is_any() => format!("[super8] replay: {}: {}: ", one_line(&name), self.nothing_expected()),
            None if self.is_in_addition() => {
                format!("[super8] replay: {} has no further connection that was asked anything: ", one_line(&name))
            }
            None => {
                format!("[super8] replay: all {} commands of {} are played: ", self.player.total(), one_line(&name))
            }
        };
        let decisive = self.decisive();
        let room = HEADLINE - tail.len();
        // what differs matters most; what was expected and what was asked share the rest
        let left = room.saturating_sub(head.len() + decisive.len() + "expected , got ; ".len());
        let each = (left / 2).clamp(24, 120);
        let got = self.got(each);
        let rows = match self.kind {
            MismatchKind::FewerRows | MismatchKind::MoreRows => format!("{}: ", self.kind.name()),
            _ => String::new(),
        };
        let middle = match self.want(each) {
            Some(want) => format!("{rows}expected {want}, got {got}"),
            None => format!("got {got}"),
        };
        let decisive = if decisive.is_empty() { decisive } else { format!("; {decisive}") };
        cut(&format!("{head}{middle}{decisive}"), room) + &tail
    }

    pub(crate) fn want(&self, max: usize) -> Option<String> {
        let (_, entry) = self.expected.as_ref()?;
        let Some((returned, total)) = self.rows else { return Some(summary(entry, max)) };
        let left = total.map(|total| total.saturating_sub(returned.unwrap_or(0)));
        let (left, word) = (
            left.map_or_else(|| "the".to_owned(), |left| left.to_string()),
            if left == Some(1) { "row" } else { "rows" },
        );
        Some(match returned {
            Some(_) => format!("{left} more {word} of {} to be read", ids(entry)),
            None => format!("{left} {word} of {} to be read", ids(entry)),
        })
    }

    pub(crate) fn got(&self, max: usize) -> String {
        let place = if self.same_place() { String::new() } else { format!(" on {}", ids(self.asked)) };
        summary(self.asked, max) + &place
    }

    /// Says whether units are played in any order.
    pub(crate) fn is_any(&self) -> bool {
        self.player.order == Order::Any
    }

    /// Says in words what was expected where no command was.
    pub(crate) fn nothing_expected(&self) -> &'static str {
        match (self.is_any(), self.kind) {
            (false, _) => "nothing more was recorded",
            (true, MismatchKind::OutOfOrder) => "no execution or transaction that is left begins so",
            (true, MismatchKind::Exhausted) => "all that was recorded like it is played",
            (true, _) => "nothing is recorded like it",
        }
    }

    /// Says whether this is asked on an additional connection, which was not recorded.
    fn is_in_addition(&self) -> bool {
        self.asked.method != Method::Connect && self.player.index.connection(self.asked.connection).is_empty()
    }

    /// Says whether what is asked is on the connection and statement that come next. Connects and units have no place of their own.
    fn same_place(&self) -> bool {
        self.asked.method == Method::Connect
            || self.is_any() && self.expected.is_none()
            || self.expected.as_ref().is_some_and(|(_, entry)| {
                (entry.connection, entry.statement) == (self.asked.connection, self.asked.statement)
            })
    }

    /// Returns the command that is most like what was asked, if that is not the expected one.
    pub(crate) fn elsewhere(&self) -> Option<&Alike> {
        let here = self.expected.as_ref().filter(|_| self.rows.is_none()).map(|(position, _)| *position);
        self.alike.as_ref().filter(|alike| Some(alike.position) != here)
    }

    /// Returns the order under which it would have passed.
    pub(crate) fn other_order(&self) -> Option<Order> {
        match self.by_connection {
            Some(true) => Some(Order::Connection),
            _ => self.by_any.then_some(Order::Any),
        }
    }

    /// Returns what makes the difference, in one clause.
    pub(crate) fn decisive(&self) -> String {
        let here = self.expected.as_ref().map(|(position, _)| *position);
        let ahead = self.nearest.as_ref().is_some_and(|nearest| here.is_none_or(|here| nearest.position >= here));
        let comparable = self.expected.as_ref().filter(|_| self.rows.is_none() && !ahead && self.same_place());
        let same_method = comparable.filter(|(_, entry)| entry.method == self.asked.method);
        let difference = same_method.and_then(|(_, entry)| self.player.comparison.difference(entry, self.asked));
        let elsewhere = self.nearest.as_ref().filter(|_| difference.is_none()).map(|nearest| {
            let is_played = if self.is_any() { self.kind == MismatchKind::Exhausted } else { !ahead };
            let (verb, number) = (if is_played { "was" } else { "is" }, self.player.index.ordinal(nearest.position));
            format!("that {verb} command {number} ({})", ids(&nearest.entry))
        });
        let other_order = self.other_order().map(|order| format!("order: {} would have passed", order.name()));
        let main = match (difference, self.kind) {
            (Some(difference), _) => Some(in_words(&difference, 70)),
            (None, MismatchKind::OutOfOrder | MismatchKind::Exhausted) => None,
            (None, MismatchKind::NotRecorded) => Some(match self.elsewhere() {
                Some(alike) => {
                    let number = self.player.index.ordinal(alike.position);
                    format!("the most like it is command {number} ({})", ids(&alike.entry))
                }
                None => "nothing like it is recorded nearby".to_owned(),
            }),
            (None, _) => None,
        };
        let more_rows = (self.asked.method.is_rows() && self.nearest.is_none())
            .then(|| format!("no more rows of {} are recorded here", ids(self.asked)));
        let clauses: Vec<String> = [main, more_rows, elsewhere, other_order].into_iter().flatten().collect();
        clauses.join("; ")
    }
}

/// Returns the first character boundary at or after `at`.
fn ceil(text: &str, at: usize) -> usize {
    let low = floor(text, at);
    if low == at { low } else { (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len()) }
}
