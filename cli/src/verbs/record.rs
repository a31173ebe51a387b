//! `super8 record`: runs a command with its real drivers and writes the cassette.

use crate::exit::{Exit, Failure, Outcome};
use crate::wrap::{Mode, Wrapped};
use crate::{cassette, edit, output};
use clap::Args;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use super8_cassette::{Metadata, Store, Value, convert, create, with_parts_or_alone, yaml};
use super8_matching::{VolatileValues, find_volatile, rule_text};

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
        let shown = self.wrapped.cassette().display();
        if !self.find_volatile {
            return self.wrapped.run(Mode::Record, false);
        }
        let Some(own) = self.wrapped.one_name() else {
            let message = "--find-volatile needs the name of one cassette, without placeholders; nothing was run";
            return Err(Failure::new(format_args!("{shown}: {message}")).with(Exit::CannotStart));
        };
        let recorded = self.wrapped.run(Mode::Record, false)?;
        if !self.wrapped.accepts(recorded) {
            note(
                "the first run failed, so there is no second one: no volatile values were looked for (--keep takes a command that ends \
                 with an exit code of its own)",
            );
            return Ok(recorded);
        }
        let first = only(&own)?;
        let scratch = edit::scratch()?;
        let second = scratch.path().join("second").join("again");
        let found = self.wrapped.run_with(&second, Mode::Record, false).and_then(|exit| match exit {
            exit if exit == recorded => {
                let second = only(&second)?;
                let by_connection = self.wrapped.counts_by_connection(first.metadata()?.order);
                Ok(Ok(find_volatile(&*first, &*second, by_connection)?))
            }
            failed => Ok(Err(failed)),
        });
        let found = match found {
            Ok(Ok(found)) => found,
            failed => {
                // the messages above name this directory, so it is kept
                let kept = scratch.keep();
                note(&format!(
                    "the second run did not succeed; its recording is below {}. The first run has replaced {shown}, and no rules were \
                     written",
                    kept.display()
                ));
                return failed.map(|exit| exit.err().unwrap_or(Exit::Failed));
            }
        };
        self.prove(&*first, recorded, &found, scratch.path())
    }

    /// Replays without the rules that were found and, if that fails, with them. A replay passes if it ends as the recording did.
    fn prove(&self, first: &dyn Store, recorded: Exit, found: &VolatileValues, scratch: &Path) -> Outcome {
        if !found.rules.is_empty() || !found.open.is_empty() {
            note("replays without new rules first; it may report a mismatch");
        }
        let metadata = first.metadata()?;
        let replay = |metadata: &Metadata, below: &str| -> Result<(Exit, PathBuf), Failure> {
            let (exit, proof) = self.replay(first, metadata, &scratch.join(below))?;
            Ok((if exit == recorded { Exit::Done } else { exit }, proof))
        };
        let bare = replay(&metadata, "bare")?.0;
        // a rule `same` changes what the program reads, so it is needed even if the program does not notice
        let bare_will_do = bare == Exit::Done && found.rules.iter().all(|rule| rule.get("same").is_none());
        if bare_will_do || found.rules.is_empty() || !found.open.is_empty() {
            let exit = if bare_will_do || found.open.is_empty() { bare } else { Exit::Found };
            self.say(found, bare_will_do, exit, None)?;
            return Ok(if exit == Exit::Done { Exit::Done } else { Exit::Found });
        }
        note("replays with the rules that were found");
        let ruled = Metadata { volatile: [&metadata.volatile[..], &found.rules].concat(), ..metadata };
        let (exit, proof) = replay(&ruled, "ruled")?;
        let file = rules_file();
        let written = match self.write && exit == Exit::Done {
            true => Some(add(&file, &found.rules)),
            false => None,
        };
        self.say(found, false, exit, written.as_ref().map(Result::is_ok))?;
        if let Some(written) = written {
            written?;
            let proven = super8_cassette::open(&proof)?;
            convert(&*proven, &*create(first.name(), ruled)?)?;
        }
        Ok(if exit == Exit::Done { Exit::Done } else { Exit::Found })
    }

    /// Replays a copy with this metadata. Returns the result and the copy's path.
    fn replay(&self, first: &dyn Store, metadata: &Metadata, below: &Path) -> Result<(Exit, PathBuf), Failure> {
        // a trace gets the name of its directory
        let name = first.name().file_stem().unwrap_or_default().to_owned();
        let (played, file) = (below.join(&name), first.name().file_name().unwrap_or_default());
        let proof = match first.name().extension().is_some_and(|name| name == "ndjson") {
            true => played.join(file),
            false => played.clone(),
        };
        let directory = proof.parent().unwrap_or(&proof);
        std::fs::create_dir_all(directory).map_err(|error| {
            Failure::new(format_args!("cannot make the directory {}: {error}", directory.display()))
        })?;
        convert(first, &*create(&proof, metadata.clone())?)?;
        Ok((self.wrapped.run_with(&played, Mode::Replay, false)?, proof))
    }

    /// Writes what was found. `bare` says that a replay passes without new rules; `written` whether the rules could be
    /// written, if that was asked for.
    fn say(&self, found: &VolatileValues, bare: bool, exit: Exit, written: Option<bool>) -> Result<(), Failure> {
        let mut out = output::text();
        for line in &found.changed {
            writeln!(out, "changes: {line}")?;
        }
        for line in &found.made {
            writeln!(out, "made by the database, needs no rule: {line}")?;
        }
        for (what, lines) in [
            ("is read back", &found.read_back),
            ("is read back, but too short to be told from others: a replay gives what was recorded", &found.too_short),
            ("only the database makes it: a replay gives what was recorded", &found.by_database),
        ] {
            for line in lines {
                writeln!(out, "{what}: {line}")?;
            }
        }
        for line in &found.open {
            writeln!(out, "changes, and no rule covers it: {line}")?;
        }
        if bare {
            writeln!(out, "a replay passes without new rules: none are needed, and none are written")?;
            return output::finish(out);
        }
        if !found.rules.is_empty() {
            writeln!(out, "volatile:")?;
            for rule in &found.rules {
                writeln!(out, "  {}", rule_text(rule))?;
            }
        }
        let file = rules_file();
        match (exit, written) {
            (Exit::Done, Some(true)) => writeln!(out, "a replay passes; the rules are in {}", file.display())?,
            (Exit::Done, Some(false)) => writeln!(out, "a replay passes with these rules, but they are not written")?,
            (Exit::Done, None) => writeln!(
                out,
                "a replay passes with these rules: put them into {} and record again, or use --write",
                file.display()
            )?,
            (Exit::Found, _) => writeln!(out, "mark these values in the entries, or fix them in the program")?,
            _ if found.rules.is_empty() => {
                writeln!(out, "a replay does not pass, and no value was found that changes: see the mismatch")?;
            }
            _ => writeln!(out, "a replay does not pass with these rules: they are not written")?,
        }
        output::finish(out)
    }
}

