//! `--template '{mac} {bmc.ip}'`: names in braces are replaced; `{{` and `}}` are braces, `\t` and `\n` work.

use serde_json::Value;

use super::output::printable;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

impl Template {
    /// Parses; the error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' if chars.next_if_eq(&'{').is_some() => plain.push('{'),
                '}' if chars.next_if_eq(&'}').is_some() => plain.push('}'),
                '}' => {
                    return Err("--template: '}' without '{' (a brace is written '}}')".to_owned());
                }
                '{' => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some('}') => break,
                            Some(c) if c.is_alphanumeric() || "._-".contains(c) => name.push(c),
                            _ => return Err(format!("--template: '{{{name}' is not closed")),
                        }
                    }
                    if name.is_empty() {
                        return Err("--template: '{}' names nothing".to_owned());
                    }
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Field(name));
                }
                '\\' => match chars.next() {
                    Some('n') => plain.push('\n'),
                    Some('t') => plain.push('\t'),
                    Some(other) => plain.push(other),
                    None => plain.push('\\'),
                },
                other => plain.push(other),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The text for one entry. A key that an object does not have is an error; anything below null is empty.
    pub fn render(&self, entry: &Value) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Field(path) => text.push_str(&field(entry, path)?),
            }
        }
        Ok(text)
    }
}

fn field(entry: &Value, path: &str) -> Result<String, String> {
    let mut value = entry;
    for key in path.split('.') {
        let next = match value {
            Value::Object(map) => map.get(key).ok_or_else(|| {
                let keys: Vec<&str> = map.keys().map(String::as_str).collect();
                format!(
                    "--template: no field '{path}'; there are {}",
                    keys.join(", ")
                )
            })?,
            Value::Array(list) => key
                .parse::<usize>()
                .ok()
                .and_then(|i| list.get(i))
                .unwrap_or(&Value::Null),
            _ => &Value::Null,
        };
        value = next;
    }
    Ok(match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text).into_owned(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_nesting_and_escapes() {
        let entry =
            json!({"mac": "m", "n": 4.5, "bmc": {"ip": "i"}, "list": ["a", "b"], "value": null});
        let shown = |text: &str| Template::parse(text).and_then(|t| t.render(&entry));
        assert_eq!(
            shown(r"{mac}\t{n} {bmc.ip} {list.1} {{x}}"),
            Ok("m\t4.5 i b {x}".to_owned())
        );
        assert_eq!(shown("[{value}{value.deep}]"), Ok("[]".to_owned()));
        assert!(shown("{mak}").unwrap_err().contains("mac, n, bmc"));
    }

    #[test]
    fn bad_templates_are_refused() {
        for bad in ["{", "{a", "}", "{}", "{a b}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
