//! From an address and a login to a [`Bmc`]: the drivers that it has, the preferred one first.
//!
//! Nothing is asked that an operation would not ask anyway: IPMI is attached without a word, Redfish after a look at
//! the service root, which the first operation needs too; what that said is remembered, so that the next connection
//! costs nothing.

mod service;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::bmc::Bmc;
use super::detect::Findings;
use super::drivers;
use super::drivers::console::SshAccess;
use super::error::{Error, Kind, Result};
use super::fleet::{Endpoint, Fleet};
use super::gate::name_of;
use super::ipmi::Exchange;
use super::ipmi::cmd::Privilege;
use super::ipmi::session::Config;
use super::model::info::Info;
use super::model::{Cx, DriverName, Secret};
use super::redfish::Client;
use super::transport::http::{Fault, HttpError};
use super::transport::line::Place;
use super::vendors;

pub use service::Service;

/// Who logs in. A protocol without a login is not used.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// Over IPMI.
    pub ipmi: Option<Config>,
    /// Over Redfish: user and password.
    pub redfish: Option<(String, Secret)>,
}

/// How to reach a BMC, and by which drivers.
#[derive(Debug, Clone)]
pub struct Way {
    /// What the login gate knows the BMC by, the same for all protocols; `None`: its address.
    pub name: Option<Arc<str>>,
    /// IPMI's address and port.
    pub ipmi: SocketAddr,
    /// Insist on the cipher suite that worked before. Not where an operator named one.
    pub pin_suite: bool,
    /// How long an unused IPMI session stays open.
    pub linger: Duration,
    /// What the operations will need over IPMI, where that is known before they begin.
    pub expect: Option<Privilege>,
    /// The Redfish service; `None` when there is none to ask.
    pub redfish: Option<Service>,
    /// What detection found; drivers that it did not find are not tried. `None` when nobody has looked.
    pub findings: Option<Findings>,
    /// The driver that is asked first. `None`: iDrac or Redfish, then IPMI.
    pub prefer: Option<DriverName>,
    /// Use no other driver than the preferred one.
    pub only: bool,
    /// What the operator gave of a machine that nobody drives.
    pub unmanaged: Info,
    /// The console over SSH.
    pub ssh: SshWay,
    /// The console that the operator gave; it is preferred to the BMC's.
    pub console: Option<Place>,
}

/// What an operator may say of the console over SSH.
#[derive(Debug, Clone, Default)]
pub struct SshWay {
    /// Its port, where it is not the vendor's.
    pub port: Option<u16>,
    /// The fingerprint (`SHA256:…`) that the host key has to have, whatever it was before.
    pub host_key: Option<String>,
}

impl Way {
    /// To a BMC at this address of IPMI, with all drivers that it has and no Redfish service yet.
    pub fn to(ipmi: SocketAddr) -> Self {
        Self {
            name: None,
            ipmi,
            pin_suite: true,
            linger: Duration::ZERO,
            expect: None,
            redfish: None,
            findings: None,
            prefer: None,
            only: false,
            unmanaged: Info::default(),
            ssh: SshWay::default(),
            console: None,
        }
    }

    /// What the login gate knows the BMC by.
    pub fn gate_name(&self) -> Arc<str> {
        self.name
            .clone()
            .unwrap_or_else(|| name_of(self.ipmi).into())
    }

    /// May this driver be used, as far as one can tell without asking?
    fn allows(&self, driver: DriverName) -> bool {
        if self.only {
            let family = |d| {
                if d == DriverName::IDrac {
                    DriverName::Redfish
                } else {
                    d
                }
            };
            if self.prefer.map(family) != Some(family(driver)) {
                return false;
            }
            // Forced by somebody who knows better than detection.
            return true;
        }
        self.findings
            .as_ref()
            .is_none_or(|found| found.available().contains(&driver))
    }
}

