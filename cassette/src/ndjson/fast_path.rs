//! Lines as super8 writes them, taken apart by looking for what has to stand where. What looks otherwise, if only by a blank, is
//! read as JSON, which also finds what is wrong with it.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::rows::NULL;
use crate::Method;
use crate::entry::Head;

const START: &[u8] = br#"{"version":"4.1","traceId":""#;
const KIND: &[u8] = br#"","type":"outbound","protocol":"odbc","identifier":""#;
const ENTRY: &[u8] = br#","requestPayload":{"method":""#;
const CONNECTION: &[u8] = br#","connection_id":""#;
const STATEMENT: &[u8] = br#","statement_id":"#;
const THREAD: &[u8] = br#","thread":"#;
const ROWS: &[u8] = br#","responsePayload":{"rows":["#;
const ROWS_END: &[u8] = b"]}}";

/// A line in its own form, seen from its beginning and its end.
pub(super) enum LineKind<'l> {
    /// An entry of the log.
    Entry(Head),
    /// Rows of the part with this name, which stand there in the line without the brackets of their list.
    Rows(&'l str, Range<usize>),
}

/// What a line is; none if it is not in its own form, is something rarer, or has span ids and times.
pub(super) fn classify(line: &[u8]) -> Option<LineKind<'_>> {
    let (_, rest) = quoted(line.strip_prefix(START)?)?;
    // `quoted` takes the closing quote, with which the next piece begins
    let (identifier, rest) = quoted(rest.strip_prefix(&KIND[1..])?)?;
    if let Some(rows) = rest.strip_prefix(ROWS) {
        let start = line.len() - rows.len();
        let end = line.len() - rows.strip_suffix(ROWS_END).map(|_| ROWS_END.len())?;
        return Some(LineKind::Rows(identifier, start..end));
    }
    let (method, rest) = quoted(rest.strip_prefix(ENTRY)?)?;
    let (connection, rest) = quoted(rest.strip_prefix(CONNECTION)?)?;
    let (statement, rest) = match rest.strip_prefix(STATEMENT) {
        None => (None, rest),
        Some(rest) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number: u32 = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
            (Some(number).filter(|number| *number > 0)?.into(), &rest[digits..])
        }
    };
    let digits = rest
        .strip_prefix(THREAD)
        .map_or(&[][..], |rest| &rest[..rest.iter().take_while(|byte| byte.is_ascii_digit()).count()]);
    let thread = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(1);
    let whole = matches!(rest, [b',', .., b'}'] | [b'}', .., b'}']) && identifier.contains(' ');
    let method = Method::from_name(method)?;
    let head = Head { method, connection: connection.parse().ok()?, statement, thread };
    whole.then_some(LineKind::Entry(head))
}

/// Text without escapes up to a quote, and what stands behind the quote.
fn quoted(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = memchr(b'"', text)?;
    let found = std::str::from_utf8(&text[..end]).ok().filter(|found| !found.contains('\\'))?;
    Some((found, &text[end + 1..]))
}

/// Reads one of the rows of a record, `["a",null],...`: its cells, ready for [`decode`](crate::cell::decode), and how many bytes
/// it took with the comma behind it. None if it is not in its own form; then some cells may have been pushed.
pub(super) fn row(text: &[u8], row: &mut csv::ByteRecord, unescaped: &mut Vec<u8>) -> Option<usize> {
    let mut at = match text {
        [b'[', b']', ..] => 1,
        [b'[', ..] => 1 + cell(&text[1..], row, unescaped)?,
        _ => return None,
    };
    while text.get(at)? == &b',' {
        at += 1;
        at += cell(&text[at..], row, unescaped)?;
    }
    match &text[at..] {
        [b']'] => Some(at + 1),
        [b']', b',', b'[', ..] => Some(at + 2),
        _ => None,
    }
}

