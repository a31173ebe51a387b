//! What would happen if a program connected to a data source now.

use super::Chapter;
use super::drivers::kind_of;
use crate::binary::{self, Binary};
use crate::stand_in::locate;
use super8_shim::config::settings::Mode;
use super8_shim::config::sources::Sources;
use super8_shim::driver::find::{self, Way, to_path};
use super8_shim::driver::{Asked, Kind, Site};

/// Follows a data source through the files to the library that would be loaded.
pub fn source(site: &Site, dsn: &str) -> Chapter {
    let mut chapter = Chapter::new(format!("Connecting to {dsn}"));
    let Some((section, driver)) = site.ini.dsn_value(dsn.as_bytes(), "Driver") else {
        let known = site.ini.dsn_section(dsn.as_bytes());
        match known {
            Some(section) => chapter.bad(
                format!("{} has no Driver: the driver manager fails with IM002", section.title()),
                format!("{}: add Driver = with the name of a section of odbcinst.ini", section.title()),
            ),
            None => chapter.bad(
                format!("no file has a section [{dsn}]: the driver manager fails with IM002, or takes [DEFAULT]"),
                format!("add [{dsn}] to odbc.ini; the files that are read are listed above"),
            ),
        }
        return chapter;
    };
    let shown = String::from_utf8_lossy(driver).into_owned();
    chapter.good(format!("{}: Driver = {shown}", section.title()));
    let library = match site.ini.driver_section(driver) {
        Some(section) => {
            chapter.good(section.title());
            section.library().map(to_path)
        }
        None => Some(to_path(driver)),
    };
    let Some(library) = library else { return chapter };
    let Some(file) = locate(&library, &site.search) else {
        chapter.bad(
            format!("there is no library {}: the driver manager fails with 01000 Can't open lib", library.display()),
            format!("install the driver, or correct Driver = of {shown}"),
        );
        return chapter;
    };
    match binary::read(&file) {
        Ok(Binary::Super8(shim)) => super8(site, dsn, &file, shim, &mut chapter),
        Ok(Binary::Driver(kind)) => chapter.note(format!(
            "{} ({kind}) is loaded without super8: `super8 record CASSETTE -- COMMAND` puts super8 before it for one \
             command, `super8 install` for all",
            file.display()
        )),
        Ok(_) => chapter.bad(format!("{} is no ODBC driver for this machine", file.display()), "correct Driver ="),
        Err(error) => chapter.bad(format!("{}: {error}", file.display()), "correct Driver ="),
    }
    chapter
}

fn super8(site: &Site, dsn: &str, shim: &std::path::Path, kind: Kind, chapter: &mut Chapter) {
    chapter.good(format!("{}: super8 ({kind})", shim.display()));
    let site = Site::new(site.ini.clone(), site.search.clone(), Some(shim.to_owned()));
    let way = Way::of(&site, Asked::Dsn(dsn.as_bytes()));
    let environment = |name: &str| std::env::var_os(name);
    let source = Some((&site.ini, dsn.as_bytes()));
    let sources = Sources { environment: Some(&environment), source, driver: way.section, ..Sources::default() };
    let settings = match sources.settings() {
        Ok(settings) => settings,
        Err(error) => return chapter.bad(format!("the connect fails with HY000: {error}"), "correct that setting"),
    };
    if settings.mode == Mode::Replay {
        let cassette = settings.cassette.unwrap_or_default();
        chapter.good(format!("replay from {}; no driver is loaded", cassette.display()));
        return;
    }
    let found = find::at_connect(&site, settings.driver.as_ref(), &way);
    let found = found.map_err(|error| error.to_string());
    let real = found.and_then(|real| kind_of(&site, &real.library).map(|(file, kind)| (real.source, file, kind)));
    match real {
        Err(error) => {
            chapter.bad(format!("the connect fails with IM003: {error}"), "name the real driver: RealDriver =")
        }
        Ok((_, file, Some(found))) if found != kind => chapter.bad(
            format!("{file} is {found}, super8's library is the {kind} build: the connect fails with IM003"),
            format!("put {} into Driver =", found.shim_library()),
        ),
        Ok((source, file, _)) => {
            chapter.good(format!("{file}, named by {source}"));
            match (settings.mode, settings.cassette) {
                (Mode::Off, _) | (_, None) => chapter.note("mode off: nothing is recorded"),
                (_, Some(cassette)) => chapter.good(format!("recorded to {}", cassette.display())),
            }
        }
    }
}
