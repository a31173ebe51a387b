//! `super8 import`: adds the rows of a CSV file as an entry to a cassette that is written by hand.

use super::new;
use crate::exit::{Exit, Failure, Outcome};
use clap::Args;
use std::path::PathBuf;
use super8_cassette::{Value, by_hand, directory, open, yaml};

/// `super8 import CASSETTE --sql TEXT rows.csv`
#[derive(Args)]
#[command(after_help = "\
Adds an entry to CASSETTE/commands.yml, which is made if it is not there. The first line of the file has the names of the columns. \
An empty field without quotes around it is NULL. The types come from the values: INTEGER, BIGINT, DECIMAL (as many digits behind the \
point in each), DOUBLE (up to 15 digits), DATE, TIME, TIMESTAMP, else VARCHAR. Correct them in the entry.

Example:
  super8 import --dsn shop --sql 'select name, price from fruit' cassettes/shop fruit.csv")]
pub struct Import {
    /// The cassette, a directory
    cassette: PathBuf,
    /// The file
    rows: PathBuf,
    /// The statement whose result the rows are
    #[arg(long)]
    sql: String,
    /// The data source that the program connects to, of a cassette that is made [default: any]
    #[arg(long)]
    dsn: Option<String>,
}

impl Import {
    /// Adds the entry.
    pub fn run(self) -> Outcome {
        let log = self.cassette.join(directory::COMMANDS);
        let before = match std::fs::read(&log) {
            Ok(before) => Some(before),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::new(format_args!("cannot read {}: {error}", log.display()))),
        };
        let mut text = match new::is_there(&self.cassette) {
            false => new::begin(&self.cassette, self.dsn.as_deref(), None, ""),
            true if by_hand::is_by_hand(&self.cassette) => {
                // an error that is there already must not be blamed on the new entry
                open(&self.cassette)?;
                before.clone().unwrap_or_default()
            }
            true => {
                return Err(Failure::new(format_args!(
                    "{} is a recording, and entries are added to a cassette written by hand; name another one",
                    self.cassette.display()
                )));
            }
        };
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        yaml::emit_item(&self.entry()?, &mut text);
        let had_directory = self.cassette.exists();
        new::write(&self.cassette, &text)?;
        let Err(wrong) = open(&self.cassette) else { return Ok(Exit::Done) };
        // takes the entry out again, so that the cassette is as it was
        match &before {
            Some(before) => new::write(&self.cassette, before)?,
            None => {
                _ = std::fs::remove_file(&log);
                if !had_directory {
                    _ = std::fs::remove_dir(&self.cassette);
                }
            }
        }
        Err(Failure::new(format_args!(
            "{}: nothing was added, because the entry would be wrong: {wrong}",
            self.rows.display()
        )))
    }

    fn entry(&self) -> Result<Value, Failure> {
        let wrong = |error: String| Failure::new(format_args!("cannot read {}: {error}", self.rows.display()));
        let bytes = std::fs::read(&self.rows).map_err(|error| wrong(error.to_string()))?;
        let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes))
            .map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        let records = records(text).map_err(wrong)?;
        let Some((names, records)) = records.split_first() else {
            return Err(wrong("it has no line with the names of the columns".to_owned()));
        };
        let kinds: Vec<Kind> = (0..names.len())
            .map(|column| Kind::of(&records.iter().map(|record| record[column].as_deref()).collect::<Vec<_>>()))
            .collect();
        let columns = names.iter().zip(&kinds).map(|(name, kind)| {
            let pairs =
                [("name", Value::from(name.as_deref().unwrap_or_default())), ("type", Value::from(kind.name()))];
            Value::Map(pairs.map(|(key, value)| (key.to_owned(), value)).into())
        });
        let value =
            |(field, kind): (&Option<String>, &Kind)| field.as_deref().map_or(Value::Null, |field| kind.value(field));
        let rows = records.iter().map(|record| Value::List(record.iter().zip(&kinds).map(value).collect()));
        let pairs = [
            ("method", Value::from("run")),
            ("sql", Value::from(self.sql.as_str())),
            ("columns", Value::List(columns.collect())),
            ("rows", Value::List(rows.collect())),
        ];
        Ok(Value::Map(pairs.map(|(key, value)| (key.to_owned(), value)).into()))
    }
}

