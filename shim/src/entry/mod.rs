//! The entry points, one per row and width of the table. Each consists of a panic guard, a handle look-up and a call.
//!
//! This is one of the places with `unsafe` code: it turns C arguments into [`Call`] values, and passes the untouched
//! arguments on to the real driver. The functions for handles, connecting and diagnostics are in `special`.
#![allow(unsafe_code)]

mod ask_again;
mod dispatch;
mod driver_records;
pub(crate) mod other_width;
mod real_call;
pub mod special;

use crate::args::{
    Binding, Buffer, Character, In, LengthOut, NumberOut, Out, Parameter, Place, TextIn, Unit, shape, shape::Shape,
};
use crate::call::{Call, Question};
use crate::odbc_table;
use crate::real::{Handle, Pointer};
use super8_cassette::Key;

use crate::table::Function;

macro_rules! entries {
    ($($api:literal $name:ident [$($wide:ident)?] $class:ident $(on $handle:ident)? ($($arg:ident: $ty:ty),*) $(by $hand:ident)? $(=> $meaning:expr)?;)*) => {
        /// The ANSI entry points, and those without text.
        #[allow(non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc, missing_docs, clippy::unnecessary_cast)]
        pub mod ansi {
            use super::*;
            type Ch = u8;
            const WIDE: bool = false;
            $(entry!($name, [$($wide)?] $(on $handle)? ($($arg: $ty),*) $(by $hand)? $(=> $meaning)?);)*
        }

        /// The Unicode entry points, by the names of their ANSI siblings.
        #[allow(non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc, missing_docs, clippy::unnecessary_cast)]
        pub mod wide {
            use super::*;
            type Ch = u16;
            const WIDE: bool = true;
            $(wide_entry!($name, [$($wide)?] $(on $handle)? ($($arg: $ty),*) $(by $hand)? $(=> $meaning)?);)*
        }
    };
}

macro_rules! wide_entry {
    ($name:ident, [] $($rest:tt)*) => {};
    ($name:ident, [$wide:ident] $($rest:tt)*) => { entry!($name, [$wide] $($rest)*); };
}

/// One entry point. It is inlined into the exported function, which calls it from another crate.
macro_rules! entry {
    ($name:ident, [$($wide:ident)?] on $handle:ident ($($arg:ident: $ty:ty),*) => $meaning:expr) => {
        #[inline]
        pub unsafe fn $name(handle: Handle, $($arg: $ty),*) -> i16 {
            dispatch::$handle(
                Function::$name,
                handle,
                move || meaning!($meaning),
                // SAFETY: the real driver's function of the same name gets the same arguments.
                move |driver, real| unsafe { on_driver!([$($wide)?] driver, $name, real, ($($arg),*)) },
            )
        }
    };
    ($name:ident, [] ($($arg:ident: $ty:ty),*) by hand) => {
        #[inline]
        pub unsafe fn $name($($arg: $ty),*) -> i16 {
            // SAFETY: the application's arguments, unchanged.
            unsafe { special::$name($($arg),*) }
        }
    };
    ($name:ident, [$wide:ident] ($($arg:ident: $ty:ty),*) by hand) => {
        #[inline]
        pub unsafe fn $name($($arg: $ty),*) -> i16 {
            // SAFETY: the application's arguments, unchanged.
            unsafe { special::$name::<Ch>($($arg),*) }
        }
    };
}

/// Calls the driver's function. A driver may have a function with texts in the other width only.
macro_rules! on_driver {
    ([] $driver:ident, $name:ident, $real:ident, ($($arg:ident),*)) => {
        Some(($driver.ansi.$name?)($real, $($arg),*))
    };
    ([$wide:ident] $driver:ident, $name:ident, $real:ident, ($($arg:ident),*)) => {
        other_width::in_width!(Ch, $driver, $name, $real, ($($arg),*))
    };
}

/// Evaluates a meaning. Some meanings make a place of a pointer, which is unsafe; others do not.
macro_rules! meaning {
    ($meaning:expr) => {{
        #[allow(unused_unsafe)]
        // SAFETY: the application's arguments, as the ODBC reference requires them (docs/safety.md).
        let call: Call<'_> = unsafe { $meaning };
        call
    }};
}

odbc_table!(entries);

// The functions in which the table writes its meanings.

unsafe fn characters<'a, C: Character>(pointer: *const C, length: isize) -> TextIn<'a> {
    // SAFETY: passed on from the entry point.
    unsafe { TextIn::new(pointer, length) }
}

fn int<N>(name: N, value: impl Into<i64>) -> (N, In<'static>) {
    (name, In::Int(value.into()))
}

unsafe fn words<'a, C: Character, N>(name: N, pointer: *const C, length: isize) -> (N, In<'a>) {
    // SAFETY: passed on from the entry point.
    (name, In::Text(unsafe { TextIn::new(pointer, length) }))
}

unsafe fn number(name: &'static str, pointer: impl Into<NumberOut>) -> (&'static str, Out) {
    // SAFETY: passed on from the entry point.
    (name, unsafe { Out::number(pointer) })
}

unsafe fn string<C: Character>(
    name: &'static str,
    pointer: *mut C,
    capacity: isize,
    length: impl Into<LengthOut>,
    unit: Unit,
) -> (&'static str, Out) {
    // SAFETY: passed on from the entry point.
    (name, unsafe { Out::text(pointer, capacity, length.into(), unit) })
}

unsafe fn shaped(name: &'static str, shape: Shape, buffer: Buffer) -> (&'static str, Out) {
    // SAFETY: passed on from the entry point.
    (name, unsafe { Out::shaped(shape, buffer) })
}

