//! Compares two builds of super8, or super8 with what people use instead. Every round runs all variants of a case once,
//! in random order.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    case::{Case, Style},
    case::{Format, Way},
    client::Sample,
    fact::{Database, Types},
    instructions,
    launch::{Job, Launcher},
    options::Options,
    report::figure,
    rounds::{Random, median, quartiles},
    setup::{self, Setup},
};

/// A way to run a case, and how its clients are started.
struct Variant {
    name: String,
    launcher: Launcher,
    way: Way,
    /// The directory to which it writes its cassette or log.
    written: PathBuf,
}

impl Variant {
    fn run(&self, job: Job, expected: Option<u64>) -> Result<Sample, String> {
        match self.way {
            Way::Replay(_) => {}
            Way::Record(_) => remove(&self.written),
            Way::Bare | Way::Off => {
                remove(&self.written);
                setup::make_directory(&self.written)?;
            }
        }
        let failed = |error: String| format!("{} {}: {error}", job.case, self.name);
        let sample = self.launcher.run(job, self.way, &self.written).map_err(failed)?;
        match expected {
            Some(expected) if expected != sample.checksum => {
                Err(failed("the data differs from what the bare driver returned".to_owned()))
            }
            _ => Ok(sample),
        }
    }
}

fn remove(path: &Path) {
    let _ = fs::remove_dir_all(path);
}

/// Returns the bytes of the files below a directory.
fn bytes(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    files
        .map(
            |file| {
                if file.path().is_dir() { bytes(&file.path()) } else { file.metadata().map_or(0, |file| file.len()) }
            },
        )
        .sum()
}

/// Measures each variant. Returns its samples in the order of the rounds, and the bytes that it wrote. The first
/// variant is the bare driver. A variant that replays records its cassette first.
fn measure(
    variants: &[Variant],
    rounds: usize,
    job: Job,
    random: &mut Random,
) -> Result<Vec<(Vec<Sample>, u64)>, String> {
    let expected = variants[0].run(job, None)?.checksum;
    let mut measured = Vec::new();
    for variant in variants {
        if let Way::Replay(format) = variant.way {
            let record = Variant {
                way: Way::Record(format),
                name: "record".to_owned(),
                launcher: variant.launcher.clone(),
                written: variant.written.clone(),
            };
            record.run(job, Some(expected))?;
        }
        variant.run(job, Some(expected))?;
        measured.push((Vec::new(), bytes(&variant.written)));
    }
    let mut order: Vec<usize> = (0..variants.len()).collect();
    for _ in 0..rounds {
        random.shuffle(&mut order);
        for at in &order {
            measured[*at].0.push(variants[*at].run(job, Some(expected))?);
        }
    }
    variants.iter().for_each(|variant| remove(&variant.written));
    Ok(measured)
}

/// Returns the medians of the wall and the CPU ratios of two variants' samples in the same rounds, and the quartiles of
/// the CPU ratios.
fn ratios(own: &[Sample], other: &[Sample]) -> (f64, f64, (f64, f64)) {
    let wall = own.iter().zip(other).map(|(own, other)| own.wall as f64 / other.wall as f64);
    let cpu = || own.iter().zip(other).map(|(own, other)| own.cpu as f64 / other.cpu as f64);
    (median(wall), median(cpu()), quartiles(cpu()))
}

/// Returns a table of this build's costs over those of a revision's.
///
/// # Errors
/// There is no such revision, it does not build, or a client fails.
pub fn compare(setup: &Setup, options: &Options, selected: &[Case], revision: &str) -> Result<String, String> {
    let (name, shim) = build(setup, revision)?;
    let other = setup.variant("compared", Some(&shim), "", "")?;
    let place = |name: &str| setup.launcher.directory.join("cassettes").join(format!("compared-{name}"));
    if options.instructions {
        return compare_instructions(setup, options, selected, (&name, setup.with(other)));
    }
    let mut table = format!(
        "This build over {name}, {}: medians of {} rounds\n\n| case | way | wall | CPU | CPU quartiles |\n| --- | --- | ---: | ---: | ---: |\n",
        setup.launcher.database, options.rounds
    );
    let mut random = Random::new(options.seed);
    for case in selected {
        eprintln!("{case} ...");
        let job = Job { case: *case, count: options.count(*case), streaming: false };
        let ways = options.ways().into_iter().filter(|way| *way != Way::Bare && (!case.is_call() || *way == Way::Off));
        let mut variants = vec![Variant {
            name: "bare".to_owned(),
            launcher: setup.launcher.clone(),
            way: Way::Bare,
            written: place("bare"),
        }];
        for way in ways {
            for (build, launcher) in [("this", &setup.launcher), ("other", &other)] {
                let name = format!("{way} {build}");
                let written = place(&name.replace(' ', "-"));
                variants.push(Variant { name, launcher: launcher.clone(), way, written });
            }
        }
        let measured = measure(&variants, options.rounds, job, &mut random)?;
        for (pair, of) in variants[1..].chunks(2).zip(measured[1..].chunks(2)) {
            let (wall, cpu, (low, high)) = ratios(&of[0].0, &of[1].0);
            table += &format!("| {case} | {} | {wall:.3} | {cpu:.3} | {low:.3} to {high:.3} |\n", pair[0].way);
        }
    }
    Ok(table)
}

