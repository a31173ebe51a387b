//! The real driver: which one it is, where its library is, and its functions.
//!
//! [`site::Site`] gathers what decides it (ini files, search directories, the shim's own file), [`find`] chooses the
//! driver, [`naming`] edits connection strings so that the real driver sees its own name, and [`load`] opens the
//! library.

pub mod error;
pub mod find;
pub mod load;
pub mod naming;
pub mod process;
pub mod search;
pub mod site;

/// Opens a real driver of the site's kind.
///
/// # Errors
/// As [`load::open`], and [`error::DriverErrorKind::WrongKind`] if the driver is of the other kind.
pub fn open(site: &Site, real: &RealDriver) -> Result<&'static Library, DriverError> {
    let opened = load::open(&real.library, &site.search);
    let fitting = opened.and_then(|library| library.check_kind(site.kind).map(|()| library));
    fitting.map_err(|error| error.named_by(&real.source))
}

pub use error::DriverError;
pub use find::{Asked, RealDriver};
pub use load::Library;
pub use process::Kind;
pub use site::Site;
