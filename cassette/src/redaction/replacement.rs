//! Makes the replacement of a cell: a value of the same type, made from the keyed digest and so the same for the same value.

use crate::text::hex;
use crate::{Cell, CutCell};

/// A cell that replaces another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    CutText(i64, Vec<u8>),
    CutBytes(i64, Vec<u8>),
}

impl Replaced {
    /// Makes the same kind of cell with another content.
    pub(super) fn like(cell: &Cell<'_>, content: Vec<u8>) -> Replaced {
        match cell {
            Cell::Bytes(_) => Replaced::Bytes(content),
            Cell::Cut { total, cell: CutCell::Text(_) } => Replaced::CutText(*total, content),
            Cell::Cut { total, cell: CutCell::Bytes(_) } => Replaced::CutBytes(*total, content),
            _ => Replaced::Text(content),
        }
    }

    pub(super) fn as_cell(&self) -> Cell<'_> {
        match self {
            Replaced::Text(text) => Cell::Text(text),
            Replaced::Bytes(bytes) => Cell::Bytes(bytes),
            Replaced::CutText(total, text) => Cell::Cut { total: *total, cell: CutCell::Text(text) },
            Replaced::CutBytes(total, bytes) => Cell::Cut { total: *total, cell: CutCell::Bytes(bytes) },
        }
    }
}

/// Returns as many hex digits as the text has characters, so that they fit the same buffers.
pub(super) fn text(digest: &[u8; 32], text: &str) -> String {
    hex(digest).chars().cycle().take(text.chars().count()).collect()
}

/// Makes a value of the C type `c_type` that replaces `cell`. `digest` returns the keyed digest of the cell's content.
pub(super) fn replacement(digest: impl Fn(&[u8]) -> [u8; 32], c_type: &str, cell: &Cell<'_>) -> Replaced {
    let content: &[u8] = match cell {
        Cell::Text(content) | Cell::Plain(content) | Cell::Bytes(content) => content,
        Cell::Cut { cell: CutCell::Text(content) | CutCell::Bytes(content), .. } => content,
        Cell::Null | Cell::Unread => &[],
    };
    let digest = digest(content);
    let bytes = matches!(cell, Cell::Bytes(_) | Cell::Cut { cell: CutCell::Bytes(_), .. });
    Replaced::like(
        cell,
        match bytes {
            true => digest.iter().copied().cycle().take(content.len()).collect(),
            false => made(&digest, c_type, content),
        },
    )
}

/// Returns the text form of a stand-in for `content`, whose digest this is. Numbers and times are made from its first eight bytes.
pub(super) fn made(digest: &[u8; 32], c_type: &str, content: &[u8]) -> Vec<u8> {
    let number = |below: u64| {
        let first: [u8; 8] = std::array::from_fn(|at| digest[at]);
        u64::from_be_bytes(first) % below
    };
    match c_type {
        "BIT" => number(2).to_string().into_bytes(),
        "STINYINT" | "UTINYINT" | "TINYINT" => number(100).to_string().into_bytes(),
        "SSHORT" | "USHORT" | "SHORT" => number(10_000).to_string().into_bytes(),
        "SLONG" | "ULONG" | "LONG" => number(1_000_000_000).to_string().into_bytes(),
        "SBIGINT" | "UBIGINT" => number(1_000_000_000_000_000).to_string().into_bytes(),
        "FLOAT" => format!("{}.0", number(1_000_000)).into_bytes(),
        "DOUBLE" => format!("{}.0", number(1_000_000_000)).into_bytes(),
        "NUMERIC" => numeric(content),
        "GUID" => {
            let hex = hex(&digest[..16]).to_uppercase();
            format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]).into_bytes()
        }
        "DATE" | "TYPE_DATE" => date(number(20_000)).into_bytes(),
        "TIME" | "TYPE_TIME" => time(number(86_400)).into_bytes(),
        "TIMESTAMP" | "TYPE_TIMESTAMP" => format!("{} {}", date(number(20_000)), time(number(86_400))).into_bytes(),
        interval if interval.starts_with("INTERVAL") => {
            content.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect()
        }
        _ => text(digest, &String::from_utf8_lossy(content)).into_bytes(),
    }
}

/// Returns a number with as many digits and the same precision and scale: `123.45 (18,2)` becomes `111.11 (18,2)`. The
/// zeros that a negative scale stands for stay.
fn numeric(content: &[u8]) -> Vec<u8> {
    let number = content.iter().position(|byte| *byte == b' ').unwrap_or(content.len());
    let stated = String::from_utf8_lossy(&content[number..]);
    let zeros = stated.split_once(",-").and_then(|(_, scale)| scale.trim_end_matches(')').parse().ok()).unwrap_or(0);
    let shown = number.saturating_sub(zeros);
    let digit = |byte: &u8| if byte.is_ascii_digit() { b'1' } else { *byte };
    content[..shown].iter().map(digit).chain(content[shown..].iter().copied()).collect()
}

/// Returns a date from 1970 on, with a day that every month has.
fn date(number: u64) -> String {
    format!("{:04}-{:02}-{:02}", 1970 + number / 336 % 60, number / 28 % 12 + 1, number % 28 + 1)
}

fn time(second: u64) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::numeric;

    #[test]
    fn a_number_keeps_its_form() {
        for (from, to) in [
            ("123.45", "111.11"),
            ("-0.05", "-1.11"),
            ("123.45 (18,2)", "111.11 (18,2)"),
            ("12300 (3,-2)", "11100 (3,-2)"),
            ("0000 (1,-3)", "1000 (1,-3)"),
        ] {
            assert_eq!(String::from_utf8(numeric(from.as_bytes())).unwrap(), to);
        }
    }
}
