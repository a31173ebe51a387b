//! `libsuper8.so`: all of super8. It exports ANSI and Unicode functions, for real drivers that export both, and what
//! `libsuper8a.so` calls.
#![allow(unsafe_code)]

super8_shim::export!();
