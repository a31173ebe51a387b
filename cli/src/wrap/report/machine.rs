//! The reports for programs: one JSON object for scripts, and JUnit's XML for CI servers, which has a suite for the run with
//! a case for the command and two for each cassette.

use super::text::overwritten;
use crate::events::Selected;
use crate::exit::Exit;
use crate::wrap::child::End;
use crate::wrap::verdict::{Leak, Played, Run};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde::Serialize;
use std::io;

/// A test case: its name and, if it failed, what is wrong: in one line, and in full.
pub type Case = (String, Option<(String, String)>);

/// Returns the report.
pub fn junit(run: &Run<'_>) -> String {
    // the first case is the command, and gets the whole time
    let seconds = |number: usize| if number == 0 { run.seconds } else { 0.0 };
    suite(&format!("super8 {} {}", run.verb, run.cassette), &cases(run), &seconds)
}

/// Returns the XML of a suite of cases. `seconds` gives the time of each case by its number.
pub fn suite(name: &str, cases: &[Case], seconds: &dyn Fn(usize) -> f64) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory does not fail.
    let _ = write(&mut writer, name, cases, seconds);
    String::from_utf8_lossy(&writer.into_inner()).into_owned() + "\n"
}

fn cases(run: &Run<'_>) -> Vec<Case> {
    let verdict = run.verdict;
    let command = run.command.join(" ");
    let ended = verdict.command_failed().then(|| {
        let line = format!("the command ended with {}", verdict.end);
        (line.clone(), format!("{line}\n{command}"))
    });
    let mut cases = vec![("the command succeeds".to_owned(), ended)];
    if verdict.cassettes.is_empty() {
        let line = "the command never connected through super8".to_owned();
        let whole = [std::slice::from_ref(&line), run.notes].concat().join("\n");
        cases.push(("the command connects through super8".to_owned(), Some((line, whole))));
    }
    if !verdict.remaining.is_empty() {
        let line = "what the command started was still running".to_owned();
        let whole: Vec<String> = verdict.remaining.iter().map(ToString::to_string).collect();
        cases.push(("the command's processes end".to_owned(), Some((line, whole.join("\n")))));
    }
    for played in &verdict.cassettes {
        cases.extend(of_cassette(played, verdict.command_failed(), verdict.was_signalled));
    }
    let leaks = (!verdict.leaks.is_empty() && !verdict.allow_leaks).then(|| {
        let lines: Vec<String> = verdict.leaks.iter().map(leaked).collect();
        (lines[0].clone(), lines.join("\n"))
    });
    cases.push(("handles are freed".to_owned(), leaks));
    cases
}

fn of_cassette(played: &Played, failed: bool, was_signalled: bool) -> Vec<Case> {
    let name = |what: &str| format!("{}: {what}", played.cassette);
    if played.mode != "replay" && !played.unopened && played.mismatch.is_none() {
        let overwritten = played.is_overwritten().then(|| overwritten(played));
        let unwritable = played.unwritable.clone().or(overwritten).map(|error| (error.clone(), error));
        return vec![(name("is recorded"), unwritable)];
    }
    let mismatch = played.mismatch.as_ref().map(|mismatch| (mismatch.headline.clone(), mismatch.report.clone()));
    let unplayed = match played.unplayed.len() {
        _ if played.unopened => {
            let line = "no process opened the cassette".to_owned();
            Some((line.clone(), line))
        }
        _ if played.is_unknown() => {
            let line = match was_signalled {
                true => "a process was stopped before it had played everything",
                false => "a process was killed: what it left unplayed is not known",
            };
            let line = line.to_owned();
            Some((line.clone(), line))
        }
        0 => None,
        count => Some((format!("{count} recorded commands were never played"), played.unplayed.join("\n"))),
    };
    let unplayed = unplayed.filter(|_| mismatch.is_none() && !failed);
    vec![(name("calls are as recorded"), mismatch), (name("every command is played"), unplayed)]
}

fn leaked(leak: &Leak) -> String {
    format!(
        "process {} left {} connections, {} statements, {} descriptors open",
        leak.pid, leak.connections, leak.statements, leak.descriptors
    )
}

