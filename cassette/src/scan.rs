//! Scans texts for special bytes, many bytes at a time.

use std::ops::ControlFlow;

/// What a scan of every byte finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Whether there is a comma or a quote.
    pub(crate) quotes: bool,
    /// Whether there is a byte that is not printable ASCII.
    pub(crate) special: bool,
    /// Whether there is a byte that is not ASCII.
    pub(crate) foreign: bool,
}

/// Says whether a text needs quotes although CSV would not require them: editors and hooks remove blanks at the end of
/// a line, and a text that begins like a merge conflict marker would be taken for one.
#[inline]
pub(crate) fn is_fragile(text: &[u8]) -> bool {
    let (Some(first), Some(last)) = (text.first(), text.last()) else { return false };
    *last == b' ' || (BEGINS_FRAGILE[usize::from(*first)] && begins_fragile(text))
}

/// The bytes that a fragile text may begin with.
const BEGINS_FRAGILE: [bool; 256] = {
    let mut bytes = [false; 256];
    bytes[b' ' as usize] = true;
    bytes[b'<' as usize] = true;
    bytes[b'=' as usize] = true;
    bytes[b'>' as usize] = true;
    bytes[b'|' as usize] = true;
    bytes
};

#[cold]
fn begins_fragile(text: &[u8]) -> bool {
    text[0] == b' ' || (text.len() >= 7 && text[..7].iter().all(|byte| *byte == text[0]))
}

const ONES: u64 = u64::MAX / 255;
/// The high bit of every byte of a word.
const HIGH: u64 = ONES << 7;

/// Returns the high bit of each byte of the word that equals `byte`.
#[inline]
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    let other = word ^ (ONES * byte as u64);
    !(((other & !HIGH) + !HIGH) | other) & HIGH
}

/// Does the same in fewer steps. Only the first mark is reliable.
#[inline]
pub(crate) const fn has(word: u64, byte: u8) -> u64 {
    let other = word ^ (ONES * byte as u64);
    other.wrapping_sub(ONES) & !other & HIGH
}

/// Returns the high bit of each byte of the word that is an ASCII control character or one of `others`, which must be ASCII.
#[inline]
pub(crate) const fn control_or<const N: usize>(word: u64, others: [u8; N]) -> u64 {
    let low = word & !HIGH;
    // The first sum has the high bit from 0x20 on, the second only for 0x7f; no sum carries.
    let mut free = (low + ONES * 0x60) & !(low + ONES);
    let mut at = 0;
    while at < N {
        free &= (low ^ (ONES * others[at] as u64)) + !HIGH;
        at += 1;
    }
    !(free | word) & HIGH
}

/// Returns the high bit of each byte of the word that is not ASCII.
#[inline]
pub(crate) const fn foreign(word: u64) -> u64 {
    word & HIGH
}

/// Returns where a line ends: at its line feed, or where unused space (zeros) begins. Most lines are short, and setting
/// up a search for a byte takes time.
#[inline(always)]
pub(crate) fn line_end(bytes: &[u8]) -> Option<usize> {
    match bytes.first_chunk::<8>().map(|word| line_marks(*word)) {
        Some(marks @ 1..) => Some((marks.trailing_zeros() / 8) as usize),
        _ => long_line_end(bytes),
    }
}

fn long_line_end(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes[..bytes.len().min(64)].as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let marks = line_marks(*word);
        if marks != 0 {
            return Some(8 * at + (marks.trailing_zeros() / 8) as usize);
        }
    }
    let seen = 8 * words.len();
    memchr::memchr2(b'\n', 0, &bytes[seen..]).map(|at| seen + at)
}

/// Marks the bytes that end a line. Only the first mark is reliable.
#[inline]
fn line_marks(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    has(word, b'\n') | has(word, 0)
}

/// Returns the length and the number of lines of the list item at the start of a text in which another item follows it,
/// both without indentation. `None` if that cannot be told: a line of it is not indented, or it is near the end of the text.
#[inline]
pub(crate) fn item(bytes: &[u8]) -> Option<(usize, u32)> {
    let begins = |at: usize| matches!(bytes.get(at..), Some([b'-', b' ', ..]));
    if !begins(0) {
        return None;
    }
    let mut lines = 0;
    for (at, pair) in bytes.as_chunks::<8>().0.windows(2).enumerate() {
        let word = u64::from_le_bytes(pair[0]);
        if has(word, b'\n') == 0 {
            continue;
        }
        let marks = equal(word, b'\n');
        // what stands behind each byte
        let behind = word >> 8 | u64::from(pair[1][0]) << 56;
        let others = marks & !equal(behind, b' ');
        // each mark is the high bit of its byte; count those up to the first one that is followed by another line
        let counted = marks & (others ^ others.wrapping_sub(1));
        lines += ((counted >> 7).wrapping_mul(ONES) >> 56) as u32;
        if others != 0 {
            let end = 8 * at + (others.trailing_zeros() / 8) as usize + 1;
            return begins(end).then_some((end, lines));
        }
    }
    None
}

/// Calls `found` with the place of each byte that `marks` marks by its high bit in a word of eight bytes, until `found`
/// breaks. The last word is filled up with blanks, which must not be marked.
#[inline]
pub(crate) fn each_marked(
    text: &[u8],
    marks: impl Fn(u64) -> u64,
    mut found: impl FnMut(usize) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut begin = 0;
    while let Some(rest) = text.get(begin..).filter(|rest| !rest.is_empty()) {
        let eight = rest.first_chunk::<8>().copied().unwrap_or_else(|| {
            let mut last = [b' '; 8];
            last[..rest.len()].copy_from_slice(rest);
            last
        });
        let mut marked = marks(u64::from_le_bytes(eight));
        while marked != 0 {
            found(begin + (marked.trailing_zeros() / 8) as usize)?;
            marked &= marked - 1;
        }
        begin += 8;
    }
    ControlFlow::Continue(())
}

