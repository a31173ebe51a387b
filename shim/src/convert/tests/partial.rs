//! Tests with buffers of every size: nothing is written outside, and the pieces make the whole again.

use super8_cassette::CutCell;

use super::*;

/// Reads a cell to its end by SQLGetData with these capacities in turn. Returns the bytes without terminators.
fn collect(cell: &Cell<'_>, recorded: CType, to: CType, capacities: &[usize]) -> Vec<u8> {
    let (mut progress, mut all, mut left) = (Progress::new(), Vec::new(), None);
    let unit = match to {
        CType::CHAR => 1,
        CType::WCHAR => 2,
        _ => 0,
    };
    for &capacity in capacities.iter().cycle() {
        let mut place = Place::new(capacity);
        let written = place.ask(cell, recorded, to, Some(&mut progress));
        if written == Written::NoData {
            place.assert_untouched_but(0);
            assert_eq!(place.length, -77);
            break;
        }
        let length = place.length as usize;
        // Each call tells what was left before it.
        assert!(left.is_none_or(|left| left == length), "{left:?}, then {length}");
        let room = match unit {
            0 => capacity,
            _ => (capacity / unit).saturating_sub(1) * unit,
        };
        let give = length.min(room);
        all.extend_from_slice(&place.buffer()[..give]);
        let terminator = if unit > 0 && capacity >= unit { unit } else { 0 };
        assert!(place.buffer()[give..give + terminator].iter().all(|byte| *byte == 0));
        place.assert_untouched_but(give + terminator);
        let fits = length <= room && (unit == 0 || terminator > 0);
        assert_eq!(written, if fits { Written::Success } else { Written::Truncated });
        left = Some(length - give);
    }
    all
}

#[test]
fn a_buffer_without_a_length_is_full_or_not() {
    let full = |c_type, content: &[u8], capacity| {
        let mut place = Place::new(capacity);
        place.put(content);
        // SAFETY: the buffer has its capacity.
        unsafe { crate::convert::read::is_full(c_type, place.pointer(), capacity as isize) }
    };
    assert!(full(CType::CHAR, b"much \0", 6) && full(CType::CHAR, b"much t", 6), "with and without a terminator");
    assert!(!full(CType::CHAR, b"muc\0", 6));
    assert!(full(CType::CHAR, "nä\0".as_bytes(), 6), "a character of several bytes had no room");
    assert!(full(CType::WCHAR, &wide("much\0"), 10) && !full(CType::WCHAR, &wide("mu\0"), 10));
    assert!(full(CType::BINARY, b"12345", 5) && !full(CType::SLONG, b"1234", 4));
}

const TEXT: &str = "plain ASCII, then naïve café 漢字 😀😀 and the end";

#[test]
fn every_capacity_and_every_step() {
    let text = Cell::Text(TEXT.as_bytes());
    let units = wide(TEXT);
    for step in 2..120 {
        assert_eq!(collect(&text, CType::CHAR, CType::CHAR, &[step]), TEXT.as_bytes());
        assert_eq!(collect(&text, CType::WCHAR, CType::CHAR, &[step]), TEXT.as_bytes());
        assert_eq!(collect(&text, CType::CHAR, CType::BINARY, &[step]), TEXT.as_bytes());
        assert_eq!(collect(&text, CType::WCHAR, CType::WCHAR, &[step + 2]), units);
        assert_eq!(collect(&text, CType::CHAR, CType::WCHAR, &[step + 2]), units);
        assert_eq!(collect(&text, CType::WCHAR, CType::BINARY, &[step]), units);
        // Empty and minimal buffers in between only ask, and move nothing.
        assert_eq!(collect(&text, CType::WCHAR, CType::WCHAR, &[0, 1, 2, 3, step + 2, 5, 4]), units);
    }
    let bytes = Cell::Bytes(b"\x00\x7f\xff\x10");
    for step in 2..20 {
        assert_eq!(collect(&bytes, CType::BINARY, CType::BINARY, &[step]), b"\x00\x7f\xff\x10");
        assert_eq!(collect(&bytes, CType::BINARY, CType::CHAR, &[step]), b"007FFF10");
        assert_eq!(collect(&bytes, CType::BINARY, CType::WCHAR, &[step + 2]), wide("007FFF10"));
        assert_eq!(collect(&Cell::Text(b""), CType::CHAR, CType::CHAR, &[step]), b"");
    }
}

#[test]
fn nothing_is_written_outside_of_any_buffer() {
    let cells: [(&[u8], CType); 10] = [
        (TEXT.as_bytes(), CType::CHAR),
        (TEXT.as_bytes(), CType::WCHAR),
        (b"\\x00d8", CType::WCHAR),
        (b"\\x00ff10", CType::BINARY),
        (b"-12345.678", CType::DOUBLE),
        (b"-12345.67 (18,2)", CType::NUMERIC),
        (b"2001-01-31 12:30:45.123456789", CType::TIMESTAMP),
        (b"-1 02:03:04.5", CType::INTERVAL_DAY_TO_SECOND),
        (b"fcfdfeff-0201-0403-0506-0708090a0b0c", CType::GUID),
        (b"\\>500:the beginning", CType::CHAR),
    ];
    for (field, recorded) in cells {
        for to in CType::ALL.iter().copied().chain([CType(0x4001)]) {
            for capacity in 0..130 {
                let room = to.fixed_size().unwrap_or(capacity);
                // A fixed type ignores the capacity: give it room and say that there is none.
                let mut place = Place::new(room);
                place.capacity = if to.is_variable() { capacity } else { 0 };
                let mut scratch = Vec::new();
                let cell = cell::decode(field, &mut scratch).unwrap();
                let written = place.ask(&cell, recorded, to, None);
                place.assert_untouched_but(room);
                if matches!(written, Written::Success | Written::Truncated) {
                    assert!(place.length >= -4, "{to:?}");
                }
                if !to.is_variable() {
                    break;
                }
            }
        }
    }
}

