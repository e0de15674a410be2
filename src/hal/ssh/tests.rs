//! Without a server: negotiation, packets of every kind, host keys, and messages that are none. A real OpenSSH is in
//! `tests/it/ssh_console.rs`.

use proptest::prelude::*;
use ring::rand::SystemRandom;
use zeroize::Zeroizing;

use super::negotiation::{self, Protection};
use super::packet::Lock;
use super::wire::{Reader, msg, printable, put_mpint, put_string, put_u32};
use super::{Client, Settings, host_key};
use crate::hal::error::Kind;
use crate::hal::model::Secret;

fn settings(known: Option<&str>) -> Settings {
    Settings {
        user: "root".to_owned(),
        password: Secret::new("calvin"),
        command: Some("console com2"),
        known: known.map(str::to_owned),
    }
}

/// A server's KEXINIT with these lists of key exchanges, host keys, ciphers and MACs.
fn proposal(kex: &str, keys: &str, ciphers: &str, macs: &str, follows: bool) -> Vec<u8> {
    let mut out = vec![msg::KEXINIT];
    out.extend([7; 16]);
    for list in [
        kex, keys, ciphers, ciphers, macs, macs, "none", "none", "", "",
    ] {
        put_string(&mut out, list.as_bytes());
    }
    out.push(u8::from(follows));
    put_u32(&mut out, 0);
    out
}

#[test]
fn our_order_counts_and_the_known_key_comes_first() {
    let theirs = proposal(
        "ecdh-sha2-nistp256,curve25519-sha256,kex-strict-s-v00@openssh.com",
        "rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256",
        "aes128-ctr,chacha20-poly1305@openssh.com,aes256-gcm@openssh.com",
        "hmac-sha2-512",
        false,
    );
    let agreed = negotiation::agree(&negotiation::kexinit([0; 16], None), &theirs).unwrap();
    assert_eq!(agreed.kex, "curve25519-sha256");
    assert_eq!(agreed.host_key, "ssh-ed25519");
    assert_eq!(agreed.out.cipher, "aes256-gcm@openssh.com");
    assert_eq!(agreed.out.mac, "");
    assert!(agreed.strict);
    let known = negotiation::kexinit([0; 16], Some("ssh-rsa"));
    let agreed = negotiation::agree(&known, &theirs).unwrap();
    assert_eq!(agreed.host_key, "rsa-sha2-256");
}

#[test]
fn a_wrong_guess_is_noticed() {
    let ours = negotiation::kexinit([0; 16], None);
    let guess = |kex| {
        let theirs = proposal(kex, "ssh-ed25519", "aes128-ctr", "hmac-sha2-256", true);
        negotiation::agree(&ours, &theirs).unwrap().wrong_guess
    };
    assert!(!guess("curve25519-sha256"));
    assert!(guess("ecdh-sha2-nistp256,curve25519-sha256"));
}

#[test]
fn old_servers_are_named_as_the_cause() {
    let ours = negotiation::kexinit([0; 16], None);
    let good = (
        "curve25519-sha256",
        "ssh-ed25519",
        "aes128-ctr",
        "hmac-sha2-256",
    );
    for (kex, keys, cipher, mac, what) in [
        (
            "diffie-hellman-group1-sha1,diffie-hellman-group14-sha1",
            good.1,
            good.2,
            good.3,
            "key exchange that is still safe (diffie-hellman-group1-sha1, diffie-hellman-group14-sha1)",
        ),
        (good.0, "ssh-dss,ssh-rsa", good.2, good.3, "host key that"),
        (good.0, good.1, "aes256-cbc,3des-cbc", good.3, "cipher that"),
        (good.0, good.1, good.2, "hmac-sha1,hmac-md5", "MAC that"),
    ] {
        let theirs = proposal(kex, keys, cipher, mac, false);
        let error = negotiation::agree(&ours, &theirs).unwrap_err();
        assert_eq!(error.kind(), Kind::Tls);
        assert!(error.chain().contains("legacy SSH"), "{}", error.chain());
        assert!(error.chain().contains(what), "{}", error.chain());
    }
    let mut client = Client::new(settings(None)).unwrap();
    let error = client.receive(b"hello\r\nSSH-1.5-old\r\n").unwrap_err();
    assert!(error.chain().contains("SSH-1.5-old"), "{}", error.chain());
    let mut client = Client::new(settings(None)).unwrap();
    let error = client.receive(&[b'x'; 9000]).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
}

/// Both locks of one direction.
fn locks(cipher: &'static str, mac: &'static str, number: u32) -> (Lock, Lock) {
    let key = |what: u8, length| Zeroizing::new(vec![what + 1; length]);
    let protection = Protection { cipher, mac };
    (
        Lock::new(protection, true, number, key).unwrap(),
        Lock::new(protection, false, number, key).unwrap(),
    )
}

const KINDS: &[(&str, &str)] = &[
    ("aes256-gcm@openssh.com", ""),
    ("aes128-gcm@openssh.com", ""),
    ("chacha20-poly1305@openssh.com", ""),
    ("aes256-ctr", "hmac-sha2-256"),
    ("aes128-ctr", "hmac-sha2-512"),
    ("aes256-ctr", "hmac-sha2-256-etm@openssh.com"),
    ("aes128-ctr", "hmac-sha2-512-etm@openssh.com"),
];

