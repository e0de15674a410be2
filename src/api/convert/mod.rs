//! Messages ↔ data of the HAL and of the table.

pub mod record;
pub mod values;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::proto;
use crate::hal::model::{DriverName, Reading, Secret, Source};

/// Names of vendors' overwrites that are remembered, at most; there are about ten.
const NAMES: usize = 64;

/// A driver on the wire.
pub fn driver(name: DriverName) -> proto::Driver {
    match name {
        DriverName::Ipmi => proto::Driver::Ipmi,
        DriverName::Redfish => proto::Driver::Redfish,
        DriverName::IDrac => proto::Driver::Idrac,
        DriverName::Unmanaged => proto::Driver::Unmanaged,
    }
}

/// A driver from the wire; `None` = unspecified or not known here.
pub fn driver_name(number: i32) -> Option<DriverName> {
    match proto::Driver::try_from(number) {
        Ok(proto::Driver::Ipmi) => Some(DriverName::Ipmi),
        Ok(proto::Driver::Redfish) => Some(DriverName::Redfish),
        Ok(proto::Driver::Idrac) => Some(DriverName::IDrac),
        Ok(proto::Driver::Unmanaged) => Some(DriverName::Unmanaged),
        _ => None,
    }
}

/// Where a value came from.
pub fn source<T>(reading: &Reading<T>) -> proto::Source {
    proto::Source {
        driver: driver(reading.source.driver).into(),
        overwrite: reading.source.overwrite.map(str::to_owned),
        at: reading.source.at.clone(),
        took: prost_types::Duration::try_from(reading.took).ok(),
    }
}

/// A value with its source from the wire.
pub fn reading<T>(value: T, source: Option<proto::Source>) -> Reading<T> {
    let source = source.unwrap_or_default();
    let took = source.took.and_then(|t| Duration::try_from(t).ok());
    Reading {
        value,
        source: Source {
            driver: driver_name(source.driver).unwrap_or(DriverName::Unmanaged),
            overwrite: source.overwrite.as_deref().and_then(name),
            at: source.at,
        },
        took: took.unwrap_or_default(),
    }
}

/// The one copy of a vendor's name. So many and so long names are kept, and no more: they are never freed.
fn name(text: &str) -> Option<&'static str> {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = known.get(text) {
        return Some(name);
    }
    if known.len() >= NAMES || text.len() > 64 {
        return None;
    }
    let name: &'static str = Box::leak(text.to_owned().into_boxed_str());
    known.insert(name);
    Some(name)
}

/// A secret on the wire.
pub fn secret(secret: &Secret) -> proto::Secret {
    proto::Secret {
        value: secret.expose().to_vec(),
    }
}

/// A secret from the wire.
pub fn secret_of(secret: proto::Secret) -> Secret {
    Secret::new(secret.value)
}

/// Milliseconds since 1970 on the wire.
pub fn millis(ms: u64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(ms % 1000).unwrap_or(0) * 1_000_000,
    }
}
