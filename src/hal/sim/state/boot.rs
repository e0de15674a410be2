//! System boot options (§28.12, §28.13): all parameters of the specification, with all their bits.

use std::time::{Duration, Instant};

use crate::hal::ipmi::cmd::CompletionCode;

/// A set that was begun and not finished is forgotten after so long.
const SET_TIMEOUT: Duration = Duration::from_mins(1);
/// Boot flags are forgotten when the host was not restarted within that time.
const FLAGS_TIMEOUT: Duration = Duration::from_mins(1);
/// Blocks of the initiator mailbox.
const MAILBOX: usize = 5;

/// Boot options.
#[derive(Debug, Clone, Default)]
pub struct Boot {
    /// Parameter 0: begun when.
    in_progress: Option<Instant>,
    /// Parameters that are marked invalid or locked.
    invalid: u8,
    /// Parameter 1.
    partition: u8,
    /// Parameter 2.
    scan: u8,
    /// Parameter 3: when the valid bit is not cleared.
    pub clearing: u8,
    /// Parameter 4: write mask and acknowledgements.
    acknowledge: [u8; 2],
    /// Parameter 5.
    pub flags: [u8; 5],
    /// Parameter 6.
    initiator: [u8; 9],
    /// Parameter 7.
    mailbox: Option<Box<[[u8; 16]; MAILBOX]>>,
    /// When the flags were set.
    flags_set: Option<Instant>,
}

const VALID: u8 = 0x80;
const PERSISTENT: u8 = 0x40;

impl Boot {
    /// The host started: flags for one boot are used up.
    pub fn host_started(&mut self) {
        self.flags_set = None;
        if self.flags[0] & (VALID | PERSISTENT) == VALID {
            self.flags = [0; 5];
        }
    }

    /// Sets the flags as no IPMI command would: they stay until the host starts.
    pub fn put(&mut self, flags: [u8; 5]) {
        self.flags = flags;
        self.flags_set = None;
    }

    /// Forgets what was set too long ago.
    pub fn expire(&mut self, now: Instant) {
        if self
            .flags_set
            .is_some_and(|at| now.saturating_duration_since(at) >= FLAGS_TIMEOUT)
        {
            self.flags_set = None;
            // Bit 3: do not clear when no Chassis Control comes within 60 s.
            if self.clearing & 0x08 == 0 && self.flags[0] & PERSISTENT == 0 {
                self.flags[0] &= !VALID;
            }
        }
        if self
            .in_progress
            .is_some_and(|at| now.saturating_duration_since(at) >= SET_TIMEOUT)
        {
            self.in_progress = None;
        }
    }

    /// The data of a Get System Boot Options reply, after the completion code.
    pub fn get(&self, parameter: u8, set: u8, _block: u8) -> Result<Vec<u8>, CompletionCode> {
        let number = parameter & 0x7f;
        let data: Vec<u8> = match number {
            0 => vec![u8::from(self.in_progress.is_some())],
            1 => vec![self.partition],
            2 => vec![self.scan],
            3 => vec![self.clearing],
            4 => vec![0, self.acknowledge[1]],
            5 => self.flags.to_vec(),
            6 => self.initiator.to_vec(),
            7 => {
                let block = usize::from(set);
                if block >= MAILBOX {
                    return Err(CompletionCode::OUT_OF_RANGE);
                }
                let mut out = vec![set];
                let stored = self.mailbox.as_ref().and_then(|m| m.get(block));
                out.extend(stored.copied().unwrap_or_default());
                out
            }
            _ => return Err(CompletionCode(0x80)),
        };
        let locked = if self.invalid & 1u8.checked_shl(number.into()).unwrap_or(0) != 0 {
            0x80
        } else {
            0
        };
        let mut out = vec![0x01, locked | number];
        out.extend(data);
        Ok(out)
    }

    /// Set System Boot Options. Bit 7 of `parameter` marks it invalid.
    pub fn set(&mut self, now: Instant, parameter: u8, data: &[u8]) -> Result<(), CompletionCode> {
        let number = parameter & 0x7f;
        let bit = 1u8.checked_shl(number.into()).unwrap_or(0);
        match (number, data) {
            (0..=7, []) => {}
            (0, [0 | 2]) => self.in_progress = None,
            (0, [1]) => {
                if self.in_progress.is_some() {
                    return Err(CompletionCode(0x81));
                }
                self.in_progress = Some(now);
            }
            (1, [value]) => self.partition = *value,
            (2, [value]) => self.scan = value & 3,
            (3, [value]) => self.clearing = value & 0x1f,
            (4, [mask, value]) => {
                self.acknowledge = [*mask, self.acknowledge[1] & !mask | value & mask];
            }
            (5, [first, selector, third, fourth, instance]) => {
                // The lowest five bits of the first byte are reserved.
                self.flags = [first & 0xe0, *selector, *third, *fourth, instance & 0x1f];
                self.flags_set = (first & VALID != 0).then_some(now);
            }
            (6, rest) if rest.len() == 9 => self.initiator.copy_from_slice(rest),
            (7, [block, rest @ ..]) if rest.len() <= 16 => {
                let mailbox = self.mailbox.get_or_insert_default();
                let slot = mailbox
                    .get_mut(usize::from(*block))
                    .ok_or(CompletionCode::OUT_OF_RANGE)?;
                for (to, from) in slot.iter_mut().zip(rest) {
                    *to = *from;
                }
            }
            (0..=7, _) => return Err(CompletionCode::LENGTH_INVALID),
            _ => return Err(CompletionCode(0x80)),
        }
        if parameter & 0x80 != 0 {
            self.invalid |= bit;
        } else {
            self.invalid &= !bit;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_for_one_boot_are_used_up_and_expire() {
        let now = Instant::now();
        let mut boot = Boot::default();
        boot.set(now, 5, &[0xa0, 0x04, 0, 0, 0]).unwrap();
        assert_eq!(boot.get(5, 0, 0), Ok(vec![1, 5, 0xa0, 0x04, 0, 0, 0]));
        boot.expire(now + Duration::from_secs(61));
        assert_eq!(boot.flags[0], 0x20, "no longer valid");

        boot.set(now, 3, &[0x08]).unwrap();
        boot.set(now, 5, &[0xa0, 0x04, 0, 0, 0]).unwrap();
        boot.expire(now + Duration::from_secs(61));
        assert_eq!(boot.flags[0], 0xa0, "told not to");
        boot.host_started();
        assert_eq!(boot.flags, [0; 5]);

        boot.set(now, 5, &[0xe0, 0x08, 1, 2, 3]).unwrap();
        boot.host_started();
        assert_eq!(boot.flags, [0xe0, 0x08, 1, 2, 3], "persistent");
    }

    #[test]
    fn one_set_at_a_time() {
        let now = Instant::now();
        let mut boot = Boot::default();
        assert_eq!(boot.set(now, 0, &[1]), Ok(()));
        assert_eq!(boot.set(now, 0, &[1]), Err(CompletionCode(0x81)));
        assert_eq!(boot.set(now, 0, &[0]), Ok(()));
        assert_eq!(boot.set(now, 96, &[1]), Err(CompletionCode(0x80)));
        assert_eq!(boot.set(now, 5, &[1]), Err(CompletionCode::LENGTH_INVALID));
    }
}
