//! The Lifecycle Controller: after power on and after a reset of the iDRAC it is not ready for a while, and writes fail.

use std::time::Duration;

use serde_json::json;

use crate::hal::drivers::power_watch::{clock, pause};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;
use crate::hal::redfish::Client;

const SERVICE: &str = "/Links/Oem/Dell/DellLCService";
const STATUS: &str = "#DellLCService.GetRemoteServicesAPIStatus";
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(5);

/// Waits until the Lifecycle Controller is ready, until the deadline. Done at once where the iDRAC does not tell.
pub(super) async fn wait_ready(client: &Client, cx: &Cx) -> Result<()> {
    loop {
        match status(client, cx).await? {
            None => return Ok(()),
            Some(status) if status.eq_ignore_ascii_case("Ready") => return Ok(()),
            Some(status) if clock() + PAUSE >= cx.deadline => {
                let what = "wait for the Lifecycle Controller";
                let why = format!("it is still '{status}'");
                return Err(Error::new(Kind::Busy, what)
                    .with_source(why)
                    .with_hint("it is ready some minutes after power on"));
            }
            Some(status) => log::info!("Lifecycle Controller: {status}; waiting"),
        }
        pause(cx, PAUSE).await?;
    }
}

/// `Ready`, `NotReady`, `InUse`, … as it says.
async fn status(client: &Client, cx: &Cx) -> Result<Option<String>> {
    let manager = client.manager(cx).await?;
    let Some(path) = manager.link(SERVICE) else {
        return Ok(None);
    };
    let service = match client.get(cx, &path).await {
        Ok(service) => service,
        Err(error) if error.kind() == Kind::Unsupported => return Ok(None),
        Err(error) => return Err(error),
    };
    let done = client.action(cx, &service, STATUS, json!({})).await?;
    let said = |p: &str| done.resource.as_ref().and_then(|r| r.str(p));
    Ok(said("/LCStatus").or(said("/Status")).map(str::to_owned))
}
