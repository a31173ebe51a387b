//! What goes to standard output: text, coloured in a terminal and plain in a pipe (and under NO_COLOR), or JSON.

use crate::exit::Failure;
use serde::Serialize;
use std::io::Write;

/// Standard output that drops colours where nobody would see them. Buffered: flush it at the end, or use [`finish`].
pub fn text() -> std::io::BufWriter<anstream::AutoStream<std::io::StdoutLock<'static>>> {
    std::io::BufWriter::new(anstream::AutoStream::auto(std::io::stdout().lock()))
}

/// Flushes what [`text`] gave.
///
/// # Errors
/// Standard output cannot be written, or is closed.
pub fn finish(mut out: impl Write) -> Result<(), Failure> {
    Ok(out.flush()?)
}

/// Writes a value as JSON, for `--json`.
///
/// # Errors
/// As [`finish`].
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    finish(out)
}
