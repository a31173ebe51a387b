//! Says what a replayed connect must have in common with the recorded one besides data source or driver: the user, the
//! database, the schema, the default library; under `verify: strict` every keyword that the cassette shows.

use crate::compare::mismatch::Difference;
use super8_cassette::volatile;
use super8_cassette::{Entry, Key, Value};

/// What a driver reports about a connection. Database and schema are compared where both sides name them.
const FACTS: &[&str] = &["user_hash", "database", "schema"];

/// Keywords, in upper case, that name a database, a schema or default libraries. Different values there mean different
/// data. (DBQ is the list of libraries on IBM i, and the file for drivers that read files.)
const DATA: &[&str] = &[
    "DATABASE",
    "DATABASENAME",
    "DB",
    "DBNAME",
    "INITIAL CATALOG",
    "CATALOG",
    "SCHEMA",
    "CURRENTSCHEMA",
    "DBQ",
    "DEFAULTLIBRARIES",
    "LIBRARY",
];

/// Stands in the place of a hidden value, so it is not compared.
const HIDDEN: &str = "***";

/// Says whether a connect's field is compared here rather than like any other field.
pub(crate) fn is_beside(key: Key) -> bool {
    matches!(key, Key::ConnectionString | Key::DsnSection | Key::Verify | Key::UserHash | Key::Library | Key::Kind)
}

/// Returns the first difference between two connects in scope.
pub(crate) fn difference(recorded: &Entry, asked: &Entry) -> Option<Difference> {
    facts(recorded, asked).or_else(|| {
        let strict = asked.get(Key::Verify).and_then(Value::as_text) == Some("strict");
        let counts = |name: &str| !volatile::has_keyword(recorded, name);
        keywords(&shown(recorded), &shown(asked), strict, counts)
    })
}

fn facts(recorded: &Entry, asked: &Entry) -> Option<Difference> {
    let keyword = |entry: &Entry, fact: &str| {
        let asked = if fact == "user_hash" { entry.get(Key::UserHash) } else { None };
        entry.get(Key::Result).and_then(|result| result.get(fact)).or(asked).cloned()
    };
    let named = |value: &Value| !matches!(value, Value::Null) && value.as_text() != Some("");
    FACTS.iter().find_map(|key| {
        let asked = keyword(asked, key).filter(named)?;
        let recorded = keyword(recorded, key).filter(named);
        // the user must be the same; a database or schema counts only where both sides name it
        if *key != "user_hash" && recorded.is_none() {
            return None;
        }
        let differs = recorded.as_ref() != Some(&asked);
        differs.then(|| Difference { place: (*key).to_owned(), recorded, asked: Some(asked) })
    })
}

/// A keyword that an entry shows.
struct Keyword {
    /// In upper case, with single blanks inside.
    name: String,
    value: String,
    /// The field that has it.
    field: &'static str,
}

/// Returns the keywords of an entry. As in a driver, the last of equal keywords in the connection string counts, and
/// the connection string takes precedence over the data source's section.
fn shown(entry: &Entry) -> Vec<Keyword> {
    let mut shown: Vec<Keyword> = Vec::new();
    let mut add = |name: &str, value: String, field| {
        let name = name.split_whitespace().map(str::to_uppercase).collect::<Vec<_>>().join(" ");
        if !shown.iter().any(|keyword| keyword.name == name) {
            shown.push(Keyword { name, value, field });
        }
    };
    let text = entry.get(Key::ConnectionString).and_then(Value::as_text).unwrap_or_default();
    for (name, value) in pairs(text).into_iter().rev() {
        add(&name, value, "connection_string");
    }
    if let Some(Value::Map(section)) = entry.get(Key::DsnSection) {
        for (name, value) in section {
            add(name, value.as_text().map_or_else(|| format!("{value:?}"), str::to_owned), "dsn_section");
        }
    }
    shown
}

fn keywords(
    recorded: &[Keyword],
    asked: &[Keyword],
    strict: bool,
    is_compared: impl Fn(&str) -> bool,
) -> Option<Difference> {
    let find = |list: &'_ [Keyword], name: &str| list.iter().position(|keyword| keyword.name == name);
    let only_asked = asked.iter().filter(|keyword| find(recorded, &keyword.name).is_none());
    recorded.iter().chain(only_asked).find_map(|keyword| {
        let name = &keyword.name;
        let (was, is) = (find(recorded, name).map(|at| &recorded[at]), find(asked, name).map(|at| &asked[at]));
        let hidden = [was, is].iter().flatten().any(|keyword| keyword.value == HIDDEN);
        // data source and driver have fields of their own
        if hidden || matches!(name.as_str(), "DSN" | "DRIVER" | "FILEDSN") || !is_compared(name) {
            return None;
        }
        let counts = strict || (DATA.contains(&name.as_str()) && was.is_some() && is.is_some());
        let value = |keyword: Option<&Keyword>| keyword.map(|keyword| Value::from(keyword.value.as_str()));
        let differs = counts && value(was) != value(is);
        let place = format!("{}: {name}", keyword.field);
        differs.then(|| Difference { place, recorded: value(was), asked: value(is) })
    })
}

