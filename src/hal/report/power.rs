//! The power actions, really done, and the host left as it was: for machines that exist to be tested.

use std::time::{Duration, Instant};

use super::entry::Status;
use super::restore::record;
use super::run::{Run, bounded, by};
use crate::hal::bmc::{Bmc, Slot};
use crate::hal::caps::Power;
use crate::hal::model::write::Write;
use crate::hal::model::{PowerAction, PowerState};

/// Time for one action to be seen.
const EACH: Duration = Duration::from_mins(5);

/// Does them with the present driver.
pub(super) async fn exercise(run: &mut Run<'_>, bmc: &Bmc) {
    let Some(slot) = run.slot(&bmc.power) else {
        return;
    };
    let cx = run.changing();
    let before = match bounded(&cx, slot.implementation.state(&cx)).await {
        Ok(reading) => reading.value,
        Err(error) => return run.notice(&error),
    };
    let actions = match before {
        PowerState::On => [
            PowerAction::Off,
            PowerAction::On,
            PowerAction::Reset,
            PowerAction::Cycle,
        ],
        PowerState::Off => [
            PowerAction::On,
            PowerAction::Reset,
            PowerAction::Cycle,
            PowerAction::Off,
        ],
        // On its way, or not told: it could not be left as it was.
        _ => return,
    };
    for action in actions {
        let operation = write(action).operation();
        if run.left_out(&[operation], &by(slot)) {
            continue;
        }
        let cx = run.taking(EACH);
        let begun = Instant::now();
        let done = bounded(&cx, slot.implementation.set(&cx, action, true)).await;
        record(run, operation, slot, done, begun.elapsed());
    }
    put_back(run, slot, before).await;
}

async fn put_back(run: &mut Run<'_>, slot: &Slot<dyn Power>, before: PowerState) {
    let action = if before == PowerState::On {
        PowerAction::On
    } else {
        PowerAction::Off
    };
    // Done already when it is there.
    let mut cx = run.restoring();
    cx.deadline = Instant::now() + EACH;
    let back = bounded(&cx, slot.implementation.set(&cx, action, true)).await;
    if let Err(error) = back {
        let why = format!("was {before} and could not be put back: {}", error.chain());
        log::error!("{}: power {why}", slot.driver);
        let operation = write(action).operation();
        run.add(
            operation,
            &by(slot),
            Status::Failed,
            None,
            Some(why),
            Duration::ZERO,
        );
    }
}

fn write(action: PowerAction) -> Write {
    match action {
        PowerAction::On => Write::PowerOn,
        PowerAction::Off => Write::PowerOff,
        PowerAction::Reset => Write::PowerReset,
        PowerAction::Cycle => Write::PowerCycle,
        PowerAction::Soft => Write::PowerSoft,
    }
}
