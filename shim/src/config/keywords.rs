//! Tells which connection-string keywords are harmless, which name the user, and which look like secrets.
//!
//! The list of harmless keywords is an allow-list from the drivers' documentation and sources: a keyword that nobody
//! has put here is hidden. Before you add one, make sure that no version of any driver takes credentials or a string of
//! further options under that name.

/// The harmless keywords in upper case, by the driver they come from. Cassettes show their values.
#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    // ODBC, driver managers, super8
    "DESCRIPTION", "DRIVER", "DSN", "FILEDSN", "REALDRIVER",
    // Where the database is
    "ADDR", "ADDRESS", "CATALOG", "DATABASE", "DATABASENAME", "DB", "DBALIAS", "DBQ", "DBNAME", "DEFAULTLIBRARIES",
    "HOST", "HOSTNAME", "INITIAL CATALOG", "LIBRARY", "NAMEDPIPE", "PORT", "PROTOCOL", "SCHEMA", "SERVER",
    "SERVERNAME", "SERVICENAME", "SOCKET", "SYSTEM", "TCPIP", "WAREHOUSE",
    // Common settings
    "APP", "APPLICATIONINTENT", "APPLICATIONNAME", "AUTOCOMMIT", "CHARSET", "CLIENTCHARSET", "CONNECTIONTIMEOUT",
    "CONNECT TIMEOUT", "CONN_TIMEOUT", "ENCRYPT", "ENCRYPTION", "FETCH", "LANGUAGE", "LOGINTIMEOUT", "QUERYTIMEOUT",
    "READONLY", "SSL", "SSLMODE", "TIMEOUT", "TIMEZONE", "TRUSTED_CONNECTION", "TRUSTSERVERCERTIFICATE",
    // sqliteodbc
    "BIGINT", "FKSUPPORT", "JDCONV", "JOURNALMODE", "LONGNAMES", "NOCREAT", "NOTXN", "NOWCHAR", "SHORTNAMES",
    "STEPAPI", "SYNCPRAGMA",
    // psqlodbc, without ConnSettings (A6), pqopt (D5) and the option strings they hold
    "A0", "A1", "A2", "A3", "A4", "A5", "A7", "A8", "A9", "AB", "B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8",
    "B9", "BATCHSIZE", "BI", "BOOLSASCHAR", "BYTEAASLONGVARBINARY", "C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7",
    "C8", "C9", "CA", "CANCELASFREESTMT", "COMMLOG", "CX", "D1", "D2", "D3", "D4", "D6", "D7", "D8", "D9", "DA",
    "DEBUG", "DISALLOWPREMATURE", "DX", "EXTRASYSTABLEPREFIXES", "FAKEOIDINDEX", "FETCHREFCURSORS", "IGNORETIMEOUT",
    "KEEPALIVEINTERVAL", "KEEPALIVETIME", "KSQO", "LFCONVERSION", "LOWERCASEIDENTIFIER", "MAXLONGVARCHARSIZE",
    "MAXVARCHARSIZE", "NUMERICAS", "OPTIMIZER", "OPTIONALERRORS", "PARSE", "PREFERLIBPQ", "ROWVERSIONING",
    "SHOWOIDCOLUMN", "SHOWSYSTEMTABLES", "TEXTASLONGVARCHAR", "TRUEISMINUS1", "UNIQUEINDEX", "UNKNOWNSASLONGVARCHAR",
    "UNKNOWNSIZES", "UPDATABLECURSORS", "USEDECLAREFETCH", "USESERVERSIDEPREPARE", "XAOPT",
    // MariaDB and MySQL, without INITSTMT, ATTR and the keys of files and certificates
    "AUTO_RECONNECT", "EDSERVER", "FORCETLS", "FORWARDONLY", "INTERACTIVE", "MAXCACHEKEY", "NOBIGINT",
    "NOLOCALINFILE", "NO_CACHE", "NO_PROMPT", "NULLISCURRENT", "OPTION", "OPTIONS", "PCALLBACK", "PREPONCLIENT",
    "PSCACHESIZE", "RCALLBACK", "READ_TIMEOUT", "SCHEMANOERROR", "SSLVERIFY", "STREAMRS", "TLSVERSION", "TRUNCDT",
    "WRITE_TIMEOUT",
    // FreeTDS and Microsoft
    "ANSINPW", "AUTOTRANSLATE", "COLUMNENCRYPTION", "CONNECTRETRYCOUNT", "CONNECTRETRYINTERVAL", "DEBUGFLAGS",
    "GETDATAEXTENSIONS", "HOSTNAMEINCERTIFICATE", "IPADDRESSPREFERENCE", "LONGASMAX", "MARS_CONNECTION",
    "MULTISUBNETFAILOVER", "NETWORK", "PACKETSIZE", "QUOTEDID", "REGIONAL", "RETRYEXEC", "TDS_VERSION", "TEXTSIZE",
    "TRANSPARENTNETWORKIPRESOLUTION", "USENTLMV2", "VERSION",
    // IBM i Access
    "ALLOWUNSCHAR", "BLOCKFETCH", "BLOCKSIZE", "CCSID", "CMT", "COMMITMODE", "COMPRESSION", "CONNTYPE", "DATEFORMAT",
    "DATESEPARATOR", "DEC", "DECIMAL", "DFT", "DSP", "EXTCOLINFO", "GRAPHIC", "HEXPARSEROPT", "LANGUAGEID", "LAZYCLOSE",
    "MAXFIELDLEN", "MAXTRACESIZE", "NAM", "NAMING", "PREFETCH", "SORTTYPE", "SORTTABLE", "TFT", "TIMEFORMAT",
    "TIMESEPARATOR", "TRANSLATE", "TRUEAUTOCOMMIT", "TSP", "UNICODESQL",
];

