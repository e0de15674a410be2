use super::*;

fn parse(words: &[&str]) -> Result<Targets, String> {
    Targets::parse_with(words, || {
        Ok("10.0.0.1 # first\n\n  node1:6230\tnode2\n".to_owned())
    })
}

fn shown(words: &[&str]) -> Vec<String> {
    let targets = parse(words).unwrap();
    let list: Vec<String> = targets.iter().map(|t| t.text).collect();
    assert_eq!(list.len() as u64, targets.count());
    list
}

fn refused(word: &str) -> String {
    parse(&[word]).expect_err(word)
}

#[test]
fn single_targets() {
    let one = |text| parse(&[text]).unwrap().iter().next().unwrap();
    let ip = |text: &str| Host::Ip(text.parse().unwrap());
    assert_eq!(one("10.0.0.7").host, ip("10.0.0.7"));
    assert_eq!(one("::1").host, ip("::1"));
    assert_eq!(
        one("[fd00::7]:6230"),
        Target {
            text: "[fd00::7]:6230".into(),
            host: ip("fd00::7"),
            port: Some(6230)
        }
    );
    assert_eq!(one("[::1]").port, None);
    assert_eq!(one("127.0.0.1:6230").port, Some(6230));
    assert_eq!(
        one("node-7.mgmt.example").host,
        Host::Name("node-7.mgmt.example".into())
    );
    assert_eq!(one("localhost:1").port, Some(1));
}

#[test]
fn networks_leave_out_network_and_broadcast() {
    assert_eq!(shown(&["10.0.0.9/30"]), ["10.0.0.9", "10.0.0.10"]);
    assert_eq!(shown(&["10.0.0.8/31"]), ["10.0.0.8", "10.0.0.9"]);
    assert_eq!(shown(&["10.0.0.8/32"]), ["10.0.0.8"]);
    assert_eq!(shown(&["255.255.255.255/32"]), ["255.255.255.255"]);
    assert_eq!(shown(&["fd00::/127"]), ["fd00::", "fd00::1"]);
    assert_eq!(parse(&["10.0.0.0/12"]).unwrap().count(), (1 << 20) - 2);
}

#[test]
fn ranges() {
    assert_eq!(
        shown(&["10.0.0.254-10.0.1.1"]),
        ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"]
    );
    assert_eq!(shown(&["10.0.0.1-3"]), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    assert_eq!(
        shown(&["fd00::fe-fd00::100"]),
        ["fd00::fe", "fd00::ff", "fd00::100"]
    );
    assert_eq!(
        shown(&["node[098-101]"]),
        ["node098", "node099", "node100", "node101"]
    );
    assert_eq!(
        shown(&["r[8-10].dc:6230"]),
        ["r8.dc:6230", "r9.dc:6230", "r10.dc:6230"]
    );
}

#[test]
fn a_list_on_stdin_among_others() {
    assert_eq!(
        shown(&["a", "-", "b"]),
        ["a", "10.0.0.1", "node1:6230", "node2", "b"]
    );
}

#[test]
fn errors_name_the_word_and_the_reason() {
    assert!(refused("10.0.0.300").contains("is no IPv4 address"));
    assert!(refused("10.0.0.1:0").contains("'0' is no port"));
    assert!(refused("10.0.0.1:70000").contains("is no port"));
    assert!(refused("10.0.0.9-10.0.0.1").contains("ends before it begins"));
    assert!(refused("10.0.0.1-::1").contains("mixes"));
    assert!(refused("10.0.0.1-300").contains("0 to 255"));
    assert!(refused("10.0.0.0/33").contains("0 to 32"));
    assert!(refused("10.0.0.0/8").contains("at most 1048576"));
    assert!(refused("fd00::/64").contains("at most"));
    assert!(refused("::/0").contains("at most"));
    assert!(refused("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").contains("at most"));
    assert!(refused("node[1-9999999999]").contains("at most"));
    for bad in [
        "",
        "a b",
        "node[1-",
        "node[]",
        "node[1]",
        "node[a-b]",
        "[::1",
        "[::1]x",
        "-x",
        "a..b",
        "x/24",
        "ä",
        "a:b:c",
        "node[1-2]x[3-4]",
        "http://x",
    ] {
        assert!(parse(&[bad]).is_err(), "{bad:?}");
    }
    let none: [&str; 0] = [];
    assert!(parse(&none).is_err());
}

proptest::proptest! {
    #[test]
    fn no_word_panics_and_counts_agree(word in "[0-9a-f.:\\[\\]/-]{0,24}|node\\[[0-9]{0,4}-[0-9]{0,4}\\]|\\PC{0,12}") {
        if let Ok(targets) = parse(&[&word]) {
            proptest::prop_assert!(targets.count() <= LIMIT);
            if targets.count() < 2000 {
                proptest::prop_assert_eq!(targets.iter().count() as u64, targets.count());
            }
        }
    }
}
