//! A real OpenSSH server as a BMC's: one account whose shell knows the commands of BMCs. The account exists in the
//! server's own mount namespace only; nothing of this machine is changed. Ended when dropped.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{oracle, skip};

pub const USER: &str = "bmcadmin";
pub const PASSWORD: &str = "s3cret-Pass!";
/// What the console says when it echoes everything that is typed.
pub const READY: &str = "COM2 is yours\r\n";

/// As a BMC: exec'd commands, and a console without one. `die` ends in the middle of it.
const SHELL: &str = "#!/bin/sh
case \"$2\" in
'console com2'|vsp|'') stty raw -echo; printf 'COM2 is yours\\r\\n'; exec cat ;;
*) echo \"no such command: $2\"; exit 1 ;;
esac
";

pub struct Sshd {
    pub address: SocketAddr,
    child: Child,
    dir: tempfile::TempDir,
}

impl Sshd {
    /// Starts one with these lines in its configuration; `None` when that cannot be (said).
    pub fn start(lines: &str) -> Option<Self> {
        Self::start_at(free(), lines)
    }

    /// The same at this address.
    pub fn start_at(address: SocketAddr, lines: &str) -> Option<Self> {
        let program = oracle("sshd")?;
        let keygen = oracle("ssh-keygen")?;
        oracle("openssl")?;
        if !nix::unistd::geteuid().is_root() {
            skip("needs root for the account of sshd");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let at = |name: &str| dir.path().join(name);
        for kind in ["ed25519", "ecdsa", "rsa"] {
            let mut command = Command::new(&keygen);
            command.args(["-q", "-t", kind, "-N", "", "-f"]);
            let done = command.arg(at(kind)).status().unwrap();
            assert!(done.success());
        }
        account(dir.path());
        let mut sshd = Self {
            address,
            child: Command::new("true").spawn().unwrap(),
            dir,
        };
        sshd.run(&program, lines, "ed25519");
        Some(sshd)
    }

    /// Starts it again at the same place with the host key of another kind.
    pub fn again_with_key(&mut self, kind: &str, lines: &str) {
        self.stop();
        let program = oracle("sshd").unwrap();
        self.run(&program, lines, kind);
    }

    fn run(&mut self, program: &Path, lines: &str, key: &str) {
        let _ = self.child.wait();
        let dir = self.dir.path();
        let conf = format!(
            "Port {}\nListenAddress {}\nHostKey {}\nPidFile none\nUsePAM yes\nStrictModes no\nLogLevel DEBUG1\n\
             PrintMotd no\nPrintLastLog no\n{lines}\n",
            self.address.port(),
            self.address.ip(),
            dir.join(key).display()
        );
        fs::write(dir.join("conf"), conf).unwrap();
        let log = fs::File::create(dir.join("log")).unwrap();
        // The account is bound over this machine's in a namespace that nobody else sees.
        let script = format!(
            "mount --make-rprivate / && mount --bind passwd /etc/passwd && mount --bind shadow /etc/shadow && \
             mount --bind pam /etc/pam.d/sshd && mount -t tmpfs none /run && mkdir -p -m 755 /run/sshd && \
             exec {} -D -e -f conf",
            program.display()
        );
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script]).current_dir(dir);
        let log_too = log.try_clone().unwrap();
        command.stdin(Stdio::null()).stdout(log).stderr(log_too);
        self.child = command.spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        while !self.log().contains("Server listening on") {
            let over = self.child.try_wait().unwrap();
            assert!(over.is_none(), "sshd ended: {}", self.log());
            assert!(Instant::now() < end, "sshd: {}", self.log());
            std::thread::yield_now();
        }
    }

    /// Everything that it said.
    pub fn log(&self) -> String {
        let log = fs::read(self.dir.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Waits until its log has `text` so many times.
    pub fn expect(&self, text: &str, times: usize) {
        let end = Instant::now() + Duration::from_secs(30);
        while self.log().matches(text).count() < times {
            assert!(Instant::now() < end, "no '{text}' in: {}", self.log());
            std::thread::yield_now();
        }
    }

    /// Fingerprint of a host key, as ssh-keygen prints it.
    pub fn fingerprint(&self, kind: &str) -> String {
        let keygen = oracle("ssh-keygen").unwrap();
        let mut command = Command::new(keygen);
        command.arg("-lf").arg(self.dir.path().join(kind));
        let out = command.output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.split(' ').nth(1).unwrap().to_owned()
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The port is free once nobody accepts there any more.
        while TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap()
}

/// Files for passwd, shadow and PAM, and the shell.
fn account(dir: &Path) {
    let shell = dir.join("shell");
    fs::write(&shell, SHELL).unwrap();
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("openssl");
    command.args(["passwd", "-5", PASSWORD]);
    let hash = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let (home, shell) = (dir.display(), shell.display());
    let line = format!("{USER}:x:61234:61234::{home}:{shell}\n");
    fs::write(dir.join("passwd"), passwd + &line).unwrap();
    let line = format!("{USER}:{}:19000:0:99999:7:::\n", hash.trim());
    fs::write(dir.join("shadow"), line).unwrap();
    fs::set_permissions(dir.join("shadow"), fs::Permissions::from_mode(0o600)).unwrap();
    let pam = "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n";
    fs::write(dir.join("pam"), pam).unwrap();
}
