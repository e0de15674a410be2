//! The service without sockets, in each dialect.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Ask, Method, Reply, answer};
use crate::hal::model::Secret;
use crate::hal::sim::bmc::{Bmc, Manners};
use crate::hal::sim::profile::{Profile, ProfileName};
use crate::hal::sim::state::{Clock, Server, Users};

struct Bed {
    bmc: Bmc,
    now: Instant,
}

impl Bed {
    fn new(name: ProfileName) -> Self {
        let profile = Arc::new(Profile::new(name));
        let users = Users::new(&profile.users, "admin", &Secret::new("adm1n-secret"));
        let now = Instant::now();
        let clock = Clock {
            origin: now,
            unix: 1_735_689_600,
        };
        let server = Server::new(&profile, 0, IpAddr::V4(Ipv4Addr::LOCALHOST), &users, clock);
        let config = Arc::clone(&profile.sessions);
        Self {
            bmc: Bmc::new(server, config, Manners::default(), 1),
            now,
        }
    }

    fn ask(&mut self, ask: &Ask) -> (u16, Value, Reply) {
        let reply = answer(&mut self.bmc, self.now, ask);
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        (reply.status, body, reply)
    }

    #[expect(clippy::needless_pass_by_value, reason = "a literal reads best")]
    fn send(&mut self, method: Method, target: &str, body: Value) -> (u16, Value, Reply) {
        let mut ask = Ask::new(method, target);
        let login = base64::engine::general_purpose::STANDARD.encode("admin:adm1n-secret");
        ask.authorization = Some(format!("Basic {login}"));
        if !body.is_null() {
            ask.body = body.to_string().into_bytes();
        }
        self.ask(&ask)
    }

    fn get(&mut self, target: &str) -> Value {
        let (status, body, _) = self.send(Method::Get, target, Value::Null);
        assert_eq!(status, 200, "{target}: {body}");
        body
    }

