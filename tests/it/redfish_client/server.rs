//! A server that answers as a test wants it to.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// What came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub head: String,
    pub body: String,
    /// Which connection, from 0.
    pub connection: usize,
}

/// What to do about it.
pub enum Do {
    /// Status, headers (`Name: value`), body.
    Answer(u16, Vec<String>, Vec<u8>),
    /// These bytes, and the end of the connection.
    Raw(Vec<u8>),
    /// A header, then this many bytes of body, piece by piece, until the client hangs up.
    Endless(u64),
    /// A header, then one byte a second.
    Drip,
    /// RST.
    Reset,
}

/// 200 with JSON.
pub fn ok(body: &str) -> Do {
    Do::Answer(200, Vec::new(), body.as_bytes().to_vec())
}

/// Another status with JSON.
pub fn status(status: u16, body: &str) -> Do {
    Do::Answer(status, Vec::new(), body.as_bytes().to_vec())
}

pub struct Server {
    pub address: SocketAddr,
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Serves plain HTTP with kept connections. `answer` gets the request and how many came before it.
    pub fn start(answer: impl Fn(&Seen, usize) -> Do + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self {
            address,
            url: format!("http://{address}"),
            seen: Arc::default(),
            stop: Arc::default(),
        };
        let (seen, stop) = (Arc::clone(&server.seen), Arc::clone(&server.stop));
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                let Ok(stream) = stream else { continue };
                std::thread::spawn(move || {
                    let _ = serve(&stream, number, &seen, &*answer);
                });
            }
        });
        server
    }

    /// Requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    stream: &TcpStream,
    connection: usize,
    seen: &Mutex<Vec<Seen>>,
    answer: &dyn Fn(&Seen, usize) -> Do,
) -> std::io::Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    let mut out = stream.try_clone()?;
    loop {
        let Some(request) = request(&mut input, connection)? else {
            return Ok(());
        };
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        match answer(&request, before) {
            Do::Answer(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
                for header in headers {
                    head.push_str(&header);
                    head.push_str("\r\n");
                }
                out.write_all(format!("{head}\r\n").as_bytes())?;
                out.write_all(&body)?;
            }
            Do::Raw(bytes) => {
                out.write_all(&bytes)?;
                return Ok(());
            }
            Do::Endless(length) => {
                out.write_all(
                    format!("HTTP/1.1 200 X\r\nContent-Length: {length}\r\n\r\n{{\"a\":\"")
                        .as_bytes(),
                )?;
                let piece = vec![b'x'; 1 << 16];
                for _ in 0..length / piece.len() as u64 {
                    out.write_all(&piece)?;
                }
            }
            Do::Drip => {
                out.write_all(b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n")?;
                loop {
                    out.write_all(b" ")?;
                    work_for(Duration::from_secs(1));
                }
            }
            Do::Reset => {
                let linger = libc::linger {
                    l_onoff: 1,
                    l_linger: 0,
                };
                nix::sys::socket::setsockopt(
                    &stream.as_fd(),
                    nix::sys::socket::sockopt::Linger,
                    &linger,
                )
                .unwrap();
                return Ok(());
            }
        }
    }
}

fn request(input: &mut impl BufRead, connection: usize) -> std::io::Result<Option<Seen>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let lower = head.to_ascii_lowercase();
    assert!(lower.contains("accept-encoding: identity"), "{head}");
    let length = lower
        .lines()
        .find_map(|l| l.strip_prefix("content-length:"))
        .map_or(0, |l| l.trim().parse().unwrap());
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    let mut words = head.split(' ');
    Ok(Some(Seen {
        method: words.next().unwrap().to_owned(),
        path: words.next().unwrap().to_owned(),
        body: String::from_utf8(body).unwrap(),
        head,
        connection,
    }))
}

/// A server that takes its time.
pub fn work_for(time: Duration) {
    let (_never, wait) = mpsc::channel::<()>();
    let _ = wait.recv_timeout(time);
}
