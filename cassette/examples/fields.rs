//! Prints docs/cassette-fields.md, made from the schema: `cargo run -p super8-cassette --example fields`.

use std::fmt::Write;

use super8_cassette::details::Map;
use super8_cassette::schema::{BY_HAND, COMMON, Class, Method, Role, Shape};
use super8_cassette::{Detail, Key};

fn main() {
    print!("{}", page());
}

const INTRODUCTION: &str = "\
<!-- Made from cassette/src/schema.rs and details.rs: cargo xtask docs -->

# Methods and fields

Every method and every field that `commands.yml` and the info files may have. A key that is not listed for its method is refused
with its line and the nearest right one. [The cassette format](cassette-format.md) explains how they work together.

## Methods

A *command* reaches the database, and replay wants it in the recorded order. An *answer* is the reply to a question, given as often
as it is asked. *Housekeeping* is recorded where it happened, and replay never insists on it.

";

const WRITTEN: &str = "
## Cassettes written by hand

In [a cassette that a person wrote](how-to/mock.md) entries may have these fields as well, and ids may be missing:

";

const FIELDS: &str = "
## Fields

An *input* is compared, even if the program leaves it out. A *question* field is compared where the program says it. A *reply* is
never compared: replay hands it out. A *mark* says something about the entry itself.

";

const MAPS: &str = "
## Maps inside values

These maps have keys of their own:

";

/// The page.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("| Method | Class | ODBC functions | Fields |\n| --- | --- | --- | --- |\n");
    for method in Method::ALL {
        let class = match method.class() {
            Class::Command => "command",
            Class::Answer => "answer",
            Class::Housekeeping => "housekeeping",
        };
        let fields: Vec<String> = method.fields().iter().map(|(key, _)| format!("`{key}`")).collect();
        let (name, functions) = (method.name(), method.functions().trim());
        // writing to a string cannot fail
        let _ = writeln!(page, "| `{name}` | {class} | {functions} | {} |", fields.join(", "));
    }
    let common: Vec<String> = COMMON.iter().map(|key| format!("`{key}`")).collect();
    let _ = writeln!(page, "\nAn entry of any method may also have {}.", common.join(", "));
    page.push_str(WRITTEN);
    page.push_str("| Field | Methods |\n| --- | --- |\n");
    for key in BY_HAND {
        let methods = Method::ALL.iter().filter(|method| method.takes_by_hand(key));
        let methods: Vec<String> = methods.map(|method| format!("`{}`", method.name())).collect();
        let _ = writeln!(page, "| `{key}` | {} |", methods.join(", "));
    }
    let _ = writeln!(page, "\n`{}` stands in the place of an entry, with a list of entries.", Key::Unordered);
    page.push_str(FIELDS);
    page.push_str("| Field | Part | Meaning | Value |\n| --- | --- | --- | --- |\n");
    for key in Key::ALL {
        let part = match key.role() {
            Role::Input => "input",
            Role::Question => "question",
            Role::Reply => "reply",
            Role::Mark => "mark",
        };
        let shapes = shapes(*key);
        if !shapes.is_empty() {
            let _ = writeln!(page, "| `{key}` | {part} | {} | {} |", key.doc().trim(), shapes.join(" "));
        }
    }
    page.push_str(MAPS);
    for map in Map::ALL {
        let details: Vec<String> = map.details().iter().map(|detail| format!("`{detail}`")).collect();
        let _ = writeln!(page, "- {}: {}", map.doc().trim(), details.join(", "));
    }
    page.push_str("\n| Key | Meaning |\n| --- | --- |\n");
    for detail in Detail::ALL {
        let _ = writeln!(page, "| `{detail}` | {} |", detail.doc().trim());
    }
    page
}

/// The forms of a field's value, where it is not any value: one for all methods, or one for each that says otherwise.
fn shapes(key: Key) -> Vec<String> {
    let mut shapes: Vec<(Shape, Vec<&str>)> = Vec::new();
    if key == Key::Match {
        return vec![form(Shape::Matching)];
    }
    if BY_HAND.contains(&key) && Method::ALL.iter().all(|method| method.shape(key).is_none()) || key == Key::Unordered {
        return vec![String::new()];
    }
    for method in Method::ALL {
        let Some(shape) = method.shape(key) else { continue };
        match shapes.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, methods)) => methods.push(method.name()),
            None => shapes.push((shape, vec![method.name()])),
        }
    }
    match &shapes[..] {
        [(Shape::Any, _)] => vec![String::new()],
        [(shape, _)] => vec![form(*shape)],
        several => several
            .iter()
            .filter(|(shape, _)| *shape != Shape::Any)
            .map(|(shape, methods)| format!("In `{}`: {}", methods.join("`, `"), form(*shape)))
            .collect(),
    }
}

fn form(shape: Shape) -> String {
    match shape.words() {
        [] => shape.doc().trim().to_owned(),
        words => format!("{} `{}`", shape.doc().trim(), words.join("`, `")),
    }
}
