//! FRU images (Platform Management FRU Information Storage Definition v1.0).

use crate::hal::ipmi::codec::checksum;

/// Minutes from 1996-01-01 00:00 UTC to 2023-06-15 08:30 UTC: the manufacturing date of all boards.
const MFG_MINUTES: u32 = 14_439_390;

/// One info area in text: the standard's fields in order, then custom ones.
#[derive(Debug, Clone, Default)]
pub struct Area {
    /// Fields that the standard names.
    pub fields: Vec<String>,
    /// Custom fields.
    pub custom: Vec<String>,
}

impl Area {
    /// An area of these standard fields.
    pub fn of(fields: &[&str]) -> Self {
        Self {
            fields: fields.iter().map(|s| (*s).to_owned()).collect(),
            custom: Vec::new(),
        }
    }

    /// With custom fields.
    #[must_use]
    pub fn custom(mut self, fields: &[&str]) -> Self {
        self.custom = fields.iter().map(|s| (*s).to_owned()).collect();
        self
    }

    fn encode(&self, head: &[u8]) -> Vec<u8> {
        let mut out = vec![1, 0];
        out.extend_from_slice(head);
        for text in self.fields.iter().chain(&self.custom) {
            // 8-bit text; a field has at most 63 bytes. One byte of text would read as the end mark.
            let bytes: Vec<u8> = text.bytes().take(63).collect();
            match bytes.as_slice() {
                [one] => out.extend_from_slice(&[0xc2, *one, b' ']),
                more => {
                    out.push(0xc0 | more.len() as u8);
                    out.extend_from_slice(more);
                }
            }
        }
        out.push(0xc1);
        while out.len() % 8 != 7 {
            out.push(0);
        }
        if let Some(length) = out.get_mut(1) {
            // The checksum is the last byte of the last 8-byte unit.
            *length = 0;
        }
        let units = (out.len() + 1) / 8;
        if let Some(length) = out.get_mut(1) {
            *length = units as u8;
        }
        out.push(checksum(&out));
        out
    }
}

/// A FRU image to build.
#[derive(Debug, Clone, Default)]
pub struct FruImage {
    /// Internal use area: kept as bytes.
    pub internal: Option<Vec<u8>>,
    /// Chassis type (SMBIOS) and its area: part number, serial number.
    pub chassis: Option<(u8, Area)>,
    /// Manufacturer, product, serial number, part number, FRU file id.
    pub board: Option<Area>,
    /// Manufacturer, product, part/model number, version, serial number, asset tag, FRU file id.
    pub product: Option<Area>,
    /// Multirecords: type and data.
    pub multi: Vec<(u8, Vec<u8>)>,
    /// Size of the whole device; the image is filled up with zeroes.
    pub size: usize,
}

impl FruImage {
    /// The bytes of the device.
    pub fn encode(&self) -> Vec<u8> {
        let mut offsets = [0u8; 5];
        let mut body: Vec<u8> = Vec::new();
        let mut place = |slot: usize, bytes: Vec<u8>| {
            if let Some(offset) = offsets.get_mut(slot) {
                *offset = ((8 + body.len()) / 8) as u8;
            }
            body.extend_from_slice(&bytes);
            while !body.len().is_multiple_of(8) {
                body.push(0);
            }
        };
        if let Some(internal) = &self.internal {
            let mut bytes = vec![1];
            bytes.extend_from_slice(internal);
            place(0, bytes);
        }
        if let Some((kind, area)) = &self.chassis {
            place(1, area.encode(&[*kind]));
        }
        if let Some(area) = &self.board {
            let [a, b, c, _] = MFG_MINUTES.to_le_bytes();
            place(2, area.encode(&[25, a, b, c]));
        }
        if let Some(area) = &self.product {
            place(3, area.encode(&[25]));
        }
        if !self.multi.is_empty() {
            let mut bytes = Vec::new();
            let last = self.multi.len() - 1;
            for (i, (kind, data)) in self.multi.iter().enumerate() {
                let end = if i == last { 0x80 } else { 0 };
                let head = [*kind, end | 2, data.len() as u8, checksum(data)];
                bytes.extend_from_slice(&head);
                bytes.push(checksum(&head));
                bytes.extend_from_slice(data);
            }
            place(4, bytes);
        }
        let [internal, chassis, board, product, multi] = offsets;
        let mut out = vec![1, internal, chassis, board, product, multi, 0];
        out.push(checksum(&out));
        out.extend_from_slice(&body);
        if out.len() < self.size {
            out.resize(self.size, 0);
        }
        out
    }
}

