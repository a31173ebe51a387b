//! Measures in interleaved rounds: every round runs every way of a case once, in random order. The medians and quartiles of
//! the rounds are compared.

use std::path::Path;

use crate::case::Way;
use crate::client::Sample;
use crate::launch::Job;
use crate::options::Options;
use crate::setup::Setup;

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

/// Returns the median; for an even number of values, the mean of the middle two; NaN for no values.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

/// Returns the lower and the upper quartile (the nearest values, without interpolation); NaN for no values.
pub fn quartiles(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().wrapping_sub(1);
    match values.len() {
        0 => (f64::NAN, f64::NAN),
        _ => (values[last / 4], values[last - last / 4]),
    }
}

/// A generator of pseudo-random numbers (splitmix64): the same seed gives the same order of measurements.
pub struct Random(u64);

impl Random {
    /// Starts from this seed.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Puts the items in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, (self.next() % (last as u64 + 1)) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median([]).is_nan());
        assert_eq!(quartiles([5.0, 1.0, 2.0, 4.0, 3.0]), (2.0, 4.0));
        assert_eq!(quartiles([7.0]), (7.0, 7.0));
        assert!(quartiles([]).0.is_nan());
    }

    #[test]
    fn a_shuffle_repeats_and_moves_every_item() {
        let mut random = Random::new(7);
        let mut places = [[0u32; 4]; 4];
        for _ in 0..4000 {
            let mut items = [0, 1, 2, 3];
            random.shuffle(&mut items);
            items.iter().enumerate().for_each(|(place, item)| places[place][*item] += 1);
        }
        assert!(places.iter().flatten().all(|count| (850..1150).contains(count)), "{places:?}");
        let order = |seed| {
            let mut items = [0, 1, 2, 3, 4, 5];
            Random::new(seed).shuffle(&mut items);
            items
        };
        assert_eq!(order(3), order(3));
    }
}
