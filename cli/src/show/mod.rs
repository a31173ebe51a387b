//! Showing a cassette: [`timeline`] reads it; [`text`], [`json`] and [`html`] are what comes of it.

pub mod html;
pub mod json;
pub mod lanes;
pub mod text;
pub mod timeline;
pub mod words;
