//! Changes one slot, step by step. Every step reads first, writes only what differs, and reads back: a BMC that says yes
//! and does not keep it is found out. Each may be run again; an account that is begun and not ended cannot log in before
//! its password is set, as it is enabled last.

use std::fmt;
use std::time::Duration;

use super::super::{is_answer, pause};
use super::slots::{may_log_in, name_of};
use super::verify::{self, Proof};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::{
    GetUserAccess, GetUserName, GetUserPayloadAccess, PAYLOAD_SOL, PasswordOperation, PayloadTypes,
    PrivilegeLevel, SetUserAccess, SetUserName, SetUserPassword, SetUserPayloadAccess, UserAccess,
    UserAccessBits, UserName, UserStatus,
};
use crate::hal::ipmi::cmd::{CompletionCode, CompletionError};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::{Cx, Secret};

/// Bytes of a password in its short form.
pub const SHORT: usize = 16;
/// Bytes of a password in its long form.
pub const LONG: usize = 20;
/// How often a write that is not kept is sent.
const TRIES: u32 = 3;
/// Pause before such a write is sent again; some BMCs drop writes that come too fast (Quanta S99Q, Dell T320).
const PACE: Duration = Duration::from_millis(500);
/// How often an account is enabled, a second apart: BMCs need time for what was set before.
const ENABLE_TRIES: u32 = 30;
/// The same password again is refused with this by Gigabyte.
const SAME_PASSWORD: u8 = 0x19;

/// An account as it shall be.
#[derive(Debug)]
pub struct Account<'a> {
    /// The channel that it comes in by.
    pub channel: u8,
    /// Its slot.
    pub slot: u8,
    /// Its name.
    pub name: UserName,
    /// Its password, at most 20 bytes.
    pub password: &'a Secret,
    /// Its privilege limit.
    pub limit: PrivilegeLevel,
    /// May it use the serial console?
    pub console: bool,
}

/// The BMC refused a password: the cause of an [`Error`]; found by [`PasswordRefused::find`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordRefused {
    /// What it answered.
    pub code: CompletionCode,
    /// It was in the long form.
    pub twenty: bool,
}

impl PasswordRefused {
    /// The refusal at the bottom of `error`, if a password was refused.
    pub fn find(error: &Error) -> Option<Self> {
        let mut next = std::error::Error::source(error);
        while let Some(cause) = next {
            if let Some(found) = cause.downcast_ref::<Self>() {
                return Some(*found);
            }
            next = cause.source();
        }
        None
    }
}

impl fmt::Display for PasswordRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.code, f)
    }
}

impl std::error::Error for PasswordRefused {}

/// Makes the whole account: name, password, access, enabled, console. The order is the one that all BMCs bear: Dell
/// enables only after a password, Inventec and X8DTH give access only to a name.
pub async fn provision(bmc: &dyn Exchange, cx: &Cx, account: &Account<'_>) -> Result<Proof> {
    let &Account { channel, slot, .. } = account;
    name(bmc, cx, slot, &account.name).await?;
    let proof = password(bmc, cx, slot, account.password).await?;
    access(bmc, cx, channel, slot, account.limit).await?;
    enable(bmc, cx, channel, slot).await?;
    if account.console {
        console(bmc, cx, channel, slot).await?;
    }
    Ok(proof)
}

