//! The tests of the crate's public interface. They are one program, because linking one for each file takes longer than running them.

mod support;

mod advice;
mod again;
mod any_order;
mod by_hand;
mod copies;
mod crash;
mod documented_format;
mod edited;
mod fault_threads;
mod fields_page;
mod golden;
mod mismatch;
mod ndjson;
mod parts;
mod plain_page;
mod readings;
mod recover;
mod redaction;
mod result_answers;
mod rows;
mod runs;
mod schema_page;
mod scope;
mod sessions;
mod stable;
mod threads;
