//! Sensor data records (§43), as bytes.

use super::sensors::{Kind, SensorSpec};

/// A record without its id: type and body.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Record type.
    pub record_type: u8,
    /// Everything after the five header bytes.
    pub body: Vec<u8>,
}

/// A repository: records with ids 1, 2, 3 …
pub fn repository(drafts: &[Draft]) -> Vec<Vec<u8>> {
    drafts
        .iter()
        .zip(1u16..)
        .map(|(draft, id)| {
            let [low, high] = id.to_le_bytes();
            let mut out = vec![low, high, 0x51, draft.record_type, draft.body.len() as u8];
            out.extend_from_slice(&draft.body);
            out
        })
        .collect()
}

fn push_name(body: &mut Vec<u8>, name: &str) {
    let bytes: Vec<u8> = name.bytes().take(16).collect();
    body.push(0xc0 | bytes.len() as u8);
    body.extend_from_slice(&bytes);
}

/// 10-bit two's complement M or B with the 6 bits that share its second byte.
fn split10(value: i16, low6: u8) -> [u8; 2] {
    let bits = value.cast_unsigned() & 0x3ff;
    [bits as u8, ((bits >> 8) as u8) << 6 | low6 & 0x3f]
}

/// The record of a sensor: full for analog ones, compact for discrete ones.
pub fn sensor(spec: &SensorSpec) -> Draft {
    let mut body = vec![
        0x20, // owned by the BMC
        0x00,
        spec.number,
        spec.entity.0,
        spec.entity.1,
        0x7f, // initialised: scanning, events, thresholds, hysteresis, type
    ];
    match spec.kind {
        Kind::Analog { .. } => {
            full(&mut body, spec);
            Draft {
                record_type: 0x01,
                body,
            }
        }
        Kind::Discrete {
            event_type, mask, ..
        } => {
            body.push(0x40); // auto re-arm, no thresholds
            body.push(spec.sensor_type);
            body.push(event_type);
            for _ in 0..3 {
                body.extend_from_slice(&mask.to_le_bytes());
            }
            body.extend_from_slice(&[0xc0, 0, 0]); // no numeric reading
            body.extend_from_slice(&[0x01, 0x00]); // shared by one sensor
            body.extend_from_slice(&[0, 0, 0, 0, 0, 0]);
            push_name(&mut body, spec.name);
            Draft {
                record_type: 0x02,
                body,
            }
        }
    }
}

fn full(body: &mut Vec<u8>, spec: &SensorSpec) {
    let Kind::Analog {
        m,
        b,
        b_exp,
        r_exp,
        signed,
        linearization,
        unit,
        thresholds: [lnc, lc, lnr, unc, uc, unr],
    } = spec.kind
    else {
        return;
    };
    let readable = [lnc, lc, lnr, unc, uc, unr]
        .iter()
        .enumerate()
        .filter(|(_, t)| t.is_some())
        .fold(0u8, |mask, (i, _)| mask | 1 << i);
    // Going-low events of lower thresholds, going-high ones of upper thresholds.
    let events = [lnc, lc, lnr, unc, uc, unr]
        .iter()
        .enumerate()
        .filter(|(_, t)| t.is_some())
        .fold(0u16, |mask, (i, _)| {
            mask | 1 << (2 * i + usize::from(i >= 3))
        });
    body.push(0x68); // auto re-arm, hysteresis and thresholds readable and settable
    body.push(spec.sensor_type);
    body.push(0x01); // threshold
    body.extend_from_slice(&(events | u16::from(readable & 7) << 12).to_le_bytes());
    body.extend_from_slice(&(events | u16::from(readable >> 3) << 12).to_le_bytes());
    body.extend_from_slice(&[readable, readable]);
    body.push(if signed { 0x80 } else { 0x00 });
    body.extend_from_slice(&[unit, 0]);
    body.push(linearization);
    body.extend_from_slice(&split10(m, 1));
    body.extend_from_slice(&split10(b, 0));
    body.push(0);
    body.push(r_exp.cast_unsigned() << 4 | b_exp.cast_unsigned() & 0x0f);
    body.push(0x07); // nominal, normal max and min are given
    let (top, bottom) = if signed { (0x7f, 0x80) } else { (0xff, 0x00) };
    body.extend_from_slice(&[
        spec.reading,
        unc.unwrap_or(top),
        lnc.unwrap_or(bottom),
        top,
        bottom,
    ]);
    body.extend([unr, uc, unc, lnr, lc, lnc].map(|t| t.unwrap_or(0)));
    body.extend_from_slice(&[2, 2, 0, 0, 0]);
    push_name(body, spec.name);
}

