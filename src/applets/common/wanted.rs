//! Which parts of the command line's tree a run needs.
//!
//! Of some seventy commands a run parses one. Making the options of all of them took longer than asking a BMC for
//! its power state; the others stand in the tree by name and description only.

use std::ffi::OsString;

/// The commands whose options are made.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Of all commands: for man pages, completions and tests.
    All,
    /// Of those that a word of this command line could mean.
    Words(&'a [OsString]),
}

impl Wanted<'_> {
    /// Could this run come to the command `name`?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Words(words) => words.iter().any(|word| word == name),
        }
    }
}
