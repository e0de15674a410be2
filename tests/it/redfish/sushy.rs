//! sushy-emulator (fake driver, TLS, Basic): a Redfish service that none of us wrote. Its power changes take 1 to 11 s, and
//! its boot override is always persistent, whatever it is told.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use halbox::hal::Kind;
use halbox::hal::bmc::Bmc;
use halbox::hal::drivers::redfish;
use halbox::hal::model::boot::BootRequest;
use halbox::hal::model::power::Verified;
use halbox::hal::model::{
    BootMode, BootPersistence, BootTarget, LedState, PowerAction, PowerState, Secret,
};
use halbox::hal::redfish::{Client, Door, Quirks};
use halbox::hal::transport::redfish::{Config, HttpDoor};

use super::bench::{LOGIN, operation, outcome};
use crate::common::oracle;

/// `admin` with the password of all tests here, hashed in the only way that the emulator takes.
const HTPASSWD: &str = "admin:$2b$04$4isnSkXnCbYOSkTClcgOvOIsoj8fYzYehKR5WzdEylWHuyFEUxD16\n";

struct Emulator {
    address: SocketAddr,
    child: Child,
    _dir: tempfile::TempDir,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Emulator {
    /// Starts one; `None` when it is not installed (said by [`oracle`]).
    fn start() -> Option<Self> {
        let program = oracle("sushy-emulator")?;
        let openssl = oracle("openssl")?;
        let dir = tempfile::tempdir().unwrap();
        certificate(&openssl, dir.path());
        for attempt in 0.. {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let mut child = spawn(&program, dir.path(), address);
            if ready(&mut child, address) {
                return Some(Self {
                    address,
                    child,
                    _dir: dir,
                });
            }
            let _ = child.kill();
            let _ = child.wait();
            // Another test may have been given the port meanwhile.
            let log = fs::read_to_string(dir.path().join("log")).unwrap();
            assert!(attempt < 3, "sushy-emulator does not start: {log}");
        }
        unreachable!()
    }

    fn bmc(&self) -> (Arc<HttpDoor>, Bmc) {
        let base = format!("https://{}", self.address);
        let config = Config::new(base, self.address, "admin", Secret::new(LOGIN));
        let door = Arc::new(HttpDoor::new(config).unwrap());
        let client = Client::new(Arc::clone(&door) as Arc<dyn Door>, Quirks::default());
        let mut bmc = Bmc::default();
        redfish::attach(&mut bmc, client);
        (door, bmc)
    }
}

/// Connects until it listens; false when the process ended.
fn ready(child: &mut Child, address: SocketAddr) -> bool {
    let end = Instant::now() + Duration::from_mins(1);
    while Instant::now() < end && child.try_wait().unwrap().is_none() {
        if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

fn certificate(openssl: &Path, dir: &Path) {
    let made = Command::new(openssl)
        .current_dir(dir)
        .args("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=bmc".split(' '))
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

fn spawn(program: &Path, dir: &Path, address: SocketAddr) -> Child {
    fs::write(dir.join("htpasswd"), HTPASSWD).unwrap();
    let conf = format!(
        "SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'\nSUSHY_EMULATOR_LISTEN_PORT = {}\nSUSHY_EMULATOR_FAKE_DRIVER = True\n\
         SUSHY_EMULATOR_SSL_CERT = '{dir}/cert.pem'\nSUSHY_EMULATOR_SSL_KEY = '{dir}/key.pem'\n\
         SUSHY_EMULATOR_AUTH_FILE = '{dir}/htpasswd'\nSUSHY_EMULATOR_STATE_DIR = '{dir}'\n",
        address.port(),
        dir = dir.display()
    );
    fs::write(dir.join("emulator.conf"), conf).unwrap();
    let log = fs::File::create(dir.join("log")).unwrap();
    Command::new(program)
        .arg("--config")
        .arg(dir.join("emulator.conf"))
        .arg("--fake")
        .env("TMPDIR", dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn power_boot_and_led_with_read_back() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let (door, bmc) = emulator.bmc();
    let power = async |action: PowerAction| {
        let cx = operation();
        outcome(bmc.power.call("power", |p| p.set(&cx, action, true)).await)
    };
    let cx = operation();
    let state = outcome(bmc.power.call("state", |p| p.state(&cx)).await).unwrap();
    assert_eq!(state, PowerState::Off);
    let refused = power(PowerAction::Reset).await.unwrap_err();
    assert_eq!(refused.0, Kind::Refused);
    let on = power(PowerAction::On).await.unwrap();
    assert_eq!((on.state, on.verified), (PowerState::On, Verified::Yes));
    assert_eq!(
        power(PowerAction::Reset).await.unwrap().state,
        PowerState::On
    );
    let off = power(PowerAction::Off).await.unwrap();
    assert_eq!((off.state, off.verified), (PowerState::Off, Verified::Yes));
    let soft = power(PowerAction::Soft).await.unwrap();
    assert_eq!(soft.state, PowerState::Off);

    let boot = async |target, persistent| {
        let cx = operation();
        let mode = BootMode::Uefi;
        let request = BootRequest {
            target,
            mode,
            persistent,
        };
        outcome(bmc.boot.call("boot", |b| b.set(&cx, request)).await)
    };
    for target in [BootTarget::Pxe, BootTarget::Disk] {
        let set = boot(target, true).await.unwrap();
        assert_eq!(
            (set.target, set.persistence),
            (target, BootPersistence::Persistent)
        );
        let cx = operation();
        let now = outcome(bmc.boot.call("boot", |b| b.state(&cx)).await).unwrap();
        assert_eq!(now, set);
    }
    // It takes Once and shows Continuous: that is not what was asked for, and said.
    let (kind, words) = boot(BootTarget::Pxe, false).await.unwrap_err();
    assert_eq!(kind, Kind::Refused, "{words}");
    // It has no BiosSetup.
    let (kind, words) = boot(BootTarget::Bios, true).await.unwrap_err();
    assert!(
        matches!(kind, Kind::Unsupported | Kind::Refused),
        "{kind:?} {words}"
    );

    for on in [true, false] {
        let want = if on { LedState::On } else { LedState::Off };
        let cx = operation();
        let set = outcome(bmc.led.call("led", |l| l.set(&cx, on)).await).unwrap();
        let cx = operation();
        let now = outcome(bmc.led.call("led", |l| l.state(&cx)).await).unwrap();
        assert_eq!((set, now), (want, want));
    }
    door.close().await;
}
