//! Cuts a trace's file into lines, one after the other, holding only the current one in memory.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::memchr;

use crate::CassetteError;
use crate::files;
use crate::store::interface::EntryRef;

const BLOCK: usize = 64 * 1024;
/// The longest line. super8 writes none that is longer.
const LONGEST: usize = files::LARGEST as usize;

/// The lines of a trace's file. Blank lines are skipped, and NUL bytes up to the end of the file count as its end.
pub(super) struct Lines<R> {
    reader: UntilZero<R>,
    file: PathBuf,
    window: Vec<u8>,
    /// How much of the window was handed out.
    start: usize,
    /// The position in the file of `window[start]`.
    offset: u64,
    /// The number, from 1, of the line at `window[start]`.
    line: u32,
}

/// A line with its place.
pub(super) struct Cut<'l> {
    /// Where it stands, without its line break.
    pub(super) place: EntryRef,
    pub(super) bytes: &'l [u8],
    /// Whether a line break follows. A line without one may have been cut short.
    pub(super) ended: bool,
}

impl<R: Read> Lines<R> {
    /// Reads from the start of a file. `file` is its name for errors.
    pub(super) fn new(reader: R, file: &Path) -> Self {
        let reader = UntilZero { inner: reader, end: None };
        Lines { reader, file: file.to_owned(), window: Vec::new(), start: 0, offset: 0, line: 1 }
    }

    /// Returns the next line that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<Cut<'_>>, CassetteError> {
        loop {
            let Some((length, ended)) = self.length()? else { return Ok(None) };
            let (start, offset, line) = (self.start, self.offset, self.line);
            self.start += length + usize::from(ended);
            self.offset += (length + usize::from(ended)) as u64;
            self.line += 1;
            let bytes = &self.window[start..start + length];
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let len = u32::try_from(length).map_err(|_| self.too_long(line))?;
            let bytes = &self.window[start..start + length];
            return Ok(Some(Cut { place: EntryRef { offset, len, line }, bytes, ended }));
        }
    }

    /// Returns the length of the next line, and whether a line break follows; `None` at the end of the file.
    fn length(&mut self) -> Result<Option<(usize, bool)>, CassetteError> {
        let mut seen = 0;
        loop {
            let waiting = &self.window[self.start..];
            if let Some(at) = memchr(b'\n', &waiting[seen..]) {
                return Ok(Some((seen + at, true)));
            }
            seen = waiting.len();
            if seen > LONGEST {
                return Err(self.too_long(self.line));
            }
            if !self.fill()? {
                return Ok((seen > 0).then_some((seen, false)));
            }
        }
    }

    fn too_long(&self, line: u32) -> CassetteError {
        CassetteError::new(&self.file, "a line of more than 64 MiB").at_line(line.into())
    }

    /// Reads more of the file. Returns false at its end.
    fn fill(&mut self) -> Result<bool, CassetteError> {
        if self.start > 0 {
            self.window.drain(..self.start);
            self.start = 0;
            // do not keep the memory of a line of several megabytes
            self.window.shrink_to(4 * BLOCK);
        }
        let held = self.window.len();
        let more = files::growth(held, BLOCK);
        self.window.reserve_exact(more);
        self.window.resize(held + more, 0);
        let count = loop {
            match self.reader.read(&mut self.window[held..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    self.window.truncate(held);
                    return Err(CassetteError::torn(&self.file, "there are zero bytes in the middle of the file")
                        .at_line(self.line.into())
                        .advice("everything before them is whole; record again, or `super8 recover` it"));
                }
                read => break read.map_err(|error| CassetteError::io(&self.file, "read", &error)),
            }
        }?;
        self.window.truncate(held + count);
        Ok(count > 0)
    }
}

/// A file up to its first zero byte. Zeros at the end are the unused rest of the room that was set aside. Text behind a
/// zero is the rest of a record that was never finished, because its first byte is written last.
struct UntilZero<R> {
    inner: R,
    /// Set when the zero was reached: whether there was text behind it in the same block.
    end: Option<bool>,
}

impl<R: Read> UntilZero<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(text) = self.end {
            return self.check(text);
        }
        let count = self.inner.read(buffer)?;
        let Some(end) = memchr(0, &buffer[..count]) else { return Ok(count) };
        let text = buffer[end..count].iter().any(|byte| *byte != 0);
        self.end = Some(text);
        if end == 0 { self.check(text) } else { Ok(end) }
    }

    /// Checks that there is no text behind the zero.
    fn check(&mut self, mut text: bool) -> io::Result<usize> {
        let mut rest = vec![0; 16 * 1024];
        while !text {
            match self.inner.read(&mut rest) {
                Ok(0) => return Ok(0),
                Ok(count) => text = rest[..count].iter().any(|byte| *byte != 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_their_places() {
        let mut text = b"one\n\n  \ntwo\r\n".to_vec();
        text.extend(vec![b'x'; 200_000]);
        text.extend(b"\ntorn\0\0\0");
        let mut lines = Lines::new(&text[..], Path::new("x.ndjson"));
        let mut found = Vec::new();
        while let Some(cut) = lines.next().unwrap() {
            let EntryRef { offset, len, line } = cut.place;
            assert_eq!(&text[offset as usize..][..len as usize], cut.bytes);
            found.push((line, len, cut.ended));
        }
        assert_eq!(found, [(1, 3, true), (4, 4, true), (5, 200_000, true), (6, 4, false)]);
        let mut broken = Lines::new(&b"one\n\0two\n"[..], Path::new("x.ndjson"));
        assert_eq!(broken.next().unwrap().map(|cut| cut.bytes.to_vec()), Some(b"one".to_vec()));
        let error = broken.next().err().unwrap();
        assert_eq!((error.kind(), error.line()), (crate::ErrorKind::Torn, Some(2)));
    }
}
