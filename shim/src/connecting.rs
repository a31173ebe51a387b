//! What a connect leads to: settings, the real driver or the cassette, and the connect command of the cassette.

use crate::args::{Out, Reply};
use crate::config::completed;
use crate::config::connection_string::{Choice, ConnectionString};
use crate::config::secrets::{scrub, secrets, user, user_hash};
use crate::config::settings::{Mode, Settings};
use crate::deck;
use crate::diagnostics::{Outcome, rc};
use crate::driver::{Asked, DriverError, RealDriver, Site, find, naming};
use crate::facts::connection_facts;
use crate::handles::{Connection, EnvironmentNote, PendingAttribute, PendingValue};
use crate::mode::record::{self, Connect, Secrecy, reaches_database};
use crate::mode::words::{push_outcome, return_code};
use crate::mode::{ConnectionMode, replay as replaying};
use crate::real::Driver;
use std::sync::Arc;
use super8_cassette::{ConnectionId, Player, Recorder, Value};

/// What the application asked.
pub enum Request {
    /// SQLConnect.
    Dsn {
        /// The data source.
        dsn: String,
        /// The user, if given.
        user: Option<String>,
        /// The password, if given.
        password: Option<String>,
    },
    /// SQLDriverConnect.
    String {
        /// The connection string.
        given: ConnectionString,
        /// Where the completed string goes.
        completed: Out,
    },
    /// SQLBrowseConnect.
    Browse {
        /// The request string.
        given: ConnectionString,
        /// Where the result string goes.
        completed: Out,
    },
}

impl Request {
    fn given(&self) -> Option<&ConnectionString> {
        match self {
            Request::Dsn { .. } => None,
            Request::String { given, .. } | Request::Browse { given, .. } => Some(given),
        }
    }

    /// Where the completed connection string goes, if the function returns one.
    pub fn completed(&self) -> Option<&Out> {
        match self {
            Request::Dsn { .. } => None,
            Request::String { completed, .. } | Request::Browse { completed, .. } => Some(completed),
        }
    }

    fn dsn(&self) -> Option<String> {
        match self {
            Request::Dsn { dsn, .. } => Some(dsn.clone()),
            Request::String { given, .. } | Request::Browse { given, .. } => match given.choice() {
                Choice::Dsn(dsn) => Some(crate::args::decode_bytes(&dsn)),
                _ => None,
            },
        }
    }

    fn user(&self) -> Option<String> {
        let given = match self {
            Request::Dsn { user, .. } => user.clone(),
            Request::String { given, .. } | Request::Browse { given, .. } => user(given),
        };
        given.filter(|user| !user.is_empty())
    }

    /// `dsn` or `driver`, and the connection string without secrets.
    fn identity(&self) -> Vec<(String, Value)> {
        let mut fields = Vec::new();
        match self.dsn() {
            Some(dsn) => fields.push(("dsn".to_owned(), Value::from(dsn))),
            None => {
                let driver =
                    self.given().and_then(|given| given.get("DRIVER")).map(|driver| crate::args::decode_bytes(&driver));
                fields.push(("driver".to_owned(), driver.unwrap_or_default().into()));
            }
        }
        if let Some(given) = self.given() {
            let shown = ConnectionString::parse(&given.without(find::REAL_DRIVER));
            fields.push(("connection_string".to_owned(), Value::Text(scrub(&shown))));
        }
        fields
    }

    fn secrecy(&self, site: &Site) -> Secrecy {
        let bytes = |text: &Option<String>| text.as_ref().map(|text| crate::args::encode_bytes(text));
        let mut known = match self {
            Request::Dsn { user, password, .. } => {
                secrets(&ConnectionString::parse(b""), bytes(user).as_deref(), bytes(password).as_deref())
            }
            Request::String { given, .. } | Request::Browse { given, .. } => secrets(given, None, None),
        };
        if let Some(section) = self.dsn().and_then(|dsn| site.ini.dsn_section(dsn.as_bytes())) {
            known.add_section(section);
        }
        Secrecy::new(known, self.user())
    }
}

