//! The BMC's LAN channel and its IPv4 configuration.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use super::{is_answer, reading};
use crate::hal::caps::Network;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::app::{GetChannelInfo, PRESENT_CHANNEL};
use crate::hal::ipmi::cmd::transport::{
    GetLanConfigurationParameters, IpSource, LanParameter, lan_selector,
};
use crate::hal::ipmi::cmd::{Command, Privilege};
use crate::hal::ipmi::exchange::{finish, run};
use crate::hal::ipmi::{Exchange, Request};
use crate::hal::model::lan::LanInfo;
use crate::hal::model::{BoxFuture, Cx, MacAddr, Reading};

/// The highest channel number that can be a LAN (§6.3: 0xC..0xF have fixed meanings).
const LAST_CHANNEL: u8 = 0x0b;

/// LAN configuration over IPMI.
pub struct IpmiNetwork(pub Arc<dyn Exchange>);

impl fmt::Debug for IpmiNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpmiNetwork").finish_non_exhaustive()
    }
}

/// A LAN channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LanChannel {
    /// Its number.
    pub number: u8,
    /// Its MAC, if the BMC tells a possible one.
    pub mac: Option<MacAddr>,
    /// Its address, if it is known already and set.
    pub ip: Option<Ipv4Addr>,
}

impl Network for IpmiNetwork {
    fn lan<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<LanInfo>>> {
        Box::pin(async move {
            let start = Instant::now();
            let bmc = &*self.0;
            bmc.expect(Privilege::Operator);
            let channel = lan_channel(bmc, cx).await?;
            let selectors = [
                lan_selector::IP,
                lan_selector::IP_SOURCE,
                lan_selector::SUBNET_MASK,
                lan_selector::GATEWAY,
                lan_selector::VLAN_ID,
            ];
            let answers = parameters(bmc, cx, channel.number, &selectors).await;
            let mut info = LanInfo {
                channel: Some(channel.number),
                mac: channel.mac,
                ..LanInfo::default()
            };
            let mut refusal = None;
            for answer in answers {
                match answer {
                    Ok(parameter) => fill(&mut info, &parameter),
                    Err(error) if is_answer(&error) => refusal = refusal.or(Some(error)),
                    Err(error) => return Err(error),
                }
            }
            match refusal {
                Some(error) if info.mac.is_none() && info.source.is_none() && info.ip.is_none() => {
                    Err(error)
                }
                _ => Ok(reading(start, GetLanConfigurationParameters::NAME, info)),
            }
        })
    }
}

/// Puts a parameter where it belongs. Addresses of zeroes are unset.
fn fill(info: &mut LanInfo, parameter: &LanParameter) {
    let set = |ip: &Ipv4Addr| (!ip.is_unspecified()).then_some(*ip);
    match parameter {
        LanParameter::Ip(ip) => info.ip = set(ip),
        LanParameter::SubnetMask(mask) => info.netmask = set(mask),
        LanParameter::Gateway(ip) => info.gateway = set(ip),
        LanParameter::IpSource(source) => info.source = Some(source_name(*source)),
        LanParameter::Vlan(tag) => info.vlan = tag.id(),
        _ => {}
    }
}

/// The words of the public JSON. The upper four bits of the byte are reserved, and not always zero.
pub fn source_name(source: IpSource) -> String {
    let name = match IpSource(source.0 & 0x0f) {
        IpSource::UNSPECIFIED => "unspecified",
        IpSource::STATIC => "static",
        IpSource::DHCP => "dhcp",
        IpSource::BIOS => "bios",
        _ => "other",
    };
    name.to_owned()
}

/// Parameters of a channel, in the order asked for.
pub async fn parameters(
    bmc: &dyn Exchange,
    cx: &Cx,
    channel: u8,
    selectors: &[u8],
) -> Vec<Result<LanParameter>> {
    let commands: Vec<_> = selectors
        .iter()
        .map(|selector| GetLanConfigurationParameters::of(channel, *selector))
        .collect();
    let answers = bmc
        .exchange_all(cx, commands.iter().map(Request::of).collect())
        .await;
    commands
        .iter()
        .zip(answers)
        .map(|(command, answer)| finish(command, &answer?).map(|reply| reply.parameter))
        .collect()
}

/// Finds the LAN channel: the one that the request came by if it is one, else among 1..=0xB the first with an
/// address, else with a MAC, else of that medium at all. BMCs answer Get Channel Info in odd ways (OpenBMC
/// calls its Ethernet "other LAN", Penguin and Intel S9200WK have it on 2 and 3): only a channel that has a MAC
/// is believed at once.
pub async fn lan_channel(bmc: &dyn Exchange, cx: &Cx) -> Result<LanChannel> {
    let present = GetChannelInfo {
        channel: PRESENT_CHANNEL,
    };
    match run(bmc, cx, &present).await {
        Ok(info) if info.medium.is_lan() && (1..=LAST_CHANNEL).contains(&info.channel) => {
            let channel = look_at(bmc, cx, info.channel).await?;
            if channel.mac.is_some() {
                return Ok(channel);
            }
        }
        Ok(_) => {}
        Err(error) if is_answer(&error) => {}
        Err(error) => return Err(error),
    }
    let all: Vec<_> = (1..=LAST_CHANNEL)
        .map(|channel| GetChannelInfo { channel })
        .collect();
    let answers = bmc
        .exchange_all(cx, all.iter().map(Request::of).collect())
        .await;
    let mut best: Option<LanChannel> = None;
    let mut refusal = None;
    for (command, answer) in all.iter().zip(answers) {
        match answer.and_then(|answer| finish(command, &answer)) {
            Ok(info) if info.medium.is_lan() => {
                let channel = look_at(bmc, cx, command.channel).await?;
                let worth = |c: &LanChannel| (c.mac.is_some(), c.ip.is_some());
                if best
                    .as_ref()
                    .is_none_or(|best| worth(&channel) > worth(best))
                {
                    best = Some(channel);
                }
            }
            Ok(_) => {}
            Err(error) if is_answer(&error) => refusal = refusal.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    match (best, refusal) {
        (Some(channel), _) => Ok(channel),
        (None, Some(error)) if error.kind() == Kind::Privilege => Err(error),
        (None, _) => Err(Error::new(
            Kind::Unsupported,
            "no channel of this BMC is a LAN channel",
        )),
    }
}

/// MAC and address of a channel, as far as the BMC gives them away.
async fn look_at(bmc: &dyn Exchange, cx: &Cx, number: u8) -> Result<LanChannel> {
    let mut channel = LanChannel {
        number,
        mac: None,
        ip: None,
    };
    for answer in parameters(bmc, cx, number, &[lan_selector::MAC, lan_selector::IP]).await {
        match answer {
            Ok(LanParameter::Mac(mac)) => channel.mac = mac.is_usable().then_some(mac),
            Ok(LanParameter::Ip(ip)) => channel.ip = (!ip.is_unspecified()).then_some(ip),
            Ok(_) => {}
            Err(error) if is_answer(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(channel)
}

#[cfg(test)]
mod tests;
