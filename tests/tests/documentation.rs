//! The documentation: its commands exist, its links lead somewhere, and its listings do what they show.
//!
//! A listing is run as a reader would type it: on a desk with the data source `shop` on SQLite, in one shell for each page.
//! `SUPER8_BLESS=1` writes the output anew into the pages. In an output, a line `...` stands for any lines.

use std::collections::HashMap;
use std::fmt::Write;
use super8_tests::desk::Desk;
use super8_tests::outcome::Outcome;
use super8_tests::page::{Page, Step, error_texts, pages, product_sources};
use super8_tests::{products, python};

/// What a page calls the directory that its listing is run in.
const HOME: &str = "/home/me/shop";

/// What a page's reader has before the page's listing, besides the shop: a page, and how that was made.
const PREPARED: [(&str, &str); 1] = [(
    "docs/cli.md",
    r#"printf '%s\n' '<?php $a = odbc_connect("shop", "", "");' \
         '$rows = odbc_exec($a, "select name, price from fruit where price > 2"); while (odbc_fetch_row($rows));' \
         '$b = odbc_connect("DSN=shop", "", ""); @odbc_exec($b, "select * from vegetables"); odbc_close($b); odbc_close($a);' > two.php
       super8 record cassettes/orders -- php two.php
       mkdir tests; printf '%s\n' 'import pyodbc' 'def total(limit):' '    shop = pyodbc.connect("DSN=shop", autocommit=True)' \
         '    shop.execute("select sum(price) from fruit where price < ?", limit).fetchval()' '    shop.close()' \
         'def test_total(): total(9)' 'def test_discount(): total(4)' > tests/test_orders.py
       super8 record 'tapes/%t' -- python -m pytest -q"#,
)];

/// Blocks of text that are neither a usage nor an output, and why nothing prints them.
const PICTURES: [(&str, &str, &str); 1] = [(
    "docs/architecture.md",
    "        program\n",
    "it shows how the parts are built on each other, not what they print",
)];

fn help(words: &[&str]) -> String {
    let desk = Desk::new("documentation_help");
    let outcome = desk.run(&[words, &["--help"]].concat());
    assert!(outcome.succeeded(), "super8 {words:?} --help: {}", outcome.errors());
    outcome.text()
}

