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
#[derive(Clone, Debug, Default)]
pub(super) enum Stamp {
    /// Records have none.
    #[default]
    None,
    /// Each has a new one.
    Real(Source),
    /// Each has this one.
    Same(Span),
}

#[derive(Clone, Debug)]
pub(super) struct Source {
    parent: Option<String>,
    random: RandomState,
}

/// The span of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// 16 hexadecimal digits.
    pub(super) id: String,
    /// The same of the span that called.
    pub(super) parent: Option<String>,
    /// When the record was written: `2026-11-21T05:51:00.123Z`.
    pub(super) timestamp: String,
}

impl Stamp {
    pub(super) fn new(spans: &Spans) -> Stamp {
        if spans.real {
            Stamp::Real(Source { parent: spans.parent.clone(), random: RandomState::new() })
        } else {
            Stamp::None
        }
    }

    /// The span of a record that is written now.
    pub(super) fn next(&self) -> Option<Span> {
        let source = match self {
            Stamp::None => return None,
            Stamp::Same(span) => return Some(span.clone()),
            Stamp::Real(source) => source,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = utc(now.as_secs());
        let timestamp = format!("{}.{:03}Z", seconds.trim_end_matches('Z'), now.subsec_millis());
        Some(Span { id: source.id(), parent: source.parent.clone(), timestamp })
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
        assert!(Stamp::new(&Spans::default()).next().is_none());
        let stamp = Stamp::new(&Spans { real: true, parent: Some("00f067aa0ba902b7".to_owned()) });
        let mut ids = std::collections::HashSet::new();
        for _ in 0..1000 {
            let span = stamp.next().unwrap();
            assert_eq!(span.parent.as_deref(), Some("00f067aa0ba902b7"));
            assert!(span.timestamp.len() == 24 && span.timestamp.ends_with('Z'), "{}", span.timestamp);
            assert!(span.id.len() == 16 && ids.insert(span.id));
        }
    }
}
