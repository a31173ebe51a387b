//! The goals: the most that each way may cost. They are reported and never enforced, because times depend on the
//! machine's load.

use crate::{
    case::Way,
    case::{Case, Style},
    fact::Database,
    rounds::Pair,
};

/// Nanoseconds that forwarding may add to one call.
pub const FORWARDED_CALL: f64 = 10.0;

/// KiB of peak memory that recording may add to the bare client.
pub const RECORD_MEMORY: f64 = 4.0 * 1024.0;

/// KiB of peak memory of a replaying client.
pub const REPLAY_MEMORY: f64 = 8.0 * 1024.0;

/// KiB by which peak memory may grow when there is ten times as much data.
pub const MEMORY_GROWTH: f64 = 1024.0;

/// Returns the largest ratio to the bare driver that this way should have.
pub fn ratio(database: Database, case: Case, way: Way) -> Option<f64> {
    let (off, record, replay) = match (database, case) {
        (Database::Sqlite, Case::Connect) => (1.15, 1.25, 0.5),
        (Database::Sqlite, Case::Select1) => (1.03, 1.35, 0.25),
        (Database::Sqlite, Case::Threads) => (1.03, 1.35, 0.3),
        (Database::Sqlite, Case::Fetch(Style::GetData, _)) => (1.05, 1.25, 0.3),
        (Database::Sqlite, Case::Fetch(..)) => (1.05, 1.2, 0.25),
        (Database::Sqlite, Case::Insert { array: false }) => (1.05, 1.2, 0.2),
        (Database::Sqlite, Case::Insert { array: true }) => (1.05, 1.15, 0.15),
        (Database::Postgres, Case::Connect) => (1.05, 1.10, 0.10),
        (Database::Postgres, Case::Select1) => (1.05, 1.15, 0.10),
        (Database::Postgres, Case::Threads) => (1.05, 1.2, 0.15),
        (Database::Postgres, Case::Fetch(..)) => (1.05, 1.45, 0.5),
        (Database::Postgres, Case::Insert { array: false }) => (1.05, 1.3, 0.05),
        (Database::Postgres, Case::Insert { array: true }) => (1.05, 1.25, 0.05),
        (_, Case::CallColumns | Case::CallGetData) => return None,
    };
    match way {
        Way::Bare => None,
        Way::Off => Some(off),
        Way::Record(_) => Some(record),
        Way::Replay(_) => Some(replay),
    }
}

/// Returns whether a pair of medians reaches a goal: both wall and CPU time, only one of them, or neither.
pub fn mark(pair: Pair, goal: f64) -> &'static str {
    match (pair.wall <= goal, pair.cpu <= goal) {
        (true, true) => "yes",
        (true, false) => "wall only",
        (false, true) => "CPU only",
        (false, false) => "**no**",
    }
}

/// Returns whether a single figure reaches a goal.
pub fn mark_one(figure: f64, goal: f64) -> &'static str {
    if figure <= goal { "yes" } else { "**no**" }
}

/// Returns the mark behind the ratios of a table: empty if wall and CPU time both reach the goal, `(*)` if only one
/// does, `*` if neither does.
pub fn star(pair: Pair, goal: Option<f64>) -> &'static str {
    match goal.map(|goal| (pair.wall <= goal, pair.cpu <= goal)) {
        None | Some((true, true)) => "",
        Some((false, false)) => " *",
        Some(_) => " (*)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{case::Format, fact::Types};

    #[test]
    fn the_page_has_the_same_goals() -> Result<(), String> {
        let page = std::fs::read_to_string(crate::report::page()).map_err(|error| error.to_string())?;
        for (name, case) in [
            ("connect", Case::Connect),
            ("select1", Case::Select1),
            ("threads", Case::Threads),
            ("fetch, bound", Case::Fetch(Style::Bound, Types::Char)),
            ("fetch/getdata", Case::Fetch(Style::GetData, Types::Char)),
            ("insert/single", Case::Insert { array: false }),
            ("insert/array", Case::Insert { array: true }),
        ] {
            let ways = [Way::Off, Way::Record(Format::Yaml), Way::Replay(Format::Yaml)];
            let goals = ways.map(|way| ratio(Database::Sqlite, case, way).unwrap_or_default().to_string());
            let row = format!("| {name} | {} |", goals.join(" | "));
            assert!(page.contains(&row), "{row}");
        }
        Ok(())
    }
}
