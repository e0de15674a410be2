//! Which algorithms are used (RFC 4253 §7.1).

use super::wire::{Reader, broken, msg, put_string, put_u32};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::order::Order;

/// Our own, the preferred ones first.
const KEX: &[&str] = &[
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
];
pub(super) const HOST_KEYS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "rsa-sha2-512",
    "rsa-sha2-256",
];
/// GCM before ChaCha20: it does not need strict key exchange against lost messages at the beginning (CVE-2023-48795).
const CIPHERS: &[&str] = &[
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
];
const MACS: &[&str] = &[
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
];
const STRICT_CLIENT: &str = "kex-strict-c-v00@openssh.com";
const STRICT_SERVER: &str = "kex-strict-s-v00@openssh.com";

/// What was agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) kex: &'static str,
    pub(super) host_key: &'static str,
    /// Towards the server, and from it.
    pub(super) out: Protection,
    pub(super) back: Protection,
    /// Numbers begin anew with each key, and nothing else may pass before the first.
    pub(super) strict: bool,
    /// The server sent a guess that was wrong: its next message is none.
    pub(super) wrong_guess: bool,
}

/// How one direction is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Protection {
    pub(super) cipher: &'static str,
    /// Blank where the cipher does it.
    pub(super) mac: &'static str,
}

/// Kind of the key behind an algorithm of host keys.
pub(super) fn kind_of_key(algorithm: &str) -> &str {
    if algorithm.starts_with("rsa-sha2-") {
        "ssh-rsa"
    } else {
        algorithm
    }
}

/// Our KEXINIT. The kind of key that is known comes first: a server with several is the same server.
pub(super) fn kexinit(cookie: [u8; 16], known: Option<&str>) -> Vec<u8> {
    let mut keys = HOST_KEYS.to_vec();
    // Stable: false comes before true.
    keys.order_by_key(|algorithm| known != Some(kind_of_key(algorithm)));
    let mut kex = KEX.to_vec();
    kex.push(STRICT_CLIENT);
    let mut out = vec![msg::KEXINIT];
    out.extend(cookie);
    for list in [
        &kex[..],
        &keys,
        CIPHERS,
        CIPHERS,
        MACS,
        MACS,
        &["none"],
        &["none"],
        &[],
        &[],
    ] {
        put_string(&mut out, list.join(",").as_bytes());
    }
    out.push(0);
    put_u32(&mut out, 0);
    out
}

/// What follows from the server's KEXINIT and our own.
pub(super) fn agree(ours: &[u8], theirs: &[u8]) -> Result<Agreed> {
    let mut ours = lists(ours)?.0;
    let (theirs, follows) = lists(theirs)?;
    let [
        kex,
        keys,
        cipher_out,
        cipher_back,
        mac_out,
        mac_back,
        zip_out,
        zip_back,
    ] = &theirs;
    let key_order = std::mem::take(&mut ours[1]);
    let cipher_to = choose(CIPHERS, cipher_out, "cipher")?;
    let cipher_from = choose(CIPHERS, cipher_back, "cipher")?;
    for zip in [zip_out, zip_back] {
        choose(&["none"], zip, "compression")?;
    }
    let chosen = choose(KEX, kex, "key exchange")?;
    let host_key = choose(&key_order, keys, "host key")?;
    let host_key = HOST_KEYS.iter().copied().find(|own| *own == host_key);
    let wrong_guess =
        follows && (kex.first() != Some(&KEX[0]) || keys.first() != key_order.first());
    Ok(Agreed {
        kex: chosen,
        host_key: host_key.unwrap_or_default(),
        out: protection(cipher_to, mac_out)?,
        back: protection(cipher_from, mac_back)?,
        strict: kex.contains(&STRICT_SERVER),
        wrong_guess,
    })
}

fn protection(cipher: &'static str, macs: &[&str]) -> Result<Protection> {
    let mac = if cipher.contains("gcm") || cipher.contains("poly1305") {
        ""
    } else {
        choose(MACS, macs, "MAC")?
    };
    Ok(Protection { cipher, mac })
}

/// The first of ours that the other side has.
fn choose<'a>(ours: &[&'a str], theirs: &[&str], what: &str) -> Result<&'a str> {
    let found = ours.iter().copied().find(|own| theirs.contains(own));
    found.ok_or_else(|| {
        let offers = theirs
            .iter()
            .filter(|name| !name.starts_with("kex-strict-") && !name.starts_with("ext-info-"))
            .take(8)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let offers = super::wire::printable(offers.as_bytes());
        let cause =
            format!("legacy SSH: the server offers no {what} that is still safe ({offers})");
        Error::new(Kind::Tls, "SSH")
            .with_source(cause)
            .with_hint("newer firmware of the BMC may help; the console over IPMI is --driver IPMI")
    })
}

type Lists<'a> = [Vec<&'a str>; 8];

/// The first eight lists of a KEXINIT, and whether a guess follows it.
fn lists(payload: &[u8]) -> Result<(Lists<'_>, bool)> {
    let mut reader = Reader::new(payload);
    if reader.byte("KEXINIT")? != msg::KEXINIT {
        return Err(broken("no KEXINIT"));
    }
    reader.take(16, "cookie of KEXINIT")?;
    let mut lists = Lists::default();
    for list in &mut lists {
        *list = reader.names("list of KEXINIT")?;
    }
    for _ in 0..2 {
        reader.string("languages of KEXINIT")?;
    }
    Ok((lists, reader.bool("guess of KEXINIT")?))
}
