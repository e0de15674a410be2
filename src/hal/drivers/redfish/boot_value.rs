//! Values of `BootSourceOverrideTarget`, by what they mean: BMCs spell them in many ways (`Cd`, `CD/DVD`, `UsbCd`,
//! `UefiCd`).

use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::{BootMode, BootTarget};

/// What a value means.
pub(super) fn target(value: &str) -> BootTarget {
    let value = value.to_ascii_lowercase();
    let has = |word: &str| value.contains(word);
    match value.as_str() {
        "none" | "" => BootTarget::None,
        "sdcard" | "uefishell" | "uefitarget" | "uefibootnext" | "remotedrive" | "recovery" => {
            BootTarget::Other
        }
        _ if has("pxe") || has("http") || has("network") => BootTarget::Pxe,
        _ if has("bios") || has("setup") => BootTarget::Bios,
        _ if has("diag") || has("utilities") => BootTarget::Diag,
        _ if has("cd") || has("dvd") => BootTarget::Cdrom,
        _ if has("usb") || has("floppy") || has("removable") => BootTarget::Floppy,
        _ if has("hdd") || has("disk") => BootTarget::Disk,
        _ => BootTarget::Other,
    }
}

/// The value to send for a target: of those listed the one that means it best, else the standard's. `plain_mode`: the
/// BMC has no property for the firmware mode, so that the value has to say it. `None` when the list has none.
pub(super) fn value(
    want: BootTarget,
    mode: BootMode,
    listed: Option<&[String]>,
    plain_mode: bool,
) -> Result<Option<String>> {
    let standard = match want {
        BootTarget::None => "None",
        BootTarget::Pxe => "Pxe",
        BootTarget::Disk => "Hdd",
        BootTarget::Bios => "BiosSetup",
        BootTarget::Diag => "Diags",
        BootTarget::Cdrom => "Cd",
        BootTarget::Floppy => "Usb",
        BootTarget::Safe | BootTarget::Other => {
            let what = format!("boot override: '{want}' cannot be set over Redfish");
            let kind = if want == BootTarget::Safe {
                Kind::Unsupported
            } else {
                Kind::Config
            };
            return Err(Error::new(kind, what));
        }
    };
    let Some(listed) = listed.filter(|l| !l.is_empty()) else {
        return Ok(Some(standard.to_owned()));
    };
    let find = |word: &str| listed.iter().find(|l| l.eq_ignore_ascii_case(word));
    if plain_mode
        && mode == BootMode::Uefi
        && let Some(found) = find(&format!("Uefi{standard}"))
    {
        return Ok(Some(found.clone()));
    }
    if let Some(found) = find(standard) {
        return Ok(Some(found.clone()));
    }
    // HTTP boot wants another DHCP server than PXE, a key another medium than a disk: no stand-ins.
    let stands_in = |l: &&String| {
        let lower = l.to_ascii_lowercase();
        let uefi = lower.starts_with("uefi");
        target(l) == want && !lower.contains("http") && (uefi == (mode == BootMode::Uefi) || !uefi)
    };
    Ok(listed.iter().find(stands_in).cloned())
}

/// The firmware mode that a value of `BootSourceOverrideMode` means.
pub(super) fn mode(value: &str) -> Option<BootMode> {
    if value.eq_ignore_ascii_case("UEFI") {
        Some(BootMode::Uefi)
    } else if value.eq_ignore_ascii_case("Legacy") {
        Some(BootMode::Legacy)
    } else {
        None
    }
}

/// The specification's word for a firmware mode.
pub(super) fn mode_word(mode: BootMode) -> &'static str {
    match mode {
        BootMode::Uefi => "UEFI",
        BootMode::Legacy => "Legacy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(want: BootTarget, mode: BootMode, list: &[&str], plain: bool) -> Option<String> {
        let list: Vec<String> = list.iter().map(|s| (*s).to_owned()).collect();
        value(want, mode, Some(&list), plain).unwrap()
    }

    #[test]
    fn values_of_the_field_have_their_meaning() {
        for (text, want) in [
            ("None", BootTarget::None),
            ("Pxe", BootTarget::Pxe),
            ("UefiHttp", BootTarget::Pxe),
            ("Hdd", BootTarget::Disk),
            ("UefiHdd", BootTarget::Disk),
            ("CD/DVD", BootTarget::Cdrom),
            ("UsbCd", BootTarget::Cdrom),
            ("UefiUsbCd", BootTarget::Cdrom),
            ("UsbKey", BootTarget::Floppy),
            ("FloppyRemovableMedia", BootTarget::Floppy),
            ("BiosSetup", BootTarget::Bios),
            ("Diags", BootTarget::Diag),
            ("SDCard", BootTarget::Other),
            ("UefiTarget", BootTarget::Other),
        ] {
            assert_eq!(target(text), want, "{text}");
        }
    }

    #[test]
    fn the_listed_value_of_the_class_is_taken() {
        let x10 = ["None", "Pxe", "Hdd", "CD/DVD", "UsbCd", "UefiCd", "UefiHdd"];
        let (uefi, legacy) = (BootMode::Uefi, BootMode::Legacy);
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(pick(BootTarget::Disk, uefi, &x10, true), some("UefiHdd"));
        assert_eq!(pick(BootTarget::Disk, legacy, &x10, true), some("Hdd"));
        assert_eq!(pick(BootTarget::Disk, uefi, &x10, false), some("Hdd"));
        assert_eq!(pick(BootTarget::Cdrom, uefi, &x10, true), some("UefiCd"));
        assert_eq!(pick(BootTarget::Cdrom, legacy, &x10, true), some("CD/DVD"));
        assert_eq!(pick(BootTarget::Bios, uefi, &x10, true), None);
        assert_eq!(pick(BootTarget::Pxe, uefi, &["UefiHttp"], false), None);
        let none = value(BootTarget::Pxe, uefi, None, false).unwrap();
        assert_eq!(none.as_deref(), Some("Pxe"));
        assert!(value(BootTarget::Other, uefi, None, false).is_err());
    }
}
