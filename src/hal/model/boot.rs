//! What the host boots next.

use std::fmt;

use serde::Serialize;

/// Where the host boots from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BootTarget {
    /// No override.
    None,
    /// Network.
    Pxe,
    /// First disk.
    Disk,
    /// Firmware setup.
    Bios,
    /// Disk, safe mode.
    Safe,
    /// Diagnostic partition.
    Diag,
    /// CD or DVD.
    Cdrom,
    /// Floppy or other removable medium.
    Floppy,
    /// A remote medium, or a selector that this list does not name.
    Other,
}

impl BootTarget {
    /// `PXE`, `DISK`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Pxe => "PXE",
            Self::Disk => "DISK",
            Self::Bios => "BIOS",
            Self::Safe => "SAFE",
            Self::Diag => "DIAG",
            Self::Cdrom => "CDROM",
            Self::Floppy => "FLOPPY",
            Self::Other => "OTHER",
        }
    }
}

impl fmt::Display for BootTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Firmware mode of the override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BootMode {
    /// UEFI.
    Uefi,
    /// PC-compatible BIOS.
    Legacy,
}

/// How long the override lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BootPersistence {
    /// The next boot only.
    Once,
    /// Every boot.
    Persistent,
    /// No override is set.
    None,
}

/// The boot override as the BMC reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BootState {
    /// Where from.
    pub target: BootTarget,
    /// Firmware mode; absent where the BMC does not say.
    pub mode: Option<BootMode>,
    /// How long.
    pub persistence: BootPersistence,
}

/// An override to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootRequest {
    /// Where from.
    pub target: BootTarget,
    /// Firmware mode.
    pub mode: BootMode,
    /// Every boot instead of the next one.
    pub persistent: bool,
}
