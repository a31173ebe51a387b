//! Texts: cut, put on one line or quoted for a shell for people to read; hexadecimal digits, `%XX`, and names of files.

const HEX: &[u8; 16] = b"0123456789abcdef";
/// The value of each byte as a hex digit; 255 if it is none.
const HEX_VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut value = 0;
    while value < 16 {
        values[HEX[value] as usize] = value as u8;
        values[HEX[value].to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    values
};
/// The most bytes of a name that is used in a file name. A file system allows 255, and super8 appends endings.
pub const LONGEST_FILE_NAME: usize = 200;

/// Returns at most `max` bytes of a text, cut between characters, with dots where something is missing.
pub fn cut(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = floor(text, max.saturating_sub(3));
    format!("{}...", &text[..end])
}

/// Returns the last character boundary at or before `at`.
pub fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Puts a text on one line: runs of white space become one blank, and control characters a question mark.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            blank if blank.is_whitespace() => {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            control if control.is_control() => line.push('?'),
            other => line.push(other),
        }
    }
    line.trim().to_owned()
}

/// Quotes a word for a shell, if needed.
pub fn shell(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Returns bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    push_hex(bytes, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends bytes as lower-case hexadecimal digits.
#[inline]
pub fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    out.resize(begin + 2 * bytes.len(), 0);
    for (pair, &byte) in out[begin..].as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    }
}

/// Returns the byte that two hexadecimal digits stand for; `None` if one of them is no digit.
#[inline]
pub fn hex_byte(pair: [u8; 2]) -> Option<u8> {
    let [high, low] = pair.map(|digit| HEX_VALUES[usize::from(digit)]);
    (high < 16 && low < 16).then_some(high << 4 | low)
}

/// Returns the bytes that hexadecimal digits stand for; `None` if there is an odd number of them, or another character.
pub fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| hex_byte(*pair)).collect())?
}

/// Returns the value with `%XX` for every byte that is neither a letter, a digit nor one of `kept`, and `blank` for each
/// blank.
pub fn percent_encoded(value: &[u8], upper: bool, blank: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(value.len());
    for &byte in value {
        match byte {
            b' ' => encoded.push_str(blank),
            byte if byte.is_ascii_alphanumeric() || kept.contains(&byte) => encoded.push(char::from(byte)),
            byte if upper => encoded.push_str(&format!("%{byte:02X}")),
            byte => encoded.push_str(&format!("%{byte:02x}")),
        }
    }
    encoded
}

/// Says whether a byte may stand in a name that is used in a file name: a letter, a digit, `_`, `-` or `.`.
pub const fn is_in_file_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Says whether a text can be used in a file name. Such a name cannot lead out of a directory, wherever it comes from.
pub fn is_file_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_FILE_NAME && text.bytes().all(is_in_file_names) && !text.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_can_be_used_in_file_names() {
        for plain in ["a_1_fetch_all.csv", "aa_12_fetch_many_2.csv", "a_info.yml", &"a".repeat(LONGEST_FILE_NAME)] {
            assert!(is_file_name(plain), "{plain}");
        }
        for hostile in ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", ".hidden", "a b", "a\0", "ä.csv"] {
            assert!(!is_file_name(hostile), "{hostile}");
        }
        assert!(!is_file_name(&"a".repeat(LONGEST_FILE_NAME + 1)));
    }

    #[test]
    fn hex_comes_back_in_either_case() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(&hex(&bytes)[..8], "00010203");
        assert_eq!(from_hex(hex(&bytes).as_bytes()).as_deref(), Some(&bytes[..]));
        assert_eq!(from_hex(hex(&bytes).to_uppercase().as_bytes()).as_deref(), Some(&bytes[..]));
        for wrong in ["0", "0g", "+f", "012"] {
            assert_eq!(from_hex(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_kept_is_percent_encoded() {
        assert_eq!(percent_encoded("a b/ö".as_bytes(), true, "%20", b"/"), "a%20b/%C3%B6");
        assert_eq!(percent_encoded(b"a b/", false, "+", b""), "a+b%2f");
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer text", 8), "longe...");
        assert_eq!(cut("äöüäöü", 8), "äö...");
        for max in 0..20 {
            assert!(cut("日本語のテキスト", max).len() <= max.max(3));
        }
    }
}
