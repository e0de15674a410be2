//! The client: a connection to the daemon, and BMCs behind it that look like any other [`Bmc`](crate::hal::bmc::Bmc).

pub mod registration;
mod remote;

use std::fmt;
use std::time::{Duration, Instant};

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::fault::{from_status, retry_after};
use super::proto;
use crate::hal::model::{Cx, Secret};
use crate::hal::{Error, Kind, Result};

pub use remote::attach;

/// Largest message that is accepted; a SEL or all sensors of a large machine are some hundred KiB.
const MESSAGE: usize = 16 << 20;

/// How long the daemon may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// What shows the daemon who we are.
#[derive(Debug, Clone, Default)]
pub struct Papers {
    /// Certificate authorities (PEM) that the daemon's certificate has to come from.
    pub ca: Option<Vec<u8>>,
    /// Our certificate and its key (PEM).
    pub certificate: Option<(Vec<u8>, Secret)>,
    /// A bearer token.
    pub token: Option<Secret>,
}

/// Puts the token into every call.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bearer").field(&self.0.is_some()).finish()
    }
}

impl Interceptor for Bearer {
    fn call(
        &mut self,
        mut request: tonic::Request<()>,
    ) -> std::result::Result<tonic::Request<()>, tonic::Status> {
        if let Some(value) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// A channel whose calls bear the token.
pub type Bearing = InterceptedService<Channel, Bearer>;

/// A connection to the daemon. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    channel: Bearing,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to `server`: `unix:///run/halbox/halbox.sock`, a path, or `https://host:port`.
    pub async fn connect(server: &str) -> Result<Self> {
        Self::connect_as(server, &Papers::default()).await
    }

    /// The same, showing who we are.
    pub async fn connect_as(server: &str, papers: &Papers) -> Result<Self> {
        let failed = |e: tonic::transport::Error| {
            let mut cause: &dyn std::error::Error = &e;
            while let Some(next) = cause.source() {
                cause = next;
            }
            let cause = cause.to_string();
            let (kind, hint) = if cause.contains("certificate") || cause.contains("alert") {
                (Kind::Tls, "--ca, --cert and --key have to fit the daemon's")
            } else {
                (
                    Kind::Unreachable,
                    "is halbox serve running? --server names its socket, --address needs no daemon",
                )
            };
            Error::new(kind, format!("connecting to {server}"))
                .with_source(cause)
                .with_hint(hint)
        };
        let path = server
            .strip_prefix("unix://")
            .or_else(|| server.strip_prefix("unix:"))
            .or_else(|| server.starts_with('/').then_some(server));
        let endpoint = match path {
            Some(path) => Endpoint::from_shared(format!("unix://{path}")).map_err(failed)?,
            None if server.starts_with("https://") => {
                let mut tls = ClientTlsConfig::new();
                if let Some(ca) = &papers.ca {
                    tls = tls.ca_certificate(Certificate::from_pem(ca));
                }
                if let Some((certificate, key)) = &papers.certificate {
                    tls = tls.identity(Identity::from_pem(certificate, key.expose()));
                }
                let endpoint = Endpoint::from_shared(server.to_owned()).map_err(failed)?;
                endpoint.tls_config(tls).map_err(failed)?
            }
            None => {
                return Err(
                    Error::new(Kind::Config, format!("--server {server}: not understood"))
                        .with_hint("unix:///run/halbox/halbox.sock or https://HOST:PORT"),
                );
            }
        };
        let endpoint = endpoint
            .connect_timeout(CONNECT)
            .user_agent(concat!("halbox/", env!("CARGO_PKG_VERSION")))
            .map_err(failed)?;
        let channel = endpoint.connect().await.map_err(failed)?;
        let bearer = match &papers.token {
            Some(token) => {
                let text = String::from_utf8_lossy(token.expose());
                let mut value: MetadataValue<Ascii> =
                    format!("Bearer {}", text.trim()).parse().map_err(|_| {
                        Error::new(Kind::Config, "the token holds characters that no token has")
                    })?;
                value.set_sensitive(true);
                Bearer(Some(value))
            }
            None => Bearer(None),
        };
        Ok(Self {
            channel: InterceptedService::new(channel, bearer),
        })
    }

    /// Tokens of the API.
    pub fn tokens(&self) -> proto::token_service_client::TokenServiceClient<Bearing> {
        proto::token_service_client::TokenServiceClient::new(self.channel.clone())
    }

    /// The table.
    pub fn inventory(&self) -> proto::inventory_service_client::InventoryServiceClient<Bearing> {
        proto::inventory_service_client::InventoryServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE)
    }

