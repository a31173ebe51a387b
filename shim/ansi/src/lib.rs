//! `libsuper8a.so`: ANSI entry points only, for real drivers that export no `...W` function.
#![allow(unsafe_code)]

super8_shim::export!(ansi);
