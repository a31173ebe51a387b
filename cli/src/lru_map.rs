//! A map of limited size that forgets the keys that were not used for the longest time. For walks over long cassettes.

use std::collections::HashMap;
use std::hash::Hash;

/// Holds the last `limit` keys that were used, and up to as many used before them.
#[derive(Debug)]
pub struct LruMap<K, V> {
    last: HashMap<K, V>,
    before: HashMap<K, V>,
    limit: usize,
    forgot: bool,
}

impl<K: Eq + Hash, V> LruMap<K, V> {
    /// Makes an empty map.
    pub fn with_limit(limit: usize) -> Self {
        LruMap { last: HashMap::new(), before: HashMap::new(), limit, forgot: false }
    }

    /// Returns the value of a key, and counts the key as used.
    pub fn get(&mut self, key: &K) -> Option<&V>
    where
        K: Clone,
    {
        if let Some(value) = self.before.remove(key) {
            self.insert(key.clone(), value);
        }
        self.last.get(key)
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        self.before.remove(&key);
        if self.last.len() >= self.limit && !self.last.contains_key(&key) {
            self.forgot |= !self.before.is_empty();
            self.before = std::mem::take(&mut self.last);
        }
        self.last.insert(key, value);
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &K) {
        self.last.remove(key);
        self.before.remove(key);
    }

    /// Whether it has forgotten any key.
    pub fn forgot(&self) -> bool {
        self.forgot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays() {
        let mut map = LruMap::with_limit(10);
        for number in 0..1000 {
            map.insert(number, number.to_string());
            assert_eq!(map.get(&0).map(String::as_str), Some("0"), "at {number}");
        }
        assert!(map.get(&995).is_some() && map.get(&500).is_none() && map.forgot());
        map.remove(&0);
        assert!(map.get(&0).is_none());
    }
}
