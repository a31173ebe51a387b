//! What the tests of recording and playing share: entries, rows, directories.

pub mod copy;
pub mod session;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super8_cassette::{
    CassetteError, Cell, ConnectionId, Entry, Key, Metadata, Method, Order, RecordOptions, Recorder, Run, Spans, Trace,
    TraceId, Value, cell, open_directory,
};
use super8_matching::{Fetched, PlayOptions, PlayedRun, Player};

pub const A: ConnectionId = ConnectionId(0);
pub const B: ConnectionId = ConnectionId(1);

pub fn options(directory: &Path) -> RecordOptions {
    RecordOptions {
        directory: directory.to_owned(),
        order: Order::Global,
        inline_rows: 1,
        metadata: Metadata::now(None, None),
        append: None,
    }
}

/// A recording of the trace `x` in a directory.
pub fn tracer(directory: &Path) -> Arc<Recorder> {
    let metadata = Metadata { recorded_on: String::new(), ..Metadata::now(None, None) };
    let trace = Trace::record(directory, &trace_id(), metadata, &Spans::default()).unwrap();
    Recorder::with_store(Box::new(trace), Order::Global, 1)
}

/// The player of the trace `x` in a directory.
pub fn play_trace(directory: &Path) -> Result<Arc<Player>, CassetteError> {
    Player::open(Box::new(Trace::read(directory, &trace_id()).unwrap()), PlayOptions::default())
}

pub fn trace_id() -> TraceId {
    TraceId::new("x").unwrap()
}

pub fn recorder(directory: &Path) -> Arc<Recorder> {
    Recorder::open(options(directory)).unwrap()
}

pub fn player(directory: &Path) -> Arc<Player> {
    play(directory, None).unwrap()
}

pub fn play(directory: &Path, order: Option<Order>) -> Result<Arc<Player>, CassetteError> {
    Player::open(
        open_directory(directory)?,
        PlayOptions { order, wait: std::time::Duration::ZERO, ..PlayOptions::default() },
    )
}

pub fn connect(connection: ConnectionId, dsn: &str) -> Entry {
    Entry::new(Method::Connect, connection, None).with(Key::Dsn, dsn)
}

pub fn run(connection: ConnectionId, statement: u32, sql: &str) -> Entry {
    Entry::new(Method::Run, connection, Some(statement)).with(Key::Sql, sql)
}

pub fn drop_of(connection: ConnectionId, statement: u32) -> Entry {
    Entry::new(Method::Drop, connection, Some(statement)).with(Key::Result, Value::Null)
}

/// Opens a connection.
pub fn connected(recorder: &Recorder, dsn: &str) -> ConnectionId {
    let connection = recorder.connection();
    recorder.command(&connect(connection, dsn)).unwrap();
    connection
}

/// Records a row of text cells.
pub fn row(run: &Run, cells: &[&str]) {
    let mut guard = run.lock();
    guard.begin_row().unwrap();
    for (column, text) in cells.iter().enumerate() {
        guard.row().set(column, Cell::Text(text.as_bytes()));
        guard.c_type(column, "CHAR");
    }
}

/// Records a whole result.
pub fn result(recorder: &Arc<Recorder>, connection: ConnectionId, statement: u32, rows: &[&[&str]]) {
    let run = recorder.run(connection, statement, true);
    rows.iter().for_each(|cells| row(&run, cells));
    run.lock().end(true).unwrap();
}

/// The rows of a run from here to its end.
pub fn rows(run: &mut PlayedRun) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    while let Some(row) = run.next().unwrap() {
        all.push(row.iter().map(text).collect());
    }
    all
}

fn text(field: &[u8]) -> String {
    match cell::decode(field, &mut Vec::new()).unwrap() {
        Cell::Text(text) | Cell::Plain(text) => String::from_utf8(text.to_vec()).unwrap(),
        other => format!("{other:?}"),
    }
}

/// Fetches a statement's rows to the end of data.
pub fn fetch_all(player: &Player, connection: ConnectionId, statement: u32) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    loop {
        match player.fetch(connection, statement).unwrap_or_else(|mismatch| panic!("{}", mismatch.report)) {
            Fetched::Rows(mut run) => {
                all.append(&mut rows(&mut run));
                if run.ended() {
                    return all;
                }
            }
            Fetched::End => return all,
            Fetched::Failed(entry) => panic!("{entry:?}"),
        }
    }
}

/// The files of a directory with their contents.
pub fn files(directory: &Path) -> BTreeMap<String, String> {
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let content = String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned();
        (entry.file_name().into_string().unwrap(), content)
    };
    std::fs::read_dir(directory).unwrap().map(entry).collect()
}

/// The names in a directory.
pub fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
