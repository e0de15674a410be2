//! Characters over packets, the same at both ends (§15.10, §15.11).
//!
//! One packet with characters is on its way per direction; it is sent again, with the same number and the same
//! characters, until it is acknowledged. What the other end did not take goes again under a new number. What comes
//! twice is acknowledged again and not delivered again. What is lost beyond the retries is told, never hidden.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::hal::ipmi::wire::sol::{MOST_DATA, SolPacket, operation};

/// Not taken: the same bit in both directions.
const NACK: u8 = operation::NACK;
/// Characters that wait to be sent at most.
const QUEUE: usize = 64 << 10;

/// Breaks that wait to be sent at most.
const RAISED: usize = 64;

/// When a packet is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// First wait.
    pub first: Duration,
    /// Longest wait; each is half as long again as the one before.
    pub longest: Duration,
    /// Transmissions of one packet.
    pub tries: u32,
    /// How long a "not taken" is heeded when nothing releases it.
    pub held: Duration,
}

impl Default for Timing {
    /// BMCs are slow to take characters, and a hasty retry makes some of them stumble.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(4),
            tries: 12,
            held: Duration::from_secs(2),
        }
    }
}

/// What came of a packet or of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Characters, in order, each once.
    Data(Vec<u8>),
    /// Flag bits of a packet that was not seen before.
    Flags(u8),
    /// Characters of the other end are missing here: it gave up on a packet.
    Gap,
    /// So many of our characters were sent and never acknowledged: their fate is unknown.
    Unacknowledged(usize),
}

#[derive(Debug)]
struct Flight {
    sequence: u8,
    flags: u8,
    data: Vec<u8>,
    sends: u32,
    wait: Duration,
    due: Instant,
}

/// One end of the line.
#[derive(Debug)]
pub struct Line {
    timing: Timing,
    /// Characters per packet.
    limit: usize,
    next: u8,
    flight: Option<Flight>,
    queue: VecDeque<u8>,
    /// Position of the first character in `queue`, and of the next one that is written.
    head: u64,
    tail: u64,
    /// Flag bits that are to be sent before the character at a position.
    raised: VecDeque<(u64, u8)>,
    /// Flag bits that go with every packet.
    standing: u8,
    /// An empty packet with a number is to be sent: it has to be acknowledged.
    hello: bool,
    /// The other end takes nothing until then.
    held: Option<Instant>,
    /// Last number that came, and what was taken of it.
    seen: u8,
    taken: u8,
    refused: bool,
    /// Number of the last packet's datagram: an older one is late.
    order: Option<u32>,
    acknowledge: bool,
    /// A word without a number is to be sent: the release, or a change of the standing flags.
    word: bool,
}

impl Line {
    /// A line with so many characters per packet (1..=255), that begins with the number `first`.
    pub fn new(limit: usize, first: u8, timing: Timing) -> Self {
        Self {
            timing,
            limit: limit.clamp(1, MOST_DATA),
            next: first.clamp(1, 15),
            flight: None,
            queue: VecDeque::new(),
            head: 0,
            tail: 0,
            raised: VecDeque::new(),
            standing: 0,
            hello: false,
            held: None,
            seen: 0,
            taken: 0,
            refused: false,
            order: None,
            acknowledge: false,
            word: false,
        }
    }

    /// Takes characters to send; returns how many. The rest is to be offered again when there is [`Line::room`].
    pub fn write(&mut self, data: &[u8]) -> usize {
        let n = data.len().min(self.room());
        self.queue.extend(data.iter().take(n));
        self.tail += n as u64;
        n
    }

    /// Characters that [`Line::write`] takes now.
    pub fn room(&self) -> usize {
        QUEUE.saturating_sub(self.queue.len())
    }

    /// Sends flag bits once, between the characters before and after, in a packet that is acknowledged: a break.
    pub fn raise(&mut self, flags: u8) {
        if let Some((at, bits)) = self.raised.back_mut()
            && *at == self.tail
        {
            *bits |= flags;
        } else if self.raised.len() < RAISED {
            self.raised.push_back((self.tail, flags));
        }
    }

    /// Flag bits that every packet carries from now on.
    pub fn stand(&mut self, flags: u8) {
        self.word |= self.standing != flags;
        self.standing = flags;
    }

    /// Sends an empty packet that has to be acknowledged: is anyone there?
    pub fn hello(&mut self) {
        self.hello = true;
    }

    /// The number that the next packet will have.
    pub fn next_number(&self) -> u8 {
        self.next
    }

    /// Is everything sent and acknowledged?
    pub fn is_idle(&self) -> bool {
        self.flight.is_none() && !self.has_more()
    }

    /// What was not acknowledged yet: characters on their way (their fate is unknown), and those that were never sent.
    pub fn unsent(&mut self) -> (usize, Vec<u8>) {
        let flying = self.flight.take().map_or(0, |f| f.data.len());
        (flying, self.queue.drain(..).collect())
    }

