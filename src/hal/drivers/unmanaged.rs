//! A machine that nobody drives: it tells what the operator gave, and refuses everything else. Nothing is ever sent.

use std::sync::Arc;
use std::time::Duration;

use crate::hal::bmc::Bmc;
use crate::hal::caps::{
    BmcReset, Boot, EventLog, Identity, Inventory, Led, Metrics, Network, Power, Raw, Sensors,
    Supplies, Users,
};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::event::LogEntry;
use crate::hal::model::fru::FruDevice;
use crate::hal::model::info::Info;
use crate::hal::model::lan::LanInfo;
use crate::hal::model::metrics::{PowerMetrics, PowerSupply};
use crate::hal::model::power::PowerOutcome;
use crate::hal::model::raw::RawReply;
use crate::hal::model::sensor::SensorValue;
use crate::hal::model::user::{NewUser, User};
use crate::hal::model::{
    BootState, BoxFuture, Cx, DriverName, LedState, PowerAction, PowerState, Reading, Secret,
    Source,
};

/// Puts the driver into all slots of `bmc`.
pub fn attach(bmc: &mut Bmc, info: Info) {
    let driver = DriverName::Unmanaged;
    let machine = Arc::new(Unmanaged(info));
    bmc.power.push(driver, Arc::clone(&machine) as _);
    bmc.boot.push(driver, Arc::clone(&machine) as _);
    bmc.led.push(driver, Arc::clone(&machine) as _);
    bmc.identity.push(driver, Arc::clone(&machine) as _);
    bmc.inventory.push(driver, Arc::clone(&machine) as _);
    bmc.sensors.push(driver, Arc::clone(&machine) as _);
    bmc.event_log.push(driver, Arc::clone(&machine) as _);
    bmc.users.push(driver, Arc::clone(&machine) as _);
    bmc.network.push(driver, Arc::clone(&machine) as _);
    bmc.metrics.push(driver, Arc::clone(&machine) as _);
    bmc.supplies.push(driver, Arc::clone(&machine) as _);
    bmc.bmc_reset.push(driver, Arc::clone(&machine) as _);
    bmc.raw.push(driver, machine as _);
}

/// What the operator gave.
struct Unmanaged(Info);

type Answer<'a, T> = BoxFuture<'a, Result<Reading<T>>>;

fn refuse<'a, T: Send + 'a>(operation: &'static str) -> Answer<'a, T> {
    Box::pin(async move {
        Err(Error::new(Kind::Unsupported, operation)
            .with_source("the machine is unmanaged: nobody drives it")
            .with_hint("give it another driver to manage it"))
    })
}

impl Identity for Unmanaged {
    fn info<'a>(&'a self, _: &'a Cx) -> Answer<'a, Info> {
        let reading = Reading {
            value: self.0.clone(),
            source: Source::new(DriverName::Unmanaged, "operator"),
            took: Duration::ZERO,
        };
        Box::pin(async move { Ok(reading) })
    }
}

impl Power for Unmanaged {
    fn state<'a>(&'a self, _: &'a Cx) -> Answer<'a, PowerState> {
        refuse("power.state")
    }

    fn set<'a>(&'a self, _: &'a Cx, _: PowerAction, _: bool) -> Answer<'a, PowerOutcome> {
        refuse("power.set")
    }
}

impl Boot for Unmanaged {
    fn state<'a>(&'a self, _: &'a Cx) -> Answer<'a, BootState> {
        refuse("boot.state")
    }

    fn set<'a>(&'a self, _: &'a Cx, _: BootRequest) -> Answer<'a, BootState> {
        refuse("boot.set")
    }
}

impl Led for Unmanaged {
    fn state<'a>(&'a self, _: &'a Cx) -> Answer<'a, LedState> {
        refuse("led.state")
    }

    fn set<'a>(&'a self, _: &'a Cx, _: bool) -> Answer<'a, LedState> {
        refuse("led.set")
    }
}

impl Inventory for Unmanaged {
    fn fru<'a>(&'a self, _: &'a Cx, _: Option<u8>) -> Answer<'a, Vec<FruDevice>> {
        refuse("fru")
    }
}

impl Sensors for Unmanaged {
    fn sensors<'a>(&'a self, _: &'a Cx, _: bool) -> Answer<'a, Vec<SensorValue>> {
        refuse("sensors")
    }
}

impl EventLog for Unmanaged {
    fn entries<'a>(&'a self, _: &'a Cx) -> Answer<'a, Vec<LogEntry>> {
        refuse("sel")
    }

    fn clear<'a>(&'a self, _: &'a Cx) -> Answer<'a, ()> {
        refuse("sel.clear")
    }
}

impl Users for Unmanaged {
    fn users<'a>(&'a self, _: &'a Cx) -> Answer<'a, Vec<User>> {
        refuse("users")
    }

    fn create<'a>(&'a self, _: &'a Cx, _: &'a NewUser) -> Answer<'a, User> {
        refuse("users.create")
    }

    fn set_password<'a>(&'a self, _: &'a Cx, _: &'a str, _: &'a Secret) -> Answer<'a, User> {
        refuse("users.set-password")
    }

    fn set_enabled<'a>(&'a self, _: &'a Cx, _: &'a str, _: bool) -> Answer<'a, User> {
        refuse("users.set-enabled")
    }

    fn delete<'a>(&'a self, _: &'a Cx, _: &'a str) -> Answer<'a, ()> {
        refuse("users.delete")
    }
}

impl Network for Unmanaged {
    fn lan<'a>(&'a self, _: &'a Cx) -> Answer<'a, LanInfo> {
        refuse("lan")
    }
}

impl Metrics for Unmanaged {
    fn power_metrics<'a>(&'a self, _: &'a Cx) -> Answer<'a, PowerMetrics> {
        refuse("power-metrics")
    }
}

impl Supplies for Unmanaged {
    fn power_supplies<'a>(&'a self, _: &'a Cx) -> Answer<'a, Vec<PowerSupply>> {
        refuse("power-supplies")
    }
}

impl BmcReset for Unmanaged {
    fn bmc_reset<'a>(&'a self, _: &'a Cx) -> Answer<'a, ()> {
        refuse("bmc-reset")
    }
}

impl Raw for Unmanaged {
    fn raw<'a>(&'a self, _: &'a Cx, _: u8, _: u8, _: Vec<u8>) -> Answer<'a, RawReply> {
        refuse("raw")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[tokio::test]
    async fn tells_what_was_given_and_refuses_the_rest() {
        let info = Info {
            vendor: Some("Contoso".to_owned()),
            ..Info::default()
        };
        let mut bmc = Bmc::default();
        attach(&mut bmc, info.clone());
        let cx = Cx::until(Instant::now());
        let got = bmc.identity.call("info", |i| i.info(&cx)).await.unwrap();
        assert_eq!(
            (got.value, got.source.to_string()),
            (info, "unmanaged".to_owned())
        );
        let set = bmc
            .power
            .call("power.set", |p| p.set(&cx, PowerAction::Off, true));
        let error = set.await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert_eq!(
            error.chain(),
            "power.set: the machine is unmanaged: nobody drives it"
        );
        let raw = bmc.raw.call("raw", |r| r.raw(&cx, 6, 1, Vec::new())).await;
        assert_eq!(raw.unwrap_err().kind(), Kind::Unsupported);
    }
}
