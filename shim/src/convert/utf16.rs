//! Converts UTF-16 in the machine's byte order (SQLWCHAR of two bytes) to UTF-8 and back, with a fast path for ASCII.

/// Appends the UTF-8 text of these units (whole units; a last odd byte is ignored). Returns false and appends nothing
/// if a surrogate stands alone.
pub(super) fn to_utf8(units: &[u8], out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    // Exact for ASCII, and enough for nearly all other text.
    out.reserve(units.len());
    let mut rest = units;
    loop {
        while let Some((eight, after)) = rest.split_first_chunk::<16>() {
            let Some(ascii) = narrow(eight) else { break };
            out.extend_from_slice(&ascii);
            rest = after;
        }
        // Take at most eight units the slow way, then look for ASCII again.
        let mut slow = 0;
        while slow < 8 {
            let Some(first) = unit(rest) else { return true };
            rest = &rest[2..];
            slow += 1;
            match first {
                0..=0x7F => out.push(first as u8),
                0x80..=0x7FF => out.extend_from_slice(&[0xC0 | (first >> 6) as u8, continuation(first)]),
                0xD800..=0xDFFF => {
                    let second = unit(rest).filter(|second| first < 0xDC00 && (0xDC00..=0xDFFF).contains(second));
                    let character = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
                    let Some(character) = character else {
                        out.truncate(begin);
                        return false;
                    };
                    rest = &rest[2..];
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => {
                    out.extend_from_slice(&[0xE0 | (first >> 12) as u8, continuation(first >> 6), continuation(first)])
                }
            }
        }
    }
}

fn continuation(bits: u16) -> u8 {
    0x80 | (bits & 0x3F) as u8
}

fn unit(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().map(|pair| u16::from_ne_bytes(*pair))
}

/// Returns eight units as eight bytes, if all are ASCII.
#[inline]
fn narrow(units: &[u8; 16]) -> Option<[u8; 8]> {
    let [first, second] = words(units).map(u64::from_ne_bytes);
    if (first | second) & 0xFF80_FF80_FF80_FF80 != 0 {
        return None;
    }
    // Packs the four units of a word into the four bytes of half a word, in the machine's byte order before and after.
    let half = |word: u64| {
        let pairs = (word | word >> 8) & 0x0000_FFFF_0000_FFFF;
        ((pairs | pairs >> 16) as u32).to_ne_bytes()
    };
    let ([a, b, c, d], [e, f, g, h]) = (half(first), half(second));
    Some([a, b, c, d, e, f, g, h])
}

fn words(units: &[u8; 16]) -> [[u8; 8]; 2] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *units;
    [[a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]]
}

/// Returns eight bytes as eight units, if all are ASCII.
#[inline]
fn widen(ascii: &[u8; 8]) -> Option<[u8; 16]> {
    if !ascii.is_ascii() {
        return None;
    }
    let [a, b, c, d, e, f, g, h] = *ascii;
    let double = |half: [u8; 4]| {
        let pairs = u64::from(u32::from_ne_bytes(half));
        let pairs = (pairs | pairs << 16) & 0x0000_FFFF_0000_FFFF;
        ((pairs | pairs << 8) & 0x00FF_00FF_00FF_00FF).to_ne_bytes()
    };
    let mut units = [0; 16];
    units[..8].copy_from_slice(&double([a, b, c, d]));
    units[8..].copy_from_slice(&double([e, f, g, h]));
    Some(units)
}

/// Returns how many units this UTF-8 text makes.
pub(super) fn units(text: &[u8]) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    // The first byte of every character counts one, and that of a character beyond the first plane two.
    text.iter().map(|&byte| usize::from(byte & 0xC0 != 0x80) + usize::from(byte >= 0xF0)).sum()
}

/// How far a conversion of UTF-8 into units has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// How many bytes of UTF-8 have all their units written.
    source: usize,
    /// Whether the first of the next character's two surrogates is written.
    half: bool,
}

/// Fills `out` (whole units; a last odd byte stays) with the units of `text` from `position` on, and moves the
/// position. Returns how many bytes it wrote, or `None` if the text is not UTF-8.
pub(super) fn encode(text: &[u8], position: &mut Position, out: &mut [u8]) -> Option<usize> {
    let mut written = 0;
    while let Some(&first) = text.get(position.source) {
        if first < 0x80 {
            // Eight at a time while there is room for eight, else one.
            let eight = text[position.source..].first_chunk::<8>().and_then(widen);
            let place = out.get_mut(written..).and_then(|rest| rest.first_chunk_mut::<16>());
            if let (Some(units), Some(place)) = (eight, place) {
                *place = units;
                written += 16;
                position.source += 8;
            } else if put(out, &mut written, u16::from(first)) {
                position.source += 1;
            } else {
                return Some(written);
            }
            continue;
        }
        let (character, length) = decode(&text[position.source..])?;
        match u16::try_from(character) {
            Ok(unit) if put(out, &mut written, unit) => {}
            Ok(_) => return Some(written),
            Err(_) => {
                let [high, low] = surrogates(character);
                if !position.half && !put(out, &mut written, high) {
                    return Some(written);
                }
                position.half = !put(out, &mut written, low);
                if position.half {
                    return Some(written);
                }
            }
        }
        position.source += length;
    }
    Some(written)
}

