//! C programs that call every function and print every byte it wrote.

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, four_ways};

macro_rules! on_every_database {
    ($($module:ident $source:literal,)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn on_sqlite() {
                four_ways(&Program::c($source), Driver::Sqlite);
            }

            #[test]
            fn on_postgres() {
                four_ways(&Program::c($source), Driver::PostgresUnicode);
            }

            #[test]
            fn on_postgres_ansi() {
                four_ways(&Program::c($source), Driver::PostgresAnsi);
            }

            #[test]
            fn on_mariadb() {
                four_ways(&Program::c($source), Driver::MariaDb);
            }
        }
    )*};
}

on_every_database! {
    connect "connect.c",
    bound "bound.c",
    get_data "get_data.c",
    metadata "metadata.c",
    catalog "catalog.c",
    params "params.c",
    at_execution "at_execution.c",
    param_arrays "param_arrays.c",
    long_array "long_array.c",
    results "results.c",
    diagnostics "diagnostics.c",
    transactions "transactions.c",
    long_values "long.c",
    wide "wide.c",
    odbc2 "odbc2.c",
    scroll "scroll.c",
    descriptors "descriptors.c",
    positioned "positioned.c",
    outputs "outputs.c",
    cursor_library "cursor_library.c",
    long_messages "long_messages.c",
    left_bound "left_bound.c",
    every_field "every_field.c",
    answers "answers.c",
    unfetched "unfetched.c",
    growth "growth.c",
    memory "memory.c",
    cursors "cursors.c",
    old_and_rare "old_and_rare.c",
    number_widths "number_widths.c",
    bound_lengths "bound_lengths.c",
    small_buffers "small_buffers.c",
}

/// psqlodbc reads cursors that a procedure opened as results of the call, if it is told so.
#[test]
fn cursors_that_are_results() {
    for driver in [Driver::PostgresUnicode, Driver::PostgresAnsi] {
        four_ways(&Program::c("refcursors.c"), driver);
    }
}

/// What the other thread does is recorded as well, and a replay neither waits nor needs it.
#[test]
fn a_query_that_another_thread_cancels() {
    for driver in [Driver::PostgresUnicode, Driver::PostgresAnsi] {
        four_ways(&Program::c("cancel.c"), driver);
    }
}

/// What drivers make of buffers smaller than the message is theirs: PostgreSQL's cut it into records, and are recorded and
/// replayed so. For the others super8's own queue gives messages out by ODBC's rules.
#[test]
fn small_messages() {
    for driver in [Driver::PostgresUnicode, Driver::PostgresAnsi] {
        four_ways(&Program::c("small_messages.c"), driver);
    }
    for driver in [Driver::Sqlite, Driver::MariaDb] {
        Stage::new("small_messages", driver).bare_and_off(&Program::c("small_messages.c"));
    }
}

/// The drivers that convert these structures by themselves.
#[test]
fn sent_structures() {
    for driver in [Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        four_ways(&Program::c("sent_structures.c"), driver);
    }
}
