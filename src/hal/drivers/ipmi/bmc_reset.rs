//! Restart of the BMC.

use std::sync::Arc;
use std::time::Instant;

use super::reading;
use crate::hal::caps::BmcReset;
use crate::hal::error::{Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::Command;
use crate::hal::ipmi::cmd::app::ColdReset;
use crate::hal::ipmi::exchange::run;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Cold Reset over IPMI.
pub struct IpmiBmcReset(pub Arc<dyn Exchange>);

impl BmcReset for IpmiBmcReset {
    fn bmc_reset<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<()>>> {
        Box::pin(async move {
            let start = Instant::now();
            match run(&*self.0, cx, &ColdReset).await {
                Ok(()) => {}
                // It was sent, and a BMC that restarts at once has no time to answer.
                Err(error) if error.kind() == Kind::Indeterminate => {
                    log::debug!("{}: no answer, as can be expected", ColdReset::NAME);
                }
                Err(error) => return Err(error),
            }
            Ok(reading(start, ColdReset::NAME, ()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Scripted, cx};
    use super::*;

    async fn reset(answer: &str) -> Result<(), Kind> {
        let bmc = Scripted::in_order(&[("06 02", answer)]);
        let got = IpmiBmcReset(bmc.clone()).bmc_reset(&cx()).await;
        bmc.assert_done();
        got.map(|r| r.value).map_err(|e| e.kind())
    }

    #[tokio::test]
    async fn no_answer_is_done_and_a_refusal_is_not() {
        assert_eq!(reset("00").await, Ok(()));
        assert_eq!(reset("lost").await, Ok(()));
        assert_eq!(reset("d4").await, Err(Kind::Privilege));
        assert_eq!(reset("c1").await, Err(Kind::Unsupported));
        assert_eq!(reset("unreachable").await, Err(Kind::Unreachable));
        assert_eq!(reset("timeout").await, Err(Kind::Timeout));
    }
}
