//! The processes of one run, and what each of them has taken: a part of a cassette is recorded by one process and
//! played by one process.
//!
//! What is taken is a line in a file to which all of them append; its place among the equal lines says who was first.
//! `SUPER8_RUN` names the file, and the wrapper makes it. Without it, a run is one process with the children that it
//! forks, and they share a file without a name.

use crate::config::variables::{RUN, RUN_FD, SESSION};
use once_cell::sync::OnceCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use super8_cassette::{Processes, within_limit};

/// The file of a run without a wrapper, with its device and inode, because a daemon may have closed its descriptor and
/// opened another file under the number.
static UNNAMED: OnceCell<(File, u64, u64)> = OnceCell::new();

/// How the lines begin in which processes tell each other something.
const TOLD: &str = "told at attempt ";

/// The run that this process belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run;

impl Run {
    /// Returns whether a wrapper watches over the run.
    pub fn is_wrapped() -> bool {
        std::env::var_os(RUN).is_some_and(|path| !path.is_empty())
    }

    /// Returns whether this process is among the first `room` of the run that ask for this.
    ///
    /// # Errors
    /// The run's file cannot be reached.
    pub fn take(what: &str, room: usize) -> io::Result<bool> {
        Run::count(what).map(|number| number <= room)
    }

    /// Asks for this, and returns how many of the run have asked for it by then.
    ///
    /// # Errors
    /// As [`Run::take`].
    pub fn count(what: &str) -> io::Result<usize> {
        // A program that a process runs in its place has the same id, so the time tells them apart.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let line = format!("{}-{now} {what:?}\n", std::process::id());
        Run::with_file(|file| number(file, &line, what))
    }

    /// Returns whether this is given to `who`, which it is if `who` asked for it first, then and ever after. That works
    /// under `super8 run` too, where each process is otherwise a run of its own.
    ///
    /// # Errors
    /// As [`Run::take`].
    pub fn gives_to(what: &str, who: &str) -> io::Result<bool> {
        let named = match session().filter(|_| !Run::is_wrapped()) {
            Some(session) => OpenOptions::new().create(true).read(true).append(true).open(session.join("given"))?,
            None => Run::named()?,
        };
        let mut file = &named;
        let (begins, ends) = (format!(" {what:?} of "), format!(" of {who:?}"));
        let line = format!("{}{begins}{who:?}\n", std::process::id());
        within_limit(file.metadata()?.len() + line.len() as u64)?;
        file.write_all(line.as_bytes())?;
        Ok(read(file)?.lines().find(|line| line.contains(&begins)).is_some_and(|line| line.ends_with(&ends)))
    }

    /// Returns the directory of the run, which is removed when the run has ended; `None` if neither a wrapper nor
    /// `super8 run` made one.
    pub fn directory() -> Option<PathBuf> {
        let of_wrapper = || Some(std::env::var_os(RUN).map(PathBuf::from)?.parent()?.to_owned());
        of_wrapper().filter(|_| Run::is_wrapped()).or_else(session)
    }

    /// Returns whether somebody has taken this.
    ///
    /// # Errors
    /// As [`Run::take`].
    pub fn is_taken(what: &str) -> io::Result<bool> {
        let text = match (Run::is_wrapped(), UNNAMED.get()) {
            (true, _) => read(&Run::named()?)?,
            (false, Some((file, ..))) => read(file)?,
            (false, None) => return Ok(false),
        };
        let wanted = format!(" {what:?}");
        Ok(text.lines().any(|line| line.ends_with(&wanted)))
    }

    /// Appends a line for the other processes of the run. The line must not end in a quoted text, as what is taken does.
    fn tell(line: &str) -> io::Result<()> {
        Run::with_file(|mut file| {
            within_limit(file.metadata()?.len() + line.len() as u64)?;
            file.write_all(line.as_bytes())
        })
    }

