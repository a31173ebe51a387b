//! The SQL types that a person may name in a cassette: what ODBC says about a column of each type, and which values it has.

use crate::cell::{self, Cell};
use crate::value::float_text;
use crate::words::COLUMN_FIELDS;
use crate::{Row, Value};

/// What the values of a type are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Characters, each of which takes this many bytes of memory.
    Text(i64),
    /// Bytes.
    Bytes,
    /// A number with as many digits behind the point as the column says.
    Exact,
    /// A whole number in this range.
    Integer(i128, i128),
    /// A floating-point number.
    Float,
    /// 0 or 1.
    Bit,
    Date,
    Time,
    Timestamp,
    Guid,
}

/// A type, known by its ODBC name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SqlType {
    /// The name.
    pub(crate) name: &'static str,
    /// Other names by which it is known.
    other_names: &'static [&'static str],
    /// The number of the concise type.
    pub(crate) code: i16,
    /// The C type of its values in a cassette.
    pub(crate) c_type: &'static str,
    /// The default column size.
    pub(crate) size: i64,
    kind: Kind,
}

/// The types. SQLGetTypeInfo lists them by number.
pub(crate) const TYPES: [SqlType; 23] = [
    sql_type("CHAR", &["CHARACTER"], 1, "CHAR", 255, Kind::Text(1)),
    sql_type("VARCHAR", &["CHARACTER VARYING"], 12, "CHAR", 255, Kind::Text(1)),
    sql_type("LONGVARCHAR", &["TEXT", "LONG VARCHAR", "CLOB"], -1, "CHAR", LONG, Kind::Text(1)),
    sql_type("WCHAR", &["NCHAR"], -8, "WCHAR", 255, Kind::Text(2)),
    sql_type("WVARCHAR", &["NVARCHAR"], -9, "WCHAR", 255, Kind::Text(2)),
    sql_type("WLONGVARCHAR", &["NTEXT", "NCLOB"], -10, "WCHAR", LONG, Kind::Text(2)),
    sql_type("DECIMAL", &["DEC"], 3, "CHAR", 18, Kind::Exact),
    sql_type("NUMERIC", &[], 2, "CHAR", 18, Kind::Exact),
    sql_type("TINYINT", &[], -6, "STINYINT", 3, Kind::Integer(i8::MIN as i128, i8::MAX as i128)),
    sql_type("SMALLINT", &[], 5, "SSHORT", 5, Kind::Integer(i16::MIN as i128, i16::MAX as i128)),
    sql_type("INTEGER", &["INT"], 4, "SLONG", 10, Kind::Integer(i32::MIN as i128, i32::MAX as i128)),
    sql_type("BIGINT", &[], -5, "SBIGINT", 19, Kind::Integer(i64::MIN as i128, i64::MAX as i128)),
    sql_type("REAL", &[], 7, "FLOAT", 7, Kind::Float),
    sql_type("FLOAT", &[], 6, "DOUBLE", 15, Kind::Float),
    sql_type("DOUBLE", &["DOUBLE PRECISION"], 8, "DOUBLE", 15, Kind::Float),
    sql_type("BIT", &["BOOLEAN", "BOOL"], -7, "BIT", 1, Kind::Bit),
    sql_type("BINARY", &[], -2, "BINARY", 255, Kind::Bytes),
    sql_type("VARBINARY", &["BINARY VARYING"], -3, "BINARY", 255, Kind::Bytes),
    sql_type("LONGVARBINARY", &["BLOB", "LONG VARBINARY"], -4, "BINARY", LONG, Kind::Bytes),
    sql_type("DATE", &["TYPE_DATE"], 91, "TYPE_DATE", 10, Kind::Date),
    sql_type("TIME", &["TYPE_TIME"], 92, "TYPE_TIME", 8, Kind::Time),
    sql_type("TIMESTAMP", &["TYPE_TIMESTAMP", "DATETIME"], 93, "TYPE_TIMESTAMP", 19, Kind::Timestamp),
    sql_type("GUID", &["UUID"], -11, "GUID", 36, Kind::Guid),
];

/// The size of a long column without a size of its own.
const LONG: i64 = 2_147_483_647;

