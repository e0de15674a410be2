//! Does the BMC keep a password? Test Password says so, unless it says yes to every password.

use crate::hal::error::Result;
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::{PasswordOperation, SetUserPassword};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::{Cx, Secret};

use super::super::is_answer;
use super::write::SHORT;

/// What is known of a password that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The BMC says yes to it and no to another.
    Tested,
    /// The BMC cannot test, or says yes to everything. Only a login proves it.
    None,
}

/// Does the BMC say yes to `password` in the form of 16 or 20 bytes? `None` = it cannot test (Supermicro H8QME).
pub async fn test(
    bmc: &dyn Exchange,
    cx: &Cx,
    slot: u8,
    password: &Secret,
    twenty: bool,
) -> Result<Option<bool>> {
    let test = SetUserPassword {
        user: slot,
        operation: PasswordOperation::Test,
        twenty,
        password: Some(password.clone()),
    };
    match run(bmc, cx, &test).await {
        Ok(()) => Ok(Some(true)),
        Err(error) => match crate::hal::ipmi::cmd::CompletionError::find(&error) {
            // 0x80: another password; 0x81: another size.
            Some(code) if matches!(code.0, 0x80 | 0x81) => Ok(Some(false)),
            _ if is_answer(&error) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Tests `password` and, when the BMC says yes, a wrong one: `Some(Tested)` it is right, `Some(None)` nothing is known,
/// `None` it is wrong.
pub async fn proof(
    bmc: &dyn Exchange,
    cx: &Cx,
    slot: u8,
    password: &Secret,
    twenty: bool,
) -> Result<Option<Proof>> {
    match test(bmc, cx, slot, password, twenty).await? {
        None => Ok(Some(Proof::None)),
        Some(false) => Ok(None),
        Some(true) => {
            let wrong = test(bmc, cx, slot, &altered(password, twenty), twenty).await?;
            Ok(Some(if wrong == Some(false) {
                Proof::Tested
            } else {
                Proof::None
            }))
        }
    }
}

/// Another password of the same length. It differs in its last byte: of 20 bytes in one that a BMC which keeps only 16
/// has cut off.
fn altered(password: &Secret, twenty: bool) -> Secret {
    let mut bytes = password.expose().to_vec();
    match bytes.last_mut() {
        Some(last) => *last = if *last == b'x' { b'y' } else { b'x' },
        None => bytes.push(b'x'),
    }
    debug_assert!(twenty || bytes.len() <= SHORT);
    Secret::new(bytes)
}
