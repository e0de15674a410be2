//! Serial consoles: who may come in, and who was. Grants are tokens of the role console, for one machine.

mod messages;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

use super::peer::{may, owns};
use super::token::{YEAR, config, shown};
use super::{Caller, Role, Server, context};
use crate::api::convert::{millis, secret};
use crate::api::fault::{to_status, with_code};
use crate::api::proto::console_service_server::ConsoleService;
use crate::api::proto::{
    AttachRequest, AttachResponse, BmcRequest, ConsoleStateResponse, ConsoleWish,
    CreateGrantRequest, CreateTokenResponse, ListGrantsRequest, ListTokensResponse, ReplayRequest,
    ReplayResponse, RevokeTokenRequest, RevokeTokenResponse, attach_request, replay_response,
};
use crate::console::Wish;
use crate::console::history::{History, What};
use crate::discover::now;
use crate::hal::model::console::ConsoleOptions;
use crate::hal::{Error, Kind};
use crate::inventory::Record;

/// How long a caller may take to say what he wants.
const HELLO: Duration = Duration::from_secs(30);
/// Messages to a caller that wait; whatever more there is waits in the ring.
const AHEAD: usize = 4;

impl Server {
    /// The row of a console, if the caller may use it. Who has a grant learns nothing of other machines.
    async fn console_row(&self, caller: &Caller, key: &str) -> Result<Arc<Record>, Status> {
        let row = self.row(key, true).await;
        if caller.role == Role::Console {
            return match row {
                Ok(row) if owns(caller, &row) => Ok(row),
                _ => {
                    let error = Error::new(
                        Kind::Privilege,
                        format!("{caller} may not use the console of {key}"),
                    )
                    .with_hint("a grant is for the console of one machine, named by its UUID");
                    Err(with_code(Code::PermissionDenied, &error, &[]))
                }
            };
        }
        let row = row?;
        may(caller, Role::Operator, &row)?;
        Ok(row)
    }
}

#[tonic::async_trait]
impl ConsoleService for Server {
    type AttachStream = ReceiverStream<Result<AttachResponse, Status>>;
    type ReplayStream = ReceiverStream<Result<ReplayResponse, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let caller = self.caller(&request)?;
        let mut messages = request.into_inner();
        let first = tokio::time::timeout(HELLO, messages.message()).await;
        let first = first.unwrap_or(Ok(None))?.and_then(|m| m.what);
        let Some(attach_request::What::Begin(begin)) = first else {
            return Err(config("the first message has to be `begin`".to_owned()));
        };
        let row = match self.console_row(&caller, &begin.bmc).await {
            Ok(row) => row,
            Err(status) => {
                if status.code() == Code::PermissionDenied {
                    let row = self.row(&begin.bmc, true).await.ok();
                    let ticket = self.ticket(&caller, "console attach", row.as_deref());
                    ticket.note(Kind::Privilege.as_str()).await?;
                }
                return Err(status);
            }
        };
        let wish = match begin.wish() {
            ConsoleWish::Unspecified => Wish::Any,
            ConsoleWish::Read => Wish::Read,
            ConsoleWish::Write => Wish::Write,
            ConsoleWish::TakeOver => Wish::TakeOver,
        };
        let options = ConsoleOptions {
            steal: begin.steal,
            allow_unencrypted: begin.allow_unencrypted,
            reconnect: None,
        };
        let words = match (wish, begin.steal) {
            (Wish::Read, _) => "console attach, to read",
            (Wish::TakeOver, _) => "console attach, take over",
            (_, true) => "console attach, steal",
            _ => "console attach",
        };
        let ticket = self.ticket(&caller, words, Some(&row));
        ticket.note("begun").await?;
        let seat = self
            .consoles
            .attach(&row, &caller.to_string(), wish, options)
            .await;
        let seat = match seat {
            Ok(seat) => seat,
            Err(error) => {
                ticket.note(error.kind().as_str()).await?;
                return Err(to_status(&error, &[("mac", row.mac.to_string())]));
            }
        };
        log::info!("{}: {words} by {caller}", row.mac);
        let (to, answers) = mpsc::channel(AHEAD);
        let session = session::Session {
            server: self.clone(),
            caller,
            row,
            seat,
            to,
        };
        tokio::spawn(session.run(messages));
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn state(
        &self,
        request: Request<BmcRequest>,
    ) -> Result<Response<ConsoleStateResponse>, Status> {
        let caller = self.caller(&request)?;
        let row = self.row(&request.get_ref().bmc, false).await?;
        may(&caller, Role::Viewer, &row)?;
        let cx = context(request.metadata(), row.mac);
        let snapshot = self.consoles.snapshot(row.mac);
        let state = async {
            let bmc = self.doors.console(&row, &cx).await?;
            bmc.console.call("console.state", |c| c.state(&cx)).await
        };
        let state = state.await;
        let reading = state.map_err(|e| to_status(&e, &[("mac", row.mac.to_string())]))?;
        Ok(Response::new(ConsoleStateResponse {
            mac: row.mac.to_string(),
            open: snapshot.is_some(),
            writer: snapshot.as_ref().and_then(|s| s.writer),
            seats: snapshot
                .map(|s| s.people.iter().map(messages::seat).collect())
                .unwrap_or_default(),
            protocol: reading.value.protocol.to_owned(),
            capacity: reading.value.capacity.into(),
            in_use: reading.value.open.into(),
        }))
    }

