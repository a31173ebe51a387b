//! Calls functions that the driver has only in the other width, with their texts converted.
//!
//! unixODBC does this for a driver that it loads itself. But super8 exports every function, so the driver manager finds
//! nothing missing and leaves the conversion to super8. The rules are unixODBC's (the functions in DriverManager, and
//! `unicode_to_ansi_copy` and `ansi_to_unicode_copy` of its __info.c): which function is called, what the lengths
//! count, and how characters are converted that the application's codeset lacks.
#![allow(unsafe_code)]

use crate::args::{Character, NumberOut, TextIn, WatchedNumber, shape, shape::Shape};
use crate::diagnostics::rc;
use crate::real::Width;
use crate::table::Function;
use std::ffi::c_void;

/// An argument of a C function, classified by its type.
#[derive(Clone, Copy)]
pub enum Word {
    /// A text; its length follows.
    Text(*const c_void),
    /// A buffer for a text; its capacity and a place for the length follow.
    Room(*mut c_void),
    /// An SQLPOINTER: a number, or a text if the attribute or field says so.
    Value(*mut c_void),
    /// A number.
    Int(i64),
    /// A place for a number.
    Number(*mut c_void, NumberOut),
}

/// Converts between an argument and its [`Word`].
pub trait Argument: Copy {
    /// Returns the argument as a word.
    fn word(self) -> Word;
    /// Returns the argument of this type; zero or null for a word of another kind.
    fn of(word: Word) -> Self;
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Argument for $integer {
            fn word(self) -> Word {
                Word::Int(self as i64)
            }
            fn of(word: Word) -> Self {
                if let Word::Int(number) = word { number as Self } else { 0 }
            }
        }
    )*};
}
integers!(i16 u16 i32 usize isize);

macro_rules! places {
    ($($integer:ty)*) => {$(
        impl Argument for *mut $integer {
            fn word(self) -> Word {
                Word::Number(self.cast(), NumberOut::from(self))
            }
            fn of(word: Word) -> Self {
                if let Word::Number(pointer, _) = word { pointer.cast() } else { std::ptr::null_mut() }
            }
        }
    )*};
}
places!(i16 i32 usize isize);

impl Argument for *mut c_void {
    fn word(self) -> Word {
        Word::Value(self)
    }
    fn of(word: Word) -> Self {
        if let Word::Value(pointer) = word { pointer } else { std::ptr::null_mut() }
    }
}

impl<C: crate::args::Character> Argument for *const C {
    fn word(self) -> Word {
        Word::Text(self.cast())
    }
    fn of(word: Word) -> Self {
        if let Word::Text(pointer) = word { pointer.cast() } else { std::ptr::null() }
    }
}

impl<C: crate::args::Character> Argument for *mut C {
    fn word(self) -> Word {
        Word::Room(self.cast())
    }
    fn of(word: Word) -> Self {
        if let Word::Room(pointer) = word { pointer.cast() } else { std::ptr::null_mut() }
    }
}

/// Calls the driver's function of the application's width, or else the one of the other width where the driver manager
/// would.
macro_rules! in_width {
    ($C:ty, $driver:expr, $name:ident, $real:expr, ($($arg:expr),*)) => {
        match <$C as $crate::real::Width>::symbols($driver).$name {
            Some(call) => Some(call($real, $($arg),*)),
            None if $driver.converts::<$C>() => $crate::entry::other_width::converted!($C, $driver, $name, $real, ($($arg),*)),
            None => None,
        }
    };
}
pub(crate) use in_width;

/// Calls the driver's function of the other width.
macro_rules! converted {
    ($C:ty, $driver:expr, $name:ident, $real:expr, ($($arg:expr),*)) => {
        <<$C as $crate::real::Width>::Other as $crate::real::Width>::symbols($driver)
            .$name
            .filter(|_| !<$C as $crate::args::Character>::WIDE || $driver.claims($crate::table::Function::$name))
            .map(|call| {
            let words = vec![$($crate::entry::other_width::Argument::word($arg)),*];
            let mut words = $crate::entry::other_width::Converted::<$C>::new($crate::table::Function::$name, words);
            let code = call($real, $({
                let _ = $arg;
                words.next()
            }),*);
            words.finish(code);
            code
        })
    };
}
pub(crate) use converted;

