//! How bytes reach the end of the command log: one `write` per entry, or what the caller brings instead.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

/// The end of a log that grows.
///
/// What was appended has to survive the death of the process (not of the machine) once `append` has returned.
pub trait Append: Send {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// What the operating system says. The log may then end in the middle of an entry; nothing more is appended.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file end exactly where its content ends: an implementation that works in a preallocated area cuts off
    /// the rest. More may be appended later.
    ///
    /// # Errors
    /// What the operating system says.
    fn finish(&mut self) -> io::Result<()>;
}

/// Makes the [`Append`] of a new, empty file, which is open for reading and writing.
pub type MakeAppend = Arc<dyn Fn(File) -> io::Result<Box<dyn Append>> + Send + Sync>;

/// Appends with one `write` system call each.
#[derive(Debug)]
pub struct WriteAppend(File);

impl WriteAppend {
    /// Appends to `file` at its current position.
    pub fn new(file: File) -> Self {
        WriteAppend(file)
    }
}

impl Append for WriteAppend {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
