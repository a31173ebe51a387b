//! Bindings of other languages, as Debian ships them, all four ways.

use super8_tests::compare::assert_same;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::packages;
use super8_tests::program::Program;
use super8_tests::ways::{Stage, Way, four_ways};

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

/// One file of tests, and two at a time. What `prove` says has its time in it.
#[test]
fn perl_under_prove() {
    let told = |outcome: &Outcome| {
        let text = outcome.text();
        let mut lines: Vec<String> =
            text.lines().filter(|line| !line.starts_with("Files=")).map(str::to_owned).collect();
        lines.sort();
        (outcome.status.clone(), lines)
    };
    for files in [&["pears.t"][..], &["pears.t", "plums.t"]] {
        let program = Program::prove(files);
        for driver in DRIVERS {
            let stage = Stage::new("prove", driver);
            let bare = stage.run(Way::Bare, &program);
            program.check("prove", &bare);
            let what = format!("{files:?} over {}", driver.library());
            assert_eq!(told(&bare), told(&stage.run(Way::Off, &program)), "{what}: off");
            stage.in_both_formats(|stage| {
                for verb in ["record", "replay"] {
                    assert_eq!(told(&bare), told(&stage.wrapped(verb, &program)), "{what}: {verb}");
                }
            });
        }
    }
}

#[test]
fn node_with_odbc() {
    for driver in DRIVERS {
        four_ways(&Program::node("everything.mjs"), driver);
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
fn cpp_with_soci() {
    for driver in DRIVERS {
        four_ways(&Program::soci("soci.cpp"), driver);
    }
}

/// Each of Erlang's connections has a process of the operating system, which super8's command makes a part of the cassette.
#[test]
fn erlang_with_several_processes() {
    for driver in DRIVERS {
        run_in_parts(&Stage::new("erlang", driver), &Program::script("escript", "erlang-base", "everything.escript"));
    }
}

/// Runs a program of several processes bare and off, and records and replays it under super8's command. What it said.
fn run_in_parts(stage: &Stage, program: &Program) -> Outcome {
    let bare = stage.run(Way::Bare, program);
    let what = format!("{} over {}", program.name(), stage.driver.library());
    program.check(&what, &bare);
    assert_same(&what, ("bare", &bare), ("off", &stage.run(Way::Off, program)));
    stage.in_both_formats(|stage| {
        for verb in ["record", "replay"] {
            assert_same(&what, ("bare", &bare), (verb, &stage.wrapped(verb, program)));
        }
    });
    bare
}

/// Each call of ogrinfo is a process, which super8's command makes a part of the cassette.
#[test]
fn gdal() {
    packages::program("ogrinfo", "gdal-bin");
    let program = Program::script("sh", "dash", "ogrinfo.sh");
    for driver in DRIVERS {
        let mut stage = Stage::new("gdal", driver);
        if driver == Driver::MariaDb {
            // GDAL puts the names of tables and columns into double quotes
            stage.source.push(("InitStmt", "set sql_mode = 'ANSI_QUOTES'".into()));
        }
        let bare = run_in_parts(&stage, &program);
        assert_eq!(bare.text().matches("day (Date) = 2026/11/21").count(), 3, "{}", bare.text());
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

#[test]
fn python_with_sqlalchemy() {
    for driver in DRIVERS {
        four_ways(&Program::python("sqlalchemy_engine.py"), driver);
    }
}
