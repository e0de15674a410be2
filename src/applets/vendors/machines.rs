//! The machines that halbox was tried on, and how: one data file (`machines.json`), shown here and rendered into
//! `docs/machines.md`.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::applets::common::exit::Failure;
use crate::applets::common::table::{Table, column, wide};
use crate::hal::model::order::Order;

const FILE: &str = include_str!("machines.json");

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Machines {
    pub(super) machines: Vec<Machine>,
}

/// One machine, by one driver.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Machine {
    pub(super) vendor: String,
    pub(super) model: String,
    /// Version of the BMC's firmware; `null` where it stands for several.
    pub(super) bmc_version: Option<String>,
    /// Driver that was used.
    pub(super) driver: String,
    /// Operations, as they are called in JSON.
    pub(super) operations: Vec<String>,
    pub(super) evidence: Evidence,
    /// The report, the recording, the profile of the simulator, or the document.
    pub(super) source: String,
}

/// How it is known that the operations work. Only hardware is proof; nothing is called verified without at least a
/// recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Evidence {
    /// Run on the machine itself.
    Hardware,
    /// Run on what the machine itself answered, recorded.
    Recording,
    /// Run on a simulator that behaves like it.
    Simulated,
    /// Written for what others have documented.
    Documented,
}

impl Evidence {
    fn as_str(self) -> &'static str {
        match self {
            Self::Hardware => "hardware",
            Self::Recording => "recording",
            Self::Simulated => "simulated",
            Self::Documented => "documented",
        }
    }
}

/// The list, the best evidence first.
pub(super) fn list() -> Result<Machines, Failure> {
    let mut list: Machines = serde_json::from_str(FILE)
        .map_err(|e| Failure::failed(format!("the list of machines: {e}")))?;
    list.machines
        .order_by(|a, b| (a.evidence, &a.vendor).cmp(&(b.evidence, &b.vendor)));
    Ok(list)
}

pub(super) fn table(list: &Machines) -> Table {
    let mut table = Table::new(&[
        column("VENDOR"),
        column("MODEL"),
        column("BMC VERSION"),
        column("DRIVER"),
        column("EVIDENCE"),
        column("OPERATIONS"),
        wide("SOURCE"),
    ]);
    for m in &list.machines {
        table.row([
            m.vendor.clone(),
            m.model.clone(),
            m.bmc_version.clone().unwrap_or_default(),
            m.driver.clone(),
            m.evidence.as_str().to_owned(),
            m.operations.join(", "),
            m.source.clone(),
        ]);
    }
    table
}

/// The text of `docs/machines.md`.
pub(super) fn markdown(list: &Machines) -> String {
    let mut text = String::from(
        "# Machines\n\n\
         What halbox was tried on, and what that proves. Made by `just man` from `src/applets/vendors/machines.json`; do not edit \
         here. `halbox vendors --verified` prints the same list.\n\n\
         * **hardware**: run on the machine itself.\n\
         * **recording**: run on what the machine itself answered, served again by a mock that can be written to.\n\
         * **simulated**: run on a simulator with this vendor's rules.\n\
         * **documented**: written for what others have documented; never run on such a machine or a recording of one.\n\n\
         | Vendor | Model | BMC version | Driver | Evidence | Operations | Source |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for m in &list.machines {
        let version = m.bmc_version.as_deref().unwrap_or("");
        let operations = m.operations.join(", ");
        let evidence = m.evidence.as_str();
        let _ = writeln!(
            text,
            "| {} | {} | {version} | {} | {evidence} | {operations} | {} |",
            m.vendor, m.model, m.driver, m.source
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::model::DriverName;
    use crate::hal::sim::ProfileName;

    #[test]
    fn each_entry_is_complete_and_its_evidence_is_there() {
        let list = list().unwrap();
        assert!(list.machines.len() > 20);
        for m in &list.machines {
            let of = format!("{} {}", m.vendor, m.model);
            assert!(m.driver.parse::<DriverName>().is_ok(), "{of}");
            assert!(!m.operations.is_empty() && !m.source.is_empty(), "{of}");
            match m.evidence {
                // A report of `just rack` in the repository.
                Evidence::Hardware => {
                    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
                    assert!(
                        root.join(&m.source).is_file(),
                        "{of}: no report {}",
                        m.source
                    );
                }
                Evidence::Recording => {
                    assert!(m.bmc_version.is_some(), "{of}: a recording has a version");
                }
                Evidence::Simulated => {
                    let profile = m.source.strip_prefix("halbox sim --profile ");
                    let known = profile.is_some_and(|p| p.parse::<ProfileName>().is_ok());
                    assert!(known || m.source.starts_with("ipmi_sim "), "{of}");
                }
                Evidence::Documented => {}
            }
        }
    }
}
