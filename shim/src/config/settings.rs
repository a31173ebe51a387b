//! The settings of one connection, in one table: their names, their values, what they mean and how they are read.
//!
//! [`super::sources`] says where a value may be given, and which place wins. docs/configuration.md has the table for
//! users; a test compares the two.

use std::path::PathBuf;
use std::time::Duration;
use super8_cassette::faults::Fault;

/// The name of the place of a value in the connection string.
pub const IN_STRING: &str = "in the connection string";

use super::Environment;
pub use super::given::{CassetteName, Given, Placeholder, SettingsError, TestRun};

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
    /// Replay a cassette that exists and is complete, and record one that does not exist.
    Once,
}

impl Mode {
    /// Returns the word for the mode in `SUPER8_MODE`.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Record => "record",
            Mode::Replay => "replay",
            Mode::Once => "once",
        }
    }
}

/// What replay verifies of a connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectCheck {
    /// Data source or driver, user, database, schema and default library.
    #[default]
    Usual,
    /// Every keyword that the cassette shows.
    Strict,
}

/// The format in which a cassette is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CassetteFormat {
    /// A directory of YAML and CSV files.
    Yaml,
    /// A file of JSON objects, one on each line, for each trace.
    Ndjson,
}

/// What happens to SQL comments when commands are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comments {
    /// They are part of the SQL.
    #[default]
    Keep,
    /// They are ignored: tracers put an id of the run into them.
    Ignore,
}

/// When a setting is used, and where it may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In every mode.
    Always,
    /// Where there is a cassette: in every mode but off.
    Cassette,
    /// In every mode. The setting belongs to the whole process, so only the environment gives it.
    Process,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The setting.
    pub setting: Setting,
    /// The variable of the environment.
    pub variable: &'static str,
    /// The keyword in connection strings, which is also the key in ini files.
    pub keyword: &'static str,
    /// When the setting is used.
    pub scope: Scope,
    /// The values that it takes, in Markdown.
    pub values: &'static str,
    /// What it means, in Markdown.
    pub meaning: &'static str,
}

/// Where settings are looked up.
pub type Lookup<'a> = &'a dyn Fn(Setting) -> Option<Given>;

macro_rules! settings {
    ($($setting:ident $field:ident: $type:ty = $default:expr, $variable:literal $keyword:literal $scope:ident,
       |$given:ident| $read:expr, $values:literal, $meaning:literal;)*) => {
        /// One setting, wherever its value comes from.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // each variant is the setting of the same name
        pub enum Setting { $($setting,)* }

        impl Setting {
            /// The table.
            pub const ROWS: &[Row] = &[$(Row {
                setting: Setting::$setting,
                variable: $variable,
                keyword: $keyword,
                scope: Scope::$scope,
                values: $values,
                meaning: $meaning,
            },)*];

            /// The setting's row.
            pub const fn row(self) -> &'static Row {
                &Setting::ROWS[self as usize]
            }
        }

        /// The settings of one connection.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $(#[doc = $meaning] pub $field: $type,)*
        }

        impl Default for Settings {
            fn default() -> Settings {
                Settings { $($field: $default,)* }
            }
        }

        impl Settings {
            /// The settings a lookup gives. While the mode is off, only what off uses is looked at.
            ///
            /// # Errors
            /// A value that is not one of the documented ones; a mode that needs a cassette where none is named.
            pub fn resolve(lookup: Lookup<'_>) -> Result<Settings, SettingsError> {
                let mut settings = Settings::default();
                $(if Scope::$scope != Scope::Cassette || settings.mode != Mode::Off {
                    if let Some($given) = lookup(Setting::$setting) {
                        settings.$field = $read?;
                    }
                })*
                settings.checked(lookup)
            }
        }
    };
}

