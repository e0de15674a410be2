//! What a reader of a shared console gets: characters of the host, and news of the line and of the people at it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::hal::model::console::ConsoleNotice;

/// Somebody who is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The number of his seat.
    pub seat: u64,
    /// Who he is, as in the audit log.
    pub who: Arc<str>,
    /// Since when, in milliseconds since 1970.
    pub since: u64,
}

/// How the line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// It is opened for the first time.
    Opening,
    /// It stands.
    Open {
        /// What carries it, e.g. `ipmi`.
        by: Arc<str>,
        /// Is it encrypted?
        encrypted: bool,
    },
    /// It was lost, and is opened again.
    Lost {
        /// Why.
        why: String,
        /// When it is tried again.
        again_in: Duration,
    },
}

/// Something that the readers have to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The line stands, or was lost.
    Line(Stand),
    /// Somebody came.
    Joined(Person),
    /// Somebody went.
    Left(Person),
    /// Somebody else writes now.
    Writer {
        /// Who; `None`: nobody.
        now: Option<Person>,
        /// Who was pushed aside.
        before: Option<Person>,
    },
    /// This reader was too slow: so many characters are left out here.
    Missed(u64),
    /// What this reader typed was dropped: he does not write.
    NotWriting,
    /// Everything that this reader typed before asking with this number is acknowledged.
    Flushed(u64),
    /// What the line itself tells.
    Notice(ConsoleNotice),
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(Stand::Opening) => f.write_str("the line is being opened"),
            Self::Line(Stand::Open { by, encrypted }) => {
                let plain = if *encrypted { "" } else { ", NOT ENCRYPTED" };
                write!(f, "the line stands, over {by}{plain}")
            }
            Self::Line(Stand::Lost { why, again_in }) => {
                let seconds = again_in.as_secs();
                write!(f, "the line was lost: {why}; trying again in {seconds} s")
            }
            Self::Joined(person) => write!(f, "{} came", person.who),
            Self::Left(person) => write!(f, "{} went", person.who),
            Self::Writer { now, before } => match (now, before) {
                (Some(now), Some(before)) => {
                    write!(f, "{} writes, in place of {}", now.who, before.who)
                }
                (Some(now), None) => write!(f, "{} writes", now.who),
                (None, _) => f.write_str("nobody writes"),
            },
            Self::Missed(n) => write!(f, "{n} characters are left out here"),
            Self::NotWriting => f.write_str("typed characters were dropped"),
            Self::Flushed(_) => f.write_str("all that was typed is acknowledged"),
            Self::Notice(notice) => match notice {
                ConsoleNotice::Open { .. } => f.write_str("the line stands"),
                ConsoleNotice::Break => f.write_str("the host sent a break"),
                ConsoleNotice::Overrun => f.write_str("the BMC lost characters of the host"),
                ConsoleNotice::Gap => f.write_str("characters are missing here"),
                ConsoleNotice::Unacknowledged(n) => {
                    write!(f, "{n} typed characters may not have arrived")
                }
                ConsoleNotice::HostReady(true) => f.write_str("the host takes characters"),
                ConsoleNotice::HostReady(false) => {
                    f.write_str("the host is off or in reset: it takes no characters")
                }
            },
        }
    }
}

/// One thing that a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// Characters of the host.
    Data(Arc<[u8]>),
    /// News.
    News(Arc<News>),
}
