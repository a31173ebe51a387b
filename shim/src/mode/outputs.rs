//! Output parameters: what an execution, or SQLMoreResults after it, writes to the application's buffers, and what is
//! read in pieces with SQLGetData.
//!
//! While recording, a parameter that changed becomes a cell, and one that the driver left alone does not. At replay the
//! cells go to the buffers that the application has bound then. ODBC reference: SQLBindParameter, "InputOutputType
//! Argument"; "Retrieving Output Parameters Using SQLGetData".

use crate::args::{Binding, OwnMemory, Place, Watched};
use crate::convert::bound;
use crate::convert::observer::{LengthOf, OutputShape, WatchedBuffer};
use crate::convert::{CType, Written};
use crate::diagnostics::{Outcome, rc};
use super8_cassette::{Cell, Fields, Key, Row, Value, cell, inline};

/// SQL_PARAM_INPUT_OUTPUT and SQL_PARAM_OUTPUT.
const INPUT_OUTPUT: i16 = odbc_sys::ParamType::InputOutput as i16;
const OUTPUT: i16 = odbc_sys::ParamType::Output as i16;
/// SQL_PARAM_INPUT_OUTPUT_STREAM and SQL_PARAM_OUTPUT_STREAM: read in pieces with SQLGetData.
const INPUT_OUTPUT_STREAM: i16 = 8;
const OUTPUT_STREAM: i16 = 16;

/// Returns how a parameter of this direction is named among the `params` of a command if no value of it is sent.
pub fn not_sent(io: i16) -> Option<&'static str> {
    match io {
        OUTPUT => Some("OUTPUT"),
        OUTPUT_STREAM => Some("OUTPUT_STREAM"),
        _ => None,
    }
}

/// Returns whether a parameter of this direction is read with SQLGetData.
pub fn is_streamed(io: i16) -> bool {
    matches!(io, INPUT_OUTPUT_STREAM | OUTPUT_STREAM)
}

/// The parameters of one execution that the driver may write to.
#[derive(Default)]
pub struct Outputs {
    places: Vec<OutputPlace>,
    /// Whether the driver wrote to an input parameter.
    pub input_written: bool,
    /// Whether there are several sets.
    array: bool,
}

struct OutputPlace {
    set: usize,
    index: usize,
    binding: Binding,
    c_type: CType,
    look: OutputShape,
    /// Whether this is a SQL_NUMERIC_STRUCT that is sent. A driver may write its precision and scale at the execution
    /// only; later the buffer may be gone.
    input: bool,
}

/// What the places held before the driver was called.
#[derive(Default)]
pub struct WatchedOutputs(Vec<WatchedBuffer>);

impl Watched for WatchedOutputs {
    /// There is nothing to restore, because nothing is marked.
    fn give_up(self) {}
}

impl Outputs {
    /// Returns the most bytes that the driver can write to the parameters.
    pub fn room(&self) -> usize {
        /// The size of the longest C type of a fixed size.
        const FIXED: usize = 64;
        self.places.iter().map(|place| FIXED + place.binding.capacity.max(0) as usize).sum()
    }

    /// Adds a parameter of set `set`, counted from 0, if the driver may write to it.
    pub fn add(&mut self, io: i16, set: usize, index: usize, binding: Binding, c_type: CType) {
        if matches!(io, INPUT_OUTPUT | OUTPUT) {
            let look = OutputShape { length: self.share(set, &binding), sent: io == INPUT_OUTPUT };
            self.places.push(OutputPlace { set, index, binding, c_type, look, input: false });
            self.array |= set > 0;
        }
    }

    /// Returns whose length the length variable of a set's next parameter holds. An earlier parameter with the same
    /// variable loses it.
    fn share(&mut self, set: usize, binding: &Binding) -> LengthOf {
        let mut length = LengthOf::This;
        for earlier in self.places.iter_mut().rev().take_while(|place| place.set == set) {
            if earlier.binding.length == binding.length && !binding.length.is_null() {
                (earlier.look.length, length) = (LengthOf::Others, LengthOf::Last);
            }
        }
        length
    }

