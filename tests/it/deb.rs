//! The Debian package, made from the binary that is shipped and taken apart again.

use std::path::Path;
use std::process::Command;

use crate::common::{skip, stdout};

#[test]
fn the_package_holds_what_the_daemon_needs() {
    let Some(binary) = std::env::var_os("HALBOX_DIST") else {
        skip("needs HALBOX_DIST, the binary that tests/dist.sh makes");
        return;
    };
    if Command::new("dpkg-deb").arg("--version").output().is_err() {
        skip("needs dpkg-deb");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new(top.join("packaging/deb/build.sh"))
        .arg(&binary)
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let package = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "deb"))
        .unwrap();
    let field = |name: &str| {
        let said = Command::new("dpkg-deb")
            .arg("-f")
            .arg(&package)
            .arg(name)
            .output()
            .unwrap();
        stdout(&said).trim().to_owned()
    };
    assert_eq!(field("Package"), "halbox");
    assert_eq!(field("Version"), env!("CARGO_PKG_VERSION"));

    let root = dir.path().join("root");
    let unpacked = Command::new("dpkg-deb")
        .arg("-R")
        .arg(&package)
        .arg(&root)
        .output()
        .unwrap();
    assert!(unpacked.status.success(), "{unpacked:?}");
    let unit = std::fs::read_to_string(root.join("lib/systemd/system/halbox.service")).unwrap();
    assert!(unit.contains("ExecStart=/usr/bin/halbox serve --config /etc/halbox/halbox.yaml"));
    // The links are applets, and the configuration that comes along is one.
    let probe = Command::new(root.join("usr/bin/halbox-probe"))
        .arg("--help")
        .output()
        .unwrap();
    assert!(stdout(&probe).contains("TARGET"), "{probe:?}");
    let shipped = std::fs::read_to_string(root.join("etc/halbox/halbox.yaml")).unwrap();
    let leases = dir.path().join("leases");
    std::fs::write(&leases, "").unwrap();
    let here = shipped
        .replace("/var/lib/dhcp/dhcpd.leases", leases.to_str().unwrap())
        .replace("/var/lib/halbox", dir.path().to_str().unwrap());
    assert_ne!(here, shipped);
    let config = dir.path().join("halbox.yaml");
    std::fs::write(&config, here).unwrap();
    let check = Command::new(root.join("usr/bin/halbox"))
        .args(["serve", "--check-config", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(check.status.success(), "{check:?}");
    for file in [
        "lib/systemd/system/halbox.socket",
        "usr/lib/sysusers.d/halbox.conf",
        "usr/lib/tmpfiles.d/halbox.conf",
        "usr/share/man/man1/halbox-serve.1.gz",
        "usr/share/bash-completion/completions/halbox",
        "DEBIAN/postinst",
    ] {
        assert!(root.join(file).exists(), "no {file}");
    }
    let conffiles = std::fs::read_to_string(root.join("DEBIAN/conffiles")).unwrap();
    assert_eq!(conffiles.trim(), "/etc/halbox/halbox.yaml");
}
