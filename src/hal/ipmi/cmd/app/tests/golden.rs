//! Bytes from the specification's tables and from answers of real BMCs and of Debian's ipmi_sim.

use super::*;

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
