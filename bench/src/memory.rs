//! Measures peak memory at N and at ten times N, with the driver's own streaming switched on.

use crate::{
    case::Way,
    case::{Case, Style},
    client::Sample,
    fact::Types,
    launch::Job,
    options::Options,
    rounds::once,
    setup::Setup,
};

/// Two runs of one case and way.
pub struct Growth {
    /// What was run.
    pub case: Case,
    /// The way.
    pub way: Way,
    /// N.
    pub count: u64,
    /// At N and at ten times N.
    pub samples: [Sample; 2],
    /// The bare client's two runs.
    pub bare: [Sample; 2],
}

/// Returns the cases whose memory is measured.
pub fn cases() -> Vec<Case> {
    vec![
        Case::Select1,
        Case::Fetch(Style::Bound, Types::Char),
        Case::Fetch(Style::BlockColumns, Types::Char),
        Case::Fetch(Style::GetData, Types::Char),
    ]
}

/// Returns the name by which a filter selects a case here.
pub fn name(case: Case) -> String {
    format!("memory/{case}")
}

/// Runs the case every way at both sizes. The larger size is what the options ask for.
pub fn measure(setup: &Setup, options: &Options, case: Case, errors: &mut Vec<String>) -> Result<Vec<Growth>, String> {
    let count = (options.count(case) / 10).max(1);
    let jobs = [count, count * 10].map(|count| Job { case, count, streaming: true });
    let bare =
        [setup.launcher.run(jobs[0], Way::Bare, "".as_ref())?, setup.launcher.run(jobs[1], Way::Bare, "".as_ref())?];
    let mut growths = Vec::new();
    for way in options.ways() {
        let outcome = if way == Way::Bare { Ok(bare) } else { both(setup, jobs, way, bare) };
        match outcome {
            Ok(samples) => growths.push(Growth { case, way, count, samples, bare }),
            Err(error) => errors.push(format!("memory: {error}")),
        }
    }
    Ok(growths)
}

fn both(setup: &Setup, jobs: [Job; 2], way: Way, bare: [Sample; 2]) -> Result<[Sample; 2], String> {
    let run = |at: usize| {
        let cassette = setup.cassette(&format!("memory-{}", jobs[at].case))?;
        if let Way::Replay(format) = way {
            setup.record(jobs[at], format, &cassette)?;
        }
        let sample = once(setup, jobs[at], way, &cassette, bare[at].checksum)?;
        setup.discard(&cassette)?;
        Ok::<Sample, String>(sample)
    };
    Ok([run(0)?, run(1)?])
}
