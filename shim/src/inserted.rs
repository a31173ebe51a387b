//! The cassettes that a test framework inserted: a stack for the whole process. The one on top decides for the connects
//! that follow, on every thread, because programs connect on threads that their tests did not start.

use crate::config::connection_string::{ConnectionString, quote};
use crate::config::given::Given;
use crate::config::settings::{Mode, Setting, Settings, SettingsError, TestRun};
use crate::config::sources::Sources;
use crate::config::variables;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

static STACK: Mutex<Stack> = Mutex::new(Stack { inserted: Vec::new(), aside: Vec::new() });
/// How often the stack has changed.
static CHANGES: AtomicU32 = AtomicU32::new(0);

struct Stack {
    inserted: Vec<Inserted>,
    /// Cassettes that were set aside: connects do not go to them, but they have not ended.
    aside: Vec<Inserted>,
}

impl Stack {
    fn all(&mut self) -> impl Iterator<Item = &mut Inserted> {
        self.inserted.iter_mut().chain(&mut self.aside)
    }
}

struct Inserted {
    /// The name as it was given, including placeholders.
    name: String,
    directory: PathBuf,
    /// The test that it was named after.
    test: Option<TestRun>,
    keywords: Arc<ConnectionString>,
    /// Whether a connect used it.
    used: bool,
    /// Whether it is to be recorded or replayed.
    meant: bool,
}

/// A cassette that was taken off the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its directory.
    pub directory: PathBuf,
    /// Whether it was inserted to be recorded or replayed and no connect used it.
    pub unused: bool,
}

/// Returns how often cassettes were inserted and taken off.
#[inline]
pub fn changes() -> u32 {
    CHANGES.load(Ordering::Relaxed)
}

/// Returns the settings that the cassette on top and the environment give; `None` if nothing is inserted.
pub fn settings() -> Option<Settings> {
    resolve(&*on_top()?).ok().map(with_test)
}

/// Returns the same settings with the test that an inserted cassette was named after.
pub fn with_test(mut settings: Settings) -> Settings {
    if let Some(name) = settings.cassette.as_mut().filter(|name| name.test.is_none()) {
        let mut stack = STACK.lock();
        let inserted = stack.all().find(|inserted| inserted.directory == name.path);
        name.test = inserted.and_then(|inserted| inserted.test.clone());
    }
    settings
}

/// Returns what the cassette on top gives, as keywords of a connection string.
pub fn on_top() -> Option<Arc<ConnectionString>> {
    STACK.lock().inserted.last().map(|inserted| Arc::clone(&inserted.keywords))
}

/// Puts a cassette on top, which may be one that was set aside. `mode` and `options` are as in a connection string, and
/// the environment decides what they leave out. Returns the settings that hold for connects now.
///
/// # Errors
/// A value is not valid, or the cassette is inserted already.
pub fn insert(cassette: &str, mode: &str, options: &str) -> Result<Settings, SettingsError> {
    // `%p` is filled in and the path made absolute now, because neither should change before the connect.
    let keyword = |setting: Setting, value: &str| {
        let value = String::from_utf8_lossy(&quote(value.as_bytes(), true)).into_owned();
        format!("{}={value};", setting.row().keyword)
    };
    let parse = |cassette: &str| {
        let text = format!("{}{}{options}", keyword(Setting::Mode, mode), keyword(Setting::Cassette, cassette));
        ConnectionString::parse(text.as_bytes())
    };
    let given = parse(cassette);
    let settings = resolve(&given)?;
    // If an ini file gives the mode, the settings name no cassette yet.
    let named = Given { value: cassette.into(), place: "the cassette given to super8_insert".to_owned() };
    let named = settings.cassette.clone().map_or_else(|| named.cassette(), |name| Ok(Some(name)))?.unwrap_or_default();
    let directory = std::path::absolute(&named.path).unwrap_or(named.path);
    if matches!(settings.mode, Mode::Record | Mode::Once)
        && directory.extension().is_some_and(|ending| ending == "failed")
    {
        return Err(SettingsError::new(format!(
            "{}: a name that ends in .failed is for what a failed test records, and is removed when the test passes: give the cassette \
             another name",
            directory.display()
        )));
    }
    let keywords = Arc::new(parse(&directory.display().to_string().replace('%', "%%")));
    let mut stack = STACK.lock();
    if stack.inserted.iter().any(|inserted| inserted.directory == directory) {
        return Err(SettingsError::new(format!("{} is inserted already: eject it first", directory.display())));
    }
    let meant = settings.mode != Mode::Off;
    let (name, test) = (cassette.to_owned(), named.test);
    let aside = stack.aside.iter().position(|aside| aside.directory == directory);
    let used = aside.is_some_and(|at| stack.aside.remove(at).used);
    stack.inserted.push(Inserted { name, directory: directory.clone(), test, keywords, used, meant });
    drop(stack);
    CHANGES.fetch_add(1, Ordering::Relaxed);
    let cassette = (settings.mode != Mode::Off).then_some(directory.into());
    Ok(with_test(Settings { cassette, ..settings }))
}

