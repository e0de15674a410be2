//! Errors on the wire: a gRPC code by kind, and `google.rpc.ErrorInfo` with kind, MAC, driver and hint.

use std::collections::HashMap;
use std::time::Duration;

use prost::Message;
use tonic::{Code, Status};

use crate::hal::{Error, Kind};

/// The domain of our errors.
const DOMAIN: &str = "halbox";
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(map = "string, string", tag = "3")]
    metadata: HashMap<String, String>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

/// Longest time that a caller waits because the daemon says so.
const LONGEST: Duration = Duration::from_secs(10);

/// The caller asks too much: nothing was done, and it may come again after `pause`.
pub fn exhausted(words: String, pause: Duration) -> Status {
    let code = Code::ResourceExhausted;
    let error = Error::new(Kind::Busy, words)
        .with_hint(format!("again in {:.1} s", pause.as_secs_f64().max(0.1)));
    let info = RetryInfo {
        retry_delay: prost_types::Duration::try_from(pause).ok(),
    };
    let any = prost_types::Any {
        type_url: RETRY_INFO.to_owned(),
        value: info.encode_to_vec(),
    };
    let message = error.chain();
    let details = RpcStatus {
        code: code as i32,
        message: message.clone(),
        details: vec![error_info(&error, &[]), any],
    };
    Status::with_details(code, message, details.encode_to_vec().into())
}

/// When to ask again, where the daemon has said so.
pub fn retry_after(status: &Status) -> Option<Duration> {
    if status.code() != Code::ResourceExhausted {
        return None;
    }
    let details = RpcStatus::decode(status.details()).ok()?.details;
    let any = details.into_iter().find(|d| d.type_url == RETRY_INFO)?;
    let delay = RetryInfo::decode(any.value.as_slice()).ok()?.retry_delay?;
    let delay = Duration::try_from(delay).ok()?;
    Some(delay.clamp(Duration::from_millis(10), LONGEST))
}

/// The gRPC code of a kind. The only place that decides it.
pub fn code(kind: Kind) -> Code {
    match kind {
        Kind::Unreachable | Kind::Busy => Code::Unavailable,
        Kind::Timeout => Code::DeadlineExceeded,
        // Unauthenticated would mean the caller of the API; here a BMC has refused our credentials.
        Kind::Auth | Kind::Refused | Kind::NeedsLicense | Kind::Tls => Code::FailedPrecondition,
        Kind::Privilege => Code::PermissionDenied,
        Kind::Unsupported => Code::Unimplemented,
        Kind::Config => Code::InvalidArgument,
        Kind::Cancelled => Code::Cancelled,
        Kind::Indeterminate => Code::Unknown,
        _ => Code::Internal,
    }
}

const KINDS: [Kind; 14] = [
    Kind::Unreachable,
    Kind::Timeout,
    Kind::Auth,
    Kind::Privilege,
    Kind::Unsupported,
    Kind::NeedsLicense,
    Kind::Busy,
    Kind::Refused,
    Kind::Indeterminate,
    Kind::Protocol,
    Kind::Tls,
    Kind::Config,
    Kind::Cancelled,
    Kind::Other,
];

/// The kind of that name; `Other` for one that is not known.
pub fn kind_of(name: &str) -> Kind {
    KINDS
        .into_iter()
        .find(|k| k.as_str() == name)
        .unwrap_or(Kind::Other)
}

/// An error as the answer of a call; `about` are further facts (`mac`, `driver`).
pub fn to_status(error: &Error, about: &[(&str, String)]) -> Status {
    with_code(code(error.kind()), error, about)
}

/// The same where the call itself is wrong (no such row): the code is given.
pub fn with_code(code: Code, error: &Error, about: &[(&str, String)]) -> Status {
    let message = error.chain();
    let details = RpcStatus {
        code: code as i32,
        message: message.clone(),
        details: vec![error_info(error, about)],
    };
    Status::with_details(code, message, details.encode_to_vec().into())
}

fn error_info(error: &Error, about: &[(&str, String)]) -> prost_types::Any {
    let mut metadata: HashMap<String, String> = about
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    metadata.insert("kind".to_owned(), error.kind().as_str().to_owned());
    if let Some(hint) = error.hint() {
        metadata.insert("hint".to_owned(), hint.to_owned());
    }
    let info = ErrorInfo {
        reason: error.kind().as_str().to_ascii_uppercase().replace('-', "_"),
        domain: DOMAIN.to_owned(),
        metadata,
    };
    prost_types::Any {
        type_url: ERROR_INFO.to_owned(),
        value: info.encode_to_vec(),
    }
}

/// The answer of a call as an error.
pub fn from_status(status: &Status) -> Error {
    let info = RpcStatus::decode(status.details()).ok().and_then(|s| {
        let any = s.details.into_iter().find(|d| d.type_url == ERROR_INFO)?;
        ErrorInfo::decode(any.value.as_slice())
            .ok()
            .filter(|i| i.domain == DOMAIN)
    });
    if let Some(info) = info {
        let kind = kind_of(info.metadata.get("kind").map_or("", String::as_str));
        let error = Error::new(kind, status.message());
        return match info.metadata.get("hint") {
            Some(hint) => error.with_hint(hint.clone()),
            None => error,
        };
    }
    let kind = match status.code() {
        Code::DeadlineExceeded => Kind::Timeout,
        Code::Cancelled => Kind::Cancelled,
        Code::InvalidArgument | Code::NotFound => Kind::Config,
        Code::PermissionDenied => Kind::Privilege,
        Code::Unauthenticated => Kind::Auth,
        Code::Unimplemented => Kind::Unsupported,
        Code::Unavailable => Kind::Unreachable,
        _ => Kind::Other,
    };
    let words = match status.message() {
        "" => status.code().to_string(),
        words => words.to_owned(),
    };
    Error::new(kind, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_survive_the_wire() {
        for kind in KINDS {
            let error = Error::new(kind, "power status of 10.0.0.1")
                .with_source("RAKP 2".to_owned())
                .with_hint("look again");
            let status = to_status(&error, &[("mac", "ac:1f:6b:00:00:01".to_owned())]);
            let back = from_status(&status);
            assert_eq!(back.kind(), kind);
            assert_eq!(back.chain(), error.chain());
            assert_eq!(back.hint(), Some("look again"));
        }
        let much = exhausted("too many calls".to_owned(), Duration::from_millis(300));
        assert_eq!(retry_after(&much), Some(Duration::from_millis(300)));
        assert_eq!(from_status(&much).kind(), Kind::Busy);
        let foreign = from_status(&Status::not_found("no"));
        assert_eq!(
            (foreign.kind(), foreign.chain().as_str()),
            (Kind::Config, "no")
        );
    }
}
