//! Bindings of other languages, as Debian ships them, all four ways.

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::four_ways;

const DRIVERS: [Driver; 3] = [Driver::Sqlite, Driver::PostgresUnicode, Driver::MariaDb];

#[test]
fn php_with_pdo_and_with_functions() {
    for driver in DRIVERS {
        four_ways(&Program::script("php", "php-cli", "everything.php"), driver);
    }
}

#[test]
fn perl_with_dbi() {
    for driver in DRIVERS {
        four_ways(&Program::script("perl", "perl", "everything.pl"), driver);
    }
}

#[test]
fn tcl_with_tdbc() {
    for driver in DRIVERS {
        four_ways(&Program::script("tclsh8.6", "tcl8.6", "everything.tcl"), driver);
    }
}

#[test]
fn r_with_rodbc() {
    for driver in DRIVERS {
        four_ways(&Program::script("Rscript", "r-cran-rodbc", "everything.r"), driver);
    }
}

#[test]
fn swi_prolog() {
    for driver in DRIVERS {
        four_ways(&Program::script("swipl", "swi-prolog-odbc", "everything.prolog"), driver);
    }
}

#[test]
fn cpp_with_qt() {
    for driver in DRIVERS {
        four_ways(&Program::qt("qt.cpp"), driver);
    }
}

#[test]
fn python_with_arrow_odbc_and_polars() {
    for driver in DRIVERS {
        four_ways(&Program::columns("arrow-odbc"), driver);
    }
}

#[test]
fn python_with_adbc() {
    for driver in DRIVERS {
        four_ways(&Program::columns("adbc"), driver);
    }
}

#[test]
fn python_with_duckdb() {
    for driver in DRIVERS {
        four_ways(&Program::columns("duckdb"), driver);
    }
}

#[test]
fn python_with_pandas() {
    for driver in DRIVERS {
        four_ways(&Program::columns("pandas"), driver);
    }
}
