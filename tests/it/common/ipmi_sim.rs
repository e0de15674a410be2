//! OpenIPMI's `ipmi_sim`: BMC software that none of us wrote. Ended when dropped.
//!
//! Its limits are measured: suites 0-3 only, no DCMI, pre-session commands only in IPMI 1.5 framing, passwords of 16 bytes,
//! Get Channel Payload Support on channel 0x0E crashes it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use super::{fru, oracle, root, sdrs};

/// Which configuration it runs.
#[derive(Debug, Clone, Copy)]
pub enum Setup {
    /// `ipmiusr`/`test` (administrator), `operator`/`op-test`, `reader`/`rd-test`.
    Testbed,
    /// As metal-stack's mini-lab: anonymous/`test`, `ADMIN`/`ADMIN`.
    MiniLab,
    /// With a system interface for a VM, and this many named users from slot 2 on.
    InBand(u8),
    /// As the testbed, with a serial port that connects to this TCP port of 127.0.0.1.
    Serial(u16),
}

/// A running `ipmi_sim`.
pub struct IpmiSim {
    /// Where it answers.
    pub address: SocketAddr,
    /// TCP port of the system interface (QEMU's VM codec); takes one connection only, so never look whether it is there.
    pub kcs: u16,
    child: Child,
    dir: tempfile::TempDir,
}

/// Loopback addresses are many: one for each simulator, so that ports never collide.
static NEXT: AtomicU16 = AtomicU16::new(0);
const PORT: u16 = 6230;

impl IpmiSim {
    /// Starts one; `None` when it is not installed (said by [`oracle`]).
    pub fn start(setup: Setup) -> Option<Self> {
        let program = oracle("ipmi_sim")?;
        let compiler = oracle("sdrcomp")?;
        let dir = tempfile::tempdir().unwrap();
        for attempt in 0.. {
            let pid = std::process::id();
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let [high, low] = n.to_be_bytes();
            let ip = Ipv4Addr::new(
                127,
                64 + (pid % 61) as u8,
                (pid / 61 % 250) as u8 ^ high,
                low.wrapping_add(1),
            );
            let address = SocketAddr::from((ip, PORT));
            let kcs = free_port();
            let child = spawn(&program, &compiler, dir.path(), setup, address, kcs);
            let mut sim = Self {
                address,
                kcs,
                child,
                dir: tempfile::tempdir().unwrap(),
            };
            if sim.ready() {
                sim.dir = dir;
                return Some(sim);
            }
            assert!(
                attempt < 3,
                "ipmi_sim does not start: {}",
                fs::read_to_string(dir.path().join("sim.log")).unwrap()
            );
        }
        unreachable!()
    }

    /// Asks for presence until it answers; false when the process ended.
    fn ready(&mut self) -> bool {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        socket.connect(self.address).unwrap();
        let ping = [6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 1, 0, 0];
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            // A refusal is an error as well: the process is not that far yet.
            let _ = socket.send(&ping);
            let mut pong = [0; 64];
            match socket.recv(&mut pong) {
                Ok(_) => return true,
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
                    std::thread::yield_now();
                }
                Err(_) => {}
            }
        }
        false
    }

    /// `ADDRESS:PORT`, as halbox and FreeIPMI take it.
    pub fn target(&self) -> String {
        self.address.to_string()
    }

    /// What the chassis program was told to do, one line per write.
    pub fn chassis_log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Kills it, as a BMC that loses its power.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again where it was, with what it remembers.
    pub fn revive(&mut self) {
        self.kill();
        self.child = launch(&oracle("ipmi_sim").unwrap(), self.dir.path());
        assert!(self.ready(), "ipmi_sim does not come back");
    }

    /// Is it still running? (Some requests crash it.)
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for IpmiSim {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An operator's account.
fn sim_user(id: u8) -> String {
    format!("  user {id} true \"user{id}\" \"pw{id}\" admin 10 none md2 md5 straight\n")
}

/// A TCP port that nobody listens on.
fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

fn spawn(
    program: &Path,
    compiler: &Path,
    dir: &Path,
    setup: Setup,
    address: SocketAddr,
    kcs: u16,
) -> Child {
    let fixtures = root().join("tests/fixtures/ipmi_sim");
    let (file, name) = match setup {
        Setup::Testbed | Setup::Serial(_) => ("testbed.conf", "halbmc"),
        Setup::MiniLab => ("minilab.conf", "minilab"),
        Setup::InBand(_) => ("inband.conf", "halbmc"),
    };
    let users = match setup {
        Setup::InBand(count) => (2..2 + count).map(sim_user).collect(),
        _ => String::new(),
    };
    let state = dir.join("state");
    let persistent: PathBuf = state.join("ipmi_sim").join(name);
    fs::create_dir_all(&persistent).unwrap();

    let conf = fs::read_to_string(fixtures.join(file))
        .unwrap()
        .replace("@ADDRESS@", &address.ip().to_string())
        .replace("@PORT@", &address.port().to_string())
        .replace("@FIXTURES@", &fixtures.to_string_lossy())
        .replace("@DIR@", &dir.to_string_lossy())
        .replace("@KCS@", &kcs.to_string())
        .replace("@USERS@", &users);
    let conf = match setup {
        Setup::Serial(port) => conf.replace(
            "  startnow false",
            &format!("  sol \"tcp:127.0.0.1:{port}\" 115200\n  startnow false"),
        ),
        _ => conf,
    };
    fs::write(dir.join("lan.conf"), conf).unwrap();

    // ipmi_sim writes through to the FRU file: each instance has its own.
    fs::write(dir.join("fru0.bin"), fru::MACHINE.encode(1024)).unwrap();
    fs::write(dir.join("bmc.sdrs"), sdrs::source()).unwrap();
    let compiled = Command::new(compiler)
        .arg("-o")
        .arg(persistent.join("sdr.20.main"))
        .arg(dir.join("bmc.sdrs"))
        .output()
        .unwrap();
    assert!(
        compiled.status.success(),
        "sdrcomp: {}",
        String::from_utf8_lossy(&compiled.stderr)
    );

    let emu = format!(
        "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x2a7c 0x0910 persist_sdr\nsel_enable 0x20 1000 0x0a\n\
         {}mc_add_fru_data 0x20 0 1024 file 0 \"{}\"\nmc_enable 0x20\n",
        sdrs::commands(),
        dir.join("fru0.bin").display()
    );
    fs::write(dir.join("bmc.emu"), emu).unwrap();

    launch(program, dir)
}

fn launch(program: &Path, dir: &Path) -> Child {
    let log = fs::File::create(dir.join("sim.log")).unwrap();
    Command::new(program)
        .arg("-n")
        .arg("-c")
        .arg(dir.join("lan.conf"))
        .arg("-f")
        .arg(dir.join("bmc.emu"))
        .arg("-s")
        .arg(dir.join("state"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}
