//! FRU data: decoded, shown, written and read again; and the driver on a BMC that answers with anything.
#![no_main]

use halbox::hal::ipmi::fru::{Fru, needed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [size, _, rest @ ..] = data else { return };
    let size = usize::from(*size) * 16;
    assert!(needed(rest, size) <= size);
    if let Ok(fru) = Fru::parse(rest) {
        let device = fru.device(1, "fuzz".to_owned());
        serde_json::to_string(&device).unwrap();
        let _ = (fru.summary(), fru.model(), format!("{fru:?}"));
        let written = fru.encode();
        let again = Fru::parse(&written).expect("what was written is read");
        // Areas of more than 2,040 bytes do not fit, and odd bytes of UTF-16 cannot be written.
        let english = fru.board.as_ref().is_none_or(|b| b.language.is_english())
            && fru.product.as_ref().is_none_or(|p| p.language.is_english());
        if english && written.len() < 2040 {
            assert_eq!(again.summary(), fru.summary());
        }
    }
    halbox_fuzz::drive(rest, async |bmc, cx| {
        for id in [None, Some(0)] {
            if let Ok(read) = bmc.inventory.call("fru", |i| i.fru(cx, id)).await {
                serde_json::to_string(&read.value).unwrap();
            }
        }
    });
});
