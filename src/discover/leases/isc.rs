//! ISC dhcpd: `lease IP { … }`, appended; the last block of an address wins. Times are UTC.

use std::io::{self, BufRead};
use std::net::IpAddr;

use crate::hal::model::MacAddr;

use super::lines::Lines;
use super::time::{self, Moment};
use super::{Lease, Leases, State};

/// Longest statement that is kept; what goes beyond is cut (no statement that we need is so long).
const LONGEST: usize = 4096;

/// A block `lease IP { … }` that is being read.
struct Block {
    line: u64,
    ip: IpAddr,
    mac: Option<Result<MacAddr, String>>,
    state: Option<State>,
    starts: Option<u64>,
    ends: Option<Moment>,
    hostname: Option<String>,
    trouble: Option<String>,
}

#[derive(Default)]
struct Parser {
    /// The statement so far.
    statement: String,
    quoted: bool,
    escaped: bool,
    /// Open braces.
    depth: u32,
    block: Option<Block>,
}

pub(super) fn parse<R: BufRead>(lines: &mut Lines<R>, out: &mut Leases) -> io::Result<()> {
    let mut parser = Parser::default();
    while let Some(line) = lines.next_line()? {
        // Blocks begin at the first column: whatever was torn before ends here.
        if line.text.starts_with("lease ") {
            parser.restart(line.number, out);
        }
        parser.line(line.number, &line.text, out);
    }
    let end = lines.number();
    parser.restart(end, out);
    Ok(())
}

impl Parser {
    /// Gives up what is open: it is half-written.
    fn restart(&mut self, line: u64, out: &mut Leases) {
        if let Some(block) = self.block.take() {
            out.bad(
                block.line,
                format!("the block of {} does not end", block.ip),
            );
        } else if !self.statement.trim().is_empty() {
            out.bad(line, "a statement does not end");
        }
        *self = Self::default();
    }

    fn line(&mut self, number: u64, text: &str, out: &mut Leases) {
        for c in text.chars() {
            if self.quoted {
                self.push(c);
                match c {
                    _ if self.escaped => self.escaped = false,
                    '\\' => self.escaped = true,
                    '"' => self.quoted = false,
                    _ => {}
                }
                continue;
            }
            match c {
                '#' => break,
                '"' => {
                    self.quoted = true;
                    self.push(c);
                }
                '{' => self.open(number, out),
                '}' => self.close(out),
                ';' => self.end_of_statement(),
                c => self.push(c),
            }
        }
        self.push(' ');
    }

    fn push(&mut self, c: char) {
        if self.statement.len() < LONGEST && !(c == ' ' && self.statement.is_empty()) {
            self.statement.push(c);
        }
    }

    fn open(&mut self, line: u64, out: &mut Leases) {
        let head = std::mem::take(&mut self.statement);
        if self.depth == 0
            && let Some(ip) = head.trim().strip_prefix("lease ")
        {
            match ip.trim().parse() {
                Ok(ip) => {
                    self.block = Some(Block {
                        line,
                        ip,
                        mac: None,
                        state: None,
                        starts: None,
                        ends: None,
                        hostname: None,
                        trouble: None,
                    });
                }
                Err(_) => out.bad(line, format!("lease '{}': no address", ip.trim())),
            }
        }
        self.depth += 1;
    }

    fn close(&mut self, out: &mut Leases) {
        self.statement.clear();
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0
            && let Some(block) = self.block.take()
        {
            let (line, ip) = (block.line, block.ip);
            match block.lease() {
                Ok(Some(lease)) => out.put(line, lease),
                Ok(None) => out.clear(ip),
                Err(why) => out.bad(line, why),
            }
        }
    }

    fn end_of_statement(&mut self) {
        let statement = std::mem::take(&mut self.statement);
        if self.depth == 1
            && let Some(block) = &mut self.block
        {
            block.statement(statement.trim());
        }
    }
}

impl Block {
    fn statement(&mut self, text: &str) {
        let (key, rest) = text
            .split_once(|c: char| c.is_ascii_whitespace())
            .unwrap_or((text, ""));
        let mut words = rest.split_ascii_whitespace();
        match key {
            "starts" => self.starts = time::isc(words).and_then(Moment::seconds),
            "ends" => match time::isc(words) {
                Some(ends) => self.ends = Some(ends),
                None => self.trouble = Some(format!("{}: ends '{rest}'", self.ip)),
            },
            "hardware" => {
                self.mac = Some(match (words.next(), words.next()) {
                    (Some("ethernet"), Some(mac)) => mac.parse(),
                    (kind, _) => Err(format!("hardware {} is not Ethernet", kind.unwrap_or("?"))),
                });
            }
            "binding" if words.next() == Some("state") => {
                self.state = match words.next() {
                    Some("active") => Some(State::Active),
                    Some("abandoned") => Some(State::Abandoned),
                    Some(_) => Some(State::Free),
                    None => None,
                };
            }
            // Files of dhcpd 3 have no binding state.
            "abandoned" => self.state = Some(State::Abandoned),
            "free" => self.state = Some(State::Free),
            "client-hostname" => self.hostname = Some(unquote(rest)).filter(|n| !n.is_empty()),
            _ => {}
        }
    }

    /// `None` where no client is named: a free address that was never leased.
    fn lease(self) -> Result<Option<Lease>, String> {
        let mac = match self.mac {
            Some(Ok(mac)) => mac,
            Some(Err(why)) => return Err(format!("{}: {why}", self.ip)),
            None => return Ok(None),
        };
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        Ok(Some(Lease {
            mac,
            ip: self.ip,
            state: self.state.unwrap_or(State::Active),
            starts: self.starts,
            ends: self.ends.and_then(Moment::seconds),
            hostname: self.hostname,
        }))
    }
}

/// A string as dhcpd writes it: quoted, odd bytes as `\ooo`.
fn unquote(text: &str) -> String {
    let inner = text.trim();
    let inner = inner.strip_prefix('"').unwrap_or(inner);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let mut value: u32 = 0;
        let mut digits = 0;
        while digits < 3
            && let Some(digit) = rest.next_if(|b| (b'0'..=b'7').contains(b))
        {
            value = value * 8 + u32::from(digit - b'0');
            digits += 1;
        }
        if digits > 0 {
            bytes.push(value as u8);
        } else {
            bytes.extend(rest.next());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
