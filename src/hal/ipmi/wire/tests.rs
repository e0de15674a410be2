//! Golden bytes and properties of every wire type.

use super::*;

#[test]
fn presence_ping_is_what_ipmitool_sends() {
    let ping = asf::Ping { tag: 0 };
    assert_eq!(
        crate::hal::ipmi::codec::hex(&ping.datagram()),
        "0600ff06000011be80000000"
    );
    assert_eq!(Datagram::parse(&ping.datagram()), Ok(Datagram::Ping(ping)));
}
