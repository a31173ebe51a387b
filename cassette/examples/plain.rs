//! Prints docs/plain-driver.md, made from the plain answers: `cargo run -p super8-cassette --example plain`.

use std::fmt::Write;

use super8_cassette::by_hand::{ATTRIBUTES, INFO, MISSING, Plain, type_info};
use super8_cassette::{Value, float_text};

fn main() {
    print!("{}", page());
}

const INTRODUCTION: &str = "\
<!-- Made from cassette/src/store/by_hand: cargo xtask docs -->

# The answers of a plain driver

What a driver manager or a client library is told beside its statements when it replays [a cassette written by
hand](how-to/mock.md). An [info file](cassette-format.md#info-files) of the cassette comes before it, and so do the answers of
[a real driver](how-to/mock.md#what-a-driver-is-asked-beside) that a connect names: `driver: postgresql`.

- **SQLGetFunctions** says that the driver has every function of ODBC but ";

const QUESTIONS: &str = "
- **SQLNativeSql** gives the statement back as it is.
- **SQLNumResultCols, SQLDescribeCol, SQLColAttribute** and the implementation row descriptor say what `columns` says, also of a
  statement that is prepared and not yet executed. **SQLNumParams** counts the markers, and **SQLDescribeParam** says the type of
  the value in `params`: BIGINT, DOUBLE, BIT or VARCHAR(255), or that of a C type.
- An information type that is not listed is HY096, an attribute of a connection HY092.

## SQLGetInfo

| Number | Information type | Answer |
| --- | --- | --- |
";

const CONNECTION: &str = "
## SQLGetConnectAttr

An attribute that the program has set is what it was set to. SQL_ATTR_AUTOCOMMIT is on. Others:

| Number | Attribute | Answer |
| --- | --- | --- |
";

const TYPES: &str = "
## SQLGetTypeInfo

A type that is not listed has no row. INTERVAL_PRECISION is NULL, NULLABLE is 1, FIXED_PREC_SCALE is 0.

";

/// The page.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str(&format!("{}.", MISSING.join(", ")));
    page.push_str(QUESTIONS);
    for (number, name, answer) in INFO {
        row(&mut page, &number.to_string(), name, answer);
    }
    page.push_str(CONNECTION);
    for (number, name, answer) in ATTRIBUTES {
        row(&mut page, &number.to_string(), name, answer);
    }
    page.push_str(TYPES);
    const LEFT_OUT: [&str; 4] = ["INTERVAL_PRECISION", "NULLABLE", "FIXED_PREC_SCALE", "LOCAL_TYPE_NAME"];
    let (columns, types) = type_info();
    let shown: Vec<usize> = (0..columns.len()).filter(|at| !LEFT_OUT.contains(&columns[*at])).collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    page.push_str(&line(shown.iter().map(|at| columns[*at].to_owned()).collect()));
    page.push_str(&line(shown.iter().map(|_| "---".to_owned()).collect()));
    for row in types {
        page.push_str(&line(shown.iter().map(|at| cell(&row[*at])).collect()));
    }
    page
}

fn row(page: &mut String, number: &str, name: &str, answer: Plain) {
    let answer = match answer {
        Plain::Text("") => "empty text".to_owned(),
        Plain::Text(text) => format!("`{text}`"),
        Plain::Number(number) => number.to_string(),
    };
    // writing to a string cannot fail
    let _ = writeln!(page, "| {number} | {name} | {answer} |");
}

fn cell(value: &Value) -> String {
    match value {
        Value::Text(text) if text.is_empty() => String::new(),
        Value::Text(text) => format!("`{text}`"),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float_text(*number),
        _ => String::new(),
    }
}
