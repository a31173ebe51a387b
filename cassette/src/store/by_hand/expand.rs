//! Expands what a person wrote into the entries of a recording: gives ids, and turns an entry with its columns, rows
//! and counts into a command followed by its answers and rows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use csv::ByteRecord;

use super::profiles::{self, Named as NamedDriver};
use super::types::{self, Column, SqlType};
use crate::check::{self, Wrong};
use crate::store::directory::member_path;
use crate::words::{COLUMN_FIELDS, return_code};
use crate::yaml::{self, ByHand, Items, Written};
use crate::{CassetteError, Cell, ConnectionId, Detail, Entry, Fields, Key, Method, RowsReader, Value, cell, files};

/// An entry, and the item of the log that it comes from.
pub(super) struct ExpandedEntry {
    pub(super) entry: Entry,
    pub(super) line: u32,
    /// The bytes of the item in the log.
    pub(super) bytes: Range<usize>,
}

/// The content of a log.
#[derive(Default)]
pub(super) struct Expanded {
    pub(super) entries: Vec<ExpandedEntry>,
    /// The column files that nobody wrote.
    pub(super) documents: BTreeMap<String, Value>,
    /// The connections that have the answers of a known driver, by the driver's number.
    pub(super) drivers: BTreeMap<ConnectionId, usize>,
    /// Everything that is wrong, each with its line.
    pub(super) problems: Vec<CassetteError>,
}

/// An entry as it was written.
struct Item {
    written: Written,
    line: u32,
    bytes: Range<usize>,
    /// The number of its group, if it is in one.
    group: Option<u32>,
}

/// Expands a log. What can be expanded is there even if something else is wrong.
pub(super) fn expand(log: &[u8], file: &Path) -> Expanded {
    let mut expanded = Expanded::default();
    let items = items(log, file, &mut expanded.problems);
    let mut ids = Ids::of(&items);
    for (at, item) in items.iter().enumerate() {
        let has_result_items = has_result_items(&items, at);
        let refuse = |wrong: Wrong| {
            let bytes = &log[item.bytes.clone()];
            let element = wrong.rest.strip_prefix('[').and_then(|rest| rest.split(']').next()?.parse().ok());
            let line = match element {
                Some(number) => yaml::line_of_element(bytes, item.line, &wrong.key, number),
                None => yaml::line_of(bytes, item.line, &wrong.key),
            };
            wrong.error(file, line)
        };
        let times = match times(&item.written) {
            Ok(times) => times,
            Err(wrong) => {
                expanded.problems.push(refuse(wrong));
                Times { count: 1, open: false }
            }
        };
        for number in 0..times.count + u32::from(times.open) {
            let repeated = Repeated { open: number == times.count, number, has_result_items };
            match entries(item, file, &mut ids, repeated, &mut expanded.documents) {
                Ok(mut entries) => {
                    let connects = entries.iter_mut().filter(|entry| entry.method == Method::Connect);
                    for connect in connects {
                        match driver(connect) {
                            Ok(None) => {}
                            Ok(Some(number)) => _ = expanded.drivers.insert(connect.connection, number),
                            Err(wrong) => expanded.problems.push(refuse(wrong)),
                        }
                    }
                    let made = |entry| ExpandedEntry { entry, line: item.line, bytes: item.bytes.clone() };
                    expanded.entries.extend(entries.into_iter().map(made));
                }
                Err(wrong) => {
                    expanded.problems.push(refuse(wrong));
                    break;
                }
            }
        }
    }
    expanded
}

