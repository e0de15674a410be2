//! The sensors that `ipmi_sim` shows: text for `sdrcomp` and the commands that give them values.

use std::fmt::Write;

/// One sensor. Its reading is (`m` x raw + `b` x 10^`b_exp`) x 10^`r_exp`.
struct Sensor {
    name: String,
    kind: &'static str,
    kind_code: u8,
    unit: &'static str,
    m: i16,
    b: i16,
    b_exp: i8,
    r_exp: i8,
    raw: u8,
    /// Raw thresholds, lower non-recoverable to upper non-recoverable, in the order of Get Sensor Thresholds.
    thresholds: [u8; 6],
}

/// 22 analog sensors (temperatures, voltages, fans, power) and two discrete ones.
fn analog() -> Vec<Sensor> {
    let mut out = Vec::new();
    let mut add =
        |name: String, kind, kind_code, unit, numbers: (i16, i16, i8, i8), raw, thresholds| {
            let (m, b, b_exp, r_exp) = numbers;
            out.push(Sensor {
                name,
                kind,
                kind_code,
                unit,
                m,
                b,
                b_exp,
                r_exp,
                raw,
                thresholds,
            });
        };
    for i in 0..10u8 {
        // The second half reads with an offset of -50 degrees.
        let numbers = if i < 5 { (1, 0, 0, 0) } else { (1, -50, 0, 0) };
        let raw = if i == 3 { 92 } else { 40 + i };
        add(
            format!("Temp {i}"),
            "Temperature",
            1,
            "degrees_C",
            numbers,
            raw,
            [5, 3, 1, 85, 95, 105],
        );
    }
    for (i, (m, r_exp, raw)) in [
        (16, -3, 205),
        (26, -3, 192),
        (63, -3, 190),
        (8, -3, 150),
        (1, -1, 33),
        (2, -2, 165),
    ]
    .into_iter()
    .enumerate()
    {
        let raw: u8 = raw;
        let limits = [raw - 10, raw - 20, raw - 30, raw + 10, raw + 20, raw + 30];
        add(
            format!("Volt {i}"),
            "Voltage",
            2,
            "Volts",
            (m, 0, 0, r_exp),
            raw,
            limits,
        );
    }
    for i in 0..4u8 {
        add(
            format!("Fan {i}"),
            "Fan",
            4,
            "RPM",
            (60, 0, 0, 0),
            90 + i,
            [10, 8, 6, 230, 240, 250],
        );
    }
    add(
        "PSU Input".into(),
        "Other_Units_Based_Sensor",
        0x0b,
        "Watts",
        (4, 0, 0, 0),
        70,
        [5, 4, 3, 200, 210, 220],
    );
    add(
        "CPU Watts".into(),
        "Other_Units_Based_Sensor",
        0x0b,
        "Watts",
        (15, 2, 1, -1),
        100,
        [5, 4, 3, 200, 210, 220],
    );
    out
}

/// Input of `sdrcomp`: the BMC's locator, the analog sensors, two discrete ones.
pub fn source() -> String {
    let mut text = String::from(
        "sdr type 18\n device_slave_address 0x20\n device_channel_number 0\n chassis true\n fru_inventory true\n \
         sel true\n sdr true\n sensor true\n entity_id system_board\n entity_instance 1\n id_string \"halbmc\"\nendsdr\n",
    );
    for (i, s) in analog().iter().enumerate() {
        let _ = write!(
            text,
            "sdr type 1\n sensor_owner_id 0x20\n sensor_owner_lun 0\n channel_number 0\n sensor_number {}\n \
             entity_id system_board\n entity_instance 1\n init_scanning true\n init_thresholds true\n init_sensor_type true\n \
             default_sensor_scan_on true\n sensor_threshold_access readable\n sensor_type {}\n event_reading_type_code 1\n \
             analog_data_format unsigned\n rate_unit none\n modifier_unit none\n percentage false\n base_unit {}\n \
             modifier_unit_code unspecified\n linearization linear\n m {}\n tolerance 1\n b {}\n accuracy 10\n accuracy_exp 0\n \
             sensor_direction input\n r_exp {}\n b_exp {}\n sensor_maximum 255\n sensor_minimum 0\n",
            i + 1,
            s.kind,
            s.unit,
            s.m,
            s.b,
            s.r_exp,
            s.b_exp
        );
        for name in ["lnc", "lc", "lnr", "unc", "uc", "unr"] {
            let _ = writeln!(text, " {name}_thrsh_readable true");
        }
        for (name, raw) in ["lnc", "lc", "lnr", "unc", "uc", "unr"]
            .iter()
            .zip(s.thresholds)
        {
            let _ = writeln!(text, " {name}_thresh {raw}");
        }
        let _ = writeln!(text, " id_string \"{}\"\nendsdr", s.name);
    }
    for (number, name, kind) in DISCRETE {
        let _ = write!(
            text,
            "sdr type 2\n sensor_owner_id 0x20\n sensor_owner_lun 0\n channel_number 0\n sensor_number {number}\n \
             entity_id power_supply\n entity_instance 1\n init_scanning true\n default_sensor_scan_on true\n \
             sensor_type {kind}\n event_reading_type_code 0x6f\n id_string \"{name}\"\nendsdr\n",
        );
    }
    text
}

/// Number, name and type (as `sdrcomp` spells it) of the discrete sensors.
const DISCRETE: [(u8, &str, &str); 2] = [
    (23, "Psu 1", "Power_Supply"),
    (24, "Door", "Physical_Security"),
];

/// Commands of `ipmi_sim` that make the sensors and the event log.
pub fn commands() -> String {
    let mut text = String::new();
    for (i, s) in analog().iter().enumerate() {
        let n = i + 1;
        let [lnc, lc, lnr, unc, uc, unr] = s.thresholds;
        let _ = writeln!(text, "sensor_add 0x20 0 {n} {:#x} 1", s.kind_code);
        let _ = writeln!(
            text,
            "sensor_set_threshold 0x20 0 {n} readable 111111 {unr} {uc} {unc} {lnr} {lc} {lnc}"
        );
        let _ = writeln!(text, "sensor_set_value 0x20 0 {n} {} 0", s.raw);
    }
    // Power Supply: presence detected. Physical Security: nothing asserted.
    text.push_str("sensor_add 0x20 0 23 8 0x6f\nsensor_set_bit 0x20 0 23 0 1 0\nsensor_add 0x20 0 24 5 0x6f\n");
    // System event records (type 2): time, generator 0x20, format 4, sensor type and number, event type, data.
    for i in 0..32u32 {
        let [a, b, c, d] = (1_700_000_000 + i * 60).to_le_bytes();
        let (kind, number, event, data) = match i % 4 {
            0 => (0x01, 4, 0x01, 0x57), // temperature, upper non-critical going high, with reading and threshold
            1 => (0x01, 4, 0x81, 0x57), // the same, going away
            2 => (0x08, 23, 0x6f, 0x01), // power supply, failure detected
            _ => (0x05, 24, 0x6f, 0x00), // physical security, general chassis intrusion
        };
        let _ = writeln!(
            text,
            "sel_add 0x20 0x02 {a} {b} {c} {d} 0x20 0x00 0x04 {kind} {number} {event} {data} 92 85"
        );
    }
    text
}