fn compare_instructions(
    setup: &Setup,
    options: &Options,
    selected: &[Case],
    (name, other): (&str, Setup),
) -> Result<String, String> {
    let mut table = format!(
        "User-space instructions per unit, {}: {name}, this build\n\n| case | way | {name} | this build | ratio |\n| --- | --- | ---: | ---: | ---: |\n",
        setup.launcher.database
    );
    let mut errors = Vec::new();
    for case in selected {
        eprintln!("{case} ...");
        let Some(own) = instructions::measure(setup, options, *case, &mut errors) else { continue };
        let Some(others) = instructions::measure(&other, options, *case, &mut errors) else { continue };
        for ((way, own), (_, other)) in own.into_iter().zip(others).filter(|((way, _), _)| *way != Way::Bare) {
            table += &format!("| {case} | {way} | {other:.0} | {own:.0} | {:.3} |\n", own / other);
        }
    }
    if errors.is_empty() { Ok(table) } else { Err(errors.join("\n")) }
}

/// Builds a revision in a worktree of its own below the target directory. Returns its short name and its library.
fn build(setup: &Setup, revision: &str) -> Result<(String, PathBuf), String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let git = |words: &[&str]| -> Result<String, String> {
        let output = Command::new("git").arg("-C").arg(&repository).args(words).output();
        let output = output.map_err(|e| format!("cannot run git: {e}"))?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
    };
    let name = git(&["rev-parse", "--verify", "--short=12", &format!("{revision}^{{commit}}")])
        .map_err(|reason| format!("--compare {revision}: {reason}"))?;
    let place = setup.launcher.directory.with_file_name("compare");
    let libraries = place.join(format!("libraries-{name}"));
    let shim = libraries.join(setup::library(setup.launcher.database));
    if shim.exists() {
        return Ok((name, shim));
    }
    eprintln!("building {name} ...");
    setup::make_directory(&libraries)?;
    let checkout = place.join(format!("checkout-{name}"));
    let checkout_name = checkout.display().to_string();
    let _ = git(&["worktree", "remove", "--force", &checkout_name]);
    git(&["worktree", "add", "--detach", "--force", &checkout_name, &name])?;
    let target = place.join("target");
    let built = setup::build(&checkout.join("Cargo.toml"), &target);
    git(&["worktree", "remove", "--force", &checkout_name])?;
    built.map_err(|reason| format!("{name}: {reason}"))?;
    setup::copied(&target.join("release").join(setup::library(setup.launcher.database)), &libraries)?;
    Ok((name, shim))
}

/// Returns a table of what fetching row by row, fetching cell by cell and a point query cost with super8, with the
/// driver manager's trace and, if the driver has one, with the driver's log.
///
/// # Errors
/// A client that fails.
pub fn instead(setup: &Setup, options: &Options) -> Result<String, String> {
    let database = setup.launcher.database;
    let place = |name: &str| setup.launcher.directory.join("cassettes").join(format!("instead-{name}"));
    let (trace, log) = (place("trace"), place("log"));
    let traced = format!("\n[ODBC]\nTrace = Yes\nTraceFile = {}\n", trace.join("trace").display());
    let variant = |name: &str, launcher: &Launcher, way: Way, written: PathBuf| Variant {
        name: name.to_owned(),
        launcher: launcher.clone(),
        way,
        written,
    };
    let mut variants = vec![
        variant("bare", &setup.launcher, Way::Bare, place("bare")),
        variant("super8, recording", &setup.launcher, Way::Record(Format::Yaml), place("record")),
        variant("super8, replaying", &setup.launcher, Way::Replay(Format::Yaml), place("replay")),
        variant("unixODBC's trace", &setup.variant("trace", None, &traced, "")?, Way::Bare, trace),
    ];
    if database == Database::Postgres {
        // the driver reads the directory from the section with its own name
        let logged = format!("\n[PostgreSQL Unicode]\nLogdir = {0}\n[PostgreSQL]\nLogdir = {0}\n", log.display());
        let launcher = setup.variant("log", None, &logged, ";Debug=1;CommLog=1")?;
        variants.push(variant("psqlodbc's log", &launcher, Way::Bare, log));
    }
    // the counts are smaller, because a trace takes up to seventy times as long
    let counted = |case: Case| (options.count(case) / 20).max(1);
    let mut table = format!(
        "Over the bare driver, {database}: wall / CPU, medians of {} rounds of {} statements or {} rows; and bytes on disk for each of \
         them\n\n| case | with | over bare | bytes |\n| --- | --- | ---: | ---: |\n",
        options.rounds,
        counted(Case::Select1),
        counted(Case::Fetch(Style::Bound, Types::Char))
    );
    let mut random = Random::new(options.seed);
    for case in [Case::Select1, Case::Fetch(Style::Bound, Types::Char), Case::Fetch(Style::GetData, Types::Char)] {
        eprintln!("{case} ...");
        let count = counted(case);
        let measured = measure(&variants, options.rounds, Job { case, count, streaming: false }, &mut random)?;
        for (variant, (samples, bytes)) in variants.iter().zip(&measured).skip(1) {
            let (wall, cpu, _) = ratios(samples, &measured[0].0);
            // a replay writes nothing
            let bytes = if let Way::Replay(_) = variant.way { "–".to_owned() } else { (bytes / count).to_string() };
            table += &format!("| {case} | {} | {} / {} | {bytes} |\n", variant.name, figure(wall), figure(cpu));
        }
    }
    Ok(table)
}
