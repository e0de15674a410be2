//! JSON as BMCs write it: with byte order marks, trailing commas, missing brackets, control characters. Bounded in depth
//! and in the number of values.

use serde_json::Value;

/// Brackets that may be open at once: what serde_json allows.
const MAX_DEPTH: usize = 128;

/// Values that a document may have. Each takes some 100 bytes once read.
const MAX_VALUES: usize = 400_000;

/// Reads JSON. What is broken is repaired as far as one can tell what was meant; the error says in words what the body is
/// instead.
pub fn decode(body: &[u8]) -> Result<Value, String> {
    decode_within(body, MAX_VALUES)
}

/// The same with another bound for the number of values.
pub fn decode_within(body: &[u8], most: usize) -> Result<Value, String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let body = body.trim_ascii();
    match body.first() {
        None => return Err("an empty answer".to_owned()),
        Some(b'<') => return Err("a web page (HTML or XML), not JSON".to_owned()),
        Some(b'{' | b'[') => {}
        Some(_) => return Err("no JSON object".to_owned()),
    }
    bounded(body, most)?;
    match serde_json::from_slice(body) {
        Ok(value) => Ok(value),
        Err(e) => repair(body)
            .and_then(|text| serde_json::from_slice(&text).ok())
            .ok_or_else(|| format!("broken JSON ({e})")),
    }
}

/// Refuses, before anything is built, what would take too much memory or nests too deeply.
fn bounded(body: &[u8], most: usize) -> Result<(), String> {
    let (mut values, mut depth, mut in_string, mut escaped) = (0usize, 0usize, false, false);
    for byte in body {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b',' => values += 1,
            b'{' | b'[' => {
                values += 1;
                depth += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth >= MAX_DEPTH {
            return Err(format!("JSON nested more than {MAX_DEPTH} deep"));
        }
        if values > most {
            return Err(format!("JSON with more than {most} values"));
        }
    }
    Ok(())
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    /// A key, or the end of the object.
    Key,
    /// The colon after a key.
    Colon,
    /// The value after a colon.
    Value,
    /// An element, or the end of the array.
    Element,
    /// A comma, or the end.
    Next,
}

/// An open bracket.
struct Frame {
    object: bool,
    filled: bool,
}

/// Writes a document anew. Commas and closing brackets are made, not copied.
struct Repair {
    out: Vec<u8>,
    open: Vec<Frame>,
    want: Want,
}

/// The document with its slips mended; `None` where it cannot be told what was meant. Depth was checked before.
fn repair(body: &[u8]) -> Option<Vec<u8>> {
    let mut r = Repair {
        out: Vec::with_capacity(body.len() + 16),
        open: Vec::new(),
        want: Want::Element,
    };
    let mut rest = body;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'"' => {
                r.before(true)?;
                rest = string(tail, &mut r.out);
                r.after(true);
            }
            b'{' | b'[' => {
                r.before(false)?;
                r.out.push(byte);
                r.open.push(Frame {
                    object: byte == b'{',
                    filled: false,
                });
                r.want = if byte == b'{' {
                    Want::Key
                } else {
                    Want::Element
                };
            }
            b'}' | b']' => {
                r.close(byte == b'}');
                if r.open.is_empty() {
                    return Some(r.out);
                }
            }
            b':' if r.want == Want::Colon => {
                r.out.push(b':');
                r.want = Want::Value;
            }
            b',' => {
                r.fill();
                if r.want == Want::Next {
                    r.want = r.inside();
                }
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.' | b'_' => {
                let length = rest
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric() || b"+-._".contains(b))
                    .count();
                let (word, after) = rest.split_at_checked(length)?;
                rest = after;
                let mut whole = vec![byte];
                whole.extend_from_slice(word);
                let key = r.before(true)?;
                literal(&whole, key, &mut r.out);
                r.after(true);
            }
            _ => {}
        }
    }
    while let Some(frame) = r.open.last() {
        let object = frame.object;
        r.close(object);
    }
    (!r.out.is_empty()).then_some(r.out)
}

impl Repair {
    fn inside(&self) -> Want {
        match self.open.last() {
            Some(Frame { object: true, .. }) => Want::Key,
            _ => Want::Element,
        }
    }

    /// Makes room for a key or value. `Some(true)`: it stands where a key is wanted.
    fn before(&mut self, scalar: bool) -> Option<bool> {
        if self.want == Want::Next {
            // A forgotten comma.
            self.want = self.inside();
        }
        match self.want {
            Want::Key if !scalar => return None,
            Want::Key | Want::Element => {
                if let Some(frame) = self.open.last_mut() {
                    if frame.filled {
                        self.out.push(b',');
                    }
                    frame.filled = true;
                }
            }
            Want::Colon => {
                self.out.push(b':');
                self.want = Want::Value;
            }
            Want::Value | Want::Next => {}
        }
        Some(self.want == Want::Key)
    }

    fn after(&mut self, scalar: bool) {
        self.want = if self.want == Want::Key && scalar {
            Want::Colon
        } else {
            Want::Next
        };
    }

    /// A key without a value gets `null`.
    fn fill(&mut self) {
        match self.want {
            Want::Colon => self.out.extend_from_slice(b":null"),
            Want::Value => self.out.extend_from_slice(b"null"),
            _ => return,
        }
        self.want = Want::Next;
    }

    /// Closes up to the bracket that is meant; one that nothing opened is left out.
    fn close(&mut self, object: bool) {
        if !self.open.iter().any(|frame| frame.object == object) {
            return;
        }
        while let Some(frame) = self.open.pop() {
            self.fill();
            self.out.push(if frame.object { b'}' } else { b']' });
            self.want = Want::Next;
            if frame.object == object {
                break;
            }
        }
    }
}

