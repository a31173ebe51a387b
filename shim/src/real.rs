//! The real drivers: a struct of entry points for each driver, filled from the table, and a small number for each.
#![allow(unsafe_code)]

use crate::args::Place;
use crate::driver::error::DriverErrorKind;
use crate::driver::{DriverError, Library};
use crate::odbc_table;
use crate::table::Function;
use parking_lot::Mutex;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

/// A handle as an application or a driver has it.
pub type Handle = *mut c_void;
/// An address as ODBC passes it.
pub type Pointer = *mut c_void;

/// The most real drivers, more than any process loads.
const MOST: usize = 64;
static DRIVERS: [OnceLock<[Driver; 3]>; MOST] = [const { OnceLock::new() }; MOST];
static OPENING: Mutex<()> = Mutex::new(());

/// A loaded real driver, as a connection uses it.
pub struct Driver {
    /// The library.
    pub library: &'static Library,
    /// Its ANSI (or only) entry points.
    pub ansi: Symbols<u8>,
    /// Its Unicode entry points.
    pub wide: Symbols<u16>,
    /// Whether the connection was made through a Unicode function of the driver, so that unixODBC calls it a Unicode
    /// driver.
    pub unicode: bool,
    /// Whether that was so although the application called the ANSI function, which the driver lacks.
    pub converted: bool,
    /// Whether the driver gives a statement's long message in pieces (`Diagnostic::in_pieces`), once that was seen.
    pub in_pieces: OnceLock<bool>,
    /// Whether the driver says SQL_SUCCESS to a buffer without room for a message, once that was seen.
    pub silent_without_room: OnceLock<bool>,
    /// The functions that the driver says it supports (SQL_API_ODBC3_ALL_FUNCTIONS), once it was asked.
    claims: OnceLock<Vec<u16>>,
    number: u32,
}

macro_rules! symbols {
    ($($api:literal $name:ident [$($wide:ident)?] $class:ident $(on $handle:ident)? ($($arg:ident: $ty:ty),*) $(by $hand:ident)? $(=> $meaning:expr)?;)*) => {
        /// The entry points of one width; `None` where the driver has none.
        #[allow(non_snake_case, missing_docs)]
        pub struct Symbols<Ch> {
            $(pub $name: Option<symbol_type!([$($handle)?] $($ty),*)>,)*
            width: std::marker::PhantomData<Ch>,
        }

        impl Symbols<u8> {
            fn of(library: &Library) -> Self {
                Symbols {
                    // SAFETY: the symbol of this name has the type the ODBC reference gives it.
                    $($name: look_up(library, concat!(stringify!($name), "\0")).map(|symbol| unsafe { std::mem::transmute(symbol) }),)*
                    width: std::marker::PhantomData,
                }
            }
        }

        impl Symbols<u16> {
            fn of(library: &Library) -> Self {
                Symbols {
                    // SAFETY: as for the ANSI entry points.
                    $($name: wide_name!($($wide)?).and_then(|name| look_up(library, name)).map(|symbol| unsafe { std::mem::transmute(symbol) }),)*
                    width: std::marker::PhantomData,
                }
            }
        }

        impl Driver {
            /// Returns whether the driver exports `function` in any width.
            pub fn exports(&self, function: Function) -> bool {
                match function {
                    $(Function::$name => self.ansi.$name.is_some() || self.wide.$name.is_some(),)*
                }
            }

            /// Returns whether the driver exports `function` in this width.
            pub fn exports_in<C: Width>(&self, function: Function) -> bool {
                match function {
                    $(Function::$name => C::symbols(self).$name.is_some(),)*
                }
            }
        }
    };
}

macro_rules! symbol_type {
    ([] $($ty:ty),*) => { unsafe extern "system" fn($($ty),*) -> i16 };
    ([$handle:ident] $($ty:ty),*) => { unsafe extern "system" fn(Handle, $($ty),*) -> i16 };
}

macro_rules! wide_name {
    () => {
        None::<&str>
    };
    ($wide:ident) => {
        Some(concat!(stringify!($wide), "\0"))
    };
}

odbc_table!(symbols);

fn look_up(library: &Library, name: &str) -> Option<std::ptr::NonNull<c_void>> {
    CStr::from_bytes_with_nul(name.as_bytes()).ok().and_then(|name| library.symbol(name))
}

