//! What came last, for readers of different pace.

use std::collections::VecDeque;

use super::news::Happening;

/// Bytes that are kept for the slowest reader, with what keeping them costs.
pub(super) const ROOM: usize = 256 << 10;
/// What an entry costs beside its characters.
const ENTRY: usize = 64;

/// An entry: when, in milliseconds since 1970, and what.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) at: u64,
    pub(super) what: Happening,
}

impl Entry {
    fn characters(&self) -> u64 {
        match &self.what {
            Happening::Data(data) => data.len() as u64,
            Happening::News(_) => 0,
        }
    }

    fn cost(&self) -> usize {
        ENTRY + self.characters() as usize
    }
}

/// How far a reader has read: entries, and characters in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    entry: u64,
    character: u64,
}

/// What a reader gets next.
#[derive(Debug)]
pub(super) enum Read {
    /// So many characters are gone.
    Missed(u64),
    Entry(Entry),
    /// He has read everything.
    Nothing,
}

/// The ring.
#[derive(Debug)]
pub(super) struct Ring {
    entries: VecDeque<Entry>,
    first: Cursor,
    end: Cursor,
    cost: usize,
}

impl Default for Ring {
    fn default() -> Self {
        let start = Cursor {
            entry: 0,
            character: 0,
        };
        Self {
            entries: VecDeque::new(),
            first: start,
            end: start,
            cost: 0,
        }
    }
}

impl Ring {
    /// Adds an entry; the oldest go when there are too many.
    pub(super) fn push(&mut self, entry: Entry) {
        self.end.entry += 1;
        self.end.character += entry.characters();
        self.cost += entry.cost();
        self.entries.push_back(entry);
        while self.cost > ROOM && self.entries.len() > 1 {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.first.entry += 1;
            self.first.character += entry.characters();
            self.cost -= entry.cost();
        }
    }

    /// Behind the newest entry.
    pub(super) fn end(&self) -> Cursor {
        self.end
    }

    /// Has a reader read everything?
    pub(super) fn is_at_end(&self, cursor: Cursor) -> bool {
        cursor.entry >= self.end.entry
    }

    /// How many characters a reader has not read.
    pub(super) fn unread(&self, cursor: Cursor) -> u64 {
        self.end.character.saturating_sub(cursor.character)
    }

    /// What comes next for the reader of this cursor.
    pub(super) fn read(&self, cursor: &mut Cursor) -> Read {
        if cursor.entry < self.first.entry {
            let missed = self.first.character - cursor.character;
            *cursor = self.first;
            if missed > 0 {
                return Read::Missed(missed);
            }
        }
        let at = (cursor.entry - self.first.entry) as usize;
        let Some(entry) = self.entries.get(at) else {
            return Read::Nothing;
        };
        cursor.entry += 1;
        cursor.character += entry.characters();
        Read::Entry(entry.clone())
    }

    /// Everybody has read up to here.
    pub(super) fn forget(&mut self, to: Cursor) {
        while self.first.entry < to.entry && !self.entries.is_empty() {
            self.drop_first();
        }
        if self.entries.is_empty() && self.entries.capacity() > 32 {
            self.entries = VecDeque::new();
        }
    }

    /// What is kept, in bytes.
    #[cfg(test)]
    pub(super) fn cost(&self) -> usize {
        self.cost
    }
}

impl PartialOrd for Cursor {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cursor {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.entry.cmp(&other.entry)
    }
}
