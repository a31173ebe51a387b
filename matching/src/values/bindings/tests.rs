//! Tests of what is bound, and of what is not.

use std::sync::Arc;

use proptest::prelude::*;

use super::words::now;
use super::*;
use crate::compare::comparison::Comparison;
use crate::values::spellings::{field_of, mixed_endian, uuid_bytes, uuid_text};
use super8_cassette::volatile_rules::VolatileRules;
use super8_cassette::{ConnectionId, Method};

fn bindings(rules: &[(&str, &str)]) -> Arc<Bindings> {
    let rules = rules.iter().map(|(key, value)| Value::Map(vec![((*key).to_owned(), (*value).into())]));
    Arc::new(Bindings::new(VolatileRules::new(&rules.collect::<Vec<_>>()).unwrap(), ""))
}

fn run(sql: &str, params: &[&str]) -> Entry {
    let params: Vec<Value> = params.iter().map(|text| Value::from(*text)).collect();
    Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, sql).with(Key::Params, Value::List(params))
}

/// Plays an entry if it is what is asked.
fn play(bindings: &Arc<Bindings>, recorded: &Entry, asked: &Entry) -> bool {
    let comparison = Comparison { comments: true, bindings: Arc::clone(bindings) };
    let same = comparison.difference(recorded, asked).is_none();
    if same {
        comparison.bind(recorded, asked, || "commands.yml:7".to_owned());
    }
    same
}

fn cell(bindings: &Bindings, field: &str) -> String {
    let mut record = ByteRecord::from(vec![field.as_bytes().to_vec()]);
    bindings.row(&mut record, &[], None, |_, _, _| {});
    String::from_utf8(record[0].to_vec()).unwrap()
}

fn guid(number: u128) -> String {
    uuid_text(&number.to_be_bytes()).unwrap()
}

proptest! {
    #[test]
    fn a_guid_is_found_in_every_spelling(recorded: u128, live: u128, other: u128) {
        prop_assume!(recorded != live && live != other && recorded != other);
        let (was, is, other) = (guid(recorded), guid(live), guid(other));
        let bindings = bindings(&[("type", "uuid")]);
        prop_assert!(play(&bindings, &run("s", &[&was]), &run("s", &[&is])));
        let spelled = |text: &str| {
            let plain = text.replace('-', "");
            let bytes = uuid_bytes(text).unwrap();
            [
                text.to_owned(),
                text.to_uppercase(),
                format!("{{{}}}", text.to_uppercase()),
                plain.to_uppercase(),
                format!("{text}    "),
                format!("duplicate key (id)=({text})"),
                field_of(&bytes),
                field_of(&mixed_endian(bytes)),
                plain,
            ]
        };
        for (was, is) in spelled(&was).into_iter().zip(spelled(&is)) {
            prop_assert_eq!(cell(&bindings, &was), is);
        }
        let sql = |id: &str| format!("select * from t where id = '{id}' or b = x'{}'", id.replace('-', ""));
        prop_assert!(play(&bindings, &run(&sql(&was), &[]), &run(&sql(&is), &[])));
        prop_assert!(!play(&bindings, &run(&sql(&was), &[]), &run(&sql(&other), &[])), "a second value");
        prop_assert!(!play(&bindings, &run("s", &[&was]), &run("s", &[&was])), "the recorded value");
        prop_assert!(!play(&bindings, &run("s", &[&other]), &run("s", &[&is])), "two become one");
        prop_assert_eq!(cell(&bindings, &other), other);
    }

    #[test]
    fn fractions_are_cut(micros in 0u32..1_000_000, live in 0u32..1_000_000) {
        let bindings = bindings(&[("type", "timestamp")]);
        let (was, is) = (format!("2026-11-29 12:00:00.{micros:06}"), format!("2027-01-02 03:04:05.{live:06}"));
        prop_assert!(play(&bindings, &run("s", &[&was]), &run("s", &[&is])));
        prop_assert_eq!(cell(&bindings, &was), is.clone());
        prop_assert_eq!(cell(&bindings, &was.replace(' ', "T")), is.replace(' ', "T"));
        let significant = format!("{micros:06}").trim_end_matches('0').len();
        for digits in (1..6).filter(|digits| *digits != significant) {
            prop_assert_eq!(cell(&bindings, &was[..20 + digits]), is[..20 + digits].to_owned());
        }
        if significant > 0 {
            prop_assert_eq!(cell(&bindings, &was[..19]), is[..19].to_owned());
        }
        if (1..6).contains(&significant) {
            let bare = if live == 0 { &is[..19] } else { is.trim_end_matches('0') };
            prop_assert_eq!(cell(&bindings, was.trim_end_matches('0')), bare.to_owned());
        }
    }
}

