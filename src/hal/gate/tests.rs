use super::*;

const NOW: u64 = 1_800_000_000;

fn gate() -> Arc<Gate> {
    Arc::new(Gate::new(Arc::new(InProcess::new())))
}

fn at(gate: &Arc<Gate>, bmc: &str, rule: Rule, password: &str, now: u64) -> Result<Pass> {
    let password = Secret::new(password);
    let who = Who {
        rule,
        bmc,
        user: "admin",
        password: &password,
        counts: true,
    };
    gate.enter(&who, now)
}

fn enter(gate: &Arc<Gate>, rule: Rule, password: &str, now: u64) -> Result<Pass> {
    at(gate, "10.0.0.1", rule, password, now)
}

#[test]
fn the_same_wrong_password_is_tried_once_a_day() {
    let gate = gate();
    drop(enter(&gate, Rule::Automatic, "a", NOW).unwrap());
    let again = enter(&gate, Rule::Automatic, "a", NOW + DAY - 1).unwrap_err();
    assert_eq!(again.kind(), Kind::Auth);
    assert!(!again.chain().contains("'a'"));
    // Another password, another BMC and an operator may; the next day everybody may.
    enter(&gate, Rule::Automatic, "b", NOW).unwrap().clear();
    at(&gate, "10.0.0.2", Rule::Automatic, "a", NOW)
        .unwrap()
        .clear();
    enter(&gate, Rule::Operator, "a", NOW).unwrap().clear();
    enter(&gate, Rule::Automatic, "a", NOW + DAY + 1)
        .unwrap()
        .clear();
}

#[test]
fn what_worked_or_was_never_seen_is_not_held_back() {
    let gate = gate();
    for kind in [Kind::Timeout, Kind::Unreachable, Kind::Unsupported] {
        let pass = enter(&gate, Rule::Automatic, "a", 100).unwrap();
        pass.settle::<()>(&Err(Error::new(kind, "x")));
    }
    enter(&gate, Rule::Automatic, "a", 100)
        .unwrap()
        .settle(&Ok(()));
    // It is known to work: what is interrupted from now on is no failure.
    for _ in 0..2 {
        drop(enter(&gate, Rule::Automatic, "a", 100 + 2 * DAY).unwrap());
    }
    enter(&gate, Rule::Automatic, "a", 100 + 2 * DAY)
        .unwrap()
        .settle::<()>(&Err(Error::new(Kind::Auth, "x")));
    assert!(enter(&gate, Rule::Automatic, "a", 100 + 2 * DAY).is_err());
    assert!(gate.is_wrong("10.0.0.1", "admin", &Secret::new("a"), 100 + 2 * DAY));
    let failures = gate.failures();
    assert_eq!((failures.automatic, failures.operator), (1, 0));
}

#[test]
fn an_operator_passes_once_and_is_counted_apart() {
    let gate = gate();
    let wrong = Err::<(), _>(Error::new(Kind::Auth, "x"));
    enter(&gate, Rule::Automatic, "a", NOW)
        .unwrap()
        .settle(&wrong);
    gate.pardon("10.0.0.1");
    at(&gate, "10.0.0.2", Rule::Automatic, "a", NOW)
        .unwrap()
        .clear();
    enter(&gate, Rule::Automatic, "a", NOW)
        .unwrap()
        .settle(&wrong);
    assert!(enter(&gate, Rule::Automatic, "a", NOW).is_err());
    let failures = gate.failures();
    assert_eq!((failures.automatic, failures.operator), (1, 1));
    // Pardoned again, the BMC now takes it: from then on everybody may.
    gate.pardon("10.0.0.1");
    enter(&gate, Rule::Automatic, "a", NOW)
        .unwrap()
        .settle(&Ok(()));
    enter(&gate, Rule::Automatic, "a", NOW).unwrap().clear();
}

#[test]
fn an_operator_does_not_repeat_it_over_another_protocol() {
    let gate = gate();
    enter(&gate, Rule::Operator, "a", NOW).unwrap().failed();
    assert!(enter(&gate, Rule::Operator, "a", NOW).is_err());
    enter(&gate, Rule::Operator, "b", NOW).unwrap().clear();
}

#[test]
fn candidates_fail_one_at_a_time() {
    let gate = gate();
    gate.found_wrong("10.0.0.1", "admin", &Secret::new("offline"), 100);
    assert!(enter(&gate, Rule::Candidate, "offline", 100).is_err());
    drop(enter(&gate, Rule::Candidate, "first", 100).unwrap());
    assert!(enter(&gate, Rule::Candidate, "second", 100).is_err());
    drop(enter(&gate, Rule::CandidateNow, "second", 100).unwrap());
    assert!(enter(&gate, Rule::CandidateNow, "first", 100).is_err());
}

#[test]
fn the_memory_holds_no_password() {
    let memory = Arc::new(InProcess::new());
    let gate = Arc::new(Gate::new(Arc::clone(&memory) as Arc<dyn GateMemory>));
    drop(at(&gate, "b", Rule::Automatic, "hunter2", 1));
    let kept = format!("{:?}", memory.attempts("b", 0).unwrap());
    assert!(!kept.contains("hunter2"));
    assert_eq!(memory.attempts("b", 0).unwrap()[0].credential.len(), 8);
}
