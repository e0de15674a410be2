//! The boot override by parameter 5 of the system boot options: read, changed, written, read back.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{pause, reading};
use crate::hal::caps::Boot;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::chassis::{
    BootDevice, BootFlags, BootOption, GetSystemBootOptions, SetSystemBootOptions, boot_selector,
};
use crate::hal::ipmi::cmd::{Command, CompletionCode, CompletionError};
use crate::hal::ipmi::exchange::run;
use crate::hal::ipmi::quirks::Quirks;
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{BootMode, BootPersistence, BootState, BootTarget, BoxFuture, Cx, Reading};

/// Parameter 3: do not clear the valid bit when no Chassis Control comes within 60 s; all else as it is by default.
const NO_EXPIRY: u8 = 0x08;
/// Completion code of both commands: parameter not supported.
const NO_PARAMETER: CompletionCode = CompletionCode(0x80);
/// How often it is read back before it counts as reverted, a second apart: some BMCs commit late.
const READS: u32 = 3;

/// The boot override over IPMI.
pub(crate) struct IpmiBoot(pub(crate) Arc<dyn Exchange>);

impl IpmiBoot {
    /// The flags, with the valid bit off when the whole parameter is marked invalid.
    async fn read(&self, cx: &Cx) -> Result<BootFlags> {
        let get = GetSystemBootOptions::of(boot_selector::FLAGS);
        let reply = run(&*self.0, cx, &get).await.map_err(unsupported)?;
        match reply.option {
            BootOption::Flags(flags) => Ok(flags.with_valid(flags.valid() && !reply.invalid)),
            _ => Err(Error::new(Kind::Protocol, GetSystemBootOptions::NAME)
                .with_source("the boot flags came without data")),
        }
    }

    async fn write(&self, cx: &Cx, option: BootOption) -> Result<()> {
        let set = SetSystemBootOptions {
            invalid: false,
            option,
        };
        run(&*self.0, cx, &set).await.map_err(unsupported)
    }

    async fn change(&self, cx: &Cx, request: BootRequest) -> Result<BootFlags> {
        device(request, &Quirks::default())?;
        let before = self.read(cx).await?;
        // After the first answer: with it the product is known to whoever attends to quirks.
        let quirks = self.0.learnt().snapshot().quirks;
        let device = device(request, &quirks)?;
        let want = wanted(before, request, device);
        if request.target != BootTarget::None {
            match self
                .write(cx, BootOption::ValidBitClearing(NO_EXPIRY))
                .await
            {
                Ok(()) => {}
                // OpenBMC has no parameter 3, and no expiry either.
                Err(error) if CompletionError::find(&error).is_some() => {
                    log::debug!("boot flag expiry stays on: {}", error.chain());
                }
                Err(error) => return Err(error),
            }
        }
        self.write(cx, BootOption::Flags(want)).await?;
        let mut now = self.read(cx).await?;
        for _ in 1..READS {
            if kept(want, now) {
                break;
            }
            pause(cx, Duration::from_secs(1)).await?;
            now = self.read(cx).await?;
        }
        if kept(want, now) {
            return Ok(now);
        }
        let what = format!(
            "boot override: the BMC accepted '{}' but has '{}'",
            Words(want, &quirks),
            Words(now, &quirks)
        );
        Err(Error::new(Kind::Refused, what))
    }
}

/// What is written: device, duration and mode as asked for, every other bit as it was. Only a clearing of CMOS that was
/// not in force stays out of force.
fn wanted(before: BootFlags, request: BootRequest, device: BootDevice) -> BootFlags {
    let none = request.target == BootTarget::None;
    before
        .with_cmos_clear(before.cmos_clear() && before.valid())
        .with_valid(true)
        .with_persistent(request.persistent && !none)
        .with_efi(request.mode == BootMode::Uefi)
        .with_device(device)
}

