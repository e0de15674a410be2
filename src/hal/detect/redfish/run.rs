//! Asks the Redfish service of one address for its root.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::{PATHS, ServiceRoot, Verdict, interpret};
use crate::hal::detect::{Budgets, Life};
use crate::hal::transport::http::hello::LegacyHello;
use crate::hal::transport::http::{Client, Config, Fault, HttpError, Phase, TlsInfo, Trust, hello};

/// Requests that redirects may lead to.
const HOPS: usize = 3;

/// A service root is some kilobytes; larger ones are no service roots.
const MAX_BODY: u64 = 1 << 20;

/// What was learnt.
#[derive(Debug, Clone, Default)]
pub struct RedfishFacts {
    /// The port is open.
    pub answered: bool,
    /// The TLS connection.
    pub tls: Option<TlsInfo>,
    /// The service root.
    pub root: Option<ServiceRoot>,
    /// Why there is none.
    pub error: Option<String>,
}

/// Where and how to ask.
#[derive(Debug, Clone)]
pub struct Place {
    /// `https://host:port`.
    pub base: String,
    /// Address and port behind it.
    pub address: SocketAddr,
    /// Which certificate is accepted.
    pub trust: Trust,
}

/// Asks. TCP connects before one of `threads` is taken.
pub async fn run(
    place: &Place,
    budgets: &Budgets,
    life: &Life,
    threads: &Semaphore,
) -> RedfishFacts {
    let begun = Instant::now();
    let config = Config {
        trust: place.trust.clone(),
        max_body: MAX_BODY,
        ..Config::default()
    };
    let mut facts = RedfishFacts::default();
    let client = match connect(place, budgets, life, &config).await {
        Ok(client) => client,
        Err(e) => {
            facts.error = Some(match e.fault {
                Fault::Timeout(_) => "no answer".to_owned(),
                _ => e.text,
            });
            return facts;
        }
    };
    // An open port is a sign of life, whatever comes of it.
    life.seen();
    facts.answered = true;
    let Ok(_thread) = threads.acquire().await else {
        return facts;
    };
    // The wait for a thread is our own doing, not the BMC's.
    let deadline = (begun + budgets.whole).max(Instant::now() + budgets.whole / 2);
    let outcome = ask(&client, deadline).await;
    facts.tls = client.tls();
    match outcome {
        Ok(Ok(root)) => facts.root = Some(root),
        Ok(Err(words)) => facts.error = Some(words),
        Err(e) => {
            facts.error = Some(e.text.clone());
            if place.base.starts_with("https:") && facts.tls.is_none() && may_be_legacy(e.fault) {
                legacy(&mut facts, place.address, deadline).await;
            }
        }
    }
    facts
}

/// Old servers answer a modern hello with an alert, or just hang up.
fn may_be_legacy(fault: Fault) -> bool {
    matches!(fault, Fault::TlsLegacy | Fault::Closed | Fault::Tls)
}

/// Connects TCP. A second attempt runs beside the first, as one lost SYN costs a second; whichever wins. An address
/// that answered elsewhere gets more time.
async fn connect(
    place: &Place,
    budgets: &Budgets,
    life: &Life,
    config: &Config,
) -> Result<Client, HttpError> {
    let begun = Instant::now();
    let patient = begun + (budgets.silence * 3).min(budgets.whole);
    let client = Client::new(&place.base, place.address, config)?;
    let second = async {
        tokio::time::sleep(budgets.silence * 2 / 5).await;
        client.connect(patient).await
    };
    let silence = async {
        tokio::time::sleep_until((begun + budgets.silence).into()).await;
        if !life.is_seen() {
            return;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = client.connect(patient) => outcome?,
        outcome = second => outcome?,
        () = silence => return Err(HttpError::timeout(Phase::Connect)),
    }
    Ok(client)
}

/// GETs the root, and follows it on the same server. The inner error is an answer that is no root.
async fn ask(client: &Client, deadline: Instant) -> Result<Result<ServiceRoot, String>, HttpError> {
    let [first, fallback] = PATHS;
    let mut path = first.to_owned();
    let mut fallback = Some(fallback);
    for _ in 0..=HOPS {
        let reply = client.fetch(&path, deadline).await?;
        match interpret(client.base(), &reply) {
            Verdict::Root(root) => return Ok(Ok(root)),
            Verdict::Other(words) => return Ok(Err(words)),
            Verdict::MovedTo(next) => path = next,
            Verdict::NotHere(words) => match fallback.take() {
                Some(next) if next != path => next.clone_into(&mut path),
                _ => return Ok(Err(words)),
            },
        }
    }
    Ok(Err(
        "redirects in a circle, no Redfish service root".to_owned()
    ))
}

/// What would it have spoken?
async fn legacy(facts: &mut RedfishFacts, address: SocketAddr, deadline: Instant) {
    let until = deadline.min(Instant::now() + Duration::from_secs(5));
    let mut random = [0; 32];
    if getrandom::fill(&mut random).is_err() {
        return;
    }
    let asked = tokio::task::spawn_blocking(move || hello::ask(address, random, until)).await;
    if let Ok(Some(hello)) = asked {
        describe_legacy(facts, &hello);
    }
}

/// Puts what the old hello brought into the facts.
fn describe_legacy(facts: &mut RedfishFacts, hello: &LegacyHello) {
    facts.tls = Some(TlsInfo::of(
        "legacy",
        hello.certificate.as_deref().unwrap_or_default(),
    ));
    facts.error = Some(format!(
        "legacy TLS: the server offers only {}; use IPMI",
        hello.words()
    ));
}
