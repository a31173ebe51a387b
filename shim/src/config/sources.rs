//! Where a connection's settings are given, and which place wins.
//!
//! The first of these that gives a setting wins: the connection string; the cassette that a test framework inserted;
//! the environment; the data source's section of odbc.ini; the driver's section of odbcinst.ini. So what is said for
//! one connection goes before what is said for this run, and that before what is in files. docs/adr/0012 has the
//! reasons.
//!
//! The mode that a test framework gives with a cassette is only a default and comes after the environment, so that a
//! word outside the tests is enough to record again tests that usually replay.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use super::Environment;
use super::connection_string::ConnectionString;
use super::given::{Given, SettingsError};
use super::ini::{Ini, Section};
use super::settings::{IN_STRING, Scope, Setting, Settings};

/// The places, in order of precedence. An unknown place is left out: when an environment is allocated, there is no
/// connection string.
#[derive(Clone, Copy, Default)]
pub struct Sources<'a> {
    /// The connection string.
    pub string: Option<&'a ConnectionString>,
    /// What a test framework inserted, as keywords like those of a connection string.
    pub inserted: Option<&'a ConnectionString>,
    /// The environment.
    pub environment: Option<Environment<'a>>,
    /// The data source's section, which a second file may continue.
    pub source: Option<(&'a Ini, &'a [u8])>,
    /// The driver's section.
    pub driver: Option<&'a Section>,
}

impl Sources<'_> {
    /// Returns the settings.
    ///
    /// # Errors
    /// As [`Settings::resolve`]; or a keyword begins with `Super8` and is no setting.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        self.keywords_are_known()?;
        Settings::resolve(&|setting| self.find(setting))
    }

    fn find(&self, setting: Setting) -> Option<Given> {
        let row = setting.row();
        let environment = || setting.given_in(self.environment?);
        if row.scope == Scope::Process {
            return environment();
        }
        let keyword = row.keyword;
        let in_string = |string: Option<&ConnectionString>, place: &str| {
            let value = string?.get(keyword).filter(|value| !value.is_empty())?.into_owned();
            Some(Given { value: OsString::from_vec(value), place: format!("{keyword} {place}") })
        };
        let in_section = |section: &Section, value: &[u8]| Given {
            value: OsString::from_vec(value.to_vec()),
            place: format!("{keyword} in {}", section.title()),
        };
        let inserted = || in_string(self.inserted, "given to super8_insert");
        let of_run = match setting {
            Setting::Mode => environment().or_else(inserted),
            _ => inserted().or_else(environment),
        };
        in_string(self.string, IN_STRING)
            .or(of_run)
            .or_else(|| {
                let (ini, name) = self.source?;
                ini.dsn_value(name, keyword).map(|(section, value)| in_section(section, value))
            })
            .or_else(|| self.driver.and_then(|section| Some(in_section(section, section.value(keyword)?))))
    }

    /// Returns whether a name that is given mentions this variable of the environment.
    pub fn mentions(&self, variable: &str) -> bool {
        let mentioned = format!("%{{{variable}}}");
        [Setting::Cassette, Setting::Log, Setting::Config]
            .iter()
            .any(|setting| self.find(*setting).is_some_and(|given| given.value.to_string_lossy().contains(&mentioned)))
    }

    /// Refuses misspelt keywords, because such a setting would silently have no effect.
    fn keywords_are_known(&self) -> Result<(), SettingsError> {
        for (string, place) in [(self.string, "the connection string"), (self.inserted, "the call of super8_insert")] {
            for item in string.iter().flat_map(|string| string.items()) {
                known(item.key(), || place.to_owned())?;
            }
        }
        let source = self.source.and_then(|(ini, name)| ini.dsn_section(name));
        for section in source.into_iter().chain(self.driver) {
            for (key, _) in section.pairs() {
                known(key, || section.title())?;
            }
        }
        Ok(())
    }
}

fn known(key: &[u8], place: impl Fn() -> String) -> Result<(), SettingsError> {
    match Setting::of_keyword(key) {
        Some(setting) if setting.row().scope == Scope::Process => {
            let variable = setting.row().variable;
            let shown = String::from_utf8_lossy(key);
            Err(SettingsError(format!("{shown} in {}: only the environment gives this setting: {variable}", place())))
        }
        Some(_) => Ok(()),
        None if Setting::is_own(key) => {
            let rows = Setting::ROWS.iter().filter(|row| row.scope != Scope::Process);
            let names: Vec<&str> = rows.map(|row| row.keyword).collect();
            Err(SettingsError(format!(
                "{} in {} is not a setting: there are {}",
                String::from_utf8_lossy(key),
                place(),
                names.join(", ")
            )))
        }
        None => Ok(()),
    }
}

