//! Reading a recording: bounded, and tolerant of single bad lines.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::entry::{Body, Heading, IpmiAnswer, Recording, RedfishAnswer};
use crate::hal::error::{Error, Kind, Result};

/// Longest file that is read.
pub const MAX_FILE: u64 = 64 * 1024 * 1024;
/// Most answers of one file.
const MAX_ANSWERS: usize = 200_000;
/// Longest request or reply data of a command, with room for what BMCs say too much.
const MAX_DATA: usize = 1024;
/// Warnings that are kept.
const MAX_WARNINGS: usize = 20;

/// Reads the file at `path`.
pub fn load(path: &Path) -> Result<Recording> {
    let failed = |e: io::Error| {
        Error::new(Kind::Config, format!("reading {}", path.display())).with_source(e)
    };
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text))
        .map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        return Err(failed(io::Error::other("longer than 64 MiB")));
    }
    parse(&text).map_err(|why| failed(io::Error::other(why)))
}

/// Reads the text of a recording. An error is only that it is none, or of a newer version; bad lines are warnings.
pub fn parse(text: &[u8]) -> std::result::Result<Recording, String> {
    let mut lines = text.split(|byte| *byte == b'\n').enumerate();
    let (_, first) = lines.next().ok_or("empty")?;
    let heading: Heading = serde_json::from_slice(first)
        .map_err(|_| "no recording: its first line is not {\"halbox_recording\":1,…}".to_owned())?;
    if heading.version == 0 || heading.version > super::VERSION {
        return Err(format!(
            "version {} of the format; this program reads version {}",
            heading.version,
            super::VERSION
        ));
    }
    let mut recording = Recording {
        heading,
        ..Recording::default()
    };
    for (index, line) in lines {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if recording.redfish.len() + recording.ipmi.len() >= MAX_ANSWERS {
            recording.warnings.push(format!(
                "more than {MAX_ANSWERS} answers; the rest was left out"
            ));
            break;
        }
        if let Err(why) = answer(line, &mut recording)
            && recording.warnings.len() < MAX_WARNINGS
        {
            recording
                .warnings
                .push(format!("line {}: {why}", index + 1));
        }
    }
    Ok(recording)
}

#[derive(Deserialize)]
struct RedfishLine {
    redfish: String,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    json: Option<Value>,
    text: Option<String>,
}

#[derive(Deserialize)]
struct IpmiLine {
    ipmi: String,
    #[serde(default)]
    lun: u8,
    bridged: Option<(u8, u8)>,
    #[serde(default)]
    data: String,
    #[serde(default)]
    code: u8,
    #[serde(default)]
    reply: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Redfish(RedfishLine),
    Ipmi(IpmiLine),
    Other(Map<String, Value>),
}

fn answer(line: &[u8], recording: &mut Recording) -> std::result::Result<(), String> {
    match serde_json::from_slice(line).map_err(|e| e.to_string())? {
        Line::Redfish(line) => {
            if !line.redfish.starts_with('/') {
                return Err("a path begins with a slash".to_owned());
            }
            let headers = line.headers.into_iter().filter_map(|(name, value)| {
                Some((name.to_ascii_lowercase(), value.as_str()?.to_owned()))
            });
            recording.redfish.push(RedfishAnswer {
                path: line.redfish,
                status: line.status,
                headers: headers.collect(),
                body: match (line.json, line.text) {
                    (Some(json), _) => Body::Json(json),
                    (None, Some(text)) => Body::Text(text),
                    (None, None) => Body::None,
                },
            });
            Ok(())
        }
        Line::Ipmi(line) => {
            let numbers = bytes(&line.ipmi)?;
            let [netfn, cmd] = numbers.as_slice() else {
                return Err("ipmi is network function and command".to_owned());
            };
            recording.ipmi.push(IpmiAnswer {
                bridged: line.bridged,
                lun: line.lun,
                netfn: *netfn,
                cmd: *cmd,
                data: bytes(&line.data)?,
                code: line.code,
                reply: bytes(&line.reply)?,
            });
            Ok(())
        }
        Line::Other(map) if map.contains_key("redfish") || map.contains_key("ipmi") => {
            Err("an answer with a part missing or of the wrong type".to_owned())
        }
        // Of a later version.
        Line::Other(_) => Ok(()),
    }
}

/// Bytes in hex, with or without blanks.
fn bytes(text: &str) -> std::result::Result<Vec<u8>, String> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| {
            c.to_digit(16)
                .ok_or_else(|| format!("'{c}' is no hex digit"))
        })
        .collect::<std::result::Result<_, _>>()?;
    if digits.len() > 2 * MAX_DATA {
        return Err(format!("more than {MAX_DATA} bytes"));
    }
    if !digits.len().is_multiple_of(2) {
        return Err("half a byte".to_owned());
    }
    Ok(digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::recording::{LanFacts, render};
    use serde_json::json;

    #[test]
    fn what_was_written_is_read() {
        let mut recording = Recording::new();
        recording.heading.vendor = Some("Dell".to_owned());
        recording.heading.lan = Some(LanFacts::default());
        let headers = [
            ("ETag".to_owned(), "W/\"1\"".to_owned()),
            ("Set-Cookie".to_owned(), "secret".to_owned()),
        ];
        recording.add_redfish("/redfish/v1", 200, &headers, b"{\"Id\":\"old\"}");
        recording.add_redfish("/redfish/v1", 200, &headers, b"{\"Id\":\"new\"}");
        recording.add_redfish("/redfish/v1/x", 404, &[], b"<html>");
        recording.add_redfish("/redfish/v1/y", 204, &[], b"");
        recording.ipmi.push(IpmiAnswer {
            bridged: Some((0, 0x2c)),
            lun: 1,
            netfn: 0x2c,
            cmd: 2,
            data: vec![0xdc, 1],
            code: 0xc1,
            reply: vec![0xff, 0],
        });
        let text = render(&recording);
        assert!(!text.contains("secret"), "{text}");
        let read = parse(text.as_bytes()).unwrap();
        assert_eq!(read, recording);
        let root = read.resource("/redfish/v1").unwrap();
        assert_eq!(root.json(), Some(&json!({"Id": "new"})));
        assert_eq!(root.headers, [("etag".to_owned(), "W/\"1\"".to_owned())]);
    }

    #[test]
    fn bad_lines_are_warnings_and_strange_ones_nothing() {
        let text = b"{\"halbox_recording\":1,\"new\":[1]}\n{\"future\":1}\n{\"ipmi\":\"06 0\"}\n{\"redfish\":1}\nrubbish\n\n{\"ipmi\":\"0601\",\"reply\":\"20\"}\n";
        let read = parse(text).unwrap();
        assert_eq!(read.warnings.len(), 3, "{:?}", read.warnings);
        assert!(read.warnings[0].starts_with("line 3: half"));
        assert_eq!(read.ipmi.len(), 1);
        assert!(
            parse(b"{\"halbox_recording\":2}")
                .unwrap_err()
                .contains("version 2")
        );
        assert!(parse(b"{}").is_err());
        assert!(parse(b"").is_err());
        assert!(bytes(&"00".repeat(2000)).is_err());
    }
}
