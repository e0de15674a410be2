//! What detection found, as plain data. The serialised form is the JSON of `halbox probe`.

use std::net::IpAddr;

use serde::Serialize;

use crate::hal::model::{DriverName, Guid};
use crate::hal::transport::http::TlsInfo;
use crate::hal::vendors::Facts;

/// Everything that is known of one address without logging in.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// The target as it was written.
    pub target: String,
    /// The address behind it; `None` when a name could not be looked up.
    pub address: Option<IpAddr>,
    /// Did anything at all answer (be it garbage)? A closed port is no answer.
    pub reachable: bool,
    /// Vendor, from the most trustworthy source that named one.
    pub vendor: Option<String>,
    /// Product, from the Redfish service root.
    pub product: Option<String>,
    /// The machine's UUID; not known without a login.
    pub machine_id: Option<String>,
    /// The driver that halbox would use; `None` when none is available.
    pub preferred_driver: Option<DriverName>,
    /// Milliseconds that detection took.
    pub took_ms: f64,
    /// One entry per driver: IPMI, Redfish, iDrac.
    pub drivers: Vec<DriverFindings>,
    /// What an operator should know, in words.
    pub warnings: Vec<String>,
    /// What each driver can do; only filled by a probe with credentials.
    pub capabilities: Option<Vec<serde_json::Value>>,
}

impl Findings {
    /// What was found of IPMI.
    pub fn ipmi(&self) -> Option<&IpmiFindings> {
        self.drivers.iter().find_map(|d| match d {
            DriverFindings::Ipmi(found) => Some(found),
            _ => None,
        })
    }

    /// What was found of Redfish.
    pub fn redfish(&self) -> Option<&RedfishFindings> {
        self.drivers.iter().find_map(|d| match d {
            DriverFindings::Redfish(found) => Some(found.as_ref()),
            _ => None,
        })
    }

    /// What tells the vendor.
    pub fn facts(&self) -> Facts {
        let redfish = self.redfish();
        let tls = redfish.and_then(|r| r.tls.as_ref());
        Facts {
            oem: redfish.map(|r| r.oem.clone()).unwrap_or_default(),
            vendor: redfish.and_then(|r| r.vendor.clone()),
            product: redfish.and_then(|r| r.product.clone()),
            tls: tls
                .into_iter()
                .flat_map(|t| [&t.issuer_organization, &t.subject_organization])
                .flatten()
                .cloned()
                .collect(),
            ipmi_manufacturer: self.ipmi().and_then(|i| i.oem_iana),
            ..Facts::default()
        }
    }

    /// The drivers that can be used.
    pub fn available(&self) -> Vec<DriverName> {
        let mut names = Vec::new();
        for driver in &self.drivers {
            let (name, available) = match driver {
                DriverFindings::Ipmi(d) => (DriverName::Ipmi, d.available),
                DriverFindings::Redfish(d) => (DriverName::Redfish, d.available),
                DriverFindings::IDrac(d) => (DriverName::IDrac, d.available),
            };
            if available {
                names.push(name);
            }
        }
        names
    }
}

/// What was found of one driver.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum DriverFindings {
    /// IPMI over LAN.
    Ipmi(IpmiFindings),
    /// Redfish.
    Redfish(Box<RedfishFindings>),
    /// Redfish with Dell's own paths.
    IDrac(IDracFindings),
}

/// A version of IPMI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum IpmiVersion {
    /// IPMI 1.5.
    #[serde(rename = "1.5")]
    V1_5,
    /// IPMI 2.0 (RMCP+).
    #[serde(rename = "2.0")]
    V2_0,
}

impl IpmiVersion {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_5 => "1.5",
            Self::V2_0 => "2.0",
        }
    }
}

/// What IPMI says before any session.
#[derive(Debug, Clone, Serialize)]
pub struct IpmiFindings {
    /// Always `IPMI`.
    pub driver: DriverName,
    /// Does it answer IPMI commands?
    pub available: bool,
    /// UDP port.
    pub port: u16,
    /// Did it answer the ASF presence ping?
    pub rmcp_presence: bool,
    /// Versions that it speaks, oldest first.
    pub versions: Vec<IpmiVersion>,
    /// Authentication types of IPMI 1.5: `none`, `password`, `md2`, `md5`, `oem`.
    pub auth_types: Vec<&'static str>,
    /// Cipher suites offered, ascending; `None` when it does not tell.
    pub cipher_suites: Option<Vec<u8>>,
    /// Is a login without a user name possible?
    pub anonymous_login: bool,
    /// Are there users with an empty name?
    pub null_users: bool,
    /// Is a K_G other than the default set?
    pub kg_required: bool,
    /// Get System GUID, the bytes as sent (32 hex digits).
    pub guid: Option<Guid>,
    /// IANA enterprise number of the vendor's own authentication type, where given.
    pub oem_iana: Option<u32>,
    /// Why the driver is not available.
    pub error: Option<String>,
}

/// What the Redfish service says without a login.
#[derive(Debug, Clone, Serialize)]
pub struct RedfishFindings {
    /// Always `Redfish`.
    pub driver: DriverName,
    /// Is there a service root?
    pub available: bool,
    /// Where it was asked: scheme, host, port.
    pub url: String,
    /// `RedfishVersion`.
    pub redfish_version: Option<String>,
    /// `Vendor`, as the service spells it.
    pub vendor: Option<String>,
    /// `Product`.
    pub product: Option<String>,
    /// `UUID` of the service.
    pub uuid: Option<String>,
    /// Keys of `Oem`.
    #[serde(skip)]
    pub oem: Vec<String>,
    /// The TLS connection; `None` when it did not get as far as a certificate.
    pub tls: Option<TlsInfo>,
    /// Why the driver is not available.
    pub error: Option<String>,
}

/// Whether the iDrac driver can be used.
#[derive(Debug, Clone, Serialize)]
pub struct IDracFindings {
    /// Always `iDrac`.
    pub driver: DriverName,
    /// Is it a Dell with Redfish?
    pub available: bool,
}
