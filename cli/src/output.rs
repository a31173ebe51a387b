//! Standard output, as text (coloured in a terminal, plain in a pipe and under NO_COLOR) or as JSON, and progress bars
//! on standard error, if that is a terminal.

use crate::exit::Failure;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

/// Returns standard output that drops colours unless it is a terminal. It is buffered: call [`finish`] at the end.
pub fn text() -> BufWriter<impl Write> {
    BufWriter::new(WhileRead::from(anstream::AutoStream::auto(io::stdout().lock())))
}

/// Returns standard output for plain bytes, buffered as that of [`text`].
pub fn bytes() -> BufWriter<impl Write> {
    BufWriter::new(WhileRead::from(io::stdout().lock()))
}

/// Returns a number with its noun: `1 statement`, `2 statements`.
pub fn many(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A stream that ignores a closed pipe: if `head` has seen enough, the exit code still gives the result.
struct WhileRead<W> {
    stream: W,
    closed: bool,
}

impl<W> From<W> for WhileRead<W> {
    fn from(stream: W) -> Self {
        WhileRead { stream, closed: false }
    }
}

impl<W: Write> WhileRead<W> {
    fn unless_closed<T>(&mut self, unread: T, act: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.closed {
            return Ok(unread);
        }
        let result = act(&mut self.stream);
        self.closed = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
        if self.closed { Ok(unread) } else { result }
    }
}

impl<W: Write> Write for WhileRead<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), W::flush)
    }
}

/// Flushes the output of [`text`] or [`bytes`].
///
/// # Errors
/// Standard output cannot be written. A closed pipe is no error.
pub fn finish(mut out: impl Write) -> Result<(), Failure> {
    Ok(out.flush()?)
}

/// Writes a value as JSON, for `--json`.
///
/// # Errors
/// As [`finish`].
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = bytes();
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    finish(out)
}

/// Makes a progress bar that runs to `length` (entries, files), with a word for what is being done. Call `inc` and, at
/// the end, `finish_and_clear`.
pub fn bar(doing: &'static str, length: u64) -> ProgressBar {
    styled(doing, length, "{msg:>12} [{bar:40}] {human_pos}/{human_len} {eta}")
}

/// Makes a progress bar for a number of bytes.
pub fn bar_of_bytes(doing: &'static str, length: u64) -> ProgressBar {
    styled(doing, length, "{msg:>12} [{bar:40}] {bytes}/{total_bytes} {eta}")
}

/// Hides a bar if standard output is a terminal. For verbs that write text while they work: the bar would break up the
/// text.
pub fn beside_text(bar: ProgressBar) -> ProgressBar {
    if io::stdout().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

fn styled(doing: &'static str, length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> ")).with_message(doing)
}
