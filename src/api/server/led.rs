//! Identify LEDs.

use tonic::{Request, Response, Status};

use super::Server;
use crate::api::convert::{source, values};
use crate::api::proto::led_service_server::LedService;
use crate::api::proto::{BmcRequest, LedStateResponse, SetLedRequest};
use crate::hal::model::{LedState, Reading};

fn answer(reading: &Reading<LedState>) -> LedStateResponse {
    LedStateResponse {
        state: values::led_state(reading.value),
        source: Some(source(reading)),
    }
}

#[tonic::async_trait]
impl LedService for Server {
    async fn get_state(
        &self,
        request: Request<BmcRequest>,
    ) -> Result<Response<LedStateResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call.bmc.led.call("led.state", |l| l.state(&call.cx)).await;
        Ok(Response::new(answer(&call.done(result)?)))
    }

    async fn set(
        &self,
        request: Request<SetLedRequest>,
    ) -> Result<Response<LedStateResponse>, Status> {
        let on = request.get_ref().on;
        self.change(request, move |call, _| async move {
            let result = call.bmc.led.call("led.set", |l| l.set(&call.cx, on)).await;
            call.done(result).map(|reading| answer(&reading))
        })
        .await
    }
}
