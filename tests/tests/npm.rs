//! The npm package, as `cargo xtask package` makes it, with the package `odbc`, under node:test and under vitest.

use crate::packages::{cassettes, ended, installed, package, verdicts};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use super8_tests::compare::assert_same_files;
use super8_tests::desk::Desk;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::page::Page;
use super8_tests::server::must;
use super8_tests::{node, packages, products};

/// A desk with the tests of `programs/node` in its directory, and the package where npm would put it.
fn marked_node(subject: &str, format: Format) -> Desk {
    let desk = Desk::new(subject).in_format(format);
    let programs = products::repository().join("tests/programs/node");
    let modules = desk.scratch.directory("work/node_modules");
    must(Command::new("cp").arg("-r").arg(npm_modules().join("super8-odbc")).arg(&modules));
    must(Command::new("cp").args([programs.join("fruit.test.mjs"), desk.scratch.join("work")]));
    link_modules(&node::packages_directory(), &desk);
    desk
}

/// Has the desk's directory find what npm has installed in another one.
fn link_modules(place: &Path, desk: &Desk) {
    let (from, to) = (place.join("node_modules"), desk.scratch.join("work/node_modules"));
    for module in std::fs::read_dir(&from).unwrap_or_else(|error| panic!("{}: {error}", from.display())).flatten() {
        let name = module.file_name();
        if !name.to_string_lossy().starts_with('.') {
            let _ = std::os::unix::fs::symlink(module.path(), to.join(name));
        }
    }
}

/// Where npm has installed the package.
fn npm_modules() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let place = installed("npm");
        let mut npm = Command::new(packages::program("npm", "npm"));
        npm.args(["install", "--offline", "--no-audit", "--no-fund", "--prefix"]).arg(&place).arg(package(".tgz"));
        must(npm.env("npm_config_cache", place.with_file_name("npm-cache")));
        // npm 11 asks the user before it runs a script of a package that it installs
        let manifest = std::fs::read_to_string(place.join("node_modules/super8-odbc/package.json")).unwrap_or_default();
        assert!(manifest.contains("\"bin\"") && !manifest.contains("\"scripts\""), "{manifest}");
        place.join("node_modules")
    })
}

/// Node.js in the desk's directory, which finds the packages there.
fn in_node(desk: &Desk, words: &[&str]) -> Command {
    let mut node = Command::new(packages::program("node", "nodejs"));
    desk.at(node.arg("--preserve-symlinks").args(words));
    // the package odbc calls on whichever thread is free, and the cassette says on which
    node.env("UV_THREADPOOL_SIZE", "1");
    node
}

/// The listing of docs/how-to/node.md with the package `odbc` itself, which makes its environment when it is loaded. In the other
/// order nothing would be recorded, without a word.
#[test]
fn the_npm_package_comes_before_odbc() {
    in_both_formats(|format| {
        let desk = marked_node("npm_odbc", format);
        let page = std::fs::read_to_string(products::repository().join("docs/how-to/node.md")).unwrap_or_default();
        let listing = page.split("`fruit.test.mjs`:\n\n```js\n").nth(1).and_then(|rest| rest.split("```").next());
        let listing = listing.expect("the page's listing");
        desk.scratch.write("work/fruit.test.mjs", listing);
        let run = |variables: &[(&str, &str)], code| {
            let mut node = in_node(&desk, &["--test", "--test-reporter=tap", "fruit.test.mjs"]);
            ended(&Outcome::of(node.envs(variables.iter().copied()), b""), code)
        };
        run(&[], 0);
        assert_eq!(cassettes(&desk.scratch.join("work/cassettes")), ["fruit.test.mjs/price_of_pears"]);
        desk.clear();
        run(&[("CI", "true")], 0);
        let line = "import odbc from 'odbc';\n";
        let late = listing.replace(line, "").replace("import test from", &format!("{line}import test from"));
        assert_ne!(late, listing);
        desk.scratch.write("work/fruit.test.mjs", late);
        let told = run(&[("CI", "true")], 1);
        assert!(told.contains("the package odbc was loaded before super8"), "{told}");
    });
}

