use proptest::prelude::*;

use super::*;
use crate::hal::ipmi::cmd::Command;
use crate::hal::ipmi::cmd::check::{Checked, golden, unhex};
use crate::hal::ipmi::codec::Reader;
use crate::hal::model::MacAddr;

/// What parameter `selector` reads as from `data`, which is also what it is written as.
fn lan(selector: u8, data: &str) -> LanParameter {
    let get = GetLanConfigurationParameters::of(1, selector);
    let request = format!("01{selector:02x}0000");
    let reply = golden(&get, &request, &format!("11{data}"));
    assert_eq!(reply.revision, 0x11);
    let set = SetLanConfigurationParameters {
        channel: 1,
        parameter: reply.parameter.clone(),
    };
    golden(&set, &format!("01{selector:02x}{data}"), "");
    reply.parameter
}

#[test]
fn golden_lan_parameters() {
    let mac = MacAddr([0xac, 0x1f, 0x6b, 0, 0, 1]);
    assert_eq!(lan(0, "01"), LanParameter::SetInProgress(1));
    assert_eq!(lan(1, "17"), LanParameter::AuthTypeSupport(0x17));
    let enables = LanParameter::AuthTypeEnables([0, 0x14, 0x14, 0x14, 0]);
    assert_eq!(lan(2, "0014141400"), enables);
    assert_eq!(lan(3, "c0000207"), LanParameter::Ip([192, 0, 2, 7].into()));
    assert_eq!(lan(4, "02"), LanParameter::IpSource(IpSource::DHCP));
    assert_eq!(lan(5, "ac1f6b000001"), LanParameter::Mac(mac));
    let mask = LanParameter::SubnetMask([255, 255, 255, 0].into());
    assert_eq!(lan(6, "ffffff00"), mask);
    assert_eq!(lan(7, "404010"), LanParameter::Ipv4Header([64, 64, 16]));
    let gateway = LanParameter::Gateway([192, 0, 2, 1].into());
    assert_eq!(lan(12, "c0000201"), gateway);
    assert_eq!(lan(13, "ac1f6b000001"), LanParameter::GatewayMac(mac));
    let backup = LanParameter::BackupGateway([192, 0, 2, 2].into());
    assert_eq!(lan(14, "c0000202"), backup);
    assert_eq!(lan(15, "ac1f6b000001"), LanParameter::BackupGatewayMac(mac));
    let LanParameter::Vlan(tag) = lan(20, "2a80") else {
        panic!("no VLAN")
    };
    assert_eq!((tag.id(), tag), (Some(42), VlanTag::of(Some(42))));
    assert_eq!(VlanTag(0x002a).id(), None);
    assert_eq!(lan(21, "03"), LanParameter::VlanPriority(3));
    assert_eq!(lan(22, "02"), LanParameter::CipherSuiteSupport(2));
    let entries = CipherSuiteEntries {
        reserved: 0,
        ids: vec![3, 17],
    };
    assert_eq!(lan(23, "000311"), LanParameter::CipherSuiteEntries(entries));
    let LanParameter::CipherSuitePrivileges(mut levels) = lan(24, "004300000000000000") else {
        panic!("no privileges")
    };
    assert_eq!((levels.level(0), levels.level(1)), (Some(3), Some(4)));
    assert_eq!((levels.level(15), levels.level(16)), (Some(0), None));
    levels.set_level(1, 0);
    levels.set_level(2, 4);
    levels.set_level(16, 4);
    assert_eq!(levels.levels, [0x03, 0x04, 0, 0, 0, 0, 0, 0]);
    assert_eq!(lan(50, "06"), LanParameter::Ipv6Support(6));
    assert_eq!(lan(51, "02"), LanParameter::Ipv6Enables(2));
    assert_eq!(lan(55, "010203"), LanParameter::Ipv6Status([1, 2, 3]));
    let address = "fe80000000000000000000000000000140";
    let LanParameter::Ipv6DynamicAddress(entry) = lan(59, &format!("0002{address}00")) else {
        panic!("no address")
    };
    assert_eq!(entry.address.to_string(), "fe80::1");
    assert_eq!((entry.prefix, entry.status), (64, Some(0)));
    lan(56, &format!("0080{address}"));
    lan(64, "03");
    lan(65, "fe800000000000000000000000000001");
    lan(74, "00fe800000000000000000000000000001");
    let port = LanParameter::Other {
        selector: 8,
        data: vec![0x6f, 0x02],
    };
    assert_eq!(lan(8, "6f02"), port);
    let community = format!("{:?}", lan(16, &"70".repeat(18)));
    assert_eq!(community, "Community(Community(..))");
}

