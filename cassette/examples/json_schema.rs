//! Prints docs/commands.schema.json, made from the schema: `cargo run -p super8-cassette --example json_schema`.

use serde_json::{Map, Value, json};
use super8_cassette::faults::FaultKind;
use super8_cassette::schema::{BY_HAND, COMMON, Shape};
use super8_cassette::words::{C_TYPES, FUNCTIONS, RETURNS};
use super8_cassette::{Key, Method};

fn main() {
    print!("{}", page());
}

/// The JSON Schema of a commands.yml, recorded or written by hand.
pub fn page() -> String {
    let entries: Vec<Value> = Method::ALL.iter().map(|method| entry(*method)).collect();
    let group = json!({
        "description": Key::Unordered.doc().trim(),
        "type": "object",
        "properties": { Key::Unordered.name(): { "type": "array", "items": { "$ref": "#/$defs/entry" } } },
        "required": [Key::Unordered.name()],
        "additionalProperties": false,
    });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "commands.yml of a super8 cassette",
        "description": "Made from cassette/src/schema.rs: cargo xtask docs",
        "type": "array",
        "items": { "oneOf": [{ "$ref": "#/$defs/entry" }, group] },
        "$defs": { "entry": { "oneOf": entries } },
    });
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// What an entry of a method may have.
fn entry(method: Method) -> Value {
    let mut properties = Map::new();
    properties.insert("method".to_owned(), json!({ "const": method.name(), "description": method.functions().trim() }));
    properties.insert("connection_id".to_owned(), json!({ "type": "string", "pattern": "^[a-z]{1,7}$" }));
    properties.insert("statement_id".to_owned(), json!({ "type": ["integer", "null"], "minimum": 1 }));
    let keys = method.fields().iter().map(|(key, _)| *key).chain(COMMON);
    let by_hand = BY_HAND.into_iter().filter(|key| method.takes_by_hand(*key));
    for key in keys.chain(by_hand) {
        let mut form = match key {
            _ if method.takes_by_hand(key) => by_hand_form(key),
            _ => method.shape(key).map_or_else(|| json!({}), form),
        };
        if let Some(form) = form.as_object_mut() {
            form.insert("description".to_owned(), json!(key.doc().trim()));
        }
        properties.insert(key.name().to_owned(), form);
    }
    json!({ "type": "object", "properties": properties, "required": ["method"], "additionalProperties": false })
}

fn by_hand_form(key: Key) -> Value {
    match key {
        Key::Columns => json!({ "type": ["array", "object"] }),
        Key::Rows => json!({ "type": "array", "items": { "type": "array" } }),
        Key::RowCount => json!({ "type": "integer" }),
        Key::Times => {
            json!({ "oneOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": "^[0-9]+\\.\\.$" }] })
        }
        Key::Match => form(Shape::Matching),
        Key::Fault => form(Shape::Fault),
        _ => json!({}),
    }
}

fn form(shape: Shape) -> Value {
    let c_type = || json!({ "oneOf": [{ "enum": C_TYPES.to_vec() }, { "type": "integer" }, { "type": "string", "pattern": "^-?[0-9]+$" }] });
    let word = |words: &[&str]| json!({ "oneOf": [{ "enum": words }, { "type": "integer" }] });
    let map = |words: &[&str]| {
        let properties: Map<String, Value> = words.iter().map(|word| ((*word).to_owned(), json!({}))).collect();
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    };
    match shape {
        Shape::Any | Shape::Reply => json!({}),
        Shape::Text | Shape::File => json!({ "type": "string" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Count | Shape::Rows => json!({ "type": "integer", "minimum": 0 }),
        Shape::Return => word(&RETURNS.map(|(_, name)| name)),
        Shape::Diagnostics => json!({ "type": "array", "items": { "type": "object" } }),
        Shape::CType => c_type(),
        Shape::CTypes => json!({ "type": "array", "items": { "oneOf": [c_type(), { "type": "null" }] } }),
        Shape::Types => json!({ "type": "array" }),
        Shape::Function => word(&FUNCTIONS),
        Shape::Cells => json!({ "type": "array", "items": { "type": "array" } }),
        Shape::Outcomes | Shape::Calls => json!({ "type": "array", "items": { "type": "object" } }),
        Shape::ConnectAttributes | Shape::StatementAttributes => map(shape.words()),
        Shape::Hidden => json!({ "enum": shape.words() }),
        Shape::Matching => json!({ "enum": shape.words() }),
        Shape::Delay => json!({ "type": "string", "pattern": "^[0-9.]+(ms|s|m)$" }),
        Shape::Fault => {
            json!({ "oneOf": [{ "enum": FaultKind::NAMED.map(|kind| kind.name().to_owned()) }, { "type": "integer" }, { "type": "string", "pattern": "^[0-9A-Z]{5}$" }] })
        }
        Shape::About | Shape::Orientation | Shape::Operation | Shape::Lock | Shape::ConnectAttribute => {
            word(shape.words())
        }
    }
}
