use std::sync::Arc;

use serde_json::{Value, json};

use super::super::scripted::{MANAGER, SYSTEM, Scripted, deaf, server, within};
use super::*;
use crate::hal::error::Kind;
use crate::hal::redfish::Quirks;

const LOGS: &str = "/redfish/v1/Systems/1/LogServices";
const OTHERS: &str = "/redfish/v1/Managers/1/LogServices";

/// A BMC whose system and manager have these logs, each with its service and entries.
fn bmc(system: &[(&str, Value, Value)], manager: &[(&str, Value, Value)]) -> Arc<Scripted> {
    let mut documents: Vec<(String, Value)> = vec![
        (
            SYSTEM.to_owned(),
            json!({"LogServices": {"@odata.id": LOGS}, "Links": {"ManagedBy": [{"@odata.id": MANAGER}]},
                "Actions": {"#ComputerSystem.Reset": {}}}),
        ),
        (
            MANAGER.to_owned(),
            json!({"LogServices": {"@odata.id": OTHERS}}),
        ),
    ];
    for (base, logs) in [(LOGS, system), (OTHERS, manager)] {
        let members: Vec<Value> = logs
            .iter()
            .map(|(id, ..)| json!({"@odata.id": format!("{base}/{id}")}))
            .collect();
        documents.push((base.to_owned(), json!({ "Members": members })));
        for (id, service, entries) in logs {
            let path = format!("{base}/{id}");
            if !service.is_null() {
                let mut service = service.clone();
                service["Entries"] = json!({"@odata.id": format!("{path}/Entries")});
                documents.push((path.clone(), service));
            }
            if !entries.is_null() {
                documents.push((format!("{path}/Entries"), entries.clone()));
            }
        }
    }
    let documents: Vec<(&str, Value)> = documents
        .iter()
        .map(|(path, json)| (path.as_str(), json.clone()))
        .collect();
    server(&documents, deaf)
}

async fn read(bmc: &Arc<Scripted>) -> Result<(Vec<LogEntry>, String), Kind> {
    let log = RedfishEventLog(bmc.client(Quirks::default()));
    let got = log.entries(&within(5)).await;
    got.map(|r| (r.value, r.source.at)).map_err(|e| e.kind())
}

fn entries(messages: &[&str]) -> Value {
    let members: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(n, m)| json!({"Id": n.to_string(), "Message": m}))
        .collect();
    json!({ "Members": members })
}

#[tokio::test]
async fn the_log_that_is_the_event_log() {
    for (system, manager, want) in [
        // By name.
        (
            vec![
                ("IML", json!({}), entries(&["a"])),
                ("SL", json!({}), entries(&["b"])),
            ],
            vec![("IEL", json!({}), entries(&["c"]))],
            "/redfish/v1/Systems/1/LogServices/IML/Entries",
        ),
        // At the manager.
        (
            vec![("BIOS", json!({"LogEntryType": "SEL"}), entries(&["a"]))],
            vec![
                ("AuditLog", json!({}), entries(&["b"])),
                ("SEL", json!({}), entries(&["c"])),
            ],
            "/redfish/v1/Managers/1/LogServices/SEL/Entries",
        ),
        // By type.
        (
            vec![("Log1", json!({"LogEntryType": "Event"}), entries(&["a"]))],
            vec![("Log", json!({"LogEntryType": "SEL"}), entries(&["b"]))],
            "/redfish/v1/Managers/1/LogServices/Log/Entries",
        ),
        // The SEL is linked and not there.
        (
            vec![
                ("SEL", json!({}), Value::Null),
                ("PlatformLog", json!({}), entries(&["b"])),
            ],
            vec![],
            "/redfish/v1/Systems/1/LogServices/PlatformLog/Entries",
        ),
    ] {
        let (_, at) = read(&bmc(&system, &manager)).await.unwrap();
        assert_eq!(at, want);
    }
}

