//! The real drivers the tests use, all Debian's own.

use crate::packages;
use crate::products::Library;
use std::path::PathBuf;

/// A real driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Driver {
    /// libsqlite3odbc: ANSI only; the database is a file.
    Sqlite,
    /// psqlodbcw.
    PostgresUnicode,
    /// psqlodbca: ANSI only.
    PostgresAnsi,
    /// MariaDB Connector/ODBC.
    MariaDb,
}

impl Driver {
    /// The library's name as Debian's odbcinst.ini has it: without a directory.
    pub fn library(self) -> &'static str {
        match self {
            Driver::Sqlite => "libsqlite3odbc.so",
            Driver::PostgresUnicode => "psqlodbcw.so",
            Driver::PostgresAnsi => "psqlodbca.so",
            Driver::MariaDb => "libmaodbc.so",
        }
    }

    /// The library's file; panics when its package is not installed.
    pub fn path(self) -> PathBuf {
        let package = match self {
            Driver::Sqlite => "libsqliteodbc",
            Driver::PostgresUnicode | Driver::PostgresAnsi => "odbc-postgresql",
            Driver::MariaDb => "odbc-mariadb",
        };
        packages::driver_library(self.library(), package)
    }

    /// The build of super8 that stands before it: one with the entry points this driver has.
    pub fn shim(self) -> Library {
        match self {
            Driver::Sqlite | Driver::PostgresAnsi => Library::Ansi,
            Driver::PostgresUnicode | Driver::MariaDb => Library::Unicode,
        }
    }

    /// The word programs are told so that they write SQL this database understands.
    pub fn dialect(self) -> &'static str {
        match self {
            Driver::Sqlite => "sqlite",
            Driver::PostgresUnicode | Driver::PostgresAnsi => "postgres",
            Driver::MariaDb => "mariadb",
        }
    }

    /// A short word for file and database names.
    pub fn label(self) -> &'static str {
        match self {
            Driver::Sqlite => "sqlite",
            Driver::PostgresUnicode => "postgres",
            Driver::PostgresAnsi => "postgres_ansi",
            Driver::MariaDb => "mariadb",
        }
    }
}
