//! Known answers: RFC vectors, and a captured session of ipmitool 1.8.19 with ipmi_sim 2.0.33.

use super::hash::{hmac, md5};
use super::md2::md2;
use super::suite::AuthAlgorithm;
use crate::hal::ipmi::codec::hex;

#[test]
fn md2_of_rfc_1319() {
    for (text, digest) in [
        ("", "8350e5a3e24c153df2275c9f80692773"),
        ("a", "32ec01ec4a6dac72c0ab96fb34c0b5d1"),
        ("abc", "da853b0d3f88d99b30283a69e6ded6bb"),
        ("message digest", "ab4f496bfb2a530b219ff33031fe06b0"),
        (
            "abcdefghijklmnopqrstuvwxyz",
            "4e8ddff3650292ab5a4108c3aa47940b",
        ),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "d5976f79d83d3a0dc9806c3c66f3efd8",
        ),
    ] {
        assert_eq!(hex(&md2(&[text.as_bytes()])), digest, "{text}");
        let (a, b) = text.as_bytes().split_at(text.len() / 2);
        assert_eq!(hex(&md2(&[a, b])), digest, "{text} in two parts");
    }
}

#[test]
fn md5_of_rfc_1321() {
    assert_eq!(
        hex(&md5(&[b"ab", b"c"])),
        "900150983cd24fb0d6963f7d28e17f72"
    );
}

/// Test case 2 of RFC 2202 (MD5, SHA-1) and RFC 4231 (SHA-256).
#[test]
fn hmac_of_rfc_2202_and_4231() {
    for (algorithm, digest) in [
        (AuthAlgorithm::None, ""),
        (AuthAlgorithm::HmacMd5, "750c783e6ab0b503eaa86e310a5db738"),
        (
            AuthAlgorithm::HmacSha1,
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        ),
        (
            AuthAlgorithm::HmacSha256,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ] {
        let code = hmac(algorithm, b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(hex(&code), digest);
        assert_eq!(code.len(), algorithm.code_len());
    }
}
