//! SEL records (§32): decoder, encoder and their meaning in the specification's words.

mod describe;
mod extra;
mod record;

pub use describe::log_entry;
pub use record::{Kind, RECORD_LEN, Record, SystemEvent};
