//! The facts of a connection that only the driver knows, asked once while recording: server, database, user, schema.
#![allow(unsafe_code)]

use crate::args::{decode_bytes, decode_wide};
use crate::config::secrets::user_hash;
use crate::diagnostics::rc;
use crate::handles::Connection;
use crate::real::Driver;
use std::ffi::c_void;
use super8_cassette::Value;

/// SQL_SERVER_NAME, SQL_DATABASE_NAME, SQL_USER_NAME, and the attribute in which IBM's drivers keep the library.
const SERVER_NAME: u16 = 13;
const DATABASE_NAME: u16 = 16;
const USER_NAME: u16 = 47;
const CURRENT_SCHEMA: i32 = 10004;
/// The room for one fact, in bytes.
const ROOM: usize = 1024;

/// Returns those of `server`, `database`, `user_hash` and `schema` that the driver knows. `given` is the user that the
/// application gave. The driver is asked in the width that connected, because some drivers change their behaviour at
/// the first call of the other kind.
pub fn connection_facts(connection: &Connection, given: Option<String>) -> Vec<(String, Value)> {
    let Some((driver, real)) = connection.core.real() else { return Vec::new() };
    let user = given.or_else(|| info(driver, real, USER_NAME));
    let facts = [
        ("server", info(driver, real, SERVER_NAME)),
        ("database", info(driver, real, DATABASE_NAME)),
        ("user_hash", user.map(|user| user_hash(&user))),
        ("schema", schema(driver, real)),
    ];
    facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), Value::Text(fact?)))).collect()
}

fn info(driver: &Driver, real: *mut c_void, kind: u16) -> Option<String> {
    read(driver.unicode, |buffer| {
        let mut length = 0i16;
        // SAFETY: a live buffer with its capacity in bytes.
        unsafe {
            match (driver.unicode, driver.wide.SQLGetInfo, driver.ansi.SQLGetInfo) {
                (true, Some(get), _) => get(real, kind, buffer, ROOM as i16, &mut length),
                (false, _, Some(get)) => get(real, kind, buffer, ROOM as i16, &mut length),
                _ => rc::ERROR,
            }
        }
    })
}

fn schema(driver: &Driver, real: *mut c_void) -> Option<String> {
    read(driver.unicode, |buffer| {
        let mut length = 0i32;
        // SAFETY: a live buffer with its capacity in bytes.
        unsafe {
            match (driver.unicode, driver.wide.SQLGetConnectAttr, driver.ansi.SQLGetConnectAttr) {
                (true, Some(get), _) => get(real, CURRENT_SCHEMA, buffer, ROOM as i32, &mut length),
                (false, _, Some(get)) => get(real, CURRENT_SCHEMA, buffer, ROOM as i32, &mut length),
                _ => rc::ERROR,
            }
        }
    })
}

/// Asks in one width. Returns `None` for an empty answer.
fn read(wide: bool, ask: impl Fn(*mut c_void) -> i16) -> Option<String> {
    let text = if wide {
        let mut buffer = [0u16; ROOM / 2];
        rc::succeeded(ask(buffer.as_mut_ptr().cast()))
            .then(|| decode_wide(buffer.split(|unit| *unit == 0).next().unwrap_or_default()))
    } else {
        let mut buffer = [0u8; ROOM];
        rc::succeeded(ask(buffer.as_mut_ptr().cast()))
            .then(|| decode_bytes(buffer.split(|byte| *byte == 0).next().unwrap_or_default()))
    };
    text.filter(|text| !text.is_empty())
}
