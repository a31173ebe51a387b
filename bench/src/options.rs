//! Parses the command line.

use crate::{
    case::{BLOCK, Case, Unit},
    case::{Format, Way},
};

/// The rows of the table that the gate reads.
const GATE_ROWS: u64 = 6000;

/// What `--help` prints.
pub const HELP: &str = "\
usage: cargo xtask bench [options] [filter ...]

Measures super8 against the bare driver. A filter is a part of a case's name (`fetch/bound`, `wchar`, `memory`);
without one every case runs. The exit code tells wrong results from right ones, never slow from fast.

  --rounds N        rounds of each case; every round runs all ways once, in random order (9)
  --rows N          rows of the fetch and insert cases, rounded up to thousands (100000)
  --statements N    point queries and single inserts (50000)
  --connects N      connections (200)
  --calls N         calls of the single-call cases (2000000)
  --ways A,B        of bare, off, record, replay (all)
  --format NAME     of the cassettes: yaml, ndjson or both, side by side (yaml)
  --seed N          of the random order (1)
  --quick           3 rounds, a tenth of everything
  --instructions    exact instruction counts under callgrind instead of times
  --gate            compare what super8 itself executes for six cases with bench/instructions.yml
  --bless           with --gate: write that file
  --compare REV     this build beside that of a revision, interleaved; with --instructions their counts
  --instead         super8 beside what people use instead: the driver manager's trace, a driver's log
  --growth          time and memory against size: 1000 to --statements (1000000) and 10000 to --rows (1000000)
  --write-docs      write the tables into docs/performance.md, and the plot of --growth into docs/growth.svg
  --pg              PostgreSQL, on a server of the bench's own, instead of SQLite
  --shim FILE       this shim library instead of the one built here
  --show            print each client's command line and environment, and keep the cassettes
  --list            name the cases
";

/// The options of the command line.
#[derive(Clone, Debug)]
pub struct Options {
    /// Rounds of each case.
    pub rounds: usize,
    /// Rows of the fetch and insert cases: a multiple of [`BLOCK`].
    pub rows: u64,
    /// Point queries and single inserts.
    pub statements: u64,
    /// Connections.
    pub connects: u64,
    /// Calls of the single-call cases.
    pub calls: u64,
    /// The modes to measure; bare is always among them.
    modes: Vec<String>,
    /// The formats of cassettes.
    formats: Vec<Format>,
    /// The seed of the random order.
    pub seed: u64,
    /// Instruction counts instead of times.
    pub instructions: bool,
    /// Compare instruction counts with the numbers in the repository.
    pub gate: bool,
    /// Write those numbers.
    pub bless: bool,
    /// The revision to compare with.
    pub compare: Option<String>,
    /// Measure what people use instead.
    pub instead: bool,
    /// Measure against size.
    pub growth: bool,
    /// Write the tables into the documentation.
    pub write_docs: bool,
    /// PostgreSQL instead of SQLite.
    pub postgres: bool,
    /// A shim library built elsewhere.
    pub shim: Option<String>,
    /// Print command lines and keep cassettes.
    pub show: bool,
    /// Name the cases and stop.
    pub list: bool,
    /// Print the help and stop.
    pub help: bool,
    /// Parts of names; empty selects every case.
    pub filters: Vec<String>,
}

