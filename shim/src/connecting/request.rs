//! What an application asks at a connect, and what the cassette says of it.

use crate::args::Out;
use crate::config::connection_string::{Choice, ConnectionString, quote};
use crate::config::ini::Section;
use crate::config::keywords::{is_secret, is_user};
use crate::config::redact::text;
use crate::config::secrets::{Secrets, may_show, scrub, secrets, user};
use crate::config::settings::Setting;
use crate::driver::{Asked, Site};
use crate::handles::Browsing;
use crate::mode::outcome::Secrecy;
use super8_cassette::{Fields, Key, Value};

/// What the application asks for.
pub enum Request {
    /// SQLConnect.
    Dsn {
        /// The data source.
        dsn: String,
        /// The user, if one is given.
        user: Option<String>,
        /// The password, if one is given.
        password: Option<String>,
    },
    /// SQLDriverConnect.
    String {
        /// The connection string.
        given: ConnectionString,
        /// Where the completed string goes.
        completed: Out,
    },
    /// SQLBrowseConnect.
    Browse {
        /// The request strings of all steps so far, including this one, joined into one.
        given: ConnectionString,
        /// The request string of this step.
        step: ConnectionString,
        /// Earlier request strings that the driver refused. They may contain secrets.
        refused: Vec<ConnectionString>,
        /// Where the result string goes.
        completed: Out,
    },
}

impl Request {
    /// Returns the next step of a connection that is being made in steps.
    pub fn step(browsing: &Browsing, string: &[u8], completed: Out) -> Request {
        Request::Browse {
            given: ConnectionString::parse(&browsing.joined(string)),
            step: ConnectionString::parse(string),
            refused: browsing.refused().iter().map(|string| ConnectionString::parse(string)).collect(),
            completed,
        }
    }

    pub(super) fn given(&self) -> Option<&ConnectionString> {
        match self {
            Request::Dsn { .. } => None,
            Request::String { given, .. } | Request::Browse { given, .. } => Some(given),
        }
    }

    /// Returns the string that this call gives the driver: for SQLBrowseConnect, only this step's.
    pub(super) fn passed_on(&self) -> Option<&ConnectionString> {
        match self {
            Request::Browse { step, .. } => Some(step),
            _ => self.given(),
        }
    }

    /// Returns where the completed connection string goes, if the function returns one.
    pub fn completed(&self) -> Option<&Out> {
        match self {
            Request::Dsn { .. } => None,
            Request::String { completed, .. } | Request::Browse { completed, .. } => Some(completed),
        }
    }

    pub(super) fn dsn(&self) -> Option<String> {
        match self {
            Request::Dsn { dsn, .. } => Some(dsn.clone()),
            Request::String { given, .. } | Request::Browse { given, .. } => match given.choice() {
                Choice::Dsn(dsn) => Some(crate::args::decode_bytes(&dsn)),
                _ => None,
            },
        }
    }

    pub(super) fn user(&self) -> Option<String> {
        let given = match self {
            Request::Dsn { user, .. } => user.clone(),
            Request::String { given, .. } | Request::Browse { given, .. } => user(given),
        };
        given.filter(|user| !user.is_empty())
    }

    /// Returns `dsn` or `driver`, the connection string without secrets, and what may be shown of the data source's
    /// section.
    pub(super) fn identity(&self, site: &Site) -> Fields {
        let mut fields = Fields::new();
        match self.dsn() {
            Some(dsn) => fields.push((Key::Dsn, Value::from(dsn))),
            None => {
                let driver =
                    self.given().and_then(|given| given.get("DRIVER")).map(|driver| crate::args::decode_bytes(&driver));
                fields.push((Key::Driver, driver.unwrap_or_default().into()));
            }
        }
        if let Some(given) = self.given() {
            let shown = ConnectionString::parse(&given.without(Setting::is_own));
            fields.push((Key::ConnectionString, Value::Text(scrub(&shown))));
        }
        let section = self.section(site);
        let shown = section.map(shown_keys).unwrap_or_default();
        if !shown.is_empty() {
            fields.push((Key::DsnSection, Value::Map(shown)));
        }
        fields
    }

