//! Writable properties of system, settings object and chassis: boot override, LED, asset tag.

use serde_json::Value;

use super::{Done, read_only, wrong};
use crate::hal::sim::redfish::boot::{self, Wish};
use crate::hal::sim::redfish::dialect::{BootVia, Dialect, Led};
use crate::hal::sim::redfish::messages::Message;
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::state::{Identify, Server};

/// Longest asset tag (DCMI).
const ASSET_TAG: usize = 63;

pub(super) fn set(
    server: &mut Server,
    d: &Dialect,
    place: Place,
    name: &str,
    value: &Value,
) -> Done {
    match name {
        "Boot" => set_boot(server, d, place, value),
        "AssetTag" => {
            let text = value.as_str().filter(|text| text.len() <= ASSET_TAG);
            let text = text.ok_or_else(|| wrong(name, value))?;
            server.dcmi.asset_tag = text.as_bytes().to_vec();
            Ok(())
        }
        "LocationIndicatorActive" => {
            let on = value.as_bool().ok_or_else(|| wrong(name, value))?;
            server.identify = if on { Identify::Forever } else { Identify::Off };
            Ok(())
        }
        "IndicatorLED" => {
            let text = value.as_str().ok_or_else(|| wrong(name, value))?;
            let on = match (d.led, text) {
                (Led::IdleLit, "Lit") | (Led::Both | Led::Indicator, "Off") => false,
                (_, "Blinking") | (Led::Both | Led::Indicator, "Lit") => true,
                _ => {
                    return Err(Message::base("PropertyValueNotInList", &[text, name]).about(name));
                }
            };
            server.identify = if on { Identify::Forever } else { Identify::Off };
            Ok(())
        }
        _ => Err(read_only(name)),
    }
}

fn set_boot(server: &mut Server, d: &Dialect, place: Place, value: &Value) -> Done {
    let Some(body) = value.as_object() else {
        return Err(wrong("Boot", value));
    };
    if d.boot.via == BootVia::Settings && place == Place::System {
        return Err(Message::oem(
            "Ami.1.0.OperationSupportedInFutureStateURI",
            "The property is changed at the settings object of the resource.",
        )
        .about("Boot"));
    }
    let mut wish = Wish::default();
    for (name, value) in body.iter().filter(|(name, _)| !name.contains('@')) {
        let slot = match name.as_str() {
            "BootSourceOverrideTarget" => &mut wish.target,
            "BootSourceOverrideEnabled" => &mut wish.enabled,
            "BootSourceOverrideMode" => &mut wish.mode,
            "BootOrder" | "UefiTargetBootSourceOverride" => {
                return Err(read_only(&format!("Boot/{name}")));
            }
            _ => {
                return Err(
                    Message::base("PropertyUnknown", &[name]).about(&format!("Boot/{name}"))
                );
            }
        };
        let text = value
            .as_str()
            .ok_or_else(|| wrong(&format!("Boot/{name}"), value))?;
        *slot = Some(text);
    }
    let full = wish.target.is_some() && wish.enabled.is_some() && wish.mode.is_some();
    if d.boot.full_or_nothing && !full {
        // Success is said, and nothing happens.
        return Ok(());
    }
    boot::write(server, d, wish)
}
