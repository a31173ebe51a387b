//! Finds secrets that became known only after entries and rows were written, so that these may contain them in clear text.

use std::collections::HashSet;

use csv::ByteRecord;

use crate::redaction::secrets::Hiding;
use crate::store::{EntryRef, Store};
use crate::{CassetteError, ConnectionId, Key, Method, Value, sets};

/// Refuses a recording that contains one of these secrets in clear text, and removes it unless it is published already.
///
/// # Errors
/// A secret was found, with file and line if they are known; or the recording cannot be read.
pub(super) fn refuse(store: &dyn Store, hiding: Option<&Hiding>) -> Result<(), CassetteError> {
    let Some(hiding) = hiding else { return Ok(()) };
    let Some(found) = find(store, hiding)? else { return Ok(()) };
    let kept = match store.withdraw() {
        Ok(true) => "what was recorded is removed".to_owned(),
        Ok(false) => "do not keep what was recorded".to_owned(),
        Err(failure) => format!("remove what was recorded, which super8 cannot do: {failure}"),
    };
    Err(found.advice(format!(
        "connect with the password before the program sends it, take it out of the program, or hide it by a rule (`patterns` in \
         super8.yml), and record again; {kept}"
    )))
}

const PROBLEM: &str =
    "a password that became known later is recorded in the clear here, so the cassette is not completed";

/// Returns an error for the first row of a member that contains a secret.
fn in_rows(
    store: &dyn Store,
    member: &str,
    c_types: &[Value],
    hiding: &Hiding,
) -> Result<Option<CassetteError>, CassetteError> {
    let (mut rows, mut row) = (store.rows(member)?, ByteRecord::new());
    while rows.next(&mut row)? {
        let hidden = row.iter().enumerate().any(|(column, field)| {
            let c_type = c_types.get(column).and_then(Value::as_text).unwrap_or_default();
            hiding.field(c_type, field).is_some()
        });
        if hidden {
            return Ok(Some(CassetteError::new(rows.file(), PROBLEM).at_line(rows.line())));
        }
    }
    Ok(None)
}

/// Returns an error for the first entry, row, document or answer that contains a secret.
fn find(store: &dyn Store, hiding: &Hiding) -> Result<Option<CassetteError>, CassetteError> {
    let mut named: HashSet<String> = HashSet::new();
    let mut places: Vec<EntryRef> = Vec::new();
    store.scan(&mut |place, _| {
        places.push(place);
        Ok(())
    })?;
    let mut connections: Vec<ConnectionId> = Vec::new();
    for place in places {
        let entry = sets::entry(store, place)?;
        if !connections.contains(&entry.connection) {
            connections.push(entry.connection);
        }
        // the entry of a connect has only keywords that are known to be harmless
        if entry.method != Method::Connect && hiding.entry(&entry).is_some() {
            let (file, line) = store.locate(place);
            return Ok(Some(CassetteError::new(&file, PROBLEM).at_line(line.into())));
        }
        let Some(Value::Text(member)) = entry.get(Key::RowsFile) else { continue };
        let c_types = entry.get(Key::CTypes).and_then(Value::as_list).unwrap_or_default();
        if let Some(found) = in_rows(store, member, c_types, hiding)? {
            return Ok(Some(found));
        }
        named.insert(member.clone());
    }
    let contents = store.contents()?;
    // the rows of an open run are in their member, and no entry names them yet
    for member in contents.rows.iter().filter(|member| !named.contains(*member)) {
        if let Some(found) = in_rows(store, member, &[], hiding)? {
            return Ok(Some(found));
        }
    }
    for member in contents.documents {
        if hiding.value(&store.document(&member)?).is_some() {
            return Ok(Some(CassetteError::new(&store.name().join(member), PROBLEM)));
        }
    }
    for connection in connections {
        if store.info(connection)?.iter().any(|answer| hiding.fields(answer).is_some()) {
            return Ok(Some(CassetteError::new(store.name(), PROBLEM)));
        }
    }
    Ok(None)
}