/// How a connect will be done.
#[derive(Default)]
pub struct Plan {
    /// Whether every keyword of the connection string is verified.
    strict: bool,
    site: Arc<Site>,
    driver: Option<&'static Driver>,
    real: Option<RealDriver>,
    recorder: Option<Arc<Recorder>>,
    player: Option<Arc<Player>>,
}

/// Decides how to connect: reads the settings and finds the real driver or the cassette.
///
/// # Errors
/// An outcome to post: settings that make no sense (HY000), a driver that cannot be found or loaded (IM003), a
/// cassette that cannot be played or written (HY000).
pub fn plan(request: &Request) -> Result<Plan, Outcome> {
    let settings = Settings::from_env().map_err(|error| Outcome::error("HY000", error))?;
    let site = Site::of_this_process();
    if settings.mode == Mode::Replay {
        let player = deck::player(&settings).map_err(|error| Outcome::error("HY000", format!("replay: {error}")))?;
        if matches!(request, Request::Browse { .. }) {
            return Err(Outcome::error("HYC00", "replay: SQLBrowseConnect cannot be replayed yet"));
        }
        return Ok(Plan { strict: settings.connect_strict, site, player: Some(player), ..Plan::default() });
    }
    let dsn;
    let asked = match request {
        Request::Dsn { dsn: name, .. } => {
            dsn = crate::args::encode_bytes(name);
            Asked::Dsn(&dsn)
        }
        Request::String { given, .. } | Request::Browse { given, .. } => Asked::String(given),
    };
    let cannot = |error: DriverError| Outcome::error(error.sqlstate(), error.within(480));
    let real = find::at_connect(&site, settings.driver.as_deref(), asked).map_err(cannot)?;
    let library = crate::driver::open(&site, &real, crate::kind()).map_err(cannot)?;
    let driver = Driver::of(library).map_err(cannot)?;
    let recorder = match settings.mode {
        Mode::Record => {
            if matches!(request, Request::Browse { .. }) {
                return Err(Outcome::error("HYC00", "record: SQLBrowseConnect cannot be recorded yet"));
            }
            Some(
                deck::recorder(&settings, library)
                    .map_err(|error| Outcome::error("HY000", format!("record: {error}")))?,
            )
        }
        _ => None,
    };
    Ok(Plan { site, driver: Some(driver), real: Some(real), recorder, ..Plan::default() })
}

impl Plan {
    /// A further step of SQLBrowseConnect: the driver is known, and its own names were spoken in the step before.
    pub fn going_on(driver: &'static Driver) -> Plan {
        Plan { driver: Some(driver), ..Plan::default() }
    }

    /// The real driver; none at replay.
    pub fn driver(&self) -> Option<&'static Driver> {
        self.driver
    }

    /// Whether the connection is to be recorded.
    pub fn records(&self) -> bool {
        self.recorder.is_some()
    }

    fn edited(&self, request: &Request) -> Option<(Vec<u8>, Vec<u8>)> {
        let (given, real) = (request.given()?, self.real.as_ref()?);
        Some((given.without(find::REAL_DRIVER), naming::forwarded(given, real, &self.site)))
    }

    /// The string for the real driver, if it is not the application's own.
    pub fn forwarded(&self, request: &Request) -> Option<String> {
        let (_, forwarded) = self.edited(request)?;
        (forwarded != request.given()?.as_bytes()).then(|| crate::args::decode_bytes(&forwarded))
    }

    /// Whether the driver sees another name in `DRIVER=` than the application gave.
    pub fn renames(&self, request: &Request) -> bool {
        self.edited(request).is_some_and(|(stripped, forwarded)| stripped != forwarded)
    }

    /// How many characters longer the driver's name is than the one the application gave.
    pub fn growth(&self, request: &Request) -> isize {
        let count = |bytes: &[u8]| crate::args::decode_bytes(bytes).encode_utf16().count() as isize;
        self.edited(request).map_or(0, |(stripped, forwarded)| count(&forwarded) - count(&stripped))
    }

    /// The completed string with the application's name for the driver again.
    pub fn returned(&self, request: &Request, completed: &str) -> String {
        match (request.given(), &self.real) {
            (Some(given), Some(real)) => {
                let completed = ConnectionString::parse(&crate::args::encode_bytes(completed));
                crate::args::decode_bytes(&naming::returned(&completed, given, real, &self.site))
            }
            _ => completed.to_owned(),
        }
    }
}

