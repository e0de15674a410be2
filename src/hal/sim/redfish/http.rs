//! Requests and answers as the service sees them: no sockets.

use serde_json::Value;

use super::messages::Message;

/// Request methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD: GET without the body.
    Head,
    /// POST.
    Post,
    /// PATCH.
    Patch,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
    /// OPTIONS.
    Options,
    /// Anything else.
    Other,
}

impl Method {
    /// Does it only read?
    pub fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "?",
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Method.
    pub method: Method,
    /// Path without the query, not decoded.
    pub path: String,
    /// Query, without the question mark.
    pub query: String,
    /// Authorization.
    pub authorization: Option<String>,
    /// X-Auth-Token.
    pub token: Option<String>,
    /// If-Match.
    pub if_match: Option<String>,
    /// If-None-Match.
    pub if_none_match: Option<String>,
    /// OData-Version.
    pub odata_version: Option<String>,
    /// Content-Type.
    pub content_type: Option<String>,
    /// Body.
    pub body: Vec<u8>,
}

impl Ask {
    /// A request without a body and headers.
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            authorization: None,
            token: None,
            if_match: None,
            if_none_match: None,
            odata_version: None,
            content_type: None,
            body: Vec::new(),
        }
    }

    /// The body as a JSON object.
    pub fn object(&self) -> Result<serde_json::Map<String, Value>, Refusal> {
        let is_json = self.content_type.as_deref().is_none_or(|t| {
            let kind = t.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
        });
        if !is_json {
            return Err(Refusal::new(415, Message::base("GeneralError", &[])));
        }
        if self.body.is_empty() {
            return Ok(serde_json::Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(_) => Err(Refusal::new(
                400,
                Message::base("UnrecognizedRequestBody", &[]),
            )),
            Err(_) => Err(Refusal::new(400, Message::base("MalformedJSON", &[]))),
        }
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty = none.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", "application/json; charset=utf-8".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A refused request: status and what is wrong.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Status.
    pub status: u16,
    /// Why.
    pub messages: Vec<Message>,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// One reason.
    pub fn new(status: u16, message: Message) -> Self {
        Self {
            status,
            messages: vec![message],
            headers: Vec::new(),
        }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer.
    pub fn reply(self, sloppy: bool) -> Reply {
        let mut reply = Reply::json(self.status, &Message::error(&self.messages, sloppy));
        reply.headers.extend(self.headers);
        reply
    }
}
