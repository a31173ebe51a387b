//! The completed connection string that SQLDriverConnect and SQLBrowseConnect return: without secrets in the cassette,
//! and with the application's own secrets again at replay.
//!
//! Drivers put the password into it, some of them percent-encoded. In the cassette, each value that is not harmless is
//! replaced by `<given KEY>`, with the keyword under which the application gave that value and a word for how the
//! driver wrote it. Replay fills in what the application gives then. A value that the application did not give (the
//! driver read it from odbc.ini) becomes `***` and stays that.

use std::borrow::Cow;

use super::connection_string::{ConnectionString, Item, quote};
use super::redact::MARK;
use super::redact::text;
use super::secrets::{may_show, percent_decoded};
use super8_cassette::text::percent_encoded;

/// How a driver wrote a value that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As the application wrote it.
    AsGiven,
    /// Without braces.
    Plain,
    /// In braces.
    Braced,
    /// As psqlodbc writes it: `%XX` in lower case for everything but letters and digits, and blanks as plus signs.
    Percent,
}

const FORMS: [(Form, &str); 4] =
    [(Form::AsGiven, ""), (Form::Plain, " plain"), (Form::Braced, " braced"), (Form::Percent, " percent-encoded")];

impl Form {
    fn write(self, given: Item<'_>) -> Vec<u8> {
        let value = given.value();
        match self {
            Form::AsGiven => given.raw().to_vec(),
            Form::Plain => value.into_owned(),
            Form::Braced => quote(&value, true),
            Form::Percent => match std::str::from_utf8(&value) {
                Ok(value) => percent_encoded(value.as_bytes(), false, "+", b"").into_bytes(),
                Err(_) => value.into_owned(),
            },
        }
    }
}

/// Returns the completed string for the cassette. `given` is the connection string that the application gave.
pub fn template(completed: &ConnectionString, given: &ConnectionString) -> String {
    edited(completed, given, |_| false)
}

/// Returns whether the end of a string that was cut off is the beginning of a keyword, and not part of a value that has
/// to be hidden: it begins a keyword that the application gave, or occurs in no such value.
pub fn is_cut_keyword(tail: &str, given: &ConnectionString) -> bool {
    let tail = tail.as_bytes();
    let begins = |key: &[u8]| key.get(..tail.len()).is_some_and(|start| start.eq_ignore_ascii_case(tail));
    let hidden = |item: &Item<'_>| item.has_value() && !may_show(item.key(), &item.value());
    let within = |value: &[u8]| value.windows(tail.len().max(1)).any(|part| part == tail);
    let secret = |item: Item<'_>| hidden(&item) && FORMS.iter().any(|(form, _)| within(&form.write(item)));
    !tail.contains(&b'=') && (given.items().any(|item| begins(item.key())) || !given.items().any(secret))
}

/// Returns what SQLBrowseConnect asks for next, for the cassette. `KEYWORD:prompt={list}` and `KEYWORD=?` are not
/// values.
pub fn questions(asked: &ConnectionString, given: &ConnectionString) -> String {
    edited(asked, given, |item| item.key().contains(&b':') || *item.value() == *b"?")
}

