//! Prints docs/functions.md from the table of functions: `cargo run -p super8-shim --example functions`.

use std::fmt::Write;
use super8_shim::support::{Support, support};
use super8_shim::table::{Class, Function};

fn main() {
    print!("{}", page());
}

const INTRODUCTION: &str = "\
<!-- Made from shim/src/table.rs and shim/src/support.rs:
     cargo xtask docs -->

# Functions

These are the functions that unixODBC looks for in a driver, and iODBC in an ANSI driver, before which `libsuper8a.so` stands.
Both of super8's libraries export all of them; `libsuper8.so` also exports those in the column \"Unicode\". With `SUPER8_MODE=off`
each call goes to the real driver as it came. A function that the real driver lacks returns IM001, and `SQLGetFunctions` says so.

## Classes

| Class | What it means |
| --- | --- |
| command | reaches the database. Recorded in the order in which it happens; replay wants it in that order, with the same inputs |
| answer | a question. Recorded when it is first asked and when its reply changes; replay answers it as often as it is asked, in any order |
| local | the application's own side: buffers, attributes. super8 tracks it to know what to record and what to fill in. Recorded only if the driver returns something other than `SQL_SUCCESS` |
| housekeeping | handles: allocating, closing, freeing, cancelling. Recorded if there is something to record; replay never insists on it |
| diagnostic | reads the records that the call before left; the cassette has those beside that call |

## Recording and replay

No function is refused while recording. If a cassette has only a part of what a function can do, the table says which.

";

/// Returns the whole page.
pub fn page() -> String {
    let (mut full, mut partly) = (0, 0);
    let mut rows = String::new();
    for function in Function::ALL {
        let row = function.row();
        let status = match support(*function) {
            Support::Full => {
                full += 1;
                "yes".to_owned()
            }
            Support::Partly(but) => {
                partly += 1;
                format!("partly: {but}")
            }
        };
        let wide = row.wide.map_or_else(String::new, |wide| format!("`{wide}`"));
        // Writing to a string cannot fail.
        let _ = writeln!(rows, "| {} | `{}` | {wide} | {} | {status} |", row.api, row.name, class(row.class));
    }
    let wide = Function::ROWS.iter().filter(|row| row.wide.is_some()).count();
    let mut page = INTRODUCTION.to_owned();
    let _ = writeln!(
        page,
        "{} functions, {wide} of them with a Unicode form: {full} in full, {partly} in part.\n",
        Function::ALL.len()
    );
    page.push_str(
        "| API id | Function | Unicode | Class | Recorded and replayed |\n| ---: | --- | --- | --- | --- |\n",
    );
    page + &rows
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Command => "command",
        Class::Answer => "answer",
        Class::Local => "local",
        Class::Housekeeping => "housekeeping",
        Class::Diagnostic => "diagnostic",
    }
}
