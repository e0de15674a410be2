//! Every operation on every recorded server: the right value, or Unsupported with a reason; what was written is asserted
//! from the server's log. `just matrix` prints it.

use halbox::hal::Kind;
use halbox::hal::model::boot::BootRequest;
use halbox::hal::model::user::{NewUser, Role};
use halbox::hal::model::{BootMode, BootPersistence, BootTarget, LedState, PowerAction, Secret};
use serde_json::json;

use super::bench::{Bench, FIRST, SECOND, good, operation, outcome};
use super::print;
use super::table::{TREES, Tree, Watts};
use crate::common::mockup::Logged;

/// What came out, one per operation.
pub type Rows = Vec<(&'static str, String)>;

/// A new account.
const NAME: &str = "halboxtest";

struct Run<'a> {
    bench: &'a Bench,
    tree: &'a Tree,
    rows: Rows,
    /// Also what takes ten seconds.
    patient: bool,
}

impl Run<'_> {
    fn row(&mut self, operation: &'static str, text: impl Into<String>) {
        self.rows.push((operation, text.into()));
    }

    /// Asserts that it is refused as not there, with a reason, and that nothing was written.
    fn unsupported<T: std::fmt::Debug>(
        &mut self,
        operation: &'static str,
        got: Result<T, (Kind, String)>,
    ) {
        let (kind, words) = got.expect_err(operation);
        assert_eq!(
            kind,
            Kind::Unsupported,
            "{} {operation}: {words}",
            self.tree.name
        );
        self.row(operation, format!("unsupported: {words}"));
    }

    /// The good writes since `before`.
    fn writes(&self, before: usize) -> Vec<Logged> {
        let all = self.bench.mock.writes().into_iter().skip(before);
        all.filter(good).collect()
    }

    fn written(&self) -> usize {
        self.bench.mock.writes().len()
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it reads better where it is called"
    )]
    fn eq<T: std::fmt::Debug + PartialEq>(&self, what: &str, got: T, want: T) {
        assert_eq!(got, want, "{} {what}", self.tree.name);
    }

    fn text(&self, what: &str, got: Option<&str>, want: Option<&str>) {
        let Some(want) = want else { return };
        let same = got.unwrap_or_default().eq_ignore_ascii_case(want);
        assert!(
            same,
            "{} {what}: {got:?} instead of {want:?}",
            self.tree.name
        );
    }

    async fn state(&mut self) {
        let cx = operation();
        let got = outcome(self.bench.bmc.power.call("state", |p| p.state(&cx)).await).unwrap();
        self.eq("power", got.as_str(), self.tree.power);
        self.row("power.state", got.as_str());
    }

    async fn record(&mut self) {
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

    async fn led(&mut self) {
        let led = &self.bench.bmc.led;
        let cx = operation();
        let state = outcome(led.call("led", |l| l.state(&cx)).await);
        let Some(property) = self.tree.led else {
            self.unsupported("led.state", state);
            let before = self.written();
            let got = outcome(led.call("led", |l| l.set(&cx, true)).await);
            self.unsupported("led.on", got);
            return self.eq("writes", self.writes(before).len(), 0);
        };
        // A Dell is Lit while nobody looks for it: that has to be known.
        let idle = if self.bench.plain && self.tree.slot.is_some() {
            LedState::On
        } else {
            LedState::Off
        };
        self.eq("led", state.unwrap(), idle);
        self.row("led.state", idle.as_str());
        for on in [true, false] {
            let before = self.written();
            let cx = operation();
            let got = outcome(led.call("led", |l| l.set(&cx, on)).await).unwrap();
            self.eq(
                "led set",
                got,
                if on { LedState::On } else { LedState::Off },
            );
            let writes = self.writes(before);
            let sent = writes
                .iter()
                .rev()
                .find_map(|r| r.body.get(property))
                .cloned();
            let fits = match (property, on) {
                ("LocationIndicatorActive", on) => sent == Some(json!(on)),
                (_, true) => sent == Some(json!("Blinking")) || sent == Some(json!("Lit")),
                (_, false) => sent == Some(json!("Off")),
            };
            assert!(fits, "{}: led {on}: {writes:?}", self.tree.name);
            self.row(
                if on { "led.on" } else { "led.off" },
                format!("{property}: {}", sent.unwrap()),
            );
        }
    }

    async fn boot(&mut self) {
        let boot = &self.bench.bmc.boot;
        let request = BootRequest {
            target: BootTarget::Pxe,
            mode: BootMode::Uefi,
            persistent: false,
        };
        let cx = operation();
        let state = outcome(boot.call("boot", |b| b.state(&cx)).await);
        let before = self.written();
        let cx = operation();
        let set = outcome(boot.call("boot", |b| b.set(&cx, request)).await);
        let Some((target, mode, persistence)) = self.tree.boot else {
            self.unsupported("boot.state", state);
            self.unsupported("boot.pxe", set);
            return self.eq("writes", self.writes(before).len(), 0);
        };
        let state = serde_json::to_value(state.unwrap()).unwrap();
        let want = json!({"target": target, "mode": mode, "persistence": persistence});
        self.eq("boot", &state, &want);
        self.row("boot.state", target);
        let set = set.unwrap_or_else(|e| panic!("{}: {e:?}", self.tree.name));
        self.eq(
            "boot set",
            (set.target, set.persistence),
            (BootTarget::Pxe, BootPersistence::Once),
        );
        let writes = self.writes(before);
        let sent = |r: &&Logged| {
            r.body["Boot"]["BootSourceOverrideTarget"] == "Pxe"
                && r.body["Boot"]["BootSourceOverrideEnabled"] == "Once"
        };
        let write = writes
            .iter()
            .find(sent)
            .unwrap_or_else(|| panic!("{}: {writes:?}", self.tree.name));
        self.row("boot.pxe", format!("{} {}", write.method, write.path));
    }

    /// The override for every boot, and the firmware's setup.
    async fn boot_more(&mut self) {
        for (row, target, persistent, want) in [
            ("boot.pxe always", BootTarget::Pxe, true, self.tree.pxe),
            ("boot.disk always", BootTarget::Disk, true, self.tree.disk),
            ("boot.bios", BootTarget::Bios, false, self.tree.bios),
        ] {
            let before = self.written();
            let request = BootRequest {
                target,
                mode: BootMode::Uefi,
                persistent,
            };
            let cx = operation();
            let boot = &self.bench.bmc.boot;
            let set = outcome(boot.call("boot", |b| b.set(&cx, request)).await);
            let writes = self.writes(before);
            let Some(pieces) = want else {
                self.unsupported(row, set);
                self.eq(row, writes.len(), 0);
                continue;
            };
            let set = set.unwrap_or_else(|e| panic!("{} {row}: {e:?}", self.tree.name));
            self.eq(row, set.target, target);
            let sent: Vec<String> = writes.iter().map(|w| w.body.to_string()).collect();
            let has = |body: &String| pieces.iter().all(|piece| body.contains(piece));
            let fits = if pieces.is_empty() {
                sent.is_empty()
            } else {
                sent.iter().any(has)
            };
            assert!(fits, "{} {row}: {sent:?}", self.tree.name);
            let pieces = pieces.join(" ").replace('"', "");
            self.row(
                row,
                if pieces.is_empty() {
                    "there already"
                } else {
                    &pieces
                },
            );
        }
    }

    async fn lan(&mut self) {
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

    async fn watts(&mut self) {
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

    async fn sensors(&mut self) {
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

    async fn log(&mut self) {
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

    async fn names(&self) -> Vec<String> {
        let cx = operation();
        let got = outcome(self.bench.bmc.users.call("users", |u| u.users(&cx)).await).unwrap();
        let mut names: Vec<String> = got.into_iter().map(|u| u.name).collect();
        names.sort();
        names
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one account from its making to its end"
    )]
    async fn users(&mut self) {
        let users = &self.bench.bmc.users;
        self.eq(
            "users",
            self.names().await,
            self.tree.users.iter().map(|n| (*n).to_owned()).collect(),
        );
        self.row("users", self.tree.users.join(","));
        // The account in use stays as it is, and nobody is asked.
        let before = self.written();
        let own = self.tree.user;
        for refused in [
            outcome(
                users
                    .call("x", |u| {
                        Box::pin(async move { u.set_enabled(&operation(), own, false).await })
                    })
                    .await,
            )
            .map(|_| ()),
            outcome(
                users
                    .call("x", |u| {
                        Box::pin(async move { u.delete(&operation(), own).await })
                    })
                    .await,
            ),
        ] {
            self.eq("own account", refused.unwrap_err().0, Kind::Refused);
        }
        self.eq("writes", self.written(), before);

        let new = NewUser {
            name: NAME.to_owned(),
            password: Secret::new(FIRST),
            role: Role::Operator,
            console: false,
        };
        let cx = operation();
        let made = outcome(users.call("create", |u| u.create(&cx, &new)).await)
            .unwrap_or_else(|e| panic!("{}: {e:?}", self.tree.name));
        self.eq(
            "made",
            (made.name.as_str(), made.enabled, made.role),
            (NAME, true, Role::Operator),
        );
        let writes = self.writes(before);
        let write = writes.first().unwrap();
        let how = if self.tree.slot.is_some() {
            "PATCH"
        } else {
            "POST"
        };
        self.eq("how", write.method.as_str(), how);
        if let Some(slot) = self.tree.slot {
            self.eq("slot", write.path.as_str(), slot);
        }
        self.eq(
            "body",
            (&write.body["UserName"], &write.body["Password"]),
            (&json!(NAME), &json!("***")),
        );
        self.row("users.create", format!("{how} {}", write.path));
        let cx = operation();
        let again = outcome(users.call("create", |u| u.create(&cx, &new)).await).map(|_| ());
        self.eq("twice", again.unwrap_err().0, Kind::Refused);

        let before = self.written();
        let password = Secret::new(SECOND);
        let cx = operation();
        outcome(
            users
                .call("pw", |u| u.set_password(&cx, NAME, &password))
                .await,
        )
        .unwrap();
        let writes = self.writes(before);
        self.eq(
            "password",
            writes.iter().map(|r| &r.body).collect(),
            vec![&json!({"Password": "***"})],
        );
        self.row("users.set-password", "ok");
        for enabled in [false, true] {
            let cx = operation();
            let got = outcome(
                users
                    .call("enable", |u| u.set_enabled(&cx, NAME, enabled))
                    .await,
            )
            .unwrap();
            self.eq("enabled", got.enabled, enabled);
        }
        self.row("users.enable", "ok");
        let before = self.written();
        let cx = operation();
        outcome(users.call("delete", |u| u.delete(&cx, NAME)).await).unwrap();
        let writes = self.writes(before);
        let write = writes.first().unwrap();
        let how = if self.tree.slot.is_some() {
            "PATCH"
        } else {
            "DELETE"
        };
        self.eq("how", write.method.as_str(), how);
        self.row("users.delete", format!("{how} {}", write.path));
        self.eq(
            "users",
            self.names().await,
            self.tree.users.iter().map(|n| (*n).to_owned()).collect(),
        );
    }

    /// The machine is on before and afterwards.
    async fn more_power(&mut self) {
        let mut steps = vec![(PowerAction::Soft, self.tree.soft)];
        if !self.tree.soft.is_empty() {
            steps.push((PowerAction::On, &["On"]));
        }
        steps.extend([
            (PowerAction::Off, &["ForceOff"][..]),
            (PowerAction::On, &["On"]),
            (PowerAction::Cycle, self.tree.cycle),
        ]);
        for (action, want) in steps {
            let row = match action {
                PowerAction::Soft => "power.soft",
                PowerAction::Off => "power.off",
                PowerAction::Cycle => "power.cycle",
                PowerAction::On | PowerAction::Reset => "power.on",
            };
            if want.len() > 1 && !self.patient {
                continue;
            }
            // The mock never shows that it was off in between.
            let wait = action != PowerAction::Cycle;
            let before = self.written();
            let cx = operation();
            let power = &self.bench.bmc.power;
            let got = outcome(power.call(row, |p| p.set(&cx, action, wait)).await);
            let writes = self.writes(before);
            let types = writes.iter().filter_map(|w| w.body["ResetType"].as_str());
            self.eq(row, types.collect::<Vec<_>>().as_slice(), want);
            if want.is_empty() {
                self.unsupported(row, got);
                continue;
            }
            let got = got.unwrap_or_else(|e| panic!("{} {row}: {e:?}", self.tree.name));
            self.eq(row, got.state, action.goal());
            self.rows.retain(|(r, _)| *r != row);
            self.row(row, want.join(", "));
        }
    }

    async fn bmc_reset(&mut self) {
        let before = self.written();
        let cx = operation();
        let reset = &self.bench.bmc.bmc_reset;
        let got = outcome(reset.call("bmc-reset", |b| b.bmc_reset(&cx)).await);
        let path = format!(
            "/redfish/v1/Managers/{}/Actions/Manager.Reset",
            self.tree.bmc_reset
        );
        got.unwrap_or_else(|e| panic!("{}: {e:?}", self.tree.name));
        let writes = self.writes(before);
        self.eq(
            "writes",
            writes.iter().map(|w| w.path.as_str()).collect(),
            vec![path.as_str()],
        );
        self.row("bmc-reset", format!("POST {path}"));
    }

    async fn reset(&mut self) {
        let power = &self.bench.bmc.power;
        let before = self.written();
        let cx = operation();
        let got = outcome(
            power
                .call("reset", |p| p.set(&cx, PowerAction::Reset, true))
                .await,
        );
        let sent = |run: &Self| -> Vec<String> {
            let writes = run.writes(before);
            writes
                .iter()
                .map(|r| r.body["ResetType"].as_str().unwrap().to_owned())
                .collect()
        };
        let Some(types) = self.tree.reset else {
            self.eq("reset when off", got.unwrap_err().0, Kind::Refused);
            self.eq("writes", sent(self), Vec::new());
            self.row("power.reset", "refused: it is off");
            let cx = operation();
            outcome(
                power
                    .call("on", |p| p.set(&cx, PowerAction::On, true))
                    .await,
            )
            .unwrap();
            self.eq("writes", sent(self), vec!["On".to_owned()]);
            return self.row("power.on", "On");
        };
        got.unwrap_or_else(|e| panic!("{}: {e:?}", self.tree.name));
        self.eq(
            "reset",
            sent(self),
            types.iter().map(|t| (*t).to_owned()).collect(),
        );
        self.row("power.reset", types.join(", "));
        // It is on: nothing has to be done, and nothing is.
        let cx = operation();
        outcome(
            power
                .call("on", |p| p.set(&cx, PowerAction::On, true))
                .await,
        )
        .unwrap();
        self.eq("needless on", sent(self).len(), types.len());
        self.row("power.on", "there already");
    }
}

/// Everything on one tree; `None` without the trees.
async fn run(tree: &Tree, patient: bool) -> Option<Rows> {
    let bench = Bench::open(tree.name, tree.user, tree.options)?;
    Some(run_on(tree, bench, patient).await)
}

async fn run_on(tree: &Tree, bench: Bench, patient: bool) -> Rows {
    let mut run = Run {
        bench: &bench,
        tree,
        rows: Vec::new(),
        patient,
    };
    run.state().await;
    run.record().await;
    run.led().await;
    run.boot().await;
    run.boot_more().await;
    run.lan().await;
    run.watts().await;
    run.sensors().await;
    run.log().await;
    run.users().await;
    run.reset().await;
    run.more_power().await;
    run.bmc_reset().await;
    let rows = run.rows;
    bench.close(tree.name).await;
    rows
}

macro_rules! trees {
    ($($name:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            let name = stringify!($name);
            let tree = TREES.iter().find(|t| t.name == name).unwrap();
            run(tree, false).await;
            // As if nobody had ever heard of its vendor.
            if let Some(bench) = Bench::plain(tree.name, tree.user, tree.options) {
                run_on(tree, bench, false).await;
            }
        }
    )+};
}

trees!(
    cray_ex235a,
    dell_r750_idrac9_6_00,
    dmtf_public_rackmount1,
    gigabyte_h262_ami,
    hpe_dl360_g10p_ilo5_3_11,
    hpe_dl385g10p_ilo5_2_72,
    lenovo_sr670v2_xcc,
    nvidia_bf3_dpu,
    nvidia_dgx_h100_ami,
    nvidia_gb200,
    openbmc_stock_2_15,
    supermicro_x10sdv_a,
    supermicro_x13_821ge,
);

#[tokio::test]
#[ignore = "prints the table: just matrix"]
async fn table() {
    let mut columns: Vec<(&str, Rows)> = Vec::new();
    for tree in &TREES {
        let Some(rows) = run(tree, true).await else {
            return;
        };
        columns.push((tree.name, rows));
    }
    let out = print::table(&columns);
    let _ = std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes());
}
