//! The sensors of a simulated server: what they are, what they read, when they alarm.

/// Analog with thresholds, or a set of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Analog: value = (m * raw + b * 10^b_exp) * 10^r_exp.
    Analog {
        /// Multiplier.
        m: i16,
        /// Offset.
        b: i16,
        /// Exponent of the offset.
        b_exp: i8,
        /// Exponent of the result.
        r_exp: i8,
        /// Raw values are two's complement.
        signed: bool,
        /// Linearisation code (0 = linear).
        linearization: u8,
        /// Base unit code (Table 43-15).
        unit: u8,
        /// Raw thresholds: LNC, LC, LNR, UNC, UC, UNR (the order of Get Sensor Thresholds).
        thresholds: [Option<u8>; 6],
    },
    /// States; `raw` bits are the asserted offsets.
    Discrete {
        /// Event/reading type code (0x6f = sensor specific).
        event_type: u8,
        /// Offsets that can be asserted.
        mask: u16,
        /// Offsets that are asserted now.
        states: u16,
    },
}

/// One sensor.
#[derive(Debug, Clone, Copy)]
pub struct SensorSpec {
    /// Number, unique within its LUN.
    pub number: u8,
    /// Name in the SDR, at most 16 bytes.
    pub name: &'static str,
    /// Sensor type (Table 42-3).
    pub sensor_type: u8,
    /// Entity id and instance.
    pub entity: (u8, u8),
    /// Raw reading of an analog sensor; 0 for discrete ones.
    pub reading: u8,
    /// Has no reading while the host is off.
    pub needs_power: bool,
    /// The kind.
    pub kind: Kind,
}

const TEMPERATURE: u8 = 1;
const VOLTAGE: u8 = 2;
const CURRENT: u8 = 3;
const FAN: u8 = 4;
const POWER: u8 = 0x0b;

const fn upper(unc: u8, uc: u8, unr: u8) -> [Option<u8>; 6] {
    [None, None, None, Some(unc), Some(uc), Some(unr)]
}

const fn lower(lnc: u8, lc: u8, lnr: u8) -> [Option<u8>; 6] {
    [Some(lnc), Some(lc), Some(lnr), None, None, None]
}

const fn analog(
    number: u8,
    name: &'static str,
    sensor_type: u8,
    entity: (u8, u8),
    reading: u8,
    kind: Kind,
) -> SensorSpec {
    SensorSpec {
        number,
        name,
        sensor_type,
        entity,
        reading,
        needs_power: sensor_type == FAN || sensor_type == VOLTAGE,
        kind,
    }
}

const fn linear(m: i16, r_exp: i8, unit: u8, thresholds: [Option<u8>; 6]) -> Kind {
    Kind::Analog {
        m,
        b: 0,
        b_exp: 0,
        r_exp,
        signed: false,
        linearization: 0,
        unit,
        thresholds,
    }
}

const fn temp(
    number: u8,
    name: &'static str,
    entity: (u8, u8),
    reading: u8,
    limits: [Option<u8>; 6],
) -> SensorSpec {
    analog(
        number,
        name,
        TEMPERATURE,
        entity,
        reading,
        linear(1, 0, 1, limits),
    )
}

const fn fan(number: u8, name: &'static str, instance: u8, reading: u8) -> SensorSpec {
    analog(
        number,
        name,
        FAN,
        (0x1d, instance),
        reading,
        linear(100, 0, 18, lower(7, 5, 3)),
    )
}

const fn volts(
    number: u8,
    name: &'static str,
    m: i16,
    reading: u8,
    t: [Option<u8>; 6],
) -> SensorSpec {
    analog(
        number,
        name,
        VOLTAGE,
        (7, number),
        reading,
        linear(m, -3, 4, t),
    )
}

const fn discrete(
    number: u8,
    name: &'static str,
    sensor_type: u8,
    entity: (u8, u8),
    event_type: u8,
    mask: u16,
    states: u16,
) -> SensorSpec {
    SensorSpec {
        number,
        name,
        sensor_type,
        entity,
        reading: 0,
        needs_power: false,
        kind: Kind::Discrete {
            event_type,
            mask,
            states,
        },
    }
}

const BOTH_12V: [Option<u8>; 6] = [
    Some(172),
    Some(165),
    Some(160),
    Some(206),
    Some(213),
    Some(220),
];
const BOTH_5V: [Option<u8>; 6] = [
    Some(147),
    Some(143),
    Some(140),
    Some(165),
    Some(169),
    Some(175),
];

