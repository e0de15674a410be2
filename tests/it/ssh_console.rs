//! Consoles over SSH on a real OpenSSH server, beside a simulated BMC whose Redfish says who made it.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use halbox::hal::connect::{Login, Service, SshWay, Way, connect};
use halbox::hal::fleet::{Fleet, Forgetful};
use halbox::hal::ipmi::session::Config;
use halbox::hal::model::console::{
    ConsoleEvent, ConsoleInput, ConsoleNotice, ConsoleOptions, ConsoleStream,
};
use halbox::hal::model::{Cx, Secret};
use halbox::hal::sim::{self, Options, ProfileName, RedfishOptions, SimHandle};
use halbox::hal::transport::Lan;
use halbox::hal::transport::http::Trust;

use crate::common::console::types_to;
use crate::common::sshd::{PASSWORD, READY, Sshd, USER};
use crate::common::{halbox, stderr, stdout};

const LONG: Duration = Duration::from_mins(1);
const BY_PASSWORD: &str = "PasswordAuthentication yes\nKbdInteractiveAuthentication no";
const INTERACTIVE: &str = "PasswordAuthentication no\nKbdInteractiveAuthentication yes";

/// A BMC of this make, with the same account as sshd.
fn bmc(profile: ProfileName) -> SimHandle {
    sim::start(Options {
        port: 0,
        profile,
        user: USER.to_owned(),
        password: Secret::new(PASSWORD),
        redfish: Some(RedfishOptions {
            port: 0,
            ..RedfishOptions::default()
        }),
        ..Options::default()
    })
    .unwrap()
}

/// `halbox bmc … console` at this BMC and SSH port.
fn console(sim: &SimHandle, ssh: SocketAddr, password: &str, cache: &Path) -> Command {
    let mut command = halbox();
    command
        .args(["bmc", "--address", "127.0.0.1", "-U", USER, "-E", "-vv"])
        .args(["--ipmi-port", &sim.addrs()[0].port().to_string()])
        .args(["--redfish-port", &redfish(sim).port().to_string()])
        .args(["console", "--ssh-port", &ssh.port().to_string()])
        .env("HALBOX_PASSWORD", password)
        .env("HALBOX_LOG", "trace")
        .env("XDG_CACHE_HOME", cache);
    command
}

fn redfish(sim: &SimHandle) -> SocketAddr {
    sim.redfish_addrs()[0]
}

/// A started console, its first words read.
fn begun(mut command: Command) -> Child {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut greeting = vec![0; READY.len()];
    let read = child.stdout.as_mut().unwrap().read_exact(&mut greeting);
    assert!(
        read.is_ok(),
        "{}",
        stderr(&child.wait_with_output().unwrap())
    );
    assert_eq!(String::from_utf8_lossy(&greeting), READY);
    child
}

/// Types, and reads to the end.
fn typed(child: Child, text: &[u8]) -> Output {
    let out = types_to(child, text);
    no_secret(&out);
    out
}

fn no_secret(out: &Output) {
    for text in [stdout(out), stderr(out)] {
        assert!(!text.contains(PASSWORD), "the password is in: {text}");
    }
}

#[test]
fn a_megabyte_passes_whole_through_changing_keys() {
    let cache = tempfile::tempdir().unwrap();
    let sim = bmc(ProfileName::Dell);
    let Some(sshd) = Sshd::start(&format!("{BY_PASSWORD}\nRekeyLimit 64K")) else {
        return;
    };
    let mut rng = fastrand::Rng::with_seed(1);
    let paste: Vec<u8> = (0..1 << 20).map(|_| rng.u8(..)).collect();
    let out = typed(
        begun(console(&sim, sshd.address, PASSWORD, cache.path())),
        &paste,
    );
    assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
    let same = out.stdout.iter().zip(&paste).take_while(|(a, b)| a == b);
    let same = same.count();
    assert!(
        out.stdout == paste,
        "{} bytes, the first {same} right",
        out.stdout.len()
    );
    assert!(
        stderr(&out).contains("over dell(idrac)"),
        "{}",
        stderr(&out)
    );
    assert!(!stderr(&out).contains("NOT ENCRYPTED"));
    let keys = sshd.log().matches("SSH2_MSG_NEWKEYS received").count();
    assert!(keys > 8, "only {keys} exchanges of keys");
    // One session, and it was closed.
    sshd.expect("Disconnected from user", 1);
    assert_eq!(sshd.log().matches("Starting session").count(), 1);
    assert!(sshd.log().contains("Accepted password"));
    assert_eq!(sim.total().sessions_opened, 0, "SOL was not needed");
}

