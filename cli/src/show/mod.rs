//! Showing a cassette: [`timeline`] reads it; [`text`], [`json`] and [`html`] are what comes of it, and [`index`] is
//! the page of a folder.

pub mod html;
pub mod index;
pub mod json;
pub mod text;
pub mod timeline;
