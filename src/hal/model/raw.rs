//! The answer to a raw command.

use serde::Serialize;

/// Completion code and data, as the BMC sent them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RawReply {
    /// 0 is success.
    pub completion_code: u8,
    /// What came after the completion code.
    pub data: Vec<u8>,
}
