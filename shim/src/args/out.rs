//! What a question writes: numbers and texts, watched while recording and filled in at replay.
//!
//! The numbers of an output tell what a driver wrote, and so do the first characters of a text, which are watched as a
//! number.
#![allow(unsafe_code)]

use super::Place;
use super::shape::Shape;
use super::text::{Character, decode_bytes, decode_wide, encode_bytes, encode_wide};
use super::{LengthOut, NumberOut, SizedOut, WatchedNumber, WrittenNumber};
use std::ffi::c_void;

/// A buffer whose content depends on the attribute or field that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// The application's buffer.
    pub pointer: *mut c_void,
    /// Its capacity in bytes (or an `SQL_IS_...` code).
    pub capacity: isize,
    /// Where the length in bytes goes.
    pub length: LengthOut,
    /// Whether texts in it are UTF-16.
    pub wide: bool,
    /// Whether drivers usually write the size of a number to `length`.
    pub sizes_numbers: bool,
}

impl Buffer {
    /// Returns the pointer itself, for a field that is an address or holds a number in place of one.
    pub fn place(&self) -> Place {
        // SAFETY: an entry point made this buffer from an argument of SQLSetDescField.
        unsafe { Place::new(self.pointer) }
    }
}

/// The unit of a text's capacity and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, also in Unicode functions.
    Bytes,
    /// Characters: UTF-16 units in Unicode functions.
    Characters,
}

/// A text that the function writes.
#[derive(Clone, Copy, Debug)]
pub struct TextOut {
    pointer: *mut c_void,
    /// In bytes.
    capacity: isize,
    length: Option<NumberOut>,
    wide: bool,
    unit: Unit,
}

/// An output of a function.
#[derive(Clone, Copy, Debug)]
pub enum Out {
    /// A number.
    Number(NumberOut),
    /// A number with a place for its size in bytes.
    Sized(SizedOut),
    /// A text.
    Text(TextOut),
    /// An address of this process. The mode's model keeps it, and it is never recorded.
    Address(Place),
}

/// What an output held after the call.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Nothing was written.
    Unwritten,
    /// A number.
    Number(i64),
    /// A number of which the driver wrote fewer or more bytes than ODBC says.
    Width {
        /// The number.
        value: i64,
        /// How many bytes the driver wrote.
        bytes: u8,
    },
    /// A number whose size the driver wrote where others do not, or wrote differently.
    Sized {
        /// The number, if the driver wrote one.
        number: Option<i64>,
        /// How many bytes of it the driver wrote, if not as many as ODBC says.
        bytes: Option<u8>,
        /// The size that the driver wrote.
        length: Option<i64>,
    },
    /// A text as far as the buffer held it, and the length that the driver reported, in the function's unit.
    Text {
        /// The text, or `None` if the application gave no buffer.
        text: Option<String>,
        /// The reported length, if the application asked for it and the driver wrote it.
        length: Option<i64>,
        /// Whether the buffer was too small for the whole text.
        cut: bool,
        /// Whether the driver filled the buffer and wrote no terminator.
        unterminated: bool,
    },
}

impl Out {
    /// Returns a number at `pointer`.
    ///
    /// # Safety
    /// `pointer` is null or valid for writes of its type during the call.
    pub unsafe fn number(pointer: impl Into<NumberOut>) -> Out {
        Out::Number(pointer.into())
    }

    /// Returns a text buffer with its capacity (and length) in `unit`s.
    ///
    /// # Safety
    /// `pointer` is null or valid for `capacity` characters; `length` is null or valid.
    pub unsafe fn text<C: Character>(pointer: *mut C, capacity: isize, length: LengthOut, unit: Unit) -> Out {
        let capacity =
            if unit == Unit::Characters { capacity.saturating_mul(size_of::<C>() as isize) } else { capacity };
        Out::Text(TextOut { pointer: pointer.cast(), capacity, length: length.number(), wide: C::WIDE, unit })
    }