const fn sql_type(
    name: &'static str,
    other_names: &'static [&'static str],
    code: i16,
    c_type: &'static str,
    size: i64,
    kind: Kind,
) -> SqlType {
    SqlType { name, other_names, code, c_type, size, kind }
}

impl SqlType {
    /// Returns the type with this name, in any case, with or without `SQL_`.
    pub(crate) fn named(name: &str) -> Option<&'static SqlType> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
        let name = name.strip_prefix("SQL_").unwrap_or(&name);
        TYPES.iter().find(|known| known.name == name || known.other_names.contains(&name))
    }

    /// Returns the type with this number.
    pub(crate) fn numbered(code: i64) -> Option<&'static SqlType> {
        TYPES.iter().find(|known| i64::from(known.code) == code)
    }

    /// Returns what may stand in parentheses behind the name in a definition; `None` if nothing may.
    pub(crate) fn parameters(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Exact => Some("precision,scale"),
            Kind::Text(_) | Kind::Bytes if self.size != LONG => Some("length"),
            _ => None,
        }
    }

    /// Returns the characters before and after a literal.
    pub(crate) fn literal(&self) -> Option<(&'static str, &'static str)> {
        match self.kind {
            Kind::Text(_) | Kind::Date | Kind::Time | Kind::Timestamp | Kind::Guid => Some(("'", "'")),
            Kind::Bytes => Some(("0x", "")),
            _ => None,
        }
    }

    /// Says whether the case of letters counts.
    pub(crate) fn has_case(&self) -> bool {
        matches!(self.kind, Kind::Text(_))
    }

    /// Says whether a number may be negative; `None` for a type that is no number.
    pub(crate) fn is_signed(&self) -> Option<bool> {
        match self.kind {
            Kind::Exact | Kind::Integer(..) | Kind::Float => Some(true),
            Kind::Bit => Some(false),
            _ => None,
        }
    }

    /// Returns the least and the greatest number of digits behind the point.
    pub(crate) fn scales(&self) -> Option<(i64, i64)> {
        match self.kind {
            Kind::Exact => Some((0, 18)),
            Kind::Integer(..) | Kind::Bit => Some((0, 0)),
            Kind::Timestamp => Some((0, 9)),
            Kind::Time => Some((0, 0)),
            _ => None,
        }
    }

    /// Returns the verbose type and its subcode.
    pub(crate) fn verbose(&self) -> (i64, i64) {
        match self.kind {
            Kind::Date => (9, 1),
            Kind::Time => (9, 2),
            Kind::Timestamp => (9, 3),
            _ => (self.code.into(), 0),
        }
    }
}

/// A column of a result.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) sql_type: &'static SqlType,
    /// The column size.
    pub(crate) size: i64,
    /// Whether a person gave the size.
    pub(crate) sized: bool,
    /// The number of digits behind the point.
    pub(crate) scale: i64,
    pub(crate) nullable: i64,
    /// What else a person said about it, by the names of a column file.
    pub(crate) others: Vec<(String, Value)>,
}

impl Column {
    /// Makes a column of this type.
    pub(crate) fn of(name: &str, sql_type: &'static SqlType) -> Column {
        let (size, sized) = (sql_type.size, false);
        Column { name: name.to_owned(), sql_type, size, sized, scale: 0, nullable: 1, others: Vec::new() }
    }

