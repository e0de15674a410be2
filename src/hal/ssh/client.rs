//! The client's connection as a state machine: version, keys, login, one channel.

use std::collections::VecDeque;
use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};

use super::auth::{Auth, Next};
use super::channel::{PACKET, WINDOW};
use super::host_key;
use super::kex::{self, Ours, Said};
use super::negotiation::{self, Agreed};
use super::packet::Lock;
use super::wire::{Reader, broken, msg, printable, put_string, put_u32};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Secret;

const VERSION: &[u8] = b"SSH-2.0-halbox";
/// What a server may say before its version: bytes of a line, and lines.
const PREAMBLE: usize = 8 << 10;
const LINES: u32 = 1024;
/// Typed characters that wait for the socket.
const OUTPUT: usize = 64 << 10;
/// Messages that wait for the end of a key exchange.
const HELD: usize = 64;
/// Packets under one key; RFC 4344 allows more.
const REKEY: u64 = 1 << 28;

/// Who logs in, and to what.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the account.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// What is run, as `ssh HOST COMMAND` does; `None`: whatever the BMC runs at this port.
    pub command: Option<&'static str>,
    /// The host key that it had before (`KIND SHA256:…`), or the fingerprint that it has to have (`SHA256:…`).
    pub known: Option<String>,
}

/// News of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server has this host key (`KIND SHA256:…`) and proved it.
    HostKey(String),
    /// The login is done and the console runs.
    Open,
    /// Characters of the host.
    Data(Vec<u8>),
    /// All that was sent before the ping was taken.
    Pong,
    /// The other side closed the console; why, as far as it said.
    Ended(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    Version,
    Keys,
    Service,
    Login,
    Opening,
    Terminal,
    Command,
    Open,
    Closed,
}

enum Kex {
    Idle,
    /// Our proposal is sent.
    Proposed(Vec<u8>),
    /// Our half is sent.
    Half(Box<Half>),
    /// Our new key is in use, theirs is not.
    NewKeys(Box<Lock>),
}

struct Half {
    our_init: Vec<u8>,
    their_init: Vec<u8>,
    agreed: Agreed,
    ours: Ours,
}

/// One connection. Bytes of the socket go into [`Client::receive`], and come out of [`Client::output`].
pub struct Client {
    random: SystemRandom,
    pub(super) at: At,
    kex: Kex,
    auth: Auth,
    pub(super) command: Option<&'static str>,
    known: Option<String>,
    input: Vec<u8>,
    out: Vec<u8>,
    pub(super) events: VecDeque<Event>,
    held: Vec<Vec<u8>>,
    /// Lines before the version.
    lines: u32,
    their_version: Vec<u8>,
    session: Vec<u8>,
    seal: Lock,
    open: Lock,
    strict: bool,
    /// Something else came before the first proposal.
    early: bool,
    /// The next message is a wrong guess.
    skip: bool,
    pub(super) remote: u32,
    /// What they take, in all and at once; and what we still take.
    pub(super) window: u32,
    pub(super) packet: u32,
    pub(super) own_window: u32,
    pub(super) exit: Option<String>,
}

impl Client {
    /// A connection that has said its version and proposal.
    pub fn new(settings: Settings) -> Result<Self> {
        let mut client = Self {
            random: SystemRandom::new(),
            at: At::Version,
            kex: Kex::Idle,
            auth: Auth::new(settings.user, settings.password),
            command: settings.command,
            known: settings.known,
            input: Vec::new(),
            out: [VERSION, b"\r\n"].concat(),
            events: VecDeque::new(),
            held: Vec::new(),
            lines: 0,
            their_version: Vec::new(),
            session: Vec::new(),
            seal: Lock::clear(),
            open: Lock::clear(),
            strict: false,
            early: false,
            skip: false,
            remote: 0,
            window: 0,
            packet: 0,
            own_window: WINDOW,
            exit: None,
        };
        client.propose()?;
        Ok(client)
    }

