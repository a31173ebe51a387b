//! The house rules that can be read off the sources: imports go in one direction, and
//! what differs between operating systems has one place.
//!
//! An import counts for the file that defines what is imported, not for the `mod.rs` that passes it on. Tests do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// The crates whose rooms are kept.
const CRATES: &[&str] = &["bench", "cassette", "cli", "client", "matching", "packages/rust", "shim", "suites", "xtask"];

/// A module as the names of the path to it from the crate's root, which is empty.
type Module = Vec<String>;
type Edges = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_file_imports_itself_by_way_of_others() {
    for name in CRATES {
        let circles = circles(&imports(&sources(name)));
        assert!(circles.is_empty(), "{name}: circles of imports between files:\n{}", circles.join("\n"));
    }
}

#[test]
fn no_folder_imports_itself_by_way_of_others() {
    for name in CRATES {
        let folder = |module: &Module| module[..module.len().min(1)].to_vec();
        let mut folders = Edges::new();
        for (module, imported) in imports(&sources(name)) {
            let others = imported.iter().map(folder).filter(|other| *other != folder(&module));
            folders.entry(folder(&module)).or_default().extend(others);
        }
        let circles = circles(&folders);
        assert!(circles.is_empty(), "{name}: circles of imports between folders:\n{}", circles.join("\n"));
    }
}

/// The crates of ours that each crate depends on.
const LAYERS: [(&str, &[&str]); 8] = [
    ("cassette", &[]),
    ("matching", &["cassette"]),
    ("shim", &["cassette", "matching"]),
    ("shim/unicode", &["shim"]),
    ("shim/ansi", &["shim"]),
    ("client", &["cassette", "shim"]),
    ("cli", &["cassette", "client", "matching", "shim"]),
    ("packages/rust", &[]),
];

#[test]
fn crates_depend_only_on_those_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (name, expected) in LAYERS {
        let manifest = fs::read_to_string(root.join(name).join("Cargo.toml")).unwrap();
        // those of tests may be above
        let sections = manifest.split("\n[").filter(|section| !section.starts_with("dev-dependencies"));
        let dependencies =
            sections.filter(|section| section.lines().next().is_some_and(|head| head.contains("dependencies")));
        let names = dependencies.flat_map(|section| section.split(['\n', '.', ' ', ']']));
        let mut ours: Vec<&str> = names.filter_map(|name| name.strip_prefix("super8-")).collect();
        ours.sort_unstable();
        assert_eq!(ours, expected, "{name}/Cargo.toml");
    }
}

/// Matching is pure: what it plays comes from a store, and what it is to do from its caller.
#[test]
fn matching_opens_no_file_and_reads_no_setting() {
    for (module, source) in sources("matching") {
        for path in source.names.values().chain(&source.paths) {
            let path = path.join("::");
            for other in [
                "std::fs",
                "std::env",
                "std::io",
                "std::net",
                "std::process",
                "libc",
                "rustix",
                "super8_cassette::open",
                "super8_cassette::Directory",
            ] {
                assert!(!path.starts_with(other), "{}: {path}", module.join("/"));
            }
        }
    }
}

/// What tells operating systems apart, in code or in a path.
const PLATFORM: [&str; 9] = [
    "target_os",
    "target_env",
    "target_family",
    "cfg(unix",
    "cfg(windows",
    "cfg!(unix",
    "\"/proc",
    "linux-gnu",
    ".dylib",
];

/// What differs between operating systems stands in a file of each layer, and nowhere else.
#[test]
fn platforms_matter_in_one_place_of_a_layer() {
    const PLACES: [&str; 2] = ["cassette/src/platform.rs", "shim/src/platform.rs"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut directories: Vec<_> = ["cassette", "matching", "shim", "shim/ansi", "shim/unicode", "cli", "client"]
        .map(|name| root.join(name).join("src"))
        .into();
    let (mut elsewhere, mut there) = (String::new(), BTreeSet::new());
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            let is_test = name.contains("/tests/") || name.ends_with("tests.rs");
            if path.is_dir() {
                directories.push(path);
            } else if name.ends_with(".rs") && !is_test {
                let text = fs::read_to_string(&path).unwrap();
                let product = text.split("#[cfg(test)]").next().unwrap();
                for line in product.lines().filter(|line| !line.trim_start().starts_with("//")) {
                    let Some(found) = PLATFORM.iter().find(|word| line.contains(**word)) else { continue };
                    match PLACES.contains(&name.as_str()) {
                        true => _ = there.insert(*found),
                        false => elsewhere += &format!("{name}: {}\n", line.trim()),
                    }
                }
            }
        }
    }
    assert!(there.len() > 3, "{there:?}");
    assert!(elsewhere.is_empty(), "belongs into one of {PLACES:?}:\n{elsewhere}");
}

/// What one file imports.
#[derive(Default)]
struct Source {
    /// The names that `use` brings in, and the path that each stands for.
    names: BTreeMap<String, Vec<String>>,
    /// The other paths in the file.
    paths: Vec<Vec<String>>,
}

/// The sources of a crate by module.
fn sources(name: &str) -> BTreeMap<Module, Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
    let (mut found, mut directories) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().with_extension("");
            let mut module: Module = name.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
            if !module.iter().any(|part| part == "tests") {
                let file = syn::parse_file(&fs::read_to_string(&path).unwrap());
                let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                found.insert(module, Source::of(&file));
            }
        }
    }
    found
}

impl Source {
    fn of(file: &syn::File) -> Source {
        let mut source = Source::default();
        source.visit_file(file);
        source
    }

