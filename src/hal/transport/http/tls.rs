//! Which server certificates we accept, and what we remember of them.
//!
//! BMCs carry self-signed, expired and wrongly named certificates, so by default any is accepted and recorded.
//! A pin or a CA makes it strict. In every case the server must prove that it holds the key of the certificate
//! that it shows: a recorded fingerprint is worth nothing otherwise.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, ProtocolVersion, RootCertStore,
    SignatureScheme,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::{Fault, HttpError};
use super::x509::{CertificateFields, rfc3339};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::codec::hex;

/// What a server certificate must be.
#[derive(Clone, Default)]
pub struct Trust {
    /// SHA-256 of the one certificate that is accepted.
    pub pin: Option<[u8; 32]>,
    /// Certificate authorities that the chain must lead to; name and validity are checked then, too.
    pub ca: Option<Arc<RootCertStore>>,
}

impl Trust {
    /// Reads a fingerprint: 64 hex digits, colons and blanks between them allowed.
    pub fn parse_pin(text: &str) -> Result<[u8; 32]> {
        let wrong = || {
            Error::new(
                Kind::Config,
                format!("'{text}' is no SHA-256 fingerprint (64 hex digits)"),
            )
        };
        let text = text
            .trim()
            .strip_prefix("sha256:")
            .unwrap_or(text.trim())
            .replace([':', ' '], "");
        let mut pin = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        for (byte, pair) in pin.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
            let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
            if digits.starts_with('+') {
                return Err(wrong());
            }
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(pin)
    }

    /// Reads certificate authorities from a PEM file's content.
    pub fn parse_ca(pem: &[u8]) -> Result<Arc<RootCertStore>> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|e| {
                Error::new(Kind::Config, "the CA file is no PEM").with_source(e.to_string())
            })?;
            store.add(certificate).map_err(|e| {
                Error::new(Kind::Config, "a certificate of the CA file cannot be used")
                    .with_source(e)
            })?;
        }
        if store.is_empty() {
            return Err(Error::new(Kind::Config, "the CA file holds no certificate"));
        }
        Ok(Arc::new(store))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("pin", &self.pin.map(|p| hex(&p)))
            .field("ca", &self.ca.as_ref().map(|s| s.len()))
            .finish()
    }
}

/// What is known of a TLS connection. Fields that a malformed certificate does not give are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TlsInfo {
    /// `1.3`, `1.2`, or `legacy` when only something older is offered.
    pub version: String,
    /// Subject, `CN=…,O=…`.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// SHA-256 of the certificate in lower-case hex; empty when none was shown.
    pub sha256: String,
    /// End of validity (RFC 3339).
    pub not_after: Option<String>,
    /// Issuer and subject are the same.
    pub self_signed: bool,
    /// End of validity, seconds since 1970.
    #[serde(skip)]
    pub not_after_unix: Option<i64>,
    /// Organisation of the issuer.
    #[serde(skip)]
    pub issuer_organization: Option<String>,
    /// Organisation of the subject.
    #[serde(skip)]
    pub subject_organization: Option<String>,
}

impl TlsInfo {
    /// Describes a certificate (DER) seen on a connection of this version.
    pub fn of(version: &str, der: &[u8]) -> Self {
        // A certificate that nobody can read still has a fingerprint.
        let fields = CertificateFields::parse(der).unwrap_or_default();
        Self {
            version: version.to_owned(),
            subject: fields.subject,
            issuer: fields.issuer,
            sha256: if der.is_empty() {
                String::new()
            } else {
                hex(&Sha256::digest(der))
            },
            not_after: fields.not_after.map(rfc3339),
            self_signed: fields.self_signed,
            not_after_unix: fields.not_after,
            issuer_organization: fields.issuer_organization,
            subject_organization: fields.subject_organization,
        }
    }
}

/// How a protocol version is written.
pub(super) fn version_text(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        Some(ProtocolVersion::TLSv1_2) => "1.2",
        _ => "unknown",
    }
}

/// The one crypto provider (ring) of all TLS connections.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider())))
}

/// What the verifier saw last.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The server's certificate (DER), also when it was refused.
    pub(super) der: Vec<u8>,
    /// Why it was refused.
    pub(super) refused: Option<HttpError>,
}

/// Where the verifier leaves what it saw.
pub(super) type Seen = Arc<Mutex<Option<Shown>>>;

