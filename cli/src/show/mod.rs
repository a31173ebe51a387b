//! Shows a cassette: [`timeline`] reads it, [`text`], [`json`] and [`html`] write it, and [`index`] writes the page of
//! a folder.

pub mod html;
pub mod index;
pub mod json;
pub mod text;
pub mod timeline;
