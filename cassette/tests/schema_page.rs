//! docs/commands.schema.json is what its generator prints, and every cassette of the repository keeps to it.

#[path = "../examples/json_schema.rs"]
#[allow(dead_code)] // its `main`
mod json_schema;

use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value;

fn schema() -> Value {
    serde_json::from_str(&json_schema::page()).unwrap()
}

/// What is wrong with a value, by the words of JSON Schema that the page uses; `None` if nothing is.
fn wrong(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let words = schema.as_object().unwrap();
    for (word, says) in words {
        let fits = match word.as_str() {
            "$schema" | "title" | "description" | "$defs" | "properties" => true,
            "$ref" => return wrong(root, &root["$defs"][says.as_str()?.rsplit('/').next()?], value),
            "const" => says == value,
            "enum" => says.as_array()?.contains(value),
            "type" => {
                let is = |kind: &Value| match kind.as_str().unwrap_or_default() {
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("{other}"),
                };
                says.as_array().map_or_else(|| is(says), |kinds| kinds.iter().any(is))
            }
            "minimum" => value.as_i64().is_none_or(|number| Some(number) >= says.as_i64()),
            "pattern" => value.as_str().is_none_or(|text| Regex::new(says.as_str().unwrap()).unwrap().is_match(text)),
            "required" => value
                .as_object()
                .is_none_or(|map| says.as_array().unwrap().iter().all(|key| map.contains_key(key.as_str().unwrap()))),
            "additionalProperties" => {
                let known = words["properties"].as_object().unwrap();
                if let Some(other) = value.as_object().and_then(|map| map.keys().find(|key| !known.contains_key(*key)))
                {
                    return Some(format!("{other} is not a key"));
                }
                true
            }
            "items" => {
                if let Some(problem) =
                    value.as_array().and_then(|items| items.iter().find_map(|item| wrong(root, says, item)))
                {
                    return Some(problem);
                }
                true
            }
            "oneOf" => {
                let all: Vec<Option<String>> = says.as_array()?.iter().map(|one| wrong(root, one, value)).collect();
                if all.iter().filter(|one| one.is_none()).count() != 1 {
                    return Some(format!("{value} is none or several of {all:?}"));
                }
                true
            }
            other => panic!("{other}: this test does not know the word"),
        };
        if !fits {
            return Some(format!("{value} is not {word} {says}"));
        }
    }
    let properties = words.get("properties").and_then(Value::as_object);
    let of =
        |(key, own): (&String, &Value)| wrong(root, own, value.get(key)?).map(|problem| format!("{key}: {problem}"));
    properties.filter(|_| value.is_object()).and_then(|properties| properties.iter().find_map(of))
}

fn read(log: &str) -> Value {
    serde_yaml::from_str(log).unwrap_or_else(|error| panic!("{error}\n{log}"))
}

/// The logs below a directory.
fn logs(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => logs(&path, found),
            false if path.ends_with("commands.yml") => found.push(path),
            false => {}
        }
    }
}

#[test]
fn the_page_is_made_from_the_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/commands.schema.json");
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == json_schema::page(), "docs/commands.schema.json is out of date: cargo xtask docs");
}

#[test]
fn every_cassette_keeps_to_it() {
    let (schema, mut found) = (schema(), Vec::new());
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for directory in ["cassettes", "tests/cassettes"] {
        logs(&repository.join(directory), &mut found);
    }
    assert!(found.len() > 5, "{found:?}");
    for log in found {
        let problem = wrong(&schema, &schema, &read(&std::fs::read_to_string(&log).unwrap()));
        assert_eq!(problem, None, "{}", log.display());
    }
}

#[test]
fn what_the_reader_refuses_it_refuses() {
    let schema = schema();
    let refused = |log: &str| wrong(&schema, &schema, &read(log)).is_some();
    assert!(!refused(
        "- {method: connect}\n- unordered:\n  - {method: run, sql: a, times: 0.., match: spaces, rows: [[1]]}\n"
    ));
    for log in [
        "- {method: conect}",
        "- {sql: a}",
        "- {method: run, sql: a, colums: {a: INTEGER}}",
        "- {method: run, sql: 1}",
        "- {method: run, sql: a, rows: [1]}",
        "- {method: run, sql: a, times: often}",
        "- {method: run, sql: a, return: SQL_EROR}",
        "- {method: fetch, result: [x], c_types: [SLOGN]}",
        "- {method: commit, rows: [[1]]}",
        "- unordered: {method: run}",
    ] {
        assert!(refused(log), "{log}");
    }
}
