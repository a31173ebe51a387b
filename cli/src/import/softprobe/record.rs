//! Reads a record that Softprobe wrote of a PostgreSQL query, and translates it to ODBC's terms, with psqlodbc's types
//! for what JSON shows.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use super8_cassette::Value;
use super8_cassette::float_text;

/// A value of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A list or a map, as the record has it.
    Document(String),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
        let raw = <&RawValue>::deserialize(from)?.get();
        Ok(match raw.as_bytes().first() {
            Some(b'n') => Json::Null,
            Some(b't' | b'f') => Json::Bool(raw == "true"),
            Some(b'"') => Json::Text(serde_json::from_str(raw).map_err(D::Error::custom)?),
            Some(b'[' | b'{') => Json::Document(raw.to_owned()),
            _ => match raw.parse() {
                Ok(number) => Json::Int(number),
                Err(_) => Json::Float(serde_json::from_str(raw).map_err(D::Error::custom)?),
            },
        })
    }
}

impl Json {
    fn into_text(self) -> Option<String> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the value as a parameter. node-postgres sends everything but numbers as text.
    fn param(&self) -> Value {
        match self {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Text(flag.to_string()),
            Json::Int(number) => Value::from(*number),
            Json::Float(number) => Value::Float(*number),
            Json::Text(text) | Json::Document(text) => Value::Text(text.clone()),
        }
    }

    /// Returns the value as the server would send it, from which psqlodbc makes any C type; `None` for NULL.
    pub(super) fn cell(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Json::Null => return None,
            // PostgreSQL sends `t` or `f`, which psqlodbc passes on as a digit
            Json::Bool(flag) => if *flag { "1" } else { "0" }.into(),
            Json::Int(number) => number.to_string().into(),
            Json::Float(number) => float8(*number).into(),
            Json::Text(text) | Json::Document(text) => text.into(),
        })
    }

    fn kind(&self) -> Kind {
        match self {
            Json::Null => Kind::Unknown,
            Json::Bool(_) => Kind::Bool,
            Json::Int(number) if i32::try_from(*number).is_ok() => Kind::Int4,
            Json::Int(_) => Kind::Int8,
            Json::Float(_) => Kind::Float8,
            Json::Text(_) => Kind::Text,
            Json::Document(_) => Kind::Json,
        }
    }
}

/// A record, with the keys that matter for a query.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a record")]
pub(super) struct SoftprobeRecord<'r> {
    #[serde(borrow, default)]
    pub(super) trace_id: Cow<'r, str>,
    #[serde(borrow)]
    pub(super) r#type: Cow<'r, str>,
    #[serde(borrow)]
    pub(super) protocol: Cow<'r, str>,
    #[serde(borrow)]
    identifier: Cow<'r, str>,
    #[serde(borrow)]
    pub(super) request_payload: Option<&'r RawValue>,
    #[serde(borrow)]
    pub(super) response_payload: Option<&'r RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<Failure<'r>>,
}

/// `error`
#[derive(serde::Deserialize)]
pub(super) struct Failure<'r> {
    #[serde(borrow)]
    pub(super) message: Cow<'r, str>,
}

/// `requestPayload`, if it is a map.
#[derive(Default, serde::Deserialize)]
struct Request<'r> {
    text: Option<Json>,
    query: Option<Json>,
    sql: Option<Json>,
    #[serde(borrow)]
    values: Option<&'r RawValue>,
}

impl SoftprobeRecord<'_> {
    /// Returns the SQL and the values. The SQL is in the request, or else the identifier. The values are the request
    /// itself if it is a list, or its key `values`; `None` if there are none.
    ///
    /// # Errors
    /// The request cannot be read.
    pub(super) fn asked(&self) -> Result<(String, Option<Vec<Json>>), serde_json::Error> {
        let is_list = |raw: &&RawValue| raw.get().starts_with('[');
        let request: Request<'_> = match self.request_payload {
            Some(raw) if raw.get().starts_with('{') => serde_json::from_str(raw.get())?,
            list => Request { values: list, ..Request::default() },
        };
        let text = [request.text, request.query, request.sql].into_iter().flatten().find_map(Json::into_text);
        let values =
            request.values.filter(is_list).map(|raw| serde_json::from_str::<Vec<Json>>(raw.get())).transpose()?;
        Ok((text.unwrap_or_else(|| self.identifier.to_string()), values.filter(|values| !values.is_empty())))
    }
}

/// A query as an ODBC program asks it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Query {
    /// The SQL, with ODBC's markers `?` in place of `$1`, `$2`, ...
    pub(super) sql: String,
    /// A value for each marker.
    pub(super) params: Vec<Value>,
    /// Whether the values are not known, and NULL stands for them.
    pub(super) unknown: bool,
}

