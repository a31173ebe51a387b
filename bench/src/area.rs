//! Memory that is shared with a driver: row sets and parameter sets, laid out by column or by row.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use odbc_sys::{CDataType, Len, NULL_DATA, Pointer, ULen};

use crate::checksum::Checksum;

/// One column of a row set: its C type, and the bytes for one value.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The C type.
    pub c_type: CDataType,
    /// Bytes of one value's buffer, the terminator included.
    pub width: usize,
}

/// How the values of several rows are laid out in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// One array per column (`SQL_BIND_BY_COLUMN`).
    Columns,
    /// One structure per row.
    Rows,
}

struct Place {
    spec: Spec,
    data: usize,
    data_stride: usize,
    indicator: usize,
    indicator_stride: usize,
}

/// Buffers, indicators, the rows-fetched counter and the status array of a row set (or of a parameter set).
///
/// The memory never moves. It is only read between calls, because a driver writes it only during a call.
pub struct RowSet {
    words: Box<[UnsafeCell<u64>]>,
    rows: usize,
    row_size: Option<usize>,
    places: Vec<Place>,
}

const COUNTER: usize = 0;
const STATUSES: usize = 8;

fn aligned(size: usize) -> usize {
    size.next_multiple_of(8)
}

impl RowSet {
    /// Allocates memory for `rows` rows of these columns, all zero.
    pub fn new(specs: &[Spec], rows: usize, arrangement: Arrangement) -> Self {
        let mut next = STATUSES + aligned(2 * rows);
        let mut places = Vec::with_capacity(specs.len());
        let row_size = match arrangement {
            Arrangement::Columns => {
                for spec in specs {
                    let data = next;
                    let indicator = data + aligned(spec.width * rows);
                    next = indicator + 8 * rows;
                    places.push(Place { spec: *spec, data, data_stride: spec.width, indicator, indicator_stride: 8 });
                }
                None
            }
            Arrangement::Rows => {
                let row_size: usize = specs.iter().map(|spec| aligned(spec.width) + 8).sum();
                let mut data = next;
                for spec in specs {
                    let indicator = data + aligned(spec.width);
                    places.push(Place {
                        spec: *spec,
                        data,
                        data_stride: row_size,
                        indicator,
                        indicator_stride: row_size,
                    });
                    data = indicator + 8;
                }
                next += row_size * rows;
                Some(row_size)
            }
        };
        let words = (0..next.div_ceil(8)).map(|_| UnsafeCell::new(0)).collect();
        RowSet { words, rows, row_size, places }
    }

    /// Returns the number of rows that there is room for.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of columns.
    pub fn columns(&self) -> usize {
        self.places.len()
    }

    /// Returns the structure's size (`SQL_ATTR_ROW_BIND_TYPE`) if rows are laid out one after another, else `None`.
    pub fn row_size(&self) -> Option<usize> {
        self.row_size
    }

    /// Returns the column's C type and buffer size.
    pub fn spec(&self, column: usize) -> Spec {
        self.places[column].spec
    }

    /// Returns the address of this column's value in the first row.
    pub fn data(&self, column: usize) -> Pointer {
        self.pointer(self.places[column].data).cast()
    }

    /// Returns the address of this column's length or indicator in the first row.
    pub fn indicator(&self, column: usize) -> *mut Len {
        self.pointer(self.places[column].indicator).cast()
    }

    /// Returns the address where the driver counts rows fetched or parameters processed.
    pub fn counter(&self) -> *mut ULen {
        self.pointer(COUNTER).cast()
    }

    /// Returns the counter's value.
    pub fn count(&self) -> usize {
        self.word(COUNTER) as usize
    }

    /// Returns the address where the driver writes one status per row.
    pub fn statuses(&self) -> *mut u16 {
        self.pointer(STATUSES).cast()
    }

    /// Writes a value and its length; the value must fit.
    pub fn put(&self, row: usize, column: usize, value: &[u8]) {
        let place = &self.places[column];
        assert!(
            row < self.rows && value.len() <= place.spec.width,
            "value of {} bytes for column {column}",
            value.len()
        );
        let to = self.pointer(place.data + row * place.data_stride);
        // SAFETY: row and length were checked, so the target lies inside this column's cell of `words`.
        unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), to, value.len()) };
        self.put_indicator(row, column, value.len() as Len);
    }

    /// Makes a value NULL.
    pub fn put_null(&self, row: usize, column: usize) {
        self.put_indicator(row, column, NULL_DATA);
    }

    /// Folds the first `rows` rows into the checksum: each indicator, and as many bytes as it says.
    pub fn fold(&self, rows: usize, sum: &mut Checksum) {
        for row in 0..rows.min(self.rows) {
            for place in &self.places {
                self.fold_place(place, row, sum);
            }
        }
    }

    /// Folds one value of the first row.
    pub fn fold_cell(&self, column: usize, sum: &mut Checksum) {
        self.fold_place(&self.places[column], 0, sum);
    }

    #[inline]
    fn fold_place(&self, place: &Place, row: usize, sum: &mut Checksum) {
        let length = self.word(place.indicator + row * place.indicator_stride) as i64;
        sum.number(length as u64);
        if length > 0 {
            let count = (length as usize).min(place.spec.width);
            sum.bytes(self.bytes(place.data + row * place.data_stride, count));
        }
    }

    fn put_indicator(&self, row: usize, column: usize, length: Len) {
        let place = &self.places[column];
        let at = place.indicator + row * place.indicator_stride;
        // SAFETY: indicators lie at multiples of eight inside `words`; the index checks it.
        unsafe { *self.words[at / 8].get() = length as u64 };
    }

    fn word(&self, offset: usize) -> u64 {
        // SAFETY: no call into a driver is under way, so nothing writes the word.
        unsafe { *self.words[offset / 8].get() }
    }

    fn pointer(&self, offset: usize) -> *mut u8 {
        assert!(offset < self.words.len() * 8);
        // SAFETY: the offset was checked to be inside the allocation.
        unsafe { UnsafeCell::raw_get(self.words.as_ptr()).cast::<u8>().add(offset) }
    }

    fn bytes(&self, offset: usize, count: usize) -> &[u8] {
        assert!(offset + count <= self.words.len() * 8);
        // SAFETY: the range is inside the allocation, and no call into a driver is under way while it is borrowed.
        unsafe { std::slice::from_raw_parts(self.pointer(offset), count) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrangement, RowSet, Spec};
    use crate::checksum::Checksum;
    use odbc_sys::CDataType;

    #[test]
    fn both_arrangements_hold_the_same_rows() {
        let specs = [Spec { c_type: CDataType::Char, width: 5 }, Spec { c_type: CDataType::SLong, width: 4 }];
        let sums = [Arrangement::Columns, Arrangement::Rows].map(|arrangement| {
            let set = RowSet::new(&specs, 3, arrangement);
            for row in 0..3 {
                set.put(row, 0, &[b'a' + row as u8; 5]);
                set.put(row, 1, &(row as i32).to_le_bytes());
            }
            set.put_null(1, 0);
            let mut sum = Checksum::new();
            set.fold(3, &mut sum);
            sum.value()
        });
        assert_eq!(sums[0], sums[1]);
    }

    #[test]
    #[should_panic(expected = "value of 6 bytes")]
    fn a_value_too_long_is_refused() {
        RowSet::new(&[Spec { c_type: CDataType::Char, width: 5 }], 1, Arrangement::Rows).put(0, 0, b"abcdef");
    }
}
