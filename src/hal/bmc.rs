//! One BMC as a set of capability slots.
//!
//! Per capability an ordered list of implementations, the preferred driver first; overwrites replace or reorder
//! them. [`Slots::call`] is the one dispatcher: it alone decides when the next implementation is asked.

mod reinstall;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::caps;
use super::error::{Error, Kind, Result};
use super::meter;
use super::model::{BoxFuture, DriverName};

/// One implementation of a capability.
pub struct Slot<T: ?Sized> {
    /// The driver that it belongs to.
    pub driver: DriverName,
    /// The vendor overwrite that made it, if any.
    pub overwrite: Option<&'static str>,
    /// The implementation.
    pub implementation: Arc<T>,
}

impl<T: ?Sized> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("driver", &self.driver)
            .field("overwrite", &self.overwrite)
            .finish_non_exhaustive()
    }
}

/// The implementations of one capability, the preferred one first.
pub struct Slots<T: ?Sized>(Vec<Slot<T>>);

impl<T: ?Sized> fmt::Debug for Slots<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl<T: ?Sized> Default for Slots<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: ?Sized> Slots<T> {
    /// Adds an implementation behind those that are there.
    pub fn push(&mut self, driver: DriverName, implementation: Arc<T>) {
        self.0.push(Slot {
            driver,
            overwrite: None,
            implementation,
        });
    }

    /// Lets `vendor` replace the implementation of `driver`; the old one is handed in to be kept inside.
    pub fn overwrite(
        &mut self,
        driver: DriverName,
        vendor: &'static str,
        wrap: impl FnOnce(Arc<T>) -> Arc<T>,
    ) {
        if let Some(slot) = self.0.iter_mut().find(|s| s.driver == driver) {
            slot.implementation = wrap(Arc::clone(&slot.implementation));
            slot.overwrite = Some(vendor);
        }
    }

    /// Puts something around the implementation of `driver`, as a part of that driver.
    pub fn wrap(&mut self, driver: DriverName, wrap: impl FnOnce(Arc<T>) -> Arc<T>) {
        if let Some(slot) = self.0.iter_mut().find(|s| s.driver == driver) {
            slot.implementation = wrap(Arc::clone(&slot.implementation));
        }
    }

    /// All implementations, the preferred one first.
    pub fn iter(&self) -> impl Iterator<Item = &Slot<T>> {
        self.0.iter()
    }

    /// The drivers that have an implementation, the preferred one first.
    pub fn drivers(&self) -> impl Iterator<Item = DriverName> {
        self.0.iter().map(|slot| slot.driver)
    }

    /// Runs `operation` on the first implementation; on the next one only when the one before refused without
    /// acting ([`Kind::falls_through`]). With no implementation it is `Unsupported`. The first refusal is
    /// returned when all refuse: it is the preferred driver's.
    pub async fn call<'a, R>(
        &'a self,
        operation: &'static str,
        f: impl Fn(&'a T) -> BoxFuture<'a, Result<R>>,
    ) -> Result<R> {
        let mut first: Option<Error> = None;
        for slot in &self.0 {
            let begun = Instant::now();
            let done = f(&slot.implementation).await;
            let failed = done.as_ref().err().map(Error::kind);
            meter::note(operation, slot.driver, begun.elapsed(), failed);
            match done {
                Ok(value) => return Ok(value),
                Err(error) if error.kind().falls_through() => {
                    log::debug!("{operation}: {} refused: {}", slot.driver, error.chain());
                    first.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first.unwrap_or_else(|| {
            Error::new(
                Kind::Unsupported,
                format!("{operation}: no driver of this BMC has it"),
            )
        }))
    }
}

/// One BMC: a slot list per capability.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each field is the capability of that name")]
pub struct Bmc {
    pub power: Slots<dyn caps::Power>,
    pub boot: Slots<dyn caps::Boot>,
    pub led: Slots<dyn caps::Led>,
    pub identity: Slots<dyn caps::Identity>,
    pub inventory: Slots<dyn caps::Inventory>,
    pub sensors: Slots<dyn caps::Sensors>,
    pub event_log: Slots<dyn caps::EventLog>,
    pub users: Slots<dyn caps::Users>,
    pub network: Slots<dyn caps::Network>,
    pub metrics: Slots<dyn caps::Metrics>,
    pub supplies: Slots<dyn caps::Supplies>,
    pub bmc_reset: Slots<dyn caps::BmcReset>,
    pub console: Slots<dyn caps::Console>,
    pub raw: Slots<dyn caps::Raw>,
    pub evidence: Slots<dyn caps::Evidence>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::model::{Cx, LedState, Reading, Source};
    use std::time::Duration;

    struct Fixed(Result<LedState, Kind>);

    impl caps::Led for Fixed {
        fn state<'a>(&'a self, _: &'a Cx) -> BoxFuture<'a, Result<Reading<LedState>>> {
            let out = match self.0 {
                Ok(value) => Ok(Reading {
                    value,
                    source: Source::new(DriverName::Redfish, "x"),
                    took: Duration::ZERO,
                }),
                Err(kind) => Err(Error::new(kind, "no")),
            };
            Box::pin(async move { out })
        }

        fn set<'a>(&'a self, cx: &'a Cx, _: bool) -> BoxFuture<'a, Result<Reading<LedState>>> {
            self.state(cx)
        }
    }

    async fn two(
        first: Result<LedState, Kind>,
        second: Result<LedState, Kind>,
    ) -> Result<LedState, Kind> {
        let mut bmc = Bmc::default();
        bmc.led.push(DriverName::Redfish, Arc::new(Fixed(first)));
        bmc.led.push(DriverName::Ipmi, Arc::new(Fixed(second)));
        let cx = Cx::until(Instant::now());
        bmc.led
            .call("led.state", |l| l.state(&cx))
            .await
            .map(|r| r.value)
            .map_err(|e| e.kind())
    }

    #[tokio::test]
    async fn falls_through_only_when_nothing_was_done() {
        assert_eq!(
            two(Err(Kind::Unsupported), Ok(LedState::On)).await,
            Ok(LedState::On)
        );
        assert_eq!(
            two(Err(Kind::Timeout), Ok(LedState::On)).await,
            Err(Kind::Timeout)
        );
        assert_eq!(
            two(Err(Kind::Auth), Ok(LedState::On)).await,
            Err(Kind::Auth)
        );
        assert_eq!(
            two(Err(Kind::NeedsLicense), Err(Kind::Unsupported)).await,
            Err(Kind::NeedsLicense)
        );
    }

    #[tokio::test]
    async fn no_slot_is_unsupported() {
        let bmc = Bmc::default();
        let cx = Cx::until(Instant::now());
        let got = bmc.led.call("led.state", |l| l.state(&cx)).await;
        assert_eq!(got.unwrap_err().kind(), Kind::Unsupported);
    }
}
