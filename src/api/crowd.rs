//! How many may be at the door: strangers, of whom nothing is known yet, and seats for those who came in.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Strangers that are there at the same time. One more sends the oldest away, so that whoever comes is heard, however
/// many others only stand there.
#[derive(Debug)]
pub struct Crowd {
    most: usize,
    inner: Mutex<Strangers>,
}

#[derive(Debug, Default)]
struct Strangers {
    next: u64,
    there: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Crowd {
    /// At most `most`.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            inner: Mutex::default(),
        })
    }

    /// One more.
    pub fn enter(self: &Arc<Self>) -> Stranger {
        let (stay, leave) = oneshot::channel();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let number = inner.next;
        inner.next += 1;
        inner.there.insert(number, stay);
        if inner.there.len() > self.most {
            inner.there.pop_first();
        }
        Stranger {
            crowd: Arc::clone(self),
            number,
            leave,
        }
    }
}

/// A place among the strangers; free again when it is dropped.
#[derive(Debug)]
pub struct Stranger {
    crowd: Arc<Crowd>,
    number: u64,
    leave: oneshot::Receiver<()>,
}

impl Stranger {
    /// Ends when others need the place.
    pub async fn sent_away(&mut self) {
        let _ = (&mut self.leave).await;
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut inner = self
            .crowd
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        inner.there.remove(&self.number);
    }
}

/// So many for each, and so many for all together.
#[derive(Debug)]
pub struct Seats<K> {
    each: usize,
    all: usize,
    taken: Mutex<(usize, HashMap<K, usize>)>,
}

impl<K: Eq + Hash + Clone> Seats<K> {
    /// `each` for one, `all` together.
    pub fn new(each: usize, all: usize) -> Arc<Self> {
        Arc::new(Self {
            each,
            all,
            taken: Mutex::default(),
        })
    }

    /// A seat, where one is left.
    pub fn take(self: &Arc<Self>, who: K) -> Option<Seat<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, each) = &mut *taken;
        let mine = each.get(&who).copied().unwrap_or(0);
        if mine >= self.each || *all >= self.all {
            return None;
        }
        *all += 1;
        each.insert(who.clone(), mine + 1);
        Some(Seat {
            seats: Arc::clone(self),
            who,
        })
    }
}

/// A seat; free again when it is dropped.
#[derive(Debug)]
pub struct Seat<K: Eq + Hash> {
    seats: Arc<Seats<K>>,
    who: K,
}

impl<K: Eq + Hash> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self
            .seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (all, each) = &mut *taken;
        *all = all.saturating_sub(1);
        if let Some(mine) = each.get_mut(&self.who) {
            *mine = mine.saturating_sub(1);
            if *mine == 0 {
                each.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_is_heard_and_the_oldest_goes() {
        let crowd = Crowd::new(2);
        let (mut first, second) = (crowd.enter(), crowd.enter());
        let mut third = crowd.enter();
        first.sent_away().await;
        drop(second);
        let _fourth = crowd.enter();
        assert!(third.leave.try_recv().is_err());
        assert_eq!(crowd.inner.lock().unwrap().there.len(), 2);
        let _fifth = crowd.enter();
        third.sent_away().await;
    }

    #[test]
    fn seats_are_counted_for_each_and_for_all() {
        let seats = Seats::new(2, 3);
        let (a, b) = (seats.take("a"), seats.take("a"));
        assert!(a.is_some() && b.is_some() && seats.take("a").is_none());
        let _c = seats.take("b").unwrap();
        assert!(seats.take("b").is_none(), "all are taken");
        drop(a);
        assert!(seats.take("a").is_some());
        drop(b);
        assert_eq!(seats.taken.lock().unwrap().0, 1);
    }
}
