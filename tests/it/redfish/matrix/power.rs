//! Power of the host, restart of the BMC.

use halbox::hal::Kind;
use halbox::hal::model::PowerAction;

use super::super::bench::{operation, outcome};
use super::Run;

impl Run<'_> {
    /// The machine is on before and afterwards.
    pub(super) async fn more_power(&mut self) {
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

    pub(super) async fn bmc_reset(&mut self) {
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

    pub(super) async fn reset(&mut self) {
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