#[test]
fn a_spelling_of_two_values_is_none() {
    let bindings = bindings(&[("type", "timestamp")]);
    let at = |time: &str| format!("2026-11-29 {time}");
    for (was, is) in [("12:00:00.25", "13:00:00.25"), ("12:00:00.75", "13:00:01.75")] {
        assert!(play(&bindings, &run("s", &[&at(was)]), &run("s", &[&at(is)])));
        assert_eq!(cell(&bindings, &at(was)), at(is));
    }
    assert_eq!(cell(&bindings, &at("12:00:00")), at("12:00:00"), "it is the beginning of both");
}

#[test]
fn zeros_at_the_end_of_a_fraction_say_nothing() {
    for (first, second) in [("52.35842", "52.358420"), ("52.358420", "52.35842"), ("52", "52.000000")] {
        let bindings = bindings(&[("type", "timestamp")]);
        let at = |seconds: &str| format!("2026-11-29 21:04:{seconds}");
        let sent = |one: &str, other: &str| {
            let day = Value::Map(vec![("TYPE_TIMESTAMP".to_owned(), at(one).into())]);
            let params = vec![day, at(other).into(), format!("at {}", at(other)).into()];
            let entry = Entry::new(Method::Run, ConnectionId(0), Some(1));
            entry.with(Key::Sql, format!("select '{}'", at(other))).with(Key::Params, Value::List(params))
        };
        assert!(play(&bindings, &sent("48.178186", "48.178186"), &sent(first, second)), "{first} {second}");
        assert!(!play(&bindings, &sent("48.178186", "48.178186"), &sent(first, "52.358421")));
    }
}

#[test]
fn a_pattern_binds_a_part() {
    let bindings = bindings(&[("pattern", "tmp_[0-9a-f]{8}")]);
    let sql = |name: &str| format!("insert into {name} select * from {name}_old");
    assert!(play(&bindings, &run(&sql("tmp_0123abcd"), &[]), &run(&sql("tmp_99999999"), &[])));
    assert!(!play(&bindings, &run("drop table tmp_0123abcd", &[]), &run("drop table tmp_88888888", &[])));
    assert!(!play(&bindings, &run("drop table tmp_0123abcd", &[]), &run("drop view tmp_99999999", &[])));
    assert_eq!(cell(&bindings, "no such table: tmp_0123abcd"), "no such table: tmp_99999999");
}

#[test]
fn marks_bind_texts_that_are_long_enough() {
    let bindings = bindings(&[]);
    let marked = |entry: Entry, mark: &str| entry.with(Key::Volatile, mark);
    let recorded = |text: &str| marked(run("s", &[text]), "params 1");
    assert!(play(&bindings, &recorded("it's 4711"), &run("s", &["it's Tuesday"])));
    assert_eq!(cell(&bindings, "it's 4711"), "it's Tuesday");
    assert_eq!(cell(&bindings, "it's 4711   "), "it's Tuesday");
    assert!(play(&bindings, &run("select 'it''s 4711', 1", &[]), &run("select 'it''s Tuesday', 1", &[])));
    assert!(!play(&bindings, &recorded("it's 4711"), &run("s", &["it's Friday"])));
    assert!(play(&bindings, &recorded("one"), &run("s", &["three"])), "too short to be bound");
    assert_eq!(cell(&bindings, "one"), "one");
    let dropped = marked(run("drop table tmp_81", &[]), "sql tmp_81");
    assert!(play(&bindings, &dropped, &run("drop table tmp_20177", &[])));
    assert!(play(&bindings, &run("select * from tmp_81", &[]), &run("select * from tmp_20177", &[])));
    assert!(!play(&bindings, &run("select * from tmp_81", &[]), &run("select * from tmp_81", &[])));
    assert_eq!(cell(&bindings, "tmp_811"), "tmp_811", "another word");
}

