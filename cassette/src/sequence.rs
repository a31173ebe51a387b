//! The sequence of a trace's records, which a directory keeps where it is another than a copy of the directory would have.

use std::collections::HashMap;
use std::path::Path;

use crate::directory::{info_part, names};
use crate::ndjson::Span;
use crate::{CassetteError, ConnectionId, Value};

/// What a mark of completeness is called in a sequence.
const COMPLETE: &str = "complete";

/// What the records of a trace are, from the first to the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence(Vec<Step>);

/// A record, or several of one kind behind one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is.
    pub record: Record,
    /// How many records; of a record with rows how many rows.
    pub count: u64,
    /// The span and time of a record that has them; then it is one.
    pub span: Option<Span>,
}

/// What a record is, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The metadata.
    Header,
    /// An entry of the log.
    Entry,
    /// An answer about a connection.
    Answer(ConnectionId),
    /// The document with this name.
    Document(String),
    /// Rows of the part that had this name then.
    Rows(String),
    /// A rows part with rows already gets another name.
    Renamed {
        /// The name so far.
        from: String,
        /// The name from now on.
        to: String,
    },
    /// The mark that everything before it is whole.
    Complete,
}

impl Step {
    /// Records without spans.
    pub fn of(record: Record, count: u64) -> Step {
        Step { record, count, span: None }
    }
}

impl Record {
    fn name(&self) -> String {
        match self {
            Record::Header => names::METADATA.to_owned(),
            Record::Entry => names::COMMANDS.to_owned(),
            Record::Answer(connection) => info_part(*connection),
            Record::Document(name) | Record::Rows(name) | Record::Renamed { to: name, .. } => name.clone(),
            Record::Complete => COMPLETE.to_owned(),
        }
    }

    fn named(name: &str) -> Record {
        match (name, name.strip_suffix("_info.yml").and_then(|letters| letters.parse().ok())) {
            (names::METADATA, _) => Record::Header,
            (names::COMMANDS, _) => Record::Entry,
            (COMPLETE, _) => Record::Complete,
            (_, Some(connection)) => Record::Answer(connection),
            _ if name.ends_with(".csv") => Record::Rows(name.to_owned()),
            _ => Record::Document(name.to_owned()),
        }
    }
}

impl Sequence {
    /// Adds what comes next.
    pub fn push(&mut self, step: Step) {
        match self.0.last_mut() {
            Some(last)
                if last.record == step.record
                    && matches!(step.record, Record::Entry | Record::Answer(_))
                    && last.span.is_none()
                    && step.span.is_none() =>
            {
                last.count += step.count;
            }
            _ => self.0.push(step),
        }
    }

    /// The steps, each with the name that its rows part, if it is of one, has in the end.
    pub fn steps(&self) -> Vec<(&Step, &str)> {
        let (mut names, mut steps): (HashMap<&str, &str>, Vec<_>) = (HashMap::new(), Vec::new());
        for step in self.0.iter().rev() {
            let name = match &step.record {
                Record::Rows(name) | Record::Renamed { to: name, .. } => {
                    names.get(name.as_str()).copied().unwrap_or(name)
                }
                _ => "",
            };
            if let Record::Renamed { from, .. } = &step.record {
                names.insert(from, name);
            }
            steps.push((step, name));
        }
        steps.reverse();
        steps
    }

    /// The list in a directory's file.
    pub(crate) fn to_value(&self) -> Value {
        let item = |step: &Step| {
            let what = match &step.record {
                Record::Renamed { from, .. } => Value::from(from.as_str()),
                _ => Value::Int(step.count.into()),
            };
            let mut pairs = vec![(step.record.name(), what)];
            if let Some(Span { id, parent, timestamp }) = &step.span {
                let texts = [("span", Some(id)), ("parent", parent.as_ref()), ("time", Some(timestamp))];
                let texts = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.as_str().into())));
                pairs.extend(texts);
            }
            Value::Map(pairs)
        };
        Value::List(self.0.iter().map(item).collect())
    }

    /// The sequence in a directory's file.
    ///
    /// # Errors
    /// A list of something else.
    pub(crate) fn from_value(value: &Value, file: &Path) -> Result<Sequence, CassetteError> {
        let advice = "remove the file: a trace made of this cassette then has the usual sequence";
        let Value::List(items) = value else {
            return Err(CassetteError::new(file, "not a list of a trace's records").advice(advice));
        };
        let mut sequence = Sequence::default();
        for (number, item) in items.iter().enumerate() {
            let step = step(item).ok_or_else(|| {
                CassetteError::new(file, "an item is the name of a file with a count, or with the name it had before")
                    .at_path(format!("[{number}]"))
                    .advice(advice)
            })?;
            sequence.push(step);
        }
        Ok(sequence)
    }
}