    /// Adds a SQL_NUMERIC_STRUCT that is sent. Its length variable belongs to the application: no driver writes there.
    pub fn add_numeric(&mut self, set: usize, index: usize, binding: Binding) {
        let binding = Binding { length: Place::NULL, indicator: Place::NULL, numeric: None, ..binding };
        let look = OutputShape { length: LengthOf::This, sent: true };
        self.places.push(OutputPlace { set, index, binding, c_type: CType::NUMERIC, look, input: true });
        self.array |= set > 0;
    }

    /// Looks at the places before the driver is called.
    pub fn watch(&self) -> WatchedOutputs {
        WatchedOutputs(
            self.places.iter().map(|place| WatchedBuffer::of(place.binding, place.c_type, place.look)).collect(),
        )
    }

    /// Returns what the driver wrote since then, under `key` and `c_types`; no fields if it wrote nothing. Places that
    /// were written to are removed.
    pub fn written(&mut self, watched: WatchedOutputs, key: Key) -> Fields {
        let mut rows: Vec<Row> = Vec::new();
        let mut types: Vec<Option<CType>> = Vec::new();
        let mut scratch = Vec::new();
        let mut watched = watched.0.into_iter();
        self.places.retain(|place| {
            let Some(length) = watched.next().and_then(WatchedBuffer::written) else {
                return !place.input;
            };
            self.input_written |= place.input;
            rows.resize_with(rows.len().max(place.set + 1), Row::new);
            types.resize(types.len().max(place.index + 1), None);
            types[place.index] = Some(place.c_type);
            bound::read_as(&place.binding, place.c_type, length, &mut rows[place.set], place.index, &mut scratch);
            false
        });
        if rows.is_empty() {
            return Fields::new();
        }
        let names: Vec<String> =
            types.iter().map(|c_type| c_type.map_or_else(String::new, |known| known.name().into_owned())).collect();
        let mut cells: Vec<Value> = rows.iter().map(|row| inline::inline(row, &names)).collect();
        let cells = if self.array || cells.len() > 1 { Value::List(cells) } else { cells.remove(0) };
        let names = names.into_iter().map(|name| if name.is_empty() { Value::Null } else { Value::Text(name) });
        Fields::from([(key, cells), (Key::CTypes, Value::List(names.collect()))])
    }

    /// Writes recorded cells to where the driver wrote them. Returns an outcome of its own if something no longer fits.
    pub fn write(&mut self, cells: Option<&Value>, c_types: Option<&Value>) -> Option<Outcome> {
        let written = self.write_cells(cells, c_types);
        self.places.retain(|place| !place.input);
        written
    }

    fn write_cells(&mut self, cells: Option<&Value>, c_types: Option<&Value>) -> Option<Outcome> {
        let rows = cells.and_then(Value::as_list)?;
        let array = matches!(rows.first(), Some(Value::List(_)));
        let mut outcome = None;
        let (mut row, mut scratch) = (Row::new(), Vec::new());
        self.places.retain(|place| {
            let values = if array { rows.get(place.set) } else { cells.filter(|_| place.set == 0) };
            if values.is_none_or(|values| inline::from_inline(values, &mut row).is_err()) {
                return true;
            }
            let name = c_types.and_then(Value::as_list).and_then(|types| types.get(place.index)?.as_text());
            let recorded = name.and_then(CType::from_name).unwrap_or(place.c_type);
            let written = match cell::decode(&row.field(place.index), &mut scratch) {
                Ok(Cell::Unread) => return true,
                Ok(cell) if place.input => place.write_numeric(&cell),
                Ok(cell @ Cell::Cut { .. }) => {
                    match bound::write(&cell, recorded, place.c_type, &place.binding, None) {
                        // The driver's warning about the cut is recorded as well.
                        Written::Truncated => Written::Success,
                        other => other,
                    }
                }
                Ok(cell) => bound::write(&cell, recorded, place.c_type, &place.binding, None),
                Err(error) => Written::Failed { sqlstate: "HY000", message: format!("replay: {error}").into() },
            };
            match written {
                Written::Success | Written::NoData => {}
                Written::Truncated => outcome = Some(Outcome::info("01004", "an output parameter was cut off")),
                Written::FractionTruncated => outcome = Some(Outcome::info("01S07", "a fraction was cut off")),
                Written::Failed { sqlstate, message } => outcome = Some(Outcome::error(sqlstate, message)),
            }
            false
        });
        outcome
    }
}

