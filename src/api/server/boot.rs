//! What machines boot next.

use tonic::{Request, Response, Status};

use super::Server;
use crate::api::convert::{source, values};
use crate::api::fault::to_status;
use crate::api::proto::boot_service_server::BootService;
use crate::api::proto::{self, BmcRequest, BootStateResponse, SetBootRequest};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{BootMode, BootState, Reading};
use crate::hal::{Error, Kind};

fn answer(reading: &Reading<BootState>) -> BootStateResponse {
    BootStateResponse {
        target: values::boot_target(reading.value.target),
        mode: values::mode(reading.value.mode),
        persistence: values::persistence(reading.value.persistence),
        source: Some(source(reading)),
    }
}

#[tonic::async_trait]
impl BootService for Server {
    async fn get_state(
        &self,
        request: Request<BmcRequest>,
    ) -> Result<Response<BootStateResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call
            .bmc
            .boot
            .call("boot.state", |b| b.state(&call.cx))
            .await;
        Ok(Response::new(answer(&call.done(result)?)))
    }

    async fn set(
        &self,
        request: Request<SetBootRequest>,
    ) -> Result<Response<BootStateResponse>, Status> {
        let message = request.get_ref();
        if proto::BootTarget::try_from(message.target).unwrap_or_default()
            == proto::BootTarget::Unspecified
        {
            return Err(to_status(
                &Error::new(Kind::Config, "no boot target is named"),
                &[],
            ));
        }
        let boot = BootRequest {
            target: values::boot_target_of(message.target),
            mode: values::mode_of(message.mode).unwrap_or(BootMode::Uefi),
            persistent: message.persistent,
        };
        self.change(request, move |call, _| async move {
            let result = call
                .bmc
                .boot
                .call("boot.set", |b| b.set(&call.cx, boot))
                .await;
            call.done(result).map(|reading| answer(&reading))
        })
        .await
    }
}
