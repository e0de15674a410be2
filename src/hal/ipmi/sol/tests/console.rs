//! The console against the server, without a session between them: commands are answered by hand.

use std::time::{Duration, Instant};

use crate::hal::error::{Error, Kind};
use crate::hal::ipmi::cmd::app::{
    ActivatePayload, DeactivatePayload, GetPayloadInstanceInfo, GetSessionInfo, LanPeer,
    PayloadInstanceInfo, PrivilegeLevel, SessionEntry, SessionInfo, SessionSelector,
};
use crate::hal::ipmi::cmd::{Command, CompletionCode, Privilege};
use crate::hal::ipmi::codec::Reader;
use crate::hal::ipmi::exchange::{Request, Response};
use crate::hal::ipmi::sol::server::{Input, Manners, Server};
use crate::hal::ipmi::sol::{Console, Ended, Settings, Step, Timing};
use crate::hal::model::MacAddr;
use crate::hal::model::console::ConsoleNotice as Notice;

const ME: u8 = 7;
const OTHER: u8 = 3;

struct Bed {
    now: Instant,
    console: Console,
    server: Server,
    /// Completion codes for the next Activate Payload commands.
    codes: Vec<u8>,
    /// Highest privilege of the account.
    ceiling: Privilege,
    order: u32,
    heard: Vec<u8>,
    notices: Vec<Notice>,
    ended: Option<Ended>,
    log: Vec<&'static str>,
    auxiliary: Vec<u8>,
    /// Nothing gets through.
    cut: bool,
    /// The session that has the line is the console's own.
    is_ours: bool,
}

impl Bed {
    fn new(settings: Settings, manners: Manners) -> Self {
        Self {
            now: Instant::now(),
            console: Console::new(settings),
            server: Server::new(manners),
            codes: Vec::new(),
            ceiling: Privilege::Administrator,
            order: 0,
            heard: Vec::new(),
            notices: Vec::new(),
            ended: None,
            log: Vec::new(),
            auxiliary: Vec::new(),
            cut: false,
            is_ours: false,
        }
    }

    fn answer(&mut self, request: &Request) -> crate::hal::Result<Response> {
        self.log.push(request.name);
        if request.privilege > self.ceiling {
            return Err(Error::new(Kind::Privilege, request.name));
        }
        let mut r = Reader::new(&request.data);
        let mut data = Vec::new();
        let code = match request.cmd {
            ActivatePayload::CMD => {
                let command = ActivatePayload::decode(&mut r).unwrap();
                self.auxiliary.push(command.auxiliary[0]);
                if self.codes.is_empty() {
                    match self.server.activate(ME, command.auxiliary[0], 623) {
                        Ok(reply) => {
                            ActivatePayload::encode_reply(&reply, &mut data);
                            CompletionCode::OK
                        }
                        Err(code) => code,
                    }
                } else {
                    CompletionCode(self.codes.remove(0))
                }
            }
            DeactivatePayload::CMD => match self.server.deactivate(ME) {
                Ok(()) => CompletionCode::OK,
                Err(code) => code,
            },
            GetPayloadInstanceInfo::CMD => {
                let reply = PayloadInstanceInfo {
                    session: 0x1234,
                    specific: [0; 8],
                };
                GetPayloadInstanceInfo::encode_reply(&reply, &mut data);
                CompletionCode::OK
            }
            GetSessionInfo::CMD => {
                let command = GetSessionInfo::decode(&mut r).unwrap();
                let ours = command.session == SessionSelector::Present || self.is_ours;
                let reply = SessionInfo {
                    handle: if ours { ME } else { OTHER },
                    possible: 4,
                    active: 2,
                    entry: Some(SessionEntry {
                        user: 4,
                        privilege: PrivilegeLevel(4),
                        protocol: 1,
                        channel: 1,
                        peer: Some(LanPeer {
                            ip: [10, 0, 0, 9].into(),
                            mac: MacAddr([2, 0, 0, 0, 0, 9]),
                            port: 4711,
                        }),
                    }),
                };
                GetSessionInfo::encode_reply(&reply, &mut data);
                CompletionCode::OK
            }
            other => panic!("command {other:#x}"),
        };
        Ok(Response { code, data })
    }

