//! Plans a connect: with which settings, and with which real driver or cassette.

use super::request::Request;
use crate::args::decode_bytes;
use crate::cassettes;
use crate::config::connection_string::ConnectionString;
use crate::config::settings::{ConnectCheck, Setting};
use crate::config::variables::Variables;
use crate::diagnostics::Outcome;
use crate::driver::find::Way;
use crate::driver::{DriverError, Kind, RealDriver, Site, find, naming};
use crate::mode::Probe;
use crate::mode::outcome::Secrecy;
use crate::mode::unwritable;
use crate::pooling::{Selection, settings};
use crate::real::Driver;
use crate::{inserted, verdict};
use std::sync::Arc;
use super8_cassette::{DriverFacts, Recorder};
use super8_matching::Player;

/// How a connect will be made.
#[derive(Default)]
pub struct Plan {
    /// Whether every keyword of the connection string is verified.
    pub(super) strict: bool,
    pub(super) site: Arc<Site>,
    pub(super) driver: Option<&'static Driver>,
    pub(super) real: Option<RealDriver>,
    pub(super) edited: Option<Edited>,
    pub(super) recorder: Option<Arc<Recorder>>,
    /// The driver's facts, if the cassette's metadata names another driver.
    pub(super) other_driver: Option<DriverFacts>,
    pub(super) player: Option<Arc<Player>>,
    /// What chose the cassette, if the driver manager may keep the connection in a pool.
    pub pooled: Option<Selection>,
    /// The query with which the driver manager probes pooled connections.
    pub(super) probe: Option<String>,
    /// The connection's secrets, where it has a cassette.
    pub(super) secrecy: Secrecy,
    /// How the connection comes to its cassette.
    pub(super) origin: Option<cassettes::Origin>,
}

/// A connection string in the forms that it takes on its way to the real driver.
pub(super) struct Edited {
    /// As given, without super8's own keywords.
    pub(super) stripped: Vec<u8>,
    /// With the driver's own name in `DRIVER=`.
    pub(super) forwarded: Vec<u8>,
    /// What this call gives the driver: for SQLBrowseConnect, only this step's string.
    pub(super) passed_on: Vec<u8>,
}

/// Decides how to connect to a driver of this kind: reads the settings, and finds the real driver or the cassette.
///
/// # Errors
/// An outcome to post: the settings make no sense (HY000), a driver cannot be found or loaded (IM003), or a cassette
/// cannot be played or written (HY000).
pub fn plan(request: &Request, kind: Kind) -> Result<Plan, Outcome> {
    let variables = Variables::now();
    let site = Site::of_this_process(&variables, kind);
    let dsn = request.bytes_of_dsn();
    let way = Way::of(&site, request.asked(&dsn));
    let pools = way.section.and_then(|section| section.value("CPTimeout")).is_some_and(|timeout| timeout != b"0");
    let probe = way.section.filter(|_| pools).and_then(|section| section.value("CPProbe")).map(decode_bytes);
    let settings =
        settings(&site, &way, request.given(), &variables).map_err(|error| Outcome::error("HY000", error))?;
    verdict::goes_to(settings.verdict.as_deref());
    let failed = |error: cassettes::NoCassette| Outcome::error("HY000", error);
    let action = cassettes::action(&settings).map_err(failed)?;
    let mut secrecy = Secrecy::default();
    if action != cassettes::Action::Forward {
        secrecy = request.secrecy(&site);
        let can_be_hidden = request.make_passwords_known(&site, &secrecy);
        cassettes::look_for_secrets();
        if !can_be_hidden && action == cassettes::Action::Record {
            cassettes::warn_of_short_password(settings.log.as_deref());
        }
    }
    inserted::connects(&cassettes::directory(&settings));
    let pooled = pools.then(|| Selection::of(request.given(), &way, &settings, action, kind));
    if action == cassettes::Action::Replay {
        let player = cassettes::player(&settings).map_err(failed)?;
        let strict = settings.connect == ConnectCheck::Strict;
        drop(way);
        let pooled = pooled.map(|pooled| pooled.with(None, Some(&player)));
        let origin = Some(cassettes::origin(&settings, action, None));
        return Ok(Plan { strict, pooled, probe, site, player: Some(player), secrecy, origin, ..Plan::default() });
    }
    let cannot = |error: DriverError| Outcome::error(error.sqlstate(), error.within(480));
    let real = find::at_connect(&site, settings.driver.as_ref(), &way).map_err(cannot)?;
    let library = crate::driver::open(&site, &real).map_err(cannot)?;
    let driver = Driver::of(library).map_err(cannot)?;
    let recorded = match action {
        cassettes::Action::Record => Some(cassettes::recorder(&settings, library).map_err(failed)?),
        _ => None,
    };
    let (recorder, other_driver) = recorded.unzip();
    let other_driver = other_driver.flatten();
    drop(way);
    let edited = request.given().map(|given| Edited {
        stripped: given.without(Setting::is_own),
        forwarded: naming::forwarded(given, &real, &site),
        passed_on: naming::forwarded(request.passed_on().unwrap_or(given), &real, &site),
    });
    let pooled = pooled.map(|pooled| pooled.with(recorder.as_ref(), None));
    let origin = recorder.is_some().then(|| cassettes::origin(&settings, action, Some(library)));
    let (driver, real) = (Some(driver), Some(real));
    Ok(Plan { pooled, probe, other_driver, site, driver, real, edited, recorder, secrecy, origin, ..Plan::default() })
}