/// Copies a string up to its closing quote, which is added where it is missing; returns what follows.
fn string<'a>(body: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    out.push(b'"');
    let text = String::from_utf8_lossy(body.get(..end(body)).unwrap_or(body));
    let rest = body.get(end(body) + 1..).unwrap_or_default();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(e @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => {
                    out.extend_from_slice(&[b'\\', e as u8]);
                }
                Some('u') => {
                    let digits: String = chars.clone().take(4).collect();
                    let code = u32::from_str_radix(&digits, 16).ok();
                    match code.filter(|_| digits.len() == 4) {
                        // Half of a pair is kept only as text; pairs are rare in what BMCs write.
                        Some(code) => {
                            chars.nth(3);
                            push(char::from_u32(code).unwrap_or('\u{fffd}'), out);
                        }
                        None => out.extend_from_slice(b"\\\\u"),
                    }
                }
                Some(other) => {
                    out.extend_from_slice(b"\\\\");
                    push(other, out);
                }
                None => out.extend_from_slice(b"\\\\"),
            },
            c => push(c, out),
        }
    }
    out.push(b'"');
    rest
}

/// Where the closing quote is.
fn end(body: &[u8]) -> usize {
    let mut escaped = false;
    body.iter()
        .position(|byte| {
            let closes = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            closes
        })
        .unwrap_or(body.len())
}

fn push(c: char, out: &mut Vec<u8>) {
    match c {
        '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
        c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes()),
        c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// A word that is not in quotes: a number, a truth value, or text that lacks them.
fn literal(word: &[u8], key: bool, out: &mut Vec<u8>) {
    let lower = word.to_ascii_lowercase();
    match lower.as_slice() {
        _ if key => {}
        known @ (b"true" | b"false" | b"null") => return out.extend_from_slice(known),
        b"nan" | b"-nan" | b"inf" | b"-inf" | b"infinity" | b"-infinity" | b"none"
        | b"undefined" | b"nil" => return out.extend_from_slice(b"null"),
        _ if serde_json::from_slice::<serde_json::Number>(word).is_ok() => {
            return out.extend_from_slice(word);
        }
        _ => {}
    }
    out.push(b'"');
    out.extend_from_slice(word);
    out.push(b'"');
}

/// Collects the passwords of a request: the texts below keys that say so.
pub(super) fn secrets<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| secrets(item, out)),
        Value::Object(map) => {
            for (key, value) in map {
                let lower = key.to_ascii_lowercase();
                match value {
                    Value::String(text)
                        if lower.contains("password") || lower.contains("secret") =>
                    {
                        out.push(text);
                    }
                    other => secrets(other, out),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slips_are_mended() {
        for (broken, meant) in [
            ("\u{feff}{\"a\":1}", json!({"a":1})),
            (
                r#"{"a":[1,2,],"b":{"c":1,},}"#,
                json!({"a":[1,2],"b":{"c":1}}),
            ),
            (r#"{"a":[1,,2],,"b":3}"#, json!({"a":[1,2],"b":3})),
            (r#"{"a":[1,2"#, json!({"a":[1,2]})),
            (r#"{"a":{"b":"c"#, json!({"a":{"b":"c"}})),
            (r#"{"a":[{"b":1},"#, json!({"a":[{"b":1}]})),
            (r#"{"a":[1,2}"#, json!({"a":[1,2]})),
            (r#"{"a":1]}"#, json!({"a":1})),
            (r#"{"a":1 "b":2}"#, json!({"a":1,"b":2})),
            (r#"{"a":[{"b":1}{"b":2}]}"#, json!({"a":[{"b":1},{"b":2}]})),
            ("{\"a\":\"x\ty\nz\"}", json!({"a":"x\ty\nz"})),
            (r#"{"a":"C:\Windows \q"}"#, json!({"a":"C:\\Windows \\q"})),
            (r#"{"a":"\ud800 x"}"#, json!({"a":"\u{fffd} x"})),
            (
                r#"{"a":NaN,"b":True,"c":0x1f,"d":007}"#,
                json!({"a":null,"b":true,"c":"0x1f","d":"007"}),
            ),
            (r#"{"a":1e999,"b":1}"#, json!({"a":"1e999","b":1})),
            (r#"{"a":,"b":}"#, json!({"a":null,"b":null})),
            (r#"{"a","b":1}"#, json!({"a":null,"b":1})),
            ("{a:1}", json!({"a":1})),
            (r#"{"a":1}{"b":2}"#, json!({"a":1})),
            (r#"{"a":1} trailing"#, json!({"a":1})),
        ] {
            assert_eq!(decode(broken.as_bytes()), Ok(meant), "{broken}");
        }
        assert_eq!(decode(b"{\"a\":\"\xff\"}"), Ok(json!({"a":"\u{fffd}"})));
    }

    #[test]
    fn what_is_no_json_is_named() {
        assert!(decode(b"  ").unwrap_err().contains("empty"));
        assert!(decode(b"<html>").unwrap_err().contains("HTML"));
        assert!(decode(b"OK").unwrap_err().contains("no JSON object"));
        assert!(decode(b"{ {").unwrap_err().contains("broken"));
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(decode(deep.as_bytes()).unwrap_err().contains("deep"));
        let fine = format!("{}{}", "[".repeat(120), "]".repeat(120));
        assert!(decode(fine.as_bytes()).is_ok());
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES + 1));
        assert!(decode(many.as_bytes()).unwrap_err().contains("values"));
    }
}
