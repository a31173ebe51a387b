//! Converts a connection string between its two forms: in `DRIVER=` the real driver finds its own name, and the
//! application the shim's.

use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;

use super::find::RealDriver;
use super::site::Site;
use crate::config::connection_string::{Choice, ConnectionString, Item, quote};
use crate::config::ini::to_path;
use crate::config::settings::Setting;

/// Returns the string that the real driver is given: without super8's own keywords, and with the driver's own name in
/// place of the shim's in `DRIVER=`. Nothing else changes. `DRIVER=` is neither added nor removed and `DSN=` is left
/// alone, because drivers read the section of one or the other from the ini files by themselves.
pub fn forwarded(given: &ConnectionString, real: &RealDriver, site: &Site) -> Vec<u8> {
    let string = ConnectionString::parse(&given.without(Setting::is_own));
    string.edit(|item| stands_for_shim(item, &string, site).then(|| quote(&real_name(real), item.is_braced())))
}

/// Returns the string that the application gets back: the completed one with the shim's name in `DRIVER=` again, so
/// that connecting with it leads back to the shim.
pub fn returned(completed: &ConnectionString, given: &ConnectionString, real: &RealDriver, site: &Site) -> Vec<u8> {
    let ours = given.items().rev().find(|item| stands_for_shim(*item, given, site));
    let last = completed.items().next_back().map(|item| item.raw().as_ptr());
    completed.edit(|item| {
        let value = item.value();
        let library = real.library.as_os_str().as_bytes();
        let is_real = value.eq_ignore_ascii_case(&real_name(real)) || *value == *library;
        if item.is("DRIVER") && !is_real && last == Some(item.raw().as_ptr()) {
            return cut_name(item.raw(), &real_name(real), ours.as_ref().map(Item::raw));
        }
        if !item.is("DRIVER") || !is_real {
            return None;
        }
        match (&ours, &real.shim_section) {
            (Some(ours), _) if ours.is_braced() == item.is_braced() => Some(ours.raw().to_vec()),
            (Some(ours), _) => Some(quote(&ours.value(), item.is_braced())),
            (None, Some(section)) => Some(quote(section, item.is_braced())),
            (None, None) => None,
        }
    })
}

/// Returns as much of the application's name as a small buffer held of the driver's.
fn cut_name(cut: &[u8], real: &[u8], ours: Option<&[u8]>) -> Option<Vec<u8>> {
    let ours = ours?;
    let bare = |name: &[u8]| name.strip_prefix(b"{").unwrap_or(name).to_vec();
    let (name, braces) = (bare(cut), cut.len() - bare(cut).len());
    if !real.starts_with(&name) {
        return None;
    }
    let mut shown = cut[..braces].to_vec();
    shown.extend(bare(ours).into_iter().filter(|byte| *byte != b'}').take(name.len()));
    Some(shown)
}

/// Returns the real driver's section, or its library if it has no section.
fn real_name(real: &RealDriver) -> Cow<'_, [u8]> {
    match &real.name {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Borrowed(real.library.as_os_str().as_bytes()),
    }
}

/// Returns whether an item is a `DRIVER=` that means the shim: the one that led here, or another of the same meaning.
/// (A `DRIVER=` after a `DSN=` decides nothing and may mean the real driver.)
fn stands_for_shim(item: Item<'_>, string: &ConnectionString, site: &Site) -> bool {
    if !item.is("DRIVER") {
        return false;
    }
    let value = item.value();
    if matches!(string.choice(), Choice::Driver(chosen) if chosen.eq_ignore_ascii_case(&value)) {
        return true;
    }
    match site.ini.driver_section(&value) {
        Some(section) => site.names_own(section),
        None => site.is_own(&to_path(&value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::find::tests::site;

    const DRIVERS: &str = "[Real One]\nDriver=libone.so\n[super8]\nDriver=libsuper8.so\n[other]\nDriver=libtwo.so\n";

    fn real(name: Option<&str>) -> RealDriver {
        RealDriver {
            name: name.map(|name| name.as_bytes().to_vec()),
            library: "/lib/libone.so".into(),
            shim_section: Some(b"super8".to_vec()),
            source: String::new(),
        }
    }

    fn parse(text: &str) -> ConnectionString {
        ConnectionString::parse(text.as_bytes())
    }

    #[test]
    fn the_real_driver_sees_its_own_name_and_nothing_else_changes() {
        let (site, directory) = site("forwarded", DRIVERS, "");
        let shim = directory.join("libsuper8.so").display().to_string();
        let by_path = format!("DRIVER={shim};PWD=x");
        for (given, expected) in [
            ("DRIVER={super8};PWD={a;b}; X = 1 ;", "DRIVER={Real One};PWD={a;b}; X = 1 ;"),
            ("driver=SUPER8;RealDriver=Real One;UID=x", "driver=Real One;UID=x"),
            (&by_path, "DRIVER=Real One;PWD=x"),
            ("DSN=plain;RealDriver={Real One}", "DSN=plain"),
            ("DSN=plain;DRIVER={super8}", "DSN=plain;DRIVER={Real One}"),
            ("DSN=plain;DRIVER={other}", "DSN=plain;DRIVER={other}"),
            ("DSN=super8;UID=super8", "DSN=super8;UID=super8"),
            ("DRIVER={copy of super8}", "DRIVER={Real One}"),
        ] {
            let forwarded = forwarded(&parse(given), &real(Some("Real One")), &site);
            assert_eq!(String::from_utf8(forwarded).unwrap(), expected);
        }
        assert_eq!(forwarded(&parse("DRIVER=super8"), &real(None), &site), b"DRIVER=/lib/libone.so");
    }

    #[test]
    fn the_application_gets_the_shims_name_back() {
        let (site, _directory) = site("returned", DRIVERS, "");
        for (given, completed, expected) in [
            ("DRIVER={super8};X=1", "DRIVER={Real One};UID=a", "DRIVER={super8};UID=a"),
            ("DRIVER={Super8}", "DRIVER=Real One;UID=a", "DRIVER=Super8;UID=a"),
            ("driver=super8", "DRIVER={REAL ONE}", "DRIVER={super8}"),
            ("DSN=plain", "DSN=plain;DRIVER=/lib/libone.so", "DSN=plain;DRIVER=super8"),
            ("DSN=plain", "DSN=plain;UID=Real One", "DSN=plain;UID=Real One"),
            ("DRIVER={super8}", "DRIVER={another}", "DRIVER={another}"),
            ("DRIVER={super8};X=1", "DRIVER={Re", "DRIVER={su"),
            ("DRIVER={super8};X=1", "DRIVER={R", "DRIVER={s"),
        ] {
            let returned = returned(&parse(completed), &parse(given), &real(Some("Real One")), &site);
            assert_eq!(String::from_utf8(returned).unwrap(), expected);
        }
    }

    #[test]
    fn a_name_that_was_cut_off_is_the_applications_name_cut_off() {
        assert_eq!(cut_name(b"{re", b"real", Some(b"{tested}")), Some(b"{te".to_vec()));
        assert_eq!(cut_name(b"re", b"real", Some(b"{tested}")), Some(b"te".to_vec()));
        assert_eq!(cut_name(b"{re", b"other", Some(b"{tested}")), None);
    }
}
