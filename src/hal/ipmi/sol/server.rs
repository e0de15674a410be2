//! The BMC's half: one line, who has it, and the serial port behind it.

use std::collections::VecDeque;
use std::time::Instant;

use super::line::{Event, Line, Timing};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::cmd::app::PayloadActivated;
use crate::hal::ipmi::wire::sol::{HEADER, SolPacket, operation, status};

/// The payload is active in another session (Activate Payload), or not active (Deactivate Payload).
const ACTIVE: CompletionCode = CompletionCode(0x80);
/// The payload type is switched off.
const DISABLED: CompletionCode = CompletionCode(0x81);
/// Not with encryption.
const NO_ENCRYPTION: CompletionCode = CompletionCode(0x83);
/// Largest payload, in bytes.
const SIZE: u16 = 247;
/// Characters that wait for the host at most; more are not taken.
const INPUT: usize = 4 << 10;

/// How a line behaves.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Is SOL enabled?
    pub enabled: bool,
    /// Can it encrypt?
    pub encrypts: bool,
    /// What Activate Payload says of the sizes; real ones swap the bytes or make them up.
    pub told_size: u16,
    /// Does the victim of a take-over hear of it?
    pub says_goodbye: bool,
    /// When packets are sent again.
    pub timing: Timing,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            enabled: true,
            encrypts: true,
            told_size: SIZE,
            says_goodbye: true,
            timing: Timing::default(),
        }
    }
}

/// What the console did to the serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Characters.
    Data(Vec<u8>),
    /// A break.
    Break,
}

#[derive(Debug)]
struct Holder {
    session: u8,
    line: Line,
}

/// The serial port of a BMC.
#[derive(Debug, Default)]
pub struct Server {
    manners: Manners,
    holder: Option<Holder>,
    /// Last words: payloads for sessions that lost the line.
    goodbyes: Vec<(u8, Vec<u8>)>,
    input: VecDeque<Input>,
    waiting: usize,
    overrun: bool,
    unavailable: bool,
    refusals: u64,
}

impl Server {
    /// A free line.
    pub fn new(manners: Manners) -> Self {
        Self {
            manners,
            ..Self::default()
        }
    }

    /// Changes how it behaves from now on.
    pub fn set_manners(&mut self, manners: Manners) {
        self.manners = manners;
    }

    /// Handle of the session that has the line.
    pub fn holder(&self) -> Option<u8> {
        self.holder.as_ref().map(|h| h.session)
    }

    /// How often the console said that it takes no more.
    pub fn refusals(&self) -> u64 {
        self.refusals
    }

    /// Activate Payload by the session with this handle; `auxiliary` is the first byte of the auxiliary data.
    pub fn activate(
        &mut self,
        session: u8,
        auxiliary: u8,
        port: u16,
    ) -> Result<PayloadActivated, CompletionCode> {
        if !self.manners.enabled {
            return Err(DISABLED);
        }
        if auxiliary & 0x80 != 0 && !self.manners.encrypts {
            return Err(NO_ENCRYPTION);
        }
        if self.holder.is_some() {
            return Err(ACTIVE);
        }
        let limit = usize::from(SIZE) - HEADER;
        self.holder = Some(Holder {
            session,
            line: Line::new(limit, 1, self.manners.timing),
        });
        Ok(PayloadActivated {
            auxiliary: [0; 4],
            inbound_size: self.manners.told_size,
            outbound_size: self.manners.told_size,
            port,
            vlan: 0xffff,
        })
    }

    /// Deactivate Payload, by whomever.
    pub fn deactivate(&mut self, session: u8) -> Result<(), CompletionCode> {
        let holder = self.holder.take().ok_or(ACTIVE)?;
        if holder.session != session && self.manners.says_goodbye {
            let goodbye = SolPacket {
                flags: status::DEACTIVATING,
                ..SolPacket::default()
            };
            self.goodbyes.push((holder.session, goodbye.to_vec()));
        }
        Ok(())
    }

    /// The session has ended.
    pub fn session_ended(&mut self, session: u8) {
        self.holder.take_if(|h| h.session == session);
    }

    /// Takes a SOL payload of a session; others than the holder's are thrown away.
    pub fn handle_payload(&mut self, now: Instant, session: u8, order: u32, payload: &[u8]) {
        let Ok(packet) = SolPacket::parse(payload) else {
            return;
        };
        let room = if self.unavailable {
            0
        } else {
            INPUT.saturating_sub(self.waiting)
        };
        let Some(holder) = self.holder.as_mut().filter(|h| h.session == session) else {
            return;
        };
        self.refusals += u64::from(packet.flags & operation::NACK != 0);
        for event in holder.line.handle(now, order, &packet, room) {
            match event {
                Event::Data(data) => {
                    self.waiting += data.len();
                    self.input.push_back(Input::Data(data));
                }
                // ipmitool sends its break without a number.
                Event::Flags(flags) if flags & operation::BREAK != 0 => {
                    self.input.push_back(Input::Break);
                }
                Event::Flags(_) | Event::Gap | Event::Unacknowledged(_) => {}
            }
        }
    }

    /// What the console sent to the host, if anything.
    pub fn read(&mut self) -> Option<Input> {
        let input = self.input.pop_front()?;
        if let Input::Data(data) = &input {
            self.waiting = self.waiting.saturating_sub(data.len());
        }
        if self.waiting == 0
            && let Some(holder) = &mut self.holder
        {
            holder.line.release();
        }
        Some(input)
    }

    /// Characters of the host for the console. What does not fit is lost and said to be; returns what was taken.
    /// Without a console nobody hears them.
    pub fn write(&mut self, data: &[u8]) -> usize {
        let Some(holder) = &mut self.holder else {
            return data.len();
        };
        holder.line.write(data)
    }

    /// Characters that [`Server::write`] takes without a loss.
    pub fn room(&self) -> usize {
        self.holder.as_ref().map_or(usize::MAX, |h| h.line.room())
    }

    /// The host lost characters because nobody took them.
    pub fn overrun(&mut self) {
        self.overrun = true;
    }

    /// The host takes no characters: it is off or in reset.
    pub fn set_unavailable(&mut self, unavailable: bool) {
        if self.unavailable != unavailable {
            self.unavailable = unavailable;
            if let Some(holder) = &mut self.holder {
                holder
                    .line
                    .stand(if unavailable { status::UNAVAILABLE } else { 0 });
                if !unavailable {
                    holder.line.release();
                }
            }
        }
    }

    /// The next payload to send, and to which session.
    pub fn poll(&mut self, now: Instant) -> Option<(u8, Vec<u8>)> {
        if let Some(goodbye) = self.goodbyes.pop() {
            return Some(goodbye);
        }
        let holder = self.holder.as_mut()?;
        // A packet that nobody acknowledges is given up; the console sees the gap.
        let _ = holder.line.handle_timeout(now);
        if self.overrun {
            self.overrun = false;
            holder.line.raise(status::OVERRUN);
        }
        let packet = holder.line.poll(now)?;
        Some((holder.session, packet.to_vec()))
    }

    /// When [`Server::poll`] has something to do.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.holder.as_ref()?.line.next_timeout()
    }
}
