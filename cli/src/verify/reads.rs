//! Whether a text only reads. What is not certain counts as writing.

/// Words that begin a text which reads.
const READING: &[&str] = &["SELECT", "VALUES", "WITH", "SHOW", "DESCRIBE", "DESC", "TABLE", "EXPLAIN"];
/// Words anywhere in a text, outside of quotes and comments, that make it more than reading.
const WRITING: &[&str] = &[
    "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "UPSERT", "INTO", "CREATE", "ALTER", "DROP", "TRUNCATE", "CALL",
    "EXEC", "EXECUTE", "GRANT", "REVOKE", "LOCK", "ANALYZE", "NEXTVAL", "SETVAL", "SLEEP", "PG_SLEEP",
];

/// Whether `sql` is one statement that only reads, as far as its words tell: a function it calls may do anything.
pub fn only_reads(sql: &str) -> bool {
    let words = words(sql);
    let begins = words.first().is_some_and(|word| READING.iter().any(|reading| word.eq_ignore_ascii_case(reading)));
    begins && !words.iter().any(|word| word == ";" || WRITING.iter().any(|writing| word.eq_ignore_ascii_case(writing)))
}

/// The words of a text outside of quotes and comments, and a `;` where another statement follows, or where databases do not
/// agree on what is a quote or a comment: a backslash in quotes, `#`, `/*!`, `$$`.
fn words(sql: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut rest = sql.chars().peekable();
    let mut ended = false;
    while let Some(next) = rest.next() {
        if next.is_alphanumeric() || next == '_' || next == '$' || next == '.' {
            if std::mem::take(&mut ended) {
                words.push(";".to_owned());
            }
            // `$1` is a marker, other words with a dollar may begin a quote
            if next == '$' && !rest.peek().is_some_and(char::is_ascii_digit) {
                words.push(";".to_owned());
            }
            word.push(next);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        match next {
            '\'' | '"' | '`' if !pass(&mut rest, next) => words.push(";".to_owned()),
            '[' if !pass(&mut rest, ']') => words.push(";".to_owned()),
            '-' if rest.peek() == Some(&'-') => while rest.next().is_some_and(|next| next != '\n') {},
            '#' => words.push(";".to_owned()),
            '/' if rest.peek() == Some(&'*') => {
                rest.next();
                if matches!(rest.peek(), Some('!' | 'M')) {
                    words.push(";".to_owned());
                }
                let mut last = ' ';
                for next in rest.by_ref() {
                    if last == '*' && next == '/' {
                        break;
                    }
                    last = next;
                }
            }
            ';' => ended = true,
            _ => {}
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// Goes behind the quote that ends here; false if it cannot be told where that is.
fn pass(rest: &mut impl Iterator<Item = char>, quote: char) -> bool {
    rest.find(|next| *next == quote || *next == '\\') == Some(quote)
}

#[cfg(test)]
mod tests {
    use super::only_reads;

    #[test]
    fn what_reads_and_what_does_not() {
        for sql in [
            "select 1",
            "  /* a; insert */ -- drop\n(SELECT 'delete; it', \"into\" FROM t) ;",
            "with x as (select 1) select * from x",
            "VALUES (1)",
            "show tables",
            "select updated_at, t.delete_flag from t",
            "select a from t where b = $1",
        ] {
            assert!(only_reads(sql), "{sql}");
        }
        for sql in [
            "",
            "insert into t values (1)",
            "select 1; drop table t",
            "select * into copy from t",
            "with gone as (delete from t returning *) select * from gone",
            "explain analyze delete from t",
            "select nextval('s')",
            "select * from t for update",
            "{call f(1)}",
            "pragma user_version = 2",
            r"select 'a\'', x into outfile '/tmp/x' from t where y = 'z'",
            "select /*! 1 into outfile 'x' */ from t",
            "select 1 # 2, nextval('s')",
            "select $$ ' $$, nextval('s'), $$ ' $$",
            "select 'open",
            "commit",
        ] {
            assert!(!only_reads(sql), "{sql}");
        }
    }
}
