//! Where BMCs differ from the standard, as data. `Default` is pure DMTF; an overwrite states only differences.

use std::fmt;
use std::time::Duration;

use crate::hal::model::DriverName;
use crate::hal::model::console::SshConsole;

/// Which properties of Boot are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BootSend {
    /// Those that change.
    #[default]
    Changed,
    /// Target, Enabled and Mode, always together.
    Full,
    /// Target and Enabled, never Mode.
    NoMode,
}

/// Where Boot is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BootVia {
    /// The system, then its settings object when that is refused.
    #[default]
    Auto,
    /// The system.
    System,
    /// The settings object (`@Redfish.Settings`).
    Settings,
}

/// Whether writes carry `If-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Etag {
    /// When the resource gave a tag, or the BMC asked for one.
    #[default]
    Auto,
    /// Never.
    Never,
    /// Always; the resource is read first where needed.
    Always,
}

/// How accounts are created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accounts {
    /// POST, and slots where POST is not allowed.
    #[default]
    Auto,
    /// PATCH of an empty slot.
    Slots {
        /// First slot that may be used.
        first: u16,
        /// Last slot.
        last: u16,
    },
    /// POST.
    Post,
}

/// Which property is the identify LED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LedStyle {
    /// LocationIndicatorActive where it is there and not null, else IndicatorLED.
    #[default]
    Auto,
    /// IndicatorLED.
    Indicator,
    /// LocationIndicatorActive.
    Location,
}

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthStyle {
    /// Basic, and a session where the BMC asks for one.
    #[default]
    Auto,
    /// Basic only: a refused password is sent once.
    Basic,
    /// A session, deleted afterwards.
    Session,
}

/// Where a vendor's part of Power tells the consumption that PowerControl leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OemWatts {
    /// Pointers to the object; the first that is there counts.
    pub at: &'static [&'static str],
    /// Its properties: now, average, least, most.
    pub names: [&'static str; 4],
}

/// As `halbox vendors show` prints it.
impl fmt::Debug for OemWatts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at.join(" or "))
    }
}

/// Oddities of one BMC that a client can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quirks {
    /// The driver that stands in every source: Redfish or iDrac.
    pub driver: DriverName,
    /// The overwrite that these quirks come from.
    pub overwrite: Option<&'static str>,
    /// Which properties of Boot are sent.
    pub boot_send: BootSend,
    /// Where Boot is written.
    pub boot_via: BootVia,
    /// Whether writes carry `If-Match`.
    pub etag: Etag,
    /// How accounts are created.
    pub accounts: Accounts,
    /// Which property is the identify LED.
    pub led: LedStyle,
    /// `IndicatorLED: Lit` is the LED of a machine that nobody looks for.
    pub led_idle_lit: bool,
    /// An override lasts one boot only, whatever it is called: for every boot the boot order is changed.
    pub persistent_by_order: bool,
    /// System's SKU is the serial number of the machine, its SerialNumber and PartNumber are the system board's.
    pub serial_is_sku: bool,
    /// Pointers into Chassis where the system board's part number stands.
    pub board_part_at: &'static [&'static str],
    /// Watts that stand in the vendor's part of Power only.
    pub oem_watts: Option<OemWatts>,
    /// Reset is done as off, wait, on.
    pub reset_by_off_on: bool,
    /// How long a write takes to show when read back.
    pub read_back_after: Duration,
    /// Least and most characters of a password.
    pub password: Option<(u8, u8)>,
    /// How to log in.
    pub auth: AuthStyle,
    /// New accounts are let in over IPMI by AccountTypes, which the BMC leaves out by itself.
    pub account_ipmi: bool,
    /// What `$expand` takes (`*`, `.`, `.($levels=1)`), where it is to be trusted.
    pub expand: Option<&'static str>,
    /// Message ids (last part) or pieces of messages that mean "a licence is missing", besides those of everyone.
    pub licence_ids: &'static [&'static str],
    /// The serial console over SSH.
    pub console: Option<SshConsole>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            driver: DriverName::Redfish,
            overwrite: None,
            boot_send: BootSend::default(),
            boot_via: BootVia::default(),
            etag: Etag::default(),
            accounts: Accounts::default(),
            led: LedStyle::default(),
            led_idle_lit: false,
            persistent_by_order: false,
            serial_is_sku: false,
            board_part_at: &[],
            oem_watts: None,
            reset_by_off_on: false,
            read_back_after: Duration::ZERO,
            password: None,
            auth: AuthStyle::default(),
            account_ipmi: false,
            expand: None,
            licence_ids: &[],
            console: None,
        }
    }
}