    /// Returns a buffer that holds what `shape` says.
    ///
    /// # Safety
    /// The buffer is null or valid for what ODBC puts there for this attribute or field.
    pub unsafe fn shaped(shape: Shape, buffer: Buffer) -> Out {
        match shape {
            Shape::Text => Out::Text(TextOut {
                pointer: buffer.pointer,
                capacity: buffer.capacity,
                length: buffer.length.number(),
                wide: buffer.wide,
                unit: Unit::Bytes,
            }),
            Shape::Number(size) => {
                let number = NumberOut { pointer: buffer.pointer, size };
                match buffer.length.number() {
                    Some(length) => Out::Sized(SizedOut { number, length, usual: buffer.sizes_numbers }),
                    None => Out::Number(number),
                }
            }
            // SAFETY: passed on from the caller.
            Shape::Address => Out::Address(unsafe { Place::new(buffer.pointer) }),
        }
    }

    /// Watches what the driver writes.
    pub fn watch(&self) -> WatchedOut {
        let nothing = NumberOut { pointer: std::ptr::null_mut(), size: 0 };
        let (number, length) = match self {
            Out::Number(number) => (*number, nothing),
            Out::Sized(sized) => (sized.number, sized.length),
            Out::Text(text) => (text.first().unwrap_or(nothing), text.length.unwrap_or(nothing)),
            Out::Address(_) => (nothing, nothing),
        };
        WatchedOut { out: *self, number: number.watch(), length: length.watch() }
    }

    /// Fills a text output. Returns whether the text was cut. Other outputs take nothing.
    pub fn fill(&self, words: &str) -> bool {
        match self {
            Out::Text(text) => text.write(words, None),
            _ => false,
        }
    }

    /// Returns the length that the function reports for a text that fits, in its unit.
    pub fn length_of(&self, words: &str) -> i64 {
        let Out::Text(text) = self else { return 0 };
        match (text.wide, text.unit) {
            (false, _) => encode_bytes(words).len() as i64,
            (true, Unit::Characters) => encode_wide(words).len() as i64,
            (true, Unit::Bytes) => 2 * encode_wide(words).len() as i64,
        }
    }

    /// Returns whether the application passed no place for this output.
    pub fn is_null(&self) -> bool {
        match self {
            Out::Number(number) => number.pointer.is_null(),
            Out::Sized(sized) => sized.number.pointer.is_null(),
            Out::Text(text) => text.pointer.is_null() && text.length.is_none(),
            Out::Address(place) => place.is_null(),
        }
    }

    /// Returns the size of a number in bytes; `None` for anything else.
    pub fn size(&self) -> Option<u8> {
        match self {
            Out::Number(number) => Some(number.size),
            Out::Sized(sized) => Some(sized.number.size),
            Out::Text(_) | Out::Address(_) => None,
        }
    }

    /// Returns the reply of a driver that writes this many bytes of a number, if that is more than ODBC says.
    pub fn widen(&self, reply: &Reply, width: u8) -> Option<Reply> {
        let (Out::Number(number) | Out::Sized(SizedOut { number, .. })) = self else { return None };
        if width <= number.size || !matches!(width, 2 | 4 | 8) {
            return None;
        }
        let value = number.value_of(width);
        match *reply {
            Reply::Number(_) => match self {
                Out::Sized(sized) => {
                    Some(Reply::Sized { number: Some(value), bytes: Some(width), length: sized.usual_length() })
                }
                _ => Some(Reply::Width { value, bytes: width }),
            },
            Reply::Sized { number: Some(_), length, .. } => {
                Some(Reply::Sized { number: Some(value), bytes: Some(width), length })
            }
            _ => None,
        }
    }

    /// Returns the capacity of a text in bytes; `None` for a number, or if no buffer was given.
    pub fn capacity(&self) -> Option<isize> {
        match self {
            Out::Text(text) if !text.pointer.is_null() => Some(text.capacity),
            _ => None,
        }
    }
}

/// An output that is watched during a call.
#[derive(Clone, Copy, Debug)]
pub struct WatchedOut {
    out: Out,
    /// The number, or the first characters of a text.
    number: WatchedNumber,
    /// The size of the number, or the length of the text.
    length: WatchedNumber,
}

