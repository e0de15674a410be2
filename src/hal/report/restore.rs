//! The changes that can be put back: identify LED and boot override. Done, read back, and put back whatever happens.

use std::time::{Duration, Instant};

use serde_json::json;

use super::entry::Status;
use super::run::{Run, bounded, by};
use crate::hal::bmc::{Bmc, Slot};
use crate::hal::caps::{Boot, Led};
use crate::hal::error::Result;
use crate::hal::model::boot::BootRequest;
use crate::hal::model::write::Write;
use crate::hal::model::{
    BootMode, BootPersistence, BootState, BootTarget, LedState, Reading, Source,
};

/// How often putting back is tried.
const TRIES: u32 = 3;

/// Does them with the present driver.
pub(super) async fn exercise(run: &mut Run<'_>, bmc: &Bmc) {
    if let Some(slot) = run.slot(&bmc.led) {
        led(run, slot).await;
    }
    if let Some(slot) = run.slot(&bmc.boot) {
        boot(run, slot).await;
    }
}

async fn led(run: &mut Run<'_>, slot: &Slot<dyn Led>) {
    let operations = [Write::LedOn.operation(), Write::LedOff.operation()];
    if refused(run, &operations) || run.left_out(&operations, &by(slot)) {
        return;
    }
    let cx = run.changing();
    let before = match bounded(&cx, slot.implementation.state(&cx)).await {
        Ok(reading) if reading.value != LedState::Unknown => reading.value,
        Ok(_) => {
            return untried(
                run,
                &operations,
                slot.overwrite,
                "its state is not told, so it could not be put back",
            );
        }
        Err(error) => {
            run.notice(&error);
            return untried(
                run,
                &operations,
                slot.overwrite,
                "its state could not be read before",
            );
        }
    };
    let was_on = before == LedState::On;
    let [on, off] = operations;
    let (change, back) = if was_on { (off, on) } else { (on, off) };
    log::info!(
        "{}: identify LED {before}, switched over and back",
        slot.driver
    );
    let cx = run.changing();
    let begun = Instant::now();
    let changed = bounded(&cx, slot.implementation.set(&cx, !was_on)).await;
    record(run, change, slot, changed, begun.elapsed());
    // Also when the change failed: it may have been done all the same.
    let mut last = None;
    for _ in 0..TRIES {
        let cx = run.restoring();
        let begun = Instant::now();
        let set = bounded(&cx, slot.implementation.set(&cx, was_on)).await;
        let now = bounded(&cx, slot.implementation.state(&cx)).await;
        let restored = now.as_ref().is_ok_and(|r| r.value == before);
        record(run, back, slot, set, begun.elapsed());
        if restored {
            return;
        }
        last = Some(match now {
            Ok(reading) => format!("it is {}", reading.value),
            Err(error) => error.chain(),
        });
    }
    let last = last.unwrap_or_default();
    log::error!(
        "{}: identify LED was {before} and could not be put back: {last}",
        slot.driver
    );
    let error = format!("was {before} and could not be put back: {last}");
    run.add(
        back,
        &by(slot),
        Status::Failed,
        None,
        Some(error),
        Duration::ZERO,
    );
}

