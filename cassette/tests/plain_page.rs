//! docs/plain-driver.md is what its generator prints.

#[path = "../examples/plain.rs"]
#[allow(dead_code)] // its `main`
mod plain;

#[test]
fn the_page_is_made_from_the_plain_answers() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/plain-driver.md");
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == plain::page(), "docs/plain-driver.md is out of date: cargo xtask docs");
}
