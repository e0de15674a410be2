//! What machines and BMCs are, and the BMC itself.

use tonic::{Request, Response, Status};

use super::Server;
use crate::api::convert::{source, values};
use crate::api::fault::to_status;
use crate::api::proto::machine_service_server::MachineService;
use crate::api::proto::{
    BmcRequest, CapabilitiesResponse, FruRequest, FruResponse, InfoResponse, LanResponse,
    RawRequest, RawResponse, ResetBmcRequest, ResetBmcResponse,
};
use crate::hal::report;
use crate::hal::{Error, Kind};

fn byte(name: &str, number: u32) -> Result<u8, Status> {
    u8::try_from(number).map_err(|_| {
        let error = Error::new(Kind::Config, format!("{name} {number} is more than a byte"));
        to_status(&error, &[])
    })
}

#[tonic::async_trait]
impl MachineService for Server {
    async fn info(&self, request: Request<BmcRequest>) -> Result<Response<InfoResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call.bmc.identity.call("info", |i| i.info(&call.cx)).await;
        let reading = call.done(result)?;
        let source = source(&reading);
        Ok(Response::new(InfoResponse {
            source: Some(source),
            ..values::info(reading.value)
        }))
    }

    async fn fru(&self, request: Request<FruRequest>) -> Result<Response<FruResponse>, Status> {
        let id = match request.get_ref().id {
            Some(id) => Some(byte("id", id)?),
            None => None,
        };
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call
            .bmc
            .inventory
            .call("fru", |i| i.fru(&call.cx, id))
            .await;
        let reading = call.done(result)?;
        Ok(Response::new(FruResponse {
            source: Some(source(&reading)),
            devices: reading.value.into_iter().map(values::fru).collect(),
        }))
    }

    async fn lan(&self, request: Request<BmcRequest>) -> Result<Response<LanResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call.bmc.network.call("lan", |n| n.lan(&call.cx)).await;
        let reading = call.done(result)?;
        Ok(Response::new(LanResponse {
            source: Some(source(&reading)),
            ..values::lan(&reading.value)
        }))
    }

    async fn reset_bmc(
        &self,
        request: Request<ResetBmcRequest>,
    ) -> Result<Response<ResetBmcResponse>, Status> {
        self.change(request, |call, _| async move {
            let result = call
                .bmc
                .bmc_reset
                .call("bmc-reset", |b| b.bmc_reset(&call.cx))
                .await;
            let reading = call.done(result)?;
            Ok(ResetBmcResponse {
                source: Some(source(&reading)),
            })
        })
        .await
    }

    async fn raw(&self, request: Request<RawRequest>) -> Result<Response<RawResponse>, Status> {
        let message = request.get_ref();
        let (netfn, cmd) = (byte("netfn", message.netfn)?, byte("cmd", message.cmd)?);
        self.change(request, move |call, message| async move {
            let result = call
                .bmc
                .raw
                .call("raw", |r| r.raw(&call.cx, netfn, cmd, message.data.clone()))
                .await;
            let reading = call.done(result)?;
            Ok(RawResponse {
                completion_code: reading.value.completion_code.into(),
                data: reading.value.data.clone(),
                source: Some(source(&reading)),
            })
        })
        .await
    }

    async fn capabilities(
        &self,
        request: Request<BmcRequest>,
    ) -> Result<Response<CapabilitiesResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let made = report::report(&call.bmc, &call.cx, &report::Options::default()).await;
        let entries = made.entries.iter().map(serde_json::to_string);
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(|e| {
            let error = Error::new(Kind::Other, "capability report").with_source(e);
            to_status(&error, &[])
        })?;
        Ok(Response::new(CapabilitiesResponse {
            entries,
            missing: made
                .needs()
                .missing
                .into_iter()
                .map(str::to_owned)
                .collect(),
            denied: made.is_denied(),
        }))
    }
}
