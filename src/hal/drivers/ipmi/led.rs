//! The identify LED by Chassis Identify, read back from Get Chassis Status.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{pause, reading};
use crate::hal::caps::Led;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::chassis::{ChassisIdentify, GetChassisStatus, IdentifyState};
use crate::hal::ipmi::cmd::{Command, Privilege};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::{BoxFuture, Cx, LedState, Reading};

/// How often the state is read before a switch counts as without effect, a second apart.
const READS: u32 = 3;

/// The identify LED over IPMI.
pub(crate) struct IpmiLed(pub(crate) Arc<dyn Exchange>);

impl IpmiLed {
    async fn read(&self, cx: &Cx) -> Result<LedState> {
        let status = run(&*self.0, cx, &GetChassisStatus).await?;
        Ok(match status.identify() {
            Some(IdentifyState::Off) => LedState::Off,
            Some(IdentifyState::Timed | IdentifyState::Indefinite) => LedState::On,
            Some(IdentifyState::Reserved) | None => LedState::Unknown,
        })
    }

    /// Reads until it is `want`, the BMC does not say, or it is too late.
    async fn settle(&self, cx: &Cx, want: LedState) -> Result<LedState> {
        let mut state = self.read(cx).await?;
        for _ in 1..READS {
            if state == want || state == LedState::Unknown {
                break;
            }
            pause(cx, Duration::from_secs(1)).await?;
            state = self.read(cx).await?;
        }
        Ok(state)
    }

    async fn switch(&self, cx: &Cx, on: bool) -> Result<LedState> {
        if !on {
            run(&*self.0, cx, &ChassisIdentify::OFF).await?;
            return self.settle(cx, LedState::Off).await;
        }
        match run(&*self.0, cx, &ChassisIdentify::FORCE_ON).await {
            Ok(()) => {
                // A BMC that does not know the second byte took it for an interval of 0, which is off.
                let state = self.settle(cx, LedState::On).await?;
                if state != LedState::Off {
                    return Ok(state);
                }
            }
            Err(error) if error.kind() == Kind::Refused => {
                log::debug!("{}: {}", ChassisIdentify::NAME, error.chain());
            }
            Err(error) => return Err(error),
        }
        run(&*self.0, cx, &ChassisIdentify::timed(u8::MAX)).await?;
        self.settle(cx, LedState::On).await
    }
}

impl Led for IpmiLed {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<LedState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let state = self.read(cx).await?;
            Ok(reading(start, GetChassisStatus::NAME, state))
        })
    }

    fn set<'a>(&'a self, cx: &'a Cx, on: bool) -> BoxFuture<'a, Result<Reading<LedState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let want = if on { LedState::On } else { LedState::Off };
            self.0.expect(Privilege::Operator);
            let state = self.switch(cx, on).await?;
            if state != want && state != LedState::Unknown {
                let what = format!("identify LED: the BMC accepted {want} but stays {state}");
                return Err(Error::new(Kind::Refused, what));
            }
            Ok(reading(start, ChassisIdentify::NAME, state))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Scripted, within};
    use super::*;

    const STATUS: &str = "00 01";

    #[tokio::test(start_paused = true)]
    async fn says_what_the_status_says() {
        for (answer, want) in [
            ("00 01 00 60", LedState::On),
            ("00 01 00 50", LedState::On),
            ("00 01 00 40", LedState::Off),
            ("00 01 00 70", LedState::Unknown),
            ("00 01 00 10", LedState::Unknown),
        ] {
            let bmc = Scripted::in_order(&[(STATUS, answer)]);
            let got = IpmiLed(bmc).state(&within(5)).await.unwrap();
            assert_eq!(got.value, want, "{answer}");
            assert_eq!(got.source.at, "Get Chassis Status");
        }
    }

    /// A dark BMC: what it answers to "force on", and whether it then is lit.
    fn bmc(code: &'static str, lit: bool) -> Arc<Scripted> {
        let mut status = "00 01 00 40";
        Scripted::live(move |request| match request {
            STATUS => status.to_owned(),
            "00 04 00 01" => {
                status = if lit { "00 01 00 60" } else { status };
                code.to_owned()
            }
            timed => {
                status = if timed == "00 04 00" {
                    "00 01 00 40"
                } else {
                    "00 01 00 50"
                };
                "00".to_owned()
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn on_and_off() {
        let bmc = bmc("00", true);
        let led = IpmiLed(bmc.clone());
        let cx = within(60);
        assert_eq!(led.set(&cx, true).await.unwrap().value, LedState::On);
        assert_eq!(led.set(&cx, false).await.unwrap().value, LedState::Off);
        assert_eq!(bmc.sent(), ["00 04 00 01", STATUS, "00 04 00", STATUS]);
    }

    #[tokio::test(start_paused = true)]
    async fn falls_back_to_the_longest_interval() {
        // Refused, or taken for "off".
        for code in ["c7", "cc", "00"] {
            let bmc = bmc(code, false);
            let set = IpmiLed(bmc.clone()).set(&within(60), true).await;
            assert_eq!(set.unwrap().value, LedState::On);
            let last = bmc.sent().into_iter().rfind(|r| r != STATUS);
            assert_eq!(last.as_deref(), Some("00 04 ff"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_and_lies_are_errors() {
        for (code, kind) in [
            ("d4", Kind::Privilege),
            ("c1", Kind::Unsupported),
            ("d5", Kind::Refused),
            ("lost", Kind::Indeterminate),
        ] {
            let bmc = Scripted::in_order(&[("00 04 00", code)]);
            let set = IpmiLed(bmc).set(&within(60), false).await;
            assert_eq!(set.unwrap_err().kind(), kind);
        }
        let deaf = Scripted::answering(&[("00 04 00", "00"), (STATUS, "00 01 00 60")]);
        let set = IpmiLed(deaf).set(&within(60), false).await.unwrap_err();
        assert_eq!(
            set.to_string(),
            "identify LED: the BMC accepted OFF but stays ON"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn stays_unknown_where_the_bmc_does_not_say() {
        let bmc = Scripted::in_order(&[("00 04 00 01", "00"), (STATUS, "00 01 00 00")]);
        let set = IpmiLed(bmc.clone()).set(&within(60), true).await;
        assert_eq!(set.unwrap().value, LedState::Unknown);
        bmc.assert_done();
    }
}
