//! The serial console against software that none of us wrote: ipmitool and ipmiconsole on the simulator.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use halbox::hal::sim::{self, Options, SimHandle};
use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};

use crate::common::console::{noise, pipe, same};
use crate::common::{halbox, oracle, skip};

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
    let paste = noise(100_000, 3);
    let mut command = console(&target, "admin", "admin");
    command.arg("--log").arg(&log);
    same(&pipe(command, &paste), &paste);
    assert_eq!(std::fs::read(&log).unwrap(), paste);
    assert_gentle(&sim);
}
