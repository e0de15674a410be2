//! The BMC of a virtual machine: what QEMU's `ipmi-bmc-extern` speaks over TCP, so that the guest's /dev/ipmi0 is a simulated
//! BMC. Messages are escaped bytes with an end mark; the guest's are commands of the system interface, ours may also switch
//! the VM off or reset it. Made from QEMU's documentation and what it sends (7.2).

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::time::{interval, sleep};

use super::handlers::{self, Order};
use super::host::Shared;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::{CompletionCode, NetFn, Privilege};
use crate::hal::ipmi::codec::checksum;
use crate::hal::ipmi::responder::{Answer, Caller};

/// Ends a message.
const MESSAGE: u8 = 0xa0;
/// Ends an order about the hardware.
const HARDWARE: u8 = 0xa1;
/// The next byte has bit 4 set and stands for itself without it.
const ESCAPE: u8 = 0xaa;
/// Longest message; what is longer is dropped.
const LONGEST: usize = 512;
/// How often the power of the host is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Channel of the system interface.
const SYSTEM: u8 = 0x0f;
const SET_GLOBAL_ENABLES: u8 = 0x2e;

/// Orders about the hardware.
mod hardware {
    pub const POWER_OFF: u8 = 0x03;
    pub const RESET: u8 = 0x04;
    pub const ENABLE_IRQ: u8 = 0x05;
    pub const DISABLE_IRQ: u8 = 0x06;
    /// A version number follows.
    pub const VERSION: u8 = 0xff;
}

/// What came in.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    Message(Vec<u8>),
    Hardware(Vec<u8>),
}

/// Puts bytes together to frames.
#[derive(Debug, Default)]
struct Decoder {
    bytes: Vec<u8>,
    escaped: bool,
    too_long: bool,
}

impl Decoder {
    fn push(&mut self, byte: u8) -> Option<Frame> {
        match byte {
            MESSAGE | HARDWARE => {
                let whole = !self.escaped && !self.too_long;
                let bytes = std::mem::take(&mut self.bytes);
                *self = Self::default();
                whole.then_some(match byte {
                    MESSAGE => Frame::Message(bytes),
                    _ => Frame::Hardware(bytes),
                })
            }
            ESCAPE => {
                self.escaped = true;
                None
            }
            _ => {
                let byte = if self.escaped { byte & !0x10 } else { byte };
                self.escaped = false;
                self.too_long |= self.bytes.len() >= LONGEST;
                if !self.too_long {
                    self.bytes.push(byte);
                }
                None
            }
        }
    }
}

fn encode(bytes: &[u8], end: u8, out: &mut Vec<u8>) {
    for byte in bytes {
        if matches!(*byte, MESSAGE | HARDWARE | ESCAPE) {
            out.extend([ESCAPE, byte | 0x10]);
        } else {
            out.push(*byte);
        }
    }
    out.push(end);
}

/// Lets the BMC answer a message: sequence number, network function and LUN, command, data, checksum.
/// Returns how long the answer takes.
fn answer(shared: &Shared, index: usize, message: &[u8], out: &mut Vec<u8>) -> Duration {
    let [sequence, function, cmd, data @ .., _] = message else {
        return Duration::ZERO;
    };
    if checksum(message) != 0 {
        return Duration::ZERO;
    }
    let order = Order {
        netfn: NetFn(function >> 2),
        lun: function & 3,
        cmd: *cmd,
        data,
    };
    let caller = Caller {
        user: 0,
        session: 0,
        privilege: Privilege::Administrator,
        channel: SYSTEM,
    };
    let Some(mut bmc) = shared.bmc(index) else {
        return Duration::ZERO;
    };
    let now = Instant::now();
    // A BMC that starts or hears nothing leaves the guest's driver waiting.
    if bmc.is_silent(now) {
        return Duration::ZERO;
    }
    let slow = bmc.manners().slow;
    let reply = if bmc.is_busy() {
        Answer::code(CompletionCode::NODE_BUSY)
    } else {
        handlers::execute(&mut bmc.side.server, now, &caller, order)
    };
    bmc.side.ledger.commands += 1;
    bmc.settle(now);
    drop(bmc);
    let Answer::Reply(code, data) = reply else {
        return slow;
    };
    // Interrupts follow the global enables, as in a real BMC.
    if order.netfn == NetFn::APP && *cmd == SET_GLOBAL_ENABLES && code.is_ok() {
        let on = order.data.first().is_some_and(|enables| enables & 1 != 0);
        let order = if on {
            hardware::ENABLE_IRQ
        } else {
            hardware::DISABLE_IRQ
        };
        encode(&[order], HARDWARE, out);
    }
    let mut bytes = vec![*sequence, function | 4, *cmd, code.0];
    bytes.extend(data);
    bytes.push(checksum(&bytes));
    encode(&bytes, MESSAGE, out);
    slow
}