async fn boot(run: &mut Run<'_>, slot: &Slot<dyn Boot>) {
    // Least harmful last: what is set while a machine happens to restart is what it boots.
    let writes = [
        (Write::BootPxe, BootTarget::Pxe),
        (Write::BootBios, BootTarget::Bios),
        (Write::BootDisk, BootTarget::Disk),
    ];
    let writes: Vec<(&str, BootTarget)> = writes
        .into_iter()
        .map(|(write, target)| (write.operation(), target))
        .filter(|(operation, _)| !refused(run, &[operation]))
        .collect();
    let operations: Vec<&str> = writes.iter().map(|(operation, _)| *operation).collect();
    if operations.is_empty() || run.left_out(&operations, &by(slot)) {
        return;
    }
    let cx = run.changing();
    let before = match bounded(&cx, slot.implementation.state(&cx)).await {
        Ok(reading) => reading.value,
        Err(error) => {
            run.notice(&error);
            return untried(
                run,
                &operations,
                slot.overwrite,
                "the override could not be read before",
            );
        }
    };
    if before.target == BootTarget::Other {
        return untried(
            run,
            &operations,
            slot.overwrite,
            "the present override could not be put back",
        );
    }
    log::info!(
        "{}: boot override {before:?}, changed and put back",
        slot.driver
    );
    let mut changed = false;
    for (operation, target) in writes {
        if run.left_out(&[operation], &by(slot)) {
            continue;
        }
        changed = true;
        let request = BootRequest {
            target,
            mode: before.mode.unwrap_or(BootMode::Uefi),
            persistent: false,
        };
        let cx = run.changing();
        let begun = Instant::now();
        let set = bounded(&cx, slot.implementation.set(&cx, request)).await;
        record(run, operation, slot, set, begun.elapsed());
    }
    if changed && let Err(last) = put_back(run, slot, before).await {
        log::error!(
            "{}: boot override was {before:?} and could not be put back: {last}",
            slot.driver
        );
        let error = format!(
            "the override was {} and could not be put back: {last}",
            words(before)
        );
        for operation in operations {
            run.add(
                operation,
                &by(slot),
                Status::Failed,
                None,
                Some(error.clone()),
                Duration::ZERO,
            );
        }
    }
}

async fn put_back(
    run: &Run<'_>,
    slot: &Slot<dyn Boot>,
    before: BootState,
) -> std::result::Result<(), String> {
    let request = BootRequest {
        target: before.target,
        mode: before.mode.unwrap_or(BootMode::Uefi),
        persistent: before.persistence == BootPersistence::Persistent,
    };
    let mut last = String::new();
    for _ in 0..TRIES {
        let cx = run.restoring();
        let set = bounded(&cx, slot.implementation.set(&cx, request)).await;
        match bounded(&cx, slot.implementation.state(&cx)).await {
            Ok(now) if same(before, now.value) => return Ok(()),
            Ok(now) => last = format!("it is {}", words(now.value)),
            Err(error) => last = error.chain(),
        }
        if let Err(error) = set {
            last = error.chain();
        }
    }
    Err(last)
}

/// A mode that was not told before, or means nothing without a target, is no difference.
fn same(before: BootState, now: BootState) -> bool {
    let none =
        |s: BootState| s.target == BootTarget::None || s.persistence == BootPersistence::None;
    if none(before) || none(now) {
        return none(before) && none(now);
    }
    before.target == now.target
        && before.persistence == now.persistence
        && (before.mode.is_none() || now.mode.is_none() || before.mode == now.mode)
}

fn words(state: BootState) -> String {
    format!("{} {:?}", state.target, state.persistence).to_uppercase()
}

/// Was it judged that the driver has none of these? Then they are not tried.
fn refused(run: &Run<'_>, operations: &[&'static str]) -> bool {
    operations.iter().all(|operation| {
        run.entries.iter().any(|e| {
            e.operation == *operation && e.driver == run.driver && e.status != Status::NotTried
        })
    })
}

fn untried(
    run: &mut Run<'_>,
    operations: &[&'static str],
    overwrite: Option<&'static str>,
    why: &str,
) {
    let source = Source {
        driver: run.driver,
        overwrite,
        at: String::new(),
    };
    for operation in operations {
        let evidence = run
            .entries
            .iter()
            .find(|e| e.operation == *operation && e.driver == source.driver)
            .and_then(|e| e.evidence.clone());
        let words = match evidence {
            Some(evidence) => format!("{evidence}; {why}"),
            None => why.to_owned(),
        };
        run.add(
            operation,
            &source.to_string(),
            Status::NotTried,
            Some(words),
            None,
            Duration::ZERO,
        );
    }
}

pub(super) fn record<T, R: serde::Serialize>(
    run: &mut Run<'_>,
    operation: &'static str,
    slot: &Slot<T>,
    result: Result<Reading<R>>,
    took: Duration,
) where
    T: ?Sized,
{
    match result {
        Ok(reading) => {
            let value = json!(reading.value);
            run.worked(operation, &reading.source, value, took);
        }
        Err(error) => {
            run.notice(&error);
            run.failed(operation, &by(slot), &error, took);
        }
    }
}
