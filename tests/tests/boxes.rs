//! The boxes of the documentation: each command of a `sh` block is run, each line that is set in, and so is what CI would
//! run. What is no command stands in a block that says what it is.
//!
//! A box is run as a whole, in the directory of somebody who has a database, tests and a cassette. What would install something,
//! or needs a project of the reader's, is a stand-in (`STAND_INS`) that looks at its words: whether Debian has the package,
//! whether super8's packages have these names. The chores of a checkout run for minutes, and `.ci/run` runs them: here their own programs
//! say whether they know the words, and a filter has to be in the name of a test. The packages themselves are installed and used in `packages.rs`, the languages'
//! own programs in `languages.rs`, and `console` blocks are run as they are in `documentation.rs`.

use std::fmt::Write;
use super8_tests::desk::Desk;
use super8_tests::outcome::Outcome;
use super8_tests::page::{Block, Page, pages};
use super8_tests::{products, python};

/// Lines that are not run, and why.
const NOT_RUN: [(&str, &str); 7] = [
    ("docker build", "no daemon of docker is at hand: container.rs builds the Dockerfile without one"),
    ("docker run", "the same"),
    ("systemctl edit", "would change the machine's services"),
    (
        "export LD_PRELOAD=libodbc.so.2",
        "is for Ruby, and would be for every command after it; listings of ruby.md run with it",
    ),
    ("super8 convert traces/orders.ndjson cassettes/orders", "is the way back, and the cassette is still there"),
    ("super8 replay 'tapes/%t' -- pytest && super8 unused", "needs a whole suite: cli_folders.rs has one"),
    ("super8 unused", "the same"),
];

/// Programs that boxes name. `program` is any of the reader's own: it asks the shop for something.
const STAND_INS: &[(&str, &str)] = &[
    ("sudo", "exec \"$@\""),
    (
        "apt-get",
        "[ \"$1\" = update ] && exit; [ \"$1\" = install ] || exit 64; shift
         for package in \"$@\"; do case $package in -*) ;; *)
           dpkg -s \"$package\" >/dev/null 2>&1 || apt-cache show \"$package\" 2>/dev/null | grep -q . || grep -qx \"$package\" \"$KNOWN\" ||
             { echo \"Debian has no $package\"; exit 1; } ;; esac; done",
    ),
    (
        "git",
        "[ \"$1\" = clone ] || exec /usr/bin/git \"$@\"
         [ -n \"$2\" ] && for last in \"$@\"; do :; done && mkdir -p \"$last\" && cd \"$last\" && /usr/bin/git init --quiet &&
         echo 1 > file && /usr/bin/git add . && /usr/bin/git commit --quiet -m one && /usr/bin/git tag v1",
    ),
    (
        "cargo",
        r#"case "$1 $2" in
         'xtask package')
           [ ! -e run_tests ] || { echo 'this is the project of the reader, and no checkout of super8'; exit 1; }
           mkdir -p target/packages; cd target/packages
           case ${3:-all} in wheel|gem|npm|deb|tar|all) ;; *) echo "no package $3"; exit 1 ;; esac
           touch super8_odbc-0-py3-none-any.whl super8-odbc-0.gem super8-odbc-0.tgz super8-odbc_0.deb super8-0.tar.xz ;;
         'xtask bench' | 'xtask suites') program=$CHORES/super8-$2; shift 2; exec "$program" "$@" --help > help ;;
         'xtask test') [ $# = 2 ] || "$TESTS" --list "$3" | grep ': test$' > found || { echo "no test's name has $3"; exit 1; } ;;
         'xtask '*) [ $# = 2 ] && grep -q "^        \"$2\" => " "$REPOSITORY/xtask/src/main.rs" || { echo "no chore $2"; exit 1; } ;;
         'test -p')
           grep -qx "name = \"$3\"" "$REPOSITORY"/*/Cargo.toml || { echo "no crate $3"; exit 1; }
           [ "$3" != super8-tests ] || "$TESTS" --list "$4" | grep ': test$' > found || { echo "no test's name has $4"; exit 1; } ;;
         build*)
           while [ $# -gt 0 ]; do
             [ "$1" != -p ] || grep -qx "name = \"$2\"" "$REPOSITORY"/*/Cargo.toml "$REPOSITORY"/*/*/Cargo.toml ||
               { echo "no crate $2"; exit 1; }
             shift
           done
           mkdir -p target/release; ln -sf "$PRODUCTS"/super8 "$PRODUCTS"/libsuper8.so "$PRODUCTS"/libsuper8a.so target/release ;;
         add*) for last in "$@"; do :; done; [ -f "$last/Cargo.toml" ] ;;
         test*) exec program ;;
         nextest*) NEXTEST_BINARY_ID=shop NEXTEST_TEST_NAME=sums exec program ;;
         *) exit 64 ;; esac"#,
    ),
    ("pip", "for word in \"$@\"; do case $word in *.whl) [ -f \"$word\" ] || { echo \"no $word\"; exit 1; } ;; esac; done"),
    ("npm", "for word in \"$@\"; do case $word in *.tgz) [ -f \"$word\" ] || { echo \"no $word\"; exit 1; } ;; esac; done"),
    ("gem", "for word in \"$@\"; do case $word in *.gem) [ -f \"$word\" ] || { echo \"no $word\"; exit 1; } ;; esac; done"),
    ("dpkg", "[ \"$1\" = -i ] || exec /usr/bin/dpkg \"$@\"; [ -f \"$2\" ] || { echo \"no $2\"; exit 1; }"),
    ("python3", "[ \"$1 $2\" = '-m venv' ] && mkdir -p \"$3/bin\" && touch \"$3/bin/activate\""),
    ("npx", "exec program"),
    ("node", "exec program"),
    ("rspec", "exec program"),
    ("rake", "exec program"),
    ("prove", "exec program"),
    ("go", "[ \"$1\" = test ] && exec program"),
    ("Rscript", "exec program"),
    ("pytest", "PYTEST_CURRENT_TEST='test_shop.py::test_fruit (call)' exec program"),
    ("cc", "exec /usr/bin/cc \"$@\""),
    ("program", "isql -b -d, shop <<< \"${ASK:-select name from fruit}\""),
];

