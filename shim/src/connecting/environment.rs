//! Questions about the environment, which come before it is known where the connection will lead.

use crate::cassettes;
use crate::config::settings::{Mode, Setting, Settings};
use crate::config::sources::Sources;
use crate::config::variables::variable;
use crate::diagnostics::Outcome;
use crate::driver::{Kind, Site, find};
use crate::handles::EnvironmentNote;
use crate::mode::outcome::Secrecy;
use crate::mode::outcome::{push_outcome, return_code};
use crate::real::Driver;
use super8_cassette::{Fields, Key, Value};

/// Returns the settings of the process, as far as they hold without a connection.
fn of_process() -> Option<Settings> {
    let inserted = crate::inserted::on_top();
    Sources { inserted: inserted.as_deref(), environment: Some(&variable), ..Sources::default() }.settings().ok()
}

/// Loads the driver that is known before any connection string arrives. `None` if connections may differ, or one of
/// them may be replayed. Trouble with it is reported at connect.
pub fn early_driver(kind: Kind) -> Option<&'static Driver> {
    let settings = of_process()?;
    let site = Site::of_this_process(kind);
    let replays = match settings.mode {
        // Nothing sets the mode for the process, but the ini files may set it for a connection.
        Mode::Off if variable(Setting::Mode.row().variable).is_none() && crate::inserted::on_top().is_none() => {
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
    let settings = of_process()
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
