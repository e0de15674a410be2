//! Requests that are done once: what was asked under which id, and what came of it. An intent without an outcome was
//! interrupted, and nobody knows how far it came.

/// How long a request is kept, in milliseconds.
pub const KEPT: u64 = 24 * 60 * 60 * 1000;

/// Requests that are kept at most; the oldest go first.
pub const MOST: u64 = 200_000;

/// Longest outcome that is kept.
pub const LONGEST: usize = 64 << 10;

/// Names a request. Ids are each caller's own: nobody sees what came of another one's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKey {
    /// Who asks.
    pub caller: String,
    /// His id.
    pub id: String,
}

/// What is kept of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of what was asked. Passwords may be part of it, so stores seal it.
    pub digest: [u8; 32],
    /// What came of it; `None` = it was begun.
    pub outcome: Option<Vec<u8>>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept")
            .field("settled", &self.outcome.is_some())
            .finish_non_exhaustive()
    }
}
