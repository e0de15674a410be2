//! What a machine asks and tells from inside: is it known, and here is its BMC. Over TLS with a certificate or a token, or
//! over the daemon's unix socket.

use std::fmt;

use super::{Bearing, Client, Papers, answer, request};
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
    service: RegistrationServiceClient<Bearing>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}

impl Registration {
    /// Connects. Over the network only with TLS, and only to a server that the given authority vouches for.
    pub async fn connect(access: &Access) -> Result<Self> {
        if access.server.starts_with("http://") {
            return Err(
                config(access, "passwords and tokens do not go over plain HTTP")
                    .with_hint("https://host:port with --ca"),
            );
        }
        if access.server.starts_with("https://") && access.ca.is_none() {
            return Err(
                config(access, "no certificate authority to know the server by")
                    .with_hint("--ca FILE"),
            );
        }
        let papers = Papers {
            ca: access.ca.clone(),
            certificate: access.identity.clone(),
            token: access.token.clone(),
        };
        let client = Client::connect_as(&access.server, &papers).await?;
        Ok(Self {
            service: RegistrationServiceClient::new(client.channel),
        })
    }

    /// Is the machine with this UUID known?
    pub async fn lookup(&self, cx: &Cx, machine_id: &str) -> Result<Lookup> {
        let message = LookupRequest {
            machine_id: machine_id.to_owned(),
        };
        let found = answer(cx, || {
            let (mut service, request) = (self.service.clone(), request(cx, message.clone()));
            async move { service.lookup(request).await }
        })
        .await?;
        let works = found.credentials() == proto::Credentials::Ok;
        Ok(Lookup {
            manageable: found.related && works,
            mac: found.mac,
            user: found.ipmi_user,
        })
    }

    /// Hands over what the machine knows.
    pub async fn register(&self, cx: &Cx, message: RegisterRequest) -> Result<RegisterResponse> {
        answer(cx, || {
            let (mut service, request) = (self.service.clone(), request(cx, message.clone()));
            async move { service.register(request).await }
        })
        .await
    }
}

fn config(access: &Access, why: &str) -> Error {
    Error::new(Kind::Config, format!("--server {}", access.server)).with_source(why.to_owned())
}
