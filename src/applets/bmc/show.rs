//! Results as a table, and errors as lines.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::Value;

use crate::applets::common::output::printable;
use crate::applets::common::results::{Outcome, Results};
use crate::applets::common::table::{Cell, Column, Table, column, wide};

use super::operation::Operation;

/// The table of an operation. Values are one row, lists one row per element; the target is named where there are
/// several or where the value is a single word.
pub(super) fn table(operation: &Operation, results: &Results, targets: u64) -> Table {
    let lists = results.results.iter().any(|r| r.value.is_array());
    let named = targets > 1 || !lists;
    let mut columns: Vec<Column> = Vec::new();
    if named {
        columns.push(column("TARGET"));
    }
    for col in operation.columns {
        columns.push(if col.wide {
            wide(col.title)
        } else {
            column(col.title)
        });
    }
    if lists {
        columns.push(wide("DRIVER"));
    } else {
        columns.extend([column("DRIVER"), wide("MS")]);
    }
    let mut table = Table::new(&columns);
    for outcome in &results.results {
        let one = std::slice::from_ref(&outcome.value);
        let values = match &outcome.value {
            Value::Null if !outcome.ok => continue,
            Value::Array(list) => list.as_slice(),
            _ => one,
        };
        for value in values {
            table.row(row(operation, outcome, value, named, lists));
        }
    }
    table
}

fn row(
    operation: &Operation,
    outcome: &Outcome,
    value: &Value,
    named: bool,
    lists: bool,
) -> Vec<Cell> {
    let mut cells = Vec::new();
    if named {
        cells.push(Cell::from(outcome.target.as_str()));
    }
    for col in operation.columns {
        let text = text(at(value, col.path));
        let tone = (col.tone)(&text);
        cells.push(Cell::new(text, tone));
    }
    cells.push(Cell::from(outcome.by.clone()));
    if !lists {
        cells.push(Cell::from(outcome.took_ms.to_string()));
    }
    cells
}

/// The value at a dotted path; null where there is none.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .filter(|k| !k.is_empty())
        .fold(value, |value, key| value.get(key).unwrap_or(&Value::Null))
}

/// A value as people read it.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(n) => match n.as_f64() {
            // At most three digits after the point, and none that say nothing.
            Some(f) if n.is_f64() => {
                let text = format!("{f:.3}");
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            _ => n.to_string(),
        },
        Value::String(s) => s.clone(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            let pairs = map.iter().filter(|(_, v)| !v.is_null());
            pairs
                .map(|(k, v)| format!("{k}={}", text(v)))
                .collect::<Vec<_>>()
                .join(" ")
        }
    }
}

/// Most hints that are worth reading.
const HINTS: usize = 3;

/// Lines of errors, and after them what can be done: each hint once, also where it only names another target.
#[derive(Debug, Default)]
pub(super) struct Hints {
    lines: Vec<String>,
    hints: BTreeMap<String, (String, usize)>,
}

impl Hints {
    /// An error of `target`.
    pub(super) fn line(&mut self, error: &str, hint: Option<&str>, target: &str) {
        self.lines.push(error.to_owned());
        if let Some(hint) = hint {
            let same = hint.replace(target, "BMC");
            self.hints.entry(same).or_insert((hint.to_owned(), 0)).1 += 1;
        }
    }

    /// Prints everything to stderr.
    pub(super) fn print(&self) {
        let mut err = std::io::stderr().lock();
        for line in &self.lines {
            let _ = writeln!(err, "halbox: {}", printable(line));
        }
        for hint in self.texts() {
            let _ = writeln!(err, "  hint: {}", printable(&hint));
        }
    }

    fn texts(&self) -> Vec<String> {
        let texts = self.hints.iter().take(HINTS);
        texts
            .map(|(same, (first, count))| match count {
                1 => first.clone(),
                _ => same.clone(),
            })
            .collect()
    }
}

/// One line per failed target, each hint once.
pub(super) fn errors(results: &Results) {
    let mut hints = Hints::default();
    for outcome in &results.results {
        if let Some(error) = &outcome.error {
            let mac = outcome.mac.map(|m| m.to_string());
            let hint = outcome.hint.as_deref();
            let target = match (&mac, hint) {
                (Some(mac), Some(hint)) if hint.contains(mac.as_str()) => mac,
                _ => &outcome.target,
            };
            hints.line(error, hint, target);
        }
    }
    hints.print();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applets::bmc::ops;
    use crate::hal::model::{DriverName, Reading, Source};
    use serde_json::json;
    use std::time::Duration;

    fn shown(name: &str, values: &[Value]) -> String {
        let operation = ops::all().find(|o| o.name == name).unwrap();
        let outcome = |(i, value): (usize, &Value)| {
            let reading = Reading {
                value: value.clone(),
                source: Source::new(DriverName::Ipmi, "x"),
                took: Duration::ZERO,
            };
            Outcome::new(format!("10.0.0.{i}"), name, Ok(reading), Duration::ZERO)
        };
        let results = Results {
            results: values.iter().enumerate().map(outcome).collect(),
        };
        table(operation, &results, values.len() as u64).render(false, true, false)
    }

    #[test]
    fn a_hint_that_only_names_another_target_is_said_once() {
        let mut hints = Hints::default();
        for n in 1..4 {
            let hint = format!("halbox bmc update 10.0.0.{n}");
            hints.line("x", Some(&hint), &format!("10.0.0.{n}"));
        }
        hints.line("y", Some("look at 10.0.0.9"), "10.0.0.9");
        assert_eq!(hints.texts(), ["halbox bmc update BMC", "look at 10.0.0.9"]);
    }

    #[test]
    fn words_have_one_line_per_target() {
        assert_eq!(
            shown("power.state", &[json!("ON"), json!("OFF")]),
            "TARGET     POWER   DRIVER\n10.0.0.0   ON      ipmi\n10.0.0.1   OFF     ipmi\n"
        );
    }

    #[test]
    fn lists_name_the_target_only_among_several() {
        let sensors = json!([{"name": "Temp", "type": "Temperature", "value": 42.500, "unit": "degrees C", "status": "ok"},
            {"name": "Fan", "type": "Fan", "value": null, "unit": null, "status": "not available"}]);
        let one = shown("sensors", std::slice::from_ref(&sensors));
        assert!(one.starts_with("NAME   TYPE          VALUE   UNIT        STATUS\nTemp   Temperature   42.5    degrees C   ok\n"), "{one}");
        let two = shown("sensors", &[sensors.clone(), sensors]);
        assert!(
            two.lines().count() == 5 && two.starts_with("TARGET"),
            "{two}"
        );
    }
}
