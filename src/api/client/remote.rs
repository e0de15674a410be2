//! Capabilities of a BMC behind the daemon: each call is one RPC, its value has the source that the daemon names.

use std::sync::Arc;
use std::time::Instant;

use super::{Bearing, Client, MESSAGE, answer, new_id, request};
use crate::api::convert::{reading, secret, values};
use crate::api::proto::{self, BmcRequest};
use crate::hal::Result;
use crate::hal::bmc::Bmc;
use crate::hal::caps;
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
};

/// One BMC behind the daemon.
struct Remote {
    channel: Bearing,
    bmc: String,
}

/// Puts the BMC that `key` names (MAC, UUID, address, prefix) into the slots of `bmc`. Nothing is sent yet. Which
/// driver answers is the daemon's choice and stands in every reading.
pub fn attach(bmc: &mut Bmc, client: &Client, key: &str) {
    let remote = Arc::new(Remote {
        channel: client.channel.clone(),
        bmc: key.to_owned(),
    });
    let driver = DriverName::Unmanaged;
    bmc.power.push(driver, remote.clone());
    bmc.boot.push(driver, remote.clone());
    bmc.led.push(driver, remote.clone());
    bmc.identity.push(driver, remote.clone());
    bmc.inventory.push(driver, remote.clone());
    bmc.sensors.push(driver, remote.clone());
    bmc.event_log.push(driver, remote.clone());
    bmc.users.push(driver, remote.clone());
    bmc.users
        .push(DriverName::Ipmi, Arc::new(IpmiUsers(remote.clone())));
    bmc.network.push(driver, remote.clone());
    bmc.metrics.push(driver, remote.clone());
    bmc.supplies.push(driver, remote.clone());
    bmc.bmc_reset.push(driver, remote.clone());
    bmc.raw.push(driver, remote);
}

impl Remote {
    fn one(&self) -> BmcRequest {
        BmcRequest {
            bmc: self.bmc.clone(),
        }
    }
}

/// A client of one service.
macro_rules! service {
    ($remote:expr, $module:ident, $client:ident) => {
        proto::$module::$client::new($remote.channel.clone()).max_decoding_message_size(MESSAGE)
    };
}

/// Boxes one call: message, answer, value.
macro_rules! call {
    ($self:ident, $cx:ident, $module:ident :: $client:ident . $method:ident ($message:expr), |$m:ident| $value:expr) => {
        Box::pin(async move {
            let service = service!($self, $module, $client);
            let message = $message;
            let $m = answer($cx, || {
                let (mut service, request) = (service.clone(), request($cx, message.clone()));
                async move { service.$method(request).await }
            })
            .await?;
            Ok($value)
        })
    };
}

impl caps::Power for Remote {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<PowerState>>> {
        call!(
            self,
            cx,
            power_service_client::PowerServiceClient.get_state(self.one()),
            |m| reading(values::power_state_of(m.state), m.source)
        )
    }

    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        action: PowerAction,
        wait: bool,
    ) -> BoxFuture<'a, Result<Reading<PowerOutcome>>> {
        let left = cx.deadline.saturating_duration_since(Instant::now());
        let message = proto::SetPowerRequest {
            bmc: self.bmc.clone(),
            action: values::action(action),
            wait,
            request_id: new_id(),
            patience: prost_types::Duration::try_from(left).ok(),
        };
        call!(
            self,
            cx,
            power_service_client::PowerServiceClient.set(message),
            |m| {
                let outcome = PowerOutcome {
                    state: values::power_state_of(m.state),
                    verified: values::verified_of(m.verified),
                };
                reading(outcome, m.source)
            }
        )
    }
}

impl caps::Boot for Remote {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>> {
        call!(
            self,
            cx,
            boot_service_client::BootServiceClient.get_state(self.one()),
            |m| reading(values::boot_of(&m), m.source)
        )
    }

    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        boot: BootRequest,
    ) -> BoxFuture<'a, Result<Reading<BootState>>> {
        let message = proto::SetBootRequest {
            bmc: self.bmc.clone(),
            target: values::boot_target(boot.target),
            mode: values::mode(Some(boot.mode)),
            persistent: boot.persistent,
            request_id: new_id(),
        };
        call!(
            self,
            cx,
            boot_service_client::BootServiceClient.set(message),
            |m| reading(values::boot_of(&m), m.source)
        )
    }
}

