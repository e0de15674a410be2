//! The serial console over SOL.

use std::sync::Arc;
use std::time::Instant;

use super::reading;
use crate::hal::caps::Console;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::Command;
use crate::hal::ipmi::cmd::app::{ActivatePayload, GetPayloadActivationStatus, PAYLOAD_SOL};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::console::{ConsoleOptions, ConsoleState, ConsoleStream};
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Console over IPMI.
pub(crate) struct IpmiConsole(pub(crate) Arc<dyn Exchange>);

impl Console for IpmiConsole {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<ConsoleState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let ask = GetPayloadActivationStatus {
                payload: PAYLOAD_SOL,
            };
            let status = run(&*self.0, cx, &ask).await?;
            let state = ConsoleState {
                protocol: "SOL",
                // Dell M605, M610 and M915 say 0 and mean 1.
                capacity: status.capacity.max(1),
                open: status.active.count_ones() as u8,
            };
            Ok(reading(start, GetPayloadActivationStatus::NAME, state))
        })
    }

    fn open<'a>(
        &'a self,
        cx: &'a Cx,
        options: ConsoleOptions,
    ) -> BoxFuture<'a, Result<Reading<ConsoleStream>>> {
        Box::pin(async move {
            let start = Instant::now();
            self.0.admit(cx).await?;
            let stream = self.0.console(options).ok_or_else(|| {
                let what = "console: serial over LAN needs an RMCP+ session";
                Error::new(Kind::Unsupported, what)
            })?;
            Ok(reading(start, ActivatePayload::NAME, stream))
        })
    }
}
