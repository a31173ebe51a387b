//! Cuts a log into its items, one after the other, holding only the current one in memory.
//!
//! An item begins at a line that starts with `- ` at the list's own indentation (none, unless a formatter indented the
//! whole list). Whatever belongs to an item is indented further, including literal blocks.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr_iter};

use crate::error::CassetteError;
use crate::{files, scan};

const BLOCK: usize = 64 * 1024;
/// The longest item. super8 writes none that is longer.
const LONGEST: usize = files::LARGEST as usize;

/// Where an item stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The offset from the start of the file, in bytes.
    pub offset: u64,
    /// The length of the item in bytes, including the blank lines and comments that follow it.
    pub len: u32,
    /// The line on which it begins, from 1.
    pub line: u32,
}

/// Returns the lines of each item of a log, including the comment right before it. `starts` are the lines (from 0) on
/// which the items begin. What stands before the first item belongs to the file, and is included only with `whole`.
pub(crate) fn blocks(lines: &[&[u8]], starts: &[usize], whole: bool) -> Vec<Range<usize>> {
    let begin = |at: usize| match (at.checked_sub(1), starts[at]) {
        (None, _) if whole => 0,
        (None, start) => start,
        (Some(before), start) => {
            let above = lines[starts[before] + 1..start].iter().rev();
            start - above.take_while(|line| line.starts_with(b"#")).count()
        }
    };
    let begins: Vec<usize> = (0..starts.len()).map(begin).collect();
    let ends = begins.iter().skip(1).copied().chain([lines.len()]);
    begins.iter().copied().zip(ends).map(|(begin, end)| begin..end).collect()
}

/// The items of a log.
///
/// NUL bytes up to the end of the file are the unused rest of the room that was set aside, and count as its end. A byte
/// order mark, `---`, directives, comments and blank lines may stand before the first item, and `...` after the last.
pub struct Items<R> {
    reader: R,
    file: PathBuf,
    window: Vec<u8>,
    /// Where the first NUL of the window stands; the window's length if it has none.
    nul: usize,
    /// How much of the window was handed out.
    start: usize,
    /// The length and the lines of the item that was lent last, which is still in the window.
    lent: (usize, u32),
    /// The position in the file of `window[start]`.
    offset: u64,
    /// The number of the line at `window[start]`.
    line: u32,
    at_end_of_file: bool,
    /// The column of the dashes, once the first was found.
    indent: Option<usize>,
    /// Whether the end of the list was reached or an error was reported.
    done: bool,
}

impl<R: Read> Items<R> {
    /// Reads from the start of a file. `file` is its name for errors.
    pub fn new(reader: R, file: &Path) -> Self {
        Items::resume(reader, file, 0, 1)
    }

    /// Reads on from a place where an item begins, as an earlier [`Item`] gave it.
    pub fn resume(reader: R, file: &Path, offset: u64, line: u32) -> Self {
        Items {
            reader,
            file: file.to_owned(),
            window: Vec::new(),
            nul: 0,
            start: 0,
            lent: (0, 0),
            offset,
            line,
            at_end_of_file: false,
            indent: None,
            done: false,
        }
    }

    /// Puts the next item's bytes into `buf`, replacing its content. Returns `None` at the end of the list.
    ///
    /// An item that breaks off is an error of kind [`Torn`](crate::ErrorKind::Torn) with the line on which it begins.
    /// After an error there are no more items.
    pub fn next(&mut self, buf: &mut Vec<u8>) -> Result<Option<Item>, CassetteError> {
        buf.clear();
        if buf.capacity() > files::LONG {
            *buf = Vec::new();
        }
        let Some((item, bytes)) = self.lend()? else { return Ok(None) };
        buf.extend_from_slice(bytes);
        Ok(Some(item))
    }

