//! The parts of a recording.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is known of the BMC as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// Version of the format.
    #[serde(rename = "halbox_recording")]
    pub version: u32,
    /// Program that wrote it.
    #[serde(default)]
    pub made_by: String,
    /// Vendor as detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Product as detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// What it says before an IPMI session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lan: Option<LanFacts>,
    /// Its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
}

/// What a BMC says over IPMI before a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LanFacts {
    /// Cipher suites that it offers.
    pub cipher_suites: Vec<u8>,
    /// Authentication types of IPMI 1.5 as in Get Channel Authentication Capabilities (bits 0 none, 1 MD2, 2 MD5,
    /// 4 straight password, 5 OEM).
    pub auth_types: u8,
    /// It takes IPMI 1.5 sessions.
    pub ipmi_1_5: bool,
    /// It answers RMCP presence pings.
    pub rmcp_presence: bool,
    /// Number of the LAN channel.
    pub channel: u8,
}

impl Default for LanFacts {
    fn default() -> Self {
        Self {
            cipher_suites: vec![3, 17],
            auth_types: 0x14,
            ipmi_1_5: false,
            rmcp_presence: true,
            channel: 1,
        }
    }
}

/// Names in the certificate of the HTTPS server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TlsFacts {
    /// Organisation (O=) of the issuer.
    pub issuer: String,
    /// Common name of the subject.
    pub subject: String,
}

/// The body of an HTTP answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Body {
    /// None.
    #[default]
    None,
    /// JSON.
    Json(Value),
    /// Something else: HTML, or JSON that is broken.
    Text(String),
}

/// The answer to one GET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedfishAnswer {
    /// Path and query as asked, with a leading slash.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// Headers with lower-case names, those of [`super::KEPT_HEADERS`].
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Body,
}

/// The answer to one IPMI command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpmiAnswer {
    /// Channel and slave address of the controller behind the BMC that was asked; `None` = the BMC itself.
    pub bridged: Option<(u8, u8)>,
    /// Logical unit.
    pub lun: u8,
    /// Network function of the request (even).
    pub netfn: u8,
    /// Command.
    pub cmd: u8,
    /// Request data.
    pub data: Vec<u8>,
    /// Completion code.
    pub code: u8,
    /// Reply data after the completion code.
    pub reply: Vec<u8>,
}

/// A whole recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// The BMC as a whole.
    pub heading: Heading,
    /// Redfish answers in the order in which they came. Of one path, the last one counts.
    pub redfish: Vec<RedfishAnswer>,
    /// IPMI answers in the order in which they came.
    pub ipmi: Vec<IpmiAnswer>,
    /// Lines that could not be read, with their number and what is wrong (only from reading).
    pub warnings: Vec<String>,
}

impl Recording {
    /// An empty one of the present version, by this program.
    pub fn new() -> Self {
        Self {
            heading: Heading {
                version: super::VERSION,
                made_by: concat!("halbox ", env!("CARGO_PKG_VERSION")).to_owned(),
                ..Heading::default()
            },
            ..Self::default()
        }
    }

    /// Adds the answer to a GET; an earlier one of the same path is replaced. Headers that are not kept are dropped.
    pub fn add_redfish(
        &mut self,
        path: &str,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .filter(|(name, _)| super::KEPT_HEADERS.contains(&name.as_str()))
            .collect();
        let body = if body.is_empty() {
            Body::None
        } else {
            match serde_json::from_slice(body) {
                Ok(json) => Body::Json(json),
                Err(_) => Body::Text(String::from_utf8_lossy(body).into_owned()),
            }
        };
        let answer = RedfishAnswer {
            path: path.to_owned(),
            status,
            headers,
            body,
        };
        match self.redfish.iter_mut().find(|have| have.path == path) {
            Some(have) => *have = answer,
            None => self.redfish.push(answer),
        }
    }

    /// The answer to a GET of exactly this path.
    pub fn resource(&self, path: &str) -> Option<&RedfishAnswer> {
        self.redfish.iter().rev().find(|answer| answer.path == path)
    }
}

impl RedfishAnswer {
    /// The JSON body, if it is one.
    pub fn json(&self) -> Option<&Value> {
        match &self.body {
            Body::Json(json) => Some(json),
            Body::None | Body::Text(_) => None,
        }
    }
}
