//! The two formats of a cassette. A test of record and replay does what it does once in each.

/// In which format a cassette is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A directory of YAML and CSV files.
    Yaml,
    /// A file of JSON records for each trace.
    Ndjson,
}

impl Format {
    /// Both.
    pub const BOTH: [Format; 2] = [Format::Yaml, Format::Ndjson];

    /// Its name in `SUPER8_FORMAT`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Yaml => "yaml",
            Format::Ndjson => "ndjson",
        }
    }

    /// The file of a cassette in which its log stands, of a cassette directory of this name.
    pub fn log(self, cassette: &str) -> String {
        match self {
            Format::Yaml => "commands.yml".to_owned(),
            Format::Ndjson => format!("{cassette}.ndjson"),
        }
    }
}

/// Does `deed` once in each format. When it panics, the format is named beside the failure.
pub fn in_both_formats(mut deed: impl FnMut(Format)) {
    for format in Format::BOTH {
        let _named = Named(format);
        deed(format);
    }
}

/// Says which format it was, if the test fails while this lives.
struct Named(Format);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the format {}", self.0.name());
        }
    }
}
