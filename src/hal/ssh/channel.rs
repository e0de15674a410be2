//! The one channel: opened, given a terminal and a command, and what passes on it (RFC 4254).

use super::client::{At, Client, Event};
use super::wire::{Reader, broken, msg, put_string, put_u32};
use crate::hal::error::{Error, Kind, Result};

/// Characters of the host that may be on their way, and in one packet.
pub(super) const WINDOW: u32 = 256 << 10;
pub(super) const PACKET: u32 = 32 << 10;
/// Our only channel.
const CHANNEL: u32 = 0;

impl Client {
    pub(super) fn open_channel(&mut self) -> Result<()> {
        self.at = At::Opening;
        let mut payload = vec![msg::CHANNEL_OPEN];
        put_string(&mut payload, b"session");
        for n in [CHANNEL, WINDOW, PACKET] {
            put_u32(&mut payload, n);
        }
        self.send(payload)
    }

    /// Messages of the connection protocol (RFC 4254).
    pub(super) fn connection(&mut self, number: u8, reader: &mut Reader<'_>) -> Result<()> {
        match number {
            msg::GLOBAL_REQUEST => {
                reader.string("request")?;
                return if reader.bool("wants reply")? {
                    self.send(vec![msg::REQUEST_FAILURE])
                } else {
                    Ok(())
                };
            }
            msg::REQUEST_SUCCESS | msg::REQUEST_FAILURE => {
                self.events.push_back(Event::Pong);
                return Ok(());
            }
            msg::CHANNEL_OPEN => {
                reader.string("kind of channel")?;
                let mut payload = vec![msg::CHANNEL_OPEN_FAILURE];
                put_u32(&mut payload, reader.u32("sender")?);
                // SSH_OPEN_ADMINISTRATIVELY_PROHIBITED
                put_u32(&mut payload, 1);
                put_string(&mut payload, b"");
                put_string(&mut payload, b"");
                return self.send(payload);
            }
            _ => {}
        }
        self.on_channel(number, reader)
    }

    fn on_channel(&mut self, number: u8, reader: &mut Reader<'_>) -> Result<()> {
        if reader.u32("channel")? != CHANNEL {
            return Err(broken("a message for a channel that is not there"));
        }
        match (number, self.at) {
            (msg::CHANNEL_OPEN_CONFIRMATION, At::Opening) => {
                self.remote = reader.u32("sender")?;
                self.window = reader.u32("window")?;
                self.packet = reader.u32("packet size")?;
                self.at = At::Terminal;
                let mut payload = self.channel_message(msg::CHANNEL_REQUEST);
                put_string(&mut payload, b"pty-req");
                payload.push(1);
                put_string(&mut payload, b"vt100");
                for n in [80, 24, 0, 0] {
                    put_u32(&mut payload, n);
                }
                put_string(&mut payload, &[0]);
                self.send(payload)
            }
            (msg::CHANNEL_OPEN_FAILURE, At::Opening) => {
                // SSH_OPEN_RESOURCE_SHORTAGE
                let kind = if reader.u32("reason")? == 4 {
                    Kind::Busy
                } else {
                    Kind::Refused
                };
                let said = reader.text("description")?;
                Err(Error::new(kind, "SSH: the BMC refuses a session").with_source(said))
            }
            // A console is one without a terminal as well.
            (msg::CHANNEL_SUCCESS | msg::CHANNEL_FAILURE, At::Terminal) => {
                self.at = At::Command;
                let mut payload = self.channel_message(msg::CHANNEL_REQUEST);
                if let Some(command) = self.command {
                    put_string(&mut payload, b"exec");
                    payload.push(1);
                    put_string(&mut payload, command.as_bytes());
                } else {
                    put_string(&mut payload, b"shell");
                    payload.push(1);
                }
                self.send(payload)
            }
            (msg::CHANNEL_SUCCESS, At::Command) => {
                self.at = At::Open;
                self.events.push_back(Event::Open);
                Ok(())
            }
            (msg::CHANNEL_FAILURE, At::Command) => {
                let cause = match self.command {
                    Some(command) => format!("the BMC refuses the command '{command}'"),
                    None => "the BMC refuses a shell".to_owned(),
                };
                Err(Error::new(Kind::Unsupported, "SSH console").with_source(cause))
            }
            (msg::CHANNEL_SUCCESS | msg::CHANNEL_FAILURE | msg::CHANNEL_EOF, _)
            | (msg::CHANNEL_CLOSE, At::Closed) => Ok(()),
            (msg::CHANNEL_WINDOW_ADJUST, _) => {
                self.window = self.window.saturating_add(reader.u32("window")?);
                Ok(())
            }
            (msg::CHANNEL_DATA, _) => {
                let data = reader.string("data")?;
                self.take(data)
            }
            (msg::CHANNEL_EXTENDED_DATA, _) => {
                reader.u32("kind of data")?;
                let data = reader.string("data")?;
                self.take(data)
            }
            (msg::CHANNEL_REQUEST, _) => {
                let what = reader.string("request")?;
                let wants = reader.bool("wants reply")?;
                match what {
                    b"exit-status" => {
                        let status = reader.u32("exit status")?;
                        self.exit = Some(format!("exit status {status}"));
                    }
                    b"exit-signal" => {
                        self.exit = Some(format!("signal {}", reader.text("signal")?));
                    }
                    _ => {}
                }
                if wants {
                    let payload = self.channel_message(msg::CHANNEL_FAILURE);
                    self.send(payload)?;
                }
                Ok(())
            }
            (msg::CHANNEL_CLOSE, _) => {
                let why = self.exit.take().unwrap_or_default();
                self.close()?;
                self.events.push_back(Event::Ended(why));
                Ok(())
            }
            (other, _) => Err(broken(format!("message {other} out of turn"))),
        }
    }

    fn take(&mut self, data: &[u8]) -> Result<()> {
        self.own_window = self
            .own_window
            .checked_sub(data.len() as u32)
            .ok_or_else(|| broken("more data than was asked for"))?;
        self.events.push_back(Event::Data(data.to_vec()));
        if self.own_window < WINDOW / 2 {
            let more = WINDOW - self.own_window;
            self.own_window = WINDOW;
            let mut payload = self.channel_message(msg::CHANNEL_WINDOW_ADJUST);
            put_u32(&mut payload, more);
            return self.send(payload);
        }
        Ok(())
    }
}
