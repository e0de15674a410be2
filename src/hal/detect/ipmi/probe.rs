//! The conversation with one address: what is asked when, and what the answers mean.

use std::time::{Duration, Instant};

use super::IpmiFacts;
use super::question::{self, Framing, Question};
use crate::hal::detect::findings::IpmiVersion;
use crate::hal::ipmi::cmd::NetFn;
use crate::hal::ipmi::cmd::app::{CipherSuiteRecords, GetSystemGuid};
use crate::hal::ipmi::exchange::{Response, finish};
use crate::hal::ipmi::wire::rakp::OpenSessionResponse;
use crate::hal::ipmi::wire::v20::PayloadType;
use crate::hal::ipmi::wire::{Datagram, LanMessage};

/// Sends of one question once the BMC is known to be there.
const TRIES: u8 = 5;

/// Waits between the sends of the first questions, in thousandths of the silence budget (at most 1 s of it).
const FIRST_WAITS: [u32; 3] = [250, 350, 500];

/// Shortest wait for an answer, however fast the first one came.
const LEAST_WAIT: Duration = Duration::from_millis(150);

/// How much later the second framing is tried at least.
const STAGGER: Duration = Duration::from_millis(20);

/// Longest first wait, however slow the first answer was.
const MOST_WAIT: Duration = Duration::from_secs(1);

/// A question that is not settled yet.
#[derive(Debug, Clone)]
struct Open {
    question: Question,
    seq: u8,
    datagram: Vec<u8>,
    sent: u8,
    next: Instant,
    first_sent: Option<Instant>,
}

/// The conversation with one address.
#[derive(Debug)]
pub struct IpmiProbe {
    begun: Instant,
    silence: Duration,
    end: Instant,
    open: Vec<Open>,
    seq: u8,
    console_id: u32,
    alive_elsewhere: bool,
    round_trip: Option<Duration>,
    suites: [Option<CipherSuiteRecords>; 2],
    facts: IpmiFacts,
}

impl IpmiProbe {
    /// Begins now. Without any sign of life it ends after `silence`, else at the latest after `whole`.
    /// `console_id` is a random number, not 0, for Open Session.
    pub fn new(now: Instant, silence: Duration, whole: Duration, console_id: u32) -> Self {
        let mut probe = Self {
            begun: now,
            silence,
            end: now + whole,
            open: Vec::with_capacity(4),
            seq: (console_id & 0x3f) as u8,
            console_id,
            alive_elsewhere: false,
            round_trip: None,
            suites: [
                Some(CipherSuiteRecords::default()),
                Some(CipherSuiteRecords::default()),
            ],
            facts: IpmiFacts::default(),
        };
        probe.ask(now, Question::Ping);
        probe.ask(
            now,
            Question::Capabilities {
                v2: true,
                framing: Framing::V15,
            },
        );
        probe
    }

    /// Another protocol got an answer from this address: silence here is given twice the time.
    pub fn alive_elsewhere(&mut self) {
        self.alive_elsewhere = true;
    }

    /// What is known so far.
    pub fn facts(&self) -> &IpmiFacts {
        &self.facts
    }

    /// What was learnt.
    pub fn into_facts(self) -> IpmiFacts {
        self.facts
    }

    /// When [`IpmiProbe::next_datagram`] has something to do again; `None` when the conversation is over.
    pub fn next_timeout(&self) -> Option<Instant> {
        let end = self.end();
        self.open.iter().map(|o| o.next).min().map(|at| at.min(end))
    }

    /// The next datagram that is due; call until it gives `None`.
    pub fn next_datagram(&mut self, now: Instant) -> Option<Vec<u8>> {
        if now >= self.end() {
            self.open.clear();
            return None;
        }
        loop {
            let at = self.open.iter().position(|o| o.next <= now)?;
            let tries = if self.facts.answered() {
                TRIES
            } else {
                // Without a sign of life the end of the silence ends them all.
                u8::MAX
            };
            let interval = self.interval(at);
            let open = self.open.get_mut(at)?;
            if open.sent < tries {
                open.sent += 1;
                open.first_sent.get_or_insert(now);
                open.next = now + interval;
                let datagram = open.datagram.clone();
                self.fall_back(now);
                return Some(datagram);
            }
            let question = self.open.swap_remove(at).question;
            self.unanswered(now, question);
        }
    }

