//! The boot override as Redfish has it, kept in the boot flags of IPMI.

use super::dialect::Dialect;
use super::messages::Message;
use crate::hal::sim::state::Server;

const VALID: u8 = 0x80;
const PERSISTENT: u8 = 0x40;
const EFI: u8 = 0x20;

/// Device selectors (IPMI §28.13, parameter 5), the plainest name first.
const DEVICES: &[(u8, &str)] = &[
    (0, "None"),
    (1, "Pxe"),
    (1, "UefiHttp"),
    (2, "Hdd"),
    (4, "Diags"),
    (4, "Utilities"),
    (5, "Cd"),
    (5, "UsbCd"),
    (6, "BiosSetup"),
    (15, "Usb"),
    (15, "Floppy"),
    (15, "SDCard"),
    (15, "UefiShell"),
    (15, "UefiTarget"),
    (15, "UefiBootNext"),
    (15, "RemoteDrive"),
];

/// The boot override.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override {
    /// BootSourceOverrideEnabled.
    pub enabled: &'static str,
    /// BootSourceOverrideTarget.
    pub target: &'static str,
    /// BootSourceOverrideMode.
    pub mode: &'static str,
}

/// What is set now.
pub fn read(server: &Server) -> Override {
    let [first, selector, ..] = server.boot.flags;
    let device = selector >> 2 & 0x0f;
    if first & VALID == 0 || device == 0 {
        return Override {
            enabled: "Disabled",
            target: "None",
            mode: "UEFI",
        };
    }
    let names: Vec<&'static str> = DEVICES
        .iter()
        .filter(|(number, _)| *number == device)
        .map(|(_, name)| *name)
        .collect();
    // IPMI has one number for several names; ours is kept as long as the flags are what we made of it.
    let kept = server.web.boot_target.filter(|name| names.contains(name));
    Override {
        enabled: if first & PERSISTENT == 0 {
            "Once"
        } else {
            "Continuous"
        },
        target: kept.or(names.first().copied()).unwrap_or("None"),
        mode: if first & EFI == 0 { "Legacy" } else { "UEFI" },
    }
}

/// What a request wants changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// BootSourceOverrideEnabled.
    pub enabled: Option<&'a str>,
    /// BootSourceOverrideTarget.
    pub target: Option<&'a str>,
    /// BootSourceOverrideMode.
    pub mode: Option<&'a str>,
}

/// Takes over what a recorded BMC was told, as far as IPMI can say it.
pub fn adopt(server: &mut Server, wish: &serde_json::Value) {
    let text = |name: &str| wish.get(name).and_then(serde_json::Value::as_str);
    let wish = Wish {
        enabled: text("BootSourceOverrideEnabled"),
        target: text("BootSourceOverrideTarget"),
        mode: text("BootSourceOverrideMode"),
    };
    let d = Dialect::of(crate::hal::sim::ProfileName::Generic);
    if write(server, d, wish).is_err() {
        log::debug!("simulator: a boot override that IPMI has no word for");
    }
}

fn listed(list: &[&'static str], value: &str, property: &str) -> Result<&'static str, Message> {
    list.iter()
        .copied()
        .find(|known| *known == value)
        .ok_or_else(|| {
            Message::base("PropertyValueNotInList", &[value, property])
                .about(&format!("Boot/{property}"))
        })
}

/// Changes it, or says which value is wrong.
pub fn write(server: &mut Server, d: &Dialect, wish: Wish<'_>) -> Result<(), Message> {
    let now = read(server);
    let rules = &d.boot;
    let pick = |value: Option<&str>, list, name| value.map(|v| listed(list, v, name)).transpose();
    let target = pick(wish.target, rules.targets, "BootSourceOverrideTarget")?;
    let enabled = pick(wish.enabled, rules.enabled, "BootSourceOverrideEnabled")?;
    let mode = pick(wish.mode, &["Legacy", "UEFI"], "BootSourceOverrideMode")?;
    if mode.is_some() && !rules.mode_writable {
        return Err(
            Message::base("PropertyNotWritable", &["BootSourceOverrideMode"])
                .about("Boot/BootSourceOverrideMode"),
        );
    }
    let target = target.unwrap_or(now.target);
    let mode = mode.unwrap_or(now.mode);
    let enabled = enabled.unwrap_or(match now.enabled {
        "Disabled" => "Once",
        other => other,
    });
    if target == "None" || enabled == "Disabled" {
        server.boot.put([0; 5]);
        server.web.boot_target = None;
        return Ok(());
    }
    let device = DEVICES
        .iter()
        .find(|(_, name)| *name == target)
        .map_or(15, |(n, _)| *n);
    let mut first = VALID;
    if enabled == "Continuous" {
        first |= PERSISTENT;
    }
    if mode == "UEFI" {
        first |= EFI;
    }
    server.boot.put([first, device << 2, 0, 0, 0]);
    server.web.boot_target = Some(target);
    Ok(())
}
