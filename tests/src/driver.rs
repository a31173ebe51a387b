//! The real drivers that the tests use: Debian's, two from PyPI, and our own test driver (`programs/test_driver`) for
//! behaviour that none of them has.

use crate::products::Library;
use crate::{c_compiler, packages, python};
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
    /// `programs/test_driver` with Unicode functions: no database; statement texts say what it does.
    Test,
    /// The test driver without Unicode functions.
    TestAnsi,
    /// The test driver with only some Unicode functions, and not all ANSI functions.
    TestPartly,
    /// The test driver with only the Unicode function where a function has text.
    TestWide,
    /// Debian's driver for Access files: it connects through Unicode functions, and has few others.
    Access,
    /// The same package's other library, with ANSI functions alone.
    AccessAnsi,
    /// Microsoft's ODBC Driver 18, without a server.
    SqlServer,
    /// IBM's CLI driver, without a server.
    Db2,
    /// FreeTDS, without a server.
    FreeTds,
}

impl Driver {
    /// Returns the library's name, without a directory.
    pub fn library(self) -> &'static str {
        match self {
            Driver::Sqlite => "libsqlite3odbc.so",
            Driver::PostgresUnicode => "psqlodbcw.so",
            Driver::PostgresAnsi => "psqlodbca.so",
            Driver::MariaDb => "libmaodbc.so",
            Driver::Test => "libtestdriverw.so",
            Driver::TestAnsi => "libtestdriver.so",
            Driver::TestPartly => "libtestdriverpartly.so",
            Driver::TestWide => "libtestdriverwide.so",
            Driver::Access => "libmdbodbcW.so",
            Driver::AccessAnsi => "libmdbodbc.so",
            Driver::SqlServer => "libmsodbcsql-18.6.so.2.1",
            Driver::Db2 => "libdb2.so.1",
            Driver::FreeTds => "libtdsodbc.so",
        }
    }

    /// Returns the library's file. Panics if its package is not installed, or if our test driver does not compile.
    pub fn path(self) -> PathBuf {
        let package = match self {
            Driver::Sqlite => "libsqliteodbc",
            Driver::PostgresUnicode | Driver::PostgresAnsi => "odbc-postgresql",
            Driver::MariaDb => "odbc-mariadb",
            Driver::Test => return c_compiler::test_driver(self.library(), &["-DUNICODE_BUILD"]),
            Driver::TestAnsi => return c_compiler::test_driver(self.library(), &[]),
            Driver::TestPartly => return c_compiler::test_driver_without(self.library(), "partly.map"),
            Driver::TestWide => return c_compiler::test_driver_without(self.library(), "wide.map"),
            Driver::Access | Driver::AccessAnsi => "odbc-mdbtools",
            Driver::FreeTds => "tdsodbc",
            Driver::SqlServer => {
                return python::drivers()
                    .join("mssql_python_odbc/libs/linux/debian_ubuntu/x86_64/lib")
                    .join(self.library());
            }
            Driver::Db2 => return python::drivers().join("clidriver/lib").join(self.library()),
        };
        packages::driver_library(self.library(), package)
    }

    /// Returns the library as odbcinst.ini names it: Debian's without a directory, others with it.
    pub fn registered(self) -> String {
        match self {
            Driver::SqlServer | Driver::Db2 => self.path().display().to_string(),
            _ if self.is_ours() => self.path().display().to_string(),
            _ => self.library().to_owned(),
        }
    }

    /// Whether it is a build of the test driver, which has no database.
    pub fn is_ours(self) -> bool {
        matches!(self, Driver::Test | Driver::TestAnsi | Driver::TestPartly | Driver::TestWide)
    }

    /// Returns the build of super8 to put in front of it: the one with the entry points that this driver has.
    pub fn shim(self) -> Library {
        match self {
            Driver::Sqlite | Driver::PostgresAnsi | Driver::TestAnsi | Driver::AccessAnsi => Library::Ansi,
            Driver::PostgresUnicode | Driver::MariaDb | Driver::Test => Library::Unicode,
            Driver::TestPartly
            | Driver::TestWide
            | Driver::Access
            | Driver::SqlServer
            | Driver::Db2
            | Driver::FreeTds => Library::Unicode,
        }
    }

    /// Returns the word that tells programs which SQL this database understands.
    pub fn dialect(self) -> &'static str {
        match self {
            Driver::Sqlite => "sqlite",
            Driver::PostgresUnicode | Driver::PostgresAnsi => "postgres",
            Driver::MariaDb => "mariadb",
            Driver::Test | Driver::TestAnsi | Driver::TestPartly | Driver::TestWide => "test",
            Driver::Access | Driver::AccessAnsi => "access",
            Driver::SqlServer => "sqlserver",
            Driver::Db2 => "db2",
            Driver::FreeTds => "freetds",
        }
    }

    /// Returns a short word for file and database names.
    pub fn label(self) -> &'static str {
        match self {
            Driver::Sqlite => "sqlite",
            Driver::PostgresUnicode => "postgres",
            Driver::PostgresAnsi => "postgres_ansi",
            Driver::MariaDb => "mariadb",
            Driver::Test => "test",
            Driver::TestAnsi => "test_ansi",
            Driver::TestPartly => "test_partly",
            Driver::TestWide => "test_wide",
            Driver::Access => "access",
            Driver::AccessAnsi => "access_ansi",
            Driver::SqlServer => "sqlserver",
            Driver::Db2 => "db2",
            Driver::FreeTds => "freetds",
        }
    }
}
