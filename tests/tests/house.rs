//! The house rules that can be read off the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A module as the names of the path to it from the crate's root, which is empty.
type Module = Vec<String>;

/// The circles of imports that are left in `shim/src`. The list only gets shorter: a module that leaves a circle leaves the list.
const SHIM_CIRCLES: &[&[&str]] = &[];

#[test]
fn files_of_the_driver_import_each_other_in_one_direction() {
    no_other_circles("shim/src", SHIM_CIRCLES);
}

/// Fails if there are other circles of imports between the files of a crate than the stated ones.
fn no_other_circles(root: &str, stated: &[&[&str]]) {
    let files = Files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(root));
    let imports = files.imports();
    let found: BTreeSet<BTreeSet<String>> =
        circles(&imports).into_iter().map(|circle| circle.iter().map(shown).collect()).collect();
    let stated: BTreeSet<BTreeSet<String>> =
        stated.iter().map(|circle| circle.iter().map(|module| (*module).to_owned()).collect()).collect();
    let mut wrong = String::new();
    for circle in found.difference(&stated) {
        wrong += &format!("a circle of imports that is not stated: {circle:?}\n");
        for (from, to) in imports.iter().flat_map(|(from, all)| all.iter().map(move |to| (shown(from), shown(to)))) {
            if circle.contains(&from) && circle.contains(&to) {
                wrong += &format!("    {from} -> {to}\n");
            }
        }
    }
    for circle in stated.difference(&found) {
        wrong += &format!("stated, and no circle like this any more; shorten the list: {circle:?}\n");
    }
    assert!(wrong.is_empty(), "{root}:\n{wrong}");
}

fn shown(module: &Module) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("::") }
}

/// The sources of a crate without comments and tests.
struct Files(BTreeMap<Module, String>);

impl Files {
    fn read(root: &Path) -> Files {
        let mut files = BTreeMap::new();
        for path in sources(root).unwrap() {
            let relative = path.strip_prefix(root).unwrap().with_extension("");
            let mut module: Module = relative.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
            if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
                module.pop();
            }
            if module.iter().any(|name| name == "tests") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
            let code = code.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
            files.insert(module, code);
        }
        assert!(files.len() > 10, "{}", root.display());
        Files(files)
    }

    /// The module that a path leads to, and what is left of the path.
    fn module_of(&self, path: &[String]) -> (Module, Option<String>) {
        let known = (0..=path.len()).rev().find(|count| self.0.contains_key(&path[..*count])).unwrap();
        (path[..known].to_vec(), path.get(known).cloned())
    }

    /// The path from the crate's root that a path in `module` means; `None` for one into another crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let mut base = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (base, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            child => {
                base.push(child.to_owned());
                let is_child = self.0.contains_key(&base);
                base.pop();
                if !is_child {
                    return None;
                }
            }
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    /// For each module those whose items it names. An item that a module only passes on counts for the one that has it.
    fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let mut passed_on: BTreeMap<(Module, String), Vec<String>> = BTreeMap::new();
        let mut named: BTreeMap<Module, BTreeSet<Vec<String>>> = BTreeMap::new();
        for (module, code) in &self.0 {
            let named = named.entry(module.clone()).or_default();
            let (uses, rest) = uses(code);
            for Use { path, alias, passes_on } in uses {
                let Some(path) = self.absolute(module, &path) else { continue };
                match passes_on {
                    true => drop(passed_on.insert((module.clone(), alias), path)),
                    false => drop(named.insert(path)),
                }
            }
            let children = self.0.keys().filter(|other| other.len() == module.len() + 1 && other.starts_with(module));
            let children: Vec<&str> = children.filter_map(|child| child.last().map(String::as_str)).collect();
            let inline = paths(&rest, &children);
            named.extend(inline.iter().filter_map(|path| self.absolute(module, path)));
        }
        let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (module, paths) in named {
            for mut path in paths {
                let mut found = self.module_of(&path);
                for _ in 0..8 {
                    let (within, Some(name)) = &found else { break };
                    let Some(target) = passed_on.get(&(within.clone(), name.clone())) else { break };
                    path = target.iter().chain(path.iter().skip(within.len() + 1)).cloned().collect();
                    found = self.module_of(&path);
                }
                if found.0 != module {
                    imports.entry(module.clone()).or_default().insert(found.0);
                }
            }
        }
        imports
    }
}

fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(sources(&path)?),
            false if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            false => {}
        }
    }
    Ok(found)
}

/// One name that is imported.
struct Use {
    path: Vec<String>,
    /// What it is called from then on.
    alias: String,
    /// `pub use`.
    passes_on: bool,
}

/// What is imported with `use`, and the code without it.
fn uses(code: &str) -> (Vec<Use>, String) {
    let (mut found, mut rest) = (Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        let without = start.strip_prefix("pub").map(|after| match after.strip_prefix('(') {
            Some(inside) => inside.split_once(')').map_or("", |(_, after)| after).trim_start(),
            None => after.trim_start(),
        });
        let Some(tree) = without.unwrap_or(start).strip_prefix("use ") else {
            rest += line;
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree += lines.next().expect("a use ends");
        }
        expand(tree.split(';').next().unwrap(), &[], &mut |path, alias| {
            found.push(Use { path, alias, passes_on: without.is_some() });
        });
    }
    (found, rest)
}

/// Every name of a tree like `a::{b, c::{self, d as e}}`.
fn expand(tree: &str, prefix: &[String], take: &mut dyn FnMut(Vec<String>, String)) {
    let segments = |text: &str| -> Vec<String> {
        text.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let Some((head, inside)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
        let mut path: Vec<String> = prefix.iter().cloned().chain(segments(path)).collect();
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if let Some(last) = path.last().cloned() {
            take(path, alias.map_or(last, str::to_owned));
        }
        return;
    };
    let prefix: Vec<String> = prefix.iter().cloned().chain(segments(head)).collect();
    let inside = &inside[..inside.rfind('}').expect("a brace is closed")];
    let (mut depth, mut part) = (0, String::new());
    for character in inside.chars().chain([',']) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !part.trim().is_empty() {
                    expand(&part, &prefix, take);
                }
                part.clear();
                continue;
            }
            _ => {}
        }
        part.push(character);
    }
}

/// The paths in code that begin at the crate's root, above, or with one of these children.
fn paths(code: &str, children: &[&str]) -> Vec<Vec<String>> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut found = Vec::new();
    let mut before = ' ';
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        if !is_word(first) {
            before = first;
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let mut path = Vec::new();
        loop {
            let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            path.push(rest[..end].to_owned());
            rest = &rest[end..];
            match rest.strip_prefix("::") {
                Some(after) if after.starts_with(is_word) => rest = after,
                _ => break,
            }
        }
        let root = path[0].as_str();
        if before != ':'
            && before != '.'
            && path.len() > 1
            && (["crate", "super"].contains(&root) || children.contains(&root))
        {
            found.push(path);
        }
        before = 'a';
    }
    found
}

/// The groups of modules each of which leads to all others.
fn circles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> = imports
        .keys()
        .map(|from| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
            while let Some(next) = open.pop() {
                open.extend(imports.get(next).into_iter().flatten().filter(|to| seen.insert(*to)));
            }
            (from, seen)
        })
        .collect();
    let mut groups = BTreeSet::new();
    for (module, there) in reached.iter().filter(|(module, there)| there.contains(*module)) {
        let back = there.iter().filter(|other| reached.get(*other).is_some_and(|back| back.contains(*module)));
        groups.insert(back.map(|other| (*other).clone()).collect::<BTreeSet<Module>>());
    }
    groups.into_iter().collect()
}

#[test]
fn a_circle_is_found_through_what_a_module_passes_on() {
    let file = |module: &[&str], code: &str| {
        (module.iter().map(|name| (*name).to_owned()).collect::<Module>(), code.to_owned())
    };
    let files = Files(BTreeMap::from([
        file(&[], "mod a; mod b; mod c;"),
        file(&["a"], "pub use inner::Thing;\nmod inner;"),
        file(&["a", "inner"], "use crate::{b::{self, Other}, c};"),
        file(&["b"], "fn f() -> crate::a::Thing { super::c::g() }"),
        file(&["c"], "use std::fmt;"),
    ]));
    let circles = circles(&files.imports());
    let names = |circle: &BTreeSet<Module>| circle.iter().map(shown).collect::<Vec<_>>();
    assert_eq!(circles.iter().map(names).collect::<Vec<_>>(), [["a::inner", "b"]]);
}
