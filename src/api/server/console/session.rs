//! One caller at a console, until he goes, the line is over, or what he showed does not count any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use super::messages;
use crate::api::fault::{from_status, to_status, with_code};
use crate::api::proto::{AttachRequest, AttachResponse, attach_request, attach_response};
use crate::api::server::peer::owns;
use crate::api::server::{Caller, Server};
use crate::console::{Happening, Next, Pen, Pending, Seat};
use crate::discover::now;
use crate::hal::{Error, Kind};
use crate::inventory::Record;

/// Longest chunk that is taken.
const LONGEST: usize = 64 << 10;
/// How often it is looked whether a token still counts.
const LOOK: Duration = Duration::from_secs(1);

/// How long a caller may take to hear why it is over.
const GOODBYE: Duration = Duration::from_secs(5);

/// A caller at a console.
pub(super) struct Session {
    pub(super) server: Server,
    pub(super) caller: Caller,
    pub(super) row: Arc<Record>,
    pub(super) seat: Seat,
    pub(super) to: mpsc::Sender<Result<AttachResponse, Status>>,
}

impl Session {
    pub(super) async fn run(mut self, mut messages: Streaming<AttachRequest>) {
        let pen = self.seat.pen();
        let ends = self.server.grant_ends(&self.caller, &self.row);
        let result = tokio::select! {
            result = shows(&mut self.seat, &self.row, &self.to) => result,
            status = types(&self.server, &self.caller, &self.row, &pen, &mut messages) => Err(status),
            status = ends => Err(status),
            () = self.to.closed() => Ok(()),
        };
        let words = match &result {
            Ok(()) => "ok".to_owned(),
            Err(status) => from_status(status).kind().as_str().to_owned(),
        };
        if let Err(status) = result {
            // Who does not read any more needs no reason either.
            let _ = self.to.send_timeout(Err(status), GOODBYE).await;
        }
        log::info!("{}: console detach of {}", self.row.mac, self.caller);
        let ticket = self
            .server
            .ticket(&self.caller, "console detach", Some(&self.row));
        if let Err(status) = ticket.note(&words).await {
            log::error!("{}", status.message());
        }
    }
}

/// Sends what the line says.
async fn shows(
    seat: &mut Seat,
    row: &Record,
    to: &mpsc::Sender<Result<AttachResponse, Status>>,
) -> Result<(), Status> {
    let welcome = messages::welcome(row.mac, seat.number(), &seat.snapshot());
    let mut next = Some(attach_response::What::Welcome(welcome));
    loop {
        if let Some(what) = next.take() {
            let answer = AttachResponse { what: Some(what) };
            if to.send(Ok(answer)).await.is_err() {
                return Ok(());
            }
        }
        next = match seat.next().await {
            Next::Happened(Happening::Data(data)) => {
                Some(attach_response::What::Data(data.to_vec()))
            }
            Next::Happened(Happening::News(news)) => {
                messages::news(&news).map(attach_response::What::News)
            }
            Next::Over(None) => return Ok(()),
            Next::Over(Some(error)) => {
                return Err(to_status(&error, &[("mac", row.mac.to_string())]));
            }
        };
    }
}

/// Does what the caller wants; ends only when he did something that he may not.
async fn types(
    server: &Server,
    caller: &Caller,
    row: &Record,
    pen: &Pen,
    messages: &mut Streaming<AttachRequest>,
) -> Status {
    use attach_request::What;
    let wrong = |words: &str| to_status(&Error::new(Kind::Config, words), &[]);
    loop {
        let Ok(Some(message)) = messages.message().await else {
            // He types no more, or is gone; that, the answers show.
            return std::future::pending().await;
        };
        let pending = match message.what {
            Some(What::Data(data)) if data.len() > LONGEST => {
                return wrong("more than 64 KiB were typed at once");
            }
            Some(What::Data(data)) => Pending::Data(data),
            Some(What::SendBreak(_)) => Pending::Break,
            Some(What::Flush(number)) => Pending::Flush(number),
            Some(What::TakeOver(_)) => {
                let before = pen.take_over();
                let words = match before {
                    Some(who) => format!("console take-over from {who}"),
                    None => "console take-over".to_owned(),
                };
                if let Err(status) = server.ticket(caller, &words, Some(row)).note("ok").await {
                    return status;
                }
                continue;
            }
            Some(What::Begin(_)) => return wrong("`begin` is only said once"),
            None => continue,
        };
        pen.put(pending).await;
    }
}

impl Server {
    /// Ends when what the caller showed does not count any more: a token that has ended, was taken back, or is for a
    /// machine that this BMC does not belong to any more.
    pub(super) fn grant_ends(
        &self,
        caller: &Caller,
        row: &Record,
    ) -> impl Future<Output = Status> + Send + 'static {
        let (server, caller, mac) = (self.clone(), caller.clone(), row.mac);
        async move {
            let Some(token) = &caller.token else {
                return std::future::pending().await;
            };
            loop {
                let left = Duration::from_millis(token.expires_at.saturating_sub(now()));
                tokio::time::sleep(left.min(LOOK)).await;
                if !server.tokens.lives(&token.id, now()) {
                    let error = Error::new(Kind::Auth, "the token has ended")
                        .with_hint("halbox bmc console-grant makes a new one");
                    return with_code(Code::Unauthenticated, &error, &[]);
                }
                if caller.machine.is_some()
                    && let Ok(Some(row)) = server.store.get(mac).await
                    && !owns(&caller, &row)
                {
                    let what = format!("{mac} belongs to another machine now");
                    let error = Error::new(Kind::Privilege, what);
                    return with_code(Code::PermissionDenied, &error, &[]);
                }
            }
        }
    }
}
