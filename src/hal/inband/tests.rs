//! The whole sequence against simulated BMCs of several vendors; time is tokio's paused clock.

mod bed;
mod interrupted;
mod odd;

use bed::{Bed, USER, order};

use super::*;
use crate::hal::Kind;
use crate::hal::ipmi::cmd::app::PrivilegeLevel;
use crate::hal::sim::ProfileName;

/// Slots that a new user gets on a fresh BMC of each kind.
const SLOTS: [(ProfileName, u8); 6] = [
    (ProfileName::Generic, 3),
    (ProfileName::Dell, 3),
    (ProfileName::Supermicro, 10),
    (ProfileName::Lenovo, 3),
    (ProfileName::Hpe, 2),
    (ProfileName::OpenBmc, 2),
];

#[tokio::test(start_paused = true)]
async fn a_fresh_bmc_of_every_vendor() {
    for (profile, slot) in SLOTS {
        let bed = Bed::new(profile);
        let before = bed.users();
        let run = bed.run(&order()).await.unwrap();
        assert_eq!(run.made.user_id, slot, "{profile}");
        assert!(
            run.made.created && run.made.verified == Verified::InBand,
            "{profile}"
        );
        bed.assert_works(slot, &run.made.password.unwrap());
        assert!(
            bed.others(slot) == Bed::without(&before, slot),
            "{profile}: others were changed"
        );
        // Dell's Redfish does not follow IPMI, and only Redfish can change that.
        let warned = run
            .warnings
            .iter()
            .filter(|w| w.contains("Accounts/3"))
            .count();
        assert_eq!(
            warned,
            usize::from(profile == ProfileName::Dell),
            "{profile}"
        );
        assert_eq!(run.warnings.len(), warned, "{profile}: {:?}", run.warnings);
        assert!(
            run.found.mac.is_some() && run.found.ip.is_some(),
            "{profile}"
        );
        // The second run finds all of it done.
        let again = bed.run(&order()).await.unwrap();
        assert_eq!(again.writes, [""; 0], "{profile}");
        assert!(
            !again.made.created && again.made.password.is_none(),
            "{profile}"
        );
        assert_eq!(again.made.user_id, slot);
    }
}

