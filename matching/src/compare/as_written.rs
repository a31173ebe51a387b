//! Compares what is asked with an entry written by hand. What the entry leaves out is not compared, numbers and texts
//! are equal whatever type they are sent in, and an SQL text may be compared without regard to blanks, or with holes.

use super8_cassette::{Entry, Fields, Key, Value};

/// Returns what is asked in the form that the entry has, wherever the two agree.
pub(crate) fn accepted(written: &Entry, asked: &Entry) -> Entry {
    let fields = asked.fields.iter().filter_map(|(key, value)| {
        let own = written.get(*key)?;
        let said = match (key, own, value) {
            (Key::Sql, Value::Text(own), Value::Text(sql)) if fits(written, own, sql) => Value::from(own.as_str()),
            (Key::Params, own, value) => parameters(own, value),
            (Key::Arguments | Key::Attributes, Value::Map(own), Value::Map(pairs)) => {
                let said = pairs.iter().filter(|(name, _)| own.iter().any(|(known, _)| known == name));
                Value::Map(said.cloned().collect())
            }
            _ => value.clone(),
        };
        Some((*key, said))
    });
    Entry { fields: fields.collect::<Fields>(), ..asked.clone() }
}

/// Says whether an SQL text matches that of an entry.
pub(crate) fn fits(written: &Entry, own: &str, sql: &str) -> bool {
    match written.get(Key::Match).and_then(Value::as_text) {
        Some("spaces") => without_blanks(own) == without_blanks(sql),
        Some("pattern") => fill(&pieces(own), sql, &mut Vec::new()),
        _ => own == sql,
    }
}

/// Returns what is asked with the entry's parameters in place of those that are equal to them.
fn parameters(own: &Value, asked: &Value) -> Value {
    match (own, asked) {
        (Value::List(own), Value::List(asked)) => {
            let said = asked
                .iter()
                .enumerate()
                .map(|(at, value)| own.get(at).map_or_else(|| value.clone(), |own| parameters(own, value)));
            Value::List(said.collect())
        }
        _ if says(own, asked) => own.clone(),
        _ => asked.clone(),
    }
}

