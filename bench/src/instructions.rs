//! Exact instruction counts: runs two sizes under callgrind and divides the difference, so that start-up cancels.

use std::process::{Command, Stdio};

use crate::{
    callgrind::Counts,
    case::{Case, Unit, Way},
    launch::Job,
    options::Options,
    setup::Setup,
};

/// Checks that valgrind is there; the error says how to get it.
pub fn available() -> Result<(), String> {
    let status = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err("counting instructions needs valgrind; on Debian: apt-get install valgrind".to_owned()),
    }
}

/// Returns both sizes of a case; `None` for the threads case, because callgrind runs threads one after another.
pub fn sizes(case: Case) -> Option<[u64; 2]> {
    match (case, case.unit()) {
        (Case::Threads, _) => None,
        (_, Unit::Connection) => Some([4, 12]),
        (_, Unit::Statement) => Some([400, 1600]),
        (_, Unit::Row) => Some([2000, 6000]),
        (_, Unit::Call) => Some([10_000, 30_000]),
    }
}

/// Returns the instructions per unit for every way of the case; `None` if it cannot be counted.
pub fn measure(setup: &Setup, options: &Options, case: Case, errors: &mut Vec<String>) -> Option<Vec<(Way, f64)>> {
    let jobs = sizes(case)?.map(|count| Job { case, count, streaming: false });
    let outcome = bare(setup, jobs[0]).and_then(|small| Ok([small, bare(setup, jobs[1])?]));
    let bare = match outcome {
        Ok(bare) => bare,
        Err(error) => {
            errors.push(format!("{case} bare, instructions: {error}"));
            return Some(Vec::new());
        }
    };
    let per_unit = |small: u64, large: u64| (large as f64 - small as f64) / (jobs[1].count - jobs[0].count) as f64;
    let mut counted = vec![(Way::Bare, per_unit(bare[0].total, bare[1].total))];
    for way in options.ways().into_iter().filter(|way| *way != Way::Bare) {
        if case.is_call() && way != Way::Off {
            continue;
        }
        let run = |at: usize| through(setup, jobs[at], way, &bare[at]);
        match run(0).and_then(|small| Ok(per_unit(small, run(1)?))) {
            Ok(count) => counted.push((way, count)),
            Err(error) => errors.push(format!("{case} {way}, instructions: {error}")),
        }
    }
    Some(counted)
}

/// A bare run under callgrind, with the checksums there and outside. They differ, because callgrind computes
/// `long double` with less precision, so that SQLite prints some numbers differently.
struct Bare {
    total: u64,
    inside: u64,
    outside: u64,
}

fn bare(setup: &Setup, job: Job) -> Result<Bare, String> {
    let outside = setup.launcher.run(job, Way::Bare, "".as_ref())?.checksum;
    let (counts, sample) = setup.launcher.callgrind(job, Way::Bare, "".as_ref())?;
    Ok(Bare { total: total(&counts), inside: sample.checksum, outside })
}

fn total(counts: &Counts) -> u64 {
    counts.of(&|_| true).instructions
}

fn through(setup: &Setup, job: Job, way: Way, bare: &Bare) -> Result<u64, String> {
    let cassette = setup.cassette(&format!("instructions-{}", job.case))?;
    if let Way::Replay(format) = way {
        setup.record(job, format, &cassette)?;
    }
    let (counts, sample) = setup.launcher.callgrind(job, way, &cassette)?;
    setup.discard(&cassette)?;
    let expected = if matches!(way, Way::Replay(_)) { bare.outside } else { bare.inside };
    if sample.checksum == expected {
        Ok(total(&counts))
    } else {
        Err("the data differs from what the bare driver returned".to_owned())
    }
}
