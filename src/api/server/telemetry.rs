//! Sensors, watts, power supplies.

use tonic::{Request, Response, Status};

use super::Server;
use crate::api::convert::{source, values};
use crate::api::proto::telemetry_service_server::TelemetryService;
use crate::api::proto::{
    BmcRequest, PowerMetricsResponse, PowerSuppliesResponse, SensorsRequest, SensorsResponse,
};

#[tonic::async_trait]
impl TelemetryService for Server {
    async fn sensors(
        &self,
        request: Request<SensorsRequest>,
    ) -> Result<Response<SensorsResponse>, Status> {
        let live = request.get_ref().live_thresholds;
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call
            .bmc
            .sensors
            .call("sensors", |s| s.sensors(&call.cx, live))
            .await;
        let reading = call.done(result)?;
        Ok(Response::new(SensorsResponse {
            sensors: reading.value.iter().map(values::sensor).collect(),
            source: Some(source(&reading)),
        }))
    }

    async fn power_metrics(
        &self,
        request: Request<BmcRequest>,
    ) -> Result<Response<PowerMetricsResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call
            .bmc
            .metrics
            .call("power-metrics", |m| m.power_metrics(&call.cx))
            .await;
        let reading = call.done(result)?;
        Ok(Response::new(PowerMetricsResponse {
            watts: Some(values::watts(&reading.value)),
            supplies: values::supplies(&reading.value.supplies),
            source: Some(source(&reading)),
        }))
    }

    async fn power_supplies(
        &self,
        request: Request<BmcRequest>,
    ) -> Result<Response<PowerSuppliesResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call
            .bmc
            .supplies
            .call("power-supplies", |s| s.power_supplies(&call.cx))
            .await;
        let reading = call.done(result)?;
        Ok(Response::new(PowerSuppliesResponse {
            supplies: values::supplies(&reading.value),
            source: Some(source(&reading)),
        }))
    }
}
