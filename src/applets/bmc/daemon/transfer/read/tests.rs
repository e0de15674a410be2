use super::*;

fn of(text: &str) -> File {
    read(text, || panic!("no passphrase is needed")).unwrap()
}

fn bad(text: &str) -> Vec<(usize, String)> {
    let file = of(text);
    file.bad.into_iter().map(|b| (b.line, b.field)).collect()
}

fn password(access: &Access) -> Option<&[u8]> {
    access.password.as_ref().map(Secret::expose)
}

#[test]
fn a_list_of_shipped_credentials_in_csv_yaml_and_json() {
    for text in [
        "mac,user,password,driver\nAC-1F-6B-00-00-01,ADMIN,\"a,b\",redfish\n",
        "# shipped\n- mac: ac:1f:6b:00:00:01\n  user: ADMIN\n  password: a,b\n  driver: Redfish\n",
        r#"[{"mac": "ac:1f:6b:00:00:01", "user": "ADMIN", "password": "a,b", "driver": "Redfish"}]"#,
        "[{mac: 'ac:1f:6b:00:00:01', user: ADMIN, password: 'a,b', driver: Redfish}]",
    ] {
        let file = read(text, || panic!("no passphrase"))
            .unwrap_or_else(|f| panic!("{text}: {}", f.message()));
        assert_eq!(file.bad, [], "{text}");
        let row = &file.rows[0];
        assert_eq!(row.mac.to_string(), "ac:1f:6b:00:00:01");
        assert_eq!(row.driver, Some(DriverName::Redfish));
        for access in [&row.ipmi, &row.redfish] {
            assert_eq!(access.user.as_deref(), Some("ADMIN"));
            assert_eq!(password(access), Some(&b"a,b"[..]), "{text}");
        }
    }
}

#[test]
fn what_is_too_long_for_ipmi_is_redfishs_alone() {
    let file = of("mac,user,password\nac:1f:6b:00:00:01,root,123456789012345678901\n");
    let row = &file.rows[0];
    assert_eq!(
        (row.ipmi.user.as_deref(), row.redfish.user.as_deref()),
        (None, Some("root"))
    );
}

#[test]
fn bad_rows_are_named_with_line_and_field_and_good_ones_are_kept() {
    let csv = "mac,user,password,driver\n\
        ac:1f:6b:00:00:01,a,b,IPMI\n\
        zz,a,b,IPMI\n\
        ac:1f:6b:00:00:03,a,b,IPNI\n\
        ac:1f:6b:00:00:04,,b,\n\
        ac:1f:6b:00:00:01,a,b,IPMI\n\
        ac:1f:6b:00:00:06,a,b,IPMI,more\n\
        ac:1f:6b:00:00:07,a,b,\n";
    let file = of(csv);
    let lines: Vec<usize> = file.rows.iter().map(|r| r.line).collect();
    assert_eq!(lines, [2, 8]);
    let want = [
        (3, "mac"),
        (4, "driver"),
        (5, "password"),
        (6, "mac"),
        (7, "entry"),
    ];
    assert_eq!(bad(csv), want.map(|(n, f)| (n, f.to_owned())));

    let yaml = "\
- mac: ac:1f:6b:00:00:01
  ipmi: {user: a, password: b}
- mac: ac:1f:6b:00:00:02
  ipmi:
    user: a
    password: 1234
- mac: ac:1f:6b:00:00:03
  colour: red
- mac: [broken
- mac: ac:1f:6b:00:00:05
  ipmi:
    user: a_name_that_is_far_too_long
";
    assert_eq!(of(yaml).rows.len(), 1);
    let got = bad(yaml);
    let want = [
        (6, "ipmi.password"),
        (8, "colour"),
        (9, "entry"),
        (12, "ipmi.user"),
    ];
    assert_eq!(got[..2], want.map(|(n, f)| (n, f.to_owned()))[..2]);
    assert!(got[2].0 >= 9 && got[2].1 == "entry", "{got:?}");
    assert_eq!(got[3], (12, "ipmi.user".to_owned()));
}

#[test]
fn what_is_no_list_is_refused_with_words() {
    for (text, words) in [
        ("", "nothing"),
        ("mac,colour\n", "colour"),
        ("user,password\n", "mac"),
        ("{\"bmcs\": 3}", "not a list"),
        ("{\"bmcs\": [", "line 1"),
        ("version: 2\nbmcs:\n- mac: ac:1f:6b:00:00:01\n", "newer"),
        ("colour: red\nbmcs:\n- mac: ac:1f:6b:00:00:01\n", "colour"),
    ] {
        let failure = read(text, || panic!("no passphrase")).unwrap_err();
        assert!(
            failure.message().contains(words),
            "{text}: {}",
            failure.message()
        );
        assert_eq!(failure.code(), 2);
    }
}
