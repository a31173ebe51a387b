//! Span ids and times of records. They differ from run to run, so there are none unless they are asked for.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::metadata::utc;

/// Whether records get a span id and a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// Each record gets a random id of its own and the time it was written at.
    pub real: bool,
    /// The span that called, 16 hexadecimal digits, from a `traceparent`: what real spans name as their parent.
    pub parent: Option<String>,
}

/// Gives each record its span.
#[derive(Clone, Debug)]
pub(super) struct Stamp(Option<Source>);

#[derive(Clone, Debug)]
struct Source {
    parent: Option<String>,
    random: RandomState,
}

/// The span of one record.
pub(super) struct Span<'s> {
    /// 16 hexadecimal digits.
    pub(super) id: String,
    pub(super) parent: Option<&'s str>,
    pub(super) name: &'s str,
    /// `2026-11-21T05:51:00.123Z`
    pub(super) timestamp: String,
}

impl Stamp {
    #[cfg(test)]
    pub(super) fn none() -> Stamp {
        Stamp(None)
    }

    pub(super) fn new(spans: &Spans) -> Stamp {
        Stamp(spans.real.then(|| Source { parent: spans.parent.clone(), random: RandomState::new() }))
    }

    /// The span of a record that is written now.
    pub(super) fn next<'s>(&'s self, identifier: &'s str) -> Option<Span<'s>> {
        let source = self.0.as_ref()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = utc(now.as_secs());
        let timestamp = format!("{}.{:03}Z", seconds.trim_end_matches('Z'), now.subsec_millis());
        let name = identifier.split_once(' ').map_or(identifier, |(method, _)| method);
        Some(Span { id: source.id(), parent: source.parent.as_deref(), name, timestamp })
    }
}

impl Source {
    /// An id that no other span has: a keyed hash of a number that is not given twice in this process.
    fn id(&self) -> String {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut hasher = self.random.build_hasher();
        hasher.write_u64(NEXT.fetch_add(1, Ordering::Relaxed));
        // all zeros is no span id
        format!("{:016x}", hasher.finish().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_spans_are_all_different_and_others_are_none() {
        assert!(Stamp::new(&Spans::default()).next("run a/1").is_none());
        let stamp = Stamp::new(&Spans { real: true, parent: Some("00f067aa0ba902b7".to_owned()) });
        let mut ids = std::collections::HashSet::new();
        for _ in 0..1000 {
            let span = stamp.next("run a/1").unwrap();
            assert_eq!((span.parent, span.name), (Some("00f067aa0ba902b7"), "run"));
            assert!(span.timestamp.len() == 24 && span.timestamp.ends_with('Z'), "{}", span.timestamp);
            assert!(span.id.len() == 16 && ids.insert(span.id));
        }
    }
}
