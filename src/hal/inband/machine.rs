//! Which machine this is: what its firmware tells by SMBIOS, as the kernel shows it.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

use super::dmi;
use crate::hal::model::guid::GuidOrder;
use crate::hal::model::order::Order;
use crate::hal::model::{Guid, MacAddr};

/// Longest file that is read.
const LIMIT: u64 = 1 << 20;
/// `sys_vendor` and product names of virtual machines.
const VIRTUAL: &[&str] = &[
    "QEMU",
    "KVM",
    "VMware",
    "Virtual Machine",
    "VirtualBox",
    "Xen",
    "Cloud Hypervisor",
    "Bochs",
    "Google Compute Engine",
    "Amazon EC2",
];

/// The machine as its firmware describes it. What is missing, blank or a placeholder is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// UUID, lower case.
    pub uuid: Option<String>,
    /// Manufacturer.
    pub vendor: Option<String>,
    /// Product.
    pub product: Option<String>,
    /// Serial number of the product.
    pub serial: Option<String>,
    /// Manufacturer, name and serial number of the board.
    pub board: [Option<String>; 3],
    /// Serial number of the chassis.
    pub chassis_serial: Option<String>,
    /// Version, vendor and date of the BIOS.
    pub bios: [Option<String>; 3],
    /// Started by UEFI?
    pub uefi: bool,
    /// It is a virtual machine.
    pub is_virtual: bool,
    /// SMBIOS type 42: the BMC has a Redfish host interface.
    pub host_interface: bool,
    /// Where its service is.
    pub redfish: Option<SocketAddr>,
    /// MAC of the first network card.
    pub first_nic: Option<MacAddr>,
}

impl Machine {
    /// Reads it from below `root` (`/`).
    pub fn read(root: &Path) -> Self {
        let field = |name: &str| text(&root.join("sys/class/dmi/id").join(name));
        let table = bytes(&root.join("sys/firmware/dmi/tables/DMI")).unwrap_or_default();
        let structures = dmi::structures(&table);
        let uuid = field("product_uuid")
            .map(|u| u.to_ascii_lowercase())
            .or_else(|| dmi::uuid(&structures));
        let vendor = field("sys_vendor");
        let product = field("product_name");
        let is_virtual = [&vendor, &product]
            .into_iter()
            .flatten()
            .any(|text| VIRTUAL.iter().any(|word| text.contains(word)));
        Self {
            uuid: uuid.filter(|u| is_uuid(u)),
            serial: field("product_serial"),
            board: [
                field("board_vendor"),
                field("board_name"),
                field("board_serial"),
            ],
            chassis_serial: field("chassis_serial"),
            bios: [
                field("bios_version"),
                field("bios_vendor"),
                field("bios_date"),
            ],
            uefi: root.join("sys/firmware/efi").is_dir(),
            is_virtual,
            host_interface: structures.iter().any(|s| s.kind == dmi::HOST_INTERFACE),
            redfish: dmi::redfish_service(&structures),
            first_nic: first_nic(&root.join("sys/class/net")),
            vendor,
            product,
        }
    }

    /// Is this GUID of the BMC the machine's UUID, in one of the orders in which BMCs send it?
    pub fn is_same(&self, guid: Guid) -> bool {
        let orders = [GuidOrder::Smbios, GuidOrder::Rfc4122, GuidOrder::Ipmi];
        let uuid = self.uuid.as_deref();
        orders
            .iter()
            .any(|order| uuid == Some(guid.to_uuid(*order).as_str()))
    }
}

/// 8-4-4-4-12 hexadecimal digits, not all the same.
pub fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|g| g.len()).collect();
    let mut digits = groups.iter().flat_map(|g| g.bytes());
    let first = digits.clone().next();
    lengths == [8, 4, 4, 4, 12]
        && digits.clone().all(|b| b.is_ascii_hexdigit())
        && digits.any(|b| Some(b) != first)
}

fn bytes(path: &Path) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let file = File::open(path).ok()?;
    file.take(LIMIT).read_to_end(&mut out).ok()?;
    Some(out)
}

/// One line; `None` for what firmware puts where it knows nothing.
fn text(path: &Path) -> Option<String> {
    let raw = bytes(path)?;
    let text = String::from_utf8_lossy(&raw).trim().to_owned();
    let nothing = [
        "to be filled by o.e.m.",
        "default string",
        "not specified",
        "none",
        "unknown",
        "system serial number",
        "0123456789",
    ];
    let blank = text.is_empty() || nothing.contains(&text.to_ascii_lowercase().as_str());
    (!blank).then_some(text)
}

/// The first card with hardware behind it, by name.
fn first_nic(net: &Path) -> Option<MacAddr> {
    let mut cards: Vec<_> = std::fs::read_dir(net)
        .ok()?
        .take(4096)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|card| card.join("device").exists())
        .collect();
    cards.order_by(Ord::cmp);
    cards.iter().find_map(|card| {
        let mac: MacAddr = text(&card.join("address"))?.parse().ok()?;
        mac.is_usable().then_some(mac)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    #[test]
    fn what_the_kernel_shows() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let id = |name: &str, text: &str| write(root, &format!("sys/class/dmi/id/{name}"), text);
        id("product_uuid", "37C43C25-69FE-4F88-B69D-4E71DC4070D0\n");
        id("sys_vendor", "Supermicro\n");
        id("product_serial", "To Be Filled By O.E.M.\n");
        id("bios_date", "12/31/2021\n");
        for (name, mac) in [("eth1", "0a:00:00:00:00:02"), ("eth0", "0a:00:00:00:00:01")] {
            write(root, &format!("sys/class/net/{name}/address"), mac);
            write(root, &format!("sys/class/net/{name}/device/vendor"), "x");
        }
        write(root, "sys/class/net/bond0/address", "0a:00:00:00:00:09");
        let machine = Machine::read(root);
        let uuid = "37c43c25-69fe-4f88-b69d-4e71dc4070d0";
        assert_eq!(machine.uuid.as_deref(), Some(uuid));
        assert_eq!((machine.serial.clone(), machine.is_virtual), (None, false));
        assert_eq!(machine.first_nic.unwrap().to_string(), "0a:00:00:00:00:01");
        assert_eq!(machine.bios[2].as_deref(), Some("12/31/2021"));
        let sent = |order| {
            Guid(
                Guid(Guid(*b"\x37\xc4\x3c\x25\x69\xfe\x4f\x88\xb6\x9d\x4e\x71\xdc\x40\x70\xd0").0)
                    .reordered(order),
            )
        };
        for order in [GuidOrder::Smbios, GuidOrder::Rfc4122, GuidOrder::Ipmi] {
            assert!(machine.is_same(sent(order)), "{order:?}");
        }
        assert!(!machine.is_same(Guid([7; 16])));
        id("sys_vendor", "QEMU\n");
        id("product_uuid", "00000000-0000-0000-0000-000000000000");
        let machine = Machine::read(root);
        assert!(machine.is_virtual && machine.uuid.is_none());
        assert_eq!(Machine::read(&root.join("nowhere")), Machine::default());
    }
}
