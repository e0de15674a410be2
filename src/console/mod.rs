//! Serial consoles that people share: one line per BMC, one who writes, any number who read, and a history on disk.
//!
//! Characters go from the line into a ring of bounded size; each reader, and the history, takes them from there at its own
//! pace. Who is too slow is told how much he missed; nobody waits for him.

mod carrier;
pub mod history;
mod hub;
mod keeper;
mod line;
pub mod news;
mod open;
mod recorder;
mod ring;
mod seat;

pub use history::{History, Limits};
pub use hub::{Hub, Wish};
pub use line::{Pending, Snapshot};
pub use news::{Happening, News, Person, Stand};
pub use open::{Opener, Upstream};
pub use seat::{Next, Pen, Seat};

#[cfg(test)]
mod tests;