/// Does `now` say what was set? An override that was taken away may also simply be no longer valid.
fn kept(want: BootFlags, now: BootFlags) -> bool {
    if want.device() == BootDevice::NONE && !now.valid() {
        return true;
    }
    let what = |f: BootFlags| (f.valid(), f.device().0, f.persistent(), f.efi());
    want.device() == BootDevice::NONE && now.device() == BootDevice::NONE || what(want) == what(now)
}

fn device(request: BootRequest, quirks: &Quirks) -> Result<BootDevice> {
    Ok(match request.target {
        BootTarget::None => BootDevice::NONE,
        BootTarget::Pxe => BootDevice::PXE,
        BootTarget::Disk if quirks.uefi_disk_0x24 && request.mode == BootMode::Uefi => {
            BootDevice::REMOTE_MEDIUM
        }
        BootTarget::Disk => BootDevice::DISK,
        BootTarget::Bios => BootDevice::SETUP,
        BootTarget::Safe => BootDevice::SAFE,
        BootTarget::Diag => BootDevice::DIAGNOSTIC,
        BootTarget::Cdrom => BootDevice::CDROM,
        BootTarget::Floppy => BootDevice::FLOPPY,
        BootTarget::Other => {
            return Err(Error::new(
                Kind::Config,
                "boot override: 'OTHER' cannot be set",
            ));
        }
    })
}

fn target(flags: BootFlags, quirks: &Quirks) -> BootTarget {
    match flags.device() {
        BootDevice::NONE => BootTarget::None,
        BootDevice::PXE => BootTarget::Pxe,
        BootDevice::DISK => BootTarget::Disk,
        BootDevice::REMOTE_MEDIUM if quirks.uefi_disk_0x24 && flags.efi() => BootTarget::Disk,
        BootDevice::SETUP => BootTarget::Bios,
        BootDevice::SAFE => BootTarget::Safe,
        BootDevice::DIAGNOSTIC => BootTarget::Diag,
        BootDevice::CDROM => BootTarget::Cdrom,
        BootDevice::FLOPPY => BootTarget::Floppy,
        _ => BootTarget::Other,
    }
}

fn state(flags: BootFlags, quirks: &Quirks) -> BootState {
    let target = target(flags, quirks);
    if !flags.valid() || target == BootTarget::None {
        return BootState {
            target: BootTarget::None,
            mode: None,
            persistence: BootPersistence::None,
        };
    }
    BootState {
        target,
        mode: Some(mode(flags)),
        persistence: if flags.persistent() {
            BootPersistence::Persistent
        } else {
            BootPersistence::Once
        },
    }
}

fn mode(flags: BootFlags) -> BootMode {
    if flags.efi() {
        BootMode::Uefi
    } else {
        BootMode::Legacy
    }
}

/// Flags in words, for errors.
struct Words<'a>(BootFlags, &'a Quirks);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(flags, quirks) = self;
        let mode = match mode(*flags) {
            BootMode::Uefi => "UEFI",
            BootMode::Legacy => "LEGACY",
        };
        let long = if flags.persistent() {
            "PERSISTENT"
        } else {
            "ONCE"
        };
        write!(f, "{} {mode} {long}", target(*flags, quirks))?;
        if !flags.valid() {
            f.write_str(" not valid")?;
        }
        Ok(())
    }
}

/// "Parameter not supported" means that this BMC has no boot flags.
fn unsupported(error: Error) -> Error {
    if CompletionError::find(&error) == Some(NO_PARAMETER) {
        Error::new(Kind::Unsupported, "boot flags").with_source(error)
    } else {
        error
    }
}

impl Boot for IpmiBoot {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let flags = self.read(cx).await?;
            let quirks = self.0.learnt().snapshot().quirks;
            Ok(reading(
                start,
                GetSystemBootOptions::NAME,
                state(flags, &quirks),
            ))
        })
    }

    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        request: BootRequest,
    ) -> BoxFuture<'a, Result<Reading<BootState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let flags = self.change(cx, request).await?;
            let quirks = self.0.learnt().snapshot().quirks;
            Ok(reading(
                start,
                SetSystemBootOptions::NAME,
                state(flags, &quirks),
            ))
        })
    }
}

#[cfg(test)]
mod tests;
