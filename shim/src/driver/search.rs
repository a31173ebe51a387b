//! Searches for a library whose name has no directory.
//!
//! unixODBC opens drivers through libltdl, which looks first in the directory compiled into the driver manager (on
//! Debian `/usr/lib/ARCH/odbc`), then in `$LTDL_LIBRARY_PATH`, then where the dynamic linker looks. The dynamic linker
//! alone does not find a stock Debian driver. The order here is:
//!
//! 1. libltdl's search path, asked from the libltdl that the driver manager uses; if that cannot be had, `odbc` beside
//!    the driver manager's own library;
//! 2. `$LTDL_LIBRARY_PATH`;
//! 3. the dynamic linker: `$LD_LIBRARY_PATH`, its cache, the system's directories;
//! 4. the directory of super8's own library, `odbc` beside the driver manager and the driver manager's directory, the
//!    usual places for drivers.

use crate::platform;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The identity of a file under any of its names: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns the file behind a path, following links; `None` if there is no such file.
    pub fn of(path: &Path) -> Option<FileId> {
        let metadata = std::fs::metadata(path).ok().filter(|metadata| metadata.is_file())?;
        Some(FileId::from(&metadata))
    }
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> FileId {
        FileId { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// The directories to search before and after the dynamic linker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Searched before the dynamic linker is asked.
    pub first: Vec<PathBuf>,
    /// Searched after it.
    pub last: Vec<PathBuf>,
}

impl Search {
    /// Returns the directories of this process.
    ///
    /// `libltdl` is libltdl's search path, if it could be asked; `manager` is the driver manager's library, `own` the
    /// shim's, and `ltdl_variable` the value of `LTDL_LIBRARY_PATH`.
    pub fn new(
        libltdl: &[PathBuf],
        ltdl_variable: Option<&OsStr>,
        manager: Option<&Path>,
        own: Option<&Path>,
    ) -> Search {
        let beside = manager.and_then(Path::parent);
        let mut first = libltdl.to_vec();
        if first.is_empty() {
            first.extend(beside.map(|directory| directory.join("odbc")));
        }
        first.extend(ltdl_variable.map(split).unwrap_or_default());
        let mut last: Vec<PathBuf> = own.and_then(Path::parent).map(Path::to_owned).into_iter().collect();
        last.extend(beside.map(|directory| directory.join("odbc")));
        last.extend(beside.map(Path::to_owned));
        last.extend(platform::driver_directories());
        let mut seen = first.clone();
        last.retain(|directory| {
            let new = !seen.contains(directory);
            seen.push(directory.clone());
            new
        });
        Search { first, last }
    }

    /// Returns the library's file without asking the dynamic linker. A name with a `/` is a path.
    pub fn file(&self, library: &Path) -> Option<(PathBuf, FileId)> {
        in_directories(&self.first, library).or_else(|| in_directories(&self.last, library))
    }

    /// Returns the file in one of the directories that come before the dynamic linker.
    pub fn in_first(&self, library: &Path) -> Option<PathBuf> {
        in_directories(&self.first, library).map(|(file, _)| file)
    }

    /// Returns the file in one of the directories that come after the dynamic linker.
    pub fn in_last(&self, library: &Path) -> Option<PathBuf> {
        in_directories(&self.last, library).map(|(file, _)| file)
    }

    /// Returns which file a library is, if that is known without loading it.
    pub fn identity(&self, library: &Path) -> Option<FileId> {
        self.file(library).map(|(_, id)| id)
    }

    /// Returns all directories that exist, for error messages. Each appears once, even if /lib is a link to /usr/lib.
    pub fn shown(&self) -> String {
        let mut real: Vec<PathBuf> = Vec::new();
        for directory in self.first.iter().chain(&self.last).filter(|directory| directory.is_dir()) {
            let directory = std::fs::canonicalize(directory).unwrap_or_else(|_| directory.clone());
            if !real.contains(&directory) {
                real.push(directory);
            }
        }
        let shown: Vec<String> = real.iter().map(|directory| directory.display().to_string()).collect();
        if shown.is_empty() { "any directory known here".to_owned() } else { shown.join(", ") }
    }
}

/// Returns whether a library is given by path, by the dynamic linker's own rule.
pub fn is_path(library: &Path) -> bool {
    library.as_os_str().as_bytes().contains(&b'/')
}

/// Returns the directories of a search path variable.
pub fn split(path: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(path).filter(|directory| !directory.as_os_str().is_empty()).collect()
}

fn in_directories(directories: &[PathBuf], library: &Path) -> Option<(PathBuf, FileId)> {
    let there = |path: PathBuf| FileId::of(&path).map(|id| (path, id));
    if is_path(library) {
        return there(library.to_owned());
    }
    directories.iter().find_map(|directory| there(directory.join(library)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::locations::tests::directory;

    #[test]
    fn the_order_is_the_driver_managers() {
        let search = Search::new(
            &["/ltdl".into()],
            Some(OsStr::new("/a::/b")),
            Some(Path::new("/m/libodbc.so.2")),
            Some(Path::new("/own/libsuper8.so")),
        );
        assert_eq!(search.first, ["/ltdl", "/a", "/b"].map(PathBuf::from));
        assert_eq!(search.last[..3], ["/own", "/m/odbc", "/m"].map(PathBuf::from));
        let unasked = Search::new(&[], None, Some(Path::new("/m/libodbc.so.2")), Some(Path::new("/m/odbc/s.so")));
        assert_eq!(unasked.first, [PathBuf::from("/m/odbc")]);
        assert!(!unasked.last.contains(&"/m/odbc".into()), "no directory twice");
    }

    #[test]
    fn a_bare_name_is_found_in_directories_and_a_path_only_where_it_says() {
        let (one, two) = (directory("search_one"), directory("search_two"));
        std::fs::write(two.join("libx.so"), "x").unwrap();
        std::fs::create_dir_all(one.join("libx.so")).unwrap();
        let search = Search { first: vec![one.to_owned()], last: vec![two.to_owned()] };
        let file = |library: &Path| search.file(library).map(|(file, _)| file);
        assert_eq!(file(Path::new("libx.so")), Some(two.join("libx.so")));
        assert_eq!(search.in_first(Path::new("libx.so")), None, "a directory is no library");
        assert_eq!(file(&two.join("libx.so")), Some(two.join("libx.so")));
        assert_eq!(file(&one.join("liby.so")), None);
        std::os::unix::fs::symlink(two.join("libx.so"), one.join("link.so")).unwrap();
        assert_eq!(search.identity(Path::new("link.so")), search.identity(Path::new("libx.so")));
    }
}
