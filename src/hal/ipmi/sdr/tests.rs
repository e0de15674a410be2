use proptest::prelude::*;

use super::*;
use crate::hal::ipmi::sensor::{AnalogFormat, Factors, Linearization};
use crate::hal::ipmi::text::Encoding;

fn bytes(hex: &str) -> Vec<u8> {
    crate::hal::ipmi::text::encode(Encoding::Binary, hex)
}

#[test]
fn a_full_record_byte_by_byte() {
    // A CPU temperature: owner 0x20, sensor 1, entity 3.1, degrees C, M = 1, thresholds UNC 85, UC 90, UNR 95.
    let record = "0100510133\
        200001\
        03017f681f01\
        8072 8072 3f3f\
        800100\
        00 010000000000\
        00 1e 50 0a 7f 80\
        5f 5a 55 00 00 05\
        02 02 0000 00\
        c8 4350552054656d70";
    let data = bytes(record);
    let sdr = Sdr::parse(&data).unwrap();
    let Body::Full(full) = &sdr.body else {
        panic!("{sdr:?}");
    };
    assert_eq!(full.id.to_string(), "CPU Temp");
    assert_eq!(full.common.sensor_type, 0x1f);
    assert_eq!(full.common.format, AnalogFormat::TwosComplement);
    assert_eq!(full.thresholds, [5, 0, 0, 85, 90, 95]);
    assert_eq!(full.factors, Factors::IDENTITY);
    let sensors = sdr.sensors();
    assert_eq!(sensors.len(), 1);
    assert_eq!(sensors[0].readable, 0x3f);
    assert_eq!(sensors[0].analog.unwrap().convert(0xfb), Some(-5.0));
    assert_eq!(sdr.encode(), data);
}

#[test]
fn shared_records_are_taken_apart() {
    let sharing = |alpha, offset| Sharing {
        alpha,
        count: 3,
        entity_increments: true,
        offset,
        ..Sharing::default()
    };
    let compact = |sharing| {
        let mut compact = Compact {
            sharing,
            id: IdString::latin1("Fan "),
            ..Compact::default()
        };
        compact.common.owner.number = 0x30;
        Sdr::new(1, Body::Compact(Box::new(compact))).sensors()
    };
    let names = |sensors: &[Sensor]| sensors.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    let numeric = compact(sharing(false, 1));
    assert_eq!(names(&numeric), ["Fan1", "Fan2", "Fan3"]);
    let numbers: Vec<u8> = numeric.iter().map(|s| s.owner.number).collect();
    assert_eq!(numbers, [0x30, 0x31, 0x32]);
    assert_eq!(numeric[2].instance, 3);
    assert_eq!(
        names(&compact(sharing(true, 25))),
        ["FanZ", "FanAA", "FanAB"]
    );
    let alone = Sharing {
        count: 1,
        offset: 7,
        ..Sharing::default()
    };
    assert_eq!(names(&compact(alone)), ["Fan"]);
}

#[test]
fn names_longer_than_the_record_end_with_it() {
    // An id string of length 31 in a short buffer: ipmitool read beyond it.
    let fru = FruLocator {
        id: IdString::latin1("PSU1"),
        ..FruLocator::default()
    };
    let mut data = Sdr::new(7, Body::FruLocator(fru)).encode();
    let at = data.len() - 5;
    data[at] = 0xdf;
    let sdr = Sdr::parse(&data).unwrap();
    assert_eq!(sdr.name().as_deref(), Some("PSU1"));
    data[4] = 0xff;
    assert_eq!(Sdr::parse(&data).unwrap().name().as_deref(), Some("PSU1"));
    data[4] = 10;
    assert_eq!(Sdr::parse(&data).unwrap().name().as_deref(), Some(""));
}

#[test]
fn names_in_every_encoding() {
    for encoding in [Encoding::Latin1, Encoding::SixBit, Encoding::Utf16] {
        let id = IdString::new(encoding, "P1-DIMM");
        let mc = McLocator {
            id: id.clone(),
            ..McLocator::default()
        };
        let data = Sdr::new(1, Body::McLocator(mc)).encode();
        let sdr = Sdr::parse(&data).unwrap();
        assert_eq!(sdr.name().as_deref(), Some("P1-DIMM"), "{encoding:?}");
    }
    // Type 0 is Unicode, but some BMCs mean ASCII.
    let mut data = Sdr::new(
        1,
        Body::McLocator(McLocator {
            id: IdString::latin1("iDRAC6"),
            ..McLocator::default()
        }),
    )
    .encode();
    let at = data.len() - 7;
    data[at] = 0x06;
    assert_eq!(Sdr::parse(&data).unwrap().name().as_deref(), Some("iDRAC6"));
}

