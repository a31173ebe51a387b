//! SQL Server's two drivers, Microsoft's and FreeTDS, on a stand-in for the server.

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::four_ways;

const DRIVERS: [Driver; 2] = [Driver::SqlServer, Driver::FreeTds];

#[test]
fn by_pyodbc() {
    for driver in DRIVERS {
        four_ways(&Program::python("sqlserver.py"), driver);
    }
}

#[test]
fn by_a_c_program() {
    for driver in DRIVERS {
        four_ways(&Program::c("sqlserver.c"), driver);
    }
}

/// Clients that bind and fetch in ways of their own, and ask no catalog: the stand-in has none.
#[test]
fn by_other_clients() {
    for program in [Program::columns("arrow-odbc"), Program::columns("pandas"), Program::qt("qt.cpp")] {
        four_ways(&program, Driver::SqlServer);
    }
}