/// One VM, until it goes.
async fn serve(shared: &Shared, index: usize, mut stream: TcpStream) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 1024];
    let mut out = Vec::new();
    encode(&[hardware::VERSION, 1], HARDWARE, &mut out);
    let look = |shared: &Shared| {
        let mut bmc = shared.bmc(index)?;
        bmc.tick(Instant::now());
        let power = &bmc.side.server.power;
        Some((power.on, power.starts))
    };
    if let Some(mut bmc) = shared.bmc(index)
        && !bmc.side.server.power.on
    {
        // Somebody started the VM: the host is on.
        bmc.side.server.power.set(true, Instant::now());
    }
    let mut before = look(shared);
    let mut tick = interval(LOOK);
    loop {
        if !out.is_empty() {
            stream.write_all(&out).await?;
            out.clear();
        }
        tokio::select! {
            read = stream.read(&mut buffer) => {
                let n = read?;
                if n == 0 {
                    return Ok(());
                }
                for byte in buffer.iter().take(n) {
                    if let Some(Frame::Message(message)) = decoder.push(*byte) {
                        // The guest's driver has one command under way: nothing else is held up.
                        sleep(answer(shared, index, &message, &mut out)).await;
                    }
                }
            }
            _ = tick.tick() => {
                let now = look(shared);
                if let (Some((was_on, starts)), Some((on, started))) = (before, now) {
                    if was_on && !on {
                        encode(&[hardware::POWER_OFF], HARDWARE, &mut out);
                    } else if on && started != starts {
                        encode(&[hardware::RESET], HARDWARE, &mut out);
                    }
                }
                before = now;
            }
        }
    }
}

/// Binds a port for each BMC: consecutive ones, or any free ones for port 0.
pub(super) fn bind(first: SocketAddr, count: u32) -> Result<Vec<StdListener>> {
    (0..count)
        .map(|number| {
            let mut address = first;
            if first.port() != 0 {
                let port = u32::from(first.port()) + number;
                address.set_port(u16::try_from(port).unwrap_or(0));
            }
            let bound = StdListener::bind(address).and_then(|listener| {
                listener.set_nonblocking(true)?;
                Ok(listener)
            });
            bound.map_err(|e| {
                Error::new(Kind::Config, format!("binding TCP {address} for VMs")).with_source(e)
            })
        })
        .collect()
}

/// Starts the thread that serves VMs, if there are listeners. One VM at a time for each BMC; the next one waits.
pub(super) fn spawn(
    shared: &Arc<Shared>,
    listeners: Vec<StdListener>,
) -> Result<Option<JoinHandle<()>>> {
    if listeners.is_empty() {
        return Ok(None);
    }
    let failed = |e| Error::new(Kind::Other, "starting the thread for VMs").with_source(e);
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let shared = Arc::clone(shared);
    let run = move || {
        runtime.block_on(async {
            for (index, listener) in listeners.into_iter().enumerate() {
                let shared = Arc::clone(&shared);
                match TcpListener::from_std(listener) {
                    Ok(listener) => drop(tokio::spawn(accept(shared, index, listener))),
                    Err(e) => log::error!("simulator: BMC {index} is no VM's: {e}"),
                }
            }
            let mut stop = shared.stop.subscribe();
            let _ = stop.wait_for(|stop| *stop).await;
        });
    };
    std::thread::Builder::new()
        .name("sim-vm".to_owned())
        .spawn(run)
        .map(Some)
        .map_err(failed)
}

async fn accept(shared: Arc<Shared>, index: usize, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                if let Err(e) = serve(&shared, index, stream).await {
                    log::debug!("simulator: the VM of BMC {index}: {e}");
                }
            }
            Err(e) => {
                log::debug!("simulator: a VM for BMC {index}: {e}");
                sleep(LOOK).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8]) -> Vec<Frame> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|b| decoder.push(*b)).collect()
    }

    #[test]
    fn marks_are_escaped_and_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        let mut wire = Vec::new();
        encode(&all, MESSAGE, &mut wire);
        encode(&[hardware::RESET], HARDWARE, &mut wire);
        assert_eq!(wire.len(), 256 + 3 + 1 + 2);
        assert_eq!(
            frames(&wire),
            [Frame::Message(all), Frame::Hardware(vec![hardware::RESET])]
        );
    }

    #[test]
    fn what_is_too_long_or_broken_off_is_dropped_and_the_next_is_read() {
        let mut wire = vec![7; LONGEST + 1];
        wire.extend([MESSAGE, 1, ESCAPE, MESSAGE, 2, MESSAGE]);
        assert_eq!(frames(&wire), [Frame::Message(vec![2])]);
    }

    /// A guest asks over TCP; the answer is that of the BMC, and an order to switch off arrives.
    #[test]
    fn a_guest_talks_to_its_bmc() {
        use std::io::{Read, Write};
        let sim = super::super::start(super::super::Options {
            port: 0,
            vm: Some("127.0.0.1:0".parse().unwrap()),
            ..super::super::Options::default()
        })
        .unwrap();
        let mut guest = std::net::TcpStream::connect(sim.vm_addrs()[0]).unwrap();
        guest
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut ask = vec![0xa1, 0x06 << 2, 0x01];
        ask.push(checksum(&ask));
        let mut wire = Vec::new();
        encode(&ask, MESSAGE, &mut wire);
        guest.write_all(&wire).unwrap();
        let mut decoder = Decoder::default();
        let mut next = || {
            let mut byte = [0];
            loop {
                guest.read_exact(&mut byte).unwrap();
                if let Some(frame) = decoder.push(byte[0]) {
                    return frame;
                }
            }
        };
        assert_eq!(next(), Frame::Hardware(vec![hardware::VERSION, 1]));
        let Frame::Message(answer) = next() else {
            panic!("no answer")
        };
        assert_eq!(
            (&answer[..4], checksum(&answer)),
            (&[0xa1, 0x1c, 0x01, 0][..], 0)
        );
        sim.with_state(0, |s| s.power.set(false, Instant::now()));
        assert_eq!(next(), Frame::Hardware(vec![hardware::POWER_OFF]));
        assert_eq!(sim.ledger()[0].commands, 1);
    }
}
