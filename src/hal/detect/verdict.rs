//! From what each protocol said to one finding: vendor, preferred driver, warnings.

use std::net::IpAddr;
use std::time::Duration;

use super::Subject;
use super::findings::{
    DriverFindings, Findings, IDracFindings, IpmiFindings, IpmiVersion, RedfishFindings,
};
use super::ipmi::IpmiFacts;
use super::redfish::run::RedfishFacts;
use crate::hal::model::DriverName;
use crate::hal::transport::http::x509::rfc3339;
use crate::hal::vendors::{self, Facts};

/// Suites that halbox logs in with by itself.
const SAFE_SUITES: [u8; 2] = [17, 3];

/// Who was asked, and when.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The target as written.
    pub target: String,
    /// Its address; `None` when it could not be looked up.
    pub address: Option<IpAddr>,
    /// UDP port of IPMI.
    pub ipmi_port: u16,
    /// Where Redfish was asked.
    pub redfish_url: String,
    /// How long it took.
    pub took: Duration,
    /// Seconds since 1970, to tell expired certificates.
    pub now_unix: u64,
}

/// Judges.
pub fn judge(asked: &Asked, ipmi: &IpmiFacts, redfish: &RedfishFacts) -> Findings {
    let vendor = vendors::name(&facts_of(ipmi, redfish));
    let ipmi_found = ipmi_findings(asked, ipmi);
    let redfish_found = redfish_findings(asked, redfish);
    let idrac = redfish_found.available && vendor.as_deref() == Some("Dell");
    let preferred_driver = if idrac {
        Some(DriverName::IDrac)
    } else if redfish_found.available {
        Some(DriverName::Redfish)
    } else if ipmi_found.available {
        Some(DriverName::Ipmi)
    } else {
        None
    };
    let mut warnings = Vec::new();
    warn_ipmi(&ipmi_found, &mut warnings);
    warn_redfish(&redfish_found, asked.now_unix, &mut warnings);
    Findings {
        target: asked.target.clone(),
        address: asked.address,
        reachable: ipmi.answered() || redfish.answered,
        vendor,
        product: redfish_found.product.clone(),
        machine_id: None,
        preferred_driver,
        took_ms: milliseconds(asked.took),
        drivers: vec![
            DriverFindings::Ipmi(ipmi_found),
            DriverFindings::Redfish(Box::new(redfish_found)),
            DriverFindings::IDrac(IDracFindings {
                driver: DriverName::IDrac,
                available: idrac,
            }),
        ],
        warnings,
        capabilities: None,
    }
}

/// The finding of a target that could not be asked at all.
pub fn not_asked(subject: &Subject, why: &str) -> Findings {
    let asked = Asked {
        target: subject.target.clone(),
        address: None,
        ipmi_port: subject.ipmi_port,
        redfish_url: String::new(),
        took: Duration::ZERO,
        now_unix: 0,
    };
    let redfish = RedfishFacts {
        error: Some(why.to_owned()),
        ..RedfishFacts::default()
    };
    let mut found = judge(&asked, &IpmiFacts::default(), &redfish);
    for driver in &mut found.drivers {
        if let DriverFindings::Ipmi(ipmi) = driver {
            ipmi.error = Some(why.to_owned());
        }
    }
    found
}

/// Milliseconds with one digit after the point.
pub fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}

/// What tells the vendor.
fn facts_of(ipmi: &IpmiFacts, redfish: &RedfishFacts) -> Facts {
    let root = redfish.root.as_ref();
    let tls = redfish.tls.iter();
    Facts {
        oem: root.map(|r| r.oem.clone()).unwrap_or_default(),
        vendor: root.and_then(|r| r.vendor.clone()),
        product: root.and_then(|r| r.product.clone()),
        tls: tls
            .flat_map(|t| [&t.issuer_organization, &t.subject_organization])
            .flatten()
            .cloned()
            .collect(),
        ipmi_manufacturer: ipmi.capabilities.as_ref().map(|c| c.oem),
        ..Facts::default()
    }
}

fn ipmi_findings(asked: &Asked, facts: &IpmiFacts) -> IpmiFindings {
    let capabilities = facts.capabilities.as_ref();
    IpmiFindings {
        driver: DriverName::Ipmi,
        available: facts.ipmi,
        port: asked.ipmi_port,
        rmcp_presence: facts.pong,
        versions: facts.versions(),
        auth_types: capabilities.map(|c| c.types.names()).unwrap_or_default(),
        cipher_suites: facts.suites.clone(),
        anonymous_login: capabilities.is_some_and(|c| c.status.anonymous),
        null_users: capabilities.is_some_and(|c| c.status.null_users),
        kg_required: capabilities.is_some_and(|c| c.status.kg),
        guid: facts.guid,
        oem_iana: capabilities.map(|c| c.oem).filter(|n| *n != 0),
        error: ipmi_error(facts),
    }
}

