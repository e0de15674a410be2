//! The way to a BMC's console.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::discover::Doors;
use crate::hal::Result;
use crate::hal::model::console::{ConsoleOptions, ConsoleStream};
use crate::hal::model::{BoxFuture, Cx, MacAddr};
use crate::inventory::Record;

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(30);

/// A line that was opened.
pub struct Upstream {
    /// Its characters.
    pub stream: ConsoleStream,
    /// What carries it, as in all readings.
    pub by: String,
    /// What has to be kept so long: the BMC, whose session others share.
    pub keep: Box<dyn Any + Send>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

/// Opens consoles.
pub trait Opener: Send + Sync {
    /// The row of a BMC as it is now, if there is one.
    fn row(&self, mac: MacAddr) -> BoxFuture<'_, Option<Arc<Record>>>;

    /// The console of the BMC of a row.
    fn open<'a>(
        &'a self,
        row: &'a Record,
        options: ConsoleOptions,
    ) -> BoxFuture<'a, Result<Upstream>>;
}

/// Does a row still lead to the same console?
pub(super) fn leads_to_the_same(one: &Record, other: &Record) -> bool {
    let way = |r: &Record| (r.address, r.chosen_driver, r.policy, r.removed);
    way(one) == way(other)
        && one.ipmi == other.ipmi
        && one.redfish == other.redfish
        && one.untrusted == other.untrusted
        && one.console_url == other.console_url
}

impl Opener for Doors {
    fn row(&self, mac: MacAddr) -> BoxFuture<'_, Option<Arc<Record>>> {
        Box::pin(async move { self.store().get(mac).await.ok().flatten() })
    }

    fn open<'a>(
        &'a self,
        row: &'a Record,
        options: ConsoleOptions,
    ) -> BoxFuture<'a, Result<Upstream>> {
        Box::pin(async move {
            let mut cx = Cx::until(Instant::now() + CONNECT);
            cx.request_id = row.mac.to_string().into();
            // Without a turn: whoever waits for a machine to shut down wants to see its console meanwhile.
            let bmc = self.console(row, &cx).await?;
            let opened = bmc
                .console
                .call("console", |c| c.open(&cx, options.clone()))
                .await?;
            Ok(Upstream {
                by: opened.source.to_string(),
                stream: opened.value,
                keep: Box::new(bmc),
            })
        })
    }
}
