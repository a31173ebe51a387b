//! Examining a machine: what `super8 doctor` finds, and what to do about it.

mod drivers;
mod dsn;
mod manager;
mod own;

use crate::libraries::Libraries;
use serde::Serialize;
use super8_shim::driver::Site;

/// How good a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Something will not work.
    Bad,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How good it is.
    pub tone: Tone,
    /// What it is.
    pub text: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// Findings about one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chapter {
    /// The subject.
    pub title: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Chapter {
    fn new(title: impl Into<String>) -> Chapter {
        Chapter { title: title.into(), findings: Vec::new() }
    }

    fn good(&mut self, text: impl Into<String>) {
        self.findings.push(Finding { tone: Tone::Good, text: text.into(), advice: None });
    }

    fn note(&mut self, text: impl Into<String>) {
        self.findings.push(Finding { tone: Tone::Note, text: text.into(), advice: None });
    }

    fn bad(&mut self, text: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding { tone: Tone::Bad, text: text.into(), advice: Some(advice.into()) });
    }
}

/// Examines everything, and one data source if it is named.
pub fn examine(dsn: Option<&str>) -> Vec<Chapter> {
    let site = Site::of(&|name| std::env::var_os(name));
    let libraries = Libraries::find();
    let mut chapters = vec![
        own::libraries(libraries.as_ref()),
        own::settings(),
        manager::managers(&site),
        manager::files(&site),
        drivers::drivers(&site),
    ];
    chapters.extend(dsn.map(|dsn| dsn::source(&site, dsn)));
    chapters
}