/// Returns the first character of UTF-8 text that is not ASCII, and its length in bytes.
fn decode(text: &[u8]) -> Option<(u32, usize)> {
    let tail = |at: usize| text.get(at).filter(|byte| **byte & 0xC0 == 0x80).map(|byte| u32::from(byte & 0x3F));
    match *text.first()? {
        first @ 0xC2..=0xDF => Some((u32::from(first & 0x1F) << 6 | tail(1)?, 2)),
        first @ 0xE0..=0xEF => {
            let character = u32::from(first & 0x0F) << 12 | tail(1)? << 6 | tail(2)?;
            (character >= 0x800 && !(0xD800..=0xDFFF).contains(&character)).then_some((character, 3))
        }
        first @ 0xF0..=0xF4 => {
            let character = u32::from(first & 0x07) << 18 | tail(1)? << 12 | tail(2)? << 6 | tail(3)?;
            (0x10000..=0x10FFFF).contains(&character).then_some((character, 4))
        }
        _ => None,
    }
}

/// Returns the two units of a character beyond the first plane.
fn surrogates(character: u32) -> [u16; 2] {
    let bits = character.wrapping_sub(0x10000);
    [0xD800 | (bits >> 10 & 0x3FF) as u16, 0xDC00 | (bits & 0x3FF) as u16]
}

/// Writes one unit. Returns false if there is no room.
fn put(out: &mut [u8], written: &mut usize, unit: u16) -> bool {
    let place = out.get_mut(*written..).and_then(|rest| rest.first_chunk_mut::<2>());
    let Some(place) = place else { return false };
    *place = unit.to_ne_bytes();
    *written += 2;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_ne_bytes).collect()
    }

    const TEXTS: &[&str] =
        &["", "a", "plain ascii of more than eight", "é", "naïve café, in the middle", "漢字", "😀", "a😀b😀"];

    #[test]
    fn there_and_back() {
        for text in TEXTS {
            let mut utf8 = b"before".to_vec();
            assert!(to_utf8(&wide(text), &mut utf8));
            assert_eq!(utf8, [b"before", text.as_bytes()].concat());
            assert_eq!(units(text.as_bytes()) * 2, wide(text).len());
            for step in 0..9 {
                let (mut position, mut all) = (Position::default(), Vec::new());
                loop {
                    let mut piece = vec![0xAA; step];
                    let written = encode(text.as_bytes(), &mut position, &mut piece).unwrap();
                    assert!(piece[written..].iter().all(|byte| *byte == 0xAA));
                    all.extend_from_slice(&piece[..written]);
                    if written == 0 {
                        break;
                    }
                }
                assert_eq!(all, if step < 2 { Vec::new() } else { wide(text) }, "{text} by {step}");
            }
        }
    }

    #[test]
    fn every_character_goes_both_ways() {
        for character in '\0'..=char::MAX {
            let (text, mut utf8, mut units) = (character.to_string(), Vec::new(), [0; 4]);
            let written = encode(text.as_bytes(), &mut Position::default(), &mut units).unwrap();
            assert_eq!(units[..written], wide(&text));
            assert!(to_utf8(&units[..written], &mut utf8));
            assert_eq!(utf8, text.as_bytes());
        }
    }

    #[test]
    fn a_lone_surrogate_is_not_text() {
        for units in [&[0xD800u16][..], &[0xDC00], &[0x61, 0xD83D, 0x61], &[0xD83D, 0xD83D, 0xDE00]] {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_ne_bytes()).collect();
            let mut utf8 = b"before".to_vec();
            assert!(!to_utf8(&bytes, &mut utf8));
            assert_eq!(utf8, b"before");
        }
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        for bytes in
            [&b"a\xff"[..], b"a\xc3", b"\xed\xa0\x80", b"\x80", b"\xc0\x80", b"\xe0\x80\x80", b"\xf4\x90\x80\x80"]
        {
            assert_eq!(encode(bytes, &mut Position::default(), &mut [0; 32]), None);
        }
    }
}
