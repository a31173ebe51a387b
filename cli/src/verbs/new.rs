//! `super8 new`: begins a cassette to be written by hand, with an entry of each kind in comments.

use crate::exit::{Exit, Failure, Outcome};
use clap::Args;
use std::path::{Path, PathBuf};
use super8_cassette::{Format, Value, by_hand, directory, shell, yaml};

/// `super8 new CASSETTE --dsn shop`
#[derive(Args)]
#[command(after_help = "\
Writes CASSETTE/commands.yml with a connect and, in comments, an entry of each kind. docs/how-to/mock.md says what entries may have.

Example:
  super8 new --dsn shop cassettes/empty-shop
  super8 check cassettes/empty-shop
  super8 replay cassettes/empty-shop -- pytest")]
pub struct New {
    /// The cassette, a directory
    cassette: PathBuf,
    /// The data source that the program connects to [default: any]
    #[arg(long)]
    dsn: Option<String>,
    /// The driver whose answers the program gets: postgresql, postgresql-ansi, mariadb or sqlite [default: a plain driver]
    #[arg(long)]
    driver: Option<String>,
}

impl New {
    /// Writes the cassette.
    pub fn run(self) -> Outcome {
        let occupied = std::fs::read_dir(&self.cassette).is_ok_and(|mut entries| entries.next().is_some());
        if occupied || self.cassette.is_file() {
            return Err(Failure::new(format_args!("{} is there already: give another name", self.cassette.display())));
        }
        if let Some(driver) = &self.driver {
            by_hand::check_driver(driver).map_err(|problem| Failure::new(format_args!("--driver: {problem}")))?;
        }
        let begun = begin(&self.cassette, self.dsn.as_deref(), self.driver.as_deref(), EXAMPLES);
        write(&self.cassette, &begun)?;
        Ok(Exit::Done)
    }
}

/// The entries that are written as comments.
const EXAMPLES: &str = r#"
# - method: run
#   sql: "select name, price from fruit where price < ?"
#   params: [5]                                    # left out: any
#   columns: {name: VARCHAR(20), price: DOUBLE}    # left out: c1, c2 and so on, with the types of the values
#   rows: [[fig, 0.4], [kiwi, null]]
# - method: run
#   sql: "delete from fruit"
#   row_count: 2
# - method: run
#   sql: "select nothing"
#   return: SQL_ERROR
#   diagnostics: [{sqlstate: 42S22, message: "no such column"}]
# - method: run
#   sql: "insert into log values ({id})"
#   match: pattern                                 # or spaces; left out: to the letter
#   row_count: 1
#   times: 0..                                     # whenever it is asked for; 3: three times, here
# - unordered:                                     # in any order
#     - {method: run, sql: "select 1", rows: [[1]]}
#     - {method: run, sql: "select 2", rows: [[2]]}
"#;

/// Returns the text of a log: its beginning, and then `rest`.
pub(super) fn begin(cassette: &Path, dsn: Option<&str>, driver: Option<&str>, rest: &str) -> Vec<u8> {
    let name = shell(&cassette.to_string_lossy());
    let mut log = format!(
        "# A cassette written by hand. Check it: super8 check {name}\n\
         # Play it: super8 replay {name} -- COMMAND\n"
    )
    .into_bytes();
    let connect = [("method", Some("connect")), ("dsn", dsn), ("driver", driver)];
    let connect = connect.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Value::from(value?))));
    yaml::emit_item(&Value::Map(connect.collect()), &mut log);
    log.extend_from_slice(rest.as_bytes());
    log
}

/// Writes the log of a cassette.
pub(super) fn write(cassette: &Path, log: &[u8]) -> Result<(), Failure> {
    let path = cassette.join(directory::COMMANDS);
    let written = std::fs::create_dir_all(cassette).and_then(|()| std::fs::write(&path, log));
    written.map_err(|error| Failure::new(format_args!("cannot write {}: {error}", path.display())))
}

/// Whether there is a cassette at this path.
pub(super) fn is_there(cassette: &Path) -> bool {
    Format::of(cassette).is_some()
}
