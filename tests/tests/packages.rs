//! The packages of `cargo xtask package`, installed and used as their users do: nothing of the build directory is in sight.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use super8_tests::desk::Desk;
use super8_tests::outcome::Outcome;
use super8_tests::products;
use super8_tests::server::must;

#[track_caller]
fn ended(outcome: &Outcome, code: u8) -> String {
    let all = String::from_utf8_lossy(&outcome.all()).into_owned();
    assert_eq!(outcome.status, format!("exit status: {code}"), "{all}");
    all
}

/// The package whose name has this ending; all are made at once, of what the tests run.
fn package(ending: &str) -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let directory = MADE.get_or_init(|| {
        let into = products::target_directory().join("packages-of-tests");
        let _ = std::fs::remove_dir_all(&into);
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = products::super8().with_file_name("");
        let mut make = Command::new(cargo);
        make.args(["run", "--quiet", "-p", "xtask", "--", "package", "--built"]).arg(built).arg("--into").arg(&into);
        must(make.current_dir(products::repository()));
        into
    });
    let mut all = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let found = all.find(|path| path.display().to_string().ends_with(ending));
    found.unwrap_or_else(|| panic!("there is no package *{ending} in {}", directory.display()))
}

/// The Debian package in a directory, and known to a dpkg of its own.
#[test]
fn the_debian_package_has_what_it_says() {
    let desk = Desk::new("deb");
    let (deb, root) = (package(".deb"), desk.scratch.directory("root"));
    must(Command::new("dpkg-deb").arg("-x").args([&deb, &root]));
    let architecture = std::env::consts::ARCH;
    let drivers = format!("usr/lib/{architecture}-linux-gnu/odbc");
    for file in [
        "usr/bin/super8",
        &format!("{drivers}/libsuper8.so"),
        &format!("{drivers}/libsuper8a.so"),
        "usr/include/super8.h",
        "usr/share/man/man1/super8.1.gz",
        "usr/share/man/man1/super8-record.1.gz",
        "usr/share/bash-completion/completions/super8",
        "usr/share/zsh/vendor-completions/_super8",
        "usr/share/fish/vendor_completions.d/super8.fish",
        "usr/share/doc/super8-odbc/copyright",
        "usr/share/doc/super8-odbc/docs/tutorial.md",
    ] {
        assert!(root.join(file).is_file(), "{file} is not in the package");
    }
    let fields = must(Command::new("dpkg-deb").arg("-f").args([&deb]));
    assert!(fields.contains("Package: super8-odbc") && fields.contains("libc6 (>= "), "{fields}");
    let scripts = must(Command::new("dpkg-deb").arg("-I").arg(&deb));
    assert!(!scripts.contains("postinst"), "it registers nothing by itself: {scripts}");

    // The command finds its libraries, and the driver manager loads them.
    let super8 = root.join("usr/bin/super8").display().to_string();
    let run = |words: &[&str]| {
        let mut command = Command::new(&super8);
        desk.at(command.args(words));
        let outcome = Outcome::of(&command, b"select price from fruit where name = 'pear'\n");
        ended(&outcome, 0);
        outcome.text()
    };
    let recorded = run(&["record", "tape", "--", "isql", "-b", "-v", "shop"]);
    assert!(recorded.contains("| 4 "), "{recorded}");
    let installed = run(&["install", "SQLite3"]);
    assert!(installed.contains(&format!("{drivers}/libsuper8a.so")), "{installed}");
    desk.clear();
    assert_eq!(run(&["replay", "tape", "--", "isql", "-b", "-v", "shop"]), recorded);

    // dpkg installs and removes it.
    if super8_tests::server::is_root() {
        let admin = desk.scratch.directory("admin/var/lib/dpkg/info");
        for name in ["status", "available"] {
            desk.scratch.write(&format!("admin/var/lib/dpkg/{name}"), "");
        }
        let dpkg = |words: &[&str]| {
            let mut dpkg = Command::new("dpkg");
            dpkg.arg("--root").arg(desk.scratch.join("admin")).args(["--force-depends", "--force-not-root"]);
            must(dpkg.args(words))
        };
        dpkg(&["--install", &deb.display().to_string()]);
        assert!(desk.scratch.join("admin/usr/bin/super8").is_file() && admin.join("super8-odbc.md5sums").is_file());
        assert_eq!(dpkg(&["--verify", "super8-odbc"]), "");
        dpkg(&["--purge", "super8-odbc"]);
        assert!(!desk.scratch.join("admin/usr/bin/super8").exists());
    }
}

#[test]
fn the_archive_works_where_it_is_unpacked() {
    let desk = Desk::new("tar");
    let prefix = desk.scratch.directory("prefix");
    let mut tar = Command::new("tar");
    must(tar.arg("--extract").arg("--strip-components=1").arg("-C").arg(&prefix).arg("-f").arg(package(".tar.xz")));
    let super8 = prefix.join("bin/super8").display().to_string();
    let mut record = Command::new(super8);
    desk.at(record.args(["record", "tape", "--", "isql", "-b", "shop"]));
    ended(&Outcome::of(&record, b"select 1\n"), 0);
    let page = Command::new("sh")
        .args(["-c", "zcat \"$1\" | grep -c 'super8 run'", "sh"])
        .arg(prefix.join("share/man/man1/super8-run.1.gz"))
        .output();
    assert!(page.is_ok_and(|page| page.status.success()), "the manual has no page for `super8 run`");
}
