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

/// The words of a text outside of quotes and comments, and a `;` where another statement follows.
fn words(sql: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut rest = sql.chars().peekable();
    let mut ended = false;
    while let Some(next) = rest.next() {
        if next.is_alphanumeric() || next == '_' || next == '$' || next == '.' {
            if std::mem::take(&mut ended) {
                words.push(";".to_owned());
            }
            word.push(next);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        match next {
            '\'' | '"' | '`' => pass(&mut rest, next),
            '[' => pass(&mut rest, ']'),
            '-' if rest.peek() == Some(&'-') => while rest.next().is_some_and(|next| next != '\n') {},
            '#' => while rest.next().is_some_and(|next| next != '\n') {},
            '/' if rest.peek() == Some(&'*') => {
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

/// Goes behind the quote that ends here.
fn pass(rest: &mut impl Iterator<Item = char>, quote: char) {
    let _ = rest.find(|next| *next == quote);
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
            "commit",
        ] {
            assert!(!only_reads(sql), "{sql}");
        }
    }
}
