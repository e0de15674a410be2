//! What the drivers use: reads that survive odd answers, each resource once per operation.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::door::{Answer, Ask, Door};
use super::quirks::Quirks;
use super::refusal::Refusal;
use super::resource::{Resource, link_of};
use super::{json, path};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::{Cx, DriverName, Source};

/// Redirects that are followed.
pub(super) const MAX_HOPS: usize = 3;

/// Times a read is sent when the BMC is busy, and when its web server has an error.
const MAX_BUSY: u32 = 4;
const MAX_ODD: u32 = 2;

/// Longest pause that a BMC may ask for before a read is repeated.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Pages and members of a collection that are read.
const MAX_PAGES: usize = 100;
const MAX_MEMBERS: usize = 5000;

/// Resources kept for the operation that is running.
const MAX_KEPT: usize = 512;

/// Bytes of documents kept for it.
const MAX_KEPT_BYTES: usize = 8 << 20;

/// Redfish of one BMC.
pub struct Client {
    door: Arc<dyn Door>,
    quirks: Quirks,
    seen: Mutex<Seen>,
}

/// What the operation that is running has read.
#[derive(Default)]
struct Seen {
    operation: Arc<str>,
    bytes: usize,
    resources: HashMap<String, Arc<Resource>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("origin", &self.door.origin())
            .field("quirks", &self.quirks)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Redfish through `door`, minding `quirks`.
    pub fn new(door: Arc<dyn Door>, quirks: Quirks) -> Arc<Self> {
        Arc::new(Self {
            door,
            quirks,
            seen: Mutex::default(),
        })
    }

    /// The same BMC, minding other quirks; what the running operation has read stays known.
    pub fn with_quirks(&self, quirks: Quirks) -> Arc<Self> {
        let seen = std::mem::take(&mut *self.seen());
        Arc::new(Self {
            door: Arc::clone(&self.door),
            quirks,
            seen: Mutex::new(seen),
        })
    }

    /// Where this BMC differs from the standard.
    pub fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// The way to the BMC.
    pub fn door(&self) -> &dyn Door {
        &*self.door
    }

    /// The driver that stands in every source.
    pub fn driver(&self) -> DriverName {
        self.quirks.driver
    }