#[test]
fn keyboard_interactive_and_every_algorithm() {
    let cache = tempfile::tempdir().unwrap();
    let sim = bmc(ProfileName::Hpe);
    let Some(mut sshd) = Sshd::start(INTERACTIVE) else {
        return;
    };
    for (key, lines) in [
        (
            "ed25519",
            "Ciphers aes128-gcm@openssh.com\nKexAlgorithms ecdh-sha2-nistp256",
        ),
        (
            "rsa",
            "Ciphers chacha20-poly1305@openssh.com\nHostKeyAlgorithms rsa-sha2-512",
        ),
        (
            "rsa",
            "Ciphers aes256-ctr\nMACs hmac-sha2-256\nHostKeyAlgorithms rsa-sha2-256",
        ),
        (
            "ecdsa",
            "Ciphers aes128-ctr\nMACs hmac-sha2-512-etm@openssh.com\nKexAlgorithms ecdh-sha2-nistp384",
        ),
        (
            "ecdsa",
            "Ciphers aes256-ctr\nMACs hmac-sha2-256-etm@openssh.com\nKexAlgorithms curve25519-sha256@libssh.org",
        ),
    ] {
        sshd.again_with_key(key, &format!("{INTERACTIVE}\nRekeyLimit 16K\n{lines}"));
        let mut command = console(&sim, sshd.address, PASSWORD, cache.path());
        command.args(["--ssh-host-key", &sshd.fingerprint(key)]);
        let paste = vec![b'u'; 40_000];
        let out = typed(begun(command), &paste);
        assert_eq!(out.status.code(), Some(0), "{lines}: {}", stderr(&out));
        assert!(out.stdout == paste, "{lines}: {}", stderr(&out));
        assert!(sshd.log().contains("Accepted keyboard-interactive/pam"));
    }
}

#[test]
fn another_host_key_is_refused_before_the_login() {
    let cache = tempfile::tempdir().unwrap();
    let sim = bmc(ProfileName::Dell);
    let Some(mut sshd) = Sshd::start(BY_PASSWORD) else {
        return;
    };
    let here = |sshd: &Sshd| console(&sim, sshd.address, PASSWORD, cache.path());
    let out = typed(begun(here(&sshd)), b"");
    assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
    sshd.again_with_key("ecdsa", BY_PASSWORD);
    let out = here(&sshd).output().unwrap();
    no_secret(&out);
    assert_eq!(out.status.code(), Some(1), "{}", stderr(&out));
    let print = sshd.fingerprint("ecdsa");
    let said = stderr(&out);
    assert!(said.contains("the host key has changed"), "{said}");
    assert!(said.contains(&sshd.fingerprint("ed25519")), "{said}");
    assert!(said.contains(&format!("--ssh-host-key {print}")), "{said}");
    assert!(!sshd.log().contains("userauth-request"), "{}", sshd.log());
    assert_eq!(sim.total().sessions_opened, 0, "SOL is no way around it");
    // Accepted once, it is the known one.
    let mut command = here(&sshd);
    command.args(["--ssh-host-key", &print]);
    assert_eq!(typed(begun(command), b"").status.code(), Some(0));
    assert_eq!(typed(begun(here(&sshd)), b"").status.code(), Some(0));
}

#[test]
fn a_wrong_password_is_tried_once() {
    for (lines, method) in [
        (BY_PASSWORD, "Failed password for"),
        (INTERACTIVE, "Failed keyboard-interactive/pam for"),
    ] {
        let cache = tempfile::tempdir().unwrap();
        // The login of Redfish is right, so that it is SSH's that fails.
        let sim = sim::start(Options {
            port: 0,
            profile: ProfileName::Dell,
            user: USER.to_owned(),
            password: Secret::new("other-Pass1!"),
            redfish: Some(RedfishOptions {
                port: 0,
                ..RedfishOptions::default()
            }),
            ..Options::default()
        })
        .unwrap();
        let Some(sshd) = Sshd::start(lines) else {
            return;
        };
        let out = console(&sim, sshd.address, "other-Pass1!", cache.path());
        let mut out = out;
        let out = out.output().unwrap();
        assert_eq!(out.status.code(), Some(4), "{}", stderr(&out));
        let said = stderr(&out);
        assert!(said.contains("user or password refused"), "{said}");
        assert!(!said.contains("other-Pass1!"), "{said}");
        sshd.expect(method, 1);
        let all = sshd.log();
        assert_eq!(all.matches("Failed ").count(), 1, "{all}");
        assert_eq!(all.matches("Connection from").count(), 1, "{all}");
        let total = sim.total();
        assert_eq!((total.failed_logins, total.sessions_opened), (0, 0));
    }
}

