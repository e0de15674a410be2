//! Where the API listens: a unix socket, whose mode says who may come.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::hal::{Error, Kind, Result};

/// A unix socket that is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Listens at `path`, mode 0660, for `group` where that is named. A socket that nobody listens at any more is
/// replaced.
pub fn unix(path: &Path, group: Option<&str>) -> Result<(UnixListener, Socket)> {
    let failed = |e: io::Error| {
        Error::new(Kind::Config, format!("listening at {}", path.display())).with_source(e)
    };
    if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    if fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket()) {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(Error::new(
                Kind::Config,
                format!("somebody else listens at {}", path.display()),
            ));
        }
        fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    let socket = Socket {
        path: path.to_owned(),
    };
    fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(failed)?;
    if let Some(name) = group {
        let found = nix::unistd::Group::from_name(name).map_err(|e| failed(e.into()))?;
        let gid = found.map(|g| g.gid).ok_or_else(|| {
            Error::new(Kind::Config, format!("there is no group '{name}'"))
                .with_hint("make it (systemd-sysusers), or set socket-group")
        })?;
        std::os::unix::fs::chown(path, None, Some(gid.as_raw())).map_err(failed)?;
    }
    Ok((listener, socket))
}