    /// The row that `bmc` names, also where the daemon has to be waited for.
    pub async fn row(&self, cx: &Cx, bmc: &str) -> Result<proto::Bmc> {
        answer(cx, || {
            let mut service = self.inventory();
            let message = proto::GetRequest {
                bmc: bmc.to_owned(),
                with_passwords: false,
            };
            let request = request(cx, message);
            async move { service.get(request).await }
        })
        .await
    }

    /// Finding BMCs, and the daemon itself.
    pub fn discovery(&self) -> proto::discovery_service_client::DiscoveryServiceClient<Bearing> {
        proto::discovery_service_client::DiscoveryServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE)
    }

    /// Power.
    pub fn power(&self) -> proto::power_service_client::PowerServiceClient<Bearing> {
        proto::power_service_client::PowerServiceClient::new(self.channel.clone())
    }

    /// Serial consoles.
    pub fn consoles(&self) -> proto::console_service_client::ConsoleServiceClient<Bearing> {
        proto::console_service_client::ConsoleServiceClient::new(self.channel.clone())
    }

    /// What machines and BMCs are.
    pub fn machines(&self) -> proto::machine_service_client::MachineServiceClient<Bearing> {
        proto::machine_service_client::MachineServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE)
    }

    /// Accounts.
    pub fn users(&self) -> proto::user_service_client::UserServiceClient<Bearing> {
        proto::user_service_client::UserServiceClient::new(self.channel.clone())
    }
}

/// A request that the daemon gives up when `cx` ends; a little later than we do, so that its own words arrive.
pub fn request<T>(cx: &Cx, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let left = cx.deadline.saturating_duration_since(Instant::now());
    request.set_timeout(left);
    request
}

/// A new request id: what is sent again under it after the connection broke is done once.
pub fn new_id() -> String {
    let mut bytes = [0u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        fastrand::fill(&mut bytes);
    }
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// How long a daemon that went away is waited for.
const RESTART: Duration = Duration::from_secs(15);

/// The answer, or its error; ends early when the operation is called off. Where the connection broke, or the daemon wants
/// fewer calls, the same is asked again: reads may be, and what changes something bears an id.
pub async fn answer<T, F>(cx: &Cx, mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = std::result::Result<tonic::Response<T>, tonic::Status>>,
{
    // The daemon ends at the deadline by itself; this is for one that does not answer at all.
    let patience = cx.deadline + Duration::from_secs(2);
    let mut broke: Option<Instant> = None;
    loop {
        let status = tokio::select! {
            answer = call() => match answer {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => status,
            },
            () = cx.cancel.cancelled() => return Err(Error::new(Kind::Cancelled, "interrupted")),
            () = tokio::time::sleep_until(patience.into()) => {
                return Err(Error::new(Kind::Timeout, "the daemon does not answer"));
            }
        };
        let now = Instant::now();
        let pause = match retry_after(&status) {
            Some(pause) => pause,
            // Made on this side: no word of the daemon.
            None if std::error::Error::source(&status).is_some() => {
                let since = *broke.get_or_insert(now);
                if now >= since + RESTART {
                    return Err(from_status(&status));
                }
                log::debug!("the connection broke, asking again: {status}");
                Duration::from_millis(200)
            }
            None => return Err(from_status(&status)),
        };
        if now + pause >= cx.deadline {
            return Err(from_status(&status));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cx.cancel.cancelled() => return Err(Error::new(Kind::Cancelled, "interrupted")),
        }
    }
}
