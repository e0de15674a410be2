//! The result on stdout: `-o table|wide|json|yaml|template`. The only place that serialises a document.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;
use serde_json::Value;

use super::exit::Failure;
use super::table::Table;
use super::template::Template;

/// How the result is printed.
#[derive(Debug, Clone)]
pub enum Format {
    /// Columns for people.
    Table,
    /// The same with more columns.
    Wide,
    /// One JSON document.
    Json,
    /// One YAML document with the same keys.
    Yaml,
    /// One line per entry.
    Template(Template),
}

/// Where and how results are printed.
#[derive(Debug, Clone)]
pub struct Output {
    /// The format.
    pub format: Format,
    headers: bool,
    colour: bool,
}

/// Adds `-o`, `--template` and `--no-headers`.
pub fn args(command: Command) -> Command {
    command
        .arg(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FORMAT")
                .value_parser(["table", "wide", "json", "yaml", "template"])
                .default_value("table")
                .help_heading("Output")
                .help("Format of the result"),
        )
        .arg(
            Arg::new("template")
                .long("template")
                .value_name("TEMPLATE")
                .help_heading("Output")
                .help("One line per entry, e.g. '{target} {value}' (implies -o template)"),
        )
        .arg(
            Arg::new("no-headers")
                .long("no-headers")
                .action(ArgAction::SetTrue)
                .help_heading("Output")
                .help("No header line above a table"),
        )
}

impl Output {
    /// From the options.
    pub fn from_matches(matches: &ArgMatches) -> Result<Self, Failure> {
        let template = matches.get_one::<String>("template");
        let name = matches
            .get_one::<String>("output")
            .map_or("table", String::as_str);
        let chosen = matches.value_source("output") == Some(clap::parser::ValueSource::CommandLine);
        let format = match (name, template) {
            ("template", None) => {
                return Err(Failure::usage("-o template needs --template")
                    .hint("e.g. --template '{target} {value}'"));
            }
            (other, Some(_)) if chosen && other != "template" => {
                return Err(Failure::usage(format!(
                    "--template does not go with -o {other}"
                )));
            }
            (_, Some(text)) => Format::Template(Template::parse(text).map_err(Failure::usage)?),
            ("wide", None) => Format::Wide,
            ("json", None) => Format::Json,
            ("yaml", None) => Format::Yaml,
            _ => Format::Table,
        };
        Ok(Self {
            format,
            headers: !matches.get_flag("no-headers"),
            colour: io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        })
    }

    /// Is it a document for programs, in which the errors stand as well?
    pub fn is_document(&self) -> bool {
        matches!(self.format, Format::Json | Format::Yaml)
    }

    /// The same, with YAML where a table would be shown: for what is read as a document.
    #[must_use]
    pub fn documents(&self) -> Self {
        let mut output = self.clone();
        if matches!(output.format, Format::Table | Format::Wide) {
            output.format = Format::Yaml;
        }
        output
    }

    /// Is it for people: a table, or a text in its place?
    pub fn is_people(&self) -> bool {
        matches!(self.format, Format::Table | Format::Wide)
    }

    /// One entry of a stream that has no end, as one line; `None` where people read it.
    pub fn line(&self, entry: &Value) -> Result<Option<String>, Failure> {
        match &self.format {
            Format::Table | Format::Wide => Ok(None),
            // A line of JSON is a line of YAML, too.
            Format::Json | Format::Yaml => Ok(Some(entry.to_string())),
            Format::Template(template) => template.render(entry).map(Some).map_err(Failure::usage),
        }
    }

    /// Is more wanted than the usual columns?
    pub fn is_wide(&self) -> bool {
        matches!(self.format, Format::Wide)
    }

    /// Prints `document`. Its list under `entries` (the document itself when empty) is what a template walks;
    /// `table` is what people see.
    pub fn print<T: Serialize>(
        &self,
        document: &T,
        entries: &str,
        table: impl FnOnce() -> Table,
    ) -> Result<(), Failure> {
        let text = self.render(document, entries, table)?;
        let mut out = BufWriter::new(io::stdout().lock());
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// A table as part of a longer text.
    pub fn table(&self, table: &Table) -> String {
        table.render(
            matches!(self.format, Format::Wide),
            self.headers,
            self.colour,
        )
    }

    /// The text that [`Output::print`] writes.
    pub fn render<T: Serialize>(
        &self,
        document: &T,
        entries: &str,
        table: impl FnOnce() -> Table,
    ) -> Result<String, Failure> {
        let broken =
            |e: &dyn std::fmt::Display| Failure::failed(format!("cannot write the result: {e}"));
        match &self.format {
            Format::Table => Ok(table().render(false, self.headers, self.colour)),
            Format::Wide => Ok(table().render(true, self.headers, self.colour)),
            Format::Json => {
                let mut text = serde_json::to_string_pretty(document).map_err(|e| broken(&e))?;
                text.push('\n');
                Ok(text)
            }
            Format::Yaml => {
                let value = serde_json::to_value(document).map_err(|e| broken(&e))?;
                yaml(value).map_err(|e| broken(&e))
            }
            Format::Template(template) => {
                let value = serde_json::to_value(document).map_err(|e| broken(&e))?;
                let list = if entries.is_empty() {
                    &value
                } else {
                    value.get(entries).unwrap_or(&value)
                };
                let one = std::slice::from_ref(list);
                let mut text = String::new();
                for entry in list.as_array().map_or(one, Vec::as_slice) {
                    text.push_str(&template.render(entry).map_err(Failure::usage)?);
                    text.push('\n');
                }
                Ok(text)
            }
        }
    }
}

/// Reads a YAML document; what is wrong is said with its line.
pub fn from_yaml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_yaml::from_str(text).map_err(|e| e.to_string())
}

