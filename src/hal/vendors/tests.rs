use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::*;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::learnt::{Learnt, LearntCell};
use crate::hal::ipmi::quirks::{self, How, Quirks};
use crate::hal::ipmi::{Request, Response};
use crate::hal::model::{BoxFuture, Cx};

#[test]
fn every_row_names_flags_that_there_are() {
    for row in vendors().flat_map(|vendor| vendor.ipmi) {
        assert!(!row.manufacturers.is_empty());
        for name in row.quirks {
            assert!(Quirks::default().set(name, true), "{name}");
            let info = quirks::all().find(|info| info.name == *name).unwrap();
            assert_eq!(info.how, How::Product, "{name}");
        }
    }
}

#[test]
fn by_manufacturer_and_product() {
    let disk = |manufacturer, product| quirks_for(manufacturer, product).uefi_disk_0x24;
    assert!(disk(10_876, 1));
    assert!(disk(47_488, 0xffff));
    assert!(!disk(674, 256));
    assert_eq!(quirks_for(0, 0), Quirks::default());
    let row = Row {
        manufacturers: &[1],
        products: Some((10, 20)),
        quirks: &["uefi_disk_0x24"],
        user_slot: None,
        redfish_role: RedfishRole::Ipmi,
    };
    let matched = [9, 10, 20, 21].map(|product| row.matches(1, product));
    assert_eq!(matched, [false, true, true, false]);
    assert!(!row.matches(2, 10));
}

#[test]
fn customary_slots() {
    let slot = |manufacturer| {
        let mut learnt = Learnt::default();
        ipmi::switch_on(&mut learnt, manufacturer, 1);
        learnt.user_slot
    };
    assert_eq!(slot(10_876), Some(10));
    assert_eq!(slot(47_488), Some(10));
    for three in [674, 19_046, 15_370, 211, 231, 10_368] {
        assert_eq!(slot(three), Some(3), "{three}");
    }
    for none in [47_196, 20_974, 343, 49_871, 0] {
        assert_eq!(slot(none), None, "{none}");
    }
}

#[test]
fn names_are_unique_and_every_change_has_its_reason() {
    let mut names = std::collections::BTreeSet::new();
    for vendor in vendors() {
        assert!(
            names.insert(vendor.name) && !vendor.about.is_empty(),
            "{}",
            vendor.name
        );
        let mut changed: std::collections::BTreeSet<String> = show::redfish_changes(vendor)
            .into_iter()
            .map(|(flag, _)| flag)
            .collect();
        let slots = vendor.ipmi.iter().any(|row| row.user_slot.is_some());
        changed.extend(slots.then(|| "user_slot".to_owned()));
        let roles = vendor
            .ipmi
            .iter()
            .any(|row| row.redfish_role != RedfishRole::Ipmi);
        changed.extend(roles.then(|| "redfish_role".to_owned()));
        let mut reasons: std::collections::BTreeSet<String> =
            vendor.why.iter().map(|why| why.flag.to_owned()).collect();
        assert_eq!(reasons.len(), vendor.why.len(), "{}", vendor.name);
        // Slots that are replaced have a reason each, too.
        let replaced = reasons.iter().filter(|r| !changed.contains(*r)).count();
        assert_eq!(
            replaced > 0,
            vendor.apply.is_some(),
            "{}: {reasons:?}",
            vendor.name
        );
        reasons.retain(|r| changed.contains(r));
        assert_eq!(reasons, changed, "{}", vendor.name);
        assert!(
            vendor
                .why
                .iter()
                .all(|w| !w.what.is_empty() && !w.seen_on.is_empty())
        );
    }
}

/// Evidence, and the fields of the quirks that come of it.
fn facts(text: &str) -> Facts {
    let mut facts = Facts::default();
    for pair in text.split("; ").filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap();
        let value = value.to_owned();
        match key {
            "oem" => facts.oem.push(value),
            "tls" => facts.tls.push(value),
            "vendor" => facts.vendor = Some(value),
            "product" => facts.product = Some(value),
            "made" => facts.manufacturer = Some(value),
            "chassis" => facts.chassis_manufacturer = Some(value),
            "model" => facts.model = Some(value),
            "manager" => facts.manager_model = Some(value),
            "iana" => facts.ipmi_manufacturer = value.parse().ok(),
            other => panic!("{other}"),
        }
    }
    facts
}

