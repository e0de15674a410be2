use super::*;
use crate::hal::ipmi::cmd::app::{GetChannelAuthCapabilities, GetChannelCipherSuites};
use crate::hal::ipmi::cmd::{Command, CompletionCode};
use crate::hal::ipmi::crypto::CipherSuite;
use crate::hal::ipmi::wire::asf::Pong;
use crate::hal::ipmi::wire::rakp::OpenSessionRequest;
use crate::hal::ipmi::wire::rakp::RakpStatus;
use crate::hal::ipmi::wire::{BMC_ADDRESS, CONSOLE_ADDRESS, ipmi_datagram, v15, v20};
use crate::hal::model::Guid;

const SILENCE: Duration = Duration::from_secs(1);
const WHOLE: Duration = Duration::from_secs(10);

/// A BMC made of switches.
#[derive(Default, Clone)]
struct Bmc {
    pong: bool,
    v15: bool,
    rmcp_plus: bool,
    refuses_v2_bit: bool,
    capabilities: Vec<u8>,
    suites: Option<Vec<u8>>,
    guid: Option<[u8; 16]>,
    open_session: Option<u8>,
    /// Drops every n-th datagram that comes in.
    drops: usize,
    seen: usize,
    opens: usize,
}

impl Bmc {
    fn modern() -> Self {
        Self {
            pong: true,
            v15: true,
            rmcp_plus: true,
            capabilities: vec![0x01, 0x84, 0x04, 0x02, 0, 0, 0, 0],
            suites: Some(vec![0xc0, 3, 1, 0x41, 0x81, 0xc0, 17, 3, 0x44, 0x81]),
            guid: Some([7; 16]),
            ..Self::default()
        }
    }

    fn answer(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        self.seen += 1;
        if self.drops > 0 && self.seen.is_multiple_of(self.drops) {
            return None;
        }
        match Datagram::parse(datagram).unwrap() {
            Datagram::Ping(ping) => self.pong.then(|| {
                Pong {
                    tag: ping.tag,
                    iana: 4542,
                    oem: 0,
                    entities: 0x81,
                    interactions: 0,
                }
                .datagram()
            }),
            Datagram::V15(packet) => {
                let reply = self.v15.then(|| self.command(&packet.payload))??;
                Some(ipmi_datagram(|out| {
                    v15::Packet::sessionless(reply).emit(out);
                }))
            }
            Datagram::V20(packet) if packet.payload_type == PayloadType::Ipmi => {
                let reply = self.rmcp_plus.then(|| self.command(&packet.payload))??;
                Some(ipmi_datagram(|out| {
                    v20::Packet::sessionless(PayloadType::Ipmi, reply).emit(out);
                }))
            }
            Datagram::V20(packet) => {
                self.opens += 1;
                let request = OpenSessionRequest::parse(&packet.payload).unwrap();
                let takes = CipherSuite::by_id(self.open_session?).unwrap().algorithms();
                let mut response =
                    OpenSessionResponse::refusal(&request, RakpStatus::NO_SUITE_MATCH);
                if request.algorithms == takes {
                    response.status = RakpStatus::OK;
                    response.managed_id = 99;
                    response.algorithms = takes;
                }
                let mut payload = Vec::new();
                response.emit(&mut payload);
                Some(ipmi_datagram(|out| {
                    v20::Packet::sessionless(PayloadType::OpenSessionResponse, payload).emit(out);
                }))
            }
            other => panic!("{other:?}"),
        }
    }

    fn command(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let request = LanMessage::parse(payload).unwrap();
        let ok = |data: &[u8]| Some(request.response(CompletionCode::OK, data).to_vec());
        let refuse = |code: u8| Some(request.response(CompletionCode(code), &[]).to_vec());
        match request.cmd {
            GetChannelAuthCapabilities::CMD
                if self.refuses_v2_bit && request.data[0] & 0x80 != 0 =>
            {
                refuse(0xcc)
            }
            GetChannelAuthCapabilities::CMD => ok(&self.capabilities),
            GetChannelCipherSuites::CMD => match &self.suites {
                Some(records) => {
                    let from = usize::from(request.data[2] & 0x3f) * 16;
                    let mut data = vec![1];
                    data.extend(records.iter().skip(from).take(16));
                    ok(&data)
                }
                None => refuse(0xc1),
            },
            GetSystemGuid::CMD => match self.guid {
                Some(guid) => ok(&guid),
                None => refuse(0xc1),
            },
            _ => None,
        }
    }
}