impl Driver {
    /// Returns the entry points of a loaded library, looked up once per process.
    ///
    /// # Errors
    /// There are more drivers than this process can hold.
    pub fn of(library: &'static Library) -> Result<&'static Driver, DriverError> {
        let _one_at_a_time = OPENING.lock();
        let known = DRIVERS.iter().map_while(OnceLock::get).find(|[driver, ..]| driver.library.id() == library.id());
        if let Some([driver, ..]) = known {
            return Ok(driver);
        }
        let allocates = look_up(library, "SQLAllocHandle\0").or_else(|| look_up(library, "SQLAllocEnv\0")).is_some();
        let connects = ["SQLDriverConnect\0", "SQLDriverConnectW\0", "SQLConnect\0", "SQLConnectW\0"];
        if !allocates || !connects.iter().any(|name| look_up(library, name).is_some()) {
            let message = format!(
                "{} is not an ODBC driver: it has no functions to allocate handles and to connect; name the real driver's library",
                library.path().display()
            );
            return Err(DriverError::new(DriverErrorKind::CannotLoad, message));
        }
        if let Some((index, slot)) = DRIVERS.iter().enumerate().find(|(_, slot)| slot.get().is_none()) {
            let seen = |unicode, converted| Driver {
                in_pieces: OnceLock::new(),
                silent_without_room: OnceLock::new(),
                claims: OnceLock::new(),
                library,
                ansi: Symbols::<u8>::of(library),
                wide: Symbols::<u16>::of(library),
                unicode,
                converted,
                number: index as u32 + 1,
            };
            return Ok(&slot.get_or_init(|| [seen(false, false), seen(true, false), seen(true, true)])[0]);
        }
        let message = format!(
            "{MOST} real drivers are loaded already: {} is one too many for one process",
            library.path().display()
        );
        Err(DriverError::new(DriverErrorKind::CannotLoad, message))
    }

    /// Returns the driver with this key.
    #[inline]
    pub fn by_key(key: u32) -> Option<&'static Driver> {
        DRIVERS.get((key as usize >> 2).wrapping_sub(1))?.get()?.get(key as usize & 3)
    }

    /// Returns the key by which [`Driver::by_key`] finds the driver; never 0.
    pub fn key(&self) -> u32 {
        (self.number << 2) | (u32::from(self.unicode) + u32::from(self.converted))
    }

    /// Returns the driver's number (from 1), which is the same for every connection.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns the same driver as it is used by a connection that the application makes through `function` in this
    /// width.
    pub fn connected<C: Width>(&self, function: Function) -> Option<&'static Driver> {
        let (own, wide) = (self.exports_in::<C>(function), C::WIDE);
        Driver::by_key((self.number << 2) | (u32::from(own == wide) + u32::from(!own && !wide)))
    }

    /// Keeps what the driver said about the functions that it supports.
    pub fn claim(&self, supported: Place) {
        self.claims.get_or_init(|| (0..250).map(|word| supported.u16_at(word).unwrap_or(0)).collect());
    }

    /// Returns whether the driver manager uses an ANSI function of the driver's. It asks SQLGetFunctions about those
    /// only.
    pub fn claims(&self, function: Function) -> bool {
        let api = function.row().api;
        self.claims
            .get()
            .is_none_or(|words| words.get(usize::from(api >> 4)).is_some_and(|word| word >> (api & 15) & 1 == 1))
    }

    /// Returns whether the driver manager converts the texts of a call in this width if the driver lacks the function:
    /// to UTF-16 on a connection that was made through a Unicode function, to the application's codeset on others.
    pub fn converts<C: Width>(&self) -> bool {
        C::WIDE != self.unicode
    }
}

/// The entry points of a driver for one width of text.
pub trait Width: crate::args::Character + PartialEq {
    /// The other width.
    type Other: Width<Other = Self>;

    /// Returns the symbols of this width.
    fn symbols(driver: &Driver) -> &Symbols<Self>;
    /// Returns the text in the other width, in no more than `room` bytes.
    fn convert(units: &[Self], room: usize) -> Vec<Self::Other>;
}

impl Width for u8 {
    type Other = u16;