#[test]
fn unknown_types_are_kept() {
    let data = bytes("2a0051dd04deadbeef");
    let sdr = Sdr::parse(&data).unwrap();
    let want = Body::Unknown {
        kind: 0xdd,
        data: vec![0xde, 0xad, 0xbe, 0xef],
    };
    assert_eq!(sdr.body, want);
    assert_eq!(sdr.encode(), data);
    let oem = Sdr::parse(&bytes("010051c0057c2a00cafe")).unwrap();
    assert!(matches!(
        oem.body,
        Body::Oem {
            manufacturer: 10_876,
            ..
        }
    ));
}

#[test]
fn errors_name_field_need_and_have() {
    let error = Sdr::parse(&bytes("01005101032000")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "sensor owner and number: need 3 bytes, have 2"
    );
    let error = Sdr::parse(&[1]).unwrap_err();
    assert_eq!(error.to_string(), "SDR record ID: need 2 bytes, have 1");
}

fn owner() -> impl Strategy<Value = Owner> {
    (any::<u8>(), 0u8..16, 0u8..4, any::<u8>()).prop_map(|(id, channel, lun, number)| Owner {
        id,
        channel,
        lun,
        number,
    })
}

fn id() -> impl Strategy<Value = IdString> {
    "[A-Z][A-Za-z0-9 ]{0,14}[a-z]".prop_map(|name| IdString::latin1(&name))
}

fn common() -> impl Strategy<Value = Common> {
    let bytes = any::<[u8; 6]>();
    let masks = any::<[u16; 3]>();
    let units = (0u8..8, 0u8..4, any::<bool>(), any::<u8>(), any::<u8>());
    (owner(), bytes, masks, 0u8..4, units).prop_map(|(owner, b, m, format, u)| Common {
        owner,
        entity: b[0],
        instance: b[1],
        initialization: b[2],
        capabilities: b[3],
        sensor_type: b[4],
        event_type: b[5] & 0x7f,
        assertion: m[0],
        deassertion: m[1],
        reading_mask: m[2],
        format: AnalogFormat::from_bits(format),
        units: Units {
            rate: u.0,
            modifier_use: u.1,
            percentage: u.2,
            base: u.3,
            modifier: u.4,
        },
    })
}

fn sharing() -> impl Strategy<Value = Sharing> {
    (0u8..4, any::<bool>(), 0u8..16, any::<bool>(), 0u8..128).prop_map(
        |(direction, alpha, count, entity_increments, offset)| Sharing {
            direction,
            alpha,
            count,
            entity_increments,
            offset,
        },
    )
}

#[expect(clippy::too_many_lines, reason = "one strategy per record type")]
fn body() -> impl Strategy<Value = Body> {
    let full = (
        common(),
        any::<[u8; 6]>(),
        any::<[u8; 16]>(),
        0u8..128,
        id(),
    )
        .prop_map(|(common, factors, b, linearization, id)| {
            Body::Full(Box::new(Full {
                common,
                linearization: Linearization::from_code(linearization),
                factors: Factors::decode(&mut Reader::new(&factors)).unwrap(),
                analog_flags: b[0],
                nominal: b[1],
                normal_max: b[2],
                normal_min: b[3],
                sensor_max: b[4],
                sensor_min: b[5],
                thresholds: [b[6], b[7], b[8], b[9], b[10], b[11]],
                positive_hysteresis: b[12],
                negative_hysteresis: b[13],
                oem: b[14],
                id,
            }))
        });
    let compact =
        (common(), sharing(), any::<[u8; 3]>(), id()).prop_map(|(common, sharing, b, id)| {
            Body::Compact(Box::new(Compact {
                common,
                sharing,
                positive_hysteresis: b[0],
                negative_hysteresis: b[1],
                oem: b[2],
                id,
            }))
        });
    let event = (owner(), any::<[u8; 5]>(), sharing(), id()).prop_map(|(owner, b, sharing, id)| {
        Body::EventOnly(EventOnly {
            owner,
            entity: b[0],
            instance: b[1],
            sensor_type: b[2],
            event_type: b[3] & 0x7f,
            sharing,
            oem: b[4],
            id,
        })
    });
    let fru = (
        any::<[u8; 7]>(),
        any::<bool>(),
        0u8..4,
        0u8..8,
        0u8..16,
        id(),
    )
        .prop_map(|(b, logical, lun, bus, channel, id)| {
            Body::FruLocator(FruLocator {
                access_address: b[0] & 0xfe,
                device: b[1],
                logical,
                lun,
                bus,
                channel,
                device_type: b[2],
                modifier: b[3],
                entity: Entity {
                    id: b[4],
                    instance: b[5],
                },
                oem: b[6],
                id,
            })
        });
    let generic = (any::<[u8; 7]>(), 0u8..4, 0u8..8, 0u8..16, 0u8..8, id()).prop_map(
        |(b, lun, bus, channel, span, id)| {
            Body::GenericLocator(GenericLocator {
                access_address: b[0] & 0xfe,
                slave_address: b[1] & 0xfe,
                channel,
                lun,
                bus,
                span,
                device_type: b[2],
                modifier: b[3],
                entity: Entity {
                    id: b[4],
                    instance: b[5],
                },
                oem: b[6],
                id,
            })
        },
    );
    let mc = (any::<[u8; 6]>(), 0u8..16, id()).prop_map(|(b, channel, id)| {
        Body::McLocator(McLocator {
            address: b[0] & 0xfe,
            channel,
            notification: b[1],
            capabilities: b[2],
            entity: Entity {
                id: b[3],
                instance: b[4],
            },
            oem: b[5],
            id,
        })
    });
    let other =
        (any::<u8>(), proptest::collection::vec(any::<u8>(), 32..80)).prop_map(|(kind, data)| {
            // Fixed records that this codec has no fields to lose of.
            let kind = if matches!(kind, 1..=3 | 8..=9 | 0x10..=0x14 | 0xc0) {
                0xee
            } else {
                kind
            };
            Body::Unknown { kind, data }
        });
    prop_oneof![full, compact, event, fru, generic, mc, other]
}

