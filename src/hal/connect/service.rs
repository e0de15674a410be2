//! A Redfish service: where it is, and which driver and quirks it gets.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Way;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::fleet::Fleet;
use crate::hal::ipmi::Exchange;
use crate::hal::model::{Cx, DriverName, Secret};
use crate::hal::redfish::{About, Client, Door, Quirks, Refusal, Resource};
use crate::hal::transport::http::Trust;
use crate::hal::transport::redfish::{Config, HttpDoor};
use crate::hal::transport::resolve::lookup;
use crate::hal::vendors::{self, Facts, Vendor};

/// What a service said of itself counts so long: firmware is updated, machines are replaced.
const ABOUT: u64 = 24 * 3600;
/// A service that was not there is asked again after this many seconds: web servers of BMCs come up late.
const ABSENT: u64 = 600;
/// Where IPMI can do it too: time for a sign of life, and for the answer.
const SILENCE: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(10);

/// Where a Redfish service is and whom we trust there.
#[derive(Debug, Clone)]
pub struct Service {
    /// `https://host:port`, no path.
    pub base: String,
    /// Address and port behind it.
    pub address: SocketAddr,
    /// Which certificate is accepted.
    pub trust: Trust,
}

impl Service {
    /// At an address; port 80 is asked without TLS. Dialled by the address, as some BMCs refuse names that they do not
    /// know; only a certificate that is to be checked wants the `name`.
    pub fn at(address: SocketAddr, name: Option<&str>, trust: Trust) -> Self {
        let scheme = if address.port() == 80 {
            "http"
        } else {
            "https"
        };
        let host = match (name, address.ip()) {
            (Some(name), _) if trust.ca.is_some() => name.to_owned(),
            (_, IpAddr::V6(v6)) => format!("[{v6}]"),
            (_, IpAddr::V4(v4)) => v4.to_string(),
        };
        Self {
            base: format!("{scheme}://{host}:{}", address.port()),
            address,
            trust,
        }
    }

    /// At a URL (`http(s)://HOST[:PORT]`); a name is looked up. `Config` when it is none.
    pub async fn of_url(url: &str, trust: Trust) -> Result<Self> {
        let bad = || {
            Error::new(Kind::Config, format!("'{url}' is no Redfish URL"))
                .with_hint("http(s)://HOST[:PORT]")
        };
        let (scheme, rest) = url.trim().split_once("://").ok_or_else(bad)?;
        let scheme = scheme.to_ascii_lowercase();
        let standard = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return Err(bad()),
        };
        let authority = rest.trim_end_matches('/');
        if authority.is_empty() || authority.contains(['/', '@', '?', '#', ' ']) {
            return Err(bad());
        }
        let (host, port) = if let Some(v6) = authority.strip_prefix('[') {
            let (host, port) = v6.split_once(']').ok_or_else(bad)?;
            (host, port.strip_prefix(':'))
        } else {
            authority
                .split_once(':')
                .map_or((authority, None), |(host, port)| (host, Some(port)))
        };
        let port = match port {
            Some(port) => port.parse().map_err(|_| bad())?,
            None => standard,
        };
        let address = lookup(host, port).await?;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        Ok(Self {
            base: format!("{scheme}://{host}:{port}"),
            address,
            trust,
        })
    }
}

/// Opens a service: its client, with driver and quirks by what it says of itself, and the overwrites that are for it.
/// `ipmi` is the other way to this BMC, if there is one: then nobody waits long.
pub(super) async fn open(
    fleet: &Fleet,
    cx: &Cx,
    way: &Way,
    service: &Service,
    (user, password): &(String, Secret),
    ipmi: Option<&dyn Exchange>,
) -> Result<(Arc<Client>, Vec<&'static Vendor>)> {
    let mut config = Config::new(&service.base, service.address, user, password.clone());
    config.trust = service.trust.clone();
    config.guard = fleet.guard(&way.gate_name());
    if ipmi.is_some() {
        config.connect_within = SILENCE;
    }
    let door = fleet.redfish(config)?;
    let now = unix_now();
    let learnt = door.learnt().snapshot();
    if let Some(since) = learnt.absent
        && ipmi.is_some()
        && now.saturating_sub(since) < ABSENT
    {
        let what = format!("{}: no Redfish service a while ago", service.base);
        return Err(Error::new(Kind::Unreachable, what));
    }
    let plain = Client::new(fleet.heard(Arc::clone(&door)), Quirks::default());
    let known = learnt
        .about
        .filter(|about| learnt.system.is_some() && now.saturating_sub(about.at) < ABOUT);
    let about = match known {
        Some(about) => about,
        None => look(cx, &door, &plain, now, ipmi.is_some()).await?,
    };
    let mut facts = facts(&about);
    if let Some(ipmi) = ipmi {
        let learnt = ipmi.learnt().snapshot();
        facts.ipmi_manufacturer = learnt.manufacturer;
        facts.ipmi_product = learnt.product;
    }
    let (mut quirks, found) = vendors::redfish_quirks(&facts);
    let idrac = vendors::name(&facts).as_deref() == Some("Dell");
    match way.prefer {
        Some(DriverName::IDrac) if way.only && !idrac => {
            let what = format!("{}: the driver iDrac is for Dell's iDRAC", service.base);
            return Err(Error::new(Kind::Unsupported, what).with_hint("--driver Redfish"));
        }
        Some(DriverName::Redfish) => {}
        _ if idrac => quirks.driver = DriverName::IDrac,
        _ => {}
    }
    Ok((plain.with_quirks(quirks), found))
}

