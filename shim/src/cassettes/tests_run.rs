//! Cassettes that are named after the running test: which test they belong to, and what happens to them when another
//! test, or another attempt at the same one, is running.

use super::eject;
use super::registry::{PLAYERS, RECORDERS};
use crate::config::running_test::is_torn_down;
use crate::config::settings::TestRun;
use crate::config::variables::variable;
use std::path::Path;
use super8_cassette::Metadata;

/// Returns whether a cassette of this test is no longer used once `other` is running. Set-up that several tests share
/// is used until it is torn down, and it may begin in the middle of a test.
fn is_over(test: &TestRun, other: &TestRun) -> bool {
    test.id != other.id && if test.is_shared { is_torn_down(&test.id, &variable) } else { !other.is_shared }
}

/// Ends what is open of this cassette if it belongs to an earlier attempt at the test, because this attempt starts from
/// nothing. What the earlier attempt recorded is removed.
pub(super) fn begin_attempt(cassette: &Path, test: Option<&TestRun>) {
    let is_earlier = |of: &Option<TestRun>| {
        let (Some(earlier), Some(test)) = (of, test) else { return false };
        earlier.id == test.id && earlier.attempt < test.attempt
    };
    let recorder = {
        let mut recorders = RECORDERS.get().lock();
        let earlier = recorders.get(cassette).is_some_and(|open| is_earlier(&open.test));
        if earlier { recorders.remove(cassette) } else { None }
    };
    if let Some(open) = recorder {
        // What the failed attempt could not write is of no use any more.
        let _ = open.cassette.discard(None);
    }
    let is_replayed = PLAYERS.get().lock().get(cassette).is_some_and(|open| is_earlier(&open.test));
    if is_replayed {
        eject::retire(cassette);
    }
}

/// Ends the cassettes of tests that are over and have no open connection, before one of another test is opened. This
/// keeps few files open in a process that runs thousands of tests.
pub(super) fn end_others(test: Option<&TestRun>) {
    let Some(test) = test else { return };
    let is_done = |of: &Option<TestRun>| of.as_ref().is_some_and(|of| is_over(of, test));
    let mut over: Vec<_> = {
        let recorders = RECORDERS.get().lock();
        let over = recorders.iter().filter(|(_, open)| is_done(&open.test) && open.cassette.is_idle());
        over.map(|(path, _)| path.clone()).collect()
    };
    {
        let players = PLAYERS.get().lock();
        let done = players.iter().filter(|(_, open)| is_done(&open.test) && open.cassette.is_idle());
        over.extend(done.map(|(path, _)| path.clone()));
    }
    over.iter().for_each(|path| eject::retire(path));
}

/// Refuses the cassette of another test. Names are made so that no two tests share one, but somebody may have copied a
/// cassette, or two runners may name two tests alike.
pub(super) fn check(cassette: &Path, metadata: &Metadata, test: Option<&TestRun>) -> Result<(), String> {
    let (Some(test), Some(recorded)) = (test, &metadata.test) else { return Ok(()) };
    if test.id == *recorded {
        return Ok(());
    }
    Err(format!(
        "{} is the cassette of the test {recorded}, and this is {}: remove it if that test is gone, or name the cassettes of the \
         two in different directories",
        cassette.display(),
        test.id
    ))
}
