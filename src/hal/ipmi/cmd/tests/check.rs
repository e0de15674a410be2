//! What the tests of all command folders check of every command (tests only).

use std::any::type_name;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Command;
use crate::hal::ipmi::codec::{Reader, hex};

/// Which commands were taken both ways.
#[derive(Debug, Default)]
pub(crate) struct Checked(BTreeSet<String>);

impl Checked {
    /// Request and reply survive the wire; cut below `need` bytes (request, reply) they are errors, and from there on
    /// they are read; excess bytes of a reply are accepted.
    pub(crate) fn both_ways<C>(&mut self, command: &C, reply: &C::Reply, need: (usize, usize))
    where
        C: Command + PartialEq,
        C::Reply: PartialEq,
    {
        self.varied(command, reply);
        let request = encoded(|out| command.encode(out));
        for cut in 0..=request.len() {
            let short = C::decode(&mut Reader::new(&request[..cut]));
            assert_eq!(short.is_err(), cut < need.0, "{} of {cut} bytes", C::NAME);
        }
        let answer = encoded(|out| C::encode_reply(reply, out));
        for cut in 0..=answer.len() {
            let short = command.decode_reply(&mut Reader::new(&answer[..cut]));
            assert_eq!(short.is_err(), cut < need.1, "{} reply of {cut}", C::NAME);
        }
    }

    /// As [`both_ways`](Self::both_ways), for commands whose length depends on their content: cut anywhere, they do not
    /// panic.
    pub(crate) fn varied<C>(&mut self, command: &C, reply: &C::Reply)
    where
        C: Command + PartialEq,
        C::Reply: PartialEq,
    {
        let name = type_name::<C>().rsplit("::").next().unwrap_or_default();
        self.0.insert(name.to_owned());
        let request = encoded(|out| command.encode(out));
        assert_eq!(C::decode(&mut Reader::new(&request)).as_ref(), Ok(command));
        let mut answer = encoded(|out| C::encode_reply(reply, out));
        let read = command.decode_reply(&mut Reader::new(&answer));
        assert_eq!(read.as_ref(), Ok(reply));
        for cut in 0..request.len() {
            let _ = C::decode(&mut Reader::new(&request[..cut]));
        }
        for cut in 0..answer.len() {
            let _ = command.decode_reply(&mut Reader::new(&answer[..cut]));
        }
        answer.extend([0; 40]);
        let longer = command.decode_reply(&mut Reader::new(&answer));
        assert!(longer.is_ok(), "{}: excess bytes refused", C::NAME);
    }

    /// Every `impl Command for` below src/hal/ipmi/cmd/`folder` was taken both ways.
    pub(crate) fn assert_complete(&self, folder: &str) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hal/ipmi/cmd");
        let mut written = BTreeSet::new();
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            for rest in text.split("impl Command for ").skip(1) {
                let name = rest.split([' ', '<', '{', '\n']).next().unwrap();
                // Not the body of a macro that makes commands; those are named where it is called.
                if !name.starts_with('$') {
                    written.insert(name.to_owned());
                }
            }
        }
        assert!(!written.is_empty(), "no command in {folder}");
        assert_eq!(written, self.0, "commands of {folder} and those checked");
    }
}

/// The request is `request` in hex, and `answer` (hex, after the completion code) is read and written back the same.
pub(crate) fn golden<C: Command>(command: &C, request: &str, answer: &str) -> C::Reply {
    assert_eq!(
        hex(&encoded(|out| command.encode(out))),
        request,
        "{}",
        C::NAME
    );
    let reply = command
        .decode_reply(&mut Reader::new(&unhex(answer)))
        .unwrap();
    let back = encoded(|out| C::encode_reply(&reply, out));
    assert_eq!(hex(&back), answer, "{} reply", C::NAME);
    reply
}

/// The bytes of a hex string.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap())
        .collect()
}

fn encoded(f: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    f(&mut out);
    out
}
