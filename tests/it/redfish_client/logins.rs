//! Basic, sessions, refused passwords, passwords that must be changed.

use std::sync::Arc;

use halbox::hal::model::Secret;
use halbox::hal::redfish::{AuthStyle, Client, Door, Quirks, Refusal};
use halbox::hal::transport::http::Trust;
use halbox::hal::transport::redfish::HttpDoor;
use halbox::hal::{Error, Kind};
use serde_json::json;

use super::server::{Do, Seen, Server, ok, status};
use super::{client, client_of, config, cx, soon};
use crate::common::mockup::Mockup;

const TREE: &str = "openbmc_stock_2_15";

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_opened_where_basic_is_not_taken_and_deleted() {
    let Some(mockup) = Mockup::start(TREE, "--no-basic --https") else {
        return;
    };
    let mut session = config(&mockup.url, mockup.address);
    session.auth = AuthStyle::Session;
    let client = client(session);
    client.system(&cx("a")).await.unwrap();
    client.manager(&cx("a")).await.unwrap();
    let log = mockup.log();
    assert_eq!(log.iter().filter(|r| r.auth == "login").count(), 1);
    assert_eq!(mockup.sessions_left(), 1);
    client.door().close().await;
    assert_eq!(mockup.sessions_left(), 0);

    // What was learnt spares an attempt by Basic. A door that goes away deletes its session, too.
    let mut warm = config(&mockup.url, mockup.address);
    warm.learnt = client.door().learnt().snapshot();
    warm.learnt.session_login = Some(true);
    mockup.reset();
    let door = Arc::new(HttpDoor::new(warm).unwrap());
    let client = Client::new(Arc::clone(&door) as Arc<dyn Door>, Quirks::default());
    client.system(&cx("a")).await.unwrap();
    assert!(mockup.log().iter().all(|r| r.auth != "basic"));
    drop(client);
    drop(door);
    // Its deletion runs by itself: wait for it by looking.
    let (_, end) = soon();
    while mockup.sessions_left() > 0 && std::time::Instant::now() < end {
        tokio::task::yield_now().await;
    }
    assert_eq!(mockup.sessions_left(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_is_opened_anew_once() {
    let Some(mockup) = Mockup::start(TREE, "--no-basic") else {
        return;
    };
    let mut config = config(&mockup.url, mockup.address);
    config.auth = AuthStyle::Session;
    let client = client(config);
    client.system(&cx("a")).await.unwrap();
    // The BMC forgets its sessions.
    mockup.reset();
    client.system(&cx("b")).await.unwrap();
    client.door().close().await;
    let statuses: Vec<_> = mockup.log().iter().map(|r| r.status).collect();
    assert_eq!(
        statuses,
        [401, 201, 200, 200],
        "refused, login, read, logout"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_fails_leaves_no_session() {
    let faults = json!([{"method": "GET", "path": "Systems", "status": 500, "times": -1}]);
    let Some(mockup) = Mockup::with_faults(TREE, "--no-basic", &faults) else {
        return;
    };
    let mut config = config(&mockup.url, mockup.address);
    config.auth = AuthStyle::Session;
    let client = client(config);
    let error = client.system(&cx("a")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
    client.door().close().await;
    assert_eq!(mockup.sessions_left(), 0);
    assert!(mockup.log().iter().any(|r| r.auth == "login"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_left_is_busy_and_says_why() {
    let Some(mockup) = Mockup::start(TREE, "--no-basic --max-sessions 0") else {
        return;
    };
    let mut config = config(&mockup.url, mockup.address);
    config.auth = AuthStyle::Session;
    let (cx, _) = soon();
    let error = client(config).system(&cx).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert!(Refusal::find(&error).unwrap().names("SessionLimitExceeded"));
    assert!(error.hint().unwrap().contains("sessions"));
    assert!(mockup.log().iter().filter(|r| r.auth == "login").count() <= 4);
}

/// A BMC with sessions: what it answers to their making, to reads, and to their end.
fn with_sessions(
    make: impl Fn() -> Do + Send + Sync + 'static,
    read: impl Fn() -> Do + Send + Sync + 'static,
    end: impl Fn(&Seen) -> Do + Send + Sync + 'static,
) -> Server {
    Server::start(
        move |seen, _| match (seen.method.as_str(), seen.path.as_str()) {
            ("POST", _) => make(),
            ("DELETE", _) => end(seen),
            ("GET", "/redfish/v1/") => ok("{}"),
            _ => read(),
        },
    )
}

fn made() -> Do {
    let headers = ["Location: /redfish/v1/S/9", "X-Auth-Token: t"];
    Do::Answer(201, headers.map(str::to_owned).to_vec(), Vec::new())
}

async fn read_by_session(server: &Server) -> Result<(), Error> {
    let mut config = config(&server.url, server.address);
    config.auth = AuthStyle::Session;
    let client = client(config);
    let read = client.get(&soon().0, "/redfish/v1/Systems").await;
    client.door().close().await;
    read.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_table_of_sessions_is_no_wrong_password() {
    let full = r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"Base.1.8.CreateLimitReachedForResource"}]}}"#;
    for code in [400, 403] {
        let server = with_sessions(move || status(code, full), || ok("{}"), |_| ok("{}"));
        let error = read_by_session(&server).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Busy, "{code}");
        assert!(error.hint().unwrap().contains("sessions"), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_refused_at_once_is_deleted_all_the_same() {
    let server = with_sessions(made, || status(401, ""), |_| ok("{}"));
    let error = read_by_session(&server).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    let ended = server.seen().into_iter().filter(|s| s.method == "DELETE");
    assert_eq!(
        ended.map(|s| s.path).collect::<Vec<_>>(),
        ["/redfish/v1/S/9"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_deleted_also_where_that_wants_a_tag() {
    let server = with_sessions(
        made,
        || ok("{}"),
        |seen| {
            let tagged = seen.head.to_ascii_lowercase().contains("if-match: *");
            status(if tagged { 204 } else { 428 }, "")
        },
    );
    read_by_session(&server).await.unwrap();
    let last = server.seen().pop().unwrap();
    assert!(last.method == "DELETE" && last.head.to_ascii_lowercase().contains("if-match"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_sessions_are_made_elsewhere_the_password_stays_on_the_bmc() {
    let moved = |to: &'static str| {
        Server::start(
            move |seen, _| match (seen.method.as_str(), seen.path.as_str()) {
                ("POST", "/redfish/v1/There") => made(),
                ("POST", _) => Do::Answer(308, vec![format!("Location: {to}")], Vec::new()),
                _ => ok("{\"Id\":\"1\"}"),
            },
        )
    };
    let server = moved("/redfish/v1/There");
    read_by_session(&server).await.unwrap();
    let server = moved("https://10.9.8.7/redfish/v1/There");
    let error = read_by_session(&server).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol, "{error:?}");
    assert_eq!(
        server.seen().iter().filter(|s| s.method == "POST").count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_sent_once() {
    let Some(mockup) = Mockup::start(TREE, "") else {
        return;
    };
    let mut wrong = config(&mockup.url, mockup.address);
    wrong.password = Secret::new("hunter2");
    wrong.auth = AuthStyle::Basic;
    let client = client(wrong);
    for operation in ["a", "b", "c"] {
        let error = client.system(&cx(operation)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        assert!(!format!("{error:?}{:?}", error.hint()).contains("hunter2"));
    }
    assert_eq!(mockup.log().len(), 1);
    assert!(!format!("{client:?}").contains("hunter2"));
}

/// A BMC that refuses everything without a session's token, with these headers; its right password is "right".
fn without_basic(challenge: &'static [&'static str]) -> Server {
    Server::start(move |seen, _| {
        let head = seen.head.to_ascii_lowercase();
        if seen.method == "POST" && seen.path.ends_with("/Sessions") {
            if seen.body.contains("\"right\"") {
                let headers = [
                    "X-Auth-Token: t",
                    "Location: /redfish/v1/SessionService/Sessions/1",
                ];
                let headers = headers.into_iter().map(str::to_owned).collect();
                return Do::Answer(201, headers, b"{}".to_vec());
            }
            return status(401, "{}");
        }
        if seen.method == "DELETE" {
            return status(204, "");
        }
        if seen.path.trim_end_matches('/') == "/redfish/v1" || head.contains("x-auth-token: t") {
            return ok(
                r#"{"RedfishVersion": "1.6.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}}"#,
            );
        }
        let body =
            r#"{"error": {"@Message.ExtendedInfo": [{"MessageId": "Base.1.8.NoValidSession"}]}}"#;
        let headers = challenge.iter().map(|&line| line.to_owned()).collect();
        Do::Answer(401, headers, body.as_bytes().to_vec())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_offers_basic_means_a_wrong_password_others_ask_for_a_session() {
    for (challenge, sessions) in [
        (&["WWW-Authenticate: Basic realm=\"redfish\""][..], 0),
        (&["WWW-Authenticate: Basic realm=\"a\", Session"], 0),
        (&["WWW-Authenticate: Session"], 1),
        (&[], 1),
    ] {
        let server = without_basic(challenge);
        let mut wrong = config(&server.url, server.address);
        wrong.password = Secret::new("hunter2");
        let bmc = client(wrong);
        for path in ["/redfish/v1/Systems", "/redfish/v1/Chassis"] {
            let error = bmc.get(&cx("a"), path).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Auth, "{challenge:?}");
        }
        let seen = server.seen();
        let with_password = |s: &&Seen| {
            s.method == "POST" || s.head.to_ascii_lowercase().contains("authorization: basic")
        };
        let posts = seen.iter().filter(|s| s.method == "POST").count();
        assert_eq!(posts, sessions, "{challenge:?}");
        assert_eq!(seen.iter().filter(with_password).count(), 1 + sessions);
        // With the right password the session is opened.
        let mut right = config(&server.url, server.address);
        right.password = Secret::new("right");
        let read = client(right).get(&cx("b"), "/redfish/v1/Systems").await;
        assert_eq!(read.is_ok(), sessions == 1, "{challenge:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_that_took_basic_before_is_not_asked_for_a_session() {
    let Some(mockup) = Mockup::start(TREE, "") else {
        return;
    };
    let right = client_of(&mockup);
    right.system(&cx("a")).await.unwrap();
    let mut wrong = config(&mockup.url, mockup.address);
    wrong.password = Secret::new("hunter2");
    wrong.learnt = right.door().learnt().snapshot();
    mockup.reset();
    assert_eq!(
        client(wrong).system(&cx("a")).await.unwrap_err().kind(),
        Kind::Auth
    );
    assert_eq!(mockup.log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_password_must_change_can_be_changed_without_a_read() {
    let Some(mockup) = Mockup::start("nvidia_gb200", "--https --password-change-required") else {
        return;
    };
    // The account of the mockup's user, which is the caller's own.
    let account = "/redfish/v1/AccountService/Accounts/root";
    mockup.change(account, &json!({"UserName": "admin"}));
    let client = client_of(&mockup);
    let error: Error = client.system(&cx("a")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert!(error.hint().unwrap().contains("set-password"), "{error:?}");
    mockup.reset();
    mockup.change(account, &json!({"UserName": "admin"}));
    let body = json!({"Password": "n3w-Password!"});
    client.patch(&cx("b"), account, body).await.unwrap();
    let log = mockup.log();
    assert_eq!((log.len(), log[0].method.as_str()), (1, "PATCH"));

    let mut new = config(&mockup.url, mockup.address);
    new.password = Secret::new("n3w-Password!");
    super::client(new).system(&cx("c")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_without_sessions_is_asked_by_basic() {
    // What was learnt is of another firmware.
    let server = Server::start(|seen, _| {
        if seen.path.contains("Sessions") || seen.method == "POST" {
            status(404, "")
        } else {
            ok("{}")
        }
    });
    let mut config = config(&server.url, server.address);
    config.learnt.session_login = Some(true);
    let client = client(config.clone());
    client.get(&cx("a"), "/redfish/v1/Systems").await.unwrap();
    assert_eq!(client.door().learnt().snapshot().session_login, Some(false));
    config.auth = AuthStyle::Session;
    let error = super::client(config)
        .get(&cx("a"), "/redfish/v1/Systems")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.chain().contains("makes no sessions"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_place_is_not_told_is_deleted_all_the_same() {
    for (headers, body) in [
        (vec!["Location: https://10.1.1.1/redfish/v1/S/9"], ""),
        (vec![], r#"{"@odata.id":"/redfish/v1/S/9"}"#),
        (vec![], r#"{"Id":"9"}"#),
        (vec![], ""),
    ] {
        let headers: Vec<String> = headers.iter().map(|h| (*h).to_owned()).collect();
        let server = Server::start(move |seen, _| {
            match (seen.method.as_str(), seen.path.as_str()) {
                ("POST", "/redfish/v1/S") => {
                    let mut headers = headers.clone();
                    headers.push("X-Auth-Token: t".to_owned());
                    Do::Answer(201, headers, body.as_bytes().to_vec())
                }
                ("GET", "/redfish/v1/") => {
                    ok(r#"{"Links":{"Sessions":{"@odata.id":"/redfish/v1/S"}}}"#)
                }
                ("GET", "/redfish/v1/S") => ok(
                    r#"{"Members":[{"@odata.id":"/redfish/v1/S/8"},{"@odata.id":"/redfish/v1/S/9"}]}"#,
                ),
                ("GET", "/redfish/v1/S/8") => ok(r#"{"UserName":"other"}"#),
                ("GET", "/redfish/v1/S/9") => ok(r#"{"UserName":"admin"}"#),
                _ => ok("{}"),
            }
        });
        let mut config = config(&server.url, server.address);
        config.auth = AuthStyle::Session;
        let client = client(config);
        client.get(&cx("a"), "/redfish/v1/Systems").await.unwrap();
        client.door().close().await;
        let last = server.seen().pop().unwrap();
        assert_eq!(
            (last.method.as_str(), last.path.as_str()),
            ("DELETE", "/redfish/v1/S/9"),
            "{body}"
        );
        assert!(last.head.to_ascii_lowercase().contains("x-auth-token: t"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_pinned_certificate_is_accepted() {
    let Some(mockup) = Mockup::start(TREE, "--https") else {
        return;
    };
    let door = HttpDoor::new(config(&mockup.url, mockup.address)).unwrap();
    let client = Client::new(Arc::new(door), Quirks::default());
    client.system(&cx("a")).await.unwrap();
    let mut pinned = config(&mockup.url, mockup.address);
    let door = Arc::new(HttpDoor::new(pinned.clone()).unwrap());
    Client::new(Arc::clone(&door) as Arc<dyn Door>, Quirks::default())
        .root(&cx("a"))
        .await
        .unwrap();
    let shown = door.tls().unwrap().sha256;
    pinned.trust.pin = Some(Trust::parse_pin(&shown).unwrap());
    super::client(pinned.clone()).root(&cx("a")).await.unwrap();

    let before = mockup.log().len();
    pinned.trust.pin = Some([7; 32]);
    let error = super::client(pinned).root(&cx("a")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Tls);
    assert!(error.hint().unwrap().contains("pinned"), "{error:?}");
    let mut other_ca = config(&mockup.url, mockup.address);
    let own = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
    other_ca.trust.ca = Some(Trust::parse_ca(own.cert.pem().as_bytes()).unwrap());
    let error = super::client(other_ca).root(&cx("a")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Tls);
    // No password went to a server that is not the right one.
    assert_eq!(mockup.log().len(), before);
}
