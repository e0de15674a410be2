//! Oddities of BMCs that a client can act on: data, not branches.
//!
//! A row of [`all`] says which hardware it was seen on and what is done about it. Most need no flag: they
//! are recognised by their symptom, or what they need is done always. A flag in [`Quirks`] is for the others.

mod commands;
mod records;
mod session;

use serde::{Deserialize, Serialize};

/// Named oddities, each off unless a symptom, the product or the operator switched it on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quirks {
    /// RAKP 1 asks for name and privilege, never for the name alone.
    pub name_and_privilege_lookup: bool,
    /// RAKP 1 always has 16 bytes of user name.
    pub fixed_rakp1: bool,
    /// The integrity pad does not count pad length and next header.
    pub plain_integrity_pad: bool,
    /// Codes of IPMI 1.5 answers are not checked. Insecure: anybody can answer for the BMC.
    pub no_auth_code_check: bool,
    /// Sensors are read though their scanning bit says that they are not scanned.
    pub ignorescanningdisabled: bool,
    /// The UEFI disk is boot device 9 (second byte 0x24), not the default disk.
    pub uefi_disk_0x24: bool,
}

/// When a quirk is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// On every BMC: it harms none.
    Always,
    /// When its symptom shows.
    Symptom,
    /// When the product says so.
    Product,
    /// Only when the operator asks for it.
    OptIn,
}

/// One oddity: where it was seen, and what is done.
#[derive(Debug, Clone, Copy)]
pub struct QuirkInfo {
    /// Short name; that of the flag if it has one, FreeIPMI's `-W` name where there is one.
    pub name: &'static str,
    /// Hardware on which it was seen.
    pub hardware: &'static str,
    /// What goes wrong.
    pub symptom: &'static str,
    /// What halbox does.
    pub action: &'static str,
    /// When.
    pub how: How,
    /// Its switch in [`Quirks`], if it needs one.
    pub flag: Option<fn(&mut Quirks) -> &mut bool>,
}

impl Quirks {
    /// Switches the flag `name`. `false` if there is no such flag.
    pub fn set(&mut self, name: &str, on: bool) -> bool {
        let flag = all()
            .find(|info| info.name == name)
            .and_then(|info| info.flag);
        match flag {
            Some(flag) => {
                *flag(self) = on;
                true
            }
            None => false,
        }
    }
}

/// All known oddities, grouped by the layer that acts on them.
pub fn all() -> impl Iterator<Item = &'static QuirkInfo> {
    [session::ROWS, records::ROWS, commands::ROWS]
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_has_one_row_that_switches_it() {
        let serde_json::Value::Object(fields) = serde_json::to_value(Quirks::default()).unwrap()
        else {
            panic!("not an object");
        };
        for name in fields.keys() {
            let mut quirks = Quirks::default();
            assert!(quirks.set(name, true), "{name} has no row");
            let now = serde_json::to_value(&quirks).unwrap();
            for (other, value) in now.as_object().unwrap() {
                assert_eq!(
                    value,
                    &serde_json::Value::Bool(other == name),
                    "{name}: {other}"
                );
            }
        }
        let flags = all().filter(|info| info.flag.is_some()).count();
        assert_eq!(flags, fields.len());
        assert!(!Quirks::default().set("no such quirk", true));
    }

    #[test]
    fn names_are_unique_and_rows_complete() {
        for (i, info) in all().enumerate() {
            assert!(
                all().skip(i + 1).all(|other| other.name != info.name),
                "{}",
                info.name
            );
            for text in [info.hardware, info.symptom, info.action] {
                assert!(!text.is_empty(), "{}", info.name);
            }
        }
    }
}
