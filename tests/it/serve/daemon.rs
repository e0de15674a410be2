//! A daemon under test: started with a notify socket of the test's own, killed when the test ends.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::common::{halbox, stderr, stdout};

/// Nothing here takes so long; it only ends a test that would wait for ever.
pub const PATIENCE: Duration = Duration::from_mins(1);

pub struct Daemon {
    child: Option<Child>,
    pub dir: tempfile::TempDir,
    arguments: Vec<String>,
    env: Vec<(&'static str, String)>,
    notify: UnixDatagram,
    log: PathBuf,
}

impl Daemon {
    /// Starts it and waits until it says that it is ready.
    pub fn start(arguments: &str) -> Self {
        Self::start_with(arguments, &[("HALBOX_LOG", "trace")])
    }

    /// The same with these variables.
    pub fn start_with(arguments: &str, env: &[(&'static str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let notify = UnixDatagram::bind(dir.path().join("notify")).unwrap();
        notify.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut daemon = Self {
            child: None,
            log: dir.path().join("log"),
            dir,
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
            env: env.iter().map(|(n, v)| (*n, (*v).to_owned())).collect(),
            notify,
        };
        daemon.begin();
        daemon
    }

    /// Starts it (again), with what was left by the one before.
    pub fn begin(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .unwrap();
        let path = |name: &str| self.dir.path().join(name);
        // Numbers are those of the binary that is shipped, where they are wanted.
        let child = std::env::var_os("HALBOX_BINARY")
            .map_or_else(halbox, Command::new)
            .env("NOTIFY_SOCKET", path("notify"))
            .envs(self.env.iter().map(|(n, v)| (n, v)))
            .arg("serve")
            .arg("--state-dir")
            .arg(path("state"))
            .arg("--socket")
            .arg(path("halbox.sock"))
            .arg("--lease-file")
            .arg(self.leases())
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        self.wait_for("READY=1");
    }

    /// Waits until it says this to systemd.
    pub fn wait_for(&self, word: &str) {
        let mut buffer = [0; 4096];
        loop {
            let n = self.notify.recv(&mut buffer).unwrap_or_else(|e| {
                panic!("no {word}: {e}\n{}", self.log());
            });
            if String::from_utf8_lossy(&buffer[..n]).contains(word) {
                return;
            }
        }
    }

    pub fn leases(&self) -> PathBuf {
        self.dir.path().join("dhcp").join("leases")
    }

    /// Writes the lease file as dnsmasq does: a new file, renamed.
    pub fn lease(&self, leases: &[(&str, &str)]) {
        let folder = self.dir.path().join("dhcp");
        std::fs::create_dir_all(&folder).unwrap();
        let lines: Vec<String> = leases
            .iter()
            .map(|(mac, ip)| format!("4102444800 {mac} {ip} * *\n"))
            .collect();
        let text = lines.concat();
        std::fs::write(folder.join("new"), text).unwrap();
        std::fs::rename(folder.join("new"), self.leases()).unwrap();
    }

    pub fn server(&self) -> String {
        format!("unix://{}", self.dir.path().join("halbox.sock").display())
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Everything that it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Runs `halbox bmc LINE`, with `password` in the environment.
    pub fn bmc_with(&self, line: &str, password: &str) -> Output {
        halbox()
            .env("HALBOX_SERVER", self.server())
            .env("HALBOX_PASSWORD", password)
            .arg("bmc")
            .args(line.split_whitespace())
            .output()
            .unwrap()
    }

    pub fn bmc(&self, line: &str) -> Output {
        halbox()
            .env("HALBOX_SERVER", self.server())
            .arg("bmc")
            .args(line.split_whitespace())
            .output()
            .unwrap()
    }

    /// The JSON that `halbox bmc LINE -o json` prints; it has to succeed.
    pub fn json(&self, line: &str) -> Value {
        let out = self.bmc(&format!("{line} -o json"));
        assert!(
            out.status.success(),
            "{line}: {}\n{}",
            stderr(&out),
            self.log()
        );
        serde_json::from_str(&stdout(&out)).unwrap()
    }

    /// Waits until the row of a MAC is as wanted; that row.
    pub fn until(&self, mac: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut watching = halbox()
            .env("HALBOX_SERVER", self.server())
            .args(["bmc", "watch", "-o", "json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, lines) = mpsc::channel();
        let out = watching.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        let found = loop {
            let Ok(line) = lines.recv_timeout(PATIENCE) else {
                break None;
            };
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["mac"] == mac && wanted(&event["bmc"]) {
                break Some(event["bmc"].clone());
            }
        };
        watching.kill().unwrap();
        watching.wait().unwrap();
        drop(lines);
        reader.join().unwrap();
        found.unwrap_or_else(|| {
            panic!(
                "{mac} did not become as wanted: {}\n{}",
                self.json(&format!("describe {mac}")),
                self.log()
            )
        })
    }

    /// Ends it as systemd does; its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
        self.wait_for("STOPPING=1");
        child.wait().unwrap().code()
    }

    /// Sends SIGHUP and waits until it has read its configuration again.
    pub fn reload(&self) {
        let pid = Pid::from_raw(self.pid().cast_signed());
        kill(pid, Signal::SIGHUP).unwrap();
        self.wait_for("RELOADING=1");
        self.wait_for("READY=1");
    }

    /// kill -9.
    pub fn murder(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Every byte that it left in its folder.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut out = Vec::new();
        let mut folders = vec![self.dir.path().join("state")];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(folder).unwrap() {
                let path = file.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let mut bytes = Vec::new();
                let mut file = std::fs::File::open(&path).unwrap();
                file.read_to_end(&mut bytes).unwrap();
                out.push((path, bytes));
            }
        }
        out
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
