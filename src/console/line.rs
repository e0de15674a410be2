//! One line: what is shared by those who are in, and the task that moves characters between them and the BMC.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, watch};

use super::carrier::{Carrier, End};
use super::news::{Happening, News, Person, Stand};
use super::open::Opener;
use super::ring::{Cursor, Entry, Read, Ring};
use crate::discover::now;
use crate::hal::model::MacAddr;
use crate::hal::model::console::ConsoleOptions;
use crate::hal::{Error, Kind};
use crate::inventory::Record;

/// Chunks that somebody typed and that wait.
pub(super) const INPUTS: usize = 8;
/// From so much on that he has not read.
const BEHIND: u64 = super::ring::ROOM as u64 / 2;

/// What somebody does to the line.
#[derive(Debug)]
pub enum Pending {
    /// Typed characters.
    Data(Vec<u8>),
    /// A break.
    Break,
    /// Say when everything before is acknowledged.
    Flush(u64),
}

/// Who is in, at some moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// All who are in.
    pub people: Vec<Person>,
    /// The seat of who writes.
    pub writer: Option<u64>,
    /// How the line is.
    pub stand: Stand,
}

/// Somebody who is in, and how far he has read.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) person: Person,
    pub(super) cursor: Cursor,
    /// He will never write.
    pub(super) reads: bool,
    /// News for him alone.
    pub(super) mail: Vec<News>,
}

impl Member {
    /// Tells him alone; who does not read gets no more than a few.
    pub(super) fn tell(&mut self, news: News) {
        if self.mail.len() < 16 && self.mail.last() != Some(&news) {
            self.mail.push(news);
        }
    }
}

/// Why it is over.
#[derive(Debug, Clone)]
pub(super) struct Over(pub(super) Option<Arc<Error>>);

/// What all who are in share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) ring: Ring,
    pub(super) members: Vec<Member>,
    next: u64,
    pub(super) writer: Option<u64>,
    pub(super) stand: Stand,
    /// How far the history has read, where there is one.
    pub(super) tape: Option<Cursor>,
    /// Nobody comes in any more.
    closing: bool,
    pub(super) over: Option<Over>,
}

impl Shared {
    pub(super) fn tell(&mut self, news: News) {
        self.put(Happening::News(Arc::new(news)));
    }

    pub(super) fn put(&mut self, what: Happening) {
        // Nobody is there: nothing is kept.
        let to = self.slowest();
        self.ring.forget(to);
        self.ring.push(Entry { at: now(), what });
    }

    /// How far the slowest reader is.
    fn slowest(&self) -> Cursor {
        let all = self.members.iter().map(|m| m.cursor).chain(self.tape);
        all.min().unwrap_or_else(|| self.ring.end())
    }

    /// Forgets what everybody has read.
    pub(super) fn forget(&mut self) {
        let to = self.slowest();
        self.ring.forget(to);
    }

    /// What the history gets next; with it, when that happened.
    pub(super) fn read_tape(&mut self) -> Option<(u64, Result<Happening, u64>)> {
        let mut cursor = self.tape?;
        let read = self.ring.read(&mut cursor);
        self.tape = Some(cursor);
        match read {
            Read::Nothing => None,
            Read::Missed(n) => Some((now(), Err(n))),
            Read::Entry(entry) => Some((entry.at, Ok(entry.what))),
        }
    }

    pub(super) fn person(&self, seat: u64) -> Option<Person> {
        let member = self.members.iter().find(|m| m.person.seat == seat)?;
        Some(member.person.clone())
    }

    /// Lets a seat write. The news of it.
    pub(super) fn give_pen(&mut self, seat: Option<u64>) {
        if self.writer == seat {
            return;
        }
        let before = self.writer.and_then(|seat| self.person(seat));
        self.writer = seat;
        let now = seat.and_then(|seat| self.person(seat));
        self.tell(News::Writer { now, before });
    }
}

/// Why somebody does not get in.
pub(super) enum Shut {
    /// The line ends just now; the next one may be opened soon.
    Closing,
    Refused(Error),
}

/// A line.
pub(super) struct Line {
    pub(super) mac: MacAddr,
    shared: Mutex<Shared>,
    /// Grows with everything that happens.
    pub(super) pulse: watch::Sender<u64>,
    pub(super) inputs: mpsc::Sender<(u64, Pending)>,
    /// Somebody went, or has read.
    pub(super) moved: Notify,
    /// The single reader does not read.
    pub(super) waiting: AtomicBool,
    /// It stays open without people.
    pub(super) warm: AtomicBool,
    pub(super) stop: Notify,
}

