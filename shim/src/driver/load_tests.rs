//! Tests of loading, with libraries every machine has.

use super::*;
use crate::config::locations::tests::directory;

fn anywhere() -> Search {
    Search::default()
}

#[test]
fn the_c_library_is_an_ansi_driver_with_its_own_symbols_only() {
    let library = open(Path::new("libc.so.6"), &anywhere()).unwrap();
    assert_eq!(library.kind(), Kind::Ansi);
    assert!(library.path().is_absolute() && library.path().ends_with("libc.so.6"));
    assert!(library.symbol(c"strlen").is_some());
    assert!(library.symbol(c"SQLConnect").is_none() && library.symbol(c"SQLConnectW").is_none());
}

#[test]
fn a_library_is_opened_once_under_all_its_names() {
    let first = open(Path::new("libc.so.6"), &anywhere()).unwrap();
    let directory = directory("load_once");
    let link = directory.join("driver.so");
    std::os::unix::fs::symlink(first.path(), &link).unwrap();
    let search = Search { first: vec![directory.to_owned()], last: Vec::new() };
    for (name, search) in [(first.path(), &anywhere()), (&link, &anywhere()), (Path::new("driver.so"), &search)] {
        let again = open(name, search).unwrap();
        assert_eq!((again.id(), std::ptr::from_ref(again)), (first.id(), std::ptr::from_ref(first)));
    }
    let other = open(Path::new("libgcc_s.so.1"), &anywhere()).unwrap();
    assert_ne!(other.id(), first.id());
}

#[test]
fn the_last_directories_serve_where_the_dynamic_linker_fails() {
    let libc = open(Path::new("libc.so.6"), &anywhere()).unwrap();
    let directory = directory("load_last");
    std::os::unix::fs::symlink(libc.path(), directory.join("libonlyhere.so")).unwrap();
    let search = Search { first: Vec::new(), last: vec![directory.to_owned()] };
    assert_eq!(open(Path::new("libonlyhere.so"), &search).unwrap().id(), libc.id());
}

#[test]
fn what_cannot_be_loaded_is_named() {
    let directory = directory("load_broken");
    let broken = directory.join("broken.so");
    std::fs::write(&broken, "no library").unwrap();
    let search = Search { first: vec!["/usr".into()], last: Vec::new() };
    for (name, trouble, part) in [
        (broken.as_path(), Trouble::CannotLoad, "broken.so"),
        (Path::new("/no/such/driver.so"), Trouble::NotFound, "/no/such/driver.so"),
        (Path::new("/no/libodbc.so.2"), Trouble::NotFound, "libodbc.so.2"),
        (Path::new("libodbc.so.9"), Trouble::DriverManager, "driver manager"),
        (Path::new("libnosuchdriver.so"), Trouble::NotFound, "linker nor in /usr"),
    ] {
        let error = open(name, &search).unwrap_err();
        assert_eq!((error.trouble, error.sqlstate()), (trouble, "IM003"), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn the_shim_itself_is_refused() {
    let own = facts().own_library.clone().unwrap();
    let directory = directory("load_own");
    let link = directory.join("link.so");
    std::os::unix::fs::symlink(&own, &link).unwrap();
    for path in [&own, &link] {
        assert_eq!(open(path, &anywhere()).unwrap_err().trouble, Trouble::Itself);
    }
}

#[test]
fn the_wrong_build_is_told_which_one_to_use() {
    let library = open(Path::new("libc.so.6"), &anywhere()).unwrap();
    assert!(library.check_kind(Kind::Ansi).is_ok());
    let error = library.check_kind(Kind::Unicode).unwrap_err();
    assert_eq!(error.trouble, Trouble::WrongKind);
    assert!(error.to_string().contains("use libsuper8a.so"), "{error}");
}
