//! A password that is about to be set: from a file, from stdin, or asked for twice. Never from the command line.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::hal::model::Secret;

use super::credentials;
use super::exit::Failure;
use super::tty;

/// Longest line that is read from stdin.
const LIMIT: u64 = 4096;

/// Adds `--new-password-file`.
pub fn args(command: Command) -> Command {
    command.arg(
        Arg::new("new-password-file")
            .long("new-password-file")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Read the new password from the first line of FILE, - for stdin [default: ask]"),
    )
}

/// The new password of `whom`. Empty ones are refused.
pub fn read(matches: &ArgMatches, whom: &str) -> Result<Secret, Failure> {
    let secret = match matches.get_one::<PathBuf>("new-password-file") {
        Some(path) if path.as_os_str() == "-" => from_stdin(std::io::stdin().lock())?,
        Some(path) => credentials::first_line(Path::new(path))?,
        None => asked(whom)?,
    };
    if secret.is_empty() {
        return Err(Failure::usage("the new password is empty"));
    }
    Ok(secret)
}

fn asked(whom: &str) -> Result<Secret, Failure> {
    let Some(tty) = tty::open() else {
        return Err(Failure::usage(format!("no new password for '{whom}'"))
            .hint("--new-password-file FILE (- for stdin), or a terminal to ask at"));
    };
    let first = tty::password(&tty, &format!("New password of '{whom}': "))?;
    let second = tty::password(&tty, "Once more: ")?;
    if first.expose() == second.expose() {
        Ok(first)
    } else {
        Err(Failure::usage("the two are not the same"))
    }
}

fn from_stdin(input: impl Read) -> Result<Secret, Failure> {
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(LIMIT as usize + 1));
    input
        .take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::usage(format!("stdin: {e}")))?;
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() as u64 > LIMIT {
        return Err(Failure::usage(
            "stdin: longer than 4096 bytes, this is no password",
        ));
    }
    Ok(Secret::new(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(line: &[&str]) -> ArgMatches {
        args(Command::new("t")).get_matches_from(std::iter::once(&"t").chain(line))
    }

    #[test]
    fn the_first_line_of_a_file_or_of_stdin() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s e c\nx\n").unwrap();
        let path = file.path().to_str().unwrap();
        let got = read(&matches(&["--new-password-file", path]), "metal").unwrap();
        assert_eq!(got.expose(), b"s e c");
        assert_eq!(from_stdin(&b"abc\r\ndef"[..]).unwrap().expose(), b"abc");
        assert_eq!(from_stdin(&vec![b'x'; 5000][..]).unwrap_err().code(), 2);
        std::fs::write(file.path(), "\n").unwrap();
        let empty = read(&matches(&["--new-password-file", path]), "metal");
        assert_eq!(empty.unwrap_err().code(), 2);
    }
}
