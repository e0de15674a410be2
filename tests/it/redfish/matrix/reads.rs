//! What is only read.

use super::super::bench::{operation, outcome};
use super::super::table::Watts;
use super::Run;

impl Run<'_> {
    pub(super) async fn state(&mut self) {
        let cx = operation();
        let got = outcome(self.bench.bmc.power.call("state", |p| p.state(&cx)).await).unwrap();
        self.eq("power", got.as_str(), self.tree.power);
        self.row("power.state", got.as_str());
    }

    pub(super) async fn record(&mut self) {
        let cx = operation();
        let got = outcome(self.bench.bmc.identity.call("info", |i| i.info(&cx)).await).unwrap();
        let want = &self.tree.info;
        self.text("vendor", got.vendor.as_deref(), want.vendor);
        self.text("model", got.model.as_deref(), want.model);
        self.text("serial", got.serial.as_deref(), want.serial);
        self.text("uuid", got.uuid.as_deref(), want.uuid);
        self.text(
            "mac",
            got.bmc.mac.map(|m| m.to_string()).as_deref(),
            want.mac,
        );
        self.text("bmc", got.bmc.version.as_deref(), want.bmc);
        self.text("bios", got.bios.version.as_deref(), want.bios);
        let name = [got.vendor, got.model]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        self.row("info", name.join(" "));
        let cx = operation();
        let fru = outcome(
            self.bench
                .bmc
                .inventory
                .call("fru", |i| i.fru(&cx, None))
                .await,
        )
        .unwrap();
        assert!(!fru.is_empty());
        self.row("fru", format!("{} devices", fru.len()));
    }

    pub(super) async fn lan(&mut self) {
        let cx = operation();
        let got = outcome(self.bench.bmc.network.call("lan", |n| n.lan(&cx)).await);
        let Some((mac, ip)) = self.tree.lan else {
            return self.unsupported("lan", got);
        };
        let got = got.unwrap();
        let has = (
            got.mac.map(|m| m.to_string()),
            got.ip.map(|ip| ip.to_string()),
        );
        let has = (has.0.as_deref(), has.1.as_deref());
        self.eq("lan", has, (Some(mac), ip));
        self.row(
            "lan",
            format!("{mac} {}", ip.unwrap_or("without an address")),
        );
    }

    pub(super) async fn watts(&mut self) {
        let cx = operation();
        let got = outcome(
            self.bench
                .bmc
                .metrics
                .call("metrics", |m| m.power_metrics(&cx))
                .await,
        );
        match &self.tree.watts {
            None => self.unsupported("power-metrics", got),
            Some(Watts(consumed, more)) => {
                let got = got.unwrap();
                self.eq("watts", got.consumed_watts, Some(*consumed));
                let rest = [
                    got.average_watts,
                    got.min_watts,
                    got.max_watts,
                    got.interval_minutes,
                ];
                let want = more.map_or([None; 4], |more| more.map(Some));
                self.eq("average, least, most, minutes", rest, want);
                self.row("power-metrics", format!("{consumed} W"));
            }
        }
        let got = outcome(
            self.bench
                .bmc
                .supplies
                .call("supplies", |s| s.power_supplies(&cx))
                .await,
        );
        match self.tree.supplies {
            None => self.unsupported("supplies", got),
            Some((count, health, state)) => {
                let got = got.unwrap();
                self.eq("supplies", got.len(), count);
                let first = got.first().unwrap();
                self.eq(
                    "first supply",
                    (first.health.as_deref(), first.state.as_deref()),
                    (health, state),
                );
                self.row("supplies", format!("{count}"));
            }
        }
    }

    pub(super) async fn sensors(&mut self) {
        let cx = operation();
        let got = outcome(
            self.bench
                .bmc
                .sensors
                .call("sensors", |s| s.sensors(&cx, false))
                .await,
        );
        let Some((least, name, value, status)) = self.tree.sensors else {
            return self.unsupported("sensors", got);
        };
        let got = got.unwrap();
        assert!(
            got.len() >= least,
            "{}: {} sensors",
            self.tree.name,
            got.len()
        );
        let one = got
            .iter()
            .find(|s| s.name == name)
            .unwrap_or_else(|| panic!("{}: {name}", self.tree.name));
        self.eq(name, (one.value, one.status.as_str()), (value, status));
        self.row("sensors", format!("{}", got.len()));
    }

    pub(super) async fn log(&mut self) {
        let log = &self.bench.bmc.event_log;
        let cx = operation();
        let got = log.call("sel", |l| l.entries(&cx)).await;
        let at = got
            .as_ref()
            .map(|r| r.source.at.clone())
            .unwrap_or_default();
        let got = outcome(got);
        let Some((entries, count, first)) = self.tree.log else {
            return self.unsupported("sel", got);
        };
        let got = got.unwrap();
        self.eq("log", at.as_str(), entries);
        self.eq("entries", got.len(), count);
        if let Some((id, time)) = first {
            let oldest = got.first().unwrap();
            self.eq(
                "oldest",
                (oldest.id.as_str(), oldest.time.as_deref()),
                (id, Some(time)),
            );
        }
        self.row(
            "sel",
            format!("{count} in {}", entries.trim_start_matches("/redfish/v1/")),
        );
        let before = self.written();
        let cx = operation();
        outcome(log.call("sel.clear", |l| l.clear(&cx)).await).unwrap();
        let writes = self.writes(before);
        let cleared = format!(
            "{}/Actions/LogService.ClearLog",
            entries.trim_end_matches("/Entries")
        );
        self.eq(
            "clear",
            writes.iter().map(|r| r.path.as_str()).collect(),
            vec![cleared.as_str()],
        );
        self.row("sel.clear", "ok");
    }
}
