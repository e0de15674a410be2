//! Which row an operator means: by MAC, UUID of the machine, address, or a prefix of one of them.

use std::net::IpAddr;
use std::sync::Arc;

use crate::hal::model::MacAddr;
use crate::hal::{Error, Kind, Result};
use crate::inventory::Record;

/// The row that `key` names. A prefix has to fit exactly one row, and is refused where something is written.
pub fn find(rows: &[Arc<Record>], key: &str, write: bool) -> Result<Arc<Record>> {
    let key = key.trim();
    if key.is_empty() {
        return Err(Error::new(Kind::Config, "no BMC is named"));
    }
    let there = || rows.iter().filter(|r| !r.removed);
    if let Ok(mac) = key.parse::<MacAddr>() {
        return there()
            .find(|r| r.mac == mac)
            .or_else(|| there().find(|r| r.aliases.contains(&mac)))
            .cloned()
            .ok_or_else(|| none(key));
    }
    if let Ok(address) = key.parse::<IpAddr>() {
        return one(key, there().filter(|r| r.address == Some(address)));
    }
    let same = |id: &String| id.eq_ignore_ascii_case(key);
    if let Some(row) = there().find(|r| r.machine_id.as_ref().is_some_and(same)) {
        return Ok(Arc::clone(row));
    }
    let key_lower = key.to_ascii_lowercase();
    let starts = |r: &&Arc<Record>| {
        r.mac.to_string().starts_with(&key_lower)
            || r.machine_id
                .as_ref()
                .is_some_and(|id| id.to_ascii_lowercase().starts_with(&key_lower))
            || r.address
                .is_some_and(|a| a.to_string().starts_with(&key_lower))
    };
    let found = one(key, there().filter(starts))?;
    if write {
        return Err(Error::new(
            Kind::Config,
            format!("'{key}' is only the beginning of a name"),
        )
        .with_hint(format!("write {} in full", found.mac)));
    }
    Ok(found)
}

fn none(key: &str) -> Error {
    Error::new(Kind::Config, format!("there is no BMC '{key}'"))
        .with_hint("halbox bmc ls --all shows all; halbox bmc add MAC --ip ADDRESS makes one")
}

fn one<'a>(key: &str, mut rows: impl Iterator<Item = &'a Arc<Record>>) -> Result<Arc<Record>> {
    let first = rows.next().ok_or_else(|| none(key))?;
    if let Some(second) = rows.next() {
        let more = rows.count();
        let others = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        return Err(Error::new(
            Kind::Config,
            format!("'{key}' fits {}, {}{others}", first.mac, second.mac),
        )
        .with_hint("write more of it"));
    }
    Ok(Arc::clone(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_mac_uuid_address_and_prefix() {
        let row = |n: u8| {
            let mut row = Record::new(MacAddr([0xac, 0x1f, 0x6b, 0, 0, n]));
            row.address = format!("10.0.0.{n}").parse().ok();
            row.machine_id = Some(format!("{n}7C43C25-69fe-4f88-b69d-4e71dc4070d0"));
            row.aliases = vec![MacAddr([0xb0, 0, 0, 0, 0, n])];
            Arc::new(row)
        };
        let rows = [row(1), row(2)];
        let found = |key: &str, write| find(&rows, key, write).map(|r| r.mac.0[5]);
        for key in [
            "ac:1f:6b:00:00:02",
            "AC-1F-6B-00-00-02",
            "b0:00:00:00:00:02",
            "10.0.0.2",
            "27c43c25-69fe-4f88-b69d-4e71dc4070d0",
        ] {
            assert_eq!(found(key, true).unwrap(), 2, "{key}");
        }
        assert_eq!(found("27c4", false).unwrap(), 2);
        assert!(found("27c4", true).unwrap_err().hint().is_some());
        let several = found("ac:1f", false).unwrap_err();
        assert!(several.chain().contains("ac:1f:6b:00:00:02"), "{several:?}");
        for missing in ["", "ac:1f:6b:00:00:09", "10.0.0.9", "zz"] {
            assert_eq!(found(missing, false).unwrap_err().kind(), Kind::Config);
        }
    }
}
