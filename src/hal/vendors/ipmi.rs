//! What products need over IPMI, by the numbers of Get Device ID.

use std::sync::Arc;

use super::attended::Attended;
use super::vendors;
use crate::hal::bmc::Bmc;
use crate::hal::drivers;
use crate::hal::error::Result;
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::GetDeviceId;
use crate::hal::ipmi::exchange::run;
use crate::hal::ipmi::learnt::Learnt;
use crate::hal::ipmi::quirks::Quirks;
use crate::hal::model::Cx;

/// Products and the quirks that they are known to have.
#[derive(Debug)]
pub struct Row {
    /// Manufacturer ids of Get Device ID.
    pub manufacturers: &'static [u32],
    /// Product ids, both ends included; `None` = all.
    pub products: Option<(u16, u16)>,
    /// Names of flags in [`Quirks`].
    pub quirks: &'static [&'static str],
    /// The slot that accounts of ours customarily have.
    pub user_slot: Option<u8>,
    /// What gives a user that IPMI makes a role in Redfish.
    pub redfish_role: RedfishRole,
}

/// What gives a user that IPMI makes a role in Redfish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedfishRole {
    /// Its privilege in IPMI, as far as is known.
    Ipmi,
    /// An OEM command, in-band (Fujitsu).
    Oem,
    /// Redfish alone, by somebody who has one (Dell).
    Redfish,
}

/// Makes the user in this slot an administrator of Redfish as well, where its privilege in IPMI does not.
pub async fn grant_redfish(
    bmc: &dyn Exchange,
    cx: &Cx,
    (manufacturer, product): (u32, u16),
    user: u8,
) -> Result<RedfishRole> {
    let mut rows = vendors().flat_map(|vendor| vendor.ipmi);
    let role = rows
        .find(|row| row.matches(manufacturer, product))
        .map_or(RedfishRole::Ipmi, |row| row.redfish_role);
    if role == RedfishRole::Oem {
        super::fujitsu::role::grant(bmc, cx, user).await?;
    }
    Ok(role)
}

impl Row {
    /// All products of a manufacturer, without any quirk.
    pub const fn of(manufacturers: &'static [u32]) -> Self {
        Self {
            manufacturers,
            products: None,
            quirks: &[],
            user_slot: None,
            redfish_role: RedfishRole::Ipmi,
        }
    }

    pub(super) fn matches(&self, manufacturer: u32, product: u16) -> bool {
        self.manufacturers.contains(&(manufacturer & 0x000f_ffff))
            && self
                .products
                .is_none_or(|(first, last)| (first..=last).contains(&product))
    }
}

/// The quirks of a product, by the numbers of Get Device ID.
pub fn quirks_for(manufacturer: u32, product: u16) -> Quirks {
    let mut learnt = Learnt::default();
    switch_on(&mut learnt, manufacturer, product);
    learnt.quirks
}

/// Writes down who it is and what that means. A flag that is on already stays on.
pub(super) fn switch_on(learnt: &mut Learnt, manufacturer: u32, product: u16) {
    learnt.manufacturer = Some(manufacturer);
    learnt.product = Some(product);
    learnt.user_slot = None;
    let rows = vendors().flat_map(|vendor| vendor.ipmi);
    for row in rows.filter(|row| row.matches(manufacturer, product)) {
        for name in row.quirks {
            learnt.quirks.set(name, true);
        }
        learnt.user_slot = row.user_slot.or(learnt.user_slot);
    }
}

/// Makes the quirks of the product known to everyone who talks to this BMC. Asks for the product (Get Device ID, one
/// round trip) only when it is not known from before; a flag that is on already stays on.
pub async fn learn(bmc: &dyn Exchange, cx: &Cx) -> Result<()> {
    let learnt = bmc.learnt().snapshot();
    let (manufacturer, product) = if let (Some(m), Some(p)) = (learnt.manufacturer, learnt.product)
    {
        (m, p)
    } else {
        let device = run(bmc, cx, &GetDeviceId).await?;
        (device.manufacturer, device.product)
    };
    bmc.learnt()
        .update(|learnt| switch_on(learnt, manufacturer, product));
    Ok(())
}

/// Puts the IPMI driver into the slots of `bmc`, with the quirks of its product: those of a product known from
/// before at once, else as soon as it matters.
pub fn attach_ipmi(bmc: &mut Bmc, exchange: Arc<dyn Exchange>) {
    exchange.learnt().update(|learnt| {
        if let (Some(manufacturer), Some(product)) = (learnt.manufacturer, learnt.product) {
            switch_on(learnt, manufacturer, product);
        }
    });
    drivers::ipmi::attach(bmc, Arc::new(Attended::new(exchange)));
}
