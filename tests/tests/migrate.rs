//! `super8 migrate`: cassettes that the super8 gem recorded of `programs/ruby/gem_session.rb`, in each of its versions, replayed
//! by the same program without the gem, without a driver and without a database.

use std::path::{Path, PathBuf};
use std::process::Command;

use super8_tests::cassette_files::files;
use super8_tests::compare::assert_same_files;
use super8_tests::desk::Desk;
use super8_tests::outcome::Outcome;
use super8_tests::products::repository;
use super8_tests::program::ruby_odbc;

/// The gem's cassettes; the first version knew a single connection.
const VERSIONS: [(&str, &[&str]); 3] = [("v1", &["single"]), ("v2", &[]), ("v3", &[])];

/// A desk without drivers, data sources and databases.
fn desk(subject: &str) -> Desk {
    let desk = Desk::new(subject);
    desk.clear();
    desk
}

fn recorded(version: &str) -> PathBuf {
    repository().join("tests/tests/gem").join(version)
}

/// A copy of the gem's cassette on the desk.
fn copied(desk: &Desk, version: &str) -> PathBuf {
    let copy = desk.scratch.join(format!("work/{version}"));
    let status = Command::new("cp").arg("-r").args([&recorded(version), &copy]).status();
    assert!(status.is_ok_and(|status| status.success()), "cannot copy {version}");
    copy
}

/// The program under `super8 replay`.
fn replayed(desk: &Desk, cassette: &Path, words: &[&str]) -> Outcome {
    let program = ruby_odbc("gem_session.rb");
    let mut command = desk.super8(&["replay", &cassette.display().to_string(), "--"]);
    command.arg(program.get_program()).args(program.get_args()).args(words);
    command.envs(program.get_envs().filter_map(|(key, value)| Some((key, value?))));
    Outcome::of(&command, b"")
}

#[test]
fn every_version_replays_what_the_gem_played() {
    let desk = desk("migrate");
    let played = std::fs::read_to_string(recorded("played-by-the-gem.txt")).unwrap_or_default();
    for (version, words) in VERSIONS {
        let new = desk.scratch.join(format!("work/new-{version}"));
        let old = recorded(version).display().to_string();
        let migrated = desk.run(&["migrate", "--to", &new.display().to_string(), &old]);
        assert!(migrated.succeeded(), "{version}: {}", migrated.errors());
        for note in ["a `?` in its rows may stand for", "neither columns nor rows are recorded", "no counts of rows"] {
            assert!(migrated.text().contains(note), "{version}: `{note}` is not said:\n{}", migrated.text());
        }
        let outcome = replayed(&desk, &new, words);
        assert_eq!(outcome.text(), played, "{version}: {}", outcome.errors());
        assert!(outcome.succeeded(), "{version}: {}", outcome.errors());

        let changed = replayed(&desk, &new, &[words, &["changed"]].concat());
        assert!(!changed.succeeded() && !changed.text().ends_with("[\"Bob\"]\n"), "{version}: {}", changed.text());
        assert!(changed.errors().contains("recorded \"select name from customer where id = '002'\""), "{version}");
        let checked = desk.run(&["check", &new.display().to_string()]);
        assert!(checked.succeeded(), "{version}: {}", checked.text());
    }
}

#[test]
fn an_old_cassette_is_refused_with_the_command_to_type() {
    let desk = desk("migrate_advice");
    for (version, words) in VERSIONS {
        let old = copied(&desk, version);
        let mut typed: Vec<String> = Vec::new();
        for words in [vec!["show", version], vec!["replay", version, "--", "true"], vec!["check", version]] {
            let refused = desk.run(&words);
            let said = refused.errors() + &refused.text();
            let advice = said.split('`').nth(1).unwrap_or_default().trim_start_matches("super8 ");
            assert!(!refused.succeeded() && advice.starts_with("migrate --apply "), "{words:?}: {said}");
            typed = advice.split(' ').map(str::to_owned).collect();
        }
        // and what it says is done
        let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
        let migrated = desk.run(&typed);
        assert!(migrated.succeeded(), "{}", migrated.errors());
        let kept = desk.scratch.join(format!("work/{version}.before-super8"));
        assert_same_files("the old one", &recorded(version), &kept);
        assert!(replayed(&desk, &old, words).succeeded());
        // the same line again, with what it kept among the names
        let again = desk.run(&[&typed[..], &[&kept.display().to_string()]].concat());
        let said = again.text();
        assert!(
            again.succeeded() && said.contains("is up to date") && said.contains("the backup of an old one"),
            "{said}"
        );
        assert_same_files("the old one", &recorded(version), &kept);
    }
}

#[test]
fn nothing_is_lost() {
    let desk = desk("migrate_dry");
    let old = copied(&desk, "v3");
    let before = files(&desk.scratch.join("work"));
    let dry = desk.run(&["migrate", "v3"]);
    assert!(
        dry.text().contains("Nothing was written") && dry.text().contains("schema 3, 18 commands"),
        "{}",
        dry.text()
    );
    let told: serde_json::Value =
        serde_json::from_str(&desk.run(&["migrate", "--json", "v3"]).text()).unwrap_or_default();
    assert_eq!(
        (&told[0]["migrated"]["schema"], &told[0]["migrated"]["written"]),
        (&3.into(), &serde_json::Value::Null)
    );
    let there = desk.run(&["migrate", "--to", "v3", "v3"]);
    assert!(!there.succeeded() && there.errors().contains("is there already"), "{}", there.errors());
    assert_eq!(files(&desk.scratch.join("work")), before);

    // one that cannot be brought up is left as it is, and the others are done
    copied(&desk, "v2");
    desk.scratch.write("work/v3/a_1_fetch_all.csv", "\"not closed\n");
    let half = desk.run(&["migrate", "--apply", "v3", "v2"]);
    assert!(!half.succeeded() && half.errors().contains("v3/a_1_fetch_all.csv:1:1: a quote"), "{}", half.errors());
    assert!(half.text().contains("v2: schema 2") && old.join("a_1_fetch_all.csv").is_file(), "{}", half.text());
    assert!(!desk.scratch.join("work/v3.before-super8").exists());
    desk.scratch.write("work/v3/metadata.yml", "schema_version: 5\n");
    let newer = desk.run(&["migrate", "v3"]);
    assert!(!newer.succeeded() && newer.errors().contains("upgrade super8"), "{}", newer.errors());
}
