//! What real drivers answer when driver managers and client libraries ask beside their statements, for a cassette whose
//! connect says `driver: postgresql`. A test records this from the drivers and compares: tests/tests/profiles.rs.

use std::path::Path;
use std::sync::OnceLock;

use super::plain;
use super::types;
use crate::check::Wrong;
use crate::{Fields, Key, Value, yaml};

/// The answers about a connection, and SQLGetTypeInfo's results.
pub(super) struct Profile {
    /// The driver's library and `ansi` or `unicode`; `None` for a plain driver.
    pub(super) driver: Option<(String, String)>,
    /// The answers about a connection, as an info file has them.
    pub(super) answers: Vec<Fields>,
    /// SQLGetTypeInfo: once for all programs, or once each for ANSI and for Unicode programs.
    pub(super) type_info: Vec<TypeInfo>,
}

/// What SQLGetTypeInfo gives.
pub(super) struct TypeInfo {
    /// The programs that get it, `ansi` or `unicode`; `None` for all.
    pub(super) programs: Option<Value>,
    /// The columns of SQLGetTypeInfo's result, as a column file has them.
    pub(super) columns: Value,
    /// The C types of its cells.
    pub(super) c_types: Vec<Value>,
    /// What else the driver says about the columns.
    pub(super) about_columns: Vec<Fields>,
    /// A result for each type; the last is for any other type.
    pub(super) results: Vec<OfType>,
}

/// A result of SQLGetTypeInfo.
#[derive(Default)]
pub(super) struct OfType {
    /// The type that is asked for; `None` for any other.
    pub(super) of: Option<i64>,
    /// What SQLRowCount says.
    pub(super) row_count: Option<Value>,
    /// How it fails, if it does.
    pub(super) outcome: Fields,
    pub(super) rows: Vec<Value>,
}

/// The profiles, by the names that a cassette may use.
const RECORDED: [(&str, &str); 4] = [
    ("postgresql", include_str!("profiles/psqlodbcw.yml")),
    ("postgresql-ansi", include_str!("profiles/psqlodbca.yml")),
    ("mariadb", include_str!("profiles/libmaodbc.yml")),
    ("sqlite", include_str!("profiles/libsqlite3odbc.yml")),
];

/// The names that `driver` may have in a cassette written by hand.
pub const DRIVERS: [&str; 4] = [RECORDED[0].0, RECORDED[1].0, RECORDED[2].0, RECORDED[3].0];

/// Returns the profile with this number in [`DRIVERS`], or that of a plain driver.
pub(super) fn profile(number: Option<usize>) -> &'static Profile {
    static READ: [OnceLock<Profile>; RECORDED.len()] = [const { OnceLock::new() }; RECORDED.len()];
    static PLAIN: OnceLock<Profile> = OnceLock::new();
    match number.and_then(|number| READ.get(number).zip(RECORDED.get(number))) {
        Some((read, (_, text))) => read.get_or_init(|| recorded(text)),
        None => PLAIN.get_or_init(of_plain_driver),
    }
}

/// What `driver` means in a connect written by hand.
pub(super) enum Named {
    /// The profile with this number.
    Profile(usize),
    /// A driver by its name in odbcinst.ini, to which the program must connect.
    Driver(String),
}

/// Returns what a name means. In a connect that also names a data source it can only mean a profile.
pub(super) fn named(name: &str, beside_dsn: bool) -> Result<Named, Wrong> {
    if let Some(number) = DRIVERS.iter().position(|known| *known == name) {
        return Ok(Named::Profile(number));
    }
    if let Some(name) = name.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|_| !beside_dsn) {
        return Ok(Named::Driver(name.to_owned()));
    }
    let wrong = |problem: String, advice: String| Err(Wrong::new(Key::Driver.name(), problem).advise(advice));
    let near = similar::get_close_matches(name, &DRIVERS, 1, 0.7).first().copied();
    let one_of = || format!("it is one of {}", DRIVERS.join(", "));
    match (near, beside_dsn) {
        (Some(near), false) => wrong(
            format!("{name} is not a driver whose answers are known: did you mean {near}?"),
            format!("if odbcinst.ini has a driver of that name, write \"{{{name}}}\""),
        ),
        (Some(near), true) => {
            wrong(format!("{name} is not a driver whose answers are known: did you mean {near}?"), one_of())
        }
        (None, true) => wrong(
            format!("{name} is not a driver whose answers are known"),
            format!("{}; leave it out for a plain driver's", one_of()),
        ),
        (None, false) => Ok(Named::Driver(name.to_owned())),
    }
}

