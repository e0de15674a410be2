//! How BMCs are found, and how the daemon is.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::Server;
use crate::api::convert::millis;
use crate::api::fault::to_status;
use crate::api::proto::discovery_service_server::DiscoveryService;
use crate::api::proto::{
    DiscoverRequest, DiscoverResponse, LeaseFile, StatusRequest, StatusResponse,
};
use crate::api::server::Role;
use crate::discover::now;
use crate::discover::plan::Network;
use crate::hal::detect::Subject;
use crate::hal::{Error, Kind};

/// Most addresses of one call.
const MOST: u64 = 65_536;
/// Addresses of one call that are asked at the same time.
const TOGETHER: usize = 128;

#[tonic::async_trait]
impl DiscoveryService for Server {
    type DiscoverStream = ReceiverStream<Result<DiscoverResponse, Status>>;

    async fn discover(
        &self,
        request: Request<DiscoverRequest>,
    ) -> Result<Response<Self::DiscoverStream>, Status> {
        let caller = self.need(&request, Role::Operator)?;
        let place = self.stream(&caller)?;
        let refused = |words: String| to_status(&Error::new(Kind::Config, words), &[]);
        let mut networks: Vec<Network> = Vec::new();
        let mut count = 0u64;
        for target in &request.get_ref().targets {
            let network: Network = target.parse().map_err(refused)?;
            count = count.saturating_add(network.count());
            networks.push(network);
        }
        if count > MOST {
            return Err(refused(format!(
                "{count} addresses; at most {MOST} at once"
            )));
        }
        let (to, stream) = mpsc::channel(TOGETHER);
        let detector = Arc::clone(self.discovery.detector());
        let port = self.discovery.ipmi_port();
        tokio::spawn(async move {
            let _place = place;
            let places = Arc::new(Semaphore::new(TOGETHER));
            for ip in networks.iter().flat_map(Network::addresses) {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                    return;
                };
                if to.is_closed() {
                    return;
                }
                let (detector, to) = (Arc::clone(&detector), to.clone());
                tokio::spawn(async move {
                    let subject = Subject {
                        target: ip.to_string(),
                        host: ip.to_string(),
                        ipmi_port: port,
                    };
                    let found = detector.detect(&subject).await;
                    drop(place);
                    if found.reachable
                        && let Ok(findings) = serde_json::to_string(&found)
                    {
                        let _ = to.send(Ok(DiscoverResponse { findings })).await;
                    }
                });
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn status(
        &self,
        request: Request<StatusRequest>,
    ) -> Result<Response<StatusResponse>, Status> {
        self.need(&request, Role::Viewer)?;
        let rows = self.store.all().await.map_err(|e| to_status(&e, &[]))?;
        let status = self.discovery.status();
        let seconds = now() / 1000;
        let files = status.files.into_iter().map(|(path, file)| LeaseFile {
            path: path.display().to_string(),
            format: file.format.to_string(),
            leases: file.leases.len() as u64,
            active: file.leases.iter().filter(|l| l.is_active(seconds)).count() as u64,
            bad_lines: file.bad,
            error: file.error,
            read_at: file.read_at.map(millis),
        });
        let mut failing: HashMap<String, u64> = HashMap::new();
        for kind in rows.iter().filter_map(|r| r.status.kind.clone()) {
            *failing.entry(kind).or_default() += 1;
        }
        let count = |f: fn(&crate::inventory::Record) -> bool| {
            rows.iter().filter(|r| !r.removed && f(r)).count() as u64
        };
        Ok(Response::new(StatusResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: Some(millis(self.started)),
            lease_files: files.collect(),
            bmcs: count(|r| !r.candidate),
            candidates: count(|r| r.candidate),
            with_credentials: count(crate::inventory::Record::has_credentials),
            looking: status.looking,
            refreshing: status.refreshing,
            waiting: status.waiting,
            failing,
            revision: rows.iter().map(|r| r.revision).max().unwrap_or(0),
        }))
    }
}
