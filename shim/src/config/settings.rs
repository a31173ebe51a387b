//! The settings of one connection: mode, cassette and the rest, from the `SUPER8_*` environment.
//!
//! They are read at every connect, so that a test may change them in its own environment between connections.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use super::Environment;

/// What super8 does on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Forward every call, write nothing.
    #[default]
    Off,
    /// Forward every call and write the cassette.
    Record,
    /// Answer from the cassette; the real driver is never loaded.
    Replay,
}

/// In which order replay expects the commands of several connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandOrder {
    /// The recorded order across all connections.
    Global,
    /// The recorded order inside each connection, connections independent of each other.
    Connection,
}

/// One setting, wherever its value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `SUPER8_MODE`: off, record or replay.
    Mode,
    /// `SUPER8_CASSETTE`: the cassette's directory.
    Cassette,
    /// `SUPER8_DRIVER`: the real driver, a name from odbcinst.ini or a library.
    Driver,
    /// `SUPER8_LOG`: the file that reports go to instead of standard error.
    Log,
    /// `SUPER8_INLINE_ROWS`: results of up to so many rows stand in commands.yml.
    InlineRows,
    /// `SUPER8_ORDER`: global or connection.
    Order,
    /// `SUPER8_CONNECT`: strict compares every harmless connection-string keyword at replay.
    Connect,
}

impl Setting {
    /// The environment variable of this setting.
    pub fn variable(self) -> &'static str {
        match self {
            Setting::Mode => "SUPER8_MODE",
            Setting::Cassette => "SUPER8_CASSETTE",
            Setting::Driver => "SUPER8_DRIVER",
            Setting::Log => "SUPER8_LOG",
            Setting::InlineRows => "SUPER8_INLINE_ROWS",
            Setting::Order => "SUPER8_ORDER",
            Setting::Connect => "SUPER8_CONNECT",
        }
    }
}

/// A value somebody gave, and the name to call its place in an error message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Never empty: an empty value is the same as none.
    pub value: OsString,
    /// Where it was given: `SUPER8_MODE`, later also a keyword or a section.
    pub place: String,
}

/// Where settings are looked up. The environment is the only source today; a source with precedence over it
/// (connection-string keywords) or after it (ini sections) is a `Lookup` that asks one source and then the next.
pub type Lookup<'a> = &'a dyn Fn(Setting) -> Option<Given>;

/// The settings of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What to do.
    pub mode: Mode,
    /// The cassette's directory with `%p` filled in; always present unless the mode is off.
    pub cassette: Option<PathBuf>,
    /// The real driver: the name of an odbcinst.ini section, a path or a bare library name.
    pub driver: Option<OsString>,
    /// The file that reports and warnings are appended to.
    pub log: Option<PathBuf>,
    /// The largest number of rows that stands inline in commands.yml.
    pub inline_rows: usize,
    /// The order replay keeps to; `None` means global when recording and the cassette's own at replay.
    pub order: Option<CommandOrder>,
    /// Whether replay compares every harmless keyword of the connection string.
    pub connect_strict: bool,
}

/// A setting that cannot be understood, or one that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// The settings as this process's environment has them now.
    ///
    /// # Errors
    /// A value that is not one of the documented ones, or record or replay without a cassette.
    pub fn from_env() -> Result<Settings, SettingsError> {
        Settings::from_environment(&|name| std::env::var_os(name))
    }

    /// The same over any environment.
    ///
    /// # Errors
    /// As [`Settings::from_env`].
    pub fn from_environment(environment: Environment<'_>) -> Result<Settings, SettingsError> {
        Settings::resolve(&|setting| {
            let name = setting.variable();
            let value = environment(name).filter(|value| !value.is_empty())?;
            Some(Given { value, place: name.to_owned() })
        })
    }

    /// The settings a lookup gives. While the mode is off, only what off uses is looked at.
    ///
    /// # Errors
    /// As [`Settings::from_env`].
    pub fn resolve(lookup: Lookup<'_>) -> Result<Settings, SettingsError> {
        let mode = match lookup(Setting::Mode) {
            None => Mode::Off,
            Some(given) => choose(&given, &[("off", Mode::Off), ("record", Mode::Record), ("replay", Mode::Replay)])?,
        };
        let mut settings = Settings {
            mode,
            cassette: None,
            driver: lookup(Setting::Driver).map(|given| given.value),
            log: lookup(Setting::Log).map(|given| expand(&given)).transpose()?.map(PathBuf::from),
            inline_rows: 1,
            order: None,
            connect_strict: false,
        };
        if mode == Mode::Off {
            return Ok(settings);
        }
        settings.cassette = match lookup(Setting::Cassette) {
            Some(given) => Some(PathBuf::from(expand(&given)?)),
            None => {
                let verb = if mode == Mode::Record { "record" } else { "replay" };
                return Err(SettingsError(format!(
                    "SUPER8_MODE is {verb} but no cassette is named: set SUPER8_CASSETTE to the cassette's directory, \
                     for example SUPER8_CASSETTE=cassettes/my_test, or unset SUPER8_MODE"
                )));
            }
        };
        if let Some(given) = lookup(Setting::InlineRows) {
            settings.inline_rows = given.value.to_str().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
                SettingsError(format!("{} is {}: write a whole number of rows, 0 or more", given.place, shown(&given)))
            })?;
        }
        if let Some(given) = lookup(Setting::Order) {
            let orders = [("global", CommandOrder::Global), ("connection", CommandOrder::Connection)];
            settings.order = Some(choose(&given, &orders)?);
        }
        if let Some(given) = lookup(Setting::Connect) {
            settings.connect_strict = choose(&given, &[("strict", true)])?;
        }
        Ok(settings)
    }
}

