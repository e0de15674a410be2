//! What there is: the BMC's identity, its LAN channel and addresses, the account. Only reads.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::journal::Journal;
use crate::hal::drivers::ipmi::lan::{LanChannel, lan_channel, source_name};
use crate::hal::drivers::ipmi::users::slots;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::{DeviceId, GetDeviceId, GetSystemGuid};
use crate::hal::ipmi::cmd::transport::{GetLanConfigurationParameters, LanParameter, lan_selector};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::user::Role;
use crate::hal::model::{Cx, Guid, MacAddr};
use crate::hal::vendors;

/// The BMC as it was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Get Device ID.
    pub device: DeviceId,
    /// Get System GUID, where the BMC tells a usable one.
    pub guid: Option<Guid>,
    /// LAN channel.
    pub channel: u8,
    /// MAC address of that channel.
    pub mac: Option<MacAddr>,
    /// IPv4 address, if one is set.
    pub ip: Option<Ipv4Addr>,
    /// Where it comes from, in the words of the public JSON.
    pub ip_source: Option<String>,
    /// VLAN id, when one is used.
    pub vlan: Option<u16>,
    /// First IPv6 address that is in use.
    pub ipv6: Option<Ipv6Addr>,
}

/// An account as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its slot.
    pub id: u8,
    /// May it log in?
    pub enabled: bool,
    /// What it may do over the LAN.
    pub role: Role,
    /// May it use the LAN channel?
    pub channel_access: bool,
}

/// Looks at the BMC. A BMC that still starts is waited for.
pub async fn look(bmc: &Journal<'_>, cx: &Cx) -> Result<Found> {
    let mut found = Found {
        device: device(bmc, cx).await?,
        ..Found::default()
    };
    vendors::learn(bmc, cx).await?;
    found.guid = optional(run(bmc, cx, &GetSystemGuid).await)?.filter(|g| !g.is_blank());
    let LanChannel { number, mac, ip } = lan_channel(bmc, cx).await?;
    (found.channel, found.mac, found.ip) = (number, mac, ip);
    if mac.is_none() {
        bmc.warn(format!("LAN channel {number} tells no MAC address"));
    }
    if let Some(LanParameter::IpSource(source)) =
        parameter(bmc, cx, number, lan_selector::IP_SOURCE).await?
    {
        found.ip_source = Some(source_name(source));
    }
    if let Some(LanParameter::Vlan(tag)) = parameter(bmc, cx, number, lan_selector::VLAN_ID).await?
    {
        found.vlan = tag.id();
    }
    found.ipv6 = ipv6(bmc, cx, number).await?;
    Ok(found)
}

/// Get Device ID, until the BMC is through with its start.
async fn device(bmc: &Journal<'_>, cx: &Cx) -> Result<DeviceId> {
    let mut said = false;
    loop {
        match run(bmc, cx, &GetDeviceId).await {
            Ok(device) => {
                bmc.learnt().update(|learnt| {
                    learnt.manufacturer = Some(device.manufacturer);
                    learnt.product = Some(device.product);
                });
                return Ok(device);
            }
            Err(error) if error.kind() == Kind::Busy && !cx.cancel.is_cancelled() => {
                if !said {
                    bmc.say("the BMC is busy or starting, waiting for it");
                    said = true;
                }
                let next = tokio::time::Instant::now() + Duration::from_secs(2);
                if next.into_std() >= cx.deadline {
                    return Err(error.context("asking the BMC who it is"));
                }
                tokio::time::sleep_until(next).await;
            }
            Err(error) => return Err(error.context("asking the BMC who it is")),
        }
    }
}

/// The account of that name on the LAN channel.
pub async fn account(
    bmc: &dyn Exchange,
    cx: &Cx,
    channel: u8,
    user: &str,
) -> Result<Option<Account>> {
    let table = slots::table(bmc, cx, channel).await?;
    Ok(of(&table, user))
}

/// The account of that name in a table.
pub(super) fn of(table: &slots::Table, user: &str) -> Option<Account> {
    let slot = table.named(user)?;
    let known = slot.user();
    Some(Account {
        id: slot.id,
        enabled: known.as_ref().is_some_and(|u| u.enabled),
        role: known.as_ref().map_or(Role::None, |u| u.role),
        channel_access: known.is_some_and(|u| u.channel_access),
    })
}

/// One LAN parameter; `None` when the BMC does not have it.
async fn parameter(
    bmc: &dyn Exchange,
    cx: &Cx,
    channel: u8,
    selector: u8,
) -> Result<Option<LanParameter>> {
    let command = GetLanConfigurationParameters::of(channel, selector);
    let reply = optional(run(bmc, cx, &command).await)?;
    Ok(reply.map(|reply| reply.parameter))
}

/// The first IPv6 address in use: static ones before those of the network.
async fn ipv6(bmc: &dyn Exchange, cx: &Cx, channel: u8) -> Result<Option<Ipv6Addr>> {
    match parameter(bmc, cx, channel, lan_selector::IPV6_ENABLES).await? {
        Some(LanParameter::Ipv6Enables(enables)) if enables != 0 => {}
        _ => return Ok(None),
    }
    for selector in [
        lan_selector::IPV6_STATIC_ADDRESS,
        lan_selector::IPV6_DYNAMIC_ADDRESS,
    ] {
        let entry = match parameter(bmc, cx, channel, selector).await? {
            Some(LanParameter::Ipv6StaticAddress(e)) if e.source & 0x80 != 0 => e,
            Some(LanParameter::Ipv6DynamicAddress(e)) => e,
            _ => continue,
        };
        if !entry.address.is_unspecified() && entry.status.is_none_or(|s| s == 0) {
            return Ok(Some(entry.address));
        }
    }
    Ok(None)
}

/// Did the BMC answer, only not with what was asked for? Then others may still work.
pub(super) fn is_answer(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Unsupported | Kind::Refused | Kind::Privilege | Kind::Protocol
    )
}

/// `None` where the BMC has an answer, only not this one.
pub(super) fn optional<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_answer(&error) => {
            log::debug!("{}", error.chain());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
