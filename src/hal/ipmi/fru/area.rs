//! Chassis, board and product areas (§10 to §12).

use super::Offsets;
use super::field::{END, Field, Language};
use super::warning::Warning;
use crate::hal::ipmi::codec::{Reader, checksum};

/// Chassis info area.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chassis {
    /// Chassis type as SMBIOS numbers it.
    pub kind: u8,
    /// Part number.
    pub part_number: Option<Field>,
    /// Serial number.
    pub serial: Option<Field>,
    /// Custom fields.
    pub custom: Vec<Field>,
}

/// Board info area.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Board {
    /// Language of the 8-bit fields.
    pub language: Language,
    /// Minutes since 1996-01-01 UTC; 0 = unspecified.
    pub mfg_minutes: u32,
    /// Manufacturer.
    pub manufacturer: Option<Field>,
    /// Product name.
    pub product_name: Option<Field>,
    /// Serial number.
    pub serial: Option<Field>,
    /// Part number.
    pub part_number: Option<Field>,
    /// FRU file id.
    pub fru_file_id: Option<Field>,
    /// Custom fields.
    pub custom: Vec<Field>,
}

/// Product info area.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// Language of the 8-bit fields.
    pub language: Language,
    /// Manufacturer.
    pub manufacturer: Option<Field>,
    /// Product name.
    pub product_name: Option<Field>,
    /// Part or model number.
    pub part_number: Option<Field>,
    /// Version.
    pub version: Option<Field>,
    /// Serial number.
    pub serial: Option<Field>,
    /// Asset tag.
    pub asset_tag: Option<Field>,
    /// FRU file id.
    pub fru_file_id: Option<Field>,
    /// Custom fields.
    pub custom: Vec<Field>,
}

/// The bytes of one area, without version, length and checksum, and how far they could reach if the length lies.
pub(super) struct Area<'a> {
    name: &'static str,
    /// Behind version and length byte, up to the checksum as the length byte says.
    declared: &'a [u8],
    /// The same up to the next area or the end of the data.
    possible: &'a [u8],
}

impl<'a> Area<'a> {
    /// Finds the area at `offset` (0 = absent) and checks its frame.
    pub(super) fn open(
        name: &'static str,
        data: &'a [u8],
        offset: usize,
        offsets: Offsets,
        warnings: &mut Vec<Warning>,
    ) -> Option<Self> {
        if offset == 0 {
            return None;
        }
        let Some(rest @ [version, length, ..]) = data.get(offset..) else {
            warnings.push(Warning::BeyondEnd {
                area: name,
                need: offset.saturating_add(2),
                have: data.len(),
            });
            return None;
        };
        let reach = offsets
            .next_after(offset, data.len())
            .saturating_sub(offset);
        let possible = rest.get(..reach).unwrap_or(rest);
        let length = usize::from(*length) * 8;
        let sound = rest.get(..length).is_some_and(|a| checksum(a) == 0);
        if version & 0x0f != 1 {
            warnings.push(Warning::Version {
                area: name,
                value: *version,
            });
            if length == 0 || !sound {
                return None;
            }
        }
        let whole = if length == 0 {
            warnings.push(Warning::ZeroLength { area: name });
            possible
        } else if let Some(whole) = rest.get(..length) {
            if let (false, Some(have)) = (sound, whole.last()) {
                let need = have.wrapping_add(checksum(whole));
                warnings.push(Warning::Checksum {
                    area: name,
                    need,
                    have: *have,
                });
            }
            whole
        } else {
            warnings.push(Warning::BeyondEnd {
                area: name,
                need: offset.saturating_add(length),
                have: data.len(),
            });
            rest
        };
        let sum_len = usize::from(length == whole.len());
        let end = whole.len().saturating_sub(sum_len);
        Some(Self {
            name,
            declared: whole.get(2..end).unwrap_or_default(),
            possible: possible.get(2..).unwrap_or_default(),
        })
    }

