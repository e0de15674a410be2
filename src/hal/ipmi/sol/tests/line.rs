//! Two lines with a bad network between them. Time passes only from event to event.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::hal::ipmi::sol::line::{Event, Line, Timing};
use crate::hal::ipmi::wire::sol::{SolPacket, operation};

const MS: Duration = Duration::from_millis(1);

/// What the network does, in percent.
#[derive(Clone, Copy)]
struct Faults {
    loss: u8,
    duplication: u8,
    reordering: u8,
}

const CLEAN: Faults = Faults {
    loss: 0,
    duplication: 0,
    reordering: 0,
};
const BAD: Faults = Faults {
    loss: 30,
    duplication: 10,
    reordering: 20,
};

/// One end: what it has to say, what it heard.
struct End {
    line: Line,
    to_say: Vec<u8>,
    said: usize,
    heard: Vec<u8>,
    gaps: usize,
    unacknowledged: usize,
    flags: Vec<u8>,
    /// Session sequence numbers: of what it sends, and those that came.
    order: u32,
    seen: HashSet<u32>,
    /// Characters that it takes per packet.
    room: usize,
}

impl End {
    fn new(limit: usize, timing: Timing, to_say: Vec<u8>) -> Self {
        Self {
            line: Line::new(limit, 1, timing),
            to_say,
            said: 0,
            heard: Vec::new(),
            gaps: 0,
            unacknowledged: 0,
            flags: Vec::new(),
            order: 0,
            seen: HashSet::new(),
            room: usize::MAX,
        }
    }

    fn take(&mut self, now: Instant, order: u32, bytes: &[u8]) {
        // The session below lets each datagram through once.
        if !self.seen.insert(order) {
            return;
        }
        let packet = SolPacket::parse(bytes).unwrap();
        for event in self.line.handle(now, order, &packet, self.room) {
            match event {
                Event::Data(data) => self.heard.extend(data),
                Event::Gap => self.gaps += 1,
                Event::Flags(flags) => self.flags.push(flags),
                Event::Unacknowledged(_) => unreachable!("only by time"),
            }
        }
        self.line.release();
    }
}

struct Bed {
    start: Instant,
    now: Instant,
    rng: Rng,
    faults: Faults,
    ends: [End; 2],
    /// By time and number: to which end, with which order, what.
    air: BTreeMap<(Instant, u64), (usize, u32, Vec<u8>)>,
    sent: u64,
}

impl Bed {
    fn new(seed: u64, faults: Faults, ends: [End; 2]) -> Self {
        let start = Instant::now();
        Self {
            start,
            now: start,
            rng: Rng::with_seed(seed),
            faults,
            ends,
            air: BTreeMap::new(),
            sent: 0,
        }
    }

    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(0..100) < percent
    }

    fn send(&mut self, from: usize, bytes: &[u8]) {
        self.ends[from].order += 1;
        let order = self.ends[from].order;
        let copies = 1 + usize::from(self.chance(self.faults.duplication));
        for _ in 0..copies {
            if self.chance(self.faults.loss) {
                continue;
            }
            let late = self.chance(self.faults.reordering);
            let delay =
                MS * self.rng.u32(5..10) + MS * if late { self.rng.u32(0..3000) } else { 0 };
            self.sent += 1;
            self.air.insert(
                (self.now + delay, self.sent),
                (1 - from, order, bytes.to_vec()),
            );
        }
    }

    /// Until all was said and acknowledged, or nothing is left to happen.
    fn run(&mut self) {
        loop {
            for i in 0..2 {
                let end = &mut self.ends[i];
                let said = end.said;
                end.said += end.line.write(&end.to_say[said..]);
                if let Some(Event::Unacknowledged(n)) = end.line.handle_timeout(self.now) {
                    end.unacknowledged += n;
                }
                while let Some(packet) = self.ends[i].line.poll(self.now) {
                    self.send(i, &packet.to_vec());
                }
            }
            let arrival = self.air.keys().next().map(|(at, _)| *at);
            let timers = self.ends.iter().filter_map(|e| e.line.next_timeout());
            let Some(next) = timers.chain(arrival).min() else {
                return;
            };
            assert!(
                next > self.now || arrival == Some(next),
                "time stands still"
            );
            self.now = self.now.max(next);
            while let Some(entry) = self.air.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let (to, order, bytes) = entry.remove();
                self.ends[to].take(self.now, order, &bytes);
            }
            assert!(self.now - self.start < Duration::from_hours(48), "no end");
        }
    }
}

