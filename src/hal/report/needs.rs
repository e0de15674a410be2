//! What the daemon needs of a BMC, and who serves it.

use serde::Serialize;

use super::entry::Entry;
use crate::hal::model::order::Order;

/// The operations without which a machine cannot be managed.
pub const NEEDED: &[&str] = &[
    "power.state",
    "power.on",
    "power.off",
    "power.reset",
    "power.cycle",
    "boot.state",
    "boot.pxe",
    "boot.disk",
    "boot.bios",
    "led.on",
    "led.off",
    "info.uuid",
    "info.bmc.mac",
];

/// Is everything there that the daemon needs, and by whom?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// Nothing is missing.
    pub complete: bool,
    /// Operations that no driver serves.
    pub missing: Vec<&'static str>,
    /// Each operation and who serves it: the first driver that does.
    pub served: Vec<Served>,
}

/// An operation and who serves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Served {
    /// Its name.
    pub operation: &'static str,
    /// `dell(redfish)`.
    pub by: String,
}

impl Needs {
    /// From the entries of a report, the preferred driver's first.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut missing = Vec::new();
        let mut served = Vec::new();
        for operation in NEEDED {
            let mut of_it = entries.iter().filter(|e| e.operation == *operation);
            match of_it.find(|e| e.serves()) {
                Some(entry) => served.push(Served {
                    operation,
                    by: entry.by.clone(),
                }),
                None => missing.push(*operation),
            }
        }
        Self {
            complete: missing.is_empty(),
            missing,
            served,
        }
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let mut by: Vec<(&str, Vec<&str>)> = Vec::new();
        for served in &self.served {
            match by.iter_mut().find(|(name, _)| *name == served.by) {
                Some((_, list)) => list.push(served.operation),
                None => by.push((&served.by, vec![served.operation])),
            }
        }
        // Who serves most is named alone, the others with what they add.
        by.order_by_key(|(_, list)| std::cmp::Reverse(list.len()));
        let names: Vec<String> = by
            .iter()
            .enumerate()
            .map(|(i, (name, list))| match i {
                0 => (*name).to_owned(),
                _ => format!("{name} ({})", list.join(", ")),
            })
            .collect();
        let missing = self.missing.join(", ");
        match (self.complete, names.is_empty()) {
            (true, _) => format!("everything is there, by {}", names.join(" and ")),
            (false, true) => "nothing works that it needs".to_owned(),
            (false, false) => format!("missing: {missing}; the rest by {}", names.join(" and ")),
        }
    }
}
