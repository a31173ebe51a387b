//! Runs programs under valgrind's memcheck, and tells which of the reported errors are super8's.

use crate::packages;
use crate::program::Program;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the command that runs `command` under memcheck, which writes its report to a file.
pub fn memcheck(command: &Command, report: &Path) -> Command {
    let mut checked = Command::new(packages::program("valgrind", "valgrind"));
    checked.args(["--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect", "--xml=yes"]);
    checked.arg(format!("--xml-file={}", report.display())).arg(command.get_program()).args(command.get_args());
    checked.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    checked
}

impl Program {
    /// Runs the program under memcheck.
    pub fn under_memcheck(self, report: PathBuf) -> Program {
        self.changed(move |command| memcheck(&command, &report))
    }
}

/// Returns the errors and leaks of a report that are super8's own: those whose innermost function outside the C library
/// is super8's. The driver and the driver manager have errors of their own, also when super8 calls them.
///
/// A report without an end is a fault as well, because the program did not end by itself.
///
/// # Panics
/// The report is not there.
pub fn faults(report: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(report).unwrap_or_else(|error| panic!("{}: {error}", report.display()));
    let unfinished = format!("{} has no end: did the program?", report.display());
    let unfinished = (!text.contains("</valgrindoutput>")).then_some(unfinished);
    let errors = text.split("<error>").skip(1).map(|error| error.split("</error>").next().unwrap_or_default());
    errors.filter(|error| is_ours(error)).map(told).chain(unfinished).collect()
}

/// Libraries whose frames are skipped: an error in them is their caller's.
const SERVANTS: [&str; 5] = ["/libc.so", "/libc-", "/ld-linux", "/vgpreload_", "/libm.so"];

fn frames(error: &str) -> impl Iterator<Item = &str> {
    let stack = error.split("<stack>").nth(1).and_then(|stack| stack.split("</stack>").next()).unwrap_or_default();
    stack.split("<frame>").skip(1)
}

/// Here the compiler compares two optional numbers before it checks whether they are there, which memcheck reports.
/// This crate has no unsafe code, so it is no error.
const BRANCHES_EARLY: &str = "super8_matching::play::turn";

fn is_ours(error: &str) -> bool {
    if tag(error, "kind") == "UninitCondition"
        && frames(error).next().is_some_and(|frame| tag(frame, "fn").contains(BRANCHES_EARLY))
    {
        return false;
    }
    let objects = frames(error).map(|frame| tag(frame, "obj"));
    let mut others = objects.filter(|object| !SERVANTS.iter().any(|servant| object.contains(servant)));
    others.next().is_some_and(|object| object.contains("/libsuper8"))
}

fn told(error: &str) -> String {
    let what = [tag(error, "what"), tag(error, "text")].concat();
    let places =
        frames(error).map(|frame| format!("\n    {} {}:{}", tag(frame, "fn"), tag(frame, "file"), tag(frame, "line")));
    format!("{}: {what}{}", tag(error, "kind"), places.take(16).collect::<String>())
}

/// Returns the text of the first element of this name.
fn tag<'x>(xml: &'x str, name: &str) -> &'x str {
    let begin = xml.split_once(&format!("<{name}>")).map(|(_, rest)| rest);
    begin.and_then(|rest| rest.split_once(&format!("</{name}>"))).map_or("", |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "<valgrindoutput>
<error><kind>InvalidRead</kind><what>Invalid read of size 1</what><stack>
<frame><obj>/usr/lib/valgrind/vgpreload_memcheck-amd64-linux.so</obj><fn>memcpy</fn></frame>
<frame><obj>/target/libsuper8.so</obj><fn>read</fn><file>read.rs</file><line>7</line></frame>
</stack></error>
<error><kind>Leak_DefinitelyLost</kind><xwhat><text>8 bytes are lost</text></xwhat><stack>
<frame><obj>/usr/lib/valgrind/vgpreload_memcheck-amd64-linux.so</obj><fn>malloc</fn></frame>
<frame><obj>/usr/lib/odbc/libmaodbc.so</obj><fn>MADB_Alloc</fn></frame>
<frame><obj>/target/libsuper8.so</obj><fn>forward</fn></frame>
</stack></error>
</valgrindoutput>";

    #[test]
    fn an_error_is_of_the_innermost_code_that_is_no_servant() {
        let errors: Vec<&str> = REPORT.split("<error>").skip(1).collect();
        assert_eq!(errors.iter().map(|error| is_ours(error)).collect::<Vec<_>>(), [true, false]);
        assert_eq!(told(errors[0]), "InvalidRead: Invalid read of size 1\n    memcpy :\n    read read.rs:7");
    }
}