    /// Until nothing happens at this moment.
    fn settle(&mut self) {
        loop {
            if let Some(step) = self.console.poll(self.now) {
                match step {
                    Step::Command { token, request } => {
                        let answer = self.answer(&request);
                        self.console.handle_reply(self.now, token, answer);
                    }
                    Step::Payload(bytes) if !self.cut => {
                        self.order += 1;
                        self.server.handle_payload(self.now, ME, self.order, &bytes);
                    }
                    Step::Payload(_) => {}
                    Step::Data(data) => self.heard.extend(data),
                    Step::Notice(notice) => self.notices.push(notice),
                    Step::Ended(why) => self.ended = Some(why),
                }
            } else if let Some((session, bytes)) = self.server.poll(self.now) {
                if session == ME && !self.cut {
                    self.order += 1;
                    self.console
                        .handle_payload(self.now, self.order, &bytes, usize::MAX);
                }
            } else {
                return;
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.settle();
            let timers = [self.console.next_timeout(), self.server.next_timeout()];
            let next = timers.into_iter().flatten().min().filter(|t| *t < end);
            self.now = next.unwrap_or(end).max(self.now);
            self.console.handle_timeout(self.now);
            if next.is_none() {
                self.settle();
                return;
            }
        }
    }

    fn failure(&self) -> &Error {
        match &self.ended {
            Some(Ended::Failed(error)) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn plain() -> Bed {
    Bed::new(Settings::default(), Manners::default())
}

#[test]
fn characters_go_both_ways_and_the_line_is_given_back() {
    let mut bed = plain();
    bed.settle();
    assert!(bed.console.is_open());
    assert_eq!(bed.auxiliary, [0xc6]);
    assert!(matches!(
        bed.notices[..],
        [Notice::Open {
            limit: 243,
            encrypted: true
        }]
    ));
    assert_eq!(bed.console.write(b"uptime\r"), 7);
    bed.console.send_break();
    bed.server.write(b"login: ");
    bed.settle();
    assert_eq!(bed.server.read(), Some(Input::Data(b"uptime\r".to_vec())));
    assert_eq!(bed.server.read(), Some(Input::Break));
    assert_eq!(bed.heard, b"login: ");
    assert!(bed.console.is_idle());
    bed.console.close();
    bed.settle();
    assert!(matches!(bed.ended, Some(Ended::Closed)));
    assert_eq!(bed.server.holder(), None);
}

#[test]
fn a_line_in_use_is_told_with_who_has_it() {
    let mut bed = plain();
    bed.server.activate(OTHER, 0, 623).unwrap();
    bed.settle();
    let error = bed.failure();
    assert_eq!(error.kind(), Kind::Busy);
    assert_eq!(
        error.chain(),
        "serial console: the line is in use by user 4 from 10.0.0.9"
    );
    assert_eq!(error.hint(), Some("--steal takes it over"));
    assert_eq!(bed.server.holder(), Some(OTHER));
}

/// ipmi_sim runs an Activate Payload that comes twice twice: when the answer to the first was lost, the second says that the
/// line is taken.
#[test]
fn a_line_that_is_ours_already_is_opened_again() {
    let mut bed = plain();
    bed.is_ours = true;
    bed.server.activate(ME, 0, 623).unwrap();
    bed.settle();
    assert!(bed.console.is_open());
    assert_eq!(bed.server.holder(), Some(ME));
    // One that never lets go.
    let mut bed = plain();
    bed.is_ours = true;
    bed.codes = vec![0x80; 10];
    bed.settle();
    assert_eq!(bed.failure().kind(), Kind::Busy);
}

#[test]
fn a_line_is_taken_over_when_asked_for_but_not_for_ever() {
    let steal = Settings {
        steal: true,
        ..Settings::default()
    };
    let mut bed = Bed::new(steal.clone(), Manners::default());
    bed.server.activate(OTHER, 0, 623).unwrap();
    bed.settle();
    assert!(bed.console.is_open());
    assert_eq!(bed.server.holder(), Some(ME));
    // One that says yes and never lets go.
    let mut bed = Bed::new(steal, Manners::default());
    bed.codes = vec![0x80; 10];
    bed.settle();
    assert_eq!(bed.failure().kind(), Kind::Busy);
    let tries = bed.log.iter().filter(|n| **n == ActivatePayload::NAME);
    assert_eq!(tries.count(), 4);
}

#[test]
fn refusals_are_told_in_words() {
    for (code, kind, words) in [
        (0x81, Kind::Refused, "switched off"),
        (0x82, Kind::Busy, "in use"),
        (0x83, Kind::Refused, "cannot encrypt"),
        (0x84, Kind::Refused, "encrypted session"),
        (0xc1, Kind::Unsupported, "serial console"),
    ] {
        let mut bed = plain();
        bed.codes = vec![code];
        bed.settle();
        assert_eq!(bed.failure().kind(), kind, "{code:#x}");
        assert!(bed.failure().chain().contains(words), "{code:#x}");
    }
}

#[test]
fn without_encryption_only_when_allowed() {
    let mute = Manners {
        encrypts: false,
        ..Manners::default()
    };
    let mut bed = Bed::new(Settings::default(), mute);
    bed.settle();
    assert_eq!(bed.failure().kind(), Kind::Refused);
    let mut bed = Bed::new(
        Settings {
            allow_plain: true,
            ..Settings::default()
        },
        mute,
    );
    bed.settle();
    assert!(matches!(
        bed.notices[..],
        [Notice::Open {
            encrypted: false,
            ..
        }]
    ));
    assert_eq!(bed.auxiliary, [0xc6, 0x46]);
}

#[test]
fn request_bits_and_privilege_are_stepped_down() {
    let mut bed = plain();
    bed.codes = vec![0xcc, 0xcc];
    bed.settle();
    assert!(bed.console.is_open());
    assert_eq!(bed.auxiliary, [0xc6, 0xc4, 0xc0]);
    let mut bed = plain();
    bed.ceiling = Privilege::User;
    bed.settle();
    assert!(bed.console.is_open());
    assert_eq!(bed.log, [ActivatePayload::NAME; 3]);
}

#[test]
fn sizes_that_cannot_be_true_are_not_believed() {
    for (told, limit) in [
        (247, 243),
        (247u16.swap_bytes(), 243),
        (0, 200),
        (0xffff, 200),
        (20, 16),
        (1024, 251),
    ] {
        let mut bed = Bed::new(
            Settings::default(),
            Manners {
                told_size: told,
                ..Manners::default()
            },
        );
        bed.settle();
        assert!(
            matches!(bed.notices[..], [Notice::Open { limit: l, .. }] if l == limit),
            "{told}: {:?}",
            bed.notices
        );
    }
}

#[test]
fn a_theft_is_heard_of_with_and_without_a_word() {
    let mut bed = plain();
    bed.settle();
    bed.server.deactivate(OTHER).unwrap();
    bed.settle();
    assert!(matches!(bed.ended, Some(Ended::Deactivated)));
    // Many BMCs say nothing to the victim: silence tells.
    let mut bed = Bed::new(
        Settings::default(),
        Manners {
            says_goodbye: false,
            ..Manners::default()
        },
    );
    bed.settle();
    bed.server.deactivate(OTHER).unwrap();
    bed.pass(Duration::from_mins(3));
    assert!(matches!(bed.ended, Some(Ended::Silent)));
}

#[test]
fn a_quiet_line_that_stands_is_left_alone() {
    let mut bed = plain();
    bed.pass(Duration::from_hours(1));
    assert!(bed.console.is_open());
    assert!(bed.ended.is_none());
    bed.server.write(b"still here");
    bed.settle();
    assert_eq!(bed.heard, b"still here");
}

#[test]
fn a_cut_wire_ends_it_and_says_what_is_unknown() {
    let mut bed = plain();
    bed.settle();
    bed.cut = true;
    bed.console.write(b"rm -rf /tmp/x\r");
    bed.pass(Duration::from_mins(5));
    assert!(matches!(bed.ended, Some(Ended::Silent)), "{:?}", bed.ended);
    assert!(bed.notices.contains(&Notice::Unacknowledged(14)));
}

#[test]
fn a_host_that_is_off_is_told_and_typing_waits_for_it() {
    let mut bed = plain();
    bed.settle();
    bed.server.set_unavailable(true);
    bed.console.write(b"early");
    bed.pass(Duration::from_secs(30));
    assert_eq!(bed.server.read(), None);
    assert!(bed.notices.contains(&Notice::HostReady(false)));
    bed.server.set_unavailable(false);
    bed.pass(Duration::from_secs(30));
    assert_eq!(bed.server.read(), Some(Input::Data(b"early".to_vec())));
    assert!(bed.notices.contains(&Notice::HostReady(true)));
}

#[test]
fn the_end_of_the_session_is_the_end() {
    let mut bed = plain();
    bed.settle();
    bed.console.write(b"x");
    bed.console.session_lost();
    assert_eq!(bed.console.unsent(), (0, Vec::new()));
    bed.settle();
    assert!(matches!(bed.ended, Some(Ended::SessionLost)));
}

#[test]
fn a_hasty_timing_is_possible() {
    let timing = Timing {
        tries: 2,
        ..Timing::default()
    };
    let settings = Settings {
        timing,
        probe: Duration::from_secs(5),
        ..Settings::default()
    };
    let mut bed = Bed::new(settings, Manners::default());
    bed.settle();
    bed.cut = true;
    bed.pass(Duration::from_secs(9));
    assert!(matches!(bed.ended, Some(Ended::Silent)));
}