/// A client configuration that enforces `trust` and leaves the certificate in `seen`.
pub(super) fn client_config(
    trust: &Trust,
    seen: Seen,
) -> std::result::Result<Arc<ClientConfig>, rustls::Error> {
    let provider = provider();
    let ca = match &trust.ca {
        None => None,
        Some(roots) => Some(
            WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider))
                .build()
                .map_err(|e| rustls::Error::General(e.to_string()))?,
        ),
    };
    let verifier = Verifier {
        pin: trust.pin,
        ca,
        seen,
        algorithms: provider.signature_verification_algorithms,
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // A resumed session shows no certificate, and saves nothing at one connection per BMC.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct Verifier {
    pin: Option<[u8; 32]>,
    ca: Option<Arc<WebPkiServerVerifier>>,
    seen: Seen,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let outcome = self.accept(end_entity, intermediates, server_name, ocsp_response, now);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Shown {
            der: end_entity.as_ref().to_vec(),
            refused: outcome.as_ref().err().cloned(),
        });
        match outcome {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let strict = rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms);
        match strict {
            Err(_) if self.ca.is_none() => self.by_key(message, cert, dss).unwrap_or(strict),
            done => done,
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let strict = rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms);
        match strict {
            Err(rustls::Error::InvalidCertificate(ref reason))
                if self.ca.is_none() && *reason != CertificateError::BadSignature =>
            {
                // webpki reads only well-formed version 3 certificates; the key in it is all that is needed.
                match CertificateFields::parse(cert.as_ref()) {
                    Ok(fields) if !fields.spki.is_empty() => {
                        rustls::crypto::verify_tls13_signature_with_raw_key(
                            message,
                            &SubjectPublicKeyInfoDer::from(fields.spki.as_slice()),
                            dss,
                            &self.algorithms,
                        )
                    }
                    _ => strict,
                }
            }
            done => done,
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Verifier {
    /// Is this the pinned certificate, and does it lead to the CA?
    fn accept(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<(), HttpError> {
        if let Some(pin) = self.pin
            && Sha256::digest(end_entity.as_ref()).as_slice() != pin.as_slice()
        {
            return Err(HttpError::new(
                Fault::TlsPin,
                "the certificate is not the pinned one",
            ));
        }
        let Some(ca) = &self.ca else {
            return Ok(());
        };
        ca.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map(drop)
            .map_err(|e| {
                let why = match e {
                    rustls::Error::InvalidCertificate(reason) => reason.to_string(),
                    other => other.to_string(),
                };
                HttpError::new(
                    Fault::TlsCa,
                    format!("the certificate is not accepted by the given CA: {why}"),
                )
            })
    }

    /// Checks a TLS 1.2 handshake signature with nothing but the key of a certificate that webpki cannot
    /// read (version 1) or whose RSA key is shorter than webpki takes. `None`: no algorithm fits.
    fn by_key(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Option<std::result::Result<HandshakeSignatureValid, rustls::Error>> {
        let fields = CertificateFields::parse(cert.as_ref()).ok()?;
        let verdict = |valid: bool| {
            if valid {
                Ok(HandshakeSignatureValid::assertion())
            } else {
                Err(CertificateError::BadSignature.into())
            }
        };
        if fields.rsa_bits().is_some_and(|bits| bits < 2048) {
            let algorithm = match dss.scheme {
                SignatureScheme::RSA_PKCS1_SHA256 => {
                    &ring::signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
                }
                SignatureScheme::RSA_PKCS1_SHA512 => {
                    &ring::signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
                }
                _ => return None,
            };
            let key = ring::signature::UnparsedPublicKey::new(algorithm, &fields.key);
            return Some(verdict(key.verify(message, dss.signature()).is_ok()));
        }
        let (_, candidates) = self
            .algorithms
            .mapping
            .iter()
            .find(|(scheme, _)| *scheme == dss.scheme)?;
        let algorithm = candidates
            .iter()
            .find(|a| a.public_key_alg_id().as_ref() == fields.key_algorithm.as_slice())?;
        Some(verdict(
            algorithm
                .verify_signature(&fields.key, message, dss.signature())
                .is_ok(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_tools_print_them() {
        let plain = "aa".repeat(32);
        let colons = vec!["AA"; 32].join(":");
        assert_eq!(Trust::parse_pin(&plain).unwrap(), [0xaa; 32]);
        assert_eq!(Trust::parse_pin(&colons).unwrap(), [0xaa; 32]);
        assert_eq!(
            Trust::parse_pin(&format!("sha256:{plain}")).unwrap(),
            [0xaa; 32]
        );
        for wrong in [
            "",
            "aa",
            &"zz".repeat(32),
            &"+a".repeat(32),
            &"ä".repeat(32),
        ] {
            assert_eq!(Trust::parse_pin(wrong).unwrap_err().kind(), Kind::Config);
        }
    }

    #[test]
    fn ca_files_without_a_certificate_are_refused() {
        assert!(Trust::parse_ca(b"").is_err());
        assert!(Trust::parse_ca(b"hello").is_err());
        assert!(
            Trust::parse_ca(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                .is_err()
        );
        let own = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
        assert_eq!(Trust::parse_ca(own.cert.pem().as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn garbage_still_has_a_fingerprint() {
        let info = TlsInfo::of("1.2", b"garbage");
        assert_eq!(info.sha256.len(), 64);
        assert_eq!(info.subject, "");
        assert_eq!(info.not_after, None);
        assert_eq!(TlsInfo::of("legacy", b"").sha256, "");
    }
}
