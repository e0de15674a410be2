use super::*;

fn read(bytes: &[u8]) -> Leases {
    parse(bytes).unwrap()
}

fn mac(text: &str) -> MacAddr {
    text.parse().unwrap()
}

fn at<'a>(leases: &'a Leases, ip: &str) -> &'a Lease {
    &leases.leases[&ip.parse::<IpAddr>().unwrap()]
}

const ISC: &str = "# The format of this file is documented in the dhcpd.leases(5) manual page.\n\
\n\
authoring-byte-order little-endian;\n\
server-duid \"\\000\\001{;}\\\"\";\n\
\n\
lease 192.0.2.100 {\n  starts 0 2026/11/22 17:11:52;\n  ends 0 2026/11/22 17:21:52;\n  binding state active;\n\
  next binding state free;\n  rewind binding state free;\n  hardware ethernet ac:1f:6b:00:00:01;\n\
  uid \"\\001\\254\\037k};\";\n  client-hostname \"bmc \\\"r01\\\" \\344\";\n  on expiry { execute (\"x\"); }\n}\n\
lease 192.0.2.101 {\n  starts 0 2026/11/22 17:11:53;\n  ends never;\n  binding state active;\n  hardware ethernet b4:7a:f1:00:00:02;\n}\n\
lease 192.0.2.101 {\n  ends epoch 1795367517; # Sun Nov 22\n  binding state free;\n  hardware ethernet b4:7a:f1:00:00:02;\n}\n";

#[test]
fn isc_the_last_block_of_an_address_wins() {
    for text in [ISC.to_owned(), ISC.replace('\n', "\r\n")] {
        let leases = read(text.as_bytes());
        assert_eq!(
            (leases.format, leases.bad_count),
            (Format::Isc, 0),
            "{:?}",
            leases.bad
        );
        let first = at(&leases, "192.0.2.100");
        assert_eq!(first.mac, mac("ac:1f:6b:00:00:01"));
        assert_eq!(first.ends, Some(1_795_368_112));
        assert_eq!(first.hostname.as_deref(), Some("bmc \"r01\" \u{fffd}"));
        assert!(first.is_active(1_795_368_111) && !first.is_active(1_795_368_112));
        let second = at(&leases, "192.0.2.101");
        assert_eq!(
            (second.state, second.ends),
            (State::Free, Some(1_795_367_517))
        );
    }
}

#[test]
fn isc_torn_blocks_lose_nothing_else() {
    // Whatever is cut off at the end: the block before stays.
    let first = ISC.find("lease 192.0.2.101").unwrap() - 1;
    for end in 0..ISC.len() {
        let leases = read(&ISC.as_bytes()[..end]);
        assert_eq!(!leases.leases.is_empty(), end >= first, "{end}");
    }
    // A block that was torn in the middle of the file, with a quote open.
    let (torn, rest) = (ISC.find("uid \"\\001\\254").unwrap() + 7, first + 1);
    let torn = format!("{}\n{}", &ISC[..torn], &ISC[rest..]);
    let leases = read(torn.as_bytes());
    assert_eq!(leases.bad_count, 1);
    assert_eq!(leases.bad[0].line, 6);
    assert_eq!(leases.leases.len(), 1);
    assert_eq!(at(&leases, "192.0.2.101").state, State::Free);
}

#[test]
fn isc_odd_hardware_and_states() {
    let leases = read(b"lease 10.0.0.1 { binding state abandoned; hardware ethernet 00:00:00:00:00:01; }\n\
        lease 10.0.0.2 { hardware token-ring 00:00:00:00:00:02; }\nlease 10.0.0.3 { binding state free; }\n\
        lease x { hardware ethernet 00:00:00:00:00:04; }\nlease 10.0.0.5 { ends tomorrow; hardware ethernet 00:00:00:00:00:05; }\n");
    assert_eq!(at(&leases, "10.0.0.1").state, State::Abandoned);
    assert_eq!(
        (leases.leases.len(), leases.bad_count),
        (1, 3),
        "{:?}",
        leases.bad
    );
}

const KEA: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n\
192.0.2.100,ac:1f:6b:00:00:01,01:ac:1f:6b:00:00:01,600,1795368151,1,0,0,bmc-r01c01,0,\n\
192.0.2.101,b4:7a:f1:00:00:02,,600,1795368151,1,0,0,,0,\n\
192.0.2.101,b4:7a:f1:00:00:02,,0,1795367552,1,0,0,,0,\n\
192.0.2.102,b4:7a:f1:00:00:03,,4294967295,1795367552,1,0,0,,0,\n\
192.0.2.103,b4:7a:f1:00:00:04,,600,1795367552,1,0,0,,2,\n\
192.0.2.104,,01:02,600,1795367552,1,0,0,,0,\n";

#[test]
fn kea_goes_by_the_header() {
    let leases = read(KEA.as_bytes());
    assert_eq!(
        (leases.format, leases.bad_count),
        (Format::Kea, 0),
        "{:?}",
        leases.bad
    );
    let first = at(&leases, "192.0.2.100");
    assert_eq!(
        (first.starts, first.ends),
        (Some(1_795_367_551), Some(1_795_368_151))
    );
    assert_eq!(first.hostname.as_deref(), Some("bmc-r01c01"));
    assert_eq!(at(&leases, "192.0.2.101").state, State::Free);
    assert!(at(&leases, "192.0.2.102").is_active(u64::MAX));
    assert_eq!(at(&leases, "192.0.2.103").state, State::Free);
    assert_eq!(leases.leases.len(), 4);
    // Other columns in another order, a bad line, a half-written one.
    let other = read(b"pool_id,state,hwaddr,address,expire\n0,0,ac:1f:6b:00:00:01,10.0.0.1,99\n0,0,nonsense,10.0.0.2,99\n0,0,ac:1f:6b:00:00:03,10.0.0.3,9");
    assert!(at(&other, "10.0.0.1").is_active(98));
    assert_eq!((other.leases.len(), other.bad_count), (1, 2));
    assert_eq!((other.bad[0].line, other.bad[1].line), (3, 4));
}

