//! Reads that capabilities share: parts of resources, and resources that may be missing.

use std::sync::Arc;

use serde_json::Value;

use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;
use crate::hal::redfish::{Client, Resource};

/// The objects of the list at `pointer` as resources of their own, each named after its place; nulls and other
/// odd members are left out.
pub(super) fn parts(parent: &Resource, pointer: &str) -> Vec<Resource> {
    parent
        .list(pointer)
        .into_iter()
        .enumerate()
        .filter(|(_, value)| value.is_object())
        .map(|(n, value)| part(parent, &format!("{pointer}/{n}"), value))
        .collect()
}

/// `value`, which stands at `pointer` of `parent`, as a resource of its own.
pub(super) fn part(parent: &Resource, pointer: &str, value: &Value) -> Resource {
    Resource {
        path: format!("{}#{pointer}", parent.path),
        etag: None,
        json: value.clone(),
    }
}

/// Does the error mean that this one resource is not to be had, while the rest of the BMC may be?
pub(super) fn is_absent(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Unsupported | Kind::NeedsLicense | Kind::Protocol
    )
}

/// The resource behind a link; `None` without a link, or where nothing usable is behind it.
pub(super) async fn optional(
    client: &Client,
    cx: &Cx,
    link: Option<String>,
) -> Result<Option<Arc<Resource>>> {
    let Some(link) = link else { return Ok(None) };
    match client.get(cx, &link).await {
        Ok(resource) => Ok(Some(resource)),
        Err(error) if is_absent(&error) => {
            log::debug!("left out: {}", error.chain());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The members of a collection: in one answer where `$expand` is to be trusted, else one by one.
pub(super) async fn members(
    client: &Client,
    cx: &Cx,
    path: &str,
) -> Result<Vec<Result<Arc<Resource>>>> {
    if let Some(query) = client.quirks().expand {
        let all = format!("{path}?$expand={query}");
        // Where the query is ignored, the links are followed.
        match client.members(cx, &all).await {
            Err(error) if is_absent(&error) || error.kind() == Kind::Refused => {
                log::debug!("{}", error.chain());
            }
            other => return other,
        }
    }
    client.members(cx, path).await
}

/// The last segment of a path: what the BMC calls the resource.
pub(super) fn last_segment(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}
