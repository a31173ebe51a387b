//! Rows of arbitrary cells: written as the `csv` crate writes them, and read back as what they were.

use std::path::Path;

use proptest::prelude::*;
use super8_cassette::cell::decode;
use super8_cassette::inline::{from_inline, inline};
use super8_cassette::row::write_row;
use super8_cassette::yaml::{emit_document, read_document};
use super8_cassette::{Cell, CutCell, Row, RowsReader};

/// A cell that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
enum Owned {
    Unread,
    Null,
    Text(Vec<u8>),
    Plain(String),
    Bytes(Vec<u8>),
    Cut(i64, Box<Owned>),
}

impl Owned {
    fn cell(&self) -> Cell<'_> {
        match self {
            Owned::Unread => Cell::Unread,
            Owned::Null => Cell::Null,
            Owned::Text(text) => Cell::Text(text),
            Owned::Plain(text) => Cell::Plain(text.as_bytes()),
            Owned::Bytes(bytes) => Cell::Bytes(bytes),
            Owned::Cut(total, part) => match part.cell() {
                Cell::Bytes(bytes) => Cell::Cut { total: *total, cell: CutCell::Bytes(bytes) },
                Cell::Text(text) => Cell::Cut { total: *total, cell: CutCell::Text(text) },
                other => other,
            },
        }
    }

    /// What the cell comes back as.
    fn read(cell: Cell<'_>) -> Owned {
        match cell {
            Cell::Unread => Owned::Unread,
            Cell::Null => Owned::Null,
            Cell::Text(text) => Owned::Text(text.to_vec()),
            Cell::Plain(text) => Owned::Plain(String::from_utf8_lossy(text).into_owned()),
            Cell::Bytes(bytes) => Owned::Bytes(bytes.to_vec()),
            Cell::Cut { total, cell: CutCell::Text(text) } => Owned::Cut(total, Box::new(Owned::Text(text.to_vec()))),
            Cell::Cut { total, cell: CutCell::Bytes(bytes) } => {
                Owned::Cut(total, Box::new(Owned::Bytes(bytes.to_vec())))
            }
        }
    }

    fn expected(&self) -> Owned {
        match self {
            Owned::Text(text) if std::str::from_utf8(text).is_err() => Owned::Bytes(text.clone()),
            Owned::Plain(text) => Owned::Text(text.clone().into_bytes()),
            Owned::Cut(total, part) => Owned::Cut(*total, Box::new(part.expected())),
            other => other.clone(),
        }
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "\\", "\\N", "\\-", "\\x", "\\e", "\\>5:", "\n", "\r", "\t", "\0", "\x1f", "\x7f", "\"", ",", " ",
            "\u{85}", "\u{9f}", "\u{a0}", "\u{feff}", "\u{2028}", "\u{2029}", "\u{202a}", "é", "😀", "\u{301}",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        any::<char>().prop_map(|character| character.to_string().into_bytes()),
        "[ -~]{0,40}".prop_map(String::into_bytes),
    ];
    prop_oneof![
        8 => prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn cell() -> impl Strategy<Value = Owned> {
    let value = prop_oneof![
        4 => text().prop_map(Owned::Text),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Owned::Bytes),
    ];
    let cut = (any::<i64>(), value.clone()).prop_map(|(total, part)| Owned::Cut(total, Box::new(part)));
    prop_oneof![
        1 => Just(Owned::Unread),
        1 => Just(Owned::Null),
        6 => value,
        1 => "[A-Za-z0-9+.:-]([A-Za-z0-9+.: -]{0,20}[A-Za-z0-9+.:-])?".prop_map(Owned::Plain),
        1 => Just(Owned::Plain(String::new())),
        1 => cut,
    ]
}

fn fill(row: &mut Row, cells: &[Owned]) {
    row.clear();
    cells.iter().enumerate().for_each(|(column, cell)| row.set(column, cell.cell()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_round_trip(rows in prop::collection::vec(prop::collection::vec(cell(), 1..6), 0..5)) {
        let (mut row, mut file) = (Row::new(), Vec::new());
        let mut fields: Vec<csv::ByteRecord> = Vec::new();
        for cells in &rows {
            fill(&mut row, cells);
            write_row(&row, &mut file);
            fields.push(row.fields().collect());
        }
        let read = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&file[..]);
        let read: Vec<_> = read.into_byte_records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(read, fields, "not what the csv crate reads");
        let trimmed = |line: &[u8]| line.trim_ascii() == line && !line.starts_with(b"<<<<<<<") && line != b"=======";
        prop_assert!(file.split(|&byte| byte == b'\n').all(trimmed), "an editor or a merge changes it");
        prop_assert_eq!(file.split(|&byte| byte == b'\n').count(), rows.len() + 1);
        prop_assert!(!file.contains(&b'\r'));

        let mut reader = RowsReader::new(&file[..], Path::new("a_1_fetch_all.csv"));
        let (mut record, mut scratch) = (csv::ByteRecord::new(), Vec::new());
        for cells in &rows {
            prop_assert!(reader.next(&mut record).unwrap());
            prop_assert_eq!(record.len(), cells.len());
            for (field, cell) in record.iter().zip(cells) {
                prop_assert_eq!(Owned::read(decode(field, &mut scratch).unwrap()), cell.expected());
            }
        }
        prop_assert!(!reader.next(&mut record).unwrap());
    }

    #[test]
    fn order_and_repetition_do_not_matter(cells in prop::collection::vec(cell(), 1..6), seed in any::<u64>()) {
        let (mut straight, mut crooked) = (Row::new(), Row::new());
        fill(&mut straight, &cells);
        let mut order: Vec<usize> = (0..cells.len()).chain(0..cells.len()).collect();
        order.sort_by_key(|column| (*column as u64 + 1).wrapping_mul(seed | 1) % 7);
        order.iter().for_each(|&column| {
            crooked.set(column, Cell::Text(b"an earlier value"));
            crooked.set(column, cells[column].cell());
        });
        let (mut one, mut other) = (Vec::new(), Vec::new());
        write_row(&straight, &mut one);
        write_row(&crooked, &mut other);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn inline_rows_round_trip(
        cells in prop::collection::vec(cell(), 1..6),
        numbers in prop::collection::vec(any::<f64>(), 0..3),
        types in prop::collection::vec(proptest::sample::select(vec!["CHAR", "SLONG", "DOUBLE", "BINARY"]), 9),
    ) {
        let (mut row, mut back, mut out) = (Row::new(), Row::new(), Vec::new());
        fill(&mut row, &cells);
        for number in numbers {
            let column = row.width();
            row.set(column, Cell::Plain(format!("{number:?}").as_bytes()));
        }
        let list = inline(&row, &types);
        emit_document(&list, &mut out);
        let read = read_document(&out, Path::new("x.yml")).unwrap();
        prop_assert_eq!(&read, &list);
        from_inline(&read, &mut back).unwrap();
        prop_assert!(row.fields().eq(back.fields()), "{}", String::from_utf8_lossy(&out));
    }
}
