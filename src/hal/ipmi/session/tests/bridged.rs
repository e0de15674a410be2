//! Requests for a controller behind the BMC. Cipher suite 0 leaves the packets open, so that the network can play
//! that controller.

use super::bed::*;
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::{CompletionCode, NetFn};
use crate::hal::ipmi::exchange::{Request, Target};
use crate::hal::ipmi::session::Config;
use crate::hal::ipmi::wire::v20::Packet;
use crate::hal::ipmi::wire::{Datagram, LanMessage, ipmi_datagram};

const SEND_MESSAGE: u8 = 0x34;

fn to(request: &Request) -> Request {
    request.clone().to(Target::Bridged {
        channel: 6,
        address: 0x2c,
    })
}

fn open(bytes: &[u8]) -> Option<(Packet, LanMessage)> {
    let Ok(Datagram::V20(packet)) = Datagram::parse(bytes) else {
        return None;
    };
    let message = LanMessage::parse(&packet.payload).ok()?;
    (packet.session_id != 0).then_some((packet, message))
}

fn close(mut packet: Packet, message: &LanMessage) -> Vec<u8> {
    packet.payload = message.to_vec();
    ipmi_datagram(|out| packet.emit(out))
}

/// The BMC echoes Send Message: `f` makes of its acknowledgement and of the request inside what comes instead.
fn bed(f: impl Fn(LanMessage, LanMessage) -> Vec<LanMessage> + 'static) -> Bed {
    let mut bed = Bed::plain(Config {
        suites: vec![0],
        ..config()
    });
    bed.mangle = Box::new(move |way, bytes| {
        if way == Way::ToClient
            && let Some((packet, mut acknowledgement)) = open(&bytes)
            && acknowledgement.cmd == SEND_MESSAGE
        {
            let (_, data) = acknowledgement.completion().unwrap();
            assert_eq!(data[0], 0x46, "tracked, channel 6");
            let inner = LanMessage::parse(&data[1..]).unwrap();
            assert_eq!(
                (inner.to, inner.from, inner.seq),
                (0x2c, 0x20, acknowledgement.seq)
            );
            acknowledgement.data.truncate(1);
            return f(acknowledgement, inner)
                .iter()
                .map(|message| close(packet.clone(), message))
                .collect();
        }
        vec![bytes]
    });
    bed
}

fn answer(inner: &LanMessage) -> LanMessage {
    let mut answer = inner.response(CompletionCode::OK, &inner.data.clone());
    answer.to = 0x81;
    answer
}

#[test]
fn the_second_answer_counts() {
    let mut bed = bed(|ack, inner| vec![ack, answer(&inner)]);
    for n in 0..70 {
        assert_eq!(bed.ask(to(&read(&[n]))).unwrap().data, [n]);
    }
}

#[test]
fn the_order_does_not_matter_and_neither_does_the_receiver() {
    let mut bed = bed(|ack, inner| {
        let mut answer = answer(&inner);
        answer.to = 0x20;
        vec![answer, ack]
    });
    assert_eq!(bed.ask(to(&read(b"x"))).unwrap().data, b"x");
    assert_eq!(bed.ask(to(&read(b"y"))).unwrap().data, b"y");
}

#[test]
fn an_answer_inside_the_acknowledgement_counts_too() {
    let mut bed = bed(|mut ack, inner| {
        answer(&inner).emit(&mut ack.data);
        vec![ack]
    });
    assert_eq!(bed.ask(to(&read(b"x"))).unwrap().data, b"x");
}

#[test]
fn a_refused_relay_is_the_answer() {
    let mut bed = bed(|mut ack, _| {
        ack.data = vec![0x83];
        vec![ack]
    });
    assert_eq!(bed.ask(to(&read(b"x"))).unwrap().code, CompletionCode(0x83));
}

#[test]
fn answers_of_others_do_not_count() {
    let mut bed = bed(|ack, inner| {
        let mut other = answer(&inner);
        other.from = 0x2e;
        other.data.push(0xee);
        let mut bmc = answer(&inner);
        bmc.from = 0x20;
        let mut netfn = answer(&inner);
        netfn.netfn = NetFn(0x05);
        vec![other, bmc, netfn, ack, answer(&inner)]
    });
    assert_eq!(bed.ask(to(&read(b"x"))).unwrap().data, b"x");
}

#[test]
fn a_silent_controller_is_named_and_the_session_stays() {
    for (request, want) in [
        (read(b"x"), Kind::Timeout),
        (once(b"x"), Kind::Indeterminate),
    ] {
        let mut bed = bed(|ack, _| vec![ack]);
        bed.submit(1, to(&request), std::time::Duration::from_mins(5));
        bed.run_until(|bed| bed.results.len() == 1);
        assert_eq!(kind(&bed.results[&1]), want);
        let error = bed.results.remove(&1).unwrap().unwrap_err();
        assert!(error.chain().contains("behind the BMC"), "{error:?}");
        if want == Kind::Indeterminate {
            let relayed = bed
                .server
                .executed
                .iter()
                .filter(|(_, cmd, _)| *cmd == SEND_MESSAGE);
            assert_eq!(relayed.count(), 1, "passed on once");
        }
        assert_eq!(bed.ask(read(b"y")).unwrap().data, b"y");
        assert_eq!(bed.infos.len(), 1);
    }
}
