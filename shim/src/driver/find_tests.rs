//! Tests of choosing the real driver, over ini files and libraries of their own.

use super::*;
use crate::config::locations::Locations;
use crate::config::locations::tests::{Scratch, directory};
use crate::config::sources::Sources;
use crate::driver::search::Search;

/// Makes a directory with odbcinst.ini, odbc.ini, the shim's library and some drivers' (empty files: nothing is
/// loaded).
pub(in crate::driver) fn site(test: &str, drivers: &str, sources: &str) -> (Site, Scratch) {
    let directory = directory(test);
    let fill = |text: &str| text.replace('@', &directory.display().to_string());
    std::fs::write(directory.join("odbcinst.ini"), fill(drivers)).unwrap();
    std::fs::write(directory.join("odbc.ini"), fill(sources)).unwrap();
    for library in ["libsuper8.so", "libone.so", "libtwo.so"] {
        std::fs::write(directory.join(library), library).unwrap();
    }
    let locations =
        Locations { drivers: vec![directory.join("odbcinst.ini")], sources: vec![directory.join("odbc.ini")] };
    let search = Search { first: vec![directory.to_owned()], last: Vec::new() };
    let site = Site::new(Ini::read(&locations), search, Some(directory.join("libsuper8.so")));
    (site, directory)
}

const DRIVERS: &str = "\
[One]\nDriver=libone.so\n\
[Two]\nDriver=gone.so\nDriver64=libtwo.so\n\
[super8]\nDriver=@/libsuper8.so\nRealDriver=One\n\
[super8 two]\nDriver=libsuper8.so\nRealDriver=two\n\
[super8 bare]\nDriver=libsuper8.so\n\
[loop]\nDriver=libsuper8.so\nRealDriver=loop\n\
[empty]\nSetup=x\n\
[lost]\nDriver=@/nowhere.so\n";
const SOURCES: &str = "\
[plain]\nDriver=super8\n\
[own]\nDriver=super8\nRealDriver=Two\n\
[path]\nDriver=@/libsuper8.so\n\
[real]\nDriver=One\n\
[DEFAULT]\nDriver=super8 two\n";

fn connect(site: &Site, environment: Option<&str>, string: &str) -> Result<RealDriver, DriverError> {
    let string = ConnectionString::parse(string.as_bytes());
    find(site, environment, Asked::String(&string))
}

/// Reads the setting from all its places, then finds the driver that it names.
fn find(site: &Site, super8_driver: Option<&str>, asked: Asked<'_>) -> Result<RealDriver, DriverError> {
    let way = Way::of(site, asked);
    let environment = |name: &str| super8_driver.filter(|_| name == "SUPER8_DRIVER").map(Into::into);
    let sources = Sources {
        string: if let Asked::String(string) = asked { Some(string) } else { None },
        inserted: None,
        environment: Some(&environment),
        source: way.dsn.as_deref().map(|dsn| (&site.ini, dsn)),
        driver: way.section,
    };
    at_connect(site, sources.settings().unwrap().driver.as_ref(), &way)
}

fn given(value: &str) -> Given {
    Given { value: value.into(), place: "SUPER8_DRIVER".to_owned() }
}

fn name(found: Result<RealDriver, DriverError>) -> String {
    found.map_or_else(|error| error.to_string(), |real| String::from_utf8(real.name.unwrap()).unwrap())
}

#[test]
fn each_source_goes_before_the_next() {
    let (site, _directory) = site("precedence", DRIVERS, SOURCES);
    assert_eq!(name(connect(&site, Some("Two"), "DSN=own;RealDriver={One}")), "One");
    assert_eq!(name(connect(&site, Some("One"), "DSN=own")), "One");
    assert_eq!(name(connect(&site, None, "DSN=own")), "Two");
    assert_eq!(name(connect(&site, None, "DSN=plain")), "One");
    assert_eq!(name(connect(&site, None, "DRIVER={super8 two}")), "Two");
    assert_eq!(name(connect(&site, Some(""), "DRIVER={super8};RealDriver=")), "One");
}

#[test]
fn sqlconnect_and_strings_without_a_source_fall_back_to_default() {
    let (site, _directory) = site("default", DRIVERS, SOURCES);
    assert_eq!(name(find(&site, None, Asked::Dsn(b"own"))), "Two");
    assert_eq!(name(find(&site, None, Asked::Dsn(b"unknown"))), "Two");
    assert_eq!(name(connect(&site, None, "UID=x")), "Two");
}