/// Writes a line about the progress to standard error, between the reports of the runs.
fn note(line: &str) {
    _ = writeln!(anstream::stderr(), "super8 record --find-volatile: {line}");
}

/// Opens the cassette of a command with a single process.
fn only(path: &Path) -> Result<Box<dyn Store>, Failure> {
    match &with_parts_or_alone(path)[..] {
        [own] => Ok(cassette::open(own)?.store),
        _ => Err(Failure::new(format_args!(
            "{}: --find-volatile needs a command with a single process that opens this cassette",
            path.display()
        ))),
    }
}

/// Returns the file with the rules of the suite.
fn rules_file() -> PathBuf {
    std::env::var_os("SUPER8_CONFIG").map_or_else(|| PathBuf::from("super8.yml"), PathBuf::from)
}

/// Adds rules to a file and keeps everything else in it, byte by byte. If that is not possible, the file stays as it
/// was.
fn add(file: &Path, rules: &[Value]) -> Result<(), Failure> {
    let cannot = |what: &str, error: std::io::Error| {
        Failure::new(format_args!("cannot {what} {}, which is as it was: {error}", file.display()))
    };
    let before = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(cannot("read", error)),
    };
    let after = extended(file, &before, rules).ok_or_else(|| {
        Failure::new(format_args!(
            "{}: `volatile` is not a list with an item a line, so the file is as it was: put the rules above into it, and record \
             again",
            file.display()
        ))
    })?;
    // a symbolic link stays one
    let target = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = std::fs::metadata(&target).map_or(0o644, |there| there.permissions().mode() & 0o7777);
    let mut beside = tempfile::Builder::new()
        .prefix(".super8-rules")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory)
        .map_err(|error| cannot("write beside", error))?;
    beside.write_all(after.as_bytes()).map_err(|error| cannot("write beside", error))?;
    beside.persist(&target).map_err(|error| cannot("replace", error.error))?;
    Ok(())
}

