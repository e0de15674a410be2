//! Asking a person at the terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use crate::hal::model::Secret;

use super::exit::Failure;

/// The terminal of the person who called us, if there is one that sees our messages.
pub fn open() -> Option<File> {
    if !io::stderr().is_terminal() {
        return None;
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()
}

/// Puts the terminal back as it was.
struct Restore<'a>(&'a File, Termios);

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.0, SetArg::TCSAFLUSH, &self.1);
    }
}

/// Longest answer that is read.
const LIMIT: usize = 4096;

/// Reads one line; with `secret` it is not echoed. Ctrl-C at the prompt is an interrupt like any other.
fn line(tty: &File, prompt: &str, secret: bool) -> Result<Vec<u8>, Failure> {
    let failed =
        |e: &dyn std::fmt::Display| Failure::failed(format!("cannot read from the terminal: {e}"));
    let mut out = tty;
    out.write_all(prompt.as_bytes()).map_err(|e| failed(&e))?;
    let before = tcgetattr(tty).map_err(|e| failed(&e))?;
    let restore = Restore(tty, before.clone());
    if secret {
        // Byte by byte and without signals: a Ctrl-C here must not leave the terminal without echo.
        let mut quiet = before;
        quiet
            .local_flags
            .remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
        tcsetattr(tty, SetArg::TCSAFLUSH, &quiet).map_err(|e| failed(&e))?;
    }
    let mut text = Vec::with_capacity(LIMIT);
    let mut byte = [0; 1];
    loop {
        let mut input = tty;
        let n = match input.read(&mut byte) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other.map_err(|e| failed(&e))?,
        };
        match byte {
            _ if n == 0 => break,
            [b'\n' | b'\r'] => break,
            [0x03] if secret => return Err(Failure::interrupted()),
            [0x04] if secret => break,
            [0x15] if secret => text.clear(),
            [0x08 | 0x7f] if secret => {
                text.pop();
            }
            [b] if text.len() < LIMIT => text.push(b),
            _ => {}
        }
    }
    drop(restore);
    if secret {
        let _ = out.write_all(b"\n");
    }
    Ok(text)
}

/// Asks for a password, without echo.
pub fn password(tty: &File, prompt: &str) -> Result<Secret, Failure> {
    line(tty, prompt, true).map(Secret::new)
}

/// Asks a question; only `y` or `yes` is a yes.
pub fn yes(tty: &File, question: &str) -> Result<bool, Failure> {
    let answer = line(tty, &format!("{question} [y/N] "), false)?;
    Ok(answer.eq_ignore_ascii_case(b"y") || answer.eq_ignore_ascii_case(b"yes"))
}
