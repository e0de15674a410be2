//! The serial console against software that none of us wrote: ipmitool and ipmiconsole on the simulator, halbox on
//! ipmi_sim.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use halbox::hal::sim::{self, Options, SimHandle};
use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};

use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::{halbox, oracle, skip, stderr};

const LONG: Duration = Duration::from_mins(1);

fn start() -> SimHandle {
    sim::start(Options {
        port: 0,
        ..Options::default()
    })
    .unwrap()
}

/// A program on a terminal, and what it shows.
struct Terminal {
    child: Child,
    master: File,
    /// The other side, kept open: without it the master reports an error when the program ends.
    slave: OwnedFd,
    shown: mpsc::Receiver<Vec<u8>>,
    screen: Vec<u8>,
}

impl Terminal {
    fn start(mut command: Command) -> Self {
        let pty = openpty(None, None).unwrap();
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = command
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let master = File::from(pty.master);
        let mut reader = master.try_clone().unwrap();
        let (sender, shown) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            master,
            slave: pty.slave,
            shown,
            screen: Vec::new(),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.screen).into_owned()
    }

    /// Waits until the screen shows `text`, and forgets everything up to it.
    fn expect(&mut self, text: &str) {
        loop {
            let found = self
                .screen
                .windows(text.len())
                .position(|w| w == text.as_bytes());
            if let Some(at) = found {
                self.screen.drain(..at + text.len());
                return;
            }
            match self.shown.recv_timeout(LONG) {
                Ok(bytes) => self.screen.extend(bytes),
                Err(e) => panic!("no '{text}' ({e}) in: {}", self.text()),
            }
        }
    }

    fn send(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Is what is typed shown and taken line by line, as a shell wants it?
    fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.slave).unwrap().local_flags;
        modes.contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG)
    }

    fn end(mut self) -> Option<i32> {
        let status = self.child.wait().unwrap();
        status.code()
    }
}

fn assert_gentle(sim: &SimHandle) {
    let total = sim.total();
    assert_eq!(total.sessions_opened, total.sessions_closed, "{total:?}");
    assert_eq!(total.sessions_open, 0);
    let held = sim.with_state(0, |s| s.console.as_ref().and_then(|c| c.holder()));
    assert_eq!(held, Some(None), "the line was not given back");
}

#[test]
fn ipmitool_has_a_console_on_the_simulator() {
    let Some(ipmitool) = oracle("ipmitool") else {
        return;
    };
    for suite in ["3", "17"] {
        let sim = start();
        let mut command = Command::new(&ipmitool);
        command
            .args([
                "-I",
                "lanplus",
                "-C",
                suite,
                "-H",
                "127.0.0.1",
                "-U",
                "admin",
                "-E",
            ])
            .args(["-p", &sim.addrs()[0].port().to_string()])
            .args(["sol", "activate"])
            .env("IPMI_PASSWORD", "admin");
        let mut terminal = Terminal::start(command);
        terminal.expect("SOL Session operational");
        terminal.send("hello from ipmitool\r");
        terminal.expect("hello from ipmitool");
        terminal.send("~B");
        // What comes with the acknowledgement of a break ipmitool takes and does not show.
        let breaks = || sim.with_state(0, |s| s.console.as_ref().map_or(0, |c| c.breaks()));
        let end = Instant::now() + LONG;
        while breaks() == Some(0) {
            assert!(Instant::now() < end, "no break came");
            std::thread::yield_now();
        }
        terminal.send("again\r");
        terminal.expect("again");
        terminal.send("~.");
        terminal.end();
        assert_gentle(&sim);
    }
}

/// An address of this process alone, so that port 623 is free there.
fn standard_address() -> IpAddr {
    let [_, _, a, b] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 40, a, b).into()
}

#[test]
fn ipmiconsole_has_a_console_on_the_simulator() {
    let Some(program) = oracle("ipmiconsole") else {
        return;
    };
    for suite in ["3", "17"] {
        // It knows no other port than the standard's.
        let sim = sim::start(Options {
            listen: standard_address(),
            port: 623,
            ..Options::default()
        });
        let sim = match sim {
            Ok(sim) => sim,
            Err(error) => return skip(&format!("needs port 623: {}", error.chain())),
        };
        let mut command = Command::new(&program);
        command
            .args(["-h", &sim.addrs()[0].ip().to_string()])
            .args(["-u", "admin", "-p", "admin", "-I", suite]);
        let mut terminal = Terminal::start(command);
        terminal.expect("[SOL established]");
        terminal.send("hello from freeipmi\r");
        terminal.expect("hello from freeipmi");
        terminal.send("&.");
        assert_eq!(terminal.end(), Some(0));
        assert_gentle(&sim);
    }
}

