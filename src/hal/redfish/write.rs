//! Writes: tags where they are wanted, tasks followed, nothing sent twice that was not refused before.

use serde_json::Value;

use super::Client;
use super::door::{Answer, Ask, Method};
use super::quirks::Etag;
use super::refusal::Refusal;
use super::resource::{Resource, texts};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;

/// What a BMC answered to a write that it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Status code.
    pub status: u16,
    /// Path of what was made.
    pub location: Option<String>,
    /// The resource as it is now, where the BMC sent it.
    pub resource: Option<Resource>,
}

impl Client {
    /// Changes the properties given. Nothing is read first unless the BMC asks for a tag, so that an account whose password
    /// must be changed can be.
    pub async fn patch(&self, cx: &Cx, path: &str, body: Value) -> Result<Written> {
        self.tagged(cx, Ask::write(Method::Patch, path, Some(body)))
            .await
    }

    /// Runs an action or creates a member; never with a tag.
    pub async fn post(&self, cx: &Cx, path: &str, body: Value) -> Result<Written> {
        let ask = Ask::write(Method::Post, path, Some(body));
        let answer = self.follow(cx, ask.clone()).await;
        self.forget();
        self.written(cx, &ask, answer?).await
    }

    /// Removes a resource.
    pub async fn delete(&self, cx: &Cx, path: &str) -> Result<Written> {
        self.tagged(cx, Ask::write(Method::Delete, path, None))
            .await
    }

    /// Runs the action `name` (`#ComputerSystem.Reset`) of a resource. `Unsupported` when the resource does not list it.
    pub async fn action(&self, cx: &Cx, of: &Resource, name: &str, body: Value) -> Result<Written> {
        let Some(action) = action_of(of, name) else {
            return Err(
                Error::new(Kind::Unsupported, format!("{name} of {}", of.path))
                    .with_source("the resource does not offer this action"),
            );
        };
        let target = Resource::of(&of.path, None, action.clone())
            .link("/target")
            .unwrap_or_else(|| {
                let of = of.path.trim_end_matches('/');
                format!("{of}/Actions/{}", name.trim_start_matches('#'))
            });
        self.post(cx, &target, body).await
    }

    /// The values that the BMC allows for a parameter of an action, inline or from its ActionInfo. `None` when it does not
    /// say.
    pub async fn action_values(
        &self,
        cx: &Cx,
        of: &Resource,
        name: &str,
        parameter: &str,
    ) -> Result<Option<Vec<String>>> {
        let Some(action) = action_of(of, name) else {
            return Ok(None);
        };
        let action = Resource::of(&of.path, None, action.clone());
        if let Some(values) = action.allowable(parameter) {
            return Ok(Some(values));
        }
        let Some(info) = action.link("@Redfish.ActionInfo") else {
            return Ok(None);
        };
        let info = match self.get(cx, &info).await {
            Ok(info) => info,
            Err(e) if super::client::ends_all(e.kind()) => return Err(e),
            Err(_) => return Ok(None),
        };
        Ok(info
            .list("/Parameters")
            .into_iter()
            .filter(|p| p.get("Name").and_then(Value::as_str) == Some(parameter))
            .find_map(|p| texts(p.get("AllowableValues")?)))
    }

    /// A write that the BMC may want a tag for.
    async fn tagged(&self, cx: &Cx, ask: Ask) -> Result<Written> {
        let asked_for = self.door().learnt().snapshot().if_match;
        let known = self.known(cx, &ask.path).and_then(|r| r.etag.clone());
        let first = match (self.quirks().etag, known) {
            (Etag::Never, _) => None,
            (_, Some(tag)) => Some(tag),
            (Etag::Always, None) => Some(self.tag(cx, &ask.path).await),
            (Etag::Auto, None) if asked_for => Some(self.tag(cx, &ask.path).await),
            (Etag::Auto, None) => None,
        };
        let answer = self.climb(cx, &ask, first).await;
        // Whatever came of it, what was read before may be stale now.
        self.forget();
        self.written(cx, &ask, answer?).await
    }

    /// Sends with `first` as the tag; each time the BMC refuses the tag (which is before it acts), the next spelling.
    async fn climb(&self, cx: &Cx, ask: &Ask, first: Option<String>) -> Result<Answer> {
        let send = |tag: Option<String>| {
            let ask = Ask {
                if_match: tag,
                ..ask.clone()
            };
            async move { self.follow(cx, ask).await }
        };
        let bare = first.is_none();
        let mut answer = send(first.clone()).await?;
        if self.quirks().etag == Etag::Never || !wants_tag(&answer) {
            return Ok(answer);
        }
        if bare {
            self.door().learnt().update(|l| l.if_match = true);
        }
        let mut tried = vec![first];
        self.forget();
        let mut ladder = spellings(&self.tag(cx, &ask.path).await);
        // A tag that the BMC itself gave is refused in every spelling: some do not want one at all.
        ladder.push(None);
        for tag in ladder {
            if tried.contains(&tag) {
                continue;
            }
            answer = send(tag.clone()).await?;
            if !wants_tag(&answer) {
                break;
            }
            tried.push(tag);
        }
        Ok(answer)
    }

    /// The present tag of a resource; `*` when it has none or cannot be read.
    async fn tag(&self, cx: &Cx, path: &str) -> String {
        match self.fresh(cx, path).await {
            Ok(resource) => resource.etag.clone().unwrap_or_else(any),
            Err(_) => any(),
        }
    }

    async fn written(&self, cx: &Cx, ask: &Ask, answer: Answer) -> Result<Written> {
        match answer.status {
            202 => self.finish(cx, ask, answer).await,
            200..=299 => Ok(Written::of(self, ask, &answer)),
            _ => Err(self.refused(ask, &answer)),
        }
    }
}

/// The tag that fits everything.
fn any() -> String {
    "*".to_owned()
}

/// As given, strong, without quotes, any.
fn spellings(tag: &str) -> Vec<Option<String>> {
    let strong = tag.strip_prefix("W/").unwrap_or(tag);
    [tag, strong, strong.trim_matches('"'), "*"]
        .into_iter()
        .filter(|t| !t.is_empty())
        .map(|t| Some(t.to_owned()))
        .collect()
}

/// Was the write refused for its tag, or for having none?
fn wants_tag(answer: &Answer) -> bool {
    match answer.status {
        412 | 428 => true,
        400 | 403 | 409 => {
            let refusal = Refusal::of(answer);
            [
                "PreconditionFailed",
                "PreconditionRequired",
                "PreconditionHeaderMissing",
                "EtagDoesNotMatch",
            ]
            .iter()
            .any(|id| refusal.names(id))
        }
        _ => false,
    }
}

/// An action, standard or OEM.
fn action_of<'a>(of: &'a Resource, name: &str) -> Option<&'a Value> {
    let actions = of.json.get("Actions")?;
    actions
        .get(name)
        .or_else(|| actions.get("Oem")?.get(name))
        .filter(|action| action.is_object())
}

#[cfg(test)]
mod tests;
