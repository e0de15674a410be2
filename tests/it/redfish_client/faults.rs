//! Servers that misbehave: a clear error in time, memory bounded, nothing sent that must not be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use halbox::hal::model::{Cx, Secret};
use halbox::hal::redfish::{Client, Quirks, Refusal};
use halbox::hal::transport::redfish::{Config, HttpDoor};
use halbox::hal::{Error, Kind};
use serde_json::json;

use super::server::{Do, Server, ok, status, work_for};
use super::{client, cx, soon};
use crate::common::oracle;

const ROOT: &str = "/redfish/v1/";

fn client_of(server: &Server) -> Arc<Client> {
    client(super::config(&server.url, server.address))
}

/// The error of one read, which must be there in time.
async fn error_of(server: &Server) -> Error {
    let (cx, end) = soon();
    let error = client_of(server)
        .get(&cx, "/redfish/v1/Systems")
        .await
        .unwrap_err();
    assert!(Instant::now() < end + Duration::from_secs(3), "{error:?}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_not_tried_again_by_the_same_operation() {
    let server = Server::start(|_, n| if n == 0 { status(401, "") } else { ok("{}") });
    let first = client_of(&server);
    assert_eq!(
        first.get(&cx("a"), ROOT).await.unwrap_err().kind(),
        Kind::Auth
    );
    assert_eq!(
        first.get(&cx("a"), ROOT).await.unwrap_err().kind(),
        Kind::Auth
    );
    assert_eq!(server.seen().len(), 1);
    // A later one asks again.
    assert!(client_of(&server).get(&cx("b"), ROOT).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_bmc_is_asked_again_a_few_times() {
    let body = json!({"error": {"@Message.ExtendedInfo": [{"MessageId": "IDRAC.2.8.RAC0218",
        "Message": "The maximum number of user sessions is reached."}]}})
    .to_string();
    let busy = body.clone();
    let server = Server::start(move |_, n| {
        if n < 2 {
            Do::Answer(
                503,
                vec!["Retry-After: 0".to_owned()],
                busy.clone().into_bytes(),
            )
        } else {
            ok(r#"{"Id":"x"}"#)
        }
    });
    let read = client_of(&server).get(&cx("a"), ROOT).await.unwrap();
    assert_eq!(read.str("/Id"), Some("x"));
    assert_eq!(server.seen().len(), 3);

    let busy = body.clone();
    let server = Server::start(move |_, _| {
        Do::Answer(
            503,
            vec!["Retry-After: 0".to_owned()],
            busy.clone().into_bytes(),
        )
    });
    let error = error_of(&server).await;
    assert_eq!(error.kind(), Kind::Busy);
    assert!(
        error.chain().contains("maximum number of user sessions"),
        "{error:?}"
    );
    assert_eq!(server.seen().len(), 4);

    // A BMC that wants more time than there is.
    let server = Server::start(move |_, _| {
        Do::Answer(503, vec!["Retry-After: 3600".to_owned()], Vec::new())
    });
    assert_eq!(error_of(&server).await.kind(), Kind::Busy);
    assert_eq!(server.seen().len(), 1);

    // A write is not repeated.
    let server =
        Server::start(move |_, _| Do::Answer(503, vec!["Retry-After: 0".to_owned()], Vec::new()));
    let write = client_of(&server).patch(&cx("a"), ROOT, json!({})).await;
    assert_eq!(write.unwrap_err().kind(), Kind::Busy);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_json_are_named() {
    for (body, words) in [
        ("<!DOCTYPE html><html>", "HTML"),
        ("", "empty"),
        ("OK", "no JSON object"),
        ("[1]", "no JSON object"),
        (r#"{"a":{ {"#, "broken JSON"),
    ] {
        let server = Server::start(move |_, _| ok(body));
        let error = error_of(&server).await;
        assert_eq!(error.kind(), Kind::Protocol, "{body}");
        assert!(error.chain().contains(words), "{body}: {error:?}");
    }
    for (code, kind) in [
        (403, Kind::Privilege),
        (404, Kind::Unsupported),
        (500, Kind::Protocol),
        (503, Kind::Busy),
    ] {
        let server = Server::start(move |_, _| status(code, "<html><title>No luck</title></html>"));
        let error = error_of(&server).await;
        assert_eq!(error.kind(), kind, "{code}");
        assert!(error.chain().contains("No luck"), "{error:?}");
    }
    // An error with the status of a success.
    let server =
        Server::start(|_, _| ok(r#"{"error":{"code":"Base.1.8.InternalError","message":"x"}}"#));
    assert_eq!(error_of(&server).await.kind(), Kind::Refused);
    // An answer without a body, once.
    let server = Server::start(|_, n| ok(if n == 0 { "" } else { "{}" }));
    assert!(client_of(&server).get(&cx("a"), ROOT).await.is_ok());
}

/// Largest memory of this process so far, in KiB.
fn peak() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn size_depth_and_header_are_bounded() {
    let before = peak();
    let server = Server::start(|_, _| Do::Endless(100 << 20));
    let error = error_of(&server).await;
    assert_eq!(error.kind(), Kind::Protocol);
    assert!(error.chain().contains("larger than"), "{error:?}");
    assert!(peak() - before < 64 << 10, "{} KiB", peak() - before);

    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let server = Server::start(move |_, _| ok(&deep));
    let error = error_of(&server).await;
    assert_eq!(error.kind(), Kind::Protocol);
    assert!(error.chain().contains("nested"), "{error:?}");

    let many = format!("{{\"a\":[{}0]}}", "0,".repeat(2_000_000));
    let server = Server::start(move |_, _| ok(&many));
    assert!(error_of(&server).await.chain().contains("values"));

    let head = format!("HTTP/1.1 200 X\r\nA: {}\r\n\r\n{{}}", "x".repeat(1 << 20));
    let server = Server::start(move |_, _| Do::Raw(head.clone().into_bytes()));
    let error = error_of(&server).await;
    assert!(error.chain().contains("header is too large"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_a_circle_end() {
    let page = |next: &str, member: &str| {
        json!({"Members": [{"@odata.id": format!("/m/{member}"), "Id": member}],
            "Members@odata.nextLink": next})
        .to_string()
    };
    let (one, two) = (page("/c?p=2", "1"), page("/c?p=1", "2"));
    let server = Server::start(move |seen, _| {
        ok(if seen.path.ends_with("p=2") {
            &two
        } else {
            &one
        })
    });
    let members = client_of(&server)
        .members(&cx("a"), "/c?p=1")
        .await
        .unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!(server.seen().len(), 2);

    // Pages without end.
    let server = Server::start(move |_, n| ok(&page(&format!("/c?p={}", n + 1), &n.to_string())));
    let members = client_of(&server)
        .members(&cx("a"), "/c?p=0")
        .await
        .unwrap();
    assert!(members.len() <= 100 && server.seen().len() <= 100);

    // A page that leads to another host is the last one.
    let away =
        json!({"Members": [], "Members@odata.nextLink": "https://other.example/c"}).to_string();
    let server = Server::start(move |_, _| ok(&away));
    assert!(
        client_of(&server)
            .members(&cx("a"), "/c")
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_stay_on_the_bmc() {
    let to = |location: String| {
        move |_: &_, _| Do::Answer(301, vec![format!("Location: {location}")], Vec::new())
    };
    let other = Server::start(|_, _| ok("{}"));
    for location in [
        format!("{}/redfish/v1/", other.url),
        "//other.example/redfish/v1/".to_owned(),
        "https://other.example/redfish/v1/".to_owned(),
        String::new(),
    ] {
        let server = Server::start(to(location.clone()));
        let error = error_of(&server).await;
        assert_eq!(error.kind(), Kind::Protocol, "{location}");
        assert!(error.chain().contains("redirect"), "{error:?}");
    }
    assert!(other.seen().is_empty());

    let server = Server::start(to("/redfish/v1/again".to_owned()));
    assert!(error_of(&server).await.chain().contains("circle"));
    assert_eq!(server.seen().len(), 4);

    let server = Server::start(|seen, _| {
        if seen.path.ends_with('/') {
            ok("{}")
        } else {
            Do::Answer(308, vec![format!("Location: {}/", seen.path)], Vec::new())
        }
    });
    let client = client_of(&server);
    assert!(client.get(&cx("a"), "/redfish/v1/x").await.is_ok());
    assert!(
        client
            .patch(&cx("a"), "/redfish/v1/x", json!({"A": 1}))
            .await
            .is_ok()
    );
    let last = server.seen().pop().unwrap();
    assert_eq!(
        (last.method.as_str(), last.body.as_str()),
        ("PATCH", r#"{"A":1}"#)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_byte_a_second_runs_into_the_deadline() {
    let server = Server::start(|_, _| Do::Drip);
    assert_eq!(error_of(&server).await.kind(), Kind::Timeout);

    // A write whose answer does not come may have been done.
    let (cx, _) = soon();
    let error = client_of(&server)
        .post(&cx, "/a", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Indeterminate);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_repeats_reads_once_and_writes_never() {
    let server = Server::start(|_, n| if n == 0 { Do::Reset } else { ok("{}") });
    assert!(client_of(&server).get(&cx("a"), ROOT).await.is_ok());
    assert_eq!(server.seen().len(), 2);

    let server = Server::start(|_, _| Do::Reset);
    assert_eq!(error_of(&server).await.kind(), Kind::Unreachable);
    assert_eq!(server.seen().len(), 2);

    for method in ["PATCH", "POST", "DELETE"] {
        let server = Server::start(|_, _| Do::Reset);
        let client = client_of(&server);
        let cx = cx("a");
        let error = match method {
            "PATCH" => client.patch(&cx, "/a", json!({"A": 1})).await,
            "POST" => client.post(&cx, "/a", json!({"A": 1})).await,
            _ => client.delete(&cx, "/a").await,
        }
        .unwrap_err();
        assert_eq!(error.kind(), Kind::Indeterminate, "{method}");
        assert_eq!(server.seen().len(), 1, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_that_resets_kept_connections_gets_each_write_once() {
    let connections = std::sync::Mutex::new(Vec::new());
    let server = Server::start(move |seen, _| {
        let mut known = connections.lock().unwrap();
        if known.contains(&seen.connection) {
            return Do::Reset;
        }
        known.push(seen.connection);
        ok("{}")
    });
    let client = client_of(&server);
    client.get(&cx("a"), "/1").await.unwrap();
    client.post(&cx("a"), "/2", json!({})).await.unwrap();
    client.get(&cx("b"), "/3").await.unwrap();
    client.get(&cx("b"), "/4").await.unwrap();
    client.patch(&cx("b"), "/5", json!({})).await.unwrap();
    assert_eq!(client.door().learnt().snapshot().reuse, Some(false));
    let seen = server.seen();
    assert_eq!(seen.iter().filter(|s| s.method != "GET").count(), 2);
    // One read went over a kept connection; after that none did.
    assert!(seen.len() <= 6, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_run_one_at_a_time_also_when_callers_go_away() {
    let now = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let most = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (n, m) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::start(move |_, _| {
        use std::sync::atomic::Ordering::SeqCst;
        m.fetch_max(n.fetch_add(1, SeqCst) + 1, SeqCst);
        work_for(Duration::from_millis(20));
        n.fetch_sub(1, SeqCst);
        ok("{}")
    });
    let client = client_of(&server);
    let mut tasks = Vec::new();
    for i in 0..20 {
        let client = Arc::clone(&client);
        let task = tokio::spawn(async move {
            let _ = client.get(&cx(""), &format!("/{i}")).await;
        });
        if i % 3 == 0 {
            task.abort();
        }
        tasks.push(task);
    }
    for task in tasks {
        let _ = task.await;
    }
    let cancelled = cx("");
    cancelled.cancel.cancel();
    let error = client.get(&cancelled, "/x").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert_eq!(most.load(std::sync::atomic::Ordering::SeqCst), 1);
    let connections: std::collections::HashSet<_> =
        server.seen().iter().map(|s| s.connection).collect();
    assert_eq!(connections.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_called_off_holds_up_nobody() {
    let server = Server::start(|seen, _| {
        if seen.path == "/slow" {
            Do::Drip
        } else {
            ok("{}")
        }
    });
    let client = client_of(&server);
    let cx = cx("a");
    let (reader, context) = (Arc::clone(&client), cx.clone());
    let slow = tokio::spawn(async move { reader.get(&context, "/slow").await });
    while server.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    cx.cancel.cancel();
    assert_eq!(slow.await.unwrap().unwrap_err().kind(), Kind::Cancelled);
    // The next one does not wait for the deadline of the one before.
    let (soon, _) = soon();
    assert!(client.get(&soon, "/fast").await.is_ok());
    client.door().close().await;
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_come_in_any_framing() {
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\n{\"Id\":\"x\"}",
        "HTTP/1.0 200 OK\r\n\r\n{\"Id\":\"x\"}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"Id\"\r\n5\r\n:\"x\"}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{\"Id\":\"x\"}",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"Id\":\"x\"}",
    ] {
        let server = Server::start(move |_, _| Do::Raw(answer.as_bytes().to_vec()));
        let read = client_of(&server).get(&cx("a"), ROOT).await;
        assert_eq!(read.unwrap().str("/Id"), Some("x"), "{answer}");
    }
    // One that ends early is none.
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Id\":\"x\"}";
    let server = Server::start(move |_, _| Do::Raw(short.as_bytes().to_vec()));
    assert_eq!(error_of(&server).await.kind(), Kind::Unreachable);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_listens() {
    let gone = Server::start(|_, _| Do::Reset);
    let (url, address) = (gone.url.clone(), gone.address);
    drop(gone);
    let client = client(super::config(&url, address));
    let read = client.get(&cx("a"), ROOT).await.unwrap_err();
    assert_eq!(read.kind(), Kind::Unreachable);
    // Nothing was sent: another driver may be asked.
    let write = client.post(&cx("a"), ROOT, json!({})).await.unwrap_err();
    assert_eq!(write.kind(), Kind::Unreachable);
    assert!(Refusal::find(&write).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn old_key_exchanges_are_named() {
    let Some(openssl) = oracle("openssl") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    crate::probe::openssl::certificate(&openssl, dir.path(), "-newkey rsa:2048");
    let old = crate::probe::openssl::serve(&openssl, dir.path(), "-tls1_2 -cipher AES256-SHA");
    let address = format!("{}:{}", old.ip, old.port).parse().unwrap();
    let config = Config::new(format!("https://{address}"), address, "u", Secret::new("p"));
    let client = Client::new(Arc::new(HttpDoor::new(config).unwrap()), Quirks::default());
    let cx = Cx::until(Instant::now() + Duration::from_secs(10));
    let error = client.get(&cx, ROOT).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Tls);
    assert!(error.chain().contains("RSA key exchange"), "{error:?}");
    assert!(error.hint().unwrap().contains("IPMI"));
}
