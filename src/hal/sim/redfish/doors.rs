//! The TCP addresses of the BMCs.

use std::net::SocketAddr;
use std::sync::Arc;

use super::cert::server_config;
use super::dialect::Dialect;
use super::serve::{Door, bind};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::sim::options::Options;

/// All listeners.
#[derive(Default)]
pub(in crate::hal::sim) struct Doors {
    /// The listeners.
    pub(in crate::hal::sim) all: Vec<Door>,
    /// Addresses of HTTPS, by BMC.
    pub(in crate::hal::sim) redfish: Vec<SocketAddr>,
    /// Addresses of plain HTTP, by BMC.
    pub(in crate::hal::sim) http: Vec<SocketAddr>,
}

impl Doors {
    /// Binds what is asked for: on the address of each BMC.
    pub(in crate::hal::sim) fn open(options: &Options, bmcs: &[SocketAddr]) -> Result<Self> {
        let mut doors = Self::default();
        let Some(redfish) = options.redfish else {
            return Ok(doors);
        };
        let recorded = options.recordings.first();
        let tls = recorded.and_then(|recording| recording.heading.tls.as_ref());
        let dialect = Dialect::of(options.profile);
        let organisation = tls.map_or(dialect.organisation, |tls| &tls.issuer);
        let name = tls.map_or("bmc.example.net", |tls| &tls.subject);
        let ips: Vec<_> = bmcs.iter().map(SocketAddr::ip).collect();
        let config = server_config(organisation, name, &ips)?;
        for (index, bmc) in bmcs.iter().enumerate() {
            let mut open = |port: u16, tls| -> Result<SocketAddr> {
                let listener = bind(SocketAddr::new(bmc.ip(), port))?;
                let address = listener.local_addr().map_err(|e| {
                    Error::new(Kind::Other, "asking for the port of a listener").with_source(e)
                })?;
                doors.all.push(Door {
                    index,
                    listener,
                    tls,
                });
                Ok(address)
            };
            let https = open(redfish.port, Some(Arc::clone(&config)))?;
            let http = redfish.http_port.map(|port| open(port, None)).transpose()?;
            doors.redfish.push(https);
            doors.http.extend(http);
        }
        Ok(doors)
    }
}
