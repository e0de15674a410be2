use proptest::prelude::*;

use super::*;
use crate::hal::ipmi::cmd::Command;
use crate::hal::ipmi::cmd::check::{Checked, golden, unhex};
use crate::hal::ipmi::codec::Reader;

#[test]
fn golden_bytes() {
    let caps = golden(&GetChassisCapabilities, "", "002020202020");
    assert_eq!(caps.bridge, Some(0x20));
    let status = golden(&GetChassisStatus, "", "61106000");
    assert!(status.is_on());
    assert_eq!(status.restore_policy(), PowerRestorePolicy::NO_CHANGE);
    assert_eq!(status.identify(), Some(IdentifyState::Indefinite));
    assert_ne!(status.last_event & ChassisStatus::EVENT_ON_BY_COMMAND, 0);
    let off = golden(&GetChassisStatus, "", "200010");
    assert!(!off.is_on());
    assert_eq!(off.restore_policy(), PowerRestorePolicy::LAST_STATE);
    assert_eq!((off.identify(), off.buttons), (None, None));
    let action = ControlAction::HARD_RESET;
    golden(&ChassisControl { action }, "03", "");
    golden(&ChassisIdentify::FORCE_ON, "0001", "");
    golden(&ChassisIdentify::OFF, "00", "");
    golden(&ChassisIdentify::timed(255), "ff", "");
    let policy = PowerRestorePolicy::ALWAYS_ON;
    let can = golden(&SetPowerRestorePolicy { policy }, "02", "05");
    assert!(can.supports(policy) && !can.supports(PowerRestorePolicy::LAST_STATE));
    assert!(!can.supports(PowerRestorePolicy(200)));
    golden(&SetPowerCycleInterval { seconds: 10 }, "0a", "");
    let cause = golden(&GetSystemRestartCause, "", "0101");
    assert_eq!(cause.cause.text(), "Chassis Control command");
    let poh = golden(&GetPohCounter, "", "3c10000000");
    assert_eq!(poh.minutes(), 960);
}

#[test]
fn golden_boot_options() {
    let get = GetSystemBootOptions::of(boot_selector::FLAGS);
    let reply = golden(&get, "050000", "0105e004000000");
    let BootOption::Flags(flags) = reply.option else {
        panic!("no flags: {reply:?}");
    };
    assert!(flags.valid() && flags.persistent() && flags.efi());
    assert_eq!(flags.device(), BootDevice::PXE);
    let set = |option| SetSystemBootOptions {
        invalid: false,
        option,
    };
    golden(&set(BootOption::Flags(flags)), "05e004000000", "");
    golden(&set(BootOption::ValidBitClearing(0x08)), "0308", "");
    golden(&set(BootOption::SetInProgress(1)), "0001", "");
    let acknowledge = BootOption::InfoAcknowledge {
        mask: 0x01,
        data: 0x01,
    };
    golden(&set(acknowledge), "040101", "");
    let locked = SetSystemBootOptions {
        invalid: true,
        option: BootOption::Other {
            selector: 5,
            data: Vec::new(),
        },
    };
    golden(&locked, "85", "");
    let who = golden(
        &GetSystemBootOptions::of(boot_selector::INITIATOR_INFO),
        "060000",
        "0106010200000078563412",
    );
    let want = BootInitiator {
        channel: 1,
        session: 2,
        time: 0x1234_5678,
    };
    assert_eq!(who.option, BootOption::InitiatorInfo(want));
}

#[test]
fn what_real_boards_send() {
    // ipmi_sim: 35 bytes, of which 30 mean nothing.
    let long = [0x20; 35];
    let caps = GetChassisCapabilities.decode_reply(&mut Reader::new(&long));
    assert_eq!(caps.unwrap().management, 0x20);
    // HP DL380 G5: 12 bytes too many.
    let get = GetSystemBootOptions::of(boot_selector::FLAGS);
    let bytes = unhex(&("01058008000000".to_owned() + &"5a".repeat(12)));
    let reply = get.decode_reply(&mut Reader::new(&bytes)).unwrap();
    assert_eq!(
        reply.option,
        BootOption::Flags(BootFlags([0x80, 8, 0, 0, 0]))
    );
    // Two bytes of flags only.
    let reply = get
        .decode_reply(&mut Reader::new(&[1, 5, 0xa0, 0x18]))
        .unwrap();
    assert_eq!(
        reply.option,
        BootOption::Flags(BootFlags([0xa0, 0x18, 0, 0, 0]))
    );
    let short = get.decode_reply(&mut Reader::new(&[1, 5, 0xa0]));
    assert_eq!(
        short.unwrap_err().to_string(),
        "boot flags: need 2 bytes, have 1"
    );
}

