//! The tests of recording and playing. They are one program, because linking one for each file takes longer than running them.

mod support;

mod advice;
mod again;
mod any_order;
mod by_hand;
mod copies;
mod crash;
mod edited;
mod fault_threads;
mod generated;
mod golden;
mod mismatch;
mod ndjson;
mod parts;
mod readings;
mod recover;
mod redaction;
mod result_answers;
mod runs;
mod scope;
mod sessions;
mod stable;
mod threads;
