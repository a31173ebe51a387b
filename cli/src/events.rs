//! Reads the verdict file, in which wrapped processes write what happens in them: one line of JSON for each event.
//!
//! `SUPER8_VERDICT` names it; super8's library appends to it (docs/cli.md has the form).

use serde::{Deserialize, Serialize};

/// An event in a process.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(missing_docs)] // the fields are those of the file
pub enum Event {
    /// A cassette was opened, in this attempt at its test.
    Opened {
        pid: u32,
        mode: String,
        cassette: String,
        #[serde(default = "first")]
        attempt: u32,
    },
    /// The first call that was not as recorded.
    Mismatch { pid: u32, cassette: String, headline: String, report: String, command: Option<u64> },
    /// An event of a fault: a command that is made to fail once.
    Fault { pid: u32, cassette: String, what: String, command: Option<u64>, fault: String, text: String },
    /// Commands that the process did not play, said at its end or at an eject.
    Unplayed { pid: u32, cassette: String, commands: Vec<String> },
    /// The process has played every command of the cassette, or of one of these parts, which are alike so far. The last
    /// such event of a process counts.
    Finished { pid: u32, cassette: String, parts: Vec<String> },
    /// A cassette that is replayed has these parts.
    Parts { cassette: String, parts: Vec<String> },
    /// The process played this part.
    Took { pid: u32, cassette: String, part: String },
    /// The cassette shares a connection with one that is recorded while this one is replayed.
    Shares { cassette: String },
    /// The cassette could not be written.
    Unwritable { pid: u32, cassette: String, error: String },
    /// A recording was published.
    Published { pid: u32, cassette: String },
    /// Handles that the application had not freed when the process ended.
    Leaked { pid: u32, connections: u64, statements: u64, descriptors: u64 },
    /// The process ended by itself.
    Closed { pid: u32 },
    /// The files and tests that pytest was given, and how many of their tests it left out.
    Selected { given: Vec<String>, deselected: u64 },
    /// An event of a newer library.
    #[serde(other)]
    Unknown,
}

fn first() -> u32 {
    1
}

/// Which tests pytest was told to run, if not all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// The files and tests that it was given; only the first ones if they are many.
    pub given: Vec<String>,
    /// How many of their tests it left out.
    pub deselected: u64,
}

impl Selected {
    /// Makes it of the events. Each worker of pytest-xdist reports the same, so nothing is added up twice.
    pub fn of(events: &[Event]) -> Selected {
        let mut all = Selected::default();
        for event in events {
            if let Event::Selected { given, deselected } = event {
                for one in given {
                    if !all.given.contains(one) {
                        all.given.push(one.clone());
                    }
                }
                all.deselected = all.deselected.max(*deselected);
            }
        }
        all
    }

    /// Whether pytest ran all tests, as far as it reported.
    pub fn is_all(&self) -> bool {
        *self == Selected::default()
    }
}

impl Event {
    /// Returns the cassette that it is about, if it is about one.
    pub fn cassette(&self) -> Option<&str> {
        match self {
            Event::Opened { cassette, .. }
            | Event::Mismatch { cassette, .. }
            | Event::Fault { cassette, .. }
            | Event::Unplayed { cassette, .. }
            | Event::Finished { cassette, .. }
            | Event::Parts { cassette, .. }
            | Event::Took { cassette, .. }
            | Event::Unwritable { cassette, .. }
            | Event::Published { cassette, .. }
            | Event::Shares { cassette } => Some(cassette),
            Event::Leaked { .. } | Event::Closed { .. } | Event::Selected { .. } | Event::Unknown => None,
        }
    }
}

/// Parses all events, in order. Skips lines that cannot be parsed: a process that is killed while it writes leaves a
/// cut line.
pub fn read(text: &[u8]) -> Vec<Event> {
    text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_event_as_it_is_read() {
        let (page, library) = (include_str!("../../docs/cli.md"), include_str!("../../shim/src/verdict.rs"));
        let block = page.split("```json\n{\"event\"").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let lines: Vec<String> = format!("{{\"event\"{block}").lines().map(str::to_owned).collect();
        let events = read(lines.join("\n").as_bytes());
        assert_eq!(events.len(), lines.len(), "a line of docs/cli.md is not an event: {lines:#?}");
        assert!(!events.contains(&Event::Unknown), "{events:#?}");
        let said = library.split("say(\"").skip(1).filter_map(|rest| rest.split('"').next());
        for name in said.chain(["selected"]) {
            let shown =
                lines.iter().filter(|line| line.starts_with(&format!("{{\"event\":\"{name}\",\"pid\":"))).count();
            assert_eq!(shown, 1, "{name} in docs/cli.md");
        }
    }

    #[test]
    fn events_are_read_and_torn_or_unknown_lines_do_no_harm() {
        let text = "{\"event\":\"opened\",\"pid\":1,\"mode\":\"replay\",\"cassette\":\"/c\",\"format\":\"yaml\"}\n\
            {\"event\":\"ejected\",\"pid\":1}\n\
            {\"event\":\"mismatch\",\"pid\":1,\"cassette\":\"/c\",\"headline\":\"h\",\"report\":\"r\\nr\"}\n\
            {\"event\":\"unplayed\",\"pid\":1,\"cassette\":\"/c\",\"count\":1,\"commands\":[\"x\"]}\n{\"event\":\"clo";
        let cassette = "/c".to_owned();
        let (headline, report) = ("h".to_owned(), "r\nr".to_owned());
        assert_eq!(
            read(text.as_bytes()),
            [
                Event::Opened { pid: 1, mode: "replay".to_owned(), cassette: cassette.clone(), attempt: 1 },
                Event::Unknown,
                Event::Mismatch { pid: 1, cassette: cassette.clone(), headline, report, command: None },
                Event::Unplayed { pid: 1, cassette, commands: vec!["x".to_owned()] },
            ]
        );
        assert!(read(b"").is_empty());
    }
}
