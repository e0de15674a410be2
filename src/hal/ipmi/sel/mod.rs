//! SEL records (§32): decoder, encoder and their meaning in the specification's words.

mod record;

pub use record::{Kind, RECORD_LEN, Record, SystemEvent};