#[test]
fn the_npm_package_records_and_replays_tests() {
    in_both_formats(|format| {
        let desk = marked_node("npm", format);
        let run = |variables: &[(&str, &str)], code| {
            let mut node = in_node(&desk, &["--test", "--test-reporter=tap", "fruit.test.mjs"]);
            ended(&Outcome::of(node.envs(variables.iter().copied()), b""), code)
        };
        let root = desk.scratch.join("work/cassettes");
        let absent = run(&[("SUPER8_MODE", "none")], 1);
        assert!(absent.contains("there is no cassette here") && absent.contains("# pass 3"), "{absent}");
        assert!(absent.contains("to record it: SUPER8_MODE=record node --test"), "{absent}");
        run(&[], 0);
        let titles = ["has_no_plums_100_", "has_pears", "leaves_out", "may_fail", "swallows_an_error"];
        let names = titles.map(|title| format!("fruit.test.mjs/{title}"));
        assert_eq!(cassettes(&root), [&["by name/inner", "by name/outer"].map(str::to_owned)[..], &names].concat());

        // The recording of a test that fails is set aside.
        must(Command::new("cp").arg("-r").arg(&root).arg(desk.scratch.join("work/before")));
        let recorded = [("SUPER8_MODE", "record"), ("RECORDS", "yes"), ("OTHERWISE", "fail")];
        let failed = run(&recorded, 1);
        assert!(failed.contains("# fail 1"), "{failed}");
        assert!(root.join("fruit.test.mjs/may_fail.failed").is_dir(), "{:?}", cassettes(&root));
        // It goes when the test passes.
        run(&recorded[..2], 0);
        assert_same_files("the earlier cassettes", &desk.scratch.join("work/before"), &root);

        desk.clear();
        run(&[("CI", "true")], 0);
        for (otherwise, report) in [
            ("pears", "replay mismatch: differs"),
            ("swallowed", "replay mismatch: differs"),
            ("left out", "never played"),
        ] {
            let told = run(&[("OTHERWISE", otherwise)], 1);
            assert!(told.contains("# fail 1") && told.contains(report), "{otherwise}: {told}");
            assert!(
                !told.contains("mismatch") || told.contains("SUPER8_MODE=record node --test fruit.test.mjs"),
                "{told}"
            );
        }
        // the data source of another name is not known, and the one that is recorded is named
        let misspelt = run(&[("OTHERWISE", "misspelt")], 1);
        assert!(misspelt.contains("super8: the cassettes have connects only to the data source shop"), "{misspelt}");
        // each file is a process of its own, and all of them are one run
        desk.scratch.write("work/other.test.mjs", OTHER_FILE);
        let both = |files: &[&str], variables: &[(&str, &str)]| {
            let mut node = in_node(&desk, &[&["--test", "--test-reporter=tap"], files].concat());
            ended(&Outcome::of(node.envs(variables.iter().copied()), b""), 0)
        };
        both(&["fruit.test.mjs", "other.test.mjs"], &[("CI", "true")]);
        let last = ended(&desk.run(&["unused", "cassettes"]), 0);
        assert!(last.contains("0 of 7 cassettes") && !last.contains("not have been a whole one"), "{last}");
        assert_eq!(verdicts(&desk, "cassettes"), ["passed"; 7]);
        both(&["other.test.mjs"], &[]);
        assert!(ended(&desk.run(&["unused", "cassettes"]), 1).contains("7 of 7 cassettes"));
    });
}

/// A file of tests with its own process, which uses no cassette of the other one.
const OTHER_FILE: &str = "import test from 'node:test';\nimport { withCassette } from 'super8-odbc/node-test';\n\n\
     test('nothing', withCassette(() => {}));\n";

/// vitest itself, with the page's configuration, on the files of `programs/node/vitest`.
fn marked_vitest(subject: &str, format: Format) -> Desk {
    let desk = marked_node(subject, format);
    // it is for node:test
    std::fs::remove_file(desk.scratch.join("work/fruit.test.mjs")).expect("the other runner's tests");
    let page = Page::read("docs/how-to/node.md");
    let config = page.blocks().into_iter().find(|block| block.name == Some("vitest.config.mjs"));
    desk.scratch.write("work/vitest.config.mjs", config.expect("the page's configuration").text);
    let programs = products::repository().join("tests/programs/node/vitest");
    must(
        Command::new("cp")
            .args(["shop.test.js", "other.test.js"].map(|file| programs.join(file)))
            .arg(desk.scratch.join("work")),
    );
    link_modules(&node::vitest_directory(), &desk);
    desk
}

fn vitest(desk: &Desk, words: &[&str], variables: &[(&str, &str)], code: u8) -> String {
    // not with the words of `node`, because the workers of vitest want to know where the files are in truth
    let mut vitest = Command::new(packages::program("node", "nodejs"));
    desk.at(vitest.args(["node_modules/vitest/vitest.mjs", "run", "--no-color", "--reporter=tap-flat"]).args(words));
    vitest.env("UV_THREADPOOL_SIZE", "1").envs(variables.iter().copied());
    let all = ended(&Outcome::of(&vitest, b""), code);
    assert!(!all.contains("Unhandled"), "{all}");
    all
}

