//! `halbox vendors`, and who the recorded machines are.

use std::path::Path;
use std::process::Command;

use halbox::hal::redfish::Resource;
use halbox::hal::vendors::{Facts, name, recognise};
use serde_json::Value;

use crate::common::{root, run, shared, stdout};

fn document(tree: &Path, path: &str) -> Value {
    let file = tree.join(path.trim_matches('/')).join("index.json");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The member of a collection that `holds`.
fn member(tree: &Path, collection: &str, holds: impl Fn(&Value) -> bool) -> Option<Resource> {
    let members = document(tree, collection);
    let paths = members["Members"]
        .as_array()?
        .iter()
        .filter_map(|m| m["@odata.id"].as_str());
    paths
        .map(|path| (path.to_owned(), document(tree, path)))
        .find(|(_, json)| holds(json))
        .map(|(path, json)| Resource {
            path,
            etag: None,
            json,
        })
}

fn anonymous(tree: &Path) -> Facts {
    let root = document(tree, "/redfish/v1");
    let text = |key: &str| root[key].as_str().map(str::to_owned);
    Facts {
        oem: root["Oem"]
            .as_object()
            .map(|o| o.keys().cloned().collect())
            .unwrap_or_default(),
        vendor: text("Vendor"),
        product: text("Product"),
        ..Facts::default()
    }
}

#[test]
fn recorded_machines_are_recognised() {
    let Some(corpora) = shared("corpora") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    // Tree; vendor without a login and with one; overwrites.
    for (tree, before, after, overwrites) in [
        ("cray_ex235a", "", "HPE", "cray"),
        ("dell_r750_idrac9_6_00", "Dell", "Dell", "dell"),
        ("dmtf_public_rackmount1", "", "Contoso", ""),
        ("gigabyte_h262_ami", "AMI", "Gigabyte", "ami gigabyte"),
        ("hpe_dl360_g10p_ilo5_3_11", "HPE", "HPE", "hpe"),
        ("hpe_dl385g10p_ilo5_2_72", "HPE", "HPE", "hpe"),
        ("lenovo_sr670v2_xcc", "Lenovo", "Lenovo", "lenovo"),
        ("nvidia_bf3_dpu", "NVIDIA", "NVIDIA", "openbmc nvidia"),
        ("nvidia_dgx_h100_ami", "AMI", "NVIDIA", "ami"),
        ("nvidia_gb200", "NVIDIA", "NVIDIA", "openbmc nvidia"),
        ("openbmc_stock_2_15", "", "OpenBMC", "openbmc"),
        ("supermicro_x10sdv_a", "", "Supermicro", "supermicro"),
        (
            "supermicro_x13_821ge",
            "Supermicro",
            "Supermicro",
            "supermicro",
        ),
    ] {
        let file = corpora.join(format!("{tree}.tar.xz"));
        let unpacked = Command::new("tar")
            .arg("-xJf")
            .arg(file)
            .arg("-C")
            .arg(dir.path())
            .status();
        assert!(unpacked.unwrap().success(), "{tree}");
        let at = dir.path().join(tree);
        let mut facts = anonymous(&at);
        assert_eq!(
            name(&facts).unwrap_or_default(),
            before,
            "{tree} without a login"
        );
        let host = |s: &Value| s.pointer("/Actions/#ComputerSystem.Reset").is_some();
        if let Some(system) = member(&at, "/redfish/v1/Systems", host) {
            facts.add_system(&system);
        }
        if let Some(chassis) = member(&at, "/redfish/v1/Chassis", |c| {
            c["Manufacturer"].is_string()
        }) {
            facts.add_chassis(&chassis);
        }
        if let Some(manager) = member(&at, "/redfish/v1/Managers", |m| m["Model"].is_string()) {
            facts.add_manager(&manager);
        }
        assert_eq!(name(&facts).unwrap_or_default(), after, "{tree}");
        let found: Vec<_> = recognise(&facts).iter().map(|v| v.name).collect();
        assert_eq!(found.join(" "), overwrites, "{tree}");
    }
}

#[test]
fn lists_and_shows() {
    let list: Value = serde_json::from_str(&stdout(&run("vendors -o json"))).unwrap();
    let names: Vec<_> = list["vendors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|v| v["name"].as_str())
        .collect();
    for name in [
        "ami",
        "dell",
        "fujitsu",
        "gigabyte",
        "hpe",
        "lenovo",
        "nvidia",
        "openbmc",
        "supermicro",
    ] {
        assert!(names.contains(&name), "{name}");
        let shown = run(&format!("vendors show {name} -o json"));
        let shown: Value = serde_json::from_str(&stdout(&shown)).unwrap();
        assert_eq!(shown["name"], name);
    }
    assert!(stdout(&run("vendors")).starts_with("NAME"));
    assert_eq!(run("vendors show contoso").status.code(), Some(2));
}

#[test]
fn the_list_of_machines_is_rendered() {
    let made = stdout(&run("vendors --verified --markdown"));
    let kept = std::fs::read_to_string(root().join("docs/machines.md")).unwrap();
    assert_eq!(made, kept, "run `just man`");
    let list: Value = serde_json::from_str(&stdout(&run("vendors --verified -o json"))).unwrap();
    for machine in list["machines"].as_array().unwrap() {
        assert_ne!(machine["evidence"], "verified");
    }
}
