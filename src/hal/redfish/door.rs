//! The one door to a BMC's Redfish service: a request goes in, an answer of any status comes out.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::learnt::RedfishCell;
use crate::hal::error::Result;
use crate::hal::model::{BoxFuture, Cx};

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Actions and creations.
    Post,
    /// Changes the properties that are given.
    Patch,
    /// Replaces.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// May it run twice without harm? Only reads: a PATCH that is repeated may undo what another did meanwhile.
    pub fn is_read(self) -> bool {
        self == Self::Get
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request. Debug shows neither body nor tag: passwords travel in bodies.
#[derive(Clone, PartialEq)]
pub struct Ask {
    /// What to do.
    pub method: Method,
    /// Path on this BMC, query included (`/redfish/v1/Systems`).
    pub path: String,
    /// Sent as JSON.
    pub body: Option<Value>,
    /// `If-Match`.
    pub if_match: Option<String>,
}

impl Ask {
    /// A read.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            path: path.into(),
            body: None,
            if_match: None,
        }
    }

    /// A write with a body.
    pub fn write(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self {
            method,
            path: path.into(),
            body,
            if_match: None,
        }
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// An answer, whatever its status.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this (lower-case) name that is not blank.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.trim())
            .find(|value| !value.is_empty())
    }

    /// 200..299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// `Retry-After` in seconds; dates and nonsense count as not given.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header("retry-after")?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {} ({} bytes)", self.status, self.body.len())
    }
}

/// A BMC's Redfish service to which requests can be sent. It knows the login, keeps one connection and has one request in
/// flight. `transport::redfish` implements it over HTTP, tests without.
pub trait Door: Send + Sync {
    /// Sends one request and waits for its answer; any status is `Ok`. Errors: no answer (`Unreachable`, `Tls`,
    /// `Timeout`), `Indeterminate` for writes of unknown fate, `Auth` when the credentials are refused.
    fn ask<'a>(&'a self, cx: &'a Cx, ask: Ask) -> BoxFuture<'a, Result<Answer>>;

    /// Lets time pass. Errors: `Timeout` at once when the deadline comes first, `Cancelled`.
    fn pause<'a>(&'a self, cx: &'a Cx, time: Duration) -> BoxFuture<'a, Result<()>>;

    /// Who is logged in.
    fn user(&self) -> Option<&str>;

    /// `https://host:port` of the service, to tell its own absolute links from those of others; empty when unknown.
    #[expect(
        clippy::unnecessary_literal_bound,
        reason = "implementations return what they own"
    )]
    fn origin(&self) -> &str {
        ""
    }

    /// What was learnt of this BMC. Shared by all who talk to it.
    fn learnt(&self) -> &RedfishCell;

    /// Deletes a session, closes the connection. The door can be used again.
    fn close(&self) -> BoxFuture<'_, ()>;
}
