//! Which files of a directory a person has edited: those that are not, byte by byte, what is written for their content.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::names;
use super::own::Own;
use crate::metadata::Metadata;
use crate::row::write_fields;
use crate::storage::Contents;
use crate::yaml::{self, Items};
use crate::{CassetteError, ConnectionId, RowsReader, files};

/// What stands beside the log, with a note on each file that will not come back byte by byte.
pub(super) fn contents(root: &Path) -> Result<Contents, CassetteError> {
    let list = |error: io::Error| CassetteError::io(root, "list", &error);
    let own = Own::of(root).map_err(list)?;
    let (mut contents, mut others, mut edited) = (Contents::default(), Vec::new(), Vec::new());
    for entry in fs::read_dir(root).map_err(list)? {
        let entry = entry.map_err(list)?;
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str().filter(|_| own.has(&file_name)) else {
            others.push(file_name.to_string_lossy().into_owned());
            continue;
        };
        let path = entry.path();
        let unchanged = match (name, name.strip_suffix("_info.yml").and_then(|letters| letters.parse().ok())) {
            (names::METADATA, _) => metadata(&path),
            (names::COMMANDS, _) => log(&path),
            (names::SEQUENCE | names::ROWS_JOURNAL, _) => continue,
            (_, Some(connection)) => {
                contents.infos.push(connection);
                info(&path)
            }
            _ if name.ends_with(".csv") => {
                contents.rows.push(name.to_owned());
                rows(&path)
            }
            _ => {
                contents.documents.push(name.to_owned());
                document(&path)
            }
        }?;
        if !unchanged {
            edited.push(name.to_owned());
        }
    }
    contents.documents.sort_unstable();
    contents.rows.sort_unstable();
    contents.infos.sort_unstable_by_key(|connection: &ConnectionId| connection.0);
    for (mut names, what) in [
        (edited, "was edited by hand: its content is kept, its comments and its form are not"),
        (others, "is not the cassette's: it stays where it is"),
    ] {
        names.sort_unstable();
        contents.notes.extend(names.into_iter().map(|name| format!("{name} {what}")));
    }
    Ok(contents)
}

fn open(path: &Path) -> Result<File, CassetteError> {
    files::open(path).map_err(|error| CassetteError::io(path, "open", &error))
}

fn metadata(path: &Path) -> Result<bool, CassetteError> {
    let bytes = files::read(path).map_err(|error| CassetteError::io(path, "read", &error))?;
    let metadata = Metadata::from_value(&yaml::read_document(&bytes, path)?, path)?;
    let mut own = Vec::new();
    yaml::emit_document(&metadata.to_value(), &mut own);
    Ok(own == bytes)
}

fn document(path: &Path) -> Result<bool, CassetteError> {
    let bytes = files::read(path).map_err(|error| CassetteError::io(path, "read", &error))?;
    let mut own = Vec::new();
    yaml::emit_document(&yaml::read_document(&bytes, path)?, &mut own);
    Ok(own == bytes)
}

fn log(path: &Path) -> Result<bool, CassetteError> {
    items(path, |bytes, line, own| {
        yaml::emit_entry(&yaml::parse_entry(bytes, path, line)?, own);
        Ok(())
    })
}

fn info(path: &Path) -> Result<bool, CassetteError> {
    items(path, |bytes, line, own| {
        yaml::emit_answer(&yaml::parse_answer(bytes, path, line)?, own);
        Ok(())
    })
}

/// Whether a list's items are what `emit` makes of them, with nothing between them.
fn items(
    path: &Path,
    emit: impl Fn(&[u8], u32, &mut Vec<u8>) -> Result<(), CassetteError>,
) -> Result<bool, CassetteError> {
    let (mut items, mut bytes, mut own) = (Items::new(open(path)?, path), Vec::new(), Vec::new());
    let mut expected = 0;
    while let Some(item) = items.next(&mut bytes)? {
        own.clear();
        emit(&bytes, item.line, &mut own)?;
        if item.offset != expected || own != bytes {
            return Ok(false);
        }
        expected += own.len() as u64;
    }
    let length = open(path)?.metadata().map_err(|error| CassetteError::io(path, "look at", &error))?.len();
    Ok(length == expected)
}

fn rows(path: &Path) -> Result<bool, CassetteError> {
    let mut rows = RowsReader::new(open(path)?, path);
    let (mut there, mut row) = (BufReader::new(open(path)?), csv::ByteRecord::new());
    let (mut own, mut bytes) = (Vec::new(), Vec::new());
    let failed = |error: io::Error| CassetteError::io(path, "read", &error);
    while rows.next(&mut row)? {
        own.clear();
        write_fields(row.iter(), &mut own);
        bytes.resize(own.len(), 0);
        match there.read_exact(&mut bytes) {
            Ok(()) if bytes == own => {}
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(failed(error)),
            _ => return Ok(false),
        }
    }
    Ok(there.read(&mut [0]).map_err(failed)? == 0)
}