    fn symbols(driver: &Driver) -> &Symbols<u8> {
        &driver.ansi
    }
    fn convert(units: &[u8], _: usize) -> Vec<u16> {
        from_codeset(units)
    }
}

impl Width for u16 {
    type Other = u8;

    fn symbols(driver: &Driver) -> &Symbols<u16> {
        &driver.wide
    }
    fn convert(units: &[u16], room: usize) -> Vec<u8> {
        to_codeset(units, room)
    }
}

// The C library's own functions, which the driver manager calls too.
unsafe extern "C" {
    fn iconv_open(to: *const c_char, from: *const c_char) -> *mut c_void;
    fn iconv(
        descriptor: *mut c_void,
        input: *mut *mut c_char,
        input_left: *mut usize,
        output: *mut *mut c_char,
        output_left: *mut usize,
    ) -> usize;
    fn iconv_close(descriptor: *mut c_void) -> c_int;
}

/// The C library's name for UTF-16 without surrogates.
const UNICODE: &CStr = if cfg!(target_endian = "big") { c"UCS-2BE" } else { c"UCS-2LE" };

/// Returns the codeset of the application's locale.
fn codeset() -> &'static CStr {
    // SAFETY: the C library's own text, or none; a name of a codeset stays where it is until the locale changes.
    unsafe {
        let name = libc::nl_langinfo(libc::CODESET);
        if name.is_null() { c"ISO8859-1" } else { CStr::from_ptr(name) }
    }
}

/// Converts bytes into no more than `room` bytes; `None` if a character has no counterpart or they do not fit.
fn iconv_all(to: &CStr, from: &CStr, bytes: &[u8], room: usize) -> Option<Vec<u8>> {
    // SAFETY: two names; the descriptor is closed below.
    let descriptor = unsafe { iconv_open(to.as_ptr(), from.as_ptr()) };
    if descriptor as isize == -1 {
        return None;
    }
    let mut converted = vec![0u8; room];
    let (mut input, mut input_left) = (bytes.as_ptr().cast_mut().cast::<c_char>(), bytes.len());
    let (mut output, mut output_left) = (converted.as_mut_ptr().cast::<c_char>(), room);
    // SAFETY: live buffers and their true sizes; the input is only read.
    let outcome = unsafe {
        let outcome = iconv(descriptor, &mut input, &mut input_left, &mut output, &mut output_left);
        iconv_close(descriptor);
        outcome
    };
    converted.truncate(room - output_left);
    (outcome != usize::MAX).then_some(converted)
}

/// Returns UTF-16 in the application's codeset, in no more than `room` bytes. If the codeset lacks a character, or
/// there is no room, a character's low byte stands for it, as in unixODBC.
pub fn to_codeset(units: &[u16], room: usize) -> Vec<u8> {
    let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_ne_bytes()).collect();
    iconv_all(codeset(), UNICODE, &bytes, room.min(4 * units.len()))
        .unwrap_or_else(|| units.iter().take_while(|unit| **unit != 0).take(room).map(|unit| *unit as u8).collect())
}

/// Returns text of the application's codeset as UTF-16. If it is not valid, each byte stands for the character of its
/// number.
pub fn from_codeset(bytes: &[u8]) -> Vec<u16> {
    match iconv_all(UNICODE, codeset(), bytes, 2 * bytes.len()) {
        Some(converted) => converted.chunks_exact(2).map(|unit| u16::from_ne_bytes([unit[0], unit[1]])).collect(),
        None => bytes.iter().take_while(|byte| **byte != 0).map(|byte| u16::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_the_codeset_lacks_is_its_low_byte() {
        // The tests run in the C locale, whose codeset is ASCII.
        assert_eq!(to_codeset(&[0x61, 0x62], usize::MAX), b"ab");
        assert_eq!(to_codeset(&[0x61, 0xF6], usize::MAX), b"a\xf6");
        assert_eq!(to_codeset(&[0x61, 0x20AC], usize::MAX), b"a\xac");
        assert_eq!(to_codeset(&[0x61, 0x62, 0x63], 2), b"ab");
        assert_eq!(from_codeset(b"ab"), [0x61, 0x62]);
        assert_eq!(from_codeset(b"a\xf6"), [0x61, 0xF6]);
        assert_eq!(from_codeset(b""), [0u16; 0]);
    }
}