impl caps::Led for Remote {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<LedState>>> {
        call!(
            self,
            cx,
            led_service_client::LedServiceClient.get_state(self.one()),
            |m| reading(values::led_state_of(m.state), m.source)
        )
    }

    fn set<'a>(&'a self, cx: &'a Cx, on: bool) -> BoxFuture<'a, Result<Reading<LedState>>> {
        let message = proto::SetLedRequest {
            bmc: self.bmc.clone(),
            on,
            request_id: new_id(),
        };
        call!(
            self,
            cx,
            led_service_client::LedServiceClient.set(message),
            |m| reading(values::led_state_of(m.state), m.source)
        )
    }
}

impl caps::Identity for Remote {
    fn info<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Info>>> {
        call!(
            self,
            cx,
            machine_service_client::MachineServiceClient.info(self.one()),
            |m| {
                let source = m.source.clone();
                reading(values::info_of(m), source)
            }
        )
    }
}

impl caps::Inventory for Remote {
    fn fru<'a>(
        &'a self,
        cx: &'a Cx,
        id: Option<u8>,
    ) -> BoxFuture<'a, Result<Reading<Vec<FruDevice>>>> {
        let message = proto::FruRequest {
            bmc: self.bmc.clone(),
            id: id.map(Into::into),
        };
        call!(
            self,
            cx,
            machine_service_client::MachineServiceClient.fru(message),
            |m| reading(
                m.devices.into_iter().map(values::fru_of).collect(),
                m.source,
            )
        )
    }
}

impl caps::Network for Remote {
    fn lan<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<LanInfo>>> {
        call!(
            self,
            cx,
            machine_service_client::MachineServiceClient.lan(self.one()),
            |m| reading(values::lan_of(&m), m.source)
        )
    }
}

impl caps::BmcReset for Remote {
    fn bmc_reset<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<()>>> {
        let message = proto::ResetBmcRequest {
            bmc: self.bmc.clone(),
            request_id: new_id(),
        };
        call!(
            self,
            cx,
            machine_service_client::MachineServiceClient.reset_bmc(message),
            |m| reading((), m.source)
        )
    }
}

impl caps::Raw for Remote {
    fn raw<'a>(
        &'a self,
        cx: &'a Cx,
        netfn: u8,
        cmd: u8,
        data: Vec<u8>,
    ) -> BoxFuture<'a, Result<Reading<RawReply>>> {
        let message = proto::RawRequest {
            bmc: self.bmc.clone(),
            netfn: netfn.into(),
            cmd: cmd.into(),
            data,
            request_id: new_id(),
        };
        call!(
            self,
            cx,
            machine_service_client::MachineServiceClient.raw(message),
            |m| {
                let reply = RawReply {
                    completion_code: u8::try_from(m.completion_code).unwrap_or(u8::MAX),
                    data: m.data,
                };
                reading(reply, m.source)
            }
        )
    }
}

impl caps::Sensors for Remote {
    fn sensors<'a>(
        &'a self,
        cx: &'a Cx,
        live_thresholds: bool,
    ) -> BoxFuture<'a, Result<Reading<Vec<SensorValue>>>> {
        let message = proto::SensorsRequest {
            bmc: self.bmc.clone(),
            live_thresholds,
        };
        call!(
            self,
            cx,
            telemetry_service_client::TelemetryServiceClient.sensors(message),
            |m| reading(
                m.sensors.into_iter().map(values::sensor_of).collect(),
                m.source,
            )
        )
    }
}

impl caps::Metrics for Remote {
    fn power_metrics<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<PowerMetrics>>> {
        call!(
            self,
            cx,
            telemetry_service_client::TelemetryServiceClient.power_metrics(self.one()),
            |m| reading(
                values::metrics_of(&m.watts.unwrap_or_default(), m.supplies),
                m.source,
            )
        )
    }
}