    /// Returns the data source's section.
    fn section<'s>(&self, site: &'s Site) -> Option<&'s Section> {
        site.ini.dsn_section(self.dsn()?.as_bytes())
    }

    /// Returns the connection string, preceded by what drivers read in the data source's section. A completed string
    /// has its values from both.
    pub(super) fn given_with_section(&self, site: &Site) -> Option<ConnectionString> {
        let mut all = Vec::new();
        for (key, value) in self.section(site).into_iter().flat_map(Section::pairs) {
            if (is_user(key) || is_secret(key)) && !value.is_empty() {
                all.extend([key, b"=", &quote(value, false), b";"].concat());
            }
        }
        all.extend_from_slice(self.given()?.as_bytes());
        Some(ConnectionString::parse(&all))
    }

    /// Returns the connection's secrets, and the user's name as the program or its data source gives it.
    pub(super) fn secrecy(&self, site: &Site) -> Secrecy {
        let section = self.section(site).into_iter().flat_map(Section::pairs);
        let user_of_section = section.filter(|(key, value)| is_user(key) && !value.is_empty()).last();
        let user = self.user().or_else(|| user_of_section.map(|(_, value)| text(value)));
        Secrecy::new(self.secrets(site), user)
    }

    /// Makes the passwords known, so that they are hidden in everything that the process records or asks from now on,
    /// on any connection. A password that is also shown in the clear, as the user's name, the database or the like, is
    /// not hidden. Returns false if a password is too short to be hidden; the value of a keyword that is merely not
    /// known to be harmless may be too short. `secrecy` is [`Request::secrecy`].
    pub(super) fn make_passwords_known(&self, site: &Site, secrecy: &Secrecy) -> bool {
        let in_clear: Vec<String> = self.shown_values(self.section(site)).collect();
        let values = secrecy.values().iter().filter(|value| !value.is_empty() && !in_clear.contains(value));
        let passwords: Vec<String> = self.passwords(self.section(site)).collect();
        // Learn each of them, whatever the result for the others.
        let short =
            values.filter(|value| !crate::cassettes::secrets().learn(value) && passwords.contains(value)).count();
        short == 0
    }

    /// Returns the values of keywords that announce a secret, and SQLConnect's password.
    fn passwords(&self, section: Option<&Section>) -> impl Iterator<Item = String> {
        let given = self.given().into_iter().flat_map(ConnectionString::items);
        let given = given.filter(|item| is_secret(item.key())).map(|item| text(&item.value()));
        let section = section.into_iter().flat_map(Section::pairs);
        let section = section.filter(|(key, _)| is_secret(key)).map(|(_, value)| text(value));
        let argument = match self {
            Request::Dsn { password, .. } => password.clone(),
            Request::String { .. } | Request::Browse { .. } => None,
        };
        given.chain(section).chain(argument)
    }

    fn secrets(&self, site: &Site) -> Secrets {
        let bytes = |text: &Option<String>| text.as_ref().map(|text| crate::args::encode_bytes(text));
        let mut known = match self {
            Request::Dsn { user, password, .. } => {
                secrets(&ConnectionString::parse(b""), bytes(user).as_deref(), bytes(password).as_deref())
            }
            Request::String { given, .. } | Request::Browse { given, .. } => secrets(given, None, None),
        };
        if let Request::Browse { refused, .. } = self {
            refused.iter().for_each(|string| known.add_string(string));
        }
        if let Some(section) = self.section(site) {
            known.add_section(section);
        }
        known
    }

    /// Returns what the connection string and the data source show, and the user's name.
    fn shown_values(&self, section: Option<&Section>) -> impl Iterator<Item = String> {
        let given = self.given().into_iter().flat_map(ConnectionString::items);
        let given = given.filter(|item| is_user(item.key()) || may_show(item.key(), &item.value()));
        let given = given.map(|item| text(&item.value()));
        let section = section.into_iter().flat_map(Section::pairs);
        let section = section.filter(|(key, value)| is_user(key) || may_show(key, value)).map(|(_, value)| text(value));
        given.chain(section).chain(self.dsn()).chain(self.user())
    }

    /// Returns the data source that SQLConnect was given; empty for the other functions.
    pub(super) fn bytes_of_dsn(&self) -> Vec<u8> {
        match self {
            Request::Dsn { dsn, .. } => crate::args::encode_bytes(dsn),
            Request::String { .. } | Request::Browse { .. } => Vec::new(),
        }
    }

    /// Returns what was asked, for the search for the driver; `dsn` is [`Request::bytes_of_dsn`].
    pub(super) fn asked<'a>(&'a self, dsn: &'a [u8]) -> Asked<'a> {
        match self.given() {
            Some(given) => Asked::String(given),
            None => Asked::Dsn(dsn),
        }
    }
}

/// Returns the keys of a data source's section with their values, if both are known to be harmless. Leaves out the keys
/// that name the driver or are super8's own.
fn shown_keys(section: &Section) -> Vec<(String, Value)> {
    let mut shown: Vec<(String, Value)> = Vec::new();
    for (key, value) in section.pairs() {
        let name = text(key);
        let known = shown.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name));
        let of_driver = name.eq_ignore_ascii_case("Driver") || Setting::is_own(key);
        if !known && !of_driver && !value.is_empty() && may_show(key, value) {
            shown.push((name, Value::Text(text(value))));
        }
    }
    shown
}
