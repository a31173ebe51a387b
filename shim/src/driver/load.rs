//! Opens real drivers. Each library is opened once per process and never closed, and every symbol is checked to be the
//! driver's own.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use libloading::os::unix;
use parking_lot::Mutex;

use super::error::{DriverError, DriverErrorKind};
use super::process::{Kind, facts, is_driver_manager, own_library};
use super::search::{FileId, Search, is_path};
use crate::platform::{self, link_map, object_of};

/// A real driver's library, open for the life of the process.
#[derive(Debug)]
pub struct Library {
    handle: unix::Library,
    path: PathBuf,
    file: Option<FileId>,
    /// Where the library is mapped; 0 if the system does not say.
    base: usize,
    id: u32,
    kind: Kind,
}

static OPENED: Mutex<Vec<&'static Library>> = Mutex::new(Vec::new());

/// Opens a real driver as unixODBC would (`RTLD_LAZY | RTLD_LOCAL`), or returns it if it is open already, under
/// whatever name. Calls a new driver's `SQLDriverLoad` if it exports that.
///
/// # Errors
/// There is no such library, the loader refuses it, or it is the shim itself.
pub fn open(library: &Path, search: &Search) -> Result<&'static Library, DriverError> {
    if is_path(library) {
        return open_one(library);
    }
    if let Some(file) = search.in_first(library) {
        return open_one(&file);
    }
    match open_one(library) {
        // The dynamic linker does not know the name, so try the last directories.
        Err(error) if error.trouble == DriverErrorKind::CannotLoad => match search.in_last(library) {
            Some(file) => open_one(&file),
            None if missing(&error, library) => Err(nowhere(library, search)),
            None => Err(error),
        },
        result => result,
    }
}

fn nowhere(library: &Path, search: &Search) -> DriverError {
    DriverError::new(
        DriverErrorKind::NotFound,
        format!(
            "the real driver's library {} is found neither by the dynamic linker nor in {}: is it installed? Else \
             give its full path",
            library.display(),
            search.shown()
        ),
    )
}

