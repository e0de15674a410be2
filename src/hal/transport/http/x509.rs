//! The few fields of a server certificate that people and detection want, read leniently.
//!
//! BMCs carry certificates that no strict parser takes (version 1, negative serial numbers, Latin-1 in
//! UTF-8 fields). Nothing here decides about trust: that is webpki's work. What cannot be read is left out.

use crate::hal::ipmi::{DecodeError, Reader};

/// Text of a name is cut at this many characters.
const MAX_TEXT: usize = 256;

/// What a certificate says about its owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateFields {
    /// Subject as `CN=…,O=…`, in the order of the certificate; empty when it has none.
    pub subject: String,
    /// Issuer, written the same way.
    pub issuer: String,
    /// Organisation (`O`) of the issuer: the vendor, on certificates as shipped.
    pub issuer_organization: Option<String>,
    /// Organisation (`O`) of the subject.
    pub subject_organization: Option<String>,
    /// End of validity, seconds since 1970.
    pub not_after: Option<i64>,
    /// Issuer and subject are the same.
    pub self_signed: bool,
    /// The whole SubjectPublicKeyInfo (DER).
    pub spki: Vec<u8>,
    /// The AlgorithmIdentifier in it, without its own header.
    pub key_algorithm: Vec<u8>,
    /// The key itself, the content of the BIT STRING.
    pub key: Vec<u8>,
}

impl CertificateFields {
    /// Reads a certificate (DER). Fails only where the outer structure is no certificate at all.
    pub fn parse(der: &[u8]) -> Result<Self, DecodeError> {
        let mut outer = Reader::new(der);
        let mut certificate = sequence(&mut outer, "certificate")?;
        let mut tbs = sequence(&mut certificate, "tbsCertificate")?;
        let mut first = element(&mut tbs, "version or serial number")?;
        if first.tag == 0xa0 {
            first = element(&mut tbs, "serial number")?;
        }
        if first.tag != 0x02 {
            return Err(unexpected("serial number", first.tag, "an INTEGER"));
        }
        sequence(&mut tbs, "signature algorithm")?;
        let issuer = expect(&mut tbs, "issuer", 0x30)?;
        let mut validity = sequence(&mut tbs, "validity")?;
        let subject = expect(&mut tbs, "subject", 0x30)?;
        let mut fields = Self {
            subject: name_text(subject.content),
            issuer: name_text(issuer.content),
            issuer_organization: organization(issuer.content),
            subject_organization: organization(subject.content),
            self_signed: issuer.content == subject.content,
            ..Self::default()
        };
        if element(&mut validity, "notBefore").is_ok()
            && let Ok(end) = element(&mut validity, "notAfter")
        {
            fields.not_after = time(end.tag, end.content);
        }
        if let Ok(spki) = expect(&mut tbs, "subjectPublicKeyInfo", 0x30) {
            fields.spki = spki.whole.to_vec();
            let mut inner = Reader::new(spki.content);
            if let (Ok(algorithm), Ok(key)) = (
                expect(&mut inner, "key algorithm", 0x30),
                expect(&mut inner, "key", 0x03),
            ) {
                fields.key_algorithm = algorithm.content.to_vec();
                // The first byte counts the unused bits of the last one: 0 for every key.
                fields.key = key.content.get(1..).unwrap_or_default().to_vec();
            }
        }
        Ok(fields)
    }

    /// Bits of an RSA modulus; `None` for other keys.
    pub fn rsa_bits(&self) -> Option<usize> {
        const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
        if !self.key_algorithm.starts_with(RSA) {
            return None;
        }
        let mut key = Reader::new(&self.key);
        let mut parts = sequence(&mut key, "RSAPublicKey").ok()?;
        let modulus = expect(&mut parts, "modulus", 0x02).ok()?;
        let zeros = modulus.content.iter().take_while(|b| **b == 0).count();
        Some(modulus.content.len().saturating_sub(zeros) * 8)
    }
}

/// One tag-length-value.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

fn unexpected(field: &'static str, tag: u8, expected: &'static str) -> DecodeError {
    DecodeError::Invalid {
        field,
        value: u64::from(tag),
        expected,
    }
}

fn element<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<Element<'a>, DecodeError> {
    let start = r.clone().rest();
    let tag = r.u8(field)?;
    let short = r.u8(field)?;
    let length = if short < 0x80 {
        usize::from(short)
    } else {
        let count = usize::from(short & 0x7f);
        if count == 0 || count > 4 {
            return Err(unexpected(field, short, "a definite length below 4 GiB"));
        }
        r.bytes(field, count)?
            .iter()
            .fold(0usize, |n, b| (n << 8) | usize::from(*b))
    };
    let content = r.bytes(field, length)?;
    let used = start.len() - r.remaining();
    Ok(Element {
        tag,
        content,
        whole: start.get(..used).unwrap_or_default(),
    })
}

fn expect<'a>(
    r: &mut Reader<'a>,
    field: &'static str,
    tag: u8,
) -> Result<Element<'a>, DecodeError> {
    let found = element(r, field)?;
    if found.tag == tag {
        Ok(found)
    } else {
        Err(unexpected(field, found.tag, "another ASN.1 tag"))
    }
}

fn sequence<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<Reader<'a>, DecodeError> {
    expect(r, field, 0x30).map(|e| Reader::new(e.content))
}

