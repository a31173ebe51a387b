//! How super8 finds the real driver: four places in their order, every way to name one, and what it says when it cannot.

use std::process::Command;
use super8_tests::c_compiler;
use super8_tests::configuration::Configuration;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::products::Library;
use super8_tests::scratch::Scratch;
use super8_tests::ways::SOURCE;

/// The places, the strongest first.
#[derive(Default, Clone)]
struct Places {
    connection_string: Option<String>,
    environment: Option<String>,
    source: Option<String>,
    section: Option<String>,
}

impl Places {
    fn nth(index: usize, value: &str) -> Places {
        let mut places = Places::default();
        let all = [&mut places.connection_string, &mut places.environment, &mut places.source, &mut places.section];
        for (place, slot) in all.into_iter().enumerate() {
            if place == index {
                *slot = Some(value.into());
            }
        }
        places
    }

    fn and(mut self, weaker: Places) -> Places {
        self.connection_string = self.connection_string.or(weaker.connection_string);
        self.environment = self.environment.or(weaker.environment);
        self.source = self.source.or(weaker.source);
        self.section = self.section.or(weaker.section);
        self
    }
}

/// Connects through `library` with the real driver named in `places`.
fn connect(scratch: &Scratch, library: Library, places: &Places) -> Outcome {
    let with = |mut keys: Vec<(&'static str, String)>, real: &Option<String>| {
        keys.extend(real.iter().map(|real| ("RealDriver", real.clone())));
        keys
    };
    let section = with(vec![("Driver", library.path().display().to_string())], &places.section);
    let source = with(vec![("Driver", "tested".into()), ("Database", "who.db".into())], &places.source);
    let configuration = Configuration::new(scratch.directory("odbc"))
        .driver("tested", &section)
        .driver("named by section", &[("Driver", Driver::Sqlite.library())])
        .driver("named with a path", &[("Driver", Driver::Sqlite.path().display().to_string())])
        .driver("sixty-four", &[("Driver", "/nonexistent/thirty-two.so"), ("Driver64", Driver::Sqlite.library())])
        .source(SOURCE, &source);
    configuration.write();
    let mut string = format!("DSN={SOURCE};");
    if let Some(real) = &places.connection_string {
        string.push_str(&format!("RealDriver={{{real}}};"));
    }
    let mut command = Command::new(c_compiler::compiled("who.c"));
    command.args([&string, "sqlite", "", SOURCE, "", "", ""]);
    configuration.apply(&mut command);
    command.current_dir(scratch.directory("work")).env("SUPER8_MODE", "off");
    command.envs(places.environment.iter().map(|real| ("SUPER8_DRIVER", real)));
    Outcome::of(&command, b"")
}

fn accepted(outcome: &Outcome) {
    let shown = String::from_utf8_lossy(&outcome.all()).into_owned();
    assert!(outcome.succeeded() && outcome.text().contains("database SQLite"), "{shown}");
}

/// An IM003 that says it is super8's and names what was wrong.
fn refused(outcome: &Outcome, words: &[&str]) {
    let shown = String::from_utf8_lossy(&outcome.all()).into_owned();
    assert!(!outcome.succeeded(), "it was accepted:\n{shown}");
    let text = outcome.text();
    let told = text.lines().find(|line| line.contains("[IM003]") && line.contains("[super8]"));
    let told = told.unwrap_or_else(|| panic!("no IM003 of super8's:\n{shown}"));
    for word in words {
        assert!(told.contains(word), "`{word}` is not in: {told}");
    }
}

#[test]
fn each_place_is_looked_at_and_the_stronger_one_wins() {
    let scratch = Scratch::new("precedence");
    for strongest in 0..4 {
        let (mut good, mut bad) =
            (Places::nth(strongest, "named by section"), Places::nth(strongest, "no-such-driver"));
        accepted(&connect(&scratch, Library::Ansi, &good));
        for weaker in strongest + 1..4 {
            good = good.and(Places::nth(weaker, "no-such-driver"));
            bad = bad.and(Places::nth(weaker, "named by section"));
        }
        accepted(&connect(&scratch, Library::Ansi, &good));
        refused(&connect(&scratch, Library::Ansi, &bad), &["no-such-driver"]);
    }
}

#[test]
fn every_way_to_name_one() {
    let scratch = Scratch::new("names");
    let path = Driver::Sqlite.path().display().to_string();
    for name in ["named by section", "NAMED BY SECTION", "named with a path", "sixty-four", "libsqlite3odbc.so", &path]
    {
        for place in 0..4 {
            accepted(&connect(&scratch, Library::Ansi, &Places::nth(place, name)));
        }
    }
}

#[test]
fn none_named() {
    let scratch = Scratch::new("unnamed");
    refused(&connect(&scratch, Library::Ansi, &Places::default()), &["RealDriver"]);
}

#[test]
fn not_found() {
    let scratch = Scratch::new("absent");
    for name in ["/nonexistent/libreal.so", "libnosuchdriver.so", "No Such Section"] {
        refused(&connect(&scratch, Library::Ansi, &Places::nth(3, name)), &[name]);
    }
}

#[test]
fn not_a_library() {
    let scratch = Scratch::new("unloadable");
    let file = scratch.write("libtext.so", "this is no library").display().to_string();
    refused(&connect(&scratch, Library::Ansi, &Places::nth(3, &file)), &[&file]);
}

#[test]
fn not_a_driver() {
    let scratch = Scratch::new("no-driver");
    let library = "/lib/x86_64-linux-gnu/libm.so.6";
    if cfg!(target_arch = "x86_64") {
        refused(&connect(&scratch, Library::Ansi, &Places::nth(3, library)), &["libm.so.6"]);
    }
}

/// By path, by a link to it, by another copy's section, by the section itself.
#[test]
fn super8_itself() {
    let scratch = Scratch::new("itself");
    let itself = Library::Ansi.path();
    let link = scratch.join("liblink.so");
    std::os::unix::fs::symlink(&itself, &link).unwrap_or_else(|error| panic!("{error}"));
    let other = Library::Unicode.path();
    for name in [itself.display().to_string(), link.display().to_string(), "tested".into(), other.display().to_string()]
    {
        refused(&connect(&scratch, Library::Ansi, &Places::nth(3, &name)), &["is super8 itself"]);
    }
    for library in [Library::Ansi, Library::Unicode] {
        let name = library.path().display().to_string();
        refused(&connect(&scratch, Library::Unicode, &Places::nth(3, &name)), &["is super8 itself"]);
    }
}

#[test]
fn the_wrong_kind() {
    let scratch = Scratch::new("kind");
    // An ANSI driver behind the Unicode library: text would be converted by nobody.
    let unicode = connect(&scratch, Library::Unicode, &Places::nth(3, "libsqlite3odbc.so"));
    refused(&unicode, &["libsqlite3odbc.so", "libsuper8a.so"]);
    let ansi = connect(&scratch, Library::Ansi, &Places::nth(3, Driver::PostgresUnicode.library()));
    refused(&ansi, &["psqlodbcw.so", "libsuper8.so"]);
}
