//! The event log (§31).

use std::sync::Arc;

use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::sim::content::sel::{ENTRY, stamped};
use crate::hal::sim::profile::STORES_FILLED;

/// The event log of a BMC; shared with other BMCs until changed.
#[derive(Debug, Clone)]
pub struct Sel {
    entries: Arc<Vec<[u8; ENTRY]>>,
    capacity: usize,
    last_id: u16,
    /// Time of the last addition.
    pub added: u32,
    /// Time of the last erase.
    pub erased: u32,
    /// Entries were lost because there was no room.
    pub overflow: bool,
    reservation: u16,
    offset: i64,
    /// Minutes east of UTC; 0x7ff = unspecified.
    pub utc_offset: i16,
}

impl Sel {
    /// A log with these entries.
    pub fn new(entries: Arc<Vec<[u8; ENTRY]>>, capacity: usize) -> Self {
        let last_id = entries.last().map_or(0, id_of);
        Self {
            last_id,
            entries,
            capacity,
            added: STORES_FILLED + 3600,
            erased: STORES_FILLED,
            overflow: false,
            reservation: 0,
            offset: 0,
            utc_offset: 0x7ff,
        }
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[[u8; ENTRY]] {
        &self.entries
    }

    /// Bytes that are free.
    pub fn free(&self) -> u16 {
        (self.capacity.saturating_sub(self.entries.len()) * ENTRY).min(0xfffe) as u16
    }

    /// The log's clock, when the BMC's shows `clock`.
    pub fn time(&self, clock: u32) -> u32 {
        u32::try_from(i64::from(clock) + self.offset).unwrap_or(0)
    }

    /// Sets the log's clock.
    pub fn set_time(&mut self, clock: u32, time: u32) {
        self.offset = i64::from(time) - i64::from(clock);
    }

    /// A new reservation; the one before is void.
    pub fn reserve(&mut self) -> u16 {
        self.reservation = self.reservation.wrapping_add(1).max(1);
        self.reservation
    }

    /// Checks a reservation; 0 is none.
    pub fn check(&self, reservation: u16) -> Result<(), CompletionCode> {
        if reservation == 0 || reservation == self.reservation {
            Ok(())
        } else {
            Err(CompletionCode::RESERVATION)
        }
    }

    /// The entry with that id (0 = first, 0xffff = last) and the id of the next.
    pub fn get(&self, id: u16) -> Option<(&[u8; ENTRY], u16)> {
        let index = match id {
            0 => 0,
            0xffff => self.entries.len().checked_sub(1)?,
            id => self.entries.iter().position(|e| id_of(e) == id)?,
        };
        let next = self.entries.get(index + 1).map_or(0xffff, id_of);
        Some((self.entries.get(index)?, next))
    }

    /// Adds an entry at `time`; its id.
    pub fn add(&mut self, entry: [u8; ENTRY], time: u32) -> Result<u16, CompletionCode> {
        if self.entries.len() >= self.capacity {
            self.overflow = true;
            return Err(CompletionCode::OUT_OF_SPACE);
        }
        self.last_id = match self.last_id {
            0xfffe => 1,
            id => id + 1,
        };
        self.added = time;
        Arc::make_mut(&mut self.entries).push(stamped(entry, self.last_id, time));
        Ok(self.last_id)
    }

    /// Deletes an entry; its id.
    pub fn delete(&mut self, id: u16, time: u32) -> Result<u16, CompletionCode> {
        let id = self
            .get(id)
            .map(|(e, _)| id_of(e))
            .ok_or(CompletionCode::NOT_PRESENT)?;
        Arc::make_mut(&mut self.entries).retain(|e| id_of(e) != id);
        self.erased = time;
        self.reserve();
        Ok(id)
    }

    /// Deletes all entries.
    pub fn clear(&mut self, time: u32) {
        self.entries = Arc::new(Vec::new());
        self.erased = time;
        self.overflow = false;
        self.reserve();
    }

    /// Puts a stored log back.
    pub fn restore(&mut self, entries: Vec<[u8; ENTRY]>) {
        self.last_id = entries.last().map_or(0, id_of);
        self.entries = Arc::new(entries);
    }
}

fn id_of(entry: &[u8; ENTRY]) -> u16 {
    u16::from_le_bytes([entry[0], entry[1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::content::sel::{event, history};

    #[test]
    fn add_get_delete_clear() {
        let mut log = Sel::new(Arc::new(history(3, 100, 1)), 4);
        assert_eq!(log.get(0).map(|(e, next)| (id_of(e), next)), Some((1, 2)));
        assert_eq!(
            log.get(0xffff).map(|(e, next)| (id_of(e), next)),
            Some((3, 0xffff))
        );
        let entry = event(1, 1, false, 1, [0; 3]);
        assert_eq!(log.add(entry, 500), Ok(4));
        assert_eq!(log.add(entry, 500), Err(CompletionCode::OUT_OF_SPACE));
        let reservation = log.reserve();
        assert_eq!(log.delete(2, 600), Ok(2));
        assert_eq!(log.check(reservation), Err(CompletionCode::RESERVATION));
        assert_eq!(log.get(1).unwrap().1, 3);
        log.clear(700);
        assert!(log.get(0).is_none());
        log.set_time(1000, 5000);
        assert_eq!(log.time(1010), 5010);
    }
}
