//! The server: one service per file, and what they share: who calls, which row is meant, how long it may take.

mod boot;
mod console;
mod discovery;
mod eventlog;
mod init;
mod inventory;
mod led;
mod limit;
mod machine;
mod once;
mod peer;
mod power;
mod registration;
mod telemetry;
mod token;
mod users;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

use super::fault::{to_status, with_code};
use crate::console::Hub;
use crate::discover::find::find;
use crate::discover::turns::Turns;
use crate::discover::{Discovery, Doors};
use crate::hal::Error;
use crate::hal::bmc::Bmc;
use crate::hal::model::{Cancel, Cx, MacAddr};
use crate::inventory::audit::{Audit, Entry};
use crate::inventory::requests::RequestKey;
use crate::inventory::tokens::Tokens;
use crate::inventory::{Record, Store};

use limit::Limits;

pub use limit::USUAL as CALLS_PER_SECOND;
pub use once::{CHANGES, OWN_CHANGES};
pub use peer::{Caller, Role, Roles};

/// Time of a call that says none.
const USUAL: Duration = Duration::from_secs(30);

/// Longest time of a call.
const LONGEST: Duration = Duration::from_mins(15);

/// Largest message of a caller: sixteen thousand power actions with their ids.
const MESSAGE: usize = 4 << 20;

/// What the services are told about callers and themselves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Roles of certificates.
    pub roles: Roles,
    /// Calls per second of one caller; 0 = as many as he likes.
    pub calls_per_second: u32,
    /// When the daemon was started, in milliseconds since 1970.
    pub started: u64,
    /// Set once: streams end.
    pub stop: Cancel,
}

/// What all services share. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    store: Arc<dyn Store>,
    doors: Arc<Doors>,
    discovery: Arc<Discovery>,
    audit: Arc<Audit>,
    tokens: Arc<Tokens>,
    roles: Arc<RwLock<Roles>>,
    limits: Arc<Limits>,
    consoles: Arc<Hub>,
    /// Requests under way, by their ids.
    asking: Arc<Turns<RequestKey>>,
    /// When the daemon was started, in milliseconds since 1970.
    started: u64,
    stop: Cancel,
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
    /// The services on a table.
    pub fn new(
        store: Arc<dyn Store>,
        doors: Arc<Doors>,
        discovery: Arc<Discovery>,
        audit: Arc<Audit>,
        tokens: Arc<Tokens>,
        consoles: Arc<Hub>,
        settings: Settings,
    ) -> Self {
        Self {
            store,
            doors,
            discovery,
            audit,
            tokens,
            roles: Arc::new(RwLock::new(settings.roles)),
            limits: Arc::new(Limits::new(settings.calls_per_second)),
            consoles,
            asking: Arc::default(),
            started: settings.started,
            stop: settings.stop,
        }
    }

    /// Roles of certificates from now on.
    pub fn set_roles(&self, roles: Roles) {
        *self.roles.write().unwrap_or_else(PoisonError::into_inner) = roles;
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
        routes.add_service(checks);
        macro_rules! services {
            ($($service:ident),* $(,)?) => {
                $(routes.add_service($service::new(self.clone()).max_decoding_message_size(MESSAGE));)*
            };
        }
        services![
            InventoryServiceServer,
            DiscoveryServiceServer,
            PowerServiceServer,
            BootServiceServer,
            LedServiceServer,
            MachineServiceServer,
            TelemetryServiceServer,
            ConsoleServiceServer,
            EventLogServiceServer,
            TokenServiceServer,
            RegistrationServiceServer,
            UserServiceServer,
        ];
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
        // By MAC, as programs ask, without a look at all the others.
        if let Ok(mac) = key.trim().parse::<MacAddr>()
            && let Ok(Some(row)) = self.store.get(mac).await
            && !row.removed
        {
            return Ok(row);
        }
        let rows = self.store.all().await.map_err(|e| to_status(&e, &[]))?;
        find(&rows, key, write).map_err(|e| with_code(Code::NotFound, &e, &[]))
    }

    /// Begins a call that only reads.
    async fn read<T>(&self, request: &Request<T>, key: &str) -> Result<Call, Status> {
        let caller = self.caller(request)?;
        let row = self.row(key, false).await?;
        peer::may(&caller, Role::Viewer, &row)?;
        let cx = context(request.metadata(), row.mac);
        let turn = self.turn(row.mac, &cx).await?;
        self.open(row, cx, turn).await
    }

    /// Waits until nobody else works on a BMC.
    async fn turn(&self, mac: MacAddr, cx: &Cx) -> Result<OwnedMutexGuard<()>, Status> {
        tokio::time::timeout_at(cx.deadline.into(), self.doors.turn(mac))
            .await
            .map_err(|_| once::busy(mac, "another operation runs"))
    }

    /// The BMC of a row, for one call.
    async fn open(
        &self,
        row: Arc<Record>,
        cx: Cx,
        turn: OwnedMutexGuard<()>,
    ) -> Result<Call, Status> {
        let bmc = self.doors.open(&row, &cx).await;
        let bmc = bmc.map_err(|e| to_status(&e, &[("mac", row.mac.to_string())]))?;
        Ok(Call {
            row,
            bmc,
            cx,
            _turn: turn,
        })
    }
}

/// How long a call may take, and whom it is about.
fn context(metadata: &MetadataMap, mac: MacAddr) -> Cx {
    let mut cx = Cx::until(Instant::now() + patience(metadata));
    cx.request_id = mac.to_string().into();
    cx
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
