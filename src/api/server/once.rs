//! Calls that change something on a BMC, all of them through [`Server::change`]: who may, one at a time, in the audit log,
//! and once for each request id; and those that change what the daemon keeps itself ([`Server::own`]): once for each id.
//!
//! The intent is on disk before the first byte goes to the BMC, and what came of it before the caller is answered. The
//! same id again gets that answer. An intent without an outcome was interrupted: nobody knows how far it came, so the
//! answer is `Indeterminate`, and it is not run again.

use std::sync::Arc;

use prost::Message;
use sha2::{Digest, Sha256};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

use super::peer::{self, Caller, Role};
use super::{Call, Server};
use crate::api::fault::{from_status, to_status};
use crate::api::proto;
use crate::discover::now;
use crate::hal::model::{BoxFuture, MacAddr};
use crate::hal::{Error, Kind};
use crate::inventory::Record;
use crate::inventory::requests::{Kept, RequestKey};

/// Longest id.
const LONGEST: usize = 128;

/// A message that changes something on a BMC.
pub(super) trait Change: Message + Clone + 'static {
    /// Which BMC.
    fn bmc(&mut self) -> &mut String;
    /// Its id; empty = it is a new one each time.
    fn request_id(&mut self) -> &mut String;
}

/// A message that changes what the daemon keeps itself.
pub(super) trait Own: Message + Clone + 'static {
    /// Its id; empty = it is a new one each time.
    fn request_id(&mut self) -> &mut String;
}

macro_rules! own {
    ($($message:ident),* $(,)?) => {
        $(impl Own for proto::$message {
            fn request_id(&mut self) -> &mut String {
                &mut self.request_id
            }
        })*

        /// Their names; a test compares them with the methods of the API.
        pub const OWN_CHANGES: &[&str] = &[$(stringify!($message)),*];
    };
}

own![
    AddRequest,
    CreateGrantRequest,
    CreateTokenRequest,
    RegisterRequest,
    RemoveRequest,
    RevokeTokenRequest,
    TrustRequest,
    UpdateRequest,
];

macro_rules! changes {
    ($($message:ident),* $(,)?) => {
        $(impl Change for proto::$message {
            fn bmc(&mut self) -> &mut String {
                &mut self.bmc
            }

            fn request_id(&mut self) -> &mut String {
                &mut self.request_id
            }
        })*

        /// Their names; a test compares them with the methods of the API.
        pub const CHANGES: &[&str] = &[$(stringify!($message)),*];
    };
}

changes![
    ClearRequest,
    CreateIpmiUserRequest,
    CreateUserRequest,
    DeleteUserRequest,
    InitRequest,
    RawRequest,
    ResetBmcRequest,
    SetBootRequest,
    SetEnabledRequest,
    SetLedRequest,
    SetPasswordRequest,
    SetPowerRequest,
];

/// One request under an id.
struct Asked {
    key: RequestKey,
    digest: [u8; 32],
    /// Whom it is about; nobody where it changes what the daemon keeps itself.
    mac: Option<MacAddr>,
}

impl Asked {
    /// `message` without its id and with the MAC as the BMC's name, whatever name it was called by.
    fn new(caller: &Caller, mac: Option<MacAddr>, id: String, what: &str, message: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(what)
            .chain_update([0])
            .chain_update(message);
        Self {
            key: RequestKey {
                caller: caller.name.clone(),
                id,
            },
            digest: digest.finalize().into(),
            mac,
        }
    }

    /// The answer of a request that is kept.
    fn again(&self, kept: &Kept) -> Result<Vec<u8>, Status> {
        let id = &self.key.id;
        let error = if kept.digest != self.digest {
            Error::new(Kind::Config, format!("request id {id} was another request"))
                .with_hint("take a new id for each request")
        } else if let Some(bytes) = &kept.outcome {
            log::info!("request {id} again: answered, not done");
            return Outcome::decode(bytes.as_slice())
                .map_err(|_| Status::internal("a kept outcome cannot be read"))?
                .into_answer();
        } else {
            Error::new(
                Kind::Indeterminate,
                format!("request {id} was interrupted: whether it was done is not known"),
            )
            .with_hint("look at the state of the machine; a new request does it again")
        };
        let about = self.mac.map(|mac| ("mac", mac.to_string()));
        Err(to_status(&error, about.as_slice()))
    }
}

