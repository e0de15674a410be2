//! What is known of a BMC when its vendor is to be told, and who that is.

use super::{Vendor, names, vendors};
use crate::hal::model::order::Order;
use crate::hal::redfish::Resource;

/// Evidence of the vendor. Everything is as the BMC sent it; what is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Keys of `Oem` in the service root.
    pub oem: Vec<String>,
    /// `Vendor` of the service root.
    pub vendor: Option<String>,
    /// `Product` of the service root.
    pub product: Option<String>,
    /// Organisations in the certificate: the issuer's, then the subject's.
    pub tls: Vec<String>,
    /// `Manufacturer` of the system.
    pub manufacturer: Option<String>,
    /// `Manufacturer` of the chassis.
    pub chassis_manufacturer: Option<String>,
    /// `Model` of the system.
    pub model: Option<String>,
    /// `Model` of the manager.
    pub manager_model: Option<String>,
    /// `FirmwareVersion` of the manager.
    pub firmware: Option<String>,
    /// Manufacturer id of IPMI's Get Device ID.
    pub ipmi_manufacturer: Option<u32>,
    /// Product id of IPMI's Get Device ID.
    pub ipmi_product: Option<u16>,
}

/// How special an overwrite is: later ones have the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Firmware that several vendors build on.
    Class,
    /// A vendor.
    Vendor,
    /// Models or generations of one.
    Model,
}

/// Whom an overwrite is for. Each list that is not empty must hold; in a list one entry is enough.
#[derive(Debug, Default)]
pub struct Matches {
    /// Names of the machine's vendor, as [`name`] spells them.
    pub name: &'static [&'static str],
    /// Names that the service gives itself (Oem key, Vendor, Product, certificate), or the manager's model.
    pub service: &'static [&'static str],
    /// No service of these.
    pub not_service: &'static [&'static str],
    /// Keys of Oem.
    pub oem: &'static [&'static str],
    /// Pieces of the system's model or the product, in lower case.
    pub model: &'static [&'static str],
    /// Pieces of the manager's model, in lower case.
    pub manager: &'static [&'static str],
}

impl Matches {
    /// Does it hold?
    fn holds(&self, facts: &Facts, name: Option<&str>) -> bool {
        let services = facts.services();
        let any = |list: &[&str], holds: &dyn Fn(&str) -> bool| {
            list.is_empty() || list.iter().any(|one| holds(one))
        };
        let has = |text: &Option<String>, piece: &str| {
            text.as_ref()
                .is_some_and(|t| t.to_ascii_lowercase().contains(piece))
        };
        any(self.name, &|n| name == Some(n))
            && any(self.service, &|s| services.contains(&s))
            && !self.not_service.iter().any(|s| services.contains(s))
            && any(self.oem, &|k| {
                facts.oem.iter().any(|o| o.eq_ignore_ascii_case(k))
            })
            && any(self.model, &|m| {
                has(&facts.model, m) || has(&facts.product, m)
            })
            && any(self.manager, &|m| has(&facts.manager_model, m))
    }
}

impl Facts {
    /// Adds what the system's resource says.
    pub fn add_system(&mut self, system: &Resource) {
        self.manufacturer = text(system, "/Manufacturer").or(self.manufacturer.take());
        self.model = text(system, "/Model").or(self.model.take());
    }

    /// Adds what the chassis's resource says.
    pub fn add_chassis(&mut self, chassis: &Resource) {
        let said = text(chassis, "/Manufacturer");
        self.chassis_manufacturer = said.or(self.chassis_manufacturer.take());
    }

    /// Adds what the manager's resource says.
    pub fn add_manager(&mut self, manager: &Resource) {
        self.manager_model = text(manager, "/Model").or(self.manager_model.take());
        self.firmware = text(manager, "/FirmwareVersion").or(self.firmware.take());
    }

    /// Names that the service gives itself, the most trustworthy first.
    fn services(&self) -> Vec<&'static str> {
        let oem = self.oem.iter().filter_map(|k| names::of_oem_key(k));
        let said = [&self.vendor, &self.product, &self.manager_model];
        let said = said.into_iter().flatten().filter_map(|t| names::known(t));
        let tls = self.tls.iter().filter_map(|o| names::of_organization(o));
        oem.chain(said).chain(tls).collect()
    }

    /// Who the service says it is.
    fn service(&self) -> Option<String> {
        let known = |name: &'static str| name.to_owned();
        let oem = self.oem.iter().find_map(|k| names::of_oem_key(k));
        oem.map(known)
            .or_else(|| self.vendor.as_deref().and_then(names::canonical))
            .or_else(|| {
                let product = self.product.as_deref().and_then(names::known);
                product.map(known)
            })
            .or_else(|| {
                let tls = self.tls.iter().find_map(|o| names::of_organization(o));
                tls.map(known)
            })
    }

    /// Who made the machine, by its own resources.
    fn machine(&self) -> Option<String> {
        [&self.manufacturer, &self.chassis_manufacturer]
            .into_iter()
            .flatten()
            .find_map(|text| names::canonical(text))
    }
}

fn text(resource: &Resource, pointer: &str) -> Option<String> {
    let text = resource.str(pointer)?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The name of the machine's vendor, in one spelling where it is known and as it came where not. Order of trust: keys of
/// Oem, Vendor, Product, the certificate as shipped; when these only name whose firmware it is, and when they are
/// silent: the system, the chassis, the manager's model, the number of IPMI.
pub fn name(facts: &Facts) -> Option<String> {
    let machine = || facts.machine().filter(|name| !names::is_firmware(name));
    let known = |name: &'static str| name.to_owned();
    let last = || {
        let manager = facts.manager_model.as_deref().and_then(names::known);
        manager
            .or_else(|| facts.ipmi_manufacturer.and_then(names::of_iana))
            .map(known)
    };
    match facts.service() {
        Some(name) if names::is_firmware(&name) => machine().or(Some(name)),
        Some(name) => Some(name),
        None => machine().or_else(|| facts.machine()).or_else(last),
    }
}

/// The overwrites that are for this BMC: classes before vendors before models. Unknown vendors have none.
pub fn recognise(facts: &Facts) -> Vec<&'static Vendor> {
    let name = name(facts);
    let mut found: Vec<&'static Vendor> = vendors()
        .filter(|vendor| vendor.matches.holds(facts, name.as_deref()))
        .collect();
    found.order_by_key(|vendor| vendor.level);
    found
}
