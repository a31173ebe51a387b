//! Tests of connection strings on their way to the real driver and back.

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