/// Returns the text of a file of rules with these rules added; `None` if the new text, when parsed, is not exactly the
/// old content plus the rules.
fn extended(file: &Path, before: &str, rules: &[Value]) -> Option<String> {
    let document = |text: &str| match yaml::read_rules(text.as_bytes(), file) {
        Ok(Value::Map(pairs)) => Some(pairs),
        _ => None,
    };
    let mut expected = document(before)?;
    match expected.iter_mut().find(|(key, _)| key == KEY) {
        Some((_, Value::List(items))) => items.extend_from_slice(rules),
        Some((_, none @ Value::Null)) => *none = Value::List(rules.to_vec()),
        Some(_) => return None,
        None => expected.push((KEY.to_owned(), Value::List(rules.to_vec()))),
    }
    let lines: Vec<&str> = before.split_inclusive('\n').collect();
    let head = lines.iter().position(|line| value_of_key(line).is_some());
    let at = head.map_or(lines.len(), |head| head + 1);
    let is_content = |line: &&&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let next = lines[at..].iter().find(is_content).filter(|line| line.trim_start().starts_with('-'));
    let indent = next.map_or(2, |line| line.len() - line.trim_start().len());
    // added after the last item, so comments before the first one stay there
    let items = lines[at..].iter().take_while(|line| {
        let own = line.len() - line.trim_start().len();
        line.trim().is_empty()
            || line.trim_start().starts_with('#')
            || own > indent
            || own == indent && line.trim_start().starts_with('-')
    });
    let items = if next.is_some() { items.count() } else { 0 };
    let tail = lines[at..at + items].iter().rev().take_while(|line| !is_content(line)).count();
    let (kept, rest) = lines.split_at(at + items - tail);
    let mut text = kept.concat();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match head {
        // an empty list in brackets becomes a list with one item a line
        Some(head) if value_of_key(lines[head]) == Some("[]") => {
            text.truncate(lines[..head].concat().len());
            text.push_str(&lines[head].replacen("[]", "", 1).replacen(": ", ":", 1));
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        Some(_) => {}
        None => text.push_str("volatile:\n"),
    }
    for rule in rules {
        text.push_str(&format!("{:indent$}{}\n", "", rule_text(rule)));
    }
    text.push_str(&rest.concat());
    let mut found = document(&text)?;
    let by_key = |(one, _): &(String, Value), (other, _): &(String, Value)| one.cmp(other);
    found.sort_by(by_key);
    expected.sort_by(by_key);
    (found == expected).then_some(text)
}

/// The key of the rules.
const KEY: &str = "volatile";

/// Returns the value behind the key of the rules on its line, without a comment.
fn value_of_key(line: &str) -> Option<&str> {
    let keys = [KEY.to_owned(), format!("\"{KEY}\""), format!("'{KEY}'")];
    let value = keys.iter().find_map(|key| line.strip_prefix(key.as_str())?.trim_start().strip_prefix(':'))?.trim();
    Some(if value.starts_with('#') { "" } else { value.split(" #").next().unwrap_or_default().trim() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use super8_cassette::VolatileRules;

    #[test]
    fn rules_are_added_and_the_rest_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("super8.yml");
        let rule = |key: &str, value: Value| Value::Map(vec![(key.to_owned(), value)]);
        let position = vec![("position".to_owned(), Value::Int(2)), ("sql".to_owned(), "^it's".into())];
        let rules = vec![rule("type", "uuid".into()), Value::Map(position)];
        assert!(VolatileRules::new(&rules).is_ok());
        let added = |before: Option<&str>| {
            if let Some(text) = before {
                std::fs::write(&file, text).unwrap();
            }
            add(&file, &rules).map(|()| std::fs::read_to_string(&file).unwrap())
        };
        let own = "- type: uuid\n- {position: 2, sql: '^it''s'}\n";
        let indented = own.replace("- ", "  - ");
        assert_eq!(added(None).unwrap(), format!("volatile:\n{indented}"));
        assert_eq!(added(Some("key: a # mine\n")).unwrap(), format!("key: a # mine\nvolatile:\n{indented}"));
        let listed = added(Some("volatile:\n# mine\n- type: date\nkey: a\n")).unwrap();
        assert_eq!(listed, format!("volatile:\n# mine\n- type: date\n{own}key: a\n"));
        let commented = added(Some("volatile:  # mine\n  - type: date # day\n\n# key\nkey: a")).unwrap();
        assert_eq!(commented, format!("volatile:  # mine\n  - type: date # day\n{indented}\n# key\nkey: a"));
        assert_eq!(added(Some("\"volatile\":\n- type: date")).unwrap(), format!("\"volatile\":\n- type: date\n{own}"));
        assert_eq!(added(Some("volatile: [] # none\n")).unwrap(), format!("volatile: # none\n{indented}"));
        assert_eq!(added(Some("# nothing\n")).unwrap(), format!("# nothing\nvolatile:\n{indented}"));
        let fixed = [
            "volatile: [{type: date}]\n",
            "{volatile: [{type: time}]}\n",
            "{key: a}\n",
            "? volatile\n: - type: date\n",
            "key: a\n...\n",
            "volatile:\n  - type: date\nvolatile:\n  - type: time\n",
            "volatile: 5\n",
            "- a\n",
        ];
        for before in fixed {
            assert!(added(Some(before)).is_err(), "{before}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
