//! Appendix D, case by case: what is recorded, what is asked for, and the outcome.

use super::super::cell_text;
use super::super::ctype::Kind;
use super::*;

/// Returns a value of the target type as text: what the bytes in the buffer mean.
fn shown(to: CType, place: &Place) -> String {
    let buffer = place.buffer();
    let mut text = Vec::new();
    match to.kind() {
        Kind::Char => text.extend(buffer.iter().take_while(|byte| **byte != 0)),
        Kind::WChar => {
            let units =
                buffer.chunks(2).map(|unit| u16::from_ne_bytes([unit[0], unit[1]])).take_while(|unit| *unit != 0);
            text.extend_from_slice(String::from_utf16(&units.collect::<Vec<_>>()).unwrap().as_bytes());
        }
        Kind::Binary | Kind::Other => text.extend_from_slice(buffer.escape_ascii().to_string().as_bytes()),
        kind => assert!(cell_text::to_text(kind, buffer, &mut text), "{buffer:02x?} is no {}", to.name()),
    }
    String::from_utf8(text).unwrap()
}

/// Recorded type, field, asked type, capacity (0: the type's size), SQLSTATE, value, length.
type Case = (&'static str, &'static str, &'static str, usize, &'static str, &'static str, isize);

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Character data
    ("CHAR", "abc", "WCHAR", 8, "00000", "abc", 6),
    ("CHAR", "abc", "WCHAR", 7, "01004", "ab", 6),
    ("WCHAR", "né", "CHAR", 4, "00000", "né", 3),
    ("CHAR", "\\x636166e9", "WCHAR", 20, "22018", "", 0),
    ("WCHAR", "\\x00d8", "CHAR", 20, "22018", "", 0),
    ("CHAR", " -12 ", "SLONG", 0, "00000", "-12", 4),
    ("CHAR", "12.50", "SLONG", 0, "01S07", "12", 4),
    ("CHAR", "1.2e3", "SSHORT", 0, "00000", "1200", 2),
    ("CHAR", "128", "STINYINT", 0, "22003", "", 0),
    ("CHAR", "-1", "UTINYINT", 0, "22003", "", 0),
    ("CHAR", "-0.5", "UTINYINT", 0, "01S07", "0", 1),
    ("CHAR", "18446744073709551615", "UBIGINT", 0, "00000", "18446744073709551615", 8),
    ("CHAR", "18446744073709551616", "UBIGINT", 0, "22003", "", 0),
    ("CHAR", "twelve", "SLONG", 0, "22018", "", 0),
    ("CHAR", "", "SLONG", 0, "22018", "", 0),
    ("WCHAR", "12", "SBIGINT", 0, "00000", "12", 8),
    ("CHAR", "0.1", "DOUBLE", 0, "00000", "0.1", 8),
    ("CHAR", "0.1", "FLOAT", 0, "00000", "0.1", 4),
    ("CHAR", "1e400", "DOUBLE", 0, "22003", "", 0),
    ("CHAR", "1e39", "FLOAT", 0, "22003", "", 0),
    ("CHAR", "Infinity", "DOUBLE", 0, "22018", "", 0),
    ("CHAR", "-123.45", "NUMERIC", 0, "00000", "-123.45", 19),
    ("CHAR", "1e38", "NUMERIC", 0, "22003", "", 0),
    ("CHAR", "0.0000000000000000000000000000000000000011", "NUMERIC", 0, "01S07", "0.00000000000000000000000000000000000000", 19),
    ("CHAR", "1", "BIT", 0, "00000", "1", 1),
    ("CHAR", "1.5", "BIT", 0, "01S07", "1", 1),
    ("CHAR", "2", "BIT", 0, "22003", "", 0),
    ("CHAR", "-0.1", "BIT", 0, "22003", "", 0),
    ("CHAR", "yes", "BIT", 0, "22018", "", 0),
    ("CHAR", "abc", "BINARY", 3, "00000", "abc", 3),
    ("CHAR", "abc", "BINARY", 2, "01004", "ab", 3),
    ("WCHAR", "ab", "BINARY", 4, "00000", "a\\x00b\\x00", 4),
    ("CHAR", "2001-01-31", "TYPE_DATE", 0, "00000", "2001-01-31", 6),
    ("CHAR", "2001-01-31 00:00:00", "DATE", 0, "00000", "2001-01-31", 6),
    ("CHAR", "2001-01-31 00:00:01", "DATE", 0, "01S07", "2001-01-31", 6),
    ("CHAR", "2001-02-29", "DATE", 0, "22007", "", 0),
    ("CHAR", "12:30:45", "DATE", 0, "22018", "", 0),
    ("CHAR", "yesterday", "DATE", 0, "22018", "", 0),
    ("CHAR", "12:30:45", "TYPE_TIME", 0, "00000", "12:30:45", 6),
    ("CHAR", "12:30:45.5", "TIME", 0, "01S07", "12:30:45", 6),
    ("CHAR", "2001-01-31 12:30:45", "TIME", 0, "00000", "12:30:45", 6),
    ("CHAR", "2001-01-31", "TIME", 0, "22018", "", 0),
    ("CHAR", "25:00:00", "TIME", 0, "22007", "", 0),
    ("CHAR", "2001-01-31 12:30:45.5", "TYPE_TIMESTAMP", 0, "00000", "2001-01-31 12:30:45.5", 16),
    ("CHAR", "2001-01-31", "TIMESTAMP", 0, "00000", "2001-01-31 00:00:00", 16),
    ("CHAR", "2001-01-31 12:30:45.0000000001", "TIMESTAMP", 0, "01S07", "2001-01-31 12:30:45", 16),
    ("CHAR", "1-02", "INTERVAL_YEAR_TO_MONTH", 0, "00000", "1-02", 28),
    ("CHAR", "1-02", "INTERVAL_YEAR", 0, "01S07", "1", 28),
    ("CHAR", "INTERVAL '26' HOUR", "INTERVAL_DAY_TO_HOUR", 0, "00000", "1 02", 28),
    ("CHAR", "4294967296", "INTERVAL_DAY", 0, "22018", "", 0),
    ("CHAR", "INTERVAL '4294967295' DAY", "INTERVAL_SECOND", 0, "22015", "", 0),
    ("CHAR", "soon", "INTERVAL_DAY", 0, "22018", "", 0),
    ("CHAR", "{FCFDFEFF-0201-0403-0506-0708090A0B0C}", "GUID", 0, "00000", "fcfdfeff-0201-0403-0506-0708090a0b0c", 16),
    ("CHAR", "fcfdfeff", "GUID", 0, "22018", "", 0),
    // Exact numbers
    ("SLONG", "-12", "CHAR", 4, "00000", "-12", 3),
    ("SLONG", "-12", "CHAR", 3, "22003", "", 0),
    ("SLONG", "-12", "CHAR", 0, "01004", "", 3),
    ("SLONG", "-12", "WCHAR", 8, "00000", "-12", 6),
    ("SLONG", "-12", "WCHAR", 7, "22003", "", 0),
    ("NUMERIC", "123.45 (18,2)", "CHAR", 7, "00000", "123.45", 6),
    ("NUMERIC", "123.45 (18,2)", "CHAR", 5, "01004", "123.", 6),
    ("NUMERIC", "123.45 (18,2)", "CHAR", 4, "01004", "123", 6),
    ("NUMERIC", "123.45 (18,2)", "CHAR", 3, "22003", "", 0),
    ("SLONG", "-1", "SBIGINT", 0, "00000", "-1", 8),
    ("SLONG", "-1", "ULONG", 0, "22003", "", 0),
    ("SLONG", "40000", "LONG", 0, "00000", "40000", 4),
    ("SLONG", "40000", "SHORT", 0, "22003", "", 0),
    ("NUMERIC", "123.45", "SLONG", 0, "01S07", "123", 4),
    ("UBIGINT", "18446744073709551615", "DOUBLE", 0, "00000", "1.8446744073709552e19", 8),
    ("NUMERIC", "0.1", "FLOAT", 0, "00000", "0.1", 4),
    ("SLONG", "12", "NUMERIC", 0, "00000", "12", 19),
    ("SLONG", "1", "BIT", 0, "00000", "1", 1),
    ("SLONG", "2", "BIT", 0, "22003", "", 0),
    ("NUMERIC", "0.5", "BIT", 0, "01S07", "0", 1),
    ("SSHORT", "258", "BINARY", 2, "00000", "\\x02\\x01", 2),
    ("SSHORT", "258", "BINARY", 1, "22003", "", 0),
    ("SLONG", "-90", "INTERVAL_MINUTE", 0, "00000", "-90", 28),
    ("NUMERIC", "1.5", "INTERVAL_SECOND", 0, "00000", "1.5", 28),
    ("NUMERIC", "1.5", "INTERVAL_DAY", 0, "01S07", "1", 28),
    ("SBIGINT", "4294967296", "INTERVAL_DAY", 0, "22015", "", 0),
    ("SLONG", "1", "INTERVAL_DAY_TO_HOUR", 0, "07006", "", 0),
    ("SLONG", "1", "DATE", 0, "07006", "", 0),
    ("SLONG", "1", "GUID", 0, "07006", "", 0),
    // Approximate numbers
    ("DOUBLE", "2.5", "CHAR", 4, "00000", "2.5", 3),
    ("DOUBLE", "2.5", "CHAR", 3, "01004", "2.", 3),
    ("DOUBLE", "1e300", "CHAR", 5, "22003", "", 0),
    ("DOUBLE", "2.5", "SLONG", 0, "01S07", "2", 4),
    ("DOUBLE", "9.223372036854776e18", "SBIGINT", 0, "22003", "", 0),
    ("DOUBLE", "9.223372036854776e18", "UBIGINT", 0, "00000", "9223372036854775808", 8),
    ("DOUBLE", "NaN", "SLONG", 0, "22003", "", 0),
    ("DOUBLE", "1e39", "FLOAT", 0, "22003", "", 0),
    ("DOUBLE", "Infinity", "FLOAT", 0, "00000", "Infinity", 4),
    ("FLOAT", "0.1", "DOUBLE", 0, "00000", "0.10000000149011612", 8),
    ("DOUBLE", "0.1", "NUMERIC", 0, "00000", "0.1", 19),
    ("DOUBLE", "NaN", "NUMERIC", 0, "22003", "", 0),
    ("DOUBLE", "1.5", "BIT", 0, "01S07", "1", 1),
    ("DOUBLE", "-0.5", "BIT", 0, "22003", "", 0),
    ("DOUBLE", "1.0", "INTERVAL_DAY", 0, "07006", "", 0),
    ("DOUBLE", "1.0", "TIME", 0, "07006", "", 0),
    // Bit
    ("BIT", "1", "CHAR", 2, "00000", "1", 1),
    ("BIT", "1", "CHAR", 1, "22003", "", 0),
    ("BIT", "1", "SBIGINT", 0, "00000", "1", 8),
    ("BIT", "1", "DOUBLE", 0, "00000", "1.0", 8),
    ("BIT", "1", "BINARY", 1, "00000", "\\x01", 1),
    ("BIT", "1", "DATE", 0, "07006", "", 0),
    // Binary
    ("BINARY", "\\x00ff", "CHAR", 5, "00000", "00FF", 4),
    ("BINARY", "\\x00ff", "CHAR", 4, "01004", "00F", 4),
    ("BINARY", "\\x00ff", "WCHAR", 10, "00000", "00FF", 8),
    ("BINARY", "\\x00ff", "SLONG", 0, "07006", "", 0),
    ("BINARY", "\\x00ff", "GUID", 0, "07006", "", 0),
    // Dates and times
    ("TYPE_DATE", "2001-01-31", "CHAR", 11, "00000", "2001-01-31", 10),
    ("TYPE_DATE", "2001-01-31", "CHAR", 10, "22003", "", 0),
    ("TYPE_DATE", "2001-01-31", "DATE", 0, "00000", "2001-01-31", 6),
    ("TYPE_DATE", "2001-01-31", "TIMESTAMP", 0, "00000", "2001-01-31 00:00:00", 16),
    ("TYPE_DATE", "2001-01-31", "TIME", 0, "07006", "", 0),
    ("TYPE_DATE", "2001-02-31", "TIMESTAMP", 0, "22007", "", 0),
    ("TYPE_DATE", "\\xd1070d001f00", "CHAR", 20, "22007", "", 0),
    ("TYPE_TIME", "12:30:45", "WCHAR", 18, "00000", "12:30:45", 16),
    ("TYPE_TIME", "12:30:45", "WCHAR", 16, "22003", "", 0),
    ("TYPE_TIME", "12:30:45", "DATE", 0, "07006", "", 0),
    ("TIMESTAMP", "2001-01-31 12:30:45.5", "CHAR", 22, "00000", "2001-01-31 12:30:45.5", 21),
    ("TIMESTAMP", "2001-01-31 12:30:45.5", "CHAR", 20, "01004", "2001-01-31 12:30:45", 21),
    ("TIMESTAMP", "2001-01-31 12:30:45.5", "CHAR", 19, "22003", "", 0),
    ("TIMESTAMP", "2001-01-31 12:30:45.5", "DATE", 0, "01S07", "2001-01-31", 6),
    ("TIMESTAMP", "2001-01-31 00:00:00", "DATE", 0, "00000", "2001-01-31", 6),
    ("TIMESTAMP", "2001-01-31 12:30:45", "TIME", 0, "00000", "12:30:45", 6),
    ("TIMESTAMP", "2001-01-31 12:30:45.5", "TIME", 0, "01S07", "12:30:45", 6),
    ("TIMESTAMP", "2001-01-31 12:30:45", "SLONG", 0, "07006", "", 0),
    ("TYPE_DATE", "2001-01-31", "BINARY", 6, "00000", "\\xd1\\x07\\x01\\x00\\x1f\\x00", 6),
    ("TYPE_DATE", "2001-01-31", "BINARY", 5, "22003", "", 0),
    // Intervals
    ("INTERVAL_YEAR_TO_MONTH", "1-02", "CHAR", 5, "00000", "1-02", 4),
    ("INTERVAL_YEAR_TO_MONTH", "1-02", "CHAR", 4, "22003", "", 0),
    ("INTERVAL_YEAR_TO_MONTH", "1-02", "INTERVAL_MONTH", 0, "00000", "14", 28),
    ("INTERVAL_YEAR_TO_MONTH", "1-02", "INTERVAL_YEAR", 0, "01S07", "1", 28),
    ("INTERVAL_YEAR_TO_MONTH", "4294967295-00", "INTERVAL_MONTH", 0, "22015", "", 0),
    ("INTERVAL_YEAR_TO_MONTH", "1-02", "SLONG", 0, "22015", "", 0),
    ("INTERVAL_YEAR_TO_MONTH", "1-02", "INTERVAL_DAY", 0, "07006", "", 0),
    ("INTERVAL_YEAR", "-300", "SSHORT", 0, "00000", "-300", 2),
    ("INTERVAL_YEAR", "-300", "STINYINT", 0, "22003", "", 0),
    ("INTERVAL_YEAR", "5", "DOUBLE", 0, "07006", "", 0),
    ("INTERVAL_DAY_TO_SECOND", "1 02:03:04.5", "CHAR", 13, "00000", "1 02:03:04.5", 12),
    ("INTERVAL_DAY_TO_SECOND", "1 02:03:04.5", "CHAR", 11, "01004", "1 02:03:04", 12),
    ("INTERVAL_DAY_TO_SECOND", "1 02:03:04.5", "INTERVAL_HOUR_TO_MINUTE", 0, "01S07", "26:03", 28),
    ("INTERVAL_DAY_TO_SECOND", "-1 00:00:00", "INTERVAL_HOUR", 0, "00000", "-24", 28),
    ("INTERVAL_DAY_TO_SECOND", "1 02:03:04.5", "SLONG", 0, "07006", "", 0),
    ("INTERVAL_SECOND", "4.5", "SLONG", 0, "01S07", "4", 4),
    ("INTERVAL_SECOND", "4.5", "NUMERIC", 0, "00000", "4.5", 19),
    ("INTERVAL_DAY", "5", "BIT", 0, "07006", "", 0),
    // GUID
    ("GUID", "fcfdfeff-0201-0403-0506-0708090a0b0c", "CHAR", 37, "00000", "fcfdfeff-0201-0403-0506-0708090a0b0c", 36),
    ("GUID", "fcfdfeff-0201-0403-0506-0708090a0b0c", "CHAR", 36, "22003", "", 0),
    ("GUID", "fcfdfeff-0201-0403-0506-0708090a0b0c", "BINARY", 16, "00000", "\\xff\\xfe\\xfd\\xfc\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\t\\n\\x0b\\x0c", 16),
    ("GUID", "fcfdfeff-0201-0403-0506-0708090a0b0c", "SLONG", 0, "07006", "", 0),
    // The driver's own types
    ("16385", "\\x0102", "16385", 2, "00000", "\\x01\\x02", 2),
    ("16385", "\\x0102", "16386", 2, "07006", "", 0),
    ("16385", "\\x0102", "CHAR", 9, "07006", "", 0),
    ("CHAR", "abc", "16385", 9, "07006", "", 0),
    // Cells that are not what their type says: somebody edited the cassette
    ("SLONG", "twelve", "SLONG", 0, "HY000", "", 0),
    ("SLONG", "\\x0102", "SLONG", 0, "HY000", "", 0),
    ("DATE", "31.1.2001", "CHAR", 20, "HY000", "", 0),
    ("SLONG", "\\-", "SLONG", 0, "HY000", "", 0),
];