/// Reads a cell; the bytes it took.
fn cell(text: &[u8], row: &mut csv::ByteRecord, unescaped: &mut Vec<u8>) -> Option<usize> {
    if text.starts_with(b"null") {
        row.push_field(NULL);
        return Some(4);
    }
    let (b'"', text) = text.split_first()? else { return None };
    let mut at = memchr2(b'"', b'\\', text)?;
    if text[at] == b'"' {
        row.push_field(&text[..at]);
        return Some(at + 2);
    }
    unescaped.clear();
    let mut from = 0;
    loop {
        unescaped.extend_from_slice(&text[from..at]);
        if text[at] == b'"' {
            row.push_field(unescaped);
            return Some(at + 2);
        }
        unescaped.push(match text.get(at + 1)? {
            same @ (b'"' | b'\\' | b'/') => *same,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            _ => return None,
        });
        from = at + 2;
        at = from + memchr2(b'"', b'\\', &text[from..])?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;
    use crate::ndjson::record::RecordWriter;
    use crate::ndjson::spans::Stamp;
    use crate::{ConnectionId, Entry};

    fn writer() -> RecordWriter {
        RecordWriter { trace: "shop".to_owned(), stamp: Stamp::default() }
    }

    #[test]
    fn what_is_written_is_recognized() {
        for statement in [None, Some(12)] {
            for more in [false, true] {
                let mut entry = Entry::new(Method::Run, ConnectionId(27), statement);
                if more {
                    entry = entry.with(Key::Sql, "x").with(Key::Result, 1);
                }
                let mut line = Vec::new();
                writer().entry(&entry, &mut line);
                let Some(LineKind::Entry(head)) = classify(line.trim_ascii_end()) else { panic!("not recognized") };
                assert_eq!((head.method, head.connection, head.statement), (Method::Run, ConnectionId(27), statement));
                assert!(classify(&line[..line.len() - 2]).is_none() || more, "cut short");
            }
        }
        let mut line = Vec::new();
        writer().begin_rows("a_1_fetch_all.csv", &mut line);
        line.extend(br#"["a",null],["\"\\","b"]"#);
        writer().end_rows(&mut line);
        let Some(LineKind::Rows(part, rows)) = classify(line.trim_ascii_end()) else { panic!("not recognized") };
        assert_eq!((part, &line[rows]), ("a_1_fetch_all.csv", br#"["a",null],["\"\\","b"]"#.as_slice()));
        for other in [
            r#"{"version":"4.2","traceId":"shop","type":"outbound","protocol":"odbc","identifier":"x","responsePayload":{"rows":[]}}"#,
            r#"{"version":"4.1","traceId":"shop","type":"metadata","protocol":"odbc","identifier":"complete","responsePayload":{}}"#,
            r#"{"version":"4.1","traceId":"shop","type":"outbound","protocol":"odbc","identifier":"x","requestPayload":{"renamed":"y"}}"#,
            r#"{"version":"4.1","traceId":"shop","type":"outbound","protocol":"odbc","identifier":"x","responsePayload":{"rows":[]},"statusCode":1}"#,
        ] {
            assert!(classify(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn rows_of_their_own_form_and_others() {
        let read = |text: &str| {
            let (mut cells, mut scratch) = (csv::ByteRecord::new(), Vec::new());
            let taken = row(text.as_bytes(), &mut cells, &mut scratch)?;
            let cells: Vec<_> = cells.iter().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect();
            Some((taken, cells.join("|")))
        };
        let found = |taken: usize, cells: &str| Some((taken, cells.to_owned()));
        assert_eq!(read(r#"["a",null,"","ä"]"#), found(18, "a|\\N||ä"));
        assert_eq!(read(r#"["a"],["b"]"#), found(6, "a"));
        assert_eq!(read(r#"["\\x00","say \"x\"\t\/"]"#), found(25, "\\x00|say \"x\"\t/"));
        assert_eq!(read("[]"), found(2, ""));
        for other in
            ["", "[", "[\"a\"", "[\"a", "[1]", "[ \"a\"]", "[\"a\"] ,[]", "[\"a\"],", "[\"\\u0041\"]", "[\"a\\"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
