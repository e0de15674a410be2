//! Which commands a run needs.
//!
//! Of some seventy commands a run parses one. Making all of them took longer than asking a BMC for its power state, so
//! a command line is first read with those only that its words name. A word that is no name leads to none, hence what
//! this tree understands the whole one understands in the same way. Help and errors come from the whole one.

use std::ffi::OsString;

/// The commands that are made.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// All: for help, errors, man pages, completions and tests.
    All,
    /// Those that a word of this command line could mean.
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
