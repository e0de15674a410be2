//! YAML that an operator wrote: the only place that reads it.

use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::exit::Failure;

/// Longest file.
const LIMIT: u64 = 1 << 20;

/// Reads a YAML (or JSON) file. Errors name file, line and field, and never quote what stands there: it may be a password.
pub fn yaml<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let failed =
        |what: &dyn std::fmt::Display| Failure::usage(format!("{}: {what}", path.display()));
    let mut text = String::new();
    std::fs::File::open(path)
        .map_err(|e| failed(&e))?
        .take(LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(|e| failed(&e))?;
    if text.len() as u64 > LIMIT {
        return Err(failed(&"longer than 1 MiB"));
    }
    serde_yaml::from_str(&text).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| {
            format!("line {}, column {}: ", at.line(), at.column())
        });
        failed(&format!("{place}{}", unquoted(&error.to_string())))
    })
}

/// The message of the reader without the values that it quotes; names of fields stay.
fn unquoted(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut inside = false;
    for c in message.chars() {
        match c {
            '"' => {
                inside = !inside;
                out.push_str(if inside { "\"..." } else { "\"" });
            }
            _ if inside => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        #[expect(dead_code, reason = "only its type matters")]
        port: u16,
    }

    #[test]
    fn errors_name_the_place_and_quote_no_value() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f.yaml");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            yaml::<Thing>(&file).unwrap_err()
        };
        let wrong = read("\nport: hunter2\n");
        assert_eq!(wrong.code(), 2);
        assert!(
            wrong.message().contains("f.yaml: line 2"),
            "{}",
            wrong.message()
        );
        assert!(!wrong.message().contains("hunter2"), "{}", wrong.message());
        assert!(read("prot: 1\n").message().contains("prot"));
        assert_eq!(
            yaml::<Thing>(Path::new("/does/not/exist"))
                .unwrap_err()
                .code(),
            2
        );
    }
}
