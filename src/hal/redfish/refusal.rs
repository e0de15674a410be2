//! A refusal of the BMC: its status, its words, and which [`Kind`] that is.

use std::error::Error as StdError;
use std::fmt;

use serde_json::Value;

use super::door::{Answer, Method};
use super::json;
use crate::hal::error::{Error, Kind};

/// Messages kept of one answer, and characters of each.
const MAX_MESSAGES: usize = 8;
const MAX_TEXT: usize = 400;

/// What a BMC answered instead of doing it. Source of the [`Error`] of a refused request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// Status code.
    pub status: u16,
    /// `MessageId`s, as given (`Base.1.8.PropertyUnknown`).
    pub message_ids: Vec<String>,
    /// The BMC's words, fit to print.
    pub messages: Vec<String>,
}

impl Refusal {
    /// Reads the body of a refusal: `@Message.ExtendedInfo` as list or object, in `error` or beside it; a web page; nothing.
    pub fn of(answer: &Answer) -> Self {
        let mut found = Self {
            status: answer.status,
            ..Self::default()
        };
        match json::decode(&answer.body) {
            Ok(body) => found.read(&body),
            Err(_) => found.messages.extend(title(&answer.body)),
        }
        found
    }

    /// The refusal in an error's chain of causes.
    pub fn find(error: &Error) -> Option<&Self> {
        let mut next = error.source();
        while let Some(cause) = next {
            if let Some(refusal) = cause.downcast_ref::<Self>() {
                return Some(refusal);
            }
            next = cause.source();
        }
        None
    }

    /// Did it name this message (the last part of its id, any case)?
    pub fn names(&self, id: &str) -> bool {
        self.message_ids
            .iter()
            .any(|m| last(m).eq_ignore_ascii_case(id))
    }

    fn names_any(&self, ids: &[&str]) -> bool {
        ids.iter().any(|id| self.names(id))
    }

    /// Removes secrets that the BMC repeated in its words.
    pub(super) fn conceal(&mut self, secrets: &[&str]) {
        for secret in secrets.iter().filter(|s| !s.is_empty()) {
            for text in self.messages.iter_mut().chain(&mut self.message_ids) {
                if text.contains(secret) {
                    *text = text.replace(secret, "***");
                }
            }
        }
    }

    fn read(&mut self, body: &Value) {
        self.read_info(body);
        if self.message_ids.is_empty() && self.messages.is_empty() {
            let error = body.get("error").unwrap_or(body);
            let text = |key| error.get(key).and_then(Value::as_str);
            self.add(text("code"), text("message"));
        }
    }

    /// The messages of a document, also of a task.
    pub(super) fn read_info(&mut self, body: &Value) {
        let places = [
            body.pointer("/error/@Message.ExtendedInfo"),
            body.get("@Message.ExtendedInfo"),
            body.get("Messages"),
        ];
        for place in places.into_iter().flatten() {
            self.read_list(place);
        }
        if let Some(map) = body.as_object() {
            for (key, value) in map {
                if !key.starts_with('@') && key.ends_with("@Message.ExtendedInfo") {
                    self.read_list(value);
                }
            }
        }
    }

