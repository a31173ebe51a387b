//! Medians and quartiles, and a repeatable random order.

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
    use super::{Random, median, quartiles};

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
