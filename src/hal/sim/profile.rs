//! Kinds of BMC: identity, stores, limits and manners, as data.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::content::{self, SensorSpec, fru, sdr, sel, sensors};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::responder::{Config, Oddities};
use crate::hal::model::guid::GuidOrder;

/// The kinds of BMC that can be simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProfileName {
    /// As the specification has it, all cipher suites.
    Generic,
    /// Dell iDRAC9.
    Dell,
    /// Supermicro X11/X12.
    Supermicro,
    /// Lenovo XClarity Controller.
    Lenovo,
    /// HPE iLO 5.
    Hpe,
    /// AMI MegaRAC.
    Ami,
    /// OpenBMC (phosphor).
    OpenBmc,
    /// Everything that firmware gets wrong, at once.
    Broken,
}

impl ProfileName {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Generic,
        Self::Dell,
        Self::Supermicro,
        Self::Lenovo,
        Self::Hpe,
        Self::Ami,
        Self::OpenBmc,
        Self::Broken,
    ];

    /// The word of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Dell => "dell",
            Self::Supermicro => "supermicro",
            Self::Lenovo => "lenovo",
            Self::Hpe => "hpe",
            Self::Ami => "ami",
            Self::OpenBmc => "openbmc",
            Self::Broken => "broken",
        }
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ProfileName {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|p| p.as_str() == s)
            .ok_or_else(|| {
                let all: Vec<_> = Self::ALL.iter().map(|p| p.as_str()).collect();
                format!("'{s}' is no profile; one of {}", all.join(", "))
            })
    }
}

/// Which user names are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// Any bytes.
    Any,
    /// A letter or `_`, then letters, digits, `_`; not root (OpenBMC).
    Posix,
    /// No slash, no full stop (Dell).
    NoPath,
}

/// Which passwords are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordRule {
    /// Any.
    Any,
    /// So many characters at least.
    AtLeast(usize),
    /// At least eight, with a digit and a special character (Supermicro since 2019-11).
    DigitsAndSpecials,
}

/// How users are kept.
#[derive(Debug, Clone, Copy)]
pub struct UserRules {
    /// Slots there are.
    pub slots: u8,
    /// The first `fixed` slots cannot be renamed.
    pub fixed: u8,
    /// Slot of the first administrator.
    pub admin: u8,
    /// Names.
    pub name: NameRule,
    /// Passwords.
    pub password: PasswordRule,
    /// Completion code of a refused password.
    pub refusal: CompletionCode,
    /// The password field has exactly 16 or 20 bytes (OpenBMC).
    pub exact_password_field: bool,
    /// The session limit byte of Set User Access must be 0 (OpenBMC).
    pub no_session_limit: bool,
    /// Enabling needs a password first (Dell).
    pub password_before_enable: bool,
    /// Access needs a name first (Supermicro X8, Intel).
    pub name_before_access: bool,
    /// Slot 1 cannot be disabled (Supermicro X10DDW-i).
    pub first_stays: bool,
    /// What Get User Name says of an empty slot (Lenovo: 0xCC).
    pub empty_name: CompletionCode,
}

/// How long power takes.
#[derive(Debug, Clone, Copy)]
pub struct PowerTiming {
    /// Until it is on.
    pub on: Duration,
    /// Until it is off.
    pub off: Duration,
    /// Until the operating system has shut down.
    pub soft: Duration,
    /// Off between the two halves of a cycle.
    pub gap: Duration,
}

/// Lies and failures of the stores.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faulty {
    /// The last SDR points at itself.
    pub sdr_loop: bool,
    /// Reads of the last SDR fail with 0xC3 (Dell FC830).
    pub last_sdr_timeout: bool,
    /// Read FRU Data claims more bytes than it sends.
    pub fru_count_lies: bool,
    /// Every n-th command is refused as busy; 0 = none.
    pub busy_every: u8,
    /// Sensors are absent in all the ways that were seen.
    pub sensors_vanish: bool,
    /// FRU areas have wrong checksums and lie beyond the end.
    pub fru_rubbish: bool,
    /// The SEL points from its last entry to the first.
    pub sel_loop: bool,
    /// Get SDR Repository Info is unknown (Artesyn ATCA-7367).
    pub no_sdr_info: bool,
    /// A reservation is cancelled by every second read.
    pub reservations_vanish: bool,
}

