//! Who may: roles, grants for one machine, the end of a grant, the audit log, no secrets.

use super::*;
use crate::serve::OTHER;

fn file(bed: &Bed, name: &str, text: &str) -> String {
    let path = bed.daemon.dir.path().join(name);
    std::fs::write(&path, format!("{text}\n")).unwrap();
    path.display().to_string()
}

#[test]
#[expect(clippy::too_many_lines, reason = "the life of a grant")]
fn a_grant_is_for_one_console_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    super::super::api::issue(dir.path(), "127.88.14.2");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let bed = Bed::new(
        "127.88.14.1",
        16_420,
        &format!(
            "--listen 127.88.14.2:16429 --tls-cert {} --tls-key {}",
            at("server.pem"),
            at("server.key")
        ),
    );
    let machine = bed.machine();
    let other = "4c4c4544-0048-4210-8031-b7c04f00ffff";
    let daemon = &bed.daemon;
    for line in [
        format!("bmc add {OTHER} --ip 127.88.14.9"),
        format!("bmc update {OTHER} --machine-id {other}"),
    ] {
        said(daemon, &line);
    }
    // A viewer looks, and no more: not even at what was recorded.
    let viewer = said(daemon, "token create --role viewer --ttl 1h");
    let viewer = file(&bed, "viewer", &viewer);
    for line in ["", "--read-only", "--replay"] {
        let out = daemon.bmc(&format!("--token-file {viewer} console {MAC} {line}"));
        assert_eq!(out.status.code(), Some(4), "{line}: {}", stderr(&out));
    }
    let out = daemon.bmc(&format!(
        "--token-file {viewer} console-grant {MAC} --for 1h"
    ));
    assert_eq!(out.status.code(), Some(4), "{}", stderr(&out));
    // Without a machine, or without an end, there is no grant.
    assert_eq!(
        daemon.bmc(&format!("console-grant {MAC}")).status.code(),
        Some(2)
    );
    assert_eq!(
        daemon
            .bmc(&format!("console-grant {MAC} --for 9000h"))
            .status
            .code(),
        Some(2)
    );

    let text = said(daemon, &format!("bmc console-grant {MAC} --for 8h"));
    let grant = file(&bed, "grant", &text);
    let id = text.split('_').nth(1).unwrap().to_owned();
    let listed = said(daemon, "bmc console-grant --list");
    assert!(
        listed.contains(&id) && listed.contains(&machine),
        "{listed}"
    );
    assert!(!listed.contains(&text));
    // From far away, by the UUID of the machine: as its owner has it.
    let remote = format!(
        "--server https://127.88.14.2:16429 --ca {} --token-file {grant}",
        at("ca.pem")
    );
    let mut owner = bed.visitor(&format!("{remote} console {machine}"));
    owner.expect("you write");
    owner.expect("over ipmi, ~. leaves");
    owner.types("mine\r");
    owner.expect("mine");
    // Nothing else: no other machine, no other operation, no row, no password, no further grant.
    for line in [
        format!("console {other}"),
        format!("console {OTHER}"),
        format!("console {other} --replay"),
        "console ac:1f:6b:00:00:77".to_owned(),
        format!("power status {machine}"),
        format!("power off {machine}"),
        format!("describe {machine} --with-passwords"),
        format!("console-grant {machine} --for 8h"),
        "console-grant --list".to_owned(),
        format!("console {machine} --state"),
        "ls".to_owned(),
        "status".to_owned(),
    ] {
        let out = daemon.bmc(&format!("--token-file {grant} {line}"));
        assert_eq!(out.status.code(), Some(4), "{line}: {}", stderr(&out));
    }
    // What the machine said before the grant was made is not for its bearer; what it says from then on is.
    let replay = daemon.bmc(&format!("--token-file {grant} console {machine} --replay"));
    assert!(replay.status.success(), "{}", stderr(&replay));
    // Taken back, it ends what stands on it.
    said(daemon, &format!("bmc console-grant --revoke {id}"));
    let (code, text) = owner.ends();
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("the token has ended"), "{text}");
    bed.line_is(false);

    // One that ends by itself, in the middle of a session.
    let text = said(daemon, &format!("bmc console-grant {machine} --for 4s"));
    let short = file(&bed, "short", &text);
    let mut owner = bed.visitor(&format!("--token-file {short} console {machine}"));
    owner.expect("you write");
    owner.expect("over ipmi, ~. leaves");
    owner.types("while it lasts\r");
    owner.expect("while it lasts");
    let (code, text) = owner.ends();
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("the token has ended"), "{text}");
    bed.line_is(false);
    let out = daemon.bmc(&format!("--token-file {short} console {machine}"));
    assert_eq!(out.status.code(), Some(4), "{}", stderr(&out));

    // The machine of a BMC changes hands: the session of who had it ends.
    let text = said(daemon, &format!("bmc console-grant {machine} --for 8h"));
    let grant = file(&bed, "grant", &text);
    let mut owner = bed.visitor(&format!("--token-file {grant} console {machine}"));
    owner.expect("you write");
    said(
        daemon,
        &format!("bmc update {MAC} --machine-id 4c4c4544-0048-4210-8031-b7c04f00aaaa"),
    );
    let (code, text) = owner.ends();
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("belongs to another machine now"), "{text}");

    let audit = bed.audited("console grant");
    for what in [
        format!("console grant {id} made"),
        format!("console grant {id} revoked"),
        format!("\"who\":\"token {id} (console)\",\"what\":\"console attach\""),
        format!(
            "\"who\":\"token {id} (console)\",\"what\":\"console detach\",\"mac\":\"{MAC}\",\"result\":\"auth\""
        ),
        format!("\"who\":\"token {id} (console)\",\"what\":\"console replay\""),
        // And what was refused: the console of another machine, a viewer.
        format!(
            "\"who\":\"token {id} (console)\",\"what\":\"console attach\",\"mac\":\"{OTHER}\",\"result\":\"privilege\""
        ),
        format!(
            "(viewer)\",\"what\":\"console attach\",\"mac\":\"{MAC}\",\"result\":\"privilege\""
        ),
    ] {
        assert!(audit.contains(&what), "no '{what}' in {audit}");
    }
    let path = daemon.dir.path().join("state/audit.log");
    said(daemon, &format!("audit verify {}", path.display()));
}

