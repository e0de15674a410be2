//! The VM of tests/vm/run.sh.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::{lacks, oracle, root, skip, stderr, stdout};

/// Machine id that QEMU gives the VM.
pub const UUID: &str = "37c43c25-69fe-4f88-b69d-4e71dc4070d0";

static TURN: Mutex<()> = Mutex::new(());

/// What the VM needs on this host.
pub struct Vm {
    /// The shipped binary (HALBOX_DIST), else the one under test with its libraries.
    binary: PathBuf,
    host_ports: String,
    append: String,
    vendor: &'static str,
    /// The Redfish service that SMBIOS names, at 10.0.2.100.
    service: Option<u16>,
}

/// What a script did.
pub struct Ran {
    /// Its exit status.
    pub code: i32,
    /// What it printed, steps separated by `#name` lines.
    pub stdout: String,
    /// The same on stderr, without separation.
    pub stderr: String,
    /// What the kernel said on its console.
    pub console: String,
    /// How long the VM lived, in milliseconds.
    pub took: u128,
}

impl Vm {
    /// `None` when something is missing (said).
    pub fn find() -> Option<Self> {
        for program in [
            "qemu-system-x86_64",
            "cpio",
            "busybox",
            "ipmitool",
            "ipmi_sim",
        ] {
            oracle(program)?;
        }
        let kernel = Command::new(root().join("tests/vm/kernel.sh")).output();
        if !kernel.is_ok_and(|out| out.status.success()) {
            lacks("vm-kernel", "tests/vm/kernel.sh fetches it");
            return None;
        }
        Some(Self {
            binary: std::env::var_os("HALBOX_DIST")
                .map_or_else(|| env!("CARGO_BIN_EXE_halbox").into(), PathBuf::from),
            host_ports: String::new(),
            append: String::new(),
            vendor: "Supermicro",
            service: None,
        })
    }

    /// Lets the VM reach these ports of the host at 10.0.2.100.
    #[must_use]
    pub fn with_ports(mut self, ports: &[u16]) -> Self {
        let words: Vec<String> = ports.iter().map(u16::to_string).collect();
        self.host_ports = words.join(" ");
        self
    }

    /// SMBIOS names a Redfish host interface, which leads to this address of the host.
    #[must_use]
    pub fn with_host_interface(mut self, to: std::net::SocketAddr) -> Self {
        let port = to.port();
        self.host_ports = format!("{} {port}={to}", self.host_ports);
        self.service = Some(port);
        self
    }

    /// Adds words to the kernel command line.
    #[must_use]
    pub fn with_words(mut self, words: &str) -> Self {
        words.clone_into(&mut self.append);
        self
    }

    /// The manufacturer that SMBIOS names.
    #[must_use]
    pub fn with_vendor(mut self, vendor: &'static str) -> Self {
        self.vendor = vendor;
        self
    }

    /// Runs a script; its lines `#name` begin steps.
    pub fn run(&self, kcs: u16, script: &str) -> Ran {
        let ran = self.boot(kcs, script, "");
        assert_ne!(ran.code, 125, "the test bed failed: {}", ran.stderr);
        ran
    }

    /// Runs a script that ends with the machine off.
    pub fn run_until_off(&self, kcs: u16, script: &str) -> Ran {
        let ran = self.boot(kcs, script, "1");
        assert_eq!(ran.code, 0, "not switched off: {}", ran.stderr);
        ran
    }

    /// Boots a VM without a BMC of its own, whose first serial port is QEMU's `serial`; it lives until the script ends, or
    /// it is dropped.
    pub fn with_serial_port(&self, serial: &str, script: &str) -> Living {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = tempfile::tempdir().unwrap();
        let mut command = self.command(dir.path(), 0, script);
        let child = command.env("SERIAL", serial).spawn().unwrap();
        Living {
            child,
            _dir: dir,
            _turn: turn,
        }
    }

    fn command(&self, dir: &Path, kcs: u16, script: &str) -> Command {
        let file = dir.join("script");
        let steps: String = script
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(name) => format!("echo '#{name}'\n"),
                None => format!("{line}\n"),
            })
            .collect();
        std::fs::write(&file, steps).unwrap();
        let mut command = Command::new(root().join("tests/vm/run.sh"));
        command.arg(kcs.to_string()).arg(&file).arg(&self.binary);
        command
            .env("UUID", UUID)
            .env("APPEND", &self.append)
            .env("VENDOR", self.vendor)
            .env("HOSTPORT", &self.host_ports);
        if let Some(port) = self.service {
            let file = dir.join("smbios");
            std::fs::write(&file, host_interface(port)).unwrap();
            command.env("SMBIOS", file);
        }
        command
    }

    fn boot(&self, kcs: u16, script: &str, until_off: &str) -> Ran {
        let dir = tempfile::tempdir().unwrap();
        let console = dir.path().join("console");
        let mut command = self.command(dir.path(), kcs, script);
        command.env("CONSOLE", &console).env("UNTIL_OFF", until_off);
        // One at a time: each wants a core for itself.
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let start = Instant::now();
        let output = command.output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: stdout(&output),
            stderr: stderr(&output),
            console: String::from_utf8_lossy(&std::fs::read(&console).unwrap_or_default())
                .into_owned(),
            took: start.elapsed().as_millis(),
        }
    }
}

/// A VM that runs.
pub struct Living {
    child: Child,
    _dir: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Living {
    /// Does it still run?
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end of its script: its exit status.
    pub fn ends(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        // The script ends QEMU when it is asked to.
        let _ = kill(
            Pid::from_raw(self.child.id().cast_signed()),
            Signal::SIGTERM,
        );
        let _ = self.child.wait();
    }
}

/// SMBIOS type 42 (DSP0270): a USB network card, and Redfish over IP at 10.0.2.100.
fn host_interface(port: u16) -> Vec<u8> {
    let mut data = vec![0; 91];
    data[16] = 1; // The host's address: static, IPv4.
    data[17] = 1;
    data[51] = 1;
    data[52..56].copy_from_slice(&[10, 0, 2, 100]);
    data[84..86].copy_from_slice(&port.to_le_bytes());
    let card = [2, 0x6b, 0x1d, 4, 1, 2, 0, 0];
    let mut out = vec![42, 0, 0, 0x42, 0x40, card.len() as u8];
    out.extend(card);
    out.extend([1, 4, 91]);
    out.extend(data);
    out[1] = out.len() as u8;
    out.extend([0, 0]);
    out
}

impl Ran {
    /// What a step printed.
    pub fn step(&self, name: &str) -> &str {
        let begin = format!("#{name}\n");
        let at = self.stdout.find(&begin);
        let at = at.unwrap_or_else(|| panic!("no step {name}: {}\n{}", self.stdout, self.stderr));
        let rest = &self.stdout[at + begin.len()..];
        if rest.starts_with('#') {
            return "";
        }
        rest.split("\n#").next().unwrap_or(rest)
    }
}

/// Says what a run cost (busybox `time -v`).
pub fn report(ran: &Ran) {
    let wanted = ["Maximum resident set size", "Elapsed", "User time"];
    let lines = ran
        .stderr
        .lines()
        .filter(|l| wanted.iter().any(|w| l.contains(w)));
    let cost: Vec<&str> = lines.map(str::trim).collect();
    skip(&format!(
        "nothing; the VM took {} ms, inband-init: {}",
        ran.took,
        cost.join(", ")
    ));
}
