//! The examples in `docs/cassette-format.md` are what this crate writes, byte for byte.

use std::path::Path;

use super8_cassette::cell::decode;
use super8_cassette::row::write_row;
use super8_cassette::yaml::{Items, emit_document, emit_entry, parse_entry, read_document};
use super8_cassette::{Row, RowsReader};

/// The blocks in a language, each with the file name that the paragraph before it gives.
fn blocks(language: &str) -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cassette-format.md");
    let page = std::fs::read_to_string(page).unwrap();
    let fence = format!("```{language}\n");
    let mut parts = page.split(&fence);
    let mut before = parts.next().unwrap();
    let mut blocks = Vec::new();
    for part in parts {
        let name = before.trim_end().rsplit('\n').next().unwrap().trim_matches(['`', ':']).to_owned();
        let (block, after) = part.split_once("```").unwrap();
        blocks.push((name, block.to_owned()));
        before = after;
    }
    blocks
}

#[test]
fn yaml_examples_are_what_is_written() {
    let blocks = blocks("yaml");
    let names: Vec<&str> = blocks.iter().map(|(name, _)| name.as_str()).collect();
    for file in ["commands.yml", "a_1_columns.yml", "metadata.yml"] {
        assert!(names.contains(&file), "no example of {file}");
    }
    assert!(names.iter().all(|name| name.ends_with(".yml")), "an example without its file's name: {names:?}");
    for (name, block) in &blocks {
        let (file, mut out) = (Path::new(name), Vec::new());
        if name == "commands.yml" {
            let (mut items, mut buf) = (Items::new(block.as_bytes(), file), Vec::new());
            while let Some(item) = items.next(&mut buf).unwrap() {
                emit_entry(&parse_entry(&buf, file, item.line).unwrap(), &mut out);
            }
        } else {
            emit_document(&read_document(block.as_bytes(), file).unwrap(), &mut out);
        }
        assert_eq!(String::from_utf8(out).unwrap(), *block, "{name}");
    }
}

#[test]
fn the_rows_example_is_what_is_written() {
    let blocks = blocks("csv");
    assert_eq!(blocks.len(), 1);
    for (name, block) in &blocks {
        let mut reader = RowsReader::new(block.as_bytes(), Path::new(name));
        let (mut record, mut row, mut out, mut scratch) = (csv::ByteRecord::new(), Row::new(), Vec::new(), Vec::new());
        while reader.next(&mut record).unwrap() {
            row.clear();
            for (column, field) in record.iter().enumerate() {
                row.set(column, decode(field, &mut scratch).unwrap());
            }
            write_row(&row, &mut out);
        }
        assert_eq!(String::from_utf8(out).unwrap(), *block, "{name}");
    }
}