    async fn replay(
        &self,
        request: Request<ReplayRequest>,
    ) -> Result<Response<Self::ReplayStream>, Status> {
        let caller = self.caller(&request)?;
        let message = request.into_inner();
        let row = self.console_row(&caller, &message.bmc).await?;
        let history = self.consoles.history(row.mac).ok_or_else(|| {
            let error = Error::new(Kind::Unsupported, "consoles are not recorded")
                .with_hint("console: {log: on-demand} in the daemon's configuration");
            to_status(&error, &[])
        })?;
        let mut since = message.since.map_or(0, |t| {
            let seconds = u64::try_from(t.seconds).unwrap_or(0);
            seconds.saturating_mul(1000) + u64::try_from(t.nanos).unwrap_or(0) / 1_000_000
        });
        // What the machine said to whoever had it before is not for who has it now.
        if caller.role == Role::Console
            && let Some(token) = &caller.token
        {
            since = since.max(token.created_at);
        }
        self.ticket(&caller, "console replay", Some(&row))
            .note("ok")
            .await?;
        let (to, answers) = mpsc::channel(AHEAD);
        let server = self.clone();
        tokio::spawn(async move {
            let until = server.grant_ends(&caller, &row);
            let replaying = replay(&history, since, message.follow, &to);
            let status = tokio::select! {
                status = replaying => status,
                status = until => Some(status),
                () = to.closed() => None,
            };
            if let Some(status) = status {
                let _ = to.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn create_grant(
        &self,
        request: Request<CreateGrantRequest>,
    ) -> Result<Response<CreateTokenResponse>, Status> {
        let caller = self.need(&request, Role::Operator)?;
        self.own(&caller, request.into_inner(), Self::make_grant)
            .await
    }

    async fn list_grants(
        &self,
        request: Request<ListGrantsRequest>,
    ) -> Result<Response<ListTokensResponse>, Status> {
        self.need(&request, Role::Operator)?;
        let only = match &request.get_ref().bmc {
            Some(key) => Some(self.row(key, false).await?.machine_id.clone()),
            None => None,
        };
        let now = now();
        let fits = |machine: &Option<String>| match (&only, machine) {
            (None, _) => true,
            (Some(Some(id)), Some(machine)) => id.eq_ignore_ascii_case(machine),
            (Some(_), _) => false,
        };
        let tokens = self.tokens.list().into_iter().filter(|t| {
            t.role == Role::Console.to_string() && t.expires_at > now && fits(&t.machine)
        });
        Ok(Response::new(ListTokensResponse {
            tokens: tokens.map(|t| shown(&t)).collect(),
        }))
    }

    async fn revoke_grant(
        &self,
        request: Request<RevokeTokenRequest>,
    ) -> Result<Response<RevokeTokenResponse>, Status> {
        let caller = self.need(&request, Role::Operator)?;
        self.own(&caller, request.into_inner(), Self::end_grant)
            .await
    }
}

impl Server {
    async fn make_grant(
        self,
        caller: Caller,
        message: CreateGrantRequest,
    ) -> Result<CreateTokenResponse, Status> {
        let row = self.row(&message.bmc, true).await?;
        let machine = row.machine_id.as_ref().map(|id| id.to_ascii_lowercase());
        let machine = machine.ok_or_else(|| {
            let what = format!("the machine of {} is not known", row.mac);
            let error = Error::new(Kind::Config, what)
                .with_hint(format!("halbox bmc update {} --machine-id UUID", row.mac));
            to_status(&error, &[])
        })?;
        let ttl = message.ttl.and_then(|t| Duration::try_from(t).ok());
        let ttl = ttl
            .filter(|t| !t.is_zero() && *t <= YEAR)
            .ok_or_else(|| config("a grant lives at most a year".to_owned()))?;
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let role = Role::Console.to_string();
        let made = self.tokens.create(&role, Some(machine), ttl, now());
        let (token, text) = made.map_err(|e| to_status(&e, &[]))?;
        let what = format!("console grant {} made", token.id);
        self.ticket(&caller, &what, Some(&row)).note("ok").await?;
        Ok(CreateTokenResponse {
            token: Some(shown(&token)),
            text: Some(secret(&text)),
        })
    }

    async fn end_grant(
        self,
        caller: Caller,
        message: RevokeTokenRequest,
    ) -> Result<RevokeTokenResponse, Status> {
        let id = message.id;
        let role = Role::Console.to_string();
        let is_grant = self
            .tokens
            .list()
            .iter()
            .any(|t| t.id == id && t.role == role);
        if !is_grant || !self.tokens.revoke(&id).map_err(|e| to_status(&e, &[]))? {
            return Err(config(format!("there is no grant '{id}'")));
        }
        let what = format!("console grant {id} revoked");
        self.ticket(&caller, &what, None).note("ok").await?;
        Ok(RevokeTokenResponse {})
    }
}

/// Sends what was recorded, and on and on where that is wanted. The status that it ends with, if it is an error.
async fn replay(
    history: &Arc<History>,
    since: u64,
    follow: bool,
    to: &mpsc::Sender<Result<ReplayResponse, Status>>,
) -> Option<Status> {
    let failed = || Status::internal("the history cannot be read");
    let mut pulse = history.pulse();
    let mut reader = history.reader(since);
    loop {
        pulse.borrow_and_update();
        let read = tokio::task::spawn_blocking(move || {
            let batch = reader.batch();
            (reader, batch)
        });
        let Ok((back, batch)) = read.await else {
            return Some(failed());
        };
        reader = back;
        let batch = match batch {
            Ok(batch) => batch,
            Err(e) => {
                log::error!("{history:?}: {e}");
                return Some(failed());
            }
        };
        let end = batch.is_empty();
        for record in batch {
            let what = match record.what {
                What::Data(data) => replay_response::What::Data(data),
                What::Words(words) => replay_response::What::Words(words),
            };
            let answer = ReplayResponse {
                at: Some(millis(record.at)),
                what: Some(what),
            };
            if to.send(Ok(answer)).await.is_err() {
                return None;
            }
        }
        if end && (!follow || pulse.changed().await.is_err()) {
            return None;
        }
    }
}
