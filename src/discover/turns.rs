//! One at a time: who works on something keeps others waiting.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

/// Names that nobody holds any more are forgotten when there are more than these.
const FORGET: usize = 1024;

/// Locks by name.
pub struct Turns<K> {
    held: Mutex<HashMap<K, Weak<tokio::sync::Mutex<()>>>>,
    waiting: AtomicUsize,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self {
            held: Mutex::default(),
            waiting: AtomicUsize::new(0),
        }
    }
}

impl<K> fmt::Debug for Turns<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").finish_non_exhaustive()
    }
}

impl<K: Eq + Hash> Turns<K> {
    /// Waits until nobody else holds this name; the guard keeps others waiting.
    pub async fn take(&self, name: K) -> OwnedMutexGuard<()> {
        let lock = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            if held.len() > FORGET {
                held.retain(|_, lock| lock.strong_count() > 0);
            }
            if let Some(lock) = held.get(&name).and_then(Weak::upgrade) {
                lock
            } else {
                let lock = Arc::new(tokio::sync::Mutex::new(()));
                held.insert(name, Arc::downgrade(&lock));
                lock
            }
        };
        if let Ok(turn) = Arc::clone(&lock).try_lock_owned() {
            return turn;
        }
        let _waits = Waits::new(&self.waiting);
        lock.lock_owned().await
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Counts one who waits; also when he gives up.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn new(all: &'a AtomicUsize) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(all)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