/// Gives the slot a name. The same name again is not sent: Intel boards refuse it.
pub async fn name(bmc: &dyn Exchange, cx: &Cx, slot: u8, name: &UserName) -> Result<()> {
    let want = name.text();
    let set = SetUserName {
        user: slot,
        name: *name,
    };
    let mut refused = None;
    for attempt in 0..=TRIES {
        if name_of(run(bmc, cx, &GetUserName { user: slot }).await)? == want {
            return Ok(());
        }
        if attempt == TRIES {
            break;
        }
        if attempt > 0 {
            pause(cx, PACE * attempt).await?;
        }
        match run(bmc, cx, &set).await {
            Ok(()) => refused = None,
            // Some refuse it at times (newer Supermicro boards); the next try may do.
            Err(error) if is_answer(&error) && error.kind() != Kind::Privilege => {
                refused = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(refused.map_or_else(
        || not_kept("user name"),
        |e| e.with_hint("BMCs differ in the names that they take: letters, digits and _ are safe"),
    ))
}

/// Refuses what no BMC takes.
pub fn check_length(password: &Secret) -> Result<()> {
    match password.len() {
        0 => Err(Error::new(Kind::Config, "the password is empty")),
        1..=LONG => Ok(()),
        n => Err(Error::new(
            Kind::Config,
            format!("the password has {n} bytes; IPMI takes {LONG}"),
        )),
    }
}

/// Sets the password and tests it: in the short form up to 16 bytes, else in the long one. `Kind::Refused` with
/// [`PasswordRefused`] when the BMC does not want it or does not keep it.
pub async fn password(bmc: &dyn Exchange, cx: &Cx, slot: u8, password: &Secret) -> Result<Proof> {
    let mut attempt = 0;
    loop {
        let twenty = send_password(bmc, cx, slot, password).await?;
        match verify::proof(bmc, cx, slot, password, twenty).await? {
            Some(proof) => return Ok(proof),
            None if attempt < TRIES => {
                attempt += 1;
                pause(cx, PACE * attempt).await?;
                // It may only have been slow to take effect.
                if let Some(proof) = verify::proof(bmc, cx, slot, password, twenty).await? {
                    return Ok(proof);
                }
            }
            None => {
                return Err(not_kept("password").with_hint(
                    "this BMC may keep shorter passwords only: give one of at most 16 bytes",
                ));
            }
        }
    }
}

/// Sets the password and tests nothing. Says whether it was sent in the long form.
pub async fn send_password(
    bmc: &dyn Exchange,
    cx: &Cx,
    slot: u8,
    password: &Secret,
) -> Result<bool> {
    check_length(password)?;
    let mut twenty = password.len() > SHORT;
    loop {
        let set = SetUserPassword {
            user: slot,
            operation: PasswordOperation::Set,
            twenty,
            password: Some(password.clone()),
        };
        let Err(error) = run(bmc, cx, &set).await else {
            return Ok(twenty);
        };
        let Some(code) = CompletionError::find(&error) else {
            return Err(error);
        };
        if code.0 == SAME_PASSWORD
            && verify::test(bmc, cx, slot, password, twenty).await? == Some(true)
        {
            return Ok(twenty);
        }
        let length = matches!(
            code,
            CompletionCode::LENGTH_INVALID | CompletionCode::LENGTH_EXCEEDED
        );
        if length && !twenty {
            // Some know the long form only.
            twenty = true;
            continue;
        }
        return Err(refused(
            error.kind(),
            code,
            twenty && password.len() > SHORT,
        ));
    }
}

fn refused(kind: Kind, code: CompletionCode, twenty: bool) -> Error {
    let cause = PasswordRefused { code, twenty };
    let error = Error::new(
        kind,
        <SetUserPassword as crate::hal::ipmi::cmd::Command>::NAME,
    )
    .with_source(cause);
    if kind != Kind::Refused {
        return error;
    }
    let policy = "BMCs want 8 to 16 bytes with upper and lower case letters, digits and a special character, none doubled";
    error.with_hint(if twenty {
        "this BMC may take 16 bytes at most; give a shorter password".to_owned()
    } else {
        format!("the password does not please this BMC's policy: {policy}")
    })
}

/// Lets the account in by `channel` up to `limit`: IPMI messaging on, callback off (Gigabyte MD90-FS0 obeys it on the
/// LAN), the whole record, without the session limit that OpenBMC refuses.
pub async fn access(
    bmc: &dyn Exchange,
    cx: &Cx,
    channel: u8,
    slot: u8,
    limit: PrivilegeLevel,
) -> Result<()> {
    let bits = UserAccessBits {
        callback_only: false,
        link_auth: true,
        messaging: true,
    };
    let good =
        |now: &UserAccess| now.limit == limit && now.bits.messaging && !now.bits.callback_only;
    set_access(bmc, cx, channel, slot, limit, bits, good).await
}

async fn set_access(
    bmc: &dyn Exchange,
    cx: &Cx,
    channel: u8,
    slot: u8,
    limit: PrivilegeLevel,
    bits: UserAccessBits,
    good: impl Fn(&UserAccess) -> bool,
) -> Result<()> {
    let mut set = SetUserAccess {
        channel,
        user: slot,
        change_bits: true,
        bits,
        limit,
        session_limit: None,
    };
    let get = GetUserAccess {
        channel,
        user: slot,
    };
    let mut refusal = None;
    for attempt in 0..=TRIES {
        if good(&run(bmc, cx, &get).await?) {
            return Ok(());
        }
        if attempt == TRIES {
            break;
        }
        if attempt > 0 {
            pause(cx, PACE * attempt).await?;
        }
        let Err(error) = run(bmc, cx, &set).await else {
            refusal = None;
            continue;
        };
        match CompletionError::find(&error) {
            // Wants the optional byte.
            Some(CompletionCode::LENGTH_INVALID) => set.session_limit = Some(0),
            // Knows no link authentication.
            Some(CompletionCode::INVALID_FIELD) => set.bits.link_auth = false,
            Some(code) if code.kind() == Kind::Refused => {}
            _ => return Err(error),
        }
        refusal = Some(error);
    }
    Err(refusal.unwrap_or_else(|| not_kept("access")))
}

/// Lets the account log in. One that may already is left alone: disabling and enabling it again breaks some BMCs.
pub async fn enable(bmc: &dyn Exchange, cx: &Cx, channel: u8, slot: u8) -> Result<()> {
    let get = GetUserAccess {
        channel,
        user: slot,
    };
    let mut set = SetUserPassword {
        user: slot,
        operation: PasswordOperation::Enable,
        twenty: false,
        password: None,
    };
    let mut refusal = None;
    for attempt in 0..ENABLE_TRIES {
        let before = run(bmc, cx, &get).await?;
        if before.status == UserStatus::Enabled {
            return Ok(());
        }
        if attempt > 0 {
            pause(cx, Duration::from_secs(1)).await?;
        }
        match run(bmc, cx, &set).await {
            Ok(()) => refusal = None,
            Err(error) => {
                match CompletionError::find(&error) {
                    // Sun X4140 and Windmill want a password field, and OpenBMC one of full length, though it means
                    // nothing here. 0xCC also says: it is enabled.
                    Some(code) if code.kind() == Kind::Refused => {
                        set.password = match set.password {
                            None => Some(Secret::new("")),
                            Some(_) => None,
                        };
                    }
                    _ => return Err(error),
                }
                refusal = Some(error);
            }
        }
        let now = run(bmc, cx, &get).await?;
        let untold = matches!(now.status, UserStatus::Unspecified | UserStatus::Reserved);
        if now.status == UserStatus::Enabled || (untold && may_log_in(now)) {
            return Ok(());
        }
        if untold && refusal.is_none() {
            // It does not say who is enabled, and it said yes.
            return Ok(());
        }
    }
    Err(refusal.unwrap_or_else(|| not_kept("enabling")))
}

/// Keeps the account from logging in.
pub async fn disable(bmc: &dyn Exchange, cx: &Cx, channel: u8, slot: u8) -> Result<()> {
    let get = GetUserAccess {
        channel,
        user: slot,
    };
    let mut set = SetUserPassword {
        user: slot,
        operation: PasswordOperation::Disable,
        twenty: false,
        password: None,
    };
    let mut refusal = None;
    for attempt in 0..TRIES {
        if run(bmc, cx, &get).await?.status == UserStatus::Disabled {
            return Ok(());
        }
        if attempt > 0 {
            pause(cx, PACE * attempt).await?;
        }
        match run(bmc, cx, &set).await {
            Ok(()) => refusal = None,
            Err(error) => {
                match CompletionError::find(&error) {
                    Some(code) if code.kind() == Kind::Refused => {
                        set.password = Some(Secret::new(""));
                    }
                    _ => return Err(error),
                }
                refusal = Some(error);
            }
        }
        let now = run(bmc, cx, &get).await?;
        if !may_log_in(now) || (now.status == UserStatus::Unspecified && refusal.is_none()) {
            return Ok(());
        }
    }
    Err(refusal.unwrap_or_else(|| not_kept("disabling")))
}

/// Lets the account use SOL. BMCs that know no payload access let everybody.
pub async fn console(bmc: &dyn Exchange, cx: &Cx, channel: u8, slot: u8) -> Result<()> {
    let get = GetUserPayloadAccess {
        channel,
        user: slot,
    };
    let sol = 1 << PAYLOAD_SOL;
    let has = |types: PayloadTypes| types.standard & sol != 0;
    match run(bmc, cx, &get).await {
        Ok(types) if has(types) => return Ok(()),
        Ok(_) => {}
        Err(error) if is_answer(&error) => {}
        Err(error) => return Err(error),
    }
    let set = SetUserPayloadAccess {
        channel,
        user: slot,
        operation: 0,
        types: PayloadTypes {
            standard: sol,
            oem: 0,
        },
    };
    match run(bmc, cx, &set).await {
        Err(error) if error.kind() == Kind::Unsupported => return Ok(()),
        other => other?,
    }
    match run(bmc, cx, &get).await {
        Ok(types) if has(types) => Ok(()),
        Ok(_) => Err(not_kept("payload access")),
        // Sun X4140 and Inventec cannot read it.
        Err(error) if is_answer(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Empties the slot: disabled, no access to the channel, no name. BMCs that refuse the one or the other (Lenovo XCC the
/// first) do: what counts is that nobody is in it at the end.
pub async fn remove(bmc: &dyn Exchange, cx: &Cx, channel: u8, slot: u8) -> Result<()> {
    let answered = |done: Result<()>| match done {
        Err(error) if is_answer(&error) => Ok(Some(error)),
        Err(error) => Err(error),
        Ok(()) => Ok(None),
    };
    let disabled = answered(disable(bmc, cx, channel, slot).await)?;
    let none = |now: &UserAccess| now.limit == PrivilegeLevel::NO_ACCESS && !now.bits.messaging;
    let limit = PrivilegeLevel::NO_ACCESS;
    let bits = UserAccessBits::default();
    let barred = answered(set_access(bmc, cx, channel, slot, limit, bits, none).await)?;
    let empty = UserName([0; 16]);
    match answered(name(bmc, cx, slot, &empty).await)? {
        None => Ok(()),
        Some(kept) if disabled.is_none() || barred.is_none() => {
            Err(kept.context("it can no longer log in, but the BMC keeps its name"))
        }
        Some(_) => Err(disabled.or(barred).unwrap_or_else(|| not_kept("name"))),
    }
}

fn not_kept(what: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!("{what}: the BMC says yes and does not keep it"),
    )
}
