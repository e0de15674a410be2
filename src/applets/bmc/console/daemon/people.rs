//! Who is in, as the visitor is told.

use crate::api::proto::{
    ConsoleLost, ConsoleNews, ConsoleSeat, ConsoleWelcome, console_news, console_welcome,
};
use crate::applets::bmc::console::direct::banner;
use crate::applets::bmc::console::visit::Event;

/// What is known of the others.
#[derive(Default)]
pub(super) struct People {
    mac: String,
    own: u64,
    writer: Option<ConsoleSeat>,
}

impl People {
    /// Words for who comes in.
    pub(super) fn welcome(&mut self, welcome: ConsoleWelcome) -> String {
        self.mac = welcome.mac;
        self.own = welcome.seat;
        let others: Vec<&str> = welcome
            .seats
            .iter()
            .filter(|s| s.id != self.own)
            .map(|s| s.who.as_str())
            .collect();
        let mut seats = welcome.seats.iter();
        self.writer = seats.find(|s| Some(s.id) == welcome.writer).cloned();
        let line = match welcome.line {
            Some(console_welcome::Line::Open(open)) => banner(&self.mac, &open.by, open.encrypted),
            Some(console_welcome::Line::Lost(l)) => format!("{}, ~. leaves", lost(&l)),
            None => format!("opening the console of {}, ~. leaves", self.mac),
        };
        let company = match others.as_slice() {
            [] => "nobody else is in".to_owned(),
            some => format!("with you: {}", some.join(", ")),
        };
        format!("{line}; {company}; {}", self.pen())
    }

    /// Who writes, in words.
    fn pen(&self) -> String {
        match &self.writer {
            Some(writer) if writer.id == self.own => "you write".to_owned(),
            Some(writer) => format!("{} writes, you read (~W takes over)", writer.who),
            None => "nobody writes".to_owned(),
        }
    }

    /// What there is to tell, if anything.
    pub(super) fn news(&mut self, news: ConsoleNews) -> Option<Event> {
        use console_news::What;
        let words = match news.what? {
            What::Open(open) => banner(&self.mac, &open.by, open.encrypted),
            What::Lost(l) => lost(&l),
            What::Joined(seat) => format!("{} came", seat.who),
            What::Left(seat) => format!("{} went", seat.who),
            What::Writer(change) => {
                let before = self.writer.take().map(|s| s.id);
                self.writer = change.writer;
                let own = Some(self.own);
                if before == own && self.writer.as_ref().map(|s| s.id) != own {
                    match &self.writer {
                        Some(writer) => {
                            format!("{} took over: you read (~W takes it back)", writer.who)
                        }
                        None => self.pen(),
                    }
                } else {
                    self.pen()
                }
            }
            What::Missed(n) => {
                format!("{n} characters are left out here: this terminal was too slow")
            }
            What::HostBreak(_) => "the host sent a break".to_owned(),
            What::Overrun(_) => "the BMC lost characters of the host".to_owned(),
            What::Gap(_) => "characters are missing here".to_owned(),
            What::Unacknowledged(n) => format!("{n} typed characters may not have arrived"),
            What::HostReady(true) => "the host takes characters".to_owned(),
            What::HostReady(false) => {
                "the host is off or in reset: it takes no characters".to_owned()
            }
            What::Flushed(number) => return Some(Event::Flushed(number)),
            What::NotWriting(_) => format!("nothing was sent: {}", self.pen()),
        };
        Some(Event::Words(words))
    }
}

fn lost(lost: &ConsoleLost) -> String {
    let seconds = lost.again_in.as_ref().map_or(0, |d| d.seconds);
    format!(
        "the line was lost: {}; trying again in {seconds} s",
        lost.why
    )
}
