//! A replay answers as recorded, and keeps what is written.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Index, LOGIN_SLOT, profile, seed};
use crate::hal::ipmi::cmd::{CompletionCode, NetFn, Privilege};
use crate::hal::ipmi::responder::{Answer, Caller};
use crate::hal::ipmi::wire::LanMessage;
use crate::hal::model::Secret;
use crate::hal::recording::{IpmiAnswer, Recording};
use crate::hal::sim::bmc::{Bmc, Manners};
use crate::hal::sim::handlers::{Order, execute};
use crate::hal::sim::redfish::{Ask, Method, answer};
use crate::hal::sim::state::{Clock, Server, Users};

fn recording() -> Recording {
    let mut recording = Recording::new();
    let mut add = |path: &str, headers: &[(String, String)], body: Value| {
        recording.add_redfish(path, 200, headers, body.to_string().as_bytes());
    };
    add(
        "/redfish/v1",
        &[],
        json!({"Links": {"Sessions": {"@odata.id": "/redfish/v1/Sess"}}, "AccountService": {"@odata.id": "/redfish/v1/AccountService"}}),
    );
    add(
        "/redfish/v1/AccountService",
        &[],
        json!({"Accounts": {"@odata.id": "/redfish/v1/AccountService/Accounts"}}),
    );
    add(
        "/redfish/v1/AccountService/Accounts",
        &[],
        json!({"@odata.id": "/redfish/v1/AccountService/Accounts", "Members": [{"@odata.id": "/redfish/v1/AccountService/Accounts/2"}]}),
    );
    add(
        "/redfish/v1/AccountService/Accounts/2",
        &[],
        json!({"Id": "2", "UserName": "root", "RoleId": "Administrator", "Enabled": true}),
    );
    let etag = [("etag".to_owned(), "W/\"7\"".to_owned())];
    add(
        "/redfish/v1/Systems/1/",
        &etag,
        json!({
            "PowerState": "On", "IndicatorLED": "Off",
            "Boot": {"BootSourceOverrideTarget": "None", "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe"]},
            "Actions": {"#ComputerSystem.Reset": {"target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", "ResetType@Redfish.AllowableValues": ["On", "ForceOff"]}},
        }),
    );
    recording.add_redfish("/redfish/v1/Broken", 200, &[], b"{\"a\":");
    recording.add_redfish("/redfish/v1/Locked", 403, &[], b"{\"error\":{}}");
    let ipmi = |netfn, cmd, data: &[u8], reply: &[u8]| IpmiAnswer {
        bridged: None,
        lun: 0,
        netfn,
        cmd,
        data: data.to_vec(),
        code: 0,
        reply: reply.to_vec(),
    };
    recording.ipmi = vec![
        ipmi(6, 1, &[], b"\x20\x81"),
        ipmi(0, 1, &[], &[0x61, 0x10, 0x40]),
        ipmi(4, 0x2d, &[9], &[10]),
        ipmi(4, 0x2d, &[9], &[11]),
        ipmi(
            0x0a,
            0x43,
            &[0x34, 0x12, 0, 0, 0, 0xff],
            &[
                0xff, 0xff, 1, 0, 2, 0, 0, 0, 0, 0x20, 0, 4, 1, 2, 1, 0, 0, 0,
            ],
        ),
        IpmiAnswer {
            bridged: Some((6, 0x2c)),
            ..ipmi(4, 0x2d, &[9], &[33])
        },
    ];
    recording
}

/// Send Message to channel 6 with Get Sensor Reading of sensor 9 for the controller at `address`.
fn relayed(address: u8) -> Vec<u8> {
    let inner = LanMessage {
        to: address,
        netfn: NetFn(4),
        to_lun: 0,
        from: 0x20,
        seq: 5,
        from_lun: 0,
        cmd: 0x2d,
        data: vec![9],
    };
    let mut data = vec![0x46];
    inner.emit(&mut data);
    data
}

fn bed() -> (Bmc, Instant) {
    let recording = recording();
    let index = Arc::new(Index::new(&recording));
    let profile = Arc::new(profile(&recording));
    let users = Users::new(&profile.users, "admin", &Secret::new("admin"));
    let now = Instant::now();
    let clock = Clock {
        origin: now,
        unix: 1_735_689_600,
    };
    let mut server = Server::new(&profile, 0, IpAddr::V4(Ipv4Addr::LOCALHOST), &users, clock);
    seed(&mut server, &index);
    (
        Bmc::new(server, Arc::clone(&profile.sessions), Manners::default(), 1),
        now,
    )
}

fn ask(bmc: &mut Bmc, now: Instant, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let mut ask = Ask::new(method, path);
    // admin:admin
    ask.authorization = Some("Basic YWRtaW46YWRtaW4=".to_owned());
    if !body.is_null() {
        ask.body = body.to_string().into_bytes();
    }
    let reply = answer(bmc, now, &ask);
    (
        reply.status,
        serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
    )
}

fn command(bmc: &mut Bmc, now: Instant, netfn: u8, cmd: u8, data: &[u8]) -> Answer {
    let caller = Caller {
        user: LOGIN_SLOT,
        session: 1,
        privilege: Privilege::Administrator,
        channel: 1,
    };
    let order = Order {
        netfn: NetFn(netfn),
        lun: 0,
        cmd,
        data,
    };
    execute(&mut bmc.side.server, now, &caller, order)
}

fn ok(data: &[u8]) -> Answer {
    Answer::Reply(CompletionCode::OK, data.to_vec())
}

