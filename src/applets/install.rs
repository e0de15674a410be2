//! `--install DIR`: links named after the applets, so that the file name picks the applet.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::Applet;
use super::common::exit::Failure;

/// How links are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// Hard links instead of relative symlinks.
    pub(super) hard: bool,
    /// Replace files that are in the way.
    pub(super) force: bool,
}

/// Makes all links in `dir`. Nothing is written when one of them is in the way; a right link is left alone.
pub(super) fn links(
    applets: &[Applet],
    dir: &Path,
    how: How,
    argv0: Option<OsString>,
) -> Result<(), Failure> {
    let program = program(argv0)?;
    let dir = fs::canonicalize(dir)
        .map_err(|e| Failure::failed(format!("--install {}: {e}", dir.display())))?;
    let mut missing = Vec::new();
    for name in applets.iter().flat_map(|a| a.links) {
        let link = dir.join(name);
        match state(&link, &program) {
            State::Right => {}
            State::Absent => missing.push(link),
            State::Other if how.force => missing.push(link),
            State::Other => {
                return Err(Failure::failed(format!(
                    "{} exists and is something else",
                    link.display()
                ))
                .hint("--force replaces it"));
            }
        }
    }
    for link in missing {
        make(&link, &program, how.hard)
            .map_err(|e| Failure::failed(format!("cannot make {}: {e}", link.display())))?;
    }
    Ok(())
}

enum State {
    Absent,
    Right,
    Other,
}

/// Is `link` already a link (of either sort) to `program`?
fn state(link: &Path, program: &Path) -> State {
    if fs::symlink_metadata(link).is_err() {
        return State::Absent;
    }
    match (fs::metadata(link), fs::metadata(program)) {
        (Ok(a), Ok(b)) if a.dev() == b.dev() && a.ino() == b.ino() => State::Right,
        _ => State::Other,
    }
}

/// Makes the link under a temporary name, then renames it: nobody sees a half-made one.
fn make(link: &Path, program: &Path, hard: bool) -> io::Result<()> {
    let temporary = link.with_extension(format!("{}.tmp", std::process::id()));
    if hard {
        fs::hard_link(program, &temporary)?;
    } else {
        let dir = link.parent().unwrap_or(Path::new("/"));
        std::os::unix::fs::symlink(relative(dir, program), &temporary)?;
    }
    fs::rename(&temporary, link).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// The path of `to` as seen from the folder `from`; both absolute and without symlinks.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let from: Vec<Component<'_>> = from.components().collect();
    let to: Vec<Component<'_>> = to.components().collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    from.iter()
        .skip(common)
        .map(|_| Component::ParentDir)
        .chain(to.iter().skip(common).copied())
        .collect()
}

/// This very file: the kernel's word, or an absolute argv\[0\] where /proc is not mounted.
fn program(argv0: Option<OsString>) -> Result<PathBuf, Failure> {
    fs::canonicalize("/proc/self/exe")
        .ok()
        .or_else(|| {
            let path = PathBuf::from(argv0?);
            path.is_absolute().then(|| fs::canonicalize(path).ok())?
        })
        .ok_or_else(|| {
            Failure::failed("cannot find out where this program is")
                .hint("mount /proc or call it by its absolute path")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths() {
        let rel = |a, b| relative(Path::new(a), Path::new(b)).display().to_string();
        assert_eq!(rel("/usr/bin", "/usr/bin/halbox"), "halbox");
        assert_eq!(
            rel("/usr/local/bin", "/opt/halbox/halbox"),
            "../../../opt/halbox/halbox"
        );
        assert_eq!(rel("/", "/bin/halbox"), "bin/halbox");
    }
}
