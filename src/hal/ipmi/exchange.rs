//! The one door to a BMC: a command goes in, completion code and data come out.

use crate::hal::error::Result;
use crate::hal::model::console::{ConsoleOptions, ConsoleStream};
use crate::hal::model::{BoxFuture, Cx};

use super::cmd::{Command, CompletionCode, Effect, NetFn, Privilege};
use super::learnt::LearntCell;

/// Whom a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Target {
    /// The BMC itself.
    #[default]
    Bmc,
    /// A controller behind it, reached by Send Message (§22.7).
    Bridged {
        /// Channel to send on.
        channel: u8,
        /// 8-bit slave address.
        address: u8,
    },
}

/// A command as the layers below see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whom it is for.
    pub target: Target,
    /// Logical unit, 0..3.
    pub lun: u8,
    /// Network function (even).
    pub netfn: NetFn,
    /// Command.
    pub cmd: u8,
    /// Request data.
    pub data: Vec<u8>,
    /// Least privilege that it needs.
    pub privilege: Privilege,
    /// May it be executed twice?
    pub effect: Effect,
    /// The specification's name, for errors and logs.
    pub name: &'static str,
}

impl Request {
    /// The request of a typed command, for the BMC itself.
    pub fn of<C: Command>(command: &C) -> Self {
        let mut data = Vec::new();
        command.encode(&mut data);
        Self {
            target: Target::Bmc,
            lun: command.lun(),
            netfn: C::NETFN,
            cmd: C::CMD,
            data,
            privilege: C::PRIVILEGE,
            effect: C::EFFECT,
            name: C::NAME,
        }
    }

    /// The same request for another controller.
    #[must_use]
    pub fn to(mut self, target: Target) -> Self {
        self.target = target;
        self
    }
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Completion code; 0 is success.
    pub code: CompletionCode,
    /// Data after the completion code.
    pub data: Vec<u8>,
}

/// A BMC to which commands can be sent. LAN sessions, /dev/ipmi0 and the simulator implement it; nothing else
/// is a transport.
pub trait Exchange: Send + Sync {
    /// Sends one command and waits for its answer. A non-zero completion code is not an error here.
    fn exchange<'a>(&'a self, cx: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>>;

    /// Sends several reads; the transport may have more than one in flight. Answers are in the order of the requests.
    fn exchange_all<'a>(
        &'a self,
        cx: &'a Cx,
        requests: Vec<Request>,
    ) -> BoxFuture<'a, Vec<Result<Response>>> {
        Box::pin(async move {
            let mut out = Vec::with_capacity(requests.len());
            for request in requests {
                out.push(self.exchange(cx, request).await);
            }
            out
        })
    }

    /// May we log in at all? An error where the login gate holds it back. For those who do not begin with a command.
    fn admit<'a>(&'a self, _cx: &'a Cx) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Opens the serial console on the same session; `None` where the transport has none.
    fn console(&self, _options: ConsoleOptions) -> Option<ConsoleStream> {
        None
    }

    /// What comes next needs up to this privilege: a transport that logs in does so once, for all of it.
    fn expect(&self, _highest: Privilege) {}

    /// What was learnt of this BMC: chunk sizes, SDRs, quirks. Shared by all who talk to it.
    fn learnt(&self) -> &LearntCell;

    /// The user name that is logged in, as it was sent; `None` where nobody logs in (/dev/ipmi0).
    fn user(&self) -> Option<&[u8]> {
        None
    }
}

/// Runs a typed command: encode, exchange, completion code, decode.
pub async fn run<C: Command>(bmc: &dyn Exchange, cx: &Cx, command: &C) -> Result<C::Reply> {
    let response = bmc.exchange(cx, Request::of(command)).await?;
    finish(command, &response)
}

/// Turns an answer into the typed reply of `command`.
pub fn finish<C: Command>(command: &C, response: &Response) -> Result<C::Reply> {
    if !response.code.is_ok() {
        return Err(response.code.to_error(C::NAME));
    }
    let mut reader = super::Reader::new(&response.data);
    command
        .decode_reply(&mut reader)
        .map_err(|e| crate::hal::Error::new(crate::hal::Kind::Protocol, C::NAME).with_source(e))
}
