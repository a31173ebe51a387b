//! The wrapper's reports for scripts and for CI servers, whatever the verdict is.

use std::process::Command;
use super8_tests::desk::Desk;
use super8_tests::format::in_both_formats;
use super8_tests::outcome::Outcome;
use super8_tests::{packages, products, python};

const ALL: &str = "select name, price from fruit order by name";
const ONE: &str = "select price from fruit where name = 'pear'";
/// What markup, a terminal and XML 1.0 cannot have as it is.
const HOSTILE: &str = "select '<&\"]]>\u{1}\u{fffe}\u{1b}[31m'";

/// A program that swallows every error of the driver, with these statements, under `super8` with these words.
fn swallow(desk: &Desk, words: &[&str], statements: &[&str]) -> Outcome {
    let script = products::repository().join("tests/programs/python/swallow.py").display().to_string();
    let python = python::interpreter().display().to_string();
    desk.run(&[words, &["--", &python, &script, "DSN=shop"], statements].concat())
}

fn recorded(desk: &Desk) {
    let outcome = swallow(desk, &["record", "tape"], &[ALL, ONE]);
    assert_eq!(outcome.status, "exit status: 0", "{}", outcome.errors());
    desk.clear();
}

#[test]
fn for_scripts() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_report_json").in_format(format);
        recorded(&desk);
        let ended = swallow(&desk, &["replay", "--report", "json", "-o", "out/report.json", "tape"], &[ALL, HOSTILE]);
        assert_eq!(ended.status, "exit status: 120");
        let text = std::fs::read_to_string(desk.scratch.join("work/out/report.json")).unwrap_or_default();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!((&json["verdict"], &json["exit_code"]), (&"mismatch".into(), &120.into()), "{text}");
        assert!(json["cassettes"][0]["mismatch"]["report"].as_str().is_some_and(|report| report.contains("<&\"]]>")));
    });
}

/// Every verdict gives a file that JUnit's readers understand, with as many cases and failures as it says.
#[test]
fn for_ci_servers() {
    in_both_formats(|format| {
        let desk = Desk::new("cli_report_junit").in_format(format);
        recorded(&desk);
        let python = python::interpreter().display().to_string();
        let hard =
            format!("import os, pyodbc; pyodbc.connect('DSN=shop', autocommit=True).execute(\"{ALL}\"); os._exit(0)");
        let ways: [(u8, &[&str], usize, usize); 6] = [
            (0, &[ALL, ONE], 4, 0),
            (120, &[ALL, HOSTILE], 4, 1),
            (121, &[ALL], 4, 1),
            (119, &[], 3, 1),
            (118, &[&hard], 4, 1),
            (7, &[], 3, 2),
        ];
        for (code, statements, tests, failures) in ways {
            let words = ["replay", "--report", "junit", "-o", "report.xml", "tape"];
            let outcome = match code {
                119 => desk.run(&[&words[..], &["--", "true"]].concat()),
                118 => desk.run(&[&words[..], &["--", &python, "-c"], statements].concat()),
                7 => desk.run(&[&words[..], &["--", "sh", "-c", "exit 7"]].concat()),
                _ => swallow(&desk, &words, statements),
            };
            assert_eq!(outcome.status, format!("exit status: {code}"), "{}", outcome.errors());
            let word = outcome.errors();
            assert_eq!(word.contains(&format!("exit code {code}")), code != 0, "a word for the terminal: {word}");
            let mut xmllint = Command::new(packages::program("xmllint", "libxml2-utils"));
            xmllint.args(["--nonet", "--noout", "--schema"]).arg(products::repository().join("tests/tests/junit.xsd"));
            xmllint.arg("report.xml");
            desk.at(&mut xmllint);
            let valid = Outcome::of(&xmllint, b"");
            let text = std::fs::read_to_string(desk.scratch.join("work/report.xml")).unwrap_or_default();
            assert!(valid.succeeded(), "{}\n{text}", valid.errors());
            let counted = |part: &str| text.matches(part).count();
            assert_eq!((counted("<testcase "), counted("<failure ")), (tests, failures), "{code}: {text}");
            let counts = format!("<testsuites tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" ");
            assert!(text.contains(&counts), "{code}: {text}");
            assert_eq!(text.contains("&lt;&amp;&quot;]]&gt;"), code == 120, "{text}");
        }
    });
}
