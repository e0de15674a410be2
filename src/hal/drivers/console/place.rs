//! A console that the operator gave: TCP, telnet, a device.

use std::sync::Arc;
use std::time::Instant;

use super::ssh::in_time;
use crate::hal::caps::Console;
use crate::hal::error::Result;
use crate::hal::model::console::{ConsoleOptions, ConsoleState, ConsoleStream};
use crate::hal::model::{BoxFuture, Cx, DriverName, Reading, Source};
use crate::hal::transport::line::{Dialer, Place, keep};

pub(super) struct PlaceDriver(pub(super) Arc<Place>);

impl PlaceDriver {
    fn reading<T>(&self, start: Instant, value: T) -> Reading<T> {
        Reading {
            value,
            source: Source::new(DriverName::Unmanaged, self.0.to_string()),
            took: start.elapsed(),
        }
    }
}

impl Console for PlaceDriver {
    /// What the operator gave is there until it is opened: a console server takes one client, and that is not us.
    fn state<'a>(&'a self, _: &'a Cx) -> BoxFuture<'a, Result<Reading<ConsoleState>>> {
        let state = ConsoleState {
            protocol: self.0.protocol(),
            capacity: 1,
            open: 0,
        };
        Box::pin(async move { Ok(self.reading(Instant::now(), state)) })
    }

    fn open<'a>(
        &'a self,
        cx: &'a Cx,
        options: ConsoleOptions,
    ) -> BoxFuture<'a, Result<Reading<ConsoleStream>>> {
        Box::pin(async move {
            let start = Instant::now();
            let dialled = in_time(cx, self.0.dial()).await;
            let line = dialled.map_err(|e| e.context(format!("console {}", self.0)))?;
            let stream = keep(Arc::clone(&self.0) as _, line, options.reconnect);
            Ok(self.reading(start, stream))
        })
    }
}
