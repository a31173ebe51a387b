//! Names the command that this process runs, for `%c` in a cassette's name: the program and its script without their
//! directories, so that the name is the same in every recording and on every machine.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use super8_cassette::text::is_in_file_names;

/// An interpreter, and which of its options are no script.
struct Interpreter {
    /// The program's name, without a version.
    names: &'static [&'static str],
    /// Options whose value is the next argument.
    values: &'static [&'static str],
    /// Options after which there is no script: the program text is the next argument.
    code: &'static [&'static str],
    /// Options whose value names what runs, as a script does.
    script: &'static [&'static str],
}

const INTERPRETERS: &[Interpreter] = &[
    Interpreter { names: &["python", "pypy"], values: &["-W", "-X"], code: &["-c"], script: &["-m"] },
    Interpreter { names: &["perl"], values: &["-I"], code: &["-e", "-E"], script: &[] },
    Interpreter { names: &["ruby"], values: &["-I", "-r", "-C", "-E"], code: &["-e"], script: &[] },
    Interpreter { names: &["php"], values: &["-d", "-c", "-z"], code: &["-r", "-B", "-R"], script: &["-f", "-F"] },
    Interpreter {
        names: &["node", "nodejs", "bun", "deno"],
        values: &["-r", "--require", "--import", "-C"],
        code: &["-e", "--eval", "-p", "--print"],
        script: &[],
    },
    Interpreter {
        names: &["java"],
        values: &["-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules"],
        code: &[],
        script: &["-jar", "-m", "--module"],
    },
    Interpreter { names: &["Rscript", "tclsh", "wish", "lua", "luajit"], values: &[], code: &["-e"], script: &[] },
    Interpreter {
        names: &["sh", "bash", "dash", "zsh", "ksh"],
        values: &["-o", "-O", "--rcfile"],
        code: &["-c", "-s"],
        script: &[],
    },
];

/// The variable in which `super8` hands down the command line that records again: its words, separated by
/// [`SEPARATOR`].
pub const RECORD_AGAIN: &str = "SUPER8_RECORD_AGAIN";
/// A character that no word of a command line contains.
pub const SEPARATOR: char = '\u{1f}';

/// Returns the name of this process's command.
pub fn of_this_process() -> String {
    name(&arguments(), std::env::current_exe().ok().as_deref())
}

/// Returns the name of another process's command, and the words of its command line.
pub fn of_process(process: u32) -> (String, Vec<OsString>) {
    let words = super8_cassette::platform::command_line_of(process);
    (name(&words, super8_cassette::platform::executable_of(process).as_deref()), words)
}

/// Returns the words of this process's command line.
pub fn arguments() -> Vec<OsString> {
    super8_cassette::platform::command_line()
}

/// Returns the name for these arguments. A daemon may have written a title over them; then only the executable is
/// known.
fn name(arguments: &[OsString], executable: Option<&Path>) -> String {
    let first = arguments.first().map(OsString::as_os_str).unwrap_or_default();
    let is_title = first.is_empty() || first.as_bytes().iter().any(|byte| matches!(byte, b' ' | b':' | b'('));
    if is_title {
        return plain(file_name(executable.map_or(first, Path::as_os_str)));
    }
    // A login shell's name begins with a dash.
    let program =
        OsStr::from_bytes(file_name(first).as_bytes().strip_prefix(b"-").unwrap_or(file_name(first).as_bytes()));
    let text = program.to_string_lossy();
    // `python`, `python3` and `python3.11` are one command.
    let unversioned = text.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let Some(interpreter) = INTERPRETERS.iter().find(|row| row.names.contains(&unversioned)) else {
        return plain(program);
    };
    match script(interpreter, &arguments[1..]) {
        Some(script) => format!("{unversioned}-{}", plain(file_name(script))),
        None => unversioned.to_owned(),
    }
}

/// Returns the script or module that an interpreter runs.
fn script<'a>(interpreter: &Interpreter, arguments: &'a [OsString]) -> Option<&'a OsStr> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let text = argument.to_str().unwrap_or_default();
        if text == "--" {
            return arguments.next().map(OsString::as_os_str);
        } else if interpreter.code.contains(&text) || text == "-" {
            return None;
        } else if interpreter.script.contains(&text) {
            return arguments.next().map(OsString::as_os_str);
        } else if interpreter.values.contains(&text) {
            arguments.next();
        } else if !text.starts_with('-') {
            return Some(argument);
        }
    }
    None
}

fn file_name(path: &OsStr) -> &OsStr {
    Path::new(path).file_name().unwrap_or(path)
}

/// Returns the name with letters, digits, `_`, `-` and `.` only, so that it can be used in a file name, and short
/// enough for a number behind it.
fn plain(name: &OsStr) -> String {
    let kept =
        name.as_bytes().iter().take(60).map(|byte| if is_in_file_names(*byte) { char::from(*byte) } else { '_' });
    let name: String = kept.collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "command".to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &[&str]) -> String {
        let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
        name(&arguments, Some(Path::new("/usr/sbin/proftpd")))
    }

    #[test]
    fn programs_and_scripts_are_named_without_their_directories() {
        for (line, expected) in [
            (&["/usr/bin/isql", "-b", "shop"][..], "isql"),
            (&["/usr/bin/perl", "-w", "-I", "lib", "t/orders.t", "x"], "perl-orders.t"),
            (&["perl", "-Ilib", "-e", "print 1"], "perl"),
            (&["/venv/bin/python3.11", "-X", "dev", "-m", "pytest", "tests"], "python-pytest"),
            (&["python3", "-c", "import x"], "python"),
            (&["ruby", "--", "a b.rb"], "ruby-a_b.rb"),
            (&["-bash"], "bash"),
            (&["java", "-cp", "x.jar", "-jar", "/opt/shop.jar"], "java-shop.jar"),
            (&["php", "-f", "a.php"], "php-a.php"),
            (&["sh", "-c", "isql shop"], "sh"),
            (&["proftpd: tester - 127.0.0.1: IDLE"], "proftpd"),
            (&["/opt/.hidden"], "_hidden"),
            (&["caf\u{e9}"], "caf__"),
        ] {
            assert_eq!(named(line), expected, "{line:?}");
        }
    }
}
