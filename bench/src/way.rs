//! The ways a case is run: straight on the driver, or through super8 in one of its modes.

use std::fmt;

/// How a client reaches its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The driver manager loads the real driver.
    Bare,
    /// It loads super8, which passes everything through.
    Off,
    /// It loads super8, which records.
    Record,
    /// It loads super8, which replays; the real driver's path does not exist.
    Replay,
}

impl Way {
    /// All ways; a recording comes before its replay.
    pub const ALL: [Way; 4] = [Way::Bare, Way::Off, Way::Record, Way::Replay];

    /// The way of this name.
    pub fn named(name: &str) -> Result<Way, String> {
        Way::ALL
            .into_iter()
            .find(|way| way.name() == name)
            .ok_or_else(|| format!("there is no way `{name}`: bare, off, record and replay are"))
    }

    /// Its name, which is also the shim's mode where there is one.
    pub fn name(self) -> &'static str {
        match self {
            Way::Bare => "bare",
            Way::Off => "off",
            Way::Record => "record",
            Way::Replay => "replay",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
