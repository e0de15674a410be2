//! Runs against a real daemon: the BMC is halbox's own simulator, as the VM's BMC and on the LAN; the daemon finds it by its
//! lease, and logs in itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use halbox::hal::ipmi::cmd::app::PrivilegeLevel;
use halbox::hal::sim::state::users::User;
use halbox::hal::sim::{self, Manners, ProfileName, SimHandle};
use serde_json::{Value, json};

use super::document;
use super::vm::{self, Ran, Vm};
use crate::common::{halbox, stderr, stdout};
use crate::serve::daemon::{Daemon, PATIENCE};

/// SMBIOS sends the first three fields of a UUID with the low byte first.
const GUID: [u8; 16] = *b"\x25\x3c\xc4\x37\xfe\x69\x88\x4f\xb6\x9d\x4e\x71\xdc\x40\x70\xd0";
const OTHER: &str = "ac:1f:6b:00:00:77";

/// A VM, its BMC on the LAN, and a daemon that both reach.
pub struct Site {
    pub vm: Vm,
    pub sim: SimHandle,
    pub daemon: Daemon,
    pub port: u16,
    pub mac: String,
    address: String,
    pub papers: tempfile::TempDir,
}

impl Site {
    /// `net` and `port` are this test's own.
    pub fn new(net: u8, port: u16, profile: ProfileName) -> Option<Self> {
        Self::start(net, port, profile, None)
    }

    /// The same, with Redfish at `port + 1`, and as the machine's host interface.
    pub fn with_redfish(net: u8, port: u16, profile: ProfileName) -> Option<Self> {
        let redfish = sim::RedfishOptions {
            port: port + 1,
            ..sim::RedfishOptions::default()
        };
        Self::start(net, port, profile, Some(redfish))
    }

    fn start(
        net: u8,
        port: u16,
        profile: ProfileName,
        redfish: Option<sim::RedfishOptions>,
    ) -> Option<Self> {
        let mut vm = Vm::find()?.with_ports(&[port + 2]);
        let address = format!("127.88.{net}.1");
        let sim = sim::start(sim::Options {
            listen: address.parse().unwrap(),
            port,
            profile,
            redfish,
            vm: Some("127.0.0.1:0".parse().unwrap()),
            ..sim::Options::default()
        })
        .unwrap();
        let mac = sim.with_state(0, |s| {
            s.guid = GUID;
            let pairs: Vec<String> = s.lan.mac.iter().map(|b| format!("{b:02x}")).collect();
            pairs.join(":")
        });
        let papers = tempfile::tempdir().unwrap();
        issue(papers.path());
        let at = |name: &str| papers.path().join(name).display().to_string();
        std::fs::write(
            at("halbox.yaml"),
            "roles: {hammer: hammer, machine: hammer}\n",
        )
        .unwrap();
        let daemon = Daemon::start(&format!(
            "--config {} --listen 127.0.0.1:{} --tls-cert {} --tls-key {} --tls-client-ca {} \
             --ipmi-port {port} --redfish-port {}",
            at("halbox.yaml"),
            port + 2,
            at("server.pem"),
            at("server.key"),
            at("ca.pem"),
            port + 1,
        ));
        let mac = mac.unwrap();
        daemon.lease(&[(&mac, &address)]);
        daemon.until(&mac, |row| {
            let drivers = row["drivers"].as_array().map_or(0, Vec::len);
            drivers >= if redfish.is_some() { 2 } else { 1 }
        });
        if let Some(service) = sim.redfish_addrs().first() {
            vm = vm.with_host_interface(*service);
        }
        Some(Self {
            vm,
            sim,
            daemon,
            port,
            mac,
            address,
            papers,
        })
    }

    /// Lines that put what the VM needs into it.
    fn files(&self) -> String {
        let out = halbox()
            .env("HALBOX_SERVER", self.daemon.server())
            .args(["token", "create", "--role", "hammer", "--ttl", "1h"])
            .args(["--machine", vm::UUID])
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", stderr(&out));
        let token = stdout(&out);
        let file = |name: &str, text: &str| format!("cat >/tmp/{name} <<'END'\n{text}\nEND\n");
        let paper = |name: &str| {
            let text = std::fs::read_to_string(self.papers.path().join(name)).unwrap();
            file(name, text.trim())
        };
        file("token", token.trim()) + &paper("ca.pem") + &paper("hammer.pem") + &paper("hammer.key")
    }

