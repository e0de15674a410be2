//! `bmc events`: what happens to BMCs, in words. A row's change is compared with the row before.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{refused, select, with_daemon};
use crate::api::convert::driver_name;
use crate::api::proto;
use crate::applets::common::duration;
use crate::applets::common::exit::Failure;
use crate::applets::common::output::{Output, printable};
use crate::discover::now;
use crate::hal::model::DriverName;
use crate::hal::model::order::Order;

/// The options.
pub(super) fn args(command: Command) -> Command {
    command
        .arg(
            Arg::new("bmc")
                .value_name("BMC")
                .num_args(0..)
                .help("Only these: MAC, UUID of the machine, address [default: all]"),
        )
        .arg(select::selector().conflicts_with("bmc"))
        .arg(
            Arg::new("since")
                .long("since")
                .value_name("DURATION")
                .value_parser(duration::parse)
                .help("First the rows whose last change is not older, as they are now, e.g. 1h"),
        )
        .arg(
            Arg::new("no-follow")
                .long("no-follow")
                .action(ArgAction::SetTrue)
                .requires("since")
                .help("Do not wait for what happens next"),
        )
        .after_help("The daemon keeps each row's last change, not those before it.")
}

/// Runs the command.
pub(super) fn run(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let since = m.get_one::<Duration>("since").copied();
    let selector = select::selected(m)?;
    with_daemon(m, |client, _| async move {
        let mut only = Vec::new();
        for bmc in select::named(m) {
            let request = proto::GetRequest {
                bmc,
                with_passwords: false,
            };
            let row = select::answer(client.inventory().get(request).await)?;
            only.push(row.mac);
        }
        if !selector.is_empty() {
            let request = proto::ListRequest {
                all: false,
                selector,
            };
            let rows = super::rows(&client, request).await?;
            only.extend(rows.into_iter().map(|r| r.mac));
            if only.is_empty() {
                return Err(Failure::usage("no BMC fits the selector"));
            }
        }
        let wanted = |mac: &str| only.is_empty() || only.iter().any(|o| o == mac);
        let request = proto::WatchRequest { revision: 0 };
        let mut stream = select::answer(client.inventory().watch(request).await)?;
        let mut before: HashMap<String, proto::Bmc> = HashMap::new();
        let mut ready = false;
        while let Some(event) = stream.message().await.map_err(|s| refused(&s))? {
            if event.ready {
                if let Some(since) = since {
                    show_since(&before, since, &output)?;
                }
                if m.get_flag("no-follow") {
                    return Ok(());
                }
                ready = true;
                continue;
            }
            if !wanted(&event.mac) {
                continue;
            }
            if ready {
                let old = before.get(&event.mac);
                let at = event.bmc.as_ref().and_then(changed_at);
                for words in between(old, event.bmc.as_ref()) {
                    say(
                        at.unwrap_or_else(now),
                        &event.mac,
                        event.revision,
                        &words,
                        &output,
                    )?;
                }
            }
            match event.bmc {
                Some(row) => drop(before.insert(event.mac, row)),
                None => drop(before.remove(&event.mac)),
            }
        }
        Ok(())
    })
}

fn changed_at(row: &proto::Bmc) -> Option<u64> {
    let stamp = row.changed_at.as_ref()?;
    let millis = u64::try_from(stamp.nanos).ok()? / 1_000_000;
    Some(u64::try_from(stamp.seconds).ok()?.saturating_mul(1000) + millis)
}

/// Rows whose last change is young enough, the oldest first.
fn show_since(
    rows: &HashMap<String, proto::Bmc>,
    since: Duration,
    output: &Output,
) -> Result<(), Failure> {
    let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let oldest = now().saturating_sub(since);
    let mut young: Vec<(u64, &proto::Bmc)> = rows
        .values()
        .filter_map(|row| Some((changed_at(row)?, row)))
        .filter(|(at, _)| *at >= oldest)
        .collect();
    young.order_by_key(|(at, row)| (*at, row.revision));
    for (at, row) in young {
        say(at, &row.mac, row.revision, &state(row), output)?;
    }
    Ok(())
}

/// One line: time, MAC, words.
fn say(at: u64, mac: &str, revision: u64, words: &str, output: &Output) -> Result<(), Failure> {
    let seconds = i64::try_from(at / 1000).unwrap_or(i64::MAX);
    let time = crate::hal::ipmi::time::rfc3339(seconds);
    let mut out = std::io::stdout().lock();
    let document = json!({"time": time, "mac": mac, "revision": revision, "event": words});
    match output.line(&document)? {
        Some(line) => writeln!(out, "{line}")?,
        None => writeln!(out, "{time}   {mac}   {}", printable(words))?,
    }
    Ok(out.flush()?)
}

fn driver(row: &proto::Bmc) -> String {
    let driver = row.driver.and_then(driver_name);
    driver.map_or("none", DriverName::as_str).to_owned()
}

fn drivers(row: &proto::Bmc) -> String {
    let all = row.drivers.iter().filter_map(|d| driver_name(*d));
    let all: Vec<&str> = all.map(DriverName::as_str).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}

