//! `libsuper8.so`: ANSI and Unicode entry points, for real drivers that export both.
#![allow(unsafe_code)]

super8_shim::export!(ansi wide);
