//! Parses the pages of the documentation for tests: code, links, headings, and listings that can be run.

use crate::products::repository;
use std::fs;
use std::path::{Path, PathBuf};

/// A page of Markdown.
#[derive(Debug)]
pub struct Page {
    /// Its path in the repository.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A fenced block.
#[derive(Debug)]
pub struct Block<'p> {
    /// The number of its first line in the page.
    pub line: usize,
    /// The word after the fence, such as `sh`.
    pub language: &'p str,
    /// The file's name, if the line before the fence ends with one in backticks and a colon.
    pub name: Option<&'p str>,
    /// What is in it.
    pub text: &'p str,
}

/// One step of a listing, in the order of the page.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'p> {
    /// A block whose file is named on the line before: `` `name`: ``.
    File {
        /// The file's path.
        name: &'p str,
        /// What is in it.
        content: &'p str,
    },
    /// A line of a `console` block after `$ `, and the output that the page shows below it.
    Command {
        /// What is typed.
        line: &'p str,
        /// The output as the page shows it.
        output: &'p str,
    },
}

/// Returns README.md, CONTRIBUTING.md and all pages below docs/, sorted by name.
pub fn pages() -> Vec<Page> {
    let mut pages: Vec<Page> = ["README.md", "CONTRIBUTING.md"].map(Page::read).into();
    collect(&repository().join("docs"), &mut pages);
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    pages
}

fn collect(directory: &Path, pages: &mut Vec<Page>) {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, pages);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            let name = path.strip_prefix(repository()).unwrap_or(&path).display().to_string();
            pages.push(Page::read(&name));
        }
    }
}

impl Page {
    /// Reads a page of the repository.
    pub fn read(name: &str) -> Page {
        let text = fs::read_to_string(repository().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Page { name: name.to_owned(), text }
    }

    /// Returns the page's file.
    pub fn path(&self) -> PathBuf {
        repository().join(&self.name)
    }

    /// Returns every line of a fenced or indented block, with `\` at its end joined to the next, and every piece of inline code.
    pub fn code(&self) -> Vec<String> {
        let (mut code, mut fenced, mut joined) = (Vec::new(), false, String::new());
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if fenced || line.starts_with("    ") {
                joined.push_str(line);
                if joined.ends_with('\\') {
                    joined.pop();
                } else {
                    code.push(std::mem::take(&mut joined));
                }
            } else {
                code.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
            }
        }
        code
    }

    /// Returns the targets of its links, except those to other servers.
    pub fn links(&self) -> Vec<&str> {
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.map(|(target, _)| target).filter(|target| !target.contains("://")).collect()
    }

    /// Whether a heading has this anchor, by GitHub's rule.
    pub fn has_anchor(&self, anchor: &str) -> bool {
        let mut fenced = false;
        self.text.lines().any(|line| {
            fenced ^= line.starts_with("```");
            !fenced && line.starts_with('#') && slug(line.trim_start_matches('#').trim()) == anchor
        })
    }

    /// Returns its fenced blocks.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let (mut blocks, mut before) = (Vec::new(), "");
        let mut rest = self.text.as_str();
        while let Some((text, block)) = rest.split_once("\n```") {
            before = text.trim_end().rsplit('\n').next().unwrap_or(before);
            let (language, block) = block.split_once('\n').unwrap_or_default();
            let (block, after) = match block.strip_prefix("```") {
                Some(after) => ("", after),
                None => block.split_at(block.find("\n```").map_or(block.len(), |end| end + 1)),
            };
            rest = after.strip_prefix("```").unwrap_or(after);
            let name = before.rsplit_once('`').filter(|(_, colon)| *colon == ":");
            let name = name.and_then(|(start, _)| Some(start.rsplit_once('`')?.1));
            let line = self.text[..block.as_ptr() as usize - self.text.as_ptr() as usize].lines().count() + 1;
            blocks.push(Block { line, language, name, text: block });
        }
        blocks
    }

    /// The blocks that are set in by four blanks: the number of the first line of each, and its text without the blanks. As in
    /// Markdown, a block begins behind an empty line.
    pub fn set_in(&self) -> Vec<(usize, String)> {
        let mut blocks: Vec<(usize, String)> = Vec::new();
        let (mut fenced, mut within, mut before) = (false, false, "");
        for (number, line) in (1..).zip(self.text.lines()) {
            fenced ^= line.starts_with("```");
            match (line.strip_prefix("    ").filter(|_| !fenced), blocks.last_mut()) {
                (Some(line), Some((_, text))) if within => *text += &format!("{line}\n"),
                (Some(line), _) if before.is_empty() => {
                    blocks.push((number, format!("{line}\n")));
                    within = true;
                }
                _ => within = false,
            }
            before = line;
        }
        blocks
    }

    /// Returns what a reader who follows the page types.
    pub fn listing(&self) -> Vec<Step<'_>> {
        let steps = self.blocks().into_iter().flat_map(|block| match block {
            Block { language: "console", text, .. } => commands(text),
            Block { name: Some(name), text, .. } => vec![Step::File { name, content: text }],
            _ => Vec::new(),
        });
        steps.collect()
    }
}

