//! The binary that is shipped (tests/dist.sh made it, HALBOX_DIST says where) needs no shared library and is small.

use std::process::Command;

use crate::common::{skip, stdout};

#[test]
fn the_shipped_binary_is_static_and_small() {
    let Some(path) = std::env::var_os("HALBOX_DIST") else {
        skip("needs HALBOX_DIST, the binary that tests/dist.sh makes");
        return;
    };
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size <= 10 << 20, "{size} bytes");
    let sections = Command::new("readelf")
        .args(["-d", "-l"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(sections.status.success());
    let text = stdout(&sections);
    assert!(!text.contains("NEEDED"), "{text}");
    assert!(!text.contains("INTERP"), "{text}");
    let version = Command::new(&path).arg("--version").output().unwrap();
    assert_eq!(
        stdout(&version),
        format!("halbox {}\n", env!("CARGO_PKG_VERSION"))
    );
}