impl Plan {
    /// Returns the real driver; `None` at replay.
    pub fn driver(&self) -> Option<&'static Driver> {
        self.driver
    }

    /// Returns the query that the connection may be probed with.
    pub fn probe(&self) -> Probe {
        Probe::new(self.probe.clone())
    }

    /// Returns whether the connection is to be recorded.
    pub fn records(&self) -> bool {
        self.recorder.is_some()
    }

    /// Makes sure, before the driver connects, that the connect can be recorded, so that nothing reaches the database
    /// that cannot be written.
    ///
    /// # Errors
    /// The cassette cannot be written.
    pub fn prepare(&self, request: &Request) -> Result<(), Outcome> {
        let Some(recorder) = &self.recorder else { return Ok(()) };
        let inputs = request.given().map_or(0, |given| given.as_bytes().len());
        recorder.prepare_connect(inputs).map_err(unwritable)
    }

    /// Returns the string for the real driver, if that differs from the application's own or what comes back will.
    pub fn forwarded(&self, request: &Request) -> Option<String> {
        let edited = self.edited.as_ref()?;
        let changed = self.renames() || edited.passed_on != request.passed_on()?.as_bytes();
        changed.then(|| crate::args::decode_bytes(&edited.passed_on))
    }

    /// Returns whether the driver sees another name in `DRIVER=` than the application gave.
    pub fn renames(&self) -> bool {
        self.edited.as_ref().is_some_and(|edited| edited.stripped != edited.forwarded)
    }

    /// Returns how many characters longer the driver's name is than the one that the application gave.
    pub fn growth(&self) -> isize {
        let count = |bytes: &[u8]| crate::args::decode_bytes(bytes).encode_utf16().count() as isize;
        self.edited.as_ref().map_or(0, |edited| count(&edited.forwarded) - count(&edited.stripped))
    }

    /// Returns the completed string with the application's name for the driver again.
    pub fn returned(&self, request: &Request, completed: &str) -> String {
        match (request.given(), &self.real) {
            (Some(given), Some(real)) => {
                let completed = ConnectionString::parse(&crate::args::encode_bytes(completed));
                crate::args::decode_bytes(&naming::returned(&completed, given, real, &self.site))
            }
            _ => completed.to_owned(),
        }
    }
}
