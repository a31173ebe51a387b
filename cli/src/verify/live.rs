//! Repeats the recorded executions on a live connection: [`Verification::verify`].

use super::compare::{self, ComparisonError};
use super::plan::{Action, Execution, Step, only_reads};
use super::report::{At, Divergence, Kind, Report, Skipped};
use crate::exit::{Exit, Failure};
use std::collections::HashMap;
use super8_cassette::Detail;
use super8_cassette::{
    CassetteError, Entry, EntryRef, Fields, Key, Method, Store, Value, store::info_file, whole_entry,
};
use super8_client::{Argument, Connection, Manager, Parameter};
use super8_shim::config::connection_string::ConnectionString;

/// How a cassette is verified.
pub struct Verification<'a> {
    /// The driver manager.
    pub manager: &'a Manager,
    /// Whether its wide functions are called, so that parameters are sent as UTF-16.
    pub wide: bool,
    /// The connection string to use instead of what the cassette names.
    pub connection_string: Option<&'a str>,
    /// Whether to repeat writes and transactions as well, on the connections of the recording.
    pub all: bool,
    /// Whether values of the cassette were replaced by rules: then no values are compared, and no parameters that are
    /// known to be replaced are sent.
    pub redacted: bool,
}

/// SQL_ATTR_ODBC_VERSION, and what it is of a program that a cassette does not say it of.
const ODBC_VERSION: (i64, i32) = (200, 3);

/// Statement attributes that decide which rows come: their names in a cassette, and their numbers.
const ATTRIBUTES: &[(&str, i32)] = &[
    ("query_timeout", 0),
    ("max_rows", 1),
    ("noscan", 2),
    ("max_length", 3),
    ("cursor_type", 6),
    ("concurrency", 7),
    ("retrieve_data", 11),
    ("metadata_id", 10014),
];

