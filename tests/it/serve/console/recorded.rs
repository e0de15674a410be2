//! What consoles said: on disk, after kill -9, followed, and without anybody being in.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use super::*;
use crate::common::stdout;

fn replay(bed: &Bed, line: &str) -> String {
    let out = bed.daemon.bmc(&format!("console {MAC} --replay {line}"));
    assert!(out.status.success(), "{}", stderr(&out));
    stdout(&out)
}

#[test]
fn what_was_said_survives_kill_9_and_is_followed() {
    let mut bed = Bed::new("127.88.16.1", 16_430, "");
    assert_eq!(replay(&bed, ""), "");
    let mut anna = bed.visitor(&format!("console {MAC}"));
    anna.expect("you write");
    let mut follower = bed.visitor(&format!("console {MAC} --replay --follow"));
    anna.types("first line\r\n");
    follower.expect("first line\r\n");
    bed.daemon.murder();
    let (code, text) = anna.ends();
    assert_ne!(code, Some(0), "{text}");
    drop(follower);
    // The crash tore the last record.
    let folder = bed
        .daemon
        .dir
        .path()
        .join("state/console")
        .join(MAC.replace(':', "-"));
    let file = folder.join("00000001.rec");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend([200, 0, 0, 0, 0, 1, 2, 3]);
    std::fs::write(&file, bytes).unwrap();
    bed.daemon.begin();
    assert_eq!(replay(&bed, ""), "first line\r\n");
    // The BMC still thinks that the old daemon has its line, until that session ends there.
    let mut anna = bed.visitor(&format!("console {MAC} --steal"));
    anna.expect("over ipmi, ~. leaves");
    anna.types("second line\r\n");
    let mut follower = bed.visitor(&format!("console {MAC} --replay --follow --timestamps"));
    follower.expect("Z first line");
    follower.expect("Z second line");
    anna.leaves();
    follower.expect("went");
    drop(follower);
    assert_eq!(replay(&bed, ""), "first line\r\nsecond line\r\n");
    assert_eq!(replay(&bed, "--since 1h"), "first line\r\nsecond line\r\n");
    assert_eq!(replay(&bed, "--since 1ms"), "");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
}

#[test]
fn a_warm_console_records_what_nobody_sees() {
    let bed = Bed::new(
        "127.88.17.1",
        16_435,
        "--console-log always --console-log-size 64KiB",
    );
    // Nobody is in, and the line is open.
    bed.line_is(true);
    assert!(
        bed.daemon
            .bmc(&format!("power cycle {MAC}"))
            .status
            .success()
    );
    let mut follower = bed.visitor(&format!("console {MAC} --replay --follow"));
    follower.expect("Simulated host");
    // People come and go.
    let mut anna = bed.visitor(&format!("console {MAC}"));
    anna.expect("you write");
    anna.types("hello\r");
    anna.expect("hello");
    anna.leaves();
    follower.expect("went");
    bed.line_is(true);
    assert_eq!(bed.sim().total().sessions_open, 1);
    // More than may be kept.
    let mut child = halbox()
        .env("HALBOX_SERVER", bed.daemon.server())
        .args(["bmc", "console", MAC])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let line = [b'x'; 80].to_vec();
    for _ in 0..2000 {
        stdin.write_all(&line).unwrap();
    }
    stdin.write_all(b"the end").unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    follower.expect("the end");
    let kept: u64 = bed
        .daemon
        .files()
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "rec"))
        .map(|(_, bytes)| bytes.len() as u64)
        .sum();
    assert!(kept <= 64 << 10 && kept > 32 << 10, "{kept} bytes");
    assert!(replay(&bed, "").ends_with("the end"));
    // It goes with its row.
    let out = bed.daemon.bmc(&format!("rm {MAC}"));
    assert!(out.status.success(), "{}", stderr(&out));
    let all = bed.daemon.files();
    let left = all
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "rec"));
    assert_eq!(left.count(), 0);
    bed.line_is(false);
}