    pub fn server(&self) -> String {
        format!(
            "--server https://10.0.2.100:{} --ca /tmp/ca.pem",
            self.port + 2
        )
    }

    pub fn run(&self, script: &str) -> Ran {
        let kcs = self.sim.vm_addrs()[0].port();
        self.vm.run(kcs, &format!("{}{script}", self.files()))
    }

    pub fn run_without_bmc(&self, script: &str) -> Ran {
        self.vm.run(0, &format!("{}{script}", self.files()))
    }

    /// The password that the daemon has.
    fn password(&self) -> String {
        let row = self
            .daemon
            .json(&format!("describe {} --with-passwords", self.mac));
        row["ipmi"]["password"].as_str().unwrap().to_owned()
    }

    /// The daemon drives the machine with what it adopted, and nobody sees the password.
    pub fn assert_adopted(mut self, ran: &Ran) {
        let row = self
            .daemon
            .until(&self.mac, |row| row["ipmi"]["user"] == "metal");
        assert_eq!(row["machine_id"], vm::UUID);
        let state = self.daemon.json(&format!("power status {}", self.mac));
        assert_eq!(state["results"][0]["value"], "ON", "{state}");
        let password = self.password();
        assert_eq!(password.len(), 16);
        let kept = self.sim.with_state(0, |s| {
            let mut users = s.users.iter();
            let user = users.find(|(_, u)| u.trimmed() == b"metal").unwrap().1;
            (
                user.enabled,
                PrivilegeLevel(user.limit),
                user.password.expose().to_vec(),
            )
        });
        assert!(kept == Some((true, PrivilegeLevel(4), password.clone().into_bytes())));
        assert_eq!(self.daemon.terminate(), Some(0));
        let total = self.sim.total();
        assert_eq!(total.sessions_open, 0);
        let mut files = self.daemon.files();
        for (name, text) in [
            ("the daemon's log", self.daemon.log()),
            ("the VM's output", ran.stdout.clone()),
            ("the VM's log", ran.stderr.clone()),
            ("the VM's console", ran.console.clone()),
        ] {
            assert!(!text.is_empty() || name == "the VM's console", "{name}");
            files.push((name.into(), text.into_bytes()));
        }
        let hex: Vec<String> = password.bytes().map(|b| format!("{b:02x}")).collect();
        let hex = hex.concat();
        for (path, bytes) in files {
            for marker in [&password, &hex] {
                let there = bytes.windows(marker.len()).any(|w| w == marker.as_bytes());
                assert!(!there, "{} shows the password", path.display());
            }
        }
    }
}

