//! Lease files as they are found: huge, damaged in places, of every server; read by a daemon that runs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use super::canary::page;
use super::daemon::Daemon;
use super::simulated;
use crate::common::shared;

/// Addresses of the large file; half of them are leased.
const ADDRESSES: usize = 200;

/// Megabytes of the large file, where nobody wants others (`HALBOX_LEASES_MB`).
const SIZE: usize = 24;

fn mac(n: usize) -> String {
    format!("ac:1f:6b:02:00:{n:02x}")
}

/// Writes a file of dhcpd that is at least `size` bytes long, with Windows' line ends, bytes that are no UTF-8, blocks
/// that do not end and MACs that are none; how many of the latter two there are.
fn write(path: &Path, size: usize) -> u64 {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let (mut written, mut bad, mut blocks) = (0, 0, 0usize);
    while written < size {
        for n in 1..=ADDRESSES {
            blocks += 1;
            let mut block = String::new();
            if blocks.is_multiple_of(53) {
                bad += 1;
                block.push_str("lease 127.88.40.1 {\n  starts 0 2026/11/22 17:1");
                block.push('\n');
            }
            if blocks.is_multiple_of(71) {
                bad += 1;
                block.push_str("lease 127.88.40.2 {\n  hardware ethernet zz:1f:6b:02:00:02;\n}\n");
            }
            let state = if n % 2 == 1 { "active" } else { "free" };
            let _ = write!(
                block,
                "lease 127.88.40.{n} {{\n  starts 0 2026/11/22 17:11:52;\n  ends 0 2096/11/22 17:21:52;\n  \
                 binding state {state};\n  hardware ethernet {};\n  client-hostname \"bmc\u{e4}\";\n}}\n",
                mac(n)
            );
            if blocks.is_multiple_of(10) {
                block = block.replace('\n', "\r\n");
            }
            let mut bytes = block.into_bytes();
            if blocks.is_multiple_of(3) {
                // Half of a letter.
                let at = bytes.windows(2).position(|w| w == [0xc3, 0xa4]).unwrap();
                bytes.remove(at + 1);
            }
            written += bytes.len();
            out.write_all(&bytes).unwrap();
        }
    }
    out.flush().unwrap();
    bad
}

/// The value of a metric of a file.
fn metric(page: &str, name: &str, file: &Path) -> u64 {
    let begin = format!("halbox_{name}{{file=\"{}\"}} ", file.display());
    let line = page.lines().find_map(|line| line.strip_prefix(&begin));
    line.unwrap_or_else(|| panic!("no {begin}\n{page}"))
        .parse()
        .unwrap()
}

fn peak_memory(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// All MACs of the table, as soon as these are among them.
fn rows(daemon: &Daemon, wanted: &BTreeSet<String>) -> BTreeSet<String> {
    let all = || -> BTreeSet<String> {
        let rows = daemon.json("ls --all");
        let rows = rows["bmcs"].as_array().unwrap().iter();
        rows.map(|row| row["mac"].as_str().unwrap().to_owned())
            .collect()
    };
    for mac in wanted.difference(&all()) {
        daemon.until(mac, |_| true);
    }
    all()
}

#[test]
fn a_huge_and_damaged_lease_file_costs_no_lease_and_little_memory() {
    let sim = simulated("127.88.40.1", 16_440, 1, "admin");
    let http = "127.88.40.1:16442";
    let line = format!("--ipmi-port 16440 --redfish-port 16441 --http {http}");
    let daemon = Daemon::start_with(&line, &[("HALBOX_LOG", "warn")]);
    daemon.lease(&[]);
    let before = peak_memory(&daemon);
    let size = std::env::var("HALBOX_LEASES_MB").map_or(SIZE, |mb| mb.parse().unwrap()) << 20;
    let new = daemon.leases().with_extension("new");
    let bad = write(&new, size);
    std::fs::rename(new, daemon.leases()).unwrap();
    daemon.until(&mac(1), |row| row["drivers"] == json!(["IPMI"]));
    let leased: BTreeSet<String> = (1..=ADDRESSES).step_by(2).map(mac).collect();
    assert_eq!(rows(&daemon, &leased), leased);
    let page = page(http, "/metrics");
    let is = |name| metric(&page, name, &daemon.leases());
    assert_eq!(is("lease_file_bad_lines"), bad);
    assert_eq!(is("leases"), ADDRESSES as u64);
    assert_eq!(is("leases_active"), leased.len() as u64);
    assert_eq!(is("lease_file_failed"), 0);
    let log = daemon.log();
    let named = format!("{}:", daemon.leases().display());
    for words in ["the block of 127.88.40.1 does not end", "zz:1f:6b:02:00:02"] {
        assert!(
            log.lines().any(|l| l.contains(&named) && l.contains(words)),
            "{words}: {log}"
        );
    }
    let more = (peak_memory(&daemon) - before) >> 10;
    eprintln!(
        "{} MB of leases, {bad} bad places: {more} MiB more memory at most",
        size >> 20
    );
    assert!(more < 16, "{more} MiB for a file of {} MiB", size >> 20);
    drop(sim);
}

#[test]
fn the_files_of_three_servers_are_read_at_once() {
    let Some(samples) = shared("testbed/leases") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    // File, addresses in it, active ones.
    let files = [
        ("dnsmasq.leases", 1, 1),
        ("dnsmasq-2.leases", 2, 2),
        ("isc-dhcpd.leases.1-first", 1, 1),
        ("isc-dhcpd.leases.2-renew-second-release", 2, 1),
        ("kea-leases4.csv.1-first", 1, 1),
        ("kea-leases4.csv.2-renew-reservation-release", 3, 2),
        ("kea-leases4.csv.3-expired", 1, 0),
        ("kea-leases4.csv.4-flushed", 1, 0),
    ];
    let mut line = "--ipmi-port 16440 --redfish-port 16441 --http 127.88.42.1:16442".to_owned();
    for (name, ..) in files {
        let text = std::fs::read_to_string(samples.join(name)).unwrap();
        // Their leases ended long ago; and nobody is asked who is not here.
        let text = text
            .replace("192.0.2.", "127.88.42.")
            .replace("2026/11/22", "2096/11/22")
            .replace(",17953", ",39953");
        let text = format!("\n{text}").replace("\n17953", "\n39953");
        std::fs::write(dir.path().join(name), text).unwrap();
        let _ = write!(line, " --lease-file {}", dir.path().join(name).display());
    }
    let daemon = Daemon::start(&line);
    let wanted = [
        "a6:84:bd:ac:61:ab",
        "ac:1f:6b:00:00:01",
        "ac:1f:6b:00:00:99",
    ];
    let wanted: BTreeSet<String> = wanted.map(str::to_owned).into();
    assert_eq!(rows(&daemon, &wanted), wanted, "{}", daemon.log());
    let page = page("127.88.42.1:16442", "/metrics");
    for (name, all, active) in files {
        let is = |what| metric(&page, what, &dir.path().join(name));
        assert_eq!(
            (
                is("leases"),
                is("leases_active"),
                is("lease_file_bad_lines")
            ),
            (all, active, 0),
            "{name}"
        );
    }
}
