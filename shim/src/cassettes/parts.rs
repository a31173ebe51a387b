//! Chooses the part of a cassette that this process records or plays, if a command has several processes.

use crate::config::running_test::SETUP;
use crate::config::settings::TestRun;
use crate::config::{command, variables::variable};
use crate::per_process::PerProcess;
use crate::run::Run;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use super8_cassette::{Format, parts_directory, parts_of};

/// What this process was given to record: a directory for each cassette and attempt at its test.
static GIVEN: PerProcess<Mutex<HashMap<(PathBuf, u32), PathBuf>>> = PerProcess::new();

/// Returns where this process records a cassette: in the cassette's own directory if it is the first process of the
/// run, else in a part named after its command, with a number if others have the same command. Each attempt at a test
/// begins anew.
pub(super) fn to_record(cassette: PathBuf, test: Option<&TestRun>) -> PathBuf {
    let attempt = test.map_or(1, |test| test.attempt);
    let wanted = (cassette, attempt);
    let mut given = GIVEN.get().lock();
    if let Some(place) = given.get(&wanted) {
        return place.clone();
    }
    let cassette = &wanted.0;
    if let Some(test) = test.filter(|test| test.is_shared)
        && let Some(spare) = spare(cassette, test, given.len())
    {
        given.insert(wanted, spare.clone());
        return spare;
    }
    let name = command::of_this_process();
    // Begin behind the numbers of earlier processes of this command: a run may have hundreds.
    let of_command = format!("number of {}", key(&parts_directory(cassette).join(&name), attempt));
    let first = Run::count(&of_command).unwrap_or(1);
    let numbered = (first..).map(|number| if number == 1 { name.clone() } else { format!("{name}-{number}") });
    let free = |place: &PathBuf| Run::take(&key(place, attempt), 1).unwrap_or(true);
    let mut places = numbered.map(|name| parts_directory(cassette).join(name));
    // The first process counts among those of its command, so a name is taken for it too.
    let part = places.find(free).unwrap_or_default();
    let place = if free(cassette) { cassette.clone() } else { part };
    given.insert(wanted, place.clone());
    place
}

/// Returns where a pytest-xdist worker records set-up that another worker records already. Each worker does the set-up
/// for its own tests, and one recording serves any number of workers at replay. The place goes away with the directory
/// of the run.
fn spare(cassette: &Path, test: &TestRun, number: usize) -> Option<PathBuf> {
    let worker = variable("PYTEST_XDIST_WORKER").unwrap_or_default();
    // The process that starts the workers only collects tests, and sets up no fixture.
    if worker.is_empty() && test.id != SETUP {
        return None;
    }
    let shared = format!("shared {}", cassette.display());
    let directory = Run::directory()?;
    if Run::gives_to(&shared, &worker.to_string_lossy()).unwrap_or(true) {
        return None;
    }
    let place = directory.join("spare").join(format!("{}-{number}", std::process::id()));
    Some(place.join(cassette.file_name()?))
}

fn key(place: &Path, attempt: u32) -> String {
    match attempt {
        1 => format!("record {}", place.display()),
        attempt => format!("record {} at attempt {attempt}", place.display()),
    }
}

/// Returns whether an earlier attempt at the running test has recorded this cassette, in this run.
pub(super) fn was_recorded_before(cassette: &Path, attempt: u32) -> bool {
    (1..attempt).any(|earlier| Run::is_taken(&key(cassette, earlier)).unwrap_or(false))
}

/// Removes the parts of an earlier recording that no process of this run has recorded. Under a wrapper, the wrapper
/// does that when all processes have ended.
pub(super) fn remove_stale(cassette: &Path) {
    let cassette = super8_cassette::directory_of(cassette);
    let attempts = GIVEN.get().try_lock().map(|given| {
        let is_first =
            |((of, attempt), place): (&(PathBuf, u32), &PathBuf)| (of == cassette && of == place).then_some(*attempt);
        given.iter().filter_map(is_first).max()
    });
    if let Some(Some(attempt)) = attempts
        && !Run::is_wrapped()
    {
        let stays = |part: &Path| Run::is_taken(&key(part, attempt)).unwrap_or(true);
        // A part that cannot be removed fails the next replay, which names it.
        let _ = super8_cassette::remove_parts(cassette, &stays);
    }
}

/// Returns the directories of the cassettes of which this process plays one, likeliest first: those of its command in
/// the order of recording, then the first process's. Empty if the cassette has no parts.
pub(super) fn to_replay(cassette: &Path) -> Vec<PathBuf> {
    let parts = parts_of(cassette);
    if parts.is_empty() {
        return Vec::new();
    }
    let name = command::of_this_process();
    let is_own = |part: &PathBuf| {
        let part = part.file_name().unwrap_or_default().to_string_lossy();
        let number = part.strip_prefix(name.as_str()).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (own, others): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_own);
    let first = Format::of(cassette).is_some().then(|| cassette.to_owned());
    // If no part is the first of this command, the first process was.
    let first_is_own = !own.contains(&parts_directory(cassette).join(name));
    let own = if first_is_own { first.iter().cloned().chain(own).collect() } else { own };
    let first = first.filter(|_| !first_is_own);
    own.into_iter().chain(first).chain(others).collect()
}
