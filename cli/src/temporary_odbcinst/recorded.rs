//! The drivers and data sources that a cassette was recorded with. A replay has to declare them.

use crate::exit::Failure;
use std::path::PathBuf;
use super8_cassette::{Key, Method, Store, Value};
use super8_shim::args::encode_bytes;
use super8_shim::config::keywords::is_harmless;
use super8_shim::driver::{Kind, find};

/// The names in the connect entries of cassettes, with the kind of driver behind each. Empty if a cassette is to be
/// recorded.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Names (or libraries) given in `DRIVER=`.
    pub drivers: Names,
    /// Data sources.
    pub sources: Names,
    /// The kind of the driver that the cassette was recorded with; of the first one if there were several.
    pub kind: Option<Kind>,
}

impl Recorded {
    /// Returns a message that lists what can be connected to at replay, for a program that connected to none of it.
    /// `whose` begins the message: with `the cassette has` it is `the cassette has connects only to ...`.
    pub fn connectable(&self, whose: &str) -> Option<String> {
        let list = |names: &Names| {
            let mut list: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(&name.name).into_owned()).collect();
            list.sort();
            list
        };
        let (sources, drivers) = (list(&self.sources), list(&self.drivers));
        let both = [("data source", sources), ("driver", drivers)];
        let named = both.iter().filter(|(_, names)| !names.is_empty());
        let named: Vec<String> = named
            .map(|(what, names)| format!("the {what}{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", ")))
            .collect();
        let message = || format!("{whose} connects only to {}", named.join(" and "));
        (!named.is_empty()).then(message)
    }
}

/// A data source or driver that was connected to.
#[derive(Debug)]
pub struct Name {
    /// Its name.
    pub name: Vec<u8>,
    /// The kind of driver behind it.
    pub kind: Kind,
    /// The keys of the data source's section, as far as the cassette has them.
    pub keys: Vec<(String, String)>,
}

/// Names of sections, compared without case, in the order of their first connects.
#[derive(Debug, Default)]
pub struct Names(Vec<Name>);

impl Names {
    /// Returns the kind of driver behind a name.
    pub fn kind(&self, name: &[u8]) -> Option<Kind> {
        self.iter().find(|known| known.name.eq_ignore_ascii_case(name)).map(|known| known.kind)
    }

    /// Returns all names.
    pub fn iter(&self) -> impl Iterator<Item = &Name> {
        self.0.iter()
    }

    fn add(&mut self, name: &str, kind: Kind, keys: Vec<(String, String)>) {
        // unixODBC looks up the name that a Unicode program gives in ISO-8859-1, and the name of other programs as it
        // is. It passes the name that it looked up to a driver without Unicode functions. So both forms are declared.
        let latin: Option<Vec<u8>> = name.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
        for name in std::iter::once(encode_bytes(name)).chain(latin) {
            self.push(Name { name, kind, keys: keys.clone() });
        }
    }

    fn push(&mut self, name: Name) {
        if !name.name.is_empty() && self.kind(&name.name).is_none() {
            self.0.push(name);
        }
    }
}

impl Recorded {
    /// Reads what several cassettes name together.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn of_all(cassettes: &[PathBuf]) -> Result<Recorded, Failure> {
        let mut all = Recorded::default();
        for cassette in cassettes {
            all.add(Recorded::of(crate::cassette::open(cassette)?.store.as_ref())?);
        }
        Ok(all)
    }

    /// Reads what several cassettes name together, and skips those that cannot be read. Only the processes of the command know which of them they
    /// open; they report what is wrong with one.
    pub fn of_readable(cassettes: &[PathBuf]) -> Recorded {
        let mut all = Recorded::default();
        for cassette in cassettes {
            let recorded = crate::cassette::open(cassette).and_then(|opened| Recorded::of(opened.store.as_ref()));
            if let Ok(recorded) = recorded {
                all.add(recorded);
            }
        }
        all
    }

    fn add(&mut self, other: Recorded) {
        for (names, more) in [(&mut self.drivers, other.drivers), (&mut self.sources, other.sources)] {
            more.0.into_iter().for_each(|name| names.push(name));
        }
        self.kind = self.kind.or(other.kind);
    }

    /// Reads the connect entries of a cassette.
    ///
    /// # Errors
    /// The cassette cannot be read.
    pub fn of(cassette: &dyn Store) -> Result<Recorded, Failure> {
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
            let text = |key: Key| entry.get(key).and_then(Value::as_text);
            let kind = text(Key::Kind).map(kind).or(recorded.kind).unwrap_or(Kind::Unicode);
            recorded.sources.add(text(Key::Dsn).unwrap_or_default(), kind, keys(entry.get(Key::DsnSection)));
            if metadata.made_by_hand && text(Key::Dsn).is_none() && text(Key::Driver).is_none() {
                // driver managers use this section for every data source that they do not find
                recorded.sources.add("DEFAULT", kind, Vec::new());
            }
            recorded.drivers.add(text(Key::Driver).unwrap_or_default(), kind, Vec::new());
        }
        Ok(recorded)
    }
}

fn kind(name: &str) -> Kind {
    if name == "ansi" { Kind::Ansi } else { Kind::Unicode }
}

/// Returns those keys of a recorded section that may be written to an ini file. A cassette may have anything in it, so
/// only keys that super8 itself would have recorded are taken.
fn keys(section: Option<&Value>) -> Vec<(String, String)> {
    let Some(Value::Map(section)) = section else { return Vec::new() };
    let pairs = section.iter().filter_map(|(key, value)| Some((key, value.as_text()?)));
    let of_driver = |key: &str| ["Driver", find::REAL_DRIVER].iter().any(|name| name.eq_ignore_ascii_case(key));
    let fits = |(key, value): &(&String, &str)| {
        let plain = !key.contains('=') && !key.chars().chain(value.chars()).any(char::is_control);
        plain && !of_driver(key) && is_harmless(key.as_bytes()) && *value != "***"
    };
    pairs.filter(fits).map(|(key, value)| (key.clone(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_section_gives_nothing_but_what_super8_writes() {
        let pairs = [
            ("Database", "shop"),
            ("Port", "***"),
            ("Driver", "/evil.so"),
            ("RealDriver", "/evil.so"),
            ("Super8Mode", "off"),
            ("Server", "x\n[other]\nDriver=/evil.so"),
            ("Schema\n[x]", "y"),
            ("Language=x", "y"),
        ];
        let section = Value::Map(pairs.map(|(key, value)| (key.to_owned(), Value::from(value))).into());
        assert_eq!(keys(Some(&section)), [("Database".to_owned(), "shop".to_owned())]);
    }
}
