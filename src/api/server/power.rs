//! Power of machines.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Call, Server};
use crate::api::convert::{source, values};
use crate::api::fault::{from_status, to_status};
use crate::api::proto::power_service_server::PowerService;
use crate::api::proto::{
    BmcRequest, Failure, PowerStateResponse, SetManyRequest, SetManyResponse, SetPowerRequest,
    SetPowerResponse, set_many_response,
};
use crate::hal::model::PowerAction;
use crate::hal::{Error, Kind};

/// BMCs of one call of SetMany that are worked on at the same time.
const TOGETHER: usize = 64;

/// Requests of one call of SetMany.
const MOST: usize = 16_384;

#[tonic::async_trait]
impl PowerService for Server {
    async fn get_state(
        &self,
        request: Request<BmcRequest>,
    ) -> Result<Response<PowerStateResponse>, Status> {
        let call = self.read(&request, &request.get_ref().bmc).await?;
        let result = call
            .bmc
            .power
            .call("power.state", |p| p.state(&call.cx))
            .await;
        let reading = call.done(result)?;
        Ok(Response::new(PowerStateResponse {
            state: values::power_state(reading.value),
            source: Some(source(&reading)),
        }))
    }

    async fn set(
        &self,
        request: Request<SetPowerRequest>,
    ) -> Result<Response<SetPowerResponse>, Status> {
        let action = wanted(request.get_ref())?;
        self.change(request, move |call, message| set(call, action, message))
            .await
    }

    type SetManyStream = ReceiverStream<Result<SetManyResponse, Status>>;

    async fn set_many(
        &self,
        request: Request<SetManyRequest>,
    ) -> Result<Response<Self::SetManyStream>, Status> {
        let caller = self.caller(&request)?;
        let place = std::sync::Arc::new(self.stream(&caller)?);
        let (metadata, _, message) = request.into_parts();
        if message.requests.len() > MOST {
            let words = format!(
                "{} requests; at most {MOST} at once",
                message.requests.len()
            );
            return Err(to_status(&Error::new(Kind::Config, words), &[]));
        }
        let mut wants = Vec::with_capacity(message.requests.len());
        for one in message.requests {
            wants.push((wanted(&one)?, one));
        }
        let (to, results) = mpsc::channel(TOGETHER);
        let places = std::sync::Arc::new(tokio::sync::Semaphore::new(TOGETHER));
        for (action, one) in wants {
            let (server, to, places) = (self.clone(), to.clone(), places.clone());
            let (caller, metadata) = (caller.clone(), metadata.clone());
            let place = std::sync::Arc::clone(&place);
            tokio::spawn(async move {
                let Ok(_place) = places.acquire().await else {
                    return;
                };
                let bmc = one.bmc.clone();
                let work = move |call, message| set(call, action, message);
                let result = match server.change_as(&caller, &metadata, one, work).await {
                    Ok(done) => set_many_response::Result::Done(done),
                    Err(status) => {
                        let error = from_status(&status);
                        set_many_response::Result::Failure(Failure {
                            kind: error.kind().as_str().to_owned(),
                            message: error.chain(),
                            hint: error.hint().unwrap_or_default().to_owned(),
                        })
                    }
                };
                drop(place);
                // The caller may be gone; what was begun is done all the same.
                let answer = SetManyResponse {
                    bmc,
                    result: Some(result),
                };
                let _ = to.send(Ok(answer)).await;
            });
        }
        Ok(Response::new(ReceiverStream::new(results)))
    }
}

fn wanted(message: &SetPowerRequest) -> Result<PowerAction, Status> {
    values::action_of(message.action)
        .ok_or_else(|| to_status(&Error::new(Kind::Config, "no power action is named"), &[]))
}

async fn set(
    call: Call,
    action: PowerAction,
    message: SetPowerRequest,
) -> Result<SetPowerResponse, Status> {
    let mut cx = call.cx.clone();
    if message.wait {
        let usual = match action {
            PowerAction::Soft => Duration::from_mins(5),
            _ => Duration::from_mins(1),
        };
        let said = message.patience.and_then(|p| Duration::try_from(p).ok());
        let patience = said.unwrap_or(usual).min(super::LONGEST);
        cx.deadline = cx.deadline.max(Instant::now() + patience);
    }
    let wait = message.wait;
    let result = call
        .bmc
        .power
        .call("power.set", |p| p.set(&cx, action, wait))
        .await;
    let reading = call.done(result)?;
    Ok(SetPowerResponse {
        state: values::power_state(reading.value.state),
        verified: values::verified(reading.value.verified),
        source: Some(source(&reading)),
    })
}
