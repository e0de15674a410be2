//! Lease files of DHCP servers: anything at all, and the plan made of it.
#![no_main]

use std::collections::BTreeMap;

use halbox::discover::leases::parse;
use halbox::discover::plan::{Rules, plan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(leases) = parse(bytes) else { return };
    assert!(leases.bad.len() as u64 <= leases.bad_count);
    // The same again with CRLF and another buffer: nothing depends on where reads end.
    let small = std::io::BufReader::with_capacity(7, bytes);
    assert_eq!(parse(small).unwrap(), leases);
    let list: Vec<_> = leases.leases.into_values().collect();
    plan(&list, &Rules::default(), &BTreeMap::new(), &BTreeMap::new(), 1_800_000_000);
});
