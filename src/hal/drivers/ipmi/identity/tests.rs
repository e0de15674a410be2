use super::super::scripted::{Scripted, cx};
use super::*;
use crate::hal::error::Kind;

const DEVICE: (&str, &str) = ("06 01", "00 20 01 01 74 02 bf 7c 2a 00 61 09 00 00 00 00");
const GUID: (&str, &str) = (
    "06 37",
    "00 25 3c c4 37 fe 69 88 4f b6 9d 4e 71 dc 40 70 d0",
);
const LAN: [(&str, &str); 3] = [
    ("06 42 0e", "00 01 04 01"),
    ("0c 02 01 05 00 00", "00 11 ac 1f 6b 00 00 01"),
    ("0c 02 01 03 00 00", "00 11 0a 00 00 07"),
];

async fn info(table: &[(&str, &str)]) -> Result<Info, Kind> {
    let got = IpmiIdentity(Scripted::answering(table)).info(&cx()).await;
    got.map(|r| r.value).map_err(|e| e.kind())
}

#[tokio::test]
async fn all_of_it() {
    let bios = ("06 59 00 01 00 00", "00 11 00 00 03 33 2e 36");
    let bmc = Scripted::answering(&[DEVICE, GUID, LAN[0], LAN[1], LAN[2], bios]);
    let got = IpmiIdentity(bmc.clone()).info(&cx()).await.unwrap();
    assert_eq!(got.source.at, "Get Device ID");
    let info = got.value;
    assert_eq!(info.vendor.as_deref(), Some("Supermicro"));
    assert_eq!(
        info.uuid.as_deref(),
        Some("37c43c25-69fe-4f88-b69d-4e71dc4070d0")
    );
    assert_eq!(
        info.uuid_raw.as_deref(),
        Some("253cc437fe69884fb69d4e71dc4070d0")
    );
    assert_eq!(info.bmc.version.as_deref(), Some("1.74"));
    assert_eq!(info.bios.version.as_deref(), Some("3.6"));
    assert_eq!(info.bmc.mac.unwrap().to_string(), "ac:1f:6b:00:00:01");
    assert_eq!(info.bmc.ip.unwrap().to_string(), "10.0.0.7");
    let learnt = bmc.learnt().snapshot();
    assert_eq!(
        (learnt.manufacturer, learnt.product),
        (Some(10876), Some(0x0961))
    );
}

#[tokio::test]
async fn the_device_guid_stands_in() {
    let device = (
        "06 08",
        "00 37 c4 3c 25 69 fe 4f 88 b6 9d 4e 71 dc 40 70 d0",
    );
    for system in [
        "c1",
        "d4",
        "00 00",
        "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
    ] {
        let got = info(&[DEVICE, ("06 37", system), device]).await.unwrap();
        // This one is in RFC 4122 order.
        assert_eq!(
            got.uuid.as_deref(),
            Some("37c43c25-69fe-4f88-b69d-4e71dc4070d0"),
            "{system}"
        );
    }
    let blank = (
        "06 08",
        "00 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff",
    );
    let got = info(&[DEVICE, blank]).await.unwrap();
    assert_eq!((got.uuid, got.uuid_raw), (None, None));
}

#[tokio::test]
async fn what_the_bmc_refuses_is_absent() {
    let got = info(&[DEVICE]).await.unwrap();
    assert_eq!((got.bmc.mac, got.bmc.ip, got.uuid), (None, None, None));
    let denied = [
        DEVICE,
        GUID,
        LAN[0],
        ("0c 02 01 05 00 00", "d4"),
        ("0c 02 01 03 00 00", "d4"),
    ];
    let got = info(&denied).await.unwrap();
    assert_eq!(got.bmc.mac, None);
    assert!(got.uuid.is_some());
}

#[tokio::test]
async fn without_a_device_id_there_is_nothing() {
    assert_eq!(info(&[("06 01", "d4")]).await, Err(Kind::Privilege));
    assert_eq!(info(&[("06 01", "00 20 01")]).await, Err(Kind::Protocol));
    assert_eq!(
        info(&[DEVICE, ("06 37", "timeout")]).await,
        Err(Kind::Timeout)
    );
    assert_eq!(
        info(&[DEVICE, GUID, ("06 42 0e", "auth")]).await,
        Err(Kind::Auth)
    );
}
