//! Serial over LAN (§15), sans-IO, for the console and for the BMC.
//!
//! | file | concept |
//! |---|---|
//! | `line` | characters in both directions over packets that get lost: the same rules at both ends |
//! | `console` | the client: activation, sizes, refusals, silent death, deactivation |
//! | `server` | the BMC's half: who has the line, and the serial port behind it |

pub mod console;
pub mod line;
pub mod server;

pub use console::{Console, Ended, Settings, Step};
pub use line::{Line, Timing};
pub use server::Server;

#[cfg(test)]
mod tests;