/// Says whether a value is what a person wrote, in whatever type the program sends it.
fn says(own: &Value, asked: &Value) -> bool {
    // a value whose C type has no form in YAML is a map of that type to the value
    let asked = match asked {
        Value::Map(pairs) => match &pairs[..] {
            [(c_type, value)] if c_type != "sha256" => value,
            _ => asked,
        },
        _ => asked,
    };
    match (own, asked) {
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => number(own) == number(asked),
        (Value::Int(own), Value::Text(text)) => match text.trim().parse::<i128>() {
            Ok(asked) => asked == *own,
            Err(_) => text.trim().parse::<f64>().is_ok_and(|asked| asked == *own as f64),
        },
        (Value::Float(own), Value::Text(text)) => text.trim().parse::<f64>().is_ok_and(|asked| asked == *own),
        (Value::Bool(own), Value::Int(asked)) => i128::from(*own) == *asked,
        (Value::Bool(own), Value::Text(asked)) => asked == if *own { "1" } else { "0" },
        _ => own == asked,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// Returns a text with one blank for each run of white space outside of quotes, and none at its ends.
fn without_blanks(sql: &str) -> String {
    let (mut out, mut quote) = (String::with_capacity(sql.len()), None);
    for character in sql.trim().chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if character.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
                continue;
            }
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None => {}
        }
        out.push(character);
    }
    out
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'p> {
    Text(&'p str),
    /// A hole with its name.
    Hole(&'p str),
}

/// Splits a pattern into its pieces. A hole is a name in braces; any other braces are text.
fn pieces(pattern: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest, mut from) = (Vec::new(), pattern, 0);
    while let Some(open) = rest[from..].find('{').map(|at| at + from) {
        let name = rest[open + 1..].split_once('}').map(|(name, _)| name);
        let is_name = |name: &&str| {
            name.starts_with(|first: char| first.is_alphabetic() || first == '_')
                && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        };
        match name.filter(is_name) {
            Some(name) => {
                pieces.extend([Piece::Text(&rest[..open]), Piece::Hole(name)]);
                (rest, from) = (&rest[open + name.len() + 2..], 0);
            }
            None => from = open + 1,
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Says whether a text matches a pattern. Each hole must have something in it, and holes of the same name the same.
fn fill<'t>(pieces: &[Piece<'t>], text: &'t str, filled: &mut Vec<(&'t str, &'t str)>) -> bool {
    match pieces.split_first() {
        None => text.is_empty(),
        Some((Piece::Text(own), rest)) => text.strip_prefix(own).is_some_and(|text| fill(rest, text, filled)),
        Some((Piece::Hole(name), rest)) => {
            if let Some((_, value)) = filled.iter().find(|(known, _)| known == name) {
                return text.strip_prefix(value).is_some_and(|text| fill(rest, text, filled));
            }
            let longest = value_length(text);
            let ends = (1..=longest).rev().filter(|end| text.is_char_boundary(*end));
            for end in ends {
                filled.push((name, &text[..end]));
                if fill(rest, &text[end..], filled) {
                    return true;
                }
                filled.pop();
            }
            false
        }
    }
}

/// Returns the longest length that a value at the beginning of a text can have. A value is a text in quotes, or a run
/// without blanks, commas, semicolons and parentheses.
fn value_length(text: &str) -> usize {
    if let Some(inside) = text.strip_prefix('\'') {
        let mut quotes = inside.match_indices('\'').map(|(at, _)| at);
        while let Some(at) = quotes.next() {
            // two quotes stand for one inside the text
            if !inside[at + 1..].starts_with('\'') {
                return at + 2;
            }
            quotes.next();
        }
        return 0;
    }
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '(' | ')' | '\'');
    text.find(ends).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use super8_cassette::{ConnectionId, Method};

    fn run(sql: &str, how: &str) -> Entry {
        Entry::new(Method::Run, ConnectionId(0), Some(1)).with(Key::Sql, sql).with(Key::Match, how)
    }

    fn is(own: &str, how: &str, sql: &str) -> bool {
        fits(&run(own, how), own, sql)
    }

    #[test]
    fn a_text_to_the_letter_but_for_blanks_or_with_holes() {
        assert!(is("select 1", "exact", "select 1") && !is("select 1", "exact", "select  1"));
        assert!(is("select a\n  from b", "spaces", " select a from b\n"));
        assert!(!is("select 'a b'", "spaces", "select 'a  b'"), "blanks in quotes are text");
        assert!(!is("select a", "spaces", "select b") && !is("ab", "spaces", "a b"));
        let pattern = "select * from t_{n} where id = {id} and other = {id}";
        assert!(is(pattern, "pattern", "select * from t_81 where id = 'a, ''b' and other = 'a, ''b'"));
        assert!(is(pattern, "pattern", "select * from t_x where id = ? and other = ?"));
        assert!(
            !is(pattern, "pattern", "select * from t_x where id = 1 and other = 2"),
            "the same name is the same value"
        );
        assert!(!is(pattern, "pattern", "select * from t_ where id = 1 and other = 1"), "a hole is not empty");
        assert!(!is("id = {id}", "pattern", "id = 1 or 1 = 1"), "a hole is one value");
        assert!(is("{call f({x})} {1}", "pattern", "{call f(5)} {1}"), "other braces are text");
        assert!(is("{a}{b}", "pattern", "ab") && !is("{a}{b}", "pattern", "a"));
    }

    #[test]
    fn a_value_is_the_same_in_whatever_type_it_is_sent() {
        let typed = |name: &str, value: &str| Value::Map(vec![(name.to_owned(), value.into())]);
        for same in [Value::Int(5), Value::Float(5.0), "5".into(), "5.0".into(), typed("NUMERIC", "5")] {
            assert!(says(&5.into(), &same), "{same:?}");
        }
        assert!(says(&"2026-01-31".into(), &typed("TYPE_DATE", "2026-01-31")));
        assert!(says(&Value::Float(0.5), &"0.50".into()) && says(&true.into(), &1.into()));
        for (own, other) in [(Value::from(5), Value::from("6")), ("5".into(), 5.into()), (Value::Null, "".into())] {
            assert!(!says(&own, &other), "{own:?} {other:?}");
        }
    }

    #[test]
    fn what_is_not_said_is_not_compared() {
        let list = |value: Value| Value::List(vec![value]);
        let asked = run("s", "exact").with(Key::Params, list("5".into())).with(Key::Attributes, Value::Map(Vec::new()));
        assert_eq!(accepted(&run("s", "exact"), &asked).get(Key::Params), None);
        let written = run("s", "exact").with(Key::Params, list(5.into()));
        assert_eq!(accepted(&written, &asked).get(Key::Params), Some(&list(5.into())));
    }
}
