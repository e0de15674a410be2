//! What a machine asks and tells from inside: is it known, and here is its BMC. Over TLS with a certificate or a token, or
//! over the daemon's unix socket.

use std::fmt;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::{CONNECT, Client, answer, request};
use crate::api::proto::registration_service_client::RegistrationServiceClient;
use crate::api::proto::{self, LookupRequest};
use crate::hal::model::{Cx, Secret};
use crate::hal::{Error, Kind, Result};

pub use crate::api::proto::{RegisterRequest, RegisterResponse};

/// How the daemon is reached, and who we are there.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// `https://host:port`, or `unix:///run/halbox/halbox.sock`.
    pub server: String,
    /// Certificates (PEM) of whom the server's certificate is signed by.
    pub ca: Option<Vec<u8>>,
    /// Our certificate and key (PEM).
    pub identity: Option<(Vec<u8>, Secret)>,
    /// A token instead.
    pub token: Option<Secret>,
}

/// What the daemon knows of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// MAC of its BMC.
    pub mac: Option<String>,
    /// There is a row of this machine, and the daemon's last login there worked.
    pub manageable: bool,
    /// Name of the account in that row.
    pub user: Option<String>,
}

/// The daemon, for a machine.
pub struct Registration {
    service: RegistrationServiceClient<Channel>,
    token: Option<MetadataValue<Ascii>>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}

impl Registration {
    /// Connects. Over the network only with TLS, and only to a server that the given authority vouches for.
    pub async fn connect(access: &Access) -> Result<Self> {
        let channel = if access.server.starts_with("https://") {
            secure(access).await?
        } else if access.server.starts_with("http://") {
            return Err(
                config(access, "passwords and tokens do not go over plain HTTP")
                    .with_hint("https://host:port with --ca"),
            );
        } else {
            Client::connect(&access.server).await?.channel
        };
        let token = match &access.token {
            Some(token) => {
                let text = [b"Bearer ", token.expose()].concat();
                let mut value = MetadataValue::try_from(text.as_slice())
                    .map_err(|_| config(access, "the token has characters that no token has"))?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        Ok(Self {
            service: RegistrationServiceClient::new(channel),
            token,
        })
    }

    fn ask<T>(&self, cx: &Cx, message: T) -> tonic::Request<T> {
        let mut request = request(cx, message);
        if let Some(token) = &self.token {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        request
    }

    /// Is the machine with this UUID known?
    pub async fn lookup(&self, cx: &Cx, machine_id: &str) -> Result<Lookup> {
        let message = LookupRequest {
            machine_id: machine_id.to_owned(),
        };
        let mut service = self.service.clone();
        let found = answer(cx, service.lookup(self.ask(cx, message))).await?;
        let works = found.credentials() == proto::Credentials::Ok;
        Ok(Lookup {
            manageable: found.related && works,
            mac: found.mac,
            user: found.ipmi_user,
        })
    }

    /// Hands over what the machine knows.
    pub async fn register(&self, cx: &Cx, message: RegisterRequest) -> Result<RegisterResponse> {
        let mut service = self.service.clone();
        answer(cx, service.register(self.ask(cx, message))).await
    }
}

fn config(access: &Access, why: &str) -> Error {
    Error::new(Kind::Config, format!("--server {}", access.server)).with_source(why.to_owned())
}

async fn secure(access: &Access) -> Result<Channel> {
    let Some(ca) = &access.ca else {
        return Err(
            config(access, "no certificate authority to know the server by").with_hint("--ca FILE"),
        );
    };
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
    if let Some((certificate, key)) = &access.identity {
        tls = tls.identity(Identity::from_pem(certificate, key.expose()));
    }
    let endpoint = Endpoint::from_shared(access.server.clone())
        .and_then(|e| e.tls_config(tls))
        .map_err(|e| config(access, &innermost(&e)))?
        .connect_timeout(CONNECT);
    endpoint.connect().await.map_err(|e| {
        let cause = innermost(&e);
        let kind = if cause.contains("certificate") || cause.contains("alert") {
            Kind::Tls
        } else {
            Kind::Unreachable
        };
        Error::new(kind, format!("connecting to {}", access.server)).with_source(cause)
    })
}

/// The cause that says most: tonic says only "transport error".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
