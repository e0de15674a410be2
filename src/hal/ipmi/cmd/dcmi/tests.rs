use proptest::prelude::*;

use super::*;
use crate::hal::error::Kind;
use crate::hal::ipmi::Response;
use crate::hal::ipmi::cmd::check::{Checked, golden, unhex};
use crate::hal::ipmi::cmd::{Command, CompletionCode};
use crate::hal::ipmi::codec::Reader;

#[test]
fn golden_bytes() {
    let get = |selector, data: &str| {
        let request = format!("dc{selector:02x}");
        let reply = golden(&GetDcmiCapabilities { selector }, &request, data);
        assert_eq!((reply.major, reply.minor, reply.revision), (1, 5, 2));
        reply.capability
    };
    assert_eq!(get(1, "dc010502000107").power_management(), Some(true));
    assert_eq!(get(3, "dc0105022000").power_management(), None);
    assert_eq!(
        get(4, "dc01050201ff02"),
        DcmiCapability::AccessAttributes([1, 0xff, 2])
    );
    assert_eq!(
        get(5, "dc010502020541"),
        DcmiCapability::PowerStatistics(vec![0x05, 0x41])
    );
    get(2, "dc01050200080700");
    get(6, "dc0105020102");
    let mode = PowerReadingMode::SYSTEM;
    let reading = golden(
        &GetPowerReading { mode },
        "dc010000",
        "dc46003c0064004b0000eff55fe803000040",
    );
    assert_eq!((reading.current, reading.average), (70, 75));
    assert_eq!((reading.minimum, reading.maximum), (60, 100));
    assert!(reading.is_active() && reading.period_ms == 1000);
    let limit = golden(&GetPowerLimit, "dc0000", "dc000001f401e803000000000100");
    let want = PowerLimit {
        action: 1,
        watts: 500,
        correction_ms: 1000,
        sampling_s: 1,
    };
    assert_eq!(limit, want);
    let request = "dc00000001f401e803000000000100";
    golden(&SetPowerLimit { limit }, request, "dc");
    golden(&ActivatePowerLimit { active: true }, "dc010000", "dc");
    let part = GetAssetTag {
        offset: 16,
        count: 16,
    };
    let tag = golden(&part, "dc1010", "dc1230");
    assert_eq!((tag.total, tag.data), (18, vec![b'0']));
    let set = SetAssetTag {
        offset: 0,
        data: b"ab".to_vec(),
    };
    assert_eq!(golden(&set, "dc00026162", "dc40"), Some(0x40));
    assert_eq!(golden(&set, "dc00026162", "dc"), None);
    golden(
        &GetDcmiSensorInfo::all(entity::INLET, 1),
        "dc01400001",
        "dc02020a000b00",
    );
    let temperatures = golden(
        &GetTemperatureReadings::all(entity::CPU, 1),
        "dc01410001",
        "dc020228018502",
    );
    let celsius: Vec<i16> = temperatures.readings.iter().map(|t| t.celsius()).collect();
    assert_eq!(celsius, [40, -5]);
}

#[test]
fn a_text_is_written_whole() {
    let parts = SetAssetTag::whole(&[b'x'; 20]);
    let offsets: Vec<u8> = parts.iter().map(|p| p.offset).collect();
    assert_eq!(offsets, [0, 16, 32, 48]);
    let all: Vec<u8> = parts.into_iter().flat_map(|p| p.data).collect();
    assert_eq!(all.len(), LENGTH);
    assert_eq!(&all[..20], [b'x'; 20]);
    assert!(all[20..].iter().all(|b| *b == 0));
    let cut = SetManagementControllerIdentifier::whole(&[b'y'; 100]);
    assert_eq!(cut.iter().map(|p| p.data.len()).sum::<usize>(), LENGTH);
}

#[test]
fn another_group_and_lying_counts_are_errors() {
    let other = GetPowerLimit.decode_reply(&mut Reader::new(&[0x00; 14]));
    assert_eq!(
        other.unwrap_err().to_string(),
        "group extension ID: 0x0, expected 0xdc (DCMI)"
    );
    let lie = unhex("dc0202280185");
    let read = GetTemperatureReadings::all(1, 1).decode_reply(&mut Reader::new(&lie));
    assert_eq!(
        read.unwrap_err().to_string(),
        "temperature reading: need 2 bytes, have 1"
    );
    let lie = unhex("dc0010616263");
    assert!(SetAssetTag::decode(&mut Reader::new(&lie)).is_err());
}

