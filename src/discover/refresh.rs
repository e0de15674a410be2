//! Reads what a BMC says of itself and its machine, and writes it into its row.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::hal::bmc::Bmc;
use crate::hal::model::info::Info;
use crate::hal::model::metrics::{PowerMetrics, PowerSupply};
use crate::hal::model::{Cx, LedState, Priority, Reading};
use crate::hal::{Error, Kind, Result};
use crate::inventory::record::{Bios, Board, Record, Supply, Watts};

/// Longest time for one BMC, all reads together.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// What was read.
#[derive(Debug, Default)]
pub struct News {
    info: Option<Info>,
    power: Option<String>,
    watts: Option<PowerMetrics>,
    supplies: Option<Vec<PowerSupply>>,
    led: Option<LedState>,
    sources: BTreeMap<String, String>,
}

/// The context of one refresh: people come first.
pub fn context(id: &str) -> Cx {
    let mut cx = Cx::until(Instant::now() + DEADLINE);
    cx.priority = Priority::Refresh;
    cx.request_id = id.into();
    cx
}

/// Asks everything that the row holds. What the BMC does not have is left out; any other failure ends it.
pub async fn ask(bmc: &Bmc, cx: &Cx) -> Result<News> {
    let mut news = News::default();
    let power = have(bmc.power.call("power.state", |p| p.state(cx)).await)?;
    news.power = news.note("power", power).map(|s| s.as_str().to_owned());
    let info = have(bmc.identity.call("info", |i| i.info(cx)).await)?;
    news.info = news.note("info", info);
    let watts = have(
        bmc.metrics
            .call("power-metrics", |m| m.power_metrics(cx))
            .await,
    )?;
    news.watts = news.note("watts", watts);
    let supplies = have(
        bmc.supplies
            .call("power-supplies", |s| s.power_supplies(cx))
            .await,
    )?;
    news.supplies = news.note("supplies", supplies);
    let led = have(bmc.led.call("led.state", |l| l.state(cx)).await)?;
    news.led = news.note("led", led);
    Ok(news)
}

/// A value that a BMC may lack.
fn have<T>(result: Result<Reading<T>>) -> Result<Option<Reading<T>>> {
    match result {
        Ok(reading) => Ok(Some(reading)),
        Err(e)
            if matches!(
                e.kind(),
                Kind::Unsupported
                    | Kind::NeedsLicense
                    | Kind::Privilege
                    | Kind::Refused
                    | Kind::Protocol
            ) =>
        {
            log::debug!("left out: {}", e.chain());
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

impl News {
    fn note<T>(&mut self, what: &str, reading: Option<Reading<T>>) -> Option<T> {
        let reading = reading?;
        self.sources
            .insert(what.to_owned(), reading.source.to_string());
        Some(reading.value)
    }

    /// Writes it into the row.
    pub fn apply(self, row: &mut Record, now: u64) {
        if let Some(info) = self.info {
            let fill = |to: &mut Option<String>, from: Option<String>| {
                if from.is_some() {
                    *to = from;
                }
            };
            // Detection names vendors in one way; a product's own spelling only where it found none.
            if row.vendor.is_none() {
                row.vendor = info.vendor;
            }
            fill(&mut row.model, info.model);
            relate(row, info.uuid);
            fill(&mut row.bmc_version, info.bmc.version);
            row.bios = Bios {
                date: info.bios.date,
                vendor: info.bios.vendor,
                version: info.bios.version,
            };
            row.board = Board {
                board_mfg: info.fru.board_mfg,
                board_mfg_serial: info.fru.board_mfg_serial,
                board_part_number: info.fru.board_part_number,
                chassis_part_number: info.fru.chassis_part_number,
                chassis_part_serial: info.fru.chassis_part_serial,
                product_manufacturer: info.fru.product_manufacturer,
                product_part_number: info.fru.product_part_number,
                product_serial: info.fru.product_serial,
            };
            if let Some(mac) = info.bmc.mac.filter(|m| *m != row.mac)
                && mac.is_usable()
                && !row.aliases.contains(&mac)
            {
                row.aliases.push(mac);
            }
        }
        if self.power.is_some() {
            row.power_state = self.power;
        }
        row.watts = self.watts.map(|m| Watts {
            consumed: m.consumed_watts,
            average: m.average_watts,
            min: m.min_watts,
            max: m.max_watts,
            interval_minutes: m.interval_minutes,
        });
        if let Some(supplies) = self.supplies {
            let one = |s: PowerSupply| Supply {
                name: s.name,
                health: s.health,
                state: s.state,
            };
            row.supplies = supplies.into_iter().map(one).collect();
        }
        row.led = match self.led {
            Some(LedState::On) => Some("LED-ON".to_owned()),
            Some(LedState::Off) => Some("LED-OFF".to_owned()),
            _ => None,
        };
        row.sources.extend(self.sources);
        row.status.last_updated = Some(now);
        row.status.last_error = None;
        row.status.kind = None;
        row.status.refused = None;
    }
}

/// The machine's UUID: set once. Another one later is said, not adopted: the board, or the machine, was swapped.
fn relate(row: &mut Record, uuid: Option<String>) {
    let Some(uuid) = uuid else { return };
    row.warnings.retain(|w| !w.starts_with("machine id"));
    match &row.machine_id {
        None => row.machine_id = Some(uuid),
        Some(known) if known.eq_ignore_ascii_case(&uuid) => {}
        Some(known) => row.warnings.push(format!(
            "machine id: the BMC now says {uuid}, the row says {known} (bmc update --machine-id changes it)"
        )),
    }
}

/// Writes a failed contact into the row. `used`: the row as it was when the login began; credentials that were given since
/// were not refused.
pub fn note_failure(row: &mut Record, used: &Record, error: &Error, now: u64) {
    row.status.last_updated = Some(now);
    row.status.last_error = Some(error.chain());
    row.status.kind = Some(error.kind().as_str().to_owned());
    if (&row.ipmi.user, &row.redfish.user) != (&used.ipmi.user, &used.redfish.user)
        || row.status.given_at != used.status.given_at
    {
        row.status.refused = None;
    } else if error.kind() == Kind::Auth {
        row.status.refused = Some("yes".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_given_while_others_were_refused_are_not_refused() {
        let mut used = Record::new("02:00:00:00:00:01".parse().unwrap());
        (used.ipmi.user, used.status.given_at) = (Some("metal".to_owned()), Some(1));
        let refused = Error::new(Kind::Auth, "wrong password");
        let after = |change: fn(&mut Record)| {
            let mut row = used.clone();
            change(&mut row);
            note_failure(&mut row, &used, &refused, 9);
            assert_eq!(row.status.kind.as_deref(), Some("auth"));
            row.status.refused.is_some()
        };
        assert!(after(|_| ()));
        assert!(!after(|row| row.ipmi.user = Some("root".to_owned())));
        // The same user, another password.
        assert!(!after(|row| row.status.given_at = Some(2)));
    }
}
