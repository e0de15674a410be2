//! Locator and controller records (§43.7 to §43.11).

use super::{Entity, IdString};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Generic device locator.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GenericLocator {
    /// 8-bit slave address of the controller through which the device is reached; 0 = directly on IPMB.
    pub access_address: u8,
    /// 8-bit slave address of the device.
    pub slave_address: u8,
    /// Channel, 0..15.
    pub channel: u8,
    /// Logical unit for Master Write-Read.
    pub lun: u8,
    /// Private bus id.
    pub bus: u8,
    /// Address span, 0 = one address.
    pub span: u8,
    /// Device type code.
    pub device_type: u8,
    /// Device type modifier.
    pub modifier: u8,
    /// Entity.
    pub entity: Entity,
    /// OEM byte.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

impl GenericLocator {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [
            access,
            slave,
            bus,
            span,
            _,
            device_type,
            modifier,
            entity,
            instance,
            oem,
        ] = r.array("generic device locator")?;
        Ok(Self {
            access_address: access & 0xfe,
            slave_address: slave & 0xfe,
            channel: ((slave & 0x01) << 3) | (bus >> 5),
            lun: (bus >> 3) & 0x03,
            bus: bus & 0x07,
            span: span & 0x07,
            device_type,
            modifier,
            entity: Entity {
                id: entity,
                instance,
            },
            oem,
            id: IdString::decode(r),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend([
            self.access_address & 0xfe,
            (self.slave_address & 0xfe) | ((self.channel >> 3) & 0x01),
            ((self.channel & 0x07) << 5) | ((self.lun & 0x03) << 3) | (self.bus & 0x07),
            self.span & 0x07,
            0,
            self.device_type,
            self.modifier,
            self.entity.id,
            self.entity.instance,
            self.oem,
        ]);
        self.id.encode(out);
    }
}

/// FRU device locator.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FruLocator {
    /// 8-bit slave address of the controller; 0x20 = the BMC.
    pub access_address: u8,
    /// FRU device id of a logical device, 8-bit slave address of a physical one.
    pub device: u8,
    /// Reached by FRU commands (else by Master Write-Read).
    pub logical: bool,
    /// Logical unit, 0..3.
    pub lun: u8,
    /// Private bus id.
    pub bus: u8,
    /// Channel, 0..15.
    pub channel: u8,
    /// Device type code; 0x10 = logical FRU or SEEPROM.
    pub device_type: u8,
    /// Device type modifier; of type 0x10: 0 and 2 = IPMI FRU inventory, 1 = DIMM memory id.
    pub modifier: u8,
    /// Entity.
    pub entity: Entity,
    /// OEM byte.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

impl FruLocator {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [
            access,
            device,
            bus,
            channel,
            _,
            device_type,
            modifier,
            entity,
            instance,
            oem,
        ] = r.array("FRU device locator")?;
        Ok(Self {
            access_address: access & 0xfe,
            device,
            logical: bus & 0x80 != 0,
            lun: (bus >> 3) & 0x03,
            bus: bus & 0x07,
            channel: channel >> 4,
            device_type,
            modifier,
            entity: Entity {
                id: entity,
                instance,
            },
            oem,
            id: IdString::decode(r),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend([
            self.access_address & 0xfe,
            self.device,
            (u8::from(self.logical) << 7) | ((self.lun & 0x03) << 3) | (self.bus & 0x07),
            self.channel << 4,
            0,
            self.device_type,
            self.modifier,
            self.entity.id,
            self.entity.instance,
            self.oem,
        ]);
        self.id.encode(out);
    }
}

/// Management controller device locator.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct McLocator {
    /// 8-bit slave address.
    pub address: u8,
    /// Channel, 0..15.
    pub channel: u8,
    /// Power state notification and global initialization.
    pub notification: u8,
    /// Device capabilities: bit 7 chassis, 6 bridge, 5 IPMB event generator, 4 receiver, 3 FRU, 2 SEL, 1 SDR, 0 sensor.
    pub capabilities: u8,
    /// Entity.
    pub entity: Entity,
    /// OEM byte.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

impl McLocator {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [
            address,
            channel,
            notification,
            capabilities,
            _,
            _,
            _,
            entity,
            instance,
            oem,
        ] = r.array("management controller device locator")?;
        Ok(Self {
            address: address & 0xfe,
            channel: channel & 0x0f,
            notification,
            capabilities,
            entity: Entity {
                id: entity,
                instance,
            },
            oem,
            id: IdString::decode(r),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend([
            self.address & 0xfe,
            self.channel & 0x0f,
            self.notification,
            self.capabilities,
            0,
            0,
            0,
            self.entity.id,
            self.entity.instance,
            self.oem,
        ]);
        self.id.encode(out);
    }
}

/// Management controller confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct McConfirmation {
    /// 8-bit slave address.
    pub address: u8,
    /// Device id.
    pub device: u8,
    /// Channel (high nibble) and device revision (low nibble).
    pub channel_revision: u8,
    /// Firmware revision, major and minor.
    pub firmware: [u8; 2],
    /// IPMI version in BCD, low digit first.
    pub ipmi_version: u8,
    /// IANA enterprise number.
    pub manufacturer: u32,
    /// Product id.
    pub product: u16,
    /// Device GUID.
    pub guid: [u8; 16],
}

impl McConfirmation {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [
            address,
            device,
            channel_revision,
            major,
            minor,
            ipmi_version,
        ] = r.array("management controller confirmation")?;
        Ok(Self {
            address: address & 0xfe,
            device,
            channel_revision,
            firmware: [major, minor],
            ipmi_version,
            manufacturer: r.u24("manufacturer ID")?,
            product: r.u16("product ID")?,
            guid: r.array("device GUID")?,
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let [major, minor] = self.firmware;
        out.extend([
            self.address & 0xfe,
            self.device,
            self.channel_revision,
            major,
            minor,
            self.ipmi_version,
        ]);
        let [a, b, c, _] = self.manufacturer.to_le_bytes();
        out.extend([a, b, c]);
        out.extend(self.product.to_le_bytes());
        out.extend(self.guid);
    }
}

/// BMC message channel info.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BmcMessageChannel {
    /// Channels 0 to 7: bit 7 transmit, 6..4 receive LUN, 3..0 protocol.
    pub channels: [u8; 8],
    /// Messaging interrupt type.
    pub messaging_interrupt: u8,
    /// Event message buffer interrupt type.
    pub event_interrupt: u8,
}

impl BmcMessageChannel {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            channels: r.array("message channel info")?,
            messaging_interrupt: r.u8("messaging interrupt type")?,
            event_interrupt: r.u8("event message buffer interrupt type")?,
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.channels);
        out.extend([self.messaging_interrupt, self.event_interrupt, 0]);
    }
}
