//! The context of one operation: until when, whether it was called off, and its id.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

/// An owned, sendable future: what the object-safe async traits return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who waits for an operation: people are served before refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Priority {
    /// A person or a program that asked for it.
    #[default]
    People,
    /// Housekeeping.
    Refresh,
}

/// Deadline, cancellation and id of one operation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cx {
    /// After this moment the operation has failed (reads stop, begun writes still finish).
    pub deadline: Instant,
    /// Set when the caller gives up.
    pub cancel: Cancel,
    /// Names the operation in logs.
    pub request_id: Arc<str>,
    /// Who waits for it.
    pub priority: Priority,
}

impl Cx {
    /// A context that ends at `deadline` and cannot be cancelled.
    pub fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            cancel: Cancel::new(),
            request_id: Arc::from(""),
            priority: Priority::People,
        }
    }

    /// The same operation with another cancel handle.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }
}

/// A cancel switch shared by everyone who works on one operation.
#[derive(Clone)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Cancel {
    /// A switch that is not set.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Sets the switch; it stays set.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Is it set?
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when the switch is set; for ever pending otherwise.
    pub async fn cancelled(&self) {
        let mut seen = self.0.subscribe();
        // The sender lives as long as self, so an error (sender gone) cannot come.
        let _ = seen.wait_for(|set| *set).await;
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_cancelled()).finish()
    }
}
