use proptest::prelude::*;

use super::*;
use crate::hal::ipmi::text::Encoding;

/// A Supermicro-like device as the `frugen`-made test data of ipmi_sim has it.
const SUPERMICRO: &str = concat!(
    "010001050c0000ed010417cb4353452d3231374248512bce4332313742414b31385030303031c1bd010719000000ca53",
    "757065726d6963726fc85831314450542d42c94253455249414c3031ca5831314450542d422d50c56672756964c100ef",
    "010a19ca53757065726d6963726fca5359532d323032394254ce5359532d3230323942542d484e52c430313030d04532",
    "3632333335583233303430303343c6617373657431c3667275c1000000000070",
);

fn bytes(hex: &str) -> Vec<u8> {
    crate::hal::ipmi::text::encode(Encoding::Binary, hex)
}

fn sample() -> Fru {
    Fru {
        internal: Some(vec![1, 2, 3, 4, 5, 6, 7]),
        chassis: Some(Chassis {
            kind: 0x17,
            part_number: Some(Field::latin1("CSE-217BHQ+")),
            serial: Some(Field::new(Encoding::SixBit, "C217BAK1")),
            custom: vec![
                Field::latin1("x"),
                Field::new(Encoding::BcdPlus, "12-34.56"),
            ],
        }),
        board: Some(Board {
            mfg_minutes: 13_000_000,
            manufacturer: Some(Field::latin1("Supermicro")),
            serial: Some(Field::latin1("BSERIAL01")),
            ..Board::default()
        }),
        product: Some(Product {
            manufacturer: Some(Field::latin1("Supermicro")),
            serial: Some(Field::latin1("E262335X2304003C")),
            ..Product::default()
        }),
        multirecords: vec![
            MultiRecord::new(RecordBody::PowerSupply(PowerSupplyInformation {
                capacity_watts: 1000,
                peak_va: None,
                inrush_amperes: Some(30),
                inrush_ms: 5,
                input_range_1: (9000, 26400),
                input_range_2: (0, 0),
                input_hertz: (47, 63),
                dropout_ms: 12,
                flags: 0x0e,
                peak_watts: 1200,
                peak_hold_up_seconds: 5,
                combined_voltages: 0x20,
                combined_watts: 900,
                tachometer_rps: 7,
            })),
            MultiRecord::new(RecordBody::DcOutput(DcOutput {
                number: 1,
                standby: true,
                nominal: -1200,
                minimum: -1260,
                maximum: -1140,
                ripple: 120,
                min_current: 0,
                max_current: 50_000,
            })),
            MultiRecord::from_raw(0xc7, &[0x7c, 0x2a, 0x00, 0xde, 0xad]),
        ],
        warnings: Vec::new(),
    }
}

#[test]
fn a_real_device() {
    let fru = Fru::parse(&bytes(SUPERMICRO)).unwrap();
    assert_eq!(fru.warnings, []);
    let summary = fru.summary();
    assert_eq!(summary.chassis_part_number.as_deref(), Some("CSE-217BHQ+"));
    assert_eq!(
        summary.chassis_part_serial.as_deref(),
        Some("C217BAK18P0001")
    );
    assert_eq!(summary.board_mfg.as_deref(), Some("Supermicro"));
    assert_eq!(summary.board_mfg_serial.as_deref(), Some("BSERIAL01"));
    assert_eq!(summary.board_part_number.as_deref(), Some("X11DPT-B-P"));
    assert_eq!(
        summary.product_part_number.as_deref(),
        Some("SYS-2029BT-HNR")
    );
    assert_eq!(summary.product_serial.as_deref(), Some("E262335X2304003C"));
    assert_eq!(fru.board.as_ref().unwrap().mfg_unix(), None);
    let device = fru.device(0, "Builtin FRU Device".to_owned());
    let json = serde_json::to_value(&device).unwrap();
    assert_eq!(json["chassis"]["type"], "Rack Mount Chassis");
    assert_eq!(json["product"]["asset_tag"], "asset1");
    assert_eq!(json.get("warnings"), None);
}

