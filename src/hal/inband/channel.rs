//! What the LAN channel needs beside an account: serial console, address source.

use crate::hal::drivers::ipmi::lan::parameters;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::{AccessMode, GetChannelAccess, Stored};
use crate::hal::ipmi::cmd::transport::{
    GetSolConfigurationParameters, IpSource, LanParameter, SetLanConfigurationParameters,
    SetSolConfigurationParameters, SolParameter, lan_selector, sol_selector,
};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::Cx;

use super::found::{is_answer, optional};

/// Is IPMI over the channel off?
pub async fn is_off(bmc: &dyn Exchange, cx: &Cx, channel: u8) -> Result<bool> {
    let copy = Stored::Volatile;
    let access = optional(run(bmc, cx, &GetChannelAccess { channel, copy }).await)?;
    Ok(access.is_some_and(|a| a.mode == AccessMode::DISABLED))
}

/// Serial over LAN on. BMCs without it stay as they are.
pub(super) async fn console(bmc: &dyn Exchange, cx: &Cx, channel: u8) -> Result<()> {
    let read = GetSolConfigurationParameters {
        channel,
        selector: sol_selector::ENABLE,
        set: 0,
        block: 0,
    };
    let now = optional(run(bmc, cx, &read).await)?.map(|reply| reply.parameter);
    if !matches!(now, Some(SolParameter::Enable(on)) if on & 1 == 0) {
        return Ok(());
    }
    let command = SetSolConfigurationParameters {
        channel,
        parameter: SolParameter::Enable(1),
    };
    optional(run(bmc, cx, &command).await).map(|_| ())
}

/// Lets the BMC ask DHCP for its address.
pub(super) async fn dhcp(bmc: &dyn Exchange, cx: &Cx, channel: u8) -> Result<()> {
    if is_dhcp(bmc, cx, channel).await? {
        return Ok(());
    }
    let command = SetLanConfigurationParameters {
        channel,
        parameter: LanParameter::IpSource(IpSource::DHCP),
    };
    run(bmc, cx, &command)
        .await
        .map_err(|e| e.context("letting the BMC ask DHCP for its address"))?;
    if is_dhcp(bmc, cx, channel).await? {
        return Ok(());
    }
    Err(Error::new(
        Kind::Refused,
        "the BMC says yes to DHCP as the source of its address and does not keep it",
    ))
}

async fn is_dhcp(bmc: &dyn Exchange, cx: &Cx, channel: u8) -> Result<bool> {
    for answer in parameters(bmc, cx, channel, &[lan_selector::IP_SOURCE]).await {
        match answer {
            Ok(LanParameter::IpSource(source)) => return Ok(source.0 & 0x0f == IpSource::DHCP.0),
            Ok(_) => {}
            Err(error) if is_answer(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