fn shown(given: &Given) -> String {
    format!("{:?}", given.value.to_string_lossy())
}

/// One of a few words, whatever their case.
fn choose<T: Copy>(given: &Given, words: &[(&str, T)]) -> Result<T, SettingsError> {
    let text = given.value.to_str().map(str::trim).unwrap_or("\u{fffd}");
    if let Some((_, value)) = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        return Ok(*value);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let place = &given.place;
    Err(SettingsError(format!("{place} is {}: set it to {}, or unset it", shown(given), names.join(" or "))))
}

/// A path with `%p` as this process's id and `%%` as a percent sign.
fn expand(given: &Given) -> Result<OsString, SettingsError> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut path = Vec::new();
    let mut bytes = given.value.as_bytes().iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, if byte == b'%' { bytes.next() } else { None }) {
            (b'%', Some(b'p')) => path.extend_from_slice(std::process::id().to_string().as_bytes()),
            (b'%', Some(b'%')) => path.push(b'%'),
            (b'%', other) => {
                let found = OsStr::from_bytes(other.as_slice()).to_string_lossy().into_owned();
                return Err(SettingsError(format!(
                    "{} is {}: \"%{found}\" means nothing here; write %p for the process id and %% for a percent sign",
                    given.place,
                    shown(given)
                )));
            }
            (byte, _) => path.push(byte),
        }
    }
    Ok(OsString::from_vec(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::from_environment(&|name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn nothing_set_is_off() {
        let settings = settings(&[]).unwrap();
        assert_eq!((settings.mode, settings.inline_rows, settings.order), (Mode::Off, 1, None));
        assert_eq!((settings.cassette, settings.driver, settings.log), (None, None, None));
    }

    #[test]
    fn an_empty_variable_is_the_same_as_none() {
        assert_eq!(settings(&[("SUPER8_MODE", ""), ("SUPER8_DRIVER", "")]), settings(&[]));
    }

    #[test]
    fn every_setting_is_read_and_case_does_not_matter() {
        let settings = settings(&[
            ("SUPER8_MODE", "RePlay"),
            ("SUPER8_CASSETTE", "cassettes/a"),
            ("SUPER8_DRIVER", "SQLite3"),
            ("SUPER8_LOG", "/var/log/super8.log"),
            ("SUPER8_INLINE_ROWS", "5"),
            ("SUPER8_ORDER", "Connection"),
            ("SUPER8_CONNECT", "STRICT"),
        ])
        .unwrap();
        assert_eq!(
            settings,
            Settings {
                mode: Mode::Replay,
                cassette: Some("cassettes/a".into()),
                driver: Some("SQLite3".into()),
                log: Some("/var/log/super8.log".into()),
                inline_rows: 5,
                order: Some(CommandOrder::Connection),
                connect_strict: true,
            }
        );
    }

    #[test]
    fn wrong_words_are_named() {
        let wrong = [
            ("SUPER8_MODE", "recrod", "off or record or replay"),
            ("SUPER8_ORDER", "file", "global or connection"),
            ("SUPER8_INLINE_ROWS", "-1", "whole number"),
            ("SUPER8_CONNECT", "loose", "strict"),
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
    fn record_and_replay_need_a_cassette() {
        for mode in ["record", "replay"] {
            let message = settings(&[("SUPER8_MODE", mode)]).unwrap_err().to_string();
            assert!(message.contains(mode) && message.contains("SUPER8_CASSETTE"), "{message}");
        }
    }

    #[test]
    fn off_does_not_stumble_over_settings_it_does_not_use() {
        assert!(settings(&[("SUPER8_ORDER", "nonsense"), ("SUPER8_CASSETTE", "%q")]).is_ok());
    }

    #[test]
    fn the_process_id_and_the_percent_sign_are_filled_in() {
        let found = |value| settings(&[("SUPER8_MODE", "record"), ("SUPER8_CASSETTE", value)]);
        let pid = std::process::id();
        assert_eq!(found("c/%p-100%%").unwrap().cassette, Some(format!("c/{pid}-100%").into()));
        for wrong in ["c/%q", "c/%"] {
            assert!(found(wrong).unwrap_err().to_string().contains("%%"));
        }
    }
}
