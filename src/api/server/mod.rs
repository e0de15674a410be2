//! The server: one service per file, and what they share: who calls, which row is meant, how long it may take.

mod boot;
mod console;
mod discovery;
mod eventlog;
mod inventory;
mod led;
mod machine;
mod peer;
mod power;
mod registration;
mod telemetry;
mod token;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

use super::fault::{from_status, to_status, with_code};
use crate::console::Hub;
use crate::discover::find::find;
use crate::discover::{Discovery, Doors};
use crate::hal::Error;
use crate::hal::bmc::Bmc;
use crate::hal::model::Cx;
use crate::inventory::audit::{Audit, Entry};
use crate::inventory::tokens::Tokens;
use crate::inventory::{Record, Store};

pub use peer::{Caller, Role, Roles};

/// Time of a call that says none.
const USUAL: Duration = Duration::from_secs(30);

/// Longest time of a call.
const LONGEST: Duration = Duration::from_mins(15);

/// What all services share. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    store: Arc<dyn Store>,
    doors: Arc<Doors>,
    discovery: Arc<Discovery>,
    audit: Arc<Audit>,
    tokens: Arc<Tokens>,
    roles: Arc<Roles>,
    consoles: Arc<Hub>,
    /// When the daemon was started, in milliseconds since 1970.
    started: u64,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

/// One call on one BMC.
struct Call {
    row: Arc<Record>,
    bmc: Bmc,
    cx: Cx,
    /// Who changes what; absent for reads.
    ticket: Option<Ticket>,
    /// One operation per BMC at a time.
    _turn: OwnedMutexGuard<()>,
}

impl Call {
    /// The result as an answer; an error names the BMC.
    fn done<T>(&self, result: crate::hal::Result<T>) -> Result<T, Status> {
        result.map_err(|e| self.refused(&e))
    }

    fn refused(&self, error: &Error) -> Status {
        let mut about = vec![("mac", self.row.mac.to_string())];
        if let Some(driver) = self.row.driver() {
            about.push(("driver", driver.to_string()));
        }
        to_status(error, &about)
    }
}

impl Server {
    /// The services on a table; `started` in milliseconds since 1970.
    #[expect(clippy::too_many_arguments, reason = "one per part of the daemon")]
    pub fn new(
        store: Arc<dyn Store>,
        doors: Arc<Doors>,
        discovery: Arc<Discovery>,
        audit: Arc<Audit>,
        tokens: Arc<Tokens>,
        roles: Roles,
        consoles: Arc<Hub>,
        started: u64,
    ) -> Self {
        Self {
            store,
            doors,
            discovery,
            audit,
            tokens,
            roles: Arc::new(roles),
            consoles,
            started,
        }
    }

