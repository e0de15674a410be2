use super::super::scripted::{Scripted, within};
use super::*;

const GET: &str = "00 09 05 00 00";
const EXPIRY: &str = "00 08 03 08";

fn want(target: BootTarget, mode: BootMode, persistent: bool) -> BootRequest {
    BootRequest {
        target,
        mode,
        persistent,
    }
}

async fn set(bmc: &Arc<Scripted>, request: BootRequest) -> Result<BootState> {
    let boot = IpmiBoot(bmc.clone());
    let set = boot.set(&within(60), request).await;
    set.map(|r| r.value)
}

#[tokio::test(start_paused = true)]
async fn state_of_the_flags() {
    let none = (BootTarget::None, None, BootPersistence::None);
    for (answer, (target, mode, persistence)) in [
        (
            "00 01 05 e0 04 00 00 00",
            (
                BootTarget::Pxe,
                Some(BootMode::Uefi),
                BootPersistence::Persistent,
            ),
        ),
        (
            "00 01 05 80 18 00 00 00",
            (
                BootTarget::Bios,
                Some(BootMode::Legacy),
                BootPersistence::Once,
            ),
        ),
        (
            "00 01 05 80 24 00 00 00",
            (
                BootTarget::Other,
                Some(BootMode::Legacy),
                BootPersistence::Once,
            ),
        ),
        // Not valid, marked invalid, nothing chosen.
        ("00 01 05 60 04 00 00 00", none),
        ("00 01 85 e0 04 00 00 00", none),
        ("00 01 05 c0 00 00 00 00", none),
    ] {
        let bmc = Scripted::in_order(&[(GET, answer)]);
        let got = IpmiBoot(bmc).state(&within(5)).await.unwrap().value;
        let want = BootState {
            target,
            mode,
            persistence,
        };
        assert_eq!(got, want, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn changes_only_what_was_asked_for() {
    let bmc = Scripted::in_order(&[
        (GET, "00 01 05 80 cb fb 0d 15"),
        (EXPIRY, "00"),
        ("00 08 05 e0 c7 fb 0d 15", "00"),
        (GET, "00 01 05 e0 c7 fb 0d 15"),
    ]);
    let got = set(&bmc, want(BootTarget::Pxe, BootMode::Uefi, true)).await;
    let state = BootState {
        target: BootTarget::Pxe,
        mode: Some(BootMode::Uefi),
        persistence: BootPersistence::Persistent,
    };
    assert_eq!(got.unwrap(), state);
    bmc.assert_done();
}

#[tokio::test(start_paused = true)]
async fn cmos_is_not_cleared_by_a_leftover() {
    let bmc = Scripted::in_order(&[
        (GET, "00 01 05 00 84 00 00 00"),
        (EXPIRY, "00"),
        ("00 08 05 80 18 00 00 00", "00"),
        (GET, "00 01 05 80 18 00 00 00"),
    ]);
    let got = set(&bmc, want(BootTarget::Bios, BootMode::Legacy, false)).await;
    assert_eq!(got.unwrap().target, BootTarget::Bios);
    bmc.assert_done();
}

#[tokio::test(start_paused = true)]
async fn every_target_has_its_selector() {
    for (target, second) in [
        (BootTarget::Pxe, "04"),
        (BootTarget::Disk, "08"),
        (BootTarget::Safe, "0c"),
        (BootTarget::Diag, "10"),
        (BootTarget::Cdrom, "14"),
        (BootTarget::Bios, "18"),
        (BootTarget::Floppy, "3c"),
    ] {
        let write = format!("00 08 05 a0 {second} 00 00 00");
        let after = format!("00 01 05 a0 {second} 00 00 00");
        let bmc = Scripted::in_order(&[
            (GET, "00 01 05 00 00 00 00 00"),
            (EXPIRY, "00"),
            (write.as_str(), "00"),
            (GET, after.as_str()),
        ]);
        let got = set(&bmc, want(target, BootMode::Uefi, false)).await;
        assert_eq!(got.unwrap().target, target);
    }
    let bmc = Scripted::in_order(&[]);
    let other = set(&bmc, want(BootTarget::Other, BootMode::Uefi, false)).await;
    assert_eq!(other.unwrap_err().kind(), Kind::Config);
}

#[tokio::test(start_paused = true)]
async fn none_takes_the_override_away() {
    // The BMC may keep an override for nothing, or no valid one.
    for after in ["00 01 05 80 00 00 00 00", "00 01 05 00 04 00 00 00"] {
        let bmc = Scripted::in_order(&[
            (GET, "00 01 05 e0 04 00 00 00"),
            ("00 08 05 80 00 00 00 00", "00"),
            (GET, after),
        ]);
        let got = set(&bmc, want(BootTarget::None, BootMode::Legacy, true)).await;
        assert_eq!(got.unwrap().target, BootTarget::None);
        bmc.assert_done();
    }
}

#[tokio::test(start_paused = true)]
async fn a_bmc_without_parameter_3_is_fine() {
    for code in ["80", "cc", "d4"] {
        let bmc = Scripted::in_order(&[
            (GET, "00 01 05 00 00 00 00 00"),
            (EXPIRY, code),
            ("00 08 05 80 04 00 00 00", "00"),
            (GET, "00 01 05 80 04 00 00 00"),
        ]);
        let got = set(&bmc, want(BootTarget::Pxe, BootMode::Legacy, false)).await;
        assert_eq!(got.unwrap().target, BootTarget::Pxe);
    }
    let gone = Scripted::in_order(&[(GET, "00 01 05 00 00 00 00 00"), (EXPIRY, "timeout")]);
    let got = set(&gone, want(BootTarget::Pxe, BootMode::Legacy, false)).await;
    assert_eq!(got.unwrap_err().kind(), Kind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_late_commit_is_waited_for() {
    let bmc = Scripted::in_order(&[
        (GET, "00 01 05 00 00 00 00 00"),
        (EXPIRY, "00"),
        ("00 08 05 80 04 00 00 00", "00"),
        (GET, "00 01 05 00 00 00 00 00"),
        (GET, "00 01 05 80 04 00 00 00"),
    ]);
    let got = set(&bmc, want(BootTarget::Pxe, BootMode::Legacy, false)).await;
    assert_eq!(got.unwrap().persistence, BootPersistence::Once);
    bmc.assert_done();
}

#[tokio::test(start_paused = true)]
async fn a_silent_revert_is_an_error_that_names_both() {
    // ipmi_sim keeps the device and forgets valid, persistent and EFI.
    let table = [
        (GET, "00 01 05 00 00 00 00 00"),
        (GET, "00 01 05 00 04 00 00 00"),
        (EXPIRY, "80"),
        ("00 08 05 e0 04 00 00 00", "00"),
    ];
    let forgetful = Scripted::answering(&table);
    let got = set(&forgetful, want(BootTarget::Pxe, BootMode::Uefi, true)).await;
    let error = got.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.to_string(),
        "boot override: the BMC accepted 'PXE UEFI PERSISTENT' but has 'PXE LEGACY ONCE not valid'"
    );
    // Once only, and another device.
    for after in ["00 01 05 a0 04 00 00 00", "00 01 05 e0 08 00 00 00"] {
        let mut table = table;
        table[1].1 = after;
        let bmc = Scripted::answering(&table);
        let got = set(&bmc, want(BootTarget::Pxe, BootMode::Uefi, true)).await;
        assert_eq!(got.unwrap_err().kind(), Kind::Refused, "{after}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals() {
    for (answer, kind) in [
        ("80", Kind::Unsupported),
        ("c1", Kind::Unsupported),
        ("d4", Kind::Privilege),
        ("d5", Kind::Refused),
        ("00 01 05", Kind::Protocol),
        ("00 01", Kind::Protocol),
    ] {
        let bmc = Scripted::in_order(&[(GET, answer)]);
        let got = set(&bmc, want(BootTarget::Pxe, BootMode::Uefi, true)).await;
        assert_eq!(got.unwrap_err().kind(), kind, "{answer}");
        let bmc = Scripted::answering(&[
            (GET, "00 01 05 00 00 00 00 00"),
            ("00 08 05 e0 04 00 00 00", &answer[..2]),
        ]);
        if kind != Kind::Protocol {
            let got = set(&bmc, want(BootTarget::Pxe, BootMode::Uefi, true)).await;
            assert_eq!(got.unwrap_err().kind(), kind, "{answer}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn supermicro_means_its_uefi_disk_by_another_selector() {
    let bmc = Scripted::in_order(&[
        (GET, "00 01 05 00 00 00 00 00"),
        (EXPIRY, "00"),
        ("00 08 05 e0 24 00 00 00", "00"),
        (GET, "00 01 05 e0 24 00 00 00"),
    ]);
    bmc.learnt().update(|l| l.quirks.uefi_disk_0x24 = true);
    let got = set(&bmc, want(BootTarget::Disk, BootMode::Uefi, true)).await;
    assert_eq!(got.unwrap().target, BootTarget::Disk);
    let legacy = device(
        want(BootTarget::Disk, BootMode::Legacy, true),
        &bmc.learnt().snapshot().quirks,
    );
    assert_eq!(legacy.unwrap(), BootDevice::DISK);
}
