//! Output parameters: what an execution, or SQLMoreResults after it, writes to the application's buffers, and what is read in pieces
//! with SQLGetData.
//!
//! While recording, a parameter that is not what it was becomes a cell; one that the driver left alone does not. At replay the cells
//! go where the application has bound now. ODBC reference: SQLBindParameter, "InputOutputType Argument"; "Retrieving Output
//! Parameters Using SQLGetData".

use crate::args::{Binding, Place, Watched};
use crate::convert::bound;
use crate::convert::observer::{LengthOf, Look, WatchedBuffer};
use crate::convert::{CType, Written};
use crate::diagnostics::{Outcome, rc};
use super8_cassette::{Cell, Fields, Key, Row, Value, cell, inline};

/// SQL_PARAM_INPUT_OUTPUT and SQL_PARAM_OUTPUT.
const INPUT_OUTPUT: i16 = odbc_sys::ParamType::InputOutput as i16;
const OUTPUT: i16 = odbc_sys::ParamType::Output as i16;
/// SQL_PARAM_INPUT_OUTPUT_STREAM and SQL_PARAM_OUTPUT_STREAM: read in pieces with SQLGetData.
const INPUT_OUTPUT_STREAM: i16 = 8;
const OUTPUT_STREAM: i16 = 16;

/// How a parameter of this direction stands among the `params` of a command, if no value of it is sent.
pub fn not_sent(io: i16) -> Option<&'static str> {
    match io {
        OUTPUT => Some("OUTPUT"),
        OUTPUT_STREAM => Some("OUTPUT_STREAM"),
        _ => None,
    }
}

/// Whether a parameter of this direction is read with SQLGetData.
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
    look: Look,
    /// A SQL_NUMERIC_STRUCT that is sent. A driver may put its precision and scale there at the execution, and may not
    /// later: the buffer need not be there any more.
    input: bool,
}

/// What the places held before the driver was called.
pub struct WatchedOutputs(Vec<WatchedBuffer>);

impl Watched for WatchedOutputs {
    /// Nothing of them is marked.
    fn give_up(self) {}
}

impl Outputs {
    /// The most bytes that the driver can write to them.
    pub fn room(&self) -> usize {
        /// The longest C type of a fixed size.
        const FIXED: usize = 64;
        self.places.iter().map(|place| FIXED + place.binding.capacity.max(0) as usize).sum()
    }

    /// Takes in a parameter of set `set`, from 0, if it may be written to.
    pub fn add(&mut self, io: i16, set: usize, index: usize, binding: Binding, c_type: CType) {
        if matches!(io, INPUT_OUTPUT | OUTPUT) {
            let look = Look { length: self.share(set, &binding), sent: io == INPUT_OUTPUT };
            self.places.push(OutputPlace { set, index, binding, c_type, look, input: false });
            self.array |= set > 0;
        }
    }

    /// Whose length variable the next parameter of a set has. What an earlier one has is not its own any more.
    fn share(&mut self, set: usize, binding: &Binding) -> LengthOf {
        let mut length = LengthOf::This;
        for earlier in self.places.iter_mut().rev().take_while(|place| place.set == set) {
            if earlier.binding.length == binding.length && !binding.length.is_null() {
                (earlier.look.length, length) = (LengthOf::Others, LengthOf::Last);
            }
        }
        length
    }

    /// Takes in a SQL_NUMERIC_STRUCT that is sent.
    pub fn add_numeric(&mut self, set: usize, index: usize, binding: Binding) {
        let look = Look { length: LengthOf::This, sent: true };
        self.places.push(OutputPlace { set, index, binding, c_type: CType::NUMERIC, look, input: true });
        self.array |= set > 0;
    }

    /// Looks at the places before the driver is called.
    pub fn watch(&self) -> WatchedOutputs {
        WatchedOutputs(
            self.places.iter().map(|place| WatchedBuffer::of(place.binding, place.c_type, place.look)).collect(),
        )
    }

    /// What the driver wrote since, under `key` and `c_types`: nothing if it wrote nothing. Places that were written to
    /// are done.
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

    /// Writes recorded cells where the driver wrote them. Gives what else there is to say, if something no longer fits.
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
                Ok(cell @ Cell::Cut { .. }) => {
                    match bound::write(&cell, recorded, place.c_type, &place.binding, None) {
                        // What the driver said of it is recorded as well.
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

/// A recorded outcome, and what replay had to add to it.
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

/// Whether SQLGetData leaves it to the parameter which C type a value is read as.
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
    /// What SQLParamData hands out: the address or number the application bound.
    pub token: Place,
}

/// The streamed parameters of the last execution.
#[derive(Default)]
pub struct Streams {
    all: Vec<Streamed>,
    /// The driver said that there are values to be read.
    available: bool,
    /// The parameter whose value is being read; `Some(None)` for one that nobody bound.
    at: Option<Option<Streamed>>,
}

impl Streams {
    /// Those of an execution that begins.
    pub fn new(all: Vec<Streamed>) -> Streams {
        Streams { all, ..Streams::default() }
    }

    /// There are values to be read, or no more.
    pub fn set_available(&mut self, available: bool) {
        (self.available, self.at) = (available, None);
    }

    /// The application gave up: there are no more, but what was read of the one at hand.
    pub fn end(&mut self) {
        self.available = false;
    }

    /// Whether there are values to be read.
    pub fn available(&self) -> bool {
        self.available
    }

    /// The driver handed out this token: the set and number of its parameter, if somebody bound it.
    pub fn begin_by_token(&mut self, token: Place) -> Option<(usize, u16)> {
        self.available = true;
        let found = self.all.iter().find(|streamed| streamed.token == token).copied();
        self.at = Some(found);
        found.map(|streamed| (streamed.set, streamed.number))
    }

    /// The recorded driver handed out this parameter: its token now.
    pub fn begin(&mut self, set: usize, number: u16) -> Option<Place> {
        self.available = true;
        let found = self.all.iter().find(|streamed| (streamed.set, streamed.number) == (set, number)).copied();
        self.at = Some(found);
        Some(found?.token)
    }

    /// Whether a value is being read.
    pub fn reading(&self) -> bool {
        self.at.is_some()
    }

    /// What SQLGetData reads of, as a cassette has it.
    pub fn reads(&self) -> Key {
        if self.reading() { Key::Parameter } else { Key::Column }
    }

    /// The value is read, as far as it will be.
    pub fn leave(&mut self) {
        self.at = None;
    }

    /// What SQLGetData is given, with the C type of the parameter that is being read for one that it decides.
    pub fn resolved(&self, binding: &Binding) -> Option<Binding> {
        let c_type = self.at??.c_type.code();
        Some(Binding { c_type, ..*binding })
    }
}
