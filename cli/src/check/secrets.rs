//! Finds what looks like a secret in a text: a value where the grammar of SQL, a connection string or a URL has a
//! password ([`before`]), and a key or token that is recognizable by its form ([`beginning`]).
//!
//! The grammars are those of PostgreSQL (CREATE ROLE, user mappings, dblink), MariaDB and MySQL (IDENTIFIED, SET
//! PASSWORD, CHANGE MASTER), SQL Server (ALTER LOGIN, keys and credentials, sp_addlogin, OPENROWSET), Oracle (IDENTIFIED
//! BY, without quotes) and Db2 (CONNECT, ENCRYPTION PASSWORD). The forms of keys are those that gitleaks knows.

use regex::Regex;
use std::sync::LazyLock;

/// A literal of any of these databases: 'x', N'x', E'x', q'[x]', $$x$$, $tag$x$tag$, 0x12.
const LITERAL: &str =
    r"(?:[nebx]|u&)?'(?P<single>(?:[^']|'')*)'|\$\w*\$(?P<dollar>[^$]*)\$\w*\$|(?P<hex>0x[0-9a-f]{8,})";
/// The same for places where double quotes cannot enclose a name: "x".
const OR_DOUBLE: &str = r#"|"(?P<double>[^"]*)""#;

/// Places in SQL where a password stands: a pattern for the words before it, and whether it may be in double quotes or
/// without quotes.
const PLACES: &[(&str, bool, bool)] = &[
    (
        r"\bidentified\s+(?:(?:with|via)\s+\S+\s+)?(?:by|using|as)\s+(?:(?:password|values)\s+)?(?:password\s*\(\s*)?",
        true,
        true,
    ),
    (r"\bset\s+password\s*(?:for\s+\S+\s*)?(?:=|to)\s*(?:(?:old_)?password\s*\(\s*)?", true, false),
    (r"\b[a-z_]*(?:password|passwd|pwd|passphrase)\s*(?:=|:=|=>|\()\s*", true, false),
    (r"\bpassword\s+", false, false),
    (r"\b(?:secret|secret_key|access_key|api_key|token)\s*(?:=|=>)\s*", false, false),
    (r"\bconnect\s+(?:to\s+\S+\s+)?user\s+\S+\s+using\s+", true, true),
    (r"\b(?:sp_addlogin|sp_password)\s+(?:@\w+\s*=\s*)?n?'(?:[^']|'')*'\s*,\s*(?:@\w+\s*=\s*)?", false, false),
    (r"\bopenrowset\s*\(\s*n?'[^']*'\s*,\s*n?'[^']*'\s*;\s*n?'[^']*'\s*;\s*", false, false),
];

/// `key=value` in a connection string, by itself or inside a literal.
const PAIR: &str = r#"(?i)(?:^|[\s;'"{(&?,])(pwd|passwd|password|pass|passphrase|(?:access_?|refresh_?|auth_?)?token|client_?secret|secret|api_?key|private_?key|aws_secret_access_key|account_?key|shared_?access_?key)\s*=\s*(\{(?:[^}]|\}\})*\}|"[^"]*"|[^\s;'"{},&)]+)"#;

/// The forms of keys and tokens, with a name for each.
const KEYS: &[(&str, &str)] = &[
    ("-----BEGIN PRIVATE KEY-----", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    ("AKIA", r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("AIza", r"\bAIza[\w-]{35}"),
    ("ghp_", r"\bgh[pousr]_[A-Za-z0-9]{36}"),
    ("github_pat_", r"\bgithub_pat_\w{22,}"),
    ("glpat-", r"\bglpat-[\w-]{20}"),
    ("xox", r"\bxox[abeoprs]-[\w-]{10,}"),
    ("sk_live_", r"\b[rs]k_(?:live|test)_\w{16,}"),
    ("sk-", r"\bsk-(?:ant-|proj-)?[\w-]{32,}"),
    ("npm_", r"\bnpm_[A-Za-z0-9]{36}"),
    ("SG.", r"\bSG\.[\w-]{22}\.[\w-]{43}"),
    ("ya29.", r"\bya29\.[\w-]{20,}"),
    ("eyJ", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    ("$2", r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}"),
    ("SCRAM-SHA-256$", r"\bSCRAM-SHA-256\$\d+:[\w+/=]+\$"),
];

struct Place {
    pattern: Regex,
}

static SQL: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let place = |(before, double, bare): &(&str, bool, bool)| {
        let bare = if *bare { r"|(?P<bare>[a-z0-9_#$!*]+)" } else { "" };
        let double = if *double { OR_DOUBLE } else { "" };
        Regex::new(&format!("(?i){before}(?:{LITERAL}{double}{bare})")).ok().map(|pattern| Place { pattern })
    };
    PLACES.iter().filter_map(place).collect()
});
static PAIRS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PAIR).ok());
static OF_A_FORM: LazyLock<Vec<(&str, Regex)>> =
    LazyLock::new(|| KEYS.iter().filter_map(|(name, form)| Some((*name, Regex::new(form).ok()?))).collect());