impl WatchedOut {
    /// Returns what the driver wrote.
    pub fn reply(self) -> Reply {
        let WatchedOut { out, number, length } = self;
        let value = || match number.written() {
            Some(WrittenNumber { value, half: true }) => Reply::Width { value, bytes: number.number.half_size() },
            Some(WrittenNumber { value, half: false }) => Reply::Number(value),
            None => Reply::Unwritten,
        };
        match out {
            Out::Number(_) => value(),
            Out::Sized(sized) => {
                let length = length.written().map(|length| length.value);
                match (value(), length) {
                    (Reply::Number(number), length) if length == sized.usual_length() => Reply::Number(number),
                    (Reply::Number(number), length) => Reply::Sized { number: Some(number), bytes: None, length },
                    (Reply::Width { value, bytes }, Some(_)) => {
                        Reply::Sized { number: Some(value), bytes: Some(bytes), length }
                    }
                    (Reply::Unwritten, Some(_)) => Reply::Sized { number: None, bytes: None, length },
                    (other, _) => other,
                }
            }
            Out::Text(text) => text.reply(number, length),
            Out::Address(_) => Reply::Unwritten,
        }
    }
}

impl TextOut {
    fn unit_size(&self) -> isize {
        if self.wide { 2 } else { 1 }
    }

    /// Returns whether the application gave a place for the length.
    pub fn has_length(&self) -> bool {
        self.length.is_some()
    }

    /// Returns the same text without a place for the length.
    pub fn without_length(&self) -> TextOut {
        TextOut { length: None, ..*self }
    }

    /// Returns whether the text is UTF-16.
    pub fn is_wide(&self) -> bool {
        self.wide
    }

    /// Returns the first two bytes, or the only one, as a number to watch, if there is room.
    fn first(&self) -> Option<NumberOut> {
        let size = self.capacity.clamp(0, 2) as u8;
        (!self.pointer.is_null() && isize::from(size) >= self.unit_size())
            .then_some(NumberOut { pointer: self.pointer, size })
    }

    fn reply(&self, start: WatchedNumber, length: WatchedNumber) -> Reply {
        let length = length.written().map(|length| length.value);
        let written = start.written().map(|_| start.number);
        let Some(first) = written else {
            return match length {
                Some(_) => Reply::Text { text: None, length, cut: false, unterminated: false },
                None => Reply::Unwritten,
            };
        };
        if !self.wide && first.size == 2 && first.read() >> 8 == first.mark() >> 8 {
            // Only one byte was written, for an empty text or a letter without terminator; the second one stays the
            // application's.
            first.write(start.before >> 8 << 8 | first.read() & 0xFF);
        }
        let room = self.capacity / self.unit_size();
        let total = length.map(|length| match self.unit {
            Unit::Bytes => length as isize / self.unit_size(),
            Unit::Characters => length as isize,
        });
        // A driver may report more than it wrote, or not terminate what just fits, so read to the shorter of both.
        let mut limit = total.filter(|total| *total >= 0).map_or(room, |total| total.min(room)).max(0) as usize;
        if let (true, Unit::Bytes, Some(units)) = (self.wide, self.unit, length.map(|length| length as isize))
            && (limit as isize) < units.min(room)
            && !self.is_zero_at(limit)
            && (units >= room || self.is_zero_at(units as usize))
        {
            // The driver counts characters where ODBC asks for bytes.
            limit = units.min(room) as usize;
        }
        // SAFETY: within the capacity the application gave.
        let text = unsafe {
            if self.wide {
                let units: Vec<u16> = (0..limit)
                    .map(|index| self.pointer.cast::<u16>().add(index).read_unaligned())
                    .take_while(|unit| *unit != 0)
                    .collect();
                decode_wide(&units)
            } else {
                let bytes = std::slice::from_raw_parts(self.pointer.cast::<u8>(), limit);
                decode_bytes(bytes.split(|byte| *byte == 0).next().unwrap_or_default())
            }
        };
        // Some drivers report the cut length as if it were the whole, so a full buffer counts as a cut text.
        let units = if self.wide { encode_wide(&text).len() } else { encode_bytes(&text).len() };
        let cut = total.is_some_and(|total| total >= room) || units as isize + 1 >= room;
        let unterminated = units as isize == room || (units == limit && !self.is_zero_at(limit));
        Reply::Text { text: Some(text), length, cut: cut || unterminated, unterminated }
    }

    /// Returns whether there is a terminator at a place inside the buffer.
    fn is_zero_at(&self, unit: usize) -> bool {
        // SAFETY: within the capacity the application gave, where the driver just wrote a text.
        unsafe {
            match self.wide {
                true => self.pointer.cast::<u16>().add(unit).read_unaligned() == 0,
                false => self.pointer.cast::<u8>().add(unit).read() == 0,
            }
        }
    }