/// A recording of two connections, and of three statements on the first, behind those that pyodbc runs.
const TWO_CONNECTIONS: &str = "printf 'import pyodbc\none, two = pyodbc.connect(\"DSN=shop\"), pyodbc.connect(\"DSN=shop\")\n\
     for number in range(3): one.execute(f\"select {number}\").fetchall()\ntwo.execute(\"select 4\").fetchall()\n' > two.py
     super8 record --allow-leaks cassettes/orders -- python two.py";

/// What a page's reader has, besides the shop, `./run_tests` and cassettes of it: the page, the box before which these lines are run (with
/// "", before all), and the lines.
const PREPARED: &[(&str, &str, &str)] = &[
    ("docs/how-to/mock.md", "", "rm -rf cassettes; printf 'name,price\nfig,1\n' > fruit.csv"),
    ("docs/how-to/mock.md", "super8 new", "export ASK='select * from fruit'"),
    (
        "docs/cli.md",
        "",
        "printf 'name,price\nfig,1\n' > fruit.csv; cp -r cassettes tapes; cp -r cassettes main/tapes; mkdir -p traces softprobe
         mkdir -p ~/.local/share/bash-completion/completions ~/.config/fish/completions ~/.zsh; printf '[staging]\nDriver=SQLite3\nDatabase=shop.db\n' >> \"$ODBCSYSINI/odbc.ini\"
         cp \"$REPOSITORY\"/tests/tests/softprobe/softprobe-js.ndjson softprobe/4bf92f3577b34da6a3ce929d0e0e4736.ndjson",
    ),
    ("docs/cli.md", "super8 trim", TWO_CONNECTIONS),
    (
        "CONTRIBUTING.md",
        "",
        "rm run_tests; for place in cassettes tests/tests/golden cassette/src matching/src; do [ -d \"$REPOSITORY/$place\" ]; mkdir -p $place; done",
    ),
    (
        "docs/cli.md",
        "super8 migrate",
        "rm -r cassettes/orders; mkdir -p spec/super8_cassettes && cp -r \"$REPOSITORY\"/tests/tests/gem/v1 spec/super8_cassettes/orders",
    ),
    ("docs/configuration.md", "", "super8 install --apply SQLite3; rm -r cassettes"),
    ("docs/ndjson.md", "SUPER8_MODE", "super8 install --apply SQLite3"),
    ("docs/ndjson.md", "super8 convert cassettes/orders", "super8 record cassettes/orders -- ./run_tests; rm -rf traces"),
    ("docs/ndjson.md", "super8 convert --dsn", "rm -r cassettes/shop; cp softprobe/orders.ndjson softprobe/4bf92f3577b34da6a3ce929d0e0e4736.ndjson"),
    ("docs/ndjson.md", "super8 record connect", "rm -rf cassettes"),
    ("docs/how-to/record-again.md", "", "cp -r cassettes/orders OLD; cp -r cassettes/orders NEW"),
    (
        "docs/how-to/record-again.md",
        "super8 recover",
        "super8 record cassettes/orders -- sh -c './run_tests; exit 1' || true",
    ),
    // isql itself hangs when its connection is lost
    (
        "docs/how-to/error-handling.md",
        "",
        "printf '#!/usr/bin/env python\nimport pyodbc\nshop = pyodbc.connect(\"DSN=shop\", autocommit=True)\n\
         shop.execute(\"select name from fruit\").fetchall()\nshop.close()\n' > run_tests",
    ),
    ("docs/how-to/services.md", "", "printf '[PostgreSQL]\nDriver=psqlodbcw.so\n' >> \"$ODBCSYSINI/odbcinst.ini\""),
    (
        "docs/how-to/ruby.md",
        "",
        "mkdir -p spec/super8_cassettes && cp -r \"$REPOSITORY\"/tests/tests/gem/v1 spec/super8_cassettes/orders",
    ),
    (
        "docs/ndjson.md",
        "",
        "rm -r cassettes; mkdir softprobe; cp \"$REPOSITORY\"/tests/tests/softprobe/softprobe-js.ndjson softprobe/orders.ndjson",
    ),
];