/// A certificate authority, the daemon's certificate as the VM sees it, and that of metal-hammer.
fn issue(dir: &std::path::Path) {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    for (name, cn) in [
        ("server", "server"),
        ("hammer", "hammer"),
        ("own", vm::UUID),
    ] {
        let key = KeyPair::generate().unwrap();
        let names = vec!["10.0.2.100".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, cn);
        let issued = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(dir.join(format!("{name}.pem")), issued.pem()).unwrap();
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[test]
fn from_a_lease_to_a_machine_that_drives_itself() {
    let Some(site) = Site::new(9, 16_400, ProfileName::Supermicro) else {
        return;
    };
    let other = site
        .daemon
        .bmc(&format!("add {OTHER} --ip {}", site.address));
    assert!(other.status.success(), "{}", stderr(&other));
    let (server, mac) = (site.server(), &site.mac);
    let certificate = "--cert /tmp/hammer.pem --key /tmp/hammer.key";
    let token = "--token-file /tmp/token";
    let ran = site.run(&format!(
        "#first\n/halbox -vv inband-init {server} {certificate}\n\
         #again\n/halbox inband-init {server} {certificate}\n\
         #token\n/halbox inband-init {server} {token}\n\
         #own\n/halbox bmc {server} {token} power status {mac} -o json\n\
         #led\n/halbox bmc {server} {token} led on {mac} -o json\n\
         #other\n/halbox bmc {server} {token} power status {OTHER}; echo \"code $?\"\n\
         #change\n/halbox bmc {server} {token} update {mac} --preferred-driver IPMI; echo \"code $?\"\n\
         #secret\n/halbox bmc {server} {token} describe {mac} --with-passwords; echo \"code $?\"\n\
         #all\n/halbox bmc {server} {token} ls; echo \"code $?\"\n\
         #rotate\n/halbox inband-init --rotate {server} {token}\n"
    ));
    assert_eq!(
        ran.code,
        0,
        "{}\n{}\n{}",
        ran.stdout,
        ran.stderr,
        site.daemon.log()
    );
    let first = document(ran.step("first"));
    assert_eq!(
        (&first["created"], &first["registered"], &first["verified"]),
        (&json!(true), &json!(true), &json!("out-of-band")),
        "{first}"
    );
    assert_eq!(
        (
            &first["machine_id"],
            &first["bmc"]["mac"],
            &first["ipmi"]["user_id"]
        ),
        (&json!(vm::UUID), &json!(site.mac), &json!(10))
    );
    assert_eq!(first["ipmi"]["password"], Value::Null);
    for step in ["again", "token"] {
        let again = document(ran.step(step));
        assert_eq!(
            (&again["created"], &again["registered"], &again["changes"]),
            (&json!(false), &json!(true), &json!([])),
            "{step}: {again}"
        );
    }
    for step in ["own", "led"] {
        let result = &document(ran.step(step))["results"][0];
        assert_eq!(result["ok"], true, "{step}: {result}");
    }
    for step in ["other", "change", "secret", "all"] {
        assert!(
            ran.step(step).contains("code 4"),
            "{step}: {}",
            ran.step(step)
        );
    }
    // It has the token only: the row's password is changed as well, and proved by the daemon.
    let rotated = document(ran.step("rotate"));
    assert_eq!(
        (
            &rotated["created"],
            &rotated["verified"],
            &rotated["ipmi"]["password"]
        ),
        (&json!(true), &json!("out-of-band"), &Value::Null),
        "{rotated}"
    );
    assert_eq!(site.sim.total().failed_logins, 0, "{}", site.daemon.log());
    site.assert_adopted(&ran);
}

/// The BMC is slow from the write that makes an administrator of the account until its enabling was answered and some time
/// has passed.
pub fn hold_up(sim: &SimHandle, over: &AtomicBool) {
    let until = Instant::now() + PATIENCE;
    let slow = |slow| {
        let manners = Manners {
            slow,
            ..Manners::default()
        };
        sim.with_bmc(0, |bmc| bmc.set_manners(manners));
    };
    let wait = |wanted: fn(&User) -> bool| {
        let is_there = || {
            let found = sim.with_state(0, |s| {
                let mut users = s.users.iter();
                users.any(|(_, u)| u.trimmed() == b"metal" && wanted(u))
            });
            found == Some(true)
        };
        while !is_there() && !over.load(Ordering::Relaxed) && Instant::now() < until {
            std::thread::yield_now();
        }
    };
    wait(|user| user.limit == 4);
    slow(Duration::from_secs(2));
    wait(|user| user.enabled);
    // The read that follows is under way: its answer takes as long.
    let commands = || sim.total().commands;
    let before = commands();
    while commands() == before && !over.load(Ordering::Relaxed) && Instant::now() < until {
        std::thread::yield_now();
    }
    slow(Duration::ZERO);
}

/// The process is killed when the user is let in and the daemon does not know it yet: the BMC is slow just then.
#[test]
fn killed_before_the_hand_over_the_daemon_has_the_password_already() {
    let Some(site) = Site::new(10, 16_410, ProfileName::Dell) else {
        return;
    };
    let server = format!("{} --token-file /tmp/token", site.server());
    let over = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| hold_up(&site.sim, &over));
        let ran = site.run(&format!(
            "mkfifo /tmp/log\n/halbox -v inband-init {server} 2>/tmp/log >/tmp/out &\npid=$!\n\
             while read -r line; do case \"$line\" in *' 0x01)'*) kill -9 $pid; echo killed;; esac; done </tmp/log >/tmp/killed\n\
             #killed\ncat /tmp/killed\n#printed\ncat /tmp/out\n\
             #next\n/halbox inband-init {server}\n"
        ));
        over.store(true, Ordering::Relaxed);
        ran
    });
    assert_eq!(
        ran.code,
        0,
        "{}\n{}\n{}",
        ran.stdout,
        ran.stderr,
        site.daemon.log()
    );
    assert!(ran.step("killed").contains("killed"), "{}", ran.stdout);
    assert_eq!(ran.step("printed"), "", "it was through");
    let next = document(ran.step("next"));
    assert_eq!(
        (&next["created"], &next["registered"], &next["changes"]),
        (&json!(false), &json!(true), &json!([])),
        "{next}\n{}",
        site.daemon.log()
    );
    assert_eq!(site.sim.total().failed_logins, 0, "{}", site.daemon.log());
    site.assert_adopted(&ran);
}
