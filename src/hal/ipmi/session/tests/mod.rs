//! The client against the BMC's half, over a simulated network in virtual time.

mod bed;
mod bridged;
mod candidates;
mod handshake;
mod lossy;
mod pair;
mod quirks;
mod rules;
mod v15;