/// The lines that are run before a box.
fn before(page: &Page, text: &str) -> String {
    let own = PREPARED.iter().filter(|(name, start, _)| {
        *name == page.name && start.is_empty() == text.is_empty() && text.starts_with(start)
    });
    own.fold(String::new(), |all, (_, _, lines)| all + lines + "\n")
}

/// Runs some shell as a reader of a page does; the text, or what went wrong.
fn run(desk: &Desk, page: &str, shell: &str) -> Result<String, String> {
    let stand_ins = desk.scratch.directory("stand-ins");
    let mut script = String::from("set -e\n");
    for (name, content) in STAND_INS {
        let file = stand_ins.join(name);
        let written = std::fs::write(&file, format!("#!/bin/bash\n{content}\n"));
        written.unwrap_or_else(|error| panic!("{name}: {error}"));
        _ = writeln!(script, "chmod +x '{}'", file.display());
    }
    script += shell;
    let mut bash = std::process::Command::new("bash");
    bash.arg(desk.scratch.write("box.sh", &script));
    desk.at(&mut bash);
    let super8 = products::super8();
    let directories = [stand_ins.as_path(), super8.parent().unwrap_or(&super8), &python::environment().join("bin")];
    let path = directories.map(|directory| directory.display().to_string()).join(":");
    bash.env("PATH", format!("{path}:/usr/local/bin:/usr/bin:/bin"));
    bash.env("REPOSITORY", products::repository()).env("PRODUCTS", super8.with_file_name(""));
    bash.env("CHORES", products::chores())
        .env("TESTS", std::env::current_exe().unwrap_or_else(|error| panic!("{error}")));
    bash.env("KNOWN", desk.scratch.write("known", super8_tests::packages::DEBIAN.join("\n")));
    bash.env("HOME", desk.scratch.directory("home")).env("SUPER8", desk.scratch.directory("checkout"));
    for who in ["AUTHOR", "COMMITTER"] {
        bash.env(format!("GIT_{who}_NAME"), "me").env(format!("GIT_{who}_EMAIL"), "me@example.com");
    }
    let outcome = Outcome::of(&bash, b"");
    match outcome.succeeded() {
        true => Ok(outcome.text()),
        false => Err(format!("{page}: {}\n{shell}\n{}{}", outcome.status, outcome.text(), outcome.errors())),
    }
}

