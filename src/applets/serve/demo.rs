//! `--demo`: simulated BMCs on loopback, and a lease file that grows while you watch.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::Config;
use crate::applets::common::exit::Failure;
use crate::discover::now;
use crate::hal::model::Cancel;
use crate::hal::sim::options::RedfishOptions;
use crate::hal::sim::{self, ProfileName};

/// Address of the first BMC.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 99, 0, 1);
/// How many there are.
const COUNT: u8 = 5;
const PORT: u16 = 6230;
const REDFISH: u16 = 8443;

/// Runs everything until `cancel`.
pub(super) async fn run(mut config: Config, cancel: Cancel) -> Result<(), Failure> {
    let dir = Folder::make()?;
    let leases = dir.0.join("dhcpd.leases");
    config.socket = dir.0.join("halbox.sock");
    config.state_dir = dir.0.join("state");
    config.lease_files = vec![leases.clone()];
    config.ipmi_port = PORT;
    config.redfish_port = REDFISH;
    config.refresh = Duration::from_secs(30);
    // One simulator per BMC: each may be of another kind.
    let mut simulated = Vec::new();
    for (n, profile) in (0..COUNT).zip(ProfileName::ALL.iter().cycle()) {
        let [a, b, c, d] = FIRST.octets();
        simulated.push(sim::start(sim::Options {
            listen: IpAddr::V4(Ipv4Addr::new(a, b, c, d + n)),
            port: PORT,
            profile: *profile,
            redfish: Some(RedfishOptions {
                port: REDFISH,
                ..RedfishOptions::default()
            }),
            control: None,
            threads: 1,
            ..sim::Options::default()
        })?);
    }
    let socket = config.socket.clone();
    let grow = tokio::spawn(grow(leases, cancel.clone()));
    let same = config.clone();
    let again = || Ok(same.clone());
    let said = super::serve(config, cancel, async { said(&socket) }, again).await;
    grow.abort();
    for sim in simulated {
        sim.stop();
    }
    said
}

fn said(socket: &Path) {
    let mut out = std::io::stdout().lock();
    let socket = socket.display();
    let _ = writeln!(
        out,
        "halbox serves {COUNT} simulated BMCs; a lease comes every two seconds. In another terminal:\n\n  \
         export HALBOX_SERVER=unix://{socket}\n  \
         halbox bmc ls\n  \
         HALBOX_PASSWORD=admin halbox bmc update 127.99.0.1 --ipmi-user admin --redfish-user admin\n  \
         halbox bmc describe 127.99.0.1\n  \
         halbox bmc power cycle 127.99.0.1\n  \
         halbox bmc watch\n\nCtrl-C ends it and removes everything."
    );
    let _ = out.flush();
}

/// Writes one lease after the other, as dhcpd does.
async fn grow(path: PathBuf, cancel: Cancel) {
    let mut text = String::new();
    for n in 0..COUNT {
        let [a, b, c, d] = FIRST.octets();
        let ends = now() / 1000 + 86_400;
        let _ = writeln!(
            text,
            "lease {a}.{b}.{c}.{} {{\n  ends epoch {ends};\n  binding state active;\n  hardware ethernet ac:1f:6b:00:00:{:02x};\n}}",
            d + n,
            n + 1
        );
        if let Err(e) = std::fs::write(&path, &text) {
            log::error!("{}: {e}", path.display());
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
            () = cancel.cancelled() => return,
        }
    }
}

/// A folder that goes when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("halbox-demo-{}", std::process::id()));
        std::fs::create_dir(&path)
            .map_err(|e| Failure::failed(format!("{}: {e}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
