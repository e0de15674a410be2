//! Completion of BMCs, by the shells themselves.

use std::fs;
use std::process::{Command, Output};

use super::daemon::Daemon;
use super::{MAC, OTHER};
use crate::common::{halbox, oracle, stderr, stdout};

const ID: &str = "4c4c4544-0048-4210-8031-b7c04f000000";

/// A terminal with an interactive shell: types LINE, the completion key, and lets the shell say what stands there then.
const TERMINAL: &str = r#"
import os, pty, re, select, sys
shell, lines = sys.argv[1].split(), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(shell[0], shell)
seen = b""
def until(pattern):
    global seen
    while not re.search(pattern, seen):
        ready, _, _ = select.select([fd], [], [], 60)
        if not ready:
            sys.exit("no %r in %r" % (pattern, seen))
        seen += os.read(fd, 65536)
    found = re.search(pattern, seen)
    seen = seen[found.end():]
    return found
for line in lines:
    if line.startswith("COMPLETE "):
        # A second key would list: once is what completes. Ctrl-A goes to the beginning of the line.
        os.write(fd, line[9:].encode() + b"\t")
        os.write(fd, b"\x01set -- \x05; echo \"<$*>\"\n")
        print(until(rb"<([^<>$\r\n]*)>\r?\n")[1].decode())
    else:
        os.write(fd, line.encode() + b"; echo DO''NE\n")
        until(rb"DONE\r?\n")
os.close(fd)
"#;

fn table() -> Daemon {
    let daemon = Daemon::start("--ipmi-port 16380 --redfish-port 16381");
    assert!(
        daemon
            .bmc(&format!("add {MAC} --ip 127.88.31.1"))
            .status
            .success()
    );
    assert!(daemon.bmc(&format!("add {OTHER}")).status.success());
    let update = format!("update {MAC} --machine-id {ID}");
    assert!(daemon.bmc(&update).status.success());
    daemon
}

/// The script of a shell, in the daemon's folder; the folder has the program under its name as well.
fn script(daemon: &Daemon, shell: &str) -> String {
    let text = stdout(&crate::common::run(&format!("completions {shell}")));
    let path = daemon.dir.path().join(format!("completion.{shell}"));
    fs::write(&path, text).unwrap();
    let program = daemon.dir.path().join("halbox");
    let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_halbox"), program);
    path.to_string_lossy().into_owned()
}

fn with_path(command: &mut Command, daemon: &Daemon) -> Output {
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{}:{path}", daemon.dir.path().display()))
        .env("HALBOX_SERVER", daemon.server())
        .env("HOME", daemon.dir.path())
        .env("TERM", "dumb")
        .output()
        .unwrap()
}

#[test]
fn the_hidden_command_is_quick_and_silent() {
    let daemon = table();
    let ask = |line: &str, server: &str| {
        let out = halbox()
            .env("HALBOX_SERVER", server)
            .args(["complete-bmc", line])
            .output()
            .unwrap();
        assert!(
            out.status.success() && out.stderr.is_empty(),
            "{}",
            stderr(&out)
        );
        stdout(&out)
    };
    let both = format!("{MAC}\n{OTHER}\n");
    assert_eq!(ask("halbox bmc power status ", &daemon.server()), both);
    assert_eq!(ask("halbox bmc describe AC-1F", &daemon.server()), both);
    assert_eq!(
        ask("halbox bmc describe 4c4c", &daemon.server()),
        format!("{ID}\n")
    );
    assert_eq!(ask("halbox bmc rm 127", &daemon.server()), "127.88.31.1\n");
    let named = format!("halbox bmc --server {} rm 127", daemon.server());
    assert_eq!(ask(&named, "unix:///nowhere"), "127.88.31.1\n");
    for (line, server) in [
        ("halbox bmc power status ", "unix:///nowhere"),
        ("halbox bmc power status ", "nonsense"),
        ("halbox bmc power status -o ", &daemon.server()),
    ] {
        assert_eq!(ask(line, server), "", "{line}");
    }
}

#[test]
fn bash_completes_macs_and_machines() {
    let (Some(_), Some(python)) = (oracle("bash"), oracle("python3")) else {
        return;
    };
    let daemon = table();
    let source = format!("source {}", script(&daemon, "bash"));
    let mut command = Command::new(python);
    command.args([
        "-c",
        TERMINAL,
        "bash --norc --noprofile -i",
        &source,
        // The two MACs differ in their last digit.
        "COMPLETE halbox bmc power status ac:1f:6",
        "COMPLETE halbox bmc describe ac:1f:6b:00:00:02",
        "COMPLETE halbox bmc rm 4c4c",
        "COMPLETE halbox bmc power sta",
        "COMPLETE halbox bmc --server=unix:///nowhere rm 4c4c",
    ]);
    let out = with_path(&mut command, &daemon);
    assert!(out.status.success(), "{}", stderr(&out));
    let common = &MAC[..MAC.len() - 1];
    assert_eq!(
        stdout(&out).lines().collect::<Vec<_>>(),
        [
            format!("halbox bmc power status {common}"),
            format!("halbox bmc describe {OTHER}"),
            format!("halbox bmc rm {ID}"),
            "halbox bmc power status".to_owned(),
            "halbox bmc --server=unix:///nowhere rm 4c4c".to_owned(),
        ]
    );
}

#[test]
fn zsh_completes_macs() {
    let (Some(_), Some(python)) = (oracle("zsh"), oracle("python3")) else {
        return;
    };
    let daemon = table();
    let source = script(&daemon, "zsh");
    let setup = format!(
        "PROMPT= RPROMPT= && autoload -Uz compinit && compinit -u -D && bindkey -e && source {source} && compdef _halbox halbox"
    );
    let mut command = Command::new(python);
    command.args([
        "-c",
        TERMINAL,
        "zsh -f -i",
        &setup,
        "COMPLETE halbox bmc describe ac:1f:6b:00:00:02",
        "COMPLETE halbox bmc power status 4c4c",
    ]);
    let out = with_path(&mut command, &daemon);
    assert!(out.status.success(), "{}", stderr(&out));
    assert_eq!(
        stdout(&out).lines().collect::<Vec<_>>(),
        [
            format!("halbox bmc describe {OTHER}"),
            format!("halbox bmc power status {ID}"),
        ]
    );
}

#[test]
fn fish_completes_macs() {
    let Some(fish) = oracle("fish") else { return };
    let daemon = table();
    let source = script(&daemon, "fish");
    let ask = |line: &str| {
        let mut command = Command::new(&fish);
        command.args([
            "--no-config",
            "-c",
            &format!("source {source}; complete -C '{line}'"),
        ]);
        let out = with_path(&mut command, &daemon);
        stdout(&out)
    };
    let got = ask("halbox bmc power status ac:1f");
    assert!(
        got.lines().any(|l| l.starts_with(MAC)) && got.lines().any(|l| l.starts_with(OTHER)),
        "{got}"
    );
    let got = ask("halbox bmc describe 4c4");
    assert!(got.lines().any(|l| l.starts_with(ID)), "{got}");
}