    /// Reads fields behind the first `skip` bytes. When they do not end within the declared length, but do within
    /// the possible one, the length lied.
    fn fields(
        &self,
        skip: usize,
        language: Language,
        warnings: &mut Vec<Warning>,
    ) -> std::vec::IntoIter<Field> {
        let declared = fields(self.declared.get(skip..).unwrap_or_default(), language);
        if declared.ended {
            return declared.list.into_iter();
        }
        let possible = fields(self.possible.get(skip..).unwrap_or_default(), language);
        if possible.ended && self.possible.len() > self.declared.len() {
            warnings.push(Warning::LengthTooSmall {
                area: self.name,
                need: possible.used.saturating_add(skip).saturating_add(3),
                have: self.declared.len().saturating_add(3),
            });
            return possible.list.into_iter();
        }
        warnings.push(match declared.cut {
            Some((need, have)) => Warning::BeyondEnd {
                area: self.name,
                need,
                have,
            },
            None => Warning::NoEndMarker { area: self.name },
        });
        declared.list.into_iter()
    }
}

struct Fields {
    list: Vec<Field>,
    /// The end marker was found.
    ended: bool,
    /// The last field was longer than the area: what it wanted and what was left.
    cut: Option<(usize, usize)>,
    /// Bytes up to and with the end marker.
    used: usize,
}

fn fields(data: &[u8], language: Language) -> Fields {
    let mut reader = Reader::new(data);
    let mut out = Fields {
        list: Vec::new(),
        ended: false,
        cut: None,
        used: 0,
    };
    while let Some(code) = reader.opt_u8() {
        if code == END {
            out.ended = true;
            break;
        }
        let need = usize::from(code & 0x3f);
        let have = reader.remaining();
        let raw = reader.bytes("field", need).unwrap_or_else(|_| {
            out.cut = Some((need, have));
            reader.rest()
        });
        out.list.push(Field::decode(code, raw, language));
    }
    out.used = data.len() - reader.remaining();
    out
}

impl Chassis {
    pub(super) fn parse(area: &Area<'_>, warnings: &mut Vec<Warning>) -> Option<Self> {
        let kind = *area.declared.first()?;
        let mut fields = area.fields(1, Language::ENGLISH, warnings);
        Some(Self {
            kind,
            part_number: fields.next(),
            serial: fields.next(),
            custom: fields.collect(),
        })
    }
}

impl Board {
    pub(super) fn parse(area: &Area<'_>, warnings: &mut Vec<Warning>) -> Option<Self> {
        let mut head = Reader::new(area.declared);
        let language = Language(head.u8("language code").ok()?);
        let mfg_minutes = head.u24("mfg. date / time").ok()?;
        let mut fields = area.fields(4, language, warnings);
        Some(Self {
            language,
            mfg_minutes,
            manufacturer: fields.next(),
            product_name: fields.next(),
            serial: fields.next(),
            part_number: fields.next(),
            fru_file_id: fields.next(),
            custom: fields.collect(),
        })
    }

    /// Seconds since 1970 of the manufacturing date, if there is one.
    pub fn mfg_unix(&self) -> Option<i64> {
        const UNIX_1996: i64 = 820_454_400;
        (self.mfg_minutes != 0 && self.mfg_minutes != 0x00ff_ffff)
            .then(|| UNIX_1996 + i64::from(self.mfg_minutes) * 60)
    }
}

impl Product {
    pub(super) fn parse(area: &Area<'_>, warnings: &mut Vec<Warning>) -> Option<Self> {
        let language = Language(*area.declared.first()?);
        let mut fields = area.fields(1, language, warnings);
        Some(Self {
            language,
            manufacturer: fields.next(),
            product_name: fields.next(),
            part_number: fields.next(),
            version: fields.next(),
            serial: fields.next(),
            asset_tag: fields.next(),
            fru_file_id: fields.next(),
            custom: fields.collect(),
        })
    }
}
