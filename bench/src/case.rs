//! The cases: what a client does, what is counted, and their names on the command line; and the ways to run a case: directly
//! on the driver, or through super8 in one of its modes and formats.

use std::fmt;

use crate::fact::Types;

/// How rows are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Bound columns, one row per SQLFetch.
    Bound,
    /// Bound column-wise, [`BLOCK`] rows per SQLFetch.
    BlockColumns,
    /// Bound row-wise, [`BLOCK`] rows per SQLFetch.
    BlockRows,
    /// Nothing bound: SQLGetData for every cell.
    GetData,
}

/// The number of rows in a block, and of parameter sets in an array.
pub const BLOCK: usize = 1000;

/// The number of connections, each with its own thread, in the threads case.
pub const THREADS: u64 = 8;

/// What a client does, `count` times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Connect and disconnect.
    Connect,
    /// A point query: SQLExecDirect, SQLFetch, SQLGetData, SQLFreeStmt.
    Select1,
    /// The same on eight connections, each in its own thread.
    Threads,
    /// Read rows of ten columns.
    Fetch(Style, Types),
    /// Prepared inserts of ten parameters, single or in arrays.
    Insert {
        /// In arrays of [`BLOCK`].
        array: bool,
    },
    /// Only SQLNumResultCols: the cost of one forwarded call.
    CallColumns,
    /// Only SQLGetData of one integer that was read before.
    CallGetData,
}

/// What a case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Connections.
    Connection,
    /// Executed statements.
    Statement,
    /// Rows read or inserted.
    Row,
    /// Calls.
    Call,
}

impl Case {
    /// Returns every case, in the order of the report.
    pub fn all() -> Vec<Case> {
        let mut cases = vec![Case::Connect, Case::Select1, Case::Threads];
        for types in [Types::Char, Types::WChar, Types::Native] {
            for style in [Style::Bound, Style::BlockColumns, Style::BlockRows, Style::GetData] {
                cases.push(Case::Fetch(style, types));
            }
        }
        cases.extend([Case::Insert { array: false }, Case::Insert { array: true }]);
        cases.extend([Case::CallColumns, Case::CallGetData]);
        cases
    }

    /// Returns the case of this name.
    pub fn named(name: &str) -> Result<Case, String> {
        Case::all()
            .into_iter()
            .find(|case| case.to_string() == name)
            .ok_or_else(|| format!("there is no case `{name}`; `--list` names them all"))
    }

    /// Returns what it counts.
    pub fn unit(self) -> Unit {
        match self {
            Case::Connect => Unit::Connection,
            Case::Select1 | Case::Threads => Unit::Statement,
            Case::Fetch(..) | Case::Insert { .. } => Unit::Row,
            Case::CallColumns | Case::CallGetData => Unit::Call,
        }
    }

    /// Whether it is a loop around one call. Such a case is measured bare and off, in nanoseconds per call.
    pub fn is_call(self) -> bool {
        self.unit() == Unit::Call
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Case::Connect => f.write_str("connect"),
            Case::Select1 => f.write_str("select1"),
            Case::Threads => f.write_str("threads"),
            Case::Fetch(style, types) => {
                let style = match style {
                    Style::Bound => "bound",
                    Style::BlockColumns => "block-col",
                    Style::BlockRows => "block-row",
                    Style::GetData => "getdata",
                };
                let types = match types {
                    Types::Char => "char",
                    Types::WChar => "wchar",
                    Types::Native => "native",
                };
                write!(f, "fetch/{style}/{types}")
            }
            Case::Insert { array: false } => f.write_str("insert/single"),
            Case::Insert { array: true } => f.write_str("insert/array"),
            Case::CallColumns => f.write_str("call/SQLNumResultCols"),
            Case::CallGetData => f.write_str("call/SQLGetData"),
        }
    }
}

/// The format of a cassette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A directory.
    Yaml,
    /// A trace.
    Ndjson,
}

impl Format {
    /// Returns its name, as in `SUPER8_FORMAT`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Yaml => "yaml",
            Format::Ndjson => "ndjson",
        }
    }
}

/// How a client reaches its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The driver manager loads the real driver.
    Bare,
    /// It loads super8, which passes everything through.
    Off,
    /// It loads super8, which records.
    Record(Format),
    /// It loads super8, which replays; the real driver's path does not exist.
    Replay(Format),
}

impl Way {
    /// All ways; a recording comes before its replay.
    pub const ALL: [Way; 6] = [
        Way::Bare,
        Way::Off,
        Way::Record(Format::Yaml),
        Way::Replay(Format::Yaml),
        Way::Record(Format::Ndjson),
        Way::Replay(Format::Ndjson),
    ];

    /// Returns the mode, or `bare`.
    pub fn mode(self) -> &'static str {
        match self {
            Way::Bare => "bare",
            Way::Off => "off",
            Way::Record(_) => "record",
            Way::Replay(_) => "replay",
        }
    }

    /// Returns the format of the cassette, if there is one.
    pub fn format(self) -> Option<Format> {
        match self {
            Way::Bare | Way::Off => None,
            Way::Record(format) | Way::Replay(format) => Some(format),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.format() {
            Some(Format::Ndjson) => f.pad(&format!("{} ndjson", self.mode())),
            _ => f.pad(self.mode()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Case;

    #[test]
    fn names_are_unique_and_read_back() {
        for case in Case::all() {
            assert_eq!(Case::named(&case.to_string()), Ok(case));
        }
        assert!(Case::named("fetch").is_err());
    }
}