/// Asks the service who it is, and keeps that. Which of these reads the first operation needs again it finds there.
async fn look(cx: &Cx, door: &HttpDoor, client: &Client, now: u64, hurry: bool) -> Result<About> {
    let mut short = cx.clone();
    if hurry {
        short.deadline = cx.deadline.min(Instant::now() + ANSWER);
    }
    let root = match client.root(&short).await {
        Ok(root) if root.has("/RedfishVersion") || root.has("/Systems") => root,
        Ok(root) => {
            let error = Error::new(Kind::Unsupported, format!("GET {}", root.path))
                .with_source("this is no Redfish service root");
            return Err(absent(door, now, error));
        }
        Err(error) => return Err(absent(door, now, error)),
    };
    let mut about = of_root(&root, door);
    about.at = now;
    // Services that do not name their vendor, or only whose firmware they are: the machine does. Every operation reads
    // its system anyway.
    if needs_machine(&about) {
        match client.system(cx).await {
            Ok(system) => {
                let text = |p: &str| system.str(p).map(str::to_owned);
                about.manufacturer = text("/Manufacturer");
                about.model = text("/Model");
            }
            Err(error) if matches!(error.kind(), Kind::Unsupported | Kind::Protocol) => {
                log::debug!("no system to tell the vendor by: {}", error.chain());
            }
            // The password has to be changed before anything is shown: that has to be possible. Not kept, as the machine
            // tells more once it is changed.
            Err(error) if wants_other_password(&error) => return Ok(about),
            Err(error) => return Err(error),
        }
    }
    // Nobody has said a word: the manager's model may name the firmware (stock OpenBMC).
    let mut met = (None, None);
    if vendors::name(&facts(&about)).is_none()
        && let Ok(manager) = client.manager(cx).await
    {
        let text = |p: &str| manager.str(p).map(str::to_owned);
        met = (text("/Model"), text("/FirmwareVersion"));
        (about.manager_model, about.firmware) = met.clone();
    }
    door.learnt().update(|learnt| {
        learnt.absent = None;
        // What an earlier operation read of manager and machine stays true for the same service.
        if let Some(before) = learnt.about.take() {
            about.manager_model = met.0.or(before.manager_model);
            about.firmware = met.1.or(before.firmware);
        }
        learnt.about = Some(about.clone());
    });
    Ok(about)
}

fn wants_other_password(error: &Error) -> bool {
    Refusal::find(error).is_some_and(|refusal| refusal.names("PasswordChangeRequired"))
}

/// Remembers that nothing usable answered, unless it may only have been slow.
fn absent(door: &HttpDoor, now: u64, error: Error) -> Error {
    let kind = error.kind();
    if matches!(kind, Kind::Unreachable | Kind::Unsupported) {
        door.learnt().update(|learnt| learnt.absent = Some(now));
    }
    error
}

fn of_root(root: &Resource, door: &HttpDoor) -> About {
    let text = |p: &str| root.str(p).map(str::to_owned);
    let oem = root.json.get("Oem").and_then(|oem| oem.as_object());
    let tls = door.tls();
    let organizations = tls
        .into_iter()
        .flat_map(|t| [t.issuer_organization, t.subject_organization]);
    About {
        oem: oem
            .map(|o| o.keys().take(16).cloned().collect())
            .unwrap_or_default(),
        vendor: text("/Vendor"),
        product: text("/Product"),
        tls: organizations.flatten().collect(),
        ..About::default()
    }
}

/// Does only the machine know who made it?
fn needs_machine(about: &About) -> bool {
    vendors::name(&facts(about)).is_none_or(|name| vendors::names::is_firmware(&name))
}

fn facts(about: &About) -> Facts {
    Facts {
        oem: about.oem.clone(),
        vendor: about.vendor.clone(),
        product: about.product.clone(),
        tls: about.tls.clone(),
        manufacturer: about.manufacturer.clone(),
        model: about.model.clone(),
        manager_model: about.manager_model.clone(),
        firmware: about.firmware.clone(),
        ..Facts::default()
    }
}

/// Seconds since 1970; 0 when the clock stands before.
fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn urls_and_addresses() {
        let trust = Trust::default;
        for (url, base, address) in [
            ("https://10.0.0.7", "https://10.0.0.7:443", "10.0.0.7:443"),
            ("http://10.0.0.7/", "http://10.0.0.7:80", "10.0.0.7:80"),
            (
                "HTTPS://[fd00::7]:8443",
                "https://[fd00::7]:8443",
                "[fd00::7]:8443",
            ),
        ] {
            let service = Service::of_url(url, trust()).await.unwrap();
            assert_eq!(
                (service.base.as_str(), service.address.to_string().as_str()),
                (base, address)
            );
        }
        for url in [
            "10.0.0.7",
            "ftp://10.0.0.7",
            "https://",
            "https://u@10.0.0.7",
            "https://10.0.0.7:x",
            "https://10.0.0.7/redfish",
        ] {
            let error = Service::of_url(url, trust()).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{url}");
        }
        let at = |text: &str, name| Service::at(text.parse().unwrap(), name, trust()).base;
        assert_eq!(at("10.0.0.7:443", Some("bmc7")), "https://10.0.0.7:443");
        assert_eq!(at("[fd00::7]:80", None), "http://[fd00::7]:80");
    }
}
