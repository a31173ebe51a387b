//! No password in any spelling reaches the disk: not the cassette, not the log, not a report.

use super8_tests::cassette_files::{files, leaks};
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::program::Program;
use super8_tests::trap::Trap;
use super8_tests::ways::{SOURCE, Stage, Way};

/// Keywords as people and drivers write them; `%` stands for the secret.
const SPELLINGS: [&str; 12] = [
    "PWD=%",
    "pwd=%",
    "Password={%}",
    "PASSWORD = %",
    "Pwd={%;with=more}}}",
    "NEWPWD=%",
    "TlsKeyPwd=%",
    "PRIV_KEY_FILE_PWD=%",
    "Token=%",
    "AccessToken={%}",
    "Client_Secret=%",
    "pqopt={password=% sslmode=disable}",
];

fn secret(index: usize) -> String {
    format!("Geheim{index:02}}};x{}", index * 7919)
}

/// Runs `command`'s way and gives every file super8 could have written, with the program's output as one more.
fn traces(stage: &Stage, outcome: &Outcome) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for (path, bytes) in files(stage.scratch.path()) {
        // What the test itself wrote to tell the program its connection.
        if !path.starts_with(stage.scratch.join("odbc")) && !path.starts_with(stage.scratch.join("work")) {
            found.push((path, bytes));
        }
    }
    found.push(("standard error".into(), outcome.stderr.clone()));
    found
}

fn logged(stage: &mut Stage) {
    let log = stage.scratch.directory("log").join("super8.log").display().to_string();
    stage.environment.push(("SUPER8_LOG", log));
}

#[test]
fn twelve_spellings_in_one_connection_string() {
    let mut stage = Stage::new("spellings", Driver::Sqlite);
    logged(&mut stage);
    let value = |index: usize, spelling: &str| {
        let secret = secret(index);
        // Braced values double their closing braces; bare ones cannot hold a semicolon.
        if spelling.contains("{%") { secret.replace('}', "}}") } else { secret.replace(';', "") }
    };
    let listed: Vec<String> =
        SPELLINGS.iter().enumerate().map(|(index, spelling)| spelling.replace('%', &value(index, spelling))).collect();
    let string: &'static str = format!("DSN={SOURCE};{};Timeout=1000", listed.join(";")).leak();
    let program = Program::c("who.c").with_argument(string);
    stage.in_both_formats(|stage| spelled(stage, &program));
}

fn spelled(stage: &Stage, program: &Program) {
    let recorded = stage.run(Way::Record, program);
    program.check("record", &recorded);
    let replayed = stage.run(Way::Replay, program);
    program.check("replay", &replayed);

    let wrote = traces(stage, &recorded);
    let log = files(&stage.cassette()).iter().map(|(_, bytes)| String::from_utf8_lossy(bytes)).collect::<String>();
    assert!(log.contains("Timeout=1000") || log.contains("Timeout"), "the harmless keyword is gone too:\n{log}");
    for (index, spelling) in SPELLINGS.iter().enumerate() {
        for form in [secret(index), secret(index).replace(';', ""), format!("Geheim{index:02}")] {
            let found = leaks(&wrote, &form);
            assert!(found.is_empty(), "the secret of `{spelling}` is in {found:?}");
        }
    }
}

/// Connection strings, SQLConnect's arguments, refused connects, out strings: what servers' programs do with theirs.
#[test]
fn passwords_of_servers() {
    for driver in [Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        for program in
            [Program::c("connect.c"), Program::isql("session.sql", &[], ""), Program::python("connections.py")]
        {
            let mut stage = Stage::new("passwords", driver);
            logged(&mut stage);
            let mut wrote = Vec::new();
            stage.in_both_formats(|stage| {
                let recorded = stage.run(Way::Record, &program);
                program.check("record", &recorded);
                let replayed = stage.run(Way::Replay, &program);
                wrote.extend(traces(stage, &recorded));
                wrote.extend(traces(stage, &replayed));
            });
            for secret in [stage.database.password(), "wrong-secret"] {
                let found = leaks(&wrote, secret);
                assert!(found.is_empty(), "{} over {}: {found:?}", program.name(), driver.library());
            }
            // connect.c asks SQLGetInfo for the user's name, which is then an answer like any other.
            if program.name() != "connect" {
                stage.in_both_formats(|stage| {
                    let found = leaks(&files(&stage.cassette()), stage.database.user());
                    assert!(found.is_empty(), "the user's name is in {found:?}");
                });
            }
        }
    }
}

/// A mismatch at connect writes a report, which shows both connection strings.
#[test]
fn reports_are_scrubbed() {
    let mut stage = Stage::new("report", Driver::Sqlite);
    logged(&mut stage);
    stage.in_both_formats(another_user);
}