/// One kind of BMC. Shared by all BMCs of a kind.
#[derive(Debug)]
pub struct Profile {
    /// Which.
    pub name: ProfileName,
    /// Get Device ID: device id, revision, firmware major and minor (BCD), manufacturer, product, aux.
    pub device_id: u8,
    /// Device revision.
    pub revision: u8,
    /// Firmware: major (7 bits) and minor (BCD).
    pub firmware: (u8, u8),
    /// IANA number.
    pub manufacturer: u32,
    /// Product id.
    pub product: u16,
    /// Auxiliary firmware revision.
    pub aux: [u8; 4],
    /// Sessions.
    pub sessions: Arc<Config>,
    /// Users.
    pub users: UserRules,
    /// Power.
    pub timing: PowerTiming,
    /// Byte order of the GUID.
    pub guid_order: GuidOrder,
    /// Most bytes of one FRU read, and what a longer one is refused with.
    pub fru_read: (u8, CompletionCode),
    /// The same for SDRs; 0xFF in the count means the whole record.
    pub sdr_read: (u8, CompletionCode),
    /// Knows DCMI.
    pub dcmi: bool,
    /// Boot flags vanish 60 s after they were set, unless told otherwise.
    pub boot_flags_expire: bool,
    /// Texts of the FRU: manufacturer, product, board part number.
    pub texts: [&'static str; 3],
    /// Sensors.
    pub sensors: Vec<SensorSpec>,
    /// Sensor data records.
    pub sdrs: Arc<Vec<Vec<u8>>>,
    /// Event log at the start.
    pub sel: Arc<Vec<[u8; sel::ENTRY]>>,
    /// Entries that fit into the event log.
    pub sel_capacity: usize,
    /// FRU devices from 1 on.
    pub frus: Vec<Arc<Vec<u8>>>,
    /// Lies and failures.
    pub faulty: Faulty,
}

/// 2024-03-01 00:00:00 UTC: the stores of all servers were filled then.
pub const STORES_FILLED: u32 = 1_709_251_200;

const OFF: CompletionCode = CompletionCode::CANNOT_RETURN;

impl Profile {
    /// The BMC as the specification has it.
    fn generic() -> Self {
        let sensors = sensors::STANDARD.to_vec();
        let mut drafts: Vec<_> = sensors.iter().map(sdr::sensor).collect();
        drafts.push(sdr::mc_locator("BMC"));
        drafts.push(sdr::fru_locator(1, "PSU1", (0x0a, 1)));
        drafts.push(sdr::fru_locator(2, "PSU2", (0x0a, 2)));
        Self {
            name: ProfileName::Generic,
            device_id: 0x20,
            revision: 0x01,
            firmware: (2, 0x17),
            manufacturer: 7154,
            product: 0x4842,
            aux: [1, 2, 3, 4],
            sessions: Arc::new(Config::default()),
            users: UserRules {
                slots: 16,
                fixed: 1,
                admin: 2,
                name: NameRule::Any,
                password: PasswordRule::Any,
                refusal: CompletionCode::INVALID_FIELD,
                exact_password_field: false,
                no_session_limit: false,
                password_before_enable: false,
                name_before_access: false,
                first_stays: false,
                empty_name: CompletionCode::OK,
            },
            timing: PowerTiming {
                on: Duration::from_millis(50),
                off: Duration::from_millis(50),
                soft: Duration::from_millis(200),
                // §28.3: at least one second.
                gap: Duration::from_secs(2),
            },
            guid_order: GuidOrder::Smbios,
            fru_read: (0xff, OFF),
            sdr_read: (0xff, OFF),
            dcmi: true,
            boot_flags_expire: true,
            texts: ["Halbox", "Simulated Server", "HB-BOARD-1"],
            sensors,
            sdrs: Arc::new(sdr::repository(&drafts)),
            sel: Arc::new(sel::history(32, STORES_FILLED, 7154)),
            sel_capacity: 512,
            frus: vec![psu(1), psu(2)],
            faulty: Faulty::default(),
        }
    }

    /// More of everything: what vendors have.
    fn rich(mut self) -> Self {
        self.sensors.extend_from_slice(sensors::EXTRA);
        let mut drafts: Vec<_> = self.sensors.iter().map(sdr::sensor).collect();
        drafts.push(sdr::event_only(0x60, "Memory", 0x0c, (0x20, 1)));
        drafts.push(sdr::event_only(0x61, "System Event", 0x12, (7, 1)));
        drafts.push(sdr::mc_locator("BMC"));
        for (id, name, entity) in [
            (1, "PSU1", (0x0a, 1)),
            (2, "PSU2", (0x0a, 2)),
            (3, "Riser 1", (0x10, 1)),
            (4, "NIC", (0x0b, 1)),
        ] {
            drafts.push(sdr::fru_locator(id, name, entity));
        }
        drafts.push(sdr::entity_association(
            (0x13, 1),
            [(0x0a, 1), (0x0a, 2), (0, 0), (0, 0)],
        ));
        drafts.push(sdr::oem(self.manufacturer, b"\x01\x02oem data"));
        self.sdrs = Arc::new(sdr::repository(&drafts));
        self.sel = Arc::new(sel::history(48, STORES_FILLED, self.manufacturer));
        self.frus.push(card("RISER-1", "R1SN0001"));
        self.frus.push(card("NIC-2X25", "N1SN0001"));
        self
    }