/// Returns the items of a log, including each item of a group.
fn items(log: &[u8], file: &Path, problems: &mut Vec<CassetteError>) -> Vec<Item> {
    let (mut found, mut bytes, mut groups) = (Vec::new(), Vec::new(), 0);
    let mut reader = Items::new(log, file);
    loop {
        let item = match reader.next(&mut bytes) {
            Ok(Some(item)) => item,
            Ok(None) => return found,
            Err(error) => {
                problems.push(error);
                return found;
            }
        };
        let range = item.offset as usize..item.offset as usize + item.len as usize;
        match yaml::parse_by_hand(&bytes, file, item.line) {
            Ok(ByHand::Entry(written)) => found.push(Item { written, line: item.line, bytes: range, group: None }),
            Ok(ByHand::Group(entries)) => {
                groups += 1;
                let places = places(&bytes, file, item.line, entries.len());
                for (entry, (line, inside)) in entries.into_iter().zip(places) {
                    match yaml::read_by_hand(entry, &bytes[inside.clone()], file, line) {
                        Ok(written) => {
                            let bytes = range.start + inside.start..range.start + inside.end;
                            found.push(Item { written, line, bytes, group: Some(groups) });
                        }
                        Err(error) => problems.push(error),
                    }
                }
            }
            Err(error) => problems.push(error),
        }
    }
}

/// Returns the line and bytes of each entry of a group. If the entries are not a list of blocks, returns the group's
/// own place for each.
fn places(group: &[u8], file: &Path, line: u32, count: usize) -> Vec<(u32, Range<usize>)> {
    let own = vec![(line, 0..group.len()); count];
    let Some(begin) = memchr::memchr(b'\n', group).map(|at| at + 1) else { return own };
    let (mut reader, mut bytes, mut places) = (Items::new(&group[begin..], file), Vec::new(), Vec::new());
    while let Ok(Some(item)) = reader.next(&mut bytes) {
        let start = begin + item.offset as usize;
        places.push((line + item.line, start..start + item.len as usize));
    }
    if places.len() == count { places } else { own }
}

/// How often an entry is played.
#[derive(Clone, Copy)]
struct Times {
    count: u32,
    /// Whether it may be played any number of times more after that.
    open: bool,
}

fn times(written: &Written) -> Result<Times, Wrong> {
    const MOST: u32 = 100_000;
    if written.fields.get(Key::Times).and(written.fields.get(Key::Fault)).is_some() {
        let problem = "an entry fails once in its turn, and one with `times` has none";
        return Err(Wrong::new(Key::Fault.name(), problem).advise("write an entry of its own for the failure"));
    }
    let said = match written.fields.get(Key::Times) {
        None => return Ok(Times { count: 1, open: false }),
        Some(Value::Int(count)) => (u32::try_from(*count).ok().filter(|count| *count > 0), false),
        Some(Value::Text(text)) => match text.strip_suffix("..") {
            Some(count) => (count.trim().parse().ok(), true),
            None => (None, false),
        },
        Some(_) => (None, false),
    };
    match said {
        (Some(_), true) if written.method == Method::Connect => {
            let problem = "a connect opens one connection each time, so it is a number";
            Err(Wrong::new(Key::Times.name(), problem).advise("write a number, such as 3"))
        }
        (Some(count), open) if count <= MOST => Ok(Times { count, open }),
        _ => {
            let problem = "is neither a number, such as 3, nor a number and two dots, such as 0..";
            Err(Wrong::new(Key::Times.name(), problem).advise("write how often the entry is played"))
        }
    }
}

/// The ids that entries have or are given.
struct Ids {
    /// The connections that somebody named.
    named: HashSet<ConnectionId>,
    /// The statements that somebody named.
    named_statements: HashSet<(ConnectionId, u32)>,
    next: u32,
    /// The connection of the last connect; `last` is the last statement of each connection.
    connection: Option<ConnectionId>,
    last: HashMap<ConnectionId, u32>,
    counted: HashMap<ConnectionId, u32>,
}

impl Ids {
    fn of(items: &[Item]) -> Ids {
        let named = items.iter().filter_map(|item| item.written.connection).collect();
        let mut ids = Ids {
            named,
            named_statements: HashSet::new(),
            next: 0,
            connection: None,
            last: HashMap::new(),
            counted: HashMap::new(),
        };
        for item in items {
            ids.named_statements.extend(item.written.connection.zip(item.written.statement));
        }
        ids
    }