fn another_user(stage: &Stage) {
    let first = Program::c("who.c").with_argument("DSN=tested source;UID=one;PWD=Geheim-eins");
    first.check("record", &stage.run(Way::Record, &first));
    let second = Program::c("who.c").with_argument("DSN=tested source;UID=two;PWD=Geheim-zwei");
    let refused = stage.run(Way::Replay, &second);
    assert!(!refused.succeeded(), "another user was let in");
    for secret in ["Geheim-eins", "Geheim-zwei"] {
        let found = leaks(&traces(stage, &refused), secret);
        assert!(found.is_empty(), "{secret} is in {found:?}");
        assert!(!refused.text().contains(secret));
    }
}

/// SQL and error texts that repeat the password of their connection.
#[test]
fn sql_that_repeats_the_password() {
    let mut stage = Stage::new("echo", Driver::MariaDb);
    logged(&mut stage);
    let program = Program::c("echo.c");
    let target = stage.configure(Way::Record, &Trap::new());
    assert!(target.connection_string.contains("PWD="));
    stage.in_both_formats(|stage| {
        let recorded = stage.run(Way::Record, &program);
        program.check("record", &recorded);
        let found = leaks(&traces(stage, &recorded), stage.database.password());
        assert!(found.is_empty(), "{found:?}");
        let replayed = stage.run(Way::Replay, &program);
        program.check("replay", &replayed);
    });
}

/// What one connection makes known is hidden in all of the process.
#[test]
fn another_connections_password() {
    let mut stage = Stage::new("two_passwords", Driver::Sqlite);
    logged(&mut stage);
    let program = Program::python("two_passwords.py");
    stage.in_both_formats(|stage| {
        let recorded = stage.run(Way::Record, &program);
        program.check("record", &recorded);
        let found = leaks(&traces(stage, &recorded), "Geheim-4711-xyz");
        assert!(found.is_empty(), "{found:?}");
        program.check("replay", &stage.run(Way::Replay, &program));
    });
}

/// What was written before a password was known is looked through once it is known, before the connection that says it is made: such a
/// cassette is not completed, and nothing of it stays, even if the program is killed then.
#[test]
fn a_password_that_is_known_too_late() {
    let stage = Stage::new("late_password", Driver::Sqlite);
    let program = |early: &str| Program::python("two_passwords.py").with_argument(early);
    stage.in_both_formats(|stage| {
        // what the other format left there has the longer word
        let _ = std::fs::remove_dir_all(stage.scratch.join("cassette"));
        for early in ["sql", "rows", "reading"] {
            let killed = stage.wrapped("record", &program(early).with_argument("killed"));
            assert!(killed.errors().contains("what was recorded is removed"), "{early}: {}", killed.errors());
            let found = leaks(&traces(stage, &killed), "Geheim-4711-xyz");
            assert!(found.is_empty(), "{early}, killed: {found:?}");
            let recorded = stage.wrapped("record", &program(early).with_argument("orderly"));
            let report = recorded.errors();
            assert_eq!(recorded.status, "exit status: 122", "{early}: {report}");
            assert!(report.contains("a password that became known later is recorded in the clear here"), "{report}");
            assert!(!report.contains("Geheim-4711-xyz"), "{report}");
            assert!(!stage.log().exists(), "{early}: it is not in its place");
            assert!(report.contains("what was recorded is removed"), "{report}");
            for text in ["Geheim-4711-xyz", "Geheim-' || '4711", "4711-xyz"] {
                let found = leaks(&traces(stage, &recorded), text);
                assert!(found.is_empty(), "{early}: {found:?}");
            }
        }
        // a longer word is no password
        let recorded = stage.wrapped("record", &program("part"));
        program("part").check("record", &recorded);
        program("part").check("replay", &stage.wrapped("replay", &program("part")));
    });
}

/// The password by every way that leads into a cassette. Replay knows it again, and needs not know it.
#[test]
fn the_password_is_nowhere() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        let mut stage = Stage::new("own_password", driver);
        logged(&mut stage);
        let program = Program::c("own_password.c");
        stage.in_both_formats(|stage| {
            let recorded = stage.run(Way::Record, &program);
            program.check("record", &recorded);
            let found = leaks(&traces(stage, &recorded), "Own-Passw0rd-Xyzzy42");
            assert!(found.is_empty(), "{driver:?}: {found:?}");
            let hex = "Own-Passw0rd-Xyzzy42".bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
            let found = leaks(&traces(stage, &recorded), &hex);
            assert!(found.is_empty(), "{driver:?}, hex: {found:?}");
            for argument in ["known", "unknown"] {
                let replayed = stage.run(Way::Replay, &Program::c("own_password.c").with_argument(argument));
                assert!(replayed.succeeded() && !replayed.text().contains("[super8]"), "{}", replayed.text());
                assert_eq!(replayed.stdout, recorded.stdout, "{driver:?}, {argument}");
            }
        });
    }
}
