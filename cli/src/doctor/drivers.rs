//! The drivers that are declared: what each library is, and whether super8 stands before it.

use super::Chapter;
use crate::binary::{self, Binary};
use crate::stand_in::locate;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use super8_shim::config::ini::Section;
use super8_shim::config::settings::Given;
use super8_shim::driver::find::{self, REAL_DRIVER, Way, to_path};
use super8_shim::driver::{Kind, Site};

/// All sections of odbcinst.ini.
pub fn drivers(site: &Site) -> Chapter {
    let mut chapter = Chapter::new("Drivers");
    for section in site.ini.driver_sections() {
        one(site, section, &mut chapter);
    }
    chapter
}

fn one(site: &Site, section: &Section, chapter: &mut Chapter) {
    let name = String::from_utf8_lossy(&section.name);
    let title = section.title();
    let Some(library) = section.library().map(to_path) else {
        chapter.bad(format!("{title} has no Driver"), format!("{title}: add Driver = with the driver's library"));
        return;
    };
    let Some(file) = locate(&library, &site.search) else {
        let advice = format!("install the driver of [{name}], give its full path in Driver =, or delete the section");
        chapter.bad(format!("[{name}]: there is no library {}", library.display()), advice);
        return;
    };
    let shown = file.display();
    match binary::read(&file) {
        Ok(Binary::Driver(kind)) => chapter.good(format!("[{name}]: {shown}, {kind}")),
        Ok(Binary::Super8(shim)) => through_super8(site, section, &file, shim, chapter),
        Ok(Binary::DriverManager) => {
            chapter
                .bad(format!("[{name}]: {shown} is a driver manager"), format!("[{name}]: name a driver in Driver ="));
        }
        Ok(Binary::Other) => chapter.bad(
            format!("[{name}]: {shown} is no ODBC driver"),
            format!("[{name}]: name the driver's own library in Driver =, not its set-up library"),
        ),
        Ok(Binary::Foreign) => chapter.bad(
            format!("[{name}]: {shown} is for another processor"),
            format!("[{name}]: install the driver's build for this machine"),
        ),
        Err(error) => {
            chapter.bad(format!("[{name}]: {shown}: {error}"), format!("install the driver of [{name}] again"))
        }
    }
}

/// A section that has super8 for its driver: is there a real one behind it, and of the right kind?
fn through_super8(site: &Site, section: &Section, file: &Path, shim: Kind, chapter: &mut Chapter) {
    let name = String::from_utf8_lossy(&section.name).into_owned();
    let Some(real) = section.value(REAL_DRIVER) else {
        chapter.note(format!(
            "[{name}]: super8 ({shim}), no RealDriver: good for replay, and where SUPER8_DRIVER names one"
        ));
        return;
    };
    match behind(site, section, file, real) {
        Err(error) => {
            chapter.bad(format!("[{name}]: super8 ({shim}), but {error}"), format!("[{name}]: correct RealDriver ="))
        }
        Ok((real, Some(kind))) if kind != shim => chapter.bad(
            format!("[{name}]: super8's {shim} build stands before {real}, which is {kind}: every connect fails"),
            format!("[{name}]: Driver = {}", file.with_file_name(kind.shim_library()).display()),
        ),
        Ok((real, _)) => chapter.good(format!("[{name}]: super8 ({shim}) before {real}")),
    }
}

/// The real driver that super8 would load for this value of `RealDriver`, and its kind.
fn behind(site: &Site, section: &Section, shim: &Path, real: &[u8]) -> Result<(String, Option<Kind>), String> {
    let place = format!("{REAL_DRIVER} in {}", section.title());
    let named = Given { value: OsStr::from_bytes(real).to_owned(), place };
    let site = Site::new(site.ini.clone(), site.search.clone(), Some(shim.to_owned()));
    let way = Way { dsn: None, section: Some(section) };
    let found = find::at_connect(&site, Some(&named), &way).map_err(|error| error.to_string())?;
    kind_of(&site, &found.library)
}

/// The file of a real driver, and its kind.
pub fn kind_of(site: &Site, library: &Path) -> Result<(String, Option<Kind>), String> {
    let file = locate(library, &site.search).ok_or_else(|| format!("there is no library {}", library.display()))?;
    let shown = file.display();
    match binary::read(&file) {
        Ok(Binary::Driver(kind)) => Ok((shown.to_string(), Some(kind))),
        Ok(Binary::Super8(_)) => Err(format!("the real driver {shown} is super8 itself")),
        Ok(_) => Err(format!("the real driver {shown} is no ODBC driver for this machine")),
        Err(error) => Err(format!("the real driver {shown}: {error}")),
    }
}