#[test]
fn packets_arrive_byte_by_byte_and_no_changed_one_does() {
    let random = SystemRandom::new();
    for &(cipher, mac) in KINDS {
        let (mut seal, mut open) = locks(cipher, mac, u32::MAX);
        let payloads: Vec<Vec<u8>> = [1, 2, 11, 12, 13, 255, 32_000]
            .map(|n| vec![0x5a; n])
            .to_vec();
        let mut wire = Vec::new();
        for payload in &payloads {
            seal.seal(payload, &random, &mut wire).unwrap();
        }
        let mut arrived = Vec::new();
        let mut buffer = Vec::new();
        for byte in &wire {
            buffer.push(*byte);
            arrived.extend(open.open(&mut buffer).unwrap());
        }
        assert_eq!(arrived, payloads, "{cipher} {mac}");
        assert!(buffer.is_empty());
        let mut whole = Vec::new();
        locks(cipher, mac, 3)
            .0
            .seal(b"hello", &random, &mut whole)
            .unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            // A changed length may make it wait for more; what comes out is never a packet.
            let out = locks(cipher, mac, 3).1.open(&mut changed);
            assert!(!matches!(out, Ok(Some(_))), "{cipher} {mac}: byte {at}");
        }
        // The same packet under another number is no packet.
        let out = locks(cipher, mac, 4).1.open(&mut whole);
        let numbered = !cipher.contains("gcm");
        assert_eq!(out.is_err(), numbered, "{cipher} {mac}");
    }
}

#[test]
fn ctr_is_that_of_the_standard() {
    // RFC 3686 has a counter of 32 bits; NIST SP 800-38A F.5.1 is a whole block.
    let key = [
        0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f,
        0x3c,
    ];
    let iv = std::array::from_fn(|i| 0xf0 + i as u8);
    let mut text = [
        0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17,
        0x2a, 0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf,
        0x8e, 0x51,
    ];
    super::packet::ctr(&key, iv, &mut text);
    let sealed = [
        0x87, 0x4d, 0x61, 0x91, 0xb6, 0x20, 0xe3, 0x26, 0x1b, 0xef, 0x68, 0x64, 0x99, 0x0d, 0xb6,
        0xce, 0x98, 0x06, 0xf6, 0x6b, 0x79, 0x70, 0xfd, 0xff, 0x86, 0x17, 0x18, 0x7b, 0xb9, 0xff,
        0xfd, 0xff,
    ];
    assert_eq!(text, sealed);
}

#[test]
fn short_rsa_keys_and_foreign_signatures_are_refused() {
    let mut key = Vec::new();
    put_string(&mut key, b"ssh-rsa");
    put_mpint(&mut key, &[1, 0, 1]);
    put_mpint(&mut key, &[0xc5; 128]);
    let mut signature = Vec::new();
    put_string(&mut signature, b"rsa-sha2-256");
    put_string(&mut signature, &[1; 128]);
    let error = host_key::verify("rsa-sha2-256", &key, &signature, b"x").unwrap_err();
    assert!(
        error.chain().contains("only 1024 bits"),
        "{}",
        error.chain()
    );
    let mut key = Vec::new();
    put_string(&mut key, b"ssh-ed25519");
    put_string(&mut key, &[9; 32]);
    let mut signature = Vec::new();
    put_string(&mut signature, b"ssh-ed25519");
    put_string(&mut signature, &[1; 64]);
    let error = host_key::verify("ssh-ed25519", &key, &signature, b"x").unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    let error = host_key::verify("rsa-sha2-256", &key, &signature, b"x").unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
}

#[test]
fn numbers_and_words() {
    let mut out = Vec::new();
    put_mpint(&mut out, &[0, 0, 0x80, 1]);
    put_mpint(&mut out, &[0]);
    assert_eq!(out, [0, 0, 0, 3, 0, 0x80, 1, 0, 0, 0, 0]);
    assert_eq!(Reader::new(&out).mpint("n").unwrap(), [0x80, 1]);
    assert!(Reader::new(&[0, 0, 0, 9, 1]).string("s").is_err());
    assert_eq!(printable(b"a\x1b[2J\r\nb\xff"), "a [2J b\u{fffd}");
}

proptest! {
    #[test]
    fn nothing_before_the_keys_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut client = Client::new(settings(Some("ssh-ed25519 SHA256:x"))).unwrap();
        client.receive(b"SSH-2.0-x\r\n").unwrap();
        let _ = client.receive(&bytes);
    }

    /// What a server that has our keys may say at any time of the connection.
    #[test]
    fn no_message_panics(
        at in 0u8..6,
        messages in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..60)), 1..8),
    ) {
        let mut client = Client::new(settings(None)).unwrap();
        client.put_at(at);
        for (number, mut payload) in messages {
            payload.insert(0, number);
            if client.handle_message(&payload).is_err() {
                break;
            }
            while client.event().is_some() {}
        }
    }
}

#[test]
fn banners_without_end_are_no_ssh() {
    let mut client = Client::new(settings(None)).unwrap();
    let banner = b"Welcome to this BMC\r\n".repeat(100);
    let error = (0..20).find_map(|_| client.receive(&banner).err());
    assert_eq!(error.unwrap().kind(), Kind::Unsupported);
    // One line without end neither.
    let mut client = Client::new(settings(None)).unwrap();
    let error = (0..20).find_map(|_| client.receive(&[b'x'; 1000]).err());
    assert_eq!(error.unwrap().kind(), Kind::Unsupported);
}
