//! How long reads may be: which lengths are tried, and what is remembered.

use crate::hal::ipmi::learnt::Chunks;
use crate::hal::ipmi::{Exchange, cmd::CompletionCode};

/// The longest FRU read that is tried. Answers of more than 256 bytes are beyond many a BMC's buffer.
pub(super) const LARGE: u8 = 240;
/// A BMC that refuses a large read has a small buffer: nearly all of them bear this, so no step is lost in between.
pub(super) const SMALL: u8 = 32;
/// Below this the BMC means something else than the length.
const LEAST: u8 = 8;

/// The next shorter read after `refused`: from large to small, from there halved; `None` at the end.
pub(super) fn shorter(refused: u8) -> Option<u8> {
    match refused {
        0..=LEAST => None,
        n if n > SMALL => Some(SMALL),
        n => Some((n / 2).max(LEAST)),
    }
}

/// Remembers a length for one kind of read.
pub(super) fn learn(bmc: &dyn Exchange, set: impl FnOnce(&mut Chunks)) {
    bmc.learnt().update(|learnt| set(&mut learnt.chunks));
}

/// Did the BMC drop the reservation? Then the read starts again with a new one.
pub(super) fn reservation_lost(code: CompletionCode) -> bool {
    code == CompletionCode::RESERVATION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_shrink_and_end() {
        let mut length = 255;
        let mut tried = vec![length];
        while let Some(next) = shorter(length) {
            length = next;
            tried.push(length);
        }
        assert_eq!(tried, [255, 32, 16, 8]);
    }
}
