//! Tests of the settings: each one read from the environment, and wrong and missing values.

use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::from_environment(&|name| {
        variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.into())
    })
}

#[test]
fn nothing_set_is_off() {
    assert_eq!(settings(&[]), Ok(Settings::default()));
    assert_eq!((Settings::default().mode, Settings::default().inline_rows), (Mode::Off, 1));
}

#[test]
fn an_empty_variable_is_the_same_as_none() {
    assert_eq!(settings(&[("SUPER8_MODE", ""), ("SUPER8_DRIVER", "")]), settings(&[]));
}

#[test]
fn every_setting_is_read_and_case_does_not_matter() {
    let values = [
        ("SUPER8_MODE", "RePlay"),
        ("SUPER8_CASSETTE", "cassettes/a"),
        ("SUPER8_DRIVER", "SQLite3"),
        ("SUPER8_ORDER", "Connection"),
        ("SUPER8_WAIT", "2.5"),
        ("SUPER8_CONNECT", "STRICT"),
        ("SUPER8_FORMAT", "NDJSON"),
        ("SUPER8_TRACE_ID", "4bf9-a"),
        ("SUPER8_SPANS", "real"),
        ("SUPER8_INLINE_ROWS", "5"),
        ("SUPER8_COMMENTS", "ignore"),
        ("SUPER8_CONFIG", "rules.yml"),
        ("SUPER8_LOG", "/var/log/super8.log"),
        ("SUPER8_FAULT", "7=40001\nconnect=timeout"),
        ("SUPER8_HOLD", "yes"),
        ("SUPER8_VERDICT", "/tmp/verdict"),
    ];
    assert_eq!(
        values.map(|(name, _)| name).as_slice(),
        Setting::ROWS.iter().map(|row| row.variable).collect::<Vec<_>>()
    );
    assert_eq!(
        settings(&values),
        Ok(Settings {
            mode: Mode::Replay,
            cassette: Some("cassettes/a".into()),
            driver: Some(Given { value: "SQLite3".into(), place: "SUPER8_DRIVER".to_owned() }),
            order: Some(super8_cassette::Order::Connection),
            wait: Some(Duration::from_millis(2500)),
            connect: ConnectCheck::Strict,
            format: Some(CassetteFormat::Ndjson),
            trace_id: Some("4bf9-a".into()),
            spans: true,
            inline_rows: 5,
            comments: Comments::Ignore,
            config: Some("rules.yml".into()),
            log: Some("/var/log/super8.log".into()),
            faults: super8_cassette::faults::parse_all("7=40001\nconnect=timeout").unwrap(),
            hold: true,
            verdict: Some("/tmp/verdict".into()),
        })
    );
}

#[test]
fn wrong_words_are_named() {
    let wrong = [
        ("SUPER8_MODE", "recrod", "off or record or replay or once"),
        ("SUPER8_ORDER", "file", "global or connection or any"),
        ("SUPER8_WAIT", "long", "seconds"),
        ("SUPER8_CONNECT", "loose", "usual or strict"),
        ("SUPER8_FORMAT", "json", "yaml or ndjson"),
        ("SUPER8_TRACE_ID", "../x", "letters"),
        ("SUPER8_INLINE_ROWS", "-1", "whole number"),
        ("SUPER8_COMMENTS", "drop", "keep or ignore"),
        ("SUPER8_CASSETTE", "%q", "%p"),
    ];
    for (variable, value, advice) in wrong {
        let given = [(variable, value), ("SUPER8_MODE", "record"), ("SUPER8_CASSETTE", "c")];
        let message = settings(&given).unwrap_err().to_string();
        for part in [variable, value, advice] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn every_mode_but_off_needs_a_cassette() {
    for mode in ["record", "replay", "once"] {
        let message = settings(&[("SUPER8_MODE", mode)]).unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("SUPER8_MODE is {mode}")) && message.contains("SUPER8_CASSETTE"),
            "{message}"
        );
    }
}

#[test]
fn off_does_not_stumble_over_settings_it_does_not_use() {
    assert!(settings(&[("SUPER8_ORDER", "nonsense"), ("SUPER8_CASSETTE", "%q")]).is_ok());
}

#[test]
fn keywords_are_known_in_any_case_and_misspelt_ones_are_still_ours() {
    for row in Setting::ROWS {
        assert_eq!(Setting::of_keyword(row.keyword.to_ascii_lowercase().as_bytes()), Some(row.setting));
        assert!(Setting::is_own(row.keyword.to_ascii_uppercase().as_bytes()));
    }
    assert!(Setting::is_own(b"super8casette") && Setting::of_keyword(b"super8casette").is_none());
    assert!(!Setting::is_own(b"DSN") && !Setting::is_own(b"SUPER"));
}
