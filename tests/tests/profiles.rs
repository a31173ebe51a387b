//! What real drivers answer beside their statements, for cassettes written by hand: `driver: postgresql`. The profiles in
//! cassette/src/store/by_hand/profiles are recorded here, and a replay that has nothing but the profile is compared with the driver.

use std::fmt::Write as _;
use super8_cassette::{Entry, Fields, Key, Method, Row, Store, Value, cell, inline, open};
use super8_tests::c_compiler::compiled;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::products::repository;
use super8_tests::python;

const DRIVERS: [(Driver, &str); 4] = [
    (Driver::PostgresUnicode, "postgresql"),
    (Driver::PostgresAnsi, "postgresql-ansi"),
    (Driver::MariaDb, "mariadb"),
    (Driver::Sqlite, "sqlite"),
];

/// A value in YAML's flow style, which is JSON's.
fn flow(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => serde_json::to_string(text).unwrap(),
        Value::List(items) => format!("[{}]", list(items.iter().map(flow).collect())),
        Value::Map(pairs) => {
            format!("{{{}}}", list(pairs.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect()))
        }
    }
}

fn flow_of(fields: &[(Key, Value)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(key, value)| format!("{}: {}", key.name(), flow(value))).collect();
    format!("- {{{}}}\n", pairs.join(", "))
}

/// What a driver says of the session and not of itself: names of data source, server, database and user.
fn is_of_session(answer: &Fields) -> bool {
    let number = |key| answer.get(key).and_then(Value::as_int);
    matches!(number(Key::Info), Some(2 | 13 | 16 | 47)) || number(Key::Attribute) == Some(109)
}

/// The answer without the names of the session in its diagnostic records.
fn without_names(answer: Fields) -> Vec<(Key, Value)> {
    let mut answer = answer.to_vec();
    answer.retain(|(key, value)| *key != Key::Result || *value != Value::Null);
    for (_, value) in answer.iter_mut().filter(|(key, _)| *key == Key::Diagnostics) {
        if let Value::List(records) = value {
            for record in records {
                if let Value::Map(pairs) = record {
                    pairs.retain(|(key, _)| key != "server_name" && key != "connection_name");
                }
            }
        }
    }
    answer
}

/// The answers about the connection, one for all information types that have the same answer of an error.
fn answers(store: &dyn Store) -> String {
    let mut text = String::new();
    let mut failed: Vec<Vec<(Key, Value)>> = Vec::new();
    let mut types_of: Vec<Vec<Value>> = Vec::new();
    for answer in store.info(super8_cassette::ConnectionId(0)).unwrap() {
        let function = answer.get(Key::Function).and_then(Value::as_text).unwrap_or_default().to_owned();
        if is_of_session(&answer) || function == "SQLSetEnvAttr" || function == "SQLGetEnvAttr" {
            continue;
        }
        let answer = without_names(answer);
        match answer
            .iter()
            .find(|(key, _)| *key == Key::Info)
            .filter(|_| answer.iter().any(|(key, _)| *key == Key::Return))
        {
            Some((_, info)) => {
                let others = |fields: &[(Key, Value)]| -> Vec<(Key, Value)> {
                    fields.iter().filter(|(key, _)| *key != Key::Info).cloned().collect()
                };
                match failed.iter().position(|known| others(known) == others(&answer)) {
                    Some(at) => types_of[at].push(info.clone()),
                    None => {
                        types_of.push(vec![info.clone()]);
                        failed.push(answer);
                    }
                }
            }
            None => text += &flow_of(&answer),
        }
    }
    for (mut answer, types) in failed.into_iter().zip(types_of) {
        for (_, info) in answer.iter_mut().filter(|(key, _)| *key == Key::Info) {
            *info = Value::List(types.clone());
        }
        text += &flow_of(&answer);
    }
    text
}

/// A result of SQLGetTypeInfo.
#[derive(PartialEq)]
struct OfType {
    of: Value,
    row_count: Option<Value>,
    outcome: Vec<(Key, Value)>,
    rows: Vec<Value>,
}

