//! Reads the executions of a cassette in their order, each with what was recorded of its first result ([`steps`]), and
//! tells whether a text only reads ([`only_reads`]).

use crate::exit::Failure;
use std::collections::HashMap;
use super8_cassette::schema::Class;
use super8_cassette::{ConnectionId, Entry, EntryRef, Key, Method, Store, Value};

/// Something to do on a live connection.
pub struct Step {
    /// The place of its entry.
    pub place: EntryRef,
    /// Its entry.
    pub entry: Entry,
    /// What it does.
    pub action: Action,
}

/// What a step does.
pub enum Action {
    /// A connect; its entry says to what.
    Connect,
    /// A disconnect.
    Disconnect,
    /// The end of a transaction.
    End {
        /// Whether it is a commit; otherwise it is a rollback.
        commit: bool,
    },
    /// SQLSetConnectAttr.
    SetConnectAttr,
    /// A text with parameters, or a catalog function.
    Execute(Execution),
}

/// An execution and its recorded result.
#[derive(Default)]
pub struct Execution {
    /// The text; `None` for a catalog function.
    pub sql: Option<String>,
    /// The columns file of its result.
    pub columns: Option<String>,
    /// The entries with rows of its first result.
    pub rows: Vec<EntryRef>,
    /// Whether the end of the data was reached.
    pub ended: bool,
    /// The reason why its rows cannot be compared, if there is one.
    pub unlike: Option<&'static str>,
    /// Whether another result has begun.
    over: bool,
}

/// Reads the steps of a cassette.
///
/// # Errors
/// The log cannot be read.
pub fn steps(store: &dyn Store) -> Result<Vec<Step>, Failure> {
    let mut heads = Vec::new();
    store.scan(&mut |place, head| {
        heads.push((place, head));
        Ok(())
    })?;
    let mut steps: Vec<Step> = Vec::new();
    let mut texts: HashMap<(ConnectionId, Option<u32>), String> = HashMap::new();
    let mut open: HashMap<(ConnectionId, Option<u32>), usize> = HashMap::new();
    for (place, head) in heads {
        let of = (head.connection, head.statement);
        if head.method.class() == Class::Answer && head.method != Method::Columns {
            continue;
        }
        let entry = store.entry(place)?;
        let action = match head.method {
            Method::Connect => Action::Connect,
            Method::Disconnect => Action::Disconnect,
            Method::Commit | Method::Rollback => Action::End { commit: head.method == Method::Commit },
            Method::SetConnectAttr => Action::SetConnectAttr,
            Method::Prepare => {
                texts.insert(of, text(&entry));
                continue;
            }
            Method::Run | Method::Execute | Method::Catalog => {
                let sql = match head.method {
                    Method::Run => Some(text(&entry)),
                    Method::Execute => Some(texts.get(&of).cloned().unwrap_or_default()),
                    _ => None,
                };
                open.insert(of, steps.len());
                Action::Execute(Execution { sql, ..Execution::default() })
            }
            _ => {
                let step = open.get(&of).and_then(|at| steps.get_mut(*at));
                if let Some(Step { action: Action::Execute(execution), .. }) = step {
                    learn(execution, place, &entry);
                }
                continue;
            }
        };
        steps.push(Step { place, entry, action });
    }
    Ok(steps)
}

fn text(entry: &Entry) -> String {
    entry.get(Key::Sql).and_then(Value::as_text).unwrap_or_default().to_owned()
}

/// Adds to an execution what a later entry of its statement says.
fn learn(execution: &mut Execution, place: EntryRef, entry: &Entry) {
    if execution.over {
        return;
    }
    match entry.method {
        Method::Columns => {
            let file = entry.get(Key::ColumnsFile).and_then(Value::as_text);
            execution.columns = file.map(str::to_owned).or_else(|| execution.columns.take());
        }
        Method::Fetch if entry.get(Key::Result).is_none_or(|result| *result == Value::Null) => {
            match entry.get(Key::Return) {
                None => execution.ended = true,
                Some(_) => execution.unlike = Some("a fetch failed when it was recorded"),
            }
        }
        Method::Fetch | Method::FetchAll | Method::FetchMany => {
            execution.ended |= entry.method == Method::FetchAll;
            execution.rows.push(place);
        }
        Method::FetchScroll | Method::SetPos | Method::BulkOperations => {
            execution.unlike = Some("its rows were not read from the first one on");
        }
        Method::MoreResults | Method::Close | Method::Drop => execution.over = true,
        _ => {}
    }
}

/// The first words of texts that read.
const READING: &[&str] = &["SELECT", "VALUES", "WITH", "SHOW", "DESCRIBE", "DESC", "TABLE", "EXPLAIN"];
/// Words that make a text more than a read, if they are anywhere in it outside of quotes and comments.
const WRITING: &[&str] = &[
    "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "UPSERT", "INTO", "CREATE", "ALTER", "DROP", "TRUNCATE", "CALL",
    "EXEC", "EXECUTE", "GRANT", "REVOKE", "LOCK", "ANALYZE", "NEXTVAL", "SETVAL", "SLEEP", "PG_SLEEP",
];

/// Whether `sql` is one statement that only reads, as far as its words tell. A function that it calls may still write.
pub fn only_reads(sql: &str) -> bool {
    let words = words(sql);
    let begins = words.first().is_some_and(|word| READING.iter().any(|reading| word.eq_ignore_ascii_case(reading)));
    begins && !words.iter().any(|word| word == ";" || WRITING.iter().any(|writing| word.eq_ignore_ascii_case(writing)))
}

/// Returns the words of a text outside of quotes and comments. Adds a `;` where another statement follows, and where
/// databases do not agree on what is a quote or a comment (a backslash in quotes, `#`, `/*!`, `$$`), so that such a
/// text does not count as a read.
fn words(sql: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut rest = sql.chars().peekable();
    let mut ended = false;
    while let Some(next) = rest.next() {
        if next.is_alphanumeric() || next == '_' || next == '$' || next == '.' {
            if std::mem::take(&mut ended) {
                words.push(";".to_owned());
            }
            // `$1` is a marker; other words with a dollar may begin a quote
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

/// Skips to the end of a quote. Returns false if databases disagree on where it ends, or it has no end.
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
