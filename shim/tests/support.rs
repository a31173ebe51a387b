//! Checks that recording does what `support` says of a function: the call reaches the driver and is not refused.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::c_void;
use std::path::PathBuf;
use std::sync::Arc;
use super8_cassette::words::{C_TYPES, FUNCTIONS};
use super8_cassette::{Key, Metadata, Order, RecordOptions, Recorder};
use super8_shim::args::{Binding, Parameter, Place, TextIn};
use super8_shim::call::{Call, DriverCall};
use super8_shim::cassettes::{Action, origin};
use super8_shim::config::settings::Settings;
use super8_shim::convert::CType;
use super8_shim::diagnostics::{Diagnostic, Outcome, rc};
use super8_shim::mode::outcome::Secrecy;
use super8_shim::mode::{Connect, Connection, ConnectionMode, Probe, Recorded, StatementMode};
use super8_shim::support::{Support, support};
use super8_shim::table::Function;

/// A driver that does everything it is asked, and remembers whether it was called.
#[derive(Default)]
struct Obliging(Cell<bool>);

impl DriverCall for Obliging {
    fn invoke(&self) -> Option<i16> {
        self.0.set(true);
        Some(rc::SUCCESS)
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    fn column_type(&self, _: u16) -> Option<i16> {
        None
    }

    fn lend_row_counter(&self, _: bool) -> Option<Place> {
        None
    }
}

/// A statement that is recorded to its own temporary directory, which goes when the stage is dropped.
struct Stage {
    statement: Arc<dyn StatementMode>,
    directory: PathBuf,
}

impl Stage {
    fn new(name: &str) -> Stage {
        let directory = std::env::temp_dir().join(format!("super8-support-{name}-{}", std::process::id()));
        let recorder = Recorder::open(RecordOptions {
            directory: directory.join("cassette"),
            order: Order::Global,
            inline_rows: 1,
            metadata: Metadata::now(None, None),
            append: None,
        });
        let asked = [(Key::Dsn, "shop".into())].into();
        let connect = Connect { asked, facts: Vec::new(), completed: None, environment: Vec::new() };
        let begun = Connection::<Recorded>::begin(
            &recorder.unwrap(),
            origin(&Settings::default(), Action::Record, None),
            connect,
            &Outcome::SUCCESS,
            Secrecy::default(),
            Probe::default(),
        );
        Stage { statement: begun.unwrap().statement(), directory }
    }

    /// Makes the call and returns whether it was refused with HYC00, as something that cannot be recorded yet.
    fn refuses(&self, function: Function, call: &Call<'_>) -> bool {
        let driver = Obliging::default();
        let outcome = self.statement.serve(function, call, &driver);
        let refused = outcome.diagnostics.first().is_some_and(|record| record.sqlstate == "HYC00");
        assert_eq!(refused, !driver.0.get(), "{}: refused, or done, but not both", function.name());
        refused
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Returns the number as an address, which is how ODBC passes it.
fn number(value: usize) -> Place {
    // SAFETY: never followed, because it is a number.
    unsafe { Place::new(value as *mut c_void) }
}

fn text(text: &'static str) -> TextIn<'static> {
    // SAFETY: a static text with its own length.
    unsafe { TextIn::new(text.as_ptr(), text.len() as isize) }
}

#[test]
fn rows_are_changed_in_place() {
    let stage = Stage::new("positioned");
    assert!(!stage.refuses(Function::SQLPrepare, &Call::Prepare { sql: text("select 1") }));
    let calls = [
        (Function::SQLSetPos, Call::SetPos { row: 1, operation: 0, lock: 0 }),
        (Function::SQLBulkOperations, Call::BulkOperations { operation: 4 }),
    ];
    for (function, call) in calls {
        assert_eq!(support(function), Support::Full, "{}", function.name());
        assert!(!stage.refuses(function, &call), "{}", function.name());
    }
}

#[test]
fn rows_are_fetched_from_anywhere() {
    let stage = Stage::new("fetch");
    assert!(!stage.refuses(Function::SQLPrepare, &Call::Prepare { sql: text("select 1") }));
    for orientation in 1i16..=8 {
        let scroll = Call::FetchScroll { orientation, offset: 1 };
        assert!(!stage.refuses(Function::SQLFetchScroll, &scroll), "{orientation}");
        let (rows, status) = (Place::NULL, Place::NULL);
        let extended = Call::ExtendedFetch { orientation: orientation as u16, offset: 1, rows, status };
        assert!(!stage.refuses(Function::SQLExtendedFetch, &extended), "{orientation}");
    }
    assert!(!stage.refuses(Function::SQLFetch, &Call::Fetch));
    for function in [Function::SQLFetch, Function::SQLFetchScroll, Function::SQLExtendedFetch] {
        assert_eq!(support(function), Support::Full);
    }
}

#[test]
fn any_attribute_of_a_statement() {
    use odbc_sys::StatementAttribute::{AsyncEnable, MaxRows, UseBookmarks};
    let stage = Stage::new("attributes");
    for function in [Function::SQLSetStmtAttr, Function::SQLSetStmtOption] {
        assert_eq!(support(function), Support::Full);
        for (attribute, value) in
            [(AsyncEnable, 1), (AsyncEnable, 0), (UseBookmarks, 2), (UseBookmarks, 0), (MaxRows, 9)]
        {
            let call = Call::SetStmtAttr { attribute: attribute as i32, value: number(value) };
            assert!(!stage.refuses(function, &call), "attribute {} = {value}", attribute as i32);
        }
    }
}

#[test]
fn parameters_in_any_direction() {
    use odbc_sys::ParamType::{Input, InputOutput, Output};
    let stage = Stage::new("parameters");
    let mut length = odbc_sys::NULL_DATA;
    // SAFETY: lives longer than the statement's use of it.
    let length = unsafe { Place::new((&raw mut length).cast()) };
    let binding = Binding::new(odbc_sys::CDataType::SLong as i16, Place::NULL, 0, length);
    const STREAMS: [i16; 2] = [8, 16];
    for io in [Input as i16, Output as i16, InputOutput as i16].into_iter().chain(STREAMS) {
        let parameter = Parameter { io, sql_type: 4, size: 0, digits: 0 };
        let calls = [
            (Function::SQLBindParameter, Call::BindParameter { number: 1, parameter, binding }),
            (Function::SQLExecDirect, Call::Run { sql: text("{call f(?)}") }),
            (Function::SQLPrepare, Call::Prepare { sql: text("{call f(?)}") }),
            (Function::SQLExecute, Call::Execute),
        ];
        for (function, call) in calls {
            assert_eq!(support(function), Support::Full, "{}", function.name());
            assert!(!stage.refuses(function, &call), "{} {io}", function.name());
        }
    }
}

#[test]
fn cassettes_know_every_function_by_its_name() {
    let names: Vec<&str> = Function::ROWS.iter().map(|row| row.name).collect();
    assert_eq!(FUNCTIONS.to_vec(), names);
    let known = |name: &&str| {
        CType::from_name(name)
            .is_none_or(|c_type| c_type.name() != *name && !["DEFAULT", "LONG", "SHORT", "TINYINT"].contains(name))
    };
    assert_eq!(C_TYPES.iter().filter(|name| known(name)).copied().collect::<Vec<_>>(), ["BOOKMARK", "VARBOOKMARK"]);
}
