//! Showing a cassette: [`timeline`] reads it; [`text`], [`json`] and [`html`] are what comes of it.

pub mod html;
pub mod json;
pub mod text;
pub mod timeline;