    /// A datagram from the BMC. What is no answer to an open question is dropped.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        match Datagram::parse(bytes) {
            Ok(Datagram::Pong(_)) => {
                self.settle(now, |q| q == Question::Ping);
                self.facts.pong = true;
                self.more(now);
            }
            Ok(Datagram::V15(packet)) => self.message(now, &packet.payload, Framing::V15),
            Ok(Datagram::V20(packet)) if !packet.encrypted => match packet.payload_type {
                PayloadType::Ipmi => self.message(now, &packet.payload, Framing::RmcpPlus),
                PayloadType::OpenSessionResponse => self.opened(now, &packet.payload),
                _ => {}
            },
            Ok(Datagram::Ping(_) | Datagram::Ack(_) | Datagram::V20(_)) => {}
            Err(_) => self.facts.garbage = true,
        }
    }

    /// The host said that nobody listens on the port.
    pub fn handle_refused(&mut self) {
        if !self.facts.answered() {
            self.facts.refused = true;
            self.open.clear();
        }
    }

    fn end(&self) -> Instant {
        if self.facts.answered() {
            self.end
        } else if self.alive_elsewhere {
            self.end.min(self.begun + self.silence * 2)
        } else {
            self.end.min(self.begun + self.silence)
        }
    }

    /// How long to wait after the next send of question `at`.
    fn interval(&self, at: usize) -> Duration {
        let sent = self.open.get(at).map_or(0, |o| o.sent);
        if let Some(round_trip) = self.round_trip {
            let first = (round_trip * 4).clamp(LEAST_WAIT, MOST_WAIT);
            return first * (1 << sent.min(3)) / 2 + first / 2;
        }
        let unit = self.silence.min(MOST_WAIT);
        match FIRST_WAITS.get(usize::from(sent)) {
            Some(thousandths) => unit * *thousandths / 1000,
            None => unit,
        }
    }

    /// Asks at `at`, which may be now.
    fn ask(&mut self, at: Instant, question: Question) {
        self.seq = (self.seq + 1) & 0x3f;
        let datagram = question.datagram(self.seq, self.console_id);
        self.open.push(Open {
            question,
            seq: self.seq,
            datagram,
            sent: 0,
            next: at,
            first_sent: None,
        });
    }

    fn list(&mut self, framing: Framing) -> &mut Option<CipherSuiteRecords> {
        let [v15, plus] = &mut self.suites;
        match framing {
            Framing::V15 => v15,
            Framing::RmcpPlus => plus,
        }
    }

    /// Takes the questions that `fits`; the first of them gives the round trip.
    fn settle(&mut self, now: Instant, fits: impl Fn(Question) -> bool) -> bool {
        let mut found = false;
        let mut at = 0;
        while let Some(open) = self.open.get(at) {
            if fits(open.question) {
                if open.sent == 1
                    && let Some(sent) = open.first_sent
                {
                    self.round_trip
                        .get_or_insert(now.saturating_duration_since(sent));
                }
                self.open.swap_remove(at);
                found = true;
            } else {
                at += 1;
            }
        }
        found
    }

    /// An IPMI message; only answers to open questions count.
    fn message(&mut self, now: Instant, payload: &[u8], framing: Framing) {
        let Ok(message) = LanMessage::parse(payload) else {
            self.facts.garbage = true;
            return;
        };
        if message.netfn != NetFn::APP.response() {
            return;
        }
        let question = self
            .open
            .iter()
            .find(|o| o.sent > 0 && o.seq == message.seq && o.question.fits(message.cmd, framing))
            .map(|o| o.question);
        let (Some(question), Some((code, data))) = (question, message.completion()) else {
            return;
        };
        self.settle(now, |q| q == question);
        self.facts.ipmi = true;
        self.facts.rmcp_plus |= framing == Framing::RmcpPlus;
        let response = Response {
            code,
            data: data.to_vec(),
        };
        match question {
            Question::Capabilities { v2, .. } => self.capabilities(now, v2, framing, &response),
            Question::Suites { index, .. } => self.suites(now, framing, index, &response),
            Question::Guid => self.facts.guid = finish(&GetSystemGuid, &response).ok(),
            Question::Ping | Question::OpenSession(_) => {}
        }
    }

    fn capabilities(&mut self, now: Instant, v2: bool, framing: Framing, response: &Response) {
        match finish(&question::capabilities(v2), response) {
            Ok(capabilities) => {
                self.facts.capabilities = Some(capabilities);
                self.settle(now, |q| matches!(q, Question::Capabilities { .. }));
            }
            // IPMI 1.5 knows the bit that asks for 2.0 as reserved.
            Err(_) if v2 => self.ask(now, Question::Capabilities { v2: false, framing }),
            Err(_) => self.facts.capabilities_error = Some(response.code),
        }
        self.more(now);
    }

    fn suites(&mut self, now: Instant, framing: Framing, index: u8, response: &Response) {
        let chunk = finish(&question::suites(index), response).ok();
        let more = match (self.list(framing), chunk) {
            (Some(records), Some(chunk)) => records.push(&chunk),
            _ => None,
        };
        if let Some(index) = more {
            self.settle(now, |q| matches!(q, Question::Suites { .. }));
            self.ask(now, Question::Suites { framing, index });
            return;
        }
        self.take_suites(now, framing);
    }

    /// The list of `framing` is at its end; what came before an error or silence still counts.
    fn take_suites(&mut self, now: Instant, framing: Framing) {
        let ids = self
            .list(framing)
            .take()
            .map(|r| r.ids())
            .unwrap_or_default();
        if ids.is_empty() {
            self.handshake_if_needed(now);
        } else {
            self.facts.suites = Some(ids);
            self.settle(now, |q| {
                matches!(q, Question::Suites { .. } | Question::OpenSession(_))
            });
        }
    }

    /// The answer to Open Session: the status is all that is wanted.
    fn opened(&mut self, now: Instant, payload: &[u8]) {
        let Ok(response) = OpenSessionResponse::parse(payload) else {
            self.facts.garbage = true;
            return;
        };
        let asked = self.open.iter().find_map(|o| match o.question {
            Question::OpenSession(suite) if o.seq == response.tag => Some(suite),
            _ => None,
        });
        let Some(suite) = asked else {
            return;
        };
        self.settle(now, |q| q == Question::OpenSession(suite));
        self.facts.ipmi = true;
        self.facts.rmcp_plus = true;
        if response.status.is_ok() {
            self.facts.suites.get_or_insert_with(|| vec![suite]);
        } else if suite == 17 {
            self.ask(now, Question::OpenSession(3));
        }
    }

    /// The BMC answers: what else is there to ask?
    fn more(&mut self, now: Instant) {
        if !self.facts.ipmi || self.asked_all() {
            return;
        }
        self.ask(now, Question::Guid);
        if self.may_speak_v2() {
            // Real BMCs answer in RMCP+ framing, some simulators in that of 1.5 only: it comes a little later, and
            // never where it is not needed.
            let later = (self.round_trip.unwrap_or_default() * 4).clamp(STAGGER, MOST_WAIT);
            for (framing, at) in [(Framing::RmcpPlus, now), (Framing::V15, now + later)] {
                self.ask(at, Question::Suites { framing, index: 0 });
            }
        }
    }

    fn asked_all(&self) -> bool {
        self.facts.guid.is_some()
            || self.facts.suites.is_some()
            || self
                .open
                .iter()
                .any(|o| matches!(o.question, Question::Guid | Question::Suites { .. }))
            || matches!(self.suites, [None, None])
    }

    fn may_speak_v2(&self) -> bool {
        self.facts.capabilities.is_none() || self.facts.versions().contains(&IpmiVersion::V2_0)
    }

    /// A BMC without IPMI 1.5 framing may still know RMCP+: asked from the third send on.
    fn fall_back(&mut self, now: Instant) {
        let plus = Question::Capabilities {
            v2: true,
            framing: Framing::RmcpPlus,
        };
        let waited = self.open.iter().any(|o| {
            o.sent == 2
                && matches!(
                    o.question,
                    Question::Capabilities {
                        framing: Framing::V15,
                        ..
                    }
                )
        });
        if waited && !self.open.iter().any(|o| o.question == plus) {
            self.ask(now, plus);
        }
    }

    fn unanswered(&mut self, now: Instant, question: Question) {
        match question {
            Question::Suites { framing, .. } => {
                self.take_suites(now, framing);
            }
            Question::Capabilities { .. } => {
                let left = self
                    .open
                    .iter()
                    .any(|o| matches!(o.question, Question::Capabilities { .. }));
                if !left && !self.facts.ipmi && self.facts.pong {
                    // It says that it is there: the handshake is the last thing that it may answer.
                    self.suites = [None, None];
                    self.handshake_if_needed(now);
                }
            }
            _ => {}
        }
    }

    /// Open Session, when no way is left to learn the suites.
    fn handshake_if_needed(&mut self, now: Instant) {
        let pending = self.open.iter().any(|o| {
            matches!(
                o.question,
                Question::Suites { .. } | Question::OpenSession(_)
            )
        });
        if self.facts.suites.is_none()
            && !pending
            && matches!(self.suites, [None, None])
            && self.may_speak_v2()
        {
            self.ask(now, Question::OpenSession(17));
        }
    }
}

#[cfg(test)]
mod tests;
