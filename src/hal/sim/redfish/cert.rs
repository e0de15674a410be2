//! The certificate: self-signed, one for all BMCs of a process, with the vendor's name as organisation.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::hal::error::{Error, Kind, Result};

/// Addresses that stand in the certificate; of more BMCs only the first ones do.
const MAX_NAMES: usize = 64;

/// TLS for servers at `addresses`.
pub(super) fn server_config(
    organisation: &str,
    common_name: &str,
    addresses: &[IpAddr],
) -> Result<Arc<ServerConfig>> {
    let what = "making the certificate of the simulated BMCs";
    let failed = |e: rcgen::Error| Error::new(Kind::Other, what).with_source(e);
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).map_err(failed)?;
    let names = &mut params.distinguished_name;
    *names = rcgen::DistinguishedName::new();
    names.push(DnType::OrganizationName, organisation);
    names.push(DnType::CommonName, common_name);
    let addresses = addresses.iter().take(MAX_NAMES).copied();
    params
        .subject_alt_names
        .extend(addresses.map(SanType::IpAddress));
    let certificate = params.self_signed(&key).map_err(failed)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)
        })
        .map_err(|e| Error::new(Kind::Other, what).with_source(e))?;
    Ok(Arc::new(config))
}