fn open_one(path: &Path) -> Result<&'static Library, DriverError> {
    let mut opened = OPENED.lock();
    let file = FileId::of(path).filter(|_| is_path(path));
    if let Some(known) = opened.iter().find(|known| file.is_some() && known.file == file) {
        return Ok(known);
    }
    if is_path(path) && file.is_none() {
        let message = format!("there is no library {}: name an existing file as the real driver", path.display());
        return Err(DriverError::new(DriverErrorKind::NotFound, message));
    }
    if file.is_some_and(is_own) {
        return Err(itself(path));
    }
    if is_driver_manager(path) {
        let message = format!("{} is a driver manager: name a driver's library as the real driver", path.display());
        return Err(DriverError::new(DriverErrorKind::DriverManager, message));
    }
    // SAFETY: loading runs the library's initializers. The user named this ODBC driver in order to have it loaded, and
    // the driver manager would load it the same way.
    let handle = unsafe { unix::Library::open(Some(path), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
    let handle = handle.map_err(|error| cannot_load(path, &error))?;
    let (handle, loaded) = link_map(handle);
    let (path, base) = match loaded {
        Some((loaded, base)) if is_path(&loaded) => (loaded, base),
        Some((_, base)) => (path.to_owned(), base),
        None => (path.to_owned(), 0),
    };
    let file = FileId::of(&path).filter(|_| is_path(&path));
    // libsuper8a.so reports itself when it is loaded.
    if (base != 0 && base == facts().own_base) || file.is_some_and(is_own) {
        std::mem::forget(handle);
        return Err(itself(&path));
    }
    // The dynamic linker found a bare name, and that library is open already.
    if let Some(known) = opened.iter().find(|known| file.is_some() && known.file == file) {
        return Ok(known);
    }
    let id = opened.len() as u32;
    let mut library = Library { handle, path, file, base, id, kind: Kind::Ansi };
    if [c"SQLConnectW", c"SQLDriverConnectW"].iter().any(|name| library.symbol(name).is_some()) {
        library.kind = Kind::Unicode;
    }
    if let Some(load) = library.symbol(c"SQLDriverLoad") {
        // SAFETY: unixODBC calls a driver's SQLDriverLoad without arguments before it reads the other symbols.
        let load = unsafe { std::mem::transmute::<NonNull<c_void>, unsafe extern "C" fn() -> c_int>(load) };
        // SAFETY: as above. Once per process is enough for an initializer that must allow a call at every connect.
        unsafe { load() };
    }
    // Never dropped and so never closed, because drivers leave threads and exit hooks behind.
    let library: &'static Library = Box::leak(Box::new(library));
    opened.push(library);
    Ok(library)
}

impl Library {
    /// Returns a function of the driver, or `None` if the driver does not export it itself. `dlsym` also searches the
    /// libraries that a driver is linked to, and many are linked to the driver manager, which has functions of the same
    /// names.
    pub fn symbol(&self, name: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: only the address is taken; nothing is read through it.
        let symbol = unsafe { self.handle.get::<*mut c_void>(name.to_bytes_with_nul()) }.ok()?;
        let address = NonNull::new(symbol.into_raw())?;
        let (object, base) = object_of(address.as_ptr() as usize)?;
        let foreign = base == facts().own_base || is_driver_manager(&object) || is_super8(&object);
        (base == self.base || !foreign).then_some(address)
    }

    /// Returns the library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The number of this real driver in the process: 0, 1, 2, ...
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns whether the driver is an ANSI or a Unicode driver.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Checks that the shim's build fits this driver.
    ///
    /// # Errors
    /// The driver is of the other kind; the message names the right build.
    pub fn check_kind(&self, shim: Kind) -> Result<(), DriverError> {
        if self.kind == shim {
            return Ok(());
        }
        let (has, fits) = match self.kind {
            Kind::Ansi => ("exports ANSI functions only", "ANSI driver"),
            Kind::Unicode => ("exports Unicode functions (SQLConnectW)", "Unicode driver"),
        };
        Err(DriverError::new(
            DriverErrorKind::WrongKind,
            format!(
                "the real driver {} {has}, and this is super8's {}: use {} in Driver= of super8's section in \
                 odbcinst.ini, it is the build for an {fits}",
                self.path.display(),
                shim.shim_library(),
                self.kind.shim_library(),
            )
            .replace("an Unicode", "a Unicode"),
        ))
    }
}

/// Returns whether a file is one of super8's libraries in this process.
fn is_own(file: FileId) -> bool {
    [Kind::Ansi, Kind::Unicode].iter().any(|kind| own_library(*kind).and_then(FileId::of) == Some(file))
}

/// Returns whether a library is another build of the shim, wherever it is.
fn is_super8(object: &Path) -> bool {
    let name = object.file_name().and_then(OsStr::to_str).unwrap_or_default();
    ["libsuper8.", "libsuper8a."].iter().any(|start| name.starts_with(start))
}

/// Returns whether the loader complains about this library itself, and not about one that it needs.
fn missing(error: &DriverError, library: &Path) -> bool {
    platform::is_complaint_about(&error.to_string(), library)
}

fn itself(path: &Path) -> DriverError {
    DriverError::new(
        DriverErrorKind::Itself,
        format!("the real driver {} is super8 itself: name the driver that super8 is to call", path.display()),
    )
}

fn cannot_load(path: &Path, error: &libloading::Error) -> DriverError {
    DriverError::new(
        DriverErrorKind::CannotLoad,
        format!("cannot load the real driver {}: {error}; ldd shows which libraries it misses", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::locations::tests::directory;

    fn anywhere() -> Search {
        Search::default()
    }

    #[test]
    fn the_c_library_is_an_ansi_driver_with_its_own_symbols_only() {
        let library = open(Path::new("libc.so.6"), &anywhere()).unwrap();
        assert_eq!(library.kind(), Kind::Ansi);
        assert!(library.path().is_absolute() && library.path().ends_with("libc.so.6"));
        assert!(library.symbol(c"strlen").is_some());
        assert!(library.symbol(c"SQLConnect").is_none() && library.symbol(c"SQLConnectW").is_none());
    }

    #[test]
    fn a_library_is_opened_once_under_all_its_names() {
        let first = open(Path::new("libc.so.6"), &anywhere()).unwrap();
        let directory = directory("load_once");
        let link = directory.join("driver.so");
        std::os::unix::fs::symlink(first.path(), &link).unwrap();
        let search = Search { first: vec![directory.to_owned()], last: Vec::new() };
        for (name, search) in [(first.path(), &anywhere()), (&link, &anywhere()), (Path::new("driver.so"), &search)] {
            let again = open(name, search).unwrap();
            assert_eq!((again.id(), std::ptr::from_ref(again)), (first.id(), std::ptr::from_ref(first)));
        }
        let other = open(Path::new("libgcc_s.so.1"), &anywhere()).unwrap();
        assert_ne!(other.id(), first.id());
    }

    #[test]
    fn the_last_directories_serve_where_the_dynamic_linker_fails() {
        let libc = open(Path::new("libc.so.6"), &anywhere()).unwrap();
        let directory = directory("load_last");
        std::os::unix::fs::symlink(libc.path(), directory.join("libonlyhere.so")).unwrap();
        let search = Search { first: Vec::new(), last: vec![directory.to_owned()] };
        assert_eq!(open(Path::new("libonlyhere.so"), &search).unwrap().id(), libc.id());
    }

    #[test]
    fn what_cannot_be_loaded_is_named() {
        let directory = directory("load_broken");
        let broken = directory.join("broken.so");
        std::fs::write(&broken, "no library").unwrap();
        let search = Search { first: vec!["/usr".into()], last: Vec::new() };
        for (name, trouble, part) in [
            (broken.as_path(), DriverErrorKind::CannotLoad, "broken.so"),
            (Path::new("/no/such/driver.so"), DriverErrorKind::NotFound, "/no/such/driver.so"),
            (Path::new("/no/libodbc.so.2"), DriverErrorKind::NotFound, "libodbc.so.2"),
            (Path::new("libodbc.so.9"), DriverErrorKind::DriverManager, "driver manager"),
            (Path::new("libnosuchdriver.so"), DriverErrorKind::NotFound, "linker nor in /usr"),
        ] {
            let error = open(name, &search).unwrap_err();
            assert_eq!((error.trouble, error.sqlstate()), (trouble, "IM003"), "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn the_shim_itself_is_refused() {
        let own = facts().own_library.clone().unwrap();
        let directory = directory("load_own");
        let link = directory.join("link.so");
        std::os::unix::fs::symlink(&own, &link).unwrap();
        for path in [&own, &link] {
            assert_eq!(open(path, &anywhere()).unwrap_err().trouble, DriverErrorKind::Itself);
        }
    }

    #[test]
    fn the_wrong_build_is_told_which_one_to_use() {
        let library = open(Path::new("libc.so.6"), &anywhere()).unwrap();
        assert!(library.check_kind(Kind::Ansi).is_ok());
        let error = library.check_kind(Kind::Unicode).unwrap_err();
        assert_eq!(error.trouble, DriverErrorKind::WrongKind);
        assert!(error.to_string().contains("use libsuper8a.so"), "{error}");
    }
}
