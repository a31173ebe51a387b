//! Opens the files of a cassette: only regular files in its directory.
//!
//! A cassette may come from somebody else. A link in it would show another file, and a FIFO or a device would never end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use memchr::memmem;
use rustix::fs::OFlags;

use crate::CassetteError;

/// Small documents are no larger than this, and neither is a row, an entry or a record: what is, is no cassette of ours. Whoever reads
/// one holds it a few times over.
pub(crate) const LARGEST: u64 = 64 << 20;

/// A row or an entry is recorded if it has no more bytes than this when it is encoded. What surrounds it in its file is less than the
/// difference to [`LARGEST`].
pub(crate) const LONGEST_PIECE: usize = (LARGEST as usize) - (1 << 20);

/// Checks that a row or an entry, as it is encoded, can be read again.
pub(crate) fn check_size(cassette: &Path, what: &str, bytes: usize) -> Result<(), CassetteError> {
    if bytes <= LONGEST_PIECE {
        return Ok(());
    }
    let most = LONGEST_PIECE >> 20;
    let problem = format!("{what} of {bytes} bytes cannot be recorded: a cassette holds none of more than {most} MiB");
    Err(CassetteError::new(cassette, problem)
        .advice("have the program send and read smaller values while it is recorded"))
}

/// Memory for a piece of more than this is given back as soon as the piece is not needed: whoever works with it needs the memory.
pub(crate) const LONG: usize = 1 << 20;

/// By how much a window grows that holds so many bytes of a piece of which the end is not in sight: by so much that they are not
/// copied again and again, and by so little that most of the window is filled.
pub(crate) fn growth(held: usize, block: usize) -> usize {
    block.max(held / 4)
}

/// Opens a regular file for reading.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // with these flags, opening a FIFO that nobody writes to does not block
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
        match path.symlink_metadata() {
            Ok(there) if there.is_symlink() => refused("it is a link, and a cassette has its files itself"),
            _ => error,
        }
    })?;
    match file.metadata()? {
        there if there.is_file() => Ok(file),
        there if there.is_dir() => Err(refused("it is a directory, not a file")),
        _ => Err(refused("it is not a regular file")),
    }
}

/// Reads a small regular file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if size.max(bytes.len() as u64) > LARGEST {
        let problem = format!("it has {size} bytes, and no more than {LARGEST} are read of such a file");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    Ok(bytes)
}

/// Says whether a line is a merge conflict marker of git.
pub(crate) fn is_conflict(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line == b"=======" || [&b"<<<<<<< "[..], b">>>>>>> ", b"||||||| "].iter().any(|marker| line.starts_with(marker))
}

/// Makes the error for such a line.
pub(crate) fn conflict(file: &Path, line: u64) -> CassetteError {
    CassetteError::new(file, "a merge conflict marker")
        .at_line(line)
        .advice("resolve the conflict, or take one side's cassette as a whole")
}

/// Says whether a file has these bytes. Reads it in blocks, because a log may be large.
pub(crate) fn mentions(file: &mut impl Read, word: &[u8]) -> io::Result<bool> {
    const BLOCK: usize = 64 * 1024;
    let finder = memmem::Finder::new(word);
    let mut bytes = Vec::with_capacity(BLOCK + word.len());
    loop {
        if file.by_ref().take(BLOCK as u64).read_to_end(&mut bytes)? == 0 {
            return Ok(false);
        }
        if finder.find(&bytes).is_some() {
            return Ok(true);
        }
        // the word may begin in this block and end in the next one
        bytes.drain(..bytes.len().saturating_sub(word.len() - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        std::fs::write(at("file"), "x").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("zero")).unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        assert_eq!(read(&at("file")).unwrap(), b"x");
        for (name, expected) in
            [("link", "a link"), ("zero", "a link"), ("directory", "a directory"), ("fifo", "not a regular file")]
        {
            let error = read(&at(name)).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
        assert_eq!(read(&at("nothing")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_word_is_found_across_blocks() {
        let has = |text: &str| mentions(&mut text.as_bytes(), b"volatile").unwrap();
        assert!(has("  volatile: [params 1]") && !has("") && !has("volatil"));
        for before in 65_520..65_545 {
            assert!(has(&format!("{}volatile", "x".repeat(before))), "{before}");
            assert!(!has(&format!("{}volatill", "x".repeat(before))), "{before}");
        }
    }
}