impl Options {
    /// Reads the arguments after the program's name.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options {
            rounds: 9,
            rows: 100_000,
            statements: 50_000,
            connects: 200,
            calls: 2_000_000,
            modes: MODES.map(str::to_owned).to_vec(),
            formats: vec![Format::Yaml],
            seed: 1,
            instructions: false,
            gate: false,
            bless: false,
            compare: None,
            instead: false,
            growth: false,
            write_docs: false,
            postgres: false,
            shim: None,
            show: false,
            list: false,
            help: false,
            filters: Vec::new(),
        };
        let (mut rows, mut statements, mut quick) = (None, None, false);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--rounds" => options.rounds = number(&argument, &value()?)? as usize,
                "--rows" => rows = Some(number(&argument, &value()?)?),
                "--statements" => statements = Some(number(&argument, &value()?)?),
                "--connects" => options.connects = number(&argument, &value()?)?,
                "--calls" => options.calls = number(&argument, &value()?)?,
                "--seed" => options.seed = number(&argument, &value()?)?,
                "--format" => options.formats = formats(&value()?)?,
                "--ways" => options.modes = modes(&value()?)?,
                "--shim" => options.shim = Some(value()?),
                "--quick" => quick = true,
                "--instructions" => options.instructions = true,
                "--gate" => options.gate = true,
                "--compare" => options.compare = Some(value()?),
                "--instead" => options.instead = true,
                "--growth" => options.growth = true,
                "--write-docs" => options.write_docs = true,
                "--bless" => options.bless = true,
                "--pg" => options.postgres = true,
                "--show" => options.show = true,
                "--list" => options.list = true,
                "--help" | "-h" => options.help = true,
                _ if argument.starts_with('-') => return Err(format!("there is no option {argument}; see --help")),
                _ => options.filters.push(argument),
            }
        }
        if options.bless && !options.gate {
            return Err("--bless goes with --gate".to_owned());
        }
        if options.gate && (options.postgres || quick || rows.or(statements).is_some() || !options.filters.is_empty()) {
            return Err("--gate has its own cases and sizes: give it nothing but --bless, --shim or --show".to_owned());
        }
        if options.growth {
            (options.rows, options.statements) = (1_000_000, 1_000_000);
        }
        (options.rows, options.statements) = (rows.unwrap_or(options.rows), statements.unwrap_or(options.statements));
        if options.gate {
            options.rows = GATE_ROWS;
        }
        if quick {
            options.shorten();
        }
        options.rows = options.rows.next_multiple_of(BLOCK as u64);
        Ok(options)
    }

    fn shorten(&mut self) {
        self.rounds = 3;
        for count in [&mut self.rows, &mut self.statements, &mut self.connects, &mut self.calls] {
            *count /= 10;
        }
    }

    /// Returns the ways to measure, in their order.
    pub fn ways(&self) -> Vec<Way> {
        let wanted = |way: &Way| {
            let mode = self.modes.iter().any(|mode| mode == way.mode());
            *way == Way::Bare || mode && way.format().is_none_or(|format| self.formats.contains(&format))
        };
        Way::ALL.into_iter().filter(wanted).collect()
    }

    /// Whether a case of this name was asked for.
    pub fn selects(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()))
    }

    /// Returns how often a client does what this case counts.
    pub fn count(&self, case: Case) -> u64 {
        match (case, case.unit()) {
            (Case::Insert { array: false }, _) | (_, Unit::Statement) => self.statements,
            (_, Unit::Connection) => self.connects,
            (_, Unit::Row) => self.rows,
            (_, Unit::Call) => self.calls,
        }
    }
}

/// The names in `--ways`.
const MODES: [&str; 4] = ["bare", "off", "record", "replay"];

fn formats(name: &str) -> Result<Vec<Format>, String> {
    match name {
        "yaml" => Ok(vec![Format::Yaml]),
        "ndjson" => Ok(vec![Format::Ndjson]),
        "both" => Ok(vec![Format::Yaml, Format::Ndjson]),
        _ => Err(format!("--format is {name}: yaml, ndjson or both")),
    }
}

fn number(option: &str, text: &str) -> Result<u64, String> {
    match text.replace('_', "").parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{option} {text}: a number of at least 1 is needed")),
    }
}

fn modes(text: &str) -> Result<Vec<String>, String> {
    let known = |name: &str| {
        let known = MODES.contains(&name);
        known.then(|| name.to_owned()).ok_or_else(|| format!("there is no way `{name}`: {} are", MODES.join(", ")))
    };
    text.split(',').map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_and_filters() -> Result<(), String> {
        let options = parse("--rows 1500 --ways replay,off wchar --quick")?;
        assert_eq!((options.rows, options.rounds), (1000, 3));
        assert_eq!(options.ways(), [Way::Bare, Way::Off, Way::Replay(Format::Yaml)]);
        assert_eq!(parse("--format both")?.ways(), Way::ALL);
        let growth = parse("--quick --rows 2000 --growth")?;
        assert_eq!((growth.rows, growth.statements, growth.rounds), (1000, 100_000, 3));
        let traces = parse("--format ndjson --ways record")?;
        assert_eq!(traces.ways(), [Way::Bare, Way::Record(Format::Ndjson)]);
        assert!(options.selects("fetch/bound/wchar") && !options.selects("connect"));
        Ok(())
    }

    #[test]
    fn mistakes_are_named() {
        for (line, part) in [
            ("--rows", "needs a value"),
            ("--rows x", "--rows x"),
            ("--fast", "--fast"),
            ("--ways on", "`on`"),
            ("--format xml", "xml"),
            ("--bless", "goes with --gate"),
            ("--gate --pg", "its own cases"),
            ("--rows 1000 --gate", "its own cases"),
        ] {
            assert!(parse(line).is_err_and(|error| error.contains(part)), "{line}");
        }
    }
}
