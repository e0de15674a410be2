//! Several people at one line.

use super::*;
use crate::common::stdout;

#[test]
fn one_writes_others_read_and_commands_go_on() {
    let bed = Bed::new("127.88.10.1", 16_400, "");
    let mut anna = bed.visitor(&format!("console {MAC}"));
    anna.expect("nobody else is in; you write");
    anna.expect("over ipmi, ~. leaves");
    anna.types("hello\r");
    anna.expect("hello");
    let mut bert = bed.visitor(&format!("console {MAC} --read-only"));
    bert.expect("over ipmi, ~. leaves; with you: uid");
    bert.expect("writes, you read");
    anna.expect("came");
    // The console does not hold up anything else, and needs no session of its own.
    for _ in 0..5 {
        let results = bed.daemon.json(&format!("power status {MAC}"));
        assert_eq!(results["results"][0]["value"], "ON", "{results}");
        anna.types("still\r");
        anna.expect("still");
        bert.expect("still");
    }
    assert_eq!(bed.sim().total().sessions_open, 1);
    let state = bed.daemon.json(&format!("console {MAC} --state"));
    assert_eq!(state["open"], true);
    assert_eq!(state["protocol"], "SOL");
    let writes: Vec<_> = state["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["writes"])
        .collect();
    assert_eq!(writes, [true, false]);
    // Somebody who would write is refused, until he insists.
    let out = bed.daemon.bmc(&format!("console {MAC}"));
    assert_eq!(out.status.code(), Some(1), "{}", stderr(&out));
    assert!(stderr(&out).contains("writes at the console") && stderr(&out).contains("--force"));
    let mut carl = bed.visitor(&format!("console {MAC} --force"));
    carl.expect("you write");
    anna.expect("took over: you read");
    bert.expect("writes, you read");
    anna.types("nobody hears this\r");
    anna.expect("nothing was sent");
    carl.types("mine\r");
    for visitor in [&mut anna, &mut bert, &mut carl] {
        visitor.expect("mine");
        assert!(!String::from_utf8_lossy(&visitor.text).contains("nobody hears"));
    }
    // The machine restarts under them: all see it.
    assert!(
        bed.daemon
            .bmc(&format!("power cycle {MAC}"))
            .status
            .success()
    );
    for visitor in [&mut anna, &mut bert, &mut carl] {
        visitor.expect("Simulated host");
    }
    carl.leaves();
    anna.expect("went");
    anna.expect("nobody writes");
    anna.types("again\r");
    bert.expect("again");
    bed.line_is(true);
    anna.leaves();
    bert.leaves();
    bed.line_is(false);
    let audit = bed.audited("console detach");
    for what in [
        "console attach\"",
        "console attach, to read",
        "console attach, take over",
    ] {
        assert!(audit.contains(what), "no '{what}' in {audit}");
    }
}

#[test]
fn a_paste_comes_back_whole() {
    let mut bed = Bed::new("127.88.11.1", 16_405, "");
    let paste = noise(100_000, 11);
    let mut watcher = bed.visitor(&format!("console {MAC} --read-only"));
    watcher.expect("~. leaves");
    let mut command = halbox();
    command
        .env("HALBOX_SERVER", bed.daemon.server())
        .args(["bmc", "console", MAC]);
    same(&pipe(command, &paste), &paste);
    watcher.leaves();
    // What was recorded is the same.
    let replay = bed.daemon.bmc(&format!("console {MAC} --replay"));
    same(&replay, &paste);
    assert_eq!(bed.daemon.terminate(), Some(0));
    let total = bed.sim().total();
    assert_eq!((total.sessions_open, total.failed_logins), (0, 0));
}

#[test]
fn it_comes_back_when_the_bmc_was_killed_and_says_so() {
    let mut bed = Bed::new("127.88.12.1", 16_410, "");
    let mut anna = bed.visitor(&format!("console {MAC}"));
    anna.expect("~. leaves");
    anna.expect("~. leaves");
    anna.types("before\r");
    anna.expect("before");
    bed.sim.take().unwrap().stop();
    // What is typed now is never acknowledged: that is how it shows.
    anna.types("into the void\r");
    anna.expect("the line was lost");
    bed.sim = Some(simulated(bed.address, bed.port, 1, "admin"));
    anna.expect("over ipmi, ~. leaves");
    anna.types("after\r");
    anna.expect("after");
    let results = bed.daemon.json(&format!("power status {MAC}"));
    assert_eq!(results["results"][0]["value"], "ON", "{results}");
    // The daemon ends: everybody is told, and the BMC has its line back.
    assert_eq!(bed.daemon.terminate(), Some(0));
    let (code, text) = anna.ends();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the daemon closed the console"), "{text}");
    bed.line_is(false);
    assert_eq!(bed.sim().total().sessions_open, 0);
}

#[test]
fn who_has_no_console_is_told_in_words() {
    let bed = Bed::new("127.88.13.1", 16_415, "");
    // Serial over LAN is switched off in the BMC.
    bed.sim().with_state(0, |s| s.sol.values[1][0] = 0);
    let out = bed.daemon.bmc(&format!("console {MAC}"));
    assert!(!out.status.success());
    assert!(stderr(&out).contains("console"), "{}", stderr(&out));
    let line = format!("update {MAC} --unmanaged");
    assert!(bed.daemon.bmc(&line).status.success());
    for line in [format!("console {MAC}"), format!("console {MAC} --state")] {
        let out = bed.daemon.bmc(&line);
        assert_eq!(out.status.code(), Some(5), "{line}: {}", stderr(&out));
        assert!(
            stderr(&out).contains("unmanaged"),
            "{line}: {}",
            stderr(&out)
        );
    }
    assert_eq!(stdout(&bed.daemon.bmc(&format!("console {MAC}"))), "");
}
