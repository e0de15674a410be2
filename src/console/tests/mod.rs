//! A hub with hosts that the tests play.

mod pace;
mod people;
mod recording;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Happening, Hub, Limits, News, Next, Opener, Pending, Seat, Upstream, Wish};
use crate::hal::model::console::{
    ConsoleEvent, ConsoleInput, ConsoleNotice, ConsoleOptions, ConsoleStream,
};
use crate::hal::model::{BoxFuture, MacAddr};
use crate::hal::{Error, Kind, Result};
use crate::inventory::Record;

const LONG: Duration = Duration::from_mins(1);

/// The BMC's end of a line.
struct Host {
    events: mpsc::Sender<ConsoleEvent>,
    input: mpsc::Receiver<ConsoleInput>,
    options: ConsoleOptions,
}

impl Host {
    async fn stands(&self) {
        let open = ConsoleNotice::Open {
            limit: 200,
            encrypted: true,
        };
        self.events.send(ConsoleEvent::Notice(open)).await.unwrap();
    }

    async fn says(&self, text: &[u8]) {
        self.events
            .send(ConsoleEvent::Data(text.to_vec()))
            .await
            .unwrap();
    }

    /// What is typed, as soon as there are so many characters.
    async fn hears(&mut self, n: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < n {
            match tokio::time::timeout(LONG, self.input.recv()).await.unwrap() {
                Some(ConsoleInput::Data(data)) => out.extend(data),
                other => panic!("{other:?}"),
            }
        }
        out
    }

    /// Waits until nobody is at the other end.
    async fn is_left(&mut self) {
        while let Some(input) = tokio::time::timeout(LONG, self.input.recv()).await.unwrap() {
            assert!(matches!(input, ConsoleInput::Data(d) if d.is_empty()));
        }
    }
}

/// Opens lines to hosts of the test.
struct Hosts {
    opened: mpsc::UnboundedSender<Host>,
    refusals: Mutex<VecDeque<Kind>>,
    /// The row as it is now.
    row: Mutex<Option<Arc<Record>>>,
}

impl Opener for Hosts {
    fn row(&self, _: MacAddr) -> BoxFuture<'_, Option<Arc<Record>>> {
        Box::pin(async { self.row.lock().unwrap().clone() })
    }

    fn open<'a>(
        &'a self,
        _: &'a Record,
        options: ConsoleOptions,
    ) -> BoxFuture<'a, Result<Upstream>> {
        Box::pin(async move {
            if let Some(kind) = self.refusals.lock().unwrap().pop_front() {
                return Err(Error::new(kind, "no console"));
            }
            let (events, from_host) = mpsc::channel(4);
            let (to_host, input) = mpsc::channel(4);
            let _ = self.opened.send(Host {
                events,
                input,
                options,
            });
            Ok(Upstream {
                stream: ConsoleStream {
                    events: from_host,
                    input: to_host,
                },
                by: "ipmi".to_owned(),
                keep: Box::new(()),
            })
        })
    }
}

/// A hub, and the hosts whose lines were opened.
struct Bed {
    hub: Arc<Hub>,
    opener: Arc<Hosts>,
    opened: mpsc::UnboundedReceiver<Host>,
    row: Arc<Record>,
}

impl Bed {
    fn new(recordings: Option<&Path>) -> Self {
        let (to, hosts) = mpsc::unbounded_channel();
        let opener = Arc::new(Hosts {
            opened: to,
            refusals: Mutex::default(),
            row: Mutex::default(),
        });
        let limits = Limits {
            each: 1 << 20,
            all: u64::MAX,
        };
        let recordings = recordings.map(|path| (path.to_owned(), limits));
        let mac: MacAddr = "ac:1f:6b:00:00:01".parse().unwrap();
        Self {
            hub: Hub::new(Arc::clone(&opener) as _, recordings),
            opener,
            opened: hosts,
            row: Arc::new(Record::new(mac)),
        }
    }

    async fn seat(&self, who: &str, wish: Wish) -> Seat {
        let options = ConsoleOptions::default();
        self.hub
            .attach(&self.row, who, wish, options)
            .await
            .unwrap()
    }

    async fn refused(&self, who: &str, wish: Wish) -> Error {
        let options = ConsoleOptions::default();
        self.hub
            .attach(&self.row, who, wish, options)
            .await
            .unwrap_err()
    }

    async fn host(&mut self) -> Host {
        tokio::time::timeout(LONG, self.opened.recv())
            .await
            .unwrap()
            .unwrap()
    }
}

async fn next(seat: &mut Seat) -> Next {
    tokio::time::timeout(LONG, seat.next())
        .await
        .expect("nothing came")
}

/// The next news.
async fn news(seat: &mut Seat) -> News {
    match next(seat).await {
        Next::Happened(Happening::News(news)) => (*news).clone(),
        other => panic!("{other:?}"),
    }
}

/// The next news, in words.
async fn told(seat: &mut Seat) -> String {
    news(seat).await.to_string()
}

/// So many characters.
async fn characters(seat: &mut Seat, n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while out.len() < n {
        match next(seat).await {
            Next::Happened(Happening::Data(data)) => out.extend_from_slice(&data),
            other => panic!("{other:?} after {} characters", out.len()),
        }
    }
    out
}

fn typed(text: &str) -> Pending {
    Pending::Data(text.as_bytes().to_vec())
}
