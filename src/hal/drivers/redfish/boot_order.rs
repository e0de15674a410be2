//! The boot order: for BMCs whose override lasts one boot only. The options that match come first, all others keep
//! their places: nothing is ever dropped from the order.

use serde_json::json;

use super::boot_value::mode;
use super::unsupported;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::{BootPersistence, BootState, BootTarget, Cx};
use crate::hal::redfish::{Client, Resource};

const ORDER: &str = "/Boot/BootOrder";

/// Puts the options of `target` first in the boot order and reads it back. Returns what that means, and where it stands.
pub(super) async fn put_first(
    client: &Client,
    cx: &Cx,
    system: &Resource,
    target: BootTarget,
) -> Result<(BootState, String)> {
    let plan = plan(client, cx, system, target).await?;
    if plan.wanted != plan.present {
        let body = json!({ "Boot": { "BootOrder": plan.wanted } });
        client.patch(cx, &plan.place, body).await?;
        let now = client.fresh(cx, &plan.place).await;
        let now = now.map_err(Error::after_acting)?;
        if order(&now).first() != plan.wanted.first() {
            let what = "boot order: the BMC accepted it but keeps the old one";
            return Err(Error::new(Kind::Refused, what));
        }
    }
    let state = BootState {
        target,
        mode: system.str("/Boot/BootSourceOverrideMode").and_then(mode),
        persistence: BootPersistence::Persistent,
    };
    Ok((state, plan.at()))
}

/// How a target comes first.
pub(super) struct Plan {
    /// The system, or its settings object.
    place: String,
    present: Vec<String>,
    wanted: Vec<String>,
}

impl Plan {
    /// Where the order stands.
    pub(super) fn at(&self) -> String {
        format!("{} Boot/BootOrder", self.place)
    }
}

/// Which options of the order are for `target`; nothing is written.
pub(super) async fn plan(
    client: &Client,
    cx: &Cx,
    system: &Resource,
    target: BootTarget,
) -> Result<Plan> {
    let lacks = |what: &str| unsupported("boot order", format!("{} has no {what}", system.path));
    let options = system
        .link("/Boot/BootOptions")
        .ok_or_else(|| lacks("Boot/BootOptions"))?;
    let pending = match system.link("/@Redfish.Settings/SettingsObject") {
        Some(path) => Some(client.get(cx, &path).await?).filter(|p| !order(p).is_empty()),
        None => None,
    };
    let place = pending.as_deref().unwrap_or(system);
    let present = order(place);
    if present.is_empty() {
        return Err(lacks("Boot/BootOrder"));
    }
    let mut matching = Vec::new();
    for option in client.members(cx, &options).await?.into_iter().flatten() {
        let name = option.str("/BootOptionReference").or(option.str("/Id"));
        if let Some(name) = name
            && is_for(&option, target)
        {
            matching.push(name.to_owned());
        }
    }
    let (mut wanted, rest): (Vec<String>, Vec<String>) =
        present.iter().cloned().partition(|o| matching.contains(o));
    if wanted.is_empty() {
        return Err(lacks(&format!("boot option for {target}")));
    }
    wanted.extend(rest);
    Ok(Plan {
        place: place.path.clone(),
        present,
        wanted,
    })
}

fn order(resource: &Resource) -> Vec<String> {
    resource
        .list(ORDER)
        .into_iter()
        .filter_map(|v| v.as_str())
        .map(str::to_owned)
        .collect()
}

/// Does a boot option start what `target` means? By its alias, else by its UEFI device path, else by its name.
fn is_for(option: &Resource, target: BootTarget) -> bool {
    let text = |pointer| option.str(pointer).unwrap_or_default().to_ascii_lowercase();
    let alias = text("/Alias");
    let path = text("/UefiDevicePath");
    let name = text("/DisplayName").replace(' ', "");
    let has = |words: &[&str], in_text: &str| words.iter().any(|w| in_text.contains(w));
    match target {
        BootTarget::Pxe => {
            let http = alias.contains("http") || path.contains("uri(") || name.contains("http");
            !http
                && (alias == "pxe"
                    || (path.contains("mac(") && has(&["ipv4(", "ipv6("], &path))
                    || has(&["pxe", "network"], &name))
        }
        BootTarget::Disk => {
            alias == "hdd"
                || has(&["hd(", "nvme(", "sata(", "scsi(", "sas("], &path)
                || has(&["harddrive", "harddisk", "hdd", "nvme"], &name)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(json: serde_json::Value) -> Resource {
        Resource {
            path: "/redfish/v1/Systems/1/BootOptions/1".into(),
            etag: None,
            json,
        }
    }

    #[test]
    fn options_are_told_by_alias_path_or_name() {
        let pxe = option(json!({"Alias": "Pxe"}));
        let path = option(
            json!({"UefiDevicePath": "PciRoot(0x0)/Pci(0x1,0x0)/MAC(5CED8C000001,0x1)/IPv4(0.0.0.0)"}),
        );
        let http = option(
            json!({"UefiDevicePath": "PciRoot(0x0)/MAC(5CED8C000001,0x1)/IPv4(0.0.0.0)/Uri()"}),
        );
        let disk = option(json!({"DisplayName": "Hard Drive", "Alias": null}));
        for (option, is_pxe, is_disk) in [
            (&pxe, true, false),
            (&path, true, false),
            (&http, false, false),
            (&disk, false, true),
        ] {
            assert_eq!(is_for(option, BootTarget::Pxe), is_pxe, "{:?}", option.json);
            assert_eq!(
                is_for(option, BootTarget::Disk),
                is_disk,
                "{:?}",
                option.json
            );
        }
    }
}
