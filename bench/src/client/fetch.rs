//! Reads rows in every style and as every family of C types.

use std::rc::Rc;

use crate::{
    area::{Arrangement, RowSet},
    case::{BLOCK, Style},
    checksum::Checksum,
    fact::{self, Types},
    odbc::{Environment, Statement},
};

type Result<T> = std::result::Result<T, String>;

/// Reads the first `count` rows of the table.
pub fn rows(
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
