//! The API over TCP: TLS 1.3, certificates of callers where they have one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, version};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::entry::{Connections, Entry, Peer};
use super::listen::{WAITING, failed_to_accept};
use crate::hal::transport::http::Trust;
use crate::hal::{Error, Kind, Result};

/// Certificate, key and who issues callers' certificates. They can be read again while others use them.
#[derive(Debug)]
pub struct Papers {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
    now: RwLock<Arc<ServerConfig>>,
}

impl Papers {
    /// Reads them; callers' certificates have to come from `client_ca`, where they show one.
    pub fn read(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self> {
        let now = config(certificate, key, client_ca)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            client_ca: client_ca.map(Path::to_owned),
            now: RwLock::new(Arc::new(now)),
        })
    }

    /// Reads the files again, for connections from now on. What cannot be used leaves everything as it was.
    pub fn again(&self) -> Result<()> {
        let new = config(&self.certificate, &self.key, self.client_ca.as_deref())?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&now))
    }
}

/// Accepts from now on, until nobody wants the connections any more.
pub fn accept(listener: TcpListener, papers: Arc<Papers>, entry: Arc<Entry>) -> Connections {
    let (to, connections) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = to.closed() => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let _ = stream.set_nodelay(true);
                    let accepting = papers.acceptor().accept(stream);
                    let secured = async move {
                        let stream = accepting.await?;
                        let shown = stream.get_ref().1.peer_certificates();
                        let certificates = shown.map(|list| Arc::new(list.to_vec()));
                        Ok((Box::new(stream) as _, certificates))
                    };
                    let peer = Peer::Address(peer.ip().to_canonical());
                    entry.admit(peer, secured, &to);
                }
                Err(e) => failed_to_accept(&e).await,
            }
        }
    });
    Connections::new(connections)
}

fn config(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<ServerConfig> {
    let wrong = |path: &Path, e: &dyn std::fmt::Display| {
        Error::new(Kind::Config, format!("{}", path.display())).with_source(e.to_string())
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|e| wrong(certificate, &e))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| wrong(key, &e))?;
    let builder = ServerConfig::builder_with_protocol_versions(&[&version::TLS13]);
    let builder = match client_ca {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|e| wrong(path, &e))?;
            let verifier = WebPkiClientVerifier::builder(Trust::parse_ca(&pem)?)
                .allow_unauthenticated()
                .build()
                .map_err(|e| wrong(path, &e))?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, secret)
        .map_err(|e| wrong(certificate, &e))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
