//! The actor of one BMC: owns its session and its queue, and is the only one who talks to it.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Sleep;

use super::console::{ATTEMPT, Serial, Work};
use super::entropy::SeededEntropy;
use super::handle::{Job, Message, NONE, Remote, Reply};
use super::{Endpoint, Fleet, Memory};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::gate::Guard;
use crate::hal::ipmi::Response;
use crate::hal::ipmi::learnt::{Learnt, LearntCell};
use crate::hal::ipmi::session::{Output, Phase, Session};
use crate::hal::model::{Cancel, Priority};
use crate::hal::transport::Port;

/// A neighbour that did not answer in this time is not resolving any more.
const CONTACT: Duration = Duration::from_secs(1);

pub(super) struct Actor {
    addr: SocketAddr,
    port: Port,
    session: Session,
    inbox: mpsc::UnboundedReceiver<Message>,
    /// No handle is left.
    orphaned: bool,
    people: VecDeque<Job>,
    refreshes: VecDeque<Job>,
    in_flight: HashMap<u64, Reply>,
    serial: Option<Box<Serial>>,
    /// Session on which the console stands.
    serial_session: Option<u32>,
    keepalive: Option<Duration>,
    window: usize,
    linger: Duration,
    idle_since: Option<Instant>,
    contact: Contact,
    stop: Cancel,
    learnt: Arc<LearntCell>,
    /// Which password the last login was made with.
    proved: Arc<AtomicUsize>,
    recalled: Learnt,
    memory: Arc<dyn Memory>,
    _alive: Alive,
    open: Open,
}

/// The right to have an unresolved neighbour.
enum Contact {
    Needed(Arc<Semaphore>),
    Held {
        _place: OwnedSemaphorePermit,
        until: Instant,
    },
    Made,
}

impl Contact {
    /// Loopback has no neighbours to resolve.
    fn new(addr: SocketAddr, places: &Arc<Semaphore>) -> Self {
        if addr.ip().is_loopback() {
            Self::Made
        } else {
            Self::Needed(Arc::clone(places))
        }
    }
}

/// Counts this actor as alive; also when it panics.
struct Alive(Arc<watch::Sender<usize>>);

