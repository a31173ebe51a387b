//! Questions about the environment, which come before it is known where the connection will lead.

use crate::cassettes;
use crate::config::connection_string::ConnectionString;
use crate::config::settings::{Mode, Setting, Settings};
use crate::config::sources::Sources;
use crate::config::variables::Variables;
use crate::diagnostics::Outcome;
use crate::driver::{Kind, Site, find};
use crate::handles::EnvironmentNote;
use crate::mode::outcome::Secrecy;
use crate::mode::outcome::{push_outcome, return_code};
use crate::per_process::PerProcess;
use crate::real::Driver;
use parking_lot::Mutex;
use std::sync::Arc;
use super8_cassette::{Fields, Key, Value};

/// Settings, and what they were read from.
struct Known {
    variables: Arc<Variables>,
    inserted: Option<Arc<ConnectionString>>,
    settings: Arc<Settings>,
}

/// Returns the settings of the process, as far as they hold without a connection. A driver manager asks for them several
/// times for each connect, so they are read again only if something has changed.
fn of_process(variables: &Arc<Variables>) -> Option<Arc<Settings>> {
    static KNOWN: PerProcess<Mutex<Option<Known>>> = PerProcess::new();
    let inserted = crate::inserted::on_top();
    let mut known = KNOWN.get_or_init(|_| Mutex::default()).lock();
    let is_current = |known: &&Known| {
        let same = match (&known.inserted, &inserted) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        same && Arc::ptr_eq(&known.variables, variables)
    };
    if let Some(known) = known.as_ref().filter(is_current) {
        return Some(Arc::clone(&known.settings));
    }
    let environment = |name: &str| variables.get(name);
    let sources = Sources { inserted: inserted.as_deref(), environment: Some(&environment), ..Sources::default() };
    let settings = Arc::new(sources.settings().ok()?);
    // The name of a cassette that follows the running test is read each time.
    let changes = settings.cassette.as_ref().is_some_and(|name| name.again.is_some());
    let now = Known { variables: Arc::clone(variables), inserted: inserted.clone(), settings: Arc::clone(&settings) };
    *known = (!changes).then_some(now);
    Some(settings)
}

/// Loads the driver that is known before any connection string arrives. `None` if connections may differ, or one of
/// them may be replayed. Trouble with it is reported at connect.
pub fn early_driver(kind: Kind) -> Option<&'static Driver> {
    let variables = Variables::now();
    let settings = of_process(&variables)?;
    let site = Site::of_this_process(&variables, kind);
    let replays = match settings.mode {
        // Nothing sets the mode for the process, but the ini files may set it for a connection.
        Mode::Off if variables.get(Setting::Mode.row().variable).is_none() && crate::inserted::on_top().is_none() => {
            site.ini.mentions(Setting::Mode.row().keyword)
        }
        _ => cassettes::action(&settings).ok()? == cassettes::Action::Replay,
    };
    if replays {
        return None;
    }
    let real = find::early(&site, settings.driver.as_ref())?;
    Driver::of(crate::driver::open(&site, &real).ok()?).ok()
}

/// How the recorded driver answered a question about the environment.
pub struct RecordedEnvironment {
    /// The return code.
    pub rc: i16,
    /// The value that was read.
    pub reply: Option<i64>,
}

fn environment_key(function: &'static str, attribute: i32, value: Option<usize>) -> Fields {
    let mut key = Fields::from([(Key::Function, Value::from(function)), (Key::Attribute, Value::from(attribute))]);
    key.extend(value.map(|value| (Key::Value, Value::from(value))));
    key
}

/// Returns the recorded answer to a question about the environment, at replay; `None` otherwise.
pub fn replayed_environment(
    function: &'static str,
    attribute: i32,
    value: Option<usize>,
) -> Option<RecordedEnvironment> {
    let settings = of_process(&Variables::now())
        .filter(|settings| cassettes::action(settings).is_ok_and(|action| action == cassettes::Action::Replay))?;
    let player = cassettes::player_of_environment(&settings)?;
    let key = environment_key(function, attribute, value);
    let answer = player.environment(&key).ok()??;
    Some(RecordedEnvironment {
        rc: return_code(answer.get(Key::Return)),
        reply: answer.get(Key::Result).and_then(Value::as_int),
    })
}

pub(super) fn environment_answer((function, attribute, value, code, reply): EnvironmentNote) -> Fields {
    let mut fields = environment_key(function, attribute, value);
    fields.extend(reply.map(|reply| (Key::Result, Value::from(reply))));
    push_outcome(&mut fields, &Outcome::of(code), &Secrecy::default());
    fields
}
