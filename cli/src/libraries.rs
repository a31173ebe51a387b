//! Finds super8's two libraries: in `SUPER8_LIBRARY_DIR`, beside the command, or in `lib` of the same prefix.

use crate::exit::{Exit, Failure};
use std::path::{Path, PathBuf};
use super8_shim::driver::Kind;
use super8_shim::platform::multiarch;

/// The variable that names the directory of the libraries.
pub const VARIABLE: &str = super8_shim::config::variables::LIBRARY_DIR;

/// The directory that has libsuper8.so and libsuper8a.so.
#[derive(Clone, Debug)]
pub struct Libraries {
    directory: PathBuf,
}

impl Libraries {
    /// Finds the libraries.
    ///
    /// # Errors
    /// They are in none of the places that the message lists ([`Exit::CannotStart`]).
    pub fn find() -> Result<Libraries, Failure> {
        let chosen = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let places = match chosen {
            Some(directory) => vec![directory],
            None => std::env::current_exe().ok().as_deref().map(places_around).unwrap_or_default(),
        };
        let complete = |directory: &&PathBuf| {
            [Kind::Ansi, Kind::Unicode].iter().all(|kind| directory.join(kind.shim_library()).is_file())
        };
        if let Some(directory) = places.iter().find(complete) {
            let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.clone());
            return Ok(Libraries { directory });
        }
        Err(nowhere(&places))
    }

    /// Returns the library that stands in for drivers of this kind.
    pub fn of(&self, kind: Kind) -> PathBuf {
        self.directory.join(kind.shim_library())
    }

    /// Returns their directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Makes the failure that the libraries are in none of these places. There are no places if the system does not say
/// where the executable is.
fn nowhere(places: &[PathBuf]) -> Failure {
    let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    let places = match places.is_empty() {
        true => "any place: this program cannot tell where it is (is /proc mounted?)".to_owned(),
        false => places.join(", "),
    };
    Failure::new(format_args!("libsuper8.so and libsuper8a.so are not in {places}: set {VARIABLE} to their directory"))
        .with(Exit::CannotStart)
}

/// Returns the places to look in: beside the executable, where cargo puts the libraries, and where packages put them.
fn places_around(executable: &Path) -> Vec<PathBuf> {
    let real = executable.canonicalize().unwrap_or_else(|_| executable.to_owned());
    let Some(beside) = real.parent() else { return Vec::new() };
    let prefix = beside.parent().unwrap_or(beside);
    // Debian's directory of ODBC drivers
    let drivers = format!("lib/{}/odbc", multiarch());
    vec![beside.to_owned(), prefix.join("lib"), prefix.join("lib/super8"), prefix.join(drivers)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_place_the_message_says_why() {
        let expected = "libsuper8.so and libsuper8a.so are not in any place: this program cannot tell where it is (is /proc \
                        mounted?): set SUPER8_LIBRARY_DIR to their directory";
        assert_eq!(nowhere(&[]).to_string(), expected);
        assert!(nowhere(&["/a".into(), "/b".into()]).to_string().contains(" are not in /a, /b: set "));
    }

    #[test]
    fn beside_the_command_or_in_its_prefix() {
        let places = places_around(Path::new("/nonexistent/opt/bin/super8"));
        let debian = format!("/nonexistent/opt/lib/{}/odbc", multiarch());
        let expected = ["/nonexistent/opt/bin", "/nonexistent/opt/lib", "/nonexistent/opt/lib/super8", &debian];
        assert_eq!(places, expected.map(PathBuf::from));
    }
}
