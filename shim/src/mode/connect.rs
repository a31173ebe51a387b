//! How a connection begins in a cassette, goes on in another one or in a forked child, and ends.

use crate::args::TextIn;
use crate::cassettes::Origin;
use crate::diagnostics::{Outcome, rc};
use crate::mode::connection::{Connection, ConnectionMode};
use crate::mode::connection_cassette::CONTINUED;
use crate::mode::moving::Use;
use crate::mode::outcome::{Secrecy, push_outcome, recorded_outcome};
use crate::mode::probe::Probe;
use crate::mode::record::{Recorded, unwritable};
use crate::mode::replay::{Replayed, finished, mismatch};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use super8_cassette::{CassetteError, ConnectionId, Entry, Fields, Key, Method, Recorder, Traceparent, Value};
use super8_matching::Player;

/// What a connect command says, as the cassette has it.
pub struct Connect {
    /// `dsn` or `driver`, `connection_string`, `attributes`.
    pub asked: Fields,
    /// Those of `server`, `database`, `user_hash` and `schema` that are known.
    pub facts: Vec<(String, Value)>,
    /// The completed connection string as a template, if the application asked for it.
    pub completed: Option<Value>,
    /// Questions about the environment with their replies, and how often each was asked.
    pub environment: Vec<(Fields, u32)>,
}

impl Connection<Recorded> {
    /// Records a connect that succeeded or failed.
    ///
    /// # Errors
    /// The cassette cannot be written.
    pub fn begin(
        recorder: &Arc<Recorder>,
        origin: Origin,
        connect: Connect,
        outcome: &Outcome,
        secrecy: Secrecy,
        probe: Probe,
    ) -> Result<Arc<Connection<Recorded>>, CassetteError> {
        let id = recorder.connection();
        let mut fields = connect.asked;
        if rc::succeeded(outcome.rc) || !connect.facts.is_empty() {
            fields.add(Key::Result, Value::Map(connect.facts));
        }
        fields.extend(connect.completed.map(|completed| (Key::Completed, completed)));
        push_outcome(&mut fields, outcome, &secrecy);
        let entry = Entry { method: Method::Connect, connection: id, statement: None, fields };
        let connection = Arc::new(Connection::new((Arc::clone(recorder), id), origin, entry.clone(), secrecy, probe));
        let written = recorder.command(&entry);
        let environment =
            connect.environment.into_iter().try_for_each(|(answer, times)| recorder.before(id, answer, times));
        let adopted =
            if rc::succeeded(outcome.rc) { recorder.adopt(id, || connection.next_result_answer()) } else { Ok(()) };
        if let Err(error) = written.and(environment).and(adopted) {
            connection.disconnected();
            return Err(error);
        }
        if !rc::succeeded(outcome.rc) {
            connection.close();
        }
        Ok(connection)
    }

    /// In a forked child, goes on in a part of the child's own.
    ///
    /// # Errors
    /// The part cannot be written.
    pub(super) fn enter(&self) -> Result<(), Outcome> {
        let go = |origin: &Origin, trace: Option<&Traceparent>, connect: &Entry, parents: ConnectionId| {
            let recorder = origin.recorder(trace).map_err(|error| Outcome::error("HY000", error))?;
            let id = recorder.connection();
            let entry = Entry { connection: id, ..connect.clone() }.with(Key::Parent, parents.to_string());
            recorder.command(&entry).map_err(unwritable)?;
            Ok((recorder, id))
        };
        self.go_on_in_child(go, || {
            // The part has none of the parent's answers with rows, so statements are numbered without them.
            let answers =
                self.own.result_answers.try_lock().map(|mut answers| std::mem::take(&mut *answers)).unwrap_or_default();
            self.statements.fetch_sub(answers.len() as u32, Ordering::Relaxed);
            if let Some(mut parents) = self.own.parents_result_answers.try_lock() {
                *parents = answers;
            }
            self.stands_alone();
            self.own.closed.store(false, Ordering::Release);
        })
    }

    /// Goes on, before a command, in the cassette that the name now leads to. `statement` is the one that the command
    /// comes from, if any. `finish_result` writes what that statement still has to record in the cassette that it leaves.
    ///
    /// # Errors
    /// The cassette cannot be written.
    pub(super) fn follow(
        &self,
        statement: Option<&Use>,
        finish_result: impl FnOnce() -> Result<(), CassetteError>,
    ) -> Result<(), Outcome> {
        let Some(origin) = self.moves.next(&self.cassettes, statement) else { return Ok(()) };
        finish_result().map_err(unwritable)?;
        let recorder = origin.recorder(None).map_err(|error| Outcome::error("HY000", error))?;
        let id = recorder.connection();
        let connect = self.cassettes.connect().clone().with(CONTINUED, true);
        let again = |entry: Entry| Entry { connection: id, ..entry };
        let prelude: Vec<Entry> =
            std::iter::once(connect).chain(self.moves.set(self.cassettes.connect())).map(again).collect();
        recorder.prepare_connect(0).map_err(unwritable)?;
        prelude.iter().try_for_each(|entry| recorder.command(entry)).map_err(unwritable)?;
        self.leave();
        self.cassettes.goes_on((recorder, id), origin, prelude);
        self.statements.store(0, Ordering::Relaxed);
        self.own.result_answers.lock().clear();
        self.stands_alone();
        self.moves.moved();
        self.recorder().adopt(id, || self.next_result_answer()).map_err(unwritable)
    }

