//! Transactions, cancelling by handle, SQLGetFunctions, and the driver manager's own lists.
#![allow(unsafe_code)]

use crate::args::Place;
use crate::call::Call;
use crate::diagnostics::missing;
use crate::diagnostics::{Outcome, rc};
use crate::entry::dispatch;
use crate::entry::dispatch::{DBC, ENV, STMT, guard};
use crate::handles::{CONNECTIONS, ENVIRONMENTS, Token};
use crate::real::{Driver, Handle, Width};
use crate::table::Function;

pub unsafe fn SQLEndTran(kind: i16, handle: Handle, completion: i16) -> i16 {
    let commit = completion == odbc_sys::CompletionType::Commit as i16;
    let one = |dbc: Handle| {
        dispatch::dbc(
            Function::SQLEndTran,
            dbc,
            || Call::EndTran { commit },
            |driver, real| {
                // SAFETY: the driver's own connection.
                unsafe {
                    match (driver.ansi.SQLEndTran, driver.ansi.SQLTransact) {
                        (Some(end), _) => Some(end(DBC, real, completion)),
                        (None, transact) => Some(transact?(std::ptr::null_mut(), real, completion as u16)),
                    }
                }
            },
        )
    };
    match kind {
        DBC => one(handle),
        ENV => each_connection(handle, one),
        _ => rc::ERROR,
    }
}

pub unsafe fn SQLTransact(env: Handle, dbc: Handle, completion: u16) -> i16 {
    let commit = completion == odbc_sys::CompletionType::Commit as u16;
    let one = |dbc: Handle| {
        dispatch::dbc(
            Function::SQLTransact,
            dbc,
            || Call::EndTran { commit },
            |driver, real| {
                // SAFETY: the driver's own connection.
                unsafe {
                    match (driver.ansi.SQLTransact, driver.ansi.SQLEndTran) {
                        (Some(transact), _) => Some(transact(std::ptr::null_mut(), real, completion)),
                        (None, end) => Some(end?(DBC, real, completion as i16)),
                    }
                }
            },
        )
    };
    if dbc.is_null() { each_connection(env, one) } else { one(dbc) }
}

/// Ends the transaction of each open connection of an environment, in the order in which the connections were
/// allocated.
fn each_connection(env: Handle, one: impl Fn(Handle) -> i16) -> i16 {
    let Some(environment) = ENVIRONMENTS.get(Token::from_handle(env)) else { return rc::INVALID_HANDLE };
    environment.diagnostics.clear();
    let mut connections: Vec<Token> = environment.state.lock().connections.iter().copied().collect();
    connections.sort_by_key(|token| token.0);
    let open = |token: &Token| CONNECTIONS.get(*token).is_some_and(|connection| connection.state.lock().connected);
    let failed =
        connections.iter().filter(|token| open(token)).filter(|token| !rc::succeeded(one(token.handle()))).count();
    if failed > 0 {
        return environment
            .diagnostics
            .post(Outcome::error("25S01", format!("the transaction of {failed} connections could not be ended")));
    }
    rc::SUCCESS
}

pub unsafe fn SQLCancelHandle(kind: i16, handle: Handle) -> i16 {
    let call = || Call::Cancel;
    // SAFETY: the driver's own handle, of the kind the application says.
    let driver_call = |driver: &'static Driver, real| unsafe {
        match (driver.ansi.SQLCancelHandle, driver.ansi.SQLCancel) {
            (Some(cancel), _) => Some(cancel(kind, real)),
            (None, Some(cancel)) if kind == STMT => Some(cancel(real)),
            _ => None,
        }
    };
    match kind {
        STMT => dispatch::stmt(Function::SQLCancelHandle, handle, call, driver_call),
        DBC => dispatch::dbc(Function::SQLCancelHandle, handle, call, driver_call),
        _ => rc::ERROR,
    }
}

pub unsafe fn SQLGetFunctions(dbc: Handle, function: u16, supported: *mut u16) -> i16 {
    // SAFETY: one SQLUSMALLINT, 100 of them for SQL_API_ALL_FUNCTIONS, 250 for SQL_API_ODBC3_ALL_FUNCTIONS.
    let place = unsafe { Place::new(supported.cast()) };
    dispatch::dbc(
        Function::SQLGetFunctions,
        dbc,
        || Call::Functions { function, supported: place },
        |driver, real| {
            // SAFETY: the application's arguments.
            let outcome = match driver.ansi.SQLGetFunctions {
                Some(get) => unsafe { get(real, function, supported) },
                None => everything(driver, function, place),
            };
            if rc::succeeded(outcome) {
                if function == ODBC3_ALL_FUNCTIONS {
                    driver.claim(place);
                }
                restrict(driver, function, place);
                if let (ODBC3_ALL_FUNCTIONS, Some(connection)) = (function, CONNECTIONS.get(Token::from_handle(dbc))) {
                    // The driver manager takes the bit as an answer about the ANSI function only.
                    let wide = driver.wide.SQLGetDiagRec.is_some() && driver.wide.SQLGetDiagField.is_some();
                    connection.core.set_reads_by_error(!wide && !has(place, Function::SQLGetDiagRec));
                    grant(driver, place);
                }
            }
            Some(outcome)
        },
    )
}

