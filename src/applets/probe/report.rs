//! Findings as text: a short report of one address, a table of several.

use std::fmt::Write;

use super::Probed;
use super::reporter::Found;
use crate::applets::common::output::printable;
use crate::applets::common::table::{Cell, Table, Tone, column, wide};
use crate::hal::Error;
use crate::hal::detect::Findings;
use crate::hal::detect::findings::{IpmiFindings, RedfishFindings};
use crate::hal::model::DriverName;

/// The table of a sweep.
pub(super) fn table(probes: &[Probed], logs_in: bool) -> Table {
    let mut columns = vec![
        column("TARGET"),
        wide("ADDRESS"),
        column("VENDOR"),
        wide("PRODUCT"),
        column("DRIVER"),
        column("DRIVERS"),
        column("IPMI"),
        column("SUITES"),
        column("REDFISH"),
        wide("TLS"),
        column("WARNINGS"),
        wide("TOOK"),
    ];
    if logs_in {
        columns.push(column("DAEMON"));
    }
    let mut table = Table::new(&columns);
    for probed in probes {
        let found = &probed.findings;
        let (ipmi, redfish) = (found.ipmi(), found.redfish());
        let drivers: Vec<&str> = found.available().iter().map(|d| d.as_str()).collect();
        let warnings = found.warnings.len();
        let mut cells = vec![
            Cell::from(found.target.as_str()),
            Cell::from(found.address),
            Cell::from(found.vendor.clone()),
            Cell::from(found.product.clone()),
            match found.preferred_driver {
                Some(driver) => Cell::new(driver.as_str(), Tone::Good),
                None if found.reachable => Cell::new("none", Tone::Bad),
                None => Cell::new("no answer", Tone::Warn),
            },
            Cell::from(drivers.join(",")),
            Cell::from(ipmi.map(versions)),
            Cell::from(ipmi.and_then(suites)),
            Cell::from(redfish.and_then(|r| r.redfish_version.clone())),
            Cell::from(
                redfish
                    .and_then(|r| r.tls.as_ref())
                    .map(|t| t.version.clone()),
            ),
            if warnings == 0 {
                Cell::from("")
            } else {
                Cell::new(warnings.to_string(), Tone::Warn)
            },
            Cell::from(format!("{} ms", found.took_ms)),
        ];
        if logs_in {
            cells.push(needs(probed));
        }
        table.row(cells);
    }
    table
}

/// Is everything there that the daemon needs?
fn needs(probed: &Probed) -> Cell {
    match (&probed.report, &probed.needs) {
        (Some(report), _) if report.is_denied() => Cell::new("login refused", Tone::Bad),
        (_, Some(needs)) if needs.complete => Cell::new("ready", Tone::Good),
        (_, Some(needs)) => {
            let names = needs.missing.get(..2).map(|first| first.join(", "));
            let text = match names {
                Some(first) if needs.missing.len() > 2 => {
                    format!("lacks {first} and {} more", needs.missing.len() - 2)
                }
                _ => format!("lacks {}", needs.missing.join(", ")),
            };
            Cell::new(text, Tone::Warn)
        }
        _ if probed.failed.is_some() => Cell::new("no login", Tone::Bad),
        _ => Cell::from(""),
    }
}

/// How a login was found, or why not.
pub(super) fn login(found: &Found) -> String {
    let mut out = String::new();
    for step in &found.steps {
        let _ = writeln!(out, "{:<18}{}", "Login", printable(step));
    }
    out
}

/// Why there is no report.
pub(super) fn refused(error: &Error) -> String {
    let mut out = format!("{:<18}{}\n", "No report", printable(&error.chain()));
    if let Some(hint) = error.hint() {
        let _ = writeln!(out, "{:<18}{}", "", printable(hint));
    }
    out
}

/// The report of one address.
pub(super) fn text(found: &Findings) -> String {
    let mut out = String::new();
    let mut line = |label: &str, value: String| {
        let _ = writeln!(out, "{label:<18}{}", printable(&value));
    };
    line("Target", target_line(found));
    line(
        "Vendor",
        found.vendor.clone().unwrap_or_else(|| "unknown".to_owned()),
    );
    if let Some(product) = &found.product {
        line("Product", product.clone());
    }
    line(
        "Preferred driver",
        found
            .preferred_driver
            .map_or_else(|| "none".to_owned(), |d| d.to_string()),
    );
    if let Some(ipmi) = found.ipmi() {
        line("IPMI", ipmi_line(ipmi));
        if ipmi.available {
            line(
                "  cipher suites",
                suites(ipmi).unwrap_or_else(|| "not told".to_owned()),
            );
            if !ipmi.auth_types.is_empty() {
                line("  1.5 auth types", ipmi.auth_types.join(", "));
            }
            line(
                "  K_G",
                if ipmi.kg_required { "set" } else { "default" }.to_owned(),
            );
            if let Some(guid) = ipmi.guid {
                line("  system GUID", guid.to_string());
            }
        }
    }
    if let Some(redfish) = found.redfish() {
        line("Redfish", redfish_line(redfish));
        if let Some(uuid) = &redfish.uuid {
            line("  UUID", uuid.clone());
        }
        if let Some(tls) = &redfish.tls {
            let signed = if tls.self_signed { ", self-signed" } else { "" };
            line("  TLS", format!("{}{signed}", tls.version));
            if !tls.sha256.is_empty() {
                line("  subject", tls.subject.clone());
                line("  issuer", tls.issuer.clone());
                line("  valid until", tls.not_after.clone().unwrap_or_default());
                line("  SHA-256", tls.sha256.clone());
            }
        }
    }
    if found.available().contains(&DriverName::IDrac) {
        line("iDrac", "available".to_owned());
    }
    for warning in &found.warnings {
        line("Warning", warning.clone());
    }
    line("Took", format!("{} ms", found.took_ms));
    out
}

fn target_line(found: &Findings) -> String {
    match found.address {
        Some(address) if address.to_string() != found.target => {
            format!("{} ({address})", found.target)
        }
        _ => found.target.clone(),
    }
}

fn versions(ipmi: &IpmiFindings) -> String {
    let names: Vec<&str> = ipmi.versions.iter().map(|v| v.as_str()).collect();
    names.join(",")
}

fn suites(ipmi: &IpmiFindings) -> Option<String> {
    let ids: Vec<String> = ipmi
        .cipher_suites
        .as_ref()?
        .iter()
        .map(u8::to_string)
        .collect();
    Some(ids.join(","))
}

fn ipmi_line(ipmi: &IpmiFindings) -> String {
    match &ipmi.error {
        Some(error) => format!("not available on port {}: {error}", ipmi.port),
        None if ipmi.versions.is_empty() => format!("available on port {}", ipmi.port),
        None => format!(
            "available on port {}, versions {}",
            ipmi.port,
            versions(ipmi)
        ),
    }
}

fn redfish_line(redfish: &RedfishFindings) -> String {
    let url = &redfish.url;
    match (&redfish.error, &redfish.redfish_version) {
        (Some(error), _) => format!("not available at {url}: {error}"),
        (None, Some(version)) => format!("available at {url}, version {version}"),
        (None, None) => format!("available at {url}"),
    }
}
