use proptest::prelude::*;

use super::*;
use crate::hal::ipmi::cmd::Command;
use crate::hal::ipmi::cmd::storage::{GetSdr, GetSdrReply};
use crate::hal::ipmi::codec::{Reader, hex};
use crate::hal::ipmi::sensor::Factors;

/// Request and reply survive the wire; truncations do not panic, and are errors below `need` bytes.
fn both_ways<C>(command: &C, reply: &C::Reply, need: (usize, usize))
where
    C: Command + PartialEq,
    C::Reply: PartialEq,
{
    let mut request = Vec::new();
    command.encode(&mut request);
    assert_eq!(C::decode(&mut Reader::new(&request)).as_ref(), Ok(command));
    let mut answer = Vec::new();
    C::encode_reply(reply, &mut answer);
    let read = command.decode_reply(&mut Reader::new(&answer));
    assert_eq!(read.as_ref(), Ok(reply));
    for cut in 0..request.len() {
        let short = C::decode(&mut Reader::new(&request[..cut]));
        assert_eq!(short.is_err(), cut < need.0, "{} of {cut} bytes", C::NAME);
    }
    for cut in 0..answer.len() {
        let short = command.decode_reply(&mut Reader::new(&answer[..cut]));
        assert_eq!(short.is_err(), cut < need.1, "{} reply of {cut}", C::NAME);
    }
}

#[test]
fn golden_bytes() {
    let request = |r: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        r(&mut out);
        hex(&out)
    };
    let pem = PlatformEventMessage {
        generator: None,
        revision: 4,
        sensor_type: 1,
        sensor: 0x30,
        direction_type: 0x81,
        data: [0x57, 0x50, 0x4b],
    };
    assert_eq!(
        request(&|o| pem.encode(o)),
        "04013081".to_owned() + "57504b"
    );
    let local = PlatformEventMessage {
        generator: Some(0x41),
        ..pem
    };
    assert_eq!(request(&|o| local.encode(o)), "410401308157504b");
    assert_eq!(
        request(&|o| GetSensorHysteresis { sensor: 9 }.encode(o)),
        "09ff"
    );
    assert_eq!(
        request(&|o| GetDeviceSdrInfo { count_sdrs: false }.encode(o)),
        ""
    );
    let thresholds = SetSensorThresholds {
        sensor: 7,
        thresholds: RawThresholds {
            mask: 0x18,
            values: [0, 0, 0, 80, 90, 0],
        },
    };
    assert_eq!(
        request(&|o| thresholds.encode(o)),
        "07180000".to_owned() + "00505a00"
    );
    assert_eq!(thresholds.thresholds.get(4), Some(90));
    assert_eq!(thresholds.thresholds.get(5), None);
    assert_eq!(thresholds.thresholds.get(6), None);
}

#[test]
fn a_reading_without_state_bytes_has_no_states() {
    // Dell 2950 and Inventec leave them out.
    let read = GetSensorReading { sensor: 1 }.decode_reply(&mut Reader::new(&[0x20, 0xc0]));
    let want = SensorReading {
        reading: 0x20,
        flags: 0xc0,
        states: 0,
    };
    assert_eq!(read, Ok(want));
    assert!(want.scanning() && !want.unavailable());
}

proptest! {
    #[test]
    fn commands(a: u8, b: u8, c: u16, d: u16, values: [u8; 6], data in proptest::collection::vec(any::<u8>(), 0..40), change: Option<u32>, sdrs: bool) {
        let sensor = a;
        both_ways(&GetDeviceSdrInfo { count_sdrs: sdrs }, &DeviceSdrInfo { count: a, flags: b, change }, (0, 2));
        let get = GetSdr { reservation: c, record: d, offset: a, count: b };
        both_ways(&GetDeviceSdr(get), &GetSdrReply { next: d, data }, (6, 2));
        both_ways(&ReserveDeviceSdrRepository, &c, (0, 2));
        let factors = Factors::decode(&mut Reader::new(&values)).unwrap();
        both_ways(&GetSensorReadingFactors { sensor, reading: b }, &SensorFactors { next_reading: b, factors }, (2, 7));
        both_ways(&GetSensorReading { sensor }, &SensorReading { reading: b, flags: a, states: c }, (1, 2));
        both_ways(&GetSensorType { sensor }, &SensorTypeCodes { sensor_type: b, event_type: a & 0x7f }, (1, 2));
        let thresholds = RawThresholds { mask: b & 0x3f, values };
        both_ways(&SetSensorThresholds { sensor, thresholds }, &(), (8, 0));
        both_ways(&GetSensorThresholds { sensor }, &thresholds, (1, 7));
        let hysteresis = Hysteresis { positive: a, negative: b };
        both_ways(&SetSensorHysteresis { sensor, hysteresis }, &(), (4, 0));
        both_ways(&GetSensorHysteresis { sensor }, &hysteresis, (1, 2));
        let bits = SensorEventBits { flags: b, assertion: c, deassertion: d };
        both_ways(&SetSensorEventEnable { sensor, bits }, &(), (2, 0));
        both_ways(&GetSensorEventEnable { sensor }, &bits, (1, 1));
        both_ways(&GetSensorEventStatus { sensor }, &bits, (1, 1));
        let [x, y, z, revision, sensor_type, direction_type] = values;
        let event = PlatformEventMessage { generator: None, revision, sensor_type, sensor, direction_type, data: [x, y, z] };
        both_ways(&event, &(), (5, 0));
    }
}