#[test]
fn numbers_are_bound_from_six_digits_on() {
    let bindings = bindings(&[]);
    let with = |number: i64| {
        let entry = Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, "s");
        entry.with(Key::Params, Value::List(vec![number.into()]))
    };
    let marked = |number: i64| with(number).with(Key::Volatile, "params 1");
    assert!(play(&bindings, &marked(4_711_000_001), &with(17)));
    assert!(play(&bindings, &with(4_711_000_001), &with(17)));
    assert!(!play(&bindings, &marked(4_711_000_001), &with(18)), "a second value");
    assert!(!play(&bindings, &with(4_711_000_001), &with(4_711_000_001)));
    assert!(!play(&bindings, &marked(4_711_000_002), &with(17)), "two become one");
    assert!(play(&bindings, &run("id = 4711000001 or n = 1", &[]), &run("id = 17 or n = 1", &[])));
    let cells = [("4711000001", "17"), ("4711000001.5", "4711000001.5"), ("1.4711000001", "1.4711000001")];
    for (was, is) in cells {
        assert_eq!(cell(&bindings, was), is);
    }
    assert!(play(&bindings, &marked(12345), &with(54321)), "too short to be bound");
    assert_eq!(cell(&bindings, "12345"), "12345");
}

#[test]
fn near_the_clock_on_both_sides() {
    let rule = [("type", "timestamp"), ("within", "1h")].map(|(key, text)| (key.to_owned(), Value::from(text)));
    let rules = VolatileRules::new(&[Value::Map(rule.to_vec())]).unwrap();
    let bindings = Arc::new(Bindings::new(rules, "2026-11-29T12:00:00Z"));
    let at = super8_cassette::metadata::utc(now().unwrap()).replace('Z', "");
    let query = |time: &str| run("s", &[time]);
    assert!(!play(&bindings, &query("2025-01-01 00:00:00"), &query(&at)), "far when it was recorded");
    assert!(!play(&bindings, &query("2026-11-29T12:30:00"), &query("2001-01-01T00:00:00")), "far in this run");
    assert!(play(&bindings, &query("2026-11-29T12:30:00"), &query(&at)));
}

#[test]
fn a_list_in_any_order() {
    let item = [("sql".to_owned(), Value::from("id in \\(")), ("unordered".to_owned(), Value::from(true))];
    let bindings = Arc::new(Bindings::new(VolatileRules::new(&[Value::Map(item.to_vec())]).unwrap(), ""));
    let query = |list: &str| run(&format!("select * from t where id in ({list}) and n = 1"), &[]);
    assert!(play(&bindings, &query("1, 2, 3"), &query("3, 1, 2")));
    assert!(!play(&bindings, &query("1, 2, 3"), &query("3, 1, 1")));
    let comparison = Comparison { comments: true, bindings };
    let prepared = |values: &[&str]| run("select * from t where n = ? and id in (?, ?)", values);
    let recorded = prepared(&["9", "1", "2"]).with(Key::Volatile, "unordered 2 3");
    assert!(comparison.difference(&recorded, &prepared(&["9", "2", "1"])).is_none());
    assert!(comparison.difference(&recorded, &prepared(&["1", "2", "9"])).is_some());
}

#[test]
fn digests_are_no_guids() {
    let bindings = bindings(&[("type", "uuid")]);
    let digest = "d41d8cd98f00b204e9800998ecf8427e";
    assert!(!play(&bindings, &run("s", &[digest]), &run("s", &["00000000000000000000000000000000"])));
    let long = "0123456789ab4def8123456789abcdef0";
    assert!(!play(&bindings, &run("s", &[long]), &run("s", &["1123456789ab4def8123456789abcdef0"])));
}
