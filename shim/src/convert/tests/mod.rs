//! Tests of the conversions as a whole: a driver that writes, the cassette in between, an application that reads.
#![allow(unsafe_code)]

mod identity;
mod partial;
mod table;

use super8_cassette::{Cell, Row, cell};

use super::{CType, Length, Progress, Target, Written, read, write};

/// A byte that no test value contains.
const CANARY: u8 = 0xA5;
/// Canaries on either side of a buffer; odd, so that no buffer is aligned.
const MARGIN: usize = 33;

/// An application's buffer between canaries, with its length and indicator.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    memory: Vec<u8>,
    capacity: usize,
    length: isize,
    indicator: isize,
}

impl Place {
    fn new(capacity: usize) -> Place {
        Place { memory: vec![CANARY; capacity + 2 * MARGIN], capacity, length: -77, indicator: -77 }
    }

    fn pointer(&mut self) -> *mut u8 {
        self.memory[MARGIN..].as_mut_ptr()
    }

    fn buffer(&self) -> &[u8] {
        &self.memory[MARGIN..MARGIN + self.capacity]
    }

    fn put(&mut self, bytes: &[u8]) {
        self.memory[MARGIN..MARGIN + bytes.len()].copy_from_slice(bytes);
    }

    /// Checks that the margins are untouched, and so is the buffer from `written` on.
    fn assert_untouched_but(&self, written: usize) {
        let (before, rest) = self.memory.split_at(MARGIN);
        assert!(before.iter().chain(&rest[written..]).all(|byte| *byte == CANARY), "written outside: {self:?}");
    }

    /// Makes one call that asks for a cell.
    fn ask(&mut self, cell: &Cell<'_>, recorded: CType, to: CType, progress: Option<&mut Progress>) -> Written {
        let target = Target::new(self.pointer(), self.capacity as isize, &mut self.length);
        // SAFETY: the buffer has its capacity, which no test makes smaller than a fixed type.
        unsafe { write(cell, recorded, to, target, progress) }
    }
}

/// Returns the field of a cell after a driver left this in the buffer.
fn record(c_type: CType, place: &mut Place, length: Length) -> Vec<u8> {
    let (mut row, mut scratch) = (Row::new(), Vec::new());
    let capacity = place.capacity as isize;
    // SAFETY: the buffer has its capacity.
    unsafe { read(c_type, place.pointer(), capacity, length, &mut row, 0, &mut scratch) };
    row.field(0).to_vec()
}

/// Returns the field of a cell.
fn field(cell: Cell<'_>) -> Vec<u8> {
    let mut row = Row::new();
    row.set(0, cell);
    row.field(0).to_vec()
}

/// Asks for a field once and returns the buffer.
fn replay(field: &[u8], recorded: CType, to: CType, capacity: usize) -> (Written, Place) {
    let mut place = Place::new(capacity);
    let mut scratch = Vec::new();
    let cell = cell::decode(field, &mut scratch).unwrap();
    let written = place.ask(&cell, recorded, to, None);
    (written, place)
}

fn sqlstate(written: &Written) -> &'static str {
    match written {
        Written::Success => "00000",
        Written::Truncated => "01004",
        Written::FractionTruncated => "01S07",
        Written::NoData => "02000",
        Written::Failed { sqlstate, .. } => sqlstate,
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_ne_bytes).collect()
}

/// Numbers without a pattern, always the same (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// Returns a text of at most this many characters: mostly ASCII, and some of everything.
    fn text(&mut self, most: usize) -> String {
        let count = self.below(most + 1);
        (0..count)
            .map(|_| match self.below(12) {
                0 => 'é',
                1 => '漢',
                2 => '😀',
                3 => ['\\', '"', ',', '\n', '\r', '\t', '\u{1}', '\u{feff}', '\u{2028}', '\u{7f}'][self.below(10)],
                _ => char::from(b' ' + self.below(95) as u8),
            })
            .collect()
    }
}
