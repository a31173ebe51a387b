//! What SQLSetPos and SQLBulkOperations ask for: rows of the rowset, what the application's buffers hold for them, and
//! what the driver writes there.
//!
//! ODBC reference: SQLSetPos and SQLBulkOperations. Values are read like parameters. The driver writes to the same
//! buffers where it refreshes or fetches rows, and it writes the bookmarks of rows that it adds.

use crate::args::{Binding, NumberOut, Place, Watched, WatchedNumber};
use crate::call::Call;
use crate::convert::param::LeftOut;
use crate::convert::{CType, Length, bound, param};
use crate::diagnostics::Outcome;
use crate::mode::application::{Application, attribute};
use crate::mode::outputs::{Outputs, WatchedOutputs};
use crate::mode::parameters::Structures;
use crate::mode::parameters::{AtExecution, Parameters, Waiting};
use crate::mode::rowset::{Arrays, bookmark_served_as, bookmark_type, row_state};
use super8_cassette::{Cell, Fields, Key, Method, Row, Value, cell, inline};

const REFRESH: u16 = 1;
const UPDATE: u16 = 2;
const ADD: u16 = 4;
const UPDATE_BY_BOOKMARK: u16 = 5;
const DELETE_BY_BOOKMARK: u16 = 6;
const FETCH_BY_BOOKMARK: u16 = 7;

/// Operations by their ODBC names, in lower case without `SQL_`.
const OPERATIONS: [&str; 8] =
    ["position", "refresh", "update", "delete", "add", "update_by_bookmark", "delete_by_bookmark", "fetch_by_bookmark"];

/// SQL_ROW_IGNORE in the row operation array.
const IGNORE: u16 = 1;

/// The rowset that an operation works on.
#[derive(Clone, Copy)]
pub struct Rowset {
    /// How many rows the last fetch asked for.
    pub size: usize,
    /// How many rows it got.
    pub fetched: usize,
    /// Where SQLExtendedFetch put the row states, if that was the last fetch.
    pub extended: Place,
}

impl Rowset {
    /// Returns where a driver may put row states, with their keys in the cassette. Drivers differ after
    /// SQLExtendedFetch.
    fn states(&self, application: &Application) -> [(Key, Place); 2] {
        let own = application.address(attribute::ROW_STATUS_PTR);
        let extended = if self.extended == own { Place::NULL } else { self.extended };
        [(Key::RowStatus, own), (Key::ExtendedStatus, extended)]
    }
}

/// One operation as the application asks for it.
pub struct Positioned {
    /// `set_pos` or `bulk_operations`.
    pub method: Method,
    /// Everything but the values: `operation`, `row`, `lock`, `rowset`, `ignored`, `bookmarks`.
    pub fields: Fields,
    /// What the buffers send, a list for each row; `None` for an operation that sends nothing.
    pub values: Option<Vec<Value>>,
    /// Values that come with SQLPutData.
    pub waiting: Vec<Waiting>,
    /// The numbers and intervals among the values.
    pub structures: Structures,
    /// The numbers to which a driver may write the precision and scale that it goes by.
    numerics: Outputs,
    /// The rows that the operation works on, counted from 0.
    rows: Vec<usize>,
    /// How many rows the application has buffers and states for.
    size: usize,
    /// Whether the driver fills the buffers.
    reads: bool,
    /// Whether the driver fills only the bookmarks.
    adds: bool,
}

