//! The pages of the manual: one for the command and one for each verb, and each says what the command's own help says.

use std::collections::BTreeSet;
use std::process::Command;
use super8_tests::desk::Desk;
use super8_tests::server::must;

fn help(desk: &Desk, words: &[&str]) -> String {
    let outcome = desk.run(&[words, &["--help"]].concat());
    assert!(outcome.succeeded(), "super8 {words:?} --help: {}", outcome.errors());
    outcome.text()
}

/// A page without roff's marks.
fn plain(roff: &str) -> String {
    let mut text = String::new();
    for line in roff.lines().filter(|line| !line.starts_with('.') || line.starts_with(".TH") || line.starts_with(".SH"))
    {
        text += line;
        text.push('\n');
    }
    for (mark, plain) in
        [("\\-", "-"), ("\\fB", ""), ("\\fI", ""), ("\\fR", ""), ("\\&", ""), ("\\*(Aq", "'"), ("\\\\", "\\")]
    {
        text = text.replace(mark, plain);
    }
    text
}

/// The long options that a text names as such.
fn options(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.len() > 3 && word.starts_with("--")).map(str::to_owned).collect()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_verb_has_its_page_and_its_page_says_what_its_help_says() {
    let desk = Desk::new("manual");
    let prefix = desk.scratch.directory("prefix");
    let mut tar = Command::new("tar");
    must(
        tar.args(["-x", "--strip-components=1", "-C"]).arg(&prefix).arg("-f").arg(crate::packages::package(".tar.xz")),
    );
    let overview = help(&desk, &[]);
    let verbs = overview.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
    let verbs: Vec<&str> = verbs.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let verbs: Vec<&str> = verbs.into_iter().filter(|verb| *verb != "help").collect();
    assert!(verbs.len() > 15, "{verbs:?}");
    let manual = prefix.join("share/man/man1");
    let there = std::fs::read_dir(&manual).unwrap_or_else(|error| panic!("{error}")).flatten();
    let there: BTreeSet<String> = there.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let wanted = verbs.iter().map(|verb| format!("super8-{verb}.1.gz")).chain(["super8.1.gz".to_owned()]);
    let wanted: BTreeSet<String> = wanted.collect();
    let missing: Vec<&String> = wanted.difference(&there).collect();
    assert!(missing.is_empty(), "the manual lacks {missing:?}: {there:?}");
    let more: Vec<&String> = there.difference(&wanted).filter(|name| !name.starts_with("super8-help")).collect();
    assert!(more.is_empty(), "the manual has pages of no verb: {more:?}");
    let page = |name: &str| plain(&must(Command::new("zcat").arg(manual.join(format!("{name}.1.gz")))));
    let all = page("super8");
    for verb in verbs {
        assert!(all.contains(&format!("super8-{verb}(1)")), "super8(1) does not name {verb}:\n{all}");
        let (help, page) = (help(&desk, &[verb]), page(&format!("super8-{verb}")));
        assert_eq!(options(&help), options(&page), "the options of super8 {verb} in its help and in its page");
        let first = help.lines().next().unwrap_or_default();
        assert!(first.len() > 10 && page.contains(first), "super8-{verb}(1) does not say: {first}\n{page}");
        let examples: Vec<&str> = help.lines().map(str::trim).filter(|line| line.starts_with("super8 ")).collect();
        for example in &examples {
            // the help breaks its lines at the terminal's width
            let said = words(&page).contains(&words(example));
            assert!(said, "super8-{verb}(1) does not have the example `{example}`:\n{page}");
        }
        assert!(!examples.is_empty() || verb == "completions", "super8 {verb} --help has no example:\n{help}");
    }
}
