//! What single vendors do differently, one small file each: whom it is for, which quirks its machines have, as data, and
//! which single slots it replaces.
//!
//! Most quirks show by their symptom and need no entry here. There is no list of allowed vendors: who is not in here gets
//! the drivers as they are. A new vendor is one file and one word in [`list!`].

mod attended;
mod facts;
mod ipmi;
pub mod names;
pub mod show;

use std::sync::Arc;

use crate::hal::bmc::Bmc;
use crate::hal::redfish::{Client, Quirks};

pub use facts::{Facts, Level, Matches, name, recognise};
pub use ipmi::{
    RedfishRole, Row, attach_ipmi, attach_ipmi as attach, grant_redfish, learn, quirks_for,
};

/// What one vendor, class of firmware, or model does differently.
#[derive(Debug)]
pub struct Vendor {
    /// Its short name: that of its file, or of its entry there.
    pub name: &'static str,
    /// What it is, in words.
    pub about: &'static str,
    /// How special it is.
    pub level: Level,
    /// Whom it is for over Redfish.
    pub matches: Matches,
    /// Products and their quirks over IPMI.
    pub ipmi: &'static [Row],
    /// Sets quirks of Redfish; the facts tell generations apart.
    pub redfish: fn(&Facts, &mut Quirks),
    /// Replaces single slots, when all drivers are attached. `None` for the client when there is no Redfish.
    pub apply: Option<Apply>,
    /// Why: one entry for each quirk of Redfish, each slot that is replaced, and `user_slot`.
    pub why: &'static [Why],
    /// What else is known of it and needs no overwrite, because it is done for everyone.
    pub notes: &'static [&'static str],
}

/// Replaces slots of a BMC; the client is that of Redfish, if there is one.
pub type Apply = fn(&mut Bmc, Option<&Arc<Client>>);

/// Why something is overwritten.
#[derive(Debug, Clone, Copy)]
pub struct Why {
    /// The field of the quirks, or the slot.
    pub flag: &'static str,
    /// What the hardware does, and what is done about it.
    pub what: &'static str,
    /// Hardware that does it, and where that is known from.
    pub seen_on: &'static str,
}

/// A vendor that does nothing differently: what the others are written upon.
const PLAIN: Vendor = Vendor {
    name: "",
    about: "",
    level: Level::Vendor,
    matches: Matches {
        name: &[],
        service: &[],
        not_service: &[],
        oem: &[],
        model: &[],
        manager: &[],
    },
    ipmi: &[],
    redfish: |_, _| {},
    apply: None,
    why: &[],
    notes: &[],
};

/// Declares the files and gathers their `VENDORS`.
macro_rules! list {
    ($($file:ident),+ $(,)?) => {
        $(mod $file;)+
        const LISTS: &[&[Vendor]] = &[$($file::VENDORS),+];
    };
}

list![
    ami, asrockrack, cray, dell, fujitsu, gigabyte, hpe, inspur, intel, lenovo, nvidia, openbmc,
    supermicro,
];

/// All overwrites, by file.
pub fn vendors() -> impl Iterator<Item = &'static Vendor> {
    LISTS.iter().copied().flatten()
}

/// The quirks of Redfish for this BMC, and the overwrites that they come from (for [`overwrite`]).
pub fn redfish_quirks(facts: &Facts) -> (Quirks, Vec<&'static Vendor>) {
    let found = recognise(facts);
    let mut quirks = Quirks::default();
    for vendor in &found {
        let before = quirks.clone();
        (vendor.redfish)(facts, &mut quirks);
        if quirks != before {
            quirks.overwrite = Some(vendor.name);
        }
    }
    (quirks, found)
}

/// Lets the vendors replace single slots. To be called when all drivers are attached.
pub fn overwrite(bmc: &mut Bmc, found: &[&'static Vendor], client: Option<&Arc<Client>>) {
    for apply in found.iter().filter_map(|vendor| vendor.apply) {
        apply(bmc, client);
    }
}

#[cfg(test)]
mod tests;
