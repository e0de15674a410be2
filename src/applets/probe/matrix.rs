//! The capability report for people: a matrix of operations and drivers, or one line per entry.

use std::fmt::Write;

use serde_json::Value;

use crate::applets::common::output::printable;
use crate::applets::common::table::{Cell, Table, Tone, column};
use crate::hal::model::DriverName;
use crate::hal::report::{Entry, Report, Status, operations};

/// Longest value in a cell of the matrix.
const LONGEST: usize = 36;

/// Operations down, drivers across.
pub(super) fn matrix(report: &Report) -> Table {
    let mut drivers: Vec<DriverName> = Vec::new();
    for entry in &report.entries {
        if !drivers.contains(&entry.driver) {
            drivers.push(entry.driver);
        }
    }
    let mut columns = vec![column("OPERATION")];
    columns.extend(drivers.iter().map(|d| {
        column(match d {
            DriverName::Ipmi => "IPMI",
            DriverName::Redfish => "REDFISH",
            DriverName::IDrac => "IDRAC",
            DriverName::Unmanaged => "UNMANAGED",
        })
    }));
    let mut table = Table::new(&columns);
    for operation in operations() {
        let of_it: Vec<&Entry> = report
            .entries
            .iter()
            .filter(|e| e.operation == operation)
            .collect();
        if of_it.is_empty() {
            continue;
        }
        let mut row = vec![Cell::from(operation)];
        for driver in &drivers {
            row.push(match of_it.iter().find(|e| e.driver == *driver) {
                Some(entry) => cell(entry),
                None => Cell::from("-"),
            });
        }
        table.row(row);
    }
    table
}

/// One line per entry, with where it was read and why it does not work.
pub(super) fn lines(report: &Report) -> Table {
    let mut table = Table::new(&[
        column("OPERATION"),
        column("BY"),
        column("STATUS"),
        column("VALUE"),
        column("DIFFERS"),
        column("MS"),
        column("EVIDENCE OR ERROR"),
    ]);
    for entry in &report.entries {
        let why = entry.error.as_ref().or(entry.evidence.as_ref());
        table.row([
            Cell::from(entry.operation),
            Cell::from(entry.by.as_str()),
            Cell::new(entry.status.as_str(), tone(entry)),
            Cell::from(short(&entry.value)),
            Cell::from(if entry.differs { "yes" } else { "" }),
            Cell::from(entry.took_ms.to_string()),
            Cell::from(why.map(|w| printable(w).into_owned())),
        ]);
    }
    table
}

/// The lines under the matrix: errors, disagreements, and what the daemon needs.
pub(super) fn notes(report: &Report) -> String {
    let mut out = String::new();
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for entry in &report.entries {
        let failed = matches!(
            entry.status,
            Status::Failed | Status::Denied | Status::NeedsLicense
        );
        let Some(error) = entry.error.as_ref().filter(|_| failed) else {
            continue;
        };
        let text = format!("{}: {error}", entry.driver);
        match said.iter_mut().find(|(t, _)| *t == text) {
            Some((_, operations)) => operations.push(entry.operation),
            None => said.push((text, vec![entry.operation])),
        }
    }
    for (text, operations) in said {
        let which = match operations.as_slice() {
            [one] => (*one).to_owned(),
            [first, ..] => format!("{first} and {} more", operations.len() - 1),
            [] => String::new(),
        };
        let _ = writeln!(out, "{:<18}{} ({which})", "Refused", printable(&text));
    }
    let differing = report.entries.iter().filter(|e| e.differs);
    let mut names: Vec<&str> = differing.map(|e| e.operation).collect();
    names.dedup();
    if !names.is_empty() {
        let _ = writeln!(out, "{:<18}{}", "Drivers disagree", names.join(", "));
    }
    let _ = writeln!(out, "{:<18}{}", "For the daemon", report.needs().summary());
    out
}

fn cell(entry: &Entry) -> Cell {
    let mut text = match (entry.status, &entry.value) {
        (Status::Works, Value::Null) => "works".to_owned(),
        (Status::Works, value) => short(value),
        (Status::NotTried, _) if entry.serves() => "not tried".to_owned(),
        (status, _) => status.as_str().to_owned(),
    };
    if entry.differs {
        text.push_str(" (differs)");
    }
    Cell::new(text, tone(entry))
}

fn tone(entry: &Entry) -> Tone {
    match entry.status {
        Status::Works if entry.differs => Tone::Warn,
        Status::Works => Tone::Good,
        Status::Denied | Status::Failed => Tone::Bad,
        Status::NeedsLicense => Tone::Warn,
        Status::Unsupported | Status::NotTried => Tone::Plain,
    }
}

/// A value in a few letters.
fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(map) => match (map.get("count"), map.get("consumed_watts")) {
            (Some(count), _) => count.to_string(),
            (_, Some(watts)) if !watts.is_null() => format!("{watts} W"),
            _ => {
                let said = map.values().filter_map(Value::as_str);
                let words: Vec<&str> = said.collect();
                words.join(" ")
            }
        },
        Value::Array(list) => list.len().to_string(),
        other => other.to_string(),
    };
    let text = printable(&text).into_owned();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let head: String = text.chars().take(LONGEST - 2).collect();
    format!("{head}..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(operation: &'static str, driver: DriverName, status: Status, value: Value) -> Entry {
        Entry {
            operation,
            driver,
            by: driver.as_str().to_ascii_lowercase(),
            status,
            value,
            evidence: Some("somewhere".to_owned()),
            differs: false,
            error: None,
            took_ms: 1.0,
        }
    }

    #[test]
    fn operations_down_and_drivers_across() {
        let mut other = entry("led.state", DriverName::Ipmi, Status::Works, json!("ON"));
        other.differs = true;
        let mut refused = entry("power.on", DriverName::Redfish, Status::Denied, Value::Null);
        refused.error = Some("no right".to_owned());
        let report = Report {
            entries: vec![
                entry(
                    "power.state",
                    DriverName::Redfish,
                    Status::Works,
                    json!("ON"),
                ),
                entry(
                    "led.state",
                    DriverName::Redfish,
                    Status::Works,
                    json!("OFF"),
                ),
                other,
                refused,
                entry("power.on", DriverName::Ipmi, Status::NotTried, Value::Null),
            ],
        };
        assert_eq!(
            matrix(&report).render(false, true, false),
            "OPERATION     REDFISH   IPMI\n\
             power.state   ON        -\n\
             led.state     OFF       ON (differs)\n\
             power.on      denied    not tried\n"
        );
        let notes = notes(&report);
        assert!(notes.contains("Redfish: no right (power.on)"), "{notes}");
        assert!(notes.contains("Drivers disagree  led.state\n"), "{notes}");
        assert!(notes.contains("missing: power.off"), "{notes}");
    }

    #[test]
    fn values_are_cut_and_cleaned() {
        assert_eq!(short(&json!({"count": 24, "without_value": 2})), "24");
        assert_eq!(
            short(&json!({"consumed_watts": 231.0, "min_watts": null})),
            "231.0 W"
        );
        assert_eq!(short(&json!("x".repeat(50))).len(), LONGEST);
        assert_eq!(
            short(&json!({"target": "PXE", "mode": null, "persistence": "ONCE"})),
            "PXE ONCE"
        );
    }
}
