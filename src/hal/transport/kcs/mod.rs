//! In-band: the BMC of this machine, through the kernel's IPMI driver (KCS, BT, SMIC or SSIF underneath).
//!
//! One command at a time. The kernel answers in the BMC's place when the BMC does not (0xC3): that is no proof that the
//! command was not carried out, so only what may run twice is sent again.

mod device;
mod ioctl;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::{CompletionCode, Effect};
use crate::hal::ipmi::exchange::{Exchange, Request, Response, Target};
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::model::{BoxFuture, Cx};

use device::{Address, Device, Incoming, Outgoing, RESPONSE};

/// Where kernels have the device.
pub const PATHS: &[&str] = &["/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"];

/// How long one answer may take. The kernel gives up on the BMC before that, and says so.
const REPLY_TIME: Duration = Duration::from_secs(15);
/// A wake-up that got lost costs this much.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a BMC may be busy (0xC0) or starting (0xD2).
const PATIENCE: Duration = Duration::from_mins(1);
/// First pause before a busy BMC is asked again; it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(2);
/// How often a command without an answer is sent in all.
const TRIES: u32 = 3;
/// Messages that are nobody's answer: that many at most are read for one command.
const FOREIGN: u32 = 1000;

/// The BMC of this machine.
pub struct Kcs {
    device: Box<dyn Device>,
    path: PathBuf,
    /// Held while a command waits for its answer.
    turn: Mutex<()>,
    next: AtomicI64,
    learnt: LearntCell,
}

