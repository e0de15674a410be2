//! Text from people: targets, durations, templates, MAC addresses.
#![no_main]

use halbox::applets::common::targets::{LIMIT, Targets};
use halbox::applets::common::{duration, template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if text != "-"
        && let Ok(targets) = Targets::parse([text])
    {
        assert!(targets.count() <= LIMIT);
        for target in targets.iter().take(100) {
            assert!(!target.text.is_empty());
        }
    }
    let _ = duration::parse(text);
    if let Ok(template) = template::Template::parse(text) {
        let _ = template.render(&"value".into());
    }
    if let Ok(mac) = text.parse::<halbox::hal::model::MacAddr>() {
        assert_eq!(mac.to_string().parse(), Ok(mac));
    }
});
