//! What can go wrong between a TCP connection and a complete HTTP answer, in words for people.

use std::fmt;
use std::io;

use rustls::{AlertDescription, InvalidMessage, PeerIncompatible};

use crate::hal::error::{Error, Kind};

/// The part of a request that ran out of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// TCP connection.
    Connect,
    /// TLS handshake.
    Handshake,
    /// Sending the request.
    Send,
    /// Status line and headers.
    Response,
    /// Body.
    Body,
    /// The whole request.
    Whole,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "the TCP connection",
            Self::Handshake => "the TLS handshake",
            Self::Send => "sending the request",
            Self::Response => "the HTTP response",
            Self::Body => "the body of the HTTP response",
            Self::Whole => "the HTTP request",
        })
    }
}

/// What sort of fault it is; [`HttpError`] says it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The port is closed (RST).
    Refused,
    /// No route, no such host.
    Unreachable,
    /// A phase took too long.
    Timeout(Phase),
    /// The server speaks only versions or key exchanges that are not safe: TLS 1.0, 1.1, RSA key exchange, CBC.
    TlsLegacy,
    /// The certificate is not the pinned one.
    TlsPin,
    /// The certificate does not lead to the given CA.
    TlsCa,
    /// Any other failure of TLS.
    Tls,
    /// It speaks HTTP, but without TLS.
    PlainHttp,
    /// Header or body is larger than we read.
    TooLarge,
    /// The connection was closed before the answer was complete.
    Closed,
    /// What came is not HTTP.
    Protocol,
    /// The URL or another argument of ours is wrong.
    Config,
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpError {
    /// What sort of fault it is.
    pub fault: Fault,
    /// What happened, without the address.
    pub text: String,
}

impl HttpError {
    /// An error of the given sort.
    pub fn new(fault: Fault, text: impl Into<String>) -> Self {
        Self {
            fault,
            text: text.into(),
        }
    }

    /// `phase` was not finished in time.
    pub fn timeout(phase: Phase) -> Self {
        Self::new(
            Fault::Timeout(phase),
            format!("timed out: {phase} did not finish in time"),
        )
    }

    /// A failure of the operating system while connecting, sending or receiving.
    pub fn from_io(error: &io::Error, phase: Phase) -> Self {
        use io::ErrorKind as K;
        match error.kind() {
            K::ConnectionRefused => Self::new(Fault::Refused, "connection refused"),
            K::HostUnreachable | K::NetworkUnreachable | K::NetworkDown | K::AddrNotAvailable => {
                Self::new(Fault::Unreachable, "no route to host")
            }
            K::TimedOut | K::WouldBlock => Self::timeout(phase),
            K::UnexpectedEof | K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe => {
                Self::new(
                    Fault::Closed,
                    format!("the connection was closed during {phase}"),
                )
            }
            _ => Self::new(Fault::Unreachable, error.to_string()),
        }
    }

    /// A failure of TLS; `first_bytes` are what the server sent first.
    pub fn from_tls(error: &rustls::Error, first_bytes: &[u8]) -> Self {
        use rustls::Error as E;
        if first_bytes.starts_with(b"HTTP/") {
            return Self::new(
                Fault::PlainHttp,
                "the port speaks plain HTTP, not TLS: ask for it with an http:// URL",
            );
        }
        match error {
            E::AlertReceived(AlertDescription::ProtocolVersion)
            | E::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => Self::new(
                Fault::TlsLegacy,
                "legacy TLS: the server speaks only TLS 1.0 or 1.1",
            ),
            E::AlertReceived(
                AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
            )
            | E::PeerIncompatible(
                PeerIncompatible::NoCipherSuitesInCommon
                | PeerIncompatible::NoKxGroupsInCommon
                | PeerIncompatible::NoSignatureSchemesInCommon
                | PeerIncompatible::UncompressedEcPointsRequired
                | PeerIncompatible::ExtendedMasterSecretExtensionRequired,
            ) => Self::new(
                Fault::TlsLegacy,
                "legacy TLS: the server offers no key exchange or cipher that is still safe",
            ),
            E::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) => Self::new(Fault::Tls, "the port does not speak TLS"),
            E::AlertReceived(alert) => Self::new(
                Fault::Tls,
                format!("the server ended the TLS handshake: alert {alert:?}"),
            ),
            other => Self::new(Fault::Tls, format!("TLS: {other}")),
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for HttpError {}

impl From<HttpError> for Error {
    fn from(e: HttpError) -> Self {
        let kind = match e.fault {
            Fault::Refused | Fault::Unreachable => Kind::Unreachable,
            Fault::Timeout(_) => Kind::Timeout,
            Fault::TlsLegacy | Fault::TlsPin | Fault::TlsCa | Fault::Tls | Fault::PlainHttp => {
                Kind::Tls
            }
            Fault::TooLarge | Fault::Closed | Fault::Protocol => Kind::Protocol,
            Fault::Config => Kind::Config,
        };
        Error::new(kind, "HTTP request").with_source(e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_of_old_servers_are_legacy() {
        let old = rustls::Error::AlertReceived(AlertDescription::ProtocolVersion);
        assert_eq!(
            HttpError::from_tls(&old, b"\x15\x03\x01").fault,
            Fault::TlsLegacy
        );
        let kex = rustls::Error::AlertReceived(AlertDescription::HandshakeFailure);
        assert_eq!(
            HttpError::from_tls(&kex, b"\x15\x03\x03").fault,
            Fault::TlsLegacy
        );
        let other = rustls::Error::AlertReceived(AlertDescription::InternalError);
        assert_eq!(
            HttpError::from_tls(&other, b"\x15\x03\x03").fault,
            Fault::Tls
        );
    }

    #[test]
    fn http_without_tls_is_told_by_its_first_bytes() {
        let e = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        assert_eq!(
            HttpError::from_tls(&e, b"HTTP/1.1 400").fault,
            Fault::PlainHttp
        );
        assert_eq!(
            HttpError::from_tls(&e, b"SSH-2.0-dropbear").fault,
            Fault::Tls
        );
    }
}