/// The arguments of a call with their texts in the other width, and the application's buffers for what comes back.
pub struct Converted<C: Width> {
    function: Function,
    words: Vec<Word>,
    next: usize,
    /// The converted texts that the words point at.
    texts: Vec<Vec<C::Other>>,
    rooms: Vec<Room<C>>,
}

/// One of the application's buffers, and the one that the driver gets instead.
struct Room<C: Width> {
    buffer: Vec<C::Other>,
    out: *mut C,
    /// In characters.
    capacity: usize,
    /// The place for the length and what it held, if the application's length counts in another unit than the driver's.
    length: Option<(NumberOut, WatchedNumber)>,
}

impl<C: Width> Converted<C> {
    /// Converts the texts among the arguments of `function`, which come without its handle.
    ///
    /// # Safety
    /// The arguments are an application's, as the ODBC reference requires them.
    pub unsafe fn new(function: Function, words: Vec<Word>) -> Self {
        let mut converted = Converted { function, next: 0, texts: Vec::new(), rooms: Vec::new(), words };
        let value_is_text = value_is_text(function, &converted.words);
        for at in 0..converted.words.len() {
            let takes = matches!(converted.words.get(at + 2), Some(Word::Number(..)));
            // SAFETY: passed on from the caller.
            unsafe {
                match converted.words[at] {
                    Word::Text(pointer) => converted.text(at, pointer.cast(), 1, Word::Text),
                    Word::Room(pointer) => converted.room(at, pointer.cast(), false),
                    Word::Value(pointer) if value_is_text && takes => converted.room(at, pointer.cast(), true),
                    Word::Value(pointer) if value_is_text => {
                        converted.text(at, pointer.cast(), size_of::<C>(), |text| Word::Value(text.cast_mut()));
                    }
                    _ => {}
                }
            }
        }
        converted
    }

    /// Returns the next argument.
    pub fn next<A: Argument>(&mut self) -> A {
        let word = self.words.get(self.next).copied().unwrap_or(Word::Int(0));
        self.next += 1;
        A::of(word)
    }

    fn int(&self, at: usize) -> i64 {
        if let Some(Word::Int(number)) = self.words.get(at) { *number } else { 0 }
    }

    /// Converts a text whose length counts in units of `unit` bytes of a character.
    unsafe fn text(&mut self, at: usize, pointer: *const C, unit: usize, word: impl FnOnce(*const c_void) -> Word) {
        let length = self.int(at + 1) as isize;
        let characters = if length < 0 { length } else { length / unit as isize };
        // SAFETY: the application's text.
        let Some(text) = (unsafe { TextIn::new(pointer, characters) }).read() else { return };
        let mut converted = C::convert(&C::units(&text), usize::MAX);
        if length >= 0 || unit == 1 && length == odbc_sys::NTS {
            let length = converted.len() * if unit == 1 { 1 } else { size_of::<C::Other>() };
            // If the argument cannot hold the length, let the terminator say it.
            let fits = length <= i16::MAX as usize || self.function.takes_long_text();
            self.words[at + 1] = Word::Int(if fits { length as i64 } else { odbc_sys::NTS as i64 });
        }
        converted.push(C::Other::ZERO);
        if self.function == Function::SQLNativeSql
            && matches!(self.words.get(at + 2), Some(Word::Room(out)) if !out.is_null())
        {
            // SQLite's driver cuts the text that it is given where the room for the answer ends.
            let room = self.int(at + 3).max(0) as usize;
            converted.resize(converted.len().max(room), C::Other::ZERO);
        }
        self.words[at] = word(converted.as_ptr().cast());
        self.texts.push(converted);
    }

