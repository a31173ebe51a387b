//! The report of `super8 verify`: where a database diverges from a cassette, for people and for scripts.

use serde::Serialize;
use std::io::{self, Write};
use super8_cassette::text::{cut, one_line};

/// The kind of a divergence, named as in Oracle's Database Replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An execution fails now and did not, or the other way round, or fails with another SQLSTATE.
    Error,
    /// Other rows, or other values in them.
    Data,
    /// Other columns, or a column of another name, type, length, scale or nullability.
    Shape,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Error => "error",
            Kind::Data => "data",
            Kind::Shape => "shape",
        }
    }
}

/// A statement of the cassette.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct At {
    /// The file and line of its entry.
    pub place: String,
    /// Connection and statement, as in `a/1`.
    pub statement: String,
    /// Its text, or the catalog function.
    pub text: String,
}

/// One divergence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// Its kind.
    pub kind: Kind,
    /// Its statement.
    #[serde(flatten)]
    pub at: At,
    /// What is different: `column 2 (name): length`, `row 3, column 1`.
    pub what: String,
    /// The recorded value.
    pub recorded: String,
    /// The live value.
    pub now: String,
}

/// A statement that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The statement.
    #[serde(flatten)]
    pub at: At,
    /// The reason.
    pub why: String,
}

/// The report on a cassette.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The cassette.
    pub cassette: String,
    /// How many executions were repeated and compared.
    pub verified: usize,
    /// Where they diverge.
    pub divergences: Vec<Divergence>,
    /// The statements that were left out.
    pub skipped: Vec<Skipped>,
    /// Why the cassette was not verified to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Report {
    /// Returns the number of divergences of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.divergences.iter().filter(|divergence| divergence.kind == kind).count()
    }

    /// Adds the report on a part of the cassette.
    pub fn add(&mut self, part: Report) {
        self.verified += part.verified;
        self.divergences.extend(part.divergences);
        self.skipped.extend(part.skipped);
    }

    /// Writes a line for each divergence, one for each reason to leave statements out, and one at the end.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for Divergence { kind, at, what, recorded, now } in &self.divergences {
            let text = cut(&one_line(&at.text), 80);
            let (place, statement) = (&at.place, &at.statement);
            writeln!(
                out,
                "{:<5}  {place} ({statement}) {text}: {what}: recorded {}, now {}",
                kind.word(),
                cut(&one_line(recorded), 120),
                cut(&one_line(now), 120)
            )?;
        }
        let mut reasons: Vec<(&str, usize)> = Vec::new();
        for skipped in &self.skipped {
            match reasons.iter_mut().find(|(why, _)| *why == skipped.why) {
                Some((_, count)) => *count += 1,
                None => reasons.push((&skipped.why, 1)),
            }
        }
        for (why, count) in reasons {
            writeln!(out, "left out: {count}, {why}")?;
        }
        match self.error {
            Some(_) => writeln!(out, "{}: not verified", self.cassette),
            None => total(out, &self.cassette, &[self]),
        }
    }
}

/// Writes one line about several reports.
///
/// # Errors
/// Standard output cannot be written.
pub fn total(out: &mut impl Write, name: &str, reports: &[&Report]) -> io::Result<()> {
    let count = |kind| reports.iter().map(|report| report.count(kind)).sum::<usize>();
    let verified: usize = reports.iter().map(|report| report.verified).sum();
    let (errors, shapes, data) = (count(Kind::Error), count(Kind::Shape), count(Kind::Data));
    writeln!(out, "{name}: {verified} verified; divergences: {errors} error, {shapes} shape, {data} data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divergence_is_one_line() {
        let at = At { place: "c/commands.yml:7".into(), statement: "a/1".into(), text: "select\n  name".into() };
        let what = "column 1 (name): length".to_owned();
        let wider = Divergence { kind: Kind::Shape, at: at.clone(), what, recorded: "40".into(), now: "80".into() };
        let skipped = vec![Skipped { at, why: "it writes".into() }];
        let report = Report { cassette: "c".into(), verified: 1, divergences: vec![wider], skipped, error: None };
        let mut out = Vec::new();
        report.write(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "shape  c/commands.yml:7 (a/1) select name: column 1 (name): length: recorded 40, now 80\n\
             left out: 1, it writes\nc: 1 verified; divergences: 0 error, 1 shape, 0 data\n"
        );
    }
}
