//! What stands under a cassette's name: nothing, a whole cassette, or one whose recording did not end cleanly.

use std::path::{Path, PathBuf};

use crate::directory::{Directory, is_cassette, staging_directory};
use crate::ndjson::{Trace, TraceId};
use crate::storage::Cassette;
use crate::{CassetteError, Entry};

/// What there is under the name of a cassette.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nothing; recording may begin.
    Absent,
    /// A cassette whose recording ended cleanly.
    Complete,
    /// A recording that did not end cleanly, or is still under way in another process.
    Incomplete {
        /// Where it is: the cassette's directory or file, or the one in which recordings grow.
        directory: PathBuf,
        /// The last command that was recorded, with its line in the log; none if there is none that can be read.
        last: Option<(u32, Entry)>,
    },
}

/// Finds out what there is at `path`: a directory, or a trace's file.
///
/// # Errors
/// Something else than a cassette stands there, a cassette of another schema, or one that cannot be read.
pub fn state(path: &Path) -> Result<State, CassetteError> {
    if let Some(id) = path.file_name().and_then(|name| TraceId::of_file(name.to_str()?)).filter(|_| !path.is_dir()) {
        return state_of_trace(path, &id);
    }
    let cassette = Directory::read(path)?;
    let metadata = match cassette.metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            let target = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let staged = staging_directory(&target);
            let occupied = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
            if path.is_file() || occupied {
                return Err(error);
            }
            return match is_cassette(&staged) {
                true => Ok(State::Incomplete { last: last_command(&Directory::read(&staged)?), directory: staged }),
                false => Ok(State::Absent),
            };
        }
    };
    match metadata.complete {
        true => Ok(State::Complete),
        false => Ok(State::Incomplete { last: last_command(&cassette), directory: path.to_owned() }),
    }
}

fn state_of_trace(path: &Path, id: &TraceId) -> Result<State, CassetteError> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let (trace, (staged, growing)) = (Trace::read(directory, id)?, Trace::staged(directory, id)?);
    match trace.metadata() {
        Ok(metadata) if metadata.complete => Ok(State::Complete),
        Ok(_) => Ok(State::Incomplete { last: last_command(&trace), directory: path.to_owned() }),
        Err(error) if path.exists() => Err(error),
        Err(_) if staged.is_file() => Ok(State::Incomplete { last: last_command(&growing), directory: staged }),
        Err(error) if directory.is_file() => Err(error),
        Err(_) => Ok(State::Absent),
    }
}

/// The last command of a log that may be torn at its end.
fn last_command(cassette: &dyn Cassette) -> Option<(u32, Entry)> {
    let mut last = None;
    // An error ends the walk where the log is torn: what came before counts.
    let _ = cassette.scan(&mut |place, head| {
        if head.method.class() == crate::schema::Class::Command {
            last = Some(place);
        }
        Ok(())
    });
    last.and_then(|place| Some((place.line, cassette.entry(place).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;
    use crate::{ConnectionId, Metadata, Method, Order, RecordOptions, Recorder};

    fn record(directory: &Path) -> std::sync::Arc<Recorder> {
        let recorder = Recorder::open(RecordOptions {
            directory: directory.to_owned(),
            order: Order::Global,
            inline_rows: 1,
            metadata: Metadata::now(None, None),
            append: None,
        });
        let recorder = recorder.unwrap();
        let connection = recorder.connection();
        recorder.command(&Entry::new(Method::Connect, connection, None).with(Key::Dsn, "shop")).unwrap();
        recorder.command(&Entry::new(Method::Run, connection, Some(1)).with(Key::Sql, "SELECT 1")).unwrap();
        recorder
    }

    fn last_method(state: &State) -> Option<Method> {
        match state {
            State::Incomplete { last, .. } => last.as_ref().map(|(_, entry)| entry.method),
            _ => None,
        }
    }

    #[test]
    fn absent_growing_complete_and_interrupted_are_told_apart() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("x");
        assert_eq!(state(&path), Ok(State::Absent));
        std::fs::create_dir(&path).unwrap();
        assert_eq!(state(&path), Ok(State::Absent), "an empty directory is a place for a recording");

        let recorder = record(&path);
        let growing = state(&path).unwrap();
        assert_eq!(last_method(&growing), Some(Method::Run));
        assert!(matches!(growing, State::Incomplete { directory, .. } if directory != path));
        recorder.publish().unwrap();
        assert_eq!(state(&path), Ok(State::Complete));
        recorder.command(&Entry::new(Method::Commit, ConnectionId(0), None)).unwrap();
        let resumed = state(&path).unwrap();
        assert_eq!(last_method(&resumed), Some(Method::Commit));
        assert!(matches!(resumed, State::Incomplete { directory, .. } if directory == path));
    }

    #[test]
    fn so_are_the_states_of_a_trace() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("traces").join("x.ndjson");
        assert_eq!(state(&path), Ok(State::Absent));
        let (directory, id) = (parent.path().join("traces"), TraceId::new("x").unwrap());
        let trace = Trace::record(&directory, &id, Metadata::now(None, None), &crate::Spans::default()).unwrap();
        let recorder = Recorder::with_storage(Box::new(trace), Order::Global, 1);
        let connection = recorder.connection();
        recorder.command(&Entry::new(Method::Connect, connection, None).with(Key::Dsn, "shop")).unwrap();
        let growing = state(&path).unwrap();
        assert_eq!(last_method(&growing), Some(Method::Connect));
        assert!(matches!(growing, State::Incomplete { directory, .. } if directory != path));
        recorder.publish().unwrap();
        assert_eq!(state(&path), Ok(State::Complete));
        recorder.command(&Entry::new(Method::Commit, connection, None)).unwrap();
        let resumed = state(&path).unwrap();
        assert_eq!(last_method(&resumed), Some(Method::Commit));
        assert!(matches!(resumed, State::Incomplete { directory, .. } if directory == path));
        std::fs::write(&path, "years of work").unwrap();
        assert!(state(&path).is_err());
    }

    #[test]
    fn what_is_no_cassette_is_an_error() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("thesis.txt"), "").unwrap();
        assert!(state(parent.path()).unwrap_err().to_string().contains("not a cassette"));
        assert!(state(&parent.path().join("thesis.txt")).is_err());
    }
}
