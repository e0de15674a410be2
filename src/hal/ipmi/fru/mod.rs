//! FRU information (Platform Management FRU Information Storage Definition v1.3): decoder and encoder.
//!
//! Real FRU data lies about checksums, lengths and offsets. Whatever can be read is kept; what was wrong is told in
//! [`Fru::warnings`]. Only data without any usable header is an error.

mod area;
mod encode;
mod field;
mod multirecord;
mod present;
mod warning;

pub use area::{Board, Chassis, Product};
pub use field::{Field, Language};
pub use multirecord::{
    BaseCompatibility, DcOutput, ManagementAccess, MultiRecord, PowerSupplyInformation, RecordBody,
};
pub use warning::Warning;

use super::codec::{DecodeError, checksum};

/// Bytes of the common header.
pub const HEADER_LEN: usize = 8;

/// The content of one FRU device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fru {
    /// Internal use area without its version byte; it ends where the next area begins.
    pub internal: Option<Vec<u8>>,
    /// Chassis info area.
    pub chassis: Option<Chassis>,
    /// Board info area.
    pub board: Option<Board>,
    /// Product info area.
    pub product: Option<Product>,
    /// Multirecords in their order.
    pub multirecords: Vec<MultiRecord>,
    /// What was wrong with the data.
    pub warnings: Vec<Warning>,
}

/// Byte offsets of the areas, from the common header; 0 = absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offsets {
    internal: usize,
    chassis: usize,
    board: usize,
    product: usize,
    multirecord: usize,
}

impl Offsets {
    fn all(self) -> [usize; 5] {
        [
            self.internal,
            self.chassis,
            self.board,
            self.product,
            self.multirecord,
        ]
    }

    /// Where the area behind `offset` begins, or `end`.
    fn next_after(self, offset: usize, end: usize) -> usize {
        self.all()
            .into_iter()
            .filter(|o| *o > offset)
            .min()
            .unwrap_or(end)
            .min(end)
    }
}

/// Reads the common header (§8).
fn header(data: &[u8], warnings: &mut Vec<Warning>) -> Result<Offsets, DecodeError> {
    let Some(head) = data.first_chunk::<HEADER_LEN>() else {
        return Err(DecodeError::Short {
            field: "FRU common header",
            need: HEADER_LEN,
            have: data.len(),
        });
    };
    let [
        version,
        internal,
        chassis,
        board,
        product,
        multirecord,
        _,
        have,
    ] = *head;
    let sum = checksum(head);
    let version_is_one = version & 0x0f == 1;
    if !version_is_one && (sum != 0 || version == 0) {
        return Err(DecodeError::Invalid {
            field: "FRU common header format version",
            value: version.into(),
            expected: "1 (the device is blank or holds something else)",
        });
    }
    if !version_is_one {
        warnings.push(Warning::Version {
            area: "common header",
            value: version,
        });
    }
    if sum != 0 {
        warnings.push(Warning::Checksum {
            area: "common header",
            need: have.wrapping_add(sum),
            have,
        });
    }
    let bytes = |multiple: u8| usize::from(multiple) * 8;
    Ok(Offsets {
        internal: bytes(internal),
        chassis: bytes(chassis),
        board: bytes(board),
        product: bytes(product),
        multirecord: bytes(multirecord),
    })
}

impl Fru {
    /// Decodes the content of a FRU device, as far as it was read.
    pub fn parse(data: &[u8]) -> Result<Self, DecodeError> {
        let mut warnings = Vec::new();
        let offsets = header(data, &mut warnings)?;
        let internal = Self::internal_area(data, offsets);
        let mut open = |name, offset| area::Area::open(name, data, offset, offsets, &mut warnings);
        let (chassis, board, product) = (
            open("chassis info area", offsets.chassis),
            open("board info area", offsets.board),
            open("product info area", offsets.product),
        );
        let chassis = chassis.and_then(|a| Chassis::parse(&a, &mut warnings));
        let board = board.and_then(|a| Board::parse(&a, &mut warnings));
        let product = product.and_then(|a| Product::parse(&a, &mut warnings));
        let multirecords = multirecord::parse(data, offsets.multirecord, &mut warnings);
        Ok(Self {
            internal,
            chassis,
            board,
            product,
            multirecords,
            warnings,
        })
    }

    fn internal_area(data: &[u8], offsets: Offsets) -> Option<Vec<u8>> {
        if offsets.internal == 0 {
            return None;
        }
        let end = offsets.next_after(offsets.internal, data.len());
        data.get(offsets.internal.saturating_add(1)..end)
            .map(<[u8]>::to_vec)
    }
}

/// How many bytes from the start must be read so that all areas with a length of their own are complete, as far
/// as `data` (what was read so far) tells. Not more than `size`, the size of the device. When the result is not
/// larger than `data`, nothing is missing.
pub fn needed(data: &[u8], size: usize) -> usize {
    let Ok(offsets) = header(data, &mut Vec::new()) else {
        return HEADER_LEN.min(size);
    };
    let mut end = HEADER_LEN;
    for offset in [offsets.chassis, offsets.board, offsets.product] {
        if offset == 0 || offset >= size {
            continue;
        }
        end = end.max(match data.get(offset + 1) {
            None => offset + 2,
            Some(0) => offsets.next_after(offset, size),
            Some(length) => offset + usize::from(*length) * 8,
        });
    }
    if offsets.multirecord != 0 {
        end = end.max(multirecord::needed(data, offsets.multirecord));
    }
    end.min(size)
}

#[cfg(test)]
mod tests;