impl Positioned {
    /// Returns what a call asks for.
    ///
    /// # Errors
    /// A buffer has a length that makes no sense.
    pub fn of(call: &Call<'_>, application: &Application, rowset: Rowset, types: Types<'_>) -> Result<Self, Outcome> {
        let (method, operation, size, all) = match *call {
            Call::SetPos { row, operation, .. } => (Method::SetPos, operation, rowset.size.max(1), row == 0),
            Call::BulkOperations { operation } => {
                (Method::BulkOperations, operation as u16, application.row_array_size(), true)
            }
            _ => return Err(Outcome::error("HY000", "internal error: this is not a positioned operation")),
        };
        let by_bookmark = (UPDATE_BY_BOOKMARK..=FETCH_BY_BOOKMARK).contains(&operation);
        let sends = matches!(operation, UPDATE | ADD | UPDATE_BY_BOOKMARK..=FETCH_BY_BOOKMARK);
        let name = OPERATIONS.get(usize::from(operation)).map_or(Value::from(operation), |name| Value::from(*name));
        let mut fields = Fields::from([(Key::Operation, name)]);
        let mut push = |key: Key, value: Value| fields.push((key, value));
        if let Call::SetPos { row, lock, .. } = *call {
            push(Key::Row, row.into());
            match lock {
                0 => {}
                1 => push(Key::Lock, "exclusive".into()),
                2 => push(Key::Lock, "unlock".into()),
                other => push(Key::Lock, other.into()),
            }
        }
        if size > 1 {
            push(Key::Rowset, size.into());
        }
        let rows: Vec<usize> = match *call {
            Call::SetPos { operation: 0, .. } => Vec::new(),
            Call::SetPos { row: 0, operation, .. } if operation != ADD => (0..rowset.fetched).collect(),
            // ODBC 2 lets an application add one row right behind the rowset. No other row there exists.
            Call::SetPos { row: row @ 1.., operation, .. } if row > size + usize::from(operation == ADD) => Vec::new(),
            Call::SetPos { row: row @ 1.., .. } => vec![row - 1],
            _ => (0..size).collect(),
        };
        let operations = application.address(attribute::ROW_OPERATION_PTR);
        let ignored = |row: &usize| all && operations.u16_at(*row) == Some(IGNORE);
        let left_out: Vec<Value> = rows.iter().filter(|row| ignored(row)).map(|row| Value::from(row + 1)).collect();
        if !left_out.is_empty() {
            push(Key::Ignored, Value::List(left_out));
        }
        let rows: Vec<usize> = rows.into_iter().filter(|row| !ignored(row)).collect();
        if application.first_column() == 0 && !rows.is_empty() {
            push(Key::Bookmarks, true.into());
        }
        let mut asked = Positioned {
            method,
            fields,
            values: None,
            waiting: Vec::new(),
            structures: Structures::default(),
            numerics: Outputs::default(),
            reads: matches!((method, operation), (Method::SetPos, REFRESH) | (_, FETCH_BY_BOOKMARK)),
            rows,
            size,
            adds: operation == ADD,
        };
        if sends && !asked.rows.is_empty() {
            let last = match operation {
                DELETE_BY_BOOKMARK | FETCH_BY_BOOKMARK => 0,
                _ => application.bound_columns().map(|(column, _)| column).max().unwrap_or(0),
            };
            asked.values = Some(asked.sent(application, types, last, by_bookmark)?);
        }
        Ok(asked)
    }

    /// Reads the values that the buffers hold, a list for each row.
    fn sent(
        &mut self,
        application: &Application,
        types: Types<'_>,
        last: u16,
        by_bookmark: bool,
    ) -> Result<Vec<Value>, Outcome> {
        let first = application.first_column() as u16;
        let mut all = Vec::with_capacity(self.rows.len());
        for (set, row) in self.rows.iter().enumerate() {
            let mut values = Vec::new();
            for column in first..=last {
                let Some(binding) = application.column(column) else {
                    values.push(named("UNBOUND"));
                    continue;
                };
                if column == 0 {
                    values.push(match by_bookmark {
                        true => bookmark_value(application, binding, *row),
                        false => named("COLUMN_IGNORE"),
                    });
                    continue;
                }
                let c_type = types(column, &binding);
                let target = binding.target;
                let binding = application.at_row(binding, *row, c_type.fixed_size());
                let index = usize::from(column - first);
                values.push(match bound::column(&binding, c_type) {
                    bound::Sent::Value(value) => {
                        let is_structure = self.structures.take((set, index), c_type, &binding, &value);
                        if is_structure && c_type == CType::NUMERIC {
                            let (precision, scale) = binding.numeric.unwrap_or_default();
                            self.structures.take_numeric((set, index), &binding, (precision, scale, "column"));
                            self.numerics.add_numeric(set, index, binding);
                        }
                        value
                    }
                    bound::Sent::AtExecution => {
                        self.structures.comes_later(c_type);
                        self.waiting.push(Waiting { set, index, c_type, token: binding.target, bound: target });
                        named("DATA_AT_EXEC")
                    }
                });
            }
            all.push(Value::List(values));
        }
        Ok(all)
    }