    /// Does the same, and lends the item's bytes until the next call.
    pub fn lend(&mut self) -> Result<Option<(Item, &[u8])>, CassetteError> {
        let (len, lines) = std::mem::take(&mut self.lent);
        self.consume(len, lines);
        let found = if self.done { Ok(None) } else { self.find() };
        self.done |= !matches!(found, Ok(Some(_)));
        let Some((len, lines)) = found? else { return Ok(None) };
        let short = u32::try_from(len).map_err(|_| self.error("an item of more than 4 GiB"))?;
        self.lent = (len, lines);
        Ok(Some((
            Item { offset: self.offset, len: short, line: self.line },
            &self.window[self.start..self.start + len],
        )))
    }

    /// Finds the next item. Returns its length and its number of lines.
    fn find(&mut self) -> Result<Option<(usize, u32)>, CassetteError> {
        let indent = match self.indent {
            Some(0) => match self.window.get(self.start..self.nul).and_then(scan::item) {
                Some(found) => return Ok(Some(found)),
                None => 0,
            },
            Some(indent) => indent,
            None => match self.skip_preamble()? {
                Some(indent) => *self.indent.insert(indent),
                None => return Ok(None),
            },
        };
        if !self.ensure(indent + 4)? && self.start == self.window.len() || self.window[self.start] == 0 {
            return self.check_tail().map(|()| None);
        }
        if ends_list(&self.window[self.start..]) {
            return self.after_document().map(|()| None);
        }
        self.item_length(indent).map(Some)
    }

    /// Returns the number of bytes and line breaks from the start of an item to the start of what follows.
    fn item_length(&mut self, indent: usize) -> Result<(usize, u32), CassetteError> {
        let (mut len, mut lines) = (0, 0);
        loop {
            let Some(at) = scan::line_end(&self.window[self.start + len..]) else {
                len = self.window.len() - self.start;
                if len > LONGEST {
                    return Err(self.error("an item of more than 64 MiB"));
                }
                if !self.fill()? {
                    return Ok((len, lines)); // the last line may lack its line break
                }
                continue;
            };
            len += at;
            if self.window[self.start + len] == 0 {
                return Err(self.torn(len));
            }
            (len, lines) = (len + 1, lines + 1);
            self.ensure(len + indent + 4)?;
            let rest = &self.window[self.start + len..];
            // most lines of an item are indented
            let goes_on = indent == 0 && rest.first() == Some(&b' ');
            if !goes_on && (rest.is_empty() || rest[0] == 0 || begins_item(rest, indent) || ends_list(rest)) {
                return Ok((len, lines));
            }
        }
    }

    /// Skips what may stand before the first item. Returns the indentation of its dash.
    fn skip_preamble(&mut self) -> Result<Option<usize>, CassetteError> {
        if self.ensure(3)? && self.offset == 0 && self.window[self.start..].starts_with(b"\xef\xbb\xbf") {
            self.consume(3, 0);
        }
        loop {
            let line = self.whole_line()?;
            let text = line.trim_ascii();
            if line.is_empty() || line[0] == 0 {
                return self.check_tail().map(|()| None);
            }
            let indent = line.iter().take_while(|&&byte| byte == b' ').count();
            if begins_item(line, indent) && !is_marker(line, b"---") {
                return Ok(Some(indent));
            }
            let passes = text.is_empty() || text == b"[]" || text[0] == b'#' || line[0] == b'%';
            if files::is_conflict(line.trim_ascii_end()) {
                return Err(files::conflict(&self.file, self.line.into()));
            }
            if !passes && !is_marker(line, b"---") {
                let error = self.error("this is not a list item");
                return Err(error.advice("every entry of this file begins with `- ` in the same column"));
            }
            let len = line.len();
            self.consume_line(len);
        }
    }

