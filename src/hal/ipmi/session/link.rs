//! An open session: it seals messages, opens answers, and counts sequence numbers. Knows no requests.

use super::config::{Config, Entropy, SessionInfo, random};
use super::window::Window;
use crate::hal::ipmi::cmd::{NetFn, Privilege};
use crate::hal::ipmi::crypto::{self, Integrity, Keys, Plain};
use crate::hal::ipmi::quirks::Quirks;
use crate::hal::ipmi::wire::v15::AuthType;
use crate::hal::ipmi::wire::v20::PayloadType;
use crate::hal::ipmi::wire::{BMC_ADDRESS, CONSOLE_ADDRESS, Datagram, LanMessage};
use crate::hal::model::Secret;

/// RMCP+ state of a link.
#[derive(Debug)]
pub(super) struct Link20 {
    pub keys: Keys,
    /// Which of the passwords it was.
    pub password: usize,
    pub console_id: u32,
    pub managed_id: u32,
    pub guid: [u8; 16],
    pub next_sequence: u32,
    pub window: Window,
}

/// IPMI 1.5 state of a link.
#[derive(Debug)]
pub(super) struct Link15 {
    pub auth_type: AuthType,
    pub password: Secret,
    pub session_id: u32,
    pub next_sequence: u32,
    pub window: Window,
    /// The BMC said that it will not authenticate each message.
    pub unauthenticated: bool,
    /// The BMC sends and reads sequence numbers big-endian (Sun ILOM); seen in its answer to Activate Session, or
    /// in a later one.
    pub swapped: bool,
    pub no_auth_code_check: bool,
}

#[derive(Debug)]
pub(super) enum Channel {
    V20(Link20),
    V15(Link15),
}

/// An open session.
#[derive(Debug)]
pub(super) struct Link {
    pub channel: Channel,
    /// Highest level that the session can have.
    pub role: Privilege,
    /// Present level.
    pub level: Privilege,
    seqs: Seqs,
}

impl Link {
    /// A fresh session starts at USER at most; Set Session Privilege Level raises it.
    pub fn new(channel: Channel, role: Privilege) -> Self {
        Self {
            channel,
            role,
            level: role.min(Privilege::User),
            seqs: Seqs::default(),
        }
    }

    /// For callers and logs.
    pub fn info(&self) -> SessionInfo {
        match &self.channel {
            Channel::V20(link) => SessionInfo {
                suite: Some(link.keys.suite().id),
                privilege: self.role,
                managed_id: link.managed_id,
                guid: Some(link.guid),
                password: link.password,
            },
            Channel::V15(link) => SessionInfo {
                suite: None,
                privilege: self.role,
                managed_id: link.session_id,
                guid: None,
                password: 0,
            },
        }
    }

    /// Session id of the BMC's side, for Close Session.
    pub fn managed_id(&self) -> u32 {
        match &self.channel {
            Channel::V20(link) => link.managed_id,
            Channel::V15(link) => link.session_id,
        }
    }

    /// The next rqSeq; `busy` ones have a request in flight.
    pub fn take_seq(&mut self, busy: impl Fn(u8) -> bool) -> u8 {
        self.seqs.take(busy)
    }

    /// An answer to this rqSeq may still come: not used for some rounds.
    pub fn avoid_seq(&mut self, seq: u8) {
        self.seqs.avoid(seq);
    }

    /// A message to the BMC itself.
    pub fn message(seq: u8, netfn: NetFn, lun: u8, cmd: u8, data: Vec<u8>) -> LanMessage {
        LanMessage {
            to: BMC_ADDRESS,
            netfn,
            to_lun: lun,
            from: CONSOLE_ADDRESS,
            seq,
            from_lun: 0,
            cmd,
            data,
        }
    }

    /// A datagram with the next session sequence number.
    pub fn seal(&mut self, entropy: &mut dyn Entropy, message: &LanMessage) -> Vec<u8> {
        let payload = message.to_vec();
        match &mut self.channel {
            Channel::V20(link) => link.seal(entropy, PayloadType::Ipmi, &payload),
            Channel::V15(link) => {
                let mut sequence = next(&mut link.next_sequence);
                if link.swapped {
                    sequence = sequence.swap_bytes();
                }
                crypto::v15_datagram(
                    link.auth_type,
                    &link.password,
                    link.session_id,
                    sequence,
                    payload,
                )
            }
        }
    }

    /// A datagram with another payload than a message; only RMCP+ has those.
    pub fn seal_payload(
        &mut self,
        entropy: &mut dyn Entropy,
        kind: PayloadType,
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        match &mut self.channel {
            Channel::V20(link) => Some(link.seal(entropy, kind, payload)),
            Channel::V15(_) => None,
        }
    }

    /// The SOL payload in a datagram of this session, if it is one, with its sequence number.
    pub fn open_sol(&mut self, bytes: &[u8], datagram: &Datagram) -> Option<(u32, Vec<u8>)> {
        let (Channel::V20(link), Datagram::V20(packet)) = (&mut self.channel, datagram) else {
            return None;
        };
        if packet.session_id != link.console_id || packet.payload_type != PayloadType::Sol {
            return None;
        }
        let packet = crypto::open(&link.keys, bytes).ok()?;
        let guarded = link.keys.suite().integrity != Integrity::None;
        if guarded && !link.window.accept(packet.sequence) {
            return None;
        }
        Some((packet.sequence, packet.payload))
    }