    /// Takes what came from the socket.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<()> {
        self.input.extend(bytes);
        if self.at == At::Version && !self.version()? {
            return Ok(());
        }
        while let Some(payload) = self.open.open(&mut self.input)? {
            self.handle(&payload)?;
        }
        Ok(())
    }

    /// What is to go to the socket, and how much of it went.
    pub fn output(&self) -> &[u8] {
        &self.out
    }

    /// So much of the output is sent.
    pub fn sent(&mut self, n: usize) {
        self.out.drain(..n.min(self.out.len()));
    }

    /// The next news.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes typed characters; how many.
    pub fn write(&mut self, data: &[u8]) -> Result<usize> {
        if self.at != At::Open || self.exchanges_keys() || self.out.len() > OUTPUT {
            return Ok(0);
        }
        let most = self.window.min(self.packet).min(PACKET) as usize;
        let data = data.get(..most.min(data.len())).unwrap_or_default();
        if !data.is_empty() {
            self.window -= data.len() as u32;
            let mut payload = self.channel_message(msg::CHANNEL_DATA);
            put_string(&mut payload, data);
            self.send(payload)?;
        }
        Ok(data.len())
    }

    /// Sends a break (RFC 4335), of the length that the BMC thinks right.
    pub fn send_break(&mut self) -> Result<()> {
        let mut payload = self.channel_message(msg::CHANNEL_REQUEST);
        put_string(&mut payload, b"break");
        payload.push(0);
        put_u32(&mut payload, 0);
        self.if_open(payload)
    }

    /// Asks for a sign of life: [`Event::Pong`].
    pub fn ping(&mut self) -> Result<()> {
        let mut payload = vec![msg::GLOBAL_REQUEST];
        put_string(&mut payload, b"keepalive@openssh.com");
        payload.push(1);
        self.if_open(payload)
    }

    /// Says goodbye.
    pub fn close(&mut self) -> Result<()> {
        if self.at >= At::Opening && self.at < At::Closed {
            let payload = self.channel_message(msg::CHANNEL_CLOSE);
            self.send(payload)?;
        }
        self.at = At::Closed;
        let mut payload = vec![msg::DISCONNECT];
        // SSH_DISCONNECT_BY_APPLICATION
        put_u32(&mut payload, 11);
        put_string(&mut payload, b"");
        put_string(&mut payload, b"");
        self.send(payload)
    }

    fn if_open(&mut self, payload: Vec<u8>) -> Result<()> {
        if self.at == At::Open {
            self.send(payload)
        } else {
            Ok(())
        }
    }

    pub(super) fn channel_message(&self, number: u8) -> Vec<u8> {
        let mut payload = vec![number];
        put_u32(&mut payload, self.remote);
        payload
    }

    /// May nothing but the exchange of keys be sent?
    fn exchanges_keys(&self) -> bool {
        matches!(self.kex, Kex::Proposed(_) | Kex::Half(_))
    }

    pub(super) fn send(&mut self, payload: Vec<u8>) -> Result<()> {
        if self.exchanges_keys() {
            if self.held.len() >= HELD {
                return Err(broken("the exchange of keys takes too long"));
            }
            self.held.push(payload);
            return Ok(());
        }
        self.put(&payload)?;
        let worn = self.seal.used.max(self.open.used) > REKEY;
        if worn && matches!(self.kex, Kex::Idle) {
            self.propose()?;
        }
        Ok(())
    }

    fn put(&mut self, payload: &[u8]) -> Result<()> {
        self.seal.seal(payload, &self.random, &mut self.out)
    }

    fn propose(&mut self) -> Result<()> {
        let mut cookie = [0; 16];
        self.random
            .fill(&mut cookie)
            .map_err(|_| Error::new(Kind::Other, "SSH: no random numbers"))?;
        let kind = self.known.as_deref().and_then(|k| k.split_once(' '));
        let init = negotiation::kexinit(cookie, kind.map(|(kind, _)| kind));
        self.put(&init)?;
        self.kex = Kex::Proposed(init);
        Ok(())
    }

    /// Looks for the server's version, behind lines that are none. Is it there?
    fn version(&mut self) -> Result<bool> {
        while let Some(end) = self.input.iter().position(|b| *b == b'\n') {
            let rest = self.input.split_off(end + 1);
            let mut line = std::mem::replace(&mut self.input, rest);
            while line.last().is_some_and(|b| matches!(b, b'\r' | b'\n')) {
                line.pop();
            }
            if !line.starts_with(b"SSH-") {
                self.lines += 1;
                if self.lines > LINES {
                    return Err(no_ssh());
                }
                continue;
            }
            if !line.starts_with(b"SSH-2.0-") && !line.starts_with(b"SSH-1.99-") {
                let cause = format!("legacy SSH: the server is {}", printable(&line));
                return Err(Error::new(Kind::Tls, "SSH").with_source(cause));
            }
            log::debug!("SSH server {}", printable(&line));
            self.their_version = line;
            self.at = At::Keys;
            return Ok(true);
        }
        if self.input.len() > PREAMBLE {
            return Err(no_ssh());
        }
        Ok(false)
    }

    fn handle(&mut self, payload: &[u8]) -> Result<()> {
        let mut reader = Reader::new(payload);
        let number = reader.byte("message")?;
        if std::mem::take(&mut self.skip) {
            return Ok(());
        }
        match number {
            msg::DISCONNECT => return Err(self.disconnected(&mut reader)),
            msg::KEXINIT => return self.proposed(payload),
            msg::KEX_ECDH_REPLY => return self.other_half(&mut reader),
            msg::NEWKEYS => return self.new_keys(),
            _ if self.at == At::Keys && (self.strict || number >= msg::USERAUTH_REQUEST) => {
                return Err(broken(format!("message {number} before there are keys")));
            }
            _ => {}
        }
        if self.at == At::Keys {
            self.early = true;
        }
        match number {
            msg::UNIMPLEMENTED if self.at == At::Open => self.events.push_back(Event::Pong),
            msg::IGNORE | msg::DEBUG | msg::EXT_INFO | msg::UNIMPLEMENTED => {}
            msg::SERVICE_ACCEPT if self.at == At::Service => {
                self.at = At::Login;
                let ask = self.auth.ask();
                self.put(&ask)?;
            }
            50..80 if self.at == At::Login => match self.auth.handle(payload)? {
                Next::Send(answer) => self.put(&answer)?,
                Next::LoggedIn => self.open_channel()?,
                Next::Wait => {}
            },
            80.. if self.at >= At::Opening => self.connection(number, &mut reader)?,
            other => return Err(broken(format!("message {other} out of turn"))),
        }
        Ok(())
    }

    fn disconnected(&self, reader: &mut Reader<'_>) -> Error {
        let reason = reader.u32("reason").unwrap_or_default();
        let said = reader.text("description").unwrap_or_default();
        // SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE, or out of patience in the middle of a login.
        let kind = if reason == 14 || self.at == At::Login {
            Kind::Auth
        } else {
            Kind::Busy
        };
        Error::new(kind, "SSH: the BMC ended the connection").with_source(said)
    }

    fn proposed(&mut self, theirs: &[u8]) -> Result<()> {
        if matches!(self.kex, Kex::Idle) && !self.session.is_empty() {
            self.propose()?;
        }
        let Kex::Proposed(our_init) = std::mem::replace(&mut self.kex, Kex::Idle) else {
            return Err(broken("a proposal in the middle of an exchange of keys"));
        };
        let mut agreed = negotiation::agree(&our_init, theirs)?;
        if self.session.is_empty() {
            self.strict = agreed.strict;
            if self.strict && self.early {
                return Err(broken("messages before the first proposal"));
            }
        }
        agreed.strict = self.strict;
        self.skip = agreed.wrong_guess;
        let ours = kex::begin(&agreed, &self.random)?;
        let mut payload = vec![msg::KEX_ECDH_INIT];
        put_string(&mut payload, &ours.public);
        self.put(&payload)?;
        self.kex = Kex::Half(Box::new(Half {
            our_init,
            their_init: theirs.to_vec(),
            agreed,
            ours,
        }));
        Ok(())
    }

    fn other_half(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let Kex::Half(half) = std::mem::replace(&mut self.kex, Kex::Idle) else {
            return Err(broken("half of an exchange of keys that was not begun"));
        };
        let key = reader.string("host key")?;
        let theirs = reader.string("half of the server")?;
        let signature = reader.string("signature")?;
        let said = Said {
            our_version: VERSION,
            their_version: &self.their_version,
            our_init: &half.our_init,
            their_init: &half.their_init,
        };
        let agreed = half.agreed;
        let secrets = kex::finish(&agreed, half.ours, &said, key, theirs)?;
        host_key::verify(agreed.host_key, key, signature, &secrets.exchange)?;
        self.recognise(host_key::name(key)?)?;
        if self.session.is_empty() {
            self.session.clone_from(&secrets.exchange);
        }
        self.put(&[msg::NEWKEYS])?;
        let session = self.session.clone();
        let keys = |letters: [u8; 3]| {
            let (secrets, session) = (&secrets, &session);
            move |what: u8, length| {
                let letter = letters.get(usize::from(what)).copied().unwrap_or_default();
                secrets.key(session, letter, length)
            }
        };
        // The number after NEWKEYS; theirs is still to come.
        let (to, from) = if agreed.strict {
            (0, 0)
        } else {
            (self.seal.number(), self.open.number().wrapping_add(1))
        };
        self.seal = Lock::new(agreed.out, true, to, keys(*b"ACE"))?;
        self.kex = Kex::NewKeys(Box::new(Lock::new(
            agreed.back,
            false,
            from,
            keys(*b"BDF"),
        )?));
        for payload in std::mem::take(&mut self.held) {
            self.put(&payload)?;
        }
        Ok(())
    }

    /// Is it the server that we know?
    fn recognise(&mut self, key: String) -> Result<()> {
        let fingerprint = key.split_once(' ').map_or("", |(_, print)| print);
        match &self.known {
            Some(known) if *known != key && known != fingerprint => {
                let cause = format!("the host key has changed: it was {known}, and is {key}");
                return Err(Error::new(Kind::Refused, "SSH")
                    .with_source(cause)
                    .with_hint(format!(
                        "somebody may be in between; if the BMC was replaced or reset: --ssh-host-key {fingerprint}, through the daemon: bmc trust"
                    )));
            }
            _ => {}
        }
        if self.session.is_empty() {
            self.events.push_back(Event::HostKey(key.clone()));
        }
        self.known = Some(key);
        Ok(())
    }

    fn new_keys(&mut self) -> Result<()> {
        let Kex::NewKeys(lock) = std::mem::replace(&mut self.kex, Kex::Idle) else {
            return Err(broken("new keys without an exchange"));
        };
        self.open = *lock;
        if self.at == At::Keys {
            self.at = At::Service;
            let mut payload = vec![msg::SERVICE_REQUEST];
            put_string(&mut payload, b"ssh-userauth");
            self.put(&payload)?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Client {
    /// As if it had come so far.
    pub(super) fn put_at(&mut self, at: u8) {
        let all = [
            At::Keys,
            At::Service,
            At::Login,
            At::Opening,
            At::Command,
            At::Open,
        ];
        self.at = all.get(usize::from(at)).copied().unwrap_or(At::Open);
        if at > 0 {
            self.kex = Kex::Idle;
            self.session = vec![1; 32];
        }
    }

    pub(super) fn handle_message(&mut self, payload: &[u8]) -> Result<()> {
        self.handle(payload)
    }
}

fn no_ssh() -> Error {
    Error::new(Kind::Unsupported, "SSH").with_source("the port does not speak SSH")
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
