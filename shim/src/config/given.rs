//! The value of one setting as somebody gave it, and how the kinds of values are read.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A value somebody gave, and the name to call its place in an error message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Never empty: an empty value is the same as none.
    pub value: OsString,
    /// Where it was given: `SUPER8_MODE`, `Super8Mode in the connection string`, `Super8Mode in [shop] of /etc/odbc.ini`.
    pub place: String,
}

/// A setting that cannot be understood, or one that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(pub(super) String);

impl fmt::Display for SettingsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl SettingsError {
    /// An error with these words.
    pub fn new(problem: impl Into<String>) -> SettingsError {
        SettingsError(problem.into())
    }
}

impl Given {
    /// The error that this value is not what it should be, `advice`.
    fn wrong(&self, advice: &str) -> SettingsError {
        SettingsError(format!("{} is {:?}: {advice}", self.place, self.value.to_string_lossy()))
    }

    /// One of a few words, whatever their case.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, SettingsError> {
        let text = self.value.to_str().map(str::trim).unwrap_or("\u{fffd}");
        if let Some((_, value)) = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
            return Ok(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Err(self.wrong(&format!("set it to {}, or leave it out", names.join(" or "))))
    }

    /// A whole number.
    pub(super) fn count(&self) -> Result<usize, SettingsError> {
        let number = self.value.to_str().and_then(|text| text.trim().parse().ok());
        number.ok_or_else(|| self.wrong("write a whole number, 0 or more"))
    }

    /// Seconds, with a point if need be; an hour at most.
    pub(super) fn seconds(&self) -> Result<Option<Duration>, SettingsError> {
        let seconds = self.value.to_str().and_then(|text| text.trim().parse::<f64>().ok());
        match seconds.filter(|seconds| (0.0..=3600.0).contains(seconds)) {
            Some(seconds) => Ok(Some(Duration::from_secs_f64(seconds))),
            None => Err(self.wrong("write a number of seconds, 0 to 3600, such as 5 or 0.5")),
        }
    }

    /// A name that can stand in a file's name: letters, digits, `_`, `-` and `.`, not beginning with a point.
    pub(super) fn plain_name(&self) -> Result<Option<String>, SettingsError> {
        let plain = |text: &&str| {
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            !text.is_empty() && text.len() <= 200 && text.bytes().all(letter) && !text.starts_with('.')
        };
        let name = self.value.to_str().map(str::trim).filter(plain);
        let advice = "write letters, digits, _, - and . only, 200 at most, the first one not a point";
        name.map(|name| Some(name.to_owned())).ok_or_else(|| self.wrong(advice))
    }

    /// A path with `%p` as this process's id and `%%` as a percent sign.
    pub(crate) fn path(&self) -> Result<Option<PathBuf>, SettingsError> {
        use std::os::unix::ffi::{OsStrExt, OsStringExt};
        let mut path = Vec::new();
        let mut bytes = self.value.as_bytes().iter().copied();
        while let Some(byte) = bytes.next() {
            match (byte, if byte == b'%' { bytes.next() } else { None }) {
                (b'%', Some(b'p')) => path.extend_from_slice(std::process::id().to_string().as_bytes()),
                (b'%', Some(b'%')) => path.push(b'%'),
                (b'%', other) => {
                    let found = OsStr::from_bytes(other.as_slice()).to_string_lossy().into_owned();
                    let advice = "means nothing here; write %p for the process id and %% for a percent sign";
                    return Err(self.wrong(&format!("\"%{found}\" {advice}")));
                }
                (byte, _) => path.push(byte),
            }
        }
        Ok(Some(PathBuf::from(OsString::from_vec(path))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: &str) -> Given {
        Given { value: value.into(), place: "SUPER8_X".to_owned() }
    }

    #[test]
    fn the_process_id_and_the_percent_sign_are_filled_in() {
        let pid = std::process::id();
        assert_eq!(given("c/%p-100%%").path(), Ok(Some(format!("c/{pid}-100%").into())));
        for wrong in ["c/%q", "c/%"] {
            let message = given(wrong).path().unwrap_err().to_string();
            assert!(message.contains("SUPER8_X") && message.contains("%%"), "{message}");
        }
    }

    #[test]
    fn seconds_are_seconds() {
        assert_eq!(given("2.5").seconds(), Ok(Some(Duration::from_millis(2500))));
        assert_eq!(given(" 0 ").seconds(), Ok(Some(Duration::ZERO)));
        for wrong in ["-1", "3601", "five", "NaN", "inf", "5s"] {
            assert!(given(wrong).seconds().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_cannot_leave_a_directory() {
        assert_eq!(given("4bf92f35.a-b_c").plain_name(), Ok(Some("4bf92f35.a-b_c".to_owned())));
        for wrong in ["..", ".x", "a/b", "a b", "\u{e4}", " "] {
            assert!(given(wrong).plain_name().is_err(), "{wrong}");
        }
    }
}
