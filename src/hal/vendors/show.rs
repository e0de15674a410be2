//! What an overwrite changes, as text: for people, and for the test that each change has its reason.

use super::{Facts, RedfishRole, Vendor};
use crate::hal::redfish::Quirks;

/// Generations of a vendor's managers that quirks may tell apart.
const MANAGERS: &[&str] = &["13G DCS", "15G Monolithic", "17G Monolithic"];

/// The fields of Redfish's quirks that a vendor sets, and to what, on any generation of its machines. In the order of
/// the fields.
pub fn redfish_changes(vendor: &Vendor) -> Vec<(String, String)> {
    let mut changes: Vec<(String, String)> = Vec::new();
    let generations = MANAGERS.iter().map(|m| Some((*m).to_owned()));
    for manager_model in std::iter::once(None).chain(generations) {
        let facts = Facts {
            manager_model,
            ..Facts::default()
        };
        let mut quirks = Quirks::default();
        (vendor.redfish)(&facts, &mut quirks);
        for change in differences(&quirks) {
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
    changes
}

/// The fields in which `quirks` is not the default.
pub fn differences(quirks: &Quirks) -> Vec<(String, String)> {
    let before = fields(&Quirks::default());
    fields(quirks)
        .into_iter()
        .filter(|field| !before.contains(field))
        .collect()
}

/// The flags of IPMI, by all rows of a vendor: names of quirks, and `user_slot`.
pub fn ipmi_changes(vendor: &Vendor) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    for row in vendor.ipmi {
        let quirks = row
            .quirks
            .iter()
            .map(|q| ((*q).to_owned(), "on".to_owned()));
        changes.extend(quirks);
        let slot = row
            .user_slot
            .map(|s| ("user_slot".to_owned(), s.to_string()));
        changes.extend(slot);
        if row.redfish_role != RedfishRole::Ipmi {
            let role = format!("{:?}", row.redfish_role);
            changes.push(("redfish_role".to_owned(), role));
        }
    }
    changes
}

/// Fields and values, from the pretty form of Debug: a field begins behind four blanks, what is deeper belongs to it.
fn fields(quirks: &Quirks) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in format!("{quirks:#?}").lines() {
        let Some(inside) = line.strip_prefix("    ") else {
            continue;
        };
        match (inside.split_once(": "), fields.last_mut()) {
            (Some((name, value)), _) if !inside.starts_with([' ', '}', ']', ')']) => {
                fields.push((name.to_owned(), value.to_owned()));
            }
            (_, Some((_, value))) => {
                value.push(' ');
                value.push_str(inside.trim());
            }
            (_, None) => {}
        }
    }
    for (_, value) in &mut fields {
        let tidy = value
            .trim_end_matches(',')
            .replace(", }", " }")
            .replace(", ]", " ]");
        *value = tidy
            .replace(", )", ")")
            .replace("( ", "(")
            .replace("[ ", "[")
            .replace(" ]", "]");
    }
    fields
}
