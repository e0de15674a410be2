//! The daemon's part of a run.

use std::time::{Duration, Instant};

use super::document::Document;
use super::say;
use crate::api::client::registration::{Access, Lookup, RegisterRequest, Registration};
use crate::api::proto::{self, Driver};
use crate::hal::inband::Machine;
use crate::hal::model::{Cx, Secret};
use crate::hal::{Error, Kind, Result};

/// How often a daemon that does not answer is asked.
const TRIES: u32 = 3;

/// Connects, and asks for the machine. Patient with a network that only comes up.
pub(super) async fn ask(
    access: &Access,
    cx: &Cx,
    machine: &Machine,
) -> Result<(Registration, Option<Lookup>)> {
    let mut pause = Duration::from_secs(1);
    let mut tries = 0;
    loop {
        tries += 1;
        match once(access, cx, machine).await {
            Err(error) if again(&error) && tries < TRIES && !cx.cancel.is_cancelled() => {
                say(&format!("{}; trying again", error.chain()));
                let next = tokio::time::Instant::now() + pause;
                tokio::time::sleep_until(next.min(cx.deadline.into())).await;
                pause *= 2;
            }
            other => return other.map_err(|e| e.context("asking the daemon for this machine")),
        }
    }
}

fn again(error: &Error) -> bool {
    matches!(error.kind(), Kind::Unreachable | Kind::Timeout | Kind::Busy)
}

async fn once(
    access: &Access,
    cx: &Cx,
    machine: &Machine,
) -> Result<(Registration, Option<Lookup>)> {
    let daemon = Registration::connect(access).await?;
    let lookup = match &machine.uuid {
        Some(uuid) => Some(daemon.lookup(cx, uuid).await?),
        None => None,
    };
    Ok((daemon, lookup))
}

/// Lets the daemon put the credentials aside before they count.
pub(super) async fn put_aside(
    daemon: &Registration,
    cx: &Cx,
    machine: &Machine,
    document: &Document,
) -> Result<()> {
    let left = cx.deadline.saturating_duration_since(Instant::now());
    let message = RegisterRequest {
        pending: true,
        pending_seconds: left
            .as_secs()
            .saturating_add(1)
            .try_into()
            .unwrap_or(u32::MAX),
        ..message(machine, document)?
    };
    let answer = daemon
        .register(cx, message)
        .await
        .map_err(|e| e.context("handing the password to the daemon"))?;
    if answer.taken {
        return Ok(());
    }
    Err(Error::new(
        Kind::Refused,
        "the daemon does not take the password",
    ))
}

/// Hands over what the document and the machine say. When the daemon took the password, it is printed no more.
pub(super) async fn tell(
    daemon: &Registration,
    cx: &Cx,
    machine: &Machine,
    document: &mut Document,
) -> Result<()> {
    let message = message(machine, document)?;
    let answer = daemon
        .register(cx, message)
        .await
        .map_err(|e| e.context("registering at the daemon"))?;
    document.registered = true;
    if answer.taken {
        document.hush();
    }
    if answer.verified {
        document.verified = crate::hal::inband::Verified::OutOfBand.as_str();
    }
    Ok(())
}

fn message(machine: &Machine, document: &Document) -> Result<RegisterRequest> {
    let Some(mac) = document.bmc.mac else {
        return Err(Error::new(Kind::Unsupported, "registering this machine")
            .with_source("neither its BMC nor a network card tells a MAC address"));
    };
    let [board_vendor, board_name, board_serial] = machine.board.clone();
    let [bios_version, bios_vendor, bios_date] = machine.bios.clone();
    let secret = |p: &Secret| proto::Secret {
        value: p.expose().to_vec(),
    };
    // Where Redfish is the way, nobody can log in over IPMI.
    let redfish = document.redfish.as_ref();
    let password = document
        .ipmi
        .password
        .as_ref()
        .filter(|_| redfish.is_none());
    let redfish = redfish.and_then(|r| Some((r.user.clone(), secret(r.password.as_ref()?))));
    let (redfish_user, redfish_password) = redfish.unzip();
    Ok(RegisterRequest {
        request_id: crate::api::client::new_id(),
        machine_id: document.machine_id.clone().unwrap_or_default(),
        mac: mac.to_string(),
        address: document.bmc.ip.map(|ip| ip.to_string()),
        driver: match document.driver {
            "IPMI" => Driver::Ipmi,
            "Redfish" => Driver::Redfish,
            _ => Driver::Unmanaged,
        }
        .into(),
        ipmi_user: password.map(|_| document.ipmi.user.clone()),
        ipmi_password: password.map(secret),
        error: document.error.clone(),
        vendor: machine.vendor.clone(),
        model: machine.product.clone(),
        serial: machine.serial.clone(),
        bios: Some(proto::Bios {
            date: bios_date,
            vendor: bios_vendor,
            version: bios_version,
        }),
        board: Some(proto::Board {
            board_mfg: board_vendor,
            board_mfg_serial: board_serial,
            board_part_number: board_name,
            chassis_part_number: None,
            chassis_part_serial: machine.chassis_serial.clone(),
            product_manufacturer: machine.vendor.clone(),
            product_part_number: machine.product.clone(),
            product_serial: machine.serial.clone(),
        }),
        bmc_version: document.bmc.firmware.clone(),
        pending: false,
        redfish_user,
        redfish_password,
        pending_seconds: 0,
    })
}
