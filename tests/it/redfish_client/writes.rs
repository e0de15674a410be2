//! Tags, tasks, actions.

use std::sync::Arc;

use halbox::hal::model::Cx;
use halbox::hal::redfish::{Client, Refusal};
use halbox::hal::{Error, Kind};
use serde_json::{Value, json};

use super::server::{Do, Seen, Server, ok, status};
use super::{client, client_of, config, cx, soon};
use crate::common::mockup::Mockup;

fn client_at(server: &Server) -> Arc<Client> {
    client(config(&server.url, server.address))
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_sent_where_the_bmc_asks_for_them() {
    let options = "--https --strict --if-match require --weak-etags";
    let Some(mockup) = Mockup::start("gigabyte_h262_ami", options) else {
        return;
    };
    let client = client_of(&mockup);
    let system = client.system(&cx("a")).await.unwrap();
    // Known tag: one request.
    mockup.reset();
    let body = json!({"IndicatorLED": "Lit"});
    client.patch(&cx("a"), &system.path, body).await.unwrap();
    assert_eq!(mockup.log().len(), 1);
    assert!(
        mockup.log()[0]
            .if_match
            .as_deref()
            .unwrap()
            .starts_with("W/")
    );
    // Unknown: refused, read, sent; after that read first.
    for (operation, requests) in [("b", vec![428, 200, 200]), ("c", vec![200, 200])] {
        mockup.reset();
        let body = json!({"IndicatorLED": "Off"});
        client
            .patch(&cx(operation), &system.path, body)
            .await
            .unwrap();
        let log = mockup.log();
        assert_eq!(log.iter().map(|r| r.status).collect::<Vec<_>>(), requests);
    }
    // A tag that is stale by now: refused, read again, sent.
    let system = client.system(&cx("d")).await.unwrap();
    mockup.change(&system.path, &json!({"AssetTag": "other"}));
    let body = json!({"IndicatorLED": "Lit"});
    client.patch(&cx("d"), &system.path, body).await.unwrap();
    assert_eq!(mockup.state(&system.path)["IndicatorLED"], "Lit");
    // Actions never carry one.
    let reset = json!({"ResetType": "ForceOff"});
    client
        .action(&cx("e"), &system, "#ComputerSystem.Reset", reset)
        .await
        .unwrap();
    assert_eq!(mockup.writes().last().unwrap().if_match, None);
}

/// A BMC that takes only `good` as a tag of a resource whose tag is `given`.
fn picky(given: &'static str, good: Option<&'static str>) -> Server {
    Server::start(move |seen, _| {
        if seen.method == "GET" {
            return Do::Answer(200, vec![format!("ETag: {given}")], b"{}".to_vec());
        }
        if tag(seen).as_deref() == good {
            ok("{}")
        } else {
            status(412, "")
        }
    })
}

fn tag(seen: &Seen) -> Option<String> {
    let line = seen
        .head
        .lines()
        .find(|l| l.to_ascii_lowercase().starts_with("if-match:"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_a_tag_is_tried_before_giving_up() {
    for good in [Some("W/\"a\""), Some("\"a\""), Some("a"), Some("*"), None] {
        let server = picky("W/\"a\"", good);
        let client = client_at(&server);
        client.get(&cx("a"), "/r").await.unwrap();
        let done = client.patch(&cx("a"), "/r", json!({"A": 1})).await;
        assert!(done.is_ok(), "{good:?}: {done:?}");
    }
    let server = picky("\"a\"", Some("never"));
    let error = client_at(&server)
        .patch(&cx("a"), "/r", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(server.seen().len() < 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_work_is_followed_to_its_end() {
    let Some(mockup) = Mockup::start(
        "dell_r750_idrac9_6_00",
        "--async Settings|Reset --async-polls 3",
    ) else {
        return;
    };
    let client = client_of(&mockup);
    let cx = cx("a");
    let system = client.system(&cx).await.unwrap();
    let body = json!({"ResetType": "ForceOff"});
    let done = client
        .action(&cx, &system, "#ComputerSystem.Reset", body)
        .await
        .unwrap();
    assert_eq!(done.status, 200);
    let log = mockup.log();
    assert_eq!(
        log.iter()
            .filter(|r| r.path.contains("TaskMonitors"))
            .count(),
        4
    );
    assert_eq!(mockup.state(&system.path)["PowerState"], "Off");
}

/// The outcome of a POST that is accepted, and whose monitor then answers `then`.
async fn accepted(
    cx: Cx,
    then: impl Fn(usize) -> Do + Send + Sync + 'static,
) -> Result<u16, Error> {
    let server = Server::start(move |seen, n| {
        if seen.method == "POST" {
            Do::Answer(
                202,
                vec![
                    "Location: https://10.9.8.7/mon/1".to_owned(),
                    "Retry-After: 0".to_owned(),
                ],
                Vec::new(),
            )
        } else {
            assert_eq!(seen.path, "/mon/1");
            then(n)
        }
    });
    let done = client_at(&server)
        .post(&cx, "/act", json!({"Password": "hunter2"}))
        .await;
    done.map(|w| w.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_says_why() {
    let failed = json!({"@odata.type": "#Task.v1_4_3.Task", "TaskState": "Exception", "Messages":
        [{"MessageId": "X.1.0.Bad", "Message": "cannot use hunter2"}]});
    let error = accepted(cx("a"), move |_| ok(&failed.to_string()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    let words = Refusal::find(&error).unwrap();
    assert!(words.names("Bad"));
    assert_eq!(words.messages, ["cannot use ***"]);

    let error = accepted(cx("a"), |_| status(400, r#"{"error":{"message":"no"}}"#))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_does_not_end_is_of_unknown_fate() {
    let error = accepted(soon().0, |_| status(202, r#"{"TaskState":"Running"}"#))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Indeterminate);
    // A BMC that says "at once" is not asked without end.
    let eager = |n: usize| {
        assert!(n < 20, "asked {n} times");
        Do::Answer(202, vec!["Retry-After: 0".to_owned()], Vec::new())
    };
    let error = accepted(soon().0, eager).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Indeterminate);
    // One that is forgotten as soon as it is done.
    let gone = |n| {
        if n < 3 {
            status(202, "")
        } else {
            status(404, "")
        }
    };
    assert_eq!(accepted(cx("a"), gone).await.unwrap(), 202);
    // One without any content at its end.
    assert_eq!(accepted(cx("a"), |_| status(204, "")).await.unwrap(), 204);
    // A job that waits for the next restart of the host.
    let job = json!({"TaskState": "Starting", "Messages": [{"MessageId": "IDRAC.2.8.JCP001"}]});
    assert!(
        accepted(cx("a"), move |_| ok(&job.to_string()))
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bmcs_words_come_without_the_password() {
    let server = Server::start(|seen, _| {
        let sent: Value = serde_json::from_str(&seen.body).unwrap();
        let words = format!(
            "The value '{}' is too short",
            sent["Password"].as_str().unwrap()
        );
        status(400, &json!({"error": {"message": words}}).to_string())
    });
    let body = json!({"UserName": "u", "Password": "hunter2"});
    let error = client_at(&server)
        .post(&cx("a"), "/Accounts", body)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.chain().contains("'***' is too short"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_success_codes_are_success() {
    for code in [200, 201, 204] {
        let server = Server::start(move |_, _| {
            let made = b"{\"@odata.id\":\"/c/2\",\"Id\":\"2\"}".to_vec();
            Do::Answer(
                code,
                Vec::new(),
                if code == 204 { Vec::new() } else { made },
            )
        });
        let done = client_at(&server)
            .post(&cx("a"), "/c", json!({}))
            .await
            .unwrap();
        assert_eq!(done.status, code);
        assert_eq!(done.location.is_some(), code != 204);
    }
}
