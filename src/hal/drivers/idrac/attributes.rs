//! Attributes of iDRAC, system and Lifecycle Controller: what has no place in the standard's resources.

use serde_json::Value;

use crate::hal::error::Result;
use crate::hal::model::Cx;
use crate::hal::redfish::Client;

/// The attribute that forbids all changes.
const LOCKDOWN: &str = "Lockdown.1.SystemLockdown";

/// Is the system locked down? `None` where the iDRAC does not tell.
pub(super) async fn locked_down(client: &Client, cx: &Cx) -> Result<Option<bool>> {
    let value = read(client, cx, LOCKDOWN).await?;
    Ok(value.map(|v| v.eq_ignore_ascii_case("Enabled")))
}

/// One attribute of the iDRAC by its name (`IPMILan.1.Enable`).
async fn read(client: &Client, cx: &Cx, name: &str) -> Result<Option<String>> {
    let manager = client.manager(cx).await?;
    let mut places = manager.links("/Links/Oem/Dell/DellAttributes");
    if places.is_empty() {
        // Before iDRAC9 4.
        places.push(format!("{}/Attributes", manager.path.trim_end_matches('/')));
    }
    for place in places {
        let Ok(attributes) = client.get(cx, &place).await else {
            continue;
        };
        let all = attributes.json.get("Attributes").and_then(Value::as_object);
        if let Some(value) = all.and_then(|a| a.get(name)) {
            return Ok(value.as_str().map(str::to_owned));
        }
    }
    Ok(None)
}
