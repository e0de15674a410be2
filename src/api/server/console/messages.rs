//! News of a console as messages.

use crate::api::convert::millis;
use crate::api::proto::{
    ConsoleBreak, ConsoleLost, ConsoleNews, ConsoleOpen, ConsoleSeat, ConsoleWelcome,
    ConsoleWriter, console_news, console_welcome,
};
use crate::console::{News, Person, Snapshot, Stand};
use crate::hal::model::MacAddr;
use crate::hal::model::console::ConsoleNotice;

/// Somebody who is in.
pub(super) fn seat(person: &Person) -> ConsoleSeat {
    ConsoleSeat {
        id: person.seat,
        who: person.who.to_string(),
        since: Some(millis(person.since)),
    }
}

fn open(by: &str, encrypted: bool) -> ConsoleOpen {
    ConsoleOpen {
        by: by.to_owned(),
        encrypted,
    }
}

fn lost(why: &str, again_in: std::time::Duration) -> ConsoleLost {
    ConsoleLost {
        why: why.to_owned(),
        again_in: prost_types::Duration::try_from(again_in).ok(),
    }
}

/// What is said first.
pub(super) fn welcome(mac: MacAddr, number: u64, now: &Snapshot) -> ConsoleWelcome {
    let line = match &now.stand {
        Stand::Opening => None,
        Stand::Open { by, encrypted } => Some(console_welcome::Line::Open(open(by, *encrypted))),
        Stand::Lost { why, again_in } => Some(console_welcome::Line::Lost(lost(why, *again_in))),
    };
    ConsoleWelcome {
        mac: mac.to_string(),
        seat: number,
        seats: now.people.iter().map(seat).collect(),
        writer: now.writer,
        line,
    }
}

/// News, if they are any for a caller.
pub(super) fn news(news: &News) -> Option<ConsoleNews> {
    use console_news::What;
    let what = match news {
        News::Line(Stand::Opening) => return None,
        News::Line(Stand::Open { by, encrypted }) => What::Open(open(by, *encrypted)),
        News::Line(Stand::Lost { why, again_in }) => What::Lost(lost(why, *again_in)),
        News::Joined(person) => What::Joined(seat(person)),
        News::Left(person) => What::Left(seat(person)),
        News::Writer { now, before } => What::Writer(ConsoleWriter {
            writer: now.as_ref().map(seat),
            before: before.as_ref().map(seat),
        }),
        News::Missed(n) => What::Missed(*n),
        News::NotWriting => What::NotWriting(true),
        News::Flushed(number) => What::Flushed(*number),
        News::Notice(notice) => match notice {
            // Told as news of the line.
            ConsoleNotice::Open { .. } => return None,
            ConsoleNotice::Break => What::HostBreak(ConsoleBreak {}),
            ConsoleNotice::Overrun => What::Overrun(true),
            ConsoleNotice::Gap => What::Gap(true),
            ConsoleNotice::Unacknowledged(n) => What::Unacknowledged(*n as u64),
            ConsoleNotice::HostReady(ready) => What::HostReady(*ready),
        },
    };
    Some(ConsoleNews { what: Some(what) })
}