/// Calls `each` with the OID and the text of every attribute of a Name.
fn attributes(name: &[u8], mut each: impl FnMut(&[u8], String)) {
    let mut sets = Reader::new(name);
    while let Ok(set) = element(&mut sets, "relative name") {
        let mut members = Reader::new(set.content);
        while let Ok(mut pair) = sequence(&mut members, "attribute") {
            if let (Ok(oid), Ok(value)) = (
                expect(&mut pair, "attribute type", 0x06),
                element(&mut pair, "attribute value"),
            ) {
                each(oid.content, text(value.tag, value.content));
            }
        }
    }
}

fn name_text(name: &[u8]) -> String {
    let mut out = String::new();
    attributes(name, |oid, value| {
        let label = match oid {
            b"\x55\x04\x03" => "CN",
            b"\x55\x04\x05" => "serialNumber",
            b"\x55\x04\x06" => "C",
            b"\x55\x04\x07" => "L",
            b"\x55\x04\x08" => "ST",
            b"\x55\x04\x09" => "street",
            b"\x55\x04\x0a" => "O",
            b"\x55\x04\x0b" => "OU",
            b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01" => "emailAddress",
            _ => "?",
        };
        if out.len() < 4 * MAX_TEXT {
            if !out.is_empty() {
                out.push(',');
            }
            out.push_str(label);
            out.push('=');
            out.push_str(&value);
        }
    });
    out
}

fn organization(name: &[u8]) -> Option<String> {
    let mut found = None;
    attributes(name, |oid, value| {
        if oid == b"\x55\x04\x0a" && !value.is_empty() {
            found.get_or_insert(value);
        }
    });
    found
}

/// A directory string as text without control characters. Invalid UTF-8 is read as Latin-1.
fn text(tag: u8, content: &[u8]) -> String {
    let decoded: String = if tag == 0x1e {
        let units = content
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| u16::from_be_bytes(*pair));
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    } else {
        match std::str::from_utf8(content) {
            Ok(valid) => valid.to_owned(),
            Err(_) => content.iter().map(|b| char::from(*b)).collect(),
        }
    };
    decoded
        .trim()
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(MAX_TEXT)
        .collect()
}

/// UTCTime or GeneralizedTime as seconds since 1970.
fn time(tag: u8, content: &[u8]) -> Option<i64> {
    let digits = content.strip_suffix(b"Z").unwrap_or(content);
    let mut numbers = Vec::with_capacity(7);
    for pair in digits.as_chunks::<2>().0 {
        let two = std::str::from_utf8(pair).ok()?.parse::<i64>().ok()?;
        numbers.push(two);
    }
    let (year, rest) = match (tag, numbers.as_slice()) {
        (0x17, [yy, rest @ ..]) => (if *yy < 50 { 2000 + yy } else { 1900 + yy }, rest),
        (0x18, [century, yy, rest @ ..]) => (century * 100 + yy, rest),
        _ => return None,
    };
    let (month, day, hour, minute) = match rest {
        [month, day, hour, minute, ..] => (*month, *day, *hour, *minute),
        _ => return None,
    };
    let second = rest.get(4).copied().unwrap_or(0);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    Some(days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second.min(59))
}

/// Days between 1970-01-01 and a date of the Gregorian calendar. Years are counted from March on, so that
/// the leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day
        - 1
        - 719_468
}

/// Seconds since 1970 as `2031-05-01T12:00:00Z`.
pub fn rfc3339(unix: i64) -> String {
    let days = unix.div_euclid(86_400);
    let of_day = unix.rem_euclid(86_400);
    // The year is at least this one; at most one step more is needed.
    let mut year = 1970 + days.div_euclid(366).min(days.div_euclid(365));
    while days_since_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 12;
    while month > 1 && days_since_1970(year, month, 1) > days {
        month -= 1;
    }
    let day = days - days_since_1970(year, month, 1) + 1;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2031-05-01T12:00:00Z", 1_935_403_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(rfc3339(unix), text);
        }
        assert_eq!(time(0x17, b"310501120000Z"), Some(1_935_403_200));
        assert_eq!(time(0x18, b"99991231235959Z"), Some(253_402_300_799));
        assert_eq!(time(0x17, b"991332000000Z"), None);
        assert_eq!(time(0x17, b"\xff\xff"), None);
    }

    #[test]
    fn truncation_anywhere_is_an_error_or_fewer_fields() {
        let key = rcgen::generate_simple_self_signed(["bmc.example".to_owned()]).unwrap();
        let der = key.cert.der().to_vec();
        let whole = CertificateFields::parse(&der).unwrap();
        assert!(whole.self_signed);
        assert!(whole.subject.contains("CN=rcgen self signed cert"));
        assert!(whole.not_after.is_some());
        assert_eq!(whole.rsa_bits(), None);
        assert!(!whole.spki.is_empty());
        for cut in 0..der.len() {
            // The outer length covers everything, so a cut certificate is none.
            assert!(CertificateFields::parse(&der[..cut]).is_err());
        }
        for at in 0..der.len() {
            for value in [0x00, 0x7f, 0x80, 0x84, 0xff] {
                let mut broken = der.clone();
                broken[at] = value;
                let _ = CertificateFields::parse(&broken);
            }
        }
    }

    #[test]
    fn text_has_no_control_characters() {
        assert_eq!(text(0x0c, b"a\x1b[31mb"), "a\u{fffd}[31mb");
        assert_eq!(text(0x1e, b"\0D\0e\0l\0l"), "Dell");
        assert_eq!(text(0x14, b"Fuj\xfctsu"), "Fujütsu");
    }
}
