use serde_json::json;

use super::*;

fn refusal(status: u16, body: &str) -> Refusal {
    Refusal::of(&Answer {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    })
}

fn named(status: u16, id: &str) -> Kind {
    let body = json!({"error": {"@Message.ExtendedInfo": [{"MessageId": id, "Message": "no"}]}});
    refusal(status, &body.to_string()).kind(Method::Patch, &[])
}

#[test]
fn kinds_follow_status_and_message() {
    for (status, kind) in [
        (400, Kind::Refused),
        (401, Kind::Auth),
        (403, Kind::Privilege),
        (404, Kind::Unsupported),
        (405, Kind::Unsupported),
        (409, Kind::Refused),
        (412, Kind::Refused),
        (429, Kind::Busy),
        (500, Kind::Protocol),
        (501, Kind::Unsupported),
        (503, Kind::Busy),
        (504, Kind::Indeterminate),
    ] {
        assert_eq!(
            refusal(status, "").kind(Method::Patch, &[]),
            kind,
            "{status}"
        );
    }
    assert_eq!(refusal(504, "").kind(Method::Get, &[]), Kind::Busy);
    assert_eq!(named(403, "Base.1.8.PasswordChangeRequired"), Kind::Auth);
    assert_eq!(
        named(403, "SMC.1.0.OemLicenseNotPassed"),
        Kind::NeedsLicense
    );
    assert_eq!(
        named(400, "iLO.2.14.LicenseKeyRequired"),
        Kind::NeedsLicense
    );
    assert_eq!(named(409, "Base.1.8.ResourceInUse"), Kind::Busy);
    assert_eq!(named(500, "IDRAC.2.8.SYS518"), Kind::Busy);
    assert_eq!(
        named(400, "iLO.2.14.UnableToModifyDuringSystemPOST"),
        Kind::Busy
    );
    assert_eq!(named(400, "Base.1.8.ActionNotSupported"), Kind::Unsupported);
    assert_eq!(named(400, "Base.1.8.PropertyUnknown"), Kind::Unsupported);
    assert_eq!(named(400, "Base.1.8.PropertyNotWritable"), Kind::Refused);
    assert_eq!(named(400, "Base.1.8.PropertyValueNotInList"), Kind::Refused);
}

#[test]
fn words_are_found_wherever_they_are() {
    for body in [
        r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"A.1.B","Message":"no"}]}}"#,
        r#"{"error":{"@Message.ExtendedInfo":{"MessageId":"A.1.B","Message":"no"}}}"#,
        r#"{"@Message.ExtendedInfo":[{"MessageId":"A.1.B","Message":"no"}]}"#,
        r#"{"@Message.ExtendedInfo":{"MessageId":"A.1.B","Message":"no"}}"#,
        r#"{"Boot@Message.ExtendedInfo":[{"MessageId":"A.1.B","Message":"no"}]}"#,
        r#"{"error":{"code":"A.1.B","message":"no"}}"#,
        r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"A.1.B","Message":"no"},]}"#,
    ] {
        let found = refusal(400, body);
        assert_eq!(found.to_string(), "HTTP 400: no (A.1.B)", "{body}");
        assert!(found.names("b"));
    }
    assert_eq!(
        refusal(503, "<html><head><TITLE> Service\n down</TITLE>").to_string(),
        "HTTP 503: Service  down"
    );
    assert_eq!(refusal(500, "").to_string(), "HTTP 500");
    assert_eq!(
        refusal(500, "Out of memory").to_string(),
        "HTTP 500: Out of memory"
    );
}

#[test]
fn licences_are_told_by_words_too() {
    let kind = |text: &str| {
        let body = json!({"error": {"message": text}});
        refusal(403, &body.to_string()).kind(Method::Get, &["needs gold"])
    };
    assert_eq!(kind("Not activated: SFT-OOB-LIC"), Kind::NeedsLicense);
    assert_eq!(kind("A license is required"), Kind::NeedsLicense);
    assert_eq!(kind("This needs gold."), Kind::NeedsLicense);
    assert_eq!(kind("You may not"), Kind::Privilege);
}

#[test]
fn text_is_bounded_and_secrets_are_removed() {
    let long = json!({"error": {"message": format!("{}\u{1b}[31m", "x".repeat(5000))}});
    let mut found = refusal(400, &long.to_string());
    assert!(found.to_string().len() < 500);
    found.messages = vec!["The value 'hunter2' is too short".to_owned()];
    found.conceal(&["hunter2", ""]);
    assert_eq!(found.messages, ["The value '***' is too short"]);
    let error = found.error("PATCH /x", Method::Patch, &[]);
    assert_eq!(
        Refusal::find(&error.context("user create")).map(|r| r.status),
        Some(400)
    );
}