    /// Applies what stands in the parentheses of a type: a length, or a precision and a scale.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn with_sizes(mut self, sizes: &[i64]) -> Result<Column, String> {
        let name = self.sql_type.name;
        match (self.sql_type.kind, sizes) {
            (_, []) => {}
            (Kind::Text(_) | Kind::Bytes, [size]) if *size > 0 => (self.size, self.sized) = (*size, true),
            (Kind::Exact, [size @ 1..=38]) => (self.size, self.sized) = (*size, true),
            (Kind::Exact, [size @ 1..=38, scale]) if (0..=*size).contains(scale) => {
                (self.size, self.sized, self.scale) = (*size, true, *scale);
            }
            (Kind::Timestamp, [scale @ 0..=9]) => {
                self.scale = *scale;
                self.size = if *scale == 0 { 19 } else { 20 + scale };
            }
            (Kind::Time, [0]) => {}
            (Kind::Float, [_]) => {}
            (Kind::Text(_) | Kind::Bytes, _) => return Err(format!("{name} has one length, from 1")),
            (Kind::Exact, _) => return Err(format!("{name} has a precision to 38 and a scale that is not larger")),
            _ => return Err(format!("{name} has nothing in parentheses")),
        }
        Ok(self)
    }

    /// Returns its type as messages show it: `VARCHAR(20)`.
    pub(crate) fn type_text(&self) -> String {
        let name = self.sql_type.name;
        match self.sql_type.kind {
            Kind::Text(_) | Kind::Bytes if self.sized => format!("{name}({})", self.size),
            Kind::Exact => format!("{name}({},{})", self.size, self.scale),
            Kind::Timestamp if self.scale > 0 => format!("{name}({})", self.scale),
            _ => name.to_owned(),
        }
    }

    fn display_size(&self) -> i64 {
        match self.sql_type.kind {
            Kind::Text(_) | Kind::Date | Kind::Time | Kind::Timestamp | Kind::Guid | Kind::Bit => self.size,
            Kind::Bytes => self.size.saturating_mul(2).min(LONG),
            Kind::Exact => self.size + 2,
            Kind::Integer(..) => self.size + 1,
            Kind::Float if self.sql_type.name == "REAL" => 14,
            Kind::Float => 24,
        }
    }

    /// Returns the number of bytes that a value has in the C type that SQL_C_DEFAULT stands for.
    fn octet_length(&self) -> i64 {
        match self.sql_type.kind {
            Kind::Text(width) => self.size.saturating_mul(width).min(LONG),
            Kind::Bytes => self.size,
            Kind::Exact => self.size + 2,
            Kind::Integer(_, most) => (128 - i64::from(most.leading_zeros()) + 7) / 8,
            Kind::Float if self.sql_type.name == "REAL" => 4,
            Kind::Float => 8,
            Kind::Bit => 1,
            Kind::Date | Kind::Time => 6,
            Kind::Timestamp | Kind::Guid => 16,
        }
    }

    /// Returns the column as a column file describes it: the answers to SQLDescribeCol and SQLColAttribute.
    pub(crate) fn described(&self) -> Value {
        let (of, name) = (self.sql_type, Value::from(self.name.as_str()));
        let described = [
            ("name", name.clone()),
            ("type", of.code.into()),
            ("length", self.size.into()),
            ("scale", self.scale.into()),
            ("nullable", self.nullable.into()),
        ];
        let mut pairs: Vec<(String, Value)> = described.map(|(key, value)| (key.to_owned(), value)).into();
        for (_, field) in COLUMN_FIELDS {
            let value = match field {
                "column_name" | "label" | "desc_name" | "base_column_name" => name.clone(),
                "concise_type" => of.code.into(),
                "column_length" | "octet_length" => self.octet_length().into(),
                "column_precision" | "desc_length" => self.size.into(),
                "precision" if of.kind == Kind::Timestamp => self.scale.into(),
                "precision" => self.size.into(),
                "column_scale" | "desc_scale" => self.scale.into(),
                "display_size" => self.display_size().into(),
                "column_nullable" | "desc_nullable" => self.nullable.into(),
                "unsigned" => i64::from(of.is_signed() != Some(true)).into(),
                "case_sensitive" => i64::from(of.has_case()).into(),
                // SQL_PRED_SEARCHABLE or SQL_PRED_BASIC
                "searchable" => (if of.has_case() { 3 } else { 2 }).into(),
                "type_name" | "local_type_name" => of.name.into(),
                "table_name" | "schema_name" | "catalog_name" | "base_table_name" => "".into(),
                "literal_prefix" => of.literal().map_or("", |(before, _)| before).into(),
                "literal_suffix" => of.literal().map_or("", |(_, after)| after).into(),
                "num_prec_radix" => (if of.is_signed().is_some() { 10 } else { 0 }).into(),
                "desc_type" => of.verbose().0.into(),
                "datetime_interval_code" => of.verbose().1.into(),
                // The number of columns is that of the list. All other fields are 0: nothing is computed, fixed or writable.
                "count" | "desc_count" => continue,
                _ => 0.into(),
            };
            pairs.push((field.to_owned(), value));
        }
        for (key, value) in &self.others {
            pairs.retain(|(known, _)| known != key);
            pairs.push((key.clone(), value.clone()));
        }
        Value::Map(pairs)
    }

    /// Reads a cell of a file: its text, or a number if the column has numbers.
    pub(super) fn written(&self, text: &str) -> Value {
        let number = match self.sql_type.kind {
            Kind::Integer(..) | Kind::Bit => text.parse().ok().map(Value::Int),
            Kind::Float => text.parse().ok().map(Value::Float),
            _ => None,
        };
        number.unwrap_or_else(|| Value::from(text))
    }

    /// Converts a value to a cell of this column, in the form of a row in the log.
    ///
    /// # Errors
    /// Why it does not fit.
    pub(crate) fn cell(&self, value: &Value) -> Result<Value, String> {
        let misfit = || format!("{} is not a value of {}", shown(value), self.type_text());
        match (self.sql_type.kind, value) {
            (_, Value::Null) => Ok(Value::Null),
            (_, Value::List(_) | Value::Map(_)) => Err("a cell is null, a number, true, false or text".to_owned()),
            (Kind::Text(_), Value::Text(text)) => match self.sized && text.chars().count() as i64 > self.size {
                true => Err(format!("{} is longer than {}", shown(value), self.type_text())),
                false => Ok(field(Cell::Text(text.as_bytes()))),
            },
            (Kind::Text(_), _) => Err(format!("{}: put it in quotes", misfit())),
            (Kind::Bytes, Value::Text(text)) => self.bytes(text),
            (Kind::Exact, Value::Int(number)) => self.exact(&number.to_string()).ok_or_else(misfit),
            (Kind::Exact, Value::Float(number)) if number.is_finite() => {
                self.exact(&float_text(*number)).ok_or_else(misfit)
            }
            (Kind::Exact, Value::Text(text)) => self.exact(text).ok_or_else(misfit),
            (Kind::Integer(least, most), Value::Int(number)) if (least..=most).contains(number) => Ok(value.clone()),
            (Kind::Float, Value::Int(number)) => Ok(Value::Float(*number as f64)),
            (Kind::Float, Value::Float(number)) if number.is_finite() => match self.sql_type.name {
                "REAL" if !(*number as f32).is_finite() => Err(misfit()),
                _ => Ok(value.clone()),
            },
            (Kind::Bit, Value::Bool(bit)) => Ok(i64::from(*bit).into()),
            (Kind::Bit, Value::Int(0 | 1)) => Ok(value.clone()),
            (Kind::Date, Value::Text(text)) if is_date(text) => Ok(field(Cell::Plain(text.as_bytes()))),
            (Kind::Time, Value::Text(text)) if is_time(text, 0) => Ok(field(Cell::Plain(text.as_bytes()))),
            (Kind::Timestamp, Value::Text(text)) => match text.split_once([' ', 'T']) {
                Some((date, time)) if is_date(date) && is_time(time, 9) => {
                    Ok(field(Cell::Plain(format!("{date} {time}").as_bytes())))
                }
                _ => Err(format!("{}: a timestamp is written as `2026-01-31 12:30:45`", misfit())),
            },
            (Kind::Guid, Value::Text(text)) if is_guid(text) => {
                Ok(field(Cell::Plain(text.to_ascii_lowercase().as_bytes())))
            }
            (Kind::Date, _) => Err(format!("{}: a date is written as `2026-01-31`", misfit())),
            (Kind::Time, _) => Err(format!("{}: a time is written as `12:30:45`", misfit())),
            (Kind::Bytes, _) => Err(format!("{}: bytes are written as '\\x68690a'", misfit())),
            (_, Value::Text(_)) => Err(format!("{}: text where a number belongs", misfit())),
            _ => Err(misfit()),
        }
    }

    fn bytes(&self, text: &str) -> Result<Value, String> {
        let mut scratch = Vec::new();
        let length = match cell::decode(text.as_bytes(), &mut scratch) {
            Ok(Cell::Bytes(bytes)) => bytes.len() as i64,
            _ => {
                return Err(format!(
                    "\"{text}\" is not a value of {}: bytes are written as '\\x68690a'",
                    self.type_text()
                ));
            }
        };
        match self.sized && length > self.size {
            true => Err(format!("{length} bytes are more than {} has", self.type_text())),
            false => Ok(Value::from(text)),
        }
    }

    /// Formats a number with as many digits behind the point as the column has.
    fn exact(&self, text: &str) -> Option<Value> {
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let whole = whole.trim_start_matches('0');
        let scale = usize::try_from(self.scale).ok()?;
        let fraction = if fraction.len() > scale { fraction.trim_end_matches('0') } else { fraction };
        let fits = fraction.len() <= scale && (whole.len() + scale) as i64 <= self.size.max(self.scale);
        if digits.is_empty() || !plain(whole) || !plain(fraction) || !fits {
            return None;
        }
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if scale > 0 { "." } else { "" };
        Some(field(Cell::Plain(format!("{sign}{whole}{point}{fraction:0<scale$}").as_bytes())))
    }
}