    /// Leaves out the parts of structures that `left_out` says the driver does not read.
    ///
    /// # Errors
    /// As `left_out`.
    pub fn leave_out<E>(&mut self, left_out: impl Fn(LeftOut) -> Result<bool, E>) -> Result<(), E> {
        self.structures.leave_out(self.values.as_deref_mut().unwrap_or_default(), left_out)
    }

    /// Moves the values to where they wait for those that come with SQLPutData.
    pub fn take_values(&mut self) -> AtExecution {
        let (values, waiting) = (self.values.take().unwrap_or_default(), std::mem::take(&mut self.waiting));
        AtExecution::new(Parameters::of_rows(values, waiting, std::mem::take(&mut self.structures)))
    }

    /// Takes the values back when all have come.
    pub fn put_back(&mut self, data: AtExecution) {
        let (values, structures) = data.into_parameters().into_rows();
        (self.values, self.structures) = (Some(values), structures);
    }

    /// Returns the entry's inputs, with the values that have come.
    pub fn asked(&self) -> Fields {
        let values = self.values.clone().map(|values| (Key::Values, Value::List(values)));
        self.fields.iter().cloned().chain(values).collect()
    }

    /// Returns the places that the driver may write: the row counter and the row states.
    fn outputs<'a>(&'a self, application: &'a Application, rowset: Rowset) -> impl Iterator<Item = NumberOut> + 'a {
        let size = self.size;
        let states = rowset.states(application).into_iter().flat_map(move |(_, place)| {
            let count = if place.is_null() { 0 } else { size };
            (0..count).map(move |row| place.short_at(row))
        });
        std::iter::once(application.address(attribute::ROWS_FETCHED_PTR).long()).chain(states)
    }

    /// Watches what the driver may write to. Bookmarks of rows to be added are marked; states and the counter are
    /// compared instead, because the driver may have to know them.
    pub fn watch(&self, application: &Application, rowset: Rowset, types: Types<'_>) -> WatchedOperation {
        let adds = self.adds && application.first_column() == 0;
        let added = Buffers { application, types, rows: if adds { &self.rows } else { &[] } };
        let bookmarks = added.iter().filter(|buffer| buffer.index == 0).map(|buffer| buffer.binding.target.int());
        WatchedOperation {
            numbers: self.outputs(application, rowset).map(NumberOut::compare).collect(),
            bookmarks: bookmarks.map(NumberOut::watch).collect(),
            numerics: self.numerics.watch(),
        }
    }

    /// Returns how many rows of the bound columns have lengths that the driver may read or write; `None` if it does
    /// neither.
    pub fn touches(&self) -> Option<usize> {
        let last = self.rows.iter().max()?;
        (self.reads || self.adds || self.values.is_some()).then_some(self.size.max(last + 1))
    }

    /// Returns whether the driver reads the length of this row's column.
    pub fn sends(&self, row: usize, column: u16) -> bool {
        self.values.is_some() && (column == 0 || !self.reads) && self.rows.contains(&row)
    }

