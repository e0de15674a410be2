//! `--driver`, `--redfish-port`, `--redfish-url`, `--tls-pin`, `--tls-ca`: which drivers, and where Redfish is.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::exit::Failure;
use super::targets::{Host, Target};
use crate::hal::connect::Service;
use crate::hal::model::DriverName;
use crate::hal::transport::http::Trust;
use crate::hal::{Error, Kind, Result};

/// Port of Redfish.
const STANDARD: u16 = 443;

/// Which drivers, and where Redfish is.
#[derive(Debug, Clone, Default)]
pub struct Services {
    /// The one driver to use.
    pub driver: Option<DriverName>,
    port: Option<u16>,
    url: Option<String>,
    trust: Trust,
}

/// Adds the options.
pub fn args(command: Command) -> Command {
    command
        .arg(
            Arg::new("driver")
                .long("driver")
                .value_name("DRIVER")
                .value_parser(value_parser!(DriverName))
                .help_heading("Drivers")
                .help("Use this driver and no other: IPMI, Redfish, iDrac, Unmanaged [default: iDrac or Redfish, then IPMI]"),
        )
        .arg(
            Arg::new("redfish-port")
                .long("redfish-port")
                .value_name("PORT")
                .value_parser(value_parser!(u16).range(1..))
                .help_heading("Drivers")
                .help("TCP port of Redfish [default: 443; none for targets that name a port]; 80 is asked without TLS"),
        )
        .arg(
            Arg::new("redfish-url")
                .long("redfish-url")
                .value_name("URL")
                .conflicts_with("redfish-port")
                .help_heading("Drivers")
                .help("Where Redfish is, http(s)://HOST[:PORT]; for one target"),
        )
        .arg(
            Arg::new("tls-pin")
                .long("tls-pin")
                .value_name("SHA256")
                .help_heading("Drivers")
                .help("Accept only the certificate with this fingerprint"),
        )
        .arg(
            Arg::new("tls-ca")
                .long("tls-ca")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help_heading("Drivers")
                .help("Accept only certificates that lead to a CA in this PEM file"),
        )
}

impl Services {
    /// Reads the options.
    pub fn from_matches(m: &ArgMatches) -> Result<Self, Failure> {
        let mut trust = Trust::default();
        if let Some(pin) = m.get_one::<String>("tls-pin") {
            trust.pin = Some(Trust::parse_pin(pin)?);
        }
        if let Some(path) = m.get_one::<PathBuf>("tls-ca") {
            let pem = std::fs::read(path)
                .map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
            trust.ca = Some(Trust::parse_ca(&pem)?);
        }
        Ok(Self {
            driver: m.get_one::<DriverName>("driver").copied(),
            port: m.get_one::<u16>("redfish-port").copied(),
            url: m.get_one::<String>("redfish-url").cloned(),
            trust,
        })
    }

    /// May IPMI be used?
    pub fn allow_ipmi(&self) -> bool {
        self.driver.is_none_or(|d| d == DriverName::Ipmi)
    }

    /// May Redfish be used?
    pub fn allow_redfish(&self) -> bool {
        self.driver
            .is_none_or(|d| matches!(d, DriverName::Redfish | DriverName::IDrac))
    }

    /// Refuses one URL for several targets.
    pub fn check(&self, targets: u64) -> Result<(), Failure> {
        if self.url.is_some() && targets > 1 {
            return Err(Failure::usage("--redfish-url is for one target")
                .hint("--redfish-port sets the port of all"));
        }
        Ok(())
    }

    /// Where Redfish of a target is; `None` when there is none to ask. The port of `IP:PORT` is that of IPMI, and what
    /// listens at 443 there may be another machine's, so nothing is sent to it; only where Redfish is forced the port
    /// is Redfish's.
    pub async fn redfish(&self, target: &Target) -> Result<Option<Service>> {
        if !self.allow_redfish() {
            return Ok(None);
        }
        if let Some(url) = &self.url {
            return Service::of_url(url, self.trust.clone()).await.map(Some);
        }
        let port = match (self.port, target.port) {
            (Some(port), _) => port,
            (None, None) => STANDARD,
            (None, Some(port)) if self.driver.is_some() => port,
            (None, Some(_)) => return Ok(None),
        };
        let name = match &target.host {
            Host::Name(name) => Some(name.as_str()),
            Host::Ip(_) => None,
        };
        let mut address = target.resolve(port).await?;
        address.set_port(port);
        Ok(Some(Service::at(address, name, self.trust.clone())))
    }

    /// The error of a target that has no driver left.
    pub fn nothing_left(&self) -> Error {
        Error::new(Kind::Config, "no driver is left for this target").with_hint(
            "a target with a port of its own needs --redfish-port for Redfish; IPMI takes 16 bytes of user name and 20 of password",
        )
    }
}