/// Infers a column from its values, if no type is written.
pub(crate) fn inferred(name: &str, values: &[&Value]) -> Option<Column> {
    let all = |is: fn(&Value) -> bool| values.iter().all(|value| **value == Value::Null || is(value));
    let least = |number: i128| values.iter().filter_map(|value| int(value)).all(|value| value.abs() <= number);
    let longest = values.iter().filter_map(|value| value.as_text()).map(|text| text.chars().count()).max();
    let name_of = match () {
        () if all(|value| *value == Value::Null) => "VARCHAR",
        () if all(|value| matches!(value, Value::Bool(_))) => "BIT",
        () if all(|value| matches!(value, Value::Int(_))) && least(i32::MAX.into()) => "INTEGER",
        () if all(|value| matches!(value, Value::Int(_))) => "BIGINT",
        () if all(|value| matches!(value, Value::Int(_) | Value::Float(_))) => "DOUBLE",
        () if all(|value| value.as_text().is_some()) => "VARCHAR",
        () => return None,
    };
    let column = Column::of(name, SqlType::named(name_of)?);
    Some(column.at_least(longest.unwrap_or(0) as i64))
}

impl Column {
    /// Makes room for texts of this length, unless a person gave the size.
    pub(crate) fn at_least(self, length: i64) -> Column {
        let grows = !self.sized && matches!(self.sql_type.kind, Kind::Text(_) | Kind::Bytes);
        Column { size: if grows { self.size.max(length) } else { self.size }, ..self }
    }
}