    /// Returns the connection and statement of an entry, giving ids where none are written.
    fn give(&mut self, written: &Written) -> Result<(ConnectionId, Option<u32>), Wrong> {
        let connection = match (written.connection, written.method) {
            (Some(connection), _) => connection,
            (None, Method::Connect) => {
                while self.named.contains(&ConnectionId(self.next)) {
                    self.next += 1;
                }
                self.next += 1;
                ConnectionId(self.next - 1)
            }
            (None, _) => self.connection.ok_or_else(|| {
                let problem = "there is no connect before this entry";
                Wrong::new("", problem).advise("begin the file with an entry `- method: connect`")
            })?,
        };
        if written.method == Method::Connect {
            self.connection = Some(connection);
        }
        if written.statement.is_some() || !is_of_statement(written.method) {
            if let Some(statement) = written.statement {
                self.last.insert(connection, statement);
            }
            return Ok((connection, written.statement));
        }
        if written.method.gives_new_text() {
            let counted = self.counted.entry(connection).or_default();
            *counted += 1;
            while self.named_statements.contains(&(connection, *counted)) {
                *counted += 1;
            }
            self.last.insert(connection, *counted);
        }
        match self.last.get(&connection) {
            Some(statement) => Ok((connection, Some(*statement))),
            None => {
                let problem = format!("there is no statement of connection {connection} before this entry");
                Err(Wrong::new("", problem).advise("write the `run` or `prepare` that it belongs to"))
            }
        }
    }
}

fn is_of_statement(method: Method) -> bool {
    !matches!(
        method,
        Method::Connect
            | Method::Disconnect
            | Method::Commit
            | Method::Rollback
            | Method::SetConnectAttr
            | Method::Answer
            | Method::NativeSql
    )
}

/// One of the times that an item is played.
#[derive(Clone, Copy)]
struct Repeated {
    /// Whether the item may be played any number of times.
    open: bool,
    number: u32,
    /// Whether items of their own describe its result.
    has_result_items: bool,
}

