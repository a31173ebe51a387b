//! Determines the columns of each statement's result: as the gem recorded them, or as the rows show them.

use std::collections::HashMap;

use super8_cassette::{CassetteError, ConnectionId, Value};

use super::log::{Action, Command, Log, Notes};
use super::rows;
use super::rows::{Fetched, VARCHAR, bytes};

/// A statement's columns.
#[derive(Debug, Default)]
pub(super) struct Statement {
    /// The columns as a columns file has them; `None` if nobody asked and nothing was fetched.
    pub(super) columns: Option<Value>,
    /// Their types; empty if there is no result.
    pub(super) types: Vec<i64>,
}

/// All statements of a cassette.
#[derive(Debug)]
pub(super) struct Statements {
    known: HashMap<(ConnectionId, u32), Statement>,
    pub(super) notes: Notes,
}

/// What the gem recorded of a statement.
#[derive(Default)]
struct Recorded<'l> {
    columns: Option<&'l [Column]>,
    fetched: Vec<(&'l Command, &'l Fetched)>,
}

impl Statements {
    /// Goes through a log.
    ///
    /// # Errors
    /// Rows do not fit their columns. The error has file and line.
    pub(super) fn of(log: &Log) -> Result<Statements, CassetteError> {
        let mut recorded: HashMap<_, Recorded<'_>> = HashMap::new();
        let mut order = Vec::new();
        for command in &log.commands {
            let key = (command.connection, command.statement);
            let of = recorded.entry(key).or_default();
            match &command.action {
                Action::Run { .. } => order.push(key),
                Action::Columns(columns) => _ = of.columns.get_or_insert(columns),
                Action::Rows(fetched) => of.fetched.push((command, fetched)),
                Action::Connect { .. } | Action::Housekeeping(_) => {}
            }
        }
        let mut statements = Statements { known: HashMap::new(), notes: log.notes.clone() };
        for key in order {
            let statement = statements.statement(key, &recorded[&key])?;
            statements.known.insert(key, statement);
        }
        Ok(statements)
    }

    /// Returns what is known of a statement that was run.
    pub(super) fn get(&self, connection: ConnectionId, statement: u32) -> Option<&Statement> {
        self.known.get(&(connection, statement))
    }

    fn statement(&mut self, key: (ConnectionId, u32), of: &Recorded<'_>) -> Result<Statement, CassetteError> {
        let rows = || of.fetched.iter().flat_map(|(_, fetched)| &fetched.rows);
        let shown: Vec<Column> = match (of.columns, rows().next()) {
            (Some(columns), _) => columns.to_vec(),
            (None, None) if of.fetched.is_empty() => return Ok(Statement::default()),
            (None, None) => {
                self.notes.add(
                    Some(key),
                    "neither columns nor rows are recorded: its result has one column, of which nothing can be asked but its \
                     type (VARCHAR)",
                );
                vec![Column::default()]
            }
            (None, Some(row)) => {
                let names = of.fetched.iter().find_map(|(_, fetched)| fetched.names.as_ref());
                self.notes.add(
                    Some(key),
                    "columns are not recorded: as many as the rows have, all VARCHAR; asking for anything else of them is refused",
                );
                let name = |at: usize| names.and_then(|names| names.get(at)).map(String::as_str);
                (0..row.len()).map(|at| Column::named(name(at))).collect()
            }
        };
        for (command, fetched) in &of.fetched {
            if let Some(row) = fetched.rows.iter().find(|row| row.len() != shown.len()) {
                let problem = format!("a row has {} cells, where there are {} columns", row.len(), shown.len());
                return Err(command.error(problem).advice("correct it, or record again"));
            }
        }
        if of.columns.is_some() {
            let unknown: Vec<&str> = shown.first().map(|column| column.unknown().collect()).unwrap_or_default();
            if !unknown.is_empty() {
                let unknown = unknown.join(", ");
                self.notes.add(Some(key), format!("not recorded of its columns: {unknown}; asking for it is refused"));
            }
        }
        let cells = |at: usize| rows().filter_map(move |row| row[at].as_deref());
        let mut statement = Statement::default();
        let mut described = Vec::new();
        for (at, column) in shown.iter().enumerate() {
            let longest = cells(at).map(<[u8]>::len).max().unwrap_or(0);
            let mut sql_type = column.type_or_text();
            if let Some(odd) = cells(at).find(|cell| rows::cell(sql_type, cell).is_none()) {
                let name = column.name.clone().unwrap_or_else(|| (at + 1).to_string());
                let odd = String::from_utf8_lossy(odd);
                self.notes.add(
                    Some(key),
                    format!(
                        "column {name} has type {sql_type}, but ruby-odbc never gives `{odd}` for it: it is a VARCHAR"
                    ),
                );
                sql_type = VARCHAR;
            }
            if cells(at).any(|cell| cell.contains(&b'?')) {
                self.notes.add(Some(key), "a `?` in its rows may stand for a character that the gem could not write");
            }
            described.push(column.described(sql_type, longest));
            statement.types.push(sql_type);
        }
        statement.columns = Some(Value::List(described));
        Ok(statement)
    }
}

