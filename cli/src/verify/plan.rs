//! The executions of a cassette in their order, each with what was recorded of its first result.

use crate::exit::Failure;
use std::collections::HashMap;
use super8_cassette::entry::Class;
use super8_cassette::{Cassette, ConnectionId, Entry, Method, Place, Value};

/// Something to do on a live connection.
pub struct Step {
    /// Where its entry stands.
    pub place: Place,
    /// Its entry.
    pub entry: Entry,
    /// What it does.
    pub deed: Deed,
}

/// What a step does.
pub enum Deed {
    /// A connection begins: its entry says to what.
    Connect,
    /// It ends.
    Disconnect,
    /// The end of a transaction.
    End {
        /// Or a rollback.
        commit: bool,
    },
    /// SQLSetConnectAttr.
    SetConnectAttr,
    /// A text with parameters, or a catalog function.
    Execute(Execution),
}

/// An execution and what came of it.
#[derive(Default)]
pub struct Execution {
    /// The text; `None` for a catalog function.
    pub sql: Option<String>,
    /// The columns file of its result.
    pub columns: Option<String>,
    /// The entries with rows of its first result.
    pub rows: Vec<Place>,
    /// The end of the data was reached.
    pub ended: bool,
    /// Why its rows cannot be compared, if so.
    pub unlike: Option<&'static str>,
    /// Another result began.
    over: bool,
}

/// Reads the steps of a cassette.
///
/// # Errors
/// The log cannot be read.
pub fn steps(storage: &dyn Cassette) -> Result<Vec<Step>, Failure> {
    let mut heads = Vec::new();
    storage.scan(&mut |place, head| {
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
        let entry = storage.entry(place)?;
        let deed = match head.method {
            Method::Connect => Deed::Connect,
            Method::Disconnect => Deed::Disconnect,
            Method::Commit | Method::Rollback => Deed::End { commit: head.method == Method::Commit },
            Method::SetConnectAttr => Deed::SetConnectAttr,
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
                Deed::Execute(Execution { sql, ..Execution::default() })
            }
            _ => {
                let step = open.get(&of).and_then(|at| steps.get_mut(*at));
                if let Some(Step { deed: Deed::Execute(execution), .. }) = step {
                    learn(execution, place, &entry);
                }
                continue;
            }
        };
        steps.push(Step { place, entry, deed });
    }
    Ok(steps)
}

fn text(entry: &Entry) -> String {
    entry.get("sql").and_then(Value::as_text).unwrap_or_default().to_owned()
}

/// Takes in an entry that follows an execution on its statement.
fn learn(execution: &mut Execution, place: Place, entry: &Entry) {
    if execution.over {
        return;
    }
    match entry.method {
        Method::Columns => {
            let file = entry.get("columns_file").and_then(Value::as_text);
            execution.columns = file.map(str::to_owned).or_else(|| execution.columns.take());
        }
        Method::Fetch if entry.get("result").is_none_or(|result| *result == Value::Null) => match entry.get("return") {
            None => execution.ended = true,
            Some(_) => execution.unlike = Some("a fetch failed when it was recorded"),
        },
        Method::Fetch | Method::FetchAll | Method::FetchMany => {
            execution.ended |= entry.method == Method::FetchAll;
            execution.rows.push(place);
        }
        Method::FetchScroll | Method::SetPos | Method::BulkOperations => {
            execution.unlike = Some("its rows were not read from the first on");
        }
        Method::MoreResults | Method::Close | Method::Drop => execution.over = true,
        _ => {}
    }
}