    fn read_list(&mut self, value: &Value) {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items {
            match item {
                Value::String(text) => self.add(None, Some(text)),
                Value::Object(map) => {
                    let text = |key: &str| map.get(key).and_then(Value::as_str);
                    self.add(
                        text("MessageId").or_else(|| text("MessageID")),
                        text("Message"),
                    );
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, id: Option<&str>, message: Option<&str>) {
        let id = id.map(clean).filter(|t| !t.is_empty());
        let message = message.map(clean).filter(|t| !t.is_empty());
        if id.as_deref().is_some_and(|id| last(id) == "Success") {
            return;
        }
        if let Some(id) = id
            && self.message_ids.len() < MAX_MESSAGES
            && !self.message_ids.contains(&id)
        {
            self.message_ids.push(id);
        }
        if let Some(message) = message
            && self.messages.len() < MAX_MESSAGES
            && !self.messages.contains(&message)
        {
            self.messages.push(message);
        }
    }

    /// What sort of failure this is. The one place that decides it.
    pub fn kind(&self, method: Method, licence_ids: &[&str]) -> Kind {
        match self.status {
            401 => Kind::Auth,
            _ if self.wants_new_password() => Kind::Auth,
            _ if self.wants_licence(licence_ids) => Kind::NeedsLicense,
            403 => Kind::Privilege,
            404 | 405 | 410 | 501 => Kind::Unsupported,
            408 | 429 | 503 => Kind::Busy,
            502 | 504 if method.is_read() => Kind::Busy,
            502 | 504 => Kind::Indeterminate,
            _ if self.names_any(BUSY) => Kind::Busy,
            400 if self.names_any(UNSUPPORTED) => Kind::Unsupported,
            500..=599 => Kind::Protocol,
            _ => Kind::Refused,
        }
    }

    fn wants_new_password(&self) -> bool {
        self.names_any(&["PasswordChangeRequired", "PasswordExpired"])
    }

    fn wants_licence(&self, more: &[&str]) -> bool {
        let of_id = |id: &String| {
            let id = last(id);
            id.to_ascii_lowercase().contains("licens")
                || more.iter().any(|m| id.eq_ignore_ascii_case(m))
        };
        let of_text = |text: &String| {
            let text = text.to_ascii_lowercase();
            // Supermicro names its keys; others say it in a sentence.
            text.contains("sft-")
                || (text.contains("licens")
                    && ["require", "not ", "missing", "invalid", "need"]
                        .iter()
                        .any(|w| text.contains(w)))
                || more.iter().any(|m| text.contains(&m.to_ascii_lowercase()))
        };
        self.message_ids.iter().any(of_id) || self.messages.iter().any(of_text)
    }

    /// The error of a refused request; `what` is method and path.
    pub fn error(self, what: impl Into<String>, method: Method, licence_ids: &[&str]) -> Error {
        let kind = self.kind(method, licence_ids);
        let hint = self.hint(kind);
        let error = Error::new(kind, what).with_source(self);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// What can be done when all sessions are taken.
    pub const NO_SESSION_LEFT: &str =
        "all sessions of the BMC are taken: they end by themselves after some minutes";

    /// Is no session left? Of a refused login only: the same words are said of accounts.
    pub fn is_of_sessions(&self) -> bool {
        self.names_any(SESSIONS)
    }

    fn hint(&self, kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::Auth if self.wants_new_password() => Some(
                "the BMC wants a new password for this account before anything else: set one with `user set-password`",
            ),
            Kind::Auth => Some("check user and password"),
            Kind::Privilege => Some("the account may not do this: it needs a higher role"),
            Kind::NeedsLicense => Some("the BMC needs a licence for this over Redfish"),
            Kind::Busy if self.is_of_sessions() => Some(Self::NO_SESSION_LEFT),
            Kind::Busy => Some("try again in a minute"),
            Kind::Protocol => {
                Some("the BMC's web server has an error: a restart of the BMC may help")
            }
            _ => None,
        }
    }
}

const SESSIONS: &[&str] = &[
    "SessionLimitExceeded",
    "RAC0218",
    "CreateLimitReachedForResource",
];

const BUSY: &[&str] = &[
    "SYS518",
    "RAC0218",
    "SessionLimitExceeded",
    "ServiceTemporarilyUnavailable",
    "ServiceInUnknownState",
    "ServiceShuttingDown",
    "ResourceInUse",
    "ResourceInStandby",
    "UnableToModifyDuringSystemPOST",
];

const UNSUPPORTED: &[&str] = &[
    "ActionNotSupported",
    "ActionDeprecated",
    "PropertyUnknown",
    "OperationNotAllowed",
    "UnsupportedOperation",
    "ResourceMissingAtURI",
];

/// The last part of a message id, which is the same in every version of a registry.
fn last(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or(id)
}

/// One line, no control characters, not long.
pub(super) fn clean(text: &str) -> String {
    let text: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_TEXT)
        .collect();
    text.trim_end().to_owned()
}

/// What a web page calls itself; plain text as it is.
fn title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body.get(..body.len().min(4096)).unwrap_or_default());
    let text = text.trim();
    if !text.starts_with('<') {
        return Some(clean(text)).filter(|t| !t.is_empty());
    }
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let begin = start + lower.get(start..)?.find('>')? + 1;
    let end = begin + lower.get(begin..)?.find("</title")?;
    Some(clean(text.get(begin..end)?)).filter(|t| !t.is_empty())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if !self.messages.is_empty() {
            write!(f, ": {}", self.messages.join("; "))?;
        }
        if !self.message_ids.is_empty() {
            write!(f, " ({})", self.message_ids.join(", "))?;
        }
        Ok(())
    }
}

impl StdError for Refusal {}

#[cfg(test)]
mod tests;
