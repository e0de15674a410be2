//! Finding the account that RAKP 1 or Get Session Challenge names.

use super::{Account, BmcSide};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::wire::rakp::{Rakp1, RakpStatus};

/// The accounts that may log in, by id.
fn all(bmc: &dyn BmcSide) -> impl Iterator<Item = Account<'_>> {
    (1..=bmc.accounts()).filter_map(|id| bmc.account(id))
}

/// The first account of that name.
pub(super) fn by_name<'a>(bmc: &'a dyn BmcSide, name: &[u8]) -> Option<Account<'a>> {
    all(bmc).find(|a| a.name == name)
}

/// The account that `role` and `name` of RAKP 1 mean, and the session's privilege limit (§13.20). `most` is what
/// Open Session allowed.
pub(super) fn by_role<'a>(
    bmc: &'a dyn BmcSide,
    role: u8,
    name: &[u8],
    most: Privilege,
    exact: bool,
) -> Result<(Account<'a>, Privilege), RakpStatus> {
    let asked = Privilege::from_wire(role).ok_or(RakpStatus::INVALID_ROLE)?;
    if asked > most {
        return Err(RakpStatus::UNAUTHORIZED_ROLE);
    }
    let account = if role & Rakp1::NAME_ONLY != 0 {
        let account = by_name(bmc, name).ok_or(RakpStatus::UNAUTHORIZED_NAME)?;
        if asked > account.limit {
            return Err(RakpStatus::UNAUTHORIZED_ROLE);
        }
        account
    } else {
        all(bmc)
            .find(|a| a.name == name && a.limit == asked)
            .or_else(|| all(bmc).find(|a| !exact && a.name == name && a.limit >= asked))
            .ok_or(RakpStatus::UNAUTHORIZED_NAME)?
    };
    let limit = if asked == Privilege::None {
        account.limit.min(most)
    } else {
        asked
    };
    Ok((account, limit))
}
