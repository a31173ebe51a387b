//! Length variables that super8 lends the driver.
//!
//! After a fetch, super8 has to know what the driver said of each cell. If columns share a length variable, it holds
//! only what was said of the last one; and if a column has a length variable but no buffer, drivers differ in whether
//! they write it. For such columns the driver is told to use super8's own variables. What it writes there is copied to
//! the application's variables row by row and column by column, as the driver would have written it.
//!
//! The columns stay bound to these variables until the application changes its bindings. Binding them back would let a
//! driver that clears a length when it is bound write to the application's variables, and those may be gone by then.

use crate::args::{Binding, OwnMemory, Place, WatchedNumber};
use crate::convert::Length;
use crate::mode::application::Application;
use std::sync::atomic::{AtomicU64, Ordering};

/// The size of a length variable in bytes.
pub(super) const SIZE: usize = size_of::<isize>();

/// A column, and what the driver is to bind it to.
pub(super) type Rebound = (u16, Binding);

/// The variables that one statement lends.
pub(super) struct LentVariables {
    /// Tells apart the statements that use the same descriptor.
    lender: u64,
    /// What `columns` was made for: the revision of the bound columns, the rows of a rowset, and the bind offset.
    seen: Option<(u64, usize, isize)>,
    columns: Vec<Column>,
    /// Columns whose variables the driver may still have, until it has bound the new ones.
    kept: Vec<Column>,
    rows: usize,
    stride: isize,
    /// The offset of the first row's variables. The address that the driver is told lies the application's bind offset
    /// before it. That address has to be memory as well, because some drivers clear a length when it is bound.
    first: isize,
    /// What the driver was told and what it said in the last call, row by row.
    said: Vec<LengthAndIndicator>,
}

impl Default for LentVariables {
    fn default() -> LentVariables {
        static LENDERS: AtomicU64 = AtomicU64::new(1);
        let lender = LENDERS.fetch_add(1, Ordering::Relaxed);
        let (columns, kept, said) = (Vec::new(), Vec::new(), Vec::new());
        LentVariables { lender, seen: None, columns, kept, rows: 0, stride: 0, first: 0, said }
    }
}

struct Column {
    number: u16,
    /// The column as the application bound it.
    own: Binding,
    lengths: OwnMemory,
    /// Present if the indicator is another variable than the length.
    indicators: Option<OwnMemory>,
}

/// The length and the indicator of a cell.
#[derive(Clone, Copy, Default)]
struct LengthAndIndicator {
    /// Whether the driver reads them before it writes them.
    sent: bool,
    /// The lent variables, watched during a call.
    watched: Option<[WatchedNumber; 2]>,
    /// What the driver wrote.
    written: [Option<isize>; 2],
}

impl Column {
    fn new(number: u16, own: Binding, bytes: usize) -> Column {
        let apart = own.indicator != own.length && !own.indicator.is_null();
        let indicators = apart.then(|| OwnMemory::new(bytes));
        Column { number, own, lengths: OwnMemory::new(bytes), indicators }
    }

    /// Returns the lent variables, this many bytes from their beginning.
    fn at(&self, bytes: isize) -> [Place; 2] {
        let indicator = self.indicators.as_ref().map_or(Place::NULL, OwnMemory::place);
        [self.lengths.place().offset(bytes), indicator.offset(bytes)]
    }

    /// Returns the application's own variables for a row.
    fn own_at(&self, application: &Application, row: usize) -> [Place; 2] {
        let own = application.at_row(self.own, row, None);
        [own.length, if self.indicators.is_some() { own.indicator } else { Place::NULL }]
    }

    /// Returns the binding that the driver is to use.
    fn lent(&self, base: isize) -> Binding {
        let [length, indicator] = self.at(base);
        Binding { length, indicator: if indicator.is_null() { length } else { indicator }, ..self.own }
    }
}

impl LentVariables {
    /// Prepares the variables for a call on this many rows; `sends` says of which cells the driver reads the length.
    /// Returns the columns that have to be bound again. `None`, which is nearly always, means that no variables are
    /// lent.
    #[inline]
    pub(super) fn prepare(
        &mut self,
        application: &mut Application,
        rows: usize,
        sends: impl Fn(usize, u16) -> bool,
    ) -> Option<Vec<Rebound>> {
        let known =
            self.seen.is_some_and(|(changes, seen, _)| (changes, seen) == (application.columns.changes(), rows));
        if known && self.columns.is_empty() {
            return None;
        }
        let rebound = self.renew(application, rows);
        let cells = (0..rows).flat_map(|row| self.columns.iter().map(move |column| (row, column.number)));
        self.said.extend(
            cells.map(|(row, column)| LengthAndIndicator { sent: sends(row, column), ..LengthAndIndicator::default() }),
        );
        self.watch(application);
        (!self.columns.is_empty()).then_some(rebound)
    }

    fn of_row(&self, row: usize) -> isize {
        self.first + row as isize * self.stride
    }

    /// Watches what the driver writes, and copies the values that it reads.
    pub(super) fn watch(&mut self, application: &Application) {
        let mut cells = std::mem::take(&mut self.said);
        let places = (0..self.rows).flat_map(|row| self.columns.iter().map(move |column| (row, column)));
        for ((row, column), said) in places.zip(&mut cells) {
            let lent = column.at(self.of_row(row));
            said.watched = Some(lent.map(|lent| {
                lent.set_len(0);
                lent.long().watch()
            }));
            for (lent, own) in lent.into_iter().zip(column.own_at(application, row)) {
                // Of the application's variables, only those are read that the driver may read in this call.
                if let Some(value) = said.sent.then(|| own.len_at(0)).flatten() {
                    lent.set_len(value);
                }
            }
        }
        self.said = cells;
    }

