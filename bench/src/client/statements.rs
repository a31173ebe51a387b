//! Connecting, point queries, and single calls in a loop.

use std::sync::Barrier;

use odbc_sys::CDataType;

use crate::{
    area::{Arrangement, RowSet, Spec},
    case::THREADS,
    checksum::Checksum,
    odbc::{Connection, Environment},
};

type Result<T> = std::result::Result<T, String>;

/// Connects and disconnects `count` times.
pub fn connects(environment: &Environment, connection_string: &str, count: u64, sum: &mut Checksum) -> Result<()> {
    for _ in 0..count {
        environment.connect(connection_string)?.close()?;
        sum.number(1);
    }
    Ok(())
}

/// Runs `count` point queries on one connection and one statement handle.
pub fn queries(environment: &Environment, connection_string: &str, count: u64, sum: &mut Checksum) -> Result<()> {
    let connection = environment.connect(connection_string)?;
    query_loop(&connection, "SELECT 1", count, sum)?;
    connection.close()
}

fn query_loop(connection: &Connection<'_>, sql: &str, count: u64, sum: &mut Checksum) -> Result<()> {
    let statement = connection.statement()?;
    let cell = RowSet::new(&[Spec { c_type: CDataType::Char, width: 16 }], 1, Arrangement::Columns);
    for _ in 0..count {
        statement.execute_direct(sql)?;
        if !statement.fetch()? {
            return Err(format!("`{sql}` returned no row"));
        }
        statement.get_data(&cell, 0)?;
        cell.fold_cell(0, sum);
        statement.close()?;
    }
    Ok(())
}

/// Runs `count` point queries in all, on eight connections with a thread each. Every connection has its own query, so
/// that an answer that reaches the wrong connection changes the checksum.
pub fn threads(environment: &Environment, connection_string: &str, count: u64, sum: &mut Checksum) -> Result<()> {
    let connections = (0..THREADS).map(|_| environment.connect(connection_string)).collect::<Result<Vec<_>>>()?;
    let barrier = Barrier::new(THREADS as usize);
    let outcomes = std::thread::scope(|scope| {
        let workers: Vec<_> = connections
            .into_iter()
            .zip(1..)
            .map(|(connection, number)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut own = Checksum::new();
                    barrier.wait();
                    query_loop(&connection, &format!("SELECT {number}"), count / THREADS, &mut own)?;
                    connection.close()?;
                    Ok(own.value())
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
            .collect::<Result<Vec<u64>>>()
    })?;
    outcomes.into_iter().for_each(|outcome| sum.number(outcome));
    Ok(())
}

/// Calls SQLNumResultCols `count` times on one executed query.
pub fn call_columns(environment: &Environment, connection_string: &str, count: u64, sum: &mut Checksum) -> Result<()> {
    let connection = environment.connect(connection_string)?;
    let statement = connection.statement()?;
    statement.execute_direct("SELECT 1")?;
    for _ in 0..count {
        sum.number(statement.columns()? as u64);
    }
    drop(statement);
    connection.close()
}

/// Calls SQLGetData `count` times on one integer. From the second time on, a driver may return SQL_NO_DATA.
pub fn call_get_data(environment: &Environment, connection_string: &str, count: u64, sum: &mut Checksum) -> Result<()> {
    let connection = environment.connect(connection_string)?;
    let statement = connection.statement()?;
    statement.execute_direct("SELECT 1")?;
    if !statement.fetch()? {
        return Err("`SELECT 1` returned no row".to_owned());
    }
    let cell = RowSet::new(&[Spec { c_type: CDataType::SLong, width: 4 }], 1, Arrangement::Columns);
    for _ in 0..count {
        sum.number(statement.get_data_again(&cell, 0).0 as u64);
        cell.fold_cell(0, sum);
    }
    drop(statement);
    connection.close()
}
