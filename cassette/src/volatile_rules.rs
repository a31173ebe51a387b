//! Rules for values that change from run to run, for all entries of a cassette: `volatile` in `super8.yml` and in `metadata.yml`.

use std::ops::Range;

use regex::Regex;

use crate::Value;

/// A kind of value that is recognized by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A GUID, as text.
    Uuid,
    /// A date and a time, with a blank or `T` between them.
    Timestamp,
    /// A date that is not followed by a time.
    Date,
    /// A time.
    Time,
    /// A whole number of at least six digits. No rule names all of them; one is bound only where a mark or a position says so.
    Number,
}

impl Kind {
    /// How many kinds there are.
    pub const COUNT: usize = 5;
    /// The kinds that rules name.
    pub const ALL: [Kind; 4] = [Kind::Uuid, Kind::Timestamp, Kind::Date, Kind::Time];

    /// Returns the name that rules use.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Uuid => "uuid",
            Kind::Timestamp => "timestamp",
            Kind::Date => "date",
            Kind::Time => "time",
            Kind::Number => "number",
        }
    }
}

/// Which values of a kind are volatile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    None,
    /// Those that are at most this many seconds from the clock.
    Near(u64),
    All,
}

/// The rules of a file.
#[derive(Clone, Debug)]
pub struct VolatileRules {
    kinds: [Which; Kind::COUNT],
    patterns: Vec<Regex>,
    /// Parameters of the statements whose text matches.
    positions: Vec<(usize, Option<Regex>)>,
    /// What stands before a list whose order does not count.
    lists: Vec<Regex>,
    /// Places that have the same values, however short.
    same: Vec<Places>,
    /// The rules as they were written.
    written: Vec<Value>,
}

/// The places of a rule `same`: where the program sends a value, and where it reads it back.
#[derive(Clone, Debug, Default)]
struct Places {
    /// Parameters of the statements whose text matches.
    positions: Vec<(usize, Option<Regex>)>,
    /// Columns of the results of the statements whose text matches.
    columns: Vec<(usize, Option<Regex>)>,
    /// Texts. The value is the group in parentheses.
    patterns: Vec<Regex>,
}

impl Default for VolatileRules {
    fn default() -> Self {
        VolatileRules {
            kinds: [Which::None; Kind::COUNT],
            patterns: Vec::new(),
            positions: Vec::new(),
            lists: Vec::new(),
            same: Vec::new(),
            written: Vec::new(),
        }
    }
}

const FORMS: &str = "is none of `type: uuid`, `{type: timestamp, within: 1d}`, `position: 2`, `pattern: ...`, `{sql: ..., unordered: true}` and `same: [...]`";
const PLACES: &str = "is none of `{position: 2, sql: ...}`, `{column: 1, sql: ...}` and `pattern: ...`";

impl VolatileRules {
    /// Reads a list of rules.
    ///
    /// # Errors
    /// The path of what is no rule, such as `[0].type`, and what is wrong with it.
    pub fn new(items: &[Value]) -> Result<VolatileRules, (String, String)> {
        let mut rules = VolatileRules { written: items.to_vec(), ..VolatileRules::default() };
        for (at, item) in items.iter().enumerate() {
            rules.add(item).map_err(|(key, problem)| (below(at, &key), problem))?;
        }
        Ok(rules)
    }

    fn add(&mut self, item: &Value) -> Result<(), Wrong> {
        if has(item, &["type", "within"]) {
            let named = item.get("type").and_then(Value::as_text);
            let kind = Kind::ALL.into_iter().find(|kind| named == Some(kind.name()));
            let kind = kind.ok_or_else(|| wrong("type", "is not uuid, timestamp, date or time"))?;
            let new = match item.get("within") {
                None => Which::All,
                Some(_) if !matches!(kind, Kind::Timestamp | Kind::Date) => {
                    return Err(wrong("within", "is for timestamps and dates"));
                }
                Some(within) => Which::Near(
                    within
                        .as_text()
                        .and_then(seconds)
                        .ok_or_else(|| wrong("within", "is not a time such as 30s, 5m, 2h or 1d"))?,
                ),
            };
            let known = &mut self.kinds[kind as usize];
            *known = match (*known, new) {
                (Which::All, _) | (_, Which::All) => Which::All,
                (Which::Near(one), Which::Near(other)) => Which::Near(one.max(other)),
                (Which::None, new) | (new, Which::None) => new,
            };
        } else if has(item, &["pattern"]) {
            self.patterns.extend(pattern(item, "pattern")?);
        } else if has(item, &["position", "sql"]) {
            self.positions.push((number(item, "position")?, pattern(item, "sql")?));
        } else if has(item, &["unordered", "sql"]) {
            if item.get("unordered") != Some(&Value::Bool(true)) {
                return Err(wrong("unordered", "is not true"));
            }
            let sql = pattern(item, "sql")?;
            self.lists.push(sql.ok_or_else(|| wrong("sql", "is missing: it says what comes before the list"))?);
        } else if has(item, &["same"]) {
            let list = item.get("same").and_then(Value::as_list).filter(|list| !list.is_empty());
            let list = list.ok_or_else(|| wrong("same", "is not a list of places"))?;
            let mut places = Places::default();
            for (at, place) in list.iter().enumerate() {
                places.add(place).map_err(|(key, problem)| (format!("same{}", below(at, &key)), problem))?;
            }
            self.same.push(places);
        } else {
            return Err(wrong("", FORMS));
        }
        Ok(())
    }

