//! Writes an odbc.ini with super8 behind every data source.

use super::drivers::{Drivers, FoundLibrary, is_name};
use super::recorded::Name;
use super::sections::{Notes, Text, keys_without};
use std::os::unix::ffi::OsStrExt;
use super8_shim::config::ini::Section;
use super8_shim::config::ini::to_path;
use super8_shim::driver::Kind;
use super8_shim::driver::find::REAL_DRIVER;

/// Returns the text of one odbc.ini. Data sources that name a section of odbcinst.ini stay as they are, because that
/// section was changed. Those that name a library get super8's library, and theirs as `RealDriver`.
pub fn text(sources: &[Section], drivers: &Drivers<'_>, sections: &[Section], notes: &mut Notes) -> Text {
    let mut text = Text::default();
    for section in sources {
        let driver = section.value("Driver");
        let wanted = drivers.recorded.sources.kind(&section.name);
        let kind = match driver {
            // The other file may have the key, or it is no data source.
            None => None,
            Some(name) if is_name(sections, name) => {
                wanted.filter(|wanted| !named_kind(drivers, sections, name, *wanted))
            }
            Some(library) => match (drivers.look(&to_path(library)), wanted) {
                (FoundLibrary::Super8, _) => None,
                (_, Some(kind)) | (FoundLibrary::Driver(_, kind), None) => Some(kind),
                (FoundLibrary::Absent(_), None) if !drivers.real => drivers.recorded.kind,
                (FoundLibrary::Absent(why), None) => {
                    notes.add(format!("{} is left as it is: {why}", section.title()));
                    None
                }
            },
        };
        let Some(kind) = kind else {
            text.section(&section.name, section.pairs());
            continue;
        };
        let library = drivers.libraries.of(kind);
        let mut keys = vec![(&b"Driver"[..], library.as_os_str().as_bytes())];
        if let (true, Some(driver)) = (drivers.real, driver) {
            keys.push((REAL_DRIVER.as_bytes(), driver));
        }
        keys.extend(keys_without(section, &["Driver", REAL_DRIVER]));
        text.section(&section.name, keys);
    }
    text
}

/// Adds the recorded data sources that neither file has.
pub fn declare(text: &mut Text, other: &Text, drivers: &Drivers<'_>, notes: &mut Notes) {
    for Name { name, kind, keys } in drivers.recorded.sources.iter() {
        if other.has(name) {
            continue;
        }
        let library = drivers.libraries.of(*kind);
        let keys = keys.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
        if !text.section(name, std::iter::once((&b"Driver"[..], library.as_os_str().as_bytes())).chain(keys)) {
            notes.add(format!("the recorded data source {:?} cannot be declared", String::from_utf8_lossy(name)));
        }
    }
}

/// Whether the section with this name, after it was changed, has super8's library of this kind.
fn named_kind(drivers: &Drivers<'_>, sections: &[Section], name: &[u8], kind: Kind) -> bool {
    if let Some(recorded) = drivers.recorded.drivers.kind(name) {
        return recorded == kind;
    }
    let section = sections.iter().find(|section| section.name.eq_ignore_ascii_case(name));
    match section.and_then(Section::library).map(|library| drivers.look(&to_path(library))) {
        Some(FoundLibrary::Driver(_, found)) => found == kind,
        Some(FoundLibrary::Absent(_)) => drivers.recorded.kind == Some(kind),
        Some(FoundLibrary::Super8) => true,
        None => false,
    }
}
