//! Power consumption by DCMI Get Power Reading.

use std::sync::Arc;
use std::time::Instant;

use super::reading;
use crate::hal::caps::Metrics;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::dcmi::{GetPowerReading, PowerReading, PowerReadingMode};
use crate::hal::ipmi::cmd::{Command, CompletionCode, CompletionError, Privilege};
use crate::hal::ipmi::exchange::{finish, run};
use crate::hal::ipmi::{Exchange, Request};
use crate::hal::model::metrics::PowerMetrics;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Watts over IPMI.
pub(crate) struct IpmiMetrics(pub(crate) Arc<dyn Exchange>);

impl IpmiMetrics {
    /// A USER may read, says DCMI; some BMCs keep all group extensions to administrators, even those that they do not have
    /// (ipmi_sim). Refused for that reason, it is asked for once more at that level.
    async fn read(&self, cx: &Cx, command: &GetPowerReading) -> Result<PowerReading> {
        let refused = match run(&*self.0, cx, command).await {
            Err(error) if is_privilege(&error) => error,
            other => return other,
        };
        let request = Request {
            privilege: Privilege::Administrator,
            ..Request::of(command)
        };
        let again = match self.0.exchange(cx, request).await {
            Ok(response) => finish(command, &response),
            Err(error) => Err(error),
        };
        match again {
            Err(error) if error.kind() == Kind::Privilege => Err(refused),
            other => other,
        }
    }
}

fn is_privilege(error: &Error) -> bool {
    CompletionError::find(error) == Some(CompletionCode::INSUFFICIENT_PRIVILEGE)
}

/// What the reading is worth: nothing when the BMC does not measure, which it says by the state or by zeroes only.
fn metrics(reading: PowerReading) -> PowerMetrics {
    let watts = [
        reading.current,
        reading.average,
        reading.minimum,
        reading.maximum,
    ];
    if !reading.is_active() || watts == [0; 4] {
        return PowerMetrics::default();
    }
    let [current, average, minimum, maximum] = watts.map(|w| Some(f64::from(w)));
    PowerMetrics {
        consumed_watts: current,
        average_watts: average,
        min_watts: minimum,
        max_watts: maximum,
        interval_minutes: (reading.period_ms != 0).then(|| f64::from(reading.period_ms) / 60_000.0),
        supplies: Vec::new(),
    }
}

impl Metrics for IpmiMetrics {
    fn power_metrics<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<PowerMetrics>>> {
        Box::pin(async move {
            let start = Instant::now();
            let command = GetPowerReading {
                mode: PowerReadingMode::SYSTEM,
            };
            let read = self.read(cx, &command).await?;
            Ok(reading(start, GetPowerReading::NAME, metrics(read)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Scripted, cx};
    use super::*;

    async fn read(answer: &str) -> Result<PowerMetrics, Kind> {
        let bmc = Scripted::in_order(&[("2c 02 dc 01 00 00", answer)]);
        let got = IpmiMetrics(bmc.clone()).power_metrics(&cx()).await;
        bmc.assert_done();
        got.map(|r| r.value).map_err(|e| e.kind())
    }

    #[tokio::test]
    async fn watts_and_minutes() {
        let want = PowerMetrics {
            consumed_watts: Some(70.0),
            average_watts: Some(75.0),
            min_watts: Some(60.0),
            max_watts: Some(100.0),
            interval_minutes: Some(5.0),
            supplies: Vec::new(),
        };
        let answer = "00 dc 46 00 3c 00 64 00 4b 00 00 00 00 65 e0 93 04 00 40";
        assert_eq!(read(answer).await, Ok(want));
    }

    #[tokio::test]
    async fn what_is_not_measured_stays_absent() {
        let inactive = "00 dc 46 00 3c 00 64 00 4b 00 00 00 00 65 e0 93 04 00 00";
        let zero = "00 dc 00 00 00 00 00 00 00 00 00 00 00 65 e8 03 00 00 40";
        for nothing in [inactive, zero] {
            assert_eq!(read(nothing).await, Ok(PowerMetrics::default()));
        }
        let no_period = "00 dc 05 00 00 00 05 00 02 00 00 00 00 00 00 00 00 00 40";
        let got = read(no_period).await.unwrap();
        assert_eq!((got.consumed_watts, got.min_watts), (Some(5.0), Some(0.0)));
        assert_eq!(got.interval_minutes, None);
    }

    #[tokio::test]
    async fn refusals_keep_their_kind() {
        for (answer, kind) in [
            ("c1", Kind::Unsupported),
            ("d5", Kind::Refused),
            ("timeout", Kind::Timeout),
            ("00 dc 01", Kind::Protocol),
            ("00 00 01", Kind::Protocol),
        ] {
            assert_eq!(read(answer).await, Err(kind), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_refusal_for_lack_of_privilege_is_tried_once_as_administrator() {
        const GET: &str = "2c 02 dc 01 00 00";
        let active = "00 dc 46 00 3c 00 64 00 4b 00 00 00 00 65 e0 93 04 00 40";
        for (again, want) in [
            (active, Ok(Some(70.0))),
            ("c1", Err(Kind::Unsupported)),
            ("d4", Err(Kind::Privilege)),
            ("timeout", Err(Kind::Timeout)),
        ] {
            let bmc = Scripted::in_order(&[(GET, "d4"), (GET, again)]);
            let got = IpmiMetrics(bmc.clone()).power_metrics(&cx()).await;
            let got = got.map(|r| r.value.consumed_watts).map_err(|e| e.kind());
            assert_eq!(got, want, "{again}");
            bmc.assert_done();
        }
    }
}