impl OfType {
    fn same_as(&self, other: &OfType) -> bool {
        self.row_count == other.row_count && self.outcome == other.outcome && self.rows == other.rows
    }

    fn written(&self, is_other: bool) -> String {
        let mut text = match is_other {
            true => "- {any: other".to_owned(),
            false => format!("- {{type: {}", flow(&self.of)),
        };
        for (key, value) in &self.outcome {
            write!(text, ", {}: {}", key.name(), flow(value)).unwrap();
        }
        if let Some(count) = &self.row_count {
            write!(text, ", row_count: {}", flow(count)).unwrap();
        }
        if !self.rows.is_empty() {
            let rows: Vec<String> = self.rows.iter().map(|row| format!("    {}", flow(row))).collect();
            write!(text, ", rows: [\n{}]", rows.join(",\n")).unwrap();
        }
        text + "}\n"
    }
}

/// What SQLGetTypeInfo gives in a recording of `driver_profile.c`.
fn type_info(store: &dyn Store) -> String {
    let mut entries: Vec<Entry> = Vec::new();
    store
        .scan(&mut |place, _| {
            entries.push(store.entry(place)?);
            Ok(())
        })
        .unwrap();
    let (mut columns, mut about, mut types, mut results) = (Value::Null, String::new(), Value::Null, Vec::new());
    for entry in entries {
        let get = |key| entry.get(key).cloned();
        let is_first = entry.statement == Some(1);
        match entry.method {
            Method::Catalog => {
                let outcome = entry.fields.iter().filter(|(key, _)| [Key::Return, Key::Diagnostics].contains(key));
                let outcome = without_names(outcome.cloned().collect());
                let of = get(Key::Arguments).and_then(|arguments| arguments.get("type").cloned()).unwrap();
                results.push(OfType { of, row_count: None, outcome, rows: Vec::new() });
            }
            Method::Columns if is_first => {
                columns = store.document(get(Key::ColumnsFile).unwrap().as_text().unwrap()).unwrap()
            }
            Method::Answer if is_first => about += &flow_of(&without_names(entry.fields.clone())),
            Method::RowCount => results.last_mut().unwrap().row_count = get(Key::Result),
            Method::Fetch | Method::FetchAll => {
                let c_types = get(Key::CTypes).unwrap_or(types.clone());
                if c_types != Value::Null {
                    assert!(types == Value::Null || types == c_types, "{types:?} {c_types:?}");
                    types = c_types;
                }
                let rows = &mut results.last_mut().unwrap().rows;
                match get(Key::RowsFile) {
                    Some(file) => {
                        let names: Vec<&str> =
                            types.as_list().unwrap().iter().map(|of| of.as_text().unwrap()).collect();
                        let mut source = store.rows(file.as_text().unwrap()).unwrap();
                        let mut record = csv::ByteRecord::new();
                        while source.next(&mut record).unwrap() {
                            let (mut row, mut scratch) = (Row::new(), Vec::new());
                            for (column, field) in record.iter().enumerate() {
                                row.set(column, cell::decode(field, &mut scratch).unwrap());
                            }
                            rows.push(inline::inline(&row, &names));
                        }
                    }
                    None => rows.extend(get(Key::Result).filter(|row| *row != Value::Null)),
                }
            }
            _ => {}
        }
    }
    let other = results.pop().unwrap();
    assert_eq!(other.of, Value::from(77), "the last type that is asked for is none");
    let listed: String =
        results.iter().filter(|result| !result.same_as(&other)).map(|result| result.written(false)).collect();
    let columns = columns.as_list().unwrap().iter().map(|column| format!("- {}\n", flow(column))).collect::<String>();
    let about = if about.is_empty() { "[]\n".to_owned() } else { format!("\n{about}") };
    let types = flow(&types);
    let text =
        format!("columns:\n{columns}c_types: {types}\nabout_columns: {about}results:\n{listed}{}", other.written(true));
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// The profile that recordings of an ANSI and of a Unicode program have.
fn profile(driver: Driver, ansi: &dyn Store, unicode: &dyn Store) -> String {
    let facts = unicode.metadata().unwrap().driver.unwrap();
    let (for_ansi, for_unicode) = (type_info(ansi), type_info(unicode));
    let type_info = match for_ansi == for_unicode {
        true => format!("- programs: null\n{for_ansi}"),
        false => format!("- programs: ansi\n{for_ansi}- programs: unicode\n{for_unicode}"),
    };
    format!(
        "# Recorded from {} by tests/tests/profiles.rs.\nlibrary: {}\nkind: {}\nanswers:\n{}type_info:\n{type_info}",
        driver.library(),
        facts.library,
        facts.kind,
        answers(unicode)
    )
}

/// The lines that tell of a server's release, which is not the driver's.
fn without_releases(text: &str) -> String {
    let is_of_driver = |line: &&str| !line.contains("info: 18,") && !line.starts_with("information 18:");
    text.lines().filter(is_of_driver).map(|line| format!("{line}\n")).collect()
}

/// `SUPER8_BLESS=1 cargo test -p super8-tests profiles` writes the profiles anew; look at the difference before committing it.
#[test]
fn drivers_answer_what_their_profiles_say() {
    for (driver, _) in DRIVERS {
        let (desk, _database, connection_string) = Desk::on("profiles_recorded", driver, "shop");
        let program = compiled("driver_profile.c").display().to_string();
        let record = |words: &[&str]| {
            let cassette = words.join("_");
            let recorded =
                desk.run(&[&["record", &cassette, "--", program.as_str(), &connection_string], words].concat());
            assert!(recorded.succeeded(), "{driver:?}: {}", recorded.errors());
            open(&desk.scratch.join("work").join(cassette)).unwrap()
        };
        let (ansi, unicode) = (record(&["numbers"]), record(&["numbers", "unicode"]));
        let recorded = profile(driver, &*ansi, &*unicode);
        let stem = driver.library().trim_end_matches(".so");
        let file = repository().join(format!("cassette/src/store/by_hand/profiles/{stem}.yml"));
        if std::env::var_os("SUPER8_BLESS").is_some() {
            std::fs::write(&file, &recorded).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        let same = without_releases(&recorded) == without_releases(&known);
        assert!(
            same,
            "{}: this driver answers something else now; bless it and look at the difference",
            file.display()
        );
    }
}

/// A cassette whose connect takes a driver's answers, and what else is in it.
fn write_cassette(desk: &Desk, driver: &str, entries: &str) {
    desk.clear();
    desk.scratch.directory("work/written");
    let log = format!("- method: connect\n  dsn: shop\n  driver: {driver}\n{entries}");
    desk.scratch.write("work/written/commands.yml", log);
}

/// The lines that say the same of every session. MariaDB's driver does not tell ANSI programs the length of information type 38.
fn of_driver(text: &str) -> Vec<&str> {
    const SESSION: [&str; 6] = [
        "information 2:",
        "information 13:",
        "information 16:",
        "information 47:",
        "information 38: 0 -7777",
        "attribute 109 of",
    ];
    text.lines().filter(|line| !SESSION.iter().any(|session| line.starts_with(session))).collect()
}

/// Runs a program with the real driver, and on a cassette that says no more than its name and these entries: the same output.
fn same_as_bare(
    driver: (Driver, &str),
    subject: &str,
    entries: &str,
    input: &str,
    words: &dyn Fn(&str) -> Vec<String>,
) {
    let (driver, name) = driver;
    let (desk, _database, connection_string) = Desk::on(subject, driver, "shop");
    let words = words(&connection_string);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let bare = desk.run_with(&[&["run", "--"], &words[..]].concat(), input);
    assert!(bare.succeeded() && !bare.text().is_empty(), "{name}: {}", bare.errors());
    write_cassette(&desk, name, entries);
    let replayed = desk.run_with(&[&["replay", "written", "--"], &words[..]].concat(), input);
    assert!(replayed.succeeded(), "{name}: {}{}", replayed.text(), replayed.errors());
    let (bare, replayed) = (bare.text(), replayed.text());
    let (bare, mut replayed) = (of_driver(&bare), of_driver(&replayed));
    if bare.len() + 1 == replayed.len() {
        replayed.retain(|line| *line != "information 38: 0 1 \"Y\"");
    }
    let different: Vec<_> = bare.iter().zip(&replayed).filter(|(bare, replayed)| bare != replayed).collect();
    assert!(different.is_empty() && bare.len() == replayed.len(), "{name}: {different:#?}");
}

#[test]
fn a_c_program_is_told_what_the_driver_tells() {
    let program = compiled("driver_profile.c").display().to_string();
    for driver in DRIVERS {
        for modes in ["", "numbers", "unicode"] {
            let words = |connect: &str| [&program, connect, modes].map(str::to_owned).to_vec();
            same_as_bare(driver, "profiles_c", "", "", &words);
        }
    }
}

#[test]
fn pyodbc_is_told_what_the_driver_tells() {
    let script = repository().join("tests/programs/python/driver_profile.py").display().to_string();
    let interpreter = python::interpreter().display().to_string();
    // pyodbc cannot read the texts of psqlodbca: that is refused by the driver
    for driver in DRIVERS.into_iter().filter(|(driver, _)| *driver != Driver::PostgresAnsi) {
        let words = |connect: &str| vec![interpreter.clone(), script.clone(), connect.to_owned()];
        same_as_bare(driver, "profiles_pyodbc", "", "", &words);
    }
}

#[test]
fn isql_is_told_what_the_driver_tells() {
    for driver in DRIVERS {
        // SQLite's driver does not count the rows of a query, and shows an INTEGER in less room
        let (count, size) = if driver.0 == Driver::Sqlite { (0, 10) } else { (1, 11) };
        let column = format!("{{name: seven, type: INTEGER, display_size: {size}}}");
        let rows = format!(
            "- {{method: run, sql: select 7 as seven, columns: [{column}], rows: [[7]], row_count: {count}}}\n"
        );
        let words = |connect: &str| ["isql", "-v", "-k", connect].map(str::to_owned).to_vec();
        same_as_bare(driver, "profiles_isql", &rows, "select 7 as seven\n\n", &words);
    }
}

#[test]
fn a_driver_that_is_not_known_is_told_with_the_nearest() {
    let desk = Desk::new("profiles_unknown");
    for (driver, expected) in [
        (
            "postgres",
            "written/commands.yml:3: unreadable: driver: postgres is not a driver whose answers are known: did you mean postgresql?",
        ),
        (
            "oracle",
            "driver: oracle is not a driver whose answers are known; it is one of postgresql, postgresql-ansi, mariadb, sqlite; leave it out",
        ),
    ] {
        write_cassette(&desk, driver, "");
        let checked = desk.run(&["check", "written"]);
        assert!(!checked.succeeded() && checked.text().contains(expected), "{}", checked.text());
        let replayed = desk.run_with(&["replay", "written", "--", "isql", "shop", "-b", "-v"], "");
        let said = String::from_utf8_lossy(&replayed.all()).into_owned();
        assert!(!replayed.succeeded() && said.contains("is not a driver whose answers are known"), "{said}");
    }
}

#[test]
fn a_fault_says_what_the_driver_says() {
    let desk = Desk::new("profiles_fault");
    let statement = "- {method: run, sql: delete from fruit, row_count: 2, fault: deadlock}\n";
    for (name, state, said) in [("postgresql", "[40P01]", "ERROR: deadlock detected"), ("mariadb", "[40001]", "[ma-")] {
        write_cassette(&desk, name, statement);
        let typed = "delete from fruit\ndelete from fruit\n";
        let replayed = desk.run_with(&["replay", "written", "--", "isql", "shop", "-b", "-v"], typed);
        let text = String::from_utf8_lossy(&replayed.all()).into_owned();
        assert!(text.contains(state) && text.contains(said), "{text}");
    }
}
