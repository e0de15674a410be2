//! Writing FRU data: for the simulator and for tests.

use super::{Board, Chassis, Field, Fru, HEADER_LEN, MultiRecord, Product};
use crate::hal::ipmi::codec::checksum;

/// Appends the fields; absent ones become empty, and trailing ones are written too: their place counts.
fn fields<'a>(
    out: &mut Vec<u8>,
    named: impl IntoIterator<Item = &'a Option<Field>>,
    custom: &[Field],
) {
    for field in named {
        match field {
            Some(field) => field.encode(out),
            None => out.push(0xc0),
        }
    }
    for field in custom {
        field.encode(out);
    }
    out.push(super::field::END);
}

/// Fills the area up to a multiple of 8 and writes its length and checksum.
fn close(mut area: Vec<u8>) -> Vec<u8> {
    let length = (area.len() + 1).next_multiple_of(8);
    area.resize(length - 1, 0);
    if let Some(byte) = area.get_mut(1) {
        *byte = u8::try_from(length / 8).unwrap_or(u8::MAX);
    }
    area.push(checksum(&area));
    area
}

impl Chassis {
    /// The area with length, fill and checksum.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![1, 0, self.kind];
        fields(&mut out, [&self.part_number, &self.serial], &self.custom);
        close(out)
    }
}

impl Board {
    /// The area with length, fill and checksum.
    pub fn encode(&self) -> Vec<u8> {
        let [a, b, c, _] = self.mfg_minutes.to_le_bytes();
        let mut out = vec![1, 0, self.language.0, a, b, c];
        let named = [
            &self.manufacturer,
            &self.product_name,
            &self.serial,
            &self.part_number,
            &self.fru_file_id,
        ];
        fields(&mut out, named, &self.custom);
        close(out)
    }
}

impl Product {
    /// The area with length, fill and checksum.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![1, 0, self.language.0];
        let named = [
            &self.manufacturer,
            &self.product_name,
            &self.part_number,
            &self.version,
            &self.serial,
            &self.asset_tag,
            &self.fru_file_id,
        ];
        fields(&mut out, named, &self.custom);
        close(out)
    }
}

impl Fru {
    /// The whole device: common header, areas, multirecords. Warnings are not written. Areas must lie below 2,040
    /// bytes; one that does not is left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; HEADER_LEN];
        let mut place = |area: Option<Vec<u8>>| -> u8 {
            let (Some(area), Ok(offset)) = (area, u8::try_from(out.len() / 8)) else {
                return 0;
            };
            out.extend(area);
            out.resize(out.len().next_multiple_of(8), 0);
            offset
        };
        let internal = place(self.internal.as_ref().map(|data| {
            let mut area = vec![1];
            area.extend(data);
            area
        }));
        let chassis = place(self.chassis.as_ref().map(Chassis::encode));
        let board = place(self.board.as_ref().map(Board::encode));
        let product = place(self.product.as_ref().map(Product::encode));
        let multirecord = place(MultiRecord::encode_all(&self.multirecords));
        let mut head = [1, internal, chassis, board, product, multirecord, 0, 0];
        let sum = checksum(&head);
        if let Some(last) = head.last_mut() {
            *last = sum;
        }
        for (to, from) in out.iter_mut().zip(head) {
            *to = from;
        }
        out
    }
}
