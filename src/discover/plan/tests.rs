use super::super::leases::State;
use super::*;

const NOW: u64 = 1_000_000;

fn mac(n: u8) -> MacAddr {
    MacAddr([0xac, 0x1f, 0x6b, 0, 0, n])
}

fn lease(n: u8, ip: &str, ends: u64) -> Lease {
    Lease {
        mac: mac(n),
        ip: ip.parse().unwrap(),
        state: State::Active,
        starts: None,
        ends: Some(ends),
        hostname: None,
    }
}

fn known(ip: &str, ends: u64) -> Known {
    Known {
        address: ip.parse().ok(),
        lease_ends: Some(ends),
        leased: true,
        ..Known::default()
    }
}

fn looked(at: u64, times: u32, complete: bool) -> Looked {
    Looked {
        ip: "10.0.0.1".parse().ok(),
        since: at,
        at,
        times,
        found: true,
        complete,
        now: false,
    }
}

fn steps(leases: &[Lease], table: &[(MacAddr, Known)], seen: &[(MacAddr, Looked)]) -> Vec<Step> {
    let table = table.iter().cloned().collect();
    let seen = seen.iter().copied().collect();
    plan(leases, &Rules::default(), &table, &seen, NOW)
}

#[test]
fn a_new_lease_is_looked_at_and_a_known_one_left_alone() {
    let look = Step::Look {
        mac: mac(1),
        ip: "10.0.0.1".parse().unwrap(),
    };
    let leases = [lease(1, "10.0.0.1", NOW + 60)];
    assert_eq!(steps(&leases, &[], &[]), std::slice::from_ref(&look));
    let row = (mac(1), known("10.0.0.1", NOW + 60));
    let stable = (mac(1), looked(NOW - 100, 2, true));
    assert_eq!(steps(&leases, std::slice::from_ref(&row), &[stable]), []);
    // Not stable yet: again after 5 s, and after a day in any case.
    let young = (mac(1), looked(NOW - 5, 1, false));
    assert_eq!(
        steps(&leases, std::slice::from_ref(&row), &[young]),
        std::slice::from_ref(&look)
    );
    let old = (mac(1), looked(NOW - DAILY * 11 / 10, 9, true));
    assert_eq!(steps(&leases, std::slice::from_ref(&row), &[old]), [look]);
}

#[test]
fn moves_renewals_and_ends_are_seen() {
    let row = (mac(1), known("10.0.0.1", NOW + 60));
    let stable = (mac(1), looked(NOW - 100, 2, true));
    let renewed = lease(1, "10.0.0.1", NOW + 120);
    assert_eq!(
        steps(
            std::slice::from_ref(&renewed),
            std::slice::from_ref(&row),
            &[stable]
        ),
        [Step::Lease {
            lease: renewed,
            moved: None
        }]
    );
    // Two leases of one client: the newer one counts.
    let moved = lease(1, "10.0.0.2", NOW + 99);
    let got = steps(
        &[lease(1, "10.0.0.1", NOW + 60), moved.clone()],
        std::slice::from_ref(&row),
        &[stable],
    );
    assert_eq!(got.len(), 2);
    assert_eq!(
        got[0],
        Step::Lease {
            lease: moved,
            moved: "10.0.0.1".parse().ok()
        }
    );
    assert!(matches!(got[1], Step::Look { .. }));
    assert_eq!(
        steps(&[lease(1, "10.0.0.1", NOW)], &[row], &[stable]),
        [Step::Stale { mac: mac(1) }]
    );
}

#[test]
fn removed_rows_stay_away_until_their_lease_is_gone() {
    let mut removed = known("10.0.0.1", NOW + 60);
    removed.removed = true;
    let row = [(mac(1), removed)];
    assert_eq!(steps(&[lease(1, "10.0.0.1", NOW + 60)], &row, &[]), []);
    assert_eq!(steps(&[], &row, &[]), [Step::Forget { mac: mac(1) }]);
}

#[test]
fn rules_and_duplicates() {
    let rules = Rules {
        networks: vec!["10.0.0.0/24".parse().unwrap()],
        ignored: vec![mac(2)],
    };
    let leases = [
        lease(1, "10.0.1.1", NOW + 1),
        lease(2, "10.0.0.2", NOW + 1),
        lease(3, "10.0.0.3", NOW + 1),
        lease(4, "10.0.0.3", NOW + 1),
        lease(0, "10.0.0.9", NOW - 1),
    ];
    let got = plan(&leases, &rules, &BTreeMap::new(), &BTreeMap::new(), NOW);
    assert_eq!(got.len(), 2, "{got:?}");
    // Once both have rows, it is said of both; and no more when it is over.
    let mut table: BTreeMap<MacAddr, Known> =
        [3, 4].map(|n| (mac(n), known("10.0.0.3", NOW + 1))).into();
    let looks: BTreeMap<_, _> = [3, 4]
        .map(|n| {
            let ip = "10.0.0.3".parse().ok();
            (
                mac(n),
                Looked {
                    ip,
                    ..looked(NOW, 2, true)
                },
            )
        })
        .into();
    let got = plan(&leases, &rules, &table, &looks, NOW);
    let words = |n: u8| {
        vec![format!(
            "duplicate: 10.0.0.3 is leased to {} as well",
            mac(n)
        )]
    };
    let say = |n: u8, words: Vec<String>| Step::Say { mac: mac(n), words };
    assert_eq!(got, [say(3, words(4)), say(4, words(3))]);
    table.get_mut(&mac(3)).unwrap().said = words(4);
    table.get_mut(&mac(4)).unwrap().said = words(3);
    assert_eq!(plan(&leases, &rules, &table, &looks, NOW), []);
    let got = plan(&leases[..3], &rules, &table, &looks, NOW);
    assert_eq!(got[0], say(3, vec![]));
    // The one whose lease has gone has lost its address to the other.
    assert_eq!(got[1], say(4, vec![]));
    let taken = Step::Taken {
        mac: mac(4),
        ip: "10.0.0.3".parse().unwrap(),
        by: mac(3),
    };
    assert_eq!(got[2..], [taken]);
    for bad in ["10.0.0.0/33", "x/8", "10.0.0.0/", "::/129"] {
        assert!(bad.parse::<Network>().is_err(), "{bad}");
    }
    assert!(
        "::/0"
            .parse::<Network>()
            .unwrap()
            .contains("fe80::1".parse().unwrap())
    );
}