#[test]
fn where_ssh_is_off_or_old_sol_takes_over() {
    let cache = tempfile::tempdir().unwrap();
    let sim = bmc(ProfileName::Dell);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = closed.local_addr().unwrap();
    drop(closed);
    let child = console(&sim, nobody, PASSWORD, cache.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = typed(child, b"over SOL");
    assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
    assert_eq!(out.stdout, b"over SOL");
    assert!(stderr(&out).contains("over ipmi"), "{}", stderr(&out));
    let Some(sshd) = Sshd::start("KexAlgorithms diffie-hellman-group14-sha1") else {
        return;
    };
    let child = console(&sim, sshd.address, PASSWORD, cache.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(typed(child, b"again").stdout, b"again");
    // Forced, the cause is said.
    let mut command = console(&sim, sshd.address, PASSWORD, cache.path());
    let out = command.args(["--driver", "iDrac"]).output().unwrap();
    let said = stderr(&out);
    assert!(
        said.contains("legacy SSH: the server offers no key exchange that is still safe (diffie-hellman-group14-sha1)"),
        "{said}"
    );
    assert!(!sshd.log().contains("userauth-request"));
}

#[test]
fn the_console_of_openbmc_is_behind_sol() {
    let cache = tempfile::tempdir().unwrap();
    let sim = bmc(ProfileName::OpenBmc);
    let Some(sshd) = Sshd::start(BY_PASSWORD) else {
        return;
    };
    let child = console(&sim, sshd.address, PASSWORD, cache.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = typed(child, b"SOL first");
    assert_eq!(out.stdout, b"SOL first", "{}", stderr(&out));
    assert!(!sshd.log().contains("Connection from"));
    let mut command = console(&sim, sshd.address, PASSWORD, cache.path());
    command.args(["--driver", "Redfish"]);
    let out = typed(begun(command), b"a shell without a command");
    assert_eq!(out.stdout, b"a shell without a command");
    assert!(sshd.log().contains("req shell"), "{}", sshd.log());
}

/// Between client and server; can be cut.
struct Wire {
    address: SocketAddr,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let open: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let all = Arc::clone(&open);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
                    return;
                };
                let both = [client, server];
                for (from, to) in [(0, 1), (1, 0)] {
                    let mut from = both[from].try_clone().unwrap();
                    let mut to = both[to].try_clone().unwrap();
                    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                }
                all.lock().unwrap().extend(both);
            }
        });
        Self { address, open }
    }

    fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

async fn next(stream: &mut ConsoleStream) -> ConsoleEvent {
    tokio::time::timeout(LONG, stream.events.recv())
        .await
        .expect("nothing came")
        .expect("the stream ended without a word")
}

/// Reads until these characters came.
async fn hear(stream: &mut ConsoleStream, text: &str) {
    let mut heard = Vec::new();
    while heard.len() < text.len() {
        match next(stream).await {
            ConsoleEvent::Data(data) => heard.extend(data),
            ConsoleEvent::Drained(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(String::from_utf8_lossy(&heard), text);
}

// The test waits for the server's log: the console has a thread of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_console_comes_back_and_breaks_arrive() {
    let sim = bmc(ProfileName::Dell);
    let Some(sshd) = Sshd::start(INTERACTIVE) else {
        return;
    };
    let wire = Wire::to(sshd.address);
    let fleet = Fleet::new(Lan::new().unwrap(), Arc::new(Forgetful));
    let service = Service::at(redfish(&sim), None, Trust::default());
    let way = Way {
        redfish: Some(service),
        ssh: SshWay {
            port: Some(wire.address.port()),
            host_key: None,
        },
        ..Way::to(sim.addrs()[0])
    };
    let login = Login {
        ipmi: Some(Config::new(USER, Secret::new(PASSWORD))),
        redfish: Some((USER.to_owned(), Secret::new(PASSWORD))),
    };
    let cx = Cx::until(Instant::now() + LONG);
    let bmc = connect(&fleet, &cx, &way, &login).await.unwrap();
    let options = ConsoleOptions {
        reconnect: Some(LONG),
        ..ConsoleOptions::default()
    };
    let opened = bmc
        .console
        .call("console", |c| c.open(&cx, options.clone()));
    let opened = opened.await.unwrap();
    assert_eq!(opened.source.to_string(), "dell(idrac)");
    let mut stream = opened.value;
    for round in 0..2 {
        let event = next(&mut stream).await;
        assert!(
            matches!(
                event,
                ConsoleEvent::Notice(ConsoleNotice::Open {
                    encrypted: true,
                    ..
                })
            ),
            "{event:?}"
        );
        hear(&mut stream, READY).await;
        let typed = ConsoleInput::Data(b"hello\r".to_vec());
        stream.input.send(typed).await.unwrap();
        hear(&mut stream, "hello\r").await;
        stream.input.send(ConsoleInput::Break).await.unwrap();
        sshd.expect("request break reply 0", round + 1);
        if round == 0 {
            wire.cut();
            loop {
                match next(&mut stream).await {
                    ConsoleEvent::Lost { why, .. } => {
                        assert!(why.contains("lost"), "{why}");
                        break;
                    }
                    ConsoleEvent::Drained(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    // Left in order: the session's end is seen by the server, not only missed.
    let ConsoleStream { mut events, input } = stream;
    drop(input);
    while events.recv().await.is_some() {}
    sshd.expect("Received disconnect from 127.0.0.1", 1);
    fleet.shutdown(LONG).await;
}