/// The desk of a reader: a repository with a program and cassettes of it, and the files that the page shows.
fn prepared(page: &Page) -> (Desk, Result<String, String>) {
    let desk = Desk::new(&format!("box {}", page.name));
    let mut shell = String::from(
        "printf '#!/bin/bash\\nexec program\\n' > run_tests; chmod +x run_tests; cp run_tests prog
         printf '#!/bin/bash\\nprogram; echo ready > served; exec sleep 30\\n' > service
         printf '#!/bin/bash\\nuntil [ -f served ]; do sleep 0.1; done\\n' > requests_of_the_test
         mkdir -p vendor/bin; cp run_tests vendor/bin/phpunit; chmod +x service requests_of_the_test
         mkdir -p \"$SUPER8/packages/rust\"; cp \"$REPOSITORY\"/packages/rust/Cargo.toml \"$SUPER8/packages/rust\"
         (cd \"$SUPER8\"; cargo xtask package)
         for name in orders tests transfer; do super8 record cassettes/$name -- ./run_tests; done
         mkdir -p main/cassettes; cp -r cassettes/orders main/cassettes
         git init --quiet; git add .; git commit --quiet -m begin\n",
    );
    for block in page.blocks() {
        if let Some(name) = block.name.filter(|name| *name != "odbc.ini") {
            let directory = name.rsplit_once('/').map_or(".", |(directory, _)| directory);
            _ = write!(shell, "mkdir -p '{directory}'\ncat > '{name}' <<'END OF FILE'\n{}END OF FILE\n", block.text);
        }
    }
    shell += &before(page, "");
    let ready = run(&desk, &page.name, &shell);
    (desk, ready)
}

/// The boxes of a page: `sh` blocks, and what is set in.
fn boxes(page: &Page) -> Vec<(usize, String)> {
    let fenced = page.blocks().into_iter().filter(|block| block.language == "sh");
    let mut boxes: Vec<(usize, String)> = fenced.map(|block| (block.line, block.text.to_owned())).collect();
    boxes.extend(page.set_in());
    boxes
}

/// A box without the lines that are not run. They are given up with a reason, and each reason has to be needed.
fn lines(block: &str, left_out: &mut Vec<&'static str>) -> String {
    let mut kept = String::new();
    for line in block.replace("\\\n", " ").lines() {
        match NOT_RUN.iter().find(|(start, _)| line.starts_with(start)) {
            Some((start, _)) => left_out.push(start),
            None => kept += &format!("{line}\n"),
        }
    }
    kept
}

#[test]
fn every_box_can_be_typed_in() {
    let pages: Vec<Page> = pages().into_iter().filter(|page| !boxes(page).is_empty()).collect();
    assert!(pages.len() > 15, "{} pages have boxes", pages.len());
    let box_of = |page: &Page| {
        let (desk, ready) = prepared(page);
        let (mut wrong, mut left_out) = (String::new(), Vec::new());
        ready.unwrap_or_else(|error| panic!("{error}"));
        for (line, text) in boxes(page) {
            let shell = format!("{}{}", before(page, &text), lines(&text, &mut left_out));
            if let Err(error) = run(&desk, &format!("{}:{line}", page.name), &shell) {
                _ = writeln!(wrong, "{error}");
            }
        }
        (wrong, left_out)
    };
    let outcomes: Vec<(String, Vec<&str>)> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| scope.spawn(move || box_of(page))).collect();
        running.into_iter().map(|page| page.join().expect("a page's thread")).collect()
    });
    let wrong: String = outcomes.iter().map(|(wrong, _)| wrong.as_str()).collect();
    assert!(wrong.is_empty(), "{wrong}");
    for (start, reason) in NOT_RUN {
        let used = outcomes.iter().any(|(_, left_out)| left_out.contains(&start));
        assert!(used, "no box has `{start}`, which is not run because it {reason}");
    }
}