fn text(n: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    (0..n).map(|_| rng.u8(..)).collect()
}

fn patient() -> Timing {
    Timing {
        tries: 60,
        ..Timing::default()
    }
}

#[test]
fn a_megabyte_both_ways_through_a_bad_network_is_exact() {
    let (a, b) = (text(1 << 20, 1), text(1 << 20, 2));
    let ends = [
        End::new(243, patient(), a.clone()),
        End::new(243, patient(), b.clone()),
    ];
    let mut bed = Bed::new(3, BAD, ends);
    bed.run();
    assert!(bed.ends[0].heard == b && bed.ends[1].heard == a);
    for end in &bed.ends {
        assert_eq!((end.gaps, end.unacknowledged), (0, 0));
    }
}

#[test]
fn many_seeds_many_sizes() {
    for seed in 0..300 {
        let limit = [1, 7, 16, 200, 255][seed as usize % 5];
        let (a, b) = (text(600, seed), text(900, seed + 1000));
        let ends = [
            End::new(limit, patient(), a.clone()),
            End::new(255, patient(), b.clone()),
        ];
        let mut bed = Bed::new(seed, BAD, ends);
        // Readers that take only part of what comes.
        bed.ends[0].room = [usize::MAX, 1, 17][seed as usize % 3];
        bed.ends[1].room = [5, usize::MAX][seed as usize % 2];
        bed.run();
        assert!(
            bed.ends[0].heard == b && bed.ends[1].heard == a,
            "seed {seed}"
        );
        assert_eq!(bed.ends[0].gaps + bed.ends[1].gaps, 0, "seed {seed}");
    }
}

#[test]
fn what_is_lost_beyond_the_retries_is_told_and_nothing_comes_twice() {
    let hasty = Timing {
        tries: 2,
        ..Timing::default()
    };
    let mut lost = 0;
    for seed in 0..100 {
        // Every character tells its place: 4 bytes per packet, counted up.
        let a: Vec<u8> = (0..200u32).flat_map(u32::to_be_bytes).collect();
        let ends = [
            End::new(4, hasty, a.clone()),
            End::new(4, hasty, Vec::new()),
        ];
        let mut bed = Bed::new(seed, BAD, ends);
        bed.run();
        let heard: Vec<u32> = bed.ends[1]
            .heard
            .chunks(4)
            .map(|c| u32::from_be_bytes(c.try_into().unwrap()))
            .collect();
        assert!(heard.is_sorted_by(|x, y| x < y), "seed {seed}: {heard:?}");
        // The end of the text may be what is missing: only the sender can know that.
        let holes = heard.windows(2).filter(|w| w[1] != w[0] + 1).count();
        assert!(bed.ends[1].gaps >= holes, "seed {seed}");
        let missing = 4 * (200 - heard.len());
        assert!(bed.ends[0].unacknowledged >= missing, "seed {seed}");
        lost += missing;
    }
    assert!(lost > 0, "the network was too good to show anything");
}

#[test]
fn one_packet_at_a_time_and_the_number_goes_round_without_zero() {
    let ends = [
        End::new(1, Timing::default(), text(40, 1)),
        End::new(1, Timing::default(), Vec::new()),
    ];
    let mut bed = Bed::new(1, CLEAN, ends);
    bed.run();
    assert_eq!(bed.ends[1].heard, text(40, 1));
    assert_eq!(bed.ends[0].order, 40, "one datagram for each character");
    assert_eq!(bed.ends[1].order, 40, "one acknowledgement for each");
}