    /// Takes a packet. `order` is the session sequence number of its datagram: what comes late is dropped, because
    /// its number may have come round. `room` is how many characters the reader takes now.
    pub fn handle(
        &mut self,
        now: Instant,
        order: u32,
        packet: &SolPacket,
        room: usize,
    ) -> Vec<Event> {
        let late = self
            .order
            .is_some_and(|last| order.wrapping_sub(last) > u32::MAX / 2);
        if late {
            return Vec::new();
        }
        self.order = Some(order);
        self.acknowledged(now, packet);
        let mut events = Vec::new();
        if packet.sequence == 0 {
            events.push(Event::Flags(packet.flags));
            return events;
        }
        self.acknowledge = true;
        if packet.sequence == self.seen {
            // Our acknowledgement was lost.
            return events;
        }
        if self.seen != 0 && packet.sequence != following(self.seen) {
            events.push(Event::Gap);
        }
        self.seen = packet.sequence;
        let taken = packet.data.len().min(room).min(MOST_DATA);
        self.refused = taken < packet.data.len();
        self.taken = u8::try_from(taken).unwrap_or(u8::MAX);
        events.push(Event::Flags(packet.flags));
        if let Some(data) = packet.data.get(..taken).filter(|d| !d.is_empty()) {
            events.push(Event::Data(data.to_vec()));
        }
        events
    }

    /// The reader takes characters again: tells the other end if it was told to wait.
    pub fn release(&mut self) {
        if self.refused {
            self.refused = false;
            self.word = true;
        }
    }

    fn acknowledged(&mut self, now: Instant, packet: &SolPacket) {
        let refused = packet.flags & NACK != 0;
        if !refused {
            self.held = None;
        }
        if packet.ack == 0
            || self
                .flight
                .as_ref()
                .is_none_or(|f| f.sequence != packet.ack)
        {
            return;
        }
        if refused {
            self.held = Some(now + self.timing.held);
        }
        if let Some(flight) = self.flight.take() {
            let rest = flight.data.get(usize::from(packet.accepted)..);
            for byte in rest.unwrap_or_default().iter().rev() {
                self.queue.push_front(*byte);
                self.head -= 1;
            }
        }
    }

    /// The next packet to send now, if there is one.
    pub fn poll(&mut self, now: Instant) -> Option<SolPacket> {
        if self.flight.is_none() && self.held.is_none_or(|until| until <= now) && self.has_more() {
            let head = self.head;
            let flags = self.raised.pop_front_if(|(at, _)| *at == head);
            // A break stands alone: what comes first in one packet is the BMC's choice.
            let until = match (flags, self.raised.front()) {
                (Some(_), _) => 0,
                (None, Some((at, _))) => usize::try_from(at - head).unwrap_or(usize::MAX),
                (None, None) => usize::MAX,
            };
            let n = self.queue.len().min(self.limit).min(until);
            self.head += n as u64;
            let flight = Flight {
                sequence: self.next,
                flags: flags.map_or(0, |(_, flags)| flags),
                data: self.queue.drain(..n).collect(),
                sends: 0,
                wait: self.timing.first,
                due: now,
            };
            self.hello = false;
            self.next = following(self.next);
            self.flight = Some(flight);
        }
        let (ack, accepted, refusal) = self.acknowledgement();
        let flags = self.standing | refusal;
        if let Some(flight) = self.flight.as_mut().filter(|f| f.due <= now) {
            if flight.sends > 0 {
                flight.wait = (flight.wait * 3 / 2).min(self.timing.longest);
            }
            flight.sends += 1;
            flight.due = now + flight.wait;
            self.acknowledge = false;
            self.word = false;
            return Some(SolPacket {
                sequence: flight.sequence,
                ack,
                accepted,
                flags: flags | flight.flags,
                data: flight.data.clone(),
            });
        }
        if !self.acknowledge && !self.word {
            return None;
        }
        self.acknowledge = false;
        self.word = false;
        Some(SolPacket {
            sequence: 0,
            ack,
            accepted,
            flags,
            data: Vec::new(),
        })
    }

    /// Number, count and flag that acknowledge what came last; once each, or BMCs may take it for an answer to
    /// something else.
    fn acknowledgement(&self) -> (u8, u8, u8) {
        let refusal = if self.refused { NACK } else { 0 };
        if self.acknowledge || self.word {
            (self.seen, self.taken, refusal)
        } else {
            (0, 0, refusal)
        }
    }

    fn has_more(&self) -> bool {
        !self.queue.is_empty() || !self.raised.is_empty() || self.hello
    }

    /// Gives up on a packet that was sent too often. To be called before [`Line::poll`].
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Event> {
        let tries = self.timing.tries;
        let flight = self.flight.take_if(|f| f.sends >= tries && f.due <= now)?;
        Some(Event::Unacknowledged(flight.data.len()))
    }

    /// When [`Line::handle_timeout`] and [`Line::poll`] have something to do.
    pub fn next_timeout(&self) -> Option<Instant> {
        match (&self.flight, self.held) {
            (Some(flight), _) => Some(flight.due),
            (None, Some(until)) if self.has_more() => Some(until),
            (None, _) => None,
        }
    }
}

/// The number after `sequence`: 1..15, round and round.
fn following(sequence: u8) -> u8 {
    if sequence >= 15 { 1 } else { sequence + 1 }
}
