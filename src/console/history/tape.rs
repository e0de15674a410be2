//! The writer's side: appends, begins a new file when one is full, takes away the oldest.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::record::{Found, MAGIC, Record};
use super::{Limits, files, path_of};

/// The file that is written to. It is opened for each batch: thousands of consoles are not thousands of open files.
#[derive(Debug)]
pub(super) struct Tape {
    folder: PathBuf,
    limits: Limits,
    number: u64,
    size: u64,
}

impl Tape {
    /// Goes on behind the last whole record; what a crash tore is cut off.
    pub(super) fn open(folder: &Path, limits: Limits) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let mut tape = Self {
            folder: folder.to_owned(),
            limits,
            number: 1,
            size: 0,
        };
        if let Some((number, path)) = files(folder)?.pop() {
            tape.number = number;
            tape.size = whole(&path)?;
        }
        Ok(tape)
    }

    pub(super) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for record in records {
            record.encode(&mut bytes);
            if bytes.len() as u64 >= self.limits.file() {
                self.write(&bytes)?;
                bytes.clear();
            }
        }
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.size > MAGIC.len() as u64 && self.size + bytes.len() as u64 > self.limits.file() {
            self.number += 1;
            self.size = 0;
        }
        let path = path_of(&self.folder, self.number);
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)?;
        if self.size == 0 {
            file.set_len(0)?;
        }
        // A new one, or one that was swept away.
        if file.metadata()?.len() == 0 {
            file.write_all(MAGIC)?;
            self.size = MAGIC.len() as u64;
            self.make_room()?;
        }
        file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Takes away the oldest files, so that this one may become full.
    fn make_room(&self) -> io::Result<()> {
        let mut all = Vec::new();
        for (number, path) in files(&self.folder)? {
            if number != self.number {
                all.push((fs::metadata(&path)?.len(), path));
            }
        }
        let mut total: u64 = all.iter().map(|(size, _)| size).sum();
        for (size, path) in all {
            if total + self.limits.file() <= self.limits.each {
                break;
            }
            fs::remove_file(path)?;
            total -= size;
        }
        Ok(())
    }
}

/// How much of a file is whole records; the rest is cut off.
fn whole(path: &Path) -> io::Result<u64> {
    let file = File::options().read(true).write(true).open(path)?;
    let size = file.metadata()?.len();
    let mut reader = BufReader::new(&file);
    let mut magic = Vec::new();
    reader
        .by_ref()
        .take(MAGIC.len() as u64)
        .read_to_end(&mut magic)?;
    let mut good = 0;
    if magic == MAGIC {
        good = MAGIC.len() as u64;
        while let Found::Record(_, n) = Record::decode(&mut reader)? {
            good += n;
        }
    }
    if good < size {
        log::warn!(
            "{}: {} bytes were torn by a crash",
            path.display(),
            size - good
        );
        file.set_len(good)?;
        (&file).seek(SeekFrom::Start(good))?;
    }
    Ok(good)
}
