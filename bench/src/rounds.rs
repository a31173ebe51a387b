//! Measures in interleaved rounds: every round runs every way of a case once, in random order.

use std::path::Path;

use crate::{
    client::Sample,
    launch::Job,
    options::Options,
    setup::Setup,
    statistics::{Random, median, quartiles},
    way::Way,
};

/// The measurements of one case.
pub struct Series {
    /// What was measured.
    pub job: Job,
    /// For each way the samples in the order of the rounds. A way that failed is left out.
    pub ways: Vec<(Way, Vec<Sample>)>,
    /// What went wrong: a failed client, or data that differs from the bare driver's.
    pub errors: Vec<String>,
}

/// Wall and CPU, as medians.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The median of wall time.
    pub wall: f64,
    /// The median of CPU time.
    pub cpu: f64,
}

impl Series {
    /// Measures the job: first each way once, uncounted (it warms caches and makes the recording that is replayed),
    /// then the rounds. A way that fails or returns other data is reported and left out.
    pub fn measure(setup: &Setup, options: &Options, job: Job, random: &mut Random) -> Result<Series, String> {
        let cassette = setup.cassette(&job.case.to_string())?;
        let mut errors = Vec::new();
        let bare =
            setup.launcher.run(job, Way::Bare, &cassette).map_err(|error| format!("{} bare: {error}", job.case))?;
        let expected = bare.checksum;
        let mut ways = vec![(Way::Bare, Vec::new())];
        for way in options.ways() {
            if way == Way::Bare || job.case.is_call() && way != Way::Off {
                continue;
            }
            if let Way::Replay(format) = way
                && !cassette.join(format.name()).exists()
                && let Err(error) = setup.record(job, format, &cassette)
            {
                errors.push(format!("{} {way}: nothing to replay: {error}", job.case));
                continue;
            }
            match once(setup, job, way, &cassette, expected) {
                Ok(_) => ways.push((way, Vec::new())),
                Err(error) => errors.push(error),
            }
        }
        let mut order: Vec<usize> = (0..ways.len()).collect();
        for _ in 0..options.rounds {
            random.shuffle(&mut order);
            for at in &order {
                let (way, samples) = &mut ways[*at];
                let recording = setup.cassette("round")?;
                let place = if matches!(way, Way::Record(_)) { &recording } else { &cassette };
                samples.push(once(setup, job, *way, place, expected)?);
            }
        }
        setup.discard(&setup.cassette("round")?)?;
        setup.discard(&cassette)?;
        Ok(Series { job, ways, errors })
    }

    /// Returns the samples of a way, if it was measured.
    pub fn samples(&self, way: Way) -> Option<&[Sample]> {
        self.ways.iter().find(|(known, _)| *known == way).map(|(_, samples)| samples.as_slice())
    }

    /// Returns the median over the rounds of this way's time divided by the bare driver's in the same round.
    pub fn ratio(&self, way: Way) -> Option<Pair> {
        let (own, bare) = (self.samples(way)?, self.samples(Way::Bare)?);
        let rounds = || own.iter().zip(bare);
        Some(Pair {
            wall: median(rounds().map(|(own, bare)| own.wall as f64 / bare.wall as f64)),
            cpu: median(rounds().map(|(own, bare)| own.cpu as f64 / bare.cpu as f64)),
        })
    }

    /// Returns the lower and upper quartile of the CPU ratios, which say how far their median can be trusted.
    pub fn cpu_quartiles(&self, way: Way) -> Option<(f64, f64)> {
        let (own, bare) = (self.samples(way)?, self.samples(Way::Bare)?);
        Some(quartiles(own.iter().zip(bare).map(|(own, bare)| own.cpu as f64 / bare.cpu as f64)))
    }

    /// Returns the median of this way's nanoseconds per unit.
    pub fn nanoseconds(&self, way: Way) -> Option<Pair> {
        let own = self.samples(way)?;
        let count = self.job.count as f64;
        Some(Pair {
            wall: median(own.iter().map(|sample| sample.wall as f64)) / count,
            cpu: median(own.iter().map(|sample| sample.cpu as f64)) / count,
        })
    }

    /// Returns the median of this way's peak memory in KiB.
    pub fn peak(&self, way: Way) -> Option<f64> {
        Some(median(self.samples(way)?.iter().map(|sample| sample.peak as f64)))
    }
}

/// Runs the job once. Fails if the data differ from the bare driver's.
pub fn once(setup: &Setup, job: Job, way: Way, cassette: &Path, expected: u64) -> Result<Sample, String> {
    let sample = setup.launcher.run(job, way, cassette).map_err(|error| format!("{} {way}: {error}", job.case))?;
    if sample.checksum != expected {
        return Err(format!("{} {way}: the data differs from what the bare driver returned", job.case));
    }
    Ok(sample)
}
