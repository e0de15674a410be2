//! Bytes from the specification's tables and from answers of real BMCs and of Debian's ipmi_sim.

use super::*;
use crate::hal::model::Secret;

/// The request's bytes, and a reply that comes back as the same bytes.
fn golden<C: Command>(command: &C, request: &str, answer: &str) -> C::Reply {
    let mut out = Vec::new();
    command.encode(&mut out);
    assert_eq!(hex(&out), request, "{}", C::NAME);
    let bytes = unhex(answer);
    let reply = command.decode_reply(&mut Reader::new(&bytes)).unwrap();
    let mut back = Vec::new();
    C::encode_reply(&reply, &mut back);
    assert_eq!(hex(&back), answer, "{} reply", C::NAME);
    reply
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn device() {
    let id = golden(&GetDeviceId, "", "2001017402bf7c2a006109");
    assert_eq!((id.firmware(), id.ipmi()), ("1.74".into(), (2, 0)));
    assert_eq!((id.manufacturer, id.product), (10876, 0x0961));
    assert_eq!(id.auxiliary, None);
    let id = golden(&GetDeviceId, "", "2081890051bf570100004500000102");
    assert!(id.device_sdrs && id.updating);
    assert_eq!((id.revision, id.firmware()), (1, "9.00".into()));
    assert_eq!((id.ipmi(), id.manufacturer), ((1, 5), 343));
    assert_eq!(id.auxiliary, Some([0, 0, 1, 2]));
    assert_eq!(golden(&GetSelfTestResults, "", "5500"), SelfTest::PASSED);
    assert_eq!(golden(&GetAcpiPowerState, "", "052a").system, 5);
    let guid = golden(&GetSystemGuid, "", "253cc437fe69884fb69d4e71dc4070d0");
    assert_eq!(guid.to_string(), "253cc437fe69884fb69d4e71dc4070d0");
}

#[test]
fn device_id_without_auxiliary_revision_cut_short() {
    for extra in 1..4 {
        let mut bytes = unhex("2001017402bf7c2a006109");
        bytes.resize(bytes.len() + extra, 0);
        let id = GetDeviceId.decode_reply(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(id.auxiliary, None);
    }
}

#[test]
fn authentication_capabilities() {
    let ask = GetChannelAuthCapabilities {
        channel: PRESENT_CHANNEL,
        extended: true,
        privilege: Privilege::Administrator.into(),
    };
    // The packet that scanners send, and an answer that has everything.
    let caps = golden(&ask, "8e04", "0197360301020304");
    assert_eq!((caps.channel, caps.oem, caps.oem_data), (1, 0x0003_0201, 4));
    assert!(caps.speaks_v2_0() && caps.speaks_v1_5());
    assert_eq!(caps.types.names(), ["none", "password", "md2", "md5"]);
    let status = caps.status;
    assert!(status.kg && status.no_per_message_auth && status.named_users && status.null_users);
    assert!(!status.anonymous && !status.no_user_level_auth);
    // An IPMI 1.5 BMC whose reply ends after the status.
    let old = ask
        .decode_reply(&mut Reader::new(&[1, 0x15, 0x04]))
        .unwrap();
    assert!(old.speaks_v1_5() && !old.speaks_v2_0());
    // 2.0 only.
    let new = ask
        .decode_reply(&mut Reader::new(&[1, 0x80, 0x04, 0x02]))
        .unwrap();
    assert!(!new.speaks_v1_5() && new.speaks_v2_0());
}

fn suites(chunks: &[&str]) -> Vec<u8> {
    let mut records = CipherSuiteRecords::default();
    let mut next = Some(0);
    for (i, data) in chunks.iter().enumerate() {
        assert_eq!(next, Some(i as u8), "chunk {i} was not asked for");
        next = records.push(&CipherSuiteChunk {
            channel: 1,
            data: unhex(data),
        });
    }
    assert_eq!(next, None, "the list goes on");
    records.ids()
}

#[test]
fn cipher_suites() {
    let ask = GetChannelCipherSuites {
        channel: 0x0e,
        payload: 0,
        by_suite: true,
        index: 1,
    };
    golden(&ask, "0e0081", "01c003014181");
    assert_eq!(suites(&["c003014181c011034481"]), [3, 17]);
    // Cut by the chunks; suite 3 twice; an OEM record; a byte that is nothing.
    assert_eq!(
        suites(&[
            "c000004080c001014080c002014180c0",
            "03014181c003014181ffc180aabbcc01",
            "4181c011034481"
        ]),
        [0, 1, 2, 3, 17]
    );
    // OpenBMC: algorithms without start byte and id.
    assert_eq!(suites(&["034481"]), [17]);
    assert_eq!(suites(&["034481014181"]), [3, 17]);
    assert!(suites(&[""]).is_empty());
    // A record that ends early.
    assert_eq!(suites(&["c003014181c0"]), [3]);
    assert_eq!(suites(&["c003014181c18001"]), [3]);
}

#[test]
fn cipher_suite_list_always_ends() {
    // The same chunk for every index.
    assert_eq!(suites(&["c003014181c003014181c003014181c0"; 2]), [3]);
    // Another chunk for each index.
    let mut records = CipherSuiteRecords::default();
    let mut asked = 0u8;
    let mut data = vec![0xc0; 16];
    while let Some(next) = records.push(&CipherSuiteChunk {
        channel: 1,
        data: data.clone(),
    }) {
        asked += 1;
        assert_eq!(next, asked);
        data[1] = asked;
    }
    assert_eq!(asked, MAX_CIPHER_LIST_INDEX);
    // Chunks longer than 16 bytes count as 16.
    let mut records = CipherSuiteRecords::default();
    records.push(&CipherSuiteChunk {
        channel: 1,
        data: vec![0xc0; 5000],
    });
    assert_eq!(records.records().len(), 8);
}

#[test]
fn session() {
    let mut user = [0; 16];
    user[..5].copy_from_slice(b"ADMIN");
    let challenge = golden(
        &GetSessionChallenge { auth_type: 2, user },
        "0241444d494e0000000000000000000000",
        "04030201000102030405060708090a0b0c0d0e0f",
    );
    assert_eq!(
        (challenge.session, challenge.challenge[15]),
        (0x0102_0304, 15)
    );
    let active = golden(
        &ActivateSession {
            auth_type: 2,
            privilege: Privilege::Administrator.into(),
            challenge: challenge.challenge,
            outbound_sequence: 1,
        },
        "0204000102030405060708090a0b0c0d0e0f01000000",
        "02080706050a00000003",
    );
    assert_eq!((active.session, active.inbound_sequence), (0x0506_0708, 10));
    assert_eq!(active.privilege.known(), Some(Privilege::Operator));
    let operator = SetSessionPrivilegeLevel {
        privilege: Privilege::Operator.into(),
    };
    assert_eq!(golden(&operator, "03", "03"), Privilege::Operator.into());
    golden(
        &CloseSession {
            session: 0x0102_0304,
            handle: None,
        },
        "04030201",
        "",
    );
    golden(
        &CloseSession {
            session: 0,
            handle: Some(7),
        },
        "0000000007",
        "",
    );
    let info = golden(
        &GetSessionInfo {
            session: SessionSelector::Present,
        },
        "00",
        "0210010204110a00000100163e0000019cc4",
    );
    let entry = info.entry.unwrap();
    assert_eq!(
        (info.active, entry.user, entry.protocol, entry.channel),
        (1, 2, 1, 1)
    );
    let peer = entry.peer.unwrap();
    assert_eq!(
        (peer.ip.to_string(), peer.port),
        ("10.0.0.1".into(), 0xc49c)
    );
    golden(
        &GetSessionInfo {
            session: SessionSelector::Handle(3),
        },
        "fe03",
        "003f00",
    );
    golden(
        &GetSessionInfo {
            session: SessionSelector::Id(1),
        },
        "ff01000000",
        "003f00",
    );
}

#[test]
fn unknown_levels_are_kept_and_named() {
    assert_eq!(PrivilegeLevel(0x0f).to_string(), "NO ACCESS");
    assert_eq!(PrivilegeLevel(0x09).to_string(), "reserved (0x9)");
    assert_eq!(PrivilegeLevel::from(Privilege::User).to_string(), "USER");
}

#[test]
fn channels() {
    let access = golden(
        &GetChannelAccess {
            channel: 1,
            copy: Stored::NonVolatile,
        },
        "0140",
        "2204",
    );
    assert_eq!((access.mode, access.limit.0), (AccessMode::ALWAYS, 4));
    assert!(access.alerting_disabled && !access.no_per_message_auth && !access.no_user_level_auth);
    let always = ChannelAccess {
        alerting_disabled: false,
        ..access
    };
    for (stored, bytes) in [
        (Stored::NonVolatile, "014244"),
        (Stored::Volatile, "018284"),
    ] {
        let set = SetChannelAccess {
            channel: 1,
            settings: stored,
            limit: stored,
            access: always,
        };
        golden(&set, bytes, "");
    }
    // Answers of ipmi_sim: LAN channel 1, and what OpenBMC says of its Ethernet.
    let info = golden(&GetChannelInfo { channel: 1 }, "01", "01040181f21b000000");
    assert!(info.medium.is_lan());
    assert_eq!((info.sessions, info.active, info.vendor), (2, 1, 7154));
    let info = GetChannelInfo { channel: 1 }
        .decode_reply(&mut Reader::new(&[1, 6, 1]))
        .unwrap();
    assert!(info.medium.is_lan());
    assert!(!Medium::SYSTEM.is_lan() && !Medium::SERIAL.is_lan());
    let key = SetChannelSecurityKeys {
        channel: 1,
        operation: 1,
        key_id: 1,
        key: Secret::new([0x6b; 20]),
    };
    golden(&key, &format!("010101{}", "6b".repeat(20)), "02");
}

#[test]
fn users() {
    // What xCAT sends to make an administrator.
    let access = SetUserAccess {
        channel: 1,
        user: 4,
        change_bits: true,
        bits: UserAccessBits {
            callback_only: false,
            link_auth: true,
            messaging: true,
        },
        limit: Privilege::Administrator.into(),
        session_limit: None,
    };
    golden(&access, "b10404", "");
    let access = golden(
        &GetUserAccess {
            channel: 1,
            user: 2,
        },
        "0102",
        "10420134",
    );
    assert_eq!(
        (access.max_users, access.enabled_users, access.fixed_names),
        (16, 2, 1)
    );
    assert_eq!((access.status, access.limit.0), (UserStatus::Enabled, 4));
    assert!(access.bits.messaging && access.bits.link_auth && !access.bits.callback_only);
    let name = UserName::new("root").unwrap();
    golden(
        &SetUserName { user: 2, name },
        "02726f6f74000000000000000000000000",
        "",
    );
    let name = golden(
        &GetUserName { user: 2 },
        "02",
        "30313233343536373839616263646566",
    );
    assert_eq!(name.text(), "0123456789abcdef");
}

#[test]
fn user_names() {
    assert_eq!(UserName::new("0123456789abcdefg"), None);
    assert_eq!(UserName::new("a\0b"), None);
    assert_eq!(UserName::new("").unwrap().text(), "");
    assert_eq!(UserName([0xff; 16]).text(), "");
    assert_eq!(UserName::new("müller").unwrap().text(), "müller");
}

#[test]
fn passwords() {
    let set = |password: &str, twenty| SetUserPassword {
        user: 3,
        operation: PasswordOperation::Set,
        twenty,
        password: Some(Secret::new(password)),
    };
    golden(
        &set("ADMIN", false),
        "030241444d494e0000000000000000000000",
        "",
    );
    golden(
        &set("ADMIN", true),
        "830241444d494e000000000000000000000000000000",
        "",
    );
    let enable = SetUserPassword {
        user: 3,
        operation: PasswordOperation::Enable,
        twenty: false,
        password: None,
    };
    golden(&enable, "0301", "");
    // 17 to 20 bytes only fit the longer form.
    let mut long = Vec::new();
    set("0123456789abcdefghij", true).encode(&mut long);
    assert_eq!(&long[2..], b"0123456789abcdefghij");
    let shown = format!("{:?}", set("hunter2", false));
    assert!(
        !shown.contains("hunter2") && shown.contains("***"),
        "{shown}"
    );
    // A password that is too short for its form is an error that names it and shows nothing of it.
    let short = SetUserPassword::decode(&mut Reader::new(&[3, 2, b'h', b'i'])).unwrap_err();
    assert_eq!(short.to_string(), "password: need 16 bytes, have 2");
    let keys = SetChannelSecurityKeys {
        channel: 1,
        operation: 1,
        key_id: 1,
        key: Secret::new("hunter2"),
    };
    assert!(!format!("{keys:?}").contains("hunter2"));
}

#[test]
fn payloads() {
    let activate = ActivatePayload {
        payload: PAYLOAD_SOL,
        instance: 1,
        auxiliary: [0xc6, 0, 0, 0],
    };
    let active = golden(&activate, "0101c6000000", "00000000e600e6006f02ffff");
    assert_eq!(
        (active.inbound_size, active.port, active.vlan),
        (230, 623, 0xffff)
    );
    let deactivate = DeactivatePayload {
        payload: PAYLOAD_SOL,
        instance: 1,
        auxiliary: [0; 4],
    };
    golden(&deactivate, "010100000000", "");
    let status = golden(&GetPayloadActivationStatus { payload: 1 }, "01", "010100");
    assert!(status.is_active(1) && !status.is_active(2));
    assert!(!status.is_active(0) && !status.is_active(17) && !status.is_active(255));
    let info = golden(
        &GetPayloadInstanceInfo {
            payload: 1,
            instance: 1,
        },
        "0101",
        "040302010100000000000000",
    );
    assert_eq!(info.session, 0x0102_0304);
    let sol = PayloadTypes {
        standard: 2,
        oem: 0,
    };
    golden(
        &SetUserPayloadAccess {
            channel: 1,
            user: 2,
            operation: 0,
            types: sol,
        },
        "010202000000",
        "",
    );
    assert_eq!(
        golden(
            &GetUserPayloadAccess {
                channel: 1,
                user: 2
            },
            "0102",
            "02000000"
        ),
        sol
    );
    let support = golden(
        &GetChannelPayloadSupport { channel: 1 },
        "01",
        "0300070000000000",
    );
    assert_eq!((support.types.standard, support.session_setup), (3, 7));
}

#[test]
fn watchdog_and_host() {
    let timer = WatchdogTimer {
        usage: 4,
        action: 1,
        countdown: 600,
        ..WatchdogTimer::default()
    };
    golden(&SetWatchdogTimer { timer }, "040100005802", "");
    golden(&ResetWatchdogTimer, "", "");
    let state = golden(&GetWatchdogTimer, "", "c4310010b80bac0b");
    assert!(state.timer.running && state.timer.no_log);
    assert_eq!((state.timer.countdown, state.present), (3000, 2988));
    assert_eq!(
        (
            state.timer.usage,
            state.timer.pre_action,
            state.timer.action
        ),
        (4, 3, 1)
    );
    let ask = GetSystemInfoParameters::text(GetSystemInfoParameters::FIRMWARE_VERSION, 0);
    let version = golden(&ask, "00010000", "1100000531332e3041");
    assert_eq!(version.data.get(3..), Some(b"13.0A".as_slice()));
    assert!(golden(&GetBmcGlobalEnables, "", "0f").logs_events());
}