    /// Writes `text` without a terminator, as far as the buffer has room.
    pub fn write_unterminated(&self, text: &str) {
        let bytes = self.encoded(text);
        let room = self.capacity.max(0) / self.unit_size() * self.unit_size();
        if !self.pointer.is_null() {
            // SAFETY: no more than the capacity the application gave.
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.pointer.cast(), bytes.len().min(room as usize));
            }
        }
    }

    fn encoded(&self, text: &str) -> Vec<u8> {
        match self.wide {
            true => encode_wide(text).iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            false => encode_bytes(text),
        }
    }

    /// Writes `text` as ODBC drivers do: terminated, and cut to the capacity. The length is the whole text's, or
    /// `length` if the recording says otherwise. Returns whether the text was cut.
    pub fn write(&self, text: &str, length: Option<i64>) -> bool {
        let unit = self.unit_size();
        let bytes = self.encoded(text);
        let room = self.capacity.max(0) / unit * unit;
        let mut cut = false;
        if !self.pointer.is_null() {
            let fits = (bytes.len() as isize).min(room - unit).max(0) as usize;
            cut = fits < bytes.len();
            if room >= unit {
                // SAFETY: `fits + unit` bytes are within the capacity the application gave.
                unsafe {
                    std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.pointer.cast(), fits);
                    std::ptr::write_bytes(self.pointer.cast::<u8>().add(fits), 0, unit as usize);
                }
            }
        }
        self.write_length(length.unwrap_or_else(|| match self.unit {
            Unit::Bytes => bytes.len() as i64,
            Unit::Characters => bytes.len() as i64 / unit as i64,
        }));
        cut
    }

    /// Writes only the length.
    pub fn write_length(&self, length: i64) {
        if let Some(out) = self.length {
            out.write(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_out(buffer: &mut [u8], length: &mut i16) -> Out {
        // SAFETY: the buffers outlive the uses in these tests.
        unsafe {
            Out::text(buffer.as_mut_ptr(), buffer.len() as isize, LengthOut::from(length as *mut i16), Unit::Characters)
        }
    }

    #[test]
    fn unwritten_outputs_keep_their_value() {
        let (mut buffer, mut length, mut number) = (*b"abcd", 7i16, 42i32);
        let text = text_out(&mut buffer, &mut length);
        // SAFETY: `number` outlives the use.
        let out = unsafe { Out::number(&mut number as *mut i32) };
        let (watched_text, watched_number) = (text.watch(), out.watch());
        assert_eq!(watched_text.reply(), Reply::Unwritten);
        assert_eq!(watched_number.reply(), Reply::Unwritten);
        assert_eq!((&buffer, length, number), (b"abcd", 7, 42));
    }

    #[test]
    fn written_text_and_cut_text() {
        let (mut buffer, mut length) = ([0u8; 7], 0i16);
        let out = text_out(&mut buffer, &mut length);
        let watched = out.watch();
        let Out::Text(text) = out else { panic!("a text") };
        assert!(!text.write("five5", None));
        assert_eq!(
            watched.reply(),
            Reply::Text { text: Some("five5".into()), length: Some(5), cut: false, unterminated: false }
        );
        let watched = out.watch();
        assert!(text.write("longer than that", None));
        assert_eq!(
            watched.reply(),
            Reply::Text { text: Some("longer".into()), length: Some(16), cut: true, unterminated: false }
        );
    }

    #[test]
    fn a_full_buffer_counts_as_cut_whatever_the_driver_reports() {
        let (mut buffer, mut length) = (*b"abc\0", 0i16);
        let out = text_out(&mut buffer, &mut length);
        let watched = out.watch();
        let Out::Text(text) = out else { panic!("a text") };
        text.write("abc", None);
        assert_eq!(
            watched.reply(),
            Reply::Text { text: Some("abc".into()), length: Some(3), cut: true, unterminated: false }
        );
    }

    #[test]
    fn nothing_is_written_past_the_capacity() {
        for capacity in 0..8isize {
            let mut buffer = [0xEEu8; 12];
            // SAFETY: the capacity is within the buffer.
            let Out::Text(out) =
                (unsafe { Out::text(buffer.as_mut_ptr().cast::<u16>(), capacity, LengthOut::None, Unit::Bytes) })
            else {
                panic!("a text")
            };
            out.write("abcdefgh", None);
            assert!(buffer[capacity as usize..].iter().all(|byte| *byte == 0xEE), "capacity {capacity}");
        }
    }
}