/// How Ruby tags its objects.
const OBJECT: &str = "!ruby/object";

/// What the gem knows of a column; a field is `None` if the driver did not say, or nobody asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    pub(super) name: Option<String>,
    pub(super) sql_type: Option<i64>,
    table: Option<String>,
    length: Option<i64>,
    scale: Option<i64>,
    precision: Option<i64>,
    nullable: Option<bool>,
    searchable: Option<bool>,
    unsigned: Option<bool>,
    auto_increment: Option<bool>,
}

impl Column {
    /// Makes a column of which at most the name is known.
    pub(super) fn named(name: Option<&str>) -> Column {
        Column { name: name.map(str::to_owned), ..Column::default() }
    }

    /// Reads an `ODBC::Column`, or a hash with the same keys; `key` is its name in a hash of columns.
    ///
    /// # Errors
    /// The text says what is wrong with it.
    pub(super) fn of(value: &Value, key: Option<&str>) -> Result<Column, String> {
        let value = match value {
            Value::Map(pairs) => match &pairs[..] {
                [(tag, object)] if tag.starts_with(OBJECT) => object,
                _ => value,
            },
            _ => return Err("has a column that is not an ODBC::Column".to_owned()),
        };
        let said = |name: &str| value.get(name).filter(|value| **value != Value::Null);
        let wrong = |name: &str, what: &str| format!("has a column whose `{name}` is not {what}");
        let text = |name: &str| match said(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(value) => match bytes(value).map(String::from_utf8) {
                Some(Ok(text)) => Ok(Some(text)),
                _ => Err(wrong(name, "text in UTF-8")),
            },
        };
        let number =
            |name: &str| said(name).map(|value| value.as_int().ok_or_else(|| wrong(name, "a number"))).transpose();
        let flag = |name: &str| match said(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(wrong(name, "true or false")),
        };
        Ok(Column {
            name: text("name")?.or_else(|| key.map(str::to_owned)),
            sql_type: number("type")?,
            table: text("table")?,
            length: number("length")?,
            scale: number("scale")?,
            precision: number("precision")?,
            nullable: flag("nullable")?,
            searchable: flag("searchable")?,
            unsigned: flag("unsigned")?,
            auto_increment: flag("autoincrement")?,
        })
    }