    fn add_use(&mut self, tree: &syn::UseTree, before: &[String]) {
        let path = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(part) => self.add_use(&part.tree, &path(&part.ident)),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.add_use(item, before)),
            syn::UseTree::Name(name) if name.ident == "self" => {
                self.names.insert(before.last().unwrap().clone(), before.to_vec());
            }
            syn::UseTree::Name(name) => _ = self.names.insert(name.ident.to_string(), path(&name.ident)),
            syn::UseTree::Rename(name) => _ = self.names.insert(name.rename.to_string(), path(&name.ident)),
            _ => self.paths.push(before.to_vec()),
        }
    }

    /// The paths in a macro's input, which need not be Rust.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut colons): (Vec<String>, usize) = (Vec::new(), 0);
        let ends = |path: &mut Vec<String>, paths: &mut Vec<Vec<String>>| match std::mem::take(path) {
            path if path.len() > 1 => paths.push(path),
            _ => {}
        };
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        ends(&mut path, &mut self.paths);
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    ends(&mut path, &mut self.paths);
                    self.add_tokens(group.stream());
                }
                _ => ends(&mut path, &mut self.paths),
            }
        }
        ends(&mut path, &mut self.paths);
    }
}

impl<'s> Visit<'s> for Source {
    fn visit_item_mod(&mut self, module: &'s syn::ItemMod) {
        let is_test = |attribute: &syn::Attribute| {
            attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|of| of == "test")
        };
        if !module.attrs.iter().any(is_test) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'s syn::ItemUse) {
        self.add_use(&item.tree, &[]);
    }

    fn visit_visibility(&mut self, _: &'s syn::Visibility) {}

    fn visit_path(&mut self, path: &'s syn::Path) {
        if path.segments.len() > 1 {
            self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'s syn::Macro) {
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

/// The module that defines what a path in `module` names; none if it is another crate's.
fn defined_in(sources: &BTreeMap<Module, Source>, module: &Module, path: &[String]) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    let child = |name: &String| [&module[..], std::slice::from_ref(name)].concat();
    let (mut at, mut rest) = match first.as_str() {
        "crate" => (Vec::new(), rest),
        "self" => (module.clone(), rest),
        "super" => (module[..module.len() - 1].to_vec(), rest),
        _ if sources.contains_key(&child(first)) => (child(first), rest),
        _ => {
            // `use memchr::memchr`: another crate
            let known = sources[module].names.get(first).filter(|known| known[0] != *first)?;
            return defined_in(sources, module, &[&known[..], rest].concat());
        }
    };
    while let Some((next, others)) = rest.split_first() {
        let child = [&at[..], std::slice::from_ref(next)].concat();
        if next == "super" {
            at.pop();
        } else if sources.contains_key(&child) {
            at = child;
        } else if let Some(known) = sources[&at].names.get(next) {
            return defined_in(sources, &at, &[&known[..], others].concat());
        } else {
            return Some(at);
        }
        rest = others;
    }
    Some(at)
}

/// Which module imports from which. A name that stands for a whole module counts where it is used.
fn imports(sources: &BTreeMap<Module, Source>) -> Edges {
    let mut imports = Edges::new();
    for (module, source) in sources {
        let imported = imports.entry(module.clone()).or_default();
        let items = source.names.values().filter(|path| !sources.contains_key(&absolute(module, path)));
        imported.extend(items.chain(&source.paths).filter_map(|path| defined_in(sources, module, path)));
        imported.remove(module);
    }
    imports
}

/// The path from the crate's root on.
fn absolute(module: &Module, path: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path.first().map(String::as_str) {
        Some("crate") => path[1..].to_vec(),
        Some("super") => [&module[..module.len() - ups], &path[ups..]].concat(),
        Some("self") => [&module[..], &path[1..]].concat(),
        _ => [&module[..], path].concat(),
    }
}

/// The modules that reach themselves, each with what it imports of them.
fn circles(imports: &Edges) -> Vec<String> {
    let reach = |from: &Module| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = next.pop() {
            next.extend(imports.get(&module).into_iter().flatten().filter(|to| seen.insert((*to).clone())).cloned());
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = imports.keys().map(|module| (module, reach(module))).collect();
    let in_circle = imports.iter().filter(|(module, _)| reached[*module].contains(*module));
    let line = |(module, imported): (&Module, &BTreeSet<Module>)| {
        let back = imported.iter().filter(|to| reached.get(to).is_some_and(|seen| seen.contains(module)));
        let back: Vec<String> = back.map(|to| to.join("::")).collect();
        format!("{} -> {}", module.join("::"), back.join(", "))
    };
    in_circle.map(line).collect()
}

#[test]
fn a_circle_is_found_through_what_a_module_passes_on() {
    let module = |path: &str| path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect::<Module>();
    let sources: BTreeMap<Module, Source> = [
        ("", "mod a;\nmod b;\npub use a::{One, Three};"),
        ("a", "use crate::b;\npub struct One(b::Two); // crate::a::none"),
        ("b", "mod c;\npub use c::Two;"),
        ("b::c", "use crate::{Three as Other, b::{self}};\npub struct Two;\n#[cfg(test)]\nmod tests {}"),
    ]
    .map(|(path, text)| (module(path), Source::of(&syn::parse_file(text).unwrap())))
    .into();
    assert_eq!(circles(&imports(&sources)), ["a -> b::c", "b::c -> a"]);
}

#[test]
fn a_circle_is_found_in_a_macro() {
    let source = |text: &str| Source::of(&syn::parse_file(text).unwrap());
    let sources: BTreeMap<Module, Source> = [
        (Module::new(), source("mod a;\nmod b;")),
        (vec!["a".to_owned()], source("fn f() { println!(\"{}\", [crate::b::g()][0]) }")),
        (vec!["b".to_owned()], source("pub fn g() -> u8 { super::a::f(); 1 }")),
    ]
    .into();
    assert_eq!(circles(&imports(&sources)), ["a -> b", "b -> a"]);
}