/// A how-to page for a language begins with a box that is the whole set-up: it installs super8, too.
#[test]
fn a_how_to_page_of_a_language_begins_with_its_whole_set_up() {
    for name in
        ["c-and-cpp", "error-handling", "node", "other-languages", "perl", "php", "python-pytest", "ruby", "rust"]
    {
        let page = Page::read(&format!("docs/how-to/{name}.md"));
        let blocks = page.blocks();
        let first = blocks.first().unwrap_or_else(|| panic!("{name} has no box"));
        let installs = first.text.contains("cargo xtask package") && first.text.contains("target/packages/super8");
        assert!(
            first.language == "sh" && first.line < 6 && installs,
            "{name}: the box is not the whole set-up:\n{}",
            first.text
        );
    }
}

/// The file of a page.
fn file<'p>(page: &'p Page, name: &str) -> &'p str {
    let block = page.blocks().into_iter().find(|block| block.name == Some(name));
    block.unwrap_or_else(|| panic!("{}: no {name}", page.name)).text
}

/// The value of a YAML key in each item that has it, with a block (`|`) joined to lines.
fn values(yaml: &str, key: &str) -> Vec<String> {
    let (mut values, mut lines) = (Vec::new(), yaml.lines().peekable());
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let Some(value) = line.trim_start().trim_start_matches("- ").strip_prefix(key) else { continue };
        let mut value = value.trim().to_owned();
        if value == "|" || value.is_empty() {
            value.clear();
            while let Some(more) = lines.next_if(|more| more.len() - more.trim_start().len() > indent) {
                value += &format!("{}\n", more.trim_start().trim_start_matches("- "));
            }
        }
        values.push(value);
    }
    values
}

