//! One round of finding BMCs: what the plan says is carried out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::hal::Result;
use crate::hal::detect::Subject;
use crate::hal::model::{DriverName, MacAddr};
use crate::inventory::record::{Origin, Record};
use crate::inventory::store::Change;

use super::leases::{Lease, State};
use super::plan::{Known, Looked, SAYS, Step, plan};
use super::run::Discovery;
use super::{look, now};

impl Discovery {
    /// Plans, and carries it out; looks and refreshes go on behind.
    pub(super) async fn step(self: &Arc<Self>) -> Result<()> {
        let rows = self.store.all().await?;
        let table: BTreeMap<MacAddr, Known> =
            rows.iter().map(|row| (row.mac, known(row))).collect();
        let files: Vec<Arc<[Lease]>> = {
            let inner = self.inner();
            let leases = inner.files.iter();
            leases.map(|(_, f)| Arc::clone(&f.leases)).collect()
        };
        let options = self.options();
        let fixed = options.fixed.iter();
        let fixed: Vec<Lease> = fixed.map(|(mac, ip)| fixed_lease(*mac, *ip)).collect();
        let leases = || files.iter().flat_map(|f| f.iter()).chain(&fixed);
        let seconds = now() / 1000;
        let steps = {
            let inner = self.inner();
            plan(leases(), &options.rules, &table, &inner.looked, seconds)
        };
        let mut by_mac: BTreeMap<(MacAddr, IpAddr), &Lease> = BTreeMap::new();
        if steps.iter().any(|s| matches!(s, Step::Look { .. })) {
            let active = leases().filter(|l| l.is_active(seconds));
            by_mac = active.map(|l| ((l.mac, l.ip), l)).collect();
        }
        // All at once: they share commits.
        let mut writes = JoinSet::new();
        for step in steps {
            if let Step::Look { mac, ip } = step {
                self.look(mac, ip, by_mac.get(&(mac, ip)).map(|l| (*l).clone()));
                continue;
            }
            let this = Arc::clone(self);
            writes.spawn(async move {
                if let Err(e) = this.carry_out(step).await {
                    log::error!("{}", e.chain());
                }
            });
        }
        while writes.join_next().await.is_some() {}
        self.refresh_due(&self.store.all().await?);
        Ok(())
    }

    async fn carry_out(&self, step: Step) -> Result<()> {
        match step {
            Step::Look { .. } => Ok(()),
            Step::Lease { lease, moved } => {
                if let Some(old) = moved {
                    log::info!("{}: moved from {old} to {}", lease.mac, lease.ip);
                }
                // A lease without a row gets one when it was looked at.
                self.change(lease.mac, move |row| look::leased(row, &lease))
                    .await
            }
            Step::Stale { mac } => {
                self.inner().looked.remove(&mac);
                self.change(mac, look::stale).await
            }
            Step::Forget { mac } => {
                self.forget(mac);
                self.store.remove(mac).await.map(drop)
            }
            Step::Taken { mac, ip, by } => {
                log::warn!("{mac}: its address {ip} is leased to {by} now");
                self.forget(mac);
                self.change(mac, move |row| look::taken(row, ip, by)).await
            }
            Step::Say { mac, words } => {
                for words in &words {
                    log::warn!("{mac}: {words}");
                }
                self.change(mac, move |row| look::say(row, words)).await
            }
        }
    }

    pub(super) async fn change(
        &self,
        mac: MacAddr,
        edit: impl FnOnce(&mut Record) + Send + 'static,
    ) -> Result<()> {
        if self.store.get(mac).await?.is_none() {
            return Ok(());
        }
        let change = Change::of(now(), move |row| {
            edit(row);
            Ok(())
        });
        self.store.update(mac, change).await.map(drop)
    }

    /// Begins to look at an address.
    fn look(self: &Arc<Self>, mac: MacAddr, ip: IpAddr, lease: Option<Lease>) {
        let first = {
            let mut inner = self.inner();
            let looked = inner.looked.entry(mac).or_default();
            if looked.ip != Some(ip) {
                *looked = Looked {
                    ip: Some(ip),
                    since: now() / 1000,
                    ..Looked::default()
                };
            }
            looked.now = true;
            looked.times == 0
        };
        let this = Arc::clone(self);
        tokio::spawn(async move { this.look_at(mac, ip, lease, first).await });
    }

    async fn look_at(&self, mac: MacAddr, ip: IpAddr, lease: Option<Lease>, first: bool) {
        let (detector, lane) = if first {
            (&self.quick, &self.lookers)
        } else {
            (&self.thorough, &self.again)
        };
        let Ok(permit) = lane.acquire().await else {
            return;
        };
        let subject = Subject {
            target: ip.to_string(),
            host: ip.to_string(),
            ipmi_port: self.ipmi_port(),
        };
        // In a box, made when its turn has come: thousands that wait are small.
        let found = Box::pin(detector.detect(&subject)).await;
        drop(permit);
        let available = found.available();
        // It has moved, was removed or is looked at anew: what is there is not of this row any more.
        let still = |looked: &Looked| looked.ip == Some(ip) && looked.now;
        if !self.inner().looked.get(&mac).is_some_and(still) {
            return;
        }
        let partition = self.options().partition.clone();
        let change = Change::of(now(), move |row| {
            if row.partition.is_none() {
                row.partition = partition;
            }
            if row.lease.is_none()
                && let Some(lease) = lease
            {
                look::leased(row, &lease);
            }
            look::apply(row, ip, &found, !first);
            Ok(())
        });
        if let Err(e) = self.store.update(mac, change.or_create()).await {
            log::error!("{}", e.chain());
        }
        let mut inner = self.inner();
        if let Some(looked) = inner.looked.get_mut(&mac)
            && still(looked)
        {
            looked.now = false;
            looked.at = now() / 1000;
            looked.times = looked.times.saturating_add(1);
            looked.found = !available.is_empty();
            looked.complete = available.contains(&DriverName::Ipmi) && available.len() > 1;
        }
    }
}

/// What the plan has to know of a row.
fn known(row: &Record) -> Known {
    let lease = row.lease.as_ref();
    let ours = |words: &&String| SAYS.iter().any(|say| words.starts_with(say));
    Known {
        address: row.address,
        lease_ends: lease.and_then(|l| l.ends),
        leased: lease.is_some(),
        removed: row.removed,
        stale: lease.is_some_and(|l| l.stale),
        candidate: row.candidate && row.origin == Origin::Lease && !row.has_credentials(),
        added: row.origin != Origin::Lease,
        aliases: row.aliases.clone(),
        said: row.warnings.iter().filter(ours).cloned().collect(),
    }
}

/// An address that the configuration says: a lease without an end.
fn fixed_lease(mac: MacAddr, ip: IpAddr) -> Lease {
    Lease {
        mac,
        ip,
        state: State::Active,
        starts: None,
        ends: None,
        hostname: None,
    }
}
