//! What drivers report for faults. `driver_faults/` has what was measured with each driver and version, which a test
//! compares with the real drivers. For drivers that cannot be run here it has what documents and experience say.

use std::path::Path;

use super8_cassette::faults::FaultKind;
use super8_cassette::{Detail, Fields, Key, Method, Value, words, yaml};

/// What the driver reports: `return` and `diagnostics`, whose messages all end with the token, and whether it reports
/// the connection dead afterwards.
pub(crate) struct Told {
    pub(crate) fields: Fields,
    pub(crate) reports_dead: bool,
}

/// What was measured, by the beginning of the driver library's name.
const MEASURED: [(&str, &str); 4] = [
    ("psqlodbcw", include_str!("driver_faults/psqlodbcw.yml")),
    ("psqlodbca", include_str!("driver_faults/psqlodbca.yml")),
    ("libmaodbc", include_str!("driver_faults/libmaodbc.yml")),
    ("libsqlite3odbc", include_str!("driver_faults/libsqlite3odbc.yml")),
];

/// What could not be measured.
const DOCUMENTED: &str = include_str!("driver_faults/documents.yml");

/// What a driver is assumed to report of which nothing is known.
const PLAIN: &str = include_str!("driver_faults/plain.yml");

fn read(table: &str) -> Vec<Value> {
    match yaml::read_document(table.as_bytes(), Path::new("driver_faults")) {
        Ok(Value::List(rows)) => rows,
        _ => Vec::new(),
    }
}

/// Returns what is known of a driver, given the file name of its library.
fn of_driver(file: &str) -> Vec<Value> {
    let measured = MEASURED.iter().find(|(begin, _)| file.starts_with(begin));
    let mut rows = measured.map(|(_, table)| read(table)).unwrap_or_default();
    let begins = |row: &Value| row.get("driver").and_then(Value::as_text).is_some_and(|begin| file.starts_with(begin));
    rows.extend(read(DOCUMENTED).into_iter().filter(begins));
    rows
}

/// Returns the measurements' name for the place where a fault is met.
fn met_at(method: Method) -> &'static str {
    match method {
        Method::Connect => "connect",
        Method::Prepare => "prepare",
        Method::Commit | Method::Rollback => "commit",
        method if method.is_rows() => "fetch",
        _ => "execute",
    }
}

/// Returns what a driver reports for a fault at a command of this method. `later` is for a command on a connection that
/// is lost already.
pub(crate) fn told(library: Option<&str>, kind: &FaultKind, method: Method, later: bool, token: &str) -> Told {
    let at = if later { "later" } else { met_at(method) };
    let lost = later || *kind == FaultKind::CommitUnknown;
    let name = if lost { FaultKind::LostConnection.name() } else { kind.name() };
    let find = |rows: &[Value], at: &str| {
        let is = |row: &Value, key, wanted: &str| row.get(key).and_then(Value::as_text) == Some(wanted);
        rows.iter().find(|row| is(row, "fault", name) && is(row, "at", at)).cloned()
    };
    let file = library.map_or("", |library| library.rsplit('/').next().unwrap_or(library));
    let (own, plain) = (of_driver(file), read(PLAIN));
    // what the driver reports for this call, else for an execution, else what a plain driver reports
    let executing = |rows: &[Value]| if at == "connect" { None } else { find(rows, "execute") };
    let found = find(&own, at).or_else(|| executing(&own)).or_else(|| find(&plain, at)).or_else(|| executing(&plain));
    let found = found.as_ref();
    let mut diagnostics = found.and_then(|row| row.detail(Detail::Diagnostics)?.as_list()).unwrap_or_default().to_vec();
    if diagnostics.is_empty() {
        let sqlstate = if later { "08S01" } else { kind.name() };
        let message = format!("[super8] the recorded command fails with {sqlstate}");
        diagnostics.push(Value::Map(vec![
            Detail::Sqlstate.with(sqlstate),
            Detail::Native.with(0),
            Detail::Message.with(message),
        ]));
    }
    for record in &mut diagnostics {
        if let Value::Map(pairs) = record
            && let Some((_, Value::Text(message))) = pairs.iter_mut().find(|(key, _)| key == Detail::Message.name())
        {
            message.push_str(&format!(" [{token}]"));
        }
    }
    let code = found.and_then(|row| row.detail(Detail::Return)).cloned().unwrap_or_else(|| words::return_value(-1));
    let reports_dead = found.and_then(|row| row.get("connection_dead")).is_none_or(|dead| *dead == Value::Bool(true));
    let fields = Fields::from([(Key::Return, code), (Key::Diagnostics, Value::List(diagnostics))]);
    Told { fields, reports_dead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_says_what_was_measured_and_another_one_what_a_plain_one_does() {
        let message = |library, kind, method, later| {
            let told = told(library, &kind, method, later, "T");
            let record = &told.fields.get(Key::Diagnostics).unwrap().as_list().unwrap()[0];
            let text = |detail| record.detail(detail).and_then(Value::as_text).unwrap().to_owned();
            (text(Detail::Sqlstate), text(Detail::Message))
        };
        for library in [Some("psqlodbcw.so"), Some("/usr/lib/libmaodbc.so"), Some("libnobody.so"), None] {
            let (sqlstate, text) = message(library, FaultKind::Deadlock, Method::Execute, false);
            assert!(sqlstate.starts_with("40") && text.ends_with(" [T]"), "{library:?}: {sqlstate} {text}");
        }
        assert_eq!(message(None, FaultKind::Sqlstate("23505".to_owned()), Method::Run, false).0, "23505");
        assert_eq!(message(None, FaultKind::Timeout, Method::Fetch, true).0, "08S01");
    }
}
