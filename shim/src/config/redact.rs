//! Removes secrets from running text: known values wherever they occur, and whatever follows `PWD=` and the like.

use std::borrow::Cow;

use super::keywords::{is_secret, is_user};

/// The text that replaces a secret.
pub const MARK: &str = "***";

/// Returns bytes as text: UTF-8 as it is, and every other byte as `\xNN`.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02X}")));
    }
    text
}

/// The length from which a value is removed even from the middle of a word. A shorter one is removed only as a word of
/// its own, so that the password `test` does not eat `latest`.
const LONG: usize = 16;

/// Returns the text with each of these values, longest first, replaced by [`MARK`].
pub fn replace_all<'a>(text: &'a str, values: &[String]) -> Cow<'a, str> {
    let mut result = Cow::Borrowed(text);
    for value in values {
        if let Some(replaced) = replace_by(&result, value, MARK) {
            result = Cow::Owned(replaced);
        }
    }
    result
}

/// Returns the text with `mark` in each place where the value occurs; `None` if there is none.
pub fn replace_by(text: &str, value: &str, mark: &str) -> Option<String> {
    let mut replaced: Option<String> = None;
    let mut kept = 0;
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(value)).map(|at| from + at) {
        let end = at + value.len();
        if value.len() < LONG && inside_word(text, at, end) {
            from = at + value.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let result = replaced.get_or_insert_with(String::new);
        result.push_str(&text[kept..at]);
        result.push_str(mark);
        (kept, from) = (end, end);
    }
    replaced.map(|mut result| {
        result.push_str(&text[kept..]);
        result
    })
}

/// Returns whether a word goes on across either end of `text[start..end]`.
fn inside_word(text: &str, start: usize, end: usize) -> bool {
    let word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let inner = &text[start..end];
    (word(text[..start].chars().next_back()) && word(inner.chars().next()))
        || (word(inner.chars().next_back()) && word(text[end..].chars().next()))
}

/// Returns whether a text gives a secret after `PWD=` and the like, or in `scheme://user:secret@`.
pub fn has_assigned_secret(text: &str) -> bool {
    matches!(redact_assignments(text, &[]), Cow::Owned(_))
}

/// Returns the text with [`MARK`] in place of what follows `PWD=`, `UID=`, the like and these keys, and of the user
/// part of addresses.
pub fn redact_assignments<'a>(text: &'a str, keys: &[String]) -> Cow<'a, str> {
    let mut result = String::new();
    let mut kept = 0;
    let mut from = 0;
    while let Some(at) = text[from..].find(['=', ':']).map(|at| from + at) {
        from = at + 1;
        let hidden = if text.as_bytes()[at] == b'=' { assigned(text, at, keys) } else { authority(text, at) };
        if let Some((start, end)) = hidden.filter(|(start, end)| start < end && &text[*start..*end] != MARK) {
            result.push_str(&text[kept..start]);
            result.push_str(MARK);
            (kept, from) = (end, end);
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    result.push_str(&text[kept..]);
    Cow::Owned(result)
}

/// Returns where the value after the `=` at `at` is, if the word before it asks for hiding.
fn assigned(text: &str, at: usize, keys: &[String]) -> Option<(usize, usize)> {
    let before = text[..at].trim_end().trim_end_matches(['"', '\'', ']']);
    let word_start = |text: &str| {
        let word = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
        text.char_indices().rev().take_while(|(_, letter)| word(*letter)).last().map_or(text.len(), |(at, _)| at)
    };
    let first = word_start(before);
    let second = word_start(before[..first].trim_end());
    let (word, words) = (&before[first..], &before[second..]);
    let listed = |text: &str| keys.iter().any(|key| key.eq_ignore_ascii_case(text));
    let hide = |key: &str| is_secret(key.as_bytes()) || is_user(key.as_bytes()) || listed(key);
    // Accepts `User Id=`, but not two words of a sentence of which the first happens to be `user`.
    let pair = word.eq_ignore_ascii_case("id") || word.eq_ignore_ascii_case("name") || listed(words);
    if word.is_empty() || !(hide(word) || (pair && hide(words))) {
        return None;
    }
    let start = at + 1 + text[at + 1..].len() - text[at + 1..].trim_start_matches([' ', '\t']).len();
    let rest = &text[start..];
    let closing = |quote: char| rest[1..].find(quote).map(|found| found + 2);
    let length = match rest.chars().next()? {
        '{' => closed_brace(rest).unwrap_or(rest.len()),
        quote @ ('"' | '\'') => closing(quote).unwrap_or(rest.len()),
        _ => {
            let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
            let plain = |letter: char| letter.is_whitespace() || "\"'`)],&".contains(letter);
            rest[..line].find(';').or_else(|| rest.find(plain)).unwrap_or(line)
        }
    };
    Some((start, start + length))
}

/// Returns the length of a `{...}` with `}}` inside, if it is closed.
fn closed_brace(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'}', Some(b'}')) => at += 2,
            (b'}', _) => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Returns where `user:secret` is in an address whose `://` begins at `at`.
fn authority(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text[at..].strip_prefix("://")?;
    let end = rest.find(|letter: char| letter.is_whitespace() || "/?#\"'".contains(letter)).unwrap_or(rest.len());
    let user = rest[..end].rfind('@')?;
    Some((at + 3, at + 3 + user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_keyword_is_hidden() {
        for (text, expected) in [
            ("connect with PWD=abc failed", "connect with PWD=*** failed"),
            ("PWD=two words;DSN=x", "PWD=***;DSN=x"),
            ("Password = {a;b}};c};DSN=x", "Password = ***;DSN=x"),
            ("{\"password\"=\"a b\"}", "{\"password\"=***}"),
            ("user id=alice; access_token=x", "user id=***; access_token=***"),
            ("at postgres://alice:pw@db/x and", "at postgres://***@db/x and"),
            ("PWD=\nnext", "PWD=\nnext"),
            ("PWD=***;X=1", "PWD=***;X=1"),
        ] {
            assert_eq!(redact_assignments(text, &[]), expected);
        }
        for text in ["Key (id)=(1) already exists", "http://db/x", "a = b", "column name = 'x'", "=", "PWD=", "\u{e9}="]
        {
            assert_eq!(redact_assignments(text, &[]), text);
            assert!(!has_assigned_secret(text));
        }
        let keys = ["Realm".to_owned(), "My Key".to_owned()];
        assert_eq!(redact_assignments("realm=a; my key=b; other=c", &keys), "realm=***; my key=***; other=c");
    }

    #[test]
    fn short_values_are_removed_as_words_only() {
        let values = ["test".to_owned(), "a-rather-long-secret".to_owned()];
        assert_eq!(replace_all("latest 'test' tests test", &values), "latest '***' tests ***");
        assert_eq!(replace_all("xa-rather-long-secretx", &values), "x***x");
        assert!(matches!(replace_all("nothing", &values), Cow::Borrowed("nothing")));
        assert_eq!(replace_all("\u{e9}t", &["\u{e9}".to_owned()]), "\u{e9}t");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_shown_in_hex() {
        assert_eq!(text(b"a\xe9b\xc3\xa9"), "a\\xE9b\u{e9}");
    }
}
