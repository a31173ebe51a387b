//! The driver manager: its library, the functions that this crate calls, and text in the width that they take.
#![allow(unsafe_code)]

use libloading::Library;
use std::ffi::{OsStr, c_void};
use std::fmt;
use super8_shim::platform::MANAGERS;

/// The kinds of handles, as the functions' arguments have them.
pub(crate) const ENV: i16 = odbc_sys::HandleType::Env as i16;
pub(crate) const DBC: i16 = odbc_sys::HandleType::Dbc as i16;
pub(crate) const STMT: i16 = odbc_sys::HandleType::Stmt as i16;

pub(crate) type Handle = *mut c_void;
pub(crate) type Text = *const c_void;
pub(crate) type TextOut = *mut c_void;

/// The driver manager, with its ANSI or its Unicode functions.
pub struct Manager {
    pub(crate) functions: Functions,
    pub(crate) wide: bool,
}

macro_rules! functions {
    ($($name:ident $([$wide:literal])? ($($argument:ty),*);)*) => {
        /// The functions; those with text arguments in the manager's width.
        #[allow(non_snake_case)]
        pub(crate) struct Functions {
            $(pub(crate) $name: unsafe extern "system" fn($($argument),*) -> i16,)*
        }

        impl Functions {
            # [allow(non_snake_case)] // each field is named after its function
            fn of(library: &'static Library, wide: bool) -> Result<Functions, Failure> {
                $(let $name = {
                    let name = match (wide, None $(.or(Some($wide)))?) {
                        (true, Some(wide)) => wide,
                        _ => concat!(stringify!($name), "\0"),
                    };
                    // SAFETY: a driver manager's function of this name has the type the ODBC reference gives it.
                    unsafe { library.get(name.as_bytes()) }
                        .map(|symbol| *symbol)
                        .map_err(|error| Failure::new(format_args!("this is not a driver manager: {error}")))?
                };)*
                Ok(Functions { $($name,)* })
            }
        }
    };
}

functions! {
    SQLAllocHandle(i16, Handle, *mut Handle);
    SQLFreeHandle(i16, Handle);
    SQLSetEnvAttr(Handle, i32, Handle, i32);
    SQLSetConnectAttr["SQLSetConnectAttrW\0"](Handle, i32, Text, i32);
    SQLDriverConnect["SQLDriverConnectW\0"](Handle, Handle, Text, i16, TextOut, i16, *mut i16, u16);
    SQLDisconnect(Handle);
    SQLEndTran(i16, Handle, i16);
    SQLGetDiagRec["SQLGetDiagRecW\0"](i16, Handle, i16, TextOut, *mut i32, TextOut, i16, *mut i16);
    SQLSetStmtAttr["SQLSetStmtAttrW\0"](Handle, i32, Text, i32);
    SQLBindParameter(Handle, u16, i16, i16, i16, usize, i16, *const c_void, isize, *const isize);
    SQLFreeStmt(Handle, u16);
    SQLExecDirect["SQLExecDirectW\0"](Handle, Text, i32);
    SQLPrepare["SQLPrepareW\0"](Handle, Text, i32);
    SQLExecute(Handle);
    SQLNumResultCols(Handle, *mut i16);
    SQLDescribeCol["SQLDescribeColW\0"](Handle, u16, TextOut, i16, *mut i16, *mut i16, *mut usize, *mut i16, *mut i16);
    SQLFetch(Handle);
    SQLGetData(Handle, u16, i16, *mut c_void, isize, *mut isize);
    SQLTables["SQLTablesW\0"](Handle, Text, i16, Text, i16, Text, i16, Text, i16);
    SQLColumns["SQLColumnsW\0"](Handle, Text, i16, Text, i16, Text, i16, Text, i16);
    SQLProcedureColumns["SQLProcedureColumnsW\0"](Handle, Text, i16, Text, i16, Text, i16, Text, i16);
    SQLColumnPrivileges["SQLColumnPrivilegesW\0"](Handle, Text, i16, Text, i16, Text, i16, Text, i16);
    SQLPrimaryKeys["SQLPrimaryKeysW\0"](Handle, Text, i16, Text, i16, Text, i16);
    SQLProcedures["SQLProceduresW\0"](Handle, Text, i16, Text, i16, Text, i16);
    SQLTablePrivileges["SQLTablePrivilegesW\0"](Handle, Text, i16, Text, i16, Text, i16);
    SQLForeignKeys["SQLForeignKeysW\0"](Handle, Text, i16, Text, i16, Text, i16, Text, i16, Text, i16, Text, i16);
    SQLStatistics["SQLStatisticsW\0"](Handle, Text, i16, Text, i16, Text, i16, u16, u16);
    SQLSpecialColumns["SQLSpecialColumnsW\0"](Handle, u16, Text, i16, Text, i16, Text, i16, u16, u16);
    SQLGetTypeInfo["SQLGetTypeInfoW\0"](Handle, i16);
}