fn found(text: &str) -> (String, String) {
    let facts = facts(text);
    let names: Vec<_> = recognise(&facts).iter().map(|v| v.name).collect();
    (name(&facts).unwrap_or_default(), names.join(" "))
}

#[test]
fn who_it_is_and_what_is_overwritten() {
    for (evidence, vendor, overwrites) in [
        ("oem=Dell; vendor=Dell; made=Dell Inc.", "Dell", "dell"),
        (
            "product=Integrated Dell Remote Access Controller; made=",
            "Dell",
            "dell",
        ),
        ("tls=Dell Inc.", "Dell", "dell"),
        (
            "oem=Hpe; vendor=HPE; product=ProLiant DL360 Gen10 Plus",
            "HPE",
            "hpe",
        ),
        ("oem=Hp", "HPE", "hpe hpe-ilo4"),
        ("made=HPE; model=HPE CRAY EX235a", "HPE", "cray"),
        ("vendor=Lenovo; made=Lenovo", "Lenovo", "lenovo"),
        (
            "vendor=Lenovo; model=ThinkSystem SR675 V3",
            "Lenovo",
            "lenovo lenovo-sr675v3",
        ),
        ("made=LNVO", "Lenovo", "lenovo"),
        (
            "oem=Ami; vendor=AMI; made=Lenovo",
            "Lenovo",
            "ami lenovo-ami",
        ),
        (
            "oem=Supermicro; made=Supermicro",
            "Supermicro",
            "supermicro",
        ),
        (
            "made=Supermicro; manager=ASPEED",
            "Supermicro",
            "supermicro",
        ),
        ("tls=Super Micro Computer", "Supermicro", "supermicro"),
        (
            "oem=Ami; oem=Dre; vendor=AMI; product=AMI Redfish Server",
            "AMI",
            "ami",
        ),
        (
            "oem=Ami; vendor=AMI; made=GIGABYTE",
            "Gigabyte",
            "ami gigabyte",
        ),
        (
            "vendor=AMI; made=Giga Computing",
            "Gigabyte",
            "ami gigabyte",
        ),
        (
            "vendor=AMI; made=ASRockRack",
            "ASRockRack",
            "ami asrockrack",
        ),
        (
            "oem=Ami; vendor=AMI; made=NVIDIA; model=DGXH100",
            "NVIDIA",
            "ami",
        ),
        (
            "vendor=NVIDIA; product=GB200 NVL; manager=OpenBmc",
            "NVIDIA",
            "openbmc nvidia",
        ),
        (
            "vendor=Nvidia; made=https://www.mellanox.com; manager=OpenBmc",
            "NVIDIA",
            "openbmc nvidia",
        ),
        ("manager=OpenBmc", "OpenBMC", "openbmc"),
        ("tls=OpenBMC", "OpenBMC", "openbmc"),
        ("oem=ts_fujitsu", "Fujitsu", "fujitsu"),
        ("oem=Fsas", "Fujitsu", "fujitsu"),
        ("made=Intel Corporation", "Intel", "intel"),
        ("vendor=Inspur", "Inspur", "inspur"),
        (
            "made=Contoso; model=3500; manager=Joo Janta 200",
            "Contoso",
            "",
        ),
        ("vendor=Contoso; tls=Dell Inc.", "Contoso", ""),
        ("iana=674", "Dell", "dell"),
        ("made=To be filled by O.E.M.", "", ""),
        ("", "", ""),
    ] {
        assert_eq!(
            found(evidence),
            (vendor.into(), overwrites.into()),
            "{evidence}"
        );
    }
}