fn console(target: &str, user: &str, password: &str) -> Command {
    let mut command = halbox();
    command
        .args([
            "bmc",
            "--no-cache",
            "--address",
            target,
            "-U",
            user,
            "-E",
            "console",
        ])
        .env("HALBOX_PASSWORD", password);
    command
}

#[test]
fn halbox_at_a_terminal_puts_it_back_as_it_was() {
    let sim = start();
    let target = sim.addrs()[0].to_string();
    let mut terminal = Terminal::start(console(&target, "admin", "admin"));
    terminal.expect("~. leaves]");
    assert!(!terminal.is_cooked());
    terminal.send("ls\r");
    terminal.expect("ls");
    terminal.send("~B");
    terminal.expect("[break]");
    terminal.send("\r~?");
    terminal.expect("this help");
    terminal.send("\r~~/bin\r");
    terminal.expect("~/bin");
    terminal.send("~.");
    let slave = terminal.slave.try_clone().unwrap();
    assert_eq!(terminal.end(), Some(0));
    let modes = tcgetattr(&slave).unwrap().local_flags;
    assert!(modes.contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG));
    assert_gentle(&sim);
}

#[test]
fn a_signal_puts_the_terminal_back_and_closes_the_session() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let sim = start();
        let target = sim.addrs()[0].to_string();
        let mut terminal = Terminal::start(console(&target, "admin", "admin"));
        terminal.expect("~. leaves]");
        assert!(!terminal.is_cooked());
        let pid = Pid::from_raw(terminal.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
        let slave = terminal.slave.try_clone().unwrap();
        assert_eq!(terminal.end(), Some(130), "{signal}");
        let modes = tcgetattr(&slave).unwrap().local_flags;
        assert!(
            modes.contains(LocalFlags::ICANON | LocalFlags::ECHO),
            "{signal}"
        );
        assert_gentle(&sim);
    }
}

#[test]
fn halbox_in_a_pipe_moves_every_byte() {
    let sim = start();
    let target = sim.addrs()[0].to_string();
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("console.log");
    let mut rng = fastrand::Rng::with_seed(3);
    let paste: Vec<u8> = (0..100_000).map(|_| rng.u8(..)).collect();
    let mut child = console(&target, "admin", "admin")
        .arg("--log")
        .arg(&log)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let typed = paste.clone();
    let typing = std::thread::spawn(move || stdin.write_all(&typed).unwrap());
    let out = child.wait_with_output().unwrap();
    typing.join().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
    assert!(
        out.stdout == paste,
        "{} of {} bytes",
        out.stdout.len(),
        paste.len()
    );
    assert_eq!(std::fs::read(&log).unwrap(), paste);
    assert_gentle(&sim);
}

/// A host behind the serial port of ipmi_sim: it echoes.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..n]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[test]
fn halbox_has_a_console_on_ipmi_sim() {
    let Some(sim) = IpmiSim::start(Setup::Serial(echo())) else {
        return;
    };
    // ipmi_sim does not forget the last number of the console before; halbox remembers it as well.
    let cache = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let mut rng = fastrand::Rng::with_seed(round);
        let paste: Vec<u8> = (0..(64 << 10) / 3 + round as usize)
            .map(|_| rng.u8(b' '..=b'~'))
            .collect();
        let mut child = halbox()
            .args([
                "bmc",
                "--address",
                &sim.target(),
                "-U",
                "ipmiusr",
                "-E",
                "console",
            ])
            .args(["--quiet-after", "3s"])
            .env("HALBOX_PASSWORD", "test")
            .env("XDG_CACHE_HOME", cache.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let typed = paste.clone();
        let typing = std::thread::spawn(move || stdin.write_all(&typed));
        let out = child.wait_with_output().unwrap();
        typing.join().unwrap().unwrap();
        assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
        let same = out
            .stdout
            .iter()
            .zip(&paste)
            .take_while(|(a, b)| a == b)
            .count();
        assert!(
            out.stdout == paste,
            "{} of {} bytes, the first {same} right: {}",
            out.stdout.len(),
            paste.len(),
            stderr(&out)
        );
    }
}