/// The driver that is known before any connection string arrives, loaded; `None` where connections may differ or the
/// mode is not one that loads drivers. What is wrong with it is said at connect.
pub fn early_driver() -> Option<&'static Driver> {
    let settings = Settings::from_env().ok()?;
    if settings.mode == Mode::Replay {
        return None;
    }
    let site = Site::of_this_process();
    let real = find::early(&site, settings.driver.as_deref())?;
    Driver::of(crate::driver::open(&site, &real, crate::kind()).ok()?).ok()
}

/// How the recorded driver answered a question about the environment.
pub struct RecordedEnvironment {
    /// The return code.
    pub rc: i16,
    /// The value read.
    pub reply: Option<i64>,
}

fn environment_key(function: &'static str, attribute: i32, value: Option<usize>) -> Vec<(String, Value)> {
    let mut key =
        vec![("function".to_owned(), Value::from(function)), ("attribute".to_owned(), Value::from(attribute))];
    key.extend(value.map(|value| ("value".to_owned(), Value::from(value))));
    key
}

/// At replay, the recorded answer to a question about the environment; `None` otherwise.
pub fn replayed_environment(
    function: &'static str,
    attribute: i32,
    value: Option<usize>,
) -> Option<RecordedEnvironment> {
    let settings = Settings::from_env().ok().filter(|settings| settings.mode == Mode::Replay)?;
    let player = deck::player(&settings).ok()?;
    let key = environment_key(function, attribute, value);
    let key: Vec<(&str, Value)> = key.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let answer = player.info(ConnectionId(0), &key).ok()??;
    Some(RecordedEnvironment {
        rc: return_code(answer.get("return")),
        reply: answer.get("result").and_then(Value::as_int),
    })
}

fn environment_answer((function, attribute, value, code, reply): EnvironmentNote) -> Value {
    let mut fields = environment_key(function, attribute, value);
    fields.extend(reply.map(|reply| ("result".to_owned(), Value::from(reply))));
    push_outcome(&mut fields, &Outcome::of(code), &Secrecy::default());
    Value::Map(fields)
}

/// The value of a pending attribute that reaches the database, under its cassette name.
pub fn pending_value(pending: &PendingAttribute) -> Option<(String, Value)> {
    let name = reaches_database(pending.attribute)?;
    let value = match &pending.value {
        PendingValue::Word(word) => Value::from(*word as isize),
        PendingValue::Text(units) => Value::Text(String::from_utf16_lossy(units.strip_suffix(&[0]).unwrap_or(units))),
        PendingValue::Bytes(bytes) => Value::Text(crate::args::decode_bytes(bytes.strip_suffix(&[0]).unwrap_or(bytes))),
    };
    Some((name.to_owned(), value))
}

fn asked_fields(request: &Request, mut attributes: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let mut fields = request.identity();
    attributes.sort_by(|one, other| one.0.cmp(&other.0));
    if !attributes.is_empty() {
        fields.push(("attributes".to_owned(), Value::Map(attributes)));
    }
    fields
}

