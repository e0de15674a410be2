//! `probe --record`: the recording with what detection found.

use std::path::Path;

use crate::hal::Result;
use crate::hal::detect::Findings;
use crate::hal::detect::findings::{IpmiFindings, IpmiVersion};
use crate::hal::model::Secret;
use crate::hal::recording::{self, Keep, LanFacts, Recorder, TlsFacts};

/// Writes what was recorded of the BMC that detection `found`, without `secrets`.
pub(super) fn save(
    recorder: &Recorder,
    found: &Findings,
    secrets: &[&Secret],
    (path, keep): (&Path, Keep),
) -> Result<()> {
    let mut recording = recorder.finish(secrets, keep);
    recording.heading.vendor.clone_from(&found.vendor);
    recording.heading.product.clone_from(&found.product);
    recording.heading.lan = found.ipmi().filter(|i| i.available).map(lan_facts);
    recording.heading.tls = found
        .redfish()
        .and_then(|r| r.tls.as_ref())
        .map(|tls| TlsFacts {
            issuer: tls.issuer_organization.clone().unwrap_or_default(),
            // Vendors write service tags into it.
            subject: common_name(&tls.subject)
                .filter(|_| keep.serials)
                .unwrap_or("bmc")
                .to_owned(),
        });
    recording::save(&recording, path)
}

/// `O=Dell Inc.,CN=idrac-1ABC234`: the name after `CN=`.
fn common_name(subject: &str) -> Option<&str> {
    let (_, name) = subject.rsplit_once("CN=")?;
    name.split(',').next()
}

/// What a recording says of IPMI before a session.
fn lan_facts(found: &IpmiFindings) -> LanFacts {
    let bit = |name: &&'static str| match *name {
        "none" => 0x01,
        "md2" => 0x02,
        "md5" => 0x04,
        "password" => 0x10,
        "oem" => 0x20,
        _ => 0,
    };
    LanFacts {
        cipher_suites: found.cipher_suites.clone().unwrap_or_default(),
        auth_types: found
            .auth_types
            .iter()
            .map(bit)
            .fold(0, |all, bit| all | bit),
        ipmi_1_5: found.versions.contains(&IpmiVersion::V1_5),
        rmcp_presence: found.rmcp_presence,
        ..LanFacts::default()
    }
}
