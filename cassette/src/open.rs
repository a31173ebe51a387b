//! Which format a cassette has, and opening one to be read, for those who have no more than a path.

use std::path::Path;
use std::sync::Arc;

use crate::directory::is_cassette;
use crate::ndjson::{TraceIdError, traces};
use crate::{Cassette, CassetteError, Directory, MakeAppend, Metadata, Spans, Trace, TraceId, WriteAppend};

/// The formats a cassette may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A directory of YAML and CSV files.
    #[default]
    Yaml,
    /// A file of JSON records for each trace.
    Ndjson,
}

impl Format {
    /// The name in `SUPER8_FORMAT`.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Yaml => "yaml",
            Format::Ndjson => "ndjson",
        }
    }

    /// The format with this name.
    pub fn from_name(name: &str) -> Option<Format> {
        [Format::Yaml, Format::Ndjson].into_iter().find(|format| format.name() == name)
    }

    /// The format of what a directory holds; none if it holds no cassette.
    pub fn of(directory: &Path) -> Option<Format> {
        if is_cassette(directory) {
            return Some(Format::Yaml);
        }
        (!traces(directory).is_empty()).then_some(Format::Ndjson)
    }
}

impl TraceId {
    /// The id a trace has if nobody gave it one: the name of its directory.
    ///
    /// # Errors
    /// A directory whose name is no trace id.
    pub fn of_directory(directory: &Path) -> Result<TraceId, TraceIdError> {
        let absolute = std::path::absolute(directory).unwrap_or_default();
        TraceId::new(&absolute.file_name().unwrap_or_default().to_string_lossy())
    }
}

/// Makes a cassette to be written: a trace if the path ends with `.ndjson`, a directory otherwise.
///
/// # Errors
/// A name that is no trace id; a place that holds something else.
pub fn create(path: &Path, metadata: Metadata) -> Result<Box<dyn Cassette>, CassetteError> {
    // publishing says that it is complete, and nothing before
    let metadata = Metadata { complete: false, ..metadata };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(id) = name.strip_suffix(".ndjson") else {
        let append: MakeAppend = Arc::new(|file| Ok(Box::new(WriteAppend::new(file))));
        return Ok(Box::new(Directory::record(path, metadata, append)?));
    };
    let id = TraceId::new(id).map_err(|error| CassetteError::new(path, error.to_string()))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    Ok(Box::new(Trace::record(directory, &id, metadata, &Spans::default())?))
}

/// Opens a cassette of either format to be read: a directory, a trace's file, or a directory that holds one trace or the
/// one named after it. Whether it is a whole cassette is found out when it is read.
///
/// # Errors
/// A directory with several traces, of which none is named after it.
pub fn open(path: &Path) -> Result<Box<dyn Cassette>, CassetteError> {
    if let Some(id) = path.file_name().and_then(|name| TraceId::of_file(name.to_str()?))
        && !path.is_dir()
    {
        return Ok(Box::new(Trace::read(path.parent().unwrap_or(Path::new("")), &id)?));
    }
    if Format::of(path) != Some(Format::Ndjson) {
        return Ok(Box::new(Directory::read(path)?));
    }
    let mut ids = traces(path);
    let own = TraceId::of_directory(path).ok().and_then(|own| ids.iter().position(|id| *id == own));
    match (own, ids.len()) {
        (Some(at), _) => Ok(Box::new(Trace::read(path, &ids.swap_remove(at))?)),
        (None, 1) => Ok(Box::new(Trace::read(path, &ids[0])?)),
        (None, count) => Err(CassetteError::new(path, format!("has {count} traces"))
            .advice(format!("name one of them, such as {}", path.join(ids[0].file_name()).display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;
    use crate::{ConnectionId, Entry, Method};

    #[test]
    fn a_copy_is_complete_when_it_is_published_and_not_before() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["x", "x.ndjson"] {
            let whole = Metadata { complete: true, ..Metadata::now(None, None) };
            let copy = create(&parent.path().join(name), whole).unwrap();
            let mut entry = Vec::new();
            copy.encode(&Entry::new(Method::Connect, ConnectionId(0), None).with(Key::Dsn, "shop"), &mut entry);
            copy.append(&entry).unwrap();
            assert!(!copy.metadata().unwrap().complete, "{name}");
            copy.publish().unwrap();
            assert!(copy.metadata().unwrap().complete, "{name}");
        }
    }
}
