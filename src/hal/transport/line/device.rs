//! A serial port or pseudo-terminal of this machine.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use tokio::net::unix::pipe::{Receiver, Sender};

use super::Io;
use crate::hal::error::{Error, Kind, Result};

/// Opens a terminal device in raw mode. Speed and parity stay as they are set.
pub(super) fn open(path: &Path) -> Result<Box<dyn Io>> {
    let failed = |e: io::Error| {
        let kind = match e.kind() {
            io::ErrorKind::PermissionDenied => Kind::Config,
            _ => Kind::Unreachable,
        };
        Error::new(kind, path.display().to_string()).with_source(e)
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path)
        .map_err(failed)?;
    let mut mode = tcgetattr(&file).map_err(|_| {
        let what = path.display().to_string();
        Error::new(Kind::Config, what).with_source("it is no terminal device")
    })?;
    cfmakeraw(&mut mode);
    tcsetattr(&file, SetArg::TCSANOW, &mode).map_err(|e| failed(e.into()))?;
    // To the runtime a terminal is like a pipe in each direction.
    let reader = Receiver::from_file_unchecked(file.try_clone().map_err(failed)?);
    let writer = Sender::from_file_unchecked(file).map_err(failed)?;
    Ok(Box::new(tokio::io::join(reader.map_err(failed)?, writer)))
}