/// Both CI files are YAML, and what their jobs run can be run, with the report at its end.
#[test]
fn what_the_ci_servers_run_can_be_run() {
    let page = Page::read("docs/how-to/ci.md");
    let variables = "export REPOSITORY_OF_SUPER8=https://example.com/super8 REVISION_OF_SUPER8=v1";
    let github = file(&page, ".github/workflows/tests.yml");
    let gitlab = file(&page, ".gitlab-ci.yml");
    for yaml in [github, gitlab] {
        let ruby = ["-ryaml", "-e", "all = YAML.safe_load(STDIN.read); (all['jobs'] || all).fetch('replay')"];
        let outcome = Outcome::of(std::process::Command::new("/usr/bin/ruby").args(ruby), yaml.as_bytes());
        assert!(outcome.succeeded(), "{}\n{yaml}", outcome.errors());
    }
    let steps = values(github, "run:");
    assert_eq!(steps.len(), 5, "{steps:?}");
    // each step is a shell of its own, and finds what the steps before wrote to $GITHUB_PATH
    let of_github = steps.iter().map(|step| {
        let step = step.replace("${{ vars.REPOSITORY_OF_SUPER8 }}", "$REPOSITORY_OF_SUPER8");
        let step =
            step.replace("${{ vars.REVISION_OF_SUPER8 }}", "$REVISION_OF_SUPER8").replace("/tmp/super8", "~/clone");
        format!("(PATH=$(paste -sd: \"$GITHUB_PATH\"):$PATH; {step})\n")
    });
    let of_github: String = of_github.collect();
    let of_gitlab = values(gitlab, "script:").concat().replace("/tmp/super8", "~/clone");
    // a job begins in the project's directory
    let of_gitlab = of_gitlab.replacen("apt-get", "cd \"$CI_PROJECT_DIR\"\napt-get", 1);
    for (name, jobs) in [("github", of_github), ("gitlab", of_gitlab)] {
        let (desk, ready) = prepared(&page);
        ready.unwrap_or_else(|error| panic!("{error}"));
        let shell = format!(
            "{variables} GITHUB_PATH=$HOME/path CI_PROJECT_DIR=$PWD; mkdir -p ~/super8; touch \"$GITHUB_PATH\"\n{jobs}\n\
             cd \"$CI_PROJECT_DIR\"; grep -q '<testsuites' report.xml; command -v super8\n"
        );
        run(&desk, name, &shell).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// systemd reads the unit without a complaint, where it is at hand; what the unit starts is super8 with words that it knows.
#[test]
fn the_unit_of_a_service_is_one() {
    let page = Page::read("docs/how-to/services.md");
    let desk = Desk::new("box_unit");
    let unit = file(&page, "shop.service").replace("/usr/local/bin/super8", &products::super8().display().to_string());
    let unit = desk.scratch.write("shop.service", unit.replace("/usr/sbin/shopd", "/bin/true"));
    let found = Outcome::of(
        std::process::Command::new("sh").args(["-c", "command -v systemd-analyze"]).env("PATH", "/usr/bin"),
        b"",
    );
    if found.succeeded() {
        let verify = ["verify", "--man=no", &unit.display().to_string()].map(str::to_owned);
        let outcome = Outcome::of(std::process::Command::new("/usr/bin/systemd-analyze").args(verify), b"");
        let said = outcome.errors();
        let about: Vec<&str> = said.lines().filter(|line| line.contains("shop.service")).collect();
        assert!(outcome.succeeded() && about.is_empty(), "{said}");
    }
    let unit = std::fs::read_to_string(unit).unwrap_or_default();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap_or_else(|| panic!("{unit}"));
    let (desk, ready) = prepared(&page);
    ready.unwrap_or_else(|error| panic!("{error}"));
    let start =
        start.replace("/srv/cassettes/shop", "cassettes/orders").replace("/bin/true --foreground", "./run_tests");
    let shell = format!("{}\ngrep -q verdict report.json\n", start.replace("/run/shop/", ""));
    run(&desk, &page.name, &shell).unwrap_or_else(|error| panic!("{error}"));
}

/// Every other block is at least what its language says it is. What has a name is run by the page's listing.
#[test]
fn every_listing_is_of_its_language() {
    let mut wrong = String::new();
    let mut seen = 0;
    let desk = Desk::new("box_languages");
    for page in pages() {
        for Block { line, language, text, .. } in page.blocks() {
            let (ending, check): (&str, &[&str]) = match language {
                "python" => ("py", &["/usr/bin/python3", "-m", "py_compile"]),
                "ruby" => ("rb", &["/usr/bin/ruby", "-c"]),
                "perl" => ("pl", &["/usr/bin/perl", "-c"]),
                "php" => ("php", &["/usr/bin/php", "-l"]),
                "js" => ("mjs", &["/usr/bin/node", "--check"]),
                "sh" | "console" => ("sh", &["/usr/bin/bash", "-n"]),
                "c" => ("c", &["/usr/bin/cc", "-fsyntax-only"]),
                // run or read elsewhere, or prose: formats and tables of this project's own
                "yaml" | "csv" | "ini" | "toml" | "rust" | "sql" | "text" | "dockerfile" | "" => continue,
                "json" => ("json", &["/usr/bin/python3", "-m", "json.tool", "--json-lines"]),
                other => {
                    _ = writeln!(wrong, "{}:{line}: no check is known for {other}", page.name);
                    continue;
                }
            };
            seen += 1;
            // of a terminal's listing, what is typed
            let typed = |text: &str| {
                text.lines()
                    .filter_map(|line| line.strip_prefix("$ ").or(line.strip_prefix("> ")))
                    .fold(String::new(), |all, line| all + line + "\n")
            };
            let text = if language == "console" { typed(text) } else { text.to_owned() };
            let file = desk.scratch.write(&format!("block{seen}.{ending}"), &text);
            let outcome = Outcome::of(
                std::process::Command::new(check[0]).args(&check[1..]).arg(&file).env("PATH", "/usr/bin:/bin"),
                b"",
            );
            if !outcome.succeeded() {
                _ = writeln!(wrong, "{}:{line}: {}", page.name, outcome.errors());
            }
        }
    }
    assert!(seen > 60, "{seen}");
    assert!(wrong.is_empty(), "{wrong}");
}
