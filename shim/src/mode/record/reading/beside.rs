//! What was read with SQLGetData and is in no row's cells, while recording: cells that came too late for their row, and
//! calls that went otherwise than the model expects.

use super::Late;
use crate::mode::record::statement::{State, Statement};
use super8_cassette::{CassetteError, Entry, Key, Method, Value};

impl Statement {
    /// Writes the cells that no row takes any more, and the unusual calls that no row has beside it.
    pub(super) fn write_late(&self, state: &mut State) -> Result<(), CassetteError> {
        let State { reading, run, id, rowset, streams, .. } = state;
        let open = || run.as_ref().is_some_and(|run| run.lock().is_open());
        if (reading.late.is_empty() && (reading.odd.is_empty() || open())) || id.is_none() {
            return Ok(());
        }
        let bare = reading.odd.iter().filter(|column| !reading.late.iter().any(|late| late.column == **column));
        let calls = |column| reading.calls.iter().filter(move |call| call.column == column);
        let bare = bare.filter_map(|column| {
            let c_type = calls(*column).next()?.c_type.name().to_string();
            Some(Late { column: *column, c_type, value: Value::from("\\-") })
        });
        let mut all: Vec<Late> = bare.collect();
        all.append(&mut reading.late);
        all.sort_by_key(|late| late.column);
        for Late { column, c_type, value } in all {
            let mut entry = Entry::new(Method::GetData, self.connection.id(), *id).with(streams.reads(), column);
            if *rowset > 1 {
                entry = entry.with(Key::Rowset, *rowset);
            }
            entry = entry.with(Key::CType, c_type).with(Key::Result, value);
            if reading.odd.contains(&column) {
                let calls = calls(column).map(|call| call.to_value(&self.connection.secrecy)).collect();
                entry = entry.with(Key::Calls, Value::List(calls));
            }
            self.connection.recorder().note(&entry)?;
        }
        Ok(())
    }

    /// Writes the calls of columns that were read in an unusual way beside the row.
    pub(super) fn keep_calls(&self, state: &mut State) {
        let State { reading, run: Some(run), .. } = state else { return };
        let mut run = run.lock();
        if run.is_open() {
            let kept = reading.calls.iter().filter(|call| reading.odd.contains(&call.column));
            let calls = kept.map(|call| call.to_value(&self.connection.secrecy)).collect();
            run.outcome(Value::Map(vec![("get_data".into(), Value::List(calls))]));
        }
    }
}