/// What came of a request, as it is kept.
#[derive(Clone, PartialEq, Message)]
struct Outcome {
    #[prost(bytes = "vec", optional, tag = "1")]
    answer: Option<Vec<u8>>,
    #[prost(int32, tag = "2")]
    code: i32,
    #[prost(string, tag = "3")]
    message: String,
    #[prost(bytes = "vec", tag = "4")]
    details: Vec<u8>,
}

impl Outcome {
    fn of(result: &Result<Vec<u8>, Status>) -> Self {
        match result {
            Ok(answer) => Self {
                answer: Some(answer.clone()),
                ..Self::default()
            },
            Err(status) => Self {
                answer: None,
                code: status.code().into(),
                message: status.message().to_owned(),
                details: status.details().to_vec(),
            },
        }
    }

    fn into_answer(self) -> Result<Vec<u8>, Status> {
        match self.answer {
            Some(bytes) => Ok(bytes),
            None => Err(Status::with_details(
                Code::from(self.code),
                self.message,
                self.details.into(),
            )),
        }
    }
}

/// An id that can be kept.
fn check(id: &str) -> Result<(), Status> {
    if id.len() <= LONGEST && id.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let words = format!("request id: 1 to {LONGEST} printable characters");
    Err(to_status(&Error::new(Kind::Config, words), &[]))
}

/// What is done on the BMC; its answer is encoded.
type Work = Box<dyn FnOnce(Call) -> BoxFuture<'static, Result<Vec<u8>, Status>> + Send>;

/// `SetPowerRequest`
fn name<M>() -> &'static str {
    std::any::type_name::<M>().rsplit("::").next().unwrap_or("")
}

impl Server {
    /// Runs a call that changes something on a BMC.
    pub(super) async fn change<M, A, F>(
        &self,
        request: Request<M>,
        work: impl FnOnce(Call, M) -> F + Send + 'static,
    ) -> Result<Response<A>, Status>
    where
        M: Change,
        A: Message + Default + 'static,
        F: Future<Output = Result<A, Status>> + Send + 'static,
    {
        let caller = self.caller(&request)?;
        let (metadata, _, message) = request.into_parts();
        let answer = self.change_as(&caller, &metadata, message, work).await;
        answer.map(Response::new)
    }

    /// The same for a caller that is known already.
    pub(super) async fn change_as<M, A, F>(
        &self,
        caller: &Caller,
        metadata: &MetadataMap,
        mut message: M,
        work: impl FnOnce(Call, M) -> F + Send + 'static,
    ) -> Result<A, Status>
    where
        M: Change,
        A: Message + Default + 'static,
        F: Future<Output = Result<A, Status>> + Send + 'static,
    {
        let id = std::mem::take(message.request_id());
        let row = self.row(message.bmc(), true).await?;
        *message.bmc() = row.mac.to_string();
        let asked = Asked::new(
            caller,
            Some(row.mac),
            id,
            name::<M>(),
            &message.encode_to_vec(),
        );
        let work: Work = Box::new(|call| {
            Box::pin(async move { work(call, message).await.map(|a| a.encode_to_vec()) })
        });
        let bytes = self
            .once(caller, metadata, row, asked, name::<M>(), work)
            .await?;
        A::decode(bytes.as_slice()).map_err(|_| Status::internal("a kept answer cannot be read"))
    }

