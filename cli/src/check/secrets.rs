//! What looks like a secret in a text: a password's keyword with its value, a key or token by how it begins.

/// Keywords whose values are secrets, in lower case.
const SECRET_KEYWORDS: &[&str] =
    &["pwd", "password", "passphrase", "token", "accesstoken", "secret", "apikey", "privatekey"];

/// How texts begin that are secrets wherever they stand.
const SECRET_TEXTS: &[&str] = &["-----BEGIN ", "AKIA", "ghp_", "github_pat_", "xoxb-", "eyJhbGciOi"];

/// The keyword of a connection string whose value is a secret and stands there.
pub(super) fn keyword(text: &str) -> Option<String> {
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