impl OutputPlace {
    /// Writes the precision and scale of a number that is sent. The driver wrote no more, and the rest is the application's.
    fn write_numeric(&self, cell: &Cell<'_>) -> Written {
        /// The size of a SQL_NUMERIC_STRUCT.
        const SIZE: usize = 19;
        let number = OwnMemory::new(SIZE);
        let binding = Binding { target: number.place(), ..self.binding };
        let written = bound::write(cell, CType::NUMERIC, CType::NUMERIC, &binding, None);
        if let (Written::Success, Some(precision_and_scale)) = (&written, number.place().u16_at(0)) {
            self.binding.target.set_u16_at(0, precision_and_scale);
        }
        written
    }
}

/// Returns the recorded outcome, with what replay had to add to it.
pub fn joined(recorded: Outcome, added: Option<Outcome>) -> Outcome {
    match added {
        Some(mut added) if rc::succeeded(recorded.rc) => {
            added.diagnostics.splice(0..0, recorded.diagnostics);
            added
        }
        _ => recorded,
    }
}

/// SQL_APD_TYPE: the C type the parameter is bound with.
const APD_TYPE: i16 = -100;

/// Returns whether SQLGetData leaves the C type of the value to the parameter.
pub fn parameter_decides(c_type: i16) -> bool {
    c_type == APD_TYPE || CType(c_type) == CType::DEFAULT
}

/// A parameter that is read in pieces.
#[derive(Clone, Copy)]
pub struct Streamed {
    /// The set of a parameter array, from 0.
    pub set: usize,
    /// The parameter, from 1.
    pub number: u16,
    /// The C type it is bound with, resolved.
    pub c_type: CType,
    /// The token that SQLParamData hands out: the address or number that the application bound.
    pub token: Place,
}

/// The streamed parameters of the last execution.
#[derive(Default)]
pub struct Streams {
    all: Vec<Streamed>,
    /// Whether the driver said that there are values to be read.
    available: bool,
    /// The parameter whose value is being read; `Some(None)` for one that the application did not bind.
    at: Option<Option<Streamed>>,
}

impl Streams {
    /// Returns the streams of an execution that begins.
    pub fn new(all: Vec<Streamed>) -> Streams {
        Streams { all, ..Streams::default() }
    }

    /// Sets whether there are values to be read.
    pub fn set_available(&mut self, available: bool) {
        (self.available, self.at) = (available, None);
    }

    /// Ends the streams because the application gave up. What was read of the current value stays.
    pub fn end(&mut self) {
        self.available = false;
    }

    /// Returns whether there are values to be read.
    pub fn available(&self) -> bool {
        self.available
    }

    /// Begins the parameter with the token that the driver handed out. Returns its set and number, if the application
    /// bound it.
    pub fn begin_by_token(&mut self, token: Place) -> Option<(usize, u16)> {
        self.available = true;
        let found = self.all.iter().find(|streamed| streamed.token == token).copied();
        self.at = Some(found);
        found.map(|streamed| (streamed.set, streamed.number))
    }

    /// Begins the parameter that the recorded driver handed out. Returns its current token.
    pub fn begin(&mut self, set: usize, number: u16) -> Option<Place> {
        self.available = true;
        let found = self.all.iter().find(|streamed| (streamed.set, streamed.number) == (set, number)).copied();
        self.at = Some(found);
        Some(found?.token)
    }

    /// Returns whether a value is being read.
    pub fn reading(&self) -> bool {
        self.at.is_some()
    }

    /// Returns the key under which a cassette names what SQLGetData reads from.
    pub fn reads(&self) -> Key {
        if self.reading() { Key::Parameter } else { Key::Column }
    }

    /// Ends the current value, read completely or not.
    pub fn leave(&mut self) {
        self.at = None;
    }

    /// Returns SQLGetData's binding with the C type of the parameter that is being read.
    pub fn resolved(&self, binding: &Binding) -> Option<Binding> {
        let c_type = self.at??.c_type.code();
        Some(Binding { c_type, ..*binding })
    }
}
