//! The table that every case works on: ten columns whose values depend only on the row's number.

use odbc_sys::{CDataType, SqlDataType};

use std::fmt;

use crate::area::{RowSet, Spec};

/// The name of the table that is read.
pub const TABLE: &str = "bench_rows";

/// The database behind the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file, read by the driver itself.
    Sqlite,
    /// A server on this machine.
    Postgres,
}

impl Database {
    /// Returns the database of this name.
    pub fn named(name: &str) -> Result<Database, String> {
        [Database::Sqlite, Database::Postgres]
            .into_iter()
            .find(|database| database.to_string() == name)
            .ok_or_else(|| format!("there is no database `{name}`: sqlite and postgres are"))
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgres",
        })
    }
}

/// The C types a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Types {
    /// Every column as `SQL_C_CHAR`.
    Char,
    /// Every column as `SQL_C_WCHAR`.
    WChar,
    /// Every column as the C type nearest to it.
    Native,
}

struct Column {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    native: CDataType,
    /// The bytes of a native value's buffer.
    native_width: usize,
    /// The longest text in bytes or UTF-16 units, without the terminator.
    text: usize,
    parameter: CDataType,
    sql_type: SqlDataType,
    sql_size: usize,
}

const fn column(
    name: &'static str,
    declared: (&'static str, &'static str),
    native: (CDataType, usize),
    text: usize,
    parameter: (CDataType, SqlDataType, usize),
) -> Column {
    Column {
        name,
        sqlite: declared.0,
        postgres: declared.1,
        native: native.0,
        native_width: native.1,
        text,
        parameter: parameter.0,
        sql_type: parameter.1,
        sql_size: parameter.2,
    }
}

use CDataType as C;
use SqlDataType as S;

const COLUMNS: [Column; 10] = [
    column("id", ("integer primary key", "integer primary key"), (C::SLong, 4), 11, (C::SLong, S::INTEGER, 10)),
    column("big", ("bigint", "bigint"), (C::SBigInt, 8), 20, (C::SBigInt, S::EXT_BIG_INT, 19)),
    column("ratio", ("double", "double precision"), (C::Double, 8), 31, (C::Double, S::DOUBLE, 15)),
    column("label", ("varchar(40)", "varchar(40)"), (C::Char, 41), 40, (C::Char, S::VARCHAR, 40)),
    column("note", ("varchar(240)", "varchar(240)"), (C::Char, 241), 240, (C::Char, S::VARCHAR, 240)),
    column("at", ("timestamp", "timestamp(0)"), (C::TypeTimestamp, 16), 31, (C::Char, S::TIMESTAMP, 19)),
    column("price", ("varchar(20)", "numeric(14,2)"), (C::Char, 21), 20, (C::Char, S::VARCHAR, 20)),
    column("sparse", ("varchar(24)", "varchar(24)"), (C::Char, 25), 24, (C::Char, S::VARCHAR, 24)),
    column("raw", ("blob", "bytea"), (C::Binary, 64), 140, (C::Binary, S::EXT_VAR_BINARY, 64)),
    column("uni", ("varchar(120)", "varchar(120)"), (C::Char, 121), 120, (C::Char, S::VARCHAR, 120)),
];

/// Returns the buffers that a client needs to receive rows as these C types.
pub fn result_specs(types: Types) -> Vec<Spec> {
    let spec = |column: &Column| match types {
        Types::Char => Spec { c_type: CDataType::Char, width: column.text + 1 },
        Types::WChar => Spec { c_type: CDataType::WChar, width: 2 * (column.text + 1) },
        Types::Native => Spec { c_type: column.native, width: column.native_width },
    };
    COLUMNS.iter().map(spec).collect()
}

/// Returns the buffers of one parameter set, which [`put`] fills.
pub fn parameter_specs() -> Vec<Spec> {
    let width = |column: &Column| match column.parameter {
        CDataType::SLong => 4,
        CDataType::SBigInt | CDataType::Double => 8,
        _ => column.sql_size,
    };
    COLUMNS.iter().map(|column| Spec { c_type: column.parameter, width: width(column) }).collect()
}

