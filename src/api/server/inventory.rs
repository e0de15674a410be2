//! The table of BMCs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::Server;
use super::peer;
use crate::api::convert::record::{Secrets, bmc};
use crate::api::convert::{driver_name, secret_of};
use crate::api::fault::to_status;
use crate::api::proto::inventory_service_server::InventoryService;
use crate::api::proto::{self, Bmc, WatchResponse};
use crate::api::server::{Caller, Role};
use crate::discover::{neighbours, now};
use crate::hal::detect::Subject;
use crate::hal::model::{Cx, MacAddr, Secret};
use crate::hal::transport::line::Place;
use crate::hal::{Error, Kind};
use crate::inventory::record::{Origin, Policy, Record};
use crate::inventory::store::{Change, Event};
use crate::inventory::{Field, Store};

/// Messages of a stream that wait for a slow caller.
const AHEAD: usize = 256;

fn refused(error: &Error) -> Status {
    to_status(error, &[])
}

fn config(words: impl Into<String>) -> Error {
    Error::new(Kind::Config, words)
}

#[tonic::async_trait]
impl InventoryService for Server {
    type ListStream = ReceiverStream<Result<Bmc, Status>>;

    async fn list(
        &self,
        request: Request<proto::ListRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        let caller = self.need(&request, Role::Viewer)?;
        let place = self.stream(&caller)?;
        let message = request.into_inner();
        let selector = Selector::new(&message.selector).map_err(|e| refused(&e))?;
        let rows = self.store.all().await.map_err(|e| refused(&e))?;
        let (to, stream) = mpsc::channel(AHEAD);
        let port = self.discovery.ipmi_port();
        tokio::spawn(async move {
            let _place = place;
            let hidden = |row: &Record| row.candidate || row.removed;
            for row in rows {
                if (message.all || !hidden(&row))
                    && selector.fits(&row)
                    && to
                        .send(Ok(bmc(&row, port, &Secrets::default())))
                        .await
                        .is_err()
                {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn get(&self, request: Request<proto::GetRequest>) -> Result<Response<Bmc>, Status> {
        let with = request.get_ref().with_passwords;
        // A machine may see its own row, without passwords.
        let caller = if with {
            self.need(&request, Role::Admin)?
        } else {
            self.caller(&request)?
        };
        let row = self.row(&request.get_ref().bmc, false).await?;
        peer::may(&caller, Role::Viewer, &row)?;
        let mut secrets = Secrets::default();
        if with {
            let ticket = self.ticket(&caller, "passwords shown", Some(&row));
            ticket.note("ok").await?;
            log::warn!("{}: passwords shown to {caller}", row.mac);
            let secret = async |field| {
                self.store
                    .secret(row.mac, field)
                    .await
                    .map_err(|e| refused(&e))
            };
            secrets.ipmi = secret(Field::IpmiPassword).await?;
            secrets.kg = secret(Field::IpmiKg).await?;
            secrets.redfish = secret(Field::RedfishPassword).await?;
        }
        Ok(Response::new(self.shown(&row, &secrets)))
    }

    async fn update(
        &self,
        request: Request<proto::UpdateRequest>,
    ) -> Result<Response<Bmc>, Status> {
        let caller = self.need(&request, Role::Operator)?;
        self.own(&caller, request.into_inner(), Self::change_row)
            .await
    }

    async fn add(&self, request: Request<proto::AddRequest>) -> Result<Response<Bmc>, Status> {
        let caller = self.need(&request, Role::Operator)?;
        let patience = super::patience(request.metadata());
        self.own(
            &caller,
            request.into_inner(),
            move |server, caller, message| server.make_row(caller, message, patience),
        )
        .await
    }

    async fn remove(
        &self,
        request: Request<proto::RemoveRequest>,
    ) -> Result<Response<proto::RemoveResponse>, Status> {
        let caller = self.need(&request, Role::Operator)?;
        self.own(&caller, request.into_inner(), Self::remove_row)
            .await
    }

    async fn trust(&self, request: Request<proto::TrustRequest>) -> Result<Response<Bmc>, Status> {
        let caller = self.need(&request, Role::Operator)?;
        self.own(&caller, request.into_inner(), Self::trust_row)
            .await
    }

    type WatchStream = ReceiverStream<Result<WatchResponse, Status>>;

    async fn watch(
        &self,
        request: Request<proto::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let caller = self.need(&request, Role::Viewer)?;
        let place = self.stream(&caller)?;
        let mut revision = request.get_ref().revision;
        let (to, stream) = mpsc::channel(AHEAD);
        let (store, stop) = (Arc::clone(&self.store), self.stop.clone());
        let port = self.discovery.ipmi_port();
        // Refused here, before the stream begins, when the revision is too old.
        store.watch(revision).await.map_err(|e| refused(&e))?;
        tokio::spawn(async move {
            let _place = place;
            let mut first = true;
            // One who lags behind begins again where he was.
            let following = async {
                while let Some(next) = follow(&*store, port, revision, first, &to).await {
                    revision = next;
                    first = false;
                }
            };
            tokio::select! {
                () = following => {}
                () = stop.cancelled() => {
                    let _ = to.try_send(Err(Status::unavailable("halbox serve is ending")));
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

impl Server {
    fn shown(&self, row: &Record, secrets: &Secrets) -> Bmc {
        bmc(row, self.discovery.ipmi_port(), secrets)
    }

    async fn change_row(
        self,
        caller: Caller,
        mut message: proto::UpdateRequest,
    ) -> Result<Bmc, Status> {
        let row = self.row(&message.bmc, true).await?;
        let secrets = secrets(&row, &mut message).map_err(|e| refused(&e))?;
        let try_now = message.try_now;
        let given = !secrets.is_empty();
        let mut change = Change::of(now(), move |row| {
            if given {
                row.status.given_at = Some(now());
            }
            edit(row, message)
        });
        change.secrets = secrets;
        let row = self
            .store
            .update(row.mac, change)
            .await
            .map_err(|e| refused(&e))?;
        self.ticket(&caller, "update", Some(&row))
            .note("ok")
            .await?;
        if try_now {
            self.doors.try_now(row.mac);
        }
        log::info!("{}: updated by {caller}", row.mac);
        self.discovery.soon(row.mac);
        Ok(self.shown(&row, &Secrets::default()))
    }

    async fn make_row(
        self,
        caller: Caller,
        message: proto::AddRequest,
        patience: Duration,
    ) -> Result<Bmc, Status> {
        let address: Option<IpAddr> = match &message.address {
            Some(text) => Some(
                text.parse()
                    .map_err(|_| refused(&config(format!("'{text}' is no address"))))?,
            ),
            None => None,
        };
        let login = message.user.filter(|u| !u.is_empty()).map(|user| {
            let password = message.password.map(secret_of);
            (user, password.unwrap_or_else(|| Secret::new(Vec::new())))
        });
        let mac: MacAddr = match (message.mac.as_str(), address) {
            ("", Some(address)) => {
                let rows = self.store.all().await.map_err(|e| refused(&e))?;
                let there = rows
                    .iter()
                    .find(|r| !r.removed && r.address == Some(address));
                if let Some(row) = there {
                    let known = config(format!("{address} is the address of {}", row.mac));
                    return Err(refused(&known.with_hint(format!(
                        "halbox bmc update {} changes it; halbox bmc add MAC --ip {address} makes another",
                        row.mac
                    ))));
                }
                let cx = Cx::until(Instant::now() + patience);
                let mac = self.mac_of(address, login.as_ref(), &cx).await;
                mac.map_err(|e| refused(&e.context(format!("{address}"))))?
            }
            (text, _) => text.parse().map_err(|e: String| refused(&config(e)))?,
        };
        if !mac.is_usable() {
            return Err(refused(&config(format!(
                "{mac} cannot be the MAC of a BMC"
            ))));
        }
        let ipmi = login
            .as_ref()
            .is_some_and(|(user, password)| user.len() <= 16 && password.len() <= 20);
        let user = login.as_ref().map(|(user, _)| user.clone());
        let mut change = Change::of(now(), move |row| {
            row.removed = false;
            row.origin = Origin::Added;
            if address.is_some() {
                row.address = address;
            }
            if let Some(user) = user {
                // Sixteen bytes are IPMI's limit; whoever is longer is Redfish's alone.
                row.ipmi.user = Some(user.clone()).filter(|_| ipmi);
                row.redfish.user = Some(user);
                row.status.refused = None;
            }
            Ok(())
        });
        if let Some((_, password)) = login {
            if ipmi {
                change = change.with_secret(Field::IpmiPassword, Some(password.clone()));
            }
            change = change.with_secret(Field::RedfishPassword, Some(password));
        }
        let row = self
            .store
            .update(mac, change.or_create())
            .await
            .map_err(|e| refused(&e))?;
        self.ticket(&caller, "add", Some(&row)).note("ok").await?;
        log::info!("{mac}: added by {caller}");
        self.discovery.soon(mac);
        Ok(self.shown(&row, &Secrets::default()))
    }

    async fn remove_row(
        self,
        caller: Caller,
        message: proto::RemoveRequest,
    ) -> Result<proto::RemoveResponse, Status> {
        let row = self.row(&message.bmc, true).await?;
        let leased = row.lease.as_ref().is_some_and(|l| !l.stale);
        self.discovery.forget(row.mac);
        self.store.remove(row.mac).await.map_err(|e| refused(&e))?;
        self.consoles.erase(row.mac).await;
        if leased {
            // A mark stays until the lease is gone, or the lease would make the row again.
            let lease = row.lease.clone();
            let address = row.address;
            let change = Change::of(now(), move |row| {
                row.removed = true;
                row.lease = lease;
                row.address = address;
                Ok(())
            });
            self.store
                .update(row.mac, change.or_create())
                .await
                .map_err(|e| refused(&e))?;
        }
        self.ticket(&caller, "remove", Some(&row))
            .note("ok")
            .await?;
        log::info!("{}: removed by {caller}", row.mac);
        Ok(proto::RemoveResponse {})
    }

    async fn trust_row(self, caller: Caller, message: proto::TrustRequest) -> Result<Bmc, Status> {
        let row = self.row(&message.bmc, true).await?;
        self.doors.trust(&row).await.map_err(|e| refused(&e))?;
        let change = Change::of(now(), |row| {
            row.untrusted = None;
            if let Some(tls) = &mut row.tls
                && let Some(new) = tls.changed.take()
            {
                tls.sha256 = new;
            }
            Ok(())
        });
        let row = self
            .store
            .update(row.mac, change)
            .await
            .map_err(|e| refused(&e))?;
        self.ticket(&caller, "trust", Some(&row)).note("ok").await?;
        log::warn!("{}: trusted again by {caller}", row.mac);
        self.discovery.soon(row.mac);
        Ok(self.shown(&row, &Secrets::default()))
    }

    /// The MAC of the BMC at an address: it says it to those who log in; a neighbour's is known to the kernel.
    async fn mac_of(
        &self,
        address: IpAddr,
        login: Option<&(String, Secret)>,
        cx: &Cx,
    ) -> crate::hal::Result<MacAddr> {
        if let Some(login) = login {
            let mut row = Record::new(MacAddr([0; 6]));
            row.address = Some(address);
            let login = || Some(login.clone());
            let ipmi = login().filter(|(user, password)| user.len() <= 16 && password.len() <= 20);
            let bmc = self.doors.open_as(&row, cx, ipmi, login()).await?;
            let lan = bmc.network.call("lan", |n| n.lan(cx)).await?;
            return lan
                .value
                .mac
                .ok_or_else(|| config("the BMC does not say its MAC").with_hint(NAME_IT));
        }
        // Who was just talked to is a neighbour whose MAC is known.
        let subject = Subject {
            target: address.to_string(),
            host: address.to_string(),
            ipmi_port: self.discovery.ipmi_port(),
        };
        let found = self.discovery.detector().detect(&subject).await;
        if !found.reachable {
            return Err(Error::new(Kind::Unreachable, "nothing answers there")
                .with_hint("halbox bmc add MAC --ip ADDRESS makes a row all the same"));
        }
        neighbours::mac_of(address)
            .ok_or_else(|| config("its MAC is not known: it is no neighbour").with_hint(NAME_IT))
    }
}

/// What helps where a MAC is not known.
const NAME_IT: &str =
    "halbox bmc add MAC --ip ADDRESS names it; halbox bmc add ADDRESS -U USER asks the BMC";

/// Sends what happens from `revision` on, until the caller is gone (`None`) or lags behind (where he was).
async fn follow(
    store: &dyn Store,
    port: u16,
    revision: u64,
    first: bool,
    to: &mpsc::Sender<Result<WatchResponse, Status>>,
) -> Option<u64> {
    let mut watch = match store.watch(revision).await {
        Ok(watch) => watch,
        Err(e) => {
            let _ = to.send(Err(refused(&e))).await;
            return None;
        }
    };
    let message = |event: Event| WatchResponse {
        revision: event.revision,
        mac: event.mac.to_string(),
        bmc: event.record.map(|row| bmc(&row, port, &Secrets::default())),
        ready: false,
    };
    for event in watch.backlog {
        to.send(Ok(message(event))).await.ok()?;
    }
    let mut revision = watch.revision;
    if first {
        let ready = WatchResponse {
            revision,
            ready: true,
            ..WatchResponse::default()
        };
        to.send(Ok(ready)).await.ok()?;
    }
    loop {
        let event = tokio::select! {
            event = watch.events.recv() => event,
            () = to.closed() => return None,
        };
        match event {
            Ok(event) => {
                revision = event.revision;
                to.send(Ok(message(event))).await.ok()?;
            }
            Err(RecvError::Lagged(_)) => return Some(revision),
            Err(RecvError::Closed) => return None,
        }
    }
}

/// Which secrets an update stores.
fn secrets(
    row: &Record,
    m: &mut proto::UpdateRequest,
) -> Result<Vec<(Field, Option<Secret>)>, Error> {
    let mut out = Vec::new();
    for (field, secret, user, most) in [
        (
            Field::IpmiPassword,
            m.ipmi_password.take(),
            m.ipmi_user.as_ref().or(row.ipmi.user.as_ref()),
            20,
        ),
        (
            Field::IpmiKg,
            m.ipmi_kg.take(),
            m.ipmi_user.as_ref().or(row.ipmi.user.as_ref()),
            20,
        ),
        (
            Field::RedfishPassword,
            m.redfish_password.take(),
            m.redfish_user.as_ref().or(row.redfish.user.as_ref()),
            4096,
        ),
    ] {
        let Some(secret) = secret.map(secret_of) else {
            continue;
        };
        if user.is_none() {
            return Err(config(format!("{} without a user", field.as_str())));
        }
        if secret.len() > most {
            return Err(config(format!(
                "{} has {} bytes; at most {most} are possible",
                field.as_str(),
                secret.len()
            )));
        }
        out.push((field, Some(secret)));
    }
    Ok(out)
}

/// Writes an update (without its secrets) into a row.
fn edit(row: &mut Record, m: proto::UpdateRequest) -> crate::hal::Result<()> {
    if let Some(driver) = m.driver {
        row.chosen_driver = driver_name(driver);
    }
    match m.policy.map(proto::Policy::try_from) {
        Some(Ok(proto::Policy::Only)) => row.policy = Policy::Only,
        Some(Ok(proto::Policy::Prefer)) => row.policy = Policy::Prefer,
        _ => {}
    }
    let port = |n: u32| {
        u16::try_from(n)
            .ok()
            .filter(|p| *p > 0)
            .ok_or_else(|| config(format!("{n} is no port")))
    };
    if let Some(user) = m.ipmi_user {
        if user.len() > 16 {
            return Err(config(format!(
                "the user name has {} bytes; IPMI takes 16",
                user.len()
            )));
        }
        row.ipmi.user = Some(user).filter(|u| !u.is_empty());
    }
    if let Some(user) = m.redfish_user {
        row.redfish.user = Some(user).filter(|u| !u.is_empty());
    }
    if let Some(n) = m.ipmi_port {
        row.ipmi.port = Some(port(n)?);
    }
    if let Some(n) = m.redfish_port {
        row.redfish.port = Some(port(n)?);
    }
    if let Some(url) = m.redfish_url {
        if !url.is_empty() {
            crate::hal::detect::parse_url(&url)?;
        }
        row.redfish.url = Some(url).filter(|u| !u.is_empty());
    }
    if let Some(url) = m.console_url {
        if !url.is_empty() {
            url.parse::<Place>().map_err(config)?;
        }
        row.console_url = Some(url).filter(|u| !u.is_empty());
    }
    if let Some(id) = m.machine_id {
        if !id.is_empty() && !is_uuid(&id) {
            return Err(config(format!("'{id}' is no UUID")));
        }
        row.machine_id = Some(id.to_ascii_lowercase()).filter(|i| !i.is_empty());
        row.warnings.retain(|w| !w.starts_with("machine id"));
    }
    if let Some(partition) = m.partition {
        row.partition = Some(partition).filter(|p| !p.is_empty());
    }
    if let Some(text) = m.address {
        let address = text
            .parse()
            .map_err(|_| config(format!("'{text}' is no address")))?;
        row.address = Some(address);
        if row.lease.is_none() {
            row.origin = Origin::Added;
        }
    }
    // Changed credentials, or an operator who insists: the gate is open again.
    row.status.refused = None;
    row.candidate = row.candidate && !row.has_credentials();
    Ok(())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// What rows have to be like.
struct Selector(Vec<(String, String)>);

impl Selector {
    fn new(map: &HashMap<String, String>) -> Result<Self, Error> {
        const KEYS: [&str; 7] = [
            "vendor",
            "driver",
            "model",
            "partition",
            "machine_id",
            "address",
            "power",
        ];
        if let Some(key) = map.keys().find(|k| !KEYS.contains(&k.as_str())) {
            return Err(config(format!("'{key}' cannot be selected by")).with_hint(KEYS.join(", ")));
        }
        Ok(Self(map.clone().into_iter().collect()))
    }

    fn fits(&self, row: &Record) -> bool {
        self.0.iter().all(|(key, want)| {
            let has = match key.as_str() {
                "vendor" => row.vendor.clone(),
                "driver" => row.driver().map(|d| d.to_string()),
                "model" => row.model.clone(),
                "partition" => row.partition.clone(),
                "machine_id" => row.machine_id.clone(),
                "address" => row.address.map(|a| a.to_string()),
                _ => row.power_state.clone(),
            };
            has.unwrap_or_default().eq_ignore_ascii_case(want)
        })
    }
}