impl fmt::Debug for Kcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kcs")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Kcs {
    /// Opens the first of [`PATHS`] that exists. Has to be called inside a runtime. `Kind::Unreachable` when there is
    /// no device, `Kind::Privilege` when it may not be opened.
    pub fn open() -> Result<Self> {
        Self::first_of(PATHS.iter().map(Path::new))
    }

    /// Opens this device.
    pub fn at(path: &Path) -> Result<Self> {
        Self::first_of(std::iter::once(path))
    }

    fn first_of<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self> {
        let mut last = None;
        for path in paths {
            match ioctl::IpmiDevice::open(path) {
                Ok(device) => return Ok(Self::over(Box::new(device), path)),
                Err(error) => {
                    // What is there and cannot be opened says more than what is not there.
                    let absent = error.kind() == io::ErrorKind::NotFound;
                    if !absent || last.is_none() {
                        last = Some((path.to_owned(), error));
                    }
                    if !absent {
                        break;
                    }
                }
            }
        }
        let (path, error) =
            last.unwrap_or_else(|| (PathBuf::from("/dev/ipmi0"), io::ErrorKind::NotFound.into()));
        Err(not_opened(&path, error))
    }

    fn over(device: Box<dyn Device>, path: &Path) -> Self {
        Self {
            device,
            path: path.to_owned(),
            turn: Mutex::new(()),
            next: AtomicI64::new(1),
            learnt: LearntCell::default(),
        }
    }

    /// The device.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sends a request and waits for its answer; patient with a BMC that is busy.
    async fn call(&self, cx: &Cx, request: &Request) -> Result<Response> {
        let deadline = Instant::from_std(cx.deadline);
        let patience = (Instant::now() + PATIENCE).min(deadline);
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            let turn = tokio::select! {
                turn = self.turn.lock() => turn,
                () = cx.cancel.cancelled() => return Err(cancelled(request)),
                () = sleep_until(deadline) => return Err(Error::new(Kind::Timeout, request.name)),
            };
            let answer = self.once(cx, request, deadline).await;
            drop(turn);
            tries += 1;
            let again = request.effect != Effect::Once && tries < TRIES;
            let until = match answer {
                Ok(response) => match response.code {
                    CompletionCode::NODE_BUSY | CompletionCode::INITIALIZING => {
                        if Instant::now() + pause >= patience {
                            return Ok(response);
                        }
                        patience
                    }
                    // Made up by the kernel after the BMC was silent.
                    CompletionCode::TIMEOUT if request.effect == Effect::Once => {
                        return Err(Error::new(Kind::Indeterminate, request.name)
                            .with_source("the BMC did not answer in time")
                            .with_hint(
                                "it may have been carried out; look before doing it again",
                            ));
                    }
                    CompletionCode::TIMEOUT if again => deadline,
                    _ => return Ok(response),
                },
                Err(error) if error.kind() == Kind::Timeout && again => deadline,
                Err(error) => return Err(error),
            };
            log::debug!("{}: asked again in {pause:?}", request.name);
            tokio::select! {
                () = sleep_until((Instant::now() + pause).min(until)) => {}
                () = cx.cancel.cancelled() => return Err(cancelled(request)),
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// One command to the kernel and its answer.
    async fn once(&self, cx: &Cx, request: &Request, deadline: Instant) -> Result<Response> {
        if Instant::now() >= deadline {
            return Err(Error::new(Kind::Timeout, request.name).with_source("no time is left"));
        }
        if cx.cancel.is_cancelled() {
            return Err(cancelled(request));
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let end = (Instant::now() + REPLY_TIME).min(deadline);
        self.send(request, id, end).await?;
        // From here on the command is with the BMC: a caller who gives up still waits for its answer, so that the next
        // command does not meet a BMC in the middle of this one.
        let mut foreign = 0;
        loop {
            match self.device.receive() {
                Ok(message) if is_answer(&message, request, id) => {
                    return self.reply(request, &message);
                }
                Ok(message) => {
                    foreign += 1;
                    log::debug!(
                        "{}: a message of type {} and id {} is not its answer",
                        request.name,
                        message.kind,
                        message.id
                    );
                    if foreign > FOREIGN {
                        return Err(self.lost(request, "only messages for others came"));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if Instant::now() >= end {
                        return Err(self.lost(request, "the kernel gave no answer"));
                    }
                    tokio::select! {
                        ready = self.device.readable() => ready.map_err(|e| self.broken(request, e))?,
                        () = sleep_until((Instant::now() + LOOK_AGAIN).min(end)) => {}
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(request, error)),
            }
        }
    }

    /// Hands the command over; the kernel may say that its queue is full, or that the BMC is being updated.
    async fn send(&self, request: &Request, id: i64, end: Instant) -> Result<()> {
        let to = match request.target {
            Target::Bmc => Address::Bmc { lun: request.lun },
            Target::Bridged { channel, address } => Address::Ipmb {
                channel,
                slave: address,
                lun: request.lun,
            },
        };
        let message = Outgoing {
            id,
            to,
            netfn: request.netfn.0,
            cmd: request.cmd,
            data: &request.data,
        };
        loop {
            match self.device.send(&message) {
                Ok(()) => return Ok(()),
                Err(error) => match error.raw_os_error() {
                    Some(libc::EINTR) => {}
                    Some(libc::EAGAIN | libc::EBUSY | libc::ENOMEM) if Instant::now() < end => {
                        sleep_until((Instant::now() + FIRST_PAUSE).min(end)).await;
                    }
                    Some(libc::EMSGSIZE) => {
                        return Err(Error::new(Kind::Unsupported, request.name)
                            .with_source("the command is too long for this interface"));
                    }
                    _ => return Err(self.broken(request, error)),
                },
            }
        }
    }

    fn reply(&self, request: &Request, message: &Incoming) -> Result<Response> {
        let Some((code, data)) = message.data.split_first() else {
            return Err(self
                .broken_off(request, Kind::Protocol)
                .with_source("the answer has no completion code"));
        };
        if message.truncated {
            log::warn!(
                "{}: the answer was cut to {} bytes",
                request.name,
                data.len()
            );
        }
        Ok(Response {
            code: CompletionCode(*code),
            data: data.to_vec(),
        })
    }

    /// No answer: nobody knows what became of a command that must not run twice.
    fn lost(&self, request: &Request, why: &'static str) -> Error {
        let kind = if request.effect == Effect::Once {
            Kind::Indeterminate
        } else {
            Kind::Timeout
        };
        self.broken_off(request, kind).with_source(why)
    }

    fn broken(&self, request: &Request, error: io::Error) -> Error {
        self.broken_off(request, Kind::Other).with_source(error)
    }

    fn broken_off(&self, request: &Request, kind: Kind) -> Error {
        Error::new(
            kind,
            format!("{} through {}", request.name, self.path.display()),
        )
    }
}

fn cancelled(request: &Request) -> Error {
    Error::new(Kind::Cancelled, request.name)
}

/// A response with our id; a late one of an earlier command has another. Drivers with a fault in their bookkeeping
/// exist: command and network function are compared, too.
fn is_answer(message: &Incoming, request: &Request, id: i64) -> bool {
    message.kind == RESPONSE
        && message.id == id
        && message.cmd == request.cmd
        && message.netfn == request.netfn.response().0
}

fn not_opened(path: &Path, error: io::Error) -> Error {
    let what = format!("no BMC at {}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound => Error::new(Kind::Unreachable, what).with_hint(
            "load the modules ipmi_msghandler, ipmi_devintf and ipmi_si (ipmi_ssif on boards with SSIF), or build the kernel \
             with CONFIG_IPMI_HANDLER, CONFIG_IPMI_DEVICE_INTERFACE, CONFIG_IPMI_SI and CONFIG_IPMI_SSIF; a machine without \
             a BMC has no such device",
        ),
        io::ErrorKind::PermissionDenied => Error::new(
            Kind::Privilege,
            format!("{} cannot be opened", path.display()),
        )
        .with_hint("only root may use it"),
        _ => Error::new(Kind::Unreachable, what)
            .with_hint("the device is there and no driver serves it: see dmesg for ipmi_si"),
    }
    .with_source(error)
}

impl Exchange for Kcs {
    fn exchange<'a>(&'a self, cx: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move { self.call(cx, &request).await })
    }

    fn learnt(&self) -> &LearntCell {
        &self.learnt
    }
}

#[cfg(test)]
mod tests;