/// Returns the words before a secret in a text, if there is one: a keyword of a connection string, words of SQL, or a
/// user in a URL.
pub(super) fn before(text: &str) -> Option<String> {
    pair(text).or_else(|| words(&without_comments(text))).or_else(|| url(text))
}

/// Returns the words of SQL before a password, if there is one.
fn words(sql: &str) -> Option<String> {
    SQL.iter().find_map(|place| {
        place.pattern.captures_iter(sql).find_map(|found| {
            let (all, value) = (found.get(0)?, ["single", "dollar", "hex", "double", "bare"]);
            let value = value.iter().find_map(|name| found.name(name))?;
            let name = matches!(
                value.as_str().to_lowercase().as_str(),
                "random" | "externally" | "globally" | "password" | "values"
            );
            let bare = found.name("bare").is_some();
            // no secret: a password in a parameter, or a bare word that is part of the grammar
            let hidden = is_hidden(value.as_str()) || (bare && name);
            let before = &sql[all.start()..value.start()];
            (!hidden).then(|| {
                before.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(['\'', '"']).to_owned()
            })
        })
    })
}

/// Returns a keyword of a connection string that has a secret as its value. In SQL only literals are searched, because
/// `password = other` compares two columns.
fn pair(text: &str) -> Option<String> {
    let sql = text.contains(['\'', '\n']) || text.split_whitespace().next().is_some_and(is_statement);
    let literals = || text.split('\'').skip(1).step_by(2);
    match sql {
        true => literals().find_map(pair_in),
        false => pair_in(text),
    }
}

fn pair_in(text: &str) -> Option<String> {
    PAIRS.as_ref()?.captures_iter(text).find_map(|found| {
        let (key, value) = (found.get(1)?.as_str(), found.get(2)?.as_str());
        (!is_hidden(value)).then(|| format!("{key}="))
    })
}

