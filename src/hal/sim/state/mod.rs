//! The state of one simulated server. What is the same in all servers of a profile is shared until it is changed.

pub mod boot;
pub mod console;
pub mod dcmi;
pub mod lan;
pub mod persist;
pub mod power;
pub mod sel;
pub mod sensors;
pub mod users;
pub mod watchdog;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::profile::Profile;
use crate::hal::model::Secret;
use crate::hal::model::guid::GuidOrder;

pub use boot::Boot;
pub use console::Console;
pub use dcmi::Dcmi;
pub use lan::Lan;
pub use power::{Power, Step};
pub use sel::Sel;
pub use sensors::Sensors;
pub use users::{User, Users};
pub use watchdog::Watchdog;

/// Turns moments into the seconds since 1970 that BMCs write into their stores.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// A moment …
    pub origin: Instant,
    /// … and what the clock showed then.
    pub unix: u64,
}

impl Clock {
    /// Seconds since 1970.
    pub fn seconds(&self, now: Instant) -> u32 {
        let passed = now.saturating_duration_since(self.origin).as_secs();
        u32::try_from(self.unix.saturating_add(passed)).unwrap_or(u32::MAX)
    }
}

/// The identify LED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identify {
    /// Dark.
    Off,
    /// Until that moment.
    Until(Instant),
    /// Until it is switched off.
    Forever,
}

/// Access settings of the LAN channel: volatile and stored ones are the same here.
#[derive(Debug, Clone, Copy)]
pub struct Channel {
    /// Bits 5..0 of Get Channel Access, byte 1: alerting, per-message, user-level authentication, access mode.
    pub flags: u8,
    /// Privilege limit.
    pub limit: u8,
}

/// Serial over LAN configuration (§26).
#[derive(Debug, Clone, Copy)]
pub struct Sol {
    /// Parameters 1 to 8, by number; unused bytes are 0.
    pub values: [[u8; 2]; 9],
}

impl Default for Sol {
    fn default() -> Self {
        let mut values = [[0; 2]; 9];
        for (number, value) in [
            (1, [1, 0]),
            (2, [0x84, 0]),
            (3, [10, 200]),
            (4, [7, 50]),
            (5, [0x0a, 0]),
            (6, [0x0a, 0]),
            (7, [1, 0]),
            (8, 623u16.to_le_bytes()),
        ] {
            if let Some(slot) = values.get_mut(number) {
                *slot = value;
            }
        }
        Self { values }
    }
}

/// One simulated server with its BMC.
#[derive(Debug)]
pub struct Server {
    /// What kind of BMC it is.
    pub profile: Arc<Profile>,
    /// Its clock.
    pub clock: Clock,
    /// Serial number of the product.
    pub serial: String,
    /// GUID as sent.
    pub guid: [u8; 16],
    /// Power.
    pub power: Power,
    /// Boot options.
    pub boot: Boot,
    /// Identify LED.
    pub identify: Identify,
    /// UDP port that it answers on.
    pub port: u16,
    /// LAN configuration.
    pub lan: Lan,
    /// LAN channel.
    pub channel: Channel,
    /// K_G; all zeroes = none.
    pub kg: [u8; 20],
    /// Accounts.
    pub users: Users,
    /// FRU devices by id.
    pub frus: Vec<Arc<Vec<u8>>>,
    /// Sensor data records.
    pub sdrs: Arc<Vec<Vec<u8>>>,
    /// When the SDR repository was last added to and erased.
    pub sdr_times: (u32, u32),
    /// Present reservation of the SDR repository.
    pub sdr_reservation: u16,
    /// Sensors.
    pub sensors: Sensors,
    /// Event log.
    pub sel: Sel,
    /// DCMI.
    pub dcmi: Dcmi,
    /// Watchdog timer.
    pub watchdog: Watchdog,
    /// Serial over LAN.
    pub sol: Sol,
    /// The Redfish service's own state.
    pub web: crate::hal::sim::redfish::Web,
    /// The serial console, from its first use on.
    pub console: Option<Box<Console>>,
    /// The recording that answers in place of the state.
    pub replay: Option<Box<crate::hal::sim::replay::Replay>>,
    /// The next commands are refused with this code, so many times.
    pub refuse_next: Option<(u32, crate::hal::ipmi::cmd::CompletionCode)>,
    /// Commands that were executed.
    pub executed: u64,
    /// The BMC was told to reset itself; whoever owns the sessions forgets them.
    pub cold_reset: bool,
    /// Get Device ID: global enables.
    pub enables: u8,
    /// It gives accounts for the Redfish host interface.
    pub bootstrap: bool,
}