impl Alive {
    fn new(live: &Arc<watch::Sender<usize>>) -> Self {
        live.send_modify(|n| *n += 1);
        Self(Arc::clone(live))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}

/// Counts the session of this actor as long as it is open; also when it panics.
struct Open {
    all: Arc<AtomicUsize>,
    mine: bool,
}

impl Open {
    fn set(&mut self, open: bool) {
        match (self.mine, open) {
            (false, true) => self.all.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.all.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
        self.mine = open;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// What woke the actor.
enum Event {
    Datagram(io::Result<Vec<u8>>),
    Message(Option<Message>),
    Timer,
    /// A place for the first contact.
    Place(OwnedSemaphorePermit),
    /// The reader of the console did something.
    Console,
    Stop,
}

/// Tells the console's tokens from those of callers.
const OF_CONSOLE: u64 = 1 << 63;
/// Well below the 60 s after which BMCs end a session.
const CONSOLE_KEEPALIVE: Duration = Duration::from_secs(20);

impl Actor {
    pub(super) fn start(
        fleet: &Fleet,
        endpoint: &Endpoint,
        port: Port,
        guard: Option<Guard>,
    ) -> Result<Arc<Remote>> {
        let recalled = fleet.memory.recall(endpoint.addr);
        let learnt = Arc::new(LearntCell::new(recalled.clone()));
        let mut config = endpoint.session.clone();
        if endpoint.pin_suite {
            config.pinned = recalled.suite;
        }
        config.quirks = recalled.quirks.clone();
        config.window = recalled.window.unwrap_or(config.window).clamp(1, 8);
        let window = usize::from(config.window);
        let proved = Arc::new(AtomicUsize::new(NONE));
        let keepalive = config.keepalive;
        let (sender, inbox) = mpsc::unbounded_channel();
        let actor = Self {
            addr: endpoint.addr,
            port,
            session: Session::new(config, Box::new(SeededEntropy::from_kernel()?)),
            inbox,
            orphaned: false,
            people: VecDeque::new(),
            refreshes: VecDeque::new(),
            in_flight: HashMap::new(),
            serial: None,
            serial_session: None,
            keepalive,
            window,
            linger: endpoint.linger,
            idle_since: None,
            contact: Contact::new(endpoint.addr, &fleet.contacts),
            stop: fleet.stop.clone(),
            learnt: Arc::clone(&learnt),
            proved: Arc::clone(&proved),
            recalled,
            memory: Arc::clone(&fleet.memory),
            _alive: Alive::new(&fleet.live),
            open: Open {
                all: Arc::clone(&fleet.sessions),
                mine: false,
            },
        };
        tokio::spawn(actor.run());
        Ok(Arc::new(Remote {
            addr: endpoint.addr,
            config: endpoint.session.clone(),
            learnt,
            proved,
            recorder: fleet.recorder.clone(),
            // Several passwords: who searches asks the gate for each.
            guard: guard.filter(|_| endpoint.session.alternatives.is_empty()),
            login: tokio::sync::Mutex::new(()),
            inbox: sender,
            next_token: AtomicU64::new(0),
        }))
    }

    async fn run(mut self) {
        let mut sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
        let stop = self.stop.clone();
        let mut stopping = false;
        loop {
            loop {
                self.feed();
                self.drain();
                self.serve_console();
                // An answer makes room for the next job.
                if !self.has_room() {
                    break;
                }
            }
            if self.orphaned && self.idle_since.is_some() && self.session.phase() == Phase::Active {
                self.session.close(Instant::now());
                self.drain();
            }
            let quiet = self.session.phase() == Phase::Idle;
            if (stopping || self.orphaned && self.queues_empty())
                && quiet
                && self.in_flight.is_empty()
                && (stopping || self.serial.is_none())
            {
                break;
            }
            self.open.set(self.session.phase() == Phase::Active);
            let event = self.next_event(&mut sleep, &stop, stopping).await;
            let now = Instant::now();
            match event {
                Event::Datagram(Ok(bytes)) => {
                    self.contact = Contact::Made;
                    self.session.handle_datagram(now, &bytes);
                }
                Event::Datagram(Err(_)) => {
                    self.contact = Contact::Made;
                    self.session.handle_refused(now);
                }
                Event::Message(Some(message)) => {
                    self.accept(now, message);
                    // What comes after the end was called would open a session again.
                    if stopping {
                        self.refuse_queue("halbox is ending");
                    }
                }
                Event::Message(None) => self.orphaned = true,
                Event::Timer => self.tick(now),
                Event::Place(permit) => {
                    self.contact = Contact::Held {
                        _place: permit,
                        until: now + CONTACT,
                    }
                }
                // What the reader did is done in the next round.
                Event::Console => {}
                Event::Stop => {
                    stopping = true;
                    if let Some(serial) = &mut self.serial {
                        serial.close();
                        self.serve_console();
                        self.feed();
                    }
                    self.refuse_queue("halbox is ending");
                    self.session.close(now);
                }
            }
        }
        self.memorise();
    }

    async fn next_event(
        &mut self,
        sleep: &mut Pin<Box<Sleep>>,
        stop: &Cancel,
        stopping: bool,
    ) -> Event {
        let wake = self.wake_at();
        if let Some(at) = wake {
            sleep.as_mut().reset(at.into());
        }
        // Too many unresolved neighbours make the kernel drop them all: the first contact waits for a place.
        let places = match &self.contact {
            Contact::Needed(places) if !stopping && !self.queues_empty() => {
                Some(Arc::clone(places))
            }
            _ => None,
        };
        tokio::select! {
            biased;
            datagram = self.port.recv() => Event::Datagram(datagram),
            message = self.inbox.recv(), if !self.orphaned => Event::Message(message),
            () = async { if wake.is_some() { sleep.as_mut().await } else { pending().await } } => Event::Timer,
            place = acquire(places) => Event::Place(place),
            () = async { match &mut self.serial {
                Some(serial) => serial.next().await,
                None => pending().await,
            } } => Event::Console,
            () = stop.cancelled(), if !stopping => Event::Stop,
        }
    }

    fn accept(&mut self, now: Instant, message: Message) {
        match message {
            Message::Submit(job) => match job.priority {
                Priority::People => self.people.push_back(*job),
                Priority::Refresh => self.refreshes.push_back(*job),
            },
            Message::Cancel(token) => {
                let queued = [&mut self.people, &mut self.refreshes]
                    .into_iter()
                    .find_map(|queue| {
                        let at = queue.iter().position(|job| job.token == token)?;
                        queue.remove(at)
                    });
                match queued {
                    Some(job) => {
                        self.answer(
                            job.token,
                            job.reply,
                            Err(Error::new(Kind::Cancelled, job.request.name)),
                        );
                    }
                    None => self.session.cancel(now, token),
                }
            }
            Message::Expect(level) => self.session.expect(level),
            Message::Console(serial) => {
                if self.serial.is_some() {
                    let error = Error::new(Kind::Busy, "the console of this BMC is open here");
                    serial.refuse(error);
                } else {
                    self.serial = Some(serial);
                    self.session.set_keepalive(Some(CONSOLE_KEEPALIVE));
                }
            }
        }
    }

    /// Does what the console wants done.
    fn serve_console(&mut self) {
        let now = Instant::now();
        while let Some(work) = self.serial.as_mut().and_then(|serial| serial.work(now)) {
            match work {
                Work::Command { token, request } => self.people.push_back(Job {
                    token: token | OF_CONSOLE,
                    request,
                    deadline: now + ATTEMPT,
                    priority: Priority::People,
                    reply: Reply::Console,
                }),
                Work::Payload(bytes) => {
                    self.session.send_sol(now, &bytes);
                    self.drain();
                }
            }
        }
        if self.serial.as_ref().is_some_and(|serial| serial.is_over()) {
            self.serial = None;
            self.serial_session = None;
            self.session.set_keepalive(self.keepalive);
            self.note_idle();
        }
    }

    /// The session under the console is another one now, or none.
    fn session_changed(&mut self, managed: Option<u32>) {
        if let Some(serial) = &mut self.serial
            && serial.stands()
            && self.serial_session != managed
        {
            serial.session_lost();
        }
        self.serial_session = managed;
    }

    /// Hands an answer to whoever waits for it.
    fn answer(&mut self, token: u64, reply: Reply, result: Result<Response>) {
        match reply {
            // The caller may be gone: then nobody wants to know.
            Reply::Caller(caller) => drop(caller.send(result)),
            Reply::Console => {
                if let Some(serial) = &mut self.serial {
                    serial.handle_reply(Instant::now(), token & !OF_CONSOLE, result);
                }
            }
        }
    }

    /// Hands queued jobs to the session while it has room, people's first.
    fn feed(&mut self) {
        if matches!(self.contact, Contact::Needed(_)) {
            return;
        }
        let now = Instant::now();
        while self.in_flight.len() < self.window {
            let Some(job) = self
                .people
                .pop_front()
                .or_else(|| self.refreshes.pop_front())
            else {
                break;
            };
            if matches!(&job.reply, Reply::Caller(caller) if caller.is_closed()) {
                continue;
            }
            self.in_flight.insert(job.token, job.reply);
            self.session
                .submit(now, job.token, job.request, job.deadline);
        }
    }

    fn has_room(&self) -> bool {
        !matches!(self.contact, Contact::Needed(_))
            && !self.queues_empty()
            && self.in_flight.len() < self.window
    }

    /// Does everything that the session asks for.
    fn drain(&mut self) {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Send(bytes) => {
                    if let Err(error) = self.port.send(&bytes) {
                        // A lost datagram to the session: its timers decide.
                        log::debug!("{}: send: {error}", self.addr);
                    }
                }
                Output::Reply { token, response } => self.finish(token, Ok(response)),
                Output::Failed { token, error } => self.finish(token, Err(error)),
                Output::Sol { order, bytes } => {
                    if let Some(serial) = &mut self.serial {
                        serial.handle_payload(Instant::now(), order, &bytes);
                    }
                }
                Output::Active(info) => {
                    self.proved.store(info.password, Ordering::Release);
                    self.learnt.update(|l| l.suite = info.suite.or(l.suite));
                    self.session_changed(Some(info.managed_id));
                }
                Output::Closed => {
                    self.session_changed(None);
                    self.memorise();
                }
            }
        }
        self.note_idle();
    }

    /// Since when nobody wants anything.
    fn note_idle(&mut self) {
        let busy = !self.in_flight.is_empty() || !self.queues_empty() || self.serial.is_some();
        self.idle_since = if busy {
            None
        } else {
            self.idle_since.or_else(|| Some(Instant::now()))
        };
    }

    fn finish(&mut self, token: u64, result: Result<Response>) {
        if let Some(reply) = self.in_flight.remove(&token) {
            self.answer(token, reply, result);
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Contact::Held { until, .. } = &self.contact
            && *until <= now
        {
            self.contact = Contact::Made;
        }
        self.expire(now);
        if self.session.next_timeout().is_some_and(|at| at <= now) {
            self.session.handle_timeout(now);
        }
        if self
            .idle_since
            .is_some_and(|since| since + self.linger <= now)
            && self.session.phase() == Phase::Active
        {
            self.session.close(now);
        }
    }

    /// Queued jobs whose time is over never reached the BMC.
    fn expire(&mut self, now: Instant) {
        let mut late = Vec::new();
        for queue in [&mut self.people, &mut self.refreshes] {
            while let Some(at) = queue.iter().position(|job| job.deadline <= now) {
                late.extend(queue.remove(at));
            }
        }
        for job in late {
            let error = Error::new(Kind::Timeout, job.request.name)
                .with_source("the BMC was busy with other operations until the deadline");
            self.answer(job.token, job.reply, Err(error));
        }
    }

    fn refuse_queue(&mut self, why: &'static str) {
        let refused: Vec<Job> = self
            .people
            .drain(..)
            .chain(self.refreshes.drain(..))
            .collect();
        for job in refused {
            let error = Error::new(Kind::Cancelled, job.request.name).with_source(why);
            self.answer(job.token, job.reply, Err(error));
        }
    }

    /// When something is due without anybody's doing.
    fn wake_at(&self) -> Option<Instant> {
        let idle = self
            .idle_since
            .filter(|_| self.session.phase() == Phase::Active)
            .map(|since| since + self.linger);
        let contact = match &self.contact {
            Contact::Held { until, .. } => Some(*until),
            Contact::Needed(_) | Contact::Made => None,
        };
        let queued = self
            .people
            .iter()
            .chain(&self.refreshes)
            .map(|job| job.deadline)
            .min();
        let serial = self.serial.as_ref().and_then(|s| s.next_timeout());
        [self.session.next_timeout(), idle, contact, queued, serial]
            .into_iter()
            .flatten()
            .min()
    }

    fn queues_empty(&self) -> bool {
        self.people.is_empty() && self.refreshes.is_empty()
    }

    fn memorise(&mut self) {
        let learnt = self.learnt.snapshot();
        if learnt != self.recalled {
            self.memory.remember(self.addr, &learnt);
            self.recalled = learnt;
        }
    }
}

async fn acquire(places: Option<Arc<Semaphore>>) -> OwnedSemaphorePermit {
    match places.map(Semaphore::acquire_owned) {
        // The semaphore is never closed.
        Some(place) => match place.await {
            Ok(permit) => permit,
            Err(_) => pending().await,
        },
        None => pending().await,
    }
}
