//! Datagrams and handshake payloads: what is read can be written, and reads as the same again.
#![no_main]

use halbox::hal::ipmi::wire::rakp::{
    OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4,
};
use halbox::hal::ipmi::wire::{Datagram, LanMessage, RmcpHeader, ipmi_datagram};
use libfuzzer_sys::fuzz_target;

macro_rules! again {
    ($type:ty, $bytes:expr) => {
        if let Ok(value) = <$type>::parse($bytes) {
            let mut out = Vec::new();
            value.emit(&mut out);
            assert_eq!(<$type>::parse(&out).as_ref(), Ok(&value));
        }
    };
}

fuzz_target!(|data: &[u8]| {
    again!(RmcpHeader, data);
    let payload = match Datagram::parse(data) {
        Ok(Datagram::Ping(ping)) => {
            assert_eq!(
                Datagram::parse(&ping.datagram()),
                Ok(Datagram::Ping(ping))
            );
            return;
        }
        Ok(Datagram::Pong(pong)) => {
            assert_eq!(
                Datagram::parse(&pong.datagram()),
                Ok(Datagram::Pong(pong))
            );
            return;
        }
        Ok(Datagram::Ack(_)) => return,
        Ok(Datagram::V15(packet)) => {
            let bytes = ipmi_datagram(|out| packet.emit(out));
            assert_eq!(Datagram::parse(&bytes), Ok(Datagram::V15(packet.clone())));
            packet.payload
        }
        Ok(Datagram::V20(packet)) => {
            let bytes = ipmi_datagram(|out| packet.emit(out));
            assert_eq!(Datagram::parse(&bytes), Ok(Datagram::V20(packet.clone())));
            packet.payload
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            data.to_vec()
        }
    };
    again!(OpenSessionRequest, &payload);
    again!(OpenSessionResponse, &payload);
    again!(Rakp1, &payload);
    again!(Rakp2, &payload);
    again!(Rakp3, &payload);
    again!(Rakp4, &payload);
    again!(LanMessage, &payload);
    if let Ok(message) = LanMessage::parse_unchecked(&payload) {
        assert_eq!(LanMessage::parse(&message.to_vec()), Ok(message));
    }
});
