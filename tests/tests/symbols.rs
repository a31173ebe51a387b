//! The two libraries as a linker sees them: exactly the functions a driver manager looks up, by both names that libltdl
//! gives them, those of super8.h, and no driver manager.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use super8_shim::table::Function;
use super8_tests::packages;
use super8_tests::products::Library;
use super8_tests::server::must;

/// What unixODBC looks up, `SQL` left out: these also with a W.
const WITH_W: &str = "BrowseConnect ColAttribute ColAttributes ColumnPrivileges Columns Connect DataSources DescribeCol
    DriverConnect Drivers Error ExecDirect ForeignKeys GetConnectAttr GetConnectOption GetCursorName GetDescField
    GetDescRec GetDiagField GetDiagRec GetInfo GetStmtAttr GetTypeInfo NativeSql Prepare PrimaryKeys ProcedureColumns
    Procedures SetConnectAttr SetConnectOption SetCursorName SetDescField SetStmtAttr SpecialColumns Statistics
    TablePrivileges Tables";
/// These without.
const WITHOUT_W: &str = "AllocConnect AllocEnv AllocHandle AllocHandleStd AllocStmt BindCol BindParam BindParameter
    BulkOperations Cancel CancelHandle CloseCursor CopyDesc DescribeParam Disconnect EndTran Execute ExtendedFetch Fetch
    FetchScroll FreeConnect FreeEnv FreeHandle FreeStmt GetData GetEnvAttr GetFunctions GetStmtOption MoreResults
    NumParams NumResultCols ParamData ParamOptions PutData RowCount SetDescRec SetEnvAttr SetParam SetPos
    SetScrollOptions SetStmtOption Transact";

/// What test frameworks call, beside ODBC: shim/include/super8.h.
const INTERFACE: [&str; 7] = [
    "super8_discard",
    "super8_eject",
    "super8_insert",
    "super8_last_error",
    "super8_set_aside",
    "super8_unplayed",
    "super8_version",
];

/// What libsuper8a.so calls, beside the functions that it has itself.
const FOR_THE_ANSI_LIBRARY: [&str; 3] = ["super8_ansi_alloc_env", "super8_ansi_alloc_handle", "super8_ansi_library"];

fn expected(library: Library) -> BTreeSet<String> {
    let both = WITH_W.split_whitespace().chain(WITHOUT_W.split_whitespace()).map(|name| format!("SQL{name}"));
    let mut names: BTreeSet<String> = both.collect();
    assert_eq!(names.len(), 79);
    if library == Library::Unicode {
        names.extend(WITH_W.split_whitespace().map(|name| format!("SQL{name}W")));
    }
    names
}

/// Names of the functions a library offers.
fn exported(library: &Path) -> BTreeSet<String> {
    let mut nm = Command::new(packages::program("nm", "binutils"));
    nm.args(["-D", "--defined-only", "--format=posix"]).arg(library);
    must(&mut nm).lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

fn dynamic(library: &Path) -> String {
    let mut readelf = Command::new(packages::program("readelf", "binutils"));
    readelf.args(["-d", "-W"]).arg(library);
    must(&mut readelf)
}

#[test]
fn exactly_what_a_driver_manager_looks_up_is_exported() {
    for library in [Library::Unicode, Library::Ansi] {
        let (exported, mut expected) = (exported(&library.path()), expected(library));
        let module = library.path().file_stem().unwrap().to_str().unwrap().to_owned();
        expected.extend(expected.clone().iter().map(|name| format!("{module}_LTX_{name}")));
        expected.extend(INTERFACE.map(str::to_owned));
        if library == Library::Unicode {
            expected.extend(FOR_THE_ANSI_LIBRARY.map(str::to_owned));
        }
        let missing: Vec<_> = expected.difference(&exported).collect();
        let more: Vec<_> = exported.difference(&expected).collect();
        assert!(missing.is_empty() && more.is_empty(), "{library:?}: missing {missing:?}, too many {more:?}");
    }
}

/// The lists above are from unixODBC; super8's own table, which everything is derived from, must say the same.
#[test]
fn the_table_has_what_a_driver_manager_looks_up() {
    let rows = || Function::ROWS.iter();
    let declared: BTreeSet<String> =
        rows().flat_map(|row| [Some(row.name), row.wide]).flatten().map(Into::into).collect();
    assert_eq!(declared, expected(Library::Unicode));
    assert_eq!(rows().count(), 79);
    assert_eq!(rows().filter(|row| row.wide.is_some()).count(), 37);
    for row in rows() {
        assert!(row.wide.is_none_or(|wide| wide == format!("{}W", row.name)), "{row:?}");
    }
}

/// The header declares what is exported, and nothing else; it is C, and C++.
#[test]
fn the_header_declares_the_interface() {
    let header = super8_tests::products::repository().join("shim/include/super8.h");
    let text = std::fs::read_to_string(&header).unwrap_or_else(|error| panic!("{}: {error}", header.display()));
    let declared: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.ends_with(");") && !line.starts_with(' '))
        .filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next())
        .collect();
    assert_eq!(declared, BTreeSet::from(INTERFACE));
    for (compiler, language) in [("cc", "c"), ("g++", "c++")] {
        let mut command = Command::new(packages::program(compiler, if compiler == "cc" { "gcc" } else { compiler }));
        must(command.args(["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", language]).arg(&header));
    }
}

#[test]
fn no_driver_manager_is_needed() {
    for library in [Library::Unicode, Library::Ansi] {
        let text = dynamic(&library.path());
        let needed: Vec<&str> = text.lines().filter(|line| line.contains("(NEEDED)")).collect();
        assert!(needed.iter().any(|line| line.contains("libc.so")), "what did readelf print?\n{text}");
        assert!(!needed.iter().any(|line| line.contains("odbc")), "{library:?} needs {needed:#?}");
    }
}

#[test]
fn linked_to_stay_loaded_and_to_call_its_own_functions() {
    for library in [Library::Unicode, Library::Ansi] {
        let text = dynamic(&library.path());
        assert!(text.contains("NODELETE"), "{library:?} can be unloaded:\n{text}");
        assert!(text.contains("SYMBOLIC"), "{library:?} can be made to call the driver manager's functions:\n{text}");
    }
}
