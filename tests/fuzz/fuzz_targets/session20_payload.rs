//! Sealed packets with known keys: any bytes where the ciphertext belongs, and any bytes that were sealed.
//!
//! The first byte picks the cipher suite, the second what is done.
#![no_main]

use halbox::hal::ipmi::crypto::{CipherSuite, Keys, Plain, Rakp, Variant, open, seal};
use halbox::hal::ipmi::wire::LanMessage;
use halbox::hal::ipmi::wire::v20::PayloadType;
use halbox::hal::model::Secret;
use libfuzzer_sys::fuzz_target;

fn keys(suite: CipherSuite) -> Keys {
    let rakp = Rakp {
        suite,
        console_id: 1,
        managed_id: 2,
        console_random: [3; 16],
        managed_random: [4; 16],
        managed_guid: [5; 16],
        role: 0x14,
        user: b"admin".to_vec(),
        variant: Variant::default(),
    };
    Keys::derive(&rakp, &Secret::new("password"), None)
}

/// An unencrypted but authenticated twin of each encrypted suite: it gives any bytes a right code.
fn bare(suite: CipherSuite) -> Option<CipherSuite> {
    let id = match suite.id {
        3 => 2,
        8 => 7,
        12 => 11,
        17 => 16,
        _ => return None,
    };
    CipherSuite::by_id(id)
}

fuzz_target!(|data: &[u8]| {
    let [suite, how, rest @ ..] = data else {
        return;
    };
    let suite = CipherSuite::ALL[usize::from(*suite) % CipherSuite::ALL.len()];
    let keys = keys(suite);
    let plain = |payload| Plain {
        payload_type: PayloadType::Ipmi,
        session_id: 1,
        sequence: 7,
        payload,
    };
    match how % 3 {
        // As it came from the network.
        0 => {
            let _ = open(&keys, rest);
        }
        // Sealed properly: it comes back.
        1 => {
            let bytes = seal(&keys, &plain(rest), [9; 16]);
            let packet = open(&keys, &bytes).expect("what was sealed opens");
            assert_eq!(packet.payload, rest);
            let _ = LanMessage::parse_unchecked(&packet.payload);
        }
        // A right code around any ciphertext: decryption and padding see it all.
        _ => {
            let Some(twin) = bare(suite) else { return };
            let mut bytes = seal(&self::keys(twin), &plain(rest), [9; 16]);
            // The bit that says "encrypted" is under the code: a packet that only claims it is refused.
            bytes[5] |= 0x80;
            assert!(open(&keys, &bytes).is_err());
            let _ = open(&self::keys(twin), &bytes);
        }
    }
});
