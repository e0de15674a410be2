use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::hal::model::BootMode;
use crate::hal::redfish::{Answer, Ask, Door, Etag, Method, Quirks, RedfishCell};

/// An iRMC: its root, one system, BootConfig. A write without If-Match is refused.
struct Irmc {
    config: Mutex<Value>,
    /// Says yes and keeps what it has.
    deaf: bool,
    learnt: RedfishCell,
}

impl Irmc {
    fn answer(&self, ask: &Ask) -> Answer {
        let one = |path: &str| json!({"Members": [{"@odata.id": path}]});
        let mut headers = Vec::new();
        let (status, body) = match (ask.method, ask.path.trim_end_matches('/')) {
            (Method::Get, "/redfish/v1") => (
                200,
                json!({"RedfishVersion": "1.9.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}}),
            ),
            (Method::Get, "/redfish/v1/Systems") => (200, one("/redfish/v1/Systems/0")),
            (Method::Get, "/redfish/v1/Systems/0") => (
                200,
                json!({"PowerState": "On", "Actions": {"#ComputerSystem.Reset": {"target": "/x"}}}),
            ),
            (method, path) if path.ends_with("/Oem/ts_fujitsu/BootConfig") => {
                headers.push(("etag".to_owned(), "\"7\"".to_owned()));
                let mut config = self.config.lock().unwrap();
                match (method, &ask.body, &ask.if_match) {
                    (Method::Get, ..) => (200, config.clone()),
                    (Method::Patch, Some(_), None) => (428, json!({})),
                    (Method::Patch, Some(body), Some(_)) => {
                        for (key, value) in body.as_object().unwrap() {
                            if !self.deaf {
                                config[key] = value.clone();
                            }
                        }
                        (200, json!({}))
                    }
                    _ => (405, json!({})),
                }
            }
            _ => (404, json!({})),
        };
        Answer {
            status,
            headers,
            body: body.to_string().into_bytes(),
        }
    }
}

impl Door for Irmc {
    fn ask<'a>(&'a self, _: &'a Cx, ask: Ask) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(async move { Ok(self.answer(&ask)) })
    }

    fn pause<'a>(&'a self, _: &'a Cx, _: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn user(&self) -> Option<&str> {
        None
    }

    fn learnt(&self) -> &RedfishCell {
        &self.learnt
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// The standard's Boot, refused.
struct Refused(Kind);

impl Boot for Refused {
    fn state<'a>(&'a self, _: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>> {
        Box::pin(async move { Err(Error::new(self.0, "standard")) })
    }

    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        _: BootRequest,
    ) -> BoxFuture<'a, Result<Reading<BootState>>> {
        self.state(cx)
    }
}

fn irmc(kind: Kind, deaf: bool, config: Value) -> Bmc {
    let door = Irmc {
        config: Mutex::new(config),
        deaf,
        learnt: RedfishCell::default(),
    };
    let quirks = Quirks {
        etag: Etag::Always,
        ..Quirks::default()
    };
    let mut bmc = Bmc::default();
    bmc.boot.push(DriverName::Redfish, Arc::new(Refused(kind)));
    attach(&mut bmc, &Client::new(Arc::new(door), quirks));
    bmc
}

async fn set(bmc: &Bmc, persistent: bool) -> Result<Reading<BootState>> {
    let cx = Cx::until(Instant::now() + Duration::from_mins(1));
    let request = BootRequest {
        target: BootTarget::Pxe,
        mode: BootMode::Uefi,
        persistent,
    };
    let set = bmc.boot.call("boot.set", |b| b.set(&cx, request)).await?;
    let read = bmc.boot.call("boot.state", |b| b.state(&cx)).await;
    if let Ok(read) = read {
        assert_eq!(read.value, set.value);
    }
    Ok(set)
}

fn nothing() -> Value {
    json!({"BootDevice": "None", "NextBootOnlyEnabled": true})
}

#[tokio::test]
async fn by_boot_config_where_the_standard_is_refused() {
    for (persistent, persistence) in [
        (true, BootPersistence::Persistent),
        (false, BootPersistence::Once),
    ] {
        let got = set(&irmc(Kind::Unsupported, false, nothing()), persistent).await;
        let got = got.unwrap();
        assert_eq!((got.value.target, got.value.persistence), (BootTarget::Pxe, persistence));
        assert_eq!(got.source.to_string(), "fujitsu(redfish)");
        assert!(got.source.at.ends_with("BootConfig BootDevice"), "{}", got.source.at);
    }
    assert!(set(&irmc(Kind::Refused, false, nothing()), false).await.is_ok());
}

#[tokio::test]
async fn of_unknown_fate_nothing_is_repeated_and_lies_are_found_out() {
    let lost = set(&irmc(Kind::Indeterminate, false, nothing()), false).await;
    assert_eq!(lost.unwrap_err().kind(), Kind::Indeterminate);
    let error = set(&irmc(Kind::Refused, true, nothing()), false).await.unwrap_err();
    assert!(error.chain().contains("but has 'None'"), "{}", error.chain());
    // Without a BootConfig the standard's words stand.
    let error = set(&irmc(Kind::Refused, false, json!({})), false).await.unwrap_err();
    assert_eq!(error.chain(), "standard");
}
