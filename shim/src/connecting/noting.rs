//! The connect command of a cassette: recorded after the connect was made, or played.

use super::environment::environment_answer;
use super::plan::Plan;
use super::request::Request;
use crate::args::{Out, Reply};
use crate::config::completed;
use crate::config::connection_string::ConnectionString;
use crate::config::secrets::user_hash;
use crate::diagnostics::{Outcome, rc};
use crate::driver::Site;
use crate::facts::connection_facts;
use crate::handles::{Connection, EnvironmentNote, PendingAttribute, PendingValue};
use crate::mode::keys::reaches_database;
use crate::mode::{self, Connect, ConnectionMode, Recorded, Replayed, unwritable};
use std::sync::Arc;
use super8_cassette::{Detail, Fields, Key, Value};

/// Returns the value of a pending attribute that reaches the database, under its cassette name.
fn pending_value(pending: &PendingAttribute) -> Option<(String, Value)> {
    let name = reaches_database(pending.attribute)?;
    let value = match &pending.value {
        PendingValue::Word(word) => Value::from(*word as isize),
        PendingValue::Text(units) => Value::Text(String::from_utf16_lossy(units.strip_suffix(&[0]).unwrap_or(units))),
        PendingValue::Bytes(bytes) => Value::Text(crate::args::decode_bytes(bytes.strip_suffix(&[0]).unwrap_or(bytes))),
    };
    Some((name.to_owned(), value))
}

fn asked_fields(request: &Request, plan: &Plan, mut attributes: Vec<(String, Value)>) -> Fields {
    let mut fields = request.identity(&plan.site);
    attributes.sort_by(|one, other| one.0.cmp(&other.0));
    if !attributes.is_empty() {
        fields.push((Key::Attributes, Value::Map(attributes)));
    }
    if let Some(other) = &plan.other_driver {
        fields.push((Key::Library, Value::from(other.library.as_str())));
        fields.push((Key::Kind, Value::from(other.kind.as_str())));
    }
    fields
}

/// Records a connect that was made. Returns the mode of the new connection, or what to post instead of success.
///
/// # Errors
/// The cassette cannot be written.
pub fn record(
    request: &Request,
    plan: &Plan,
    connection: &Connection,
    completed: Option<Reply>,
    environment: Vec<(EnvironmentNote, u32)>,
    outcome: &Outcome,
) -> Result<Arc<dyn ConnectionMode>, Outcome> {
    let (Some(recorder), Some(origin)) = (&plan.recorder, &plan.origin) else {
        return Err(Outcome::error("HY000", "record: no cassette"));
    };
    let facts = match request.user() {
        // Replay verifies as well which user was refused.
        Some(user) if !rc::succeeded(outcome.rc) => vec![("user_hash".to_owned(), Value::Text(user_hash(&user)))],
        None if !rc::succeeded(outcome.rc) => Vec::new(),
        user => connection_facts(connection, user),
    };
    let pending = connection.state.lock().pending.iter().filter_map(pending_value).collect();
    let connect = Connect {
        asked: asked_fields(request, plan, pending),
        facts,
        completed: completed
            .and_then(|completed| completed_value(request, &plan.site, &completed, outcome.rc == rc::NEED_DATA)),
        environment: environment.into_iter().map(|(note, times)| (environment_answer(note), times)).collect(),
    };
    let begun = mode::Connection::<Recorded>::begin(
        recorder,
        origin.clone(),
        connect,
        outcome,
        plan.secrecy.clone(),
        plan.probe(),
    );
    let begun = begun.map_err(unwritable)?;
    set_before(connection, |attribute, value| begun.set_before(attribute, value));
    Ok(begun)
}

/// Calls `note` with the attributes that were set to numbers before connecting.
fn set_before(connection: &Connection, mut note: impl FnMut(i32, usize)) {
    for pending in &connection.state.lock().pending {
        if let PendingValue::Word(word) = pending.value {
            note(pending.attribute, word);
        }
    }
}

fn completed_value(request: &Request, site: &Site, completed: &Reply, asks: bool) -> Option<Value> {
    let Reply::Text { text, length, cut, unterminated } = completed else { return None };
    let given = &request.given_with_section(site)?;
    let template = |text: &str| {
        let text = ConnectionString::parse(&crate::args::encode_bytes(text));
        if asks { completed::questions(&text, given) } else { completed::template(&text, given) }
    };
    // A cut text may end in the beginning of a keyword, which is no secret.
    let cut_template = |text: &str| {
        let last = text.rfind(';').map_or(0, |end| end + 1);
        let (head, tail) = text.split_at(last);
        if completed::is_cut_keyword(tail, given) { format!("{}{tail}", template(head)) } else { template(text) }
    };
    match (text, length) {
        (Some(text), _) if !cut => Some(Value::Text(template(text))),
        (text, length) => {
            let capacity = request.completed().and_then(Out::capacity).unwrap_or(0);
            let pairs = [
                text.as_ref().map(|text| Detail::Text.with(cut_template(text))),
                length.map(|length| Detail::Length.with(length)),
                unterminated.then(|| Detail::Terminated.with(false)),
                Some(Detail::Buffer.with(capacity)),
            ];
            Some(Value::Map(pairs.into_iter().flatten().collect()))
        }
    }
}

/// Replays a connect. Returns the connection's mode if the connect succeeded, and what to post.
pub fn replay(request: &Request, plan: &Plan, live: &Connection) -> (Option<Arc<dyn ConnectionMode>>, Outcome) {
    let (Some(player), Some(origin)) = (&plan.player, &plan.origin) else {
        return (None, Outcome::error("HY000", "replay: no cassette"));
    };
    let pending = live.state.lock().pending.iter().filter_map(pending_value).collect();
    let mut fields = asked_fields(request, plan, pending);
    if plan.strict {
        fields.push((Key::Verify, Value::from("strict")));
    }
    let room = request.completed().map(|completed| Value::from(completed.capacity().unwrap_or(0)));
    fields.extend(room.map(|room| (Key::Completed, Value::Map(vec![Detail::Buffer.with(room)]))));
    fields.extend(request.user().map(|user| (Key::UserHash, Value::Text(user_hash(&user)))));
    let secrecy = plan.secrecy.clone();
    let entry = match mode::Connection::<Replayed>::begin(player, origin.clone(), fields, secrecy, plan.probe()) {
        Ok(begun) => begun,
        Err(outcome) => return (None, outcome),
    };
    let (connection, connect, mut outcome) = entry;
    set_before(live, |attribute, value| connection.set_before(attribute, value));
    if let (Some(completed), Some(recorded), Some(given)) =
        (request.completed(), connect.get(Key::Completed), request.given_with_section(&plan.site))
    {
        let fill = |template: &str| crate::args::decode_bytes(&completed::fill(template, &given));
        let written = match recorded {
            Value::Map(_) => Value::Map(
                [
                    recorded.detail(Detail::Text).and_then(Value::as_text).map(|text| Detail::Text.with(fill(text))),
                    recorded.detail(Detail::Length).map(|length| Detail::Length.with(length.clone())),
                    recorded.detail(Detail::Terminated).map(|said| Detail::Terminated.with(said.clone())),
                ]
                .into_iter()
                .flatten()
                .collect(),
            ),
            other => Value::Text(fill(other.as_text().unwrap_or_default())),
        };
        if crate::mode::outcome::write_reply(completed, &written) && outcome.rc == rc::SUCCESS {
            outcome = Outcome::info("01004", "the completed connection string was cut off");
        }
    }
    (Some(connection), outcome)
}
