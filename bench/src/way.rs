//! The ways to run a case: directly on the driver, or through super8 in one of its modes and formats.

use std::fmt;

/// The format of a cassette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A directory.
    Yaml,
    /// A trace.
    Ndjson,
}

impl Format {
    /// Returns its name, as in `SUPER8_FORMAT`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Yaml => "yaml",
            Format::Ndjson => "ndjson",
        }
    }
}

/// How a client reaches its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The driver manager loads the real driver.
    Bare,
    /// It loads super8, which passes everything through.
    Off,
    /// It loads super8, which records.
    Record(Format),
    /// It loads super8, which replays; the real driver's path does not exist.
    Replay(Format),
}

impl Way {
    /// All ways; a recording comes before its replay.
    pub const ALL: [Way; 6] = [
        Way::Bare,
        Way::Off,
        Way::Record(Format::Yaml),
        Way::Replay(Format::Yaml),
        Way::Record(Format::Ndjson),
        Way::Replay(Format::Ndjson),
    ];

    /// Returns the mode, or `bare`.
    pub fn mode(self) -> &'static str {
        match self {
            Way::Bare => "bare",
            Way::Off => "off",
            Way::Record(_) => "record",
            Way::Replay(_) => "replay",
        }
    }

    /// Returns the format of the cassette, if there is one.
    pub fn format(self) -> Option<Format> {
        match self {
            Way::Bare | Way::Off => None,
            Way::Record(format) | Way::Replay(format) => Some(format),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.format() {
            Some(Format::Ndjson) => f.pad(&format!("{} ndjson", self.mode())),
            _ => f.pad(self.mode()),
        }
    }
}