impl Verification<'_> {
    /// Does the steps and compares the results. Calls `done` after each step.
    ///
    /// # Errors
    /// The cassette cannot be read, or a connection cannot be opened.
    pub fn verify(&self, store: &dyn Store, steps: &[Step], done: impl Fn()) -> Result<Report, Failure> {
        let mut report = Report { cassette: store.name().display().to_string(), ..Report::default() };
        let mut strings: HashMap<u32, (String, i32)> = HashMap::new();
        let mut open: HashMap<String, Connection<'_>> = HashMap::new();
        for Step { place, entry, action } in steps {
            done();
            let id = entry.connection.0;
            match action {
                Action::Connect if failed(entry).is_none() => {
                    strings.insert(id, (self.string(entry)?, version(store, *place, entry)?));
                    continue;
                }
                Action::Connect => continue,
                _ => {}
            }
            let Some((string, version)) = strings.get(&id) else { continue };
            // Reads share a connection. Writes need the connections of the recording, each with its own transaction.
            let key = if self.all { entry.connection.to_string() } else { format!("{version} {string}") };
            if matches!(action, Action::Disconnect) {
                if self.all {
                    open.remove(&key);
                }
                continue;
            }
            let (file, line) = store.locate(*place);
            let statement = entry.statement.map_or(String::new(), |statement| format!("/{statement}"));
            let at = At {
                place: format!("{}:{line}", file.display()),
                statement: format!("{}{statement}", entry.connection),
                text: text(entry, action),
            };
            let connection = match open.remove(&key) {
                Some(connection) => connection,
                None => self.open(string, *version)?,
            };
            match action {
                Action::End { commit } if self.all => drop(connection.end(*commit)),
                Action::SetConnectAttr => self.set(&connection, entry),
                Action::Execute(execution) => match self.sendable(execution, &whole_entry(store, *place)?) {
                    Ok(parameters) => {
                        report.verified += 1;
                        let found = self.again(store, &connection, execution, entry, parameters);
                        let found = found.map_err(Failure::from)?;
                        report.divergences.extend(found.into_iter().map(|found| {
                            let compare::Difference { kind, what, recorded, now } = found;
                            Divergence { kind, at: at.clone(), what, recorded, now }
                        }));
                        if !self.all {
                            // Rolls back, so that nothing is written, and so that a failed statement does not affect
                            // the next one.
                            let _ = connection.end(false);
                        }
                    }
                    Err(why) => report.skipped.push(Skipped { at, why }),
                },
                _ => {}
            }
            open.insert(key, connection);
        }
        Ok(report)
    }

    /// Returns the connection string of a recorded connect, or the one to use instead.
    fn string(&self, connect: &Entry) -> Result<String, Failure> {
        if let Some(string) = self.connection_string {
            return Ok(string.to_owned());
        }
        let recorded = connect.get(Key::ConnectionString).and_then(Value::as_text);
        let string = match (recorded, connect.get(Key::Dsn).and_then(Value::as_text)) {
            (Some(string), _) => string.to_owned(),
            (None, Some(dsn)) => format!("DSN={dsn}"),
            (None, None) => String::new(),
        };
        if string.is_empty()
            || string.contains("***")
            || connect.get(Key::Result).and_then(|facts| facts.get("user_hash")).is_some() && recorded.is_none()
        {
            return Err(Failure::new(format_args!(
                "the cassette does not say how to connect ({string}): it has no user and no secrets; give \
                 --connection-string or --dsn"
            ))
            .with(Exit::CannotStart));
        }
        let own = |key: &[u8]| key.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"super8"));
        let without = ConnectionString::parse(string.as_bytes()).without(own);
        Ok(String::from_utf8_lossy(&without).into_owned())
    }

    fn open(&self, string: &str, version: i32) -> Result<Connection<'_>, Failure> {
        let connection = Connection::open(self.manager, string, version).map_err(|error| {
            Failure::new(format_args!("cannot connect: {error}; name another database with --connection-string"))
                .with(Exit::CannotStart)
        })?;
        if !self.all {
            // A driver without transactions may refuse; that is fine, because only reads follow.
            let _ = connection.set_autocommit(false);
        }
        Ok(connection)
    }

    fn set(&self, connection: &Connection<'_>, entry: &Entry) {
        let value = entry.get(Key::Value);
        // Errors are ignored: their effect shows in the statements that follow.
        let _ = match entry.get(Key::Attribute).and_then(Value::as_text) {
            Some("current_catalog") => value.and_then(Value::as_text).map(|catalog| connection.set_catalog(catalog)),
            Some("autocommit") if self.all => {
                value.and_then(Value::as_int).map(|on| connection.set_autocommit(on != 0))
            }
            _ => None,
        };
    }

    /// Returns the sets of parameters to send.
    ///
    /// # Errors
    /// The text says why the execution is left out.
    fn sendable(&self, execution: &Execution, entry: &Entry) -> Result<Vec<Vec<Parameter>>, String> {
        if let Some(sql) = &execution.sql
            && !self.all
            && !only_reads(sql)
        {
            return Err("they may write (--all does them as well)".to_owned());
        }
        // what ODBC 3 calls HY003 is S1003 in ODBC 2
        if failed(entry).is_some_and(|state| REFUSED.contains(&state.replacen("S1", "HY", 1).as_str())) {
            return Err("the driver refused how the program bound them".to_owned());
        }
        let marked = |value: &Value| format!("{value:?}").contains("<redacted ");
        if self.redacted
            && (execution.sql.as_ref().is_some_and(|sql| sql.contains("<redacted "))
                || [Key::Params, Key::Arguments].into_iter().any(|key| entry.get(key).is_some_and(marked)))
        {
            return Err("they have values that were redacted".to_owned());
        }
        // An array of parameters is a list of sets. Sets that the application's operation array left out are not sent.
        let sent = |value: &Value| Parameter::of(value, self.wide);
        let parameters = entry.get(Key::Params).and_then(Value::as_list).unwrap_or_default();
        let array = parameters.iter().any(|item| matches!(item, Value::List(_)));
        match array {
            false => Ok(vec![parameters.iter().map(sent).collect::<Result<_, _>>()?]),
            true => parameters.iter().filter_map(Value::as_list).map(|set| set.iter().map(sent).collect()).collect(),
        }
    }

    /// Executes again and returns the differences.
    fn again(
        &self,
        store: &dyn Store,
        connection: &Connection<'_>,
        execution: &Execution,
        entry: &Entry,
        parameters: Vec<Vec<Parameter>>,
    ) -> Result<Vec<compare::Difference>, CassetteError> {
        let compared = || -> Result<Vec<compare::Difference>, ComparisonError> {
            let mut statement = connection.statement()?;
            for (name, attribute) in ATTRIBUTES {
                if let Some(value) = entry.get(Key::Attributes).and_then(|all| all.get(name)).and_then(Value::as_int) {
                    statement.set_attribute(*attribute, value as usize)?;
                }
            }
            let executed = match &execution.sql {
                Some(sql) => statement.execute(sql, &parameters, entry.method == Method::Execute),
                None => statement.catalog(&function(entry), &arguments(entry)),
            };
            match (failed(entry), executed) {
                (None, Err(failure)) => return Err(failure.into()),
                (Some(recorded), Ok(())) => return Ok(vec![outcome(recorded, "success".to_owned())]),
                (Some(recorded), Err(now)) if recorded != now.sqlstate => {
                    return Ok(vec![outcome(recorded, now.to_string())]);
                }
                (Some(_), Err(_)) => return Ok(Vec::new()),
                (None, Ok(())) => {}
            }
            let mut found = match &execution.columns {
                Some(file) => compare::columns(&store.document(file)?, &statement.columns()?),
                None => Vec::new(),
            };
            if execution.unlike.is_none() {
                found.extend(compare::rows(store, execution, &mut statement, !self.redacted)?);
            }
            Ok(found)
        };
        match compared() {
            Ok(found) => Ok(found),
            Err(ComparisonError::Driver(failure)) => Ok(vec![outcome("success".to_owned(), failure.to_string())]),
            Err(ComparisonError::Cassette(error)) => Err(error),
        }
    }
}

