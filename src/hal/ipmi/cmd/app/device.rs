//! What the BMC is and how it is (§20).

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::model::Guid;

/// Get Device ID (§20.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetDeviceId;

/// Who made the BMC and which firmware it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceId {
    /// Device id, the manufacturer's own numbering.
    pub device: u8,
    /// Device revision, 0..15.
    pub revision: u8,
    /// Has Device SDRs (sensors of a controller without a repository).
    pub device_sdrs: bool,
    /// Firmware or SDRs are being updated, or the BMC initialises itself: other commands may be refused.
    pub updating: bool,
    /// Major firmware revision, 0..127, binary.
    pub firmware_major: u8,
    /// Minor firmware revision, BCD.
    pub firmware_minor: u8,
    /// IPMI version, BCD with the low digit in the high nibble: 0x51 = 1.5, 0x02 = 2.0.
    pub ipmi_version: u8,
    /// Additional device support, see the constants of [`DeviceId`].
    pub support: u8,
    /// Manufacturer: IANA enterprise number, 24 bits as sent.
    pub manufacturer: u32,
    /// Product id, the manufacturer's own numbering.
    pub product: u16,
    /// Auxiliary firmware revision, the manufacturer's own; many BMCs leave it out.
    pub auxiliary: Option<[u8; 4]>,
}

impl DeviceId {
    /// [`DeviceId::support`]: chassis device.
    pub const CHASSIS: u8 = 0x80;
    /// Bridge.
    pub const BRIDGE: u8 = 0x40;
    /// Generates events on the IPMB.
    pub const EVENT_GENERATOR: u8 = 0x20;
    /// Receives events from the IPMB.
    pub const EVENT_RECEIVER: u8 = 0x10;
    /// FRU inventory.
    pub const FRU: u8 = 0x08;
    /// SEL.
    pub const SEL: u8 = 0x04;
    /// SDR repository.
    pub const SDR_REPOSITORY: u8 = 0x02;
    /// Sensors.
    pub const SENSORS: u8 = 0x01;

    /// IPMI version as (major, minor), e.g. (2, 0).
    pub fn ipmi(&self) -> (u8, u8) {
        (self.ipmi_version & 0x0f, self.ipmi_version >> 4)
    }

    /// `major.minor`, the minor in the two digits of its BCD: `1.74`, `3.08`.
    pub fn firmware(&self) -> String {
        format!("{}.{:02x}", self.firmware_major, self.firmware_minor)
    }
}

impl Command for GetDeviceId {
    type Reply = DeviceId;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x01;
    const NAME: &'static str = "Get Device ID";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.device);
        out.push(reply.revision & 0x0f | u8::from(reply.device_sdrs) << 7);
        out.push(reply.firmware_major & 0x7f | u8::from(reply.updating) << 7);
        out.extend([reply.firmware_minor, reply.ipmi_version, reply.support]);
        let [a, b, c, _] = reply.manufacturer.to_le_bytes();
        out.extend([a, b, c]);
        out.extend(reply.product.to_le_bytes());
        out.extend(reply.auxiliary.into_iter().flatten());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        let device = r.u8("device ID")?;
        let revision = r.u8("device revision")?;
        let major = r.u8("firmware revision 1")?;
        Ok(DeviceId {
            device,
            revision: revision & 0x0f,
            device_sdrs: revision & 0x80 != 0,
            updating: major & 0x80 != 0,
            firmware_major: major & 0x7f,
            firmware_minor: r.u8("firmware revision 2")?,
            ipmi_version: r.u8("IPMI version")?,
            support: r.u8("additional device support")?,
            manufacturer: r.u24("manufacturer ID")?,
            product: r.u16("product ID")?,
            auxiliary: r.array("auxiliary firmware revision").ok(),
        })
    }
}

/// Cold Reset (§20.2): restarts the BMC with its defaults. The answer may never come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColdReset;

/// Warm Reset (§20.3): restarts the BMC and keeps its settings. The answer may never come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmReset;

impl Command for ColdReset {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Cold Reset";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Once;

    no_request_data!();

    no_reply_data!();
}

impl Command for WarmReset {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x03;
    const NAME: &'static str = "Warm Reset";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Once;

    no_request_data!();

    no_reply_data!();
}

/// Get Self Test Results (§20.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSelfTestResults;

/// Result of the BMC's self test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelfTest {
    /// 0x55 no error, 0x56 not implemented, 0x57 corrupted data or devices, 0x58 fatal, else the manufacturer's.
    pub result: u8,
    /// What failed; bits of §20.4 for 0x57, else the manufacturer's.
    pub detail: u8,
}

impl SelfTest {
    /// All tests passed.
    pub const PASSED: Self = Self {
        result: 0x55,
        detail: 0,
    };

    /// The specification's words for the result.
    pub fn text(self) -> &'static str {
        match self.result {
            0x55 => "no error",
            0x56 => "self test not implemented",
            0x57 => "corrupted or inaccessible data or devices",
            0x58 => "fatal hardware error",
            _ => "device-specific failure",
        }
    }
}

impl Command for GetSelfTestResults {
    type Reply = SelfTest;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x04;
    const NAME: &'static str = "Get Self Test Results";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([reply.result, reply.detail]);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SelfTest {
            result: r.u8("self test result")?,
            detail: r.u8("self test detail")?,
        })
    }
}

/// Get ACPI Power State (§20.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetAcpiPowerState;

/// ACPI power states; each 7 bits, 0x2a = unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcpiPowerState {
    /// System: 0..5 = S0..S5, 0x20 legacy on, 0x21 legacy off.
    pub system: u8,
    /// Device: 0..3 = D0..D3.
    pub device: u8,
}

impl Command for GetAcpiPowerState {
    type Reply = AcpiPowerState;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x07;
    const NAME: &'static str = "Get ACPI Power State";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([reply.system & 0x7f, reply.device & 0x7f]);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(AcpiPowerState {
            system: r.u8("ACPI system power state")? & 0x7f,
            device: r.u8("ACPI device power state")? & 0x7f,
        })
    }
}

/// Get Device GUID (§20.8): the BMC's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetDeviceGuid;

/// Get System GUID (§22.14): the machine's id. Answered before a session, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSystemGuid;

impl Command for GetDeviceGuid {
    type Reply = Guid;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x08;
    const NAME: &'static str = "Get Device GUID";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Guid, out: &mut Vec<u8>) {
        out.extend(reply.0);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Guid, DecodeError> {
        r.array("device GUID").map(Guid)
    }
}

impl Command for GetSystemGuid {
    type Reply = Guid;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x37;
    const NAME: &'static str = "Get System GUID";
    const PRIVILEGE: Privilege = Privilege::None;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Guid, out: &mut Vec<u8>) {
        out.extend(reply.0);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Guid, DecodeError> {
        r.array("system GUID").map(Guid)
    }
}