/// The BMC with its drivers. Redfish that cannot be reached leaves IPMI, where there is a login for that; refused
/// credentials and untrusted certificates end it. Errors: those of Redfish, when nothing else is left; `Config` without
/// any login.
pub async fn connect(fleet: &Fleet, cx: &Cx, way: &Way, login: &Login) -> Result<Bmc> {
    let mut bmc = Bmc::default();
    if let Some(place) = &way.console {
        drivers::console::attach_place(&mut bmc, place.clone());
    }
    if way.prefer == Some(DriverName::Unmanaged) {
        drivers::unmanaged::attach(&mut bmc, way.unmanaged.clone());
        return Ok(bmc);
    }
    let ipmi = match login.ipmi.as_ref().filter(|_| way.allows(DriverName::Ipmi)) {
        Some(session) => {
            let endpoint = Endpoint {
                addr: way.ipmi,
                session: session.clone(),
                pin_suite: way.pin_suite,
                linger: way.linger,
            };
            let exchange = fleet.bmc_named(&endpoint, &way.gate_name())?;
            if let Some(level) = way.expect {
                exchange.expect(level);
            }
            Some(exchange as Arc<dyn Exchange>)
        }
        None => None,
    };
    let service = way
        .redfish
        .as_ref()
        .zip(login.redfish.as_ref())
        .filter(|_| way.allows(DriverName::Redfish));
    let redfish = match service {
        Some((service, login)) => {
            let found = service::open(fleet, cx, way, service, login, ipmi.as_deref()).await;
            match found {
                Ok(found) => Some(found),
                Err(error) if ipmi.is_some() && leaves_ipmi(&error) => {
                    log::info!("no Redfish, so IPMI: {}", error.chain());
                    None
                }
                Err(error) => return Err(error),
            }
        }
        None => None,
    };
    if ipmi.is_none() && redfish.is_none() {
        let what = "no driver of this BMC can be used with this login";
        return Err(Error::new(Kind::Config, what));
    }
    let ipmi_first = way.prefer == Some(DriverName::Ipmi);
    if let (true, Some(exchange)) = (ipmi_first, &ipmi) {
        vendors::attach_ipmi(&mut bmc, Arc::clone(exchange));
    }
    if let Some((client, _)) = &redfish {
        attach(&mut bmc, client);
    }
    let ssh = redfish
        .as_ref()
        .zip(service)
        .and_then(|((client, _), (service, login))| ssh(fleet, way, client, service, login));
    let (before, after) = if ssh.as_ref().is_some_and(|(_, first)| *first) {
        (ssh, None)
    } else {
        (None, ssh)
    };
    if let Some((console, _)) = before {
        drivers::console::attach_ssh(&mut bmc, console);
    }
    if let (false, Some(exchange)) = (ipmi_first, &ipmi) {
        vendors::attach_ipmi(&mut bmc, Arc::clone(exchange));
    }
    if let Some((console, _)) = after {
        drivers::console::attach_ssh(&mut bmc, console);
    }
    let found = redfish.as_ref().map_or(&[][..], |(_, found)| found);
    let client = redfish.as_ref().map(|(client, _)| client);
    vendors::overwrite(&mut bmc, found, client);
    Ok(bmc)
}

/// The console over SSH, where the vendor has one, and whether it is asked before SOL.
fn ssh(
    fleet: &Fleet,
    way: &Way,
    client: &Arc<Client>,
    service: &Service,
    (user, password): &(String, Secret),
) -> Option<(SshAccess, bool)> {
    let console = client.quirks().console?;
    let first = match way.prefer {
        Some(DriverName::Ipmi) => false,
        Some(_) => true,
        None => console.first,
    };
    let port = way.ssh.port.unwrap_or(console.port);
    let access = SshAccess {
        client: Arc::clone(client),
        console,
        address: SocketAddr::new(service.address.ip(), port),
        user: user.clone(),
        password: password.clone(),
        host_key: way.ssh.host_key.clone(),
        guard: fleet.guard(&way.gate_name()),
        own_guard: fleet.guard(&format!("{} over SSH", way.gate_name()).into()),
    };
    Some((access, first))
}

fn attach(bmc: &mut Bmc, client: &Arc<Client>) {
    if client.driver() == DriverName::IDrac {
        drivers::idrac::attach(bmc, Arc::clone(client));
    } else {
        drivers::redfish::attach(bmc, Arc::clone(client));
    }
}

/// Is there simply no usable Redfish, so that IPMI may be used instead? Not when the password was refused (it is the same
/// one), and not when the certificate is not the one that the operator wants.
fn leaves_ipmi(error: &Error) -> bool {
    match error.kind() {
        Kind::Tls => !distrusted(error),
        Kind::Unreachable | Kind::Unsupported | Kind::Protocol | Kind::Timeout | Kind::Busy => true,
        _ => false,
    }
}

fn distrusted(error: &Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(http) = cause.downcast_ref::<HttpError>() {
            return matches!(http.fault, Fault::TlsPin | Fault::TlsCa);
        }
        next = cause.source();
    }
    false
}
