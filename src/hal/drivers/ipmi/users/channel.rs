//! Who may come in by a channel at all: its access, and its cipher suites.

use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::{
    AccessMode, ChannelAccess, GetChannelAccess, PrivilegeLevel, SetChannelAccess, Stored,
};
use crate::hal::ipmi::cmd::transport::{
    CipherSuitePrivileges, GetLanConfigurationParameters, LanParameter,
    SetLanConfigurationParameters, lan_selector,
};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::Cx;

use super::super::is_answer;

/// Suites that check passwords and hide what is said.
const GOOD: &[u8] = &[3, 8, 12, 17];
/// Suites that let anybody in, or anybody listen and change.
const OPEN: &[u8] = &[0, 1];

/// Makes `channel` available always and up to `limit`, in both of its copies. Read first; a record that does already
/// is left alone, a higher limit (OEM) stays, and whole records are written: some BMCs refuse parts. A BMC that keeps
/// its own mind is only logged; the account is there all the same.
pub async fn open(bmc: &dyn Exchange, cx: &Cx, channel: u8, limit: PrivilegeLevel) -> Result<()> {
    for copy in [Stored::NonVolatile, Stored::Volatile] {
        let have = match run(bmc, cx, &GetChannelAccess { channel, copy }).await {
            Ok(have) => have,
            Err(error) if is_answer(&error) => {
                log::info!(
                    "access of channel {channel} cannot be read: {}",
                    error.chain()
                );
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some(access) = wanted(have, limit) else {
            continue;
        };
        let set = SetChannelAccess {
            channel,
            settings: copy,
            limit: copy,
            access,
        };
        let mut refusal = None;
        match run(bmc, cx, &set).await {
            Ok(()) => {}
            Err(error) if is_answer(&error) => refusal = Some(error.chain()),
            Err(error) => return Err(error),
        }
        let kept = match run(bmc, cx, &GetChannelAccess { channel, copy }).await {
            Ok(now) => wanted(now, limit).is_none(),
            Err(error) if is_answer(&error) => false,
            Err(error) => return Err(error),
        };
        if !kept {
            let why = refusal.unwrap_or_else(|| "it says yes and does not keep it".to_owned());
            log::warn!("channel {channel} is not open to {limit}: {why}");
        }
    }
    Ok(())
}

/// The record that `have` must become; `None` when it does already.
fn wanted(have: ChannelAccess, limit: PrivilegeLevel) -> Option<ChannelAccess> {
    let open = matches!(have.mode, AccessMode::ALWAYS | AccessMode::SHARED);
    // Limits of 0 and beyond OEM are reserved; boards come with such.
    let enough = have.limit >= limit && have.limit.0 <= 5;
    (!open || !enough || have.no_user_level_auth).then_some(ChannelAccess {
        mode: if open { have.mode } else { AccessMode::ALWAYS },
        limit: if enough { have.limit } else { limit },
        no_user_level_auth: false,
        no_per_message_auth: false,
        ..have
    })
}

/// The ids of the channel's cipher suites and how far they let in; `None` where the BMC does not tell.
async fn suites(
    bmc: &dyn Exchange,
    cx: &Cx,
    channel: u8,
) -> Result<Option<(Vec<u8>, CipherSuitePrivileges)>> {
    let mut found = (None, None, None);
    for selector in [
        lan_selector::CIPHER_SUITE_SUPPORT,
        lan_selector::CIPHER_SUITE_ENTRIES,
        lan_selector::CIPHER_SUITE_PRIVILEGES,
    ] {
        let get = GetLanConfigurationParameters::of(channel, selector);
        match run(bmc, cx, &get).await.map(|reply| reply.parameter) {
            Ok(LanParameter::CipherSuiteSupport(count)) => {
                found.0 = Some(usize::from(count & 0x1f));
            }
            Ok(LanParameter::CipherSuiteEntries(entries)) => found.1 = Some(entries.ids),
            Ok(LanParameter::CipherSuitePrivileges(levels)) => found.2 = Some(levels),
            Ok(_) => return Ok(None),
            Err(error) if is_answer(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let (Some(count), Some(mut ids), Some(levels)) = found else {
        return Ok(None);
    };
    ids.truncate(count);
    Ok(Some((ids, levels)))
}

/// Is a suite open that lets anybody in, or anybody listen (0, 1)? `false` where the BMC does not tell.
pub async fn unguarded(bmc: &dyn Exchange, cx: &Cx, channel: u8) -> Result<bool> {
    Ok(suites(bmc, cx, channel)
        .await?
        .is_some_and(|(ids, levels)| {
            let open =
                |(entry, id): (usize, &u8)| OPEN.contains(id) && levels.level(entry) != Some(0);
            ids.iter().enumerate().any(open)
        }))
}

/// Closes suites 0 and 1 and lets the good ones in up to `limit` at least; OEM levels stay. One whole record, written
/// only when it differs, read back (`Kind::Refused` when it was not kept). `false`: the BMC has no such setting.
pub async fn guard(
    bmc: &dyn Exchange,
    cx: &Cx,
    channel: u8,
    limit: PrivilegeLevel,
) -> Result<bool> {
    let Some((ids, have)) = suites(bmc, cx, channel).await? else {
        return Ok(false);
    };
    let want = guarded(&ids, &have, limit);
    if want == have {
        return Ok(true);
    }
    let set = SetLanConfigurationParameters {
        channel,
        parameter: LanParameter::CipherSuitePrivileges(want.clone()),
    };
    run(bmc, cx, &set).await?;
    match suites(bmc, cx, channel).await? {
        Some((_, now)) if now.levels == want.levels => Ok(true),
        _ => Err(Error::new(
            Kind::Refused,
            "the BMC says yes to the privileges of cipher suites and does not keep them",
        )),
    }
}

fn guarded(
    ids: &[u8],
    have: &CipherSuitePrivileges,
    limit: PrivilegeLevel,
) -> CipherSuitePrivileges {
    let mut want = have.clone();
    for (entry, id) in ids.iter().enumerate() {
        if OPEN.contains(id) {
            want.set_level(entry, 0);
        } else if GOOD.contains(id) && have.level(entry).is_none_or(|l| l < limit.0) {
            want.set_level(entry, limit.0);
        }
    }
    want
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_0_and_1_are_closed_and_good_ones_raised() {
        let mut have = CipherSuitePrivileges {
            reserved: 0,
            levels: [0; 8],
        };
        for (entry, level) in [(0, 4), (1, 4), (2, 2), (3, 5), (4, 4)] {
            have.set_level(entry, level);
        }
        let want = guarded(&[0, 1, 3, 17, 2], &have, PrivilegeLevel(4));
        let levels: Vec<_> = (0..5).map(|n| want.level(n).unwrap()).collect();
        assert_eq!(levels, [0, 0, 4, 5, 4]);
        assert_eq!(guarded(&[0, 1, 3, 17, 2], &want, PrivilegeLevel(4)), want);
    }

    #[test]
    fn a_channel_that_is_open_enough_is_left_alone() {
        let have = ChannelAccess {
            alerting_disabled: true,
            no_per_message_auth: false,
            no_user_level_auth: false,
            mode: AccessMode::SHARED,
            limit: PrivilegeLevel(5),
        };
        assert_eq!(wanted(have, PrivilegeLevel(4)), None);
        let closed = ChannelAccess {
            mode: AccessMode::DISABLED,
            limit: PrivilegeLevel(2),
            ..have
        };
        let now = wanted(closed, PrivilegeLevel(4)).unwrap();
        assert_eq!(
            (now.mode, now.limit),
            (AccessMode::ALWAYS, PrivilegeLevel(4))
        );
        assert!(now.alerting_disabled, "the rest of the record stays");
        let reserved = ChannelAccess {
            limit: PrivilegeLevel(0x0f),
            ..have
        };
        assert_eq!(
            wanted(reserved, PrivilegeLevel(3)).unwrap().limit,
            PrivilegeLevel(3)
        );
    }
}
