//! The API over TCP: TLS 1.3, certificates of callers where they have one. A handshake that takes long, or never ends,
//! keeps nobody else waiting.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, version};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;

use crate::hal::transport::http::Trust;
use crate::hal::{Error, Kind, Result};

/// Handshakes at the same time.
const TOGETHER: usize = 256;
/// Time for a handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections whose handshake is done.
pub type Connections = ReceiverStream<std::io::Result<TlsStream<TcpStream>>>;

/// Listens at `address` with this certificate; callers' certificates have to come from `client_ca`, where they show one.
pub async fn listen(
    address: SocketAddr,
    certificate: &Path,
    key: &Path,
    client_ca: Option<&Path>,
) -> Result<(SocketAddr, Connections)> {
    let config = config(certificate, key, client_ca)?;
    let failed =
        |e: std::io::Error| Error::new(Kind::Config, format!("listen: {address}")).with_source(e);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (to, connections) = mpsc::channel(TOGETHER);
    tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(TOGETHER));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = to.closed() => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(e) => {
                    log::warn!("listen: {e}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            let (acceptor, to) = (acceptor.clone(), to.clone());
            tokio::spawn(async move {
                match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => drop(to.send(Ok(stream)).await),
                    Ok(Err(e)) => log::info!("{peer}: no TLS: {e}"),
                    Err(_) => log::info!("{peer}: the handshake did not end"),
                }
                drop(place);
            });
        }
    });
    Ok((address, ReceiverStream::new(connections)))
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
