//! Routes each call on a statement to the code that serves it, while recording and at replay.

use crate::args::Binding;
use crate::call::{CLOSE, Call, DriverCall, local_calls, not_of_statements};
use crate::descriptor::{Content, DescriptorRole};
use crate::diagnostics::{Outcome, rc};
use crate::mode::connection::{StatementMode, not_yet};
use crate::mode::descriptors::{KnownField, sets_row_counter};
use crate::mode::moving::lets_go;
use crate::mode::probe;
use crate::mode::record::{Recorded, perform, unwritable};
use crate::mode::replay::Replayed;
use crate::mode::rowset::{Fetching, Scrolling, extended_states};
use crate::mode::statement::Statement;
use crate::table::{Class, Function};
use std::sync::atomic::Ordering;
use super8_cassette::{Entry, Method};

impl Statement<Recorded> {
    /// Decides what to do with a call once the cassette cannot be written. Calls that end something reach the driver
    /// and are not recorded, calls on the application's own side go on (`None`), and every other call fails before it
    /// reaches the driver.
    fn after_failure(&self, call: &Call<'_>, driver_call: &dyn DriverCall) -> Option<Outcome> {
        let error = self.connection.recorder().check().err()?;
        match call {
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } | Call::Cancel => Some(perform(driver_call)),
            local_calls!() => None,
            _ => Some(unwritable(error)),
        }
    }

    pub(super) fn serve_call(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        if let Call::Run { sql } | Call::Prepare { sql } = call
            && self.connection.recorder().check().is_ok()
            && let Err(refused) = self.connection.first_text(sql, || self.finish_result(&mut self.state.lock(), false))
        {
            return refused;
        }
        if let Some(outcome) = self.after_failure(call, driver_call) {
            return outcome;
        }
        match call {
            Call::Run { sql } => self.run(sql, driver_call),
            Call::Prepare { sql } => self.prepare(sql, driver_call),
            Call::Execute => self.execute_prepared(driver_call),
            Call::Catalog { arguments } => self.catalog(function, arguments, driver_call),
            Call::MoreResults => self.more_results(driver_call),
            Call::Fetch | Call::FetchScroll { .. } | Call::ExtendedFetch { .. } => {
                self.counts();
                let (next, scrolling, rebound) = {
                    let mut state = self.state.lock();
                    let state = &mut *state;
                    state.application.refresh();
                    state.extended = extended_states(call);
                    let (next, scrolling) = match Fetching::of(call, &state.application) {
                        Some(next) => (Some(next), None),
                        None => (None, Scrolling::of(call, &state.application)),
                    };
                    let size =
                        next.or(scrolling.as_ref().map(|scrolling| scrolling.fetching)).map_or(1, |next| next.size);
                    (next, scrolling, state.own.lent.prepare(&mut state.application, size, |_, _| false))
                };
                match (next, scrolling) {
                    (Some(next), _) => self.fetch(function, next, rebound, driver_call),
                    (None, Some(scrolling)) => self.scroll(function, scrolling, rebound, driver_call),
                    (None, None) => not_yet(function.name()),
                }
            }
            Call::GetData { column, binding } => self.read_cell(*column, binding, driver_call),
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } => self.close(function, driver_call),
            Call::Cancel => self.cancel(function, driver_call),
            local_calls!() => self.local(function, call, driver_call),
            Call::Ask(question) => self.question(function, question, driver_call),
            Call::ParamData { token } => self.param_data(*token, driver_call),
            Call::PutData { data, length } => self.put_data(*data, *length, driver_call),
            Call::SetPos { .. } | Call::BulkOperations { .. } => self.positioned(call, driver_call),
            not_of_statements!() => not_yet(function.name()),
        }
    }
}

impl StatementMode for Statement<Recorded> {
    fn serve(&self, function: Function, call: &Call<'_>, driver_call: &dyn DriverCall) -> Outcome {
        // A call that only releases what belongs to another cassette, or to the parent of a forked child, records
        // nothing.
        if !self.is_here() && lets_go(call, self.is_forked()) {
            return perform(driver_call);
        }
        if self.connection.probe.begins(call, &self.probes) {
            return perform(driver_call);
        }
        if let Err(failure) = self.arrive(
            call,
            || self.connection.follow(Some(&self.used), || self.finish_result(&mut self.state.lock(), false)),
            || self.enter(),
        ) {
            return failure;
        }
        let outcome = match self.is_asynchronous() {
            true => self.polled(function, call, driver_call),
            false => self.serve_call(function, call, driver_call),
        };
        self.connection.moves.done(&self.used, function, call, &outcome);
        outcome
    }