    fn system(&mut self) -> String {
        let systems = self.get("/redfish/v1/Systems");
        systems["Members"][0]["@odata.id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let found = reply
        .headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Every link leads to a resource, in every dialect.
#[test]
fn all_links_lead_somewhere() {
    for name in ProfileName::ALL {
        if name == ProfileName::Broken {
            continue;
        }
        let mut bed = Bed::new(name);
        let mut todo = vec!["/redfish/v1/".to_owned()];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(path) = todo.pop() {
            if !seen.insert(path.trim_end_matches('/').to_owned())
                || path.contains('#')
                || path.contains("HostInterfaces")
                || path.ends_with("Roles/None")
            {
                continue;
            }
            let body = bed.get(&path);
            if path.contains("/Base.1") {
                continue;
            }
            assert_eq!(
                body["@odata.id"].as_str().map(|p| p.trim_end_matches('/')),
                Some(path.split('?').next().unwrap().trim_end_matches('/')),
                "{name}"
            );
            links(&body, &mut todo);
        }
        assert!(seen.len() > 50, "{name}: {}", seen.len());
    }
}

fn links(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                let link = name == "@odata.id"
                    || name == "@Redfish.ActionInfo"
                    || name.ends_with("nextLink")
                    || name == "Uri";
                match inner {
                    Value::String(path) if link => out.push(path.clone()),
                    inner => links(inner, out),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| links(inner, out)),
        _ => {}
    }
}

#[test]
fn power_is_the_same_as_over_ipmi() {
    let mut bed = Bed::new(ProfileName::Generic);
    let reset = |bed: &mut Bed, kind: &str| {
        let path = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
        bed.send(Method::Post, path, json!({"ResetType": kind})).0
    };
    assert_eq!(bed.get("/redfish/v1/Systems/1")["PowerState"], "On");
    assert_eq!(reset(&mut bed, "ForceOff"), 204);
    assert_eq!(
        bed.get("/redfish/v1/Systems/1")["PowerState"],
        "PoweringOff"
    );
    bed.now += std::time::Duration::from_secs(1);
    assert_eq!(bed.get("/redfish/v1/Systems/1")["PowerState"], "Off");
    assert!(!bed.bmc.side.server.power.on);
    assert_eq!(reset(&mut bed, "ForceRestart"), 409);
    assert_eq!(reset(&mut bed, "ForceOff"), 204, "already there");
    assert_eq!(reset(&mut bed, "Explode"), 400);
    assert_eq!(reset(&mut bed, "On"), 204);
    for (name, status) in [
        (ProfileName::Dell, 409),
        (ProfileName::Hpe, 400),
        (ProfileName::Lenovo, 204),
    ] {
        let mut bed = Bed::new(name);
        let path = bed.system() + "/Actions/ComputerSystem.Reset";
        let (code, body, _) = bed.send(Method::Post, &path, json!({"ResetType": "On"}));
        assert_eq!(code, status, "{name}: {body}");
    }
}

#[test]
fn boot_is_kept_in_the_flags_of_ipmi() {
    let boot = |target: &str, enabled: &str, mode: &str| json!({"Boot": {"BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": enabled, "BootSourceOverrideMode": mode}});
    let mut bed = Bed::new(ProfileName::Generic);
    let (status, body, _) = bed.send(
        Method::Patch,
        "/redfish/v1/Systems/1",
        boot("Pxe", "Continuous", "UEFI"),
    );
    assert_eq!(
        (status, &body["Boot"]["BootSourceOverrideTarget"]),
        (200, &json!("Pxe"))
    );
    assert_eq!(bed.bmc.side.server.boot.flags, [0xe0, 0x04, 0, 0, 0]);
    assert_eq!(
        bed.send(
            Method::Patch,
            "/redfish/v1/Systems/1",
            boot("Mars", "Once", "UEFI")
        )
        .0,
        400
    );

    // AMI: only the settings object, only with If-Match, and the tag without W/.
    let mut bed = Bed::new(ProfileName::Ami);
    let wish = boot("Hdd", "Once", "UEFI");
    assert_eq!(
        bed.send(Method::Patch, "/redfish/v1/Systems/Self", wish.clone())
            .0,
        428
    );
    let (_, _, reply) = bed.send(Method::Get, "/redfish/v1/Systems/Self/SD", Value::Null);
    let tag = header(&reply, "etag").unwrap().to_owned();
    assert!(tag.starts_with("W/"));
    let mut patch = |path: &str, tag: &str| {
        let mut ask = Ask::new(Method::Patch, path);
        let login = base64::engine::general_purpose::STANDARD.encode("admin:adm1n-secret");
        ask.authorization = Some(format!("Basic {login}"));
        ask.if_match = Some(tag.to_owned());
        ask.body = wish.to_string().into_bytes();
        bed.ask(&ask)
    };
    assert_eq!(patch("/redfish/v1/Systems/Self/SD", &tag).0, 412);
    assert_eq!(patch("/redfish/v1/Systems/Self/SD", &tag[2..]).0, 204);
    let (status, body, _) = patch("/redfish/v1/Systems/Self", "*");
    assert_eq!(status, 400);
    assert!(
        body.to_string()
            .contains("OperationSupportedInFutureStateURI")
    );
    assert_eq!(bed.bmc.side.server.boot.flags[..2], [0xa0, 0x08]);

    // Supermicro: half a body is ignored.
    let mut bed = Bed::new(ProfileName::Supermicro);
    let half = json!({"Boot": {"BootSourceOverrideTarget": "Pxe"}});
    assert_eq!(
        bed.send(Method::Patch, "/redfish/v1/Systems/1", half).0,
        200
    );
    assert_eq!(bed.bmc.side.server.boot.flags, [0; 5]);
    // Lenovo: never for ever.
    let mut bed = Bed::new(ProfileName::Lenovo);
    assert_eq!(
        bed.send(
            Method::Patch,
            "/redfish/v1/Systems/1/Pending",
            boot("Pxe", "Continuous", "UEFI")
        )
        .0,
        400
    );
}

#[test]
fn accounts_are_the_slots_of_ipmi() {
    let mut bed = Bed::new(ProfileName::Generic);
    let new = json!({"UserName": "metal", "Password": "s3cret-pass", "RoleId": "Operator"});
    let (status, body, reply) = bed.send(
        Method::Post,
        "/redfish/v1/AccountService/Accounts",
        new.clone(),
    );
    assert_eq!((status, &body["Id"]), (201, &json!("3")));
    assert_eq!(
        header(&reply, "location"),
        Some("/redfish/v1/AccountService/Accounts/3")
    );
    let user = bed.bmc.side.server.users.get(3).unwrap();
    assert_eq!(
        (user.trimmed(), user.limit, user.enabled),
        (&b"metal"[..], 3, true)
    );
    assert_eq!(
        bed.send(Method::Post, "/redfish/v1/AccountService/Accounts", new)
            .0,
        409
    );
    assert_eq!(
        bed.send(
            Method::Delete,
            "/redfish/v1/AccountService/Accounts/2",
            Value::Null
        )
        .0,
        403
    );
    assert_eq!(
        bed.send(
            Method::Delete,
            "/redfish/v1/AccountService/Accounts/3",
            Value::Null
        )
        .0,
        204
    );
    assert_eq!(bed.bmc.side.server.users.get(3).unwrap().trimmed(), b"");

    let mut bed = Bed::new(ProfileName::Dell);
    let list = bed.get("/redfish/v1/AccountService/Accounts");
    assert_eq!(list["Members@odata.count"], 16);
    let (status, _, reply) = bed.send(
        Method::Post,
        "/redfish/v1/AccountService/Accounts",
        json!({}),
    );
    assert_eq!((status, header(&reply, "allow")), (405, Some("GET, HEAD")));
    let body = json!({"Enabled": true, "RoleId": "Administrator", "Password": "s3cret-pass", "UserName": "metal"});
    let (status, text, _) = bed.send(Method::Patch, "/redfish/v1/AccountService/Accounts/3", body);
    assert_eq!(status, 200, "{text}");
    assert_eq!(
        bed.get("/redfish/v1/AccountService/Accounts/3")["RoleId"],
        "Administrator"
    );
    let (status, ..) = bed.send(
        Method::Patch,
        "/redfish/v1/AccountService/Accounts/3",
        json!({"Enabled": false, "UserName": ""}),
    );
    assert_eq!(status, 200);
    assert_eq!(
        bed.get("/redfish/v1/AccountService/Accounts/3")["RoleId"],
        "None"
    );

    let mut bed = Bed::new(ProfileName::OpenBmc);
    let list = bed.get("/redfish/v1/AccountService/Accounts");
    assert_eq!(
        list["Members"][0]["@odata.id"],
        "/redfish/v1/AccountService/Accounts/admin"
    );
    assert_eq!(
        bed.send(
            Method::Patch,
            "/redfish/v1/Systems/system",
            json!({"IndicatorLED": "Lit"})
        )
        .0,
        400
    );
    assert_eq!(
        bed.send(
            Method::Patch,
            "/redfish/v1/Systems/system",
            json!({"LocationIndicatorActive": true})
        )
        .0,
        204
    );
}

#[test]
fn sessions_have_a_limit_and_are_deleted() {
    let mut bed = Bed::new(ProfileName::Dell);
    let mut login = Ask::new(Method::Post, "/redfish/v1/SessionService/Sessions");
    login.body = br#"{"UserName":"admin","Password":"adm1n-secret"}"#.to_vec();
    let (status, body, reply) = bed.ask(&login);
    assert_eq!(status, 201, "{body}");
    let token = header(&reply, "x-auth-token").unwrap().to_owned();
    let location = header(&reply, "location").unwrap().to_owned();
    for _ in 1..8 {
        assert_eq!(bed.ask(&login).0, 201);
    }
    let (status, body, _) = bed.ask(&login);
    assert_eq!(status, 503);
    assert!(body.to_string().contains("RAC0218"));
    let mut ask = Ask::new(Method::Delete, &location);
    ask.token = Some(token.clone());
    assert_eq!(bed.ask(&ask).0, 200);
    let mut ask = Ask::new(Method::Get, "/redfish/v1/Systems");
    ask.token = Some(token);
    assert_eq!(bed.ask(&ask).0, 401);
    let ledger = bed.bmc.ledger(bed.now);
    assert_eq!(
        (
            ledger.redfish_sessions_opened,
            ledger.redfish_sessions_closed,
            ledger.redfish_sessions_open
        ),
        (8, 1, 7)
    );
    assert_eq!(ledger.failed_logins, 0, "an old token is no guess");
    login.body = br#"{"UserName":"admin","Password":"wrong"}"#.to_vec();
    assert_eq!(bed.ask(&login).0, 401);
    assert_eq!(bed.bmc.ledger(bed.now).failed_logins, 1);
}

#[test]
fn logs_have_pages_and_queries_work() {
    let mut bed = Bed::new(ProfileName::Generic);
    let path = "/redfish/v1/Systems/1/LogServices/SEL/Entries";
    let page = bed.get(path);
    assert_eq!(page["Members"].as_array().unwrap().len(), 20);
    assert_eq!(page["Members@odata.nextLink"], format!("{path}?$skip=20"));
    let last = bed.get(&format!("{path}?$skip=20"));
    assert_eq!(last["Members"].as_array().unwrap().len(), 12);
    assert!(last.get("Members@odata.nextLink").is_none());
    let all = bed.get("/redfish/v1/Chassis?$expand=.($levels=2)");
    assert_eq!(all["Members"][0]["Sensors"]["Name"], "Sensors");
    let some = bed.get("/redfish/v1/Systems/1?$select=PowerState,Status/Health");
    assert_eq!(some["PowerState"], "On");
    assert!(some["Status"].get("State").is_none() && some.get("Boot").is_none());
    assert_eq!(bed.get("/redfish/v1/Systems?only")["Id"], "1");
    assert_eq!(
        bed.send(Method::Get, "/redfish/v1/Systems?$filter=x", Value::Null)
            .0,
        501
    );
    let (status, ..) = bed.send(
        Method::Post,
        "/redfish/v1/Systems/1/LogServices/SEL/Actions/LogService.ClearLog",
        json!({}),
    );
    assert_eq!((status, bed.bmc.side.server.sel.entries().len()), (204, 0));
}
