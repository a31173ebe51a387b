//! Writes the tables of a run into docs/performance.md, between marks, so that nobody has to copy figures by hand.

use std::{fs, path::PathBuf, process::Command};

use crate::fact::Database;

/// Returns the path of docs/performance.md.
pub fn page() -> PathBuf {
    documentation("performance.md")
}

/// Returns the path of a file of the documentation.
pub fn documentation(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// Puts a table in its place in the page, with a line that says how it was measured.
///
/// # Errors
/// The page has no such place, or cannot be written.
pub fn write(name: &str, table: &str, database: Database) -> Result<(), String> {
    let page = page();
    let failed = |error: std::io::Error| format!("{}: {error}", page.display());
    let text = fs::read_to_string(&page).map_err(failed)?;
    let told = format!("{table}\n{}", measured(database));
    let text = replaced(&text, name, &told)
        .ok_or_else(|| format!("{}: there is no place for this table: {} and {END}", page.display(), begin(name)))?;
    fs::write(&page, text).map_err(failed)?;
    println!("wrote {name} into {}", page.display());
    Ok(())
}

const END: &str = "<!-- end -->";

fn begin(name: &str) -> String {
    format!("<!-- bench: {name} -->")
}

fn replaced(page: &str, name: &str, told: &str) -> Option<String> {
    let begin = begin(name);
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{begin}\n\n{}\n\n{END}{after}", told.trim()))
}

/// Returns the line below a table: when and with what it was measured. The table itself says how often.
fn measured(database: Database) -> String {
    let run = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output().ok().filter(|output| output.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let git = |words: &[&str]| run("git", &[&["-C", env!("CARGO_MANIFEST_DIR")], words].concat());
    let changed =
        if git(&["status", "--porcelain", "--", "../shim", "../cassette"]).is_empty() { "" } else { " and changes" };
    let version = |package: &str| run("dpkg-query", &["-W", "-f", "${Version}", package]);
    let driver = match database {
        Database::Sqlite => format!("libsqliteodbc {}", version("libsqliteodbc")),
        Database::Postgres => format!("psqlodbc {}", version("odbc-postgresql")),
    };
    format!(
        "Measured on {} at {}{changed}; {driver}, unixODBC {}, {}; load of the machine {}.\n",
        run("date", &["+%Y-%m-%d"]),
        git(&["rev-parse", "--short=12", "HEAD"]),
        version("unixodbc"),
        run("rustc", &["-V"]),
        // the machine's load: on a busy machine only instructions and memory can be trusted
        fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_last_one() {
        let page = "a\n<!-- bench: times -->\nold\n<!-- end -->\nb\n<!-- bench: calls -->\n<!-- end -->\n";
        let expected = "a\n<!-- bench: times -->\n\nnew\n\n<!-- end -->\nb\n<!-- bench: calls -->\n<!-- end -->\n";
        assert_eq!(replaced(page, "times", "\nnew\n").as_deref(), Some(expected));
        assert_eq!(replaced(page, "memory", "new"), None);
    }

    #[test]
    fn the_page_has_a_place_for_every_table() -> Result<(), String> {
        let text = fs::read_to_string(page()).map_err(|error| error.to_string())?;
        for name in crate::TABLES {
            assert!(replaced(&text, name, "").is_some(), "{name}");
        }
        Ok(())
    }
}
