//! Boot flags, parameter 5 of the system boot options (table 28-14): five bytes, of which every bit is kept.

/// The five bytes as they are; the methods read and change single fields and leave the rest alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BootFlags(pub [u8; 5]);

/// Where from: the 4-bit boot device selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootDevice(pub u8);

impl BootDevice {
    /// No override.
    pub const NONE: Self = Self(0x0);
    /// Network.
    pub const PXE: Self = Self(0x1);
    /// Default hard drive.
    pub const DISK: Self = Self(0x2);
    /// Default hard drive, safe mode.
    pub const SAFE: Self = Self(0x3);
    /// Default diagnostic partition.
    pub const DIAGNOSTIC: Self = Self(0x4);
    /// Default CD or DVD.
    pub const CDROM: Self = Self(0x5);
    /// BIOS setup.
    pub const SETUP: Self = Self(0x6);
    /// Remotely connected floppy or primary removable medium.
    pub const REMOTE_FLOPPY: Self = Self(0x7);
    /// Remotely connected CD or DVD.
    pub const REMOTE_CDROM: Self = Self(0x8);
    /// Primary remote medium. Some Supermicro boards mean their UEFI disk by it (second byte 0x24).
    pub const REMOTE_MEDIUM: Self = Self(0x9);
    /// Remotely connected hard drive.
    pub const REMOTE_DISK: Self = Self(0xb);
    /// Floppy or primary removable medium.
    pub const FLOPPY: Self = Self(0xf);
}