/// Returns whether this process runs where nothing should be recorded by chance: `CI` is set, and not to a word for no.
pub fn runs_in_ci(environment: Environment<'_>) -> bool {
    let no = |value: &OsStr| ["", "0", "false", "no", "off"].iter().any(|no| value.eq_ignore_ascii_case(no));
    environment("CI").is_some_and(|value| !no(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::locations::{Locations, tests::directory};
    use crate::config::settings::Mode;
    use super8_cassette::Order;

    fn string(text: &str) -> ConnectionString {
        ConnectionString::parse(text.as_bytes())
    }

    /// Returns the settings from the places from `first` on, each of which names a cassette of its own.
    fn cassette(first: usize) -> Settings {
        let files = directory(&format!("sources{first}"));
        std::fs::write(files.join("odbc.ini"), "[shop]\nDriver=super8\nsuper8cassette=source\n").unwrap();
        std::fs::write(files.join("odbcinst.ini"), "[super8]\nSuper8Cassette=driver\nSuper8Mode=Record\n").unwrap();
        let ini =
            Ini::read(&Locations { drivers: vec![files.join("odbcinst.ini")], sources: vec![files.join("odbc.ini")] });
        let environment = |name: &str| (name == "SUPER8_CASSETTE").then(|| OsString::from("environment"));
        let (given, inserted) = (string("DSN=shop;SUPER8CASSETTE={string}"), string("Super8Cassette=inserted"));
        let sources = Sources {
            string: (first == 0).then_some(&given),
            inserted: (first <= 1).then_some(&inserted),
            environment: (first <= 2).then_some(&environment as Environment<'_>),
            source: (first <= 3).then_some((&ini, b"SHOP".as_slice())),
            driver: ini.driver_section(b"super8"),
        };
        sources.settings().unwrap()
    }

    #[test]
    fn the_place_nearest_to_the_connection_wins_setting_by_setting() {
        for (first, place) in ["string", "inserted", "environment", "source", "driver"].iter().enumerate() {
            let settings = cassette(first);
            assert_eq!(settings.cassette.as_ref().map(|name| name.path.as_path()), Some(place.as_ref()));
            assert_eq!(settings.mode, Mode::Record, "the mode is the driver section's all along");
        }
    }

    #[test]
    fn the_mode_that_is_inserted_is_a_default() {
        let inserted = string("Super8Mode=replay;Super8Cassette=c");
        let environment = |name: &str| (name == "SUPER8_MODE").then(|| OsString::from("record"));
        let sources = Sources { inserted: Some(&inserted), ..Sources::default() };
        assert_eq!(sources.settings().unwrap().mode, Mode::Replay);
        let sources = Sources { environment: Some(&environment), ..sources };
        assert_eq!(sources.settings().unwrap().mode, Mode::Record);
        let given = string("Super8Mode=once");
        assert_eq!(Sources { string: Some(&given), ..sources }.settings().unwrap().mode, Mode::Once);
    }

    #[test]
    fn misspelt_keywords_and_wrong_values_name_their_place() {
        let failure = |text: &str| {
            let given = string(text);
            Sources { string: Some(&given), ..Sources::default() }.settings().unwrap_err().to_string()
        };
        let message = failure("DSN=shop;Super8Casette=x");
        assert!(
            message.starts_with("Super8Casette in the connection string is not") && message.contains("Super8Mode"),
            "{message}"
        );
        let message = failure("DSN=shop;Super8Mode=rec");
        assert!(message.starts_with("Super8Mode in the connection string is \"rec\""), "{message}");
        assert!(failure("Super8Verdict=x").contains("SUPER8_VERDICT"));
        let message = failure("Super8Mode=once");
        assert!(
            message.starts_with("Super8Mode in the connection string is once") && message.contains("Super8Cassette"),
            "{message}"
        );
    }

    #[test]
    fn an_empty_value_leaves_the_next_place_its_say() {
        let given = string("Super8Order=;Super8Mode=replay;Super8Cassette=c");
        let environment = |name: &str| (name == "SUPER8_ORDER").then(|| OsString::from("connection"));
        let sources = Sources { string: Some(&given), environment: Some(&environment), ..Sources::default() };
        assert_eq!(sources.settings().unwrap().order, Some(Order::Connection));
    }

    #[test]
    fn ci_is_what_says_so() {
        let ci = |value: Option<&str>| runs_in_ci(&|name| value.filter(|_| name == "CI").map(OsString::from));
        assert!(ci(Some("true")) && ci(Some("1")) && ci(Some("woodpecker")));
        assert!(!ci(None) && !ci(Some("")) && !ci(Some("false")) && !ci(Some("0")));
    }
}
