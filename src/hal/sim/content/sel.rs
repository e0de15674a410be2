//! Event log entries (§32), as bytes.

/// Length of an entry.
pub const ENTRY: usize = 16;

/// A system event record (type 0x02) of the BMC. Its id and time are set when it is added.
pub fn event(
    sensor_type: u8,
    sensor: u8,
    deasserted: bool,
    event_type: u8,
    data: [u8; 3],
) -> [u8; ENTRY] {
    let direction = if deasserted { 0x80 } else { 0 };
    let [d1, d2, d3] = data;
    [
        0,
        0,
        0x02,
        0,
        0,
        0,
        0,
        0x20,
        0x00,
        0x04,
        sensor_type,
        sensor,
        event_type & 0x7f | direction,
        d1,
        d2,
        d3,
    ]
}

/// What a server has in its log when it is started: `n` entries of all sorts, oldest first.
/// The time of entry `i` is `first + 61 * i` seconds (entries before the clock was set: seconds since start).
pub fn history(n: usize, first: u32, manufacturer: u32) -> Vec<[u8; ENTRY]> {
    let [m0, m1, m2, _] = manufacturer.to_le_bytes();
    let sorts: [[u8; ENTRY]; 16] = [
        event(0x10, 0x45, false, 0x6f, [0x02, 0xff, 0xff]), // log cleared
        event(0x22, 0x4a, false, 0x6f, [0x00, 0xff, 0xff]), // S0
        event(0x01, 0x01, false, 0x01, [0x57, 86, 85]), // CPU1 Temp, upper non-critical going high
        event(0x01, 0x01, true, 0x01, [0x57, 80, 85]),
        event(0x04, 0x11, false, 0x01, [0x52, 4, 5]), // FAN1, lower critical going low
        event(0x04, 0x11, true, 0x01, [0x52, 80, 5]),
        event(0x08, 0x40, false, 0x6f, [0x03, 0xff, 0xff]), // PSU1 input lost
        event(0x08, 0x40, true, 0x6f, [0x03, 0xff, 0xff]),
        event(0x05, 0x42, false, 0x6f, [0x00, 0xff, 0xff]), // chassis intrusion
        event(0x0c, 0x60, false, 0x6f, [0xa0, 0x01, 0x10]), // correctable ECC
        event(0x07, 0x43, false, 0x6f, [0x01, 0xff, 0xff]), // thermal trip
        event(0x12, 0x61, false, 0x6f, [0x05, 0x01, 0x00]), // clock synchronised
        event(0x23, 0x44, false, 0x6f, [0x01, 0xff, 0xff]), // watchdog: hard reset
        event(0x02, 0x20, false, 0x01, [0x59, 214, 213]),   // 12V, upper critical going high
        // OEM with time, OEM without.
        [0, 0, 0xc1, 0, 0, 0, 0, m0, m1, m2, 1, 2, 3, 4, 5, 6],
        [0, 0, 0xe2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    ];
    sorts
        .iter()
        .cycle()
        .take(n)
        .zip(0u32..)
        .map(|(entry, i)| {
            let time = if i < 2 { 10 + i } else { first + 61 * i };
            stamped(*entry, (i + 1) as u16, time)
        })
        .collect()
}

/// The entry with its id, and its time where the record type has one (all below 0xE0).
pub fn stamped(mut entry: [u8; ENTRY], id: u16, time: u32) -> [u8; ENTRY] {
    let [low, high] = id.to_le_bytes();
    let [t0, t1, t2, t3] = time.to_le_bytes();
    let [i0, i1, kind, s0, s1, s2, s3, ..] = &mut entry;
    (*i0, *i1) = (low, high);
    if *kind < 0xe0 {
        (*s0, *s1, *s2, *s3) = (t0, t1, t2, t3);
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_has_ids_and_rising_times() {
        let log = history(32, 1_700_000_000, 7154);
        assert_eq!(log.len(), 32);
        assert_eq!(log[31][..2], [32, 0]);
        assert_eq!(log[2][3..7], (1_700_000_000u32 + 122).to_le_bytes());
        assert_eq!(log[15][3], 0, "no time in a record of type 0xe2");
    }
}
