//! `cargo xtask bench`: measures what super8 costs over the bare driver, in time, instructions and memory.
//!
//! The program starts itself again for every measurement, as an ordinary ODBC client (module [`client`]).

mod area;
mod callgrind;
mod case;
mod checksum;
mod client;
mod fact;
mod gate;
mod goals;
mod growth;
mod instructions;
mod launch;
mod memory;
mod odbc;
mod options;
mod postgres;
mod report;
mod rounds;
mod setup;
mod usage;
mod variants;

use std::process::ExitCode;

use case::Case;
use fact::Database;
use launch::Job;
use options::Options;
use rounds::Random;
use rounds::Series;
use setup::Setup;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["client", database, case, count, string] => client(database, case, count, string),
        ["load", database, count, string] => load(database, count, string),
        _ => bench(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn client(database: &str, case: &str, count: &str, string: &str) -> Result<(), String> {
    client::run(Database::named(database)?, Case::named(case)?, parse(count)?, string)
}

fn load(database: &str, count: &str, string: &str) -> Result<(), String> {
    client::load(Database::named(database)?, string, parse(count)?)
}

fn parse(count: &str) -> Result<u64, String> {
    count.parse().map_err(|e| format!("the count {count}: {e}"))
}

fn bench(arguments: Vec<String>) -> Result<(), String> {
    let options = Options::parse(arguments.into_iter())?;
    if options.help {
        print!("{}", options::HELP);
        return Ok(());
    }
    let selected: Vec<Case> = Case::all().into_iter().filter(|case| options.selects(&case.to_string())).collect();
    let memory: Vec<Case> = memory::cases().into_iter().filter(|case| options.selects(&memory::name(*case))).collect();
    if options.list {
        Case::all().iter().for_each(|case| println!("{case}"));
        memory::cases().iter().for_each(|case| println!("{}", memory::name(*case)));
        return Ok(());
    }
    if selected.is_empty() && memory.is_empty() {
        return Err(format!("no case's name contains {}; --list names them", options.filters.join(" or ")));
    }
    if options.instructions || options.gate {
        instructions::available()?;
    }
    if options.gate {
        return gate::run(&options);
    }
    let setup = Setup::new(&options)?;
    let database = setup.launcher.database;
    let mut errors = Vec::new();
    let tables = if let Some(revision) = &options.compare {
        vec![("compare", variants::compare(&setup, &options, &selected, revision)?)]
    } else if options.instead {
        vec![("instead", variants::instead(&setup, &options)?)]
    } else if options.growth {
        let curves = growth::measure(&setup, &options)?;
        let plot = if options.write_docs {
            report::documentation("growth.svg")
        } else {
            setup.launcher.directory.join("growth.svg")
        };
        growth::draw(&plot, &curves)?;
        println!("{}", plot.display());
        vec![("growth", growth::table(database, &curves))]
    } else if options.instructions {
        vec![("instructions", count_instructions(&setup, &options, &selected, &mut errors))]
    } else {
        measure(&setup, &options, &selected, &memory, &mut errors)
    };
    for (name, table) in tables.iter().filter(|(_, table)| !table.is_empty()) {
        println!("\n{table}");
        // tables of SQLite have the short name
        let name = if options.postgres { format!("{name}-postgres") } else { (*name).to_owned() };
        if options.write_docs && TABLES.contains(&name.as_str()) {
            report::write(&name, table, database)?;
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(format!("\n{} failed:\n  {}", errors.len(), errors.join("\n  ")))
}

/// The tables that docs/performance.md has.
const TABLES: [&str; 8] =
    ["times", "calls", "memory", "instructions", "growth", "instead", "times-postgres", "instead-postgres"];

fn count_instructions(setup: &Setup, options: &Options, selected: &[Case], errors: &mut Vec<String>) -> String {
    let mut counted = Vec::new();
    for case in selected {
        eprintln!("{case} ...");
        if let Some(counts) = instructions::measure(setup, options, *case, errors) {
            counted.push((*case, counts));
        }
    }
    report::instructions(setup.launcher.database, &counted)
}

fn measure(
    setup: &Setup,
    options: &Options,
    selected: &[Case],
    memory: &[Case],
    errors: &mut Vec<String>,
) -> Vec<(&'static str, String)> {
    let mut random = Random::new(options.seed);
    let mut all = Vec::new();
    for case in selected {
        eprintln!("{case} ...");
        let job = Job { case: *case, count: options.count(*case), streaming: false };
        match Series::measure(setup, options, job, &mut random) {
            Ok(mut series) => {
                errors.append(&mut series.errors);
                all.push(series);
            }
            Err(error) => errors.push(error),
        }
    }
    let mut growths = Vec::new();
    for case in memory {
        eprintln!("{} ...", memory::name(*case));
        match memory::measure(setup, options, *case, errors) {
            Ok(found) => growths.extend(found),
            Err(error) => errors.push(error),
        }
    }
    vec![
        ("times", report::times(setup.launcher.database, &all)),
        ("goals", report::reached(setup.launcher.database, &all)),
        ("calls", report::calls(&all)),
        ("memory", report::memory(&growths)),
    ]
}
