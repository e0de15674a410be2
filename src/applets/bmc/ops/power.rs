//! `power …`, `reinstall`.

use std::time::{Duration, Instant};

use clap::ArgMatches;

use crate::applets::bmc::operation::{Col, Done, Job, Operation, Wait, Work, no_args, state, work};
use crate::applets::common::exit::Failure;
use crate::hal::Result;
use crate::hal::model::power::PowerOutcome;
use crate::hal::model::{BoxFuture, Cx, PowerAction, PowerState, Reading};

const COLUMNS: &[Col] = &[state("POWER", "")];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        path: &["power", "status"],
        name: "power.state",
        about: "Is it on?",
        writes: false,
        args: no_args,
        plan: |_| {
            Ok(work(|job| {
                Box::pin(async move { Done::of(power_state(job).await?) })
            }))
        },
        columns: COLUMNS,
    },
    action(
        "on",
        "power.on",
        "Switch on; done when it is on already",
        |_| Ok(set(PowerAction::On)),
    ),
    action(
        "off",
        "power.off",
        "Switch off hard; done when it is off already",
        |_| Ok(set(PowerAction::Off)),
    ),
    action(
        "reset",
        "power.reset",
        "Reset hard; refused when it is off",
        |_| Ok(set(PowerAction::Reset)),
    ),
    action(
        "cycle",
        "power.cycle",
        "Off, then on; refused when it is off",
        |_| Ok(set(PowerAction::Cycle)),
    ),
    action(
        "soft",
        "power.soft",
        "Ask the operating system to shut down",
        |_| Ok(set(PowerAction::Soft)),
    ),
    Operation {
        path: &["reinstall"],
        name: "reinstall",
        about: "Boot from the network now: boot target PXE, then power cycle (or on)",
        writes: true,
        args: no_args,
        plan: |_| Ok(work(reinstall)),
        columns: COLUMNS,
    },
];

const fn action(
    word: &'static str,
    name: &'static str,
    about: &'static str,
    plan: fn(&ArgMatches) -> Result<Work, Failure>,
) -> Operation {
    // A constant slice cannot be made of an argument; the words are few.
    let path: &'static [&'static str] = match word.as_bytes() {
        b"on" => &["power", "on"],
        b"off" => &["power", "off"],
        b"reset" => &["power", "reset"],
        b"cycle" => &["power", "cycle"],
        _ => &["power", "soft"],
    };
    Operation {
        path,
        name,
        about,
        writes: true,
        args: no_args,
        plan,
        columns: COLUMNS,
    }
}

async fn power_state(job: &Job) -> Result<Reading<PowerState>> {
    job.bmc
        .power
        .call("power.state", |p| p.state(&job.cx))
        .await
}

fn set(action: PowerAction) -> Work {
    work(move |job| {
        Box::pin(async move {
            // Shows within the normal time-out that the BMC is there; the action itself may take minutes.
            if job.wait != Wait::No {
                power_state(job).await?;
            }
            act(job, action).await
        })
    })
}

/// Longest time that a state may take, unless `--wait` says another.
fn patience(action: PowerAction) -> Duration {
    match action {
        PowerAction::Soft => Duration::from_mins(5),
        _ => Duration::from_mins(1),
    }
}

/// The context of a power action: it may take as long as the state takes to be reached.
fn patient(job: &Job, action: PowerAction) -> Cx {
    let mut cx: Cx = job.cx.clone();
    let wait = match job.wait {
        Wait::No => Duration::ZERO,
        Wait::For(said) => said,
        Wait::Usual => patience(action),
    };
    cx.deadline = cx.deadline.max(Instant::now() + wait);
    cx
}

fn done(reading: Reading<PowerOutcome>) -> Result<Done> {
    let verified = reading.value.verified;
    let mut done = Done::of(reading.map(|outcome| outcome.state))?;
    done.verified = Some(verified);
    Ok(done)
}

async fn act(job: &Job, action: PowerAction) -> Result<Done> {
    let cx = &patient(job, action);
    let wait = job.wait != Wait::No;
    let power = &job.bmc.power;
    done(power.call("power.set", |p| p.set(cx, action, wait)).await?)
}

fn reinstall(job: &Job) -> BoxFuture<'_, Result<Done>> {
    Box::pin(async move {
        let cx = patient(job, PowerAction::Cycle);
        let wait = job.wait != Wait::No;
        done(job.bmc.reinstall(&job.cx, &cx, wait).await?)
    })
}
