//! What any store must do; run against each of them.

use super::*;
use crate::hal::Error;
use crate::hal::Kind;
use crate::inventory::requests::KEPT;

fn mac(n: u8) -> MacAddr {
    MacAddr([0xac, 0x1f, 0x6b, 0, 0, n])
}

fn vendor(now: u64, vendor: &'static str) -> Change {
    Change::of(now, move |row| {
        row.vendor = Some(vendor.to_owned());
        Ok(())
    })
    .or_create()
}

/// Everything, on stores that `open` gives; they share their content, and each one is dropped before the next.
pub(in crate::inventory) async fn all<S: Store>(open: impl Fn() -> S) {
    rows_and_revisions(&open()).await;
    secrets(&open()).await;
    watching(&open()).await;
    after_all(&open()).await;
    requests_begin(&open()).await;
    requests_after_all(&open()).await;
}

async fn rows_and_revisions(store: &impl Store) {
    assert!(store.get(mac(1)).await.unwrap().is_none());
    let missing = store.update(mac(1), Change::of(5, |_| Ok(()))).await;
    assert_eq!(missing.unwrap_err().kind(), Kind::Config);
    let row = store.update(mac(1), vendor(10, "Dell")).await.unwrap();
    assert_eq!((row.created_at, row.changed_at, row.revision), (10, 10, 1));
    // The same again is no change; what only says when is none either.
    let row = store.update(mac(1), vendor(20, "Dell")).await.unwrap();
    assert_eq!((row.changed_at, row.revision), (10, 1));
    let tick = Change::of(30, |row| {
        row.status.last_updated = Some(30);
        Ok(())
    });
    let row = store.update(mac(1), tick).await.unwrap();
    assert_eq!(
        (row.changed_at, row.revision, row.status.last_updated),
        (10, 1, Some(30))
    );
    let row = store.update(mac(1), vendor(40, "HPE")).await.unwrap();
    assert_eq!((row.created_at, row.changed_at, row.revision), (10, 40, 2));
    // A change that fails, or panics, leaves everything as it was.
    let fails = Change::of(50, |row| {
        row.vendor = None;
        Err(Error::new(Kind::Refused, "no"))
    });
    assert_eq!(
        store.update(mac(1), fails).await.unwrap_err().kind(),
        Kind::Refused
    );
    let panics = Change::of(50, |row| {
        row.vendor = None;
        panic!("on purpose")
    });
    assert!(store.update(mac(1), panics).await.is_err());
    assert_eq!(
        store.get(mac(1)).await.unwrap().unwrap().vendor.as_deref(),
        Some("HPE")
    );
    store.update(mac(0), vendor(60, "Dell")).await.unwrap();
    let all: Vec<_> = store.all().await.unwrap().iter().map(|r| r.mac).collect();
    assert_eq!(all, [mac(0), mac(1)]);
}

async fn secrets(store: &impl Store) {
    let field = Field::RedfishPassword;
    assert!(store.secret(mac(1), field).await.unwrap().is_none());
    let set = |secret: Option<Secret>| Change::of(70, |_| Ok(())).with_secret(field, secret);
    store
        .update(mac(1), set(Some(Secret::new("geheim"))))
        .await
        .unwrap();
    let got = store.secret(mac(1), field).await.unwrap().unwrap();
    assert_eq!(got.expose(), b"geheim");
    assert!(store.secret(mac(0), field).await.unwrap().is_none());
    assert!(
        store
            .secret(mac(1), Field::IpmiPassword)
            .await
            .unwrap()
            .is_none()
    );
    store.update(mac(1), set(None)).await.unwrap();
    assert!(store.secret(mac(1), field).await.unwrap().is_none());
    store
        .update(mac(1), set(Some(Secret::new("x"))))
        .await
        .unwrap();
}

async fn watching(store: &impl Store) {
    let mut watch = store.watch(0).await.unwrap();
    let seen: Vec<_> = watch.backlog.iter().map(|e| (e.mac, e.revision)).collect();
    assert_eq!(seen, [(mac(1), 2), (mac(0), 3)]);
    store.update(mac(2), vendor(80, "Lenovo")).await.unwrap();
    let event = watch.events.recv().await.unwrap();
    assert_eq!((event.mac, event.revision), (mac(2), 4));
    assert!(store.remove(mac(1)).await.unwrap());
    assert!(!store.remove(mac(1)).await.unwrap());
    let event = watch.events.recv().await.unwrap();
    assert!(event.record.is_none() && event.revision == 5);
    // The secrets went with the row.
    assert!(
        store
            .secret(mac(1), Field::RedfishPassword)
            .await
            .unwrap()
            .is_none()
    );
}

async fn after_all(store: &impl Store) {
    // Resumed from revision 3, as if nothing had happened in between.
    let watch = store.watch(3).await.unwrap();
    let seen: Vec<_> = watch
        .backlog
        .iter()
        .map(|e| (e.mac, e.revision, e.record.is_some()))
        .collect();
    assert_eq!(seen, [(mac(2), 4, true), (mac(1), 5, false)]);
    assert_eq!(watch.revision, 5);
    assert_eq!(store.all().await.unwrap().len(), 2);
}

fn key(id: &str) -> RequestKey {
    RequestKey {
        caller: "uid 0".to_owned(),
        id: id.to_owned(),
    }
}

async fn requests_begin(store: &impl Store) {
    assert_eq!(store.request(&key("a")).await.unwrap(), None);
    store.intend(key("a"), [1; 32], 1000).await.unwrap();
    let again = store.intend(key("a"), [2; 32], 1001).await.unwrap_err();
    assert_eq!(again.kind(), Kind::Config);
    let kept = store.request(&key("a")).await.unwrap().unwrap();
    assert_eq!((kept.digest, kept.outcome), ([1; 32], None));
    // Ids are each caller's own.
    let other = RequestKey {
        caller: "uid 1".to_owned(),
        ..key("a")
    };
    assert_eq!(store.request(&other).await.unwrap(), None);
    store.intend(other, [3; 32], 1000).await.unwrap();
    store.intend(key("b"), [4; 32], 2000).await.unwrap();
    let outcome = Some(b"done".to_vec());
    store.settle(key("b"), outcome).await.unwrap();
    // Nothing was done: the id is free again.
    store.intend(key("c"), [5; 32], 2000).await.unwrap();
    store.settle(key("c"), None).await.unwrap();
    store.intend(key("c"), [6; 32], 2000).await.unwrap();
}

async fn requests_after_all(store: &impl Store) {
    let kept = |id| async move { store.request(&key(id)).await.unwrap() };
    // Begun, and never ended.
    assert_eq!(kept("a").await.unwrap().outcome, None);
    let b = kept("b").await.unwrap();
    assert_eq!(
        (b.digest, b.outcome.as_deref()),
        ([4; 32], Some(&b"done"[..]))
    );
    assert_eq!(kept("c").await.unwrap().digest, [6; 32]);
    // A day later.
    store.intend(key("d"), [7; 32], 1500 + KEPT).await.unwrap();
    assert_eq!(kept("a").await, None);
    assert!(kept("b").await.is_some() && kept("d").await.is_some());
}