    fn with_sessions(mut self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = (*self.sessions).clone();
        change(&mut config);
        self.sessions = Arc::new(config);
        self
    }

    fn identified(mut self, manufacturer: u32, product: u16, firmware: (u8, u8)) -> Self {
        self.manufacturer = manufacturer;
        self.product = product;
        self.firmware = firmware;
        self
    }

    /// The profile of that name.
    pub fn new(name: ProfileName) -> Self {
        let mut p = match name {
            ProfileName::Generic => return Self::generic(),
            ProfileName::Dell => Self::generic()
                .identified(674, 0x0100, (7, 0x00))
                .with_sessions(|s| {
                    s.suites = vec![3, 17];
                    s.v15 = false;
                    s.sessionless_v15 = true;
                    s.max_sessions = 4;
                }),
            ProfileName::Supermicro => Self::generic()
                .identified(10876, 0x1b0f, (1, 0x74))
                .with_sessions(|s| {
                    s.suites = vec![1, 2, 3, 6, 7, 8, 11, 12, 17];
                    s.auth_types = 0x14;
                    s.sessionless_device_id = true;
                }),
            ProfileName::Lenovo => Self::generic()
                .identified(19046, 0x0b30, (3, 0x88))
                .with_sessions(|s| {
                    s.suites = vec![3, 17];
                    s.v15 = false;
                }),
            ProfileName::Hpe => Self::generic()
                .identified(47196, 0x2020, (2, 0x78))
                .with_sessions(|s| {
                    s.suites = vec![3, 17];
                    s.v15 = false;
                    s.channel = 2;
                }),
            ProfileName::Ami => Self::generic()
                .identified(20974, 0x0202, (12, 0x04))
                .with_sessions(|s| {
                    s.suites = vec![1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17];
                    s.sessionless_device_id = true;
                }),
            ProfileName::OpenBmc => Self::generic()
                .identified(49871, 0x0000, (2, 0x14))
                .with_sessions(|s| {
                    s.suites = vec![17];
                    s.v15 = false;
                    s.oddities.exact_lookup = true;
                    s.oddities.deaf_after_handshake = true;
                }),
            ProfileName::Broken => Self::generic()
                .identified(47488, 0xffff, (0x7f, 0xff))
                .with_sessions(|s| {
                    s.oddities = Oddities {
                        short_open_error: true,
                        skipping_sequence: true,
                        icv_without_auth: true,
                        echo_zero_privilege: true,
                        endless_suites: true,
                        stale_reply: true,
                        wrong_checksum: false,
                        ..Oddities::default()
                    };
                    s.presence = false;
                }),
        };
        p.name = name;
        p.vendor();
        p.rich()
    }

    /// What makes a vendor's BMC different beyond its sessions.
    fn vendor(&mut self) {
        let seconds = |on, off, soft| PowerTiming {
            on: Duration::from_millis(on),
            off: Duration::from_millis(off),
            soft: Duration::from_millis(soft),
            gap: Duration::from_secs(2),
        };
        match self.name {
            ProfileName::Generic => {}
            ProfileName::Dell => {
                self.texts = ["DELL", "PowerEdge R750", "0WMWCR"];
                self.users.name = NameRule::NoPath;
                self.users.password_before_enable = true;
                self.fru_read = (64, OFF);
                self.faulty.last_sdr_timeout = true;
                self.timing = seconds(500, 200, 800);
            }
            ProfileName::Supermicro => {
                self.texts = ["Supermicro", "SYS-2029BT-HNR", "X11DPT-B"];
                self.users.password = PasswordRule::DigitsAndSpecials;
                self.users.refusal = CompletionCode::LENGTH_EXCEEDED;
                self.users.name_before_access = true;
                self.users.first_stays = true;
                self.users.slots = 10;
                self.fru_read = (50, CompletionCode::LENGTH_EXCEEDED);
                self.sdr_read = (64, OFF);
                self.boot_flags_expire = false;
            }
            ProfileName::Lenovo => {
                self.texts = ["Lenovo", "ThinkSystem SR650 V2", "SB27A12345"];
                self.users.empty_name = CompletionCode::INVALID_FIELD;
                self.users.admin = 1;
                self.users.fixed = 0;
                self.users.slots = 12;
                self.users.password = PasswordRule::AtLeast(8);
                self.fru_read = (32, CompletionCode::LENGTH_INVALID);
            }
            ProfileName::Hpe => {
                self.texts = ["HPE", "ProLiant DL380 Gen10", "875073-001"];
                self.users.password = PasswordRule::AtLeast(8);
                self.users.admin = 1;
                self.users.fixed = 0;
                self.users.slots = 12;
                self.guid_order = GuidOrder::Rfc4122;
                self.timing = seconds(1500, 1500, 2000);
            }
            ProfileName::Ami => {
                self.texts = ["AMI", "MegaRAC SP-X", "MB-AMI-1"];
                self.fru_read = (100, CompletionCode::UNSPECIFIED);
                self.sdr_read = (32, CompletionCode::UNSPECIFIED);
            }
            ProfileName::OpenBmc => {
                self.texts = ["OpenBMC Project", "Witherspoon", "02CY209"];
                self.users.name = NameRule::Posix;
                self.users.exact_password_field = true;
                self.users.no_session_limit = true;
                self.users.password = PasswordRule::AtLeast(8);
                self.users.admin = 1;
                self.users.fixed = 0;
                self.users.slots = 15;
                self.guid_order = GuidOrder::Ipmi;
                self.boot_flags_expire = false;
            }
            ProfileName::Broken => {
                self.texts = ["\u{1}", "", "x"];
                self.fru_read = (8, CompletionCode::LENGTH_EXCEEDED);
                self.sdr_read = (10, CompletionCode::LENGTH_INVALID);
                self.faulty = Faulty {
                    sdr_loop: true,
                    last_sdr_timeout: false,
                    fru_count_lies: true,
                    busy_every: 17,
                    sensors_vanish: true,
                    fru_rubbish: true,
                    sel_loop: true,
                    no_sdr_info: false,
                    reservations_vanish: true,
                };
            }
        }
    }