#[test]
fn what_is_written_is_read() {
    let fru = sample();
    let data = fru.encode();
    let back = Fru::parse(&data).unwrap();
    assert_eq!(back.warnings, []);
    assert_eq!(
        back.chassis.as_ref().unwrap().custom[0].text().as_deref(),
        Some("x")
    );
    assert_eq!(
        back.board.as_ref().unwrap().mfg_unix(),
        Some(820_454_400 + 780_000_000)
    );
    assert_eq!(back.multirecords, fru.multirecords);
    assert_eq!(
        back.multirecords[2].body,
        RecordBody::Oem {
            manufacturer: 10_876
        }
    );
    assert_eq!(back.summary(), fru.summary());
    assert_eq!(needed(&data, 4096), data.len().min(needed(&data, 4096)));
    let json = back.device(1, String::new()).multirecord;
    assert_eq!(json[0]["capacity_watts"], 1000);
    assert_eq!(json[1]["nominal_volts"], -12.0);
    assert_eq!(json[2]["raw"], "7c2a00dead");
}

#[test]
fn needed_grows_to_what_the_areas_take() {
    let data = sample().encode();
    let mut have = 0;
    let mut steps = 0;
    loop {
        let need = needed(&data[..have], 65_535);
        if need <= have {
            break;
        }
        have = need.min(data.len());
        steps += 1;
        assert!(steps < 10, "no end");
    }
    let whole = Fru::parse(&data).unwrap();
    let read = Fru::parse(&data[..have]).unwrap();
    assert_eq!(read, whole);
    assert!(have <= data.len());
    // A device of 64 KiB that is blank behind its areas is not read to its end.
    assert!(needed(&bytes(SUPERMICRO), 65_535) <= 176);
}

#[test]
fn wrong_checksums_are_warnings() {
    // Inventec 5441, Dell R610 and R710.
    let mut data = bytes(SUPERMICRO);
    data[7] ^= 1;
    let last = data.len() - 1;
    data[last] ^= 0x10;
    let fru = Fru::parse(&data).unwrap();
    let said: Vec<String> = fru.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said[0], "common header: checksum 0xec, expected 0xed");
    assert!(fru.summary().product_serial.is_some());
}

#[test]
fn blank_devices_are_an_error() {
    for blank in [vec![0xff; 64], vec![0; 64], vec![], vec![1, 0, 0]] {
        let error = Fru::parse(&blank).unwrap_err();
        assert!(
            error.to_string().starts_with("FRU common header"),
            "{error}"
        );
    }
}

#[test]
fn areas_beyond_the_end_keep_the_rest() {
    let mut data = bytes(SUPERMICRO);
    data[5] = 0xf0;
    data[7] = data[7].wrapping_sub(0xf0);
    let fru = Fru::parse(&data).unwrap();
    assert_eq!(fru.warnings.len(), 1);
    assert!(fru.summary().product_serial.is_some());
    // An area longer than the device.
    let mut data = bytes(SUPERMICRO);
    let product = usize::from(data[4]) * 8;
    data[product + 1] = 0xff;
    let fru = Fru::parse(&data).unwrap();
    assert!(
        matches!(fru.warnings[0], Warning::BeyondEnd { .. }),
        "{:?}",
        fru.warnings
    );
    assert_eq!(
        fru.summary().product_serial.as_deref(),
        Some("E262335X2304003C")
    );
    // No length at all.
    data[product + 1] = 0;
    let fru = Fru::parse(&data).unwrap();
    assert!(matches!(fru.warnings[0], Warning::ZeroLength { .. }));
    assert_eq!(
        fru.summary().product_serial.as_deref(),
        Some("E262335X2304003C")
    );
}

#[test]
fn a_length_that_is_too_small_does_not_lose_fields() {
    let mut data = bytes(SUPERMICRO);
    let board = usize::from(data[3]) * 8;
    data[board + 1] = 2;
    let fru = Fru::parse(&data).unwrap();
    assert_eq!(
        fru.summary().board_part_number.as_deref(),
        Some("X11DPT-B-P")
    );
    assert!(
        fru.warnings
            .iter()
            .any(|w| matches!(w, Warning::LengthTooSmall { .. }))
    );
}

