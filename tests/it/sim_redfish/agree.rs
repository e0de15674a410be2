//! halbox's drivers on one simulated BMC: what IPMI says and what Redfish says is the same, in every vendor's dialect.

use std::sync::Arc;
use std::time::{Duration, Instant};

use halbox::hal::bmc::Bmc;
use halbox::hal::drivers::redfish;
use halbox::hal::fleet::{Endpoint, Fleet, Forgetful};
use halbox::hal::ipmi::session::Config as IpmiConfig;
use halbox::hal::model::boot::BootRequest;
use halbox::hal::model::{
    BootMode, BootPersistence, BootTarget, Cx, LedState, PowerAction, PowerState, Secret,
};
use halbox::hal::redfish::{Client, Door};
use halbox::hal::sim::{ProfileName, SimHandle};
use halbox::hal::transport::Lan;
use halbox::hal::transport::redfish::{Config, HttpDoor};
use halbox::hal::vendors::{self, Facts};

use super::{PASSWORD, assert_gentle, start};

const PROFILES: [ProfileName; 7] = [
    ProfileName::Generic,
    ProfileName::Dell,
    ProfileName::Supermicro,
    ProfileName::Lenovo,
    ProfileName::Hpe,
    ProfileName::Ami,
    ProfileName::OpenBmc,
];

fn operation() -> Cx {
    Cx::until(Instant::now() + Duration::from_mins(2))
}

/// Both drivers in front of the same BMC.
struct Pair {
    sim: SimHandle,
    fleet: Fleet,
    door: Arc<HttpDoor>,
    ipmi: Bmc,
    redfish: Bmc,
}

impl Pair {
    /// The Redfish driver knows of the vendor what the service root says.
    async fn new(name: ProfileName) -> Self {
        let sim = start(name);
        let fleet = Fleet::new(Lan::new().unwrap(), Arc::new(Forgetful));
        let endpoint = Endpoint {
            addr: sim.addrs()[0],
            session: IpmiConfig::new("admin", Secret::new(PASSWORD)),
            pin_suite: false,
            linger: Duration::from_secs(10),
        };
        let mut ipmi = Bmc::default();
        vendors::attach_ipmi(&mut ipmi, fleet.bmc(&endpoint).unwrap());
        let address = sim.redfish_addrs()[0];
        let base = format!("https://{address}");
        let config = Config::new(base, address, "admin", Secret::new(PASSWORD));
        let door = Arc::new(HttpDoor::new(config).unwrap());
        let plain = Client::new(
            Arc::clone(&door) as Arc<dyn Door>,
            vendors::redfish_quirks(&Facts::default()).0,
        );
        let root = plain.root(&operation()).await.unwrap();
        let text = |pointer: &str| root.str(pointer).map(str::to_owned);
        let oem = root.json["Oem"].as_object();
        let facts = Facts {
            oem: oem
                .map(|oem| oem.keys().cloned().collect())
                .unwrap_or_default(),
            vendor: text("/Vendor"),
            product: text("/Product"),
            ..Facts::default()
        };
        let (quirks, found) = vendors::redfish_quirks(&facts);
        let client = Client::new(Arc::clone(&door) as Arc<dyn Door>, quirks);
        let mut bmc = Bmc::default();
        redfish::attach(&mut bmc, Arc::clone(&client));
        vendors::overwrite(&mut bmc, &found, Some(&client));
        Self {
            sim,
            fleet,
            door,
            ipmi,
            redfish: bmc,
        }
    }

    async fn end(self) {
        self.door.close().await;
        drop(self.ipmi);
        self.fleet.shutdown(Duration::from_secs(30)).await;
        assert_gentle(&self.sim);
    }
}

