//! Reads rows in every style and as every family of C types, and inserts them: prepared, single and in arrays.

use std::rc::Rc;

use odbc_sys::CDataType;

use crate::area::{Arrangement, RowSet, Spec};
use crate::case::{BLOCK, Style};
use crate::checksum::Checksum;
use crate::fact;
use crate::fact::{Database, Types};
use crate::odbc::{Connection, Environment, Statement};

type Result<T> = std::result::Result<T, String>;

/// Reads the first `count` rows of the table.
pub fn read(
    environment: &Environment,
    connection_string: &str,
    (style, types): (Style, Types),
    count: u64,
    sum: &mut Checksum,
) -> Result<()> {
    let connection = environment.connect(connection_string)?;
    let statement = connection.statement()?;
    let (rows, arrangement) = match style {
        Style::Bound | Style::GetData => (1, Arrangement::Columns),
        Style::BlockColumns => (BLOCK, Arrangement::Columns),
        Style::BlockRows => (BLOCK, Arrangement::Rows),
    };
    let set = Rc::new(RowSet::new(&fact::result_specs(types), rows, arrangement));
    if style != Style::GetData {
        statement.bind_columns(&set)?;
    }
    statement.execute_direct(&fact::select(count))?;
    let received = match style {
        Style::GetData => by_cell(&statement, &set, sum)?,
        _ => bound(&statement, &set, sum)?,
    };
    if received != count {
        return Err(format!("received {received} rows instead of {count}"));
    }
    drop(statement);
    connection.close()
}

fn bound(statement: &Statement<'_>, set: &RowSet, sum: &mut Checksum) -> Result<u64> {
    let mut received = 0;
    while statement.fetch()? {
        let rows = if set.rows() == 1 { 1 } else { set.count() };
        set.fold(rows, sum);
        received += rows as u64;
    }
    Ok(received)
}

fn by_cell(statement: &Statement<'_>, set: &RowSet, sum: &mut Checksum) -> Result<u64> {
    let mut received = 0;
    while statement.fetch()? {
        for column in 0..set.columns() {
            statement.get_data(set, column)?;
            set.fold_cell(column, sum);
        }
        received += 1;
    }
    Ok(received)
}

const TABLE: &str = "bench_insert";

/// Inserts `count` rows in one transaction into a table of its own, then checks the table.
///
/// Only the row number changes from row to row, so that making the values costs almost nothing. With arrays, `count`
/// must be a multiple of [`BLOCK`].
pub fn insert_many(
    environment: &Environment,
    (database, connection_string): (Database, &str),
    array: bool,
    count: u64,
    sum: &mut Checksum,
) -> Result<()> {
    let connection = environment.connect(connection_string)?;
    create(&connection, TABLE, database)?;
    connection.begin()?;
    insert(&connection, TABLE, if array { BLOCK } else { 1 }, count, renumber)?;
    connection.commit()?;
    held(&connection, TABLE, count, sum)?;
    connection.commit()?;
    connection.close()
}

/// Makes and fills the table that is read; `count` must be a multiple of [`BLOCK`].
pub fn load(database: Database, connection_string: &str, count: u64) -> Result<()> {
    let environment = Environment::new()?;
    let connection = environment.connect(connection_string)?;
    create(&connection, fact::TABLE, database)?;
    connection.begin()?;
    insert(&connection, fact::TABLE, BLOCK, count, fact::put)?;
    connection.commit()?;
    held(&connection, fact::TABLE, count, &mut Checksum::new())?;
    connection.commit()?;
    connection.close()
}

fn create(connection: &Connection<'_>, table: &str, database: Database) -> Result<()> {
    let statement = connection.statement()?;
    statement.execute_direct(&format!("DROP TABLE IF EXISTS {table}"))?;
    statement.execute_direct(&fact::create(table, database))
}

/// Inserts rows 1 to `count` in sets of `rows`. `put` makes each row from its place in the set and its number.
fn insert(
    connection: &Connection<'_>,
    table: &str,
    rows: usize,
    count: u64,
    put: impl Fn(&RowSet, usize, u64),
) -> Result<()> {
    let statement = connection.statement()?;
    let set = Rc::new(RowSet::new(&fact::parameter_specs(), rows, Arrangement::Columns));
    for row in 0..rows {
        fact::put(&set, row, row as u64 + 1);
    }
    statement.bind_parameters(&set, &fact::parameter_types())?;
    statement.prepare(&fact::insert(table))?;
    for first in (1..=count).step_by(rows) {
        for row in 0..rows {
            put(&set, row, first + row as u64);
        }
        statement.execute()?;
        if rows > 1 && set.count() != rows {
            return Err(format!("the driver processed {} parameter sets of {rows}", set.count()));
        }
    }
    Ok(())
}

fn renumber(set: &RowSet, row: usize, id: u64) {
    set.put(row, 0, &(id as i32).to_le_bytes());
}

/// Reads how many rows the table has and the sum of their numbers. Fails if an insert was lost.
fn held(connection: &Connection<'_>, table: &str, count: u64, sum: &mut Checksum) -> Result<()> {
    let statement = connection.statement()?;
    let specs = [Spec { c_type: CDataType::SBigInt, width: 8 }; 2];
    let set = RowSet::new(&specs, 1, Arrangement::Columns);
    statement.execute_direct(&format!("SELECT count(*), sum(id) FROM {table}"))?;
    if !statement.fetch()? {
        return Err(format!("counting {table} returned no row"));
    }
    let mut expected = Checksum::new();
    let expect = RowSet::new(&specs, 1, Arrangement::Columns);
    for (column, number) in [count, count * (count + 1) / 2].into_iter().enumerate() {
        expect.put(0, column, &number.to_le_bytes());
        statement.get_data(&set, column)?;
        set.fold_cell(column, sum);
    }
    expect.fold(1, &mut expected);
    let mut got = Checksum::new();
    set.fold(1, &mut got);
    if got == expected { Ok(()) } else { Err(format!("{table} does not hold the {count} rows inserted")) }
}
