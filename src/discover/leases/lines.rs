//! Lines of a file that anybody may have written: of bounded length, any bytes, `\n` or `\r\n`.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

/// Longest line that is read whole.
pub(super) const LONGEST: usize = 64 << 10;

/// One line.
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Its text; bytes that are no UTF-8 are replaced.
    pub(super) text: Cow<'a, str>,
    /// It ended with a line feed; without one it may be half-written.
    pub(super) whole: bool,
    /// It was longer than [`LONGEST`] and is cut.
    pub(super) cut: bool,
}

/// A reader of lines with one buffer.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            number: 0,
        }
    }

    /// The number of the line that was read last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line; `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let read = (&mut self.input)
            .take(LONGEST as u64)
            .read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let mut whole = self.buffer.last() == Some(&b'\n');
        let mut cut = false;
        if !whole && read == LONGEST {
            (whole, cut) = self.skip_rest()?;
        }
        while matches!(self.buffer.last(), Some(b'\n' | b'\r')) {
            self.buffer.pop();
        }
        let bytes = if self.number == 1 {
            self.buffer
                .strip_prefix(b"\xef\xbb\xbf")
                .unwrap_or(&self.buffer)
        } else {
            &self.buffer
        };
        Ok(Some(Line {
            number: self.number,
            text: String::from_utf8_lossy(bytes),
            whole,
            cut,
        }))
    }

    /// Skips to the end of the line: (it ended with a line feed, something was skipped).
    fn skip_rest(&mut self) -> io::Result<(bool, bool)> {
        let mut skipped = false;
        loop {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                return Ok((false, skipped));
            }
            let end = available.iter().position(|b| *b == b'\n');
            let n = end.map_or(available.len(), |at| at + 1);
            skipped |= end != Some(0);
            self.input.consume(n);
            if end.is_some() {
                return Ok((true, skipped));
            }
        }
    }
}