#[test]
fn it_is_looked_again_until_nothing_more_is_to_come() {
    let row = [(mac(1), known("10.0.0.1", NOW + 60))];
    let leases = [lease(1, "10.0.0.1", NOW + 60)];
    let due = |looked: Looked| !steps(&leases, &row, &[(mac(1), looked)]).is_empty();
    // IPMI answered twice, Redfish not yet: a web server may take minutes.
    for (times, after) in [(1, 5), (2, 15), (3, 60), (4, 300)] {
        for (at, wanted) in [(after - 1, false), (after, true)] {
            let looked = Looked {
                since: NOW - at,
                at: NOW - 1,
                ..looked(NOW, times, false)
            };
            assert_eq!(due(looked), wanted, "{times} looks, {at} s");
        }
    }
    assert!(!due(looked(NOW - 3000, 5, false)));
    assert!(!due(looked(NOW - 400, 1, true)));
    // Nothing ever: every hour, a tenth more or less, and not all at once.
    let never = Looked {
        found: false,
        ..looked(NOW - HOURLY * 11 / 10, 5, false)
    };
    assert!(due(never));
    let waits: std::collections::BTreeSet<u64> = (0..200)
        .map(|n| {
            Looked {
                found: false,
                ..looked(0, 9, false)
            }
            .next(mac(n))
        })
        .collect();
    assert!(waits.len() > 100, "{}", waits.len());
    assert!(waits.iter().all(|w| (3240..=3960).contains(w)), "{waits:?}");
    // Moved while it is looked at: looked at again at once.
    let busy = Looked {
        ip: "10.0.0.7".parse().ok(),
        now: true,
        ..looked(NOW, 1, false)
    };
    assert!(due(busy));
}

#[test]
fn what_an_operator_added_needs_no_lease() {
    let added = Known {
        address: "10.0.0.1".parse().ok(),
        added: true,
        ..Known::default()
    };
    let look = Step::Look {
        mac: mac(1),
        ip: "10.0.0.1".parse().unwrap(),
    };
    assert_eq!(steps(&[], &[(mac(1), added.clone())], &[]), [look]);
    assert_eq!(
        steps(
            &[],
            &[(mac(1), added.clone())],
            &[(mac(1), looked(NOW, 9, true))]
        ),
        []
    );
    // A lease that comes later is the better word, also one without a begin.
    let lease = lease(1, "10.0.0.5", NOW + 9);
    let got = steps(std::slice::from_ref(&lease), &[(mac(1), added)], &[]);
    let moved = "10.0.0.1".parse().ok();
    assert_eq!(got[0], Step::Lease { lease, moved });
}

#[test]
fn candidates_go_with_their_lease() {
    let candidate = Known {
        candidate: true,
        ..known("10.0.0.1", NOW)
    };
    assert_eq!(
        steps(&[], &[(mac(1), candidate)], &[]),
        [Step::Forget { mac: mac(1) }]
    );
}

#[test]
fn a_lease_of_another_port_leads_to_the_row_of_the_bmc() {
    let bmc = Known {
        aliases: vec![mac(2)],
        ..known("10.0.0.1", NOW + 60)
    };
    let seen = [(mac(1), looked(NOW, 9, true))];
    let own = lease(1, "10.0.0.1", NOW + 60);
    let other = lease(2, "10.0.0.2", NOW + 99);
    let row = [(mac(1), bmc.clone())];
    assert_eq!(steps(&[own, other.clone()], &row, &seen), []);
    // Only the other port is plugged in.
    let got = steps(std::slice::from_ref(&other), &row, &seen);
    let lease = Lease {
        mac: mac(1),
        ..other
    };
    let moved = "10.0.0.1".parse().ok();
    assert_eq!(got[0], Step::Lease { lease, moved });
    // Two rows that claim the same MAC: both say so.
    let rows = [(mac(1), bmc), (mac(2), known("10.0.0.2", NOW + 99))];
    let got = steps(&[lease_of(1), lease_of(2)], &rows, &[seen[0], at_two()]);
    let says: Vec<_> = got
        .iter()
        .filter_map(|s| match s {
            Step::Say { mac, words } => Some((*mac, words.len(), words[0].starts_with("conflict"))),
            _ => None,
        })
        .collect();
    assert_eq!(says, [(mac(1), 1, true), (mac(2), 1, true)], "{got:?}");
}

fn lease_of(n: u8) -> Lease {
    let ends = if n == 1 { NOW + 60 } else { NOW + 99 };
    lease(n, &format!("10.0.0.{n}"), ends)
}

fn at_two() -> (MacAddr, Looked) {
    let ip = "10.0.0.2".parse().ok();
    (
        mac(2),
        Looked {
            ip,
            ..looked(NOW, 9, true)
        },
    )
}