/// Every `super8 VERB --option` in the code of every page is one that the command has.
#[test]
fn commands_and_options_exist() {
    let overview = help(&[]);
    let verbs = overview.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
    let verbs: Vec<&str> = verbs.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let helps: HashMap<&str, String> =
        verbs.iter().filter(|verb| **verb != "help").map(|verb| (*verb, help(&[verb]))).collect();
    let (mut wrong, mut seen) = (String::new(), 0);
    for page in pages() {
        for line in page.code() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some(at) = words.iter().position(|word| *word == "super8") else { continue };
            // After these words a command begins; anything else is a sentence about super8, or a name.
            let begins = |word: &&str| matches!(*word, "$" | "sudo" | "do" | "-" | "run:" | "&&") || word.contains('=');
            let verb = words.get(at + 1).filter(|verb| verb.starts_with(|c: char| c.is_ascii_lowercase()));
            let Some(verb) = verb.filter(|_| words[..at].last().is_none_or(begins)) else { continue };
            let words = words[at + 2..].iter();
            for verb in verb.trim_end_matches([':', ',', ';']).split('|') {
                let Some(help) = helps.get(verb) else {
                    _ = writeln!(wrong, "{}: no verb {verb}: {line}", page.name);
                    continue;
                };
                seen += 1;
                for option in words.clone().take_while(|word| !matches!(**word, "--" | "|" | "#" | "&&")) {
                    let option = option.trim_start_matches('[').trim_end_matches([']', ',', ';', ')']);
                    let option = option.split('=').next().unwrap_or(option);
                    let known = || help.split_whitespace().any(|word| word.trim_end_matches(',') == option);
                    if option.starts_with('-') && !known() {
                        _ = writeln!(wrong, "{}: {verb} has no {option}: {line}", page.name);
                    }
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} commands were found");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    let mut wrong = String::new();
    for page in &pages {
        for link in page.links() {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { page.path() } else { page.path().with_file_name(file) };
            let found = target.exists();
            let found = match anchor.filter(|_| found) {
                Some(anchor) => Page { name: String::new(), text: std::fs::read_to_string(target).unwrap_or_default() }
                    .has_anchor(anchor),
                None => found,
            };
            if !found {
                _ = writeln!(wrong, "{}: {link}", page.name);
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{wrong}");
}

#[test]
fn listings_do_what_they_show() {
    let pages: Vec<Page> = pages().into_iter().filter(|page| page.text.contains("```console\n")).collect();
    assert!(!pages.is_empty());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| scope.spawn(|| run(page))).collect();
        running.into_iter().filter_map(|page| page.join().expect("a page's thread")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Types in a page's listing; says what came out differently.
fn run(page: &Page) -> Option<String> {
    let desk = Desk::new(&page.name);
    let prepared = PREPARED.iter().find(|(name, _)| *name == page.name).map_or("", |(_, lines)| lines);
    let mut script =
        format!("set -e; {{ {prepared}\n:; }} >prepared 2>&1 || cat prepared; rm -f prepared; set +e\nexec 2>&1\n");
    let steps = page.listing();
    for step in &steps {
        match step {
            Step::File { name, content } => {
                let directory = name.rsplit_once('/').map_or(".", |(directory, _)| directory);
                _ = write!(script, "mkdir -p '{directory}'\ncat > '{name}' <<'END OF FILE'\n{content}END OF FILE\n");
            }
            Step::Command { line, .. } => {
                _ = write!(script, "{}\nstatus=$?; printf '\\n\\001\\n'; (exit $status)\n", line.replace("\n> ", "\n"))
            }
        }
    }
    let file = desk.scratch.write("listing.sh", &script);
    let mut shell = std::process::Command::new("bash");
    shell.arg(file);
    desk.at(&mut shell);
    let (super8, python) = (products::super8(), python::environment().join("bin"));
    // The pages' Python and Ruby have the packages.
    let wheel = crate::packages::python().with_file_name("");
    shell.env("GEM_HOME", crate::packages::gem_home());
    // What the pages call the checkout of super8, with a release build in it.
    let checkout = desk.scratch.directory("super8/target");
    let links = [(products::repository().join("tests"), "../tests"), (super8.with_file_name(""), "release")];
    for (target, name) in links {
        std::os::unix::fs::symlink(target, checkout.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    shell.env("SUPER8", desk.scratch.join("super8"));
    let path = [super8.parent().unwrap_or(&super8), &wheel, &python];
    let path = path.map(|directory| directory.display().to_string()).join(":");
    shell.env("PATH", format!("{path}:/usr/local/bin:/usr/bin:/bin")).env("PYTHONDONTWRITEBYTECODE", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        shell.env(format!("GIT_{who}_NAME"), "me").env(format!("GIT_{who}_EMAIL"), "me@example.com");
        shell.env(format!("GIT_{who}_DATE"), "2026-11-29T12:00:00Z");
    }
    let outcome = Outcome::of(&shell, b"");
    let work = desk.scratch.join("work").display().to_string();
    let text = plain(&outcome.text().replace(&work, HOME));
    let outputs: Vec<&str> = text.split("\n\u{1}\n").collect();
    let commands = steps.iter().filter_map(|step| match step {
        Step::Command { line, output } => Some((*line, *output)),
        Step::File { .. } => None,
    });
    let (mut wrong, mut blessed) = (String::new(), Vec::new());
    for ((line, shown), real) in commands.zip(outputs.iter().chain(std::iter::repeat(&"the shell had ended"))) {
        let real: String = real.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        if !matches(&shown.lines().collect::<Vec<_>>(), &real.lines().collect::<Vec<_>>()) {
            _ = write!(wrong, "{}:\n$ {line}\n--- the page:\n{shown}--- the command:\n{real}", page.name);
            blessed.push((shown, real));
        }
    }
    if std::env::var_os("SUPER8_BLESS").is_some() {
        let mut text = page.text.clone();
        for (shown, real) in blessed.into_iter().rev() {
            let from = shown.as_ptr() as usize - page.text.as_ptr() as usize;
            text.replace_range(from..from + shown.len(), &real);
        }
        std::fs::write(page.path(), text).unwrap_or_else(|error| panic!("{}: {error}", page.name));
        return None;
    }
    (!wrong.is_empty()).then_some(wrong)
}

/// An output stands below the command that prints it, where `listings_do_what_they_show` compares the two. So a block of text is a
/// usage, whose verb and options are compared with the help, or it is a picture.
#[test]
fn blocks_of_text_are_no_outputs() {
    let (mut wrong, mut seen) = (String::new(), Vec::new());
    for page in pages() {
        for block in page.blocks().iter().filter(|block| matches!(block.language, "text" | "")) {
            let is_picture =
                |(name, begin, _): &&(&str, &str, &str)| *name == page.name && block.text.starts_with(begin);
            match PICTURES.iter().find(is_picture) {
                Some(picture) => seen.push(picture),
                None => block.text.lines().for_each(|line| {
                    if let Err(error) = is_usage(line.split(" #").next().unwrap_or_default()) {
                        _ = writeln!(wrong, "{}:{}: {line}: {error}", page.name, block.line);
                    }
                }),
            }
        }
    }
    assert!(wrong.is_empty(), "no usage, so make it a console block below its command:\n{wrong}");
    for picture in &PICTURES {
        assert!(seen.contains(&picture), "no page has {picture:?}");
    }
}

/// Whether a line is a usage of its verbs: it has every argument that their help shows. Its options are looked up by
/// `commands_and_options_exist`.
fn is_usage(line: &str) -> Result<(), String> {
    let Some(("super8", rest)) = line.split_once(' ') else { return Err("it is no command line of super8".to_owned()) };
    let (verbs, shown) = rest.split_once(' ').unwrap_or((rest, ""));
    for verb in verbs.split('|') {
        let help = help(&[verb]);
        let usage = help.lines().find_map(|line| line.strip_prefix("Usage: super8 ")).unwrap_or_default();
        // what stands for a value of the reader's own
        let arguments = |usage: &str| {
            let mut arguments: Vec<String> = Vec::new();
            let mut of_option = false;
            for word in usage.split([' ', '[', ']', '<', '>', '.', '|']).filter(|word| !word.is_empty()) {
                let is_argument =
                    word == "--" || !of_option && word.chars().all(|c| c.is_ascii_uppercase()) && word != "OPTIONS";
                of_option = word.starts_with("--") && word.len() > 2;
                if is_argument {
                    arguments.push(word.trim_end_matches('S').to_owned());
                }
            }
            arguments
        };
        // options stand in brackets, with their values
        let mut shown = shown.to_owned();
        while let Some(at) = shown.find("[--") {
            let end = shown[at..].find(']').map_or(shown.len(), |end| at + end + 1);
            shown.replace_range(at..end, "");
        }
        let (wanted, found) = (arguments(usage), arguments(&shown));
        if wanted.iter().any(|argument| !found.contains(argument)) {
            return Err(format!("super8 {verb} takes {usage}"));
        }
    }
    Ok(())
}

/// Whether these lines are those, where `...` may be any.
fn matches(shown: &[&str], real: &[&str]) -> bool {
    match (shown.split_first(), real.split_first()) {
        (None, _) => real.is_empty(),
        (Some((&"...", rest)), _) => (0..=real.len()).any(|from| matches(rest, &real[from..])),
        (Some((line, shown)), Some((other, real))) if line == other => matches(shown, real),
        _ => false,
    }
}

/// The output with one duration, one age and one date: they are others each time.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let text = text.replace(" second ago", " seconds ago");
    let ages: Vec<&str> = text.split(" seconds ago").collect();
    let (last, ages) = ages.split_last().unwrap_or((&"", &[]));
    let ages =
        ages.iter().map(|before| format!("{}12 seconds ago", before.trim_end_matches(|c: char| c.is_ascii_digit())));
    let text = ages.collect::<String>() + last;
    for word in text.split_inclusive([' ', '\n']) {
        let bare = word.trim_end();
        let seconds = bare.strip_suffix('s').filter(|number| number.contains('.') && number.parse::<f64>().is_ok());
        let date = bare.len() == 20 && bare.ends_with('Z') && bare.as_bytes()[10] == b'T';
        let attribute = bare.strip_prefix("time=\"").and_then(|rest| rest.split_once('"'));
        match (seconds, date) {
            _ if attribute.is_some() => _ = write!(plain, "time=\"0.050\"{}", attribute.map_or("", |(_, rest)| rest)),
            (Some(_), _) if plain.ends_with(" in ") => plain.push_str("0.05s"),
            (_, true) => plain.push_str("2026-11-29T12:00:00Z"),
            _ => plain.push_str(bare),
        }
        plain.push_str(&word[bare.len()..]);
    }
    plain
}

/// What is super8's own fault, or is said by code that no user's program runs.
const NOT_FOR_USERS: [&str; 5] = [
    "the cassette was opened to be read, not to be written",
    "the run of rows has ended",
    "there is no part to play",
    "enough",
    "cannot write to standard output: ...",
];

/// Every message of docs/troubleshooting.md is one of the code's, and every error of the code is there.
#[test]
fn troubleshooting_has_the_messages_of_the_code() {
    let page = Page::read("docs/troubleshooting.md");
    let (sources, mut wrong) = (product_sources(), String::new());
    let mut shown = Vec::new();
    for row in page.text.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split(" | ").next().unwrap_or_default();
        for message in cell.split('`').skip(1).step_by(2) {
            let parts: Vec<&str> = message.split("...").map(str::trim).filter(|part| !part.is_empty()).collect();
            for part in &parts {
                let part = part.trim_end_matches([':', ';', '"', ',']);
                if !sources.contains(part) && !sources.contains(&part.replace('"', "\\\"")) {
                    _ = writeln!(wrong, "no code says `{part}`, which the page has");
                }
            }
            shown.push(parts);
        }
    }
    for text in error_texts().iter().filter(|text| !NOT_FOR_USERS.contains(&text.as_str())) {
        let plain = |part: &&&str| part.trim_matches(|c: char| !c.is_alphanumeric()).len() > 3;
        let named = |parts: &Vec<&str>| parts.iter().filter(plain).any(|part| text.contains(part));
        if text.chars().filter(|c| c.is_alphabetic()).count() > 8 && !shown.iter().any(named) {
            _ = writeln!(wrong, "docs/troubleshooting.md does not have: {text}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
