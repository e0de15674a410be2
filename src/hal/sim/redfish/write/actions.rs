//! Actions: resets, clearing the log, Dell's status.

use std::time::Instant;

use serde_json::{Map, Value};

use super::success;
use crate::hal::model::json::json;
use crate::hal::sim::bmc::Bmc;
use crate::hal::sim::redfish::dialect::{Dialect, Needless};
use crate::hal::sim::redfish::http::{Refusal, Reply};
use crate::hal::sim::redfish::messages::Message;
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::state::Server;

pub(super) fn run(
    bmc: &mut Bmc,
    now: Instant,
    d: &'static Dialect,
    place: Place,
    body: &Map<String, Value>,
) -> Result<Reply, Refusal> {
    match place {
        Place::SystemReset => {
            let kind = parameter(body, "ComputerSystem.Reset", d.resets)?;
            reset(&mut bmc.side.server, now, d, kind)?;
            bmc.side.server.tick(now);
        }
        Place::ManagerReset => {
            parameter(body, "Manager.Reset", &["GracefulRestart", "ForceRestart"])?;
            bmc.side.server.cold_reset = true;
        }
        Place::ClearLog if d.log_licence => {
            let text = "Not licensed to perform this request. The following licenses SFT-DCMS-SINGLE were needed.";
            return Err(Refusal::new(
                403,
                Message::oem("SMC.1.0.OemLicenseNotPassed", text),
            ));
        }
        Place::ClearLog => {
            let time = bmc.side.server.sel_time(now);
            bmc.side.server.sel.clear(time);
        }
        Place::DellLcStatus => {
            let server = if bmc.side.server.power.on {
                "OutOfPOST"
            } else {
                "PoweredOff"
            };
            let body = json!({"LCStatus": "Ready", "RTStatus": "Ready", "ServerStatus": server, "Status": "Ready"});
            return Ok(Reply::json(200, &body));
        }
        _ => {
            return Err(Refusal::new(
                404,
                Message::base("ActionNotSupported", &["-"]),
            ));
        }
    }
    Ok(success(bmc, now, d, None))
}

/// ResetType, which must be one of `values`.
fn parameter(
    body: &Map<String, Value>,
    action: &str,
    values: &[&'static str],
) -> Result<&'static str, Refusal> {
    if let Some(name) = body
        .keys()
        .find(|name| *name != "ResetType" && !name.contains('@'))
    {
        return Err(Refusal::new(
            400,
            Message::base("ActionParameterUnknown", &[action, name]),
        ));
    }
    let Some(value) = body.get("ResetType") else {
        let message = Message::base("ActionParameterMissing", &[action, "ResetType"]);
        return Err(Refusal::new(400, message));
    };
    let text = value.as_str().unwrap_or_default();
    let known = values.iter().copied().find(|known| *known == text);
    known.ok_or_else(|| {
        let message = Message::base(
            "ActionParameterValueNotInList",
            &[&value.to_string(), "ResetType"],
        );
        Refusal::new(400, message)
    })
}

/// Carries out ComputerSystem.Reset.
pub fn reset(server: &mut Server, now: Instant, d: &Dialect, kind: &str) -> Result<(), Refusal> {
    let power = &mut server.power;
    let timing = server.profile.timing;
    // What the host will be when everything under way has arrived.
    let on = power.goal();
    let needless = match kind {
        "On" | "ForceOn" => on,
        "ForceOff" | "GracefulShutdown" => !on,
        _ => false,
    };
    let impossible = !on
        && matches!(
            kind,
            "ForceRestart" | "GracefulRestart" | "PowerCycle" | "Nmi"
        );
    if needless || impossible {
        return match d.needless {
            Needless::Fine if needless => Ok(()),
            Needless::Invalid => Err(Refusal::new(
                400,
                Message::oem(
                    "iLO.2.15.InvalidOperationForSystemState",
                    "The operation was not successful due to the current power state.",
                ),
            )),
            Needless::Fine | Needless::Conflict => {
                let message = if d.oem == Some("Dell") {
                    Message::oem(
                        "IDRAC.2.8.PSU501",
                        "The server is in that power state already.",
                    )
                } else {
                    Message::base("OperationFailed", &[])
                };
                Err(Refusal::new(409, message))
            }
        };
    }
    let control = match kind {
        "ForceOff" => 0,
        "ForceRestart" => 3,
        "GracefulShutdown" => 5,
        "PowerCycle" => 2,
        "Nmi" => 4,
        "PushPowerButton" if on => 5,
        "On" | "ForceOn" | "PushPowerButton" => 1,
        _ => {
            power.graceful_restart(now, &timing);
            return Ok(());
        }
    };
    power
        .control(now, control, &timing)
        .map_err(|_| Refusal::new(409, Message::base("OperationFailed", &[])))
}