fn int(value: &Value) -> Option<i128> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

/// Returns the SQL type that SQLDescribeParam reports for a value.
pub(crate) fn of_parameter(value: &Value) -> Column {
    let text = || Column::of("", &TYPES[1]);
    let named = |name: &str| SqlType::named(name).map_or_else(text, |sql_type| Column::of("", sql_type));
    match value {
        Value::Int(_) => named("BIGINT"),
        Value::Float(_) => named("DOUBLE"),
        Value::Bool(_) => named("BIT"),
        Value::Map(pairs) => match pairs.first() {
            Some((c_type, _)) => {
                let known = TYPES.iter().find(|known| known.c_type == c_type);
                known.map_or_else(text, |sql_type| Column::of("", sql_type))
            }
            None => text(),
        },
        _ => text(),
    }
}

/// Returns a cell as a value of a row in the log.
fn field(cell: Cell<'_>) -> Value {
    let mut row = Row::new();
    row.set(0, cell);
    Value::Text(String::from_utf8_lossy(&row.field(0)).into_owned())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{text}\""),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float_text(*number),
        Value::Bool(flag) => flag.to_string(),
        _ => "this".to_owned(),
    }
}

/// Reads numbers with this many digits each and this character between them.
fn numbers<const N: usize>(text: &str, lengths: [usize; N], between: char) -> Option<[u32; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part =
            parts.next().filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn is_date(text: &str) -> bool {
    let Some([year, month, day]) = numbers(text, [4, 2, 2], '-') else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return false,
    };
    (1..=days).contains(&day)
}