/// FRU Device Locator (0x11) of a logical FRU device behind the BMC.
pub fn fru_locator(id: u8, name: &str, entity: (u8, u8)) -> Draft {
    let mut body = vec![
        0x20, id, 0x80, 0x00, 0x00, 0x10, 0x00, entity.0, entity.1, 0,
    ];
    push_name(&mut body, name);
    Draft {
        record_type: 0x11,
        body,
    }
}

/// Management Controller Device Locator (0x12) of the BMC itself.
pub fn mc_locator(name: &str) -> Draft {
    let mut body = vec![0x20, 0x00, 0x00, 0xbf, 0, 0, 0, 0x06, 0x01, 0];
    push_name(&mut body, name);
    Draft {
        record_type: 0x12,
        body,
    }
}

/// Event-only record (0x03): a sensor that never reads.
pub fn event_only(number: u8, name: &str, sensor_type: u8, entity: (u8, u8)) -> Draft {
    let mut body = vec![
        0x20,
        0x00,
        number,
        entity.0,
        entity.1,
        sensor_type,
        0x6f,
        0x01,
        0x00,
        0,
        0,
    ];
    push_name(&mut body, name);
    Draft {
        record_type: 0x03,
        body,
    }
}

/// Entity Association (0x08): `container` holds up to four entities.
pub fn entity_association(container: (u8, u8), members: [(u8, u8); 4]) -> Draft {
    let mut body = vec![container.0, container.1, 0x00];
    for (id, instance) in members {
        body.extend_from_slice(&[id, instance]);
    }
    Draft {
        record_type: 0x08,
        body,
    }
}

/// OEM record (0xC0), led by the manufacturer id.
pub fn oem(manufacturer: u32, data: &[u8]) -> Draft {
    let [a, b, c, _] = manufacturer.to_le_bytes();
    let mut body = vec![a, b, c];
    body.extend_from_slice(data);
    Draft {
        record_type: 0xc0,
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sensors::{EXTRA, STANDARD};
    use super::*;

    #[test]
    fn lengths_are_those_of_the_specification() {
        let full = sensor(&STANDARD[0]);
        // 48 bytes up to the id string's type/length byte, header included.
        assert_eq!(full.body.len() + 5, 48 + "CPU1 Temp".len());
        let compact = sensor(&STANDARD[21]);
        assert_eq!(compact.record_type, 2);
        assert_eq!(compact.body.len() + 5, 32 + "PSU1 Status".len());
        assert_eq!(event_only(1, "", 0x14, (7, 1)).body.len() + 5, 17);
        assert_eq!(fru_locator(1, "", (7, 1)).body.len() + 5, 16);
        assert_eq!(mc_locator("").body.len() + 5, 16);
        assert_eq!(entity_association((3, 1), [(0, 0); 4]).body.len() + 5, 16);
        assert!(EXTRA.iter().all(|s| sensor(s).body.len() < 64));
    }

    #[test]
    fn factors_are_packed() {
        assert_eq!(split10(-1, 0), [0xff, 0xc0]);
        assert_eq!(split10(0x1ff, 1), [0xff, 0x41]);
        let vbat = sensor(&STANDARD[16]);
        // Byte 30 of the record: result exponent -3, offset exponent 2.
        assert_eq!(vbat.body[30 - 6], 0xd2);
    }
}
