//! Finds out which ini files are read, and in which order, by the driver manager's rules.
//!
//! unixODBC reads drivers from `DIR/NAME` and then `$HOME/.odbcinst.ini`. It reads data sources from the user's
//! odbc.ini (`$ODBCINI`, else `.odbc.ini` in the home directory of the account database, whatever `$HOME` says) and
//! then from `DIR/odbc.ini`. DIR is `$ODBCSYSINI`, else a directory compiled in; NAME is `$ODBCINSTINI`, else
//! `odbcinst.ini`, joined to DIR even if it is absolute. iODBC takes an absolute `$ODBCINSTINI` as it is, and names its
//! system files with `$SYSODBCINSTINI` and `$SYSODBCINI`: these are honoured where unixODBC's own rules give nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Environment;

/// The ini files to read, in this order. They need not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locations {
    /// odbcinst.ini: the system's file, then the user's.
    pub drivers: Vec<PathBuf>,
    /// odbc.ini: the user's file, then the system's.
    pub sources: Vec<PathBuf>,
}

impl Locations {
    /// Works out the files.
    ///
    /// `account_home` is the home directory from the account database. `system` are the directories that may be
    /// compiled into the driver manager, likeliest first; the first one that has the file in question is taken.
    pub fn find(environment: Environment<'_>, account_home: Option<&Path>, system: &[PathBuf]) -> Locations {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        // ODBCSYSINI counts even if it is empty: `ODBCSYSINI= ODBCINSTINI=/x/odbcinst.ini` is a known idiom.
        let chosen = environment("ODBCSYSINI");
        let home = variable("HOME").map(PathBuf::from);
        let in_system = |file: &OsString, other: Option<OsString>| match (&chosen, other) {
            (Some(directory), _) => join(directory, file),
            (None, Some(path)) => PathBuf::from(path),
            (None, None) => {
                let found = system.iter().map(|directory| join(directory.as_os_str(), file));
                let mut found = found.collect::<Vec<_>>().into_iter();
                let first = found.next().unwrap_or_else(|| join("/etc".as_ref(), file));
                if first.exists() { first } else { found.find(|path| path.exists()).unwrap_or(first) }
            }
        };

        let name = variable("ODBCINSTINI").unwrap_or_else(|| "odbcinst.ini".into());
        let mut drivers = vec![in_system(&name, variable("SYSODBCINSTINI"))];
        if Path::new(&name).is_absolute() && drivers[0] != Path::new(&name) {
            drivers.push(PathBuf::from(&name));
        }
        drivers.extend(home.as_ref().map(|home| home.join(".odbcinst.ini")));

        let user = variable("ODBCINI").map(PathBuf::from).or_else(|| {
            let homes: Vec<PathBuf> =
                account_home.into_iter().chain(home.as_deref()).map(|home| home.join(".odbc.ini")).collect();
            homes.iter().find(|path| path.exists()).or(homes.first()).cloned()
        });
        let sources = user.into_iter().chain([in_system(&"odbc.ini".into(), variable("SYSODBCINI"))]).collect();
        Locations { drivers, sources }
    }
}

/// Joins `DIRECTORY/FILE` as C's `sprintf("%s/%s")` does, so that an absolute FILE stays below DIRECTORY.
fn join(directory: &std::ffi::OsStr, file: &OsString) -> PathBuf {
    let mut path = directory.to_owned();
    path.push("/");
    path.push(file);
    PathBuf::from(path)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A directory for one test, removed at its end.
    pub(crate) struct Scratch(tempfile::TempDir);

    impl std::ops::Deref for Scratch {
        type Target = Path;

        fn deref(&self) -> &Path {
            self.0.path()
        }
    }

    /// Returns a fresh directory for one test.
    pub(crate) fn directory(test: &str) -> Scratch {
        Scratch(tempfile::Builder::new().prefix(&format!("super8-{test}-")).tempdir().unwrap())
    }

    fn find(variables: &[(&str, &str)], system: &[PathBuf]) -> Locations {
        let environment = |name: &str| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| OsString::from(value))
        };
        Locations::find(&environment, Some(Path::new("/account")), system)
    }

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn without_variables_system_and_user_files_are_read() {
        let found = find(&[("HOME", "/home/a")], &paths(&["/nowhere/etc"]));
        assert_eq!(found.drivers, paths(&["/nowhere/etc/odbcinst.ini", "/home/a/.odbcinst.ini"]));
        assert_eq!(found.sources, paths(&["/account/.odbc.ini", "/nowhere/etc/odbc.ini"]));
    }

    #[test]
    fn variables_choose_the_files() {
        let found = find(&[("ODBCSYSINI", "/s"), ("ODBCINSTINI", "d.ini"), ("ODBCINI", "/u/odbc.ini")], &[]);
        assert_eq!(found.drivers, paths(&["/s/d.ini"]));
        assert_eq!(found.sources, paths(&["/u/odbc.ini", "/s/odbc.ini"]));
    }

    #[test]
    fn an_absolute_odbcinstini_is_read_below_the_directory_and_as_it_is() {
        let found = find(&[("ODBCSYSINI", "/s"), ("ODBCINSTINI", "/x/d.ini")], &[]);
        assert_eq!(found.drivers.iter().map(|path| path.as_os_str()).collect::<Vec<_>>(), ["/s//x/d.ini", "/x/d.ini"]);
        let empty = find(&[("ODBCSYSINI", ""), ("ODBCINSTINI", "/x/d.ini")], &[]);
        assert_eq!(empty.drivers[0].as_os_str(), "//x/d.ini");
    }

    #[test]
    fn iodbc_names_its_system_files() {
        let found = find(&[("SYSODBCINI", "/i/odbc.ini"), ("SYSODBCINSTINI", "/i/odbcinst.ini")], &paths(&["/etc"]));
        assert_eq!(found.drivers, paths(&["/i/odbcinst.ini"]));
        assert_eq!(found.sources[1], Path::new("/i/odbc.ini"));
    }

    #[test]
    fn the_first_system_directory_that_has_the_file_is_taken() {
        let directory = directory("system_directory");
        let (one, two) = (directory.join("one"), directory.join("two"));
        std::fs::create_dir_all(&one).unwrap();
        std::fs::create_dir_all(&two).unwrap();
        std::fs::write(two.join("odbcinst.ini"), "").unwrap();
        let found = find(&[], &[one.clone(), two.clone()]);
        assert_eq!(found.drivers[0], two.join("odbcinst.ini"));
        assert_eq!(found.sources[1], one.join("odbc.ini"));
    }

    #[test]
    fn the_home_variable_stands_in_where_the_account_has_no_file() {
        let home = directory("home_variable");
        std::fs::write(home.join(".odbc.ini"), "").unwrap();
        let found = find(&[("HOME", home.to_str().unwrap())], &[]);
        assert_eq!(found.sources[0], home.join(".odbc.ini"));
    }
}
