//! LogService and its entries: the event log of IPMI.

use super::{Parts, View, maybe};
use crate::hal::ipmi::sel::log_entry;
use crate::hal::ipmi::time::rfc3339;
use crate::hal::model::json::json;
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::state::Server;

pub(super) fn log(v: &View<'_>) -> Parts {
    let seconds = i64::from(v.server.sel_time(v.now));
    let rest = json!({
        "Description": "System Event Log",
        "LogEntryType": "SEL",
        "OverWritePolicy": "Unknown",
        "MaxNumberOfRecords": v.server.profile.sel_capacity,
        "ServiceEnabled": true,
        "DateTime": rfc3339(seconds),
        "DateTimeLocalOffset": "+00:00",
        "Status": {"State": "Enabled", "Health": "OK"},
        "Entries": v.link(Place::LogEntries),
        "Actions": {"#LogService.ClearLog": {"target": v.uri(Place::ClearLog)}},
    });
    (
        "LogService.v1_5_0.LogService",
        v.d.log.to_owned(),
        "System Event Log".to_owned(),
        rest,
    )
}

fn sensor_name(server: &Server, number: u8) -> Option<&'static str> {
    super::sensors::spec(server, number).map(|spec| spec.name)
}

pub(super) fn entry(v: &View<'_>, id: u16) -> Option<Parts> {
    let (raw, _) = v.server.sel.get(id)?;
    let decoded = log_entry(raw, |_| None);
    let system_event = raw.get(2) == Some(&0x02);
    let number = raw.get(11).copied().unwrap_or_default();
    let name = system_event
        .then(|| sensor_name(v.server, number))
        .flatten();
    let severity = match decoded.severity.as_str() {
        "critical" => "Critical",
        "warning" => "Warning",
        _ => "OK",
    };
    let created = decoded
        .time
        .clone()
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned());
    let message = match name.map(str::to_owned).or(decoded.sensor) {
        Some(sensor) => format!("{sensor}: {}", decoded.event),
        None => decoded.event,
    };
    let rest = json!({
        "EntryType": "SEL",
        "EntryCode": maybe(system_event.then(|| {
            if raw.get(12).is_some_and(|b| b & 0x80 != 0) { "Deassert" } else { "Assert" }
        })),
        "SensorNumber": maybe(system_event.then_some(number)),
        "Created": created,
        "Severity": severity,
        "Message": message,
        "MessageId": raw.iter().skip(10).fold(String::from("0x"), |mut text, byte| {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
            text
        }),
    });
    Some((
        "LogEntry.v1_16_0.LogEntry",
        id.to_string(),
        format!("Log Entry {id}"),
        rest,
    ))
}