#[tokio::test]
async fn no_log_or_none_that_can_be_read() {
    assert_eq!(read(&bmc(&[], &[])).await, Err(Kind::Unsupported));
    let gone = bmc(
        &[("SEL", Value::Null, Value::Null)],
        &[("Journal", json!({}), entries(&["x"]))],
    );
    assert_eq!(read(&gone).await, Err(Kind::Unsupported));
}

#[tokio::test]
async fn entries_in_the_words_of_the_model_oldest_first() {
    let list = json!({"Members": [
        {"Id": "12", "Created": "2024-06-11T00:13:00-05:00", "Message": "late", "Severity": "Critical"},
        {"Id": "9", "Created": "2024-06-11T05:12:00Z", "Message": "early", "Severity": "OK", "SensorType": "Memory", "SensorNumber": 3},
        null, {"Id": "7"},
        {"Id": "10", "Created": "2024-06-11T05:12:00Z", "Message": "same", "EntryCode": "Deassert", "Severity": "Warning"}
    ]});
    let (got, _) = read(&bmc(&[("SEL", json!({}), list)], &[])).await.unwrap();
    let plain: Vec<Value> = got
        .iter()
        .map(|e| serde_json::to_value(e).unwrap())
        .collect();
    assert_eq!(
        json!(plain),
        json!([
            {"id": "9", "time": "2024-06-11T05:12:00Z", "sensor": "Memory #3", "event": "early", "severity": "info", "raw": null},
            {"id": "10", "time": "2024-06-11T05:12:00Z", "sensor": null, "event": "same (deasserted)", "severity": "warning", "raw": null},
            {"id": "12", "time": "2024-06-11T05:13:00Z", "sensor": null, "event": "late", "severity": "critical", "raw": null},
        ])
    );
}

#[tokio::test]
async fn pages_end_also_where_they_loop_and_links_are_followed() {
    let base = format!("{LOGS}/SEL/Entries");
    let linked = json!({"Members": [{"@odata.id": format!("{base}/1")}, {"@odata.id": format!("{base}/2")}],
        "Members@odata.nextLink": base});
    let bmc = bmc(&[("SEL", json!({}), linked)], &[]);
    // The second one is gone: 573 of them on one Supermicro X13.
    let path = format!("{base}/1");
    bmc.add(&path, json!({"Id": "1", "Message": "there"}));
    let (got, _) = read(&bmc).await.unwrap();
    assert_eq!(
        got.iter().map(|e| e.event.as_str()).collect::<Vec<_>>(),
        ["there"]
    );
}

#[tokio::test]
async fn clearing_what_is_shown_and_nothing_else() {
    let clears = |id: &str| {
        json!({"Actions": {"#LogService.ClearLog": {"target": format!("{LOGS}/{id}/Actions/LogService.ClearLog"),
            "ClearType@Redfish.AllowableValues": ["ClearAll"]}}})
    };
    let good = bmc(
        &[
            ("SEL", clears("SEL"), Value::Null),
            ("Log", clears("Log"), entries(&["a"])),
        ],
        &[],
    );
    let log = RedfishEventLog(good.client(Quirks::default()));
    log.clear(&within(5)).await.unwrap();
    assert_eq!(
        good.writes(),
        [
            r#"POST /redfish/v1/Systems/1/LogServices/Log/Actions/LogService.ClearLog {"ClearType":"ClearAll"}"#
        ]
    );
    // The event log cannot be cleared: another one is not cleared in its place.
    let not = bmc(
        &[
            ("SEL", json!({}), entries(&["a"])),
            ("Log", clears("Log"), entries(&["b"])),
        ],
        &[],
    );
    let log = RedfishEventLog(not.client(Quirks::default()));
    assert_eq!(
        log.clear(&within(5)).await.unwrap_err().kind(),
        Kind::Unsupported
    );
    assert_eq!(not.writes(), Vec::<String>::new());
}
