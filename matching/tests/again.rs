//! Recording again: what a person named volatile stays with the commands that are still there, and what cannot stay is told.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::support::*;
use super8_cassette::{Directory, Entry, Key, Method, Recorder};

const DELETE: &str = "DELETE FROM tmp_81 WHERE day < ?";

fn prepare(recorder: &Recorder, connection: super8_cassette::ConnectionId, statement: u32, sql: &str, days: &[&str]) {
    let place = Some(statement);
    recorder.command(&Entry::new(Method::Prepare, connection, place).with(Key::Sql, sql)).unwrap();
    for day in days {
        recorder.command(&Entry::new(Method::Execute, connection, place).with(Key::Params, vec![*day])).unwrap();
    }
}

/// A recording of the same program, one day later, over what stands there.
fn again(directory: &Path) -> Arc<Recorder> {
    let again = recorder(directory);
    again.keep(&Directory::read(directory).unwrap()).unwrap();
    again
}

/// Names values volatile by hand: `after` a text that stands once in the log.
fn name(directory: &Path, after: &str, items: &str) {
    let log = directory.join("commands.yml");
    let text = fs::read_to_string(&log).unwrap();
    assert_eq!(text.matches(after).count(), 1, "{after}: {text}");
    fs::write(&log, text.replace(after, &format!("{after}  volatile: {items}\n"))).unwrap();
}

#[test]
fn volatile_values_stay_with_their_commands() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let first = recorder(&directory);
    let a = connected(&first, "shop");
    prepare(&first, a, 1, DELETE, &["mon", "tue", "wed"]);
    first.command(&run(a, 2, "SELECT 5 /* trace 1 */")).unwrap();
    first.disconnect(a).unwrap();
    drop(first);
    name(&directory, "  dsn: shop\n", "[\"keyword Database\"]");
    name(&directory, "  sql: \"DELETE FROM tmp_81 WHERE day < ?\"\n", "[\"sql tmp_81\"]");
    name(&directory, "  params: [tue]\n", "[\"params 1\"]");
    name(&directory, "  sql: \"SELECT 5 /* trace 1 */\"\n", "sql 5");

    // The next day: another session comes first, a query is new, and the temporary table has another name.
    let second = again(&directory);
    let a = connected(&second, "store");
    let b = connected(&second, "shop");
    second.command(&run(b, 1, "SELECT now()")).unwrap();
    second.command(&run(b, 2, "SELECT 5 /* trace 2 */")).unwrap();
    prepare(&second, b, 3, &DELETE.replace("81", "9"), &["thu", "fri", "sat"]);
    second.disconnect(a).unwrap();
    second.disconnect(b).unwrap();
    let log = files(&directory)["commands.yml"].clone();
    for kept in [
        "  connection_id: b\n  dsn: shop\n  volatile: [\"keyword Database\"]\n",
        "  sql: \"DELETE FROM tmp_9 WHERE day < ?\"\n  volatile: [\"sql tmp_9\"]\n",
        "  params: [fri]\n  volatile: [\"params 1\"]\n",
        "  sql: \"SELECT 5 /* trace 2 */\"\n  volatile: [\"sql 5\"]\n",
    ] {
        assert!(log.contains(kept), "no {kept:?} in\n{log}");
    }
    assert_eq!(log.matches("volatile").count(), 4, "{log}");
    assert_eq!(second.lost(), Vec::<String>::new());
    drop(second);

    // A command that is not there any more takes its list along, and that is told.
    let third = again(&directory);
    let a = connected(&third, "shop");
    prepare(&third, a, 1, &DELETE.replace("81", "10"), &["sun"]);
    third.disconnect(a).unwrap();
    let lost = third.lost();
    let [select, execute] = &lost[..] else { panic!("{lost:?}") };
    assert!(execute.contains(" execute [\"fri\"]: params 1") && execute.starts_with("commands.yml:"), "{execute}");
    assert!(select.contains(" run \"SELECT 5 /* trace 2 */\": sql 5"), "{select}");
    assert_eq!(files(&directory)["commands.yml"].matches("volatile").count(), 2);
}

#[test]
fn a_list_of_what_came_back_stands_before_it() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let entry = |a| run(a, 1, "{call p(?)}").with(Key::Params, vec![1]).with(Key::Return, "SQL_NO_DATA");
    let first = recorder(&directory);
    let a = connected(&first, "shop");
    first.command(&entry(a)).unwrap();
    first.disconnect(a).unwrap();
    drop(first);
    name(&directory, "  params: [1]\n", "[\"params 1\"]");
    let edited = files(&directory)["commands.yml"].clone();
    let second = again(&directory);
    let a = connected(&second, "shop");
    second.command(&entry(a)).unwrap();
    second.disconnect(a).unwrap();
    assert_eq!(files(&directory)["commands.yml"], edited, "recorded again, not a byte is another");
}

#[test]
fn what_cannot_be_read_cannot_be_kept() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("x");
    let first = recorder(&directory);
    let a = connected(&first, "shop");
    first.disconnect(a).unwrap();
    drop(first);
    fs::write(directory.join("commands.yml"), "- method: connect\n  connection_id: a\n  dsn: [\n").unwrap();
    let why = recorder(&directory).keep(&Directory::read(&directory).unwrap()).unwrap_err().to_string();
    assert!(why.contains("commands.yml:"), "{why}");
}
