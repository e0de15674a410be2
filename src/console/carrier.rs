//! The task of a line: moves characters between the BMC and those who are in.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::line::{Line, Pending};
use super::news::{Happening, News, Stand};
use super::open::{Opener, Upstream, leads_to_the_same};
use crate::hal::model::console::{ConsoleEvent, ConsoleInput, ConsoleNotice, ConsoleStream};
use crate::hal::{Error, Kind};
use crate::inventory::Record;

/// Longest chunk on the way to the BMC.
const PIECE: usize = 4096;
/// How long giving the line back may take.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long a single reader may keep the BMC waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the carrying of a line ends.
pub(super) enum End {
    /// For good.
    Over(Option<Error>),
    /// The BMC is to be found in another way now.
    Moved(Arc<Record>),
}

/// What the task of a line holds.
pub(super) struct Carrier<'a> {
    line: &'a Line,
    opener: &'a dyn Opener,
    /// The row that the line was opened by, and whether it is to be looked at again: a BMC that is lost may have moved,
    /// and another one may have its address.
    row: &'a Record,
    look: bool,
    by: Arc<str>,
    stream: ConsoleStream,
    /// Typed, cut into pieces, on its way.
    pieces: VecDeque<ConsoleInput>,
    /// Which seat wants to know when all is acknowledged, and under which number.
    flush: Option<(u64, u64)>,
    /// Until when the single reader is waited for.
    patience: Option<Instant>,
    _keep: Box<dyn Any + Send>,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(
        line: &'a Line,
        upstream: Upstream,
        opener: &'a dyn Opener,
        row: &'a Record,
    ) -> Self {
        Self {
            line,
            opener,
            row,
            look: false,
            by: upstream.by.into(),
            stream: upstream.stream,
            pieces: VecDeque::new(),
            flush: None,
            patience: None,
            _keep: upstream.keep,
        }
    }

    pub(super) async fn carry(mut self, typed: &mut mpsc::Receiver<(u64, Pending)>) -> End {
        let line = self.line;
        let input = self.stream.input.clone();
        let end = loop {
            if line.is_deserted() {
                break End::Over(None);
            }
            if std::mem::take(&mut self.look)
                && let Some(new) = self.opener.row(line.mac).await
                && !leads_to_the_same(self.row, &new)
            {
                break End::Moved(new);
            }
            let reads = self.may_read();
            let free = self.pieces.is_empty() && self.flush.is_none();
            let wait = self.patience.filter(|_| !reads);
            tokio::select! {
                () = line.stop.notified() => {
                    let error = Error::new(Kind::Other, "the daemon closed the console");
                    break End::Over(Some(error));
                }
                () = line.moved.notified() => {}
                () = async { match wait {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                } } => {}
                event = self.stream.events.recv(), if reads => match event {
                    Some(ConsoleEvent::Ended(error)) => {
                        let closed = || Error::new(Kind::Other, "the console was closed");
                        return End::Over(Some(error.unwrap_or_else(closed)));
                    }
                    Some(event) => self.happened(event),
                    None => {
                        let error = Error::new(Kind::Other, "the console ended without a word");
                        return End::Over(Some(error));
                    }
                },
                place = input.reserve(), if !self.pieces.is_empty() => match place {
                    Ok(place) => if let Some(piece) = self.pieces.pop_front() {
                        place.send(piece);
                    },
                    // The end is on its way.
                    Err(_) => self.pieces.clear(),
                },
                some = typed.recv(), if free => if let Some((seat, pending)) = some {
                    self.take(seat, pending);
                },
            }
        };
        // Gives the line back, and waits until the BMC has it.
        let ConsoleStream {
            mut events,
            input: last,
        } = self.stream;
        drop((last, input));
        let rest = async { while events.recv().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, rest).await;
        end
    }

    /// May more be taken from the BMC?
    fn may_read(&mut self) -> bool {
        if !self.line.is_behind() {
            self.patience = None;
            self.line.waiting.store(false, Ordering::Release);
            return true;
        }
        // From now on he says when he reads; he may just have done so.
        self.line.waiting.store(true, Ordering::Release);
        let until = *self
            .patience
            .get_or_insert_with(|| Instant::now() + PATIENCE);
        !self.line.is_behind() || until <= Instant::now()
    }

    fn take(&mut self, seat: u64, pending: Pending) {
        match pending {
            Pending::Data(data) => {
                let pieces = data.chunks(PIECE).map(|c| ConsoleInput::Data(c.to_vec()));
                self.pieces.extend(pieces);
            }
            Pending::Break => self.pieces.push_back(ConsoleInput::Break),
            Pending::Flush(number) => {
                self.pieces.push_back(ConsoleInput::Flush(number));
                self.flush = Some((seat, number));
            }
        }
    }

    fn happened(&mut self, event: ConsoleEvent) {
        let mut shared = self.line.shared();
        match event {
            ConsoleEvent::Data(data) => shared.put(Happening::Data(data.into())),
            ConsoleEvent::Drained(number) => {
                if let Some((seat, _)) = self.flush.take_if(|(_, n)| *n == number)
                    && let Some(member) = shared.members.iter_mut().find(|m| m.person.seat == seat)
                {
                    member.tell(News::Flushed(number));
                }
            }
            ConsoleEvent::Notice(ConsoleNotice::Open { encrypted, .. }) => {
                let by = Arc::clone(&self.by);
                self.look = matches!(shared.stand, Stand::Lost { .. });
                shared.stand = Stand::Open { by, encrypted };
                let stand = shared.stand.clone();
                shared.tell(News::Line(stand));
            }
            ConsoleEvent::Notice(notice) => shared.tell(News::Notice(notice)),
            ConsoleEvent::Lost { why, again_in } => {
                self.look = true;
                shared.stand = Stand::Lost { why, again_in };
                let stand = shared.stand.clone();
                shared.tell(News::Line(stand));
            }
            // Dealt with where it is received.
            ConsoleEvent::Ended(_) => {}
        }
        drop(shared);
        self.line.beat();
    }
}
