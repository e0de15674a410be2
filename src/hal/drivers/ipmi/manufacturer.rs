//! Who is behind the manufacturer id of Get Device ID: IANA private enterprise numbers of those who make servers
//! or the firmware of their BMCs. Names are spelled as halbox shows them.

/// Whom a number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// Someone who sells servers under this name.
    Server(&'static str),
    /// Someone whose BMC or firmware is in servers of many names: the FRU may know better.
    Firmware(&'static str),
}

/// Numbers in ascending order.
const MAKERS: &[(u32, Maker)] = {
    use Maker::{Firmware, Server};
    &[
        (2, Firmware("IBM")),
        (9, Server("Cisco")),
        (11, Server("HPE")),
        (34, Server("Cray")),
        (42, Server("Sun")),
        (59, Server("SGI")),
        (107, Server("Bull")),
        (111, Server("Oracle")),
        (116, Server("Hitachi")),
        (119, Server("NEC")),
        (186, Server("Toshiba")),
        (193, Server("Ericsson")),
        (211, Server("Fujitsu")),
        (223, Server("Unisys")),
        (231, Server("Fujitsu")),
        (343, Server("Intel")),
        (399, Server("Hitachi")),
        (458, Server("Stratus")),
        (674, Server("Dell")),
        (2011, Server("Huawei")),
        (2468, Server("Ingrasys")),
        (2623, Server("ASUS")),
        (3704, Server("AMD")),
        (4337, Server("RadiSys")),
        (4769, Firmware("IBM")),
        // Magnum's, but X8DTL sends it.
        (5593, Server("Supermicro")),
        (5703, Server("NVIDIA")),
        (5771, Server("Cisco")),
        (6569, Server("Inventec")),
        (6653, Server("Tyan")),
        (7244, Server("Quanta")),
        (9091, Server("MSI")),
        (9342, Server("Penguin Computing")),
        (10297, Server("Advantech")),
        (10368, Server("Fujitsu")),
        (10418, Firmware("Avocent")),
        (10437, Firmware("Peppercon")),
        (10876, Server("Supermicro")),
        (11102, Firmware("OSA")),
        (11129, Server("Google")),
        (11161, Server("Wistron")),
        (11183, Server("Mitac")),
        (12290, Server("Celestica")),
        (13742, Firmware("Raritan")),
        (15000, Server("Kontron")),
        (15370, Server("Gigabyte")),
        (17084, Server("Foxconn")),
        (19046, Server("Lenovo")),
        (20301, Firmware("IBM")),
        (20569, Server("Inventec")),
        (20974, Firmware("AMI")),
        (21317, Firmware("ATEN")),
        (22238, Server("Foxconn")),
        (22816, Server("Rackable")),
        (24339, Server("ADLINK")),
        (25506, Server("H3C")),
        (27500, Server("Sugon")),
        (28458, Server("Nokia")),
        (32022, Server("Pegatron")),
        (32535, Server("ZT Systems")),
        (33049, Server("NVIDIA")),
        (37945, Server("Inspur")),
        (38067, Server("Cray")),
        (40092, Server("Wiwynn")),
        (40981, Server("Facebook")),
        (42817, Firmware("IBM")),
        (45065, Firmware("Insyde")),
        (46045, Server("ByteDance")),
        (47196, Server("HPE")),
        // Never assigned to it, but X8DTH, X8DTG and X8DTU send it.
        (47488, Server("Supermicro")),
        (48512, Server("Inspur")),
        (49622, Server("ASRockRack")),
        (49769, Server("YADRO")),
        (49871, Firmware("OpenBMC")),
        (50630, Server("Compal")),
        (51974, Server("Raptor")),
        (52538, Server("Ampere")),
        (52893, Server("Inspur")),
        (54337, Firmware("OpenPOWER")),
        (55380, Server("Nettrix")),
        (58132, Server("xFusion")),
        (59176, Server("PowerLeader")),
        (61847, Server("Inspur")),
        (61872, Server("Kaytus")),
        (61878, Server("H3C")),
    ]
};

/// Ways in which FRUs write some of these names; lower case, the beginning of the text.
const SPELLINGS: &[(&str, &str)] = &[
    ("american megatrends", "AMI"),
    ("asrock", "ASRockRack"),
    ("asustek", "ASUS"),
    ("fsas", "Fujitsu"),
    ("giga computing", "Gigabyte"),
    ("giga-byte", "Gigabyte"),
    ("hewlett", "HPE"),
    ("hp", "HPE"),
    ("https://www.mellanox", "NVIDIA"),
    ("ieit", "Inspur"),
    ("integrated dell", "Dell"),
    ("lnvo", "Lenovo"),
    ("mellanox", "NVIDIA"),
    ("micro-star", "MSI"),
    ("proliant", "HPE"),
    ("super micro", "Supermicro"),
    ("ts_fujitsu", "Fujitsu"),
];

/// Whom the manufacturer id `number` belongs to. Only 20 bits of it count (§20.1); BMCs fill the others.
pub fn maker(number: u32) -> Option<Maker> {
    let number = number & 0x000f_ffff;
    let at = MAKERS.binary_search_by_key(&number, |(n, _)| *n).ok()?;
    MAKERS.get(at).map(|(_, maker)| *maker)
}

/// The name of the machine's vendor: that of the number where it tells one, else what the FRU says (known names
/// in their one spelling, others as they are), else whose firmware it is.
pub fn vendor(number: Option<u32>, fru: Option<&str>) -> Option<String> {
    let maker = number.and_then(maker);
    let fru = fru.map(str::trim).filter(|text| !text.is_empty());
    match (maker, fru) {
        (Some(Maker::Server(name)), _) | (Some(Maker::Firmware(name)), None) => {
            Some(name.to_owned())
        }
        (_, Some(text)) => Some(known(text).map_or_else(|| text.to_owned(), str::to_owned)),
        (None, None) => None,
    }
}

/// The known name that a text begins with, as a whole word.
pub fn known(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let begins = |name: &str| {
        lower
            .strip_prefix(name)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    };
    let names = MAKERS.iter().map(|(_, maker)| match maker {
        Maker::Server(name) | Maker::Firmware(name) => (name.to_ascii_lowercase(), *name),
    });
    let spellings = SPELLINGS
        .iter()
        .map(|(text, name)| ((*text).to_owned(), *name));
    names
        .chain(spellings)
        .find(|(name, _)| begins(name))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_and_found() {
        assert!(MAKERS.is_sorted_by(|(a, _), (b, _)| a < b));
        for (number, found) in MAKERS {
            assert_eq!(maker(*number), Some(*found));
        }
        assert_eq!(maker(10876 + 0xf0_0000), Some(Maker::Server("Supermicro")));
        assert_eq!(maker(0), None);
        assert_eq!(maker(0xff_ffff), None);
    }

    #[test]
    fn the_number_goes_before_the_fru_unless_it_is_of_the_firmware() {
        let name = |number, fru| vendor(number, fru).unwrap_or_default();
        assert_eq!(name(Some(674), Some("DELL")), "Dell");
        // Quirk `manufacturer_number`.
        assert_eq!(name(Some(47488), None), "Supermicro");
        assert_eq!(name(Some(5593), None), "Supermicro");
        assert_eq!(name(Some(20974), Some("GIGA-BYTE TECHNOLOGY")), "Gigabyte");
        assert_eq!(name(Some(20974), Some("GIGABYTE")), "Gigabyte");
        assert_eq!(name(Some(20974), Some("  ")), "AMI");
        assert_eq!(name(Some(49871), Some("Contoso Ltd")), "Contoso Ltd");
        assert_eq!(name(None, Some("HPE")), "HPE");
        assert_eq!(name(None, Some("HP ProLiant")), "HPE");
        assert_eq!(name(None, Some("HPC Cluster Co")), "HPC Cluster Co");
        assert_eq!(name(Some(12_345), None), "");
    }
}