/// Who may log in at the start.
#[derive(Debug, Clone)]
pub struct Login {
    /// Name.
    pub user: String,
    /// Password.
    pub password: Secret,
}

impl Server {
    /// Server number `index` of a profile, at `address`, powered on.
    pub fn new(
        profile: &Arc<Profile>,
        index: u32,
        address: IpAddr,
        users: &Users,
        clock: Clock,
    ) -> Self {
        let serial = format!("HB{:06}", index + 1);
        let mut frus = vec![Arc::new(profile.board_fru(&serial))];
        frus.extend(profile.frus.iter().cloned());
        Self {
            profile: Arc::clone(profile),
            clock,
            serial,
            guid: guid(profile.guid_order, index),
            power: Power::new(clock.origin),
            boot: Boot::default(),
            identify: Identify::Off,
            lan: Lan::new(index, address, &profile.sessions.suites),
            channel: Channel {
                flags: 0x02,
                limit: 4,
            },
            kg: [0; 20],
            users: users.clone(),
            frus,
            sdrs: Arc::clone(&profile.sdrs),
            sdr_times: (
                super::profile::STORES_FILLED,
                super::profile::STORES_FILLED - 10,
            ),
            sdr_reservation: 0,
            sensors: Sensors::default(),
            sel: Sel::new(Arc::clone(&profile.sel), profile.sel_capacity),
            dcmi: Dcmi::new(&format!("DCMI{:012x}", index + 1)),
            watchdog: Watchdog::default(),
            sol: Sol::default(),
            web: crate::hal::sim::redfish::Web::default(),
            port: crate::hal::ipmi::wire::PORT,
            console: None,
            replay: None,
            refuse_next: None,
            executed: 0,
            cold_reset: false,
            enables: 0x08,
            bootstrap: true,
        }
    }

    /// Lets time pass: power that was on its way arrives, LEDs go out, the watchdog bites.
    pub fn tick(&mut self, now: Instant) {
        if self.watchdog.bites(now) {
            let action = self.watchdog.action();
            self.watchdog.expired(now);
            self.power.watchdog(now, action, &self.profile.timing);
        }
        while let Some(step) = self.power.settle(now) {
            if step == Step::On {
                self.boot.host_started();
            }
        }
        if let Identify::Until(end) = self.identify
            && now >= end
        {
            self.identify = Identify::Off;
        }
        if self.profile.boot_flags_expire {
            self.boot.expire(now);
        }
    }

    /// The seconds since 1970 by the event log's clock.
    pub fn sel_time(&self, now: Instant) -> u32 {
        self.sel.time(self.clock.seconds(now))
    }
}

/// A random-looking version 4 UUID that follows from the index, in the order in which the BMC sends it.
fn guid(order: GuidOrder, index: u32) -> [u8; 16] {
    let [a, b, c, d] = index.to_be_bytes();
    let mut uuid = *b"\x4c\x4c\x45\x44\x00\x48\x42\x10\x80\x31\xb7\xc0\x4f\x00\x00\x00";
    for (to, from) in uuid.iter_mut().skip(12).zip([a, b, c, d]) {
        *to ^= from;
    }
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut uuid;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    // The three orders are their own inverse.
    crate::hal::model::Guid(uuid).reordered(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::model::Guid;

    #[test]
    fn guids_are_plausible_and_distinct() {
        for order in [GuidOrder::Smbios, GuidOrder::Rfc4122, GuidOrder::Ipmi] {
            let one = Guid(guid(order, 0)).to_uuid(order);
            assert_eq!(&one[14..15], "4", "{one}");
            assert_eq!(&one[19..20], "8", "{one}");
            assert_ne!(guid(order, 0), guid(order, 1));
        }
    }
}
