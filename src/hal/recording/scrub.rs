//! Takes out of a recording what does not belong into other hands.

use std::collections::HashMap;

use serde_json::Value;

use super::entry::{Body, Recording};
use super::fru::Images;

/// What may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Serial numbers and service tags stay as they are.
    pub serials: bool,
}

/// Parts of names whose values are secrets, whatever they hang on; compared in lower case.
const SECRET: &[&str] = &[
    "password",
    "passphrase",
    "secret",
    "token",
    "privatekey",
    "community",
    "authenticationkey",
    "encryptionkey",
    "sshkey",
    "publickey",
    "credential",
];
/// Names whose values name one piece of hardware.
const SERIAL: &[&str] = &[
    "serialnumber",
    "chassisserialnumber",
    "boardserialnumber",
    "servicetag",
    "chassisservicetag",
    "nodeid",
    "expressservicecode",
    "assettag",
    "licensekey",
    "partserialnumber",
];
/// What stands in place of a secret.
const HIDDEN: &str = "***";

/// Removes secrets and tokens, every occurrence of the texts in `secrets` (passwords and tokens that were used), and,
/// unless kept, serial numbers: each becomes `SN0001`, `SN0002`, … the same wherever it stands.
///
/// IPMI requests that carry a password (Set User Password) are removed; so are sessions of Redfish's SessionService.
pub fn scrub(recording: &mut Recording, secrets: &[&[u8]], keep: Keep) {
    recording
        .redfish
        .retain(|answer| !answer.path.contains("/Sessions/"));
    // App: Set User Password, Set Channel Security Keys.
    recording
        .ipmi
        .retain(|answer| !(answer.netfn == 0x06 && matches!(answer.cmd, 0x47 | 0x56)));
    let used: Vec<&str> = secrets
        .iter()
        .filter_map(|secret| std::str::from_utf8(secret).ok())
        .filter(|secret| secret.len() >= 4)
        .collect();
    let mut names = Names::default();
    if !keep.serials {
        for answer in &recording.redfish {
            if let Body::Json(json) = &answer.body {
                names.collect(json);
            }
        }
    }
    let mut images = Images::of(&recording.ipmi);
    if !keep.serials {
        for serial in images.serials() {
            names.add(&serial);
        }
    }
    let hidden = used.iter().map(|secret| secret.as_bytes());
    for text in hidden.chain(names.0.keys().map(String::as_bytes)) {
        images.hide(text);
    }
    images.restore(&mut recording.ipmi);
    for answer in &mut recording.redfish {
        match &mut answer.body {
            Body::Json(json) => walk(json, &used, &names),
            Body::Text(text) => *text = clean(text, &used, &names),
            Body::None => {}
        }
        for (_, value) in &mut answer.headers {
            *value = clean(value, &used, &Names::default());
        }
    }
    for answer in &mut recording.ipmi {
        for text in used.iter().map(|s| s.as_bytes()) {
            blot(&mut answer.data, text);
            blot(&mut answer.reply, text);
        }
        for serial in names.0.keys() {
            // The same length, so that offsets and lengths stay right.
            blot(&mut answer.reply, serial.as_bytes());
        }
    }
}

/// Serial numbers and what stands for them.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    match inner {
                        Value::String(text) if is_one(name, SERIAL) => self.add(text),
                        _ => self.collect(inner),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|inner| self.collect(inner)),
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        // Short or wordy ones would blot out other things: "NA", "To be filled by O.E.M.".
        let plain =
            text.len() >= 5 && !text.contains(' ') && text.bytes().any(|b| b.is_ascii_digit());
        if plain && !self.0.contains_key(text) {
            let name = format!("SN{:04}", self.0.len() + 1);
            self.0.insert(text.to_owned(), name);
        }
    }
}

fn is_one(name: &str, list: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    list.contains(&name.as_str())
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // "PasswordPolicy…", "MinPasswordLength", "AccountLockoutThreshold" and the like hold numbers, not secrets.
    SECRET.iter().any(|part| name.contains(part))
}

fn walk(value: &mut Value, used: &[&str], names: &Names) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                match inner {
                    Value::String(text)
                        if is_secret(name)
                            && !name.contains('@')
                            && !text.is_empty()
                            && !text.starts_with("/redfish") =>
                    {
                        HIDDEN.clone_into(text);
                    }
                    inner => walk(inner, used, names),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| walk(inner, used, names)),
        Value::String(text) => *text = clean(text, used, names),
        _ => {}
    }
}

fn clean(text: &str, used: &[&str], names: &Names) -> String {
    let mut out = text.to_owned();
    for secret in used {
        if out.contains(secret) {
            out = out.replace(secret, HIDDEN);
        }
    }
    for (serial, name) in &names.0 {
        if out.contains(serial.as_str()) && !out.starts_with("/redfish") {
            out = out.replace(serial.as_str(), name);
        }
    }
    out
}

/// Overwrites every occurrence of `text` with stars.
fn blot(bytes: &mut [u8], text: &[u8]) {
    if text.is_empty() || bytes.len() < text.len() {
        return;
    }
    let mut at = 0;
    while let Some(window) = bytes.get_mut(at..at + text.len()) {
        if window == text {
            window.fill(b'*');
            at += text.len();
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::recording::{IpmiAnswer, render};
    use serde_json::json;

    #[test]
    fn secrets_go_and_serials_get_other_names() {
        let mut recording = Recording::new();
        let body = json!({
            "SerialNumber": "ABC1234", "Oem": {"Note": "tag ABC1234 calvin99", "ServiceTag": "ABC1234"},
            "Password": "p", "MinPasswordLength": 8, "SNMP": {"CommunityString": "public"},
        });
        recording.add_redfish(
            "/redfish/v1/Systems/1",
            200,
            &[],
            body.to_string().as_bytes(),
        );
        recording.add_redfish("/redfish/v1/SessionService/Sessions/7", 200, &[], b"{}");
        let answer = |cmd, data: &[u8], reply: &[u8]| IpmiAnswer {
            bridged: None,
            lun: 0,
            netfn: if cmd == 0x47 { 6 } else { 0x0a },
            cmd,
            data: data.to_vec(),
            code: 0,
            reply: reply.to_vec(),
        };
        recording.ipmi.push(answer(0x47, b"\x02\x02calvin99", b""));
        recording.ipmi.push(answer(0x11, b"", b"\xc7ABC1234\xc1"));
        let before = recording.clone();
        scrub(&mut recording, &[b"calvin99"], Keep::default());
        let text = render(&recording);
        for gone in ["calvin99", "ABC1234", "public", "41424331323334"] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        assert_eq!(text.matches("SN0001").count(), 3, "{text}");
        assert_eq!(recording.ipmi.len(), 1);
        assert!(text.contains("\"MinPasswordLength\":8"));

        let mut kept = before;
        scrub(&mut kept, &[b"calvin99"], Keep { serials: true });
        assert!(render(&kept).contains("ABC1234"));
    }
}
