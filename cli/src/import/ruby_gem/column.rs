//! A column as the gem recorded it.

use super8_cassette::Value;

use super::rows::{VARCHAR, bytes};

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