fn option() -> impl Strategy<Value = BootOption> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..16);
    prop_oneof![
        any::<u8>().prop_map(BootOption::SetInProgress),
        any::<u8>().prop_map(BootOption::ServicePartitionSelector),
        any::<u8>().prop_map(BootOption::ServicePartitionScan),
        any::<u8>().prop_map(BootOption::ValidBitClearing),
        any::<(u8, u8)>().prop_map(|(mask, data)| BootOption::InfoAcknowledge { mask, data }),
        any::<[u8; 5]>().prop_map(|b| BootOption::Flags(BootFlags(b))),
        any::<(u8, u32, u32)>().prop_map(|(channel, session, time)| {
            BootOption::InitiatorInfo(BootInitiator {
                channel,
                session,
                time,
            })
        }),
        (any::<u8>(), bytes()).prop_map(|(block, data)| BootOption::Mailbox { block, data }),
        (8u8..0x80, bytes()).prop_map(|(selector, data)| BootOption::Other { selector, data }),
        (0u8..8).prop_map(|selector| BootOption::Other {
            selector,
            data: Vec::new()
        }),
    ]
}

fn check(b: [u8; 6], n: u32, some: bool, invalid: bool, option: &BootOption) -> Checked {
    let mut seen = Checked::default();
    let [flags, fru, sdr, sel, management, x] = b;
    let tail = some.then_some(x);
    let caps = ChassisCapabilities {
        flags,
        fru,
        sdr,
        sel,
        management,
        bridge: tail,
    };
    seen.both_ways(&GetChassisCapabilities, &caps, (0, 5));
    let status = ChassisStatus {
        power: fru,
        last_event: sdr,
        misc: sel,
        buttons: tail,
    };
    seen.both_ways(&GetChassisStatus, &status, (0, 3));
    let action = ControlAction(x);
    seen.both_ways(&ChassisControl { action }, &(), (1, 0));
    let force = tail.filter(|_| invalid);
    let identify = ChassisIdentify {
        interval: tail,
        force,
    };
    seen.both_ways(&identify, &(), (0, 0));
    let policy = PowerRestorePolicy(x);
    seen.both_ways(
        &SetPowerRestorePolicy { policy },
        &RestorePolicies(fru),
        (1, 1),
    );
    seen.both_ways(&SetPowerCycleInterval { seconds: x }, &(), (1, 0));
    let cause = SystemRestartCause {
        cause: RestartCause(x),
        channel: 0,
    };
    seen.both_ways(&GetSystemRestartCause, &cause, (0, 1));
    let set = SetSystemBootOptions {
        invalid,
        option: option.clone(),
    };
    seen.varied(&set, &());
    let get = GetSystemBootOptions {
        selector: flags,
        set: fru,
        block: x,
    };
    let reply = GetSystemBootOptionsReply {
        version: sdr,
        invalid,
        option: option.clone(),
    };
    seen.varied(&get, &reply);
    for cut in 0..3 {
        let short = GetSystemBootOptions::decode(&mut Reader::new(&b[..cut]));
        assert!(short.is_err());
    }
    let poh = PohCounter {
        minutes_per_count: x,
        count: n,
    };
    seen.both_ways(&GetPohCounter, &poh, (0, 5));
    seen
}

#[test]
fn every_command_is_checked() {
    let option = BootOption::ValidBitClearing(8);
    check([1; 6], 1, true, true, &option).assert_complete("chassis");
}

proptest! {
    #[test]
    fn commands(b: [u8; 6], n: u32, some: bool, invalid: bool, option in option()) {
        check(b, n, some, invalid, &option);
    }
}
