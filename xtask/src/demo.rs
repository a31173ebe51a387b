//! `cargo xtask demo`: record a Python program on SQLite through unixODBC, take the driver and the database away,
//! replay it, then change one statement.

use crate::narration::{quote, step, tree};
use crate::process::{Done, cargo, run};
use crate::setup;
use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::cassette_files;
use super8_tests::configuration::Configuration;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::products::Library;
use super8_tests::python;
use super8_tests::scratch::Scratch;

/// The program that is recorded; it knows nothing of super8.
const PROGRAM: &str = r#"import pyodbc

shop = pyodbc.connect("DSN=shop", autocommit=True)
cursor = shop.cursor()
cursor.execute("create table fruit (name varchar(20), price double, picked date)")
for row in [("apple", 1.25, "2024-02-29"), ("Zwetschge", 0.4, None), ("durian \U0001f348", 30.0, "2023-08-01")]:
    cursor.execute("insert into fruit values (?, ?, ?)", row)
for name, price, picked in cursor.execute("select * from fruit order by price desc"):
    print(f"{name:<12} {price:>6.2f}  {picked}")
print("under two:", cursor.execute("select count(*) from fruit where price < ?", 2).fetchval())
try:
    cursor.execute("select colour from fruit")
except pyodbc.Error as error:
    print("error:", error.args[0])
"#;

/// One run of the demo: the places it happens in.
struct Shop {
    scratch: Scratch,
    driver: PathBuf,
}

/// Runs the demonstration; it fails unless the replay printed what the recording printed.
pub fn demo() -> Done {
    println!("super8: record a program's ODBC session, replay it without driver and database");
    setup::setup()?;
    run(cargo(&["build", "--quiet", "-p", "super8", "-p", "super8a"]))?;
    let shop = Shop::open();

    step("A Python program. It knows nothing of super8:");
    quote(PROGRAM);
    step("Its data source names super8 as the driver; super8 is told the real one:");
    quote(&shop.file("odbc/odbcinst.ini"));
    quote(&shop.file("odbc/odbc.ini"));

    step("SUPER8_MODE=record python shop.py");
    let recorded = shop.run("record", PROGRAM);
    quote(&recorded.text());
    require(&recorded)?;

    step("The cassette, a directory to commit and review:");
    let cassette = shop.scratch.join("work/cassettes/shop");
    tree(&cassette);
    println!("\n   commands.yml:");
    quote(&cassette_files::commands(&cassette));

    step("Now the driver and the database file are moved away:");
    for gone in [shop.driver.clone(), shop.scratch.join("work/shop.db")] {
        let away = gone.with_extension("away");
        std::fs::rename(&gone, &away).map_err(|error| format!("cannot move {}: {error}", gone.display()))?;
        println!("   mv {} {}", name(&gone), name(&away));
    }
    step("SUPER8_MODE=replay python shop.py");
    let replayed = shop.run("replay", PROGRAM);
    quote(&replayed.text());
    quote(&replayed.errors());
    if replayed != recorded {
        return Err("the replay printed something else than the recording".into());
    }
    println!("\n   The same, byte by byte.");

    step("Change one statement (`price < ?` becomes `price <= ?`) and replay again:");
    let changed = shop.run("replay", &PROGRAM.replace("price < ?", "price <= ?"));
    quote(&changed.text());
    quote(&changed.errors());
    if changed.succeeded() {
        return Err("a changed statement was replayed as if nothing had happened".into());
    }
    println!("\n   super8 answers what was recorded, or says what differs. It never guesses.");
    Ok(())
}

impl Shop {
    fn open() -> Shop {
        let scratch = Scratch::new("demo");
        scratch.directory("work");
        // A copy: the real one belongs to the system.
        let driver = scratch.directory("drivers").join("libsqlite3odbc.so");
        std::fs::copy(Driver::Sqlite.path(), &driver)
            .unwrap_or_else(|error| panic!("cannot copy the SQLite driver: {error}"));
        let shop = Shop { scratch, driver };
        shop.configuration().write();
        shop
    }

    fn configuration(&self) -> Configuration {
        let library = Library::Ansi.path().display().to_string();
        Configuration::new(self.scratch.join("odbc"))
            .driver("super8", &[("Driver", library), ("RealDriver", self.driver.display().to_string())])
            .source("shop", &[("Driver", "super8"), ("Database", "shop.db")])
    }

    fn run(&self, mode: &str, program: &str) -> Outcome {
        let script = self.scratch.write("work/shop.py", program);
        let mut command = Command::new(python::interpreter());
        command.arg(script);
        self.configuration().apply(&mut command);
        command.env("SUPER8_MODE", mode).env("SUPER8_CASSETTE", "cassettes/shop");
        command.current_dir(self.scratch.join("work"));
        Outcome::of(&command, b"")
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.scratch.join(name)).unwrap_or_default()
    }
}

fn require(outcome: &Outcome) -> Done {
    if outcome.succeeded() { Ok(()) } else { Err(format!("the program failed:\n{}", outcome.errors())) }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
