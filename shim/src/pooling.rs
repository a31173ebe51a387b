//! What chose a connection's cassette. It is asked again when a driver manager takes the connection from its pool,
//! because by then a test may have inserted another cassette, or set another one in the environment.

use crate::cassettes::{self, Action};
use crate::config::connection_string::ConnectionString;
use crate::config::settings::{Setting, Settings, SettingsError};
use crate::config::sources::Sources;
use crate::config::variables::Variables;
use crate::driver::find::Way;
use crate::driver::{Kind, Site};
use crate::inserted;
use std::path::PathBuf;
use std::sync::Arc;
use super8_cassette::Recorder;
use super8_matching::Player;

/// How a connection came to its cassette, or to none.
pub struct Selection {
    /// super8's own keywords of the connection string. Nothing else of it is kept.
    keywords: ConnectionString,
    kind: Kind,
    dsn: Option<Vec<u8>>,
    section: Option<Vec<u8>>,
    action: Action,
    cassette: Option<PathBuf>,
    recorder: Option<Arc<Recorder>>,
    player: Option<Arc<Player>>,
}

impl Selection {
    /// Returns what these settings were chosen by, and what is done with them.
    pub fn of(
        given: Option<&ConnectionString>,
        way: &Way<'_>,
        settings: &Settings,
        action: Action,
        kind: Kind,
    ) -> Selection {
        let own = given.map(|given| given.without(|key| !Setting::is_own(key))).unwrap_or_default();
        Selection {
            keywords: ConnectionString::parse(&own),
            kind,
            dsn: way.dsn.clone(),
            section: way.section.map(|section| section.name.clone()),
            action,
            cassette: cassettes::path(settings, action),
            recorder: None,
            player: None,
        }
    }

    /// Returns the selection with the recording or the replay that it led to.
    pub fn with(mut self, recorder: Option<&Arc<Recorder>>, player: Option<&Arc<Player>>) -> Selection {
        self.recorder = recorder.map(Arc::clone);
        self.player = player.map(Arc::clone);
        self
    }

    /// Returns whether a connect would now lead to the same cassette, and to the same recording or replay of it.
    pub fn holds(&self) -> bool {
        let ejected = self.recorder.as_ref().is_some_and(|recorder| !cassettes::has_recorder(recorder))
            || self.player.as_ref().is_some_and(|player| !cassettes::has_player(player));
        if ejected {
            return false;
        }
        let variables = Variables::now();
        let site = Site::of_this_process(&variables, self.kind);
        let section = self.section.as_deref().and_then(|name| site.ini.driver_section(name));
        let way = Way { dsn: self.dsn.clone(), section };
        let now = settings(&site, &way, Some(&self.keywords), &variables);
        // What fails at a connect is better reported there.
        now.is_ok_and(|settings| {
            let action = cassettes::action(&settings);
            action.is_ok_and(|action| action == self.action && cassettes::path(&settings, action) == self.cassette)
        })
    }
}

/// Returns the settings of a connection, from all their places.
pub fn settings(
    site: &Site,
    way: &Way<'_>,
    given: Option<&ConnectionString>,
    variables: &Variables,
) -> Result<Settings, SettingsError> {
    let inserted = inserted::on_top();
    let variable = |name: &str| variables.get(name);
    let sources = Sources {
        string: given,
        inserted: inserted.as_deref(),
        environment: Some(&variable),
        source: way.dsn.as_deref().map(|dsn| (&site.ini, dsn)),
        driver: way.section,
    };
    variables.check(&|name| sources.mentions(name))?;
    sources.settings().map(inserted::with_test)
}
