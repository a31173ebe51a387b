//! Tests of what a cassette may say, and of the words in which it is refused.

use super::*;

fn read(method: Method, yaml: &str) -> Result<Entry, CassetteError> {
    let text = format!("- method: {}\n  connection_id: a\n  statement_id: 1\n{yaml}", method.name());
    crate::yaml::parse_entry(text.as_bytes(), Path::new("commands.yml"), 1)
}

fn entry(method: Method, yaml: &str) -> Entry {
    read(method, yaml).unwrap()
}

fn shown(wrong: Result<(), Wrong>) -> String {
    wrong.map_or_else(
        |wrong| format!("{}{}: {}; {}", wrong.key, wrong.rest, wrong.problem, wrong.advice),
        |()| String::new(),
    )
}

#[test]
fn words_that_nobody_knows_are_refused_with_the_nearest_right_one() {
    let told = |method, yaml: &str| shown(check(&entry(method, yaml)));
    assert_eq!(told(Method::FetchAll, "  n: 2\n  rows: [[\"1\"], [\"2\"]]\n  c_types: [CHAR]\n"), "");
    let misspelt = read(Method::FetchAll, "  row_file: x\n").unwrap_err().to_string();
    assert!(misspelt.contains("commands.yml:4: row_file: `row_file` is not a known key of fetch_all"), "{misspelt}");
    assert!(misspelt.contains("did you mean `rows_file`?"), "{misspelt}");
    assert_eq!(
        told(Method::Commit, "  sql: x\n"),
        "sql: `sql` is not a known key of commit; it is one of result, return, diagnostics"
    );
    assert_eq!(
        told(Method::Answer, "  function: SQLGetStmtAtr\n"),
        "function: `SQLGetStmtAtr` is not a known ODBC function; did you mean `SQLGetStmtAttr`?"
    );
    assert_eq!(
        told(Method::Execute, "  types: [integer, SLOGN]\n"),
        "types[1]: `SLOGN` is not a known C type; did you mean `SLONG`?"
    );
    assert_eq!(
        told(Method::GetData, "  calls:\n    - column: 1\n      c_typ: CHAR\n"),
        "calls[0].c_typ: `c_typ` is not a known key of a call of SQLGetData; did you mean `c_type`?"
    );
}

#[test]
fn answers_and_columns_are_read_strictly() {
    let answer = |text: &str| crate::yaml::parse_answer(text.as_bytes(), Path::new("a_info.yml"), 1).unwrap();
    let read = |text: &str| crate::yaml::read_document(text.as_bytes(), Path::new("a_1_columns.yml")).unwrap();
    assert_eq!(check_answer(&answer("- function: SQLGetInfo\n  info: 17\n  result: x\n")), Ok(()));
    let about = shown(check_answer(&answer("- function: SQLFetch\n  about: rows_at_end\n")));
    assert!(about.starts_with("about: `rows_at_end` is not a known subject of an answer; did you mean"), "{about}");
    assert_eq!(check_columns(&read("- name: id\n  type: 4\n  1212: x\n")), Ok(()));
    let wrong = check_columns(&read("- name: id\n- nam: id\n")).unwrap_err();
    assert_eq!((&*wrong.key, &*wrong.rest), ("1", ".nam"));
    assert_eq!(wrong.problem, "`nam` is not a known field of a column");
}

#[test]
fn arrays_have_room_for_what_was_asked_and_no_more() {
    let told = |method, yaml: &str| shown(check(&entry(method, yaml)));
    let scroll = "  orientation: first\n  rowset: 4\n";
    assert_eq!(told(Method::FetchScroll, &format!("{scroll}  rows_fetched: 4\n  row_status: [0, 0, 0, 0]\n")), "");
    assert!(told(Method::FetchScroll, &format!("{scroll}  rows_fetched: 5\n")).contains("says 5 rows"));
    assert!(told(Method::FetchScroll, &format!("{scroll}  rows_fetched: -1\n")).contains("says -1 rows"));
    assert!(told(Method::Fetch, "  rowset: 2\n  row_status: [0, 0, 0]\n").contains("is of 3 rows"));
    let sets = "  params:\n    - {PARAM_IGNORE: null}\n    - [1]\n    - [2]\n";
    assert_eq!(told(Method::Execute, &format!("{sets}  params_processed: 3\n  param_status: [7, 0, 0]\n")), "");
    assert!(told(Method::Execute, &format!("{sets}  params_processed: 4\n")).contains("says 4 sets"));
    assert!(told(Method::Execute, "  params: [1]\n  param_status: [0, 0]\n").contains("is of 2 sets"));
}

#[test]
fn cells_beside_the_rows_are_values_of_their_types() {
    let fits: Fits = |cell, c_type| match (cell, c_type) {
        (Cell::Text(b"x"), "SLONG") => Err("`x` is not a valid SLONG".to_owned()),
        _ => Ok(()),
    };
    let told = |method, yaml: &str| {
        shown(check_cells(&entry(method, yaml), fits)).replace("; correct it, or record again", "")
    };
    assert_eq!(told(Method::Execute, "  result: [\"y\", 1]\n  c_types: [CHAR, SLONG]\n"), "");
    assert_eq!(
        told(Method::Execute, "  result: [\"y\", x]\n  c_types: [CHAR, SLONG]\n"),
        "result[1]: `x` is not a valid SLONG"
    );
    let sets = "  result:\n    - [1]\n    - [x]\n  c_types: [SLONG]\n";
    assert_eq!(told(Method::Run, sets), "result[1][0]: `x` is not a valid SLONG");
    assert_eq!(told(Method::MoreResults, "  output: [x]\n  c_types: [SLONG]\n"), "output[0]: `x` is not a valid SLONG");
    assert_eq!(
        told(Method::SetPos, "  rows:\n    - [x]\n  c_types: [SLONG]\n"),
        "rows[0][0]: `x` is not a valid SLONG"
    );
    assert_eq!(told(Method::GetData, "  c_type: SLONG\n  result: x\n"), "result: `x` is not a valid SLONG");
    let call = "  calls:\n    - c_type: SLONG\n      value: x\n";
    assert_eq!(told(Method::GetData, call), "calls[0].value: `x` is not a valid SLONG");
    let beside = "  outcomes:\n    - row: 1\n      get_data:\n        - c_type: SLONG\n          value: x\n";
    assert_eq!(told(Method::FetchAll, beside), "outcomes[0].get_data[0].value: `x` is not a valid SLONG");
}