/// SQLSTATEs with which drivers refuse C types and buffers. An execution that was recorded with one of these is left
/// out, because a cassette does not say how the program bound its parameters.
const REFUSED: &[&str] = &["07006", "HY003", "HY004", "HY090", "HY104", "HY105", "HYC00"];

/// Returns the version of ODBC that a recorded program asked for. Drivers tell programs of ODBC 2, such as isql and PHP's functions, other
/// SQLSTATEs, and the types of dates under other numbers.
fn version(store: &dyn Store, place: EntryRef, connect: &Entry) -> Result<i32, CassetteError> {
    let (attribute, usual) = ODBC_VERSION;
    let Some(file) = connect.get(Key::InfoFile).and_then(Value::as_text) else { return Ok(usual) };
    let answers = store.info(info_file(store, place, file)?)?;
    let is_it = |answer: &&Fields| {
        answer.get(Key::Function).and_then(Value::as_text) == Some("SQLSetEnvAttr")
            && answer.get(Key::Attribute).and_then(Value::as_int) == Some(attribute)
    };
    let set = answers.iter().find(is_it).and_then(|answer| answer.get(Key::Value)?.as_int());
    Ok(set.and_then(|version| i32::try_from(version).ok()).unwrap_or(usual))
}

fn outcome(recorded: String, now: String) -> compare::Difference {
    compare::Difference { kind: Kind::Error, what: "outcome".to_owned(), recorded, now }
}

/// Returns the SQLSTATE with which a recorded command failed.
fn failed(entry: &Entry) -> Option<String> {
    let code = entry.get(Key::Return).filter(|_| entry.failed())?.as_text()?;
    let first = entry.get(Key::Diagnostics).and_then(Value::as_list).and_then(|records| records.first());
    let state = first.and_then(|record| record.detail(Detail::Sqlstate)?.as_text());
    Some(state.unwrap_or(code).to_owned())
}

fn function(entry: &Entry) -> String {
    entry.get(Key::Function).and_then(Value::as_text).unwrap_or_default().to_owned()
}

fn arguments(entry: &Entry) -> Vec<Argument> {
    let Some(Value::Map(arguments)) = entry.get(Key::Arguments) else { return Vec::new() };
    let argument = |value: &Value| match value {
        Value::Int(number) => Argument::Number(*number as i64),
        Value::Text(text) => Argument::Text(Some(text.clone())),
        _ => Argument::Text(None),
    };
    arguments.iter().map(|(_, value)| argument(value)).collect()
}

/// Returns a statement's text for the report.
fn text(entry: &Entry, action: &Action) -> String {
    match action {
        Action::Execute(Execution { sql: Some(sql), .. }) => sql.clone(),
        _ => function(entry),
    }
}
