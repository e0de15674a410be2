//! Entity association records (§43.4, §43.5).

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// An entity: what a sensor or FRU belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entity {
    /// Entity id.
    pub id: u8,
    /// Entity instance.
    pub instance: u8,
}

/// Entity association: a container and up to four contained entities (0/0 = none), or two ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EntityAssociation {
    /// The container.
    pub container: Entity,
    /// Bit 7: ranges instead of a list; 6: linked records; 5: presence sensor always accessible.
    pub flags: u8,
    /// What it contains.
    pub contained: [Entity; 4],
}

impl Entity {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [id, instance] = r.array("entity")?;
        Ok(Self { id, instance })
    }
}

impl EntityAssociation {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            container: Entity::decode(r)?,
            flags: r.u8("flags")?,
            contained: [
                Entity::decode(r)?,
                Entity::decode(r)?,
                Entity::decode(r)?,
                Entity::decode(r)?,
            ],
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.container.id, self.container.instance, self.flags]);
        for entity in self.contained {
            out.extend([entity.id, entity.instance]);
        }
    }
}

/// An entity as a controller numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceEntity {
    /// Slave address of the controller.
    pub address: u8,
    /// Channel of the controller.
    pub channel: u8,
    /// The entity.
    pub entity: Entity,
}

/// Device-relative entity association.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceRelative {
    /// The container.
    pub container: DeviceEntity,
    /// As those of [`EntityAssociation`].
    pub flags: u8,
    /// What it contains.
    pub contained: [DeviceEntity; 4],
}

impl DeviceEntity {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [address, channel] = r.array("device address and channel")?;
        Ok(Self {
            address,
            channel,
            entity: Entity::decode(r)?,
        })
    }
}

impl DeviceRelative {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entity = Entity::decode(r)?;
        let [address, channel, flags] = r.array("container device and flags")?;
        Ok(Self {
            container: DeviceEntity {
                address,
                channel,
                entity,
            },
            flags,
            contained: [
                DeviceEntity::decode(r)?,
                DeviceEntity::decode(r)?,
                DeviceEntity::decode(r)?,
                DeviceEntity::decode(r)?,
            ],
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let container = self.container;
        out.extend([
            container.entity.id,
            container.entity.instance,
            container.address,
            container.channel,
            self.flags,
        ]);
        for device in self.contained {
            out.extend([
                device.address,
                device.channel,
                device.entity.id,
                device.entity.instance,
            ]);
        }
        out.extend([0; 6]);
    }
}