#[test]
fn dnsmasq_with_and_without_an_end() {
    let leases = read(b"1795368042 a6:84:bd:ac:61:ab 192.0.2.102 * *\n0 ac:1f:6b:00:00:01 192.0.2.135 bmc-r01c01 01:ac\n\
        1795368042 06-00:01:02:03:04:05:06 192.0.2.103 * *\nx y\nduid 00:01\n1795368042 123 fe80::1 * 00:01\n");
    assert_eq!(
        (leases.format, leases.leases.len(), leases.bad_count),
        (Format::Dnsmasq, 2, 2),
        "{:?}",
        leases.bad
    );
    assert_eq!(at(&leases, "192.0.2.135").ends, None);
    assert_eq!(
        at(&leases, "192.0.2.135").hostname.as_deref(),
        Some("bmc-r01c01")
    );
    assert_eq!(at(&leases, "192.0.2.102").hostname, None);
}

#[test]
fn recorded_files_are_read() {
    let shared = std::env::var_os("HALBOX_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        std::path::PathBuf::from,
    );
    let Ok(dir) = std::fs::read_dir(shared.join("testbed/leases")) else {
        // Recorded files stand beside the repository, or nowhere.
        assert!(!shared.exists(), "needs testbed/leases");
        return;
    };
    for path in dir.map(|e| e.unwrap().path()) {
        let leases = read(&std::fs::read(&path).unwrap());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let format = match name.split(['-', '.']).next().unwrap() {
            "isc" => Format::Isc,
            "kea" => Format::Kea,
            _ => Format::Dnsmasq,
        };
        assert_eq!(
            (leases.format, leases.bad_count),
            (format, 0),
            "{name}: {:?}",
            leases.bad
        );
        assert!(
            leases
                .leases
                .values()
                .any(|l| l.mac == mac("ac:1f:6b:00:00:01")),
            "{name}"
        );
    }
}

#[test]
fn anything_else_is_named_and_nothing_is_lost() {
    assert_eq!(read(b""), Leases::default());
    assert_eq!(read(b"\n# only a comment\n\r\n").bad_count, 0);
    assert_eq!(read(b"<html>\n").bad_count, 1);
    // A line that is longer than any buffer, between good ones.
    let mut long =
        b"1795368042 a6:84:bd:ac:61:ab 192.0.2.102 * *\n0 ac:1f:6b:00:00:01 192.0.2.1 ".to_vec();
    long.extend(std::iter::repeat_n(b'x', 1 << 20));
    long.extend(b"\n1795368042 a6:84:bd:ac:61:ac 192.0.2.103 \xff\xfe *\n");
    let leases = read(&long);
    assert_eq!(leases.leases.len(), 3);
    assert_eq!(at(&leases, "192.0.2.103").mac, mac("a6:84:bd:ac:61:ac"));
}

#[test]
fn a_hundred_megabytes_are_read_as_a_stream() {
    /// The same block again and again.
    struct Repeated(u64, io::Cursor<Vec<u8>>);
    impl Read for Repeated {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let n = self.1.read(to)?;
            if n == 0 && self.0 > 0 {
                self.0 -= 1;
                self.1.set_position(0);
                return self.1.read(to);
            }
            Ok(n)
        }
    }
    let block = ISC.as_bytes()[ISC.find("lease 192").unwrap()..].to_vec();
    let times = 10_000_000 / block.len() as u64;
    let input = io::BufReader::new(Repeated(times, io::Cursor::new(block)));
    let leases = parse(input).unwrap();
    assert_eq!((leases.leases.len(), leases.bad_count), (2, 0));
}

#[test]
fn an_address_that_was_cleared_is_nobodys() {
    // Kea clears the hardware address of what a client declined.
    let kea = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n\
192.0.2.7,ac:1f:6b:00:00:07,,600,1795368112,1,0,0,,0,,0\n192.0.2.7,,,86400,1795400000,1,0,0,,1,,0\n";
    let isc = "lease 192.0.2.7 {\n  ends never;\n  binding state active;\n  hardware ethernet ac:1f:6b:00:00:07;\n}\n\
lease 192.0.2.7 {\n  ends never;\n  binding state abandoned;\n}\n";
    for text in [kea, isc] {
        let leases = read(text.as_bytes());
        assert_eq!(leases.bad_count, 0, "{:?}", leases.bad);
        assert!(leases.leases.is_empty(), "{:?}", leases.leases);
        // It counts against an older file as well.
        let (head, lines) = text.split_at(
            text.find("192.0.2.7,,")
                .unwrap_or_else(|| text.rfind("lease 192").unwrap()),
        );
        let mut old = read(head.as_bytes());
        assert_eq!(old.leases.len(), 1);
        let newer = if text == kea {
            format!("{}\n{lines}", kea.lines().next().unwrap())
        } else {
            lines.to_owned()
        };
        old.extend(read(newer.as_bytes()));
        assert!(old.leases.is_empty(), "{:?}", old.leases);
    }
}
