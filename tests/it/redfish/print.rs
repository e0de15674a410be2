//! The matrix as a table.

use std::fmt::Write as _;

use super::matrix::Rows;

/// Operation x tree: `ok`, or the number of the reason why not; then the reasons, and what came out.
pub fn table(columns: &[(&str, Rows)]) -> String {
    let mut operations: Vec<&str> = Vec::new();
    for (operation, _) in columns.iter().flat_map(|(_, rows)| rows) {
        if !operations.contains(operation) {
            operations.push(operation);
        }
    }
    let mut out = String::new();
    let _ = write!(out, "{:<20}", "");
    for (name, _) in columns {
        let short: String = name.chars().take(12).collect();
        let _ = write!(out, " {short:<12}");
    }
    let mut reasons: Vec<&str> = Vec::new();
    for operation in operations {
        let _ = write!(out, "\n{operation:<20}");
        for (_, rows) in columns {
            let cell = match rows.iter().find(|(o, _)| *o == operation) {
                None => "-".to_owned(),
                Some((_, text))
                    if text.starts_with("unsupported") || text.starts_with("refused") =>
                {
                    let known = reasons.iter().position(|r| r == text);
                    let n = known.unwrap_or_else(|| {
                        reasons.push(text);
                        reasons.len() - 1
                    });
                    format!("({})", n + 1)
                }
                Some(_) => "ok".to_owned(),
            };
            let _ = write!(out, " {cell:<12}");
        }
    }
    out.push('\n');
    for (n, reason) in reasons.iter().enumerate() {
        let _ = write!(out, "\n({}) {reason}", n + 1);
    }
    out.push('\n');
    for (name, rows) in columns {
        let _ = writeln!(out, "\n{name}");
        for (operation, text) in rows {
            let _ = writeln!(out, "  {operation:<20} {text}");
        }
    }
    out
}