/// Runs to the end in virtual time, 1 ms each way; gives the facts, the time and the datagrams sent.
fn run(bmc: &mut Bmc) -> (IpmiFacts, Duration, usize) {
    run_within(bmc, SILENCE)
}

fn run_within(bmc: &mut Bmc, silence: Duration) -> (IpmiFacts, Duration, usize) {
    let start = Instant::now();
    let mut now = start;
    let mut probe = IpmiProbe::new(now, silence, WHOLE, 0x1234_5678);
    let mut sent = 0;
    loop {
        let mut answers = Vec::new();
        while let Some(datagram) = probe.next_datagram(now) {
            sent += 1;
            answers.extend(bmc.answer(&datagram));
        }
        if !answers.is_empty() {
            now += Duration::from_millis(2);
            for answer in answers {
                probe.handle_datagram(now, &answer);
            }
            continue;
        }
        match probe.next_timeout() {
            Some(at) => now = at.max(now + Duration::from_micros(1)),
            None => break,
        }
        assert!(sent < 200, "endless");
    }
    (probe.into_facts(), now - start, sent)
}

#[test]
fn a_modern_bmc_is_known_after_two_round_trips() {
    let (facts, took, sent) = run(&mut Bmc::modern());
    assert!(facts.pong && facts.ipmi);
    assert_eq!(facts.versions(), [IpmiVersion::V2_0]);
    assert_eq!(facts.suites, Some(vec![3, 17]));
    assert_eq!(facts.guid, Some(Guid([7; 16])));
    assert_eq!(took, Duration::from_millis(4));
    assert_eq!(sent, 4);
}

#[test]
fn silence_is_called_after_its_budget() {
    let (facts, took, sent) = run(&mut Bmc::default());
    assert!(!facts.answered());
    assert_eq!(took, SILENCE);
    // Ping and capabilities at 0, 250 and 600 ms; RMCP+ framing from the second send on.
    assert!((6..=9).contains(&sent), "{sent}");
}

#[test]
fn short_and_long_budgets_have_sensible_timers() {
    for (silence, sends) in [(Duration::from_millis(10), 6..=9), (SILENCE * 30, 60..=100)] {
        let start = Instant::now();
        let mut probe = IpmiProbe::new(start, silence, silence, 1);
        let mut sent = 0;
        let mut now = start;
        loop {
            while probe.next_datagram(now).is_some() {
                sent += 1;
            }
            match probe.next_timeout() {
                Some(at) => now = at,
                None => break,
            }
        }
        assert_eq!(now - start, silence);
        assert!(sends.contains(&sent), "{silence:?}: {sent}");
    }
    let (facts, ..) = run_within(&mut Bmc::modern(), Duration::from_millis(50));
    assert!(facts.suites.is_some());
}

#[test]
fn an_address_alive_elsewhere_gets_twice_the_silence() {
    let now = Instant::now();
    let mut probe = IpmiProbe::new(now, SILENCE, WHOLE, 1);
    while probe.next_datagram(now).is_some() {}
    probe.alive_elsewhere();
    assert!(probe.next_datagram(now + SILENCE).is_some());
    assert!(probe.next_datagram(now + SILENCE * 2).is_none());
    assert_eq!(probe.next_timeout(), None);
}

#[test]
fn framings_are_tried_both() {
    let mut only_v15 = Bmc {
        rmcp_plus: false,
        ..Bmc::modern()
    };
    let (facts, took, _) = run(&mut only_v15);
    assert_eq!(facts.suites, Some(vec![3, 17]));
    assert!(took < Duration::from_millis(40));
    let mut only_plus = Bmc {
        v15: false,
        ..Bmc::modern()
    };
    let (facts, ..) = run(&mut only_plus);
    assert!(facts.rmcp_plus);
    assert_eq!(facts.versions(), [IpmiVersion::V2_0]);
    assert_eq!(facts.suites, Some(vec![3, 17]));
}

