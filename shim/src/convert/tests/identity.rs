//! The same C type at replay gives what the driver gave: bytes, length, and nothing else.

use super::super::Pieces;
use super::*;

/// Returns what a driver writes for this value, its length, and how many bytes it touches.
fn drive(c_type: CType, value: &[u8], capacity: usize, careful: bool) -> (Place, usize) {
    let mut place = Place::new(capacity);
    let unit = match c_type {
        CType::CHAR => 1,
        CType::WCHAR => 2,
        _ => 0,
    };
    let room = match unit {
        0 => capacity,
        _ => (capacity / unit).saturating_sub(1) * unit,
    };
    let mut give = value.len().min(room);
    while careful && give > 0 && give < value.len() && !boundary(unit, &value[give..]) {
        give -= unit;
    }
    place.put(&value[..give]);
    if unit > 0 && capacity >= unit {
        place.put(&[&value[..give], &[0, 0][..unit]].concat());
        give += unit;
    }
    place.length = value.len() as isize;
    (place, give)
}

/// Returns whether a character begins here.
fn boundary(unit: usize, rest: &[u8]) -> bool {
    match unit {
        1 => rest[0] & 0xC0 != 0x80,
        2 => !(0xDC..=0xDF).contains(&u16::from_ne_bytes([rest[0], rest[1]]).to_be_bytes()[0]),
        _ => true,
    }
}

/// A cut value with a NUL in its last bytes looks like one from a driver that stopped short of a character.
fn ambiguous(c_type: CType, value: &[u8], capacity: usize) -> bool {
    match c_type {
        CType::CHAR if value.len() >= capacity && capacity > 0 => {
            value[capacity.saturating_sub(4)..capacity - 1].contains(&0)
        }
        CType::WCHAR if value.len() + 2 > capacity && capacity >= 4 => value[capacity / 2 * 2 - 4..][..2] == [0, 0],
        _ => false,
    }
}

#[test]
fn variable_types_come_back_whole_or_cut() {
    let mut random = Random(1);
    for round in 0..6000 {
        let (c_type, value) = match round % 5 {
            0 => (CType::CHAR, random.text(40).into_bytes()),
            1 => {
                let count = random.below(40);
                (CType::CHAR, random.bytes(count))
            }
            2 => (CType::WCHAR, wide(&random.text(40))),
            3 => {
                let count = 2 * random.below(20);
                (CType::WCHAR, random.bytes(count))
            }
            _ => {
                let count = random.below(40);
                (CType::BINARY, random.bytes(count))
            }
        };
        // Only whole characters can be kept whole.
        let careful = round % 2 == 0 && matches!(round % 5, 0 | 2);
        let capacity = random.below(60);
        let (mut driven, touched) = drive(c_type, &value, capacity, careful);
        if ambiguous(c_type, &value, capacity) {
            continue;
        }
        let length = Length::Bytes(driven.length);
        let field = record(c_type, &mut driven, length);
        let (written, place) = replay(&field, c_type, c_type, capacity);
        let field = String::from_utf8_lossy(&field);
        assert_eq!(place.length, driven.length, "{field}");
        assert_eq!(place.buffer(), driven.buffer(), "{field}, value {value:02x?}, capacity {capacity}");
        place.assert_untouched_but(touched);
        let terminator = [0, 1, 0, 2][usize::from(c_type == CType::CHAR) + 3 * usize::from(c_type == CType::WCHAR)];
        let fits = value.len() + terminator <= capacity;
        assert_eq!(sqlstate(&written), if fits { "00000" } else { "01004" }, "{field}");
    }
}

#[test]
fn fixed_types_come_back_whatever_their_bytes_are() {
    let mut random = Random(2);
    for &c_type in CType::ALL {
        let Some(size) = c_type.fixed_size() else { continue };
        for round in 0..400 {
            let mut bytes = random.bytes(size);
            if round % 2 == 0 {
                // Mostly small numbers, so that many are valid dates and intervals.
                bytes.iter_mut().for_each(|byte| *byte %= if round % 4 == 0 { 2 } else { 13 });
            }
            if (101..=113).contains(&c_type.code()) {
                let head = [c_type.code() as u8 - 100, 0, 0, 0, bytes[4] % 2, 0, 0, 0];
                bytes[..8].copy_from_slice(&head);
                if matches!(c_type.code(), 101 | 102 | 107) {
                    bytes[16..].fill(0); // the rest of the union
                }
            }
            let mut driven = Place::new(size);
            driven.put(&bytes);
            driven.length = if round % 10 == 9 { 3 } else { size as isize };
            let length = Length::Bytes(driven.length);
            let field = record(c_type, &mut driven, length);
            let (written, place) = replay(&field, c_type, c_type, size);
            assert_eq!(written, Written::Success);
            assert_eq!(place, driven, "{} {}", c_type.name(), String::from_utf8_lossy(&field));
        }
    }
}

