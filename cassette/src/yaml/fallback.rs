//! Reads any YAML through `serde_yaml`, because a person may have edited a file.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};

use crate::error::CassetteError;
use crate::{Value, files};

/// How deeply lists and maps may be nested. Ours are at most five deep.
pub(super) const MAX_DEPTH: usize = 64;

/// Reads one YAML document whose first line is line `first_line` of the file.
///
/// Refuses, apart from what is no YAML: tags, duplicate keys, keys that are no scalar, nesting deeper than
/// [`MAX_DEPTH`], and aliases that expand a small text too much.
pub(super) fn read(bytes: &[u8], file: &Path, first_line: u32) -> Result<Value, CassetteError> {
    read_with(bytes, file, first_line, Tags::Refused)
}

/// What happens to a value with a tag of its own (`!ruby/object:X`).
#[derive(Clone, Copy)]
pub(super) enum Tags {
    Refused,
    /// It becomes a map of the tag, with its exclamation mark, to the value.
    Named,
}

/// Does the same with a choice of what happens to tags.
pub(super) fn read_with(bytes: &[u8], file: &Path, first_line: u32, tags: Tags) -> Result<Value, CassetteError> {
    let shift = u64::from(first_line) - 1;
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() as u64;
        CassetteError::new(file, "not UTF-8").at_line(line + shift).advice("save the file as UTF-8")
    })?;
    if let Some((line, _)) = (1u64..).zip(text.lines()).find(|(_, line)| files::is_conflict(line.as_bytes())) {
        return Err(files::conflict(file, line + shift));
    }
    if let Some(line) = deep_line(text) {
        return Err(CassetteError::new(file, too_deep()).at_line(line + shift));
    }
    let budget = Budget { nodes: Cell::new(text.len() + 10_000), bytes: Cell::new(4 * text.len() + 1_000_000) };
    let seed = Node { depth: 0, budget: &budget, tags };
    seed.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| place(&error, file, shift))
}

fn too_deep() -> String {
    format!("lists and maps nested more than {MAX_DEPTH} deep")
}

/// Makes our error from one of `serde_yaml`, with lines of the file instead of lines of the item.
fn place(error: &serde_yaml::Error, file: &Path, shift: u64) -> CassetteError {
    let mut message = error.to_string();
    let location = error.location();
    if let Some(location) = &location {
        let suffix = format!(" at line {} column {}", location.line(), location.column());
        if let Some(shorter) = message.strip_suffix(&suffix) {
            message.truncate(shorter.len());
        }
    }
    let (path, problem) = match message.split_once(": ") {
        Some((path, problem)) if !path.contains(' ') => (path, problem),
        _ => ("", message.as_str()),
    };
    let path = path.trim_start_matches('.');
    let path = path.strip_prefix("[0]").unwrap_or(path);
    let new = CassetteError::new(file, shift_lines(problem, shift)).at_path(path.trim_start_matches('.'));
    match location {
        Some(location) => new.at_line(location.line() as u64 + shift).at_column(location.column() as u64),
        None => new.at_line(1 + shift),
    }
}

/// Changes every `at line N` of a message into a line of the file.
fn shift_lines(message: &str, shift: u64) -> String {
    let mut parts = message.split("at line ");
    let mut shifted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        match number.parse::<u64>() {
            Ok(number) => shifted.push_str(&format!("at line {}{rest}", number + shift)),
            Err(_) => shifted.push_str(&format!("at line {part}")),
        }
    }
    shifted
}

/// How much a document may amount to when its aliases are followed.
struct Budget {
    nodes: Cell<usize>,
    bytes: Cell<usize>,
}

#[derive(Clone, Copy)]
struct Node<'b> {
    depth: usize,
    budget: &'b Budget,
    tags: Tags,
}