/// Parses the records of a CSV file; the first has the names of the columns. An empty field without quotes is `None`,
/// which a program gets as NULL, and `""` is empty text: PostgreSQL's COPY and Python's csv module write them like
/// this. An empty line is a record if the file has a single column, and is skipped otherwise.
fn records(text: &str) -> Result<Vec<Vec<Option<String>>>, String> {
    let (mut records, mut record): (Vec<Vec<Option<String>>>, Vec<Option<String>>) = Default::default();
    let (mut letters, mut line) = (text.chars().peekable(), 1);
    while letters.peek().is_some() {
        let begun = line;
        let mut field = letters.next_if_eq(&'"').map(|_| String::new());
        let is_quoted = field.is_some();
        if let Some(quoted) = &mut field {
            loop {
                match letters.next() {
                    Some('"') if letters.next_if_eq(&'"').is_none() => break,
                    Some(letter) => {
                        line += usize::from(letter == '\n');
                        quoted.push(letter);
                    }
                    None => return Err(format!("line {begun}: a field lacks its closing quote")),
                }
            }
        } else {
            let is_end = |letter: &char| matches!(letter, ',' | '\r' | '\n');
            while let Some(letter) = letters.next_if(|letter| !is_end(letter)) {
                field.get_or_insert_default().push(letter);
            }
        }
        record.push(field);
        while letters.next_if_eq(&'\r').is_some() {}
        match letters.next() {
            Some(',') if letters.peek().is_some() => continue,
            Some(',') => record.push(None),
            Some('\n') | None => line += 1,
            Some(_) if is_quoted => return Err(format!("line {line}: text follows a closing quote")),
            Some(_) => return Err(format!("line {line}: a carriage return without a line feed")),
        }
        let record = std::mem::take(&mut record);
        let width = records.first().map_or(record.len(), Vec::len);
        if record == [None] && (records.is_empty() || width > 1) {
            continue;
        }
        if record.len() != width {
            return Err(format!("line {begun}: {} fields, and there are {width} columns", record.len()));
        }
        records.push(record);
    }
    Ok(records)
}

/// The kind of a column's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Integer(&'static str),
    /// Decimal numbers, with the column's type.
    Decimal(String),
    Double,
    /// Texts that are values of this type.
    Text(String),
}

impl Kind {
    /// Returns the kind of a column. NULL fits every kind.
    fn of(fields: &[Option<&str>]) -> Kind {
        let there = || fields.iter().flatten();
        let all = |is: &dyn Fn(&str) -> bool| there().next().is_some() && there().all(|field| is(field));
        let integer = |field: &str| field.parse::<i64>().is_ok_and(|number| number.to_string() == field);
        let digits = |field: &str| {
            let (whole, fraction) = field.split_once('.')?;
            Some((whole.trim_start_matches('-').len(), fraction.len()))
        };
        let is_plain = |field: &str| {
            let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = field.strip_prefix('-').unwrap_or(field);
            number.split_once('.').is_some_and(|(whole, fraction)| plain(whole) && plain(fraction))
        };
        let shaped = |shape: &str| {
            let fits = |(field, shape): (u8, u8)| if shape == b'0' { field.is_ascii_digit() } else { field == shape };
            all(&|field| field.len() == shape.len() && field.bytes().zip(shape.bytes()).all(fits))
        };
        let scales = there().filter_map(|field| digits(field)).map(|(_, scale)| scale);
        let whole = there().filter_map(|field| digits(field)).map(|(whole, _)| whole).max().unwrap_or(0);
        // a floating-point number holds at least `f64::DIGITS` digits exactly
        let is_exact = |field: &str| {
            let digits = field.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
            digits <= f64::DIGITS as usize
        };
        let (least, most) = (scales.clone().min().unwrap_or(0), scales.max().unwrap_or(0));
        match () {
            () if all(&|field| field.parse::<i32>().is_ok() && integer(field)) => Kind::Integer("INTEGER"),
            () if all(&integer) => Kind::Integer("BIGINT"),
            () if all(&is_plain) && least == most && whole + most <= 38 => {
                Kind::Decimal(format!("DECIMAL({},{most})", (whole + most).max(18)))
            }
            () if all(&|field| (is_plain(field) || integer(field)) && is_exact(field)) => Kind::Double,
            () if shaped("0000-00-00") => Kind::Text("DATE".to_owned()),
            () if shaped("00:00:00") => Kind::Text("TIME".to_owned()),
            () if shaped("0000-00-00 00:00:00") => Kind::Text("TIMESTAMP".to_owned()),
            () => {
                let longest = there().map(|field| field.chars().count()).max().unwrap_or(0);
                Kind::Text(format!("VARCHAR({})", longest.max(1)))
            }
        }
    }