    fn get_data(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        match self.is_here() && !self.is_asynchronous() {
            true => self.read_cell(column, binding, driver_call),
            false => self.serve(Function::SQLGetData, &Call::GetData { column, binding: *binding }, driver_call),
        }
    }

    fn serve_descriptor(
        &self,
        role: DescriptorRole,
        function: Function,
        call: &Call<'_>,
        driver_call: &dyn DriverCall,
    ) -> Outcome {
        if !self.is_here()
            && let Err(failure) = self.enter()
        {
            return failure;
        }
        let before = {
            let mut state = self.state.lock();
            state.application.refresh();
            match state.application.content(role) {
                Content::Application(content) => Some(content),
                _ => None,
            }
        };
        let name = i64::from(role.attribute());
        let set = |record, field| self.state.lock().application.descriptor_set(role, record, field);
        let outcome =
            self.connection.on_descriptor(name, function, call, driver_call, (before.as_ref(), &set), |unbinds| {
                let mut state = self.state.lock();
                state.own.counter_is_lent &= !sets_row_counter(Some(role), call);
                state.application.apply_to_descriptor(role, call, unbinds);
            });
        if let Call::Ask(question) = call
            && rc::succeeded(outcome.rc)
        {
            let state = self.state.lock();
            question.answer_address(|record, field| state.application.descriptor_address(role, record, field));
        }
        outcome
    }

    fn is_applications(&self) {
        self.connection.probe.passes();
    }

    fn content(&self, role: DescriptorRole) -> Content {
        self.descriptor_content(role)
    }

    fn dropped(&self) {
        self.connection.moves.freed(&self.used);
        if !self.is_here() {
            return;
        }
        let mut state = self.state.lock();
        let finished = self.finish_result(&mut state, false);
        let noted = state.id.take().map_or(Ok(()), |id| self.note(id, Method::Drop));
        if let Err(error) = finished.and(noted) {
            crate::cassettes::unwritable(&error, true);
        }
    }
}

impl Statement<Replayed> {
    /// Turns the second and later failures of a failed replay into SQL_NO_DATA, for the functions that programs call in
    /// a loop. isql and others loop until they see SQL_NO_DATA; the first error on each statement stays an error.
    #[cold]
    fn ends(&self, function: Function, outcome: Outcome) -> Outcome {
        use Function::{SQLExtendedFetch, SQLFetch, SQLFetchScroll, SQLGetData, SQLMoreResults, SQLParamData};
        let loops = matches!(
            function,
            SQLFetch | SQLFetchScroll | SQLExtendedFetch | SQLMoreResults | SQLGetData | SQLParamData
        );
        match loops && self.connection.player().failed() && self.own.gave_up.swap(true, Ordering::Relaxed) {
            true => Outcome::of(rc::NO_DATA),
            false => outcome,
        }
    }

    fn serve_call(&self, function: Function, call: &Call<'_>) -> Outcome {
        if let Call::Run { sql } | Call::Prepare { sql } = call
            && let Err(refused) = self.connection.first_text(sql)
        {
            return refused;
        }
        match call {
            Call::Run { sql } => self.run(sql),
            Call::Prepare { sql } => self.prepare(sql),
            Call::Execute => self.execute(),
            Call::Catalog { arguments } => self.catalog(function, arguments),
            Call::MoreResults => self.more_results(),
            Call::Fetch | Call::FetchScroll { .. } | Call::ExtendedFetch { .. } => {
                let next = {
                    let mut state = self.state.lock();
                    state.application.refresh();
                    state.extended = extended_states(call);
                    Fetching::of(call, &state.application)
                };
                if let Some(next) = next {
                    return self.fetch(function, next);
                }
                let scrolling = Scrolling::of(call, &self.state.lock().application);
                let outcome = scrolling.map_or_else(|| not_yet(function.name()), |scrolling| self.scroll(scrolling));
                self.connection.may_be_finished();
                outcome
            }
            Call::GetData { column, binding } => self.read_cell(*column, binding),
            Call::CloseCursor | Call::FreeStmt { option: CLOSE } => self.close(function),
            Call::ParamData { token } => self.param_data(*token),
            Call::PutData { data, length } => self.put_data(*data, *length),
            Call::Cancel => self.cancel(function),
            local_calls!() => self.local(function, call),
            Call::Ask(question) => self.question(function, question),
            Call::SetPos { .. } | Call::BulkOperations { .. } => self.positioned(call),
            not_of_statements!() => not_yet(function.name()),
        }
    }
}

