//! Tests of scrubbing: every spelling of a secret, in connection strings and in texts that echo it.

use super::*;

fn parse(text: &str) -> ConnectionString {
    ConnectionString::parse(text.as_bytes())
}

/// Spellings of a connection string, and what must not occur in anything that is made from it.
const SPELLINGS: &[(&str, &[&str])] = &[
    ("DSN=x;PWD=hunter2", &["hunter2"]),
    ("DSN=x;pwd=hunter2;", &["hunter2"]),
    ("DSN=x;Password=hunter2", &["hunter2"]),
    ("DSN=x;Pwd={hun;ter2}", &["hun;ter2", "ter2"]),
    ("DSN=x;PWD={hun}}ter;2}", &["hun}ter;2", "hun}}ter;2", "ter;2"]),
    ("DSN=x;TOKEN=eyJhbGciOi", &["eyJhbGciOi"]),
    ("DSN=x;AccessToken={eyJ.abc=}", &["eyJ.abc"]),
    ("DSN=x;client_secret=s3cr3t!", &["s3cr3t"]),
    ("DSN=x;REFRESHTOKEN=refresh-me", &["refresh-me"]),
    ("DSN=x;PRIV_KEY_FILE_PWD=keypass", &["keypass"]),
    ("DSN=x;pqopt={password=hunter2 user=alice}", &["hunter2", "alice"]),
    ("DSN=x;TLSKEYPWD=tlspass", &["tlspass"]),
    ("DSN=x;PWD=hun%3bter%7d2", &["hun%3bter%7d2", "hun;ter}2"]),
    ("DSN=x;pAsSwOrD=hunter2", &["hunter2"]),
    ("DSN=x; PWD = hunter2 ;", &["hunter2"]),
    ("DSN=x;PWD= {hun;ter2} ;", &["hun;ter2", "ter2"]),
    ("DSN=x;PWD={never closed", &["never closed"]),
    ("DSN=x;PWD=hun;ter2", &["ter2"]),
    ("DSN=x;A6={SET x='password=hunter2'}", &["hunter2"]),
    ("DSN=x;Database={db;PWD=hunter2}", &["hunter2"]),
    ("DSN=x;Database= {db;PWD=hunter2", &["hunter2"]),
    ("DSN=x;Server=tcp://alice:hunter2@db", &["hunter2", "alice"]),
    ("DSN=x;Database=password%3Dhunter2", &["hunter2"]),
    ("DSN=x;UID=alice;User Id=bobby;LOGIN={carol}", &["alice", "bobby", "carol"]),
    ("DSN=x;SomethingNew=hunter2", &["hunter2"]),
];

#[test]
fn no_spelling_survives_in_a_connection_string() {
    for (string, secrets) in SPELLINGS {
        let scrubbed = scrub(&parse(string));
        assert!(scrubbed.starts_with("DSN=x;") && scrubbed.contains(MARK), "{string}: {scrubbed}");
        for secret in *secrets {
            assert!(!scrubbed.contains(secret), "{string}: {scrubbed}");
        }
        assert_eq!(scrub(&parse(&scrubbed)), scrubbed, "scrubbing twice changes nothing");
    }
}

#[test]
fn no_spelling_survives_in_a_message_that_echoes_the_string() {
    for (string, hidden) in SPELLINGS {
        let message = secrets(&parse(string), None, None).scrub_text(&format!("cannot connect: {string}")).into_owned();
        for secret in *hidden {
            assert!(!message.contains(secret), "{string}: {message}");
        }
    }
}

#[test]
fn a_secret_is_found_in_every_form() {
    let secrets = secrets(&parse("DSN=x;UID=alice;Pwd={a;b}}c d}"), None, Some(b"third argument"));
    for echo in [
        "a;b}c d",
        "a;b}}c d",
        "{a;b}}c d}",
        "a%3bb%7dc+d",
        "a%3Bb%7Dc%20d",
        "a%3bb%7dc%20d",
        "third argument",
        "third+argument",
        "third%20argument",
    ] {
        let message = secrets.scrub_text(&format!("login [{echo}] refused")).into_owned();
        assert_eq!(message.replace("{***}", "***"), "login [***] refused", "{echo}");
    }
}

#[test]
fn users_leave_messages() {
    let secrets = secrets(&parse("UID=alice"), Some(b"bobby"), None);
    assert_eq!(secrets.scrub_text("user \"alice\" or bobby or alicent"), "user \"***\" or *** or alicent");
}

#[test]
fn short_and_ordinary_values_do_not_eat_text() {
    let secrets = secrets(&parse("PWD=ab;FooMode=fast;Trace=1;UID=x"), None, None);
    assert_eq!(secrets.scrub_text("ab fast 1 x"), "ab fast 1 x");
    assert_eq!(secrets.scrub_text("PWD=ab; failed"), "PWD=***; failed");
}

#[test]
fn a_data_source_section_gives_its_secrets() {
    let text = b"[x]\nDriver=super8\nPassword = hunter2\nUserName=alice\nTrace=Yes\n";
    let sections = crate::config::ini::parse(text, std::path::Path::new("odbc.ini"));
    let mut secrets = Secrets::default();
    secrets.add_section(&sections[0]);
    assert_eq!(secrets.scrub_text("alice/hunter2: Yes, super8"), "***/***: Yes, super8");
}

#[test]
fn harmless_strings_stay_as_they_are() {
    for string in [
        "DSN=x;DATABASE=shop;SERVER=db.example.com;PORT=5432;SSLmode=require;A0=0;CX=1b503bb;BI=0",
        "DRIVER={SQLite3};Database={/tmp/a;b.db} ;StepAPI=1;",
        " Driver = {ODBC Driver 18 for SQL Server} ; Server = tcp:db,1433;Encrypt=yes;;",
        "PWD=;DSN=x",
        "",
    ] {
        assert_eq!(scrub(&parse(string)), string);
    }
}

#[test]
fn scrubbing_keeps_the_rest_byte_for_byte() {
    assert_eq!(
        scrub(&parse("DRIVER={super8}; Uid = alice ;PWD={x;y};Server=db")),
        "DRIVER={super8}; Uid = *** ;PWD=***;Server=db"
    );
    assert_eq!(scrub(&ConnectionString::parse(b"Database=\xe9;PWD=\xe9")), "Database=\\xE9;PWD=***");
}

#[test]
fn the_user_and_its_hash() {
    assert_eq!(user(&parse("DSN=x;Uid={al}}ice};PWD=p")).as_deref(), Some("al}ice"));
    assert_eq!(user(&parse("UID=one;User=two")).as_deref(), Some("two"));
    assert_eq!(user(&parse("DSN=x;UID=")), None);
    assert_eq!(user_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
