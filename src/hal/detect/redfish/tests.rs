use super::*;

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        body: body.as_bytes().to_vec(),
        ..Reply::default()
    }
}

fn moved(location: &str) -> Verdict {
    let mut reply = reply(301, "");
    reply.location = Some(location.to_owned());
    interpret("https://10.0.0.7:443", &reply)
}

fn words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Other(words) | Verdict::NotHere(words) => words,
        found => panic!("{found:?}"),
    }
}

#[test]
fn a_dell_root() {
    let body = r##"{"@odata.type":"#ServiceRoot.v1_8_0.ServiceRoot","RedfishVersion":"1.13.1","Vendor":"Dell",
        "Product":"Integrated Dell Remote Access Controller","UUID":null,"Links":{"Sessions":{"@odata.id":"/x"}},
        "Oem":{"Dell":{"ServiceTag":"ABC"}}}"##;
    let Verdict::Root(root) = interpret("https://h:443", &reply(200, body)) else {
        panic!("no root");
    };
    assert_eq!(root.version.as_deref(), Some("1.13.1"));
    assert_eq!(root.vendor.as_deref(), Some("Dell"));
    assert_eq!(root.uuid, None);
    assert_eq!(root.oem, ["Dell"]);
}

#[test]
fn odd_roots_are_roots() {
    for body in [
        "\u{feff}{\"RedfishVersion\":\"1.0\"}",
        r#"{"@odata.type":"ServiceRoot.1.0.0.ServiceRoot"}"#,
        r#"{"RedfishVersion":"1.6.0","RedfishVersion":"1.7.0","Vendor":{"no":"text"},"Oem":[1]}"#,
        r#"{"RedfishVersion":1.5,"Product":["list"]}"#,
        r#"{"RedfishVersion":"1.6","Oem":{"Dell":{},},"#,
    ] {
        assert!(parse_root(body.as_bytes()).is_ok(), "{body}");
    }
    let last = parse_root(br#"{"RedfishVersion":"1.6.0","RedfishVersion":"1.7.0"}"#).unwrap();
    assert_eq!(last.version.as_deref(), Some("1.7.0"));
}

#[test]
fn everything_else_is_named() {
    for (status, body, part) in [
        (200, "", "empty answer"),
        (200, "  \r\n", "empty answer"),
        (200, "<!DOCTYPE html><html>", "web page"),
        (200, "\x01\x02garbage", "no JSON object"),
        (200, "[1,2,3]", "no JSON object"),
        (200, r#"{"error":{"code":"x"}}"#, "no Redfish service root"),
        (401, "", "wants a login"),
        (404, "<html>", "HTTP 404"),
        (503, "", "HTTP 503"),
        (418, "", "HTTP 418"),
        (301, "", "without a location"),
    ] {
        let text = words(interpret("https://h:443", &reply(status, body)));
        assert!(text.contains(part), "{status} {body:?}: {text}");
    }
}

#[test]
fn deep_json_is_an_error_not_a_crash() {
    let deep = "[".repeat(100_000);
    assert!(parse_root(deep.as_bytes()).is_err());
    let inside = format!(r#"{{"RedfishVersion":"1.6","Oem":{deep}"#);
    assert!(parse_root(inside.as_bytes()).is_err());
    let ignored = format!(r#"{{"RedfishVersion":"1.6","x":{deep}"#);
    assert!(parse_root(ignored.as_bytes()).is_err());
}

#[test]
fn redirects_stay_on_the_server() {
    let path = |p: &str| Verdict::MovedTo(p.to_owned());
    assert_eq!(moved("/redfish/v1"), path("/redfish/v1"));
    assert_eq!(
        moved("https://10.0.0.7:443/redfish/v1/"),
        path("/redfish/v1/")
    );
    assert_eq!(
        moved("https://10.0.0.7/redfish/v1/?a=b"),
        path("/redfish/v1/")
    );
    for elsewhere in [
        "https://evil.example/redfish/v1/",
        "https://10.0.0.70/redfish/v1/",
        "https://10.0.0.7:4430/redfish/v1/",
        "http://10.0.0.7/redfish/v1/",
        "//evil.example/redfish/v1/",
        "/login.html",
        "https://10.0.0.7@evil.example/redfish/v1/",
        "",
    ] {
        let text = words(moved(elsewhere));
        assert!(
            text.contains("not followed") || text.contains("without a location"),
            "{elsewhere}: {text}"
        );
    }
}

#[test]
fn text_of_strangers_is_one_short_line() {
    let root =
        parse_root(b"{\"RedfishVersion\":\"1.0\",\"Vendor\":\"Ev\\u001b[2Jil\\n\"}").unwrap();
    assert_eq!(root.vendor.as_deref(), Some("Ev\u{fffd}[2Jil"));
    assert_eq!(clean(&"x".repeat(1000)).len(), 128);
}
