//! Checks that docs/configuration.md has the table of settings that shim/src/config/settings.rs gives.

use super8_shim::config::settings::{Scope, Setting};

fn table() -> String {
    let mut table = String::from("| Variable | Keyword | Values | Meaning |\n| --- | --- | --- | --- |\n");
    for row in Setting::ROWS {
        let keyword = if row.scope == Scope::Process { String::new() } else { format!("`{}`", row.keyword) };
        table.push_str(&format!("| `{}` | {keyword} | {} | {} |\n", row.variable, row.values, row.meaning));
    }
    table
}

#[test]
fn the_page_has_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page.contains(&table()), "docs/configuration.md should have this table of settings:\n\n{}", table());
}