#[test]
fn typical_values_are_readable() {
    let timestamp = [0xD1, 7, 1, 0, 31, 0, 12, 0, 30, 0, 45, 0, 0, 0x65, 0xCD, 0x1D].to_vec();
    let mut month_13 = timestamp.clone();
    month_13[2] = 13;
    let mut numeric = [0; 19];
    numeric[..5].copy_from_slice(&[18, 2, 1, 0x39, 0x30]);
    let cases: Vec<(CType, Vec<u8>, &str)> = vec![
        (CType::SLONG, (-42i32).to_ne_bytes().to_vec(), "-42"),
        (CType::DOUBLE, 2.5f64.to_ne_bytes().to_vec(), "2.5"),
        (CType::TYPE_TIMESTAMP, timestamp, "2001-01-31 12:30:45.5"),
        (CType::TYPE_TIMESTAMP, month_13, "\\xd1070d001f000c001e002d000065cd1d"),
        (CType::NUMERIC, numeric.to_vec(), "123.45 (18,2)"),
        (CType::BINARY, vec![0, 255], "\\x00ff"),
        (CType(0x4001), vec![1, 2], "\\x0102"),
        (CType::WCHAR, wide("naïve 😀\0"), "naïve 😀"),
        (CType::CHAR, b"caf\xe9\0".to_vec(), "\\x636166e9"),
    ];
    for (c_type, bytes, text) in cases {
        let mut place = Place::new(bytes.len());
        place.put(&bytes);
        let length = Length::Bytes(bytes.len() as isize - [0, 1][usize::from(c_type == CType::CHAR)]);
        let length = if c_type == CType::WCHAR { Length::Unknown } else { length };
        assert_eq!(String::from_utf8(record(c_type, &mut place, length)).unwrap(), text);
    }
}

#[test]
fn lengths_that_are_none() {
    let mut place = Place::new(8);
    place.put(b"abc\0\0\0\0\0");
    assert_eq!(record(CType::CHAR, &mut place, Length::Null), b"\\N");
    assert_eq!(record(CType::CHAR, &mut place, Length::Unknown), b"abc");
    place.put(b"abcdefg\0");
    assert_eq!(record(CType::CHAR, &mut place, Length::NoTotal), b"\\>-4:abcdefg");
    place.put(b"abc\0defg");
    assert_eq!(record(CType::CHAR, &mut place, Length::NoTotal), b"\\>-4:abc");
    place.put(b"abcdefgh");
    assert_eq!(record(CType::CHAR, &mut place, Length::Unknown), b"abcdefgh");

    let without_buffer = |c_type, length| {
        let mut row = Row::new();
        // SAFETY: null is allowed.
        unsafe { read(c_type, std::ptr::null(), 8, length, &mut row, 0, &mut Vec::new()) };
        row.field(0).to_vec()
    };
    assert_eq!(without_buffer(CType::CHAR, Length::Bytes(5)), b"\\>5:\\x");
    assert_eq!(without_buffer(CType::CHAR, Length::Bytes(0)), b"");
    assert_eq!(without_buffer(CType::SLONG, Length::Bytes(4)), b"\\>4:\\x");
    assert_eq!(without_buffer(CType::SLONG, Length::Unknown), b"\\-");

    // An application that gave no buffer gets its length again; one that gives a buffer gets an error.
    let cell = Cell::Cut { total: 4, cell: super8_cassette::CutCell::Bytes(b"") };
    let mut length = 0;
    let target = Target::new(std::ptr::null_mut(), 0, &mut length);
    // SAFETY: null is allowed.
    assert_eq!(unsafe { write(&cell, CType::SLONG, CType::SLONG, target, None) }, Written::Success);
    assert_eq!(length, 4);
    assert_eq!(sqlstate(&replay(b"\\>4:\\x", CType::SLONG, CType::SLONG, 4).0), "HY000");
}

