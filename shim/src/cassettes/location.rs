//! Where the cassette is that a connection's settings name: a directory, or a trace in one.

use super::parts;
use crate::config::Environment;
use crate::config::settings::{CassetteFormat, Settings};
use crate::config::variables::variable;
use std::path::{Path, PathBuf};
use super8_cassette::{
    CassetteError, Directory, Format, MakeAppend, Metadata, Spans, Store, Trace, TraceId, TraceIdError, Traceparent,
};

/// The name of a cassette. A process has one recorder or player for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CassetteLocation {
    directory: PathBuf,
    /// The trace, in the NDJSON format.
    trace: Option<TraceId>,
    /// Whether somebody gave the trace's id.
    named: bool,
    spans: Spans,
}

impl CassetteLocation {
    /// Returns the cassette to be recorded: in the format that is set, else in that of the existing cassette.
    ///
    /// # Errors
    /// The trace id or `TRACEPARENT` is not valid.
    pub(super) fn to_record(settings: &Settings, environment: Environment<'_>) -> Result<CassetteLocation, String> {
        let directory = parts::to_record(absolute(settings), settings.test());
        let format = settings.format.map(format).or_else(|| Format::of(&directory));
        CassetteLocation::of(directory, format, settings, environment)
    }

    /// Returns the cassette to be replayed, in the format of the existing cassette.
    ///
    /// # Errors
    /// As [`CassetteLocation::to_record`].
    pub(super) fn to_replay(settings: &Settings, environment: Environment<'_>) -> Result<CassetteLocation, String> {
        let directory = absolute(settings);
        let format = Format::of(&directory).or_else(|| settings.format.map(format));
        CassetteLocation::of(directory, format, settings, environment)
    }

    fn of(
        directory: PathBuf,
        format: Option<Format>,
        settings: &Settings,
        environment: Environment<'_>,
    ) -> Result<CassetteLocation, String> {
        if let Some(id) = directory.file_name().and_then(|name| TraceId::of_file(name.to_str()?))
            && !directory.is_dir()
        {
            let (file, parent) = (directory.display(), directory.parent().unwrap_or(Path::new("/")).display());
            return Err(format!(
                "{file} is a trace's file, and a cassette's name is that of a directory: name {parent}, and the trace with \
                 SUPER8_TRACE_ID={id} (and SUPER8_FORMAT=ndjson to record one)"
            ));
        }
        if format != Some(Format::Ndjson) {
            return Ok(CassetteLocation { directory, trace: None, named: true, spans: Spans::default() });
        }
        let parent = traceparent(environment)?;
        let is_test = settings.test().is_some();
        let id = match (&settings.trace_id, &parent) {
            (Some(id), _) => TraceId::new(id).map_err(|error| error.to_string())?,
            (None, Some(parent)) => parent.trace.clone(),
            (None, None) => TraceId::of_directory(&directory)
                .or_else(|error| if is_test { id_of_test(&directory) } else { Err(error) })
                .map_err(|error| format!("{error}; set SUPER8_TRACE_ID, or give the directory a plain name"))?,
        };
        let named = settings.trace_id.is_some() || parent.is_some();
        let spans = Spans { real: settings.spans, parent: parent.map(|parent| parent.parent) };
        Ok(CassetteLocation { directory, trace: Some(id), named, spans })
    }

    /// Returns the cassette in another directory, to be replayed.
    ///
    /// # Errors
    /// As [`CassetteLocation::to_record`].
    pub(super) fn at(directory: PathBuf, settings: &Settings) -> Result<CassetteLocation, String> {
        let format = Format::of(&directory).or_else(|| settings.format.map(format));
        CassetteLocation::of(directory, format, settings, &variable)
    }

    /// Returns the cassette's directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns whether it is certain which cassette it is. A trace whose id nobody gave may turn out to be another one.
    pub(super) fn is_named(&self) -> bool {
        self.named
    }

    /// Returns the trace in the same directory that a statement names; the same cassette if none does.
    pub(super) fn in_trace(self, parent: Option<&Traceparent>) -> CassetteLocation {
        let Some(parent) = parent else { return self };
        let spans = Spans { parent: Some(parent.parent.clone()), ..self.spans };
        CassetteLocation { trace: Some(parent.trace.clone()), named: true, spans, ..self }
    }

    /// Returns the cassette's format.
    pub(super) fn format(&self) -> Format {
        if self.trace.is_some() { Format::Ndjson } else { Format::Yaml }
    }

    /// Returns the directory or file by which the cassette is known.
    pub(super) fn path(&self) -> PathBuf {
        match &self.trace {
            None => self.directory.clone(),
            Some(id) => self.directory.join(id.file_name()),
        }
    }

    /// Makes the cassette's store, to be recorded.
    ///
    /// # Errors
    /// The place holds something other than this cassette.
    pub(super) fn record(&self, metadata: Metadata, append: MakeAppend) -> Result<Box<dyn Store>, CassetteError> {
        Ok(match &self.trace {
            None => Box::new(Directory::record(&self.directory, metadata, append)?),
            Some(id) => {
                // A time would make every recording different.
                let metadata = if self.spans.real { metadata } else { metadata.timeless() };
                Box::new(Trace::record(&self.directory, id, metadata, &self.spans)?)
            }
        })
    }

    /// Opens the cassette's store, to be read.
    ///
    /// # Errors
    /// The path names no directory.
    pub(super) fn read(&self) -> Result<Box<dyn Store>, CassetteError> {
        Ok(match &self.trace {
            None => super8_cassette::open_directory(&self.directory)?,
            Some(id) => Box::new(Trace::read(&self.directory, id)?),
        })
    }
}

