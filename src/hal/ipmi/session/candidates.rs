//! Several passwords for one user: the BMC's code in RAKP message 2 is keyed with the right one, so each candidate can
//! be checked against it here, before RAKP 3 is sent. No candidate that is wrong ever reaches the BMC.

use std::error::Error as StdError;
use std::fmt;

use super::config::Config;
use crate::hal::error::Error;
use crate::hal::ipmi::crypto::{self, Rakp};
use crate::hal::ipmi::wire::rakp::RakpStatus;
use crate::hal::model::Secret;

/// The password, then the alternatives.
pub(super) fn passwords(config: &Config) -> impl Iterator<Item = &Secret> {
    std::iter::once(&config.password).chain(&config.alternatives)
}

/// The number of the password that `code` (already cut to the algorithm's length) was made with.
pub(super) fn fitting(config: &Config, rakp: &Rakp, code: &[u8]) -> Option<usize> {
    passwords(config).position(|password| crypto::same(&rakp.rakp2_code(password), code))
}

/// RAKP 2 fits no password that was given. Nothing was sent that the BMC could count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// So many were checked.
    pub passwords: usize,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.passwords {
            1 => f.write_str("the BMC's code in RAKP message 2 does not fit the password"),
            n => write!(
                f,
                "the BMC's code in RAKP message 2 fits none of the {n} passwords"
            ),
        }
    }
}

impl StdError for Mismatch {}

/// Why a login was refused, as far as the protocol tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is such a user, with another password; found out here, not counted there.
    Password,
    /// The BMC says that there is no such user.
    User,
}

impl Refusal {
    /// From the error of a request; `None` when it is not about the login, or cannot be told.
    pub fn find(error: &Error) -> Option<Self> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(cause) = next {
            if cause.is::<Mismatch>() {
                return Some(Self::Password);
            }
            if cause.downcast_ref::<RakpStatus>() == Some(&RakpStatus::UNAUTHORIZED_NAME) {
                return Some(Self::User);
            }
            next = cause.source();
        }
        None
    }
}