/// The 24 sensors of every simulated server: 21 analog, 3 discrete.
pub const STANDARD: &[SensorSpec] = &[
    temp(0x01, "CPU1 Temp", (3, 1), 45, upper(85, 90, 95)),
    temp(0x02, "CPU2 Temp", (3, 2), 47, upper(85, 90, 95)),
    // Two's complement, so that it can be below zero.
    analog(
        0x03,
        "Inlet Temp",
        TEMPERATURE,
        (0x37, 1),
        23,
        Kind::Analog {
            m: 1,
            b: 0,
            b_exp: 0,
            r_exp: 0,
            signed: true,
            linearization: 0,
            unit: 1,
            thresholds: [
                Some(3),
                Some(0xfb),
                Some(0xf6),
                Some(38),
                Some(42),
                Some(47),
            ],
        },
    ),
    temp(0x04, "Exhaust Temp", (0x37, 2), 34, upper(70, 75, 80)),
    temp(0x05, "PCH Temp", (7, 1), 52, upper(80, 85, 90)),
    temp(0x06, "DIMM A1 Temp", (0x20, 1), 36, upper(80, 85, 90)),
    temp(0x07, "DIMM B1 Temp", (0x20, 2), 37, upper(80, 85, 90)),
    fan(0x11, "FAN1", 1, 84),
    fan(0x12, "FAN2", 2, 85),
    fan(0x13, "FAN3", 3, 84),
    fan(0x14, "FAN4", 4, 86),
    fan(0x15, "FANA", 5, 62),
    fan(0x16, "FANB", 6, 63),
    volts(0x20, "12V", 63, 190, BOTH_12V),
    volts(0x21, "5VCC", 32, 156, BOTH_5V),
    volts(0x22, "3.3VCC", 17, 194, upper(206, 213, 217)),
    // An offset with an exponent of its own: (10 * raw + 5 * 10^2) * 10^-3 volts.
    analog(
        0x23,
        "VBAT",
        VOLTAGE,
        (0x28, 1),
        254,
        Kind::Analog {
            m: 10,
            b: 5,
            b_exp: 2,
            r_exp: -3,
            signed: false,
            linearization: 0,
            unit: 4,
            thresholds: lower(220, 200, 190),
        },
    ),
    volts(0x24, "Vcpu1", 9, 200, upper(215, 222, 230)),
    analog(
        0x30,
        "PSU1 Input",
        POWER,
        (0x0a, 1),
        31,
        linear(4, 0, 6, upper(180, 190, 200)),
    ),
    analog(
        0x31,
        "PSU2 Input",
        POWER,
        (0x0a, 2),
        32,
        linear(4, 0, 6, upper(180, 190, 200)),
    ),
    analog(
        0x32,
        "Total Power",
        POWER,
        (0x15, 1),
        63,
        linear(4, 0, 6, upper(220, 230, 240)),
    ),
    discrete(0x40, "PSU1 Status", 0x08, (0x0a, 1), 0x6f, 0x007f, 0x0001),
    discrete(0x41, "PSU2 Status", 0x08, (0x0a, 2), 0x6f, 0x007f, 0x0001),
    discrete(0x42, "Intrusion", 0x05, (0x17, 1), 0x6f, 0x001f, 0x0000),
];

/// What vendors have in addition: more analog ones, odd maths, every sort of discrete sensor.
pub const EXTRA: &[SensorSpec] = &[
    temp(0x08, "NVMe 1 Temp", (4, 1), 41, upper(70, 75, 80)),
    analog(
        0x33,
        "PSU1 Current",
        CURRENT,
        (0x0a, 1),
        14,
        linear(1, -1, 5, upper(80, 90, 100)),
    ),
    // Linearised: value = sqrt(m * raw).
    analog(
        0x34,
        "Airflow",
        0x0b,
        (7, 2),
        144,
        Kind::Analog {
            m: 1,
            b: 0,
            b_exp: 0,
            r_exp: 0,
            signed: false,
            linearization: 10,
            unit: 19,
            thresholds: upper(225, 240, 250),
        },
    ),
    discrete(0x43, "CPU1 Status", 0x07, (3, 1), 0x6f, 0x07ff, 0x0080),
    discrete(0x44, "Watchdog", 0x23, (6, 1), 0x6f, 0x010f, 0x0000),
    discrete(0x45, "SEL Fullness", 0x10, (6, 1), 0x6f, 0x003f, 0x0000),
    discrete(0x46, "Drive 0", 0x0d, (4, 1), 0x6f, 0x01ff, 0x0001),
    discrete(0x47, "Drive 1", 0x0d, (4, 2), 0x6f, 0x01ff, 0x0003),
    discrete(
        0x48,
        "PSU Redundancy",
        0x08,
        (0x0a, 3),
        0x0b,
        0x00ff,
        0x0001,
    ),
    discrete(0x49, "VR Limit", 0x02, (7, 3), 0x05, 0x0003, 0x0000),
    discrete(0x4a, "ACPI State", 0x22, (6, 1), 0x6f, 0x7fff, 0x0001),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_are_unique_and_names_fit() {
        let all: Vec<_> = STANDARD.iter().chain(EXTRA).collect();
        let numbers: BTreeSet<_> = all.iter().map(|s| s.number).collect();
        assert_eq!(numbers.len(), all.len());
        assert!(all.iter().all(|s| s.name.len() <= 16));
        assert_eq!(STANDARD.len(), 24);
    }
}