fn write(writer: &mut Writer<Vec<u8>>, name: &str, cases: &[Case], seconds: &dyn Fn(usize) -> f64) -> io::Result<()> {
    let suite = clean(name);
    let failures = cases.iter().filter(|(_, failure)| failure.is_some()).count().to_string();
    let all = (0..cases.len()).map(seconds).sum::<f64>();
    let (tests, time) = (cases.len().to_string(), format!("{all:.3}"));
    let counts = [("tests", tests.as_str()), ("failures", failures.as_str()), ("errors", "0"), ("time", time.as_str())];
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.write_event(Event::Start(BytesStart::new("testsuites").with_attributes(counts)))?;
    let mut start = BytesStart::new("testsuite").with_attributes([("name", suite.as_str())]);
    start.extend_attributes(counts);
    start.push_attribute(("skipped", "0"));
    writer.write_event(Event::Start(start))?;
    for (number, (name, failure)) in cases.iter().enumerate() {
        let (name, time) = (clean(name), format!("{:.3}", seconds(number)));
        let attributes = [("name", name.as_str()), ("classname", suite.as_str()), ("time", time.as_str())];
        let case = BytesStart::new("testcase").with_attributes(attributes);
        let Some((line, whole)) = failure else {
            writer.write_event(Event::Empty(case))?;
            continue;
        };
        let line = clean(line);
        let failure = BytesStart::new("failure").with_attributes([("message", line.as_str()), ("type", "super8")]);
        writer.write_event(Event::Start(case))?;
        writer.write_event(Event::Start(failure))?;
        writer.write_event(Event::Text(BytesText::new(&clean(whole))))?;
        writer.write_event(Event::End(BytesEnd::new("failure")))?;
        writer.write_event(Event::End(BytesEnd::new("testcase")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
    writer.write_event(Event::End(BytesEnd::new("testsuites")))
}

/// Replaces the characters that XML 1.0 cannot express. A report quotes what a program asked, so it may contain any.
fn clean(text: &str) -> String {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}

#[derive(Serialize)]
struct Report<'a> {
    verb: &'a str,
    cassette: &'a str,
    command: &'a [String],
    /// `passed`, or the worst finding.
    verdict: &'static str,
    exit_code: u8,
    command_exit_code: Option<u8>,
    command_signal: Option<u8>,
    seconds: f64,
    cassettes: &'a [crate::wrap::verdict::Played],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    faults: &'a [crate::wrap::verdict::FaultNote],
    leaks: &'a [crate::wrap::verdict::Leak],
    /// Which tests were run, if not all.
    #[serde(skip_serializing_if = "Selected::is_all")]
    selected: &'a Selected,
    /// Processes that were still running.
    remaining: &'a [crate::wrap::child::Remaining],
    notes: &'a [String],
}

/// Returns the report.
pub fn json(run: &Run<'_>) -> String {
    let exit = run.verdict.exit();
    let (code, signal) = match run.verdict.end {
        End::Code(code) => (Some(code), None),
        End::Signal(signal) | End::Stopped(signal) => (None, Some(signal)),
    };
    let report = Report {
        verb: run.verb,
        cassette: run.cassette,
        command: run.command,
        verdict: word(exit),
        exit_code: exit.code(),
        command_exit_code: code,
        command_signal: signal,
        seconds: run.seconds,
        cassettes: &run.verdict.cassettes,
        faults: &run.verdict.faults,
        leaks: &run.verdict.leaks,
        selected: &run.verdict.selected,
        remaining: &run.verdict.remaining,
        notes: run.notes,
    };
    // Serializing fails only for maps whose keys are not text, and there is none.
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

/// Returns the name of a verdict in the report.
pub fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "passed",
        Exit::Mismatch => "mismatch",
        Exit::Unplayed => "unplayed",
        Exit::Unwritable => "unwritable",
        Exit::Leaked => "leaked",
        Exit::NeverConnected => "never_connected",
        Exit::Killed => "killed",
        Exit::StillRunning => "still_running",
        _ => "command_failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events;

    use crate::wrap::child::{End, Ended};
    use crate::wrap::verdict::Verdict;

    fn junit(events: &[events::Event]) -> String {
        let verdict =
            Verdict::of(Ended { end: End::Code(0), was_signalled: false, remaining: Vec::new() }, events, false);
        let command = ["app".to_owned(), "<&\"'".to_owned()];
        super::junit(&Run {
            verb: "replay",
            cassette: "c",
            command: &command,
            seconds: 1.5,
            verdict: &verdict,
            notes: &[],
        })
    }

    /// Returns the names of the elements and the unescaped text of the failures.
    fn parsed(xml: &str) -> (Vec<String>, String) {
        let mut reader = quick_xml::Reader::from_str(xml);
        reader.config_mut().check_end_names = true;
        let (mut names, mut text) = (Vec::new(), String::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => return (names, text),
                Event::Start(start) | Event::Empty(start) => {
                    names.push(String::from_utf8(start.name().as_ref().to_vec()).unwrap());
                    for attribute in start.attributes() {
                        attribute.unwrap().normalized_value(quick_xml::XmlVersion::Explicit1_0).unwrap();
                    }
                }
                Event::Text(part) => text.push_str(&part.decode().unwrap()),
                Event::GeneralRef(name) => {
                    let name = name.decode().unwrap().into_owned();
                    text.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap());
                }
                _ => {}
            }
        }
    }

    #[test]
    fn what_programs_ask_cannot_break_the_xml() {
        let cassette = "/c/<x>&\"\u{1}".to_owned();
        let (headline, hostile) = ("a \"b\" <c> & \u{0}".to_owned(), "]]></failure><x a='\u{1b}[31m'>&amp;".to_owned());
        let events = [
            events::Event::Opened { pid: 1, mode: "replay".to_owned(), cassette: cassette.clone(), attempt: 1 },
            events::Event::Mismatch { pid: 1, cassette, headline, report: hostile, command: None },
            events::Event::Closed { pid: 1 },
        ];
        let (names, text) = parsed(&junit(&events));
        assert_eq!(names, ["testsuites", "testsuite", "testcase", "testcase", "failure", "testcase", "testcase"]);
        assert!(text.contains("]]></failure><x a='\u{fffd}[31m'>&amp;"), "{text}");
    }

    #[test]
    fn all_well_is_no_failure() {
        let opened = events::Event::Opened { pid: 1, mode: "replay".to_owned(), cassette: "/c".to_owned(), attempt: 1 };
        let xml = junit(&[opened, events::Event::Closed { pid: 1 }]);
        assert!(!parsed(&xml).0.contains(&"failure".to_owned()) && xml.contains("failures=\"0\""), "{xml}");
        assert!(junit(&[]).contains("never connected"));
    }
}
