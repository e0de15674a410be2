//! Identify LED and boot override.

use halbox::hal::model::boot::BootRequest;
use halbox::hal::model::{BootMode, BootPersistence, BootTarget, LedState};
use serde_json::json;

use super::super::bench::{operation, outcome};
use super::Run;
use crate::common::mockup::Logged;

impl Run<'_> {
    pub(super) async fn led(&mut self) {
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

    pub(super) async fn boot(&mut self) {
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
    pub(super) async fn boot_more(&mut self) {
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
}
