//! `cargo xtask demo`: records a Python program on SQLite through unixODBC with the command `super8`, takes the driver
//! and the database away, replays the program, and then changes one statement.

use crate::command::{Done, cargo, run};
use crate::setup;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use super8_tests::cassette_files;
use super8_tests::configuration::Configuration;
use super8_tests::driver::Driver;
use super8_tests::outcome::Outcome;
use super8_tests::products;
use super8_tests::python;
use super8_tests::scratch::Scratch;

/// The program that is recorded. It knows nothing of super8.
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

/// The directories of one run of the demo.
struct Shop {
    scratch: Scratch,
    driver: PathBuf,
}

/// Runs the demo. Fails unless the replay prints what the recording printed.
pub fn demo() -> Done {
    println!("super8: record a program's ODBC session, replay it without driver and database");
    setup::for_demo()?;
    run(cargo(&["build", "--quiet", "-p", "super8", "-p", "super8a", "-p", "super8-cli"]))?;
    let shop = Shop::open();

    step("A Python program. It knows nothing of super8:");
    quote(PROGRAM);
    step("Its driver and its data source. They know nothing of super8 either:");
    quote(&shop.file("odbc/odbcinst.ini"));
    quote(&shop.file("odbc/odbc.ini"));

    step("super8 record cassettes/shop -- python shop.py");
    let recorded = shop.run("record", PROGRAM);
    quote(&recorded.text());
    require(&recorded)?;

    step("The cassette, a directory to commit and review:");
    let cassette = shop.scratch.join("work/cassettes/shop");
    tree(&cassette);
    println!("\n   commands.yml:");
    quote(&cassette_files::commands(&cassette));
    step("super8 show cassettes/shop");
    quote(&shop.super8(&["show", "cassettes/shop"]).text());

    step("Now the driver, the database and the configuration are moved away:");
    let files = ["odbc/odbcinst.ini", "odbc/odbc.ini", "work/shop.db"].map(|name| shop.scratch.join(name));
    for gone in files.into_iter().chain([shop.driver.clone()]) {
        let away = gone.with_extension("away");
        std::fs::rename(&gone, &away).map_err(|error| format!("cannot move {}: {error}", gone.display()))?;
        println!("   mv {} {}", name(&gone), name(&away));
    }
    step("super8 replay cassettes/shop -- python shop.py");
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
    println!("\n   {}", changed.status);
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
        // A copy that can be removed: the original belongs to the system.
        let driver = scratch.directory("drivers").join("libsqlite3odbc.so");
        std::fs::copy(Driver::Sqlite.path(), &driver)
            .unwrap_or_else(|error| panic!("cannot copy the SQLite driver: {error}"));
        let shop = Shop { scratch, driver };
        shop.configuration().write();
        shop
    }

    fn configuration(&self) -> Configuration {
        Configuration::new(self.scratch.join("odbc"))
            .driver("SQLite3", &[("Driver", self.driver.display().to_string())])
            .source("shop", &[("Driver", "SQLite3"), ("Database", "shop.db")])
    }

    /// Runs the program under `super8 record` or `super8 replay`.
    fn run(&self, verb: &str, program: &str) -> Outcome {
        let script = self.scratch.write("work/shop.py", program).display().to_string();
        let python = python::interpreter().display().to_string();
        self.super8(&[verb, "cassettes/shop", "--", &python, &script])
    }

    fn super8(&self, words: &[&str]) -> Outcome {
        let mut command = Command::new(products::super8());
        command.args(words);
        self.configuration().apply(&mut command);
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

/// Prints the heading of a step.
fn step(text: &str) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed) + 1;
    println!("\n{number}. {text}\n");
}

/// Prints text, indented.
fn quote(text: &str) {
    for line in text.lines() {
        println!("   | {line}");
    }
}

/// Prints a directory as a tree with the size of each file.
fn tree(directory: &Path) {
    let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    println!("   {name}/");
    let mut entries: Vec<_> = std::fs::read_dir(directory).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let last = entries.len().saturating_sub(1);
    for (index, entry) in entries.iter().enumerate() {
        let branch = if index == last { "`--" } else { "|--" };
        let size = entry.metadata().map_or(0, |metadata| metadata.len());
        println!("   {branch} {:<26} {size:>7} bytes", entry.file_name().to_string_lossy());
    }
}
