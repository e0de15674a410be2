//! System event logs.

use tonic::{Request, Response, Status};

use super::Server;
use crate::api::convert::{source, values};
use crate::api::proto::event_log_service_server::EventLogService;
use crate::api::proto::{BmcRequest, ClearRequest, ClearResponse, EntriesResponse};

#[tonic::async_trait]
impl EventLogService for Server {
    async fn entries(
        &self,
        request: Request<BmcRequest>,
    ) -> Result<Response<EntriesResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call
            .bmc
            .event_log
            .call("sel", |l| l.entries(&call.cx))
            .await;
        let reading = call.done(result)?;
        Ok(Response::new(EntriesResponse {
            source: Some(source(&reading)),
            entries: reading.value.into_iter().map(values::entry).collect(),
        }))
    }

    async fn clear(
        &self,
        request: Request<ClearRequest>,
    ) -> Result<Response<ClearResponse>, Status> {
        self.change(request, |call, _| async move {
            let result = call
                .bmc
                .event_log
                .call("sel.clear", |l| l.clear(&call.cx))
                .await;
            let reading = call.done(result)?;
            Ok(ClearResponse {
                source: Some(source(&reading)),
            })
        })
        .await
    }
}