settings! {
    Mode mode: Mode = Mode::Off, "SUPER8_MODE" "Super8Mode" Always,
        |given| given.word(&[Mode::Off, Mode::Record, Mode::Replay, Mode::Once].map(|mode| (mode.name(), mode))),
        "`off` (default), `record`, `replay`, `once`",
        "forward only; forward and write a cassette; answer from a cassette without the real driver; replay a complete cassette and record one that is not there";
    Cassette cassette: Option<CassetteName> = None, "SUPER8_CASSETTE" "Super8Cassette" Cassette,
        |given| given.cassette(),
        "a directory",
        "the cassette. Needed in every mode but off. `%t`, `%c`, `%{NAME}`, `%p` and `%%` are filled in, see [below](#names-that-are-filled-in)";
    Driver driver: Option<Given> = None, "SUPER8_DRIVER" "RealDriver" Always,
        |given| Ok(Some(given)),
        "section name, path or library name",
        "the real driver, see [below](#the-real-driver)";
    Order order: Option<super8_cassette::Order> = None, "SUPER8_ORDER" "Super8Order" Cassette,
        |given| given.word(&super8_cassette::Order::ALL.map(|order| (order.name(), order))).map(Some),
        "`global` (default), `connection`, `any`",
        "whether replay keeps the recorded order across all connections, inside each one, or only inside each transaction and result: see [matching](matching.md#any-order-for-pools). Kept in the cassette when recording; at replay the default is the cassette's own";
    Wait wait: Option<Duration> = None, "SUPER8_WAIT" "Super8Wait" Cassette,
        |given| given.seconds(),
        "seconds, such as `5` or `0.5`",
        "how long a command of one thread waits for its turn under `order: global` before it is out of order";
    Connect connect: ConnectCheck = ConnectCheck::Usual, "SUPER8_CONNECT" "Super8Connect" Cassette,
        |given| given.word(&[("usual", ConnectCheck::Usual), ("strict", ConnectCheck::Strict)]),
        "`usual` (default), `strict`",
        "what replay verifies of a connect: what [matching](matching.md#connecting) lists, or every keyword that the cassette shows";
    Format format: Option<CassetteFormat> = None, "SUPER8_FORMAT" "Super8Format" Cassette,
        |given| given.word(&[("yaml", CassetteFormat::Yaml), ("ndjson", CassetteFormat::Ndjson)]).map(Some),
        "`yaml` (default), `ndjson`",
        "the format of a new cassette; replay finds out by itself";
    TraceId trace_id: Option<String> = None, "SUPER8_TRACE_ID" "Super8TraceId" Cassette,
        |given| given.plain_name(),
        "letters, digits, `_`, `-`, `.`",
        "the name of the trace in an NDJSON cassette";
    Spans spans: bool = false, "SUPER8_SPANS" "Super8Spans" Cassette,
        |given| given.word(&[("none", false), ("real", true)]),
        "`none` (default), `real`",
        "whether the records of an NDJSON cassette get span ids and times, which differ from run to run";
    InlineRows inline_rows: usize = 1, "SUPER8_INLINE_ROWS" "Super8InlineRows" Cassette,
        |given| given.count(),
        "a number, default `1`",
        "results of up to so many rows stand in `commands.yml` instead of a file of their own";
    Comments comments: Comments = Comments::Keep, "SUPER8_COMMENTS" "Super8Comments" Cassette,
        |given| given.word(&[("keep", Comments::Keep), ("ignore", Comments::Ignore)]),
        "`keep` (default), `ignore`",
        "whether SQL comments count when commands are compared";
    Config config: Option<PathBuf> = None, "SUPER8_CONFIG" "Super8Config" Cassette,
        |given| given.path(),
        "a file",
        "the rules of [redaction](#redaction), of [reads that are answers](#reads-that-are-answers) and of [values that change](#values-that-change)";
    Log log: Option<PathBuf> = None, "SUPER8_LOG" "Super8Log" Always,
        |given| given.path(),
        "a file",
        "reports and warnings go there instead of standard error. `%c`, `%{NAME}` and `%p` as in the cassette's name";
    Fault faults: Vec<Fault> = Vec::new(), "SUPER8_FAULT" "Super8Fault" Process,
        |given| given.faults(),
        "`PLACE=FAULT`, one on a line",
        "commands that fail once at replay: see [`super8 replay --fault`](cli.md#a-fault)";
    Hold hold: bool = false, "SUPER8_HOLD" "Super8Hold" Process,
        |given| given.word(&[("no", false), ("yes", true)]),
        "`no` (default), `yes`",
        "a recording whose cassette `SUPER8_CASSETTE` names is not put in its place when it is complete: the program that watches over the process does that (`super8 record`), or [`super8 recover`](cli.md#recover)";
    Verdict verdict: Option<PathBuf> = None, "SUPER8_VERDICT" "Super8Verdict" Process,
        |given| given.path(),
        "a file",
        "every process appends what became of its cassettes, one JSON object a line, for a program that watches over it";
}

impl Setting {
    /// Returns the setting with this keyword, in any case.
    pub fn of_keyword(key: &[u8]) -> Option<Setting> {
        Setting::ROWS.iter().find(|row| row.keyword.as_bytes().eq_ignore_ascii_case(key)).map(|row| row.setting)
    }

    /// Returns the value of the setting's variable, unless it is empty.
    pub fn given_in(self, environment: Environment<'_>) -> Option<Given> {
        let name = self.row().variable;
        let value = environment(name).filter(|value| !value.is_empty())?;
        Some(Given { value, place: name.to_owned() })
    }

    /// Returns whether a keyword of a connection string or ini file is super8's own, known or misspelt, and so not the
    /// driver's.
    pub fn is_own(key: &[u8]) -> bool {
        let own = key.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"super8"));
        own || Setting::of_keyword(key).is_some()
    }
}

impl Settings {
    /// Returns the test that the cassette is named after.
    pub fn test(&self) -> Option<&TestRun> {
        self.cassette.as_ref()?.test.as_ref()
    }

    /// Returns the settings as this process's environment has them now, apart from any connection.
    ///
    /// # Errors
    /// As [`Settings::resolve`].
    pub fn from_env() -> Result<Settings, SettingsError> {
        Settings::from_environment(&|name| std::env::var_os(name))
    }

    /// Returns the settings of any environment.
    ///
    /// # Errors
    /// As [`Settings::resolve`].
    pub fn from_environment(environment: Environment<'_>) -> Result<Settings, SettingsError> {
        Settings::resolve(&|setting| setting.given_in(environment))
    }

    fn checked(mut self, lookup: Lookup<'_>) -> Result<Settings, SettingsError> {
        // Whoever chose another cassette than the watching program did also wants to use it.
        let variable = Setting::Cassette.row().variable;
        let place = lookup(Setting::Cassette).map(|given| given.place);
        self.hold &= place.as_deref() == Some(variable);
        if let (Some(name), Some(place)) = (&mut self.cassette, &place) {
            name.by_connection = place.ends_with(IN_STRING);
        }
        if self.mode == Mode::Off || self.cassette.is_some() {
            return Ok(self);
        }
        let place = lookup(Setting::Mode).map_or_else(String::new, |given| given.place);
        Err(SettingsError(format!(
            "{place} is {} but no cassette is named: set SUPER8_CASSETTE to the cassette's directory, for example \
             SUPER8_CASSETTE=cassettes/my_test (or {} in the place of the mode), or leave out the mode",
            self.mode.name(),
            Setting::Cassette.row().keyword,
        )))
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
