//! Consoles without a BMC: plain TCP, telnet as a real telnetd speaks it, a pseudo-terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};

use nix::pty::openpty;

use crate::common::console::{echo, noise, pipe, same, types_to};
use crate::common::{halbox, oracle, stderr, stdout};

fn at(url: &str, words: &[&str]) -> Command {
    let mut command = halbox();
    command
        .args(["bmc", "console", "--console-url", url])
        .args(words);
    command
}

/// `halbox bmc console` at this place; types, and reads to the end.
fn console(url: &str, words: &[&str], typed: &[u8]) -> Output {
    pipe(at(url, words), typed)
}

#[test]
fn every_byte_over_tcp() {
    let url = format!("tcp://127.0.0.1:{}", echo());
    let paste = noise(300_000, 5);
    let out = console(&url, &[], &paste);
    same(&out, &paste);
    assert!(stderr(&out).contains("NOT ENCRYPTED"), "{}", stderr(&out));
}

#[test]
fn what_is_not_there_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    drop(listener);
    let out = console(&url, &[], b"");
    assert_eq!(out.status.code(), Some(3), "{}", stderr(&out));
    assert!(
        stderr(&out).contains("connection refused"),
        "{}",
        stderr(&out)
    );
    let out = console("file:/dev/null", &[], b"");
    assert_eq!(out.status.code(), Some(2), "{}", stderr(&out));
    assert!(
        stderr(&out).contains("no terminal device"),
        "{}",
        stderr(&out)
    );
    let out = console("ssh://bmc7", &[], b"");
    assert_eq!(out.status.code(), Some(2), "{}", stderr(&out));
}

#[test]
fn a_lost_line_is_opened_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        let mut heard = [0; 5];
        first.read_exact(&mut heard).unwrap();
        first.shutdown(Shutdown::Both).unwrap();
        let (mut second, _) = listener.accept().unwrap();
        second.write_all(b"back again").unwrap();
        let mut rest = Vec::new();
        second.read_to_end(&mut rest).unwrap();
        (heard, rest)
    });
    let out = console(&url, &["--quiet-after", "3s"], b"hello");
    let (heard, rest) = server.join().unwrap();
    assert_eq!(&heard, b"hello");
    assert_eq!(rest, b"", "what was typed for the old line");
    assert_eq!(stdout(&out), "back again", "{}", stderr(&out));
    assert!(
        stderr(&out).contains("trying again in 1 s"),
        "{}",
        stderr(&out)
    );
}

#[test]
fn a_real_telnetd() {
    let (Some(busybox), Some(socat)) = (oracle("busybox"), oracle("socat")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    // telnetd -i runs its program on a terminal for whoever is behind its stdin.
    let login = dir.path().join("login");
    std::fs::write(&login, "#!/bin/sh\nstty raw -echo\necho ready\nexec cat\n").unwrap();
    let done = Command::new("chmod")
        .arg("755")
        .arg(&login)
        .status()
        .unwrap();
    assert!(done.success());
    let telnetd = dir.path().join("telnetd");
    symlink(&busybox, &telnetd).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut server = Command::new(socat)
        .arg(format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr"))
        .arg(format!(
            "EXEC:{} -i -f /dev/null -l {}",
            telnetd.display(),
            login.display()
        ))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("telnet://127.0.0.1:{port}");
    let begun = loop {
        let mut child = at(&url, &[])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let shown = child.stdout.as_mut().unwrap();
        let mut greeting = Vec::new();
        while !greeting.ends_with(b"ready\n") {
            let mut byte = [0];
            if shown.read_exact(&mut byte).is_err() {
                break;
            }
            greeting.extend(byte);
        }
        if greeting.ends_with(b"ready\n") {
            break child;
        }
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), Some(3), "{}", stderr(&out));
        assert!(server.try_wait().unwrap().is_none(), "socat ended");
    };
    // This telnetd does not mark a return of the host, so that a zero behind it is taken for the mark.
    let mut paste = noise(100_000, 5);
    paste.retain(|byte| *byte != 0);
    let out = types_to(begun, &paste);
    let _ = server.kill();
    let _ = server.wait();
    same(&out, &paste);
}

#[test]
fn a_pseudo_terminal() {
    let pty = openpty(None, None).unwrap();
    let path = nix::unistd::ttyname(&pty.slave).unwrap();
    let mut host = File::from(pty.master);
    let mut back = host.try_clone().unwrap();
    std::thread::spawn(move || std::io::copy(&mut host, &mut back));
    let paste = noise(50_000, 5);
    let out = console(&format!("file:{}", path.display()), &[], &paste);
    same(&out, &paste);
}

/// One that asks on and on and takes no answer does not fill the memory.
#[test]
fn who_takes_no_answer_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("telnet://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // IAC DO and an option that nobody knows.
        let questions = [255, 253, 200].repeat(10_000);
        let mut asked = 0;
        while asked < 1 << 30 && stream.write_all(&questions).is_ok() {
            asked += questions.len();
        }
        asked
    });
    let out = console(&url, &["--no-reconnect", "--follow"], b"");
    assert_eq!(out.status.code(), Some(3), "{}", stderr(&out));
    assert!(stderr(&out).contains("takes nothing"), "{}", stderr(&out));
    assert!(server.join().unwrap() < 1 << 30);
}