fn ipmi_error(facts: &IpmiFacts) -> Option<String> {
    if facts.ipmi {
        return None;
    }
    Some(
        if facts.pong {
            "answers the presence ping, but no IPMI command"
        } else if facts.garbage {
            "what answers does not speak RMCP"
        } else if facts.refused {
            "port closed"
        } else {
            "no answer"
        }
        .to_owned(),
    )
}

fn redfish_findings(asked: &Asked, facts: &RedfishFacts) -> RedfishFindings {
    let root = facts.root.as_ref();
    RedfishFindings {
        driver: DriverName::Redfish,
        available: root.is_some(),
        url: asked.redfish_url.clone(),
        redfish_version: root.and_then(|r| r.version.clone()),
        vendor: root.and_then(|r| r.vendor.clone()),
        product: root.and_then(|r| r.product.clone()),
        uuid: root.and_then(|r| r.uuid.clone()),
        oem: root.map(|r| r.oem.clone()).unwrap_or_default(),
        tls: facts.tls.clone(),
        error: facts.error.clone(),
    }
}

fn warn_ipmi(found: &IpmiFindings, warnings: &mut Vec<String>) {
    if !found.available {
        return;
    }
    let mut warn = |text: &str| warnings.push(text.to_owned());
    if found.anonymous_login {
        warn("anonymous login is enabled: no user name and no password are needed");
    }
    if found.null_users {
        warn("there are users with an empty name: only a password guards them");
    }
    if let Some(suites) = &found.cipher_suites {
        if suites.contains(&0) {
            warn("cipher suite 0 is offered: logins without a password may be possible");
        }
        if !suites.iter().any(|s| SAFE_SUITES.contains(s)) {
            warn("neither cipher suite 17 nor 3 is offered: halbox needs --cipher-suite to log in");
        }
    }
    if found.versions.contains(&IpmiVersion::V1_5) {
        if found.auth_types.contains(&"none") {
            warn("IPMI 1.5 sessions without authentication are offered");
        }
        if found.auth_types.contains(&"password") {
            warn(
                "IPMI 1.5 with straight passwords is offered: they cross the network in the clear",
            );
        }
        if !found.versions.contains(&IpmiVersion::V2_0) {
            warn("only IPMI 1.5 is spoken: halbox needs --ipmi-version 1.5 to log in");
        }
    }
    if found.guid.is_some_and(crate::hal::model::Guid::is_blank) {
        warn("the system GUID is blank: it identifies nothing");
    }
}