impl Manager {
    /// Loads the driver manager: `library` if one is given, otherwise the usual ones. It stays loaded. `wide` chooses
    /// the Unicode functions; use it for drivers that have them.
    ///
    /// Sets SUPER8_MODE to off, so that super8 forwards every call if it is the driver, whatever the environment said
    /// before.
    ///
    /// # Errors
    /// There is no driver manager, or it cannot be loaded.
    pub fn load(library: Option<&OsStr>, wide: bool) -> Result<Manager, Failure> {
        let mut problems = Vec::new();
        let named: Vec<&OsStr> = library
            .map_or_else(|| MANAGERS.iter().map(|(_, library)| OsStr::new(*library)).collect(), |name| vec![name]);
        for name in named {
            // SAFETY: loading runs the library's initializers; it is a driver manager, whose business that is.
            match unsafe { Library::new(name) } {
                Ok(library) => {
                    // SAFETY: the command has one thread as long as no connection is open.
                    unsafe { std::env::set_var("SUPER8_MODE", "off") };
                    let library: &'static Library = Box::leak(Box::new(library));
                    return Ok(Manager { functions: Functions::of(library, wide)?, wide });
                }
                Err(error) => problems.push(error.to_string()),
            }
        }
        Err(Failure::new(format_args!(
            "no driver manager: {}; install unixODBC, or name its library",
            problems.join("; ")
        )))
    }

    /// Returns a text as the functions take it, with a terminator.
    pub(crate) fn text(&self, text: &str) -> Units {
        let wide: Vec<u16> = text.encode_utf16().chain([0]).collect();
        match self.wide {
            true => Units { length: wide.len() - 1, bytes: wide.into_iter().flat_map(u16::to_ne_bytes).collect() },
            false => Units { length: text.len(), bytes: text.bytes().chain([0]).collect() },
        }
    }

    /// Makes a buffer for a text of `capacity` characters and its terminator.
    pub(crate) fn room(&self, capacity: usize) -> Vec<u8> {
        vec![0; (capacity + 1) * if self.wide { 2 } else { 1 }]
    }

    /// Returns the text in such a buffer.
    pub(crate) fn read(&self, buffer: &[u8]) -> String {
        if !self.wide {
            return String::from_utf8_lossy(buffer.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
        }
        let units = buffer.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
        String::from_utf16_lossy(&units.take_while(|unit| *unit != 0).collect::<Vec<_>>())
    }

    /// Checks that a call succeeded. Otherwise returns the handle's first diagnostic record.
    pub(crate) fn check(&self, code: i16, kind: i16, handle: Handle, what: &str) -> Result<(), Failure> {
        if matches!(code, 0 | 1) {
            return Ok(());
        }
        const ROOM: usize = 1023;
        let (mut state, mut message) = (self.room(5), self.room(ROOM));
        let (mut native, mut length) = (0, 0);
        // SAFETY: a live handle, buffers with their true capacities.
        let answered = unsafe {
            (self.functions.SQLGetDiagRec)(
                kind,
                handle,
                1,
                state.as_mut_ptr().cast(),
                &mut native,
                message.as_mut_ptr().cast(),
                ROOM as i16 + 1,
                &mut length,
            )
        };
        match answered {
            0 | 1 => Err(Failure { sqlstate: self.read(&state), message: self.read(&message) }),
            _ => Err(Failure::new(format_args!("{what} returned {code} and said nothing"))),
        }
    }
}

/// A terminated text for a function.
pub(crate) struct Units {
    bytes: Vec<u8>,
    length: usize,
}

impl Units {
    pub(crate) fn pointer(&self) -> Text {
        self.bytes.as_ptr().cast()
    }

    /// Returns its length in characters, without the terminator.
    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

/// The first diagnostic record of a failed call, or an error of this crate itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Five characters; empty if the error is not from a driver or the driver manager.
    pub sqlstate: String,
    /// The message.
    pub message: String,
}

impl Failure {
    /// Makes a failure without an SQLSTATE.
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure { sqlstate: String::new(), message: message.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sqlstate.is_empty() {
            true => out.write_str(&self.message),
            false => write!(out, "{} {}", self.sqlstate, self.message),
        }
    }
}

impl std::error::Error for Failure {}
