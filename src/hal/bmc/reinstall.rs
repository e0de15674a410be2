//! Reinstallation: boot from the network, now.

use super::Bmc;
use crate::hal::error::{Kind, Result};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::power::PowerOutcome;
use crate::hal::model::{BootMode, BootTarget, Cx, PowerAction, PowerState, Reading};

impl Bmc {
    /// Sets the boot target to PXE and power-cycles the machine, or switches it on when it is off. With `wait`, reads until
    /// it is on again. `cx` is for what answers at once, `patient` for the power action. Where a BMC overrides the next
    /// boot only, that is enough: it is the one that counts.
    pub async fn reinstall(
        &self,
        cx: &Cx,
        patient: &Cx,
        wait: bool,
    ) -> Result<Reading<PowerOutcome>> {
        let mut request = BootRequest {
            target: BootTarget::Pxe,
            mode: BootMode::Uefi,
            persistent: true,
        };
        let set = self.boot.call("boot.set", |b| b.set(cx, request)).await;
        if let Err(error) = set {
            if error.kind() != Kind::Unsupported {
                return Err(error);
            }
            log::debug!("{}; for the next boot only", error.chain());
            request.persistent = false;
            self.boot.call("boot.set", |b| b.set(cx, request)).await?;
        }
        let state = self.power.call("power.state", |p| p.state(cx)).await?;
        let action = match state.value {
            PowerState::Off => PowerAction::On,
            _ => PowerAction::Cycle,
        };
        self.power
            .call("power.set", |p| p.set(patient, action, wait))
            .await
    }
}
