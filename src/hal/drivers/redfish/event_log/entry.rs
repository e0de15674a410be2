//! One entry of a log, in the words of the model.

use super::time;
use crate::hal::ipmi::time::rfc3339;
use crate::hal::model::event::LogEntry;
use crate::hal::model::order::Order;
use crate::hal::redfish::Resource;

/// An entry; `None` for a member that says nothing.
pub(super) fn of(entry: &Resource) -> Option<LogEntry> {
    let event = entry
        .str("/Message")
        .or_else(|| entry.str("/MessageId"))
        .or_else(|| entry.str("/Description"))?;
    let id = entry
        .str("/Id")
        .or_else(|| entry.str("/RecordId"))
        .map_or_else(
            || super::last_segment(&entry.path).to_owned(),
            str::to_owned,
        );
    let created = entry
        .str("/Created")
        .or_else(|| entry.str("/EventTimestamp"));
    Some(LogEntry {
        id,
        time: created.and_then(time::unix).map(rfc3339),
        sensor: sensor(entry),
        event: match entry.str("/EntryCode") {
            // "Upper Critical - going high" is what happened; "Assert" only that it came.
            Some("Deassert") => format!("{event} (deasserted)"),
            _ => event.to_owned(),
        },
        severity: severity(entry).to_owned(),
        raw: None,
    })
}

/// The sensor: its type and number, as the SEL has them.
fn sensor(entry: &Resource) -> Option<String> {
    let kind = entry
        .str("/SensorType")
        .filter(|kind| *kind != "OEM")
        .or_else(|| entry.str("/OemSensorType"))
        .or_else(|| entry.str("/SensorType"))?;
    Some(match entry.num("/SensorNumber") {
        Some(n) if n.is_finite() => format!("{kind} #{n}"),
        _ => kind.to_owned(),
    })
}

fn severity(entry: &Resource) -> &'static str {
    let said = entry
        .str("/Severity")
        .or_else(|| entry.str("/MessageSeverity"))
        .unwrap_or_default();
    match said.to_ascii_lowercase().as_str() {
        "ok" | "info" | "informational" | "repaired" => "info",
        "warning" | "caution" => "warning",
        "critical" | "fatal" => "critical",
        _ => "unknown",
    }
}

/// The oldest first: by time where every entry has one (then by number), else as the BMC lists them.
pub(super) fn sorted(mut entries: Vec<LogEntry>) -> Vec<LogEntry> {
    if entries.iter().all(|e| e.time.is_some()) {
        // The texts are all in UTC and of one length, so they sort as the times do.
        entries.order_by(|a, b| {
            a.time
                .cmp(&b.time)
                .then_with(|| number(&a.id).cmp(&number(&b.id)))
        });
    }
    entries
}

fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}