impl StatementMode for Statement<Replayed> {
    fn serve(&self, function: Function, call: &Call<'_>, _: &dyn DriverCall) -> Outcome {
        // A call that only releases what belongs to another cassette, or to the parent of a forked child, plays
        // nothing.
        if !self.is_here() && lets_go(call, self.is_forked()) {
            return Outcome::SUCCESS;
        }
        if self.connection.probe.begins(call, &self.probes) {
            return probe::passed(function, call);
        }
        if let Err(failure) = self.arrive(call, || self.connection.follow(Some(&self.used), false), || self.enter()) {
            return failure;
        }
        let polled = match self.is_asynchronous() {
            true => self.still_executing(function, call),
            false => None,
        };
        let outcome = polled.unwrap_or_else(|| self.serve_call(function, call));
        self.connection.moves.done(&self.used, function, call, &outcome);
        // A fetch checks for the end of the cassette itself, because it knows whether its row was the last one.
        let fetches = matches!(call, Call::Fetch | Call::FetchScroll { .. } | Call::ExtendedFetch { .. });
        if function.row().class == Class::Command && !fetches {
            self.connection.may_be_finished();
        }
        let outcome = if outcome.rc == rc::ERROR { self.ends(function, outcome) } else { outcome };
        self.connection.secrecy.restored(outcome)
    }

    fn get_data(&self, column: u16, binding: &Binding, driver_call: &dyn DriverCall) -> Outcome {
        if !self.is_here()
            && let Err(failure) = self.enter()
        {
            return failure;
        }
        if self.is_asynchronous() {
            return self.serve(Function::SQLGetData, &Call::GetData { column, binding: *binding }, driver_call);
        }
        let outcome = self.read_cell(column, binding);
        if outcome.rc == rc::SUCCESS && outcome.diagnostics.is_empty() {
            return Outcome::SUCCESS;
        }
        let outcome = if outcome.rc == rc::ERROR { self.ends(Function::SQLGetData, outcome) } else { outcome };
        self.connection.secrecy.restored(outcome)
    }

    fn serve_descriptor(
        &self,
        role: DescriptorRole,
        function: Function,
        call: &Call<'_>,
        _: &dyn DriverCall,
    ) -> Outcome {
        if !self.is_here()
            && let Err(failure) = self.enter()
        {
            return failure;
        }
        if let (DescriptorRole::ImplementationRow, Function::SQLGetDescField, Call::Ask(question)) =
            (role, function, call)
            && let Some(outcome) = self.described_by_hand(question)
        {
            return outcome;
        }
        self.state.lock().application.refresh();
        let known = |record, field| {
            let state = self.state.lock();
            KnownField {
                address: state.application.descriptor_address(role, record, field),
                number: state.application.descriptor_number(role, record, field),
                set: state.application.descriptor_set(role, record, field),
            }
        };
        let apply = |unbinds| self.state.lock().application.apply_to_descriptor(role, call, unbinds);
        let outcome = self.connection.on_descriptor(i64::from(role.attribute()), function, call, known, apply);
        self.connection.secrecy.restored(outcome)
    }

    fn is_applications(&self) {
        self.connection.probe.passes();
    }

    fn content(&self, role: DescriptorRole) -> Content {
        self.descriptor_content(role)
    }

    fn dropped(&self) {
        self.connection.moves.freed(&self.used);
        self.connection.statement_freed();
        if !self.is_here() {
            return;
        }
        let mut state = self.state.lock();
        state.run = None;
        if let Some(id) = state.id.take() {
            self.connection.player().housekeeping(&Entry::new(Method::Drop, self.connection.id(), Some(id)));
        }
        self.connection.may_be_finished();
    }
}
