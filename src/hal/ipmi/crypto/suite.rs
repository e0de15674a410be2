//! Cipher suites (§22.15.2): which algorithms a session uses.

use std::fmt;

use crate::hal::ipmi::wire::rakp::Algorithms;

/// Authentication algorithm of the RAKP handshake (§13.28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthAlgorithm {
    /// No authentication at all.
    None,
    /// HMAC-SHA1.
    HmacSha1,
    /// HMAC-MD5.
    HmacMd5,
    /// HMAC-SHA256.
    HmacSha256,
}

impl AuthAlgorithm {
    /// The number in Open Session.
    pub fn to_wire(self) -> u8 {
        match self {
            Self::None => 0,
            Self::HmacSha1 => 1,
            Self::HmacMd5 => 2,
            Self::HmacSha256 => 3,
        }
    }

    /// Bytes of the codes in RAKP 2 and 3.
    pub fn code_len(self) -> usize {
        match self {
            Self::None => 0,
            Self::HmacSha1 => 20,
            Self::HmacMd5 => 16,
            Self::HmacSha256 => 32,
        }
    }

    /// Bytes of the integrity check value in RAKP 4.
    pub fn icv_len(self) -> usize {
        match self {
            Self::None => 0,
            Self::HmacSha1 => 12,
            Self::HmacMd5 | Self::HmacSha256 => 16,
        }
    }

    fn strength(self) -> u8 {
        match self {
            Self::None => 0,
            Self::HmacMd5 => 1,
            Self::HmacSha1 => 2,
            Self::HmacSha256 => 3,
        }
    }
}

/// Integrity algorithm of packets (§13.28.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Integrity {
    /// Packets carry no code.
    None,
    /// HMAC-SHA1, first 12 bytes.
    HmacSha1,
    /// HMAC-MD5, 16 bytes.
    HmacMd5,
    /// MD5 of password, packet, password: 16 bytes.
    Md5,
    /// HMAC-SHA256, first 16 bytes.
    HmacSha256,
}

impl Integrity {
    /// The number in Open Session.
    pub fn to_wire(self) -> u8 {
        match self {
            Self::None => 0,
            Self::HmacSha1 => 1,
            Self::HmacMd5 => 2,
            Self::Md5 => 3,
            Self::HmacSha256 => 4,
        }
    }

    /// Bytes of the code at the end of a packet.
    pub fn code_len(self) -> usize {
        match self {
            Self::None => 0,
            Self::HmacSha1 => 12,
            Self::HmacMd5 | Self::Md5 | Self::HmacSha256 => 16,
        }
    }

    fn strength(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Md5 => 1,
            Self::HmacMd5 => 2,
            Self::HmacSha1 => 3,
            Self::HmacSha256 => 4,
        }
    }
}

/// Confidentiality algorithm of payloads (§13.28.5). The xRC4 ones are broken and not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confidentiality {
    /// Payloads are in the clear.
    None,
    /// AES-CBC-128.
    AesCbc128,
}

impl Confidentiality {
    /// The number in Open Session.
    pub fn to_wire(self) -> u8 {
        match self {
            Self::None => 0,
            Self::AesCbc128 => 1,
        }
    }
}

/// A cipher suite that halbox can speak: 0-3, 6-8, 11, 12, 15-17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CipherSuite {
    /// Number of the suite.
    pub id: u8,
    /// How the handshake is authenticated.
    pub auth: AuthAlgorithm,
    /// How packets are authenticated.
    pub integrity: Integrity,
    /// How payloads are encrypted.
    pub confidentiality: Confidentiality,
}

const fn suite(
    id: u8,
    auth: AuthAlgorithm,
    integrity: Integrity,
    confidentiality: Confidentiality,
) -> CipherSuite {
    CipherSuite {
        id,
        auth,
        integrity,
        confidentiality,
    }
}

impl CipherSuite {
    /// All suites, by number.
    pub const ALL: [CipherSuite; 12] = {
        use AuthAlgorithm as A;
        use Confidentiality as C;
        use Integrity as I;
        [
            suite(0, A::None, I::None, C::None),
            suite(1, A::HmacSha1, I::None, C::None),
            suite(2, A::HmacSha1, I::HmacSha1, C::None),
            suite(3, A::HmacSha1, I::HmacSha1, C::AesCbc128),
            suite(6, A::HmacMd5, I::None, C::None),
            suite(7, A::HmacMd5, I::HmacMd5, C::None),
            suite(8, A::HmacMd5, I::HmacMd5, C::AesCbc128),
            suite(11, A::HmacMd5, I::Md5, C::None),
            suite(12, A::HmacMd5, I::Md5, C::AesCbc128),
            suite(15, A::HmacSha256, I::None, C::None),
            suite(16, A::HmacSha256, I::HmacSha256, C::None),
            suite(17, A::HmacSha256, I::HmacSha256, C::AesCbc128),
        ]
    };

    /// The suite with this number, if halbox can speak it.
    pub fn by_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.id == id)
    }

    /// The suite with these algorithms, if halbox can speak it.
    pub fn by_algorithms(algorithms: Algorithms) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|suite| suite.algorithms() == algorithms)
    }

    /// The three numbers for Open Session.
    pub fn algorithms(self) -> Algorithms {
        Algorithms {
            auth: self.auth.to_wire(),
            integrity: self.integrity.to_wire(),
            confidentiality: self.confidentiality.to_wire(),
        }
    }

    /// Is any of its three algorithms weaker than that of `other`?
    pub fn is_weaker_than(self, other: Self) -> bool {
        self.auth.strength() < other.auth.strength()
            || self.integrity.strength() < other.integrity.strength()
            || self.confidentiality.to_wire() < other.confidentiality.to_wire()
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cipher suite {}", self.id)
    }
}