    /// The image of FRU 0 for the server with this serial number: all areas.
    pub fn board_fru(&self, serial: &str) -> Vec<u8> {
        let [maker, product, part] = self.texts;
        let image = content::FruImage {
            internal: Some(vec![0x48, 0x42, 0, 0, 0, 0, 0]),
            chassis: Some((
                0x17,
                content::Area::of(&["CSE-217BHQ", &format!("C{serial}")]).custom(&["rack unit"]),
            )),
            board: Some(
                content::Area::of(&[maker, product, &format!("B{serial}"), part, "fru.bin"])
                    .custom(&["rev 1.02"]),
            ),
            product: Some(content::Area::of(&[
                maker, product, part, "01", serial, "asset-1", "",
            ])),
            multi: vec![
                fru::management_url_record("https://bmc.example.net/"),
                fru::oem_record(self.manufacturer, &[0xde, 0xad]),
            ],
            size: 512,
        };
        let mut bytes = image.encode();
        if self.faulty.fru_rubbish {
            // The product area begins beyond the end, the board area's checksum is wrong.
            if let [_, _, _, board, product, _, _, sum, ..] = bytes.as_mut_slice() {
                *sum = sum.wrapping_add(*product).wrapping_sub(0xf0);
                *product = 0xf0;
                let end = usize::from(*board) * 8 + 15;
                if let Some(byte) = bytes.get_mut(end) {
                    *byte ^= 0x01;
                }
            }
        }
        bytes
    }
}

fn psu(number: u8) -> Arc<Vec<u8>> {
    let image = content::FruImage {
        board: Some(content::Area::of(&[
            "Acme Power",
            "PSU 750W",
            &format!("PS0000{number}"),
            "PWS-750P-1R",
            "",
        ])),
        product: Some(content::Area::of(&[
            "Acme Power",
            "PWS-750P",
            "PWS-750P-1R",
            "1.2",
            &format!("PS0000{number}"),
            "",
            "",
        ])),
        multi: vec![fru::power_supply_record(750), fru::dc_output_record(1)],
        size: 240,
        ..content::FruImage::default()
    };
    Arc::new(image.encode())
}

fn card(part: &str, serial: &str) -> Arc<Vec<u8>> {
    let image = content::FruImage {
        board: Some(content::Area::of(&["Acme Cards", part, serial, part, ""])),
        size: 128,
        ..content::FruImage::default()
    };
    Arc::new(image.encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_its_stores() {
        for name in ProfileName::ALL {
            let profile = Profile::new(name);
            assert_eq!(profile.name, name);
            assert!(profile.sensors.len() >= 24);
            assert!(profile.sel.len() >= 32);
            assert_eq!(profile.board_fru("123").len(), 512);
            assert_eq!(name.as_str().parse(), Ok(name));
        }
        let generic = Profile::new(ProfileName::Generic);
        assert_eq!((generic.sensors.len(), generic.sdrs.len()), (24, 27));
        assert_eq!(generic.sel.len(), 32);
    }
}
