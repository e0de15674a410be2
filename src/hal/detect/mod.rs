//! What is at this address, without credentials and without a login.
//!
//! All protocols are asked at once: IPMI (presence ping, authentication capabilities, cipher suites, GUID) over the
//! shared UDP socket, Redfish (service root, certificate) over HTTP. The parts that judge answers are pure; this
//! module only brings them together and keeps to the budgets. It never logs in and never follows anyone elsewhere.

pub mod findings;
pub mod ipmi;
pub mod redfish;
pub mod sweep;
pub mod verdict;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::hal::error::{Kind, Result};
use crate::hal::transport::Lan;
use crate::hal::transport::http::Trust;
use crate::hal::transport::resolve::lookup;
pub use findings::Findings;
use ipmi::{IpmiFacts, IpmiProbe};
use redfish::run::{Place, RedfishFacts};
use verdict::Asked;

/// Addresses of which nothing is known yet that are asked at the same time: the kernel's table of neighbours is
/// finite.
const UNRESOLVED: usize = 512;

/// Addresses that are asked in their first moments at the same time. More would only make queues, and queues look
/// like silence.
const FRESH: usize = 64;

/// How long an address counts as fresh; later it is slow or dead, and the next may begin.
const FIRST_MOMENTS: Duration = Duration::from_millis(100);

/// Threads for blocking HTTP, all addresses together.
const THREADS: usize = 256;

/// How long an address is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Without any sign of life it is given up after this, retries included.
    pub silence: Duration,
    /// Whatever answered once gets this.
    pub whole: Duration,
}

impl Default for Budgets {
    /// 1 s of silence, 10 s for what answers: real BMCs need seconds for TLS.
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(1),
            whole: Duration::from_secs(10),
        }
    }
}

impl Budgets {
    /// The same limit for both.
    pub fn of(limit: Duration) -> Self {
        Self {
            silence: limit,
            whole: limit,
        }
    }
}

/// How addresses are asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long.
    pub budgets: Budgets,
    /// TCP port of Redfish; 80 is asked without TLS.
    pub redfish_port: u16,
    /// Scheme, host and port to use for all targets instead.
    pub redfish_url: Option<String>,
    /// Which TLS certificate is accepted.
    pub trust: Trust,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            budgets: Budgets::default(),
            redfish_port: 443,
            redfish_url: None,
            trust: Trust::default(),
        }
    }
}

/// One address to ask.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The target as written.
    pub target: String,
    /// Address or name.
    pub host: String,
    /// UDP port of IPMI.
    pub ipmi_port: u16,
}

/// Asks addresses. One for the whole process; it holds the limits that all share.
#[derive(Debug)]
pub struct Detector {
    lan: Arc<Lan>,
    options: Options,
    threads: Semaphore,
    fresh: Semaphore,
    unresolved: Arc<Semaphore>,
}

impl Detector {
    /// A detector on the given UDP transport. Fails when the options hold a bad URL.
    pub fn new(lan: Arc<Lan>, options: Options) -> Result<Self> {
        if let Some(url) = &options.redfish_url {
            parse_url(url)?;
        }
        Ok(Self {
            lan,
            options,
            threads: Semaphore::new(THREADS),
            fresh: Semaphore::new(FRESH),
            unresolved: Arc::new(Semaphore::new(UNRESOLVED)),
        })
    }

