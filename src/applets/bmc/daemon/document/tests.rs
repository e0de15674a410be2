use super::*;
use crate::api::convert::{driver, millis};
use crate::applets::bmc::daemon::table;
use crate::hal::model::DriverName;

fn row(mac: &str, ip: &str, rest: Option<(&str, DriverName, &str)>) -> proto::Bmc {
    proto::Bmc {
        mac: mac.to_owned(),
        address: Some(ip.to_owned()),
        vendor: rest.map(|r| r.0.to_owned()),
        driver: rest.map(|r| driver(r.1).into()),
        machine_id: rest.map(|r| r.2.to_owned()),
        ..proto::Bmc::default()
    }
}

#[test]
fn ls_prints_the_table_of_the_proposal() {
    let rows = [
        row("27:53:57:51:6b:c8", "10.0.0.8", None),
        row("27:53:57:51:6b:c9", "10.0.0.9", None),
        row(
            "92:33:b8:0e:df:8f",
            "10.0.0.1",
            Some((
                "Supermicro",
                DriverName::Redfish,
                "37c43c25-69fe-4f88-b69d-4e71dc4070d0",
            )),
        ),
        row(
            "b3:74:fc:50:76:b6",
            "10.0.0.4",
            Some((
                "Supermicro",
                DriverName::Redfish,
                "4bdf5c1b-3f7d-47df-84dd-05acb6e0718d",
            )),
        ),
        row(
            "56:62:97:4e:1f:1f",
            "10.0.0.3",
            Some((
                "Dell",
                DriverName::IDrac,
                "995119fd-ec18-4cd7-8ca0-a9e1c2f70624",
            )),
        ),
    ];
    let want = "\
MAC                 IP         VENDOR       DRIVER     MACHINE ID
27:53:57:51:6b:c8   10.0.0.8
27:53:57:51:6b:c9   10.0.0.9
92:33:b8:0e:df:8f   10.0.0.1   Supermicro   Redfish    37c43c25-69fe-4f88-b69d-4e71dc4070d0
b3:74:fc:50:76:b6   10.0.0.4   Supermicro   Redfish    4bdf5c1b-3f7d-47df-84dd-05acb6e0718d
56:62:97:4e:1f:1f   10.0.0.3   Dell         iDrac      995119fd-ec18-4cd7-8ca0-a9e1c2f70624
";
    assert_eq!(table::of(&rows).render(false, true, false), want);
}

const PROPOSAL: &str = r#"
mac: 92:33:b8:0e:df:8f
address: 10.0.0.1
vendor: Supermicro
protocol: Redfish
machine_id: 37c43c25-69fe-4f88-b69d-4e71dc4070d0
created_at: "2024-11-19T11:15:53.760Z"
changed_at: "2024-11-19T11:18:53.760Z"
bios: {date: 12/31/2021, vendor: American Megatrends Inc., version: "3.6"}
board: {board_mfg: Supermicro, board_part_number: X11DPT-B, chassis_part_number: CSE-217BHQ+..., chassis_part_serial: C217BAK18P..., product_manufacturer: Supermicro, product_part_number: SYS-2029BT-HNR, product_serial: E262335X2304003C}
bmc: {version: "1.74"}
ipmi: {interface: lanplus, port: 623, password: abc, user: metal}
redfish: {password: abc, user: metal}
powermetric: {averageconsumedwatts: 70, intervalinmin: 5, maxconsumedwatts: 70, minconsumedwatts: 70, powerstate: "ON", powersupplies: [{status: {health: Critical, state: Enabled}}, {status: {health: OK, state: Enabled}}]}
ledstate: {description: "", value: LED-OFF}
"#;

fn described() -> proto::Bmc {
    let text = |t: &str| Some(t.to_owned());
    let secret = || {
        Some(proto::Secret {
            value: b"abc".to_vec(),
        })
    };
    let supply = |health: &str| proto::PowerSupply {
        name: String::new(),
        health: text(health),
        state: text("Enabled"),
    };
    proto::Bmc {
        created_at: Some(millis(1_732_014_953_760)),
        changed_at: Some(millis(1_732_015_133_760)),
        bios: Some(proto::Bios {
            date: text("12/31/2021"),
            vendor: text("American Megatrends Inc."),
            version: text("3.6"),
        }),
        board: Some(proto::Board {
            board_mfg: text("Supermicro"),
            board_mfg_serial: None,
            board_part_number: text("X11DPT-B"),
            chassis_part_number: text("CSE-217BHQ+..."),
            chassis_part_serial: text("C217BAK18P..."),
            product_manufacturer: text("Supermicro"),
            product_part_number: text("SYS-2029BT-HNR"),
            product_serial: text("E262335X2304003C"),
        }),
        bmc_version: text("1.74"),
        ipmi: Some(proto::IpmiAccess {
            user: text("metal"),
            password: secret(),
            port: 623,
            ..proto::IpmiAccess::default()
        }),
        redfish: Some(proto::RedfishAccess {
            user: text("metal"),
            password: secret(),
            port: None,
            url: None,
        }),
        watts: Some(proto::Watts {
            consumed: Some(70.0),
            average: Some(70.0),
            min: Some(70.0),
            max: Some(70.0),
            interval_minutes: Some(5.0),
        }),
        supplies: vec![supply("Critical"), supply("OK")],
        power_state: text("ON"),
        led: text("LED-OFF"),
        ..row(
            "92:33:b8:0e:df:8f",
            "10.0.0.1",
            Some((
                "Supermicro",
                DriverName::Redfish,
                "37c43c25-69fe-4f88-b69d-4e71dc4070d0",
            )),
        )
    }
}

#[test]
fn describe_prints_the_document_of_the_proposal() {
    let want: Value = crate::applets::common::output::from_yaml(PROPOSAL).unwrap();
    let got = of(&described());
    let (want, got) = (want.as_object().unwrap(), got.as_object().unwrap());
    // The proposal's keys come first, in their order, with their values; the nested ones as well.
    let keys = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(got)[..want.len()], keys(want)[..]);
    for (key, value) in want {
        assert_eq!(
            serde_json::to_string(&got[key]).unwrap(),
            serde_json::to_string(value).unwrap(),
            "{key}"
        );
    }
}

#[test]
fn passwords_are_shown_only_where_they_are() {
    let mut row = described();
    row.ipmi.as_mut().unwrap().password = None;
    row.redfish.as_mut().unwrap().password = None;
    let text = of(&row).to_string();
    assert!(
        !text.contains("password") && text.contains("lanplus"),
        "{text}"
    );
}
