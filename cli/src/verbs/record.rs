//! `super8 record`: runs a command with its real drivers and writes the cassette.

use crate::exit::{Exit, Failure, Outcome};
use crate::wrap::{Mode, Wrapped};
use crate::{cassette, output};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use super8_cassette::player::{Found, find_volatile, rule_text};
use super8_cassette::{Metadata, Store, convert, create, with_parts_or_alone};

/// `super8 record CASSETTE -- COMMAND`
#[derive(Args)]
#[command(after_help = "\
Examples:
  super8 record cassettes/orders -- pytest tests/test_orders.py
  super8 record cassettes/orders -- isql -v shop
  super8 record --find-volatile cassettes/orders -- ./run_tests

docs/cli.md has the exit codes and says how the command finds super8.")]
pub struct Record {
    /// Run the command twice, and propose rules for the values that change from run to run; a replay proves them
    #[arg(long)]
    find_volatile: bool,
    /// Put the rules that were found into super8.yml and into the cassette
    #[arg(long, requires = "find_volatile")]
    write: bool,
    #[command(flatten)]
    wrapped: Wrapped,
}

impl Record {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        let recorded = self.wrapped.run(Mode::Record, false)?;
        if !self.find_volatile || recorded != Exit::Done {
            return Ok(recorded);
        }
        let scratch = tempfile::tempdir()?;
        let (own, again) = (self.wrapped.cassette().to_owned(), scratch.path().join("second").join("again"));
        let second = self.wrapped.run_with(&again, Mode::Record, false)?;
        if second != Exit::Done {
            return Ok(second);
        }
        let (first, second) = (only(&own)?, only(&again)?);
        let found = find_volatile(&*first, &*second)?;
        let metadata = first.metadata()?;
        let volatile = [&metadata.volatile[..], &found.rules].concat();
        let ruled = Metadata { volatile, ..metadata };
        // a trace has the name of its directory
        let name = first.name().file_stem().unwrap_or_default().to_owned();
        let (played, file) = (scratch.path().join(&name), first.name().file_name().unwrap_or_default());
        let proof = match first.name().extension().is_some_and(|name| name == "ndjson") {
            true => played.join(file),
            false => played.clone(),
        };
        std::fs::create_dir_all(proof.parent().unwrap_or(&proof))?;
        convert(&*first, &*create(&proof, ruled.clone())?)?;
        let exit = match found.open.is_empty() {
            true => self.wrapped.run_with(&played, Mode::Replay, false)?,
            false => Exit::Found,
        };
        self.say(&found, exit)?;
        if self.write && exit == Exit::Done && !found.rules.is_empty() {
            add(&rules_file(), &found)?;
            let target = first.name().to_owned();
            drop(first);
            let proven = super8_cassette::open(&proof)?;
            convert(&*proven, &*create(&target, ruled)?)?;
        }
        Ok(exit)
    }

    fn say(&self, found: &Found, exit: Exit) -> Result<(), Failure> {
        let mut out = output::text();
        for line in &found.changed {
            writeln!(out, "changes: {line}")?;
        }
        for line in &found.open {
            writeln!(out, "changes, and no rule covers it: {line}")?;
        }
        match (&found.rules[..], exit) {
            ([], Exit::Done) => writeln!(out, "no value changes from run to run that the rules do not cover")?,
            ([], _) => {}
            (rules, _) => {
                writeln!(out, "volatile:")?;
                for rule in rules {
                    writeln!(out, "  {}", rule_text(rule))?;
                }
            }
        }
        let file = rules_file();
        match exit {
            Exit::Done if found.rules.is_empty() => {}
            Exit::Done if self.write => writeln!(out, "a replay passes; the rules are in {}", file.display())?,
            Exit::Done => writeln!(
                out,
                "a replay passes with these rules: put them into {} and record again, or use --write",
                file.display()
            )?,
            Exit::Found => writeln!(out, "mark these values in the entries, or fix them in the program")?,
            _ => writeln!(out, "a replay does not pass with these rules: they are not written")?,
        }
        output::finish(out)
    }
}

/// The cassette of a command with a single process.
fn only(path: &Path) -> Result<Box<dyn Store>, Failure> {
    match &with_parts_or_alone(path)[..] {
        [own] => Ok(cassette::open(own)?.storage),
        _ => Err(Failure::new(format_args!(
            "{}: --find-volatile needs a command with a single process that opens this cassette",
            path.display()
        ))),
    }
}

/// The file with the rules of the suite.
fn rules_file() -> PathBuf {
    std::env::var_os("SUPER8_CONFIG").map_or_else(|| PathBuf::from("super8.yml"), PathBuf::from)
}

/// Adds rules to a file, which keeps everything else.
fn add(file: &Path, found: &Found) -> Result<(), Failure> {
    let before = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::new(format_args!("cannot read {}: {error}", file.display()))),
    };
    let lines: Vec<&str> = before.lines().collect();
    let head = lines.iter().position(|line| line.trim_end() == "volatile:");
    if head.is_none() && lines.iter().any(|line| line.starts_with("volatile:")) {
        return Err(Failure::new(format_args!(
            "{}: `volatile:` is not a list with an item a line: add the rules by hand",
            file.display()
        )));
    }
    let next = head.and_then(|head| lines[head + 1..].iter().find(|line| line.trim_start().starts_with('-')));
    let indent = next.map_or(2, |line| line.len() - line.trim_start().len());
    let rules: Vec<String> = found.rules.iter().map(|rule| format!("{:indent$}{}", "", rule_text(rule))).collect();
    let mut after: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    match head {
        Some(head) => _ = after.splice(head + 1..head + 1, rules),
        None => {
            after.push("volatile:".to_owned());
            after.extend(rules);
        }
    }
    let text = after.join("\n") + "\n";
    std::fs::write(file, text).map_err(|error| Failure::new(format_args!("cannot write {}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use super8_cassette::{Value, VolatileRules};

    #[test]
    fn rules_are_added_and_the_rest_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("super8.yml");
        let rule = |key: &str, value: Value| Value::Map(vec![(key.to_owned(), value)]);
        let position = vec![("position".to_owned(), Value::Int(2)), ("sql".to_owned(), "^it's".into())];
        let rules = vec![rule("type", "uuid".into()), Value::Map(position)];
        assert!(VolatileRules::new(&rules).is_ok());
        let found = Found { rules, ..Found::default() };
        let added = |before: Option<&str>| {
            if let Some(text) = before {
                std::fs::write(&file, text).unwrap();
            }
            add(&file, &found).map(|()| std::fs::read_to_string(&file).unwrap())
        };
        let own = "- type: uuid\n- {position: 2, sql: '^it''s'}\n";
        let indented = own.replace("- ", "  - ");
        assert_eq!(added(None).unwrap(), format!("volatile:\n{indented}"));
        assert_eq!(added(Some("key: a # mine\n")).unwrap(), format!("key: a # mine\nvolatile:\n{indented}"));
        let listed = added(Some("volatile:\n# mine\n- type: date\nkey: a\n")).unwrap();
        assert_eq!(listed, format!("volatile:\n{own}# mine\n- type: date\nkey: a\n"));
        assert!(added(Some("volatile: [{type: date}]\n")).is_err());
    }
}
