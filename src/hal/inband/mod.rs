//! A machine's own BMC, from inside: found, made manageable, verified. A pure sequence over
//! [`Exchange`](crate::hal::ipmi::Exchange): the device, the simulator and fakes run the same code.
//!
//! Every step may be the last one (power, watchdog, a person): letting the account in comes last, when its password is in
//! safe hands ([`Keeper`]). An account that was begun and not finished is no administrator, and the next run finishes it.

pub mod bootstrap;
mod channel;
pub mod dmi;
pub mod found;
pub mod host;
pub mod journal;
mod login;
pub mod machine;
pub mod make;
pub mod password;
mod rehearsal;

pub use bootstrap::{Bootstrap, bootstrap};
pub use channel::is_off;
pub use found::{Account, Found, account, look};
pub use host::Host;
pub use journal::Journal;
pub use login::login;
pub use machine::Machine;
pub use make::{Existing, Keeper, Kept, Made, Order, Verified, Wanted, make, remove};

#[cfg(test)]
mod tests;
