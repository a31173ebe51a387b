//! No file of this crate imports itself by way of others, nor does a folder of its sources.
//!
//! An import counts for the file that defines what is imported, not for the `mod.rs` that passes it on. Tests do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Module = Vec<String>;
type Edges = BTreeMap<Module, BTreeSet<Module>>;

/// What one file imports.
#[derive(Default)]
struct Source {
    /// The names that `use` and `pub use` bring in, and the path that each stands for.
    names: BTreeMap<String, Vec<String>>,
    /// The other paths in the file.
    paths: Vec<Vec<String>>,
}

/// The sources by module, test modules left out.
fn sources() -> BTreeMap<Module, Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut directories) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().with_extension("");
            let mut module: Module = name.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            module.pop_if(|last| last == "mod" || last == "lib");
            if !module.iter().any(|part| part == "tests") {
                found.insert(module, Source::of(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

impl Source {
    fn of(text: &str) -> Source {
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap()).collect();
        let (code, mut source) = (code.join("\n"), Source::default());
        let tokens = tokens(&code);
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at] == "use" {
                at += 1;
                source.imports(&tokens, &mut at, &[]);
            } else if is_word(tokens[at]) && tokens.get(at + 1) == Some(&"::") {
                let mut path = vec![tokens[at].to_owned()];
                while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|token| is_word(token)) {
                    path.push(tokens[at + 2].to_owned());
                    at += 2;
                }
                source.paths.push(path);
                at += 1;
            } else {
                at += 1;
            }
        }
        source
    }

    /// Reads the tree of a `use` up to its end.
    fn imports(&mut self, tokens: &[&str], at: &mut usize, before: &[String]) {
        let mut path = before.to_vec();
        loop {
            let token = tokens[*at];
            *at += 1;
            match token {
                "{" => loop {
                    self.imports(tokens, at, &path);
                    match tokens[*at - 1] {
                        "}" => {
                            *at += 1;
                            return;
                        }
                        _ if tokens[*at] == "}" => {
                            *at += 2;
                            return;
                        }
                        _ => {}
                    }
                },
                "as" => {
                    self.names.insert(tokens[*at].to_owned(), path.clone());
                    *at += 2;
                    return;
                }
                "," | ";" | "}" => {
                    path.pop_if(|last| last == "self");
                    self.names.insert(path.last().unwrap().clone(), path.clone());
                    return;
                }
                "::" => {}
                word => path.push(word.to_owned()),
            }
        }
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn tokens(code: &str) -> Vec<&str> {
    let (mut tokens, mut rest) = (Vec::new(), code.trim_start());
    while !rest.is_empty() {
        let word = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
        let length = match word {
            0 if rest.starts_with("::") => 2,
            0 => rest.chars().next().unwrap().len_utf8(),
            word => word,
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
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

/// Which module needs which. A name that stands for a whole module counts where it is used.
fn edges(sources: &BTreeMap<Module, Source>) -> Edges {
    let mut edges = Edges::new();
    for (module, source) in sources {
        let needs = edges.entry(module.clone()).or_default();
        let items = source.names.values().filter(|path| {
            let whole = absolute(module, path);
            !sources.contains_key(&whole)
        });
        needs.extend(items.chain(&source.paths).filter_map(|path| defined_in(sources, module, path)));
        needs.remove(module);
    }
    edges
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

/// The modules that reach themselves, each with what it needs of them.
fn circles(edges: &Edges) -> Vec<String> {
    let reach = |from: &Module| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = next.pop() {
            for needed in edges.get(&module).into_iter().flatten() {
                if seen.insert(needed.clone()) {
                    next.push(needed.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = edges.keys().map(|module| (module, reach(module))).collect();
    let mut lines = Vec::new();
    for (module, needs) in edges.iter().filter(|(module, _)| reached[*module].contains(*module)) {
        let back = needs.iter().filter(|needed| reached.get(needed).is_some_and(|seen| seen.contains(module)));
        let back: Vec<String> = back.map(|needed| needed.join("::")).collect();
        lines.push(format!("{} -> {}", module.join("::"), back.join(", ")));
    }
    lines
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let circles = circles(&edges(&sources()));
    assert!(circles.is_empty(), "circles of imports:\n{}", circles.join("\n"));
}

#[test]
fn no_folder_imports_itself_by_way_of_others() {
    let mut folders = Edges::new();
    for (module, needs) in edges(&sources()) {
        let folder = |module: &Module| module[..module.len().min(1)].to_vec();
        let needs = needs.iter().map(folder).filter(|needed| *needed != folder(&module));
        folders.entry(folder(&module)).or_default().extend(needs);
    }
    let circles = circles(&folders);
    assert!(circles.is_empty(), "circles of imports:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found_through_what_a_module_passes_on() {
    let source = |text: &str| Source::of(text);
    let module = |path: &str| path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect::<Module>();
    let sources: BTreeMap<Module, Source> = [
        ("", "mod a;\nmod b;\npub use a::{One, Three};"),
        ("a", "use crate::b;\npub struct One(b::Two); // crate::a::none"),
        ("b", "mod c;\npub use c::Two;"),
        ("b::c", "use crate::{Three as Other, b::{self}};\npub struct Two;\n#[cfg(test)]\nmod tests {}"),
    ]
    .map(|(path, text)| (module(path), source(text)))
    .into();
    assert_eq!(circles(&edges(&sources)), ["a -> b::c", "b::c -> a"]);
}