/// The same, with the line of what is wrong (0 = not known).
pub fn from_yaml_at<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, (usize, String)> {
    serde_yaml::from_str(text).map_err(|e| (e.location().map_or(0, |at| at.line()), e.to_string()))
}

/// Marks the two ends of a scalar that has to be quoted (private-use characters).
const QUOTE: [char; 2] = ['\u{e000}', '\u{e001}'];

/// YAML of a value. What YAML 1.1 readers take for a number in base 60 (a MAC without letters) or for a boolean is
/// quoted, which the serialiser, a YAML 1.2 one, would not do.
fn yaml(mut value: Value) -> Result<String, serde_yaml::Error> {
    quote_ambiguous(&mut value);
    Ok(serde_yaml::to_string(&value)?.replace(QUOTE, "\""))
}

fn quote_ambiguous(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.contains(QUOTE) {
                *text = text.replace(QUOTE, "\u{fffd}");
            }
            if is_ambiguous(text) {
                let [open, close] = QUOTE;
                *text = format!("{open}{text}{close}");
            }
        }
        Value::Array(list) => list.iter_mut().for_each(quote_ambiguous),
        Value::Object(map) => map.values_mut().for_each(quote_ambiguous),
        _ => {}
    }
}

fn is_ambiguous(text: &str) -> bool {
    let base_60 = text.contains(':')
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b':' || b == b'.');
    let word = ["y", "n", "yes", "no", "on", "off"]
        .iter()
        .any(|w| text.eq_ignore_ascii_case(w));
    base_60 || word || is_date(text)
}

/// `2024-11-19…`, a timestamp to YAML 1.1.
fn is_date(text: &str) -> bool {
    let mut bytes = text.bytes();
    let form = "0000-00-00".bytes();
    form.zip(bytes.by_ref().map(Some).chain(std::iter::repeat(None)))
        .all(|(form, byte)| match form {
            b'-' => byte == Some(b'-'),
            _ => byte.is_some_and(|b| b.is_ascii_digit()),
        })
}

/// Prints a text that is no table and no document.
pub fn text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// `text` with control characters (which a BMC may have sent, to move the cursor or worse) replaced.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(
            text.chars()
                .map(|c| if c.is_control() { '?' } else { c })
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applets::common::table::column;
    use serde_json::json;

    fn output(line: &[&str]) -> Result<Output, Failure> {
        let matches = args(Command::new("t")).get_matches_from(std::iter::once(&"t").chain(line));
        Output::from_matches(&matches)
    }

    fn shown(line: &[&str], value: &Value) -> String {
        let table = || {
            let mut table = Table::new(&[column("MAC")]);
            table.row(["x"]);
            table
        };
        output(line).unwrap().render(value, "list", table).unwrap()
    }

    #[test]
    fn json_and_yaml_have_the_same_keys_in_the_same_order() {
        let value = json!({"list": [{"mac": "12:34:56:12:34:56", "z": 1, "a": null, "state": "ON", "at": "2024-11-19T11:15:53.760Z"}]});
        let yaml = shown(&["-o", "yaml"], &value);
        assert_eq!(
            yaml,
            "list:\n- mac: \"12:34:56:12:34:56\"\n  z: 1\n  a: null\n  state: \"ON\"\n  at: \"2024-11-19T11:15:53.760Z\"\n"
        );
        assert_eq!(serde_yaml::from_str::<Value>(&yaml).unwrap(), value);
        let json = shown(&["-o", "json"], &value);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        assert!(json.find("\"z\"") < json.find("\"a\""));
    }

    #[test]
    fn yaml_survives_hostile_strings() {
        for text in [
            "a: b",
            "- x",
            "12:34\nx: 12:34",
            "\u{7f}\x1b[2J",
            "",
            " ",
            "\"",
            "null",
            "1e3",
            "0x10",
            "#",
        ] {
            let value = json!({ "list": [text] });
            let back: Value = serde_yaml::from_str(&shown(&["-o", "yaml"], &value)).unwrap();
            assert_eq!(back, value, "{text:?}");
        }
    }

    #[test]
    fn template_and_table() {
        let value = json!({"list": [{"mac": "m1"}, {"mac": "m2"}]});
        assert_eq!(shown(&["--template", "<{mac}>"], &value), "<m1>\n<m2>\n");
        assert_eq!(shown(&["--no-headers"], &value), "x\n");
        assert_eq!(output(&["-o", "template"]).unwrap_err().code(), 2);
        assert_eq!(
            output(&["-o", "json", "--template", "x"])
                .unwrap_err()
                .code(),
            2
        );
        assert_eq!(output(&["--template", "{mac"]).unwrap_err().code(), 2);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\r\n"), "a?[2Jb??");
        assert!(matches!(printable("plain ü"), Cow::Borrowed(_)));
    }
}
