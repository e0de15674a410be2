//! People and scripts at a console, and hosts behind one.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::stderr;

/// Nothing here takes so long; it only ends a test that would wait for ever.
const PATIENCE: Duration = Duration::from_mins(2);

/// A program at a console, with a pipe: what it says, news and characters alike.
pub struct Visitor {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    said: mpsc::Receiver<Vec<u8>>,
    pub text: Vec<u8>,
}

impl Visitor {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, said) = mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for mut stream in streams {
            let to = to.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut buffer) {
                    if to.send(buffer[..n].to_vec()).is_err() {
                        return;
                    }
                }
            });
        }
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            said,
            text: Vec::new(),
        }
    }

    /// Waits until it says `text`, and forgets everything up to it.
    pub fn expect(&mut self, text: &str) {
        loop {
            let mut windows = self.text.windows(text.len());
            if let Some(at) = windows.position(|w| w == text.as_bytes()) {
                self.text.drain(..at + text.len());
                return;
            }
            match self.said.recv_timeout(PATIENCE) {
                Ok(bytes) => self.text.extend(bytes),
                Err(e) => panic!(
                    "no '{text}' ({e}) in: {}",
                    String::from_utf8_lossy(&self.text)
                ),
            }
        }
    }

    pub fn types(&mut self, text: &str) {
        self.stdin
            .as_mut()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    /// Leaves as with Ctrl-C.
    pub fn leaves(mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, Signal::SIGINT).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(130));
    }

    /// Its exit code, and what it said at last.
    pub fn ends(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        drop(self.stdin.take());
        while let Ok(bytes) = self.said.recv_timeout(PATIENCE) {
            self.text.extend(bytes);
        }
        (code, String::from_utf8_lossy(&self.text).into_owned())
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes of every kind, the same ones each time.
pub fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..bytes).map(|_| rng.u8(..)).collect()
}

/// Runs a program with this input, to its end.
pub fn pipe(mut command: Command, typed: &[u8]) -> Output {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    types_to(child, typed)
}

/// The same for one that runs already.
pub fn types_to(mut child: Child, typed: &[u8]) -> Output {
    let mut stdin = child.stdin.take().unwrap();
    let typed = typed.to_vec();
    let typing = std::thread::spawn(move || stdin.write_all(&typed));
    let out = child.wait_with_output().unwrap();
    // Where it ended before it read everything, that is shown by what it says.
    let _ = typing.join().unwrap();
    out
}

/// It went well, and exactly this came back.
pub fn same(out: &Output, wanted: &[u8]) {
    assert_eq!(out.status.code(), Some(0), "{}", stderr(out));
    let right = out.stdout.iter().zip(wanted).take_while(|(a, b)| a == b);
    let right = right.count();
    assert!(
        out.stdout == wanted,
        "{} of {} bytes, the first {right} right ({:?} instead of {:?}): {}",
        out.stdout.len(),
        wanted.len(),
        out.stdout.get(right.saturating_sub(4)..right + 8),
        wanted.get(right.saturating_sub(4)..right + 8),
        stderr(out)
    );
}

/// A host behind a TCP port of 127.0.0.1: it echoes.
pub fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut back = stream.try_clone().unwrap();
            std::thread::spawn(move || std::io::copy(&mut stream, &mut back));
        }
    });
    port
}