/// Checks that the answers of a driver with this name are known.
///
/// # Errors
/// They are not. The text names the nearest known name, or all of them.
pub fn check_driver(name: &str) -> Result<(), String> {
    named(name, true).map(|_| ()).map_err(|Wrong { problem, advice, .. }| format!("{problem}; {advice}"))
}

fn of_plain_driver() -> Profile {
    let columns = plain::type_info_columns();
    let all = plain::types();
    let rows = |types: &[&types::SqlType]| types.iter().map(|of| plain::type_info(of)).collect();
    let result = |of, rows| OfType { of, rows, ..OfType::default() };
    let one = all.iter().map(|of| result(Some(i64::from(of.code)), rows(&[*of])));
    let results = std::iter::once(result(Some(0), rows(&all))).chain(one).chain([result(None, Vec::new())]);
    let type_info = TypeInfo {
        programs: None,
        c_types: columns.iter().map(|column| column.sql_type.c_type.into()).collect(),
        results: results.collect(),
        columns: Value::List(columns.iter().map(types::Column::described).collect()),
        about_columns: Vec::new(),
    };
    Profile { driver: None, answers: plain::answers(), type_info: vec![type_info] }
}

/// Reads a profile. What a recorded profile cannot have comes from the plain driver: the names of server, database and
/// user, which belong to a session.
fn recorded(text: &str) -> Profile {
    let document = yaml::read_document(text.as_bytes(), Path::new("profiles")).unwrap_or(Value::Null);
    let text = |key: &str| document.get(key).and_then(Value::as_text).unwrap_or_default().to_owned();
    let list = |of: &Value, key: &str| of.get(key).and_then(Value::as_list).unwrap_or_default().to_vec();
    let mut answers: Vec<Fields> = list(&document, "answers").iter().flat_map(each).collect();
    let is_told = |plain: &Fields| answers.iter().any(|answer| question(answer) == question(plain));
    let of_session: Vec<Fields> = plain::of_session().filter(|plain| !is_told(plain)).collect();
    answers.extend(of_session);
    let result = |result: &Value| OfType {
        of: result.get("type").and_then(Value::as_int),
        row_count: result.get("row_count").cloned(),
        outcome: fields(result)
            .iter()
            .filter(|(key, _)| [Key::Return, Key::Diagnostics].contains(key))
            .cloned()
            .collect(),
        rows: list(result, "rows"),
    };
    let type_info = |of: &Value| TypeInfo {
        programs: of.get("programs").filter(|programs| **programs != Value::Null).cloned(),
        columns: of.get("columns").cloned().unwrap_or(Value::Null),
        c_types: list(of, "c_types"),
        about_columns: list(of, "about_columns").iter().map(fields).collect(),
        results: list(of, "results").iter().map(result).collect(),
    };
    Profile {
        driver: Some((text("library"), text("kind"))),
        answers,
        type_info: list(&document, "type_info").iter().map(type_info).collect(),
    }
}

/// Returns what tells one answer about a connection from others.
pub(super) fn question(answer: &Fields) -> Fields {
    let asked = [Key::Function, Key::Info, Key::Attribute, Key::Id];
    answer.iter().filter(|(key, _)| asked.contains(key)).cloned().collect()
}

fn fields(item: &Value) -> Fields {
    let Value::Map(pairs) = item else { return Fields::new() };
    let known = pairs.iter().filter_map(|(name, value)| Some((Key::from_name(name)?, value.clone())));
    known.collect()
}

/// Reads an answer, or several that differ only in the information type and are written as one with a list of types.
fn each(item: &Value) -> Vec<Fields> {
    let answer = fields(item);
    let Some(Value::List(types)) = answer.get(Key::Info).cloned() else { return vec![answer] };
    let of = |info: &Value| {
        let own = |(key, value): &(Key, Value)| (*key, if *key == Key::Info { info.clone() } else { value.clone() });
        answer.iter().map(own).collect()
    };
    types.iter().map(of).collect()
}