fn resolve(given: &ConnectionString) -> Result<Settings, SettingsError> {
    let environment = |name: &str| std::env::var_os(name);
    let sources = Sources { inserted: Some(given), environment: Some(&environment), ..Sources::default() };
    variables::check(&|name| sources.mentions(name))?;
    sources.settings()
}

/// Takes a cassette off the stack, or the one on top. A cassette that is named need not have been inserted.
pub fn take(cassette: Option<&Path>) -> Option<Taken> {
    let directory = directory_of(cassette)?;
    let mut stack = STACK.lock();
    let is_it = |inserted: &Inserted| inserted.directory == directory;
    let at = stack.inserted.iter().position(is_it);
    let taken = match at {
        Some(at) => Some(stack.inserted.remove(at)),
        None => stack.aside.iter().position(is_it).map(|at| stack.aside.remove(at)),
    };
    CHANGES.fetch_add(1, Ordering::Relaxed);
    let unused = taken.is_some_and(|inserted| inserted.meant && !inserted.used);
    Some(Taken { directory, unused })
}

/// Takes a cassette off the stack, or the one on top, without ending it. Returns whether it was inserted.
pub fn set_aside(cassette: Option<&Path>) -> bool {
    let Some(directory) = directory_of(cassette) else { return false };
    let mut stack = STACK.lock();
    let Some(at) = stack.inserted.iter().position(|inserted| inserted.directory == directory) else { return false };
    let aside = stack.inserted.remove(at);
    stack.aside.push(aside);
    CHANGES.fetch_add(1, Ordering::Relaxed);
    true
}

/// Notes a connect that uses a cassette. Returns whether the cassette is inserted. Then its recording stays where it
/// grows until it is ejected, so that a test that failed does not replace the previous cassette.
pub fn connects(cassette: &Path) -> bool {
    let mut stack = STACK.lock();
    let found = stack.all().find(|inserted| inserted.directory == cassette);
    found.is_some_and(|inserted| {
        inserted.used = true;
        true
    })
}

/// Returns a cassette's directory: of one that is named as it was inserted (the last one of that name), of any other
/// cassette by its path, and without a name of the one on top.
pub fn directory_of(cassette: Option<&Path>) -> Option<PathBuf> {
    let stack = STACK.lock();
    let stack = &stack.inserted;
    let Some(cassette) = cassette else { return stack.last().map(|inserted| inserted.directory.clone()) };
    let as_given = stack.iter().rev().find(|inserted| Path::new(&inserted.name) == cassette);
    let by_path = || std::path::absolute(cassette).unwrap_or_else(|_| cassette.to_owned());
    Some(as_given.map_or_else(by_path, |inserted| inserted.directory.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_in_is_the_first_one_out() {
        let one = insert("cassettes/on;e", "record", "Super8Order=connection").unwrap();
        assert!(one.mode == Mode::Record && one.order.is_some());
        let directory = one.cassette.unwrap().path;
        assert!(directory.is_absolute() && directory.ends_with("on;e"));
        insert("two", "Replay", "").unwrap();
        assert_eq!(on_top().unwrap().get("Super8Mode").as_deref(), Some(b"Replay".as_slice()));
        let again = insert("cassettes/on;e", "replay", "").unwrap_err().to_string();
        assert!(again.contains("inserted already"), "{again}");
        assert!(connects(&directory) && !connects(Path::new("/other")));
        assert_eq!(take(Some(Path::new("cassettes/on;e"))), Some(Taken { directory, unused: false }));
        // A cassette that is set aside is not on top, and has not ended.
        insert("three", "record", "").unwrap();
        let three = directory_of(None).unwrap();
        assert!(connects(&three) && set_aside(Some(Path::new("three"))) && !set_aside(Some(Path::new("three"))));
        assert!(directory_of(None).unwrap().ends_with("two") && connects(&three));
        insert("three", "record", "").unwrap();
        assert_eq!(take(None), Some(Taken { directory: three.clone(), unused: false }));
        insert("three", "record", "").unwrap();
        assert!(set_aside(None));
        assert_eq!(take(Some(&three)), Some(Taken { directory: three, unused: true }));
        let two = take(None).unwrap();
        assert!(two.directory.ends_with("two") && two.unused && on_top().is_none() && take(None).is_none());

        // An ini file may give the mode: the cassette's name stays.
        insert("later%p", "", "").unwrap();
        let name = format!("later{}", std::process::id());
        let kept =
            on_top().and_then(|keywords| keywords.get("Super8Cassette").map(|value| value.into_owned())).unwrap();
        assert!(String::from_utf8(kept).unwrap().ends_with(&name));
        // It can be called as it was inserted.
        assert!(directory_of(Some(Path::new("later%p"))).unwrap().ends_with(&name));
        assert!(take(Some(Path::new("later%p"))).unwrap().directory.ends_with(name) && take(None).is_none());

        assert!(insert("x", "rewind", "").unwrap_err().to_string().contains("Super8Mode given to super8_insert"));
        assert!(insert("x", "replay", "Super8Odor=global").unwrap_err().to_string().contains("super8_insert"));
        assert!(insert("", "replay", "").is_err() && on_top().is_none());
    }
}
