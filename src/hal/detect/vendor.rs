//! Who made it: names from service roots, certificates and IANA numbers, brought to one spelling.
//!
//! No whitelist: a name that is not known is passed on as it came.

use crate::hal::drivers::ipmi::manufacturer::{Maker, maker};

/// Spellings met in the field (lower case, matched as the beginning of a name) and ours.
const NAMES: &[(&str, &str)] = &[
    ("dell", "Dell"),
    ("integrated dell", "Dell"),
    ("hpe", "HPE"),
    ("hp ", "HPE"),
    ("hp", "HPE"),
    ("hewlett", "HPE"),
    ("proliant", "HPE"),
    ("lenovo", "Lenovo"),
    ("lnvo", "Lenovo"),
    ("supermicro", "Supermicro"),
    ("super micro", "Supermicro"),
    ("nvidia", "NVIDIA"),
    ("mellanox", "NVIDIA"),
    ("https://www.mellanox", "NVIDIA"),
    ("ami", "AMI"),
    ("american megatrends", "AMI"),
    ("gigabyte", "Gigabyte"),
    ("giga-byte", "Gigabyte"),
    ("giga computing", "Gigabyte"),
    ("fujitsu", "Fujitsu"),
    ("ts_fujitsu", "Fujitsu"),
    ("fsas", "Fujitsu"),
    ("huawei", "Huawei"),
    ("xfusion", "xFusion"),
    ("openbmc", "OpenBMC"),
    ("cisco", "Cisco"),
    ("intel", "Intel"),
    ("asrock", "ASRockRack"),
    ("asus", "ASUS"),
    ("quanta", "Quanta"),
    ("inspur", "Inspur"),
    ("ieit", "Inspur"),
    ("cray", "Cray"),
];

/// One spelling for a vendor. A known spelling counts only as whole words; unknown names stay.
pub fn canonical(name: &str) -> String {
    known(name).map_or_else(|| name.trim().to_owned(), str::to_owned)
}

fn known(name: &str) -> Option<&'static str> {
    let lower = name.trim().to_ascii_lowercase();
    NAMES
        .iter()
        .find(|(spelling, _)| {
            lower
                .strip_prefix(spelling)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
        })
        .map(|(_, ours)| *ours)
}

/// The vendor behind a key of `Oem`. Keys that name no vendor give `None`.
pub fn of_oem_key(key: &str) -> Option<&'static str> {
    known(key)
}

/// The vendor behind a `Product`, where the product's name begins with it.
pub fn of_product(product: &str) -> Option<&'static str> {
    known(product)
}

/// The vendor behind an organisation in a certificate. Other organisations (the operator's own CA) give `None`.
pub fn of_organization(organization: &str) -> Option<&'static str> {
    known(organization)
}

/// The vendor, or the maker of the firmware, behind an IANA enterprise number.
pub fn of_iana(number: u32) -> Option<&'static str> {
    maker(number).map(|(Maker::Server(name) | Maker::Firmware(name))| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_field() {
        for (came, ours) in [
            ("Dell Inc.", "Dell"),
            ("DELL", "Dell"),
            ("Integrated Dell Remote Access Controller", "Dell"),
            ("Hpe", "HPE"),
            ("HP", "HPE"),
            ("Hewlett Packard Enterprise", "HPE"),
            ("Super Micro Computer", "Supermicro"),
            ("Nvidia", "NVIDIA"),
            ("Nvidia-BMCMezz", "NVIDIA"),
            ("American Megatrends International LLC (AMI)", "AMI"),
            ("AMI Redfish Server", "AMI"),
            ("ts_fujitsu", "Fujitsu"),
            ("Contoso", "Contoso"),
            ("Amigo Servers", "Amigo Servers"),
            ("HPC Cluster Co", "HPC Cluster Co"),
        ] {
            assert_eq!(canonical(came), ours, "{came}");
        }
        assert_eq!(of_oem_key("Public"), None);
        assert_eq!(of_organization("Example Corp"), None);
        assert_eq!(of_iana(674), Some("Dell"));
    }
}