/// Returns the entries that an item stands for.
fn entries(
    item: &Item,
    file: &Path,
    ids: &mut Ids,
    Repeated { open, number, has_result_items }: Repeated,
    documents: &mut BTreeMap<String, Value>,
) -> Result<Vec<Entry>, Wrong> {
    let Written { method, fields, .. } = &item.written;
    check::check_by_hand(*method, fields)?;
    let (connection, statement) = ids.give(&item.written)?;
    let mut command = Entry::new(*method, connection, statement);
    for (key, value) in fields {
        match key {
            Key::Columns | Key::Rows | Key::RowsFile if method.takes_by_hand(*key) => {}
            Key::RowCount | Key::Times | Key::Match => {}
            _ => command.fields.add(*key, value.clone()),
        }
    }
    said_by_diagnostics(&mut command);
    if *method == Method::MoreResults && command.get(Key::Result).is_none() {
        command.fields.add(Key::Result, true);
    }
    if matches!(method.class(), crate::schema::Class::Command) && !method.is_rows() {
        let how = fields.get(Key::Match).cloned().unwrap_or_else(|| "exact".into());
        command.fields.add(Key::Match, how);
        if open {
            command.fields.add(Key::Times, "0..");
        } else if let Some(group) = item.group {
            command.fields.add(Key::Unordered, group);
        }
    }
    check::rowset(&command)?;
    if !method.takes_by_hand(Key::Rows) {
        return Ok(vec![command]);
    }
    let follow = |method: Method| Entry::new(method, connection, statement);
    let failed = command.failed();
    if failed
        && let Some((key, _)) =
            fields.iter().find(|(key, _)| [Key::Columns, Key::Rows, Key::RowsFile, Key::RowCount].contains(key))
    {
        let problem = "what fails has no result";
        return Err(Wrong::new(key.name(), problem).advise("leave it out, or leave out what says that it fails"));
    }
    let mut entries = Vec::new();
    for (at, value) in fields.get(Key::Params).and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
        if let Value::List(_) = value {
            break;
        }
        let column = types::of_parameter(value);
        let described = [
            ("type", Value::from(column.sql_type.code)),
            ("length", column.size.into()),
            ("scale", column.scale.into()),
            ("nullable", column.nullable.into()),
        ];
        let described = Value::Map(described.map(|(key, value)| (key.to_owned(), value)).into());
        entries.push(follow(Method::DescribeParam).with(Key::Parameter, at + 1).with(Key::Result, described));
    }
    let of_file = fields.get(Key::RowsFile).map(|member| rows_of_file(file, member, fields)).transpose()?;
    let rows = rows(of_file.as_ref().or(fields.get(Key::Rows)))?;
    let columns = columns(fields.get(Key::Columns), rows)?;
    let is_explicit = fields.get(Key::Columns).is_some() || fields.get(Key::Rows).is_some();
    let counted = fields.get(Key::RowCount);
    let says_all = !failed && (is_explicit || counted.is_some() || !has_result_items);
    if says_all {
        let member = format!("columns_of_line_{}_{number}", item.line);
        let described = columns.iter().flatten().map(Column::described).collect();
        entries.push(follow(Method::Columns).with(Key::ColumnsFile, member.as_str()));
        documents.insert(member, Value::List(described));
    }
    if let Some(count) = counted {
        if count.as_int().is_none() {
            return Err(Wrong::new(Key::RowCount.name(), "is not a number of rows"));
        }
        entries.push(follow(Method::RowCount).with(Key::Result, count.clone()));
    } else if columns.is_none() && says_all {
        entries.push(follow(Method::RowCount).with(Key::Result, 0));
    }
    if let Some(columns) = columns {
        entries.push(fetched(&columns, rows, follow)?);
    }
    entries.insert(0, command);
    Ok(entries)
}

/// Returns the number of the driver whose answers a connect has. Any other name in `driver` is one of odbcinst.ini,
/// which is compared.
fn driver(connect: &mut Entry) -> Result<Option<usize>, Wrong> {
    let beside_dsn = connect.get(Key::Dsn).is_some();
    let Some(at) = connect.fields.iter().position(|(key, _)| *key == Key::Driver) else { return Ok(None) };
    let name = connect.fields[at].1.as_text().unwrap_or_default().to_owned();
    match profiles::named(&name, beside_dsn)? {
        NamedDriver::Driver(name) => {
            connect.fields[at].1 = name.into();
            Ok(None)
        }
        NamedDriver::Profile(number) => {
            connect.fields.remove(at);
            if let Some((library, kind)) = &profiles::profile(Some(number)).driver {
                connect.fields.add(Key::Library, library.as_str());
                connect.fields.add(Key::Kind, kind.as_str());
            }
            Ok(Some(number))
        }
    }
}

/// Says whether items behind a command describe its result.
fn has_result_items(items: &[Item], at: usize) -> bool {
    let describes = |item: &Item| {
        let method = item.written.method;
        method.is_rows() || matches!(method, Method::Columns | Method::RowCount)
    };
    let own = &items[at].written;
    match own.statement {
        None => items.get(at + 1).is_some_and(|next| next.written.statement.is_none() && describes(next)),
        statement => items[at + 1..].iter().any(|item| {
            (item.written.connection, item.written.statement) == (own.connection, statement) && describes(item)
        }),
    }
}

/// Adds the return code that diagnostic records imply, if none is written.
fn said_by_diagnostics(command: &mut Entry) {
    let Some(records) = command.get(Key::Diagnostics).and_then(Value::as_list).filter(|records| !records.is_empty())
    else {
        return;
    };
    if command.get(Key::Return).is_some() {
        return;
    }
    let state =
        |record: &Value| record.detail(Detail::Sqlstate).and_then(Value::as_text).unwrap_or_default().to_owned();
    let warns = records.iter().all(|record| state(record).starts_with("01"));
    let code = if warns { "SQL_SUCCESS_WITH_INFO" } else { "SQL_ERROR" };
    debug_assert!(return_code(Some(&code.into())).is_some());
    let at = command.fields.iter().position(|(key, _)| *key == Key::Diagnostics).unwrap_or_default();
    command.fields.insert(at, (Key::Return, code.into()));
}