/// Translates SQL and values to ODBC's form; `None` if a value is missing or left over. Softprobe's own hook for
/// PostgreSQL records no values at all.
pub(super) fn numbered(sql: &str, values: Option<&[Json]>) -> Option<Query> {
    let mut asked = Query { sql: String::with_capacity(sql.len()), ..Query::default() };
    let mut used = vec![false; values.map_or(0, <[Json]>::len)];
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            '$' => {
                let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
                if digits > 0 {
                    let at = rest[1..=digits].parse::<usize>().ok()?.checked_sub(1)?;
                    match values {
                        None => asked.params.push(Value::Null),
                        Some(values) => {
                            asked.params.push(values.get(at)?.param());
                            used[at] = true;
                        }
                    }
                    asked.sql.push('?');
                    rest = &rest[1 + digits..];
                    continue;
                }
                1
            }
            other => other.len_utf8(),
        };
        asked.sql.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    asked.unknown = values.is_none() && !asked.params.is_empty();
    used.iter().all(|used| *used).then_some(asked)
}

/// `responsePayload`
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a map with `rows`")]
pub(super) struct Reply {
    #[serde(default)]
    pub(super) rows: Vec<Row>,
    pub(super) row_count: Option<i64>,
    command: Option<String>,
}

/// A row: each column's name with its value.
pub(super) struct Row(pub(super) Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Row, D::Error> {
        from.deserialize_any(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row: a map of columns or a list of cells")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let mut row: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Json>()? {
            if row.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format_args!("the column `{name}` is twice in a row")));
            }
            row.push((name, value));
        }
        Ok(Row(row))
    }

    /// node-postgres with `rowMode: 'array'`
    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<Row, A::Error> {
        let mut row = Vec::new();
        while let Some(value) = cells.next_element()? {
            row.push((format!("column{}", row.len() + 1), value));
        }
        Ok(Row(row))
    }
}

impl Reply {
    /// Whether the statement returns rows, even if there are none.
    pub(super) fn returns_rows(&self) -> bool {
        matches!(self.command.as_deref(), None | Some("SELECT" | "SHOW" | "EXPLAIN" | "FETCH" | "VALUES"))
    }

    /// Returns the columns, in the order in which they first appear in the rows.
    pub(super) fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::new();
        for Row(row) in &self.rows {
            for (name, value) in row {
                match columns.iter_mut().find(|column| column.name == *name) {
                    Some(column) => column.seen(value),
                    None => columns.push(Column::new(name, value)),
                }
            }
        }
        columns.into_iter().map(Column::judged).collect()
    }
}

/// A column of a result.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The length of the longest text, in characters.
    longest: usize,
    /// What the records leave open about its type.
    pub(super) doubt: Option<&'static str>,
}

/// A column's type as JSON shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only NULLs so far.
    Unknown,
    Int4,
    Int8,
    Float8,
    Bool,
    Text,
    Json,
}

impl Column {
    fn new(name: &str, value: &Json) -> Column {
        let mut column = Column { name: name.to_owned(), kind: Kind::Unknown, longest: 0, doubt: None };
        column.seen(value);
        column
    }

    fn seen(&mut self, value: &Json) {
        self.kind = self.kind.with(value.kind());
        if let Json::Text(text) = value {
            self.longest = self.longest.max(text.chars().count());
        }
    }

    fn judged(mut self) -> Column {
        self.doubt = match self.kind {
            Kind::Unknown => Some("only NULLs, so its type is not recorded: it becomes varchar"),
            Kind::Int4 => Some("an integer: it becomes int4, and may have been int2 or a float8 without a fraction"),
            Kind::Text => Some("text: it becomes varchar, and may have been text, int8, numeric, a date or a time"),
            Kind::Json => Some("a JSON value: it becomes varchar, and may have been json, jsonb, an array or bytea"),
            Kind::Int8 | Kind::Float8 | Kind::Bool => None,
        };
        self
    }

    /// Returns the column as a columns file has it, with psqlodbc's values.
    pub(super) fn described(&self) -> Value {
        // the size, and SQL_DESC_DISPLAY_SIZE, which includes sign, point and exponent
        let (length, display_size) = match self.kind {
            Kind::Int4 => (10, 11),
            Kind::Int8 => (19, 20),
            Kind::Float8 => (15, 24),
            Kind::Bool => (5, 5),
            _ => (self.longest.max(255) as i64, self.longest.max(255) as i64),
        };
        let pairs = [
            ("name", Value::from(self.name.as_str())),
            ("type", Value::from(self.kind.sql_type())),
            ("length", Value::from(length)),
            ("scale", Value::from(0)),
            // psqlodbc reports every column of a query's result as nullable
            ("nullable", Value::from(1)),
            ("label", Value::from(self.name.as_str())),
            ("display_size", Value::from(display_size)),
            ("type_name", Value::from(self.kind.name())),
            ("unsigned", Value::from(i32::from(!matches!(self.kind, Kind::Int4 | Kind::Int8 | Kind::Float8)))),
        ];
        Value::Map(pairs.map(|(key, value)| (key.to_owned(), value)).into())
    }
}