/// Records a connect that was done. Gives the mode of the new connection, or what to post instead of success.
///
/// # Errors
/// The cassette cannot be written.
pub fn record(
    request: &Request,
    plan: &Plan,
    connection: &Connection,
    completed: Option<Reply>,
    environment: Vec<EnvironmentNote>,
    wide: bool,
    outcome: &Outcome,
) -> Result<Arc<dyn ConnectionMode>, Outcome> {
    let Some(recorder) = &plan.recorder else { return Err(Outcome::error("HY000", "record: no cassette")) };
    let facts = match request.user() {
        // Who was refused is verified at replay as well.
        Some(user) if !rc::succeeded(outcome.rc) => vec![("user_hash".to_owned(), Value::Text(user_hash(&user)))],
        None if !rc::succeeded(outcome.rc) => Vec::new(),
        user => connection_facts(connection, user, wide),
    };
    let pending = connection.state.lock().pending.iter().filter_map(pending_value).collect();
    let connect = Connect {
        asked: asked_fields(request, pending),
        facts,
        completed: completed.and_then(|completed| completed_value(request, &completed)),
        environment: environment.into_iter().map(environment_answer).collect(),
    };
    let secrecy = request.secrecy(&plan.site);
    record::Connection::begin(recorder, connect, outcome, secrecy)
        .map(|mode| mode as Arc<dyn ConnectionMode>)
        .map_err(|error| Outcome::error("HY000", format!("record: the cassette cannot be written: {error}")))
}

fn completed_value(request: &Request, completed: &Reply) -> Option<Value> {
    let Reply::Text { text, length, cut } = completed else { return None };
    let given = request.given()?;
    let template = |text: &str| completed::template(&ConnectionString::parse(&crate::args::encode_bytes(text)), given);
    // The beginning of a keyword at the end of a text that was cut off is no secret.
    let cut_template = |text: &str| match text.rsplit_once(';') {
        Some((head, tail)) if is_cut_keyword(tail, given) => format!("{};{tail}", template(head)),
        _ => template(text),
    };
    match (text, length) {
        (Some(text), _) if !cut => Some(Value::Text(template(text))),
        (text, length) => {
            let capacity = request.completed().and_then(Out::capacity).unwrap_or(0);
            let pairs = [
                text.as_ref().map(|text| ("text".to_owned(), Value::Text(cut_template(text)))),
                length.map(|length| ("length".to_owned(), Value::from(length))),
                Some(("buffer".to_owned(), Value::from(capacity))),
            ];
            Some(Value::Map(pairs.into_iter().flatten().collect()))
        }
    }
}

fn is_cut_keyword(tail: &str, given: &ConnectionString) -> bool {
    let begins = |key: &[u8]| key.get(..tail.len()).is_some_and(|start| start.eq_ignore_ascii_case(tail.as_bytes()));
    !tail.contains('=') && given.items().any(|item| begins(item.key()))
}

/// Replays a connect: the connection's mode if it succeeded, and what to post.
pub fn replay(
    request: &Request,
    plan: &Plan,
    pending: Vec<(String, Value)>,
) -> (Option<Arc<dyn ConnectionMode>>, Outcome) {
    let Some(player) = &plan.player else { return (None, Outcome::error("HY000", "replay: no cassette")) };
    let mut fields = asked_fields(request, pending);
    fields.extend(request.user().map(|user| ("user_hash".to_owned(), Value::Text(user_hash(&user)))));
    let entry = match replaying::Connection::begin(player, fields, request.secrecy(&plan.site), plan.strict) {
        Ok(begun) => begun,
        Err(outcome) => return (None, outcome),
    };
    let (connection, connect, mut outcome) = entry;
    if let (Some(completed), Some(recorded), Some(given)) =
        (request.completed(), connect.get("completed"), request.given())
    {
        let fill = |template: &str| crate::args::decode_bytes(&completed::fill(template, given));
        let written = match recorded {
            Value::Map(_) => Value::Map(
                [
                    recorded
                        .get("text")
                        .and_then(Value::as_text)
                        .map(|text| ("text".to_owned(), Value::Text(fill(text)))),
                    recorded.get("length").map(|length| ("length".to_owned(), length.clone())),
                ]
                .into_iter()
                .flatten()
                .collect(),
            ),
            other => Value::Text(fill(other.as_text().unwrap_or_default())),
        };
        if crate::mode::words::write_reply(completed, &written) && outcome.rc == rc::SUCCESS {
            outcome = Outcome::info("01004", "the completed connection string was cut off");
        }
    }
    (Some(connection), outcome)
}
