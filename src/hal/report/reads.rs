//! Which reads there are and how their values stand in the report.

use serde::Serialize;
use serde_json::{Value, json};

use super::entry::Status;
use super::run::{Run, Shown, bounded, by};
use crate::hal::bmc::Bmc;
use crate::hal::model::fru::FruSummary;
use crate::hal::model::info::Info;
use crate::hal::model::write::Write;
use crate::hal::model::{LedState, PowerState};

/// All reads, in the order of reports.
pub const READS: &[&str] = &[
    "power.state",
    "boot.state",
    "led.state",
    "info.vendor",
    "info.model",
    "info.serial",
    "info.uuid",
    "info.bmc.mac",
    "info.bmc.ip",
    "info.bmc.version",
    "info.bios.version",
    "info.fru",
    "fru",
    "sensors",
    "sel",
    "users",
    "lan",
    "power-metrics",
    "power-supplies",
    "console",
    "raw",
];

/// Does every read that the present driver has. A capability that is not named here does not compile.
#[expect(
    clippy::too_many_lines,
    reason = "one entry per capability, all in the one place that names them all"
)]
pub(super) async fn read(run: &mut Run<'_>, bmc: &Bmc) {
    let Bmc {
        power,
        boot,
        led,
        identity,
        inventory,
        sensors,
        event_log,
        users,
        network,
        metrics,
        supplies,
        // Nothing to read.
        bmc_reset: _,
        console,
        raw,
        evidence: _,
    } = bmc;
    run.ask(
        &["power.state"],
        power,
        |p, cx| p.state(cx),
        |state| {
            let said = state != PowerState::Unknown;
            vec![("power.state", said.then(|| json(&state)))]
        },
    )
    .await;
    run.ask(
        &["boot.state"],
        boot,
        |b, cx| b.state(cx),
        |state| vec![("boot.state", Some(json(&state)))],
    )
    .await;
    run.ask(
        &["led.state"],
        led,
        |l, cx| l.state(cx),
        |state| {
            let said = state != LedState::Unknown;
            vec![("led.state", said.then(|| json(&state)))]
        },
    )
    .await;
    let info: Vec<&str> = info(Info::default()).into_iter().map(|(o, _)| o).collect();
    run.ask(&info, identity, |i, cx| i.info(cx), self::info)
        .await;
    run.ask(
        &["fru"],
        inventory,
        |i, cx| i.fru(cx, None),
        |list| counted("fru", list.len()),
    )
    .await;
    run.ask(
        &["sensors"],
        sensors,
        |s, cx| s.sensors(cx, false),
        |list| {
            let mut shown = counted("sensors", list.len());
            let silent = list.iter().filter(|s| s.value.is_none()).count();
            if let Some((_, Some(Value::Object(map)))) = shown.first_mut() {
                map.insert("without_value".to_owned(), silent.into());
            }
            shown
        },
    )
    .await;
    run.ask(
        &["sel"],
        event_log,
        |e, cx| e.entries(cx),
        |list| {
            // An empty log is as good as any.
            vec![("sel", Some(json!({ "count": list.len() })))]
        },
    )
    .await;
    run.ask(
        &["users"],
        users,
        |u, cx| u.users(cx),
        |list| counted("users", list.len()),
    )
    .await;
    run.ask(
        &["lan"],
        network,
        |n, cx| n.lan(cx),
        |lan| vec![("lan", Some(json(&lan)))],
    )
    .await;
    run.ask(
        &["power-metrics"],
        metrics,
        |m, cx| m.power_metrics(cx),
        |watts| {
            let said = [
                watts.consumed_watts,
                watts.average_watts,
                watts.min_watts,
                watts.max_watts,
            ];
            let said = said.iter().any(Option::is_some);
            vec![("power-metrics", said.then(|| json(&watts)))]
        },
    )
    .await;
    run.ask(
        &["power-supplies"],
        supplies,
        |s, cx| s.power_supplies(cx),
        |list| {
            let said = !list.is_empty();
            vec![("power-supplies", said.then(|| json(&list)))]
        },
    )
    .await;
    // Get Device ID: what every IPMI controller answers.
    run.ask(
        &["console"],
        console,
        |c, cx| c.state(cx),
        |state| vec![("console", Some(json(&state)))],
    )
    .await;
    run.ask(
        &["raw"],
        raw,
        |r, cx| r.raw(cx, 0x06, 0x01, Vec::new()),
        |reply| {
            let ok = reply.completion_code == 0;
            vec![(
                "raw",
                ok.then(|| json!({ "command": "06 01", "bytes": reply.data.len() })),
            )]
        },
    )
    .await;
}

/// The identity, field by field: each of them can be there or not, and be disagreed about.
fn info(info: Info) -> Shown {
    let Info {
        vendor,
        model,
        serial,
        uuid,
        uuid_raw: _,
        bmc,
        bios,
        fru,
    } = info;
    let text = |t: Option<String>| t.map(Value::from);
    let board = (fru != FruSummary::default()).then(|| json(&fru));
    vec![
        ("info.vendor", text(vendor)),
        ("info.model", text(model)),
        ("info.serial", text(serial)),
        ("info.uuid", text(uuid)),
        ("info.bmc.mac", bmc.mac.map(|m| json(&m))),
        ("info.bmc.ip", bmc.ip.map(|ip| json(&ip))),
        ("info.bmc.version", text(bmc.version)),
        ("info.bios.version", text(bios.version)),
        ("info.fru", board),
    ]
}

fn counted(operation: &'static str, count: usize) -> Shown {
    vec![(operation, (count > 0).then(|| json!({ "count": count })))]
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// Judges every change that the present driver has, without doing it.
pub(super) async fn judge(run: &mut Run<'_>, bmc: &Bmc) {
    for write in Write::ALL {
        let operation = write.operation();
        let Some(by) = has(run, bmc, write) else {
            continue;
        };
        if run.left_out(&[operation], &by) {
            continue;
        }
        let Some(slot) = run.slot(&bmc.evidence) else {
            let none = Some("nothing can be read that would speak for it".to_owned());
            run.add(
                operation,
                &by,
                Status::NotTried,
                None,
                none,
                std::time::Duration::ZERO,
            );
            continue;
        };
        let cx = run.cx();
        let begun = std::time::Instant::now();
        let answer = bounded(&cx, slot.implementation.evidence(&cx, write)).await;
        let took = begun.elapsed();
        match answer {
            Ok(reading) => {
                let by = reading.source.to_string();
                let words = Some(reading.value);
                run.add(operation, &by, Status::NotTried, words, None, took);
            }
            Err(error) => {
                run.notice(&error);
                run.failed(operation, &by, &error, took);
            }
        }
    }
}

/// Who would do `write` with the present driver, if anybody.
fn has(run: &Run<'_>, bmc: &Bmc, write: Write) -> Option<String> {
    match write {
        Write::PowerOn
        | Write::PowerOff
        | Write::PowerReset
        | Write::PowerCycle
        | Write::PowerSoft => run.slot(&bmc.power).map(by),
        Write::BootPxe | Write::BootDisk | Write::BootBios => run.slot(&bmc.boot).map(by),
        Write::LedOn | Write::LedOff => run.slot(&bmc.led).map(by),
        Write::SelClear => run.slot(&bmc.event_log).map(by),
        Write::UserCreate
        | Write::UserSetPassword
        | Write::UserEnable
        | Write::UserDisable
        | Write::UserDelete => run.slot(&bmc.users).map(by),
        Write::BmcReset => run.slot(&bmc.bmc_reset).map(by),
    }
}