#[test]
fn a_missing_end_marker_is_a_warning() {
    let chassis = Chassis {
        kind: 1,
        part_number: Some(Field::latin1("AB")),
        ..Chassis::default()
    };
    let fru = Fru {
        chassis: Some(chassis),
        ..Fru::default()
    };
    let mut data = fru.encode();
    let marker = data.iter().rposition(|b| *b == 0xc1).unwrap();
    data[marker] = 0;
    let back = Fru::parse(&data).unwrap();
    assert!(back.warnings.contains(&Warning::NoEndMarker {
        area: "chassis info area"
    }));
    assert_eq!(back.summary().chassis_part_number.as_deref(), Some("AB"));
}

#[test]
fn other_languages_are_utf16_unless_they_are_plainly_ascii() {
    let with = |raw: &[u8]| {
        let manufacturer = Some(Field {
            encoding: Encoding::Latin1,
            raw: raw.to_vec(),
        });
        let board = Board {
            language: Language(0x13),
            manufacturer,
            ..Board::default()
        };
        let data = Fru {
            board: Some(board),
            ..Fru::default()
        }
        .encode();
        Fru::parse(&data).unwrap().summary().board_mfg.unwrap()
    };
    assert_eq!(with(b"\x2d\x4e\xfd\x56"), "\u{4e2d}\u{56fd}");
    assert_eq!(with(b"Quanta"), "Quanta");
}

#[test]
fn multirecord_lists_end() {
    // No end-of-list bit, and blank memory behind.
    let list = MultiRecord::encode_all(&[MultiRecord::from_raw(0xc0, &[1, 2, 3, 4])]).unwrap();
    let mut data = vec![1, 0, 0, 0, 0, 1, 0, 0xfe];
    data.extend(&list);
    data[9] = 0x02;
    data[12] = checksum(&data[8..12]);
    for fill in [0u8, 0xff] {
        let mut padded = data.clone();
        padded.extend([fill; 4000]);
        let fru = Fru::parse(&padded).unwrap();
        assert_eq!(fru.multirecords.len(), 1);
        assert_eq!(fru.warnings.len(), 1, "{:?}", fru.warnings);
    }
    let fru = Fru::parse(&data).unwrap();
    assert_eq!(fru.warnings.len(), 1);
    // Records of length 0 for ever.
    let mut data = vec![1, 0, 0, 0, 0, 1, 0, 0xfe];
    while data.len() < 60_000 {
        data.extend([0x0f, 0x02, 0, 0, 0xef]);
    }
    assert!(Fru::parse(&data).unwrap().multirecords.len() < 12_001);
}

proptest! {
    #[test]
    fn nothing_panics(data in proptest::collection::vec(any::<u8>(), 0..600), size: u16) {
        let end = needed(&data, size.into());
        prop_assert!(end <= usize::from(size));
        if let Ok(fru) = Fru::parse(&data) {
            let device = fru.device(3, "x".to_owned());
            prop_assert!(serde_json::to_string(&device).is_ok());
        }
    }

    #[test]
    fn mutations_of_good_data(at in 0usize..400, to: u8, cut in 0usize..400) {
        let mut data = sample().encode();
        let len = data.len();
        data[at % len] = to;
        data.truncate(cut.min(len));
        if let Ok(fru) = Fru::parse(&data) {
            let again = Fru::parse(&fru.encode());
            prop_assert!(again.is_ok());
            let _ = fru.summary();
        }
    }

    #[test]
    fn round_trip(a in "[ -~]{0,62}[!-~]", b in "[A-Z0-9]{1,40}", minutes in 1u32..0x00ff_ffff, custom in proptest::collection::vec("[!-~]{1,30}", 0..5)) {
        let fru = Fru {
            board: Some(Board {
                mfg_minutes: minutes,
                manufacturer: Some(Field::latin1(&a)),
                product_name: Some(Field::new(Encoding::SixBit, &b)),
                custom: custom.iter().map(|c| Field::latin1(c)).collect(),
                ..Board::default()
            }),
            ..Fru::default()
        };
        let back = Fru::parse(&fru.encode()).unwrap();
        prop_assert_eq!(&back.warnings, &[]);
        let board = back.board.unwrap();
        prop_assert_eq!(board.mfg_minutes, minutes);
        prop_assert_eq!(board.manufacturer.unwrap().text(), Some(a));
        prop_assert_eq!(board.product_name.unwrap().text(), Some(b));
        let texts: Vec<String> = board.custom.iter().filter_map(Field::text).collect();
        prop_assert_eq!(texts, custom);
    }
}
