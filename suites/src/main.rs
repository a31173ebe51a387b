//! Runs test suites that others wrote for drivers and bindings in four ways (bare, off, recorded, and replayed without
//! driver, server and database), and compares them test by test. `cargo xtask suites` starts it; see docs/suites.md.

mod connection;
mod dbd_odbc;
mod known;
mod odbc_api;
mod psqlodbc;
mod pyodbc;
mod report;
mod run;
mod server;
mod source;
mod suite;

use clap::Parser;
use run::{Program, Runs, word};
use source::Trouble;
use std::process::ExitCode;
use suite::Suite;
use super8_tests::driver::Driver;
use super8_tests::products;
use super8_tests::ways::Way;

/// Runs third-party test suites bare, with super8 off, recorded and replayed, and compares test by test.
#[derive(Parser)]
#[command(name = "cargo xtask suites")]
struct Options {
    /// Suites, by name or by the beginning of one (all without)
    suites: Vec<String>,
    /// Only this way beside the bare one: off, record, replay (may be repeated; replay records first)
    #[arg(long, value_parser = ["off", "record", "replay"])]
    way: Vec<String>,
    /// Only programs whose names contain this (may be repeated)
    #[arg(long)]
    test: Vec<String>,
    /// Only the programs that stand for their suite in the test command
    #[arg(long)]
    representative: bool,
    /// List suites and programs, run nothing
    #[arg(long)]
    list: bool,
    /// Run each program this often each way, and print how long it took
    #[arg(long, value_name = "N", conflicts_with = "jobs")]
    time: Option<usize>,
    /// Write those times into docs/performance.md
    #[arg(long, requires = "time")]
    write_docs: bool,
    /// How many programs run at once, each worker with a server of its own
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

fn main() -> ExitCode {
    match suites(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

fn every_suite() -> Vec<Box<dyn Suite>> {
    use Driver::{PostgresAnsi, PostgresUnicode, Sqlite};
    vec![
        Box::new(psqlodbc::Psqlodbc { driver: PostgresUnicode }),
        Box::new(psqlodbc::Psqlodbc { driver: PostgresAnsi }),
        Box::new(pyodbc::Pyodbc { driver: Sqlite }),
        Box::new(pyodbc::Pyodbc { driver: PostgresUnicode }),
        Box::new(odbc_api::OdbcApi),
        Box::new(dbd_odbc::DbdOdbc { driver: Sqlite }),
        Box::new(dbd_odbc::DbdOdbc { driver: PostgresUnicode }),
    ]
}

/// Runs the selected suites. Returns true if every test had the same result every way.
fn suites(options: &Options) -> Result<bool, String> {
    let mut suites = every_suite();
    if let Some(unknown) =
        options.suites.iter().find(|word| !suites.iter().any(|suite| suite.name().starts_with(word.as_str())))
    {
        let names: Vec<&str> = suites.iter().map(|suite| suite.name()).collect();
        return Err(format!("there is no suite `{unknown}`; there are {}", names.join(", ")));
    }
    let wanted = |name: &str| options.suites.is_empty() || options.suites.iter().any(|word| name.starts_with(word));
    suites.retain(|suite| wanted(suite.name()) && (!options.representative || suite.is_represented()));

    let known = known::List::read(&products::repository().join("suites/known.yml"))?;
    let (mut names, mut missing) = (Vec::new(), Vec::new());
    for suite in &suites {
        match suite.prepare() {
            Ok(()) => {}
            Err(Trouble::Broken(reason)) => return Err(reason),
            Err(Trouble::NotObtained(reason)) => {
                missing.push(format!("{}: not run. {reason}", suite.name()));
                continue;
            }
        }
        known.check(suite.as_ref())?;
        let mut programs = suite.programs()?;
        programs.retain(|name| options.test.is_empty() || options.test.iter().any(|part| name.contains(part)));
        programs.retain(|name| !options.representative || suite.represents(name));
        names.push((suite.as_ref(), programs));
    }
    let programs: Vec<Program<'_>> =
        names.iter().flat_map(|(suite, names)| names.iter().map(|name| Program { suite: *suite, name })).collect();
    if options.list {
        programs.iter().for_each(|program| println!("{} {}", program.suite.name(), program.name));
        return Ok(true);
    }
    if programs.is_empty() {
        let reason = missing.join("\n\n");
        return Err(if reason.is_empty() { "no program has such a name; --list shows all".into() } else { reason });
    }
    let asked = |way: Way| options.way.is_empty() || options.way.iter().any(|asked| asked == word(way));
    let mut ways = vec![Way::Bare];
    ways.extend(asked(Way::Off).then_some(Way::Off));
    ways.extend((asked(Way::Record) || asked(Way::Replay)).then_some(Way::Record));
    ways.extend(asked(Way::Replay).then_some(Way::Replay));

    // Built here, before the first program runs, and not by whichever worker comes first.
    for suite in &suites {
        suite.driver().shim().path();
    }
    let shown: Vec<&'static str> = ways[1..].iter().map(|way| word(*way)).collect();
    let runs = Runs::new(source::cache().join("runs"), ways, options.time.unwrap_or(1).max(1));
    // only one worker, because programs that run side by side slow each other down
    let jobs = if options.time.is_some() { 1 } else { options.jobs.clamp(1, programs.len()) };
    let results = runs.all(&programs, jobs);
    if options.time.is_some() {
        let times = report::times(&programs, &results);
        println!("\n{times}");
        if options.write_docs {
            report::write_times(&times)?;
        }
    }
    let report = report::report(&programs, &results, &known, &shown);
    print!("{}", report.text);
    println!("\nEach program's output, log and cassette: {}", source::cache().join("runs").display());
    missing.iter().for_each(|reason| println!("\n{reason}"));
    // The test command runs the suites that the machine's registries have; the full command needs all of them.
    Ok(report.same && (missing.is_empty() || options.representative))
}