#[test]
fn ten_megabytes_in_pieces() {
    let text: String = TEXT.chars().cycle().take(10 << 20).collect();
    let cell = Cell::Text(text.as_bytes());
    assert!(collect(&cell, CType::CHAR, CType::CHAR, &[65_537, 4097]) == text.as_bytes());
    assert!(collect(&cell, CType::WCHAR, CType::WCHAR, &[65_537, 4097]) == wide(&text));
}

#[test]
fn a_value_recorded_in_part() {
    let cut = Cell::Cut { total: 500, cell: CutCell::Text(b"0123456789") };
    let mut progress = Progress::new();
    let ask = |capacity: usize, progress: &mut Progress| {
        let mut place = Place::new(capacity);
        let written = place.ask(&cut, CType::CHAR, CType::CHAR, Some(progress));
        (sqlstate(&written), place.length, place.buffer().to_vec())
    };
    // The buffer of the recording, and smaller ones.
    assert_eq!(ask(11, &mut Progress::new()), ("01004", 500, b"0123456789\0".to_vec()));
    assert_eq!(ask(0, &mut progress), ("01004", 500, vec![]));
    assert_eq!(ask(6, &mut progress), ("01004", 500, b"01234\0".to_vec()));
    assert_eq!(ask(6, &mut progress), ("01004", 495, b"56789\0".to_vec()));
    // More than that nobody knows.
    assert_eq!(ask(6, &mut progress).0, "HY000");
    assert_eq!(ask(100, &mut Progress::new()).0, "HY000");
    assert_eq!(ask(1000, &mut Progress::new()).0, "HY000");

    let (written, place) = replay(b"\\>-4:0123456789", CType::CHAR, CType::CHAR, 11);
    assert_eq!((written, place.length), (Written::Truncated, -4));
    let (written, place) = replay(b"\\>500:0123456789", CType::CHAR, CType::WCHAR, 22);
    assert_eq!((written, place.length), (Written::Truncated, -4));
    let (written, place) = replay(b"\\>500:\\x0102", CType::BINARY, CType::CHAR, 5);
    assert_eq!((written, place.length, place.buffer()), (Written::Truncated, 1000, &b"0102\0"[..]));
    for (field, recorded, to) in [
        (&b"\\>500:12"[..], CType::CHAR, CType::SLONG),
        (b"\\>500:12", CType::WCHAR, CType::BINARY),
        (b"\\>500:\\x12", CType::BINARY, CType::BINARY),
    ] {
        assert_eq!(sqlstate(&replay(field, recorded, to, 20).0), "HY000");
    }
    let (Written::Failed { message, .. }, _) = replay(b"\\>500:12", CType::CHAR, CType::CHAR, 50) else {
        panic!("a part served as the whole");
    };
    assert_eq!(
        message,
        "replay: only the first 2 of 500 bytes of this value were recorded; record again with the larger buffer"
    );
}

#[test]
fn null_lengths_and_indicators() {
    let mut place = Place::new(8);
    let null = std::ptr::null_mut();
    let (mut length, mut indicator) = (-77, -77);
    let mut target = Target::new(place.pointer(), 8, null);
    let ask =
        |cell: Cell<'_>, target: Target| sqlstate(&unsafe { write(&cell, CType::CHAR, CType::CHAR, target, None) });
    assert_eq!(ask(Cell::Null, target), "22002");
    assert_eq!(ask(Cell::Text(b"abc"), target), "00000");
    target.indicator = &mut indicator;
    assert_eq!(ask(Cell::Null, target), "00000");
    assert_eq!(indicator, -1);
    target.length = &mut length;
    assert_eq!(ask(Cell::Null, target), "00000");
    assert_eq!((length, indicator), (-77, -1));
    assert_eq!(ask(Cell::Text(b"abc"), target), "00000");
    assert_eq!((length, indicator), (3, 0));
    target.capacity = -1;
    assert_eq!(ask(Cell::Text(b"abc"), target), "HY090");
    target.pointer = std::ptr::null_mut();
    assert_eq!(ask(Cell::Text(b"abcde"), target), "00000");
    assert_eq!(length, 5);
    assert_eq!(ask(Cell::Unread, target), "HY000");
    let mut progress = Progress::new();
    // SAFETY: no buffer, and two numbers.
    let first = unsafe { write(&Cell::Null, CType::CHAR, CType::CHAR, target, Some(&mut progress)) };
    // SAFETY: as above.
    let second = unsafe { write(&Cell::Null, CType::CHAR, CType::CHAR, target, Some(&mut progress)) };
    assert_eq!((first, second), (Written::Success, Written::NoData));
}
