//! The client: a connection to the daemon, and BMCs behind it that look like any other [`Bmc`](crate::hal::bmc::Bmc).

mod remote;

use std::fmt;
use std::time::{Duration, Instant};

use tonic::transport::{Channel, Endpoint};

use super::fault::from_status;
use super::proto;
use crate::hal::model::Cx;
use crate::hal::{Error, Kind, Result};

pub use remote::attach;

/// Largest message that is accepted; a SEL or all sensors of a large machine are some hundred KiB.
const MESSAGE: usize = 16 << 20;

/// How long the daemon may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection to the daemon. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to `server`: `unix:///run/halbox/halbox.sock` or a path.
    pub async fn connect(server: &str) -> Result<Self> {
        let failed = |e: tonic::transport::Error| {
            let mut cause: &dyn std::error::Error = &e;
            while let Some(next) = cause.source() {
                cause = next;
            }
            Error::new(Kind::Unreachable, format!("connecting to {server}"))
                .with_source(cause.to_string())
                .with_hint(
                    "is halbox serve running? --server names its socket, --address needs no daemon",
                )
        };
        let path = server
            .strip_prefix("unix://")
            .or_else(|| server.strip_prefix("unix:"))
            .or_else(|| server.starts_with('/').then_some(server));
        let Some(path) = path else {
            return Err(
                Error::new(Kind::Config, format!("--server {server}: not understood"))
                    .with_hint("unix:///run/halbox/halbox.sock"),
            );
        };
        let endpoint = Endpoint::from_shared(format!("unix://{path}"))
            .map_err(failed)?
            .connect_timeout(CONNECT)
            .user_agent(concat!("halbox/", env!("CARGO_PKG_VERSION")))
            .map_err(failed)?;
        let channel = endpoint.connect().await.map_err(failed)?;
        Ok(Self { channel })
    }

    /// The table.
    pub fn inventory(&self) -> proto::inventory_service_client::InventoryServiceClient<Channel> {
        proto::inventory_service_client::InventoryServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE)
    }

    /// Finding BMCs, and the daemon itself.
    pub fn discovery(&self) -> proto::discovery_service_client::DiscoveryServiceClient<Channel> {
        proto::discovery_service_client::DiscoveryServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE)
    }

    /// Power.
    pub fn power(&self) -> proto::power_service_client::PowerServiceClient<Channel> {
        proto::power_service_client::PowerServiceClient::new(self.channel.clone())
    }

    /// Accounts.
    pub fn users(&self) -> proto::user_service_client::UserServiceClient<Channel> {
        proto::user_service_client::UserServiceClient::new(self.channel.clone())
    }
}

/// A request that the daemon gives up when `cx` ends; a little later than we do, so that its own words arrive.
pub(super) fn request<T>(cx: &Cx, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let left = cx.deadline.saturating_duration_since(Instant::now());
    request.set_timeout(left);
    request
}

/// The answer, or its error; ends early when the operation is called off.
pub(super) async fn answer<T>(
    cx: &Cx,
    call: impl Future<Output = std::result::Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T> {
    // The daemon ends at the deadline by itself; this is for one that does not answer at all.
    let patience = cx.deadline + Duration::from_secs(2);
    tokio::select! {
        answer = call => answer.map(tonic::Response::into_inner).map_err(|s| from_status(&s)),
        () = cx.cancel.cancelled() => Err(Error::new(Kind::Cancelled, "interrupted")),
        () = tokio::time::sleep_until(patience.into()) => {
            Err(Error::new(Kind::Timeout, "the daemon does not answer"))
        }
    }
}
