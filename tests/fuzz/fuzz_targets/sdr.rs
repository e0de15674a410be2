//! Sensor data records and readings; and the driver on a BMC that answers with anything.
#![no_main]

use halbox::hal::ipmi::sdr::Sdr;
use halbox::hal::ipmi::sensor::event::{discrete_status, threshold_status};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [raw, states, rest @ ..] = data else {
        return;
    };
    if let Ok(sdr) = Sdr::parse(rest) {
        let _ = format!("{sdr:?} {:?}", sdr.name());
        assert_eq!(Sdr::parse(&sdr.encode()).as_ref(), Ok(&sdr));
        for sensor in sdr.sensors() {
            assert!(!sensor.name.chars().any(char::is_control));
            let _ = sensor.units.text();
            if let Some(analog) = sensor.analog {
                let value = analog.convert(*raw);
                assert!(value.is_none_or(f64::is_finite));
                let _ = value.map(|v| {
                    analog
                        .factors
                        .unconvert(v, analog.format, analog.linearization)
                });
            }
            let _ = threshold_status(u16::from(*states));
            let _ = discrete_status(
                sensor.sensor_type,
                sensor.event_type,
                u16::from(*states) * 0x101,
            );
        }
    }
    halbox_fuzz::drive(rest, async |bmc, cx| {
        for live in [false, true] {
            if let Ok(read) = bmc.sensors.call("sensors", |s| s.sensors(cx, live)).await {
                serde_json::to_string(&read.value).unwrap();
            }
        }
        if let Ok(read) = bmc
            .supplies
            .call("supplies", |s| s.power_supplies(cx))
            .await
        {
            serde_json::to_string(&read.value).unwrap();
        }
    });
});
