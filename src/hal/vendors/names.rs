//! One spelling for each vendor: names from service roots, certificates and IANA numbers.
//!
//! No whitelist: a name that is not known is passed on as it came.

use crate::hal::drivers::ipmi::manufacturer::{self, Maker, maker};

/// Keys of `Oem` in service roots that name a vendor. Others name a feature (`Intel_RackScale` stands on Quanta's).
const OEM_KEYS: &[(&str, &str)] = &[
    ("Dell", "Dell"),
    ("Hpe", "HPE"),
    ("Hp", "HPE"),
    ("Lenovo", "Lenovo"),
    ("Supermicro", "Supermicro"),
    ("Ami", "AMI"),
    ("ts_fujitsu", "Fujitsu"),
    ("Fsas", "Fujitsu"),
    ("Huawei", "Huawei"),
    ("xFusion", "xFusion"),
    ("Inspur", "Inspur"),
    ("Nvidia", "NVIDIA"),
    ("Cisco", "Cisco"),
    ("H3C", "H3C"),
    ("Gigabyte", "Gigabyte"),
    ("ASRockRack", "ASRockRack"),
    ("OpenBmc", "OpenBMC"),
];

/// Vendors whose BMCs are shipped with a certificate in their own name. Other known names (Google, Cisco) are rather
/// those of the authority that the operator uses.
const CERTIFIERS: &[&str] = &[
    "Dell",
    "HPE",
    "Lenovo",
    "Supermicro",
    "AMI",
    "OpenBMC",
    "Fujitsu",
    "Huawei",
    "xFusion",
    "Inspur",
    "NVIDIA",
    "Gigabyte",
    "ASRockRack",
    "Quanta",
    "H3C",
];

/// Names of firmware that is in machines of many vendors.
const FIRMWARE: &[&str] = &["AMI", "OpenBMC", "Insyde", "Avocent", "ATEN", "OpenPOWER"];

/// One spelling for a vendor: that of a known name, else the text as it came; `None` for blanks and fillers.
pub fn canonical(name: &str) -> Option<String> {
    let name = name.trim();
    let lower = name.to_ascii_lowercase();
    let filler = name.is_empty()
        || [
            "to be filled",
            "default string",
            "system manufacturer",
            "not specified",
            "n/a",
            "unknown",
        ]
        .iter()
        .any(|f| lower.starts_with(f));
    (!filler).then(|| known(name).map_or_else(|| name.to_owned(), str::to_owned))
}

/// The vendor that a text begins with, as a whole word.
pub fn known(text: &str) -> Option<&'static str> {
    manufacturer::known(text.trim())
}

/// The vendor behind a key of `Oem`.
pub fn of_oem_key(key: &str) -> Option<&'static str> {
    OEM_KEYS
        .iter()
        .find(|(theirs, _)| theirs.eq_ignore_ascii_case(key))
        .map(|(_, ours)| *ours)
}

/// The vendor behind an organisation in a certificate as shipped.
pub fn of_organization(organization: &str) -> Option<&'static str> {
    known(organization).filter(|name| CERTIFIERS.contains(name))
}

/// The vendor, or the maker of the firmware, behind an IANA enterprise number.
pub fn of_iana(number: u32) -> Option<&'static str> {
    maker(number).map(|(Maker::Server(name) | Maker::Firmware(name))| name)
}

/// Is it the name of a firmware, in machines of many vendors?
pub fn is_firmware(name: &str) -> bool {
    FIRMWARE.contains(&name)
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
            ("HP", "HPE"),
            ("Hewlett Packard Enterprise", "HPE"),
            ("ProLiant DL360 Gen10 Plus", "HPE"),
            ("LNVO", "Lenovo"),
            ("Super Micro Computer", "Supermicro"),
            ("Nvidia", "NVIDIA"),
            ("Nvidia-BMCMezz", "NVIDIA"),
            ("https://www.mellanox.com", "NVIDIA"),
            ("American Megatrends International LLC (AMI)", "AMI"),
            ("AMI Redfish Server", "AMI"),
            ("GIGABYTE", "Gigabyte"),
            ("Giga Computing", "Gigabyte"),
            ("OpenBmc", "OpenBMC"),
            ("Intel(R) Corporation", "Intel"),
            ("Contoso", "Contoso"),
            ("Amigo Servers", "Amigo Servers"),
            ("HPC Cluster Co", "HPC Cluster Co"),
        ] {
            assert_eq!(canonical(came).as_deref(), Some(ours), "{came}");
        }
        for filler in ["", "  ", "To be filled by O.E.M.", "Default string"] {
            assert_eq!(canonical(filler), None, "{filler:?}");
        }
        assert_eq!(of_oem_key("Public"), None);
        assert_eq!(of_oem_key("Intel_RackScale"), None);
        assert_eq!(of_oem_key("ts_fujitsu"), Some("Fujitsu"));
        assert_eq!(of_organization("Example Corp"), None);
        assert_eq!(of_organization("Google Trust Services LLC"), None);
        assert_eq!(of_iana(674), Some("Dell"));
    }
}