fn step(item: &Value) -> Option<Step> {
    let Value::Map(pairs) = item else { return None };
    let (name, what) = pairs.first()?;
    let (record, count) = match (Record::named(name), what) {
        (Record::Rows(to), Value::Text(from)) => (Record::Renamed { from: from.clone(), to }, 1),
        (record, count) => (record, u64::try_from(count.as_int()?).ok()?),
    };
    let text = |key| item.get(key).and_then(Value::as_text).map(str::to_owned);
    let span = match (text("span"), text("time")) {
        (Some(id), Some(timestamp)) if count == 1 || matches!(record, Record::Rows(_)) => {
            Some(Span { id, parent: text("parent"), timestamp })
        }
        (None, None) => None,
        _ => return None,
    };
    Some(Step { record, count, span })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(name: &str, count: u64) -> Step {
        Step::of(Record::Rows(name.to_owned()), count)
    }

    fn renamed(from: &str, to: &str) -> Step {
        Step::of(Record::Renamed { from: from.to_owned(), to: to.to_owned() }, 1)
    }

    #[test]
    fn comes_back_from_its_file() {
        let mut sequence = Sequence::default();
        let (id, timestamp) = ("00f067aa0ba902b7".to_owned(), "2026-11-21T05:51:00.123Z".to_owned());
        let span = Some(Span { id, parent: None, timestamp });
        for step in [
            Step::of(Record::Header, 1),
            Step::of(Record::Entry, 1),
            Step::of(Record::Entry, 2),
            Step::of(Record::Answer(ConnectionId(1)), 1),
            Step { span, ..Step::of(Record::Answer(ConnectionId(1)), 1) },
            Step::of(Record::Document("a_1_columns.yml".to_owned()), 1),
            rows("a_1_fetch_all.csv", 12),
            renamed("a_1_fetch_all.csv", "a_1_fetch_many.csv"),
            Step::of(Record::Complete, 1),
        ] {
            sequence.push(step);
        }
        assert_eq!(sequence.0.len(), 8, "entries behind one another are one step");
        let file = Path::new("trace_sequence.yml");
        let mut text = Vec::new();
        crate::yaml::emit_document(&sequence.to_value(), &mut text);
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.starts_with("- metadata.yml: 1\n- commands.yml: 3\n- b_info.yml: 1\n- b_info.yml: 1\n  span: "),
            "{text}"
        );
        assert!(text.ends_with("- a_1_fetch_many.csv: a_1_fetch_all.csv\n- complete: 1\n"), "{text}");
        let back = Sequence::from_value(&crate::yaml::read_document(text.as_bytes(), file).unwrap(), file);
        assert_eq!(back.unwrap(), sequence);
        for wrong in [
            "a: 1\n",
            "- 1\n",
            "- a: b\n",
            "- a: -1\n",
            "- commands.yml: 2\n  span: x\n  time: y\n",
            "- complete: 1\n  span: x\n",
        ] {
            let read = crate::yaml::read_document(wrong.as_bytes(), file).unwrap();
            assert!(Sequence::from_value(&read, file).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rows_are_found_under_the_name_they_have_in_the_end() {
        let steps = [
            rows("all", 1),
            rows("other", 2),
            rows("all", 3),
            renamed("all", "many"),
            rows("all", 4),
            renamed("all", "many_2"),
            rows("all", 5),
        ];
        let sequence = Sequence(steps.to_vec());
        let names: Vec<&str> = sequence.steps().into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["many", "other", "many", "many", "many_2", "many_2", "all"]);
    }
}
