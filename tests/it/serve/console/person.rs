//! The command line as a person uses it: in a terminal (tmux) with a shell.

use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;
use crate::common::{oracle, stdout};

/// A server of tmux of the test's own, with one shell.
struct Tmux {
    program: PathBuf,
    dir: tempfile::TempDir,
}

impl Tmux {
    fn start(program: PathBuf, daemon: &Daemon) -> Self {
        let tmux = Self {
            program,
            dir: tempfile::tempdir().unwrap(),
        };
        let server = format!("HALBOX_SERVER={}", daemon.server());
        tmux.run(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "200",
            "-y",
            "50",
            "-e",
            &server,
            "-e",
            "PS1=ready> ",
            "sh",
        ]);
        tmux
    }

    fn run(&self, arguments: &[&str]) -> String {
        let out = Command::new(&self.program)
            .arg("-S")
            .arg(self.dir.path().join("socket"))
            .args(arguments)
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", stderr(&out));
        stdout(&out)
    }

    fn types(&self, text: &str) {
        self.run(&["send-keys", "-l", text]);
    }

    fn presses(&self, key: &str) {
        self.run(&["send-keys", key]);
    }

    fn enters(&self, text: &str) {
        self.types(text);
        self.presses("Enter");
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p", "-J", "-S", "-"])
    }

    /// Waits until the screen shows it so often.
    fn shows(&self, text: &str, times: usize) {
        let end = Instant::now() + LONG;
        loop {
            let screen = self.screen();
            if screen.matches(text).count() >= times {
                return;
            }
            assert!(
                Instant::now() < end,
                "not {times} times '{text}' in:\n{screen}"
            );
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new(&self.program)
            .arg("-S")
            .arg(self.dir.path().join("socket"))
            .arg("kill-server")
            .output();
    }
}

#[test]
fn at_a_terminal() {
    let Some(program) = oracle("tmux") else {
        return;
    };
    let bed = Bed::new("127.88.18.1", 16_440, "");
    let tmux = Tmux::start(program, &bed.daemon);
    let halbox = env!("CARGO_BIN_EXE_halbox");
    let dir = tmux.dir.path().display().to_string();
    let modes = |name: &str| {
        tmux.enters(&format!("stty -a > {dir}/{name}; echo {name} is done"));
        // Once as it is typed, once as it is said.
        tmux.shows(&format!("{name} is done"), 2);
        std::fs::read_to_string(tmux.dir.path().join(name)).unwrap()
    };
    let before = modes("before");
    assert!(
        before.contains(" icanon") && before.contains(" echo"),
        "{before}"
    );
    tmux.enters(&format!("{halbox} bmc console {MAC}; echo left with $?"));
    tmux.shows("over ipmi, ~. leaves]", 1);
    tmux.shows("nobody else is in; you write]", 1);
    tmux.enters("uptime");
    tmux.shows("uptime", 1);
    tmux.types("~?");
    tmux.shows("take over the writing", 1);
    tmux.types("~B");
    tmux.shows("[break]", 1);
    // Ctrl-C is for the host, not for halbox.
    tmux.presses("C-c");
    tmux.enters("");
    tmux.enters("~~/bin");
    tmux.shows("~/bin", 1);
    // Somebody takes over, and it is taken back.
    let mut other = bed.visitor(&format!("console {MAC} --force"));
    other.expect("you write");
    tmux.shows("took over: you read (~W takes it back)]", 1);
    tmux.enters("dropped");
    tmux.shows("nothing was sent: uid", 1);
    tmux.types("~W");
    tmux.shows("[halbox: you write]", 1);
    other.expect("took over");
    other.leaves();
    tmux.shows("went]", 1);
    tmux.enters("and goodbye");
    tmux.shows("and goodbye", 1);
    tmux.types("~.");
    tmux.shows("left with 0", 1);
    assert!(!tmux.screen().contains("dropped\n"), "{}", tmux.screen());
    assert_eq!(modes("after"), before);
    bed.line_is(false);

    // A grant that ends, and a signal, put the terminal right as well.
    let text = said(&bed.daemon, &format!("bmc console-grant {MAC} --for 1h"));
    let id = text.split('_').nth(1).unwrap().to_owned();
    let file = tmux.dir.path().join("grant");
    std::fs::write(&file, text).unwrap();
    let machine = bed.machine();
    let line = format!(
        "{halbox} bmc --token-file {} console {machine}",
        file.display()
    );
    tmux.enters(&format!("{line}; echo ended with $?"));
    tmux.shows("over ipmi, ~. leaves]", 2);
    said(&bed.daemon, &format!("bmc console-grant --revoke {id}"));
    tmux.shows("the token has ended", 1);
    tmux.shows("ended with 4", 1);
    assert_eq!(modes("revoked"), before);
    tmux.enters(&format!(
        "{halbox} bmc console {MAC} & echo pid=$!; fg; echo killed with $?"
    ));
    tmux.shows("over ipmi, ~. leaves]", 3);
    let screen = tmux.screen();
    let pid = screen
        .lines()
        .rev()
        .find_map(|l| l.trim().strip_prefix("pid=")?.parse().ok());
    kill(Pid::from_raw(pid.unwrap()), Signal::SIGTERM).unwrap();
    tmux.shows("killed with 130", 1);
    assert_eq!(modes("killed"), before);
    bed.line_is(false);
}