/// Splits a connection string into its `key=value` pairs, without the braces of values.
fn pairs(text: &str) -> Vec<(String, String)> {
    let (mut rest, mut pairs) = (text, Vec::new());
    while let Some((key, after)) = rest.split_once('=') {
        // skip a word without `=` before the key
        let key = key.rsplit(';').next().unwrap_or_default().trim();
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('{') {
            Some(braced) => braces(braced),
            None => {
                let (value, next) = after.split_once(';').unwrap_or((after, ""));
                (value.trim_end().to_owned(), next)
            }
        };
        pairs.push((key.to_owned(), value));
        rest = next;
    }
    pairs
}

/// Splits off a value in braces, in which `}}` stands for `}`. Returns the value and what follows it.
fn braces(text: &str) -> (String, &str) {
    let (mut value, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('}') {
        value.push_str(before);
        match after.strip_prefix('}') {
            Some(after) => {
                value.push('}');
                rest = after;
            }
            None => return (value, after.split_once(';').map_or("", |(_, next)| next)),
        }
    }
    (value + rest, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use super8_cassette::{ConnectionId, Method};

    fn connect(string: &str, section: &[(&str, &str)]) -> Entry {
        let section = section.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
        let entry = Entry::new(Method::Connect, ConnectionId(0), None).with(Key::Dsn, "shop");
        entry.with(Key::ConnectionString, string).with(Key::DsnSection, Value::Map(section))
    }

    fn place(recorded: &Entry, asked: &Entry) -> String {
        difference(recorded, asked).map_or_else(String::new, |difference| difference.place)
    }

    #[test]
    fn users_and_facts_count_where_they_are_named() {
        let with = |user: Option<&str>, schema: &str| {
            let user = user.map(|user| ("user_hash".to_owned(), Value::from(user)));
            let result = user.into_iter().chain([("schema".to_owned(), Value::from(schema))]).collect();
            connect("HOST=desk", &[]).with(Key::Result, Value::Map(result))
        };
        assert_eq!(place(&with(Some("u"), ""), &connect("HOST=ci;DATABASE=x", &[])), "");
        assert_eq!(place(&with(Some("u"), ""), &with(Some("v"), "")), "user_hash");
        assert_eq!(place(&with(None, ""), &with(Some("v"), "")), "user_hash");
        assert_eq!(place(&with(None, "SALES"), &with(None, "TEST")), "schema");
    }

    #[test]
    fn what_names_data_is_compared_wherever_it_stands() {
        let recorded = connect("DSN=shop", &[("System", "as400"), ("DefaultLibraries", "SALES,QGPL")]);
        assert_eq!(
            place(&recorded, &connect("DSN=shop", &[("System", "test400"), ("DEFAULTLIBRARIES", "SALES,QGPL")])),
            ""
        );
        let other = connect("DSN=shop", &[("DefaultLibraries", "TEST,QGPL")]);
        assert_eq!(place(&recorded, &other), "dsn_section: DEFAULTLIBRARIES");
        // the connection string takes precedence over the section, on either side
        assert_eq!(place(&recorded, &connect("DefaultLibraries=TEST", &[])), "dsn_section: DEFAULTLIBRARIES");
        assert_eq!(place(&recorded, &connect("DefaultLibraries={SALES,QGPL}", &[("DefaultLibraries", "X")])), "");
        assert_eq!(place(&recorded, &connect("DSN=shop", &[])), "", "nothing is there to compare");
        let string = "DSN=shop; Database = {a;b}}c} ;X=1";
        assert_eq!(place(&connect(string, &[]), &connect("x;database={a;b}}c}", &[])), "");
        assert_eq!(place(&connect("DATABASE=a", &[]), &connect("database=b", &[])), "connection_string: DATABASE");
    }

    #[test]
    fn strict_compares_every_keyword_that_is_shown() {
        let strict = |string: &str, section: &[(&str, &str)]| connect(string, section).with(Key::Verify, "strict");
        let recorded = connect("DSN=shop;HOST=desk;PORT=5432;PWD=***", &[("Encoding", "UTF-8")]);
        let same = strict("port=5432;PWD=***;Host={desk};DSN=shop", &[("encoding", "UTF-8")]);
        assert_eq!(place(&recorded, &same), "", "neither the order of the keys nor their case says anything");
        let at = |string| place(&recorded, &strict(string, &[("Encoding", "UTF-8")]));
        assert_eq!(at("HOST=ci;PORT=5432"), "connection_string: HOST");
        assert_eq!(at("HOST=desk"), "connection_string: PORT");
        assert_eq!(at("HOST=desk;PORT=5432;SSLMODE=require"), "connection_string: SSLMODE");
        assert_eq!(place(&recorded, &strict("HOST=desk;PORT=5432", &[])), "dsn_section: ENCODING");
        assert_eq!(place(&recorded, &connect("HOST=ci", &[])), "");
    }
}
