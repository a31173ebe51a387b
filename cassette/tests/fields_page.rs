//! docs/cassette-fields.md is what its generator prints.

#[path = "../examples/fields.rs"]
#[allow(dead_code)] // its `main`
mod fields;

#[test]
fn the_page_is_made_from_the_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cassette-fields.md");
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == fields::page(), "docs/cassette-fields.md is out of date: cargo xtask docs");
}