#[test]
fn golden_others() {
    let statistics = golden(
        &GetIpUdpRmcpStatistics {
            channel: 1,
            clear: true,
        },
        "0101",
        "010002000300040005000600070008000900",
    );
    assert_eq!((statistics.ip_received, statistics.proxy_dropped), (1, 9));
    let sol = |selector: u8, data: &str| {
        let get = GetSolConfigurationParameters::of(1, selector);
        let request = format!("01{selector:02x}0000");
        golden(&get, &request, &format!("11{data}")).parameter
    };
    assert_eq!(sol(1, "01"), SolParameter::Enable(1));
    assert_eq!(sol(2, "c3"), SolParameter::Authentication(0xc3));
    let accumulate = SolParameter::Accumulate {
        interval: 12,
        threshold: 96,
    };
    assert_eq!(sol(3, "0c60"), accumulate);
    assert_eq!(sol(6, "0a"), SolParameter::VolatileBitRate(10));
    assert_eq!(sol(8, "6f02"), SolParameter::Port(623));
    let set = SetSolConfigurationParameters {
        channel: 1,
        parameter: SolParameter::Retry {
            count: 7,
            interval: 50,
        },
    };
    golden(&set, "01040732", "");
}

#[test]
fn every_parameter_names_what_is_missing() {
    let cut = |selector: u8, bytes: &str| {
        let get = GetLanConfigurationParameters::of(1, selector);
        let read = get.decode_reply(&mut Reader::new(&unhex(bytes)));
        read.unwrap_err().to_string()
    };
    assert_eq!(cut(3, "11c00002"), "IP address: need 4 bytes, have 3");
    assert_eq!(cut(5, "11ac"), "MAC address: need 6 bytes, have 1");
    assert_eq!(cut(20, "112a"), "VLAN ID: need 2 bytes, have 1");
    assert_eq!(
        cut(24, "1100"),
        "cipher suite privilege levels: need 8 bytes, have 0"
    );
    assert_eq!(cut(3, ""), "parameter revision: need 1 bytes, have 0");
    // Only the revision was asked for.
    let get = GetLanConfigurationParameters::of(0x81, 3);
    let read = get.decode_reply(&mut Reader::new(&[0x11])).unwrap();
    let none = LanParameter::Other {
        selector: 3,
        data: Vec::new(),
    };
    assert_eq!(read.parameter, none);
}

fn lan_parameter() -> impl Strategy<Value = LanParameter> {
    (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(selector, data)| {
        LanParameter::decode(selector, &mut Reader::new(&data)).unwrap_or(LanParameter::Other {
            selector,
            data: Vec::new(),
        })
    })
}

fn sol_parameter() -> impl Strategy<Value = SolParameter> {
    (0u8..12, proptest::collection::vec(any::<u8>(), 0..8)).prop_map(|(selector, data)| {
        SolParameter::decode(selector, &mut Reader::new(&data)).unwrap_or(SolParameter::Other {
            selector,
            data: Vec::new(),
        })
    })
}

#[expect(clippy::many_single_char_names, reason = "arbitrary values")]
fn check(
    b: [u8; 4],
    words: [u16; 9],
    clear: bool,
    lan: &LanParameter,
    sol: &SolParameter,
) -> Checked {
    let mut seen = Checked::default();
    let [channel, revision, set, block] = b;
    let set_lan = SetLanConfigurationParameters {
        channel,
        parameter: lan.clone(),
    };
    seen.varied(&set_lan, &());
    let get_lan = GetLanConfigurationParameters {
        channel,
        selector: lan.selector(),
        set,
        block,
    };
    let reply = LanConfiguration {
        revision,
        parameter: lan.clone(),
    };
    seen.varied(&get_lan, &reply);
    let set_sol = SetSolConfigurationParameters {
        channel,
        parameter: sol.clone(),
    };
    seen.varied(&set_sol, &());
    let get_sol = GetSolConfigurationParameters {
        channel,
        selector: sol.selector(),
        set,
        block,
    };
    let reply = SolConfiguration {
        revision,
        parameter: sol.clone(),
    };
    seen.varied(&get_sol, &reply);
    let [a, b, c, d, e, f, g, h, i] = words;
    let statistics = IpUdpRmcpStatistics {
        ip_received: a,
        ip_header_errors: b,
        ip_address_errors: c,
        ip_fragments: d,
        ip_sent: e,
        udp_received: f,
        rmcp_received: g,
        proxy_received: h,
        proxy_dropped: i,
    };
    let get = GetIpUdpRmcpStatistics { channel, clear };
    seen.both_ways(&get, &statistics, (2, 18));
    for cut in 0..4 {
        assert!(GetLanConfigurationParameters::decode(&mut Reader::new(&[1; 4][..cut])).is_err());
        assert!(GetSolConfigurationParameters::decode(&mut Reader::new(&[1; 4][..cut])).is_err());
    }
    seen
}

#[test]
fn every_command_is_checked() {
    let lan = LanParameter::VlanPriority(1);
    let sol = SolParameter::Port(623);
    check([1; 4], [1; 9], true, &lan, &sol).assert_complete("transport");
}

proptest! {
    #[test]
    fn commands(b: [u8; 4], words: [u16; 9], clear: bool, lan in lan_parameter(), sol in sol_parameter()) {
        check(b, words, clear, &lan, &sol);
    }
}