fn rows(said: Option<&Value>) -> Result<&[Value], Wrong> {
    match said {
        None => Ok(&[]),
        Some(Value::List(rows)) => match rows.iter().position(|row| row.as_list().is_none()) {
            Some(at) => Err(in_row(at, "a row is a list of cells, as in [fig, 0.4]")),
            None => Ok(rows),
        },
        Some(_) => Err(Wrong::new(Key::Rows.name(), "is not a list of rows")),
    }
}

/// Reads the rows of a file beside the log, whose cells are written as in a recording. The columns say what the cells are.
fn rows_of_file(log: &Path, member: &Value, fields: &Fields) -> Result<Value, Wrong> {
    let wrong = |problem: String| Wrong::new(Key::RowsFile.name(), problem);
    if fields.get(Key::Rows).is_some() {
        return Err(wrong("cannot be combined with `rows`".to_owned()).advise("leave one of them out"));
    }
    let Some(columns) = columns(fields.get(Key::Columns), &[])? else {
        return Err(wrong("needs `columns`: a file does not say what its cells are".to_owned())
            .advise("write them, as in columns: {name: VARCHAR(20), price: DOUBLE}"));
    };
    let name = member.as_text().ok_or_else(|| wrong("is not a file's name".to_owned()))?;
    let path = member_path(log.parent().unwrap_or(Path::new("")), name).map_err(|error| wrong(error.message()))?;
    let unreadable = |error: &CassetteError| {
        let line = error.line().map_or_else(String::new, |line| format!(":{line}"));
        wrong(format!("{name}{line} cannot be read: {}", error.message()))
    };
    let open = files::open(&path).map_err(|error| unreadable(&CassetteError::io(&path, "open", &error)))?;
    let (mut reader, mut record, mut scratch) = (RowsReader::new(open, &path), ByteRecord::new(), Vec::new());
    let mut rows = Vec::new();
    while reader.next(&mut record).map_err(|error| unreadable(&error))? {
        let at = |problem: String| {
            wrong(format!("{name}:{}: {problem}", reader.line())).advise("correct the row or the columns")
        };
        if record.len() != columns.len() {
            let (cells, columns) = (counted(record.len(), "cell"), counted(columns.len(), "column"));
            return Err(at(format!("the row has {cells}, and there are {columns}")));
        }
        let mut row = Vec::with_capacity(columns.len());
        for (number, (field, column)) in record.iter().zip(&columns).enumerate() {
            let of = |problem: &str| at(format!("cell {} ({}): {problem}", number + 1, column.name));
            let value = match cell::decode(field, &mut scratch).map_err(|error| of(&error.to_string()))? {
                Cell::Null => Value::Null,
                Cell::Text(text) | Cell::Plain(text) => column.written(&String::from_utf8_lossy(text)),
                Cell::Bytes(_) => Value::from(String::from_utf8_lossy(field).into_owned()),
                Cell::Unread | Cell::Cut { .. } => {
                    return Err(of("a cell that was not read as a whole is not a value"));
                }
            };
            column.cell(&value).map_err(|problem| of(&problem))?;
            row.push(value);
        }
        rows.push(Value::List(row));
    }
    Ok(Value::List(rows))
}

fn in_row(at: usize, problem: impl Into<String>) -> Wrong {
    Wrong { rest: format!("[{at}]"), ..Wrong::new(Key::Rows.name(), problem) }.advise("correct the row or the columns")
}

