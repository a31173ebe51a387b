//! What decides, besides the connection string, which real driver is loaded.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use super::process::Kind;
use super::process::{facts, own_library};
use super::search::{FileId, Search};
use crate::config::Environment;
use crate::config::ini::{Ini, Section, to_path};
use crate::config::locations::Locations;
use crate::config::variables::Variables;

/// The ini files, the search directories and the shim's own file, as they are at one moment.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The ini files.
    pub ini: Ini,
    /// Where bare library names are looked for.
    pub search: Search,
    /// The shim's own library: the one for drivers of this kind.
    pub own: Option<PathBuf>,
    /// The file that the library is now.
    own_file: Option<FileId>,
    /// The kind of drivers that are connected to.
    pub kind: Kind,
}

impl Site {
    /// Returns this process's site as it is now; `variables` are the process's. A test may change its environment and the
    /// files between connections. (The driver manager itself keeps the ODBCSYSINI and ODBCINSTINI that it first saw, and
    /// ini values for 20 seconds.) What has not changed since the last time is not read again.
    pub fn of_this_process(variables: &Variables, kind: Kind) -> Arc<Site> {
        type Last = Mutex<Option<(Basis, Arc<Site>)>>;
        static LAST: [Last; 2] = [const { Mutex::new(None) }; 2];
        let basis = Basis::of(&|name| variables.get(name), kind);
        let mut last = LAST[usize::from(kind == Kind::Ansi)].lock();
        if let Some((known, site)) = &*last
            && *known == basis
        {
            return Arc::clone(site);
        }
        let site = Arc::new(Site::on(&basis));
        *last = basis.shows_changes().then(|| (basis, Arc::clone(&site)));
        site
    }

    /// Returns the site for any environment, read afresh.
    pub fn of(environment: Environment<'_>) -> Site {
        Site::on(&Basis::of(environment, Kind::Unicode))
    }

    fn on(basis: &Basis) -> Site {
        let facts = facts();
        let (manager, own) = (facts.manager.as_deref(), own_library(basis.kind).map(Path::to_owned));
        let search = Search::new(&facts.libltdl_path, basis.ltdl_variable.as_deref(), manager, own.as_deref());
        Site { ini: Ini::read(&basis.locations), search, own, own_file: basis.own_file, kind: basis.kind }
    }

    /// Returns a site made of these parts; `own` is the shim's library.
    pub fn new(ini: Ini, search: Search, own: Option<PathBuf>) -> Site {
        let own_file = own.as_deref().and_then(FileId::of);
        Site { ini, search, own, own_file, kind: Kind::Unicode }
    }

    /// Returns whether a library, by path or by bare name, is the shim itself.
    pub fn is_own(&self, library: &Path) -> bool {
        self.is_own_file(self.search.identity(library))
    }

    /// Returns whether a file is the shim itself.
    pub fn is_own_file(&self, file: Option<FileId>) -> bool {
        file.is_some() && file == self.own_file
    }

    /// Returns whether a section of odbcinst.ini has the shim as its driver.
    pub fn names_own(&self, section: &Section) -> bool {
        section.library().is_some_and(|library| self.is_own(&to_path(library)))
    }
}

/// What a site is made from, apart from what does not change while the process runs.
#[derive(PartialEq, Eq)]
struct Basis {
    locations: Locations,
    ltdl_variable: Option<OsString>,
    /// The state of each ini file, in the order of the locations; `None` for a file that does not exist.
    stamps: Vec<Option<Stamp>>,
    /// The file that the shim's own library is. It changes with an upgrade.
    own_file: Option<FileId>,
    kind: Kind,
}

/// What tells one state of a file from another.
#[derive(PartialEq, Eq)]
struct Stamp {
    file: FileId,
    length: u64,
    modified: SystemTime,
    changed: (i64, i64),
}

impl Basis {
    fn of(environment: Environment<'_>, kind: Kind) -> Basis {
        let facts = facts();
        let system = system_directories(facts.manager.as_deref());
        let locations = Locations::find(environment, facts.account_home.as_deref(), &system);
        let stamps = locations.drivers.iter().chain(&locations.sources).map(|path| Stamp::of(path)).collect();
        let own_file = own_library(kind).and_then(FileId::of);
        Basis { locations, ltdl_variable: environment("LTDL_LIBRARY_PATH"), stamps, own_file, kind }
    }

    /// Returns whether a further change of the files would show. A file system's clock may stand still for a while.
    fn shows_changes(&self) -> bool {
        const COARSEST: Duration = Duration::from_secs(3);
        let now = SystemTime::now();
        let old = |stamp: &Stamp| now.duration_since(stamp.modified).is_ok_and(|age| age > COARSEST);
        self.stamps.iter().flatten().all(old)
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Stamp {
            file: FileId::from(&metadata),
            length: metadata.len(),
            modified: metadata.modified().ok()?,
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// Returns the directories that may be compiled into the driver manager for its ini files, likeliest first.
fn system_directories(manager: Option<&Path>) -> Vec<PathBuf> {
    // PREFIX/lib/libodbc.so.2, PREFIX/lib64/..., PREFIX/lib/ARCH/...
    let prefix = manager.and_then(|library| {
        let lib = library
            .ancestors()
            .skip(1)
            .take(2)
            .find(|directory| directory.file_name().is_some_and(|name| name == "lib" || name == "lib64"))?;
        lib.parent()
    });
    let usual = ["/etc", "/usr/local/etc", "/opt/homebrew/etc"].map(PathBuf::from);
    match prefix {
        // A packaged driver manager is built for /etc and looks nowhere else. (/lib is a link to /usr/lib.)
        Some(prefix) if prefix == Path::new("/usr") || prefix == Path::new("/") => vec![usual[0].clone()],
        Some(prefix) => [prefix.join("etc")].into_iter().chain(usual).collect(),
        None => usual.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_directory_follows_the_driver_managers_prefix() {
        let first = |manager: &str| system_directories(Some(Path::new(manager))).first().cloned();
        assert_eq!(first("/usr/lib/x86_64-linux-gnu/libodbc.so.2"), Some("/etc".into()));
        assert_eq!(first("/usr/lib64/libodbc.so.2"), Some("/etc".into()));
        assert_eq!(first("/lib/x86_64-linux-gnu/libodbc.so.2"), Some("/etc".into()));
        assert_eq!(first("/usr/local/lib/libodbc.so.2"), Some("/usr/local/etc".into()));
        assert_eq!(first("/opt/conda/lib/libodbc.so.2"), Some("/opt/conda/etc".into()));
        assert_eq!(first("/app/pyodbc.libs/libodbc-1a.so.2"), Some("/etc".into()));
        assert_eq!(system_directories(None)[0], PathBuf::from("/etc"));
    }

    #[test]
    fn the_shim_knows_its_own_file_behind_a_link() {
        let directory = crate::config::locations::tests::directory("own_file");
        let site = Site::of(&|_| None);
        let link = directory.join("link.so");
        std::os::unix::fs::symlink(site.own.clone().unwrap(), &link).unwrap();
        assert!(site.is_own(&link));
        assert!(!site.is_own(Path::new("/etc/passwd")) && !site.is_own(Path::new("libnothing.so")));
        assert!(!Site::default().is_own(Path::new("")));
    }
}