/// Calls an operation of a BMC; its value.
macro_rules! value {
    ($bmc:expr, $slot:ident, $cap:ident => $call:expr) => {{
        let result = $bmc.$slot.call(stringify!($slot), |$cap| $call).await;
        result
            .map(|reading| reading.value)
            .unwrap_or_else(|e| panic!("{}: {}", stringify!($slot), e.chain()))
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_agree() {
    for name in PROFILES {
        let pair = Pair::new(name).await;
        let cx = operation();
        let (ipmi, redfish) = (&pair.ipmi, &pair.redfish);
        assert_eq!(
            value!(ipmi, power, p => p.state(&cx)),
            value!(redfish, power, p => p.state(&cx)),
            "{name}"
        );
        assert_eq!(
            value!(ipmi, led, l => l.state(&cx)),
            value!(redfish, led, l => l.state(&cx)),
            "{name}"
        );
        let (one, two) = (
            value!(ipmi, boot, b => b.state(&cx)),
            value!(redfish, boot, b => b.state(&cx)),
        );
        assert_eq!(
            (one.target, one.persistence),
            (two.target, two.persistence),
            "{name}"
        );
        let (one, two) = (
            value!(ipmi, identity, i => i.info(&cx)),
            value!(redfish, identity, i => i.info(&cx)),
        );
        assert_eq!(one.serial, two.serial, "{name}");
        assert_eq!(
            one.bmc.mac, two.bmc.mac,
            "{name}: the BMC's own, not the host interface's"
        );
        assert_eq!(one.bmc.ip, two.bmc.ip, "{name}");
        if name != ProfileName::Supermicro {
            assert_eq!(one.uuid, two.uuid, "{name}");
        }
        let (one, two) = (
            value!(ipmi, network, n => n.lan(&cx)),
            value!(redfish, network, n => n.lan(&cx)),
        );
        assert_eq!(
            (one.mac, one.ip, one.netmask, one.gateway, one.vlan),
            (two.mac, two.ip, two.netmask, two.gateway, two.vlan),
            "{name}"
        );
        let (one, two) = (
            value!(ipmi, metrics, m => m.power_metrics(&cx)),
            value!(redfish, metrics, m => m.power_metrics(&cx)),
        );
        assert_eq!(one.consumed_watts, two.consumed_watts, "{name}");
        if name != ProfileName::OpenBmc {
            assert_eq!(
                (one.average_watts, one.min_watts, one.max_watts),
                (two.average_watts, two.min_watts, two.max_watts),
                "{name}"
            );
        }
        sensors_agree(&pair, name).await;
        let (one, two) = (
            value!(ipmi, event_log, l => l.entries(&cx)),
            value!(redfish, event_log, l => l.entries(&cx)),
        );
        let ids = |list: &[halbox::hal::model::event::LogEntry]| -> Vec<String> {
            list.iter().map(|entry| entry.id.clone()).collect()
        };
        assert_eq!(ids(&one), ids(&two), "{name}");
        let (one, two) = (
            value!(ipmi, users, u => u.users(&cx)),
            value!(redfish, users, u => u.users(&cx)),
        );
        let named = |list: &[halbox::hal::model::user::User]| -> Vec<(String, bool)> {
            let used = list.iter().filter(|user| !user.name.is_empty());
            used.map(|user| (user.name.clone(), user.enabled)).collect()
        };
        assert_eq!(named(&one), named(&two), "{name}");
        pair.end().await;
    }
}

/// Every sensor that Redfish shows has the value that IPMI shows.
async fn sensors_agree(pair: &Pair, name: ProfileName) {
    let cx = operation();
    let ipmi = value!(pair.ipmi, sensors, s => s.sensors(&cx, true));
    let redfish = value!(pair.redfish, sensors, s => s.sensors(&cx, true));
    let mut compared = 0;
    for sensor in &redfish {
        let Some(same) = ipmi.iter().find(|other| other.name == sensor.name) else {
            continue;
        };
        let close = match (sensor.value, same.value) {
            (Some(a), Some(b)) => (a - b).abs() < 0.001,
            (a, b) => a == b,
        };
        assert!(close, "{name}: {sensor:?} against {same:?}");
        compared += 1;
    }
    assert!(compared >= 10, "{name}: {compared} of {}", redfish.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_protocol_writes_the_other_reads() {
    for name in PROFILES {
        let pair = Pair::new(name).await;
        let (ipmi, redfish) = (&pair.ipmi, &pair.redfish);
        let cx = operation();
        value!(redfish, led, l => l.set(&cx, true));
        assert_eq!(value!(ipmi, led, l => l.state(&cx)), LedState::On, "{name}");
        value!(ipmi, led, l => l.set(&cx, false));
        let cx = operation();
        assert_eq!(
            value!(redfish, led, l => l.state(&cx)),
            LedState::Off,
            "{name}"
        );

        let request = BootRequest {
            target: BootTarget::Pxe,
            mode: BootMode::Uefi,
            persistent: false,
        };
        let set = value!(redfish, boot, b => b.set(&cx, request));
        assert_eq!(
            (set.target, set.persistence),
            (BootTarget::Pxe, BootPersistence::Once),
            "{name}"
        );
        let cx = operation();
        let seen = value!(ipmi, boot, b => b.state(&cx));
        assert_eq!(
            (seen.target, seen.persistence),
            (BootTarget::Pxe, BootPersistence::Once),
            "{name}"
        );

        value!(redfish, power, p => p.set(&cx, PowerAction::Off, true));
        let cx = operation();
        assert_eq!(
            value!(ipmi, power, p => p.state(&cx)),
            PowerState::Off,
            "{name}"
        );
        value!(ipmi, power, p => p.set(&cx, PowerAction::On, true));
        let cx = operation();
        assert_eq!(
            value!(redfish, power, p => p.state(&cx)),
            PowerState::On,
            "{name}"
        );
        // Already there: done, whatever this vendor answers to it.
        value!(redfish, power, p => p.set(&cx, PowerAction::On, true));
        pair.end().await;
    }
}
