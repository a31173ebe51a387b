//! The tests of the format: its documents and its rows. What is recorded and played again is tested in `matching`.

mod documented_format;
mod fields_page;
mod plain_page;
mod rows;
mod schema_page;
