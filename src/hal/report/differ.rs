//! Which values disagree between drivers, once spelling is left aside.

use serde_json::Value;

use super::entry::{Entry, Status};

/// Watts change between two reads: this much is no disagreement.
const WATTS: f64 = 25.0;
const SHARE: f64 = 0.25;

/// Marks entries of one operation whose values say different things.
pub(super) fn mark(entries: &mut [Entry]) {
    let differing: Vec<usize> = (0..entries.len())
        .filter(|i| {
            let Some(one) = entries.get(*i).filter(|e| e.status == Status::Works) else {
                return false;
            };
            entries.iter().any(|other| {
                other.status == Status::Works
                    && other.operation == one.operation
                    && other.driver != one.driver
                    && !agree(one.operation, &one.value, &other.value)
            })
        })
        .collect();
    for i in differing {
        if let Some(entry) = entries.get_mut(i) {
            entry.differs = true;
        }
    }
}

/// Do two values of `operation` mean the same?
fn agree(operation: &str, a: &Value, b: &Value) -> bool {
    match operation {
        // What is on its way may be read before or after.
        "power.state" => {
            let moving = |v: &Value| v.as_str().is_some_and(|s| s.starts_with("POWERING"));
            a == b || moving(a) || moving(b)
        }
        "led.state" => a == b,
        "boot.state" => ["target", "persistence", "mode"]
            .iter()
            .all(|key| member(a, b, key, |x, y| x == y)),
        "info.uuid" => text(a, b, same_uuid),
        "info.vendor" | "info.model" => text(a, b, |a, b| {
            let (a, b) = (letters(a), letters(b));
            a.contains(&b) || b.contains(&a)
        }),
        "info.serial" | "info.bmc.mac" | "info.bmc.ip" => {
            text(a, b, |a, b| letters(a) == letters(b))
        }
        "info.bmc.version" | "info.bios.version" => text(a, b, same_version),
        "info.fru" => match (a.as_object(), b.as_object()) {
            (Some(fields), Some(_)) => fields.keys().all(|key| {
                member(a, b, key, |x, y| {
                    text(x, y, |x, y| {
                        let (x, y) = (letters(x), letters(y));
                        x.contains(&y) || y.contains(&x)
                    })
                })
            }),
            _ => true,
        },
        "lan" => ["mac", "ip", "netmask", "gateway"]
            .iter()
            .all(|key| member(a, b, key, |x, y| x == y)),
        "power-metrics" => member(a, b, "consumed_watts", |x, y| {
            match (x.as_f64(), y.as_f64()) {
                (Some(x), Some(y)) => (x - y).abs() <= WATTS.max(SHARE * x.abs().max(y.abs())),
                _ => true,
            }
        }),
        // Lists are counted, and each protocol counts its own things.
        _ => true,
    }
}

/// Do the members agree? Absent and null ones say nothing.
fn member(a: &Value, b: &Value, key: &str, same: impl Fn(&Value, &Value) -> bool) -> bool {
    match (a.get(key), b.get(key)) {
        (Some(a), Some(b)) if !a.is_null() && !b.is_null() => same(a, b),
        _ => true,
    }
}

fn text(a: &Value, b: &Value, same: impl Fn(&str, &str) -> bool) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => same(a, b),
        _ => a == b,
    }
}

/// Letters and digits, in lower case.
fn letters(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// The same 16 bytes in any of the orders in which BMCs send them.
fn same_uuid(a: &str, b: &str) -> bool {
    let (a, b) = (letters(a), letters(b));
    let bytes: Vec<&str> = (0..a.len() / 2)
        .filter_map(|i| a.get(2 * i..2 * i + 2))
        .collect();
    if a == b || bytes.len() != 16 {
        return a == b;
    }
    let order = |places: &[usize]| -> String {
        places
            .iter()
            .filter_map(|i| bytes.get(*i).copied())
            .collect()
    };
    let reversed: String = bytes.iter().rev().copied().collect();
    let smbios = order(&[3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]);
    b == reversed || b == smbios
}

/// The same numbers as far as the shorter one goes: IPMI tells two of them.
fn same_version(a: &str, b: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let parts = text.split(|c: char| !c.is_ascii_digit());
        parts.filter_map(|p| p.parse().ok()).collect()
    };
    let (x, y) = (numbers(a), numbers(b));
    if x.is_empty() || y.is_empty() {
        return letters(a) == letters(b);
    }
    letters(a).contains(&letters(b))
        || letters(b).contains(&letters(a))
        || x.iter().zip(&y).all(|(x, y)| x == y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn same(operation: &str, a: &Value, b: &Value) -> bool {
        assert_eq!(
            agree(operation, a, b),
            agree(operation, b, a),
            "{operation}"
        );
        agree(operation, a, b)
    }

    #[test]
    fn spelling_is_no_disagreement() {
        let uuid = "37c43c25-69fe-4f88-b69d-4e71dc4070d0";
        for other in [
            "37C43C25-69FE-4F88-B69D-4E71DC4070D0",
            "253cc437-fe69-884f-b69d-4e71dc4070d0",
            "d07040dc-714e-9db6-884f-fe69253cc437",
        ] {
            assert!(same("info.uuid", &json!(uuid), &json!(other)), "{other}");
        }
        assert!(!same(
            "info.uuid",
            &json!(uuid),
            &json!("37c43c25-69fe-4f88-b69d-4e71dc4070d1")
        ));
        assert!(same("info.vendor", &json!("Dell Inc."), &json!("DELL")));
        assert!(!same(
            "info.vendor",
            &json!("Dell Inc."),
            &json!("Supermicro")
        ));
        assert!(same("info.serial", &json!("ABC 123 "), &json!("abc123")));
        assert!(same("info.bmc.version", &json!("1.74"), &json!("01.74.13")));
        assert!(!same(
            "info.bmc.version",
            &json!("1.74"),
            &json!("01.75.13")
        ));
        assert!(same(
            "info.bios.version",
            &json!("U30 v2.1"),
            &json!("u30 V2.1")
        ));
    }

    #[test]
    fn states_in_between_and_jitter_are_none_either() {
        assert!(same("power.state", &json!("ON"), &json!("POWERING_ON")));
        assert!(!same("power.state", &json!("ON"), &json!("OFF")));
        let watts = |w: f64| json!({ "consumed_watts": w });
        assert!(same("power-metrics", &watts(200.0), &watts(224.0)));
        assert!(!same("power-metrics", &watts(200.0), &watts(400.0)));
        let boot =
            |mode: Option<&str>| json!({ "target": "PXE", "mode": mode, "persistence": "ONCE" });
        assert!(same("boot.state", &boot(None), &boot(Some("UEFI"))));
        assert!(!same(
            "boot.state",
            &boot(Some("LEGACY")),
            &boot(Some("UEFI"))
        ));
    }
}
