//! FRU contents for the simulators of others (Platform Management FRU Information Storage Definition v1.0).

/// The strings of a FRU.
pub struct Fru<'a> {
    /// Chassis: part number, serial.
    pub chassis: [&'a str; 2],
    /// Board: manufacturer, product, serial, part number.
    pub board: [&'a str; 4],
    /// Product: manufacturer, name, part number, version, serial, asset tag.
    pub product: [&'a str; 6],
}

/// What every simulator of the tests has in FRU 0.
pub const MACHINE: Fru<'static> = Fru {
    chassis: ["CSE-217BHQ+", "C217BAK18P0001"],
    board: ["Supermicro", "X11DPT-B", "BSERIAL01", "X11DPT-B-P"],
    product: [
        "Supermicro",
        "SYS-2029BT",
        "SYS-2029BT-HNR",
        "0100",
        "E262335X2304003C",
        "asset1",
    ],
};

impl Fru<'_> {
    /// The bytes, filled up to `size`.
    pub fn encode(&self, size: usize) -> Vec<u8> {
        // Chassis type 0x17: rack mount chassis. Board: English, manufacturing date not given.
        let chassis = area(&[0x17], &self.chassis);
        let board = area(
            &[25, 0, 0, 0],
            &[self.board.as_slice(), &["fruid"]].concat(),
        );
        let product = area(&[25], &[self.product.as_slice(), &["fru"]].concat());
        let chassis_at = 1;
        let board_at = chassis_at + chassis.len() / 8;
        let product_at = board_at + board.len() / 8;
        let mut out = vec![
            1,
            0,
            chassis_at as u8,
            board_at as u8,
            product_at as u8,
            0,
            0,
        ];
        out.push(checksum(&out));
        out.extend(chassis);
        out.extend(board);
        out.extend(product);
        assert!(
            out.len() <= size,
            "{} bytes do not fit into {size}",
            out.len()
        );
        out.resize(size, 0);
        out
    }
}

fn area(head: &[u8], fields: &[&str]) -> Vec<u8> {
    let mut out = vec![1, 0];
    out.extend(head);
    for field in fields {
        out.push(0xc0 | field.len() as u8);
        out.extend(field.bytes());
    }
    out.push(0xc1);
    while out.len() % 8 != 7 {
        out.push(0);
    }
    out[1] = (out.len() / 8 + 1) as u8;
    out.push(checksum(&out));
    out
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0u8, |sum, b| sum.wrapping_sub(*b))
}
