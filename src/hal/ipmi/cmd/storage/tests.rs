use std::fmt::Debug;

use proptest::prelude::*;

use super::*;
use crate::hal::ipmi::cmd::Command;
use crate::hal::ipmi::codec::hex;

/// Request and reply survive the wire, and no truncation of either panics; with `strict` each is an error.
fn both_ways<C>(command: &C, reply: &C::Reply, strict: bool)
where
    C: Command + PartialEq,
    C::Reply: PartialEq,
{
    let mut request = Vec::new();
    command.encode(&mut request);
    let read = C::decode(&mut Reader::new(&request));
    assert_eq!(read.as_ref(), Ok(command));
    let mut answer = Vec::new();
    C::encode_reply(reply, &mut answer);
    let read = command.decode_reply(&mut Reader::new(&answer));
    assert_eq!(read.as_ref(), Ok(reply));
    for cut in 0..request.len() {
        let short = C::decode(&mut Reader::new(&request[..cut]));
        assert!(short.is_err() || !strict, "{} of {cut} bytes", C::NAME);
    }
    for cut in 0..answer.len() {
        let short = command.decode_reply(&mut Reader::new(&answer[..cut]));
        assert!(short.is_err() || !strict, "{} reply of {cut}", C::NAME);
    }
    answer.extend([0xaa; 40]);
    let longer = command.decode_reply(&mut Reader::new(&answer));
    assert!(longer.is_ok(), "{}: excess bytes refused", C::NAME);
}

fn golden<C: Command + PartialEq>(command: &C, request: &str, answer: &str) -> C::Reply
where
    C::Reply: Debug,
{
    let mut out = Vec::new();
    command.encode(&mut out);
    assert_eq!(hex(&out), request, "{}", C::NAME);
    let bytes: Vec<u8> = answer
        .as_bytes()
        .chunks(2)
        .map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap())
        .collect();
    let reply = command.decode_reply(&mut Reader::new(&bytes)).unwrap();
    let mut back = Vec::new();
    C::encode_reply(&reply, &mut back);
    assert_eq!(hex(&back), answer, "{} reply", C::NAME);
    reply
}

#[test]
fn golden_bytes() {
    let area = golden(&GetFruInventoryAreaInfo { device: 0 }, "00", "000200");
    assert_eq!((area.size, area.words), (512, false));
    let read = golden(
        &ReadFruData {
            device: 1,
            offset: 0x1234,
            count: 8,
        },
        "01341208",
        "080100000105000cf1",
    );
    assert_eq!((read.count, read.data.len()), (8, 8));
    golden(
        &WriteFruData {
            device: 0,
            offset: 16,
            data: vec![1, 2],
        },
        "0010000102",
        "02",
    );
    let info = golden(&GetSdrRepositoryInfo, "", "511900ffff785634120000000027");
    assert_eq!((info.count, info.addition), (25, 0x1234_5678));
    golden(&ReserveSdrRepository, "", "0100");
    let sdr = golden(
        &GetSdr {
            reservation: 1,
            record: 2,
            offset: 5,
            count: 0xff,
        },
        "0100020005ff",
        "ffff2000",
    );
    assert_eq!((sdr.next, sdr.data.len()), (LAST_RECORD, 2));
    golden(&GetSdrRepositoryTime, "", "00000065");
    golden(&SetSdrRepositoryTime { time: 1 }, "01000000", "");
    let entry = golden(
        &GetSelEntry::whole(FIRST_RECORD),
        "0000000000ff",
        "0200010002f1d2d65f20000401010150ff55",
    );
    assert_eq!((entry.next, entry.data.len()), (2, 16));
    golden(&ReserveSel, "", "2a00");
    let clear = ClearSel {
        reservation: 0x2a,
        action: EraseAction::Initiate,
    };
    assert_eq!(
        golden(&clear, "2a00434c52aa", "01"),
        EraseProgress::Completed
    );
    let status = ClearSel {
        reservation: 0x2a,
        action: EraseAction::Status,
    };
    assert_eq!(
        golden(&status, "2a00434c5200", "00"),
        EraseProgress::InProgress
    );
    golden(&GetSelTime, "", "ffffffff");
    assert_eq!(golden(&GetSelTimeUtcOffset, "", "c4ff"), -60);
    golden(&SetSelTimeUtcOffset { minutes: -60 }, "c4ff", "");
    golden(&AddSelEntry { record: [0; 16] }, &"00".repeat(16), "0100");
    golden(
        &DeleteSelEntry {
            reservation: 1,
            record: 2,
        },
        "01000200",
        "0200",
    );
}

