//! Parameter markers of an SQL text: question marks outside quotes and comments.
//!
//! The count only bounds which bound parameters an execution sends; an application may leave buffers bound that the
//! next text does not use, and those must not be read.

/// How many markers `sql` has.
pub fn count(sql: &str) -> usize {
    let mut bytes = sql.bytes().peekable();
    let mut markers = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'?' => markers += 1,
            b'\'' | b'"' | b'`' => {
                bytes.by_ref().find(|next| *next == byte);
            }
            b'-' if bytes.peek() == Some(&b'-') => {
                bytes.by_ref().find(|next| *next == b'\n');
            }
            b'/' if bytes.peek() == Some(&b'*') => {
                bytes.next();
                let mut last = 0;
                bytes.by_ref().find(|next| std::mem::replace(&mut last, *next) == b'*' && *next == b'/');
            }
            _ => {}
        }
    }
    markers
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn markers_outside_quotes_and_comments() {
        for (sql, markers) in [
            ("", 0),
            ("select ?", 1),
            ("insert into t values (?, '?', \"?\", ?)", 2),
            ("select 'it''s ?', ? -- ?\n, ?", 2),
            ("/* ? **/ select ? /* ? */", 1),
            ("{?=call f(?, ?)}", 3),
            ("select '?", 0),
        ] {
            assert_eq!(count(sql), markers, "{sql}");
        }
    }
}