/// Multirecord 0x00 Power Supply Information: capacity, voltages, frequencies (24 bytes, §18.1).
pub fn power_supply_record(watts: u16) -> (u8, Vec<u8>) {
    let mut d = Vec::with_capacity(24);
    d.extend_from_slice(&watts.to_le_bytes());
    d.extend_from_slice(&(watts + 100).to_le_bytes()); // peak VA
    d.push(30); // inrush current, A
    d.push(5); // inrush interval, ms
    d.extend_from_slice(&10_000u16.to_le_bytes()); // low end of range 1, 10 mV
    d.extend_from_slice(&12_700u16.to_le_bytes());
    d.extend_from_slice(&20_000u16.to_le_bytes());
    d.extend_from_slice(&24_000u16.to_le_bytes());
    d.push(47); // Hz
    d.push(63);
    d.push(12); // drop-out tolerance, ms
    d.push(0x1a); // hot swap, autoswitch, power factor correction
    d.extend_from_slice(&(watts | 0x5000).to_le_bytes()); // peak capacity, hold-up 5 s
    d.extend_from_slice(&[0, 0, 0]); // no combined wattage
    d.push(0); // no predictive fail tachometer
    (0, d)
}

/// Multirecord 0x01 DC Output (13 bytes, §18.2): 12.20 V, in 10 mV steps.
pub fn dc_output_record(output: u8) -> (u8, Vec<u8>) {
    let mut d = vec![output];
    for value in [1220i16, 1160, 1260, 120, 0, 32_000] {
        d.extend_from_slice(&value.to_le_bytes());
    }
    (1, d)
}

/// Multirecord 0x03 Management Access (§18.4): sub-type 1 = system management URL.
pub fn management_url_record(url: &str) -> (u8, Vec<u8>) {
    let mut d = vec![1];
    d.extend_from_slice(url.as_bytes());
    (3, d)
}

/// Multirecord 0xC0: OEM, led by the manufacturer id.
pub fn oem_record(manufacturer: u32, data: &[u8]) -> (u8, Vec<u8>) {
    let [a, b, c, _] = manufacturer.to_le_bytes();
    let mut d = vec![a, b, c];
    d.extend_from_slice(data);
    (0xc0, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_sum_to_zero_and_lie_where_the_header_says() {
        let image = FruImage {
            internal: Some(vec![1, 2, 3]),
            chassis: Some((0x17, Area::of(&["PN", "SN1234"]))),
            board: Some(Area::of(&["M", "P", "S", "PN", ""])),
            product: Some(Area::of(&["A", "B", "C", "D", "E", "F", ""]).custom(&["x"])),
            multi: vec![power_supply_record(750), dc_output_record(1)],
            size: 512,
        };
        let bytes = image.encode();
        assert_eq!(bytes.len(), 512);
        assert_eq!(checksum(&bytes[..8]), 0);
        for slot in 2..=4 {
            let start = usize::from(bytes[slot]) * 8;
            let end = start + usize::from(bytes[start + 1]) * 8;
            assert_eq!(checksum(&bytes[start..end]), 0, "area {slot}");
        }
        let multi = usize::from(bytes[5]) * 8;
        assert_eq!(checksum(&bytes[multi..multi + 5]), 0);
        assert_eq!(bytes[multi + 2], 24);
        assert_eq!(bytes[multi + 29 + 2], 13);
        assert_eq!(bytes[multi + 29 + 1], 0x82);
    }
}