#[test]
fn no_secret_leaves_with_a_console() {
    const CANARY: &str = "CANARY-5c01e9d7";
    let sim = simulated("127.88.15.1", 16_425, 1, CANARY);
    let mut daemon = Daemon::start("--ipmi-port 16425 --redfish-port 16426 -vvv");
    daemon.lease(&[(MAC, "127.88.15.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
    let update = format!("update {MAC} --ipmi-user admin");
    assert!(daemon.bmc_with(&update, CANARY).status.success());
    daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    let grant = said(&daemon, &format!("bmc console-grant {MAC} --for 1h"));
    let key = grant.rsplit('_').next().unwrap().to_owned();
    let token = daemon.dir.path().join("grant");
    std::fs::write(&token, format!("{grant}\n")).unwrap();
    let machine = daemon.json(&format!("describe {MAC}"))["machine_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut heard = Vec::new();
    for line in [
        format!("-vvv console {MAC}"),
        format!("-vvv --token-file {} console {machine}", token.display()),
        format!("-vvv console {MAC} --replay"),
        format!("-vvv console {MAC} --state -o json"),
        "-vvv console-grant --list".to_owned(),
    ] {
        let mut command = halbox();
        command
            .env("HALBOX_SERVER", daemon.server())
            .arg("bmc")
            .args(line.split_whitespace());
        let mut visitor = Visitor::start(command);
        drop(visitor.stdin.take());
        let (code, text) = visitor.ends();
        assert_eq!(code, Some(0), "{line}: {text}");
        heard.extend(text.into_bytes());
    }
    assert_eq!(daemon.terminate(), Some(0));
    let mut files = daemon.files();
    files.push(("the log".into(), daemon.log().into_bytes()));
    files.push(("what the commands said".into(), heard));
    let hex: Vec<String> = CANARY.bytes().map(|b| format!("{b:02x}")).collect();
    for (path, bytes) in files {
        for marker in [CANARY, &hex.concat(), &key] {
            let there = bytes.windows(marker.len()).any(|w| w == marker.as_bytes());
            assert!(!there, "{} shows a secret", path.display());
        }
    }
    assert_eq!(sim.total().failed_logins, 0);
}