#[test]
fn each_quirk_is_set_where_it_was_seen() {
    for (evidence, expected) in [
        (
            "vendor=Dell; manager=15G Monolithic",
            "accounts: Slots { first: 3, last: 16 }, led_idle_lit: true, serial_is_sku: true, console: Some(SSH 22 console com2, before SOL)",
        ),
        (
            "vendor=Dell; manager=13G DCS",
            "accounts: Slots { first: 3, last: 16 }, led_idle_lit: true, persistent_by_order: true, serial_is_sku: true, console: Some(SSH 22 console com2, before SOL)",
        ),
        (
            "vendor=Dell; manager=17G Monolithic",
            "led_idle_lit: true, serial_is_sku: true, console: Some(SSH 22 console com2, before SOL)",
        ),
        (
            "vendor=Dell",
            "led_idle_lit: true, serial_is_sku: true, console: Some(SSH 22 console com2, before SOL)",
        ),
        (
            "oem=Hpe",
            "boot_send: NoMode, accounts: Post, auth: Basic, expand: Some(\".\"), console: Some(SSH 22 vsp, before SOL)",
        ),
        (
            "vendor=Lenovo",
            "password: Some((10, 32)), account_ipmi: true, expand: Some(\"*\")",
        ),
        (
            "vendor=Lenovo; model=ThinkSystem SR675 V3",
            "reset_by_off_on: true, password: Some((10, 32)), account_ipmi: true, expand: Some(\"*\")",
        ),
        ("vendor=AMI; made=Lenovo", "boot_send: Full, etag: Always"),
        (
            "made=Supermicro",
            "boot_send: Full, read_back_after: 2s, password: Some((8, 19)), \
             licence_ids: [\"OemLicenseNotPassed\", \"SFT-OOB-LIC\", \"SFT-DCMS-SINGLE\"]",
        ),
        ("vendor=AMI", "boot_send: Full, etag: Always"),
        ("made=ASRockRack", "boot_send: Full"),
        (
            "oem=ts_fujitsu",
            "etag: Always, oem_watts: Some(/Oem/ts_fujitsu/ChassisPowerConsumption or /Oem/Fsas/ChassisPowerConsumption)",
        ),
        ("vendor=NVIDIA", "boot_via: Settings"),
        ("vendor=Inspur", "password: Some((1, 16))"),
        (
            "manager=OpenBmc",
            "accounts: Post, console: Some(SSH 2200, behind SOL)",
        ),
        ("made=Contoso", ""),
    ] {
        let (mut quirks, _) = redfish_quirks(&facts(evidence));
        assert_eq!(
            quirks.overwrite.is_some(),
            !expected.is_empty(),
            "{evidence}"
        );
        quirks.overwrite = None;
        let got: Vec<String> = show::differences(&quirks)
            .into_iter()
            .map(|(flag, value)| format!("{flag}: {value}"))
            .collect();
        assert_eq!(got.join(", "), expected, "{evidence}");
    }
}

/// Answers Get Device ID of a Supermicro board, once.
struct Board(Mutex<Option<Vec<u8>>>, LearntCell);

impl Exchange for Board {
    fn exchange<'a>(&'a self, _: &'a Cx, _: Request) -> BoxFuture<'a, Result<Response>> {
        let data = self.0.lock().unwrap().take();
        Box::pin(async move {
            let data = data.ok_or_else(|| Error::new(Kind::Timeout, "asked twice"))?;
            let code = CompletionCode::OK;
            Ok(Response { code, data })
        })
    }

    fn learnt(&self) -> &LearntCell {
        &self.1
    }
}

#[tokio::test]
async fn the_product_is_asked_for_once() {
    let id = vec![
        0x20, 0x01, 0x03, 0x60, 0x02, 0xbf, 0x7c, 0x2a, 0x00, 0x34, 0x12,
    ];
    let board = Board(Mutex::new(Some(id)), LearntCell::default());
    board.learnt().update(|l| l.quirks.fixed_rakp1 = true);
    let cx = Cx::until(Instant::now() + Duration::from_secs(5));
    learn(&board, &cx).await.unwrap();
    let learnt = board.learnt().snapshot();
    assert_eq!(
        (learnt.manufacturer, learnt.product),
        (Some(10_876), Some(0x1234))
    );
    assert!(learnt.quirks.uefi_disk_0x24 && learnt.quirks.fixed_rakp1);
    learn(&board, &cx).await.unwrap();
}