#[test]
fn a_repetition_is_byte_for_byte_under_the_same_number() {
    let now = Instant::now();
    let mut line = Line::new(10, 15, Timing::default());
    line.write(b"hello world");
    let first = line.poll(now).unwrap();
    assert_eq!(
        (first.sequence, first.data.as_slice()),
        (15, &b"hello worl"[..])
    );
    assert_eq!(line.poll(now), None);
    line.write(b"!");
    let due = line.next_timeout().unwrap();
    assert_eq!(due, now + Duration::from_secs(1));
    assert_eq!(line.poll(due).unwrap(), first);
    // Three were taken: the rest goes under the next number.
    let part = SolPacket {
        ack: 15,
        accepted: 3,
        ..SolPacket::default()
    };
    line.handle(due, 1, &part, 0);
    let rest = line.poll(due).unwrap();
    assert_eq!(
        (rest.sequence, rest.data.as_slice()),
        (1, &b"lo world!"[..])
    );
}

#[test]
fn not_taken_means_wait_until_released() {
    let now = Instant::now();
    let mut line = Line::new(10, 1, Timing::default());
    line.write(b"abc");
    line.poll(now).unwrap();
    let refusal = SolPacket {
        ack: 1,
        flags: operation::NACK,
        ..SolPacket::default()
    };
    line.handle(now, 1, &refusal, 0);
    assert_eq!(line.poll(now + MS), None);
    let release = SolPacket::default();
    line.handle(now + MS, 2, &release, 0);
    assert_eq!(line.poll(now + MS).unwrap().data, b"abc");
    // No release ever comes: it is tried again all the same.
    let refusal = SolPacket {
        ack: 2,
        flags: operation::NACK,
        ..SolPacket::default()
    };
    line.handle(now + MS, 3, &refusal, 0);
    let until = line.next_timeout().unwrap();
    assert_eq!(line.poll(until).unwrap().data, b"abc");
}

#[test]
fn a_late_packet_is_not_taken_for_a_new_one() {
    let now = Instant::now();
    let mut line = Line::new(10, 1, Timing::default());
    let packet = |sequence, data: &[u8]| SolPacket {
        sequence,
        data: data.to_vec(),
        ..SolPacket::default()
    };
    let data = |events: Vec<Event>| {
        let bytes = |e| match e {
            Event::Data(d) => Some(d),
            _ => None,
        };
        events
            .into_iter()
            .filter_map(bytes)
            .flatten()
            .collect::<Vec<u8>>()
    };
    assert_eq!(data(line.handle(now, 10, &packet(3, b"a"), 9)), b"a");
    assert_eq!(data(line.handle(now, 12, &packet(4, b"b"), 9)), b"b");
    assert_eq!(data(line.handle(now, 11, &packet(3, b"a"), 9)), b"");
    assert_eq!(data(line.handle(now, 13, &packet(4, b"b"), 9)), b"");
    let events = line.handle(now, 14, &packet(7, b"c"), 9);
    assert!(events.contains(&Event::Gap));
    assert_eq!(data(events), b"c");
}

#[test]
fn a_break_is_sent_until_it_is_acknowledged() {
    let now = Instant::now();
    let mut line = Line::new(10, 1, Timing::default());
    line.raise(operation::BREAK);
    let first = line.poll(now).unwrap();
    assert_eq!((first.sequence, first.flags), (1, operation::BREAK));
    let due = line.next_timeout().unwrap();
    assert_eq!(line.poll(due).unwrap(), first);
    let ack = SolPacket {
        ack: 1,
        ..SolPacket::default()
    };
    line.handle(due, 1, &ack, 0);
    assert!(line.is_idle());
    assert_eq!(line.next_timeout(), None);
}