/// The titles of the tests that failed.
fn not_ok(told: &str) -> Vec<&str> {
    let failed = told.lines().filter_map(|line| line.trim_start().strip_prefix("not ok "));
    let titles = failed.filter_map(|line| line.split_once(" - ")?.1.split(" # ").next()?.rsplit(" > ").next());
    titles.collect()
}

#[test]
fn the_npm_package_has_hooks_for_vitest() {
    in_both_formats(|format| {
        let desk = marked_vitest("npm_vitest", format);
        let root = desk.scratch.join("work/cassettes");
        let absent = vitest(&desk, &["other.test.js"], &[("SUPER8_MODE", "none")], 1);
        assert!(absent.contains("there is no cassette here"), "{absent}");
        assert!(absent.contains("to record it: SUPER8_MODE=record npx vitest run other.test.js"), "{absent}");
        assert_eq!(not_ok(&vitest(&desk, &[], &[], 0)), [""; 0]);
        let shop = |title: &str| format!("shop.test.js/{title}");
        let mut names = [
            "a_shop/has_no_plums_10_",
            "a_shop/has_no_plums_20_",
            "a_shop/has_pears",
            "after_the_hook",
            "has_a_fixture",
            "is_expected_to_fail",
            "is_expected_to_swallow",
            "leaves_out",
            "may_fail",
            "succeeds_when_it_is_repeated",
            "swallows_an_error",
            "with_a_hook/before_another_test",
        ]
        .map(shop)
        .to_vec();
        names.insert(0, "other.test.js/has_apples".into());
        assert_eq!(cassettes(&root), names);

        // What a failed test recorded is set aside, also if only its afterEach failed.
        must(Command::new("cp").arg("-r").arg(&root).arg(desk.scratch.join("work/before")));
        for (otherwise, title, aside) in
            [("fail", "may fail", "may_fail"), ("hook", "before another test", "with_a_hook/before_another_test")]
        {
            let recorded = vitest(&desk, &[], &[("SUPER8_MODE", "record"), ("OTHERWISE", otherwise)], 1);
            assert_eq!(not_ok(&recorded), [title], "{recorded}");
            std::fs::remove_dir_all(root.join(shop(aside) + ".failed")).expect("what the failed test recorded");
            assert_same_files("the earlier cassettes", &desk.scratch.join("work/before"), &root);
        }

        desk.clear();
        for words in [&[][..], &["--no-isolate"], &["--no-file-parallelism"], &["--poolOptions.forks.singleFork"]] {
            let replayed = vitest(&desk, words, &[("CI", "true")], 0);
            assert!(replayed.contains("1..14"), "{words:?}: {replayed}");
            let last = ended(&desk.run(&["unused", "cassettes"]), 0);
            assert!(
                last.contains("0 of 13 cassettes") && !last.contains("not have been a whole one"),
                "{words:?}: {last}"
            );
        }
        assert_eq!(verdicts(&desk, "cassettes"), ["passed"; 13]);
        for (otherwise, title, report) in [
            ("pears", "has pears", "replay mismatch: differs"),
            ("swallowed", "swallows an error", "replay mismatch: differs"),
            ("left out", "leaves out", "never played"),
            ("unseen", "is expected to swallow", "replay mismatch: differs"),
            ("expected", "is expected to fail", "replay mismatch: differs"),
            ("hook", "before another test", "the hook fails"),
        ] {
            let told = vitest(&desk, &[], &[("OTHERWISE", otherwise)], 1);
            assert_eq!(not_ok(&told), [title], "{otherwise}: {told}");
            assert!(told.contains(report), "{otherwise}: {told}");
            let again = "SUPER8_MODE=record npx vitest run shop.test.js";
            assert!(!told.contains("mismatch") || told.contains(again), "{otherwise}: {told}");
        }
        let misspelt = vitest(&desk, &["-t", "pears"], &[("OTHERWISE", "misspelt")], 1);
        assert!(misspelt.contains("super8: the cassettes have connects only to the data source shop"), "{misspelt}");
        let threads = vitest(&desk, &["--pool=threads"], &[], 1);
        assert!(threads.contains("run tests in processes (vitest: pool: 'forks')"), "{threads}");
    });
}
