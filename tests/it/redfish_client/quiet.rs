//! No password and no token in any log line, whoever writes it.

use std::sync::{Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use halbox::hal::model::Secret;
use halbox::hal::redfish::AuthStyle;
use serde_json::json;

use super::server::{Do, Server, ok, status};
use super::{client, config, cx};

/// Keeps the lines of all crates that handle requests, at the finest level.
struct Lines;

static LINES: OnceLock<Mutex<Vec<String>>> = OnceLock::new();

impl log::Log for Lines {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        let target = metadata.target();
        [
            "ureq",
            "rustls",
            "halbox::hal::redfish",
            "halbox::hal::transport",
        ]
        .iter()
        .any(|t| target.starts_with(t))
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{}: {}", record.target(), record.args());
            let lines = LINES.get_or_init(Mutex::default);
            lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    }

    fn flush(&self) {}
}

/// A process has one logger: this one gets a process of its own.
#[test]
fn secrets_are_in_no_log() {
    let own = std::env::current_exe().unwrap();
    let done = std::process::Command::new(own)
        .args([
            "--exact",
            "redfish_client::quiet::with_a_logger",
            "--ignored",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by secrets_are_in_no_log"]
async fn with_a_logger() {
    const PASSWORD: &str = "s3cr3t-of-the-bmc";
    const NEW: &str = "n3w-s3cr3t-of-another";
    const TOKEN: &str = "t0k3n-of-the-session";
    log::set_logger(&Lines).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let server = Server::start(|seen, _| match seen.method.as_str() {
        "POST" if seen.path.contains("Sessions") => Do::Answer(
            201,
            vec![
                format!("X-Auth-Token: {TOKEN}"),
                "Location: /s/1".to_owned(),
            ],
            Vec::new(),
        ),
        "PATCH" => status(400, "{}"),
        _ => ok("{}"),
    });
    for auth in [AuthStyle::Basic, AuthStyle::Session] {
        let mut config = config(&server.url, server.address);
        config.password = Secret::new(PASSWORD);
        config.auth = auth;
        let shown = format!("{config:?}");
        assert!(!shown.contains(PASSWORD));
        let client = client(config);
        client.get(&cx("a"), "/redfish/v1/Systems").await.unwrap();
        let body = json!({"Password": NEW});
        client.patch(&cx("a"), "/a", body).await.unwrap_err();
        client.door().close().await;
    }
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"));
    assert!(server.seen().iter().any(|s| s.head.contains(&basic)));
    assert!(server.seen().iter().any(|s| s.head.contains(TOKEN)));
    let lines = LINES.get_or_init(Mutex::default).lock().unwrap();
    assert!(!lines.is_empty());
    for secret in [PASSWORD, NEW, TOKEN, basic.as_str()] {
        let found = lines.iter().find(|line| line.contains(secret));
        assert_eq!(found, None);
    }
}