    #[cold]
    fn renew(&mut self, application: &mut Application, rows: usize) -> Vec<Rebound> {
        self.said.clear();
        let (offset, bind_type) = application.columns.layout();
        if self.seen == Some((application.columns.changes(), rows, offset)) {
            return Vec::new();
        }
        let stride = if bind_type == 0 { SIZE } else { bind_type };
        (self.rows, self.stride, self.first) = (rows, stride as isize, offset.max(0));
        let bytes = offset.unsigned_abs() + (rows - 1) * stride + SIZE;
        let numbers = to_lend(application, rows, bind_type);
        let column = |number: &u16| Some(Column::new(*number, application.column(*number)?, bytes));
        // The driver has the previous variables until it has bound these.
        self.kept = std::mem::replace(&mut self.columns, numbers.iter().filter_map(column).collect());
        if application.columns.lent() != (self.lender, &numbers[..]) && !(numbers.is_empty() && self.kept.is_empty()) {
            application.columns.edit(|columns| columns.set_lent(self.lender, numbers));
        }
        self.seen = Some((application.columns.changes(), rows, offset));
        self.columns.iter().map(|column| (column.number, column.lent(self.first - offset))).collect()
    }

    /// Leaves the variables to the driver for good, because it refused some: it may use those that it took, and the
    /// previous ones. They are leaked so that they stay valid.
    pub(super) fn leave_to_driver(&mut self) {
        std::mem::take(&mut self.kept).into_iter().chain(self.columns.drain(..)).for_each(std::mem::forget);
        self.seen = None;
    }

    /// Takes in what the driver wrote, and copies it to the application's variables.
    pub(super) fn hand_on(&mut self, application: &Application) {
        let mut cells = std::mem::take(&mut self.said);
        let mut said = cells.iter_mut();
        for row in 0..self.rows {
            for (column, said) in self.columns.iter().zip(said.by_ref()) {
                let (lent, own) = (column.at(self.of_row(row)), column.own_at(application, row));
                let Some(watched) = said.watched.take() else { continue };
                said.written = std::array::from_fn(|at| {
                    let (lent, own) = (lent[at], own[at]);
                    if said.sent {
                        let now = lent.len_at(0).filter(|now| own.len_at(0) != Some(*now));
                        return now.inspect(|now| own.set_len(*now));
                    }
                    let number = watched[at].written()?;
                    if number.half {
                        own.long().write_half(number.value);
                        return Some(number.value as i32 as isize);
                    }
                    own.long().write(number.value);
                    Some(number.value as isize)
                });
            }
        }
        self.said = cells;
    }

    /// Returns what the driver said of a cell's length in the last call, and where it wrote that; `None` if the column
    /// was not lent.
    #[inline]
    pub(super) fn said(&self, row: usize, column: u16) -> Option<(Length, Place)> {
        if self.said.is_empty() {
            return None;
        }
        let at = self.columns.iter().position(|lent| lent.number == column)?;
        let said = self.said.get(row * self.columns.len() + at).filter(|said| !said.sent)?;
        let [length, indicator] = said.written;
        let length = if indicator == Some(odbc_sys::NULL_DATA) { Length::Null } else { Length::of(length, false) };
        Some((length, self.columns[at].at(self.of_row(row))[0]))
    }
}

/// Returns the columns whose length variables have to be lent: those without a buffer, those that share a variable with
/// another column in some row of the rowset, and those for which the driver still has super8's variables.
fn to_lend(application: &Application, rows: usize, bind_type: usize) -> Vec<u16> {
    let mut lend = application.columns.lent().1.to_vec();
    let mut variables = Vec::new();
    for (number, binding) in application.columns.records().iter().enumerate() {
        let Some(Binding { target, length, indicator, .. }) = *binding else { continue };
        let number = number as u16;
        if target.is_null() && !(length.is_null() && indicator.is_null()) {
            lend.push(number);
        }
        let places = [length, if indicator == length { Place::NULL } else { indicator }];
        variables.extend(places.into_iter().filter(|place| !place.is_null()).map(|place| {
            let address = place.address() as usize;
            // With row-wise binding a variable recurs at each row's distance; with column-wise binding it is an array
            // of as many elements as there are rows.
            let start = if bind_type == 0 || rows == 1 { address } else { address % bind_type };
            (start, start + if bind_type == 0 { SIZE * rows } else { SIZE }, number)
        }));
    }
    variables.sort_unstable();
    if let (true, Some(first)) = (bind_type != 0 && rows > 1, variables.first().copied()) {
        variables.push((first.0 + bind_type, first.1 + bind_type, first.2));
    }
    let mut before: Option<(usize, usize, u16)> = None;
    for variable in variables {
        if let Some(before) = before.filter(|before| variable.0 < before.1 && variable.2 != before.2) {
            lend.extend([before.2, variable.2]);
        }
        before = before.filter(|before| before.1 > variable.1).or(Some(variable));
    }
    lend.sort_unstable();
    lend.dedup();
    lend.retain(|number| {
        application.column(*number).is_some_and(|own| !own.length.is_null() || !own.indicator.is_null())
    });
    lend
}