    /// The part that is the same for all of them. What was begun runs to its end, also when the caller goes away.
    async fn once(
        &self,
        caller: &Caller,
        metadata: &MetadataMap,
        row: Arc<Record>,
        asked: Asked,
        what: &'static str,
        work: Work,
    ) -> Result<Vec<u8>, Status> {
        peer::may(caller, Role::Operator, &row)?;
        let mac = row.mac;
        let cx = super::context(metadata, mac);
        let asked = (!asked.key.id.is_empty()).then_some(asked);
        let only = match &asked {
            Some(asked) => {
                check(&asked.key.id)?;
                let turn = self.asking.take(asked.key.clone());
                let turn = tokio::time::timeout_at(cx.deadline.into(), turn).await;
                let turn = turn.map_err(|_| busy(mac, "the same request still runs"))?;
                let kept = self.store.request(&asked.key).await;
                if let Some(kept) = kept.map_err(|e| to_status(&e, &[]))? {
                    return asked.again(&kept);
                }
                Some(turn)
            }
            None => None,
        };
        let turn = self.turn(mac, &cx).await?;
        let ticket = self.ticket(caller, what.trim_end_matches("Request"), Some(&row));
        let (server, caller) = (self.clone(), caller.clone());
        let done = tokio::spawn(async move {
            let _only = only;
            if let Some(asked) = &asked {
                let intended = server.store.intend(asked.key.clone(), asked.digest, now());
                intended.await.map_err(|e| to_status(&e, &[]))?;
            }
            let call = async {
                let call = server.open(row, cx, turn).await?;
                ticket.note("begun").await?;
                Ok(call)
            };
            let call = match call.await {
                Ok(call) => call,
                Err(status) => {
                    // Nothing was asked of the BMC: the id may be used again.
                    server.settle(asked, None).await;
                    return Err(status);
                }
            };
            log::info!("{mac}: {what} by {caller}");
            let result = work(call).await;
            server.settle(asked, Some(Outcome::of(&result))).await;
            let words = match &result {
                Ok(_) => "ok".to_owned(),
                Err(status) => from_status(status).kind().as_str().to_owned(),
            };
            // It is done; a log that cannot be written any more refuses the next one.
            if let Err(status) = ticket.note(&words).await {
                log::error!("{}", status.message());
            }
            result
        });
        done.await
            .unwrap_or_else(|_| Err(Status::internal("the call failed inside")))
    }

    /// Keeps what came of a request. It is done: a table that cannot be written any more refuses the next one.
    async fn settle(&self, asked: Option<Asked>, outcome: Option<Outcome>) {
        let Some(asked) = asked else { return };
        let bytes = outcome.map(|o| o.encode_to_vec());
        let id = asked.key.id.clone();
        if let Err(e) = self.store.settle(asked.key, bytes).await {
            log::error!("request {id}: {}", e.chain());
        }
    }

    /// Runs a call that changes what the daemon keeps itself, for a caller who may. What has no id is only done.
    pub(super) async fn own<M, A, F>(
        &self,
        caller: &Caller,
        mut message: M,
        work: impl FnOnce(Self, Caller, M) -> F,
    ) -> Result<Response<A>, Status>
    where
        M: Own,
        A: Message + Default + 'static,
        F: Future<Output = Result<A, Status>> + Send + 'static,
    {
        let id = std::mem::take(message.request_id());
        let asked = Asked::new(caller, None, id, name::<M>(), &message.encode_to_vec());
        let work = work(self.clone(), caller.clone(), message);
        let work = Box::pin(async move { work.await.map(|a| a.encode_to_vec()) });
        let bytes = self.own_once(asked, work).await?;
        let answer = A::decode(bytes.as_slice());
        answer
            .map(Response::new)
            .map_err(|_| Status::internal("a kept answer cannot be read"))
    }

    async fn own_once(
        &self,
        asked: Asked,
        work: BoxFuture<'static, Result<Vec<u8>, Status>>,
    ) -> Result<Vec<u8>, Status> {
        if asked.key.id.is_empty() {
            return work.await;
        }
        check(&asked.key.id)?;
        let only = self.asking.take(asked.key.clone()).await;
        let kept = self.store.request(&asked.key).await;
        if let Some(kept) = kept.map_err(|e| to_status(&e, &[]))? {
            return asked.again(&kept);
        }
        let server = self.clone();
        // What was begun runs to its end, also when the caller goes away.
        let done = tokio::spawn(async move {
            let _only = only;
            let intended = server.store.intend(asked.key.clone(), asked.digest, now());
            intended.await.map_err(|e| to_status(&e, &[]))?;
            let result = work.await;
            server.settle(Some(asked), Some(Outcome::of(&result))).await;
            result
        });
        done.await
            .unwrap_or_else(|_| Err(Status::internal("the call failed inside")))
    }
}

/// Somebody else is at it.
pub(super) fn busy(mac: MacAddr, words: &str) -> Status {
    let busy = Error::new(Kind::Busy, format!("{words} on {mac}"));
    to_status(&busy, &[("mac", mac.to_string())])
}
