//! Removes comments from SQL. Tracers add one with an id of its own to every statement (sqlcommenter). Comments that a
//! database obeys, `/*+ ... */` and `/*! ... */`, stay.

/// Returns the text without comments, and without blanks at its end or before a comment. A comment between two words
/// becomes a blank. What only some databases take for a comment stays: `--` without a blank behind it, and everything
/// from a quoted text with a backslash on, because that text may end elsewhere.
pub fn without(sql: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(sql.len()), sql);
    while let Some(at) = rest.find(['\'', '"', '`', '/', '-']) {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let length = match tail.as_bytes() {
            [b'/', b'*', b'+' | b'!', ..] => end_of(tail, 2, "*/"),
            [b'/', b'*', ..] => {
                out.truncate(out.trim_end().len());
                rest = &tail[end_of(tail, 2, "*/")..];
                let word = |character: Option<char>| character.is_some_and(|one| one.is_alphanumeric() || one == '_');
                if word(out.chars().next_back()) && word(rest.chars().next()) {
                    out.push(' ');
                }
                continue;
            }
            [b'-', b'-'] | [b'-', b'-', b' ' | b'\t' | b'\r' | b'\n', ..] => {
                out.truncate(out.trim_end().len());
                // keep the end of the line
                rest = &tail[tail.find('\n').unwrap_or(tail.len())..];
                continue;
            }
            [quote @ (b'\'' | b'"' | b'`'), ..] => end_of(tail, 1, char::from(*quote).encode_utf8(&mut [0])),
            _ => 1,
        };
        if length > 1 && tail[..length].contains('\\') {
            rest = tail;
            break;
        }
        out.push_str(&tail[..length]);
        rest = &tail[length..];
    }
    out.push_str(rest);
    out.truncate(out.trim_end().len());
    out
}

/// Returns where the construct that begins a text ends: behind the first `end` after `from`.
fn end_of(text: &str, from: usize, end: &str) -> usize {
    text[from..].find(end).map_or(text.len(), |at| from + at + end.len())
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn comments_go_and_texts_stay() {
        for (sql, left) in [
            ("select 1 /*traceparent='00-5bd6-01'*/", "select 1"),
            ("select 1 /* a */ /* b */;", "select 1;"),
            ("select '/* no */' -- yes\nfrom t", "select '/* no */'\nfrom t"),
            ("select \"--\" from `/*`", "select \"--\" from `/*`"),
            ("select /*+ full(t) */ 1 - 2 / 3", "select /*+ full(t) */ 1 - 2 / 3"),
            ("select 'it''s' /* open", "select 'it''s'"),
            ("select 5--1", "select 5--1"),
            ("select a/**/b, c/* */d", "select a b, c d"),
            (r"select 'it\'s -- 1' /* x */", r"select 'it\'s -- 1' /* x */"),
            ("", ""),
        ] {
            assert_eq!(without(sql), left);
        }
    }
}
