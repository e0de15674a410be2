//! Every command of this module goes through [`every_command`]; a test compares its list with the sources.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::hal::ipmi::cmd::Command;
use crate::hal::ipmi::codec::{Reader, hex};

mod every;
mod golden;

use every::every_command;

/// Arbitrary values that the commands are made of.
#[derive(Debug, Clone)]
struct Values {
    bytes: [u8; 20],
    words: [u16; 4],
    longs: [u32; 3],
    flags: [bool; 8],
    data: Vec<u8>,
}

fn values() -> impl Strategy<Value = Values> {
    (
        any::<[u8; 20]>(),
        any::<[u16; 4]>(),
        any::<[u32; 3]>(),
        any::<[bool; 8]>(),
        any::<Vec<u8>>(),
    )
        .prop_map(|(bytes, words, longs, flags, data)| Values {
            bytes,
            words,
            longs,
            flags,
            data,
        })
}

/// What to do with each command and one of its replies. `need`: bytes below which request and reply are errors.
trait Visit {
    fn visit<C>(&mut self, command: &C, reply: &C::Reply, need: (usize, usize))
    where
        C: Command + PartialEq,
        C::Reply: PartialEq;
}

/// Request and reply survive the wire; cut short they are errors below what they need, and never a panic;
/// excess bytes are accepted.
struct BothWays;

impl Visit for BothWays {
    fn visit<C>(&mut self, command: &C, reply: &C::Reply, need: (usize, usize))
    where
        C: Command + PartialEq,
        C::Reply: PartialEq,
    {
        let mut request = Vec::new();
        command.encode(&mut request);
        assert_eq!(C::decode(&mut Reader::new(&request)).as_ref(), Ok(command));
        let mut answer = Vec::new();
        C::encode_reply(reply, &mut answer);
        let read = command.decode_reply(&mut Reader::new(&answer));
        assert_eq!(read.as_ref(), Ok(reply), "{}: {}", C::NAME, hex(&answer));
        for cut in 0..request.len() {
            let short = C::decode(&mut Reader::new(&request[..cut]));
            assert_eq!(short.is_err(), cut < need.0, "{} of {cut} bytes", C::NAME);
        }
        for cut in 0..answer.len() {
            let short = command.decode_reply(&mut Reader::new(&answer[..cut]));
            assert_eq!(short.is_err(), cut < need.1, "{} reply of {cut}", C::NAME);
        }
        answer.extend([0xaa; 40]);
        let longer = command.decode_reply(&mut Reader::new(&answer));
        assert!(longer.is_ok(), "{}: excess bytes refused", C::NAME);
    }
}

/// Decodes the same bytes as every command and every reply.
struct Hostile(Vec<u8>);

impl Visit for Hostile {
    fn visit<C>(&mut self, command: &C, _: &C::Reply, _: (usize, usize))
    where
        C: Command + PartialEq,
        C::Reply: PartialEq,
    {
        for cut in 0..=self.0.len() {
            if let Ok(read) = C::decode(&mut Reader::new(&self.0[..cut])) {
                read.encode(&mut Vec::new());
            }
            if let Ok(reply) = command.decode_reply(&mut Reader::new(&self.0[..cut])) {
                C::encode_reply(&reply, &mut Vec::new());
            }
        }
    }
}

/// The names and numbers that were visited.
#[derive(Default)]
struct Names(BTreeSet<&'static str>, BTreeSet<u8>);

impl Visit for Names {
    fn visit<C>(&mut self, _: &C, _: &C::Reply, _: (usize, usize))
    where
        C: Command + PartialEq,
        C::Reply: PartialEq,
    {
        assert!(self.0.insert(C::NAME), "{} twice", C::NAME);
        assert!(self.1.insert(C::CMD), "{}: number taken", C::NAME);
        assert_eq!(C::NETFN.0, 6, "{}", C::NAME);
    }
}

fn some_values() -> Values {
    Values {
        bytes: [0x5a; 20],
        words: [1, 2, 3, 4],
        longs: [1, 2, 3],
        flags: [false; 8],
        data: vec![1, 2, 3],
    }
}

proptest! {
    #[test]
    fn round_trips(v in values()) {
        every_command(&v, &mut BothWays);
    }

    #[test]
    fn hostile_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..48)) {
        every_command(&some_values(), &mut Hostile(bytes));
    }
}

#[test]
fn no_command_is_missing_from_the_round_trips() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/hal/ipmi/cmd/app");
    let mut written = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for part in text.split("const NAME: &'static str =").skip(1) {
                written.insert(part.split('"').nth(1).unwrap().to_owned());
            }
        }
    }
    let mut visited = Names::default();
    every_command(&some_values(), &mut visited);
    let visited: BTreeSet<String> = visited.0.into_iter().map(str::to_owned).collect();
    assert_eq!(written, visited);
    assert!(visited.len() >= 35);
}

/// Quirk `solchannelsupport`: some BMCs have it not, and ipmi_sim dies of it.
#[test]
fn get_channel_payload_support_is_never_sent() {
    fn search(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("ipmi/cmd") && !path.ends_with("hal/sim") {
                search(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs")
                && std::fs::read_to_string(&path)
                    .unwrap()
                    .contains("GetChannelPayloadSupport")
            {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    search(
        std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut found,
    );
    assert!(found.is_empty(), "{found:?}");
}
