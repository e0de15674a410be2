//! A console over SSH: the connection up to the point where the console runs, and from there on.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{CHUNK, Line, News, Protocol, tcp};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ssh::{Client, Event, Settings};

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// Logs in and enters the console. `keys` hears the server's host key when it is proved, before the login. `leave` is
/// typed at the end, and instead of the protocol's break `breaks`.
pub async fn dial(
    to: SocketAddr,
    settings: Settings,
    leave: &'static [u8],
    breaks: Option<&'static [u8]>,
    keys: impl Fn(String) + Send,
) -> Result<Line> {
    let mut stream = tcp::connect(to).await?;
    let mut client = Client::new(settings)?;
    let early = match enter(&mut stream, &mut client, keys).await {
        Ok(early) => early,
        Err(error) => {
            // Also a server that has refused us is told that it is over.
            let _ = client.close();
            let _ = tokio::time::timeout(GOODBYE, stream.write_all(client.output())).await;
            return Err(error.context(format!("{to}")));
        }
    };
    Ok(Line {
        io: Box::new(stream),
        protocol: Box::new(Ssh {
            client,
            early,
            leave,
            breaks,
        }),
    })
}

async fn enter(
    stream: &mut TcpStream,
    client: &mut Client,
    keys: impl Fn(String),
) -> Result<VecDeque<News>> {
    let broke = |e: std::io::Error| {
        Error::new(Kind::Protocol, "SSH: the connection broke during the login").with_source(e)
    };
    let mut early = VecDeque::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        while !client.output().is_empty() {
            let n = stream.write(client.output()).await.map_err(broke)?;
            client.sent(n);
        }
        let n = stream.read(&mut buffer).await.map_err(broke)?;
        if n == 0 {
            let what = "SSH: the BMC closed the connection during the login";
            return Err(Error::new(Kind::Protocol, what));
        }
        client.receive(buffer.get(..n).unwrap_or_default())?;
        let mut open = false;
        while let Some(event) = client.event() {
            match event {
                Event::HostKey(key) => keys(key),
                Event::Open => open = true,
                other => early.extend(news(other)),
            }
        }
        if open {
            return Ok(early);
        }
        if early.iter().any(|news| matches!(news, News::Ended { .. })) {
            let what = "SSH: the BMC closed the console before it began";
            return Err(Error::new(Kind::Refused, what));
        }
    }
}

fn news(event: Event) -> Option<News> {
    Some(match event {
        Event::Data(data) => News::Data(data),
        Event::Pong => News::Pong,
        Event::Ended(why) => News::Ended {
            lost: !why.ends_with("status 0"),
            why,
        },
        Event::HostKey(_) | Event::Open => return None,
    })
}

/// The version that an SSH server says, without a login.
pub async fn greet(to: SocketAddr) -> Result<String> {
    let mut stream = tcp::connect(to).await?;
    let mut line = Vec::new();
    let mut buffer = [0; 255];
    while !line.contains(&b'\n') && line.len() < 2 * buffer.len() {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => line.extend(buffer.get(..n).unwrap_or_default()),
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&line);
    let version = text.lines().find(|line| line.starts_with("SSH-"));
    version.map(str::to_owned).ok_or_else(|| {
        Error::new(Kind::Unsupported, format!("{to}")).with_source("the port does not speak SSH")
    })
}

struct Ssh {
    client: Client,
    /// What came before it was open.
    early: VecDeque<News>,
    leave: &'static [u8],
    breaks: Option<&'static [u8]>,
}

impl Protocol for Ssh {
    fn receive(&mut self, bytes: &[u8]) -> Result<()> {
        self.client.receive(bytes)
    }

    fn output(&self) -> &[u8] {
        self.client.output()
    }

    fn sent(&mut self, n: usize) {
        self.client.sent(n);
    }

    fn news(&mut self) -> Option<News> {
        let early = self.early.pop_front();
        early.or_else(|| self.client.event().and_then(news))
    }

    fn write(&mut self, data: &[u8]) -> Result<usize> {
        self.client.write(data)
    }

    fn send_break(&mut self) -> Result<()> {
        match self.breaks {
            Some(keys) => self.client.write(keys).map(drop),
            None => self.client.send_break(),
        }
    }

    fn ping(&mut self) -> Result<bool> {
        self.client.ping().map(|()| true)
    }

    fn close(&mut self) -> Result<()> {
        self.client.write(self.leave)?;
        self.client.close()
    }

    fn is_encrypted(&self) -> bool {
        true
    }
}