    /// Says whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Returns the rules as they were written.
    pub fn written(&self) -> &[Value] {
        &self.written
    }

    /// Says whether at least some values of a kind are volatile.
    pub fn names(&self, kind: Kind) -> bool {
        self.kinds[kind as usize] != Which::None
    }

    /// Says whether a value is near enough to the clock, in seconds since 1970, if a rule requires that. A value does
    /// not say its time zone, so it passes if it would be near in any time zone.
    pub fn is_near(&self, kind: Kind, text: &str, clock: Option<u64>) -> bool {
        const ZONES: u64 = 14 * 3600;
        const QUARTER: u64 = 900;
        let Which::Near(within) = self.kinds[kind as usize] else { return true };
        // a trace does not say when it was recorded
        let Some(clock) = clock else { return true };
        let Some(begin) = since_1970(text) else { return false };
        // a date lasts a day
        let end = if kind == Kind::Date { begin + 86_400 } else { begin };
        let distance = begin.saturating_sub(clock).max(clock.saturating_sub(end));
        let beside = (distance % QUARTER).min(QUARTER - distance % QUARTER);
        distance <= within || distance <= ZONES + within && (kind == Kind::Date || beside <= within)
    }

    /// Iterates over the patterns.
    pub fn patterns(&self) -> impl Iterator<Item = &Regex> {
        self.patterns.iter()
    }

    /// Says whether any rule depends on a statement's text.
    pub fn ask_for_texts(&self) -> bool {
        let same = self.same.iter().any(|places| !places.positions.is_empty());
        same || !(self.positions.is_empty() && self.lists.is_empty())
    }