fn format(format: CassetteFormat) -> Format {
    match format {
        CassetteFormat::Yaml => Format::Yaml,
        CassetteFormat::Ndjson => Format::Ndjson,
    }
}

/// Returns the cassette's directory by a name that does not depend on the current working directory.
pub(super) fn absolute(settings: &Settings) -> PathBuf {
    let path = settings.cassette.clone().unwrap_or_default().path;
    std::path::absolute(&path).unwrap_or(path)
}

/// Returns the id of a trace that is named after a test. Such a trace is alone in its directory.
fn id_of_test(directory: &Path) -> Result<TraceId, TraceIdError> {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() || "_-.".contains(letter) { letter } else { '_' };
    TraceId::new(&file_name(directory).chars().map(letter).collect::<String>())
}

/// Returns the `TRACEPARENT` of the process, which a tracer that starts it sets.
fn traceparent(environment: Environment<'_>) -> Result<Option<Traceparent>, String> {
    let Some(given) = environment("TRACEPARENT").filter(|given| !given.is_empty()) else { return Ok(None) };
    let text = given.to_string_lossy();
    Traceparent::parse(&text).map(Some).ok_or_else(|| {
        format!("TRACEPARENT is {text:?}, which is not a W3C traceparent (00-TRACE-PARENT-FLAGS): unset it, or set SUPER8_TRACE_ID")
    })
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Returns the name of a cassette's log for messages. A trace is its own log.
pub(super) fn log_name(cassette: &Path) -> String {
    match cassette.extension() {
        Some(ending) if ending == "ndjson" && !cassette.is_dir() => file_name(cassette),
        _ => "commands.yml".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::locations::tests::directory;
    use std::ffi::OsString;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn nothing(_: &str) -> Option<OsString> {
        None
    }

    fn traced(name: &str) -> Option<OsString> {
        (name == "TRACEPARENT").then(|| PARENT.into())
    }

    #[test]
    fn the_first_that_names_a_trace_wins() {
        let ndjson = Some(CassetteFormat::Ndjson);
        let settings = Settings { cassette: Some("/t/shop".into()), format: ndjson, ..Settings::default() };
        let path = |settings: &Settings, environment: Environment<'_>| {
            CassetteLocation::to_record(settings, environment).map(|location| location.path().display().to_string())
        };
        assert_eq!(path(&settings, &nothing), Ok("/t/shop/shop.ndjson".to_owned()));
        assert_eq!(path(&settings, &traced), Ok("/t/shop/4bf92f3577b34da6a3ce929d0e0e4736.ndjson".to_owned()));
        let named = Settings { trace_id: Some("mine".to_owned()), ..settings.clone() };
        assert_eq!(path(&named, &traced), Ok("/t/shop/mine.ndjson".to_owned()));
        let spaced = Settings { cassette: Some("/t/my shop".into()), ..settings.clone() };
        let refused = path(&spaced, &nothing).unwrap_err();
        assert!(refused.contains("`my shop` is not a trace id") && refused.contains("SUPER8_TRACE_ID"), "{refused}");
        let wrong = |name: &str| (name == "TRACEPARENT").then(|| OsString::from("../../x"));
        assert!(path(&settings, &wrong).unwrap_err().contains("TRACEPARENT is \"../../x\""));
        let yaml = Settings { format: None, ..settings };
        assert_eq!(path(&yaml, &wrong), Ok("/t/shop".to_owned()));
    }

    #[test]
    fn a_file_is_no_place_for_traces() {
        let place = directory("reel_file");
        std::fs::write(place.join("orders.ndjson"), "").unwrap();
        for name in ["orders.ndjson", "absent.ndjson"] {
            let settings = Settings { cassette: Some(place.join(name).into()), ..Settings::default() };
            for location in
                [CassetteLocation::to_record(&settings, &nothing), CassetteLocation::to_replay(&settings, &nothing)]
            {
                let (refused, id) = (location.unwrap_err(), name.trim_end_matches(".ndjson"));
                let advice = format!("name {}, and the trace with SUPER8_TRACE_ID={id} ", place.display());
                assert!(refused.contains(&advice), "{refused}");
            }
        }
        // A directory may have such a name.
        let odd = place.join("odd.ndjson");
        std::fs::create_dir(&odd).unwrap();
        let settings = Settings { cassette: Some(odd.clone().into()), ..Settings::default() };
        assert_eq!(CassetteLocation::to_record(&settings, &nothing).map(|location| location.path()), Ok(odd));
    }

    #[test]
    fn a_cassette_that_is_there_says_its_format() {
        let (traces, files) = (directory("reel_traces"), directory("reel_files"));
        std::fs::write(traces.join("other.ndjson"), "").unwrap();
        std::fs::write(files.join("metadata.yml"), "").unwrap();
        let settings = |path: &Path, format| Settings { cassette: Some(path.into()), format, ..Settings::default() };
        let is_trace = |location: Result<CassetteLocation, String>| location.unwrap().trace.is_some();
        assert!(is_trace(CassetteLocation::to_replay(&settings(&traces, None), &nothing)));
        assert!(is_trace(CassetteLocation::to_record(&settings(&traces, None), &nothing)));
        assert!(!is_trace(CassetteLocation::to_replay(&settings(&files, Some(CassetteFormat::Ndjson)), &nothing)));
        assert!(is_trace(CassetteLocation::to_record(&settings(&files, Some(CassetteFormat::Ndjson)), &nothing)));
    }
}