fn edited(completed: &ConnectionString, given: &ConnectionString, shown: impl Fn(&Item<'_>) -> bool) -> String {
    let template = completed.edit(|item| {
        if !item.has_value() {
            return Some(MARK.as_bytes().to_vec());
        }
        if shown(&item) || may_show(item.key(), &item.value()) {
            return None;
        }
        Some(mark(item, given).into_bytes())
    });
    text(&template)
}

/// Returns the completed string for the application, from the template and the string that the application gave this
/// time. Only the marks change.
pub fn fill(template: &str, given: &ConnectionString) -> Vec<u8> {
    ConnectionString::parse(template.as_bytes()).edit(|item| {
        let (key, form) = read_mark(item.raw())?;
        // The application gives nothing under this key now, so there is nothing to return.
        Some(given.item(key).map_or(Vec::new(), |item| form.write(item)))
    })
}

fn mark(item: Item<'_>, given: &ConnectionString) -> String {
    let same = |other: &Item<'_>| other.key().eq_ignore_ascii_case(item.key());
    let effective = || given.items().rev().filter(|other| other.has_value() && !other.raw().is_empty());
    // Try the same keyword first, then an alias (UID for User) that has the same value.
    let candidates = effective().filter(same).take(1).chain(effective().filter(|other| !same(other)));
    for other in candidates.filter(|other| !may_show(other.key(), &other.value())) {
        if let Some((_, word)) = FORMS.iter().find(|(form, _)| form.write(other) == item.raw()) {
            return shown_mark(other, word);
        }
        let plain = |value: Cow<'_, [u8]>| percent_decoded(&text(&value)).into_owned();
        if plain(item.value()) == plain(other.value()) {
            return shown_mark(other, "");
        }
    }
    effective().find(same).map_or_else(|| MARK.to_owned(), |other| shown_mark(other, ""))
}

fn shown_mark(given: Item<'_>, form: &str) -> String {
    format!("<given {}{form}>", text(given.key()))
}

fn read_mark(value: &[u8]) -> Option<(&str, Form)> {
    let inside = std::str::from_utf8(value).ok()?.strip_prefix("<given ")?.strip_suffix('>')?;
    let worded = FORMS.iter().skip(1).find_map(|(form, word)| Some((inside.strip_suffix(word)?, *form)));
    Some(worded.unwrap_or((inside, Form::AsGiven)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ConnectionString {
        ConnectionString::parse(text.as_bytes())
    }

    fn through(completed: &str, given: &str) -> (String, String) {
        let template = template(&parse(completed), &parse(given));
        let filled = fill(&template, &parse(given));
        (template, String::from_utf8(filled).unwrap())
    }

    #[test]
    fn the_template_hides_and_filling_restores() {
        for (completed, given, expected) in [
            (
                "DSN=x;UID=alice;PWD=secret;A0=0",
                "DSN=x;UID=alice;PWD=secret",
                "DSN=x;UID=<given UID>;PWD=<given PWD>;A0=0",
            ),
            ("PWD=a%3bb%7dc+d;CX=1", "Pwd={a;b}}c d}", "PWD=<given Pwd percent-encoded>;CX=1"),
            ("PWD={a b};UID=al", "PWD=a b;User=al", "PWD=<given PWD braced>;UID=<given User>"),
            ("PWD=a b;X=", "PASSWORD={a b}", "PWD=<given PASSWORD plain>;X="),
            ("DRIVER={SQLite3};Database=/tmp/x", "DRIVER={SQLite3}", "DRIVER={SQLite3};Database=/tmp/x"),
            ("DSN=x;PWD=;UID=a", "DSN=x;UID=a", "DSN=x;PWD=;UID=<given UID>"),
        ] {
            assert_eq!(through(completed, given), (expected.to_owned(), completed.to_owned()), "{completed}");
        }
    }

    #[test]
    fn what_a_driver_asks_for_is_no_secret() {
        let asked = "DSN=x;UID:Login=?;PWD=?;*Flavour:Flavour={sweet,sour};PWD=secret;Token=abc";
        let given = parse("DSN=x;PWD=secret");
        let template = questions(&parse(asked), &given);
        assert_eq!(template, "DSN=x;UID:Login=?;PWD=?;*Flavour:Flavour={sweet,sour};PWD=<given PWD>;Token=***");
        assert_eq!(fill(&template, &given), asked.replace("abc", "***").as_bytes());
    }

    #[test]
    fn the_end_of_a_cut_string_is_shown_if_it_begins_a_keyword() {
        let given = parse("DSN=x;UID=alice;PWD=top;secret");
        for (tail, shown) in [("", true), ("PW", true), ("Port", true), ("PWD=t", false), ("ali", false), ("to", false)]
        {
            assert_eq!(is_cut_keyword(tail, &given), shown, "{tail}");
        }
    }

    #[test]
    fn what_the_application_did_not_give_stays_hidden() {
        let (template, filled) = through("DSN=x;UID=alice;PWD=secret;stray", "DSN=x");
        assert_eq!(template, "DSN=x;UID=***;PWD=***;***");
        assert_eq!(filled, template);
    }

    #[test]
    fn another_password_at_replay_is_written_the_way_the_driver_wrote_the_first() {
        let template = template(&parse("PWD=a%3bb;UID=ALICE"), &parse("PWD={a;b};UID=alice"));
        assert_eq!(template, "PWD=<given PWD percent-encoded>;UID=<given UID>");
        assert_eq!(fill(&template, &parse("PWD={c d};UID=bob")), b"PWD=c+d;UID=bob");
        assert_eq!(fill(&template, &parse("DSN=x")), b"PWD=;UID=");
    }
}