#[test]
fn reads_are_as_recorded() {
    let (mut bmc, now) = bed();
    let get = |bmc: &mut Bmc, path: &str| ask(bmc, now, Method::Get, path, &Value::Null);
    assert_eq!(get(&mut bmc, "/redfish/v1/systems/1").1["PowerState"], "On");
    assert_eq!(get(&mut bmc, "/redfish/v1/Broken"), (200, Value::Null));
    assert_eq!(get(&mut bmc, "/redfish/v1/Locked").0, 403);
    assert_eq!(get(&mut bmc, "/redfish/v1/Nothing").0, 404);
    assert_eq!(
        answer(
            &mut bmc,
            now,
            &Ask::new(Method::Get, "/redfish/v1/Systems/1")
        )
        .status,
        401
    );
    assert_eq!(command(&mut bmc, now, 6, 1, &[]), ok(b"\x20\x81"));
    assert_eq!(
        command(&mut bmc, now, 6, 0x59, &[]),
        Answer::code(CompletionCode::INVALID_COMMAND)
    );
    // Several answers to one request, in turn.
    assert_eq!(command(&mut bmc, now, 4, 0x2d, &[9]), ok(&[10]));
    assert_eq!(command(&mut bmc, now, 4, 0x2d, &[9]), ok(&[11]));
    // With another reservation than the recorded one.
    let entry = command(&mut bmc, now, 0x0a, 0x43, &[1, 0, 0, 0, 0, 0xff]);
    assert!(matches!(entry, Answer::Reply(CompletionCode::OK, data) if data.len() == 18));
}

#[test]
fn writes_are_seen_by_both_protocols() {
    let (mut bmc, now) = bed();
    let system = "/redfish/v1/Systems/1";
    let reset = format!("{system}/Actions/ComputerSystem.Reset");
    assert_eq!(
        ask(
            &mut bmc,
            now,
            Method::Post,
            &reset,
            &json!({"ResetType": "Nmi"})
        )
        .0,
        400
    );
    assert_eq!(
        ask(
            &mut bmc,
            now,
            Method::Post,
            &reset,
            &json!({"ResetType": "ForceOff"})
        )
        .0,
        204
    );
    let later = now + Duration::from_secs(5);
    assert_eq!(
        ask(&mut bmc, later, Method::Get, system, &Value::Null).1["PowerState"],
        "Off"
    );
    assert_eq!(command(&mut bmc, later, 0, 1, &[]), ok(&[0x60, 0x10, 0x40]));
    command(&mut bmc, later, 0, 2, &[1]);
    let later = later + Duration::from_secs(5);
    assert_eq!(
        ask(&mut bmc, later, Method::Get, system, &Value::Null).1["PowerState"],
        "On"
    );

    let boot =
        json!({"Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}});
    assert_eq!(ask(&mut bmc, now, Method::Patch, system, &boot).0, 204);
    assert_eq!(
        ask(&mut bmc, now, Method::Get, system, &Value::Null).1["Boot"]["BootSourceOverrideTarget"],
        "Pxe"
    );
    assert_eq!(
        command(&mut bmc, later, 0, 9, &[5, 0, 0]),
        ok(&[1, 5, 0xa0, 0x04, 0, 0, 0])
    );
    assert_eq!(
        ask(
            &mut bmc,
            now,
            Method::Patch,
            system,
            &json!({"Nonsense": 1})
        )
        .0,
        400
    );

    let new = json!({"UserName": "metal", "Password": "s3cret", "RoleId": "Operator"});
    let (status, account) = ask(
        &mut bmc,
        now,
        Method::Post,
        "/redfish/v1/AccountService/Accounts",
        &new,
    );
    assert_eq!((status, &account["Id"]), (201, &json!("3")));
    assert!(!account.to_string().contains("s3cret"));
    let name = command(&mut bmc, later, 6, 0x46, &[3]);
    assert!(matches!(name, Answer::Reply(_, data) if data.starts_with(b"metal\0")));
    assert_eq!(
        ask(
            &mut bmc,
            now,
            Method::Delete,
            "/redfish/v1/AccountService/Accounts/3",
            &Value::Null
        )
        .0,
        204
    );
    let list = ask(
        &mut bmc,
        now,
        Method::Get,
        "/redfish/v1/AccountService/Accounts",
        &Value::Null,
    )
    .1;
    assert_eq!(list["Members@odata.count"], 1);
}

#[test]
fn controllers_behind_the_bmc_answer_as_recorded() {
    let (mut bmc, now) = bed();
    let Answer::Reply(CompletionCode::OK, data) = command(&mut bmc, now, 6, 0x34, &relayed(0x2c))
    else {
        panic!("no relay");
    };
    let inner = LanMessage::parse(&data).unwrap();
    assert_eq!((inner.from, inner.to, inner.seq), (0x2c, 0x20, 5));
    assert_eq!(inner.completion(), Some((CompletionCode::OK, &[33][..])));
    // The BMC's own sensor 9 is another one, and nobody is at 0x2e.
    assert_eq!(command(&mut bmc, now, 4, 0x2d, &[9]), ok(&[10]));
    for odd in [relayed(0x2e), vec![0x46, 1], Vec::new()] {
        let refused = command(&mut bmc, now, 6, 0x34, &odd);
        assert!(
            matches!(refused, Answer::Reply(code, _) if !code.is_ok()),
            "{odd:?}"
        );
    }
}
