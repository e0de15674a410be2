//! What a BMC's Redfish service answers: documents, repaired where broken, links, refusals, tasks, pages.
#![no_main]

use std::sync::Mutex;
use std::time::{Duration, Instant};

use halbox::hal::error::{Error, Kind, Result};
use halbox::hal::model::{BoxFuture, Cx};
use halbox::hal::redfish::{
    Answer, Ask, Client, Door, Method, Quirks, RedfishCell, Refusal, Resource, json, path,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const ORIGIN: &str = "https://10.0.0.7:443";

fuzz_target!(|data: &[u8]| {
    let [kind, rest @ ..] = data else {
        return;
    };
    match kind % 3 {
        0 => document(rest),
        1 => refusal(rest),
        _ => conversation(rest),
    }
});

/// Equal, but for the last digit of numbers that are not whole: serde_json reads them quickly, not exactly.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let both = || a.iter().zip(b);
            a.len() == b.len() && both().all(|((k, a), (l, b))| k == l && same(a, b))
        }
        (Value::Number(n), Value::Number(m)) if n.is_f64() => match (n.as_f64(), m.as_f64()) {
            (Some(n), Some(m)) => (n - m).abs() <= n.abs() * 4.0 * f64::EPSILON,
            _ => false,
        },
        (a, b) => a == b,
    }
}

/// Every accessor on every property.
fn document(body: &[u8]) {
    if let Ok(value) = json::decode(body) {
        // What was repaired is JSON, and stays what it is.
        let text = serde_json::to_vec(&value).unwrap();
        let again: Value = serde_json::from_slice(&text).unwrap();
        assert!(same(&value, &again), "{value} became {again}");
    }
    let Ok(resource) = Resource::decode("/redfish/v1/X", None, body, ORIGIN) else {
        return;
    };
    let keys: Vec<String> = resource.json.as_object().unwrap().keys().cloned().collect();
    for key in keys.iter().take(64) {
        let p = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        if let Some(text) = resource.str(&p) {
            assert!(!text.trim().is_empty());
        }
        if let Some(number) = resource.num(&p) {
            assert!(number.is_finite());
        }
        let _ = (resource.bool(&p), resource.has(&p), resource.allowable(&p));
        let _ = (resource.list(&p).len(), resource.sub(&p), resource.at(&p));
        for link in resource.links(&p).into_iter().chain(resource.link(&p)) {
            assert!(link.starts_with('/') && !link.starts_with("//"));
            assert!(link.bytes().all(|b| (0x21..0x7f).contains(&b)));
            // A path stays the path it is.
            assert_eq!(path::clean(&link, ORIGIN).as_deref(), Some(link.as_str()));
        }
    }
    if let Ok(text) = std::str::from_utf8(body) {
        let _ = (path::clean(text, ORIGIN), path::location(text));
    }
}

fn refusal(data: &[u8]) {
    let [high, low, body @ ..] = data else {
        return;
    };
    let answer = Answer {
        status: u16::from_be_bytes([*high, *low]),
        headers: Vec::new(),
        body: body.to_vec(),
    };
    let refusal = Refusal::of(&answer);
    let text = refusal.to_string();
    assert!(!text.chars().any(char::is_control) && text.len() < 30_000);
    for method in [Method::Get, Method::Patch] {
        let _ = refusal.clone().error("x", method, &["y"]).hint();
    }
}

/// A BMC that answers with the pieces of the input, each with its status, length and kind of header.
struct Tape {
    rest: Mutex<(Vec<u8>, u32)>,
    learnt: RedfishCell,
}

impl Door for Tape {
    fn ask<'a>(&'a self, _: &'a Cx, ask: Ask) -> BoxFuture<'a, Result<Answer>> {
        assert!(ask.path.starts_with('/'));
        let mut guard = self.rest.lock().unwrap();
        let (rest, count) = &mut *guard;
        *count += 1;
        assert!(*count < 20_000, "endless");
        let outcome = match rest.as_slice() {
            [status, length, header, tail @ ..] => {
                let statuses = [
                    200, 201, 202, 204, 301, 307, 400, 401, 404, 412, 428, 500, 503,
                ];
                let (piece, after) = tail.split_at(usize::from(*length).min(tail.len()));
                let name = ["location", "etag", "retry-after", "x"][usize::from(*header) % 4];
                let value = String::from_utf8_lossy(piece).chars().take(40).collect();
                let answer = Answer {
                    status: statuses[usize::from(*status) % statuses.len()],
                    headers: vec![(name.to_owned(), value)],
                    body: piece.to_vec(),
                };
                let after = after.to_vec();
                *rest = after;
                Ok(answer)
            }
            _ => Err(Error::new(Kind::Unreachable, "end of tape")),
        };
        Box::pin(async move { outcome })
    }

    fn pause<'a>(&'a self, _: &'a Cx, _: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn user(&self) -> Option<&str> {
        None
    }

    fn origin(&self) -> &str {
        ORIGIN
    }

    fn learnt(&self) -> &RedfishCell {
        &self.learnt
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn conversation(data: &[u8]) {
    let door = Tape {
        rest: Mutex::new((data.to_vec(), 0)),
        learnt: RedfishCell::default(),
    };
    let client = Client::new(std::sync::Arc::new(door), Quirks::default());
    let cx = Cx {
        request_id: "fuzz".into(),
        ..Cx::until(Instant::now() + Duration::from_secs(60))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        if let Ok(system) = client.system(&cx).await {
            let name = "#ComputerSystem.Reset";
            let _ = client.action_values(&cx, &system, name, "ResetType").await;
            let body = serde_json::json!({"ResetType": "On"});
            let _ = client.action(&cx, &system, name, body).await;
        }
        let _ = client.manager(&cx).await;
        let _ = client.members(&cx, "/redfish/v1/Chassis").await;
        let _ = client
            .patch(&cx, "/redfish/v1/X", serde_json::json!({"Password": "p"}))
            .await;
        let _ = client.delete(&cx, "/redfish/v1/X").await;
    });
}
