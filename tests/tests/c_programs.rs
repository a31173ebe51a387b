//! C programs that call every function and print every byte it wrote.

use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way, four_ways};

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
    set_by_text "set_by_text.c",
    type_info "type_info.c",
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
    changing_fields "changing_fields.c",
    moments "moments.c",
    unfetched "unfetched.c",
    growth "growth.c",
    memory "memory.c",
    cursors "cursors.c",
    old_and_rare "old_and_rare.c",
    number_widths "number_widths.c",
    bound_lengths "bound_lengths.c",
    nulls "nulls.c",
    small_buffers "small_buffers.c",
    rowset_sizes "rowset_sizes.c",
    after_the_last_result "after_the_last_result.c",
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

/// An answer that was asked for with no room, or too little, does not stand for the whole one, in whichever order they come.
#[test]
fn texts_in_rooms_of_any_size() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        for rooms in ["0,100", "100,0", "0,100 no_length", "0,3,7,20,100", "20,3,0,100 no_length", "3,2,5,8,100"] {
            four_ways(&Program::c("rooms.c").with_argument(rooms), driver);
        }
        if driver != Driver::Sqlite {
            // its driver writes to a null pointer
            for rooms in ["-1,100", "100,-1", "-1,0,5,100 no_length"] {
                four_ways(&Program::c("rooms.c").with_argument(rooms), driver);
            }
        }
    }
}

/// What a program sets it reads back, whatever it set when it was recorded.
#[test]
fn what_is_set_is_read_back() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        let stage = Stage::new("set_and_asked", driver);
        let program = |value: &str| Program::c("set_and_asked.c").with_argument(value);
        let recorded = stage.run(Way::Record, &program("42"));
        program("42").check("record", &recorded);
        assert_same("17", ("42", &recorded), ("17", &stage.run(Way::Replay, &program("17"))));
    }
}

/// A buffer that holds zeros because the program put them there does not show that the driver writes zeros for NULLs: what is bound
/// is not looked at where the driver has not written.
#[test]
fn zeros_of_the_program_in_buffers_of_nulls() {
    let program = |filler: &str| Program::c("nulls.c").with_argument(format!("3,{filler}"));
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        let stage = Stage::new("nulls_in_rowsets", driver);
        let bare = stage.run(Way::Bare, &program("170"));
        program("0").check("record", &stage.run(Way::Record, &program("0")));
        assert_same("170", ("bare", &bare), ("replay", &stage.run(Way::Replay, &program("170"))));
    }
}

/// What a driver writes for a NULL it writes in every row of a rowset, and behind columns that are not bound.
#[test]
fn buffers_of_nulls_in_rowsets_and_behind_columns_that_are_not_bound() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        for argument in ["3,170", "2,90", "1,170,3", "3,170,2"] {
            four_ways(&Program::c("nulls.c").with_argument(argument), driver);
        }
    }
}

/// What is asked of a result before anything is fetched from it does not depend on what was fetched from the one before.
#[test]
fn results_from_which_nothing_is_fetched_yet() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        four_ways(&Program::c("new_results.c"), driver);
    }
}

/// The same question through functions of both widths, in rooms of several sizes: lengths are those of the width that asks.
#[test]
fn information_asked_in_both_widths() {
    for driver in [Driver::Sqlite, Driver::PostgresUnicode, Driver::PostgresAnsi, Driver::MariaDb] {
        for first in ["ansi", "wide"] {
            four_ways(&Program::c("both_widths.c").with_argument(first), driver);
        }
    }
}

/// What an output parameter's length variable holds before the execution is not followed into memory that is not there. MariaDB's
/// driver does follow it.
#[test]
fn output_parameters_before_memory_that_is_not_there() {
    for driver in [Driver::PostgresUnicode, Driver::PostgresAnsi] {
        for length in ["1000", "0", "3", "-3", "-99"] {
            four_ways(&Program::c("guarded_output.c").with_argument(length), driver);
        }
    }
    four_ways(&Program::c("guarded_output.c").with_argument("0"), Driver::MariaDb);
}