    /// Finds the values in a text that rules `same` name, each with the number of its rule.
    pub fn same_in<'r>(&'r self, text: &'r str) -> impl Iterator<Item = (usize, Range<usize>)> + 'r {
        let patterns = |(at, places): (usize, &'r Places)| places.patterns.iter().map(move |pattern| (at, pattern));
        self.same.iter().enumerate().flat_map(patterns).flat_map(move |(at, pattern)| {
            pattern.captures_iter(text).filter_map(move |found| Some((at, found.get(1)?.range())))
        })
    }

    /// Says whether rules `same` name any columns.
    pub fn name_columns(&self) -> bool {
        self.same.iter().any(|places| !places.columns.is_empty())
    }

    /// Returns the columns, from 1, that rules `same` name in the results of a statement with this text, each with the
    /// number of its rule.
    pub fn columns(&self, sql: &str) -> Vec<(usize, usize)> {
        let of = |(at, places): (usize, &Places)| {
            let fitting = places.columns.iter().filter(|(_, pattern)| fits(pattern, sql));
            fitting.map(|(column, _)| (*column, at)).collect::<Vec<_>>()
        };
        self.same.iter().enumerate().flat_map(of).collect()
    }

    /// Returns the marks that the rules give an entry with parameters whose statement has this text: items of a list
    /// `volatile`, and `same RULE POSITION`.
    pub fn marks(&self, sql: &str) -> Vec<String> {
        let positions = self.positions.iter().filter(|(_, pattern)| fits(pattern, sql));
        let mut marks: Vec<String> = positions.map(|(position, _)| format!("params {position}")).collect();
        for (at, places) in self.same.iter().enumerate() {
            let positions = places.positions.iter().filter(|(_, pattern)| fits(pattern, sql));
            marks.extend(positions.map(|(position, _)| format!("same {at} {position}")));
        }
        for list in self.lists_of(sql) {
            let items = items(&sql[list.clone()]);
            if items.iter().all(|item| *item == "?") {
                let before = markers(&sql[..list.start]);
                marks.push(format!("unordered {} {}", before + 1, before + items.len()));
            }
        }
        marks
    }

    /// Returns the asked text with its unordered lists in the recorded order, where they have the same items.
    pub fn in_order(&self, recorded: &str, asked: &str) -> Option<String> {
        let (was, is) = (self.lists_of(recorded), self.lists_of(asked));
        if was.is_empty() || was.len() != is.len() {
            return None;
        }
        let (mut out, mut end) = (String::with_capacity(asked.len()), 0);
        for (was, is) in was.into_iter().zip(is) {
            let (old, new) = (&recorded[was], &asked[is.clone()]);
            out.push_str(&asked[end..is.start]);
            let sorted = |list| {
                let mut items = items(list);
                items.sort_unstable();
                items
            };
            out.push_str(if sorted(old) == sorted(new) { old } else { new });
            end = is.end;
        }
        out.push_str(&asked[end..]);
        Some(out)
    }

    /// Returns the insides of the unordered lists of a text.
    fn lists_of(&self, sql: &str) -> Vec<Range<usize>> {
        let mut lists: Vec<Range<usize>> = Vec::new();
        for found in self.lists.iter().flat_map(|pattern| pattern.find_iter(sql)) {
            let begin = found.end();
            if let Some(length) = pieces(&sql[begin..]).find_map(|piece| piece.closes.then_some(piece.at)) {
                lists.push(begin..begin + length);
            }
        }
        lists.sort_by_key(|list| (list.start, list.end));
        lists.dedup_by(|list, before| list.start < before.end);
        lists
    }
}

impl Places {
    fn add(&mut self, item: &Value) -> Result<(), Wrong> {
        if has(item, &["position", "sql"]) {
            self.positions.push((number(item, "position")?, pattern(item, "sql")?));
        } else if has(item, &["column", "sql"]) {
            self.columns.push((number(item, "column")?, pattern(item, "sql")?));
        } else if has(item, &["pattern"]) {
            let found = pattern(item, "pattern")?.filter(|pattern| pattern.captures_len() == 2);
            let problem = "has not exactly one part in brackets, `(...)`, for the value";
            self.patterns.push(found.ok_or_else(|| wrong("pattern", problem))?);
        } else {
            return Err(wrong("", PLACES));
        }
        Ok(())
    }
}

/// The path of what is wrong in a rule, and the problem.
type Wrong = (String, String);

fn wrong(key: &str, problem: &str) -> Wrong {
    (key.to_owned(), problem.to_owned())
}

/// Returns the path of a key of an item.
fn below(at: usize, key: &str) -> String {
    let dot = if key.is_empty() { "" } else { "." };
    format!("[{at}]{dot}{key}")
}

/// Says whether a rule has the first of these keys, and no keys other than these.
fn has(item: &Value, keys: &[&str]) -> bool {
    let Value::Map(pairs) = item else { return false };
    pairs.iter().all(|(key, _)| keys.contains(&key.as_str())) && item.get(keys[0]).is_some()
}

fn pattern(item: &Value, key: &str) -> Result<Option<Regex>, Wrong> {
    match item.get(key) {
        None => Ok(None),
        Some(Value::Text(text)) if text.is_empty() => Err(wrong(key, "is empty")),
        Some(Value::Text(text)) => {
            Regex::new(text).map(Some).map_err(|error| wrong(key, &format!("is not a regular expression: {error}")))
        }
        Some(_) => Err(wrong(key, "is not text")),
    }
}

fn number(item: &Value, key: &str) -> Result<usize, Wrong> {
    let number = item.get(key).and_then(Value::as_int).and_then(|at| usize::try_from(at).ok());
    number.filter(|number| *number > 0).ok_or_else(|| wrong(key, "is not a number from 1"))
}

fn fits(pattern: &Option<Regex>, sql: &str) -> bool {
    pattern.as_ref().is_none_or(|pattern| pattern.is_match(sql))
}

/// Returns the seconds of a text such as `1d`.
fn seconds(text: &str) -> Option<u64> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(unit)
}

/// Returns the seconds since 1970 of a date, or of a date and a time, in UTC.
pub fn since_1970(text: &str) -> Option<u64> {
    let number = |range: Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // let years begin in March, so that the leap day is the last day of a year
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let time = if text.len() > 10 { number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)? } else { 0 };
    Some((days - 719_468) * 86_400 + time)
}

/// A character of SQL that is in no literal and no inner parentheses.
struct Piece {
    at: usize,
    character: char,
    /// Whether it closes the parenthesis that the text is in.
    closes: bool,
}

fn pieces(sql: &str) -> impl Iterator<Item = Piece> {
    let (mut depth, mut quote) = (0, None);
    sql.char_indices().filter_map(move |(at, character)| {
        match (quote, character) {
            (Some(own), _) => {
                if own == character {
                    quote = None;
                }
                return None;
            }
            (None, '\'' | '"' | '`') => {
                quote = Some(character);
                return None;
            }
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, _) => {}
        }
        (depth <= 0).then_some(Piece { at, character, closes: depth < 0 })
    })
}

/// Returns the items of a list.
fn items(list: &str) -> Vec<&str> {
    let (mut items, mut begin) = (Vec::new(), 0);
    for piece in pieces(list).filter(|piece| piece.character == ',') {
        items.push(list[begin..piece.at].trim());
        begin = piece.at + 1;
    }
    items.push(list[begin..].trim());
    items
}

