//! A BMC for tests that is nothing but a tree of documents and a function that answers writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::{BoxFuture, Cx};
use crate::hal::redfish::{Answer, Ask, Client, Door, Method, Quirks, RedfishCell};

/// Documents by path.
pub(in crate::hal::drivers) type Tree = BTreeMap<String, Value>;

type Writes = Box<dyn FnMut(&mut Tree, &Ask) -> Answer + Send>;

/// The scripted BMC. A document that is only a text stands for a connection that does not come about.
pub(in crate::hal::drivers) struct Scripted {
    state: Mutex<(Tree, Writes)>,
    log: Mutex<Vec<String>>,
    learnt: RedfishCell,
}

pub(in crate::hal::drivers) const SYSTEM: &str = "/redfish/v1/Systems/1";
pub(in crate::hal::drivers) const CHASSIS: &str = "/redfish/v1/Chassis/1";
pub(in crate::hal::drivers) const MANAGER: &str = "/redfish/v1/Managers/1";

/// A server with these documents beside root and collections, whose writes `writes` answers.
pub(in crate::hal::drivers) fn server(
    documents: &[(&str, Value)],
    writes: impl FnMut(&mut Tree, &Ask) -> Answer + Send + 'static,
) -> Arc<Scripted> {
    let mut tree: Tree = documents
        .iter()
        .map(|(path, json)| ((*path).to_owned(), json.clone()))
        .collect();
    let mut root = json!({"RedfishVersion": "1.15.0"});
    for kind in ["Systems", "Chassis", "Managers"] {
        let list = format!("/redfish/v1/{kind}");
        root[kind] = json!({"@odata.id": list});
        let one = format!("{list}/1");
        let members: Vec<Value> = tree
            .contains_key(&one)
            .then(|| json!({"@odata.id": one}))
            .into_iter()
            .collect();
        tree.insert(list, json!({"Members": members}));
    }
    tree.insert("/redfish/v1/".to_owned(), root);
    Arc::new(Scripted {
        state: Mutex::new((tree, Box::new(writes))),
        log: Mutex::default(),
        learnt: RedfishCell::default(),
    })
}

/// Writes as a good BMC takes them: a PATCH is merged, an action is only logged.
pub(in crate::hal::drivers) fn obedient(tree: &mut Tree, ask: &Ask) -> Answer {
    if let (Method::Patch, Some(body), Some(document)) =
        (ask.method, &ask.body, tree.get_mut(&ask.path))
    {
        merge(document, body);
    }
    answer(204, &Value::Null)
}

/// Changes nothing and says yes.
pub(in crate::hal::drivers) fn deaf(_: &mut Tree, _: &Ask) -> Answer {
    answer(200, &json!({}))
}

fn merge(document: &mut Value, body: &Value) {
    match (document, body) {
        (Value::Object(document), Value::Object(body)) => {
            for (key, value) in body {
                merge(document.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (document, body) => *document = body.clone(),
    }
}

/// An answer with a document.
pub(in crate::hal::drivers) fn answer(status: u16, json: &Value) -> Answer {
    let body = if json.is_null() {
        Vec::new()
    } else {
        json.to_string().into_bytes()
    };
    Answer {
        status,
        headers: Vec::new(),
        body,
    }
}

/// A refusal with a message id.
pub(in crate::hal::drivers) fn refusal(status: u16, id: &str) -> Answer {
    answer(
        status,
        &json!({"error": {"@Message.ExtendedInfo": [{"MessageId": format!("Base.1.8.{id}"), "Message": id}]}}),
    )
}

impl Scripted {
    /// Adds a document.
    pub(super) fn add(&self, path: &str, json: Value) {
        self.state.lock().unwrap().0.insert(path.to_owned(), json);
    }

    /// A client with these quirks.
    pub(in crate::hal::drivers) fn client(self: &Arc<Self>, quirks: Quirks) -> Arc<Client> {
        Client::new(Arc::clone(self) as Arc<dyn Door>, quirks)
    }

    /// The writes so far: `PATCH /redfish/v1/Systems/1 {…}`.
    pub(in crate::hal::drivers) fn writes(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter()
            .filter(|l| !l.starts_with("GET"))
            .cloned()
            .collect()
    }

    /// Reads so far.
    pub(in crate::hal::drivers) fn reads(&self) -> usize {
        self.log
            .lock()
            .unwrap()
            .iter()
            .filter(|l| l.starts_with("GET"))
            .count()
    }
}

impl Door for Scripted {
    fn ask<'a>(&'a self, cx: &'a Cx, ask: Ask) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(async move {
            if tokio::time::Instant::now() >= tokio::time::Instant::from_std(cx.deadline) {
                return Err(Error::new(Kind::Timeout, "too late"));
            }
            let body = ask.body.as_ref().map(Value::to_string).unwrap_or_default();
            let line = format!("{} {} {body}", ask.method, ask.path);
            self.log.lock().unwrap().push(line.trim_end().to_owned());
            let (tree, writes) = &mut *self.state.lock().unwrap();
            if ask.method != Method::Get {
                return Ok(writes(tree, &ask));
            }
            Ok(match tree.get(&ask.path) {
                Some(Value::String(_)) => return Err(Error::new(Kind::Unreachable, "gone")),
                Some(json) => answer(200, json),
                None => refusal(404, "ResourceMissingAtURI"),
            })
        })
    }

    fn pause<'a>(&'a self, _: &'a Cx, time: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            tokio::time::sleep(time).await;
            Ok(())
        })
    }

    fn user(&self) -> Option<&str> {
        Some("metal")
    }

    fn origin(&self) -> &'static str {
        "https://10.0.0.7:443"
    }

    fn learnt(&self) -> &RedfishCell {
        &self.learnt
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// A context for one operation that ends after so many seconds.
pub(in crate::hal::drivers) fn within(seconds: u64) -> Cx {
    let now = tokio::time::Instant::now().into_std();
    let mut cx = Cx::until(now + Duration::from_secs(seconds));
    // Each its own operation.
    cx.request_id = Arc::from(format!("{:?}", Instant::now()));
    cx
}