macro_rules! flags {
    ($($(#[$doc:meta])* $get:ident $set:ident: $byte:literal $bit:literal;)*) => {$(
        $(#[$doc])*
        pub fn $get(self) -> bool {
            self.0[$byte] & $bit != 0
        }

        #[doc = concat!("The same flags with `", stringify!($get), "` as given.")]
        #[must_use]
        pub fn $set(mut self, on: bool) -> Self {
            if on {
                self.0[$byte] |= $bit;
            } else {
                self.0[$byte] &= !$bit;
            }
            self
        }
    )*};
}

impl BootFlags {
    flags! {
        /// The flags are valid; the BMC clears it after a boot, and mostly 60 s after a set without one.
        valid with_valid: 0 0x80;
        /// For every boot, not only the next one.
        persistent with_persistent: 0 0x40;
        /// UEFI instead of PC-compatible boot.
        efi with_efi: 0 0x20;
        /// Clear CMOS.
        cmos_clear with_cmos_clear: 1 0x80;
        /// Lock the keyboard.
        lock_keyboard with_lock_keyboard: 1 0x40;
        /// Blank the screen.
        screen_blank with_screen_blank: 1 0x02;
        /// Lock out the reset button.
        lock_reset with_lock_reset: 1 0x01;
        /// Lock out the power button.
        lock_power with_lock_power: 2 0x80;
        /// Send progress events (PET).
        force_progress_events with_force_progress_events: 2 0x10;
        /// Do not ask for the user password.
        password_bypass with_password_bypass: 2 0x08;
        /// Lock out the sleep button.
        lock_sleep with_lock_sleep: 2 0x04;
        /// Let the BIOS take the BMC's access mode for shared.
        shared_mode_override with_shared_mode_override: 3 0x08;
    }

    /// Where from.
    pub fn device(self) -> BootDevice {
        BootDevice((self.0[1] >> 2) & 0x0f)
    }

    /// The same flags with another device; only the low four bits count.
    #[must_use]
    pub fn with_device(mut self, device: BootDevice) -> Self {
        self.0[1] = (self.0[1] & !0x3c) | ((device.0 & 0x0f) << 2);
        self
    }

    /// Firmware verbosity: 0 default, 1 quiet, 2 verbose, 3 reserved.
    pub fn verbosity(self) -> u8 {
        (self.0[2] >> 5) & 0x03
    }

    /// The same flags with another verbosity.
    #[must_use]
    pub fn with_verbosity(mut self, value: u8) -> Self {
        self.0[2] = (self.0[2] & !0x60) | ((value & 0x03) << 5);
        self
    }

    /// Console redirection: 0 as configured in the BIOS, 1 suppress, 2 enable, 3 reserved.
    pub fn console_redirection(self) -> u8 {
        self.0[2] & 0x03
    }

    /// The same flags with another console redirection.
    #[must_use]
    pub fn with_console_redirection(mut self, value: u8) -> Self {
        self.0[2] = (self.0[2] & !0x03) | (value & 0x03);
        self
    }

    /// BIOS mux control: 0 recommended setting, 1 to the BMC, 2 to the system.
    pub fn mux_control(self) -> u8 {
        self.0[3] & 0x07
    }

    /// The same flags with another mux control.
    #[must_use]
    pub fn with_mux_control(mut self, value: u8) -> Self {
        self.0[3] = (self.0[3] & !0x07) | (value & 0x07);
        self
    }

    /// Device instance: 0 none in particular, 1..15 external, 17..31 internal.
    pub fn instance(self) -> u8 {
        self.0[4] & 0x1f
    }

    /// The same flags with another device instance.
    #[must_use]
    pub fn with_instance(mut self, value: u8) -> Self {
        self.0[4] = (self.0[4] & !0x1f) | (value & 0x1f);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_where_the_specification_has_it() {
        let none = BootFlags::default();
        let at = |flags: BootFlags| flags.0;
        assert_eq!(at(none.with_valid(true)), [0x80, 0, 0, 0, 0]);
        assert_eq!(at(none.with_persistent(true)), [0x40, 0, 0, 0, 0]);
        assert_eq!(at(none.with_efi(true)), [0x20, 0, 0, 0, 0]);
        assert_eq!(at(none.with_cmos_clear(true)), [0, 0x80, 0, 0, 0]);
        assert_eq!(at(none.with_lock_keyboard(true)), [0, 0x40, 0, 0, 0]);
        assert_eq!(at(none.with_device(BootDevice(0x1f))), [0, 0x3c, 0, 0, 0]);
        assert_eq!(at(none.with_screen_blank(true)), [0, 0x02, 0, 0, 0]);
        assert_eq!(at(none.with_lock_reset(true)), [0, 0x01, 0, 0, 0]);
        assert_eq!(at(none.with_lock_power(true)), [0, 0, 0x80, 0, 0]);
        assert_eq!(at(none.with_verbosity(7)), [0, 0, 0x60, 0, 0]);
        assert_eq!(
            at(none.with_force_progress_events(true)),
            [0, 0, 0x10, 0, 0]
        );
        assert_eq!(at(none.with_password_bypass(true)), [0, 0, 0x08, 0, 0]);
        assert_eq!(at(none.with_lock_sleep(true)), [0, 0, 0x04, 0, 0]);
        assert_eq!(at(none.with_console_redirection(7)), [0, 0, 0x03, 0, 0]);
        assert_eq!(at(none.with_shared_mode_override(true)), [0, 0, 0, 0x08, 0]);
        assert_eq!(at(none.with_mux_control(0xff)), [0, 0, 0, 0x07, 0]);
        assert_eq!(at(none.with_instance(0xff)), [0, 0, 0, 0, 0x1f]);
    }

    #[test]
    fn a_change_leaves_every_other_bit_alone() {
        let all = BootFlags([0xff; 5]);
        assert_eq!(
            all.with_device(BootDevice::NONE).0,
            [0xff, 0xc3, 255, 255, 255]
        );
        assert_eq!(all.with_persistent(false).0, [0xbf, 255, 255, 255, 255]);
        let pxe = all.with_device(BootDevice::PXE).with_efi(false);
        assert_eq!((pxe.device(), pxe.efi()), (BootDevice::PXE, false));
        assert_eq!(pxe.0, [0xdf, 0xc7, 255, 255, 255]);
    }
}