/// Returns whether a keyword's values may be shown.
pub fn is_harmless(key: &[u8]) -> bool {
    let key = folded(key);
    HARMLESS.iter().any(|name| *name == key)
}

/// Returns whether a keyword gives the user's name.
pub fn is_user(key: &[u8]) -> bool {
    const NAMES: &[&str] = &["uid", "user", "username", "userid", "login", "loginid", "logonid", "usr", "proxyuid"];
    let key = squeezed(key);
    NAMES.contains(&key.as_str())
}

/// Returns whether a word in front of `=` announces a secret, wherever it occurs.
pub fn is_secret(key: &[u8]) -> bool {
    const PARTS: &[&str] = &[
        "pwd",
        "passw",
        "passphrase",
        "passcode",
        "secret",
        "token",
        "credential",
        "apikey",
        "accesskey",
        "privkey",
        "privatekey",
        "sharedkey",
        "accountkey",
        "keystore",
        "signature",
        "jwt",
    ];
    let key = squeezed(key);
    PARTS.iter().any(|part| key.contains(part)) || key == "pass"
}

/// Returns the keyword in upper case, with single blanks inside.
fn folded(key: &[u8]) -> String {
    let mut folded = String::with_capacity(key.len());
    for word in String::from_utf8_lossy(key).split_ascii_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded.make_ascii_uppercase();
    folded
}

/// Returns the lower-case letters and digits only, so that `User Id`, `user_id` and `USERID` are one.
fn squeezed(key: &[u8]) -> String {
    let mut squeezed = String::with_capacity(key.len());
    squeezed.extend(
        key.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| char::from(byte.to_ascii_lowercase())),
    );
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_keys_are_upper_case_and_neither_secret_nor_user() {
        for key in HARMLESS {
            assert_eq!(*key, folded(key.as_bytes()));
            assert!(!is_secret(key.as_bytes()) && !is_user(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn secrets_are_seen_in_every_spelling() {
        for key in [
            "PWD",
            "pwd",
            "Password",
            "passwd",
            "NEWPWD",
            "TLSKEYPWD",
            "PRIV_KEY_FILE_PWD",
            "TOKEN",
            "AccessToken",
            "access token",
            "client_secret",
            "REFRESHTOKEN",
            "ApiKey",
            "KeystoreSecret",
            "Pass",
            "oauth2_client_secret",
        ] {
            assert!(is_secret(key.as_bytes()) && !is_harmless(key.as_bytes()), "{key}");
        }
        for key in ["bypass", "DATABASE", "key", "SERVER"] {
            assert!(!is_secret(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn users_are_seen_in_every_spelling() {
        for key in ["UID", "Uid", "user", "User Name", "USER ID", "user_id", "LogonID"] {
            assert!(is_user(key.as_bytes()) && !is_harmless(key.as_bytes()), "{key}");
        }
        assert!(!is_user(b"USE_MYCNF"));
    }

    #[test]
    fn option_strings_are_not_harmless() {
        for key in ["pqopt", "D5", "ConnSettings", "A6", "INITSTMT", "ATTR", "SERVERKEY", "SSLKEY", "", "PWD "] {
            assert!(!is_harmless(key.as_bytes()), "{key}");
        }
        assert!(is_harmless(b"Initial  Catalog") && is_harmless(b"database"));
    }
}
