//! A row as people and programs read it: the keys of metal-stack's proposal in their order, ours after them.

use serde_json::{Map, Value};

use crate::api::convert::driver_name;
use crate::api::proto;
use crate::hal::model::DriverName;
use crate::hal::model::json::json;
use crate::hal::model::order::Order;

/// The document of a row.
pub(super) fn of(row: &proto::Bmc) -> Value {
    let driver = row.driver.and_then(driver_name).map(DriverName::as_str);
    let bios = row.bios.clone().unwrap_or_default();
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("mac", json!(row.mac));
    put("address", json!(row.address));
    put("vendor", json!(row.vendor));
    put("protocol", json!(driver));
    put("machine_id", json!(row.machine_id));
    put("created_at", time(row.created_at.as_ref()));
    put("changed_at", time(row.changed_at.as_ref()));
    put(
        "bios",
        json!({"date": bios.date, "vendor": bios.vendor, "version": bios.version}),
    );
    put("board", board(&row.board.clone().unwrap_or_default()));
    put("bmc", json!({"version": row.bmc_version}));
    put("ipmi", row.ipmi.as_ref().map_or(Value::Null, ipmi));
    put("redfish", row.redfish.as_ref().map_or(Value::Null, redfish));
    put("powermetric", powermetric(row));
    put("ledstate", json!({"description": "", "value": row.led}));
    put("driver", json!(driver));
    let drivers = row.drivers.iter().filter_map(|d| driver_name(*d));
    put(
        "drivers",
        json!(drivers.map(DriverName::as_str).collect::<Vec<_>>()),
    );
    put(
        "driver_policy",
        json!(match row.policy() {
            proto::Policy::Only => "only",
            _ => "prefer",
        }),
    );
    put("model", json!(row.model));
    put("partition", json!(row.partition));
    if let Some(url) = &row.console_url {
        put("console_url", json!(url));
    }
    put(
        "lease",
        row.lease.as_ref().map_or(Value::Null, |lease| {
            json!({"ends": time(lease.ends.as_ref()), "hostname": lease.hostname, "stale": lease.stale})
        }),
    );
    put("aliases", json!(row.aliases));
    put(
        "tls",
        row.tls.as_ref().map_or(
            Value::Null,
            |tls| json!({"sha256": tls.sha256, "changed": tls.changed}),
        ),
    );
    let status = row.status.clone().unwrap_or_default();
    put(
        "status",
        json!({
            "last_updated": time(status.last_updated.as_ref()),
            "last_error": status.last_error,
            "kind": status.kind,
        }),
    );
    let mut sources: Vec<_> = row.sources.iter().collect();
    sources.order_by(Ord::cmp);
    let sources: Map<String, Value> = sources
        .into_iter()
        .map(|(what, by)| (what.clone(), json!(by)))
        .collect();
    put("sources", Value::Object(sources));
    put("warnings", json!(row.warnings));
    if row.candidate {
        put("candidate", json!(true));
    }
    Value::Object(out)
}

fn board(board: &proto::Board) -> Value {
    let mut value = json!({
        "board_mfg": board.board_mfg,
        "board_part_number": board.board_part_number,
        "chassis_part_number": board.chassis_part_number,
        "chassis_part_serial": board.chassis_part_serial,
        "product_manufacturer": board.product_manufacturer,
        "product_part_number": board.product_part_number,
        "product_serial": board.product_serial,
    });
    if let (Some(map), Some(serial)) = (value.as_object_mut(), &board.board_mfg_serial) {
        map.insert("board_mfg_serial".to_owned(), json!(serial));
    }
    value
}

fn password(secret: &proto::Secret) -> Value {
    json!(String::from_utf8_lossy(&secret.value))
}

fn ipmi(access: &proto::IpmiAccess) -> Value {
    let mut out = Map::new();
    out.insert("interface".to_owned(), json!("lanplus"));
    out.insert("port".to_owned(), json!(access.port));
    if let Some(secret) = &access.password {
        out.insert("password".to_owned(), password(secret));
    }
    out.insert("user".to_owned(), json!(access.user));
    Value::Object(out)
}

fn redfish(access: &proto::RedfishAccess) -> Value {
    let mut out = Map::new();
    if let Some(secret) = &access.password {
        out.insert("password".to_owned(), password(secret));
    }
    out.insert("user".to_owned(), json!(access.user));
    if let Some(port) = access.port {
        out.insert("port".to_owned(), json!(port));
    }
    if let Some(url) = &access.url {
        out.insert("url".to_owned(), json!(url));
    }
    Value::Object(out)
}

fn powermetric(row: &proto::Bmc) -> Value {
    let watts = row.watts.unwrap_or_default();
    let supplies: Vec<Value> = row
        .supplies
        .iter()
        .map(|s| json!({"status": {"health": s.health, "state": s.state}}))
        .collect();
    json!({
        "averageconsumedwatts": number(watts.average),
        "intervalinmin": number(watts.interval_minutes),
        "maxconsumedwatts": number(watts.max),
        "minconsumedwatts": number(watts.min),
        "powerstate": row.power_state,
        "powersupplies": supplies,
    })
}

/// Whole numbers without a point.
fn number(value: Option<f64>) -> Value {
    match value {
        Some(n) if n.fract() == 0.0 && n.abs() < 1e15 => json!(n as i64),
        Some(n) => json!(n),
        None => Value::Null,
    }
}

/// RFC 3339 with milliseconds.
fn time(stamp: Option<&prost_types::Timestamp>) -> Value {
    let Some(stamp) = stamp else {
        return Value::Null;
    };
    let seconds = crate::hal::ipmi::time::rfc3339(stamp.seconds);
    let seconds = seconds.trim_end_matches('Z');
    json!(format!("{seconds}.{:03}Z", stamp.nanos / 1_000_000))
}

/// How the daemon is.
pub(super) fn status(status: &proto::StatusResponse) -> Value {
    let files: Vec<Value> = status
        .lease_files
        .iter()
        .map(|f| {
            json!({
                "path": f.path, "format": f.format, "leases": f.leases, "active": f.active,
                "bad_lines": f.bad_lines, "error": f.error, "read_at": time(f.read_at.as_ref()),
            })
        })
        .collect();
    let mut failing: Vec<_> = status.failing.iter().collect();
    failing.order_by(Ord::cmp);
    let failing: Map<String, Value> = failing
        .into_iter()
        .map(|(kind, n)| (kind.clone(), json!(n)))
        .collect();
    json!({
        "version": status.version,
        "started_at": time(status.started_at.as_ref()),
        "bmcs": status.bmcs,
        "candidates": status.candidates,
        "with_credentials": status.with_credentials,
        "looking": status.looking,
        "refreshing": status.refreshing,
        "waiting": status.waiting,
        "failing": failing,
        "revision": status.revision,
        "lease_files": files,
    })
}

#[cfg(test)]
mod tests;