fn is_time(text: &str, digits: usize) -> bool {
    let (text, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_fraction = fraction.len() <= digits.max(1) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let whole = digits > 0 || fraction == "0";
    is_fraction
        && !fraction.is_empty()
        && whole
        && numbers(text, [2, 2, 2], ':').is_some_and(|[hour, minute, second]| hour < 24 && minute < 60 && second < 62)
}

fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, sizes: &[i64]) -> Column {
        Column::of("c", SqlType::named(name).unwrap()).with_sizes(sizes).unwrap()
    }

    #[test]
    fn a_value_fits_its_column_or_is_told_why_not() {
        let cell = |name: &str, sizes: &[i64], value: Value| column(name, sizes).cell(&value);
        assert_eq!(cell("varchar", &[4], "kiwi".into()), Ok("kiwi".into()));
        assert_eq!(cell("VARCHAR", &[], "\\N".into()), Ok("\\e\\\\N".into()), "quoted text is text");
        assert_eq!(cell("decimal", &[6, 2], Value::Float(12.5)), Ok("12.50".into()));
        assert_eq!(cell("decimal", &[6, 2], "-0.4".into()), Ok("-0.40".into()));
        assert_eq!(cell("decimal", &[6, 2], Value::Int(1234)), Ok("1234.00".into()));
        assert_eq!(cell("double", &[], Value::Int(3)), Ok(Value::Float(3.0)));
        assert_eq!(cell("boolean", &[], true.into()), Ok(1.into()));
        assert_eq!(cell("timestamp", &[], "2026-01-31T12:30:45.5".into()), Ok("2026-01-31 12:30:45.5".into()));
        assert_eq!(cell("varbinary", &[3], "\\x68690a".into()), Ok("\\x68690a".into()));
        assert_eq!(cell("date", &[], Value::Null), Ok(Value::Null));
        for (name, sizes, value, expected) in [
            ("varchar", &[4][..], Value::from("kiwis"), "\"kiwis\" is longer than VARCHAR(4)"),
            ("varchar", &[4], 5.into(), "5 is not a value of VARCHAR(4): put it in quotes"),
            ("integer", &[], "5".into(), "\"5\" is not a value of INTEGER: text where a number belongs"),
            ("smallint", &[], 40_000.into(), "40000 is not a value of SMALLINT"),
            ("integer", &[], Value::Float(1.5), "1.5 is not a value of INTEGER"),
            ("decimal", &[4, 2], "123.4".into(), "\"123.4\" is not a value of DECIMAL(4,2)"),
            ("decimal", &[4, 2], "1.234".into(), "\"1.234\" is not a value of DECIMAL(4,2)"),
            ("date", &[], "2026-02-29".into(), "is not a value of DATE: a date is written as `2026-01-31`"),
            ("time", &[], "24:00:00".into(), "a time is written as"),
            ("timestamp", &[], "2026-01-31".into(), "a timestamp is written as"),
            ("varbinary", &[2], "\\x68690a".into(), "3 bytes are more than VARBINARY(2) has"),
            ("varbinary", &[2], "hi".into(), "bytes are written as"),
            ("uuid", &[], "x".into(), "is not a value of GUID"),
            ("bit", &[], 2.into(), "2 is not a value of BIT"),
        ] {
            let problem = cell(name, sizes, value).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn types_come_from_the_values() {
        let of = |values: &[Value]| {
            inferred("c", &values.iter().collect::<Vec<_>>()).map(|column| (column.sql_type.name, column.size))
        };
        assert_eq!(of(&[1.into(), Value::Null, 2.into()]), Some(("INTEGER", 10)));
        assert_eq!(of(&[1.into(), 5_000_000_000_i64.into()]), Some(("BIGINT", 19)));
        assert_eq!(of(&[1.into(), Value::Float(0.5)]), Some(("DOUBLE", 15)));
        assert_eq!(of(&["x".repeat(300).into(), Value::Null]), Some(("VARCHAR", 300)));
        assert_eq!(of(&[true.into()]), Some(("BIT", 1)));
        assert_eq!(of(&[Value::Null]), Some(("VARCHAR", 255)));
        assert_eq!(of(&[1.into(), "x".into()]), None);
    }

    #[test]
    fn a_column_has_an_answer_to_every_field() {
        let described = column("decimal", &[8, 2]).described();
        let get = |key: &str| described.get(key).and_then(Value::as_int);
        assert_eq!([get("length"), get("scale"), get("display_size"), get("octet_length")], [8, 2, 10, 10].map(Some));
        assert_eq!(crate::check::check_columns(&Value::List(vec![described])), Ok(()));
        let octets = ["tinyint", "smallint", "integer", "bigint"].map(|name| column(name, &[]).octet_length());
        assert_eq!(octets, [1, 2, 4, 8]);
    }
}