#[test]
fn appendix_d() {
    for &(recorded, field, to, capacity, state, value, length) in CASES {
        let case = format!("{recorded} `{field}` to {to}({capacity})");
        let (recorded, to) = (CType::from_name(recorded).unwrap(), CType::from_name(to).unwrap());
        let capacity = to.fixed_size().unwrap_or(capacity);
        let (written, place) = replay(field.as_bytes(), recorded, to, capacity);
        assert_eq!(sqlstate(&written), state, "{case}: {written:?}");
        if !matches!(written, Written::Failed { .. }) {
            assert_eq!(shown(to, &place), value, "{case}");
            assert_eq!(place.length, length, "{case}");
        }
    }
}

#[test]
fn a_time_becomes_a_timestamp_of_today() {
    for (recorded, field) in [(CType::TIME, "12:30:45"), (CType::CHAR, "12:30:45")] {
        let (written, place) = replay(field.as_bytes(), recorded, CType::TIMESTAMP, 16);
        assert_eq!(written, Written::Success);
        let text = shown(CType::TIMESTAMP, &place);
        assert!(text.starts_with("20") && text.ends_with(" 12:30:45"), "{text}");
    }
}

#[test]
fn numeric_targets_follow_the_descriptor() {
    let ask = |field: &'static [u8], precision, scale| {
        let mut place = Place::new(19);
        let mut target = Target::new(place.pointer(), 19, &mut place.length);
        target.numeric = Some((precision, scale));
        // SAFETY: 19 bytes.
        let written = unsafe { write(&Cell::Text(field), CType::CHAR, CType::NUMERIC, target, None) };
        let text = if written == Written::Success || written == Written::FractionTruncated {
            shown(CType::NUMERIC, &place)
        } else {
            String::new()
        };
        (sqlstate(&written), text)
    };
    assert_eq!(ask(b"123.456", 18, 2), ("01S07", "123.45 (18,2)".into()));
    assert_eq!(ask(b"123.4", 18, 2), ("00000", "123.40 (18,2)".into()));
    assert_eq!(ask(b"123.4", 4, 2), ("22003", String::new()));
    assert_eq!(ask(b"12300", 3, -2), ("00000", "12300 (3,-2)".into()));
}