#[test]
fn ipmi_1_5_alone() {
    let mut old = Bmc {
        refuses_v2_bit: true,
        rmcp_plus: false,
        suites: None,
        capabilities: vec![0x01, 0x15, 0x07],
        ..Bmc::modern()
    };
    let (facts, ..) = run(&mut old);
    assert_eq!(facts.versions(), [IpmiVersion::V1_5]);
    assert_eq!(facts.suites, None);
    assert_eq!(old.opens, 0);
    assert!(facts.capabilities.unwrap().status.anonymous);
}

#[test]
fn the_handshake_is_the_last_resort_and_leaves_one_slot_at_most() {
    for (takes, expected, opens) in [(17, Some(vec![17]), 1), (3, Some(vec![3]), 2), (8, None, 2)] {
        let mut bmc = Bmc {
            suites: None,
            open_session: Some(takes),
            ..Bmc::modern()
        };
        let (facts, ..) = run(&mut bmc);
        assert_eq!(facts.suites, expected);
        assert_eq!(bmc.opens, opens);
    }
}

#[test]
fn long_lists_come_in_several_answers() {
    let records: Vec<u8> = (0..20).flat_map(|id| [0xc0, id, 1, 0x41, 0x81]).collect();
    let mut bmc = Bmc {
        suites: Some(records),
        ..Bmc::modern()
    };
    let (facts, ..) = run(&mut bmc);
    assert_eq!(facts.suites, Some((0..20).collect()));
}

#[test]
fn lost_datagrams_are_sent_again() {
    for drops in 2..6 {
        let mut bmc = Bmc {
            drops,
            ..Bmc::modern()
        };
        let (facts, took, _) = run(&mut bmc);
        assert_eq!(facts.suites, Some(vec![3, 17]), "every {drops}th lost");
        assert!(took < Duration::from_secs(4));
    }
}

#[test]
fn a_pong_without_ipmi_is_told_apart() {
    let mut bmc = Bmc {
        pong: true,
        ..Bmc::default()
    };
    let (facts, took, _) = run(&mut bmc);
    assert!(facts.pong && !facts.ipmi);
    assert!(took < WHOLE);
    assert!(bmc.opens > 0);
}

#[test]
fn a_closed_port_ends_it_at_once() {
    let now = Instant::now();
    let mut probe = IpmiProbe::new(now, SILENCE, WHOLE, 1);
    while probe.next_datagram(now).is_some() {}
    probe.handle_refused();
    assert_eq!(probe.next_timeout(), None);
    assert!(probe.facts().refused);
}

#[test]
fn foreign_and_broken_datagrams_do_no_harm() {
    let now = Instant::now();
    let mut probe = IpmiProbe::new(now, SILENCE, WHOLE, 1);
    let mut sent = Vec::new();
    while let Some(datagram) = probe.next_datagram(now) {
        sent.push(datagram);
    }
    let mut bmc = Bmc::modern();
    let answers: Vec<Vec<u8>> = sent.iter().filter_map(|d| bmc.answer(d)).collect();
    let mut clone = |bytes: &[u8]| probe.handle_datagram(now, bytes);
    for answer in &answers {
        for cut in 0..answer.len() {
            clone(&answer[..cut]);
        }
    }
    // The answer to another request: rqSeq differs, checksums fit.
    let foreign = LanMessage {
        to: CONSOLE_ADDRESS,
        netfn: NetFn::APP.response(),
        to_lun: 0,
        from: BMC_ADDRESS,
        seq: 0x3e,
        from_lun: 0,
        cmd: GetChannelAuthCapabilities::CMD,
        data: vec![0, 1, 0x84, 0x21, 3, 0, 0, 0, 0],
    };
    clone(&ipmi_datagram(|out| {
        v15::Packet::sessionless(foreign.to_vec()).emit(out);
    }));
    assert!(probe.facts().capabilities.is_none());
    assert!(!probe.facts().ipmi);
    for answer in &answers {
        probe.handle_datagram(now, answer);
    }
    assert!(probe.facts().capabilities.is_some());
}