/// A driver that hands out a value piece by piece, and the cell that the pieces make.
fn fetch_in_pieces(c_type: CType, value: &[u8], capacity: usize, careful: bool, calls: usize) -> Vec<u8> {
    let (mut pieces, mut row) = (Pieces::new(), Row::new());
    let unit = [0, 1, 0, 2][usize::from(c_type == CType::CHAR) + 3 * usize::from(c_type == CType::WCHAR)];
    let mut rest = value;
    for _ in 0..calls {
        let (mut place, touched) = drive(c_type, rest, capacity, careful);
        // SAFETY: the buffer has its capacity.
        unsafe { pieces.push(c_type, place.pointer(), capacity as isize, Length::Bytes(rest.len() as isize)) };
        let given = touched.saturating_sub(unit);
        if rest.len() + unit <= capacity {
            break;
        }
        rest = &rest[given..];
    }
    pieces.finish(&mut row, 0, &mut Vec::new());
    assert_eq!(pieces.c_type(), None);
    row.field(0).to_vec()
}

#[test]
fn pieces_make_the_whole() {
    let mut random = Random(3);
    for round in 0..3000 {
        let text = random.text(60).replace('\0', " ");
        let (c_type, value, cell) = match round % 3 {
            0 => (CType::CHAR, text.clone().into_bytes(), Cell::Text(text.as_bytes())),
            1 => (CType::WCHAR, wide(&text), Cell::Text(text.as_bytes())),
            _ => (CType::BINARY, text.clone().into_bytes(), Cell::Bytes(text.as_bytes())),
        };
        // Give room for the largest character, or a careful driver would never finish.
        let capacity = 6 + random.below(20);
        let fetched = fetch_in_pieces(c_type, &value, capacity, round % 2 == 0, usize::MAX);
        assert_eq!(fetched, field(cell), "{text:?} by {capacity}");
    }
}

#[test]
fn embedded_terminators_survive_in_pieces() {
    let value = b"ab\0\0cd\0\0\0ef\0";
    for capacity in 2..16 {
        let fetched = fetch_in_pieces(CType::CHAR, value, capacity, false, usize::MAX);
        assert_eq!(fetched, field(Cell::Text(value)), "by {capacity}");
    }
}

#[test]
fn pieces_not_read_to_the_end_are_cut() {
    assert_eq!(fetch_in_pieces(CType::CHAR, b"0123456789", 4, false, 1), b"\\>10:012");
    assert_eq!(fetch_in_pieces(CType::CHAR, b"0123456789", 4, false, 2), b"\\>10:012345");
    assert_eq!(fetch_in_pieces(CType::CHAR, b"0123456789", 0, false, 1), b"\\>10:");
    assert_eq!(fetch_in_pieces(CType::WCHAR, &wide("0123456789"), 7, false, 2), b"\\>20:0123");
    assert_eq!(fetch_in_pieces(CType::BINARY, b"\0\x01\x02", 2, false, 1), b"\\>3:\\x0001");
    assert_eq!(fetch_in_pieces(CType::CHAR, "aéé".as_bytes(), 3, true, 1), b"\\>5:a");
}

#[test]
fn null_and_probes_among_the_pieces() {
    let (mut pieces, mut row, mut scratch) = (Pieces::new(), Row::new(), Vec::new());
    let mut place = Place::new(8);
    place.put(b"abc\0");
    // SAFETY: the buffer has its capacity; null is allowed.
    unsafe {
        pieces.push(CType::CHAR, std::ptr::null(), 0, Length::Bytes(3));
        assert!(pieces.is_cut());
        pieces.push(CType::CHAR, place.pointer(), 8, Length::Bytes(3));
        assert!(!pieces.is_cut());
        pieces.finish(&mut row, 0, &mut scratch);
        pieces.push(CType::CHAR, place.pointer(), 8, Length::Null);
        pieces.finish(&mut row, 1, &mut scratch);
        pieces.push(CType::CHAR, std::ptr::null(), 0, Length::Bytes(3));
        pieces.finish(&mut row, 2, &mut scratch);
        pieces.finish(&mut row, 3, &mut scratch);
    }
    assert_eq!([row.field(0), row.field(1), row.field(2)], [&b"abc"[..], b"\\N", b"\\>3:\\x"]);
    assert!(!row.is_set(3));
}