    /// Returns Ruby's names of the fields that are not known.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &'static str> + use<> {
        [
            ("name", self.name.is_none()),
            ("type", self.sql_type.is_none()),
            ("table", self.table.is_none()),
            ("length", self.length.is_none()),
            ("scale", self.scale.is_none()),
            ("precision", self.precision.is_none()),
            ("nullable", self.nullable.is_none()),
            ("searchable", self.searchable.is_none()),
            ("unsigned", self.unsigned.is_none()),
            ("autoincrement", self.auto_increment.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, unknown)| unknown.then_some(name))
    }

    /// Returns the column as a columns file has it, with this type. `longest` is the length of its longest value in
    /// bytes.
    pub(super) fn described(&self, sql_type: i64, longest: usize) -> Value {
        let flag = |flag: Option<bool>, on: i64| flag.map(|flag| Value::from(if flag { on } else { 0 }));
        let number = |number: Option<i64>| number.map(Value::from);
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let pairs = [
            ("name", text(&self.name)),
            ("type", Some(sql_type.into())),
            ("length", number(self.size(sql_type))),
            ("scale", number(self.scale)),
            ("nullable", flag(self.nullable, 1)),
            ("column_precision", number(self.precision)),
            ("display_size", Some(self.display_size(sql_type, longest).into())),
            ("unsigned", flag(self.unsigned, 1)),
            ("auto_unique_value", flag(self.auto_increment, 1)),
            // 3 is SQL_PRED_SEARCHABLE; Ruby only says whether it is SQL_PRED_NONE
            ("searchable", flag(self.searchable, 3)),
            ("table_name", text(&self.table)),
            ("desc_length", number(self.length)),
        ];
        Value::Map(pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }

    /// Returns the size that SQLDescribeCol gives (ODBC's appendix D, "Column Size"): digits for numbers, characters
    /// for text.
    fn size(&self, sql_type: i64) -> Option<i64> {
        match sql_type {
            -7..=-5 | 2..=8 => self.precision.or(self.length),
            _ => self.length,
        }
    }

    /// Returns the display size by ODBC's appendix D, "Display Size", but never less than the longest value, because
    /// ruby-odbc makes its buffers that large.
    fn display_size(&self, sql_type: i64, longest: usize) -> i64 {
        let length = self.length.unwrap_or(0);
        let by_type = match sql_type {
            -7 => 1,
            -6 => 4,
            5 => 6,
            4 => 11,
            -5 => 20,
            7 => 14,
            6 | 8 => 24,
            2 | 3 => self.precision.map_or(length, |digits| digits.saturating_add(2)),
            9 | 91 => 10,
            10 | 92 => length.max(8),
            11 | 93 => length.max(19),
            -4..=-2 => length.saturating_mul(2),
            _ => length,
        };
        by_type.max(longest as i64)
    }

    /// Returns its type, or VARCHAR if it is not known.
    pub(super) fn type_or_text(&self) -> i64 {
        self.sql_type.unwrap_or(VARCHAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use super8_cassette::yaml::parse_tagged;

    fn column(text: &str) -> Result<Column, String> {
        let item = parse_tagged(format!("- x: {text}\n").as_bytes(), Path::new("x"), 1).unwrap();
        Column::of(item.get("x").unwrap(), Some("KEY"))
    }

    #[test]
    fn an_object_and_a_hash_are_columns() {
        let object = column(
            "!ruby/object:ODBC::Column {name: ID, table: T, type: 3, length: 9, nullable: false, scale: 2, precision: 9, \
             searchable: true, unsigned: false, autoincrement: }",
        )
        .unwrap();
        assert_eq!(object.unknown().collect::<Vec<_>>(), ["autoincrement"]);
        let described = object.described(3, 20);
        let pairs = [
            ("name", Value::from("ID")),
            ("type", 3.into()),
            ("length", 9.into()),
            ("scale", 2.into()),
            ("nullable", 0.into()),
            ("column_precision", 9.into()),
            ("display_size", 20.into()),
            ("unsigned", 0.into()),
            ("searchable", 3.into()),
            ("table_name", "T".into()),
            ("desc_length", 9.into()),
        ];
        assert_eq!(described, Value::Map(pairs.map(|(key, value)| (key.to_owned(), value)).into()));
        let hash = column("{type: 4, length: 10}").unwrap();
        assert_eq!((hash.name.as_deref(), hash.sql_type), (Some("KEY"), Some(4)));
        assert_eq!(hash.described(4, 2).get("display_size"), Some(&11.into()));
        assert_eq!(column("{name: !binary w6k=}").unwrap().name.as_deref(), Some("é"));
    }

    #[test]
    fn what_is_none_is_refused() {
        for (text, problem) in [
            ("1", "not an ODBC::Column"),
            ("{type: x}", "`type` is not a number"),
            ("{nullable: 1}", "`nullable` is not true or false"),
            ("{name: !binary /w==}", "`name` is not text in UTF-8"),
        ] {
            assert!(column(text).unwrap_err().contains(problem), "{text}");
        }
    }
}