const ALL_FUNCTIONS: u16 = 0;
const ODBC3_ALL_FUNCTIONS: u16 = 999;

/// Answers for a driver without SQLGetFunctions by what it exports.
fn everything(driver: &Driver, function: u16, supported: Place) -> i16 {
    match function {
        ALL_FUNCTIONS => (0..100).for_each(|api| supported.set_u16_at(api, u16::from(exports(driver, api as u16)))),
        ODBC3_ALL_FUNCTIONS => {
            (0..250).for_each(|word| supported.set_u16_at(word, 0));
            for function in Function::ALL.iter().filter(|function| driver.exports(**function)) {
                let (word, bit) = bit(function.row().api);
                supported.set_u16_at(word, supported.u16_at(word).unwrap_or(0) | bit);
            }
        }
        api => supported.set_u16_at(0, u16::from(exports(driver, api))),
    }
    rc::SUCCESS
}

/// Takes away functions that the driver claims but does not export: without the shim the driver manager would not find
/// them.
fn restrict(driver: &Driver, function: u16, supported: Place) {
    let lacking = Function::ALL.iter().filter(|function| !driver.exports(**function));
    // SQLColAttribute and SQLColAttributes share a number: one of them is enough.
    let mut absent = lacking.map(|function| function.row().api).filter(|api| !exports(driver, *api));
    match function {
        ALL_FUNCTIONS => absent.filter(|api| *api < 100).for_each(|api| supported.set_u16_at(usize::from(api), 0)),
        ODBC3_ALL_FUNCTIONS => {
            absent.for_each(|api| {
                let (word, bit) = bit(api);
                supported.set_u16_at(word, supported.u16_at(word).unwrap_or(0) & !bit);
            });
        }
        asked if absent.any(|api| api == asked) => supported.set_u16_at(0, 0),
        _ => {}
    }
}

/// Claims functions that the driver lacks, so that the driver manager calls them here. The driver manager would emulate
/// them by another function and report them as supported, but it would call their Unicode form as well, because it
/// cannot know that the form is missing. The shim can tell the two apart.
fn grant(driver: &Driver, supported: Place) {
    use Function::{SQLError, SQLGetDiagField, SQLGetDiagRec, SQLSetStmtAttr, SQLSetStmtOption};
    for (function, other) in
        [(SQLSetStmtAttr, SQLSetStmtOption), (SQLGetDiagRec, SQLError), (SQLGetDiagField, SQLError)]
    {
        if !driver.exports(function) && has(supported, other) {
            let (word, bit) = bit(function.row().api);
            supported.set_u16_at(word, supported.u16_at(word).unwrap_or(0) | bit);
        }
    }
}

fn has(supported: Place, function: Function) -> bool {
    let (word, bit) = bit(function.row().api);
    supported.u16_at(word).unwrap_or(0) & bit != 0
}

/// Returns where SQL_API_ODBC3_ALL_FUNCTIONS tells of a function: the word and the bit in it.
fn bit(api: u16) -> (usize, u16) {
    (usize::from(api >> 4), 1 << (api & 15))
}

fn exports(driver: &Driver, api: u16) -> bool {
    Function::ALL.iter().any(|function| function.row().api == api && driver.exports(*function))
}

/// Serves SQLDataSources or SQLDrivers. They belong to the driver manager, but a driver that has one gets the call on
/// its environment.
macro_rules! list {
    ($name:ident) => {
        pub unsafe fn $name<C: Width>(
            env: Handle,
            direction: u16,
            name: *mut C,
            name_cap: i16,
            name_len: *mut i16,
            text: *mut C,
            text_cap: i16,
            text_len: *mut i16,
        ) -> i16 {
            let Some(environment) = ENVIRONMENTS.get(Token::from_handle(env)) else { return rc::INVALID_HANDLE };
            guard(&environment.diagnostics, || {
                environment.diagnostics.clear();
                let real = environment.state.lock().real.first().map(|(driver, real)| (*driver, real.0 as Handle));
                let found = real.and_then(|(driver, real)| Some((C::symbols(driver).$name?, real)));
                match found {
                    // SAFETY: the application's arguments on the driver's own environment.
                    Some((list, real)) => unsafe {
                        list(real, direction, name, name_cap, name_len, text, text_cap, text_len)
                    },
                    None => environment.diagnostics.post(missing()),
                }
            })
        }
    };
}
list!(SQLDataSources);
list!(SQLDrivers);
