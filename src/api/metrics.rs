//! The page /metrics, in the text format of Prometheus. What is on it is documented in packaging/metrics.md; a test
//! compares the two. Labels hold no name of a BMC: there are thousands of them.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::path::Path;

use crate::discover::files::FileState;
use crate::discover::run::Status;
use crate::discover::{Contacts, now};
use crate::hal::meter::{self, SECONDS};
use crate::inventory::Record;

/// What a value is.
#[derive(Clone, Copy)]
enum Type {
    /// It goes up and down.
    Gauge,
    /// It goes up until the daemon ends.
    Counter,
}

/// A page that grows.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(
            self.0,
            "# HELP halbox_{name} {help}\n# TYPE halbox_{name} {kind}"
        );
    }

    fn value(&mut self, name: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        let _ = write!(self.0, "halbox_{name}");
        for (i, (label, text)) in labels.iter().enumerate() {
            let text = text.to_string();
            let text = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let open = if i == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{open}{label}=\"{text}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{close} {value}");
    }

    fn one(&mut self, name: &str, kind: Type, help: &str, value: u64) {
        self.head(name, kind.word(), help);
        self.value(name, &[], value);
    }
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

/// Makes the page.
pub(super) fn page(
    rows: &[std::sync::Arc<Record>],
    status: &Status,
    contacts: &Contacts,
    (lines, people): (usize, usize),
    started: u64,
) -> String {
    let mut page = Page::default();
    page.head("build_info", "gauge", "Version of the daemon");
    page.value("build_info", &[("version", &env!("CARGO_PKG_VERSION"))], 1);
    page.one(
        "start_time_seconds",
        Type::Gauge,
        "When the daemon was started, in seconds since 1970",
        started / 1000,
    );
    table(&mut page, rows);
    page.one(
        "looking",
        Type::Gauge,
        "Addresses that are being looked at",
        status.looking,
    );
    page.one(
        "refreshing",
        Type::Gauge,
        "BMCs that are being refreshed",
        status.refreshing,
    );
    page.one(
        "refreshes_waiting",
        Type::Gauge,
        "BMCs whose refresh is due and has not begun",
        status.waiting,
    );
    page.one(
        "calls_waiting",
        Type::Gauge,
        "Calls that wait until another one has ended on the same BMC",
        contacts.waiting as u64,
    );
    page.one(
        "ipmi_sessions_open",
        Type::Gauge,
        "IPMI sessions that are open",
        contacts.ipmi_sessions as u64,
    );
    page.one(
        "redfish_connections_kept",
        Type::Gauge,
        "Redfish services whose connection or session is kept for the next operation",
        contacts.redfish_doors as u64,
    );
    page.one(
        "consoles_open",
        Type::Gauge,
        "Serial consoles that are open",
        lines as u64,
    );
    page.one(
        "console_people",
        Type::Gauge,
        "People at serial consoles",
        people as u64,
    );
    let name = "logins_failed_total";
    let help = "Failed logins at BMCs, by who wanted them: halbox by itself, or an operator";
    page.head(name, Type::Counter.word(), help);
    page.value(name, &[("by", &"halbox")], status.failures.automatic);
    page.value(name, &[("by", &"operator")], status.failures.operator);
    files(&mut page, &status.files);
    operations(&mut page);
    page.0
}

fn table(page: &mut Page, rows: &[std::sync::Arc<Record>]) {
    let count =
        |f: &dyn Fn(&Record) -> bool| rows.iter().filter(|r| !r.removed && f(r)).count() as u64;
    let drivers = |page: &mut Page| {
        let mut by: BTreeMap<&str, u64> = BTreeMap::new();
        for row in rows.iter().filter(|r| !r.removed && !r.candidate) {
            let driver = row.driver().map_or("none", |d| d.as_str());
            *by.entry(driver).or_default() += 1;
        }
        page.head(
            "bmcs",
            "gauge",
            "BMCs of the table, by the driver that is asked first",
        );
        for (driver, n) in by {
            page.value("bmcs", &[("driver", &driver)], n);
        }
    };
    drivers(page);
    page.one(
        "candidates",
        Type::Gauge,
        "Leases at which no driver was found",
        count(&|r| r.candidate),
    );
    page.one(
        "bmcs_with_credentials",
        Type::Gauge,
        "BMCs that can be managed",
        count(&Record::has_credentials),
    );
    let mut failing: BTreeMap<&str, u64> = BTreeMap::new();
    for kind in rows.iter().filter_map(|r| r.status.kind.as_deref()) {
        *failing.entry(kind).or_default() += 1;
    }
    page.head(
        "bmcs_failing",
        "gauge",
        "BMCs whose last contact failed, by kind of error",
    );
    for (kind, n) in failing {
        page.value("bmcs_failing", &[("kind", &kind)], n);
    }
}

