//! The report as JUnit XML: one suite per machine, one case per operation and driver.

use std::fmt::Write;

use super::Probed;
use super::rack::{Machine, lacks};
use crate::hal::report::{Entry, Status};

/// The document.
pub(super) fn render(machines: &[Machine], probes: &[Probed]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"halbox rack\">\n",
    );
    for (machine, probed) in machines.iter().zip(probes) {
        suite(&mut out, machine, probed);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, machine: &Machine, probed: &Probed) {
    let none = Vec::new();
    let entries = probed.report.as_ref().map_or(&none, |r| &r.entries);
    let lacking = lacks(machine, probed);
    let failures = entries.iter().filter(|e| fails(e)).count() + usize::from(!lacking.is_empty());
    let skipped = entries.iter().filter(|e| is_skipped(e)).count();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\">",
        escape(&machine.name),
        entries.len() + 1,
    );
    let _ = write!(
        out,
        "    <testcase classname=\"{}\" name=\"everything that is expected\"",
        escape(&machine.name)
    );
    if lacking.is_empty() {
        out.push_str("/>\n");
    } else {
        let what = escape(&lacking.join(", "));
        let _ = writeln!(
            out,
            ">\n      <failure message=\"missing: {what}\"/>\n    </testcase>"
        );
    }
    for entry in entries {
        case(out, &machine.name, entry);
    }
    out.push_str("  </testsuite>\n");
}

fn case(out: &mut String, machine: &str, entry: &Entry) {
    let _ = write!(
        out,
        "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.4}\"",
        escape(machine),
        escape(&entry.by),
        entry.operation,
        entry.took_ms / 1000.0
    );
    let why = entry.error.as_ref().or(entry.evidence.as_ref());
    let why = format!("{}: {}", entry.status, why.map_or("", String::as_str));
    if fails(entry) {
        let _ = writeln!(
            out,
            ">\n      <failure message=\"{}\"/>\n    </testcase>",
            escape(&why)
        );
    } else if is_skipped(entry) {
        let _ = writeln!(
            out,
            ">\n      <skipped message=\"{}\"/>\n    </testcase>",
            escape(&why)
        );
    } else {
        out.push_str("/>\n");
    }
}

fn fails(entry: &Entry) -> bool {
    matches!(entry.status, Status::Failed | Status::Denied)
}

fn is_skipped(entry: &Entry) -> bool {
    matches!(
        entry.status,
        Status::Unsupported | Status::NeedsLicense | Status::NotTried
    )
}

/// Text for an attribute; characters that XML does not have become '?'.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bmcs_send_cannot_break_the_document() {
        assert_eq!(
            escape("<a b=\"c\">&\u{1}\n"),
            "&lt;a b=&quot;c&quot;&gt;&amp;? "
        );
    }
}