    /// Called before a text is executed or prepared, because the connection's first text may name the trace it belongs
    /// to. `finish_result` writes what the statement still has to record in the cassette that it leaves.
    ///
    /// # Errors
    /// The trace cannot be written.
    pub(super) fn first_text(
        &self,
        text: &TextIn<'_>,
        finish_result: impl FnOnce() -> Result<(), CassetteError>,
    ) -> Result<(), Outcome> {
        self.cassettes.first_text(text, |origin, parent, prelude| {
            finish_result().map_err(unwritable)?;
            let recorder = origin.recorder(Some(parent)).map_err(|error| Outcome::error("HY000", error))?;
            let id = recorder.connection();
            let again = |entry: &Entry| recorder.command(&Entry { connection: id, ..entry.clone() });
            prelude.iter().try_for_each(again).map_err(unwritable)?;
            recorder.adopt(id, || self.next_result_answer()).map_err(unwritable)?;
            Ok((recorder, id))
        })
    }

    pub(super) fn close(&self) {
        if !self.own.closed.swap(true, Ordering::AcqRel) {
            self.leave();
        }
    }

    /// Ends the connection in its cassettes.
    fn leave(&self) {
        for (recorder, id) in self.cassettes.all() {
            match recorder.disconnect(id) {
                Ok(()) if recorder.is_idle() => crate::cassettes::published(recorder.name(), &recorder),
                Ok(()) => {}
                Err(error) => crate::cassettes::unwritable(&error, true),
            }
        }
    }
}

impl Connection<Replayed> {
    /// Replays a connect with these fields. Returns the connection, the recorded entry and the outcome to post.
    ///
    /// # Errors
    /// Nothing that fits was recorded; this is the outcome to post.
    pub fn begin(
        player: &Arc<Player>,
        origin: Origin,
        fields: Fields,
        secrecy: Secrecy,
        probe: Probe,
    ) -> Result<(Arc<Connection<Replayed>>, Entry, Outcome), Outcome> {
        let asked = Entry { method: Method::Connect, connection: ConnectionId(0), statement: None, fields };
        let recorded = player.connect(&asked).map_err(mismatch)?;
        finished(player);
        let outcome = secrecy.restored(recorded_outcome(|key| recorded.get(key)));
        let connection = Connection::new((Arc::clone(player), recorded.connection), origin, asked, secrecy, probe);
        Ok((Arc::new(connection), recorded, outcome))
    }

    /// In a forked child, goes on with the child's own part.
    ///
    /// # Errors
    /// There is no such part.
    pub(super) fn enter(&self) -> Result<(), Outcome> {
        let go = |origin: &Origin, trace: Option<&Traceparent>, connect: &Entry, _: ConnectionId| {
            let player = origin.player(trace).map_err(|error| Outcome::error("HY000", error))?;
            let recorded = player.connect(connect).map_err(mismatch)?;
            finished(&player);
            Ok((player, recorded.connection))
        };
        self.go_on_in_child(go, || {})
    }

    /// Goes on, before a command, in the cassette that the name now leads to. `statement` is the one that the command
    /// comes from, if any. A command that `may_stay` does nothing in the database, so it needs no cassette if no
    /// connection like this is recorded there.
    ///
    /// # Errors
    /// There is no such cassette, or it begins differently.
    pub(super) fn follow(&self, statement: Option<&Use>, may_stay: bool) -> Result<(), Outcome> {
        let Some(origin) = self.moves.next(&self.cassettes, statement) else { return Ok(()) };
        if may_stay && !origin.has_connect(self.cassettes.connect()) {
            self.cassettes.ask_again();
            return Ok(());
        }
        let player = origin.player(None).map_err(|error| Outcome::error("HY000", error))?;
        let connect = self.cassettes.connect().clone();
        let id = player.connect(&connect).map_err(mismatch)?.connection;
        let set = self.moves.set(self.cassettes.connect()).into_iter().map(|asked| Entry { connection: id, ..asked });
        let prelude: Vec<Entry> = std::iter::once(connect).chain(set).collect();
        for asked in &prelude[1..] {
            player.command(asked).map_err(mismatch)?;
        }
        self.leave();
        self.cassettes.goes_on((player, id), origin, prelude);
        self.statements.store(0, Ordering::Relaxed);
        self.moves.moved();
        finished(&self.player());
        Ok(())
    }

    /// Ends the connection in its cassettes.
    pub(super) fn leave(&self) {
        for (player, id) in self.cassettes.all() {
            // closing a connection cannot fail, so this is only reported
            player.contradicted(id).map(mismatch);
            player.housekeeping(&Entry::new(Method::Disconnect, id, None));
            player.disconnect(id);
            finished(&player);
        }
    }

    /// Called before a text is executed or prepared, because the connection's first text may name the trace it belongs
    /// to.
    ///
    /// # Errors
    /// There is no such trace, or it begins differently.
    pub(super) fn first_text(&self, text: &TextIn<'_>) -> Result<(), Outcome> {
        self.cassettes.first_text(text, |origin, parent, prelude| {
            let player = origin.player(Some(parent)).map_err(|error| Outcome::error("HY000", error))?;
            let mut id = ConnectionId(0);
            for asked in prelude {
                let asked = Entry { connection: id, ..asked.clone() };
                match asked.method {
                    Method::Connect => id = player.connect(&asked).map_err(mismatch)?.connection,
                    _ => drop(player.command(&asked).map_err(mismatch)?),
                }
            }
            Ok((player, id))
        })
    }
}
