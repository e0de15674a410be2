//! Units, kinds and states in the words that the IPMI driver uses too, so that both read alike.

use crate::hal::model::sensor::Thresholds;
use crate::hal::redfish::Resource;

/// A unit of `ReadingUnits` (UCUM, or what BMCs make of it) in the words of IPMI.
pub(super) fn unit(text: &str) -> Option<String> {
    let known = match text.trim() {
        "" => return None,
        "Cel" | "C" | "DegreesC" | "Celsius" | "degrees C" => "degrees C",
        "V" | "Volts" | "Volt" => "Volts",
        "A" | "Amps" | "Amperes" => "Amps",
        "W" | "Watts" | "Watt" => "Watts",
        "%" | "Percent" | "Percentage" => "percent",
        "RPM" | "rpm" | "{rev}/min" => "RPM",
        "J" => "Joules",
        "kW.h" => "kWh",
        "[ft_i]3/min" => "CFM",
        other => other,
    };
    Some(known.to_owned())
}

/// The sensor type; from the unit where the BMC does not say (or says nonsense: Lenovo calls its watts `Current`).
pub(super) fn kind(reading_type: Option<&str>, unit: Option<&str>) -> String {
    let by_unit = match unit {
        Some("degrees C") => Some("Temperature"),
        Some("Volts") => Some("Voltage"),
        Some("Amps") => Some("Current"),
        Some("Watts") => Some("Power"),
        Some("RPM") => Some("Fan"),
        _ => None,
    };
    match by_unit.or(reading_type) {
        Some("Rotational") => "Fan".to_owned(),
        Some(kind) => kind.to_owned(),
        None => "Other".to_owned(),
    }
}

/// Thresholds, none of them where all are zero: that is how BMCs say that nobody set them.
pub(super) fn set(thresholds: Thresholds) -> Thresholds {
    let all = [
        thresholds.lower_non_recoverable,
        thresholds.lower_critical,
        thresholds.lower_non_critical,
        thresholds.upper_non_critical,
        thresholds.upper_critical,
        thresholds.upper_non_recoverable,
    ];
    if all.into_iter().flatten().all(|limit| limit == 0.0) {
        return Thresholds::default();
    }
    thresholds
}

/// Reading and status of a sensor: no reading where it is not enabled, and the status says why.
pub(super) fn state(
    sensor: &Resource,
    reading: Option<f64>,
    thresholds: &Thresholds,
) -> (Option<f64>, String) {
    let state = sensor.str("/Status/State").unwrap_or("Enabled");
    // In these the value still stands for something.
    let readable = matches!(
        state,
        "Enabled" | "StandbySpare" | "InTest" | "Starting" | "Quiesced" | "Degraded"
    );
    let Some(value) = reading.filter(|_| readable) else {
        let why = match state {
            "Enabled" => "no reading".to_owned(),
            other => words(other),
        };
        return (None, why);
    };
    let crossed = crossed(value, thresholds);
    let status = match sensor.str("/Status/Health") {
        Some("OK") => "ok",
        Some("Warning") => crossed.unwrap_or("warning"),
        Some("Critical") => crossed.unwrap_or("critical"),
        _ => crossed.unwrap_or("ok"),
    };
    (Some(value), status.to_owned())
}

/// The worst threshold that the value has crossed.
fn crossed(value: f64, limits: &Thresholds) -> Option<&'static str> {
    let above = |limit: Option<f64>| limit.is_some_and(|limit| value >= limit);
    let below = |limit: Option<f64>| limit.is_some_and(|limit| value <= limit);
    [
        (above(limits.upper_non_recoverable), "upper non-recoverable"),
        (above(limits.upper_critical), "upper critical"),
        (below(limits.lower_non_recoverable), "lower non-recoverable"),
        (below(limits.lower_critical), "lower critical"),
        (above(limits.upper_non_critical), "upper non-critical"),
        (below(limits.lower_non_critical), "lower non-critical"),
    ]
    .into_iter()
    .find_map(|(crossed, word)| crossed.then_some(word))
}

/// `UnavailableOffline` as `unavailable offline`.
fn words(state: &str) -> String {
    let mut out = String::with_capacity(state.len() + 4);
    for c in state.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(c.to_lowercase());
    }
    out
}
