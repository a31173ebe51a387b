//! The measured program: an ordinary ODBC client that runs one case once and prints what it used.
//!
//! Each measurement is a process of its own, so that environment, loaded drivers and peak memory are clean. It is
//! measured from before the first connect, where a cassette is opened, to after the last disconnect, where a recording
//! is published.

mod rows;
mod statements;

pub use rows::load;

use crate::{case::Case, checksum::Checksum, fact::Database, odbc::Environment, usage};

/// What one run of a client used, and what it received.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Wall time in nanoseconds.
    pub wall: u64,
    /// CPU time of the process in nanoseconds.
    pub cpu: u64,
    /// Peak resident size in KiB.
    pub peak: u64,
    /// The checksum of everything received.
    pub checksum: u64,
}

const MARK: &str = "super8-bench:";

impl Sample {
    /// Reads the line that [`run`] printed.
    pub fn parse(output: &str) -> Option<Sample> {
        let line = output.lines().find_map(|line| line.strip_prefix(MARK))?;
        let mut numbers = line.split_whitespace().map(|word| word.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Sample { wall: next()?, cpu: next()?, peak: next()?, checksum: next()? })
    }
}

/// Runs the case `count` times over this connection string and prints a line that [`Sample::parse`] reads.
pub fn run(database: Database, case: Case, count: u64, connection_string: &str) -> Result<(), String> {
    let mut sum = Checksum::new();
    let start = usage::Start::now();
    let environment = Environment::new()?;
    match case {
        Case::Connect => statements::connects(&environment, connection_string, count, &mut sum)?,
        Case::Select1 => statements::queries(&environment, connection_string, count, &mut sum)?,
        Case::Threads => statements::threads(&environment, connection_string, count, &mut sum)?,
        Case::Fetch(style, types) => rows::read(&environment, connection_string, (style, types), count, &mut sum)?,
        Case::Insert { array } => {
            rows::insert_many(&environment, (database, connection_string), array, count, &mut sum)?
        }
        Case::CallColumns => statements::call_columns(&environment, connection_string, count, &mut sum)?,
        Case::CallGetData => statements::call_get_data(&environment, connection_string, count, &mut sum)?,
    }
    drop(environment);
    let (wall, cpu) = start.elapsed();
    println!("{MARK} {wall} {cpu} {} {}", usage::peak_kib()?, sum.value());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn only_whole_lines_are_read() {
        let sample = Sample::parse("noise\nsuper8-bench: 1 2 3 4\n").map(|s| (s.wall, s.cpu, s.peak, s.checksum));
        assert_eq!(sample, Some((1, 2, 3, 4)));
        assert!(Sample::parse("super8-bench: 1 2 3\n").is_none());
        assert!(Sample::parse("").is_none());
    }
}
