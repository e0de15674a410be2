//! Drives an [`IpmiProbe`] over a UDP port.

use std::time::Instant;

use super::{IpmiFacts, IpmiProbe};
use crate::hal::detect::Life;
use crate::hal::transport::Port;

/// Holds the conversation to its end. `life` is told of the first answer, and tells of those of other protocols.
pub async fn run(mut port: Port, mut probe: IpmiProbe, life: &Life) -> IpmiFacts {
    let mut told = false;
    let mut other = life.watch();
    loop {
        while let Some(datagram) = probe.next_datagram(Instant::now()) {
            // A lost datagram is sent again by the timers.
            let _ = port.send(&datagram);
        }
        let Some(at) = probe.next_timeout() else {
            return probe.into_facts();
        };
        tokio::select! {
            received = port.recv() => match received {
                Ok(bytes) => probe.handle_datagram(Instant::now(), &bytes),
                Err(_) => probe.handle_refused(),
            },
            () = tokio::time::sleep_until(at.into()) => {}
            () = other.seen(), if !told => {
                told = true;
                probe.alive_elsewhere();
            }
        }
        if !told && probe.facts().answered() {
            told = true;
            life.seen();
        }
    }
}