impl Kind {
    /// Returns the type that holds values of both.
    fn with(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind,
            (one, other) if one == other => one,
            (Kind::Int4, Kind::Int8) | (Kind::Int8, Kind::Int4) => Kind::Int8,
            (Kind::Int4 | Kind::Int8 | Kind::Float8, Kind::Int4 | Kind::Int8 | Kind::Float8) => Kind::Float8,
            _ => Kind::Json,
        }
    }

    /// Returns psqlodbc's SQL type. By its default, booleans are text.
    const fn sql_type(self) -> i32 {
        match self {
            Kind::Int4 => 4,
            Kind::Int8 => -5,
            Kind::Float8 => 6,
            Kind::Bool | Kind::Text | Kind::Json | Kind::Unknown => 12,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Kind::Int4 => "int4",
            Kind::Int8 => "int8",
            Kind::Float8 => "float8",
            Kind::Bool => "bool",
            Kind::Text | Kind::Json | Kind::Unknown => "varchar",
        }
    }
}

/// Returns a number as PostgreSQL writes it: the fewest digits that give the same number, and no point without a
/// fraction.
fn float8(number: f64) -> String {
    let text = float_text(number);
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", digits.strip_suffix(".0").unwrap_or(digits)),
        None => text.strip_suffix(".0").unwrap_or(&text).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn columns_get_the_type_that_holds_every_value() {
        let reply = reply(
            r#"{"rows":[{"id":1,"big":1,"part":1,"name":"x","on":true,"none":null,"doc":{"a":1},"mixed":1},
                {"id":null,"big":3000000000,"part":0.5,"name":"yy","on":false,"none":null,"doc":[1],"mixed":"a"}]}"#,
        );
        let kinds: Vec<_> = reply.columns().iter().map(|column| column.kind).collect();
        use Kind::*;
        assert_eq!(kinds, [Int4, Int8, Float8, Text, Bool, Unknown, Json, Json]);
        let columns = reply.columns();
        assert!(columns[1].doubt.is_none() && columns[3].doubt.is_some_and(|doubt| doubt.contains("numeric")));
        let name = columns[3].described();
        assert_eq!(name.get("type_name").and_then(Value::as_text), Some("varchar"));
    }

    #[test]
    fn numbers_are_written_as_the_server_writes_them() {
        for (number, text) in [(80.0, "80"), (12.5, "12.5"), (1e20, "1e+20"), (-1.5e-10, "-1.5e-10")] {
            assert_eq!(float8(number), text);
        }
    }

    #[test]
    fn a_document_is_kept_as_it_stands() {
        let text = r##"{"$ref":"#/x","b":1.50,"a":[1, 2]}"##;
        let Reply { rows, .. } = reply(&format!(r#"{{"rows":[{{"doc":{text}}}]}}"#));
        assert_eq!(rows[0].0[0].1.cell().as_deref(), Some(text));
        for wrong in [r#"{"rows":[1]}"#, r#"{"rows":[{"a":1,"a":2}]}"#, r#"{"rows":[[1e999]]}"#] {
            assert!(serde_json::from_str::<Reply>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbered_markers_become_odbcs() {
        let values = [Json::Int(7), Json::Text("x".to_owned()), Json::Bool(true)];
        let text = "SELECT '$1', $2 -- $3\n, \"$1\", $1 /* $2 */, $3, $1";
        let asked = numbered(text, Some(&values)).unwrap();
        assert_eq!(asked.sql, "SELECT '$1', ? -- $3\n, \"$1\", ? /* $2 */, ?, ?");
        assert_eq!(asked.params, ["x".into(), Value::from(7), "true".into(), Value::from(7)]);
        for wrong in ["SELECT $4, $1, $2, $3", "SELECT $1, $2", "SELECT $0, $1, $2, $3"] {
            assert!(numbered(wrong, Some(&values)).is_none(), "{wrong}");
        }
        assert_eq!(numbered("SELECT $tag$ä$tag$, $1", Some(&values[..1])).unwrap().sql, "SELECT $tag$ä$tag$, ?");
        let unknown = numbered("SELECT 1 AS num, $1::text AS label", None).unwrap();
        let params = vec![Value::Null];
        assert_eq!(unknown, Query { sql: "SELECT 1 AS num, ?::text AS label".to_owned(), params, unknown: true });
        assert_eq!(numbered("SELECT 1", None).unwrap().params, []);
    }

    #[test]
    fn requests_of_every_shape() {
        let record = |request: &str| {
            let text = format!(
                r#"{{"type":"outbound","protocol":"postgres","identifier":"SELECT $1","requestPayload":{request}}}"#
            );
            let record: SoftprobeRecord<'_> = serde_json::from_str(&text).unwrap();
            record.asked().unwrap()
        };
        let expected = ("SELECT $1".to_owned(), Some(vec![Json::Int(1)]));
        assert_eq!(record(r#"{"text":"SELECT $1","values":[1]}"#), expected);
        assert_eq!(record(r#"{"query":"SELECT $1","values":[1]}"#), expected);
        assert_eq!(record("[1]"), expected);
        assert_eq!(record("null"), ("SELECT $1".to_owned(), None));
    }
}