proptest! {
    #[test]
    fn round_trip(id: u16, version: u8, body in body()) {
        let sdr = Sdr { id, version, body };
        let data = sdr.encode();
        prop_assert_eq!(Sdr::parse(&data), Ok(sdr.clone()));
        for cut in 0..data.len() {
            if let Ok(short) = Sdr::parse(&data[..cut]) {
                let _ = (short.name(), short.sensors());
            }
        }
        let mut longer = data;
        longer.extend([0xaa; 20]);
        prop_assert_eq!(Sdr::parse(&longer), Ok(sdr));
    }

    #[test]
    fn fixed_records(a: [u8; 11], b: [u8; 21], guid: [u8; 16]) {
        let entity = |id, instance| Entity { id, instance };
        let association = EntityAssociation {
            container: entity(a[0], a[1]),
            flags: a[2],
            contained: [entity(a[3], a[4]), entity(a[5], a[6]), entity(a[7], a[8]), entity(a[9], a[10])],
        };
        let device = |i: usize| DeviceEntity { address: b[i], channel: b[i + 1], entity: entity(b[i + 2], b[i + 3]) };
        let relative = DeviceRelative {
            container: device(0),
            flags: b[20],
            contained: [device(4), device(8), device(12), device(16)],
        };
        let confirmation = McConfirmation {
            address: a[0] & 0xfe,
            device: a[1],
            channel_revision: a[2],
            firmware: [a[3], a[4]],
            ipmi_version: a[5],
            manufacturer: u32::from_le_bytes([a[6], a[7], a[8], 0]),
            product: u16::from_le_bytes([a[9], a[10]]),
            guid,
        };
        let channels = BmcMessageChannel {
            channels: [b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]],
            messaging_interrupt: b[8],
            event_interrupt: b[9],
        };
        for body in [
            Body::EntityAssociation(association),
            Body::DeviceRelative(relative),
            Body::McConfirmation(confirmation),
            Body::BmcMessageChannel(channels),
            Body::Oem { manufacturer: confirmation.manufacturer, data: b.to_vec() },
        ] {
            let sdr = Sdr::new(3, body);
            prop_assert_eq!(Sdr::parse(&sdr.encode()), Ok(sdr));
        }
    }

    #[test]
    fn nothing_panics(data in proptest::collection::vec(any::<u8>(), 0..300), kind in 0usize..12) {
        let kinds = [1, 2, 3, 8, 9, 0x10, 0x11, 0x12, 0x13, 0x14, 0xc0, 0xff];
        let mut data = data;
        if let Some(byte) = data.get_mut(3) {
            *byte = kinds[kind];
        }
        if let Ok(sdr) = Sdr::parse(&data) {
            let _ = (sdr.name(), sdr.encode());
            for sensor in sdr.sensors() {
                let _ = sensor.analog.and_then(|a| a.convert(3));
            }
        }
    }
}
