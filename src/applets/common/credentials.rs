//! `-U -P -f -E --kg-file`: who logs in, and from where the password comes.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use zeroize::Zeroizing;

use crate::hal::model::Secret;

use super::exit::Failure;
use super::tty;

/// A user and how to prove it.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// User name; empty for IPMI's anonymous user.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// IPMI's K_G, where the BMC has one.
    pub kg: Option<Secret>,
}

/// Longest password or key file; IPMI takes 20 bytes, Redfish some hundreds.
const LIMIT: u64 = 4096;

/// Adds the options.
pub fn args(command: Command) -> Command {
    command
        .arg(
            Arg::new("user")
                .short('U')
                .long("user")
                .value_name("NAME")
                .help_heading("Credentials")
                .help("User to log in as"),
        )
        .arg(
            Arg::new("password")
                .short('P')
                .long("password")
                .value_name("PASSWORD")
                .value_parser(value_parser!(OsString))
                .conflicts_with_all(["password-file", "password-env"])
                .help_heading("Credentials")
                .help("Password; others on this host can see it, prefer -f or -E"),
        )
        .arg(
            Arg::new("password-file")
                .short('f')
                .long("password-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help_heading("Credentials")
                .help("Read the password from the first line of FILE, - for stdin"),
        )
        .arg(
            Arg::new("password-env")
                .short('E')
                .action(ArgAction::SetTrue)
                .conflicts_with("password-file")
                .help_heading("Credentials")
                .help("Take the password from HALBOX_PASSWORD or IPMI_PASSWORD"),
        )
        .arg(
            Arg::new("kg-file")
                .long("kg-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help_heading("Credentials")
                .help("Read the BMC's key K_G (at most 20 bytes) from FILE"),
        )
}

/// The credentials that were given; `None` when there is no `-U` (then nobody logs in).
///
/// The password comes from the one option that names a source, else from the environment, else a person is asked.
pub fn given(matches: &ArgMatches) -> Result<Option<Credentials>, Failure> {
    let Some(user) = matches.get_one::<String>("user") else {
        let named = ["password", "password-file"]
            .iter()
            .any(|id| matches.contains_id(id));
        if named || matches.get_flag("password-env") {
            return Err(Failure::usage("a password without a user").hint("add -U NAME"));
        }
        return Ok(None);
    };
    let kg = match matches.get_one::<PathBuf>("kg-file") {
        Some(path) => Some(kg(path)?),
        None => None,
    };
    Ok(Some(Credentials {
        user: user.clone(),
        password: password(matches, user)?,
        kg,
    }))
}

/// The same where somebody has to log in.
pub fn needed(matches: &ArgMatches) -> Result<Credentials, Failure> {
    given(matches)?.ok_or_else(|| {
        Failure::usage("no user to log in as")
            .hint("-U NAME and -f FILE, -E (environment HALBOX_PASSWORD) or the prompt")
    })
}

fn password(matches: &ArgMatches, user: &str) -> Result<Secret, Failure> {
    if let Some(password) = matches.get_one::<OsString>("password") {
        log::warn!(
            "-P shows the password to everyone on this host; -f FILE, -E or the prompt do not"
        );
        return Ok(Secret::new(password.clone().into_vec()));
    }
    if let Some(path) = matches.get_one::<PathBuf>("password-file") {
        return first_line(path);
    }
    let env = ["HALBOX_PASSWORD", "IPMI_PASSWORD"]
        .into_iter()
        .find_map(std::env::var_os);
    if let Some(password) = env {
        return Ok(Secret::new(password.into_vec()));
    }
    if matches.get_flag("password-env") {
        return Err(Failure::usage(
            "-E: neither HALBOX_PASSWORD nor IPMI_PASSWORD is set",
        ));
    }
    match tty::open() {
        Some(tty) => tty::password(&tty, &format!("Password of '{user}': ")),
        None => Err(Failure::usage(format!("no password for '{user}'"))
            .hint("-f FILE, -E (environment HALBOX_PASSWORD) or a terminal to ask at")),
    }
}

/// What a file (`-`: stdin) holds, of at most `limit` bytes; `longer` says what is wrong with more.
pub fn read(path: &Path, limit: u64, longer: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::usage(format!("{}: {e}", path.display()));
    // What is as short as passwords are never moves: a move would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit.min(LIMIT) as usize + 1));
    let input: &mut dyn Read = if path.as_os_str() == "-" {
        &mut std::io::stdin().lock()
    } else {
        &mut std::fs::File::open(path).map_err(|e| failed(&e))?
    };
    input
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| failed(&e))?;
    if bytes.len() as u64 > limit {
        return Err(failed(&longer));
    }
    Ok(bytes)
}

/// The first line of a file, without its end.
pub fn first_line(path: &Path) -> Result<Secret, Failure> {
    let mut bytes = read(path, LIMIT, "longer than 4096 bytes, this is no password")?;
    if let Some(end) = bytes.iter().position(|b| *b == b'\n') {
        bytes.truncate(end);
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

/// A K_G: up to 20 bytes as they stand in the file, or 40 hex digits.
pub fn kg(path: &Path) -> Result<Secret, Failure> {
    let line = first_line(path)?;
    let bytes = line.expose();
    let hex = bytes.strip_prefix(b"0x").unwrap_or(bytes);
    if hex.len() == 40 && hex.iter().all(u8::is_ascii_hexdigit) {
        let digit = |b: &u8| (*b as char).to_digit(16).unwrap_or(0) as u8;
        let key: Vec<u8> = hex
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |n, b| n << 4 | digit(b)))
            .collect();
        return Ok(Secret::new(key));
    }
    if bytes.len() > 20 {
        return Err(Failure::usage(format!(
            "{}: K_G is at most 20 bytes, or 40 hex digits; this has {} bytes",
            path.display(),
            bytes.len()
        )));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(line: &[&str]) -> ArgMatches {
        args(Command::new("t")).get_matches_from(std::iter::once(&"t").chain(line))
    }

    fn file(text: &str) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, text).unwrap();
        (dir, path.to_string_lossy().into_owned())
    }

    #[test]
    fn from_the_command_line_and_from_a_file() {
        assert!(given(&matches(&[])).unwrap().is_none());
        let typed = given(&matches(&["-U", "metal", "-P", "secret"]))
            .unwrap()
            .unwrap();
        assert_eq!(
            (typed.user.as_str(), typed.password.expose()),
            ("metal", &b"secret"[..])
        );
        assert!(!format!("{typed:?}").contains("secret"));
        let (_dir, path) = file("s e c\r\nsecond line\n");
        let filed = needed(&matches(&["-U", "metal", "-f", &path])).unwrap();
        assert_eq!(filed.password.expose(), b"s e c");
    }

    #[test]
    fn a_password_alone_and_two_sources_are_refused() {
        assert_eq!(given(&matches(&["-P", "x"])).unwrap_err().code(), 2);
        assert_eq!(needed(&matches(&[])).unwrap_err().code(), 2);
        let two = ["t", "-U", "a", "-P", "x", "-E"];
        assert!(args(Command::new("t")).try_get_matches_from(two).is_err());
    }

    #[test]
    fn kg_is_text_or_hex_and_short() {
        let (_a, text) = file("my key\n");
        assert_eq!(kg(Path::new(&text)).unwrap().expose(), b"my key");
        let (_b, hex) = file(&"a1".repeat(20));
        assert_eq!(kg(Path::new(&hex)).unwrap().expose(), [0xa1; 20]);
        let (_c, long) = file(&"k".repeat(21));
        assert_eq!(kg(Path::new(&long)).unwrap_err().code(), 2);
    }
}
