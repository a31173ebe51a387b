//! Checks that docs/functions.md is what its generator prints.

#[path = "../examples/functions.rs"]
#[allow(dead_code)] // its `main`
mod functions;

#[test]
fn the_page_is_made_from_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/functions.md");
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == functions::page(), "docs/functions.md is out of date: cargo xtask docs");
}