fn commands(block: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = block;
    while let Some(command) = rest.strip_prefix("$ ") {
        // a line after `> ` belongs to the command above it
        let mut end = command.find('\n').unwrap_or(command.len());
        while command[end..].starts_with("\n> ") {
            end += 3;
            end += command[end..].find('\n').unwrap_or(command.len() - end);
        }
        let (line, after) = command.split_at(end);
        let after = after.strip_prefix('\n').unwrap_or(after);
        let end = if after.starts_with("$ ") { 0 } else { after.find("\n$ ").map_or(after.len(), |end| end + 1) };
        let (output, after) = after.split_at(end);
        steps.push(Step::Command { line, output });
        rest = after;
    }
    assert!(rest.is_empty(), "a console block begins with a command: {block}");
    steps
}

/// Returns the anchor that GitHub gives a heading.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Beginnings of Rust code that makes an error or warning for users; a literal follows.
const MADE: [&str; 16] = [
    "CassetteError::new(",
    "CassetteError::torn(",
    "CassetteError::busy(",
    "Failure::new(",
    "Failure(format!(",
    "Failure(",
    "DriverError::new(",
    "SettingsError::new(",
    "SettingsError(format!(",
    "NoCassette(format!(",
    "Absent(format!(",
    "TraceIdError(format!(",
    "Diagnostic::new(",
    "let told = || format!(",
    "\"[super8] ",
    "say(format_args!(",
];

/// The same for the packages' languages, on one line.
const MADE_IN_PACKAGES: [&str; 4] = ["raise ", "throw new ", "told = ", " || `"];

/// Returns the first literal of each error that a user may see, in the sources of the libraries, the command and the
/// packages; `{}` and the like become `...`.
pub fn error_texts() -> Vec<String> {
    let mut texts = Vec::new();
    for directory in RUST {
        sources(&repository().join(directory), &["rs"], &mut |source| {
            let product = source.split("#[cfg(test)]").next().unwrap_or_default();
            for made in MADE {
                for call in product.split(made).skip(1) {
                    let call = if made.ends_with(' ') { &format!("\"{call}") } else { call };
                    // skips calls whose argument is no literal
                    let before = call.split('"').next().unwrap_or_default();
                    if ![";", "\n}", ".advice(", ".at_path("].iter().any(|end| before.contains(end)) {
                        texts.extend(literal(call, &['"']));
                    }
                }
            }
        });
    }
    for directory in PACKAGES {
        sources(&repository().join(directory), &["py", "rb", "js", "mjs"], &mut |source| {
            for made in MADE_IN_PACKAGES {
                let calls = source.lines().filter_map(|line| line.split_once(made));
                texts.extend(calls.filter_map(|(_, call)| literal(call, &['"', '\'', '`'])));
            }
        });
    }
    texts
}

/// The directories of the product's sources.
const RUST: [&str; 7] =
    ["cassette/src", "matching/src", "shim/src", "shim/ansi/src", "cli/src", "client/src", "packages/rust/src"];
const PACKAGES: [&str; 3] = ["packages/python/src", "packages/ruby/lib", "packages/node"];

/// Returns all sources of the product as one text, with literals that span several lines joined.
pub fn product_sources() -> String {
    let mut all = String::new();
    for directory in RUST.iter().chain(&PACKAGES) {
        sources(&repository().join(directory), &["rs", "py", "rb", "js", "mjs"], &mut |source| {
            let mut lines = source.lines().peekable();
            while let Some(line) = lines.next() {
                match line.strip_suffix('\\') {
                    Some(line) => {
                        all.push_str(line);
                        if let Some(next) = lines.peek_mut() {
                            *next = next.trim_start();
                        }
                    }
                    None => all.extend([line, "\n"]),
                }
            }
        });
    }
    all
}

fn sources(directory: &Path, endings: &[&str], with: &mut dyn FnMut(&str)) {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, endings, with);
        } else if path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) {
            with(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

/// Returns the first literal of some code, between two of these `quotes`, joined to one line, with `...` for what is filled in.
fn literal(code: &str, quotes: &[char]) -> Option<String> {
    let start = code.find(quotes)?;
    let mut characters = code[start..].chars().peekable();
    let quote = characters.next()?;
    let (mut text, mut inside) = (String::new(), 0);
    while let Some(c) = characters.next() {
        match c {
            _ if c == quote && inside == 0 => break,
            '\\' if characters.peek() == Some(&'\n') => while characters.next_if(|c| c.is_whitespace()).is_some() {},
            '\\' if characters.next_if_eq(&'n').is_some() => text.push(' '),
            '\\' => text.extend(characters.next()),
            '{' => {
                inside += 1;
                // Ruby writes `#{`, JavaScript `${`
                text.truncate(text.trim_end_matches(['#', '$']).len());
            }
            '}' if inside > 0 => {
                inside -= 1;
                text.push_str("...");
            }
            _ if inside > 0 => {}
            c => text.push(c),
        }
    }
    Some(text)
}