/// Returns the columns of a result: those that are written, else those that the rows imply. `None` if there is no result.
fn columns(said: Option<&Value>, rows: &[Value]) -> Result<Option<Vec<Column>>, Wrong> {
    let wrong = |at: usize, problem: String| {
        Wrong { rest: format!("[{at}]"), ..Wrong::new(Key::Columns.name(), problem) }.advise("correct the column")
    };
    let width = rows.first().and_then(Value::as_list).map_or(0, <[Value]>::len);
    let named: Vec<Named> = match said {
        None if rows.is_empty() => return Ok(None),
        None => (1..=width).map(|number| Named { name: format!("c{number}"), column: None }).collect(),
        Some(Value::Map(pairs)) => {
            let column = |(at, (name, value)): (usize, &(String, Value))| {
                let Some(text) = value.as_text() else {
                    return Err(wrong(at, format!("{name} has no type, such as VARCHAR(20)")));
                };
                let column = typed(name, text).map_err(|problem| wrong(at, problem))?;
                Ok(Named { name: name.clone(), column: Some(column) })
            };
            pairs.iter().enumerate().map(column).collect::<Result<_, _>>()?
        }
        Some(Value::List(items)) => {
            let column = |(at, item)| described(item).map_err(|problem| wrong(at, problem));
            items.iter().enumerate().map(column).collect::<Result<_, _>>()?
        }
        Some(_) => {
            return Err(Wrong::new(Key::Columns.name(), "is neither a list of columns nor a map of names to types"));
        }
    };
    for (at, row) in rows.iter().enumerate() {
        let cells = row.as_list().map_or(0, <[Value]>::len);
        if cells != named.len() {
            let (cells, columns) = (counted(cells, "cell"), counted(named.len(), "column"));
            let of = if said.is_some() { "there are" } else { "the first row has" };
            return Err(in_row(at, format!("the row has {cells}, and {of} {columns}")));
        }
    }
    let mut columns = Vec::with_capacity(named.len());
    for (at, Named { name, column }) in named.into_iter().enumerate() {
        let values: Vec<&Value> = rows.iter().filter_map(|row| row.as_list()?.get(at)).collect();
        let longest = values.iter().filter_map(|value| value.as_text()).map(|text| text.chars().count()).max();
        columns.push(match column {
            Some(column) => column.at_least(longest.unwrap_or(0) as i64),
            None => types::inferred(&name, &values).ok_or_else(|| {
                wrong(at, format!("the values of {name} are of several types")).advise("write the type of the column")
            })?,
        });
    }
    Ok(Some(columns))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A column, and its type if one is written.
struct Named {
    name: String,
    column: Option<Column>,
}

/// Reads a column from a list: a map of its fields, or only its name.
fn described(item: &Value) -> Result<Named, String> {
    let pairs = match item {
        Value::Text(name) => return Ok(Named { name: name.clone(), column: None }),
        Value::Map(pairs) => pairs,
        _ => return Err("a column is a map, as in {name: price, type: DOUBLE}".to_owned()),
    };
    let get = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let name = get("name").and_then(Value::as_text).ok_or("a column has a `name`, in quotes if it is a number")?;
    let mut column = match get("type") {
        Some(Value::Text(text)) => Some(typed(name, text)?),
        Some(Value::Int(code)) => {
            let known = i64::try_from(*code).ok().and_then(SqlType::numbered);
            Some(Column::of(name, known.ok_or_else(|| format!("{code} is the number of no type"))?))
        }
        Some(_) => return Err("`type` is the name of a type, such as VARCHAR".to_owned()),
        None => None,
    };
    if let Some(typed) = column.take() {
        let number = |key: &str| match get(key) {
            None => Ok(None),
            Some(value) => value.as_int().map(Some).ok_or_else(|| format!("`{key}` is not a number")),
        };
        let (length, scale) = (number("length")?, number("scale")?);
        let scale = scale.filter(|scale| *scale != 0);
        let sizes: Vec<i64> = match (length, scale) {
            (Some(length), Some(scale)) if typed.sql_type.parameters() == Some("precision,scale") => {
                vec![length, scale]
            }
            (Some(length), _) if typed.sql_type.parameters().is_some() => vec![length],
            (_, Some(scale)) => vec![scale],
            // any other type has a size of its own
            _ => Vec::new(),
        };
        column = Some(typed.with_sizes(&sizes)?);
    }
    for (key, value) in pairs {
        match (key.as_str(), &mut column) {
            ("name" | "type" | "length" | "scale", _) => {}
            ("nullable", Some(column)) => {
                column.nullable = match value {
                    Value::Bool(nullable) => i64::from(*nullable),
                    value => {
                        value.as_int().filter(|number| (0..=2).contains(number)).ok_or("`nullable` is true or false")?
                    }
                }
            }
            (_, Some(column)) if COLUMN_FIELDS.iter().any(|(_, known)| known == key) => {
                column.others.push((key.clone(), value.clone()));
            }
            (_, None) => return Err(format!("{name} has no `type`")),
            _ => {
                let known: Vec<&str> =
                    crate::words::DESCRIBED.into_iter().chain(COLUMN_FIELDS.map(|(_, name)| name)).collect();
                let near = similar::get_close_matches(key.as_str(), &known, 1, 0.5);
                let near = near.first().map_or(String::new(), |near| format!(": did you mean `{near}`?"));
                return Err(format!("`{key}` is not a known field of a column{near}"));
            }
        }
    }
    Ok(Named { name: name.to_owned(), column })
}

/// Reads a column whose type is written as in SQL: `VARCHAR(20)`, `DECIMAL(8,2) NOT NULL`.
fn typed(name: &str, text: &str) -> Result<Column, String> {
    let upper = text.trim().to_ascii_uppercase();
    let (text, nullable) = match upper.strip_suffix("NOT NULL") {
        Some(before) => (before.trim_end().to_owned(), 0),
        None => (upper.strip_suffix(" NULL").unwrap_or(&upper).to_owned(), 1),
    };
    let (word, sizes) = match text.split_once('(') {
        Some((word, rest)) => (word, rest.strip_suffix(')').ok_or_else(|| format!("`{text}` lacks a parenthesis"))?),
        None => (text.as_str(), ""),
    };
    let sql_type = SqlType::named(word).ok_or_else(|| {
        let known: Vec<&str> = types::TYPES.iter().map(|known| known.name).collect();
        let near = similar::get_close_matches(word, &known, 1, 0.6);
        let near = near
            .first()
            .map_or_else(|| format!("it is one of {}", known.join(", ")), |near| format!("did you mean {near}?"));
        format!("{} is not a type: {near}", word.trim())
    })?;
    let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
    let sizes: Result<Vec<i64>, String> =
        sizes.map(|size| size.parse().map_err(|_| format!("`{size}` is not a length of {}", sql_type.name))).collect();
    Ok(Column { nullable, ..Column::of(name, sql_type).with_sizes(&sizes?)? })
}

/// Returns the entry that has the rows, or the end of data if there are none.
fn fetched(columns: &[Column], rows: &[Value], follow: impl Fn(Method) -> Entry) -> Result<Entry, Wrong> {
    let types: Vec<Value> = columns.iter().map(|column| column.sql_type.c_type.into()).collect();
    let mut all = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let cells = row.as_list().unwrap_or_default().iter().zip(columns).enumerate();
        let cells = cells.map(|(number, (value, column))| {
            let of = || format!("cell {} ({}): ", number + 1, column.name);
            column.cell(value).map_err(|problem| in_row(at, of() + &problem))
        });
        all.push(Value::List(cells.collect::<Result<_, _>>()?));
    }
    Ok(match all.len() {
        0 => follow(Method::Fetch).with(Key::Result, Value::Null),
        _ => follow(Method::FetchAll).with(Key::Rows, Value::List(all)).with(Key::CTypes, Value::List(types)),
    })
}