impl Line {
    /// A line of a BMC, closed as yet, and what its task takes typed characters from.
    pub(super) fn new(mac: MacAddr, recorded: bool) -> (Arc<Self>, mpsc::Receiver<(u64, Pending)>) {
        let (inputs, typed) = mpsc::channel(INPUTS);
        let ring = Ring::default();
        let shared = Shared {
            tape: recorded.then(|| ring.end()),
            ring,
            members: Vec::new(),
            next: 1,
            writer: None,
            stand: Stand::Opening,
            closing: false,
            over: None,
        };
        let line = Self {
            mac,
            shared: Mutex::new(shared),
            pulse: watch::Sender::new(0),
            inputs,
            moved: Notify::new(),
            waiting: AtomicBool::new(false),
            warm: AtomicBool::new(false),
            stop: Notify::new(),
        };
        (Arc::new(line), typed)
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened: everybody looks.
    pub(super) fn beat(&self) {
        self.pulse.send_modify(|n| *n += 1);
    }

    /// Somebody went or has read.
    pub(super) fn has_moved(&self, gone: bool) {
        if gone || self.waiting.load(Ordering::Acquire) {
            self.moved.notify_one();
        }
    }

    /// Ends it for everybody.
    pub(super) fn close(&self) {
        self.warm.store(false, Ordering::Release);
        self.stop.notify_one();
    }

    /// Ends when the line is over.
    pub(super) async fn over(&self) {
        let mut pulse = self.pulse.subscribe();
        while self.shared().over.is_none() {
            if pulse.changed().await.is_err() {
                return;
            }
        }
    }

    /// Does nobody know yet whether it can be opened?
    pub(super) fn is_opening(&self) -> bool {
        self.shared().stand == Stand::Opening
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let shared = self.shared();
        Snapshot {
            people: shared.members.iter().map(|m| m.person.clone()).collect(),
            writer: shared.writer,
            stand: shared.stand.clone(),
        }
    }

    /// Gives somebody a seat.
    pub(super) fn join(&self, who: &str, wish: super::Wish) -> Result<u64, Shut> {
        use super::Wish;
        let mut shared = self.shared();
        if shared.closing || shared.over.is_some() {
            return Err(Shut::Closing);
        }
        let writer = shared.writer.and_then(|seat| shared.person(seat));
        if let (Wish::Write, Some(writer)) = (wish, &writer) {
            let what = format!("{} writes at the console of {}", writer.who, self.mac);
            let error =
                Error::new(Kind::Busy, what).with_hint("--read-only watches, --force takes over");
            return Err(Shut::Refused(error));
        }
        let seat = shared.next;
        shared.next += 1;
        let person = Person {
            seat,
            who: who.into(),
            since: now(),
        };
        // Who comes is told by his welcome what he would read in the news.
        shared.tell(News::Joined(person.clone()));
        let cursor = shared.ring.end();
        let reads = wish == Wish::Read;
        shared.members.push(Member {
            person,
            cursor,
            reads,
            mail: Vec::new(),
        });
        if wish == Wish::TakeOver || (!reads && writer.is_none()) {
            shared.give_pen(Some(seat));
            let end = shared.ring.end();
            if let Some(member) = shared.members.last_mut() {
                member.cursor = end;
            }
        }
        drop(shared);
        self.beat();
        Ok(seat)
    }

    /// Takes a seat back.
    pub(super) fn leave(&self, seat: u64) {
        let mut shared = self.shared();
        let Some(at) = shared.members.iter().position(|m| m.person.seat == seat) else {
            return;
        };
        let member = shared.members.remove(at);
        shared.tell(News::Left(member.person));
        if shared.writer == Some(seat) {
            shared.writer = None;
            shared.tell(News::Writer {
                now: None,
                before: None,
            });
        }
        drop(shared);
        self.beat();
        self.has_moved(true);
    }

    /// Nobody is in, and nobody comes any more?
    pub(super) fn is_deserted(&self) -> bool {
        let mut shared = self.shared();
        let deserted = shared.members.is_empty() && !self.warm.load(Ordering::Acquire);
        shared.closing |= deserted;
        deserted
    }

    /// Has the only reader so much to read that the BMC is to wait for him? With others there he just misses some.
    pub(super) fn is_behind(&self) -> bool {
        let shared = self.shared();
        match shared.members.as_slice() {
            [only] => shared.ring.unread(only.cursor) > BEHIND,
            _ => false,
        }
    }

    fn end(&self, error: Option<Error>) {
        let mut shared = self.shared();
        shared.closing = true;
        shared.over = Some(Over(error.map(Arc::new)));
        drop(shared);
        self.beat();
    }

    /// Opens the line and carries it until nobody is in, or it cannot be held.
    pub(super) async fn run(
        self: Arc<Self>,
        opener: Arc<dyn Opener>,
        mut row: Arc<Record>,
        mut options: ConsoleOptions,
        mut typed: mpsc::Receiver<(u64, Pending)>,
    ) {
        loop {
            let opening = opener.open(&row, options.clone());
            let upstream = tokio::select! {
                upstream = opening => upstream,
                () = self.deserted() => return self.end(None),
                () = self.stop.notified() => return self.end(None),
            };
            let carrier = match upstream {
                Ok(upstream) => Carrier::new(&self, upstream, &*opener, &row),
                Err(error) => return self.end(Some(error)),
            };
            match carrier.carry(&mut typed).await {
                End::Over(error) => return self.end(error),
                End::Moved(new) => {
                    let again_in = std::time::Duration::ZERO;
                    let why = "the BMC's row has changed".to_owned();
                    let mut shared = self.shared();
                    shared.stand = Stand::Lost { why, again_in };
                    let stand = shared.stand.clone();
                    shared.tell(News::Line(stand));
                    drop(shared);
                    self.beat();
                    // Who took the line by force keeps it.
                    options.steal = false;
                    row = new;
                }
            }
        }
    }

    async fn deserted(&self) {
        while !self.is_deserted() {
            self.moved.notified().await;
        }
    }
}