#[test]
fn a_power_limit_that_is_not_active() {
    let answer = |code, data: &str| {
        let response = Response {
            code: CompletionCode(code),
            data: unhex(data),
        };
        let read = PowerLimit::answered(&response).map_err(|e| e.kind());
        read.map(|limit| limit.map(|(limit, active)| (limit.watts, active)))
    };
    let data = "dc000001f401e803000000000100";
    assert_eq!(answer(0x00, data), Ok(Some((500, true))));
    assert_eq!(answer(0x80, data), Ok(Some((500, false))));
    assert_eq!(answer(0x80, "dc"), Ok(None));
    assert_eq!(answer(0xc1, ""), Err(Kind::Unsupported));
    assert_eq!(answer(0x00, "dc"), Err(Kind::Protocol));
}

fn capability() -> impl Strategy<Value = DcmiCapability> {
    (0u8..8, proptest::collection::vec(any::<u8>(), 0..20)).prop_map(|(selector, data)| {
        let mut bytes = vec![GROUP_ID, 1, 5, 2];
        bytes.extend(data);
        let get = GetDcmiCapabilities { selector };
        match get.decode_reply(&mut Reader::new(&bytes)) {
            Ok(reply) => reply.capability,
            Err(_) => DcmiCapability::Other {
                selector,
                data: Vec::new(),
            },
        }
    })
}

#[expect(clippy::many_single_char_names, reason = "arbitrary values")]
fn check(
    b: [u8; 6],
    w: [u16; 5],
    l: [u32; 2],
    data: &[u8],
    capability: &DcmiCapability,
) -> Checked {
    let mut seen = Checked::default();
    let [x, y, z, u, v, n] = b;
    let capabilities = DcmiCapabilities {
        major: x,
        minor: y,
        revision: z,
        capability: capability.clone(),
    };
    let selector = capability.selector();
    seen.varied(&GetDcmiCapabilities { selector }, &capabilities);
    let mode = PowerReadingMode { mode: x, period: y };
    let reading = PowerReading {
        current: w[0],
        minimum: w[1],
        maximum: w[2],
        average: w[3],
        time: l[0],
        period_ms: l[1],
        state: u,
    };
    seen.both_ways(&GetPowerReading { mode }, &reading, (4, 18));
    let limit = PowerLimit {
        action: x,
        watts: w[0],
        correction_ms: l[0],
        sampling_s: w[4],
    };
    seen.both_ways(&GetPowerLimit, &limit, (3, 14));
    seen.both_ways(&SetPowerLimit { limit }, &(), (15, 1));
    let active = n & 1 == 1;
    seen.both_ways(&ActivatePowerLimit { active }, &(), (4, 1));
    let part = TextPart {
        total: v,
        data: data.to_vec(),
    };
    let total = active.then_some(v);
    let (offset, count) = (x, y);
    seen.both_ways(&GetAssetTag { offset, count }, &part, (3, 2));
    seen.both_ways(
        &GetManagementControllerIdentifier { offset, count },
        &part,
        (3, 2),
    );
    let need = 3 + data.len();
    let data = data.to_vec();
    let set = SetManagementControllerIdentifier {
        offset,
        data: data.clone(),
    };
    seen.both_ways(&set, &total, (need, 1));
    seen.both_ways(&SetAssetTag { offset, data }, &total, (need, 1));
    let query = GetDcmiSensorInfo {
        sensor_type: x,
        entity: y,
        instance: z,
        start: u,
    };
    let sensors = DcmiSensors {
        total: v,
        records: w[..usize::from(n % 5)].to_vec(),
    };
    let need = 3 + 2 * sensors.records.len();
    seen.both_ways(&query, &sensors, (5, need));
    let query = GetTemperatureReadings {
        sensor_type: x,
        entity: y,
        instance: z,
        start: u,
    };
    let one = DcmiTemperature {
        raw: x,
        instance: y,
    };
    let temperatures = DcmiTemperatures {
        total: v,
        readings: vec![one; usize::from(n % 9)],
    };
    let need = 3 + 2 * temperatures.readings.len();
    seen.both_ways(&query, &temperatures, (5, need));
    seen
}

#[test]
fn every_command_is_checked() {
    let capability = DcmiCapability::AccessAttributes([1, 2, 3]);
    let seen = check([1; 6], [1; 5], [1; 2], &[1, 2], &capability);
    seen.assert_complete("dcmi");
}

proptest! {
    #[test]
    fn commands(b: [u8; 6], w: [u16; 5], l: [u32; 2], data in proptest::collection::vec(any::<u8>(), 0..=CHUNK), capability in capability()) {
        check(b, w, l, &data, &capability);
    }
}
