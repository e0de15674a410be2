//! Bearer tokens of the API: made once, shown once, kept as hashes with role and end.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::hal::model::Secret;
use crate::hal::{Error, Kind, Result};

/// What every token begins with.
const MARK: &str = "halbox_";

/// One token, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its name in lists.
    pub id: String,
    /// SHA-256 of its text, in hex.
    hash: String,
    /// What its bearer may do.
    pub role: String,
    /// The only machine (UUID) that it is for.
    pub machine: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: u64,
    /// When it ends, in milliseconds since 1970.
    pub expires_at: u64,
}

/// All tokens, in a file that only its owner may read.
pub struct Tokens {
    path: PathBuf,
    list: Mutex<Vec<Token>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<Token>> {
    let failed = || Error::new(Kind::Config, format!("tokens {}", path.display()));
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| failed().with_source(e)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(failed().with_source(e)),
    }
}

impl Tokens {
    /// Opens the file; none is an empty list.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            list: Mutex::new(read(path)?),
        })
    }

    /// Reads the file again; what cannot be read leaves them as they were.
    pub fn again(&self) -> Result<()> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        *list = read(&self.path)?;
        Ok(())
    }

    /// Makes a token; its text is shown this one time. Ended ones are forgotten.
    pub fn create(
        &self,
        role: &str,
        machine: Option<String>,
        ttl_ms: u64,
        now: u64,
    ) -> Result<(Token, Secret)> {
        let mut random = [0u8; 36];
        getrandom::fill(&mut random)
            .map_err(|e| Error::new(Kind::Other, "no randomness").with_source(e.to_string()))?;
        let (id, key) = random.split_at(4);
        let text = format!("{MARK}{}_{}", hex(id), hex(key));
        let token = Token {
            id: hex(id),
            hash: hash(&text),
            role: role.to_owned(),
            machine,
            created_at: now,
            expires_at: now.saturating_add(ttl_ms),
        };
        self.change(|list| {
            list.retain(|t| t.expires_at > now);
            list.push(token.clone());
        })?;
        Ok((token, Secret::new(text)))
    }

    /// All of them.
    pub fn list(&self) -> Vec<Token> {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes one back; `false`: there is none of that name.
    pub fn revoke(&self, id: &str) -> Result<bool> {
        if !self.list().iter().any(|t| t.id == id) {
            return Ok(false);
        }
        self.change(|list| list.retain(|t| t.id != id))?;
        Ok(true)
    }

    /// The token of this text, if it is one and has not ended.
    pub fn check(&self, text: &str, now: u64) -> Option<Token> {
        let (id, _) = text.strip_prefix(MARK)?.split_once('_')?;
        let token = self.list().into_iter().find(|t| t.id == id)?;
        let same: bool = token.hash.as_bytes().ct_eq(hash(text).as_bytes()).into();
        (same && token.expires_at > now).then_some(token)
    }

    /// Is a token that was shown before still one?
    pub fn lives(&self, id: &str, now: u64) -> bool {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().any(|t| t.id == id && t.expires_at > now)
    }

    /// Changes the list on disk, then here.
    fn change(&self, edit: impl FnOnce(&mut Vec<Token>)) -> Result<()> {
        let failed = |e: io::Error| {
            Error::new(Kind::Other, format!("tokens {}", self.path.display())).with_source(e)
        };
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = list.clone();
        edit(&mut new);
        let json = serde_json::to_vec_pretty(&new).map_err(|e| failed(e.into()))?;
        let beside = self.path.with_extension("new");
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .map_err(failed)?;
        file.write_all(&json)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&beside, &self.path))
            .map_err(failed)?;
        *list = new;
        Ok(())
    }
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_end_are_taken_back_and_show_nothing_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        let tokens = Tokens::open(&path).unwrap();
        let (token, text) = tokens.create("viewer", None, 1000, 5).unwrap();
        let text = String::from_utf8(text.expose().to_vec()).unwrap();
        let again = Tokens::open(&path).unwrap();
        assert_eq!(again.check(&text, 1004), Some(token.clone()));
        assert_eq!(again.check(&text, 1005), None);
        let other = format!("{}0", &text[..text.len() - 1]);
        assert!(again.check(&other, 6).is_none() || other == text);
        for bad in ["", "halbox_", "halbox_00000000_00", &text[1..]] {
            assert_eq!(again.check(bad, 6), None);
        }
        let disk = fs::read_to_string(&path).unwrap();
        assert!(!disk.contains(text.rsplit('_').next().unwrap()));
        assert!(again.revoke(&token.id).unwrap() && !again.revoke(&token.id).unwrap());
        assert_eq!(again.check(&text, 6), None);
    }
}
