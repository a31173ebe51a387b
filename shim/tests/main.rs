//! The tests of the crate's public interface and of the pages made from it, in one program.

mod functions_page;
mod links_alone;
mod safety_page;
mod settings_page;
mod support;