impl caps::Supplies for Remote {
    fn power_supplies<'a>(
        &'a self,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<Reading<Vec<PowerSupply>>>> {
        call!(
            self,
            cx,
            telemetry_service_client::TelemetryServiceClient.power_supplies(self.one()),
            |m| reading(values::supplies_of(m.supplies), m.source)
        )
    }
}

impl caps::EventLog for Remote {
    fn entries<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<LogEntry>>>> {
        call!(
            self,
            cx,
            event_log_service_client::EventLogServiceClient.entries(self.one()),
            |m| reading(
                m.entries.into_iter().map(values::entry_of).collect(),
                m.source,
            )
        )
    }

    fn clear<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<()>>> {
        let message = proto::ClearRequest {
            bmc: self.bmc.clone(),
            request_id: new_id(),
        };
        call!(
            self,
            cx,
            event_log_service_client::EventLogServiceClient.clear(message),
            |m| reading((), m.source)
        )
    }
}

impl caps::Users for Remote {
    fn users<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<User>>>> {
        call!(
            self,
            cx,
            user_service_client::UserServiceClient.list(self.one()),
            |m| reading(m.users.into_iter().map(values::user_of).collect(), m.source)
        )
    }

    fn create<'a>(&'a self, cx: &'a Cx, user: &'a NewUser) -> BoxFuture<'a, Result<Reading<User>>> {
        let message = proto::CreateUserRequest {
            bmc: self.bmc.clone(),
            name: user.name.clone(),
            password: Some(secret(&user.password)),
            role: values::role(user.role),
            console: user.console,
            request_id: new_id(),
        };
        call!(
            self,
            cx,
            user_service_client::UserServiceClient.create(message),
            |m| reading(values::user_of(m.user.unwrap_or_default()), m.source)
        )
    }

    fn set_password<'a>(
        &'a self,
        cx: &'a Cx,
        name: &'a str,
        password: &'a Secret,
    ) -> BoxFuture<'a, Result<Reading<User>>> {
        let message = proto::SetPasswordRequest {
            bmc: self.bmc.clone(),
            name: name.to_owned(),
            password: Some(secret(password)),
            request_id: new_id(),
        };
        call!(
            self,
            cx,
            user_service_client::UserServiceClient.set_password(message),
            |m| reading(values::user_of(m.user.unwrap_or_default()), m.source)
        )
    }

    fn set_enabled<'a>(
        &'a self,
        cx: &'a Cx,
        name: &'a str,
        enabled: bool,
    ) -> BoxFuture<'a, Result<Reading<User>>> {
        let message = proto::SetEnabledRequest {
            bmc: self.bmc.clone(),
            name: name.to_owned(),
            enabled,
            request_id: new_id(),
        };
        call!(
            self,
            cx,
            user_service_client::UserServiceClient.set_enabled(message),
            |m| reading(values::user_of(m.user.unwrap_or_default()), m.source)
        )
    }

    fn delete<'a>(&'a self, cx: &'a Cx, name: &'a str) -> BoxFuture<'a, Result<Reading<()>>> {
        let message = proto::DeleteUserRequest {
            bmc: self.bmc.clone(),
            name: name.to_owned(),
            request_id: new_id(),
        };
        call!(
            self,
            cx,
            user_service_client::UserServiceClient.delete(message),
            |m| reading((), m.source)
        )
    }
}

/// Accounts for IPMI alone: an account that is made here becomes the row's own.
struct IpmiUsers(Arc<Remote>);

impl caps::Users for IpmiUsers {
    fn users<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<User>>>> {
        self.0.users(cx)
    }

    fn create<'a>(&'a self, cx: &'a Cx, user: &'a NewUser) -> BoxFuture<'a, Result<Reading<User>>> {
        let remote = &*self.0;
        let message = proto::CreateIpmiUserRequest {
            bmc: remote.bmc.clone(),
            name: user.name.clone(),
            password: Some(secret(&user.password)),
            role: values::role(user.role),
            console: user.console,
            request_id: new_id(),
        };
        call!(
            remote,
            cx,
            user_service_client::UserServiceClient.create_ipmi_user(message),
            |m| reading(values::user_of(m.user.unwrap_or_default()), m.source)
        )
    }
}
