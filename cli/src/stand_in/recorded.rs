//! The drivers and data sources a cassette was recorded with: what a replay has to declare.

use crate::exit::Failure;
use super8_cassette::{Cassette, Method, Value};
use super8_shim::driver::Kind;

/// Names from the connect entries of a cassette, with the kind of driver behind each. Empty for a cassette to be recorded.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Names (or libraries) given in `DRIVER=`.
    pub drivers: Names,
    /// Data sources.
    pub sources: Names,
    /// The kind of the driver the cassette was recorded with, the first one if there were several.
    pub kind: Option<Kind>,
}

/// Names of sections, which compare without case, with the kind of driver behind each.
#[derive(Debug, Default)]
pub struct Names(Vec<(Vec<u8>, Kind)>);

impl Names {
    /// The kind of driver behind a name.
    pub fn kind(&self, name: &[u8]) -> Option<Kind> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, kind)| kind)
    }

    /// All names, in the order in which they were connected to first.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Kind)> {
        self.0.iter().map(|(name, kind)| (name.as_slice(), *kind))
    }

    fn add(&mut self, name: &str, kind: Kind) {
        if !name.is_empty() && self.kind(name.as_bytes()).is_none() {
            self.0.push((name.as_bytes().to_vec(), kind));
        }
    }
}

impl Recorded {
    /// Reads the connect entries.
    ///
    /// # Errors
    /// The cassette cannot be read.
    pub fn of(cassette: &dyn Cassette) -> Result<Recorded, Failure> {
        let metadata = cassette.metadata()?;
        let first = metadata.driver.as_ref().map(|driver| kind(&driver.kind));
        let mut recorded = Recorded { kind: first.or(Some(Kind::Unicode)), ..Recorded::default() };
        let mut connects = Vec::new();
        cassette.scan(&mut |place, head| {
            if head.method == Method::Connect {
                connects.push(place);
            }
            Ok(())
        })?;
        for place in connects {
            let entry = cassette.entry(place)?;
            let text = |key: &str| entry.get(key).and_then(Value::as_text);
            let kind = text("kind").map(kind).or(recorded.kind).unwrap_or(Kind::Unicode);
            recorded.sources.add(text("dsn").unwrap_or_default(), kind);
            recorded.drivers.add(text("driver").unwrap_or_default(), kind);
        }
        Ok(recorded)
    }
}

fn kind(name: &str) -> Kind {
    if name == "ansi" { Kind::Ansi } else { Kind::Unicode }
}
