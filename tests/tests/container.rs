//! The page for containers: its Dockerfile is built, and the image replays a cassette with nothing but what is in it.

use std::process::Command;
use super8_tests::container::{DEBIAN, buildah, buildah_alone, make_base};
use super8_tests::desk::Desk;
use super8_tests::outcome::Outcome;
use super8_tests::page::Page;
use super8_tests::products;
use super8_tests::server::must;

/// The reader's own tests. `ASK` is what they do otherwise.
const RUN_TESTS: &str = "#!/bin/sh\necho \"${ASK:-select name from fruit where price = 4}\" | isql -b -d, shop\n";

/// What the page's first image takes from the network and from cargo, which would take minutes: the repository, and a build of it.
const STAND_INS: [(&str, &str); 2] = [
    (
        "git",
        "#!/bin/sh\ncase \"$*\" in\n  'clone https://example.com/super8 /super8') mkdir /super8 ;;\n  'checkout v1') [ \"$PWD\" = /super8 ] ;;\n  \
         *) echo \"git $*\"; exit 1 ;;\nesac\n",
    ),
    (
        "cargo",
        "#!/bin/sh\n[ \"$PWD $*\" = '/super8 build --release -p super8-cli -p super8 -p super8a' ] || { echo \"cargo $*\"; exit 1; }\n\
         mkdir -p target && cp -r /products target/release\n",
    ),
];

/// An image of this name that is there, with these files in a directory each.
fn make_image(name: &str, files: &[(&std::path::Path, &str)]) {
    let container = must(&mut buildah(&["from", "--pull-never", DEBIAN]));
    for (file, directory) in files {
        must(buildah(&["copy", "--quiet", container.trim()]).arg(file).arg(directory));
    }
    must(&mut buildah(&["commit", "--quiet", "--rm", container.trim(), name]));
}

#[test]
fn the_dockerfile_of_the_page_replays_a_cassette() {
    let desk = Desk::new("container");
    let executable = |name: &str, text: &str| {
        let file = desk.scratch.write(name, text);
        must(Command::new("chmod").arg("+x").arg(&file));
        file
    };
    executable("work/run_tests", RUN_TESTS);
    let recorded = desk.run(&["record", "cassettes/tests", "--", "./run_tests"]);
    assert_eq!(recorded.text(), "pear\n", "{}", recorded.errors());
    desk.clear();

    make_base();
    let _ = buildah(&["rm", "--all"]).output();
    desk.scratch.directory("stand-ins");
    let [git, cargo] = STAND_INS.map(|(name, text)| executable(&format!("stand-ins/{name}"), text));
    let library = |name: &str| products::super8().with_file_name(name);
    let products = [products::super8(), library("libsuper8.so"), library("libsuper8a.so")];
    let mut files = vec![(git.as_path(), "/usr/local/bin/"), (cargo.as_path(), "/usr/local/bin/")];
    files.extend(products.iter().map(|file| (file.as_path(), "/products/")));
    make_image("rust:bookworm", &files);

    let page = Page::read("docs/how-to/container.md");
    let dockerfile = page.blocks().into_iter().find(|block| block.name == Some("Dockerfile"));
    desk.scratch.write("work/Dockerfile", dockerfile.expect("the page's Dockerfile").text);
    let words = [
        "build",
        "--isolation=chroot",
        "--pull-never",
        "--build-arg=REPOSITORY_OF_SUPER8=https://example.com/super8",
        "--build-arg=REVISION_OF_SUPER8=v1",
        "--tag=shop-tests",
        ".",
    ];
    let built = Outcome::of(buildah(&words).current_dir(desk.scratch.join("work")), b"");
    assert!(built.succeeded(), "{}{}", built.text(), built.errors());
    assert!(!built.errors().contains("not consumed") && !built.text().contains("not consumed"), "{}", built.errors());

    // As `docker run --network none` would: what the image says, and nothing else.
    let container = must(&mut buildah(&["from", "--pull-never", "shop-tests"]));
    let told = must(&mut buildah(&["inspect", "--type=image", "shop-tests"]));
    let told: serde_json::Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    let command = told["OCIv1"]["config"]["Cmd"].as_array().unwrap_or_else(|| panic!("{told}"));
    let command: Vec<&str> = command.iter().filter_map(serde_json::Value::as_str).collect();
    let run = |options: &[&str], command: &[&str]| {
        let words = [&["run", "--isolation=chroot"], options, &[container.trim(), "--"], command].concat();
        Outcome::of(&buildah_alone(&words), b"")
    };
    let replayed = run(&[], &command);
    assert!(replayed.succeeded(), "{}", replayed.errors());
    assert_eq!(replayed.text(), recorded.text());
    let changed = run(&["--env=ASK=select name from fruit where price = 3"], &command);
    assert_eq!(changed.status, "exit status: 120", "{}", changed.errors());
    assert!(changed.errors().contains("[super8] replay mismatch: differs"), "{}", changed.errors());
    // neither a driver nor a data source
    let bare = run(&[], &["sh", "-c", "cat /etc/odbc.ini; ls -d /usr/lib/*/odbc; isql -b shop < /dev/null"]);
    assert!(!bare.succeeded() && bare.text().is_empty(), "{}", bare.text());

    for image in ["shop-tests", "rust:bookworm"] {
        must(&mut buildah(&["rmi", "--force", image]));
    }
}