impl Node<'_> {
    fn spend<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let left = |cell: &Cell<usize>, cost| cell.get().checked_sub(cost).map(|rest| cell.set(rest));
        match (left(&self.budget.nodes, 1), left(&self.budget.bytes, bytes)) {
            (Some(()), Some(())) => Ok(()),
            _ => Err(E::custom("aliases make this far larger than it looks: write the values out")),
        }
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        self.spend(0)?;
        if self.depth == MAX_DEPTH {
            return Err(E::custom(too_deep()));
        }
        Ok(Node { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, true, false, a number, text, a list or a map")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.spend(0).map(|()| Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        self.spend(0).map(|()| Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        self.visit_i128(i128::from(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        self.visit_i128(i128::from(number))
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<Value, E> {
        self.spend(0).map(|()| Value::Int(number))
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Value, E> {
        let number = i128::try_from(number).map_err(|_| E::custom("an integer too large for any ODBC type"))?;
        self.visit_i128(number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        self.spend(0).map(|()| Value::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.spend(text.len()).map(|()| Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let (seed, mut items) = (self.deeper()?, Vec::new());
        while let Some(item) = list.next_element_seed(seed)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let (seed, mut pairs, mut known) = (self.deeper()?, Vec::new(), HashSet::new());
        while let Some(key) = map.next_key_seed(seed)? {
            let key = match key {
                Value::Text(key) => key,
                Value::Int(number) => number.to_string(),
                // a tagged text
                Value::Map(tagged) if matches!(&tagged[..], [(_, Value::Text(_))]) => {
                    tagged.into_iter().filter_map(|(_, text)| text.as_text().map(str::to_owned)).collect()
                }
                _ => return Err(A::Error::custom("a key that is not text: put it in quotes")),
            };
            if !known.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key `{key}` appears twice")));
            }
            pairs.push((key, map.next_value_seed(seed)?));
        }
        Ok(Value::Map(pairs))
    }

    /// Reads a value with a tag of its own.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        if let Tags::Refused = self.tags {
            return Err(A::Error::custom("a tag (`!...`), which is not read: write the value without it"));
        }
        let (tag, value): (String, _) = tagged.variant()?;
        let value = value.newtype_variant_seed(self.deeper()?)?;
        Ok(Value::Map(vec![(format!("!{}", tag.trim_start_matches('!')), value)]))
    }
}

/// Returns the line (from 1) where lists and maps are nested more deeply than in any cassette, if there is one.
///
/// Follows brackets and dashes past quotes, comments and literal blocks, in one pass. It may take a bracket inside a
/// bare text for one that opens a list. That errs on the side of depth, and a text with 64 of those is no bare text.
fn deep_line(text: &str) -> Option<u64> {
    let mut walk = Walk { open: 0, quote: None, block: None };
    let mut lines = (1u64..).zip(text.lines());
    lines.find_map(|(number, line)| walk.line(line.as_bytes()).then_some(number))
}

struct Walk {
    /// How many brackets and braces are open.
    open: usize,
    /// The quote that ends a text over several lines.
    quote: Option<u8>,
    /// The indentation that the lines of a literal block exceed.
    block: Option<usize>,
}

impl Walk {
    /// Says whether this line goes too deep.
    fn line(&mut self, line: &[u8]) -> bool {
        let mut at = line.iter().take_while(|&&byte| byte == b' ').count();
        if let Some(parent) = self.block {
            if at > parent || line.trim_ascii().is_empty() {
                return false;
            }
            self.block = None;
        }
        let (mut parent, mut after_dash, mut dashes) = (at, false, 0);
        if self.open == 0 && self.quote.is_none() {
            while let [b'-' | b'?' | b':', b' ' | b'\t', rest @ ..] = &line[at..] {
                parent = at;
                after_dash = true;
                dashes += 1;
                at += 2 + rest.iter().take_while(|&&byte| byte == b' ').count();
            }
        }
        // spaces before the first dash of a line: each level of a block takes at least one
        if dashes > MAX_DEPTH {
            return true;
        }
        let content = at;
        let mut may_begin = true;
        while let Some(&byte) = line.get(at) {
            at += 1;
            if let Some(quote) = self.quote {
                match byte {
                    b'\\' if quote == b'"' => at += 1,
                    _ if byte == quote => self.quote = None,
                    _ => {}
                }
                may_begin = false;
                continue;
            }
            match byte {
                b'"' | b'\'' if may_begin => self.quote = Some(byte),
                b'#' if at == 1 || matches!(line[at - 2], b' ' | b'\t') => return false,
                b'[' | b'{' if may_begin || self.open > 0 => self.open += 1,
                b']' | b'}' => self.open = self.open.saturating_sub(1),
                b'|' | b'>' if may_begin && self.open == 0 && is_header(&line[at..]) => {
                    self.block = Some(if after_dash && at - 1 != content { content } else { parent });
                }
                _ => {}
            }
            if self.open > MAX_DEPTH {
                return true;
            }
            may_begin = match byte {
                b' ' | b'\t' => true,
                b'[' | b'{' | b',' | b':' => self.open > 0,
                _ => false,
            };
        }
        false
    }
}

/// Says whether this may follow the `|` or `>` of a block on its line.
fn is_header(rest: &[u8]) -> bool {
    let after = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-')).unwrap_or(rest.len());
    matches!(rest[after..].trim_ascii().first(), None | Some(b'#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> CassetteError {
        read(text.as_bytes(), Path::new("commands.yml"), 11).unwrap_err()
    }

    #[test]
    fn what_a_person_may_write_is_read() {
        let text = "- a: &here 'it''s' # why\n  b: [~, 0x1F, yes, .5, -9223372036854775809, *here]\n  c: >-\n    one\n    two\n  10:\n";
        let list = vec![
            Value::Null,
            Value::Int(31),
            "yes".into(),
            Value::Float(0.5),
            Value::Int(-9223372036854775809),
            "it's".into(),
        ];
        let map = vec![
            ("a".to_owned(), "it's".into()),
            ("b".to_owned(), Value::List(list)),
            ("c".to_owned(), "one two".into()),
            ("10".to_owned(), Value::Null),
        ];
        let expected = Value::List(vec![Value::Map(map)]);
        assert_eq!(read(text.as_bytes(), Path::new("x"), 1), Ok(expected.clone()));
        assert_eq!(read(text.replace('\n', "\r\n").as_bytes(), Path::new("x"), 1), Ok(expected));
    }

    #[test]
    fn errors_tell_the_line_of_the_file() {
        let error = problem("- a: 1\n  b: \"x\n");
        assert_eq!(error.file(), Path::new("commands.yml"));
        assert!(error.line().is_some_and(|line| (12..=13).contains(&line)), "{error}");
        assert!(!error.to_string().contains("line 2"), "{error}");
        let error = problem("- a: 1\n  b:\n    c: !odd 1\n");
        assert_eq!((error.line(), error.path()), (Some(13), "b.c"), "{error}");
        let error = problem("- a: 1\n  a: 2\n");
        assert!(error.line().is_some() && error.problem().contains("`a` appears twice"), "{error}");
        assert!(problem("- [1]: 2\n").problem().contains("not text"));
        assert!(problem("- a: 340282366920938463463374607431768211455\n").problem().contains("too large"));
        let error = read(b"- a\n- b\n- \xff\n", Path::new("x"), 11).unwrap_err();
        assert_eq!((error.line(), error.problem()), (Some(13), "not UTF-8"));
    }

    #[test]
    fn tags_are_refused_or_named() {
        let text = "- a: !ruby/object:X\n    b: 1\n  c: !binary |-\n    w6k=\n  ? !binary |-\n    w6k=\n  : ~\n";
        assert!(problem(text).problem().contains("a tag"));
        let read = read_with(text.as_bytes(), Path::new("x"), 1, Tags::Named).unwrap();
        let item = &read.as_list().unwrap()[0];
        assert_eq!(item.get("a").unwrap().get("!ruby/object:X").unwrap().get("b"), Some(&Value::Int(1)));
        assert_eq!(item.get("c").unwrap().get("!binary"), Some(&"w6k=".into()));
        assert_eq!(item.get("w6k="), Some(&Value::Null));
    }

    #[test]
    fn bombs_are_refused_early() {
        let deep = problem(&format!("- {}", "[".repeat(200_000)));
        assert_eq!((deep.line(), deep.problem()), (Some(11), too_deep().as_str()));
        let levels: String = (0..65).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert!(problem(&levels).problem().contains(&too_deep()));
        let mut bomb = "- a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let parts = format!("*a{}, ", level - 1).repeat(9);
            bomb.push_str(&format!("  a{level}: &a{level} [{parts}]\n"));
        }
        assert!(problem(&bomb).problem().contains("aliases"));
        let wide = format!("- a: &a \"{}\"\n  b: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1000));
        assert!(problem(&wide).problem().contains("aliases"));
    }

    #[test]
    fn deep_nesting_is_found_in_every_form() {
        let deep = ["[".repeat(65), "{".repeat(65), "[{\"a\": ".repeat(33), "- ".repeat(65), "? ".repeat(65)];
        for text in deep {
            assert_eq!(deep_line(&format!("- a: 1\n{text}")), Some(2), "{text}");
        }
        assert_eq!(deep_line(&format!("- a: |\n    x\n  b: {}", "[".repeat(65))), Some(3));
        assert_eq!(deep_line(&format!("- a: 'x'\n  b: [\n{}", "[\n".repeat(65))), Some(66));
    }

    #[test]
    fn what_only_looks_deep_is_left_alone() {
        let many = "[".repeat(100);
        for text in [
            format!("- a: \"{many}\"\n"),
            format!("- a: \"\\\"{many}\"\n"),
            format!("- a: '{many}\n    {many}'\n"),
            format!("- a: 1 # {many}\n# {many}\n"),
            format!("- a: x{many}\n"),
            format!("- |\n  {many}\n\n   {many}\n"),
            format!("- a: |2-\n    {many}\n- b: >+ # folded\n    {many}\n"),
            "- [[1], [2], {a: [3]}]\n".repeat(100),
            "[".repeat(64),
        ] {
            assert_eq!(deep_line(&text), None, "{text}");
        }
    }
}