    /// Checks that only blank lines and comments follow the `...` after the last item.
    fn after_document(&mut self) -> Result<(), CassetteError> {
        if is_marker(&self.window[self.start..], b"---") {
            return Err(self.error("a second document begins here").advice("a cassette's file is one list"));
        }
        loop {
            let len = self.whole_line()?.len();
            self.consume_line(len);
            let line = self.whole_line()?;
            if line.is_empty() || line[0] == 0 {
                return self.check_tail();
            }
            if !matches!(line.trim_ascii().first(), None | Some(b'#')) {
                return Err(self.error("something follows the end of the list (`...`)").advice("remove that line"));
            }
        }
    }

    /// Checks that only NUL bytes follow.
    fn check_tail(&mut self) -> Result<(), CassetteError> {
        loop {
            if self.window[self.start..].iter().any(|&byte| byte != 0) {
                // an entry whose first byte was still to be written, or a damaged file
                return Err(CassetteError::torn(&self.file, "NUL bytes, and text after them: an item breaks off here")
                    .at_line(u64::from(self.line))
                    .advice("record again, or remove the file's content from this line on"));
            }
            self.start = self.window.len();
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Returns the current line, with its line break if it has one.
    fn whole_line(&mut self) -> Result<&[u8], CassetteError> {
        let mut seen = 0;
        loop {
            match memchr(b'\n', &self.window[self.start + seen..]) {
                Some(at) => return Ok(&self.window[self.start..=self.start + seen + at]),
                None => seen = self.window.len() - self.start,
            }
            // a first line without an end is no log, and NULs are not worth holding
            if seen > BLOCK || self.window[self.start..].first() == Some(&0) || !self.fill()? {
                return Ok(&self.window[self.start..]);
            }
        }
    }

    fn consume(&mut self, len: usize, lines: u32) {
        self.line = self.line.saturating_add(lines);
        self.start += len;
        self.offset += len as u64;
        if self.start > files::LONG {
            self.window = self.window.split_off(self.start);
            self.nul = self.nul.saturating_sub(self.start);
            self.start = 0;
        }
    }

    /// Does the same for a line, which the end of the file may cut short.
    fn consume_line(&mut self, len: usize) {
        let is_whole = self.window[..self.start + len].last() == Some(&b'\n');
        self.consume(len, u32::from(is_whole));
    }

    /// Says whether the window holds this many bytes from its start, after reading as far as needed.
    fn ensure(&mut self, count: usize) -> Result<bool, CassetteError> {
        while self.window.len() - self.start < count {
            if !self.fill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads another block. Returns false at the end of the file.
    fn fill(&mut self) -> Result<bool, CassetteError> {
        if self.at_end_of_file {
            return Ok(false);
        }
        self.window.drain(..self.start);
        self.nul = self.nul.saturating_sub(self.start);
        self.start = 0;
        let held = self.window.len();
        let block = files::growth(held, BLOCK);
        self.window.reserve_exact(block);
        let read = (&mut self.reader).take(block as u64).read_to_end(&mut self.window);
        let count = read.map_err(|error| CassetteError::io(&self.file, "read", &error))?;
        self.at_end_of_file = count < block;
        if self.nul == held {
            self.nul += memchr(0, &self.window[held..]).unwrap_or(count);
        }
        Ok(count > 0)
    }

    fn error(&self, problem: &str) -> CassetteError {
        CassetteError::new(&self.file, problem).at_line(u64::from(self.line))
    }

    fn torn(&self, len: usize) -> CassetteError {
        let lines = memchr_iter(b'\n', &self.window[self.start..self.start + len]).count() as u64;
        let last = u64::from(self.line) + lines;
        CassetteError::torn(&self.file, format!("the last item begins here and breaks off on line {last}"))
            .at_line(u64::from(self.line))
            .advice("record again, or remove the file's content from this line on")
    }
}

/// Says whether a line has a dash at this indentation that begins a list item.
fn begins_item(line: &[u8], indent: usize) -> bool {
    let Some((spaces, rest)) = line.split_at_checked(indent) else { return false };
    spaces.iter().all(|&byte| byte == b' ') && matches!(rest, [b'-'] | [b'-', b' ' | b'\t' | b'\n' | b'\r' | 0, ..])
}

/// Says whether a line ends the list or the document.
fn ends_list(line: &[u8]) -> bool {
    is_marker(line, b"...") || is_marker(line, b"---")
}

/// Says whether a line is `---` or `...` at column 0, alone or followed by a blank.
fn is_marker(line: &[u8], marker: &[u8; 3]) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r' | 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// A reader that returns `step` bytes at a time.
    struct Steps<'a>(&'a [u8], usize);

    impl Read for Steps<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = buffer.len().min(self.0.len()).min(self.1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn items(bytes: &[u8], step: usize) -> (Vec<(u64, u32, String)>, Option<CassetteError>) {
        let mut reader = Items::new(Steps(bytes, step), Path::new("commands.yml"));
        let (mut found, mut buf) = (Vec::new(), Vec::new());
        loop {
            match reader.next(&mut buf) {
                Ok(Some(item)) => {
                    assert_eq!(&bytes[item.offset as usize..][..item.len as usize], buf);
                    found.push((item.offset, item.line, String::from_utf8(buf.clone()).unwrap()));
                }
                Ok(None) => return (found, None),
                Err(error) => return (found, Some(error)),
            }
        }
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        let (found, error) = items(bytes, 7);
        assert_eq!(error, None);
        found.into_iter().map(|(_, _, text)| text).collect()
    }

    #[test]
    fn items_with_their_places() {
        let log = b"\xef\xbb\xbf# mine\n%YAML 1.2\n---\n\n- a: |\n    - b\n\n  c: 1\n# between\n- d\n-\n  e: 2\n...\n# end\n\0\0";
        for step in [1, 2, 5, 1000] {
            let (found, error) = items(log, step);
            assert_eq!(error, None);
            assert_eq!(
                found,
                [
                    (25, 5, "- a: |\n    - b\n\n  c: 1\n# between\n".to_owned()),
                    (58, 10, "- d\n".to_owned()),
                    (62, 11, "-\n  e: 2\n".to_owned()),
                ]
            );
        }
        assert_eq!(texts(b"- a\r\n- b\r\n"), ["- a\r\n", "- b\r\n"]);
        assert_eq!(texts(b"  - a\n  - b: |\n     - c\n"), ["  - a\n", "  - b: |\n     - c\n"]);
        assert_eq!(texts(b"- a\n- b"), ["- a\n", "- b"]);
        for empty in [&b""[..], b"\n# nothing\n", b"\0\0\0", b"[]\n", b"---\n", b"\xef\xbb\xbf"] {
            assert_eq!(texts(empty), [""; 0]);
        }
    }

    #[test]
    fn an_item_larger_than_a_block() {
        let long = format!("- a: \"{}\"\n", "x".repeat(5 * BLOCK));
        let log = format!("- 1\n{long}- 2\n");
        assert_eq!(texts(log.as_bytes()), ["- 1\n", &long, "- 2\n"]);
    }

    #[test]
    fn a_torn_item_says_where_it_began() {
        let (found, error) = items(b"- a\n- b: 1\n  c: \"x\0\0\0", 4);
        let error = error.unwrap();
        assert_eq!((found.len(), error.kind(), error.line()), (1, ErrorKind::Torn, Some(2)));
        assert!(error.to_string().contains("breaks off on line 3"), "{error}");
    }

    #[test]
    fn what_is_no_list_is_refused_with_its_line() {
        for (bytes, line, problem) in [
            (&b"# x\nmethod: run\n"[..], 2, "not a list item"),
            (b"- a\n---\n- b\n", 2, "second document"),
            (b"- a\n...\n- b\n", 3, "follows the end"),
            (b"- a\n\0\0- b\n", 2, "NUL bytes"),
            (b"\0x", 1, "NUL bytes"),
        ] {
            let error = items(bytes, 1000).1.unwrap();
            assert_eq!(error.line(), Some(line), "{error}");
            assert!(error.problem().contains(problem), "{error}");
        }
    }
}