    /// Returns what the driver wrote: `rows` with `c_types`, `rows_fetched`, `row_status`, and in `result` the numbers to which it
    /// wrote the precision and scale that it goes by; these are taken for what was sent. `length` gives what the driver said of a
    /// row's column where super8 lent it a length variable.
    pub fn changes(
        &mut self,
        application: &Application,
        (rowset, types): (Rowset, Types<'_>),
        watched: WatchedOperation,
        succeeded: bool,
        length: impl Fn(usize, u16) -> Option<Length>,
    ) -> Fields {
        let WatchedOperation { numbers, bookmarks, numerics } = watched;
        let mut numerics = self.numerics.written(numerics, Key::Result);
        if let Some(sets) = self.values.as_mut().filter(|_| self.numerics.input_written) {
            self.structures.by_descriptor(sets);
        }
        let mut changed = numbers.into_iter().map(|number| number.written().map(|written| written.value));
        let counter = changed.next().flatten();
        let states = rowset.states(application).map(|(name, place)| {
            let count = if place.is_null() { 0 } else { self.size };
            (name, changed.by_ref().take(count).collect::<Vec<_>>())
        });
        let written: Vec<bool> = bookmarks.into_iter().map(|bookmark| bookmark.written().is_some()).collect();
        // An unchanged state may be that of the last fetch, and psqlodbc marks rows as deleted that it has fetched. So
        // only an error that the driver wrote now counts.
        let has_cells = |row: usize| states[0].1.get(row) != Some(&Some(i64::from(row_state::ERROR)));
        let wrote = |buffer: &Buffer| match self.reads {
            true => self.rows.get(buffer.row).is_some_and(|row| has_cells(*row)),
            false => buffer.index == 0 && written.get(buffer.row) == Some(&true),
        };
        let mut cells = Fields::new();
        if (self.reads && succeeded) || written.contains(&true) {
            let length = |buffer: &Buffer| {
                let lent = self.rows.get(buffer.row).and_then(|row| length(*row, buffer.column));
                lent.unwrap_or_else(|| Length::reported(&buffer.binding))
            };
            cells = Buffers { application, types, rows: &self.rows }.cells(wrote, length);
            // The entry says only once of which types its cells are, and a number needs no word for that.
            numerics.retain(|(key, _)| *key == Key::Result || cells.is_empty());
        }
        let mut fields = numerics;
        fields.extend(cells);
        fields.extend(counter.map(|counter| (Key::RowsFetched, counter.into())));
        for (name, states) in states.into_iter().filter(|(_, states)| states.iter().any(Option::is_some)) {
            let states = states.into_iter().map(|state| state.map(|state| state as u16).into());
            fields.push((name, Value::List(states.collect())));
        }
        fields
    }

    /// Writes what the recorded driver changed.
    pub fn replay<'e>(&mut self, application: &Application, rowset: Rowset, get: impl Fn(Key) -> Option<&'e Value>) {
        // A number that does not fit would have to be an outcome of its own, but every number fits this structure.
        let _ = self.numerics.write(get(Key::Result), None);
        // A row that is added right behind the rowset has buffers too.
        let last = self.rows.iter().max().map_or(0, |row| row + 1);
        let arrays = Arrays::of(self.size.max(last));
        if let Some(rows) = get(Key::RowsFetched).and_then(Value::as_int) {
            arrays.set_count(application.address(attribute::ROWS_FETCHED_PTR), rows as usize);
        }
        for (name, place) in rowset.states(application) {
            for (row, state) in get(name).and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
                state.as_int().into_iter().for_each(|state| arrays.set_state(place, row, state as u16));
            }
        }
        replay_cells(application, arrays, &self.rows, get(Key::Rows), get(Key::CTypes));
    }
}

/// An operation that is complete once its data has come.
pub struct WaitingOperation {
    /// The statement's id.
    pub id: u32,
    /// What the operation asks for.
    pub asked: Positioned,
    /// The values that have come so far.
    pub data: AtExecution,
    /// What the driver may write to, while recording.
    pub watched: WatchedOperation,
}

/// The application's memory during an operation.
#[derive(Default)]
pub struct WatchedOperation {
    numbers: Vec<WatchedNumber>,
    bookmarks: Vec<WatchedNumber>,
    numerics: WatchedOutputs,
}

impl Watched for WatchedOperation {
    fn give_up(self) {
        self.numbers.give_up();
        self.bookmarks.give_up();
    }
}

fn named(name: &str) -> Value {
    Value::Map(vec![(name.to_owned(), Value::Null)])
}

/// Reads a bookmark that is sent. It is as long as the application says, or a 32-bit number.
fn bookmark_value(application: &Application, binding: Binding, row: usize) -> Value {
    let c_type = bookmark_type(&application.at_row(binding, row, None), application.use_bookmarks());
    let binding = application.at_row(binding, row, c_type.fixed_size());
    let length = binding.length.len_at(0).filter(|length| *length > 0);
    let size = c_type.fixed_size().unwrap_or_else(|| length.map_or(4, |length| length.min(binding.capacity) as usize));
    match bound::chunk(CType::BINARY, binding.target, size as isize) {
        bound::Chunk::Bytes(bytes) => param::of_bytes(CType::BINARY, bytes),
        _ => Value::Null,
    }
}

/// A function that returns the C type of a bound column.
pub type Types<'a> = &'a dyn Fn(u16, &Binding) -> CType;