fn files(page: &mut Page, files: &[(std::path::PathBuf, FileState)]) {
    let seconds = now() / 1000;
    let mut each = |name: &str, help: &str, value: &dyn Fn(&FileState) -> u64| {
        page.head(name, Type::Gauge.word(), help);
        for (path, state) in files {
            page.value(name, &[("file", &Path::display(path))], value(state));
        }
    };
    each("leases", "Addresses in a lease file", &|f| {
        f.leases.len() as u64
    });
    each("leases_active", "Active leases in a lease file", &|f| {
        f.leases.iter().filter(|l| l.is_active(seconds)).count() as u64
    });
    each(
        "lease_file_bad_lines",
        "Lines of a lease file that could not be read",
        &|f| f.bad,
    );
    each(
        "lease_file_failed",
        "1 when the file could not be read",
        &|f| f.error.is_some().into(),
    );
    each(
        "lease_file_read_timestamp_seconds",
        "When the file was read, in seconds since 1970",
        &|f| f.read_at.unwrap_or(0) / 1000,
    );
}

fn operations(page: &mut Page) {
    let all = meter::tallies();
    let name = "operation_errors_total";
    page.head(
        name,
        Type::Counter.word(),
        "Operations on BMCs that failed, by operation, driver and kind of error",
    );
    for ((operation, driver), tally) in &all {
        for (kind, n) in &tally.errors {
            page.value(
                name,
                &[("operation", operation), ("driver", driver), ("kind", kind)],
                n,
            );
        }
    }
    let name = "operation_duration_seconds";
    page.head(
        name,
        "histogram",
        "How long operations on BMCs took, by operation and driver, failed ones as well",
    );
    for ((operation, driver), tally) in &all {
        let labels: [(&str, &dyn Display); 2] = [("operation", operation), ("driver", driver)];
        let mut sum = 0;
        for (end, n) in SECONDS.iter().zip(tally.within) {
            sum += n;
            let [a, b] = labels;
            page.value(&format!("{name}_bucket"), &[a, b, ("le", end)], sum);
        }
        let [a, b] = labels;
        page.value(
            &format!("{name}_bucket"),
            &[a, b, ("le", &"+Inf")],
            tally.count,
        );
        page.value(&format!("{name}_sum"), &labels, tally.took.as_secs_f64());
        page.value(&format!("{name}_count"), &labels, tally.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::Kind;
    use crate::hal::model::DriverName;
    use std::collections::BTreeSet;
    use std::time::Duration;

    #[test]
    fn the_page_is_what_the_documentation_says() {
        let took = Duration::from_millis(20);
        meter::note("test.page", DriverName::Redfish, took, Some(Kind::Auth));
        let row = Record {
            candidate: false,
            ..Record::new(crate::hal::model::MacAddr([0xac, 0, 0, 0, 0, 1]))
        };
        let mut status = Status::default();
        let odd = "/var/lib/a \"b\"\\\n".into();
        status.files.push((odd, FileState::default()));
        let page = page(
            &[std::sync::Arc::new(row)],
            &status,
            &Contacts::default(),
            (2, 3),
            7000,
        );
        let names: BTreeSet<&str> = page
            .lines()
            .filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next())
            .collect();
        let documented = include_str!("../../packaging/metrics.md");
        let documented: BTreeSet<&str> = documented
            .lines()
            .filter_map(|l| l.strip_prefix("| `")?.split(['`', '{']).next())
            .collect();
        assert_eq!(names, documented);
        for line in [
            "halbox_start_time_seconds 7",
            "halbox_consoles_open 2",
            "halbox_console_people 3",
            "halbox_bmcs{driver=\"none\"} 1",
            "halbox_leases{file=\"/var/lib/a \\\"b\\\"\\\\\\n\"} 0",
            "halbox_operation_errors_total{operation=\"test.page\",driver=\"Redfish\",kind=\"auth\"} 1",
            "halbox_operation_duration_seconds_bucket{operation=\"test.page\",driver=\"Redfish\",le=\"0.01\"} 0",
            "halbox_operation_duration_seconds_bucket{operation=\"test.page\",driver=\"Redfish\",le=\"0.025\"} 1",
            "halbox_operation_duration_seconds_bucket{operation=\"test.page\",driver=\"Redfish\",le=\"+Inf\"} 1",
            "halbox_operation_duration_seconds_count{operation=\"test.page\",driver=\"Redfish\"} 1",
        ] {
            assert!(page.lines().any(|l| l == line), "no '{line}' in\n{page}");
        }
    }
}
