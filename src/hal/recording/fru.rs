//! FRU devices inside a recording: put together from their reads, so that a text that two reads share is found as well.

use std::collections::BTreeMap;

use super::entry::IpmiAnswer;
use crate::hal::ipmi::fru::Fru;

/// Storage, Read FRU Data (§34.2).
const READ: (u8, u8) = (0x0a, 0x11);

/// A device: on which controller, and its number.
type Device = (Option<(u8, u8)>, u8);

/// The images of all devices that were read.
pub(super) struct Images(BTreeMap<Device, Vec<u8>>);

/// Device and offset of a read that was answered.
fn place(answer: &IpmiAnswer) -> Option<(Device, usize)> {
    let [device, low, high, ..] = answer.data.as_slice() else {
        return None;
    };
    let is_read = (answer.netfn, answer.cmd) == READ && answer.code == 0;
    let offset = usize::from(u16::from_le_bytes([*low, *high]));
    is_read.then_some(((answer.bridged, *device), offset))
}

impl Images {
    /// Puts the reads together.
    pub(super) fn of(answers: &[IpmiAnswer]) -> Self {
        let mut images: BTreeMap<Device, Vec<u8>> = BTreeMap::new();
        for answer in answers {
            let (Some((device, offset)), Some((_, bytes))) =
                (place(answer), answer.reply.split_first())
            else {
                continue;
            };
            let image = images.entry(device).or_default();
            let end = offset + bytes.len();
            if image.len() < end {
                image.resize(end, 0);
            }
            if let Some(part) = image.get_mut(offset..end) {
                part.copy_from_slice(bytes);
            }
        }
        Self(images)
    }

    /// Serial numbers of chassis, boards and products.
    pub(super) fn serials(&self) -> Vec<String> {
        let parsed = self.0.values().filter_map(|image| Fru::parse(image).ok());
        parsed
            .map(|fru| fru.summary())
            .flat_map(|s| [s.chassis_part_serial, s.board_mfg_serial, s.product_serial])
            .flatten()
            .collect()
    }

    /// Overwrites a text wherever it stands. The bytes sum up to the same, so that checksums stay right.
    pub(super) fn hide(&mut self, text: &[u8]) {
        for image in self.0.values_mut() {
            let mut at = 0;
            while let Some(window) = image.get_mut(at..at + text.len()) {
                if window == text {
                    veil(window);
                    at += text.len();
                } else {
                    at += 1;
                }
            }
        }
    }

    /// Writes the images back into the answers.
    pub(super) fn restore(&self, answers: &mut [IpmiAnswer]) {
        for answer in answers {
            let Some((device, offset)) = place(answer) else {
                continue;
            };
            let Some((_, bytes)) = answer.reply.split_first_mut() else {
                continue;
            };
            let image = self.0.get(&device);
            if let Some(part) = image.and_then(|image| image.get(offset..offset + bytes.len())) {
                bytes.copy_from_slice(part);
            }
        }
    }
}

/// Other printable bytes with the same sum (modulo 256).
fn veil(window: &mut [u8]) {
    const LEAST: u8 = b'!';
    const ROOM: u8 = b'~' - LEAST;
    let sum = |bytes: &[u8]| bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    let goal = sum(window);
    window.fill(LEAST);
    let mut missing = goal.wrapping_sub(sum(window));
    for byte in window {
        let step = missing.min(ROOM);
        *byte += step;
        missing -= step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_across_two_reads_is_hidden_and_sums_stay() {
        let answer = |offset: u8, bytes: &[u8]| IpmiAnswer {
            bridged: None,
            lun: 0,
            netfn: 0x0a,
            cmd: 0x11,
            data: vec![0, offset, 0, 4],
            code: 0,
            reply: [&[bytes.len() as u8], bytes].concat(),
        };
        let mut answers = vec![answer(0, b"xABC"), answer(4, b"123y")];
        let sum = |answers: &[IpmiAnswer]| {
            let bytes = answers.iter().flat_map(|a| a.reply.iter().skip(1));
            bytes.fold(0u8, |sum, byte| sum.wrapping_add(*byte))
        };
        let before = sum(&answers);
        let mut images = Images::of(&answers);
        images.hide(b"ABC123");
        images.restore(&mut answers);
        assert_eq!(sum(&answers), before);
        assert_eq!((answers[0].reply[1], answers[1].reply[4]), (b'x', b'y'));
        assert!(!answers[0].reply.ends_with(b"ABC") && !answers[1].reply[1..].starts_with(b"123"));
    }
}