    /// The message in a datagram of this session, if it is one: authenticated, fresh and well-formed.
    pub fn open(&mut self, bytes: &[u8], datagram: &Datagram) -> Option<LanMessage> {
        match (&mut self.channel, datagram) {
            (Channel::V20(link), Datagram::V20(packet)) => {
                if packet.session_id != link.console_id || packet.payload_type != PayloadType::Ipmi
                {
                    return None;
                }
                let packet = crypto::open(&link.keys, bytes).ok()?;
                if link.keys.suite().integrity == Integrity::None {
                    // Nothing vouches for the number or the bytes: the checksums are all there is.
                    return LanMessage::parse(&packet.payload).ok();
                }
                if !link.window.accept(packet.sequence) {
                    return None;
                }
                LanMessage::parse_unchecked(&packet.payload).ok()
            }
            (Channel::V15(link), Datagram::V15(packet)) => {
                // Tyan S2882 answers with session id 0.
                if packet.session_id != link.session_id && packet.session_id != 0 {
                    return None;
                }
                let vouched = match packet.auth_type {
                    AuthType::None => {
                        if link.auth_type != AuthType::None && !link.unauthenticated {
                            return None;
                        }
                        false
                    }
                    kind if kind == link.auth_type => {
                        let right = crypto::v15_verify(packet, &link.password);
                        if !right && !link.no_auth_code_check {
                            return None;
                        }
                        right && kind != AuthType::Straight
                    }
                    _ => return None,
                };
                if !link.fresh(packet.sequence) && packet.session_id != 0 {
                    return None;
                }
                if vouched {
                    LanMessage::parse_unchecked(&packet.payload).ok()
                } else {
                    LanMessage::parse(&packet.payload).ok()
                }
            }
            _ => None,
        }
    }
}

impl Link20 {
    fn seal(&mut self, entropy: &mut dyn Entropy, kind: PayloadType, payload: &[u8]) -> Vec<u8> {
        let sequence = next(&mut self.next_sequence);
        let plain = Plain {
            payload_type: kind,
            session_id: self.managed_id,
            sequence,
            payload,
        };
        crypto::seal(&self.keys, &plain, random(entropy))
    }
}

impl Link15 {
    /// Is the sequence number new, in the byte order of this BMC?
    fn fresh(&mut self, sequence: u32) -> bool {
        if self.swapped {
            return self.window.accept(sequence.swap_bytes());
        }
        if self.window.accept(sequence) {
            return true;
        }
        self.swapped = self.window.accept(sequence.swap_bytes());
        self.swapped
    }
}

impl Link15 {
    /// A link as Activate Session leaves it.
    pub fn new(
        config: &Config,
        auth_type: AuthType,
        session_id: u32,
        inbound: u32,
        outbound: u32,
    ) -> Self {
        let Quirks {
            no_auth_code_check, ..
        } = config.quirks;
        Self {
            auth_type,
            password: config.password.clone(),
            session_id,
            next_sequence: inbound,
            window: Window::v15(outbound),
            unauthenticated: false,
            swapped: false,
            no_auth_code_check,
        }
    }
}

/// The number, and counts on; 0 is never used.
fn next(sequence: &mut u32) -> u32 {
    let now = *sequence;
    *sequence = now.wrapping_add(1).max(1);
    now
}

/// rqSeq numbers: 6 bits, taken in turn; one whose answer may still come is left out for a few rounds.
#[derive(Debug)]
struct Seqs {
    next: u8,
    avoided: [u8; 64],
}

/// Rounds of 64 for which a number is not used.
const ROUNDS: u8 = 3;
/// A BMC may take a jump of more than 7 for something else.
const LONGEST_JUMP: usize = 7;

impl Default for Seqs {
    fn default() -> Self {
        Self {
            next: 0,
            avoided: [0; 64],
        }
    }
}

impl Seqs {
    fn take(&mut self, busy: impl Fn(u8) -> bool) -> u8 {
        let mut skipped = 0;
        for _ in 0..64 {
            let seq = self.next;
            self.next = (self.next + 1) & 0x3f;
            if busy(seq) {
                skipped += 1;
                continue;
            }
            match self.avoided.get_mut(usize::from(seq)) {
                Some(rounds) if *rounds > 0 && skipped < LONGEST_JUMP => {
                    *rounds -= 1;
                    skipped += 1;
                }
                _ => return seq,
            }
        }
        self.next
    }

    fn avoid(&mut self, seq: u8) {
        if let Some(rounds) = self.avoided.get_mut(usize::from(seq)) {
            *rounds = ROUNDS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seqs_go_round_and_leave_out_busy_and_avoided_ones() {
        let mut seqs = Seqs::default();
        assert_eq!(seqs.take(|_| false), 0);
        assert_eq!(seqs.take(|seq| seq == 1), 2);
        seqs.avoid(3);
        assert_eq!(seqs.take(|_| false), 4);
        for round in 1..=ROUNDS {
            let mut seen = Vec::new();
            while seen.last() != Some(&4) {
                seen.push(seqs.take(|_| false));
            }
            assert_eq!(seen.contains(&3), round == ROUNDS, "round {round}");
        }
    }

    #[test]
    fn a_jump_is_never_longer_than_the_window() {
        let mut seqs = Seqs::default();
        for seq in 0..64 {
            seqs.avoid(seq);
        }
        assert_eq!(seqs.take(|_| false), 7);
    }

    #[test]
    fn session_sequence_skips_zero() {
        let mut sequence = u32::MAX;
        assert_eq!(next(&mut sequence), u32::MAX);
        assert_eq!(next(&mut sequence), 1);
    }
}