#[inline]
pub(crate) fn scan(text: &[u8]) -> Scan {
    if let Some(last) = text.last_chunk::<16>() {
        let (blocks, rest) = text.as_chunks::<16>();
        let mut seen = Seen::default();
        for block in blocks {
            seen.add(block);
        }
        if !rest.is_empty() {
            seen.add(last); // the overlap is seen twice
        }
        return seen.scan();
    }
    let (first, last) = ends(text);
    let mut seen = Seen::default();
    seen.add(&(u128::from(last) << 64 | u128::from(first)).to_le_bytes());
    seen.scan()
}

/// What was seen so far at each position of blocks of 16 bytes.
#[derive(Default)]
struct Seen {
    quotes: [u8; 16],
    special: [u8; 16],
    all: [u8; 16],
}

impl Seen {
    /// Adds a block. Written without branches, so that the compiler looks at 16 bytes at once.
    #[inline]
    fn add(&mut self, block: &[u8; 16]) {
        for (at, &byte) in block.iter().enumerate() {
            let mark = |holds: bool| if holds { 0xff } else { 0 };
            self.quotes[at] |= mark(byte == b',') | mark(byte == b'"');
            // adding one makes DEL negative, like any byte that is not ASCII
            self.special[at] |= mark((byte.wrapping_add(1) as i8) < 0x21);
            self.all[at] |= byte;
        }
    }

    #[inline]
    fn scan(&self) -> Scan {
        let foreign = u128::from_ne_bytes(self.all) & u128::from_ne_bytes([0x80; 16]) != 0;
        let any = |marks| u128::from_ne_bytes(marks) != 0;
        Scan { quotes: any(self.quotes), special: any(self.special), foreign }
    }
}

/// Returns all bytes of a text of less than 16 in two words. A byte may be there twice, and missing bytes are blanks.
#[inline]
fn ends(text: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let blanks = (ONES >> 32) as u32 * u32::from(b' ');
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return (u64::from(first) | u64::from(last) << 32, u64::from(blanks) | u64::from(blanks) << 32);
    }
    let at = |index: usize| text.get(index).copied().unwrap_or(b' ');
    let few = [at(0), at(1), at(2), b' ', b' ', b' ', b' ', b' '];
    (u64::from_le_bytes(few), u64::from_le_bytes(few))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_seen_wherever_it_stands() {
        for length in 0..70 {
            assert_eq!(scan(&vec![b'x'; length]), Scan::default());
            for at in 0..length {
                for byte in 0..=255 {
                    let mut text = vec![b'x'; length];
                    text[at] = byte;
                    let expected = Scan {
                        quotes: byte == b',' || byte == b'"',
                        special: !(b' '..=b'~').contains(&byte),
                        foreign: byte >= 0x80,
                    };
                    assert_eq!(scan(&text), expected, "{byte:#x} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_line_ends_wherever_its_end_stands() {
        for length in 0..150 {
            assert_eq!(line_end(&vec![b'x'; length]), None);
            for (at, end) in (0..length).flat_map(|at| [b'\n', 0].map(|end| (at, end))) {
                // bytes that differ from both in one bit come before and behind
                for other in [b'\n' + 1, 1, b'\n' | 0x80, 0x80] {
                    let mut text = vec![other; length];
                    text[at..].fill(end);
                    assert_eq!(line_end(&text), Some(at), "{other:#x}, {end:#x} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn an_item_ends_where_another_begins() {
        for length in 0..20 {
            let own = format!("- {}\n  b: \"\u{e9}\"\n\x20c\n", "x".repeat(length));
            let text = own.clone() + "- d\n                ";
            assert_eq!(item(text.as_bytes()), Some((own.len(), 3)), "{text}");
            for end in 0..text.len() {
                let seen = item(&text.as_bytes()[..end]);
                assert!(seen.is_none_or(|found| found == (own.len(), 3)), "{end}: {seen:?}");
            }
            for line in ["", "# e", "-e", "e", "...", "\te"] {
                let other = format!("- {}\n{line}\n- d\n                ", "x".repeat(length));
                assert_eq!(item(other.as_bytes()), None, "{other}");
                assert_eq!(item(&other.as_bytes()[2..]), None, "an item begins with a dash");
            }
        }
    }

    #[test]
    fn words_are_seen_byte_by_byte() {
        for byte in 0..=255u8 {
            for (at, around) in (0..8).flat_map(|at| [0u8, 1, 0x1f, 0x20, 0x7f, 0x80, 0xff].map(|other| (at, other))) {
                let mut bytes = [around; 8];
                bytes[at] = byte;
                let word = u64::from_le_bytes(bytes);
                let marks = |holds: &dyn Fn(u8) -> bool| {
                    u64::from_le_bytes(bytes.map(|byte| if holds(byte) { 0x80 } else { 0 }))
                };
                assert_eq!(control_or(word, []), marks(&|byte| byte.is_ascii_control()));
                assert_eq!(
                    control_or(word, [b'"', b'\\']),
                    marks(&|byte| byte.is_ascii_control() || b"\"\\".contains(&byte))
                );
                assert_eq!(foreign(word), marks(&|byte| !byte.is_ascii()));
                for wanted in [b'\\', 0xc2, 0xe2, 0] {
                    assert_eq!(equal(word, wanted), marks(&|byte| byte == wanted));
                }
            }
        }
    }
}
