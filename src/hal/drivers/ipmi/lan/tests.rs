use super::super::scripted::{Scripted, cx};
use super::*;

const PRESENT: (&str, &str) = ("06 42 0e", "00 01 04 01 81 f2 1b 00 00 00");
const MAC: (&str, &str) = ("0c 02 01 05 00 00", "00 11 ac 1f 6b 00 00 01");
const IP: (&str, &str) = ("0c 02 01 03 00 00", "00 11 0a 00 00 07");

async fn lan(table: &[(&str, &str)]) -> Result<LanInfo, Kind> {
    let got = IpmiNetwork(Scripted::answering(table)).lan(&cx()).await;
    got.map(|r| r.value).map_err(|e| e.kind())
}

async fn channel(table: &[(&str, &str)]) -> Result<(u8, bool), Kind> {
    lan_channel(&*Scripted::answering(table), &cx())
        .await
        .map(|c| (c.number, c.mac.is_some()))
        .map_err(|e| e.kind())
}

#[tokio::test]
async fn reads_the_channel_it_came_by() {
    let bmc = Scripted::in_order(&[
        PRESENT,
        MAC,
        IP,
        IP,
        ("0c 02 01 04 00 00", "00 11 02"),
        ("0c 02 01 06 00 00", "00 11 ff ff ff 00"),
        ("0c 02 01 0c 00 00", "00 11 0a 00 00 01"),
        ("0c 02 01 14 00 00", "00 11 64 80"),
    ]);
    let got = IpmiNetwork(bmc.clone()).lan(&cx()).await.unwrap();
    bmc.assert_done();
    assert_eq!(got.source.at, "Get LAN Configuration Parameters");
    let json = serde_json::to_value(&got.value).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"channel": 1, "mac": "ac:1f:6b:00:00:01", "ip": "10.0.0.7",
            "netmask": "255.255.255.0", "gateway": "10.0.0.1", "source": "dhcp", "vlan": 100})
    );
}

#[tokio::test]
async fn what_the_bmc_has_not_is_absent() {
    let info = lan(&[
        PRESENT,
        MAC,
        ("0c 02 01 14 00 00", "80"),
        ("0c 02 01 04 00 00", "00 11 f1"),
    ])
    .await
    .unwrap();
    assert_eq!(info.ip, None);
    assert_eq!(info.source.as_deref(), Some("static"));
    assert_eq!(info.vlan, None);
    // Unset, and a VLAN id that is not in use.
    let unset = ("0c 02 01 0c 00 00", "00 11 00 00 00 00");
    let info = lan(&[
        PRESENT,
        MAC,
        IP,
        unset,
        ("0c 02 01 14 00 00", "00 11 64 00"),
    ])
    .await
    .unwrap();
    assert_eq!((info.gateway, info.vlan), (None, None));
    assert!(info.ip.is_some());
}

#[tokio::test]
async fn a_reply_without_its_data_spoils_only_its_own_field() {
    let info = lan(&[
        PRESENT,
        MAC,
        IP,
        ("0c 02 01 06 00 00", "00 11 ff"),
        ("0c 02 01 0c 00 00", "00"),
    ])
    .await
    .unwrap();
    assert_eq!((info.netmask, info.gateway), (None, None));
    assert_eq!(
        info.ip.map(|ip| ip.to_string()).as_deref(),
        Some("10.0.0.7")
    );
}

#[tokio::test]
async fn other_lan_on_another_channel() {
    let second = [
        ("06 42 0e", "00 0f 0c 05"),
        ("06 42 01", "00 01 05 01"),
        ("06 42 02", "00 02 06 01"),
        ("0c 02 02 05 00 00", "00 11 ac 1f 6b 00 00 02"),
    ];
    assert_eq!(channel(&second).await, Ok((2, true)));
}

#[tokio::test]
async fn the_channel_with_an_address_is_preferred() {
    let table = [
        ("06 42 01", "00 01 04 01"),
        ("0c 02 01 05 00 00", "00 11 ac 1f 6b 00 00 01"),
        ("0c 02 01 03 00 00", "00 11 00 00 00 00"),
        ("06 42 03", "00 03 04 01"),
        ("0c 02 03 05 00 00", "00 11 ac 1f 6b 00 00 03"),
        ("0c 02 03 03 00 00", "00 11 0a 00 00 03"),
    ];
    assert_eq!(channel(&table).await, Ok((3, true)));
}

#[tokio::test]
async fn lies_about_the_present_channel_are_not_believed() {
    // It is said to be channel 0xE, or one whose MAC cannot be: the search goes on.
    for (present, mac) in [
        ("00 0e 04 01", "00 11 ac 1f 6b 00 00 01"),
        ("00 02 04 01", "00 11 ac 1f 6b 00 00 01"),
        ("00 04", "00 11 ac 1f 6b 00 00 01"),
    ] {
        let table = [
            ("06 42 0e", present),
            ("06 42 01", "00 01 04 01"),
            ("0c 02 01 05 00 00", mac),
            ("0c 02 02 05 00 00", "00 11 ff ff ff ff ff ff"),
        ];
        assert_eq!(channel(&table).await, Ok((1, true)), "{present}");
    }
}

#[tokio::test]
async fn refusals() {
    // Nothing there.
    assert_eq!(channel(&[]).await, Err(Kind::Unsupported));
    // The account may not.
    assert_eq!(channel(&[("06 42 01", "d4")]).await, Err(Kind::Privilege));
    let mut refused = vec![PRESENT, ("06 42 01", "00 01 04 01")];
    let requests: Vec<String> = [3, 4, 5, 6, 12, 20]
        .iter()
        .map(|n| format!("0c 02 01 {n:02x} 00 00"))
        .collect();
    refused.extend(requests.iter().map(|r| (r.as_str(), "d4")));
    assert_eq!(lan(&refused).await, Err(Kind::Privilege));
    // Silence ends it at once.
    let silent = Scripted::in_order(&[("06 42 0e", "timeout")]);
    assert_eq!(
        lan_channel(&*silent, &cx()).await.unwrap_err().kind(),
        Kind::Timeout
    );
}
