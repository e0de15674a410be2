//! The changes that can be asked of a BMC, by name: what a report judges without doing it.

use std::fmt;

/// A change. Its name is that of the operation in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the operation of that name")]
pub enum Write {
    PowerOn,
    PowerOff,
    PowerReset,
    PowerCycle,
    PowerSoft,
    BootPxe,
    BootDisk,
    BootBios,
    LedOn,
    LedOff,
    SelClear,
    UserCreate,
    UserSetPassword,
    UserEnable,
    UserDisable,
    UserDelete,
    BmcReset,
}

impl Write {
    /// All changes, in the order of reports.
    pub const ALL: [Self; 17] = [
        Self::PowerOn,
        Self::PowerOff,
        Self::PowerReset,
        Self::PowerCycle,
        Self::PowerSoft,
        Self::BootPxe,
        Self::BootDisk,
        Self::BootBios,
        Self::LedOn,
        Self::LedOff,
        Self::SelClear,
        Self::UserCreate,
        Self::UserSetPassword,
        Self::UserEnable,
        Self::UserDisable,
        Self::UserDelete,
        Self::BmcReset,
    ];

    /// The operation's name: `power.on`.
    pub fn operation(self) -> &'static str {
        match self {
            Self::PowerOn => "power.on",
            Self::PowerOff => "power.off",
            Self::PowerReset => "power.reset",
            Self::PowerCycle => "power.cycle",
            Self::PowerSoft => "power.soft",
            Self::BootPxe => "boot.pxe",
            Self::BootDisk => "boot.disk",
            Self::BootBios => "boot.bios",
            Self::LedOn => "led.on",
            Self::LedOff => "led.off",
            Self::SelClear => "sel.clear",
            Self::UserCreate => "users.create",
            Self::UserSetPassword => "users.set-password",
            Self::UserEnable => "users.enable",
            Self::UserDisable => "users.disable",
            Self::UserDelete => "users.delete",
            Self::BmcReset => "bmc-reset",
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.operation())
    }
}
