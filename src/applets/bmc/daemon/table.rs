//! Rows as a table: the columns of metal-stack's proposal, more with `-o wide`.

use serde_json::Value;

use crate::api::convert::driver_name;
use crate::api::proto;
use crate::applets::bmc::operation::state_tone;
use crate::applets::common::table::{Cell, Table, Tone, column, wide};

/// The table of rows.
pub(super) fn of(rows: &[proto::Bmc]) -> Table {
    let mut table = Table::new(&[
        column("MAC"),
        column("IP"),
        column("VENDOR"),
        // As wide as in the proposal's text.
        column("DRIVER").at_least(8),
        column("MACHINE ID"),
        wide("POWER"),
        wide("MODEL"),
        wide("BIOS"),
        wide("BMC"),
        wide("LED"),
        wide("PARTITION"),
        wide("UPDATED"),
        wide("ERROR"),
    ]);
    for row in rows {
        let text = |text: &Option<String>| Cell::from(text.clone().unwrap_or_default());
        let driver = row.driver.and_then(driver_name);
        let status = row.status.clone().unwrap_or_default();
        let power = row.power_state.clone().unwrap_or_default();
        let tone = state_tone(&power);
        table.row([
            Cell::from(row.mac.as_str()),
            text(&row.address),
            text(&row.vendor),
            Cell::from(driver),
            text(&row.machine_id),
            Cell::new(power, tone),
            text(&row.model),
            text(&row.bios.clone().unwrap_or_default().version),
            text(&row.bmc_version),
            text(&row.led),
            text(&row.partition),
            Cell::from(
                status
                    .last_updated
                    .map(|t| crate::hal::ipmi::time::rfc3339(t.seconds)),
            ),
            Cell::new(status.kind.unwrap_or_default(), Tone::Bad),
        ]);
    }
    table
}

/// What was found at addresses.
pub(super) fn findings(found: &[Value]) -> Table {
    let mut table = Table::new(&[
        column("TARGET"),
        column("VENDOR"),
        column("DRIVERS"),
        column("PREFERRED"),
    ]);
    for one in found {
        let text = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default();
        let drivers: Vec<&str> = one
            .get("drivers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|d| d.get("available").and_then(Value::as_bool) == Some(true))
            .filter_map(|d| d.get("driver").and_then(Value::as_str))
            .collect();
        table.row([
            text("target").to_owned(),
            text("vendor").to_owned(),
            drivers.join(","),
            text("preferred_driver").to_owned(),
        ]);
    }
    table
}
