//! A seat at a console: what its holder reads and does. Dropping it leaves.

use std::sync::Arc;

use tokio::sync::watch;

use super::line::{Line, Member, Pending, Snapshot};
use super::news::{Happening, News};
use super::ring::Read;
use crate::hal::Error;
use crate::hal::model::MacAddr;

/// A seat.
pub struct Seat {
    line: Arc<Line>,
    number: u64,
    pulse: watch::Receiver<u64>,
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// What a reader gets next.
#[derive(Debug)]
pub enum Next {
    /// Something happened.
    Happened(Happening),
    /// The line is over: for this reason, unless it was closed.
    Over(Option<Arc<Error>>),
}

impl Seat {
    pub(super) fn new(line: Arc<Line>, number: u64) -> Self {
        let mut pulse = line.pulse.subscribe();
        pulse.mark_changed();
        Self {
            line,
            number,
            pulse,
        }
    }

    /// The BMC whose console it is.
    pub fn mac(&self) -> MacAddr {
        self.line.mac
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Who is in.
    pub fn snapshot(&self) -> Snapshot {
        self.line.snapshot()
    }

    /// The part that types, to be used beside the reading.
    pub fn pen(&self) -> Pen {
        Pen {
            line: Arc::clone(&self.line),
            number: self.number,
        }
    }

    /// What comes next. A call that is given up loses nothing.
    pub async fn next(&mut self) -> Next {
        loop {
            self.pulse.borrow_and_update();
            if let Some(next) = self.try_next() {
                return next;
            }
            // The line holds the sender, and we hold the line.
            if self.pulse.changed().await.is_err() {
                return Next::Over(None);
            }
        }
    }

    fn try_next(&self) -> Option<Next> {
        let mut guard = self.line.shared();
        let shared = &mut *guard;
        let Some(member) = shared
            .members
            .iter_mut()
            .find(|m| m.person.seat == self.number)
        else {
            return Some(Next::Over(None));
        };
        let news = |news| Some(Next::Happened(Happening::News(Arc::new(news))));
        match shared.ring.read(&mut member.cursor) {
            Read::Missed(n) => news(News::Missed(n)),
            Read::Entry(entry) => {
                if shared.ring.is_at_end(member.cursor) {
                    shared.forget();
                }
                drop(guard);
                self.line.has_moved(false);
                Some(Next::Happened(entry.what))
            }
            Read::Nothing if !member.mail.is_empty() => news(member.mail.remove(0)),
            Read::Nothing => {
                let over = shared.over.clone()?;
                Some(Next::Over(over.0))
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.line.leave(self.number);
    }
}

/// What a seat types with.
#[derive(Clone)]
pub struct Pen {
    line: Arc<Line>,
    number: u64,
}

impl std::fmt::Debug for Pen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pen")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Pen {
    /// Hands something to the line; waits while the BMC takes no more. Who does not write is told so, and nothing is
    /// sent; where nobody writes, who types does from then on.
    pub async fn put(&self, pending: Pending) {
        let Ok(place) = self.line.inputs.reserve().await else {
            // The end is on its way.
            return;
        };
        let mut shared = self.line.shared();
        let seat = self.number;
        let may = |m: &Member| m.person.seat == seat && !m.reads;
        if shared.writer.is_none() && shared.members.iter().any(may) {
            shared.give_pen(Some(seat));
        }
        let writes = shared.writer == Some(seat);
        // Nothing of a reader's is on its way: that is acknowledged at once.
        let mail = match (&pending, writes) {
            (_, true) => {
                place.send((self.number, pending));
                None
            }
            (Pending::Flush(number), false) => Some(News::Flushed(*number)),
            (Pending::Data(data), false) if data.is_empty() => None,
            (_, false) => Some(News::NotWriting),
        };
        if let Some(mail) = mail {
            let mut members = shared.members.iter_mut();
            if let Some(member) = members.find(|m| m.person.seat == self.number) {
                member.tell(mail);
            }
        }
        drop(shared);
        self.line.beat();
    }

    /// Writes from now on. Who did before, if anybody.
    pub fn take_over(&self) -> Option<Arc<str>> {
        let mut shared = self.line.shared();
        let before = shared.writer.filter(|seat| *seat != self.number);
        let before = before.and_then(|seat| shared.person(seat)).map(|p| p.who);
        if let Some(member) = shared
            .members
            .iter_mut()
            .find(|m| m.person.seat == self.number)
        {
            member.reads = false;
            shared.give_pen(Some(self.number));
        }
        drop(shared);
        self.line.beat();
        before
    }
}
