//! IPMI, sans-IO: no socket, clock, thread or random source in here; time and randomness are arguments.
//!
//! `wire` frames datagrams, `crypto` guards them, `session` is the client's state machine, `responder` the
//! BMC's; `cmd` holds the commands, `fru`, `sdr`, `sel` what they carry; [`exchange`] is the one door
//! through which drivers send commands.

pub mod cmd;
pub mod codec;
pub mod crypto;
pub mod exchange;
pub mod fru;
pub mod learnt;
pub mod quirks;
pub mod responder;
pub mod sdr;
pub mod sel;
pub mod sensor;
pub mod session;
pub mod sol;
pub mod text;
pub mod time;
pub mod wire;

pub use codec::{DecodeError, Reader};
pub use exchange::{Exchange, Request, Response, Target};