fn warn_redfish(found: &RedfishFindings, now_unix: u64, warnings: &mut Vec<String>) {
    if found.available && found.url.starts_with("http:") {
        warnings.push(
            "Redfish answers without TLS: passwords cross the network in the clear".to_owned(),
        );
    }
    let Some(tls) = &found.tls else {
        return;
    };
    if tls.version == "legacy" {
        warnings.push(
            "legacy TLS: the web server speaks nothing that is still safe; IPMI takes over"
                .to_owned(),
        );
    }
    if let Some(end) = tls.not_after_unix
        && end < i64::try_from(now_unix).unwrap_or(i64::MAX)
    {
        warnings.push(format!("the TLS certificate expired on {}", rfc3339(end)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::detect::redfish::ServiceRoot;
    use crate::hal::ipmi::cmd::app::{AuthStatus, AuthTypes, ChannelAuthCapabilities};
    use crate::hal::model::Guid;
    use crate::hal::transport::http::TlsInfo;

    fn asked() -> Asked {
        Asked {
            target: "bmc7".to_owned(),
            address: Some(IpAddr::from([10, 0, 0, 7])),
            ipmi_port: 623,
            redfish_url: "https://10.0.0.7:443".to_owned(),
            took: Duration::from_micros(12_420),
            now_unix: 1_800_000_000,
        }
    }

    fn ipmi() -> IpmiFacts {
        IpmiFacts {
            pong: true,
            ipmi: true,
            capabilities: Some(ChannelAuthCapabilities {
                channel: 1,
                extended: true,
                types: AuthTypes(AuthTypes::NONE | AuthTypes::MD5 | AuthTypes::STRAIGHT),
                status: AuthStatus {
                    anonymous: true,
                    null_users: true,
                    ..AuthStatus::default()
                },
                v2_0: true,
                v1_5: true,
                oem: 674,
                oem_data: 0,
            }),
            suites: Some(vec![0, 3, 17]),
            guid: Some(Guid([0xab; 16])),
            ..IpmiFacts::default()
        }
    }

    fn root(vendor: Option<&str>, oem: &[&str]) -> RedfishFacts {
        RedfishFacts {
            answered: true,
            root: Some(ServiceRoot {
                version: Some("1.15.0".to_owned()),
                vendor: vendor.map(str::to_owned),
                oem: oem.iter().map(|k| (*k).to_owned()).collect(),
                ..ServiceRoot::default()
            }),
            tls: Some(TlsInfo {
                version: "1.3".to_owned(),
                subject: "CN=bmc".to_owned(),
                issuer: "O=Super Micro Computer".to_owned(),
                sha256: "ab".to_owned(),
                not_after: Some("2020-01-01T00:00:00Z".to_owned()),
                self_signed: true,
                not_after_unix: Some(1_577_836_800),
                issuer_organization: Some("Super Micro Computer".to_owned()),
                subject_organization: None,
            }),
            error: None,
        }
    }

    #[test]
    fn the_json_is_that_of_the_interface() {
        let found = judge(&asked(), &ipmi(), &root(Some("Dell"), &["Dell"]));
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["address"], "10.0.0.7");
        assert_eq!(json["reachable"], true);
        assert_eq!(json["took_ms"], 12.4);
        assert_eq!(json["preferred_driver"], "iDrac");
        assert_eq!(json["machine_id"], serde_json::Value::Null);
        assert_eq!(json["capabilities"], serde_json::Value::Null);
        let ipmi = &json["drivers"][0];
        assert_eq!(ipmi["driver"], "IPMI");
        assert_eq!(ipmi["versions"], serde_json::json!(["1.5", "2.0"]));
        assert_eq!(
            ipmi["auth_types"],
            serde_json::json!(["none", "password", "md5"])
        );
        assert_eq!(ipmi["cipher_suites"], serde_json::json!([0, 3, 17]));
        assert_eq!(ipmi["kg_required"], false);
        assert_eq!(ipmi["guid"], "ab".repeat(16));
        let redfish = &json["drivers"][1];
        assert_eq!(redfish["driver"], "Redfish");
        assert_eq!(redfish["redfish_version"], "1.15.0");
        assert_eq!(redfish["tls"]["version"], "1.3");
        assert_eq!(redfish["tls"]["not_after"], "2020-01-01T00:00:00Z");
        assert!(redfish["tls"].get("not_after_unix").is_none());
        assert_eq!(
            json["drivers"][2],
            serde_json::json!({"driver": "iDrac", "available": true})
        );
        let warnings = found.warnings.join("\n");
        for part in [
            "anonymous login",
            "empty name",
            "cipher suite 0 is offered: logins without a password may be possible",
            "without authentication",
            "straight passwords",
            "expired on 2020-01-01T00:00:00Z",
        ] {
            assert!(warnings.contains(part), "{part} is not in {warnings}");
        }
    }

    #[test]
    fn vendor_and_preferred_driver() {
        let nothing = IpmiFacts::default();
        let of = |ipmi: &IpmiFacts, redfish: &RedfishFacts| {
            let found = judge(&asked(), ipmi, redfish);
            (found.vendor.unwrap_or_default(), found.preferred_driver)
        };
        let redfish = Some(DriverName::Redfish);
        assert_eq!(
            of(&nothing, &root(Some("AMI"), &["Ami"])),
            ("AMI".to_owned(), redfish)
        );
        assert_eq!(
            of(&nothing, &root(Some("Contoso"), &["Public"])),
            ("Contoso".to_owned(), redfish)
        );
        // X10: neither Vendor nor Oem; the certificate tells.
        assert_eq!(
            of(&nothing, &root(None, &[])),
            ("Supermicro".to_owned(), redfish)
        );
        assert_eq!(
            of(&ipmi(), &RedfishFacts::default()),
            ("Dell".to_owned(), Some(DriverName::Ipmi))
        );
        assert_eq!(
            of(&nothing, &RedfishFacts::default()),
            (String::new(), None)
        );
    }

    #[test]
    fn silence_is_told_from_a_closed_port_and_from_nonsense() {
        let error = |facts: IpmiFacts| ipmi_error(&facts).unwrap_or_default();
        assert_eq!(error(IpmiFacts::default()), "no answer");
        let refused = IpmiFacts {
            refused: true,
            ..IpmiFacts::default()
        };
        assert!(!judge(&asked(), &refused, &RedfishFacts::default()).reachable);
        assert_eq!(error(refused), "port closed");
        let odd = IpmiFacts {
            garbage: true,
            ..IpmiFacts::default()
        };
        assert!(judge(&asked(), &odd, &RedfishFacts::default()).reachable);
        assert!(error(odd).contains("RMCP"));
    }
}
