//! Cipher suites that a channel offers (§22.15): the command, and the stream of records that it returns.

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Last list index that the six bits of the request can ask for.
pub const MAX_CIPHER_LIST_INDEX: u8 = 0x3f;
/// Bytes of a chunk that is not the last one.
const FULL_CHUNK: usize = 16;

/// Get Channel Cipher Suites (§22.15): one chunk of the record stream. Answered without a session; BMCs of
/// Dell and others answer it in RMCP+ framing only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChannelCipherSuites {
    /// Channel, 0..15; 0xE = the one that the request comes by.
    pub channel: u8,
    /// Payload type, 0 = IPMI, 1 = SOL.
    pub payload: u8,
    /// Records by suite; `false` asks for bare algorithms.
    pub by_suite: bool,
    /// Which chunk, 0..=[`MAX_CIPHER_LIST_INDEX`].
    pub index: u8,
}

/// One chunk of the record stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CipherSuiteChunk {
    /// Number of the channel.
    pub channel: u8,
    /// At most 16 bytes in the specification; less means that it is the last one.
    pub data: Vec<u8>,
}

impl Command for GetChannelCipherSuites {
    type Reply = CipherSuiteChunk;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x54;
    const NAME: &'static str = "Get Channel Cipher Suites";
    const PRIVILEGE: Privilege = Privilege::None;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.channel & 0x0f);
        out.push(self.payload & 0x3f);
        out.push(self.index & 0x3f | u8::from(self.by_suite) << 7);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let channel = r.u8("channel number")? & 0x0f;
        let payload = r.u8("payload type")? & 0x3f;
        let index = r.u8("list index")?;
        Ok(Self {
            channel,
            payload,
            by_suite: index & 0x80 != 0,
            index: index & 0x3f,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.channel & 0x0f);
        out.extend(&reply.data);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(CipherSuiteChunk {
            channel: r.u8("channel number")? & 0x0f,
            data: r.rest().to_vec(),
        })
    }
}

/// A suite as the BMC lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CipherSuiteRecord {
    /// Id of the suite; of the manufacturer's own numbering when `oem` is set. `None`: the BMC left it out.
    pub id: Option<u8>,
    /// IANA enterprise number of an OEM suite.
    pub oem: Option<u32>,
    /// Authentication algorithm.
    pub auth: Option<u8>,
    /// Integrity algorithms.
    pub integrity: Vec<u8>,
    /// Confidentiality algorithms.
    pub confidentiality: Vec<u8>,
}

/// The suites of the specification: id, authentication, integrity, confidentiality (table 22-20).
pub const CIPHER_SUITES: [(u8, u8, u8, u8); 20] = [
    (0, 0, 0, 0),
    (1, 1, 0, 0),
    (2, 1, 1, 0),
    (3, 1, 1, 1),
    (4, 1, 1, 2),
    (5, 1, 1, 3),
    (6, 2, 0, 0),
    (7, 2, 2, 0),
    (8, 2, 2, 1),
    (9, 2, 2, 2),
    (10, 2, 2, 3),
    (11, 2, 3, 0),
    (12, 2, 3, 1),
    (13, 2, 3, 2),
    (14, 2, 3, 3),
    (15, 3, 0, 0),
    (16, 3, 4, 0),
    (17, 3, 4, 1),
    (18, 3, 4, 2),
    (19, 3, 4, 3),
];

/// Collects the chunks of Get Channel Cipher Suites and reads the records in them, whatever they look like.
///
/// Ask for chunk 0, hand the reply to [`CipherSuiteRecords::push`], and go on with the index that it returns.
/// It ends by itself: with a chunk that is not full, one that repeats the chunk before (BMCs that ignore the
/// index), or the last index there is.
#[derive(Debug, Clone, Default)]
pub struct CipherSuiteRecords {
    stream: Vec<u8>,
    last: Vec<u8>,
    next: u8,
}

impl CipherSuiteRecords {
    /// Takes the next chunk; returns the index to ask for, `None` when the list is complete.
    pub fn push(&mut self, chunk: &CipherSuiteChunk) -> Option<u8> {
        let data = chunk.data.get(..FULL_CHUNK).unwrap_or(&chunk.data);
        if self.next > MAX_CIPHER_LIST_INDEX || (self.next > 0 && data == self.last) {
            return None;
        }
        self.stream.extend(data);
        self.last = data.to_vec();
        self.next += 1;
        (data.len() == FULL_CHUNK && self.next <= MAX_CIPHER_LIST_INDEX).then_some(self.next)
    }

    /// The records. OpenBMC lists `03 44 81` without start byte and id: such a record has no id. Bytes that
    /// belong to no record are skipped.
    pub fn records(&self) -> Vec<CipherSuiteRecord> {
        let mut r = Reader::new(&self.stream);
        let mut out: Vec<CipherSuiteRecord> = Vec::new();
        while let Some(byte) = r.opt_u8() {
            match byte {
                0xc0 => {
                    let Some(id) = r.opt_u8() else { break };
                    out.push(CipherSuiteRecord::new(Some(id), None));
                }
                0xc1 => {
                    let (Some(id), Ok(oem)) = (r.opt_u8(), r.u24("OEM IANA")) else {
                        break;
                    };
                    out.push(CipherSuiteRecord::new(Some(id), Some(oem)));
                }
                _ => tag(&mut out, byte),
            }
        }
        out
    }

    /// Ids of the specification's suites that are offered, ascending, each once. Records without an id are
    /// told by their algorithms.
    pub fn ids(&self) -> Vec<u8> {
        let mut ids = Vec::new();
        for record in self.records().iter().filter(|r| r.oem.is_none()) {
            match record.id {
                Some(id) => ids.push(id),
                None => ids.extend(record.told_by_algorithms()),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

impl CipherSuiteRecord {
    fn new(id: Option<u8>, oem: Option<u32>) -> Self {
        Self {
            id,
            oem,
            auth: None,
            integrity: Vec::new(),
            confidentiality: Vec::new(),
        }
    }

    fn told_by_algorithms(&self) -> impl Iterator<Item = u8> {
        // No integrity and no confidentiality need not be listed.
        let has = |list: &[u8], number| list.contains(&number) || (list.is_empty() && number == 0);
        CIPHER_SUITES
            .iter()
            .filter(move |(_, auth, integrity, confidentiality)| {
                self.auth == Some(*auth)
                    && has(&self.integrity, *integrity)
                    && has(&self.confidentiality, *confidentiality)
            })
            .map(|(id, ..)| *id)
    }
}

/// Puts an algorithm into the record that is open; a second authentication algorithm opens one without an id.
fn tag(out: &mut Vec<CipherSuiteRecord>, byte: u8) {
    let number = byte & 0x3f;
    match (byte >> 6, out.last_mut()) {
        (0, Some(record)) if record.auth.is_none() => record.auth = Some(number),
        (0, _) => out.push(CipherSuiteRecord {
            auth: Some(number),
            ..CipherSuiteRecord::new(None, None)
        }),
        (1, Some(record)) => record.integrity.push(number),
        (2, Some(record)) => record.confidentiality.push(number),
        // 0xc2..0xff, or no record to put it in.
        _ => {}
    }
}
