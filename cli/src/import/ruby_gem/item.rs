//! An item of the gem's log. Reads its keys and makes errors that name file, line and key.

use std::path::Path;

use super8_cassette::{CassetteError, Value};

use super::column::Column;
use super::csv::Fetched;
use super::values::{bytes, field};

/// An item, with its place for errors.
pub(super) struct Item<'f> {
    pub(super) value: Value,
    pub(super) file: &'f Path,
    pub(super) line: u32,
}

impl Item<'_> {
    /// Makes an error at a key of the item.
    pub(super) fn error(&self, key: &str, problem: impl Into<String>) -> CassetteError {
        CassetteError::new(self.file, problem)
            .at_line(self.line.into())
            .at_path(key)
            .advice("correct it, or record again")
    }

    /// Returns a text that has to be there.
    pub(super) fn text(&self, key: &str) -> Result<&str, CassetteError> {
        match self.value.get(key) {
            Some(Value::Text(text)) => Ok(text),
            None => Err(self.error("", format!("the key `{key}` is missing"))),
            Some(_) => Err(self.error(key, "is not text")),
        }
    }

    /// Returns the values of a `run`, as ruby-odbc binds them.
    pub(super) fn params(&self) -> Result<Vec<Value>, CassetteError> {
        let params = match self.value.get("params") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(params) => params.as_list().ok_or_else(|| self.error("params", "is not a list"))?,
        };
        let of = |(at, param): (usize, &Value)| match param {
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Text(_) => Ok(param.clone()),
            Value::Map(_) => match bytes(param).map(String::from_utf8) {
                Some(Ok(text)) => Ok(Value::Text(text)),
                _ => Err(self.error(&format!("params[{at}]"), "is a Ruby object, of which the gem kept no value")),
            },
            Value::Bool(_) | Value::List(_) => {
                Err(self.error(&format!("params[{at}]"), "is not a value that ruby-odbc can bind"))
            }
        };
        params.iter().enumerate().map(of).collect()
    }

    /// Reads the columns of a result from a list, or a hash by their names.
    pub(super) fn columns(&self) -> Result<Vec<Column>, CassetteError> {
        let wrong = |problem: String| self.error("result", problem);
        match self.value.get("result") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::List(columns)) => {
                columns.iter().map(|column| Column::of(column, None).map_err(wrong)).collect()
            }
            Some(Value::Map(columns)) => {
                columns.iter().map(|(name, column)| Column::of(column, Some(name)).map_err(wrong)).collect()
            }
            Some(_) => Err(self.error("result", "is neither a list nor a hash of columns")),
        }
    }

    /// Reads rows in YAML, as lists of cells or as hashes.
    pub(super) fn rows(&self, rows: &[Value], key: &str) -> Result<Fetched, CassetteError> {
        let mut fetched = Fetched::default();
        for row in rows {
            let cells: Vec<&Value> = match row {
                Value::List(cells) => cells.iter().collect(),
                Value::Map(pairs) => {
                    fetched.names.get_or_insert_with(|| pairs.iter().map(|(name, _)| name.clone()).collect());
                    pairs.iter().map(|(_, cell)| cell).collect()
                }
                _ => return Err(self.error(key, "is not a row: neither a list nor a hash")),
            };
            let field = |cell: &&Value| field(cell).ok_or_else(|| self.error(key, "has a cell that is not a value"));
            fetched.rows.push(cells.iter().map(field).collect::<Result<_, _>>()?);
        }
        Ok(fetched)
    }
}