/// Returns the SQL type and size of each parameter.
pub fn parameter_types() -> Vec<(SqlDataType, usize)> {
    COLUMNS.iter().map(|column| (column.sql_type, column.sql_size)).collect()
}

/// Returns the statement that makes an empty table of this name.
pub fn create(table: &str, database: Database) -> String {
    let declare = |column: &Column| match database {
        Database::Sqlite => format!("{} {}", column.name, column.sqlite),
        Database::Postgres => format!("{} {}", column.name, column.postgres),
    };
    format!("CREATE TABLE {table} ({})", COLUMNS.iter().map(declare).collect::<Vec<_>>().join(", "))
}

/// Returns the statement that inserts one row of parameters into the table of this name.
pub fn insert(table: &str) -> String {
    format!("INSERT INTO {table} ({}) VALUES ({})", names(), ["?"; COLUMNS.len()].join(", "))
}

/// Returns the query that reads the first `rows` rows.
pub fn select(rows: u64) -> String {
    format!("SELECT {} FROM {TABLE} WHERE id <= {rows}", names())
}

fn names() -> String {
    COLUMNS.each_ref().map(|column| column.name).join(", ")
}

/// Writes the row number `id` (from 1) into parameter row `row`.
pub fn put(set: &RowSet, row: usize, id: u64) {
    set.put(row, 0, &(id as i32).to_le_bytes());
    set.put(row, 1, &((id as i64).wrapping_mul(1_000_003_000_007) % 4_000_000_000_000_000_000).to_le_bytes());
    set.put(row, 2, &(id as f64 / 7.0 - 1000.0).to_le_bytes());
    set.put(row, 3, format!("item {}", id % 9973).as_bytes());
    set.put(row, 4, note(id).as_bytes());
    set.put(row, 5, timestamp(id).as_bytes());
    set.put(row, 6, format!("{}.{:02}", id * 37 % 1_000_000, id % 100).as_bytes());
    match id % 16 {
        0 => set.put(row, 7, b""),
        8 => set.put(row, 7, format!("set {id}").as_bytes()),
        _ => set.put_null(row, 7),
    }
    let mut raw = [0; 64];
    for (at, byte) in raw.iter_mut().enumerate() {
        *byte = (id.wrapping_mul(131) >> (at % 4 * 8)) as u8 ^ (at as u8).wrapping_mul(37);
    }
    set.put(row, 8, &raw);
    set.put(row, 9, format!("naïve cafe\u{301} 𝄞 {} \u{1F600}\u{1F680} Straße {}", id % 997, id % 31).as_bytes());
}

/// Returns 200 bytes with commas, quotes, tabs and line breaks.
fn note(id: u64) -> String {
    let mut text = format!("row {id}, said \"{}\",\tthen\nwent on; ", id % 1009);
    let sentence = "the quick brown fox, being \"lazy\",\tjumps over\nthe dog, 'again' and again; ";
    text.extend(sentence.chars().cycle().skip(id as usize % sentence.len()).take(200 - text.len()));
    text
}

fn timestamp(id: u64) -> String {
    let (day, second) = (id / 86_400, id % 86_400);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        1999 + day / 336 % 50,
        day / 28 % 12 + 1,
        day % 28 + 1,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{area::Arrangement, checksum::Checksum};

    fn sum(id: u64) -> u64 {
        let set = RowSet::new(&parameter_specs(), 1, Arrangement::Columns);
        put(&set, 0, id);
        let mut sum = Checksum::new();
        set.fold(1, &mut sum);
        sum.value()
    }

    #[test]
    fn rows_fit_their_buffers_and_differ() {
        for id in (1..2_000).chain(9_999_990..10_000_010) {
            assert_ne!(sum(id), sum(id + 1));
            assert_eq!(sum(id), sum(id));
            assert_eq!(note(id).len(), 200);
        }
    }

    #[test]
    fn statements_name_every_column() {
        assert_eq!(insert("t").matches('?').count(), COLUMNS.len());
        assert!(create("t", Database::Postgres).contains("raw bytea"));
        assert!(create("t", Database::Sqlite).contains("raw blob"));
    }
}