#[tokio::test(start_paused = true)]
async fn the_customary_slot_is_taken_although_a_lower_one_is_free() {
    // By profile, or by the manufacturer id that Get Device ID says: Fujitsu, Gigabyte.
    for (profile, manufacturer, slot) in [
        (ProfileName::Dell, None, 3),
        (ProfileName::Supermicro, None, 10),
        (ProfileName::Lenovo, None, 3),
        (ProfileName::Generic, Some(10_368), 3),
        (ProfileName::Generic, Some(15_370), 3),
        (ProfileName::Generic, None, 2),
    ] {
        let with = |taken: Option<u8>| {
            let bed = Bed::new(profile);
            bed.bmc.with_state(|s| {
                if let Some(id) = manufacturer {
                    std::sync::Arc::get_mut(&mut s.profile)
                        .unwrap()
                        .manufacturer = id;
                }
                s.users.clear(2);
                if let Some(slot) = taken {
                    let user = s.users.get_mut(slot).unwrap();
                    (user.name[0], user.enabled, user.limit) = (b'x', true, 4);
                }
            });
            bed
        };
        let made = with(None).run(&order()).await.unwrap().made;
        assert_eq!(made.user_id, slot, "{profile} {manufacturer:?}");
        // And where somebody is in it, the first free one.
        let made = with(Some(slot)).run(&order()).await.unwrap().made;
        let next = if slot == 2 { 3 } else { 2 };
        assert_eq!(made.user_id, next, "{profile} {manufacturer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn name_password_access_and_the_user_is_let_in_last() {
    for (profile, _) in SLOTS {
        let bed = Bed::new(profile);
        let run = bed.run(&order()).await.unwrap();
        let at = |what: &str| {
            let found = run.writes.iter().position(|w| w.starts_with(what));
            found.unwrap_or_else(|| panic!("{profile}: no {what} in {:?}", run.writes))
        };
        let slot = run.made.user_id;
        let set = at(&format!("Set User Password (0x06 0x47 {slot:#04x} 0x02"));
        assert!(at("Set User Name") < set, "{profile}");
        assert!(set < at("Set User Access"), "{profile}");
        let enabled = format!("Set User Password (0x06 0x47 {slot:#04x} 0x01");
        assert_eq!(
            at(&enabled),
            run.writes.len() - 1,
            "{profile}: {:?}",
            run.writes
        );
        // Callback clear, link authentication and messages on; no session limit.
        let access = &run.writes[at("Set User Access")];
        let channel = run.found.channel;
        assert!(
            access.ends_with(&format!(" {:#04x} {slot:#04x} 0x04)", 0xb0 | channel)),
            "{access}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_bytes_where_the_bmc_proves_that_it_keeps_them() {
    let mut long = order();
    long.password = Wanted::Random { length: 20 };
    let bed = Bed::new(ProfileName::Generic);
    let run = bed.run(&long).await.unwrap();
    let password = run.made.password.unwrap();
    assert_eq!(password.len(), 20);
    bed.assert_works(run.made.user_id, &password);
}

#[tokio::test(start_paused = true)]
async fn a_working_user_is_kept_and_only_rotated_when_told() {
    let bed = Bed::new(ProfileName::Dell);
    let first = bed.run(&order()).await.unwrap();
    let mut rotate = order();
    rotate.existing = Existing::Rotate;
    let second = bed.run(&rotate).await.unwrap();
    assert_eq!(second.made.user_id, first.made.user_id);
    assert_ne!(
        second.made.password.as_ref().unwrap().expose(),
        first.made.password.unwrap().expose()
    );
    // Only the password: who is let in is never shut out in between.
    assert_eq!(second.writes.len(), 1, "{:?}", second.writes);
    assert!(second.writes[0].starts_with("Set User Password (0x06 0x47 0x03 0x02"));
    bed.assert_works(second.made.user_id, &second.made.password.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_given_password_is_used_and_a_refused_one_is_told() {
    let bed = Bed::new(ProfileName::Supermicro);
    let mut given = order();
    given.password = Wanted::Given(crate::hal::model::Secret::new("nodigits"));
    assert_eq!(bed.run(&given).await.unwrap_err().kind(), Kind::Refused);
    bed.assert_nobody(USER);
    given.password = Wanted::Given(crate::hal::model::Secret::new("d1gits+special"));
    let run = bed.run(&given).await.unwrap();
    bed.assert_works(run.made.user_id, &run.made.password.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_full_table_changes_nobody() {
    let bed = Bed::new(ProfileName::Generic);
    bed.fill();
    let before = bed.users();
    let error = bed.run(&order()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.chain().contains("all 16 slots"), "{}", error.chain());
    assert!(bed.users() == before);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_off_is_turned_on_unless_forbidden() {
    let bed = Bed::new(ProfileName::Generic);
    bed.bmc
        .with_state(|s| (s.channel.flags, s.channel.limit) = (0, 2));
    let mut keep = order();
    keep.enable_lan = false;
    let run = bed.run(&keep).await.unwrap();
    assert!(
        run.warnings
            .iter()
            .any(|w| w.contains("is off and stays off")),
        "{:?}",
        run.warnings
    );
    assert_eq!(
        bed.bmc.with_state(|s| (s.channel.flags, s.channel.limit)),
        (0, 2)
    );
    bed.run(&order()).await.unwrap();
    assert_eq!(
        bed.bmc
            .with_state(|s| (s.channel.flags & 7, s.channel.limit)),
        (2, 4)
    );
}

#[tokio::test(start_paused = true)]
async fn the_address_stays_unless_dhcp_is_asked_for() {
    let bed = Bed::new(ProfileName::Generic);
    bed.bmc.with_state(|s| s.lan.source = 1);
    bed.run(&order()).await.unwrap();
    assert_eq!(bed.bmc.with_state(|s| s.lan.source), 1);
    let mut dhcp = order();
    dhcp.dhcp = true;
    bed.run(&dhcp).await.unwrap();
    assert_eq!(bed.bmc.with_state(|s| s.lan.source), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_writes_nothing_and_says_what_a_run_writes() {
    for (profile, _) in SLOTS {
        let bed = Bed::new(profile);
        let before = bed.users();
        let dry = bed.rehearse(&order()).await.unwrap();
        assert!(bed.users() == before, "{profile}");
        let real = bed.run(&order()).await.unwrap();
        assert_eq!(dry.writes, real.writes, "{profile}");
        assert_eq!(dry.said.len(), dry.writes.len() + 1, "{:?}", dry.said);
        assert_eq!(dry.made.verified, Verified::None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_is_taken_away_and_only_that_one() {
    for (profile, slot) in SLOTS {
        let bed = Bed::new(profile);
        let before = bed.users();
        bed.run(&order()).await.unwrap();
        assert!(bed.remove().await.unwrap(), "{profile}");
        bed.assert_nobody(USER);
        let user = bed.bmc.with_state(|s| s.users.get(slot).unwrap().clone());
        assert!(
            !user.enabled && user.limit == PrivilegeLevel::NO_ACCESS.0,
            "{profile}"
        );
        assert!(bed.others(slot) == Bed::without(&before, slot), "{profile}");
        assert!(!bed.remove().await.unwrap());
    }
}