    /// Prepares a buffer whose capacity and length count characters or bytes.
    unsafe fn room(&mut self, at: usize, out: *mut C, bytes: bool) {
        use Function::{SQLColAttribute, SQLColAttributes, SQLGetDescField, SQLGetDescRec, SQLGetInfo};
        let capacity = self.int(at + 1).max(0) as usize / if bytes { size_of::<C>() } else { 1 };
        let counts_otherwise = match self.function {
            SQLGetDescRec => true,
            SQLGetDescField => !C::WIDE,
            _ => bytes,
        };
        let length = match self.words.get(at + 2) {
            Some(Word::Number(pointer, number)) if counts_otherwise && !pointer.is_null() => {
                Some((*number, number.watch()))
            }
            _ => None,
        };
        let mut buffer = Vec::new();
        if !out.is_null() && capacity > 0 {
            buffer = vec![C::Other::ZERO; capacity + 2];
            let pointer = buffer.as_mut_ptr().cast();
            self.words[at] = if bytes { Word::Value(pointer) } else { Word::Room(pointer) };
            if bytes {
                let more = usize::from(!C::WIDE && matches!(self.function, SQLGetInfo | SQLGetDescField));
                let room = (capacity + more) * size_of::<C::Other>();
                let most = if matches!(self.function, SQLGetInfo | SQLColAttribute | SQLColAttributes) {
                    i16::MAX as usize - 1
                } else {
                    room
                };
                self.words[at + 1] = Word::Int(room.min(most) as i64);
            }
        }
        if !buffer.is_empty() || length.is_some() {
            self.rooms.push(Room { buffer, out, capacity, length });
        }
    }

    /// Copies what the driver wrote to the application, after a call that returned `code`.
    pub fn finish(self, code: i16) {
        use Function::{SQLColAttribute, SQLColAttributes, SQLGetDescRec, SQLGetInfo};
        for room in self.rooms {
            let given = rc::succeeded(code) || code == rc::NEED_DATA;
            let mut written = 0;
            if given && !room.buffer.is_empty() {
                // SAFETY: the application's buffer and its capacity.
                written = unsafe { give_text(&room.buffer, room.out, room.capacity) };
            }
            let Some((number, watched)) = room.length else { continue };
            let Some(length) = watched.written().filter(|_| given) else { continue };
            let all_of_it = code == rc::SUCCESS || !matches!(self.function, SQLColAttribute | SQLColAttributes);
            number.write(match (C::WIDE, self.function) {
                (true, _) => length.value * 2,
                (false, SQLGetInfo | SQLGetDescRec) if !room.buffer.is_empty() => written as i64,
                (false, SQLGetDescRec) => length.value,
                (false, _) if all_of_it => length.value / 2,
                (false, _) => length.value,
            });
        }
    }
}

/// Copies a text to the application in its width, with a terminator. Returns the length of what it got.
///
/// # Safety
/// `out` is valid for writes of `capacity` characters, and `capacity` is not 0.
pub unsafe fn give_text<C: Width>(text: &[C::Other], out: *mut C, capacity: usize) -> usize {
    let units = text.split(|unit| *unit == C::Other::ZERO).next().unwrap_or_default();
    let text = C::Other::convert(units, capacity * size_of::<C>());
    let written = text.len().min(capacity - 1);
    // SAFETY: within the capacity.
    unsafe {
        for (at, unit) in text.iter().take(written).enumerate() {
            out.add(at).write_unaligned(*unit);
        }
        out.add(written).write_unaligned(C::ZERO);
    }
    written
}

/// Returns whether the SQLPOINTER among the arguments points at a text.
fn value_is_text(function: Function, words: &[Word]) -> bool {
    let int = |at: usize| if let Some(Word::Int(number)) = words.get(at) { *number } else { 0 };
    let shape = match function {
        Function::SQLGetInfo => shape::info(int(0) as u16),
        Function::SQLGetDescField | Function::SQLSetDescField => shape::descriptor(int(1) as i16),
        Function::SQLColAttribute | Function::SQLColAttributes => shape::column(int(1) as u16),
        Function::SQLGetConnectAttr | Function::SQLSetConnectAttr => shape::connection(int(0) as i32),
        _ => return false,
    };
    shape == Shape::Text
}

impl Function {
    /// Returns whether the length of the function's text is an SQLINTEGER.
    fn takes_long_text(self) -> bool {
        use Function::{SQLExecDirect, SQLNativeSql, SQLPrepare, SQLSetConnectAttr, SQLSetDescField};
        matches!(self, SQLExecDirect | SQLPrepare | SQLNativeSql | SQLSetConnectAttr | SQLSetDescField)
    }
}
