//! The regression gate: counts what super8 itself executes for six cases, and compares it with the numbers in
//! `bench/instructions.yml`.
//!
//! Only instructions in super8's own libraries count, and its calls of the allocator. The driver, the driver manager,
//! the C library, SQLite and this client do not count, so their versions and the processor's model make no difference.
//! The compiler does, so the numbers hold for one version of it.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde::{Deserialize, Serialize};

use crate::{
    callgrind::{self, Counts},
    case::{Case, Style},
    case::{Format, Way},
    fact::Types,
    instructions,
    launch::Job,
    options::Options,
    setup::Setup,
};

/// The largest relative difference to the count in the file.
const TOLERANCE: f64 = 0.03;

const CASES: [(Case, Way); 6] = [
    (Case::Connect, Way::Off),
    (Case::Select1, Way::Off),
    (Case::Select1, Way::Record(Format::Yaml)),
    (Case::Select1, Way::Replay(Format::Yaml)),
    (Case::Fetch(Style::Bound, Types::Char), Way::Record(Format::Yaml)),
    (Case::Fetch(Style::Bound, Types::Char), Way::Replay(Format::Yaml)),
];

const HEAD: &str = "\
# What super8 itself executes for one connection, point query or row: instructions in its libraries, as they are shipped, and
# calls of the allocator. `cargo xtask test` fails if one differs by more than 3 %. A commit that changes a number says why:
#   cargo xtask bench --gate --bless
";

/// The numbers in the repository.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Blessed {
    measured_with: Machine,
    cases: BTreeMap<String, Cost>,
}

/// The compiler and packages with which the numbers were measured.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
struct Machine {
    /// The compiler's version. Numbers of another one are not compared.
    rustc: String,
    /// The target. Numbers of another one are not compared.
    host: String,
    /// For the reader only.
    packages: String,
}

/// The cost of one connection, point query or row.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    instructions: f64,
    allocations: f64,
}

/// Counts the six cases and compares them with the file, or writes the file.
///
/// # Errors
/// A case differs, or cannot be counted.
pub fn run(options: &Options) -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.yml");
    let here = Machine::here()?;
    if options.bless {
        let blessed = Blessed { measured_with: here, cases: count_all(options)? };
        let text = serde_yaml::to_string(&blessed).map_err(|error| error.to_string())?;
        fs::write(&file, format!("{HEAD}{text}"))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        println!("wrote {}; the commit has to say why the numbers change", file.display());
        return Ok(());
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let blessed: Blessed = serde_yaml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let with = &blessed.measured_with;
    if let Some(reason) = with.other_than(&here) {
        println!("{reason}");
        return Ok(());
    }
    let (table, wrong) = compare(&blessed.cases, &count_all(options)?);
    println!("{table}");
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "instruction counts differ from bench/instructions.yml by more than {:.0} %:\n  {}\nIf that is meant: cargo xtask bench \
         --gate --bless, and a commit that says why. (The numbers are of {}; {}.)",
        TOLERANCE * 100.0,
        wrong.join("\n  "),
        with.rustc,
        with.packages
    ))
}

/// Returns a table of all cases, and a line for each that is outside the tolerance.
fn compare(blessed: &BTreeMap<String, Cost>, counted: &BTreeMap<String, Cost>) -> (String, Vec<String>) {
    let mut table =
        "| case | instructions: blessed, now | | allocations: blessed, now |\n| --- | ---: | ---: | ---: |".to_owned();
    let mut wrong = Vec::new();
    for (name, now) in counted {
        let Some(before) = blessed.get(name) else {
            wrong.push(format!("{name}: has no number yet"));
            continue;
        };
        let change = now.instructions / before.instructions - 1.0;
        table += &format!(
            "\n| {name} | {:.0}, {:.0} | {:+.1} % | {:.2}, {:.2} |",
            before.instructions,
            now.instructions,
            change * 100.0,
            before.allocations,
            now.allocations
        );
        if change.abs() > TOLERANCE {
            let word = if change > 0.0 { "more" } else { "less: keep that" };
            wrong.push(format!(
                "{name}: {:.0} instructions, were {:.0} ({:.1} % {word})",
                now.instructions,
                before.instructions,
                change.abs() * 100.0
            ));
        }
        // 0.02 allows for a buffer that grows now and then
        if (now.allocations - before.allocations).abs() > f64::max(TOLERANCE * before.allocations, 0.02) {
            wrong.push(format!("{name}: {:.2} allocations, were {:.2}", now.allocations, before.allocations));
        }
    }
    wrong.extend(
        blessed.keys().filter(|name| !counted.contains_key(*name)).map(|name| format!("{name}: is not a case")),
    );
    (table, wrong)
}