fn is_statement(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "select", "insert", "update", "delete", "create", "alter", "drop", "grant", "revoke", "set", "with", "merge",
        "call", "exec", "execute", "begin", "declare", "explain", "show", "use", "values", "replace", "truncate",
        "copy", "do",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether a value is no secret: empty, a parameter, or super8's own mark.
fn is_hidden(value: &str) -> bool {
    let value = value.trim().trim_matches(['{', '}', '\'', '"']).trim();
    let mark = value.bytes().all(|byte| byte == b'*') || matches!(value, "2A2A2A" | "2a2a2a");
    let variable =
        value.starts_with(['?', ':', '@', '%']) || (value.starts_with('$') && value[1..].parse::<u8>().is_ok());
    mark || variable || ["<redacted", "<given", "***"].iter().any(|hidden| value.starts_with(hidden))
}

/// Returns `scheme://user:` before a password in a URL, if there is one.
fn url(text: &str) -> Option<String> {
    text.match_indices("://").find_map(|(at, _)| {
        let rest = &text[at + 3..];
        let (authority, _) = rest.split_once('@')?;
        let (user, secret) = authority.split_once(':')?;
        let plain = |part: &str| !part.is_empty() && !part.contains(['/', ' ', '\'', '"', '*', '\n', '<']);
        (plain(user) && plain(secret)).then(|| format!("://{user}:"))
    })
}

/// Replaces each SQL comment outside of literals by a blank. Keeps `/*! */`, because MySQL runs what is in it.
fn without_comments(sql: &str) -> String {
    let (mut plain, mut rest, mut quoted) = (String::with_capacity(sql.len()), sql, None);
    while let Some(first) = rest.chars().next() {
        let comment = match (quoted, rest) {
            (None, rest) if rest.starts_with("/*!") => Some(rest[3..].trim_start_matches(|c: char| c.is_ascii_digit())),
            (None, rest) if rest.starts_with("*/") => Some(&rest[2..]),
            (None, rest) if rest.starts_with("/*") => Some(rest.find("*/").map_or("", |end| &rest[end + 2..])),
            (None, rest) if rest.starts_with("--") => Some(rest.find('\n').map_or("", |end| &rest[end..])),
            _ => None,
        };
        if let Some(after) = comment {
            plain.push(' ');
            rest = after;
            continue;
        }
        match (quoted, first) {
            (None, '\'' | '"') => quoted = Some(first),
            (Some(quote), first) if quote == first => quoted = None,
            _ => {}
        }
        plain.push(first);
        rest = &rest[first.len_utf8()..];
    }
    plain
}

/// Returns the name of the form of a key in a text, if there is one.
pub(super) fn beginning(text: &str) -> Option<&'static str> {
    OF_A_FORM.iter().find(|(_, form)| form.is_match(text)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::{before, beginning};

    #[test]
    fn every_way_to_write_a_password() {
        for text in [
            "DSN=shop;Pwd=tiger",
            "DRIVER={x};PASSWORD={ti;ger}",
            "create role ada Password 'tiger'",
            "CREATE ROLE ada ENCRYPTED PASSWORD 'tiger' LOGIN",
            "create role ada password E'tiger'",
            "create role ada password $$tiger$$",
            "create role ada password $x$tiger$x$",
            "create role ada password U&'tiger'",
            "create role ada password /* here */ 'tiger'",
            "create role ada password -- here\n 'tiger'",
            "alter user ada with\n  password\n  'tiger'",
            "create user mapping for ada server s options (user 'ada', password 'tiger')",
            "select * from dblink('host=h user=ada password=tiger', 'select 1') as t (a int)",
            "create subscription s connection 'host=h password=tiger' publication p",
            "create server s foreign data wrapper w options (passfile 'x', password 'tiger')",
            "CREATE USER ada IDENTIFIED BY 'tiger'",
            "create user ada identified by \"tiger\"",
            "create user ada identified by tiger",
            "create user ada identified by /* x */ 'tiger'",
            "create user ada identified with mysql_native_password by 'tiger'",
            "create user ada identified via mysql_native_password using '*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9'",
            "create user ada identified via mysql_native_password using password('tiger')",
            "create user ada identified by password '*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9'",
            "create user ada identified by values 'S:6BB4837E'",
            "set password = password('tiger')",
            "set password for ada@localhost = 'tiger'",
            "set password for ada = \"tiger\"",
            "change master to master_host='h', master_password='tiger'",
            "create database link l connect to ada identified by tiger using 'db'",
            "alter login ada with password = 'tiger'",
            "ALTER LOGIN ada WITH PASSWORD = N'tiger' OLD_PASSWORD = N'cat'",
            "create login ada with password = 0x0200F00DF00D hashed",
            "create master key encryption by password = 'tiger'",
            "create credential c with identity = 'ada', secret = 'tiger'",
            "exec sp_addlogin 'ada', 'tiger'",
            "exec sp_addlinkedsrvlogin @rmtsrvname='s', @rmtpassword='tiger'",
            "select * from openrowset('MSOLEDBSQL', 'server'; 'ada'; 'tiger', 'select 1')",
            "select * from opendatasource('x', 'Data Source=s;User ID=ada;Password=tiger').d.s.t",
            "connect to shop user ada using tiger",
            "set encryption password = 'tiger'",
            "see postgres://ada:tiger@host/db",
            "/*! create user ada identified by 'tiger' */",
        ] {
            assert!(before(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_stands_before_a_secret_is_told() {
        for (text, found) in [
            ("DSN=shop;Pwd=tiger", "Pwd="),
            ("create role ada Password  'tiger'", "Password"),
            ("see postgres://ada:tiger@host/db", "://ada:"),
        ] {
            assert_eq!(before(text).as_deref().map(str::trim_end), Some(found), "{text}");
        }
    }

    #[test]
    fn innocent_texts_are_left_alone() {
        for text in [
            "DSN=shop;Pwd=***;UID=***",
            "DSN=shop;PWD={};UID={}",
            "DSN=shop;PWD=<given PWD>;UID=<given UID>",
            "DSN=shop;PWD=<given PWD percent-encoded>;A=1",
            "DSN=shop;PWD={***}",
            "create role ada password '***'",
            "create role ada password ''",
            "create role ada password null",
            "alter user ada identified by '<redacted 5d41402abc4b2a76>'",
            "select password from account where name = ?",
            "select password, name from account where password = ? and token = :token",
            "update account set password = $1 where id = $2",
            "update account set password = @p1",
            "select a.password = b.password from a, b",
            "select password as \"Secret\" from account",
            "select password \"Secret\" from account",
            "create table account (name varchar(20), password varchar(80), pwd char(4))",
            "create user ada identified externally",
            "create user ada identified by ?",
            "select 'reset your password', 'it''s a token'",
            "select 1 -- password 'x'",
            "http://host:80/a@b",
            "tcp://ada:***@host",
            "Access denied for user 'ada'@'localhost' (using password: YES)",
            "SELECT tokens FROM t WHERE n = 'pass'",
            "bypass=1",
        ] {
            assert_eq!(before(text), None, "{text}");
            assert_eq!(beginning(text), None, "{text}");
        }
    }

    #[test]
    fn keys_are_known_by_their_form() {
        let many = "0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHIJ";
        for (key, name) in [
            ("AKIAIOSFODNN7EXAMPLE".to_owned(), "AKIA"),
            ("values ('AKIAIOSFODNN7EXAMPLE')".to_owned(), "AKIA"),
            (format!("AIza{}", &many[..35]), "AIza"),
            (format!("ghp_{}", &many[..36]), "ghp_"),
            (format!("glpat-{}", &many[..20]), "glpat-"),
            (format!("sk_live_{}", &many[..24]), "sk_live_"),
            (format!("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.{}", &many[..20]), "eyJ"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII".to_owned(), "-----BEGIN PRIVATE KEY-----"),
        ] {
            assert_eq!(beginning(&key), Some(name), "{key}");
        }
        for text in ["AKIA", "ghp_", "eyJ", "-----BEGIN CERTIFICATE-----", "sk-", "AKIAN is a name"] {
            assert_eq!(beginning(text), None, "{text}");
        }
    }
}
