//! The two formats of a cassette. A test that records and replays runs once in each.

/// The format in which a cassette is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A directory of YAML and CSV files.
    Yaml,
    /// A file of JSON records for each trace.
    Ndjson,
}

impl Format {
    /// Both formats.
    pub const BOTH: [Format; 2] = [Format::Yaml, Format::Ndjson];

    /// Returns its name in `SUPER8_FORMAT`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Yaml => "yaml",
            Format::Ndjson => "ndjson",
        }
    }

    /// Returns the name of the file with the log, for a cassette directory of this name.
    pub fn log(self, cassette: &str) -> String {
        match self {
            Format::Yaml => "commands.yml".to_owned(),
            Format::Ndjson => format!("{cassette}.ndjson"),
        }
    }
}

/// Calls `deed` once for each format. If it panics, the format is printed with the failure.
pub fn in_both_formats(mut deed: impl FnMut(Format)) {
    for format in Format::BOTH {
        let _named = Named(format);
        deed(format);
    }
}

/// Prints the format if the test panics while this value lives.
struct Named(Format);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the format {}", self.0.name());
        }
    }
}
