//! DCMI: power statistics, limit, names.

/// Power limit (DCMI 1.5 §6.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerLimit {
    /// Exception action: 0 none, 1 hard off, 0x11 only log.
    pub exception: u8,
    /// Watts.
    pub watts: u16,
    /// Milliseconds until it must hold.
    pub correction: u32,
    /// Sampling period in seconds.
    pub sampling: u16,
    /// Is it active?
    pub active: bool,
}

/// State of the DCMI commands.
#[derive(Debug, Clone)]
pub struct Dcmi {
    /// Watts now.
    pub watts: u16,
    /// Lowest, highest, average.
    pub statistics: (u16, u16, u16),
    /// Limit; `None` = none was set.
    pub limit: Option<PowerLimit>,
    /// Asset tag, at most 63 bytes.
    pub asset_tag: Vec<u8>,
    /// Management controller identifier, at most 63 bytes.
    pub controller_id: Vec<u8>,
    /// DHCP parameters 2 to 5: option 12/60 flags, timing.
    pub dhcp: [u16; 4],
}

impl Dcmi {
    /// The start: about 250 W, no limit.
    pub fn new(controller_id: &str) -> Self {
        Self {
            watts: 252,
            statistics: (180, 410, 245),
            limit: None,
            asset_tag: b"asset-1".to_vec(),
            controller_id: controller_id.as_bytes().to_vec(),
            dhcp: [0, 4, 120, 64],
        }
    }
}