fn count_all(options: &Options) -> Result<BTreeMap<String, Cost>, String> {
    let setup = Setup::new(options)?;
    let mut counted = BTreeMap::new();
    for (case, way) in CASES {
        let name = format!("{case} {way}");
        let cost = count(&setup, case, way).map_err(|error| format!("{name}: {error}"))?;
        counted.insert(name, cost);
    }
    Ok(counted)
}

/// Counts a case at two sizes and divides the difference, so that start-up cancels.
fn count(setup: &Setup, case: Case, way: Way) -> Result<Cost, String> {
    let sizes = instructions::sizes(case).ok_or("cannot be counted")?;
    let mut counted = Vec::new();
    for count in sizes {
        let job = Job { case, count, streaming: false };
        let cassette = setup.cassette(&format!("gate-{case}"))?;
        if let Way::Replay(format) = way {
            setup.record(job, format, &cassette)?;
        }
        counted.push(setup.launcher.callgrind(job, way, &cassette)?.0);
        setup.discard(&cassette)?;
    }
    let own = |counts: &Counts| counts.of(&|object| callgrind::is_super8(object));
    let [small, large] = [own(&counted[0]), own(&counted[1])];
    let units = (sizes[1] - sizes[0]) as f64;
    let each = |small: u64, large: u64| (large as f64 - small as f64) / units;
    let rounded = |number: f64, digits: f64| (number * digits).round() / digits;
    Ok(Cost {
        instructions: rounded(each(small.instructions, large.instructions), 1.0),
        allocations: rounded(each(small.allocations, large.allocations), 100.0),
    })
}

impl Machine {
    /// Returns why this machine's numbers cannot be compared with those of `here`; `None` if they can.
    fn other_than(&self, here: &Machine) -> Option<String> {
        let same = (&self.rustc, &self.host) == (&here.rustc, &here.host);
        (!same).then(|| {
            format!(
                "instruction counts NOT compared: bench/instructions.yml has those of {} on {}, and this is {} on {}. To \
                 compare: RUSTUP_TOOLCHAIN={} cargo xtask bench --gate",
                self.rustc,
                self.host,
                here.rustc,
                here.host,
                self.rustc.split(' ').nth(1).unwrap_or_default(),
            )
        })
    }

    fn here() -> Result<Machine, String> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let said = output(Command::new(&rustc).arg("-vV")).ok_or_else(|| format!("{} -vV failed", rustc.display()))?;
        let line =
            |key: &str| said.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim().to_owned();
        let asked =
            ["-W", "-f", "${Package} ${Version}\n", "libc6", "unixodbc", "libsqliteodbc", "libsqlite3-0", "valgrind"];
        let packages = output(Command::new("dpkg-query").args(asked)).unwrap_or_default();
        let rustc = said.lines().next().unwrap_or_default().to_owned();
        Ok(Machine { rustc, host: line("host:"), packages: packages.lines().collect::<Vec<_>>().join(", ") })
    }
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(instructions: f64, allocations: f64) -> BTreeMap<String, Cost> {
        [("connect off".to_owned(), Cost { instructions, allocations })].into()
    }

    #[test]
    fn another_compiler_is_told_and_other_packages_are_not() {
        let of = |rustc: &str, packages: &str| Machine {
            rustc: format!("rustc {rustc} (59807616e 2026-04-14)"),
            host: "x86_64-unknown-linux-gnu".to_owned(),
            packages: packages.to_owned(),
        };
        assert_eq!(of("1.95.0", "libc6 2.36").other_than(&of("1.95.0", "libc6 2.41")), None);
        let told = of("1.95.0", "").other_than(&of("1.96.0", "")).unwrap_or_default();
        assert!(
            told.contains("NOT compared") && told.ends_with("RUSTUP_TOOLCHAIN=1.95.0 cargo xtask bench --gate"),
            "{told}"
        );
    }

    #[test]
    fn more_and_less_than_the_tolerance_are_told() {
        let blessed = of(1000.0, 2.0);
        assert_eq!(compare(&blessed, &of(1029.0, 2.05)).1, [""; 0]);
        for (counted, told) in [
            (of(1031.0, 2.0), "connect off: 1031 instructions, were 1000 (3.1 % more)"),
            (of(900.0, 2.0), "connect off: 900 instructions, were 1000 (10.0 % less: keep that)"),
            (of(1000.0, 3.0), "connect off: 3.00 allocations, were 2.00"),
        ] {
            assert_eq!(compare(&blessed, &counted).1, [told]);
        }
        assert_eq!(compare(&BTreeMap::new(), &of(1.0, 1.0)).1, ["connect off: has no number yet"]);
        assert_eq!(compare(&blessed, &BTreeMap::new()).1, ["connect off: is not a case"]);
    }
}