/// A row in one line.
fn state(row: &proto::Bmc) -> String {
    let mut words = Vec::new();
    if row.removed {
        words.push("removed".to_owned());
    }
    if let Some(address) = &row.address {
        words.push(format!("at {address}"));
    }
    if let Some(vendor) = &row.vendor {
        words.push(vendor.clone());
    }
    words.push(format!("driver {}", driver(row)));
    if let Some(power) = &row.power_state {
        words.push(format!("power {power}"));
    }
    if let Some(error) = row.status.as_ref().and_then(|s| s.last_error.as_ref()) {
        words.push(format!("fails: {error}"));
    }
    words.join(", ")
}

/// What has happened between two states of a row.
fn between(old: Option<&proto::Bmc>, new: Option<&proto::Bmc>) -> Vec<String> {
    let (Some(old), Some(new)) = (old, new) else {
        return match new {
            Some(row) => vec![format!("new: {}", state(row))],
            None => vec!["removed".to_owned()],
        };
    };
    let mut out = Vec::new();
    if old.removed != new.removed {
        out.push(
            if new.removed {
                "removed"
            } else {
                "back in the table"
            }
            .to_owned(),
        );
    }
    let mut field = |name: &str, old: Option<String>, new: Option<String>| {
        if old != new {
            let show = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
            out.push(format!("{name}: {} -> {}", show(old), show(new)));
        }
    };
    field("address", old.address.clone(), new.address.clone());
    field("vendor", old.vendor.clone(), new.vendor.clone());
    field("model", old.model.clone(), new.model.clone());
    field("machine id", old.machine_id.clone(), new.machine_id.clone());
    field("drivers", Some(drivers(old)), Some(drivers(new)));
    field("driver", Some(driver(old)), Some(driver(new)));
    field("power", old.power_state.clone(), new.power_state.clone());
    field("LED", old.led.clone(), new.led.clone());
    field(
        "BMC version",
        old.bmc_version.clone(),
        new.bmc_version.clone(),
    );
    let bios = |row: &proto::Bmc| row.bios.as_ref().and_then(|b| b.version.clone());
    field("BIOS", bios(old), bios(new));
    let user = |row: &proto::Bmc| row.ipmi.as_ref().and_then(|i| i.user.clone());
    field("IPMI user", user(old), user(new));
    let user = |row: &proto::Bmc| row.redfish.as_ref().and_then(|i| i.user.clone());
    field("Redfish user", user(old), user(new));
    field("partition", old.partition.clone(), new.partition.clone());
    field("console", old.console_url.clone(), new.console_url.clone());
    let stale = |row: &proto::Bmc| row.lease.as_ref().is_some_and(|l| l.stale);
    match (stale(old), stale(new)) {
        (false, true) => out.push("its lease has ended".to_owned()),
        (true, false) => out.push("it has a lease again".to_owned()),
        _ => {}
    }
    if old.untrusted != new.untrusted {
        out.push(match &new.untrusted {
            Some(why) => format!("not trusted any more: {why}"),
            None => "trusted again".to_owned(),
        });
    }
    for supply in &new.supplies {
        let before = old.supplies.iter().find(|s| s.name == supply.name);
        if let Some(before) = before.filter(|b| b.health != supply.health) {
            let show =
                |health: &Option<String>| health.clone().unwrap_or_else(|| "unknown".to_owned());
            out.push(format!(
                "power supply '{}': {} -> {}",
                supply.name,
                show(&before.health),
                show(&supply.health)
            ));
        }
    }
    let error = |row: &proto::Bmc| row.status.as_ref().and_then(|s| s.last_error.clone());
    match (error(old), error(new)) {
        (None, Some(error)) => out.push(format!("fails: {error}")),
        (Some(_), None) => out.push("works again".to_owned()),
        (Some(a), Some(b)) if a != b => out.push(format!("fails: {b}")),
        _ => {}
    }
    for warning in new.warnings.iter().filter(|w| !old.warnings.contains(w)) {
        out.push(format!("warning: {warning}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_in_words() {
        let old = proto::Bmc {
            mac: "ac:1f:6b:00:00:01".to_owned(),
            address: Some("10.0.0.1".to_owned()),
            power_state: Some("ON".to_owned()),
            ..proto::Bmc::default()
        };
        let new = proto::Bmc {
            address: Some("10.0.0.2".to_owned()),
            power_state: Some("OFF".to_owned()),
            status: Some(proto::Status {
                last_error: Some("no answer".to_owned()),
                ..proto::Status::default()
            }),
            ..old.clone()
        };
        assert_eq!(
            between(Some(&old), Some(&new)),
            [
                "address: 10.0.0.1 -> 10.0.0.2",
                "power: ON -> OFF",
                "fails: no answer"
            ]
        );
        assert_eq!(
            between(Some(&new), Some(&old)).last().unwrap(),
            "works again"
        );
        assert_eq!(between(Some(&old), Some(&old)), [""; 0]);
        assert_eq!(
            between(None, Some(&old)),
            ["new: at 10.0.0.1, driver none, power ON"]
        );
        assert_eq!(between(Some(&old), None), ["removed"]);
    }
}