    /// The overwrite that takes part, if any.
    pub fn overwrite(&self) -> Option<&'static str> {
        self.quirks.overwrite
    }

    /// The provenance of a value that was read at `at`.
    pub fn source(&self, at: impl Into<String>) -> Source {
        Source {
            driver: self.driver(),
            overwrite: self.overwrite(),
            at: at.into(),
        }
    }

    /// Reads a resource, once per operation. 404 is `Unsupported`; what cannot be read as JSON is `Protocol`.
    pub async fn get(&self, cx: &Cx, path: &str) -> Result<Arc<Resource>> {
        if let Some(known) = self.known(cx, path) {
            return Ok(known);
        }
        self.fresh(cx, path).await
    }

    /// Reads a resource even when this operation has read it before.
    pub async fn fresh(&self, cx: &Cx, path: &str) -> Result<Arc<Resource>> {
        let what = || format!("GET {path}");
        let mut odd = 0;
        for attempt in 1.. {
            let answer = self.follow(cx, Ask::get(path)).await?;
            if answer.is_success() {
                let tag = answer.header("etag");
                match Resource::decode(path, tag, &answer.body, self.door.origin()) {
                    // Some send an error with the status of a success.
                    Ok(r) if r.has("/error") && !r.has("/@odata.id") => {
                        return Err(self.refused(&Ask::get(path), &answer));
                    }
                    Ok(resource) => {
                        let resource = Arc::new(resource);
                        self.remember(cx, &resource, answer.body.len());
                        return Ok(resource);
                    }
                    Err(words) if answer.body.is_empty() && odd + 1 < MAX_ODD => {
                        log::debug!("{}: {words}, asked again", what());
                        odd += 1;
                        continue;
                    }
                    Err(words) => {
                        return Err(Error::new(Kind::Protocol, what()).with_source(words));
                    }
                }
            }
            let pause = answer.retry_after();
            let error = self.refused(&Ask::get(path), &answer);
            let again = match error.kind() {
                Kind::Busy => attempt < MAX_BUSY,
                Kind::Protocol => attempt < MAX_ODD,
                _ => false,
            };
            let pause = pause.unwrap_or(Duration::from_secs(1 << attempt.min(3)) / 2);
            if !again || pause > MAX_PAUSE {
                return Err(error);
            }
            log::debug!("{}, asked again in {pause:?}", error.chain());
            match self.door.pause(cx, pause).await {
                Ok(()) => {}
                Err(e) if e.kind() == Kind::Cancelled => return Err(e),
                Err(_) => return Err(error),
            }
        }
        Err(Error::new(Kind::Busy, what()))
    }

    /// Reads every member of a collection, page by page. A member that cannot be read is an error of its own; what would
    /// fail for all (login, connection, time) is an error of the whole.
    pub async fn members(&self, cx: &Cx, path: &str) -> Result<Vec<Result<Arc<Resource>>>> {
        let mut out = Vec::new();
        let (found, broken) = self.walk(cx, path).await?;
        for member in found {
            let read = match member {
                Member::There(resource) => Ok(resource),
                Member::At(path) => self.get(cx, &path).await,
            };
            match read {
                Err(e) if ends_all(e.kind()) => return Err(e),
                other => out.push(other),
            }
        }
        out.extend(broken.map(Err));
        Ok(out)
    }

    /// The paths of a collection's members, which are not read.
    pub async fn member_paths(&self, cx: &Cx, path: &str) -> Result<Vec<String>> {
        let (found, _) = self.walk(cx, path).await?;
        Ok(found
            .into_iter()
            .map(|member| match member {
                Member::There(resource) => resource.path.clone(),
                Member::At(path) => path,
            })
            .collect())
    }

    /// The members of all pages, each once, and why a later page is missing.
    async fn walk(&self, cx: &Cx, path: &str) -> Result<(Vec<Member>, Option<Error>)> {
        let mut page = self.get(cx, path).await?;
        let mut members = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut pages = std::collections::HashSet::from([path::key(path)]);
        loop {
            for value in page.list("/Members") {
                let Some(link) = link_of(value) else { continue };
                if members.len() >= MAX_MEMBERS || !seen.insert(path::key(&link)) {
                    continue;
                }
                members.push(if is_expanded(value) {
                    Member::There(Arc::new(Resource::of(&link, None, value.clone())))
                } else {
                    Member::At(link)
                });
            }
            let next = page
                .link("/Members@odata.nextLink")
                .or_else(|| page.link("/@odata.nextLink"));
            let Some(next) = next else {
                return Ok((members, None));
            };
            if pages.len() >= MAX_PAGES
                || members.len() >= MAX_MEMBERS
                || !pages.insert(path::key(&next))
            {
                log::debug!("GET {next}: a page that was read before, or one too many");
                return Ok((members, None));
            }
            match self.get(cx, &next).await {
                Ok(read) => page = read,
                Err(e) if ends_all(e.kind()) => return Err(e),
                Err(e) => return Ok((members, Some(e))),
            }
        }
    }

    /// Sends a request and follows redirects on the same BMC: reads always, writes when the method is to stay.
    pub(super) async fn follow(&self, cx: &Cx, mut ask: Ask) -> Result<Answer> {
        for _ in 0..=MAX_HOPS {
            let answer = self.door.ask(cx, ask.clone()).await?;
            let moved = match answer.status {
                307 | 308 => true,
                301..=303 => ask.method.is_read(),
                _ => false,
            };
            if !moved {
                return Ok(answer);
            }
            let location = answer.header("location").unwrap_or_default();
            let Some(next) = path::clean(location, self.door.origin()) else {
                let words = format!(
                    "HTTP {}: redirects to '{}', not to a path of this BMC",
                    answer.status,
                    super::refusal::clean(location)
                );
                return Err(Error::new(Kind::Protocol, ask.to_string()).with_source(words));
            };
            ask.path = next;
        }
        Err(Error::new(Kind::Protocol, ask.to_string()).with_source("redirects in a circle"))
    }

    /// The error of a refused request. Secrets in the request are removed from the BMC's words.
    pub(super) fn refused(&self, ask: &Ask, answer: &Answer) -> Error {
        let mut refusal = Refusal::of(answer);
        if let Some(body) = &ask.body {
            let mut secrets = Vec::new();
            json::secrets(body, &mut secrets);
            refusal.conceal(&secrets);
        }
        refusal.error(ask.to_string(), ask.method, self.quirks.licence_ids)
    }

    /// What this operation has read of `path`.
    pub(super) fn known(&self, cx: &Cx, path: &str) -> Option<Arc<Resource>> {
        let seen = self.seen();
        if cx.request_id.is_empty() || seen.operation != cx.request_id {
            return None;
        }
        seen.resources.get(&path::key(path)).cloned()
    }

    fn remember(&self, cx: &Cx, resource: &Arc<Resource>, bytes: usize) {
        if cx.request_id.is_empty() {
            return;
        }
        let mut seen = self.seen();
        if seen.operation != cx.request_id {
            *seen = Seen {
                operation: Arc::clone(&cx.request_id),
                ..Seen::default()
            };
        }
        if seen.resources.len() < MAX_KEPT && seen.bytes + bytes <= MAX_KEPT_BYTES {
            seen.bytes += bytes;
            seen.resources
                .insert(path::key(&resource.path), Arc::clone(resource));
        }
    }

    /// Forgets what was read: a write may change any resource.
    pub(super) fn forget(&self) {
        *self.seen() = Seen::default();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A member of a collection.
enum Member {
    /// Expanded in the collection.
    There(Arc<Resource>),
    /// A link.
    At(String),
}

/// More than a link, and more than a link with a name.
fn is_expanded(value: &Value) -> bool {
    const OF_LINKS: [&str; 5] = ["href", "extref", "Name", "title", "Description"];
    value.as_object().is_some_and(|map| {
        map.keys()
            .any(|key| !key.starts_with('@') && !OF_LINKS.contains(&key.as_str()))
    })
}

/// Would every other request fail the same way?
pub(super) fn ends_all(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Auth | Kind::Unreachable | Kind::Timeout | Kind::Tls | Kind::Cancelled | Kind::Config
    )
}