/// Counts the parameters of a text.
fn markers(sql: &str) -> usize {
    let (mut count, mut quote) = (0, None);
    for character in sql.chars() {
        match (quote, character) {
            (Some(own), _) if own == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, '?') => count += 1,
            (None, _) => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<VolatileRules, (String, String)> {
        let document = crate::yaml::read_document(text.as_bytes(), std::path::Path::new("super8.yml")).unwrap();
        VolatileRules::new(document.as_list().unwrap())
    }

    #[test]
    fn what_is_no_rule_is_named() {
        let cases = [
            ("- uuid", "[0]", "is none of"),
            ("- {type: uuid}\n- {type: guid}", "[1].type", "is not uuid"),
            ("- {type: uuid, within: 1d}", "[0].within", "is for timestamps and dates"),
            ("- {type: date, within: 1w}", "[0].within", "is not a time"),
            ("- {position: 0}", "[0].position", "is not a number from 1"),
            ("- {position: 1, pattern: a}", "[0]", "is none of"),
            ("- {pattern: '('}", "[0].pattern", "is not a regular expression"),
            ("- {pattern: ''}", "[0].pattern", "is empty"),
            ("- {unordered: true}", "[0].sql", "is missing"),
            ("- {unordered: false, sql: a}", "[0].unordered", "is not true"),
            ("- {sql: a}", "[0]", "is none of"),
            ("- {}", "[0]", "is none of"),
            ("- same: []", "[0].same", "is not a list of places"),
            ("- same: [{position: 1}, {sql: a}]", "[0].same[1]", "is none of"),
            ("- same: [{column: 0}]", "[0].same[0].column", "is not a number from 1"),
            ("- same: [{pattern: 'id = [0-9]+'}]", "[0].same[0].pattern", "has not exactly one part in brackets"),
        ];
        for (text, path, problem) in cases {
            let (at, found) = rules(text).unwrap_err();
            assert!(at == path && found.starts_with(problem), "{text}: {at} {found}");
        }
    }

    #[test]
    fn near_the_clock_in_any_time_zone() {
        let near = rules("- {type: timestamp, within: 5m}\n- {type: date, within: 1d}").unwrap();
        let clock = since_1970("2026-11-29 12:00:00");
        assert_eq!(clock, Some(1_795_953_600));
        let cases = [
            ("2026-11-29 12:04:59.5", true),
            ("2026-11-29 12:07:00", false),
            ("2026-11-29T17:30:00", true),
            ("2026-11-30 04:00:00", false),
            ("2025-11-29 12:00:00", false),
        ];
        for (text, expected) in cases {
            assert_eq!(near.is_near(Kind::Timestamp, text, clock), expected, "{text}");
        }
        for (text, expected) in [("2026-11-29", true), ("2026-11-28", true), ("2026-12-03", false)] {
            assert_eq!(near.is_near(Kind::Date, text, clock), expected, "{text}");
        }
        assert!(near.is_near(Kind::Date, "2026-11-29", None), "nobody knows when it was recorded");
    }

    #[test]
    fn places_of_the_same_values() {
        let places = "{position: 1, sql: ^insert}, {column: 3, sql: ^select}, {pattern: 'id = ([0-9]+)'}";
        let found = rules(&format!("- type: uuid\n- same: [{{column: 1}}]\n- same: [{places}]")).unwrap();
        assert_eq!(found.marks("insert into t values (?, ?)"), ["same 1 1"]);
        assert_eq!(found.columns("select 1"), [(1, 0), (3, 1)]);
        assert_eq!(found.columns("insert"), [(1, 0)]);
        assert_eq!(found.same_in("where id = 12 or id = 7").collect::<Vec<_>>(), [(1, 11..13), (1, 22..23)]);
    }

    #[test]
    fn marks_and_lists() {
        let found = rules("- {position: 2, sql: '^insert'}\n- {sql: '(?i)id in *\\(', unordered: true}").unwrap();
        assert_eq!(found.marks("insert into t values (?, ?)"), ["params 2"]);
        assert_eq!(found.marks("select '?', ? from t where id IN (?, ?,?) and n = ?"), ["unordered 2 4"]);
        assert!(found.marks("select 1 where id in (1, 2)").is_empty());
        let same = |was: &str, is: &str| found.in_order(was, is).is_some_and(|is| is == was);
        assert!(same("x id in (1, 2, 'a, b)', f(3, 4))", "x id in (f(3, 4), 2, 1, 'a, b)')"));
        assert!(!same("id in (1, 2)", "id in (2, 3)") && !same("id in (1, 1, 2)", "id in (1, 2, 2)"));
        assert!(!same("n in (1, 2)", "n in (2, 1)"), "no rule");
    }
}