fn ask<'a, const I: usize, const O: usize>(inputs: [(Key, In<'a>); I], outputs: [(&'static str, Out); O]) -> Call<'a> {
    Call::Ask(Question { inputs: inputs.into(), outputs: outputs.into() })
}

fn catalog<'a, const N: usize>(arguments: [(&'static str, In<'a>); N]) -> Call<'a> {
    Call::Catalog { arguments: arguments.into() }
}

/// Declares the C functions of `libsuper8.so`.
#[macro_export]
macro_rules! export {
    () => {
        $crate::odbc_table!($crate::export_ansi);
        $crate::odbc_table!($crate::export_wide);
        $crate::export_interface!();
        $crate::export_to_ansi_library!();
        $crate::at_end!();
    };
}

/// Declares what `libsuper8a.so` calls besides the functions that have the same names as its own.
#[macro_export]
macro_rules! export_to_ansi_library {
    () => {
        /// Notes that `libsuper8a.so` is loaded and has a function at this address.
        #[unsafe(no_mangle)]
        pub extern "C" fn super8_ansi_library(function: *const ::std::ffi::c_void) {
            $crate::driver::process::remember_ansi_library(function as usize);
        }

        /// Serves SQLAllocHandle of `libsuper8a.so`. An environment that it allocates is for ANSI drivers.
        ///
        /// # Safety
        /// As SQLAllocHandle.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn super8_ansi_alloc_handle(
            kind: i16,
            input: *mut ::std::ffi::c_void,
            out: *mut *mut ::std::ffi::c_void,
        ) -> i16 {
            // SAFETY: the C caller's arguments, unchanged.
            unsafe { $crate::entry::special::ansi_alloc_handle(kind, input, out) }
        }

        /// Serves SQLAllocEnv of `libsuper8a.so`.
        ///
        /// # Safety
        /// As SQLAllocEnv.
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn super8_ansi_alloc_env(out: *mut *mut ::std::ffi::c_void) -> i16 {
            // SAFETY: the C caller's argument, unchanged.
            unsafe { $crate::entry::special::ansi_alloc_env(out) }
        }
    };
}

/// Exports the ANSI functions.
#[macro_export]
macro_rules! export_ansi {
    ($($api:literal $name:ident [$($wide:ident)?] $class:ident $(on $handle:ident)? ($($arg:ident: $ty:ty),*) $(by $hand:ident)? $(=> $meaning:expr)?;)*) => {
        #[allow(non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc, missing_docs)]
        mod exported_ansi {
            type Handle = *mut ::std::ffi::c_void;
            type Pointer = *mut ::std::ffi::c_void;
            type Ch = u8;
            $($crate::export_one!(ansi $name $name [$($handle)?] ($($arg: $ty),*));)*
        }
    };
}

/// Exports the Unicode functions.
#[macro_export]
macro_rules! export_wide {
    ($($api:literal $name:ident [$($wide:ident)?] $class:ident $(on $handle:ident)? ($($arg:ident: $ty:ty),*) $(by $hand:ident)? $(=> $meaning:expr)?;)*) => {
        #[allow(non_snake_case, clippy::too_many_arguments, clippy::missing_safety_doc, missing_docs)]
        mod exported_wide {
            type Handle = *mut ::std::ffi::c_void;
            type Pointer = *mut ::std::ffi::c_void;
            type Ch = u16;
            $($crate::export_one!(wide $name $($wide)? [$($handle)?] ($($arg: $ty),*));)*
        }
    };
}

/// Exports one C function under its C name.
#[macro_export]
macro_rules! export_one {
    (wide $name:ident [$($handle:ident)?] ($($arg:ident: $ty:ty),*)) => {};
    ($width:ident $name:ident $symbol:ident [] ($($arg:ident: $ty:ty),*)) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn $symbol($($arg: $ty),*) -> i16 {
            // SAFETY: the C caller's arguments, unchanged.
            unsafe { $crate::entry::$width::$name($($arg),*) }
        }
        $crate::export_for_libltdl!("libsuper8" $symbol ($($arg: $ty),*));
    };
    ($width:ident $name:ident $symbol:ident [$handle:ident] ($($arg:ident: $ty:ty),*)) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn $symbol(handle: Handle, $($arg: $ty),*) -> i16 {
            // SAFETY: the C caller's arguments, unchanged.
            unsafe { $crate::entry::$width::$name(handle, $($arg),*) }
        }
        $crate::export_for_libltdl!("libsuper8" $symbol (handle: Handle $(, $arg: $ty)*));
    };
}

/// Exports a C function a second time, under the name for which libltdl, and through it unixODBC, looks first: the
/// library's name, `_LTX_`, the function's. unixODBC looks for 155 functions at each connect. Each name that is not found
/// costs the dynamic linker a formatted message (docs/adr/0003-linking.md). An optimized build gives both names one address.
#[macro_export]
macro_rules! export_for_libltdl {
    ($library:literal $symbol:ident ($($arg:ident: $ty:ty),*)) => {
        const _: () = {
            #[unsafe(export_name = concat!($library, "_LTX_", stringify!($symbol)))]
            unsafe extern "system" fn function($($arg: $ty),*) -> i16 {
                // SAFETY: the C caller's arguments, unchanged.
                unsafe { $symbol($($arg),*) }
            }
        };
    };
}

/// Ends the cassettes when the process ends.
#[macro_export]
macro_rules! at_end {
    () => {
        #[used]
        #[unsafe(link_section = ".fini_array")]
        static AT_END: extern "C" fn() = {
            extern "C" fn at_end() {
                $crate::exit::run();
            }
            at_end
        };
    };
}
