//! What looks like a secret in a text: what stands behind a password's keyword, in SQL or a URL; a key or token by how it begins.

/// Keywords whose values are secrets, in lower case.
const SECRET_KEYWORDS: &[&str] =
    &["pwd", "password", "passphrase", "token", "accesstoken", "secret", "apikey", "privatekey"];

/// How texts begin that are secrets wherever they stand.
const SECRET_TEXTS: &[&str] = &[
    "-----BEGIN ",
    "AKIA",
    "ASIA",
    "AIza",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk_live_",
    "eyJhbGciOi",
];

/// The words of SQL after which a password stands.
const SECRET_WORDS: &[&str] = &["identified by '", "password '", "password = '", "password='"];

/// What stands before a secret in a text: a keyword of a connection string, the words of SQL, a user in a URL.
pub(super) fn before(text: &str) -> Option<String> {
    keyword(text).or_else(|| words(text)).or_else(|| url(text))
}

/// The words of SQL before a password that stands there.
fn words(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let follows = |words: &&&str| {
        let mut rest = lower.match_indices(**words).map(|(at, found)| &lower[at + found.len()..]);
        rest.any(|value| !["'", "***", "<redacted "].iter().any(|hidden| value.starts_with(hidden)))
    };
    SECRET_WORDS.iter().find(follows).map(|words| (*words).to_owned())
}

/// `scheme://user:` before a password that stands there.
fn url(text: &str) -> Option<String> {
    text.match_indices("://").find_map(|(at, _)| {
        let rest = &text[at + 3..];
        let (authority, _) = rest.split_once('@')?;
        let (user, secret) = authority.split_once(':')?;
        let plain = |part: &str| !part.is_empty() && !part.contains(['/', ' ', '\'', '"', '*', '\n']);
        (plain(user) && plain(secret)).then(|| format!("://{user}:"))
    })
}

/// The keyword of a connection string whose value is a secret and stands there.
fn keyword(text: &str) -> Option<String> {
    text.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let word: String = key.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let hidden = value.trim().is_empty() || value.trim().trim_matches(['{', '}']) == "***";
        let short = key.len() < 40 && !hidden && SECRET_KEYWORDS.contains(&word.as_str());
        short.then(|| format!("{}=", key.trim()))
    })
}

/// How a text begins, if that is how secrets begin.
pub(super) fn beginning(text: &str) -> Option<&'static str> {
    SECRET_TEXTS.iter().copied().find(|begin| text.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn what_stands_before_a_secret() {
        for (text, found) in [
            ("DSN=shop;Pwd=tiger", "Pwd="),
            ("create role ada Password 'tiger'", "password '"),
            ("CREATE USER ada IDENTIFIED BY 'tiger'", "identified by '"),
            ("see postgres://ada:tiger@host/db", "://ada:"),
        ] {
            assert_eq!(before(text).as_deref(), Some(found), "{text}");
        }
        for harmless in [
            "DSN=shop;Pwd=***;UID=***",
            "create role ada password '***'",
            "create role ada password ''",
            "alter user ada identified by '<redacted 5d41402abc4b2a76>'",
            "select password from account where name = ?",
            "http://host:80/a@b",
            "tcp://ada:***@host",
        ] {
            assert_eq!(before(harmless), None, "{harmless}");
        }
    }
}
