//! Texts for people: cut, put on one line, quoted for a shell.

/// Returns at most `max` bytes of a text, cut between characters, with dots where something is missing.
pub fn cut(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = floor(text, max.saturating_sub(3));
    format!("{}...", &text[..end])
}

/// Returns the last character boundary at or before `at`.
pub(crate) fn floor(text: &str, at: usize) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

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
