//! The reader's side: from the oldest record on, also while it is written.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::record::{Found, MAGIC, Record, What};
use super::{files, path_of};

/// Bytes per batch, about.
const BATCH: usize = 64 << 10;

/// Reads a history.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    since: u64,
    /// The file, and how far it was read; `None`: nothing yet.
    place: Option<(u64, u64)>,
}

impl Reader {
    pub(super) fn new(folder: &Path, since: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            since,
            place: None,
        }
    }

    /// The records that come next; none: that is all, as yet. Blocks.
    pub fn batch(&mut self) -> io::Result<Vec<Record>> {
        let mut out = Vec::new();
        let mut size = 0;
        while size < BATCH {
            let all = files(&self.folder)?;
            let next = match self.place {
                None => all.first().map(|(n, _)| *n),
                // Was it taken away meanwhile?
                Some((number, _)) if !all.iter().any(|(n, _)| *n == number) => {
                    let next = all.iter().map(|(n, _)| *n).find(|n| *n > number);
                    if let Some(first) = next {
                        let what = What::Words("older records were taken away".to_owned());
                        let at = self.read(first, 0, usize::MAX, &mut Vec::new(), &mut 0, true)?;
                        out.push(Record { at, what });
                    }
                    next
                }
                Some(_) => None,
            };
            if let Some(number) = next {
                self.place = Some((number, 0));
            }
            let Some((number, offset)) = self.place else {
                break;
            };
            self.read(number, offset, BATCH, &mut out, &mut size, false)?;
            if size >= BATCH {
                break;
            }
            // Nothing more in this one: the next one, if there is one.
            let Some((next, _)) = all.iter().find(|(n, _)| *n > number) else {
                break;
            };
            // It was still written to while the list was made.
            if let Some((number, offset)) = self.place {
                self.read(number, offset, usize::MAX, &mut out, &mut size, false)?;
            }
            self.place = Some((*next, 0));
        }
        Ok(out)
    }

    /// Reads a file from a place on, and notes how far. `peek`: only when its first record was made.
    fn read(
        &mut self,
        number: u64,
        offset: u64,
        most: usize,
        out: &mut Vec<Record>,
        size: &mut usize,
        peek: bool,
    ) -> io::Result<u64> {
        let file = match File::open(path_of(&self.folder, number)) {
            Ok(file) => file,
            // Taken away just now.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(e) => return Err(e),
        };
        let mut offset = offset;
        let mut file = BufReader::new(file);
        if offset == 0 {
            let mut magic = Vec::new();
            file.by_ref()
                .take(MAGIC.len() as u64)
                .read_to_end(&mut magic)?;
            if magic != MAGIC {
                return Ok(0);
            }
            offset = magic.len() as u64;
        } else {
            file.seek(SeekFrom::Start(offset))?;
        }
        while *size < most {
            let Found::Record(record, n) = Record::decode(&mut file)? else {
                break;
            };
            if peek {
                return Ok(record.at);
            }
            offset += n;
            if record.at >= self.since {
                *size += n as usize;
                out.push(record);
            }
        }
        self.place = Some((number, offset));
        Ok(0)
    }
}