    /// Returns the whole lines beyond the first `known` bytes of the run's file, and where they end.
    fn told_since(known: u64) -> io::Result<(String, u64)> {
        Run::with_file(|file| {
            let mut text = vec![0; file.metadata()?.len().saturating_sub(known) as usize];
            file.read_exact_at(&mut text, known)?;
            text.truncate(text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
            let end = known + text.len() as u64;
            Ok((String::from_utf8_lossy(&text).into_owned(), end))
        })
    }

    fn with_file<T>(work: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
        if Run::is_wrapped() {
            return work(&Run::named()?);
        }
        let (file, device, inode) = UNNAMED.get_or_try_init(|| {
            let file = unnamed()?;
            let metadata = file.metadata()?;
            io::Result::Ok((file, metadata.dev(), metadata.ino()))
        })?;
        match file.metadata() {
            Ok(metadata) if (metadata.dev(), metadata.ino()) == (*device, *inode) => work(file),
            _ => Err(io::Error::other("this process closed a descriptor that super8 shares with its parent")),
        }
    }

    fn named() -> io::Result<File> {
        let path = std::env::var_os(RUN).map(PathBuf::from).unwrap_or_default();
        let open = |path: &PathBuf| OpenOptions::new().read(true).append(true).open(path);
        open(&path).or_else(|error| {
            let number = std::env::var(RUN_FD).ok().and_then(|number| number.parse::<u32>().ok()).ok_or(error)?;
            open(&super8_cassette::platform::of_descriptor(number))
        })
    }
}

/// Returns the directory of `super8 run`.
pub fn session() -> Option<PathBuf> {
    std::env::var_os(SESSION).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The processes of a run that replay the parts of a cassette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayingProcesses {
    /// The attempt at the test. Each attempt has all parts again.
    pub attempt: u32,
}

impl Processes for PlayingProcesses {
    fn take(&self, group: &str, room: usize) -> bool {
        let taken = match self.attempt {
            1 => Run::take(group, room),
            attempt => Run::take(&format!("attempt {attempt} {group}"), room),
        };
        // A process that cannot ask is not counted, and plays what agrees.
        taken.unwrap_or(true)
    }

    fn tell(&self, line: &str) {
        // If the run's file cannot be written, the other processes go on with the recorded value.
        let _ = Run::tell(&format!("{TOLD}{} {line}\n", self.attempt));
    }

    fn told(&self, known: u64) -> (Vec<String>, u64) {
        let begin = format!("{TOLD}{} ", self.attempt);
        let Ok((text, known)) = Run::told_since(known) else { return (Vec::new(), known) };
        (text.lines().filter_map(|line| line.strip_prefix(&begin)).map(str::to_owned).collect(), known)
    }
}

fn unnamed() -> io::Result<File> {
    OpenOptions::new().read(true).append(true).mode(0o600).custom_flags(libc::O_TMPFILE).open(std::env::temp_dir())
}

/// Appends the line and returns its number among those of its kind, from 1.
fn number(mut file: &File, line: &str, what: &str) -> io::Result<usize> {
    within_limit(file.metadata()?.len() + line.len() as u64)?;
    file.write_all(line.as_bytes())?;
    let wanted = format!(" {what:?}");
    let text = read(file)?;
    let askers = text.lines().filter(|line| line.ends_with(&wanted));
    let own = line.trim_end();
    Ok(askers.take_while(|line| *line != own).count() + 1)
}

fn read(file: &File) -> io::Result<String> {
    let mut text = vec![0; file.metadata()?.len() as usize];
    file.read_exact_at(&mut text, 0)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ones_get_it() {
        let file = unnamed().unwrap();
        let ask = |process: u32, what: &str| number(&file, &format!("{process} {what:?}\n"), what).unwrap();
        assert_eq!((ask(1, "a\nb"), ask(2, "a\nb"), ask(3, "a\nb")), (1, 2, 3));
        assert_eq!((ask(3, "a"), ask(1, "a")), (1, 2));
        assert_eq!(ask(3, "xa"), 1, "another name that ends so");
    }
}