    fn name(&self) -> &str {
        match self {
            Kind::Integer(name) => name,
            Kind::Decimal(name) | Kind::Text(name) => name,
            Kind::Double => "DOUBLE",
        }
    }

    fn value(&self, field: &str) -> Value {
        match self {
            Kind::Integer(_) => field.parse::<i64>().map_or_else(|_| Value::from(field), Value::from),
            Kind::Double => field.parse().map_or_else(|_| Value::from(field), Value::Float),
            Kind::Decimal(_) | Kind::Text(_) => Value::from(field),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_come_from_the_fields() {
        let some = |field: &&'static str| Some(*field).filter(|field| !field.is_empty());
        let name = |fields: &[&'static str]| Kind::of(&fields.iter().map(some).collect::<Vec<_>>()).name().to_owned();
        assert_eq!(Kind::of(&[Some("1"), Some("")]).name(), "VARCHAR(1)", "empty text is no number");
        assert_eq!(name(&["1", "", "-20"]), "INTEGER");
        assert_eq!(name(&["1", "5000000000"]), "BIGINT");
        assert_eq!(name(&["1.50", "-0.25"]), "DECIMAL(18,2)");
        assert_eq!(name(&["1.5", "2", "0.25"]), "DOUBLE");
        assert_eq!(name(&["2026-01-31", ""]), "DATE");
        assert_eq!(name(&["2026-01-31 12:30:45"]), "TIMESTAMP");
        assert_eq!(name(&["007", "1"]), "VARCHAR(3)");
        assert_eq!(name(&["", ""]), "VARCHAR(1)");
        assert_eq!(Kind::Double.value("0.5"), Value::Float(0.5));
        assert_eq!(name(&["0.1234567890123456789"]), "DECIMAL(20,19)");
        assert_eq!(name(&["0.1234567890123456789", "1"]), "VARCHAR(21)", "no digit is lost");
    }

    #[test]
    fn empty_text_is_quoted_and_null_is_not() {
        let read = |text: &str| records(text).map(|records| format!("{records:?}").replace("Some", ""));
        let whole = |text: &str| read(text).unwrap();
        assert_eq!(whole("a,b\n1,\n\"\",x\n"), r#"[[("a"), ("b")], [("1"), None], [(""), ("x")]]"#);
        assert_eq!(whole("a,b\r\n\r\n,\"\"\r\n"), r#"[[("a"), ("b")], [None, ("")]]"#);
        assert_eq!(whole("a\n\n\"\"\n"), r#"[[("a")], [None], [("")]]"#);
        assert_eq!(whole("a,b\n1,"), r#"[[("a"), ("b")], [("1"), None]]"#);
        assert_eq!(whole("\"a\"\n\"x\"\"y\nz, \"\n"), r#"[[("a")], [("x\"y\nz, ")]]"#);
        for (text, problem) in [
            ("a,b\n1\n", "line 2: 1 fields, and there are 2 columns"),
            ("a\n\"b\n\n", "line 2: a field lacks its closing quote"),
            ("a\n\"b\"c\n", "line 2: text follows a closing quote"),
            ("a\nb\rc\n", "line 2: a carriage return without a line feed"),
        ] {
            assert_eq!(read(text).unwrap_err(), problem);
        }
    }

    #[test]
    fn empty_lines_are_rows_and_a_wrong_entry_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let cassette = directory.path().join("shop");
        let import = |sql: &str, text: &str| {
            let rows = directory.path().join("rows.csv");
            std::fs::write(&rows, text).unwrap();
            Import { cassette: cassette.clone(), rows, sql: sql.to_owned(), dsn: None }.run()
        };
        let wrong = import("select 1", "day\n2026-02-30\n").unwrap_err().to_string();
        assert!(wrong.contains("nothing was added") && !cassette.exists(), "{wrong}");
        import("select 2", "a\n\n\n").unwrap();
        import("select 3", "a\n1\n\n\"b\n\nc\"\n").unwrap();
        let log = std::fs::read_to_string(cassette.join(directory::COMMANDS)).unwrap();
        assert_eq!(log.matches("null").count() + log.matches("~").count(), 3, "{log}");
        assert!(import("select 4", "day\n2026-02-30\n").is_err());
        assert_eq!(std::fs::read_to_string(cassette.join(directory::COMMANDS)).unwrap(), log);
    }
}