/// The buffers of these rows, counted from 0.
#[derive(Clone, Copy)]
pub struct Buffers<'a> {
    /// The model that knows where the buffers are.
    pub application: &'a Application,
    /// The C types of the columns.
    pub types: Types<'a>,
    /// The rows.
    pub rows: &'a [usize],
}

/// The buffer of one cell.
pub struct Buffer {
    /// The position of its row among [`Buffers::rows`].
    pub row: usize,
    /// Its column.
    pub column: u16,
    /// The position of its column in a row.
    pub index: usize,
    /// Its C type.
    pub c_type: CType,
    /// Where it is.
    pub binding: Binding,
}

impl<'a> Buffers<'a> {
    /// Returns every buffer, row by row.
    pub fn iter(self) -> impl Iterator<Item = Buffer> + 'a {
        let Buffers { application, types, rows } = self;
        let first = application.first_column();
        rows.iter().enumerate().flat_map(move |(at, row)| {
            let columns = application.bound_columns().filter(move |(column, _)| usize::from(*column) >= first);
            columns.map(move |(column, binding)| {
                let c_type = match column {
                    0 => bookmark_type(&application.at_row(*binding, *row, None), application.use_bookmarks()),
                    _ => types(column, binding),
                };
                let binding = application.at_row(*binding, *row, c_type.fixed_size());
                Buffer { row: at, column, index: usize::from(column) - first, c_type, binding }
            })
        })
    }

    /// Reads the buffers that `wrote` accepts as cells: a list for each row under `rows`, and their `c_types`. Returns
    /// no fields if the driver wrote none. `length` gives what the driver said of a buffer's length.
    pub fn cells(self, wrote: impl Fn(&Buffer) -> bool, length: impl Fn(&Buffer) -> Length) -> Fields {
        let (mut rows, mut names, mut scratch) = (vec![Row::new(); self.rows.len()], Vec::<String>::new(), Vec::new());
        for buffer in self.iter().filter(wrote) {
            let said = length(&buffer);
            let Buffer { row, index, c_type, binding, .. } = buffer;
            bound::read(&binding, c_type, said, || false, &mut rows[row], index, &mut scratch);
            if names.len() <= index {
                names.resize(index + 1, String::new());
            }
            names[index] = c_type.name().into_owned();
        }
        if names.is_empty() {
            return Fields::new();
        }
        rows.iter_mut().for_each(|row| row.widen(names.len()));
        let name = |name: &String| if name.is_empty() { Value::Null } else { Value::from(name.as_str()) };
        Fields::from([
            (Key::Rows, Value::List(rows.iter().map(|row| inline::inline(row, &names)).collect())),
            (Key::CTypes, Value::List(names.iter().map(name).collect())),
        ])
    }
}

/// Writes recorded changes, a list of cells for each of these rows, to the buffers.
pub fn replay_cells(
    application: &Application,
    arrays: Arrays,
    rows: &[usize],
    changes: Option<&Value>,
    c_types: Option<&Value>,
) {
    let names = c_types.and_then(Value::as_list).unwrap_or_default();
    let recorded = |index: usize| names.get(index)?.as_text().and_then(CType::from_name);
    let first = application.first_column();
    let types = |column: u16, binding: &Binding| match CType(binding.c_type) {
        CType::DEFAULT => recorded(usize::from(column) - first).unwrap_or(CType::CHAR),
        other => other,
    };
    let (mut row, mut scratch) = (Row::new(), Vec::new());
    let changes = changes.and_then(Value::as_list).unwrap_or_default();
    for (at, value) in changes.iter().enumerate().take(rows.len()).filter(|(at, _)| arrays.has(rows[*at])) {
        if inline::from_inline(value, &mut row).is_err() {
            continue;
        }
        for Buffer { index, c_type, binding, .. } in (Buffers { application, types: &types, rows: &rows[at..=at] })
            .iter()
            .filter(|buffer| row.is_set(buffer.index))
        {
            let from = recorded(index).unwrap_or(c_type);
            let to = if index + first == 0 { bookmark_served_as(c_type, from) } else { c_type };
            if let Ok(cell) = cell::decode(&row.field(index), &mut scratch)
                && cell != Cell::Unread
            {
                // The driver's warnings about the row are recorded; there is none for a buffer that differs from the
                // recorded one.
                let _ = bound::write(&cell, from, to, &binding, None);
            }
        }
    }
}