#[test]
fn a_driver_may_be_a_section_a_path_or_a_bare_name() {
    let (site, directory) = site("spellings", DRIVERS, SOURCES);
    let two = directory.join("libtwo.so");
    for value in ["Two", "TWO", "libtwo.so", two.to_str().unwrap()] {
        let real = connect(&site, Some(value), "DRIVER=super8").unwrap();
        assert_eq!((real.library.as_path(), real.name.as_deref()), (two.as_path(), Some(&b"Two"[..])), "{value}");
        assert_eq!(real.shim_section.as_deref(), Some(&b"super8"[..]));
    }
    // The library is in none of the directories, so it is left to the dynamic linker.
    let real = connect(&site, Some("libelsewhere.so.1"), "DRIVER=super8").unwrap();
    assert_eq!((real.library.as_path(), real.name), (Path::new("libelsewhere.so.1"), None));
}

#[test]
fn errors_name_what_was_looked_for_and_where() {
    let (site, directory) = site("errors", DRIVERS, SOURCES);
    let ini = directory.join("odbcinst.ini").display().to_string();
    for (environment, string, trouble, parts) in [
        (None, "DRIVER={super8 bare}", DriverErrorKind::NotNamed, vec!["[super8 bare]", ini.as_str(), "SUPER8_DRIVER"]),
        (None, "DRIVER=loop", DriverErrorKind::Itself, vec!["[loop]", "super8 itself"]),
        (Some("super8"), "DRIVER=super8", DriverErrorKind::Itself, vec!["SUPER8_DRIVER", "\"super8\""]),
        (Some("libsuper8.so"), "DRIVER=super8", DriverErrorKind::Itself, vec!["super8 itself"]),
        (Some("Three"), "DRIVER=super8", DriverErrorKind::NotFound, vec!["\"Three\"", ini.as_str(), "odbcinst -q -d"]),
        (Some("/no/such.so"), "DRIVER=super8", DriverErrorKind::NotFound, vec!["/no/such.so"]),
        (Some("lost"), "DRIVER=super8", DriverErrorKind::NotFound, vec!["[lost]", "nowhere.so"]),
        (Some("empty"), "DRIVER=super8", DriverErrorKind::NoLibrary, vec!["[empty]", "Driver="]),
    ] {
        let error = connect(&site, environment, string).unwrap_err();
        assert_eq!((error.trouble, error.sqlstate()), (trouble, "IM003"), "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        assert!(error.to_string().len() < 500, "{error}");
    }
}

#[test]
fn a_library_instead_of_a_section_asks_all_sections() {
    let (one, directory) =
        site("agree", "[One]\nDriver=libone.so\n[s]\nDriver=libsuper8.so\nRealDriver=one\n", SOURCES);
    let shim = directory.join("libsuper8.so").display().to_string();
    let real = connect(&one, None, &format!("DRIVER={shim}")).unwrap();
    assert_eq!((real.name.as_deref(), real.shim_section.as_deref()), (Some(&b"One"[..]), Some(&b"s"[..])));
    assert_eq!(name(connect(&one, None, "DSN=path")), "One");
    // The application loaded the shim by itself, and the section that it names leads to another library.
    assert_eq!(name(connect(&one, None, "DRIVER=One")), "One");

    let agreeing = "[One]\nDriver=libone.so\n[s]\nDriver=libsuper8.so\nRealDriver=one\n\
                    [t]\nDriver=libsuper8.so\nRealDriver=libone.so\n[u]\nDriver=libsuper8.so\n";
    let (both, _agreeing) = site("agree_two", agreeing, SOURCES);
    assert_eq!(early(&both, None).map(|real| (real.name, real.shim_section)), Some((Some(b"One".to_vec()), None)));

    let (differing, _differing) = site(
        "differ",
        "[s]\nDriver=libsuper8.so\nRealDriver=libone.so\n[t]\nDriver=libsuper8.so\nRealDriver=libtwo.so\n",
        SOURCES,
    );
    let error = connect(&differing, None, "DSN=path").unwrap_err();
    assert_eq!(error.trouble, DriverErrorKind::Ambiguous);
    assert!(error.to_string().contains("[s]") && error.to_string().contains("[t]"), "{error}");
    assert_eq!(early(&differing, None), None);
    assert_eq!(early(&differing, Some(&given("libtwo.so"))).unwrap().source, "SUPER8_DRIVER");
}

#[test]
fn without_any_ini_file_the_message_still_helps() {
    let site = Site::new(Ini::default(), Search::default(), Some("/x/libsuper8.so".into()));
    let error = connect(&site, None, "DSN=x").unwrap_err();
    assert!(error.to_string().contains("odbcinst.ini") && error.to_string().contains("RealDriver="), "{error}");
    assert_eq!(early(&site, None), None);
}