#[test]
fn clear_sel_wants_its_letters() {
    let wrong = ClearSel::decode(&mut Reader::new(&[0, 0, b'C', b'L', b'X', 0xaa]));
    assert!(wrong.is_err());
    let action = ClearSel::decode(&mut Reader::new(&[0, 0, b'C', b'L', b'R', 0xab]));
    assert!(action.unwrap_err().to_string().contains("erase action"));
}

proptest! {
    #[test]
    fn fru(device: u8, offset: u16, count: u8, data: Vec<u8>, size: u16, words: bool) {
        both_ways(&GetFruInventoryAreaInfo { device }, &FruInventoryArea { size, words }, true);
        both_ways(&ReadFruData { device, offset, count }, &ReadFruDataReply { count, data: data.clone() }, false);
        both_ways(&WriteFruData { device, offset, data }, &count, false);
    }

    #[test]
    fn sdr(a: u16, b: u16, c: u16, d: u16, e: u32, f: u32, g: u8, h: u8, data: Vec<u8>) {
        let info = SdrRepositoryInfo { version: g, count: a, free: b, addition: e, erase: f, operations: h };
        both_ways(&GetSdrRepositoryInfo, &info, true);
        let allocation = AllocationInfo { units: a, unit_size: b, free_units: c, largest_free_block: d, max_record_size: g };
        both_ways(&GetSdrRepositoryAllocationInfo, &allocation, true);
        both_ways(&ReserveSdrRepository, &a, true);
        both_ways(&GetSdr { reservation: a, record: b, offset: g, count: h }, &GetSdrReply { next: c, data }, false);
        both_ways(&GetSdrRepositoryTime, &e, true);
        both_ways(&SetSdrRepositoryTime { time: e }, &(), true);
    }

    #[test]
    fn sel(a: u16, b: u16, c: u16, d: u16, e: u32, f: u32, g: u8, h: u8, data: Vec<u8>, record: [u8; 16], minutes: i16, flag: bool) {
        let info = SelInfo { version: g, entries: a, free: b, addition: e, erase: f, operations: h };
        both_ways(&GetSelInfo, &info, true);
        let allocation = AllocationInfo { units: a, unit_size: b, free_units: c, largest_free_block: d, max_record_size: g };
        both_ways(&GetSelAllocationInfo, &allocation, true);
        both_ways(&ReserveSel, &a, true);
        both_ways(&GetSelEntry { reservation: a, record: b, offset: g, count: h }, &GetSelEntryReply { next: c, data }, false);
        both_ways(&AddSelEntry { record }, &a, true);
        both_ways(&DeleteSelEntry { reservation: a, record: b }, &c, true);
        let (action, progress) = if flag {
            (EraseAction::Initiate, EraseProgress::Completed)
        } else {
            (EraseAction::Status, EraseProgress::InProgress)
        };
        both_ways(&ClearSel { reservation: a, action }, &progress, true);
        both_ways(&GetSelTime, &e, true);
        both_ways(&SetSelTime { time: f }, &(), true);
        both_ways(&GetSelTimeUtcOffset, &minutes, true);
        both_ways(&SetSelTimeUtcOffset { minutes }, &(), true);
    }
}
