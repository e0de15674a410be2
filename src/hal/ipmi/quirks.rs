//! Oddities of BMCs that a client can act on: data, not branches.
//!
//! A row of [`QUIRKS`] says which hardware it was seen on and what is done about it. Most need no flag: they
//! are recognised by their symptom, or what they need is done always. A flag in [`Quirks`] is for the others.

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
        let flag = QUIRKS
            .iter()
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
pub const QUIRKS: &[QuirkInfo] = &[
    // Session
    QuirkInfo {
        name: "opensesspriv",
        hardware: "Sun Fire 4100/4150/4200/4500, Inventec 5441, Supermicro X8DTH/X8DTG/X8DTU, Intel S5500WBV, \
                   S2600JF, Quanta QSSC-S4R, Dell C5220, ipmi_sim",
        symptom: "privilege 0 in Open Session is hashed or answered as 0",
        action: "Open Session carries the concrete privilege of RAKP 1",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "authcap",
        hardware: "Asus P5M2, P5MT-R, RS162-E4, Intel SR1520ML, X38ML, Sun Fire 2200/4150/4450 ELOM, Vadatech VT811",
        symptom: "Get Channel Authentication Capabilities lies",
        action: "RMCP+ logs in without asking; IPMI 1.5 takes the answer as a hint",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "suite_refusal_codes",
        hardware: "Intel M50CYP (0x01), Supermicro X8DTG (0x0a), MSI MS-91D2 (0x12)",
        symptom: "a cipher suite that is not there is refused with another status",
        action: "any Open Session error leads to the next suite",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "integritycheckvalue",
        hardware: "Supermicro X8DTG/X8DTU, Intel S5500WBV, S2600JF",
        symptom: "RAKP 4 of cipher suite 0 carries a check value",
        action: "ignored: there is no key to check it with",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "rakp2_excess",
        hardware: "Supermicro H8QME with SIMSO (supermicro20), Sun Fire 4100 (sun20)",
        symptom: "the code in RAKP 2 is longer than its digest",
        action: "the leading bytes are checked, the excess ignored",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "intel20",
        hardware: "Intel SE7520AF2 with Server Management Module Professional",
        symptom: "name hashed with padding, MD5 password cut to 16 bytes, check value by the integrity algorithm",
        action: "RAKP 2 and 4 are checked against these ways of hashing too",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "name_and_privilege_lookup",
        hardware: "Intel SE7520AF2 with Server Management Module Professional",
        symptom: "the name-only bit in RAKP 1 makes the login fail",
        action: "RAKP 1 without the bit",
        how: How::Product,
        flag: Some(|q| &mut q.name_and_privilege_lookup),
    },
    QuirkInfo {
        name: "i82571spt",
        hardware: "Intel 82571 super pass-through",
        symptom: "the role is hashed without the name-only bit",
        action: "RAKP 2 is checked against this way of hashing too",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "fixed_rakp1",
        hardware: "Intel 82571 super pass-through",
        symptom: "RAKP 1 must have 44 bytes",
        action: "the name in RAKP 1 is padded to 16 bytes",
        how: How::Product,
        flag: Some(|q| &mut q.fixed_rakp1),
    },
    QuirkInfo {
        name: "plain_integrity_pad",
        hardware: "ICTS firmware",
        symptom: "packets are dropped unless padded without counting pad length and next header",
        action: "pads that way",
        how: How::Product,
        flag: Some(|q| &mut q.plain_integrity_pad),
    },
    QuirkInfo {
        name: "nochecksumcheck",
        hardware: "Supermicro X9SCM-iiF, X9DRi-F, X9DRFR",
        symptom: "checksums of messages are wrong",
        action: "ignored where the session's HMAC has vouched for the message",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "sequence_gaps",
        hardware: "ASRock MT-C224 on a shared port; Intel SE7520JR2/AF2",
        symptom: "session sequence numbers of answers skip, or start one off",
        action: "receive window of +15/-16 that moves with the highest number seen",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "first_packet_dropped",
        hardware: "OpenBMC",
        symptom: "the first packet after RAKP 4 gets lost in the BMC",
        action: "every datagram is retransmitted by itself",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "no_close_response",
        hardware: "Intel SR870BN4 after a reset",
        symptom: "Close Session is not answered",
        action: "three tries, then the session counts as closed",
        how: How::Always,
        flag: None,
    },
    // IPMI 1.5
    QuirkInfo {
        name: "idzero",
        hardware: "Tyan S2882 (m3289)",
        symptom: "IPMI 1.5 answers carry session id 0",
        action: "accepted: the message still has to fit the request",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "unexpectedauth",
        hardware: "Dell PE 2850, SC1425",
        symptom: "IPMI 1.5 answers are authenticated though the BMC said they would not be",
        action: "the code is verified as if expected",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "forcepermsg",
        hardware: "IBM eServer 325, Supermicro H8QME",
        symptom: "says that messages need no authentication and then wants it",
        action: "every message is authenticated",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "endianseq",
        hardware: "Sun ILOM 1.0/2.0",
        symptom: "IPMI 1.5 sequence numbers are byte-swapped",
        action: "recognised by the first answer whose number only fits swapped",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "no_auth_code_check",
        hardware: "Xyratex FB-H8-SRAY, Intel Windmill, Quanta Winterfell, Wiwynn Windmill, Supermicro X9DRT-HF+",
        symptom: "codes of IPMI 1.5 answers are wrong",
        action: "not checked; insecure, so only on request",
        how: How::OptIn,
        flag: Some(|q| &mut q.no_auth_code_check),
    },
    // FRU, SDR, sensors, SEL
    QuirkInfo {
        name: "skipchecks",
        hardware: "Inventec 5441, Dell R610/R710, Quanta, ASRock Rack",
        symptom: "checksums of FRU data are wrong",
        action: "a warning; the data is decoded all the same",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "fru_absent_codes",
        hardware: "Lenovo IMM, Supermicro and others",
        symptom: "a FRU device that is not there is refused with 0xCB, 0xC9, 0xC3, 0x81, ...",
        action: "the device is left out",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "fru_lying_length",
        hardware: "various",
        symptom: "fields of a FRU area go on behind its length, or have no end marker",
        action: "read and decoded up to the next area, with a warning",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "fru_language",
        hardware: "Quanta and others",
        symptom: "a language other than English, but ASCII instead of UTF-16",
        action: "bytes that are all printable ASCII are ASCII",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "short_reads",
        hardware: "ipmi_sim (34 bytes of FRU data), Xyratex (fewer bytes than asked for), many old BMCs",
        symptom: "large reads are refused with 0xC7, 0xC8, 0xC9, 0xCA, 0xFF, or cut",
        action: "shorter reads; the length is remembered",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "assumemaxsdrrecordcount",
        hardware: "Inspur",
        symptom: "no last record id: the list of SDRs never ends",
        action: "the list ends where it turns back on itself",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "sdr_count",
        hardware: "Fujitsu RX100, RX300, RX200 S8",
        symptom: "the record count of the repository is wrong",
        action: "the list of records is followed to its end",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "sdr_record_id",
        hardware: "Supermicro X6DHR-1G with BMC 2.0",
        symptom: "an SDR carries another id than the one that was asked for",
        action: "the id that was asked for is used",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "sdr_excess",
        hardware: "HP DL585 G7",
        symptom: "bytes behind the end of an SDR",
        action: "cut",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "sdr_last_timeout",
        hardware: "Dell FC830",
        symptom: "the last SDR is always answered by 0xC3",
        action: "skipped",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "sdr_info_refused",
        hardware: "Artesyn ATCA-7367 (0xC1), Wiwynn Windmill (0xD4)",
        symptom: "Get SDR Repository Info and Reserve SDR Repository are refused",
        action: "Get SDR without a reservation, then device SDRs",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "absent_sensor_codes",
        hardware: "Dell 2950, 2650, Sun V20Z, X4450 ELOM 3.0, Blade X6250, HP DL145 G2, 6000M2",
        symptom: "an absent sensor is answered by 0xCB, 0xCD, 0xC9, 0xCE, 0xD5, 0xFF or 0xD3",
        action: "the sensor has no reading; it is not asked again",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "missing_state_bytes",
        hardware: "Dell 2950, Inventec",
        symptom: "Get Sensor Reading ends before its state bytes",
        action: "they count as 0",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "illegal_supply_states",
        hardware: "Dell 2950, Supermicro X9DRi-LN4F+, H8SGL-F",
        symptom: "reserved bits 8..14 of power supply states are set",
        action: "ignored for health and state of supplies",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "discretereading",
        hardware: "HP DL380 G7, ML310 G5",
        symptom: "a discrete sensor has an analog reading",
        action: "shown when its record has factors and a unit",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "ignorescanningdisabled",
        hardware: "Dell 2900, 2950, R410, R610, HP rx3600",
        symptom: "the scanning bit says disabled though the reading is right",
        action: "the reading is shown",
        how: How::Product,
        flag: Some(|q| &mut q.ignorescanningdisabled),
    },
    QuirkInfo {
        name: "assumebmcowner",
        hardware: "Fujitsu RX300, RX300 S2, HP DL140 G1",
        symptom: "records name a sensor owner that is not there (0xD3, 0xC1)",
        action: "the BMC is asked instead",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "assumesystemevent",
        hardware: "HP DL380 G5, Intel S2600JF",
        symptom: "events have an illegal SEL record type",
        action: "read as system events when their format version is that of one",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "sel_next_zero",
        hardware: "BMCs seen by ipmitool",
        symptom: "Get SEL Entry names 0 as the next entry at random",
        action: "asked once more",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "sel_reserve_refused",
        hardware: "Supermicro H8QME",
        symptom: "Reserve SEL needs OPERATOR",
        action: "continues with reservation 0",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "sel_clear_lies",
        hardware: "OpenBMC on IBM hardware",
        symptom: "Clear SEL says done, but the entries are still there",
        action: "entries are counted afterwards; an error that says so",
        how: How::Always,
        flag: None,
    },
    // Chassis, DCMI
    QuirkInfo {
        name: "chassis_excess",
        hardware: "ipmi_sim (Get Chassis Capabilities of 35 bytes), HP DL380 G5 (12 bytes behind the boot options)",
        symptom: "answers are longer than specified",
        action: "the excess is ignored",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "power_lag",
        hardware: "HP (named in the manual of ipmipower)",
        symptom: "the power state lags behind the acknowledgement",
        action: "it is read again until the goal or the deadline",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "power_silence",
        hardware: "BMCs that are busy while they switch power",
        symptom: "0xC0 or no answer right after Chassis Control",
        action: "the next look decides; the action is not sent again",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "identify_force",
        hardware: "IPMI 1.5 BMCs",
        symptom: "Chassis Identify with \"force on\" is refused, or taken for off",
        action: "the longest interval (255 s) instead",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "boot_expiry",
        hardware: "most BMCs",
        symptom: "boot flags are dropped 60 s after they were set",
        action: "parameter 3 says that they shall stay",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "no_boot_parameter_3",
        hardware: "OpenBMC",
        symptom: "parameter 3 of the boot options is refused",
        action: "set without it",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "boot_flags_lost",
        hardware: "ipmi_sim (valid, persistent, UEFI); boards on which IPMI cannot set UEFI or persistence",
        symptom: "a set of boot flags is accepted and not kept",
        action: "read back, up to 3 times in 2 s; else an error that names both",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "uefi_disk_0x24",
        hardware: "Supermicro boards",
        symptom: "UEFI boot from disk is only done for boot device 9",
        action: "the disk of UEFI is that device",
        how: How::Product,
        flag: Some(|q| &mut q.uefi_disk_0x24),
    },
    QuirkInfo {
        name: "dcmi_false",
        hardware: "Inventec",
        symptom: "DCMI is advertised and then refused",
        action: "capabilities are not asked for; the reading itself decides",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "power_not_measured",
        hardware: "boards without measuring supplies",
        symptom: "Get Power Reading says inactive, or 0 W throughout",
        action: "the values are absent",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "power_limit_0x80",
        hardware: "various",
        symptom: "Get Power Limit answers 0x80 and sends the limit nevertheless",
        action: "the limit is taken as not active",
        how: How::Symptom,
        flag: None,
    },
    QuirkInfo {
        name: "asset_tag_tail",
        hardware: "various",
        symptom: "a shorter asset tag leaves the end of the one before",
        action: "all 64 bytes are written",
        how: How::Always,
        flag: None,
    },
    QuirkInfo {
        name: "asset_tag_no_length",
        hardware: "Supermicro",
        symptom: "Set Asset Tag answers without a length",
        action: "accepted",
        how: How::Symptom,
        flag: None,
    },
];

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
        let flags = QUIRKS.iter().filter(|info| info.flag.is_some()).count();
        assert_eq!(flags, fields.len());
        assert!(!Quirks::default().set("no such quirk", true));
    }

    #[test]
    fn names_are_unique_and_rows_complete() {
        for (i, info) in QUIRKS.iter().enumerate() {
            assert!(
                QUIRKS
                    .iter()
                    .skip(i + 1)
                    .all(|other| other.name != info.name),
                "{}",
                info.name
            );
            for text in [info.hardware, info.symptom, info.action] {
                assert!(!text.is_empty(), "{}", info.name);
            }
        }
    }
}
