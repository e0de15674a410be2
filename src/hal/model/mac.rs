//! MAC addresses: the key of a BMC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 48-bit MAC address; printed as `aa:bb:cc:dd:ee:ff`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// Can it be a BMC's own address? All zeroes, all ones and multicast addresses cannot.
    pub fn is_usable(self) -> bool {
        self.0 != [0; 6] && self.0[0] & 0x01 == 0
    }

    /// Locally administered (second-lowest bit of the first byte): host interfaces, virtual machines.
    pub fn is_local(self) -> bool {
        self.0[0] & 0x02 != 0
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, rest @ ..] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for MacAddr {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MacAddr {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for MacAddr {
    type Err = String;

    /// Accepts `:` or `-` between bytes, or none, in any case.
    fn from_str(s: &str) -> Result<Self, String> {
        let bad = || format!("'{s}' is no MAC address (expected aa:bb:cc:dd:ee:ff)");
        let digits: Vec<u8> = s.bytes().filter(|b| !matches!(b, b':' | b'-')).collect();
        let separators = s.len() - digits.len();
        if digits.len() != 12
            || !matches!(separators, 0 | 5)
            || !digits.iter().all(u8::is_ascii_hexdigit)
        {
            return Err(bad());
        }
        let mut out = [0; 6];
        for (byte, pair) in out.iter_mut().zip(digits.chunks(2)) {
            let text = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(text, 16).map_err(|_| bad())?;
        }
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_rejects() {
        let mac: MacAddr = "AC-1F-6B-00-00-01".parse().unwrap();
        assert_eq!(mac.to_string(), "ac:1f:6b:00:00:01");
        assert!(mac.is_usable() && !mac.is_local());
        for bad in [
            "",
            "ac:1f",
            "zz:1f:6b:00:00:01",
            "ac1f6b00000",
            "+c:1f:6b:00:00:01",
            "äc:1f:6b:00:00:1",
        ] {
            assert!(bad.parse::<MacAddr>().is_err(), "{bad}");
        }
        assert!(!MacAddr([0xff; 6]).is_usable());
    }
}