    /// Asks one address. Always comes to an end within the budgets; what failed is part of the findings.
    pub async fn detect(&self, subject: &Subject) -> Findings {
        let address = match lookup(&subject.host, subject.ipmi_port).await {
            Ok(address) => address,
            Err(e) => return verdict::not_asked(subject, &e.chain()),
        };
        // Only addresses that need a neighbour entry wait for their turn.
        let permit = if address.ip().is_loopback() {
            None
        } else {
            Arc::clone(&self.unresolved).acquire_owned().await.ok()
        };
        let fresh = self.fresh.acquire().await;
        let life = Life::new(permit);
        let begun = Instant::now();
        let mut asking = std::pin::pin!(async {
            tokio::join!(
                self.ipmi(address, begun, &life),
                self.redfish(subject, address.ip(), &life),
            )
        });
        let (ipmi, (url, redfish)) = tokio::select! {
            answers = &mut asking => answers,
            () = tokio::time::sleep(FIRST_MOMENTS) => {
                drop(fresh);
                asking.await
            }
        };
        let asked = Asked {
            target: subject.target.clone(),
            address: Some(address.ip()),
            ipmi_port: subject.ipmi_port,
            redfish_url: url,
            took: begun.elapsed(),
            now_unix: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |d| d.as_secs()),
        };
        verdict::judge(&asked, &ipmi, &redfish)
    }

    async fn ipmi(&self, address: SocketAddr, begun: Instant, life: &Life) -> IpmiFacts {
        let Ok(port) = self.lan.open(address) else {
            return IpmiFacts::default();
        };
        let mut random = [0; 4];
        // Without randomness the id is only easier to guess, and nothing is protected by it here.
        let _ = getrandom::fill(&mut random);
        let budgets = self.options.budgets;
        let probe = IpmiProbe::new(
            begun,
            budgets.silence,
            budgets.whole,
            u32::from_le_bytes(random) | 1,
        );
        ipmi::run::run(port, probe, life).await
    }

    async fn redfish(&self, subject: &Subject, ip: IpAddr, life: &Life) -> (String, RedfishFacts) {
        let (base, place) = self.place(subject, ip).await;
        let facts = match place {
            Ok(address) => {
                let place = Place {
                    base: base.clone(),
                    address,
                    trust: self.options.trust.clone(),
                };
                redfish::run::run(&place, &self.options.budgets, life, &self.threads).await
            }
            Err(words) => RedfishFacts {
                error: Some(words),
                ..RedfishFacts::default()
            },
        };
        (base, facts)
    }

    /// Where Redfish of `subject` is: its URL, and the address behind it.
    async fn place(
        &self,
        subject: &Subject,
        ip: IpAddr,
    ) -> (String, std::result::Result<SocketAddr, String>) {
        let Some(url) = &self.options.redfish_url else {
            let port = self.options.redfish_port;
            let scheme = if port == 80 { "http" } else { "https" };
            let host = match subject.host.parse::<IpAddr>() {
                Ok(IpAddr::V6(v6)) => format!("[{v6}]"),
                _ => subject.host.clone(),
            };
            return (
                format!("{scheme}://{host}:{port}"),
                Ok(SocketAddr::new(ip, port)),
            );
        };
        match parse_url(url) {
            Ok((base, host, port)) => {
                let name = host.trim_start_matches('[').trim_end_matches(']');
                (base, lookup(name, port).await.map_err(|e| e.chain()))
            }
            Err(e) => (url.clone(), Err(e.chain())),
        }
    }
}

/// Checks a URL of Redfish: `(scheme://host:port, host, port)`. A path is refused unless it is that of Redfish.
pub fn parse_url(url: &str) -> Result<(String, String, u16)> {
    let wrong = |why: &str| {
        crate::hal::Error::new(Kind::Config, format!("bad Redfish URL '{url}'"))
            .with_source(why.to_owned())
            .with_hint("write https://HOST or https://HOST:PORT")
    };
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| wrong("it has no scheme"))?;
    let default = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(wrong("the scheme is neither https nor http")),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !matches!(path.trim_end_matches('/'), "" | "redfish" | "redfish/v1") {
        return Err(wrong("it has a path"));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (
            host,
            port.parse::<u16>()
                .ok()
                .filter(|p| *p > 0)
                .ok_or_else(|| wrong("the port is no number from 1 to 65535"))?,
        ),
        _ => (authority, default),
    };
    let odd = |c: char| !(c.is_ascii_alphanumeric() || "-_.:[]".contains(c));
    if host.is_empty() || host.contains(odd) {
        return Err(wrong("the host is not one"));
    }
    Ok((format!("{scheme}://{host}:{port}"), host.to_owned(), port))
}

/// Whether anything of an address has answered yet; shared by the protocols that ask it.
#[derive(Debug)]
pub struct Life {
    seen: watch::Sender<bool>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Life {
    fn new(permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            seen: watch::Sender::new(false),
            permit: Mutex::new(permit),
        }
    }

    /// Something answered.
    pub fn seen(&self) {
        self.seen.send_replace(true);
        drop(
            self.permit
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// Has anything answered?
    pub fn is_seen(&self) -> bool {
        *self.seen.borrow()
    }

    /// To be told of it.
    pub fn watch(&self) -> Watch {
        Watch(self.seen.subscribe())
    }
}

/// Waits for a sign of life.
#[derive(Debug)]
pub struct Watch(watch::Receiver<bool>);

impl Watch {
    /// Ends when something has answered; for ever pending when everyone else is done.
    pub async fn seen(&mut self) {
        if self.0.wait_for(|seen| *seen).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let of = |url: &str| parse_url(url).map(|(base, ..)| base).ok();
        assert_eq!(of("https://bmc7"), Some("https://bmc7:443".to_owned()));
        assert_eq!(
            of("http://10.0.0.7/"),
            Some("http://10.0.0.7:80".to_owned())
        );
        assert_eq!(
            of("https://[::1]:8443/redfish/v1/"),
            Some("https://[::1]:8443".to_owned())
        );
        assert_eq!(of("https://[::1]"), Some("https://[::1]:443".to_owned()));
        for bad in [
            "bmc7",
            "ftp://bmc7",
            "https://",
            "https://bmc7:0",
            "https://bmc7:99999",
            "https://user:pw@bmc7",
            "https://bmc7/login",
            "https://bm c7",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