    /// All services, with health and reflection, behind one router.
    pub async fn router(self) -> tonic::service::Routes {
        use super::proto::{
            boot_service_server::BootServiceServer, console_service_server::ConsoleServiceServer,
            discovery_service_server::DiscoveryServiceServer,
            event_log_service_server::EventLogServiceServer,
            inventory_service_server::InventoryServiceServer, led_service_server::LedServiceServer,
            machine_service_server::MachineServiceServer, power_service_server::PowerServiceServer,
            registration_service_server::RegistrationServiceServer,
            telemetry_service_server::TelemetryServiceServer,
            token_service_server::TokenServiceServer, user_service_server::UserServiceServer,
        };
        let (health, checks) = tonic_health::server::health_reporter();
        health.set_serving::<InventoryServiceServer<Self>>().await;
        let mut routes = tonic::service::Routes::builder();
        routes
            .add_service(checks)
            .add_service(InventoryServiceServer::new(self.clone()))
            .add_service(DiscoveryServiceServer::new(self.clone()))
            .add_service(PowerServiceServer::new(self.clone()))
            .add_service(BootServiceServer::new(self.clone()))
            .add_service(LedServiceServer::new(self.clone()))
            .add_service(MachineServiceServer::new(self.clone()))
            .add_service(TelemetryServiceServer::new(self.clone()))
            .add_service(ConsoleServiceServer::new(self.clone()))
            .add_service(EventLogServiceServer::new(self.clone()))
            .add_service(TokenServiceServer::new(self.clone()))
            .add_service(RegistrationServiceServer::new(self.clone()))
            .add_service(UserServiceServer::new(self));
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(super::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        // Older clients (Python's) only know the service under its first name.
        match (reflection().build_v1(), reflection().build_v1alpha()) {
            (Ok(v1), Ok(v1alpha)) => drop(routes.add_service(v1).add_service(v1alpha)),
            (Err(e), _) | (_, Err(e)) => log::error!("no reflection: {e}"),
        }
        routes.routes()
    }

    /// The row that a call means.
    async fn row(&self, key: &str, write: bool) -> Result<Arc<Record>, Status> {
        let rows = self.store.all().await.map_err(|e| to_status(&e, &[]))?;
        find(&rows, key, write).map_err(|e| with_code(Code::NotFound, &e, &[]))
    }

    /// Begins a call that only reads.
    async fn read<T>(&self, request: &Request<T>, key: &str) -> Result<Call, Status> {
        let caller = self.caller(request)?;
        let call = self.call(request.metadata(), key, false).await?;
        peer::may(&caller, Role::Viewer, &call.row)?;
        Ok(call)
    }

    /// Begins a call that changes something.
    async fn write<T>(&self, request: &Request<T>, key: &str) -> Result<Call, Status> {
        let caller = self.caller(request)?;
        let mut call = self.call(request.metadata(), key, true).await?;
        peer::may(&caller, Role::Operator, &call.row)?;
        let what = std::any::type_name::<T>().rsplit("::").next().unwrap_or("");
        // The intent is on disk before the first byte goes to the BMC.
        let ticket = self.ticket(&caller, what.trim_end_matches("Request"), Some(&call.row));
        ticket.note("begun").await?;
        call.ticket = Some(ticket);
        log::info!("{}: {what} by {caller}", call.row.mac);
        Ok(call)
    }

    async fn call(&self, metadata: &MetadataMap, key: &str, write: bool) -> Result<Call, Status> {
        let cx = Cx::until(Instant::now() + patience(metadata));
        let row = self.row(key, write).await?;
        let turn = tokio::time::timeout_at(cx.deadline.into(), self.doors.turn(row.mac))
            .await
            .map_err(|_| {
                let busy = Error::new(
                    crate::hal::Kind::Busy,
                    format!("another operation runs on {}", row.mac),
                );
                to_status(&busy, &[("mac", row.mac.to_string())])
            })?;
        let mut cx = cx;
        cx.request_id = row.mac.to_string().into();
        let bmc = self
            .doors
            .open(&row, &cx)
            .await
            .map_err(|e| to_status(&e, &[("mac", row.mac.to_string())]))?;
        Ok(Call {
            row,
            bmc,
            cx,
            ticket: None,
            _turn: turn,
        })
    }
}

/// Runs what was begun to its end, also when the caller goes away, and writes down how it ended.
async fn to_the_end<T: Send + 'static>(
    ticket: Option<Ticket>,
    work: impl Future<Output = Result<T, Status>> + Send + 'static,
) -> Result<T, Status> {
    let done = tokio::spawn(async move {
        let result = work.await;
        if let Some(ticket) = ticket {
            let words = match &result {
                Ok(_) => "ok".to_owned(),
                Err(status) => from_status(status).kind().as_str().to_owned(),
            };
            // It is done; a log that cannot be written any more refuses the next one.
            if let Err(status) = ticket.note(&words).await {
                log::error!("{}", status.message());
            }
        }
        result
    });
    done.await
        .unwrap_or_else(|_| Err(Status::internal("the call failed inside")))
}

/// Who changes what.
#[derive(Clone)]
struct Ticket {
    audit: Arc<Audit>,
    who: String,
    what: String,
    mac: Option<String>,
}

impl Ticket {
    async fn note(&self, result: &str) -> Result<(), Status> {
        let entry = Entry {
            at: crate::discover::now(),
            who: self.who.clone(),
            what: self.what.clone(),
            mac: self.mac.clone(),
            result: result.to_owned(),
        };
        let written = self.audit.write(entry).await;
        written.map_err(|e| to_status(&e, &[]))
    }
}

impl Server {
    fn ticket(&self, caller: &Caller, what: &str, row: Option<&Record>) -> Ticket {
        Ticket {
            audit: Arc::clone(&self.audit),
            who: caller.to_string(),
            what: what.to_owned(),
            mac: row.map(|r| r.mac.to_string()),
        }
    }
}

/// `grpc-timeout` of a call.
fn patience(metadata: &MetadataMap) -> Duration {
    let said = metadata
        .get("grpc-timeout")
        .and_then(|v| v.to_str().ok())
        .and_then(|text| {
            let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
            let number: u64 = number.parse().ok()?;
            Some(match unit {
                "H" => Duration::from_secs(number.saturating_mul(3600)),
                "M" => Duration::from_secs(number.saturating_mul(60)),
                "S" => Duration::from_secs(number),
                "m" => Duration::from_millis(number),
                "u" => Duration::from_micros(number),
                "n" => Duration::from_nanos(number),
                _ => return None,
            })
        });
    said.unwrap_or(USUAL).min(LONGEST)
}
