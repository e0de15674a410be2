//! SEL records with and without their sensor; and the driver on a BMC that answers with anything.
#![no_main]

use halbox::hal::ipmi::sdr::Sdr;
use halbox::hal::ipmi::sel::{Record, log_entry};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (raw, rest) = data.split_at(data.len().min(16));
    let sensor = Sdr::parse(rest)
        .ok()
        .and_then(|sdr| sdr.sensors().into_iter().next());
    for sensor in [None, sensor.as_ref()] {
        let entry = log_entry(raw, |_| sensor);
        assert!(!entry.event.is_empty());
        let text = serde_json::to_string(&entry).unwrap();
        assert!(!text.chars().any(char::is_control));
    }
    if let Ok(record) = Record::parse(raw) {
        assert_eq!(record.encode().as_slice(), raw);
    }
    halbox_fuzz::drive(rest, async |bmc, cx| {
        if let Ok(read) = bmc.event_log.call("sel", |l| l.entries(cx)).await {
            serde_json::to_string(&read.value).unwrap();
        }
    });
});
